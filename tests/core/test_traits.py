"""How digits are written, measured on strokes of known width, slant and loops."""

import cv2
import numpy as np
import pytest

from mnist_core import traits
from mnist_core.data import Dataset


def drawn(*points: tuple[float, float], width: float = 3, closed: bool = False) -> np.ndarray:
    """Draw a line through points in pixels, eight times as large and then shrunk, so that its edges are soft."""
    large = np.zeros((224, 224), np.uint8)
    corners = np.rint(np.array(points) * 8).astype(np.int32)
    cv2.polylines(large, [corners], closed, 255, round(8 * width))
    return cv2.resize(large, (28, 28), interpolation=cv2.INTER_AREA)


def ring(x: float, y: float, radius: float, width: float = 2) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return drawn(*zip(x + radius * np.cos(angles), y + radius * np.sin(angles), strict=True), width=width, closed=True)


@pytest.mark.parametrize("width", [2.0, 2.5, 4.0])
def test_a_strokes_width_is_found_however_long_and_bent_it_is(width: float) -> None:
    images = [
        drawn((14, 4), (14, 24), width=width),
        drawn((6, 22), (20, 5), width=width),
        drawn((7, 6), (20, 6), (12, 22), width=width),
        ring(14, 14, 8, width),
    ]
    assert traits.measure(np.stack(images)).stroke == pytest.approx(width, rel=0.15)


@pytest.mark.parametrize("degrees", [-30, 0, 15, 30])
def test_the_slant_of_a_line(degrees: float) -> None:
    aside = 9 * np.tan(np.radians(degrees))
    found = traits.measure(drawn((14 - aside, 23), (14 + aside, 5), width=2)[None]).slant
    assert found[0] == pytest.approx(degrees, abs=2), "positive leans to the right"


def test_loops_are_counted() -> None:
    one = ring(14, 14, 7)
    two = np.maximum(ring(14, 8, 5), ring(14, 19, 5.5))
    opened = one.copy()
    opened[:, 14:16][one[:, 14:16] > 0] = 0
    dot = np.zeros((28, 28), np.uint8)
    dot[10:18, 10:18] = 255
    dot[13, 13] = 0
    images = np.stack([one, two, opened, drawn((14, 4), (14, 24)), dot])
    assert traits.measure(images).loops.tolist() == [1, 2, 0, 0, 0], "a speck without ink is no loop"


def test_a_digit_without_ink_has_no_traits() -> None:
    found = traits.measure(np.zeros((2, 28, 28), np.uint8))
    assert (found.stroke.tolist(), found.slant.tolist(), found.loops.tolist()) == ([0, 0], [0, 0], [0, 0])
    assert len(found) == 2
    assert len(traits.measure(np.zeros((0, 28, 28), np.uint8))) == 0


def test_most_zeros_have_a_loop_and_most_sevens_none(builtin: Dataset) -> None:
    found = traits.measure(builtin.test_images)
    for digit, loops in ((0, 1), (7, 0)):
        assert np.bincount(found.loops[builtin.test_labels == digit]).argmax() == loops
    assert 1 < np.median(found.stroke) < 5

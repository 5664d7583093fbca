"""Drawings out of the canvas's description: parsed, rendered and replayed."""

import math

import numpy as np
import pytest

from mnist_core import strokes
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Settings
from mnist_core.recognizer import Recognizer
from mnist_core.strokes import Stroke

SIDE = 280


def path(*points: tuple[float, float], width: float = 18) -> dict[str, object]:
    commands = [["M", *points[0]], *(["L", *point] for point in points[1:])]
    return {"type": "Path", "path": commands, "strokeWidth": width}


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("ann")


def test_a_straight_stroke_covers_its_length_times_its_width():
    (stroke,) = strokes.parse([path((60, 100), (220, 100), width=20)], SIDE)
    np.testing.assert_array_equal(stroke.points, [(60, 100), (220, 100)])
    ink = strokes.render([stroke], SIDE) / 255
    expected = 160 * 20 + math.pi * 10**2  # the round ends are two half discs
    assert ink.sum() == pytest.approx(expected, rel=0.03)
    assert ink[100, 140] == 1
    assert ink[100, 44] == ink[70, 140] == 0


def test_a_dot_is_a_disc():
    dot = strokes.parse([{"path": [["M", 140, 140], ["L", 140.001, 140]], "strokeWidth": 30}], SIDE)
    ink = strokes.render(dot, SIDE) / 255
    assert ink.sum() == pytest.approx(math.pi * 15**2, rel=0.03)


def test_a_curve_goes_where_its_formula_says():
    (stroke,) = strokes.parse([{"path": [["M", 0, 0], ["Q", 100, 0, 100, 100]], "strokeWidth": 4}], SIDE)
    np.testing.assert_allclose(stroke.points[0], (0, 0))
    np.testing.assert_allclose(stroke.points[4], (75, 25), err_msg="half way: a quarter, a half and a quarter")
    np.testing.assert_allclose(stroke.points[-1], (100, 100))


@pytest.mark.parametrize(
    "forged",
    [
        "text",
        {},
        {"path": []},
        {"path": "M 0 0"},
        {"path": [["M", 1]]},
        {"path": [["Z"]]},
        {"path": [["C", 1, 2, 3, 4, 5, 6]]},
        {"path": [[]]},
        {"path": [["M", "1", 2]]},
        {"path": [["M", True, 2]]},
        {"path": [["M", math.nan, 2]]},
        {"path": [["M", 1, 2]], "strokeWidth": None},
        {"path": [["M", 1, 2]], "strokeWidth": math.inf},
        {"path": [[["M"], 1, 2]]},
        {"type": "Image", "src": "https://example.org/x.png"},
    ],
    ids=str,
)
def test_forged_strokes_get_a_sentence(forged):
    with pytest.raises(DigitLabError, match="no stroke of the pen"):
        strokes.parse([forged], SIDE)


def test_too_many_points_are_refused_before_they_are_drawn():
    with pytest.raises(DigitLabError, match="too many strokes"):
        strokes.parse([path(*[(1.0, 2.0)] * 9_000)] * 3, SIDE)
    with pytest.raises(DigitLabError, match="too many strokes"):
        strokes.parse([path(*[(1.0, 2.0)] * 30_000)], SIDE)


def test_numbers_far_outside_are_brought_near_the_canvas():
    (stroke,) = strokes.parse([path((-1e300, 1e300), (10**400, 5), width=1e9)], SIDE)
    assert stroke.points.min() == -SIDE
    assert stroke.points.max() == stroke.width == 2 * SIDE
    assert strokes.render([stroke], SIDE).shape == (SIDE, SIDE)


def test_the_answer_turns_with_the_strokes(recognizer):
    """A 1, a bar that leaves it open, and what makes it a 4."""
    drawn = strokes.parse([path((90, 50), (70, 150), (210, 150)), path((170, 40), (170, 240))], SIDE)
    first, second = strokes.replay(drawn, SIDE, recognizer)
    assert (first.strokes, second.strokes) == (1, 2)
    assert second.recognition.digit == 4
    assert first.recognition.digit != 4
    assert (first.turned, second.turned) == (False, True)
    np.testing.assert_array_equal(second.picture, strokes.render(drawn, SIDE))


def test_each_answer_is_that_of_its_picture(recognizer):
    drawn = strokes.parse([path((140, 40), (140, 240)), path((60, 240), (220, 240))], SIDE)
    settings = Settings(even_stroke=False)
    for moment in strokes.replay(drawn, SIDE, recognizer, settings):
        alone = recognizer.recognize(strokes.render(drawn[: moment.strokes], SIDE), settings)
        np.testing.assert_allclose(moment.recognition.probabilities, alone.probabilities, atol=1e-5)


def test_of_many_strokes_some_are_answered_and_always_the_last(recognizer):
    dots = [Stroke(np.array([(x, 140.0), (x, 141.0)]), 4) for x in range(20, 260, 6)]
    counts = [moment.strokes for moment in strokes.replay(dots, SIDE, recognizer)]
    assert len(counts) == strokes.MOST_MOMENTS
    assert (counts[0], counts[-1]) == (1, len(dots))
    assert counts == sorted(set(counts))


def test_nothing_drawn_is_nothing_to_replay(recognizer):
    assert strokes.replay([], SIDE, recognizer) == ()

"""Stress curves as figures, and changes as pictures."""

import numpy as np
import pytest

from mnist_core.figures_stress import difference_picture, stress_curves
from mnist_core.stress import DISTURBANCES
from mnist_core.stress_curves import Curve


def curve(run: str, right: list[int]) -> Curve:
    return Curve(run, "builtin", "shift", 10, np.array([-10.0, 0.0, 10.0]), np.array(right))


def test_each_curve_is_drawn_and_told_apart_without_colour() -> None:
    figure = stress_curves([curve("a", [1, 10, 2]), curve("b", [3, 9, 4])], seen=2)
    first, second = figure.data
    assert list(first.y) == pytest.approx([0.1, 1, 0.2])
    assert (first.name, second.name) == ("a", "b")
    assert first.line.dash != second.line.dash and first.marker.symbol != second.marker.symbol
    assert first.customdata[0][2] == DISTURBANCES["shift"].write(-10)
    band = figure.layout.shapes[0]
    assert (band.x0, band.x1) == (-2, 2), "what was seen while learning"
    assert len(stress_curves([curve("a", [1, 10, 2])]).layout.shapes) == 1, "only the 90 % line"


def test_added_ink_is_blue_and_ink_taken_away_is_orange() -> None:
    change = np.array([[0.0, 0.02], [-0.01, 0.0]], np.float32)
    picture = difference_picture(change)
    assert picture[0, 0].tolist() == picture[1, 1].tolist() == [255, 255, 255]
    assert picture[0, 1].tolist() == [0, 114, 178], "the largest at full strength"
    assert picture[1, 0].tolist() == [234, 174, 128], "half as strong"
    assert (difference_picture(np.zeros((2, 2), np.float32)) == 255).all()

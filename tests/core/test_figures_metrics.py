"""The figures show the numbers they were given, and nothing that a light or a dark page would not fit."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnist_core import calibration, confusion, figures_metrics
from mnist_core.predictions import stored
from mnist_core.runs import load_run
from mnist_core.scores import DigitScore

NONE = np.zeros((10, 10), np.int64)


def counts(*cells: tuple[int, int, int]) -> np.ndarray:
    found = NONE.copy()
    for true, predicted, number in cells:
        found[true, predicted] = number
    return found


def points(figure: go.Figure) -> dict[tuple[int, int], str]:
    """The number written into each cell, by true and predicted digit, where it is to be seen."""
    (found,) = (trace for trace in figure.data if trace.type == "scatter")
    for (true, predicted), x, y in zip(found.customdata, found.x, found.y, strict=True):
        assert (x, y) == (str(predicted), str(true)), "true digit down, predicted digit across"
    assert found.marker.opacity == 0
    return {tuple(cell): text for cell, text in zip(found.customdata, found.text, strict=True)}


def test_each_cell_has_its_number_and_a_point_to_click_on() -> None:
    given = counts((4, 4, 1200), (4, 9, 3))
    found = points(figures_metrics.confusion(confusion.seen(given, "counts"), given))
    assert len(found) == 100
    assert (found[4, 4], found[4, 9], found[9, 4]) == ("1,200", "3", "")


@pytest.mark.parametrize(
    ("right", "wrong", "written"),
    [(1, 0, ("100", "")), (3, 1, ("75.0", "25.0")), (9999, 1, ("99.9", "<.1")), (1999, 1, ("99.9", "0.1"))],
)
def test_shares_are_in_percent_and_never_whole_by_rounding(right: int, wrong: int, written: tuple[str, str]) -> None:
    given = counts((4, 4, right), (4, 9, wrong))
    found = points(figures_metrics.confusion(confusion.seen(given, "true"), given, shares=True))
    assert (found[4, 4], found[4, 9]) == written
    assert found[0, 0] == "", "a share of nothing is not written"


def test_right_and_wrong_have_colours_of_their_own() -> None:
    given = counts((4, 4, 1200), (4, 9, 3), (9, 4, 1))
    right, wrong, _ = figures_metrics.confusion(confusion.seen(given, "counts"), given).data
    assert (right.z[4][4], right.z[4][9]) == (1200, None)
    assert (wrong.z[4][4], wrong.z[4][9], wrong.zmax) == (None, 3, 3), "three errors are seen beside 1,200 right ones"
    assert right.colorscale != wrong.colorscale


@pytest.mark.parametrize(
    ("chosen", "frame"),
    [((4, 9), (8.5, 9.5, 3.5, 4.5)), ((4, None), (-0.5, 9.5, 3.5, 4.5)), ((None, 9), (8.5, 9.5, -0.5, 9.5))],
)
def test_the_chosen_cell_is_framed(chosen: tuple[int | None, int | None], frame: tuple[float, ...]) -> None:
    (shape,) = figures_metrics.confusion(NONE.astype(float), NONE, chosen=chosen).layout.shapes
    assert (shape.x0, shape.x1, shape.y0, shape.y1) == frame
    assert not figures_metrics.confusion(NONE.astype(float), NONE).layout.shapes


def test_the_difference_is_blue_where_it_is_better() -> None:
    first, other = counts((4, 4, 12), (4, 9, 3), (7, 1, 5)), counts((4, 4, 10), (4, 9, 5), (7, 1, 1))
    figure = figures_metrics.confusion_difference(first, other)
    better, worse, _ = figure.data
    assert points(figure)[4, 4] == "+2"
    assert points(figure)[4, 9] == "\N{MINUS SIGN}2"
    assert (better.z[4][4], better.z[4][9], worse.z[7][1]) == (2, 2, 4), "more right and fewer errors are both good"
    assert better.zmax == worse.zmax == 4, "one scale for both"


def test_shares_that_are_undefined_are_left_out() -> None:
    digits = [DigitScore(0, 10, 8, 8), DigitScore(1, 0, 2, 0), DigitScore(2, 5, 0, 0)]
    recall, precision = figures_metrics.digit_shares(digits).data
    assert [cell[0] for cell in recall.customdata] == [0, 2]
    assert [cell[0] for cell in precision.customdata] == [0, 1]
    assert recall.y[0] - recall.error_y.arrayminus[0] == pytest.approx(digits[0].recall_interval.low)  # type: ignore[union-attr]


def test_the_curves_show_what_they_were_given() -> None:
    given = stored(load_run("classic-50-50"), "mnist")
    found = calibration.certainty(given)
    _, before, after = figures_metrics.reliability(found.before, found.after).data
    assert list(before.y) == [one.accuracy for one in found.before]
    assert list(after.x) == [one.certainty for one in found.after]
    curve, chosen = calibration.coverage(given), calibration.refuse(given, 0.9)
    line, mark = figures_metrics.coverage(curve, chosen).data
    assert list(line.y) == list(curve.accuracy)
    assert (mark.x[0], mark.y[0]) == (chosen.coverage, chosen.accuracy)


@pytest.mark.parametrize(("read", "wrong"), [(3, 0), (3, 3), (0, 0)])
def test_curves_of_three_digits(read: int, wrong: int) -> None:
    curve = calibration.Coverage(np.array([0.9]), np.array([1.0]), np.array([1 - wrong / 3]))
    figure = figures_metrics.coverage(curve, calibration.Refusal(0.5, 3, read, wrong))
    low, high = figure.layout.xaxis.range
    assert 0 <= high - low <= 1.1


def test_colours_of_page_and_text_are_left_to_the_page() -> None:
    for figure in (figures_metrics.confusion(NONE.astype(float), NONE), figures_metrics.reliability((), ())):
        assert figure.layout.paper_bgcolor is figure.layout.plot_bgcolor is figure.layout.font.color is None
    _, _, written = figures_metrics.confusion(NONE.astype(float), NONE, ink="#123456").data
    assert written.textfont.color == "#123456"

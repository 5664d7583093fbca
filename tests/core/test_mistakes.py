"""Digits are chosen, sorted and summed up as they should be."""

import numpy as np
import pytest

from mnist_core.mistakes import Kind, Wanted, choose, kinds
from mnist_core.predictions import Predictions
from mnist_core.traits import Traits

LABELS = np.array([4, 4, 9, 9, 9, 1])
#           right  9    4     4     right right
ANSWERS = [4, 9, 4, 4, 9, 1]
SURE = [0.91, 0.55, 0.97, 0.64, 0.46, 0.82]


def given() -> Predictions:
    probabilities = np.full((6, 10), 0.0)
    for row, (answer, sure) in enumerate(zip(ANSWERS, SURE, strict=True)):
        probabilities[row] = (1 - sure) / 9
        probabilities[row, answer] = sure
    return Predictions("few", "few", LABELS, np.log(probabilities).astype(np.float32), least_probability=0.5)


def written() -> Traits:
    return Traits(
        np.array([2.0, 3.0, 1.0, 4.0, 2.5, 3.5]), np.array([0.0, -20, 30, 10, 5, -5]), np.array([0, 1, 0, 0, 1, 0])
    )


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (Wanted(), {1, 2, 3}),
        (Wanted("right"), {0, 4, 5}),
        (Wanted("unsure"), {4}),
        (Wanted("all"), {0, 1, 2, 3, 4, 5}),
        (Wanted(true=9), {2, 3}),
        (Wanted(predicted=9), {1}),
        (Wanted("all", true=9, predicted=9), {4}),
        (Wanted("all", true=0), set()),
        (Wanted("all", certainty=(0.6, 0.95)), {0, 3, 5}),
        (Wanted("all", margin=(0.0, 0.55)), {1, 4}),
        (Wanted("all", loss=(0.0, 0.25)), {0, 5}),
        (Wanted("all", stroke=(2.0, 3.0)), {0, 1, 4}),
        (Wanted("all", slant=(-90, -5)), {1, 5}),
        (Wanted(true=9, stroke=(0, 2)), {2}),
    ],
)
def test_filters_leave_what_is_wanted(wanted: Wanted, rows: set[int]) -> None:
    assert set(choose(given(), written(), wanted).tolist()) == rows


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("loss", [2, 3, 1, 4, 5, 0]),
        ("certainty", [4, 1, 3, 5, 0, 2]),
        ("margin", [4, 1, 3, 5, 0, 2]),
        ("stroke", [2, 0, 4, 1, 5, 3]),
        ("slant", [1, 5, 0, 4, 3, 2]),
        ("number", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_they_come_in_the_order_that_was_asked_for(by: str, rows: list[int]) -> None:
    assert choose(given(), written(), Wanted("all"), by).tolist() == rows  # type: ignore[arg-type]


def test_without_pictures_what_needs_them_is_no_matter() -> None:
    wanted = Wanted("all", stroke=(0, 0), slant=(0, 0))
    assert choose(given(), None, wanted, "stroke").tolist() == [0, 1, 2, 3, 4, 5]


def test_kinds_are_counted_the_most_frequent_first() -> None:
    found = kinds(given(), written())
    assert [(kind.true, kind.predicted, kind.n) for kind in found] == [(9, 4, 2), (4, 9, 1)]
    assert found[0].sentence == "9 read as 4: 2", "two are too few to say what most of them are"


def many(**marks: np.ndarray) -> tuple[Predictions, Traits]:
    """Forty 9s, the first four read as 4, written alike but for what is marked."""
    answers = np.full(40, 9)
    answers[:4] = 4
    probabilities = np.full((40, 10), 0.02)
    probabilities[np.arange(40), answers] = 0.82
    stroke, slant = np.linspace(2, 3, 40)[::-1] * 0 + 2, np.zeros(40)
    traits = {"stroke": stroke + np.tile([0, 0.1], 20), "slant": slant + np.tile([0, 1], 20), "loops": np.ones(40, int)}
    logs = np.log(probabilities).astype(np.float32)
    return Predictions("many", "many", np.full(40, 9), logs), Traits(**(traits | marks))  # type: ignore[arg-type]


def marked(values: list[float], rest: float) -> np.ndarray:
    return np.array(values + [rest] * 36)


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ({}, "9 read as 4: 4"),
        ({"loops": marked([0, 0, 0, 1], 1).astype(int)}, "9 read as 4: 4, mostly open loops"),
        ({"loops": marked([2, 2, 2, 1], 1).astype(int)}, "9 read as 4: 4, mostly with a loop too many"),
        ({"stroke": np.linspace(1, 5, 40)}, "9 read as 4: 4, mostly thin strokes"),
        ({"stroke": np.linspace(5, 1, 40)}, "9 read as 4: 4, mostly heavy strokes"),
        ({"slant": np.linspace(-30, 30, 40)}, "9 read as 4: 4, mostly leaning left"),
        ({"slant": np.linspace(30, -30, 40)}, "9 read as 4: 4, mostly leaning right"),
        ({"loops": marked([0, 0, 0, 0], 0).astype(int)}, "9 read as 4: 4"),
    ],
)
def test_what_most_mistakes_of_a_kind_have_in_common_is_said(mark: dict[str, np.ndarray], sentence: str) -> None:
    assert [kind.sentence for kind in kinds(*many(**mark))] == [sentence]


def test_no_mistakes_have_no_kinds() -> None:
    logs = np.log(np.full((3, 10), 0.1)).astype(np.float32)
    assert kinds(Predictions("", "", np.zeros(3, np.int64), logs), None) == ()
    assert Kind(9, 4, 1200, "").sentence == "9 read as 4: 1,200"

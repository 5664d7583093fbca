import dataclasses

import numpy as np
import pytest

from mnist_core import figures_runs, overview
from mnist_core.overview import filtered, rows, unspreadsheet
from mnist_core.runs import Run, list_runs, load_run


def test_each_bundled_run_is_followed_by_what_was_published(tiny: Run) -> None:
    table = rows(list_runs())
    assert [(row.name, row.kind) for row in table][:5] == [
        ("classic-50-50", "bundled"),
        *[("classic-50-50", "published")] * 3,
        ("classic-128", "bundled"),
    ]
    assert [row.accuracy for row in table[1:4]] == [pytest.approx(share) for share in (0.972, 0.9701, 0.966)]
    last = table[-1]
    assert (last.name, last.kind, last.network) == ("tiny", "yours", "24 relu, 10 softmax")
    assert (last.accuracy, last.interval) == (tiny.metrics.test_accuracy, tiny.metrics.test_interval)
    assert last.curve == tuple(epoch["validation_accuracy"] for epoch in tiny.history)


def test_without_validation_the_curve_is_that_of_the_training(tiny: Run) -> None:
    history = tuple({**epoch, "validation_accuracy": None} for epoch in tiny.history)
    bare = dataclasses.replace(tiny, history=history)
    assert overview.curve(bare) == tuple(epoch["accuracy"] for epoch in tiny.history)
    assert overview.curve(dataclasses.replace(tiny, history=())) == ()


@pytest.mark.parametrize(
    ("words", "kinds", "names"),
    [
        ("", (), 13),
        ("TINY", (), 1),
        ("softmax 512", (), 1),
        ("97.01", (), 1),
        ("", ("yours",), 1),
        ("classic", ("bundled", "yours"), 3),
        ("nothing", (), 0),
    ],
)
def test_rows_are_filtered(words: str, kinds: tuple[str, ...], names: int, tiny: Run) -> None:
    assert len(filtered(rows(list_runs()), words, kinds)) == names


@pytest.mark.parametrize(("text", "safe"), [("=1+1", "'=1+1"), ("-x", "'-x"), ("@a", "'@a"), ("a=1", "a=1"), ("", "")])
def test_no_note_becomes_a_formula(text: str, safe: str) -> None:
    assert unspreadsheet(text) == safe


def test_curves_lie_over_each_other_with_a_colour_for_each_run(tiny: Run) -> None:
    other = load_run("classic-50-50")
    figure = figures_runs.history([tiny, other], "loss")
    assert [(line.name, line.line.dash) for line in figure.data] == [
        ("tiny, training", "dot"),
        ("tiny, validation", "solid"),
        ("classic-50-50, training", "dot"),
        ("classic-50-50, validation", "solid"),
    ]
    assert list(figure.data[3].y) == [epoch["validation_loss"] for epoch in other.history]
    assert len({line.line.color for line in figure.data}) == 2
    assert [line.name for line in figures_runs.history([tiny], "accuracy").data] == ["Training", "Validation"]


def test_the_answer_by_epoch_names_the_likeliest_digits() -> None:
    probabilities = np.full((3, 10), 0.02, np.float32)
    probabilities[:, 7], probabilities[0, 1], probabilities[1, 2] = 0.8, 0.5, 0.4
    figure = figures_runs.answer_by_epoch((1, 5, 10), probabilities, 5)
    assert [line.name for line in figure.data if line.showlegend] == ["1", "2", "7"]
    assert list(figure.data[7].x) == [1, 5, 10]
    assert figure.layout.shapes[0].x0 == 5

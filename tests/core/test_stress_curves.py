"""Curves: measured, read as words, kept by content, written down; and the thread that measures them."""

import csv
import io
import json
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_core import runs, stress_curves
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import wilson_interval
from mnist_core.recipes import PRESETS, ModelRecipe, Recipe, TrainRecipe
from mnist_core.recognizer import Recognizer
from mnist_core.runs import Run
from mnist_core.stress import DISTURBANCES
from mnist_core.stress_curves import Curve, Sample, Stopped, keep, kept, measure, sample, sentences
from mnist_core.stress_work import StressWork

PATIENCE = 60


def curve(name: str, right: list[int], run: str = "a", n: int = 100) -> Curve:
    """A curve over as many strengths as there are numbers, evenly from bound to bound."""
    how = DISTURBANCES[name]
    return Curve(run, "builtin", name, n, np.linspace(how.low, how.high, len(right)), np.array(right))


@pytest.fixture
def digits(builtin: Dataset) -> Sample:
    return sample(builtin, 250)


@pytest.fixture
def recognizer(tiny: Run) -> Recognizer:
    return Recognizer(tiny)


def loaded(recognizer: Recognizer) -> "Future[Recognizer]":
    future: Future[Recognizer] = Future()
    future.set_result(recognizer)
    return future


def test_a_sample_is_always_the_same_digits(builtin: Dataset) -> None:
    first, again = sample(builtin, 250), sample(builtin, 250)
    assert first.digest == again.digest
    assert len(first) == 250 and len(sample(builtin, 1000)) == 359
    assert first.digest != sample(builtin, 1000).digest
    with pytest.raises(DigitLabError, match="250, 1,000, 4,000"):
        sample(builtin, 10**9)


def test_a_curve_counts_what_is_read_right_at_each_strength(recognizer: Recognizer, digits: Sample) -> None:
    done: list[int] = []
    found = measure(recognizer, digits, "shift", done.append)
    how = DISTURBANCES["shift"]
    assert np.array_equal(found.strengths, how.strengths())
    for place in (0, 10, 13):
        answers = recognizer.logits(how.apply(digits.images, float(found.strengths[place]))).argmax(axis=1)
        assert found.right[place] == (answers == digits.labels).sum()
    assert found.accuracy[10] > 0.6 > found.accuracy[0], "undisturbed it reads, far away it cannot"
    assert sum(done) == 21 * 250
    assert found.intervals[10] == wilson_interval(int(found.right[10]), 250)


def test_a_curve_is_left_when_nobody_wants_it(recognizer: Recognizer, digits: Sample) -> None:
    done: list[int] = []
    with pytest.raises(Stopped):
        measure(recognizer, digits, "shift", done.append, lambda: len(done) == 3)
    assert len(done) == 3


def test_a_curve_is_found_again_by_content(recognizer: Recognizer, digits: Sample, builtin: Dataset) -> None:
    run = recognizer.run
    assert kept(run, digits, "blur") is None
    found = measure(recognizer, digits, "blur")
    keep(found, run, digits)
    again = kept(run, digits, "blur")
    assert again is not None and np.array_equal(again.right, found.right)
    assert kept(run, digits, "noise") is None
    assert kept(run, sample(builtin, 1000), "blur") is None
    weights = run.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert kept(run, digits, "blur") is None, "another network"


@pytest.mark.parametrize("content", ["", "[" * 100_000, "{}", '{"right": "x"}', '{"right": [1, 2]}',
                                     json.dumps({"right": [10**9] * 17}), json.dumps({"right": [True] * 17})],
                         ids=range(7))  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(
    recognizer: Recognizer, digits: Sample, digit_lab_home: Path, content: str
) -> None:
    keep(curve("blur", [1] * 17), recognizer.run, digits)
    (file,) = (digit_lab_home / "stress").iterdir()
    assert kept(recognizer.run, digits, "blur") is not None
    file.write_text(content)
    assert kept(recognizer.run, digits, "blur") is None


def test_where_a_curve_falls_is_straight_between_two_strengths() -> None:
    found = curve("shift", [0, 50, 100, 80, 100])  # at -10, -5, 0, 5, 10
    assert found.holds() == pytest.approx((-1.0, 2.5))
    assert found.at(2.5) == pytest.approx(0.9)
    assert curve("shift", [100, 95, 90]).holds() == (None, None)
    assert curve("shift", [100, 80, 100]).holds() == (0, 0), "below it undisturbed"
    assert curve("shift", [100, 80, 100]).undisturbed == 0.8
    assert curve("contrast", [10, 100]).holds() == (pytest.approx(100 - 95 / 9), None), "neutral at its upper end"


def test_what_curves_show_is_said_in_words() -> None:
    recipes = [PRESETS["classic-50-50"].recipe, PRESETS["cnn"].recipe]
    said = sentences([curve("shift", [0, 50, 100, 80, 60], "plain"), curve("shift", [90] * 5, "cnn")], recipes)
    assert said[0] == "They are furthest apart at 10 pixels to the left: cnn reads 90% and plain reads 0%."
    assert said[1] == "Undisturbed plain is the best of them; here cnn is."
    assert said[2] == "plain falls below 90% from 1 pixel to the left and from 2.5 pixels to the right on."
    assert said[3] == "cnn stays at 90% or above all the way."
    seen = PRESETS["cnn"].recipe.training.distortion.shift
    assert said[4].startswith(f"While learning, cnn saw this up to {seen:g} pixels, and plain saw none of it. ")


def test_words_for_one_curve_for_equal_ones_and_for_one_that_is_low_from_the_start() -> None:
    assert sentences([curve("contrast", [0, 20])])[0] == "a reads only 20% of these digits even undisturbed."
    assert sentences([curve("contrast", [0, 80])])[0].startswith("a falls below 70% (80% undisturbed) from 88.1 % on.")
    assert sentences([curve("contrast", [0, 100])]) == ("a falls below 90% from 90.5 % on.",)
    same = sentences([curve("noise", [100, 0]), curve("noise", [100, 1], "b")])
    assert same[0] == "They are nowhere more than two digits in a hundred apart."


def test_that_they_differ_most_undisturbed_is_said() -> None:
    said = sentences([curve("noise", [100, 10]), curve("noise", [20, 10], "b")])
    assert said[0] == "They are furthest apart undisturbed: a reads 100% and b reads 20%."


def test_of_shuffled_pixels_it_says_what_a_dense_network_would_not_mind() -> None:
    assert "so with all pixels shuffled they can only guess" in sentences([curve("shuffled", [99, 10])])[-1]
    assert "only guess" not in sentences([curve("shuffled", [99, 97])])[-1], "one that learned so reads them"
    began = Recipe(ModelRecipe(hidden=(144,)), TrainRecipe(convolutional_start=0.5))
    curves, recipes = [curve("shuffled", [99, 10], "a"), curve("shuffled", [99, 10], "b")], [began, Recipe()]
    assert "among neighbours, and so did a at first, so it could not" in sentences(curves, recipes)[-1]
    assert "at first" not in sentences(curves, [Recipe(), Recipe()])[-1]


def test_curves_are_written_down() -> None:
    curves = [curve("blur", [100, 50, 10], "a"), curve("blur", [90, 40, 0], "b")]
    rows = list(csv.DictReader(io.StringIO(stress_curves.as_csv(curves))))
    assert [row["run"] for row in rows] == ["a"] * 3 + ["b"] * 3
    assert rows[1] | {"low": "", "high": ""} == {
        "run": "a", "data": "builtin", "disturbance": "blur", "unit": "pixels", "strength": "2.0", "digits": "100",
        "right": "50", "accuracy": "0.5", "low": "", "high": "",
    }  # fmt: skip
    assert float(rows[1]["low"]) < 0.5 < float(rows[1]["high"])
    stored = json.loads(stress_curves.as_json(curves))
    assert [one["right"] for one in stored] == [[100, 50, 10], [90, 40, 0]]


class Gate:
    """Stands in for a network: waits at each batch until it is let on."""

    def __init__(self, run: Run) -> None:
        self.run, self.reached, self.go = run, threading.Event(), threading.Event()

    def logits(self, images: Any) -> Any:
        self.reached.set()
        assert self.go.wait(PATIENCE)
        return np.tile(np.eye(10)[3], (len(images), 1))


def finished(work: StressWork) -> None:
    """Wait until the thread has nothing left to do."""
    work._pool.submit(lambda: None).result(PATIENCE)


def test_curves_are_measured_in_the_background_once(recognizer: Recognizer, digits: Sample) -> None:
    work = StressWork()
    asked = [(recognizer.run, loaded(recognizer))]
    wish = work.start("ann", asked, digits, "ink")
    finished(work)
    assert (wish.state, wish.done) == ("done", wish.total)
    found = work.find(recognizer.run, digits, "ink")
    assert found is not None
    again = work.start("bob", asked, digits, "ink")
    assert again.total == 0, "nothing is measured twice"
    restarted = StressWork().find(recognizer.run, digits, "ink")
    assert restarted is not None and np.array_equal(restarted.right, found.right), "nor after a new start"
    work.close()


def test_a_wish_is_stopped_and_wished_again(tiny: Run, digits: Sample) -> None:
    work, gate = StressWork(), Gate(tiny)
    asked = [(tiny, loaded(gate))]  # type: ignore[arg-type] # a stand-in
    first = work.start("ann", asked, digits, "ink")
    assert gate.reached.wait(PATIENCE)
    assert first.state == "measuring" and not first.ended
    waiting = work.start("bob", asked, digits, "ink")
    assert waiting.state == "waiting"
    work.stop("bob")
    assert waiting.state == "stopped"
    work.stop("ann")
    gate.go.set()
    finished(work)
    assert first.state == "stopped" and first.ended
    assert work.find(tiny, digits, "ink") is None
    again = work.start("ann", asked, digits, "ink")
    finished(work)
    assert again.state == "done"
    found = work.find(tiny, digits, "ink")
    assert found is not None and (found.right == (digits.labels == 3).sum()).all()
    work.close()


def test_a_new_wish_ends_the_persons_earlier_one_and_the_server_has_a_limit(tiny: Run, digits: Sample) -> None:
    work, gate = StressWork(most_waiting=2), Gate(tiny)
    asked = [(tiny, loaded(gate))]  # type: ignore[arg-type] # a stand-in
    first = work.start("ann", asked, digits, "ink")
    assert gate.reached.wait(PATIENCE)
    second = work.start("ann", asked, digits, "blur")
    work.start("bob", asked, digits, "blur")
    with pytest.raises(DigitLabError, match="Many people"):
        work.start("eve", asked, digits, "blur")
    gate.go.set()
    finished(work)
    assert (first.state, second.state) == ("stopped", "done")
    assert work.of("ann") is second
    with pytest.raises(DigitLabError, match="one to 4"):
        work.start("ann", asked * 5, digits, "blur")
    work.close()


def test_a_network_that_cannot_be_loaded_is_said(tiny: Run, digits: Sample) -> None:
    work = StressWork()
    broken: Future[Recognizer] = Future()
    broken.set_exception(DigitLabError("The weights are gone."))
    wish = work.start("ann", [(tiny, broken)], digits, "ink")
    finished(work)
    assert (wish.state, wish.message) == ("failed", "The weights are gone.")
    odd: Future[Recognizer] = Future()
    odd.set_exception(RuntimeError("a bug"))
    wish = work.start("ann", [(tiny, odd)], digits, "ink")
    finished(work)
    assert wish.state == "failed" and "server's log" in wish.message
    work.close()


def test_a_run_that_is_gone_has_no_curve(tiny: Run, digits: Sample) -> None:
    (tiny.folder / "weights.safetensors").unlink()
    assert kept(tiny, digits, "ink") is None
    keep(curve("ink", [1] * 21), tiny, digits)  # no error
    assert runs.load_run("tiny").name == "tiny"

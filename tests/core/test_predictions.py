"""A run's answers on a dataset: worked out, stored with the run, and kept on disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_core import predictions
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions, evaluate, keep, kept, stored
from mnist_core.recognizer import Recognizer
from mnist_core.runs import Run


@pytest.fixture(scope="module")
def _loaded() -> dict[str, Recognizer]:
    return {}


@pytest.fixture
def recognizer(tiny: Run, _loaded: dict[str, Recognizer]) -> Recognizer:
    return _loaded.setdefault("tiny", Recognizer(tiny))


def test_answers_are_those_that_training_stored(tiny: Run, recognizer: Recognizer, builtin: Dataset) -> None:
    found, before = evaluate(recognizer, builtin), stored(tiny, "builtin")
    np.testing.assert_array_equal(found.labels, before.labels)
    np.testing.assert_allclose(found.probabilities, before.probabilities, atol=1e-5)
    np.testing.assert_allclose(found.raw_losses.mean(), tiny.metrics.test_loss, rtol=1e-4)
    assert int(found.wrong.sum()) == tiny.metrics.test_errors
    assert (found.temperature, found.least_probability) == (
        tiny.calibration.temperature,
        tiny.calibration.least_probability,
    )


def test_a_digits_loss_is_that_of_the_probability_that_is_shown_beside_it(tiny: Run, recognizer: Recognizer) -> None:
    found = stored(tiny, "builtin")
    assert found.temperature != 1
    np.testing.assert_allclose(found.losses, -np.log(found.true_probability), rtol=1e-9)
    worst = np.argsort(-found.losses, kind="stable")
    assert (np.diff(found.true_probability[worst]) >= 0).all(), "the worst are those whose true digit was given least"
    as_trained = replace(found, temperature=1.0)
    np.testing.assert_array_equal(found.raw_losses, as_trained.losses)


def test_progress_is_told_up_to_the_end(
    recognizer: Recognizer, builtin: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "_CHUNK", 100)
    told: list[tuple[int, int]] = []
    evaluate(recognizer, builtin, lambda done, total: told.append((done, total)))
    assert told == [(100, 359), (200, 359), (300, 359), (359, 359)]


def test_a_dataset_without_a_digit_is_refused_in_words(recognizer: Recognizer, few: Dataset) -> None:
    nothing = replace(few, test_images=few.test_images[:0], test_labels=few.test_labels[:0])
    with pytest.raises(DigitLabError, match="no digit"):
        evaluate(recognizer, nothing)


def test_a_stored_probability_of_zero_has_a_finite_loss(tiny: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = np.eye(10, dtype=np.float32)[[3, 4]]
    monkeypatch.setattr(predictions, "load_predictions", lambda run: (np.array([3, 5]), probabilities))
    found = stored(tiny, "builtin")
    assert found.raw_losses[0] == pytest.approx(0, abs=1e-6)
    assert found.raw_losses[1] == pytest.approx(103.3, abs=0.1), "the smallest float32, no infinity"


# --- kept on disk


def test_what_is_kept_comes_back(tiny: Run, recognizer: Recognizer, builtin: Dataset) -> None:
    assert kept(tiny, builtin) is None
    found = evaluate(recognizer, builtin)
    keep(found, tiny, builtin)
    back = kept(tiny, builtin)
    assert back is not None
    np.testing.assert_array_equal(back.log_probabilities, found.log_probabilities)
    np.testing.assert_array_equal(back.labels, builtin.test_labels)


def test_other_digits_labels_weights_or_recipe_are_not_mistaken_for_it(
    tiny: Run, recognizer: Recognizer, builtin: Dataset
) -> None:
    keep(evaluate(recognizer, builtin), tiny, builtin)
    images, labels = builtin.test_images.copy(), builtin.test_labels.copy()
    images[0, 0, 0] += 1
    labels[0] = (labels[0] + 1) % 10
    assert kept(tiny, replace(builtin, test_images=images)) is None
    assert kept(tiny, replace(builtin, test_labels=labels)) is None
    assert kept(replace(tiny, recipe=tiny.recipe.with_changes(activation="tanh")), builtin) is None
    weights = tiny.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert kept(tiny, builtin) is None


def test_a_run_that_was_renamed_keeps_its_answers(tiny: Run, recognizer: Recognizer, builtin: Dataset) -> None:
    keep(evaluate(recognizer, builtin), tiny, builtin)
    back = kept(replace(tiny, name="other"), builtin)
    assert back is not None and back.run == "other"


def _damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _forged(path: Path) -> None:
    np.savez_compressed(path, log_probabilities=np.full((359, 10), np.nan, np.float32))


def _too_few(path: Path) -> None:
    np.savez_compressed(path, log_probabilities=np.zeros((3, 10), np.float32))


@pytest.mark.parametrize("spoil", [_damaged, _forged, _too_few])
def test_a_spoilt_file_counts_as_none(spoil, tiny: Run, recognizer: Recognizer, builtin: Dataset) -> None:  # type: ignore[no-untyped-def]
    keep(evaluate(recognizer, builtin), tiny, builtin)
    (path,) = (tiny.folder.parent.parent / "evaluations").iterdir()
    spoil(path)
    assert kept(tiny, builtin) is None


def test_the_oldest_go_when_there_are_many(
    tiny: Run, recognizer: Recognizer, builtin: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "_MOST_KEPT", 2)
    found = evaluate(recognizer, builtin)
    sets = [replace(builtin, test_labels=np.roll(builtin.test_labels, by)) for by in range(4)]
    for one in sets:
        keep(found, tiny, one)
    assert [kept(tiny, one) is not None for one in sets][-1], "the newest stays"
    assert len(list((tiny.folder.parent.parent / "evaluations").iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_no_error(tiny: Run, recognizer: Recognizer, builtin: Dataset) -> None:
    (tiny.folder.parent.parent / "evaluations").write_text("a file where the folder should be")
    keep(evaluate(recognizer, builtin), tiny, builtin)
    assert kept(tiny, builtin) is None


def test_weights_that_are_gone_are_said(tiny: Run, builtin: Dataset) -> None:
    found = Predictions("tiny", "builtin", builtin.test_labels, np.zeros((359, 10), np.float32))
    (tiny.folder / "weights.safetensors").unlink()
    keep(found, tiny, builtin)
    assert kept(tiny, builtin) is None

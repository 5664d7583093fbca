import dataclasses
import errno
import json
import math
import os
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import scipy.stats
import sklearn.metrics

from mnist_core import _folders, data, network, runs
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import fit_temperature, softmax
from mnist_core.recipes import PRESETS, Recipe
from mnist_core.recognizer import Recognizer
from mnist_core.runs import (
    BUNDLED,
    Run,
    calibrate,
    free_name,
    list_broken,
    list_runs,
    load_predictions,
    load_run,
    load_weights,
    save_run,
)
from mnist_core.training import TrainedNetwork

FILES = ("predictions.npz", "run.json", "weights.safetensors")


def record(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    return found


def write_record(run: Run, changed: Any) -> None:
    (run.folder / "run.json").write_text(json.dumps(changed), encoding="utf-8")


# --- there and back


def test_weights_come_back_bit_for_bit(tiny: Run, trained: TrainedNetwork) -> None:
    loaded = load_weights(tiny)
    assert set(loaded) == set(trained.weights)
    for name, value in trained.weights.items():
        np.testing.assert_array_equal(loaded[name].view(np.uint32), value.view(np.uint32), strict=True, err_msg=name)


def test_predictions_come_back_bit_for_bit(tiny: Run, trained: TrainedNetwork) -> None:
    labels, probabilities = load_predictions(tiny)
    np.testing.assert_array_equal(labels, trained.test_labels, strict=True)
    np.testing.assert_array_equal(probabilities, softmax(trained.test_scores), strict=True)


def test_a_loaded_network_answers_as_the_trained_one(tiny: Run, trained: TrainedNetwork, builtin: Dataset) -> None:
    scores = Recognizer(tiny).logits(np.float32(builtin.test_images / 255))
    np.testing.assert_allclose(scores, trained.test_scores, rtol=1e-5, atol=1e-5)


def test_the_record_says_what_was_trained_and_what_came_out(
    tiny: Run, trained: TrainedNetwork, builtin: Dataset
) -> None:
    assert tiny.recipe == trained.recipe
    assert (tiny.name, tiny.title, tiny.origin, tiny.published) == ("tiny", "tiny", "trained", ())
    assert (tiny.dataset, tiny.fingerprint) == ("builtin", builtin.fingerprint)
    assert tiny.parameters == trained.recipe.model.parameters
    assert tiny.seconds == pytest.approx(trained.seconds, abs=0.01)
    assert abs(datetime.fromisoformat(tiny.created) - datetime.now(UTC)).days == 0
    assert datetime.fromisoformat(tiny.created).utcoffset() is not None
    assert (tiny.versions["keras"], tiny.versions["numpy"]) == (version("keras"), version("numpy"))
    assert set(tiny.versions) == {"python", "processors", "keras", "numpy"}
    assert len(tiny.history) == len(trained.history)
    for saved, news in zip(tiny.history, trained.history, strict=True):
        for key in ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"):
            assert saved[key] == getattr(news, key), "numbers survive JSON exactly"
        assert saved["seconds"] == pytest.approx(news.seconds, abs=1e-3)


def test_the_figures_are_those_of_the_scores(tiny: Run, trained: TrainedNetwork) -> None:
    for part in ("train", "validation", "test"):
        scores = getattr(trained, f"{part}_scores").astype(np.float64)
        labels = getattr(trained, f"{part}_labels")
        accuracy, loss = getattr(tiny.metrics, f"{part}_accuracy"), getattr(tiny.metrics, f"{part}_loss")
        assert accuracy == sklearn.metrics.accuracy_score(labels, scores.argmax(axis=1))
        expected = sklearn.metrics.log_loss(labels, scipy.special.softmax(scores, axis=1), labels=list(range(10)))
        assert loss == pytest.approx(expected, rel=1e-9)
    assert tiny.metrics.test_n == len(trained.test_labels)
    assert tiny.metrics.test_errors == round((1 - tiny.metrics.test_accuracy) * tiny.metrics.test_n)
    right = tiny.metrics.test_n - tiny.metrics.test_errors
    expected = scipy.stats.binomtest(right, tiny.metrics.test_n).proportion_ci(0.95, method="wilson")
    interval = tiny.metrics.test_interval
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_calibration_is_fitted_on_the_validation_digits(tiny: Run, trained: TrainedNetwork) -> None:
    scores, labels = trained.validation_scores, trained.validation_labels
    assert tiny.calibration == calibrate(scores, labels)
    assert tiny.calibration.temperature == fit_temperature(scores, labels)
    highest = scipy.special.softmax(scores.astype(float) / tiny.calibration.temperature, axis=1).max(axis=1)
    assert tiny.calibration.least_probability == pytest.approx(max(np.quantile(highest, 0.0075), 0.5), rel=1e-5)


def test_what_is_less_likely_than_not_is_never_accepted() -> None:
    even = np.zeros((100, 10), np.float32)
    assert calibrate(even, np.arange(100) % 10).least_probability == 0.5


def test_without_validation_nothing_is_calibrated(trained: TrainedNetwork, builtin: Dataset) -> None:
    bare = dataclasses.replace(
        trained, validation_scores=np.zeros((0, 10), np.float32), validation_labels=np.zeros(0, np.int64)
    )
    run = save_run("bare", bare, builtin)
    assert (run.metrics.validation_accuracy, run.metrics.validation_loss) == (None, None)
    assert (run.calibration.temperature, run.calibration.least_probability) == (1.0, 0.5)
    assert record(run)["calibration"] is None


def test_the_files_are_those_that_are_documented_and_readable(tiny: Run, trained: TrainedNetwork) -> None:
    assert sorted(path.name for path in tiny.folder.iterdir()) == ["checkpoints", *FILES]
    for name in FILES:
        assert stat.S_IMODE((tiny.folder / name).stat().st_mode) == 0o644, "by whoever shares the machine"
    with np.load(tiny.folder / "predictions.npz") as archive:
        assert set(archive) == {"labels", "probabilities"}
    assert set(safetensors.numpy.load_file(tiny.folder / "weights.safetensors")) == set(trained.weights)


# --- checkpoints


def test_checkpoints_come_back_as_they_were(tiny: Run, trained: TrainedNetwork) -> None:
    assert runs.list_checkpoints(tiny) == tuple(trained.checkpoints) == (1, 2, 3)
    for epoch, weights in trained.checkpoints.items():
        for name, value in runs.load_checkpoint(tiny, epoch).items():
            np.testing.assert_array_equal(value, weights[name])
    with pytest.raises(DigitLabError, match="after epoch 4 were not kept"):
        runs.load_checkpoint(tiny, 4)


def test_a_damaged_checkpoint_is_refused(tiny: Run, trained: TrainedNetwork) -> None:
    path = tiny.folder / "checkpoints" / "0002.safetensors"
    bad = {name: np.full_like(value, np.nan) for name, value in trained.weights.items()}
    safetensors.numpy.save_file(bad, path)
    with pytest.raises(DigitLabError, match="values that are no numbers"):
        runs.load_checkpoint(tiny, 2)
    safetensors.numpy.save_file({"logits/kernel": np.zeros((24, 10), np.float32)}, path)
    with pytest.raises(DigitLabError, match="do not fit its recipe"):
        runs.load_checkpoint(tiny, 2)
    (path.parent / "notes.txt").write_text("not one of ours")
    assert runs.list_checkpoints(tiny) == (1, 2, 3)


def test_the_bundled_runs_have_none() -> None:
    assert runs.list_checkpoints(load_run("ann")) == ()


# --- names


@pytest.mark.parametrize("name", ["a", "7", "my-run_2.b", "x" * 64, "ann-2"])
def test_names_that_can_be_used(name: str, trained: TrainedNetwork, builtin: Dataset) -> None:
    assert save_run(name, trained, builtin).name == name
    assert load_run(name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/tmp/x",
        "a\\b",
        ".hidden",
        "-x",
        "X",
        "ä",
        "a b",
        "a\n",
        "a\0",
        "x" * 65,
        *PRESETS,
    ],
)
def test_names_that_cannot_be_used(name: str, trained: TrainedNetwork, builtin: Dataset, digit_lab_home: Path) -> None:
    with pytest.raises(DigitLabError, match="cannot be the name of a run"):
        save_run(name, trained, builtin)
    assert not digit_lab_home.exists(), "nothing is written"


@pytest.mark.parametrize("name", ["", ".", "..", "../runs/tiny", "runs/tiny", "/etc", "tiny/", "tiny\0", "TINY"])
def test_names_lead_nowhere_else(name: str, tiny: Run) -> None:
    with pytest.raises(DigitLabError, match="is no name of a run"):
        load_run(name)


def test_an_unknown_run_is_told_with_the_known_ones(tiny: Run, no_bundled: Path) -> None:
    with pytest.raises(DigitLabError) as caught:
        load_run("tiny-2")
    assert str(caught.value) == "There is no run called 'tiny-2'; there are: tiny."
    shutil.rmtree(tiny.folder)
    with pytest.raises(DigitLabError, match="there are: none"):
        load_run("tiny-2")


def test_free_names_count_on(tiny: Run) -> None:
    assert free_name("tiny") == "tiny-1", "'tiny' itself is not in the way"
    for number in (1, 2):
        (tiny.folder.parent / f"tiny-{number}").mkdir()
    assert free_name("tiny") == "tiny-3"
    assert free_name("other") == "other-1"


# --- listing


def copied(run: Run, name: str, created: str) -> None:
    folder = run.folder.parent / name
    shutil.copytree(run.folder, folder)
    write_record(dataclasses.replace(run, folder=folder), record(run) | {"created": created})


def test_runs_are_listed_bundled_ones_first_then_by_date(tiny: Run, no_bundled: Path) -> None:
    copied(tiny, "older", "2020-01-01T00:00:00+00:00")
    copied(tiny, "newest", "2999-01-01T00:00:00+00:00")
    for name in ("ann", "classic-128"):
        shutil.copytree(tiny.folder, no_bundled / name)
    listed = [(run.name, run.origin) for run in list_runs()]
    assert listed == [
        ("classic-128", "bundled"),
        ("ann", "bundled"),
        ("older", "trained"),
        ("tiny", "trained"),
        ("newest", "trained"),
    ]
    assert list_runs()[0].title == PRESETS["classic-128"].title
    assert list_runs()[0].published == PRESETS["classic-128"].published
    assert list_broken() == []


def test_without_any_runs_the_list_is_empty(no_bundled: Path) -> None:
    assert (list_runs(), list_broken()) == ([], [])
    no_bundled.rmdir()
    assert (list_runs(), list_broken()) == ([], [])


def test_a_bundled_run_goes_before_one_of_the_same_name(tiny: Run, no_bundled: Path) -> None:
    shutil.copytree(tiny.folder, no_bundled / "tiny")
    assert load_run("tiny").origin == "bundled"


# --- what is damaged, foreign or forged


Change = Callable[[dict[str, Any]], Any]


def put(path: str, value: Any) -> Change:
    """Change one field, named by its way there."""

    def change(data: dict[str, Any]) -> Any:
        *way, last = path.split(".")
        place: Any = data
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[last] = value
        return data

    return change


def drop(name: str) -> Change:
    return lambda data: {key: value for key, value in data.items() if key != name}


DAMAGED = "The record of 'tiny' is damaged: "
RECORDS: dict[str, tuple[Change, str]] = {
    "a list": (lambda data: [data], DAMAGED),
    "a number": (lambda _: 3, DAMAGED),
    "nothing": (lambda _: None, DAMAGED),
    "empty": (lambda _: {}, DAMAGED + "'format'"),
    "another version": (put("format", 2), "'tiny' was written by another version of Digit Lab."),
    "an unknown field": (put("notes", "hello"), DAMAGED + "unknown field 'notes'"),
    **{
        f"without {name}": (drop(name), DAMAGED + f"'{name}'")
        for name in ("recipe", "metrics", "calibration", "seconds", "created", "dataset", "fingerprint", "history")
    },
    "without versions": (drop("versions"), DAMAGED + "'versions'"),
    "no recipe": (put("recipe", None), "A recipe's Recipe must be an object, not NoneType."),
    "an unknown recipe field": (put("recipe.model.lambda", "x"), "A recipe has no field called 'lambda'."),
    "a billion units": (put("recipe.model.hidden", [10**9]), "between 4 and 4096"),
    "a recipe out of bounds": (put("recipe.training.epochs", 10**9), "epochs must lie between 1 and 1000"),
    "a recipe with NaN": (put("recipe.training.learning_rate", math.nan), "learning_rate must be a number, not nan."),
    "no metrics": (put("metrics", None), DAMAGED),
    "metrics as a list": (put("metrics", [1]), DAMAGED),
    "an unknown metric": (put("metrics.speed", 1), DAMAGED + "unknown field 'speed'"),
    "a metric missing": (lambda data: data | {"metrics": {"test_n": 3}}, DAMAGED),
    "a metric of nothing": (put("metrics.test_accuracy", None), DAMAGED + "test_accuracy is not a number"),
    "a metric of NaN": (put("metrics.test_loss", math.nan), DAMAGED + "test_loss is not a number"),
    "an endless metric": (put("metrics.test_loss", math.inf), DAMAGED + "test_loss is not a number"),
    "a metric beyond floats": (put("metrics.test_loss", 10**400), DAMAGED + "test_loss is not a number"),
    "a metric in words": (put("metrics.test_loss", "low"), DAMAGED + "test_loss is not a number"),
    "a metric true": (put("metrics.train_loss", True), DAMAGED + "train_loss is not a number"),
    "more than all right": (put("metrics.test_accuracy", 1.01), DAMAGED + "test_accuracy is not a number"),
    "less than none right": (put("metrics.validation_accuracy", -0.01), DAMAGED + "validation_accuracy is not a"),
    "no test digits": (put("metrics.test_n", 0), DAMAGED + "test_n is not a number"),
    "half a test digit": (put("metrics.test_n", 359.5), DAMAGED + "test_n is not a number"),
    "too many test digits": (put("metrics.test_n", 10**9), DAMAGED + "test_n is not a number"),
    "more errors than digits": (put("metrics.test_errors", 360), DAMAGED + "more errors than digits"),
    "fewer errors than none": (put("metrics.test_errors", -1), DAMAGED + "test_errors is not a number"),
    "calibration in words": (put("calibration", "good"), DAMAGED),
    "no temperature": (put("calibration.temperature", 0), DAMAGED + "temperature is not a number"),
    "a temperature below zero": (put("calibration.temperature", -1.0), DAMAGED + "temperature is not a number"),
    "a temperature of nothing": (put("calibration.temperature", None), DAMAGED + "temperature is not a number"),
    "an endless threshold": (put("calibration.least_probability", -math.inf), DAMAGED + "least_probability is not a"),
    "a threshold above one": (put("calibration.least_probability", 1.5), DAMAGED + "least_probability is not a"),
    "an unknown calibration": (put("calibration.bias", 1), DAMAGED + "unknown field 'bias'"),
    "seconds in words": (put("seconds", "many"), DAMAGED + "seconds is not a number"),
    "seconds of nothing": (put("seconds", None), DAMAGED + "seconds is not a number"),
    "seconds of NaN": (put("seconds", math.nan), DAMAGED + "seconds is not a number"),
    "a date that is none": (put("created", "yesterday"), DAMAGED),
    "a date as a number": (put("created", 20260101), DAMAGED),
    "history as a number": (put("history", 3), DAMAGED),
    "history of numbers": (put("history", [3]), DAMAGED),
    "a loss of NaN": (put("history.1.loss", math.nan), DAMAGED + "loss is not a number"),
    "an unknown figure": (put("history.1.recall", 1), DAMAGED + "unknown field 'recall'"),
    "versions as a list": (put("versions", ["3.13"]), DAMAGED),
}


@pytest.mark.parametrize("case", RECORDS)
def test_a_bad_record_is_refused_with_a_sentence_and_listed_as_broken(case: str, tiny: Run, no_bundled: Path) -> None:
    change, sentence = RECORDS[case]
    write_record(tiny, change(record(tiny)))
    with pytest.raises(DigitLabError) as caught:
        load_run("tiny")
    assert sentence in str(caught.value)
    assert list_runs() == []
    assert [(broken.folder, broken.reason) for broken in list_broken()] == [(tiny.folder, str(caught.value))]


RAW: dict[str, tuple[bytes, str]] = {
    "empty": (b"", DAMAGED),
    "half-written": (b'{"format": 1, "recipe": {"mod', DAMAGED),
    "binary": (bytes(range(256)), DAMAGED),
    "nested a hundred thousand deep": (b"[" * 100_000, DAMAGED),
    "a number of a million digits": (b'{"format": ' + b"9" * 900_000 + b"}", DAMAGED),
    "huge": (b" " * 1_000_001, "The record of 'tiny' is too large to be one."),
}


@pytest.mark.parametrize("case", RAW)
def test_what_is_no_json_is_refused(case: str, tiny: Run, no_bundled: Path) -> None:
    content, sentence = RAW[case]
    (tiny.folder / "run.json").write_bytes(content)
    assert list_runs() == []
    (broken,) = list_broken()
    assert broken.reason.startswith(sentence)


def test_what_is_no_run_is_listed_as_broken_and_the_others_are_still_there(tiny: Run, no_bundled: Path) -> None:
    home = tiny.folder.parent
    (home / "empty").mkdir()
    (home / "a file.txt").write_text("notes")
    (home / "folder-for-record" / "run.json").mkdir(parents=True)
    shutil.copytree(tiny.folder, home / "Wrong Name")
    (home / ".new-half-written").mkdir()
    assert [run.name for run in list_runs()] == ["tiny"]
    assert {broken.folder.name: broken.reason for broken in list_broken()} == {
        "Wrong Name": "'Wrong Name' cannot be the name of a run.",
        "a file.txt": "'a file.txt' cannot be the name of a run.",
        "empty": "'empty' is no run: it has no readable run.json.",
        "folder-for-record": "'folder-for-record' is no run: it has no readable run.json.",
    }


def test_a_long_text_in_a_record_is_cut(tiny: Run) -> None:
    write_record(tiny, record(tiny) | {"dataset": "x" * 1000, "fingerprint": "f" * 1000, "versions": {"a": "v" * 1000}})
    run = load_run("tiny")
    assert [len(text) for text in (run.dataset, run.fingerprint, run.versions["a"])] == [64, 64, 64]


def forged_safetensors(shape: list[int], size: int, data: bytes = b"", name: str = "hidden_1/kernel") -> bytes:
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


Damage = Callable[[dict[str, np.ndarray]], bytes]
NO_FIT = "The weights of 'tiny' do not fit its recipe: "
WEIGHTS: dict[str, tuple[Damage, str]] = {
    "empty": (lambda _: b"", "cannot be read"),
    "text": (lambda _: b"no weights at all", "cannot be read"),
    "truncated": (lambda weights: safetensors.numpy.save(weights)[:-4], "cannot be read"),
    "something after it": (lambda weights: safetensors.numpy.save(weights) + b"\0" * 8, "cannot be read"),
    "a header of exabytes": (lambda _: struct.pack("<Q", 2**60) + b"{}", "cannot be read"),
    "terabytes claimed": (lambda _: forged_safetensors([10**6, 10**6], 4 * 10**12), "cannot be read"),
    "more claimed than there": (lambda _: forged_safetensors([10**6, 10**6], 16, b"\0" * 16), "cannot be read"),
    "a weight missing": (
        lambda weights: safetensors.numpy.save({k: v for k, v in weights.items() if k != "logits/bias"}),
        NO_FIT + "'logits/bias'",
    ),
    "a weight too many": (
        lambda weights: safetensors.numpy.save(weights | {"extra": np.zeros(3, np.float32)}),
        NO_FIT + "'extra'",
    ),
    "another shape": (
        lambda weights: safetensors.numpy.save(weights | {"logits/bias": np.zeros(11, np.float32)}),
        NO_FIT + "'logits/bias'",
    ),
    "turned round": (
        lambda weights: safetensors.numpy.save(weights | {"logits/kernel": weights["logits/kernel"].T.copy()}),
        NO_FIT + "'logits/kernel'",
    ),
    "another type": (
        lambda weights: safetensors.numpy.save(weights | {"logits/bias": np.zeros(10, np.float64)}),
        NO_FIT + "'logits/bias'",
    ),
    "NaN": (
        lambda weights: safetensors.numpy.save(weights | {"logits/bias": np.full(10, np.nan, np.float32)}),
        "hold values that are no numbers: 'logits/bias'",
    ),
    "infinity": (
        lambda weights: safetensors.numpy.save(weights | {"hidden_1/bias": np.full(24, -np.inf, np.float32)}),
        "hold values that are no numbers: 'hidden_1/bias'",
    ),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_bad_weights_are_refused_with_a_sentence(case: str, tiny: Run, trained: TrainedNetwork) -> None:
    damage, sentence = WEIGHTS[case]
    (tiny.folder / "weights.safetensors").write_bytes(damage(dict(trained.weights)))
    with pytest.raises(DigitLabError) as caught:
        load_weights(tiny)
    assert sentence in str(caught.value)
    assert "'tiny'" in str(caught.value)


@pytest.mark.parametrize("name", ["weights.safetensors", "predictions.npz"])
@pytest.mark.parametrize("way", ["missing", "folder"])
def test_a_file_that_cannot_be_opened_is_told(name: str, way: str, tiny: Run) -> None:
    (tiny.folder / name).unlink()
    if way == "folder":
        (tiny.folder / name).mkdir()
    load = load_weights if name.startswith("weights") else load_predictions
    with pytest.raises(DigitLabError, match="of 'tiny' cannot be read"):
        load(tiny)


def npz(**arrays: np.ndarray) -> bytes:
    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npz_of(**members: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def npy_claiming(shape: tuple[int, ...], kind: str, content: bytes = b"") -> bytes:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"shape": shape, "fortran_order": False, "descr": kind})
    return header.getvalue() + content


N = 359
LABELS, EVEN = np.zeros(N, np.uint8), np.full((N, 10), 0.1, np.float32)
PREDICTIONS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cannot be read"),
    "text": (b"no predictions", "cannot be read"),
    "an array alone": (npy_claiming((N,), "|u1", b"\0" * N), "cannot be read"),
    "truncated": (npz(labels=LABELS, probabilities=EVEN)[:-100], "cannot be read"),
    "labels alone": (npz(labels=LABELS), "cannot be read"),
    "pickled": (npz(labels=np.array([{}] * N, object), probabilities=EVEN), "does not hold numbers"),
    "terabytes claimed": (npz_of(labels=npy_claiming((10**12, 10), "|u1")), "is too large"),
    "less than nothing claimed": (npz_of(labels=npy_claiming((-5, 10), "|u1")), "cannot be read"),
    "more claimed than there": (npz_of(labels=npy_claiming((N,), "|u1", b"\0" * 9)), "cannot be read"),
    "a header that is none": (npz_of(labels=b"\x93NUMPY\x01\x00\x04\x00(((("), "cannot be read"),
    "an unknown version": (npz_of(labels=b"\x93NUMPY\x09\x00" + b" " * 50), "unknown version"),
    "a digit missing": (npz(labels=LABELS[1:], probabilities=EVEN[1:]), "do not fit its record"),
    "eleven classes": (npz(labels=LABELS, probabilities=np.zeros((N, 11), np.float32)), "do not fit its record"),
    "other probabilities": (npz(labels=LABELS, probabilities=EVEN.astype(np.float64)), "do not fit its record"),
    "labels in words": (npz(labels=np.full(N, "7"), probabilities=EVEN), "do not fit its record"),
    "labels as fractions": (npz(labels=LABELS.astype(float), probabilities=EVEN), "do not fit its record"),
    "a label of ten": (npz(labels=LABELS + np.uint8(10), probabilities=EVEN), "no digits or no probabilities"),
    "NaN": (npz(labels=LABELS, probabilities=EVEN * np.float32(np.nan)), "no digits or no probabilities"),
    "more than certain": (npz(labels=LABELS, probabilities=EVEN * np.float32(11)), "no digits or no probabilities"),
    "less than impossible": (npz(labels=LABELS, probabilities=-EVEN), "no digits or no probabilities"),
}


@pytest.mark.parametrize("case", PREDICTIONS)
def test_bad_predictions_are_refused_with_a_sentence(case: str, tiny: Run) -> None:
    content, sentence = PREDICTIONS[case]
    assert tiny.metrics.test_n == N
    (tiny.folder / "predictions.npz").write_bytes(content)
    with pytest.raises(DigitLabError) as caught:
        load_predictions(tiny)
    assert sentence in str(caught.value)
    assert "The predictions of 'tiny'" in str(caught.value)


def test_predictions_that_say_otherwise_but_fit_are_read(tiny: Run) -> None:
    (tiny.folder / "predictions.npz").write_bytes(npz(labels=LABELS, probabilities=np.asfortranarray(EVEN)))
    np.testing.assert_array_equal(load_predictions(tiny)[1], EVEN, err_msg="either order of the axes will do")


# --- writing


def test_a_run_of_the_same_name_is_replaced_whole(tiny: Run, trained: TrainedNetwork, builtin: Dataset) -> None:
    (tiny.folder / "left-over").write_text("of the old run")
    other = dataclasses.replace(trained, weights={name: value + 1 for name, value in trained.weights.items()})
    run = save_run("tiny", other, builtin)
    np.testing.assert_array_equal(load_weights(run)["logits/bias"], trained.weights["logits/bias"] + 1)
    assert sorted(path.name for path in run.folder.iterdir()) == ["checkpoints", *FILES]
    assert [path.name for path in run.folder.parent.iterdir()] == ["tiny"], "nothing else is left there"


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failed_replacement_leaves_the_old_run(
    failing: int, tiny: Run, trained: TrainedNetwork, builtin: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moving the old one away fails, or moving the new one in."""
    calls, replace = [], os.replace

    def sometimes(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    before = load_weights(tiny)
    monkeypatch.setattr(_folders.os, "replace", sometimes)
    with pytest.raises(DigitLabError, match=r"could not be saved in .*: Input/output error"):
        save_run("tiny", dataclasses.replace(trained, seconds=1.0), builtin)
    assert [path.name for path in tiny.folder.parent.iterdir()] == ["tiny"], "nothing else is left there"
    np.testing.assert_array_equal(load_weights(load_run("tiny"))["logits/kernel"], before["logits/kernel"])


@pytest.mark.parametrize("name", FILES)
def test_a_disk_that_is_full_leaves_nothing_behind(
    name: str, trained: TrainedNetwork, builtin: Dataset, digit_lab_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    order = ["run.json", "weights.safetensors", "predictions.npz"]
    calls: list[int] = []

    def full(file: int) -> None:
        calls.append(file)
        if len(calls) == order.index(name) + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    monkeypatch.setattr(_folders.os, "fsync", full)
    with pytest.raises(DigitLabError, match=r"could not be saved in .*: No space left on device"):
        save_run("mine", trained, builtin)
    assert list((digit_lab_home / "runs").iterdir()) == []


def test_a_home_that_cannot_be_written_is_told(
    trained: TrainedNetwork, builtin: Dataset, digit_lab_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(_folders.tempfile, "mkdtemp", read_only)
    with pytest.raises(DigitLabError, match=r"The run could not be saved in .*: Read-only file system\."):
        save_run("mine", trained, builtin)


def test_a_file_in_the_place_of_the_run_is_told_and_stays(
    trained: TrainedNetwork, builtin: Dataset, digit_lab_home: Path
) -> None:
    (digit_lab_home / "runs").mkdir(parents=True)
    (digit_lab_home / "runs" / "mine").write_text("notes")
    with pytest.raises(DigitLabError, match="could not be saved in"):
        save_run("mine", trained, builtin)
    assert [path.name for path in (digit_lab_home / "runs").iterdir()] == ["mine"]
    assert (digit_lab_home / "runs" / "mine").read_text() == "notes"


def test_a_home_that_is_a_file_is_told_and_lists_nothing(
    trained: TrainedNetwork, builtin: Dataset, digit_lab_home: Path, no_bundled: Path
) -> None:
    digit_lab_home.write_text("a file in the way")
    assert (list_runs(), list_broken()) == ([], [])
    with pytest.raises(DigitLabError, match=r"could not be saved in .*: Not a directory"):
        save_run("mine", trained, builtin)


# --- the bundled runs


def test_every_preset_is_bundled_and_sound() -> None:
    assert [run.name for run in list_runs()] == list(PRESETS)
    assert list_broken() == []
    assert runs.DEFAULT_RUN in PRESETS


def test_the_bundled_runs_are_small_enough() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) < 20 * 2**20


@pytest.mark.parametrize("name", PRESETS)
def test_a_bundled_run_is_its_presets_trained_on_mnist(name: str) -> None:
    run = load_run(name)
    assert run.recipe == PRESETS[name].recipe, "the committed command would train the same"
    assert (run.dataset, run.fingerprint, run.origin) == ("mnist", data.MNIST_FINGERPRINT, "bundled")
    assert len(run.history) == run.recipe.training.epochs
    assert run.metrics.validation_accuracy is not None
    assert (run.title, run.published) == (PRESETS[name].title, PRESETS[name].published)


@pytest.mark.parametrize("name", PRESETS)
def test_a_bundled_runs_predictions_agree_with_its_record(name: str) -> None:
    run = load_run(name)
    labels, probabilities = load_predictions(run)
    predicted = probabilities.argmax(axis=1)
    assert (len(labels), int((predicted != labels).sum())) == (10_000, run.metrics.test_errors)
    assert sklearn.metrics.accuracy_score(labels, predicted) == pytest.approx(run.metrics.test_accuracy)
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    assert -np.log(np.maximum(true, 1e-30)).mean() == pytest.approx(run.metrics.test_loss, rel=1e-3)
    np.testing.assert_array_equal(np.bincount(labels)[:3], [980, 1135, 1032], err_msg="MNIST's test digits")


@pytest.mark.parametrize("name", PRESETS)
def test_a_bundled_runs_network_gives_its_predictions(name: str, mnist: Dataset) -> None:
    run = load_run(name)
    labels, probabilities = load_predictions(run)
    np.testing.assert_array_equal(labels, mnist.test_labels)
    some = slice(0, 2000)
    scores = Recognizer(run).logits(np.divide(mnist.test_images[some], 255, dtype=np.float32))
    np.testing.assert_allclose(softmax(scores), probabilities[some], atol=2e-4)


def test_a_run_is_only_its_recipe_and_its_weights(tiny: Run) -> None:
    rebuilt = network.build(Recipe.from_dict(record(tiny)["recipe"]).model)
    network.set_weights(rebuilt, load_weights(tiny))
    pixels = np.random.default_rng(0).random((3, 28, 28), np.float32)
    np.testing.assert_allclose(rebuilt(pixels.reshape(3, 784)), Recognizer(tiny).logits(pixels), rtol=1e-5, atol=1e-5)

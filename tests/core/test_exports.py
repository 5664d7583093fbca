"""Runs as files: what is exported answers as the run does, comes back as it was, and nothing forged gets in."""

import csv
import errno
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from mnist_core import conversion, exports, modelcard, network, standalone
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.exports import export_script, export_weights, export_zip, import_run
from mnist_core.images import encode_png
from mnist_core.keeping import set_note
from mnist_core.recipes import ModelRecipe
from mnist_core.recognizer import Recognizer
from mnist_core.runs import Run, list_checkpoints, load_checkpoint, load_predictions, load_run, load_weights

# Keras and this NumPy: what it says of each array that it saves.
KERAS_SAVES = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

MODELS = {
    "dense": ModelRecipe(hidden=(24, 12)),
    "linear, sigmoid outputs": ModelRecipe(hidden=(), output="sigmoid"),
    "dense with batch norm": ModelRecipe(hidden=(24,), batch_norm=True, dropout=0.2, input_dropout=0.1),
    "convolutional": ModelRecipe(filters=(4, 6, 8), hidden=(16,)),
    "convolutional with batch norm": ModelRecipe(filters=(4,), hidden=(), batch_norm=True, activation="elu"),
    **{kind: ModelRecipe(hidden=(16,), activation=kind) for kind in ("tanh", "sigmoid", "gelu", "elu")},
}


def with_model(run: Run, model: ModelRecipe) -> Run:
    """Put another architecture into a run's folder, with weights that all differ from those that it begins with."""
    record = json.loads((run.folder / "run.json").read_text())
    rng = np.random.default_rng(5)
    built = network.get_weights(network.build(model, seed=3))
    weights = {
        name: value + rng.uniform(0.05, 0.3, value.shape).astype(np.float32) * (-1) ** rng.integers(0, 2, value.shape)
        if "moving_variance" not in name
        else value + rng.uniform(0.5, 2, value.shape).astype(np.float32)
        for name, value in built.items()
    }
    weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    safetensors.numpy.save_file(weights, run.folder / "weights.safetensors")
    recipe = run.recipe.to_dict() | {"model": json.loads(json.dumps(model.__dict__))}
    (run.folder / "run.json").write_text(json.dumps(record | {"recipe": recipe}))
    return load_run(run.name)


@pytest.fixture(params=MODELS)
def run(request: pytest.FixtureRequest, tiny: Run) -> Run:
    return with_model(tiny, MODELS[request.param])


@pytest.fixture
def digits(builtin: Dataset) -> np.ndarray:
    """Twenty real digits; the last one is odd in every way."""
    images = np.divide(builtin.test_images[:20], 255, dtype=np.float32)
    images[-1] = np.random.default_rng(0).random((28, 28), np.float32)
    return images


# --- out


def test_numpy_alone_answers_as_the_network(run: Run, digits: np.ndarray) -> None:
    model = run.recipe.to_dict()["model"]
    scores = standalone.class_scores(model, load_weights(run), digits)
    np.testing.assert_allclose(scores, Recognizer(run).logits(digits), rtol=1e-4, atol=1e-4)
    shares = standalone.softmax(scores, run.calibration.temperature)
    np.testing.assert_allclose(shares, Recognizer(run).probabilities(digits), atol=1e-5)


@KERAS_SAVES
def test_the_keras_file_answers_as_the_run(run: Run, digits: np.ndarray, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "run.keras"
    path.write_bytes(conversion.export_keras(run))
    loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
    answers = np.asarray(loaded(digits.reshape(-1, 784), training=False))
    np.testing.assert_allclose(answers, Recognizer(run).probabilities(digits), atol=1e-5)


@KERAS_SAVES
def test_the_litert_file_answers_as_the_run(run: Run, digits: np.ndarray) -> None:
    import tensorflow as tf

    with warnings.catch_warnings(action="ignore"):  # the interpreter, which only this test uses, moves elsewhere
        interpreter = tf.lite.Interpreter(model_content=conversion.export_litert(run))
    (entry,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(entry["index"], (len(digits), 784))
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], digits.reshape(-1, 784))
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(end["index"]), Recognizer(run).probabilities(digits), atol=1e-5)


@pytest.mark.parametrize("kind", ["dense", "convolutional with batch norm"])
def test_the_script_runs_with_numpy_alone(kind: str, tiny: Run, digits: np.ndarray, tmp_path: Path) -> None:
    run = with_model(tiny, MODELS[kind])
    (tmp_path / "predict.py").write_text(export_script(run), encoding="utf-8")
    (tmp_path / "weights.safetensors").write_bytes(export_weights(run))
    (tmp_path / "digit.png").write_bytes(encode_png(np.rint(digits[0] * 255).astype(np.uint8)))
    np.save(tmp_path / "noise.npy", digits[-1])
    code = (
        "import runpy, sys\n"
        "sys.argv = ['predict.py', 'digit.png', 'noise.npy']\n"
        "try: runpy.run_path('predict.py', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'tensorflow', 'keras', 'safetensors', 'cv2', 'PIL', 'mnist_core'}, loaded\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = [line.partition(": ") for line in done.stdout.splitlines()]
    expected = Recognizer(run).probabilities(digits[[0, -1]])
    assert [name for name, _, _ in lines] == ["digit.png", "noise.npy"]
    for (_, _, words), shares in zip(lines, expected, strict=True):
        digit, _, numbers = words.partition(", probabilities ")
        assert int(digit) == shares.argmax()
        np.testing.assert_allclose([float(number) for number in numbers.split()], shares, atol=1e-5)


@pytest.mark.parametrize("level", [0, 9])
def test_the_script_reads_every_kind_of_png_row(level: int, builtin: Dataset, tmp_path: Path) -> None:
    """Written by Pillow, which chooses the filter of each row."""
    from PIL import Image

    rng = np.random.default_rng(1)
    slope = np.add.outer(np.arange(28) * 5, np.arange(28) * 3).astype(np.uint8)
    for number, pixels in enumerate((builtin.test_images[3], slope, rng.integers(0, 255, (28, 28), np.uint8))):
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path, compress_level=level)
        np.testing.assert_allclose(standalone.read_picture(path), pixels / np.float32(255))


@pytest.mark.parametrize("shape", [(28, 27), (28, 28, 3), (280, 280)])
def test_the_script_refuses_other_pictures(shape: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "other.png").write_bytes(encode_png(np.zeros(shape, np.uint8)))
    with pytest.raises(ValueError, match="28 by 28"):
        standalone.read_picture(tmp_path / "other.png")
    np.save(tmp_path / "other.npy", np.zeros(shape))
    with pytest.raises(ValueError, match="28 by 28"):
        standalone.read_picture(tmp_path / "other.npy")


def test_the_script_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert standalone.main([]) == 2
    assert "28 by 28 pixels" in capsys.readouterr().out


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_the_zip_holds_what_a_person_and_a_program_can_use(tiny: Run) -> None:
    keep_checkpoints(tiny, 2)
    files = opened(export_zip(tiny))
    assert {name.removeprefix("tiny/") for name in files} == {
        "README.md",
        "run.json",
        "recipe.json",
        "weights.safetensors",
        "predictions.npz",
        "history.csv",
        "predict.py",
        "figures/history.svg",
        "figures/confusion.svg",
        "checkpoints/0002.safetensors",
    }
    assert json.loads(files["tiny/recipe.json"]) == tiny.recipe.to_dict()
    history = list(csv.DictReader(files["tiny/history.csv"].decode().splitlines()))
    assert [float(line["loss"]) for line in history] == [epoch["loss"] for epoch in tiny.history]
    assert export_zip(tiny) == export_zip(tiny), "the same run gives the same bytes"


def test_the_card_tells_the_figures_the_data_and_what_is_unusual(tiny: Run) -> None:
    card = modelcard.card(set_note("tiny", "with <b>bold</b> | words"))
    assert f"| Test digits read right | {tiny.metrics.test_accuracy:.2%} |" in card
    assert f"| Wrong | {tiny.metrics.test_errors} of 359 |" in card
    assert "1,797 real handwritten digits from scikit-learn" in card
    assert "| Hidden layers | **24** |" in card
    assert "| Optimiser | adam |" in card
    assert r"with &lt;b&gt;bold&lt;/b&gt; \| words" in card, "words stay words"


def test_the_figures_are_drawn_from_the_run(tiny: Run) -> None:
    drawn = modelcard.figures(tiny)
    space = "{http://www.w3.org/2000/svg}"
    lines = ElementTree.fromstring(drawn["history.svg"]).iter(f"{space}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [len(tiny.history)] * 4
    texts = [text.text for text in ElementTree.fromstring(drawn["confusion.svg"]).iter(f"{space}text")]
    labels, probabilities = load_predictions(tiny)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    assert texts[2:][-1] == str(counts[9, 9])
    assert sum(int(text) for text in texts if text and text.isdigit()) - 2 * sum(range(10)) == len(labels)


# --- there and back


def same(one: Run, other: Run) -> bool:
    skipped = ("name", "folder")
    return all(value == other.__dict__[key] for key, value in one.__dict__.items() if key not in skipped)


@pytest.mark.parametrize("export", [export_zip, export_weights])
def test_a_run_comes_back_as_it_was(export: Callable[[Run], bytes], tiny: Run) -> None:
    run = set_note("tiny", "first of all")
    before, answers = load_weights(run), load_predictions(run)
    content = export(run)
    run.folder.rename(run.folder.with_name("elsewhere"))
    back = import_run(content)
    assert (back.name, back.note) == ("tiny", "first of all")
    assert same(back, run)
    for name, value in load_weights(back).items():
        np.testing.assert_array_equal(value, before[name])
    np.testing.assert_array_equal(load_predictions(back)[0], answers[0])
    np.testing.assert_allclose(load_predictions(back)[1], answers[1], atol=1e-5)


def test_a_name_that_is_taken_gets_a_number(tiny: Run) -> None:
    content = export_zip(tiny)
    assert [import_run(content).name for _ in range(3)] == ["tiny-1", "tiny-2", "tiny-3"]


def test_a_bundled_run_becomes_one_of_ones_own(digit_lab_home: Path) -> None:
    back = import_run(export_zip(load_run("classic-50-50")))
    assert (back.name, back.origin) == ("classic-50-50-1", "trained")
    assert same(back, load_run("classic-50-50")) is False, "where it comes from differs"
    assert [path.name for path in (digit_lab_home / "runs").iterdir()] == ["classic-50-50-1"]


def test_a_zip_that_was_unpacked_and_packed_again_is_read(tiny: Run) -> None:
    files = {name.removeprefix("tiny/"): content for name, content in opened(export_zip(tiny)).items()}
    for folder in ("", "some folder/inner/"):
        again = packed({folder + name: content for name, content in files.items()} | {"__MACOSX/._run.json": b"x"})
        assert import_run(again).recipe == tiny.recipe


def test_weights_of_digits_that_are_not_here_come_without_predictions(digit_lab_home: Path) -> None:
    back = import_run(export_weights(load_run("classic-50-50")))
    with pytest.raises(DigitLabError, match="predictions of 'classic-50-50-1' cannot be read"):
        load_predictions(back)
    assert set(opened(export_zip(back))) & {"classic-50-50-1/predictions.npz"} == set(), "and are exported without"


def test_weights_alone_get_their_predictions_where_mnist_is(mnist: Dataset) -> None:
    run = load_run("classic-50-50")
    labels, probabilities = load_predictions(import_run(export_weights(run)))
    np.testing.assert_array_equal(labels, mnist.test_labels)
    np.testing.assert_allclose(probabilities, load_predictions(run)[1], atol=2e-4)


def keep_checkpoints(run: Run, *epochs: int) -> None:
    """Keep weights of some epochs, and no others."""
    shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)
    (run.folder / "checkpoints").mkdir()
    for epoch in epochs:
        weights = {name: value * np.float32(epoch) for name, value in load_weights(run).items()}
        safetensors.numpy.save_file(weights, run.folder / "checkpoints" / f"{epoch:04}.safetensors")


def test_the_weights_of_the_epochs_come_back_too(tiny: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_checkpoints(tiny, 1, 3)
    back = import_run(export_zip(tiny))
    assert list_checkpoints(back) == (1, 3)
    for epoch in (1, 3):
        kept = load_checkpoint(tiny, epoch)
        assert all(np.array_equal(value, kept[name]) for name, value in load_checkpoint(back, epoch).items())
    monkeypatch.setattr(exports, "_MAX_CHECKPOINT_BYTES", 100_000)
    assert not any("checkpoints" in name for name in opened(export_zip(tiny))), "where they are too large"


@pytest.mark.parametrize(
    ("checkpoints", "sentence"),
    [
        ({"0001": b"x"}, "weights of 'tiny' cannot be read"),
        ({"0001": bytes(2**23)}, "checkpoints/0001.safetensors in this zip is too large"),
        ({f"{epoch:04}": b"" for epoch in range(21)}, "more than 20 epochs"),
        ({"0001": safetensors.numpy.save({"x": np.zeros(3, np.float32)})}, "do not fit its recipe"),
    ],
    ids=["damaged", "large", "many", "of another network"],
)
def test_forged_weights_of_an_epoch_are_refused(checkpoints: dict[str, bytes], sentence: str, tiny: Run) -> None:
    keep_checkpoints(tiny)
    files = {name.removeprefix("tiny/"): content for name, content in opened(export_zip(tiny)).items()}
    files |= {f"checkpoints/{name}.safetensors": content for name, content in checkpoints.items()}
    tiny.folder.rename(tiny.folder.parent / "away")
    with pytest.raises(DigitLabError, match=sentence):
        import_run(packed(files))
    assert [path.name for path in tiny.folder.parent.iterdir()] == ["away"]


# --- what is damaged, foreign or forged


def packed(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return memory.getvalue()


def record_with(files: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    return files | {"run.json": json.dumps(json.loads(files["run.json"]) | changes).encode()}


def recipe_with(files: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    recipe = json.loads(files["run.json"])["recipe"]
    return record_with(files, recipe=recipe | {"model": recipe["model"] | changes})


def weights_with(files: dict[str, bytes], **changes: np.ndarray) -> dict[str, bytes]:
    weights = safetensors.numpy.load(files["weights.safetensors"])
    changed = {name.replace("__", "/"): value for name, value in changes.items()}
    return files | {"weights.safetensors": safetensors.numpy.save({**weights, **changed})}


def claiming(files: dict[str, bytes], size: int) -> bytes:
    """Say of every file in the archive's directory that it has this size unpacked."""
    content = bytearray(packed(files))
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        struct.pack_into("<I", content, place + 24, size)
        place = content.find(b"PK\x01\x02", place + 4)
    return bytes(content)


Files = dict[str, bytes]
FORGED: dict[str, tuple[Callable[[Files], bytes], str]] = {
    "nothing": (lambda _: b"", "This is no run"),
    "a picture": (lambda _: encode_png(np.zeros((9, 9), np.uint8)), "This is no run"),
    "a zip of nothing": (lambda _: packed({}), "no run.json"),
    "a zip of something else": (lambda _: packed({"a.txt": b"a"}), "no run.json"),
    "cut off": (lambda files: packed(files)[:-200], "zip is damaged"),
    "without weights": (lambda files: packed({"run.json": files["run.json"]}), "no weights.safetensors"),
    "a damaged record": (lambda files: packed(files | {"run.json": b"{"}), "record in this file is damaged"),
    "a record nested deep": (lambda files: packed(files | {"run.json": b"[" * 100_000}), "damaged"),
    "a record that is a list": (lambda files: packed(files | {"run.json": b"[]"}), "no object"),
    "a large record": (
        lambda files: packed(files | {"run.json": b" " * 1_000_001}),
        "run.json in this zip is too large",
    ),
    "a bomb of weights": (
        lambda files: packed(files | {"weights.safetensors": bytes(2**26)}),
        "weights.safetensors in this zip is too large",
    ),
    "a bomb that claims to be small": (
        lambda files: claiming(files | {"weights.safetensors": bytes(2**26)}, 50_000),
        "damaged",
    ),
    "more claimed than there": (lambda files: claiming(files, 10_000), "damaged"),
    "terabytes of predictions": (
        lambda files: packed(files | {"predictions.npz": bytes(2**26 + 1)}),
        "predictions.npz in this zip is too large",
    ),
    "packed in an unusual way": (lambda files: packed(files, zipfile.ZIP_BZIP2), "packed in an unusual way"),
    "many files": (lambda files: packed(files | {f"{n}.txt": b"" for n in range(200)}), "more than 200 files"),
    "a way up": (lambda files: packed(files | {"../x": b""}), "outside of itself"),
    "a way up inside": (lambda files: packed(files | {"a/../../x": b""}), "outside of itself"),
    "a way up, the other slash": (lambda files: packed(files | {"a\\..\\x": b""}), "outside of itself"),
    "from the root": (lambda files: packed(files | {"/etc/x": b""}), "outside of itself"),
    "from a drive": (lambda files: packed(files | {"C:x": b""}), "outside of itself"),
    "an unknown field": (lambda files: packed(record_with(files, colour="red")), "unknown field 'colour'"),
    "an unknown recipe field": (lambda files: packed(recipe_with(files, colour=1)), "has no field called 'colour'"),
    "a billion units": (lambda files: packed(recipe_with(files, hidden=[10**9])), "between 4 and 4096"),
    "another architecture": (lambda files: packed(recipe_with(files, hidden=[24, 24])), "do not fit its recipe"),
    "another version": (lambda files: packed(record_with(files, format=99)), "another version"),
    "no recipe": (lambda files: packed(record_with(files, recipe=None)), "must be an object"),
    "metrics of NaN": (lambda files: packed(record_with(files, seconds=float("nan"))), "is not a number"),
    "weights of NaN": (
        lambda files: packed(weights_with(files, logits__bias=np.full(10, np.nan, np.float32))),
        "hold values that are no numbers",
    ),
    "weights of a wrong shape": (
        lambda files: packed(weights_with(files, logits__bias=np.zeros(11, np.float32))),
        "do not fit its recipe",
    ),
    "weights of a wrong kind": (
        lambda files: packed(weights_with(files, logits__bias=np.zeros(10, np.float64))),
        "do not fit its recipe",
    ),
    "weights too many": (lambda files: packed(weights_with(files, more=np.zeros(3, np.float32))), "do not fit"),
    "predictions of other digits": (
        lambda files: packed(files | {"predictions.npz": b"x"}),
        "predictions of 'tiny' cannot be read",
    ),
    "weights alone, of no known recipe": (
        lambda files: safetensors.numpy.save(safetensors.numpy.load(files["weights.safetensors"])),
        "does not say which recipe",
    ),
    "weights alone, cut off": (lambda files: files["weights.safetensors"][:-5], "cannot be read"),
    "weights alone, a huge header": (lambda files: struct.pack("<Q", 2**60) + b"{}", "damaged or cut off"),
    "weights alone, a damaged header": (lambda files: struct.pack("<Q", 9) + b"{" * 9, "damaged"),
    "weights alone, far too large": (lambda files: files["weights.safetensors"] + bytes(2**22), "too large"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_is_forged_is_refused_with_a_sentence_and_leaves_nothing(case: str, tiny: Run) -> None:
    forge, sentence = FORGED[case]
    files = {name.removeprefix("tiny/"): content for name, content in opened(export_zip(tiny)).items()}
    tiny.folder.rename(tiny.folder.parent / "away")
    with pytest.raises(DigitLabError) as caught:
        import_run(forge(files))
    assert sentence in str(caught.value)
    assert [path.name for path in tiny.folder.parent.iterdir()] == ["away"]


@pytest.mark.parametrize("name", ["../x", "X", "", 3, None, "a" * 65, ".new-x"])
def test_a_name_that_cannot_be_used_is_replaced(name: object, tiny: Run) -> None:
    files = {name.removeprefix("tiny/"): content for name, content in opened(export_zip(tiny)).items()}
    assert import_run(packed(record_with(files, name=name))).name == "imported"


def test_a_file_that_is_far_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_IMPORT_BYTES", 2**20)
    with pytest.raises(DigitLabError, match="larger than 1 MB"):
        import_run(b"PK" + bytes(2**20))


# --- a disk that refuses


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("function", ["fsync", "rename"])
def test_a_disk_that_refuses_leaves_nothing_behind(
    number: int, function: str, tiny: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = export_zip(tiny)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(exports.os, function, refuse)
    with pytest.raises(DigitLabError, match=f"The run could not be saved in .*: {os.strerror(number)}"):
        import_run(content)
    assert [path.name for path in tiny.folder.parent.iterdir()] == ["tiny"]


def test_a_damaged_run_is_not_exported(tiny: Run) -> None:
    (tiny.folder / "weights.safetensors").write_bytes(b"")
    for export in (export_zip, export_weights, conversion.export_keras, conversion.export_litert):
        with pytest.raises(DigitLabError, match="weights of 'tiny' cannot be read"):
            export(tiny)

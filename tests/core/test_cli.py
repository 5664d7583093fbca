import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mnist_core import data, images, recipes, runs
from mnist_core import training as training_module
from mnist_core.__main__ import main
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import prepare
from mnist_core.recipe_text import flat
from mnist_core.recognizer import Recognizer
from mnist_core.runs import Run, load_run, load_weights

ROOT = Path(__file__).resolve().parents[2]
PREDICT_KEYS = ["file", "digit", "probability", "probabilities", "accepted", "reason"]
READ_KEYS = ["file", "text", "accepted", "digits"]
READ_DIGIT_KEYS = ["digit", "probability", "accepted", "box"]
TRAIN_KEYS = [
    "run", "recipe", "parameters", "epochs", "seconds", "train_accuracy", "train_loss", "test_accuracy", "test_loss",
]  # fmt: skip
EVALUATE_KEYS = ["run", "data", "n", "errors", "accuracy", "loss"]

Command = Callable[..., tuple[int, str, str]]
Records = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process: exit status, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


@pytest.fixture
def records(command: Command) -> Records:
    """Run it with --json; every line of stdout has to be one JSON object."""

    def run(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        status, out, err = command(*arguments, "--json")
        assert out == "" or out.endswith("\n")
        found = [json.loads(line) for line in out.splitlines()]
        assert all(isinstance(one, dict) for one in found)
        return status, found, err

    return run


def saved(path: Path, grey: np.ndarray) -> Path:
    ok, content = cv2.imencode(path.suffix, grey)
    assert ok
    path.write_bytes(content.tobytes())
    return path


def enlarged(digit: np.ndarray, side: int = 140) -> np.ndarray:
    return 255 - cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def three(tmp_path: Path, builtin: Dataset) -> list[Path]:
    """Save three pictures of digits."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return [saved(folder / f"{n}.png", enlarged(builtin.test_images[40 * n])) for n in range(3)]


# --- predict


def test_predict_says_what_the_library_says(three: list[Path], tiny: Run, records: Records) -> None:
    status, found, err = records("predict", *three, "--run", "tiny")
    recognizer = Recognizer(tiny)
    assert (status, err) == (0, "")
    assert [one["file"] for one in found] == [str(path) for path in three]
    for path, one in zip(three, found, strict=True):
        assert list(one) == PREDICT_KEYS
        expected = recognizer.recognize(images.load(path).grey)
        assert (one["digit"], one["accepted"], one["reason"]) == (expected.digit, expected.accepted, expected.reason)
        assert len(one["probabilities"]) == 10
        assert one["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-5)
        assert sum(one["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert one["probability"] == max(one["probabilities"]) == one["probabilities"][one["digit"]]


def test_predict_in_words(three: list[Path], tiny: Run, command: Command) -> None:
    status, out, err = command("predict", *three, "--run", "tiny")
    assert (status, err) == (0, "")
    answers = [Recognizer(tiny).recognize(images.load(path).grey) for path in three]
    expected = [f"{path}: {one.sentence} ({one.probability:.1%})" for path, one in zip(three, answers, strict=True)]
    assert out.splitlines() == expected


@pytest.mark.parametrize("kind", ["predict", "read"])
def test_a_bad_file_has_its_sentence_and_the_others_are_still_done(
    kind: str, three: list[Path], tiny: Run, records: Records, command: Command, tmp_path: Path
) -> None:
    text, gone = tmp_path / "notes.png", tmp_path / "gone.png"
    text.write_text("This is no picture.")
    paths = [three[0], text, three[1], gone, three[2]]
    status, found, _ = records(kind, *paths, "--run", "tiny")
    assert status == 1
    assert [one["file"] for one in found] == [str(path) for path in paths], "in the order given"
    keys = PREDICT_KEYS if kind == "predict" else READ_KEYS
    assert [list(one) == ["file", "error"] for one in found] == [False, True, False, True, False]
    assert all(list(found[place]) == keys for place in (0, 2, 4))
    for path, one in ((text, found[1]), (gone, found[3])):
        with pytest.raises(DigitLabError) as caught:
            images.load(path)
        assert one["error"] == str(caught.value)
        assert path.name in one["error"]
    status, out, err = command(kind, *paths, "--run", "tiny")
    assert status == 1
    assert len(out.splitlines()) == 3, "answers go to stdout"
    assert [line.split(":")[0] for line in err.splitlines()] == [str(text), str(gone)], "complaints to stderr"


def test_only_bad_files_are_all_told(tiny: Run, records: Records, tmp_path: Path) -> None:
    status, found, _ = records("predict", tmp_path / "a.png", tmp_path / "b.png", "--run", "tiny")
    assert status == 1
    assert [list(one) for one in found] == [["file", "error"]] * 2


def test_a_folder_stands_for_its_pictures_in_order(
    three: list[Path], tiny: Run, records: Records, tmp_path: Path
) -> None:
    folder = three[0].parent
    (folder / "notes.txt").write_text("not asked for")
    (folder / "folder.png").mkdir()
    upper = saved(folder / "A.JPEG", enlarged(np.zeros((28, 28), np.uint8)))
    upper.rename(folder / "A.JPEG")
    single = saved(tmp_path / "z.bmp", np.full((40, 40), 255, np.uint8))
    status, found, _ = records("predict", folder, single, "--run", "tiny")
    assert status == 0
    assert [one["file"] for one in found] == [str(p) for p in (*three, folder / "A.JPEG", single)]


@pytest.mark.parametrize("command_name", ["predict", "read"])
def test_a_folder_without_pictures_is_a_file_that_cannot_be_used(
    three: list[Path], tiny: Run, records: Records, tmp_path: Path, command_name: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("not asked for")
    status, found, _ = records(command_name, empty, three[0], "--run", "tiny")
    assert status == 1
    assert found[0] == {"file": str(empty), "error": f"{empty} is a folder, not a picture."}
    assert found[1]["file"] == str(three[0])


def test_a_blank_picture_has_no_digit(tiny: Run, records: Records, command: Command, tmp_path: Path) -> None:
    blank = saved(tmp_path / "blank.png", np.full((90, 90), 250, np.uint8))
    status, (one,), _ = records("predict", blank, "--run", "tiny")
    assert status == 0, "a blank picture is a picture"
    assert one == {
        "file": str(blank),
        "digit": None,
        "probability": 0.0,
        "probabilities": [0.0] * 10,
        "accepted": False,
        "reason": prepare(images.load(blank).grey).problem,
    }
    assert records("read", blank, "--run", "tiny")[1] == [
        {"file": str(blank), "text": "", "accepted": False, "digits": []}
    ]
    assert command("read", blank, "--run", "tiny")[1] == f"{blank}: no digit found\n"


def test_more_pictures_than_a_batch_come_in_order(
    three: list[Path], tiny: Run, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnist_core.__main__._BATCH", 2)
    paths = [three[0], three[1], three[0], three[2], three[1]]
    _, found, _ = records("predict", *paths, "--run", "tiny")
    assert [one["file"] for one in found] == [str(path) for path in paths]
    _, alone, _ = records("predict", *three, "--run", "tiny")
    assert [one["digit"] for one in found] == [alone[place]["digit"] for place in (0, 1, 0, 2, 1)]


def test_model_is_another_name_of_run(three: list[Path], tiny: Run, records: Records) -> None:
    assert records("predict", three[0], "--model", "tiny") == records("predict", three[0], "--run", "tiny")


@pytest.mark.parametrize("kind", ["predict", "read", "evaluate"])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nobody", "There is no run called 'nobody'; there are: "), ("../ann", "'../ann' is no name of a run.")],
)
def test_an_unknown_run_is_told(kind: str, name: str, sentence: str, three: list[Path], command: Command) -> None:
    given = [three[0]] if kind != "evaluate" else ["--data", "builtin"]
    status, out, err = command(kind, *given, "--run", name, "--json")
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {sentence}")


def test_a_file_name_that_is_no_text_is_shown_all_the_same(
    three: list[Path], tiny: Run, command: Command, tmp_path: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    odd.write_bytes(three[0].read_bytes())
    status, out, _ = command("predict", odd, "--run", "tiny")
    assert (status, out.split(": ")[0]) == (0, f"{tmp_path}/?.png")
    status, out, _ = command("predict", odd, "--run", "tiny", "--json")
    assert json.loads(out)["file"] == str(odd)


# --- read


@pytest.fixture
def page(tmp_path: Path, builtin: Dataset) -> Path:
    """Write three digits on a page: two above, one below."""
    grey = np.full((460, 480), 255, np.uint8)
    for place, (y, x) in zip((0, 60, 120), ((30, 30), (30, 270), (250, 120)), strict=True):
        grey[y : y + 160, x : x + 160] = enlarged(builtin.test_images[place], 160)
    return saved(tmp_path / "page.png", grey)


def test_read_says_what_the_library_says(page: Path, tiny: Run, records: Records, command: Command) -> None:
    status, (one,), err = records("read", page, "--run", "tiny")
    reading = Recognizer(tiny).read(images.load(page).grey)
    assert (status, err, list(one)) == (0, "", READ_KEYS)
    assert (one["file"], one["text"], one["accepted"]) == (str(page), reading.text, reading.accepted)
    assert len(one["digits"]) == 3
    for digit, expected in zip(one["digits"], reading.recognitions, strict=True):
        assert list(digit) == READ_DIGIT_KEYS
        assert (digit["digit"], digit["accepted"]) == (expected.digit, expected.accepted)
        assert digit["probability"] == pytest.approx(expected.probability, abs=1e-5)
        assert expected.prepared.box is not None
        assert digit["box"] == list(expected.prepared.box)
    shown = reading.text.replace("\n", " / ") or "no digit found"
    assert command("read", page, "--run", "tiny")[1] == f"{page}: {shown}\n"


def test_boxes_are_in_the_pixels_of_the_picture_as_it_was_given(
    page: Path, tiny: Run, records: Records, tmp_path: Path
) -> None:
    grey = cv2.imread(str(page), cv2.IMREAD_GRAYSCALE)
    factor = 7  # 3,360 pixels: more than the working picture has
    large = saved(tmp_path / "large.png", cv2.resize(grey, None, fx=factor, fy=factor))
    assert images.load(large).scale < 1
    _, (small_one, large_one), _ = records("read", page, large, "--run", "tiny")
    assert len(large_one["digits"]) == 3
    for ours, theirs in zip(small_one["digits"], large_one["digits"], strict=True):
        np.testing.assert_allclose(np.array(theirs["box"]) / factor, ours["box"], atol=4)
        assert all(type(value) is int for value in theirs["box"])


# --- train


def test_train_keeps_a_run_and_says_so(records: Records, digit_lab_home: Path) -> None:
    status, (one,), err = records(
        "train", "--data", "builtin", "--preset", "classic-50-50", "--epochs", 2, "--hidden", "16,8", "--seed", 3
    )
    assert (status, err, list(one)) == (0, "", TRAIN_KEYS)
    expected = recipes.preset("classic-50-50").with_changes(epochs=2, hidden=(16, 8), seed=3)
    assert recipes.Recipe.from_dict(one["recipe"]) == expected
    run = load_run(one["run"])
    assert (one["run"], run.folder) == ("classic-50-50-1", digit_lab_home / "runs" / "classic-50-50-1")
    assert run.recipe == expected
    assert (one["parameters"], one["epochs"], one["seconds"]) == (run.parameters, 2, run.seconds)
    for key in TRAIN_KEYS[5:]:
        assert one[key] == getattr(run.metrics, key)
    assert {name: value.shape for name, value in load_weights(run).items()} == expected.model.weight_shapes


SHORT = ("train", "--data", "builtin", "--epochs", 1, "--hidden", "8", "--examples", 200)


def test_runs_are_numbered_or_named(records: Records, command: Command) -> None:
    assert records(*SHORT)[1][0]["run"] == "classic-128-1"
    status, out, _ = command(*SHORT)
    assert (status, out.split(":")[0]) == (0, "classic-128-2")
    run = load_run("classic-128-2")
    told = f"test accuracy {run.metrics.test_accuracy:.2%}, {run.seconds:.1f} s, in {run.folder}"
    assert out == f"classic-128-2: {told}\n"
    assert records(*SHORT, "--out", "mine")[1][0]["run"] == "mine"


CHANGES = {
    "--activation": ("tanh", "model", "activation", "tanh"),
    "--output": ("sigmoid", "model", "output", "sigmoid"),
    "--dropout": ("0.25", "model", "dropout", 0.25),
    "--input-dropout": ("0.1", "model", "input_dropout", 0.1),
    "--hidden": ("", "model", "hidden", []),
    "--loss": ("categorical_crossentropy", "training", "loss", "categorical_crossentropy"),
    "--optimizer": ("sgd", "training", "optimizer", "sgd"),
    "--schedule": ("cosine", "training", "schedule", "cosine"),
    "--learning-rate": ("0.01", "training", "learning_rate", 0.01),
    "--batch-size": ("64", "training", "batch_size", 64),
    "--validation-share": ("0", "training", "validation_share", 0.0),
    "--examples": ("100", "training", "examples", 100),
    "--seed": ("7", "training", "seed", 7),
    "--early-stopping": ("3", "training", "early_stopping", 3),
    "--gentle-end": ("0.3", "training", "gentle_end", 0.3),
    "--variants": ("0.5", "training", "variants", 0.5),
    "--crossed-out": ("0.2", "training", "crossed_out", 0.2),
}


class Stopped(Exception):
    """Ends a command where the training would begin."""


@pytest.fixture
def asked(builtin: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[recipes.Recipe]:
    """Keep the recipes that would have been trained, and train none."""
    kept: list[recipes.Recipe] = []

    def keep(recipe: recipes.Recipe, *_: object, **__: object) -> None:
        kept.append(recipe)
        raise Stopped

    monkeypatch.setattr(training_module, "train", keep)
    monkeypatch.setattr(data, "load", lambda _: builtin)
    return kept


@pytest.mark.parametrize("option", CHANGES)
def test_every_option_changes_its_field_and_no_other(
    option: str, command: Command, asked: list[recipes.Recipe]
) -> None:
    given, part, field, value = CHANGES[option]
    with pytest.raises(Stopped):
        command("train", "--data", "builtin", option, given)
    expected = recipes.preset("classic-128").to_dict()
    assert expected[part][field] != value, "the case should change something"
    expected[part][field] = value
    assert asked[0].to_dict() == expected


def test_every_field_of_a_recipe_has_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {f"--{name.replace('_', '-')}" for name in flat(recipes.Recipe())} <= options


def test_distortions_are_changed_one_by_one(command: Command, asked: list[recipes.Recipe]) -> None:
    with pytest.raises(Stopped):
        command("train", "--data", "builtin", "--preset", "ann", "--rotation", "5", "--elastic", "0")
    assert asked == [recipes.preset("ann").with_changes(rotation=5.0, elastic=0.0)]


def test_a_convolutional_start_is_asked_for_with_layers_that_can_have_one(
    command: Command, asked: list[recipes.Recipe]
) -> None:
    status, _, err = command("train", "--data", "builtin", "--convolutional-start", "0.5")
    assert (status, asked) == (1, [])
    assert "a multiple of 144 units" in err
    with pytest.raises(Stopped):
        command("train", "--data", "builtin", "--hidden", "144,36", "--convolutional-start", "0.5")
    expected = recipes.preset("classic-128").with_changes(hidden=(144, 36), convolutional_start=0.5)
    assert asked == [expected]


def test_a_recipe_comes_from_a_file_and_can_be_changed(
    command: Command, asked: list[recipes.Recipe], tmp_path: Path
) -> None:
    recipe = recipes.preset("classic-onehot").with_changes(seed=5)
    for number, content in enumerate((recipe.to_dict(), {"name": "a run's record", "recipe": recipe.to_dict()})):
        (tmp_path / "recipe.json").write_text(json.dumps(content))
        with pytest.raises(Stopped):
            command("train", "--data", "builtin", "--recipe", str(tmp_path / "recipe.json"), "--epochs", "2")
        assert asked[number] == recipe.with_changes(epochs=2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is no JSON"),
        ("[]", "A recipe's Recipe must be an object"),
        ('{"training": {"learning_rate": -1}}', "learning_rate must lie between 1e-06 and 10, not -1."),
        ('{"model": {"hidden": [1000000000]}}', "A hidden layer has between 4 and 4096 units, not 1000000000."),
    ],
)
def test_a_file_that_is_no_recipe_gets_a_sentence(
    content: str, sentence: str, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    status, out, err = command("train", "--data", "builtin", "--recipe", str(path))
    assert (status, out) == (1, "")
    assert sentence in err
    status, _, err = command("train", "--data", "builtin", "--recipe", str(tmp_path / "none.json"))
    assert (status, err) == (1, f"error: {tmp_path / 'none.json'} cannot be read: No such file or directory.\n")


def test_a_training_goes_on_from_a_run(records: Records, tiny: Run) -> None:
    given = ("train", "--data", "builtin", "--hidden", "24", "--epochs", 1, "--learning-rate", 1e-6)
    _, (one,), _ = records(*given, "--continue-from", "tiny", "--out", "longer")
    assert one["test_accuracy"] == pytest.approx(tiny.metrics.test_accuracy, abs=0.01), "hardly a step away"
    assert load_run("longer").continued_from == "tiny"


def test_a_training_cannot_go_on_with_other_layers(command: Command, tiny: Run) -> None:
    status, _, err = command("train", "--data", "builtin", "--hidden", "25", "--continue-from", "tiny")
    assert (status, err) == (1, "error: The recipe has other layers than 'tiny', so it cannot go on from there.\n")


def test_options_that_need_each_other(command: Command, asked: list[recipes.Recipe]) -> None:
    words = "--optimizer adamw --weight-decay 0.1 --loss categorical_crossentropy --label-smoothing 0.1 --batch-norm"
    with pytest.raises(Stopped):
        command("train", "--data", "builtin", *words.split())
    (recipe,) = asked
    assert (recipe.training.weight_decay, recipe.training.label_smoothing, recipe.model.batch_norm) == (0.1, 0.1, True)
    with pytest.raises(Stopped):
        command("train", "--data", "builtin", "--preset", "ann", "--no-batch-norm")
    assert asked[1] == recipes.preset("ann").with_changes(batch_norm=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "cnn-9"], "There is no preset called 'cnn-9'"),
        (["--epochs", "0"], "epochs must lie between 1 and 1000, not 0."),
        (["--hidden", "1000000000"], "A hidden layer has between 4 and 4096 units"),
        (["--learning-rate", "nan"], "learning_rate must be a number, not nan."),
        (["--output", "linear"], "output must be one of softmax, sigmoid"),
        (["--label-smoothing", "0.1"], "Label smoothing needs one-hot labels"),
        (["--out", "../evil"], "'../evil' cannot be the name of a run"),
        (["--out", ""], "'' cannot be the name of a run"),
        (["--out", "ann"], "'ann' cannot be the name of a run of your own"),
    ],
)
def test_what_cannot_be_trained_is_told_before_the_training(
    arguments: list[str], sentence: str, command: Command, asked: list[recipes.Recipe]
) -> None:
    status, out, err = command("train", "--data", "builtin", *arguments, "--json")
    assert (status, out, asked) == (1, "", [])
    assert err.startswith(f"error: {sentence}")
    assert err.count("\n") == 1, "one sentence, no traceback"


def test_training_on_mnist_without_mnist_says_how_to_get_it(command: Command) -> None:
    status, out, err = command("train", "--json")
    assert (status, out) == (1, "")
    assert err.startswith("error: MNIST is not on this machine. Get it with `python -m mnist_core data --download`")


def test_a_bundled_run_is_replaced_on_request(no_bundled: Path, records: Records) -> None:
    status, (one,), _ = records(*SHORT, "--preset", "classic-onehot", "--bundle")
    assert (status, one["run"]) == (0, "classic-onehot")
    assert load_run("classic-onehot").origin == "bundled"
    assert load_run("classic-onehot").folder == no_bundled / "classic-onehot"


# --- evaluate


def test_evaluate_agrees_with_the_runs_record(tiny: Run, records: Records, command: Command) -> None:
    status, (one,), err = records("evaluate", "--run", "tiny", "--data", "builtin")
    assert (status, err, list(one)) == (0, "", EVALUATE_KEYS)
    assert (one["run"], one["data"], one["n"]) == ("tiny", "builtin", tiny.metrics.test_n)
    assert (one["errors"], one["accuracy"]) == (tiny.metrics.test_errors, tiny.metrics.test_accuracy)
    assert one["loss"] == pytest.approx(tiny.metrics.test_loss, rel=1e-4)
    _, out, _ = command("evaluate", "--run", "tiny", "--data", "builtin")
    assert out == (
        f"tiny on {data.BUILTIN_TITLE}: {one['accuracy']:.2%} of {one['n']} right, {one['errors']} wrong, "
        f"loss {one['loss']:.4f}\n"
    )


def test_evaluate_on_a_folder_of_labelled_pictures(three: list[Path], tiny: Run, records: Records) -> None:
    folder = three[0].parent
    _, answers, _ = records("predict", *three, "--run", "tiny")
    labels = [one["digit"] for one in answers]
    labels[1] = (labels[1] + 1) % 10
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "label"), *zip((path.name for path in three), labels, strict=True)])
    status, (one,), _ = records("evaluate", "--run", "tiny", "--data", folder)
    assert (status, one["data"], one["n"], one["errors"]) == (0, "pictures", 3, 1)
    assert one["accuracy"] == pytest.approx(2 / 3)


def test_evaluate_without_the_data_says_so(tiny: Run, command: Command, tmp_path: Path) -> None:
    status, out, err = command("evaluate", "--run", "tiny")
    assert (status, out) == (1, "")
    assert err.startswith("error: MNIST is not on this machine.")
    assert command("evaluate", "--run", "tiny", "--data", tmp_path / "gone")[0] == 1


def test_the_default_run_reaches_what_was_promised(mnist_dir: Path, records: Records) -> None:
    _, (one,), _ = records("evaluate")
    assert (one["run"], one["data"], one["n"]) == ("ann", "mnist", 10_000)
    assert one["accuracy"] >= 0.994


# --- runs and data


def test_runs_lists_what_is_there_and_what_is_broken(
    tiny: Run, no_bundled: Path, records: Records, command: Command
) -> None:
    (tiny.folder.parent / "half").mkdir()
    status, (one,), err = records("runs")
    assert status == 0
    assert err == "left alone: 'half' is no run: it has no readable run.json.\n"
    assert (one["run"], one["origin"], one["dataset"], one["epochs"]) == ("tiny", "trained", "builtin", 3)
    assert one["test_interval"] == [tiny.metrics.test_interval.low, tiny.metrics.test_interval.high]
    for key in ("train_accuracy", "train_loss", "test_accuracy", "test_loss"):
        assert one[key] == getattr(tiny.metrics, key)
    assert (one["parameters"], one["seconds"], one["published"]) == (tiny.parameters, tiny.seconds, [])
    _, out, _ = command("runs")
    assert re.match(
        r"tiny +trained +builtin +\d\d\.\d\d% \(\d\d\.\d\d% to \d\d\.\d\d%\) +19,090 weights +\d+\.\d s\n", out
    )


def test_the_bundled_runs_come_first(records: Records) -> None:
    _, found, err = records("runs")
    assert ([one["run"] for one in found], err) == (list(recipes.PRESETS), "")
    assert all(one["origin"] == "bundled" and one["published"] for one in found)


def test_data_says_what_is_here_and_how_to_get_the_rest(records: Records, command: Command) -> None:
    status, found, err = records("data")
    assert (status, err) == (0, "")
    assert found == [
        {"data": "mnist", "found": False, "path": None},
        {"data": "builtin", "found": True, "path": None},
    ]
    status, out, _ = command("data")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "mnist    not here; get it (11 MB) with: python -m mnist_core data --download"
    assert [line.split(" looked in ")[1] for line in lines[1:-1]] == [
        f"{place.title}: {place.path}" for place in data.mnist_places()
    ]
    assert lines[-1] == f"builtin  {data.BUILTIN_TITLE}"


def test_data_downloads_on_request_only(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(on_progress: Callable[[int, int], None]) -> None:
        on_progress(5, 10)
        folder = data.mnist_places()[0].path
        folder.mkdir(parents=True)
        (folder / "mnist.npz").write_bytes(b"as it came")

    monkeypatch.setattr(data, "download_mnist", download)
    assert not records("data")[1][0]["found"]
    status, found, err = records("data", "--download")
    assert (status, err) == (0, ""), "progress is for terminals"
    assert found[0] == {"data": "mnist", "found": True, "path": str(data.mnist_places()[0].path)}


def test_a_failed_download_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise DigitLabError("MNIST could not be downloaded (no route to host).")

    monkeypatch.setattr(data, "download_mnist", fail)
    assert command("data", "--download", "--json") == (
        1, "", "error: MNIST could not be downloaded (no route to host).\n",
    )  # fmt: skip


# --- the terminal


def test_on_a_terminal_progress_goes_to_stderr_and_is_wiped_away(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, (one,), err = records(*SHORT)
    assert one["run"] == "classic-128-1"
    shown = err.split("\r\033[K")
    assert shown[0] == "", "each piece of news takes the place of the one before"
    assert re.fullmatch(r"epoch 1/1, step \d/7: loss \d\.\d{4}, accuracy \d+\.\d\d%, \d+ s", shown[1])
    assert re.search(r"step 7/7: .*, validation \d+\.\d\d%, \d+ s$", shown[-2])
    assert shown[-1] == ""


def test_an_interrupt_ends_quietly(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "list_runs", interrupted)
    assert command("runs") == (130, "", "")


def test_a_bug_is_not_hidden(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(runs, "list_runs", broken)
    with pytest.raises(ZeroDivisionError):
        command("runs")


@pytest.mark.parametrize(
    "arguments",
    [[], ["paint"], ["predict"], ["train", "--hidden", "many"], ["train", "--epochs", "1.5"], ["runs", "--frob"]],
)
def test_wrong_words_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    shown = capsys.readouterr()
    assert (caught.value.code, shown.out) == (2, "")
    assert shown.err.startswith("usage: python -m mnist_core")


@pytest.mark.parametrize("kind", ["", "predict", "read", "train", "evaluate", "runs", "data"])
def test_every_command_explains_itself(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([kind, "--help"] if kind else ["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m mnist_core {kind}".rstrip())


def shell(*arguments: str, home: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a Python of its own, as a person would."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    environment |= {"DIGIT_LAB_HOME": str(home)}
    call = [sys.executable, *arguments]
    return subprocess.run(call, cwd=ROOT, env=environment, text=True, timeout=120, **options)


def test_help_loads_nothing_heavy(digit_lab_home: Path) -> None:
    done = shell("-X", "importtime", "-m", "mnist_core", "--help", home=digit_lab_home, capture_output=True)
    assert done.returncode == 0
    loaded = {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "argparse" in loaded
    assert not loaded & {"tensorflow", "keras", "numpy", "cv2", "PIL", "sklearn", "scipy", "streamlit"}


def test_stdout_holds_the_answers_and_nothing_else(tiny: Run, three: list[Path], digit_lab_home: Path) -> None:
    """TensorFlow's own remarks, if any, go to stderr."""
    call = ["-m", "mnist_core", "predict", *map(str, three[:1]), "--run", "tiny", "--json"]
    done = shell(*call, home=digit_lab_home, capture_output=True)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert list(json.loads(line)) == PREDICT_KEYS


def test_a_reader_that_has_seen_enough_is_no_error(digit_lab_home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = shell("-m", "mnist_core", "runs", home=digit_lab_home, stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_that_works_says_nothing_on_stderr() -> None:
    sample = Path(__file__).parents[2] / "assets" / "samples" / "whiteboard.jpg"
    command = [sys.executable, "-m", "mnist_core", "predict", "--run", "classic-128", str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert done.stderr == "", "TensorFlow's remarks on its processor are no answer"

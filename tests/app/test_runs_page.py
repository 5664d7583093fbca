"""The Runs page: one's own runs beside the bundled ones and published results, and what can be done with them."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from streamlit.testing.v1 import AppTest

from mnist_core import data, keeping, runs
from mnist_core.exports import export_zip
from mnist_core.recipes import PRESETS, ModelRecipe, Recipe, TrainRecipe
from mnist_core.runs import list_runs, load_run
from mnist_core.training import train
from pages.components import cached
from tests.app.conftest import PATIENCE, ROOT, SEVEN, Hand

PAGE = "pages/train/runs.py"
TINY = Recipe(ModelRecipe(hidden=(12,)), TrainRecipe(epochs=3, validation_share=0.1))


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Every test has a home of its own."""
    cached.all_runs.clear()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run, trained on the built-in digits, with the weights of three epochs."""
    dataset = data.load_builtin()
    run = runs.save_run("mine", train(TINY, dataset), dataset, tmp_path_factory.mktemp("runs"))
    shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)
    (run.folder / "checkpoints").mkdir()
    for epoch in (1, 2, 3):
        weights = {name: value * np.float32(epoch / 3) for name, value in runs.load_weights(run).items()}
        safetensors.numpy.save_file(weights, run.folder / "checkpoints" / f"{epoch:04}.safetensors")
    return run.folder


@pytest.fixture
def own(saved: Path, digit_lab_home: Path) -> runs.Run:
    """The small run among one's own."""
    shutil.copytree(saved, digit_lab_home / "runs" / "mine")
    return load_run("mine")


def opened() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()
    return app.switch_page(PAGE).run()


def names(app: AppTest) -> list[tuple[str, str]]:
    table = app.dataframe[0].value
    return list(zip(table["Name"], table["Kind"], strict=True))


def choose(app: AppTest, *chosen: str) -> AppTest:
    app.multiselect(key="runs").set_value(list(chosen))
    return app.run()


def said(app: AppTest) -> str:
    return " ".join(block.value for kind in ("success", "error", "info") for block in app.get(kind))


def html(app: AppTest) -> str:
    return " ".join(block.value for block in app.get("html"))


def test_without_own_runs_the_page_says_so_and_shows_the_bundled_and_the_published(hand: Hand) -> None:
    app = opened()
    assert not app.exception
    assert "Only the networks that came with Digit Lab are here yet" in said(app)
    found = names(app)
    assert len(found) == sum(1 + len(known.published) for known in PRESETS.values())
    assert [kind for name, kind in found if name == "classic-50-50"] == ["bundled"] + ["published"] * 3
    table = app.dataframe[0].value
    row = table[(table["Name"] == "classic-50-50") & (table["Kind"] == "published")].iloc[0]
    assert (row["Accuracy"], row["Note"]) == (pytest.approx(97.2), "test 97.2 %")


def test_rows_are_filtered_by_words_and_kind(own: runs.Run, hand: Hand) -> None:
    app = opened()
    assert ("mine", "yours") in names(app)
    app.text_input(key="filter").set_value("512 SOFTMAX").run()
    assert {name for name, _ in names(app)} == {"classic-onehot"}
    app.text_input(key="filter").set_value("").run()
    app.button_group(key="kind").set_value(["yours"]).run()
    assert names(app) == [("mine", "yours")]
    app.text_input(key="filter").set_value("nothing like it").run()
    assert "No run fits the filter" in said(app)


def test_one_run_is_looked_at_closely(own: runs.Run, hand: Hand) -> None:
    app = choose(opened(), "mine")
    assert not app.exception
    assert f"{own.metrics.test_accuracy:.2%}" in html(app)
    assert "Dropout of pixels" in html(app), "its recipe"
    assert app.select_slider[0].options == ["1", "2", "3"], "its epochs"


def test_a_drawing_is_answered_at_every_epoch(own: runs.Run, hand: Hand) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()
    hand.draw(*SEVEN)
    app.run()
    hand.leave(app)
    app = choose(app.switch_page(PAGE).run(), "mine")
    assert "Your drawing" in html(app)
    assert "After epoch 3" in html(app)
    app.select_slider[0].set_value(1).run()
    assert "After epoch 1" in html(app)
    drawn = app.session_state["drawing"].image
    digit = np.asarray(cached.prepared_drawing(drawn, cached.Settings()).digit, np.float32)
    answers = cached.checkpoint_answers("mine", own.created, (1, 2, 3), digit.tobytes(), own)
    assert answers.shape == (3, 10)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    last = cached.recognizer("mine", own.created).result().probabilities(digit[None])[0]
    np.testing.assert_allclose(answers[-1], last, atol=1e-5, err_msg="the last checkpoint is the network itself")


def test_a_run_is_renamed_noted_deleted_and_brought_back(own: runs.Run, hand: Hand) -> None:
    app = choose(opened(), "mine")
    app.text_input(key="name-mine").set_value("mine-too")
    app.text_input(key="note-mine").set_value("=first")
    app.button(key="FormSubmitter:run-form-Save").click().run()
    assert "mine is called mine-too now" in said(app)
    assert load_run("mine-too").note == "=first"
    assert app.dataframe[0].value["Note"].iloc[-1] == "'=first", "no spreadsheet takes it for a formula"
    app.button(key="run-use").click().run()
    assert app.sidebar.selectbox(key="run").value == "mine-too"
    app.button(key="run-delete").click().run()
    assert not app.exception
    assert "mine-too is deleted" in said(app)
    assert ("mine-too", "yours") not in names(app)
    assert app.sidebar.selectbox(key="run").value == "ann", "the pages have a network all the same"
    app.button(key="undo-delete").click().run()
    assert "mine-too is back" in said(app)
    assert app.multiselect(key="runs").value == ["mine-too"]


@pytest.mark.parametrize("new", ["ann", "A name"])
def test_a_name_that_cannot_be_used_is_told(new: str, own: runs.Run, hand: Hand) -> None:
    app = choose(opened(), "mine")
    app.text_input(key="name-mine").set_value(new)
    app.button(key="FormSubmitter:run-form-Save").click().run()
    assert "cannot be the name of a run" in said(app)
    assert load_run("mine").name == "mine"


def test_a_bundled_run_can_be_taken_away_but_not_changed(hand: Hand) -> None:
    app = choose(opened(), "ann")
    labels = {button.label for button in app.button}
    assert "Delete" not in labels
    assert "Save" not in labels
    assert {"Zip", "Keras", "LiteRT", "Weights", "Script, NumPy alone"} <= {
        button.label for button in app.get("download_button")
    }
    assert "kept without" in " ".join(caption.value for caption in app.caption), "no checkpoints came with it"


def test_a_damaged_run_is_told_before_it_is_taken_away(own: runs.Run, hand: Hand) -> None:
    weights = own.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    app = choose(opened(), "mine")
    assert not app.exception
    assert "mine" in said(app)
    assert "It cannot answer, nor be taken away." in said(app)
    assert not app.get("download_button")
    assert {"Delete", "Save"} <= {button.label for button in app.button}, "it can still be done away with"


def test_a_run_is_brought_back_from_a_file(own: runs.Run, hand: Hand) -> None:
    content = export_zip(own)
    keeping.delete_run("mine")
    app = opened()
    app.file_uploader[0].upload("mine.zip", content, "application/zip").run()
    assert not app.exception
    assert "mine is here now" in said(app)
    assert app.multiselect(key="runs").value == ["mine"]
    assert load_run("mine").metrics == own.metrics
    app.file_uploader[0].upload("mine.zip", b"PK forged", "application/zip").run()
    assert "This zip is damaged" in said(app)


def test_two_runs_are_compared(hand: Hand) -> None:
    app = choose(opened(), "classic-50-50", "classic-128")
    assert not app.exception
    assert "Hidden layers</th><td>50, 50</td><td>128</td>" in html(app)
    assert "Activation" not in html(app), "only what differs"
    words = " ".join(block.value for block in app.markdown)
    assert "**classic-50-50** is right on 77 digits that **classic-128** gets wrong" in words
    assert "This is hardly chance, **classic-128** reads better" in words
    assert len(app.dataframe[1].value) == 77, "numbers, where MNIST's pictures are not here"


def test_where_the_pictures_are_here_the_digits_that_one_run_reads_are_shown(own: runs.Run, hand: Hand) -> None:
    dataset = data.load_builtin()
    runs.save_run("other", train(Recipe(ModelRecipe(hidden=(4,)), TINY.training), dataset), dataset)
    app = choose(opened(), "mine", "other")
    assert not app.exception
    assert 'class="dl-digits"' in html(app)


def test_of_mnist_the_digits_that_one_run_reads_are_shown(mnist_dir: Path, hand: Hand) -> None:
    app = choose(opened(), "classic-50-50", "classic-128")
    assert not app.exception
    assert 'class="dl-digits"' in html(app)


def test_runs_of_different_digits_are_compared_as_far_as_they_can(own: runs.Run, hand: Hand) -> None:
    app = choose(opened(), "mine", "classic-128", "ann")
    assert not app.exception
    assert "built-in digits</td><td>MNIST</td><td>MNIST" in html(app)
    assert "were tested on different digits" in said(app)


def test_folders_that_are_no_runs_are_reported_and_left_alone(own: runs.Run, hand: Hand) -> None:
    (own.folder.parent / "half").mkdir()
    app = opened()
    assert "1 folder is no run" in " ".join(box.label for box in app.expander)
    assert "'half' is no run" in " ".join(block.value for block in app.text)
    assert (own.folder.parent / "half").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_refuses_gets_a_sentence_and_the_page_goes_on(
    number: int, own: runs.Run, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = choose(opened(), "mine")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(keeping.os, "rename", refuse)
    app.button(key="run-delete").click().run()
    assert not app.exception
    assert f"'mine' could not be deleted: {os.strerror(number)}." in said(app)
    assert "mine" in [run.name for run in list_runs()]
    assert ("mine", "yours") in names(app)


def test_a_run_that_somebody_else_deleted_is_let_go(own: runs.Run, hand: Hand) -> None:
    app = choose(opened(), "mine", "ann")
    keeping.delete_run("mine")
    cached.all_runs.clear()
    app.run()
    assert not app.exception
    assert app.multiselect(key="runs").value == ["ann"]

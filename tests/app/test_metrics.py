"""The Metrics page: figures for every network and dataset, cells chosen by click and by menu, and files."""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from streamlit.testing.v1 import AppTest

from mnist_core import data, runs
from mnist_core.predictions import Predictions, stored
from pages.components import cached, matrix

ROOT = Path(__file__).parents[2]
METRICS = "pages/understand/metrics.py"
PATIENCE = 60


@pytest.fixture
def metrics(networks: None) -> AppTest:
    """The app, open at Metrics; MNIST is not on this machine."""
    cached.evaluation.clear()  # of a home that is gone
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()
    return app.switch_page(METRICS).run()


def html(app: AppTest) -> str:
    return "".join(block.value for block in app.get("html"))


def figures(app: AppTest) -> list[str]:
    return re.findall('dl-figure">(.*?)<', html(app))


def cell(app: AppTest) -> str:
    return re.sub("<.*?>", "", re.findall('dl-cell".*?</p>', html(app))[0].partition(">")[2])


def on_builtin(app: AppTest, name: str = "ann") -> tuple[AppTest, Predictions]:
    """Measure on the built-in digits, and wait for the network to have read them."""
    app.segmented_control(key="data").set_value("builtin").run()
    run, digits = cached.all_runs()[name], cached.dataset("builtin")
    found = cached.evaluation(run.name, run.created, digits.fingerprint, run, digits).future.result(PATIENCE)
    return app.run(), found


def test_without_mnist_a_bundled_runs_own_record_is_shown_with_numbers(metrics: AppTest) -> None:
    assert not metrics.exception
    record = runs.load_run("ann").metrics
    assert figures(metrics)[0] == f"{record.test_accuracy:.2%}"
    assert figures(metrics)[1] == f"{record.test_errors} of 10,000"
    assert cell(metrics) == f"All mistakes: {record.test_errors}, worst first"
    rows = metrics.dataframe[0].value
    assert len(rows) == record.test_errors
    assert (np.diff(rows["Loss"]) <= 0).all()
    assert [button.label for button in metrics.button if "MNIST" in button.label] == ["Get MNIST (11 MB)"]


def test_a_cell_is_chosen_from_the_menus(metrics: AppTest) -> None:
    given = stored(runs.load_run("ann"), "mnist")
    counts = sklearn.metrics.confusion_matrix(given.labels, given.predicted)
    metrics.selectbox(key="true").set_value("9").run()
    assert cell(metrics) == f"9 read as another digit: {counts[9].sum() - counts[9, 9]}, worst first"
    metrics.selectbox(key="read").set_value("4").run()
    assert not metrics.exception
    assert cell(metrics) == f"9 read as 4: {counts[9, 4]}, worst first"
    assert set(metrics.dataframe[0].value["Written"]) == {9}
    metrics.selectbox(key="true").set_value("0").run()
    assert cell(metrics) == "0 read as 4: none", "an empty cell says so"
    assert not metrics.dataframe


@pytest.mark.parametrize("point", [{}, {"customdata": None}, {"customdata": [4]}, {"customdata": ["<b>", 99]}])
def test_a_forged_click_chooses_nothing(point: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {"confusion": {"selection": {"points": [point]}}}
    monkeypatch.setattr(matrix.st, "session_state", state)
    matrix._click()
    assert set(state) == {"confusion"}


def test_a_click_chooses_a_cell_and_a_second_one_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {"confusion": {"selection": {"points": [{"customdata": [4, 9]}]}}}
    monkeypatch.setattr(matrix.st, "session_state", state)
    matrix._click()
    assert (state["true"], state["read"]) == ("4", "9")
    matrix._click()
    assert (state["true"], state["read"]) == ("any", "any")


@pytest.mark.parametrize("view", ["true", "predicted", "errors"])
def test_the_matrix_is_seen_in_every_way(metrics: AppTest, view: str) -> None:
    metrics.segmented_control(key="view").set_value(view).run()
    assert not metrics.exception


def test_another_run_stands_beside(metrics: AppTest) -> None:
    metrics.selectbox(key="compare").set_value("classic-50-50").run()
    assert not metrics.exception
    both = [f"{runs.load_run(name).metrics.test_accuracy:.2%}" for name in ("ann", "classic-50-50")]
    assert figures(metrics)[:2] == both
    metrics.segmented_control(key="view").set_value("difference").run()
    assert not metrics.exception
    assert any("fewer than classic-50-50" in caption.value for caption in metrics.caption)
    assert len(metrics.select_slider) == 2, "each network has its own threshold"


def test_a_view_that_is_gone_with_the_other_run_is_no_error(metrics: AppTest) -> None:
    metrics.selectbox(key="compare").set_value("classic-50-50").run()
    metrics.segmented_control(key="view").set_value("difference").run()
    metrics.selectbox(key="compare").set_value("nobody").run()
    assert not metrics.exception
    assert metrics.segmented_control(key="view").value == "counts"


def test_the_built_in_digits_are_read_in_the_background_and_shown_as_pictures(metrics: AppTest) -> None:
    app, given = on_builtin(metrics)
    assert not app.exception
    errors = int((given.predicted != cached.dataset("builtin").test_labels).sum())
    assert figures(app)[1] == f"{errors} of 359"
    assert html(app).count('role="listitem"') == min(errors, 24)
    assert not app.dataframe, "pictures, no numbers"


def test_answers_are_kept_and_not_worked_out_again(metrics: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = on_builtin(metrics)
    monkeypatch.setattr(cached.predictions, "evaluate", lambda *_: pytest.fail("they are known"))
    app.run()
    assert figures(app)
    cached.evaluation.clear()  # as after a new start of the server
    app.run()
    assert not app.exception
    assert figures(app), "found in Digit Lab's folder at once"


def test_the_threshold_says_what_it_means(metrics: AppTest) -> None:
    sentence = re.findall('dl-sentence" role="status">(.*?)<', html(metrics))[0]
    assert re.fullmatch(r"Of 1,000 handwritten digits it reads \d+ and asks about \d+; of those it .*", sentence)
    metrics.select_slider[0].set_value(0.0).run()
    assert "never asks" in html(metrics)
    metrics.select_slider[0].set_value(0.9999).run()
    assert not metrics.exception


def _few(monkeypatch: pytest.MonkeyPatch, labels: list[int], answers: list[int]) -> None:
    """Have a network give these answers on pictures of noise in place of the built-in digits."""
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 28, 28), np.uint8)
    none = np.zeros((0, 28, 28), np.uint8)
    tiny = data.Dataset("builtin", "few", none, np.zeros(0, np.int64), images, np.array(labels))
    logs = np.full((len(labels), 10), -4.0, np.float32)
    logs[np.arange(len(labels)), answers] = -0.2
    given = Predictions("ann", "builtin", np.array(labels), logs)
    cached.evaluation.clear()
    monkeypatch.setattr(cached, "dataset", lambda name: tiny)
    monkeypatch.setattr(cached.predictions, "kept", lambda *_: given)


@pytest.mark.parametrize(
    ("labels", "answers"),
    [([4, 4, 9], [4, 9, 9]), ([4, 4, 9], [4, 4, 9]), ([7], [1]), (list(range(9)) * 5, list(range(9)) * 5)],
    ids=["three pictures", "three without a mistake", "one, wrong", "an empty class and no mistake"],
)
def test_few_digits_no_mistakes_and_an_empty_class_are_sensible_pages(
    metrics: AppTest, monkeypatch: pytest.MonkeyPatch, labels: list[int], answers: list[int]
) -> None:
    _few(monkeypatch, labels, answers)
    app = metrics.segmented_control(key="data").set_value("builtin").run()
    cached.evaluation.clear()
    assert not app.exception
    errors = sum(a != b for a, b in zip(labels, answers, strict=True))
    assert figures(app)[1] == f"{errors} of {len(labels)}"
    assert cell(app) == f"All mistakes: {errors or 'none'}"
    assert "nan" not in html(app)


def test_everything_can_be_taken_away(metrics: AppTest) -> None:
    labels = [button.label for button in metrics.get("download_button")]
    assert labels == ["Every digit, CSV", "Figures, JSON", "Report, text"]


def test_a_run_with_damaged_weights_is_said_and_the_page_stays(
    metrics: AppTest, monkeypatch: pytest.MonkeyPatch, digit_lab_home: Path
) -> None:
    from mnist_core.errors import DigitLabError

    def damaged(*_: object) -> None:
        raise DigitLabError("The weights of 'ann' cannot be read: gone.")

    monkeypatch.setattr(cached.predictions, "evaluate", damaged)
    metrics.segmented_control(key="data").set_value("builtin").run()
    run, digits = cached.all_runs()["ann"], cached.dataset("builtin")
    work = cached.evaluation(run.name, run.created, digits.fingerprint, run, digits)
    assert work.future.exception(PATIENCE) is not None
    metrics.run()
    assert not metrics.exception
    assert [error.value for error in metrics.error] == ["The weights of 'ann' cannot be read: gone."]


def test_a_persons_own_pictures_are_measured(metrics: AppTest, sample: Callable[[str], tuple[str, bytes, str]]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("2/board.jpg", sample("whiteboard.jpg")[1])
        file.writestr("3/notes.png", b"hello")
    metrics.segmented_control(key="data").set_value("own").run()
    assert not metrics.exception
    assert not figures(metrics), "nothing is measured before there are pictures"
    metrics.file_uploader(key="own").set_value(("mine.zip", archive.getvalue(), "application/zip")).run()
    digits = cached.own_digits(hashlib.sha256(archive.getvalue()).hexdigest(), "mine.zip", b"").future.result(PATIENCE)
    metrics.run()
    run = cached.all_runs()["ann"]
    cached.evaluation(run.name, run.created, digits.dataset.fingerprint, run, digits.dataset).future.result(PATIENCE)
    metrics.run()
    assert not metrics.exception
    assert figures(metrics)[1] == "0 of 1"
    assert [box.label for box in metrics.expander if "could not" in box.label] == ["1 file could not be used"]


def test_an_archive_that_is_none_is_said(metrics: AppTest) -> None:
    metrics.segmented_control(key="data").set_value("own").run()
    metrics.file_uploader(key="own").set_value(("mine.zip", b"hello", "application/zip")).run()
    cached.own_digits(hashlib.sha256(b"hello").hexdigest(), "mine.zip", b"").future.exception(PATIENCE)
    metrics.run()
    assert not metrics.exception
    assert "mine.zip cannot be read as a ZIP archive" in metrics.warning[0].value

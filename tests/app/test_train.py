"""The Train page: what the sliders do, what a link brings, and what is shown of a training at each of its moments."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import data
from mnist_core.cluster import Job, Limits
from mnist_core.errors import DigitLabError
from mnist_core.recipes import DISTORTIONS, PRESETS, Recipe
from mnist_core.snapshots import Snapshot
from mnist_core.trained import Progress
from pages.components import cached
from pages.components.knobs import OPTIMIZERS
from tests.app.conftest import PATIENCE, ROOT, SEVEN, Hand

TRAIN = "pages/train/train.py"
CLASSIC = PRESETS["classic-50-50"].recipe


class Desk:
    """Stands in for the jobs: takes what is submitted, and is told by the test what becomes of it."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.orders: list[tuple[str, str]] = []
        self.submitted: list[dict[str, Any]] = []
        self.refusal = ""
        self.limits = Limits()

    def submit(self, recipe: Recipe, **how: Any) -> str:
        if self.refusal:
            raise DigitLabError(self.refusal)
        self.submitted.append({"recipe": recipe, **how})
        name = f"job-{len(self.jobs)}"
        self.jobs[name] = Job(name, how["owner"], recipe, how["dataset"], "starting", 0, "", None, (), None, 0.0, None)
        return name

    def get(self, id: str) -> Job:
        if id not in self.jobs:
            raise DigitLabError("This training is not known here.")
        return self.jobs[id]

    def list(self, owner: str) -> list[Job]:
        return [job for job in self.jobs.values() if job.owner == owner]

    def becomes(self, **changes: Any) -> None:
        last = list(self.jobs)[-1]
        self.jobs[last] = replace(self.jobs[last], **changes)

    def __getattr__(self, order: str) -> Any:
        return lambda id: self.orders.append((order, id))


@pytest.fixture
def desk(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr(cached, "training_jobs", lambda: made)
    return made


def open_train(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run().switch_page(TRAIN).run()


@pytest.fixture
def train(desk: Desk) -> AppTest:
    return open_train()


def news(epoch: int, step: int = 43, accuracy: float = 0.9, held: float | None = None) -> Progress:
    seconds = (epoch - 1) * 4.3 + step / 10
    return Progress(epoch, 10, step, 43, 0.5, accuracy, seconds, held, held)


def html(app: AppTest) -> str:
    return " ".join(block.value for block in app.get("html"))


def drawing_of_network(app: AppTest) -> str:
    found = next(block.value for block in app.markdown if "dl-net" in block.value)
    return str(re.search('aria-label="([^"]*)"', found).group(1))  # type: ignore[union-attr]


def facts(app: AppTest) -> dict[str, str]:
    lists = re.findall('<dl class="dl-facts">(.*?)</dl>', html(app))
    return {name: value for one in reversed(lists) for name, value in re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", one)}


def address(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def start(app: AppTest) -> AppTest:
    return app.button(key="train-start").click().run()


# --- before the start


def test_mnist_is_got_from_here_or_it_is_said_why_not(train: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def offline(progress: object) -> None:
        asked.append(progress)
        raise DigitLabError("There is no network.")

    monkeypatch.setattr(data, "download_mnist", offline)
    train.button(key="train-get-mnist").click().run()
    assert len(asked) == 1
    assert [one.value for one in train.error] == ["There is no network."]


def test_at_first_everything_is_set_and_one_press_trains(train: AppTest, desk: Desk) -> None:
    assert not train.exception
    assert not train.warning
    start(train)
    assert not train.exception
    (sent,) = desk.submitted
    assert (sent["recipe"], sent["dataset"], sent["drawing"]) == (CLASSIC, "builtin", None)


def test_the_drawing_and_the_figures_follow_the_sliders(train: AppTest) -> None:
    assert drawing_of_network(train) == "28 by 28 pixels, 50 relu, 50 relu, 10 sigmoid"
    assert facts(train)["Weights"] == "42,310"
    train.slider(key="train-layers").set_value(1).run()
    train.select_slider(key="train-units-1").set_value(128).run()
    assert drawing_of_network(train) == "28 by 28 pixels, 128 relu, 10 sigmoid"
    assert facts(train)["Weights"] == "101,770"


def test_a_layer_that_comes_back_has_the_size_it_had(train: AppTest) -> None:
    train.select_slider(key="train-units-2").set_value(16).run()
    train.slider(key="train-layers").set_value(1).run()
    train.slider(key="train-layers").set_value(2).run()
    assert train.select_slider(key="train-units-2").value == 16


def test_a_widget_that_a_browser_puts_up_anew_begins_where_it_stood(train: AppTest) -> None:
    """Otherwise it would send its first choice, and a training that is begun then would be another one."""
    train.selectbox(key="train-preset").select("ann").run()
    train.select_slider(key="train-epochs").set_value(100).run()
    train.slider(key="train-layers").set_value(2).run()
    assert train.slider(key="train-layers").proto.default == [2]
    optimizer = train.selectbox(key="train-optimizer")
    assert optimizer.options[optimizer.proto.default] == OPTIMIZERS["adamw"]
    assert train.toggle(key="train-batch_norm").proto.default is True
    stood = {"epochs": "100", "learning_rate": "0.002", "units-2": "1024", "rotation": "12°", "variants": "30 %"}
    for name, shown in stood.items():
        slider = train.select_slider(key=f"train-{name}")
        assert slider.options[int(slider.proto.default[0])] == shown


def test_what_was_changed_is_marked_and_set_back_one_by_one(train: AppTest) -> None:
    train.select_slider(key="train-epochs").set_value(3).run()
    train.slider(key="train-layers").set_value(1).run()
    assert "●" in train.select_slider(key="train-epochs").label
    assert "●" not in train.select_slider(key="train-learning_rate").label
    assert train.button(key="train-back-epochs").label == "Epochs: 3"
    train.button(key="train-back-hidden").click().run()
    assert train.slider(key="train-layers").value == 2
    assert train.select_slider(key="train-epochs").value == 3, "only the one that was pressed"
    train.button(key="train-back-epochs").click().run()
    assert not [button for button in train.button if button.key.startswith("train-back")]


def test_what_a_server_would_stop_is_said_before_it_is_trained(desk: Desk) -> None:
    desk.limits = Limits(seconds=1e-6, memory=1)
    first, second = (one.value for one in open_train().warning)
    assert "a training is stopped here after under a second" in first
    assert "**Epochs before they repeat**" in second


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_all_sliders(train: AppTest, desk: Desk, name: str) -> None:
    train.selectbox(key="train-preset").select(name).run()
    assert not train.exception
    assert not [button for button in train.button if button.key.startswith("train-back")]
    start(train)
    assert desk.submitted[0]["recipe"] == PRESETS[name].recipe


def test_a_convolutional_network(train: AppTest, desk: Desk) -> None:
    train.segmented_control(key="train-kind").set_value("Convolutional").run()
    train.select_slider(key="train-filters-1").set_value(8).run()
    assert drawing_of_network(train).startswith("28 by 28 pixels, 8 filters, 32 filters, 50 relu")
    start(train)
    assert desk.submitted[0]["recipe"].model.filters == (8, 32)


@pytest.mark.parametrize("strength", ["light", "medium", "strong"])
def test_distortions_are_set_together(train: AppTest, desk: Desk, strength: str) -> None:
    train.segmented_control(key="train-strength").set_value(strength).run()
    for name, set_to in vars(DISTORTIONS[strength]).items():
        assert train.select_slider(key=f"train-{name}").value == set_to, name
    start(train)
    assert desk.submitted[0]["recipe"].training.distortion.active


def test_what_another_choice_makes_idle_is_disabled_and_not_sent(train: AppTest, desk: Desk) -> None:
    train.selectbox(key="train-preset").select("ann").run()
    train.selectbox(key="train-optimizer").select("sgd").run()
    train.selectbox(key="train-loss").select("sparse_categorical_crossentropy").run()
    assert not train.exception
    assert not train.error
    assert train.select_slider(key="train-weight_decay").disabled
    assert train.select_slider(key="train-label_smoothing").disabled
    assert train.select_slider(key="train-crossed_out").disabled
    start(train)
    how = desk.submitted[0]["recipe"].training
    assert (how.weight_decay, how.label_smoothing, how.non_digits, how.crossed_out, how.teacher) == (0, 0, 0, 0, "")
    train.selectbox(key="train-optimizer").select("adamw").run()
    assert train.select_slider(key="train-weight_decay").value == 0.02, "it is still what it was"


def test_digits_are_crossed_out_only_among_drawings_that_are_none(train: AppTest, desk: Desk) -> None:
    train.selectbox(key="train-preset").select("ann").run()
    assert train.select_slider(key="train-crossed_out").value == 0.2
    train.select_slider(key="train-non_digits").set_value(0.0).run()
    assert train.select_slider(key="train-crossed_out").disabled
    start(train)
    assert desk.submitted[0]["recipe"].training.crossed_out == 0


def test_a_convolutional_start_is_offered_to_layers_that_can_have_one(train: AppTest, desk: Desk) -> None:
    slider = "train-convolutional_start"
    assert train.select_slider(key=slider).disabled, "50 units are not 144 for each pattern"
    train.select_slider(key="train-units-1").set_value(288).run()
    train.select_slider(key="train-units-2").set_value(144).run()
    assert not train.select_slider(key=slider).disabled
    train.select_slider(key=slider).set_value(0.5).run()
    start(train)
    train.select_slider(key="train-units-2").set_value(50).run()
    assert not train.error
    assert train.select_slider(key=slider).disabled
    start(train)
    sent = [job["recipe"] for job in desk.submitted]
    assert [(one.model.hidden, one.training.convolutional_start) for one in sent] == [((288, 144), 0.5), ((288, 50), 0)]


def test_a_choice_that_goes_wrong_is_warned_of(train: AppTest) -> None:
    train.select_slider(key="train-learning_rate").set_value(0.1).run()
    assert "Sigmoid outputs" in train.warning[0].value
    train.slider(key="train-layers").set_value(0).run()
    assert "Without a hidden layer" in " ".join(warning.value for warning in train.warning)


def test_it_can_be_taken_along_as_a_command_and_as_a_script(train: AppTest) -> None:
    train.select_slider(key="train-epochs").set_value(3).run()
    command, script = (block.value for block in train.code)
    assert command == "python -m mnist_core train --preset classic-50-50 --data builtin --epochs 3"
    assert "keras.Sequential" in script


def test_the_drawing_of_the_draw_page_goes_along(train: AppTest, desk: Desk, hand: Hand) -> None:
    train.switch_page("pages/recognise/draw.py").run()
    hand.draw(*SEVEN)
    train.run()
    hand.leave(train)
    start(train.switch_page(TRAIN).run())
    digit = desk.submitted[0]["drawing"]
    assert (digit.shape, digit.dtype, digit.max() > 0.9) == ((28, 28), np.float32, True)


# --- the address


def test_the_address_has_the_whole_recipe_and_brings_it_back(train: AppTest, desk: Desk) -> None:
    train.slider(key="train-layers").set_value(1).run()
    train.select_slider(key="train-learning_rate").set_value(0.01).run()
    train.number_input(key="train-seed").set_value(7).run()
    link = address(train)
    assert link["recipe"] == "hidden-50~output-sigmoid~learning_rate-0.01~seed-7"
    other = open_train(**link)
    start(other)
    expected = CLASSIC.with_changes(hidden=(50,), learning_rate=0.01, seed=7)
    assert desk.submitted[0]["recipe"] == expected


def test_a_link_may_hold_what_no_slider_stops_at(desk: Desk) -> None:
    app = open_train(recipe="hidden-77-1300~learning_rate-0.0031~epochs-137~dropout-0.33")
    assert not app.exception
    assert app.select_slider(key="train-units-1").value == 77
    start(app)
    recipe = desk.submitted[0]["recipe"]
    assert (recipe.model.hidden, recipe.model.dropout) == ((77, 1300), 0.33)
    assert (recipe.training.learning_rate, recipe.training.epochs) == (0.0031, 137)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("hidden-1000000000", "between 4 and 4096"),
        ("learning_rate-nan", "must be a number"),
        ("learning_rate--1", "must lie between"),
        ("sauce-2", "no field called"),
    ],
)
def test_a_forged_link_is_refused_with_a_sentence(desk: Desk, recipe: str, words: str) -> None:
    app = open_train(recipe=recipe)
    assert not app.exception
    assert words in app.error[0].value
    assert drawing_of_network(app).startswith("28 by 28 pixels, 50 relu"), "the page goes on with the first preset"


def test_a_forged_slider_value_does_not_get_through(train: AppTest, desk: Desk) -> None:
    train.slider(key="train-layers").set_value(9).run()
    assert not train.exception
    start(train)
    assert all(len(sent["recipe"].model.hidden) <= 5 for sent in desk.submitted)


def test_the_sliders_are_as_they_were_after_a_visit_to_another_page(train: AppTest) -> None:
    train.select_slider(key="train-epochs").set_value(3).run()
    train.switch_page("pages/recognise/upload.py").run()
    train.switch_page(TRAIN).run()
    assert train.select_slider(key="train-epochs").value == 3


def test_a_link_to_a_training_brings_its_recipe(desk: Desk) -> None:
    recipe = CLASSIC.with_changes(hidden=(20,), epochs=7, learning_rate=0.0031)
    desk.submit(recipe, owner="somebody else", dataset="builtin")
    app = open_train(job="job-0")
    assert (app.slider(key="train-layers").value, app.select_slider(key="train-epochs").value) == (1, 7)
    start(app)
    assert desk.submitted[-1]["recipe"] == recipe
    other = open_train(job="job-0", recipe="hidden-128")
    assert other.select_slider(key="train-units-1").value == 128, "a recipe in the address comes first"


def test_a_run_can_be_named_beforehand(train: AppTest, desk: Desk) -> None:
    assert train.text_input(key="train-name").placeholder == "dense-50-50-1"
    train.text_input(key="train-name").set_value(" my-first ").run()
    start(train)
    assert desk.submitted[0]["name"] == "my-first"


# --- while it trains


def test_each_moment_has_its_sentence_and_its_buttons(train: AppTest, desk: Desk) -> None:
    start(train)
    assert address(train)["job"] == "job-0"
    assert "It begins in a moment." in html(train)
    desk.becomes(status="queued", position=3)
    train.run()
    assert "Number 3 in the queue." in html(train)
    assert "Somebody else's network is learning" in unescape(html(train))
    desk.becomes(status="running", position=0, news=(news(1, 10), news(1, held=0.8), news(2, 20)))
    train.run()
    assert "Learning: epoch 2 of 10." in html(train)
    shown = facts(train)
    assert (shown["Step"], shown["Validation"], shown["Digits a second"]) == ("20 of 43", "80.0%", "320")
    assert len(train.get("plotly_chart")) == 2
    assert train.button(key="train-step").disabled
    train.button(key="train-pause").click().run()
    desk.becomes(status="paused")
    train.run()
    assert "Paused in epoch 2 of 10." in html(train)
    train.button(key="train-step").click().run()
    train.button(key="train-resume").click().run()
    train.button(key="train-stop").click().run()
    assert desk.orders == [(order, "job-0") for order in ("pause", "step", "resume", "stop")]


@pytest.mark.parametrize(
    ("left", "words"), [(600.0, "10 minutes"), (541.0, "10 minutes"), (61.0, "2 minutes"), (5.0, "a minute")]
)
def test_whoever_waits_for_a_pause_is_told_so(train: AppTest, desk: Desk, left: float, words: str) -> None:
    start(train)
    desk.becomes(status="queued", position=1, held_up=left)
    train.run()
    said = unescape(html(train))
    assert f"Somebody has paused a training. Unless it goes on, it is stopped within {words}." in said
    assert "is learning" not in said


def test_weights_confusion_and_the_own_drawing_are_shown(train: AppTest, desk: Desk) -> None:
    start(train)
    probabilities = np.full(10, 0.02)
    probabilities[7] = 0.82
    counts = np.diag(np.full(10, 5))
    counts[4, 9] = 2
    weights = np.full((50, 28, 28), 128, np.uint8)
    desk.becomes(status="running", news=(news(1),), snapshot=Snapshot(1, weights, counts, probabilities))
    train.run()
    assert not train.exception
    assert "Weights of 50 units after epoch 1" in html(train)
    assert "2 of 52 held-back digits read wrong" in html(train)
    assert "7, 82%" in html(train)


def test_somebody_elses_training_can_only_be_watched(desk: Desk) -> None:
    desk.submit(CLASSIC, owner="somebody else", dataset="builtin")
    desk.becomes(status="running", news=(news(1),))
    app = open_train(job="job-0")
    assert "You are watching." in " ".join(caption.value for caption in app.caption)
    assert "train-stop" not in [button.key for button in app.button]


def test_a_failed_training_says_why_and_what_to_do(train: AppTest, desk: Desk) -> None:
    start(train)
    desk.becomes(status="failed", message="The loss stopped being a number.", finished=1.0)
    train.run()
    assert "The loss stopped being a number. Change the recipe below" in train.error[0].value
    assert not train.button(key="train-start").disabled


def test_an_unknown_training_and_a_full_queue_get_a_sentence(desk: Desk) -> None:
    app = open_train(job="nobody-knows")
    assert "not known here" in app.warning[0].value
    desk.refusal = "20 trainings are waiting already."
    start(app)
    assert "20 trainings are waiting" in app.error[0].value
    start(app)
    assert len(app.error) == 1


# --- afterwards


@pytest.fixture
def done(train: AppTest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A training that has ended, with a run that looks as the bundled one does."""
    start(train)
    runs = dict(cached.all_runs())
    runs["50-50-1"] = replace(runs["classic-50-50"], name="50-50-1", origin="trained", dataset="builtin")
    lookup = lambda: runs  # noqa: E731 - it needs an attribute, as the cached function has
    lookup.clear = lambda: None
    monkeypatch.setattr(cached, "all_runs", lookup)
    desk.becomes(status="done", run="50-50-1", news=(news(10),), finished=1.0)
    return train.run()


def test_the_result_stands_beside_the_bundled_and_the_published_ones(done: AppTest) -> None:
    assert not done.exception
    rows = re.findall("<tr.*?</tr>", html(done))[1:]
    assert len(rows) == 1 + sum(run.origin == "bundled" for run in cached.all_runs().values()) + 3
    assert "50-50-1" in rows[0]
    assert "97.2 %" in rows[-3]
    assert "not the same test" in " ".join(caption.value for caption in done.caption)


def test_the_result_leads_to_runs_and_to_a_comparison(done: AppTest) -> None:
    ways = {link.label: link.query_string for link in (one.proto for one in done.get("page_link"))}
    assert ways["Look at it on Runs"] == "runs=50-50-1"
    assert ways["Compare it with classic-50-50"] == "runs=50-50-1&runs=classic-50-50"


def test_the_new_network_answers_on_all_pages(done: AppTest) -> None:
    done.button(key="outcome-use").click().run()
    assert done.sidebar.selectbox(key="run").value == "50-50-1"
    assert done.button(key="outcome-use").disabled


def test_it_goes_on_for_five_epochs_or_again_with_another_seed(done: AppTest, desk: Desk) -> None:
    done.button(key="outcome-more").click().run()
    more = desk.submitted[-1]
    assert (more["recipe"].training.epochs, more["continue_from"], more["dataset"]) == (5, "50-50-1", "builtin")
    desk.becomes(status="done", run="50-50-1", finished=1.0)
    done.run()
    done.button(key="outcome-seed").click().run()
    again = desk.submitted[-1]
    assert (again["recipe"], again["continue_from"]) == (CLASSIC.with_changes(seed=1), None)

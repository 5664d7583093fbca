"""The Mistakes page: kinds, filters, order, pages, one digit large, and every network's answer to it."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import data, figures, mistakes, runs
from mnist_core.mistakes import Wanted
from mnist_core.predictions import Predictions
from mnist_core.wording import a_digit
from pages.components import browse, cached
from tests.app.conftest import run_without_a_mistake

ROOT = Path(__file__).parents[2]
MISTAKES = "pages/understand/mistakes.py"
PATIENCE = 60


def answers(name: str) -> Predictions:
    run, digits = cached.all_runs()[name], cached.dataset("builtin")
    return cached.evaluation(run.name, run.created, digits.fingerprint, run, digits).future.result(PATIENCE)


@pytest.fixture
def app(networks: None) -> AppTest:
    """The app, open at Mistakes with the built-in digits."""
    cached.evaluation.clear()  # of a home that is gone
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run().switch_page(MISTAKES).run()
    app.segmented_control(key="data").set_value("builtin").run()
    answers("ann")
    app.run()
    assert not app.exception
    return app


def html(app: AppTest) -> str:
    return "".join(block.value for block in app.get("html"))


def count(app: AppTest) -> str:
    return re.sub("<.*?>", "", re.findall('dl-cell".*?</p>', html(app))[0].partition(">")[2])


def shown(app: AppTest) -> list[int]:
    """Rows of the digits on the page."""
    keys = (str(button.key) for button in app.button)
    return [int(key.removeprefix("digit-")) for key in keys if re.fullmatch(r"digit-\d+", key)]


def test_the_mistakes_come_worst_first_with_the_worst_one_large(app: AppTest) -> None:
    given = answers("ann")
    rows = mistakes.choose(given, None, Wanted())
    assert shown(app) == rows.tolist()[:24]
    assert count(app) == f"{len(rows)} of 359 digits"
    first = rows[0]
    assert f"{a_digit(given.labels[first]).capitalize()}, read as {given.predicted[first]}, " in html(app)
    assert f"Loss {-np.log(given.true_probability[first]):.2f}." in html(app), "of the probability that is shown"


def test_an_eight_is_spoken_of_as_people_do(app: AppTest) -> None:
    app.selectbox(key="true").set_value("8").run()
    app.segmented_control(key="which").set_value("all").run()
    assert re.search(r"An 8, read (right|as \d), ", html(app))


def test_an_answer_that_would_be_refused_has_grey_bars(app: AppTest) -> None:
    given = answers("ann")
    app.selectbox(key="sort").set_value("number").run()
    for which, colour in (("unsure", figures.GUESS), ("right", figures.ANSWER)):
        app.segmented_control(key="which").set_value(which).run()
        bars = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]
        assert bars["marker"]["color"][int(given.predicted[shown(app)[0]])] == colour


def test_no_probability_is_written_as_none(app: AppTest) -> None:
    first = mistakes.choose(answers("ann"), None, Wanted())[0]
    assert answers("ann").true_probability[first] < 0.0005, "the worst mistake of all"
    assert f"The {answers('ann').labels[first]} was given less than 0.1%." in html(app)


def test_another_digit_is_looked_at(app: AppTest) -> None:
    row = shown(app)[3]
    app.button(key=f"digit-{row}").click().run()
    assert not app.exception
    assert f"Number {row:,} of 359" in html(app)


def test_a_kind_of_mistake_is_chosen_and_let_go(app: AppTest) -> None:
    kind = mistakes.kinds(answers("ann"), None)[0]
    assert app.pills(key="kind").options[0].startswith(f"{kind.true} read as {kind.predicted}: {kind.n}")
    app.pills(key="kind").set_value(browse.pair(kind.true, kind.predicted)).run()
    assert not app.exception
    assert count(app) == f"{kind.n} of 359 digits"
    assert {answers("ann").labels[row] for row in shown(app)} == {kind.true}
    assert app.selectbox(key="true").value == str(kind.true)
    app.pills(key="kind").set_value(None).run()
    assert app.selectbox(key="true").value == "any"


def test_all_digits_are_filtered_sorted_and_paged(app: AppTest) -> None:
    app.segmented_control(key="which").set_value("all").run()
    app.selectbox(key="sort").set_value("stroke").run()
    given, digits = answers("ann"), cached.dataset("builtin")
    traits = cached.traits_of(digits.fingerprint, digits)
    assert shown(app) == np.argsort(traits.stroke, kind="stable")[:24].tolist()
    app.session_state["page"] = 2
    app.run()
    assert shown(app) == np.argsort(traits.stroke, kind="stable")[24:48].tolist()
    app.slider(key="range-certainty").set_value((0.0, 0.5)).run()
    assert not app.exception
    assert set(shown(app)) <= set(np.flatnonzero(given.certainty <= 0.51).tolist())


def test_nothing_that_is_wanted_is_said(app: AppTest) -> None:
    app.selectbox(key="true").set_value("0").run()
    app.selectbox(key="read").set_value("1").run()
    assert not app.exception
    assert "No digit is like that" in count(app)
    assert not shown(app)


def test_who_else_gets_it_right_is_asked_on_demand(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "<table" not in html(app)
    row = shown(app)[0]
    some = {name: cached.all_runs()[name] for name in ("ann", "classic-50-50")}
    monkeypatch.setattr(cached, "all_runs", lambda: some)
    answers("classic-50-50")
    app.session_state["closer-runs"] = True
    app.run()
    assert not app.exception
    right = sum(not answers(name).wrong[row] for name in some)
    assert re.search(f"{right} of 2 read|None of them|All of them", html(app))
    assert html(app).count("<tr><th") == 1 + len(some)
    assert html(app).count("</b>, right</td>") == right


def opened(app: AppTest, key: str) -> str:
    """What a part of the digit's panel holds, when it is opened."""
    before = html(app) + "".join(one.value for one in app.markdown)
    app.session_state[key] = True
    app.run()
    assert not app.exception
    return (html(app) + "".join(one.value for one in app.markdown)).replace(before, "")


def test_what_speaks_for_the_answer_and_for_the_true_digit_is_drawn_and_said(app: AppTest) -> None:
    assert "dl-evidence" not in "".join(one.value for one in app.markdown), "worked out when it is opened"
    row, given = shown(app)[0], answers("ann")
    true, read = given.labels[row], given.predicted[row]
    text = opened(app, "closer-evidence")
    assert f"coloured by whether it speaks for {read} or for {true}" in text
    assert 'rect class="dl-for"' in text
    assert 'rect class="dl-against"' in text
    assert f"ink that speaks for {read}, the answer" in text
    assert f"for {true}, what was written" in text


def test_of_a_digit_that_is_read_right_the_second_guess_is_held_against_it(app: AppTest) -> None:
    app.segmented_control(key="which").set_value("right").run()
    row, given = shown(app)[0], answers("ann")
    read, second = np.argsort(-given.probabilities[row])[:2]
    assert f"for {second}, its second guess" in opened(app, "closer-evidence")
    assert given.labels[row] == read


def test_the_nearest_training_digits_of_both_digits_are_shown(app: AppTest) -> None:
    run = cached.all_runs()["ann"]
    cached.gathering(cached.recognizer(run.name, run.created).result(), cached.dataset("builtin")).future.result()
    row, given = shown(app)[0], answers("ann")
    text = opened(app, "closer-nearest")
    for digit, whose in ((given.predicted[row], "its answer"), (given.labels[row], "what was written")):
        assert f"The nearest <b>{digit}</b>s, {whose}:" in text
        assert text.count(f'title="{a_digit(digit).capitalize()}, training digit number') == 4
    assert re.search(f"The nearest of all is a [{given.predicted[row]}{given.labels[row]}]", text)


def test_what_goes_on_inside_is_shown_layer_by_layer(app: AppTest) -> None:
    text = opened(app, "closer-inside")
    assert re.findall(r"<b>(Layer \d)</b>: \d+ of ([\d,]+) units take part", text) == [
        ("Layer 1", "1,280"),
        ("Layer 2", "1,024"),
        ("Layer 3", "768"),
    ]


def test_the_digit_is_taken_to_stress(app: AppTest) -> None:
    (link,) = (one.proto for one in app.get("page_link") if one.proto.label == "Disturb this digit on Stress")
    row = re.search(r"Number ([\d,]+) of", html(app))
    assert row
    assert dict(parse_qsl(link.query_string)) == {"data": "Built-in digits", "example": row[1].replace(",", "")}


def test_without_mnist_there_are_numbers_and_the_way_to_the_pictures(networks: None) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run().switch_page(MISTAKES).run()
    assert not app.exception
    assert len(app.dataframe[0].value) == runs.load_run("ann").metrics.test_errors
    assert "stroke" not in str(app.selectbox(key="sort").options), "what needs pictures is not offered"
    app.selectbox(key="number").select_index(5).run()
    assert not app.exception
    assert [box.label for box in app.expander if "speaks" in box.label] == [], "there is no picture to speak of"
    assert [button.label for button in app.button if "MNIST" in button.label] == ["Get MNIST (11 MB)"]


def test_a_network_without_a_mistake_is_congratulated(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    run_without_a_mistake(app, monkeypatch)
    assert not app.exception
    assert "Every digit is read right" in app.success[0].value
    app.segmented_control(key="which").set_value("right").run()
    assert not app.exception


@pytest.mark.parametrize(
    ("labels", "read"),
    [([4, 4, 9], [4, 9, 9]), ([7], [1]), ([7], [7]), (list(range(9)) * 5, [*range(8), 3] * 5)],
    ids=["three pictures", "one, wrong", "one, right", "an empty class"],
)
def test_few_digits_and_an_empty_class_are_sensible_pages(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, labels: list[int], read: list[int]
) -> None:
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 28, 28), np.uint8)
    few = data.Dataset("builtin", "few", images[:0], np.zeros(0, np.int64), images, np.array(labels))
    logs = np.full((len(labels), 10), -4.0, np.float32)
    logs[np.arange(len(labels)), read] = -0.2
    monkeypatch.setattr(cached, "dataset", lambda name: few)
    monkeypatch.setattr(cached.predictions, "kept", lambda *_: Predictions("ann", "builtin", np.array(labels), logs))
    cached.evaluation.clear()
    errors = int((np.array(labels) != read).sum())
    app.run()
    assert not app.exception
    assert count(app).startswith(f"{errors} of {len(labels)} digit" if errors else "No digit is like that")
    assert len(shown(app)) == errors
    if errors:
        assert "dl-evidence" in opened(app, "closer-evidence")
    cached.evaluation.clear()

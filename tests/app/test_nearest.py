"""The digits most like a drawing, and the drawing as it grew."""

import re
from concurrent.futures import Future

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import data
from mnist_core.errors import DigitLabError
from mnist_core.explain import Gallery
from pages.components import among, cached, nearest
from pages.components.cached import Work
from tests.app.conftest import SEVEN, Hand

STAR = ((60, 60), (220, 220), (60, 220), (220, 60), (60, 60), (140, 250), (220, 100), (40, 140))


def blocks(app: AppTest, kind: str) -> list[str]:
    return [block.value for block in app.get("html") if f'class="{kind}"' in block.value]


def gathered() -> None:
    """Have the training digits looked at before the page asks."""
    run = cached.all_runs()["ann"]
    network = cached.recognizer(run.name, run.created).result()
    cached.gathering(network, cached.dataset("builtin")).future.result()


def test_a_refused_drawing_shows_why_and_the_nearest_digits(draw: AppTest, hand: Hand) -> None:
    gathered()
    hand.draw(*STAR)
    draw.run()
    assert not draw.exception
    (shown,) = blocks(draw, "dl-digits")
    assert "too unlike each of the ten digits" in shown
    assert shown.count("<img") == nearest.COUNT
    assert any("1,438 built-in digits" in caption.value for caption in draw.caption), "it says whose digits they are"


def test_of_an_accepted_one_they_are_shown_on_demand(draw: AppTest, hand: Hand) -> None:
    gathered()
    hand.draw(*SEVEN)
    draw.run()
    assert not blocks(draw, "dl-digits")
    draw.session_state["draw-nearest-accepted"] = True
    draw.run()
    (shown,) = blocks(draw, "dl-digits")
    labels = re.findall(r"<b>(\d)</b>", shown)
    assert len(labels) == nearest.COUNT
    assert labels.count("7") >= nearest.COUNT / 2


def test_while_the_digits_are_looked_at_the_page_says_how_far_it_is(
    draw: AppTest, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(1438, done=719)
    monkeypatch.setattr(cached, "gathering", lambda recognizer, dataset: work)
    hand.draw(*STAR)
    draw.run()
    assert not draw.exception
    assert not blocks(draw, "dl-digits")
    (bar,) = draw.get("progress")
    assert (bar.value, bar.text) == (50, "The network looks at 1,438 training digits, once: 719 done.")


def test_digits_that_cannot_be_had_get_a_sentence(draw: AppTest, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: Future[Gallery] = Future()
    failed.set_exception(DigitLabError("There are no training digits."))
    monkeypatch.setattr(cached, "gathering", lambda recognizer, dataset: Work(1, future=failed))
    hand.draw(*STAR)
    draw.run()
    assert not draw.exception
    assert [error.value for error in draw.error] == ["There are no training digits."]


def test_a_damaged_mnist_is_replaced_by_the_builtin_digits(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"damaged")
    monkeypatch.setenv("MNIST_DATA_DIR", str(tmp_path))
    assert any(place.found for place in data.mnist_places())
    assert nearest.dataset().name == "builtin"


def looked_at() -> None:
    """Have the test digits looked at, and answered, before the page asks."""
    run, digits = cached.all_runs()["ann"], cached.dataset("builtin")
    network = cached.recognizer(run.name, run.created).result()
    cached.test_digits(network, digits).future.result()
    cached.evaluation(run.name, run.created, digits.fingerprint, run, digits).future.result()


def words(app: AppTest) -> str:
    return "".join(one.value for one in [*app.get("html"), *app.markdown])


def test_a_drawing_is_placed_among_the_test_digits_when_that_is_asked_for(draw: AppTest, hand: Hand) -> None:
    looked_at()
    hand.draw(*SEVEN)
    draw.run()
    assert "The test digits most like yours" not in words(draw)
    draw.session_state["draw-among"] = True
    draw.run()
    assert not draw.exception
    (shown,) = blocks(draw, "dl-digits")
    assert shown.count('role="listitem"') == among.COUNT
    assert "ann reads" in words(draw)
    assert "**7 read as 7**" in words(draw)
    assert any("MNIST is not on this machine" in one.value for one in draw.caption)
    assert any("359 test digits as ann sees them" in one.value for one in draw.caption)


def test_who_meant_another_digit_gets_its_cell(draw: AppTest, hand: Hand) -> None:
    looked_at()
    hand.draw(*SEVEN)
    draw.session_state["draw-among"] = True
    draw.run()
    (menu,) = [one for one in draw.segmented_control if one.label == "Which digit did you mean?"]
    assert menu.value == 7
    menu.set_value(1).run()
    assert not draw.exception
    assert "**1 read as 7**" in words(draw)
    links = [one.proto.page_link if hasattr(one.proto, "page_link") else one.proto for one in draw.get("page_link")]
    assert [link.query_string for link in links] == [
        "run=ann&data=Built-in+digits&true=1&read=7",
        "run=ann&data=Built-in+digits&true=1&read=7&which=Read+wrong",
    ]


def test_while_the_test_digits_are_looked_at_the_page_says_how_far_it_is(
    draw: AppTest, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at()
    work: Work[cached.TestDigits] = Work(359, done=100)
    monkeypatch.setattr(cached, "test_digits", lambda recognizer, dataset: work)
    hand.draw(*SEVEN)
    draw.session_state["draw-among"] = True
    draw.run()
    assert not draw.exception
    assert not blocks(draw, "dl-digits")
    assert [bar.text for bar in draw.get("progress")] == ["100 of 359 test digits looked at"]


def test_the_drawing_as_it_grew(draw: AppTest, hand: Hand) -> None:
    hand.draw((90, 50), (70, 150), (210, 150))
    draw.run()
    assert not draw.get("expander") or all("stroke by stroke" not in one.label for one in draw.expander)
    hand.draw((170, 40), (170, 240))
    draw.run()
    assert any("stroke by stroke" in one.label for one in draw.expander)
    draw.session_state["draw-replay"] = True
    draw.run()
    assert not draw.exception
    (shown,) = blocks(draw, "dl-moments")
    assert shown.count("<img") == 2
    assert re.findall("After (.*?)</small>", shown) == ["1 stroke", "2 strokes"]
    assert re.findall(r'class="dl-turn">(\d)</b>', shown) == ["4"], "the second stroke made it a 4"


@pytest.mark.parametrize("forged", [{"type": "Path"}, "text", {"path": [["M", 1, {}]]}], ids=str)
def test_forged_strokes_are_not_replayed(draw: AppTest, hand: Hand, forged: object) -> None:
    hand.draw(*SEVEN)
    hand.strokes = [forged, forged]
    draw.session_state["draw-replay"] = True
    draw.run()
    assert not draw.exception
    assert ["no stroke of the pen" in error.value for error in draw.error] == [True]

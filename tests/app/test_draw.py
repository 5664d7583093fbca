"""The Draw page: what it says at every moment of drawing."""

import json
import re
from concurrent.futures import Future

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import figures
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import in_percent
from mnist_core.recognizer import Recognizer
from pages.components import cached
from tests.app.conftest import SEVEN, Hand
from tests.app.test_nearest import STAR

STEPS = ["In grey", "Light evened out", "White ink on black", "The digit found", "Centred in 28 by 28"]


def sentences(app: AppTest) -> list[str]:
    return [found for block in app.get("html") for found in re.findall('dl-sentence">(.*?)</p>', block.value)]


def reasons(app: AppTest) -> list[str]:
    """What stands below the answers."""
    quiet = [found for block in app.get("html") for found in re.findall('dl-quiet">(.*?)</div>', block.value)]
    return [line for some in quiet for line in re.findall("<p>(.*?)</p>", some)]


def together(app: AppTest) -> list[str]:
    """What is read where there is more than one digit."""
    texts = [re.findall('<pre class="dl-text".*?>(.*?)</pre>', block.value, re.DOTALL) for block in app.get("html")]
    return [re.sub("<.*?>", "", text) for some in texts for text in some]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_a_blank_canvas_gets_no_guess_and_says_what_to_do(draw: AppTest) -> None:
    assert not draw.exception
    assert sentences(draw) == ["No digit yet."]
    assert not draw.get("plotly_chart"), "no bars without a digit"
    assert all(draw.button(key=key).disabled for key in ("undo", "redo", "clear"))


def test_the_answer_comes_with_the_stroke(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    assert not draw.exception
    assert sentences(draw) == ["7, quite sure."]
    assert len(draw.get("plotly_chart")) == 1
    assert not draw.button(key="undo").disabled
    assert not draw.button(key="clear").disabled


def test_a_drawing_without_a_digit_is_told_why_and_gets_no_bars(draw: AppTest, hand: Hand) -> None:
    hand.draw((140, 140), (141, 140))
    draw.run()
    assert not draw.exception
    assert sentences(draw) == ["No digit found."], "something was drawn"
    assert reasons(draw) == ["Nothing in the picture is drawn with a pen&#x27;s stroke."]
    assert not draw.get("plotly_chart")


def test_a_refused_drawing_is_told_how_sure_the_network_is_and_has_to_be(draw: AppTest, hand: Hand) -> None:
    hand.draw(*STAR)
    draw.run()
    (run,) = (run for name, run in cached.all_runs().items() if name == "ann")
    needed = f"would have to be at least {in_percent(run.calibration.least_probability)} sure."
    assert [reason.endswith(needed) for reason in reasons(draw)] == [True], "of ten alike there is no runner-up"
    bars = json.loads(draw.get("plotly_chart")[0].proto.spec)["data"][0]
    assert max(zip(bars["y"], bars["marker"]["color"], strict=True))[1] == figures.GUESS


def test_a_refused_drawing_is_no_digit_anywhere_on_the_page(draw: AppTest, hand: Hand) -> None:
    hand.draw((50, 50), (230, 230))
    draw.run()
    hand.draw((230, 50), (50, 230))
    draw.run()
    draw.session_state["draw-replay"] = True
    draw.run()
    assert sentences(draw)[0].startswith("This does not look like a digit.")
    shown = " ".join(block.value for block in draw.get("html"))
    assert "From here on it is" not in shown
    assert '<b class="dl-unsure">?</b> <span>no digit</span>' in shown


def test_two_digits_are_read_together_and_looked_at_on_upload_if_so_wished(draw: AppTest, hand: Hand) -> None:
    hand.draw(*((x - 70, y) for x, y in SEVEN))
    draw.run()
    assert not together(draw), "there is but one"
    hand.draw((220, 60), (220, 230))
    draw.run()
    assert together(draw) == ["71"]
    draw.button(key="read-all").click().run()
    assert draw.title[0].value == "Read pictures"
    assert together(draw) == ["71"]
    hand.leave(draw)
    draw.switch_page("pages/recognise/draw.py").run()
    draw.run()
    draw.button(key="read-all").click().run()
    assert "**1 picture**" in " ".join(block.value for block in draw.markdown), "the same drawing is not read twice"


def test_every_step_is_shown_with_its_sentence(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    shown = " ".join(labels(draw))
    assert all(step in shown for step in STEPS)
    assert "280 by 280" in " ".join(caption.value for caption in draw.caption)


def test_opening_the_last_step_shows_the_784_numbers(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    draw.button(key="draw-open-centred").click().run()
    details = next(block.value for block in draw.get("html") if 'class="dl-details"' in block.value)
    numbers = [int(number) for number in re.findall(r"<i[^>]*>(\d+)</i>", details)]
    assert len(numbers) == 784
    assert max(numbers) > 200
    assert numbers[0] == 0, "the corner is black"
    draw.button(key="draw-open-centred").click().run()
    draw.run()
    assert not any('class="dl-details"' in block.value for block in draw.get("html")), "a second click closes it"


def test_undo_redo_and_clear(draw: AppTest, hand: Hand) -> None:
    hand.draw((140, 40), (140, 240))
    draw.run()
    assert sentences(draw) == ["1, quite sure."]
    hand.draw((60, 40), (140, 40))
    draw.run()
    draw.button(key="undo").click().run()
    draw.run()  # the canvas has sent what it shows now
    assert len(hand.strokes) == 1
    assert sentences(draw) == ["1, quite sure."]
    draw.button(key="redo").click().run()
    draw.run()
    assert len(hand.strokes) == 2
    draw.button(key="clear").click().run()
    assert sentences(draw) == ["No digit yet."]
    draw.run()
    assert hand.strokes == []
    draw.button(key="undo").click().run()
    assert len(hand.strokes) == 2, "what was cleared by mistake comes back"


def test_a_new_stroke_ends_what_redo_can_bring_back(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    draw.button(key="undo").click().run()
    draw.run()
    assert not draw.button(key="redo").disabled
    hand.draw((140, 40), (140, 240))
    draw.run()
    assert draw.button(key="redo").disabled


@pytest.mark.parametrize(("name", "digit"), [("0", "0"), ("7 with a bar", "7"), ("4, closed", "4")])
def test_samples_go_onto_the_canvas(draw: AppTest, hand: Hand, name: str, digit: str) -> None:
    draw.selectbox(key="sample").select(name).run()
    assert draw.selectbox(key="sample").value is None, "the same one can be chosen again"
    draw.run()
    assert hand.strokes
    assert sentences(draw)[0].startswith(digit)


def test_the_pen_has_the_chosen_width(draw: AppTest, hand: Hand) -> None:
    draw.slider(key="pen").set_value(30).run()
    assert hand.told["stroke_width"] == 30


def test_another_network_answers_the_same_drawing(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    draw.sidebar.selectbox(key="run").select("classic-50-50").run()
    assert "42,310" in " ".join(caption.value for caption in draw.sidebar.caption)
    assert sentences(draw)[0].startswith("7")


def test_two_networks_answer_side_by_side(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    draw.sidebar.selectbox(key="compare").select("classic-50-50").run()
    assert not draw.exception
    assert len(sentences(draw)) == len(draw.get("plotly_chart")) == 2
    names = [found for block in draw.get("html") for found in re.findall('dl-whose">(.*?)</p>', block.value)]
    assert names == ["ann", "classic-50-50"]


def test_a_network_is_not_compared_with_itself(draw: AppTest) -> None:
    assert "ann" not in draw.sidebar.selectbox(key="compare").options
    draw.sidebar.selectbox(key="compare").select("classic-50-50").run()
    draw.sidebar.selectbox(key="run").select("classic-50-50").run()
    assert not draw.exception
    assert "classic-50-50" not in draw.sidebar.selectbox(key="compare").options


def test_the_digit_and_the_answer_can_be_taken_away(draw: AppTest, hand: Hand) -> None:
    assert not draw.get("download_button")
    hand.draw(*SEVEN)
    draw.run()
    assert [button.label for button in draw.get("download_button")] == ["Digit, 28 by 28", "Answer"]


def test_while_the_network_loads_the_page_says_so_and_the_steps_are_there(
    draw: AppTest, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading: Future[Recognizer] = Future()
    monkeypatch.setattr(cached, "recognizer", lambda name, created: loading)
    hand.draw(*SEVEN)
    draw.run()
    assert sentences(draw) == ["One moment."]
    assert any("waking up" in block.value for block in draw.get("html"))
    assert any("The digit found" in label for label in labels(draw))


def test_a_network_that_cannot_be_loaded_is_named(draw: AppTest, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: Future[Recognizer] = Future()
    failed.set_exception(DigitLabError("The weights of 'ann' cannot be read."))
    lookup = lambda name, created: failed  # noqa: E731 - it needs an attribute, as the cached function has
    lookup.clear = lambda *args: None
    monkeypatch.setattr(cached, "recognizer", lookup)
    hand.draw(*SEVEN)
    draw.run()
    assert not draw.exception
    assert [error.value for error in draw.error] == ["The weights of 'ann' cannot be read."]


@pytest.mark.parametrize("image", [b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40)], ids=["text", "broken"])
def test_forged_canvas_data_gets_a_sentence(draw: AppTest, hand: Hand, image: bytes) -> None:
    hand.strokes, hand.image, hand.sent = [{"type": "Path"}], image, True
    draw.run()
    assert not draw.exception
    assert len(draw.error) == 1
    assert sentences(draw) == ["No digit yet."]


@pytest.mark.parametrize("strokes", ["many", [{}] * 501], ids=["no list", "too many"])
def test_forged_strokes_get_a_sentence(draw: AppTest, hand: Hand, strokes: object) -> None:
    hand.draw(*SEVEN)
    hand.strokes = strokes
    draw.run()
    assert not draw.exception
    assert "clear it and draw again" in draw.error[0].value


def test_the_drawing_is_still_there_after_a_visit_to_another_page(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SEVEN)
    draw.run()
    draw.switch_page("pages/recognise/upload.py").run()
    hand.leave(draw)
    draw.switch_page("pages/recognise/draw.py").run()
    assert hand.told["initial_drawing"]["objects"] == hand.strokes
    assert sentences(draw) == ["7, quite sure."]

"""The x-ray on Draw and Upload: the answer after each step, steps left out, and what each is worth."""

import re
from collections.abc import Callable
from dataclasses import fields

from streamlit.testing.v1 import AppTest

from mnist_core.preprocess import Settings
from mnist_core.xray import SWITCHES
from tests.app.conftest import Hand

SMALL_SEVEN = ((170, 190), (230, 187), (215, 210), (200, 255))


def notes(app: AppTest) -> list[str]:
    """What stands under the steps."""
    found = [re.findall("dl-then[^>]*>(.*?)</p>", block.value) for block in app.get("html")]
    return [re.sub("<.*?>", "", note) for some in found for note in some]


def small_seven(draw: AppTest, hand: Hand) -> None:
    hand.draw(*SMALL_SEVEN)
    draw.run()
    assert not draw.exception


def test_every_step_tells_the_answer_and_one_turns_it(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    under = notes(draw)
    steps = [button.label for button in draw.button if re.match(r"\d+\. ", button.label)]
    assert len(under) == len(steps)
    turn = under.index("From here on it is a 7")
    assert turn > 0, "the whole small drawing shrunk to 28x28 is no 7 yet"
    assert all(re.fullmatch(r"If it ended here: \d, >?\d+%", note) for i, note in enumerate(under) if i != turn)
    assert all(note.startswith("If it ended here: 7,") for note in under[turn + 1 :])


def test_a_blank_canvas_has_no_x_ray(draw: AppTest) -> None:
    assert notes(draw) == []


def test_a_step_that_is_left_out_changes_the_pictures(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    assert not any("Switched off" in caption.value for caption in draw.caption)
    draw.pills(key="draw-left-out").set_value(["crop"]).run()
    assert not draw.exception
    (off,) = (caption.value for caption in draw.caption if "Switched off" in caption.value)
    assert off == "Switched off: the whole picture is kept."
    draw.pills(key="draw-left-out").set_value([]).run()
    assert not any("Switched off" in caption.value for caption in draw.caption)


def test_what_each_step_is_worth_is_told_when_asked(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    draw.session_state["draw-worth"] = True
    draw.run()
    assert not draw.exception
    told = [text.value for text in draw.markdown] + [caption.value for caption in draw.caption]
    assert any("without" in text.lower() or "could be missing" in text for text in told)


def test_pictures_have_the_answer_after_each_step_too(
    upload: AppTest, sample: Callable[[str], tuple[str, bytes, str]]
) -> None:
    upload.file_uploader[0].set_value([sample("whiteboard.jpg")]).run()
    assert not upload.exception
    assert "From here on it is a 2" in notes(upload)


def test_the_record_of_a_network_is_in_the_sidebar(draw: AppTest) -> None:
    record = next(block.value for block in draw.sidebar.get("html") if 'class="dl-record"' in block.value)
    words = re.sub("<.*?>", " ", record)
    for expected in ("95 % interval", "of 10,000", "3,114,506", "99.65 %"):
        assert expected in words


def test_a_number_that_is_moved_changes_the_pictures_and_is_set_back(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    assert not any(button.key == "draw-set-back" for button in draw.button)
    draw.slider(key="draw-set-box_side").set_value(14).run()
    draw.pills(key="draw-left-out").set_value(["centre_by_mass"]).run()
    draw.slider(key="draw-set-pens").set_value((1.0, 5.0)).run()
    assert not draw.exception
    captions = " ".join(caption.value for caption in draw.caption)
    assert "box of 14 by 14 pixels" in captions
    texts = [text.value for text in draw.markdown]
    assert "4 settings are not as usual." in texts, "the box, the centring, and the pen's two limits"
    assert any(text.startswith("With the usual settings: **7") for text in texts)
    draw.button(key="draw-set-back").click().run()
    draw.run()
    assert not draw.exception
    assert "box of 20 by 20 pixels" in " ".join(caption.value for caption in draw.caption)
    assert draw.slider(key="draw-set-pens").value == (2.0, 3.4)
    assert draw.pills(key="draw-left-out").value == []
    assert not any(button.key == "draw-set-back" for button in draw.button)


def test_what_was_changed_is_still_so_after_a_visit_to_another_page(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    draw.pills(key="draw-left-out").set_value(["crop"]).run()
    draw.slider(key="draw-set-box_side").set_value(14).run()
    draw.switch_page("pages/recognise/upload.py").run()
    hand.leave(draw)
    draw.switch_page("pages/recognise/draw.py").run()
    draw.run()  # the canvas says that it shows the drawing again
    assert draw.pills(key="draw-left-out").value == ["crop"]
    assert draw.slider(key="draw-set-box_side").value == 14
    assert any("Switched off" in caption.value for caption in draw.caption)


def test_every_setting_of_preprocessing_can_be_changed_here(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    moved = {one.key for kind in (draw.slider, draw.toggle, draw.selectbox) for one in kind}
    names = {one.name for one in fields(Settings)} - set(SWITCHES) - {"thinnest", "heaviest"} | {"pens"}
    assert {f"draw-set-{name}" for name in names} <= moved


def test_what_a_number_counts_and_what_zero_means_is_to_be_seen(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    sliders = {str(one.key).removeprefix("draw-set-"): one for one in draw.slider}
    shares = {name for name, one in sliders.items() if "(share of " in one.label}
    assert shares == {"light_window", "threshold", "speck_size", "join_gap"}
    assert sliders["box_side"].label.endswith("(pixels)")
    automatic = {name for name, one in sliders.items() if one.label.endswith(", 0 = automatic)")}
    assert automatic == {name for name, one in sliders.items() if one.value == 0}


def test_a_forged_number_changes_nothing(draw: AppTest, hand: Hand) -> None:
    small_seven(draw, hand)
    draw.slider(key="draw-set-box_side").set_value(99)
    draw.run()
    assert not draw.exception
    sides = re.findall(r"box of (\d+) by", " ".join(caption.value for caption in draw.caption))
    assert sides == ["20"], "Streamlit takes no value from a browser that the slider does not have"

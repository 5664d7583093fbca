"""The x-ray on Draw and Upload: the answer after each step, steps left out, and what each is worth."""

import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

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

"""The Upload page: good pictures, bad ones, many, and what can be taken away."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mnist_core.images import encode_png
from mnist_core.preprocess import Box, Prepared
from mnist_core.recognizer import Recognition
from pages.components import boxes, cached, reading

File = tuple[str, bytes, str]


def texts(app: AppTest) -> list[str]:
    blocks = [re.findall('dl-text" role="status">(.*?)</pre>', block.value, re.DOTALL) for block in app.get("html")]
    return [re.sub("<.*?>", "", found) for block in blocks for found in block]


def remarks(app: AppTest) -> str:
    """What is said about the text, such as how much of it is uncertain."""
    return " ".join(found for block in app.get("html") for found in re.findall('dl-quiet">(.*?)</p>', block.value))


def quiet(app: AppTest) -> str:
    """All that is said without raising the voice."""
    return " ".join(block.value for block in app.get("html") if "dl-quiet" in block.value)


def sentences(app: AppTest) -> list[str]:
    return [found for block in app.get("html") for found in re.findall('dl-sentence">(.*?)</p>', block.value)]


def written(*signs: str) -> File:
    """A page with the sample strokes of these names in a row, or strokes as between the parts of a date."""
    picture = np.full((260, 60 + 170 * len(signs)), 235, np.uint8)
    for place, name in enumerate(signs):
        for stroke in [[(0.1, 1.15), (0.65, -0.15)]] if name == "/" else cached.sample_strokes()[name].strokes:
            points = np.array(stroke) * 120 + (50 + 170 * place, 70)
            cv2.polylines(picture, [points.round().astype(np.int32)], False, 40, 7, cv2.LINE_AA)
    return "page.png", encode_png(picture), "image/png"


def names(app: AppTest) -> list[str]:
    """Of the pictures whose cards are shown."""
    return [found for block in app.get("html") for found in re.findall('class="dl-name">(.*?)</h3>', block.value)]


class Browser:
    """Stands in for the boxes on the picture, which need a browser."""

    def __init__(self, app: AppTest) -> None:
        self.app = app
        self.data: dict[str, Any] = {}
        self.key = ""

    def __call__(self, *, data: dict[str, Any], key: str, on_news_change: Callable[[], None]) -> None:
        self.data, self.key, self.changed = data, key, on_news_change
        st.session_state[key] = {"news": None}

    @property
    def boxes(self) -> list[list[float]]:
        return [[box[side] for side in ("x", "y", "width", "height")] for box in self.data["boxes"]]

    @property
    def tags(self) -> list[str]:
        return [box["tag"] for box in self.data["boxes"]]

    def send(self, boxes: object, picked: object = None, number: object = None) -> None:
        """Say what a person has done, as the browser does it."""
        number = self.data["number"] + 1 if number is None else number
        self.tell(number=number, boxes=boxes, picked=picked)
        self.app.run()
        assert not self.app.exception

    def press(self, step: str) -> None:
        """Press the keys that undo or redo."""
        number = self.data["number"] + 1
        self.tell(number=number, step=step)
        self.app.run()
        assert not self.app.exception
        assert self.data["number"] == number, "or the browser would leave the answer aside"

    def tell(self, **news: object) -> None:
        """Send news, to which the page does not answer yet."""
        edits = self.app.session_state[self.key.removesuffix("-picture") + "-edits"]
        shown = [Box(*map(int, box)) for box in self.boxes]
        height, width = self.data["size"][::-1]
        edits.receive(news, shown, (height, width))


@pytest.fixture
def browser(upload: AppTest, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(upload)
    monkeypatch.setattr(boxes, "_picture", browser)
    return browser


def put(app: AppTest, *files: File) -> AppTest:
    return app.file_uploader[0].set_value(list(files)).run()


def test_with_nothing_uploaded_samples_are_offered(upload: AppTest) -> None:
    assert not upload.exception
    says = "PNG, JPEG, WebP, GIF or BMP, up to 10 MB each; at most 50 pictures."
    assert says in [caption.value for caption in upload.caption]
    offered = [button for button in upload.button if str(button.key).startswith("choose-")]
    assert len(offered) >= 8
    assert not upload.header, "no results yet"


def test_one_digit_is_answered_as_on_draw(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("whiteboard.jpg"))
    assert not upload.exception
    assert sentences(upload) == ["2, quite sure."]
    assert len(upload.get("plotly_chart")) == 1
    assert any("Centred" in button.label for button in upload.button), "a picture alone shows its steps at once"
    assert not upload.dataframe, "one picture needs no table"


def test_several_digits_are_read_in_order(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("two-lines.jpg"))
    assert texts(upload) == ["31415\n92650"]


def test_one_of_several_digits_can_be_looked_at_closer(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("two-lines.jpg"))
    assert not sentences(upload)
    upload.pills[0].set_value(2).run()
    assert not upload.exception
    assert sentences(upload)[0].startswith("4")
    assert any("Centred" in button.label for button in upload.button)


def test_a_digit_is_picked_on_the_picture_as_well(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "7", "5"))
    assert texts(upload) == ["375"]
    browser.send(browser.boxes, picked=1)
    assert upload.pills[0].value == 1
    assert sentences(upload)[0].startswith("7")
    upload.pills[0].set_value(2).run()
    assert browser.data["picked"] == 2


def test_the_reading_follows_the_boxes_and_goes_back(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "7", "5"))
    found = browser.boxes
    browser.send(found[:1] + found[2:])
    assert texts(upload) == ["35"]
    x, y, width, height = found[1]
    browser.send([*browser.boxes, [x - 9, y - 8, width + 20, height + 15]], picked=2)
    assert texts(upload) == ["375"], "in the order of the places"
    assert browser.data["picked"] == 1
    click(upload, "undo")
    assert texts(upload) == ["35"]
    click(upload, "redo")
    assert texts(upload) == ["375"]
    click(upload, "restore")
    assert browser.boxes == found
    click(upload, "undo")
    assert browser.boxes != found
    browser.send(browser.boxes, picked=0)
    click(upload, "delete")
    assert texts(upload) == ["75"]
    browser.send([])
    assert texts(upload) == ["No digits."]


def click(app: AppTest, name: str) -> None:
    next(button for button in app.button if str(button.key).endswith(f"-{name}")).click().run()
    assert not app.exception


@pytest.mark.parametrize(
    "forged",
    [
        "boxes",
        [[0, 0, float("nan"), 5]],
        [[0, 0, 10**400, 5]],
        [["0", "0", "5", "5"]],
        [[0, 0, 5]],
        [{"x": 0}],
        [[0, 0, 5, 5]] * 500,
        [[9000, 9000, 5, 5]],
        [[True, True, True, True]],
    ],
)
def test_forged_boxes_change_nothing(upload: AppTest, browser: Browser, forged: object) -> None:
    put(upload, written("3", "7", "5"))
    browser.send(forged, picked=0)
    assert len(upload.error) == 1
    assert texts(upload) == ["375"]
    browser.send(browser.boxes, picked=99, number="many")
    assert not upload.error, "the next good ones are taken"
    assert browser.data["picked"] is None


def test_a_person_corrects_a_digit_and_the_text_follows(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "7", "5"))
    upload.pills[0].set_value(1).run()
    assert sentences(upload) == ["7, quite sure."]
    correct(upload, "1")
    assert texts(upload) == ["315"]
    assert sentences(upload) == ["You say: 1.", "7, quite sure."]
    assert "The network read 7." in remarks(upload)
    assert browser.data["boxes"][1]["name"] == "Digit 2: You say: 1. The network read 7."
    assert "1 put right by hand" in remarks(upload)
    assert browser.tags == ["3", "1 \N{CHECK MARK}", "5"]
    click(upload, "undo")
    assert texts(upload) == ["375"]


def test_the_one_digit_of_a_picture_is_corrected_as_well(upload: AppTest, browser: Browser) -> None:
    put(upload, written("7"), ("other.png", _bar(0), "image/png"))
    assert list(upload.dataframe[0].value["Reads"]) == ["7", "1"]
    correct(upload, "1")
    assert sentences(upload) == ["You say: 1.", "7, quite sure.", "1, quite sure."]
    row = upload.dataframe[0].value.iloc[0]
    assert (row["Reads"], row["Remark"]) == ("1", "You say: 1. The network read 7.")
    correct(upload, reading.NO_DIGIT)
    assert list(upload.dataframe[0].value["Reads"]) == ["", "1"]
    correct(upload, "")
    assert sentences(upload) == ["7, quite sure.", "1, quite sure."]


def test_a_corrected_box_keeps_its_digit_when_it_is_moved_and_loses_it_when_it_is_deleted(
    upload: AppTest, browser: Browser
) -> None:
    put(upload, written("3", "7", "5"))
    upload.pills[0].set_value(1).run()
    correct(upload, "1")
    first, (x, y, width, height), last = browser.boxes
    browser.send([first, [x + 3, y + 2, width, height + 4], last], picked=1)
    assert texts(upload) == ["315"]
    browser.send([first, [0, 0, 20, 20], last, [x - 4, y, width + 8, height]], picked=1)
    assert browser.tags.count("1 \N{CHECK MARK}") == 1, "not the one that was added meanwhile"
    assert browser.boxes[browser.tags.index("1 \N{CHECK MARK}")] == [0, 0, 20, 20]
    click(upload, "undo")
    assert texts(upload) == ["315"]
    browser.send([first, last])
    assert texts(upload) == ["35"]
    browser.send([first, last, [x, y, width, height]])
    assert texts(upload) == ["375"], "a new box is nobody's yet"
    for _ in range(2):
        click(upload, "undo")
    assert texts(upload) == ["315"]


def test_a_box_moved_twice_before_the_page_has_answered_keeps_its_digit(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "7", "5"))
    upload.pills[0].set_value(1).run()
    correct(upload, "1")
    first, (x, y, width, height), last = browser.boxes
    browser.tell(number=1, boxes=[first, [x + 3, y, width, height], last], picked=1)
    browser.send([first, [x + 6, y, width, height], last], picked=1, number=2)
    assert texts(upload) == ["315"]


def test_boxes_are_undone_and_redone_with_keys(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "7", "5"))
    browser.press("undo")
    assert texts(upload) == ["375"], "there is nothing to undo"
    browser.send(browser.boxes[1:])
    browser.press("undo")
    assert texts(upload) == ["375"]
    browser.press("redo")
    assert texts(upload) == ["75"]


def test_what_is_uncertain_or_no_digit_is_flagged_everywhere(
    upload: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(upload, written("3", "7", "5"))
    places = browser.boxes
    by_place = dict(zip((box[0] for box in places), ("sure", "unsure", "none"), strict=True))
    monkeypatch.setattr(reading.Read, "kind", property(lambda read: by_place[read.box.x]))
    upload.run()
    assert texts(upload) == ["37?"]
    assert "1 uncertain, 1 left out (no digit)." in remarks(upload)
    assert browser.tags == ["3", "7?", "\N{MULTIPLICATION X}"]
    assert [box["kind"] for box in browser.data["boxes"]] == ["sure", "unsure", "none"]


def test_what_is_around_a_sign_counts_as_it_does_on_the_command_line(upload: AppTest, browser: Browser) -> None:
    put(upload, written(*"23/12/2026"))
    assert texts(upload) == ["23122026"]
    assert browser.tags[2] == "\N{MULTIPLICATION X}"
    assert browser.data["boxes"][2]["name"] == "Digit 3: Left out: it is a stroke of a date."
    assert "2 left out (no digit)." in remarks(upload)
    upload.pills[0].set_value(2).run()
    assert "Left out: it is a stroke of a date." in quiet(upload)
    assert sentences(upload) == ["1, quite sure."]
    correct(upload, "1")
    assert texts(upload) == ["231122026"]
    assert "Left out" not in quiet(upload)


def test_a_letter_beside_digits_is_refused(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "K", "5", "7"))
    upload.segmented_control[0].set_value("All digits").run()
    assert not upload.exception
    assert texts(upload)[0].replace("\n", "") == "357"
    assert "left out (no digit)" in remarks(upload)


def test_steps_are_left_out_on_upload_too(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("whiteboard.jpg"))
    assert not any("Switched off" in caption.value for caption in upload.caption)
    (switch,) = (pills for pills in upload.pills if str(pills.key).endswith("-left-out"))
    switch.set_value(["crop"]).run()
    assert not upload.exception
    assert any("Switched off" in caption.value for caption in upload.caption)


def test_people_decide_whether_it_is_one_digit_or_many(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("red-pen.jpg"))
    assert texts(upload) == ["10"]
    upload.segmented_control[0].set_value("One digit").run()
    assert not texts(upload)
    assert len(sentences(upload)) == 1


def test_a_page_taken_for_one_digit_is_said_to_hold_more(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("two-lines.jpg"))
    assert "There may be" not in quiet(upload)
    upload.segmented_control[0].set_value("One digit").run()
    assert re.search(r"There may be \d+ digits in this picture", quiet(upload))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.png", b"", "empty.png is empty"),
        ("notes.txt", b"seven", "text file"),
        ("cut.png", encode_png(np.zeros((40, 40), np.uint8))[:60], "damaged or incomplete"),
        ("<b>bold</b>.png", b"", "is empty"),
    ],
)
def test_a_bad_file_gets_its_sentence_and_the_others_are_done(
    upload: AppTest, sample: Callable[[str], File], name: str, data: bytes, says: str
) -> None:
    put(upload, (name, data, "image/png"), sample("whiteboard.jpg"))
    assert not upload.exception
    assert len(upload.error) == 1
    assert says in upload.error[0].value
    assert sentences(upload) == ["2, quite sure."]
    table = upload.dataframe[0].value
    assert list(table["Picture"]) == [name, "whiteboard.jpg"]
    assert says in table["Remark"][0]
    assert list(table["Reads"]) == ["", "2"]
    assert not any("<b>bold" in block.value for block in upload.get("html")), "names are no markup"


def test_a_bad_files_name_is_said_as_it_is_written(upload: AppTest) -> None:
    put(upload, ("my *first* [7](x) `n`.png", b"", "image/png"))
    assert upload.error[0].value.startswith(r"my \*first\* \[7\]\(x\) \`n\`.png is empty")


def test_the_table_counts_what_is_read_as_the_card_does(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "K", "5", "7"), ("paper.png", encode_png(np.full((300, 200), 250, np.uint8)), "image/png"))
    upload.button(key="choose-letter.jpg").click().run()
    upload.button(key="choose-chalkboard.jpg").click().run()
    upload.segmented_control[0].set_value("All digits").run()
    assert "3 digits on 1 line: 1 left out (no digit)." in remarks(upload)
    table = upload.dataframe[0].value
    assert list(table["Reads"]) == ["357", "", "", "4"]
    assert list(table["Digits"]) == [3, 0, 0, 1]
    assert list(table["Least sure"].isna()) == [False, True, True, False]
    assert table["Least sure"][0] > 0.9, "of the digits, not of the letter"
    assert upload.dataframe[0].proto.HasField("placeholder"), "an empty cell, not the word None"
    assert not upload.dataframe[0].proto.placeholder


def test_a_blank_picture_gets_no_guess(upload: AppTest) -> None:
    put(upload, ("paper.png", encode_png(np.full((300, 200), 250, np.uint8)), "image/png"))
    assert not upload.exception
    assert sentences(upload) == ["No digit found."]


def test_pictures_and_what_was_done_to_them_are_there_after_a_visit_to_another_page(
    upload: AppTest, browser: Browser, sample: Callable[[str], File]
) -> None:
    put(upload, written("3", "7", "5"))
    browser.send(browser.boxes[1:], picked=0)
    correct(upload, "1")
    put(upload, sample("red-pen.jpg"))
    upload.segmented_control[1].set_value("One digit").run()
    upload.button(key="choose-chalkboard.jpg").click().run()
    before = names(upload), texts(upload), browser.boxes
    assert before[:2] == (["page.png", "red-pen.jpg", "chalkboard.jpg"], ["15"])
    upload.switch_page("pages/recognise/draw.py").run()
    upload.switch_page("pages/recognise/upload.py").run()
    assert not upload.exception
    assert (names(upload), texts(upload), browser.boxes) == before
    click(upload, "undo")
    click(upload, "undo")
    assert texts(upload) == ["375"], "what can be undone is there as well"


def test_a_picture_is_taken_away_or_all_of_them(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("whiteboard.jpg"), ("notes.txt", b"seven", "text/plain"))
    put(upload, sample("chalkboard.jpg"))
    assert names(upload) == ["whiteboard.jpg", "notes.txt", "chalkboard.jpg"]
    remove(upload, 1)
    assert names(upload) == ["whiteboard.jpg", "chalkboard.jpg"]
    upload.button(key="choose-letter.jpg").click().run()
    assert names(upload) == ["whiteboard.jpg", "chalkboard.jpg", "letter.jpg"]
    remove(upload, 2)
    assert names(upload) == ["whiteboard.jpg", "chalkboard.jpg"]
    put(upload, sample("red-pen.jpg"))
    assert names(upload) == ["whiteboard.jpg", "chalkboard.jpg", "red-pen.jpg"], "none comes back"
    upload.button(key="remove-all").click().run()
    assert not names(upload)
    assert not upload.header
    put(upload, sample("whiteboard.jpg"))
    assert names(upload) == ["whiteboard.jpg"], "it can be brought again"


def remove(app: AppTest, number: int) -> None:
    [button for button in app.button if button.label == "Remove"][number].click().run()
    assert not app.exception


def test_what_was_taken_away_comes_back_with_all_that_was_done_to_it(upload: AppTest, browser: Browser) -> None:
    put(upload, ("*one* page.png", *written("3", "7", "5")[1:]))
    upload.pills[0].set_value(1).run()
    correct(upload, "1")
    assert texts(upload) == ["315"]
    remove(upload, 0)
    assert not texts(upload)
    assert upload.button(key="bring-back").label == r"Bring back \*one\* page.png", "its name formats nothing"
    upload.button(key="bring-back").click().run()
    assert not upload.exception
    assert texts(upload) == ["315"]
    upload.segmented_control[0].set_value("One digit").run()
    upload.button(key="remove-all").click().run()
    assert not names(upload)
    upload.button(key="bring-back").click().run()
    assert upload.segmented_control[0].value == "One digit"
    assert not any(button.key == "bring-back" for button in upload.button), "all are here"


def test_a_picture_that_is_taken_away_leaves_nothing_behind(upload: AppTest, browser: Browser) -> None:
    put(upload, written("3", "7", "5"))
    edits = f"{upload.session_state['collection'].pictures[0].key}-edits"
    browser.send(browser.boxes[1:])
    assert edits in upload.session_state
    remove(upload, 0)
    assert edits not in upload.session_state


def test_what_was_done_to_a_picture_does_not_depend_on_what_else_is_brought(
    upload: AppTest, browser: Browser, sample: Callable[[str], File]
) -> None:
    upload.button(key="choose-two-lines.jpg").click().run()
    upload.pills[0].set_value(0).run()
    correct(upload, "8")
    assert texts(upload) == ["81415\n92650"]
    page = written("3", "7", "5")
    put(upload, page, page)
    assert texts(upload) == ["81415\n92650", "375", "375"]
    browser.send(browser.boxes[1:])
    assert texts(upload) == ["81415\n92650", "375", "75"], "the same file twice is two pictures"
    remove(upload, 0)
    assert texts(upload) == ["375", "75"]


def correct(app: AppTest, digit: str) -> None:
    """Say what the digit is that is picked, or the one of the first picture."""
    menu, *_ = (box for box in app.selectbox if str(box.key).endswith("-correct"))
    menu.set_value(digit).run()
    assert not app.exception


def test_many_files_come_in_pages_and_in_one_table(upload: AppTest) -> None:
    files = [(f"{number}.png", _bar(number), "image/png") for number in range(reading.MOST_PICTURES + 3)]
    put(upload, *files)
    assert not upload.exception
    assert len(upload.dataframe[0].value) == reading.MOST_PICTURES
    assert "the first 50 are read" in upload.warning[0].value
    assert len(sentences(upload)) == 6
    upload.button(key="choose-letter.jpg").click().run()
    assert "Of these 51 pictures the first 50 are read" in upload.warning[0].value
    remove(upload, 0)
    assert not upload.warning
    upload.button(key="choose-letter.jpg").click().run()
    assert list(upload.dataframe[0].value["Picture"])[-1] == "letter.jpg"


def test_what_is_brought_next_is_in_view(upload: AppTest) -> None:
    put(upload, *((f"{number}.png", _bar(number), "image/png") for number in range(reading.PER_PAGE + 1)))
    assert names(upload)[0] == "0.png"
    upload.button(key="choose-letter.jpg").click().run()
    assert names(upload) == [f"{reading.PER_PAGE}.png", "letter.jpg"]


def _bar(number: int) -> bytes:
    picture = np.zeros((60, 60), np.uint8)
    picture[10:50, 26:32] = 255
    picture[0, 0] = number  # so that no two files are the same
    return encode_png(picture)


def test_pictures_are_read_once_however_often_the_page_runs(
    upload: AppTest, sample: Callable[[str], File], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(upload, sample("whiteboard.jpg"))
    monkeypatch.setattr(cached.images, "decode", lambda *args: pytest.fail("decoded again"))
    upload.run()
    assert not upload.exception
    assert sentences(upload) == ["2, quite sure."]


def test_samples_are_chosen_and_put_back(upload: AppTest) -> None:
    upload.button(key="choose-chalkboard.jpg").click().run()
    assert sentences(upload) == ["4, quite sure."]
    upload.button(key="choose-chalkboard.jpg").click().run()
    assert not sentences(upload)


def test_what_is_no_digit_is_shown_as_a_guess(upload: AppTest) -> None:
    upload.button(key="choose-letter.jpg").click().run()
    assert len(sentences(upload)) == 1
    assert "quite sure" not in sentences(upload)[0]
    assert any("dl-digit dl-guess" in block.value for block in upload.get("html"))


def take_photo(app: AppTest, name: str) -> None:
    shot = (cached.SAMPLES / name).read_bytes()
    app.camera_input[0].set_value(("shot.jpg", shot, "image/jpeg")).run()
    assert not app.exception


def test_the_camera_is_off_until_somebody_turns_it_on(upload: AppTest) -> None:
    assert not upload.camera_input
    upload.toggle(key="camera-on").set_value(True).run()
    take_photo(upload, "whiteboard.jpg")
    assert sentences(upload) == ["2, quite sure."]


def test_photos_stay_when_the_camera_is_switched_off(upload: AppTest) -> None:
    upload.toggle(key="camera-on").set_value(True).run()
    take_photo(upload, "whiteboard.jpg")
    take_photo(upload, "chalkboard.jpg")
    upload.toggle(key="camera-on").set_value(False).run()
    assert not upload.camera_input
    assert names(upload) == ["photo.jpg", "photo-2.jpg"]
    assert sentences(upload) == ["2, quite sure.", "4, quite sure."]


def test_two_networks_read_the_same_pictures(upload: AppTest, sample: Callable[[str], File]) -> None:
    upload.sidebar.selectbox(key="compare").select("classic-50-50").run()
    put(upload, sample("whiteboard.jpg"), sample("two-lines.jpg"))
    assert not upload.exception
    table = upload.dataframe[0].value
    assert list(table["Network"]) == ["ann", "classic-50-50"] * 2
    assert len(texts(upload)) == 2


def test_csv_cells_are_no_formulas() -> None:
    rows = [{"Picture": name, "Sure": 0.5} for name in ("=1+1", "+1", "-1", "@x", "\tx", "fine.png", "a=b")]
    lines = reading.as_csv(rows).splitlines()
    assert lines == [
        "Picture,Sure",
        "'=1+1,0.5",
        "'+1,0.5",
        "'-1,0.5",
        "'@x,0.5",
        "'\tx,0.5",
        "fine.png,0.5",
        "a=b,0.5",
    ]


def test_numbers_are_left_alone_in_csv() -> None:
    assert reading.as_csv([{"Change": -0.5, "Empty": None}]).splitlines() == ["Change,Empty", "-0.5,"]


def reads(*kinds: str) -> list[reading.Read]:
    """Digits 0, 1, 2 and so on, two a line, of these kinds."""
    found = []
    for digit, kind in enumerate(kinds):
        shares = np.zeros(10, np.float32)
        shares[[digit, digit + 1]] = (0.55, 0.45) if kind == "unsure" else (0.2, 0.1) if kind == "none" else (1, 0)
        prepared = Prepared((), np.zeros((28, 28), np.float32), Box(10 * digit, 20, 5, 8))
        recognition = Recognition(digit, shares, kind == "sure", "", prepared)
        found.append(
            reading.Read(digit // 2, recognition, "other" if kind == "none" else "digit", "7" if kind == "hand" else "")
        )
    return found


def test_the_text_has_line_breaks_and_question_marks() -> None:
    page = reads("sure", "unsure", "none", "hand", "none", "none", "sure")
    assert [read.kind for read in page] == ["sure", "unsure", "none", "hand", "none", "none", "sure"]
    assert reading.as_text(page) == "0?\n7\n6"
    assert reading.doubts(page) == "1 uncertain, 3 left out (no digit), 1 put right by hand."


def test_the_table_has_each_digit_with_its_box_in_pixels_of_the_file() -> None:
    seen = SimpleNamespace(size=(4000, 3000), shape=(1500, 2000))
    result = reading.Result("=page.png", "key", seen)
    lines = reading.as_csv(reading.table(result, reads("sure", "unsure", "none", "hand"))).splitlines()
    assert lines == [
        "Picture,Number,Line,Digit,Probability,Accepted,Left,Top,Width,Height",
        "'=page.png,1,1,0,1.0,sure,0,40,10,16",
        "'=page.png,2,1,1,0.55,uncertain,20,40,10,16",
        '\'=page.png,3,2,no digit,0.2,"no digit, left out",40,40,10,16',
        "'=page.png,4,2,7,,put right by hand,60,40,10,16",
    ]


def test_a_picture_is_as_sure_as_the_least_sure_of_the_digits_that_are_read() -> None:
    result = reading.Result("page.png", "key", None)

    def row(*kinds: str) -> tuple[object, ...]:
        page = reads(*kinds)
        recognizer = SimpleNamespace(run=SimpleNamespace(name="ann"))
        single = Recognition(None, np.zeros(10, np.float32), False, "", Prepared((), None, None))
        answers = reading.Answers(recognizer, single, (), None, tuple(page))
        found = reading.row(result, answers, True)
        return found["Reads"], found["Digits"], found["Least sure"]

    assert row("sure", "unsure", "none") == ("0?", 2, pytest.approx(0.55))
    assert row("sure", "none", "hand") == ("0 / 7", 2, 1.0)
    assert row("none", "hand") == ("7", 1, None)
    assert row("none") == ("", 0, None)

"""Upload, in a real browser: good files, bad ones, many, samples, and what can be taken away."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Locator, Page, expect

from mnist_core.images import MAX_BYTES, encode_png
from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.conftest import fits, settled
from tests.browser.server import Server

SAMPLES = Path(__file__).parents[2] / "assets" / "samples"


def open_upload(page: Page) -> Locator:
    page.goto("/upload")
    uploader = page.locator("[data-testid=stFileUploader] input[type=file]")
    uploader.wait_for(state="attached")
    return uploader


def seven(number: int) -> bytes:
    picture = np.full((80, 80), 240, np.uint8)
    cv2.polylines(picture, [np.array([[25, 20], [55, 20], [36, 62]])], False, 20, 5, cv2.LINE_AA)
    picture[0, 0] = number  # so that no two files are the same
    return encode_png(picture)


def test_a_good_and_a_bad_file(page: Page) -> None:
    uploader = open_upload(page)
    uploader.set_input_files(
        [
            {"name": "seven.png", "mimeType": "image/png", "buffer": seven(0)},
            {"name": "notes.png", "mimeType": "image/png", "buffer": b"seven"},
        ]
    )
    expect(page.locator(".dl-sentence")).to_have_text("7, quite sure.")
    expect(page.get_by_role("alert")).to_contain_text("notes.png is a text file")
    expect(page.get_by_alt_text("seven.png, digits found: 1")).to_be_visible()


def test_many_files_are_counted_and_paged_and_the_table_is_taken_away(page: Page) -> None:
    uploader = open_upload(page)
    uploader.set_input_files([{"name": f"{n:02}.png", "mimeType": "image/png", "buffer": seven(n)} for n in range(20)])
    expect(page.locator(".dl-sentence")).to_have_count(6)
    page.get_by_role("button", name="Page 4").click()
    expect(page.locator(".dl-name")).to_have_text(["18.png", "19.png"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 21
    assert lines[20].startswith("19.png,7,1,")
    for left in (["19.png"], [f"{n:02}.png" for n in range(12, 18)]):
        page.get_by_role("button", name="Remove", exact=True).first.click()
        expect(page.locator(".dl-name")).to_have_text(left)


def test_a_file_that_is_too_large_never_reaches_the_server(page: Page) -> None:
    uploader = open_upload(page)
    uploader.set_input_files(
        [
            {"name": "large.png", "mimeType": "image/png", "buffer": bytes(MAX_BYTES + 1)},
            {"name": "seven.png", "mimeType": "image/png", "buffer": seven(0)},
        ]
    )
    expect(page.get_by_text("File must be 10.0MB or smaller.")).to_be_visible()
    expect(page.locator(".dl-sentence")).to_have_text("7, quite sure.")


def test_a_page_of_digits_is_read_and_one_of_them_looked_at(page: Page) -> None:
    uploader = open_upload(page)
    uploader.set_input_files(SAMPLES / "two-lines.jpg")
    expect(page.locator(".dl-text")).to_have_text("31415\n92650")
    page.get_by_role("radio", name=re.compile("^9")).click()
    expect(page.locator(".dl-sentence")).to_have_text(re.compile("^9"))
    expect(page.get_by_role("button", name="Centred in 28 by 28")).to_be_visible()


PLACES = {"3": (60, 70), "1": (260, 70), "4": (460, 70), "2": (160, 330), "7": (360, 330)}


def handwriting() -> bytes:
    """A page of two lines, 314 and 27, in the strokes of the samples for the canvas."""
    strokes = {one["name"]: one["strokes"] for one in json.loads((SAMPLES / "strokes.json").read_text())["digits"]}
    picture = np.full((600, 800), 235, np.uint8)
    for name, place in PLACES.items():
        for stroke in strokes["4, open" if name == "4" else name]:
            points = np.rint(np.array(stroke) * 150 + place).astype(np.int32)
            cv2.polylines(picture, [points], False, 40, 8, cv2.LINE_AA)
    return encode_png(picture)


def open_handwriting(page: Page) -> Locator:
    """Bring that page, and wait until its boxes can be used."""
    open_upload(page).set_input_files({"name": "page.png", "mimeType": "image/png", "buffer": handwriting()})
    expect(page.locator(".dl-text")).to_have_text("314\n27")
    frame = page.locator(".frame")
    expect(frame.locator(".box")).to_have_count(5)
    frame.scroll_into_view_if_needed()
    return frame


def done(frame: Locator, number: int) -> None:
    """Wait until the page has answered this many changes."""
    expect(frame).to_have_attribute("data-number", str(number))
    expect(frame.locator(".unread")).to_have_count(0)


def middle(found: Locator) -> tuple[float, float]:
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_picture(frame: Locator, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture is on the screen."""
    box = frame.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / 800, box["y"] + y * box["height"] / 600


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def test_boxes_are_moved_deleted_and_added_by_hand_and_the_text_follows(page: Page) -> None:
    frame = open_handwriting(page)
    text = page.locator(".dl-text")
    seven = frame.get_by_role("button", name="Digit 5: 7")
    seven.click()
    expect(page.locator(".dl-sentence")).to_have_text(re.compile("^7"))
    done(frame, 1)
    drag(page, middle(seven.locator(".line")), on_picture(frame, 700, 500))
    expect(text).to_have_text("314\n2")
    done(frame, 2)
    expect(frame.locator(".none")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(text).to_have_text("314\n27")
    frame.get_by_role("button", name="Digit 2: 1").click()
    done(frame, 3)
    page.get_by_role("button", name="Delete box").click()
    expect(text).to_have_text("34\n27")
    expect(frame.locator(".box")).to_have_count(4)
    page.get_by_role("button", name="Add a box").click()
    expect(frame.locator("svg")).to_have_class(re.compile("adding"))
    drag(page, on_picture(frame, 250, 50), on_picture(frame, 400, 240))
    expect(text).to_have_text("314\n27")
    done(frame, 4)
    corner = frame.locator("[data-corner=se]")
    drag(page, middle(corner), on_picture(frame, 640, 240))  # round the 4 as well
    done(frame, 5)
    expect(text).not_to_have_text("314\n27")
    page.get_by_role("button", name="As found").click()
    expect(text).to_have_text("314\n27")
    frame.get_by_role("button", name="Digit 1: 3").press("Enter")
    done(frame, 6)
    frame.get_by_role("button", name="Digit 1: 3").press("Delete")
    expect(text).to_have_text("14\n27")
    done(frame, 7)
    with page.expect_download() as download:
        page.get_by_role("button", name="Digits as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert [line.split(",")[2:4] for line in lines[1:]] == [["1", "1"], ["1", "4"], ["2", "2"], ["2", "7"]]
    with page.expect_download() as download:
        page.get_by_role("button", name="Text", exact=True).click()
    assert download.value.path().read_text() == "14\n27\n"


def test_boxes_are_undone_with_keys_and_a_corrected_one_keeps_its_digit(page: Page) -> None:
    frame = open_handwriting(page)
    text = page.locator(".dl-text")
    frame.get_by_role("button", name="Digit 2: 1").press("Enter")
    done(frame, 1)
    page.get_by_role("combobox", name="Is that wrong?").click()
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(text).to_have_text("384\n27")
    expect(page.locator(".dl-sentence")).to_have_text(["You say: 8.", re.compile("^1")])
    legend = page.locator(".dl-key .dl-hand")
    expect(frame.locator(".hand .line")).to_have_css("stroke", "rgb(0, 121, 90)")
    expect(legend).to_have_css("border-top-color", "rgb(0, 121, 90)")
    box = frame.get_by_role("button", name="Digit 2: You say: 8. The network read 1.")
    line = box.locator(".line")
    before = int(line.get_attribute("x") or "")
    box.press("ArrowRight")
    done(frame, 2)
    expect(text).to_have_text("384\n27")
    assert int(line.get_attribute("x") or "") > before
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+z")  # at once: the page has not heard of it yet
    page.keyboard.press("Control+z")
    done(frame, 3)
    expect(page.get_by_role("button", name="Redo")).to_be_enabled()
    expect(line).to_have_attribute("x", str(before))
    page.keyboard.press("Control+z")
    expect(text).to_have_text("314\n27")
    page.keyboard.press("Control+y")
    expect(text).to_have_text("384\n27")
    for number in range(5):
        frame.get_by_role("button", name="Digit 1:").press("Delete")
        done(frame, 6 + number)
    expect(text).to_have_text("No digits.")
    page.keyboard.press("Control+z")
    expect(text).to_have_text("7")


def test_boxes_on_a_telephone_are_where_the_digits_are_and_follow_a_finger(phone: Page) -> None:
    frame = open_handwriting(phone)
    fits(phone)
    for number, (digit, (x, y)) in enumerate(PLACES.items(), start=1):
        box = frame.get_by_role("button", name=f"Digit {number}: {digit}").locator(".line").bounding_box()
        assert box is not None
        (left, top), (right, bottom) = on_picture(frame, x - 15, y - 15), on_picture(frame, x + 165, y + 165)
        assert left <= box["x"] <= box["x"] + box["width"] <= right
        assert top <= box["y"] <= box["y"] + box["height"] <= bottom
    seven = frame.get_by_role("button", name="Digit 5: 7").locator(".line")
    seven.tap()
    expect(phone.locator(".dl-sentence")).to_have_text(re.compile("^7"))
    done(frame, 1)
    frame.scroll_into_view_if_needed()
    screen = phone.context.new_cdp_session(phone)
    (x0, y0), (x1, y1) = middle(seven), on_picture(frame, 700, 500)
    for kind, share in (("touchStart", 0.0), *(("touchMove", part / 6) for part in range(1, 7))):
        at = [{"x": x0 + share * (x1 - x0), "y": y0 + share * (y1 - y0)}]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(phone.locator(".dl-text")).to_have_text("314\n2")


# The camera has no picture at first, and starts anew once its width is known: until then "Take Photo" does nothing. And
# a photo taken while the page is still being drawn may be lost on its way: so the test waits for that before. What is
# asked again and again cannot be async: a promise is taken for an answer, whatever it comes to.
_PRESS_UNTIL_TAKEN = """() => {
  if (document.querySelector("[data-testid=stCameraInput] img")) return true
  const button = document.querySelector("[data-testid=stCameraInputButton]")
  if (button?.textContent === "Take Photo") button.click()
  return false
}"""


def test_a_photo_is_taken_with_the_camera(browser: Browser, server: Server) -> None:
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    camera = browser.browser_type.launch(executable_path=executable(), args=[*ARGUMENTS, *flags])
    page = camera.new_page(base_url=server.url)
    open_upload(page)
    page.get_by_text("Use the camera").click()
    expect(page.get_by_role("button", name="Take Photo")).to_be_enabled()
    settled(page)
    page.wait_for_function(_PRESS_UNTIL_TAKEN)
    expect(page.locator(".dl-name")).to_have_text("photo.jpg")
    expect(page.get_by_role("button", name="Take Photo")).to_be_visible()
    page.get_by_text("Use the camera").click()
    expect(page.get_by_role("button", name="Take Photo")).to_have_count(0)
    expect(page.locator(".dl-name")).to_have_text("photo.jpg")
    camera.close()


def test_pictures_stay_while_another_page_is_looked_at_until_they_are_taken_away(page: Page) -> None:
    frame = open_handwriting(page)
    frame.get_by_role("button", name="Digit 1: 3").press("Delete")
    expect(page.locator(".dl-text")).to_have_text("14\n27")
    uploader = page.locator("[data-testid=stFileUploader] input[type=file]")
    large = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(MAX_BYTES + 1)}
    uploader.set_input_files([{"name": "seven.png", "mimeType": "image/png", "buffer": seven(0)}, large])
    expect(page.locator(".dl-name")).to_have_text(["page.png", "seven.png"])
    expect(page.get_by_test_id("stFileChip").filter(visible=True)).to_have_count(1)
    expect(page.get_by_text("File must be 10.0MB or smaller.")).to_be_visible()
    page.get_by_role("link", name="Draw").click()
    expect(page.locator(".dl-name")).to_have_count(0)
    page.get_by_role("link", name="Upload").click()
    expect(page.locator(".dl-name")).to_have_text(["page.png", "seven.png"])
    expect(page.locator(".dl-text")).to_have_text("14\n27")
    expect(page.get_by_test_id("stFileChip")).to_have_count(0)
    page.get_by_role("button", name="Remove", exact=True).first.click()
    expect(page.locator(".dl-name")).to_have_text(["seven.png"])
    uploader.set_input_files(SAMPLES / "whiteboard.jpg")
    expect(page.locator(".dl-name")).to_have_text(["seven.png", "whiteboard.jpg"])
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator(".dl-name")).to_have_count(0)


def test_samples_are_chosen_with_the_keyboard(page: Page) -> None:
    open_upload(page)
    for title in ("Whiteboard", "Phone held sideways"):
        page.get_by_role("button", name=title, exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.locator("[class*=st-key-sample-]:has(.dl-chosen)").filter(has_text=title)).to_be_visible()
        expect(page.get_by_role("button", name=title, exact=True)).to_be_focused()
    expect(page.locator(".dl-sentence")).to_have_text(["2, quite sure.", "9, quite sure."])
    expect(page.locator(".dl-quiet").filter(has_text="EXIF")).to_be_visible()


def test_a_picture_on_a_telephone(phone: Page) -> None:
    uploader = open_upload(phone)
    uploader.set_input_files(SAMPLES / "shadow.jpg")
    expect(phone.locator(".dl-sentence")).to_have_text(re.compile("7"))
    fits(phone)


def test_samples_fill_the_width_of_a_telephone(phone: Page) -> None:
    open_upload(phone)
    fits(phone)
    cards = phone.locator("[class*=st-key-sample-]")
    left, right, title = cards.nth(0).bounding_box(), cards.nth(1).bounding_box(), phone.locator("h1").bounding_box()
    assert left is not None and right is not None and title is not None
    assert left["y"] == right["y"]
    assert abs(left["x"] - title["x"]) <= 1
    assert abs(right["x"] + right["width"] - title["x"] - title["width"]) <= 1


def paper(width: int, height: int, digits: list[tuple[str, tuple[int, int], int]], pen: int) -> bytes:
    """Digits in the strokes of the samples for the canvas, each at its place and in its size."""
    strokes = {one["name"]: one["strokes"] for one in json.loads((SAMPLES / "strokes.json").read_text())["digits"]}
    picture = np.full((height, width), 235, np.uint8)
    for digit, place, size in digits:
        for stroke in strokes["4, open" if digit == "4" else digit]:
            points = np.rint(np.array(stroke) * size + place).astype(np.int32)
            cv2.polylines(picture, [points], False, 40, pen, cv2.LINE_AA)
    return encode_png(picture)


def open_paper(page: Page, picture: bytes, digits: int) -> Locator:
    open_upload(page).set_input_files({"name": "paper.png", "mimeType": "image/png", "buffer": picture})
    frame = page.locator(".frame")
    expect(frame.locator(".box")).to_have_count(digits)
    settled(page)
    frame.scroll_into_view_if_needed()
    return frame


def inside(one: Locator, other: Locator) -> bool:
    part, whole = one.bounding_box(), other.bounding_box()
    assert part is not None and whole is not None
    return (
        whole["x"] <= part["x"]
        and whole["y"] <= part["y"]
        and part["x"] + part["width"] <= whole["x"] + whole["width"]
        and part["y"] + part["height"] <= whole["y"] + whole["height"]
    )


def covered(frame: Locator) -> int:
    """How many boxes lie under a tag, by more than a line's breadth."""
    found: int = frame.evaluate(
        """frame => {
          const places = kind => [...frame.querySelectorAll(kind)].filter(
            one => getComputedStyle(one).visibility === "visible").map(one => one.getBoundingClientRect());
          const tags = places(".tag");
          return places(".box .line").filter(box => tags.some(tag =>
            Math.min(tag.right, box.right) - Math.max(tag.left, box.left) > 2
            && Math.min(tag.bottom, box.bottom) - Math.max(tag.top, box.top) > 2)).length;
        }"""
    )
    return found


def test_boxes_of_all_sizes_are_gone_through_in_reading_order(page: Page) -> None:
    digits = [("2", (20, 40), 60), ("4", (150, 40), 200), ("3", (420, 40), 90), ("7", (600, 40), 150)]
    frame = open_paper(page, paper(900, 300, digits, 8), 4)
    boxes = [frame.get_by_role("button", name=f"Digit {n}: {digit}") for n, (digit, *_) in enumerate(digits, 1)]
    in_order = [re.compile(f"^Digit {n}:") for n in range(1, 5)]
    for n, name in enumerate(in_order):
        expect(frame.locator(".box").nth(n)).to_have_attribute("aria-label", name)
    page.get_by_role("radio", name="All digits").focus()
    page.keyboard.press("Tab")
    expect(boxes[0]).to_be_focused()
    for box in [*boxes[1:], boxes[0], boxes[1]]:
        page.keyboard.press("ArrowRight")
        expect(box).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Add a box")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(boxes[1]).to_be_focused()


def test_the_digits_of_a_very_wide_picture_are_seen_and_dragged_where_it_scrolls(page: Page) -> None:
    digits = [("31427"[n % 5], (150 + 380 * n, 8), 44) for n in range(10)]
    frame = open_paper(page, paper(4000, 60, digits, 4), 10)
    size = frame.bounding_box()
    assert size is not None and size["height"] >= 40
    expect(frame.locator("img")).to_have_js_property("naturalWidth", 2048)  # as sharp as it is read
    assert covered(frame) == 0
    fits(page, 1280)
    scroller, last = page.locator(".scroller"), frame.get_by_role("button", name="Digit 10: 7")
    assert not inside(last.locator(".line"), scroller)
    frame.get_by_role("button", name="Digit 1: 3").press("ArrowLeft")
    expect(last).to_be_focused()
    assert inside(last.locator(".line"), scroller)
    last.press("Enter")
    done(frame, 1)
    x, y = middle(last.locator(".line"))
    drag(page, (x, y), (x - 60, y))
    expect(frame).to_have_attribute("data-number", "2")
    assert abs(middle(frame.locator(".picked .line"))[0] - (x - 60)) <= 2


def test_tags_leave_the_digits_of_a_crowded_page_free(page: Page) -> None:
    digits = [("31427"[n % 5], (40 + 95 * (n % 10), 30 + 95 * (n // 10)), 55) for n in range(100)]
    frame = open_paper(page, paper(1000, 1000, digits, 5), 100)
    assert covered(frame) == 0
    expect(frame.locator(".tag").filter(visible=True)).to_have_count(100)
    page.set_viewport_size({"width": 320, "height": 640})
    expect(frame.locator(".tag").filter(visible=True)).to_have_count(0)
    box = frame.get_by_role("button", name="Digit 45: 7")
    box.focus()
    expect(box.locator("text")).to_be_visible()
    expect(box.locator("text")).to_have_text("7")
    expect(frame.locator(".tag").filter(visible=True)).to_have_count(1)


def test_a_step_is_as_wide_and_as_high_as_its_picture_and_the_page_is_beside_it(page: Page) -> None:
    uploader = open_upload(page)
    uploader.set_input_files(
        {"name": "flat.png", "mimeType": "image/png", "buffer": paper(400, 200, [("3", (150, 30), 130)], 10)}
    )
    expect(page.locator(".dl-sentence")).to_have_text(re.compile("^3"))
    first = page.locator(".dl-step").first
    picture = first.locator("img")
    expect(picture).to_be_visible()
    settled(page)
    cell, size = first.bounding_box(), picture.bounding_box()
    assert cell is not None and size is not None
    assert abs(cell["width"] - cell["height"]) <= 1
    assert abs(size["width"] - 2 * size["height"]) <= 2
    assert abs(size["width"] - cell["width"]) <= 1
    for around in (first, picture):
        expect(around).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_a_small_box_is_picked_although_a_large_one_lies_over_it(page: Page) -> None:
    frame = open_handwriting(page)
    page.get_by_role("button", name="Add a box").click()
    expect(frame.locator("svg")).to_have_class(re.compile("adding"))
    drag(page, on_picture(frame, 430, 440), on_picture(frame, 790, 590))  # empty but for a corner of the 7's box
    done(frame, 1)
    expect(frame.locator(".none")).to_have_count(1)
    page.mouse.click(*on_picture(frame, 650, 520))
    done(frame, 2)
    expect(frame.locator(".picked")).to_have_count(0)
    page.mouse.click(*on_picture(frame, 440, 475))
    expect(frame.locator(".picked")).to_have_attribute("aria-label", re.compile("^Digit 5: 7"))
    heard = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    names = [node.get("name", {}).get("value", "") for node in heard]
    read_out = [name.split(":")[0] for name in names if name.startswith("Digit ") and ":" in name]
    assert read_out == [f"Digit {n}" for n in range(1, 7)]

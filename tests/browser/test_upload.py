"""Upload, in a real browser: good files, bad ones, many, samples, and what can be taken away."""

import re
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Locator, Page, expect

from mnist_core.images import MAX_BYTES, encode_png

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
    page.get_by_role("radio", name="9").click()
    expect(page.locator(".dl-sentence")).to_have_text(re.compile("^9"))
    expect(page.get_by_role("button", name="Centred in 28 by 28")).to_be_visible()


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
    assert phone.evaluate("document.querySelector('.stMain').scrollWidth") <= 390

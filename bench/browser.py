"""The app in a real Chromium, with a pen that draws a 7."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.inputs import SEVEN
from tests.browser.chromium import ARGUMENTS, ensure

PATIENCE = 120_000  # ms
ANSWERED = ".dl-digit:not(:text-is('?'))"
UNANSWERED = ".dl-digit:text-is('?')"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; it ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that goes with the block."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def open_canvas(browser: Browser, url: str, script: str = "") -> Page:
    """Open the Draw page, with a script of ours in it, and wait for its canvas."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    if script:
        page.add_init_script(script)
    page.goto(url)
    page.locator("canvas.upper-canvas").wait_for()
    return page


def draw_seven(page: Page) -> None:
    """Draw one stroke with the mouse, and lift it."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()


def wait_for_answer(page: Page) -> None:
    """Wait until a digit is named."""
    page.locator(ANSWERED).wait_for()


def clear(page: Page) -> None:
    """Clear the canvas and wait until no digit is named."""
    page.get_by_role("button", name="Clear").click()
    page.locator(UNANSWERED).wait_for()

"""How long a stress curve takes to be measured, and a slider to change the answers on the page."""

import time

from playwright.sync_api import Page

from bench.browser import PATIENCE, chromium, temporary_folder
from bench.metrics import many
from bench.report import Figure, medians, percentile
from mnist_core import flip, stress_curves
from mnist_core.recognizer import Recognizer
from tests.browser.server import serve

MOVES = 20


def measure(run: str) -> list[Figure]:
    """Time a curve and a small change in the library, then a slider in Chromium."""
    return _library(run) + _page(run)


def _library(run: str) -> list[Figure]:
    recognizer, digits = Recognizer.load(run), stress_curves.sample(many())
    seconds = medians(
        {
            "curve": lambda: stress_curves.measure(recognizer, digits, "shift"),
            "flip": lambda: flip.smallest_change(recognizer, digits.images[0]),
        },
        rounds=3,
        warm_up=1,
    )
    return [
        Figure(f"{run}, a curve of 21 strengths, 1,000 digits each", seconds["curve"], "s", detail="median of 3"),
        Figure(f"{run}, the smallest change that turns an answer", seconds["flip"], "s", detail="median of 3"),
    ]


def _page(run: str) -> list[Figure]:
    with chromium() as browser, temporary_folder() as folder, serve(folder) as server:
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.url}/stress?networks={run}&data=Built-in+digits")
        page.locator(".dl-said").wait_for()
        page.get_by_role("slider", name="Moved sideways").focus()
        moved = [_move(page, number) for number in range(MOVES)]
    detail = f"built-in digits, {MOVES} times"
    return [
        Figure(f"a slider moved to the answers, p{p}", 1000 * percentile(moved, p), "ms", detail=detail)
        for p in (50, 95)
    ]


def _move(page: Page, number: int) -> float:
    """One pixel to the right, or back."""
    key, words = ("ArrowLeft", "As it is") if number % 2 else ("ArrowRight", "Moved sideways 1 pixel")
    begin = time.perf_counter()
    page.keyboard.press(key)
    page.locator(".st-key-stress-seen .dl-quiet", has_text=words).wait_for()
    page.locator(".dl-said").wait_for()
    return time.perf_counter() - begin

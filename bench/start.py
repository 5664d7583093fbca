"""How long a server takes from its start to the canvas and to the first answer, and how much memory it then holds."""

import statistics
import time

from playwright.sync_api import Browser

from bench.browser import chromium, draw_seven, open_canvas, temporary_folder, wait_for_answer
from bench.report import Figure, resident_bytes
from tests.browser.server import serve

ROUNDS = 3


def measure(run: str) -> list[Figure]:
    """Start a server, open it at once, and draw as soon as the canvas is there; the median of some rounds."""
    with chromium() as browser:
        rounds = [_round(browser, run) for _ in range(ROUNDS)]
    canvas, answer, memory = (statistics.median(values) for values in zip(*rounds, strict=True))
    detail = f"median of {ROUNDS}"
    return [
        Figure("server start to the canvas on screen", canvas, "s", detail=detail),
        Figure(
            "server start to the first answer", answer, "s", detail=f"{detail}, drawn as soon as the canvas is there"
        ),
        Figure("memory of the server after the first answer", memory, "MB", detail=detail),
    ]


def _round(browser: Browser, run: str) -> tuple[float, float, float]:
    begin = time.perf_counter()
    with temporary_folder() as folder, serve(folder) as server:
        page = open_canvas(browser, f"{server.url}/draw?run={run}")
        canvas = time.perf_counter() - begin
        draw_seven(page)
        wait_for_answer(page)
        answer = time.perf_counter() - begin
        memory = resident_bytes(server.process.pid) / 1e6
        page.close()
    return canvas, answer, memory

"""A running server, a real Chromium, and pages that fail their test on any error they meet."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.server import Server, serve

PATIENCE = 60_000  # ms; two busy cores can be slow
WAKING = 240_000  # ms; the first answer waits for TensorFlow's import
# Streamlit's page asks for these below its own address first, and at the root when they are not there.
_PROBES = ("/_stcore/health", "/_stcore/host-config")
# What uvicorn logs when a browser leaves while the server is sending to it.
_PARTING = re.compile(r"Exception in ASGI application\n(?:.*\n)*?\S*WebSocketDisconnected: Cannot call \"send\".*\n?")
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """One server for all tests, with the network loaded."""
    with _clean_server(tmp_path_factory.mktemp("server")) as running:
        page = browser.new_page()
        page.goto(f"{running.url}/draw", timeout=WAKING)
        expect(page.locator(".dl-sentence")).to_have_text("No digit yet.", timeout=WAKING)
        page.close()
        yield running


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has talked to."""
    with _clean_server(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    chromium = executable()
    assert chromium is not None, "No Chromium here; `make test` installs one."
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages by hand: `open_page(server.url, **context_options)`, watched like `page` is."""
    watched: list[tuple[Page, list[str]]] = []

    def open_one(url: str, **options: Any) -> Page:
        context = browser.new_context(base_url=url, reduced_motion="reduce", **(options or DESKTOP))
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watched.append((page, _watch(page)))
        return page

    yield open_one
    for page, _ in watched:
        page.context.close()
    troubles = [trouble for _, found in watched for trouble in found]
    assert not troubles, "The page met errors:\n" + "\n".join(troubles)


@pytest.fixture
def page(open_page: Callable[..., Page], server: Server) -> Page:
    """A desktop page, 1280x800; `page.goto("/")` is the shared server."""
    return open_page(server.url, **DESKTOP)


@pytest.fixture
def phone(open_page: Callable[..., Page], server: Server) -> Page:
    """A phone's page, 390x844 with touch."""
    return open_page(server.url, **PHONE)


def settled(page: Page) -> None:
    """The page has been drawn to its end: nothing of it will be replaced under a hand."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()
    expect(page.locator("[data-stale=true]")).to_have_count(0)


def fits(page: Page, width: int = 390) -> None:
    """Wait until the page is whole and nothing of it is wider; while it comes up, its styles may still be missing."""
    settled(page)
    page.wait_for_function("width => document.querySelector('.stMain').scrollWidth <= width", arg=width)


# Two frames, then whatever was left to be done for them.
_IDLE = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
  () => requestIdleCallback(() => done(), {timeout: 1000}))))"""


def press(page: Page, key: str) -> None:
    """Press a key that is a button's shortcut: the page listens for it a moment after the button is there."""
    page.evaluate(_IDLE)
    page.keyboard.press(key)


@contextmanager
def _clean_server(folder: Path) -> Iterator[Server]:
    """Serve the app, and fail if its log has a traceback in the end, or if it watches for changed files."""
    with serve(folder) as running:
        yield running
    log = _PARTING.sub("", running.log.read_text(errors="replace"))
    assert "Traceback" not in log, f"The server met an error:\n{log}"
    assert "Inotify" not in log, "What is opened beside it is taken for changes to the program, which is loaded anew"


def _watch(page: Page) -> list[str]:
    """Collect what no page may do: uncaught errors, errors on the console, calls to other machines."""
    troubles: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        address = message.location.get("url", "")
        if message.type == "error" and not address.endswith(_PROBES):
            troubles.append(f"console: {message.text} ({address})")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            troubles.append(f"request to another machine: {request.url}")

    page.on("pageerror", lambda error: troubles.append(f"uncaught: {error}"))
    page.on("console", on_console)
    page.on("request", on_request)
    return troubles

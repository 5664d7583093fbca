"""Train, in a real browser: sliders, curves that grow, pause, reload, stop, the new network on Draw; two people."""

import re
from collections.abc import Callable

import psutil
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, fits
from tests.browser.server import Server
from tests.browser.test_draw import choose

# So many epochs that it is still learning when the next gesture comes, on however slow a machine; stopped by hand.
WAKING = 240_000  # ms: the server and its worker both import TensorFlow meanwhile
LONG = "/train?data=builtin&preset=classic-50-50&recipe=hidden-50-50~output-sigmoid~epochs-1000~batch_size-8"


def button(page: Page, name: str) -> Locator:
    """A button of the page itself: while Streamlit is at work, it has a Stop of its own above."""
    return page.get_by_test_id("stMainBlockContainer").get_by_role("button", name=name, exact=True)


def press(page: Page, name: str) -> None:
    button(page, name).click()


def sentence(page: Page) -> Locator:
    return page.locator(".st-key-training .dl-sentence").first


CURVES = "[...document.querySelectorAll('.st-key-training .js-plotly-plot')].filter(plot => plot.data?.length === 3)"
"""Both curves, but not the bars of the drawing's answer."""


def points(page: Page) -> int:
    """How many epochs the curves show."""
    shown: int = page.evaluate(f"() => Math.max(0, ...{CURVES}.map(plot => plot.data[1].x.length))")
    return shown


def wait_for_points(page: Page, least: int) -> None:
    found = f"least => {CURVES}.some(plot => plot.data[1].x.length >= least)"
    page.wait_for_function(found, arg=least, timeout=WAKING)


def step(page: Page) -> Locator:
    return page.locator(".st-key-training .dl-facts div").filter(has_text="Step").locator("dd")


def workers(server: Server) -> list[psutil.Process]:
    """The processes that train for a server."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_from_the_sliders_to_a_network_that_answers(page: Page) -> None:
    page.goto("/draw")
    expect(page.locator(".dl-sentence")).to_have_text("No digit yet.", timeout=WAKING)
    choose(page, "Or take a sample", "7 with a bar")
    expect(page.locator(".dl-sentence")).to_have_text("7, quite sure.")
    page.get_by_role("link", name="Train").click()
    network = page.locator("svg.dl-net")
    expect(network).to_have_attribute("aria-label", "28 by 28 pixels, 50 relu, 50 relu, 10 sigmoid")
    page.get_by_role("slider", name="Hidden layers").focus()
    page.keyboard.press("ArrowLeft")
    expect(network).to_have_attribute("aria-label", "28 by 28 pixels, 50 relu, 10 sigmoid")
    expect(page.get_by_role("button", name="Hidden layers: 50")).to_be_visible()
    expect(page).to_have_url(re.compile("recipe=hidden-50~output-sigmoid"))
    page.get_by_role("slider", name="Epochs").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="Epochs: 100")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("my-first")
    page.get_by_label("Name", exact=True).press("Enter")
    press(page, "Train")
    expect(page).to_have_url(re.compile("job="))
    expect(page.get_by_text("Kept as my-first")).to_be_visible(timeout=WAKING)
    wait_for_points(page, 100)
    expect(page.get_by_alt_text("Weights of 50 units after epoch 100")).to_be_visible()
    expect(page.locator(".dl-says .dl-sentence")).to_have_text(re.compile(r"^\d, \d+%|^\d, >99%"))
    expect(page.locator(".dl-this")).to_contain_text("%")
    press(page, "Use this network now")
    expect(page.get_by_role("button", name="It answers on all pages now")).to_be_disabled()
    expect(page.get_by_role("combobox", name="Network that answers")).to_have_value("my-first")
    page.get_by_role("link", name="Try it on Draw").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw a digit")
    expect(page.get_by_role("combobox", name="Network that answers")).to_have_value("my-first")
    expect(page.locator(".dl-sentence")).to_have_text(re.compile(r"^\d"))
    page.get_by_role("link", name="Train").click()
    page.get_by_role("link", name="Compare it with classic-50-50").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    expect(page.get_by_role("heading", level=2).first).to_have_text("my-first and classic-50-50")
    expect(page.locator(".dl-compare")).to_contain_text("50, 50")


def test_pause_reload_step_resume_stop_and_the_queue(
    page: Page, server: Server, open_page: Callable[..., Page]
) -> None:
    page.goto(LONG)
    press(page, "Train")
    expect(sentence(page)).to_have_text(re.compile("Learning: epoch"), timeout=WAKING)
    wait_for_points(page, 2)
    wait_for_points(page, points(page) + 1)

    second = open_page(server.url, **DESKTOP)
    second.goto(LONG)
    press(second, "Train")
    expect(sentence(second)).to_have_text("Next in the queue.")

    press(page, "Pause")
    expect(sentence(page)).to_have_text(re.compile("Paused in epoch"))
    address = page.url
    page.reload()
    expect(sentence(page)).to_have_text(re.compile("Paused in epoch"))
    assert page.url == address
    before = step(page).inner_text()
    press(page, "Step")
    expect(step(page)).not_to_have_text(before)
    press(page, "Resume")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_enabled()
    expect(sentence(page)).to_have_text(re.compile("Learning: epoch"))

    watcher = open_page(server.url, **DESKTOP)
    watcher.goto(address)
    expect(watcher.get_by_text("You are watching.")).to_be_visible()
    expect(button(watcher, "Stop")).to_have_count(0)

    watcher.goto("about:blank")  # nobody watches: the machine has enough to do
    press(page, "Stop")
    expect(page.get_by_text(re.compile("Kept as"))).to_be_visible(timeout=WAKING)
    page.goto("about:blank")
    expect(sentence(second)).to_have_text(re.compile("Learning: epoch"))
    press(second, "Stop")
    expect(second.get_by_text(re.compile("Kept as"))).to_be_visible(timeout=WAKING)


def test_a_worker_that_is_killed_is_told_and_the_next_training_works(page: Page, server: Server) -> None:
    page.goto(LONG)
    press(page, "Train")
    expect(sentence(page)).to_have_text(re.compile("Learning: epoch"), timeout=WAKING)
    (worker,) = workers(server)
    worker.kill()
    expect(sentence(page)).to_have_text("This training failed.")
    expect(page.get_by_text("The process that trained it ended unexpectedly in epoch")).to_be_visible()
    press(page, "Train")
    expect(sentence(page)).to_have_text(re.compile("Learning: epoch"), timeout=WAKING)
    press(page, "Stop")
    expect(page.get_by_text(re.compile("Kept as"))).to_be_visible(timeout=WAKING)


def test_a_telephone_shows_everything_in_its_width(phone: Page) -> None:
    phone.goto("/train")
    expect(phone.get_by_role("button", name="Train", exact=True)).to_be_visible()
    phone.get_by_text("More", exact=True).click()
    expect(phone.get_by_role("slider", name="Turned by up to")).to_be_visible()
    fits(phone)


def test_a_forged_link_is_refused_in_words(page: Page) -> None:
    page.goto("/train?recipe=hidden-1000000000")
    expect(page.get_by_text("between 4 and 4096 units")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()

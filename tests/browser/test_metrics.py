"""Metrics, in a real browser: cells clicked and chosen by keyboard, another run beside, files, a telephone."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sklearn.metrics
from playwright.sync_api import Locator, Page, expect

from mnist_core import data
from mnist_core.predictions import stored
from mnist_core.runs import load_run
from tests.browser.conftest import DESKTOP, PHONE, fits, settled
from tests.browser.server import Server, serve

WAKING = 90_000  # ms; a server that was just started imports TensorFlow and reads the digits

# Where a cell of the matrix is, in pixels of the window.
PLACE = """([true_digit, predicted]) => {
  const graph = document.querySelector('.st-key-confusion .js-plotly-plot');
  const {left, top} = graph.getBoundingClientRect();
  const {xaxis, yaxis} = graph._fullLayout;
  return [left + xaxis._offset + xaxis.d2p(predicted), top + yaxis._offset + yaxis.d2p(true_digit)];
}"""


def matrix(page: Page) -> Locator:
    return page.locator(".st-key-confusion .js-plotly-plot")


def cell(page: Page) -> Locator:
    return page.locator(".dl-cell")


def number(page: Page, true: int, predicted: int) -> int:
    """What the matrix itself says of a cell."""
    text = page.evaluate(
        "([t, p]) => { const points = document.querySelector('.st-key-confusion .js-plotly-plot').data.at(-1);"
        "return points.text[10 * t + p]; }",
        [true, predicted],
    )
    return int(text.replace(",", "") or 0)


def click(page: Page, true: int, predicted: int) -> None:
    """Click on a cell as a hand does."""
    matrix(page).scroll_into_view_if_needed()
    x, y = page.evaluate(PLACE, [str(true), str(predicted)])
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def on_builtin(page: Page) -> None:
    """Open the page with the built-in digits, read by the network there and then."""
    page.goto("/metrics?data=Built-in+digits")
    expect(cell(page)).to_contain_text("All mistakes", timeout=WAKING)
    expect(matrix(page).locator(".point").last).to_be_attached()


def expected(page: Page) -> tuple[int, int, int]:
    """The most frequent error that the matrix shows, and how many there are."""
    return max((number(page, true, read), true, read) for true in range(10) for read in range(10) if true != read)  # type: ignore[return-value]


def test_a_cell_shows_its_digits_by_click_by_keyboard_and_by_address(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1500})
    on_builtin(page)
    many, true, read = expected(page)
    click(page, true, read)
    words = f"{true} read as {read}: {f'{many}, worst first' if many > 1 else '1'}"
    expect(cell(page)).to_have_text(words)
    expect(page.get_by_role("list", name="Digits, worst first").get_by_role("listitem")).to_have_count(many)
    expect(page).to_have_url(re.compile(f"true={true}&read={read}"))
    page.reload()
    expect(cell(page)).to_have_text(words)

    page.get_by_role("combobox", name="Read as").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="any digit")).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(cell(page)).to_contain_text(f"{true} read as another digit")


def test_another_run_stands_beside_and_everything_is_taken_away(page: Page) -> None:
    page.goto("/metrics?compare=classic-50-50")
    records = [load_run(name).metrics for name in ("ann", "classic-50-50")]
    expect(page.locator(".dl-figure").nth(1)).to_have_text(f"{records[1].test_accuracy:.2%}")
    expect(page.get_by_role("button", name="Get MNIST (11 MB)")).to_be_visible()
    page.get_by_role("radio", name="Difference").click()
    expect(page).to_have_url(re.compile("view=Difference"))
    expect(page.get_by_text("where it is blue, ann is better")).to_be_visible()
    for label, name in (("Every digit, CSV", "ann-mnist.csv"), ("Figures, JSON", "ann-mnist.json")):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).first.click()
        assert download.value.suggested_filename == name
        text = Path(download.value.path()).read_text()
        if name.endswith("json"):
            assert json.loads(text)["errors"] == records[0].test_errors
        else:
            assert len(text.splitlines()) == 10_001
    with page.expect_download() as download:
        page.locator(".st-key-digit-shares .modebar-btn").click()
    assert download.value.suggested_filename == "digit-lab-digits-ann.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_the_threshold_is_moved_with_the_keyboard(page: Page) -> None:
    page.goto("/metrics")
    sentence = page.locator(".dl-sentence")
    expect(sentence).to_contain_text("Of 1,000 handwritten digits it reads 99")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect(sentence).to_contain_text("reads 1,000 and never asks; of those it reads, 4 are wrong")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_the_numbers_can_be_read(open_page: Callable[..., Page], server: Server, scheme: str) -> None:
    page = open_page(server.url, **PHONE, color_scheme=scheme)
    on_builtin(page)
    fits(page)
    written = page.evaluate(
        "[...document.querySelectorAll('.st-key-confusion .textpoint text')].filter(e => e.textContent).map(e => "
        "[parseFloat(getComputedStyle(e).fontSize), e.getBoundingClientRect().width, getComputedStyle(e).fill])"
    )
    assert len(written) > 10
    width = page.evaluate("document.querySelector('.st-key-confusion .js-plotly-plot')._fullLayout.xaxis._length / 10")
    assert all(size >= 11 and wide <= width for size, wide, _ in written), "no number is tiny, none leaves its cell"
    light = {"light": "rgb(30, 36, 50)", "dark": "rgb(233, 234, 238)"}[scheme]
    assert {colour for _, _, colour in written} == {light}, "written in the theme's ink"


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "telephone"])
def test_no_camera_lies_on_a_legend(open_page: Callable[..., Page], server: Server, screen: dict[str, Any]) -> None:
    page = open_page(server.url, **screen)
    page.goto("/metrics")
    expect(page.locator("[class*='st-key-reliability-'] .modebar-group").first).to_be_attached()
    settled(page)
    # Both in one look: while the page comes up, the chart moves.
    page.wait_for_function(
        """() => {
          const box = part => document.querySelector("[class*='st-key-reliability-'] " + part).getBoundingClientRect()
          const legend = box(".legend"), camera = box(".modebar-group")
          const apart = camera.bottom <= legend.top || legend.right <= camera.left
          return legend.width > 100 && apart  // all of its names are in it
        }"""
    )


def test_on_mnist_the_cell_has_as_many_digits_as_scikit_learn_counts(
    tmp_path: Path, open_page: Callable[..., Page], mnist_dir: Path
) -> None:
    digits, given = data.read_mnist(mnist_dir), stored(load_run("classic-50-50"), "mnist")
    counts = sklearn.metrics.confusion_matrix(digits.test_labels, given.predicted)
    (tmp_path / "keras-home").mkdir()
    os.symlink(mnist_dir, tmp_path / "keras-home" / "datasets")
    with serve(tmp_path) as running:
        page = open_page(running.url, viewport={"width": 1280, "height": 1500})
        page.goto("/metrics?run=classic-50-50")
        expect(cell(page)).to_contain_text("All mistakes: 268")
        expect(matrix(page).locator(".point").last).to_be_attached()
        click(page, 4, 9)
        expect(cell(page)).to_have_text(f"4 read as 9: {counts[4, 9]}, worst first")
        expect(page.locator(".dl-digits").get_by_role("listitem")).to_have_count(min(24, int(counts[4, 9])))

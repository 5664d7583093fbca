"""From a cell to exactly its digits, by mouse, keyboard and on a dark telephone; few pictures; a drawing among them."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, fits, settled
from tests.browser.server import Server
from tests.browser.test_draw import SEVEN, open_draw, stroke
from tests.browser.test_metrics import WAKING, cell, click, matrix, number
from tests.browser.test_mistakes import cards, count
from tests.browser.test_upload import seven

RUN = "classic-50-50"
NETWORK = "data=Built-in+digits&run=classic-50-50"


def rows(page: Page) -> list[dict[str, str]]:
    """Every digit with its answer, as the page hands it out."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Every digit, CSV").click()
    return list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))


def open_metrics(page: Page) -> None:
    page.goto(f"/metrics?{NETWORK}")
    expect(cell(page)).to_contain_text("All mistakes", timeout=WAKING)
    expect(matrix(page).locator(".textpoint").last).to_be_attached()
    settled(page)


def numbers(page: Page) -> list[int]:
    """Which digits are shown beside the matrix, in their order."""
    titles = page.locator(".dl-digits [role=listitem]").evaluate_all("all => all.map(one => one.title)")
    return [int(re.findall(r"Number (\d+):", title)[0]) for title in titles]


def test_a_click_on_a_cell_shows_exactly_the_digits_that_scikit_learn_counts(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1500})
    open_metrics(page)
    all_rows = rows(page)
    true, read = ([int(row[key]) for row in all_rows] for key in ("true", "read_as"))
    counts = sklearn.metrics.confusion_matrix(true, read, labels=range(10))
    assert counts.tolist() == [[number(page, t, r) for r in range(10)] for t in range(10)]
    errors = counts - np.diag(np.diag(counts))
    most = tuple(int(i) for i in np.unravel_index(errors.argmax(), errors.shape))
    empty = next((int(t), int(r)) for t, r in np.argwhere(counts == 0))
    for pair in dict.fromkeys([(4, 9), most, empty]):
        click(page, *pair)
        n = int(counts[pair])
        many = "none" if not n else "1" if n == 1 else f"{n}, worst first"
        expect(cell(page)).to_have_text(f"{pair[0]} read as {pair[1]}: {many}")
        expect(page.locator(".dl-digits [role=listitem]")).to_have_count(min(n, 24))
        wanted = [row for row in all_rows if (int(row["true"]), int(row["read_as"])) == pair]
        wanted.sort(key=lambda row: -float(row["loss"]))
        assert numbers(page) == [int(row["number"]) for row in wanted][:24]
        settled(page)


def press_until(page: Page, key: str, wanted: Locator, most: int = 80) -> None:
    """Press a key until something has the focus."""
    for _ in range(most):
        if wanted.evaluate("one => one === document.activeElement || one.contains(document.activeElement)"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{most} times {key} do not lead to {wanted}")


def choose_by_keyboard(page: Page, menu: str, option: str) -> None:
    """Open the menu that has the focus, go to one of its options, and take it."""
    box, options = page.get_by_role("combobox", name=menu), page.get_by_role("option")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    place = options.all_inner_texts().index(option)
    page.keyboard.press("Home")
    for i in range(place + 1):
        expect(box).to_have_attribute("aria-activedescendant", re.compile(f"-option-{i}$"))
        page.keyboard.press("ArrowDown" if i < place else "Enter")
    expect(options).to_have_count(0)
    expect(box).to_have_value(option)


@pytest.mark.parametrize(("device", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "dark phone"])
def test_mistakes_are_filtered_sorted_and_explained_with_the_keyboard_alone(
    open_page: Callable[..., Page], server: Server, device: dict[str, object], scheme: str
) -> None:
    page = open_page(server.url, **device, color_scheme=scheme)
    open_metrics(page)
    all_rows = rows(page)
    page.goto(f"/mistakes?{NETWORK}")
    expect(cards(page).first).to_be_visible(timeout=WAKING)
    settled(page)

    order = page.get_by_role("combobox", name="Order")
    press_until(page, "Tab", order)
    choose_by_keyboard(page, "Order", "least sure first")
    wrong = sorted((row for row in all_rows if row["right"] == "no"), key=lambda row: float(row["probability"]))
    first = page.locator("[class*=st-key-card-digit-]").first
    expect(first).to_have_class(re.compile(rf"st-key-card-digit-{wrong[0]['number']}\b"))
    expect(page).to_have_url(re.compile("sort=least"))
    settled(page)

    true = wrong[0]["true"]
    press_until(page, "Shift+Tab", page.get_by_role("combobox", name="Written"))
    choose_by_keyboard(page, "Written", true)
    some = [row for row in wrong if row["true"] == true]
    expect(count(page)).to_have_text(f"{len(some)} of 359 digits")
    expect(cards(page)).to_have_count(min(24, len(some)))
    settled(page)

    for key, shown in (("closer-evidence", ".dl-evidence"), ("closer-inside", ".dl-layer"), ("closer-runs", "table")):
        part = page.locator(f".st-key-{key}")
        press_until(page, "Tab", part.locator("summary"))
        page.keyboard.press("Enter")
        expect(part.locator(shown).first).to_be_visible(timeout=WAKING)
        settled(page)
    read = wrong[0]["read_as"]
    expect(page.locator(".dl-legend")).to_contain_text(f"ink that speaks for {read}, the answer")
    evidence = page.locator(".dl-evidence")
    assert evidence.locator(".dl-for").count() + evidence.locator(".dl-against").count() > 20
    blue = {"light": "rgb(0, 114, 178)", "dark": "rgb(86, 180, 233)"}[scheme]
    assert evidence.locator(".dl-for").first.evaluate("one => getComputedStyle(one).fill") == blue
    fits(page, page.evaluate("screen.width"))


def archive(*labels: int) -> dict[str, object]:
    """Pictures of a 7 with these labels, as a person brings them."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for i, label in enumerate(labels):
            file.writestr(f"{label}/{i}.png", seven(i))
    return {"name": "mine.zip", "mimeType": "application/zip", "buffer": content.getvalue()}


def bring(page: Page, address: str, *labels: int) -> None:
    page.goto(f"{address}?data=Your+own")
    uploader = page.locator("[data-testid=stFileUploader] input[type=file]")
    uploader.wait_for(state="attached")
    settled(page)
    uploader.set_input_files([archive(*labels)])  # type: ignore[list-item] # a file as a dict


def test_three_pictures_and_no_mistake_are_sensible_pages(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1500})
    bring(page, "/metrics", 7, 7, 4)
    expect(page.locator(".dl-figure").nth(1)).to_have_text("1 of 3", timeout=WAKING)
    expect(cell(page)).to_have_text("All mistakes: 1")
    expect(matrix(page).locator(".textpoint").last).to_be_attached()
    settled(page)
    click(page, 4, 7)
    expect(cell(page)).to_have_text("4 read as 7: 1")
    expect(page.get_by_text("nan")).to_have_count(0)

    bring(page, "/mistakes", 7, 7)
    expect(page.get_by_text("Every digit is read right")).to_be_visible(timeout=WAKING)
    expect(count(page)).to_contain_text("No digit is like that")
    settled(page)
    page.get_by_role("radio", name="Right", exact=True).click()
    expect(count(page)).to_have_text("2 of 2 digits")
    expect(cards(page)).to_have_count(2)


def test_a_drawing_is_placed_among_the_test_digits_and_leads_to_its_cell(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1800})
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(page.locator(".dl-sentence")).to_contain_text("7, ")
    part = page.locator(".st-key-draw-among")
    expect(part).to_be_visible()
    settled(page)
    part.locator("summary").click()
    expect(part.get_by_text("Yours belongs to the cell 7 read as 7.")).to_be_visible(timeout=WAKING)
    expect(part.get_by_role("listitem")).to_have_count(8)
    expect(part.locator(".js-plotly-plot .textpoint")).to_have_count(359)
    expect(part.locator(".annotation-text")).to_have_text("yours")
    settled(page)
    part.get_by_role("radio", name="1", exact=True).click()
    expect(part.get_by_text("Yours belongs to the cell 1 read as 7.")).to_be_visible()
    settled(page)
    part.get_by_role("link", name="Its cell of the matrix").click()
    expect(cell(page)).to_contain_text("1 read as 7:", timeout=WAKING)
    expect(page).to_have_url(re.compile("true=1&read=7"))

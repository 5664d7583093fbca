"""Mistakes, in a real browser: kinds, filters, pages, one digit large, by mouse, keyboard and on a telephone."""

import re

from playwright.sync_api import Locator, Page, expect

from mnist_core.wording import a_digit
from tests.browser.conftest import fits, settled
from tests.browser.test_metrics import WAKING


def cards(page: Page) -> Locator:
    return page.locator("[class*=st-key-card-digit-]").get_by_role("button")


def count(page: Page) -> Locator:
    return page.locator(".dl-cell")


def open_mistakes(page: Page) -> None:
    """Open the page with the built-in digits."""
    page.goto("/mistakes?data=Built-in+digits")
    expect(cards(page).first).to_be_visible(timeout=WAKING)
    expect(page.locator(".js-plotly-plot .bars path").first).to_be_attached()


def test_mistakes_are_filtered_paged_and_looked_at_closer(page: Page) -> None:
    open_mistakes(page)
    kind = page.locator(".st-key-kind button").first
    true, read, many = re.match(r"(\d) read as (\d): (\d+)", kind.inner_text()).groups()  # type: ignore[union-attr]
    kind.click()
    expect(count(page)).to_have_text(f"{many} of 359 digits")
    expect(cards(page)).to_have_text([re.compile(f"{true} \N{RIGHTWARDS ARROW} {read}")] * int(many))
    expect(page.locator(".dl-sentence")).to_contain_text(f"{a_digit(int(true)).capitalize()}, read as {read}, ")
    expect(page).to_have_url(re.compile(f"true={true}&read={read}"))

    kind.click()
    expect(count(page)).not_to_have_text(f"{many} of 359 digits")  # all kinds again, before anything else is chosen
    page.get_by_role("radio", name="All").click()
    expect(count(page)).to_have_text("359 of 359 digits")
    expect(cards(page)).to_have_count(24)
    first = cards(page).first.inner_text(), page.locator("[class*=st-key-card-digit-]").first.get_attribute("class")
    page.get_by_role("button", name="Page 2").click()
    expect(page.locator("[class*=st-key-card-digit-]").first).not_to_have_attribute("class", str(first[1]))
    expect(cards(page)).to_have_count(24)
    settled(page)  # while the cards come one by one, the fourth may still be the former page's

    name = str(page.locator("[class*=st-key-card-digit-]").nth(3).get_attribute("class"))
    number = int(re.findall(r"st-key-card-digit-(\d+)", name)[0])
    cards(page).nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".dl-closer")).to_contain_text(f"Number {number} of 359")
    expect(cards(page).nth(3)).to_be_focused()


def test_without_mnist_the_numbers_are_there_and_nothing_is_cut_off(phone: Page) -> None:
    phone.goto("/mistakes")
    expect(count(phone)).to_contain_text("of 10,000 digits")
    expect(phone.get_by_role("button", name="Get MNIST (11 MB)")).to_be_visible()
    fits(phone)

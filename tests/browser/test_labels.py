"""Is the label wrong? In a real browser: suspects voted on by keyboard, undone, taken away, there after a reload."""

import csv
import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import press
from tests.browser.test_metrics import WAKING


def tally(page: Page) -> Locator:
    """The last words of the page: when they say a new number, everything above them is there too."""
    return page.locator(".st-key-votes-tally")


def asked(page: Page) -> tuple[int, int]:
    """The digit on the table: its number and its label; its buttons, whose keys are pressed next, are there."""
    words = page.locator(".dl-ballot").inner_text()
    number, label = re.findall(r"Number (\d+)", words)[0], re.findall(r"Labelled (\d)", words)[0]
    expect(page.locator(".st-key-votes").get_by_role("button", name=f"The label is right: a {label}")).to_be_visible()
    expect(page.locator(".st-key-votes-digits").get_by_role("button")).to_have_text(
        [digit for digit in "0123456789" if digit != label],
        use_inner_text=True,
    )
    return int(number), int(label)


def download(page: Page, name: str) -> str:
    with page.expect_download() as file:
        page.locator(".st-key-votes-files").get_by_role("button", name=name).click()
    return Path(file.value.path()).read_text()


def test_suspects_are_voted_on_by_keyboard_and_taken_away(page: Page) -> None:
    page.goto("/mistakes?data=Built-in+digits&look=Is+the+label+wrong%3F")
    expect(tally(page)).to_contain_text("You have not voted yet", timeout=WAKING)
    first, label = asked(page)
    other = (label + 3) % 10
    press(page, str(other))
    expect(tally(page)).to_contain_text("1 vote on these digits")
    expect(page.locator(".dl-ballot")).not_to_contain_text(f"Number {first} ")
    expect(page.locator(f".st-key-card-digit-{first}")).to_contain_text(f"{label} \N{RIGHTWARDS ARROW} {other}")
    second, _ = asked(page)
    press(page, "x")
    expect(tally(page)).to_contain_text("2 votes on these digits")
    expect(page.locator(".st-key-labels-changes")).to_contain_text(
        "2 digits are disputed: 1 voted to be another, 1 unc"
    )
    expect(page.locator(".dl-figure")).to_have_count(2)
    third, label_of_third = asked(page)
    press(page, str(label_of_third))
    expect(tally(page)).to_contain_text("3 votes on these digits")
    press(page, "Control+z")
    expect(tally(page)).to_contain_text("2 votes on these digits")
    assert asked(page)[0] == third, "the digit whose vote was taken back is asked again"

    lines = list(csv.DictReader(download(page, "CSV").splitlines()))
    assert {int(line["number"]): (line["vote"], line["digit"]) for line in lines} == {
        first: ("wrong", str(other)),
        second: ("unclear", ""),
    }
    assert len(json.loads(download(page, "JSON"))["votes"]) == 2
    page.reload()
    expect(tally(page)).to_contain_text("2 votes on these digits")
    assert asked(page)[0] == third

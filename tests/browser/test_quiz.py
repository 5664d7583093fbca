"""The quiz, in a real browser: by keyboard on a desktop, by touch on a telephone, both to the end."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import fits, press
from tests.browser.test_metrics import WAKING


def keys(page: Page) -> Locator:
    return page.locator(".st-key-quiz-keys").get_by_role("button")


def going_on(page: Page) -> Locator:
    return page.locator(".st-key-quiz-next").get_by_role("button")


def on_the_table(page: Page, number: int) -> None:
    """Wait for a question with all its keys, which the gesture that answers it is for."""
    expect(page.locator(".dl-cell")).to_have_text(f"Question {number} of 10")
    expect(page.locator(".dl-verdict")).to_contain_text("Which digit is it?")
    for digit in range(10):
        expect(keys(page).nth(digit)).to_be_enabled()
    expect(going_on(page)).to_be_disabled()


def test_the_quiz_is_played_to_the_end_by_keyboard(page: Page) -> None:
    page.goto("/quiz?data=Built-in+digits")
    expect(page.get_by_role("button", name="Start")).to_be_visible(timeout=WAKING)
    press(page, "Enter")
    for number in range(1, 11):
        on_the_table(page, number)
        press(page, "7")
        expect(page.locator(".dl-verdict")).to_contain_text(re.compile(r"Right, a 7\.|You said 7\."))
        expect(going_on(page)).to_be_enabled()
        press(page, "Enter")
    expect(page.get_by_role("button", name="Again with others")).to_be_visible()
    expect(page.locator(".dl-figure")).to_have_count(4)
    yours = [int(words.split(" of ")[0]) for words in page.locator(".dl-figure").all_inner_texts()]
    assert yours[2:] == [0, 5], "the network reads none of its mistakes right, and all of the easy ones"
    missed = page.get_by_role("list", name="Digits that you missed").get_by_role("listitem")
    expect(missed).to_have_count(10 - yours[0] - yours[1])
    expect(page).to_have_url(re.compile(r"questions=10&seed=\d+&turn=0"))


def test_on_a_telephone_a_question_and_its_keys_are_seen_at_once(phone: Page) -> None:
    phone.goto("/quiz?data=Built-in+digits&seed=5&questions=20")
    expect(phone.get_by_role("radio", name="20")).to_be_checked(timeout=WAKING)
    phone.get_by_role("radio", name="10", exact=True).tap()
    expect(phone.get_by_role("radio", name="10", exact=True)).to_be_checked()
    phone.get_by_role("button", name="Start").tap()
    on_the_table(phone, 1)
    fits(phone)
    boxes = [keys(phone).nth(digit).bounding_box() for digit in range(10)]
    assert all(box and min(box["width"], box["height"]) >= 44 for box in boxes), "a finger hits them"
    picture = phone.locator(".st-key-quiz-picture img").bounding_box()
    assert picture
    assert boxes[9]
    assert boxes[9]["y"] + boxes[9]["height"] - picture["y"] <= 500
    keys(phone).nth(3).tap()
    expect(phone.locator(".dl-verdict")).to_contain_text(re.compile(r"Right, a 3\.|You said 3\."))
    going_on(phone).tap()
    on_the_table(phone, 2)

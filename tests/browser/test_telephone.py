"""On a telephone: what is too wide for it finds its room all the same."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import fits
from tests.browser.test_draw import SEVEN, answer, finger, ready_canvas
from tests.browser.test_mistakes import open_mistakes


def width(part: Locator) -> float:
    box = part.bounding_box()
    assert box is not None
    return box["width"]


def test_all_784_numbers_are_in_view_at_once(phone: Page) -> None:
    phone.goto("/draw")
    finger(phone, ready_canvas(phone), SEVEN)
    expect(answer(phone)).to_have_text("7, quite sure.")
    phone.get_by_role("button", name="Centred in 28 by 28").click()
    frame = phone.get_by_role("group", name="The 784 numbers")
    expect(frame.locator("i")).to_have_count(784)
    fits(phone)
    assert not frame.evaluate("frame => frame.scrollWidth > frame.clientWidth"), "no column is out of sight"
    too_wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"
    assert frame.locator("i").evaluate_all(too_wide) == [], "each number fits its square"


def test_the_words_on_a_mistake_have_most_of_the_width(phone: Page) -> None:
    open_mistakes(phone)
    fits(phone)
    assert width(phone.locator(".dl-closer [role=status]")) > 0.7 * width(phone.locator(".dl-closer"))

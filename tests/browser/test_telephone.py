"""On a telephone: what is too wide for it finds its room all the same."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, fits, settled
from tests.browser.server import Server
from tests.browser.test_draw import SEVEN, answer, finger, ready_canvas
from tests.browser.test_mistakes import open_mistakes

# The contrast ratio of an element's text to what is under it, as WCAG defines it.
CONTRAST = """element => {
  const pen = new OffscreenCanvas(1, 1).getContext('2d');
  const paint = (colour, opacity) => { pen.globalAlpha = opacity; pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); };
  const light = () => [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0.05);
  const around = [];
  for (let one = element; one; one = one.parentElement) around.unshift(getComputedStyle(one));
  for (const style of around) paint(style.backgroundColor, 1);
  const under = light();
  paint(around.at(-1).color, around.reduce((product, style) => product * style.opacity, 1));
  const text = light();
  return Math.max(text, under) / Math.min(text, under);
}"""


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_print_and_chosen_networks_can_be_read(
    open_page: Callable[..., Page], server: Server, scheme: str
) -> None:
    page = open_page(server.url, **PHONE, color_scheme=scheme)
    page.goto("/stress")
    chosen = page.locator(".stMultiSelect [data-tag] span")
    beside = page.locator("[data-testid=stSidebar] [data-testid=stCaptionContainer] p")
    in_the_middle = page.locator("[data-testid=stMain] [data-testid=stCaptionContainer] p")
    for parts in (chosen, beside, in_the_middle):
        expect(parts.first).to_be_attached()
        settled(page)
        for part in parts.all():
            assert part.evaluate(CONTRAST) >= 4.5, part.inner_text()

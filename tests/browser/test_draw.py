"""Draw, in a real browser: mouse, touch, keyboard, two networks, dark, and a telephone's width."""

import re
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.browser.conftest import PATIENCE, PHONE, fits, settled
from tests.browser.server import Server

Point = tuple[int, int]
SEVEN: tuple[Point, ...] = ((80, 70), (200, 70), (185, 105), (150, 160), (125, 225))
ONE: tuple[Point, ...] = ((140, 50), (138, 230))
BAR: tuple[Point, ...] = ((70, 70), (140, 52))
BLANK = "No digit yet."
# The canvas has its style sheet (before that it lies below its frame) and its black ground (it cannot be drawn on
# before), nothing lies over it, it shows what it was told to show, and no font will move it any more.
READY = """drawn => {
  const frame = document.querySelector(".st-key-canvas-frame");
  const roots = [...frame?.querySelectorAll("*") ?? []].map(element => element.shadowRoot).filter(Boolean);
  const [canvas, ground] = ["upper", "lower"].map(
    layer => roots.map(root => root.querySelector(`canvas.dc-canvas.${layer}-canvas`)).find(Boolean));
  if (!canvas || !ground || !ground.width || document.fonts.status !== "loaded") return false;
  const above = roots.map(root => root.querySelector(".dc-toolbar")).find(Boolean);
  if (getComputedStyle(above).display !== "none") return false;
  const pixels = ground.getContext("2d").getImageData(0, 0, ground.width, ground.height).data;
  const white = pixels.some((value, i) => i % 4 === 0 && value > 200);
  const [at, place] = [canvas, frame].map(element => element.getBoundingClientRect());
  return pixels[3] === 255 && white === drawn && Math.abs(at.top - place.top) < 2;
}"""


def open_draw(page: Page) -> Locator:
    page.goto("/draw")
    expect(answer(page)).to_have_text(BLANK, timeout=4 * PATIENCE)  # the network is there
    return ready_canvas(page)


def ready_canvas(page: Page, drawn: bool = False) -> Locator:
    """The canvas, once it can be drawn on; `drawn` says whether something is on it then."""
    canvas = page.locator(".st-key-canvas-frame canvas.upper-canvas")
    page.wait_for_function(READY, arg=drawn, polling=100)
    return canvas


def kept(page: Page, strokes: int) -> None:
    """Wait until the browser has kept a drawing of so many strokes, for the time after its page is loaded again."""
    page.wait_for_function(
        "strokes => JSON.parse(sessionStorage.getItem('digit-lab-drawing'))?.length === strokes", arg=strokes
    )


def answer(page: Page) -> Locator:
    return page.locator(".dl-sentence")


def stroke(page: Page, canvas: Locator, points: tuple[Point, ...]) -> None:
    """Draw with the mouse as a hand does, with many small moves."""
    box = canvas.bounding_box()
    assert box is not None
    (x, y), *rest = points
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
    page.mouse.up()


def finger(page: Page, canvas: Locator, points: tuple[Point, ...]) -> None:
    """Draw with a finger: touch events as the screen of a telephone sends them."""
    box = canvas.bounding_box()
    assert box is not None
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in points]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", points[0])
    for (x0, y0), (x1, y1) in pairwise(points):
        for part in range(1, 9):
            touch("touchMove", (x0 + (x1 - x0) * part / 8, y0 + (y1 - y0) * part / 8))
    touch("touchEnd")


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list; one that closes because its page is drawn anew is opened again, as a person would."""
    settled(page)
    box, wanted = page.get_by_role("combobox", name=label), page.get_by_role("option", name=option, exact=True)
    for _ in range(10):
        box.click()
        with suppress(AssertionError, TimeoutError):
            expect(wanted).to_be_visible(timeout=PATIENCE // 10)
            wanted.click(timeout=PATIENCE // 10)
            return
    raise AssertionError(f"The list {label!r} never stayed open.")


def test_a_seven_drawn_with_the_mouse_is_read(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    expect(page.get_by_role("button", name="Centred in 28 by 28")).to_be_visible()


def test_two_digits_drawn_with_a_finger_are_read_together_and_looked_at_each(phone: Page) -> None:
    canvas = open_draw(phone)
    finger(phone, canvas, tuple((x - 70, y) for x, y in SEVEN))
    expect(answer(phone)).to_have_text("7, quite sure.")
    finger(phone, canvas, tuple((x + 80, y) for x, y in ONE))
    expect(phone.locator(".dl-text")).to_have_text("71")
    expect(phone.locator(".dl-text")).to_be_in_viewport()
    fits(phone)
    phone.get_by_role("button", name="Look closer at each").click()
    expect(phone.get_by_role("heading", name="drawing.png")).to_be_attached()
    expect(phone.get_by_text("2 digits on 1 line.")).to_be_attached()


def test_a_seven_drawn_with_a_finger_is_read_and_the_page_stays_where_it_is(phone: Page) -> None:
    canvas = open_draw(phone)
    before = canvas.bounding_box()
    finger(phone, canvas, SEVEN)
    expect(answer(phone)).to_have_text("7, quite sure.")
    assert canvas.bounding_box() == before, "a finger on the canvas draws and does not scroll"
    expect(answer(phone)).to_be_in_viewport()


def test_nothing_stands_between_the_canvas_and_its_buttons(page: Page) -> None:
    canvas = open_draw(page)
    assert page.locator(".st-key-canvas-frame").bounding_box() == canvas.bounding_box()


def test_a_stroke_may_end_outside_of_the_canvas(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, ((140, 60), (140, 200), (138, 310)))
    expect(answer(page)).to_have_text("1, quite sure.")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()


@pytest.mark.parametrize("draw", [stroke, finger])
def test_a_stroke_may_begin_at_the_upper_edge(page: Page, phone: Page, draw: Callable[..., None]) -> None:
    """Where the canvas's library keeps buttons that cannot be seen, one of which wipes the drawing."""
    on = page if draw is stroke else phone
    canvas = open_draw(on)
    draw(on, canvas, ((250, 12), (250, 13), (130, 14)))
    expect(on.get_by_role("button", name="Clear")).to_be_enabled()
    draw(on, canvas, ((265, 8), (240, 60), (150, 160), (140, 260)))
    expect(answer(on)).to_have_text("7, quite sure.")


def test_a_drawing_made_while_the_network_loads_is_answered_by_itself(
    fresh_server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(fresh_server.url)
    page.goto("/draw")
    canvas = ready_canvas(page)
    choose(page, "Network that answers", "cnn")
    expect(page.get_by_text("The network is waking up")).to_be_visible()
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")
    expect(page.get_by_text("The network is waking up")).to_have_count(0)


def test_the_first_person_does_not_wait_for_a_dense_network(
    fresh_server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(fresh_server.url)
    page.goto("/draw")
    canvas = ready_canvas(page)
    expect(page.get_by_text("The network is waking up")).to_have_count(0)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")


def test_undo_redo_and_clear(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, ONE)
    expect(answer(page)).to_have_text(re.compile("^1"))
    stroke(page, canvas, ((120, 200), (235, 120)))
    expect(answer(page)).not_to_have_text(re.compile("^1, quite"))
    page.locator(".st-key-undo button").click()
    expect(answer(page)).to_have_text(re.compile("^1, quite"))
    page.locator(".st-key-redo button").click()
    expect(answer(page)).not_to_have_text(re.compile("^1, quite"))
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_text(BLANK)
    page.keyboard.press("Control+z")
    expect(answer(page)).not_to_have_text(BLANK)


def test_a_sample_is_loaded_with_the_keyboard(page: Page) -> None:
    open_draw(page)
    page.get_by_role("combobox", name="Or take a sample").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("3 with a flat top")
    expect(page.get_by_role("option")).to_have_text(["3 with a flat top"])
    page.keyboard.press("Enter")
    expect(answer(page)).to_have_text(re.compile("^3"))


def test_a_step_opens_with_the_keyboard_and_shows_the_numbers(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    page.get_by_role("button", name="Centred in 28 by 28").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".dl-numbers i")).to_have_count(784)
    expect(page.get_by_role("button", name="Centred in 28 by 28")).to_be_focused()
    page.get_by_role("button", name="Pen evened out").click()
    expect(page.locator(".dl-numbers")).to_have_count(0)
    expect(page.locator(".dl-details")).to_contain_text("Target")


def test_the_network_is_switched_and_two_answer_side_by_side(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text(re.compile("^7"))
    choose(page, "Network that answers", "classic-50-50")
    expect(page.get_by_text("42,310").first).to_be_visible()
    expect(page).to_have_url(re.compile("run=classic-50-50"))
    expect(answer(page)).to_have_text(re.compile("^7"))
    choose(page, "Compare it with", "ann")
    expect(answer(page)).to_have_count(2)
    expect(page.locator(".dl-whose")).to_have_text(["classic-50-50", "ann"])


def test_an_address_brings_its_networks_along(page: Page) -> None:
    page.goto("/draw?run=classic-128&compare=classic-50-50")
    expect(page.get_by_role("combobox", name="Network that answers")).to_have_value("classic-128")
    expect(page.get_by_role("combobox", name="Compare it with")).to_have_value("classic-50-50")


def test_the_drawing_survives_a_visit_to_another_page(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")
    page.get_by_role("link", name="Upload").click()
    expect(page.get_by_role("heading", name="Read pictures")).to_be_visible()
    page.get_by_role("link", name="Draw").click()
    expect(answer(page)).to_have_text("7, quite sure.")
    stroke(page, ready_canvas(page, drawn=True), ((60, 60), (60, 250), (220, 250)))
    expect(answer(page)).not_to_have_text("7, quite sure.")


def test_the_drawing_survives_that_its_page_is_loaded_again(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")
    kept(page, 1)
    page.reload()
    expect(answer(page)).to_have_text("7, quite sure.")
    stroke(page, ready_canvas(page, drawn=True), ((110, 160), (180, 150)))
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_text(BLANK)
    kept(page, 0)
    page.reload()
    ready_canvas(page)
    expect(answer(page)).to_have_text(BLANK)
    settled(page)
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()


def test_the_digit_and_the_answer_are_downloaded(page: Page) -> None:
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")
    for kind, name, start in (("png", "digit.png", b"\x89PNG"), ("json", "answer.json", b"[")):
        with page.expect_download() as download:
            page.locator(f".st-key-draw-{kind}").get_by_role("button").click()
        assert download.value.suggested_filename == name
        assert download.value.path().read_bytes().startswith(start)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system(open_page: Callable[..., Page], server: Server, scheme: str) -> None:
    page = open_page(server.url, viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    canvas = open_draw(page)
    stroke(page, canvas, SEVEN)
    expect(answer(page)).to_have_text("7, quite sure.")
    page_is = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    text_is = page.evaluate("getComputedStyle(document.querySelector('.dl-sentence')).color")
    assert (_brightness(page_is) < 60, _brightness(text_is) > 180) == (scheme == "dark", scheme == "dark")
    assert abs(_brightness(page_is) - _brightness(text_is)) > 150, "text can be read"


def _brightness(colour: str) -> float:
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("address", ["/draw", "/upload", "/draw?compare=classic-50-50"])
def test_nothing_is_cut_off_on_a_telephone(open_page: Callable[..., Page], server: Server, address: str) -> None:
    page = open_page(server.url, **PHONE)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if address.startswith("/draw"):
        finger(page, ready_canvas(page), SEVEN)
        expect(answer(page).first).to_have_text(re.compile("^7"))
    fits(page)


def test_a_drawing_is_replayed_and_its_nearest_digits_are_shown(page: Page) -> None:
    """What our own rendering of the strokes is read as at last is what the canvas's picture is read as."""
    canvas = open_draw(page)
    stroke(page, canvas, ((90, 50), (70, 150), (210, 150)))
    expect(answer(page)).not_to_have_text(BLANK)
    stroke(page, canvas, ((170, 40), (170, 240)))
    expect(answer(page)).to_have_text("4, quite sure.")
    page.get_by_text("stroke by stroke").click()
    expect(page.locator(".dl-moments small")).to_have_text(["After 1 stroke", "After 2 strokes"])
    expect(page.locator(".dl-moments b").last).to_have_text("4")
    page.get_by_text("The digits most like yours").click()
    expect(page.locator(".dl-digits img")).to_have_count(8)
    page.get_by_text("Change the steps' numbers").click()
    slider = page.get_by_role("slider", name="Side of the box")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("Scaled into a box of 19 by 19 pixels")).to_be_visible()
    page.get_by_role("button", name="Set back").click()
    expect(page.get_by_text("Scaled into a box of 20 by 20 pixels")).to_be_visible()

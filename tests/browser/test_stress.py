"""Stress, in a real browser: a slider, a curve cancelled and measured after all, a reload, an answer turned."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import fits, settled

WAKING = 240_000  # ms: three networks are loaded, the first one with TensorFlow
NAMES = ("ann", "classic-50-50", "cnn")
# The longest of the curves, so that it is not done before it is cancelled.
ADDRESS = "/stress?data=Built-in+digits&over=Turned&example=0&" + "&".join(f"networks={name}" for name in NAMES)


def test_a_slider_a_curve_cancelled_and_measured_and_an_answer_turned(page: Page) -> None:
    page.goto(ADDRESS)
    answers = page.locator(".dl-said")
    expect(answers).to_have_count(3, timeout=WAKING)
    settled(page)
    told = page.locator(".st-key-stress-seen .dl-sentence")
    undisturbed = told.inner_text()
    assert re.fullmatch(r"\d of 3 reads? it as a \d\.", undisturbed)
    before = answers.all_inner_texts()

    page.get_by_role("slider", name="Moved sideways").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("Moved sideways 10 pixels.")).to_be_visible()
    expect(page).to_have_url(re.compile("shift=10"))
    expect(told).not_to_have_text(undisturbed)
    expect(answers).not_to_have_text(before, use_inner_text=True)
    page.get_by_role("button", name="Set Moved sideways back").click()
    expect(page.get_by_text("As it is: move a slider.")).to_be_visible()
    expect(told).to_have_text(undisturbed)
    expect(answers).to_have_text(before, use_inner_text=True)

    measure = page.get_by_role("button", name="Measure", exact=True)
    measure.click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    expect(measure).to_have_count(0)
    cancel.click()
    expect(page.get_by_text("Stopped.")).to_be_visible(timeout=WAKING)
    again = page.get_by_role("button", name=re.compile("^Measure"))
    expect(cancel).to_have_count(0)
    again.click()
    shows = page.locator(".dl-shows")
    expect(again).to_have_count(0)
    expect(cancel).to_have_count(0, timeout=WAKING)
    expect(shows.locator("p")).not_to_have_count(0)
    words = shows.inner_text()
    assert all(name in words for name in NAMES)
    expect(page.locator(".st-key-stress-chart .scatterlayer .trace")).to_have_count(3)

    page.reload()
    expect(shows).to_have_text(re.compile(re.escape(words.splitlines()[0])), timeout=WAKING)
    expect(again).to_have_count(0)
    expect(answers).to_have_count(3, timeout=WAKING)

    page.get_by_role("button", name="Find the smallest change").click()
    expect(page.locator(".dl-flip .dl-sentence")).to_have_text(
        re.compile(r"^ann now says \d instead of \d"), timeout=WAKING
    )
    expect(page.locator(".dl-three img")).to_have_count(3)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)

"""Runs, in a real browser: from the filter over a comparison to a run that was taken away and brought back."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import safetensors.numpy
from playwright.sync_api import Locator, Page, expect

from mnist_core.runs import BUNDLED
from tests.browser.conftest import fits, settled
from tests.browser.server import Server

OF_128 = json.loads((BUNDLED / "classic-128" / "run.json").read_text())


def own_run(server: Server, name: str) -> Path:
    """Put a run of one's own into the home of a server that nobody has talked to: a copy of a bundled one."""
    folder = server.log.parent / "digit-lab-home" / "runs" / name
    shutil.copytree(BUNDLED / "classic-128", folder)
    weights = safetensors.numpy.load_file(folder / "weights.safetensors")
    (folder / "checkpoints").mkdir()
    for epoch in (1, 5):
        safetensors.numpy.save_file(weights, folder / "checkpoints" / f"{epoch:04}.safetensors")
    return folder


def choose(page: Page, name: str) -> None:
    settled(page)
    chooser = page.get_by_role("combobox", name=re.compile("Look closer at one"))
    chooser.fill(name)
    page.get_by_role("option", name=name, exact=True).click()
    expect(page.get_by_role("option", name=name, exact=True)).to_have_count(0)  # it is chosen now
    page.keyboard.press("Escape")


def heading(page: Page) -> Locator:
    """Whose run, or which runs, the page shows."""
    return page.get_by_role("heading", level=2).first


def test_a_run_from_the_filter_to_its_return(fresh_server: Server, open_page: Callable[..., Page]) -> None:
    folder = own_run(fresh_server, "mine")
    page = open_page(fresh_server.url)
    page.goto("/runs")
    grid = page.locator("[data-testid=stDataFrame] table[role=grid]").first
    expect(grid).to_have_attribute("aria-rowcount", "14")  # with the head
    page.get_by_label("Filter").fill("mine")
    expect(grid).to_have_attribute("aria-rowcount", "2")
    choose(page, "mine")
    expect(heading(page)).to_have_text("mine")

    page.get_by_role("button", name="Rename or note").click()
    page.get_by_label("Name", exact=True).fill("ours")
    page.get_by_label("Note", exact=True).fill("for the class")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("mine is called ours now.")).to_be_visible()
    expect(heading(page)).to_have_text("ours")
    expect(page.get_by_text("for the class. 128 relu, 10 softmax.")).to_be_visible()

    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("ours is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("ours is back.")).to_be_visible()
    expect(heading(page)).to_have_text("ours")

    choose(page, "classic-50-50")
    expect(heading(page)).to_have_text("ours and classic-50-50")
    expect(page.get_by_text("is right on 128 digits that")).to_be_visible()
    expect(page.locator(".dl-compare")).to_contain_text("50, 50")

    page.goto("/runs?runs=ours")
    expect(heading(page)).to_have_text("ours")
    page.get_by_role("button", name="Take it away").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Zip").click()
    content = download.value.path().read_bytes()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("ours is deleted.")).to_be_visible()
    assert not (folder.parent / "ours").exists()

    bring_in = page.get_by_role("button", name="Bring in a run")
    expect(bring_in).to_have_count(1)  # while the page is drawn anew, the old one stays beside the new
    bring_in.click()
    file = {"name": "ours.zip", "mimeType": "application/zip", "buffer": content}
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)
    expect(page.get_by_text("ours is here now.")).to_be_visible()
    expect(heading(page)).to_have_text("ours")
    back = json.loads((folder.parent / "ours" / "run.json").read_text())
    assert back == OF_128 | {"name": "ours", "note": "for the class"}
    assert sorted(path.name for path in (folder.parent / "ours" / "checkpoints").iterdir()) == [
        "0001.safetensors",
        "0005.safetensors",
    ]


def test_runs_on_a_telephone(phone: Page) -> None:
    phone.goto("/runs?runs=classic-128&runs=classic-50-50")
    expect(heading(phone)).to_have_text("classic-128 and classic-50-50")
    expect(phone.get_by_text("is right on 128 digits that")).to_be_visible()
    fits(phone)

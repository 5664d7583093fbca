"""The first address that anyone opens on a server that has just started."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import Server

# Remembers whether the words were ever on the page, for however short a time.
WATCH = """
window.flashed = false;
new MutationObserver(() => {
  if (document.body && /page not found/i.test(document.body.innerText)) window.flashed = true;
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


@pytest.mark.parametrize(
    ("address", "title", "marked"),
    [("/draw", "Draw a digit", "Draw"), ("/upload", "Read pictures", "Upload"), ("/", "Draw a digit", "Draw")],
)
def test_the_first_visitor_gets_the_page_of_the_address(
    fresh_server: Server, open_page: Callable[..., Page], address: str, title: str, marked: str
) -> None:
    page = open_page(fresh_server.url)
    page.add_init_script(WATCH)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("combobox", name="Network that answers")).to_have_value("ann")
    expect(page.locator("[data-testid=stSidebarNavLink][aria-current=page] p")).to_have_text(marked)
    assert not page.evaluate("window.flashed"), "no word of a missing page"

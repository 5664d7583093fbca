"""How long people wait between lifting the pen and the answer on the page."""

from bench.browser import chromium, clear, draw_seven, open_canvas, temporary_folder, wait_for_answer
from bench.report import Figure, percentile
from tests.browser.server import serve

STROKES = 30

# Both ends are seen in the page itself: the pen's lifting, and the change of the page that names a digit.
_WATCH = """
window.waits = [];
let lifted = null;
document.addEventListener('pointerup', event => {
    if (event.composedPath()[0].tagName === 'CANVAS') lifted = performance.now();
}, true);
new MutationObserver(() => {
    const digit = document.querySelector('.dl-digit');
    if (lifted === null || !digit || digit.textContent === '?') return;
    window.waits.push(performance.now() - lifted);
    lifted = null;
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


def measure(run: str) -> list[Figure]:
    """Draw a 7 on a clean canvas again and again, with a network that is awake."""
    with temporary_folder() as folder, serve(folder) as server, chromium() as browser:
        page = open_canvas(browser, f"{server.url}/draw?run={run}", _WATCH)
        for _ in range(STROKES + 1):
            draw_seven(page)
            wait_for_answer(page)
            clear(page)
        waits: list[float] = page.evaluate("window.waits")[1:]  # the first waited for the network to wake up
    assert len(waits) == STROKES
    return [
        Figure(
            f"pen-up to answer on the page, p{percent}", percentile(waits, percent), "ms", detail=f"{STROKES} strokes"
        )
        for percent in (50, 95)
    ]

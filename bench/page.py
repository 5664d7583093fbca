"""How long a page of 100 digits takes, from its pixels to text."""

from bench import baselines, inputs
from bench.report import Figure, medians
from mnist_core.recognizer import Recognizer

ROUNDS = 10


def measure(run: str) -> list[Figure]:
    """Time our reading, and the rough normalisation of every part of the page."""
    recognizer = Recognizer.load(run)
    sheet = inputs.page()
    found = len(recognizer.read(sheet).recognitions)
    seconds = medians(
        {
            "ours": lambda: recognizer.read(sheet),
            "rough": lambda: recognizer.probabilities(baselines.rough_page(sheet)),
        },
        ROUNDS,
        warm_up=1,
    )
    detail = f"900x900 pixels, {found} of 100 digits found, median of {ROUNDS}"
    against = "rough normalisation"
    return [Figure("a page of 100 digits", 1000 * seconds["ours"], "ms", 1000 * seconds["rough"], against, detail)]

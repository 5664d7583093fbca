"""By how much memory grows over 10,000 predictions."""

from bench import inputs
from bench.report import Figure, resident_bytes
from mnist_core import images
from mnist_core.recognizer import Recognizer

WARM_UP = 1000
PREDICTIONS = 10_000


def measure(run: str) -> list[Figure]:
    """Compare this process's resident memory before and after; the first thousand fill caches and do not count."""
    recognizer = Recognizer.load(run)
    grey = images.decode_canvas(inputs.drawing()).grey
    for _ in range(WARM_UP):
        recognizer.recognize(grey)
    before = resident_bytes()
    for _ in range(PREDICTIONS):
        recognizer.recognize(grey)
    grown = (resident_bytes() - before) / 1e6
    return [Figure("memory grown over 10,000 predictions", grown, "MB", detail=f"after {WARM_UP} others")]

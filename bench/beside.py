"""One picture of one digit, read by ours and by both baselines in turn."""

from collections.abc import Callable

from bench import baselines
from bench.report import Figure, medians
from mnist_core.images import Picture
from mnist_core.recognizer import Recognizer


def beside_baselines(
    name: str, run: str, data: bytes, decode: Callable[[bytes], Picture], rounds: int, warm_up: int
) -> list[Figure]:
    """Time our path, the usual recipe and the rough normalisation, all with the same compiled network."""
    recognizer = Recognizer.load(run)
    seconds = medians(
        {
            "ours": lambda: recognizer.recognize(decode(data).grey),
            "usual": lambda: recognizer.probabilities(baselines.usual(data)),
            "rough": lambda: recognizer.probabilities(baselines.rough(data)),
        },
        rounds,
        warm_up,
    )
    ms = {key: 1000 * value for key, value in seconds.items()}
    return [
        Figure(name, ms["ours"], "ms", ms["rough"], "rough normalisation", f"median of {rounds}"),
        Figure(name, ms["ours"], "ms", ms["usual"], "usual recipe", f"median of {rounds}"),
    ]

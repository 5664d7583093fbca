"""How long a training job takes from its submission to the first news of its progress."""

import statistics
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.report import Figure
from mnist_core.cluster import Jobs
from mnist_core.recipes import Recipe, preset

ROUNDS = 5


def measure(run: str) -> list[Figure]:
    """Submit a job to a server that has no worker yet, then some more; the name of a run is not used."""
    recipe = preset("classic-50-50").with_changes(epochs=2)
    with TemporaryDirectory() as home, closing(Jobs(Path(home))) as jobs:
        cold = _first_news(jobs, recipe)
        warm = [_first_news(jobs, recipe) for _ in range(ROUNDS)]
    return [
        Figure("training job to its first progress, no worker yet", cold, "s", detail="built-in digits"),
        Figure("training job to its first progress", statistics.median(warm), "s", detail=f"median of {ROUNDS}"),
    ]


def _first_news(jobs: Jobs, recipe: Recipe) -> float:
    begin = time.perf_counter()
    id = jobs.submit(recipe, owner="bench", dataset="builtin")
    while not jobs.get(id).news:
        time.sleep(0.002)
    seconds = time.perf_counter() - begin
    while not jobs.get(id).ended:
        time.sleep(0.02)
    return seconds

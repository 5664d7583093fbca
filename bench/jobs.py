"""How soon a training job begins and ends, and how long a drawing takes while two of them are under way."""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import inputs
from bench.report import Figure, percentile
from mnist_core import images
from mnist_core.cluster import Job, Jobs, Limits
from mnist_core.recipes import ModelRecipe, Recipe, TrainRecipe, preset
from mnist_core.recognizer import Recognizer

ROUNDS = 5
DRAWINGS = 200
ENDLESS = preset("classic-50-50").with_changes(epochs=1000)
# A step of this one takes as long as any step of a dense network can.
LARGEST = Recipe(ModelRecipe(hidden=(4096, 2900)), TrainRecipe(epochs=1000, batch_size=2048))


def measure(run: str) -> list[Figure]:
    """Submit jobs to a server that has no worker yet, stop some, and draw beside others; the run reads the drawing."""
    recipe = preset("classic-50-50").with_changes(epochs=2)
    with TemporaryDirectory() as home, closing(Jobs(Path(home))) as jobs:
        cold = _first_news(jobs, recipe)
        warm = [_first_news(jobs, recipe) for _ in range(ROUNDS)]
        stops = [_stop(jobs, ENDLESS) for _ in range(ROUNDS)]
        largest = _stop(jobs, LARGEST)
    drawing = _drawings_beside_trainings(run)
    return [
        Figure("training job to its first progress, no worker yet", cold, "s", detail="built-in digits"),
        Figure("training job to its first progress", statistics.median(warm), "s", detail=f"median of {ROUNDS}"),
        Figure("a stop, until nothing more is learned", max(stops), "s", detail=f"slowest of {ROUNDS}"),
        Figure("likewise, the largest dense network in batches of 2,048", largest, "s"),
        Figure("a drawing while two trainings are under way", 1000 * drawing, "ms", detail=f"p95 of {DRAWINGS}"),
    ]


def _first_news(jobs: Jobs, recipe: Recipe) -> float:
    begin = time.perf_counter()
    id = jobs.submit(recipe, owner="bench", dataset="builtin")
    _wait(jobs, id, lambda job: bool(job.news))
    seconds = time.perf_counter() - begin
    _wait(jobs, id, lambda job: job.ended)
    return seconds


def _stop(jobs: Jobs, recipe: Recipe) -> float:
    """Return seconds from the order, in the middle of a training, until the network is only measured and kept."""
    id = jobs.submit(recipe, owner="bench", dataset="builtin")
    _wait(jobs, id, lambda job: len(job.news) > 1)
    begin = time.perf_counter()
    jobs.stop(id)
    _wait(jobs, id, lambda job: job.status == "saving" or job.ended)
    seconds = time.perf_counter() - begin
    _wait(jobs, id, lambda job: job.ended)
    return seconds


def _drawings_beside_trainings(run: str) -> float:
    """Return the 95th percentile of a drawing's seconds, from PNG to answer, in the process that serves the pages."""
    recognizer, drawing, seconds = Recognizer.load(run), inputs.drawing(), []
    limits = Limits(running=2, per_owner=2)
    with TemporaryDirectory() as home, closing(Jobs(Path(home), limits=limits)) as jobs:
        for id in [jobs.submit(ENDLESS, owner="bench", dataset="builtin") for _ in range(2)]:
            _wait(jobs, id, lambda job: bool(job.news))
        for _ in range(DRAWINGS):
            begin = time.perf_counter()
            recognizer.recognize(images.decode_canvas(drawing).grey)
            seconds.append(time.perf_counter() - begin)
    return percentile(seconds, 95)


def _wait(jobs: Jobs, id: str, holds: Callable[[Job], bool]) -> None:
    while not holds(job := jobs.get(id)):
        if job.ended:
            raise RuntimeError(f"The training ended before: {job.message}")
        time.sleep(0.002)

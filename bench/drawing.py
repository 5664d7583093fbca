"""How long one drawing takes, from the canvas' PNG to probabilities."""

from bench import inputs
from bench.beside import beside_baselines
from bench.report import Figure
from mnist_core import images


def measure(run: str) -> list[Figure]:
    """Time one drawing."""
    name = "a 280x280 drawing, PNG to probabilities"
    return beside_baselines(name, run, inputs.drawing(), images.decode_canvas, rounds=300, warm_up=3)

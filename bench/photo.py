"""How long one photo of 12 megapixels takes, from its JPEG to probabilities."""

from bench import inputs
from bench.beside import beside_baselines
from bench.report import Figure
from mnist_core import images


def measure(run: str) -> list[Figure]:
    """Time one photo."""
    name = "a 12-megapixel photo, JPEG to probabilities"
    return beside_baselines(name, run, inputs.photo(), images.decode, rounds=10, warm_up=1)

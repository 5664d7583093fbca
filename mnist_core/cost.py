"""What a recipe takes: weights, memory, and time on this machine."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mnist_core.augment import EpochSource
from mnist_core.recipes import Distortion, ModelRecipe, Recipe, TrainRecipe

TRAINING_DIGITS = {"mnist": 60_000, "builtin": 1_438}
"""Of each dataset."""

PROCESS_MEGABYTES = 1300.0
"""What a process that trains takes besides its network and pictures: TensorFlow, and the digits of MNIST."""

_FLOAT = 4  # bytes
_PACKED_PICTURE = 335  # bytes of a distorted picture that is kept to come again, with its label and a teacher's answer
_STEP_SECONDS = 1e-4  # a step's time that is not arithmetic: its tensors and the calls of a small network
_LAYER_SECONDS = 2.5e-5  # likewise for each layer, forth and back
_PASSES = 3  # a layer's products in a step: forth, and back to its weights and to what is before it
_UPDATE_PASSES = 10  # times an optimiser goes through the memory of all weights
_SHARED_PRODUCT = 1e6  # multiplications from which on a product is shared out among the cores
_TRIAL_SIDE, _TRIAL_FLOATS, _TRIAL_DIGITS, _TRIES = 64, 1_000_000, 24, 8


@dataclass(frozen=True)
class Cost:
    """What a training takes.

    Attributes
    ----------
    digits
        Training digits, without those that are held back.
    parameters
        Weights that are learned.
    megabytes
        Of memory, besides what TensorFlow itself takes.
    seconds
        On this machine when it has nothing else to do, to about a factor of two.
    """

    digits: int
    parameters: int
    megabytes: float
    seconds: float


def estimate(recipe: Recipe, dataset: str, teacher: ModelRecipe | None = None) -> Cost:
    """Estimate a training's cost from short trials of its arithmetic on this machine.

    Parameters
    ----------
    recipe
        What would be trained.
    dataset
        ``"mnist"`` or ``"builtin"``.
    teacher
        The teacher's architecture, if the recipe has one: it reads every digit.
    """
    how = recipe.training
    digits, shown = training_digits(recipe, dataset), _shown(recipe, dataset)
    steps = math.ceil(shown / how.batch_size)
    learning = steps * _seconds_per_step(recipe.model, how.batch_size)
    # The next epoch's pictures are made while this one's are learned.
    reading = _seconds_of_products(teacher, how.batch_size) / how.batch_size if teacher else 0.0
    new = max(learning, shown * _seconds_per_picture(how.distortion) + digits * reading)
    drawn = sum(_drawn(how))
    seconds = drawn * new + (how.epochs - drawn) * learning
    return Cost(digits, recipe.model.parameters, _megabytes(recipe, dataset), seconds)


def _shown(recipe: Recipe, dataset: str) -> int:
    """Pictures an epoch."""
    digits = training_digits(recipe, dataset)
    return digits + round(recipe.training.non_digits * digits)


def _drawn(how: TrainRecipe) -> tuple[int, int]:
    """How many epochs are drawn anew with distortions as they are, and how many with gentle ones."""
    as_they_are = how.first_gentle - 1
    most = how.distinct_epochs or how.epochs
    return min(most, as_they_are), min(most, how.epochs - as_they_are)


def training_digits(recipe: Recipe, dataset: str) -> int:
    """Return how many digits a recipe trains on."""
    kept = round(TRAINING_DIGITS[dataset] * (1 - recipe.training.validation_share))
    return min(kept, recipe.training.examples or kept)


def _megabytes(recipe: Recipe, dataset: str) -> float:
    copies = 2 + {"sgd": 1, "rmsprop": 1}.get(recipe.training.optimizer, 2)  # weights, gradients, the optimiser's own
    weights = recipe.model.parameters * copies * _FLOAT
    activations = 2 * recipe.training.batch_size * sum(rows * out for rows, _, out in _products(recipe.model)) * _FLOAT
    how = recipe.training
    pictures = 2 * TRAINING_DIGITS[dataset] * 784  # this epoch's and the next one's, a byte a pixel
    kept = max(_drawn(how)) * _shown(recipe, dataset) * _PACKED_PICTURE if how.distinct_epochs else 0
    return (weights + activations + pictures + kept) / 2**20


def multiplications(model: ModelRecipe) -> int:
    """Return how many multiplications a network takes for one digit."""
    return sum(math.prod(product) for product in _products(model))


def _products(model: ModelRecipe) -> list[tuple[int, int, int]]:
    """The matrix products of one digit: rows, inputs, outputs. A convolution has a row for each place."""
    found, side = [], 28
    for name, shape in model.weight_shapes.items():
        if name.endswith("/kernel"):
            convolution = len(shape) == 4
            found.append((side * side if convolution else 1, math.prod(shape[:-1]), shape[-1]))
            if convolution and name.partition("/")[0].endswith("b"):
                side //= 2  # pooled
    return found


def _seconds_per_step(model: ModelRecipe, batch_size: int) -> float:
    update = _UPDATE_PASSES * model.parameters * _FLOAT / _bytes_per_second()
    layers = len(_products(model)) * _LAYER_SECONDS
    return _STEP_SECONDS + layers + _PASSES * _seconds_of_products(model, batch_size) + update


def _seconds_of_products(model: ModelRecipe, digits: int) -> float:
    return sum(_seconds_of_product(digits * rows * inputs * outputs) for rows, inputs, outputs in _products(model))


def _seconds_of_product(multiplications: float) -> float:
    cores = (os.cpu_count() or 1) if multiplications > _SHARED_PRODUCT else 1
    return multiplications / (_multiplications_per_second() * cores)


@lru_cache(maxsize=1)
def _multiplications_per_second() -> float:
    """What one core does: the matrices are so small that no library shares them out among several."""
    square = np.ones((_TRIAL_SIDE, _TRIAL_SIDE), np.float32)
    return _TRIAL_SIDE**3 / _fastest(lambda: square @ square)


@lru_cache(maxsize=1)
def _bytes_per_second() -> float:
    block = np.ones(_TRIAL_FLOATS, np.float32)
    return block.nbytes / _fastest(lambda: np.add(block, block, out=block))


@lru_cache(maxsize=256)
def _seconds_per_picture(distortion: Distortion) -> float:
    if not distortion.active:
        return 0.0
    pictures = np.zeros((_TRIAL_DIGITS, 28, 28), np.uint8)
    pictures[:, 6:22, 12:16] = 255
    source = EpochSource(pictures, np.ones(_TRIAL_DIGITS, np.int64), TrainRecipe(distortion=distortion))
    return _fastest(lambda: source.draw(1)) / _TRIAL_DIGITS


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several tries: the others were disturbed."""
    times = []
    for _ in range(_TRIES):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def about(seconds: float) -> str:
    """Return an estimated time for people, such as ``"about 4 s"`` or ``"under a second"``."""
    return in_time(seconds) if seconds < 1 else f"about {in_time(seconds)}"


def in_time(seconds: float) -> str:
    """Return a time for people, such as ``"under a second"``, ``"4 s"``, ``"3 min"`` or ``"2.5 h"``."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

"""Two to four runs side by side: what their recipes differ in, and whether one really reads better than another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions, stored
from mnist_core.recipes import Distortion, Recipe
from mnist_core.runs import Run

Mask = npt.NDArray[np.bool_]

CHANCE = 0.05
"""From this p-value a difference is said to be possibly chance."""

_TITLES = {
    "filters": "Convolutional blocks",
    "hidden": "Hidden layers",
    "batch_norm": "Batch normalisation",
    "input_dropout": "Dropout of pixels",
    "optimizer": "Optimiser",
    "examples": "Training digits",
    "validation_share": "Held back",
    "gentle_end": "Gentler at the end",
    "convolutional_start": "Convolutional at the start",
    "variants": "Flags, bars and slashes",
    "non_digits": "Drawings that are no digits",
    "crossed_out": "Crossed-out digits among them",
    "clean_share": "Left undistorted",
}

_DATA = {"mnist": "MNIST", "builtin": "built-in digits"}


@dataclass(frozen=True)
class Difference:
    """Something that two recipes do not have in common: what it is, and its value in each, in words."""

    title: str
    values: tuple[str, ...]


def recipe_differences(runs: Sequence[Run]) -> list[Difference]:
    """Return what the recipes and the data of some runs differ in, in the order of a recipe; empty for equal ones."""
    settings = [recipe_words(run) for run in runs]
    return [
        Difference(title, values)
        for title in settings[0]
        if len(set(values := tuple(one[title] for one in settings))) > 1
    ]


def recipe_words(run: Run) -> dict[str, str]:
    """Return every setting of a run's recipe, and its data, by title and in words."""
    return settings_words(run.recipe) | {"Data": _DATA.get(run.dataset, run.dataset)}


def settings_words(recipe: Recipe) -> dict[str, str]:
    """Return every setting of a recipe by title and in words."""
    words = {}
    for part in (recipe.model, recipe.training, recipe.training.distortion):
        for item in fields(part):
            value = getattr(part, item.name)
            if not isinstance(value, Distortion):
                title = _TITLES.get(item.name, item.name.replace("_", " ").capitalize())
                words[f"Distortion: {title.lower()}" if isinstance(part, Distortion) else title] = _words(title, value)
    return words


def _words(title: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if title == _TITLES["examples"] and value == 0:
        return "all"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


@dataclass(frozen=True)
class McNemar:
    """How often two networks were right on the same digits, and McNemar's exact test of that (1947).

    Attributes
    ----------
    both_right, only_first, only_second, both_wrong
        Digits.
    p_value
        How likely the digits on which only one is right would split at least this unevenly, were both equally good.
    """

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float

    def sentence(self, first: str, second: str) -> str:
        """Say in words what it means, for networks of these names."""
        if self.only_first + self.only_second == 0:
            return f"{first} and {second} are right and wrong on the very same digits."
        counts = (
            f"{first} is right on {_digits(self.only_first)} that {second} gets wrong, "
            f"and {second} on {self.only_second:,} that {first} gets wrong."
        )
        if self.p_value >= CHANCE:
            return f"{counts} This difference could be chance: were both equally good, {_share(self.p_value)}."
        better = first if self.only_first > self.only_second else second
        return f"{counts} This is hardly chance, {better} reads better: were both equally good, {_share(self.p_value)}."


def _digits(count: int) -> str:
    return f"{count:,} digit" if count == 1 else f"{count:,} digits"


def _share(p_value: float) -> str:
    split = "a split at least as uneven as this one would come up in"
    if p_value >= 0.01:
        return f"{split} {p_value:.0%} of such tests"
    if p_value >= 1e-6:
        return f"{split} one of {_rounded(1 / p_value):,} such tests"
    return f"{split} less than one of a million such tests"


def _rounded(number: float) -> int:
    """Round to two figures that count."""
    return int(float(f"{number:.1e}"))


def mcnemar(first_wrong: Mask, second_wrong: Mask) -> McNemar:
    """Compare two networks on the same digits.

    Parameters
    ----------
    first_wrong, second_wrong
        ``bool (n,)``: whether each read the digit wrong.
    """
    only_first = int((~first_wrong & second_wrong).sum())
    only_second = int((~second_wrong & first_wrong).sum())
    return McNemar(
        int((~first_wrong & ~second_wrong).sum()),
        only_first,
        only_second,
        int((first_wrong & second_wrong).sum()),
        _two_sided(min(only_first, only_second), only_first + only_second),
    )


def _two_sided(fewer: int, n: int) -> float:
    """How likely n fair coins show one side at most `fewer` times, whichever side it is."""
    if 2 * fewer >= n:
        return 1.0
    tosses = np.arange(1, fewer + 1)
    # Logarithms of n over k, each from the one before: the numbers themselves are too large.
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(n - tosses + 1) - np.log(tosses))]) - n * math.log(2)
    return min(1.0, 2 * float(np.exp(logarithms).sum()))


def same_digits(runs: Sequence[Run]) -> list[Predictions]:
    """Load what some runs answered to the same test digits.

    Raises
    ------
    DigitLabError
        They were tested on different digits, or a run's predictions are missing or damaged.
    """
    answers = [stored(run, run.dataset) for run in runs]
    for run, one in zip(runs[1:], answers[1:], strict=True):
        if run.fingerprint != runs[0].fingerprint or not np.array_equal(one.labels, answers[0].labels):
            raise DigitLabError(
                f"{runs[0].name!r} and {run.name!r} were tested on different digits, so their answers cannot be "
                "compared one by one."
            )
    return answers


def only_right(right: Predictions, wrong: Predictions) -> npt.NDArray[np.intp]:
    """Return the positions of the digits that one read right and the other wrong, its surest mistakes first."""
    places = np.flatnonzero(~right.wrong & wrong.wrong)
    return places[np.argsort(-wrong.certainty[places], kind="stable")]


def published_accuracy(result: str) -> float | None:
    """Return the test accuracy in [0, 1] that a published result states, if it states a number."""
    words = result.partition("test ")[2].split()
    number = words[0] if words[1:2] and words[1].startswith("%") else ""
    return float(number) / 100 if number.replace(".", "", 1).isdecimal() else None

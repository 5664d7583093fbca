"""Choosing digits by what a run made of them and by how they are written; mistakes by kind, in a sentence each."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mnist_core.confusion import Rows, matrix
from mnist_core.predictions import Predictions
from mnist_core.recognizer import SURE
from mnist_core.traits import Traits

Mask = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

Which = Literal["wrong", "right", "unsure", "all"]
By = Literal["loss", "certainty", "margin", "stroke", "slant", "number"]
Range = tuple[float, float]


@dataclass(frozen=True)
class Wanted:
    """Which digits to show; None anywhere: no matter.

    Attributes
    ----------
    which
        Read wrong, read right, refused for being unsure, or all.
    true, predicted
        Digits.
    certainty, margin
        Ranges in [0, 1], both ends included.
    loss
        Range in nats.
    stroke, slant
        Ranges in pixels and degrees; they need pictures.
    """

    which: Which = "wrong"
    true: int | None = None
    predicted: int | None = None
    certainty: Range | None = None
    margin: Range | None = None
    loss: Range | None = None
    stroke: Range | None = None
    slant: Range | None = None


def choose(predictions: Predictions, traits: Traits | None, wanted: Wanted, by: By = "loss") -> Rows:
    """Return the rows of the digits that are wanted, in order.

    Parameters
    ----------
    predictions, traits
        Of the same digits; traits None: no pictures, and what needs them is no matter.
    wanted
        Which of them.
    by
        What they are sorted by: the largest loss first, or the least certainty, the least margin, the thinnest stroke,
        the slant from left to right, or the dataset's order.

    Returns
    -------
    ndarray
        ``intp (k,)``.
    """
    chosen = _kind(predictions, wanted.which)
    for digit, values in ((wanted.true, predictions.labels), (wanted.predicted, predictions.predicted)):
        if digit is not None:
            chosen &= values == digit
    ranges = [
        (wanted.certainty, predictions.certainty),
        (wanted.margin, predictions.margins),
        (wanted.loss, predictions.losses),
    ]
    if traits is not None:
        ranges += [(wanted.stroke, traits.stroke), (wanted.slant, traits.slant)]
    for limits, measured in ranges:
        if limits is not None:
            chosen &= (measured >= limits[0]) & (measured <= limits[1])
    rows = np.flatnonzero(chosen)
    keys = {"loss": -predictions.losses, "certainty": predictions.certainty, "margin": predictions.margins}
    if traits is not None:
        keys |= {"stroke": traits.stroke, "slant": traits.slant}
    return rows[np.argsort(keys[by][rows], kind="stable")] if by in keys else rows


def _kind(predictions: Predictions, which: Which) -> Mask:
    if which == "wrong":
        return predictions.wrong.copy()
    if which == "right":
        return ~predictions.wrong
    if which == "unsure":
        return np.asarray(predictions.certainty < predictions.least_probability)
    return np.ones(len(predictions), bool)


@dataclass(frozen=True)
class Kind:
    """One kind of mistake.

    Attributes
    ----------
    true, predicted
        The digits.
    n
        How often it is made.
    remark
        What most of them have in common, such as ``"mostly open loops"``; empty where nothing stands out.
    """

    true: int
    predicted: int
    n: int
    remark: str

    @property
    def sentence(self) -> str:
        """It in words."""
        remark = f", {self.remark}" if self.remark else ""
        return f"{self.true} read as {self.predicted}: {self.n:,}{remark}"


def kinds(predictions: Predictions, traits: Traits | None) -> tuple[Kind, ...]:
    """Return every kind of mistake that is made, the most frequent first."""
    counts = matrix(predictions)
    np.fill_diagonal(counts, 0)
    found = [(int(counts[true, read]), int(true), int(read)) for true, read in np.argwhere(counts)]
    found.sort(key=lambda one: (-one[0], one[1:]))
    return tuple(Kind(true, read, n, _remark(predictions, traits, true, read)) for n, true, read in found)


_TELLING = 3  # mistakes, before anything is said of most of them
_MOST = 0.5  # share that is most of them
_TIMES = 2.0  # that it has to be as frequent as among all digits of the kind
_RARE = 10  # percent: beyond this quantile, a stroke is thin or heavy, a slant is strong


def _remark(predictions: Predictions, traits: Traits | None, true: int, predicted: int) -> str:
    """What most of these mistakes have in common and few digits of the same kind share."""
    all_of_them = predictions.labels == true
    mistakes = all_of_them & (predictions.predicted == predicted)
    if mistakes.sum() < _TELLING:
        return ""
    best, words = 0.0, ""
    for name, having in _marks(predictions, traits, all_of_them):
        share, usual = float(having[mistakes].mean()), float(having[all_of_them].mean())
        if share >= _MOST and share >= _TIMES * usual and share > best:
            best, words = share, name
    return f"mostly {words}" if words else ""


def _marks(predictions: Predictions, traits: Traits | None, alike: Mask) -> list[tuple[str, Mask]]:
    """What a digit can be said to be, with the digits that are; among equals the first is said."""
    marks: list[tuple[str, Mask]] = []
    if traits is not None:
        usual = int(np.bincount(np.maximum(traits.loops[alike], 0)).argmax())
        thin, heavy = np.percentile(traits.stroke[alike], (_RARE, 100 - _RARE))
        left, right = np.percentile(traits.slant[alike], (_RARE, 100 - _RARE))
        marks = [
            ("open loops", traits.loops < usual),
            ("with a loop too many", traits.loops > usual),
            ("thin strokes", traits.stroke <= thin),
            ("heavy strokes", traits.stroke >= heavy),
            ("leaning left", traits.slant <= left),
            ("leaning right", traits.slant >= right),
        ]
    unsure = predictions.certainty < predictions.least_probability
    sure = (predictions.certainty >= SURE) & predictions.wrong
    return [*marks, ("unsure answers", unsure), ("very sure of it", sure)]

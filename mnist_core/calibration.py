"""How far a network's certainty can be believed, and what refusing unsure answers gains and costs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist_core.evaluation import Interval, log_softmax, wilson_interval
from mnist_core.predictions import Predictions

Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BINS = 10
_MOST_POINTS = 400  # of a curve that is drawn


@dataclass(frozen=True)
class Bin:
    """Answers of about equal certainty.

    Attributes
    ----------
    low, high
        Certainties from above `low` up to `high`.
    n, right
        Answers, and how many of them are right; n is at least 1.
    certainty
        Their mean, in [0, 1].
    """

    low: float
    high: float
    n: int
    right: int
    certainty: float

    @property
    def accuracy(self) -> float:
        """Share that is right."""
        return self.right / self.n

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return wilson_interval(self.right, self.n)


def reliability(certainty: Float64, right: Mask, bins: int = BINS) -> tuple[Bin, ...]:
    """Sort answers by certainty into bins of equal width; empty bins are left out.

    Parameters
    ----------
    certainty
        Probability of the most probable digit, ``(n,)`` in [0, 1].
    right
        ``bool (n,)``.
    bins
        How many there are between 0 and 1.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], certainty)
    counts, hits = np.bincount(place, minlength=bins), np.bincount(place[right], minlength=bins)
    sums = np.bincount(place, certainty, minlength=bins)
    return tuple(
        Bin(float(edges[at]), float(edges[at + 1]), int(counts[at]), int(hits[at]), float(sums[at] / counts[at]))
        for at in np.flatnonzero(counts)
    )


def expected_error(bins: tuple[Bin, ...]) -> float:
    """Return the expected calibration error (Naeini, Cooper and Hauskrecht, 2015), in [0, 1].

    It is the mean distance between certainty and accuracy, each bin weighted by its answers.
    """
    return sum(one.n * abs(one.certainty - one.accuracy) for one in bins) / sum(one.n for one in bins)


@dataclass(frozen=True)
class Certainty:
    """How a run's certainty agrees with being right, before and after the temperature was applied."""

    before: tuple[Bin, ...]
    after: tuple[Bin, ...]

    @property
    def error_before(self) -> float:
        """Expected calibration error of the probabilities as the network gives them."""
        return expected_error(self.before)

    @property
    def error_after(self) -> float:
        """Expected calibration error of the calibrated probabilities."""
        return expected_error(self.after)


def certainty(predictions: Predictions) -> Certainty:
    """Sort a run's answers by certainty, without its temperature and with it."""
    raw = np.exp(log_softmax(predictions.log_probabilities)).max(axis=1)
    right = ~predictions.wrong
    return Certainty(reliability(raw, right), reliability(predictions.certainty, right))


@dataclass(frozen=True)
class Refusal:
    """What a threshold does to a dataset: below it, the network asks instead of answering.

    Attributes
    ----------
    threshold
        The smallest certainty that is enough.
    n, read, wrong
        Digits, how many of them are read, and how many of these wrong.
    """

    threshold: float
    n: int
    read: int
    wrong: int

    @property
    def coverage(self) -> float:
        """Share of the digits that are read."""
        return self.read / self.n

    @property
    def accuracy(self) -> float | None:
        """Share right among those that are read; None when none is."""
        return (self.read - self.wrong) / self.read if self.read else None

    def sentence(self, of: int = 1000) -> str:
        """Say what it means for so many handwritten digits."""
        read = round(of * self.coverage)
        if read == of and self.read < self.n:
            read -= 1  # it does ask, however rarely
        asks = "never asks" if self.read == self.n else f"asks about {of - read:,}"
        start = f"Of {of:,} handwritten digits it reads {read:,} and {asks}"
        if not self.read:
            return f"Of {of:,} handwritten digits it reads none: it asks about all of them."
        wrong = of * self.wrong / self.n
        if not self.wrong:
            return f"{start}; of those it reads, none is wrong here."
        if wrong < 0.5:
            return f"{start}; of those it reads, fewer than 1 is wrong (1 in {round(self.n / self.wrong):,})."
        return f"{start}; of those it reads, {_count(round(wrong))} wrong."


def _count(number: int) -> str:
    return "1 is" if number == 1 else f"{number:,} are"


def refuse(predictions: Predictions, threshold: float) -> Refusal:
    """Measure what one threshold does."""
    read = predictions.certainty >= threshold
    return Refusal(threshold, len(predictions), int(read.sum()), int((read & predictions.wrong).sum()))


@dataclass(frozen=True, eq=False)
class Coverage:
    """Accuracy against coverage: the more a network asks about, the more of the rest is right.

    Attributes
    ----------
    threshold, coverage, accuracy
        ``float64 (k,)``, from the highest threshold, where almost nothing is read, to the lowest, where all is.
    """

    threshold: Float64
    coverage: Float64
    accuracy: Float64


def coverage(predictions: Predictions) -> Coverage:
    """Follow every threshold that makes a difference, thinned to a few hundred points."""
    order = np.argsort(-predictions.certainty, kind="stable")
    certainty = predictions.certainty[order]
    read = np.arange(1, len(order) + 1)
    right = np.cumsum(~predictions.wrong[order])
    last = np.append(np.flatnonzero(np.diff(certainty)), len(order) - 1)  # equally sure ones are read together
    if len(last) > _MOST_POINTS:
        # Where little is refused the curve is of interest, so points lie closer there.
        spread = 1 - np.linspace(1, 0, _MOST_POINTS) ** 2
        last = last[np.unique(np.rint(spread * (len(last) - 1)).astype(int))]
    return Coverage(certainty[last], read[last] / len(order), right[last] / read[last])

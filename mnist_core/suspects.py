"""Which labels of a dataset may be wrong: those in which networks that never saw the digit believe least."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Suspects:
    """All digits of a dataset, ranked by how little their label is believed.

    Attributes
    ----------
    rows
        ``intp (n,)``: the digits, the least believed label first.
    confidence
        ``float64 (n,)`` in the dataset's order: the self-confidence, which is the calibrated probability of the given
        label, averaged over the networks.
    read
        ``int64 (n,)``: what the networks together take each digit for.
    flagged
        ``bool (n,)``: the labels that confident learning takes for wrong.
    """

    rows: Rows
    confidence: Float64
    read: Labels
    flagged: Mask

    def to_look_at(self, least: int = 24, most: int = 480) -> Rows:
        """Return those worth a look: as far down as a flagged digit, or one read as another, but at least a few."""
        doubted = np.flatnonzero((self.flagged | (self.confidence < 0.5))[self.rows])
        last = int(doubted[-1]) + 1 if len(doubted) else 0
        return self.rows[: min(max(last, least), most)]


def rank(judges: Sequence[Predictions]) -> Suspects:
    """Rank a dataset's labels by self-confidence, and flag them by confident learning.

    None of the networks may have been trained on these digits: every one believes in a label that it learned by heart.
    The digits of a test set are such digits for every run.

    A label is flagged where another digit is the most probable among those that reach their own threshold, which is
    the mean probability of a digit among all that are labelled so (Northcutt, Jiang and Chuang: Confident Learning,
    Journal of Artificial Intelligence Research 70, 2021; self-confidence is its first ranking).

    Parameters
    ----------
    judges
        At least one network's answers on the same digits.

    Raises
    ------
    DigitLabError
        There is no network, or they answered different digits.
    """
    if not judges:
        raise DigitLabError("Choose at least one network that judges the labels.")
    labels = judges[0].labels
    if any(not np.array_equal(labels, one.labels) for one in judges):
        raise DigitLabError("These networks were not asked about the same digits.")
    together = np.mean([one.probabilities for one in judges], axis=0)
    confidence = np.asarray(together[np.arange(len(labels)), labels])
    return Suspects(
        np.argsort(confidence, kind="stable"),
        confidence,
        np.asarray(together.argmax(axis=1), np.int64),
        _flag(together, labels),
    )


def _flag(together: Float64, labels: Labels) -> Mask:
    """Confident learning's off-diagonal: the digits that are confidently another one than they are labelled."""
    thresholds = np.full(10, np.inf)  # nothing can be said to look like a digit that is not among them
    for digit in np.unique(labels):
        thresholds[digit] = together[labels == digit, digit].mean()
    confident = np.where(together >= thresholds, together, -1.0)
    return np.asarray((confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != labels))

"""What stands beside a sign on a page tells whether it is a digit: rows of digits, or a word in which some look like it."""

import math
from collections.abc import Sequence

import numpy as np

from mnist_core._steps import Box

# Neighbours further away than this many heights hardly count, and one's own row alone says little.
_REACH, _OWN_WEIGHT = 1.2, 0.25
# A sign with less certainty than that is none that only happens to be badly written.
_HARDLY = 0.5
# How much more or less certain, as log-odds, a sign has to be among digits alone and among signs that are none.
_AMONG_DIGITS, _IN_A_WORD = 2.6, 7.0


def legible(boxes: Sequence[Box], sure: Sequence[float], least: float) -> tuple[bool, ...]:
    """Which signs of a line are to be read.

    Parameters
    ----------
    boxes
        Where the signs of one line are.
    sure
        The probability of the most probable digit for each.
    least
        The probability from which a sign on its own counts as a digit.

    Returns
    -------
    tuple
        One answer a sign: among digits also what is less probable is read, among letters only what is far more so.
    """
    votes = [1.0 if p >= least else -1.0 if p < _HARDLY else 0.0 for p in sure]
    needed = _log_odds(least)
    answers = []
    for i, p in enumerate(sure):
        weights = np.array([_nearness(boxes[i], box) if j != i else 0.0 for j, box in enumerate(boxes)])
        around = float(weights @ votes) / (float(weights.sum()) + _OWN_WEIGHT)
        answers.append(_log_odds(p) + (_AMONG_DIGITS if around > 0 else _IN_A_WORD) * around >= needed)
    return tuple(answers)


def _nearness(one: Box, other: Box) -> float:
    """How much a neighbour counts, from 1 if it touches down to 0."""
    gap = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    return math.exp(-max(gap, 0) / (_REACH * max(one.height, other.height)))


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))

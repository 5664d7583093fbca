"""What stands beside a sign tells whether it is a digit: rows of digits, or a word in which some look like digits."""

import math
from collections.abc import Sequence

import numpy as np

from mnist_core._steps import Box

# Neighbours further away than this many heights hardly count, and one's own row alone says little.
_REACH, _OWN_WEIGHT = 1.2, 0.25
# A sign with less certainty than that is none that only happens to be badly written; with this it is read on its own.
_HARDLY, _ALONE = 0.5, 0.88
# How much more or less certain, as log-odds, a sign has to be among digits alone, and in a word: with two signs near
# it, which count at least this much, that are none.
_BESIDE = 0.25
_AMONG_DIGITS, _IN_A_WORD = 2.6, 10.0
# By this much, as log-odds, what is not accepted falls short at least.
_DOUBT = 0.1


def legible(boxes: Sequence[Box | None], sure: Sequence[float], accepted: Sequence[bool]) -> tuple[bool, ...]:
    """Which signs of a line are to be read.

    Parameters
    ----------
    boxes
        Where the signs of one line are; one without a box is looked at by itself.
    sure
        The probability of the most probable digit for each.
    accepted
        Whether each counts as a digit on its own.

    Returns
    -------
    tuple
        One answer a sign: among digits also what is less probable is read, among letters only what is far more so.
    """
    votes = [1.0 if a else -1.0 if p < _HARDLY else 0.0 for a, p in zip(accepted, sure, strict=True)]
    needed, answers = _log_odds(_ALONE), []
    for i, p in enumerate(sure):
        weights = np.array([_nearness(boxes[i], box) if j != i else 0.0 for j, box in enumerate(boxes)])
        around = float(weights @ votes) / (float(weights.sum()) + _OWN_WEIGHT)
        own = _log_odds(p) - needed
        own = max(own, 0.0) if accepted[i] else min(own, -_DOUBT)
        letters = sum(vote < 0 and weight > _BESIDE for vote, weight in zip(votes, weights, strict=True))
        answers.append(own + (_IN_A_WORD if around < 0 and letters > 1 else _AMONG_DIGITS) * around >= 0)
    return tuple(answers)


def _nearness(one: Box | None, other: Box | None) -> float:
    """How much a neighbour counts, from 1 if it touches down to 0."""
    if one is None or other is None:
        return 0.0
    gap = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    return math.exp(-max(gap, 0) / (_REACH * max(one.height, other.height)))


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))

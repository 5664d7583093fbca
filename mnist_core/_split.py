"""Digits that touch: one connected part cut in two where a single stroke joins them."""

from collections.abc import Callable

import cv2
import numpy as np

from mnist_core._ink import Ink
from mnist_core._normalise import stroke_width
from mnist_core._parts import Part, Parts
from mnist_core._steps import Array, quantile

Group = list[Part]
Certainty = Callable[[list[Group]], list[float]]

# Narrower parts are one digit: width over height, with somebody to ask and without.
_NARROWEST, _NARROWEST_UNASKED = 0.85, 1.1
# A cut goes through hardly more than one stroke, and leaves two parts nearly as high as the whole.
_STROKES_CUT, _LOWEST, _LEAST_WIDTH = 1.35, 0.75, 0.15
# An empty place in the middle that is wider than this share of the part is the inside of a 0 or a U, not a gap.
_EMPTY = 0.5
# Slants of the cuts that are tried, sideways per row.
_SLANTS = (-0.45, -0.3, -0.15, 0.0, 0.15, 0.3, 0.45)


def split_touching(parts: Parts, ink: Ink, group: Group, certainty: Certainty | None) -> list[Group]:
    """Cut a part that is wide enough for two digits; labels in `parts` change with it.

    Parameters
    ----------
    parts, ink
        Of the picture.
    group
        One digit, or several that touch.
    certainty
        How sure it is that each of some groups is a digit, if there is somebody to ask: then also parts that are little
        wider than one digit are tried, and the cut stands if both sides are surer than the whole.

    Returns
    -------
    list
        The group alone if there is no cut that leaves two digits.
    """
    if len(group) != 1 or group[0].width < (_NARROWEST if certainty else _NARROWEST_UNASKED) * group[0].height:
        return [group]
    (part,) = group
    own = np.asarray(parts.labels[part.window] == part.label)
    right_of = _best_cut(own, part.stroke)
    if right_of is None:
        return [group]
    before = certainty([group]) if certainty else [0.0]
    label = int(parts.labels.max()) + 1
    parts.labels[part.window][own & right_of] = label
    halves = [[_redescribed(parts, ink, part, n)] for n in (part.label, label)]
    if certainty and min(certainty(halves)) <= before[0]:
        parts.labels[part.window][own & right_of] = part.label
        return [group]
    return [g for half in halves for g in split_touching(parts, ink, half, certainty)]


def _best_cut(own: Array, stroke: float) -> Array | None:
    """Which pixels lie to the right of the best cut, or None."""
    height, width = own.shape
    rows = np.arange(height)[:, None]
    best, best_cost = None, _STROKES_CUT * stroke
    for slant in _SLANTS:
        shift = np.rint(slant * (rows - height / 2)).astype(np.int64)
        columns = np.arange(width)[None] - shift
        inside = (columns >= 0) & (columns < width)
        ink_at = np.bincount(columns[own & inside], minlength=width)
        # Half the width apart the middle counts little less than the ends: touching digits are seldom equally wide.
        middle = np.abs(np.arange(width) / width - 0.5)
        for at in np.argsort(ink_at + stroke * middle)[:8]:
            cost = float(ink_at[at] + 0.5 * stroke * (middle[at] + abs(slant)))
            right = columns > at
            if cost < best_cost and _two_digits(own & ~right, own & right):
                best, best_cost = right, cost
    return best


def _two_digits(left: Array, right: Array) -> bool:
    """Whether both sides of a cut are as high as a digit and not just the end of a stroke."""
    height = left.shape[0]
    for side in (left, right):
        rows, columns = np.flatnonzero(side.any(1)), np.flatnonzero(side.any(0))
        if len(rows) < 2 or np.ptp(rows) + 1 < _LOWEST * height or np.ptp(columns) + 1 < _LEAST_WIDTH * height:
            return False
    middle = slice(int(0.35 * height), int(0.65 * height) + 1)
    ends = np.flatnonzero(left[middle].any(0)), np.flatnonzero(right[middle].any(0))
    return all(map(len, ends)) and ends[1][0] - ends[0][-1] < _EMPTY * left.shape[1]


def _redescribed(parts: Parts, ink: Ink, whole: Part, label: int) -> Part:
    """The part that has this label after the cut."""
    own = np.asarray(cv2.inRange(parts.labels[whole.window], label, label))
    x, y, width, height = cv2.boundingRect(own)
    own = own[y : y + height, x : x + width]
    left, top = whole.x + x, whole.y + y
    level = quantile(ink.strength[top : top + height, left : left + width][own > 0], 0.75)
    area = int(np.count_nonzero(own))
    return Part(label, left, top, width, height, area, level, stroke_width(own.astype(np.uint8)), whole.contact)

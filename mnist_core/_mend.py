"""Digits that a pen running dry left in pieces: many short strokes, each near the next one."""

from collections.abc import Sequence

import numpy as np

from mnist_core._parts import Part, bounds, box_gaps, extent
from mnist_core._split import Group, Sure, on_average

# Pieces are up to so many pens apart: how wide the gaps are is tried from wide to narrow, as neighbours are near too.
_GAPS = (4.5, 3.0, 2.0)
# A short stroke is so many pens long at least, where a dot is shorter, and so many times as long as its box at most,
# where a loop is longer; it has up to this share of the digit's size. There are so many, with this share of the ink.
_DOT, _SIMPLE, _SHORT, _MANY, _MOST_INK = 2.0, 1.4, 0.7, 4, 0.5
# A digit is so many times as wide as high at most.
_WIDEST = 1.3
# What the pieces make is this sure to be a digit, and so much surer than they are themselves.
_SURE, _SURER = 0.9, 0.2


def chain(main: Part, others: Sequence[Part]) -> Group:
    """Return a part and the pieces that lead away from it, if all of them look like a broken digit; else nothing."""
    some = [main, *others]
    if not _are_many(some):
        return []
    group = linked([[part] for part in some], _GAPS[0] * main.stroke)[0]
    return group if _is_broken(group) else []


def broken_digits(some: Sequence[Part], sure: Sure) -> list[Group]:
    """Find the digits of a page of which there are only pieces.

    Parameters
    ----------
    some
        Parts of the page.
    sure
        Says how sure it is of groups that each is a digit, in [0, 1].

    Returns
    -------
    list
        The pieces of each; no part is in two of them.
    """
    found: list[Group] = []
    left = list(some)
    for gap in _GAPS:
        if not _are_many(left):
            break
        pen = float(np.median([part.stroke for part in left]))
        tried = [group for group in linked([[part] for part in left], gap * pen) if _is_broken(group)]
        for group, one in zip(tried, sure(tried), strict=True):
            if one > _SURE and on_average([[part] for part in group], sure) < one - _SURER:
                found.append(group)
                left = [part for part in left if part not in group]
    return found


def linked(some: Sequence[Group], gap: float) -> list[Group]:
    """Return as one those groups between which one can go by steps no wider than this; the first is in the first."""
    from scipy.sparse.csgraph import connected_components  # here, not above: few pictures need it, and it takes a while

    boxes = np.array([bounds(group) for group in some], float)
    joined: dict[int, Group] = {}
    for number, group in zip(connected_components(box_gaps(boxes) <= gap)[1].tolist(), some, strict=True):
        joined.setdefault(number, []).extend(group)
    return list(joined.values())


def _are_many(some: Sequence[Part]) -> bool:
    """Whether there are so many short strokes that there may be a broken digit."""
    return sum(map(_is_simple, some)) >= _MANY


def _is_simple(part: Part) -> bool:
    """Whether a part is a stroke without loops, and no dot."""
    return _DOT * part.stroke < part.size and part.length < _SIMPLE * part.size


def _is_broken(group: Group) -> bool:
    """Whether parts look like the pieces of a digit: most of it is short strokes, and it is no wider than one."""
    width, height = extent(group)
    size = max(width, height)
    short = [p for p in group if _is_simple(p) and p.size < _SHORT * size]
    mostly = sum(p.area for p in short) > _MOST_INK * sum(p.area for p in group)
    return len(short) >= _MANY and mostly and width < _WIDEST * height

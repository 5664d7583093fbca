"""Digits in boxes that somebody gave: which ink belongs to each, and what was made of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from mnist_core._ink import Ink
from mnist_core._parts import Int32, Part, find_parts
from mnist_core._steps import Array, Box, Float32, Prepared, Settings, UInt8
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import finish, prepare

MOST_BOXES = 400
"""Boxes that one picture may have."""
# So often at most may all boxes together cover the picture.
_COVERED = 8
# A connected part with this share of its ink in a box is meant as a whole, also where it reaches out of the box.
_WHOLE = 0.85
# Ink that a box cuts off from something outside and that is smaller than this share of the digit is a neighbour's.
_INTRUDER = 0.4
# Around a box so much of its size is shown, and left around a piece of the picture that is looked at by itself.
_AROUND, _MARGIN = 0.5, 0.15
# With less certainty than this the box is looked at by itself too.
_UNSURE = 0.5
# And what is found then has to lie in the box by at least this share.
_HALF = 0.5
_EMPTY = "No digit found: there is no ink in this box."

Judge = Callable[[Float32], Array]


def check_boxes(boxes: Sequence[Sequence[float]], shape: tuple[int, ...]) -> tuple[Box, ...]:
    """Round boxes to pixels of a picture of this shape, and cut off what is outside of it.

    Raises
    ------
    DigitLabError
        If there are too many of them, if one is no rectangle of finite numbers or has nothing of the picture in it, or
        if they cover the picture again and again.
    """
    if len(boxes) > MOST_BOXES:
        raise DigitLabError(f"A picture can have up to {MOST_BOXES} boxes.")
    checked = tuple(_within(box, shape[0], shape[1]) for box in boxes)
    if sum(box.width * box.height for box in checked) > _COVERED * shape[0] * shape[1]:
        raise DigitLabError("The boxes lie on top of each other; make them smaller or take some away.")
    return checked


def _within(box: Sequence[float], height: int, width: int) -> Box:
    try:
        numbers = np.array(box, float)
    except (TypeError, ValueError, OverflowError):
        numbers = np.zeros(0)
    if numbers.shape != (4,) or not np.isfinite(numbers).all():
        raise DigitLabError("A box needs four numbers: left, top, width and height.")
    x, y, wide, high = numbers
    left, right = np.clip(np.rint((x, x + wide)), 0, width)
    top, bottom = np.clip(np.rint((y, y + high)), 0, height)
    if right <= left or bottom <= top:
        raise DigitLabError("A box has to lie on the picture and be at least one pixel wide and high.")
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def prepare_each(
    grey: UInt8, ink: Ink, boxes: Sequence[Box], settings: Settings, judge: Judge | None
) -> list[Prepared]:
    """Make a digit image of what lies in each box of a picture whose ink was found.

    Where a box holds none of that ink, or the judge is not sure of it, the piece of the picture is looked at by itself.
    """
    digits = [_prepared(grey, ink, *found, settings) for found in _inked(ink, boxes)]
    doubtful = [n for n, one in enumerate(digits) if one.digit is None]
    if judge is not None:
        doubtful += [n for n, sure in _certainties(judge, digits).items() if sure < _UNSURE]
    again = {n: _by_itself(grey, boxes[n], settings) for n in doubtful}
    for n, one in again.items():
        if digits[n].digit is None or (judge is not None and _surer(judge, one, digits[n])):
            digits[n] = one
    return digits


def _certainties(judge: Judge, digits: Sequence[Prepared]) -> dict[int, float]:
    images = {n: one.digit for n, one in enumerate(digits) if one.digit is not None}
    if not images:
        return {}
    return dict(zip(images, map(float, judge(np.stack(list(images.values())))), strict=True))


def _surer(judge: Judge, one: Prepared, other: Prepared) -> bool:
    if one.digit is None or other.digit is None:
        return False
    first, second = judge(np.stack([one.digit, other.digit]))
    return bool(first > second)


def _by_itself(grey: UInt8, box: Box, settings: Settings) -> Prepared:
    """What is found in a box when it is the whole picture, with a little around it."""
    edges = _grown(box, _MARGIN, grey.shape)
    left, top, right, bottom = edges
    found = prepare(grey[top:bottom, left:right], settings)
    if found.box is not None and not _is_inside(found.box, box, edges, grey.shape):
        found = Prepared(found.steps, None, None, _EMPTY)
    return replace(found, box=box)


def _is_inside(found: Box, box: Box, edges: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    """Whether what was found between the edges lies in the box, and is not cut off from something outside."""
    left, top, right, bottom = edges
    x, y = left + found.x, top + found.y
    ends = x + found.width, y + found.height
    across = min(ends[0], box.x + box.width) - max(x, box.x)
    along = min(ends[1], box.y + box.height) - max(y, box.y)
    if min(across, along) <= 0 or across * along < _HALF * found.width * found.height:
        return False
    cut = 0 < left == x, 0 < top == y, ends[0] == right < shape[1], ends[1] == bottom < shape[0]
    return not any(cut)


def _grown(box: Box, share: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box with a margin, inside a picture of this shape."""
    margin = max(2, round(share * max(box.width, box.height)))
    right, bottom = box.x + box.width + margin, box.y + box.height + margin
    return max(0, box.x - margin), max(0, box.y - margin), min(right, shape[1]), min(bottom, shape[0])


# --- which ink is whose


def _inked(ink: Ink, boxes: Sequence[Box]) -> list[tuple[Box, Int32, list[int], list[int]]]:
    """For each box: the box, the labels around, those that are meant as a whole, and those that it cuts."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.mask, connectivity=8, ltype=cv2.CV_32S)
    areas = stats[:, cv2.CC_STAT_AREA]
    found = [_counts(labels[_window(box, ink)]) for box in boxes]
    whole = [[n for n, count in counts.items() if count >= _WHOLE * areas[n]] for counts in found]
    owned = {n for some in whole for n in some}
    cut = [[n for n in counts if n not in owned] for counts in found]
    # Whoever draws a box round a piece of another digit wants that piece.
    cut = [some if mine or some else list(counts) for some, mine, counts in zip(cut, whole, found, strict=True)]
    return [(box, labels, mine, some) for box, mine, some in zip(boxes, whole, cut, strict=True)]


def _counts(labels: Int32) -> dict[int, int]:
    """How many pixels each label has, the paper left out."""
    counts = np.bincount(labels.ravel())
    return {int(n): int(counts[n]) for n in np.flatnonzero(counts) if n}


def _edges(box: Box, ink: Ink) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box in working pixels."""
    left, top = int(box.x * ink.scale), int(box.y * ink.scale)
    right, bottom = np.ceil(((box.x + box.width) * ink.scale, (box.y + box.height) * ink.scale))
    return left, top, int(right), int(bottom)


def _window(box: Box, ink: Ink) -> tuple[slice, slice]:
    left, top, right, bottom = _edges(box, ink)
    return slice(top, bottom), slice(left, right)


def _prepared(
    grey: UInt8, ink: Ink, box: Box, labels: Int32, whole: list[int], cut: list[int], settings: Settings
) -> Prepared:
    left, top, right, bottom = _edges(box, ink)
    around = _grown(Box(left, top, right - left, bottom - top), _AROUND, ink.mask.shape)
    window = slice(around[1], around[3]), slice(around[0], around[2])
    near = labels[window]
    inside = np.zeros(near.shape, bool)
    inside[top - around[1] : bottom - around[1], left - around[0] : right - around[0]] = True
    complete, pieces = np.isin(near, whole), np.isin(near, cut) & inside
    own = np.asarray(255 * (complete | pieces), np.uint8)
    local = ink.within(window)
    parts = find_parts(local, own, 1)
    chosen = _chosen(parts.all, lambda p: bool(complete[p.window][parts.labels[p.window] == p.label].any()), settings)
    if not chosen:
        return Prepared(ink.steps, None, box, _EMPTY)
    return replace(finish(local, parts, chosen, settings, grey.shape, whole=False), box=box)


def _chosen(parts: Sequence[Part], is_whole: Callable[[Part], bool], settings: Settings) -> list[Part]:
    """The parts in a box that are neither specks nor what reaches in from outside."""
    if not parts or not settings.remove_specks:
        return list(parts)
    size = max(p.size for p in parts)
    return [p for p in parts if p.size >= (settings.speck_size if is_whole(p) else _INTRUDER) * size]

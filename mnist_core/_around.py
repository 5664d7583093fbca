"""What is around and under digits: boxes to write in, circles, underlining, margins. None of it belongs to a digit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from mnist_core._ink import Ink
from mnist_core._parts import Part, Parts, find_parts, mask_of
from mnist_core._ruling import erase_box, erase_underlining
from mnist_core._steps import Array, UInt8

# A frame is looked at on a copy of at most this side, along this many rays from what it is drawn around; so many of
# them have to meet it, and what is within is at least this share of the room there. A slash in a 0 that does not reach
# it, or its dot, is no digit, whatever is drawn around it.
_SIDE, _RAYS, _MET, _FILLS = 160, 48, 0.95, 0.3
# Of what a frame holds, only so many of the largest parts are tried. None is smaller than this share of the frame's
# shorter side or no longer than so many of its strokes are wide, as a speck in the loop of a 9 is, and none is weaker
# than this share of its ink, as a piece of ruling there is.
_TRIED, _LEAST, _DOT, _WEAKEST = 8, 0.12, 2.5, 0.2
# Underlining is so many times wider than high, and has no more ink than so many strokes of its length.
_FLAT, _STROKES = 4.0, 1.6
# What it underlines is so many times as high as itself, overlaps it by this share of its own width, and is no further
# above it than so many times its own height.
_HIGHER, _OVERLAP, _ABOVE = 1.5, 0.5, 2.0
# A straight line that is so many times as long as all others are high is a margin, a fold or an edge. Of its length it
# is no wider than this share, slanting a little, and has no more ink than so many strokes. The others are two at least
# and so many times as high as its stroke is wide: a 1 with specks beside it is no margin.
_LONG, _NARROW, _STRAIGHT, _WRITTEN = 4.0, 0.2, 1.4, 4.0
# A level stroke no wider than this share of what is above it, and no further below than that of its height, is a part
# of it: a pen is lifted before the foot of a 2.
_FOOT_WIDE, _FOOT_NEAR = 1.15, 0.12
# A box has this share of the picture's shorter side at least, and is mostly empty. It has ink along all four sides, no
# further from its edges than this share of its sides, for nearly all of their length. What is written in it is at least
# this share of a cell's shorter side, and off the lines with more than that share of its ink. Where it reaches over a
# side, that side is this share of the whole; of a side that slants a little, this share lies in one row.
_BOX_LEAST, _BOX_INK, _BOX_RIM, _BOX_CLOSED, _BOX_WRITTEN, _BOX_REST, _BOX_SIDE = 0.05, 0.5, 0.06, 0.9, 0.25, 0.2, 0.6
# An empty one is so wide at least, per its height: a 0 of straight strokes is slimmer. The first look is at a copy of
# this side.
_BOX_WIDE, _BOX_SMALL = 0.75, 32
# A row of digits that touches the line under it is so many times as wide as high, and so many signs at least stand on
# the line, or beside those that touch it, that have this share of its height: the foot of a broken 2 is no line.
_ROW, _ON_LINE, _DIGITS_ON_LINE = 3.0, 0.5, 3
# A circle has so much of its convex hull's area and of an ellipse's, and is so wide at least for its length: a 0 is
# slimmer. What is written in it is off its rim by more than so many strokes, has a size between these shares of the
# shorter diameter, and meets it within this angle, in radians: the slash of a 0 meets it twice.
_ROUND, _CIRCLE, _RING, _IN_CIRCLE, _TOUCHED = 0.965, 0.72, 1.3, (0.38, 0.85), 2.0
# It is so many times as large as the writing beside it, which has this share of its size at least.
_NO_LARGER, _BESIDE = 1.25, 0.35


def find_writing(ink: Ink, smallest: float) -> tuple[Ink, Parts]:
    """Find the connected parts of the ink, without what is drawn around or under others.

    Parameters
    ----------
    ink
        A picture's ink.
    smallest
        The least longer side of a part, in working pixels.

    Returns
    -------
    ink, parts
        The ink without boxes that the writing in them touches, and the parts that are left.
    """
    parts = find_parts(ink, ink.mask, smallest)
    ink, boxes = _without_boxes(ink, parts)
    if boxes:
        parts = find_parts(ink, ink.mask, smallest)
    if _has_thin(parts):
        # Of lines that are gone already their soft edges are left.
        faint = _elsewhere(find_parts(ink, ink.weak, smallest), boxes)
        ink, touched = _without_boxes(ink, faint)
        ink, others = _without_frames(ink, _elsewhere(faint, touched))
        if touched or others:
            boxes += [*touched, *others]
            parts = find_parts(ink, ink.mask, smallest)
    left = _without_surroundings(parts)
    return ink, replace(left, around=(*boxes, *left.around))


def _without_boxes(ink: Ink, parts: Parts) -> tuple[Ink, list[Part]]:
    """The ink without boxes and circles that the writing in them touches, and these: they are no parts any more.

    Empty boxes are left out as well, unless there is nothing else: then one may be a 0.
    """
    found = [(part, freed) for part in parts.all if (freed := _freed(part, parts, ink.strength)) is not None]
    if not any(freed.mask.any() for _, freed in found) and len(found) in (0, len(parts.all)):
        return ink, []
    strength, mask = ink.strength.copy(), ink.mask.copy()
    for part, freed in found:
        mask[freed.window][(parts.labels[freed.window] == part.label) & (freed.mask == 0)] = 0
        strength[freed.window] = np.minimum(strength[freed.window], freed.strength)
    return replace(ink, strength=strength, mask=mask), [replace(part, label=0) for part, _ in found]


def _without_frames(ink: Ink, parts: Parts) -> tuple[Ink, list[Part]]:
    """The ink without what is drawn around or under other parts without touching them, and that."""
    around = _without_surroundings(parts).around
    if not around:
        return ink, []
    strength, mask = ink.strength.copy(), ink.mask.copy()
    for part in around:
        own = parts.labels[part.window] == part.label
        strength[part.window][own] = 0
        mask[part.window][own] = 0
    return replace(ink, strength=strength, mask=mask), [replace(part, label=0) for part in around]


def _elsewhere(parts: Parts, boxes: Sequence[Part]) -> Parts:
    """The parts without those that are where one of the boxes is."""
    return replace(parts, all=tuple(p for p in parts.all if not any(_same_place(p, b) for b in boxes)))


def _same_place(one: Part, other: Part) -> bool:
    near = _BOX_RIM * min(one.width, one.height)
    edges = ((p.x, p.y, p.right, p.bottom) for p in (one, other))
    return all(abs(a - b) <= near for a, b in zip(*edges, strict=True))


def _has_thin(parts: Parts) -> bool:
    """Whether there is a part that may be a piece of printed lines, which a pen's strong strokes beside them hide."""
    pen = max((p.stroke for p in parts.all), default=0.0)
    least = _BOX_LEAST * min(parts.labels.shape)
    return any(p.size > least and p.stroke < _THIN * pen for p in parts.all)


# What is so much thinner than the thickest part may be a piece of printed lines.
_THIN = 0.5


def only_writing(ink: Ink, smallest: float) -> Ink:
    """The ink without what is drawn around or under its parts, as `find_writing` finds it."""
    ink, parts = find_writing(ink, smallest)
    mask = ink.mask.copy()
    for part in parts.around:
        mask[part.window][parts.labels[part.window] == part.label] = 0
    return replace(ink, mask=mask)


class _Freed(NamedTuple):
    """Writing without what is drawn around it and touches it: where, and its strength and mask there."""

    window: tuple[slice, slice]
    strength: UInt8
    mask: UInt8


def _freed(part: Part, parts: Parts, strength: UInt8) -> _Freed | None:
    """Cut writing free that touches the box or circle around it or the line under it; None if it is nothing of that."""
    least = _BOX_LEAST * min(parts.labels.shape)
    roomy = min(part.width, part.height) >= least and part.area <= _BOX_INK * part.width * part.height
    row = part.width > _ROW * part.height and part.height > _WRITTEN * part.stroke
    if not (roomy or row):
        return None
    own, freed = mask_of(parts, [part], part.window), None
    if roomy:
        freed = _freed_from_box(part, parts, own, strength) or _freed_from_circle(part, parts, own, strength)
    if row and freed is None and not _closed(own):
        freed = _freed_from_underlining(part, parts, own, strength)
    return freed


def _freed_from_box(part: Part, parts: Parts, own: UInt8, strength: UInt8) -> _Freed | None:
    # Most digits have no long straight stroke both ways, and that is quickly seen.
    small = cv2.resize(own, (_BOX_SMALL, _BOX_SMALL), interpolation=cv2.INTER_AREA) > 0
    if min(small.mean(0).max(), small.mean(1).max()) < _BOX_SIDE:
        return None
    sides = _sides(own), _sides(own.T)
    if sides[0] is None or sides[1] is None:
        return None
    own = own[sides[0], sides[1]]
    if not all(_closed(view) for view in (own, own[::-1], own.T, own.T[::-1])):
        return None
    window = _shifted(sides[0], part.y), _shifted(sides[1], part.x)
    mask, inside = own.copy(), strength[window].copy()
    erased = erase_box(inside, mask)
    if erased is None:
        return None
    near, cell = erased
    sizes = _without_rest(inside, mask, near)
    if sizes.max(initial=0) > _BOX_WRITTEN * cell:
        return _Freed(window, inside, mask)
    if part.width < _BOX_WIDE * part.height or _holds_another(part, parts):
        return None
    return _Freed(window, inside, np.zeros_like(mask))


def _freed_from_underlining(part: Part, parts: Parts, own: UInt8, strength: UInt8) -> _Freed | None:
    mask, inside = own.copy(), strength[part.window].copy()
    near = erase_underlining(inside, mask)
    if near is None:
        return None
    least = max(_ON_LINE * part.height, _WRITTEN * part.stroke)
    touching = np.count_nonzero(_without_rest(inside, mask, near)[:, 1] > least)
    beside = sum(
        p.height > least and part.x < p.x and p.right < part.right and p.y < part.bottom and p.bottom > part.y
        for p in parts.all
        if p is not part
    )
    return _Freed(part.window, inside, mask) if touching and touching + beside >= _DIGITS_ON_LINE else None


def _without_rest(strength: UInt8, mask: UInt8, near: Array) -> Array:
    """Erase what is left of lines in place; returns width and height, ``int (n, 2)``, of each piece of the writing.

    Of a line that is not quite straight a little stays, all of it near to where the line was.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    beyond = np.bincount(labels[~near], minlength=len(stats))
    rest = beyond < _BOX_REST * stats[:, cv2.CC_STAT_AREA]
    rest[0] = False
    strength[rest[labels]] = 0
    mask[rest[labels]] = 0
    return np.asarray(stats[1:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1][~rest[1:]])


def _holds_another(box: Part, parts: Parts) -> bool:
    """Whether there is something in a box that does not touch it."""
    least = _LEAST * min(box.width, box.height)
    return any(
        p.size >= least and box.x < p.x and box.y < p.y and p.right < box.right and p.bottom < box.bottom
        for p in parts.all
    )


def _freed_from_circle(part: Part, parts: Parts, own: UInt8, strength: UInt8) -> _Freed | None:
    outline = _outline(own)
    short = _diameter(outline)
    if short is None:
        return None
    filled = np.zeros((own.shape[0] + 2, own.shape[1] + 2), np.uint8)
    cv2.drawContours(filled, [outline], 0, 255, -1)
    depth = cv2.distanceTransform(filled, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ring = (own > 0) & (depth <= _RING * part.stroke + 1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.where(ring, 0, own).astype(np.uint8))
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else 0
    inside = np.asarray(labels == largest, np.uint8)
    if not largest or not _IN_CIRCLE[0] * short < max(stats[largest, 2:4]) < _IN_CIRCLE[1] * short:
        return None
    rows, columns = np.nonzero(cv2.dilate(inside, np.ones((3, 3), np.uint8)).astype(bool) & ring)
    angles = np.sort(np.arctan2(rows - own.shape[0] / 2, columns - own.shape[1] / 2))
    if not len(angles) or 2 * np.pi - np.diff(angles, append=angles[0] + 2 * np.pi).max() > _TOUCHED:
        return None
    if _is_no_larger(part, parts):
        return None
    kept = np.where(inside > 0, own, 0).astype(np.uint8)
    soft = cv2.dilate(kept, np.ones((3, 3), np.uint8))
    return _Freed(part.window, np.where(soft > 0, strength[part.window], 0).astype(np.uint8), kept)


def _outline(own: UInt8) -> Array:
    """The longest outline in a mask, one pixel further to the right and down than there."""
    contours, _ = cv2.findContours(cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), 0, 2)
    return np.asarray(max(contours, key=cv2.contourArea))


def _is_no_larger(circle: Part, parts: Parts) -> bool:
    """Whether a circle is no larger than the writing beside it: then it is a 0 with a tail or a slash."""
    sizes = [
        part.size
        for part in parts.all
        if part is not circle
        and part.size > _BESIDE * circle.size
        and _diameter(_outline(mask_of(parts, [part], part.window))) is None  # not drawn around something itself
    ]
    return bool(sizes) and circle.size <= _NO_LARGER * float(np.median(sizes))


def _diameter(outline: Array) -> float | None:
    """The shorter diameter of a circle or an ellipse that is nearly one; None if the outline is neither."""
    area = cv2.contourArea(outline)
    if area < _ROUND * cv2.contourArea(cv2.convexHull(outline)) or len(outline) < 5:
        return None
    _, (width, height), _ = cv2.fitEllipse(outline)
    short = min(width, height)
    round_enough = short >= _CIRCLE * max(width, height)
    return short if round_enough and abs(area / (np.pi / 4 * width * height) - 1) <= 1 - _ROUND else None


def _band(side: int) -> int:
    return max(2, round(_BOX_RIM * side))


def _sides(own: UInt8) -> slice | None:
    """From the first to the last row that may be a side of a box: writing may reach over it."""
    band = _band(len(own))
    near = cv2.dilate(np.ascontiguousarray(own), np.ones((band, 1), np.uint8))
    rows = np.flatnonzero((near > 0).mean(1) > _BOX_SIDE)
    if not len(rows):
        return None
    first, last = int(rows[0]) - band // 2, int(rows[-1]) + band // 2
    return slice(max(0, first), min(last + 1, len(own))) if last - first > 4 * band else None


def _closed(own: UInt8) -> bool:
    """Whether there is ink all along the top."""
    return float((own[: 2 * _band(len(own))] > 0).any(0).mean()) > _BOX_CLOSED


def _shifted(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def _without_surroundings(parts: Parts) -> Parts:
    """Take away what was drawn around or under other parts without touching them."""
    # All pairs are looked at: on a page of text that has to be quick.
    edges = np.array([(p.x, p.y, -p.right, -p.bottom) for p in parts.all]).reshape(-1, 4)
    around = []
    for part, own in zip(parts.all, edges, strict=True):
        within = [parts.all[i] for i in np.flatnonzero((edges > own).all(1))]
        if _is_frame(part, parts, within) or _is_underlining(part, parts) or _is_long_line(part, parts):
            around.append(part)
    if not around:
        return parts
    return replace(parts, all=tuple(p for p in parts.all if p not in around), around=tuple(around))


def _is_frame(part: Part, parts: Parts, within: Sequence[Part]) -> bool:
    """Whether a part runs around one of those whose boxes lie within its own."""
    least = max(_LEAST * min(part.width, part.height), _DOT * part.stroke)
    written = (p for p in within if p.size >= least and p.level > _WEAKEST * part.level)
    tried = sorted(written, key=lambda p: -p.size)[:_TRIED]
    if not tried:
        return False
    own = mask_of(parts, [part], part.window)
    step = -(-max(own.shape) // _SIDE)
    if step > 1:  # no thin line may be lost
        size = -(-own.shape[1] // step), -(-own.shape[0] // step)
        own = np.asarray(
            cv2.resize(cv2.dilate(own, np.ones((step, step))), size, interpolation=cv2.INTER_NEAREST), np.uint8
        )
    return any(
        _surrounds(
            own,
            (p.x + p.width / 2 - part.x) / step,
            (p.y + p.height / 2 - part.y) / step,
            p.size / step,
        )
        for p in tried
    )


def _surrounds(own: UInt8, x: float, y: float, size: float) -> bool:
    """Whether ink lies all around a point, and near enough for something of this size to fill the room there."""
    angles = np.arange(_RAYS) * (2 * np.pi / _RAYS)
    radii = np.arange(1.0, max(own.shape))
    rows = np.rint(y + np.outer(np.sin(angles), radii)).astype(int)
    columns = np.rint(x + np.outer(np.cos(angles), radii)).astype(int)
    there = (rows >= 0) & (rows < own.shape[0]) & (columns >= 0) & (columns < own.shape[1])
    met = there & (own[np.where(there, rows, 0), np.where(there, columns, 0)] > 0)
    hit = met.any(1)
    room = 2 * float(np.median(radii[met.argmax(1)[hit]])) if hit.any() else 0.0
    return bool(hit.mean() >= _MET and size >= _FILLS * room)


def _is_underlining(part: Part, parts: Parts) -> bool:
    if part.width < _FLAT * part.height or part.length > _STROKES * part.width:
        return False
    others = [p for p in parts.all if p is not part]
    gaps = [part.y - p.bottom for p in others if _underlines(part, p)]
    return bool(gaps) and not any(_is_roof(part, p, min(gaps)) for p in others)


def _is_long_line(part: Part, parts: Parts) -> bool:
    if not _is_straight(part):
        return False
    others = [p for p in parts.all if p is not part and p.height > _WRITTEN * part.stroke]
    short = [p for p in others if _LONG * p.height < part.size]
    return len(short) > 1 and all(_is_straight(p) for p in others if p not in short)


def _is_straight(part: Part) -> bool:
    narrow = min(part.width, part.height) <= _NARROW * part.size
    return narrow and part.length <= _STRAIGHT * part.size


def _is_roof(line: Part, part: Part, gap: int) -> bool:
    """Whether a line is the top of what is under it, as a 5 and a 7 have one: nearer to that than to what is above."""
    shared = min(line.right, part.right) - max(line.x, part.x)
    over = shared > _OVERLAP * min(line.width, part.width) and line.width <= _ROOF * part.width
    upright = part.height > _HIGHER * line.height and part.height > part.width / 2  # not a second line
    return over and upright and part.bottom > line.bottom and part.y - line.bottom < gap


# A digit's top stroke is at most so many times as wide as what is under it.
_ROOF = 1.6


def _underlines(line: Part, part: Part) -> bool:
    shared = min(line.right, part.right) - max(line.x, part.x)
    gap = line.y - part.bottom
    over = shared > _OVERLAP * part.width and -0.5 * line.height <= gap <= _ABOVE * part.height
    foot = line.width <= _FOOT_WIDE * part.width and gap <= _FOOT_NEAR * part.height
    return over and not foot and part.height > _HIGHER * line.height and part.height > 3 * line.stroke

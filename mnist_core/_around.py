"""What people draw around and under digits: boxes to write in, circles, underlining. None of it belongs to a digit."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from mnist_core._parts import Part, Parts
from mnist_core._steps import UInt8

# A frame is looked at on a copy of at most this side, along this many rays from what it is drawn around; so many of
# them have to meet it, and what is within is at least this share of the room there. A slash in a 0 that does not reach
# it, or its dot, is no digit, whatever is drawn around it.
_SIDE, _RAYS, _MET, _FILLS = 160, 48, 0.95, 0.3
# Of what a frame holds, only so many of the largest parts are tried, and none that is smaller than this share of the
# frame's shorter side: a speck in the loop of a 9.
_TRIED, _LEAST = 8, 0.12
# Underlining is so many times wider than high, and has no more ink than so many strokes of its length.
_FLAT, _STROKES = 4.0, 1.6
# What it underlines is so many times as high as itself, overlaps it by this share of its own width, and is no further
# above it than so many times its own height.
_HIGHER, _OVERLAP, _ABOVE = 1.5, 0.5, 2.0
# A level stroke no wider than this share of what is above it, and no further below than that of its height, is a part
# of it: a pen is lifted before the foot of a 2.
_FOOT_WIDE, _FOOT_NEAR = 1.15, 0.12


def without_surroundings(parts: Parts) -> Parts:
    """Take away what was drawn around or under other parts, without looking at what it encloses by touching."""
    # All pairs are looked at: on a page of text that has to be quick.
    edges = np.array([(p.x, p.y, -p.right, -p.bottom) for p in parts.all]).reshape(-1, 4)
    around = []
    for part, own in zip(parts.all, edges, strict=True):
        within = [parts.all[i] for i in np.flatnonzero((edges > own).all(1))]
        if _is_frame(part, parts, within) or _is_underlining(part, parts):
            around.append(part)
    if not around:
        return parts
    return replace(parts, all=tuple(p for p in parts.all if p not in around), around=tuple(around))


def _is_frame(part: Part, parts: Parts, within: Sequence[Part]) -> bool:
    """Whether a part runs around one of those whose boxes lie within its own."""
    least = _LEAST * min(part.width, part.height)
    tried = sorted((p for p in within if p.size >= least), key=lambda p: -p.size)[:_TRIED]
    if not tried:
        return False
    own = np.asarray(cv2.inRange(parts.labels[part.window], part.label, part.label), np.uint8)
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
    if part.width < _FLAT * part.height or part.area > _STROKES * part.width * part.stroke:
        return False
    return any(_underlines(part, p) for p in parts.all if p is not part)


def _underlines(line: Part, part: Part) -> bool:
    shared = min(line.right, part.right) - max(line.x, part.x)
    gap = line.y - part.bottom
    over = shared > _OVERLAP * part.width and -0.5 * line.height <= gap <= _ABOVE * part.height
    foot = line.width <= _FOOT_WIDE * part.width and gap <= _FOOT_NEAR * part.height
    return over and not foot and part.height > _HIGHER * line.height and part.height > 3 * line.stroke

"""Connected parts of ink: what each looks like, and which of them make a digit."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core._ink import Ink
from mnist_core._normalise import stroke_width
from mnist_core._steps import Array, UInt8, quantile

Int32 = npt.NDArray[np.int32]
Edges = tuple[int, int, int, int]
"""Left, top, right and bottom of a box."""
# More parts than this are noise or texture; the largest are looked at.
MOST_PARTS = 600
# Distances between parts are measured on a copy of at most this side.
_DISTANCE_SIDE = 256


@dataclass(frozen=True, eq=False)
class Part:
    """One connected part of the ink; lengths in working pixels. `contact` counts its pixels on the picture's rim.

    Of what is beside it without being ink, `dark_beside` is the share that is hardly brighter than itself: beside a
    stroke there is paper on all sides, along the edge of a sheet or of a shadow on one.

    A piece that was cut out of a part has a `mask` of its own, ``uint8 (height, width)``: some of its ink may be its
    neighbour's as well, so that no label can tell whose it is.
    """

    label: int
    x: int
    y: int
    width: int
    height: int
    area: int
    level: float
    stroke: float
    contact: int
    mask: UInt8 | None = None
    dark_beside: float = 0.0

    @property
    def size(self) -> int:
        """The longer side of its box."""
        return max(self.width, self.height)

    @property
    def length(self) -> float:
        """How long its strokes are, all together."""
        return self.area / self.stroke

    @property
    def right(self) -> int:
        """The column after its last."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The row after its last."""
        return self.y + self.height

    @property
    def window(self) -> tuple[slice, slice]:
        """Its box as an index."""
        return slice(self.y, self.bottom), slice(self.x, self.right)


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a picture's ink: ``int32 (h, w)`` of labels, and those that are large enough to look at.

    What was drawn `around` them, such as boxes and underlining, is not among them.
    """

    labels: Int32
    all: tuple[Part, ...]
    around: tuple[Part, ...] = ()


def find_parts(ink: Ink, mask: UInt8, smallest: float) -> Parts:
    """Find the connected parts of a mask whose longer side is at least `smallest` working pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    sizes = stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(1)
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")[:MOST_PARTS]
    found = [_describe(int(i), stats[i], labels, ink) for i in order if sizes[i] >= smallest]
    return Parts(labels, tuple(found))


def _describe(label: int, row: npt.NDArray[np.int32], labels: Int32, ink: Ink) -> Part:
    x, y, width, height, area = (int(v) for v in row)
    window = slice(y, y + height), slice(x, x + width)
    own = np.asarray(cv2.inRange(labels[window], label, label), np.uint8)
    level = quantile(ink.strength[window], 0.75, own)
    rim = (x == 0, own[:, 0]), (y == 0, own[0]), (x + width == labels.shape[1], own[:, -1])
    contact = sum(
        int(np.count_nonzero(line)) for touches, line in (*rim, (y + height == labels.shape[0], own[-1])) if touches
    )
    stroke = stroke_width(own)
    beside = 0.0 if ink.brightness is None else _dark_beside(label, window, labels, ink.brightness, stroke)
    return Part(label, x, y, width, height, area, level, stroke, contact, dark_beside=beside)


def _dark_beside(label: int, window: tuple[slice, slice], labels: Int32, brightness: UInt8, stroke: float) -> float:
    """The share of what is beside the part with this label and window that is hardly brighter than itself."""
    reach = max(2, round(_BESIDE * stroke))
    down, across = (slice(max(0, way.start - reach), way.stop + reach) for way in window)
    around, pixels = labels[down, across], brightness[down, across]
    alone = np.asarray(cv2.inRange(around, label, label), np.uint8)
    side = 2 * reach + 1
    near = cv2.dilate(alone, np.ones((side, side), np.uint8))
    beside = np.asarray(cv2.bitwise_and(near, cv2.inRange(around, 0, 0)), np.uint8)
    if not beside.any():
        return 0.0
    itself, paper = quantile(pixels, 0.5, alone), quantile(pixels, 0.8, beside)
    if paper - itself < _NO_CONTRAST:
        return 0.0
    # Each pixel is held against all of the part, and against the ink next to it: half of a stroke may lie in a shadow.
    inks = cv2.boxFilter(cv2.bitwise_and(pixels, alone), cv2.CV_32F, (side, side), normalize=False)
    count = cv2.boxFilter(alone, cv2.CV_32F, (side, side), normalize=False) / 255
    dark = (inks > (1 - _HARDLY * (1 - itself / paper)) * pixels * count) & (beside > 0)
    dark &= pixels < itself + _HARDLY * (paper - itself)
    return np.count_nonzero(dark) / np.count_nonzero(beside)


# So far from a part, in stroke widths, is beside it; this share of the way from its brightness to that of the paper is
# hardly brighter; and with less than this between them, of 255, nothing can be told.
_BESIDE, _HARDLY, _NO_CONTRAST = 0.3, 0.4, 8


def mask_of(parts: Parts, chosen: Iterable[Part], window: tuple[slice, slice]) -> UInt8:
    """``uint8``, 255 where the window holds ink of the chosen parts."""
    labels = parts.labels[window]
    mask = np.zeros(labels.shape, np.uint8)
    for part in chosen:
        if part.mask is None:
            mask |= np.asarray(cv2.inRange(labels, part.label, part.label), np.uint8)
        else:
            _paste(mask, part.mask, part.y - (window[0].start or 0), part.x - (window[1].start or 0))
    return mask


def _paste(mask: UInt8, piece: UInt8, top: int, left: int) -> None:
    """Add a piece to a mask, in which its corner lies at this row and column, or outside of it."""
    bottom, right = min(mask.shape[0], top + piece.shape[0]), min(mask.shape[1], left + piece.shape[1])
    y, x = max(top, 0), max(left, 0)
    if y < bottom and x < right:
        mask[y:bottom, x:right] |= piece[y - top : bottom - top, x - left : right - left]


def bounds(parts: Iterable[Part]) -> Edges:
    """Left, top, right and bottom of the box around parts."""
    some = list(parts)
    return (
        min(p.x for p in some),
        min(p.y for p in some),
        max(p.right for p in some),
        max(p.bottom for p in some),
    )


def extent(parts: Iterable[Part]) -> tuple[int, int]:
    """Width and height of the box around parts."""
    left, top, right, bottom = bounds(parts)
    return right - left, bottom - top


def window_of(some: Iterable[Part]) -> tuple[slice, slice]:
    """The rows and columns of the box around some parts."""
    left, top, right, bottom = bounds(some)
    return slice(top, bottom), slice(left, right)


def distances(parts: Parts, chosen: Iterable[Part], others: Iterable[Part]) -> list[float]:
    """How far each of the others is from the nearest ink of the chosen ones, in working pixels."""
    height, width = parts.labels.shape
    step = -(-max(height, width) // _DISTANCE_SIDE)
    labels = parts.labels
    clear = np.full((-(-height // step), -(-width // step)), 255, np.uint8)
    for part in chosen:
        rows, columns = np.nonzero(labels[part.window] == part.label)
        clear[(rows + part.y) // step, (columns + part.x) // step] = 0
    away = cv2.distanceTransform(clear, cv2.DIST_L2, 5) * step
    found = []
    for part in others:
        rows, columns = np.nonzero(labels[part.window] == part.label)
        found.append(float(away[(rows + part.y) // step, (columns + part.x) // step].min()))
    return found


def box_gaps(boxes: Array) -> Array:
    """How far each of some boxes, ``(n, 4)`` of left, top, right and bottom, is from each other, ``(n, n)``."""
    apart = np.maximum(boxes[:, None, :2] - boxes[None, :, 2:], 0)
    return np.asarray(np.hypot(*np.moveaxis(np.maximum(apart, apart.transpose(1, 0, 2)), -1, 0)))


def distance(parts: Parts, one: Part, other: Part) -> float:
    """How far two parts are apart at the nearest, in working pixels."""
    left, top, right, bottom = bounds((one, other))
    labels = parts.labels[top:bottom, left:right]
    away = cv2.distanceTransform(cv2.compare(labels, float(one.label), cv2.CMP_NE), cv2.DIST_L2, 5)
    return float(away[labels == other.label].min())

"""Which connected parts of a picture's ink are the one digit that it was taken of."""

import math
from dataclasses import dataclass

import numpy as np

from mnist_core._mend import chain
from mnist_core._parts import Part, Parts, bounds, distances, extent, mask_of
from mnist_core._steps import Array, Settings

# What is smaller than this share of the picture's shorter side is not a digit that somebody took a picture of.
SMALLEST_SHARE = 0.06
# Strokes are at most this thick, measured against the part's longer side; ink that is faint, of 255, less, unless it is
# so many times as long as that side.
_SOLID, _SOLID_IF_FAINT, _FAINT, _WINDING = 0.42, 0.22, 90, 1.5
# A line right across the picture that is thinner than this share of its length was not drawn.
_HAIR = 0.012
# With more than this share of darkness beside it, a part has paper on one side only.
_ONE_SIDED = 0.27


@dataclass(frozen=True)
class Choice:
    """The parts that make the digit, none if nothing looks like strokes; and how much they look like a digit.

    `worth` is in working pixels of the digit's size; `good` says that it is beyond doubt that this is writing;
    `shaded` that what was found lies along the picture's rim or has paper on one side only, as shadows do.
    """

    parts: list[Part]
    worth: float
    good: bool
    shaded: bool = False


def choose(parts: Parts, settings: Settings) -> Choice:
    """Choose the one digit that the picture was taken of."""
    if not settings.remove_specks:
        return Choice(list(parts.all), 0.0, True)
    strongest = max((p.level for p in parts.all), default=0.0)
    scored = [(_worth(p, parts, strongest), p) for p in parts.all]
    worth, main = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    if main is None or worth < SMALLEST_SHARE * min(parts.labels.shape) * 0.5:
        return Choice([], worth, False, any(_along_rim(p) or _is_one_sided(p) for p in parts.all))
    chosen = _with_pieces(parts, main, [p for _, p in scored if p is not main], settings)
    good = worth > 0.2 * main.size > 0.04 * min(parts.labels.shape)
    return Choice(
        chosen, worth, good, _along_rim(main) or any(_is_one_sided(p) for p in parts.all if p.size >= main.size)
    )


def _worth(part: Part, parts: Parts, strongest: float) -> float:
    """How much a part looks like the digit that the picture was taken of, in pixels of its size."""
    height, width = parts.labels.shape
    off_centre = math.hypot(part.x + part.width / 2 - width / 2, part.y + part.height / 2 - height / 2)
    worth = part.size * (1 - 0.6 * off_centre / math.hypot(width / 2, height / 2))
    worth *= 0.3 + 0.7 * part.level / max(strongest, 1)
    if _is_hair(part, height, width):
        worth *= 0.01
    if _is_one_sided(part):  # or a digit that has run together with a shadow
        worth *= 0.2
    if is_blot(part):
        worth *= 0.06
    if _along_rim(part):
        fills = part.width > 0.7 * width and part.height > 0.7 * height
        worth *= 0.5 if fills and part.contact < 0.7 * (height + width) else 0.02
    elif part.contact:
        worth *= 0.7
    return worth


def is_edge(part: Part, height: int, width: int) -> bool:
    """Whether the edge of a sheet, a table or a shadow has left a part.

    Such a part has paper on one side only, or is a hair's line right across the picture.
    """
    return _is_one_sided(part) or _is_hair(part, height, width)


def _is_one_sided(part: Part) -> bool:
    return part.dark_beside > _ONE_SIDED


def _is_hair(part: Part, height: int, width: int) -> bool:
    across = part.width >= width or part.height >= height
    return across and part.stroke < _HAIR * part.size


def _along_rim(part: Part) -> bool:
    return part.contact > 0.4 * part.size


def is_blot(part: Part) -> bool:
    """Whether a part is too thick for its size to be drawn with a pen; faint ones even sooner: they are shadows.

    But a shadow does not wind as a digit does.
    """
    ink = part.level > _FAINT or part.length > _WINDING * part.size
    return part.stroke > (_SOLID if ink else _SOLID_IF_FAINT) * part.size


def is_scrawl(part: Part, parts: Parts) -> bool:
    """Whether a part has more strokes beside each other, and above each other, than any digit, as a spiral has."""
    if part.length < _SCRAWLED * part.size:
        return False
    own = mask_of(parts, [part], part.window) > 0
    return min(_strokes_across(own), _strokes_across(own.T)) > _MOST_ACROSS


def _strokes_across(own: Array) -> float:
    """How many strokes a level line goes through: the median of those in the middle half."""
    quarter = len(own) // 4
    rows = own[quarter : len(own) - quarter]
    begins = rows[:, 0] + np.count_nonzero(rows[:, 1:] & ~rows[:, :-1], axis=1)
    return float(np.median(begins))


# A level line goes through three strokes of a digit at most, and so does an upright one: of 20,000 of MNIST's, and of
# people's strokes with fine and heavy pens, none has more. All strokes together are so many times as long as a scrawl.
_MOST_ACROSS, _SCRAWLED = 3, 4.0


def _with_pieces(parts: Parts, main: Part, others: list[Part], settings: Settings) -> list[Part]:
    """The main part and the pieces that a lifted pen left beside it."""
    chosen = [main]
    waiting = [p for p in others if p.level > 0.35 * main.level and not (is_blot(p) and p.stroke > 2 * main.stroke)]
    if broken := chain(main, [p for p in waiting if not p.contact]):
        return broken
    few = sum(p.size > 0.3 * main.size for p in waiting) < _FEW
    while waiting:
        gaps = distances(parts, chosen, waiting)
        near = [p for p, gap in zip(waiting, gaps, strict=True) if _belongs(p, gap, chosen, few, settings)]
        if not near:
            break
        chosen += near
        waiting = [p for p in waiting if p not in near]
    return chosen


def _belongs(part: Part, gap: float, chosen: list[Part], few: bool, settings: Settings) -> bool:
    """Whether a part is a piece of the digit and neither a speck nor a neighbour.

    Where there are only a few parts (`few`), a larger gap is bridged if what comes of it still has a digit's shape.
    """
    size = max(extent(chosen))
    if part.size < settings.speck_size * size or (part.contact and not any(p.contact for p in chosen)):
        return gap <= settings.join_gap / 3 * size
    if gap <= 1.5 * max(p.stroke for p in chosen) and part.size > 1.2 * part.stroke:
        return True
    left, top, right, bottom = bounds(chosen)
    shared = min(part.right, right) - max(part.x, left)
    wide, high = extent([*chosen, part])
    beside = shared <= 0 and min(part.height, bottom - top) > 0.6 * high
    if beside and wide > 0.8 * high:
        return False
    if gap <= settings.join_gap * size:
        return True
    stacked = shared > 0.5 * min(part.width, right - left)
    fits = stacked or (few and not beside and wide < 1.3 * high)
    return fits and same_pen(part, chosen[0]) and gap <= 3 * settings.join_gap * max(wide, high)


def same_pen(one: Part, other: Part) -> bool:
    """Whether a part is a stroke about as wide and as strong as the other."""
    return (
        0.4 * other.stroke < one.stroke < 2.5 * other.stroke
        and one.level > 0.55 * other.level
        and one.size > 2 * one.stroke
    )


# With fewer sizeable parts than this in the picture, all of them are probably the one digit.
_FEW = 4

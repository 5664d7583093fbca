"""From a picture of many digits to one prepared digit each, in reading order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mnist_core._boxed import MOST_BOXES, check_boxes, prepare_each
from mnist_core._choose import extent, is_blot, is_edge
from mnist_core._ink import FEWEST_PIXELS, find_ink
from mnist_core._parts import Part, Parts, bounds, distance, find_parts
from mnist_core._split import Certainty, Group, split_touching
from mnist_core._steps import Array, Float32, Prepared, Settings, Step, UInt8
from mnist_core.preprocess import finish

__all__ = ["MOST_BOXES", "Page", "check_boxes", "prepare_boxes", "prepare_page"]

# A page is reduced to this longest side.
_LONGEST = 2048
# Parts smaller than this share of the picture's shorter side are specks.
_SMALLEST_SHARE = 0.008
# Parts smaller than this share of a usual digit are pieces of one, or specks.
_PIECE = 0.5
# A digit may be as small as this share of the usual one.
_SMALL = 0.18
# Small parts nearer to the picture's rim than this share of its shorter side lie beyond the paper.
_RIM = 0.02
# So many pieces at most, no further apart than this share of the whole, may be one broken digit: if the judge is this
# sure of the whole, and this much less sure of one of the pieces.
_MOST_PIECES, _PIECES_GAP, _SURE, _LESS_SURE = 8, 0.12, 0.9, 0.2
# Ink this much weaker than the page's is not the same pen's, but what shows through or was wiped off.
_WEAKEST = 0.35


Judge = Callable[[Float32], Array]


@dataclass(frozen=True, eq=False)
class Page:
    """The digits of a picture.

    Parameters
    ----------
    steps
        What was done to the whole picture, in order.
    lines
        The digits, in reading order: lines from top to bottom, each from left to right.
    """

    steps: tuple[Step, ...]
    lines: tuple[tuple[Prepared, ...], ...]


def prepare_page(grey: UInt8, settings: Settings = Settings(), judge: Judge | None = None) -> Page:
    """Find all digits of a picture and make a digit image of each.

    Parameters
    ----------
    grey
        ``uint8 (H, W)``; the ink may be dark or light.
    settings
        Switches and numbers of the steps.
    judge
        Says of digit images ``float32 (n, 28, 28)`` how sure it is that each is a digit, ``(n,)`` probabilities. Asked
        where ink may be one wide digit or two that touch, and where a few pieces may be one broken digit.

    Returns
    -------
    Page
        Without lines if the picture holds no digit.
    """
    ink = find_ink(grey, settings, _LONGEST)
    if min(ink.mask.shape) < FEWEST_PIXELS:
        return Page(ink.steps, ())
    parts = find_parts(ink, ink.mask, max(3.0, _SMALLEST_SHARE * min(ink.mask.shape)))

    def prepared(group: Group) -> Prepared:
        return finish(ink, parts, group, settings, grey.shape, whole=False)

    certainty = None if judge is None else _asking(judge, prepared)
    whole = _digits(parts, settings)
    whole = _rather_one(whole, certainty) if certainty else whole
    groups = [g for group in whole for g in split_touching(parts, ink, group, certainty)]
    return Page(ink.steps, tuple(tuple(prepared(g) for g in line) for line in _lines(groups)))


def prepare_boxes(
    grey: UInt8, boxes: Sequence[Sequence[float]], settings: Settings = Settings(), judge: Judge | None = None
) -> Page:
    """Make a digit image of what lies in each of some boxes, such as a person has drawn.

    Parameters
    ----------
    grey
        ``uint8 (H, W)``; the ink may be dark or light.
    boxes
        Left, top, width and height of each, in pixels of the picture; what lies outside of it is cut off.
    settings
        Switches and numbers of the steps.
    judge
        As for `prepare_page`. Where it is not sure of what is in a box, the box is looked at by itself too.

    Returns
    -------
    Page
        With one digit for each box, whose `box` is the given one; without a digit image where a box holds no digit.

    Raises
    ------
    DigitLabError
        As `check_boxes` does.
    """
    checked = check_boxes(boxes, grey.shape)
    ink = find_ink(grey, settings, _LONGEST)
    if not checked or min(ink.mask.shape) < FEWEST_PIXELS:
        return Page(ink.steps, ())
    digits = prepare_each(grey, ink, checked, settings, judge)
    edges = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in checked]
    return Page(ink.steps, tuple(tuple(digits[i] for i in line) for line in _in_lines(edges)))


def _asking(judge: Judge, prepared: Callable[[Group], Prepared]) -> Certainty:
    """The judge, asked about groups of parts instead of digit images."""

    def certainty(groups: list[Group]) -> list[float]:
        digits = [p.digit for p in map(prepared, groups) if p.digit is not None]
        return [float(value) for value in judge(np.stack(digits))]

    return certainty


# --- which parts make which digit


def _digits(parts: Parts, settings: Settings) -> list[Group]:
    inside = [p for p in parts.all if p.contact <= 0.2 * p.size and not is_edge(p, *parts.labels.shape)]
    strokes = [p for p in inside if not is_blot(p)]
    if not strokes:
        return []
    usual = _usual_size(strokes)
    large = [p for p in strokes if p.size >= _PIECE * usual]
    pen = float(np.median([p.stroke for p in large]))
    weakest = _WEAKEST * float(np.percentile([p.level for p in large], 80))
    whole = _joined(parts, [p for p in large if p.level > weakest], usual)
    # A small piece of a stroke may be as thick as it is long; a blot that is thicker than the pen is none.
    small = [p for p in inside if p.size < _PIECE * usual and p.stroke < 1.6 * pen and p.level > weakest]
    crumbs = _crumbs(small, usual)
    for crumb in sorted(crumbs, key=_size, reverse=True):
        if not _give(crumb, whole, usual, settings) and _is_digit(crumb, usual, pen) and not _at_rim(crumb, parts):
            whole.append(crumb)
    return whole


def _at_rim(crumb: Group, parts: Parts) -> bool:
    """Whether small parts lie as near to the picture's rim as what is beyond the paper's edge."""
    height, width = parts.labels.shape
    near = _RIM * min(height, width)
    left, top, right, bottom = bounds(crumb)
    return bool(min(left, top, width - right, height - bottom) < near)


def _rather_one(groups: list[Group], certainty: Certainty) -> list[Group]:
    """The groups, or all of them as one digit: where a faint pen left only pieces, they make no digits of their own."""
    if not 2 <= len(groups) <= _MOST_PIECES:
        return groups
    together = [part for group in groups for part in group]
    loose = [g for g in groups if min(_gap(g, p) for p in together if p not in g) > _PIECES_GAP * _size(together)]
    width, height = extent(together)
    if loose or width > 1.2 * height:
        return groups
    one, *pieces = certainty([together, *groups])
    return [together] if one > _SURE and min(pieces) < one - _LESS_SURE else groups


def _size(group: Group) -> int:
    return max(extent(group))


def _crumbs(small: list[Part], usual: float) -> list[Group]:
    """Small parts, those together that lie in a row as a pen running dry leaves them."""
    groups: list[Group] = []
    for part in small:
        near = [g for g in groups if _gap(g, part) < 0.12 * usual and _size([*g, part]) < 1.25 * usual]
        for group in near[1:]:
            if _size(near[0] + group) < 1.25 * usual:
                near[0].extend(group)
                groups.remove(group)
        if near:
            near[0].append(part)
        else:
            groups.append([part])
    return groups


def _gap(group: Group, part: Part) -> float:
    """How far a part's box is from a group's."""
    left, top, right, bottom = bounds(group)
    across = max(0, left - part.right, part.x - right)
    along = max(0, top - part.bottom, part.y - bottom)
    return float(np.hypot(across, along))


def _usual_size(strokes: Sequence[Part]) -> float:
    """The size of a usual digit: half of all ink length lies in parts that are at least this large."""
    sizes = np.sort([float(p.size) for p in strokes])
    weight = np.cumsum(sizes)
    return float(sizes[np.searchsorted(weight, 0.5 * weight[-1])])


def _joined(parts: Parts, whole: list[Part], usual: float) -> list[Group]:
    """Large parts as digits; those are joined that a lifted pen has left apart: the bar of a 5, an open 4."""
    groups: list[Group] = [[p] for p in whole]
    for a, b in _near_pairs(whole):
        first = next(g for g in groups if a in g)
        second = next(g for g in groups if b in g)
        if first is not second and _are_one(parts, a, b, usual):
            first += second
            groups.remove(second)
    return groups


def _near_pairs(whole: list[Part]) -> list[tuple[Part, Part]]:
    """The pairs of parts that lie near enough to look closer."""
    boxes = np.array([(p.x, p.y, p.right, p.bottom) for p in whole], float)
    sizes = np.array([p.size for p in whole], float)
    reach = 0.25 * np.maximum.outer(sizes, sizes)
    near = (boxes[:, None, :2] < boxes[None, :, 2:] + reach[..., None]).all(-1)
    first, second = np.nonzero(np.triu(near & near.T, 1))
    return [(whole[i], whole[j]) for i, j in zip(first, second, strict=True)]


def _are_one(parts: Parts, a: Part, b: Part, usual: float) -> bool:
    """Whether two large parts are one digit: together no larger than one, and one over, in or at the other."""
    left, top, right, bottom = bounds((a, b))
    low, high = sorted((a.height, b.height))
    tall = max(usual, high)
    if right - left > 1.25 * tall:
        return False
    across = min(a.right, b.right) - max(a.x, b.x)
    along = min(a.bottom, b.bottom) - max(a.y, b.y)
    if across > 0.5 * min(a.width, b.width):
        return bottom - top < (1.35 if low < _PIECE * high else 1.2) * tall and along > -0.2 * tall
    if bottom - top > 1.25 * high or low > 0.85 * high or along < 0.5 * low:
        return False
    before, after = (a, b) if a.x + a.right < b.x + b.right else (b, a)
    open_four = before.height == low and before.bottom < after.bottom - 0.2 * high
    near = 0.18 * high if open_four else max(0.07 * high, 0.8 * max(a.stroke, b.stroke))
    return distance(parts, a, b) < near


def _is_digit(crumb: Group, usual: float, pen: float) -> bool:
    """Whether small parts that belong to no digit are one themselves: drawn with the page's pen, and no mere dash."""
    width, height = extent(crumb)
    if len(crumb) > 1 and _size(crumb) >= _PIECE * usual:
        return True
    alike = 0.4 * pen < max(p.stroke for p in crumb) < 2 * pen
    return alike and height > max(_SMALL * usual, 4 * pen) and width < 1.3 * height


def _give(crumb: Group, whole: list[Group], usual: float, settings: Settings) -> bool:
    """Give small parts to the digit that they belong to; says whether there is one near enough."""
    if not whole:
        return False
    gaps = [min(_gap(group, p) for p in crumb) / max(_size(group), _size(crumb)) for group in whole]
    best = whole[int(np.argmin(gaps))]
    width, height = extent(best + crumb)
    room = 1.3 * max(usual, _size(best))
    if min(gaps) > settings.join_gap * 1.5 or max(width, height) > room:
        return False
    if _size(crumb) >= settings.speck_size * _size(best):
        best += crumb
    return True


# --- reading order


def _lines(groups: list[Group]) -> list[list[Group]]:
    """The digits line by line."""
    return [[groups[i] for i in line] for line in _in_lines([bounds(g) for g in groups])]


def _in_lines(edges: Sequence[tuple[int, int, int, int]]) -> list[list[int]]:
    """The numbers of boxes line by line; of each its left, top, right and bottom.

    From left to right each digit continues the line whose last digit lies nearest above or below, once the common
    slant of all lines is taken away; so a line may bend.
    """
    if not edges:
        return []
    boxes = np.array(edges, float)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    high = boxes[:, 3] - boxes[:, 1]
    level = y - _slope(x, y, high) * x
    lines: list[list[int]] = []
    for i in np.argsort(x):
        away = [abs(level[line[-1]] - level[i]) / max(high[line[-1]], high[i]) for line in lines]
        if away and min(away) < 0.6:
            lines[int(np.argmin(away))].append(int(i))
        else:
            lines.append([int(i)])
    lines.sort(key=lambda line: float(np.mean(level[line])))
    return lines


def _slope(x: Array, y: Array, high: Array) -> float:
    """How far lines fall per pixel to the right: the median over each digit and its next neighbour to the right."""
    slopes = []
    for i in range(len(x)):
        right = np.flatnonzero((x > x[i]) & (np.abs(y - y[i]) < 0.7 * np.maximum(high, high[i])))
        if len(right):
            j = right[np.argmin(x[right])]
            slopes.append((y[j] - y[i]) / (x[j] - x[i]))
    return float(np.median(slopes)) if len(slopes) > 2 else 0.0

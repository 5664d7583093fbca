"""From a picture of many digits to one prepared digit each, in reading order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from mnist_core._around import find_writing, only_writing
from mnist_core._boxed import MOST_BOXES, check_boxes, prepare_each
from mnist_core._gather import FLAT, gather, put_together
from mnist_core._ink import FEWEST_PIXELS, Ink, find_ink
from mnist_core._parts import Edges, Part, Parts, bounds, find_parts
from mnist_core._split import Candidate, Certainty, Group, Sure, may_be_several, split_touching
from mnist_core._steps import Array, Float32, Prepared, Settings, Step, UInt8
from mnist_core.preprocess import NARROW, Normalised, finish, normalised

__all__ = ["MOST_BOXES", "Page", "check_boxes", "prepare_boxes", "prepare_page"]

# A page is reduced to this longest side.
_LONGEST = 2048
# Parts smaller than this share of the picture's shorter side are specks.
_SMALLEST_SHARE = 0.008
# A picture with more signs that may be several digits is a page of writing; to try each cut of each would take seconds.
_MOST_TRIED = 60

# What might be put together is looked at until it has so many times the picture's pixels, or so many.
_MOST_TIMES, _MOST_PIXELS = 8.0, 16e6
# A shadow covers this share of the picture at least, and is so many times as wide as a stroke.
_SHADOW, _SHADOW_WIDE = 0.004, 2.5

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
    page, shaded, worth = _look(grey, settings, judge)
    if shaded and settings.flatten_light and not settings.light_window:
        # A deep shadow passes for a wide stroke; in a narrow window it is even ground.
        other, _, more = _look(grey, replace(settings, light_window=NARROW), judge, weighed=True)
        page = other if more > worth else page
    return page


class _Look(NamedTuple):
    """A page, whether there is a shadow on it, and, if there is or that was asked, how much it looks like digits."""

    page: Page
    shaded: bool = False
    worth: float = 0.0


def _look(grey: UInt8, settings: Settings, judge: Judge | None, weighed: bool = False) -> _Look:
    ink = find_ink(grey, settings, _LONGEST)
    if min(ink.mask.shape) < FEWEST_PIXELS:
        return _Look(Page(ink.steps, ()))
    smallest = _smallest(ink)
    ink, parts = find_writing(ink, smallest) if settings.remove_specks else (ink, find_parts(ink, ink.mask, smallest))

    known: dict[frozenset[Part], Normalised] = {}

    def prepared(group: Group) -> Prepared:
        return finish(ink, parts, group, settings, grey.shape, whole=False, known=known.get(frozenset(group)))

    certainty = None if judge is None else _asking(judge, settings, known)
    groups = _groups(parts, ink, certainty, settings)
    shaded = certainty is not None and _is_shaded(parts)
    worth = 0.0
    if certainty and (shaded or weighed):
        worth = sum(2 * one - 1 for one in _of_groups(certainty, ink, parts)(groups))
    page = Page(ink.steps, tuple(tuple(prepared(g) for g in line) for line in _lines(groups, parts.around)))
    return _Look(page, shaded, worth)


def _groups(parts: Parts, ink: Ink, certainty: Certainty | None, settings: Settings) -> list[Group]:
    """The parts of each digit: by their sizes and places, then put together and taken apart as reads best."""
    sure = certainty and _of_groups(certainty, ink, parts)
    limited = sure and _looking_at(sure, min(_MOST_TIMES * ink.mask.size, _MOST_PIXELS))
    groups: list[Group] = []
    try:
        groups = gather(parts, settings, limited)
        if limited:
            groups = put_together(groups, limited)
    except _Texture:
        return groups or gather(parts, settings, None)
    several = may_be_several(groups, sure)
    if sum(several) > _MOST_TRIED:
        return groups
    apart = [split_touching(parts, ink, g, certainty) if more else [g] for g, more in zip(groups, several, strict=True)]
    return [g for some in apart for g in some]


class _Texture(Exception):
    """What might be put together is more than on any page of digits: there are none."""


def _looking_at(sure: Sure, most: float) -> Sure:
    """The same, until groups of more than so many pixels together have been looked at: then it raises `_Texture`."""
    seen: set[frozenset[Part]] = set()
    looked = 0

    def limited(groups: Sequence[Group]) -> list[float]:
        nonlocal looked
        for key, group in ((frozenset(group), group) for group in groups):
            if key not in seen:
                seen.add(key)
                left, top, right, bottom = bounds(group)
                looked += (right - left) * (bottom - top)
        if looked > most:
            raise _Texture
        return sure(groups)

    return limited


def _is_shaded(parts: Parts) -> bool:
    """Whether there is a part that is large and far wider than the others' strokes, as a shadow is."""
    usual = float(np.median([p.stroke for p in parts.all])) if parts.all else 0.0
    least = _SHADOW * parts.labels.size
    return any(p.stroke > _SHADOW_WIDE * usual and p.area > least for p in parts.all)


def prepare_boxes(
    grey: UInt8,
    boxes: Sequence[Sequence[float]],
    settings: Settings = Settings(),
    judge: Judge | None = None,
    known: Sequence[Prepared] = (),
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
    known
        Digits of this picture, prepared with these settings: a box that is one of theirs gets the same digit again.

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
    if settings.remove_specks:
        ink = only_writing(ink, _smallest(ink))
    done = {one.box: one for one in known}
    new = iter(prepare_each(grey, ink, [box for box in checked if box not in done], settings, judge))
    digits = [done.get(box) or next(new) for box in checked]
    edges = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in checked]
    return Page(ink.steps, tuple(tuple(digits[i] for i in line) for line in _in_lines(edges)))


def _smallest(ink: Ink) -> float:
    """The least longer side of a part that is no speck, in working pixels."""
    return max(3.0, _SMALLEST_SHARE * float(min(ink.mask.shape)))


def _asking(judge: Judge, settings: Settings, known: dict[frozenset[Part], Normalised]) -> Certainty:
    """The judge, asked about candidates instead of digit images, and about each but once.

    What it is shown is kept in `known`: of most candidates it is what is read in the end.
    """
    sure: dict[frozenset[Part], float] = {}

    def certainty(candidates: Sequence[Candidate]) -> list[float]:
        new = {frozenset(c.group): c for c in candidates if frozenset(c.group) not in sure}
        if new:
            known.update({key: normalised(c.ink, c.parts, c.group, settings) for key, c in new.items()})
            digits = np.stack([known[key][0] for key in new])
            sure.update(zip(new, map(float, judge(digits)), strict=True))
        return [sure[frozenset(c.group)] for c in candidates]

    return certainty


def _of_groups(certainty: Certainty, ink: Ink, parts: Parts) -> Sure:
    """Who is asked, about groups of parts of one picture."""
    return lambda groups: certainty([Candidate(ink, parts, g) for g in groups])


# --- reading order


def _lines(groups: list[Group], around: Sequence[Part]) -> list[list[Group]]:
    """The digits line by line."""
    edges = _as_high_as_frames([bounds(g) for g in groups], around)
    return [[groups[i] for i in line] for line in _in_lines(edges)]


def _as_high_as_frames(edges: list[Edges], around: Sequence[Part]) -> list[Edges]:
    """Boxes of digits, each as high as the frame around a row of them, where there is one.

    In a form's printed boxes some digits stand high and some low, and still they are one line.
    """
    framed = list(edges)
    for frame in sorted(around, key=lambda part: -part.height):  # of two frames the inner one is the row's
        inside = [i for i, edge in enumerate(edges) if _is_within(edge, frame)]
        if inside and _is_one_row([edges[i] for i in inside], frame.height):
            for i in inside:
                framed[i] = edges[i][0], frame.y, edges[i][2], frame.bottom
    return framed


def _is_within(edge: Edges, frame: Part) -> bool:
    left, top, right, bottom = edge
    return frame.x < (left + right) / 2 < frame.right and frame.y < (top + bottom) / 2 < frame.bottom


def _is_one_row(edges: Sequence[Edges], height: int) -> bool:
    """Whether boxes in a frame of this height stand side by side, none above another."""
    if height > _HIGHEST_FRAME * max(bottom - top for _, top, _, bottom in edges):
        return False
    return all(
        min(one[2], other[2]) - max(one[0], other[0]) < min(one[2] - one[0], other[2] - other[0]) / 2
        for one, other in combinations(edges, 2)
    )


# A frame around one row is at most so many times as high as the highest digit in it.
_HIGHEST_FRAME = 2.5


def _in_lines(edges: Sequence[Edges]) -> list[list[int]]:
    """The numbers of boxes line by line; of each its left, top, right and bottom.

    From left to right each digit continues the line whose last digit lies nearest above or below, once the common
    slant of all lines is taken away; so a line may bend.
    """
    if not edges:
        return []
    boxes = np.array(edges, float)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    high = boxes[:, 3] - boxes[:, 1]
    # A minus, or half of an equals sign, is of a line as high as it is wide.
    wide = boxes[:, 2] - boxes[:, 0]
    high = np.where((wide > FLAT * high) & (high < _FLAT_HIGH * np.median(high)), wide, high)
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


# A level stroke is lower than this share of what is usual on the page.
_FLAT_HIGH = 0.4


def _slope(x: Array, y: Array, high: Array) -> float:
    """How far lines fall per pixel to the right: the median over each digit and its next neighbour to the right."""
    slopes = []
    for i in range(len(x)):
        right = np.flatnonzero((x > x[i]) & (np.abs(y - y[i]) < 0.7 * np.maximum(high, high[i])))
        if len(right):
            j = right[np.argmin(x[right])]
            slopes.append((y[j] - y[i]) / (x[j] - x[i]))
    return float(np.median(slopes)) if len(slopes) > 2 else 0.0

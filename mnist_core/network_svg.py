"""A drawing of a network as SVG, that changes as its recipe does.

It brings no colours of its own: lines and text have the colour of the text around them, and what the classes
``dl-net-...`` are given.
"""

import math
from html import escape
from itertools import pairwise
from typing import NamedTuple

from mnist_core.recipes import ModelRecipe

WIDTH, HEIGHT = 440, 262
_TOP, _BOTTOM = 14, 214  # of what is above the words
_LEFT, _RIGHT = 46, 388  # centres of the first and the last column
_MIDDLE = (_TOP + _BOTTOM) / 2
_MOST_NAMED = 6  # columns whose second line of words fits beside the next one's

Point = tuple[float, float]


class _Column(NamedTuple):
    """One layer: its picture, where lines arrive and leave, and the words below it."""

    drawing: str
    arrive: list[Point]
    leave: list[Point]
    words: tuple[str, str]


def network_svg(recipe: ModelRecipe) -> str:
    """Draw a network: the picture, the layers with their sizes, the ten digits.

    Parameters
    ----------
    recipe
        The architecture.

    Returns
    -------
    str
        One ``<svg>`` element on one line. A layer of many units is drawn with fewer, more for more of them.
    """
    count = 2 + len(recipe.filters) + len(recipe.hidden)
    at = [_LEFT + (_RIGHT - _LEFT) * number / (count - 1) for number in range(count)]
    columns = [_pixels(at[0], min(64, 0.8 * (at[1] - at[0])))]
    side = 28
    for filters in recipe.filters:
        side //= 2
        columns.append(_maps(at[len(columns)], filters, side, min(46, 0.7 * (at[1] - at[0]))))
    for units in recipe.hidden:
        named = count <= _MOST_NAMED or len(columns) == 1 + len(recipe.filters)
        columns.append(_units(at[len(columns)], units, recipe.activation if named else ""))
    columns.append(_digits(at[-1], recipe.output))
    lines = "".join(_between(left.leave, right.arrive) for left, right in pairwise(columns))
    body = "".join(column.drawing + _words(x, column.words) for x, column in zip(at, columns, strict=True))
    return (
        f'<svg class="dl-net" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(in_words(recipe))}" '
        f'fill="currentColor">{lines}{body}</svg>'
    )


def in_words(recipe: ModelRecipe) -> str:
    """Say what the drawing shows, such as ``"28 by 28 pixels, 50 relu, 50 relu, 10 softmax"``."""
    blocks = [f"{filters} filters" for filters in recipe.filters]
    layers = [f"{units} {recipe.activation}" for units in recipe.hidden]
    return ", ".join(["28 by 28 pixels", *blocks, *layers, f"10 {recipe.output}"])


def _pixels(x: float, side: float) -> _Column:
    """The picture with a written 3 on it, as a grid."""
    left, top, cell = x - side / 2, _MIDDLE - side / 2, side / 7
    grid = "".join(
        f"M{left + i * cell:.1f} {top:.1f}v{side:.1f}M{left:.1f} {top + i * cell:.1f}h{side:.1f}" for i in range(1, 7)
    )
    pen = " ".join(f"{left + side * u:.1f},{top + side * v:.1f}" for u, v in _THREE)
    drawing = (
        f'<rect class="dl-net-box" x="{left:.1f}" y="{top:.1f}" width="{side:.1f}" height="{side:.1f}" rx="4"/>'
        f'<path class="dl-net-grid" d="{grid}"/>'
        f'<polyline class="dl-net-pen" points="{pen}" style="stroke-width:{side / 11:.1f}"/>'
    )
    return _Column(drawing, [], _edge(left + side, side), ("28 x 28", "pixels"))


_THREE = ((0.3, 0.22), (0.68, 0.22), (0.45, 0.46), (0.68, 0.58), (0.66, 0.76), (0.46, 0.82), (0.28, 0.74))


def _maps(x: float, filters: int, side: int, most: float) -> _Column:
    """A block of convolutions: a stack of pictures, more for more filters, smaller as they shrink."""
    size = max(14.0, most * side / 14)
    sheets = min(filters, 2 + round(0.6 * math.log2(filters)))
    step = min(5.0, 0.9 * (most - 8) / sheets)
    first = -(sheets - 1) * step / 2
    drawn = "".join(
        f'<rect class="dl-net-box" x="{x + first + i * step - size / 2:.1f}" '
        f'y="{_MIDDLE + first + i * step - size / 2:.1f}" width="{size:.1f}" height="{size:.1f}" rx="2.5"/>'
        for i in range(sheets)
    )
    reach = size / 2 - first
    return _Column(drawn, _edge(x - reach, size), _edge(x + reach, size), (str(filters), f"{side} x {side}"))


def _edge(x: float, side: float) -> list[Point]:
    return [(x, _MIDDLE + side * (i - 2) / 5) for i in range(5)]


def _units(x: float, units: int, words: str) -> _Column:
    """A hidden layer: circles, with a gap in the middle where some are left out."""
    shown = min(units, round(2 + 1.25 * math.log2(units)))
    gap = shown < units
    places = _places(shown, gap)
    radius = min(5.5, 0.36 * _spacing(shown, gap))
    points = [(x, y) for y in places]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{_MIDDLE + d:.1f}" r="1.2"/>' for d in (-4, 0, 4)) if gap else ""
    return _Column(_circles(points, radius) + dots, points, points, (f"{units:,}", words))


def _digits(x: float, words: str) -> _Column:
    points = [(x, y) for y in _places(10, gap=False)]
    names = "".join(f'<text x="{x + 13:.1f}" y="{y + 4:.1f}">{digit}</text>' for digit, (_, y) in enumerate(points))
    return _Column(_circles(points, 5.5) + f'<g class="dl-net-digits">{names}</g>', points, [], ("10", words))


def _spacing(shown: int, gap: bool) -> float:
    return min(20.0, (_BOTTOM - _TOP) / (shown + gap))


def _places(shown: int, gap: bool) -> list[float]:
    """Heights of the circles, around the middle."""
    rows = shown + gap
    spacing, half = _spacing(shown, gap), shown // 2
    return [_MIDDLE + (i + (gap and i >= half) - (rows - 1) / 2) * spacing + _shift(shown, gap) for i in range(shown)]


def _shift(shown: int, gap: bool) -> float:
    """What brings the gap of an odd number of circles to the middle."""
    return _spacing(shown, gap) / 2 if gap and shown % 2 else 0.0


def _circles(points: list[Point], radius: float) -> str:
    return "".join(f'<circle class="dl-net-unit" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>' for x, y in points)


def _between(start: list[Point], end: list[Point]) -> str:
    lines = "".join(f"M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" for x, y in start for u, v in end)
    return f'<path class="dl-net-lines" d="{lines}"/>'


def _words(x: float, words: tuple[str, str]) -> str:
    first, second = words
    return (
        f'<text class="dl-net-size" x="{x:.1f}" y="{_BOTTOM + 24}">{escape(first)}</text>'
        f'<text class="dl-net-kind" x="{x:.1f}" y="{_BOTTOM + 40}">{escape(second)}</text>'
    )

"""Drawings that are no digits, for a network to learn what it should not name.

Letters and signs are drawn from the strokes below, scribbles and spirals by chance; others are made of digits: two over
each other, two side by side, one and a half, one lying on its side, one crossed out. Nothing here looks like a digit to
a person: signs that do, such as O, l, S, Z or B, are left out. Teaching a network with such pictures to be undecided is
outlier exposure (Hendrycks, Mazeika and Dietterich, 2019).
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core._normalise import ENLARGED, draw_over, draw_stroke, enlarged, normalise_drawn

UInt8 = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

_CANVAS = 28 * ENLARGED  # drawn larger, then reduced
_MARGIN = 20


def _arc(x: float, y: float, rx: float, ry: float, begin: float, end: float) -> list[tuple[float, float]]:
    """Points on an ellipse, from one angle to another in degrees; 0 is right, 90 is down."""
    angles = np.deg2rad(np.linspace(begin, end, 13))
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]


_Strokes = Sequence[Sequence[tuple[float, float]]]
# Strokes in a unit square, y down.
_SIGNS: Mapping[str, _Strokes] = {
    "A": ([(0.0, 1), (0.5, 0), (1, 1)], [(0.2, 0.62), (0.8, 0.62)]),
    "A round": ([(0, 1), (0.05, 0.4), (0.3, 0), (0.7, 0), (0.95, 0.4), (1, 1)], [(0.05, 0.55), (0.95, 0.55)]),
    "E": ([(0.9, 0), (0, 0), (0, 1), (0.95, 1)], [(0, 0.5), (0.75, 0.5)]),
    "E four strokes": ([(0, 0), (0, 1)], [(0, 0), (0.8, 0)], [(0, 0.5), (0.7, 0.5)], [(0, 1), (0.8, 1)]),
    "E round": (_arc(0.6, 0.25, 0.5, 0.25, -60, -270) + _arc(0.6, 0.75, 0.6, 0.25, -90, -300),),
    "F": ([(0.9, 0), (0, 0), (0, 1)], [(0, 0.45), (0.7, 0.45)]),
    "F slim": ([(0, 0), (0, 1)], [(0, 0), (0.55, 0)], [(0, 0.4), (0.45, 0.4)]),
    "H": ([(0, 0), (0, 1)], [(0.85, 0), (0.85, 1)], [(0, 0.5), (0.85, 0.5)]),
    "H in one": ([(0, 0), (0, 1), (0, 0.5), (0.85, 0.5), (0.85, 0), (0.85, 1)],),
    "K": ([(0, 0), (0, 1)], [(0.8, 0), (0, 0.55), (0.85, 1)]),
    "K two arms": ([(0, 0), (0, 1)], [(0.8, 0), (0.05, 0.5)], [(0.2, 0.42), (0.85, 1)]),
    "L": ([(0, 0), (0, 1), (0.8, 1)],),
    "M": ([(0, 1), (0.05, 0), (0.5, 0.6), (0.95, 0), (1, 1)],),
    "M steep": ([(0, 1), (0.2, 0), (0.5, 1), (0.8, 0), (1, 1)],),
    "M round": ([*_arc(0.25, 0.5, 0.25, 0.5, -180, 0), (0.5, 1), *_arc(0.75, 0.5, 0.25, 0.5, -180, 0), (1, 1)],),
    "N": ([(0, 1), (0, 0), (0.85, 1), (0.85, 0)],),
    "N in three": ([(0, 0), (0, 1)], [(0, 0), (0.85, 1)], [(0.85, 1), (0.85, 0)]),
    "N round": ([(0, 0), (0, 1), (0, 0.4), *_arc(0.4, 0.4, 0.4, 0.4, -180, 0), (0.8, 1)],),
    "P": ([(0, 1), (0, 0), (0.4, 0), *_arc(0.4, 0.25, 0.35, 0.25, -90, 90), (0, 0.5)],),
    "P wide": ([(0, 0), (0, 1)], [(-0.1, 0.05), *_arc(0.35, 0.28, 0.45, 0.28, -90, 90), (0, 0.56)]),
    "R": ([(0, 1), (0, 0), (0.4, 0), *_arc(0.4, 0.25, 0.35, 0.25, -90, 90), (0, 0.5), (0.75, 1)],),
    "R wide": ([(0, 0), (0, 1)], [(0, 0.03), *_arc(0.4, 0.27, 0.45, 0.25, -90, 90), (0.1, 0.52), (0.85, 1)]),
    "T": ([(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]),
    "T slim": ([(0, 0), (0.6, 0)], [(0.3, 0), (0.3, 1)]),
    "U": ([(0, 0), *_arc(0.42, 0.6, 0.42, 0.4, 180, 0), (0.84, 0)],),
    "U with stem": ([(0, 0), *_arc(0.4, 0.6, 0.4, 0.4, 180, 0), (0.8, 0), (0.8, 1)],),
    "V": ([(0, 0), (0.45, 1), (0.9, 0)],),
    "V with serif": ([(0, 0), (0.4, 1), (0.8, 0.05), (1, 0)],),
    "W": ([(0, 0), (0.25, 1), (0.5, 0.3), (0.75, 1), (1, 0)],),
    "W round": (_arc(0.25, 0.5, 0.25, 0.5, 180, 0) + _arc(0.75, 0.5, 0.25, 0.5, 180, 0),),
    "X": ([(0, 0), (0.85, 1)], [(0.85, 0), (0, 1)]),
    "X of arcs": (_arc(0, 0.5, 0.4, 0.5, -80, 80), _arc(0.85, 0.5, 0.4, 0.5, -100, -260)),
    "Y": ([(0, 0), (0.42, 0.45)], [(0.85, 0), (0.42, 0.45), (0.42, 1)]),
    "Y slanting": ([(0, 0), (0.4, 0.5)], [(0.9, 0), (0.2, 1)]),
    "Y round": ([(0, 0), *_arc(0.4, 0.2, 0.4, 0.3, 180, 0), (0.8, 0)], [(0.4, 0.5), (0.4, 1)]),
    "h": ([(0, 0), (0, 1)], [(0, 0.6), *_arc(0.3, 0.65, 0.3, 0.2, -180, 0), (0.6, 1)]),
    "k": ([(0, 0), (0, 1)], [(0.5, 0.4), (0, 0.72), (0.55, 1)]),
    "m": ([(0, 0), (0, 1)], [*_arc(0.25, 0.4, 0.25, 0.35, -180, 0), (0.5, 1)],
          [*_arc(0.75, 0.4, 0.25, 0.35, -180, 0), (1, 1)]),
    "n": ([(0, 0), (0, 1)], [*_arc(0.4, 0.45, 0.4, 0.4, -180, 0), (0.8, 1)]),
    "r": ([(0, 0), (0, 1)], _arc(0.4, 0.45, 0.4, 0.4, -180, -40)),
    "plus": ([(0, 0.5), (1, 0.5)], [(0.5, 0), (0.5, 1)]),
    "minus": ([(0, 0), (1, 0)],),
    "equals": ([(0, 0), (1, 0)], [(0, 0.45), (1, 0.45)]),
    "hash": ([(0.3, 0), (0.2, 1)], [(0.75, 0), (0.65, 1)], [(0, 0.33), (1, 0.33)], [(0, 0.67), (1, 0.67)]),
    "star": ([(0.2, 1), (0.5, 0), (0.8, 1), (0, 0.37), (1, 0.37), (0.2, 1)],),
    "asterisk": ([(0.5, 0), (0.5, 1)], [(0.05, 0.25), (0.95, 0.75)], [(0.95, 0.25), (0.05, 0.75)]),
    "triangle": ([(0.5, 0), (1, 0.9), (0, 0.9), (0.5, 0)],),
    "tick": ([(0, 0.6), (0.3, 1), (1, 0)],),
    "arrow": ([(0, 0.5), (1, 0.5)], [(0.65, 0.15), (1, 0.5), (0.65, 0.85)]),
    "heart": ([(0.5, 0.3), *_arc(0.26, 0.25, 0.25, 0.25, 0, -180), (0.5, 1), *_arc(0.74, 0.25, 0.25, 0.25, 0, -180)],),
    "smiley": (_arc(0.5, 0.5, 0.5, 0.5, 0, 360), [(0.33, 0.33), (0.34, 0.4)], [(0.66, 0.33), (0.66, 0.4)],
               _arc(0.5, 0.55, 0.25, 0.22, 20, 160)),
    "house": ([(0, 1), (0, 0.45), (0.5, 0), (1, 0.45), (1, 1), (0, 1)], [(0, 0.45), (1, 0.45)]),
    "crossed square": ([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], [(0, 0), (1, 1)], [(1, 0), (0, 1)]),
    "question mark": ([*_arc(0.35, 0.28, 0.32, 0.28, -180, 80), (0.35, 0.72)], [(0.35, 0.96), (0.36, 1)]),
    "exclamation mark": ([(0, 0), (0, 0.7)], [(0, 0.96), (0.01, 1)]),
    "percent": (_arc(0.18, 0.2, 0.18, 0.2, 0, 360), [(0.85, 0), (0.1, 1)], _arc(0.8, 0.8, 0.18, 0.2, 0, 360)),
    "zigzag": ([(0, 0.3), (0.2, 0.9), (0.35, 0.1), (0.55, 0.9), (0.7, 0.1), (0.85, 0.9), (1, 0.3)],),
    "wave": ([*_arc(0.17, 0.5, 0.17, 0.3, -180, 0), *_arc(0.5, 0.5, 0.16, 0.3, 180, 0),
              *_arc(0.83, 0.5, 0.17, 0.3, -180, 0)],),
    "pi": ([(0, 0), (1, 0)], [(0.25, 0), (0.2, 1)], [(0.75, 0), (0.8, 1)]),
    "sigma": ([(0.9, 0), (0, 0), (0.5, 0.5), (0, 1), (0.9, 1)],),
    "psi": (_arc(0.5, 0.2, 0.5, 0.45, 180, 0), [(0.5, 0), (0.5, 1)]),
    "lambda": ([(0, 0), (0.8, 1)], [(0.4, 0.5), (0, 1)]),
    "omega": ([(0, 1), (0.3, 1), *_arc(0.5, 0.42, 0.45, 0.42, 130, 410), (0.7, 1), (1, 1)],),
    "stairs": ([(0, 1), (0, 0.66), (0.33, 0.66), (0.33, 0.33), (0.66, 0.33), (0.66, 0), (1, 0)],),
}  # fmt: skip


def draw_non_digits(
    n: int, digits: UInt8, labels: npt.NDArray[np.int64], rng: np.random.Generator, *, crossed_out: float = 0.0
) -> UInt8:
    """Draw pictures that are no digits, each another.

    Parameters
    ----------
    n
        How many.
    digits, labels
        ``uint8 (m, 28, 28)`` and ``(m,)``: the digits that the composed ones are made of.
    rng
        Decides them.
    crossed_out
        Share of them, up to a half, that are digits which somebody crossed out: there are fewer signs and scribbles.

    Returns
    -------
    ndarray
        ``uint8 (n, 28, 28)``, white ink on black, normalised as digits are.
    """
    lying = digits[np.isin(labels, (2, 3, 4, 5))]  # these still mean nothing when they lie on their side
    wide = digits[labels != 1]  # half a 1 more or less may still be a digit
    unbarred = digits[np.isin(labels, (2, 3, 5, 6, 8, 9))]  # one stroke through another may well belong to it

    def one(pool: UInt8) -> UInt8:
        return np.asarray(pool[rng.integers(len(pool))])

    def sign() -> UInt8:
        return _draw_sign(_CHOICES[rng.integers(len(_CHOICES))], rng)

    def over_each_other() -> UInt8:
        return np.maximum(one(digits), np.roll(one(digits), rng.integers(-6, 7, 2), (0, 1)))

    # What is made of digits is no softer than digits are: otherwise softness itself would say that it is none.
    kinds: Sequence[tuple[float, Callable[[], UInt8]]] = (
        (0.63 - 0.9 * crossed_out, sign),
        (0.10 - 0.1 * crossed_out, lambda: _draw_scribble(rng)),
        (0.03, lambda: _draw_spiral(rng)),
        (0.03, lambda: enlarged(over_each_other())),
        (0.06, lambda: enlarged(_side_by_side(one(digits), one(digits), rng))),
        (0.08, lambda: enlarged(_one_and_a_half(one(wide), one(wide), rng)) if len(wide) else sign()),
        (0.07, lambda: enlarged(np.rot90(one(lying), rng.choice((1, 3)))) if len(lying) else sign()),
        (0.85 * crossed_out, lambda: _cross_out(enlarged(one(digits)), _SEVERAL_STROKES, rng)),
        (
            0.15 * crossed_out,
            lambda: _cross_out(enlarged(one(unbarred)), (_one_stroke,), rng) if len(unbarred) else sign(),
        ),
    )
    chosen = rng.choice(len(kinds), n, p=[share for share, _ in kinds])
    out = np.empty((n, 28, 28), np.uint8)
    for i, kind in enumerate(chosen):
        out[i] = normalise_drawn(kinds[kind][1]())
    return out


_CHOICES = tuple(_SIGNS.values())


def _draw_sign(strokes: _Strokes, rng: np.random.Generator) -> UInt8:
    """Draw strokes by an unsteady hand: every point moved, the whole slanted, squeezed and turned."""
    lines = [np.array(stroke, float) + rng.normal(0, 0.045, (len(stroke), 2)) for stroke in strokes]
    if rng.random() < 0.5:
        lines = [_rounded(line) for line in lines]
    angle, slant = rng.normal(0, 0.12), rng.normal(0, 0.18)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    squeeze = np.diag([rng.uniform(0.55, 1.15), 1.0])
    shear = np.array([[1.0, -slant], [0.0, 1.0]])
    return _render([line @ (turn @ shear @ squeeze).T for line in lines], rng)


def _draw_scribble(rng: np.random.Generator) -> UInt8:
    """Draw one long aimless line, angular or round."""
    line = np.cumsum(rng.normal(0, 0.45, (rng.integers(7, 16), 2)), axis=0)
    return _render([_rounded(_rounded(line)) if rng.random() < 0.7 else line], rng)


def _draw_spiral(rng: np.random.Generator) -> UInt8:
    """Draw a line that winds outwards: twice at least, or it is a 6, a 9 or an untidy 0."""
    turns = rng.uniform(2, 3.3)
    angles = np.linspace(0, 2 * np.pi * turns, 60)
    radii = (angles / angles[-1]) ** rng.uniform(0.7, 1.1) + rng.normal(0, 0.02, 60)
    angles = rng.uniform(0, 2 * np.pi) + rng.choice((-1, 1)) * angles
    squeeze = rng.uniform(0.7, 1.15)
    line = np.stack([squeeze * radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    apart = squeeze * (_CANVAS - 2 * _MARGIN) / 2 / turns
    return _render([line], rng, widest=int(0.65 * apart))


def _side_by_side(left: UInt8, right: UInt8, rng: np.random.Generator) -> UInt8:
    """Two digits that stand so close that they were taken for one."""
    width = int(rng.integers(15, 22))
    pair = np.zeros((28, width + 28), np.uint8)
    pair[:, :28] = left
    pair[:, width:] = np.maximum(pair[:, width:], right)
    return pair


def _one_and_a_half(whole: UInt8, other: UInt8, rng: np.random.Generator) -> UInt8:
    """A digit and about half of one that touches it: what a cut in the wrong place leaves."""
    if rng.random() < 0.5:
        return _half_more(whole, other, rng)
    return np.fliplr(_half_more(np.fliplr(whole), np.fliplr(other), rng))


def _half_more(whole: UInt8, other: UInt8, rng: np.random.Generator) -> UInt8:
    whole, other = _trimmed(whole), _trimmed(other)
    start = whole.shape[1] - int(rng.integers(0, 3))
    out = np.zeros((28, start + other.shape[1]), np.uint8)
    out[:, : whole.shape[1]] = whole
    # Cuts seldom are upright: this one leans up to a quarter of a pixel to either side per row.
    cut = other.shape[1] * rng.uniform(0.35, 0.65) + rng.uniform(-0.25, 0.25) * (np.arange(28)[:, None] - 14)
    half = np.where(np.arange(other.shape[1]) < cut, other, 0)
    out[:, start:] = np.maximum(out[:, start:], half)
    return out


# How strokes cross out what fills the unit square, y down.
_Crossing = Callable[[np.random.Generator], Sequence[Points]]
_FRAME = 48  # pixels around a digit, enough for strokes that reach beyond it


def _cross_out(fine: UInt8, ways: Sequence[_Crossing], rng: np.random.Generator) -> UInt8:
    """A digit that its writer crossed out, with about the pen that it was written with."""
    narrowest, pen = rng.uniform(0.5, 0.8), rng.uniform(0.7, 1.15)

    def strokes(mask: UInt8) -> Sequence[Points]:
        x, y, width, height = cv2.boundingRect(mask)
        wide = max(width, narrowest * height)  # nobody crosses out a 1 with strokes as narrow as it is
        corner = x + (width - wide) / 2, y
        return [corner + line * (wide, height) for line in ways[int(rng.integers(len(ways)))](rng)]

    return draw_over(fine, strokes, pen, _FRAME)


def _cross(rng: np.random.Generator) -> Sequence[Points]:
    """Two strokes, each from near a corner to near the opposite one."""
    reach = rng.uniform(0.4, 0.65, 2)
    return [0.5 + rng.normal(0, 0.06, (2, 2)) + np.outer((-1, 1), (reach[0], turn * reach[1])) for turn in (1, -1)]


def _parallel_strokes(rng: np.random.Generator) -> Sequence[Points]:
    """Two strokes or three, level or slanting either way."""
    count, tilt = int(rng.integers(2, 4)), rng.choice((0.0, rng.uniform(-0.5, 0.5)))
    levels = 0.5 + (np.arange(count) - (count - 1) / 2) * rng.uniform(0.18, 0.4) + rng.normal(0, 0.05)
    reach = rng.uniform(0.55, 0.75)
    return [
        np.array([(0.5 - reach, level + tilt), (0.5 + reach, level - tilt)]) + rng.normal(0, 0.05, (2, 2))
        for level in levels
    ]


def _back_and_forth(rng: np.random.Generator) -> Sequence[Points]:
    """One stroke that goes to and fro, up and down or across, angular or round."""
    along = np.linspace(-0.1, 1.1, int(rng.integers(6, 15)))
    across = np.where(np.arange(len(along)) % 2, rng.uniform(-0.1, 0.25), rng.uniform(0.75, 1.1))
    line = np.stack([along, across], axis=1) + rng.normal(0, 0.05, (len(along), 2))
    line = line if rng.random() < 0.6 else line[:, ::-1]
    return [line if rng.random() < 0.5 else _rounded(_rounded(line))]


def _one_stroke(rng: np.random.Generator) -> Sequence[Points]:
    """One stroke, well beyond both sides and never level: so are rules."""
    tilt, reach = rng.choice((-1, 1)) * rng.uniform(0.3, 0.65), rng.uniform(0.6, 0.8)
    return [np.array([(0.5 - reach, 0.5 + tilt), (0.5 + reach, 0.5 - tilt)]) + rng.normal(0, 0.05, (2, 2))]


_SEVERAL_STROKES: Sequence[_Crossing] = (_cross, _parallel_strokes, _back_and_forth)


def _trimmed(digit: UInt8) -> UInt8:
    """The columns from the first with ink to the last."""
    inked = np.flatnonzero((digit > 127).any(axis=0))
    return digit[:, inked[0] : inked[-1] + 1] if len(inked) else digit


def _rounded(line: Points) -> Points:
    """Cut the corners off (Chaikin, 1974), keeping both ends."""
    if len(line) < 3:
        return line
    a, b = line[:-1], line[1:]
    cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
    return np.concatenate([line[:1], cut[1:-1], line[-1:]])


def _render(lines: Sequence[Points], rng: np.random.Generator, widest: int = 16) -> UInt8:
    """Draw lines with one pen, filling the canvas as MNIST's digits fill their box."""
    points = np.concatenate(lines)
    low, side = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-6)
    scale = (_CANVAS - 2 * _MARGIN) / side
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    pen = int(rng.integers(min(6, widest), widest + 1))  # a digit of MNIST's is drawn with 7 to 14 on this canvas
    for line in lines:
        draw_stroke(canvas, (line - low) * scale + _MARGIN, pen)
    return canvas

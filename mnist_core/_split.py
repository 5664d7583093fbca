"""Digits that touch: connected ink cut where few strokes join it and corners meet, into what reads best."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mnist_core._ink import Ink
from mnist_core._normalise import stroke_width
from mnist_core._parts import Part, Parts, bounds, mask_of
from mnist_core._steps import Array, UInt8, quantile

Group = list[Part]


@dataclass(frozen=True, eq=False)
class Candidate:
    """Ink that may be a digit: a group of the parts of some ink."""

    ink: Ink
    parts: Parts
    group: Group


Certainty = Callable[[Sequence[Candidate]], list[float]]
"""How sure it is that each candidate is a digit, in [0, 1]."""
Sure = Callable[[Sequence[Group]], list[float]]
"""Likewise of groups of the parts of one picture."""

# Certainty below this is as good as none.
_LEAST_SURE = 0.05
# Narrower groups are one digit: width over height, without somebody to ask, with, and if it is refused as one.
_NARROWEST_UNASKED, _NARROWEST, _NARROWEST_REFUSED = 1.1, 0.9, 0.55
# Wider ones are lines and scrawls, and so is what is no higher than so many strokes.
_WIDEST, _STROKE_HIGH = 8.0, 2.5
# Whoever is as sure as that of a group that is no wider is not asked further.
_SURE, _USUALLY_WIDE = 0.995, 1.8
# In the unit of `evidence`: what a cut costs, what it costs more for each stroke that it goes through (and less for
# corners) and for each loop that it opens, as of a wide 0 that looks like a 2 and a 7; what a piece loses for being
# wider than digits are, lower than the whole, or no more than a stroke, which always looks like a 1.
_CUT, _CUT_STROKE, _CUT_LOOP, _WIDE, _LOW, _THIN = 0.25, 0.3, 0.5, 1.3, 1.0, 0.4
_USUAL_WIDTH, _USUAL_LOWEST, _USUAL_THINNEST = 1.05, 0.8, 0.3
# What a cut leaves has at least this height, ink and width, and at most that width, as shares of the whole's height.
_LOWEST, _LEAST_INK, _LEAST_WIDTH, _MOST_WIDTH = 0.55, 0.35, 0.08, 1.5
# Cuts are looked for on a copy this high. They may turn this far aside; being far aside at the most costs as much ink
# as that, in pens, spread over all rows, and each pixel on the way there this.
_HEIGHT, _ASIDE, _LEASH, _STEP_ASIDE = 56, 0.4, 4.0, 0.04
# They go through at most so many strokes, and a corner makes up for so many times as much ink: where one digit's stroke
# runs into another's there are corners, but a digit has some itself, so without somebody to ask they tell nothing.
_STROKES_CUT, _CORNER_WORTH = 3.0, 1.5
_STROKES_CUT_UNASKED, _CORNER_WORTH_UNASKED = 1.35, 0.0
# Of what is near, so many pens around, more than this share is ink in a corner, and so much more in a sharp one.
_CORNER_REACH, _CORNER, _CORNER_SHARP = 0.75, 0.5, 0.25
# A loop is larger than so many pens squared, and opened by a cut that leaves more than this share of it on either side.
_LOOP, _LOOP_SIDE = 2.0, 0.15
# Handwriting leans, and so do the gaps in it: pixels to the right for each pixel up.
_LEANS = (0.0, 0.35, -0.25)
# So many cuts are kept in each stretch that is half as wide as the group is high.
_CUTS = 6


def evidence(sure: float) -> float:
    """How much this certainty speaks for a digit: its logarithm, so that that of several digits adds up."""
    return math.log(max(sure, _LEAST_SURE))


def on_average(groups: Sequence[Group], sure: Sure) -> float:
    """How sure it is of groups that each is a digit, on average over their ink."""
    return float(np.average(sure(groups), weights=[sum(part.area for part in group) for group in groups]))


def may_be_several(groups: Sequence[Group], sure: Sure | None) -> list[bool]:
    """Whether each sign of a page may be several digits that touch, and cuts are worth their time.

    Parameters
    ----------
    groups
        All signs of the page.
    sure
        Says how sure it is that each of some groups is a digit, if there is somebody to ask. Then the wider a group is,
        the surer it has to be for being one digit; and next to a sign that is none it is a letter in a word.
    """
    boxes = [bounds(g) for g in groups]
    # A level stroke is wide, but no row of digits.
    strokes = [max(p.stroke for p in g) for g in groups]
    shapes = [
        (right - left) / (bottom - top) if bottom - top > _STROKE_HIGH * stroke else 0.0
        for (left, top, right, bottom), stroke in zip(boxes, strokes, strict=True)
    ]
    if sure is None:
        return [_NARROWEST_UNASKED <= shape <= _WIDEST for shape in shapes]
    wide = [i for i, shape in enumerate(shapes) if _NARROWEST_REFUSED <= shape <= _WIDEST]
    answers = zip(wide, sure([groups[i] for i in wide]), strict=True)
    tried = {i for i, answer in answers if answer <= _sure_to_be_one(shapes[i])}
    beside = {
        i: [
            j
            for j in range(len(groups))
            if j != i and _beside(boxes[i], boxes[j], _NEXT_IF_WIDE if j in tried else _NEXT)
        ]
        for i in tried
    }
    asked = sorted({j for near in beside.values() for j in near})
    letters = {j for j, s in zip(asked, sure([groups[j] for j in asked]), strict=True) if s < NO_DIGIT}
    return [i in tried and letters.isdisjoint(beside[i]) for i in range(len(groups))]


def _sure_to_be_one(shape: float) -> float:
    """With more certainty than this a sign of this width, per height, is one digit."""
    if shape >= _USUALLY_WIDE:
        return 1.0
    return _SURE if shape >= _NARROWEST else NO_DIGIT


NO_DIGIT = 0.5
"""With less certainty than this a sign is no digit."""
# A neighbour in a word is at most this far away, per height; one that may itself be two digits nearer.
_NEXT, _NEXT_IF_WIDE = 1.0, 0.25


def _beside(one: tuple[int, int, int, int], other: tuple[int, int, int, int], near: float) -> bool:
    """Whether two signs stand next to each other in a line; of each its left, top, right and bottom."""
    gap = max(one[0], other[0]) - min(one[2], other[2])
    shared = min(one[3], other[3]) - max(one[1], other[1])
    low, high = sorted((one[3] - one[1], other[3] - other[1]))
    return gap < near * high and shared > 0.4 * low


def split_touching(parts: Parts, ink: Ink, group: Group, certainty: Certainty | None) -> list[Group]:
    """Cut a group that may be several digits.

    Parameters
    ----------
    parts, ink
        Of the picture.
    group
        One digit, or several that touch.
    certainty
        Says how sure it is that candidates are digits, if there is somebody to ask: then the cuts are made that leave
        what is surest.

    Returns
    -------
    list
        The groups from left to right; the group alone if there is no cut that leaves digits.
    """
    whole = certainty([Candidate(ink, parts, group)])[0] if certainty else _WHOLE_UNASKED
    left, top, right, bottom = bounds(group)
    window = slice(top, bottom), slice(left, right)
    own = mask_of(parts, group, window) > 0
    stroke = float(np.median([p.stroke for p in group]))
    most, worth = (_STROKES_CUT, _CORNER_WORTH) if certainty else (_STROKES_CUT_UNASKED, _CORNER_WORTH_UNASKED)
    cuts = _cuts(own, stroke, most, worth)
    pieces = _best(own, cuts, stroke, whole, ink.within(window), certainty)
    if len(pieces) < 2:
        return [group]
    touches = max(p.contact for p in group)
    return [[_described(ink.strength[window], piece, touches, left, top)] for piece in pieces]


# --- where it may be cut


@dataclass(frozen=True, eq=False)
class _Cut:
    """A way from top to bottom.

    Attributes
    ----------
    right
        The ink to the right of it.
    strokes
        How many it goes through, less what the corners on it make up for.
    loops
        How many it opens.
    middle
        Where it is, in pixels from the left.
    """

    right: Array
    strokes: float
    loops: int
    middle: float


def _cuts(own: Array, stroke: float, most_strokes: float, corner_worth: float) -> list[_Cut]:
    """The ways down that go through little ink and from corner to corner, from left to right."""
    height, width = own.shape
    scale = min(1.0, _HEIGHT / height)
    size = max(3, round(width * scale)), max(3, round(height * scale))
    small = np.asarray(cv2.resize(own.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    pen = max(stroke * scale, 1.0)
    corners = corner_worth * _corners(small, pen)
    ways = _ways(small - corners, pen)
    rows = np.arange(size[1])
    strokes = small[rows, ways].sum(1) / pen
    worse = strokes - corners[rows, ways].sum(1) / pen
    # How much ink lies to the left of each way in each row: two ways differ by what lies between them.
    before = np.pad(small.cumsum(1), ((0, 0), (1, 0)))[rows, ways + 1]
    apart, least = 0.15 * pen * size[1], _LEAST_INK * pen * size[1]
    most = small.sum() - least
    places = [int(2 * column / size[1]) for column in ways.mean(1)]
    left = Counter({place: _CUTS for place in places})
    chosen: list[int] = []
    for i in np.argsort(worse):
        if strokes[i] > most_strokes or not left[places[i]] or not least <= before[i].sum() <= most:
            continue
        if min(np.abs(before[chosen] - before[i]).sum(1), default=apart) >= apart:
            chosen.append(i)
            left[places[i]] -= 1
    columns = np.arange(width)[None]
    loops = _loops(own, stroke)
    found = []
    for i in chosen:
        edge = np.interp(np.arange(height), (rows + 0.5) / scale - 0.5, (ways[i] + 1) * width / size[0])
        right = columns >= np.rint(edge)[:, None]
        opened = sum(_LOOP_SIDE < float(right[loop].mean()) < 1 - _LOOP_SIDE for loop in loops)
        found.append(_Cut(own & right, float(worse[i]), opened, float(edge.mean())))
    return sorted(found, key=lambda cut: cut.middle)


def _loops(own: Array, stroke: float) -> list[Array]:
    """A mask of each empty place that ink encloses and that is no mere gap between strokes."""
    empty = np.pad(~own, 1, constant_values=True).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(empty, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= _LOOP * max(stroke, 1.0) ** 2
    outside = labels[0, 0]
    return [labels[1:-1, 1:-1] == i for i in range(1, len(stats)) if large[i] and i != outside]


def _corners(ink: Array, pen: float) -> Array:
    """How much of a corner each pixel of the ground is, in [0, 1]: beside a straight edge half of all near is ink."""
    reach = max(1, round(_CORNER_REACH * pen))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)).astype(np.float32)
    near = cv2.filter2D(ink, -1, disc / disc.sum(), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.clip((near - _CORNER) / _CORNER_SHARP, 0, 1) * np.clip(1 - ink, 0, 1))


def _ways(price: Array, pen: float) -> Array:
    """For each column and each slant the cheapest way down near it, ``(n, rows)``.

    Found row by row, all at once: a way goes on along its slant or one pixel aside.
    """
    height, width = price.shape
    reach = max(2, round(_ASIDE * height))
    aside = np.arange(-reach, reach + 1)
    leant = np.rint(np.outer(height / 2 - np.arange(height), _LEANS)).astype(np.int64)
    begin = (leant[:, :, None] + np.arange(width)).reshape(height, -1, 1)
    at = np.clip(begin + aside, 0, width - 1)
    leash = np.asarray(_LEASH * pen / height * np.square(aside / reach), np.float32)
    cost = np.zeros(at.shape[1:], np.float32)
    fenced = np.full((len(cost), len(aside) + 2), np.inf, np.float32)
    came = np.zeros(at.shape, np.int8)
    for row in range(height):
        fenced[:, 1:-1] = cost
        left, right = fenced[:, :-2], fenced[:, 2:]
        beside = np.minimum(left, right) + _STEP_ASIDE
        came[row] = np.where(cost <= beside, 0, np.where(left <= right, -1, 1))
        cost = np.minimum(cost, beside) + price[row][at[row]] + leash
    column = cost.argmin(1)
    every = np.arange(len(column))
    ways = np.zeros((len(column), height), np.int64)
    for row in range(height - 1, -1, -1):
        ways[:, row] = at[row, every, column]
        column = column + came[row][every, column]
    return ways


# --- which cuts are made

_Span = tuple[int, int]  # the cuts, by number, between which a piece lies; 0 is the left edge


def _best(
    own: Array, cuts: list[_Cut], stroke: float, whole: float, ink: Ink, certainty: Certainty | None
) -> list[Array]:
    """The pieces, of all ways to make some of these cuts, that have the most evidence for being digits.

    Each of them has to be sure, so what is asked about begins where sure pieces end.
    """
    height, width = own.shape
    rights = [own, *(cut.right for cut in cuts), np.zeros_like(own)]
    end = len(rights) - 1
    sure: dict[_Span, float] = {}
    masks: dict[_Span, Array] = {}

    def ask(spans: list[_Span]) -> None:
        found = {span: _piece(rights[span[0]], rights[span[1]], stroke, height) for span in spans}
        possible = {span: mask for span, mask in found.items() if mask is not None}
        answers = _asked(ink, [_with_shared(own, mask, stroke) for mask in possible.values()], certainty)
        for (span, mask), answer in zip(possible.items(), answers, strict=True):
            if answer >= _SURE_PIECE:
                sure[span], masks[span] = answer, mask

    middles = [0.0, *(cut.middle for cut in cuts), float(width)]
    inner = range(1, end)
    near = {(i, j) for j in range(1, end + 1) for i in range(j) if middles[j] - middles[i] < _WIDER_THAN_ANY * height}
    ask([span for span in [(0, j) for j in inner] + [(i, end) for i in inner] if span in near])
    last = {i for i, j in sure if j == end}
    if last:
        # More than three digits are as wide as that: then what follows need not be the last one.
        beyond = inner if width > _SURELY_MANY * height else sorted(last)
        for i in inner:
            if any(j == i for _, j in sure):
                ask([(i, j) for j in beyond if (i, j) in near])
    worth = {span: evidence(s) - _odd_shape(masks[span], height) for span, s in sure.items()}
    worth[0, end] = evidence(whole) - _odd_shape(own, height)
    price = [0.0, *(_CUT + _CUT_STROKE * cut.strokes + _CUT_LOOP * cut.loops for cut in cuts), 0.0]
    reached: dict[int, tuple[float, list[_Span]]] = {0: (0.0, [])}
    for j in range(1, end + 1):
        ways = [
            (reached[i][0] + worth[i, j] - price[j], [*reached[i][1], (i, j)])
            for i in range(j)
            if i in reached and (i, j) in worth
        ]
        if ways:
            reached[j] = max(ways, key=lambda way: way[0])
    chosen = reached[end][1]
    pieces = [masks[span] for span in chosen] if len(chosen) > 1 else []
    if not pieces or 2 * sum(map(_is_stroke, pieces)) > len(pieces):
        return []
    return [_with_shared(own, piece, stroke) for piece in _shared_out(own, pieces)]


def _with_shared(own: Array, piece: Array, stroke: float) -> Array:
    """The piece and what lies just beyond its cuts: where two strokes cross or overlap, the ink is both digits'."""
    reach = round(_SHARED * stroke)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = np.asarray(cv2.dilate(piece.astype(np.uint8), disc), bool)
    return np.asarray(own & near)


def _is_stroke(mask: Array) -> bool:
    """Whether a piece is a mere stroke, upright or slanting: any zigzag can be cut into some, and each would be a 1."""
    ink = cv2.findNonZero(mask.astype(np.uint8))
    _, _, wide, high = cv2.boundingRect(ink)
    narrow, long = sorted(cv2.minAreaRect(ink)[1])
    return bool(wide < _STROKE * high or narrow + 1 < _STROKE_ASIDE * (long + 1))


def _odd_shape(mask: Array, height: int) -> float:
    """What a piece loses for being wider, lower or thinner than digits are."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    high, wide = float(np.ptp(rows) + 1), float(np.ptp(columns) + 1)
    loss = _WIDE * max(0.0, wide / high - _USUAL_WIDTH) + _LOW * max(0.0, _USUAL_LOWEST - high / height)
    return loss + (_THIN if wide < _USUAL_THINNEST * high else 0.0)


def _piece(right_of: Array, beyond: Array, stroke: float, height: int) -> Array | None:
    """The ink between two cuts without shreds of the neighbours, or None if it has no digit's size."""
    mask = right_of & ~beyond
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= _SHRED * areas.sum())
    if not len(kept):  # nothing but crumbs, as what is left of ruling
        return None
    mask = np.isin(labels, kept)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    enough = np.count_nonzero(mask) >= _LEAST_INK * height * stroke
    fits = high >= _LOWEST * height and _LEAST_WIDTH * height <= wide <= _MOST_WIDTH * height
    return mask if enough and fits else None


# All pieces have to be that sure; and what is narrower than this, per its height, may be a mere stroke, or whatever its
# direction, per its length.
_SURE_PIECE, _STROKE, _STROKE_ASIDE = 0.8, 0.42, 0.36
# More than three digits are at least this wide, per their height.
_SURELY_MANY = 2.2
# No digit lies between two cuts whose middles are so far from each other.
_WIDER_THAN_ANY = 2.5
# A loose piece with less of the ink than this is a shred.
_SHRED = 0.12
# So far beyond a cut, in stroke widths, the ink is both sides'.
_SHARED = 0.4


def _shared_out(own: Array, pieces: list[Array]) -> list[Array]:
    """The pieces, with shreds that belong to none of them given to the nearest."""
    rest = own & ~np.any(pieces, axis=0)
    if not rest.any():
        return pieces
    away = np.stack([cv2.distanceTransform((~piece).astype(np.uint8), cv2.DIST_L2, 3) for piece in pieces])
    count, labels = cv2.connectedComponents(rest.astype(np.uint8))
    nearest = away.argmin(0)
    for label in range(1, count):
        shred = labels == label
        near = int(np.bincount(nearest[shred]).argmax())
        pieces[near] = pieces[near] | shred
    return pieces


def _asked(ink: Ink, masks: list[Array], certainty: Certainty | None) -> list[float]:
    """How sure it is of each piece; without anybody to ask all are as good."""
    if certainty is None or not masks:
        return [_UNASKED] * len(masks)
    candidates = []
    for mask in masks:
        part = _described(ink.strength, mask, 0)
        candidates.append(Candidate(ink, Parts(mask.astype(np.int32), (part,)), [part]))
    return certainty(candidates)


# Without anybody to ask: how sure it is of each piece, and of the whole.
_UNASKED, _WHOLE_UNASKED = 0.9, 0.5


def _described(strength: UInt8, mask: Array, contact: int, x: int = 0, y: int = 0) -> Part:
    """A part that is a piece of another: its ink in a window at x, y."""
    own = np.where(mask, np.uint8(255), np.uint8(0))
    left, top, width, height = cv2.boundingRect(own)
    window = slice(top, top + height), slice(left, left + width)
    own = np.ascontiguousarray(own[window])
    level = quantile(strength[window], 0.75, own)
    area = int(np.count_nonzero(own))
    return Part(_CUT_OUT, x + left, y + top, width, height, area, level, stroke_width(own), contact, own)


# The label of a piece: no pixel has it.
_CUT_OUT = -1

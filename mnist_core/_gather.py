"""Which parts of a page make which digit: by size and place, and by what reads better."""

from collections.abc import Sequence

import numpy as np

from mnist_core._choose import is_blot, is_edge, is_scrawl
from mnist_core._mend import broken_digits, linked
from mnist_core._parts import Part, Parts, bounds, box_gaps, distance, extent
from mnist_core._split import NO_DIGIT, Group, Sure, evidence, on_average
from mnist_core._steps import Settings

# Parts smaller than this share of a usual digit are pieces of one, or specks.
_PIECE = 0.5
# What is so many times as thick as the pen is a blot. Pens count that have drawn something no further away than this
# share of its size.
_BLOT, _CLOSE_BY = 1.6, 0.2
FLAT = 2.5
"""A level stroke is so many times as wide as high."""
# What is lower than this share of the stem after it is no arm of an open 4, but a minus or half of an equals sign.
_LEVEL = 0.2
# A digit may be as small as this share of the usual one.
_SMALL = 0.18
# Small parts nearer to the picture's rim than this share of its shorter side lie beyond the paper.
_RIM = 0.02
# So many pieces at most, no further apart than this share of the whole, may be one broken digit: if the judge is this
# sure of the whole, and this much less sure of the pieces.
_MOST_PIECES, _PIECES_GAP, _SURE, _LESS_SURE = 8, 0.12, 0.9, 0.2
# Parts of a digit may lie as far apart as this share of its size, and make a digit at most this much larger than a
# usual one and this much wider than high; a 5 with a loose top, which is so low against the whole, is often wider. What
# takes up the same columns, is small or near is sooner one digit: how much more the judge may believe in two.
_REACH, _ROOM, _WIDEST = 0.3, 1.35, 1.25
_WIDEST_WITH_TOP, _TOP = 1.6, 0.4
_SAME_COLUMNS, _LITTLE, _NEAR, _UNLIKELY = 1.2, 0.5, 0.4, 1.2
# So many parts at most are looked at one by one where they are no digit together.
_MOST_APART = 3
# Ink this much weaker than the page's is not the same pen's, but what shows through or was wiped off.
_WEAKEST = 0.35


def gather(parts: Parts, settings: Settings, sure: Sure | None) -> list[Group]:
    """Find the digits of a page by the sizes and places of its parts.

    Parameters
    ----------
    parts
        Of the picture.
    settings
        `remove_specks`, `speck_size` and `join_gap` count here.
    sure
        Says how sure it is of groups that each is a digit, in [0, 1], if there is somebody to ask: then digits that a
        pen running dry left in pieces are found first.

    Returns
    -------
    list
        The parts of each digit; digits that touch are one.
    """
    inside = [p for p in parts.all if p.contact <= 0.2 * p.size and not is_edge(p, *parts.labels.shape)]
    if settings.remove_specks:
        inside = [p for p in _without_bars(inside) if not is_scrawl(p, parts)]
    strokes = [p for p in inside if not is_blot(p)]
    if not strokes:
        return []
    mended = broken_digits(inside, sure) if sure else []
    done = [part for group in mended for part in group]
    inside, strokes = ([p for p in some if p not in done] for some in (inside, strokes))
    usual = _usual_size([*mended, *([p] for p in strokes)])
    large = [p for p in strokes if p.size >= _PIECE * usual]
    known = large or done
    pen = float(np.median([p.stroke for p in known]))
    weakest = _WEAKEST * float(np.percentile([p.level for p in known], 80))
    whole = _joined(parts, [p for p in large if p.level > weakest], usual) + mended
    # A small piece of a stroke may be as thick as it is long; a blot that is thicker than the pen is none.
    small = [p for p in inside if p.size < _PIECE * usual and p.level > weakest]
    small = [p for p in small if p.stroke < _BLOT * pen or p.stroke < _BLOT * _pen_beside(p, large)]
    crumbs = _crumbs(small, usual)
    for crumb in sorted(crumbs, key=_size, reverse=True):
        if not _give(crumb, whole, usual, settings) and _is_digit(crumb, usual, pen) and not _at_rim(crumb, parts):
            whole.append(crumb)
    return whole


def _without_bars(some: list[Part]) -> list[Part]:
    """Leave the bars of a barcode out: many upright strokes, as long as each other, side by side, thin and thick."""
    upright = [p for p in some if p.height >= _BAR * p.width]
    lengths = np.array([p.height for p in upright])
    alike = [np.flatnonzero(np.abs(lengths - length) <= _BAR_ENDS * length + 1) for length in lengths]
    like = max(alike, key=len, default=np.zeros(0, int))
    if len(like) < _FEWEST_BARS:
        return some
    bars = [upright[i] for i in like]
    x, y = np.array([(p.x + p.width / 2, p.y) for p in bars]).T
    off_line = y - np.polyval(np.polyfit(x, y, 1), x)
    pens = [p.stroke for p in bars]
    if np.abs(off_line).max() > _BAR_ENDS * bars[0].height + 1 or max(pens) < _THICKER * min(pens):
        return some
    return [p for p in some if p not in bars]


# A bar is so many times as long as wide. The ends of all lie on a line, up to this share of the length. There are so
# many at least, and the thickest is so many times as thick as the thinnest: ones are written with one pen.
_BAR, _BAR_ENDS, _FEWEST_BARS, _THICKER = 3, 0.02, 10, 1.5


def _pen_beside(part: Part, large: list[Part]) -> float:
    """The thickest pen of the large parts close by, 0 if there is none: a page's digits may differ in their pens."""
    return max((p.stroke for p in large if _gap([p], part) <= _CLOSE_BY * p.size), default=0.0)


def _at_rim(crumb: Group, parts: Parts) -> bool:
    """Whether small parts lie as near to the picture's rim as what is beyond the paper's edge."""
    height, width = parts.labels.shape
    near = _RIM * min(height, width)
    left, top, right, bottom = bounds(crumb)
    return bool(min(left, top, width - right, height - bottom) < near)


def _size(group: Group) -> int:
    return max(extent(group))


def _digit_size(group: Group, usual: float = 0.0) -> float:
    """The size of a group's digits: its longer side, but of a row that touches little more than its height.

    What is no larger than a `usual` digit is no such row.
    """
    width, height = extent(group)
    return min(max(width, height), max(_WIDEST * height, usual))


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


def _usual_size(some: Sequence[Group]) -> float:
    """The size of a usual digit: half of all ink length lies in groups whose digits are at least this large."""
    sizes = np.array([_digit_size(group) for group in some])
    order = np.argsort(sizes)
    weight = np.cumsum([float(_size(some[i])) for i in order])
    return float(sizes[order[np.searchsorted(weight, 0.5 * weight[-1])]])


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
    boxes = np.array([(p.x, p.y, p.right, p.bottom) for p in whole], float).reshape(-1, 4)
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
    if right - left > 1.25 * max(tall, a.width, b.width):  # of digits that touch, too, the top of one may be loose
        return False
    across = min(a.right, b.right) - max(a.x, b.x)
    along = min(a.bottom, b.bottom) - max(a.y, b.y)
    if across > 0.5 * min(a.width, b.width):
        return bottom - top < (1.35 if low < _PIECE * high else 1.2) * tall and along > -0.2 * tall
    if bottom - top > 1.25 * high or low > 0.85 * high or along < 0.5 * low:
        return False
    before, after = (a, b) if a.x + a.right < b.x + b.right else (b, a)
    open_four = before.height == low > _LEVEL * high and before.bottom < after.bottom - 0.2 * high
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
    gaps = [min(_gap(group, p) for p in crumb) / max(_digit_size(group, usual), _size(crumb)) for group in whole]
    best = whole[int(np.argmin(gaps))]
    width, height = extent(best + crumb)
    room = 1.3 * max(usual, _size(best))
    if min(gaps) > settings.join_gap * 1.5 or max(width, height) > room or _is_dash(crumb, best):
        return False
    if _size(crumb) >= settings.speck_size * _digit_size(best, usual):
        best += crumb
    return True


def _is_dash(crumb: Group, digit: Group) -> bool:
    """Whether small parts are a dash beside a digit: level, half-way up, and clear of its columns."""
    left, top, right, bottom = bounds(crumb)
    others_left, others_top, others_right, others_bottom = bounds(digit)
    height = others_bottom - others_top
    apart = max(left - others_right, others_left - right)
    off = abs((top + bottom) / 2 - (others_top + others_bottom) / 2)
    return right - left >= max(FLAT * (bottom - top), _DASH * height) and apart > 0 and off <= _HALF_WAY * height


# A dash is at least so long as a share of the digit beside it, and so far from half-way up at most.
_DASH, _HALF_WAY = 0.2, 0.2


# --- what reads better


def _rather_apart(groups: list[Group], sure: Sure) -> list[Group]:
    """The groups; of one that is no digit each part counts for itself, or the largest does, where what comes of it is.

    Then they only lay near.
    """
    tried = [g for g in groups if 1 < len(g) <= _MOST_APART]
    none = [g for g, one in zip(tried, sure(tried), strict=True) if one < NO_DIGIT]
    apart: list[Group] = []
    left = list(groups)
    for group in none:
        largest = max(group, key=lambda part: part.size)
        rest = [part for part in group if part is not largest]
        for pieces in ([[part] for part in group], [[largest], rest]):
            if min(sure(pieces)) > _SURE:
                left.remove(group)
                apart += pieces
                break
    return left + apart


def _rather_one(groups: list[Group], sure: Sure) -> list[Group]:
    """The groups, or all of them as one digit: where a faint pen left only pieces, they make no digits of their own."""
    if not 2 <= len(groups) <= _MOST_PIECES:
        return groups
    together = [part for group in groups for part in group]
    width, height = extent(together)
    if width > 1.2 * height or len(linked(groups, _PIECES_GAP * _size(together))) > 1:
        return groups
    one, *pieces = sure([together, *groups])
    return [together] if one > _SURE and np.mean(pieces) < one - _LESS_SURE else groups


def put_together(groups: list[Group], sure: Sure) -> list[Group]:
    """Make neighbouring groups one digit where that reads better, and several of one that is none.

    Parameters
    ----------
    groups
        As `gather` finds them.
    sure
        Says how sure it is of groups that each is a digit, in [0, 1].

    Returns
    -------
    list
        The groups, some of them joined or taken apart.
    """
    groups = _rather_one(_rather_apart(groups, sure), sure)
    usual = _usual_size(groups) if groups else 0.0
    best = _joined_in_pairs(groups, usual, sure)
    for larger in _LARGER:
        if _pairs(best, larger * usual) and on_average(best, sure) < _WELL_READ:
            other = _joined_in_pairs(groups, larger * usual, sure)
            best = other if on_average(other, sure) > on_average(best, sure) + _BETTER else best
    return best


# With more certainty than this all is well. Otherwise digits may be so many times as large as they seem, and what there
# is their pieces: if that makes for so much more certainty.
_WELL_READ, _LARGER, _BETTER = 0.97, (1.7, 2.9), 0.03


def _joined_in_pairs(groups: list[Group], usual: float, sure: Sure) -> list[Group]:
    """The groups, two of them made one digit as long as that reads better."""
    while pairs := _pairs(groups, usual):
        singles = list(map(evidence, sure([groups[i] for pair in pairs for i in pair])))
        most = [
            _one_by_shape(groups[i], groups[j], usual) - a - b
            for (i, j), a, b in zip(pairs, singles[::2], singles[1::2], strict=True)
        ]
        open_to_it = [n for n, gain in enumerate(most) if gain > 0]
        wholes = sure([groups[pairs[n][0]] + groups[pairs[n][1]] for n in open_to_it])
        gains = [most[n] + evidence(one) for n, one in zip(open_to_it, wholes, strict=True)]
        if max(gains, default=0.0) <= 0:
            break
        best = open_to_it[int(np.argmax(gains))]
        i, j = pairs[best]
        groups = [g for n, g in enumerate(groups) if n not in (i, j)] + [groups[i] + groups[j]]
    return groups


def _pairs(groups: list[Group], usual: float) -> list[tuple[int, int]]:
    """Which groups lie so that both may be parts of one digit."""
    boxes = np.array([bounds(g) for g in groups], float).reshape(-1, 4)
    low, high = boxes[:, None, :2], boxes[None, :, 2:]
    gap, beyond = box_gaps(boxes), low[..., 0] > high[..., 0]
    joint = np.maximum(boxes[:, None, 2:], high) - np.minimum(low, boxes[None, :, :2])
    tall = np.maximum(usual, np.maximum.outer(*(boxes[:, 3] - boxes[:, 1],) * 2))
    size = np.maximum.outer(*((boxes[:, 2:] - boxes[:, :2]).max(1),) * 2)
    bottom = np.where(boxes[:, None, 1] < boxes[None, :, 1], boxes[:, None, 3], boxes[None, :, 3])  # of the upper one
    is_top = bottom - np.minimum(boxes[:, None, 1], boxes[None, :, 1]) < _TOP * joint[..., 1]
    widest = np.where(is_top, _WIDEST_WITH_TOP, _WIDEST) * joint[..., 1]
    fits = (joint[..., 1] < _ROOM * tall) & (joint[..., 0] < widest) & (gap < _REACH * size)
    first, second = np.nonzero(np.triu(fits, 1))
    level = [all(p.width >= FLAT * p.height for p in g) for g in groups]
    return [
        (i, j)
        for i, j in zip(first.tolist(), second.tolist(), strict=True)
        if _one_by_shape(groups[i], groups[j], usual) > -_UNLIKELY
        # An equals sign beside a 1 looks like a 4.
        and not ((level[i] or level[j]) and (beyond[i, j] or beyond[j, i]) and not is_top[i, j])
    ]


def _one_by_shape(one: Group, other: Group, usual: float) -> float:
    """How far the places and sizes of two groups speak for one digit, in the unit of `evidence`."""
    a, b = bounds(one), bounds(other)
    narrow, low = (min(a[i + 2] - a[i], b[i + 2] - b[i]) for i in (0, 1))
    across = (min(a[2], b[2]) - max(a[0], b[0])) / max(narrow, 1)
    return (
        _SAME_COLUMNS * float(np.clip(across, -1, 1)) + _LITTLE * float(np.clip(2 - 2.5 * low / usual, -1, 1)) - _NEAR
    )

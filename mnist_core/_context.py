"""What stands beside a sign tells whether it is a digit: rows of digits, or a word in which some look like digits.

A sign is read if the log-odds of its being a digit are positive: a weighted sum of how sure the network is of it and of
what is around it. The weights are a logistic regression's, fitted by ``python -m bench.fit_context`` to written pages
with known answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, pairwise, product
from typing import Literal

import numpy as np

from mnist_core._gather import FLAT
from mnist_core._split import NO_DIGIT
from mnist_core._steps import Array, Box

# Neighbours further away than this many heights hardly count, and one's own row alone says little.
_REACH, _OWN_WEIGHT = 1.2, 0.25
# A plus is at most so high as a share of the digits beside it, and so far from half-way up; and a comma is so high.
# What shares more than this share of its columns with another sign is above or below it.
_LOW, _HALF_WAY, _COMMA, _ABOVE = 0.85, 0.15, 0.45, 0.5
# With less certainty than this all ten digits are as good as equally likely, as networks are taught of drawings that
# are none. Letters of a word are no further apart than so many heights, and no lower than this share of each other's: a
# dash or the loose top of a 5 is none.
_NOTHING, _IN_WORD, _LETTER = 0.12, 0.3, 0.5
# With less certainty than this a sign is crossed out or scribbled over, neither digit nor letter, if its strokes are so
# many times as long as its longer side: hardly any letter has as much ink. Nor is it wider than so many heights, as a
# word is.
_DOUBTFUL, _CROSSED, _WIDE = 0.5, 2.6, 1.6
# A date's strokes are at least so high as a share of its digits, the lower one of them and on average, and higher than
# its ones by this; they lean so much to the right, and both alike. Further apart than so many heights two signs belong
# to different numbers.
_STROKE_LOW, _STROKE_HIGH, _HIGHER, _LEANING, _ALIKE, _APART = 0.95, 1.05, 1.03, (0.2, 1.0), 1.5, 1.5
# A certainty further from 0 or 1 than this says no more; and how far, as log-odds, a neighbour is wholly certain.
_SUREST, _CERTAIN = 1e-4, 3.0

FEATURES = ("certainty", "neighbours", "misfit", "page", "alone", "cut", "nothing", "word")
"""What is known of each sign: the log-odds of its most probable digit; the mean of the neighbours' votes between -1 and
1, nearer ones counting more; how far its height is from that of the digits in its line, as the logarithm's absolute
value; the share of the page's other signs that are accepted; whether it has a line for itself; whether it was cut off
from another sign; whether all digits are as good as equally likely for it; whether that is so of another one of those
that it stands close together with, as in a word; not of one that stands as a plus does or is crossed out."""
# The weight of each, and the constant.
_WEIGHTS = np.array([0.38, 3.07, -3.62, 3.64, -0.40, -2.49, -1.63, -3.80])
_CONSTANT = -3.93


@dataclass(frozen=True)
class Sign:
    """A sign on a page.

    Parameters
    ----------
    box
        Where it is; None where that is not known: then only its being accepted counts.
    sure
        Probability of its most probable digit, in [0, 1].
    accepted
        Whether it counts as a digit on its own.
    cut
        Whether it was cut off from a sign that it touches: of a letter some pieces look like digits.
    digit
        Its most probable digit; None where that is not known.
    lean
        Columns to the right for each row upwards, if it is one straight stroke; else None.
    length
        Of all its strokes, in longer sides of its box; 0 where that is not known.
    """

    box: Box | None
    sure: float
    accepted: bool
    cut: bool = False
    digit: int | None = None
    lean: float | None = None
    length: float = 0.0


Lines = Sequence[Sequence[Sign]]
Verdict = Literal["digit", "sign", "stroke", "other"]
"""What a sign is: a digit to be read, a comma or a sign of a sum, a stroke of a date, or anything else."""


def verdicts(lines: Lines) -> tuple[tuple[Verdict, ...], ...]:
    """What each sign of a page is.

    Parameters
    ----------
    lines
        All signs, line by line.

    Returns
    -------
    tuple
        One answer a sign, line by line: among digits also what is less probable is one, among letters only what is far
        more so. A sign without a box, and the only sign of a page, is a digit if it is accepted.
    """
    placed = tuple(tuple(sign for sign in line if sign.box is not None) for line in lines)
    alone = sum(map(len, placed)) < 2
    signs, crossed = list(map(_punctuation, placed)), list(map(_crossed_out, placed))
    known = _known(placed, [one | other for one, other in zip(signs, crossed, strict=True)])
    kinds = np.where(known @ _WEIGHTS + _CONSTANT >= 0, "digit", "other").astype(object)
    for told, which in (("other", crossed), ("stroke", map(_strokes_of_dates, placed)), ("sign", signs)):
        kinds[np.concatenate([np.zeros(0, bool), *which])] = told
    given = iter(kinds.tolist())
    by_itself: tuple[Verdict, Verdict] = ("other", "digit")
    return tuple(
        tuple(by_itself[sign.accepted] if alone or sign.box is None else next(given) for sign in line) for line in lines
    )


def features(lines: Lines) -> Array:
    """What is known of each sign of a page, ``float64 (signs, 8)`` in the order of `FEATURES`; each has a box."""
    return _known(lines, [_punctuation(line) | _crossed_out(line) for line in lines])


def _known(lines: Lines, no_digits: Sequence[Array]) -> Array:
    """The same as `features`, knowing which signs of each line, ``bool (signs,)``, are certainly no digits."""
    every = [one for line, left_out in zip(lines, no_digits, strict=True) for one in compress(line, ~left_out)]
    accepted = sum(sign.accepted for sign in every)
    usual = _height(every) if every else 1.0
    rows: list[list[float]] = []
    for line, left_out in zip(lines, no_digits, strict=True):
        near = np.array(
            [[_nearness(_box(one), _box(other)) if one is not other else 0.0 for other in line] for one in line]
        ).reshape(len(line), len(line))
        near[:, left_out] = 0
        votes = np.array([np.clip(_log_odds(sign.sure) / _CERTAIN, -1, 1) for sign in line])
        nothing = np.array([sign.sure < _NOTHING for sign in line], bool)
        letter = nothing & ~left_out
        word, high, place = _words(line), np.array([_tall(sign) for sign in line]), np.arange(len(line))
        for i, sign in enumerate(line):
            digits = [other for other in line if other is not sign and other.accepted]
            rows.append(
                [
                    _log_odds(sign.sure),
                    float(near[i] @ votes) / (float(near[i].sum()) + _OWN_WEIGHT),
                    abs(math.log(_tall(sign) / (_height(digits) if digits else usual))),
                    (accepted - sign.accepted) / max(len(every) - 1, 1),
                    float(len(line) == 1),
                    float(sign.cut),
                    float(nothing[i]),
                    float(any(letter & (word == word[i]) & (high >= _LETTER * high[i]) & (place != i))),
                ]
            )
    return np.array(rows, float).reshape(-1, len(FEATURES))


def _punctuation(line: Sequence[Sign]) -> Array:
    """Which signs of a line, ``bool (signs,)``, are commas or a sum's signs: low, and with digits beside them.

    A comma stands on the line, whatever it looks like. A sum's sign looks like nothing and stands half-way up, where
    low letters do not; an equals sign may come as two signs, one above the other. Beside a level stroke there may be
    what is no digit, too.
    """
    found = np.zeros(len(line), bool)
    columns = _columns(line)
    for before, group, after in zip([[], *columns], columns, [*columns[1:], []], strict=False):
        boxes = [_box(line[i]) for i in group]
        sides = [[line[i] for i in side if line[i].sure >= NO_DIGIT] for side in (before, after)]
        beside = sides[0] + sides[1]
        if not beside:
            continue
        top, bottom = min(box.y for box in boxes), max(box.y + box.height for box in boxes)
        if bottom - top <= _COMMA * min(map(_tall, beside)) and top >= max(map(_middle, beside)):
            found[group] = True
            continue
        level = all(box.width >= FLAT * box.height for box in boxes)
        other_side = [side for side, digits in zip((before, after), sides, strict=True) if side and not digits]
        if (other_side and not level) or any(line[i].sure >= _NOTHING for i in group):
            continue
        high = max(map(_tall, beside))
        off = abs((top + bottom) / 2 - sum(map(_middle, beside)) / len(beside))
        found[group] = bottom - top <= _LOW * high and off <= _HALF_WAY * high
    return found


def _crossed_out(line: Sequence[Sign]) -> Array:
    """Which signs of a line, ``bool (signs,)``, somebody has crossed out or scribbled over."""
    return np.array(
        [sign.sure < _DOUBTFUL and sign.length > _CROSSED and _box(sign).width <= _WIDE * _tall(sign) for sign in line],
        bool,
    )


def _strokes_of_dates(line: Sequence[Sign]) -> Array:
    """Which signs of a line, ``bool (signs,)``, are the strokes of a date such as 24/12/2026.

    Alone, such a stroke is a 1 that leans. Here it is taken for one only if leaving out both makes a day, a month and a
    year of the number, and if the two are alike and stand out from its ones.
    """
    found = np.zeros(len(line), bool)
    for number in _numbers(line):
        for first, second in _DATE_STROKES.get(len(number), ()):
            if _is_date([line[i] for i in number], first, second):
                found[[number[first], number[second]]] = True
                break
    return found


def _numbers(line: Sequence[Sign]) -> list[list[int]]:
    """The places of a line's signs, from left to right, in runs of digits that stand close together."""
    numbers: list[list[int]] = [[]]
    for i in _from_left(line):
        sign, before = line[i], numbers[-1]
        if sign.digit is None or sign.sure < NO_DIGIT:
            numbers.append([])
        elif before and _gap(_box(line[before[-1]]), _box(sign)) > _APART * _tall(sign):
            numbers.append([i])
        else:
            before.append(i)
    return numbers


# How many digits the parts of a date have, day or month first or the year.
_DATES = (*product((1, 2), (1, 2), (2, 4)), *product((4,), (1, 2), (1, 2)))
# Where the strokes of dates may be, by the number of signs.
_DATE_STROKES = {
    length: [(one, one + two + 1) for one, two, three in _DATES if one + two + three + 2 == length]
    for length in range(6, 11)
}


def _is_date(number: Sequence[Sign], first: int, second: int) -> bool:
    """Whether a number is a date if the signs at two places are its strokes."""
    strokes = [number[first], number[second]]
    parts = number[:first], number[first + 1 : second], number[second + 1 :]
    digits = [sign for part in parts for sign in part]
    lean = [sign.lean or 0.0 for sign in strokes]
    high, usual = [_tall(sign) for sign in strokes], float(np.median([_tall(sign) for sign in digits]))
    ones = [_tall(sign) for sign in digits if sign.digit == 1]
    return (
        all(sign.digit == 1 for sign in strokes)
        and min(high) >= _STROKE_LOW * usual
        and sum(high) / 2 >= max(_STROKE_HIGH * usual, _HIGHER * float(np.mean(ones or [0.0])))
        and _LEANING[0] <= min(lean) <= max(lean) <= _LEANING[1]
        and max(lean) <= _ALIKE * min(lean)
        and _is_day_and_month(*("".join(str(sign.digit) for sign in part) for part in parts))
    )


def _is_day_and_month(first: str, middle: str, last: str) -> bool:
    """Whether a day, a month and a year come in one of the orders that people write them in."""
    if len(first) == 4:
        return 1 <= int(middle) <= 12 and 1 <= int(last) <= 31
    low, high = sorted((int(first), int(middle)))
    return 1 <= low <= 12 and high <= 31


def _columns(line: Sequence[Sign]) -> list[list[int]]:
    """The places of a line's signs, from left to right; those that stand above each other together."""
    columns: list[list[int]] = []
    for i in _from_left(line):
        if columns and -_gap(_box(line[columns[-1][0]]), _box(line[i])) > _ABOVE * _box(line[i]).width:
            columns[-1].append(i)
        else:
            columns.append([i])
    return columns


def _middle(sign: Sign) -> float:
    return _box(sign).y + _tall(sign) / 2


def _from_left(line: Sequence[Sign]) -> list[int]:
    """The places of a line's signs, from left to right."""
    return sorted(range(len(line)), key=lambda i: _box(line[i]).x)


def _words(line: Sequence[Sign]) -> Array:
    """The number of the word, ``int (signs,)``, that each sign of a line would belong to if they were letters."""
    words = np.zeros(len(line), int)
    order = _from_left(line)
    for before, i in pairwise(order):
        one, other = _box(line[before]), _box(line[i])
        words[i] = words[before] + (_gap(one, other) > _IN_WORD * max(one.height, other.height))
    return words


def _height(signs: Sequence[Sign]) -> float:
    """The usual height of the accepted ones, or of all if none is."""
    return float(np.median([_tall(s) for s in signs if s.accepted] or [_tall(s) for s in signs]))


def _tall(sign: Sign) -> float:
    return float(max(_box(sign).height, 1))


def _box(sign: Sign) -> Box:
    assert sign.box is not None
    return sign.box


def _gap(one: Box, other: Box) -> int:
    return max(one.x, other.x) - min(one.x + one.width, other.x + other.width)


def _nearness(one: Box, other: Box) -> float:
    """How much a neighbour counts, from 1 if it touches down to 0."""
    return math.exp(-max(_gap(one, other), 0) / (_REACH * max(one.height, other.height)))


def _log_odds(p: float) -> float:
    p = min(max(p, _SUREST), 1 - _SUREST)
    return math.log(p / (1 - p))

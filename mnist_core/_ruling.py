"""Printed lines and squares: found as straight lines across the picture, and taken away except under the pen."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mnist_core._steps import Array, UInt8

# Lines are looked for on a copy of at most this side.
_SIDE = 320
# Steepest ruling, as rise per run: paper is seldom turned further in a picture.
_STEEPEST = 0.16
# Share of the columns that a line has to cross in ink. Rows of digits have gaps between them; ruling has none.
_COVERED = 0.62
# Of squared paper so much of the copy is lines at most.
_DENSEST = 0.55
# Lines nearer to each other than this share of the picture's side are one line.
_APART = 0.02
_MOST_LINES = 80
# Fewer level lines may be the strokes of one large digit; and printed lines are thin, as a share of the picture's side.
_FEWEST_LINES = 3
_THICKEST = 0.008
FAINT_SHARE = 0.67
"""Printed lines are looked for in ink that is this share as strong as ink has to be: they are fainter than pens."""
# Share of its length that a box's line is there: that of a digit ends before the next one begins.
_WHOLE = 0.85
# It is there where it has this share of its usual strength at least.
_WEAK = 0.5
# A pen's ink is so many times as strong as the line usually is in its middle.
_STRONGER = 1.4
# Of paper's margin line so much is there: no stroke is as long as that.
_MARGIN = 0.88
# A box that is so much longer than wide has several cells. A side of one cell is no further than that from its edge,
# and lines are so far apart, as shares of it.
_CELLS, _RIM, _LANE = 1.4, 0.06, 0.15
# What is much less high than wide is made so high, as a share of its width, before lines are looked for in it.
_LOWEST = 0.15
# A table has so many lines each way, and one more in one of them; they are so far apart at least, as a share of its
# shorter side.
_FEWEST_IN_TABLE, _COLUMN = 3, 0.05


def remove_ruling(
    strength: UInt8, mask: UInt8, level: float, sheet: tuple[slice, slice] | None = None
) -> tuple[UInt8, UInt8, int]:
    """Take printed lines away.

    Parameters
    ----------
    strength, mask
        The ink's strength and where there is ink, ``uint8 (h, w)``.
    level
        The least strength that counted as ink, 0 to 255; `FAINT_SHARE` of that counts for finding lines.
    sheet
        The rows and columns of the paper, if it is not all of the picture: the lines go from end to end there.

    Returns
    -------
    strength, mask, lines
        Copies without the lines, and how many there were; the originals if there is no ruling.

    Notes
    -----
    Removing a line only where the run of ink across it is no longer than the line is thick is the oldest way to remove
    staff lines from scores (Dalitz et al., "A comparative study of staff removal algorithms", PAMI 2008).
    """
    if sheet is not None:
        inner, left, total = remove_ruling(strength[sheet], mask[sheet], level)
        if total:
            strength, mask = strength.copy(), mask.copy()
            strength[sheet], mask[sheet] = inner, left
        return strength, mask, total
    _, weak = cv2.threshold(strength, FAINT_SHARE * level, 255, cv2.THRESH_BINARY)
    views = (strength, mask, weak), (strength.T, mask.T, weak.T)
    found = [_thin_lines(*view) for view in views]
    if max(map(len, found)) < _FEWEST_LINES:
        return strength, mask, 0
    strength, mask, total = strength.copy(), mask.copy(), 0
    for turned, (lines, others, seen) in enumerate(zip(found, found[::-1], views, strict=True)):
        within = slice(None)
        if len(lines) < _FEWEST_LINES:
            # What goes from the first of the other lines to the last one is a table's; and one may be the margin's.
            spanned = _spanned(others)
            columns = _thin_lines(*(one[:, spanned] for one in seen))
            columns = [column for column in columns if column.share_of(seen[0][:, spanned]) >= _WHOLE]
            if len(columns) >= _FEWEST_LINES:
                lines, within = columns, spanned
            else:
                lines = [line for line in lines if line.share_of(seen[0]) >= _MARGIN]
        rest = (strength.T, mask.T) if turned else (strength, mask)
        for line in lines:
            _erase(rest[0][:, within], rest[1][:, within], line)
        total += len(lines)
    return strength, mask, total


def _thin_lines(strength: UInt8, mask: UInt8, weak: UInt8) -> "list[_Crossing]":
    """The level lines right across a picture that are as thin as printed ones."""
    crossings = [_crossing(strength, weak, *line) for line in _find_lines(weak)]
    return [c for c in crossings if c.usual_thick <= _THICKEST * max(mask.shape)]


def _spanned(lines: "list[_Crossing]") -> slice:
    """The rows from the first line to the last one."""
    rows = np.concatenate([line.straight for line in lines])
    return slice(max(0, int(rows.min())), int(rows.max()) + 1)


def erase_box(strength: UInt8, mask: UInt8) -> tuple[Array, float] | None:
    """Erase the straight lines of a box, of several side by side or of a table, that what is written in them touches.

    Parameters
    ----------
    strength, mask
        The ink's strength and where there is ink, ``uint8 (h, w)``, cut out along the box: changed in place.

    Returns
    -------
    near, cell
        ``bool (h, w)``: where lines were, and what is so near to them that it may be left of one that is not quite
        straight; and the shortest way from a line to the next. None, with nothing changed, if this is no box: there are
        not two lines each way from end to end.
    """
    views = (strength, mask), (strength.T, mask.T)
    whole = [_whole_lines(*view) for view in views]
    fewest, most = sorted(map(len, whole))
    if fewest < _FEWEST_IN_TABLE or most <= _FEWEST_IN_TABLE:
        whole = [_sides(lines, view[1].shape) for lines, view in zip(whole, views, strict=True)]
    if any(len(lines) < 2 for lines in whole):
        return None
    cell = min(float(np.diff(sorted(line.middle for line in lines)).min()) for lines in whole)
    near, band = np.zeros(mask.shape, bool), max(2, round(_RIM * cell))
    for lines, view, along in zip(whole, views, (near, near.T), strict=True):
        for line in lines:
            _erase(*view, line)
            rows = np.arange(len(along))[:, None]
            along |= abs(rows - np.rint(line.straight)) <= band
    return near, cell


def erase_underlining(strength: UInt8, mask: UInt8) -> Array | None:
    """Erase a straight line that runs from end to end under what is written on it.

    Parameters
    ----------
    strength, mask
        The ink's strength and where there is ink, ``uint8 (h, w)``, cut out along the writing and the line: changed in
        place.

    Returns
    -------
    ndarray
        ``bool (h, w)``: where the line was, and what is so near to it that it may be left of one that is not quite
        straight. None, with nothing changed, if there is none in the lower half.
    """
    high, wide = mask.shape
    above = ((max(0, round(_LOWEST * wide) - high), 0), (0, 0))  # lines are not looked for in a strip
    lines = _whole_lines(np.pad(strength, above), np.pad(mask, above))
    under = [line for line in lines if line.middle - above[0][0] > high / 2]
    if not under:
        return None
    line = max(under, key=lambda one: one.middle)
    line = replace(line, rows=line.rows - above[0][0], straight=line.straight - above[0][0])
    _erase(strength, mask, line)
    return np.asarray(abs(np.arange(high)[:, None] - np.rint(line.straight)) <= 1.5 * line.usual_thick)


def _whole_lines(strength: UInt8, mask: UInt8) -> "list[_Crossing]":
    """The level lines of a box or table that go from end to end, the clearest first."""
    lines: list[_Crossing] = []
    for place in _find_lines(np.ascontiguousarray(mask)):
        line = _followed(strength, mask, *place)
        apart = all(abs(line.middle - other.middle) > _COLUMN * min(mask.shape) for other in lines)
        if apart and line.share_of(strength) >= _WHOLE:
            lines.append(line)
    return lines


def _sides(whole: "list[_Crossing]", shape: tuple[int, ...]) -> "list[_Crossing]":
    """Of the lines from end to end those of a box, or of a row of boxes; none if there are fewer than its two sides."""
    high, wide = shape
    near = 2 * _RIM * high if high < _CELLS * wide else high  # of one cell only the sides, no tall stroke in it
    lines: list[_Crossing] = []
    for line in whole:
        alone = all(abs(line.middle - other.middle) > _LANE * min(high, wide) for other in lines)
        if alone and min(line.middle, high - 1 - line.middle) <= near:
            lines.append(line)
    enough = len(lines) > 1 and np.ptp([line.middle for line in lines]) >= high / 2
    return lines if enough else []


def _find_lines(mask: UInt8) -> list[tuple[float, float]]:
    """Nearly level lines right across: height in the middle column, and rise per column."""
    height, width = mask.shape
    if not (mask[:, : width // 20 + 1].any() and mask[:, -(width // 20) - 1 :].any()):
        return []
    factor = max(1.0, max(height, width) / _SIDE)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    small = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    y, x = np.nonzero(small > 255 / (2 * factor))
    if len(y) < size[0] or min(size) < 32 or len(y) > _DENSEST * small.size:
        return []
    rim = max(2, size[0] // 20)  # ruling comes in on one side and leaves on the other: drawings seldom do
    if np.count_nonzero(x < rim) < rim or np.count_nonzero(x >= size[0] - rim) < rim:
        return []
    x = x - size[0] / 2
    slopes = np.linspace(-_STEEPEST, _STEEPEST, 2 * int(_STEEPEST * size[0] / 2) + 1)
    margin = int(_STEEPEST * size[0] / 2) + 2
    votes = np.stack(
        [np.bincount((y - s * x + margin).astype(np.int64), minlength=size[1] + 2 * margin) for s in slopes]
    ).astype(np.float32)
    votes = votes[:, 1:] + votes[:, :-1]
    found = []
    apart = max(2, round(_APART * max(size)))
    for _ in range(_MOST_LINES):
        i, row = np.unravel_index(int(votes.argmax()), votes.shape)
        if votes[i, row] < _COVERED * size[0]:
            break
        votes[:, max(0, row - apart) : row + apart + 1] = 0
        middle, slope = float(row) + 1 - margin, float(slopes[i])
        if _covers(small, middle, slope):
            found.append((middle * height / size[1], slope * (height / size[1]) / (width / size[0])))
    return found


def _covers(small: UInt8, middle: float, slope: float) -> bool:
    """Whether enough columns have ink on this line."""
    height, width = small.shape
    columns = np.arange(width)
    rows = np.rint(middle + slope * (columns - width / 2)).astype(np.int64)
    band = np.stack([small[np.clip(rows + d, 0, height - 1), columns] for d in (-1, 0, 1)])
    return float((band.max(0) > 0).mean()) > _COVERED


@dataclass(frozen=True, eq=False)
class _Crossing:
    """One line, column by column: its row, the run of ink through it, and how strong and thick it usually is.

    `straight` is the row that the line would have if it were quite straight.
    """

    rows: Array
    hit: Array
    up: Array
    down: Array
    usual_thick: float
    usual_level: float
    straight: Array

    @property
    def middle(self) -> float:
        """Its row half-way."""
        return float(np.median(self.rows))

    def share_of(self, strength: UInt8) -> float:
        """The share of its columns in which it is there; beside strong ink a weak line does not count as ink itself."""
        columns, found = np.arange(len(self.hit)), np.flatnonzero(self.hit)
        if not len(found):
            return 0.0
        rows = np.rint(np.interp(columns, found, self.rows[found])).astype(np.int64)
        near = np.clip(rows + np.array([[-1], [0], [1]]), 0, strength.shape[0] - 1)
        weak = strength[near, columns].max(0) >= _WEAK * self.usual_level
        return float((self.hit | weak).mean())


def _followed(strength: UInt8, weak: UInt8, middle: float, slope: float) -> _Crossing:
    """The same, along the line through the middle of the ink that the first try has found: it ends where that ends."""
    first = _crossing(strength, weak, middle, slope)
    plain = first.hit & (first.up + first.down + 1 <= 1.5 * first.usual_thick)
    if np.count_nonzero(plain) < 2:
        return first
    columns = np.flatnonzero(plain)
    rows = first.rows[plain] + (first.down - first.up)[plain] / 2
    slope, middle = np.polyfit(columns - weak.shape[1] / 2, rows, 1)
    return _crossing(strength, weak, float(middle), float(slope))


def _crossing(strength: UInt8, weak: UInt8, middle: float, slope: float) -> _Crossing:
    """Follow one line through the picture."""
    height, width = weak.shape
    reach = max(4, round(max(height, width) / 160))
    columns = np.arange(width)
    path = np.rint(middle + slope * (columns - width / 2)).astype(np.int64)
    offsets = np.arange(-3 * reach, 3 * reach + 1)
    at = path + offsets[:, None]
    ink = (weak[np.clip(at, 0, height - 1), columns] > 0) & (at >= 0) & (at < height)
    away = np.where(ink, np.abs(offsets)[:, None], 99)
    start = away.argmin(0)
    hit = away.min(0) <= reach
    up, down = _runs(ink, start, -1), _runs(ink, start, 1)
    rows = np.clip(path + start - 3 * reach, 0, height - 1)
    if not hit.any():
        return _Crossing(rows, hit, up, down, np.inf, 0.0, path)
    usual_thick, usual_level = float(np.median((up + down + 1)[hit])), float(np.median(strength[rows, columns][hit]))
    return _Crossing(rows, hit, up, down, usual_thick, usual_level, path)


def _erase(strength: UInt8, mask: UInt8, line: _Crossing) -> None:
    """Erase one line in place, except where a stroke crosses it or lies on it: there it is thicker or stronger."""
    thick = line.up + line.down + 1
    erased = line.hit & (thick <= 1.7 * line.usual_thick + 1)
    columns = np.arange(len(thick))
    reach = int(thick[erased].max(initial=0)) + 1
    runs = []
    for d in range(-reach, reach + 1):
        inside = erased & (d >= -line.up - 1) & (d <= line.down + 1)
        runs.append((np.clip(line.rows + d, 0, mask.shape[0] - 1)[inside], columns[inside]))
    core = np.zeros(len(thick), strength.dtype)
    for at, across in runs:
        core[across] = np.maximum(core[across], strength[at, across])
    strongest = _STRONGER * float(np.median(core[erased])) + 10 if erased.any() else 0.0
    for at, across in runs:
        weak = strength[at, across] <= strongest
        mask[at[weak], across[weak]] = 0
        strength[at[weak], across[weak]] = 0


def _runs(ink: Array, start: Array, direction: int) -> Array:
    """How many pixels of ink follow each column's start without a gap, upwards (-1) or downwards (1)."""
    columns = np.arange(ink.shape[1])
    going, length = np.ones(len(columns), bool), np.zeros(len(columns), np.int64)
    for step in range(1, ink.shape[0]):
        at = start + direction * step
        going &= (at >= 0) & (at < ink.shape[0]) & ink[np.clip(at, 0, ink.shape[0] - 1), columns]
        if not going.any():
            break
        length += going
    return length

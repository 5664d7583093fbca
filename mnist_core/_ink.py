"""From a grey picture to ink: working size, polarity, light evened out, threshold.

Everything coarse (light, polarity) is measured on a small copy, so that its cost does not grow with the picture.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np

from mnist_core._normalise import pen_width
from mnist_core._ruling import FAINT_SHARE, remove_ruling
from mnist_core._steps import SHOWN_SIDE, Array, Settings, Step, UInt8, quantile

# Longest side of the small copy that light and polarity are measured on.
COARSE_SIDE = 160
# Smaller pictures are enlarged to about this side first: with strokes two pixels wide nothing can be measured.
SMALLEST_SIDE = 168
# A picture lower or narrower than this many pixels cannot hold a digit.
FEWEST_PIXELS = 5
# Added to all brightness before dividing by the paper's: what is nearly black is mostly noise.
_LIFT = 16
# Shares of the shorter side that are tried as the widest possible stroke.
_WINDOWS = (0.035, 0.07, 0.16, 0.34)
# A window is wide enough if this share of the strong ink's pixels keeps this share of the strength that it has with the
# widest. Where strokes cross, they are wider than elsewhere; and along a shadow's edge ink seems stronger than it is as
# long as the shadow is taken for ink too.
_KEPT, _NEARLY = 0.99, 0.6
# Ink has to reach this share of the strongest ink around it.
_LOCAL_SHARE = 0.28
# Weakest ink that is believed even on paper without any noise: JPEG and screens leave traces of up to this.
_FAINTEST = 0.05


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink of a picture.

    Parameters
    ----------
    strength
        ``uint8 (h, w)``: 0 is paper, 255 perfectly black ink on perfectly white paper.
    mask
        ``uint8 (h, w)``, 255 where there is ink.
    scale
        Pixels of this picture per pixel of the picture that was given.
    noise
        Standard deviation of the paper, in units of strength (0 to 255).
    level
        The least strength that counted as ink anywhere, 0 to 255.
    dark
        Whether the ink is darker than the paper.
    tell
        Makes the stages so far, to be shown.
    brightness
        ``uint8 (h, w)``: the working picture before the light was evened out, turned so that ink is dark; None where
        the ground has exactly one brightness.
    """

    strength: UInt8
    mask: UInt8
    scale: float
    noise: float
    level: float
    dark: bool
    tell: Callable[[], tuple[Step, ...]]
    brightness: UInt8 | None = None

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The stages so far: made when somebody asks for them, which nobody does who reads a folder of pictures."""
        return self.tell()

    @property
    def weak(self) -> UInt8:
        """The mask, and faint ink that strong strokes beside it keep out of that: some of it is the paper's noise."""
        faint = cv2.compare(self.strength, FAINT_SHARE * self.level, cv2.CMP_GE)
        return np.asarray(cv2.max(self.mask, faint), np.uint8)

    def within(self, window: tuple[slice, slice]) -> "Ink":
        """Return the ink of a window of the picture alone."""
        brightness = None if self.brightness is None else self.brightness[window]
        return replace(self, strength=self.strength[window], mask=self.mask[window], brightness=brightness)


def find_ink(grey: UInt8, settings: Settings, longest: int) -> Ink:
    """Find the ink of a picture.

    Parameters
    ----------
    grey
        ``uint8 (H, W)``.
    settings
        Switches and numbers.
    longest
        The working picture is reduced to this longest side, in pixels.

    Returns
    -------
    Ink
    """
    whole, scale = _working_size(grey, longest)
    if min(whole.shape) < FEWEST_PIXELS:
        nothing = np.zeros(whole.shape, np.uint8)
        return Ink(nothing, nothing, scale, 0.0, 0.0, True, lambda: (_grey_step(grey, whole, scale),))
    work = whole
    measured = settings.flatten_light and not settings.light_window and settings.polarity == "auto"
    ground = _even_ground(grey) if measured else None
    if ground is not None:
        polarity, window = ground, 0
        strength, paper = _strength_on_even_ground(work, int(grey[0, 0]), ground.dark)
        noise, lifted = 0.0, None
    else:
        polarity = _decide_polarity(work, settings)
        if polarity.outside is not None:
            work = _without_frame(work, polarity.outside)
        lifted = _lift(work if polarity.dark else np.asarray(cv2.bitwise_not(work), np.uint8))
        paper, window = _paper(lifted, settings)
        strength, noise = _strength(lifted, paper, max(1, round(scale)))
    dark, before = polarity.dark, strength
    mask, level = _threshold(strength, noise, paper, settings)
    lines = 0
    if settings.remove_ruling and scale <= 1:
        sheet = None if polarity.outside is None else _around_sheet(work.shape, polarity.outside)
        strength, mask, lines = remove_ruling(strength, mask, level, sheet)

    def told() -> tuple[Step, ...]:
        even = np.asarray(cv2.bitwise_not(before), np.uint8) if dark else before
        return (
            _grey_step(grey, whole, scale),
            _light_step(even, settings, paper, window, polarity),
            _polarity_step(before, settings, polarity, written=bool(np.any(mask))),
            _threshold_step(mask, level, noise, lines, settings),
        )

    return Ink(strength, mask, scale, noise, level, dark, told, lifted)


def shown(image: UInt8) -> UInt8:
    """Return the image, reduced if it is larger than steps show."""
    side = max(image.shape)
    if side <= SHOWN_SIDE:
        return image
    size = [max(1, round(n * SHOWN_SIDE / side)) for n in image.shape]
    return np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)


def resized(image: UInt8, height: int, width: int) -> UInt8:
    """Return the image in this size: area means when it shrinks, cubic when it grows."""
    shrinks = height * width < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def _working_size(grey: UInt8, longest: int) -> tuple[UInt8, float]:
    grey = np.ascontiguousarray(grey)
    side = max(grey.shape)
    if min(grey.shape) < FEWEST_PIXELS:
        return (resized(grey, 1, 1), 1 / side) if side > longest else (grey, 1.0)
    if side > longest:
        scale = longest / side
        return resized(grey, *(max(1, round(n * scale)) for n in grey.shape)), scale
    if side < SMALLEST_SIDE * 2 // 3:
        factor = -(-SMALLEST_SIDE // side)
        return resized(grey, grey.shape[0] * factor, grey.shape[1] * factor), float(factor)
    return grey, 1.0


def _lift(image: UInt8) -> UInt8:
    return np.asarray(cv2.convertScaleAbs(image, alpha=(255 - _LIFT) / 255, beta=_LIFT), np.uint8)


def _coarse(image: UInt8, side: int = COARSE_SIDE) -> UInt8:
    height, width = _coarse_shape(image.shape, side)
    if (height, width) == image.shape:
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _coarse_shape(shape: tuple[int, ...], side: int = COARSE_SIDE) -> tuple[int, int]:
    longest = max(side, *shape)
    step = -(-longest // side)
    if longest <= 2 * side and all(n % step == 0 for n in shape):  # whole blocks are averaged many times faster
        return shape[0] // step, shape[1] // step
    height, width = (max(1, round(n * side / longest)) for n in shape)
    return height, width


def _odd(pixels: float) -> int:
    return max(3, int(pixels) // 2 * 2 + 1)


def _square(side: int) -> UInt8:
    return np.ones((side, side), np.uint8)


# --- polarity


@dataclass(frozen=True, eq=False)
class _Polarity:
    """Whether the ink is dark, and why: the strokes' evidence in [-1, 1], and the share of the rim that is light.

    `outside` is a mask at coarse size of what lies around the paper, if the paper ends within the picture on all sides.
    `even` says that the ground has one brightness everywhere.
    """

    dark: bool
    evidence: float
    rim: float
    outside: UInt8 | None = None
    even: bool = False


def _even_ground(grey: UInt8) -> _Polarity | None:
    """What the ink is on a ground that has exactly one brightness, as on a canvas or a screen; None on any other.

    There is no light to be evened out there and no noise to be told from ink, which is most of the work. The ground has
    the corner's brightness, and so have nearly all of the rim and at least half of the picture. What differs from it is
    darker everywhere or lighter everywhere, and has nowhere a place as wide as a sheet of paper has.
    """
    ground = int(grey[0, 0])
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.count_nonzero(rim != ground) > _EVEN_RIM * len(rim):
        return None
    count = cv2.countNonZero(cv2.compare(grey, float(ground), cv2.CMP_NE))
    lighter = cv2.countNonZero(cv2.compare(grey, float(ground), cv2.CMP_GT))
    if not 0 < count < _EVEN_INK * grey.size or min(lighter, count - lighter) > _EVEN_STRAY * count:
        return None
    contrast = np.asarray(cv2.absdiff(grey, np.array([ground], np.float64)), np.uint8)
    strong = np.asarray(cv2.compare(contrast, cv2.minMaxLoc(contrast)[1] / 2, cv2.CMP_GT), np.uint8)
    step = -(-max(strong.shape) // _EVEN_SIDE)
    strong = np.ascontiguousarray(strong[::step, ::step])
    longer = max(cv2.boundingRect(strong)[2:])
    widest = 2 * cv2.minMaxLoc(cv2.distanceTransform(strong, cv2.DIST_L2, 3))[1]
    if widest > _EVEN_PEN * longer and (widest > _EVEN_HEAVY * longer or _fills_rectangle(strong)):
        return None
    dark = lighter < count / 2
    return _Polarity(dark, 1.0 if dark else -1.0, float(np.mean(rim > 127)), even=True)


# This share of the rim and of the picture may be ink; of the ink this share may differ from the ground in the other
# direction, as the traces of sharpening do; and it is so wide at most, as a share of the longer side of its box, or so
# wide if it fills less than the last share of a rectangle around it: a sheet of paper fills more. How wide it is, is
# measured on a copy of at most this side.
_EVEN_RIM, _EVEN_INK, _EVEN_STRAY, _EVEN_PEN, _EVEN_HEAVY, _EVEN_FULL = 0.1, 0.5, 0.02, 0.3, 0.42, 0.74
_EVEN_SIDE = 84


def _fills_rectangle(mask: UInt8) -> bool:
    """Whether a mask fills the rectangle around it, turned as it may be."""
    width, height = cv2.minAreaRect(cv2.findNonZero(mask))[1]
    return bool(cv2.countNonZero(mask) > _EVEN_FULL * (width + 1) * (height + 1))


def _strength_on_even_ground(work: UInt8, ground: int, dark: bool) -> tuple[UInt8, UInt8]:
    """The ink's strength as `_strength` gives it, and the ground's brightness as an image of one pixel."""
    table, paper = _strengths(ground, dark)
    return np.asarray(cv2.LUT(work, table), np.uint8), paper


@lru_cache(maxsize=512)
def _strengths(ground: int, dark: bool) -> tuple[UInt8, UInt8]:
    """The strength of each of the 256 brightnesses on a ground of this one."""
    levels = np.arange(256, dtype=np.uint8)
    lifted = _lift(levels if dark else 255 - levels).ravel()
    table = np.rint(np.clip(255 - 255 * lifted.astype(np.float32) / lifted[ground], 0, 255)).astype(np.uint8)
    paper = lifted[ground].reshape(1, 1)
    for shared in (table, paper):
        shared.setflags(write=False)
    return table, paper


def _decide_polarity(work: UInt8, settings: Settings) -> _Polarity:
    """Decide by the strokes, and by the rim where they are so heavy that this is open: the rim is rarely ink.

    A dark or light frame all round is told apart first, by the paper within it being wide.
    """
    small = _coarse(work, 96)
    split, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    rim = float(np.mean(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]) > split))
    outside = _frame(small, split, light=rim > 0.5)
    evidence = _stroke_evidence(small if outside is None else _sheet(work, outside))
    if settings.polarity != "auto":
        return _Polarity(settings.polarity == "dark", evidence, rim, outside)
    vote = 0.0 if outside is not None else 2 * rim - 1
    return _Polarity(evidence + 0.5 * vote >= 0, evidence, rim, outside)


def _stroke_evidence(small: UInt8) -> float:
    """Whether what is narrow is dark (1) or light (-1).

    Strokes are narrow (a closing or opening removes them) and differ from what most of their surroundings look like
    (the median). Loops are narrow too, but look like the surroundings; a page's edge differs, but is not narrow.
    """
    median = cv2.medianBlur(small, min(_odd(min(small.shape) * 0.5), 127))
    usual = np.full_like(small, int(quantile(small, 0.5)))
    window = _square(_odd(min(small.shape) * 0.3))
    # Beside a dark table the paper is lighter than its surroundings; but not lighter than most of the picture.
    below = cv2.min(cv2.subtract(median, small), cv2.subtract(usual, small))
    above = cv2.min(cv2.subtract(small, median), cv2.subtract(small, usual))
    dark = cv2.min(cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, window), below)
    light = cv2.min(cv2.morphologyEx(small, cv2.MORPH_TOPHAT, window), above)
    floor = 3 * quantile(np.asarray(cv2.absdiff(small, median), np.uint8), 0.5) + 4
    darkness, lightness = (float(np.square(np.maximum(m - floor, 0.0)).sum()) for m in (dark, light))
    return (darkness - lightness) / (darkness + lightness + 1e-6)


def _frame(small: UInt8, split: float, light: bool) -> UInt8 | None:
    """A mask of what surrounds the paper, or None if the paper goes to the rim somewhere.

    What is connected with nearly all of the rim and as bright as it is either the paper around a digit, or a frame or a
    table around the paper: paper is as good as rectangular and has a wide empty place; a digit is neither.
    """
    around = np.asarray(cv2.compare(small, split, cv2.CMP_GT if light else cv2.CMP_LE), np.uint8)
    edge = np.concatenate([around[0], around[-1], around[:, 0], around[:, -1]])
    if np.mean(edge > 0) < _FRAME_RIM:
        return None
    joined = cv2.copyMakeBorder(around, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(joined, None, (0, 0), 128)
    outside = np.asarray(cv2.inRange(joined, 128, 128)[1:-1, 1:-1], np.uint8)
    inside = cv2.bitwise_not(outside)
    if not inside.any():
        return None
    paper = cv2.bitwise_and(inside, cv2.bitwise_not(around))
    (width, height), area = cv2.minAreaRect(cv2.findNonZero(inside))[1], np.count_nonzero(inside)
    full = area > _FRAME_FULL * (width + 1) * (height + 1) or _has_four_corners(inside)
    # Thin writing is but a little darker than its paper here: so narrow that a closing loses it, or an opening.
    detail = cv2.morphologyEx(small, cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT, _square(9))
    contrast = abs(float(np.median(small[inside > 0])) - float(np.median(small[outside > 0])))
    thin = cv2.bitwise_and(
        cv2.erode(inside, _square(5)), np.asarray(cv2.compare(detail, _FRAME_DETAIL * contrast, cv2.CMP_GT))
    )
    writing = cv2.bitwise_or(cv2.bitwise_and(inside, around), thin)
    signs = cv2.connectedComponents(writing, connectivity=8)[0] - 1
    written = np.count_nonzero(writing) / area
    side = min(width, height) / min(small.shape)
    enough = side > (_FRAME_LEAST if written > _FRAME_WRITTEN else _FRAME_INSIDE)
    wide = float(cv2.distanceTransform(paper, cv2.DIST_L2, 3).max()) > _FRAME_WIDE * min(width, height)
    many = signs >= _FRAME_SIGNS and written < 0.5
    beyond = np.asarray(cv2.dilate(outside, _square(3)), np.uint8)
    return beyond if enough and full and (wide or many) and not beyond.all() else None


# A frame holds this share of the rim. The paper in it fills the rectangle around it to this share, and has an empty
# place of this radius, as a share of its own shorter side, or so many signs on it, more than a digit has loops. It has
# one share of the picture's side, or the lesser one if this share of it is written on: what is narrow there and differs
# from it by this share of how the frame does.
_FRAME_RIM, _FRAME_FULL, _FRAME_WIDE, _FRAME_SIGNS = 0.9, 0.8, 0.18, 3
_FRAME_INSIDE, _FRAME_LEAST, _FRAME_WRITTEN, _FRAME_DETAIL = 0.6, 0.2, 0.005, 0.15


def _has_four_corners(mask: UInt8) -> bool:
    """Whether a mask is a quadrilateral, as a sheet of paper is that is seen from the side."""
    hull = cv2.convexHull(cv2.findNonZero(mask))
    corners = cv2.approxPolyDP(hull, _FRAME_CORNER * cv2.arcLength(hull, closed=True), closed=True)
    whole = float(cv2.contourArea(hull))
    return bool(
        len(corners) == 4
        and cv2.contourArea(corners) > _FRAME_STRAIGHT * whole
        and cv2.countNonZero(mask) > _FRAME_STRAIGHT * whole
    )


# How far a sheet's outline is from straight sides at most, as a share of its length; and this share of it lies between
# its corners, and is paper.
_FRAME_CORNER, _FRAME_STRAIGHT = 0.03, 0.92


def _filled(small: UInt8, outside: UInt8) -> UInt8:
    """The picture with the brightness of the nearest paper in place of what lies outside it."""
    inside = (outside == 0).astype(np.float32)
    side = _odd(min(small.shape) / 3)
    total, count = (cv2.blur(a, (side, side)) for a in (small * inside, inside))
    usual = float(np.median(small[outside == 0]))
    fill = (total + 1e-3 * usual) / (count + 1e-3)
    return np.where(outside > 0, fill, small).astype(np.uint8)


def _sheet(work: UInt8, outside: UInt8) -> UInt8:
    """The paper within a frame at coarse size, as large as if it were the picture."""
    small = _coarse(np.ascontiguousarray(work[_around_sheet(work.shape, outside)]), 96)
    own = outside[_around_sheet(outside.shape, outside)]
    beside = cv2.resize(own, small.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return _filled(small, np.asarray(beside, np.uint8))


def _around_sheet(shape: tuple[int, ...], outside: UInt8) -> tuple[slice, slice]:
    """The rows and columns of the paper within a frame, in a picture of this shape."""
    x, y, width, height = cv2.boundingRect(np.asarray(cv2.bitwise_not(outside), np.uint8))
    down, across = shape[0] / outside.shape[0], shape[1] / outside.shape[1]
    return slice(int(y * down), int((y + height) * down)), slice(int(x * across), int((x + width) * across))


def _without_frame(work: UInt8, outside: UInt8) -> UInt8:
    """The working picture with paper in place of the frame around it."""
    size = work.shape[::-1]
    fill = cv2.resize(_filled(_coarse(work, 96), outside), size, interpolation=cv2.INTER_LINEAR)
    where = cv2.resize(outside, size, interpolation=cv2.INTER_NEAREST)
    return np.where(where > 0, fill, work).astype(np.uint8)


# --- light


def _paper(lifted: UInt8, settings: Settings) -> tuple[UInt8, int]:
    """Brightness of the paper behind the ink, ``uint8`` at coarse size, and the window in coarse pixels."""
    small = _coarse(lifted)
    if not settings.flatten_light:
        return np.full_like(small, 255), 0
    side = min(small.shape)
    if settings.light_window:
        window = _odd(side * settings.light_window)
        closed = _closed(_carried_on(small, window // 2 + 1), window, small.shape)
    else:
        closed, window = _smallest_window(small)
    return _smooth_paper(small, np.asarray(closed, np.uint8), window), window


def _smallest_window(small: UInt8) -> tuple[UInt8, int]:
    """The closing with the smallest window that still loses no strong ink.

    A small window follows shadows closely, but sees only the edges of strokes that are wider than itself.
    """
    windows = [_odd(min(small.shape) * share) for share in _WINDOWS]
    wide = _carried_on(small, windows[-1] // 2 + 1)
    widest = _closed(wide, windows[-1], small.shape)
    most = np.asarray(cv2.subtract(widest, small), np.uint8)
    strong = _inner(most >= 0.7 * max(quantile(most[::2, ::2], 0.997), 1.0))
    wanted = most[strong] * _NEARLY
    for window in windows[:-1]:
        closed = _closed(wide, window, small.shape)
        if not len(wanted) or np.mean(cv2.subtract(closed, small)[strong] >= wanted) >= _KEPT:
            return closed, window
    return widest, windows[-1]


def _inner(mask: Array) -> Array:
    """The parts of a mask that do not touch the rim, as shadows do; all of them if there is no other."""
    joined = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(joined, None, (0, 0), 0, flags=8)
    inner = joined[1:-1, 1:-1].view(bool)
    return inner if inner.any() else mask


def _closed(wide: UInt8, window: int, shape: tuple[int, ...]) -> UInt8:
    """A closing, and of it the middle of this shape; pixels further off than the window cannot matter there."""
    top, left = ((whole - part) // 2 for whole, part in zip(wide.shape, shape, strict=True))
    above, before = min(top, window), min(left, window)
    near = wide[top - above : top + shape[0] + above, left - before : left + shape[1] + before]
    closed = cv2.morphologyEx(near, cv2.MORPH_CLOSE, _square(window))
    return np.asarray(closed[above : above + shape[0], before : before + shape[1]], np.uint8)


def _carried_on(small: UInt8, reach: int) -> UInt8:
    """The image with margins in which brightness goes on as it did: the rim twice, less the mirror image.

    Otherwise light that falls off towards the rim would be taken for ink there. But not far below the mirror image:
    what is dark at the rim may be ink, behind which the paper goes on.
    """
    down, across = (min(reach, n - 1) for n in small.shape)
    for top, left in ((down, 0), (0, across)):
        edge = cv2.copyMakeBorder(small, top, top, left, left, cv2.BORDER_REPLICATE)
        mirrored = cv2.copyMakeBorder(small, top, top, left, left, cv2.BORDER_REFLECT_101)
        on = cv2.addWeighted(edge, 2, mirrored, -1, 0)
        small = np.asarray(cv2.max(on, cv2.convertScaleAbs(mirrored, alpha=0.8)), np.uint8)
    return small


def _smooth_paper(small: UInt8, closed: UInt8, window: int) -> UInt8:
    """The paper itself where there is no ink, and the paper around it where there is.

    A closing lies above noisy paper and cannot follow light that falls off towards the rim; the mean of the pixels that
    are not ink can.
    """
    ratio = small / closed.astype(np.float32)
    some = ratio[::2, ::2]
    some = some[some > 0.7]
    if not some.size:  # a texture that nothing in it tells from ink
        return closed
    middle = float(np.median(some))
    noise = 1.4826 * float(np.median(np.abs(some - middle)))
    ink = (ratio < middle - max(4 * noise, 0.06)).astype(np.uint8)
    clear = 1 - cv2.dilate(ink, _square(3)).astype(np.float32)
    light = small * clear

    def mean(side: int, otherwise: UInt8 | Array, weight: float) -> Array:
        total, count = cv2.boxFilter(light, -1, (side, side)), cv2.boxFilter(clear, -1, (side, side))
        return np.asarray((total + weight * otherwise) / (count + weight))

    around = mean(window, closed, 0.02)
    return np.asarray(np.clip(mean(3, around, 0.05), 1, 255), np.uint8)


def _unevenness(paper: UInt8) -> float:
    """How much less light the darkest places get than the brightest, as a share."""
    if paper.size == 1:
        return 0.0
    some = paper[::4, ::4]
    return 1 - quantile(some, 0.02) / max(quantile(some, 0.98), 1.0)


def _strength(lifted: UInt8, paper: UInt8, apart: int) -> tuple[UInt8, float]:
    """How much darker than the paper each pixel is, 0 to 255, and the paper's noise in the same unit.

    `apart` is how many pixels lie between neighbours in the picture that was given.
    """
    full = cv2.resize(paper, lifted.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ratio, noise = _ratio(lifted, full)
    grain = _grain(ratio, apart)
    if max(noise, grain) > _QUIET:
        side, left = (5, 0.26) if max(noise, grain) > _LOUD else (3, 0.36)
        ratio, noise = _ratio(np.asarray(cv2.GaussianBlur(lifted, (side, side), 0), np.uint8), full)
        grain *= left if apart == 1 else 1
    noise = max(noise, grain)
    table = np.clip(255 - np.arange(256) * (255 / _PAPER_LEVEL), 0, 255)
    return np.asarray(cv2.LUT(ratio, np.rint(table).astype(np.uint8)), np.uint8), noise


# What paper becomes after dividing by its brightness: below 255, to see the noise above it.
_PAPER_LEVEL = 192


# With more noise than this, of 255, the picture is smoothed over three pixels, or five. What smoothing leaves of noise
# that is independent from pixel to pixel stands beside its use.
_QUIET, _LOUD = 4, 14


def _grain(ratio: UInt8, apart: int) -> float:
    """Noise as the usual difference between neighbours: right also where for noise no paper is to be seen."""
    change = np.asarray(cv2.absdiff(ratio[:: 2 * apart, apart:], ratio[:: 2 * apart, :-apart]))
    counts = np.cumsum(cv2.calcHist([change], [0], None, [256], [0, 256]))
    return float(np.searchsorted(counts, 0.5 * counts[-1])) / 0.954 * 255 / _PAPER_LEVEL


def _ratio(lifted: UInt8, paper: UInt8 | Array) -> tuple[UInt8, float]:
    """Brightness over the paper's; and the noise of what is about as bright as paper, from its brighter half."""
    ratio = np.asarray(cv2.divide(lifted, paper, scale=_PAPER_LEVEL), np.uint8)
    counts = np.cumsum(cv2.calcHist([ratio], [0], None, [256], [0, 256])[int(0.8 * _PAPER_LEVEL) :])
    middle, high = np.searchsorted(counts, [0.5 * counts[-1], 0.84 * counts[-1]])
    return ratio, float(high - middle) * 255 / _PAPER_LEVEL


# --- threshold


def _threshold(strength: UInt8, noise: float, paper: UInt8, settings: Settings) -> tuple[UInt8, float]:
    """The mask of the ink, and the least strength that counted, 0 to 255."""
    if settings.threshold:
        level = settings.threshold * 255
        return np.asarray(cv2.compare(strength, level, cv2.CMP_GE), np.uint8), level
    level = max(settings.noise_factor * noise, _FAINTEST * 255)
    strongest = _strongest_around(strength)
    needed = np.clip(np.maximum(level, _LOCAL_SHARE * strongest) + _doubt(paper), 0, 255).astype(np.uint8)
    full = cv2.resize(needed, strength.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mask = np.asarray(cv2.compare(strength, full, cv2.CMP_GT), np.uint8)
    if settings.flatten_light and _unevenness(paper) > _SHADED:
        mask = _without_shade(mask, strength, strongest)
    return mask, level


def _without_shade(mask: UInt8, strength: UInt8, strongest: Array) -> UInt8:
    """The mask without what is both weaker and wider than the pen: corners of shadows."""
    small = [_coarse(image, _SHADE_SIDE) for image in (mask, strength)]
    around = cv2.resize(strongest, small[0].shape[::-1], interpolation=cv2.INTER_LINEAR)
    strong = np.where(small[1] > _WEAK * around, small[0], 0)
    weak = np.where(strong > 0, 0, small[0])
    pen = pen_width(_inner(strong > 127).astype(np.uint8))
    shade = cv2.morphologyEx(weak, cv2.MORPH_OPEN, _square(_odd(1.3 * pen + 2)))
    if not pen or not shade.any():
        return mask
    shade = cv2.bitwise_and(cv2.dilate(shade, _square(_odd(pen + 2))), weak)
    full = cv2.resize(shade, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.bitwise_and(mask, cv2.compare(full, 64, cv2.CMP_LT)), np.uint8)


# Shade is looked for on a copy of this side, where the light differs by this share, among what is weaker than this
# share of the ink around it.
_SHADE_SIDE, _SHADED, _WEAK = 320, 0.15, 0.6


def _strongest_around(strength: UInt8) -> Array:
    """The strongest ink near each pixel, ``float32`` at coarse size: faint pencil and felt pen may share a page."""
    step = -(-max(strength.shape) // COARSE_SIDE)
    smooth = cv2.blur(strength, (3, 3))
    small = smooth
    if step > 1:
        peaks = cv2.dilate(smooth, _square(step))
        small = cv2.resize(peaks, _coarse_shape(strength.shape)[::-1], interpolation=cv2.INTER_NEAREST)
    window = _odd(min(small.shape) * 0.3)
    return np.asarray(cv2.blur(cv2.dilate(small, _square(window)), (window // 2 | 1,) * 2), np.float32)


def _doubt(paper: UInt8) -> Array:
    """How uncertain the paper's brightness makes the strength: large along a shadow's edge, and in the dark.

    In the dark one step of the camera's 256 is already a large share of the brightness.
    """
    if paper.size == 1:  # the same everywhere
        return np.asarray(1.5 * 255 / paper)
    spread = cv2.subtract(cv2.dilate(paper, _square(3)), cv2.erode(paper, _square(3)))
    return np.asarray((128 * spread.astype(np.float32) + 1.5 * 255) / paper)


# --- the steps in words


def _grey_step(grey: UInt8, work: UInt8, scale: float) -> Step:
    height, width = grey.shape
    how = f"The picture is {width} by {height} pixels of grey."
    if scale < 1:
        how += f" It was reduced to {work.shape[1]} by {work.shape[0]} to work on."
    elif scale > 1:
        how += f" It is small, so it was enlarged {scale:g} times before anything is measured."
    parameters = {"width": width, "height": height, "scale": round(scale, 4)}
    return Step("grey", "In grey", how, shown(work), parameters)


def _light_step(even: UInt8, settings: Settings, paper: UInt8, window: int, polarity: _Polarity) -> Step:
    unevenness = _unevenness(paper)
    measured = f"The background was set to {'white' if polarity.dark else 'black'}, and each pixel measured against it."
    if not settings.flatten_light:
        sentence = "Switched off: shadows stay in the picture."
    elif polarity.even:
        sentence = f"The light is exactly the same everywhere, so there is no shadow to take away. {measured}"
    elif unevenness < 0.04:
        sentence = f"The light is the same everywhere, so there is hardly a shadow to take away. {measured}"
    else:
        sentence = (
            f"The darkest part of the background gets {unevenness:.0%} less light than the brightest. "
            "Each pixel was divided by the background around it."
        )
    parameters = {"window": window, "unevenness": round(unevenness, 3)}
    return Step("light", "Light evened out", sentence, shown(even), parameters)


def _polarity_step(strength: UInt8, settings: Settings, polarity: _Polarity, written: bool) -> Step:
    """`written` says that there is ink; what is narrow may also be the grain of blank paper."""
    dark, rim = polarity.dark, polarity.rim
    ink, ground = ("darker", "light") if dark else ("lighter", "dark")
    share = rim if dark else 1 - rim
    strokes = written and polarity.evidence != 0
    if settings.polarity != "auto":
        sentence = f"Set: the ink is {ink} than the background."
    elif polarity.outside is not None:
        frame = "light" if rim > 0.5 else "dark"
        inside = "the strokes in it are" if strokes else "no pen stroke stands out in it, and ink is taken to be"
        sentence = f"The {frame} frame around the paper was ignored; {inside} {ink} than the paper."
    elif polarity.even:
        sentence = f"What is drawn is {ink} than the background, which is {ground} everywhere."
    elif not strokes:
        sentence = f"No pen stroke stands out; ink is taken to be {ink} than the background."
    elif (polarity.evidence > 0) == dark:
        sentence = f"The thin strokes are {ink} than what is around them, and {share:.0%} of the rim is {ground}."
    else:
        sentence = f"The strokes alone leave it open, but {share:.0%} of the rim is {ground}: so the ink is {ink}."
    sentence += " So it was turned to white on black." if dark else " That is white on black already."
    parameters = {"dark_ink": dark, "evidence": round(polarity.evidence, 3), "light_rim": round(rim, 3)}
    return Step("polarity", "White ink on black", sentence, shown(strength), parameters)


def _threshold_step(mask: UInt8, level: float, noise: float, lines: int, settings: Settings) -> Step:
    share = float(np.count_nonzero(mask)) / mask.size
    if settings.threshold:
        why = "as set by hand"
    elif level > _FAINTEST * 255:
        why = f"which is {settings.noise_factor:g} times the background's own noise"
    else:
        why = "because the background has hardly any noise"
    sentence = f"Everything at least {level / 255:.0%} stronger than the background counts as ink, {why}. "
    sentence += f"That is {share:.1%} of the picture." if share else "Nothing is."
    if lines:
        sentence += f" {lines} printed lines were taken away."
    parameters = {"threshold": round(level / 255, 4), "noise": round(noise / 255, 4), "ink": round(share, 4)}
    parameters["printed_lines"] = lines
    return Step("threshold", "Ink and background told apart", sentence, shown(mask), parameters)

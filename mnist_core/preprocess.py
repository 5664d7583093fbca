"""From a picture of a digit to the 28x28 pixels that the networks know, every step kept."""

import math
from dataclasses import replace

import cv2
import numpy as np

from mnist_core._around import find_writing
from mnist_core._choose import SMALLEST_SHARE, Choice, choose
from mnist_core._hints import remarks, several
from mnist_core._ink import FEWEST_PIXELS, Ink, find_ink, shown
from mnist_core._normalise import normalise
from mnist_core._parts import Part, Parts, bounds, find_parts, mask_of, window_of
from mnist_core._steps import Box, Float32, Prepared, Settings, Step, UInt8, quantile

__all__ = ["Box", "Prepared", "Settings", "Step", "prepare"]

# A picture of one digit is reduced to this longest side: a digit that fills a fifth of it still has 200 pixels.
_LONGEST = 1024
# Widest strokes that are tried when the first attempt found none, as shares of the shorter side.
NARROW, _WIDE = 0.07, 1.0
# Then the pen has to be as wide as that at least: otherwise what was found is a shadow.
_WIDE_PEN = 0.13
# With less difference than this between its darkest and its lightest pixel a picture is not looked at again.
_FLAT = 40
# A picture without ink is called blank up to this noise, of 255.
_BLANK = 8
# A straight stroke is no wider than so many of its pen's widths.
_STRAIGHT = 1.5


def prepare(grey: UInt8, settings: Settings = Settings(), *, explained: bool = True) -> Prepared:
    """Make a digit image out of a picture of one digit.

    Parameters
    ----------
    grey
        ``uint8 (H, W)``; the ink may be dark or light.
    settings
        Switches and numbers of the steps.
    explained
        Whether the result has its `steps` and `hints`, which nobody sees who reads a folder of pictures.

    Returns
    -------
    Prepared
        With `digit` None and a `problem` where there is no digit.

    Examples
    --------
    >>> import numpy as np
    >>> picture = np.full((60, 60), 255, np.uint8)
    >>> picture[10:50, 28:33] = 0
    >>> prepare(picture).digit.shape
    (28, 28)
    """
    ink, parts, choice = _look(grey, settings)
    if min(ink.mask.shape) < FEWEST_PIXELS:
        way = "low" if grey.shape[0] < grey.shape[1] else "narrow"
        problem = f"No digit found: the picture is too {way}."
    elif not choice.parts:
        problem = _problem(ink, parts)
    else:
        return finish(ink, parts, choice.parts, settings, grey.shape, explained=explained)
    return Prepared(ink.steps if explained else (), None, None, problem)


def _look(grey: UInt8, settings: Settings) -> tuple[Ink, Parts, Choice]:
    """Find the ink and the digit in it; where that looks wrong, look again for narrow and for very wide strokes.

    A shadow that reaches in from the rim may pass for a wide stroke or run together with one, and a stroke that fills a
    third of the picture for a shadow or for the paper: which of them it is shows only in what comes of it.
    """
    best = _look_once(grey, settings)
    if best[2].good or settings.light_window or not settings.flatten_light or int(grey.max()) - int(grey.min()) < _FLAT:
        return best
    again = [replace(settings, light_window=NARROW)] if best[2].shaded else []
    again.append(replace(settings, light_window=_WIDE))
    if settings.polarity == "auto":
        again.append(replace(settings, light_window=_WIDE, polarity="light" if best[0].dark else "dark"))
    for other in again:
        tried = _look_once(grey, other)
        pen = max((p.stroke for p in tried[2].parts), default=0.0) / min(tried[0].mask.shape)
        expected = pen > _WIDE_PEN if other.light_window == _WIDE else pen < NARROW
        if tried[2].worth > best[2].worth and expected:
            best = tried
        if best[2].good:
            break
    return best


def _look_once(grey: UInt8, settings: Settings) -> tuple[Ink, Parts, Choice]:
    ink = find_ink(grey, settings, _LONGEST)
    smallest = SMALLEST_SHARE / 4 * min(ink.mask.shape)
    ink, parts = find_writing(ink, smallest) if settings.remove_specks else (ink, find_parts(ink, ink.mask, smallest))
    return ink, parts, choose(parts, settings)


Normalised = tuple[Float32, tuple[Step, ...]]
"""A digit image, and the steps that lead to it from the digit's ink."""


def finish(
    ink: Ink,
    parts: Parts,
    chosen: list[Part],
    settings: Settings,
    shape: tuple[int, ...],
    whole: bool = True,
    known: Normalised | None = None,
    explained: bool = True,
) -> Prepared:
    """Make a digit image of these parts.

    `shape` is the given picture's (height, width); `whole` says that the digit is all that the picture is for; `known`
    is what `normalised` gave for these parts, if it was asked before; `explained` is as for `prepare`.
    """
    left, top, right, bottom = bounds(chosen)
    digit, last = known or normalised(ink, parts, chosen, settings)
    box = _box((left, top, right, bottom), ink.scale, shape)
    beside = whole and several(parts, chosen)
    cut = any(part.mask is not None for part in chosen)
    if not explained:
        return Prepared((), digit, box, several=beside, cut=cut)
    lean = None if whole else _lean(parts, chosen)
    found = _found_step(ink, parts, chosen, whole)
    hints = remarks(ink, parts, chosen, beside)
    length = sum(part.length for part in chosen) / max(right - left, bottom - top)
    return Prepared((*ink.steps, found, *last), digit, box, "", hints, beside, cut, lean, length)


def _lean(parts: Parts, chosen: list[Part]) -> float | None:
    """How much one straight stroke leans; None of what is bent, or more than a stroke.

    The ink of a straight stroke has a variance across it of the twelfth part of its width squared.
    """
    found = cv2.moments(mask_of(parts, chosen, window_of(chosen)), binaryImage=True)
    spread = np.array([[found["mu20"], found["mu11"]], [found["mu11"], found["mu02"]]]) / found["m00"]
    variances, axes = np.linalg.eigh(spread)
    width = _STRAIGHT * max(part.stroke for part in chosen)
    along_x, along_y = axes[:, 1]
    if 12 * variances[0] > width**2 or abs(along_x) > abs(along_y):
        return None
    return float(-along_x / along_y)


def normalised(ink: Ink, parts: Parts, chosen: list[Part], settings: Settings) -> Normalised:
    """Return the digit image of these parts, as `finish` makes it, and its last steps."""
    return normalise(_own_ink(ink, parts, chosen, settings), settings)


def _problem(ink: Ink, parts: Parts) -> str:
    if not np.any(ink.mask):
        if ink.noise > _BLANK:
            return "No digit found: nothing in the picture stands out from its noise."
        return "No digit found: the picture is blank."
    if parts.all:
        return "No digit found: nothing in the picture is drawn with a pen's stroke."
    return "No digit found: there are only specks in the picture."


# --- the digit's own ink


def _own_ink(ink: Ink, parts: Parts, chosen: list[Part], settings: Settings) -> UInt8:
    """The chosen parts' ink with its soft edges, 255 where it is full."""
    height, width = ink.mask.shape
    left, top, right, bottom = bounds(chosen) if settings.crop else (0, 0, width, height)
    window = slice(top, bottom), slice(left, right)
    own = mask_of(parts, chosen, window)
    strength = ink.strength[window]
    full = 0.95 * quantile(strength, 0.8, own) if own.any() else 255.0
    if not settings.soft_edges:
        return own
    floor = min(max(2 * ink.noise, 3.0), 0.3 * full)
    soft = max(2, math.ceil(ink.scale))  # edges are about one pixel of the given picture wide
    near = cv2.dilate(own, np.ones((2 * soft + 1, 2 * soft + 1), np.uint8))
    foreign = cv2.subtract(ink.mask[window], own)
    table = np.clip((np.arange(256) - floor) * (255 / max(full - floor, 1.0)), 0, 255)
    kept = cv2.bitwise_and(cv2.LUT(strength, table.astype(np.uint8)), cv2.subtract(near, foreign))
    return np.asarray(kept, np.uint8)


def _box(edges: tuple[int, int, int, int], scale: float, shape: tuple[int, ...]) -> Box:
    """The box in pixels of the picture that was given."""
    left, top, right, bottom = edges
    x, y = math.floor(left / scale), math.floor(top / scale)
    x, y = min(x, shape[1] - 1), min(y, shape[0] - 1)
    width = max(1, min(math.ceil(right / scale), shape[1]) - x)
    height = max(1, min(math.ceil(bottom / scale), shape[0]) - y)
    return Box(x, y, width, height)


def _found_step(ink: Ink, parts: Parts, chosen: list[Part], whole: bool) -> Step:
    """The chosen parts bright, everything else dim; on a page only what is near."""
    left, top, right, bottom = bounds(chosen)
    margin = max(ink.mask.shape) if whole else max(right - left, bottom - top) // 2
    window = slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)
    image = cv2.addWeighted(ink.mask[window], 0.3, mask_of(parts, chosen, window), 0.7, 0)
    ignored = len(parts.all) - len(chosen)
    pieces = "one connected part" if len(chosen) == 1 else f"{len(chosen)} parts that lie close together"
    rest = ""
    if ignored:
        rest = f" {ignored} other {'part was' if ignored == 1 else 'parts were'} left out."
    if parts.around:
        rest += " What is drawn around or under it was left out."
    parameters = {"parts": len(chosen), "left_out": ignored, "around": len(parts.around)}
    sentence = f"The digit is {pieces}.{rest}"
    return Step("found", "The digit found", sentence, shown(np.asarray(image, np.uint8)), parameters)

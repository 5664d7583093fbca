"""From the ink of one digit to MNIST's 28x28 pixels: cropped, pen evened out, scaled, centred."""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core._steps import Array, Float32, Settings, Step, UInt8

SIDE = 28
# Each pixel of the digit image is the mean of this many by this many finer ones.
_FINE = 8
# Where MNIST's digits have their centre of mass, as an index of row and column: measured, 14.0 +- 0.5.
_MIDDLE = SIDE / 2
# Ink from which a pixel of the crop counts as part of the digit's outline, 0 to 255.
_OUTLINE = 80


def normalise(ink: UInt8, settings: Settings) -> tuple[Float32, tuple[Step, ...]]:
    """Scale one digit into MNIST's frame.

    Parameters
    ----------
    ink
        ``uint8 (h, w)``: the digit's ink alone, 255 where it is full.
    settings
        Switches and numbers.

    Returns
    -------
    digit, steps
        ``float32 (28, 28)`` in [0, 1], and the stages "cropped", "stroke", "scaled" and "centred".

    Notes
    -----
    MNIST's digits fill a box of 20x20 pixels with their aspect kept, and their centre of mass lies in the middle of
    28x28 pixels (LeCun, Cortes and Burges, "The MNIST database of handwritten digits").
    """
    ink, slant = _upright(ink) if settings.straighten else (ink, 0.0)
    if settings.crop and settings.straighten:
        ink = _cut(ink)
    cropped = _cropped_step(ink, slant, settings)
    fine, stroke = _even_stroke(ink, settings)
    scaled, scaled_step = _scale(fine, ink.shape, settings)
    digit, centred_step = _centre(scaled, settings)
    return digit, (cropped, stroke, scaled_step, centred_step)


def enlarged(digit: UInt8) -> UInt8:
    """Enlarge a digit image with edges as crisp as a pen leaves them: `normalise_drawn` makes it as sharp as it was.

    Parameters
    ----------
    digit
        ``uint8 (h, w)``, white ink on black.

    Returns
    -------
    ndarray
        ``uint8 (ENLARGED h, ENLARGED w)``.
    """
    large = cv2.resize(digit, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.convertScaleAbs(cv2.subtract(large, _DARKER), alpha=_STEEPER), np.uint8)


ENLARGED = 4
"""How many times `enlarged` enlarges."""
# Edges become so much steeper, around half of the brightness: measured, so that MNIST's own digits stay as sharp.
_STEEPER = 3.0
_DARKER = 255 / 2 * (1 - 1 / _STEEPER)


def normalise_drawn(ink: UInt8) -> UInt8:
    """Scale ink on an empty ground into MNIST's frame, its pen left as it is: for pictures that are made, not found.

    Parameters
    ----------
    ink
        ``uint8 (h, w)``: 0 where there is none, 255 where it is full.

    Returns
    -------
    ndarray
        ``uint8 (28, 28)``.
    """
    digit, _ = normalise(_cut(ink), _AS_DRAWN)
    return np.asarray(np.rint(digit * 255), np.uint8)


_AS_DRAWN = Settings(even_ink=False, even_stroke=False)


def draw_stroke(ink: UInt8, points: npt.ArrayLike, pen: int) -> None:
    """Draw a line from point to point, ``(n, 2)`` as x and y in pixels of the ink, so many pixels wide."""
    cv2.polylines(ink, [np.rint(np.asarray(points) * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)


def draw_over(fine: UInt8, strokes: Callable[[UInt8], Iterable[npt.ArrayLike]], pen: float, margin: int) -> UInt8:
    """Return a digit with strokes over it.

    Parameters
    ----------
    fine
        ``uint8 (h, w)``: the digit as `enlarged` gives it.
    strokes
        Gives the points of each stroke, for a mask of the digit within its margin.
    pen
        How wide they are, as a share of the digit's own strokes.
    margin
        Pixels around the digit, which strokes may reach into.

    Returns
    -------
    ndarray
        ``uint8 (h + 2 margin, w + 2 margin)``.
    """
    framed = np.asarray(cv2.copyMakeBorder(fine, *(margin,) * 4, cv2.BORDER_CONSTANT, value=0), np.uint8)
    mask = np.asarray(framed > 127, np.uint8)
    wide = max(3, round(stroke_width(mask) * pen))
    for points in strokes(mask):
        draw_stroke(framed, points, wide)
    return framed


def stroke_width(mask: UInt8) -> float:
    """Return the mean width of the strokes of a mask, in pixels."""
    ink = np.count_nonzero(mask)
    return float(_width_of_depth(cv2.sumElems(_depth(mask))[0] / ink)) if ink else 0.0


def pen_width(mask: UInt8) -> float:
    """Return how wide the strokes of a mask with several parts usually are, in pixels, whatever blots are among them.

    Half of the parts' length together is no wider.
    """
    labels = cv2.connectedComponents(mask)[1].ravel()
    area = np.bincount(labels)[1:]
    if not area.size:
        return 0.0
    widths = _width_of_depth(np.bincount(labels, _depth(mask).ravel())[1:] / area)
    order = np.argsort(widths)
    length = np.cumsum((area / widths)[order])
    return float(widths[order][np.searchsorted(length, length[-1] / 2)])


def _width_of_depth(depth: Array | float) -> Array:
    """How wide strokes are whose ink has this depth on average.

    Across a stroke of width w the depth grows from 1 to w/2 and falls again: its mean over the ink is (w + 2) / 4,
    whatever the stroke's course.
    """
    return np.maximum(1.0, 4 * depth - 2)


def _depth(mask: UInt8) -> Float32:
    """How far each pixel of a mask is from the next one that is not in it; outside the picture there is nothing."""
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1], np.float32)


def _cut(ink: UInt8) -> UInt8:
    """Cut away what is outside the digit's outline."""
    x, y, width, height = cv2.boundingRect(np.asarray(cv2.compare(ink, _OUTLINE, cv2.CMP_GE)))
    if not width:
        return ink
    return ink[y : y + height, x : x + width]


def _upright(ink: UInt8) -> tuple[UInt8, float]:
    """Shear the digit until its ink's covariance of x and y is zero; returns the slant that it had (dx/dy)."""
    moments = cv2.moments(ink)
    if moments["mu02"] < 1e-3:
        return ink, 0.0
    slant = float(np.clip(moments["mu11"] / moments["mu02"], -1, 1))
    height, width = ink.shape
    extra = int(abs(slant) * height) + 1
    matrix = np.array([[1, -slant, slant * height / 2 + extra / 2], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(ink, matrix, (width + extra, height)), np.uint8), slant


def _resized(image: UInt8, shape: tuple[int, int]) -> UInt8:
    """The image in another (height, width): area means when it shrinks, linear when it grows."""
    shrinks = shape[0] * shape[1] < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, shape[::-1], interpolation=method), np.uint8)


def _box_shape(shape: tuple[int, ...], side: int, keep_aspect: bool) -> tuple[int, int]:
    """The (height, width) that fills a box of this side."""
    if not keep_aspect:
        return side, side
    height, width = shape
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _even_ink(fine: UInt8, width: float) -> UInt8:
    """Let ink be as strong as the strongest near it: a pen that presses lightly leaves the same digit."""
    side = max(2, round(width)) | 1
    strongest = cv2.blur(cv2.dilate(_halved(fine), np.ones((side, side), np.uint8)), (side, side))
    around = cv2.resize(cv2.max(strongest, _FAINTEST_KEPT), fine.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(fine, around, scale=255), np.uint8)


# Ink below this share of the digit's, of 255, is not strengthened to full.
_FAINTEST_KEPT = 70


def _even_stroke(ink: UInt8, settings: Settings) -> tuple[UInt8, Step]:
    """Even out the pen's strength, thicken a thin pen and thin a heavy one.

    After scaling the pen's width lies within the settings' limits. Thickening by r on every side also makes a digit
    that was cut out larger by 2r, which scaling undoes: r allows for it.
    """
    side = settings.box_side * _FINE
    fine = _resized(ink, _box_shape(ink.shape, side, keep_aspect=True))
    width = _width(fine)
    if settings.even_ink and width:
        fine = _even_ink(fine, width)
        width = _width(fine)
    low, high = settings.thinnest * _FINE, settings.heaviest * _FINE
    target = min(max(width, low), high)
    larger = 1 - target / side if settings.crop else 1.0
    radius = round((target - width) / (2 * larger)) if width else 0
    parameters = {"width": round(width / _FINE, 2), "target": round(target / _FINE, 2)}
    if not settings.even_stroke or radius == 0:
        reason = "is near MNIST's own" if settings.even_stroke else "was left as it is: switched off"
        sentence = f"Scaled down, the pen is {width / _FINE:.1f} pixels wide, which {reason}."
        return fine, Step("stroke", "Pen evened out", sentence, fine, parameters)
    changed = _thicken(fine, radius) if radius > 0 else _thin(fine, -radius)
    changed = _cut(changed) if settings.crop else _middle_of(changed, fine.shape)
    kind, done = ("thin", "thickened") if radius > 0 else ("heavy", "thinned")
    sentence = (
        f"Scaled down, this {kind} pen would be {width / _FINE:.1f} pixels wide; MNIST's are 2 to 3. "
        f"It was {done} to {target / _FINE:.1f}."
    )
    return changed, Step("stroke", "Pen evened out", sentence, changed, parameters)


def _middle_of(image: UInt8, shape: tuple[int, ...]) -> UInt8:
    top, left = ((have - want) // 2 for have, want in zip(image.shape, shape, strict=True))
    return image[top : top + shape[0], left : left + shape[1]]


def _width(fine: UInt8) -> float:
    return 2 * stroke_width(np.asarray(cv2.inRange(_halved(fine), 128, 255), np.uint8))


def _halved(fine: UInt8) -> UInt8:
    """Every second row and column: a quarter of the work, and still four pixels for each of MNIST's."""
    return np.ascontiguousarray(fine[::2, ::2])


def _disc(radius: int) -> UInt8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _framed(image: UInt8, margin: int, change: Callable[[UInt8], UInt8]) -> UInt8:
    """Apply a change to the image with a black margin around it."""
    return change(np.asarray(cv2.copyMakeBorder(image, *(margin,) * 4, cv2.BORDER_CONSTANT, value=0), np.uint8))


def _thicken(ink: UInt8, radius: int) -> UInt8:
    return _framed(ink, radius, lambda framed: np.asarray(cv2.dilate(framed, _disc(radius)), np.uint8))


def _thin(ink: UInt8, radius: int) -> UInt8:
    """Erode heavy strokes; those that would vanish, being thinner than the others, stay as they are."""

    def change(framed: UInt8) -> UInt8:
        eroded = cv2.erode(framed, _disc(radius))
        vanishing = cv2.subtract(framed, cv2.dilate(eroded, _disc(radius + 1)))
        return np.asarray(cv2.max(eroded, vanishing), np.uint8)

    return _framed(ink, radius + 1, change)


def _scale(fine: UInt8, shape: tuple[int, ...], settings: Settings) -> tuple[UInt8, Step]:
    """Scale into the box; returns the digit in the middle of ``uint8 (box_side, box_side)``."""
    side = settings.box_side
    height, width = _box_shape(fine.shape, side * _FINE, settings.keep_aspect)
    canvas = np.zeros((side * _FINE, side * _FINE), np.uint8)
    top, left = (_FINE * round((side * _FINE - n) / 2 / _FINE) for n in (height, width))
    top, left = min(top, side * _FINE - height), min(left, side * _FINE - width)
    canvas[top : top + height, left : left + width] = _resized(fine, (height, width))
    scaled = _resized(canvas, (side, side))
    small = height / _FINE, width / _FINE
    aspect = "with its proportions kept" if settings.keep_aspect else "stretched to fill it"
    sentence = f"Scaled into a box of {side} by {side} pixels, {aspect}: {small[1]:.0f} wide and {small[0]:.0f} high."
    parameters = {"box_side": side, "width": round(small[1], 1), "height": round(small[0], 1)}
    parameters["factor"] = round(max(height, width) / _FINE / max(shape), 4)
    return scaled, Step("scaled", f"Scaled into {side} by {side}", sentence, scaled, parameters)


def _centre(scaled: UInt8, settings: Settings) -> tuple[Float32, Step]:
    """Place the box in 28x28 so that the centre of mass, to the nearest pixel, is in the middle."""
    side = scaled.shape[0]
    offset = np.array([(SIDE - side) / 2] * 2)
    moments = cv2.moments(scaled)
    if moments["m00"] and settings.centre_by_mass:
        offset = _MIDDLE - np.array([moments["m01"], moments["m10"]]) / moments["m00"]
    x, y, width, height = cv2.boundingRect(scaled)
    # Nothing may be pushed out of the frame: at most as far as there is an empty border.
    low, high = -np.array([y, x]), SIDE - np.array([y + height, x + width])
    top, left = (int(v) for v in np.clip(np.floor(offset + 0.5), low, high))
    placed = np.zeros((SIDE, SIDE), np.float32)
    placed[top + y : top + y + height, left + x : left + x + width] = scaled[y : y + height, x : x + width]
    digit = placed / np.float32(255)
    moved = left - (SIDE - side) // 2, top - (SIDE - side) // 2
    what = "ink's centre of mass" if settings.centre_by_mass else "box"
    sentence = f"Placed in 28 by 28 pixels with the {what} in the middle. {_moved_in_words(*moved)}"
    parameters = {"right": moved[0], "down": moved[1], "by_mass": settings.centre_by_mass}
    return digit, Step("centred", "Centred in 28 by 28", sentence, digit, parameters)


def _moved_in_words(right: int, down: int) -> str:
    across = f"{abs(right)} {'pixel' if abs(right) == 1 else 'pixels'} {'right' if right > 0 else 'left'}"
    along = f"{abs(down)} {'pixel' if abs(down) == 1 else 'pixels'} {'down' if down > 0 else 'up'}"
    moves = [words for words, n in ((across, right), (along, down)) if n]
    return f"That moved it {' and '.join(moves)}." if moves else "It was there already."


def _cropped_step(ink: UInt8, slant: float, settings: Settings) -> Step:
    height, width = ink.shape
    if settings.crop:
        sentence = f"Cut out along its edges: {width} by {height} pixels of the working picture."
    else:
        sentence = "Switched off: the whole picture is kept."
    if abs(slant) > 0.02:
        sentence += f" It leaned to the {'left' if slant > 0 else 'right'} and was set upright."
    parameters = {"width": width, "height": height, "slant": round(slant, 3)}
    return Step("cropped", "Cut out", sentence, _small(ink), parameters)


def _small(image: UInt8) -> UInt8:
    side = max(image.shape)
    if side <= 512:
        return image
    return _resized(image, (max(1, round(image.shape[0] * 512 / side)), max(1, round(image.shape[1] * 512 / side))))

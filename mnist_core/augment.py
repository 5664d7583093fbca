"""What a network sees in an epoch: digits changed at random, and drawings that are no digits."""

from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from mnist_core._normalise import draw_over, enlarged, normalise_drawn
from mnist_core.nondigits import draw_non_digits
from mnist_core.recipes import Distortion, TrainRecipe

UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

NO_DIGIT = 10
"""The label of a drawing that is no digit."""

_SPARE_NON_DIGITS = 4  # so many times more are drawn than an epoch shows
_SIDE = 28
_CENTRE = (_SIDE - 1) / 2
_MARGIN = 4  # rows: cubic interpolation reaches two pixels far
_PITCH = _SIDE + 2 * _MARGIN
_CHUNK = 512  # digits at once: their sampling maps stay in the processor's cache; OpenCV takes up to 32,767 rows
# The elastic field is drawn on a coarse grid and enlarged smoothly: a node about every six pixels bends strokes
# without tearing them.
_NODES = 5
# Where a pen runs dry it leaves out spots about two pixels wide.
_SPOTS = 14


def _enlarging_matrix(nodes: int) -> npt.NDArray[np.float32]:
    """The cubic interpolation from a coarse grid to all pixels, as one matrix ``(nodes**2, 784)``."""
    rows = [
        cv2.resize(unit.reshape(nodes, nodes), (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC).ravel()
        for unit in np.eye(nodes * nodes, dtype=np.float32)
    ]
    return np.stack(rows)


_ENLARGE = _enlarging_matrix(_NODES)
_SPOTTED = _enlarging_matrix(_SPOTS)
_SPOTTED /= np.sqrt(np.square(_SPOTTED).sum(axis=0))  # so that each pixel's values are spread alike


class EpochSource:
    """Gives each epoch's training pictures.

    Parameters
    ----------
    images, labels
        ``uint8 (n, 28, 28)`` and ``(n,)``: the training digits.
    how
        The recipe. With its seed every epoch's pictures are determined.
    """

    def __init__(self, images: UInt8, labels: Labels, how: TrainRecipe) -> None:
        rng = np.random.default_rng((how.seed, 0))
        self._images, self._labels, self._how = images, labels, how
        self._others = round(how.non_digits * len(labels))
        drawn = self._others * _SPARE_NON_DIGITS
        self._pool = draw_non_digits(drawn, images, labels, rng, crossed_out=how.crossed_out)
        self._written_otherwise = write_otherwise(images, labels, rng) if how.variants else images

    def __len__(self) -> int:
        """Pictures an epoch."""
        return len(self._labels) + self._others

    def draw(self, epoch: int) -> tuple[UInt8, Labels]:
        """Return the pictures ``uint8 (n, 28, 28)`` and labels ``int64 (n,)`` of an epoch, from 1.

        A drawing that is no digit has the label `NO_DIGIT`.
        """
        rng = np.random.default_rng((self._how.seed, epoch))
        images, labels = self._images, self._labels
        if self._how.variants:
            other = rng.random(len(images)) < self._how.variants
            images = np.where(other[:, None, None], self._written_otherwise, images)
        if self._others:
            shown = rng.choice(len(self._pool), self._others, replace=False)
            images = np.concatenate([images, self._pool[shown]])
            labels = np.concatenate([labels, np.full(self._others, NO_DIGIT)])
        return distort(images, self._how.distortion_in(epoch), rng), labels


def write_otherwise(images: UInt8, labels: Labels, rng: np.random.Generator) -> UInt8:
    """Return each digit as other people write it: a 0 with a slash, a 1 with a flag or foot, a 7 with a bar.

    MNIST's writers seldom do so; in much of the world it is the rule. The other digits stay as they are.
    """
    out = images.copy()
    for i in np.flatnonzero(np.isin(labels, tuple(_PARTS))):
        strokes = partial(_PARTS[int(labels[i])], rng=rng)
        out[i] = normalise_drawn(draw_over(enlarged(images[i]), strokes, rng.uniform(0.85, 1.1), _PAD))
    return out


_PAD = 24
_Line = list[tuple[float, float]]


def _slash(mask: UInt8, rng: np.random.Generator) -> list[_Line]:
    """A stroke through a 0, from below on the left to above on the right, ending inside or outside."""
    x, y, width, height = cv2.boundingRect(mask)
    reach_x, reach_y = (rng.uniform(0.25, 0.7) * width, rng.uniform(0.25, 0.65) * height)
    centre_x, centre_y = x + width * rng.uniform(0.42, 0.58), y + height * rng.uniform(0.42, 0.58)
    return [[(centre_x - reach_x, centre_y + reach_y), (centre_x + reach_x, centre_y - reach_y)]]


def _flag(mask: UInt8, rng: np.random.Generator) -> list[_Line]:
    """A stroke from the top of a 1 down to the left, never so level that it were a 7; sometimes a foot as well."""
    rows, columns = np.nonzero(mask)
    top, bottom = rows.argmin(), rows.argmax()
    height = float(np.ptp(rows)) + 1
    angle, length = np.deg2rad(rng.uniform(20, 45)), height * rng.uniform(0.2, 0.5)
    tip = float(columns[top]), float(rows[top]) + 2
    lines: list[_Line] = [[tip, (tip[0] - length * np.sin(angle), tip[1] + length * np.cos(angle))]]
    if rng.random() < 0.3:
        half, middle, level = height * rng.uniform(0.15, 0.4), float(columns[bottom]), float(rows[bottom]) - 1
        lines.append([(middle - half, level), (middle + half, level + rng.uniform(-0.1, 0.1) * height)])
    return lines


def _bar(mask: UInt8, rng: np.random.Generator) -> list[_Line]:
    """A short stroke across the stem of a 7."""
    x, y, width, height = cv2.boundingRect(mask)
    level = int(y + height * rng.uniform(0.42, 0.62))
    stem = float(np.flatnonzero(mask[level]).mean()) if mask[level].any() else x + width / 2
    half, tilt = max(width, height / 2) * rng.uniform(0.2, 0.45), rng.uniform(-0.08, 0.04) * height
    return [[(stem - half, level - tilt), (stem + half, level + tilt)]]


_PARTS = {0: _slash, 1: _flag, 7: _bar}


def distort(images: UInt8, how: Distortion, rng: np.random.Generator) -> UInt8:
    """Return a changed copy of each digit image.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    how
        The kinds of change and their strength.
    rng
        Decides them.

    Returns
    -------
    ndarray
        ``uint8 (n, 28, 28)``; without any change asked for, the images themselves.
    """
    if not how.active:
        return images
    out = np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        out[start : start + _CHUNK] = _distort_chunk(images[start : start + _CHUNK], how, rng)
    clean = rng.random(len(images)) < how.clean_share
    out[clean] = images[clean]
    return out


def _distort_chunk(images: UInt8, how: Distortion, rng: np.random.Generator) -> UInt8:
    n = len(images)
    maps_x, maps_y = _sampling_maps(n, how, rng)
    pen = rng.uniform(-how.stroke, how.stroke, n).astype(np.float32)
    # All digits stand below each other in one tall picture, so that OpenCV is called once and not once a digit. A
    # margin of black keeps them apart; beyond it there would be nothing but black to be found anyway.
    tall = np.zeros((n, _PITCH, _SIDE), np.uint8)
    tall[:, _MARGIN:-_MARGIN] = images
    maps_y = np.clip(maps_y, -_MARGIN + 1, _SIDE + _MARGIN - 2) + _MARGIN
    maps_y += (np.arange(n, dtype=np.float32) * _PITCH)[:, None, None]
    flat = maps_x.reshape(-1, _SIDE), maps_y.reshape(-1, _SIDE)
    changed = cv2.remap(tall.reshape(-1, _SIDE), *flat, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    out = change_strokes(changed.reshape(n, _SIDE, _SIDE), pen)
    if how.gaps:
        out = wear(out, _half_of(n, how.gaps, rng), rng)
    if how.cut:
        out = cut_off(out, _half_of(n, how.cut, rng), rng.integers(4, size=n))
    if how.specks:
        out = strew(out, np.ceil(_half_of(n, how.specks, rng)).astype(np.int64), rng)
    if how.blur:
        out = blur(out, _half_of(n, how.blur, rng))
    if how.contrast:
        left = 1 - _half_of(n, how.contrast, rng)[:, None, None]
        out = np.rint(out * left).astype(np.uint8)
    return out


def _half_of(n: int, most: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return amounts up to `most` for about half of ``n`` digits, and 0 for the others.

    Most pictures are sharp and strong, so a network should see such most often.
    """
    return rng.uniform(-most, most, n).clip(0).astype(np.float32)


def _sampling_maps(
    n: int, how: Distortion, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where each pixel of each changed digit is taken from, two arrays ``float32 (n, 28, 28)``."""

    def spread(limit: float) -> npt.NDArray[np.float32]:
        return rng.uniform(-limit, limit, (n, 1, 1)).astype(np.float32)

    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) - _CENTRE
    angle, slant = np.deg2rad(spread(how.rotation)), spread(how.shear)
    cos, sin = np.cos(angle), np.sin(angle)
    across, down = 1 / (1 + spread(how.scaling)), 1 / (1 + spread(how.scaling))
    map_x = (cos * x - sin * y + slant * y) * across + spread(how.shift) + _CENTRE
    map_y = (sin * x + cos * y) * down + spread(how.shift) + _CENTRE
    if how.elastic:
        # Each digit gets its own strength, so that mild and strong bending both occur.
        strength = how.elastic * np.sqrt(rng.random((n, 1), dtype=np.float32))
        for target in (map_x, map_y):
            nodes = rng.standard_normal((n, _NODES * _NODES), dtype=np.float32) * strength
            target += (nodes @ _ENLARGE).reshape(n, _SIDE, _SIDE)
    return map_x, map_y


def change_strokes(images: UInt8, amounts: npt.NDArray[np.float32]) -> UInt8:
    """Thicken or thin each digit's pen by blending it with its dilation or erosion.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    amounts
        ``float32 (n,)`` in [-1, 1]: pixels on every side, negative to thin. Less than 0.05 is not worth the work.
    """
    out = images.copy()
    for change, chosen in ((cv2.dilate, amounts >= _LEAST_CHANGE), (cv2.erode, amounts <= -_LEAST_CHANGE)):
        some = images[chosen]
        if not len(some):
            continue
        apart = np.pad(some, ((0, 0), (1, 1), (0, 0)), mode="edge").reshape(-1, _SIDE)
        other = np.asarray(change(apart, _CROSS), np.uint8).reshape(-1, _SIDE + 2, _SIDE)[:, 1:-1]
        share = np.abs(amounts[chosen])[:, None, None]
        out[chosen] = np.rint(some + share * (other.astype(np.float32) - some)).astype(np.uint8)
    return out


def wear(images: UInt8, shares: npt.NDArray[np.float32], rng: np.random.Generator) -> UInt8:
    """Leave out spots of the ink, as a pen does that runs dry.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    shares
        ``float32 (n,)`` in [0, 1): how much of each picture the spots cover.
    rng
        Decides where they are.
    """
    chosen = shares > 0
    spots = rng.standard_normal((np.count_nonzero(chosen), _SPOTS**2), dtype=np.float32) @ _SPOTTED
    left = np.clip((spots - ndtri(shares[chosen])[:, None]) / _SPOT_EDGE + 0.5, 0, 1)
    out = images.copy()
    out[chosen] = np.rint(images[chosen] * left.reshape(-1, _SIDE, _SIDE)).astype(np.uint8)
    return out


def cut_off(images: UInt8, amounts: npt.NDArray[np.float32], sides: Labels) -> UInt8:
    """Cut each digit off at one side, as the rim of a picture does.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    amounts
        ``float32 (n,)``: how much of the digit, pixels.
    sides
        ``int64 (n,)``: 0 left, 1 top, 2 right, 3 bottom.
    """
    out = images.copy()
    for side in range(4):
        chosen = (sides == side) & (amounts > 0)
        # Seen so that the cut is on the left.
        some = np.rot90(images[chosen], side, (1, 2))
        first = (some > 127).any(axis=1).argmax(axis=1)
        left = np.clip(np.arange(_SIDE) + 1 - (first + amounts[chosen])[:, None], 0, 1).astype(np.float32)
        out[chosen] = np.rot90(np.rint(some * left[:, None, :]).astype(np.uint8), -side, (1, 2))
    return out


def strew(images: UInt8, counts: Labels, rng: np.random.Generator) -> UInt8:
    """Strew specks of about a pixel over each picture.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    counts
        ``int64 (n,)``: how many.
    rng
        Decides where they are and how strong.
    """
    which = np.repeat(np.arange(len(images)), counts)
    y, x = rng.uniform(0, _SIDE - 1, (2, len(which)))
    strength = rng.uniform(100, 255, len(which))
    out = images.copy()
    row, column = y.astype(np.int64), x.astype(np.int64)
    for down in (0, 1):  # a speck lies over the four pixels around its place, mostly over the nearest
        for right in (0, 1):
            share = (1 - np.abs(row + down - y)) * (1 - np.abs(column + right - x))
            np.maximum.at(out, (which, row + down, column + right), np.rint(strength * share).astype(np.uint8))
    return out


def blur(images: UInt8, amounts: npt.NDArray[np.float32]) -> UInt8:
    """Blur each digit by a kernel of its own standard deviation.

    All are blended with the same Gaussian blur: the variance of such a kernel is the blur's, times the share of it.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    amounts
        ``float32 (n,)``: standard deviations, pixels.
    """
    widest = float(amounts.max(initial=0.0))
    if widest < _LEAST_CHANGE:
        return images
    chosen = amounts > 0
    some = images[chosen]
    reach = 3 * max(1, round(widest))
    apart = np.pad(some, ((0, 0), (reach, reach), (0, 0)))
    size = (2 * reach + 1,) * 2
    flat = cv2.GaussianBlur(apart.reshape(-1, _SIDE), size, widest, borderType=cv2.BORDER_CONSTANT)
    other = flat.reshape(apart.shape)[:, reach:-reach].astype(np.float32)
    share = np.square(amounts[chosen] / widest)[:, None, None]
    out = images.copy()
    out[chosen] = np.rint(some + share * (other - some)).astype(np.uint8)
    return out


_SPOT_EDGE = 0.5  # how softly spots end, in standard deviations of what is drawn for their places
_LEAST_CHANGE = 0.05  # of a pixel; less is not worth the work
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))

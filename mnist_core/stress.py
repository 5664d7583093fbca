"""Disturbances: named changes to digit images, each of one strength, to see what a network can take."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core.augment import change_strokes
from mnist_core.errors import DigitLabError
from mnist_core.recipes import Distortion

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Change = Callable[[Float32, float], Float32]

_SIDE = 28
_CENTRE = (_SIDE - 1) / 2
_NOISE_SEED, _ORDER_SEED = 5, 28  # fixed, so that a strength means the same picture every time
_REACH = 4  # standard deviations: how far the blur looks
_FINEST = 1e-9  # what adding up steps may be off by


@dataclass(frozen=True)
class Disturbance:
    """A way to change digit images, and how strong it may be.

    Attributes
    ----------
    name
        For addresses and files.
    title, help
        For people: what it is called and what it does.
    unit
        What follows the number: ``"pixels"``, ``"°"`` or ``"%"``.
    low, high, neutral
        The bounds of the strength, and the strength that changes nothing.
    step, spacing
        Between two strengths on a slider, and on a curve.
    toward
        What a strength below and above the neutral one does, in one or two words each, such as "to the left"; empty
        where it cannot be.
    """

    name: str
    title: str
    help: str
    unit: str
    low: float
    high: float
    neutral: float
    step: float
    spacing: float
    toward: tuple[str, str] = ("", "")

    def check(self, strength: object) -> float:
        """Return a strength as a number.

        Raises
        ------
        DigitLabError
            It is none, or out of bounds.
        """
        if isinstance(strength, bool) or not isinstance(strength, (int, float, np.integer, np.floating)):
            raise DigitLabError(f"{self.title}: {strength!r} is not a number.")
        value = float(strength)
        if not math.isfinite(value) or not self.low - _FINEST <= value <= self.high + _FINEST:
            raise DigitLabError(f"{self.title} goes from {self.write(self.low)} to {self.write(self.high)}.")
        return min(self.high, max(self.low, value))

    def apply(self, images: Float32, strength: float) -> Float32:
        """Return a changed copy of digit images.

        Parameters
        ----------
        images
            ``float32 (n, 28, 28)`` in [0, 1], white ink on black.
        strength
            Within the bounds. The neutral one gives the images themselves.

        Raises
        ------
        DigitLabError
            The strength is out of bounds.
        """
        return disturb(images, {self.name: strength})

    def strengths(self) -> Float64:
        """The strengths of a curve, rising, from bound to bound; the neutral one is among them."""
        below = math.floor((self.neutral - self.low) / self.spacing + _FINEST)
        above = math.floor((self.high - self.neutral) / self.spacing + _FINEST)
        between = self.neutral + self.spacing * np.arange(-below, above + 1)
        return np.unique(np.concatenate([[self.low], between, [self.high]]).round(6))

    def write(self, strength: float) -> str:
        """Write a strength with its unit, such as ``"2.5 pixels"``."""
        number = f"{strength:.3g}".replace("-", "\N{MINUS SIGN}")
        unit = self.unit.removesuffix("s") if abs(strength) == 1 else self.unit
        return f"{number}{unit}" if unit == "°" else f"{number} {unit}"


SIMPLE = (
    Disturbance(
        "shift", "Moved sideways", "The whole digit, to the right or to the left.", "pixels",
        -10, 10, 0, 1, 1, ("to the left", "to the right"),
    ),
    Disturbance(
        "rotation", "Turned", "About the middle of the picture. Half a turn makes a 9 of a 6.", "°",
        -180, 180, 0, 1, 15, ("to the left", "to the right"),
    ),
    Disturbance(
        "size", "Size", "Smaller or larger than usual. 100 % is the size in which digits are learned.", "%",
        50, 160, 100, 5, 10, ("smaller", "larger"),
    ),
    Disturbance(
        "stroke", "Pen", "Thicker or thinner, by so many pixels on every side of the line.", "pixels",
        -1, 3, 0, 0.25, 0.25, ("thinner", "thicker"),
    ),
    Disturbance(
        "noise", "Noise", "Each pixel becomes lighter or darker at random; this is by how much on average "
        "(standard deviation).", "%",
        0, 100, 0, 5, 5, ("", ""),
    ),
)  # fmt: skip
MORE = (
    Disturbance(
        "drop", "Moved down", "The whole digit, down or up.", "pixels", -10, 10, 0, 1, 1, ("up", "down"),
    ),
    Disturbance(
        "shear", "Slanted", "Pushed over to one side: so many pixels sideways for 100 pixels up.", "%",
        -100, 100, 0, 5, 10, ("to the left", "to the right"),
    ),
    Disturbance(
        "blur", "Blurred", "As if out of focus: each pixel is spread over its neighbours, so far (standard deviation).",
        "pixels", 0, 4, 0, 0.25, 0.25,
    ),
    Disturbance(
        "contrast", "Contrast", "How far white and black are apart. Low: all becomes grey.", "%",
        5, 100, 100, 5, 5, ("lower", ""),
    ),
    Disturbance(
        "occlusion", "Hidden", "The width of a black square in the middle that hides what is under it.", "pixels",
        0, 20, 0, 1, 1,
    ),
    Disturbance(
        "ink", "Ink inverted", "From white on black, over grey at 50 %, to black on white at 100 %.", "%",
        0, 100, 0, 5, 5,
    ),
    Disturbance(
        "shuffled", "Pixels shuffled", "This share of the pixels changes places, in every picture in the same way.",
        "%", 0, 100, 0, 5, 5,
    ),
)  # fmt: skip
DISTURBANCES: Mapping[str, Disturbance] = {one.name: one for one in (*SIMPLE, *MORE)}
"""All of them by name."""


def disturbance(name: object) -> Disturbance:
    """Return a disturbance by name; raises `DigitLabError` if there is none of that name."""
    if not isinstance(name, str) or name not in DISTURBANCES:
        raise DigitLabError(f"There is no disturbance called {str(name)[:40]!r}.")
    return DISTURBANCES[name]


def disturb(images: Float32, strengths: Mapping[str, float]) -> Float32:
    """Change digit images in several ways at once.

    Parameters
    ----------
    images
        ``float32 (n, 28, 28)`` in [0, 1], white ink on black.
    strengths
        By the disturbances' names; those that are missing are neutral. They work in the order of how pictures come
        about, whatever the order here: the pen first, then its place, the lens, the light, noise, the pixels' order.

    Returns
    -------
    ndarray
        ``float32 (n, 28, 28)`` in [0, 1]; the images themselves if nothing is to be changed.

    Raises
    ------
    DigitLabError
        A name is unknown, or a strength out of bounds.
    """
    active = {}
    for name, strength in strengths.items():
        value = disturbance(name).check(strength)
        if value != DISTURBANCES[name].neutral:
            active[name] = value
    if "stroke" in active:
        images = _stroke(images, active["stroke"])
    images = _move(images, active)
    for name, change in _AFTER.items():
        if name in active:
            images = change(images, active[name])
    return images


def learned(how: Distortion, name: str) -> float | None:
    """How far a recipe's distortions went in a disturbance's own unit; None for one that no recipe knows."""
    found = {
        "shift": how.shift,
        "drop": how.shift,
        "rotation": how.rotation,
        "size": 100 * how.scaling,
        "shear": 100 * how.shear,
        "stroke": how.stroke,
    }
    return found.get(name)


def _stroke(images: Float32, pixels: float) -> Float32:
    """Thicken or thin: whole pixels one after the other, then the rest."""
    changed = np.rint(images * 255).astype(np.uint8)
    left = abs(pixels)
    while left > _FINEST:
        changed = change_strokes(changed, np.full(len(images), math.copysign(min(1, left), pixels), np.float32))
        left -= 1
    return np.divide(changed, 255, dtype=np.float32)


def _shift(pixels: float) -> Float64:
    return np.array([[1, 0, pixels], [0, 1, 0], [0, 0, 1]])


def _drop(pixels: float) -> Float64:
    return np.array([[1, 0, 0], [0, 1, pixels], [0, 0, 1]])


def _rotation(degrees: float) -> Float64:
    """Clockwise, as rows count downwards."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _size(percent: float) -> Float64:
    return np.diag([percent / 100, percent / 100, 1])


def _shear(percent: float) -> Float64:
    return np.array([[1, -percent / 100, 0], [0, 1, 0], [0, 0, 1]])


# From a point of the digit to where it goes, both (x, y, 1) from the middle of the picture; in the order of the work.
_MATRICES: Mapping[str, Callable[[float], Float64]] = {
    "shear": _shear,
    "size": _size,
    "rotation": _rotation,
    "shift": _shift,
    "drop": _drop,
}


def _move(images: Float32, strengths: Mapping[str, float]) -> Float32:
    """All changes of place in one, so that pixels are interpolated once (bilinear), with black around the picture."""
    moves = [build(strengths[name]) for name, build in _MATRICES.items() if name in strengths]
    if not moves:
        return images
    matrix = np.eye(3)
    for move in moves:
        matrix = move @ matrix
    back = np.linalg.inv(matrix)
    y, x = np.mgrid[:_SIDE, :_SIDE] - _CENTRE
    from_x, from_y = (row[0] * x + row[1] * y + row[2] + _CENTRE for row in back[:2])
    return _sampled(images, from_y, from_x)


def _sampled(images: Float32, from_y: Float64, from_x: Float64) -> Float32:
    """Every pixel from a place between four others. Exact, where OpenCV rounds places to 1/32 of a pixel."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))  # black
    from_y, from_x = (np.clip(places.round(9), -1, _SIDE) for places in (from_y, from_x))
    top, left = np.floor(from_y).clip(-1, _SIDE - 1), np.floor(from_x).clip(-1, _SIDE - 1)
    down, right = (from_y - top).astype(np.float32), (from_x - left).astype(np.float32)
    row, column = top.astype(np.intp) + 1, left.astype(np.intp) + 1
    upper = padded[:, row, column] * (1 - right) + padded[:, row, column + 1] * right
    lower = padded[:, row + 1, column] * (1 - right) + padded[:, row + 1, column + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def _blur(images: Float32, sigma: float) -> Float32:
    """Spread each pixel with a Gaussian, black around the picture."""
    reach = math.ceil(_REACH * sigma)
    size = (2 * reach + 1, 2 * reach + 1)
    return np.stack([cv2.GaussianBlur(one, size, sigma, borderType=cv2.BORDER_CONSTANT) for one in images])


def _occlude(images: Float32, width: float) -> Float32:
    """Black in the middle; a pixel that is half under it is half black."""
    covered = np.clip(width / 2 - np.abs(np.arange(_SIDE) - _CENTRE) + 0.5, 0, 1)
    return np.asarray(images * (1 - np.outer(covered, covered)), np.float32)


def _contrast(images: Float32, percent: float) -> Float32:
    return np.asarray((images - 0.5) * (percent / 100) + 0.5, np.float32)


def _invert(images: Float32, percent: float) -> Float32:
    return np.asarray(images + (1 - 2 * images) * (percent / 100), np.float32)


def _add_noise(images: Float32, percent: float) -> Float32:
    """Gaussian noise; the first digits get the same, however many there are."""
    noise = np.random.default_rng(_NOISE_SEED).standard_normal(images.shape, np.float32)
    return np.asarray(np.clip(images + noise * (percent / 100), 0, 1), np.float32)


def _shuffle(images: Float32, percent: float) -> Float32:
    """Let the first pixels of a fixed random order change places, each going to where the one before it was."""
    chosen = _random_order()[: round(_SIDE * _SIDE * percent / 100)]
    flat = images.reshape(len(images), -1).copy()
    flat[:, chosen] = flat[:, np.roll(chosen, 1)]
    return flat.reshape(images.shape)


@cache
def _random_order() -> Places:
    return np.random.default_rng(_ORDER_SEED).permutation(_SIDE * _SIDE)


_AFTER: Mapping[str, Change] = {
    "blur": _blur,
    "occlusion": _occlude,
    "contrast": _contrast,
    "ink": _invert,
    "noise": _add_noise,
    "shuffled": _shuffle,
}

"""The values that preprocessing takes and gives: settings, steps, boxes and prepared digits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_core.errors import DigitLabError

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Array = npt.NDArray[Any]

# Longest side, in pixels, of a picture that is kept to be shown.
SHOWN_SIDE = 512


class Box(NamedTuple):
    """A rectangle in pixels of the picture that was given; `x` and `y` are its upper left corner."""

    x: int
    y: int
    width: int
    height: int


def _bounded(default: float, low: float, high: float) -> float:
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """Every switch and number of preprocessing. The defaults are what reads real pictures best.

    Parameters
    ----------
    flatten_light
        Divide by the paper's own brightness, so that shadows and falling light vanish.
    light_window
        Widest stroke that is still taken for ink and not for shadow, as a share of the picture's shorter
        side; 0 measures it. Between 0 and 1.
    polarity
        What the ink is: ``"dark"``, ``"light"``, or ``"auto"`` to decide by looking.
    threshold
        Ink strength from which a pixel counts as ink, between 0 and 1; 0 measures it.
    noise_factor
        How many times stronger than the paper's noise ink has to be, 1 to 20. Only for a measured threshold.
    soft_edges
        Keep how strong each pixel of ink is, so that edges stay smooth; otherwise ink is 1 and paper is 0.
    remove_ruling
        Take printed lines and squares away.
    remove_specks
        Leave specks, edges and neighbours of the digit out; otherwise all ink belongs to the digit.
    speck_size
        Parts smaller than this share of the digit are specks, 0 to 0.5.
    join_gap
        Parts nearer than this share of the digit's size belong to it, 0 to 1.
    crop
        Cut the digit out; otherwise the whole picture is scaled.
    even_ink
        Strengthen what a pen that pressed lightly has drawn.
    even_stroke
        Bring a thin or heavy pen near the width that MNIST's pens have.
    thinnest, heaviest
        The widths, in pixels of the 28x28 picture, beyond which a pen is thickened or thinned, 0.5 to 6.
    straighten
        Shear a slanting digit upright.
    keep_aspect
        Scale width and height by the same factor; otherwise fill the box.
    box_side
        Side of the box that the digit is scaled into, 8 to 28 pixels. MNIST's is 20.
    centre_by_mass
        Put the ink's centre of mass in the middle, as MNIST does; otherwise the box.

    Raises
    ------
    DigitLabError
        If a value is out of its bounds or of the wrong kind.
    """

    flatten_light: bool = True
    light_window: float = _bounded(0.0, 0.0, 1.0)
    polarity: Literal["auto", "dark", "light"] = "auto"
    threshold: float = _bounded(0.0, 0.0, 1.0)
    noise_factor: float = _bounded(5.0, 1.0, 20.0)
    soft_edges: bool = True
    remove_ruling: bool = True
    remove_specks: bool = True
    speck_size: float = _bounded(0.08, 0.0, 0.5)
    join_gap: float = _bounded(0.12, 0.0, 1.0)
    crop: bool = True
    even_ink: bool = True
    even_stroke: bool = True
    thinnest: float = _bounded(2.0, 0.5, 6.0)
    heaviest: float = _bounded(3.4, 0.5, 6.0)
    straighten: bool = False
    keep_aspect: bool = True
    box_side: int = field(default=20, metadata={"low": 8, "high": 28})
    centre_by_mass: bool = True

    def __post_init__(self) -> None:
        for f in fields(self):
            _check(f.name, getattr(self, f.name), f.type, f.metadata)
        if self.thinnest > self.heaviest:
            raise DigitLabError("The thinnest pen has to be thinner than the heaviest.")


def _check(name: str, value: object, kind: object, bounds: Mapping[str, float]) -> None:
    """Raise a `DigitLabError` unless the value of this setting is of its kind and within its bounds."""
    if kind is bool and not isinstance(value, bool):
        raise DigitLabError(f"{name} has to be true or false.")
    if name == "polarity" and value not in ("auto", "dark", "light"):
        raise DigitLabError("polarity has to be auto, dark or light.")
    if not bounds:
        return
    accepted = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted) or not math.isfinite(value):
        raise DigitLabError(f"{name} has to be a {'whole ' if kind is int else ''}number.")
    if not bounds["low"] <= value <= bounds["high"]:
        raise DigitLabError(f"{name} has to be between {bounds['low']:g} and {bounds['high']:g}.")


@dataclass(frozen=True, eq=False)
class Step:
    """One stage of preprocessing, kept to be shown.

    Parameters
    ----------
    name
        Stable key, such as ``"threshold"``.
    title
        The key in words.
    sentence
        What the stage did to this picture.
    image
        The picture after the stage, ``uint8 (h, w)`` or ``float32 (h, w)`` in [0, 1], at most
        `SHOWN_SIDE` pixels a side.
    parameters
        What the stage used or measured.
    """

    name: str
    title: str
    sentence: str
    image: UInt8 | Float32
    parameters: Mapping[str, float | int | str | bool]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What became of one digit of a picture.

    Parameters
    ----------
    steps
        Every stage in order.
    digit
        ``float32 (28, 28)`` in [0, 1], white ink on black, or None if no digit was found.
    box
        Where the digit lies in the picture, or None.
    problem
        Why there is no digit, one sentence, or empty.
    hints
        Remarks on the picture, a sentence each.
    """

    steps: tuple[Step, ...]
    digit: Float32 | None
    box: Box | None
    problem: str = ""
    hints: tuple[str, ...] = ()


def quantile(values: UInt8, share: float) -> float:
    """Return the value that this share of some ``uint8`` values does not exceed; many times faster than sorting."""
    counts = np.cumsum(np.bincount(values.ravel(), minlength=256))
    return float(np.searchsorted(counts, share * counts[-1]))

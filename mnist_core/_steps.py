"""The values that preprocessing takes and gives: settings, steps, boxes and prepared digits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, get_args

import cv2
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


def _switch(default: bool, title: str, about: str) -> bool:
    return field(default=default, metadata={"title": title, "help": about})


def _number(default: float, low: float, high: float, title: str, about: str) -> float:
    return field(default=default, metadata={"low": low, "high": high, "title": title, "help": about})


Polarity = Literal["auto", "dark", "light"]


@dataclass(frozen=True)
class Settings:
    """Every switch and number of preprocessing. The defaults are what reads real pictures best.

    Each field's ``metadata`` holds a ``title`` and a ``help`` in words for a person, numbers their bounds as
    ``low`` and ``high``, and `polarity` its ``choices``.

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

    flatten_light: bool = _switch(True, "Even out the light", "Shadows and light that falls off vanish.")
    light_window: float = _number(
        0.0,
        0.0,
        1.0,
        "Widest stroke (share of the picture, 0 = automatic)",
        "What is wider is shadow. Of the picture's shorter side; at 0 it is measured.",
    )
    polarity: Polarity = field(
        default="auto",
        metadata={
            "choices": get_args(Polarity),
            "title": "The ink is",
            "help": "Dark on a light ground or light on a dark one; auto decides by looking at the strokes.",
        },
    )
    threshold: float = _number(
        0.0,
        0.0,
        1.0,
        "Ink from (share of full strength, 0 = automatic)",
        "How much stronger than the ground ink has to be; 1 is black on white. At 0 it is measured.",
    )
    noise_factor: float = _number(
        5.0, 1.0, 20.0, "Times stronger than noise", "Ink has to stand out of the paper's noise by so much."
    )
    soft_edges: bool = _switch(
        True, "Keep soft edges", "Otherwise a pixel is ink or it is not, and edges become stairs."
    )
    remove_ruling: bool = _switch(True, "Take printed lines away", "Ruled and squared paper becomes plain.")
    remove_specks: bool = _switch(
        True,
        "Leave specks and neighbours out",
        "And boxes and circles around the digit, and lines under it. Otherwise all ink belongs to it.",
    )
    speck_size: float = _number(
        0.08, 0.0, 0.5, "Specks are smaller than (share of the digit)", "What is smaller is left out."
    )
    join_gap: float = _number(
        0.12, 0.0, 1.0, "Parts are joined up to (share of the digit)", "The widest gap that the pen may leave."
    )
    crop: bool = _switch(True, "Cut the digit out", "Otherwise the whole picture is scaled.")
    even_ink: bool = _switch(True, "Even out faint ink", "A pen that pressed lightly leaves the same digit.")
    even_stroke: bool = _switch(True, "Even out the pen's width", "Thin and heavy pens come near those of MNIST.")
    thinnest: float = _number(2.0, 0.5, 6.0, "Thinnest pen", "In pixels of 28 by 28. A thinner one is thickened.")
    heaviest: float = _number(3.4, 0.5, 6.0, "Heaviest pen", "In pixels of 28 by 28. A heavier one is thinned.")
    straighten: bool = _switch(False, "Set it upright", "A slanting digit is sheared until it stands.")
    keep_aspect: bool = _switch(True, "Keep the proportions", "Otherwise the digit is stretched to fill its box.")
    box_side: int = field(
        default=20,
        metadata={"low": 8, "high": 28, "title": "Side of the box (pixels)", "help": "MNIST's digits fill 20 by 20."},
    )
    centre_by_mass: bool = _switch(
        True, "Centre by mass", "The ink's centre of mass comes into the middle, as in MNIST; otherwise the box's."
    )

    def __post_init__(self) -> None:
        for f in fields(self):
            _check(f.name, getattr(self, f.name), f.type, f.metadata)
        if self.thinnest > self.heaviest:
            raise DigitLabError("The thinnest pen has to be thinner than the heaviest.")


def _check(name: str, value: object, kind: object, about: Mapping[str, Any]) -> None:
    """Raise a `DigitLabError` unless the value of this setting is of its kind and within its bounds."""
    if kind is bool and not isinstance(value, bool):
        raise DigitLabError(f"{name} has to be true or false.")
    if "choices" in about and value not in about["choices"]:
        raise DigitLabError(f"{name} has to be auto, dark or light.")
    if "low" not in about:
        return
    accepted = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted) or not math.isfinite(value):
        raise DigitLabError(f"{name} has to be a {'whole ' if kind is int else ''}number.")
    if not about["low"] <= value <= about["high"]:
        raise DigitLabError(f"{name} has to be between {about['low']:g} and {about['high']:g}.")


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
    several
        Whether there is another digit beside this one, where one is all that was looked for.
    cut
        Whether it was cut off from ink that it touches.
    lean
        Columns to the right for each row upwards, if it is nothing but one straight stroke; else None.
    length
        Of all its strokes, in longer sides of its box; 0 where that was not asked.
    """

    steps: tuple[Step, ...]
    digit: Float32 | None
    box: Box | None
    problem: str = ""
    hints: tuple[str, ...] = ()
    several: bool = False
    cut: bool = False
    lean: float | None = None
    length: float = 0.0


def quantile(image: UInt8, share: float, mask: UInt8 | None = None) -> float:
    """Return the value that this share of an image's pixels does not exceed; many times faster than sorting.

    Parameters
    ----------
    image
        ``uint8 (h, w)``.
    share
        Between 0 and 1.
    mask
        ``uint8 (h, w)``: only the pixels count where it is not 0. Where there are none, the answer is 0.
    """
    counts = cv2.calcHist([image], [0], mask, [256], [0, 256]).ravel().cumsum()
    return float(counts.searchsorted(share * counts[-1]))

"""A drawing as the canvas describes it, stroke by stroke: rendered again, and answered after each stroke."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Settings, prepare
from mnist_core.recognizer import Recognition, Recognizer

Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

MOST_MOMENTS = 12
"""With more strokes than this only as many of the moments are answered, evenly spread."""

_MOST_POINTS = 20_000  # of a whole drawing
_NUMBERS = {"M": 2, "L": 2, "Q": 4}  # that follow a letter; the last two are where the pen gets to
_CURVE = np.linspace(0.0, 1.0, 9)[1:, None]  # where a curve is looked at
_FINER = 4  # times as many pixels a side are drawn and averaged: OpenCV's own smooth lines are too wide by 1.4 pixels
_BITS = 4  # behind the binary point of a coordinate that is drawn


@dataclass(frozen=True, eq=False)
class Stroke:
    """One stroke of the pen: its course ``float64 (n, 2)`` as x and y, and its width, all in the canvas's pixels."""

    points: Float64
    width: float


@dataclass(frozen=True, eq=False)
class Moment:
    """What a network said after so many strokes.

    Attributes
    ----------
    strokes
        How many were drawn, at least one.
    picture
        ``uint8 (side, side)``, white on black.
    recognition
        The answer.
    turned
        Whether the answer is another one than just before.
    """

    strokes: int
    picture: UInt8
    recognition: Recognition
    turned: bool


def parse(objects: Sequence[Any], side: int) -> tuple[Stroke, ...]:
    """Read strokes out of the objects that Fabric.js, the canvas's library, writes.

    Parameters
    ----------
    objects
        Paths with "path", a list of commands such as ``["M", x, y]``, and "strokeWidth". From a browser: checked.
    side
        Of the canvas, in pixels; no stroke may leave it by more than that.

    Raises
    ------
    DigitLabError
        They are no such paths, or have too many points.
    """
    strokes = tuple(_stroke(one, side) for one in objects)
    if sum(len(stroke.points) for stroke in strokes) > _MOST_POINTS:
        raise DigitLabError("The drawing has too many strokes to be replayed.")
    return strokes


def render(strokes: Sequence[Stroke], side: int) -> UInt8:
    """Draw strokes white on black, with round ends, as ``uint8 (side, side)``."""
    finer = np.zeros((_FINER * side, _FINER * side), np.uint8)
    for stroke in strokes:
        _draw(finer, stroke)
    return np.asarray(cv2.resize(finer, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def replay(
    strokes: Sequence[Stroke], side: int, recognizer: Recognizer, settings: Settings = Settings()
) -> tuple[Moment, ...]:
    """Answer a drawing after each of its strokes, in one batch.

    Parameters
    ----------
    strokes
        In the order they were drawn.
    side
        Of the canvas, in pixels.
    recognizer, settings
        Whose answers they are, and how the pictures are prepared.
    """
    counts = _moments(len(strokes))
    pictures = [render(strokes[:count], side) for count in counts]
    answers = recognizer.answer_many([prepare(picture, settings) for picture in pictures])
    before = [None, *(one.digit for one in answers)]
    return tuple(
        Moment(count, picture, one, i > 0 and one.digit != before[i])
        for i, (count, picture, one) in enumerate(zip(counts, pictures, answers, strict=True))
    )


def _moments(n: int) -> list[int]:
    """After how many strokes there is an answer: each, or some of many, always the last."""
    return sorted({int(count) for count in np.linspace(1, n, min(n, MOST_MOMENTS)).round()}) if n else []


def _stroke(one: Any, side: int) -> Stroke:
    if not isinstance(one, Mapping) or not isinstance(one.get("path"), list) or not one["path"]:
        raise DigitLabError("There is something on the canvas that is no stroke of the pen.")
    if len(one["path"]) > _MOST_POINTS:
        raise DigitLabError("The drawing has too many strokes to be replayed.")
    width = _number(one.get("strokeWidth", 1), side)
    points: list[Float64] = []
    for command in one["path"]:
        points.extend(_course(command, points[-1] if points else None, side))
    return Stroke(np.array(points), max(1.0, width))


def _course(command: Any, start: Float64 | None, side: int) -> Float64:
    """Where one command of a path leads the pen, ``(n, 2)``."""
    if not isinstance(command, list) or not command or _NUMBERS.get(str(command[0])) != len(command) - 1:
        raise DigitLabError("There is something on the canvas that is no stroke of the pen.")
    numbers = np.array([_number(value, side) for value in command[1:]]).reshape(-1, 2)
    if command[0] != "Q" or start is None:
        return numbers[-1:]
    control, end = numbers
    return np.asarray((1 - _CURVE) ** 2 * start + 2 * (1 - _CURVE) * _CURVE * control + _CURVE**2 * end)


def _number(value: Any, side: int) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise DigitLabError("There is something on the canvas that is no stroke of the pen.")
    return float(min(max(value, -side), 2 * side))


def _draw(finer: UInt8, stroke: Stroke) -> None:
    """Draw with round ends on a picture of `_FINER` pixels for each of the canvas's."""
    width = max(1, round(stroke.width * _FINER))
    course = np.rint((stroke.points * _FINER - 0.5) * 2**_BITS).astype(np.int32)  # a pixel's middle is a whole number
    if np.ptp(course, axis=0).max() < 2**_BITS:  # a dot
        cv2.circle(finer, (int(course[0, 0]), int(course[0, 1])), round(width * 2 ** (_BITS - 1)), 255, -1, 8, _BITS)
        return
    cv2.polylines(finer, [course], False, 255, width, cv2.LINE_8, _BITS)

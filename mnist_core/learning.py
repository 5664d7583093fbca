"""News of a training -> curves, pace, and pictures of what the network has learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mnist_core.trained import Progress

UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

_WINDOW = 20  # pieces of news that tell how fast it goes now
_GAP = 2  # pixels between the pictures of two units
_CONTRAST = 0.7  # power of the opacity: below 1, small weights are seen too
POSITIVE, NEGATIVE = (47, 111, 224), (230, 126, 0)
"""Red, green and blue of weights above and below zero: told apart by everyone, on paper and on black."""


@dataclass(frozen=True, eq=False)
class Curves:
    """How loss and accuracy went.

    Attributes
    ----------
    at
        Epochs done, with fractions, ``float64 (n,)``: the middle of each stretch of batches.
    loss, accuracy
        Of the training batches in that stretch alone, ``float64 (n,)``.
    epochs
        Epochs that were finished, ``float64 (e,)``.
    train_loss, train_accuracy
        Means over all batches of each of them.
    validation_loss, validation_accuracy
        At the end of each of them; NaN where nothing was held back.
    """

    at: Float64
    loss: Float64
    accuracy: Float64
    epochs: Float64
    train_loss: Float64
    train_accuracy: Float64
    validation_loss: Float64
    validation_accuracy: Float64


def curves(news: "Sequence[Progress]") -> Curves:
    """Take the running means of an epoch apart into stretches of batches.

    Parameters
    ----------
    news
        In order; some may be missing.
    """
    stretches: list[tuple[float, float, float]] = []
    before = (0, 0, 0.0, 0.0)  # epoch, step, loss, accuracy
    for one in news:
        epoch, step, loss, accuracy = before if before[0] == one.epoch else (one.epoch, 0, 0.0, 0.0)
        if one.step > step:
            at = epoch - 1 + (step + one.step) / 2 / one.steps
            parts = [
                (new * one.step - old * step) / (one.step - step)
                for new, old in ((one.loss, loss), (one.accuracy, accuracy))
            ]
            stretches.append((at, max(0.0, parts[0]), min(1.0, max(0.0, parts[1]))))
        before = (one.epoch, one.step, one.loss, one.accuracy)
    batches = np.array(stretches, float).reshape(-1, 3).T
    done = [one for one in news if one.epoch_done]
    rows = [(o.epoch, o.loss, o.accuracy, o.validation_loss, o.validation_accuracy) for o in done]
    return Curves(*batches, *np.array(rows, float).reshape(-1, 5).T)


@dataclass(frozen=True)
class Pace:
    """How fast a training goes: training pictures a second, and seconds until it is done."""

    images_per_second: float
    seconds_left: float


def pace(news: "Sequence[Progress]", batch_size: int) -> Pace | None:
    """Tell how fast a training goes at the moment; None when there is no telling yet."""
    recent = news[-_WINDOW:]
    if len(recent) < 2:
        return None  # the first piece of news waited for the network to be compiled
    first, last = recent[0], recent[-1]
    seconds, steps = last.seconds - first.seconds, _steps_done(last) - _steps_done(first)
    if seconds <= 0 or steps <= 0:
        return None
    left = last.epochs * last.steps - _steps_done(last)
    return Pace(steps * batch_size / seconds, left * seconds / steps)


def _steps_done(news: "Progress") -> int:
    return (news.epoch - 1) * news.steps + news.step


def weights_picture(units: UInt8) -> UInt8:
    """Lay pictures of weights side by side.

    Parameters
    ----------
    units
        ``uint8 (n, 28, 28)``, n at least 1; 128 is a weight of zero.

    Returns
    -------
    ndarray
        ``uint8 (h, w, 4)``: red, green, blue, opacity. Weights of zero and the gaps are transparent.
    """
    n, height, width = units.shape
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    sheet = np.zeros((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 4), np.uint8)
    for number, unit in enumerate(units):
        y, x = (number // columns) * (height + _GAP), (number % columns) * (width + _GAP)
        sheet[y : y + height, x : x + width] = _coloured(unit)
    return sheet


def _coloured(unit: UInt8) -> UInt8:
    value = unit.astype(np.int16) - 128
    colours = np.where((value >= 0)[..., None], np.array(POSITIVE), np.array(NEGATIVE))
    opacity = 255 * np.minimum(np.abs(value) / 127, 1) ** _CONTRAST
    return np.dstack([colours, np.rint(opacity)]).astype(np.uint8)

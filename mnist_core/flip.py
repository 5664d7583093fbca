"""The smallest change to a digit that makes a network say something else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mnist_core.wording import a_digit

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

STEPS = 24
"""How often the way to the other answer is made straight anew."""
_HALVINGS = 24  # of a way of a few units of length: down to a millionth
_BEYOND = (1.02, 1.1)  # so much further than the straight line says, as the boundary is curved
_LONGEST = 0.5  # in full ink, of a step that did not turn the answer: further away the straight line means little
_BETTER = 0.999  # of the length so far: a step that gains less is the last
_AHEAD = 1e-4  # of a class score: what the new answer leads by, so that rounding does not take it back
_VISIBLE = 0.1  # of full ink: a pixel that changes by more can be seen


class Network(Protocol):
    """What is needed of a network; `mnist_core.recognizer.Recognizer` has it."""

    def logits(self, digits: Float32) -> Float32:
        """Class scores ``float32 (n, 10)`` of digit images ``float32 (n, 28, 28)``."""

    def gradients(self, digits: Float32, weights: Float32) -> Float32:
        """How a weighted sum of the scores grows with each pixel, ``float32 (n, 28, 28)``."""


@dataclass(frozen=True, eq=False)
class Flip:
    """A digit, and nearly the same digit with another answer.

    Attributes
    ----------
    before, after
        ``float32 (28, 28)`` in [0, 1].
    said, says
        The answers to them. Where no change was found they are the same, and so are the pictures.
    first
        Length of the change where the answer first turned, before the way back was halved and halved again.
    """

    before: Float32
    after: Float32
    said: int
    says: int
    first: float

    @property
    def found(self) -> bool:
        """Whether the answer could be turned."""
        return self.said != self.says

    @property
    def difference(self) -> Float32:
        """``float32 (28, 28)`` in [-1, 1]: ink that is added, or taken away where it is negative."""
        return self.after - self.before

    @property
    def size(self) -> float:
        """Length of the change: the root of the sum of its squares (L2), in full ink."""
        return float(np.linalg.norm(self.difference.astype(np.float64)))

    @property
    def share(self) -> float:
        """Its length as a share of the digit's own; 0 for an empty picture."""
        ink = float(np.linalg.norm(self.before.astype(np.float64)))
        return self.size / ink if ink else 0.0

    @property
    def sentence(self) -> str:
        """The size of the change in words."""
        if not self.found:
            return f"No small change was found that makes it anything but {a_digit(self.said)}."
        most = float(np.abs(self.difference).max())
        seen = int((np.abs(self.difference) > _VISIBLE).sum())
        pixels = "no pixel" if not seen else f"{seen} {'pixel' if seen == 1 else 'pixels'}"
        return (
            f"From {self.said} to {self.says} with a change {_percent(self.share)} as strong as the digit itself: "
            f"{pixels} of 784 {'changes' if seen <= 1 else 'change'} by more than {_VISIBLE:.0%}, "
            f"the most by {most:.0%}."
        )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else f"{share:.1%}"


def smallest_change(
    network: Network, digit: Float32, on_progress: Callable[[int, int], None] | None = None, steps: int = STEPS
) -> Flip:
    """Look for the smallest change (L2) that turns a network's answer, with every pixel staying in [0, 1].

    The network is taken as linear where we are; the nearest point of the picture's cube at which another class is
    ahead is worked out exactly, and gone to, until the answer turns: DeepFool (Moosavi-Dezfooli, Fawzi and Frossard,
    2016), with the bounds kept as Croce and Hein (2020) do it. Then, again and again: the way back to the digit is
    halved until the boundary is met, the network is taken as linear there, and the point nearest to the *digit* on the
    other side is tried. What is found is small, and not proven to be the smallest, except for a linear network.

    Parameters
    ----------
    network
        Whose answer is turned.
    digit
        ``float32 (28, 28)`` in [0, 1].
    on_progress
        Called with the steps done and the steps there are.
    steps
        At most so many, at least one.
    """
    start = np.asarray(digit, np.float64).ravel()
    said = int(_scores(network, start).argmax())
    here, best, first = start, None, 0.0
    for done in range(1, steps + 1):
        near = _nearest(network, start if best is not None else here, here, said)
        tried = next((place for place in _further(start, near) if _turned(network, place, said)), None)
        if on_progress is not None:
            on_progress(done, steps)
        if tried is None and (best is not None or not (near != here).any()):
            break
        if tried is None:  # each step goes a little further beyond than the one before it, but not far
            step = _BEYOND[0] ** done * (near - here)
            here = np.clip(here + step * min(1.0, _LONGEST / _length(step)), 0, 1)
            continue
        met = _halve(network, start, tried, said)
        if best is not None and _length(met - start) > _BETTER * _length(best - start):
            break
        first = first or _length(tried - start)
        here = best = met
    if on_progress is not None:
        on_progress(steps, steps)
    if best is None:
        return Flip(np.asarray(digit, np.float32), np.asarray(digit, np.float32), said, said, 0.0)
    after = best.astype(np.float32).reshape(28, 28)
    return Flip(np.asarray(digit, np.float32), after, said, int(_scores(network, best).argmax()), first)


def _scores(network: Network, place: Float64) -> Float64:
    return np.asarray(network.logits(place.astype(np.float32).reshape(1, 28, 28))[0], np.float64)


def _turned(network: Network, place: Float64, said: int) -> bool:
    scores = _scores(network, place)
    return bool(np.delete(scores, said).max() > scores[said] + _AHEAD)


def _length(change: Float64) -> float:
    return float(np.linalg.norm(change))


def _nearest(network: Network, origin: Float64, here: Float64, said: int) -> Float64:
    """The point nearest to an origin at which another class is ahead, were the network linear as it is here."""
    scores, found = _scores(network, here), []
    for other in range(10):
        if other == said:
            continue
        weights = np.zeros(10, np.float32)
        weights[other], weights[said] = 1, -1
        picture = here.astype(np.float32).reshape(1, 28, 28)
        slope = network.gradients(picture, weights).astype(np.float64).ravel()
        # At x, the other is ahead by scores[other] - scores[said] + slope (x - here).
        needed = scores[said] - scores[other] + 2 * _AHEAD - slope @ (origin - here)
        found.append(_within_bounds(origin, slope, needed))
    reached = [place for place, enough in found if enough] or [place for place, _ in found]
    return min(reached, key=lambda place: _length(place - origin))


def _further(start: Float64, near: Float64) -> list[Float64]:
    """The point that was found and ones a little behind it."""
    return [np.clip(start + beyond * (near - start), 0, 1) for beyond in (1.0, *_BEYOND)]


def _within_bounds(origin: Float64, slope: Float64, needed: float) -> tuple[Float64, bool]:
    """The point of the cube [0, 1] nearest to an origin in it at which slope (x - origin) reaches what is needed.

    That is ``clip(origin + t slope)`` for the smallest t that does; False if the whole cube has none.
    """
    if needed <= 0:
        return origin, True
    norm = float(slope @ slope)
    if norm < 1e-18:
        return origin, False

    def at(t: float) -> Float64:
        return np.clip(origin + t * slope, 0, 1)

    low, high = 0.0, needed / norm
    while slope @ (at(high) - origin) < needed:
        low, high = high, 2 * high
        if high * np.sqrt(norm) > 1e6:  # every pixel is at its bound
            return at(high), False
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if slope @ (at(middle) - origin) >= needed else (middle, high)
    return at(high), True


def _halve(network: Network, start: Float64, turned: Float64, said: int) -> Float64:
    """The first point on the straight way from the digit to one with another answer at which that is turned."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _turned(network, start + middle * (turned - start), said) else (middle, high)
    return np.clip(start + high * (turned - start), 0, 1)

"""What part of a digit speaks for one class and against another: integrated gradients, and a picture of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mnist_core.recognizer import Recognizer

Float32 = npt.NDArray[np.float32]

STEPS = 256  # one of the recogniser's batches; the sum is then right to a few hundredths with the bundled networks
_INK = 0.1  # of full ink: what the outline of a digit is made of
_FAINT = 0.04  # of the strongest: what is left out of the picture
_ACROSS = ("on the left", "in the middle", "on the right")
_DOWN = ("at the top", "in the middle", "at the bottom")


@dataclass(frozen=True, eq=False)
class Evidence:
    """How much each pixel of a digit image speaks for one digit against another.

    Attributes
    ----------
    digit
        ``float32 (28, 28)`` in [0, 1]: the digit image.
    wanted, other
        The digit that positive values speak for, and the one that negative values speak for.
    values
        ``float32 (28, 28)``, in units of class scores (natural logarithms of odds). They sum to `gain`, up to what the
        steps of the integral leave.
    gain
        The score of `wanted` less that of `other`, and less the same for a blank picture.
    """

    digit: Float32
    wanted: int
    other: int
    values: Float32
    gain: float

    @property
    def sentence(self) -> str:
        """Where the most of it is, in words."""
        if not self.values.any():
            return "There is no ink that could speak for a digit."
        parts = [
            f"most of what speaks for the {digit} is {place}"
            for digit, place in ((self.wanted, self._place(1)), (self.other, self._place(-1)))
            if place
        ]
        return ("; ".join(parts) + ".").capitalize()

    def _place(self, sign: int) -> str:
        """The ninth of the digit with the most evidence of this sign; empty where there is none."""
        strength = np.maximum(sign * self.values, 0)
        if not strength.any():
            return ""
        rows, columns = (_thirds(self.digit.max(axis=axis) > _INK) for axis in (1, 0))
        sums = [[float(strength[np.ix_(rows == i, columns == j)].sum()) for j in range(3)] for i in range(3)]
        down, across = divmod(int(np.argmax(sums)), 3)
        if down == 1:
            return _ACROSS[across]
        return _DOWN[down] if across == 1 else f"{_DOWN[down]}, {_ACROSS[across]}"


def weigh(recognizer: "Recognizer", digit: Float32, wanted: int, other: int, steps: int = STEPS) -> Evidence:
    """Say of each pixel how much it speaks for one digit against another.

    These are integrated gradients (Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", 2017) of the
    difference of the two class scores, on the straight way from a blank picture to the digit. For a linear network
    they are weights times pixels. A pixel without ink has none.

    Parameters
    ----------
    recognizer
        The network.
    digit
        ``float32 (28, 28)`` in [0, 1].
    wanted, other
        Two different digits: positive values speak for the first, negative ones for the second.
    steps
        How many points of the way the gradient is taken at.
    """
    weights = np.zeros(10, np.float32)
    weights[wanted], weights[other] = 1, -1
    points = ((np.arange(steps, dtype=np.float32) + 0.5) / steps)[:, None, None]
    slopes = recognizer.gradients(np.asarray(points * digit, np.float32), weights).mean(axis=0, dtype=np.float64)
    blank, score = recognizer.logits(np.stack([np.zeros_like(digit), digit])) @ weights
    return Evidence(digit, wanted, other, (digit * slopes).astype(np.float32), float(score - blank))


def _thirds(inked: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """The third of the digit's extent, 0 to 2, that each of 28 rows or columns lies in."""
    places = np.flatnonzero(inked)
    first, last = (places[0], places[-1] + 1) if len(places) else (0, len(inked))
    return ((np.arange(len(inked)) - first) * 3 // (last - first)).clip(0, 2)


def drawing(evidence: Evidence) -> str:
    """Draw it as SVG whose colours the page gives.

    What speaks for `wanted` has the class ``dl-for``, what speaks for `other` ``dl-against``, the stronger the more
    opaque; the ink below has ``dl-ink``.
    """
    strongest = float(np.abs(evidence.values).max()) or 1.0
    squares = []
    for y, x in np.argwhere(evidence.digit > 0):
        share = float(evidence.values[y, x]) / strongest
        squares.append(_square(int(x), int(y), "dl-ink", 0.3 * float(evidence.digit[y, x])))
        if abs(share) >= _FAINT:
            squares.append(_square(int(x), int(y), "dl-for" if share > 0 else "dl-against", abs(share) ** 0.6))
    words = f"The digit's ink, coloured by whether it speaks for {evidence.wanted} or for {evidence.other}"
    return f'<svg class="dl-evidence" viewBox="0 0 28 28" role="img" aria-label="{words}">{"".join(squares)}</svg>'


def _square(x: int, y: int, kind: str, opacity: float) -> str:
    return f'<rect class="{kind}" x="{x}" y="{y}" width="1.02" height="1.02" fill-opacity="{opacity:.2f}"/>'

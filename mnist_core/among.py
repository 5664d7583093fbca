"""Where a drawing lies among the test digits: on a map of them, beside the nearest, in a cell of the matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist_core.confusion import matrix
from mnist_core.explain import Gallery, Neighbour, in_words
from mnist_core.predictions import Predictions
from mnist_core.wording import a_digit

Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

ON_MAP = 2000
_ROUNDS = 40  # of the iteration that finds the two directions
_SPARE = 10  # directions more than wanted, so that it converges where the second and the third are as long


@dataclass(frozen=True, eq=False)
class Landscape:
    """Digits on a plane: their features, seen along the two directions in which they differ most.

    Attributes
    ----------
    rows
        ``intp (n,)``: which digits of the dataset's part.
    labels
        ``int64 (n,)``: what they are.
    points
        ``float32 (n, 2)``: where they lie.
    centre, directions
        ``float32 (k,)`` and ``(k, 2)``, the directions of length 1.
    share
        Of all that the features differ by (their variance), how much is seen, in [0, 1].
    """

    rows: Rows
    labels: Labels
    points: Float32
    centre: Float32
    directions: Float32
    share: float

    def place(self, features: Float32) -> tuple[float, float]:
        """Return where a digit with these features, ``float32 (k,)``, lies."""
        x, y = (features - self.centre) @ self.directions
        return float(x), float(y)


def survey(gallery: Gallery, most: int = ON_MAP) -> Landscape:
    """Lay a gallery's digits, or as many evenly spread ones, on a plane.

    The plane is that of the first two principal components, found by subspace iteration (Halko, Martinsson and Tropp,
    2011), which takes a fraction of the time of a whole decomposition.
    """
    chosen = np.arange(len(gallery.rows))
    if len(chosen) > most:
        chosen = np.linspace(0, len(chosen) - 1, most).astype(np.intp)
    features = gallery.features[chosen].astype(np.float32)
    centre = features.mean(axis=0)
    spread = features - centre
    directions = _directions(spread)
    points = spread @ directions
    total = float((spread**2).sum(dtype=np.float64)) or 1.0
    share = float((points**2).sum(dtype=np.float64)) / total
    return Landscape(gallery.rows[chosen], gallery.labels[chosen], points, centre, directions, share)


def _directions(spread: Float32) -> Float32:
    """The two directions ``(k, 2)`` of most variance of features ``(n, k)`` whose mean is 0."""
    width = spread.shape[1]
    basis = np.random.default_rng(0).standard_normal((width, min(width, 2 + _SPARE))).astype(np.float32)
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(spread.T @ (spread @ basis))[0]
    _, _, turned = np.linalg.svd(spread @ basis, full_matrices=False)
    found = np.asarray(basis @ turned[:2].T, np.float32)
    # A direction and its opposite are as good. The largest entry is positive, so that a map looks the same each time.
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    return np.asarray(found * np.where(largest < 0, -1, 1), np.float32)


def neighbours_in_words(neighbours: Sequence[Neighbour], predictions: Predictions) -> str:
    """Say what the nearest test digits are, and how many of them the run reads right."""
    wrong = int(predictions.wrong[[one.row for one in neighbours]].sum())
    if not wrong:
        return f"{in_words(neighbours)} {predictions.run} reads every one of them right."
    few = "one of them" if wrong == 1 else f"{wrong} of them"
    return f"{in_words(neighbours)} {predictions.run} reads {few} wrong."


def cell_in_words(predictions: Predictions, true: int, read: int) -> str:
    """Say how often the run reads a digit as another, or right: the cell of the confusion matrix."""
    counts = matrix(predictions)
    n, of = int(counts[true, read]), int(counts[true].sum())
    if not of:
        return f"There is no {true} among these digits."
    many = f"{n:,} {'is' if n == 1 else 'are'} read as {read}" if n else f"none is read as {read}: yours is a first"
    whole = "1 digit here that is" if of == 1 else f"{of:,} digits here that are"
    return f"Of the {whole} {a_digit(true)}, {many}."

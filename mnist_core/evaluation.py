"""Labels and class scores -> figures about them."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def softmax(class_scores: npt.ArrayLike, temperature: float = 1.0) -> Float32:
    """Return probabilities for class scores.

    Parameters
    ----------
    class_scores
        ``(n, 10)`` or ``(10,)``, any finite values.
    temperature
        Above 1 softens, below 1 sharpens (Guo, Pleiss, Sun and Weinberger, 2017).

    Returns
    -------
    ndarray
        ``float32``, same shape, each row in [0, 1] and summing to 1.
    """
    scaled = np.asarray(class_scores, np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True), np.float32)


def log_softmax(class_scores: npt.ArrayLike, temperature: float = 1.0) -> Float64:
    """Return the logarithm of the probabilities, ``float64``, without losing the small ones to rounding."""
    scaled = np.asarray(class_scores, np.float64) / temperature
    shifted = scaled - scaled.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def cross_entropy(class_scores: npt.ArrayLike, labels: Labels, temperature: float = 1.0) -> float:
    """Return the mean negative log-probability of the true digits, in nats.

    Parameters
    ----------
    class_scores
        ``(n, 10)``.
    labels
        ``(n,)``, 0 to 9.
    temperature
        Divides the scores first.
    """
    return float(-log_softmax(class_scores, temperature)[np.arange(len(labels)), labels].mean())


def score(class_scores: Float32, labels: Labels) -> tuple[float, float]:
    """Return accuracy in [0, 1] and cross-entropy in nats."""
    return float((class_scores.argmax(axis=1) == labels).mean()), cross_entropy(class_scores, labels)


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a share, both ends in [0, 1]."""

    low: float
    high: float


def wilson_interval(successes: int, n: int, z: float = 1.959963984540054) -> Interval:
    """Return the interval of a share after Wilson (1927), 95 % as it stands.

    Parameters
    ----------
    successes, n
        How many of how many; n at least 1.
    z
        Standard normal quantile of the confidence level.
    """
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def in_percent(share: float) -> str:
    """Return a share in [0, 1] in whole percent, such as ``"87%"``, never claiming certainty that rounding made."""
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def fit_temperature(class_scores: Float32, labels: Labels) -> float:
    """Return the temperature in [0.2, 5] with the least cross-entropy on these (validation) scores.

    The cross-entropy is convex in the inverse temperature, so a golden-section search finds the one minimum.
    """
    ratio = (math.sqrt(5) - 1) / 2
    low, high = 0.2, 5.0  # inverse temperatures
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if cross_entropy(class_scores, labels, 1 / left) < cross_entropy(class_scores, labels, 1 / right):
            high = right
        else:
            low = left
    return 2 / (low + high)


def confusion_matrix(labels: Labels, predicted: Labels) -> npt.NDArray[np.int64]:
    """Return counts ``int64 (10, 10)``: true digit down, predicted digit across."""
    return np.bincount(labels * 10 + predicted, minlength=100).reshape(10, 10)

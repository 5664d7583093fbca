"""Predictions -> accuracy, loss, and how well each digit is read; and what of it can be taken away."""

import csv
import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist_core.evaluation import Interval, confusion_matrix, wilson_interval
from mnist_core.predictions import Predictions

Float64 = npt.NDArray[np.float64]

GUESSING = math.log(10)
"""Loss in nats of giving every digit the same probability."""
_Z = 1.959963984540054  # standard normal quantile of 95 %, both sides
_ENOUGH = 30  # digits, from which on the mean of their losses is nearly normal


@dataclass(frozen=True)
class Scores:
    """How good a run is on a dataset.

    Attributes
    ----------
    n, errors
        Digits, and how many of them are read wrong.
    accuracy, accuracy_interval
        Share read right, in [0, 1], and its 95 % interval (Wilson, 1927).
    loss, loss_interval
        Cross-entropy in nats, and its 95 % interval by the normal approximation; None for fewer than 30 digits.
    top_two, top_two_interval
        Share of digits that are the most or the second most probable one, in [0, 1].
    """

    n: int
    errors: int
    accuracy: float
    accuracy_interval: Interval
    loss: float
    loss_interval: Interval | None
    top_two: float
    top_two_interval: Interval

    @property
    def errors_interval(self) -> tuple[float, float]:
        """The 95 % interval of the number of errors among n digits."""
        return self.n * (1 - self.accuracy_interval.high), self.n * (1 - self.accuracy_interval.low)


def scores(predictions: Predictions) -> Scores:
    """Measure accuracy, loss and top-2 accuracy."""
    n, errors = len(predictions), int(predictions.wrong.sum())
    # As with the most probable digit, of two equally probable ones the smaller comes first.
    order = np.argsort(-predictions.log_probabilities, axis=1, kind="stable")[:, :2]
    among_two = int((order == predictions.labels[:, None]).any(axis=1).sum())
    losses = predictions.raw_losses  # as the training reports it
    return Scores(
        n,
        errors,
        (n - errors) / n,
        wilson_interval(n - errors, n),
        float(losses.mean()),
        _mean_interval(losses),
        among_two / n,
        wilson_interval(among_two, n),
    )


def _mean_interval(losses: Float64) -> Interval | None:
    if len(losses) < _ENOUGH:
        return None
    half = _Z * float(losses.std(ddof=1)) / math.sqrt(len(losses))
    return Interval(max(0.0, float(losses.mean()) - half), float(losses.mean()) + half)


@dataclass(frozen=True)
class DigitScore:
    """How well one digit is read. A share is None where there is nothing that it could be a share of.

    Attributes
    ----------
    digit
        0 to 9.
    support, answered, right
        How often it was written, how often it was the answer, how often both.
    """

    digit: int
    support: int
    answered: int
    right: int

    @property
    def recall(self) -> float | None:
        """Of those that were written, the share that is read right."""
        return self.right / self.support if self.support else None

    @property
    def precision(self) -> float | None:
        """Of those that are read as this digit, the share that is one."""
        return self.right / self.answered if self.answered else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        both = self.support + self.answered
        return 2 * self.right / both if both else None

    @property
    def recall_interval(self) -> Interval | None:
        """Its 95 % interval."""
        return wilson_interval(self.right, self.support) if self.support else None

    @property
    def precision_interval(self) -> Interval | None:
        """Its 95 % interval."""
        return wilson_interval(self.right, self.answered) if self.answered else None


def digit_scores(predictions: Predictions) -> tuple[DigitScore, ...]:
    """Measure each of the ten digits."""
    counts = confusion_matrix(predictions.labels, predictions.predicted)
    return tuple(
        DigitScore(digit, int(counts[digit].sum()), int(counts[:, digit].sum()), int(counts[digit, digit]))
        for digit in range(10)
    )


def report(predictions: Predictions) -> str:
    """Write the classification report as text, laid out as scikit-learn does; undefined shares count as 0."""
    rows = [
        (str(one.digit), one.precision or 0.0, one.recall or 0.0, one.f1 or 0.0, one.support)
        for one in digit_scores(predictions)
    ]
    n = len(predictions)
    accuracy = 1 - int(predictions.wrong.sum()) / n

    def average(weights: list[int]) -> tuple[float, ...]:
        return tuple(float(np.average([row[place] for row in rows], weights=weights)) for place in (1, 2, 3))

    lines = [f"{'':>12}  " + " ".join(f"{name:>9}" for name in ("precision", "recall", "f1-score", "support")), ""]
    lines += [_line(name, shares, support) for name, *shares, support in rows]
    lines += ["", f"{'accuracy':>12}  {'':>9} {'':>9} {accuracy:>9.4f} {n:>9}"]
    lines += [_line("macro avg", average([1] * 10), n)]
    lines += [_line("weighted avg", average([row[4] for row in rows]), n)]
    return "\n".join(lines) + "\n"


def _line(name: str, shares: list[float] | tuple[float, ...], support: int) -> str:
    return f"{name:>12}  " + " ".join(f"{share:>9.4f}" for share in shares) + f" {support:>9}"


def as_csv(predictions: Predictions) -> str:
    """Write one line for each digit: what it is, what it was read as, and how sure the network was."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["number", "true", "read_as", "right", "accepted", "probability", "probability_of_true", "margin", "loss"]
        + [f"p{digit}" for digit in range(10)]
    )
    accepted = predictions.certainty >= predictions.least_probability
    whole = np.column_stack([np.arange(len(predictions)), predictions.labels, predictions.predicted]).tolist()
    flags = np.where(np.column_stack([~predictions.wrong, accepted]), "yes", "no").tolist()
    values = (predictions.certainty, predictions.true_probability, predictions.margins, predictions.losses)
    numbers = np.column_stack([*values, predictions.probabilities]).round(6).tolist()
    writer.writerows([*a, *b, *c] for a, b, c in zip(whole, flags, numbers, strict=True))
    return out.getvalue()

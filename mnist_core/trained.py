"""What a training tells while it goes on, and what it gives. Without TensorFlow, so that any process can hold it."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mnist_core.recipes import Recipe

Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

MOST_CHECKPOINTS = 20
_MOST_CHECKPOINT_BYTES = 128 * 2**20


@dataclass(frozen=True)
class Source:
    """Which digits a network was trained on: the name and the fingerprint of the dataset."""

    name: str
    fingerprint: str


class StopTraining(Exception):
    """Raised by a listener to end the training after the current stretch of steps; what was learned is kept."""


@dataclass(frozen=True)
class Progress:
    """One piece of news while a network trains.

    Attributes
    ----------
    epoch, epochs
        The epoch under way, from 1, and how many there will be.
    step, steps
        Steps done in this epoch, and how many it has.
    loss, accuracy
        Running means over this epoch's training batches, as distorted and with dropout.
    validation_loss, validation_accuracy
        Measured when the epoch ends; None before that, or without a validation split.
    seconds
        Since the training began, without the time that its listeners took.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    seconds: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    @property
    def epoch_done(self) -> bool:
        """Whether this is the last news of its epoch."""
        return self.step == self.steps


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What a training gives.

    Attributes
    ----------
    recipe
        What was trained.
    weights
        By name, as `mnist_core.network.get_weights` gives them.
    history
        The last `Progress` of each epoch.
    seconds
        Of training and validation, without compiling the network beforehand.
    train_scores, validation_scores, test_scores
        Class scores ``float32 (n, 10)`` after training, on the undistorted digits.
    train_labels, validation_labels, test_labels
        ``int64 (n,)``.
    checkpoints
        The weights after some epochs, the first and the last among them; at most `MOST_CHECKPOINTS`.
    continued_from
        The run whose weights this training began with; None where it began with fresh ones.
    """

    recipe: Recipe
    weights: dict[str, Float32]
    history: tuple[Progress, ...]
    seconds: float
    train_scores: Float32
    train_labels: Labels
    validation_scores: Float32
    validation_labels: Labels
    test_scores: Float32
    test_labels: Labels
    checkpoints: dict[int, dict[str, Float32]] = field(default_factory=dict)
    continued_from: str | None = None


class Checkpoints:
    """Keeps the weights after some of the epochs, evenly spread, however many there will be."""

    def __init__(self) -> None:
        self._kept: dict[int, dict[str, Float32]] = {}
        self._every = 1

    def add(self, epoch: int, weights: dict[str, Float32]) -> None:
        """Take the weights after an epoch; where there are too many then, every second one goes."""
        last = next(reversed(self._kept), None)
        if last is not None and (last - 1) % self._every:
            del self._kept[last]  # it was only kept as the latest
        self._kept[epoch] = weights
        size = sum(value.nbytes for value in weights.values())
        most = max(3, min(MOST_CHECKPOINTS, _MOST_CHECKPOINT_BYTES // size))
        while len(self._kept) > most:
            self._every *= 2
            self._kept = {at: kept for at, kept in self._kept.items() if at == epoch or (at - 1) % self._every == 0}

    def kept(self) -> dict[int, dict[str, Float32]]:
        """The weights by epoch, in order."""
        return dict(self._kept)

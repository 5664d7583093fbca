"""What a run says of every digit of a labelled dataset: stored with the run, kept from before, or worked out."""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mnist_core._kept import keep_file, network_digest
from mnist_core._npz import read_npz
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import log_softmax
from mnist_core.home import home
from mnist_core.runs import Run, load_predictions

if TYPE_CHECKING:
    from mnist_core.recognizer import Recognizer

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_CHUNK = 1024  # digits between two reports of progress
_MOST_KEPT = 64  # files; 0.4 MB each for 10,000 digits
_MOST_BYTES = 64 * 2**20
_LEAST = np.float32(1e-45)  # the smallest float32: a stored probability of 0 was smaller than that


@dataclass(frozen=True, eq=False)
class Predictions:
    """A run's answers on the digits of one dataset, row by row in the dataset's order.

    Attributes
    ----------
    run, dataset
        Their names.
    labels
        ``int64 (n,)``: the true digits, 0 to 9; n is at least 1.
    log_probabilities
        ``float32 (n, 10)``: logarithms of the probabilities as the network gives them, before any temperature.
    temperature, least_probability
        The run's calibration: what divides the logarithms, and the smallest probability with which an answer is
        accepted.
    """

    run: str
    dataset: str
    labels: Labels
    log_probabilities: Float32
    temperature: float = 1.0
    least_probability: float = 0.5

    def __post_init__(self) -> None:
        if not len(self.labels):
            raise DigitLabError("There is no digit in it to measure a network with.")

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predicted(self) -> Labels:
        """The most probable digits, ``int64 (n,)``."""
        return np.asarray(self.log_probabilities.argmax(axis=1), np.int64)

    @cached_property
    def wrong(self) -> Mask:
        """Which digits are read wrong, ``bool (n,)``."""
        return np.asarray(self.predicted != self.labels)

    @cached_property
    def probabilities(self) -> Float64:
        """Calibrated probabilities ``float64 (n, 10)``, rows summing to 1."""
        return np.exp(log_softmax(self.log_probabilities, self.temperature))

    @cached_property
    def certainty(self) -> Float64:
        """Calibrated probability of the most probable digit, ``float64 (n,)``."""
        return np.asarray(self.probabilities.max(axis=1))

    @cached_property
    def true_probability(self) -> Float64:
        """Calibrated probability of the true digit, ``float64 (n,)``."""
        return np.asarray(self.probabilities[np.arange(len(self)), self.labels])

    @cached_property
    def losses(self) -> Float64:
        """Negative logarithm of the calibrated probability of the true digit in nats, ``float64 (n,)``."""
        return self._losses(self.temperature)

    @cached_property
    def raw_losses(self) -> Float64:
        """The same before any temperature; their mean is the loss that trainings report."""
        return self._losses(1.0)

    def _losses(self, temperature: float) -> Float64:
        return np.asarray(-log_softmax(self.log_probabilities, temperature)[np.arange(len(self)), self.labels])

    @cached_property
    def margins(self) -> Float64:
        """How far the most probable digit is ahead of the second, ``float64 (n,)`` in [0, 1]."""
        highest = np.partition(self.probabilities, -2, axis=1)
        return np.asarray(highest[:, -1] - highest[:, -2])


def stored(run: Run, dataset: str) -> Predictions:
    """Return the answers on its own test set that were stored with a run; neither pictures nor network are needed.

    Raises
    ------
    DigitLabError
        The file is missing or damaged.
    """
    labels, probabilities = load_predictions(run)
    return _predictions(run, dataset, labels, np.log(np.maximum(probabilities, _LEAST)))


def evaluate(
    recognizer: "Recognizer", dataset: Dataset, on_progress: Callable[[int, int], None] | None = None
) -> Predictions:
    """Let a run answer a dataset's test digits.

    Parameters
    ----------
    recognizer
        The run.
    dataset
        With at least one test digit.
    on_progress
        Called with the digits done and the digits there are.

    Raises
    ------
    DigitLabError
        There is no test digit.
    """
    n = len(dataset.test_labels)
    parts = [np.zeros((0, 10), np.float32)]
    for start in range(0, n, _CHUNK):
        chunk = dataset.test_images[start : start + _CHUNK]
        parts.append(recognizer.logits(np.divide(chunk, 255, dtype=np.float32)))
        if on_progress is not None:
            on_progress(min(start + _CHUNK, n), n)
    logs = log_softmax(np.concatenate(parts)).astype(np.float32)
    return _predictions(recognizer.run, dataset.name, dataset.test_labels, logs)


def kept(run: Run, dataset: Dataset) -> Predictions | None:
    """Return the answers that `keep` wrote for this network and these digits; None if there are none."""
    n = len(dataset.test_labels)
    try:
        (logs,) = read_npz(_path(run, dataset), ("log_probabilities",), _MOST_BYTES)
    except (ValueError, DigitLabError):
        return None
    if logs.shape != (n, 10) or logs.dtype != np.float32 or not (logs <= 0).all() or not np.isfinite(logs).all():
        return None
    return _predictions(run, dataset.name, dataset.test_labels, logs)


def keep(predictions: Predictions, run: Run, dataset: Dataset) -> None:
    """Write answers into Digit Lab's folder, under the hash of network and digits; the oldest ones go.

    A folder that cannot be written is no error: they are worked out again the next time.
    """
    with suppress(DigitLabError):
        path = _path(run, dataset)
        content = io.BytesIO()
        np.savez_compressed(content, log_probabilities=predictions.log_probabilities)
        keep_file(path, content.getvalue(), _MOST_KEPT)


def _path(run: Run, dataset: Dataset) -> Path:
    """The file for a network and a dataset: named after everything that decides the answers."""
    digest = network_digest(run)
    digest.update(np.ascontiguousarray(dataset.test_images).data)
    digest.update(np.ascontiguousarray(dataset.test_labels, np.uint8).data)
    return home() / "evaluations" / f"{digest.hexdigest()}.npz"


def _predictions(run: Run, dataset: str, labels: Labels, logs: Float32) -> Predictions:
    calibration = run.calibration
    return Predictions(run.name, dataset, labels, logs, calibration.temperature, calibration.least_probability)

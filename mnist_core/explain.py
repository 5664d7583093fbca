"""Why a network answers as it does: the digits of a dataset that it finds most like a digit."""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from mnist_core._kept import keep_file, network_digest
from mnist_core._npz import read_npz
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.home import home
from mnist_core.runs import Run
from mnist_core.wording import a_digit

if TYPE_CHECKING:
    from mnist_core.recognizer import Recognizer

Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Part = Literal["train", "test"]

_CALLED: dict[Part, str] = {"train": "training", "test": "test"}
_CHUNK = 1024  # digits at a time: four of the recogniser's largest batches
_MOST_BYTES = 64 * 2**20  # of features: all of MNIST's training digits with 512 numbers each
_MOST_KEPT = 6  # files of features
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A digit of a dataset near the one that was asked about.

    Attributes
    ----------
    row
        Its number among the dataset's training or test digits.
    image
        ``uint8 (28, 28)``.
    label
        What it is, 0 to 9.
    distance
        Euclidean, between the two digits' features.
    """

    row: int
    image: UInt8
    label: int
    distance: float


@dataclass(frozen=True, eq=False)
class Gallery:
    """A dataset's training digits, or its test digits, as a network sees them.

    Attributes
    ----------
    dataset
        Whose digits they are.
    rows
        ``intp (n,)``: which of them, all unless they would take too much memory.
    features
        ``float16 (n, k)``, the outputs of the network's last hidden layer for each.
    part
        Whether they are for training or for testing.
    """

    dataset: Dataset
    rows: Rows
    features: Float16
    part: Part = "train"

    @property
    def labels(self) -> Labels:
        """What the digits of `rows` are, ``int64 (n,)``."""
        return _part(self.dataset, self.part)[1][self.rows]

    def nearest(self, features: Float32, count: int = 8, label: int | None = None) -> tuple[Neighbour, ...]:
        """Return the digits with the most similar features, the nearest first.

        Parameters
        ----------
        features
            ``float32 (k,)``, as `mnist_core.recognizer.Recognizer.features` gives them for one digit.
        count
            How many.
        label
            Only digits that are this one; None: any.
        """
        distances = _distances(features, self.features)
        among = np.arange(len(distances)) if label is None else np.flatnonzero(self.labels == label)
        count = min(count, len(among))
        if not count:
            return ()
        found = among[np.argpartition(distances[among], count - 1)[:count]]
        found = found[np.argsort(distances[found], kind="stable")]
        return tuple(self._neighbour(int(i), float(distances[i])) for i in found)

    def _neighbour(self, i: int, distance: float) -> Neighbour:
        row = int(self.rows[i])
        images, labels = _part(self.dataset, self.part)
        return Neighbour(row, images[row], int(labels[row]), distance)


def _part(dataset: Dataset, part: Part) -> tuple[UInt8, Labels]:
    if part == "test":
        return dataset.test_images, dataset.test_labels
    return dataset.train_images, dataset.train_labels


def gather(
    recognizer: "Recognizer",
    dataset: Dataset,
    on_progress: Callable[[int, int], None] | None = None,
    part: Part = "train",
) -> Gallery:
    """Work out a network's features of a dataset's digits, or read them where they were kept.

    They are kept in Digit Lab's folder under the hash of the network and the digits.

    Parameters
    ----------
    recognizer
        The network.
    dataset
        With at least two such digits.
    on_progress
        Called with the digits done and the digits there are.
    part
        Whether its training or its test digits are wanted.

    Raises
    ------
    DigitLabError
        The dataset has no such digits.
    """
    images, labels = _part(dataset, part)
    if len(labels) < 2:
        raise DigitLabError(f"{dataset.title} has no {_CALLED[part]} digits to compare with.")
    width = recognizer.features(np.zeros((1, 28, 28), np.float32)).shape[1]
    rows = _fitting(len(labels), width)
    path = _path(recognizer.run, dataset, part)
    features = _kept(path, (len(rows), width))
    if features is None:
        features = _work_out(recognizer, images, rows, on_progress)
        _keep(path, features)
    return Gallery(dataset, rows, features, part)


def in_words(neighbours: Sequence[Neighbour]) -> str:
    """Say which digits the nearest are, most of them first."""
    votes = Counter(one.label for one in neighbours).most_common()
    if len(neighbours) == 1:
        return f"The nearest is {a_digit(votes[0][0])}."
    if len(votes) < 2:
        return "".join(f"All {_count(n)} are {label}s." for label, n in votes)
    several = [f"{_count(n)} are {label}s" for label, n in votes if n > 1]
    single = [a_digit(label) for label, n in votes if n == 1]
    *parts, last = several + [f"one {digit}" if i else f"one is {digit}" for i, digit in enumerate(single)]
    return f"Of the {len(neighbours)} nearest, {', '.join(parts)} and {last}."


def _count(number: int) -> str:
    """A number in letters, so that it is not taken for a digit; where it is large, there is no danger of that."""
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[number] if number < len(words) else str(number)


def _fitting(n: int, width: int) -> Rows:
    """All rows, or as many, evenly spread, as have room in memory."""
    most = max(2, _MOST_BYTES // (2 * width))
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.intp)


def _work_out(
    recognizer: "Recognizer", images: UInt8, rows: Rows, on_progress: Callable[[int, int], None] | None
) -> Float16:
    parts = []
    for start in range(0, len(rows), _CHUNK):
        chunk = images[rows[start : start + _CHUNK]]
        found = recognizer.features(np.divide(chunk, 255, dtype=np.float32))
        parts.append(found.clip(-_LARGEST, _LARGEST).astype(np.float16))
        if on_progress is not None:
            on_progress(min(start + _CHUNK, len(rows)), len(rows))
    return np.concatenate(parts)


def _distances(one: Float32, features: Float16) -> Float32:
    """Euclidean distances ``float32 (n,)``, a chunk at a time, so that little memory is taken."""
    parts = []
    for start in range(0, len(features), _CHUNK):
        differences = features[start : start + _CHUNK].astype(np.float32) - one
        parts.append(np.sqrt(np.einsum("nk,nk->n", differences, differences)))
    return np.concatenate(parts)


def _kept(path: Path | None, shape: tuple[int, int]) -> Float16 | None:
    """The features in a file; None where there is none, or not one of ours."""
    if path is None:
        return None
    try:
        (features,) = read_npz(path, ("features",), _MOST_BYTES)
    except ValueError:
        return None
    if features.shape != shape or features.dtype != np.float16 or not np.isfinite(features).all():
        return None
    return features


def _keep(path: Path | None, features: Float16) -> None:
    """Write features for the next start; the oldest go. A folder that cannot be written is no error."""
    if path is None:
        return
    content = io.BytesIO()
    np.savez(content, features=features)
    keep_file(path, content.getvalue(), _MOST_KEPT)


def _path(run: Run, dataset: Dataset, part: Part) -> Path | None:
    """The file for a network and a dataset: named after everything that decides the features."""
    try:
        digest = network_digest(run)
    except DigitLabError:
        return None
    digest.update(dataset.fingerprint.encode())
    digest.update(b"" if part == "train" else part.encode())
    return home() / "features" / f"{digest.hexdigest()}.npz"

"""Datasets: MNIST, wherever it is found, and the digits that come with the program."""

import csv
import gzip
import hashlib
import http.client
import os
import ssl
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core._normalise import normalise_drawn
from mnist_core._npz import read_npz
from mnist_core.errors import DigitLabError
from mnist_core.home import home

UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_BYTES = 11_490_434
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
"""Of ``mnist.npz``, as Keras states it."""
MNIST_FINGERPRINT = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"
"""SHA-256 of all pixels and labels, whichever kind of file they came in."""

_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_MOST_BYTES = 64 * 2**20  # the largest of MNIST's arrays has 47,040,000
_SPLIT_SEED = 20_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled digit images, split for training and testing.

    Attributes
    ----------
    name
        ``"mnist"``, ``"builtin"``, or a folder's name.
    title
        For people.
    train_images, test_images
        ``uint8 (n, 28, 28)``, white ink on black, normalised as MNIST is.
    train_labels, test_labels
        ``int64 (n,)``, 0 to 9.
    """

    name: str
    title: str
    train_images: UInt8
    train_labels: Labels
    test_images: UInt8
    test_labels: Labels

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all pixels and labels, in hexadecimal."""
        digest = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(np.ascontiguousarray(array, np.uint8).data)
        return digest.hexdigest()


def stratified_split(
    labels: Labels, share: float, seed: int = _SPLIT_SEED
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Split examples in two, the same share of each digit.

    Parameters
    ----------
    labels
        ``(n,)``.
    share
        Of each digit that is held back, in [0, 1]; rounded to whole examples.
    seed
        Decides which. Fixed by default, so that what is held back for one recipe is not learned by another.

    Returns
    -------
    tuple of ndarray
        Positions kept, in random order, and positions held back.
    """
    rng = np.random.default_rng(seed)
    kept, held = [], []
    for digit in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == digit))
        cut = round(len(places) * share)
        held.append(places[:cut])
        kept.append(places[cut:])
    none = [np.empty(0, np.intp)]
    return rng.permutation(np.concatenate(kept or none)), np.concatenate(held or none)


@dataclass(frozen=True)
class Place:
    """A place where MNIST may lie, and what was found there."""

    title: str
    path: Path
    found: bool


def mnist_places() -> list[Place]:
    """Return the places where MNIST is looked for, in order."""
    named = os.environ.get("MNIST_DATA_DIR")
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    candidates = [("MNIST_DATA_DIR", Path(named))] if named else []
    candidates += [("Digit Lab's own folder", home() / "mnist"), ("Keras' folder", keras_home / "datasets")]
    return [Place(title, path, _holds_mnist(path)) for title, path in candidates]


def has_mnist() -> bool:
    """Whether MNIST is in one of them."""
    return any(place.found for place in mnist_places())


def _holds_mnist(folder: Path) -> bool:
    return (folder / "mnist.npz").is_file() or all((folder / name).is_file() for name in _IDX_FILES)


def load_mnist() -> Dataset:
    """Load MNIST from the first place that has it.

    Raises
    ------
    DigitLabError
        It is in none of them, or the files there are damaged.
    """
    for place in mnist_places():
        if place.found:
            return read_mnist(place.path)
    raise DigitLabError(
        "MNIST is not on this machine. Get it with `python -m mnist_core data --download` (11 MB), or set "
        "MNIST_DATA_DIR to a folder with its four idx .gz files or mnist.npz."
    )


def read_mnist(folder: Path) -> Dataset:
    """Read MNIST from a folder with ``mnist.npz`` or the four idx ``.gz`` files.

    Raises
    ------
    DigitLabError
        The files cannot be read, or are not MNIST's 70,000 digits.
    """
    try:
        arrays = _read_npz(folder / "mnist.npz") if (folder / "mnist.npz").is_file() else _read_idx(folder)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DigitLabError(f"The MNIST files in {folder} cannot be read: {error}") from error
    x_train, y_train, x_test, y_test = arrays
    dataset = Dataset("mnist", "MNIST", x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64))
    digit_images = all(x.shape[1:] == (28, 28) and x.dtype == np.uint8 for x in (x_train, x_test))
    if not digit_images or dataset.fingerprint != MNIST_FINGERPRINT:
        raise DigitLabError(f"The files in {folder} are not MNIST as it was published: delete and get them again.")
    return dataset


def _read_npz(path: Path) -> list[npt.NDArray[Any]]:
    return read_npz(path, ("x_train", "y_train", "x_test", "y_test"), _MOST_BYTES)


def _read_idx(folder: Path) -> list[npt.NDArray[Any]]:
    return [_read_idx_file(folder / name) for name in _IDX_FILES]


def _read_idx_file(path: Path) -> UInt8:
    """Read one idx file of bytes: two zeros, the type, the number of axes, their lengths, the values."""
    with gzip.open(path) as stream:
        raw = stream.read(_MOST_BYTES)
    if raw[:3] != b"\x00\x00\x08" or len(raw) < 4:
        raise ValueError(f"{path.name} is no idx file of bytes")
    axes = raw[3]
    shape = np.frombuffer(raw, ">u4", count=axes, offset=4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def download_mnist(
    on_progress: Callable[[int, int], None] | None = None,
    url: str = MNIST_URL,
    sha256: str = MNIST_SHA256,
    seconds: float = 300.0,
) -> Path:
    """Download ``mnist.npz``, as Keras publishes it, into Digit Lab's own folder.

    Parameters
    ----------
    on_progress
        Called with the bytes done and the bytes there will be.
    url, sha256
        Where it lies and the checksum of the file.
    seconds
        Limit for the whole download. A server that says nothing for 15 seconds ends it too.

    Returns
    -------
    Path
        The folder, fit for `read_mnist`.

    Raises
    ------
    DigitLabError
        No network, too slow, a wrong checksum, or a folder that cannot be written. Nothing is left behind then.
    """
    folder = home() / "mnist"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
            try:
                found = _fetch(url, part.write, on_progress, time.monotonic() + seconds)
                if found != sha256:
                    raise DigitLabError("The download of MNIST is damaged (its checksum is wrong). Try again.")
                part.close()
                os.replace(part.name, folder / "mnist.npz")
            finally:
                part.close()
                Path(part.name).unlink(missing_ok=True)
    except (urllib.error.URLError, TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        raise DigitLabError(
            f"MNIST could not be downloaded ({getattr(error, 'reason', error)}). Is there a network? Everything also "
            "works with the built-in digits."
        ) from error
    except OSError as error:
        raise DigitLabError(f"MNIST could not be saved in {folder}: {error.strerror or error}") from error
    return folder


def _fetch(
    url: str,
    write: Callable[[bytes], object],
    on_progress: Callable[[int, int], None] | None,
    deadline: float,
) -> str:
    """Write what lies at a URL and return its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=15) as response:
        total = response.length or MNIST_BYTES
        while block := response.read1(64 * 1024):  # what is there, so that a trickle cannot outlast the deadline
            write(block)
            digest.update(block)
            done += len(block)
            if done > 2 * MNIST_BYTES or time.monotonic() > deadline:
                raise TimeoutError("it took too long, or the file is far too large")
            if on_progress is not None:
                on_progress(done, total)
    return digest.hexdigest()


BUILTIN_TITLE = "Built-in digits (1,797 real ones, UCI optdigits, 8x8 enlarged)"
_BUILTIN_TEST_SHARE = 0.2


def load(name: str) -> Dataset:
    """Load a dataset: ``"mnist"``, ``"builtin"``, or a folder.

    A folder holds MNIST's files, or pictures of one digit each and a ``labels.csv`` with the columns file and
    label; such pictures make a test set without a training set.

    Raises
    ------
    DigitLabError
        It is not there, or cannot be read.
    """
    if name == "mnist":
        return load_mnist()
    if name == "builtin":
        return load_builtin()
    folder = Path(name)
    if folder.is_dir() and _holds_mnist(folder):
        return read_mnist(folder)
    return read_labelled(folder)


def load_builtin() -> Dataset:
    """Load the digits that come with scikit-learn, normalised as MNIST's are, a fifth of each digit for testing.

    They are 43 people's digits from the test part of the Optical Recognition of Handwritten Digits data set
    (Alpaydin and Kaynak, 1998), as counts of ink in 8x8 cells.
    """
    from sklearn.datasets import load_digits  # slow to import, and only needed here

    small = load_digits()
    images = np.stack([_enlarged(image) for image in small.images.astype(np.float32)])
    labels = small.target.astype(np.int64)
    train, test = stratified_split(labels, _BUILTIN_TEST_SHARE)
    return Dataset("builtin", BUILTIN_TITLE, images[train], labels[train], images[test], labels[test])


def _enlarged(cells: npt.NDArray[np.float32]) -> UInt8:
    """Turn counts of ink in 8x8 cells, 0 to 16, into a digit image ``uint8 (28, 28)``."""
    ink = cv2.resize(cells * (255 / 16), (64, 64), interpolation=cv2.INTER_CUBIC)
    return normalise_drawn(np.rint(ink.clip(0, 255)).astype(np.uint8))


def read_labelled(folder: Path) -> Dataset:
    """Read a folder of pictures with a ``labels.csv`` of file and label as a test set.

    A picture in which no digit is found stays, as an empty digit image: it counts as an error.

    Raises
    ------
    DigitLabError
        There is no such list, a label is no digit, or a picture cannot be read.
    """
    from mnist_core.images import load as load_picture
    from mnist_core.preprocess import prepare

    try:
        with open(folder / "labels.csv", newline="", encoding="utf-8-sig") as file:
            rows = [(row["file"], row["label"]) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DigitLabError(
            f"{folder} is no dataset: it needs MNIST's files, or pictures and a labels.csv of file,label."
        ) from error
    if not rows:
        raise DigitLabError(f"The labels.csv in {folder} names no picture.")
    images, labels = [], []
    for file_name, label in rows:
        if not file_name or label not in list("0123456789"):
            raise DigitLabError(f"The label of {file_name} in {folder} is {label!r}, which is no digit.")
        digit = prepare(load_picture(folder / file_name).grey, explained=False).digit
        images.append(np.zeros((28, 28), np.uint8) if digit is None else np.rint(digit * 255).astype(np.uint8))
        labels.append(int(label))
    none = np.zeros((0, 28, 28), np.uint8)
    return Dataset(folder.name, str(folder), none, np.zeros(0, np.int64), np.stack(images), np.array(labels))

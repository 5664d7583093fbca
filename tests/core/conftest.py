"""Digits and a small trained run for the tests of the library, each made once."""

import functools
import shutil
from pathlib import Path

import numpy as np
import pytest

from mnist_core import data, runs
from mnist_core.data import Dataset
from mnist_core.recipes import ModelRecipe, Recipe, TrainRecipe
from mnist_core.runs import Run
from mnist_core.training import TrainedNetwork, train

TINY = Recipe(ModelRecipe(hidden=(24,)), TrainRecipe(epochs=3, validation_share=0.1))


@pytest.fixture(scope="session")
def builtin() -> Dataset:
    return data.load_builtin()


@pytest.fixture(scope="session")
def trained(builtin: Dataset) -> TrainedNetwork:
    """Train a small network on the built-in digits."""
    return train(TINY, builtin)


@pytest.fixture(scope="session")
def _saved(trained: TrainedNetwork, builtin: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.save_run("tiny", trained, builtin, tmp_path_factory.mktemp("runs")).folder


@pytest.fixture
def tiny(_saved: Path, digit_lab_home: Path) -> Run:
    """Put the small trained network among the person's own runs, for the test to use or to damage."""
    shutil.copytree(_saved, digit_lab_home / "runs" / "tiny")
    return runs.load_run("tiny")


@pytest.fixture
def no_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the runs that come with the program by an empty folder."""
    folder = tmp_path / "bundled"
    folder.mkdir()
    monkeypatch.setattr(runs, "BUNDLED", folder)
    return folder


@functools.cache
def _mnist(folder: Path) -> Dataset:
    return data.read_mnist(folder)


@pytest.fixture
def mnist(mnist_dir: Path) -> Dataset:
    return _mnist(mnist_dir)


@pytest.fixture
def few() -> Dataset:
    """Make forty digits out of noise and bars: enough to take training steps on."""
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(10), 4)
    images = rng.integers(0, 60, (40, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 + 2 * label : 5 + 2 * label, 4:24] = 250
    return Dataset("few", "Forty bars", images[:32], labels[:32], images[32:], labels[32:])

"""What every test stands on: a home of its own, a quiet TensorFlow on the CPU, MNIST only on request."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow example is a slow machine: how long things take is measured in bench/.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# Read when TensorFlow is imported, so set before any test module is.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["KERAS_BACKEND"] = "tensorflow"

ROOT = Path(__file__).resolve().parent.parent
MNIST_VARIABLE = "MNIST_DATA_DIR"
_MNIST_DIR = os.environ.get(MNIST_VARIABLE, "")


@pytest.fixture(autouse=True)
def digit_lab_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home, and no MNIST from the environment or from Keras' cache."""
    home = tmp_path / "digit-lab-home"
    monkeypatch.setenv("DIGIT_LAB_HOME", str(home))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    monkeypatch.delenv(MNIST_VARIABLE, raising=False)
    return home


@pytest.fixture
def mnist_dir(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the library at the real MNIST; the one thing that a test may be skipped for."""
    if not _MNIST_DIR:
        pytest.skip(f"{MNIST_VARIABLE} is not set: the real MNIST is not here")
    folder = (ROOT / _MNIST_DIR).resolve()
    assert folder.is_dir(), f"{MNIST_VARIABLE} names {folder}, which is not a folder"
    monkeypatch.setenv(MNIST_VARIABLE, str(folder))
    return folder

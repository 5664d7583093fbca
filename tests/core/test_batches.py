import os
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mnist_core import _batches, images
from mnist_core._batches import PreparedFiles
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import prepare


@pytest.fixture
def folder(tmp_path: Path, builtin: Dataset) -> list[Path]:
    """Nine pictures, a file that is none, and a blank."""
    files = [tmp_path / f"{number:02}.png" for number in range(11)]
    for path, digit in zip(files, builtin.test_images[:9], strict=False):
        path.write_bytes(images.encode_png(255 - digit))
    files[9].write_text("not a picture")
    files[10].write_bytes(images.encode_png(np.full((40, 40), 200, np.uint8)))
    return files


@pytest.mark.parametrize("processes", [False, True])
def test_files_are_prepared_in_order_as_one_by_one(
    folder: list[Path], processes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_batches, "_MANY", 1 if processes else 1000)
    monkeypatch.setattr(_batches, "_cores", lambda: 2)
    monkeypatch.setattr(_batches, "_CHUNK", 3)
    monkeypatch.setattr(_batches, "_AHEAD", 2)  # so that most chunks are handed out while others are read
    with PreparedFiles(folder) as prepared:
        found = list(prepared)
    assert len(found) == len(folder)
    for path, one in zip(folder[:9], found, strict=False):
        alone = prepare(images.load(path).grey)
        assert not isinstance(one, DigitLabError)
        assert one.digit is not None and alone.digit is not None
        np.testing.assert_array_equal(one.digit, alone.digit)
        assert (one.box, one.several, one.cut) == (alone.box, alone.several, alone.cut)
        assert (one.steps, one.hints) == ((), ())  # nobody sees them
    assert isinstance(found[9], DigitLabError)
    assert str(folder[9]) in str(found[9]) or folder[9].name in str(found[9])
    assert not isinstance(found[10], DigitLabError)
    assert found[10].digit is None and "blank" in found[10].problem


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.parametrize("processes", [False, True])
def test_matrix_products_leave_the_cores_to_the_processes(
    folder: list[Path], processes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_batches, "_MANY", 1 if processes else 1000)
    monkeypatch.setattr(_batches, "_cores", lambda: 2)
    with threadpool_limits(3, "blas"):
        before = blas_threads()  # of Accelerate, on macOS, nobody can tell
        assert before <= {3}
        with PreparedFiles(folder):
            assert blas_threads() == ({1} if before and processes else before)
        assert blas_threads() == before


def test_no_files_are_nothing() -> None:
    with PreparedFiles([]) as prepared:
        assert list(prepared) == []


def test_leaving_early_ends_the_work(folder: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_batches, "_CHUNK", 1)
    seen: list[Path] = []
    monkeypatch.setattr(_batches, "_one", lambda path: seen.append(path) or DigitLabError("no"))
    monkeypatch.setattr(_batches, "_AHEAD", 2)
    with pytest.raises(RuntimeError, match="enough"), PreparedFiles(folder) as prepared:
        next(iter(prepared))
        raise RuntimeError("enough")
    assert len(seen) <= 3  # one read, two ahead


def test_there_is_a_core_at_least() -> None:
    assert 1 <= _batches._cores() <= (os.cpu_count() or 1)

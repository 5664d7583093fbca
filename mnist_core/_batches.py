"""Many picture files made into digit images, in order, while whoever asked does something else."""

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
from threadpoolctl import threadpool_limits

from mnist_core import images
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Prepared, prepare

Found = Prepared | DigitLabError

# From this many files on processes are worth their start: preparing a small picture is a hundred short calls, between
# which threads wait for one another.
_MANY = 256
_MOST_PROCESSES = 8
# Files handed out at once, and how many such batches are prepared ahead of the reader: enough for the seconds in which
# TensorFlow is imported where that is needed, few enough to be held (4 KB a picture).
_CHUNK, _AHEAD = 64, 128


class PreparedFiles:
    """Picture files that are being prepared in the background from now on.

    Iterating gives a `Prepared` without steps and hints for each file, in order, or the `DigitLabError` that says why
    the file cannot be used. Use it in a ``with`` statement, which ends the background work. While processes do it, one
    for each core, NumPy's matrix products in this process take one thread.

    Parameters
    ----------
    files
        The picture files.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
        self._pool = _pool(len(files))
        # Threads that wait for their share of the next matrix product do so by counting, on the processes' cores.
        self._limits = threadpool_limits(1 if isinstance(self._pool, ProcessPoolExecutor) else None, "blas")
        self._waiting: deque[Future[list[Found]]] = deque()
        self._fill()

    def __iter__(self) -> Iterator[Found]:
        while self._waiting:
            found = self._waiting.popleft().result()
            self._fill()
            yield from found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._limits.restore_original_limits()

    def _fill(self) -> None:
        ahead = _AHEAD - len(self._waiting)
        now, self._chunks = self._chunks[:ahead], self._chunks[ahead:]
        self._waiting.extend(self._pool.submit(_prepared, chunk) for chunk in now)


def _pool(files: int) -> Executor:
    cores = _cores()
    if files < _MANY or cores == 1:
        return ThreadPoolExecutor()
    # Spawned, not forked: the caller may have threads by now, TensorFlow's among them.
    return ProcessPoolExecutor(min(cores, _MOST_PROCESSES), get_context("spawn"), _begin)


def _cores() -> int:
    """How many this process may use; a container is often given fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    """Set up a process: one thread, as there is a process for every core, and Ctrl-C is its parent's to handle."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _prepared(files: Sequence[Path]) -> list[Found]:
    return [_one(path) for path in files]


def _one(path: Path) -> Found:
    try:
        return prepare(images.load(path).grey, explained=False)
    except DigitLabError as error:
        return error

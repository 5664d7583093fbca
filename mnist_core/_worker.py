"""What a training job does in the worker process. Orders come in and results go out as JSON and arrays."""

import functools
import gc
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from distributed import Variable, get_client, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from mnist_core import data
from mnist_core._quiet import import_tensorflow
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import confusion_matrix, softmax
from mnist_core.recipes import ModelRecipe, Recipe, TrainRecipe
from mnist_core.snapshots import first_layer
from mnist_core.trained import Progress, StopTraining

if TYPE_CHECKING:
    from mnist_core.training import EpochEnd

OUT_OF_MEMORY = "The training needed more memory than it may have: try a smaller network or smaller batches."

_NEWS_SECONDS = 0.1  # between two messages: a person sees no more
_SNAPSHOT_SECONDS = 0.25
_ASK_SECONDS = 0.05  # between two looks at the orders
_CONFUSED_DIGITS = 2000  # training digits in a snapshot's confusion matrix, where there are no validation digits

Weights = Mapping[str, npt.NDArray[np.float32]]


class WarmUp(WorkerPlugin):
    """Loads what every training needs as soon as a worker is there, so that the first one starts at once.

    Parameters
    ----------
    behind
        By how much the worker stands back behind other processes of this machine (Unix' niceness).
    """

    name = "digit-lab-warm-up"

    def __init__(self, behind: int = 0) -> None:
        self._behind = behind

    def setup(self, worker: Any) -> None:
        """Begin, on a thread of its own: the worker answers meanwhile."""
        if self._behind and hasattr(os, "nice"):
            os.nice(self._behind)  # before there are other threads, which inherit it
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


_warming = threading.Lock()


def _warm_up() -> None:
    with _warming:
        _warm_up_once()


@functools.cache
def _warm_up_once() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import_tensorflow()
    from mnist_core.training import train

    # TensorFlow and Keras load much of themselves at the first training.
    train(Recipe(ModelRecipe(hidden=(8,)), TrainRecipe(epochs=1, examples=64)), _dataset("builtin"))


@functools.lru_cache(maxsize=2)
def _dataset(name: str) -> data.Dataset:
    return data.load(name)


def train_job(order: Mapping[str, Any], start: Weights | None) -> dict[str, Any]:
    """Train what a job asks for.

    Parameters
    ----------
    order
        ``topic`` and ``job``: where news goes; ``recipe`` and ``dataset``; ``seconds`` and ``paused_seconds``: its
        limits; ``drawing``: ``float32 (28, 28)`` or None.
    start
        The weights to begin with, or None.

    Returns
    -------
    dict
        What was learned, as JSON and arrays; or under ``error`` why it could not be done; or nothing at all.
    """
    line = _Line(order["topic"], order["job"])
    line.send("starting")
    try:
        _warm_up()
        return _train(order, start, line)
    except _NothingLearned:
        return {}
    except DigitLabError as error:
        return {"error": str(error)}
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's own
            return {"error": OUT_OF_MEMORY}
        raise


def _train(order: Mapping[str, Any], start: Weights | None, line: "_Line") -> dict[str, Any]:
    from mnist_core import network
    from mnist_core.training import train

    recipe = Recipe.from_dict(order["recipe"])
    dataset = _dataset(order["dataset"])
    listener = _Listener(order, dataset, line)
    try:
        trained = train(
            recipe, dataset, listener.on_event, on_epoch=listener.on_epoch, on_wait=listener.on_wait, start=start
        )
    finally:
        network.forget_all()  # this process trains one network after the other
        gc.collect()
    return {
        "stopped": listener.stopped,
        "message": listener.message,
        "dataset": (dataset.name, dataset.fingerprint),
        "history": [astuple(news) for news in trained.history],
        "seconds": trained.seconds,
        "weights": trained.weights,
        "checkpoints": trained.checkpoints,
        "train": (trained.train_scores, trained.train_labels),
        "validation": (trained.validation_scores, trained.validation_labels),
        "test": (trained.test_scores, trained.test_labels),
    }


class _NothingLearned(Exception):
    """The job was stopped before its first step."""


class _Listener:
    """Tells the server how a training goes, and does what the server orders."""

    def __init__(self, order: Mapping[str, Any], dataset: data.Dataset, line: "_Line") -> None:
        self.stopped, self.message = False, ""
        self._order, self._dataset, self._line = order, dataset, line
        self._pending: list[Progress] = []
        self._snapshot: dict[str, Any] | None = None
        self._snapshot_at = self._sent_at = 0.0
        self._status = "starting"
        self._single_steps = 0
        self._end = time.monotonic() + order["seconds"]

    def on_event(self, news: Progress) -> int | None:
        """Pass news on, and obey."""
        if self._pending and not self._pending[-1].epoch_done:
            self._pending.pop()  # overtaken
        self._pending.append(news)
        if self._status == "starting":
            self._status = "running"
        ended = news.epoch_done and news.epoch == news.epochs
        if ended:
            self._status = "saving"
        if ended or self._status == "paused" or time.monotonic() - self._sent_at > _NEWS_SECONDS:
            self._send()
        return None if ended else self._obey()

    def on_epoch(self, end: "EpochEnd") -> None:
        """Take a snapshot, unless there was one just before."""
        last = end.epoch == self._order["recipe"]["training"]["epochs"]
        if time.monotonic() - self._snapshot_at < _SNAPSHOT_SECONDS and not last:
            return
        self._snapshot_at = time.monotonic()
        labels, scores = end.labels, end.scores
        if not len(labels):
            labels = self._dataset.train_labels[:_CONFUSED_DIGITS]
            scores = end.answer(self._dataset.train_images[:_CONFUSED_DIGITS])
        answer = None
        if (drawing := self._order["drawing"]) is not None:
            answer = softmax(end.answer(np.rint(drawing[None] * 255).astype(np.uint8)))[0].tolist()
        self._snapshot = {
            "epoch": end.epoch,
            "weights": first_layer(end.weights).tobytes(),
            "confusion": confusion_matrix(labels, scores.argmax(axis=1)).tolist(),
            "drawing": answer,
        }

    def on_wait(self) -> None:
        """Obey a stop also before the first step and between two epochs."""
        if self._line.orders()["do"] == "stop":
            if self._status == "starting":
                raise _NothingLearned
            self._stop()

    def _obey(self) -> int | None:
        """Do what the server orders, and return how many steps to take then, if it says so."""
        orders = self._line.orders()
        if orders["do"] == "pause":
            orders = self._wait_while_paused(orders)
        if orders["do"] == "stop":
            self._stop()
        if time.monotonic() > self._end:
            limit = _duration(self._order["seconds"])
            self._stop(f"It reached the limit of {limit}. What it had learned by then is kept.")
        return 1 if self._status == "paused" else None

    def _wait_while_paused(self, orders: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return when there is something to do, and what."""
        began = time.monotonic()
        self._status = "paused"
        self._send()
        while orders["do"] == "pause" and orders["steps"] <= self._single_steps:
            if time.monotonic() - began > self._order["paused_seconds"]:
                limit = _duration(self._order["paused_seconds"])
                self._stop(f"It stood still for {limit}, and others may be waiting. What it had learned is kept.")
            time.sleep(_ASK_SECONDS)
            orders = self._line.orders()
        self._end += time.monotonic() - began
        if orders["do"] == "pause":
            self._single_steps += 1
        else:
            self._status = "running"
            self._single_steps = orders["steps"]  # those that were not taken are forgotten
            self._send()
        return orders

    def _stop(self, message: str = "") -> None:
        self.stopped, self.message = True, message
        self._status = "saving"
        self._send()
        raise StopTraining

    def _send(self) -> None:
        self._line.send(self._status, [astuple(news) for news in self._pending], self._snapshot)
        self._pending, self._snapshot = [], None
        self._sent_at = time.monotonic()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


class _Line:
    """The two ways between a job and the server: news by Dask's events, orders by a Dask variable."""

    def __init__(self, topic: str, job: str) -> None:
        self._topic, self._job = topic, job
        self._worker = get_worker()
        self._variable = Variable(f"{topic}-{job}", get_client())
        self._orders: Mapping[str, Any] = {"do": "go", "steps": 0}
        self._asked_at = 0.0

    def send(self, status: str, news: Sequence[Any] = (), snapshot: Mapping[str, Any] | None = None) -> None:
        about = {"job": self._job, "worker": self._worker.address, "process": os.getpid()}
        self._worker.log_event(self._topic, about | {"status": status, "news": list(news), "snapshot": snapshot})

    def orders(self) -> Mapping[str, Any]:
        """What to do (go, pause or stop) and how many single steps were asked for up to now."""
        if time.monotonic() - self._asked_at > _ASK_SECONDS:
            self._orders = self._variable.get()
            self._asked_at = time.monotonic()
        return self._orders

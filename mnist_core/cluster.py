"""Training jobs on Dask: a queue, one worker process that is kept warm, progress, pause and stop.

The jobs live in the process that made the `Jobs`, so that a page that is loaded again finds its own. The training
itself runs in a worker process: one of a `LocalCluster` by default, one of a cluster elsewhere where
``DIGIT_LAB_SCHEDULER`` names its scheduler. Both take the same way: recipes go there as JSON, news comes back as Dask
events, orders (pause, stop) stand in a Dask variable, and the result comes through the future.
"""

import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from mnist_core import runs
from mnist_core.errors import DigitLabError
from mnist_core.recipes import Recipe
from mnist_core.snapshots import Snapshot
from mnist_core.trained import Progress, Source, TrainedNetwork

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster, Variable

Float32 = npt.NDArray[np.float32]
Status = Literal["queued", "starting", "running", "paused", "saving", "done", "stopped", "failed"]
"""From ``saving`` on nothing more is learned: the network is measured and kept as a run. The last three are final."""

SCHEDULER_VARIABLE = "DIGIT_LAB_SCHEDULER"
DATASETS = ("mnist", "builtin")

_FINAL = ("done", "stopped", "failed")
_MOST_FINISHED = 100  # jobs that are remembered after their end
_MOST_NEWS = 600  # pieces of a job's news that are kept, besides the last of each epoch
_WATCH_SECONDS = 0.2  # between two looks at a job that is under way
_FETCH_SECONDS = 120.0  # for the result to come here from the worker, on a busy machine
_CONNECT_SECONDS = 15
_START_SECONDS = 300.0  # for a worker to take a job: one may have to be started first, on a busy machine
_GRACE_SECONDS = 60.0  # beyond the limit on its time, for a job that does not answer
_STOP_SECONDS = 30.0  # for a job to answer a stop, before its process is ended; a single step may take long
_BEHIND = 5  # niceness of our own worker: the pages of everybody else come first
_MESSAGES_KEPT = 50  # of each kind by Dask's scheduler, whose memory is ours


@dataclass(frozen=True)
class Limits:
    """What the jobs of one server may take.

    Attributes
    ----------
    queue
        Jobs that may wait.
    per_owner
        Jobs that a person may have waiting or under way.
    running
        Jobs under way at the same time.
    seconds
        A job may be under way, without its pauses; it is stopped then.
    paused_seconds
        A pause may last; the job is stopped then.
    memory
        Bytes of a worker process; one that needs more is ended. None where the workers are elsewhere, with limits of
        their own.
    """

    queue: int = 20
    per_owner: int = 1
    running: int = 1
    seconds: float = 3600.0
    paused_seconds: float = 600.0
    memory: int | None = 4 * 2**30


@dataclass(frozen=True, eq=False)
class Job:
    """A training job as it stands at one moment.

    Attributes
    ----------
    id
        Unguessable, and fit for an address.
    owner
        Whose it is.
    recipe, dataset
        What is trained, and on what: ``"mnist"`` or ``"builtin"``.
    status, position
        What it does; 0 where it is its turn, else which place it has in the queue.
    message
        Why it failed or was stopped, in a sentence; else empty.
    run
        The name of the run, once it is saved.
    news
        In order: the last of each epoch, and so many between that a curve can be drawn.
    snapshot
        The latest look inside.
    created, finished
        Seconds since 1970.
    held_up
        Where it waits only because another training is paused: the seconds after which that one is stopped, unless it
        goes on before. Else None.
    """

    id: str
    owner: str
    recipe: Recipe
    dataset: str
    status: Status
    position: int
    message: str
    run: str | None
    news: tuple[Progress, ...]
    snapshot: Snapshot | None
    created: float
    finished: float | None
    held_up: float | None = None

    @property
    def ended(self) -> bool:
        """Whether it is over: done, stopped or failed."""
        return self.status in _FINAL


@dataclass(eq=False)
class _Entry:
    """A job while it changes. The lock of `Jobs` guards all of it but what its own thread alone uses."""

    id: str
    owner: str
    recipe: Recipe
    dataset: str
    name: str | None
    drawing: Float32 | None
    start: dict[str, Float32] | None
    continued_from: str | None
    created: float
    status: Status = "queued"
    message: str = ""
    run: str | None = None
    news: list[Progress] = field(default_factory=list)
    snapshot: Snapshot | None = None
    finished: float | None = None
    paused_since: float = 0.0
    do: Literal["go", "pause", "stop"] = "go"
    steps: int = 0
    stop_asked: float | None = None
    worker: str | None = None
    process: int | None = None
    restarted: bool = False
    sending: threading.Lock = field(default_factory=threading.Lock)
    variable: "Variable | None" = None


class Jobs:
    """The training jobs of one server.

    Parameters
    ----------
    home
        The runs are kept in its folder ``runs``.
    scheduler
        Address of a Dask scheduler, such as ``"tcp://10.0.0.5:8786"``; by default what ``DIGIT_LAB_SCHEDULER`` says,
        and without that a worker process of our own. Workers elsewhere need Digit Lab installed, and MNIST.
    limits
        What the jobs may take.
    """

    def __init__(self, home: Path, scheduler: str | None = None, limits: Limits | None = None) -> None:
        scheduler = scheduler or os.environ.get(SCHEDULER_VARIABLE) or None
        self.limits = limits or Limits()
        if scheduler:
            self.limits = replace(self.limits, memory=None)
        self._home = home
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()
        self._turns: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._cluster = _Cluster(scheduler, self.limits, self._hear)
        self._threads: list[threading.Thread] = []
        self._closed = False

    def warm(self) -> None:
        """Start the worker in the background, so that the first job need not wait for it."""
        threading.Thread(target=self._warm, name="warm-cluster", daemon=True).start()

    def _warm(self) -> None:
        with suppress(DigitLabError):  # the first job will say so
            self._cluster.client()

    def submit(
        self,
        recipe: Recipe,
        *,
        owner: str,
        dataset: str = "mnist",
        name: str | None = None,
        drawing: Float32 | None = None,
        continue_from: str | None = None,
    ) -> str:
        """Put a job into the queue.

        Parameters
        ----------
        recipe
            What to train, and how.
        owner
            Whose job it is: any text that tells people apart.
        dataset
            ``"mnist"`` or ``"builtin"``.
        name
            Of the run; by default made of the layers' sizes. A number is added where another run has it.
        drawing
            A digit image, ``float32 (28, 28)`` in [0, 1], that is answered anew after every epoch.
        continue_from
            A run of the same architecture, with whose weights to begin.

        Returns
        -------
        str
            The job's id.

        Raises
        ------
        DigitLabError
            This person or the server has too many jobs already; there is no such dataset or run; the name cannot be
            used; the run has another architecture.
        """
        if dataset not in DATASETS:
            raise DigitLabError(f"There is no dataset called {str(dataset)[:40]!r} to train on.")
        if name is not None:
            runs.check_name(name)
        checked = Recipe.from_dict(recipe.to_dict())  # wherever it came from
        entry = _Entry(
            id=secrets.token_urlsafe(12),
            owner=owner,
            recipe=checked if continue_from is None else checked.going_on,
            dataset=dataset,
            name=name,
            drawing=None if drawing is None else _checked_drawing(drawing),
            start=None if continue_from is None else runs.load_start(continue_from, recipe),
            continued_from=continue_from,
            created=time.time(),
        )
        with self._lock:
            if self._closed:
                raise DigitLabError("The server is ending; it takes no more trainings.")
            self._check_room(owner)
            self._forget_old()
            self._entries[entry.id] = entry
            self._start_threads()
        self._turns.put(entry)
        return entry.id

    def get(self, id: str) -> Job:
        """Return a job as it stands now.

        Raises
        ------
        DigitLabError
            There is none of this id, or it ended long ago.
        """
        with self._lock:
            return self._job(self._entry(id))

    def list(self, owner: str | None = None) -> list[Job]:
        """Return all jobs, or those of one person, in the order in which they came."""
        with self._lock:
            return [self._job(entry) for entry in self._entries.values() if owner in (None, entry.owner)]

    def pause(self, id: str) -> None:
        """Let a job stand still after the current steps; it keeps its turn."""
        self._order(id, "pause")

    def resume(self, id: str) -> None:
        """Let a paused job go on."""
        self._order(id, "go")

    def step(self, id: str) -> None:
        """Let a job learn from one batch, and stand still again."""
        self._order(id, "pause", steps=1)

    def stop(self, id: str) -> None:
        """End a job. What it has learned is kept as a run; one that still waits is taken out of the queue."""
        self._order(id, "stop")

    def close(self) -> None:
        """End all jobs, and the worker. Nothing is left running, and nothing more is taken."""
        with self._lock:
            self._closed = True
            for entry in self._entries.values():
                if entry.status not in _FINAL:
                    self._end(entry, "failed", "The server ended before the training did.")
        for _ in self._threads:
            self._turns.put(None)
        self._cluster.close()

    # --- the queue

    def _entry(self, id: str) -> _Entry:
        if id not in self._entries:
            raise DigitLabError("This training is not known here: the server may have been started anew since.")
        return self._entries[id]

    def _job(self, entry: _Entry) -> Job:
        waiting = [other.id for other in self._entries.values() if other.status == "queued"]
        return Job(
            id=entry.id,
            owner=entry.owner,
            recipe=entry.recipe,
            dataset=entry.dataset,
            status=entry.status,
            position=waiting.index(entry.id) + 1 if entry.status == "queued" else 0,
            message=entry.message,
            run=entry.run,
            news=tuple(entry.news),
            snapshot=entry.snapshot,
            created=entry.created,
            finished=entry.finished,
            held_up=self._held_up() if entry.status == "queued" else None,
        )

    def _held_up(self) -> float | None:
        """How long those that wait are held up by nothing but pauses: until the first of these ends by itself."""
        under_way = [one for one in self._entries.values() if one.status != "queued" and one.status not in _FINAL]
        if not under_way or any(one.status != "paused" for one in under_way):
            return None
        since = min(one.paused_since for one in under_way)
        return max(0.0, self.limits.paused_seconds - (time.monotonic() - since))

    def _check_room(self, owner: str) -> None:
        mine = [entry for entry in self._entries.values() if entry.owner == owner and entry.status not in _FINAL]
        if len(mine) >= self.limits.per_owner:
            many = "a training" if self.limits.per_owner == 1 else f"{self.limits.per_owner} trainings"
            raise DigitLabError(f"You have {many} under way already: wait for its end, or stop it.")
        waiting = [entry for entry in self._entries.values() if entry.status == "queued"]
        if len(waiting) >= self.limits.queue:
            raise DigitLabError(f"{len(waiting)} trainings are waiting already, and no more can: try again later.")

    def _forget_old(self) -> None:
        finished = [entry.id for entry in self._entries.values() if entry.status in _FINAL]
        for id in finished[: max(0, len(finished) - _MOST_FINISHED)]:
            del self._entries[id]

    def _start_threads(self) -> None:
        while len(self._threads) < self.limits.running:
            name = f"training-jobs-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._take_turns, name=name, daemon=True))
            self._threads[-1].start()

    def _take_turns(self) -> None:
        while (entry := self._turns.get()) is not None:
            with self._lock:
                if entry.status != "queued":
                    continue  # stopped while it waited
                entry.status = "starting"
            try:
                self._run(entry)
            except DigitLabError as error:
                self._finish(entry, "failed", str(error))
            except Exception as error:
                self._finish(entry, "failed", f"The training failed, which is a fault of the program: {error!r}")
                if not self._closed:
                    raise

    def _order(self, id: str, do: Literal["go", "pause", "stop"], steps: int = 0) -> None:
        with self._lock:
            entry = self._entry(id)
            if entry.status in _FINAL or entry.do == "stop":
                return
            entry.do, entry.steps = do, entry.steps + steps
            if do == "stop":
                entry.stop_asked = time.monotonic()
                if entry.status == "queued":
                    self._end(entry, "stopped", "It was taken out of the queue.")
        self._send_orders(entry)

    def _send_orders(self, entry: _Entry) -> None:
        with entry.sending:
            if entry.variable is not None and entry.status not in _FINAL:
                with suppress(OSError, TimeoutError):  # no connection: then there is nothing to be ordered either
                    entry.variable.set({"do": entry.do, "steps": entry.steps})

    def _end(self, entry: _Entry, status: Status, message: str = "", run: str | None = None) -> None:
        if entry.status not in _FINAL:
            entry.status, entry.message, entry.run, entry.finished = status, message, run, time.time()
            entry.start = entry.drawing = None

    def _finish(self, entry: _Entry, status: Status, message: str = "", run: str | None = None) -> None:
        with self._lock:
            self._end(entry, status, message, run)

    # --- one job

    def _run(self, entry: _Entry) -> None:
        """See a job through, from the cluster to the saved run."""
        from distributed import Variable

        from mnist_core._worker import train_job

        client = self._cluster.client()
        order = {
            "topic": self._cluster.topic,
            "job": entry.id,
            "recipe": entry.recipe.to_dict(),
            "dataset": entry.dataset,
            "seconds": self.limits.seconds,
            "paused_seconds": self.limits.paused_seconds,
            "drawing": entry.drawing,
        }
        entry.variable = Variable(f"{self._cluster.topic}-{entry.id}", client)
        self._send_orders(entry)
        start = None if entry.start is None else client.scatter([entry.start])[0]
        future = client.submit(train_job, order, start, key=f"train-{entry.id}", pure=False)
        try:
            result = self._result(entry, future)
        finally:
            future.release()
            entry.variable.delete()
        self._keep(entry, result)

    def _result(self, entry: _Entry, future: "Future[dict[str, Any]]") -> dict[str, Any]:
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        begin, over = time.monotonic(), threading.Event()
        future.add_done_callback(lambda _: over.set())
        while not over.wait(_WATCH_SECONDS):
            self._look_after(entry, future, begin)
        try:
            # Fetched once, with time for it: a fetch that is broken off ends in an error of Dask's own.
            return future.result(timeout=_FETCH_SECONDS)
        except KilledWorker:
            raise DigitLabError(self._why_it_died(entry)) from None
        except (FutureCancelledError, CommClosedError, TimeoutError, OSError):
            raise DigitLabError("The connection to the training cluster was lost.") from None

    def _look_after(self, entry: _Entry, future: "Future[dict[str, Any]]", begin: float) -> None:
        """End a job that does not end by itself."""
        now = time.monotonic()
        reason = ""
        if entry.restarted:  # a cluster elsewhere gives the job of a dead worker to another one
            reason = self._why_it_died(entry)
        elif entry.worker is None and now - begin > _START_SECONDS:
            reason = "No worker of the training cluster took the training."
        elif entry.stop_asked is not None and entry.status != "saving" and now - entry.stop_asked > _STOP_SECONDS:
            reason = "It did not answer when it was stopped, so it was ended; nothing is kept of it."
        elif entry.status not in ("paused", "saving") and now - begin > self.limits.seconds + _GRACE_SECONDS:
            reason = "It did not answer any more, so it was ended."
        if reason:
            future.cancel(force=True)
            self._cluster.restart(entry.worker)
            raise DigitLabError(reason)

    def _why_it_died(self, entry: _Entry) -> str:
        from mnist_core._worker import OUT_OF_MEMORY

        if self._cluster.ran_out_of_memory(entry.worker):
            limit = self.limits.memory
            return OUT_OF_MEMORY if limit is None else f"{OUT_OF_MEMORY} The limit is {limit / 2**30:.3g} GB."
        where = f" in epoch {entry.news[-1].epoch}" if entry.news else ""
        return f"The process that trained it ended unexpectedly{where}. Nothing else is affected: train it again."

    def _keep(self, entry: _Entry, result: Mapping[str, Any]) -> None:
        """Save what came back as a run."""
        if "error" in result:
            self._finish(entry, "failed", result["error"])
        elif not result:
            self._finish(entry, "stopped", "It was stopped before it had learned anything.")
        else:
            trained = _trained(entry, result)
            with self._lock:
                told = {(news.epoch, news.step) for news in entry.news}
                entry.news += [news for news in trained.history if (news.epoch, news.step) not in told]
                entry.news.sort(key=lambda news: (news.epoch, news.step))
                parent = self._home / "runs"
                name = entry.name
                if name is None or (parent / name).exists():
                    name = runs.free_name(name or runs.stem(entry.recipe), parent)
                # Saved under the lock, so that no other job takes the name.
                run = runs.save_run(name, trained, Source(*result["dataset"]), parent)
                self._end(entry, "stopped" if result["stopped"] else "done", result["message"], run.name)

    def _hear(self, message: Mapping[str, Any]) -> None:
        """Take news from a worker; called on Dask's own thread, which must not wait."""
        with self._lock:
            entry = self._entries.get(message["job"])
            if entry is None or entry.status in _FINAL:
                return
            if entry.process is None:
                entry.worker, entry.process = message["worker"], message["process"]
            elif (entry.worker, entry.process) != (message["worker"], message["process"]):
                entry.restarted = True
                return
            entry.status = message["status"]
            if entry.status == "paused":  # also told after each single step, when its pause begins anew
                entry.paused_since = time.monotonic()
            entry.news = _thinned([*entry.news, *(Progress(*news) for news in message["news"])])
            if message["snapshot"] is not None:
                entry.snapshot = _snapshot(message["snapshot"])


def _checked_drawing(drawing: Float32) -> Float32:
    image = np.asarray(drawing, np.float32)
    if image.shape != (28, 28) or not np.isfinite(image).all():
        raise DigitLabError("The drawing to be answered is no digit image.")
    return image.clip(0, 1)


def _thinned(news: list[Progress]) -> list[Progress]:
    """Leave out every second piece of news within the epochs where there are too many."""
    within = [one for one in news if not one.epoch_done]
    if len(within) <= _MOST_NEWS:
        return news
    dropped = {id(one) for one in within[1::2]}
    return [one for one in news if id(one) not in dropped]


def _snapshot(message: Mapping[str, Any]) -> Snapshot:
    weights = np.frombuffer(message["weights"], np.uint8).reshape(-1, 28, 28)
    drawing = message["drawing"]
    return Snapshot(
        message["epoch"],
        weights,
        np.array(message["confusion"], np.int64),
        None if drawing is None else np.array(drawing, np.float64),
    )


def _trained(entry: _Entry, result: Mapping[str, Any]) -> TrainedNetwork:
    shapes = {name: value.shape for name, value in result["weights"].items()}
    if shapes != entry.recipe.model.weight_shapes:
        raise DigitLabError("What came back from the training does not fit its recipe.")
    scores = {f"{part}_scores": result[part][0] for part in ("train", "validation", "test")}
    labels = {f"{part}_labels": result[part][1] for part in ("train", "validation", "test")}
    return TrainedNetwork(
        recipe=entry.recipe,
        weights=result["weights"],
        history=tuple(Progress(*news) for news in result["history"]),
        seconds=result["seconds"],
        checkpoints=result["checkpoints"],
        continued_from=entry.continued_from,
        **scores,
        **labels,
    )


class _Cluster:
    """The connection to Dask, made when it is first needed, and made again when it was lost."""

    def __init__(self, scheduler: str | None, limits: Limits, hear: Callable[[Mapping[str, Any]], None]) -> None:
        self.topic = f"digit-lab-{secrets.token_hex(4)}"
        self._scheduler, self._limits, self._hear = scheduler, limits, hear
        self._lock = threading.Lock()
        self._local: LocalCluster | None = None
        self._client: Client | None = None
        self._out_of_memory: set[str] = set()
        self._closed = False

    def client(self) -> "Client":
        """Return the connection.

        Raises
        ------
        DigitLabError
            There is no cluster at the address, or none can be started here.
        """
        with self._lock:
            if self._closed:
                raise DigitLabError("The server is ending.")
            if self._client is None or self._client.status != "running":
                self._drop()
                self._client = self._connect()
            return self._client

    def _connect(self) -> "Client":
        from distributed import Client

        from mnist_core._worker import WarmUp

        try:
            if self._scheduler is None:
                self._local = self._start()
            client = Client(self._local or self._scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            place = "on this machine" if self._scheduler is None else f"at {self._scheduler}"
            raise DigitLabError(f"The training cluster {place} cannot be used: {error}") from error
        client.subscribe_topic(self.topic, lambda event: self._hear(event[1]))
        client.subscribe_topic("worker-restart-memory", lambda event: self._out_of_memory.add(event[1]["worker"]))
        client.register_plugin(WarmUp(_BEHIND if self._local else 0))
        return client

    def _start(self) -> "LocalCluster":
        import dask
        from distributed import LocalCluster

        settings = {
            "distributed.admin.low-level-log-length": _MESSAGES_KEPT,
            # Dask would forbid the worker's libraries a second thread, and this process's too.
            "distributed.nanny.pre-spawn-environ": {},
            "distributed.comm.timeouts.connect": "60s",  # for a worker to start on a busy machine
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            # Nothing of a training could be put on disk instead.
            "distributed.worker.memory.target": False,
            "distributed.worker.memory.spill": False,
            "distributed.worker.memory.pause": False,
        }
        with dask.config.set(settings):
            return LocalCluster(
                n_workers=self._limits.running,
                threads_per_worker=1,
                processes=True,
                memory_limit=self._limits.memory,
                silence_logs=50,  # critical: what goes wrong is said in the job
                # Its web server cannot be left out; so let it serve nothing, to this machine only, on any port.
                dashboard_address=None,
                scheduler_kwargs={"allowed_failures": 0, "dashboard_address": "127.0.0.1:0"},
            )

    def ran_out_of_memory(self, worker: str | None) -> bool:
        """Whether a worker was ended because it took too much memory."""
        for _ in range(10):  # that news may come after the news of its death
            if worker in self._out_of_memory:
                return True
            time.sleep(0.05)
        return False

    def restart(self, worker: str | None) -> None:
        """End a worker that does not answer; another one takes its place."""
        client = self._client
        if worker is not None and client is not None:
            with suppress(Exception):
                client.restart_workers([worker], timeout=_CONNECT_SECONDS)

    def close(self) -> None:
        """End the connection, and the workers that were started here."""
        with self._lock:
            self._closed = True
            self._drop()

    def _drop(self) -> None:
        for part in (self._client, self._local):
            if part is not None:
                with suppress(Exception):
                    part.close(timeout=_CONNECT_SECONDS)
        self._client = self._local = None

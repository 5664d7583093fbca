"""Curves measured in the background: one wish a person, one curve at a time, and none measured twice."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mnist_core import stress_curves
from mnist_core.errors import DigitLabError
from mnist_core.runs import Run
from mnist_core.stress import disturbance
from mnist_core.stress_curves import Curve, Sample, Stopped

if TYPE_CHECKING:
    from mnist_core.recognizer import Recognizer

State = Literal["waiting", "measuring", "done", "stopped", "failed"]
Asked = tuple[Run, "Future[Recognizer]"]

MOST_RUNS = 4
"""Runs in one wish."""
_MOST_WAITING = 16
_MOST_KEPT = 256  # curves of a few hundred bytes
_Key = tuple[str, str, str, str]


@dataclass(eq=False)
class Work:
    """One wish: the curves of some runs over one disturbance.

    Attributes
    ----------
    disturbance, dataset, size
        What is measured: the disturbance's name, the dataset's, and with how many digits.
    total, done
        Digits to be read, and read so far.
    state
        ``"stopped"``: somebody wanted it no longer; the curves of the runs that were finished are kept.
    message
        Why it failed, in a sentence; else empty.
    """

    disturbance: str
    dataset: str
    size: int
    total: int
    done: int = 0
    state: State = "waiting"
    message: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("waiting", "measuring")

    def advance(self, digits: int) -> None:
        """Note that so many more digits were read."""
        self.done += digits


class StressWork:
    """Measures curves in one background thread, and keeps them in memory and in Digit Lab's folder.

    Parameters
    ----------
    most_waiting
        Wishes on the whole server that are not finished; a further one is refused.
    """

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._pool = ThreadPoolExecutor(1, "stress")
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Curve] = OrderedDict()
        self._works: OrderedDict[str, Work] = OrderedDict()

    def find(self, run: Run, digits: Sample, name: str) -> Curve | None:
        """Return a run's curve if it was measured before, in this process or an earlier one."""
        key = (run.name, run.created, digits.digest, name)
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        found = stress_curves.kept(run, digits, name)
        if found is not None:
            self._remember(key, found)
        return found

    def start(self, owner: str, asked: Sequence[Asked], digits: Sample, name: str) -> Work:
        """Begin to measure what is not known yet; the person's earlier wish is stopped.

        Parameters
        ----------
        owner
            Whose wish it is.
        asked
            The runs, each with its network, which may still be loading.
        digits
            What is read.
        name
            Of the disturbance.

        Raises
        ------
        DigitLabError
            Too many people are waiting, too many runs are asked, or there is no such disturbance.
        """
        how = disturbance(name)
        if not 1 <= len(asked) <= MOST_RUNS:
            raise DigitLabError(f"Choose one to {MOST_RUNS} networks.")
        missing = [one for one in asked if self.find(one[0], digits, name) is None]
        work = Work(name, digits.dataset, len(digits), len(missing) * len(how.strengths()) * len(digits))
        with self._lock:
            if (old := self._works.pop(owner, None)) is not None:
                old._stop.set()
            for known in [one for one, its in self._works.items() if its.ended]:
                del self._works[known]
            if len(self._works) >= self._most_waiting:
                raise DigitLabError("Many people are measuring at the moment. Try again in a minute.")
            self._works[owner] = work
        self._pool.submit(self._measure, work, missing, digits)
        return work

    def of(self, owner: str) -> Work | None:
        """Return a person's latest wish."""
        with self._lock:
            return self._works.get(owner)

    def stop(self, owner: str) -> None:
        """End a person's wish; it ends within a few hundred digits."""
        if (work := self.of(owner)) is not None:
            work._stop.set()
            if work.state == "waiting":
                work.state = "stopped"

    def close(self) -> None:
        """End everything."""
        with self._lock:
            for work in self._works.values():
                work._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def _measure(self, work: Work, missing: Sequence[Asked], digits: Sample) -> None:
        try:
            for run, network in missing:
                if work._stop.is_set():
                    raise Stopped
                recognizer = network.result()
                work.state = "measuring"
                curve = stress_curves.measure(recognizer, digits, work.disturbance, work.advance, work._stop.is_set)
                stress_curves.keep(curve, run, digits)
                self._remember((run.name, run.created, digits.digest, work.disturbance), curve)
            work.state = "done"
        except Stopped:
            work.state = "stopped"
        except DigitLabError as error:
            work.message, work.state = str(error), "failed"
        except Exception:
            logging.getLogger(__name__).exception("a stress curve could not be measured")
            work.message, work.state = "Something went wrong; the server's log tells what.", "failed"

    def _remember(self, key: _Key, curve: Curve) -> None:
        with self._lock:
            self._known[key] = curve
            self._known.move_to_end(key)
            while len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)

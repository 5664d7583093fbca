"""What a person does with runs of their own: rename, note, delete and take back.

A deleted run is moved to a folder for such runs, whole, from where it can be brought back for a month. The runs that
came with the program stay as they are.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mnist_core import runs
from mnist_core._folders import write_file
from mnist_core.errors import DigitLabError
from mnist_core.home import home
from mnist_core.runs import Run

KEPT_DAYS = 30
"""How long a deleted run can be brought back."""

_TOKEN = re.compile(r"([a-z0-9][a-z0-9._-]{0,63})~([0-9a-f]{8})")


@dataclass(frozen=True)
class Deleted:
    """A run that was deleted and can be brought back by its token; `when` is UTC."""

    token: str
    name: str
    when: datetime


def rename_run(name: str, new: str) -> Run:
    """Give a run of one's own another name.

    Raises
    ------
    DigitLabError
        There is no such run, it came with the program, the new name cannot be used or is taken, or the folder cannot
        be written.
    """
    run = _own(name)
    if new == name:
        return run
    runs.check_name(new)
    folder = run.folder.with_name(new)
    if folder.exists():
        raise DigitLabError(f"There is a run called {new!r} already; take another name.")
    with _writing(f"{name!r} could not be renamed"):
        os.rename(run.folder, folder)
    return runs.load_run(new)


def set_note(name: str, note: str) -> Run:
    """Write a note to a run of one's own: one line of at most `mnist_core.runs.MAX_NOTE` letters; empty for none.

    Raises
    ------
    DigitLabError
        There is no such run, it came with the program, or the folder cannot be written.
    """
    run = _own(name)
    path = run.folder / "run.json"
    with _writing(f"The note of {name!r} could not be saved"):
        record = json.loads(path.read_text(encoding="utf-8"))
        write_file(path, json.dumps(record | {"note": runs.one_line(note)}, indent=1).encode() + b"\n")
    return runs.load_run(name)


def delete_run(name: str) -> str:
    """Move a run of one's own away and return the token that `restore_run` brings it back with.

    Those that were deleted more than `KEPT_DAYS` days ago are gone for good after that.

    Raises
    ------
    DigitLabError
        There is no such run, it came with the program, or the folder cannot be written.
    """
    run = _own(name)
    _forget_old()
    token = f"{name}~{secrets.token_hex(4)}"
    with _writing(f"{name!r} could not be deleted"):
        _trash().mkdir(parents=True, exist_ok=True)
        os.utime(run.folder)  # from now on its age counts
        os.rename(run.folder, _trash() / token)
    return token


def restore_run(token: str) -> Run:
    """Bring a deleted run back, under a free name if another run has its name by now.

    Raises
    ------
    DigitLabError
        There is nothing of this token, or the folder cannot be written.
    """
    match = _TOKEN.fullmatch(token)
    folder = _trash() / token
    if match is None or not folder.is_dir():
        raise DigitLabError("This run cannot be brought back: it is no longer among the deleted ones.")
    name = runs.unused_name(match[1])
    with _writing(f"{match[1]!r} could not be brought back"):
        (home() / "runs").mkdir(parents=True, exist_ok=True)
        os.rename(folder, home() / "runs" / name)
    return runs.load_run(name)


def list_deleted() -> list[Deleted]:
    """Return the runs that can be brought back, the last deleted first. Never raises."""
    found = []
    for path in _folders():
        with suppress(OSError):  # it may just be brought back by somebody else
            if (match := _TOKEN.fullmatch(path.name)) and not _is_old(path):
                found.append(Deleted(path.name, match[1], datetime.fromtimestamp(path.stat().st_mtime, UTC)))
    return sorted(found, key=lambda one: one.when, reverse=True)


def _own(name: str) -> Run:
    run = runs.load_run(name)
    if run.origin == "bundled":
        raise DigitLabError(f"{name!r} came with Digit Lab and stays as it is.")
    return run


def _trash() -> Path:
    return home() / "deleted"


def _folders() -> list[Path]:
    try:
        return [path for path in _trash().iterdir() if path.is_dir()]
    except OSError:
        return []  # nothing was deleted yet


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > KEPT_DAYS * 24 * 3600


def _forget_old() -> None:
    for path in _folders():
        with suppress(OSError):
            if _TOKEN.fullmatch(path.name) and _is_old(path):
                shutil.rmtree(path)


@contextmanager
def _writing(what: str) -> Iterator[None]:
    """Say in a sentence what a disk or a folder refused."""
    try:
        yield
    except OSError as error:
        raise DigitLabError(f"{what}: {error.strerror or error}.") from error

"""Folders and files that are written whole or not at all: a temporary name, flushed to disk, then the name."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path


def write_whole(folder: Path, writers: Mapping[str, Callable[[Path], object]]) -> None:
    """Write a folder of files under a temporary name, flush it to disk, then give it its name."""
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for file_name, write in writers.items():
            path = temporary / file_name
            path.parent.mkdir(exist_ok=True)
            write(path)
            _flush(path)
        temporary.chmod(0o755)
        _put_in_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file, or replace one, in the same way."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.write_bytes(content)
        _flush(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o644)


def _put_in_place(new: Path, folder: Path) -> None:
    """Give a folder its name; one that had the name goes only after that."""
    if not folder.exists():
        os.replace(new, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
    try:
        os.replace(folder, old)
        try:
            os.replace(new, folder)
        except OSError:
            os.replace(old, folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        with suppress(OSError):
            old.rmdir()

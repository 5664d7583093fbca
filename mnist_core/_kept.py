"""What is worked out once and kept in Digit Lab's folder, under the hash of all that decides it."""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_core._folders import write_file
from mnist_core.errors import DigitLabError
from mnist_core.runs import Run

if TYPE_CHECKING:
    from hashlib import _Hash


def network_digest(run: Run) -> "_Hash":
    """Begin a SHA-256 with all that decides what a network answers: its architecture and its weights.

    Raises
    ------
    DigitLabError
        The weights cannot be read.
    """
    digest = hashlib.sha256(json.dumps(asdict(run.recipe.model), sort_keys=True).encode())
    try:
        digest.update((run.folder / "weights.safetensors").read_bytes())
    except OSError as error:
        raise DigitLabError(f"The weights of {run.name!r} cannot be read: {error.strerror or error}") from error
    return digest


def keep_file(path: Path, content: bytes, most: int) -> None:
    """Write a file for the next start; of its kind the oldest go. A folder that cannot be written is no error."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
        files = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda file: file.stat().st_mtime)
        for old in files[:-most]:
            old.unlink(missing_ok=True)

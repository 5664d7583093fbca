"""Runs as files to take away and to bring back: a zip, the weights alone, a script; checked like all that is foreign.

Nothing of an archive is unpacked by the names in it: the few files that belong to a run are looked up, their sizes are
known from the headers before any memory is taken, and all is checked in a temporary folder before it becomes a run.
"""

import io
import json
import os
import re
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from mnist_core import data, modelcard, runs, standalone
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import softmax
from mnist_core.home import home
from mnist_core.recipes import Recipe
from mnist_core.runs import Run

Float32 = npt.NDArray[np.float32]

MAX_IMPORT_BYTES = 128 * 2**20
"""Of a file that is brought back. The largest network that a recipe can have is half of that."""

_RECORD = "digit_lab"  # where a safetensors file says which run it is
_MAX_HEADER_BYTES = runs.MAX_RECORD_BYTES * 2  # of a safetensors file: the record in JSON, quoted once more
_MAX_FILES = 200  # in an archive
_MAX_CHECKPOINTS = 20
_MAX_CHECKPOINT_BYTES = 48 * 2**20  # all of them; the zip of a run that has more of it goes without
_CHECKPOINT = re.compile(r"checkpoints/[0-9]{4}\.safetensors")
_BATCH = 500
_DATE = (2000, 1, 1, 0, 0, 0)  # so that the same run gives the same bytes


# --- out


def export_zip(run: Run) -> bytes:
    """Return a run as a zip: all that `import_run` brings back, and what a person or another program can use.

    Raises
    ------
    DigitLabError
        The run is damaged.
    """
    weights, record = runs.load_weights(run), _record_of(run)
    files: dict[str, bytes] = {
        "README.md": modelcard.card(run).encode(),
        "run.json": json.dumps(record, indent=1).encode(),
        "recipe.json": json.dumps(run.recipe.to_dict(), indent=1).encode(),
        "weights.safetensors": _as_safetensors(weights, record),
        "history.csv": modelcard.history_csv(run).encode(),
        "predict.py": export_script(run).encode(),
    }
    files |= {f"figures/{name}": figure.encode() for name, figure in modelcard.figures(run).items()}
    files |= _checkpoints(run)
    if (run.folder / "predictions.npz").exists():
        runs.load_predictions(run)
        files["predictions.npz"] = (run.folder / "predictions.npz").read_bytes()
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(f"{run.name}/{name}", _DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_STORED if name.endswith((".safetensors", ".npz")) else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return memory.getvalue()


def _checkpoints(run: Run) -> dict[str, bytes]:
    """The weights that were kept after some of the epochs, as files."""
    epochs = runs.list_checkpoints(run)
    if 4 * run.parameters * len(epochs) > _MAX_CHECKPOINT_BYTES:
        return {}
    return {
        f"checkpoints/{epoch:04}.safetensors": safetensors.numpy.save(runs.load_checkpoint(run, epoch))
        for epoch in epochs
    }


def export_weights(run: Run) -> bytes:
    """Return a run's weights as a safetensors file that also says which run it is, for `import_run`."""
    return _as_safetensors(runs.load_weights(run), _record_of(run))


def export_script(run: Run) -> str:
    """Return a Python script that recognises digits with NumPy alone, with the weights in a file next to it."""
    source = Path(standalone.__file__).read_text(encoding="utf-8")
    model = run.recipe.model
    known = {
        "filters": list(model.filters),
        "hidden": list(model.hidden),
        "activation": model.activation,
        "output": model.output,
        "batch_norm": model.batch_norm,
    }
    source = source.replace("MODEL: dict[str, Any] = {}", f"MODEL: dict[str, Any] = {known!r}")
    return source.replace("TEMPERATURE = 1.0", f"TEMPERATURE = {run.calibration.temperature!r}")


def _record_of(run: Run) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DigitLabError(f"The record of {run.name!r} cannot be read: {error}") from error
    return record | {"name": run.name}


def _as_safetensors(weights: Mapping[str, Float32], record: Mapping[str, Any]) -> bytes:
    return safetensors.numpy.save(dict(weights), {_RECORD: json.dumps(record)})


# --- in


def import_run(content: bytes) -> Run:
    """Keep a run that `export_zip` or `export_weights` gave, under its name or, where that is taken, a free one.

    Parameters
    ----------
    content
        The file.

    Raises
    ------
    DigitLabError
        It is no such file, it is too large, something in it is missing, damaged, forged or unknown, or the disk
        refuses it.
    """
    if len(content) > MAX_IMPORT_BYTES:
        raise DigitLabError(f"This file is larger than {MAX_IMPORT_BYTES // 2**20} MB; no run is.")
    if content[:2] == b"PK":
        return _import_zip(content)
    if content[8:9] == b"{":
        return _import_weights(content)
    raise DigitLabError("This is no run: bring the .zip or the .safetensors file that Digit Lab made of one.")


def _import_zip(content: bytes) -> Run:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive)
            record = _parsed(_content(archive, members, "run.json", runs.MAX_RECORD_BYTES))
            checkpoints = [name for name in members if _CHECKPOINT.fullmatch(name)]
            if len(checkpoints) > _MAX_CHECKPOINTS:
                raise DigitLabError(f"This zip holds the weights of more than {_MAX_CHECKPOINTS} epochs; no run does.")
            most = _largest(record)
            files = {name: _content(archive, members, name, most) for name in ("weights.safetensors", *checkpoints)}
            if "predictions.npz" in members:
                files["predictions.npz"] = _content(archive, members, "predictions.npz", runs.MAX_PREDICTIONS_BYTES)
    except DigitLabError:
        raise
    except Exception as error:  # a forged archive makes zipfile and its decompressors raise nearly anything
        raise DigitLabError(f"This zip is damaged: {error}") from error
    return _keep(record, files)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of the folder in which run.json lies, by their names there."""
    infos = archive.infolist()
    if len(infos) > _MAX_FILES:
        raise DigitLabError(f"This zip holds more than {_MAX_FILES} files; no run does.")
    for info in infos:
        name = info.filename
        if re.match(r"[/\\]|[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
            raise DigitLabError("This zip names a file outside of itself; it was not made by Digit Lab.")
    records = [info.filename for info in infos if info.filename.rpartition("/")[2] == "run.json"]
    if not records:
        raise DigitLabError("There is no run.json in this zip, so it is no run.")
    folder = min(records, key=len).removesuffix("run.json")
    return {info.filename.removeprefix(folder): info for info in infos if info.filename.startswith(folder)}


def _content(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str, most: int) -> bytes:
    """One file's content, whose size is known beforehand: zipfile never unpacks more than the header says."""
    if name not in members:
        raise DigitLabError(f"There is no {name} in this zip, so it is no run.")
    info = members[name]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DigitLabError(f"{name} in this zip is packed in an unusual way; it was not made by Digit Lab.")
    if info.file_size > most:
        raise DigitLabError(f"{name} in this zip is too large to belong to this run.")
    with archive.open(info) as file:
        return file.read(most)


def _import_weights(content: bytes) -> Run:
    (length,) = struct.unpack_from("<Q", content)
    if length > _MAX_HEADER_BYTES or 8 + length > len(content):
        raise DigitLabError("This safetensors file is damaged or cut off.")
    metadata = _parsed(content[8 : 8 + length]).get("__metadata__")
    if not isinstance(metadata, dict) or not isinstance(metadata.get(_RECORD), str):
        raise DigitLabError(
            "This safetensors file does not say which recipe its weights belong to; bring the zip of the run instead."
        )
    record = _parsed(metadata[_RECORD].encode())
    if len(content) > _largest(record):
        raise DigitLabError("This safetensors file is too large for its recipe.")
    return _keep(record, {"weights.safetensors": content})


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DigitLabError(f"The record in this file is damaged: {error}") from error
    if not isinstance(found, dict):
        raise DigitLabError("The record in this file is damaged: it is no object.")
    return found


def _largest(record: Mapping[str, Any]) -> int:
    """Bytes of the weights' file, at most; a recipe out of bounds is refused here already."""
    shapes = Recipe.from_dict(record.get("recipe")).model.weight_shapes.values()
    return 8 + _MAX_HEADER_BYTES + sum(4 * int(np.prod(shape)) for shape in shapes)


def _keep(record: dict[str, Any], files: Mapping[str, bytes]) -> Run:
    """Write the files under a temporary name, look at them as at any run on disk, then give them the run's name."""
    wanted = record.get("name")
    name = runs.unused_name(wanted if isinstance(wanted, str) and runs.is_name(wanted) else "imported")
    parent = home() / "runs"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
        try:
            folder = temporary / name
            folder.mkdir()
            for file_name, content in {"run.json": json.dumps(record, indent=1).encode(), **files}.items():
                (folder / file_name).parent.mkdir(exist_ok=True)
                _write(folder / file_name, content)
            _check(folder)
            os.rename(folder, parent / name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise DigitLabError(f"The run could not be saved in {parent}: {error.strerror or error}.") from error
    return runs.load_run(name)


def _check(folder: Path) -> None:
    """Read everything as it is read later, and put the predictions there where they can be made."""
    run = runs.read_run(folder)
    weights = runs.load_weights(run)
    for epoch in runs.list_checkpoints(run):
        runs.load_checkpoint(run, epoch)
    if (folder / "predictions.npz").exists():
        runs.load_predictions(run)
        return
    test = _test_digits(run)
    if test is not None:
        images, labels = test
        probabilities = softmax(_class_scores(run, weights, images))
        memory = io.BytesIO()
        np.savez_compressed(memory, labels=labels.astype(np.uint8), probabilities=probabilities)
        _write(folder / "predictions.npz", memory.getvalue())


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _test_digits(run: Run) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None:
    """The digits that a run was tested on, where they are on this machine."""
    try:
        found = data.load(run.dataset) if run.dataset in ("mnist", "builtin") else None
    except DigitLabError:
        return None
    known = found is not None and found.fingerprint == run.fingerprint
    if found is None or not known or len(found.test_labels) != run.metrics.test_n:
        return None
    return found.test_images, found.test_labels


def _class_scores(run: Run, weights: Mapping[str, Float32], images: npt.NDArray[np.uint8]) -> Float32:
    model = run.recipe.to_dict()["model"]
    parts = [
        standalone.class_scores(model, weights, np.divide(images[i : i + _BATCH], 255, dtype=np.float32))
        for i in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts)

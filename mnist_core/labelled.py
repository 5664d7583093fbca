"""A person's own labelled pictures, in one archive, as a test set."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.images import MAX_BYTES, decode
from mnist_core.preprocess import prepare

MOST_PICTURES = 1000
_MOST_ENTRIES = 4 * MOST_PICTURES  # of an archive, folders and what systems add included
_LIST = "labels.csv"
_MOST_LIST_BYTES = 1_000_000
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_NAMED = re.compile(r"([0-9])(?:[^0-9].*)?")  # 7.png, 7-anna.png, 7 (2).png

HOW = (
    "A ZIP archive of pictures of one digit each. Which digit it is says a folder (`7/anna.png`), the first "
    "character of the name (`7-anna.png`), or a list `labels.csv` with the columns file and label."
)


@dataclass(frozen=True, eq=False)
class Labelled:
    """What was in an archive.

    Attributes
    ----------
    dataset
        The pictures as a test set. One in which no digit is found stays, as an empty digit image: it counts as an
        error, unless a network happens to say the right digit.
    left_out
        Files that could not be used, each with the reason in a sentence.
    """

    dataset: Dataset
    left_out: tuple[str, ...]


def read_zip(data: bytes, name: str, on_progress: Callable[[int, int], None] | None = None) -> Labelled:
    """Read an archive of labelled pictures.

    Parameters
    ----------
    data
        The file. Anything may be in it: sizes are checked before anything is unpacked, and nothing is written to disk.
    name
        Of the archive.
    on_progress
        Called with the pictures done and the pictures there are.

    Raises
    ------
    DigitLabError
        It is no archive, has no labelled picture, or too many.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, name, on_progress)
    except DigitLabError:
        raise
    except Exception as error:  # a forged archive makes zipfile and its decompressors raise nearly anything
        raise DigitLabError(f"{name} cannot be read as a ZIP archive: {error}") from error


def _read(archive: zipfile.ZipFile, name: str, on_progress: Callable[[int, int], None] | None) -> Labelled:
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise DigitLabError(f"{name} has {len(entries):,} files; up to {MOST_PICTURES:,} pictures can be read.")
    files = [one for one in entries if not one.is_dir() and not _hidden(one.filename)]
    pictures = [one for one in files if one.filename.lower().endswith(_ENDINGS)]
    if len(pictures) > MOST_PICTURES:
        raise DigitLabError(f"{name} has {len(pictures):,} pictures; up to {MOST_PICTURES:,} can be read.")
    labels = _listed(archive, files) or {one.filename: _label(one.filename) for one in pictures}
    images, digits, left_out = [], [], []
    for done, entry in enumerate(pictures, start=1):
        label = labels.get(entry.filename)
        try:
            if label is None:
                raise DigitLabError(f"{entry.filename}: nothing says which digit it is.")
            if entry.file_size > MAX_BYTES:
                raise DigitLabError(f"{entry.filename} is larger than {MAX_BYTES // 2**20} MB.")
            digit = prepare(decode(archive.read(entry), entry.filename).grey, explained=False).digit
        except DigitLabError as error:
            left_out.append(str(error))
        else:
            images.append(np.zeros((28, 28), np.uint8) if digit is None else np.rint(digit * 255).astype(np.uint8))
            digits.append(label)
        if on_progress is not None:
            on_progress(done, len(pictures))
    if not images:
        reason = f" {left_out[0]}" if left_out else ""
        raise DigitLabError(f"{name} has no picture whose digit is known.{reason}")
    none = np.zeros((0, 28, 28), np.uint8)
    dataset = Dataset("own", name, none, np.zeros(0, np.int64), np.stack(images), np.array(digits, np.int64))
    return Labelled(dataset, tuple(left_out))


def _hidden(path: str) -> bool:
    """Whether a system put it there: .DS_Store, __MACOSX and the like."""
    return any(part.startswith((".", "__")) for part in PurePosixPath(path).parts)


def _label(path: str) -> int | None:
    """The digit that the innermost folder or the name says; None where neither does."""
    parts = PurePosixPath(path)
    for folder in reversed(parts.parent.parts):
        if re.fullmatch("[0-9]", folder):
            return int(folder)
    named = _NAMED.fullmatch(parts.stem)
    return int(named[1]) if named else None


def _listed(archive: zipfile.ZipFile, files: list[zipfile.ZipInfo]) -> dict[str, int | None]:
    """The labels of a list beside the pictures, by their path in the archive; empty where there is no list."""
    found = next((one for one in files if PurePosixPath(one.filename).name == _LIST), None)
    if found is None:
        return {}
    if found.file_size > _MOST_LIST_BYTES:
        raise DigitLabError(f"{found.filename} is too large to be a list of labels.")
    folder = PurePosixPath(found.filename).parent
    try:
        rows = list(csv.DictReader(io.StringIO(archive.read(found).decode("utf-8-sig"))))
        return {str(folder / row["file"]): _digit(row["label"]) for row in rows if row["file"]}
    except (UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DigitLabError(f"{found.filename} is no list with the columns file and label.") from error


def _digit(label: str | None) -> int | None:
    return int(label) if label is not None and re.fullmatch("[0-9]", label.strip()) else None

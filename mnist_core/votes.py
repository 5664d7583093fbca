"""What a person says of labels that may be wrong; kept by the dataset's content, to be taken away and brought back."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from mnist_core._folders import write_file
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import Interval, wilson_interval
from mnist_core.home import home
from mnist_core.predictions import Predictions

Labels = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

Verdict = Literal["right", "wrong", "unclear"]

MAX_BYTES = 4 * 2**20
"""Of a file of votes; 10,000 votes take 1 MB."""
MOST_FILES = 5_000
"""People times datasets whose votes are kept."""

_FORMAT = 1
_WHAT = "digit-lab-votes"
_COLUMNS = ("number", "label", "vote", "digit", "dataset")
_VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Vote:
    """What somebody says of a label: it is right, it is another digit, or nobody could tell (or it could be several).

    Attributes
    ----------
    verdict
        ``"right"``, ``"wrong"`` or ``"unclear"``.
    digit
        What it is instead, 0 to 9, where the label is wrong; else None.
    """

    verdict: Verdict
    digit: int | None = None

    def __post_init__(self) -> None:
        known = self.verdict in _VERDICTS and (self.verdict == "wrong") == (self.digit is not None)
        if not known or (self.digit is not None and self.digit not in range(10)):
            raise DigitLabError("A vote says that a label is right, or which other digit it is, or that it is unclear.")


@dataclass(frozen=True, eq=False)
class Votes:
    """One person's votes on the labels of one dataset.

    Attributes
    ----------
    dataset, fingerprint
        Its name, and the SHA-256 of its content in hexadecimal.
    labels
        ``int64 (n,)``: the labels that are voted on.
    cast
        The votes by the digit's row.
    """

    dataset: str
    fingerprint: str
    labels: Labels
    cast: Mapping[int, Vote] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cast)

    @cached_property
    def disputed(self) -> Rows:
        """The rows of the digits whose label is said to be wrong or unclear, ``intp (k,)``, in order."""
        return np.array(sorted(row for row, vote in self.cast.items() if vote.verdict != "right"), np.intp)

    def count(self, verdict: Verdict) -> int:
        """How many votes say this."""
        return sum(vote.verdict == verdict for vote in self.cast.values())

    def put(self, row: int, vote: Vote | None) -> "Votes":
        """Return the votes with one more, or with another one on this digit; None takes the vote back.

        Raises
        ------
        DigitLabError
            There is no such digit, or its label is the very digit that it is said to be instead.
        """
        if row not in range(len(self.labels)):
            raise DigitLabError(f"There is no digit number {row} among these {len(self.labels):,}.")
        if vote is not None and vote.digit == int(self.labels[row]):
            raise DigitLabError(f"Number {row} is labelled {vote.digit}: then the label is right.")
        others = {one: cast for one, cast in self.cast.items() if one != row}
        return replace(self, cast=others if vote is None else others | {row: vote})

    def merged(self, others: "Votes") -> "Votes":
        """Return these votes and others on the same dataset; where both voted, the others count."""
        return replace(self, cast={**self.cast, **others.cast})


# --- what they change


@dataclass(frozen=True)
class Accuracy:
    """The share of `n` digits that a network reads right, with its 95 % interval (Wilson, 1927)."""

    n: int
    errors: int

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return (self.n - self.errors) / self.n

    @property
    def interval(self) -> Interval:
        """Of the share."""
        return wilson_interval(self.n - self.errors, self.n)


def accuracy(predictions: Predictions, without: Rows | None = None) -> Accuracy | None:
    """Return a run's accuracy on all digits, or without some of them; None where no digit is left."""
    counted = np.ones(len(predictions), bool)
    if without is not None:
        counted[without] = False
    n = int(counted.sum())
    return Accuracy(n, int(predictions.wrong[counted].sum())) if n else None


# --- kept


def load(dataset: str, fingerprint: str, labels: Labels, person: str) -> Votes:
    """Return a person's votes as `save` kept them; none where there are none.

    Parameters
    ----------
    dataset, fingerprint, labels
        What is voted on: name, SHA-256 of the content, ``(n,)`` labels.
    person
        Any name; it stays secret, as only its hash is written.

    Raises
    ------
    DigitLabError
        The file cannot be read, is damaged, or is not about these digits.
    """
    none = Votes(dataset, fingerprint, labels)
    try:
        data = _path(fingerprint, person).read_bytes()
    except FileNotFoundError:
        return none
    except OSError as error:
        raise DigitLabError(f"Your votes on these digits cannot be read: {error.strerror or error}.") from error
    try:
        return _from_json(data, none)
    except DigitLabError as error:
        raise DigitLabError(f"Your votes on these digits are damaged. {error}") from error


def save(votes: Votes, person: str) -> None:
    """Keep a person's votes, whole or not at all; without any, forget them.

    Raises
    ------
    DigitLabError
        The folder cannot be written, or there are votes of too many people in it.
    """
    path = _path(votes.fingerprint, person)
    try:
        if not votes.cast:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() and sum(1 for _ in path.parent.parent.glob("*/*.json")) >= MOST_FILES:
            raise DigitLabError(f"Your votes cannot be kept: {MOST_FILES:,} people's are kept here already.")
        write_file(path, as_json(votes).encode())
    except OSError as error:
        raise DigitLabError(f"Your votes cannot be kept: {error.strerror or error}.") from error


def _path(fingerprint: str, person: str) -> Path:
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise DigitLabError("These digits have no fingerprint to keep votes under.")
    return home() / "votes" / fingerprint / f"{hashlib.sha256(person.encode()).hexdigest()[:32]}.json"


# --- taken away and brought back


def as_json(votes: Votes) -> str:
    """Write votes as JSON, which `read` reads."""
    rows = [dict(zip(_COLUMNS[:-1], row, strict=True)) for row in _rows(votes)]
    about = {"what": _WHAT, "format": _FORMAT, "name": votes.dataset, "dataset": votes.fingerprint}
    return json.dumps({**about, "n": len(votes.labels), "votes": rows}, indent=1) + "\n"


def as_csv(votes: Votes) -> str:
    """Write votes as CSV, a line each, which `read` reads; no cell can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    writer.writerows([*row, votes.fingerprint] for row in _rows(votes))
    return out.getvalue()


def _rows(votes: Votes) -> list[tuple[int, int, str, int | None]]:
    return [(row, int(votes.labels[row]), vote.verdict, vote.digit) for row, vote in sorted(votes.cast.items())]


def read(data: bytes, none: Votes) -> Votes:
    """Read votes that were taken away, from JSON or CSV, whichever it is. Anything may be in the file.

    Parameters
    ----------
    data
        The file.
    none
        What is voted on; the votes in it are no matter.

    Raises
    ------
    DigitLabError
        It is neither, is about other digits, or one of its votes cannot be.
    """
    if len(data) > MAX_BYTES:
        raise DigitLabError(f"A file of votes has at most {MAX_BYTES // 2**20} MB.")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _from_json(data, none)
    return _from_csv(data, none)


def _from_json(data: bytes, none: Votes) -> Votes:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DigitLabError("The file is no JSON that can be read.") from error
    if not isinstance(found, dict) or found.get("what") != _WHAT or found.get("format") != _FORMAT:
        raise DigitLabError("The file holds no votes that Digit Lab wrote.")
    rows = found.get("votes")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DigitLabError("The file has no list of votes.")
    return _checked(({**row, "dataset": found.get("dataset")} for row in rows), none)


def _from_csv(data: bytes, none: Votes) -> Votes:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        rows = list(reader)
    except (ValueError, csv.Error) as error:
        raise DigitLabError("The file is no text with a vote in each line.") from error
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise DigitLabError(f"The file needs the columns {', '.join(_COLUMNS)}.")
    return _checked(rows, none)


def _checked(rows: Iterable[Mapping[str, Any]], none: Votes) -> Votes:
    cast: dict[int, Vote] = {}
    for row in rows:
        if row.get("dataset") != none.fingerprint:
            raise DigitLabError("The votes are about other digits than these: choose the dataset they were cast on.")
        number, label = _whole(row.get("number")), _whole(row.get("label"))
        if number is None or number >= len(none.labels) or label != int(none.labels[number]):
            raise DigitLabError(
                f"One of the votes is about a digit that is not here: number {row.get('number')!s:.12}."
            )
        verdict, digit = row.get("vote"), row.get("digit")
        if verdict not in _VERDICTS or (digit not in (None, "") and _whole(digit) is None):
            raise DigitLabError(f"The vote on number {number} says nothing that a vote can say.")
        vote = Vote(verdict, None if digit in (None, "") else _whole(digit))
        if vote.digit == label:
            raise DigitLabError(f"The vote on number {number} calls the label wrong, and names the same digit.")
        cast[number] = vote
    return replace(none, cast=cast)


def _whole(value: object) -> int | None:
    """A number from 0 on; None for whatever else a file may hold."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else None

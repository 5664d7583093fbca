"""Pictures that people bring, what was made of each, and the table of it all."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic

import streamlit as st

from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Prepared
from mnist_core.recognizer import Reading, Recognition, Recognizer
from pages.components import cached
from pages.components.cached import SeenPicture

MOST_PICTURES = 50
_PATIENCE = 0.4  # seconds until a bar shows how far it is
_MOSTLY = 0.8  # share of a page's digits that have to be accepted for it to make sense


@dataclass(frozen=True)
class Brought:
    """A file as it came: its name, the SHA-256 of its bytes, these themselves, and a remark on a sample."""

    name: str
    digest: str
    data: bytes
    remark: str = ""


@dataclass(frozen=True, eq=False)
class Result:
    """A file and what could be seen in it, or the sentence that says why nothing could."""

    name: str
    key: str
    seen: SeenPicture | None
    remark: str = ""
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one network reads in one picture.

    Attributes
    ----------
    single
        The picture taken as one digit.
    reading
        The picture taken as a page.
    """

    recognizer: Recognizer
    single: Recognition
    reading: Reading

    @property
    def several(self) -> bool:
        """Whether there is more than one digit to read in it.

        One digit is found more safely than many: what was taken for a second one may be a speck or an edge. So a
        page has to make sense, and two digits also need a sign that the one is not alone.
        """
        digits = self.reading.recognitions
        if len(digits) < 2:
            return False
        sensible = sum(one.accepted for one in digits) >= _MOSTLY * len(digits)
        return self.single.prepared.several or (sensible and (len(digits) > 2 or not self.single.accepted))


def as_brought(name: str, data: bytes, file_id: str) -> Brought:
    """Wrap a file; its hash is computed once in a session."""
    digests: dict[str, str] = st.session_state.setdefault("digests", {})
    if file_id not in digests:
        digests[file_id] = hashlib.sha256(data).hexdigest()
    return Brought(name, digests[file_id], data)


def see_all(files: list[Brought], judge: Recognizer) -> list[Result]:
    """Decode and take apart each file, with a bar when it takes long; a bad one does not stop the others.

    The judge decides where ink may be one digit or two.
    """
    bar, started, results = st.empty(), monotonic(), []
    for number, file in enumerate(files):
        if monotonic() - started > _PATIENCE:
            bar.progress(number / len(files), f"Picture {number + 1} of {len(files)}: {file.name}")
        results.append(_see(file, number, judge))
    bar.empty()
    return results


def _see(file: Brought, number: int, judge: Recognizer) -> Result:
    key = f"{number}-{file.digest[:12]}"
    try:
        whose = judge.run.name, judge.run.created
        seen = cached.seen_picture(file.digest, file.name, whose, file.data, judge)
        return Result(file.name, key, seen, file.remark)
    except DigitLabError as error:
        return Result(file.name, key, None, problem=str(error))


def answers(seen: SeenPicture, recognizers: Iterable[Recognizer]) -> list[Answers]:
    """Let each network answer, both ways, in one batch each."""
    return [_answers(seen, recognizer) for recognizer in recognizers]


def _answers(seen: SeenPicture, recognizer: Recognizer) -> Answers:
    digits: list[Prepared] = [one for line in seen.page.lines for one in line]
    single, *rest = recognizer.answer_many([seen.single, *digits])
    given: Iterator[Recognition] = iter(rest)
    lines = tuple(tuple(next(given) for _ in line) for line in seen.page.lines)
    return Answers(recognizer, single, Reading(lines, seen.page))


def row(result: Result, answers: Answers | None, several: bool) -> dict[str, object]:
    """One picture's line in the table."""
    if answers is None:
        return _row(result.name, "", (), "", result.problem)
    network = answers.recognizer.run.name
    if not several:
        one = answers.single
        remark = one.reason if one.digit is None else one.sentence
        return _row(result.name, str(one.digit) if one.accepted else "", (one,), network, remark)
    digits = answers.reading.recognitions
    doubtful = sum(not one.accepted for one in digits)
    text = answers.reading.text.replace("\n", " / ")
    return _row(result.name, text, digits, network, f"{doubtful} uncertain and left out." if doubtful else "")


def _row(name: str, text: str, digits: Iterable[Recognition], network: str, remark: str) -> dict[str, object]:
    found = [one.probability for one in digits if one.digit is not None]
    return {
        "Picture": name,
        "Reads": text,
        "Digits": len(found),
        "Least sure": min(found, default=None),
        "Network": network,
        "Remark": remark,
    }


def as_csv(rows: list[Mapping[str, object]]) -> str:
    """Write rows of equal keys as CSV that a spreadsheet does not take for formulas."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(rows[0])
    writer.writerows([_harmless(value) for value in each.values()] for each in rows)
    return out.getvalue()


def _harmless(value: object) -> object:
    """Prefix what a spreadsheet would calculate."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

"""Pictures that people bring, what was made of each, and the table of it all."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from time import monotonic
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Box, Prepared, Settings
from mnist_core.recognizer import Reading, Recognition, Recognizer, Verdict
from mnist_core.segment import Page
from mnist_core.wording import a_digit, as_written
from pages.components import cached
from pages.components.cached import SeenPicture

MOST_PICTURES = 50
PER_PAGE = 6
_PATIENCE = 0.4  # seconds until a bar shows how far it is
_MOSTLY = 0.8  # share of a page's digits that have to be accepted for it to make sense
_SIDES = ("Left", "Top", "Width", "Height")
NO_DIGIT = "no digit"
Kind = Literal["sure", "unsure", "none", "hand"]
KINDS: Mapping[Kind, str] = {
    "sure": "sure",
    "unsure": "uncertain",
    "none": "no digit, left out",
    "hand": "put right by hand",
}
"""How far a digit can be relied on, in words."""


@dataclass(frozen=True, eq=False)
class Brought:
    """A file as it came: a key that stays its own, its name, its bytes, and a remark on a sample."""

    key: str
    name: str
    data: bytes
    remark: str = ""

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Collection:
    """The pictures that a person has brought, kept while they look at other pages.

    Attributes
    ----------
    pictures
        In the order in which they came, at most `MOST_PICTURES`.
    left_out
        How many of the last ones there was no room for.
    photos
        How often the camera was used.
    turn
        How often the widgets that bring pictures started anew. They have to when something is taken away, or they
        would still hold it.
    removed
        What was taken away last, each with its place and what was done to it.
    """

    pictures: list[Brought] = field(default_factory=list)
    left_out: int = 0
    photos: int = 0
    turn: int = 0
    removed: "tuple[tuple[int, Brought, dict[str, object]], ...]" = ()

    def bring(self, brought: Iterable[Brought]) -> None:
        """Add those that are new, as far as there is room."""
        new = [one for one in brought if one.key not in self]
        if not new:
            return
        here = len(self.pictures)
        room = MOST_PICTURES - here
        if room:
            st.session_state["results-page"] = here // PER_PAGE + 1  # where the first new one is
        self.pictures += new[:room]
        self.left_out = len(new[room:])
        if self.left_out:
            self._let_go([one.key for one in new[room:]])

    def remove(self, *keys: str) -> None:
        """Take pictures away, with all that was done to them."""
        self.removed = tuple(
            (place, one, _done_to(one.key)) for place, one in enumerate(self.pictures) if one.key in keys
        )
        self.pictures = [one for one in self.pictures if one.key not in keys]
        self.left_out = 0
        self._let_go(keys)
        starts = tuple(f"{key}-" for key in keys)
        for name in [str(name) for name in st.session_state]:
            if name.startswith(starts):
                del st.session_state[name]

    def bring_back(self) -> None:
        """Undo the last removal, as far as there is room."""
        for place, one, done in self.removed:
            if one.key not in self and len(self.pictures) < MOST_PICTURES:
                self.pictures.insert(place, one)
                st.session_state.update(done)
        self.removed = ()

    def _let_go(self, keys: Iterable[str]) -> None:
        # Streamlit would keep the files until the session ends, however many come and go.
        context = get_script_run_ctx()
        for key in keys:
            context.uploaded_file_mgr.remove_file(context.session_id, key)
        self.turn += 1

    def __contains__(self, key: object) -> bool:
        return any(one.key == key for one in self.pictures)


def _done_to(key: str) -> dict[str, object]:
    """What a person has done to a picture, by its name in the session: boxes, corrections, one or all, and switches."""
    names = {f"{key}-{what}" for what in ("edits", "way", "left-out")}
    names |= {str(name) for name in st.session_state if str(name).startswith(f"{key}-set-")} - {f"{key}-set-back"}
    return {name: st.session_state[name] for name in names if name in st.session_state}


def collection() -> Collection:
    """What the person of this session has brought."""
    found: Collection = st.session_state.setdefault("collection", Collection())
    return found


def drawn(drawing: bytes) -> Brought:
    """A drawing as a picture; the same one has the same key."""
    one = Brought("", "drawing.png", drawing, "Drawn by hand on Draw.")
    return replace(one, key=f"drawing-{one.digest[:16]}")


@dataclass(frozen=True, eq=False)
class Result:
    """A file and what could be seen in it, or the sentence that says why nothing could.

    Attributes
    ----------
    page
        Its digits, in the boxes that the person wants.
    corrections
        What the person says that the digits in some boxes are.
    """

    name: str
    key: str
    seen: SeenPicture | None
    page: Page | None = None
    corrections: Mapping[Box, str] = field(default_factory=dict)
    remark: str = ""
    problem: str = ""


_SIGNS: Mapping[Verdict, str] = {"sign": "it is a comma, or a sign of a sum", "stroke": "it is a stroke of a date"}


@dataclass(frozen=True, eq=False)
class Read:
    """One digit of a page as it goes into the text.

    Attributes
    ----------
    line
        Number of its line, from 0.
    recognition
        What the network says.
    verdict
        What it is among all that is on the page.
    correction
        What a person says: a digit, `NO_DIGIT`, or nothing.
    """

    line: int
    recognition: Recognition
    verdict: Verdict
    correction: str = ""

    @property
    def box(self) -> Box:
        """Where it is."""
        return self.recognition.prepared.box or Box(0, 0, 1, 1)

    @property
    def kind(self) -> Kind:
        """How far it can be relied on."""
        if self.correction:
            return "hand"
        if self.verdict != "digit":
            return "none"
        return "sure" if self.recognition.accepted else "unsure"

    @property
    def digit(self) -> str:
        """A digit, also an uncertain one; empty where there is none."""
        if self.correction:
            return "" if self.correction == NO_DIGIT else self.correction
        return "" if self.kind == "none" else str(self.recognition.digit)

    @property
    def written(self) -> str:
        """What stands in the text: a question mark for an uncertain digit."""
        return "?" if self.kind == "unsure" else self.digit

    @property
    def tag(self) -> str:
        """What stands at its box: something else for each kind."""
        digit = self.digit or "\N{MULTIPLICATION X}"
        return f"{digit}?" if self.kind == "unsure" else f"{digit} \N{CHECK MARK}" if self.kind == "hand" else digit

    @property
    def sentence(self) -> str:
        """The answer in words."""
        if self.correction:
            return f"You say: {self.correction}. {self.overruled}"
        if self.recognition.digit is None:
            return self.recognition.reason
        return self.left_out or self.recognition.sentence

    @property
    def left_out(self) -> str:
        """Why it is left out although it looks like a digit; empty if it is not."""
        if self.correction or self.verdict == "digit":
            return ""
        if self.verdict != "other":
            return f"Left out: {_SIGNS[self.verdict]}."
        looks = f"alone it looks like {a_digit(self.recognition.digit)}, but it does not go with what is around it"
        return f"Left out: {looks}." if self.recognition.says_a_digit else ""

    @property
    def overruled(self) -> str:
        """What was read where a person has the last word."""
        return f"The network read {self.recognition.digit if self.verdict == 'digit' else 'no digit'}."

    @property
    def probability(self) -> float | None:
        """How sure the network is of the digit; nothing where that is a person's."""
        return None if self.correction else self.recognition.probability


@dataclass(frozen=True, eq=False)
class Answers:
    """What one network reads in one picture.

    Attributes
    ----------
    single
        The picture taken as one digit.
    alone
        That digit as it goes into the table, if there is one.
    reading
        The picture taken as a page.
    reads
        The page's digits as they go into the text.
    """

    recognizer: Recognizer
    single: Recognition
    alone: tuple[Read, ...]
    reading: Reading
    reads: tuple[Read, ...]

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


Wishes = Callable[[str], tuple[Settings, tuple[Box, ...] | None, Mapping[Box, str]]]


def see_all(files: Sequence[Brought], judge: Recognizer, wishes: Wishes) -> list[Result]:
    """Decode and take apart each file, with a bar when it takes long; a bad one does not stop the others.

    The judge decides where ink may be one digit or two. The wishes give, for a picture's key, the steps' settings, the
    boxes if they are not the ones that are found, and corrections.
    """
    bar, started, results = st.empty(), monotonic(), []
    for number, file in enumerate(files):
        if monotonic() - started > _PATIENCE:
            bar.progress(number / len(files), f"Picture {number + 1} of {len(files)}: {as_written(file.name)}")
        results.append(_see(file, judge, wishes))
    bar.empty()
    return results


def _see(file: Brought, judge: Recognizer, wishes: Wishes) -> Result:
    try:
        settings, boxes, corrections = wishes(file.key)
        which = file.digest, file.name, (judge.run.name, judge.run.created), settings
        seen = cached.seen_picture(*which, file.data, judge)
        page = seen.page if boxes is None else cached.boxed_picture(*which, boxes, file.data, judge)
        return Result(file.name, file.key, seen, page, corrections, file.remark)
    except DigitLabError as error:
        return Result(file.name, file.key, None, problem=str(error))


def answers(result: Result, recognizers: Iterable[Recognizer]) -> list[Answers]:
    """Let each network answer, both ways, in one batch each; only the first is corrected by what a person says."""
    return [
        _answers(result.seen.single, result.page, recognizer, {} if number else result.corrections)
        for number, recognizer in enumerate(recognizers)
    ]


def _answers(one: Prepared, page: Page, recognizer: Recognizer, corrections: Mapping[Box, str]) -> Answers:
    digits: list[Prepared] = [one for line in page.lines for one in line]
    single, *rest = recognizer.answer_many([one, *digits])
    given: Iterator[Recognition] = iter(rest)
    reading = Reading(tuple(tuple(next(given) for _ in line) for line in page.lines), page)

    def read(number: int, digit: Recognition, verdict: Verdict) -> Read:
        return Read(number, digit, verdict, corrections.get(digit.prepared.box, ""))

    if len(rest) == 1:  # there is nothing around it
        reads = [read(0, rest[0], _by_itself(rest[0]))]
    else:
        told = zip(reading.lines, reading.verdicts, strict=True)
        reads = [read(number, *both) for number, line in enumerate(told) for both in zip(*line, strict=True)]
    alone = () if single.prepared.box is None else (read(0, single, _by_itself(single)),)
    return Answers(recognizer, single, alone, reading, tuple(reads))


def _by_itself(digit: Recognition) -> Verdict:
    return "digit" if digit.says_a_digit else "other"


def as_lines(reads: Iterable[Read]) -> list[list[Read]]:
    """The digits line by line, lines without any left out."""
    return [list(line) for _, line in groupby(reads, lambda read: read.line)]


def as_text(reads: Iterable[Read]) -> str:
    """The text with its line breaks; uncertain digits are question marks, and what is no digit is left out."""
    rows = ("".join(read.written for read in line) for line in as_lines(reads))
    return "\n".join(row for row in rows if row)


def table(result: Result, reads: Iterable[Read]) -> list[dict[str, object]]:
    """A line for each digit of a picture, its box in pixels of the file."""
    scale = max(result.seen.size) / max(result.seen.shape)
    return [
        {
            "Picture": result.name,
            "Number": number,
            "Line": read.line + 1,
            "Digit": read.digit or NO_DIGIT,
            "Probability": None if read.probability is None else round(read.probability, 4),
            "Accepted": KINDS[read.kind],
            **{side: round(value * scale) for side, value in zip(_SIDES, read.box, strict=True)},
        }
        for number, read in enumerate(reads, start=1)
    ]


def row(result: Result, answers: Answers | None, several: bool) -> dict[str, object]:
    """One picture's line in the table."""
    if answers is None:
        return _row(result.name, (), "", result.problem)
    one, network = answers.single, answers.recognizer.run.name
    if several:
        return _row(result.name, answers.reads, network, doubts(answers.reads))
    remark = answers.alone[0].sentence if answers.alone else one.reason
    return _row(result.name, answers.alone, network, remark)


def doubts(reads: Iterable[Read]) -> str:
    """How many digits are not sure, in a sentence; empty if all are."""
    kinds = Counter(read.kind for read in reads)
    words = {"unsure": "uncertain", "none": "left out (no digit)", "hand": "put right by hand"}
    found = ", ".join(f"{kinds[kind]} {word}" for kind, word in words.items() if kinds[kind])
    return f"{found}." if found else ""


def _row(name: str, reads: Iterable[Read], network: str, remark: str) -> dict[str, object]:
    read = [one for one in reads if one.digit]
    return {
        "Picture": name,
        "Reads": as_text(read).replace("\n", " / "),
        "Digits": len(read),
        "Least sure": min((one.probability for one in read if one.probability is not None), default=None),
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

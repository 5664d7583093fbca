"""Votes on labels: what can be said, kept whole or not at all, taken away, and read again whatever the file holds."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from mnist_core import votes
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import wilson_interval
from mnist_core.predictions import Predictions
from mnist_core.votes import Vote, Votes

FINGERPRINT = "ab" * 32
LABELS = np.array([3, 5, 7, 9])
NONE = Votes("few", FINGERPRINT, LABELS)
CAST = {0: Vote("right"), 1: Vote("wrong", 6), 3: Vote("unclear")}
SOME = Votes("few", FINGERPRINT, LABELS, CAST)
ANNA = "anna"


def load(person: str = ANNA) -> Votes:
    return votes.load("few", FINGERPRINT, LABELS, person)


def test_a_vote_is_put_changed_and_taken_back() -> None:
    first = NONE.put(1, Vote("wrong", 6))
    assert NONE.cast == {}, "votes are never changed, there are new ones"
    assert first.cast == {1: Vote("wrong", 6)}
    assert first.put(1, Vote("right")).cast == {1: Vote("right")}
    assert first.put(1, None).cast == {}
    assert first.put(2, None).cast == first.cast


def test_what_is_disputed_is_what_is_not_said_to_be_right() -> None:
    assert SOME.disputed.tolist() == [1, 3]
    assert NONE.disputed.tolist() == []
    assert [SOME.count(verdict) for verdict in ("right", "wrong", "unclear")] == [1, 1, 1]
    assert len(SOME) == 3


@pytest.mark.parametrize(("verdict", "digit"), [("right", 3), ("wrong", None), ("wrong", 10), ("unclear", 0), ("x", 1)])
def test_a_vote_that_says_nothing_is_refused(verdict: str, digit: int | None) -> None:
    with pytest.raises(DigitLabError):
        Vote(verdict, digit)  # type: ignore[arg-type] # what a file may hold


@pytest.mark.parametrize(("row", "vote"), [(4, Vote("right")), (-1, None), (1, Vote("wrong", 5))])
def test_a_vote_on_nothing_is_refused(row: int, vote: Vote | None) -> None:
    with pytest.raises(DigitLabError):
        NONE.put(row, vote)


def test_others_votes_are_merged_and_count_where_both_voted() -> None:
    other = Votes("few", FINGERPRINT, LABELS, {1: Vote("right"), 2: Vote("unclear")})
    assert SOME.merged(other).cast == {**CAST, 1: Vote("right"), 2: Vote("unclear")}


def test_the_accuracy_with_and_without_the_disputed_ones() -> None:
    logs = np.full((4, 10), -9.0, np.float32)
    logs[range(4), [3, 6, 1, 4]] = -0.1  # three of four are wrong, two of them disputed
    answers = Predictions("few", "few", LABELS, logs)
    everything, rest = votes.accuracy(answers), votes.accuracy(answers, SOME.disputed)
    assert everything is not None
    assert rest is not None
    assert (everything.n, everything.errors, everything.share) == (4, 3, 0.25)
    assert everything.interval == wilson_interval(1, 4)
    assert (rest.n, rest.errors, rest.share) == (2, 1, 0.5)
    assert rest.interval == wilson_interval(1, 2)
    assert votes.accuracy(answers, np.arange(4)) is None, "nothing is left to measure"


def test_votes_are_kept_for_each_person_and_dataset(digit_lab_home: Path) -> None:
    votes.save(SOME, ANNA)
    assert load().cast == CAST
    assert load("bert").cast == {}
    assert votes.load("few", "cd" * 32, LABELS, ANNA).cast == {}
    files = [path for path in digit_lab_home.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert ANNA not in str(files[0]) + files[0].read_text(), "whose they are is nowhere to be read"
    votes.save(NONE, ANNA)
    assert load().cast == {}
    assert not [path for path in digit_lab_home.rglob("*") if path.is_file()]


def test_a_broken_write_leaves_the_votes_as_they_were(monkeypatch: pytest.MonkeyPatch, digit_lab_home: Path) -> None:
    votes.save(SOME, ANNA)

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(DigitLabError, match="cannot be kept: No space left"):
        votes.save(SOME.put(2, Vote("unclear")), ANNA)
    assert load().cast == CAST
    assert len([path for path in digit_lab_home.rglob("*") if path.is_file()]) == 1, "nothing half is left"


def test_a_folder_that_cannot_be_written_gives_a_sentence(digit_lab_home: Path) -> None:
    digit_lab_home.write_text("a file where the folder should be")
    with pytest.raises(DigitLabError, match="Your votes cannot be kept"):
        votes.save(SOME, ANNA)
    with pytest.raises(DigitLabError, match="cannot be read"):
        load()


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes, "MOST_FILES", 1)
    votes.save(SOME, ANNA)
    with pytest.raises(DigitLabError, match="kept here already"):
        votes.save(SOME, "bert")
    votes.save(SOME.put(2, Vote("right")), ANNA)
    assert len(load()) == 4


@pytest.mark.parametrize("person", ["../../x", "", "a" * 300, "\0"])
@pytest.mark.parametrize("fingerprint", [FINGERPRINT, "../x", ""])
def test_no_name_leads_out_of_the_folder(person: str, fingerprint: str, digit_lab_home: Path) -> None:
    if fingerprint != FINGERPRINT:
        with pytest.raises(DigitLabError):
            votes.load("few", fingerprint, LABELS, person)
        return
    votes.save(SOME, person)
    assert [path.parent for path in digit_lab_home.parent.rglob("*.json")] == [digit_lab_home / "votes" / FINGERPRINT]


def test_a_damaged_file_is_no_traceback(digit_lab_home: Path) -> None:
    votes.save(SOME, ANNA)
    file = next(digit_lab_home.rglob("*.json"))
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DigitLabError, match="damaged"):
        load()


# --- taken away and brought back


@pytest.mark.parametrize("write", [votes.as_json, votes.as_csv])
def test_what_is_taken_away_can_be_brought_back(write: object) -> None:
    for some in (SOME, NONE):
        assert votes.read(write(some).encode(), NONE).cast == some.cast  # type: ignore[operator] # one of two writers, whichever the test is given
        assert votes.read(b"\xef\xbb\xbf" + write(some).encode(), NONE).cast == some.cast  # type: ignore[operator] # one of two writers, whichever the test is given


def test_the_csv_has_a_line_for_each_vote_and_no_formula() -> None:
    lines = list(csv.DictReader(io.StringIO(votes.as_csv(SOME))))
    assert [line["number"] for line in lines] == ["0", "1", "3"]
    assert lines[1] == {"number": "1", "label": "5", "vote": "wrong", "digit": "6", "dataset": FINGERPRINT}
    assert not [cell for line in lines for cell in line.values() if cell.startswith(("=", "+", "-", "@"))]


def forged(**changes: object) -> bytes:
    row = {"number": 1, "label": 5, "vote": "wrong", "digit": 6} | changes
    return json.dumps({"what": "digit-lab-votes", "format": 1, "dataset": FINGERPRINT, "votes": [row]}).encode()


def test_the_forged_ones_below_differ_from_one_that_is_good() -> None:
    assert votes.read(forged(), NONE).cast == {1: Vote("wrong", 6)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\xfe",
        b"PK\x03\x04",
        b"{",
        b"{}",
        b"[1]",
        b"{" + b'"a":[' * 100_000,
        b'{"what": "digit-lab-votes", "format": 1, "dataset": "' + FINGERPRINT.encode() + b'", "votes": {}}',
        b'{"what": "digit-lab-votes", "format": 1, "dataset": "' + FINGERPRINT.encode() + b'", "votes": [7]}',
        b'{"what": "digit-lab-votes", "format": 2, "votes": []}',
        b'{"a": ' + b"9" * 5000 + b"}",
        forged(number=4),
        forged(number=-1),
        forged(number=True),
        forged(number=1.0),
        forged(number="<script>"),
        forged(number="9" * 5000),
        forged(label=6),
        forged(label=None),
        forged(vote="<b>"),
        forged(vote=["right"]),
        forged(vote="right"),
        forged(digit=None),
        forged(digit=5),
        forged(digit=10),
        forged(digit="x"),
        forged(digit=[6]),
        b"number,label\n1,5\n",
        b"number,label,vote,digit,dataset\n1,5,wrong,6,other\n",
        b"number,label,vote,digit,dataset\n1\n",
        b'number,label,vote,digit,dataset\n"1,5',
        b"number,label,vote,digit,dataset\n" + b"9" * 200_000,
        b" " * (votes.MAX_BYTES + 1),
    ],
    ids=lambda data: repr(data[:48]),
)
def test_a_forged_file_gets_a_sentence(data: bytes) -> None:
    with pytest.raises(DigitLabError) as told:
        votes.read(data, NONE)
    assert len(str(told.value)) < 200
    assert str(told.value).endswith(".")


def test_votes_on_other_digits_are_refused() -> None:
    other = Votes("others", "cd" * 32, LABELS, CAST)
    for write in (votes.as_json, votes.as_csv):
        with pytest.raises(DigitLabError, match="other digits"):
            votes.read(write(other).encode(), NONE)

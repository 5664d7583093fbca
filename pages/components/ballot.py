"""The votes of who sits at this browser: read once, kept after each one, undone one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from mnist_core import votes
from mnist_core.data import MNIST_FINGERPRINT
from mnist_core.errors import DigitLabError
from mnist_core.votes import Vote, Votes
from pages.components import owner
from pages.components.evaluated import Evaluated

Changes = Mapping[int, Vote | None]

_BALLOTS = "ballots"
_MOST_UNDONE = 1000


@dataclass
class Ballot:
    """One person's votes on one dataset, with the way back.

    Attributes
    ----------
    votes
        As they are now.
    problem
        Why they could not be read or kept, in a sentence; else empty.
    past
        For each change what was there before it, the last one at the end.
    """

    votes: Votes
    problem: str = ""
    past: list[Changes] = field(default_factory=list)

    def change(self, changes: Changes) -> None:
        """Put these votes, and keep all."""
        before = self._apply(changes)
        self.past = [*self.past, before][-_MOST_UNDONE:]

    def undo(self) -> int | None:
        """Take the last change back, and return a digit that it was about."""
        if not self.past:
            return None
        before = self.past.pop()
        self._apply(before)
        return next(iter(before), None)

    def _apply(self, changes: Changes) -> Changes:
        now = self._fresh()
        before = {row: now.cast.get(row) for row in changes}
        for row, vote in changes.items():
            now = now.put(row, vote)
        self.votes, self.problem = now, ""
        try:
            votes.save(now, owner.name())
        except DigitLabError as error:
            self.problem = f"{error} They last until you leave: take them away below."
        return before

    def _fresh(self) -> Votes:
        """The votes as they are kept: the same person may vote in another window too."""
        if self.problem:
            return self.votes
        try:
            return _kept(self.votes)
        except DigitLabError:
            return self.votes


def of(found: Evaluated) -> Ballot:
    """The votes on a dataset."""
    owner.remember()
    fingerprint = MNIST_FINGERPRINT if found.digits is None else found.digits.fingerprint
    ballots: dict[str, Ballot] = st.session_state.setdefault(_BALLOTS, {})
    if fingerprint not in ballots:
        none = Votes(found.predictions[0].dataset, fingerprint, found.predictions[0].labels)
        try:
            ballots[fingerprint] = Ballot(_kept(none))
        except DigitLabError as error:
            ballots[fingerprint] = Ballot(none, f"{error} The next vote begins anew.")
    return ballots[fingerprint]


def _kept(asked: Votes) -> Votes:
    return votes.load(asked.dataset, asked.fingerprint, asked.labels, owner.name())

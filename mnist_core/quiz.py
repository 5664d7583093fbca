"""You against the network: its mistakes and equally many easy digits, asked one by one, and both scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions

Rows = npt.NDArray[np.intp]

LENGTHS = (10, 20, 40)
"""Numbers of questions to choose from."""
MOST_SEED = 999_999

_CERTAIN = 2  # the easy ones are drawn from the surer half of what the network reads right


@dataclass(frozen=True)
class Question:
    """One digit that is asked.

    Attributes
    ----------
    row
        In the dataset.
    label, read
        What it is, and what the network took it for.
    hard
        Whether it is one of the hard ones.
    """

    row: int
    label: int
    read: int
    hard: bool


@dataclass(frozen=True)
class Score:
    """How many of how many were right, on the hard digits and on the easy ones."""

    hard: int
    of_hard: int
    easy: int
    of_easy: int


@dataclass(frozen=True)
class Quiz:
    """A quiz that is under way.

    Attributes
    ----------
    questions
        In the order they are asked.
    mistakes
        Whether the hard ones are mistakes; else the network makes none, and they are those it was least sure of.
    answers
        Digits that were answered; at most one more than `at`.
    at
        The question that is on the table; their number in the end.
    """

    questions: tuple[Question, ...]
    mistakes: bool = True
    answers: tuple[int, ...] = ()
    at: int = 0

    @property
    def over(self) -> bool:
        """Whether all was asked, answered and seen."""
        return self.at == len(self.questions)

    @property
    def answered(self) -> bool:
        """Whether the question on the table has its answer."""
        return len(self.answers) > self.at

    def answer(self, at: int, digit: int) -> "Quiz":
        """Answer a question. Nothing changes where it is not on the table, or has its answer already.

        Parameters
        ----------
        at
            The question; a click that comes late or twice is about another than that on the table.
        digit
            0 to 9; anything else is no answer.
        """
        if at != self.at or self.answered or self.over or digit not in range(10):
            return self
        return replace(self, answers=(*self.answers, digit))

    def go_on(self, at: int) -> "Quiz":
        """Go from a question to the next one; without an answer it stays."""
        return replace(self, at=self.at + 1) if at == self.at and self.answered else self

    @property
    def missed(self) -> tuple[tuple[Question, int], ...]:
        """The questions that were answered wrong, each with the answer."""
        pairs = zip(self.questions, self.answers, strict=False)
        return tuple((question, answer) for question, answer in pairs if answer != question.label)

    @property
    def yours(self) -> Score:
        """The score of who answered."""
        return _score(self.questions, self.answers)

    def score_of(self, predictions: Predictions) -> Score:
        """The score of a network on the questions that were answered."""
        asked = self.questions[: len(self.answers)]
        return _score(asked, [int(predictions.predicted[question.row]) for question in asked])

    @property
    def shared(self) -> int:
        """Digits that were taken for the same wrong digit by both."""
        return sum(answer == question.read for question, answer in self.missed)


def _score(questions: Sequence[Question], answers: Sequence[int]) -> Score:
    pairs = list(zip(questions, answers, strict=False))
    right = [question.hard for question, answer in pairs if answer == question.label]
    hard = sum(question.hard for question, _ in pairs)
    return Score(sum(right), hard, len(right) - sum(right), len(pairs) - hard)


def make(predictions: Predictions, questions: int, seed: int = 0, turn: int = 0) -> Quiz:
    """Put a quiz together: half mistakes, half digits that are read right with great certainty, mixed.

    The same arguments give the same quiz. A network with few mistakes gives a shorter quiz, and one without any is
    asked about the digits that it was least sure of.

    Parameters
    ----------
    predictions
        Of the network.
    questions
        How many at most, at least 2.
    seed
        Decides which digits, and their order; 0 to `MOST_SEED`.
    turn
        0 for the first quiz with a seed. The next one has others, as long as there are any.

    Raises
    ------
    DigitLabError
        There are fewer than two digits, or a number is out of bounds.
    """
    if len(predictions) < 2:
        raise DigitLabError("A quiz needs at least two digits: a hard one and an easy one.")
    if questions < 2 or seed not in range(MOST_SEED + 1) or turn not in range(MOST_SEED + 1):
        raise DigitLabError("There is no such quiz.")
    hard, right = _pools(predictions)
    each = min(questions // 2, len(hard), len(right))
    rng = np.random.default_rng(seed)
    certain = right[: max(each, -(-len(right) // _CERTAIN))]
    chosen = [(row, True) for row in _turn(rng.permutation(hard), each, turn)]
    chosen += [(row, False) for row in _turn(rng.permutation(certain), each, turn)]
    order = np.random.default_rng((seed, turn)).permutation(len(chosen))
    asked = [(int(chosen[place][0]), chosen[place][1]) for place in order]
    return Quiz(
        tuple(
            Question(row, int(predictions.labels[row]), int(predictions.predicted[row]), is_hard)
            for row, is_hard in asked
        ),
        bool(predictions.wrong.any()),
    )


def _pools(predictions: Predictions) -> tuple[Rows, Rows]:
    """The hard digits, and the easy ones from the surest on; neither is empty, none is in both."""
    wrong, right = np.flatnonzero(predictions.wrong), np.flatnonzero(~predictions.wrong)
    surest = right[np.argsort(-predictions.certainty[right], kind="stable")]
    if len(wrong) and len(right):
        return wrong, surest
    if len(wrong):  # nothing is read right: the digits to which it gave most are the easiest
        order = wrong[np.argsort(-predictions.true_probability[wrong], kind="stable")]
        return order[len(order) // 2 :], order[: len(order) // 2]
    unsure = len(surest) // 2
    return surest[-min(unsure, max(1, len(surest) // 10)) :], surest[: len(surest) - unsure]


def _turn(rows: Rows, each: int, turn: int) -> Rows:
    """The next ones in a fixed order that begins again at its end, so that none comes twice before all came."""
    return np.asarray(rows[(turn * each + np.arange(each)) % len(rows)])

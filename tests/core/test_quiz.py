"""The quiz: half mistakes, half easy ones, mixed by a seed, and scores that add up."""

import numpy as np
import pytest

from mnist_core import quiz
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions
from mnist_core.quiz import Quiz, Score


def given(wrong: int, right: int) -> Predictions:
    """First the digits that are read wrong, then those that are read right, more certain the later they come."""
    n = wrong + right
    labels = np.arange(n) % 10
    answers = np.where(np.arange(n) < wrong, (labels + 1) % 10, labels)
    sure = np.linspace(0.4, 0.99, n)
    probabilities = np.repeat(((1 - sure) / 9)[:, None], 10, axis=1)
    probabilities[np.arange(n), answers] = sure
    return Predictions("few", "few", labels, np.log(probabilities).astype(np.float32))


def rows(game: Quiz, hard: bool) -> set[int]:
    return {one.row for one in game.questions if one.hard == hard}


@pytest.mark.parametrize("questions", quiz.LENGTHS)
def test_half_are_mistakes_and_half_are_read_right_with_certainty(questions: int) -> None:
    answers = given(30, 300)
    game = quiz.make(answers, questions, seed=3)
    assert len(game.questions) == len({one.row for one in game.questions}) == questions
    assert len(rows(game, hard=True)) == questions // 2
    assert all(answers.wrong[row] for row in rows(game, hard=True))
    assert all(row >= 30 + 150 for row in rows(game, hard=False)), "the surer half of those that are read right"
    assert all((one.label, one.read) == (one.row % 10, (one.row + one.hard) % 10) for one in game.questions)
    assert game.mistakes


def test_a_seed_gives_the_same_quiz_and_another_one_another() -> None:
    answers = given(30, 300)
    assert quiz.make(answers, 10, 3).questions == quiz.make(answers, 10, 3).questions
    assert quiz.make(answers, 10, 3).questions != quiz.make(answers, 10, 4).questions
    kinds = {tuple(one.hard for one in quiz.make(answers, 10, seed).questions) for seed in range(20)}
    assert len(kinds) > 10, "hard and easy ones come in no order that could be guessed"


def test_the_next_quizzes_have_others_as_long_as_there_are_any() -> None:
    answers = given(20, 300)
    games = [quiz.make(answers, 10, 3, turn) for turn in range(4)]
    assert set.union(*(rows(game, hard=True) for game in games)) == set(range(20))
    assert len(set.union(*(rows(game, hard=False) for game in games))) == 20
    assert rows(quiz.make(answers, 10, 3, 4), hard=True) == rows(games[0], hard=True), "then they come again"


@pytest.mark.parametrize(
    ("wrong", "right", "each"), [(3, 300, 3), (1, 2, 1), (1, 1, 1), (2, 1, 1), (300, 3, 3), (3, 0, 1), (2, 0, 1)]
)
def test_few_mistakes_or_few_digits_make_a_shorter_quiz(wrong: int, right: int, each: int) -> None:
    for turn in range(3):
        game = quiz.make(given(wrong, right), 20, 1, turn)
        assert len(rows(game, hard=True)) == len(rows(game, hard=False)) == each
        assert not rows(game, hard=True) & rows(game, hard=False)


@pytest.mark.parametrize(("right", "each"), [(300, 5), (20, 2), (3, 1), (2, 1)])
def test_without_mistakes_it_asks_what_the_network_was_least_sure_of(right: int, each: int) -> None:
    answers = given(0, right)
    game = quiz.make(answers, 10, 1)
    assert not game.mistakes
    assert len(rows(game, hard=True)) == len(rows(game, hard=False)) == each
    assert max(rows(game, hard=True)) < max(1, right // 10), "the least certain tenth"
    assert min(rows(game, hard=False)) >= right // 2


@pytest.mark.parametrize(
    ("n", "questions", "seed", "turn"), [(1, 10, 0, 0), (9, 1, 0, 0), (9, 10, -1, 0), (9, 10, 10**6, 0), (9, 10, 0, -1)]
)
def test_what_is_no_quiz_is_said(n: int, questions: int, seed: int, turn: int) -> None:
    with pytest.raises(DigitLabError):
        quiz.make(given(0, n), questions, seed, turn)


def test_there_is_no_going_on_without_an_answer_and_no_answering_twice() -> None:
    game = quiz.make(given(30, 300), 10, 3)
    assert game.go_on(0) is game
    once = game.answer(0, 4)
    assert once.answer(0, 5) is once, "the first answer counts"
    assert once.answer(1, 5) is once, "the next question is not on the table yet"
    assert game.answer(0, 10) is game
    second = once.go_on(0)
    assert (second.at, second.answered) == (1, False)
    assert second.go_on(0) is second, "a click that comes twice goes on once"
    assert second.answer(0, 5) is second, "a click that comes late answers nothing"


def played(game: Quiz, answers: list[int]) -> Quiz:
    for at, answer in enumerate(answers):
        game = game.answer(at, answer).go_on(at)
    return game


def test_both_scores_on_hard_and_on_easy_ones() -> None:
    predicted = given(30, 300)
    game = quiz.make(predicted, 10, 3)
    right = played(game, [one.label for one in game.questions])
    assert right.over
    assert right.answer(10, 1) is right
    assert right.yours == Score(5, 5, 5, 5)
    assert right.score_of(predicted) == Score(0, 5, 5, 5), "the hard ones are the network's mistakes"
    assert right.missed == ()
    like_it = played(game, [one.read for one in game.questions])
    assert like_it.yours == Score(0, 5, 5, 5)
    assert like_it.shared == 5
    assert [question for question, _ in like_it.missed] == [one for one in game.questions if one.hard]
    half = played(game, [one.label for one in game.questions[:3]])
    assert half.yours.of_hard + half.yours.of_easy == 3
    assert not half.over

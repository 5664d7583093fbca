"""Labels that may be wrong: ranked as worked out by hand, and found where they were planted."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_core import predictions, suspects
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions
from mnist_core.recognizer import Recognizer

PLANTED = 30


def given(labels: list[int], rows: list[dict[int, float]], temperature: float = 1.0) -> Predictions:
    """Answers with these probabilities; what is left is shared by the digits that are not named."""
    probabilities = np.zeros((len(rows), 10))
    for place, named in enumerate(rows):
        probabilities[place] = (1 - sum(named.values())) / (10 - len(named))
        for digit, probability in named.items():
            probabilities[place, digit] = probability
    logs = np.log(np.maximum(probabilities, 1e-30)).astype(np.float32)
    return Predictions("few", "few", np.array(labels), logs, temperature)


def worked() -> Predictions:
    labels = [3, 3, 3, 5, 5, 5]
    rows = [
        {3: 0.9, 5: 0.1},
        {3: 0.6, 5: 0.3},
        {3: 0.0, 5: 1.0},  # labelled 3, surely a 5
        {5: 0.8, 3: 0.2},
        {5: 0.7, 3: 0.2},
        {5: 0.3, 3: 0.45},  # labelled 5, perhaps a 3: below the threshold of a 3, which is 0.5
    ]
    return given(labels, rows)


def test_the_least_believed_label_comes_first() -> None:
    found = suspects.rank([worked()])
    assert found.confidence == pytest.approx([0.9, 0.6, 0.0, 0.8, 0.7, 0.3])
    assert found.rows.tolist() == [2, 5, 1, 4, 3, 0]
    assert found.read.tolist() == [3, 3, 5, 5, 5, 3]


def test_a_label_is_flagged_where_another_digit_reaches_its_own_threshold() -> None:
    # The thresholds: a 3 (0.9 + 0.6 + 0.0) / 3 = 0.5, a 5 (0.8 + 0.7 + 0.3) / 3 = 0.6.
    assert suspects.rank([worked()]).flagged.tolist() == [False, False, True, False, False, False]


def test_several_networks_judge_by_the_mean_of_their_calibrated_probabilities() -> None:
    second = given([3, 3, 3, 5, 5, 5], [{3: 0.2}, {3: 0.2}, {3: 0.8}, {5: 0.2}, {5: 0.9}, {5: 0.9}])
    assert suspects.rank([worked(), second]).confidence == pytest.approx([0.55, 0.4, 0.4, 0.5, 0.8, 0.6])
    softened = replace(worked(), temperature=2.0)
    assert suspects.rank([softened]).confidence == pytest.approx(softened.true_probability)


def test_what_is_worth_a_look_goes_down_to_the_last_doubtful_one() -> None:
    found = suspects.rank([worked()])
    assert found.to_look_at(least=1).tolist() == [2, 5]
    assert found.to_look_at(least=4).tolist() == [2, 5, 1, 4]
    assert len(found.to_look_at()) == 6, "there are no more"
    assert found.to_look_at(most=1).tolist() == [2]


def test_three_pictures_of_two_digits_are_enough() -> None:
    found = suspects.rank([given([1, 1, 7], [{1: 0.9}, {7: 0.95}, {7: 0.8}])])
    assert found.rows[0] == 1
    assert found.flagged.tolist() == [False, True, False]


def test_no_digit_can_be_taken_for_one_that_is_nowhere() -> None:
    assert not suspects.rank([given([1], [{7: 0.99}])]).flagged.any()


def test_judges_need_the_same_digits() -> None:
    with pytest.raises(DigitLabError, match="at least one"):
        suspects.rank([])
    with pytest.raises(DigitLabError, match="same digits"):
        suspects.rank([worked(), given([1], [{1: 1.0}])])


@pytest.fixture(scope="module")
def answers(builtin: Dataset) -> Predictions:
    return predictions.evaluate(Recognizer.load("ann"), builtin)


@pytest.mark.parametrize("seed", range(5))
def test_planted_errors_are_found_at_the_top(answers: Predictions, seed: int) -> None:
    rng = np.random.default_rng(seed)
    planted = rng.choice(len(answers), PLANTED, replace=False)
    labels = answers.labels.copy()
    labels[planted] = (labels[planted] + rng.integers(1, 10, PLANTED)) % 10
    found = suspects.rank([replace(answers, labels=labels)])
    assert len(set(planted.tolist()) & set(found.rows[:PLANTED].tolist())) >= 24, "by chance it would be 2 or 3"
    assert found.flagged[planted].sum() >= 20
    assert found.flagged.sum() <= 40, "few others are flagged"

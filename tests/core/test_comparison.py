import dataclasses
import shutil

import numpy as np
import pytest
import scipy.stats

from mnist_core.comparison import (
    McNemar,
    mcnemar,
    only_right,
    published_accuracy,
    recipe_differences,
    same_digits,
)
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions
from mnist_core.recipes import PRESETS, Distortion
from mnist_core.runs import Run, load_run


def wrong(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Make two networks' answers with these counts, in mixed order, and return what is wrong."""
    pairs = np.repeat([[True, True], [True, False], [False, True], [False, False]], [both, first, second, neither], 0)
    np.random.default_rng(0).shuffle(pairs)
    return ~pairs[:, 0], ~pairs[:, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [(0, 0), (1, 0), (0, 1), (1, 1), (5, 5), (7, 2), (2, 7), (10, 25), (77, 128), (0, 40), (300, 301), (900, 3000)],
)
def test_mcnemar_is_scipys_exact_test(first: int, second: int) -> None:
    test = mcnemar(*wrong(50, first, second, 9))
    assert (test.both_right, test.only_first, test.only_second, test.both_wrong) == (50, first, second, 9)
    expected = scipy.stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert test.p_value == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_mcnemar_by_hand() -> None:
    """Six digits split 1 to 5: both tails of six fair coins, 2 * (1 + 6) / 64."""
    assert mcnemar(*wrong(3, 1, 5, 2)).p_value == pytest.approx(14 / 64)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (McNemar(9, 0, 0, 1, 1.0), "a and b are right and wrong on the very same digits."),
        (
            McNemar(9, 1, 5, 1, 14 / 64),
            "a is right on 1 digit that b gets wrong, and b on 5 that a gets wrong. This difference could be chance: "
            "were both equally good, a split at least as uneven as this one would come up in 22% of such tests.",
        ),
        (McNemar(9, 5, 20, 1, 0.04), "This is hardly chance, b reads better: were both equally good, a split"),
        (McNemar(9, 20, 5, 1, 0.04), "hardly chance, a reads better"),
        (McNemar(9, 2000, 5, 1, 0.00045), "would come up in one of 2,200 such tests."),
        (McNemar(9, 2000, 5, 1, 1e-300), "would come up in less than one of a million such tests."),
    ],
)
def test_the_test_in_words(test: McNemar, said: str) -> None:
    assert said in test.sentence("a", "b")


def with_changes(run: Run, **changes: object) -> Run:
    return dataclasses.replace(run, recipe=run.recipe.with_changes(**changes))


def test_only_what_differs_is_told_in_words(tiny: Run) -> None:
    assert recipe_differences([tiny, tiny]) == []
    other = with_changes(
        tiny, filters=(4, 8), hidden=(), batch_norm=True, examples=500, distortion=Distortion(rotation=10)
    )
    found = {one.title: one.values for one in recipe_differences([tiny, other, load_run("classic-128")])}
    assert found == {
        "Convolutional blocks": ("none", "4, 8", "none"),
        "Hidden layers": ("24", "none", "128"),
        "Batch normalisation": ("no", "yes", "no"),
        "Epochs": ("3", "3", "5"),
        "Held back": ("0.1", "0.1", "0.05"),
        "Training digits": ("all", "500", "all"),
        "Distortion: rotation": ("0", "10", "0"),
        "Data": ("built-in digits", "built-in digits", "MNIST"),
    }


def answers(labels: list[int], predicted: list[int], sure: list[float]) -> Predictions:
    probabilities = np.repeat((1 - np.array([sure], np.float32).T) / 9, 10, axis=1)
    probabilities[np.arange(len(labels)), predicted] = sure
    return Predictions("x", "digits", np.array(labels), np.log(probabilities))


def test_what_one_got_right_and_the_other_wrong() -> None:
    first = answers([1, 2, 3, 4], [1, 2, 3, 9], [0.9] * 4)
    second = answers([1, 2, 3, 4], [1, 7, 5, 4], [0.9, 0.9, 0.99, 0.9])
    np.testing.assert_array_equal(only_right(first, second), [2, 1], err_msg="the surest mistake first")
    np.testing.assert_array_equal(only_right(second, first), [3])


def test_bundled_runs_answered_the_same_digits() -> None:
    both = [load_run(name) for name in ("classic-50-50", "classic-128")]
    first, second = same_digits(both)
    test = mcnemar(first.wrong, second.wrong)
    assert test.both_right + test.only_first == 10_000 - both[0].metrics.test_errors
    assert test.both_right + test.only_second == 10_000 - both[1].metrics.test_errors
    assert len(only_right(first, second)) == test.only_first


def test_other_test_digits_cannot_be_compared_one_by_one(tiny: Run) -> None:
    with pytest.raises(DigitLabError, match="'tiny' and 'ann' were tested on different digits"):
        same_digits([tiny, load_run("ann")])
    shutil.copytree(tiny.folder, tiny.folder.parent / "copy")
    assert len(same_digits([tiny, load_run("copy")])) == 2


def test_published_results_are_read_as_numbers() -> None:
    found = {name: [published_accuracy(result) for result in preset.published] for name, preset in PRESETS.items()}
    assert found == {
        "classic-50-50": [0.972, pytest.approx(0.9701), 0.966],
        "classic-128": [None],
        "classic-onehot": [None],
        "ann": [0.9965],
        "cnn": [0.997],
    }
    assert [published_accuracy(text) for text in ("", "test", "test x %", "test 1.2.3 %", "train 98 %")] == [None] * 5

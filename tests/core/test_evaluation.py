import math

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import sklearn.metrics

from mnist_core.evaluation import (
    confusion_matrix,
    cross_entropy,
    fit_temperature,
    log_softmax,
    score,
    softmax,
    wilson_interval,
)


def answers(n: int = 200, seed: int = 0, certainty: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Make scores that favour the true digit, but not always."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n)
    scores = rng.normal(0, 1.5, (n, 10))
    scores[np.arange(n), labels] += certainty
    return scores.astype(np.float32), labels


EXTREME = {
    "usual": answers(20)[0],
    "all equal": np.zeros((3, 10), np.float32),
    "far apart": np.array([[1000.0, -1000.0] + [0.0] * 8], np.float32),
    "all huge": np.full((2, 10), 1e30, np.float32),
    "all tiny": np.full((2, 10), -1e30, np.float32),
    "one row": np.arange(10, dtype=np.float32),
}


@pytest.mark.parametrize("case", EXTREME)
@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_probabilities_and_their_logarithms_are_scipys(case: str, temperature: float) -> None:
    scores = EXTREME[case]
    exact = scores.astype(np.float64) / temperature
    probabilities = softmax(scores, temperature)
    assert (probabilities.dtype, probabilities.shape) == (np.dtype(np.float32), scores.shape)
    np.testing.assert_allclose(probabilities, scipy.special.softmax(exact, axis=-1), rtol=1e-6, atol=1e-38)
    np.testing.assert_allclose(log_softmax(scores, temperature), scipy.special.log_softmax(exact, axis=-1), rtol=1e-9)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_cross_entropy_and_accuracy_are_scikit_learns(seed: int) -> None:
    scores, labels = answers(seed=seed)
    accuracy, loss = score(scores, labels)
    assert accuracy == sklearn.metrics.accuracy_score(labels, scores.argmax(axis=1))
    probabilities = scipy.special.softmax(scores.astype(np.float64), axis=1)
    assert loss == pytest.approx(sklearn.metrics.log_loss(labels, probabilities, labels=list(range(10))), rel=1e-9)
    assert cross_entropy(scores, labels) == loss


def test_cross_entropy_does_not_lose_small_probabilities() -> None:
    scores = np.array([[200.0] + [0.0] * 9], np.float32)
    assert cross_entropy(scores, np.array([3])) == pytest.approx(200.0), "e**-200 is no float32, its logarithm is"


def test_the_confusion_matrix_is_scikit_learns() -> None:
    scores, labels = answers(500, certainty=1.0)
    predicted = scores.argmax(axis=1)
    counts = confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(counts, sklearn.metrics.confusion_matrix(labels, predicted))
    assert counts.dtype == np.int64


def test_digits_that_never_occur_still_have_their_row_and_column() -> None:
    counts = confusion_matrix(np.array([3, 3]), np.array([3, 8]))
    expected = np.zeros((10, 10), np.int64)
    expected[3, 3] = expected[3, 8] = 1
    np.testing.assert_array_equal(counts, expected, err_msg="true digit down, predicted digit across")


@pytest.mark.parametrize(
    ("successes", "n"), [(0, 1), (1, 1), (0, 10), (5, 10), (10, 10), (9965, 10_000), (9720, 10_000), (1, 10_000)]
)
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_interval_is_scipys(successes: int, n: int, level: float) -> None:
    found = wilson_interval(successes, n, scipy.stats.norm.ppf((1 + level) / 2))
    expected = scipy.stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_interval_is_of_95_percent_as_it_stands() -> None:
    expected = scipy.stats.binomtest(97, 100).proportion_ci(0.95, method="wilson")
    found = wilson_interval(97, 100)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_the_temperature_is_the_one_that_scipy_finds(factor: float) -> None:
    scores, labels = answers(2000)
    scores = scores * np.float32(factor)

    def loss(inverse: float) -> float:
        logs = scipy.special.log_softmax(scores.astype(np.float64) * inverse, axis=1)
        return float(-logs[np.arange(len(labels)), labels].mean())

    best = scipy.optimize.minimize_scalar(loss, bounds=(0.2, 5), method="bounded", options={"xatol": 1e-8})
    assert 0.25 < best.x < 4.9, "the case should not lie at an end"
    assert fit_temperature(scores, labels) == pytest.approx(1 / best.x, rel=1e-3)


def test_the_temperature_stays_within_its_limits() -> None:
    _, labels = answers(500)
    always_right = np.eye(10, dtype=np.float32)[labels]
    assert fit_temperature(always_right, labels) == pytest.approx(0.2, rel=1e-3), "certainty would grow without end"
    always_wrong = np.eye(10, dtype=np.float32)[(labels + 1) % 10]
    assert fit_temperature(always_wrong, labels) == pytest.approx(5, rel=1e-3)


def test_a_temperature_leaves_the_answer_alone() -> None:
    scores, _ = answers()
    for temperature in (0.2, 0.7, 5.0):
        np.testing.assert_array_equal(softmax(scores, temperature).argmax(axis=1), scores.argmax(axis=1))
    assert softmax(scores, 5.0).max() < softmax(scores).max() < softmax(scores, 0.2).max()


def test_the_sure_case_by_hand() -> None:
    """With n = z**2 and every success, the interval ends at 1 and begins at 1/2 (Wilson's formula by hand)."""
    z = 2.0
    found = wilson_interval(4, 4, z)
    assert (found.low, found.high) == pytest.approx((0.5, 1.0))
    assert math.isclose(wilson_interval(0, 4, z).high, 0.5)

"""Scores, confusion matrix and calibration agree with scikit-learn, SciPy, and cases worked by hand."""

import csv
import io
import json
import re
import warnings

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sklearn.calibration
import sklearn.metrics

from mnist_core import calibration, confusion
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import wilson_interval
from mnist_core.predictions import Predictions, stored
from mnist_core.runs import list_runs
from mnist_core.scores import as_csv, digit_scores, report, scores
from mnist_core.summary import summary


def made(n: int = 500, seed: int = 0, digits: int = 10, temperature: float = 1.3) -> Predictions:
    """Make answers that favour the true digit, but not always."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, digits, n)
    logits = rng.normal(0, 1.5, (n, 10))
    logits[np.arange(n), labels] += 2
    logs = scipy.special.log_softmax(logits, axis=1).astype(np.float32)
    return Predictions("made", "made", labels, logs, temperature, 0.5)


def sure(labels: list[int], answers: list[int], probability: float = 0.91) -> Predictions:
    """Make answers that are all equally sure; the other nine digits share the rest."""
    probabilities = np.full((len(labels), 10), (1 - probability) / 9)
    probabilities[np.arange(len(labels)), answers] = probability
    return Predictions("sure", "few", np.array(labels), np.log(probabilities).astype(np.float32))


CASES = {
    "usual": made(),
    "seven digits only": made(200, digits=7),
    "three": sure([4, 4, 9], [4, 9, 9]),
    "one": sure([4], [4]),
    "no mistake": sure(list(range(10)) * 4, list(range(10)) * 4),
    "all wrong": sure([1] * 40, [7] * 40),
    "bundled": stored(list_runs()[0], "mnist"),
}
each_case = pytest.mark.parametrize("case", CASES)


# --- accuracy, loss, top-2


@each_case
def test_the_scores_are_scikit_learns(case: str) -> None:
    given = CASES[case]
    found = scores(given)
    raw = scipy.special.softmax(given.log_probabilities.astype(np.float64), axis=1)
    assert found.n == len(given)
    assert found.accuracy == sklearn.metrics.accuracy_score(given.labels, given.predicted)
    assert found.errors == sklearn.metrics.zero_one_loss(given.labels, given.predicted, normalize=False)
    assert found.loss == pytest.approx(sklearn.metrics.log_loss(given.labels, raw, labels=range(10)), rel=1e-9)
    if case != "bundled":  # stored probabilities tie where both are too small for a float32
        expected = sklearn.metrics.top_k_accuracy_score(given.labels, _untied(raw), k=2, labels=range(10))
        assert found.top_two == pytest.approx(expected)


def _untied(probabilities: np.ndarray) -> np.ndarray:
    """Make the first of equal probabilities the largest, as the app does; scikit-learn takes the last."""
    return probabilities - np.arange(10) * 1e-12


@each_case
def test_the_intervals_are_scipys(case: str) -> None:
    given = CASES[case]
    found = scores(given)
    n, right = found.n, found.n - found.errors
    expected = scipy.stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert (found.accuracy_interval.low, found.accuracy_interval.high) == pytest.approx((expected.low, expected.high))
    assert found.errors_interval == pytest.approx((n * (1 - expected.high), n * (1 - expected.low)), abs=1e-9)
    if n < 30:
        assert found.loss_interval is None, "the mean of so few losses is far from normal"
    else:
        low, high = scipy.stats.norm.interval(0.95, found.loss, scipy.stats.sem(given.raw_losses) or 1e-300)
        assert found.loss_interval is not None
        assert (found.loss_interval.low, found.loss_interval.high) == pytest.approx((max(0, low), high))


def test_the_bundled_runs_stored_answers_give_their_own_record() -> None:
    for run in list_runs():
        found = scores(stored(run, "mnist"))
        assert (found.n, found.errors) == (run.metrics.test_n, run.metrics.test_errors)
        assert found.accuracy == pytest.approx(run.metrics.test_accuracy, abs=1e-9)
        assert found.loss == pytest.approx(run.metrics.test_loss, abs=1e-5)


def test_top_two_by_hand() -> None:
    logs = np.log(np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.3, 0.3, 0.3]]))
    logs = np.hstack([logs, np.full((4, 7), -50)]).astype(np.float32)
    found = scores(Predictions("", "", np.array([0, 1, 2, 2]), logs))
    assert found.top_two == 2 / 4, "the third guess does not count, nor the third of three equal ones"


def test_nothing_to_measure_is_said() -> None:
    with pytest.raises(DigitLabError, match="no digit"):
        Predictions("", "", np.zeros(0, np.int64), np.zeros((0, 10), np.float32))


# --- each digit


@each_case
def test_each_digits_figures_are_scikit_learns(case: str) -> None:
    given = CASES[case]
    expected = sklearn.metrics.precision_recall_fscore_support(
        given.labels, given.predicted, labels=range(10), zero_division=np.nan
    )
    for one, precision, recall, f1, support in zip(digit_scores(given), *expected, strict=True):
        assert one.support == support
        for found, share in ((one.precision, precision), (one.recall, recall), (one.f1, f1)):
            assert (found is None) == bool(np.isnan(share)), "a digit that does not occur has no share"
            assert found is None or found == pytest.approx(share)
        assert one.recall_interval == (wilson_interval(one.right, one.support) if one.support else None)
        assert one.precision_interval == (wilson_interval(one.right, one.answered) if one.answered else None)


@each_case
def test_the_report_is_scikit_learns_to_the_letter(case: str) -> None:
    given = CASES[case]
    expected = sklearn.metrics.classification_report(
        given.labels, given.predicted, labels=range(10), digits=4, zero_division=0
    )
    # Where every digit is wrong, scikit-learn writes how many there are with a decimal.
    assert report(given) == re.sub(r"(\d+)\.0$", r"  \1", expected, flags=re.MULTILINE)


def test_the_report_names_digits_that_do_not_occur() -> None:
    lines = report(CASES["three"]).splitlines()
    assert lines[2].split() == ["0", "0.0000", "0.0000", "0.0000", "0"]
    assert lines[6].split() == ["4", "1.0000", "0.5000", "0.6667", "2"]
    assert "accuracy" in lines[13] and lines[13].split()[1:] == ["0.6667", "3"]


# --- the matrix


@each_case
def test_the_matrix_is_scikit_learns_in_every_view(case: str) -> None:
    given = CASES[case]
    counts = confusion.matrix(given)
    views = {"counts": None, "true": "true", "predicted": "pred"}
    for view, normalize in views.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of digits that do not occur
            expected = sklearn.metrics.confusion_matrix(
                given.labels, given.predicted, labels=range(10), normalize=normalize
            )
        found = confusion.seen(counts, view)  # type: ignore[arg-type]
        np.testing.assert_allclose(np.nan_to_num(found), expected)
    errors = confusion.seen(counts, "errors")
    assert np.isnan(np.diag(errors)).all()
    assert np.nansum(errors) == scores(given).errors


def test_a_share_of_nothing_is_not_zero() -> None:
    counts = confusion.matrix(CASES["three"])
    assert np.isnan(confusion.seen(counts, "true")[0]).all(), "no 0 was written"
    assert np.isnan(confusion.seen(counts, "predicted")[:, 0]).all(), "nothing was read as 0"
    assert confusion.seen(counts, "true")[4].tolist() == [0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5]


@each_case
def test_a_cells_rows_are_as_many_as_scikit_learn_counts_worst_first(case: str) -> None:
    given = CASES[case]
    expected = sklearn.metrics.confusion_matrix(given.labels, given.predicted, labels=range(10))
    for true in range(10):
        for predicted in range(10):
            rows = confusion.rows_of(given, true, predicted)
            assert len(rows) == expected[true, predicted]
            assert set(given.labels[rows]) <= {true}
            assert set(given.predicted[rows]) <= {predicted}
            assert (np.diff(given.losses[rows]) <= 0).all()


def test_a_row_or_column_of_the_matrix_has_its_mistakes_alone() -> None:
    given = CASES["usual"]
    counts = confusion.seen(confusion.matrix(given), "errors")
    assert len(confusion.rows_of(given)) == np.nansum(counts)
    assert len(confusion.rows_of(given, true=4)) == np.nansum(counts[4])
    assert len(confusion.rows_of(given, predicted=9)) == np.nansum(counts[:, 9])


# --- calibration


@each_case
def test_the_bins_are_scikit_learns(case: str) -> None:
    given = CASES[case]
    right = ~given.wrong
    found = calibration.reliability(given.certainty, right)
    accuracy, certainty = sklearn.calibration.calibration_curve(right, given.certainty, n_bins=10)
    assert [one.accuracy for one in found] == pytest.approx(accuracy)
    assert [one.certainty for one in found] == pytest.approx(certainty)
    assert sum(one.n for one in found) == len(given)
    assert all(one.low <= one.certainty <= one.high + 1e-12 for one in found)


def test_the_expected_calibration_error_by_hand() -> None:
    certainty = np.array([0.95, 0.95, 0.95, 0.95, 0.65, 0.65])
    right = np.array([True, True, True, False, True, False])
    found = calibration.reliability(certainty, right)
    assert [(one.n, one.right) for one in found] == [(2, 1), (4, 3)]
    assert calibration.expected_error(found) == pytest.approx((4 * abs(0.95 - 0.75) + 2 * abs(0.65 - 0.5)) / 6)


def test_the_temperature_brings_certainty_closer_to_the_truth() -> None:
    for run in list_runs():
        found = calibration.certainty(stored(run, "mnist"))
        assert found.error_after < found.error_before, run.name
        raw = scipy.special.softmax(stored(run, "mnist").log_probabilities.astype(np.float64), axis=1).max(axis=1)
        assert sum(one.certainty * one.n for one in found.before) / 10_000 == pytest.approx(raw.mean())


@each_case
def test_refusing_by_hand(case: str) -> None:
    given = CASES[case]
    for threshold in (0.0, 0.3, 0.7, 0.9, 1.0):
        found = calibration.refuse(given, threshold)
        read = [row for row in range(len(given)) if given.certainty[row] >= threshold]
        assert found.read == len(read)
        assert found.wrong == sum(given.labels[row] != given.predicted[row] for row in read)
        assert found.coverage == pytest.approx(len(read) / len(given))
    assert calibration.refuse(given, 0.0).accuracy == pytest.approx(scores(given).accuracy)


@each_case
def test_the_coverage_curve_is_what_refusing_gives(case: str) -> None:
    given = CASES[case]
    curve = calibration.coverage(given)
    assert len(curve.threshold) <= 400
    assert (np.diff(curve.threshold) < 0).all()
    assert curve.coverage[-1] == 1, "in the end everything is read"
    assert curve.accuracy[-1] == pytest.approx(scores(given).accuracy)
    for place in range(0, len(curve.threshold), 37):
        one = calibration.refuse(given, curve.threshold[place])
        assert (curve.coverage[place], curve.accuracy[place]) == pytest.approx((one.coverage, one.accuracy))


@pytest.mark.parametrize(
    ("n", "read", "wrong", "sentence"),
    [
        (1000, 982, 1, "reads 982 and asks about 18; of those it reads, 1 is wrong."),
        (1000, 982, 3, "reads 982 and asks about 18; of those it reads, 3 are wrong."),
        (1000, 982, 0, "reads 982 and asks about 18; of those it reads, none is wrong here."),
        (10_000, 9_820, 2, "reads 982 and asks about 18; of those it reads, fewer than 1 is wrong (1 in 5,000)."),
        (10_000, 9_999, 40, "reads 999 and asks about 1; of those it reads, 4 are wrong."),
        (10_000, 10_000, 40, "reads 1,000 and never asks; of those it reads, 4 are wrong."),
        (3, 0, 0, "reads none: it asks about all of them."),
        (3, 2, 1, "reads 667 and asks about 333; of those it reads, 333 are wrong."),
    ],
)
def test_what_a_threshold_means_in_words(n: int, read: int, wrong: int, sentence: str) -> None:
    found = calibration.Refusal(0.9, n, read, wrong).sentence()
    assert found == f"Of 1,000 handwritten digits it {sentence}"
    assert calibration.Refusal(0.9, n, read, wrong).accuracy == ((read - wrong) / read if read else None)


# --- to take away


def test_the_table_has_a_line_for_each_digit() -> None:
    given = CASES["usual"]
    rows = list(csv.DictReader(io.StringIO(as_csv(given))))
    assert len(rows) == len(given)
    for number in (0, 77, 499):
        row = rows[number]
        assert (int(row["number"]), int(row["true"])) == (number, given.labels[number])
        assert int(row["read_as"]) == given.predicted[number]
        assert (row["right"] == "yes") == (not given.wrong[number])
        assert (row["accepted"] == "yes") == (given.certainty[number] >= given.least_probability)
        assert float(row["loss"]) == pytest.approx(given.losses[number], abs=1e-6)
        assert float(row["probability_of_true"]) == pytest.approx(given.true_probability[number], abs=1e-6)
        calibrated = scipy.special.softmax(given.log_probabilities[number].astype(np.float64) / given.temperature)
        assert [float(row[f"p{digit}"]) for digit in range(10)] == pytest.approx(calibrated, abs=1e-6)
        first, second = np.sort(calibrated)[:-3:-1]
        assert float(row["margin"]) == pytest.approx(first - second, abs=1e-6)


@each_case
def test_the_summary_is_json_and_says_what_the_parts_say(case: str) -> None:
    given = CASES[case]
    found = json.loads(json.dumps(summary(given), allow_nan=False))
    assert found["errors"] == scores(given).errors
    assert found["confusion"] == confusion.matrix(given).tolist()
    assert [one["support"] for one in found["digits"]] == np.bincount(given.labels, minlength=10).tolist()
    assert found["calibration"]["expected_error_after"] == calibration.certainty(given).error_after

"""A drawing among the test digits: the map against scikit-learn's components, the cell against its counts."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix

from mnist_core import among, explain, figures_among
from mnist_core.explain import Gallery, Neighbour
from mnist_core.predictions import Predictions, evaluate
from mnist_core.recognizer import Recognizer


@pytest.fixture
def recognizer(tiny) -> Recognizer:
    return Recognizer(tiny)


@pytest.fixture
def gallery(recognizer, builtin) -> Gallery:
    return explain.gather(recognizer, builtin, part="test")


def test_the_map_shows_the_first_two_principal_components(gallery, builtin):
    found = among.survey(gallery)
    usual = PCA(2).fit(gallery.features.astype(np.float64))
    theirs = usual.transform(gallery.features.astype(np.float64))
    signs = np.sign((found.points * theirs).sum(axis=0))
    np.testing.assert_allclose(found.points * signs, theirs, atol=0.02)
    assert found.share == pytest.approx(usual.explained_variance_ratio_.sum(), rel=1e-3)
    np.testing.assert_array_equal(found.labels, builtin.test_labels)


def test_a_test_digit_is_placed_where_it_lies(recognizer, gallery, builtin):
    features = recognizer.features(builtin.test_images[17:18].astype(np.float32) / 255)[0]
    found = among.survey(gallery)
    np.testing.assert_allclose(found.place(features), found.points[17], atol=0.02)


def test_of_many_digits_some_are_shown_evenly(gallery, builtin):
    found = among.survey(gallery, 100)
    assert len(found.points) == len(found.rows) == 100
    assert (found.rows[0], found.rows[-1]) == (0, len(builtin.test_labels) - 1)
    np.testing.assert_array_equal(found.labels, builtin.test_labels[found.rows])


def test_it_looks_the_same_each_time(gallery):
    np.testing.assert_array_equal(among.survey(gallery).points, among.survey(gallery).points)


@pytest.mark.parametrize("n", [2, 3])
def test_a_few_alike_digits_are_a_map_too(gallery, n):
    same = Gallery(gallery.dataset, gallery.rows[:n], np.ones((n, 24), np.float16), "test")
    found = among.survey(same)
    assert np.isfinite(found.points).all()
    assert found.place(np.ones(24, np.float32)) == pytest.approx((0, 0), abs=1e-5)


def test_the_figure_has_every_digit_and_the_drawing(recognizer, gallery, builtin):
    found, given = among.survey(gallery), evaluate(recognizer, builtin)
    figure = figures_among.landscape(found, given, (1.0, 2.0), "#ffffff")
    *digits, yours = figure.data
    assert sum(len(trace.x) for trace in digits) == len(builtin.test_labels)
    for trace in digits:
        here = np.flatnonzero(builtin.test_labels == int(trace.name))
        assert set(trace.text) == {trace.name}
        article = "An" if trace.name == "8" else "A"
        assert list(trace.hovertext) == [f"{article} {trace.name}, read as {given.predicted[row]}" for row in here]
        np.testing.assert_allclose(trace.x, found.points[here, 0])
    assert (yours.name, yours.x, yours.y) == ("yours", (1.0,), (2.0,))


def answers(labels: list[int], read: list[int]) -> Predictions:
    logs = np.full((len(labels), 10), -4.0, np.float32)
    logs[np.arange(len(labels)), read] = -0.2
    return Predictions("net", "few", np.array(labels), logs)


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        ([4, 4, 9], "Of the 3 nearest, two are 4s and one is a 9. net reads every one of them right."),
        ([4, 9, 9], "Of the 3 nearest, two are 4s and one is a 9. net reads one of them wrong."),
        ([9, 9, 4], "Of the 3 nearest, two are 4s and one is a 9. net reads 3 of them wrong."),
    ],
)
def test_the_nearest_in_words(read, sentence):
    labels = [4, 4, 9]
    nearest = [Neighbour(i, np.zeros((28, 28), np.uint8), label, 1.0) for i, label in enumerate(labels)]
    assert among.neighbours_in_words(nearest, answers(labels, read)) == sentence


def test_the_cell_in_words():
    given = answers([4, 4, 4, 9], [4, 9, 9, 9])
    assert among.cell_in_words(given, 4, 9) == "Of the 3 digits here that are a 4, 2 are read as 9."
    assert among.cell_in_words(given, 4, 4) == "Of the 3 digits here that are a 4, 1 is read as 4."
    assert among.cell_in_words(given, 9, 4) == "Of the 1 digit here that is a 9, none is read as 4: yours is a first."
    assert among.cell_in_words(given, 0, 0) == "There is no 0 among these digits."


def test_the_cells_count_is_scikit_learns(recognizer, builtin):
    given = evaluate(recognizer, builtin)
    counts = confusion_matrix(given.labels, given.predicted, labels=range(10))
    sevens = int(counts[7, 7])
    assert f", {sevens} are read as 7." in among.cell_in_words(given, 7, 7)


def test_a_figure_of_few_digits_has_no_empty_trace(gallery, recognizer, builtin):
    few = Gallery(gallery.dataset, gallery.rows[:2], gallery.features[:2], "test")
    figure = figures_among.landscape(among.survey(few), evaluate(recognizer, builtin), (0.0, 0.0), "#fff")
    assert all(len(trace.x) for trace in figure.data)

"""The nearest training digits: checked against scikit-learn's own search."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from mnist_core import explain, runs
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.explain import Neighbour
from mnist_core.recognizer import Recognizer


@pytest.fixture
def recognizer(tiny: runs.Run) -> Recognizer:
    return Recognizer(tiny)


def test_features_are_the_last_hidden_layers_outputs(recognizer, builtin):
    weights = runs.load_weights(recognizer.run)
    digits = builtin.test_images[:300].astype(np.float32) / 255  # more than one batch
    by_hand = np.maximum(digits.reshape(-1, 784) @ weights["hidden_1/kernel"] + weights["hidden_1/bias"], 0)
    np.testing.assert_allclose(recognizer.features(digits), by_hand, atol=1e-4)
    scores = by_hand @ weights["logits/kernel"] + weights["logits/bias"]
    np.testing.assert_allclose(recognizer.logits(digits), scores, atol=1e-3)


def test_no_digits_have_no_features(recognizer):
    none = np.zeros((0, 28, 28), np.float32)
    assert recognizer.features(none).shape == (0, 24)
    assert recognizer.logits(none).shape == (0, 10)


def test_the_nearest_are_those_that_scikit_learn_finds(recognizer, builtin):
    gallery = explain.gather(recognizer, builtin)
    assert gallery.rows.tolist() == list(range(len(builtin.train_labels)))
    index = NearestNeighbors(n_neighbors=8).fit(gallery.features.astype(np.float32))
    for features in recognizer.features(builtin.test_images[:40].astype(np.float32) / 255):
        distances, rows = index.kneighbors(features[None])
        found = gallery.nearest(features)
        np.testing.assert_allclose([one.distance for one in found], distances[0], rtol=1e-4)
        assert [one.row for one in found] == rows[0].tolist()
        assert [one.label for one in found] == builtin.train_labels[rows[0]].tolist()
        np.testing.assert_array_equal(found[0].image, builtin.train_images[rows[0][0]])


def test_a_training_digit_is_its_own_nearest(recognizer, builtin):
    gallery = explain.gather(recognizer, builtin)
    digit = builtin.train_images[17:18].astype(np.float32) / 255
    first = gallery.nearest(recognizer.features(digit)[0], count=1)[0]
    assert (first.row, first.distance) == (17, pytest.approx(0, abs=0.02)), "up to rounding to 16 bits"


def test_the_nearest_of_one_digit_are_those_that_scikit_learn_finds_among_them(recognizer, builtin):
    gallery = explain.gather(recognizer, builtin)
    fours = np.flatnonzero(builtin.train_labels == 4)
    index = NearestNeighbors(n_neighbors=4).fit(gallery.features[fours].astype(np.float32))
    features = recognizer.features(builtin.test_images[:1].astype(np.float32) / 255)
    _, places = index.kneighbors(features)
    found = gallery.nearest(features[0], count=4, label=4)
    assert [one.row for one in found] == fours[places[0]].tolist()
    assert {one.label for one in found} == {4}


def test_a_digit_that_is_not_there_has_no_nearest(recognizer, builtin):
    without = builtin.train_labels != 4
    some = replace(builtin, train_images=builtin.train_images[without], train_labels=builtin.train_labels[without])
    assert explain.gather(recognizer, some).nearest(np.zeros(24, np.float32), label=4) == ()


def test_test_digits_are_gathered_and_kept_beside_the_training_digits(recognizer, builtin):
    training, tested = explain.gather(recognizer, builtin), explain.gather(recognizer, builtin, part="test")
    again = explain.gather(recognizer, builtin, lambda *_: pytest.fail("they were kept"), part="test")
    np.testing.assert_array_equal(again.features, tested.features)
    assert (len(training.rows), len(tested.rows)) == (len(builtin.train_labels), len(builtin.test_labels))
    digit = builtin.test_images[17:18].astype(np.float32) / 255
    first = tested.nearest(recognizer.features(digit)[0], count=1)[0]
    assert (first.row, first.label) == (17, builtin.test_labels[17])
    np.testing.assert_array_equal(first.image, builtin.test_images[17])


def test_there_are_never_more_than_there_are(recognizer, builtin):
    few = replace(builtin, train_images=builtin.train_images[:5], train_labels=builtin.train_labels[:5])
    gallery = explain.gather(recognizer, few)
    assert len(gallery.nearest(np.zeros(24, np.float32), count=8)) == 5


def test_progress_reaches_the_end_and_a_second_time_nothing_is_worked_out(recognizer, builtin):
    told: list[tuple[int, int]] = []
    first = explain.gather(recognizer, builtin, lambda *progress: told.append(progress))
    n = len(builtin.train_labels)
    assert told == [(1024, n), (n, n)]
    again = explain.gather(recognizer, builtin, lambda *progress: pytest.fail("they were kept"))
    np.testing.assert_array_equal(again.features, first.features)


@pytest.mark.parametrize("damage", [b"", b"not an archive", None], ids=["empty", "text", "other shape"])
def test_a_damaged_file_is_worked_out_again(recognizer, builtin, digit_lab_home, damage):
    first = explain.gather(recognizer, builtin)
    (file,) = (digit_lab_home / "features").iterdir()
    if damage is None:
        np.savez(file, features=first.features[:, :3])
    else:
        file.write_bytes(damage)
    np.testing.assert_array_equal(explain.gather(recognizer, builtin).features, first.features)


def test_a_folder_that_cannot_be_written_is_no_error(recognizer, builtin, digit_lab_home):
    (digit_lab_home / "features").write_text("a file where the folder should be")
    assert len(explain.gather(recognizer, builtin).features) == len(builtin.train_labels)


def test_only_the_newest_files_stay(recognizer, builtin, digit_lab_home):
    for n in range(20, 27):
        explain.gather(
            recognizer, replace(builtin, train_images=builtin.train_images[:n], train_labels=builtin.train_labels[:n])
        )
    assert len(list((digit_lab_home / "features").iterdir())) == explain._MOST_KEPT


def test_with_too_little_room_the_digits_are_taken_evenly(recognizer, builtin, monkeypatch):
    monkeypatch.setattr(explain, "_MOST_BYTES", 2 * 24 * 100)
    gallery = explain.gather(recognizer, builtin)
    assert len(gallery.rows) == len(gallery.features) == 100
    assert (gallery.rows[0], gallery.rows[-1]) == (0, len(builtin.train_labels) - 1)
    assert len(set(gallery.rows.tolist())) == 100
    (first,) = gallery.nearest(gallery.features[50].astype(np.float32), count=1)
    assert first.row == gallery.rows[50]


def test_a_dataset_without_training_digits_is_refused(recognizer, builtin: Dataset):
    empty = replace(builtin, train_images=builtin.train_images[:0], train_labels=builtin.train_labels[:0])
    with pytest.raises(DigitLabError, match="has no training digits"):
        explain.gather(recognizer, empty)
    untested = replace(builtin, test_images=builtin.test_images[:0], test_labels=builtin.test_labels[:0])
    with pytest.raises(DigitLabError, match="has no test digits"):
        explain.gather(recognizer, untested, part="test")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([], ""),
        ([8], "The nearest is an 8."),
        ([7] * 8, "All eight are 7s."),
        ([7] * 12, "All 12 are 7s."),
        ([7, 1, 7, 7, 1], "Of the 5 nearest, three are 7s and two are 1s."),
        ([8, 7, 7, 7, 7, 7, 7, 7], "Of the 8 nearest, seven are 7s and one is an 8."),
        ([5, 4, 5, 0, 8, 4, 5, 1], "Of the 8 nearest, three are 5s, two are 4s, one is a 0, one an 8 and one a 1."),
        ([8, 3], "Of the 2 nearest, one is an 8 and one a 3."),
    ],
    ids=["none", "one", "all the same", "many", "two kinds", "one other", "several", "no two alike"],
)
def test_the_nearest_in_words(labels, sentence):
    nearest = [Neighbour(i, np.zeros((28, 28), np.uint8), label, 1.0) for i, label in enumerate(labels)]
    assert explain.in_words(nearest) == sentence


def test_a_mnist_digits_nearest_are_found_in_all_of_mnist(mnist, recognizer):
    gallery = explain.gather(recognizer, mnist)
    assert gallery.features.shape == (60_000, 24)
    index = NearestNeighbors(n_neighbors=8).fit(gallery.features.astype(np.float32))
    features = recognizer.features(mnist.test_images[:1].astype(np.float32) / 255)
    distances, _ = index.kneighbors(features)
    np.testing.assert_allclose([one.distance for one in gallery.nearest(features[0])], distances[0], rtol=1e-4)

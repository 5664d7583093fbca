import dataclasses
import math
import threading
from typing import Any

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from mnist_core import network, training
from mnist_core.augment import NO_DIGIT, EpochSource
from mnist_core.data import Dataset, stratified_split
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import cross_entropy, score
from mnist_core.recipes import Distortion, ModelRecipe, Recipe, TrainRecipe, preset
from mnist_core.recognizer import Recognizer
from mnist_core.runs import load_run
from mnist_core.training import Progress, StopTraining, TrainedNetwork, scores, train

SMALL = ModelRecipe(hidden=(12, 8))
WHOLE = {"validation_share": 0.0, "batch_size": 32}  # the batch is the whole training set, in any order
NO_SPLIT: Any = {"validation_share": 0.0}


def assert_same_weights(left: TrainedNetwork, right: TrainedNetwork, why: str = "") -> None:
    assert list(left.weights) == list(right.weights)
    for name, value in left.weights.items():
        np.testing.assert_array_equal(value, right.weights[name], err_msg=f"{name}: {why}")


# --- against Keras' own training


def plain_keras(recipe: Recipe) -> keras.Model:
    """Build the same network by Keras' own words: its output gives probabilities, its loss takes them."""
    layers: list[keras.layers.Layer] = [keras.Input((784,))]
    for units in recipe.model.hidden:
        layers.append(keras.layers.Dense(units, use_bias=not recipe.model.batch_norm))
        if recipe.model.batch_norm:
            layers.append(keras.layers.BatchNormalization())
        layers.append(keras.layers.Activation(recipe.model.activation))
    layers.append(keras.layers.Dense(10, activation=recipe.model.output))
    # Keras' loss looks behind an output layer for its logits and would take their softmax, also where the layer is a
    # sigmoid; behind a layer that only passes on, it takes the values themselves and divides by their sum.
    layers.append(keras.layers.Reshape((10,)))
    model = keras.Sequential(layers)
    model.set_weights(list(network.get_weights(network.build(recipe.model, recipe.training.seed)).values()))
    how = recipe.training
    rate = how.learning_rate
    optimizers = {
        "adam": keras.optimizers.Adam(rate),
        "adamw": keras.optimizers.AdamW(rate, weight_decay=how.weight_decay),
        "sgd": keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        "rmsprop": keras.optimizers.RMSprop(rate),
    }
    if how.loss == "sparse_categorical_crossentropy":
        loss = keras.losses.SparseCategoricalCrossentropy()
    else:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=how.label_smoothing)
    model.compile(optimizers[how.optimizer], loss, run_eagerly=True)
    return model


SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"
SAME = {
    "sparse": (SMALL, {"loss": SPARSE}),
    "sparse on sigmoid": (dataclasses.replace(SMALL, output="sigmoid"), {"loss": SPARSE}),
    "one-hot": (SMALL, {"loss": ONE_HOT}),
    "one-hot on sigmoid": (dataclasses.replace(SMALL, output="sigmoid"), {"loss": ONE_HOT}),
    "smoothed": (SMALL, {"loss": ONE_HOT, "label_smoothing": 0.2}),
    "sgd": (SMALL, {"optimizer": "sgd", "learning_rate": 0.02}),
    "rmsprop": (SMALL, {"optimizer": "rmsprop"}),
    "adamw": (SMALL, {"optimizer": "adamw", "weight_decay": 0.5, "learning_rate": 0.01}),
    "cosine": (SMALL, {"schedule": "cosine", "learning_rate": 0.01}),
    "batch norm": (dataclasses.replace(SMALL, batch_norm=True), {"learning_rate": 0.01}),
    "gelu": (dataclasses.replace(SMALL, activation="gelu"), {}),
}


@pytest.mark.parametrize("case", SAME)
def test_four_steps_are_those_of_keras(case: str, few: Dataset) -> None:
    model_recipe, how = SAME[case]
    steps = 4
    recipe = Recipe(model_recipe, TrainRecipe(**(WHOLE | {"epochs": steps} | how)))
    trained = train(recipe, few)
    model = plain_keras(recipe)
    pixels = few.train_images.reshape(-1, 784).astype(np.float32) / 255
    targets = few.train_labels if recipe.training.loss == SPARSE else np.eye(10)[few.train_labels]
    rate = recipe.training.learning_rate
    for step in range(steps):
        if recipe.training.schedule == "cosine":
            model.optimizer.learning_rate = rate * (1 + math.cos(math.pi * step / steps)) / 2
        loss = float(model.train_on_batch(pixels, targets))
        assert trained.history[step].loss == pytest.approx(loss, rel=2e-4), f"the loss before step {step + 1}"
    for (name, ours), theirs in zip(trained.weights.items(), model.get_weights(), strict=True):
        # The batch is the same set in another order: sums are rounded differently, and the optimisers that divide
        # by a gradient's own size make that larger.
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=rate / 50, err_msg=name)


def test_what_is_no_digit_should_be_found_equally_likely_to_be_any(few: Dataset) -> None:
    """The fresh network's loss, by hand: one-hot targets for digits, an even target for what is none."""
    how = TrainRecipe(**(WHOLE | {"batch_size": 48}), loss=ONE_HOT, label_smoothing=0.1, non_digits=0.5, epochs=1)
    news = train(Recipe(SMALL, how), few).history[0]
    kept, _ = stratified_split(few.train_labels, 0)
    images, labels = EpochSource(few.train_images[kept], few.train_labels[kept], how).draw(1)
    logs = scipy.special.log_softmax(scores(network.build(SMALL, 0), images).astype(float), axis=1)
    targets = np.full((48, 10), 0.1)
    digits = labels != NO_DIGIT
    targets[digits] = 0.01 + 0.9 * np.eye(10)[labels[digits]]
    assert news.loss == pytest.approx(-(targets * logs).sum(axis=1).mean(), rel=1e-5)
    right = logs.argmax(axis=1) == labels
    assert news.accuracy == pytest.approx(right.sum() / digits.sum()), "only digits can be read right"


@pytest.mark.parametrize("loss", [SPARSE, ONE_HOT])
def test_compiled_steps_are_those_of_plain_python(loss: Any, few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(SMALL, TrainRecipe(loss=loss, epochs=2, batch_size=8, optimizer="sgd", learning_rate=0.05))
    compiled = train(recipe, few)
    monkeypatch.setattr(training, "_SHARED_WORK", 0)  # what stands in a dataset is always compiled
    tf.config.run_functions_eagerly(True)
    try:
        plain = train(recipe, few)
    finally:
        tf.config.run_functions_eagerly(False)
    for name, value in compiled.weights.items():
        np.testing.assert_allclose(value, plain.weights[name], rtol=1e-4, atol=1e-5, err_msg=name)
    for ours, theirs in zip(compiled.history, plain.history, strict=True):
        assert (ours.loss, ours.accuracy) == pytest.approx((theirs.loss, theirs.accuracy), rel=1e-4)


def test_the_loss_of_one_hot_labels_is_that_of_the_digits(few: Dataset) -> None:
    results = [train(Recipe(SMALL, TrainRecipe(**WHOLE, epochs=2, loss=loss)), few) for loss in (SPARSE, ONE_HOT)]
    first, second = ([news.loss for news in result.history] for result in results)
    assert first == pytest.approx(second, rel=1e-5)


def test_an_epoch_takes_every_example_once(few: Dataset) -> None:
    """Steps too small to matter: the epoch's mean loss is the one of the fresh network over all digits."""
    recipe = Recipe(SMALL, TrainRecipe(validation_share=0, batch_size=8, epochs=2, optimizer="sgd", learning_rate=1e-6))
    fresh = scores(network.build(SMALL, 0), few.train_images)
    accuracy, loss = score(fresh, few.train_labels)
    for news in train(recipe, few).history:
        assert news.loss == pytest.approx(loss, rel=1e-4)
        assert news.accuracy == pytest.approx(accuracy, abs=1e-6)


def test_the_last_batch_is_filled_up(few: Dataset) -> None:
    recipe = Recipe(SMALL, TrainRecipe(validation_share=0, batch_size=20, epochs=1))
    news = train(recipe, few).history[0]
    assert (news.step, news.steps) == (2, 2), "32 digits are two batches of 20"
    assert (news.accuracy * 40) == pytest.approx(round(news.accuracy * 40)), "hits are counted over 40"


def test_a_batch_may_be_larger_than_the_training_set(few: Dataset) -> None:
    news = train(Recipe(SMALL, TrainRecipe(validation_share=0, batch_size=100, epochs=1)), few).history[0]
    assert (news.step, news.steps) == (1, 1)
    assert 0 <= news.accuracy <= 1


# --- the seed


BUSY = Recipe(
    ModelRecipe(hidden=(16,), dropout=0.3, input_dropout=0.1, batch_norm=True),
    TrainRecipe(
        loss="categorical_crossentropy",
        epochs=3,
        batch_size=8,
        distortion=Distortion(rotation=10, shift=1, elastic=1, stroke=0.5),
        variants=0.5,
        non_digits=0.2,
    ),
)


def test_the_same_seed_gives_the_same_network_whatever_the_process_drew_before(few: Dataset) -> None:
    keras.utils.set_random_seed(1)
    first = train(BUSY, few)
    keras.utils.set_random_seed(2)
    second = train(BUSY, few)
    assert_same_weights(first, second, "a recipe decides its training")
    strip = [dataclasses.replace(news, seconds=0) for news in first.history]
    assert strip == [dataclasses.replace(news, seconds=0) for news in second.history]
    np.testing.assert_array_equal(first.test_scores, second.test_scores)


def test_another_seed_gives_another_network_on_the_same_split(few: Dataset) -> None:
    how = TrainRecipe(epochs=1, validation_share=0.25)
    first, second = (train(Recipe(SMALL, dataclasses.replace(how, seed=seed)), few) for seed in (0, 1))
    assert not np.array_equal(first.weights["hidden_1/kernel"], second.weights["hidden_1/kernel"])
    np.testing.assert_array_equal(first.validation_labels, second.validation_labels)
    np.testing.assert_array_equal(first.train_labels, second.train_labels)


def test_training_leaves_the_dataset_alone(few: Dataset) -> None:
    before = few.train_images.copy(), few.test_images.copy()
    train(BUSY, few)
    np.testing.assert_array_equal(few.train_images, before[0])
    np.testing.assert_array_equal(few.test_images, before[1])


def test_distortions_change_what_is_learned_and_not_what_is_scored(few: Dataset) -> None:
    plain = Recipe(SMALL, TrainRecipe(**WHOLE, epochs=1, optimizer="sgd", learning_rate=1e-6))
    twisted = plain.with_changes(distortion=Distortion(rotation=45, shift=8))
    first, second = train(plain, few), train(twisted, few)
    assert first.history[0].loss != pytest.approx(second.history[0].loss, rel=1e-3)
    np.testing.assert_allclose(first.train_scores, second.train_scores, atol=1e-3)


# --- what is told


def told(recipe: Recipe, dataset: Dataset) -> tuple[list[Progress], TrainedNetwork]:
    events: list[Progress] = []
    return events, train(recipe, dataset, events.append)


def test_events_come_in_order_and_the_last_of_each_epoch_is_kept(builtin: Dataset) -> None:
    recipe = Recipe(SMALL, TrainRecipe(epochs=2, validation_share=0.1, examples=1000))
    events, trained = told(recipe, builtin)
    places = [(news.epoch, news.step) for news in events]
    assert places == sorted(set(places)), "in order, nothing twice"
    assert places[0] == (1, 1), "the first step is told at once"
    assert {place for place in places if place[1] == 32} == {(1, 32), (2, 32)}, "1,000 digits are 32 batches of 32"
    assert {(news.epochs, news.steps) for news in events} == {(2, 32)}
    assert trained.history == tuple(news for news in events if news.epoch_done)
    assert [news.seconds for news in events] == sorted(news.seconds for news in events)
    for news in events:
        measured = news.validation_loss is not None, news.validation_accuracy is not None
        assert measured == (news.epoch_done, news.epoch_done), "validation comes when an epoch ends"
        assert math.isfinite(news.loss)
        assert 0 <= news.accuracy <= 1
    assert trained.history[1].loss < trained.history[0].loss


def test_the_last_validation_is_the_one_of_the_trained_network(trained: TrainedNetwork) -> None:
    last = trained.history[-1]
    accuracy, loss = score(trained.validation_scores, trained.validation_labels)
    assert (last.validation_accuracy, last.validation_loss) == (accuracy, loss)


def test_without_a_validation_split_there_is_none(few: Dataset) -> None:
    events, trained = told(Recipe(SMALL, TrainRecipe(epochs=1, validation_share=0)), few)
    assert {news.validation_loss for news in events} == {None}
    assert trained.validation_scores.shape == (0, 10)
    assert trained.validation_labels.shape == (0,)
    assert len(trained.train_labels) == 32, "all are learned"


def test_a_listener_ends_the_training_and_what_was_learned_is_kept(few: Dataset) -> None:
    recipe = Recipe(SMALL, TrainRecipe(epochs=50, batch_size=8, validation_share=0))
    seen: list[Progress] = []

    def enough(news: Progress) -> None:
        seen.append(news)
        if news.epoch == 2 and news.epoch_done:
            raise StopTraining

    stopped = train(recipe, few, enough)
    assert seen[-1].epoch == 2
    assert [news.epoch for news in stopped.history] == [1, 2]
    assert_same_weights(stopped, train(recipe.with_changes(epochs=2), few), "as if it had been asked for two epochs")


def test_a_training_can_be_ended_within_its_first_epoch(few: Dataset) -> None:
    recipe = Recipe(SMALL, TrainRecipe(epochs=2, batch_size=8, validation_share=0))

    def at_once(news: Progress) -> None:
        raise StopTraining

    stopped = train(recipe, few, at_once)
    fresh = network.get_weights(network.build(SMALL, 0))
    assert stopped.history == ()
    assert not np.array_equal(stopped.weights["logits/kernel"], fresh["logits/kernel"]), "one step was learned"
    assert stopped.test_scores.shape == (8, 10)


def test_a_listeners_own_error_comes_through(few: Dataset) -> None:
    def broken(news: Progress) -> None:
        raise ZeroDivisionError("a bug of the listener's")

    with pytest.raises(ZeroDivisionError, match="a bug of the listener's"):
        train(Recipe(SMALL, TrainRecipe(epochs=1)), few, broken)


def test_a_loss_that_is_no_number_ends_with_a_sentence(few: Dataset) -> None:
    steep = ModelRecipe(hidden=(12, 12, 12, 12), activation="elu")
    recipe = Recipe(steep, TrainRecipe(epochs=100, batch_size=8, optimizer="sgd", learning_rate=10.0))
    with pytest.raises(DigitLabError, match=r"^The loss stopped being a number in epoch \d+: try a smaller learning"):
        train(recipe, few)


# --- what comes out


def test_what_comes_out_belongs_together(trained: TrainedNetwork, builtin: Dataset) -> None:
    model = network.build(trained.recipe.model)
    network.set_weights(model, trained.weights)
    np.testing.assert_allclose(trained.test_scores, scores(model, builtin.test_images), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(trained.test_labels, builtin.test_labels)
    held, kept = len(trained.validation_labels), len(trained.train_labels)
    assert (held + kept, trained.train_scores.shape) == (len(builtin.train_labels), (kept, 10))
    assert held == pytest.approx(0.1 * len(builtin.train_labels), abs=5)
    assert trained.seconds >= trained.history[-1].seconds


def test_a_small_network_learns_the_built_in_digits(builtin: Dataset) -> None:
    trained = train(Recipe(ModelRecipe(hidden=(128,)), TrainRecipe(epochs=12)), builtin)
    accuracy, loss = score(trained.test_scores, trained.test_labels)
    assert accuracy >= 0.94
    assert loss == cross_entropy(trained.test_scores, trained.test_labels)
    assert score(trained.train_scores, trained.train_labels)[0] >= 0.97


@pytest.mark.parametrize(("examples", "used"), [(10, 10), (0, 32), (60_000, 32)])
def test_examples_limits_what_is_learned(few: Dataset, examples: int, used: int) -> None:
    trained = train(Recipe(SMALL, TrainRecipe(epochs=1, validation_share=0, examples=examples)), few)
    assert len(trained.train_labels) == used, "0 takes all, and there are no more than there are"


@pytest.mark.parametrize("n", [0, 1, 1000, 1001])
def test_scores_of_any_number_of_digits(n: int) -> None:
    model = network.build(SMALL, 0)
    images = np.random.default_rng(0).integers(0, 256, (n, 28, 28), np.uint8)
    found = scores(model, images)
    assert (found.shape, found.dtype) == ((n, 10), np.dtype(np.float32))
    if n:
        expected = np.asarray(model(images.reshape(-1, 784).astype(np.float32) / 255))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_progress_is_frozen() -> None:
    news: Any = Progress(1, 1, 1, 1, 0.5, 0.5, 0.1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        news.loss = 0.0


def test_the_small_classic_reaches_what_was_published(mnist: Dataset) -> None:
    trained = train(preset("classic-50-50"), mnist)
    accuracy, _ = score(trained.test_scores, trained.test_labels)
    assert accuracy >= 0.966


def test_what_was_trained_in_bfloat16_is_scored_as_it_will_be_used(few: Dataset) -> None:
    recipe = Recipe(SMALL, TrainRecipe(epochs=3, precision="bfloat16"))
    trained = train(recipe, few)
    model = network.build(recipe.model)
    network.set_weights(model, trained.weights)
    np.testing.assert_allclose(trained.test_scores, scores(model, few.test_images), rtol=1e-6, atol=1e-6)
    other = train(recipe.with_changes(precision="float32"), few)
    assert not np.array_equal(trained.weights["hidden_1/kernel"], other.weights["hidden_1/kernel"])


def test_a_student_learns_its_teachers_probabilities(few: Dataset) -> None:
    how = TrainRecipe(loss=ONE_HOT, optimizer="sgd", epochs=1, teacher="classic-128", **WHOLE)
    trained = train(Recipe(SMALL, how), few)
    pixels = few.train_images.reshape(-1, 784) / np.float32(255)
    goals = scipy.special.softmax(Recognizer(load_run("classic-128")).logits(pixels), axis=1)
    model = network.build(SMALL, 0)
    log_probabilities = scipy.special.log_softmax(np.asarray(model(pixels)), axis=1)
    assert trained.history[0].loss == pytest.approx(-(goals * log_probabilities).sum(axis=1).mean(), rel=1e-5)


def test_about_drawings_that_are_no_digits_the_teacher_is_not_asked(few: Dataset) -> None:
    whole = {"validation_share": 0.0, "batch_size": 64, "epochs": 1}
    how = TrainRecipe(loss=ONE_HOT, optimizer="sgd", teacher="classic-128", non_digits=1.0, **whole)
    trained = train(Recipe(SMALL, how), few)
    order, _ = stratified_split(few.train_labels, 0.0)
    images, labels = EpochSource(few.train_images[order], few.train_labels[order], how).draw(1)
    pixels = images.reshape(-1, 784) / np.float32(255)
    goals = scipy.special.softmax(Recognizer(load_run("classic-128")).logits(pixels), axis=1)
    goals[labels == NO_DIGIT] = 0.1
    log_probabilities = scipy.special.log_softmax(np.asarray(network.build(SMALL, 0)(pixels)), axis=1)
    assert trained.history[0].loss == pytest.approx(-(goals * log_probabilities).sum(axis=1).mean(), rel=1e-5)


def test_epochs_that_come_again_are_what_they_were(few: Dataset) -> None:
    how = TrainRecipe(loss=ONE_HOT, distinct_epochs=1, non_digits=0.5, distortion=Distortion(rotation=10))
    lessons = training._Lessons(EpochSource(few.train_images, few.train_labels, how), None, how)
    for first, again in zip(lessons.draw(1), lessons.draw(2), strict=True):
        np.testing.assert_array_equal(first, again)


def test_epochs_come_again_when_only_so_many_are_distinct(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    plain = EpochSource.draw

    def draw(self: EpochSource, epoch: int) -> Any:
        drawn.append(epoch)
        return plain(self, epoch)

    monkeypatch.setattr(EpochSource, "draw", draw)
    distortion = Distortion(rotation=10)
    train(Recipe(SMALL, TrainRecipe(epochs=5, distinct_epochs=2, distortion=distortion, **NO_SPLIT)), few)
    assert drawn == [1, 2]
    drawn.clear()
    train(Recipe(SMALL, TrainRecipe(epochs=5, distortion=distortion, **NO_SPLIT)), few)
    assert drawn == [1, 2, 3, 4, 5]
    drawn.clear()
    gently = TrainRecipe(epochs=7, distinct_epochs=2, gentle_end=3 / 7, distortion=distortion, **NO_SPLIT)
    train(Recipe(SMALL, gently), few)
    assert drawn == [1, 2, 5, 6], "none of those that are distorted at full strength comes again at the gentle end"


def test_layers_that_start_as_convolutions_are_so_until_they_are_set_free(few: Dataset) -> None:
    ends: dict[int, dict[str, np.ndarray]] = {}
    recipe = Recipe(
        ModelRecipe(hidden=(288, 36), activation="tanh"),
        TrainRecipe(epochs=4, batch_size=8, convolutional_start=0.5, **NO_SPLIT),
    )
    trained = train(recipe, few, on_epoch=lambda end: ends.update({end.epoch: end.weights}))
    for epoch, weights in ends.items():
        first = weights["hidden_1/kernel"].reshape(28, 28, 12, 12, 2)
        seen = np.array([first[2 * y : 2 * y + 6, 2 * x : 2 * x + 6, y, x] for y in range(12) for x in range(12)])
        narrow = np.count_nonzero(first) == np.count_nonzero(seen)
        assert (bool(np.ptp(seen, axis=0).max() == 0), narrow) == (epoch <= 2, epoch <= 2), epoch
    assert not np.array_equal(ends[1]["hidden_1/kernel"], ends[2]["hidden_1/kernel"]), "it learns all the same"
    for name, value in trained.weights.items():
        np.testing.assert_array_equal(value, ends[4][name])


def test_normalisation_is_held_still_once_every_weight_is_free(few: Dataset) -> None:
    ends: dict[int, dict[str, np.ndarray]] = {}
    recipe = Recipe(
        ModelRecipe(hidden=(144, 36), batch_norm=True),
        TrainRecipe(epochs=4, batch_size=8, convolutional_start=0.5, **NO_SPLIT),
    )
    train(recipe, few, on_epoch=lambda end: ends.update({end.epoch: end.weights}))
    for number in (1, 2):
        for array, measured in (("moving_mean", True), ("moving_variance", True), ("gamma", False), ("beta", False)):
            name = f"norm_{number}/{array}"
            changed = [not np.array_equal(ends[epoch][name], ends[epoch + 1][name]) for epoch in (1, 2, 3)]
            assert changed == [True, not measured, not measured], name


def test_a_network_that_is_stopped_while_it_is_convolutional_has_learned_what_it_was_told(few: Dataset) -> None:
    recipe = Recipe(
        ModelRecipe(hidden=(144,), activation="tanh"),
        TrainRecipe(epochs=9, batch_size=8, convolutional_start=1, **NO_SPLIT),
    )

    def stop(news: Progress) -> int:
        if news.epoch == 9 and news.step == news.steps - 1:
            raise StopTraining
        return 1

    stopped, whole = train(recipe, few, stop), train(recipe, few)
    fresh = network.build(recipe.model, convolutional=True)
    changed = np.abs(stopped.weights["hidden_1/kernel"] - network.unrolled(fresh)["hidden_1/kernel"]).max()
    left = np.abs(stopped.weights["hidden_1/kernel"] - whole.weights["hidden_1/kernel"]).max()
    assert 0 < left < 0.2 * changed, "one step is missing"


def test_given_weights_are_free_from_the_beginning(few: Dataset) -> None:
    recipe = Recipe(ModelRecipe(hidden=(144,)), TrainRecipe(epochs=2, **NO_SPLIT))
    learned = train(recipe, few)
    again = train(recipe.with_changes(convolutional_start=1.0), few, start=learned.weights)
    plainly = train(recipe, few, start=learned.weights)
    assert_same_weights(again, plainly)
    assert again.recipe == recipe, "which its record says"


def test_a_teacher_that_is_not_there_is_named(few: Dataset) -> None:
    with pytest.raises(DigitLabError, match="nobody"):
        train(Recipe(SMALL, TrainRecipe(loss=ONE_HOT, teacher="nobody")), few)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_on_one_thread_or_on_many_the_network_is_the_same(
    optimizer: Any, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = BUSY.with_changes(optimizer=optimizer, schedule="cosine")
    alone = train(recipe, few)
    monkeypatch.setattr(training, "_SHARED_WORK", 0)
    shared = train(recipe, few)
    for name, value in alone.weights.items():
        np.testing.assert_allclose(value, shared.weights[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert [news.accuracy for news in alone.history] == [news.accuracy for news in shared.history]


# --- what jobs need: looking in, small steps, going on, ending early


def test_the_network_does_not_depend_on_how_often_it_is_looked_at(few: Dataset) -> None:
    one_by_one: list[Progress] = []

    def ask_for_one(news: Progress) -> int:
        one_by_one.append(news)
        return 1

    singly, freely = train(BUSY, few, ask_for_one), train(BUSY, few)
    assert [news.step for news in one_by_one] == list(range(1, one_by_one[0].steps + 1)) * 3
    assert_same_weights(singly, freely)
    strip = [dataclasses.replace(news, seconds=0) for news in singly.history]
    assert strip == [dataclasses.replace(news, seconds=0) for news in freely.history]


def test_each_epochs_end_can_be_looked_at(builtin: Dataset) -> None:
    ends: list[training.EpochEnd] = []
    answers: list[np.ndarray] = []

    def look(end: training.EpochEnd) -> None:
        ends.append(end)
        answers.append(end.answer(builtin.test_images[:5]))

    recipe = Recipe(SMALL, TrainRecipe(epochs=3, validation_share=0.1, examples=300))
    trained = train(recipe, builtin, on_epoch=look)
    assert [end.epoch for end in ends] == [1, 2, 3]
    for end, news in zip(ends, trained.history, strict=True):
        assert score(end.scores, end.labels) == (news.validation_accuracy, news.validation_loss)
        for name, value in end.weights.items():
            np.testing.assert_array_equal(trained.checkpoints[end.epoch][name], value)
    assert not np.array_equal(ends[0].weights["logits/kernel"], ends[1].weights["logits/kernel"])
    np.testing.assert_allclose(answers[2], trained.test_scores[:5], rtol=1e-4, atol=1e-5)


def test_a_training_begins_with_the_weights_it_is_given(few: Dataset) -> None:
    recipe = Recipe(SMALL, TrainRecipe(**WHOLE, epochs=1, optimizer="sgd", learning_rate=1e-6))
    learned = train(recipe.with_changes(epochs=30, optimizer="adam", learning_rate=0.01), few)
    again = train(recipe, few, start=learned.weights)
    accuracy, loss = score(learned.train_scores, learned.train_labels)
    assert (again.history[0].accuracy, again.history[0].loss) == pytest.approx((accuracy, loss), rel=1e-4)


def test_early_stopping_keeps_the_best_epoch(few: Dataset) -> None:
    """Half of the bars are held back, and noise is learned by heart: their loss falls and then rises."""
    recipe = Recipe(SMALL, TrainRecipe(epochs=400, batch_size=8, validation_share=0.5, learning_rate=0.01))
    trained = train(recipe.with_changes(early_stopping=3, optimizer="rmsprop"), few)
    losses = [news.validation_loss for news in trained.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3, "three epochs after the best one"
    assert len(losses) < 400
    assert score(trained.validation_scores, trained.validation_labels)[1] == pytest.approx(losses[best], rel=1e-5)
    if best + 1 in trained.checkpoints:
        for name, value in trained.weights.items():
            np.testing.assert_array_equal(value, trained.checkpoints[best + 1][name])


def test_the_time_of_listeners_is_not_that_of_the_training(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    class Clock:
        @staticmethod
        def perf_counter() -> float:
            return now

    def slow(news: Progress) -> None:
        nonlocal now
        now += 1000

    monkeypatch.setattr(training, "time", Clock)
    assert train(Recipe(SMALL, TrainRecipe(epochs=2)), few, slow).seconds == 0


def test_a_call_takes_so_many_steps_that_a_stop_takes_effect_soon() -> None:
    pace = training._Pace()
    assert pace.steps == 1, "the first step is told at once"
    pace.took(1, 5.0)
    assert pace.steps == 1, "most of that was compiling"
    for _ in range(9):
        pace.took(pace.steps, pace.steps * 0.001)
    assert pace.steps == 150, "0.15 s of steps of 1 ms"
    pace.took(150, 150 * 0.01)
    assert pace.steps == 15, "and less as soon as they are slower"
    pace.took(15, 15 * 2.0)
    assert pace.steps == 1


def test_a_training_can_be_ended_while_its_pictures_are_drawn(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = threading.Event()

    def never(self: EpochSource, epoch: int) -> None:
        drawn.wait(60)

    monkeypatch.setattr(EpochSource, "draw", never)

    def stop() -> None:
        drawn.set()
        raise StopTraining

    assert train(Recipe(SMALL, TrainRecipe(epochs=2)), few, on_wait=stop).history == ()


def test_a_training_can_be_ended_within_a_long_step_which_is_finished(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, told = threading.Event(), threading.Event()
    plain = training._compiled_stretch

    def slow(*how: Any) -> Any:
        compiled = plain(*how)

        def stretch(*data: Any) -> Any:
            began.set()
            told.wait(60)
            return compiled(*data)

        return stretch

    def stop() -> None:
        if began.is_set():
            told.set()
            raise StopTraining

    monkeypatch.setattr(training, "_compiled_stretch", slow)
    recipe = Recipe(SMALL, TrainRecipe(epochs=2, batch_size=8))
    stopped = train(recipe, few, on_wait=stop)
    assert stopped.history == ()
    fresh = network.get_weights(network.build(SMALL, 0))
    assert not np.array_equal(stopped.weights["logits/kernel"], fresh["logits/kernel"]), "one step was learned"

"""The optimisers' arithmetic, step by step against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_core import _updates
from mnist_core.recipes import TrainRecipe

EPOCHS, STEPS = 5, 8
RECIPES = {
    "adam": TrainRecipe(epochs=EPOCHS),
    "adam, falling": TrainRecipe(epochs=EPOCHS, schedule="cosine", learning_rate=0.01),
    "adamw": TrainRecipe(epochs=EPOCHS, optimizer="adamw", weight_decay=0.5, learning_rate=0.02),
    "adamw, falling": TrainRecipe(epochs=EPOCHS, optimizer="adamw", weight_decay=0.5, schedule="cosine"),
    "adamw without decay": TrainRecipe(epochs=EPOCHS, optimizer="adamw"),
    "rmsprop": TrainRecipe(epochs=EPOCHS, optimizer="rmsprop"),
    "rmsprop, falling": TrainRecipe(epochs=EPOCHS, optimizer="rmsprop", schedule="cosine"),
    "sgd": TrainRecipe(epochs=EPOCHS, optimizer="sgd", learning_rate=0.1),
    "sgd, falling": TrainRecipe(epochs=EPOCHS, optimizer="sgd", schedule="cosine", learning_rate=0.1),
}


def of_keras(how: TrainRecipe) -> keras.optimizers.Optimizer:
    rate: float | keras.optimizers.schedules.LearningRateSchedule = how.learning_rate
    if how.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(how.learning_rate, EPOCHS * STEPS)
    return {
        "adam": lambda: keras.optimizers.Adam(rate),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=how.weight_decay),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate),
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    }[how.optimizer]()


def weights() -> list[keras.Variable]:
    rng = np.random.default_rng(0)
    return [keras.Variable(rng.standard_normal(shape).astype(np.float32)) for shape in ((3, 4), (4,))]


@pytest.mark.parametrize("case", RECIPES)
def test_all_steps_of_a_training_are_those_of_keras(case: str) -> None:
    how = RECIPES[case]
    ours, theirs = weights(), weights()
    update, optimizer = _updates.update(how, ours), of_keras(how)
    rng = np.random.default_rng(1)
    for epoch in range(1, EPOCHS + 1):
        for factors in _updates.factors(how, epoch, STEPS):
            # Gradients of very different sizes: the first steps, and those where there is little left to learn.
            size = 10.0 ** rng.integers(-6, 2)
            gradients = [tf.constant(size * rng.standard_normal(one.shape), tf.float32) for one in ours]
            update(gradients, tf.constant(factors))
            optimizer.apply(gradients, theirs)
            for left, right in zip(ours, theirs, strict=True):
                expected = np.asarray(right.value)
                np.testing.assert_allclose(np.asarray(left.value), expected, rtol=2e-5, atol=2e-6)


def test_the_first_steps_of_adam_by_hand() -> None:
    """With its short memory made up for, Adam's first step is the rate itself, whatever the gradient's size."""
    how = TrainRecipe(learning_rate=0.25)
    (one,) = (keras.Variable(np.zeros(2, np.float32)),)
    _updates.update(how, [one])([tf.constant([3.0, -0.5])], tf.constant(_updates.factors(how, 1, 1)[0]))
    np.testing.assert_allclose(np.asarray(one.value), [-0.25, 0.25], rtol=1e-4)


def test_an_optimiser_that_begins_late_has_its_first_step_corrected_too() -> None:
    how = TrainRecipe(learning_rate=0.25, epochs=9)
    (one,) = (keras.Variable(np.zeros(2, np.float32)),)
    first, *_ = _updates.factors(how, 5, 3, first_epoch=5)
    _updates.update(how, [one])([tf.constant([3.0, -0.5])], tf.constant(first))
    np.testing.assert_allclose(np.asarray(one.value), [-0.25, 0.25], rtol=1e-4)


def test_the_rate_falls_to_zero_along_half_a_cosine() -> None:
    how = TrainRecipe(optimizer="adamw", weight_decay=0.5, schedule="cosine", learning_rate=0.1, epochs=2)
    found = np.concatenate([_updates.factors(how, epoch, 2) for epoch in (1, 2)])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 1], 0.05 * np.array([1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2]))

"""Train a recipe on a dataset. Importing this module loads TensorFlow.

The loop is ours because it is several times as fast as `keras.Model.fit` on small networks: a stretch of steps is one
compiled call over tensors in memory, instead of one call a step. `bench` measures both in the same run.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mnist_core import network, runs
from mnist_core.augment import NO_DIGIT, EpochSource
from mnist_core.data import Dataset, stratified_split
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import score, softmax
from mnist_core.recipes import Recipe, TrainRecipe

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_EVALUATION_BATCH = 1000
_CALLS_PER_EPOCH = 10


class StopTraining(Exception):
    """Raised by a listener to end the training after the current stretch of steps; what was learned is kept."""


@dataclass(frozen=True)
class Progress:
    """One piece of news while a network trains.

    Attributes
    ----------
    epoch, epochs
        The epoch under way, from 1, and how many there will be.
    step, steps
        Steps done in this epoch, and how many it has.
    loss, accuracy
        Running means over this epoch's training batches, as distorted and with dropout.
    validation_loss, validation_accuracy
        Measured when the epoch ends; None before that, or without a validation split.
    seconds
        Since the training began.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    seconds: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    @property
    def epoch_done(self) -> bool:
        """Whether this is the last news of its epoch."""
        return self.step == self.steps


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What a training gives.

    Attributes
    ----------
    recipe
        What was trained.
    weights
        By name, as `mnist_core.network.get_weights` gives them.
    history
        The last `Progress` of each epoch.
    seconds
        Of training and validation, without compiling the network beforehand.
    train_scores, validation_scores, test_scores
        Class scores ``float32 (n, 10)`` after training, on the undistorted digits.
    train_labels, validation_labels, test_labels
        ``int64 (n,)``.
    """

    recipe: Recipe
    weights: dict[str, Float32]
    history: tuple[Progress, ...]
    seconds: float
    train_scores: Float32
    train_labels: Labels
    validation_scores: Float32
    validation_labels: Labels
    test_scores: Float32
    test_labels: Labels


def train(recipe: Recipe, dataset: Dataset, on_event: Callable[[Progress], None] | None = None) -> TrainedNetwork:
    """Train a recipe's network.

    Parameters
    ----------
    recipe
        What to train, and how.
    dataset
        Its training part is split by the recipe; its test part is only scored at the end.
    on_event
        Told the progress about ten times an epoch. It may raise `StopTraining`.

    Returns
    -------
    TrainedNetwork
        The weights and the scores on every part.

    Raises
    ------
    DigitLabError
        The loss stopped being a number (the learning rate is too high, as a rule), or the teacher cannot be loaded.
    """
    how = recipe.training
    kept, held = stratified_split(dataset.train_labels, how.validation_share)
    kept = kept[: how.examples] if how.examples else kept
    images, labels = dataset.train_images[kept], dataset.train_labels[kept]
    model = network.build(recipe.model, how.seed, how.precision)
    source = EpochSource(images, labels, how)
    lessons = _Lessons(source, _teacher(how), how.distinct_epochs)
    stretch = _compiled_stretch(model, how, len(source))
    validation = dataset.train_images[held], dataset.train_labels[held]
    history: list[Progress] = []
    begin = time.perf_counter()
    try:
        for news in _epochs(model, stretch, how, lessons, validation, begin):
            if news.epoch_done:
                history.append(news)
            if on_event is not None:
                on_event(news)
    except StopTraining:
        pass
    seconds = time.perf_counter() - begin
    weights = network.get_weights(model)
    # Scored as the network will be used, in float32, whatever it was trained in.
    model = network.build(recipe.model)
    network.set_weights(model, weights)
    return TrainedNetwork(
        recipe,
        weights,
        tuple(history),
        seconds,
        scores(model, images),
        labels,
        scores(model, validation[0]),
        validation[1],
        scores(model, dataset.test_images),
        dataset.test_labels,
    )


def scores(model: keras.Model, images: UInt8) -> Float32:
    """Return a network's class scores for digit images.

    Parameters
    ----------
    model
        As `mnist_core.network.build` gives it.
    images
        ``uint8 (n, 28, 28)``, any n.

    Returns
    -------
    ndarray
        ``float32 (n, 10)``.
    """
    return _in_batches(lambda x: model(x, training=False), images)


def _in_batches(forward: Callable[[Float32], tf.Tensor], images: UInt8) -> Float32:
    """Apply a network to any number of digit images, a thousand at a time."""
    parts = [np.zeros((0, 10), np.float32)]
    for start in range(0, len(images), _EVALUATION_BATCH):
        batch = images[start : start + _EVALUATION_BATCH].reshape(-1, 784)
        parts.append(np.asarray(forward(np.divide(batch, 255, dtype=np.float32))))
    return np.concatenate(parts)


def _epochs(
    model: keras.Model,
    stretch: Callable[..., Any],
    how: TrainRecipe,
    lessons: "_Lessons",
    validation: tuple[UInt8, Labels],
    begin: float,
) -> Iterator[Progress]:
    """Run all epochs, yielding news after each stretch of steps."""
    steps = _steps(how, len(lessons))
    length = max(1, -(-steps // _CALLS_PER_EPOCH))
    rng = np.random.default_rng(how.seed)
    # The next epoch's pictures are drawn on another thread while this one's are learned.
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(lessons.draw, 1)
        for epoch in range(1, how.epochs + 1):
            images, labels, goals = upcoming.result()
            if epoch < how.epochs:
                upcoming = pool.submit(lessons.draw, epoch + 1)
            pixels, targets = tf.constant(images.reshape(-1, 784)), (tf.constant(labels, tf.int32), tf.constant(goals))
            order = _order(rng, len(labels), steps, how.batch_size)
            digits_seen = (labels[order] != NO_DIGIT).sum(axis=1).cumsum()
            positions = tf.constant(order)
            loss = hits = 0.0
            for first in range(0, steps, length):
                last = min(first + length, steps)
                add_loss, add_hits = stretch(pixels, *targets, positions, first, last)
                loss, hits = loss + float(add_loss), hits + float(add_hits)
                if not np.isfinite(loss):
                    raise DigitLabError(
                        f"The loss stopped being a number in epoch {epoch}: try a smaller learning rate."
                    )
                measured: dict[str, float] = {}
                if last == steps and len(validation[1]):
                    accuracy, value = score(scores(model, validation[0]), validation[1])
                    measured = {"validation_loss": value, "validation_accuracy": accuracy}
                seen = int(digits_seen[last - 1])
                seconds = time.perf_counter() - begin
                yield Progress(epoch, how.epochs, last, steps, loss / last, hits / max(1, seen), seconds, **measured)


def _teacher(how: TrainRecipe) -> Callable[[UInt8], Float32] | None:
    """Return what gives the teacher's probabilities ``(n, 10)`` for digit images, if the recipe has one."""
    if not how.teacher:
        return None
    run = runs.load_run(how.teacher)
    model = network.build(run.recipe.model, precision=how.precision)
    network.set_weights(model, runs.load_weights(run))
    compiled = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, 784))])
    return lambda images: softmax(_in_batches(compiled, images)).astype(np.float32)


class _Lessons:
    """Each epoch's pictures, labels and, with a teacher, the probabilities to learn."""

    def __init__(self, source: EpochSource, teacher: Callable[[UInt8], Float32] | None, distinct: int) -> None:
        self._source, self._teacher, self._distinct = source, teacher, distinct
        self._kept: dict[int, tuple[UInt8, Labels, Float32]] = {}

    def __len__(self) -> int:
        return len(self._source)

    def draw(self, epoch: int) -> tuple[UInt8, Labels, Float32]:
        if not self._distinct:
            return self._fresh(epoch)
        number = (epoch - 1) % self._distinct + 1
        if number not in self._kept:
            self._kept[number] = self._fresh(number)
        return self._kept[number]

    def _fresh(self, epoch: int) -> tuple[UInt8, Labels, Float32]:
        images, labels = self._source.draw(epoch)
        goals = self._teacher(images) if self._teacher else np.zeros((0, 10), np.float32)
        return images, labels, goals


def _steps(how: TrainRecipe, examples: int) -> int:
    return -(-examples // how.batch_size)


def _order(rng: np.random.Generator, examples: int, steps: int, batch: int) -> npt.NDArray[np.int32]:
    """Which example stands in which batch, ``int32 (steps, batch)``.

    Every example comes once; so that all batches have one shape, the last one is filled up with examples from the
    beginning of the same order.
    """
    order = rng.permutation(examples)
    return np.resize(order, steps * batch).reshape(steps, batch).astype(np.int32)


def _optimizer(how: TrainRecipe, examples: int) -> keras.optimizers.Optimizer:
    rate: Any = how.learning_rate
    if how.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(how.learning_rate, _steps(how, examples) * how.epochs)
    kinds: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
        "adam": keras.optimizers.Adam,
        "adamw": lambda rate: keras.optimizers.AdamW(rate, weight_decay=how.weight_decay),
        "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        "rmsprop": keras.optimizers.RMSprop,
    }
    return kinds[how.optimizer](rate)


def _compiled_stretch(model: keras.Model, how: TrainRecipe, examples: int) -> Callable[..., Any]:
    """Return a compiled function that takes the steps ``first`` to ``last`` and gives the sums of loss and hits."""
    optimizer = _optimizer(how, examples)
    optimizer.build(model.trainable_variables)

    def loss_of(y: tf.Tensor, goal: tf.Tensor, class_scores: tf.Tensor) -> tf.Tensor:
        if how.teacher:
            return tf.nn.softmax_cross_entropy_with_logits(goal, class_scores)
        if how.loss == "sparse_categorical_crossentropy":
            return tf.nn.sparse_softmax_cross_entropy_with_logits(y, class_scores)
        even = tf.where(y == NO_DIGIT, 1.0, how.label_smoothing)[:, None]
        target = tf.one_hot(y, 10) * (1 - even) + even / 10
        return tf.nn.softmax_cross_entropy_with_logits(target, class_scores)

    def stretch(
        pixels: tf.Tensor, labels: tf.Tensor, goals: tf.Tensor, order: tf.Tensor, first: tf.Tensor, last: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        loss_sum, hits = tf.constant(0.0), tf.constant(0.0)
        for step in tf.range(first, last):
            x = tf.cast(tf.gather(pixels, order[step]), tf.float32) / 255
            y = tf.gather(labels, order[step])
            goal = tf.gather(goals, order[step]) if how.teacher else None
            with tf.GradientTape() as tape:
                class_scores = model(x, training=True)
                loss = tf.reduce_mean(loss_of(y, goal, class_scores))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            loss_sum += loss
            hits += tf.reduce_sum(tf.cast(tf.argmax(class_scores, 1, tf.int32) == y, tf.float32))
        return loss_sum, hits

    scalar = tf.TensorSpec((), tf.int32)
    signature = [
        tf.TensorSpec((examples, 784), tf.uint8),
        tf.TensorSpec((examples,), tf.int32),
        tf.TensorSpec((examples if how.teacher else 0, 10), tf.float32),
        tf.TensorSpec((_steps(how, examples), how.batch_size), tf.int32),
        scalar,
        scalar,
    ]
    # Without XLA on purpose: as fast for small networks, ten times as fast for wide ones (its matrix products on a
    # processor do not use oneDNN), and no seconds of compiling before the first step.
    return cast(Callable[..., Any], tf.function(stretch, input_signature=signature))

"""Train a recipe on a dataset. Importing this module loads TensorFlow.

The loop is ours because it is several times as fast as `keras.Model.fit` on small networks: a stretch of steps is one
compiled call over tensors in memory, instead of one call a step. `bench` measures both in the same run.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mnist_core import _updates, cost, network, runs
from mnist_core.augment import NO_DIGIT, EpochSource
from mnist_core.data import Dataset, stratified_split
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import score, softmax
from mnist_core.recipes import Recipe, TrainRecipe
from mnist_core.trained import Checkpoints, Progress, StopTraining, TrainedNetwork

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_EVALUATION_BATCH = 1000
_T = TypeVar("_T")
_Lesson = tuple[UInt8, Labels, Float32]  # an epoch's pictures, labels, and with a teacher the probabilities to learn

__all__ = ["EpochEnd", "Progress", "StopTraining", "TrainedNetwork", "scores", "train"]


@dataclass(frozen=True, eq=False)
class EpochEnd:
    """A network at the end of an epoch, for those who want to look inside.

    Attributes
    ----------
    epoch
        From 1.
    weights
        By name; a copy.
    labels, scores
        ``int64 (n,)`` and ``float32 (n, 10)``: the validation digits and their class scores now. Empty where none are
        held back.
    answer
        Gives the class scores of digit images, as `scores` does.
    """

    epoch: int
    weights: dict[str, Float32]
    labels: Labels
    scores: Float32
    answer: Callable[[UInt8], Float32]


def train(
    recipe: Recipe,
    dataset: Dataset,
    on_event: Callable[[Progress], int | None] | None = None,
    *,
    on_epoch: Callable[[EpochEnd], None] | None = None,
    on_wait: Callable[[], None] | None = None,
    start: Mapping[str, Float32] | None = None,
) -> TrainedNetwork:
    """Train a recipe's network.

    Parameters
    ----------
    recipe
        What to train, and how.
    dataset
        Its training part is split by the recipe; its test part is only scored at the end.
    on_event
        Told the progress several times a second, and at the end of each epoch. It may raise `StopTraining`. It may
        return how many steps to take before the next news; None leaves that to the training.
    on_epoch
        Shown the network at the end of each epoch, before `on_event` is told of it.
    on_wait
        Called several times a second while pictures are made or a long step is under way, and there is no news. It may
        raise `StopTraining`; a step that is under way is still finished.
    start
        The weights to begin with, as `mnist_core.runs.load_weights` gives them; by default fresh ones. With them the
        recipe is the one that `Recipe.going_on` gives.

    Returns
    -------
    TrainedNetwork
        The weights and the scores on every part.

    Raises
    ------
    DigitLabError
        The loss stopped being a number (the learning rate is too high, as a rule), or the teacher cannot be loaded.
    """
    if start is not None:
        recipe = recipe.going_on
    how = recipe.training
    kept, held = stratified_split(dataset.train_labels, how.validation_share)
    kept = kept[: how.examples] if how.examples else kept
    images, labels = dataset.train_images[kept], dataset.train_labels[kept]
    validation = dataset.train_images[held], dataset.train_labels[held]
    learner = _Learner(recipe, start)
    clock, checkpoints, best = _Clock(), Checkpoints(), _Best(how.early_stopping)
    history: list[Progress] = []

    def tell(news: Progress, weights: dict[str, Float32] | None, scored: Float32) -> int | None:
        asked = None
        if weights is not None:
            history.append(news)
            checkpoints.add(news.epoch, weights)
            best.look(news, weights)
        with clock.stopped():
            if weights is not None and on_epoch is not None:
                on_epoch(EpochEnd(news.epoch, weights, validation[1], scored, partial(scores, learner.model)))
            if on_event is not None:
                asked = on_event(news)
        if best.is_long_ago:
            raise StopTraining
        return asked

    teacher = _teacher(how)
    with (
        ThreadPoolExecutor(1) as step,  # it ends with its step
        _Ahead(lambda: _Lessons(EpochSource(images, labels, how), teacher, how), how.epochs, on_wait) as lessons,
        suppress(StopTraining),
    ):
        _run_epochs(
            learner, recipe, lessons, validation, clock, tell, lambda work: _patiently(step.submit(work), on_wait)
        )
    weights = best.weights or learner.weights()
    seconds = clock.seconds
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
        checkpoints.kept(),
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


class _Learner:
    """The network that learns: at first, where the recipe says so, one whose hidden layers are convolutions."""

    def __init__(self, recipe: Recipe, start: Mapping[str, Float32] | None) -> None:
        how = recipe.training
        self.model = network.build(recipe.model, how.seed, how.precision, for_training=True)
        self._convolutional: keras.Model | None = None
        if start is not None:
            network.set_weights(self.model, start)
        elif how.first_free > 1:
            # In float32 in any case: convolutions of so few patterns take half as long again in bfloat16.
            self._convolutional = network.build(recipe.model, how.seed, for_training=True, convolutional=True)

    @property
    def learning(self) -> keras.Model:
        """The network whose weights are to be moved."""
        return self.model if self._convolutional is None else self._convolutional

    def weights(self) -> dict[str, Float32]:
        """Bring `model` up to date, whatever network learns, and return its weights."""
        if self._convolutional is not None:
            network.set_weights(self.model, network.unrolled(self._convolutional))
        return network.get_weights(self.model)

    def set_free(self) -> bool:
        """Go on with every weight of `model` by itself, from the last epoch's end; tell whether that is new.

        Its normalisation is held still: over a batch, a single unit is not what its pattern was over all places of it,
        and at the rim, where there is hardly ever ink, it would make much of noise.
        """
        if self._convolutional is None:
            return False
        self._convolutional = None
        network.hold_normalisation(self.model)
        return True


class _Clock:
    """Seconds since it was made, without those for which it was stopped."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begin

    @contextmanager
    def stopped(self) -> Iterator[None]:
        since = time.perf_counter()
        try:
            yield
        finally:
            self._begin += time.perf_counter() - since


class _Best:
    """Remembers the weights of the best epoch, for early stopping."""

    def __init__(self, patience: int) -> None:
        self.weights: dict[str, Float32] | None = None
        self._patience, self._waited, self._loss = patience, 0, np.inf

    def look(self, news: Progress, weights: dict[str, Float32]) -> None:
        if not self._patience:
            return
        # So few digits that none could be held back: then those that are learned have to do.
        loss = news.loss if news.validation_loss is None else news.validation_loss
        self._waited += 1
        if loss < self._loss:
            self.weights, self._loss, self._waited = weights, loss, 0

    @property
    def is_long_ago(self) -> bool:
        return bool(self._patience) and self._waited >= self._patience


class _Pace:
    """How many steps one compiled call takes: so many that a person sees it learn, and that a stop takes effect."""

    def __init__(self) -> None:
        self.steps = 1
        self._measured = False

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a call; the first one, which compiles, says nothing about the speed."""
        if self._measured:
            self.steps = max(1, min(int(steps * _CALL_SECONDS / max(seconds, 1e-6)), _GROWTH * self.steps))
        self._measured = True


_CALL_SECONDS = 0.15
_GROWTH = 4  # times at most, from one call to the next: a short one is measured badly


class _Ahead:
    """Draws each epoch's lessons on another thread while the epoch before is learned."""

    def __init__(self, prepare: Callable[[], "_Lessons"], epochs: int, on_wait: Callable[[], None] | None) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._epochs, self._on_wait = epochs, on_wait
        self._lessons = self._pool.submit(prepare)
        self._upcoming: Future[_Lesson] | None = None

    def __enter__(self) -> "_Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def draw(self, epoch: int) -> "_Lesson":
        """Return an epoch's lessons, and begin with the next one's."""
        lessons = self._wait(self._lessons)
        drawn = self._wait(self._upcoming or self._pool.submit(lessons.draw, epoch))
        if epoch < self._epochs:
            self._upcoming = self._pool.submit(lessons.draw, epoch + 1)
        return drawn

    def _wait(self, future: "Future[_T]") -> _T:
        return _patiently(future, self._on_wait)


def _patiently(future: "Future[_T]", on_wait: Callable[[], None] | None) -> _T:
    """Return a result when it is there, and let others have a say while it is not."""
    while not future.done():
        wait([future], timeout=_CALL_SECONDS)
        if on_wait is not None and not future.done():
            on_wait()
    return future.result()


def _run_epochs(
    learner: _Learner,
    recipe: Recipe,
    lessons: _Ahead,
    validation: tuple[UInt8, Labels],
    clock: _Clock,
    tell: Callable[[Progress, dict[str, Float32] | None, Float32], int | None],
    take: Callable[[Callable[[], tf.Tensor]], tf.Tensor],
) -> None:
    """Run all epochs, telling news after each stretch of steps, and with the last one of an epoch the weights."""
    how = recipe.training
    rng = np.random.default_rng(how.seed)
    pace = _Pace()
    asked: int | None = None
    stretch: Callable[..., Any] | None = None
    began = 1  # with this epoch, what the optimiser remembers
    for epoch in range(1, how.epochs + 1):
        images, labels, goals = lessons.draw(epoch)
        if epoch == how.first_free and learner.set_free():
            stretch, began = None, epoch
        stretch = stretch or _compiled_stretch(learner.learning, recipe, len(labels))
        steps = _steps(how, len(labels))
        order = _order(rng, len(labels), steps, how.batch_size)
        digits_seen = (labels[order] != NO_DIGIT).sum(axis=1).cumsum()
        pixels, targets = tf.constant(images.reshape(-1, 784)), tf.constant(labels, tf.int32)
        factors = _updates.factors(how, epoch, steps, began)
        data = pixels, targets, tf.constant(goals), tf.constant(order), tf.constant(factors)
        sums = tf.zeros((2,), tf.float64)
        done = 0
        while done < steps:
            first, done = done, min(done + (asked or pace.steps), steps)
            begin = time.perf_counter()
            sums = take(partial(stretch, *data, first, done, sums))
            loss, hits = (float(value) for value in sums)
            if asked is None:
                pace.took(done - first, time.perf_counter() - begin)
            if not np.isfinite(loss):
                raise DigitLabError(f"The loss stopped being a number in epoch {epoch}: try a smaller learning rate.")
            measured: dict[str, float] = {}
            weights, scored = None, np.zeros((0, 10), np.float32)
            if done == steps:
                weights = learner.weights()
                scored = scores(learner.model, validation[0])
            if len(scored):
                accuracy, value = score(scored, validation[1])
                measured = {"validation_loss": value, "validation_accuracy": accuracy}
            means = loss / done, hits / max(1, int(digits_seen[done - 1]))
            asked = tell(Progress(epoch, how.epochs, done, steps, *means, clock.seconds, **measured), weights, scored)


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

    def __init__(self, source: EpochSource, teacher: Callable[[UInt8], Float32] | None, how: TrainRecipe) -> None:
        self._source, self._teacher, self._how = source, teacher, how
        self._kept: dict[int, tuple[bytes, Labels, Float32]] = {}

    def draw(self, epoch: int) -> _Lesson:
        if not self._how.distinct_epochs:
            return self._fresh(epoch)
        first = self._how.first_gentle if epoch >= self._how.first_gentle else 1
        if epoch == first:
            self._kept.clear()
        number = first + (epoch - first) % self._how.distinct_epochs
        if number not in self._kept:
            images, labels, goals = self._fresh(number)
            self._kept[number] = zlib.compress(images.tobytes()), labels, goals
            return images, labels, goals
        packed, labels, goals = self._kept[number]
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(-1, 28, 28), labels, goals

    def _fresh(self, epoch: int) -> _Lesson:
        images, labels = self._source.draw(epoch)
        if self._teacher is None:
            return images, labels, np.zeros((0, 10), np.float32)
        # About drawings that are no digits a teacher may be wrong that has not learned from their like.
        goals, digits = np.full((len(labels), 10), 0.1, np.float32), labels != NO_DIGIT
        goals[digits] = self._teacher(images[digits])
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


def _compiled_stretch(model: keras.Model, recipe: Recipe, examples: int) -> Callable[..., Any]:
    """Return a compiled function that takes the steps ``first`` to ``last`` and adds up their loss and hits.

    Its sums go in and come out, so that they are the same in however many calls an epoch is taken.
    """
    how, weights = recipe.training, model.trainable_variables
    update = _updates.update(how, weights)

    def loss_of(y: tf.Tensor, goal: tf.Tensor | None, class_scores: tf.Tensor) -> tf.Tensor:
        if how.teacher:
            return tf.nn.softmax_cross_entropy_with_logits(goal, class_scores)
        if how.loss == "sparse_categorical_crossentropy":
            return tf.nn.sparse_softmax_cross_entropy_with_logits(y, class_scores)
        even = tf.where(y == NO_DIGIT, 1.0, how.label_smoothing)[:, None]
        target = tf.one_hot(y, 10) * (1 - even) + even / 10
        return tf.nn.softmax_cross_entropy_with_logits(target, class_scores)

    def stretch(
        pixels: tf.Tensor,
        labels: tf.Tensor,
        goals: tf.Tensor,
        order: tf.Tensor,
        factors: tf.Tensor,
        first: tf.Tensor,
        last: tf.Tensor,
        sums: tf.Tensor,
    ) -> tf.Tensor:
        # All pictures of the stretch are looked up at once, which is faster than batch by batch.
        chosen, factors = order[first:last], factors[first:last]
        batches, answers = tf.gather(pixels, chosen), tf.gather(labels, chosen)
        taught = tf.gather(goals, chosen) if how.teacher else None
        for step in tf.range(last - first):
            x = tf.cast(batches[step], tf.float32) / 255
            y = answers[step]
            with tf.GradientTape() as tape:
                class_scores = model(x, training=True)
                loss = tf.reduce_mean(loss_of(y, None if taught is None else taught[step], class_scores))
            update(tape.gradient(loss, weights), factors[step])
            hits = tf.math.count_nonzero(tf.argmax(class_scores, 1, tf.int32) == y)
            sums += tf.stack([tf.cast(loss, tf.float64), tf.cast(hits, tf.float64)])
        return sums

    scalar = tf.TensorSpec((), tf.int32)
    steps = _steps(how, examples)
    signature = [
        tf.TensorSpec((examples, 784), tf.uint8),
        tf.TensorSpec((examples,), tf.int32),
        tf.TensorSpec((examples if how.teacher else 0, 10), tf.float32),
        tf.TensorSpec((steps, how.batch_size), tf.int32),
        tf.TensorSpec((steps, 2), tf.float32),
        scalar,
        scalar,
        tf.TensorSpec((2,), tf.float64),
    ]
    # Without XLA on purpose: a small network's steps take no less time with it, and the first one waits seconds for its
    # compiler; wide networks take ten times as long (its matrix products on a processor do not use oneDNN).
    if how.batch_size * cost.multiplications(recipe.model) < _SHARED_WORK and not tf.config.list_physical_devices(
        "GPU"
    ):
        stretch = _on_one_thread(stretch)
    return cast(Callable[..., Any], tf.function(stretch, input_signature=signature))


# Multiplications a step, up to which handing parts of an operation to other threads takes longer than doing them here.
_SHARED_WORK = 10_000_000


def _on_one_thread(stretch: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Return the same function, all of it on one thread.

    TensorFlow sets the number of threads for a whole process, once; for a part of it only where data is read. So what
    is to be done becomes the only element of a dataset. A small network's step takes two thirds of the time then: none
    of it is spent on waking threads.
    """

    def alone(*data: tf.Tensor) -> tf.Tensor:
        shapes = {"output_types": [tf.float64], "output_shapes": [(2,)]}
        element = tf.data.experimental.to_variant(tf.data.Dataset.from_tensors(data).map(stretch))
        bound = tf.raw_ops.MaxIntraOpParallelismDataset(input_dataset=element, max_intra_op_parallelism=1, **shapes)
        bound = tf.raw_ops.PrivateThreadPoolDataset(input_dataset=bound, num_threads=1, **shapes)
        return tf.raw_ops.DatasetToSingleElement(dataset=bound, **shapes)[0]

    return alone

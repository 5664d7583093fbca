"""How fast the preset classic-50-50 trains, beside plain `keras.Model.fit` of the same network."""

import statistics
import time

import keras
import numpy as np

from bench.report import Figure
from mnist_core import data
from mnist_core.errors import DigitLabError
from mnist_core.recipes import preset
from mnist_core.training import train

ROUNDS = 3


def measure(run: str) -> list[Figure]:
    """Train both in turns, each round with a seed of its own; the name of a run is not used."""
    dataset = _dataset()
    recipe = preset("classic-50-50")
    kept, _ = data.stratified_split(dataset.train_labels, recipe.training.validation_share)
    taken: dict[str, list[tuple[float, float]]] = {"ours": [], "plain": []}
    for seed in range(ROUNDS):
        taken["ours"].append(_ours(recipe.with_changes(seed=seed), dataset))
        taken["plain"].append(_plain(dataset, kept, recipe.training.epochs, recipe.training.batch_size, seed))
    seconds = {name: statistics.median(pair[0] for pair in pairs) for name, pairs in taken.items()}
    accuracy = {name: statistics.mean(pair[1] for pair in pairs) for name, pairs in taken.items()}
    detail = f"{dataset.title}, {len(kept)} digits, median (accuracy: mean) of {ROUNDS} seeds"
    return [
        Figure(
            f"classic-50-50, 10 epochs on {dataset.name}",
            seconds["ours"],
            "s",
            seconds["plain"],
            "keras.Model.fit",
            detail,
        ),
        Figure("its test accuracy", accuracy["ours"], "accuracy", accuracy["plain"], "keras.Model.fit", detail),
    ]


def _dataset() -> data.Dataset:
    try:
        return data.load("mnist")
    except DigitLabError:
        return data.load("builtin")


def _ours(recipe: object, dataset: data.Dataset) -> tuple[float, float]:
    """Return seconds, from recipe to scores on all parts, and accuracy on the test set."""
    begin = time.perf_counter()
    trained = train(recipe, dataset, lambda news: None)
    seconds = time.perf_counter() - begin
    return seconds, float((trained.test_scores.argmax(axis=1) == trained.test_labels).mean())


def _plain(dataset: data.Dataset, kept: np.ndarray, epochs: int, batch_size: int, seed: int) -> tuple[float, float]:
    """Do what tutorials do, on the same digits; seconds of `fit` alone, and accuracy on the test set."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(50, activation="relu"),
            layers.Dense(50, activation="relu"),
            layers.Dense(10, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = dataset.train_images[kept] / np.float32(255), dataset.train_labels[kept]
    begin = time.perf_counter()
    model.fit(images, labels, epochs=epochs, batch_size=batch_size, verbose=0)
    seconds = time.perf_counter() - begin
    _, accuracy = model.evaluate(dataset.test_images / np.float32(255), dataset.test_labels, verbose=0)
    return seconds, float(accuracy)

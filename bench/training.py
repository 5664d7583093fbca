"""How fast the preset classic-50-50 trains, beside the usual ways to train the same network."""

import importlib.util
import json
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict

import keras
import numpy as np

from bench.report import Figure
from mnist_core import data
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import confusion_matrix
from mnist_core.recipes import Recipe, preset
from mnist_core.snapshots import first_layer
from mnist_core.training import EpochEnd, train

ROUNDS = 3


def measure(run: str) -> list[Figure]:
    """Train all in turns, each round with a seed of its own; the name of a run is not used."""
    dataset = _dataset()
    recipe = preset("classic-50-50")
    kept, _ = data.stratified_split(dataset.train_labels, recipe.training.validation_share)
    rivals: dict[str, Callable[..., tuple[float, float]]] = {"keras.Model.fit": _plain}
    if importlib.util.find_spec("torch"):
        rivals["PyTorch's usual loop"] = _torch
    rivals["scikit-learn's MLPClassifier"] = _sklearn
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ("", *rivals)}
    for seed in range(ROUNDS):
        taken[""].append(_ours(recipe.with_changes(seed=seed), dataset))
        for name, rival in rivals.items():
            taken[name].append(rival(dataset, kept, recipe.training.epochs, recipe.training.batch_size, seed))
    seconds = {name: statistics.median(pair[0] for pair in pairs) for name, pairs in taken.items()}
    accuracy = {name: statistics.mean(pair[1] for pair in pairs) for name, pairs in taken.items()}
    detail = f"{dataset.title}, {len(kept)} digits, median (accuracy: mean) of {ROUNDS} seeds, as a job with live news"
    what = f"classic-50-50, 10 epochs on {dataset.name}"
    return [
        *(Figure(what, seconds[""], "s", seconds[name], name, detail) for name in rivals),
        *(Figure("its test accuracy", accuracy[""], "accuracy", accuracy[name], name, detail) for name in rivals),
    ]


def _dataset() -> data.Dataset:
    try:
        return data.load("mnist")
    except DigitLabError:
        return data.load("builtin")


def _ours(recipe: Recipe, dataset: data.Dataset) -> tuple[float, float]:
    """Return seconds, from recipe to scores on all parts, and accuracy on the test set.

    What a job does meanwhile is done here too: each piece of news is packed, each epoch's network looked at.
    """
    drawing = dataset.test_images[:1]

    def look(end: EpochEnd) -> None:
        end.answer(drawing)
        first_layer(end.weights).tobytes()
        confusion_matrix(end.labels, end.scores.argmax(axis=1))

    begin = time.perf_counter()
    trained = train(recipe, dataset, lambda news: json.dumps(asdict(news)) and None, on_epoch=look)
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


def _torch(dataset: data.Dataset, kept: np.ndarray, epochs: int, batch_size: int, seed: int) -> tuple[float, float]:
    """Train the same network as PyTorch's tutorials do; seconds of the loop alone, and accuracy on the test set."""
    import torch

    torch.manual_seed(seed)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 10))

    def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(images.reshape(-1, 784) / np.float32(255)), torch.from_numpy(labels)

    digits = torch.utils.data.TensorDataset(*tensors(dataset.train_images[kept], dataset.train_labels[kept]))
    loader = torch.utils.data.DataLoader(digits, batch_size, shuffle=True)
    optimizer, loss = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    begin = time.perf_counter()
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
    seconds = time.perf_counter() - begin
    with torch.no_grad():
        images, labels = tensors(dataset.test_images, dataset.test_labels)
        return seconds, float((model(images).argmax(1) == labels).float().mean())


def _sklearn(dataset: data.Dataset, kept: np.ndarray, epochs: int, batch_size: int, seed: int) -> tuple[float, float]:
    """Train scikit-learn's network of this shape; seconds of `fit`, and accuracy on the test set."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((50, 50), batch_size=batch_size, max_iter=epochs, random_state=seed)
    flat = dataset.train_images[kept].reshape(-1, 784) / np.float32(255)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs were asked for
        model.fit(flat, dataset.train_labels[kept])
    seconds = time.perf_counter() - begin
    return seconds, float(model.score(dataset.test_images.reshape(-1, 784) / np.float32(255), dataset.test_labels))

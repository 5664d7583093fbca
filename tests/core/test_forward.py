"""Networks in use: dense ones in NumPy against TensorFlow's own numbers, and convolutional ones in batches."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from mnist_core import network
from mnist_core._compiled import CompiledNetwork
from mnist_core._dense import DenseNetwork
from mnist_core.recipes import ModelRecipe
from tests.core.test_network import some_weights

DENSE = {
    "one layer": ModelRecipe(hidden=(30,)),
    "linear": ModelRecipe(hidden=()),
    "tanh": ModelRecipe(hidden=(20, 10), activation="tanh", dropout=0.5),
    "sigmoid": ModelRecipe(hidden=(20,), activation="sigmoid", output="sigmoid"),
    "gelu": ModelRecipe(hidden=(20, 10), activation="gelu", batch_norm=True, input_dropout=0.2),
    "elu": ModelRecipe(hidden=(20, 10, 5), activation="elu", output="sigmoid"),
    "norms": ModelRecipe(hidden=(40, 30, 20), batch_norm=True),
}
CONVOLUTIONAL = ModelRecipe(filters=(3, 4), hidden=(12,), batch_norm=True)
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def keras_model(recipe: ModelRecipe) -> tf.keras.Model:
    model = network.build(recipe)
    network.set_weights(model, some_weights(recipe))
    return model


def pixels(n: int) -> np.ndarray:
    return np.random.default_rng(1).random((n, 784), np.float32)


@pytest.mark.parametrize("name", DENSE)
def test_a_dense_network_gives_what_tensorflow_gives(name: str) -> None:
    recipe = DENSE[name]
    model, ours = keras_model(recipe), DenseNetwork(recipe, some_weights(recipe))
    x = pixels(5)
    scores = ours.logits(x)
    assert (scores.shape, scores.dtype) == ((5, 10), np.dtype(np.float32))
    np.testing.assert_allclose(scores, model(x, training=False), **CLOSE)
    features = ours.features(x)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, network.last_hidden(model)(x, training=False), **CLOSE)
    layers, theirs = ours.activations(x), network.activations(model)
    assert list(layers) == [str(number) for number in range(1, len(recipe.hidden) + 1)]
    for layer, values in (theirs(x) if theirs else {}).items():
        np.testing.assert_allclose(layers[layer], values, err_msg=layer, **CLOSE)


@pytest.mark.parametrize("name", DENSE)
def test_a_dense_networks_gradient_is_tensorflows(name: str) -> None:
    recipe = DENSE[name]
    model, ours = keras_model(recipe), DenseNetwork(recipe, some_weights(recipe))
    x, weights = tf.constant(pixels(4)), np.random.default_rng(2).normal(0, 1, 10).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(model(x, training=False) * weights)
    found = ours.gradients(np.asarray(x), weights)
    assert (found.shape, found.dtype) == ((4, 784), np.dtype(np.float32))
    np.testing.assert_allclose(found, tape.gradient(total, x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 2, 16, 17, 256, 257, 1030])
@pytest.mark.parametrize("recipe", [DENSE["norms"], CONVOLUTIONAL], ids=["dense", "convolutional"])
def test_any_number_of_digits_gives_as_many_rows_of_everything(n: int, recipe: ModelRecipe) -> None:
    kind = CompiledNetwork if recipe.filters else DenseNetwork
    ours, x = kind(recipe, some_weights(recipe)), pixels(n)
    weights = np.ones(10, np.float32)
    for compute in (ours.logits, ours.features, lambda rows: ours.gradients(rows, weights)):
        rows = compute(x)
        assert len(rows) == n
        for i in {0, n // 2, n - 1} if n else set():
            np.testing.assert_allclose(rows[i], compute(x[i : i + 1])[0], **CLOSE)


def test_a_convolutional_network_gives_its_models_scores_layers_and_gradient() -> None:
    model, ours = keras_model(CONVOLUTIONAL), CompiledNetwork(CONVOLUTIONAL, some_weights(CONVOLUTIONAL))
    x = pixels(3)
    np.testing.assert_allclose(ours.logits(x), model(x, training=False), **CLOSE)
    shapes = {name: values.shape for name, values in ours.activations(x).items()}
    assert shapes == {
        "1a": (3, 28, 28, 3),
        "1b": (3, 28, 28, 3),
        "2a": (3, 14, 14, 4),
        "2b": (3, 14, 14, 4),
        "1": (3, 12),
    }
    weights = np.random.default_rng(2).normal(0, 1, 10).astype(np.float32)
    slope = ours.gradients(x, weights)
    step = np.random.default_rng(5).normal(0, 1e-3, x.shape).astype(np.float32)
    grown = (ours.logits(x + step) - ours.logits(x - step)) @ weights / 2
    np.testing.assert_allclose((slope * step).sum(axis=1), grown, rtol=0.05, atol=1e-4)


def test_a_dense_network_is_used_without_tensorflow() -> None:
    """Its import takes seconds; who only wants an answer should not wait for it."""
    code = (
        "import sys, numpy as np\n"
        "from mnist_core.recognizer import Recognizer\n"
        "ready = Recognizer.load('ann')\n"
        "digit = np.zeros((1, 28, 28), np.float32)\n"
        "ready.probabilities(digit), ready.features(digit), ready.activations(digit[0])\n"
        "ready.gradients(digit, np.ones(10, np.float32))\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"

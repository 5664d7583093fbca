import math
from collections.abc import Mapping

import keras
import numpy as np
import pytest
import scipy.signal
import scipy.special
import tensorflow as tf

from mnist_core import network
from mnist_core.evaluation import softmax
from mnist_core.recipes import PRESETS, ModelRecipe, preset

KERAS_EPSILON = 1e-3  # of batch normalisation, added to the variance
ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": scipy.special.expit,
    "gelu": lambda x: x * (1 + scipy.special.erf(x / math.sqrt(2))) / 2,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
}
Weights = Mapping[str, np.ndarray]


def some_weights(recipe: ModelRecipe, seed: int = 3) -> dict[str, np.ndarray]:
    """Draw weights of the size that trained ones have; variances are positive."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in recipe.weight_shapes.items():
        value = rng.normal(0, 1 / math.sqrt(math.prod(shape[:-1])) if len(shape) > 1 else 0.3, shape)
        weights[name] = (np.abs(value) + 0.2 if "variance" in name else value).astype(np.float32)
    return weights


def activated(x: np.ndarray, recipe: ModelRecipe, weights: Weights, kind: str, number: object) -> np.ndarray:
    if recipe.batch_norm:
        gamma, beta, mean, variance = (
            weights[f"norm_{number}/{name}"].astype(np.float64)
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        x = (x - mean) / np.sqrt(variance + KERAS_EPSILON) * gamma + beta
    else:
        x = x + weights[f"{kind}_{number}/bias"]
    return ACTIVATIONS[recipe.activation](x)


def convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slide each 3x3 kernel over each picture with a black margin, and add over the channels."""
    out = np.zeros((*x.shape[:3], kernel.shape[3]))
    for n, channel, target in np.ndindex(len(x), *kernel.shape[2:]):
        out[n, :, :, target] += scipy.signal.correlate2d(x[n, :, :, channel], kernel[:, :, channel, target], "same")
    return out


def forward(recipe: ModelRecipe, weights: Weights, pixels: np.ndarray) -> np.ndarray:
    """Work out the class scores in plain NumPy, in double precision."""
    x = pixels.astype(np.float64).reshape(len(pixels), 28, 28, 1)
    for block in range(1, len(recipe.filters) + 1):
        for number in (f"{block}a", f"{block}b"):
            x = activated(convolved(x, weights[f"conv_{number}/kernel"]), recipe, weights, "conv", number)
        half = x.shape[1] // 2
        x = x[:, : 2 * half, : 2 * half].reshape(len(x), half, 2, half, 2, -1).max(axis=(2, 4))
    x = x.reshape(len(x), -1)
    for number in range(1, len(recipe.hidden) + 1):
        x = activated(x @ weights[f"hidden_{number}/kernel"], recipe, weights, "hidden", number)
    scores = x @ weights["logits/kernel"] + weights["logits/bias"]
    return np.log(scipy.special.expit(scores)) if recipe.output == "sigmoid" else scores


RECIPES = {name: preset(name).model for name in PRESETS} | {
    "linear": ModelRecipe(hidden=()),
    "tanh": ModelRecipe(hidden=(20, 10), activation="tanh", dropout=0.5),
    "sigmoid": ModelRecipe(hidden=(20,), activation="sigmoid", output="sigmoid"),
    "gelu": ModelRecipe(hidden=(20, 10), activation="gelu", batch_norm=True, input_dropout=0.2),
    "elu": ModelRecipe(hidden=(20, 10, 5), activation="elu"),
    "convolutional": ModelRecipe(filters=(3, 4, 5), hidden=(12,)),
    "convolutional with norms": ModelRecipe(filters=(4,), hidden=(), batch_norm=True, activation="tanh"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_forward_pass_is_the_one_of_plain_numpy(name: str) -> None:
    recipe = RECIPES[name]
    weights = some_weights(recipe)
    pixels = np.random.default_rng(1).random((7, 784), np.float32)
    model = network.build(recipe)
    network.set_weights(model, weights)
    scores = np.asarray(model(pixels, training=False))
    expected = forward(recipe, weights, pixels)
    assert (scores.shape, scores.dtype) == ((7, 10), np.dtype(np.float32))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4, err_msg="inference: no dropout, stored means")


@pytest.mark.parametrize(
    "recipe",
    [
        ModelRecipe(hidden=(144,)),
        ModelRecipe(hidden=(288, 72), activation="tanh"),
        ModelRecipe(hidden=(288, 72, 27, 20), batch_norm=True, dropout=0.1),
    ],
    ids=["one layer", "two", "three with norms, and a fourth"],
)
def test_a_convolutional_start_unrolled_is_a_dense_network_that_computes_the_same(recipe: ModelRecipe) -> None:
    start = network.build(recipe, 5, convolutional=True)
    rng = np.random.default_rng(3)
    fresh = network.get_weights(start)
    network.set_weights(
        start,
        {name: rng.uniform(0.1, 1, value.shape) - 0.3 * ("variance" not in name) for name, value in fresh.items()},
    )
    weights = network.unrolled(start)
    assert {name: value.shape for name, value in weights.items()} == recipe.weight_shapes
    pixels = rng.random((7, 784), np.float32)
    expected = forward(recipe, weights, pixels)
    np.testing.assert_allclose(np.asarray(start(pixels, training=False)), expected, rtol=1e-4, atol=1e-4)


def test_what_an_unrolled_unit_sees_by_hand() -> None:
    """Unit 13 * 2 + 1 of 12 by 12 places with two patterns: the second pattern, second row and second column."""
    start = network.build(ModelRecipe(hidden=(288,)), convolutional=True)
    kernel = network.unrolled(start)["hidden_1/kernel"]
    pattern = network.get_weights(start)["hidden_1/kernel"]
    expected = np.zeros((28, 28), np.float32)
    expected[2:8, 2:8] = pattern[:, :, 0, 1]
    np.testing.assert_allclose(kernel[:, 13 * 2 + 1].reshape(28, 28), expected)


def test_the_softmax_of_sigmoid_scores_is_each_sigmoid_divided_by_their_sum() -> None:
    recipe = preset("classic-50-50").model
    weights = some_weights(recipe)
    pixels = np.random.default_rng(2).random((5, 784), np.float32)
    model = network.build(recipe)
    network.set_weights(model, weights)
    hidden = pixels
    for number in (1, 2):
        hidden = np.maximum(hidden @ weights[f"hidden_{number}/kernel"] + weights[f"hidden_{number}/bias"], 0)
    units = scipy.special.expit(hidden @ weights["logits/kernel"] + weights["logits/bias"])
    expected = units / units.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(np.asarray(model(pixels))), expected, rtol=1e-4)


@pytest.mark.parametrize("name", RECIPES)
def test_weights_come_back_bit_for_bit_and_are_named_by_the_recipe(name: str) -> None:
    recipe = RECIPES[name]
    weights = some_weights(recipe)
    model = network.build(recipe)
    network.set_weights(model, weights)
    found = network.get_weights(model)
    assert list(found) == list(recipe.weight_shapes)
    for key, value in weights.items():
        np.testing.assert_array_equal(found[key], value, strict=True, err_msg=key)


def test_the_seed_decides_the_first_weights() -> None:
    recipe = ModelRecipe(hidden=(16, 16))
    first, again, other = (network.get_weights(network.build(recipe, seed)) for seed in (1, 1, 2))
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name], err_msg=name)
        assert "bias" in name or not np.array_equal(value, other[name]), f"{name} should differ with another seed"
    assert not np.array_equal(first["hidden_1/kernel"][:16], first["hidden_2/kernel"]), "layers differ from each other"


@pytest.mark.parametrize(("activation", "limit"), [("relu", math.sqrt(6 / 784)), ("tanh", math.sqrt(6 / (784 + 400)))])
def test_first_weights_suit_the_activation(activation: str, limit: float) -> None:
    """He et al. (2015) for relu, Glorot and Bengio (2010) for the others: uniform within these limits."""
    kernel = network.get_weights(network.build(ModelRecipe(hidden=(400,), activation=activation)))["hidden_1/kernel"]
    assert np.abs(kernel).max() == pytest.approx(limit, rel=1e-3)
    assert kernel.std() == pytest.approx(limit / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    ("recipe", "rate"),
    [(ModelRecipe(hidden=(), input_dropout=0.5), 0.5), (ModelRecipe(hidden=(400,), dropout=0.25), 0.25)],
)
def test_dropout_switches_off_its_share_in_training_only(recipe: ModelRecipe, rate: float) -> None:
    model = network.build(recipe, seed=5)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dropout))
    ones = np.ones((50, *layer.input.shape[1:]), np.float32)
    dropped = np.asarray(layer(ones, training=True))
    assert np.mean(dropped == 0) == pytest.approx(rate, abs=0.03)
    np.testing.assert_allclose(dropped[dropped != 0], 1 / (1 - rate), rtol=1e-6, err_msg="the mean stays the same")
    np.testing.assert_array_equal(np.asarray(layer(ones, training=False)), ones)


def test_the_largest_seed_serves_every_dropout() -> None:
    recipe = ModelRecipe(hidden=(4,) * 5, dropout=0.5, input_dropout=0.5)
    scores = network.build(recipe, 2**31 - 1)(np.ones((2, 784), np.float32), training=True)
    assert np.isfinite(np.asarray(scores)).all()


def test_an_unlikely_digit_of_a_sigmoid_network_keeps_a_finite_score() -> None:
    recipe = ModelRecipe(hidden=(), output="sigmoid")
    weights = {"logits/kernel": np.zeros((784, 10), np.float32), "logits/bias": np.full(10, -500, np.float32)}
    model = network.build(recipe)
    network.set_weights(model, weights)
    scores = np.asarray(model(np.zeros((1, 784), np.float32)))
    np.testing.assert_allclose(scores, -500, err_msg="log(sigmoid(-500)) is -500, not the logarithm of zero")


@pytest.mark.parametrize("recipe", [ModelRecipe(hidden=(32, 16), batch_norm=True), ModelRecipe((4,), (16,))])
def test_bfloat16_computes_coarsely_and_keeps_weights_and_scores_in_float32(recipe: ModelRecipe) -> None:
    weights, pixels = some_weights(recipe), np.random.default_rng(0).random((20, 784), np.float32)
    exact, coarse = network.build(recipe), network.build(recipe, precision="bfloat16")
    for model in (exact, coarse):
        network.set_weights(model, weights)
    wanted, got = (np.asarray(model(pixels, training=False)) for model in (exact, coarse))
    assert got.dtype == np.float32
    assert {name: value.dtype for name, value in network.get_weights(coarse).items()} == dict.fromkeys(
        recipe.weight_shapes, np.dtype(np.float32)
    )
    assert 1e-4 < np.abs(got - wanted).max() < 0.1 * np.abs(wanted).max()  # eight bits of mantissa


@pytest.mark.parametrize("shape", [(6, 5, 5, 3), (1, 4, 4, 2), (8, 4), (1, 4)])
def test_the_norm_for_training_is_that_of_keras(shape: tuple[int, ...]) -> None:
    """What comes out, the gradients, and what is remembered of the batch, twice over."""
    rng = np.random.default_rng(4)
    ours, theirs = network._FusedNorm(), keras.layers.BatchNormalization()
    for norm in (ours, theirs):
        norm.build(shape)
        norm.set_weights([np.float32(value) for value in np.random.default_rng(5).uniform(0.5, 2, (4, shape[-1]))])
    for _ in range(2):
        x = tf.constant(rng.normal(3, 2, shape), tf.float32)
        wanted = tf.constant(rng.normal(0, 1, shape), tf.float32)
        found = []
        for norm in (ours, theirs):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = norm(x, training=True)
                loss = tf.reduce_sum(y * wanted)
            found.append([y, *tape.gradient(loss, [x, *norm.trainable_variables]), *norm.get_weights()])
        for mine, other in zip(*found, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(ours(x), theirs(x), err_msg="in use nothing differs")


def test_a_network_for_training_has_the_weights_of_the_one_for_use() -> None:
    recipe = RECIPES["convolutional with norms"]
    weights = some_weights(recipe)
    models = [network.build(recipe, for_training=for_training) for for_training in (False, True)]
    pixels = np.random.default_rng(1).random((3, 784), np.float32)
    answers = []
    for model in models:
        network.set_weights(model, weights)
        assert list(network.get_weights(model)) == list(recipe.weight_shapes)
        answers.append(np.asarray(model(pixels, training=False)))
    np.testing.assert_array_equal(*answers)

"""From a recipe to a Keras network and its numbers. Importing this module loads TensorFlow."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mnist_core.recipes import CONVOLUTION_STRIDE, CONVOLUTIONS, ModelRecipe, Precision

Weights = Mapping[str, npt.NDArray[np.float32]]


class _FusedNorm(keras.layers.BatchNormalization):  # type: ignore[misc] # Keras has no types
    """Keras' batch normalisation, in training as one operation forward and one back.

    In a convolutional network Keras' own, a dozen operations each way over every pixel in float32, takes two thirds of
    a training step. Once `held_still` it goes on as it does outside training, with the mean and variance it has.
    """

    held_still = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or self.held_still:
            return super().call(inputs, training=False, mask=mask)
        units = inputs.shape[-1]
        pixels = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, (-1, 1, 1, units))
        none = tf.zeros((0,))
        fused = tf.raw_ops.FusedBatchNormV3(
            x=pixels,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=none,
            variance=none,
            epsilon=self.epsilon,
            is_training=True,
        )
        # Keras remembers the batch's own variance; this is the one estimated for all that the batch was taken from.
        values = tf.cast(tf.size(inputs) / units, tf.float32)
        news = 1 - self.momentum
        self.moving_mean.assign(self.moving_mean * self.momentum + fused.batch_mean * news)
        variance = fused.batch_variance * ((values - 1) / values)
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * news)
        return fused.y if pixels is inputs else tf.reshape(fused.y, tf.shape(inputs))


def build(
    recipe: ModelRecipe,
    seed: int = 0,
    precision: Precision = "float32",
    *,
    for_training: bool = False,
    convolutional: bool = False,
) -> keras.Model:
    """Build the network of a recipe with fresh weights.

    Parameters
    ----------
    recipe
        The architecture.
    seed
        Decides the first weights and dropout.
    precision
        Of the matrix products and activations; weights and class scores are float32.
    for_training
        With a batch normalisation that computes the same in less time. Such a network cannot be exported: a layer of it
        is none of Keras'.
    convolutional
        With convolutions for the first three hidden layers, as `TrainRecipe.convolutional_start` says; `unrolled` gives
        the weights of the same network without them.

    Returns
    -------
    keras.Model
        From digit images, ``float32 (n, 784)`` in [0, 1], to class scores ``(n, 10)``. The softmax of the scores
        gives the probabilities for both kinds of output: with ten sigmoid units, the scores are the logarithms of
        their values, so that the softmax divides each by their sum.
    """
    draw = keras.random.SeedGenerator(seed)
    first = keras.initializers.HeUniform if recipe.activation == "relu" else keras.initializers.GlorotUniform
    policy = keras.DTypePolicy("float32" if precision == "float32" else f"mixed_{precision}")
    norm = _FusedNorm if for_training else keras.layers.BatchNormalization
    common = {"use_bias": not recipe.batch_norm, "dtype": policy}

    def activated(x: Any, number: object) -> Any:
        if recipe.batch_norm:
            x = norm(dtype=policy, name=f"norm_{number}")(x)
        return keras.layers.Activation(recipe.activation, dtype=policy, name=f"activation_{number}")(x)

    x = inputs = keras.Input((784,), name="pixels")
    if recipe.input_dropout:
        x = keras.layers.Dropout(recipe.input_dropout, seed=seed, dtype=policy, name="input_dropout")(x)
    if recipe.filters:
        x = keras.layers.Reshape((28, 28, 1), dtype=policy, name="picture")(x)
        for block, filters in enumerate(recipe.filters, start=1):
            for part in (f"{block}a", f"{block}b"):
                kernel = first(seed=draw)
                convolution = keras.layers.Conv2D(
                    filters, 3, padding="same", kernel_initializer=kernel, name=f"conv_{part}", **common
                )
                x = activated(convolution(x), part)
            x = keras.layers.MaxPooling2D(2, dtype=policy, name=f"pool_{block}")(x)
        x = keras.layers.Flatten(dtype=policy, name="flat")(x)
    held = CONVOLUTIONS if convolutional else ()
    if held:
        x = keras.layers.Reshape((28, 28, 1), dtype=policy, name="picture")(x)
    for number, units in enumerate(recipe.hidden, start=1):
        kernel, name = first(seed=draw), f"hidden_{number}"
        if number <= len(held):
            side, padding, places = held[number - 1]
            layer = keras.layers.Conv2D(
                units // places,
                side,
                CONVOLUTION_STRIDE,
                padding=padding,
                kernel_initializer=kernel,
                name=name,
                **common,
            )
        else:
            layer = keras.layers.Dense(units, kernel_initializer=kernel, name=name, **common)
        x = activated(layer(x), number)
        if recipe.dropout:
            dropout = keras.layers.Dropout(recipe.dropout, seed=seed + number, dtype=policy, name=f"dropout_{number}")
            x = dropout(x)
        if number == min(len(held), len(recipe.hidden)):
            x = keras.layers.Flatten(dtype=policy, name="flat")(x)
    last = keras.initializers.GlorotUniform(seed=draw)
    scores = keras.layers.Dense(10, kernel_initializer=last, name="logits")(x)
    if recipe.output == "sigmoid":
        scores = keras.layers.Activation("log_sigmoid", name="log_sigmoid")(scores)
    return keras.Model(inputs, scores, name="digits")


def last_hidden(model: keras.Model) -> keras.Model:
    """Return the network up to its last hidden layer; it shares its weights with the whole one."""
    return keras.Model(model.input, model.get_layer("logits").input, name="last_hidden")


def activations(model: keras.Model) -> Callable[[Any], dict[str, Any]] | None:
    """Return a function from digit images to the outputs of all hidden layers by name; None where there is none."""
    outputs = {
        layer.name.removeprefix("activation_"): layer.output
        for layer in model.layers
        if layer.name.startswith("activation_")
    }
    if not outputs:
        return None
    layers = keras.Model(model.input, outputs, name="activations")
    return lambda pixels: layers(pixels, training=False)


def get_weights(model: keras.Model) -> dict[str, npt.NDArray[np.float32]]:
    """Return a network's weights by name, such as ``"hidden_1/kernel"``."""
    return {name: np.asarray(variable.value) for name, variable in _variables(model).items()}


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Fill a network with weights that `mnist_core.runs.load_weights` has checked."""
    variables = _variables(model)
    for name, value in weights.items():
        variables[name].assign(value)


def unrolled(model: keras.Model) -> dict[str, npt.NDArray[np.float32]]:
    """Return the weights of the dense network that computes the same as one built with `convolutional`."""
    weights = get_weights(model)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        side, _, channels = layer.input.shape[1:]
        each = np.eye(side * side * channels, dtype=np.float32).reshape(-1, side, side, channels)
        kernel = weights[f"{layer.name}/kernel"]
        found = np.asarray(tf.nn.conv2d(each, kernel, CONVOLUTION_STRIDE, layer.padding.upper()))
        weights[f"{layer.name}/kernel"] = found.reshape(len(each), -1)
        places = found.shape[1] * found.shape[2]
        number = layer.name.removeprefix("hidden_")
        for name in weights:
            if name == f"{layer.name}/bias" or name.startswith(f"norm_{number}/"):
                weights[name] = np.tile(weights[name], places)
    return weights


def hold_normalisation(model: keras.Model) -> None:
    """Let the batch normalisation of a network built `for_training` keep the mean and variance that it has.

    Its scale and offset are learned on. What has been compiled from the network before stays as it was.
    """
    for layer in model.layers:
        if isinstance(layer, _FusedNorm):
            layer.held_still = True


def forget_all() -> None:
    """Let go of what Keras remembers of all networks in this process. Never where one may be in use."""
    keras.utils.clear_session()


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in model.layers
        for variable in layer.weights
        if variable.dtype == "float32"  # a dropout layer's seed is state, not a weight
    }

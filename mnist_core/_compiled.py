"""A convolutional network in use, compiled by TensorFlow. Importing this module loads it, which takes seconds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mnist_core import network
from mnist_core.recipes import ModelRecipe

Float32 = npt.NDArray[np.float32]

# Batches come in these sizes only, the last one filled up with blanks, so that TensorFlow prepares three shapes
# once and memory stays flat.
_BATCH_SIZES = (1, 16, 256)


class CompiledNetwork:
    """The network of any recipe; for dense ones `mnist_core._dense.DenseNetwork` is quicker.

    Parameters
    ----------
    recipe
        The architecture.
    weights
        By name, as `mnist_core.runs.load_weights` gives them.
    """

    def __init__(self, recipe: ModelRecipe, weights: Mapping[str, Float32]) -> None:
        model = network.build(recipe)
        network.set_weights(model, weights)
        hidden = network.last_hidden(model)
        self._layers = network.activations(model)

        def gradient(pixels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                total = tf.tensordot(model(pixels, training=False), weights, 1)
            return tape.gradient(total, pixels)

        rows = tf.TensorSpec((None, 784), tf.float32)
        self._forward = tf.function(lambda pixels: model(pixels, training=False), input_signature=[rows])
        # Compiled when somebody asks for them.
        self._hidden = tf.function(lambda pixels: hidden(pixels, training=False), input_signature=[rows])
        self._gradient = tf.function(gradient, input_signature=[rows, tf.TensorSpec((10,), tf.float32)])
        for size in _BATCH_SIZES:  # so that the first person does not wait for it
            self._forward(np.zeros((size, 784), np.float32))

    def logits(self, pixels: Float32) -> Float32:
        """Return class scores ``float32 (n, 10)`` for digit images ``float32 (n, 784)``."""
        return _in_batches(self._forward, pixels)

    def features(self, pixels: Float32) -> Float32:
        """Return the last hidden layer's outputs ``float32 (n, k)``; without hidden layers, the last picture's."""
        return _in_batches(self._hidden, pixels)

    def activations(self, pixels: Float32) -> dict[str, Float32]:
        """Return each layer's outputs ``float32 (n, units)`` or ``(n, h, w, filters)`` by name, the first one first."""
        outputs = self._layers(pixels) if self._layers is not None else {}
        return {name: np.asarray(values, np.float32) for name, values in outputs.items()}

    def gradients(self, pixels: Float32, weights: Float32) -> Float32:
        """Return by how much a sum of the class scores, weighted by ``(10,)``, grows with each pixel, ``(n, 784)``."""
        return _in_batches(lambda rows: self._gradient(rows, weights), pixels)


def _in_batches(compute: Callable[[Float32], Any], pixels: Float32) -> Float32:
    parts = []
    for start in range(0, max(1, len(pixels)), _BATCH_SIZES[-1]):
        part = pixels[start : start + _BATCH_SIZES[-1]]
        size = next(size for size in _BATCH_SIZES if size >= len(part))
        filled = np.zeros((size, 784), np.float32)
        filled[: len(part)] = part
        parts.append(np.asarray(compute(filled))[: len(part)])
    return np.concatenate(parts)

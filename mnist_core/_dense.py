"""A dense network in use, in NumPy alone.

It is a few matrix products. NumPy has done them before TensorFlow, which takes seconds to be imported, has started.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_core.recipes import ModelRecipe

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_NORM_EPSILON = 1e-3  # what batch normalisation adds to a variance: Keras' own

_CHUNK = 1024  # rows at once, so that a long folder takes no more memory than a short one


class _Layer(NamedTuple):
    """A hidden layer with its normalisation worked into its weights: kernel ``(inputs, units)``, bias ``(units,)``."""

    kernel: Float32
    bias: Float32


class DenseNetwork:
    """The network of a recipe without convolutions.

    Parameters
    ----------
    recipe
        The architecture; its ``filters`` are empty.
    weights
        By name, as `mnist_core.runs.load_weights` gives them.
    """

    def __init__(self, recipe: ModelRecipe, weights: Mapping[str, Float32]) -> None:
        assert not recipe.filters
        self._hidden = [_layer(weights, number, recipe.batch_norm) for number in range(1, len(recipe.hidden) + 1)]
        self._last = _Layer(weights["logits/kernel"], weights["logits/bias"])
        self._activate, self._slope = _ACTIVATIONS[recipe.activation]
        self._sigmoid = recipe.output == "sigmoid"

    def logits(self, pixels: Float32) -> Float32:
        """Return class scores ``float32 (n, 10)`` for digit images ``float32 (n, 784)``."""
        return self._by_chunk(lambda rows: self._scores(self._features(rows)), pixels)

    def features(self, pixels: Float32) -> Float32:
        """Return the last hidden layer's outputs ``float32 (n, units)``; without hidden layers, the pixels."""
        return self._by_chunk(self._features, pixels)

    def activations(self, pixels: Float32) -> dict[str, Float32]:
        """Return each hidden layer's outputs ``float32 (n, units)`` by its number, the first one first."""
        outputs = {}
        for number, layer in enumerate(self._hidden, start=1):
            pixels = self._activate(pixels @ layer.kernel + layer.bias)
            outputs[str(number)] = pixels
        return outputs

    def gradients(self, pixels: Float32, weights: Float32) -> Float32:
        """Return by how much a weighted sum of the class scores grows with each pixel, ``float32 (n, 784)``.

        Parameters
        ----------
        pixels
            ``float32 (n, 784)``.
        weights
            ``float32 (10,)``, one for each class score.
        """
        return self._by_chunk(lambda rows: self._gradients(rows, weights), pixels)

    def _features(self, rows: Float32) -> Float32:
        return [rows, *self.activations(rows).values()][-1]

    def _scores(self, features: Float32) -> Float32:
        sums = features @ self._last.kernel + self._last.bias
        # Ten sigmoid units: the logarithms of their values, which a softmax divides by their sum.
        return np.asarray(-np.logaddexp(np.float32(0), -sums) if self._sigmoid else sums)

    def _gradients(self, rows: Float32, weights: Float32) -> Float32:
        """Backpropagation (Rumelhart, Hinton and Williams, 1986): the chain rule, from the last layer to the pixels."""
        sums, outputs = [], [rows]
        for layer in self._hidden:
            sums.append(outputs[-1] @ layer.kernel + layer.bias)
            outputs.append(self._activate(sums[-1]))
        last = outputs[-1] @ self._last.kernel + self._last.bias
        slope = _sigmoid(-last) if self._sigmoid else np.ones_like(last)
        grown: Float32 = np.asarray((weights * slope) @ self._last.kernel.T, np.float32)
        for layer, total, output in zip(self._hidden[::-1], sums[::-1], outputs[:0:-1], strict=True):
            grown = np.asarray((grown * self._slope(total, output)) @ layer.kernel.T, np.float32)
        return grown

    def _by_chunk(self, compute: Callable[[Float32], Float32], pixels: Float32) -> Float32:
        starts = range(0, max(1, len(pixels)), _CHUNK)
        return np.concatenate([compute(pixels[start : start + _CHUNK]) for start in starts])


def _layer(weights: Mapping[str, Float32], number: int, norm: bool) -> _Layer:
    kernel = weights[f"hidden_{number}/kernel"]
    if not norm:
        return _Layer(kernel, weights[f"hidden_{number}/bias"])

    def measured(part: str) -> Float64:
        return weights[f"norm_{number}/{part}"].astype(np.float64)

    scale = measured("gamma") / np.sqrt(measured("moving_variance") + _NORM_EPSILON)
    bias = measured("beta") - measured("moving_mean") * scale
    return _Layer(np.asarray(kernel * scale, np.float32), bias.astype(np.float32))


def _sigmoid(x: Float32) -> Float32:
    return np.float32(0.5) * (np.tanh(x / 2) + 1)


def _share_below(x: Float32) -> Float32:
    """The share of a standard normal distribution that lies below."""
    from scipy.special import ndtr  # here, not above: only networks with gelu need it, and its import takes a while

    return np.asarray(ndtr(x), np.float32)


def _density(x: Float32) -> Float32:
    return np.asarray(np.exp(-np.square(x) / 2) / np.float32(math.sqrt(2 * math.pi)))


_Function = Callable[[Float32], Float32]
_Slope = Callable[[Float32, Float32], Float32]
# Each with its derivative, of what went in and what came out.
_ACTIVATIONS: Mapping[str, tuple[_Function, _Slope]] = {
    "relu": (lambda x: np.maximum(x, np.float32(0)), lambda x, y: (y > 0).astype(np.float32)),
    "tanh": (np.tanh, lambda x, y: 1 - np.square(y)),
    "sigmoid": (_sigmoid, lambda x, y: y * (1 - y)),
    "gelu": (lambda x: x * _share_below(x), lambda x, y: _share_below(x) + x * _density(x)),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x, y: np.where(x > 0, 1, y + 1)),
}

"""How an optimiser moves the weights: one fused operation for each array of them.

The arithmetic is that of Keras' optimisers with their default settings, in a tenth of the operations: in a small
network most of a step's time went into starting them. What depends on the step alone is computed beforehand.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from mnist_core.recipes import TrainRecipe

_BETA_1, _BETA_2 = 0.9, 0.999  # of Adam and AdamW
_RHO = 0.9  # of RMSprop
_MOMENTUM = 0.9  # of SGD, which looks ahead as Nesterov's does
_EPSILON = 1e-7

Update = Callable[[Sequence[tf.Tensor], tf.Tensor], None]
"""Applies gradients, one for each array of weights, with a step's factors as `factors` gives them."""


def factors(how: TrainRecipe, epoch: int, steps: int, first_epoch: int = 1) -> npt.NDArray[np.float32]:
    """Return what the steps of an epoch differ in, whatever the gradients are.

    Parameters
    ----------
    how
        The recipe, with its optimiser and the schedule of its rate.
    epoch
        From 1.
    steps
        Of each epoch.
    first_epoch
        The epoch with which the optimiser's memory began.

    Returns
    -------
    ndarray
        ``float32 (steps, 2)``: the rate of each step, with Adam's correction for its short memory at first (Kingma and
        Ba, 2015), and the share by which weight decay makes the weights smaller.
    """
    taken = np.arange((epoch - 1) * steps, epoch * steps, dtype=np.float64)
    rate = np.full(steps, how.learning_rate)
    if how.schedule == "cosine":
        rate *= (1 + np.cos(np.pi * taken / (steps * how.epochs))) / 2
    corrected = rate
    if how.optimizer in ("adam", "adamw"):
        remembered = taken + 1 - steps * (first_epoch - 1)
        corrected = rate * np.sqrt(1 - _BETA_2**remembered) / (1 - _BETA_1**remembered)
    return np.stack([corrected, rate * how.weight_decay], axis=1).astype(np.float32)


def update(how: TrainRecipe, weights: Sequence[keras.Variable]) -> Update:
    """Return what applies gradients to weights, with a memory of its own for each array of them."""
    arrays = [weight.value for weight in weights]
    first = [tf.Variable(tf.zeros_like(array)) for array in arrays]
    second = [tf.Variable(tf.zeros_like(array)) for array in arrays]

    def adam(place: int, gradient: tf.Tensor, rate: tf.Tensor) -> None:
        memory = {"m": first[place].handle, "v": second[place].handle, "beta1": _BETA_1, "beta2": _BETA_2}
        corrected = {"beta1_power": 0.0, "beta2_power": 0.0}  # the rate is corrected already
        tf.raw_ops.ResourceApplyAdam(
            var=arrays[place].handle, lr=rate, epsilon=_EPSILON, grad=gradient, **memory, **corrected
        )

    def rmsprop(place: int, gradient: tf.Tensor, rate: tf.Tensor) -> None:
        memory = {"ms": first[place].handle, "mom": second[place].handle, "rho": _RHO, "momentum": 0.0}
        tf.raw_ops.ResourceApplyRMSProp(var=arrays[place].handle, lr=rate, epsilon=_EPSILON, grad=gradient, **memory)

    def sgd(place: int, gradient: tf.Tensor, rate: tf.Tensor) -> None:
        memory = {"accum": first[place].handle, "momentum": _MOMENTUM, "use_nesterov": True}
        tf.raw_ops.ResourceApplyKerasMomentum(var=arrays[place].handle, lr=rate, grad=gradient, **memory)

    one = {"adam": adam, "adamw": adam, "rmsprop": rmsprop, "sgd": sgd}[how.optimizer]

    def apply(gradients: Sequence[tf.Tensor], step: tf.Tensor) -> None:
        for place, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
            if how.weight_decay:
                array.assign_sub(array * step[1])
            one(place, gradient, step[0])

    return apply

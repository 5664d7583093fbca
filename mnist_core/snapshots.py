"""A look into a network while it learns: what its first layer sees, what it confuses, how it answers a drawing."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]

MOST_PICTURES = 64
_SIDE = 28


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a network was like after an epoch.

    Attributes
    ----------
    epoch
        From 1.
    weights
        As `first_layer` gives them.
    confusion
        ``int64 (10, 10)``: how many of each true digit (row) were read as each digit (column), among the validation
        digits, or among the training digits where none are held back.
    drawing
        ``float64 (10,)``: the probabilities of the digits for the person's drawing; None where there is none.
    """

    epoch: int
    weights: UInt8
    confusion: npt.NDArray[np.int64]
    drawing: npt.NDArray[np.float64] | None = None


def first_layer(weights: Mapping[str, npt.NDArray[np.float32]]) -> UInt8:
    """Return the weights of a network's first layer as pictures.

    Parameters
    ----------
    weights
        By name and in order, as `mnist_core.network.get_weights` gives them.

    Returns
    -------
    ndarray
        ``uint8 (n, 28, 28)``, of the first 64 units or filters: zero is 128, the largest weight of a picture, either
        side of zero, is 1 or 255. The 3x3 filters of a convolution are enlarged.
    """
    kernel = next(iter(weights.values()))
    side = _SIDE if kernel.ndim == 2 else kernel.shape[0]
    pictures = kernel.reshape(side, side, -1)[:, :, :MOST_PICTURES].transpose(2, 0, 1)
    largest = np.abs(pictures).max(axis=(1, 2), keepdims=True)
    grey = np.rint(128 + 127 * pictures / np.maximum(largest, 1e-12)).astype(np.uint8)
    if side != _SIDE:
        size = (_SIDE, _SIDE)
        grey = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST) for picture in grey])
    return np.asarray(grey, np.uint8)

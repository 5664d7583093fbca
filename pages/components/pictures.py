"""Arrays as pictures inside HTML."""

from base64 import b64encode

import numpy as np
import numpy.typing as npt

from mnist_core.images import encode_png
from pages.components.cached import UInt8, reduced


def as_bytes(image: npt.NDArray[np.generic]) -> UInt8:
    """Turn an image in [0, 1] into ``uint8``; one that is ``uint8`` stays."""
    return image if image.dtype == np.uint8 else np.rint(image * 255).astype(np.uint8)


def data_url(image: npt.NDArray[np.generic], side: int) -> str:
    """Write an image, at most `side` pixels wide or high, into an address that holds it."""
    return "data:image/png;base64," + b64encode(encode_png(reduced(as_bytes(image), side))).decode()

"""What the figures are compared with: how such programs usually prepare a picture, and a rough normalisation."""

from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

_SIDE = 1024  # the rough normalisation works on a picture reduced to this


def usual(picture: bytes) -> Float32:
    """Prepare a picture as tutorials do: grey, resized to 28x28, divided by 255; ``float32 (1, 28, 28)``."""
    small = Image.open(BytesIO(picture)).convert("L").resize((28, 28))
    return np.asarray(small, np.float32)[None] / 255


def rough(picture: bytes) -> Float32:
    """Normalise the largest part of a picture as MNIST was; ``float32 (1, 28, 28)``."""
    digit = rough_largest(np.asarray(Image.open(BytesIO(picture)).convert("L")))
    return np.zeros((1, 28, 28), np.float32) if digit is None else digit[None]


def rough_largest(grey: UInt8) -> Float32 | None:
    """Normalise the largest part of a picture, ``float32 (28, 28)``; None if there is no ink."""
    ink = _ink(grey)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    return _centred(ink * (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())) if count > 1 else None


def rough_page(grey: UInt8) -> Float32:
    """Normalise every part of a picture, ``float32 (n, 28, 28)``, in no order."""
    ink = _ink(grey)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    return np.stack([_centred(ink[y : y + h, x : x + w]) for x, y, w, h, _ in stats[1:]])


def _ink(grey: UInt8) -> UInt8:
    """Return the ink as 255 on 0: light evened out, Otsu's threshold, dark on light unless the border is dark."""
    share = min(1.0, _SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    if np.median(border) > 127:
        light = cv2.GaussianBlur(small, (0, 0), max(small.shape) / 16)
        small = 255 - cv2.divide(small, light, scale=200)
    return cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]


def _centred(ink: UInt8) -> Float32:
    """Scale ink into 20x20 and put its centre of mass into the middle of 28x28."""
    x, y, width, height = cv2.boundingRect(ink)
    share = 20 / max(width, height)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    digit = cv2.resize(ink[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA) / np.float32(255)
    mass = digit.sum()
    column, row = (digit.sum(0) @ np.arange(size[0])) / mass, (digit.sum(1) @ np.arange(size[1])) / mass
    move = np.array([[1, 0, 13.5 - column], [0, 1, 13.5 - row]], np.float32)
    return cv2.warpAffine(digit, move, (28, 28)).astype(np.float32)

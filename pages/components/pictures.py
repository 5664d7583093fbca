"""Arrays as pictures inside HTML."""

from base64 import b64encode

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core.images import encode_png
from mnist_core.preprocess import Box
from pages.components.cached import UInt8, reduced

# Okabe and Ito's blue and orange: told apart by everyone, on paper and on black.
ACCEPTED, REFUSED = (0, 114, 178), (230, 126, 0)


def as_bytes(image: npt.NDArray[np.generic]) -> UInt8:
    """Turn an image in [0, 1] into ``uint8``; one that is ``uint8`` stays."""
    return image if image.dtype == np.uint8 else np.rint(image * 255).astype(np.uint8)


def data_url(image: npt.NDArray[np.generic], side: int) -> str:
    """Write an image, at most `side` pixels wide or high, into an address that holds it."""
    return "data:image/png;base64," + b64encode(encode_png(reduced(as_bytes(image), side))).decode()


def with_boxes(picture: UInt8, boxes: list[tuple[Box, bool]], scale: float, chosen: int | None = None) -> UInt8:
    """Draw a frame round every digit on a copy of the picture: accepted ones blue, others orange."""
    drawn = picture.copy()
    line = max(2, round(max(picture.shape) / 320))
    for number, (box, accepted) in enumerate(boxes):
        left, top = round(box.x * scale) - line, round(box.y * scale) - line
        right, bottom = round((box.x + box.width) * scale) + line, round((box.y + box.height) * scale) + line
        colour = ACCEPTED if accepted else REFUSED
        cv2.rectangle(drawn, (left, top), (right, bottom), (255, 255, 255), line + 2)
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, 2 * line if number == chosen else line)
    return drawn

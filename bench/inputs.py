"""Pictures to measure with, made here and the same every time."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core import data

UInt8 = npt.NDArray[np.uint8]

SEVEN = np.array([(0.2, 0.15), (0.8, 0.15), (0.45, 0.88)])  # corners of a 7 in a unit square


def drawing() -> bytes:
    """Return a 7 as the canvas sends it: 280x280 RGBA PNG, white on black."""
    ink = np.zeros((280, 280), np.uint8)
    _draw_seven(ink, left=0, top=0, side=280, pen=20, shade=255)
    return _encode(".png", cv2.cvtColor(ink, cv2.COLOR_GRAY2BGRA))


def photo() -> bytes:
    """Return a 7 on paper as a phone takes it: 4000x3000 JPEG, light from one side, grain."""
    rng = np.random.default_rng(1)
    light = np.linspace(225, 130, 4000, dtype=np.float32)[None, :] * np.ones((3000, 1), np.float32)
    page = light + rng.standard_normal((3000, 4000), dtype=np.float32) * 4
    grey = page.clip(0, 255).astype(np.uint8)
    _draw_seven(grey, left=1500, top=1000, side=900, pen=45, shade=60)
    return _encode(".jpg", cv2.cvtColor(cv2.GaussianBlur(grey, (0, 0), 2), cv2.COLOR_GRAY2BGR))


def page() -> UInt8:
    """Return ten lines of ten built-in digits, dark on light paper, ``uint8 (900, 900)``."""
    sheet = np.full((900, 900), 225, np.uint8)
    for place, digit in enumerate(data.load("builtin").test_images[:100]):
        top, left = 90 * (place // 10) + 15, 90 * (place % 10) + 15
        ink = cv2.resize(digit, (60, 60), interpolation=cv2.INTER_CUBIC)
        sheet[top : top + 60, left : left + 60] = 225 - (ink * (175 / 255)).astype(np.uint8)
    return sheet


_SIDES = (28, 56, 84, 140, 280)  # of the pictures in a folder, in turn


def write_folder(folder: Path, pictures: int) -> None:
    """Write small PNGs of single built-in digits, 28x28 to 280x280, dark on light."""
    digits = data.load("builtin").train_images
    for number in range(pictures):
        side = _SIDES[number % len(_SIDES)]
        ink = cv2.resize(digits[number % len(digits)], (side, side), interpolation=cv2.INTER_CUBIC)
        (folder / f"{number:05}.png").write_bytes(_encode(".png", 235 - (ink * (185 / 255)).astype(np.uint8)))


def _draw_seven(ground: UInt8, left: int, top: int, side: int, pen: int, shade: int) -> None:
    corners = np.rint(SEVEN * side + (left, top)).astype(np.int32)
    cv2.polylines(ground, [corners], isClosed=False, color=shade, thickness=pen, lineType=cv2.LINE_AA)


def _encode(extension: str, image: UInt8) -> bytes:
    done, encoded = cv2.imencode(extension, image)
    assert done
    return encoded.tobytes()

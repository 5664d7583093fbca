"""How a digit is written, measured on its digit image: pen width, slant, loops."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_INK = 64  # of 255: what counts as ink where loops are looked for
_SPECK = 2  # pixels: a smaller gap in the ink is no loop


@dataclass(frozen=True, eq=False)
class Traits:
    """How each of n digits is written.

    Attributes
    ----------
    stroke
        Mean width of the pen in pixels, ``float64 (n,)``; 0 where there is no ink.
    slant
        In degrees, ``float64 (n,)``: 0 upright, positive leaning to the right, as most handwriting does.
    loops
        Closed loops, ``int64 (n,)``: 1 in a closed 0, 2 in an 8.
    """

    stroke: Float64
    slant: Float64
    loops: Counts

    def __len__(self) -> int:
        return len(self.stroke)


def measure(images: UInt8) -> Traits:
    """Measure digit images.

    Parameters
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black.
    """
    ink = np.divide(images, 255, dtype=np.float32)
    return Traits(_stroke(ink), _slant(ink), np.array([_loops(image) for image in images], np.int64))


def _stroke(ink: npt.NDArray[np.float32]) -> Float64:
    """Twice the area over the outline's length: w for a line w wide, however long, bent or blurred it is.

    The outline's length is the sum of the gradient's lengths (the total variation).
    """
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    down, across = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    outline = np.sqrt(down**2 + across**2).sum(axis=(1, 2), dtype=np.float64)
    area = ink.sum(axis=(1, 2), dtype=np.float64)
    return np.asarray(np.divide(2 * area, outline, out=np.zeros_like(area), where=outline > 0))


def _slant(ink: npt.NDArray[np.float32]) -> Float64:
    """The shear that would make the digit upright, from its second moments."""
    mass = ink.sum(axis=(1, 2), dtype=np.float64)
    rows, columns = ink.sum(axis=2, dtype=np.float64), ink.sum(axis=1, dtype=np.float64)
    places = np.arange(ink.shape[1], dtype=np.float64)
    safe = np.where(mass > 0, mass, 1)
    y, x = rows @ places / safe, columns @ places / safe
    both = (ink @ places.astype(np.float32)) @ places / safe - x * y
    height = rows @ places**2 / safe - y**2
    shear = np.divide(-both, height, out=np.zeros_like(both), where=height > 1e-9)
    return np.asarray(np.degrees(np.arctan(shear)))


def _loops(image: UInt8) -> int:
    paper = np.pad((image < _INK).astype(np.uint8), 1, constant_values=1)
    count, _, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    return int((stats[1:count, cv2.CC_STAT_AREA] >= _SPECK).sum()) - 1  # the paper all around is none

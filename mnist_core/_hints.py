"""What is wrong with a picture of a digit, measured: remarks that help somebody to make a better one."""

import cv2
import numpy as np

from mnist_core._choose import is_blot, is_edge, same_pen
from mnist_core._ink import Ink
from mnist_core._parts import Part, Parts, extent, mask_of, window_of
from mnist_core._steps import UInt8, quantile

# Limits, each beyond what the clear pictures of many people reach. Width of the pen as a share of the digit's longer
# side: ballpoints on a sheet have 0.01 and more and are read well once they are thickened.
_VERY_THIN, _VERY_HEAVY = 0.009, 0.25
# Longer side of the digit, in pixels of the picture that was given: MNIST's own have 20.
_VERY_SMALL = 12
# Strength of the ink, of 255: pencils have 50 or more.
_VERY_FAINT = 30
# Standard deviation of the blur as a share of the digit's longer side: MNIST's own pixels make 0.02.
_VERY_BLURRED = 0.028
# A second digit is at least this share of the first one's size.
_AS_LARGE = 0.6


def several(parts: Parts, chosen: list[Part]) -> bool:
    """Whether there is another digit beside the chosen one.

    It is about as large, was drawn with the same pen and lies wholly within the picture: edges of shadows and of sheets
    are not and do not.
    """
    size, shape = max(extent(chosen)), parts.labels.shape
    return any(
        p.size > _AS_LARGE * size
        and not (p.contact or p in chosen or is_blot(p) or is_edge(p, *shape))
        and same_pen(p, chosen[0])
        for p in parts.all
    )


def remarks(ink: Ink, parts: Parts, chosen: list[Part], beside: bool) -> tuple[str, ...]:
    """What may be wrong with the picture of a digit, a sentence each.

    Parameters
    ----------
    ink, parts, chosen
        The picture's ink, its parts, and those that are the digit.
    beside
        Whether there is another digit.
    """
    window = window_of(chosen)
    own, strength = mask_of(parts, chosen, window), ink.strength[window]
    level = quantile(strength, 0.8, own)
    size = max(extent(chosen))
    pen = max(p.stroke for p in chosen) / size
    small = size < _VERY_SMALL * ink.scale
    blurred = not small and _blur(strength, own, level) > _VERY_BLURRED * size
    found = {
        "The digit touches the edge of the picture.": any(p.contact for p in chosen),
        "The pen is very thin.": pen < _VERY_THIN,
        "The pen is very heavy.": pen > _VERY_HEAVY and not blurred,
        "The digit is very small.": small,
        "The ink is very faint.": level < _VERY_FAINT,
        "The picture is blurred.": blurred,
        "There is more than one digit in the picture; only one was used.": beside,
    }
    return tuple(sentence for sentence, true in found.items() if true)


def _blur(strength: UInt8, own: UInt8, level: float) -> float:
    """Standard deviation, in working pixels, of the blur that makes the ink's edges as steep as they are.

    An edge of height h under a Gaussian blur of standard deviation s rises by h / (s sqrt(2 pi)) a pixel at the most.
    """
    square = np.ones((3, 3), np.uint8)
    outline = cv2.morphologyEx(own, cv2.MORPH_GRADIENT, square)
    rise = np.asarray(cv2.morphologyEx(strength, cv2.MORPH_GRADIENT, square), np.uint8)
    steepest = quantile(rise, 0.75, np.asarray(outline, np.uint8)) / 2
    return level / (max(steepest, 0.5) * float(np.sqrt(2 * np.pi)))

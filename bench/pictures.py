"""Pictures of handwriting with known answers: paper, boards and screens as people photograph and draw them.

The digits are those of MNIST's training digits that are held back, so that no network has learned from them, and, given
a file of recorded pen strokes (a gzipped JSON list of ``{"label", "writer", "strokes": [[[x, y], ...], ...]}``, longest
side 1, y down), twice as many of those. Everything around them is made here: ground, ruling, pen, light,
camera. To look at them:

    python -m bench.pictures --strokes strokes.json.gz --out folder
"""

import argparse
import gzip
import json
from collections.abc import Callable, Sequence
from itertools import compress, pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.draft import BLACK, BLUE, COLOURS, PAPER, PENCIL, WHITE, Digit, Draft, Float32, Rgb, Sample, UInt8
from mnist_core.data import load, stratified_split
from mnist_core.recipes import TrainRecipe

# --- one digit a picture

Kind = Callable[[np.random.Generator, Digit], UInt8]
THIN, FELT, ANY = (0.012, 0.03), (0.05, 0.1), (0.015, 0.12)


def _paper(rng: np.random.Generator, low: int = 350, high: int = 900) -> Draft:
    side = int(rng.integers(low, high))
    draft = Draft(rng, round(side * rng.uniform(0.75, 1.25)), side, tuple(np.float32(PAPER) * rng.uniform(0.8, 1.05)))
    draft.texture(float(rng.uniform(0.002, 0.012)))
    return draft


def _some_ink(rng: np.random.Generator) -> Rgb:
    return (BLACK, BLUE, (0.2, 0.2, 0.25))[int(rng.integers(3))]


def clean(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A drawing on a web page: 280x280, black on white; what every other kind is compared with."""
    draft = Draft(rng, 280, 280, (1.0, 1.0, 1.0))
    draft.write_one(digit, (0.7, 0.7), (0.08, 0.08), (0.0, 0.0, 0.0))
    return draft.taken()


def canvas_any_pen(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A drawing with pens from a hair to a marker, anywhere, either way round."""
    dark = rng.random() < 0.5
    draft = Draft(rng, 280, 280, (1.0, 1.0, 1.0) if dark else (0.0, 0.0, 0.0))
    draft.write_one(digit, (0.35, 0.95), (0.012, 0.16), (0.0, 0.0, 0.0) if dark else (1.0, 1.0, 1.0))
    return draft.taken()


def canvas_small(rng: np.random.Generator, digit: Digit) -> UInt8:
    """28x28 pixels, black on white, with pens down to a faint pixel."""
    draft = Draft(rng, 280, 280, (1.0, 1.0, 1.0))
    draft.write_one(digit, (0.55, 0.8), (0.03, 0.14), (0.0, 0.0, 0.0))
    return np.asarray(cv2.resize(draft.taken(), (28, 28), interpolation=cv2.INTER_AREA), np.uint8)


def mnist_like(rng: np.random.Generator, digit: Digit) -> UInt8:
    """28x28 pixels, white on black, filling 20x20."""
    return np.asarray(255 - clean_small(rng, digit), np.uint8)


def clean_small(rng: np.random.Generator, digit: Digit) -> UInt8:
    """28x28 pixels, black on white, filling 20x20."""
    draft = Draft(rng, 280, 280, (1.0, 1.0, 1.0))
    draft.write_one(digit, (0.71, 0.72), (0.09, 0.15), (0.0, 0.0, 0.0))
    return np.asarray(cv2.resize(draft.taken(), (28, 28), interpolation=cv2.INTER_AREA), np.uint8)


def phone_screen(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A note on a phone, 1440x1440, white on black or black on grey, with the app's dot or handle at the side."""
    dark = rng.random() < 0.3
    draft = Draft(rng, 1440, int(rng.integers(1300, 1500)), (0.9, 0.9, 0.9) if dark else (0.0, 0.0, 0.0))
    draft.write_one(digit, (0.5, 0.95), (0.025, 0.08), (0.0, 0.0, 0.0) if dark else (1.0, 1.0, 1.0))
    layer = np.zeros(draft.size[::-1], np.uint8)
    y = int(rng.integers(100, 1200))
    if rng.random() < 0.5:
        cv2.circle(layer, (1400, y), 30, 255, -1)
    else:
        cv2.rectangle(layer, (1425, y), (1437, y + 160), 255, -1)
    draft.blend(layer.astype(np.float32) / 255, (0.2, 0.2, 0.2))
    return draft.taken(jpeg=int(rng.integers(75, 95)))


def ballpoint(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A thin pen on grey paper with a soft shadow."""
    draft = _paper(rng)
    draft.write_one(digit, (0.35, 0.7), THIN, _some_ink(rng), wear=0.3)
    draft.shadow(draft.between(0.1, 0.4), draft.between(0.03, 0.12))
    return draft.photographed(draft.between(0.6, 1.0))


def dim_crop(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A crop of some 60 to 120 pixels out of a photo taken in bad light."""
    draft = _paper(rng, 60, 130)
    draft.write_one(digit, (0.5, 0.85), (0.06, 0.13), _some_ink(rng))
    draft.fall_off(draft.between(0.6, 0.95))
    return draft.taken(
        draft.between(0.25, 0.6), draft.between(0.6, 1.3), draft.between(2, 6), int(rng.integers(60, 90))
    )


def pencil(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A faint pencil that presses unevenly."""
    draft = _paper(rng)
    grey = draft.between(0.45, 0.7)
    draft.write_one(digit, (0.35, 0.75), (0.02, 0.05), (grey, grey, grey), wear=0.45)
    draft.fall_off(draft.between(0.6, 1.0))
    return draft.photographed()


def felt_pen(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A heavy pen that fills much of the picture."""
    draft = _paper(rng)
    draft.write_one(digit, (0.5, 0.9), (0.08, 0.15), _some_ink(rng))
    draft.fall_off(draft.between(0.4, 1.0))
    return draft.photographed()


def coloured(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Red, green, blue, orange or violet ink, also on coloured paper."""
    draft = _paper(rng)
    draft.scene *= np.float32(rng.uniform(0.75, 1, 3))
    draft.write_one(digit, (0.35, 0.8), (0.02, 0.08), COLOURS[int(rng.integers(len(COLOURS)))])
    draft.fall_off(draft.between(0.6, 1.0))
    return draft.photographed()


def whiteboard(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A marker on a whiteboard, with glare and what was wiped off."""
    draft = Draft(rng, 800, 600, (0.9, 0.92, 0.93))
    draft.scene -= np.maximum(draft.smooth(9, -0.05, 0.06), 0)[..., None]
    draft.write_one(digit, (0.3, 0.7), (0.04, 0.09), (*COLOURS, BLACK, BLACK)[int(rng.integers(7))], wear=0.2)
    draft.fall_off(draft.between(0.5, 0.9))
    glare = np.clip(draft.smooth(5, -1.5, 1.0), 0, 1) * 0.6
    draft.scene += (1 - draft.scene) * glare[..., None]
    return draft.photographed()


def chalk(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Chalk on a blackboard."""
    shade = float(rng.uniform(0.1, 0.28))
    draft = Draft(rng, 760, 600, (shade, shade * 1.15, shade))
    draft.texture(0.02)
    draft.scene += np.maximum(draft.smooth(9, -0.05, 0.09), 0)[..., None]
    draft.write_one(digit, (0.3, 0.75), (0.04, 0.09), WHITE, wear=0.4)
    draft.fall_off(draft.between(0.5, 1.0))
    return draft.photographed()


def light_on_coloured(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A white pen on coloured card of middling brightness."""
    draft = Draft(rng, 500, 500, tuple(rng.uniform(0.2, 0.5, 3)))
    draft.texture(0.01)
    draft.write_one(digit, (0.4, 0.8), (0.03, 0.1), WHITE)
    draft.fall_off(draft.between(0.5, 1.0))
    return draft.photographed()


def _on_ruling(rng: np.random.Generator, digit: Digit, squared: bool) -> UInt8:
    draft = _paper(rng)
    draft.rule(squared, ((0.45, 0.55, 0.8), (0.6, 0.6, 0.62))[int(rng.integers(2))], draft.between(0.4, 0.9))
    draft.write_one(digit, (0.3, 0.75), (0.02, 0.08), _some_ink(rng))
    draft.tilt(0.03)
    draft.fall_off(draft.between(0.6, 1.0))
    return draft.photographed()


def ruled(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Ruled paper, slightly turned."""
    return _on_ruling(rng, digit, squared=False)


def squared(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Squared paper, slightly turned."""
    return _on_ruling(rng, digit, squared=True)


def ruled_pencil(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Pencil on ruled paper, no stronger than the ruling."""
    draft = _paper(rng)
    draft.rule(False, (0.45, 0.55, 0.8), draft.between(0.4, 0.7))
    draft.write_one(digit, (0.3, 0.7), (0.025, 0.05), PENCIL, wear=0.2)
    draft.tilt(0.02)
    return draft.photographed()


def page_edge(rng: np.random.Generator, digit: Digit) -> UInt8:
    """The page's edge and the table beside it."""
    draft = _paper(rng)
    draft.write_one(digit, (0.35, 0.6), (0.02, 0.08), _some_ink(rng))
    draft.page_edge(((0.1, 0.08, 0.07), (0.4, 0.28, 0.18), (0.6, 0.6, 0.62))[int(rng.integers(3))])
    draft.fall_off(draft.between(0.6, 1.0))
    return draft.photographed()


def black_frame(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A scan with a dark border all round."""
    draft = _paper(rng)
    draft.write_one(digit, (0.3, 0.6), (0.02, 0.08), _some_ink(rng))
    draft.frame((0.02, 0.02, 0.02), draft.between(0.01, 0.09))
    return draft.photographed()


_TABLES: Sequence[Rgb] = ((0.08, 0.07, 0.07), (0.3, 0.2, 0.13), (0.5, 0.36, 0.24), (0.35, 0.37, 0.4))


def note_on_table(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A white or yellow note that lies on a table, all of it in the picture."""
    draft = Draft(rng, 420, round(420 * rng.uniform(0.7, 1.3)), (PAPER, (0.93, 0.88, 0.5))[int(rng.integers(2))])
    draft.texture(0.006)
    draft.write_one(digit, (0.35, 0.7), (0.03, 0.09), _some_ink(rng))
    draft.lay_on_table(_TABLES[int(rng.integers(len(_TABLES)))], draft.between(0.3, 0.85), draft.between(-0.25, 0.25))
    draft.fall_off(draft.between(0.6, 1.0))
    return draft.photographed()


def boxed(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A digit in a printed box, as forms have them."""
    draft = _paper(rng)
    draft.write_one(digit, (0.3, 0.45), (0.04, 0.09), _some_ink(rng))
    side = min(draft.size) / np.array(draft.size) * draft.between(0.36, 0.42)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * side + 0.5
    draft.outline(corners, draft.between(0.004, 0.012) * min(draft.size), (0.35, 0.35, 0.45))
    draft.tilt(0.02)
    return draft.photographed()


def circled(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A digit that somebody has drawn a circle around, with the same pen."""
    draft, ink = _paper(rng), _some_ink(rng)
    draft.write_one(digit, (0.28, 0.4), (0.05, 0.1), ink)
    angles = np.linspace(0, 2 * np.pi * draft.between(0.99, 1.04), 90) + draft.between(0, 6)
    radius = 0.4 * (1 + 0.05 * np.sin(2 * angles + draft.between(0, 6))) * min(draft.size)
    points = 0.5 + (radius * np.stack([np.cos(angles), np.sin(angles)])).T / draft.size
    draft.outline(points, draft.between(0.014, 0.03) * min(draft.size), ink)
    return draft.photographed()


def underlined(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A digit with a line under it."""
    draft, ink = _paper(rng), _some_ink(rng)
    draft.write_one(digit, (0.3, 0.45), (0.04, 0.09), ink)
    left, level, fall = draft.between(0.15, 0.3), draft.between(0.8, 0.9), draft.between(-0.03, 0.03)
    points = np.array([[left, level], [1 - left, level + fall]])
    draft.outline(points, draft.between(0.012, 0.03) * min(draft.size), ink)
    return draft.photographed()


def hand_shadow(rng: np.random.Generator, digit: Digit) -> UInt8:
    """The deep shadow of a hand or phone, with an edge."""
    draft = _paper(rng)
    draft.write_one(digit, (0.35, 0.75), (0.02, 0.07), _some_ink(rng))
    draft.shadow(draft.between(0.35, 0.65), draft.between(0.004, 0.03))
    draft.fall_off(draft.between(0.7, 1.0))
    return draft.photographed()


def falling_light(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A lamp on one side, dark corners on the other."""
    draft = _paper(rng)
    draft.write_one(digit, (0.35, 0.8), (0.02, 0.09), _some_ink(rng))
    draft.fall_off(draft.between(0.15, 0.4))
    draft.vignette(draft.between(0.4, 0.8))
    return draft.photographed()


def finger(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A finger that holds the paper."""
    draft = _paper(rng)
    draft.write_one(digit, (0.35, 0.6), (0.02, 0.08), _some_ink(rng))
    draft.finger()
    draft.shadow(draft.between(0.1, 0.4), 0.03)
    return draft.photographed()


def punched(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Punched holes, dark as ink."""
    draft = _paper(rng)
    draft.holes()
    draft.write_one(digit, (0.3, 0.6), (0.02, 0.08), _some_ink(rng))
    return draft.photographed()


def dirty(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Specks everywhere."""
    draft = _paper(rng)
    draft.specks(int(rng.integers(5, 60)), BLACK)
    draft.write_one(digit, (0.35, 0.75), (0.025, 0.08), _some_ink(rng))
    return draft.photographed()


def bad_camera(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Out of focus, noisy, and squeezed by JPEG."""
    draft = _paper(rng, 250, 600)
    draft.write_one(digit, (0.4, 0.8), (0.04, 0.1), _some_ink(rng))
    return draft.taken(draft.between(0.35, 0.9), draft.between(1.5, 3), draft.between(6, 16), int(rng.integers(20, 50)))


def tight(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Cut so closely that the digit touches the rim."""
    coverage = digit.coverage(int(rng.integers(40, 300)), float(rng.uniform(4, 20)))
    margin = int(rng.integers(0, 4))
    height, width = (n + 2 * margin for n in coverage.shape)
    draft = Draft(rng, width, height, PAPER)
    draft.blend(cv2.copyMakeBorder(coverage, *(margin,) * 4, cv2.BORDER_CONSTANT, value=0), _some_ink(rng))
    trim = draft.scene[2:-2, 2:-2]
    draft.scene = np.ascontiguousarray(trim) if min(trim.shape[:2]) > 8 else draft.scene
    return draft.taken(draft.between(0.6, 1), 0.5, 2, 85)


def neighbours(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Parts of the digits to the left and right, cut off by the rim."""
    draft = _paper(rng)
    width, height = draft.size
    side = round(0.55 * min(draft.size))
    pen = max(1.5, draft.between(0.03, 0.08) * side)
    ink = _some_ink(rng)
    coverage = digit.coverage(side, pen)
    x, y = (width - coverage.shape[1]) // 2, (height - coverage.shape[0]) // 2
    draft.write(digit, x, y, side, pen, ink)
    cut = round(min(0.4 * side, 0.7 * x))
    if rng.random() < 0.7:
        draft.write(digit, cut - coverage.shape[1], y, side, pen, ink)
    if rng.random() < 0.7:
        draft.write(digit, width - cut, y, side, pen, ink)
    return draft.photographed()


def far_away(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A small digit on a large sheet."""
    draft = _paper(rng, 900, 1600)
    draft.write_one(digit, (0.09, 0.2), (0.04, 0.1), _some_ink(rng))
    draft.fall_off(draft.between(0.6, 1.0))
    return draft.photographed()


def worn_pen(rng: np.random.Generator, digit: Digit) -> UInt8:
    """A pen that runs dry: gaps in the strokes."""
    draft = _paper(rng)
    draft.write_one(digit, (0.4, 0.8), (0.03, 0.07), _some_ink(rng), wear=0.8)
    return draft.photographed()


def turned(rng: np.random.Generator, digit: Digit) -> UInt8:
    """Seen from the side and turned by up to ten degrees."""
    draft = _paper(rng)
    draft.write_one(digit, (0.35, 0.6), (0.025, 0.08), _some_ink(rng))
    draft.tilt(0.1)
    return draft.photographed()


SINGLES: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (
        clean, canvas_any_pen, canvas_small, mnist_like, phone_screen, ballpoint, dim_crop, pencil, felt_pen, coloured,
        whiteboard, chalk, light_on_coloured, ruled, squared, ruled_pencil, page_edge, black_frame, note_on_table,
        boxed, circled, underlined, hand_shadow, falling_light, finger, punched, dirty, bad_camera, tight, neighbours,
        far_away, worn_pen, turned,
    )
}  # fmt: skip


# --- pages

Points = npt.NDArray[np.float64]
Writer = Callable[[np.random.Generator, Sequence[Digit]], Sample]


def _fill(
    draft: Draft, digits: Sequence[Digit], rows: int, columns: int, ink: Rgb, pen: tuple[float, float],
    vary: float = 0.15, slope: float = 0.0, gap: float = 1.0, wear: float = 0.0,
) -> str:  # fmt: skip
    """Write lines of digits over the whole draft and return the text; `slope` lets lines fall, `gap` spreads them.

    Half of the pages have numbers, whose digits stand close together, the others have digits by themselves.
    """
    width, height = draft.size
    close = _IN_NUMBERS if draft.rng.random() < 0.5 else 0.0
    cell = min(width / (columns + 1) / (0.75 * gap), (height - abs(slope) * width) / (rows + 0.5) / 1.35)
    thick, lines, rest = draft.between(*pen), [], list(digits)
    for row in range(rows):
        x, line = draft.between(0.4, 0.9) * cell, ""
        middle = _middle(row, rows, height - abs(slope) * width) + max(-slope, 0) * width
        while rest and len(line) < columns:
            side = round(cell * (1 + draft.between(-vary, vary)) * 0.9)
            coverage = rest[0].coverage(side, max(1.2, thick * cell))
            if x + coverage.shape[1] > width - 0.2 * cell:
                break
            y = middle + slope * x - coverage.shape[0] / 2 + draft.between(-0.08, 0.08) * cell
            draft.write(rest[0], round(x), round(y), side, max(1.2, thick * cell), ink, wear=wear)
            line += str(rest.pop(0).label)
            space = _CLOSE if draft.rng.random() < close else _APART
            x += coverage.shape[1] + draft.between(*space) * cell * gap
        lines += [line] if line else []
    return "\n".join(lines)


def _middle(row: int, rows: int, height: float) -> float:
    """How far down the middle of a line is, of so many over this height."""
    return (row + 0.75) * height / (rows + 0.5)


# This share of the gaps on a page with numbers is between two digits of one; and how wide gaps are, in cells.
_IN_NUMBERS, _CLOSE, _APART = 0.65, (0.06, 0.2), (0.2, 0.5)


def page_photo(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A few lines in felt pen or ballpoint, photographed with falling light."""
    draft = _paper(rng, 600, 1200)
    text = _fill(draft, digits, int(rng.integers(1, 7)), int(rng.integers(2, 9)), _some_ink(rng), (0.03, 0.08))
    draft.fall_off(draft.between(0.5, 1.0))
    return Sample(draft.photographed(draft.between(0.5, 1.0)), text)


def page_slanting(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Lines that fall or rise."""
    draft = _paper(rng, 700, 1200)
    slope = draft.between(-0.18, 0.18)
    text = _fill(draft, digits, int(rng.integers(2, 5)), 7, _some_ink(rng), (0.03, 0.08), slope=slope)
    return Sample(draft.photographed(), text)


def page_of_hundred(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A hundred and more digits."""
    draft = _paper(rng, 1400, 1800)
    text = _fill(draft, digits, int(rng.integers(10, 15)), 14, _some_ink(rng), (0.04, 0.08))
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), text)


def page_mixed_sizes(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Digits of very different size beside each other."""
    draft = _paper(rng, 700, 1200)
    text = _fill(draft, digits, 3, 6, _some_ink(rng), (0.03, 0.06), vary=0.4)
    return Sample(draft.photographed(), text)


def page_ruled(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Ruled or squared paper."""
    draft = _paper(rng, 700, 1200)
    draft.rule(rng.random() < 0.5, (0.5, 0.58, 0.8), draft.between(0.4, 0.8))
    text = _fill(draft, digits, int(rng.integers(1, 5)), 7, _some_ink(rng), (0.04, 0.08))
    draft.tilt(0.015)
    return Sample(draft.photographed(), text)


def page_pencil(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Pencil, pressing unevenly."""
    draft = _paper(rng, 700, 1200)
    text = _fill(draft, digits, int(rng.integers(1, 5)), 7, PENCIL, (0.035, 0.06), wear=0.35)
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), text)


def page_worn(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A pen that runs dry: many strokes have gaps, and some digits are in many pieces."""
    draft = _paper(rng, 700, 1200)
    text = _fill(draft, digits, int(rng.integers(1, 5)), 7, _some_ink(rng), (0.03, 0.07), wear=0.72)
    return Sample(draft.photographed(), text)


def page_board(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Chalk on a blackboard."""
    draft = Draft(rng, 1100, 800, (0.16, 0.2, 0.17))
    draft.texture(0.015)
    text = _fill(draft, digits, int(rng.integers(1, 5)), 7, WHITE, (0.06, 0.09), wear=0.3)
    draft.fall_off(draft.between(0.5, 1.0))
    return Sample(draft.photographed(), text)


def page_things_around(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Holes, specks, a finger, a shadow and the page's edge."""
    draft = _paper(rng, 700, 1200)
    width, height = draft.size
    inner = Draft(rng, round(width * 0.7), round(height * 0.66), PAPER)
    text = _fill(inner, digits, int(rng.integers(1, 4)), 6, BLACK, (0.04, 0.08))
    x, y = round(width * 0.17), round(height * 0.16)
    shade = 1 - inner.scene.mean(2) / float(np.mean(PAPER))
    layer = np.zeros((height, width), np.float32)
    layer[y : y + shade.shape[0], x : x + shade.shape[1]] = np.clip(shade, 0, 1)
    draft.holes()
    draft.specks(12, BLACK, 0.004)
    draft.blend(layer, BLACK)
    draft.page_edge((0.3, 0.22, 0.15))
    draft.finger()
    draft.shadow(draft.between(0.2, 0.45), 0.02)
    return Sample(draft.photographed(), text)


def page_on_table(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A sheet or a note with a few lines that lies on a table, all of it in the picture."""
    draft = _paper(rng, 500, 800)
    text = _fill(draft, digits, int(rng.integers(1, 5)), int(rng.integers(2, 7)), _some_ink(rng), (0.04, 0.08))
    draft.lay_on_table(_TABLES[int(rng.integers(len(_TABLES)))], draft.between(0.4, 0.9), draft.between(-0.1, 0.1))
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), text)


def page_of_boxes(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A form: rows of printed boxes with a digit in each, apart or side by side; many digits touch their box."""
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(2, 7))
    cell = int(rng.integers(90, 160))
    draft, ink, margin = _paper(rng, 700, 701), _some_ink(rng), 0.5 * cell
    pitch = cell * (1.0, 1.25)[int(rng.integers(2))]
    draft.scene = np.asarray(
        cv2.resize(draft.scene, (round(columns * pitch + 2 * margin), round(rows * 1.4 * cell + 2 * margin))),
        np.float32,
    )
    pen, thick, lines = draft.between(0.05, 0.08) * cell, max(1.0, draft.between(0.01, 0.025) * cell), []
    for row in range(rows):
        chosen = digits[row * columns : (row + 1) * columns]
        for column, digit in enumerate(chosen):
            x, y = margin + column * pitch, margin + row * 1.4 * cell
            corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * cell + [x, y]
            draft.outline(corners / draft.size, thick, (0.35, 0.35, 0.45))
            side = round(cell * draft.between(0.55, 0.75))
            height, width = digit.coverage(side, pen).shape
            free = np.array([cell - width, cell - height]) * rng.uniform(-0.1, 1.1, 2)
            draft.write(digit, round(x + free[0]), round(y + free[1]), side, pen, ink)
        lines.append("".join(str(digit.label) for digit in chosen))
    draft.tilt(0.01)
    return Sample(draft.photographed(), "\n".join(lines))


def page_table(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A table with a digit in each cell, as for collecting digits; some digits touch or cross a line."""
    rows, columns = int(rng.integers(3, 7)), int(rng.integers(4, 9))
    draft, ink = _paper(rng, 900, 1300), _some_ink(rng)
    width, height = draft.size
    cell = min(0.85 * width / columns, 0.85 * height / rows)
    left, top = (width - columns * cell) / 2, (height - rows * cell) / 2
    pen, thick = draft.between(0.05, 0.09) * cell, max(1.0, draft.between(0.01, 0.03) * cell)
    for i in range(rows + 1):
        ends = np.array([[left, top + i * cell], [left + columns * cell, top + i * cell]])
        draft.outline(ends / draft.size, thick, (0.2, 0.2, 0.25))
    for i in range(columns + 1):
        ends = np.array([[left + i * cell, top], [left + i * cell, top + rows * cell]])
        draft.outline(ends / draft.size, thick, (0.2, 0.2, 0.25))
    chosen = digits[: rows * columns]
    for i, digit in enumerate(chosen):
        side = round(cell * draft.between(0.55, 0.85))
        high, wide = digit.coverage(side, pen).shape
        free = np.array([cell - wide, cell - high]) * rng.uniform(0, 1, 2)
        x, y = left + i % columns * cell + free[0], top + i // columns * cell + free[1]
        draft.write(digit, round(x), round(y), side, pen, ink)
    draft.tilt(0.03)
    draft.fall_off(draft.between(0.6, 1.0))
    lines = [chosen[start : start + columns] for start in range(0, len(chosen), columns)]
    return Sample(draft.photographed(), "\n".join("".join(str(one.label) for one in line) for line in lines))


def page_touching(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Two to five digits in a row, each pair of which touches or overlaps a little half of the time, one at least."""
    draft = _paper(rng, 350, 600)
    width, height = draft.size
    pen, ink = draft.between(0.05, 0.09), _some_ink(rng)
    chosen = digits[: int(rng.integers(2, 6))]
    joined = rng.random(len(chosen)) < 0.5
    joined[int(rng.integers(1, len(chosen)))] = True
    overlaps = np.where(joined, rng.uniform(0.1, 0.9, len(chosen)), np.nan)
    side = round(0.45 * height)
    wide = _row_of_touching(chosen, overlaps, side, pen)[-1]
    side = min(side, int(side * 0.88 * width / wide))
    left = 0.06 * width
    for digit, x in zip(chosen, _row_of_touching(chosen, overlaps, side, pen), strict=False):
        high = digit.coverage(side, pen * side).shape[0]
        draft.write(digit, round(left + x), round(0.5 * height - high / 2), side, pen * side, ink)
    return Sample(draft.photographed(), "".join(str(digit.label) for digit in chosen))


def _row_of_touching(chosen: Sequence[Digit], overlaps: npt.NDArray[np.float64], side: int, pen: float) -> list[int]:
    """The left edge of each digit in a row, and the right edge of the last one.

    The pen is as wide as that share of the side; overlaps are in pens, NaN where a digit stands apart from the one
    before it.
    """
    lefts, x = [], 0
    before: Float32 | None = None
    for digit, overlap in zip(chosen, overlaps, strict=True):
        coverage = digit.coverage(side, pen * side)
        if before is not None and not np.isnan(overlap):
            x = lefts[-1] + _contact(before, coverage, pen * side * overlap)
        lefts.append(x)
        before = coverage
        x += coverage.shape[1] + round(0.3 * side)
    return [*lefts, x - round(0.3 * side)]


def _contact(left: Float32, right: Float32, overlap: float) -> int:
    """How far right of the left digit's corner the right one begins if their strokes overlap by so many pixels."""
    tall = max(left.shape[0], right.shape[0])
    ends, begins = np.full(tall, -np.inf), np.full(tall, np.inf)
    for digit, rim in ((left, ends), (right, begins)):
        top = (tall - digit.shape[0]) // 2
        ink = digit > 0.5
        if digit is right:
            rim[top : top + len(ink)] = np.where(ink.any(1), ink.argmax(1), np.inf)
        else:
            last = ink.shape[1] - ink[:, ::-1].argmax(1)
            rim[top : top + len(ink)] = np.where(ink.any(1), last, -np.inf)
    reach = float((ends - begins).max())
    return round(reach - overlap) if np.isfinite(reach) else left.shape[1]


def page_words(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Lines of digits with a word before, behind or above them: that is not read."""
    draft = _paper(rng, 700, 1200)
    width, height = draft.size
    ink, pen, rows = _some_ink(rng), draft.between(0.04, 0.08), int(rng.integers(1, 4))
    word = _word(rng, round(0.11 * min(width, height)), pen)
    inner = Draft(rng, round(0.62 * width), round(0.7 * height), (0.0, 0.0, 0.0))
    text = _fill(inner, digits, rows, 5, (1.0, 1.0, 1.0), (pen, pen))
    x, y = ((0.36 * width, 0.2 * height), (0.02 * width, 0.2 * height), (0.2 * width, 0.28 * height))[
        side := int(rng.integers(3))
    ]
    draft.put(inner.scene[..., 0], round(x), round(y), ink)
    across = (0.03, 0.66, 0.3)[side] * width
    along = 0.06 * height if side == 2 else draft.between(0.25, 0.7) * height
    wide = round(0.31 * width)
    if word.shape[1] > wide and side != 2:
        word = np.asarray(cv2.resize(word, (wide, round(word.shape[0] * wide / word.shape[1]))), np.float32)
    draft.put(word, round(across), round(along), ink)
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), text)


_WORDS = (
    "Total", "Room", "Anna", "phone", "Maths", "km", "Date", "page", "Euro", "Tim", "answer", "hello", "Name", "day",
    "code", "kitchen", "marks", "Bus", "my", "number",
)  # fmt: skip


def _word(rng: np.random.Generator, size: int, pen: float) -> Float32:
    """A handwritten word, letters about `size` pixels high, each a little different."""
    font = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)[
        int(rng.integers(3))
    ]
    word, scale, thick = _WORDS[int(rng.integers(len(_WORDS)))], size / 22, max(1, round(pen * size))
    (width, height), below = cv2.getTextSize(word, font, scale, thick)
    layer = np.zeros((2 * (height + below) + 4 * thick, width + 2 * height), np.uint8)
    cv2.putText(layer, word, (height, 2 * height), font, scale, 255, thick, cv2.LINE_AA)
    y, x = np.mgrid[0 : layer.shape[0], 0 : layer.shape[1]].astype(np.float32)
    wander = [cv2.resize(rng.normal(0, 0.09 * size, (3, 9)).astype(np.float32), layer.shape[::-1]) for _ in range(2)]
    slant = float(rng.uniform(-0.25, 0.25))
    bent = cv2.remap(layer, x + wander[0] + slant * (y - height), y + wander[1], cv2.INTER_LINEAR)
    left, top, wide, high = cv2.boundingRect(np.asarray(cv2.compare(bent, 30, cv2.CMP_GT)))
    return np.asarray(bent[top : top + high, left : left + wide], np.float32) / 255


def page_doodles(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Lines of digits and one to three doodles beside or under them: scrawls, stars, faces, arrows, underlining."""
    draft = _paper(rng, 700, 1200)
    width, height = draft.size
    ink, pen = _some_ink(rng), draft.between(0.04, 0.08)
    inner = Draft(rng, round(0.66 * width), round(0.66 * height), (0.0, 0.0, 0.0))
    text = _fill(inner, digits, int(rng.integers(1, 4)), 5, (1.0, 1.0, 1.0), (pen, pen))
    draft.put(inner.scene[..., 0], round(0.02 * width), round(0.06 * height), ink)
    side = round(draft.between(0.14, 0.24) * min(width, height))
    places = [(0.72, 0.1), (0.72, 0.42), (0.72, 0.72), (0.1, 0.76), (0.42, 0.76)]
    for at in rng.permutation(len(places))[: int(rng.integers(1, 4))]:
        x, y = places[int(at)]
        draft.put(_doodle(rng, side, max(1.5, pen * 0.8 * side)), round(x * width), round(y * height), ink)
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), text)


def _doodle(rng: np.random.Generator, side: int, pen: float) -> Float32:
    """A scrawl, star, face, arrow, spiral or underlining in a square."""
    t = np.linspace(0, 1, 160)
    around = 2 * np.pi * t

    def circle(x: float, y: float, r: float) -> Points:
        return np.stack([x + r * np.cos(around), y + r * np.sin(around)], 1)

    def zigzag() -> list[Points]:
        x = np.linspace(0, 1, int(rng.integers(9, 16)))
        return [np.stack([x, np.where(np.arange(len(x)) % 2, 0.15, 0.85) + rng.normal(0, 0.1, len(x))], 1)]

    def scrawl() -> list[Points]:
        phase = rng.uniform(0, 2 * np.pi, 4)
        x = 0.5 + 0.3 * np.sin(5 * around + phase[0]) + 0.2 * np.sin(3 * around + phase[1])
        return [np.stack([x, 0.5 + 0.3 * np.sin(4 * around + phase[2]) + 0.2 * np.sin(7 * around + phase[3])], 1)]

    def star() -> list[Points]:
        corners = np.arange(6) * 4 * np.pi / 5 - np.pi / 2
        return [np.stack([0.5 + 0.5 * np.cos(corners), 0.5 + 0.5 * np.sin(corners)], 1)]

    def face() -> list[Points]:
        mouth = np.stack([0.5 + 0.25 * np.cos(around / 2), 0.6 + 0.2 * np.sin(around / 2)], 1)
        return [circle(0.5, 0.5, 0.5), circle(0.33, 0.35, 0.05), circle(0.67, 0.35, 0.05), mouth]

    def arrow() -> list[Points]:
        return [np.array([[0, 0.5], [1, 0.5]]), np.array([[0.7, 0.25], [1, 0.5], [0.7, 0.75]])]

    def spiral() -> list[Points]:
        return [np.stack([0.5 + 0.5 * t * np.cos(3.5 * around), 0.5 + 0.5 * t * np.sin(3.5 * around)], 1)]

    def underlining() -> list[Points]:
        return [np.array([[0, 0.45], [1, 0.4]]), np.array([[0.05, 0.6], [0.95, 0.58]])]

    kinds = (zigzag, scrawl, star, face, arrow, spiral, underlining)
    strokes = kinds[int(rng.integers(len(kinds)))]()
    turn = float(rng.uniform(-0.3, 0.3))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = [(points - 0.5) @ matrix + 0.5 + rng.normal(0, 0.006, points.shape) for points in strokes]
    return _unnamed(moved).coverage(side, pen)


def _unnamed(strokes: Sequence[Points]) -> Digit:
    """Strokes that are no digit, from their upper left corner; the label is -1."""
    low = np.concatenate(strokes).min(0)
    return Digit(-1, tuple(np.float32(points - low) for points in strokes))


def page_sums(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Sums: two numbers with a plus, a minus or a times between them, an equals sign and a third number."""
    draft = _paper(rng, 700, 1200)
    width, height = draft.size
    rows, rest = int(rng.integers(1, 5)), list(digits)
    pen, ink, lines = draft.between(0.04, 0.08), _some_ink(rng), []
    for _ in range(rows):
        numbers = [[rest.pop() for _ in range(rng.integers(1, most + 1))] for most in (2, 2, 3)]
        first, second, third = numbers
        between = _sign(rng, _BETWEEN[int(rng.integers(len(_BETWEEN)))])
        lines.append([*first, between, *second, _sign(rng, _EQUALS), *third])
    high = min(width / 12, 0.6 * height / rows)  # seven of the widest digits and two signs fit in
    for row, line in enumerate(lines):
        sides = [round(high * draft.between(0.85, 1.15) * (1.0 if one.label >= 0 else 0.5)) for one in line]
        # Signs stand further from the digits than digits do from one another.
        gaps = [draft.between(*(_APART if -1 in (a.label, b.label) else _CLOSE)) * high for a, b in pairwise(line)]
        signs = [(one, side, 0.0) for one, side in zip(line, sides, strict=True)]
        _write_line(draft, signs, gaps, _middle(row, rows, height), high, pen, ink)
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), "\n".join(_text(line) for line in lines))


def _write_line(
    draft: Draft,
    line: Sequence[tuple[Digit, int, float]],
    gaps: Sequence[float],
    middle: float,
    high: float,
    pen: float,
    ink: Rgb,
) -> None:
    """Write digits and signs beside each other, somewhere across the draft.

    Each comes with its longer side and with how far below the line's middle it stands, in pixels; the pen is as wide as
    that share of the height of a usual digit.
    """
    shapes = [one.coverage(side, pen * high).shape for one, side, _ in line]
    free = draft.size[0] - sum(wide for _, wide in shapes) - sum(gaps)
    x = draft.between(0.1, 0.9) * free
    for (one, side, below), shape, gap in zip(line, shapes, [*gaps, 0.0], strict=True):
        y = middle + below - shape[0] / 2 + draft.between(-0.06, 0.06) * high
        draft.write(one, round(x), round(y), side, pen * high, ink)
        x += shape[1] + gap


def _text(line: Sequence[Digit]) -> str:
    """The digits of a line, without its signs."""
    return "".join(str(one.label) for one in line if one.label >= 0)


_Strokes = tuple[tuple[tuple[float, float], tuple[float, float]], ...]
_MINUS: _Strokes = (((0, 0), (1, 0)),)
_EQUALS: _Strokes = (((0, 0), (1, 0)), ((0, 0.45), (1, 0.45)))
_BETWEEN: tuple[_Strokes, ...] = (
    (((0, 0.5), (1, 0.5)), ((0.5, 0), (0.5, 1))),
    _MINUS,
    (((0, 0), (1, 1)), ((1, 0), (0, 1))),
)


def _sign(rng: np.random.Generator, strokes: _Strokes, unsteady: float = 0.05) -> Digit:
    """A sign of a sum or a date, drawn by an unsteady hand; its label is -1."""
    return _unnamed([np.array(stroke) + rng.normal(0, unsteady, (2, 2)) for stroke in strokes])


def page_dates(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Dates, one to four of them, with strokes, dots or dashes between day, month and year."""
    draft = _paper(rng, 700, 1200)
    width, height = draft.size
    rows, pen, ink = int(rng.integers(1, 5)), draft.between(0.04, 0.08), _some_ink(rng)
    lean, between, lines = draft.between(0.25, 0.7), int(rng.integers(3)), []
    high = min(width / 11.5, 0.6 * height / rows)  # eight of the widest digits and two signs fit in
    for row in range(rows):
        day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1980, 2030))
        wide, long = (2 if rng.random() < 0.5 else 1), rng.random() < 0.6
        written = f"{day:0{wide}}/{month:0{wide}}/{year if long else f'{year % 100:02}'}"
        line = []
        for sign in written:
            if sign != "/":
                some = [one for one in digits if one.label == int(sign)]
                line.append((some[int(rng.integers(len(some)))], round(high * draft.between(0.85, 1.15)), 0.0))
            elif between == 0:
                stroke = ((lean, 0), (0, 1))
                line.append((_sign(rng, (stroke,), 0.02), round(high * draft.between(1.15, 1.5)), 0.0))
            else:
                mark, side, below = ((_DOT, 0.2, 0.45), (_MINUS, 0.4, 0.0))[between - 1]
                line.append((_sign(rng, mark), round(side * high), below * high))
        gaps = [draft.between(*_CLOSE) * high for _ in line[1:]]
        _write_line(draft, line, gaps, _middle(row, rows, height), high, pen, ink)
        lines.append(_text([one for one, _, _ in line]))
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), "\n".join(lines))


_DOT: _Strokes = (((0, 0), (0.1, 0.1)),)


def page_corrected(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """Lines of digits, some of them crossed out or scribbled over: these are not read."""
    draft = _paper(rng, 700, 1200)
    width, height = draft.size
    rows, pen, ink, rest = int(rng.integers(1, 5)), draft.between(0.04, 0.08), _some_ink(rng), list(digits)
    high, lines = min(width / 9, 0.6 * height / rows), []
    for row in range(rows):
        crossed = rng.random(int(rng.integers(3, 7))) < 0.25
        if row == 0:
            crossed[int(rng.integers(len(crossed)))] = True
        x, line = draft.between(0.04, 0.15) * width, ""
        for out in crossed:
            one, side = rest.pop(), round(high * draft.between(0.85, 1.15))
            tall, wide = one.coverage(side, pen * high).shape
            y = _middle(row, rows, height) - tall / 2 + draft.between(-0.05, 0.05) * high
            draft.write(one, round(x), round(y), side, pen * high, ink)
            if out:
                across = max(wide, 0.45 * tall)
                strokes = [stroke * (across, tall) + ((wide - across) / 2, 0) for stroke in _crossing(rng)]
                low, longest = np.concatenate(strokes).min(0), float(np.ptp(np.concatenate(strokes), axis=0).max())
                mark = _unnamed([stroke / longest for stroke in strokes])
                draft.write(mark, round(x + low[0]), round(y + low[1]), round(longest), pen * high, ink)
            else:
                line += str(one.label)
            x += wide + draft.between(*(_APART if out else (0.1, 0.35))) * high
        lines.append(line)
    draft.fall_off(draft.between(0.6, 1.0))
    return Sample(draft.photographed(), "\n".join(line for line in lines if line))


def _crossing(rng: np.random.Generator) -> list[Points]:
    """What a digit is crossed out with, as high and wide as it: a cross, level or slanting strokes, or a zigzag."""
    several = int(rng.integers(2, 4))
    x = np.linspace(-0.1, 1.1, int(rng.integers(8, 14)))
    kinds = (
        [np.array([(-0.1, 0), (1.1, 1)]), np.array([(1.1, 0), (-0.1, 1)])],
        [np.array([(-0.15, y), (1.15, y - 0.05)]) for y in (0.35, 0.6)],
        [np.array([(-0.1, 1 - 0.5 * up), (1.1, 0.1 - 0.2 * up)]) for up in (0, 0.4, -0.3)[:several]],
        [np.stack([x, np.where(np.arange(len(x)) % 2, 0.08, 0.92)], 1)],
    )
    return [stroke + rng.normal(0, 0.06, stroke.shape) for stroke in kinds[int(rng.integers(len(kinds)))]]


def page_canvas(rng: np.random.Generator, digits: Sequence[Digit]) -> Sample:
    """A drawing of some digits on a screen, white on black."""
    draft = Draft(rng, 900, 420, (0.0, 0.0, 0.0))
    text = _fill(draft, digits, int(rng.integers(1, 3)), 6, (1.0, 1.0, 1.0), (0.03, 0.12))
    return Sample(draft.taken(), text)


PAGES: dict[str, Writer] = {
    writer.__name__: writer
    for writer in (
        page_canvas, page_photo, page_slanting, page_of_hundred, page_mixed_sizes, page_ruled, page_pencil, page_worn,
        page_board, page_things_around, page_on_table,
        page_of_boxes, page_table, page_touching, page_words, page_doodles, page_sums, page_dates, page_corrected,
    )
}  # fmt: skip


# --- nothing to read


BLANK = "blank"


def blanks(count: int, seed: int = 0) -> list[Sample]:
    """Paper, boards and screens of every kind without anything written on them."""
    empty = Digit(-1)
    rng, found = np.random.default_rng(seed), []
    kinds = [kind for name, kind in SINGLES.items() if name not in _NEVER_BLANK]
    for i in range(count):
        found.append(Sample(kinds[i % len(kinds)](rng, empty), ""))
    return found


# Kinds whose things around the digit look like writing, or that are made out of the digit alone.
_NEVER_BLANK = ("tight", "neighbours", "dirty", "phone_screen", "canvas_small", "mnist_like")


# --- the digits and the samples


class Digits:
    """Digits to write: held-back ones of MNIST and, if there is a file of them, twice as many recorded strokes.

    Parameters
    ----------
    strokes
        The file of recorded strokes; None: MNIST alone.
    """

    def __init__(self, strokes: Path | None) -> None:
        mnist = load("mnist")
        _, held = stratified_split(mnist.train_labels, TrainRecipe().validation_share)
        self._images = [
            Digit(int(label), image=image)
            for image, label in zip(mnist.train_images[held], mnist.train_labels[held], strict=True)
        ]
        self._strokes = _read_strokes(strokes) if strokes else []

    def keep(self, wanted: Callable[[Sequence[Digit]], Sequence[bool]]) -> None:
        """Leave out all digits but those that are wanted."""
        self._images, self._strokes = (list(compress(some, wanted(some))) for some in (self._images, self._strokes))

    def draw(self, count: int, rng: np.random.Generator) -> list[Digit]:
        """Some digits at random."""
        found = []
        for from_strokes in rng.random(count) < (0.67 if self._strokes else 0.0):
            some = self._strokes if from_strokes else self._images
            found.append(some[int(rng.integers(len(some)))])
        return found


def _read_strokes(path: Path) -> list[Digit]:
    with gzip.open(path, "rt") as file:
        rows = json.load(file)
    return [Digit(int(r["label"]), tuple(np.array(s, np.float32) for s in r["strokes"])) for r in rows]


def singles(kind: str, digits: Sequence[Digit], seed: int = 0) -> list[Sample]:
    """One picture of this kind for each digit; always the same ones for the same seed."""
    rng = np.random.default_rng([seed, *kind.encode()])
    return [Sample(SINGLES[kind](rng, digit), str(digit.label)) for digit in digits]


def pages(kind: str, digits: Digits, count: int, seed: int = 0) -> list[Sample]:
    """Pictures of this kind with several digits; always the same ones for the same seed."""
    rng = np.random.default_rng([seed, *kind.encode()])
    return [PAGES[kind](rng, digits.draw(220, rng)) for _ in range(count)]


def main() -> None:
    """Write some pictures of every kind into a folder, to look at them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=Path, help="file of recorded pen strokes")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--count", type=int, default=6, help="pictures of each kind")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    digits = Digits(options.strokes)
    chosen = digits.draw(options.count, np.random.default_rng(0))
    made = {kind: singles(kind, chosen) for kind in SINGLES}
    made |= {kind: pages(kind, digits, options.count) for kind in PAGES}
    made[BLANK] = blanks(options.count)
    for kind, samples in made.items():
        for i, sample in enumerate(samples):
            name = f"{kind}-{i}-{sample.text.replace(chr(10), ' ')[:40]}.png"
            cv2.imwrite(str(options.out / name), sample.image)


if __name__ == "__main__":
    main()

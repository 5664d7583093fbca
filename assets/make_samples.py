"""Draw the sample pictures that come with Digit Lab: handwriting of our own, as if photographed.

``python assets/make_samples.py`` reads ``assets/samples/strokes.json``, the pen strokes, and writes the pictures and
``samples.json`` beside it. The same seeds give the same pictures.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float32]
Strokes = list[npt.NDArray[np.float64]]

SAMPLES = Path(__file__).resolve().parent / "samples"
WIDTH, HEIGHT = 1200, 900  # of a sample as it is drawn and, unless it says otherwise, saved


@dataclass(frozen=True)
class Pen:
    """What is written with: width in pixels, colour in RGB (0 to 1), how it covers and how it lays."""

    width: float
    colour: tuple[float, float, float]
    cover: float = 0.95
    grain: float = 0.0  # how much of the ground's grain shows through, as with pencil and chalk
    streak: float = 0.25  # how much the pressure changes along a stroke


BALLPOINT = Pen(7, (0.10, 0.14, 0.42), 0.93)
BLACK_PEN = Pen(9, (0.09, 0.09, 0.11), 0.94)
PENCIL = Pen(7, (0.42, 0.42, 0.43), 0.62, grain=0.75, streak=0.5)
MARKER = Pen(17, (0.08, 0.10, 0.16), 0.97, streak=0.1)
CHALK = Pen(17, (0.93, 0.93, 0.89), 0.95, grain=0.9, streak=0.35)
RED_PEN = Pen(9, (0.80, 0.10, 0.14), 0.9)
YELLOW_PEN = Pen(26, (0.98, 0.90, 0.12), 0.9, streak=0.15)
BRUSH = Pen(34, (0.07, 0.07, 0.09), 0.97, streak=0.2)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], size: float) -> Floats:
    """Make noise with spots of about `size` pixels, mean 0 and deviation 1."""
    small = (max(2, round(shape[0] / size) + 2), max(2, round(shape[1] / size) + 2))
    noise = cv2.resize(rng.normal(0, 1, small).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-6), np.float32)


def written(rng: np.random.Generator, strokes: Strokes, at: tuple[float, float], height: float) -> Strokes:
    """Put a digit on the page as a hand would: a little turned, slanted, stretched and wobbling."""
    points = np.concatenate(strokes)
    middle = (points.min(0) + points.max(0)) / 2
    tall = max(float(np.ptp(points[:, 1])), 0.5)
    turn, slant = rng.normal(0, 0.04), rng.normal(0.06, 0.05)
    form = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, -slant], [0, 1]]
    form *= height / tall * rng.uniform(0.96, 1.04, (1, 2))
    placed = []
    for stroke in strokes:
        steps = np.linspace(0, 1, len(stroke))
        wobble = [np.interp(steps, np.linspace(0, 1, 6), rng.normal(0, 0.006, 6)) for _ in range(2)]
        placed.append((stroke - middle + np.transpose(wobble)) @ form.T + at)
    return placed


def ink(rng: np.random.Generator, strokes: Strokes, pen: Pen, shape: tuple[int, int]) -> Floats:
    """Lay the strokes on an empty sheet: how much of the ground each pixel's ink covers, 0 to 1."""
    covered = np.zeros(shape, np.float32)
    for stroke in strokes:
        length = float(np.hypot(*np.diff(stroke, axis=0).T).sum())
        count = max(12, round(length / 1.5))
        along = np.linspace(0, len(stroke) - 1, count)
        track = np.transpose([np.interp(along, np.arange(len(stroke)), stroke[:, axis]) for axis in (0, 1)])
        bends = np.interp(np.arange(count), np.linspace(0, count, 9), rng.normal(0, 1, 9))
        width = pen.width * (1 + 0.09 * bends)
        width *= np.clip(0.72 + np.minimum(np.arange(count), np.arange(count)[::-1]) / (pen.width * 0.8), 0, 1)
        press = 1 - pen.streak * np.clip(
            0.35 + 0.5 * np.interp(np.arange(count), np.linspace(0, count, 14), rng.normal(0, 1, 14)), 0, 1
        )
        for (x, y), thick, force in zip(track, width, press, strict=True):
            dab(covered, float(x), float(y), float(thick) / 2, float(force))
    grain = 0.6 * smooth_noise(rng, shape, 2.2) + 0.5 * smooth_noise(rng, shape, 5)
    covered *= np.clip(1 - pen.grain * np.clip(0.35 + 0.55 * grain, 0, 1), 0, 1)
    return np.asarray(cv2.GaussianBlur(covered * pen.cover, (0, 0), 0.8), np.float32)


def dab(covered: Floats, x: float, y: float, radius: float, force: float) -> None:
    """Press the pen's round tip on the sheet once."""
    left, right = max(0, int(x - radius - 2)), min(covered.shape[1], int(x + radius + 3))
    top, bottom = max(0, int(y - radius - 2)), min(covered.shape[0], int(y + radius + 3))
    if left >= right or top >= bottom:
        return
    rows, columns = np.ogrid[top:bottom, left:right]
    tip = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1) * force
    np.maximum(covered[top:bottom, left:right], tip.astype(np.float32), out=covered[top:bottom, left:right])


def painted(ground: Floats, covered: Floats, colour: Sequence[float]) -> Floats:
    """Put ink of one colour over a ground, ``(H, W, 3)`` in 0 to 1."""
    return np.asarray(ground + covered[..., None] * (np.array(colour, np.float32) - ground), np.float32)


def plain(rng: np.random.Generator, shape: tuple[int, int], colour: Sequence[float] = (0.93, 0.92, 0.88)) -> Floats:
    """Make a sheet of paper: fibres, clouds in the pulp, a trace of a wave."""
    texture = 0.006 * smooth_noise(rng, shape, 1.5) + 0.006 * smooth_noise(rng, shape, 7)
    texture += 0.008 * smooth_noise(rng, shape, 120) + 0.010 * smooth_noise(rng, shape, 420)
    return np.asarray(np.array(colour, np.float32) * (1 + texture[..., None]), np.float32)


def ruled(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Make a sheet with blue lines and a red margin, printed a little unevenly."""
    sheet = plain(rng, shape)
    lines = np.zeros(shape, np.float32)
    for y in range(70, shape[0], 92):
        cv2.line(lines, (0, y * 8), (shape[1] * 8, y * 8 + 10), 1.0, 2, cv2.LINE_AA, 3)
    lines *= 0.75 + 0.12 * smooth_noise(rng, shape, 30)
    margin = np.zeros(shape, np.float32)
    cv2.line(margin, (170, 0), (174, shape[0]), 1.0, 2, cv2.LINE_AA)
    sheet = painted(sheet, np.clip(lines, 0, 1) * 0.75, (0.50, 0.64, 0.83))
    return painted(sheet, margin * 0.7, (0.88, 0.45, 0.47))


def squared(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Make a sheet with a grid of small squares."""
    sheet = plain(rng, shape, (0.94, 0.94, 0.92))
    lines = np.zeros(shape, np.float32)
    for x in range(20, shape[1], 52):
        cv2.line(lines, (x, 0), (x + 2, shape[0]), 1.0, 1, cv2.LINE_AA)
    for y in range(34, shape[0], 52):
        cv2.line(lines, (0, y), (shape[1], y), 1.0, 1, cv2.LINE_AA)
    lines = cv2.GaussianBlur(lines, (0, 0), 0.7) * (1.0 + 0.15 * smooth_noise(rng, shape, 40))
    return painted(sheet, np.clip(lines, 0, 1), (0.52, 0.60, 0.70))


def whiteboard(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Make a glossy board with what was wiped off still showing and a lamp's reflection."""
    board = plain(rng, shape, (0.86, 0.88, 0.89))
    ghosts = np.clip(smooth_noise(rng, shape, 60) - 0.8, 0, 1) * np.clip(smooth_noise(rng, shape, 9), 0, 1)
    board = painted(board, cv2.GaussianBlur(ghosts, (0, 0), sigmaX=14, sigmaY=3) * 0.12, (0.35, 0.38, 0.48))
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    glare = np.exp(-(((columns - 950) / 190) ** 2) - ((rows - 170 - 0.1 * columns) / 90) ** 2)
    return painted(board, glare * 0.85, (1.06, 1.06, 1.04))


def chalkboard(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Make a dark green board, wiped with a sponge in broad strokes."""
    dust = cv2.GaussianBlur(smooth_noise(rng, shape, 8), (0, 0), sigmaX=150, sigmaY=16)
    dust = dust / dust.std() * 0.4 + 0.7 * smooth_noise(rng, shape, 260)
    board = np.array((0.135, 0.215, 0.185), np.float32) * np.ones((*shape, 1), np.float32)
    board *= 1 + 0.05 * smooth_noise(rng, shape, 1.3)[..., None]
    return painted(board, np.clip(0.07 + 0.05 * dust, 0, 0.3), (0.80, 0.82, 0.79))


def desk(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Make a wooden desk, its grain along the width."""
    grain = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigmaX=90, sigmaY=1.2)
    broad = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigmaX=320, sigmaY=16)
    tone = 1 + 0.05 * grain / grain.std() + 0.10 * broad / broad.std()
    return np.asarray(np.array((0.44, 0.30, 0.19), np.float32) * tone[..., None], np.float32)


def laid_on(under: Floats, sheet: Floats, corners: Sequence[tuple[float, float]]) -> Floats:
    """See a sheet lying on something in perspective, with the soft shadow of its edge.

    `corners` are where the sheet's corners come to lie, clockwise from the top left.
    """
    height, width = sheet.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    view = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    size = under.shape[1::-1]
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), view, size, flags=cv2.INTER_AREA)
    shadow = cv2.GaussianBlur(np.roll(mask, (9, 7), (0, 1)), (0, 0), 9)[..., None]
    seen = cv2.warpPerspective(sheet, view, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
    return np.asarray(under * (1 - 0.55 * shadow) * (1 - mask) + seen * mask, np.float32)


def light(
    shape: tuple[int, int],
    lamp: tuple[float, float],
    fall: float,
    colours: tuple[Sequence[float], Sequence[float]] = ((1.03, 1.0, 0.95), (0.90, 0.97, 1.06)),
) -> Floats:
    """Light a scene from one side: bright and warm near the lamp (in widths and heights), dim and cool far."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    far = np.hypot(columns / shape[1] - lamp[0], (rows / shape[0] - lamp[1]) * shape[0] / shape[1])
    near = np.exp(-((far / 0.9) ** 2))[..., None]
    bright = 1 - fall * (1 - near)
    return np.asarray(bright * (near * np.array(colours[0]) + (1 - near) * np.array(colours[1])), np.float32)


def phone_shadow(shape: tuple[int, int]) -> Floats:
    """Cast the shadow of a phone and of the hand that holds it, from the lower right; edges soft."""
    mask = np.zeros(shape, np.float32)
    phone = cv2.boxPoints(((840, 655), (830, 470), 24))
    cv2.fillPoly(mask, [phone.astype(np.int32)], 1.0)
    cv2.polylines(mask, [phone.astype(np.int32)], True, 1.0, 60, cv2.LINE_AA)  # rounds the corners
    for start, end in [((420, 650), (352, 610)), ((390, 735), (318, 698)), ((370, 820), (300, 788))]:
        cv2.line(mask, start, end, 1.0, 74, cv2.LINE_AA)  # finger tips around its edge
    core, edge = cv2.GaussianBlur(mask, (0, 0), 16), cv2.GaussianBlur(mask, (0, 0), 46)
    dark = (0.6 * core + 0.4 * edge)[..., None]
    return np.asarray(1 - dark * np.array((0.50, 0.475, 0.43), np.float32), np.float32)


def photographed(
    rng: np.random.Generator, scene: Floats, blur: float = 0.9, noise: float = 0.012
) -> npt.NDArray[np.uint8]:
    """Take the picture: lens, sensor noise (more in the dark, finer in grey than in colour), eight bits."""
    height, width = scene.shape[:2]
    scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), blur), np.float32)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    scene *= (1 - 0.09 * (rows**2 + columns**2))[..., None]
    grains = rng.normal(0, 1, (height, width, 1)).astype(np.float32)
    tints = cv2.resize(rng.normal(0, 1, (height // 2, width // 2, 3)).astype(np.float32), (width, height))
    scene += noise * (1.15 - 0.5 * scene) * (0.8 * grains + 0.7 * tints)
    return np.asarray(np.clip(scene * 255 + 0.5, 0, 255), np.uint8)


@dataclass
class Desk:
    """What every sample is made with: its own random numbers, the strokes, a sheet to write on."""

    strokes: dict[str, Strokes]
    rng: np.random.Generator
    shape: tuple[int, int] = (HEIGHT, WIDTH)
    hand: Strokes = field(default_factory=list)

    def write(self, name: str, x: float, y: float, height: float) -> None:
        """Write one digit, named as in ``strokes.json``, with its middle at `x`, `y`."""
        self.hand += written(self.rng, self.strokes[name], (x, y), height)

    def on(self, ground: Floats, pen: Pen) -> Floats:
        """Lay what was written on a ground."""
        return painted(ground, ink(self.rng, self.hand, pen, self.shape), pen.colour)


def _shadow(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("7 with a bar", 560, 430, 330)
    sheet = d.on(plain(d.rng, d.shape), BLACK_PEN)
    scene = laid_on(desk(d.rng, d.shape), sheet, [(70, 40), (1170, -60), (1260, 960), (-60, 930)])
    return photographed(d.rng, scene * light(d.shape, (0.1, 0.0), 0.35) * phone_shadow(d.shape))


def _ruled_paper(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("3", 620, 432, 250)
    scene = d.on(ruled(d.rng, d.shape), BALLPOINT)
    scene = laid_on(desk(d.rng, d.shape), scene, [(-60, -50), (1230, -20), (1300, 960), (-40, 1000)])
    return photographed(d.rng, scene * light(d.shape, (0.9, 0.1), 0.3))


def _squared_paper(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("5", 590, 450, 300)
    scene = d.on(squared(d.rng, d.shape), BALLPOINT)
    scene = laid_on(desk(d.rng, d.shape), scene, [(-30, -90), (1290, -30), (1220, 960), (-90, 930)])
    return photographed(d.rng, scene * light(d.shape, (0.2, 0.8), 0.4))


def _board(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("2 with a loop", 520, 480, 430)
    scene = d.on(whiteboard(d.rng, d.shape), MARKER)
    return photographed(d.rng, scene * light(d.shape, (0.7, 0.1), 0.25), noise=0.014)


def _chalk(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("4, open", 590, 450, 440)
    scene = d.on(chalkboard(d.rng, d.shape), CHALK)
    return photographed(d.rng, scene * light(d.shape, (0.3, 0.2), 0.35), noise=0.016)


def _tilted(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("9 with a curved leg", 600, 450, 380)
    sheet = d.on(plain(d.rng, d.shape, (0.92, 0.92, 0.90)), BLACK_PEN)
    wood = desk(d.rng, (1200, 900))
    scene = laid_on(wood, sheet, [(120, 330), (860, 200), (900, 850), (-10, 980)])
    return photographed(d.rng, scene * light((1200, 900), (0.2, 0.2), 0.4), blur=1.1)


def _tiny(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("6", 600, 450, 410)
    scene = d.on(plain(d.rng, d.shape), Pen(52, (0.1, 0.1, 0.12)))
    photo = photographed(d.rng, scene * light(d.shape, (0.2, 0.2), 0.15))
    return np.asarray(cv2.resize(photo[50:850, 200:1000], (20, 20), interpolation=cv2.INTER_AREA), np.uint8)


def _huge(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("8", 640, 440, 300)
    scene = d.on(plain(d.rng, d.shape), BLACK_PEN)
    scene = laid_on(desk(d.rng, d.shape), scene, [(60, 50), (1150, 20), (1190, 870), (20, 850)])
    scene = scene * light(d.shape, (0.8, 0.0), 0.35)
    large = np.asarray(cv2.resize(scene, (4000, 3000), interpolation=cv2.INTER_CUBIC), np.float32)
    return photographed(d.rng, large, blur=1.5, noise=0.004)


def _two_lines(d: Desk) -> npt.NDArray[np.uint8]:
    for row, names in enumerate(
        [("3", "1 with a flag", "4, closed", "1", "5"), ("9", "2", "6", "5 in one stroke", "0")]
    ):
        for column, name in enumerate(names):
            drift = d.rng.normal(0, 7, 2)
            d.write(name, 225 + 185 * column + drift[0], 285 + 300 * row - 9 * column + drift[1], 165)
    scene = d.on(plain(d.rng, d.shape), BALLPOINT)
    scene = laid_on(desk(d.rng, d.shape), scene, [(40, 30), (1180, -30), (1230, 920), (-40, 880)])
    return photographed(d.rng, scene * light(d.shape, (0.0, 0.2), 0.4))


def _pencil(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("0", 590, 450, 320)
    scene = d.on(plain(d.rng, d.shape, (0.90, 0.90, 0.88)), PENCIL)
    return photographed(d.rng, scene * light(d.shape, (1.0, 0.9), 0.45), noise=0.016)


def _red_pen(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("1 with a flag", 470, 440, 260)
    d.write("0, narrow and leaning", 670, 440, 250)
    scene = d.on(plain(d.rng, d.shape), RED_PEN)
    scene = laid_on(desk(d.rng, d.shape), scene, [(-40, 60), (1150, -40), (1250, 900), (30, 960)])
    return photographed(d.rng, scene * light(d.shape, (0.5, 0.0), 0.3))


def _yellow_pen(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("2", 600, 450, 400)
    scene = d.on(plain(d.rng, d.shape, (0.92, 0.92, 0.91)), YELLOW_PEN)
    return photographed(d.rng, scene * light(d.shape, (0.2, 0.1), 0.25, ((1, 1, 1), (0.98, 1, 1.02))))


def _letter(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("K", 590, 450, 340)
    scene = d.on(plain(d.rng, d.shape), BRUSH)
    scene = laid_on(desk(d.rng, d.shape), scene, [(60, -30), (1230, 30), (1180, 940), (-20, 900)])
    return photographed(d.rng, scene * light(d.shape, (0.1, 0.9), 0.3))


def _doodle(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("face", 600, 450, 430)
    scene = d.on(squared(d.rng, d.shape), BALLPOINT)
    return photographed(d.rng, scene * light(d.shape, (0.8, 0.2), 0.35))


def _note(d: Desk) -> npt.NDArray[np.uint8]:
    d.write("5 in one stroke", 600, 440, 330)
    angles = np.linspace(-1.9, 4.5, 150)  # a circle in one go, not quite closed
    d.hand.append(np.stack([600 + 330 * np.cos(angles), 445 + (305 + 6 * angles) * np.sin(angles)], 1))
    sheet = d.on(plain(d.rng, d.shape, (0.93, 0.86, 0.42)), MARKER)[60:840, 210:990]
    scene = laid_on(desk(d.rng, d.shape), sheet, [(420, 230), (810, 270), (770, 660), (385, 610)])
    return photographed(d.rng, scene * light(d.shape, (0.1, 0.9), 0.35))


def _form(d: Desk) -> npt.NDArray[np.uint8]:
    for column, name in enumerate(("1 with a flag", "9", "8", "4, closed", "7 with a bar")):
        d.write(name, 262 + 170 * column + d.rng.normal(0, 9), 455 + d.rng.normal(0, 9), 150)
    paper = plain(d.rng, d.shape)
    boxes = np.zeros(d.shape, np.float32)
    for column in range(5):
        corner = (180 + 170 * column, 375)
        cv2.rectangle(boxes, corner, (corner[0] + 160, 535), 1.0, 3, cv2.LINE_AA)
    scene = d.on(painted(paper, 0.8 * boxes, (0.25, 0.42, 0.45)), BALLPOINT)
    scene = laid_on(desk(d.rng, d.shape), scene, [(-40, -60), (1210, 20), (1240, 930), (-70, 980)])
    return photographed(d.rng, scene * light(d.shape, (0.8, 0.1), 0.35))


@dataclass(frozen=True)
class Sample:
    """One line of ``samples.json``, and how to draw and save it."""

    file: str
    title: str
    text: str
    kind: str
    why: str
    draw: Callable[[Desk], npt.NDArray[np.uint8]]
    quality: int = 82
    orientation: int = 1  # what EXIF says; the picture is saved turned the other way


CATALOGUE = (
    Sample(
        "shadow.jpg", "Under a shadow", "7", "single",
        "Half of the digit lies in the shadow of the phone, and the shadow's edge runs through it.", _shadow,
    ),
    Sample(
        "ruled.jpg", "Ruled paper", "3", "single",
        "The printed lines run through the digit and are nearly as dark as the pen.", _ruled_paper,
    ),
    Sample(
        "squared.jpg", "Squared paper", "5", "single",
        "A grid crosses the digit everywhere, and its top bar is a stroke of its own.", _squared_paper,
    ),
    Sample(
        "whiteboard.jpg", "Whiteboard", "2", "single",
        "A lamp is reflected in the board, and what was wiped off still shows.", _board,
    ),
    Sample(
        "chalkboard.jpg", "Chalk on a board", "4", "single",
        "The ink is lighter than the ground and broken by the grain of the board, and the 4 is open.", _chalk,
    ),
    Sample(
        "phone.jpg", "Phone held sideways", "9", "single",
        "The camera stored the picture lying on its side and only noted how it was held.", _tilted,
        orientation=6,
    ),
    Sample(
        "tiny.png", "Twelve pixels high", "6", "single",
        "There are fewer pixels than the network expects.", _tiny,
    ),
    Sample(
        "huge.jpg", "Twelve megapixels", "8", "single",
        "The picture has fifteen thousand times as many pixels as the network looks at.", _huge, quality=70,
    ),
    Sample(
        "two-lines.jpg", "Ten digits on two lines", "31415\n92650", "page",
        "Each digit has to be found, and the lines climb and drift as handwriting does.", _two_lines,
    ),
    Sample(
        "pencil.jpg", "Faint pencil", "0", "single",
        "The pencil is hardly darker than the dim corners of the paper.", _pencil,
    ),
    Sample(
        "red-pen.jpg", "Red pen", "10", "page",
        "Two digits stand close together, in a colour that looks paler in grey.", _red_pen,
    ),
    Sample(
        "yellow-pen.jpg", "Yellow marker", "2", "single",
        "Yellow is nearly as bright as white paper: it all but vanishes in grey.", _yellow_pen,
    ),
    Sample(
        "note.jpg", "Circled on a note", "5", "single",
        "There is more desk than note, and around the digit somebody has drawn a circle.", _note,
    ),
    Sample(
        "form.jpg", "Boxes of a form", "19847", "page",
        "Every digit stands in a printed box, and some reach over its lines.", _form,
    ),
    Sample(
        "letter.jpg", "A letter", "", "none",
        "It is a K: an honest program says that this is no digit.", _letter,
    ),
    Sample(
        "doodle.jpg", "A doodle", "", "none",
        "It is a face: there is ink, but nothing to read.", _doodle,
    ),
)  # fmt: skip


def saved(sample: Sample, picture: npt.NDArray[np.uint8]) -> bytes:
    """Encode a picture as its file name says, with EXIF if it lies on its side."""
    file = BytesIO()
    image = Image.fromarray(picture)
    if sample.file.endswith(".png"):
        image.save(file, "PNG")
    else:
        exif = Image.Exif()
        if sample.orientation == 6:  # to be turned clockwise, so stored turned the other way
            image = image.transpose(Image.Transpose.ROTATE_90)
            exif[0x0112] = sample.orientation
        image.save(file, "JPEG", quality=sample.quality, optimize=True, exif=exif)
    return file.getvalue()


def draw(sample: Sample) -> bytes:
    """Draw one sample from its own seed and encode it."""
    table = json.loads((SAMPLES / "strokes.json").read_text())
    strokes = {
        entry["name"]: [np.array(stroke) for stroke in entry["strokes"]]
        for entry in (*table["digits"], *table["others"])
    }
    rng = np.random.default_rng(list(sample.file.encode()))
    return saved(sample, sample.draw(Desk(strokes, rng)))


def main() -> None:
    """Write all samples and their list."""
    for sample in CATALOGUE:
        (SAMPLES / sample.file).write_bytes(draw(sample))
    keys = ("file", "title", "text", "kind", "why")
    listed = [{key: getattr(sample, key) for key in keys} for sample in CATALOGUE]
    (SAMPLES / "samples.json").write_text(json.dumps(listed, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""A picture of handwriting in the making: digits, ground, pen, light, and what a camera adds."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Rgb = tuple[float, float, float]

PAPER: Rgb = (0.88, 0.87, 0.84)
BLACK, BLUE, PENCIL, WHITE = (0.08, 0.08, 0.09), (0.13, 0.16, 0.55), (0.42, 0.42, 0.43), (0.95, 0.95, 0.93)
COLOURS: tuple[Rgb, ...] = ((0.75, 0.1, 0.12), (0.1, 0.5, 0.2), (0.15, 0.4, 0.85), (0.85, 0.35, 0.1), (0.5, 0.15, 0.6))


@dataclass(frozen=True, eq=False)
class Digit:
    """One handwritten digit: recorded strokes, or one of MNIST's images, or neither: nothing is written."""

    label: int
    strokes: tuple[Float32, ...] = ()
    image: UInt8 | None = None

    def coverage(self, side: int, pen: float) -> Float32:
        """The digit's ink in [0, 1], its longer side `side` pixels; strokes are drawn with a pen of `pen` pixels."""
        if self.image is not None:
            return self._enlarged(side)
        return self._drawn(side, pen) if self.strokes else np.zeros((side, side), np.float32)

    def _drawn(self, side: int, pen: float) -> Float32:
        fine = 4 if side < 300 else 2
        margin = int(pen) + 2
        extent = np.concatenate(self.strokes).max(0) * max(side - pen, 1) + 2 * margin
        layer = np.zeros((int(extent[1] * fine) + 1, int(extent[0] * fine) + 1), np.uint8)
        for stroke in self.strokes:
            points = np.rint((stroke * max(side - pen, 1) + margin) * fine * 16).astype(np.int32)
            cv2.polylines(layer, [points], False, 255, max(1, round(pen * fine)), cv2.LINE_AA, 4)
        return _reduced(layer, fine)

    def _enlarged(self, side: int) -> Float32:
        assert self.image is not None
        x, y, width, height = cv2.boundingRect(self.image)
        cut = cv2.copyMakeBorder(self.image[y : y + height, x : x + width], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        scale = side / 20
        size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
        if scale <= 1.5:
            return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.float32) / 255
        large = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC), np.float32) / 255
        sharpness = min(scale, 6.0) / 1.5  # pixels of MNIST become edges, not a blur
        return np.clip((large - 0.45) * sharpness + 0.5, 0, 1).astype(np.float32)


def _reduced(layer: UInt8, factor: int) -> Float32:
    size = max(1, layer.shape[1] // factor), max(1, layer.shape[0] // factor)
    return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA), np.float32) / 255


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture and what is written on it, in reading order, a newline between lines; empty where there is nothing."""

    image: UInt8
    text: str


class Draft:
    """A picture in the making: how much light each point reflects, what falls on it, and what the camera adds."""

    def __init__(self, rng: np.random.Generator, width: int, height: int, ground: Rgb) -> None:
        self.rng = rng
        self.scene: Float32 = np.broadcast_to(np.float32(ground), (height, width, 3)).copy()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.scene.shape[1], self.scene.shape[0]

    def between(self, low: float, high: float) -> float:
        """A random number."""
        return float(self.rng.uniform(low, high))

    def smooth(self, nodes: int, low: float, high: float) -> Float32:
        """A smooth random field of the picture's size."""
        coarse = self.rng.uniform(low, high, (nodes, nodes)).astype(np.float32)
        return np.asarray(cv2.resize(coarse, self.size, interpolation=cv2.INTER_CUBIC), np.float32)

    def blend(self, coverage: Float32, colour: Rgb) -> None:
        """Cover the scene with a colour, as far as `coverage` in [0, 1] says."""
        self.scene += (np.float32(colour) - self.scene) * coverage[..., None]

    # --- the ground

    def texture(self, strength: float) -> None:
        """Fibres of paper or dust of a board."""
        width, height = self.size
        grain = self.rng.normal(0, strength, (height, width)).astype(np.float32)
        self.scene += (cv2.GaussianBlur(grain, (0, 0), 1.2) * 2 + self.smooth(24, -strength, strength))[..., None]

    def rule(self, squared: bool, colour: Rgb, strength: float) -> None:
        """Printed lines, or squares."""
        width, height = self.size
        gap, pen = self.between(0.05, 0.13) * min(self.size), max(1, round(min(self.size) / 350))
        lines = np.zeros((height, width), np.float32)
        for y in np.arange(self.between(0, gap), height, gap):
            lines[int(y) : int(y) + pen] = strength
        for x in np.arange(self.between(0, gap), width, gap) if squared else ():
            lines[:, int(x) : int(x) + pen] = strength
        self.blend(lines, colour)

    def holes(self) -> None:
        """Punched holes along the left side."""
        width, height = self.size
        layer = np.zeros((height, width), np.uint8)
        for y in (0.3, 0.7):
            cv2.circle(layer, (round(0.07 * width), round(y * height)), round(0.03 * min(self.size)), 255, -1)
        self.blend(layer.astype(np.float32) / 255, (0.12, 0.1, 0.1))

    def specks(self, count: int, colour: Rgb, share: float = 0.008) -> None:
        """Dirt: dots of at most this share of the picture's side."""
        width, height = self.size
        layer = np.zeros((height, width), np.uint8)
        for _ in range(count):
            at = int(self.rng.integers(width)), int(self.rng.integers(height))
            cv2.circle(layer, at, max(1, round(self.between(0.2, 1) * share * min(self.size))), 255, -1, cv2.LINE_AA)
        self.blend(layer.astype(np.float32) / 255, colour)

    # --- the pen

    def write(self, digit: Digit, x: int, y: int, side: int, pen: float, ink: Rgb, wear: float = 0.0) -> None:
        """Write a digit, its upper left corner at x, y. With `wear` the pen presses unevenly and breaks off."""
        coverage = digit.coverage(side, pen)
        if wear:
            grain = cv2.resize(self.rng.random((24, 24), dtype=np.float32), coverage.shape[::-1])
            coverage = coverage * np.clip(1.25 - wear * 2 * grain, 0, 1)
        self.put(coverage, x, y, ink)

    def put(self, coverage: Float32, x: int, y: int, ink: Rgb) -> None:
        """Put ink on the scene as far as `coverage` in [0, 1] says, its upper left corner at x, y."""
        top, left = max(0, y), max(0, x)
        window = self.scene[top : y + coverage.shape[0], left : x + coverage.shape[1]]
        seen = coverage[top - y : top - y + window.shape[0], left - x : left - x + window.shape[1]]
        window += (np.float32(ink) - window) * seen[..., None]

    def write_one(
        self, digit: Digit, share: tuple[float, float], pen: tuple[float, float], ink: Rgb, **how: float
    ) -> None:
        """Write one digit somewhere near the middle, sized and thick as shares of the picture and of the digit."""
        shorter = min(self.size)
        side = max(8, round(self.between(*share) * shorter))
        thick = max(1.0, self.between(*pen) * side)
        height, width = digit.coverage(side, thick).shape
        free = np.array([self.size[0] - width, self.size[1] - height])
        x, y = np.rint(free * self.rng.uniform(0.25, 0.75, 2)).astype(int)
        self.write(digit, int(x), int(y), side, thick, ink, **how)

    def outline(self, points: npt.NDArray[np.float64], pen: float, ink: Rgb) -> None:
        """Draw a line through points ``(n, 2)``, x and y as shares of width and height."""
        layer = np.zeros(self.size[::-1], np.uint8)
        fixed = np.rint(points * self.size * 16).astype(np.int32)
        cv2.polylines(layer, [fixed], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
        self.blend(layer.astype(np.float32) / 255, ink)

    # --- light and things in the way

    def fall_off(self, least: float) -> None:
        """Light from one side: down to `least` of it on the other."""
        width, height = self.size
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        angle = self.between(0, 2 * np.pi)
        along = np.cos(angle) * x / width + np.sin(angle) * y / height
        along = (along - along.min()) / (np.ptp(along) + 1e-6)
        self.scene *= (1 - (1 - least) * along ** self.between(0.7, 1.6))[..., None]

    def vignette(self, least: float) -> None:
        """Corners that get less light."""
        width, height = self.size
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
        self.scene *= (1 - (1 - least) * np.clip((x * x + y * y) / 2, 0, 1))[..., None]

    def shadow(self, depth: float, softness: float) -> None:
        """A hand's shadow from one side; softness as a share of the picture."""
        width, height = self.size
        layer = np.zeros((height, width), np.float32)
        around = self.rng.uniform(0, 2 * np.pi)
        centre = np.array([0.5 + 0.62 * np.cos(around), 0.5 + 0.62 * np.sin(around)])
        reach = self.between(0.25, 0.55) * (1 + 0.25 * self.rng.standard_normal(9))
        angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)
        points = (centre + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)) * [width, height]
        cv2.fillPoly(layer, [points.astype(np.int32)], 1.0)
        blur = max(0.5, softness * min(self.size))
        self.scene *= (1 - depth * cv2.GaussianBlur(layer, (0, 0), blur))[..., None]

    def finger(self) -> None:
        """A finger that reaches in from the rim."""
        width, height = self.size
        layer = np.zeros((height, width), np.uint8)
        x, thick = round(self.between(0, 1) * width), round(self.between(0.1, 0.16) * min(self.size))
        tip = round(x + self.between(-0.1, 0.1) * width), round(height * self.between(0.86, 0.93))
        cv2.line(layer, (x, height + thick), tip, 255, thick, cv2.LINE_AA)
        self.blend(cv2.GaussianBlur(layer, (5, 5), 0).astype(np.float32) / 255, (0.72, 0.5, 0.4))

    def page_edge(self, table: Rgb) -> None:
        """The page ends inside the picture, at one or two of its sides, not quite straight."""
        width, height = self.size
        layer = np.ones((height, width), np.uint8)
        for _ in range(int(self.rng.integers(1, 3))):
            depth, tilt = self.between(0.04, 0.13), self.between(-0.06, 0.06)
            edge = np.array([[-0.1, depth - tilt], [1.1, depth + tilt], [1.1, -0.5], [-0.1, -0.5]])
            turn = int(self.rng.integers(4))
            if turn % 2:
                edge = edge[:, ::-1]
            if turn >= 2:
                edge = 1 - edge
            cv2.fillPoly(layer, [np.rint(edge * [width, height]).astype(np.int32)], 0)
        self.blend(1 - layer.astype(np.float32), table)

    def frame(self, colour: Rgb, share: float) -> None:
        """A border all round, as scanners and scanning apps leave it."""
        inside = np.zeros(self.size[::-1], np.float32)
        edge = max(1, round(share * min(self.size)))
        inside[edge:-edge, edge:-edge] = 1
        self.blend(1 - inside, colour)

    def lay_on_table(self, colour: Rgb, share: float, turn: float) -> None:
        """Make the scene a sheet that lies on a table, seen whole: so wide as this share of the picture.

        `turn` is in radians. The table has a grain, and the sheet throws a narrow shadow on it.
        """
        sheet, (width, height) = self.scene, self.size
        wide, high = round(width / share), round(height / share)
        streaks = cv2.resize(self.rng.normal(0, 0.05, (90, 3)).astype(np.float32), (wide, high))
        self.scene = np.float32(colour) * (1 + streaks[..., None] + self.rng.normal(0, 0.02, (high, wide, 1)))
        cos, sin = np.cos(turn), np.sin(turn)
        free = np.array([wide - width, high - height])
        centre = np.array([width, height]) / 2 + free * self.rng.uniform(0.25, 0.75, 2)
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
        seen = corners @ np.array([[cos, sin], [-sin, cos]]) * self.rng.uniform(0.93, 1.0, (4, 1)) + centre
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]])
        matrix = cv2.getPerspectiveTransform(np.float32(flat), np.float32(seen))
        where = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, (wide, high), flags=cv2.INTER_LINEAR)
        shade = cv2.GaussianBlur(np.roll(where, (high // 90, wide // 120), (0, 1)), (0, 0), max(1.0, high / 120))
        self.scene *= 1 - 0.4 * shade[..., None]
        paper = cv2.warpPerspective(sheet, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
        self.scene = np.float32(self.scene + (paper - self.scene) * where[..., None])

    # --- the camera

    def tilt(self, strength: float) -> None:
        """Perspective and a slight turn; what lies beside the picture repeats its rim."""
        width, height = self.size
        corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
        moved = corners + self.rng.uniform(-strength, strength, (4, 2)).astype(np.float32) * min(self.size)
        matrix = cv2.getPerspectiveTransform(corners, np.asarray(moved, np.float32))
        self.scene = np.asarray(
            cv2.warpPerspective(self.scene, matrix, self.size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )

    def taken(self, exposure: float = 1.0, blur: float = 0.0, noise: float = 0.0, jpeg: int = 0) -> UInt8:
        """The picture in grey: blurred (pixels), with noise (of 255, more where it is bright), JPEG of a quality."""
        seen = self.scene * 255 * exposure
        if blur:
            seen = cv2.GaussianBlur(seen, (0, 0), blur)
        if noise:
            grain = self.rng.standard_normal(seen.shape, dtype=np.float32) * noise
            seen = seen + grain * np.sqrt(0.3 + 0.7 * np.clip(seen, 0, 255) / 255)
        picture = np.clip(seen + 0.5, 0, 255).astype(np.uint8)
        if jpeg:
            picture = cv2.imdecode(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg])[1], 1)[
                ..., ::-1
            ]
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), np.uint8)

    def photographed(self, dim: float = 1.0) -> UInt8:
        """Taken by a phone that is held by hand."""
        blur = self.between(0.3, 1.2) * max(1.0, min(self.size) / 600)
        return self.taken(dim * self.between(0.85, 1.05), blur, self.between(1, 5), int(self.rng.integers(60, 93)))

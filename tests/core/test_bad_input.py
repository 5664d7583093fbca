"""Pictures that hold no digit or were made to do harm: an answer or a sentence, within bounds, and nothing else."""

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_core import images
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import prepare
from mnist_core.segment import prepare_page

UInt8 = npt.NDArray[np.uint8]
ROOT = Path(__file__).resolve().parents[2]
# What one picture may take on top of the program itself.
MEMORY = 512 * 2**20


def encoded(image: UInt8 | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


def _noise(height: int, width: int, seed: int = 0) -> UInt8:
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def scenery() -> UInt8:
    """A photo without anything written: soft blobs, light that falls off, grain."""
    blobs = cv2.resize(_noise(9, 12), (1600, 1200), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.clip(blobs * np.linspace(0.4, 1, 1600) + _noise(1200, 1600, 1) / 16, 0, 255).astype(np.uint8)


def text() -> UInt8:
    """A printed page, larger than the working picture."""
    page = np.full((3000, 2200), 240, np.uint8)
    for row in range(60):
        words = " ".join(["the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs"][row % 5 :]) * 2
        cv2.putText(page, words, (80, 60 + 48 * row), cv2.FONT_HERSHEY_COMPLEX, 1.1, 20, 2, cv2.LINE_AA)
    return page


def barcode() -> UInt8:
    bars = np.repeat(np.random.default_rng(2).integers(0, 2, 120) * 255, 6).astype(np.uint8)
    return np.pad(np.tile(bars, (400, 1)), 60, constant_values=255)


def framed(inside: int) -> UInt8:
    frame = np.zeros((600, 800), np.uint8)
    frame[60:-60, 60:-60] = inside
    return frame


def chequered(side: int) -> UInt8:
    """More connected parts than anything else could have."""
    return np.tile(np.array([[0, 255], [255, 255]], np.uint8), (side // 2, side // 2))


def combs() -> UInt8:
    """Long strokes that touch the rim, side by side."""
    return np.tile(np.array([0, 0, 0, 255, 255, 255], np.uint8), (2048, 341))


def deep(mode: str) -> bytes:
    """Sixteen bits: grey through Pillow, colours through OpenCV, which Pillow cannot write."""
    ramp = (np.add.outer(np.arange(300), np.arange(400)) * 90).astype(np.uint16)
    if mode == "grey":
        return encoded(Image.fromarray(ramp))
    return bytes(cv2.imencode(".png", np.dstack([ramp, ramp, ramp] + ([ramp] if mode == "alpha" else [])))[1])


def palette(transparency: int | bytes) -> bytes:
    return encoded(Image.fromarray(_noise(60, 80)).quantize(16), "PNG", transparency=transparency)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(scenery()[:300, :400], "JPEG", exif=exif)


def _flat(mode: str, width: int, height: int, kind: str, **options: object) -> bytes:
    return encoded(Image.new(mode, (width, height), "white"), kind, **options)


# Each makes a file that can be decoded; whether there is a digit in it is another matter.
GOOD: dict[str, Callable[[], bytes]] = {
    "scenery": lambda: encoded(scenery(), "JPEG"),
    "text": lambda: encoded(text()),
    "barcode": lambda: encoded(barcode()),
    "black frame": lambda: encoded(framed(230)),
    "all black": lambda: encoded(framed(0)),
    "1x1": lambda: encoded(np.zeros((1, 1), np.uint8)),
    "1x10000": lambda: encoded(_noise(10000, 1)),
    "10000x1": lambda: encoded(_noise(1, 10000)),
    "3x16000": lambda: encoded(_noise(16000, 3)),
    "noise": lambda: encoded(_noise(2048, 2048)),
    "chequered": lambda: encoded(chequered(2048)),
    "combs": lambda: encoded(combs()),
    "grey of 16 bits": lambda: deep("grey"),
    "colours of 16 bits": lambda: deep("colour"),
    "colours of 16 bits, transparent": lambda: deep("alpha"),
    "palette, one transparent": lambda: palette(3),
    "palette, all transparent": lambda: palette(bytes(16)),
    "progressive": lambda: encoded(scenery(), "JPEG", progressive=True),
    **{f"EXIF {n}": lambda n=n: turned(n) for n in range(10)},
    "50 megapixels, PNG": lambda: _flat("RGB", 10_000, 5_000, "PNG"),
    "50 megapixels, transparent": lambda: _flat("RGBA", 5_000, 10_000, "PNG"),
    "50 megapixels, CMYK": lambda: _flat("CMYK", 10_000, 5_000, "JPEG"),
    "50 megapixels, progressive": lambda: _flat("RGB", 10_000, 5_000, "JPEG", progressive=True),
    "50 megapixels, WebP": lambda: _flat("RGB", 5_000, 10_000, "WEBP"),
    "50 megapixels, GIF": lambda: _flat("P", 10_000, 5_000, "GIF"),
    "a line of 50 million": lambda: _flat("L", 50_000_000, 1, "PNG"),
}  # fmt: skip
WITHOUT_DIGIT = ("all black", "1x1", "1x10000", "10000x1", "3x16000", "50 megapixels, PNG", "a line of 50 million")


def taken_apart(data: bytes) -> bool:
    """Decode a file and look for one digit and for many; returns whether the one was found."""
    grey = images.decode(data, "it").grey
    one, page = prepare(grey), prepare_page(grey)
    for prepared in (one, *(p for line in page.lines for p in line)):
        assert (prepared.digit is None) == (prepared.box is None) == bool(prepared.problem)
        assert prepared.digit is None or np.isfinite(prepared.digit).all()
    return one.digit is not None


@pytest.mark.parametrize("name", [name for name in GOOD if "5" not in name and "16000" not in name])
def test_a_picture_without_a_digit_is_taken_apart_all_the_same(name: str) -> None:
    assert not (taken_apart(GOOD[name]()) and name in WITHOUT_DIGIT)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_photo_is_refused_in_a_sentence(share: float, progressive: bool) -> None:
    data = encoded(scenery(), "JPEG", progressive=progressive)
    with pytest.raises(DigitLabError, match=r"^it is damaged or incomplete"):
        taken_apart(data[: round(share * len(data))])


MEASURE = """
import sys
from pathlib import Path
from mnist_core import images
from mnist_core.preprocess import prepare
from mnist_core.segment import prepare_page

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

for path in sorted(Path(sys.argv[1]).iterdir()):  # the first one is small: what is set up once is not counted
    grey = images.load(path).grey
    prepare(grey)
    prepare_page(grey)
    print(path.name, peak(), flush=True)
"""


def test_no_picture_takes_more_memory_than_it_may(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(GOOD["EXIF 1"]())
    for name, make in GOOD.items():
        (tmp_path / f"1 {name}").write_bytes(make())
    call = [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    peaks = [int(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()]
    assert len(peaks) == len(GOOD) + 1
    assert peaks[-1] - peaks[0] < MEMORY


SAMPLES = ROOT / "assets" / "samples"
FUZZED = [(SAMPLES / name).read_bytes() for name in ("tiny.png", "shadow.jpg", "phone.jpg")]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(FUZZED))
def test_real_files_with_wrong_bytes_give_a_picture_or_a_sentence(data: st.DataObject, file: bytes) -> None:
    harmed = bytearray(file)
    for place in data.draw(st.lists(st.integers(0, len(file) - 1), min_size=1, max_size=6)):
        harmed[place] = data.draw(st.integers(0, 255))
    try:
        taken_apart(bytes(harmed))
    except DigitLabError as error:
        assert str(error).startswith("it ") and str(error).endswith(".")


def test_a_texture_is_not_looked_at_piece_by_piece() -> None:
    """Its parts wind round each other, so that any of them might belong to any other."""
    noise = np.random.default_rng(0).normal(0, 1, (900, 900)).astype(np.float32)
    texture = np.where(cv2.GaussianBlur(noise, (0, 0), 3) > 0, 255, 0).astype(np.uint8)
    asked: list[int] = []

    def judge(digits: np.ndarray) -> np.ndarray:
        asked.append(len(digits))
        return np.full(len(digits), 0.12)

    prepare_page(texture, judge=judge)
    assert 0 < sum(asked) < 300

"""Pictures from anyone: untrusted bytes become an upright grey picture, or one plain sentence.

Everything is bounded before memory is taken. The format comes from the content and the size from the header;
only then does a decoder see the data: one decoder, without the metadata that it does not need. No global
setting of Pillow or OpenCV is touched, so that many sessions can decode at once.
"""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mnist_core.errors import DigitLabError

UInt8 = npt.NDArray[np.uint8]

MAX_BYTES: Final = 10 * 2**20
"""Of one picture file."""
MAX_PIXELS: Final = 50_000_000
"""Of one picture, width times height: the largest phone cameras, at about 200 MB while decoding."""
WORKING_SIDE: Final = 2048
"""Longest side of the working picture: a digit that fills a hundredth of the width still has 20 pixels."""
CANVAS_MAX_BYTES: Final = 2 * 2**20
CANVAS_MAX_SIDE: Final = 2000

_JPEG_SIDE = 3 * WORKING_SIDE // 4  # what a 12-megapixel photo halves to is near enough: no second filter
_STRIP_ROWS = 256  # rows of the working picture made at once, so that no large picture is held twice
_MAX_RLE_PIXELS = 2_000_000  # Pillow unpacks run-length BMP in Python, about a second for this many
_MAX_JPEG_SEGMENTS = 2_000  # each may hold 64 KB: MAX_BYTES of them are 160
_MAX_JPEG_SCANS = 60  # progressive files have about ten; every scan walks over the whole picture again
_MAX_PNG_CHUNKS = 20_000  # Pillow spends microseconds on each; encoders write 8 KB or more in one
_COLOUR_SIDE = 256  # longest side of what the projection to grey is chosen on
_COLOUR_WINDOW = 63  # wider there than any pen's stroke
_COLOUR_RATIO = 3.0  # how much better than luminance a primary colour must show the ink
_COLOUR_FLOOR = 24.0  # grey levels; anything fainter may be a camera's colour noise
_HIDDEN_RATIO = 4.0  # how much better black must show transparent ink than white
_NAME_LENGTH = 80


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright, small enough to work on.

    Attributes
    ----------
    name
        What the person calls it.
    grey
        ``uint8 (H, W)``; ink may be dark or light; the longest side is at most `WORKING_SIDE`.
    colour
        ``uint8 (H, W, 3)``, RGB, the same picture for showing.
    size
        ``(width, height)`` of the upright original in pixels.
    notes
        Sentences on what was done to it, for the person.
    """

    name: str
    grey: UInt8
    colour: UInt8
    size: tuple[int, int]
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Working pixels per original pixel, at most 1."""
        return float(max(self.grey.shape) / max(self.size))


def decode(data: bytes, name: str = "picture") -> Picture:
    """Turn the bytes of a picture file into a picture, whoever sent them.

    PNG, JPEG, WebP, GIF and BMP are told by their content, never by the name.

    Parameters
    ----------
    data
        The file, at most `MAX_BYTES`.
    name
        Names the picture in messages.

    Returns
    -------
    Picture
        Turned upright as EXIF says; on white where it is transparent, or on black where white would hide the
        ink; 16-bit greys scaled by the range they use; reduced to `WORKING_SIDE` by averaging areas.

    Raises
    ------
    DigitLabError
        One sentence that names the file and says why it cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> picture = decode(encode_png(np.zeros((30, 20), np.uint8)), "night.png")
    >>> picture.size, picture.grey.shape
    ((20, 30), (30, 20))
    """
    name = _printable(name)
    try:
        return _decode(data, name)
    except _UnusableError as error:
        raise DigitLabError(f"{name} {error}") from None


def load(path: Path) -> Picture:
    """Read a picture file; never more than `MAX_BYTES` of it.

    Raises
    ------
    DigitLabError
        If it is missing, not a file, unreadable or no picture; the sentence names it.
    """
    name = _printable(str(path))
    try:
        if not path.is_file():  # also not a pipe or a device, which may never end
            raise DigitLabError(f"{name} is {'a folder, not a picture' if path.is_dir() else 'not there'}.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
        raise DigitLabError(f"{name} cannot be read: {reason}.") from None
    return decode(data, name)


def decode_canvas(data: bytes) -> Picture:
    """Turn what a browser sends as the drawing into a picture: a small PNG, or somebody forged it.

    Raises
    ------
    DigitLabError
        If it is not a PNG of at most `CANVAS_MAX_BYTES` and `CANVAS_MAX_SIDE` pixels a side.
    """
    header = _png_size(data) if data[:8] == _PNG_MAGIC else None
    if header is None or len(data) > CANVAS_MAX_BYTES or max(header) > CANVAS_MAX_SIDE:
        raise DigitLabError("The drawing that arrived is not one this page makes; clear it and draw again.")
    return decode(data, "The drawing")


def encode_png(image: UInt8) -> bytes:
    """Encode a picture as PNG.

    Parameters
    ----------
    image
        ``uint8 (H, W)`` or, in RGB, ``uint8 (H, W, 3)``, or, with opacity, ``uint8 (H, W, 4)``.

    Raises
    ------
    ValueError
        If the array is of another kind.
    """
    orders = {(): None, (3,): cv2.COLOR_RGB2BGR, (4,): cv2.COLOR_RGBA2BGRA}
    if image.dtype != np.uint8 or image.size == 0 or image.ndim < 2 or image.shape[2:] not in orders:
        raise ValueError(f"expected uint8 (H, W), (H, W, 3) or (H, W, 4), got {image.dtype} {image.shape}")
    order = orders[image.shape[2:]]
    _, encoded = cv2.imencode(".png", image if order is None else cv2.cvtColor(image, order))
    return encoded.tobytes()


class _UnusableError(Exception):
    """Why a picture cannot be used: the sentence that follows its name."""


class _CorruptError(_UnusableError):
    def __init__(self) -> None:
        super().__init__("is damaged or incomplete: it cannot be decoded.")


class _Header(NamedTuple):
    """What is known of a file before it is decoded."""

    size: tuple[int, int]
    data: bytes  # what the decoder gets
    exif: bytes = b""


def _printable(name: str) -> str:
    """Fit a name that anyone chose into one line of a sentence."""
    if not name.isprintable():
        name = "".join(letter if letter.isprintable() else "?" for letter in name)
    name = name or "picture"
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 20]}...{name[-17:]}"


def _decode(data: bytes, name: str) -> Picture:
    if not data:
        raise _UnusableError("is empty.")
    if len(data) > MAX_BYTES:
        raise _UnusableError(f"is larger than {MAX_BYTES // 2**20} MB, the most that is accepted.")
    kind = _kind(data)
    try:
        header = _HEADERS[kind](data)
        _check_size(header.size)
        image = _READERS[kind](BytesIO(header.data))
        _check_size(image.size)  # decoders may know better than the header: a GIF frame wider than its screen
        pixels, notes = _pixels(image, header)
        orientation = _orientation(header.exif or image.info.get("exif", b""))
    except _UnusableError:
        raise
    except Exception as error:
        # Decoders answer broken data with whatever comes up: OSError, SyntaxError, ValueError, IndexError,
        # struct.error, cv2.error, MemoryError and more. At this border all of them mean the same.
        raise _CorruptError from error
    return _finished(name, pixels, header.size if kind == "JPEG" else image.size, orientation, notes)


def _finished(name: str, pixels: UInt8, size: tuple[int, int], orientation: int, notes: list[str]) -> Picture:
    """Make the picture out of the working pixels, ``(H, W)`` or ``(H, W, 3 or 4)``, as the camera lay."""
    width, height = size
    if orientation in _UPRIGHT:
        pixels = np.ascontiguousarray(_UPRIGHT[orientation](pixels))
        notes.append(f"Turned upright as the camera noted it (EXIF {orientation}).")
        width, height = (height, width) if orientation >= 5 else (width, height)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _on_paper(pixels, notes)
    if pixels.ndim == 3 and _colourless(pixels):
        pixels = _array(cv2.extractChannel(pixels, 0))
    if pixels.ndim == 2:
        grey, colour = pixels, _array(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))
    else:
        grey, colour = _project(pixels, notes), pixels
    return Picture(name, grey, colour, (width, height), tuple(notes))


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise _CorruptError
    if width * height > MAX_PIXELS:
        raise _UnusableError(
            f"has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels are accepted."
        )


_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_ACCEPTED = "PNG, JPEG, WebP, GIF and BMP pictures are accepted"
_READERS: dict[str, Callable[[BytesIO], ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
}
_BMP_HEADER_LENGTHS = (12, 40, 52, 56, 64, 108, 124)
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def _kind(data: bytes) -> str:
    """Tell the format from the first bytes, or say what to do with another one."""
    if data[:8] == _PNG_MAGIC:
        return "PNG"
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_LENGTHS:
        return "BMP"
    raise _UnusableError(_foreign(data))


def _foreign(data: bytes) -> str:
    """Say what a file is that is none of the accepted pictures, and what would help."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return f"is an AVIF picture; {_ACCEPTED}, so save it as one of these."
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return (
            "is a HEIC picture, as iPhones take them; save or share it as JPEG first "
            "(on the phone: Settings, Camera, Formats, Most Compatible)."
        )
    if data[:4] in (b"II*\0", b"MM\0*"):
        return f"is a TIFF picture; {_ACCEPTED}, so save it as one of these."
    if start.startswith(b"%PDF-"):
        return f"is a PDF document; {_ACCEPTED}, so take a screenshot of the page."
    if b"<svg" in start.lower():
        return f"is an SVG drawing; {_ACCEPTED}, so export it as PNG."
    if _is_text(data[:1024]):
        return f"is a text file, not a picture; {_ACCEPTED}."
    return f"is not a picture of a known format; {_ACCEPTED}."


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else only the last letter was cut in two
            return False
        text = start[: error.start].decode()
    return all(letter.isprintable() or letter in "\t\r\n\f" for letter in text)


def _png_size(data: bytes) -> tuple[int, int]:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return (0, 0)
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height)


def _png_header(data: bytes) -> _Header:
    position, chunks = 8, 0
    while position + 8 <= len(data):
        position += 12 + int.from_bytes(data[position : position + 4], "big")
        chunks += 1
        if chunks > _MAX_PNG_CHUNKS:
            raise _CorruptError
    return _Header(_png_size(data), data)


_JPEG_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_METADATA = frozenset(range(0xE0, 0xFF)) - {0xEE}  # EE: Adobe's note on how colours are stored


def _jpeg_header(data: bytes) -> _Header:
    """Walk over the segments before the first scan, and keep those that decoding needs.

    Left out are the metadata: Pillow looks into EXIF for the resolution, and forged EXIF can take any amount
    of memory there.
    """
    if data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise _CorruptError
    size, exif, kept, position = (0, 0), b"", [data[:2]], 2
    for _ in range(_MAX_JPEG_SEGMENTS):
        match = _JPEG_MARKER.match(data, position)
        if match is None:
            break
        marker, start = match[1][0], match.end()
        end = start + int.from_bytes(data[start : start + 2], "big")
        if marker == 0xDA:
            kept.append(data[match.start(1) - 1 :])
            return _Header(size, b"".join(kept), exif)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 3)
            size = (width, height)
        if marker == 0xE1 and not exif and data[start + 2 : start + 8] == b"Exif\0\0":
            exif = data[start + 2 : end]
        if marker not in _JPEG_METADATA:
            kept.append(data[match.start(1) - 1 : end])
        position = end
    raise _CorruptError


def _webp_header(data: bytes) -> _Header:
    chunk = data[12:16]
    size = (0, 0)
    if chunk == b"VP8X":
        size = (int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1)
    elif chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        size = (width & 0x3FFF, height & 0x3FFF)
    return _Header(size, data)


def _gif_header(data: bytes) -> _Header:
    width, height = struct.unpack_from("<HH", data, 6)
    return _Header((width, height), data)


def _bmp_header(data: bytes) -> _Header:
    if int.from_bytes(data[14:18], "little") == 12:  # OS/2
        width, height = struct.unpack_from("<HH", data, 18)
        return _Header((width, height), data)
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression in (1, 2) and abs(width * height) > _MAX_RLE_PIXELS:
        raise _UnusableError("is a large compressed BMP; save it as PNG first.")
    return _Header((width, abs(height)), data)


_HEADERS: dict[str, Callable[[bytes], _Header]] = {
    "PNG": _png_header,
    "JPEG": _jpeg_header,
    "WebP": _webp_header,
    "GIF": _gif_header,
    "BMP": _bmp_header,
}


_ORIENTATION_TAG = 0x0112
_UPRIGHT: dict[int, Callable[[UInt8], UInt8]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def _orientation(exif: bytes) -> int:
    """Read the orientation out of EXIF data; 1, upright, if it is not there or makes no sense."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == _ORIENTATION_TAG:
                (value,) = struct.unpack_from(f"{order}{'I' if kind == 4 else 'H'}", tiff, entry + 8)
                return int(value)
    except struct.error:
        pass
    return 1


def _pixels(image: ImageFile, header: _Header) -> tuple[UInt8, list[str]]:
    """Decode to the working size: ``(H, W)``, ``(H, W, 3)`` or, premultiplied by alpha, ``(H, W, 4)``."""
    notes = []
    if getattr(image, "is_animated", False):
        notes.append("It moves: only its first frame is used.")
    if isinstance(image, JpegImageFile):
        _decode_reduced(image)
    rows = _webp_rows(header.data) if isinstance(image, WebPImageFile) else _rows(image)
    pixels = _array(_area_reduced(image.size, rows))
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _array(cv2.cvtColor(pixels, cv2.COLOR_RGBA2mRGBA))
    target = _fitted(image.size, WORKING_SIDE)
    if pixels.shape[1::-1] != target:
        pixels = _array(cv2.resize(pixels, target, interpolation=cv2.INTER_AREA))
    return pixels, notes


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Reduce a width and a height so that neither is longer than `side`."""
    scale = min(1.0, side / max(size))
    return (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def _decode_reduced(image: JpegImageFile) -> None:
    """Let libjpeg decode at 1/2, 1/4 or 1/8 if that is about the working size or more."""
    width, height = image.size
    for factor in (8, 4, 2):
        if max(width, height) // factor >= _JPEG_SIDE and min(width, height) >= factor:
            image.draft(None, (width // factor, height // factor))
            break


def _rows(image: Image.Image) -> Callable[[int, int], Image.Image]:
    """Make a function that cuts rows out of a picture, in mode L, RGB or RGBA."""
    image.load()
    width = image.width
    if image.mode == "I;16":
        # By the range in use, as many cameras and scanners keep 10 or 12 bits in 16; up to a power of two, as
        # a blank sheet must not be stretched until its noise looks like ink.
        shift = max(0, int(image.getextrema()[1]).bit_length() - 8)  # type: ignore[arg-type] # one band: two numbers

        def deep_rows(top: int, bottom: int) -> Image.Image:
            strip = np.asarray(image.crop((0, top, width, bottom)))
            return Image.fromarray((strip >> shift).astype(np.uint8))

        return deep_rows
    mode = "RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L") else "RGB"
    # Pillow takes every four-colour JPEG for an Adobe one, whose values are inverted.
    inverted = image.mode == "CMYK" and "adobe" not in image.info

    def rows(top: int, bottom: int) -> Image.Image:
        if image.mode == mode and bottom - top == image.height:
            return image  # as most small pictures are: two copies less
        strip = image.crop((0, top, width, bottom))
        return (ImageChops.invert(strip) if inverted else strip).convert(mode)

    return rows


def _webp_rows(data: bytes) -> Callable[[int, int], Image.Image]:
    """Decode WebP with OpenCV: Pillow holds four copies of the picture at once, 800 MB for the largest."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise _CorruptError
    conversion = cv2.COLOR_BGRA2RGBA if decoded.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return lambda top, bottom: Image.fromarray(cv2.cvtColor(decoded[top:bottom], conversion))


def _area_reduced(size: tuple[int, int], rows: Callable[[int, int], Image.Image]) -> UInt8:
    """Reduce by the whole factor that stays above the working size, strip by strip, each pixel an average."""
    factor = max(1, max(size) // WORKING_SIDE)
    step = _STRIP_ROWS * factor
    strips = [rows(top, min(top + step, size[1])) for top in range(0, size[1], step)]
    return np.concatenate([np.asarray(strip.reduce(factor) if factor > 1 else strip) for strip in strips])


def _on_paper(pixels: UInt8, notes: list[str]) -> UInt8:
    """Put premultiplied RGBA on white, or on black if the ink is so light that white would hide it."""
    on_black = _array(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB))
    if int(pixels[..., 3].min()) == 255:  # nothing shows through, as in every drawing from the canvas
        return on_black
    on_white = _array(cv2.add(on_black, cv2.cvtColor(255 - pixels[..., 3], cv2.COLOR_GRAY2RGB)))
    if on_black.std() > _HIDDEN_RATIO * on_white.std():
        notes.append("Its ink is light and its ground is transparent, so it was put on black.")
        return on_black
    return on_white


def _colourless(colour: UInt8) -> bool:
    """Whether red, green and blue are the same everywhere; a few rows tell of nearly every photo that they are not."""

    def same(some: UInt8) -> bool:
        red, green, blue = cv2.split(some)
        return np.array_equal(red, green) and np.array_equal(red, blue)

    return same(colour[:: max(1, len(colour) // 8)]) and same(colour)


def _project(colour: UInt8, notes: list[str]) -> UInt8:
    """Make a colour picture grey so that the ink shows.

    Luminance, as the eye sees it (ITU-R BT.601), nearly loses some inks: yellow on white and blue on black
    differ by 11 % only. Where details stand out in one of the primary colours three times as much, that one
    is taken. Not elsewhere: luminance has the least noise, and coloured ruling is faint in it.
    """
    luminance = _array(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY))
    size = _fitted((colour.shape[1], colour.shape[0]), _COLOUR_SIDE)
    small = _array(cv2.resize(colour, size, interpolation=cv2.INTER_AREA))
    plain = _contrast(_array(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)))
    contrasts = [_contrast(_array(small[..., channel])) for channel in range(3)]
    best = int(np.argmax(contrasts))
    if contrasts[best] < max(_COLOUR_FLOOR, _COLOUR_RATIO * plain):
        return luminance
    primary = ("red", "green", "blue")[best]
    notes.append(f"Its ink hardly shows in grey, so only the {primary} part of the light was used.")
    return np.ascontiguousarray(colour[..., best])


def _contrast(plane: UInt8) -> float:
    """How far the strongest details differ from what is around them, in grey levels; fading light is none."""
    plane = np.ascontiguousarray(plane)
    around = cv2.blur(plane, (_COLOUR_WINDOW, _COLOUR_WINDOW), borderType=cv2.BORDER_REPLICATE)
    return _percentile(_array(cv2.absdiff(plane, around)), 99.5)


def _percentile(values: UInt8, percent: float) -> float:
    """Return what `numpy.percentile` does, by counting instead of sorting."""
    counts = np.cumsum(np.bincount(values.ravel(), minlength=256))
    place = percent / 100 * (values.size - 1)
    low, high = np.searchsorted(counts, [int(place), math.ceil(place)], side="right")
    return float(low + (high - low) * (place - int(place)))


def _array(value: object) -> UInt8:
    return np.asarray(value, np.uint8)

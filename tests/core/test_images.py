import os
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mnist_core import images
from mnist_core.errors import DigitLabError
from mnist_core.images import Picture, decode, decode_canvas, encode_png, load

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def encoded(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def drawing(height: int = 40, width: int = 30) -> np.ndarray:
    """Draw an L on white: no two of its eight orientations are alike."""
    grey = np.full((height, width), 255, np.uint8)
    grey[4 : height - 4, 4:10] = 10
    grey[height - 10 : height - 4, 4 : width - 6] = 10
    return grey


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def jpeg_claiming(width: int, height: int) -> bytes:
    data = encoded(drawing(), "JPEG")
    frame = data.index(b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def gif_claiming(width: int, height: int) -> bytes:
    data = encoded(drawing(), "GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def gif_with_frame_claiming(width: int, height: int) -> bytes:
    data = encoded(Image.fromarray(drawing()), "GIF")
    frame = data.index(b",\0\0\0\0" + struct.pack("<HH", 30, 40))
    return data[: frame + 5] + struct.pack("<HH", width, height) + data[frame + 9 :]


def bmp_claiming(width: int, height: int) -> bytes:
    data = encoded(drawing(), "BMP")
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


def old_bmp_claiming(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 26, 0, 0, 26) + struct.pack("<IHHHH", 12, width, height, 1, 24)


def webp_claiming(width: int, height: int) -> bytes:
    return riff(b"VP8X" + struct.pack("<II", 10, 0) + pixels24(width) + pixels24(height))


def lossless_webp_claiming(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return riff(b"VP8L" + struct.pack("<IBI", 5, 0x2F, bits) + b"\0")


def lossy_webp_claiming(width: int, height: int) -> bytes:
    return riff(b"VP8 " + struct.pack("<I", 10) + b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height))


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def pixels24(side: int) -> bytes:
    return (side - 1).to_bytes(3, "little")


def exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    magic = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *(orientation, 0)[: 2 if kind == 3 else 1])
    entry = struct.pack(order + "HHI", 0x0112, kind, 1) + value
    return b"Exif\0\0" + magic + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


def jpeg_with_segment(marker: int, data: bytes, image: bytes | None = None) -> bytes:
    image = image or encoded(drawing(), "JPEG", quality=95)
    return image[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data + image[2:]


def sentence_of(act: Callable[[], object]) -> str:
    with pytest.raises(DigitLabError) as caught:
        act()
    return str(caught.value)


def assert_valid(picture: Picture) -> None:
    height, width = picture.grey.shape
    assert picture.grey.dtype == picture.colour.dtype == np.uint8
    assert picture.colour.shape == (height, width, 3)
    assert 1 <= max(height, width) <= images.WORKING_SIDE
    assert 0 < picture.scale <= 1
    assert picture.grey.flags.c_contiguous and picture.colour.flags.c_contiguous


# What is accepted


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "notes.txt", "photo"])
def test_the_content_tells_the_format_not_the_name(kind: str, name: str) -> None:
    picture = decode(encoded(drawing(), kind), name)
    assert picture.name == name
    assert picture.size == (30, 40)
    assert picture.notes == ()
    np.testing.assert_allclose(picture.grey, drawing(), atol=40 if kind in ("JPEG", "WEBP") else 0)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
    ],
)
def test_colours_keep_their_order(kind: str, options: dict[str, object]) -> None:
    colour = np.zeros((8, 9, 3), np.uint8)
    colour[:, :, 0], colour[:, 4:, 1], colour[5:, :, 2] = 200, 90, 30
    picture = decode(encoded(colour, kind, **options))
    np.testing.assert_array_equal(picture.colour, colour)
    luminance = colour @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    np.testing.assert_allclose(picture.grey, luminance, atol=0.6)


def bmp_run_length(pixels: int = 1) -> bytes:
    """Pack the grey values 0, 0, 0, 7 / 7, 7, 9, 9 (bottom row first) as a run-length BMP."""
    runs = b"\x03\x00\x01\x07\0\0\x02\x07\x02\x09\0\1"
    palette = b"".join(bytes([value, value, value, 0]) for value in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, 4 * pixels, 2, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(runs), 0, 0, 54 + 1024) + header + palette + runs


def test_a_small_run_length_bmp_is_read_and_a_large_one_refused() -> None:
    assert decode(bmp_run_length()).grey.tolist() == [[7, 7, 9, 9], [0, 0, 0, 7]]
    assert "compressed BMP" in sentence_of(lambda: decode(bmp_run_length(1_000_000)))


@pytest.mark.parametrize("side", [(1, 1), (1, 10_000), (10_000, 1), (2048, 1), (2049, 3), (5, 4097)])
@pytest.mark.parametrize("kind", FORMATS)
def test_odd_sizes_work(kind: str, side: tuple[int, int]) -> None:
    picture = decode(encoded(np.full(side, 200, np.uint8), kind))
    assert_valid(picture)
    assert picture.size == side[::-1]
    assert max(picture.grey.shape) == min(max(side), 2048)
    assert np.abs(picture.grey.astype(int) - 200).max() <= 2


def test_scale_relates_the_working_picture_to_the_original() -> None:
    assert decode(encoded(np.zeros((100, 4096), np.uint8), "PNG")).scale == 0.5
    assert decode(encoded(np.zeros((100, 200), np.uint8), "PNG")).scale == 1.0


def test_large_pictures_are_reduced_by_averaging() -> None:
    rng = np.random.default_rng(0)
    original = 85 * rng.integers(0, 4, (3 * 700, 3 * 2048), np.uint8)
    picture = decode(encoded(original, "PNG", compress_level=1))
    oracle = original.reshape(700, 3, 2048, 3).mean((1, 3))
    assert picture.grey.shape == (700, 2048)
    np.testing.assert_allclose(picture.grey, oracle, atol=0.6)


def test_reduction_by_a_fraction_keeps_every_part_in_its_place() -> None:
    original = np.zeros((3000, 5000), np.uint8)
    original[1500:, :] += 100
    original[:, 3750:] += 50
    picture = decode(encoded(original, "PNG"))
    height, width = picture.grey.shape
    assert (width, height) == (2048, 1229)
    quarters = picture.grey[[300, 300, 900, 900], [700, 1800, 700, 1800]]
    assert quarters.tolist() == [0, 50, 100, 150]
    assert abs(int(np.argmax(picture.grey[300] > 25)) - 2048 * 3750 / 5000) <= 1
    assert abs(int(np.argmax(picture.grey[:, 700] > 50)) - 1229 * 0.5) <= 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4032, 3024), (2016, 1512)), ((6000, 100), (2048, 34)), ((3000, 500), (2048, 341)), ((9000, 40), (2048, 9))],
)
def test_large_jpegs_are_decoded_reduced(size: tuple[int, int], expected: tuple[int, int]) -> None:
    width, height = size
    ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
    picture = decode(encoded(np.ascontiguousarray(ramp), "JPEG"))
    assert picture.size == size
    assert picture.grey.shape[::-1] == expected
    np.testing.assert_allclose(picture.grey[0], np.linspace(0, 255, expected[0]), atol=4)


# Colour, depth, alpha


@pytest.mark.parametrize(("top", "step"), [(65535, 256), (4095, 16), (1023, 4), (255, 1), (100, 1)])
def test_sixteen_bits_are_scaled_by_their_range(top: int, step: int) -> None:
    deep = np.linspace(0, top, 256 * 4).reshape(16, 64).astype(np.uint16)
    picture = decode(encoded(Image.fromarray(deep), "PNG"))
    np.testing.assert_array_equal(picture.grey, deep // step)


def test_a_large_deep_picture_is_reduced_too() -> None:
    deep = np.full((10, 6000), 40_000, np.uint16)
    assert np.unique(decode(encoded(Image.fromarray(deep), "PNG")).grey).tolist() == [40_000 // 256]


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk_is_right_with_and_without_the_adobe_marker(adobe: bool) -> None:
    rgb = Image.fromarray(np.dstack([np.full((32, 32), value, np.uint8) for value in (250, 240, 30)]))
    data = encoded(rgb.convert("CMYK"), "JPEG", quality=95)
    start = data.index(b"\xff\xee")
    assert data[start + 4 : start + 9] == b"Adobe"
    if not adobe:  # the same colours, stored as they are: complement the samples and drop the marker
        inverted = Image.eval(rgb.convert("CMYK"), lambda value: 255 - value)
        data = encoded(inverted, "JPEG", quality=95)
        data = data[:start] + data[start + 16 :]
    picture = decode(data)
    np.testing.assert_allclose(picture.colour[16, 16], (250, 240, 30), atol=6)


def transparent(ink: int | tuple[int, int, int], *, opaque: bool = False) -> Image.Image:
    """Draw in one colour on a transparent ground, whose hidden colour is black."""
    shape = drawing() < 128
    pixels = np.zeros((*shape.shape, 4), np.uint8)
    pixels[shape, :3], pixels[shape, 3] = ink, 255
    if opaque:
        pixels[..., 3] = 255
    return Image.fromarray(pixels)


def in_mode(mode: str, ink: int) -> bytes:
    image = transparent(ink)
    if mode == "P":  # a palette with one transparent entry
        palette = Image.fromarray((drawing() < 128).astype(np.uint8))
        palette = Image.frombytes("P", palette.size, palette.tobytes())
        palette.putpalette([9, 9, 9, ink, ink, ink])
        return encoded(palette, "PNG", transparency=0)
    if mode == "L key":  # a grey that stands for transparent
        grey = np.where(drawing() < 128, ink, 77).astype(np.uint8)
        return encoded(grey, "PNG", transparency=77)
    if mode == "WebP":
        return encoded(image, "WEBP", lossless=True)
    return encoded(image.convert(mode), "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L key", "WebP"])
@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (60, 255), (150, 255), (255, 0), (240, 0)])
def test_transparency_goes_on_white_unless_that_hides_the_ink(mode: str, ink: int, ground: int) -> None:
    picture = decode(in_mode(mode, ink))
    np.testing.assert_array_equal(picture.grey, np.where(drawing() < 128, ink, ground))
    assert any("put on black" in note for note in picture.notes) == (ground == 0)


def test_half_transparent_ink_is_mixed_with_the_paper() -> None:
    image = np.zeros((2, 2, 4), np.uint8)
    image[0, 0] = (100, 100, 100, 128)
    expected = 100 * 128 / 255 + 255 * 127 / 255
    assert abs(int(decode(encoded(image, "PNG")).grey[0, 0]) - expected) <= 1


def test_hidden_colours_do_not_bleed_into_a_reduced_picture() -> None:
    image = np.zeros((6, 6000, 4), np.uint8)
    image[:, ::2] = (200, 200, 200, 255)  # every second column is opaque, the others hide black
    picture = decode(encoded(image, "PNG"))
    middle = picture.grey[:, 5:-5].astype(float)
    assert abs(middle.mean() - (200 + 255) / 2) < 2


def test_an_opaque_dark_picture_is_not_put_anywhere() -> None:
    picture = decode(encoded(transparent(255, opaque=True), "PNG"))
    np.testing.assert_array_equal(picture.grey, np.where(drawing() < 128, 255, 0))
    assert picture.notes == ()


def test_one_bit_pictures_are_black_and_white() -> None:
    picture = decode(encoded(Image.fromarray(drawing()).convert("1"), "PNG"))
    assert np.unique(picture.grey).tolist() == [0, 255]


WHITE, BLACK = (250, 250, 250), (5, 5, 5)


@pytest.mark.parametrize(
    ("ink", "ground", "channel"),
    [
        ((250, 240, 20), WHITE, "blue"),  # a yellow pen
        ((170, 250, 255), WHITE, "red"),  # a pale cyan one
        ((0, 0, 255), BLACK, "blue"),  # a blue pen on a black screen
        ((200, 40, 40), WHITE, None),  # red shows
        ((90, 150, 240), WHITE, None),  # light blue shows
        ((30, 40, 90), WHITE, None),
        ((250, 250, 20), BLACK, None),
        (WHITE, BLACK, None),
    ],
)
def test_coloured_ink_stays_visible(
    ink: tuple[int, int, int], ground: tuple[int, int, int], channel: str | None
) -> None:
    shape = drawing(300, 200) < 128
    colour = np.where(shape[..., None], ink, ground).astype(np.uint8)
    picture = decode(encoded(colour, "PNG"))
    assert ["hardly" in note and f"only the {channel} part" in note for note in picture.notes] == (
        [True] if channel else []
    )
    assert abs(picture.grey[shape].mean() - picture.grey[~shape].mean()) > 75


def test_grey_kept_in_three_channels_is_the_same_grey() -> None:
    grey = np.random.default_rng(3).integers(0, 256, (37, 61), np.uint8)
    for mode in ("RGB", "RGBA"):
        picture = decode(encoded(Image.fromarray(grey).convert(mode), "PNG"))
        np.testing.assert_array_equal(picture.grey, grey)
        np.testing.assert_array_equal(picture.colour, np.dstack([grey] * 3))


def test_one_coloured_pixel_makes_a_colour_picture() -> None:
    colour = np.dstack([drawing(60, 60)] * 3)
    colour[33, 41] = (250, 200, 100)  # between the rows that are looked at first
    picture = decode(encoded(colour, "PNG"))
    np.testing.assert_array_equal(picture.colour, colour)
    assert picture.grey[33, 41] == round(0.299 * 250 + 0.587 * 200 + 0.114 * 100)


@given(st.binary(min_size=1, max_size=300), st.floats(0, 100))
def test_counting_gives_the_percentile_that_sorting_gives(values: bytes, percent: float) -> None:
    some = np.frombuffer(values, np.uint8)
    assert images._percentile(some, percent) == pytest.approx(np.percentile(some, percent), abs=1e-9)


def test_colour_noise_on_blank_paper_is_no_ink() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 6, (200, 200, 1)) * (0, 0, 1)
    paper = np.clip(np.array([220, 220, 210]) + noise, 0, 255).astype(np.uint8)
    assert decode(encoded(paper, "PNG")).notes == ()


def test_coloured_ruling_does_not_beat_the_pen() -> None:
    colour = np.full((300, 300, 3), 245, np.uint8)
    colour[::20] = (150, 200, 255)
    colour[100:200, 140:150] = (40, 40, 50)
    assert decode(encoded(colour, "PNG")).notes == ()


# Upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_turned_upright(kind: str, orientation: int) -> None:
    options = {"PNG": {}, "JPEG": {"quality": 95}, "WEBP": {"lossless": True}}[kind]
    data = encoded(drawing(), kind, exif=exif(orientation), **options)
    with Image.open(BytesIO(data)) as opened:  # Pillow reads the tag and turns by its own means
        oracle = np.asarray(ImageOps.exif_transpose(opened).convert("L"))
    picture = decode(data)
    np.testing.assert_allclose(picture.grey, oracle, atol=2)
    assert picture.size == oracle.shape[::-1]
    assert [f"(EXIF {orientation})" in note for note in picture.notes] == ([True] if orientation > 1 else [])


@pytest.mark.parametrize(("order", "kind"), [("<", 3), (">", 3), ("<", 4), (">", 4)])
def test_orientation_is_read_in_either_byte_order(order: str, kind: int) -> None:
    assert decode(jpeg_with_segment(0xE1, exif(6, order, kind))).size == (40, 30)


@pytest.mark.parametrize(
    "data",
    [
        exif(0),
        exif(9),
        exif(65535),
        exif(2**31, kind=4),
        exif(6)[:20],
        exif(6)[:10],
        b"Exif\0\0",
        b"Exif\0\0garbage that is no directory",
        b"Exif\0\0II*\0" + struct.pack("<I", 2**32 - 1),
        b"Exif\0\0II*\0" + struct.pack("<IH", 8, 65535) + bytes(50),
        b"Exif\0\0MM\0*" + struct.pack("<I", 8),
    ],
)
def test_senseless_orientation_is_ignored(data: bytes) -> None:
    picture = decode(jpeg_with_segment(0xE1, data))
    assert picture.size == (30, 40)
    assert picture.notes == ()


def test_a_turned_large_jpeg_has_the_size_of_the_upright_original() -> None:
    data = encoded(np.zeros((3000, 4000), np.uint8), "JPEG", exif=exif(6))
    picture = decode(data)
    assert picture.size == (3000, 4000)
    assert picture.grey.shape == (2000, 1500)


# Animation


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_used(kind: str) -> None:
    frames = [Image.fromarray(drawing()), Image.fromarray(255 - drawing()), Image.fromarray(drawing())]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    picture = decode(data)
    np.testing.assert_allclose(picture.grey, drawing(), atol=1)
    assert picture.notes == ("It moves: only its first frame is used.",)


# What is refused


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (bytes(images.MAX_BYTES + 1), "larger than 10 MB"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "save or share it as JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "save or share it as JPEG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF picture"),
        (b"II*\0\x08\0\0\0", "a TIFF picture"),
        (b"MM\0*\0\0\0\x08", "a TIFF picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg xmlns='x'>", "an SVG drawing"),
        (b"<SVG></SVG>", "an SVG drawing"),
        (b"name,digit\n7,8\n", "a text file"),
        (("é" * 600).encode()[:1023], "a text file"),
        (b"BM is how this text begins", "a text file"),
        (bytes(range(256)), "not a picture of a known format"),
        (b"\x1f\x8b\x08\x00", "not a picture of a known format"),
        (b"\xff\xd8\xff", "damaged or incomplete"),
        (b"\x89PNG\r\n\x1a\n", "damaged or incomplete"),
        (b"GIF89a", "damaged or incomplete"),
        (b"RIFF\0\0\0\0WEBP", "damaged or incomplete"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "damaged or incomplete"),
        (png_claiming(0, 5), "damaged or incomplete"),
        (jpeg_claiming(30, 0), "damaged or incomplete"),
        (png_claiming(60_000, 60_000), "60000 x 60000 pixels"),
        (png_claiming(2**31, 2**31), "at most 50 megapixels"),
        (png_claiming(10_000, 5_001), "at most 50 megapixels"),
        (jpeg_claiming(65_535, 65_535), "65535 x 65535 pixels"),
        (gif_claiming(60_000, 60_000), "60000 x 60000 pixels"),
        (gif_with_frame_claiming(8_000, 8_000), "8000 x 8000 pixels"),
        (bmp_claiming(60_000, 60_000), "60000 x 60000 pixels"),
        (bmp_claiming(60_000, -60_000), "60000 x 60000 pixels"),
        (bmp_claiming(-5, 5), "damaged or incomplete"),
        (old_bmp_claiming(60_000, 60_000), "60000 x 60000 pixels"),
        (webp_claiming(2**24, 2**24), "16777216 x 16777216 pixels"),
        (lossless_webp_claiming(16_384, 16_384), "16384 x 16384 pixels"),
        (lossy_webp_claiming(16_383, 16_383), "16383 x 16383 pixels"),
    ],
)
def test_refused_with_one_sentence_that_names_the_file(data: bytes, words: str) -> None:
    sentence = sentence_of(lambda: decode(data, "my 7.png"))
    assert words in sentence
    assert sentence.startswith("my 7.png ")
    assert sentence.endswith((".", ")."))
    assert "\n" not in sentence


def test_every_refusal_of_a_format_names_the_accepted_ones() -> None:
    for data in (b"%PDF-1.7", b"II*\0", b"<svg/>", b"text", bytes(20)):
        sentence = sentence_of(lambda data=data: decode(data))
        assert all(name in sentence for name in ("PNG", "JPEG", "WebP", "GIF", "BMP"))


def test_fifty_megapixels_are_just_accepted() -> None:
    assert decode(encoded(Image.new("1", (10_000, 5_000)), "PNG")).size == (10_000, 5_000)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\x1b[31m.png", "a?b?[31m.png is empty."),
        ("", "picture is empty."),
        ("x" * 300 + ".png", "x" * 60 + "..." + "x" * 13 + ".png is empty."),
        ("siebenundzwanzig é 七.png", "siebenundzwanzig é 七.png is empty."),
    ],
)
def test_a_name_cannot_break_the_sentence(name: str, shown: str) -> None:
    assert sentence_of(lambda: decode(b"", name)) == shown


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    rng = np.random.default_rng(0)
    data = encoded(rng.integers(0, 256, (64, 64), np.uint8), kind)
    assert "damaged or incomplete" in sentence_of(lambda: decode(data[: int(len(data) * share)]))


def test_a_webp_with_a_good_header_and_no_picture_is_refused() -> None:
    data = encoded(Image.effect_noise((64, 64), 90), "WEBP")
    forged = data[:40] + b"\xff" * (len(data) - 40)
    assert "damaged or incomplete" in sentence_of(lambda: decode(forged))


def test_a_flood_of_segments_scans_or_chunks_is_refused() -> None:
    jpeg, png = encoded(drawing(), "JPEG"), encoded(drawing(), "PNG")
    scan = jpeg.index(b"\xff\xda")
    for data in (
        jpeg[:2] + b"\xff\xfe\0\2" * 100_000 + jpeg[2:],
        jpeg[:-2] + jpeg[scan:-2] * 200 + jpeg[-2:],
        png[:33] + chunk(b"abCd", b"") * 50_000 + png[33:],
    ):
        assert "damaged" in sentence_of(lambda data=data: decode(data))


def test_padding_between_jpeg_segments_is_no_fault() -> None:
    data = encoded(drawing(), "JPEG")
    np.testing.assert_array_equal(decode(data[:2] + b"\xff" * 1000 + data[2:]).grey, decode(data).grey)


def test_forged_exif_takes_no_memory() -> None:
    """Each of 4,000 entries points at the same 40 KB: a parser that copies them all takes 160 MB."""
    entries = b"".join(struct.pack("<HHII", tag, 7, 40_000, 10) for tag in range(1000, 5000))
    data = jpeg_with_segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<IH", 8, 4000) + entries)
    tracemalloc.start()
    try:
        decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


# Files


def test_load_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    path.write_bytes(encoded(drawing(), "PNG"))
    np.testing.assert_array_equal(load(path).grey, drawing())


def test_load_says_what_is_wrong_with_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is a folder" in sentence_of(lambda: load(tmp_path))
    assert "is not there" in sentence_of(lambda: load(tmp_path / "missing.png"))
    os.mkfifo(tmp_path / "pipe")
    assert "is not there" in sentence_of(lambda: load(tmp_path / "pipe"))
    assert "not" in sentence_of(lambda: load(Path("nul\0.png")))
    (tmp_path / "large").write_bytes(bytes(images.MAX_BYTES + 5))
    assert "larger than 10 MB" in sentence_of(lambda: load(tmp_path / "large"))

    def locked(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    sentence = sentence_of(lambda: load(tmp_path / "large"))
    assert sentence.endswith("large cannot be read: Permission denied.")


# The canvas


def test_the_canvas_sends_rgba() -> None:
    for opaque in (True, False):
        picture = decode_canvas(encoded(transparent(255, opaque=opaque), "PNG"))
        np.testing.assert_array_equal(picture.grey, np.where(drawing() < 128, 255, 0))


def test_an_empty_canvas_is_blank() -> None:
    picture = decode_canvas(encoded(np.zeros((280, 280, 4), np.uint8), "PNG"))
    assert np.ptp(picture.grey) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"data:image/png;base64,iVBORw0KGgo=",
        encoded(drawing(), "JPEG"),
        encoded(Image.new("1", (2001, 1)), "PNG"),
        encoded(drawing(), "PNG") + bytes(images.CANVAS_MAX_BYTES),
        png_claiming(280, 280),
        encoded(drawing(), "PNG")[:-30],
    ],
)
def test_forged_canvas_data_are_refused(data: bytes) -> None:
    assert sentence_of(lambda: decode_canvas(data)).startswith("The drawing ")


# Out


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (5, 9, 3), (5, 9, 4)])
def test_encode_png_keeps_every_pixel(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    with Image.open(BytesIO(encode_png(image))) as opened:
        np.testing.assert_array_equal(np.asarray(opened), image)


@pytest.mark.parametrize(
    "image",
    [np.zeros((2, 2)), np.zeros((0, 5), np.uint8), np.zeros((2, 2, 5), np.uint8), np.zeros(4, np.uint8)],
)
def test_encode_png_takes_nothing_else(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        encode_png(image)


# Many at once, and anything at all


def test_decoding_is_the_same_in_many_threads_and_leaves_no_trace() -> None:
    files = [encoded(drawing(40 + n, 30), kind) for n in range(8) for kind in FORMATS]
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    alone = [decode(data).grey for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = [picture.grey for picture in pool.map(decode, files)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (limit, filters) == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))


def decoded_or_refused(data: bytes) -> None:
    try:
        picture = decode(data, "it")
    except DigitLabError as error:
        assert str(error).startswith("it ")
    else:
        assert_valid(picture)


MAGIC = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8X", b"BM" + bytes(12) + b"\x28"]


@settings(max_examples=200)
@given(st.sampled_from(MAGIC), st.binary(max_size=200))
def test_any_bytes_give_a_picture_or_a_sentence(magic: bytes, data: bytes) -> None:
    decoded_or_refused(magic + data)


def material() -> list[bytes]:
    """Encode a small picture in every format and in the modes whose decoding differs."""
    rng = np.random.default_rng(3)
    grey = Image.fromarray(rng.integers(0, 256, (24, 20), np.uint8))
    noisy = Image.fromarray(rng.integers(0, 256, (24, 20, 4), np.uint8))
    frames = {"save_all": True, "append_images": [grey.rotate(90, expand=False)]}
    return [
        encoded(grey, "PNG"),
        encoded(noisy, "PNG", exif=exif(6)),
        encoded(grey.convert("P"), "PNG", transparency=3),
        encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 200), "PNG"),
        encoded(grey, "PNG", **frames),
        encoded(noisy.convert("RGB"), "JPEG", exif=exif(8)),
        encoded(noisy.convert("CMYK"), "JPEG", progressive=True),
        encoded(noisy, "WEBP", exif=exif(3)),
        encoded(grey, "WEBP", lossless=True, **frames),
        encoded(grey, "GIF", **frames),
        encoded(noisy.convert("RGB").quantize(16), "GIF", transparency=2),
        encoded(grey.convert("P"), "BMP"),
        encoded(noisy, "BMP"),
        bmp_run_length(),
    ]


MATERIAL = material()


def test_the_unharmed_material_decodes() -> None:
    for data in MATERIAL:
        assert_valid(decode(data))


@st.composite
def harmed(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """Flip, insert and remove bytes in a real file, mostly in its header, or cut it off."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        near = draw(st.booleans())
        position = draw(st.integers(0, min(len(data), 64) if near else len(data)))
        action = draw(st.sampled_from(["flip", "insert", "remove", "cut"]))
        if action == "flip" and position < len(data):
            data[position] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        elif action == "insert":
            data[position:position] = draw(st.binary(min_size=1, max_size=8))
        elif action == "remove":
            del data[position : position + draw(st.integers(1, 8))]
        elif action == "cut" and not near:
            del data[position:]
    return bytes(data)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(harmed(MATERIAL))
def test_harmed_files_give_a_picture_or_a_sentence(data: bytes) -> None:
    decoded_or_refused(data)


@settings(max_examples=100)
@given(harmed(MATERIAL[:5]))
def test_harmed_canvas_data_give_a_picture_or_a_sentence(data: bytes) -> None:
    try:
        assert_valid(decode_canvas(data))
    except DigitLabError as error:
        assert str(error).startswith("The drawing ")


@settings(max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["PNG", "GIF", "BMP"]), st.integers(0, 2**32 - 1))
def test_lossless_formats_keep_every_grey(height: int, width: int, kind: str, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    picture = decode(encoded(grey, kind))
    np.testing.assert_array_equal(picture.grey, grey)
    np.testing.assert_array_equal(picture.colour, cv2.merge([grey] * 3))


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_name_makes_one_line(name: str) -> None:
    sentence = sentence_of(lambda: decode(b"", name))
    assert sentence.endswith(" is empty.")
    assert len(sentence.splitlines()) == 1
    assert len(sentence) < 100

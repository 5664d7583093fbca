from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_core._choose import is_edge, is_scrawl
from mnist_core._ink import Ink, find_ink
from mnist_core._parts import find_parts
from mnist_core._split import _piece
from mnist_core.preprocess import Settings, prepare
from mnist_core.segment import Page, prepare_page

UInt8 = npt.NDArray[np.uint8]
Digits = npt.NDArray[np.float32]

# Each sign of the little alphabet that these tests write in: strokes in a box of height 1.
SIGNS: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.3, 0.0), (0.05, 0.3), (0.05, 0.7), (0.3, 1.0), (0.5, 0.7), (0.5, 0.3), (0.3, 0.0)]],
    "1": [[(0.0, 0.25), (0.2, 0.0), (0.2, 1.0)]],
    "2": [[(0.05, 0.2), (0.3, 0.0), (0.5, 0.25), (0.0, 1.0), (0.55, 1.0)]],
    "4": [[(0.1, 0.0), (0.0, 0.6), (0.35, 0.6)], [(0.48, 0.1), (0.46, 1.0)]],
    "5": [
        [(0.1, 0.08), (0.08, 0.45), (0.4, 0.42), (0.55, 0.7), (0.3, 1.0), (0.0, 0.95)],
        [(0.12, -0.08), (0.55, -0.1)],
    ],
    "7": [[(0.0, 0.0), (0.5, 0.0), (0.2, 1.0)]],
}
LOOP = [(0.3, 0.0), (0.1, 0.2), (0.3, 0.4), (0.5, 0.2), (0.3, 0.0)]
SIGNS["8"] = [LOOP, [(x, y + 0.58) for x, y in LOOP]]
Places = list[tuple[str, int, int, int]]


def written(signs: Places, size: tuple[int, int] = (500, 900), pen: int = 7) -> UInt8:
    """White on black; each sign with its left, top and height; `size` is (height, width)."""
    picture = np.zeros(size, np.uint8)
    for sign, x, y, height in signs:
        for stroke in SIGNS[sign]:
            points = np.rint(np.array(stroke) * height + (x, y)).astype(np.int32)
            cv2.polylines(picture, [points], False, 255, pen, cv2.LINE_AA)
    return picture


def on_paper(picture: UInt8) -> UInt8:
    light = np.linspace(1, 0.6, picture.shape[1])[None]
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip((225 - 0.75 * picture) * light + noise, 0, 255).astype(np.uint8)


def reading(page: Page, signs: Places) -> str:
    """Which signs' places were found, in reading order: the sign in whose box each found middle lies."""
    lines = []
    for line in page.lines:
        text = ""
        for prepared in line:
            assert prepared.box is not None and prepared.digit is not None
            x, y = prepared.box.x + prepared.box.width / 2, prepared.box.y + prepared.box.height / 2
            under = [s for s, left, top, h in signs if left - 5 <= x <= left + 0.6 * h + 5 and top <= y <= top + h]
            text += under[0] if len(under) == 1 else "?"
        lines.append(text)
    return "\n".join(lines)


def row(text: str, x: int, y: int, height: int, step: int, fall: float = 0.0) -> Places:
    """Signs in a row; `fall` is how far the line falls per pixel to the right."""
    return [(sign, x + i * step, round(y + fall * i * step), height) for i, sign in enumerate(text)]


TWO_ROWS = row("207", 80, 60, 120, 160) + row("7120", 60, 280, 120, 160)


@pytest.mark.parametrize(
    "ground", [np.array, np.bitwise_not, on_paper], ids=["white on black", "black on white", "paper"]
)
def test_lines_are_read_from_top_to_bottom_and_left_to_right(ground) -> None:
    assert reading(prepare_page(ground(written(TWO_ROWS))), TWO_ROWS) == "207\n7120"


@pytest.mark.parametrize(
    ("stroke", "lean"),
    [
        ([(0.4, 0.0), (0.0, 1.0)], 0.4),
        ([(0.0, 0.0), (0.3, 1.0)], -0.3),
        (SIGNS["1"][0], None),
        ([(0, 0.5), (1, 0.5)], None),
    ],
    ids=["a slash", "to the left", "a 1 with a flag", "a dash"],
)
def test_how_much_a_straight_stroke_leans(stroke: list[tuple[float, float]], lean: float | None) -> None:
    page = written(row("2", 80, 60, 120, 160) + row("0", 500, 60, 120, 160))
    points = np.rint(np.array(stroke) * 120 + (300, 60)).astype(np.int32)
    cv2.polylines(page, [points], False, 255, 7, cv2.LINE_AA)
    (line,) = prepare_page(on_paper(page)).lines
    assert line[1].lean == (None if lean is None else pytest.approx(lean, abs=0.03))
    assert line[0].lean is line[2].lean is None


@pytest.mark.parametrize("sign", ["0", "1", "2", "7"])
def test_how_long_all_strokes_of_a_digit_are(sign: str) -> None:
    height, pen = 200, 9
    (((one,),)) = prepare_page(on_paper(written([(sign, 120, 100, height)], pen=pen))).lines
    along = sum(np.linalg.norm(np.diff(stroke, axis=0), axis=1).sum() for stroke in SIGNS[sign])
    assert one.length == pytest.approx(along * height / (height + pen), rel=0.08)


@pytest.mark.parametrize("wide", [60, 160])
def test_digits_under_the_shadow_of_a_hand_and_a_phone_are_found(wide: int) -> None:
    signs = row("2072712", 40, 150, 60, 80)
    light = np.ones((400, 640), np.float32)
    cv2.line(light, (200, 420), (330, 200), 0.4, wide // 2)
    cv2.rectangle(light, (330, 60), (330 + wide, 300), 0.4, -1)
    paper = on_paper(written(signs, light.shape, 5)) * cv2.GaussianBlur(light, (0, 0), 6)
    judge = knowing(*(written([sign], light.shape, 5) for sign in signs))
    assert reading(prepare_page(paper.astype(np.uint8), judge=judge), signs) == "2072712"


@pytest.mark.parametrize(
    "lines",
    [[((30, 10), (52, 640))], [((30, 10), (52, 640)), ((42, 10), (64, 640))]],
    ids=["a margin", "a double margin"],
)
def test_a_line_far_longer_than_all_digits_are_high_is_left_out(lines: list[tuple[tuple[int, int], ...]]) -> None:
    page = written(TWO_ROWS, (660, 900))
    for start, end in lines:
        cv2.line(page, start, end, 255, 3, cv2.LINE_AA)
    assert reading(prepare_page(on_paper(page)), TWO_ROWS) == "207\n7120"
    assert sum(len(line) for line in prepare_page(on_paper(page)).lines) == 7


@pytest.mark.parametrize("margin", [(60, 90), (200, 340), (300, 500)])
@pytest.mark.parametrize("table", [25, 90])
def test_a_full_sheet_on_a_table_is_read_and_not_the_table(margin: tuple[int, int], table: int) -> None:
    down, across = margin
    sheet = on_paper(written(TWO_ROWS))
    picture = cv2.copyMakeBorder(sheet, down, down, across, across, cv2.BORDER_CONSTANT, value=table)
    there = [(sign, x + across, y + down, height) for sign, x, y, height in TWO_ROWS]
    assert reading(prepare_page(np.asarray(picture, np.uint8)), there) == "207\n7120"


def laid_on_table(
    sheet: UInt8, margin: int, far: float = 1.0, table: int = 50
) -> tuple[UInt8, npt.NDArray[np.float64]]:
    """A sheet on a table, its upper edge as long as this share of its lower one; and the perspective, as a matrix."""
    height, width = sheet.shape
    across = (1 - far) / 2 * width
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = np.array([[across, 0], [width - across, 0], [width, height], [0, height]], np.float32) + margin
    matrix = cv2.getPerspectiveTransform(flat, seen)
    size = width + 2 * margin, height + 2 * margin
    picture = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_AREA, borderValue=float(table))
    return np.asarray(picture, np.uint8), matrix


@pytest.mark.parametrize("far", [1.0, 0.7, 0.55])
def test_a_sheet_that_is_seen_from_the_side_is_read_and_not_the_table(far: float) -> None:
    sheet = np.where(written(TWO_ROWS) > 127, 60, 220).astype(np.uint8)
    picture, matrix = laid_on_table(sheet, 150, far)
    page = prepare_page(picture)
    back = np.linalg.inv(matrix)
    found = ""
    for prepared in (one for line in page.lines for one in line):
        box = prepared.box
        assert box is not None
        x, y, z = back @ (box.x + box.width / 2, box.y + box.height / 2, 1)
        found += "".join(
            sign for sign, left, top, h in TWO_ROWS if left < x / z < left + 0.6 * h and top < y / z < top + h
        )
    assert found == "2077120"


@pytest.mark.parametrize("margin_line", [False, True])
def test_the_ruling_of_a_sheet_on_a_table_is_taken_away(margin_line: bool) -> None:
    """No line goes right across the picture, and on the sheet only one goes down, where the margin begins."""
    sheet = np.where(written(TWO_ROWS) > 127, 60, 220).astype(np.uint8)
    printed = np.full_like(sheet, 220)
    printed[30::45] = printed[31::45] = 150
    if margin_line:
        printed[:, 40:42] = 150
    picture, _ = laid_on_table(np.minimum(sheet, printed), 150)
    there = [(sign, x + 150, y + 150, height) for sign, x, y, height in TWO_ROWS]
    assert reading(prepare_page(picture), there) == "207\n7120"


def test_small_squares_with_strong_lines_are_taken_away() -> None:
    """Nearly half of a small copy of the picture is lines."""
    picture = np.where(written(TWO_ROWS) > 127, 30, 220).astype(np.uint8)
    squares = np.full_like(picture, 220)
    for i in range(3):
        squares[7 + i :: 22] = 120
        squares[:, 7 + i :: 22] = 120
    assert reading(prepare_page(np.minimum(picture, squares)), TWO_ROWS) == "207\n7120"


def test_a_pen_stays_where_it_runs_along_a_printed_line() -> None:
    picture = np.full((600, 900), 225, np.uint8)
    picture[40::60] = picture[41::60] = 170
    line = next(y for y in range(300, 400) if picture[y, 0] == 170)
    picture[line - 2 : line, 300:420] = 60  # the foot of a sign
    ink = find_ink(picture, Settings(), 2048)
    foot = ink.mask[line - 3 : line + 3, 300:420].any(0)
    assert foot.mean() > 0.95
    assert not ink.mask[line - 3 : line + 3, :290].any()


def test_crumbs_between_two_cuts_are_no_piece() -> None:
    """Where printed lines are left in pieces, there may be nothing between two cuts but what is too small to count."""
    crumbs = np.zeros((60, 60), bool)
    crumbs[5::6, 5::6] = True
    nothing = np.zeros_like(crumbs)
    assert _piece(crumbs, nothing, 2.0, 60) is None


@pytest.mark.parametrize(("across", "soft"), [(60, 20), (90, 20), (90, 40)])
@pytest.mark.parametrize("table", [45, 80])
def test_a_hands_shadow_across_the_sheets_edge_is_no_digit(across: int, soft: int, table: int) -> None:
    """Where the shadow ends, a piece of the dark band along the edge stands alone, and is as slim as a 1."""
    sheet = on_paper(written(TWO_ROWS))
    down, (height, width) = 60, sheet.shape
    picture = cv2.copyMakeBorder(sheet, 0, down, 0, across, cv2.BORDER_CONSTANT, value=table)
    light = np.ones(picture.shape, np.float32)
    hand = [
        (picture.shape[1] // 2, height + down),
        (picture.shape[1] // 2 + 60, height - 120),
        (width - 60, height - 150),
    ]
    hand += [(width + across, height - 60), (width + across, height + down)]
    cv2.fillConvexPoly(light, np.array(hand), 0.5)
    noise = np.random.default_rng(1).normal(0, 2, picture.shape)
    taken = np.clip(picture * cv2.GaussianBlur(light, (0, 0), soft) + noise, 0, 255).astype(np.uint8)
    assert reading(prepare_page(taken), TWO_ROWS) == "207\n7120"


def test_what_is_beside_a_part_is_paper_on_all_sides_of_a_stroke_and_on_one_of_an_edge() -> None:
    brightness = np.full((200, 300), 220, np.uint8)
    brightness[:, :100] = 60  # a table
    mask = np.zeros_like(brightness)
    mask[50:110, 94:100] = 255  # along the sheet's edge, on the table
    mask[50:110, 200:206] = 255
    brightness[mask > 0] = 60
    strength = np.asarray(cv2.bitwise_not(brightness), np.uint8)
    ink = Ink(strength, mask, 1.0, 0.0, 0.0, True, tuple, brightness)
    edge, stroke = sorted(find_parts(ink, mask, 5.0).all, key=lambda part: part.x)
    # Beside are two pixels on each side, so 64 x 10 - 60 x 6 of them; of those, two columns are paper.
    assert edge.dark_beside == pytest.approx(1 - 2 * 64 / (64 * 10 - 60 * 6))
    assert stroke.dark_beside == 0
    assert is_edge(edge, *mask.shape)
    assert not is_edge(stroke, *mask.shape)


def test_a_window_is_cut_out_of_all_that_is_known_of_the_ink() -> None:
    picture = on_paper(written(TWO_ROWS))
    ink = find_ink(picture, Settings(), 1024)
    window = slice(40, 190), slice(220, 330)
    part = find_parts(ink, ink.mask, 5.0).all
    inside = [p for p in part if 220 < p.x < p.right < 330 and 40 < p.y < p.bottom < 190]
    local = ink.within(window)
    again = find_parts(local, local.mask, 5.0).all
    assert [(p.x + 220, p.y + 40, p.dark_beside) for p in again] == [(p.x, p.y, p.dark_beside) for p in inside]
    assert local.brightness is not None
    np.testing.assert_array_equal(local.brightness, ink.brightness[window], strict=True)


@pytest.mark.parametrize("fall", [-0.25, -0.1, 0.1, 0.25])
def test_slanting_lines_are_told_apart(fall: float) -> None:
    """At 0.25 the last digit of one line is as low as the first of the next."""
    signs = row("20712", 40, 200, 80, 130, fall) + row("71207", 40, 340, 80, 130, fall)
    assert reading(prepare_page(written(signs, (640, 760), 6)), signs) == "20712\n71207"


def test_lines_that_bend() -> None:
    x = np.arange(8) * 100 + 40
    signs = [("2", int(v), round(150 + 60 * np.sin(v / 250) + 140 * k), 70) for k in range(2) for v in x]
    assert reading(prepare_page(written(signs, (520, 900), 5)), signs) == "22222222\n22222222"


@pytest.mark.parametrize("sign", list(SIGNS))
def test_each_sign_is_one_digit_though_the_pen_was_lifted(sign: str) -> None:
    """The bar of this 5 does not touch it, this 4 is open, and the loops of this 8 are apart."""
    signs = row(f"0{sign}2", 60, 120, 120, 170)
    page = prepare_page(on_paper(written(signs, (360, 640), 7)))
    assert [len(line) for line in page.lines] == [3]
    box = page.lines[0][1].box
    assert box is not None
    extent = np.concatenate([np.array(s) for s in SIGNS[sign]])
    assert box.height == pytest.approx(np.ptp(extent[:, 1]) * 120 + 7, abs=5), "nothing of it was left out"


def five(top: float, end: float, pen: int) -> UInt8:
    """A 5 whose top was drawn with a second stroke, from one place to another as shares of its height."""
    picture = np.zeros((300, 900), np.uint8)
    for stroke in (SIGNS["5"][0], [(top, -0.02), (end, -0.12)]):
        points = np.rint(np.array(stroke) * 110 + (600, 90)).astype(np.int32)
        cv2.polylines(picture, [points], False, 255, pen, cv2.LINE_AA)
    return picture


def test_a_top_that_reaches_far_to_the_right_is_the_fives() -> None:
    """Together they are wider than digits are."""
    others, last = written(row("207", 60, 90, 130, 150), (300, 900)), five(0.5, 1.6, 7)
    assert cv2.connectedComponents(last)[0] == 3
    page = prepare_page(others | last, judge=knowing(others, last))
    box = page.lines[0][-1].box
    assert len(page.lines[0]) == 4 and box is not None
    assert box.x + box.width == pytest.approx(600 + 1.6 * 110, abs=6)


def test_a_piece_is_no_blot_beside_a_digit_with_the_same_pen() -> None:
    """However fine the page's other digits are."""
    page = prepare_page(written(row("207", 60, 90, 130, 150), (300, 900)) | five(0.3, 0.7, 18))
    assert [len(line) for line in page.lines] == [4]
    box = page.lines[0][-1].box
    assert box is not None and box.x + box.width == pytest.approx(600 + 0.7 * 110 + 9, abs=4)


def test_a_pen_that_runs_dry_leaves_one_digit() -> None:
    signs = row("272", 60, 120, 120, 170)
    picture = written(signs, (360, 640), 8)
    for y in range(130, 240, 24):
        picture[y : y + 7, 215:330] = 0
    page = prepare_page(on_paper(picture))
    assert reading(page, signs) == "272"
    box = page.lines[0][1].box
    assert box is not None and box.height > 115, "all of its pieces"


def test_a_part_in_two_lines_is_not_joined() -> None:
    """Small digits one above the other, no further apart than the loops of an 8, are two."""
    signs = [("2", 60, 60, 60), ("0", 60, 150, 60), ("2", 160, 60, 60), ("7", 160, 150, 60)]
    assert reading(prepare_page(written(signs, (280, 300), 6)), signs) == "22\n07"


@pytest.mark.parametrize("apart", [0, 30], ids=["side by side", "apart"])
def test_digits_that_stand_high_and_low_in_a_row_of_boxes_are_one_line(apart: int) -> None:
    signs: Places = []
    frames = np.zeros((500, 900), np.uint8)
    for line, text in enumerate(("207", "712")):
        for i, sign in enumerate(text):
            x, y = 60 + i * (150 + apart), 40 + line * 220
            cv2.rectangle(frames, (x, y), (x + 150, y + 160), 120, 2)
            signs.append((sign, x + 45, y + (15, 80)[i % 2], 65))
    assert reading(prepare_page(np.maximum(written(signs), frames)), signs) == "207\n712"


@pytest.mark.parametrize("turns", [2.5, 3.5, 6])
@pytest.mark.parametrize("pen", [3, 7])
def test_a_spiral_is_no_digit(turns: float, pen: int) -> None:
    t = np.linspace(0, 1, 400)
    angle = 2 * np.pi * turns * t
    points = np.stack([480 + 70 * t * np.cos(angle), 150 + 70 * t * np.sin(angle)], axis=1)
    spiral = np.zeros((300, 600), np.uint8)
    cv2.polylines(spiral, [np.rint(points).astype(np.int32)], False, 255, pen, cv2.LINE_AA)
    page = on_paper(written(row("28", 60, 90, 110, 150), (300, 600)) | spiral)
    assert [len(line) for line in prepare_page(page).lines] == [2]
    assert len(prepare_page(page, Settings(remove_specks=False)).lines[0]) > 2, "on request it is kept"


@pytest.mark.parametrize("kind", ["mnist", "builtin"])
def test_no_digit_is_taken_for_a_scrawl(kind: str, request: pytest.FixtureRequest) -> None:
    digits = request.getfixturevalue(kind).test_images[:1000]
    taken = 0
    for digit in digits:
        large = np.asarray(cv2.resize(digit, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC), np.uint8)
        ink = find_ink(255 - large, Settings(), 400)
        parts = find_parts(ink, ink.mask, 5)
        taken += any(is_scrawl(part, parts) for part in parts.all)
    assert taken == 0


@pytest.mark.parametrize(("wide", "zeros"), [(150, 0), (70, 1)], ids=["a box", "a 0 of straight strokes"])
def test_an_empty_box_is_no_digit(wide: int, zeros: int) -> None:
    signs = row("27", 60, 90, 110, 330)
    empty = np.asarray(cv2.rectangle(np.zeros((300, 600), np.uint8), (220, 70), (220 + wide, 220), 255, 4), np.uint8)
    page = prepare_page(on_paper(written(signs, (300, 600)) | empty))
    assert [len(line) for line in page.lines] == [2 + zeros]
    alone = prepare_page(on_paper(empty))
    assert [len(line) for line in alone.lines] == [1], "with nothing else it may be a 0"


@pytest.mark.parametrize("level", [64, 66, 68, 70])
@pytest.mark.parametrize("left", [128, 138])
def test_boxes_are_known_though_strong_strokes_hide_their_faint_lines(level: int, left: int) -> None:
    """What is ink is decided by the strongest ink near it: a faint printed line ends beside a digit."""
    signs = [("2", 45, 55, 70), ("4", left, 60, 75), ("7", 265, 60, 92), ("1", 375, 55, 70)]
    frames = np.zeros((220, 560), np.uint8)
    for i in range(4):
        cv2.rectangle(frames, (20 + 110 * i, 30), (130 + 110 * i, 150), level, 2)
    page = prepare_page(np.maximum(written(signs, (220, 560), 9), frames))
    assert reading(page, signs) == "2471"


def test_a_frame_around_two_lines_leaves_them_two() -> None:
    framed = written(TWO_ROWS)
    cv2.rectangle(framed, (30, 20), (870, 440), 255, 3)
    assert reading(prepare_page(framed), TWO_ROWS) == "207\n7120"


def barred(widths: list[int], turn: float = 0.0) -> UInt8:
    """Upright bars of these widths beside each other under two rows of digits, turned by some degrees."""
    picture = np.pad(written(TWO_ROWS), ((0, 300), (0, 0)))
    x = 100
    for width in widths:
        picture[560:720, x : x + width] = 255
        x += width + 12
    matrix = cv2.getRotationMatrix2D((450, 400), turn, 1)
    return np.asarray(cv2.warpAffine(picture, matrix, picture.shape[::-1]), np.uint8)


@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_a_barcode_is_not_read(turn: float) -> None:
    page = prepare_page(on_paper(barred([6, 18, 6, 6, 12, 24, 6, 12, 6, 18, 6, 12, 6], turn)))
    assert [len(line) for line in page.lines] == [3, 4]


def test_ones_of_one_pen_in_a_row_are_no_barcode() -> None:
    assert [len(line) for line in prepare_page(on_paper(barred([9] * 13))).lines] == [3, 4, 13]


def test_digits_of_very_different_size() -> None:
    signs = [("2", 60, 60, 260), ("0", 300, 170, 70), ("7", 420, 40, 290), ("1", 640, 200, 60)]
    assert reading(prepare_page(written(signs, pen=6)), signs) == "2071"


@pytest.mark.parametrize("count", [1, 2, 60, 200])
def test_from_one_digit_to_two_hundred(count: int) -> None:
    width = min(count, 20)
    signs = [("2", 30 + 60 * (i % width), 30 + 80 * (i // width), 50) for i in range(count)]
    page = prepare_page(on_paper(written(signs, (110 + 80 * (count // width), 60 * width + 60), 5)))
    assert sum(len(line) for line in page.lines) == count
    assert reading(page, signs) == "\n".join(["2" * width] * (count // width))


def test_touching_digits_are_split() -> None:
    picture = written([("2", 100, 100, 150), ("2", 186, 100, 150)], (350, 400), 9)
    assert cv2.connectedComponents(picture)[0] == 2, "background and one part"
    page = prepare_page(picture)
    assert [len(line) for line in page.lines] == [2]
    left, right = (p.box for p in page.lines[0])
    assert left is not None and right is not None
    assert left.x + left.width == pytest.approx(185, abs=20) == right.x
    assert [one.cut for one in page.lines[0]] == [True, True]
    apart = prepare_page(written([("2", 100, 100, 150), ("2", 216, 100, 150)], (350, 400), 9))
    assert [one.cut for one in apart.lines[0]] == [False, False]


def test_the_judge_decides_between_one_wide_digit_and_two() -> None:
    """These two touch, but are narrow enough to be one wide digit: whoever can read is asked."""
    picture = written([("7", 100, 100, 150), ("7", 160, 100, 150)], (350, 400), 9)
    asked: list[int] = []

    def judge(wide_is_sure: bool):
        def certainty(digits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
            asked.append(len(digits))
            wide = (digits > 0.5).any(1).sum(1) >= 18
            return np.where(wide == wide_is_sure, 0.98, 0.5)

        return certainty

    assert [len(line) for line in prepare_page(picture).lines] == [1]
    assert [len(line) for line in prepare_page(picture, judge=judge(False)).lines] == [2]
    assert [len(line) for line in prepare_page(picture, judge=judge(True)).lines] == [1]
    assert asked == [1, 8, 1, 8], "the whole, then what five cuts leave that is as large as a digit"


@pytest.mark.parametrize("first_is_higher", [True, False])
def test_digits_are_cut_apart_where_a_stroke_runs_into_another(first_is_higher: bool) -> None:
    """The end of the bar between them is one of the two digits', and all of it is as wide."""
    picture = np.zeros((350, 500), np.uint8)
    for x, higher in ((150, first_is_higher), (310, not first_is_higher)):
        cv2.ellipse(picture, (x, 175), (50, 80 if higher else 70), 0, 0, 360, 255, 9, cv2.LINE_AA)
    cv2.line(picture, (200, 175), (260, 175), 255, 9, cv2.LINE_AA)
    page = prepare_page(picture, judge=lambda digits: np.where((digits > 0.5).any(2).sum(1) > 15, 0.99, 0.1))
    left, right = (one.box for one in page.lines[0])
    assert left is not None and right is not None
    border = (left.x + left.width + right.x) / 2
    assert min(abs(border - 204.5), abs(border - 255.5)) < 9, "a pen's width from an end"


def knowing(*alone: UInt8) -> Callable[[Digits], npt.NDArray[np.float64]]:
    """A judge that is sure of what looks like one of some digits that stand alone, and of nothing else."""

    def softly(digits: Digits) -> npt.NDArray[np.float64]:
        return np.stack([scipy.ndimage.gaussian_filter(digit, 1.5).ravel() for digit in digits])

    known = softly(np.stack([digit for one in alone if (digit := prepare(one).digit) is not None]))

    def certainty(digits: Digits) -> npt.NDArray[np.float64]:
        alike = np.corrcoef(softly(digits), known)[: len(digits), len(digits) :].max(axis=1)
        return np.where(alike > 0.8, 0.97, 0.2)

    return certainty


def touching(text: str, lean: float = 0.0, wide: float = 1.35, height: int = 150) -> tuple[UInt8, list[UInt8]]:
    """Digits in a row that overlap a little, and each of them alone; `lean` is pixels to the right a pixel up."""
    row, alone = np.zeros((260, 160 * len(text) + 120), np.uint8), []
    for sign in text:
        one = np.zeros_like(row)
        for stroke in SIGNS[sign]:
            points = np.array(stroke) * height
            points[:, 0] = wide * points[:, 0] + lean * (height - points[:, 1]) + 60
            points[:, 1] += 60
            cv2.polylines(one, [np.rint(points).astype(np.int32)], False, 255, 9, cv2.LINE_AA)
        alone.append(one)
        apart = [np.roll(one, right, axis=1) for right in range(row.shape[1] - 320, 0, -1)] if row.any() else [one]
        row |= next((moved for moved in apart if np.count_nonzero(row & moved) > 60), apart[-1])
    return row, alone


@pytest.mark.parametrize(
    ("text", "lean"), [("02", 0.3), ("05", 0.3), ("52", 0.3), ("57", 0.3), ("55", 0.45), ("27", -0.25)]
)
def test_digits_that_lean_are_cut_along_their_slant(text: str, lean: float) -> None:
    picture, alone = touching(text, lean)
    assert [len(line) for line in prepare_page(picture, judge=knowing(*alone)).lines] == [2]


@pytest.mark.parametrize("text", ["202", "2027", "20722"])
def test_three_and_more_digits_that_touch_are_cut_apart(text: str) -> None:
    picture, alone = touching(text)
    assert cv2.connectedComponents(picture)[0] == 2
    assert [len(line) for line in prepare_page(picture, judge=knowing(*alone)).lines] == [len(text)]


@pytest.mark.parametrize("gap", [20, 35])
def test_an_equals_sign_is_no_part_of_the_one_after_it_and_breaks_no_line(gap: int) -> None:
    """Together they look like an open 4."""
    signs = [("7", 60, 60, 110), ("1", 240, 60, 110), ("2", 320, 60, 110), ("0", 60, 260, 110), ("1", 240, 260, 110)]
    picture = written(signs, (430, 460), 8)
    right = 240 - gap
    for y in (90, 120, 290, 320):
        cv2.line(picture, (right - 60, y), (right, y + 2), 255, 8, cv2.LINE_AA)
    for judge in (None, lambda digits: np.full(len(digits), 0.97)):
        page = prepare_page(on_paper(picture), judge=judge)
        places = [[one.box for one in line if one.box and one.box.height > 60] for line in page.lines]
        assert [[box.x for box in line] for line in places] == [
            pytest.approx([56, 236, 318], abs=8),
            pytest.approx([60, 236], abs=8),
        ]


@pytest.mark.parametrize("before", [True, False])
def test_a_dash_between_numbers_is_no_part_of_the_digit_it_is_near(before: bool) -> None:
    """Of a 1 it would make a 4 or a 7, as in 20-08-1998."""
    picture = written([("0", 60, 60, 110), ("1", 240, 60, 110), ("2", 420, 60, 110)], (240, 560), 8)
    without = [one.box.width for one in prepare_page(on_paper(picture)).lines[0] if one.box]
    left = 195 if before else 282
    cv2.line(picture, (left, 113), (left + 30, 116), 255, 8, cv2.LINE_AA)
    for judge in (None, lambda digits: np.full(len(digits), 0.97)):
        (line,) = prepare_page(on_paper(picture), judge=judge).lines
        assert [one.box.width for one in line if one.box] == without


def test_a_wide_nought_is_not_cut_through_its_loop() -> None:
    """Whoever is as sure of its halves as of the whole: they are a 2 and a 7, with a little good will."""
    nought = np.zeros((300, 400), np.uint8)
    cv2.ellipse(nought, (200, 150), (96, 60), 0, 0, 360, 255, 9, cv2.LINE_AA)
    open_nought = nought.copy()
    open_nought[195:, 150:162] = 0  # no loop any more

    def certainty(digits: Digits) -> npt.NDArray[np.float64]:
        return np.full(len(digits), 0.97)

    assert [len(line) for line in prepare_page(nought, judge=certainty).lines] == [1]
    assert [len(line) for line in prepare_page(open_nought, judge=certainty).lines] == [2]


def test_a_small_digit_of_two_strokes_beside_a_large_one_is_one() -> None:
    large = written([("0", 60, 60, 230)], (360, 420), 10)
    small = written([("5", 210, 150, 80)], (360, 420), 10)
    page = prepare_page(large | small, judge=knowing(large, small))
    boxes = [one.box for one in page.lines[0]]
    assert [box is not None and box.x + box.width for box in boxes] == pytest.approx([180, 259], abs=6)


@pytest.mark.parametrize("pen", [4, 9, 18])
def test_a_digit_beside_a_row_that_touches_is_as_large_as_those_in_it(pen: int) -> None:
    """Against the row's width it would be small: a piece of what is beside it, or with a thicker pen a blot."""
    picture, alone = touching("20722")
    end = int(np.flatnonzero(picture.any(0)).max())
    picture |= written([("7", end + 60, 60, 150)], picture.shape, pen)
    page = prepare_page(picture, judge=knowing(*alone))
    assert [[one.cut for one in line] for line in page.lines] == [[True] * 5 + [False]]


def test_narrow_digits_that_touch_are_cut_where_they_are_none_together() -> None:
    """Two 1s are no wider than one digit; whoever takes them for one digit is believed."""
    picture, alone = touching("11")
    rows, columns = np.nonzero(picture)
    assert np.ptp(columns) < 0.8 * np.ptp(rows)
    know = knowing(*alone)
    assert [len(line) for line in prepare_page(picture, judge=know).lines] == [2]
    assert [len(line) for line in prepare_page(picture, judge=lambda d: know(d).clip(0.6)).lines] == [1]


def test_a_wide_digit_is_not_split() -> None:
    wide = written([("0", 100, 100, 150)], (350, 400), 9)
    wide = np.asarray(cv2.resize(wide, None, fx=2.2, fy=1), np.uint8)
    assert [len(line) for line in prepare_page(wide).lines] == [1]


def test_specks_ruling_edges_and_holes_are_left_out() -> None:
    signs = row("20712", 120, 160, 110, 140)
    picture = on_paper(written(signs))
    picture[30::45] = np.minimum(picture[30::45], 150)
    for y in (90, 400):
        cv2.circle(picture, (40, y), 14, 30, -1)
    picture[440:443, 300:303] = 40
    cv2.fillPoly(picture, [np.array([[880, 0], [900, 0], [900, 500], [870, 500]])], 30)
    assert reading(prepare_page(picture), signs) == "20712"


def test_each_digit_has_all_its_steps_and_is_the_one_in_its_box() -> None:
    page = prepare_page(on_paper(written(TWO_ROWS)))
    assert [step.name for step in page.steps] == ["grey", "light", "polarity", "threshold"]
    for line in page.lines:
        for prepared in line:
            assert prepared.steps[:4] == page.steps
            assert [step.name for step in prepared.steps[4:]] == ["found", "cropped", "stroke", "scaled", "centred"]
            assert not prepared.problem
    sevens = page.lines[0][2].digit, page.lines[1][0].digit
    assert sevens[0] is not None and sevens[1] is not None
    assert np.corrcoef(sevens[0].ravel(), sevens[1].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_page_has_no_lines(level: int) -> None:
    page = prepare_page(np.full((400, 600), level, np.uint8))
    assert page.lines == ()
    assert "Nothing is." in page.steps[-1].sentence


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1)])
def test_pages_that_cannot_hold_a_digit(size: tuple[int, int]) -> None:
    assert prepare_page(np.zeros(size, np.uint8)).lines == ()


@settings(max_examples=80)
@given(
    picture=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70)),
    threshold=st.sampled_from([0.0, 0.2]),
)
def test_no_picture_raises(picture: UInt8, threshold: float) -> None:
    for line in prepare_page(picture, Settings(threshold=threshold)).lines:
        assert line and all(p.digit is not None and p.digit.shape == (28, 28) for p in line)


@pytest.mark.parametrize(("sure_of_pieces", "digits"), [(0.3, 1), (0.95, 4)])
def test_pieces_that_are_no_digits_make_one_together(sure_of_pieces: float, digits: int) -> None:
    """A pen that leaves gaps in a 0: four arcs, of which the judge makes something only together, or not."""
    picture = np.zeros((400, 400), np.uint8)
    for begin in (8, 98, 188, 278):
        cv2.ellipse(picture, (200, 200), (70, 110), 0, begin, begin + 74, 255, 6, cv2.LINE_AA)

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        around = images[:, 8:20, 12:16].sum((1, 2)) < 1  # nothing in the middle, and ink on both sides: the whole 0
        both = (images[:, 14, :12].max(1) > 0.3) & (images[:, 14, 16:].max(1) > 0.3)
        return np.where(around & both, 0.99, sure_of_pieces)

    assert sum(map(len, prepare_page(picture, judge=judge).lines)) == digits


def with_gaps(picture: UInt8, signs: Places, every: int, gap: int, upright: bool = False) -> UInt8:
    """The picture without what lies in level bands through these signs, and maybe in upright ones as well."""
    picture = picture.copy()
    for _, x, y, height in signs:
        for begin in range(every, height - gap, every):
            picture[y + begin : y + begin + gap, x - 10 : x + height] = 0
            if upright:
                picture[y - 10 : y + height + 10, x + begin : x + begin + gap] = 0
    return picture


def test_digits_of_which_there_are_only_pieces_are_read_beside_whole_ones() -> None:
    signs = row("2707", 60, 120, 150, 170)
    whole = written(signs, (400, 800), 8)
    alone = [written([sign], (400, 800), 8) for sign in signs]
    broken = with_gaps(whole, [signs[0], signs[2]], 36, 14, upright=True)
    page = prepare_page(broken, judge=knowing(*alone))
    assert reading(page, signs) == "2707"
    boxes = [one.box for one in page.lines[0]]
    assert all(box is not None and box.height > 140 for box in boxes), "all of their pieces"


def test_halves_of_digits_are_put_together_where_there_is_nothing_else() -> None:
    """Nothing on the page tells how large its digits are, but that the halves are none."""
    signs = row("2080", 60, 120, 150, 170)
    whole = written(signs, (400, 800), 8)
    alone = [written([sign], (400, 800), 8) for sign in signs]
    halves = with_gaps(whole, signs, 72, 8)
    assert reading(prepare_page(halves, judge=knowing(*alone)), signs) == "2080"


def test_small_signs_one_above_the_other_are_not_put_together_for_being_unclear() -> None:
    """Together they look no more like digits than alone."""
    signs = row("4242", 60, 60, 70, 90) + row("2424", 60, 150, 70, 90)
    page = prepare_page(written(signs, (300, 500), 6), judge=lambda digits: np.full(len(digits), 0.6))
    assert reading(page, signs) == "4242\n2424"


def test_a_small_digit_close_to_a_large_one_is_one_of_its_own() -> None:
    signs = [("1", 55, 55, 82), ("1", 95, 50, 150), ("7", 300, 50, 150)]
    picture = written(signs, (260, 450))
    alone = [written([sign], (260, 450)) for sign in signs]
    assert reading(prepare_page(picture, judge=knowing(*alone)), signs) == "117"


def test_two_lines_of_few_signs_are_not_one_digit() -> None:
    """The judge is sure of all of them together, as it may be of a word over three digits."""
    signs = row("00", 60, 40, 60, 60) + row("000", 60, 300, 60, 60)
    picture = written(signs, (420, 330))

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        inked = (images.max(2) > 0.3).astype(int)
        lines = (np.diff(inked, axis=1) == 1).sum(1)
        return np.where(lines > 1, 0.99, 0.7)

    assert reading(prepare_page(picture, judge=judge), signs) == "00\n000"


def test_the_top_of_a_five_is_not_taken_for_a_line_under_the_digit_above_it() -> None:
    """Its two strokes do not meet."""
    signs = [("0", 100, 30, 100), ("5", 95, 210, 100)]
    page = prepare_page(on_paper(written([("0", 300, 30, 100), *signs])))
    five = page.lines[1][0].box
    assert five is not None and five.y < 205, "its top is there"


def test_shreds_at_the_rim_are_no_digits() -> None:
    signs = row("20712", 120, 160, 110, 140)
    picture = written(signs)
    cv2.line(picture, (4, 60), (4, 100), 255, 5)
    expected = reading(prepare_page(written(signs)), signs)
    assert reading(prepare_page(picture), signs) == expected == "20712"


def test_parts_apart_are_one_digit_where_that_reads_better() -> None:
    """The bar of this 5 is a quarter of its height away: only whoever can read knows that it belongs to it."""
    picture = written(row("0", 60, 140, 120, 170) + row("2", 400, 140, 120, 170), (360, 640), 7)
    for stroke in (
        [(0.1, 0.1), (0.08, 0.45), (0.4, 0.42), (0.55, 0.7), (0.3, 1.0), (0.0, 0.95)],
        [(0.5, -0.1), (1, -0.12)],
    ):
        points = np.rint(np.array(stroke) * 120 + (220, 140)).astype(np.int32)
        cv2.polylines(picture, [points], False, 255, 7, cv2.LINE_AA)

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        low = (images > 0.3).any(2).sum(1) < 10  # nothing but the bar
        return np.where(low, 0.1, 0.99)

    assert [len(line) for line in prepare_page(picture, judge=judge).lines] == [3]


def test_a_wide_letter_in_a_word_is_not_cut_into_digits() -> None:
    """Two 7s that touch are cut, but not where a sign beside them is no digit."""
    touching = [("7", 100, 100, 150), ("7", 170, 100, 150)]
    picture = written(touching, (350, 600), 9)

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        ink = (images > 0.3).sum((1, 2))
        wide = (images > 0.5).any(1).sum(1) >= 18
        return np.where(wide | (ink > 130), 0.1, 0.9)

    assert [len(line) for line in prepare_page(picture, judge=judge).lines] == [2]
    cv2.rectangle(picture, (270, 110), (330, 245), 255, 9)
    cv2.line(picture, (270, 110), (330, 245), 255, 9)
    cv2.line(picture, (330, 110), (270, 245), 255, 9)
    cv2.line(picture, (300, 110), (300, 245), 255, 9)
    assert [len(line) for line in prepare_page(picture, judge=judge).lines] == [2], "one wide sign, and that beside it"


def test_a_zigzag_is_not_cut_into_strokes() -> None:
    picture = np.zeros((300, 500), np.uint8)
    points = [(60 + 40 * i, 80 + 120 * (i % 2)) for i in range(9)]
    cv2.polylines(picture, [np.array(points)], False, 255, 9, cv2.LINE_AA)

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return np.where((images > 0.5).any(1).sum(1) < 9, 0.99, 0.1)  # every stroke is a 1

    assert sum(map(len, prepare_page(picture, judge=judge).lines)) == 1


def test_a_line_of_scrawl_is_not_tried_for_digits() -> None:
    """It is as wide as a dozen digits; to try all cuts of some such lines would take seconds."""
    picture = np.zeros((200, 1100), np.uint8)
    points = [(40 + 25 * i, 50 + 80 * (i % 2)) for i in range(40)]
    cv2.polylines(picture, [np.array(points)], False, 255, 5, cv2.LINE_AA)
    asked: list[int] = []

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        asked.append(len(images))
        return np.full(len(images), 0.99)

    assert sum(map(len, prepare_page(picture, judge=judge).lines)) == 1
    assert not asked


def test_a_one_with_a_long_flag_is_not_cut_into_its_strokes() -> None:
    picture = np.zeros((300, 500), np.uint8)
    cv2.polylines(picture, [np.array([(40, 200), (215, 60), (235, 240)])], False, 255, 9, cv2.LINE_AA)

    def judge(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return np.where((images > 0.5).sum((1, 2)) < 70, 0.99, 0.1)  # every stroke is a 1

    assert sum(map(len, prepare_page(picture, judge=judge).lines)) == 1


def test_digits_across_the_edge_of_a_shadow_are_kept_apart() -> None:
    """A hand's shadow with a sharp edge reaches over half of a line, on a sheet with holes as dark as ink."""
    picture = 225 - 0.75 * written(TWO_ROWS, pen=9).astype(float)
    for y in (150, 350):
        cv2.circle(picture, (30, y), 14, 40.0, -1, cv2.LINE_AA)
    shade = np.ones_like(picture)
    cv2.fillPoly(shade, [np.array([(0, 0), (560, 0), (540, 140), (300, 170), (0, 100)])], 0.4)
    shaded = picture * cv2.GaussianBlur(shade, (0, 0), 8) + np.random.default_rng(0).normal(0, 2, picture.shape)
    page = prepare_page(np.clip(shaded, 0, 255).astype(np.uint8))
    assert reading(page, TWO_ROWS) == "207\n7120"


@pytest.mark.parametrize(("pairs", "asked_again"), [(6, True), (90, False)])
def test_a_page_of_writing_is_not_cut_at_every_sign(pairs: int, asked_again: bool) -> None:
    """Each pair of touching 7s is as wide as two digits; of so many, to try each cut would take seconds."""
    places = [(i % 10 * 200 + 20, i // 10 * 110 + 20) for i in range(pairs)]
    signs = [("7", x + aside, y, 70) for x, y in places for aside in (0, 33)]
    picture = written(signs, (20 + 110 * (-(-pairs // 10)), 2040), 5)
    asked: list[int] = []

    def judge(digits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        asked.append(len(digits))
        return np.full(len(digits), 0.9)

    prepare_page(picture, judge=judge)
    assert (sum(asked) > 2 * pairs) == asked_again

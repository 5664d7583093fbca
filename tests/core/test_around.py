"""What is drawn around and under a digit is no part of it."""

import cv2
import numpy as np
import pytest

from mnist_core.preprocess import Prepared, Settings, prepare
from mnist_core.segment import prepare_boxes, prepare_page
from tests.core.test_preprocess import EIGHT, FIVE, SEVEN, ZERO, Strokes, UInt8, drawn, likeness, on_paper

DIGITS = [ZERO, FIVE, SEVEN, EIGHT]


def box(picture: UInt8, low: tuple[int, int] = (30, 30), high: tuple[int, int] = (250, 250), pen: int = 5) -> UInt8:
    return np.asarray(cv2.rectangle(picture.copy(), low, high, 255, pen), np.uint8)


def circle(picture: UInt8, open_degrees: int = 0, pen: int = 9) -> UInt8:
    return np.asarray(
        cv2.ellipse(picture.copy(), (140, 140), (115, 120), 200, 0, 360 - open_degrees, 255, pen), np.uint8
    )


def line_under(picture: UInt8, gap: int = 30, pen: int = 10) -> UInt8:
    y = int(np.flatnonzero(picture.max(1)).max()) + gap
    return np.asarray(cv2.line(picture.copy(), (40, y), (240, y + 6), 255, pen, cv2.LINE_AA), np.uint8)


def found(prepared: Prepared) -> str:
    return next(step.sentence for step in prepared.steps if step.name == "found")


@pytest.mark.parametrize("strokes", DIGITS)
@pytest.mark.parametrize("draw", [box, circle, lambda p: circle(p, 8), line_under, lambda p: line_under(p, 60)])
def test_what_is_drawn_around_or_under_a_digit_is_left_out(strokes: Strokes, draw) -> None:
    plain = drawn(strokes, 12, side=130, at=(95, 65))
    prepared = prepare(on_paper(draw(plain)))
    assert likeness(prepared, prepare(on_paper(plain))) > 0.97
    assert found(prepared).endswith("What is drawn around or under it was left out.")
    assert prepared.hints == ()


def test_a_double_line_and_a_box_in_a_box() -> None:
    plain = drawn(FIVE, 10, side=110, at=(100, 70))
    for picture in (line_under(line_under(plain, 22, 6), 22, 6), box(box(plain), (12, 12), (268, 268))):
        assert likeness(prepare(on_paper(picture)), prepare(on_paper(plain))) > 0.97


def test_a_frame_stays_on_request() -> None:
    picture = on_paper(box(drawn(FIVE, 12, side=130, at=(95, 65))))
    kept = prepare(picture, Settings(remove_specks=False))
    assert kept.box is not None and kept.box.width > 200
    assert "around" not in found(kept)


def test_a_frame_without_anything_in_it_is_not_taken_away() -> None:
    prepared = prepare(on_paper(circle(np.zeros((280, 280), np.uint8))))
    assert prepared.box is not None and prepared.box.width > 200, "it may be a 0"


def test_a_speck_in_a_loop_does_not_make_it_a_frame() -> None:
    picture = drawn(ZERO, 16, side=200, at=(70, 40))
    speckled = np.asarray(cv2.circle(picture.copy(), (142, 140), 7, 255, -1), np.uint8)
    assert likeness(prepare(on_paper(speckled)), prepare(on_paper(picture))) > 0.97


@pytest.mark.parametrize("radius", [5, 8])
def test_a_speck_in_the_loop_of_a_nine_does_not_make_it_a_frame(radius: int) -> None:
    """It fills much of the loop."""
    loop = [(0.55, 0.2), (0.4, 0.03), (0.12, 0.06), (0.03, 0.25), (0.15, 0.42), (0.42, 0.4), (0.55, 0.2)]
    nine = drawn([[*loop, (0.45, 1.0)]], 9, side=130, at=(95, 65))
    page = np.hstack([nine, drawn(SEVEN, 9, side=130, at=(95, 65))])
    speckled = np.asarray(cv2.circle(page.copy(), (132, 95), radius, 255, -1), np.uint8)
    assert cv2.connectedComponents(speckled)[0] == 4, "the speck touches nothing"
    assert [len(line) for line in prepare_page(on_paper(speckled)).lines] == [2]


@pytest.mark.parametrize("depth", [10, 15, 20])
def test_a_faint_line_in_a_loop_does_not_make_it_a_frame(depth: int) -> None:
    """A piece of the ruling, for instance, that is only seen because the other digit is thin."""
    page = np.hstack([drawn(ZERO, 16, side=130, at=(95, 65)), drawn(SEVEN, 5, side=130, at=(95, 65))])
    paper = on_paper(page)
    paper[125:128, 130:158] -= np.uint8(depth)
    assert not page[115:138, 120:168].any(), "in the loop"
    assert [len(line) for line in prepare_page(paper).lines] == [2]


def test_the_foot_of_a_two_belongs_to_it() -> None:
    """Two strokes: the pen was lifted before the foot, which is as wide as the rest and near to it."""
    arch = [(0.0, 0.25), (0.2, 0.02), (0.5, 0.05), (0.6, 0.3), (0.3, 0.65), (0.05, 0.88)]
    foot = [(0.0, 1.0), (0.62, 1.0)]
    whole = prepare(on_paper(drawn([arch, foot], 12)))
    assert whole.box is not None and whole.box.height > 155
    assert "under it" not in found(whole)


def test_a_broken_six_is_not_a_frame_around_its_loop() -> None:
    stem = [(0.6, 0.0), (0.25, 0.2), (0.05, 0.6), (0.2, 0.98), (0.5, 0.98), (0.68, 0.78)]
    loop = [(0.62, 0.62), (0.45, 0.5), (0.28, 0.6)]
    prepared = prepare(on_paper(drawn([stem, loop], 14)))
    assert prepared.box is not None and prepared.box.height > 155


@pytest.mark.parametrize("apart", [0, 30])
def test_a_form_is_read_without_its_boxes(apart: int) -> None:
    page, places = np.zeros((260, 900), np.uint8), []
    for i, strokes in enumerate((FIVE, ZERO, SEVEN, EIGHT, FIVE)):
        x = 40 + i * (140 + apart)
        page |= drawn(strokes, 9, side=90, at=(x + 35, 80), size=page.shape)
        page = box(page, (x, 60), (x + 140, 200), 3)
        places.append((x, x + 140))
    (line,) = prepare_page(on_paper(page)).lines
    assert len(line) == len(places)
    for prepared, (left, right) in zip(line, places, strict=True):
        assert prepared.box is not None
        assert left < prepared.box.x and prepared.box.x + prepared.box.width < right
        assert 80 <= prepared.box.height <= 110


def touching_form() -> tuple[UInt8, UInt8, list[tuple[int, int, int, int]]]:
    """Digits that reach over the lines of their boxes, the same without the boxes, and where the digits are."""
    plain, boxes, places = np.zeros((260, 620), np.uint8), np.zeros((260, 620), np.uint8), []
    for i, (strokes, right, down) in enumerate(((FIVE, 30, 104), (SEVEN, 30, 120), (EIGHT, 85, 80))):
        x = 40 + i * 180
        plain |= drawn(strokes, 10, side=98, at=(x + right, down), size=plain.shape)
        boxes = box(boxes, (x, 60), (x + 140, 200), 3)
        places.append((x + right - 8, down - 8, 80, 114))
    return np.maximum(plain, boxes), plain, places


def test_writing_that_touches_its_box_is_cut_free() -> None:
    written, plain, places = touching_form()
    expected = [one for line in prepare_page(on_paper(plain)).lines for one in line]
    read = [one for line in prepare_page(on_paper(written)).lines for one in line]
    by_hand = [one for line in prepare_boxes(on_paper(written), places).lines for one in line]
    assert len(read) == len(by_hand) == len(expected) == 3
    for found, wanted in zip([*read, *by_hand], [*expected, *expected], strict=True):
        assert likeness(found, wanted) > 0.8, "where a line ran along a stroke, some of its edge is gone"


def test_a_row_of_boxes_a_little_turned_is_cut_free_where_digits_reach_over_its_lines() -> None:
    plain, boxes = np.zeros((260, 820), np.uint8), np.zeros((260, 820), np.uint8)
    for i, (strokes, right, down) in enumerate(((FIVE, -18, 75), (SEVEN, 30, 84), (EIGHT, 30, 106), (FIVE, 30, 76))):
        x = 60 + i * 140
        plain |= drawn(strokes, 9, side=92, at=(x + right, down), size=plain.shape)
        boxes = box(boxes, (x, 60), (x + 140, 200), 5)
    turn = cv2.getRotationMatrix2D((410, 130), 0.8, 1.0)
    written, alone = (
        prepare_page(on_paper(np.asarray(cv2.warpAffine(picture, turn, (820, 260)), np.uint8)))
        for picture in (np.maximum(plain, boxes), plain)
    )
    assert [len(line) for line in written.lines] == [len(line) for line in alone.lines] == [4]
    for found, wanted in zip(written.lines[0], alone.lines[0], strict=True):
        assert likeness(found, wanted) > 0.8


@pytest.mark.parametrize(
    ("strokes", "at"), [(FIVE, (36, 90)), (SEVEN, (110, 140)), (EIGHT, (168, 78)), (EIGHT, (110, 34))]
)
def test_a_digit_that_touches_its_circle_is_cut_free(strokes: Strokes, at: tuple[int, int]) -> None:
    plain = drawn(strokes, 12, side=110, at=at)
    written = circle(plain)
    assert cv2.connectedComponents(written)[0] == 2, "one connected part"
    prepared = prepare(on_paper(written))
    assert "around or under it" in found(prepared)
    assert likeness(prepared, prepare(on_paper(plain))) > 0.8


@pytest.mark.parametrize("inside", [((62, 222), (218, 58)), ((140, 22), (170, 90)), ((250, 140), (205, 125))])
def test_a_zero_with_a_slash_or_a_tail_is_no_circle(inside: tuple[tuple[int, int], tuple[int, int]]) -> None:
    zero = np.asarray(cv2.ellipse(np.zeros((280, 280), np.uint8), (140, 140), (100, 120), 0, 0, 360, 255, 14), np.uint8)
    zero = np.asarray(cv2.line(zero, *inside, 255, 14, cv2.LINE_AA), np.uint8)
    prepared = prepare(on_paper(zero))
    assert prepared.box is not None and prepared.box.height > 240 and prepared.box.width > 200


@pytest.mark.parametrize("sides", [4, 7])
def test_a_digit_of_straight_strokes_is_no_box(sides: int) -> None:
    """A 0 and an 8 as clocks show them."""
    picture = box(np.zeros((280, 280), np.uint8), (90, 40), (190, 240), 14)
    if sides == 7:
        picture = np.asarray(cv2.line(picture, (90, 140), (190, 140), 255, 14), np.uint8)
    prepared = prepare(on_paper(picture))
    assert prepared.box is not None and prepared.box.height > 200 and prepared.box.width > 100


def test_a_nought_with_a_tail_inside_is_no_circle_beside_digits_as_large_as_itself() -> None:
    plain = drawn(SEVEN, 9, side=130, at=(75, 65))
    tailed = np.zeros_like(plain)
    cv2.ellipse(tailed, (140, 130), (58, 65), 0, 0, 360, 255, 9, cv2.LINE_AA)
    cv2.polylines(tailed, [np.array([[150, 70], [140, 105], [128, 135]])], False, 255, 9, cv2.LINE_AA)

    def widths(*pictures: UInt8) -> list[int]:
        page = prepare_page(on_paper(np.hstack(pictures)))
        return [one.box.width for line in page.lines for one in line if one.box is not None]

    assert widths(plain, tailed, plain)[1] > 100
    assert widths(tailed)[0] < 60, "alone it may be a stroke with a circle around it"


@pytest.mark.parametrize("turn", [0.0, 0.02])
@pytest.mark.parametrize("wide", [0.5, 0.95])
def test_a_tables_lines_are_left_out_though_digits_touch_them(turn: float, wide: float) -> None:
    """Of a wide table the level lines go nearly right across the picture, as ruling does."""
    rows, columns, cell = 4, 5, 110
    low, across = rows * cell, columns * cell
    margin = round((across / wide - across) / 2)
    page = np.zeros((low + 160, across + 2 * margin), np.uint8)
    seven = cv2.resize(drawn(SEVEN, 20, side=180, at=(70, 50)), (cell, cell), interpolation=cv2.INTER_AREA)
    for row in range(rows):
        for column in range(columns):
            # Every other one reaches over the line to the left of it.
            x, y = margin + column * cell + (-35 if column % 2 else 0), 80 + row * cell
            page[y : y + cell, x : x + cell] = np.maximum(page[y : y + cell, x : x + cell], seven)
    for i in range(rows + 1):
        cv2.line(page, (margin, 80 + i * cell), (margin + across, 80 + i * cell), 255, 3)
    for i in range(columns + 1):
        cv2.line(page, (margin + i * cell, 80), (margin + i * cell, 80 + low), 255, 3)
    matrix = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), np.rad2deg(turn), 1)
    turned = np.asarray(cv2.warpAffine(page, matrix, page.shape[::-1]), np.uint8)
    lines = prepare_page(on_paper(turned)).lines
    assert [len(line) for line in lines] == [columns] * rows
    sevens = [likeness(one, prepare(np.asarray(seven))) for line in lines for one in line]
    assert min(sevens) > 0.75
    assert np.median(sevens) > 0.9


def test_a_one_with_specks_beside_it_is_no_margin() -> None:
    picture = np.zeros((280, 280), np.uint8)
    cv2.line(picture, (150, 30), (130, 250), 255, 7, cv2.LINE_AA)
    for x, y in ((60, 70), (220, 110), (70, 190), (210, 220)):
        cv2.line(picture, (x, y), (x + 5, y + 9), 255, 7, cv2.LINE_AA)
    box = prepare(on_paper(picture)).box
    assert box is not None and box.height > 210


@pytest.mark.parametrize("fall", [0, 0.025])
def test_digits_that_touch_the_line_under_them_are_cut_free(fall: float) -> None:
    plain = np.zeros((300, 700), np.uint8)
    for x, strokes in zip((70, 220, 370, 520), (SEVEN, EIGHT, ZERO, SEVEN), strict=True):
        plain |= drawn(strokes, 10, side=100, at=(x, 80 + round(fall * x)), size=plain.shape)
    lowest = int(np.flatnonzero(plain.max(1)).max()) + 2 - fall * 520
    ends = [(x, round(lowest + fall * x)) for x in (40, 660)]
    written = np.asarray(cv2.line(plain.copy(), *ends, 255, 8, cv2.LINE_AA), np.uint8)
    assert cv2.connectedComponents(written)[0] <= 4, "or nothing is put to the test"
    (expected,) = prepare_page(on_paper(plain)).lines
    (read,) = prepare_page(on_paper(written)).lines
    assert len(read) == len(expected) == 4
    for found, wanted in zip(read, expected, strict=True):
        assert likeness(found, wanted) > 0.8


def test_the_bar_of_a_digit_that_is_twice_as_wide_as_high_stays() -> None:
    wide = np.zeros((280, 280), np.uint8)
    cv2.polylines(wide, [np.array([(40, 100), (200, 90), (90, 180), (240, 182)], np.int32)], False, 255, 9, cv2.LINE_AA)
    box = prepare(on_paper(wide)).box
    assert box is not None and box.height > 85 and box.width > 190


def test_the_foot_of_a_broken_two_is_no_line_under_it() -> None:
    picture = np.zeros((280, 280), np.uint8)
    cv2.polylines(
        picture, [np.array([(70, 90), (100, 50), (160, 60), (170, 100)], np.int32)], False, 255, 7, cv2.LINE_AA
    )
    cv2.line(picture, (160, 125), (140, 150), 255, 7, cv2.LINE_AA)
    foot = [(60, 232), (66, 200), (92, 196), (100, 226), (60, 232), (230, 236)]
    cv2.polylines(picture, [np.array(foot, np.int32)], False, 255, 7, cv2.LINE_AA)
    box = prepare(on_paper(picture)).box
    assert box is not None and box.y + box.height > 230 and box.x + box.width > 225

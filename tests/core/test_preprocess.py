import json
from collections.abc import Callable
from dataclasses import Field, asdict, fields, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_core import _ink
from mnist_core._normalise import normalise, pen_width, stroke_width
from mnist_core._ruling import remove_ruling
from mnist_core.data import load
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Prepared, Settings, prepare

UInt8 = npt.NDArray[np.uint8]
STEPS = ["grey", "light", "polarity", "threshold", "found", "cropped", "stroke", "scaled", "centred"]
PLAIN = Settings(even_ink=False, even_stroke=False)

# Digits as strokes in a box of side 1: what each test draws, with a pen and on a ground of its own.
ZERO = [[(0.35, 0.0), (0.1, 0.2), (0.05, 0.6), (0.25, 0.95), (0.5, 0.95), (0.7, 0.6), (0.65, 0.2), (0.35, 0.0)]]
FIVE = [[(0.1, 0.0), (0.08, 0.42), (0.4, 0.38), (0.62, 0.6), (0.5, 0.95), (0.05, 0.98)], [(0.18, 0.0), (0.65, 0.02)]]
TWO = [[(0.05, 0.2), (0.3, 0.0), (0.5, 0.25), (0.0, 1.0), (0.55, 1.0)]]
SEVEN = [[(0.0, 0.02), (0.62, 0.0), (0.25, 1.0)]]
EIGHT = [[(0.6, 0.1), (0.3, 0.0), (0.1, 0.2), (0.6, 0.7), (0.4, 1.0), (0.1, 0.8), (0.6, 0.1)]]
Strokes = list[list[tuple[float, float]]]


def drawn(
    strokes: Strokes, pen: int = 16, side: int = 160, at: tuple[int, int] = (70, 60), size: tuple[int, int] = (280, 280)
) -> UInt8:
    """White strokes on black; `side` is the digit's height, `at` its left and top, `size` (height, width)."""
    picture = np.zeros(size, np.uint8)
    for stroke in strokes:
        points = np.rint(np.array(stroke) * side + at).astype(np.int32)
        cv2.polylines(picture, [points], False, 255, pen, cv2.LINE_AA)
    return picture


def on_paper(strokes: UInt8, paper: float = 220, ink: float = 40) -> UInt8:
    """Ink of these strokes on paper."""
    return np.rint(paper + (ink - paper) * (strokes / 255)).astype(np.uint8)


def likeness(one: Prepared, other: Prepared) -> float:
    """Correlation of two digit images; centring to whole pixels may have moved one of them by one."""
    assert one.digit is not None and other.digit is not None, (one.problem, other.problem)
    moved = (np.roll(one.digit, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1))
    return max(float(np.corrcoef(m.ravel(), other.digit.ravel())[0, 1]) for m in moved)


def centre_of_mass(digit: npt.NDArray[np.float32]) -> tuple[float, float]:
    rows, columns = np.mgrid[0:28, 0:28]
    return float((digit * rows).sum() / digit.sum()), float((digit * columns).sum() / digit.sum())


# --- the frame of 28 by 28


def test_a_bar_becomes_twenty_pixels_high_with_its_proportions_kept() -> None:
    picture = np.zeros((100, 100), np.uint8)
    picture[10:90, 45:55] = 255  # 80 high, 10 wide: a scale of 1/4
    digit = prepare(picture, PLAIN).digit
    assert digit is not None
    rows, columns = np.flatnonzero(digit.max(1) > 0.5), np.flatnonzero(digit.max(0) > 0.5)
    assert len(rows) == 20
    assert len(columns) in (2, 3), "2.5 pixels wide"


def test_the_frame_of_a_right_angle_by_hand() -> None:
    """An L of 40x20 with strokes of 4: in the box it is 20x10 with strokes of 2.

    Its mass by hand: the upright 20x2 has centre (row 9.5, column 0.5) and mass 40; the foot 2x8 has centre (18.5, 5.5)
    and mass 16. Together row (380 + 296) / 56 = 12.07, column (20 + 88) / 56 = 1.93. To have it at 14, the L moves by
    +1.93 -> 2 rows and +12.07 -> 12 columns, to rows 2 to 21, columns 12 to 21.
    """
    ink = np.zeros((40, 20), np.uint8)
    ink[:, :4] = ink[-4:] = 255
    digit, _ = normalise(ink, PLAIN)
    expected = np.zeros((28, 28), np.float32)
    expected[2:22, 12:14] = expected[20:22, 12:22] = 1
    np.testing.assert_allclose(digit, expected, atol=0.13, err_msg="edges may be a little soft")
    np.testing.assert_array_equal(digit > 0.5, expected > 0.5)


@pytest.mark.parametrize("strokes", [ZERO, FIVE, SEVEN, EIGHT])
def test_the_centre_of_mass_is_where_mnist_has_it(strokes: Strokes) -> None:
    digit = prepare(drawn(strokes)).digit
    assert digit is not None
    assert centre_of_mass(digit) == pytest.approx((14, 14), abs=0.51), "to the nearest pixel"


def test_without_centring_by_mass_the_box_is_in_the_middle() -> None:
    digit = prepare(drawn(SEVEN), replace(PLAIN, centre_by_mass=False)).digit
    assert digit is not None
    rows = np.flatnonzero(digit.max(1) > 0.5)
    assert (rows[0], rows[-1]) == (4, 23)


def test_nothing_is_pushed_out_of_the_frame() -> None:
    ink = np.zeros((40, 40), np.uint8)
    ink[-6:] = 255  # all the mass at the bottom, one hair at the top
    ink[:, 0:3] = 60
    digit, _ = normalise(ink, replace(PLAIN, box_side=28))
    assert digit.sum() == pytest.approx(ink.sum() / 255 * (28 / 40) ** 2, rel=0.02)


def test_box_side_and_aspect_can_be_changed() -> None:
    digit = prepare(drawn(SEVEN), replace(PLAIN, box_side=12, keep_aspect=False)).digit
    assert digit is not None
    assert len(np.flatnonzero(digit.max(0) > 0.3)) == pytest.approx(12, abs=1)
    assert len(np.flatnonzero(digit.max(1) > 0.3)) == pytest.approx(12, abs=1)


def test_a_slanting_digit_is_set_upright_on_request() -> None:
    slanting = drawn([[(0.5, 0.0), (0.0, 1.0)]])
    for straighten, expected in ((False, 10), (True, 3)):
        digit = prepare(slanting, Settings(straighten=straighten)).digit
        assert digit is not None
        assert len(np.flatnonzero(digit.max(0) > 0.5)) == pytest.approx(expected, abs=2)


# --- the pen


@pytest.mark.parametrize("width", [2, 3, 8, 15, 30])
def test_stroke_width_of_a_ring_is_what_it_was_drawn_with(width: int) -> None:
    y, x = np.mgrid[0:300, 0:300]
    ring = np.where(np.abs(np.hypot(x - 150, y - 150) - 100) < width / 2, 255, 0).astype(np.uint8)
    assert stroke_width(ring) == pytest.approx(width, rel=0.12, abs=0.7)


def test_stroke_width_of_nothing() -> None:
    assert stroke_width(np.zeros((5, 5), np.uint8)) == pen_width(np.zeros((5, 5), np.uint8)) == 0


def test_blots_and_specks_do_not_say_how_wide_a_pen_is() -> None:
    written = np.zeros((300, 300), np.uint8)
    cv2.line(written, (30, 40), (270, 60), 1, 10)
    alone = pen_width(written)
    assert alone == pytest.approx(10, rel=0.12)
    cv2.circle(written, (150, 200), 60, 1, -1)
    written[100:104:2, 10:250:8] = 1
    assert pen_width(written) == alone
    assert stroke_width(written) > 3 * alone


@pytest.mark.parametrize(("left", "good"), [(0.4, 0.97), (0.3, 0.7)], ids=["dark", "darker"])
def test_the_corner_of_a_shadow_behind_a_digit_is_no_ink(left: float, good: float) -> None:
    """Where a shadow goes on without ink, its own edge is the strongest that there is, and no stroke."""
    plain = on_paper(drawn(SEVEN, 8, 300, (250, 150), (600, 800)))
    shadow = np.ones(plain.shape)
    cv2.fillPoly(shadow, [np.array([(330, 150), (800, 330), (800, 600), (150, 600)])], left)
    picture = (plain * cv2.GaussianBlur(shadow, (0, 0), 14)).astype(np.uint8)
    assert likeness(prepare(picture), prepare(plain)) > good


@pytest.mark.parametrize("strokes", [ZERO, FIVE, SEVEN])
@pytest.mark.parametrize("pen", [3, 8, 24, 34])
def test_thin_and_heavy_pens_come_near_mnists(strokes: Strokes, pen: int) -> None:
    prepared = prepare(drawn(strokes, pen))
    assert prepared.digit is not None
    large = np.kron(prepared.digit, np.ones((8, 8), np.float32))
    assert 1.5 < stroke_width((large > 0.5).astype(np.uint8)) / 8 < 4.2
    assert likeness(prepared, prepare(drawn(strokes, 16))) > 0.75


def test_the_hole_of_a_heavy_digit_stays_open() -> None:
    prepared = prepare(drawn(ZERO, 40))
    assert prepared.digit is not None
    assert prepared.digit[12:16, 12:16].min() < 0.2


def test_hints_on_the_pen() -> None:
    assert prepare(drawn(ZERO, 1, 600, (60, 40), (700, 600))).hints == ("The pen is very thin.",)
    assert prepare(drawn(ZERO, 60)).hints == ("The pen is very heavy.",)


def test_a_ballpoint_needs_no_remark() -> None:
    assert prepare(drawn(ZERO, 4)).hints == ()


@pytest.mark.parametrize("blur", [0, 1, 2, 3, 12, 16])
def test_a_blurred_picture_is_said_to_be(blur: float) -> None:
    picture = on_paper(drawn(FIVE))
    hints = prepare(cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture).hints
    assert hints == (("The picture is blurred.",) if blur > 10 else ())


@pytest.mark.parametrize(("side", "hints"), [(10, ("The digit is very small.",)), (20, ())])
def test_a_very_small_digit_is_said_to_be(side: int, hints: tuple[str, ...]) -> None:
    large = on_paper(drawn(SEVEN, 16, 160, (80, 60)))
    small = cv2.resize(large, None, fx=side / 176, fy=side / 176, interpolation=cv2.INTER_AREA)
    sheet = np.full((100, 100), 220, np.uint8)
    sheet[40 : 40 + len(small), 40 : 40 + len(small)] = small
    assert prepare(sheet).hints == hints


@pytest.mark.parametrize(("ink", "hints"), [(202, ("The ink is very faint.",)), (160, ())])
def test_very_faint_ink_is_said_to_be(ink: float, hints: tuple[str, ...]) -> None:
    assert prepare(on_paper(drawn(SEVEN), 220, ink)).hints == hints


def test_ink_that_fades_is_strengthened() -> None:
    fading = (drawn([[(0.3, 0.0), (0.3, 1.0)]]) * np.linspace(1, 0.35, 280)[:, None]).astype(np.uint8)
    faded, evened = (prepare(fading, Settings(even_ink=on)).digit for on in (False, True))
    assert faded is not None and evened is not None
    assert faded[20].max() < 0.75 < 0.9 < evened[20].max()


# --- polarity


def _chalk(strokes: UInt8) -> UInt8:
    return on_paper(strokes, paper=50, ink=230)


def _falling(strokes: UInt8) -> UInt8:
    light = np.linspace(1, 0.3, strokes.shape[1])[None]
    return (on_paper(strokes, 240, 40) * light).astype(np.uint8)


def _shadowed(strokes: UInt8) -> UInt8:
    shadow = np.ones(strokes.shape)
    shadow[150:, 120:] = 0.55
    return (on_paper(strokes) * cv2.GaussianBlur(shadow, (0, 0), 6)).astype(np.uint8)


def _framed(strokes: UInt8) -> UInt8:
    picture = on_paper(strokes)
    picture[:12] = picture[-12:] = 5
    picture[:, :12] = picture[:, -12:] = 5
    return picture


def _beside_a_table(strokes: UInt8) -> UInt8:
    picture = on_paper(strokes)
    cv2.fillPoly(picture, [np.array([[0, 0], [30, 0], [20, 280], [0, 280]])], 45)
    return picture


def _ruled(strokes: UInt8) -> UInt8:
    picture = np.full(strokes.shape, 225, np.uint8)
    picture[10::28] = 165
    return np.minimum(picture, on_paper(strokes, 255, 40))


def _squared(strokes: UInt8) -> UInt8:
    picture = _ruled(strokes)
    picture[:, 5::28] = np.minimum(picture[:, 5::28], 165)
    return picture


def _noisy(strokes: UInt8) -> UInt8:
    noise = np.random.default_rng(0).normal(0, 9, strokes.shape)
    return np.clip(on_paper(strokes, 150, 70) + noise, 0, 255).astype(np.uint8)


def _faint(strokes: UInt8) -> UInt8:
    noise = np.random.default_rng(0).normal(0, 2, strokes.shape)
    return np.clip(on_paper(strokes, 190, 160) + noise, 0, 255).astype(np.uint8)


def _dirty(strokes: UInt8) -> UInt8:
    picture = on_paper(strokes)
    for x, y in np.random.default_rng(3).integers(3, 277, (40, 2)):
        if not strokes[max(0, y - 12) : y + 12, max(0, x - 12) : x + 12].any():
            picture[y : y + 2, x : x + 2] = 40
    return picture


def _with_a_dot(strokes: UInt8) -> UInt8:
    picture = 255 - strokes
    cv2.circle(picture, (270, 140), 5, 60, -1)
    return picture


def _jpeg(strokes: UInt8) -> UInt8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", on_paper(strokes), [cv2.IMWRITE_JPEG_QUALITY, 25])[1], 0))


GROUNDS: list[Callable[[UInt8], UInt8]] = [
    np.bitwise_not, on_paper, _chalk, _falling, _shadowed, _framed, _beside_a_table, _ruled, _squared, _noisy, _faint,
    _dirty, _with_a_dot, _jpeg,
]  # fmt: skip


@pytest.mark.parametrize("strokes", [ZERO, FIVE, SEVEN, EIGHT])
@pytest.mark.parametrize("ground", GROUNDS, ids=lambda g: g.__name__.strip("_"))
def test_a_digit_on_any_ground_is_the_digit_on_black(ground: Callable[[UInt8], UInt8], strokes: Strokes) -> None:
    white_on_black = drawn(strokes, 11)
    assert likeness(prepare(ground(white_on_black)), prepare(white_on_black)) > 0.93


@pytest.mark.parametrize(
    ("ground", "dark"),
    [(np.array, False), (np.bitwise_not, True), (_chalk, False), (_framed, True), (_beside_a_table, True)],
    ids=["white on black", "black on white", "chalk", "frame", "table"],
)
def test_polarity_is_told(ground: Callable[[UInt8], UInt8], dark: bool) -> None:
    step = prepare(ground(drawn(ZERO, 11))).steps[2]
    assert step.parameters["dark_ink"] is dark
    assert ("turned to white on black" in step.sentence) is dark


def test_polarity_set_by_hand_is_kept() -> None:
    black_on_white = np.bitwise_not(drawn(ZERO, 11))
    right, wrong = (prepare(black_on_white, Settings(polarity=way)) for way in ("dark", "light"))
    assert likeness(right, prepare(black_on_white)) == pytest.approx(1)
    assert wrong.digit is None or likeness(wrong, right) < 0.7


@pytest.mark.parametrize("strokes", [ZERO, FIVE, SEVEN, EIGHT])
@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (220, 40), (60, 200), (128, 150)])
@pytest.mark.parametrize("size", [280, 42])
def test_an_even_ground_saves_work_but_changes_nothing(strokes: Strokes, paper: int, ink: int, size: int) -> None:
    even = cv2.resize(on_paper(drawn(strokes), paper, ink), (size, size), interpolation=cv2.INTER_AREA)
    uneven = even.copy()
    uneven[0, 0] ^= 1  # one pixel is enough to look closer
    short, long = prepare(even), prepare(uneven)
    sentences = [step.sentence for one in (short, long) for step in one.steps if step.name == "light"]
    assert ["exactly the same" in sentence for sentence in sentences] == [True, False]
    assert likeness(short, long) > 0.985
    assert short.steps[2].parameters["dark_ink"] == long.steps[2].parameters["dark_ink"] == (ink < paper)


def on_table(sheet: UInt8, share: float, table: int, turn: float = 0) -> UInt8:
    """A sheet in the middle of a table, so wide as this share of the picture and turned by so many degrees."""
    height, width = sheet.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    matrix[:, 2] += np.array([width, height]) * (1 / share - 1) / 2
    size = round(width / share), round(height / share)
    return np.asarray(cv2.warpAffine(sheet, matrix, size, borderValue=table), np.uint8)


@pytest.mark.parametrize(("paper", "ink", "table"), [(220, 40, 30), (220, 40, 110), (40, 220, 200), (255, 0, 0)])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("turn", [0, 12])
def test_a_note_on_a_table_is_read_and_not_the_table(paper: int, ink: int, table: int, share: float, turn: int) -> None:
    written = drawn(FIVE, pen=14, side=150)
    picture = on_table(on_paper(written, paper, ink), share, table, turn)
    prepared = prepare(picture)
    assert likeness(prepared, prepare(np.where(on_table(written, share, 0, turn) > 127, 0, 255).astype(np.uint8))) > 0.9
    assert prepared.box is not None and prepared.box.height < 0.7 * share * len(picture), "the digit, not the note"


@pytest.mark.parametrize("strokes", [ZERO, EIGHT])
@pytest.mark.parametrize("pen", [20, 34, 44])
def test_a_heavy_digit_with_loops_is_not_taken_for_a_note(strokes: Strokes, pen: int) -> None:
    picture = on_paper(drawn(strokes, pen), 30, 220)
    step = next(step for step in prepare(picture).steps if step.name == "polarity")
    assert step.parameters["dark_ink"] is False


def test_a_loop_is_not_taken_for_the_digit() -> None:
    """The inside of a thin 0 is lighter ink on a darker ring to a program that guesses by the middle."""
    picture = on_paper(drawn(ZERO, 5))
    assert likeness(prepare(picture), prepare(drawn(ZERO, 5))) > 0.95


# --- light


@pytest.mark.parametrize(("paper", "ink", "becomes"), [(200, 30, "white"), (40, 220, "black"), (0, 255, "black")])
@pytest.mark.parametrize("even", [True, False], ids=["exactly even", "even but for one pixel"])
def test_what_even_light_changes_is_said(paper: int, ink: int, becomes: str, even: bool) -> None:
    picture = on_paper(drawn(SEVEN), paper, ink)
    picture[0, 0] ^= not even
    step = prepare(picture).steps[1]
    assert step.image[-1, -1] == (255 if becomes == "white" else 0)
    assert step.sentence.endswith(f" The background was set to {becomes}, and each pixel measured against it.")
    assert ("exactly" in step.sentence) is even


def test_a_heavy_stroke_is_not_hollowed() -> None:
    picture = on_paper(drawn([[(0.4, 0.05), (0.4, 0.95)]], pen=60))
    digit = prepare(picture, PLAIN).digit
    assert digit is not None
    assert digit[10:18, 13:15].min() > 0.95


def test_without_evening_out_the_shadow_stays() -> None:
    shadowed = _shadowed(drawn(SEVEN, 8))
    plain = prepare(drawn(SEVEN, 8))
    kept = prepare(shadowed, Settings(flatten_light=False, remove_specks=False))
    assert likeness(prepare(shadowed), plain) > 0.93
    assert kept.digit is None or likeness(kept, plain) < 0.7


# --- which parts are the digit


def test_the_bar_of_a_five_belongs_to_it() -> None:
    lifted = [FIVE[0], [(0.24, -0.12), (0.7, -0.1)]]
    box = prepare(drawn(lifted, 10)).box
    assert box is not None
    assert box.y == pytest.approx(60 - 0.12 * 160 - 5, abs=3), "up to the bar"


@pytest.mark.parametrize("gap", [4, 8])
def test_a_broken_stroke_stays_together(gap: int) -> None:
    whole = drawn(SEVEN, 14)
    broken = whole.copy()
    broken[120 : 120 + gap] = 0
    broken[170 : 170 + gap] = 0
    assert likeness(prepare(broken), prepare(whole)) > 0.9


def dashed(strokes: Strokes, pen: int, piece: float, gap: float) -> UInt8:
    """As `drawn`, by a pen that leaves gaps: pieces and gaps of these lengths, as shares of the digit's height."""
    picture = drawn([], pen)
    for stroke in strokes:
        points = np.array(stroke)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        for begin in np.arange(0, along[-1], piece + gap):
            at = np.linspace(begin, min(begin + piece, along[-1]), 8)
            x, y = (np.interp(at, along, points[:, axis]) for axis in (0, 1))
            picture = np.maximum(picture, drawn([list(zip(x.tolist(), y.tolist(), strict=True))], pen))
    return picture


@pytest.mark.parametrize(
    ("strokes", "pen", "piece", "gap"),
    [(TWO, 6, 0.3, 0.2), (TWO, 10, 0.3, 0.2), (SEVEN, 10, 0.2, 0.2), (EIGHT, 6, 0.2, 0.2), (EIGHT, 10, 0.2, 0.2)],
)
def test_the_pieces_that_a_pen_running_dry_leaves_are_one_digit(
    strokes: Strokes, pen: int, piece: float, gap: float
) -> None:
    """However far some of them lie from the longest, each is near the next one."""
    assert likeness(prepare(dashed(strokes, pen, piece, gap)), prepare(drawn(strokes, pen))) > 0.75


def test_strokes_side_by_side_are_not_the_pieces_of_one_digit() -> None:
    """As somebody counts, by a mark for each: together they are wider than a digit."""
    tally = [[(0.22 * i, 0.0), (0.22 * i, 0.6)] for i in range(5)]
    box = prepare(drawn(tally, 10)).box
    assert box is not None and box.width < 20


def test_dots_around_a_stroke_are_not_its_pieces() -> None:
    one = drawn([[(0.3, 0.0), (0.3, 1.0)]], 8)
    dotted = one.copy()
    for x, y in ((x, y) for x in (0.06, 0.54) for y in (0.05, 0.25, 0.45, 0.65, 0.85)):
        cv2.circle(dotted, (round(70 + 160 * x), round(60 + 160 * y)), 7, 255, -1, cv2.LINE_AA)
    assert prepare(dotted).box == prepare(one).box


def test_faint_ink_of_a_heavy_pen_is_no_shadow_if_it_winds_as_a_digit() -> None:
    ground = np.full((280, 280), 200.0)
    heavy = prepare(np.rint(ground - 40 * (drawn(SEVEN, 38) / 255)).astype(np.uint8))
    assert likeness(heavy, prepare(drawn(SEVEN, 38))) > 0.9


def test_specks_and_neighbours_are_left_out() -> None:
    alone = drawn(EIGHT, 10, 120, (150, 60), (260, 420))
    crowded = np.maximum(alone, drawn(SEVEN, 10, 120, (-45, 60), (260, 420)))
    crowded[230:234, 30:34] = 255
    prepared = prepare(crowded)
    assert likeness(prepared, prepare(alone)) > 0.99
    assert prepared.steps[4].parameters["left_out"] == 2


def test_all_ink_is_kept_on_request() -> None:
    crowded = drawn(EIGHT, 10, 120, (60, 60), (260, 420))
    crowded[100:140, 380:384] = 255
    box = prepare(crowded, Settings(remove_specks=False)).box
    assert box is not None
    assert box.x + box.width == 384


SEVERAL = "There is more than one digit in the picture; only one was used."


def test_two_digits_give_a_hint() -> None:
    two = np.maximum(drawn(EIGHT, 10, 120, (60, 60), (260, 420)), drawn(SEVEN, 10, 120, (260, 60), (260, 420)))
    prepared = prepare(two)
    assert prepared.several
    assert prepared.hints == (SEVERAL,)


def _wedge() -> list[tuple[int, int]]:
    """A dark corner, as a hand's shadow leaves it."""
    return [(0, 0), (150, 0), (0, 200)]


@pytest.mark.parametrize("what", ["shadow", "blot", "hair", "dot"])
def test_what_lies_beside_a_digit_is_not_called_a_second_one(what: str) -> None:
    picture = drawn(EIGHT, 10, 120, (220, 60), (260, 420))
    if what == "shadow":
        cv2.fillPoly(picture, [np.array(_wedge())], 90)
    elif what == "blot":
        cv2.ellipse(picture, (100, 120), (50, 45), 0, 0, 360, 200, -1)
    elif what == "hair":
        picture[:, 100] = 200
    else:
        cv2.circle(picture, (120, 120), 14, 255, -1)
    prepared = prepare(on_paper(picture))
    assert not prepared.several
    assert SEVERAL not in prepared.hints


def test_a_digit_that_touches_the_edge_is_read_and_said_to() -> None:
    cut = drawn(SEVEN, 16)[:200]
    prepared = prepare(cut)
    assert prepared.digit is not None
    assert "The digit touches the edge of the picture." in prepared.hints


@pytest.mark.parametrize("strokes", [ZERO, FIVE, SEVEN, EIGHT])
def test_a_tight_crop_loses_nothing(strokes: Strokes) -> None:
    picture = drawn(strokes, 16)
    x, y, width, height = cv2.boundingRect(picture)
    assert likeness(prepare(picture[y : y + height, x : x + width]), prepare(picture)) > 0.95


def test_ruling_is_taken_away_but_not_what_is_written_on_it() -> None:
    strength = np.zeros((300, 400), np.uint8)
    strength[20::40] = 60
    strength[120:180, 200:206] = 200
    mask = np.where(strength > 30, 255, 0).astype(np.uint8)
    _, without, lines = remove_ruling(strength, mask, 30)
    assert lines == 7
    assert not without[:, :195].any() and not without[:, 211:].any()
    assert without[120:180, 200:206].all(), "the stroke that crosses the ruling is whole"


def test_ruling_stays_on_request() -> None:
    picture = _ruled(drawn(SEVEN, 8))
    on, off = (prepare(picture, Settings(remove_ruling=way)).steps[3].parameters for way in (True, False))
    assert on["printed_lines"] == 10
    assert off["printed_lines"] == 0
    assert float(off["ink"]) > float(on["ink"])


# --- sizes


@pytest.mark.parametrize("factor", [0.3, 0.5, 2.0, 5.0])
def test_the_size_of_the_picture_does_not_matter(factor: float) -> None:
    picture = on_paper(drawn(FIVE, 14))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=method), np.uint8)
    assert likeness(prepare(scaled), prepare(picture)) > 0.95


@pytest.mark.parametrize("size", [(280, 280), (56, 56), (1700, 1200)])
def test_the_box_is_in_pixels_of_the_given_picture(size: tuple[int, int]) -> None:
    height, width = size
    picture = np.full(size, 255, np.uint8)
    x, y, w, h = round(0.4 * width), round(0.2 * height), max(3, round(0.06 * width)), round(0.6 * height)
    picture[y : y + h, x : x + w] = 0
    box = prepare(picture).box
    assert box is not None
    assert tuple(box) == pytest.approx((x, y, w, h), abs=max(2, max(size) / 500))


def test_small_pictures_are_not_blurred_away() -> None:
    small = np.asarray(cv2.resize(drawn(EIGHT, 12), (28, 28), interpolation=cv2.INTER_AREA), np.uint8)
    assert likeness(prepare(255 - small), prepare(drawn(EIGHT, 12))) > 0.93


@pytest.mark.parametrize("strokes", [ZERO, FIVE, SEVEN, EIGHT])
def test_a_prepared_digit_passes_nearly_unchanged(strokes: Strokes) -> None:
    first = prepare(drawn(strokes, 20))
    assert first.digit is not None
    second = prepare(np.rint(first.digit * 255).astype(np.uint8))
    assert likeness(first, second) > 0.97


def test_mnists_own_digits_pass_nearly_unchanged(mnist_dir: Path) -> None:
    images = load("mnist").test_images[:200]
    alike = np.array([likeness(prepare(image), Prepared((), image / np.float32(255), None)) for image in images])
    assert np.median(alike) > 0.97
    assert np.mean(alike > 0.9) > 0.95


# --- nothing to find


def _gradient(height: int, width: int) -> UInt8:
    return np.broadcast_to(np.linspace(90, 230, width), (height, width)).astype(np.uint8)


def _noise(height: int, width: int) -> UInt8:
    return np.random.default_rng(1).normal(170, 10, (height, width)).clip(0, 255).astype(np.uint8)


def _half_filled() -> UInt8:
    picture = np.full((280, 280), 255, np.uint8)
    picture[100:180] = 0
    return picture


@pytest.mark.parametrize("ground", [0, 60, 200, 255])
def test_a_blank_picture_is_not_said_to_have_strokes(ground: int) -> None:
    said = prepare(np.full((90, 90), ground, np.uint8)).steps[2].sentence
    assert said.startswith("No pen stroke stands out; ink is taken to be ")


@pytest.mark.parametrize(
    "picture",
    [on_table(np.full((200, 200), 255, np.uint8), 0.9, 0), _noise(280, 280), _half_filled()],
    ids=["filled canvas", "grain of blank paper", "a band too wide for a pen"],
)
def test_what_is_no_stroke_is_not_called_one(picture: UInt8) -> None:
    said = prepare(picture).steps[2].sentence
    assert "no pen stroke stands out" in said.lower()
    assert "strokes" not in said


def test_strokes_that_speak_against_the_answer_are_not_said_to_speak_for_it() -> None:
    polarity = _ink._Polarity(dark=True, evidence=-0.2, rim=0.9)
    step = _ink._polarity_step(_half_filled(), Settings(), polarity, written=True)
    assert step.sentence.startswith(
        "The strokes alone leave it open, but 90% of the rim is light: so the ink is darker."
    )


@pytest.mark.parametrize("size", [(28, 28), (90, 120), (280, 280), (700, 900)])
@pytest.mark.parametrize(
    "blank",
    [lambda h, w: np.zeros((h, w), np.uint8), lambda h, w: np.full((h, w), 255, np.uint8), _gradient, _noise],
    ids=["black", "white", "gradient", "noise"],
)
def test_nothing_is_found_where_nothing_is(blank: Callable[[int, int], UInt8], size: tuple[int, int]) -> None:
    prepared = prepare(blank(*size))
    assert prepared.digit is None and prepared.box is None
    assert prepared.problem.startswith("No digit found: ")


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1), (4, 4), (5, 4000)])
def test_pictures_that_cannot_hold_a_digit(size: tuple[int, int]) -> None:
    prepared = prepare(np.random.default_rng(0).integers(0, 256, size, np.uint8))
    assert prepared.digit is None
    assert "too" in prepared.problem
    assert [step.name for step in prepared.steps] == ["grey"]


@pytest.mark.parametrize(
    ("spread", "why"), [(0, "the picture is blank"), (3, "the picture is blank"), (40, "stands out from its noise")]
)
def test_noise_is_not_called_blank(spread: int, why: str) -> None:
    noise = np.random.default_rng(0).normal(128, spread, (400, 500))
    assert why in prepare(np.clip(noise, 0, 255).astype(np.uint8)).problem


def test_only_specks() -> None:
    picture = np.full((300, 300), 230, np.uint8)
    picture[50:53, 60:63] = picture[200:202, 120:123] = 30
    assert prepare(picture).problem == "No digit found: there are only specks in the picture."


def test_a_blot_is_no_digit() -> None:
    picture = np.full((300, 300), 230, np.uint8)
    cv2.circle(picture, (250, 60), 18, 40, -1)
    assert prepare(picture).problem == "No digit found: nothing in the picture is drawn with a pen's stroke."


@pytest.mark.parametrize("size", [(90, 70), (600, 500)])
def test_an_edge_is_no_digit(size: tuple[int, int]) -> None:
    """A dark table up to the middle of the picture, and paper from there."""
    picture = np.full(size, 220, np.uint8)
    picture[:, : size[1] // 2] = 20
    assert prepare(picture).digit is None


any_picture = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70))
any_settings = st.builds(
    Settings,
    flatten_light=st.booleans(), light_window=st.sampled_from([0, 0.05, 0.5]),
    polarity=st.sampled_from(["auto", "dark", "light"]),
    threshold=st.sampled_from([0, 0.3, 1]), noise_factor=st.floats(1, 20), soft_edges=st.booleans(),
    remove_specks=st.booleans(), speck_size=st.floats(0, 0.5), join_gap=st.floats(0, 1), crop=st.booleans(),
    even_ink=st.booleans(), even_stroke=st.booleans(), straighten=st.booleans(), keep_aspect=st.booleans(),
    box_side=st.integers(8, 28), centre_by_mass=st.booleans(),
)  # fmt: skip


def _allowed(f: Field[object]) -> st.SearchStrategy[object]:
    """Every value that a setting may have, as its own description says."""
    if f.type is bool:
        return st.booleans()
    if "choices" in f.metadata:
        return st.sampled_from(f.metadata["choices"])
    low, high = f.metadata["low"], f.metadata["high"]
    return st.integers(low, high) if f.type is int else st.floats(low, high)


@settings(max_examples=80)
@given(data=st.data(), strokes=st.sampled_from([ZERO, FIVE, SEVEN, EIGHT]), pen=st.integers(1, 30))
def test_a_digit_survives_any_settings(data: st.DataObject, strokes: Strokes, pen: int) -> None:
    values = {f.name: data.draw(_allowed(f), f.name) for f in fields(Settings)}
    values["heaviest"] = max(values["thinnest"], values["heaviest"])
    prepared = prepare(on_paper(drawn(strokes, pen)), Settings(**values))
    assert (prepared.digit is None) == bool(prepared.problem)
    assert all(np.min(step.image) >= 0 and np.isfinite(step.image).all() for step in prepared.steps)


def test_every_setting_says_what_it_is() -> None:
    """The sliders are made from these descriptions."""
    for f in fields(Settings):
        assert f.metadata["title"] and f.metadata["help"].endswith("."), f.name
        if f.type in (int, float):
            assert f.metadata["low"] <= f.default <= f.metadata["high"], f.name
        else:
            assert f.type is bool or f.default in f.metadata["choices"], f.name


@settings(max_examples=120)
@given(picture=any_picture, how=any_settings)
def test_no_picture_and_no_settings_raise(picture: UInt8, how: Settings) -> None:
    prepared = prepare(picture, how)
    assert (prepared.digit is None) == (prepared.box is None) == bool(prepared.problem)
    if prepared.digit is not None:
        assert prepared.digit.shape == (28, 28) and prepared.digit.dtype == np.float32
        assert 0 <= prepared.digit.min() <= prepared.digit.max() <= 1


# --- steps and settings


def test_every_step_is_kept_with_picture_and_sentence() -> None:
    prepared = prepare(on_paper(drawn(FIVE, size=(1200, 900))))
    assert [step.name for step in prepared.steps] == STEPS
    for step in prepared.steps:
        assert step.title and step.sentence.endswith(".") and step.parameters
        assert step.image.ndim == 2 and max(step.image.shape) <= 512
        json.dumps(dict(step.parameters))
    assert prepared.steps[-1].image is prepared.digit


def test_sentences_speak_of_the_picture() -> None:
    said = {step.name: step.sentence for step in prepare(_ruled(drawn(SEVEN, 5))).steps}
    assert "280 by 280" in said["grey"]
    assert "darker" in said["polarity"]
    assert "10 printed lines" in said["threshold"]
    assert "thin pen" in said["stroke"]
    assert "20 by 20" in said["scaled"]


def test_settings_survive_json() -> None:
    how = Settings(polarity="light", box_side=18, straighten=True)
    assert Settings(**json.loads(json.dumps(asdict(how)))) == how


BOUNDED = [f for f in fields(Settings) if "low" in f.metadata]


@pytest.mark.parametrize("f", BOUNDED, ids=lambda f: f.name)
@pytest.mark.parametrize("wrong", ["above", "below", "nan", "text", "bool"])
def test_settings_out_of_bounds_are_refused(f, wrong: str) -> None:
    values = {
        "above": f.metadata["high"] + 1, "below": f.metadata["low"] - 1, "nan": float("nan"), "text": "3", "bool": True,
    }  # fmt: skip
    with pytest.raises(DigitLabError, match=f.name):
        Settings(**{f.name: values[wrong]})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"flatten_light": 1}, "flatten_light has to be true or false"),
        ({"polarity": "both"}, "polarity"),
        ({"box_side": 20.0}, "whole number"),
        ({"thinnest": 4.0, "heaviest": 2.0}, "thinner than"),
    ],
)
def test_settings_of_the_wrong_kind_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(DigitLabError, match=message):
        Settings(**values)


def test_a_texture_without_paper_is_no_reason_to_stumble() -> None:
    """Every second pixel is white in rows and columns: of what is looked at to measure the paper nothing is light."""
    texture = np.zeros((140, 140), np.uint8)
    texture[1::2, 1::2] = 255
    prepare(texture, Settings(polarity="dark"))  # NumPy's warning of an empty mean would fail this


@pytest.mark.parametrize("pen", [2, 30])
def test_a_digit_that_is_not_cut_out_stays_small_however_its_pen_is_evened_out(pen: int) -> None:
    picture = np.zeros((280, 280), np.uint8)
    cv2.line(picture, (140, 90), (140, 190), 255, pen, cv2.LINE_AA)
    whole, cut = (prepare(picture, Settings(crop=crop)).digit for crop in (False, True))
    assert whole is not None and cut is not None
    high = [np.count_nonzero(digit.max(1) > 0.5) for digit in (whole, cut)]
    assert high[0] < 12 < 18 < high[1]

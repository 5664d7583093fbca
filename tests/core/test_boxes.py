"""Boxes that a person gives: which ink is whose, in which order, and what is no box."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Box, Prepared
from mnist_core.segment import MOST_BOXES, Page, check_boxes, prepare_boxes, prepare_page

UInt8 = npt.NDArray[np.uint8]
Stroke = Sequence[tuple[int, int]]

ONE: list[Stroke] = [[(20, 0), (20, 80)]]
SEVEN: list[Stroke] = [[(0, 0), (50, 0), (20, 80)]]
FIVE: list[Stroke] = [[(5, 0), (5, 38), (35, 36), (48, 58), (28, 80), (0, 76)], [(10, -8), (50, -10)]]


def paper(*signs: tuple[list[Stroke], int, int], size: tuple[int, int] = (300, 500), ink: int = 40) -> UInt8:
    picture = np.full(size, 230, np.uint8)
    for strokes, x, y in signs:
        for stroke in strokes:
            points = np.array(stroke, np.int32) + np.array((x, y), np.int32)
            cv2.polylines(picture, [points], False, ink, 6, cv2.LINE_AA)
    return picture


def digits(page: Page) -> list[Prepared]:
    return [one for line in page.lines for one in line]


def boxes(page: Page) -> list[Box]:
    return [one.box for one in digits(page) if one.box is not None]


def alike(one: Prepared, other: Prepared) -> float:
    """The cosine of the angle between two digit images: 1 if they are the same."""
    assert one.digit is not None and other.digit is not None
    return float((one.digit * other.digit).sum() / np.linalg.norm(one.digit) / np.linalg.norm(other.digit))


def in_a_photo(picture: UInt8) -> UInt8:
    """With light that falls off, and a camera's noise."""
    light = np.linspace(1, 0.6, picture.shape[1])[None]
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("taken", [np.asarray, in_a_photo], ids=["on a screen", "in a photo"])
def test_the_boxes_that_were_found_give_the_same_digits(taken: Callable[[UInt8], UInt8]) -> None:
    picture = taken(paper((FIVE, 40, 50), (SEVEN, 150, 50), (ONE, 250, 50), (SEVEN, 60, 180), (FIVE, 420, 190)))
    found = prepare_page(picture)
    again = prepare_boxes(picture, boxes(found))
    assert [len(line) for line in again.lines] == [3, 2]
    assert boxes(again) == boxes(found)
    assert min(alike(a, b) for a, b in zip(digits(found), digits(again), strict=True)) > 0.99


def test_lines_and_order_come_from_the_places_not_from_the_order_of_the_boxes() -> None:
    picture = paper((SEVEN, 60, 180), (ONE, 250, 50), (FIVE, 40, 50), (SEVEN, 170, 180))
    places = boxes(prepare_page(picture))
    assert boxes(prepare_boxes(picture, places[::-1])) == places


def test_a_box_keeps_the_size_that_a_person_gave_it() -> None:
    picture = paper((SEVEN, 60, 100))
    page = prepare_boxes(picture, [(40, 70, 120, 150)])
    assert boxes(page) == [Box(40, 70, 120, 150)]
    assert alike(digits(page)[0], digits(prepare_page(picture))[0]) > 0.99, "its digit is as large as ever"


def test_a_digit_is_whole_though_its_box_is_a_little_small() -> None:
    picture = paper((SEVEN, 60, 100))
    (tight,) = boxes(prepare_page(picture))
    page = prepare_boxes(picture, [(tight.x + 2, tight.y + 2, tight.width - 4, tight.height - 4)])
    assert alike(digits(page)[0], digits(prepare_page(picture))[0]) > 0.99


def test_two_boxes_cut_digits_that_touch() -> None:
    bar: list[Stroke] = [[(0, 40), (60, 40)]]
    joined = paper((ONE, 60, 100), (bar, 80, 100), (ONE, 120, 100))
    page = prepare_boxes(joined, [(60, 90, 38, 100), (132, 90, 30, 100)])
    upright = digits(prepare_page(paper((ONE, 60, 100))))[0]
    assert [alike(one, upright) > 0.8 for one in digits(page)] == [True, True]


def test_what_reaches_in_from_a_neighbour_is_left_out() -> None:
    picture = paper((SEVEN, 60, 100), (SEVEN, 122, 100))
    page = prepare_boxes(picture, [(50, 90, 80, 100)])  # the neighbour's bar begins inside of it
    assert alike(digits(page)[0], digits(prepare_page(paper((SEVEN, 60, 100))))[0]) > 0.99


def test_a_digit_inside_a_larger_box_is_both() -> None:
    picture = paper((ONE, 60, 100), (SEVEN, 120, 100))
    small, large = (70, 90, 20, 100), (50, 80, 150, 120)
    page = prepare_boxes(picture, [small, large])
    first, second = (next(one for one in digits(page) if one.box == box) for box in (small, large))
    assert alike(first, digits(prepare_page(paper((ONE, 60, 100))))[0]) > 0.99
    assert alike(first, second) < 0.8


def test_faint_ink_that_the_page_does_not_show_is_found_when_somebody_points_at_it() -> None:
    picture = paper((SEVEN, 60, 50), (SEVEN, 160, 50), (FIVE, 260, 50))
    picture = np.minimum(picture, paper((ONE, 60, 180), ink=200))
    assert len(digits(prepare_page(picture))) == 3
    (one,) = digits(prepare_boxes(picture, [(65, 170, 30, 100)]))
    assert one.box == Box(65, 170, 30, 100)
    assert alike(one, digits(prepare_page(paper((ONE, 60, 180))))[0]) > 0.9


def test_a_box_without_ink_has_no_digit_and_keeps_its_place() -> None:
    (one,) = digits(prepare_boxes(paper((SEVEN, 60, 50)), [(300, 150, 80, 80)]))
    assert one.digit is None
    assert one.box == Box(300, 150, 80, 80)
    assert one.problem.startswith("No digit found")


def test_a_box_beside_a_digit_does_not_get_its_end() -> None:
    picture = paper((SEVEN, 60, 50))  # its foot ends at (80, 130)
    (one,) = digits(prepare_boxes(picture, [(50, 140, 100, 60)]))
    assert one.digit is None


def test_what_is_known_is_not_done_again() -> None:
    picture = paper((FIVE, 40, 50), (SEVEN, 150, 50), (ONE, 250, 50))
    first, second, third = digits(prepare_page(picture))
    moved = Box(240, 40, 60, 100)
    page = prepare_boxes(picture, [moved, *boxes(prepare_page(picture))[:2]], known=(first, second, third))
    assert digits(page)[:2] == [first, second]
    assert digits(page)[2].box == moved
    assert alike(digits(page)[2], third) > 0.99


def test_no_boxes_are_no_lines() -> None:
    assert prepare_boxes(paper((SEVEN, 60, 50)), []).lines == ()


def test_the_judge_decides_between_the_page_and_the_box_by_itself() -> None:
    picture = paper((SEVEN, 60, 50))
    (place,) = boxes(prepare_page(picture))
    asked: list[int] = []

    def unsure(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        asked.append(len(images))
        return np.linspace(0.1, 0.2, len(images), dtype=np.float32)[::-1]

    (one,) = digits(prepare_boxes(picture, [place], judge=unsure))
    assert asked == [1, 2], "how sure of it, then which of the two"
    assert one.box == place


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((10.4, 20.6, 30.0, 40.0), Box(10, 21, 30, 40)),
        ((-20, -20, 50, 50), Box(0, 0, 30, 30)),
        ((90, 70, 50, 50), Box(90, 70, 10, 10)),
        ((-1e300, -1e300, 2e300, 2e300), Box(0, 0, 100, 80)),
    ],
)
def test_boxes_are_cut_off_at_the_picture(given: tuple[float, ...], kept: Box) -> None:
    assert check_boxes([given], (80, 100)) == (kept,)


@pytest.mark.parametrize(
    "box",
    [
        (math.nan, 0, 10, 10),
        (0, 0, math.inf, 10),
        (0, 0, 10**400, 10),
        (0, 0, 10),
        (0, 0, 10, 10, 10),
        (200, 0, 10, 10),
        (0, 0, 0, 10),
        (5, 5, -5, 5),
    ],
)
def test_what_is_no_box_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(DigitLabError):
        check_boxes([box], (80, 100))


def test_there_are_not_too_many_boxes_and_not_too_much_in_them() -> None:
    assert len(check_boxes([(0, 0, 2, 2)] * MOST_BOXES, (80, 100))) == MOST_BOXES
    with pytest.raises(DigitLabError, match="up to 400"):
        check_boxes([(0, 0, 2, 2)] * (MOST_BOXES + 1), (80, 100))
    with pytest.raises(DigitLabError, match="on top of each other"):
        check_boxes([(0, 0, 100, 80)] * 9, (80, 100))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(*[st.floats(-100, 400)] * 2, *[st.floats(0, 300)] * 2), max_size=6),
    st.sampled_from([(300, 500), (60, 90), (4, 300), (20, 20)]),
)
def test_any_boxes_give_digits_or_our_own_error(given: list[tuple[float, ...]], size: tuple[int, int]) -> None:
    picture = paper((SEVEN, 10, 10), (FIVE, 60, 20), size=size)
    try:
        page = prepare_boxes(picture, given)
    except DigitLabError:
        return
    for one in digits(page):
        assert one.box is not None
        assert one.digit is None or (one.digit.shape == (28, 28) and np.isfinite(one.digit).all())

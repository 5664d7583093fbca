from dataclasses import replace

import numpy as np
import pytest

from bench.fit_context import which_are_digits
from mnist_core._context import FEATURES, Lines, Sign, features, verdicts
from mnist_core.preprocess import Box

SURE, DOUBTFUL, HARDLY = 0.99, 0.6, 0.2


def row(probabilities: list[float], left: int = 0, top: int = 0, height: int = 30) -> list[Sign]:
    """Signs 20 pixels wide beside each other, 10 pixels apart."""
    return [
        Sign(Box(left + i * 30, top, 20, height), probability, probability > 0.88)
        for i, probability in enumerate(probabilities)
    ]


def read(*lines: list[Sign]) -> list[str]:
    return ["".join(str(int(one == "digit")) for one in line) for line in verdicts(lines)]


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([SURE], "1"),
        ([DOUBTFUL], "0"),
        ([SURE, SURE, SURE], "111"),
        ([SURE, DOUBTFUL, SURE], "111"),
        ([HARDLY, SURE, HARDLY, HARDLY], "0000"),
        ([], ""),
    ],
    ids=[
        "one digit", "one doubtful sign", "digits", "a doubtful one among digits",
        "what looks like a digit in a word", "nothing",
    ],
)  # fmt: skip
def test_what_is_read_of_a_line(probabilities: list[float], expected: str) -> None:
    assert read(row(probabilities)) == [expected]


def test_a_word_further_along_the_line_leaves_the_digits_alone() -> None:
    line = [*row([SURE, SURE, DOUBTFUL]), *row([HARDLY, SURE, HARDLY, HARDLY], left=250)]
    assert read(line)[0][:3] == "111"
    assert "1" not in read(line)[0][5:]


def test_a_doodle_that_is_larger_than_the_digits_before_it_is_not_read() -> None:
    assert read([*row([SURE] * 3), *row([HARDLY], left=90, height=75)]) == ["1110"]


def test_what_is_much_lower_than_the_digits_of_its_line_is_read_only_when_it_is_surer() -> None:
    digits, low = row([SURE] * 3), row([0.9], left=90, height=8)
    assert read([*digits, *row([0.9], left=90)]) == ["1111"]
    assert read([*digits, *low]) == ["1110"]


def test_a_lone_sign_counts_for_less_where_the_rest_of_the_page_is_no_digits() -> None:
    lone = row([0.95])
    assert read(lone, row([SURE] * 4, top=60)) == ["1", "1111"]
    assert read(lone, row([HARDLY] * 4, top=60)) == ["0", "0000"]


def test_what_was_cut_out_of_a_sign_among_doubtful_ones_has_to_be_surer() -> None:
    """Two strokes of a letter look like a 1 each."""

    def line(cut: bool) -> list[Sign]:
        first, second, third = row([DOUBTFUL, 0.97, 0.97])
        return [first, replace(second, cut=cut), replace(third, cut=cut)]

    assert read(line(cut=False))[0].endswith("11")
    assert read(line(cut=True))[0].endswith("00")


def test_digits_that_touch_are_read_though_they_were_cut_apart() -> None:
    assert read([replace(sign, cut=True) for sign in row([SURE] * 3)]) == ["111"]


def test_what_looks_like_a_digit_close_to_what_looks_like_none_at_all_is_a_letter() -> None:
    """An "o" is as good as a 0, and stands in a word."""

    def last_is_read(before: float, gap: int) -> bool:
        *others, last = row([SURE, SURE, before, 0.98])
        line = [*others, replace(last, box=Box(80 + gap, 0, 20, 30))]
        return verdicts([line, row([SURE] * 3, top=60)])[0][-1] == "digit"

    assert not last_is_read(before=0.11, gap=5)
    assert last_is_read(before=0.11, gap=25)
    assert last_is_read(before=HARDLY, gap=5)


def test_a_dash_close_to_a_digit_makes_it_no_letter() -> None:
    """Such as the loose top of a 5, for which all digits are equally likely too."""
    digit, other = row([SURE, 0.11])
    line = [digit, replace(other, box=Box(22, 0, 20, 30))]
    dashed = [digit, replace(other, box=Box(22, 0, 20, 14))]
    word = FEATURES.index("word")
    assert (features([line])[0][word], features([dashed])[0][word]) == (1, 0)


@pytest.mark.parametrize(
    ("top", "height", "right", "letters"),
    [(8, 16, SURE, 0), (8, 16, DOUBTFUL, 0), (14, 16, SURE, 1), (0, 30, SURE, 1), (8, 16, HARDLY, 1)],
    ids=["a plus", "before an unclear digit", "low on the line", "as high as digits", "before what is no digit"],
)
def test_a_plus_between_digits_makes_them_no_letters(top: int, height: int, right: float, letters: int) -> None:
    first, sign, last = row([SURE, 0.11, right])
    line = [first, replace(sign, box=Box(26, top, 20, height)), replace(last, box=Box(50, 0, 20, 30))]
    assert features([line])[:, FEATURES.index("word")].tolist() == [letters, 0, letters]


def sign_of_sum(*boxes: Box) -> list[Sign]:
    return [Sign(box, 0.11, False) for box in boxes]


UPPER, LOWER = Box(26, 8, 20, 4), Box(27, 18, 19, 4)


@pytest.mark.parametrize(
    "between",
    [sign_of_sum(Box(26, 8, 20, 16)), sign_of_sum(UPPER, LOWER), sign_of_sum(LOWER, UPPER)],
    ids=["a plus", "an equals sign in two pieces", "the lower piece first"],
)
def test_signs_of_a_sum_are_not_there_for_the_digits_beside_them(between: list[Sign]) -> None:
    first, _, last = row([SURE, 0.11, DOUBTFUL])
    last = replace(last, box=Box(50, 0, 20, 30))
    with_signs, without = features([[first, *between, last]]), features([[first, last]])
    assert with_signs[[0, -1]] == pytest.approx(without)


@pytest.mark.parametrize("sign", [sign_of_sum(UPPER, LOWER), sign_of_sum(Box(26, 8, 20, 16))], ids=["=", "+"])
@pytest.mark.parametrize("last", [True, False])
def test_a_sum_may_end_with_its_sign_and_a_telephone_number_begin_with_one(sign: list[Sign], last: bool) -> None:
    digits = row([SURE, SURE], left=-30 if last else 50)
    with_sign = features([[*digits, *sign]])[:2]
    assert with_sign == pytest.approx(features([digits]))


def test_a_cross_before_what_is_no_digit_may_be_a_letter() -> None:
    digits, letter = row([SURE, SURE], left=-30), row([0.11], left=50)
    cross = sign_of_sum(Box(26, 8, 20, 16))
    assert features([[*digits, *cross, *letter]])[:2] != pytest.approx(features([[*digits, *letter]])[:2])


@pytest.mark.parametrize(
    ("top", "height", "expected"),
    [(22, 12, "111011"), (0, 12, "111111"), (10, 20, "111111")],
    ids=["a comma", "as high up as digits", "a low digit"],
)
def test_a_comma_is_not_read_though_it_looks_like_a_1(top: int, height: int, expected: str) -> None:
    digits = row([SURE] * 6)
    small = replace(digits[3], box=Box(94, top, 6, height), sure=0.9999)
    assert read([*digits[:3], small, *digits[4:]]) == [expected]


def test_an_unclear_low_digit_half_way_up_is_no_plus() -> None:
    digits = row([SURE] * 6)
    small = replace(digits[2], box=Box(60, 3, 20, 24), sure=0.45, accepted=False)
    assert read([*digits[:2], small, *digits[3:]]) == ["111111"]


def test_signs_without_a_box_stand_alone() -> None:
    assert read([Sign(None, SURE, True), Sign(None, DOUBTFUL, False)], row([SURE, SURE])) == ["10", "11"]


@pytest.mark.parametrize(
    ("length", "width", "expected"),
    [(4.0, 30, "1101"), (2.5, 30, "0000"), (4.0, 60, "0000")],
    ids=["scribbled over", "a letter", "a word"],
)
def test_digits_beside_what_is_crossed_out_are_no_letters(length: float, width: int, expected: str) -> None:
    lefts, sure = (0, 28, 56, 62 + width), (SURE, SURE, 0.1, SURE)
    line = [Sign(Box(x, 0, 22, 30), p, p > 0.88) for x, p in zip(lefts, sure, strict=True)]
    line[2] = replace(line[2], box=Box(56, 0, width, 30), length=length)
    assert read(line) == [expected]


@pytest.mark.parametrize(
    ("length", "sure", "expected"),
    [(3.0, 0.3, "11011"), (3.0, 0.7, "11111"), (2.4, 0.3, "11111")],
    ids=["crossed out", "a digit with loops", "a digit that is hard to read"],
)
def test_a_crossed_out_digit_among_digits_is_not_read(length: float, sure: float, expected: str) -> None:
    line = row([SURE] * 5)
    line[2] = replace(line[2], sure=sure, accepted=False, length=length)
    assert read(line) == [expected]


def date(written: str, stroke: int = 36, lean: float | None = 0.4, gap: int = 10) -> list[Sign]:
    """A number with a 1 that leans for every slash; its digits are 30 high, and its ones 8 wide and upright."""
    line, x = [], 0
    for sign in written:
        box = Box(x, 15 - stroke // 2, 16, stroke) if sign == "/" else Box(x, 0, 8 if sign == "1" else 20, 30)
        digit, leaning = (1, lean) if sign == "/" else (int(sign), None)
        line.append(Sign(box, SURE, True, digit=digit, lean=leaning))
        x += box.width + gap
    return line


@pytest.mark.parametrize("written", ["24/12/2026", "12/24/2026", "1/2/99", "31/1/2026", "2026/11/29", "11/11/11"])
def test_the_strokes_of_a_date_are_no_ones(written: str) -> None:
    (told,) = verdicts([date(written)])
    assert told == tuple("stroke" if sign == "/" else "digit" for sign in written)


@pytest.mark.parametrize(
    "line",
    [
        date("24/12/2026", stroke=30),
        date("24/12/2026", lean=0.05), date("24/12/2026", lean=None), date("24/12/2026", lean=-0.4),
        date("34/12/2026"), date("24/13/2026"), date("0/12/2026"), date("24/12/202"),
        date("12/34"), date("24/12/2026", gap=60), date("123/12/2026"),
    ],
    ids=[
        "no higher than the digits", "upright", "bent", "to the left", "no day", "no month", "no day either", "no year",
        "one stroke", "far apart", "more digits",
    ],
)  # fmt: skip
def test_ones_of_other_numbers_are_read(line: list[Sign]) -> None:
    assert read(line) == ["1" * len(line)]


def test_strokes_of_dates_are_alike() -> None:
    line = date("24/12/2026")
    assert "0" not in read([*line[:5], replace(line[5], lean=0.8), *line[6:]])[0]


@pytest.mark.parametrize(
    ("heights", "are"),
    [((30, 36), True), ((30, 31), False), ((28, 40), False)],
    ids=["on average", "hardly", "too low"],
)
def test_one_stroke_of_a_date_may_be_no_higher_than_the_digits(heights: tuple[int, int], are: bool) -> None:
    line = date("24/12/2026")
    for place, height in zip((2, 5), heights, strict=True):
        box = line[place].box
        assert box is not None
        line[place] = replace(line[place], box=box._replace(height=height))
    assert ("stroke" in verdicts([line])[0]) == are


def test_the_features_are_what_a_hand_works_out() -> None:
    lines: Lines = [row([0.5, SURE]), row([SURE], top=60, height=60)]
    (first, second, third) = features(lines)
    near = np.exp(-10 / (1.2 * 30))
    assert first == pytest.approx([0, near / (near + 0.25), 0, 1, 0, 0, 0, 0])
    assert second == pytest.approx([np.log(99), 0, np.log(45 / 30), 0.5, 0, 0, 0, 0])
    assert third == pytest.approx([np.log(99), 0, np.log(60 / 45), 0.5, 1, 0, 0, 0])
    assert len(first) == len(FEATURES)


def test_a_word_is_signs_that_stand_close_together() -> None:
    """Heights of 30: 9 pixels are close, 10 are not. Of the three in the middle one is nothing."""
    lefts, sure = (0, 30, 59, 88, 130), (SURE, SURE, 0.11, SURE, SURE)
    line = [Sign(Box(x, 0, 20, 30), p, p > 0.88) for x, p in zip(lefts, sure, strict=True)]
    nothing, word = FEATURES.index("nothing"), FEATURES.index("word")
    found = features([line])
    assert found[:, nothing].tolist() == [0, 0, 1, 0, 0]
    assert found[:, word].tolist() == [0, 1, 0, 1, 0], "the one that is nothing has no other beside it"


@pytest.mark.parametrize(
    ("signs", "written", "expected"),
    [("123", "123", "111"), ("1723", "123", "1011"), ("13", "123", "11"), ("173", "123", "111"), ("7", "", "0")],
)
def test_signs_are_aligned_with_what_was_written(signs: str, written: str, expected: str) -> None:
    assert "".join("01"[one] for one in which_are_digits(list(signs), written)) == expected

import pytest

from mnist_core._context import legible
from mnist_core.preprocess import Box

SURE, DOUBTFUL, HARDLY = 0.99, 0.6, 0.2


def row(count: int, gap: int = 10) -> list[Box | None]:
    """Signs 20 pixels wide and 30 high beside each other."""
    return [Box(i * (20 + gap), 0, 20, 30) for i in range(count)]


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([SURE], "1"),
        ([DOUBTFUL], "0"),
        ([SURE, SURE, SURE], "111"),
        ([SURE, DOUBTFUL, SURE], "111"),
        ([SURE, HARDLY, SURE], "101"),
        ([HARDLY, SURE, HARDLY, HARDLY], "0000"),
        ([SURE, SURE, SURE, HARDLY], "1110"),
        ([], ""),
    ],
    ids=[
        "one digit", "one doubtful sign", "digits", "a doubtful one among digits", "what hardly is one among digits",
        "what looks like a digit in a word", "digits before a doodle", "nothing",
    ],
)  # fmt: skip
def test_what_is_read_of_a_line(probabilities: list[float], expected: str) -> None:
    accepted = [p > 0.88 for p in probabilities]
    assert "".join("01"[read] for read in legible(row(len(probabilities)), probabilities, accepted)) == expected


def test_a_word_further_along_the_line_leaves_the_digits_alone() -> None:
    boxes = [*row(3), *(Box(250 + 30 * i, 0, 20, 30) for i in range(4))]
    probabilities = [SURE, SURE, DOUBTFUL, HARDLY, SURE, HARDLY, HARDLY]
    read = legible(boxes, probabilities, [p > 0.88 for p in probabilities])
    assert read == (True, True, True, False, False, False, False)


def test_signs_without_a_box_stand_alone() -> None:
    assert legible([None, None], [SURE, DOUBTFUL], [True, False]) == (True, False)

"""Digits are spoken of as people do."""

from mnist_core.wording import a_digit


def test_only_the_eight_takes_an() -> None:
    assert [a_digit(digit) for digit in range(10)] == [
        "a 0", "a 1", "a 2", "a 3", "a 4", "a 5", "a 6", "a 7", "an 8", "a 9",
    ]  # fmt: skip

"""Digits and probabilities are spoken of as people do."""

from mnist_core.wording import a_digit, as_written, share


def test_only_the_eight_takes_an() -> None:
    assert [a_digit(digit) for digit in range(10)] == [
        "a 0", "a 1", "a 2", "a 3", "a 4", "a 5", "a 6", "a 7", "an 8", "a 9",
    ]  # fmt: skip


def test_a_small_probability_is_not_rounded_to_nothing_nor_up() -> None:
    told = [share(probability) for probability in (0.0, 0.0004, 0.0006, 0.00099, 0.001, 0.0016, 0.123, 0.9994, 1.0)]
    assert told == [*["less than 0.1%"] * 4, "0.1%", "0.2%", "12.3%", "99.9%", "100.0%"]


def test_what_a_person_wrote_formats_nothing() -> None:
    assert as_written("page 7-1.png") == "page 7-1.png"
    assert as_written("*a*_$x$:+1:[b](c)<i>&`d`") == r"\*a\*\_\$x\$\:+1\:\[b\]\(c\)&lt;i&gt;&amp;\`d\`"

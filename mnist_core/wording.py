"""Digits and probabilities in sentences."""


def a_digit(digit: int) -> str:
    """Return a digit with its article.

    Examples
    --------
    >>> a_digit(7), a_digit(8)
    ('a 7', 'an 8')
    """
    return f"{'an' if digit == 8 else 'a'} {digit}"


def share(probability: float) -> str:
    """Return a probability in percent with one decimal; a small one is not rounded to nothing.

    Examples
    --------
    >>> share(0.123), share(0.001), share(0.0004)
    ('12.3%', '0.1%', 'less than 0.1%')
    """
    return f"{probability:.1%}" if probability >= 0.001 else "less than 0.1%"

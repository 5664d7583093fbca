"""Digits, probabilities and people's own words in sentences."""

from html import escape

_FORMATS = r"\`*_{}[]()#|!~:$"


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


def as_written(text: str) -> str:
    r"""Return a person's words, such as a file's name, without what Markdown or HTML would make of them.

    Examples
    --------
    >>> print(as_written("*7*.png"))
    \*7\*.png
    """
    return "".join(f"\\{letter}" if letter in _FORMATS else letter for letter in escape(text, quote=False))

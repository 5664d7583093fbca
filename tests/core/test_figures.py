"""The figures show the numbers they were given, and nothing that a light or a dark page would not fit."""

import numpy as np
import pytest

from mnist_core.figures import ANSWER, GUESS, REST, RUNNER_UP, probability_bars


def probabilities(**given: float) -> np.ndarray:
    values = np.zeros(10, np.float32)
    for digit, value in given.items():
        values[int(digit[1:])] = value
    return values


def test_each_digit_has_its_bar() -> None:
    given = np.linspace(0.01, 0.19, 10).astype(np.float32)
    (bars,) = probability_bars(given).data
    assert list(bars.x) == [str(digit) for digit in range(10)]
    assert np.allclose(bars.y, given)


def test_answer_and_runner_up_stand_out() -> None:
    (bars,) = probability_bars(probabilities(d4=0.6, d9=0.35, d7=0.05)).data
    assert bars.marker.color[4] == ANSWER
    assert bars.marker.color[9] == RUNNER_UP
    assert {bars.marker.color[digit] for digit in (0, 1, 2, 3, 5, 6, 7, 8)} == {REST}


def test_a_mere_guess_has_not_the_colour_of_an_answer() -> None:
    (bars,) = probability_bars(probabilities(d0=0.69, d6=0.2, d2=0.11), accepted=False).data
    assert bars.marker.color[0] == GUESS
    assert set(bars.marker.color) == {GUESS, REST}


def test_without_a_digit_no_bar_stands_out() -> None:
    (bars,) = probability_bars(np.zeros(10, np.float32)).data
    assert set(bars.marker.color) == {REST}
    assert set(bars.text) == {""}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.004, ""), (0.0101, "1%"), (0.424, "42%"), (0.994, "99%"), (0.9951, ">99%"), (1.0, "100%")],
)
def test_rounding_claims_no_certainty(value: float, text: str) -> None:
    (bars,) = probability_bars(probabilities(d3=value, d1=1 - value)).data
    assert bars.text[3] == text


def test_colours_of_page_and_text_are_left_to_the_page() -> None:
    layout = probability_bars(probabilities(d1=1)).layout
    assert layout.paper_bgcolor is layout.plot_bgcolor is layout.font.color is None

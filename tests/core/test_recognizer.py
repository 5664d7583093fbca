import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import safetensors.numpy
import scipy.special

from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Prepared, Settings, prepare
from mnist_core.recognizer import Reading, Recognition, Recognizer, judge
from mnist_core.runs import Calibration, Run
from mnist_core.segment import Page
from mnist_core.training import TrainedNetwork

BLANK = np.full((80, 80), 230, np.uint8)


@pytest.fixture
def recognizer(tiny: Run) -> Recognizer:
    return Recognizer(tiny)


def enlarged(digit: np.ndarray, side: int = 140) -> np.ndarray:
    """Make a picture of a digit image: dark ink on white paper, with a margin."""
    return 255 - cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC)


def pictures(dataset: Dataset, n: int) -> list[np.ndarray]:
    return [enlarged(digit) for digit in dataset.test_images[:n]]


# --- the network's numbers


def test_scores_are_those_of_the_weights(recognizer: Recognizer, trained: TrainedNetwork, builtin: Dataset) -> None:
    digits = np.float32(builtin.test_images[:20] / 255)
    hidden = digits.reshape(20, 784) @ trained.weights["hidden_1/kernel"] + trained.weights["hidden_1/bias"]
    expected = np.maximum(hidden, 0) @ trained.weights["logits/kernel"] + trained.weights["logits/bias"]
    np.testing.assert_allclose(recognizer.logits(digits), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 2, 16, 17, 256, 257, 300])
def test_any_number_of_digits_gives_as_many_rows(n: int, recognizer: Recognizer) -> None:
    digits = np.random.default_rng(0).random((n, 28, 28), np.float32)
    scores = recognizer.logits(digits)
    assert (scores.shape, scores.dtype) == ((n, 10), np.dtype(np.float32))
    for row in {0, n // 2, n - 1} if n else set():
        np.testing.assert_allclose(scores[row], recognizer.logits(digits[row : row + 1])[0], rtol=1e-4, atol=1e-4)


def test_probabilities_are_calibrated_and_sum_to_one(recognizer: Recognizer) -> None:
    digits = np.random.default_rng(0).random((5, 28, 28), np.float32)
    probabilities = recognizer.probabilities(digits)
    temperature = recognizer.run.calibration.temperature
    assert temperature != 1.0
    expected = scipy.special.softmax(recognizer.logits(digits).astype(float) / temperature, axis=1)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_several_threads_get_their_own_answers(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(0)
    batches = [rng.random((n, 28, 28), np.float32) for n in (1, 3, 20, 1, 70, 2, 300, 5)]
    expected = [recognizer.logits(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(recognizer.logits, batches * 5))
    for ours, theirs in zip(found, expected * 5, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_run_is_loaded_by_name(tiny: Run) -> None:
    assert Recognizer.load("tiny").run.recipe == tiny.recipe
    with pytest.raises(DigitLabError, match="There is no run called 'nobody'"):
        Recognizer.load("nobody")


def test_damaged_weights_are_refused(tiny: Run, trained: TrainedNetwork) -> None:
    broken = dict(trained.weights) | {"logits/bias": np.full(10, np.nan, np.float32)}
    safetensors.numpy.save_file(broken, tiny.folder / "weights.safetensors")
    with pytest.raises(DigitLabError, match="hold values that are no numbers"):
        Recognizer(tiny)


# --- pictures


def test_pictures_of_digits_are_read(recognizer: Recognizer, builtin: Dataset) -> None:
    answers = list(recognizer.recognize_many(pictures(builtin, 100)))
    right = np.mean([one.digit == label for one, label in zip(answers, builtin.test_labels[:100], strict=True)])
    plain = recognizer.logits(np.float32(builtin.test_images[:100] / 255)).argmax(axis=1)
    straight = np.mean(plain == builtin.test_labels[:100])
    assert straight > 0.8
    assert right > straight - 0.12, "preparing the picture loses little"


def test_a_picture_is_prepared_and_then_answered(recognizer: Recognizer, builtin: Dataset) -> None:
    grey = pictures(builtin, 1)[0]
    answer = recognizer.recognize(grey)
    prepared = prepare(grey)
    assert prepared.digit is not None
    np.testing.assert_array_equal(answer.prepared.digit, prepared.digit)
    np.testing.assert_allclose(answer.probabilities, recognizer.probabilities(prepared.digit[None])[0], rtol=1e-5)
    assert answer.digit == answer.probabilities.argmax()
    assert answer.probability == answer.probabilities.max()
    assert answer.runner_up == np.argsort(answer.probabilities)[-2]


def test_settings_reach_the_preparation(recognizer: Recognizer, builtin: Dataset) -> None:
    grey = pictures(builtin, 1)[0]
    settings = Settings(centre_by_mass=False, box_side=26)
    expected = prepare(grey, settings).digit
    np.testing.assert_array_equal(recognizer.recognize(grey, settings).prepared.digit, expected)
    page = recognizer.read(grey, Settings(polarity="light")).page
    assert (
        next(step for step in page.steps if step.name == "polarity").parameters
        != next(step for step in recognizer.read(grey).page.steps if step.name == "polarity").parameters
    )


def test_many_pictures_are_answered_in_order_and_as_one_by_one(recognizer: Recognizer, builtin: Dataset) -> None:
    some = pictures(builtin, 5)
    some.insert(2, BLANK)

    def one_by_one() -> Iterator[np.ndarray]:
        yield from some

    many = list(recognizer.recognize_many(one_by_one()))
    assert [one.digit for one in many] == [recognizer.recognize(grey).digit for grey in some]
    assert many[2].digit is None
    assert list(recognizer.recognize_many([])) == []


def test_one_preparation_can_be_answered_by_two_runs(recognizer: Recognizer, tiny: Run, builtin: Dataset) -> None:
    other = Recognizer(dataclasses.replace(tiny, calibration=Calibration(5.0)))
    prepared = prepare(pictures(builtin, 1)[0])
    first, second = recognizer.answer(prepared), other.answer(prepared)
    assert first.prepared is second.prepared
    assert first.digit == second.digit
    assert first.probability > second.probability, "a higher temperature is less certain"


@pytest.mark.parametrize("paper", [0, 128, 255])
def test_a_blank_picture_gets_no_guess(paper: int, recognizer: Recognizer) -> None:
    answer = recognizer.recognize(np.full((60, 60), paper, np.uint8))
    assert (answer.digit, answer.runner_up, answer.accepted, answer.probability) == (None, None, False, 0.0)
    np.testing.assert_array_equal(answer.probabilities, np.zeros(10, np.float32), strict=True)
    assert answer.sentence == "No digit found."
    assert answer.reason == answer.prepared.problem
    assert answer.reason.startswith("No digit found")


# --- pages


def page_of(dataset: Dataset, rows: list[list[int]]) -> tuple[np.ndarray, list[list[int]]]:
    """Write digits on a page; each is named by its place among the test digits."""
    page = np.full((30 + 170 * len(rows), 30 + 150 * max(map(len, rows))), 255, np.uint8)
    for r, row in enumerate(rows):
        for c, place in enumerate(row):
            y, x = 30 + 170 * r, 20 + 150 * c
            page[y : y + 120, x : x + 120] = np.minimum(
                page[y : y + 120, x : x + 120], enlarged(dataset.test_images[place], 120)
            )
    return page, [[int(dataset.test_labels[place]) for place in row] for row in rows]


def test_a_page_is_read_line_by_line(recognizer: Recognizer, builtin: Dataset) -> None:
    grey, _ = page_of(builtin, [[0, 60, 120], [150, 200]])
    reading = recognizer.read(grey)
    assert [len(line) for line in reading.lines] == [3, 2]
    assert [len(line) for line in reading.page.lines] == [3, 2]
    for line, prepared in zip(reading.lines, reading.page.lines, strict=True):
        for one, its in zip(line, prepared, strict=True):
            assert one.prepared is its
            assert one.digit == recognizer.answer(its).digit
    boxes = [one.prepared.box for one in reading.recognitions]
    assert [box.x for box in boxes if box] == sorted(b.x for b in boxes[:3] if b) + sorted(b.x for b in boxes[3:] if b)


def test_an_empty_page_is_not_accepted(recognizer: Recognizer) -> None:
    reading = recognizer.read(BLANK)
    assert (reading.lines, reading.text, reading.accepted, reading.recognitions) == ((), "", False, ())


NOTHING = Prepared((), None, None, "")


def said(digit: int | None, accepted: bool = True) -> Recognition:
    return Recognition(digit, np.eye(10, dtype=np.float32)[digit or 0], accepted, "", NOTHING)


@pytest.mark.parametrize(
    ("lines", "text", "accepted"),
    [
        ([[said(1), said(2)], [said(3)]], "12\n3", True),
        ([[said(1), said(2, False)], [said(3)]], "1\n3", False),
        ([[said(1)], [said(2, False)], [said(0)]], "1\n0", False),
        ([[said(9, False)]], "", False),
        ([], "", False),
    ],
)
def test_the_text_holds_what_is_accepted(lines: list[list[Recognition]], text: str, accepted: bool) -> None:
    reading = Reading(tuple(map(tuple, lines)), Page((), ()))
    assert (reading.text, reading.accepted) == (text, accepted)
    assert [one.digit for one in reading.recognitions] == [one.digit for line in lines for one in line]


# --- how sure


def scores_for(probabilities: list[float]) -> np.ndarray:
    """Make class scores with these probabilities of a 3, a 4 and so on; what is left goes to the other digits."""
    full = np.full(10, (1 - sum(probabilities)) / (10 - len(probabilities)))
    full[3 : 3 + len(probabilities)] = probabilities
    return (np.log(full) + 10.0).astype(np.float32)


EASY, STRICT = Calibration(1.0, 0.5), Calibration(1.0, 0.9)
UNLIKE = "It is too unlike each of the ten digits"
TWO = "It looks like a 3 and like a 4"


def short_of(sure: str, digit: int, needed: str) -> str:
    return f": the network is {sure} sure of {digit}, and would have to be at least {needed} sure."


@pytest.mark.parametrize(
    ("probabilities", "calibration", "accepted", "sentence", "reason"),
    [
        ([0.99], EASY, True, "3, quite sure.", "It looks like a 3 and like no other digit."),
        ([0.951], STRICT, True, "3, quite sure.", "It looks like a 3 and like no other digit."),
        ([0.949, 0.05], STRICT, True, "3, fairly sure.", "It looks most like a 3, and a little like a 4."),
        ([0.501, 0.4], EASY, True, "3, fairly sure.", "It looks most like a 3, and a little like a 4."),
        ([0.89, 0.05], STRICT, False, "Probably 3, perhaps 4.", TWO + short_of("89%", 3, "90%")),
        ([0.8996, 0.05], STRICT, False, "Probably 3, perhaps 4.", TWO + short_of("89.96%", 3, "90.00%")),
        ([0.61, 0.2], STRICT, False, "Probably 3, perhaps 4.", TWO + short_of("61%", 3, "90%")),
        ([0.59, 0.4], STRICT, False, "3 or 4, I can't tell.", TWO + short_of("59%", 3, "90%")),
        ([0.499, 0.45], EASY, False, "3 or 4, I can't tell.", TWO + short_of("49.9%", 3, "50.0%")),
        (
            [0.36, 0.45],
            EASY,
            False,
            "4 or 3, I can't tell.",
            "It looks like a 4 and like a 3" + short_of("45%", 4, "50%"),
        ),
        (
            [0.34, 0.45],
            EASY,
            False,
            "This does not look like a digit. Closest guess: 4.",
            UNLIKE + short_of("45%", 4, "50%"),
        ),
        (
            [0.6, 0.1],
            STRICT,
            False,
            "This does not look like a digit. Closest guess: 3.",
            UNLIKE + short_of("60%", 3, "90%"),
        ),
        ([0.2], EASY, False, "This does not look like a digit. Closest guess: 3.", UNLIKE + short_of("20%", 3, "50%")),
    ],
)
def test_the_answer_says_how_far_it_can_be_relied_on(
    probabilities: list[float], calibration: Calibration, accepted: bool, sentence: str, reason: str
) -> None:
    answer = judge(scores_for(probabilities), calibration, NOTHING)
    assert (answer.sentence, answer.accepted, answer.reason) == (sentence, accepted, reason)
    assert answer.digit == int(np.argmax(answer.probabilities))
    assert answer.probability == pytest.approx(max(probabilities), abs=1e-5)


def test_an_eight_is_spoken_of_as_people_do() -> None:
    scores = np.roll(scores_for([0.6, 0.3]), 5)  # of an 8 and a 9
    assert judge(scores, EASY, NOTHING).reason == "It looks most like an 8, and a little like a 9."
    assert judge(np.roll(scores, -1), EASY, NOTHING).reason == "It looks most like a 7, and a little like an 8."


def test_the_temperature_softens_the_answer() -> None:
    scores = scores_for([0.99])
    sure, soft = judge(scores, Calibration(1.0), NOTHING), judge(scores, Calibration(4.0), NOTHING)
    expected = scipy.special.softmax(scores.astype(float) / 4)
    np.testing.assert_allclose(soft.probabilities, expected, rtol=1e-5)
    assert (sure.accepted, soft.accepted) == (True, False)


def test_a_network_that_gives_no_numbers_is_not_relied_on() -> None:
    answer = judge(np.full(10, np.nan, np.float32), EASY, NOTHING)
    assert not answer.accepted


# --- the default


def test_the_default_run_answers_a_drawing() -> None:
    canvas = np.zeros((280, 280), np.uint8)
    cv2.polylines(canvas, [np.array([[70, 70], [200, 70], [120, 220]])], False, 255, 18, cv2.LINE_AA)
    answer = Recognizer.load().recognize(canvas)
    assert (answer.digit, answer.accepted, answer.sentence) == (7, True, "7, quite sure.")

"""The x-ray: the answer after each step and without it."""

import cv2
import numpy as np
import pytest

from mnist_core import xray
from mnist_core.preprocess import Prepared, Settings, prepare
from mnist_core.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("classic-128")


def small_seven() -> np.ndarray:
    """A 7 with a thin pen in the corner of a large white sheet."""
    sheet = np.full((400, 600), 255, np.uint8)
    cv2.polylines(sheet, [np.array([[380, 40], [440, 40], [405, 130]])], False, 0, 3, cv2.LINE_AA)
    return sheet


def test_every_step_has_an_answer_and_the_last_is_the_final_one(recognizer):
    prepared = prepare(small_seven())
    found = xray.stages(prepared, recognizer)
    assert [stage.step for stage in found] == list(prepared.steps)
    final = recognizer.answer(prepared)
    assert (found[-1].digit, found[-1].probability) == (final.digit, pytest.approx(final.probability, abs=1e-5))


def test_from_the_decisive_step_on_the_answer_stays_the_final_one(recognizer):
    found = xray.stages(prepare(small_seven()), recognizer)
    (turn,) = (i for i, stage in enumerate(found) if stage.decisive)
    assert found[turn - 1].digit != 7, "the whole sheet shrunk to 28x28 shows no 7, so some step must turn the answer"
    assert {stage.digit for stage in found[turn:]} == {7}


def test_without_a_turn_no_step_is_decisive(recognizer):
    first = xray.stages(prepare(small_seven()), recognizer)[-1].step
    alone = xray.stages(Prepared((first, first), None, None), recognizer)
    assert [stage.decisive for stage in alone] == [False, False]


def test_a_blank_picture_ends_early_but_is_answered(recognizer):
    prepared = prepare(np.full((50, 50), 255, np.uint8))
    assert len(xray.stages(prepared, recognizer)) == len(prepared.steps)


def test_without_cropping_a_small_seven_is_lost(recognizer):
    by_name = {one.setting: one for one in xray.without_each(small_seven(), recognizer)}
    assert list(by_name) == list(xray.SWITCHES), "every switch is on by default and so is tried"
    assert by_name["crop"].changed
    assert by_name["crop"].sentence.startswith("Without cutting the digit out")
    assert not by_name["remove_ruling"].changed
    assert by_name["remove_ruling"].sentence.startswith("Without taking printed lines away it is a 7 as well")


def test_without_a_step_is_what_the_settings_say(recognizer):
    (one,) = (w for w in xray.without_each(small_seven(), recognizer) if w.setting == "even_stroke")
    alone = recognizer.recognize(small_seven(), Settings(even_stroke=False))
    np.testing.assert_allclose(one.recognition.probabilities, alone.probabilities, atol=1e-6)


def test_a_switch_that_is_off_is_not_tried(recognizer):
    tried = xray.without_each(small_seven(), recognizer, Settings(even_stroke=False, crop=False))
    assert {one.setting for one in tried} == set(xray.SWITCHES) - {"even_stroke", "crop"}


def test_an_eight_is_spoken_of_as_people_do(recognizer):
    eight = np.zeros((280, 280), np.uint8)
    for middle, side in (((140, 90), 45), ((140, 190), 55)):
        cv2.circle(eight, middle, side, 255, 18, cv2.LINE_AA)
    said = [one.sentence for one in xray.without_each(eight, recognizer) if not one.changed]
    assert any(" it is an 8 as well" in sentence for sentence in said), said


def test_a_blank_picture_has_no_digit_with_or_without(recognizer):
    for one in xray.without_each(np.full((60, 60), 200, np.uint8), recognizer):
        assert one.sentence.endswith("no digit would have been found.")
        assert not one.changed


def test_every_switch_is_a_setting():
    assert all(getattr(Settings(), name) is True for name in xray.SWITCHES)

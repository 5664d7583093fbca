"""What each preprocessing step is worth for one picture: the answer after every step, and without it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core.evaluation import in_percent
from mnist_core.preprocess import Prepared, Settings, Step, prepare
from mnist_core.recognizer import Recognition, Recognizer
from mnist_core.wording import a_digit

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

SWITCHES: Mapping[str, str] = {
    "flatten_light": "evening out the light",
    "remove_ruling": "taking printed lines away",
    "remove_specks": "leaving specks and neighbours out",
    "crop": "cutting the digit out",
    "even_stroke": "evening out the pen's width",
    "keep_aspect": "keeping the proportions",
    "centre_by_mass": "centring by mass",
}
"""The steps that can be switched off, by their name in `Settings`, in words that follow "without"."""


@dataclass(frozen=True, eq=False)
class Stage:
    """What a network would have said, had preprocessing ended with this step.

    Attributes
    ----------
    step
        The step.
    digit, probability
        The answer to the step's picture, shrunk to 28x28 as it is: the usual recipe from there on.
    decisive
        Whether from here on the answer is the final one, and just before it was another; of what is refused no step is.
    """

    step: Step
    digit: int
    probability: float
    decisive: bool


@dataclass(frozen=True, eq=False)
class Without:
    """The answer with one step switched off.

    Attributes
    ----------
    setting
        The switch's name in `Settings`.
    recognition
        The answer without it.
    changed
        Whether the digit is another one, or none.
    sentence
        What difference the step makes.
    """

    setting: str
    recognition: Recognition
    changed: bool
    sentence: str


def stages(prepared: Prepared, recognizer: Recognizer) -> tuple[Stage, ...]:
    """Answer after every step of a preparation.

    Parameters
    ----------
    prepared
        With its steps; those of a picture without a digit are answered too, which shows how little a network's
        certainty means there.
    recognizer
        Whose answers they are.
    """
    if not prepared.steps:
        return ()
    images = np.stack([_shrunk(step.image) for step in prepared.steps])
    probabilities = recognizer.probabilities(images)
    digits = [int(row.argmax()) for row in probabilities]
    others = [i for i, digit in enumerate(digits) if digit != digits[-1]]
    turn = others[-1] + 1 if others and recognizer.answer(prepared).says_a_digit else -1
    return tuple(
        Stage(step, digit, float(row.max()), i == turn)
        for i, (step, digit, row) in enumerate(zip(prepared.steps, digits, probabilities, strict=True))
    )


def without_each(grey: UInt8, recognizer: Recognizer, settings: Settings = Settings()) -> tuple[Without, ...]:
    """Answer a picture with each step switched off in turn that is on in the settings.

    Parameters
    ----------
    grey
        ``uint8 (H, W)``.
    recognizer
        Whose answers they are.
    settings
        What the other steps do.
    """
    on = [name for name in SWITCHES if getattr(settings, name)]
    tried = [prepare(grey, settings), *(prepare(grey, Settings(**(asdict(settings) | {name: False}))) for name in on)]
    usual, *others = recognizer.answer_many(tried)
    return tuple(
        Without(name, one, one.digit != usual.digit, _difference(name, one, usual))
        for name, one in zip(on, others, strict=True)
    )


def _difference(name: str, one: Recognition, usual: Recognition) -> str:
    without = f"Without {SWITCHES[name]}"
    if one.digit is None:
        return f"{without} no digit would have been found."
    if one.digit != usual.digit:
        return f"{without} this would have been {a_digit(one.digit)} ({in_percent(one.probability)})."
    if one.accepted != usual.accepted:
        return f"{without} the {one.digit} would {'have' if one.accepted else 'not have'} been accepted."
    change = f"{in_percent(one.probability)} instead of {in_percent(usual.probability)}"
    return f"{without} it is {a_digit(one.digit)} as well ({change})."


def _shrunk(image: UInt8 | Float32) -> Float32:
    """A picture as the usual recipe takes it: squeezed to 28x28, brightness from 0 to 1."""
    values = image if image.dtype == np.float32 else image.astype(np.float32) / 255
    return np.asarray(cv2.resize(values, (28, 28), interpolation=cv2.INTER_AREA), np.float32)

"""A run, ready to recognise pictures. The first one that is convolutional loads TensorFlow, which takes seconds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from mnist_core._context import Sign, Verdict, verdicts
from mnist_core._dense import DenseNetwork
from mnist_core.evaluation import in_percent, softmax
from mnist_core.preprocess import Prepared, Settings, prepare
from mnist_core.recipes import ModelRecipe
from mnist_core.runs import DEFAULT_RUN, Calibration, Run, load_run, load_weights
from mnist_core.segment import Page, prepare_page
from mnist_core.wording import a_digit

if TYPE_CHECKING:
    from mnist_core._compiled import CompiledNetwork

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
_Item = TypeVar("_Item")

_BATCH = 256  # pictures that are prepared before they are recognised together

SURE = 0.95
"""From this probability an answer is said to be quite sure."""
LIKELY = 0.6
"""Below this probability one of two digits is not said to be probable."""
BETWEEN_TWO = 0.8
"""From this probability of the two most probable digits together it is a choice between them."""

_NONE = np.zeros(10, np.float32)


@dataclass(frozen=True, eq=False)
class Recognition:
    """What a network makes of one digit.

    Attributes
    ----------
    digit
        The most probable digit, also when it is not accepted (then it is the closest guess); None when the picture
        holds no digit.
    probabilities
        ``float32 (10,)``, summing to 1; all zero when there is no digit.
    accepted
        Whether the answer should be relied on.
    reason
        Why it is accepted or not, in a sentence.
    prepared
        How the picture became a digit image.
    """

    digit: int | None
    probabilities: Float32
    accepted: bool
    reason: str
    prepared: Prepared

    @cached_property
    def probability(self) -> float:
        """Of the most probable digit; 0 when there is none."""
        return float(self.probabilities.max())

    @property
    def runner_up(self) -> int | None:
        """The second most probable digit."""
        return None if self.digit is None else int(np.argsort(-self.probabilities)[1])

    @property
    def between_two(self) -> bool:
        """Whether it was not accepted because it could be one of two digits."""
        return not self.accepted and float(np.sort(self.probabilities)[-2:].sum()) >= BETWEEN_TWO

    @property
    def says_a_digit(self) -> bool:
        """Whether it is one of the ten, or one of two of them; else all are as good as equally likely."""
        return self.accepted or self.between_two

    @property
    def sentence(self) -> str:
        """The answer in words."""
        if self.digit is None:
            return "No digit found."
        if self.accepted:
            return f"{self.digit}, {'quite' if self.probability >= SURE else 'fairly'} sure."
        if not self.between_two:
            return f"This does not look like a digit. Closest guess: {self.digit}."
        if self.probability >= LIKELY:
            return f"Probably {self.digit}, perhaps {self.runner_up}."
        return f"{self.digit} or {self.runner_up}, I can't tell."


@dataclass(frozen=True, eq=False)
class Reading:
    """All digits of one picture.

    Attributes
    ----------
    lines
        The recognitions, line by line, left to right.
    page
        How the picture was taken apart.
    """

    lines: tuple[tuple[Recognition, ...], ...]
    page: Page

    @property
    def recognitions(self) -> tuple[Recognition, ...]:
        """All of them in reading order."""
        return tuple(one for line in self.lines for one in line)

    @cached_property
    def verdicts(self) -> tuple[tuple[Verdict, ...], ...]:
        """What each of them is, line by line, as what is around it tells.

        Beside the accepted digits the less certain ones in a row of digits are digits too, and neither commas are nor
        what is accepted in the midst of letters.
        """
        told = verdicts([[as_sign(one) for one in line] for line in self.lines])
        return tuple(
            tuple("other" if one.digit is None else verdict for one, verdict in zip(line, some, strict=True))
            for line, some in zip(self.lines, told, strict=True)
        )

    @property
    def text(self) -> str:
        """What is read, a line of text for each line that has a digit."""
        rows = (
            "".join(str(one.digit) for one, verdict in zip(line, told, strict=True) if verdict == "digit")
            for line, told in zip(self.lines, self.verdicts, strict=True)
        )
        return "\n".join(row for row in rows if row)

    @property
    def accepted(self) -> bool:
        """Whether there is a digit and none was refused."""
        return bool(self.recognitions) and all(one.accepted for one in self.recognitions)


def as_sign(one: Recognition) -> Sign:
    """What there is to know of a recognition when a page is read."""
    what = one.prepared
    return Sign(what.box, one.probability, one.accepted, what.cut, one.digit, what.lean, what.length)


class Recognizer:
    """A run's network, ready for use. Safe to use from several threads.

    Parameters
    ----------
    run
        As `mnist_core.runs.load_run` gives it.

    Raises
    ------
    DigitLabError
        The run's weights are damaged or do not fit its recipe.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._network = _network(run.recipe.model, load_weights(run))

    @classmethod
    def load(cls, name: str = DEFAULT_RUN) -> Self:
        """Load a run by name and make it ready."""
        return cls(load_run(name))

    def logits(self, digits: Float32) -> Float32:
        """Return class scores ``float32 (n, 10)`` for digit images ``float32 (n, 28, 28)`` in [0, 1]."""
        return self._network.logits(_flat(digits))

    def features(self, digits: Float32) -> Float32:
        """Return the last hidden layer's outputs ``float32 (n, k)`` for digit images ``float32 (n, 28, 28)``.

        They are all that the ten classes are told apart by. A network without hidden layers gives the pixels.
        """
        return self._network.features(_flat(digits))

    def gradients(self, digits: Float32, weights: Float32) -> Float32:
        """Return by how much a weighted sum of the class scores grows with each pixel.

        Parameters
        ----------
        digits
            ``float32 (n, 28, 28)`` in [0, 1].
        weights
            ``float32 (10,)``, one for each class score.

        Returns
        -------
        ndarray
            ``float32 (n, 28, 28)``.
        """
        return self._network.gradients(_flat(digits), np.asarray(weights, np.float32)).reshape(-1, 28, 28)

    def activations(self, digit: Float32) -> dict[str, Float32]:
        """Return what each layer puts out for one digit image ``float32 (28, 28)``, by name, the first layer first.

        A dense layer gives ``float32 (units,)``, a convolution ``float32 (height, width, filters)``. A network without
        hidden layers gives nothing.
        """
        return {name: values[0] for name, values in self._network.activations(_flat(digit)).items()}

    def probabilities(self, digits: Float32) -> Float32:
        """Return calibrated probabilities ``float32 (n, 10)``, rows summing to 1, for digit images."""
        return softmax(self.logits(digits), self.run.calibration.temperature)

    def certainty(self, digits: Float32) -> Float32:
        """Return the probability of the most probable digit, ``float32 (n,)``, for digit images."""
        return np.asarray(self.probabilities(digits).max(axis=1))

    def answer(self, prepared: Prepared) -> Recognition:
        """Recognise a prepared digit."""
        return self.answer_many([prepared])[0]

    def answer_many(self, prepared: Sequence[Prepared]) -> list[Recognition]:
        """Recognise prepared digits in one batch."""
        digits = [one.digit for one in prepared if one.digit is not None]
        answers = iter(self.logits(np.stack(digits)) if digits else ())
        return [
            judge(next(answers), self.run.calibration, one)
            if one.digit is not None
            else Recognition(None, _NONE, False, one.problem, one)
            for one in prepared
        ]

    def recognize(self, grey: UInt8, settings: Settings = Settings()) -> Recognition:
        """Prepare and recognise the one digit of a picture ``uint8 (H, W)``."""
        return self.answer(prepare(grey, settings))

    def recognize_many(self, pictures: Iterable[UInt8]) -> Iterator[Recognition]:
        """Prepare and recognise any number of pictures, a batch at a time, in order."""
        for batch in _batches(pictures, _BATCH):
            yield from self.answer_many([prepare(grey) for grey in batch])

    def read(self, grey: UInt8, settings: Settings = Settings()) -> Reading:
        """Find and recognise all digits of a picture ``uint8 (H, W)``."""
        page = prepare_page(grey, settings, self.certainty)
        answers = iter(self.answer_many([one for line in page.lines for one in line]))
        return Reading(tuple(tuple(next(answers) for _ in line) for line in page.lines), page)


def _network(recipe: ModelRecipe, weights: Mapping[str, Float32]) -> "DenseNetwork | CompiledNetwork":
    if not recipe.filters:
        return DenseNetwork(recipe, weights)
    from mnist_core._compiled import CompiledNetwork  # here, not above: it loads TensorFlow

    return CompiledNetwork(recipe, weights)


def _flat(digits: Float32) -> Float32:
    return np.asarray(digits, np.float32).reshape(-1, 784)


def judge(class_scores: Float32, calibration: Calibration, prepared: Prepared) -> Recognition:
    """Turn one row of class scores ``(10,)`` into an answer that says how far it can be relied on."""
    probabilities = softmax(class_scores, calibration.temperature)
    digit = int(probabilities.argmax())
    accepted = bool(probabilities[digit] >= calibration.least_probability)
    answer = Recognition(digit, probabilities, accepted, "", prepared)
    return replace(answer, reason=_reason(answer, calibration.least_probability))


def _reason(answer: Recognition, least_probability: float) -> str:
    first, second = (a_digit(int(digit)) for digit in np.argsort(-answer.probabilities)[:2])
    if not answer.accepted:
        why = (
            f"It looks like {first} and like {second}"
            if answer.between_two
            else "It is too unlike each of the ten digits"
        )
        sure, needed = _apart(answer.probability, least_probability)
        return f"{why}: the network is {sure} sure of {answer.digit}, and would have to be at least {needed} sure."
    if answer.probability >= SURE:
        return f"It looks like {first} and like no other digit."
    return f"It looks most like {first}, and a little like {second}."


def _apart(less: float, more: float) -> tuple[str, str]:
    """Two shares in percent, with so many decimals that they are not written alike."""
    written = in_percent(less), in_percent(more)
    decimals = 0
    while written[0] == written[1] and decimals < 4:
        decimals += 1
        written = f"{less:.{decimals}%}", f"{more:.{decimals}%}"
    return written


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    iterator: Any = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch

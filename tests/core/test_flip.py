"""The smallest change that turns an answer: the hand-worked distance of a linear network, and a trained one."""

import numpy as np
import numpy.typing as npt
import pytest

from mnist_core import flip
from mnist_core.data import Dataset
from mnist_core.flip import Flip, smallest_change
from mnist_core.recognizer import Recognizer
from mnist_core.runs import Run

Float32 = npt.NDArray[np.float32]


class Linear:
    """Class scores that are sums of pixels with these weights ``(10, 784)``."""

    def __init__(self, weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> None:
        self.weights, self.bias = weights, bias

    def logits(self, digits: Float32) -> Float32:
        return np.asarray(digits.reshape(-1, 784) @ self.weights.T + self.bias, np.float32)

    def gradients(self, digits: Float32, weights: Float32) -> Float32:
        return np.tile((weights @ self.weights).reshape(1, 28, 28), (len(digits), 1, 1)).astype(np.float32)


@pytest.fixture
def linear() -> Linear:
    rng = np.random.default_rng(3)
    return Linear(100 * rng.standard_normal((10, 784)), np.zeros(10))


def test_of_a_linear_network_it_is_the_distance_to_the_nearest_plane(linear: Linear) -> None:
    # Grey, so that no bound is met on the way.
    digit = np.random.default_rng(0).uniform(0.4, 0.6, (28, 28)).astype(np.float32)
    scores = linear.logits(digit[None])[0].astype(float)
    said = int(scores.argmax())
    distances = [
        (scores[said] - scores[other]) / np.linalg.norm(linear.weights[said] - linear.weights[other])
        if other != said else np.inf
        for other in range(10)
    ]  # fmt: skip
    found = smallest_change(linear, digit)
    assert (found.said, found.says) == (said, int(np.argmin(distances)))
    assert found.size == pytest.approx(min(distances), rel=1e-3)
    slope = linear.weights[found.says] - linear.weights[said]
    along = found.difference.ravel() @ slope / np.linalg.norm(slope)
    assert along == pytest.approx(found.size, rel=1e-4), "straight towards the plane"


def test_pixels_at_their_bound_leave_the_work_to_the_others() -> None:
    weights = np.zeros((10, 784))
    weights[1, :2] = 3, 4  # two pixels speak for a 1
    bias = np.array([4.5, 0, *[-99] * 8])
    digit = np.zeros((28, 28), np.float32)
    digit[0, 1] = 1  # white already, so a half is missing that it cannot give
    found = smallest_change(Linear(weights, bias), digit)
    assert (found.said, found.says) == (0, 1)
    assert found.after[0, 1] == 1
    assert found.after[0, 0] == pytest.approx(0.5 / 3, rel=0.01), "the first pixel alone"
    assert found.size == pytest.approx(0.5 / 3, rel=0.01)


def test_an_answer_that_nothing_in_the_bounds_can_turn_is_said() -> None:
    weights = np.zeros((10, 784))
    weights[1, 0] = 1
    found = smallest_change(Linear(weights, np.array([5.0, *[0] * 9])), np.zeros((28, 28), np.float32))
    assert not found.found
    assert found.size == found.first == found.share == 0
    assert found.sentence == "No small change was found that makes it anything but a 0."


@pytest.mark.parametrize("row", range(4))
def test_a_trained_networks_answer_is_really_turned(tiny: Run, builtin: Dataset, row: int) -> None:
    recognizer = Recognizer(tiny)
    digit = np.divide(builtin.test_images[row * 40], 255, dtype=np.float32)
    told: list[tuple[int, int]] = []
    found = smallest_change(recognizer, digit, lambda done, steps: told.append((done, steps)))
    assert found.said == int(recognizer.logits(digit[None]).argmax())
    many = np.repeat(found.after[None], 100, axis=0)
    assert (recognizer.logits(many).argmax(axis=1) == found.says).all(), "in a larger batch as well"
    assert found.says != found.said
    assert found.after.min() >= 0 and found.after.max() <= 1
    assert 0 < found.size < found.first, "halving the way back makes it smaller than the plain step"
    shorter = digit + 0.98 * found.difference
    assert int(recognizer.logits(shorter[None]).argmax()) == found.said, "a little less does not do it"
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (flip.STEPS, flip.STEPS)


def test_noise_of_that_size_turns_nothing(tiny: Run, builtin: Dataset) -> None:
    recognizer = Recognizer(tiny)
    digit = np.divide(builtin.test_images[40], 255, dtype=np.float32)
    found = smallest_change(recognizer, digit)
    noise = np.random.default_rng(0).standard_normal((20, 28, 28)).astype(np.float32)
    noise *= found.size / np.linalg.norm(noise.reshape(20, -1), axis=1)[:, None, None]
    assert (recognizer.logits(np.clip(digit + noise, 0, 1)).argmax(axis=1) == found.said).all()


def test_the_size_in_words() -> None:
    before, after = np.zeros((28, 28), np.float32), np.zeros((28, 28), np.float32)
    before[0, :4] = after[0, :4] = 1
    after[5, 5], after[6, 6] = 0.4, 0.05
    found = Flip(before, after, 3, 8, 1.0)
    assert found.share == pytest.approx(np.hypot(0.4, 0.05) / 2)
    assert found.sentence == (
        "From 3 to 8 with a change 20% as strong as the digit itself: 1 pixel of 784 changes by more than 10%, "
        "the most by 40%."
    )

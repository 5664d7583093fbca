"""Disturbances: bounds, neutral strengths, pictures worked out by hand, and SciPy as an independent check."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage

from mnist_core import stress
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.recipes import DISTORTIONS
from mnist_core.stress import DISTURBANCES, disturb

Float32 = npt.NDArray[np.float32]
ALL = list(DISTURBANCES)


@pytest.fixture
def digits(builtin: Dataset) -> Float32:
    return np.divide(builtin.test_images[:6], 255, dtype=np.float32)


def dot(row: int, column: int) -> Float32:
    image = np.zeros((1, 28, 28), np.float32)
    image[0, row, column] = 1
    return image


def apply(name: str, images: Float32, strength: float) -> Float32:
    return DISTURBANCES[name].apply(images, strength)


@pytest.mark.parametrize("name", ALL)
def test_the_neutral_strength_changes_nothing_and_every_other_one_something(name: str, digits: Float32) -> None:
    how = DISTURBANCES[name]
    assert np.array_equal(how.apply(digits, how.neutral), digits)
    before = digits.copy()
    for strength in how.strengths():
        changed = how.apply(digits, float(strength))
        assert changed.shape == digits.shape and changed.dtype == np.float32
        assert changed.min() >= 0 and changed.max() <= 1
        assert np.array_equal(changed, digits) == (strength == how.neutral), strength
    assert np.array_equal(digits, before), "the digits themselves are left alone"


@pytest.mark.parametrize("name", ALL)
def test_a_digit_is_changed_in_the_same_way_alone_and_among_others(name: str, digits: Float32) -> None:
    how = DISTURBANCES[name]
    strength = float(how.strengths()[2])
    assert np.allclose(how.apply(digits, strength)[:1], how.apply(digits[:1], strength), atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_bounds_are_declared_once_and_checked(name: str, digits: Float32) -> None:
    how = DISTURBANCES[name]
    assert how.low <= how.neutral <= how.high
    strengths = how.strengths()
    assert (strengths[0], strengths[-1]) == (how.low, how.high)
    assert how.neutral in strengths
    assert (np.diff(strengths) > 0).all() and len(strengths) <= 25
    for wrong in (how.low - 0.01, how.high + 0.01, math.nan, math.inf, "1", None, True):
        with pytest.raises(DigitLabError, match=how.title):
            how.apply(digits, wrong)  # type: ignore[arg-type] # what a browser may send


def test_an_unknown_name_is_refused(digits: Float32) -> None:
    with pytest.raises(DigitLabError, match="no disturbance called 'melted'"):
        disturb(digits, {"melted": 1})
    with pytest.raises(DigitLabError):
        stress.disturbance(["shift"])


def test_a_dot_goes_where_it_should() -> None:
    assert np.array_equal(apply("shift", dot(5, 6), 3), dot(5, 9))
    assert np.array_equal(apply("shift", dot(5, 6), -7), 0 * dot(0, 0)), "over the edge it is gone"
    assert np.array_equal(apply("drop", dot(5, 6), 3), dot(8, 6))
    assert np.allclose(apply("rotation", dot(5, 6), 90), dot(6, 22), atol=1e-6), "clockwise"
    assert np.allclose(apply("rotation", dot(5, 6), 180), dot(22, 21), atol=1e-6)
    half = apply("shift", dot(5, 6), 0.5)
    assert half[0, 5, 6] == half[0, 5, 7] == 0.5, "between two pixels"
    # Row 3 is 10.5 above the middle; pushed by its height it goes 10.5 to the right.
    slanted = apply("shear", dot(3, 6), 100)
    assert slanted[0, 3, 16] == slanted[0, 3, 17] == 0.5


def test_half_the_size_is_the_mean_of_four(digits: Float32) -> None:
    small = apply("size", digits, 50)
    assert np.allclose(small[:, 7:21, 7:21], digits.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)), atol=1e-6)
    outside = small.copy()
    outside[:, 7:21, 7:21] = 0
    assert not outside.any()


@pytest.mark.parametrize(
    "strengths",
    [{"rotation": 37}, {"rotation": -120}, {"size": 130}, {"shear": -60}, {"shift": 2.4, "drop": -3.7},
     {"shear": 30, "size": 80, "rotation": 25, "shift": 4, "drop": 2}],
    ids=str,
)  # fmt: skip
def test_changes_of_place_are_scipys(digits: Float32, strengths: dict[str, float]) -> None:
    angle, size = math.radians(strengths.get("rotation", 0)), strengths.get("size", 100) / 100
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])  # of (row, column)
    slant = np.array([[1, 0], [-strengths.get("shear", 0) / 100, 1]])
    back = np.linalg.inv(size * turn @ slant)
    moved = np.array([strengths.get("drop", 0), strengths.get("shift", 0)])
    offset = 13.5 - back @ (moved + 13.5)
    for image, changed in zip(digits, disturb(digits, strengths), strict=True):
        expected = scipy.ndimage.affine_transform(np.pad(image, 30), back, offset + 30 - back @ [30.0, 30.0], order=1)
        assert np.allclose(changed, expected[30:58, 30:58], atol=1e-5)


def test_a_blur_is_scipys(digits: Float32) -> None:
    for sigma in (0.5, 1.25, 4.0):
        expected = scipy.ndimage.gaussian_filter(digits, (0, sigma, sigma), mode="constant", truncate=4)
        assert np.allclose(apply("blur", digits, sigma), expected, atol=1e-4)


def test_the_pen_is_scipys_dilation_and_erosion(digits: Float32) -> None:
    cross = scipy.ndimage.generate_binary_structure(2, 1)[None]
    thick = scipy.ndimage.grey_dilation(digits, footprint=cross, mode="nearest")
    assert np.allclose(apply("stroke", digits, 1), thick, atol=0.003)
    thicker = scipy.ndimage.grey_dilation(thick, footprint=cross, mode="nearest")
    assert np.allclose(apply("stroke", digits, 1.5), (thick + thicker) / 2, atol=0.005)
    thin = scipy.ndimage.grey_erosion(digits, footprint=cross, mode="nearest")
    assert np.allclose(apply("stroke", digits, -1), thin, atol=0.003)


def test_contrast_and_ink(digits: Float32) -> None:
    assert np.allclose(apply("contrast", digits, 50), 0.25 + digits / 2, atol=1e-6)
    assert np.allclose(apply("ink", digits, 100), 1 - digits, atol=1e-6)
    assert np.allclose(apply("ink", digits, 50), 0.5, atol=1e-6)


def test_the_square_hides_the_middle_and_nothing_else() -> None:
    white = np.ones((1, 28, 28), np.float32)
    hidden = apply("occlusion", white, 4)[0]
    assert not hidden[12:16, 12:16].any()
    assert hidden.sum() == 28 * 28 - 16
    assert apply("occlusion", white, 3)[0].sum() == 28 * 28 - 9, "an odd width covers the same area in part"


def test_noise_is_the_same_every_time_and_as_strong_as_it_says() -> None:
    grey = np.full((40, 28, 28), 0.5, np.float32)
    noisy = apply("noise", grey, 10)
    assert np.array_equal(noisy, apply("noise", grey, 10))
    assert (noisy - 0.5).std() == pytest.approx(0.1, rel=0.02)
    assert not np.array_equal(noisy[0], noisy[1]), "each digit has its own"


def test_shuffled_pixels_are_all_there_in_one_fixed_order(digits: Float32) -> None:
    shuffled = apply("shuffled", digits, 100)
    assert np.array_equal(np.sort(shuffled.reshape(6, -1)), np.sort(digits.reshape(6, -1)))
    numbered = (np.arange(784, dtype=np.float32) / 784).reshape(1, 28, 28)
    everything = apply("shuffled", numbered, 100)
    assert (everything != numbered).all(), "no pixel stays"
    order = np.rint(everything * 784).astype(int).ravel()
    assert np.array_equal(shuffled.reshape(6, -1), digits.reshape(6, -1)[:, order]), "every picture in the same way"
    assert (apply("shuffled", numbered, 25) != numbered).sum() == 196


def test_all_at_once_go_in_the_order_in_which_pictures_come_about(digits: Float32) -> None:
    given = {"ink": 100, "blur": 1, "shift": 2, "stroke": 1}
    step_by_step = digits
    for name in ("stroke", "shift", "blur", "ink"):
        step_by_step = apply(name, step_by_step, given[name])
    assert np.allclose(disturb(digits, given), step_by_step, atol=1e-6)


def test_what_a_recipe_saw_is_told_in_the_disturbances_unit() -> None:
    strong = DISTORTIONS["strong"]
    assert (stress.learned(strong, "shift"), stress.learned(strong, "size")) == (2.5, 25)
    assert stress.learned(strong, "noise") is None


@pytest.mark.parametrize(
    ("name", "strength", "words"),
    [("shift", -2.5, "\N{MINUS SIGN}2.5 pixels"), ("rotation", 15, "15°"), ("size", 80, "80 %")],
)
def test_a_strength_in_words(name: str, strength: float, words: str) -> None:
    assert DISTURBANCES[name].write(strength) == words

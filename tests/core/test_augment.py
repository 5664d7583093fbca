import dataclasses
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.ndimage

from mnist_core import nondigits
from mnist_core._normalise import enlarged, normalise_drawn
from mnist_core.augment import NO_DIGIT, EpochSource, _flag, blur, cut_off, distort, strew, wear, write_otherwise
from mnist_core.data import Dataset
from mnist_core.nondigits import (
    _SEVERAL_STROKES,
    _cross_out,
    _draw_spiral,
    _one_and_a_half,
    _one_stroke,
    draw_non_digits,
)
from mnist_core.recipes import Distortion, TrainRecipe

CENTRE = 13.5  # of 28 pixels, counted from the middle of the first
EVERYTHING = Distortion(
    rotation=15,
    scaling=0.2,
    shear=0.2,
    shift=2,
    elastic=1.5,
    stroke=0.8,
    blur=1,
    contrast=0.5,
    gaps=0.3,
    cut=3,
    specks=5,
    clean_share=0.25,
)


class Rigged:
    """A generator of random numbers that always gives the extreme, so that a distortion can be worked out."""

    def __init__(self, which: int = 1, share: float = 0.999) -> None:
        self.which = which
        self.share = share

    def uniform(self, low: float, high: float, size: Any) -> np.ndarray:
        return np.full(size, high if self.which > 0 else low)

    def random(self, size: Any, dtype: Any = float) -> np.ndarray:
        return np.full(size, self.share, dtype)

    def standard_normal(self, size: Any, dtype: Any = float) -> np.ndarray:
        return np.full(size, float(self.which), dtype)


def blob(y: float = CENTRE, x: float = CENTRE, high: float = 4.0, wide: float = 2.0) -> np.ndarray:
    """Draw a smooth upright blot: its moments say where it is and how it lies."""
    rows, columns = np.mgrid[0:28, 0:28]
    ink = 250 * np.exp(-(((rows - y) / high) ** 2) / 2 - ((columns - x) / wide) ** 2 / 2)
    return ink.round().astype(np.uint8)


def digits(n: int = 6) -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.stack([blob(*rng.uniform(11, 16, 2), *rng.uniform(2, 5, 2)) for _ in range(n)])


def centre_and_spread(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the ink, in (row, column)."""
    ink = image.astype(float)
    places = np.mgrid[0:28, 0:28].reshape(2, -1)
    return places @ ink.ravel() / ink.sum(), np.cov(places, aweights=ink.ravel(), bias=True)


def changed(image: np.ndarray, which: int = 1, **how: float) -> np.ndarray:
    return distort(image[None], Distortion(**how), Rigged(which))[0]


# --- what every distortion keeps


def test_no_distortion_gives_the_images_themselves() -> None:
    images = digits()
    assert distort(images, Distortion(), np.random.default_rng(0)) is images


def test_a_clean_share_of_one_leaves_every_digit_alone() -> None:
    images = digits()
    how = Distortion(rotation=45, scaling=0.5, shift=8, elastic=5, stroke=1, clean_share=1)
    np.testing.assert_array_equal(distort(images, how, np.random.default_rng(0)), images)


def test_the_clean_share_is_a_share() -> None:
    images = np.repeat(digits(1), 4000, axis=0)
    out = distort(images, Distortion(shift=8, clean_share=0.3), np.random.default_rng(0))
    same = (out == images).all(axis=(1, 2)).mean()
    assert same == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("name", [item.name for item in fields(Distortion) if item.name != "clean_share"])
def test_each_kind_changes_the_digits_and_keeps_their_form(name: str) -> None:
    images = digits()
    before = images.copy()
    how = Distortion(**{name: 0.5})
    out = distort(images, how, np.random.default_rng(0))
    assert (out.shape, out.dtype) == (images.shape, np.dtype(np.uint8))
    assert not np.array_equal(out, images)
    np.testing.assert_array_equal(images, before, err_msg="the digits that were given stay as they are")


@pytest.mark.parametrize("n", [0, 1, 1024, 1030])
def test_any_number_of_digits_each_changed_in_its_own_way(n: int) -> None:
    images = np.repeat(digits(1), n, axis=0)
    out = distort(images, EVERYTHING, np.random.default_rng(3))
    assert out.shape == (n, 28, 28)
    ways = len(np.unique(out.reshape(n, 784), axis=0)) if n else 0
    assert ways >= 0.7 * n, "a quarter stays clean, the others all differ"


def test_the_generator_decides() -> None:
    images = digits(20)
    first, again, other = (distort(images, EVERYTHING, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_strongest_distortions_stay_pixels() -> None:
    strongest = Distortion(rotation=45, scaling=0.5, shear=1, shift=8, elastic=5, stroke=1, blur=2, specks=20)
    rng = np.random.default_rng(0)
    out = distort(rng.integers(0, 256, (50, 28, 28), np.uint8), strongest, rng)
    assert out.dtype == np.uint8
    assert out.max() > 200, "the ink is moved, not lost"


# --- what each kind does


@pytest.mark.parametrize("pixels", [0.5, 1.0, 2.0])
def test_the_strongest_blur_is_scipys(pixels: float) -> None:
    image = blob(13, 14)
    still, blurred = blur(np.stack([image, image]), np.float32([0, pixels]))
    np.testing.assert_array_equal(still, image)
    assert np.abs(blurred - scipy.ndimage.gaussian_filter(image.astype(float), pixels)).max() < 3


@pytest.mark.parametrize("share", [0.5, 0.75])
def test_a_weaker_blur_is_nearest_to_the_gaussian_of_its_own_width(share: float) -> None:
    image = blob(13, 14, 2, 2)
    blurred = blur(np.stack([image, image]), np.float32([2, 2 * share]))[1].astype(float)
    widths = np.arange(0.1, 2.1, 0.1)
    away = [np.square(blurred - scipy.ndimage.gaussian_filter(image.astype(float), width)).sum() for width in widths]
    assert widths[int(np.argmin(away))] == pytest.approx(2 * share, abs=0.21)


def test_no_digit_is_blurred_into_the_next() -> None:
    full, empty = np.full((28, 28), 255, np.uint8), np.zeros((28, 28), np.uint8)
    assert not blur(np.stack([full, empty, full]), np.float32([2, 2, 2]))[1].any()


def test_faint_ink_loses_up_to_the_share_that_was_asked_for() -> None:
    images = np.full((400, 28, 28), 200, np.uint8)
    left = distort(images, Distortion(contrast=0.5), np.random.default_rng(0))[:, 14, 14]
    assert left.min() < 110
    assert left.max() > 190
    assert left.min() >= 100
    assert 0.4 < (left == 200).mean() < 0.6, "half of them lose none"


def test_half_of_the_digits_stay_sharp() -> None:
    images = np.zeros((400, 28, 28), np.uint8)
    images[:, 8:20, 8:20] = 255
    blurred = distort(images, Distortion(blur=1.5), np.random.default_rng(0))
    assert 0.4 < (blurred == images).all(axis=(1, 2)).mean() < 0.6


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_a_pen_that_runs_dry_leaves_out_the_share_that_was_asked_for(share: float) -> None:
    images = np.full((3000, 28, 28), 255, np.uint8)
    worn = wear(images, np.full(3000, share, np.float32), np.random.default_rng(0))
    assert 1 - worn.mean() / 255 == pytest.approx(share, abs=0.02)
    everywhere = 1 - worn.mean(axis=0) / 255
    assert everywhere.min() > 0.6 * share, "no place is spared"
    assert everywhere.max() < 1.4 * share + 0.05, "and none is favoured"


def test_what_a_dry_pen_leaves_out_are_spots_and_not_single_pixels() -> None:
    worn = wear(np.full((200, 28, 28), 255, np.uint8), np.full(200, 0.2, np.float32), np.random.default_rng(0))
    out = worn < 128
    for beside in (out[:, 1:] & out[:, :-1], out[:, :, 1:] & out[:, :, :-1]):
        assert beside.mean() / out.mean() > 0.5, "what is next to a missing pixel is missing too, more often than not"
    assert (out[:, 4:] & out[:, :-4]).mean() / out.mean() < 0.35, "but not what is further away"


def test_a_pen_that_does_not_run_dry_leaves_out_nothing() -> None:
    images = digits()
    none = np.zeros(len(images), np.float32)
    np.testing.assert_array_equal(wear(images, none, np.random.default_rng(0)), images)


def test_a_digit_is_cut_off_at_the_side_that_was_asked_for() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[6:22, 9:19] = 200
    whole, left, top, right, bottom = cut_off(
        np.stack([image] * 5), np.float32([0, 2.5, 2.5, 1, 3]), np.array([0, 0, 1, 2, 3])
    )
    np.testing.assert_array_equal(whole, image)
    row, column = image[12].copy(), image[:, 12].copy()
    row[9:12] = 0, 0, 100
    np.testing.assert_array_equal(left[12], row)
    row[9:12], row[18] = 200, 0
    np.testing.assert_array_equal(right[12], row)
    column[6:9] = 0, 0, 100
    np.testing.assert_array_equal(top[:, 12], column)
    column[6:9], column[19:22] = 200, 0
    np.testing.assert_array_equal(bottom[:, 12], column)


def test_as_many_specks_as_were_asked_for_lie_on_the_picture() -> None:
    counts = np.repeat([0, 1, 3], 200)
    images = np.zeros((600, 28, 28), np.uint8)
    strewn = strew(images, counts, np.random.default_rng(0))
    found = np.array([scipy.ndimage.label(one, np.ones((3, 3)))[1] for one in strewn])
    assert (found <= counts).all(), "specks may lie on one another"
    assert [found[counts == n].mean() for n in (0, 1, 3)] == pytest.approx([0, 1, 3], abs=0.2)
    assert ((strewn > 0).sum(axis=(1, 2)) <= 4 * counts).all(), "a speck is about a pixel large"
    ink = np.full((1, 28, 28), 255, np.uint8)
    np.testing.assert_array_equal(strew(ink, np.array([20]), np.random.default_rng(0)), ink)


def test_half_of_the_digits_are_whole_and_have_no_gaps_or_specks() -> None:
    images = np.repeat(blob(13, 14)[None], 600, axis=0)
    for how in (Distortion(gaps=0.5), Distortion(cut=8), Distortion(specks=3)):
        same = (distort(images, how, np.random.default_rng(0)) == images).all(axis=(1, 2)).mean()
        assert 0.4 < same < 0.65, how


@pytest.mark.parametrize("degrees", [5.0, 20.0, 45.0])
@pytest.mark.parametrize("which", [-1, 1])
def test_a_rotation_turns_by_the_angle(degrees: float, which: int) -> None:
    image = blob(12, 15, 5, 2)
    angle = math.radians(degrees) * which
    # What scipy calls its matrix says where each new pixel comes from, as (row, column) about the middle.
    there = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    middle = np.array([CENTRE, CENTRE])
    expected, opposite = (
        scipy.ndimage.affine_transform(image.astype(float), matrix, middle - matrix @ middle, order=3)
        for matrix in (there, there.T)
    )
    found = changed(image, which, rotation=degrees).astype(float)
    off = np.abs(found - expected).max()
    assert off < 15, "two ways to interpolate the same turned picture"
    assert off < np.abs(found - opposite).max() / 4, "and not the other way round"


@pytest.mark.parametrize("pixels", [1.0, 3.0])
def test_a_shift_moves_by_the_pixels(pixels: float) -> None:
    image = blob()
    moved = changed(image, 1, shift=pixels)
    whole = int(pixels)
    np.testing.assert_array_equal(moved[:-whole, :-whole], image[whole:, whole:], err_msg="up and left, exactly")


def test_scaling_enlarges_across_and_down() -> None:
    image = blob(high=3, wide=2)
    larger, smaller = changed(image, 1, scaling=0.25), changed(image, -1, scaling=0.25)
    _, before = centre_and_spread(image)
    for scaled, factor in ((larger, 1.25), (smaller, 0.75)):
        centre, spread = centre_and_spread(scaled)
        np.testing.assert_allclose(centre, CENTRE, atol=0.05, err_msg="about the middle")
        np.testing.assert_allclose(np.diag(spread), np.diag(before) * factor**2, rtol=0.04)


@pytest.mark.parametrize("which", [-1, 1])
def test_a_shear_slants_sideways_only(which: int) -> None:
    image = blob(high=5, wide=1.5)
    (_, before), (centre, after) = centre_and_spread(image), centre_and_spread(changed(image, which, shear=0.3))
    np.testing.assert_allclose(centre, CENTRE, atol=0.05)
    assert after[0, 0] == pytest.approx(before[0, 0], rel=0.02), "heights stay"
    slant = -0.3 * which  # pixels sideways per pixel down
    assert after[0, 1] == pytest.approx(slant * before[0, 0], rel=0.05)


@pytest.mark.parametrize(("strength", "which"), [(1.0, 1), (2.0, -1)])
def test_an_elastic_field_that_is_the_same_everywhere_is_a_shift(strength: float, which: int) -> None:
    centre, _ = centre_and_spread(changed(blob(), which, elastic=strength))
    np.testing.assert_allclose(centre, CENTRE - strength * which, atol=0.06)


def test_the_elastic_field_is_smooth_and_as_strong_as_asked() -> None:
    """Each row and column of a slope that is remapped tells how far its pixels came."""
    slope = np.tile(np.arange(28, dtype=np.uint8) * 9, (1, 1)).repeat(28, axis=0)[None].repeat(300, axis=0)
    out = distort(slope, Distortion(elastic=1.0), np.random.default_rng(0)).astype(float) / 9
    moved = (out - np.arange(28))[:, 6:22, 6:22]
    # Strength is drawn as the root of a uniform number: its mean square is half of the largest.
    assert moved.std() == pytest.approx(math.sqrt(0.5), rel=0.2)
    assert np.abs(np.diff(moved, axis=1)).mean() < 0.25, "neighbours move together, or strokes would tear"


def test_a_thicker_pen_adds_ink_and_a_thinner_one_takes_it() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[5:23, 12:15] = 255
    thick, thin = changed(image, 1, stroke=1), changed(image, -1, stroke=1)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    np.testing.assert_array_equal(thick, cv2.dilate(image, cross), err_msg="a whole pixel on every side")
    np.testing.assert_array_equal(thin, cv2.erode(image, cross))
    half = changed(image, 1, stroke=0.5)
    assert half[10, 11] == pytest.approx(255 / 2, abs=1), "half a pixel is a grey one"
    assert image.sum() < half.sum() < thick.sum()


def test_a_pen_changed_by_next_to_nothing_stays() -> None:
    image = blob()
    np.testing.assert_array_equal(changed(image, 1, stroke=0.04), image)


# --- digits as other people write them


def holes(image: np.ndarray) -> float:
    return cv2.connectedComponents((image < 60).astype(np.uint8), connectivity=4)[0] - 1


def width(image: np.ndarray) -> float:
    return np.ptp(np.nonzero(image > 60)[1]) + 1


def width_halfway(image: np.ndarray) -> float:
    rows = np.flatnonzero((image > 60).any(axis=1))
    middle = image[round(np.quantile(rows, 0.4)) : round(np.quantile(rows, 0.65))] > 60
    return max(np.ptp(np.flatnonzero(row)) + 1 if row.any() else 0 for row in middle)


@pytest.mark.parametrize(("label", "measure", "more"), [(0, holes, 0.3), (1, width, 1.0), (7, width_halfway, 1.0)])
def test_a_digit_written_otherwise_has_a_stroke_more(
    label: int, measure: Callable[[np.ndarray], float], more: float, builtin: Dataset
) -> None:
    """A slash parts the hole of a 0, a flag widens a 1, a bar widens the stem of a 7."""
    images = builtin.train_images[builtin.train_labels == label][:60]
    out = write_otherwise(images, np.full(len(images), label), np.random.default_rng(0))
    assert (out.shape, out.dtype) == (images.shape, np.dtype(np.uint8))
    assert (out != images).any(axis=(1, 2)).mean() > 0.95
    assert np.mean([measure(image) for image in out]) > np.mean([measure(image) for image in images]) + more


def test_the_flag_of_a_one_is_never_so_level_that_it_were_a_seven() -> None:
    mask = np.zeros((136, 136), np.uint8)
    mask[30:110, 66:76] = 1
    rng = np.random.default_rng(0)
    flags = [_flag(mask, rng)[0] for _ in range(200)]
    level = [(x - tip_x) / (y - tip_y) for (tip_x, tip_y), (x, y) in flags]
    assert -1.001 < min(level) < -0.95, "down to the left"
    assert max(level) < -0.3


def test_the_other_digits_are_left_as_they_are(builtin: Dataset) -> None:
    images, labels = builtin.train_images[:200], builtin.train_labels[:200]
    out = write_otherwise(images, labels, np.random.default_rng(0))
    rest = ~np.isin(labels, (0, 1, 7))
    np.testing.assert_array_equal(out[rest], images[rest])


# --- what an epoch shows


def source(dataset: Dataset, n: int = 200, **how: Any) -> EpochSource:
    images, labels = dataset.train_images[:n], dataset.train_labels[:n]
    return EpochSource(images, labels, TrainRecipe(loss="categorical_crossentropy", **how))


def test_an_epoch_of_a_plain_recipe_is_the_training_digits(builtin: Dataset) -> None:
    plain = source(builtin)
    for epoch in (1, 2):
        images, labels = plain.draw(epoch)
        np.testing.assert_array_equal(images, builtin.train_images[:200])
        np.testing.assert_array_equal(labels, builtin.train_labels[:200])
    assert len(plain) == 200


def test_drawings_that_are_no_digits_come_on_top(builtin: Dataset) -> None:
    mixed = source(builtin, non_digits=0.25)
    assert len(mixed) == 250
    images, labels = mixed.draw(1)
    assert (images.shape, images.dtype, labels.dtype) == ((250, 28, 28), np.dtype(np.uint8), np.dtype(np.int64))
    np.testing.assert_array_equal(labels[:200], builtin.train_labels[:200])
    assert set(labels[200:]) == {NO_DIGIT}
    known = {image.tobytes() for image in builtin.train_images[:200]}
    assert not known & {image.tobytes() for image in images[200:]}
    assert (images[200:].max(axis=(1, 2)) > 100).all(), "something is drawn on each"
    assert len(np.unique(images[200:].reshape(50, 784), axis=0)) == 50, "each is another"
    later, _ = mixed.draw(2)
    assert not np.array_equal(later[200:], images[200:]), "another epoch shows others"


def test_variants_replace_their_share_of_the_digits(builtin: Dataset) -> None:
    images, labels = source(builtin, 1000, variants=0.5).draw(1)
    other = (images != builtin.train_images[:1000]).any(axis=(1, 2))
    np.testing.assert_array_equal(labels, builtin.train_labels[:1000])
    assert other[np.isin(labels, (0, 1, 7))].mean() == pytest.approx(0.5, abs=0.1)
    assert not other[~np.isin(labels, (0, 1, 7))].any()


def test_an_epoch_is_decided_by_the_seed_and_its_number(builtin: Dataset) -> None:
    how = {"non_digits": 0.1, "variants": 0.5, "distortion": Distortion(rotation=10, elastic=1)}
    first, again, other = (source(builtin, seed=seed, **how) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.draw(2)[0], again.draw(2)[0], err_msg="whichever epochs were drawn before")
    assert not np.array_equal(first.draw(2)[0], first.draw(1)[0])
    assert not np.array_equal(first.draw(2)[0], other.draw(2)[0])


def test_the_last_epochs_are_distorted_gently(builtin: Dataset) -> None:
    full = Distortion(rotation=30, shift=4)
    gently, strong = (source(builtin, epochs=4, gentle_end=share, distortion=full) for share in (0.5, 0.0))
    weak = source(builtin, epochs=4, distortion=full.gentle)
    for epoch, same in ((1, strong), (2, strong), (3, weak), (4, weak)):
        np.testing.assert_array_equal(gently.draw(epoch)[0], same.draw(epoch)[0])
    assert not np.array_equal(strong.draw(3)[0], weak.draw(3)[0])


@pytest.mark.parametrize("label", range(10))
def test_a_training_set_of_one_digit_can_still_have_drawings_beside_it(label: int, builtin: Dataset) -> None:
    images = builtin.train_images[builtin.train_labels == label][:3]
    how = TrainRecipe(loss="categorical_crossentropy", non_digits=1.0)
    for seed in range(5):
        drawn = EpochSource(images, np.full(3, label), dataclasses.replace(how, seed=seed)).draw(1)
        assert len(drawn[1]) == 6


def test_one_and_a_half_digits_are_a_whole_one_and_about_half_of_its_neighbour() -> None:
    """Two blocks of 10 by 20 pixels, two columns over each other at most; the cut leans a quarter of a pixel a row."""
    block = np.zeros((28, 28), np.uint8)
    block[4:24, 9:19] = 255
    rng = np.random.default_rng(0)
    sides = set()
    for _ in range(200):
        made = _one_and_a_half(block, block, rng) > 127
        rows = made[4:24]
        full = np.flatnonzero(rows.all(0))
        half = made.sum() - 200
        assert 20 * (3.5 - 2.5) - 20 <= half <= 20 * 6.5 + 20
        assert len(full) >= 10, "the whole digit is there"
        sides.add(bool(rows[:, 0].all()))
    assert sides == {True, False}, "the neighbour stands on either side"


def test_one_and_a_half_digits_are_never_made_of_ones() -> None:
    ones = np.zeros((5, 28, 28), np.uint8)
    ones[:, 4:24, 13:15] = 255
    drawn = draw_non_digits(60, ones, np.ones(5, np.int64), np.random.default_rng(0))
    assert drawn.shape == (60, 28, 28) and drawn.any((1, 2)).all()


@pytest.mark.parametrize("way", [*_SEVERAL_STROKES, _one_stroke], ids=lambda way: way.__name__)
def test_a_digit_is_crossed_out_across_its_whole_width(way: Callable[..., Any]) -> None:
    """The strokes are about as wide as the digit's own, here 12 pixels; a narrow digit's reach further than it does."""
    rng = np.random.default_rng(0)
    for width in (12, 60):
        frame = np.zeros((112, 112), np.uint8)
        frame[16:96, 56 - width // 2 : 56 + width // 2] = 255
        frame[28:84, 56 - width // 2 + 12 : 56 + width // 2 - 12] = 0
        for _ in range(40):
            made = _cross_out(frame, (way,), rng)
            pad = (len(made) - 112) // 2
            inner = made[pad : pad + 112, pad : pad + 112]
            assert (inner[frame > 0] == 255).all(), "the digit is still there"
            added = (made > 127) & (np.pad(frame, pad) == 0)
            columns = np.flatnonzero(added.any(0)) - pad - 56
            assert columns.min() < -0.25 * max(width, 40) and columns.max() > 0.25 * max(width, 40)
            assert not made[[0, -1]].any() and not made[:, [0, -1]].any(), "nothing is cut off"
            pen = 2 * scipy.ndimage.distance_transform_edt(added).max()
            assert pen > 0.6 * 12


def test_some_drawings_are_digits_that_are_crossed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for; with one stroke only those that nobody writes with a bar or slash."""
    labels = np.arange(10)
    images = np.zeros((10, 28, 28), np.uint8)
    for label in labels:
        images[label, 4:24, 8 : 12 + label] = 255
    calls: list[tuple[int, bool]] = []

    def spy(fine: np.ndarray, ways: Any, rng: np.random.Generator) -> np.ndarray:
        calls.append((round((fine[56] > 127).sum() / 4) - 4, ways == (_one_stroke,)))
        return _cross_out(fine, ways, rng)

    monkeypatch.setattr(nondigits, "_cross_out", spy)
    draw_non_digits(3000, images, labels, np.random.default_rng(0))
    assert not calls
    draw_non_digits(3000, images, labels, np.random.default_rng(0), crossed_out=0.1)
    assert len(calls) == pytest.approx(300, abs=60)
    assert {label for label, once in calls if not once} == set(range(10))
    assert {label for label, once in calls if once} == {2, 3, 5, 6, 8, 9}


def test_spirals_wind_round_at_least_twice() -> None:
    """The pen passes the height of the picture's middle twice on both sides; seldom do its turns touch."""
    rng = np.random.default_rng(0)
    passes = []
    for _ in range(50):
        ink = _draw_spiral(rng) > 127
        row = ink[len(ink) // 2].astype(np.int8)
        passes.append(int((np.diff(row, prepend=0) == 1).sum()))
    assert np.mean(np.array(passes) >= 4) > 0.7


SHAPES = {
    0: [[(10, 4), (18, 6), (19, 20), (12, 24), (8, 18), (7, 9), (10, 4)]],
    2: [[(8, 8), (14, 4), (19, 9), (8, 23), (20, 23)]],
    3: [[(8, 5), (18, 5), (13, 12), (18, 18), (13, 23), (8, 21)]],
    4: [[(9, 4), (8, 14), (19, 14)], [(16, 8), (16, 24)]],
    5: [[(18, 4), (9, 4), (9, 12), (17, 13), (18, 20), (9, 24)]],
    7: [[(8, 5), (19, 5), (12, 24)]],
}


def crisp(label: int, pen: int, move: float = 0.0) -> np.ndarray:
    """A digit as MNIST's were made: drawn large, and every pixel the mean of what it covers."""
    large = np.zeros((112, 112), np.uint8)
    for stroke in SHAPES[label]:
        points = np.rint((np.array(stroke) + move) * 4 * 16).astype(np.int32)
        cv2.polylines(large, [points], False, 255, pen, cv2.LINE_AA, 4)
    return np.asarray(cv2.resize(large, (28, 28), interpolation=cv2.INTER_AREA), np.uint8)


def sharpness(image: np.ndarray) -> float:
    """How steep the steeper edges are, as a share of the full brightness a pixel."""
    steps = np.concatenate([np.abs(np.diff(image.astype(float), axis=axis)).ravel() for axis in (0, 1)])
    return float(np.quantile(steps[steps > 12], 0.8)) / 255


@pytest.mark.parametrize("pen", [7, 9, 11])
def test_digits_that_are_enlarged_and_reduced_again_are_as_sharp_as_before(pen: int) -> None:
    before = [crisp(label, pen, move) for label in SHAPES for move in (-0.6, -0.3, 0.0, 0.3)]
    again = [normalise_drawn(enlarged(one)) for one in before]
    plainly = [normalise_drawn(cv2.resize(one, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)) for one in before]
    usual = np.mean([sharpness(one) for one in before])
    assert np.mean([sharpness(one) for one in again]) == pytest.approx(usual, rel=0.1)
    assert np.mean([sharpness(one) for one in plainly]) < 0.85 * usual, "otherwise there would be nothing to do"
    scales = [20 / max(cv2.boundingRect(cv2.compare(one, 79, cv2.CMP_GT))[2:]) for one in before]
    ink = sum(int(one.sum()) * scale**2 for one, scale in zip(before, scales, strict=True))
    assert np.sum(again) == pytest.approx(ink, rel=0.1), "the pen is as wide"


def test_softness_tells_neither_what_is_no_digit_nor_what_is_written_otherwise() -> None:
    """A network would learn it instead of the forms, and refuse digits that are a little blurred."""
    rng = np.random.default_rng(0)
    labels = rng.choice(list(SHAPES), 120)
    training = np.stack([crisp(int(label), int(rng.choice((7, 9, 11))), rng.uniform(-1, 1)) for label in labels])
    usual = np.median([sharpness(one) for one in training])
    others = draw_non_digits(300, training, labels, np.random.default_rng(1), crossed_out=0.3)
    otherwise = write_otherwise(training, labels, np.random.default_rng(2))[np.isin(labels, (0, 7))]
    for made in (others, otherwise):
        assert np.quantile([sharpness(one) for one in made], 0.1) > 0.85 * usual

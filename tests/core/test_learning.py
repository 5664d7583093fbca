"""News of a training -> curves, pace and pictures."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mnist_core.figures_training import learning_curve
from mnist_core.learning import NEGATIVE, POSITIVE, curves, pace, weights_picture


def news(epoch: int, step: int, loss: float, accuracy: float, seconds: float = 0.0, held: float | None = None) -> Any:
    return SimpleNamespace(
        epoch=epoch, epochs=2, step=step, steps=4, loss=loss, accuracy=accuracy, seconds=seconds,
        validation_loss=held, validation_accuracy=held, epoch_done=step == 4,
    )  # fmt: skip


# Losses of the batches: 4, 2 | 1, 1 and then 2 | 0.5, 0.5, 0.5; what is told are the running means of each epoch.
STORY = [
    news(1, 2, 3.0, 0.25, 1.0),
    news(1, 4, 2.0, 0.5, 2.0, held=0.6),
    news(2, 1, 2.0, 0.5, 2.5),
    news(2, 4, 0.875, 0.875, 4.0, held=0.8),
]


def test_running_means_are_taken_apart_into_stretches() -> None:
    found = curves(STORY)
    assert found.at.tolist() == [0.25, 0.75, 1.125, 1.625]
    assert found.loss.tolist() == pytest.approx([3.0, 1.0, 2.0, 0.5])
    assert found.accuracy.tolist() == pytest.approx([0.25, 0.75, 0.5, 1.0])


def test_an_epoch_has_its_mean_and_its_validation() -> None:
    found = curves(STORY)
    assert found.epochs.tolist() == [1, 2]
    assert found.train_loss.tolist() == [2.0, 0.875]
    assert found.validation_accuracy.tolist() == [0.6, 0.8]


def test_missing_news_make_longer_stretches() -> None:
    found = curves(STORY[1:2] + STORY[3:])
    assert found.at.tolist() == [0.5, 1.5]
    assert found.loss.tolist() == [2.0, 0.875]


def test_without_news_and_without_validation_the_curves_are_empty() -> None:
    assert curves([]).at.shape == curves([]).epochs.shape == (0,)
    assert np.isnan(curves([news(1, 4, 1.0, 0.5)]).validation_loss).all()


def test_pace_is_that_of_the_steps_between_the_news() -> None:
    found = pace(STORY[:3], batch_size=32)
    assert found is not None
    assert found.images_per_second == pytest.approx(32 * 3 / 1.5)
    assert found.seconds_left == pytest.approx(3 * 1.5 / 3), "three of eight steps are left"


@pytest.mark.parametrize("few", [[], STORY[:1]])
def test_there_is_no_telling_the_pace_from_one_piece_of_news(few: list[Any]) -> None:
    assert pace(few, 32) is None


def test_weights_are_coloured_by_sign_and_opaque_by_size() -> None:
    units = np.full((5, 28, 28), 128, np.uint8)
    units[0, 3, 4], units[4, 0, 0], units[1, 0, 0] = 255, 1, 160
    picture = weights_picture(units)
    assert picture.shape == (58, 88, 4), "three beside each other, two rows, gaps of two pixels"
    assert picture[3, 4].tolist() == [*POSITIVE, 255]
    assert picture[30, 30].tolist() == [*NEGATIVE, 255]
    assert 64 < picture[0, 30, 3] < 128, "a quarter of the largest weight is a little more than a quarter opaque"
    assert np.count_nonzero(picture[..., 3]) == 3, "everything else is transparent"


@pytest.mark.parametrize("what", ["accuracy", "loss"])
def test_the_figure_shows_batches_training_and_validation(what: Any) -> None:
    figure = learning_curve(curves(STORY), 2, what)
    assert [trace.name for trace in figure.data] == ["Batches", "Training", "Validation"]
    assert list(figure.data[1].x) == [1, 2]
    assert list(figure.data[2].y) == [0.6, 0.8]
    assert figure.layout.xaxis.range[1] >= 2
    assert figure.layout.uirevision


@pytest.mark.parametrize("what", ["accuracy", "loss"])
def test_the_figure_marks_where_the_training_changes(what: Any) -> None:
    figure = learning_curve(curves(STORY), 10, what, {3: "every weight free", 8: "distorted less"})
    marked = [
        (line.x0, words.x, words.text, words.xanchor)
        for line, words in zip(figure.layout.shapes, figure.layout.annotations, strict=True)
    ]
    assert marked == [(3, 3, "every weight free", "left"), (8, 8, "distorted less", "right")]
    first, second = (words.yshift for words in figure.layout.annotations)
    assert abs(first - second) >= 11, "on a narrow screen they would cover each other"
    assert not learning_curve(curves(STORY), 10, what).layout.shapes


def test_without_held_back_digits_the_figure_names_no_validation() -> None:
    figure = learning_curve(curves([news(1, 4, 1.0, 0.5)]), 2, "loss")
    assert figure.data[2].visible is False


def test_a_long_training_is_drawn_with_few_points() -> None:
    long = [news(1 + i // 4, 1 + i % 4, 1.0, 0.5) for i in range(4000)]
    assert len(learning_curve(curves(long), 1000, "loss").data[0].x) <= 500

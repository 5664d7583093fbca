"""What a training is said to take."""

import pytest

from mnist_core import cost, data
from mnist_core.recipes import ModelRecipe, Recipe, TrainRecipe

BASE = Recipe(ModelRecipe(hidden=(50, 50)), TrainRecipe())


def test_the_datasets_are_as_large_as_is_said() -> None:
    assert cost.TRAINING_DIGITS["builtin"] == len(data.load_builtin().train_labels)


def test_mnist_is_as_large_as_is_said(mnist_dir: object) -> None:
    assert cost.TRAINING_DIGITS["mnist"] == len(data.load_mnist().train_labels)


@pytest.mark.parametrize(
    ("changes", "digits"),
    [({}, 57_000), ({"examples": 500}, 500), ({"examples": 60_000}, 57_000), ({"validation_share": 0.0}, 60_000)],
)
def test_training_digits_are_what_is_not_held_back(changes: dict[str, object], digits: int) -> None:
    assert cost.training_digits(BASE.with_changes(**changes), "mnist") == digits
    assert cost.estimate(BASE.with_changes(**changes), "mnist").digits == digits


def test_weights_are_those_of_the_recipe() -> None:
    assert cost.estimate(BASE, "builtin").parameters == 784 * 50 + 50 + 50 * 50 + 50 + 50 * 10 + 10


def test_multiplications_by_hand() -> None:
    assert cost.multiplications(ModelRecipe(hidden=(50,))) == 784 * 50 + 50 * 10
    convolutional = ModelRecipe(filters=(4,), hidden=(8,))
    by_place = 9 * 1 * 4 + 9 * 4 * 4  # each of two convolutions, at 28 x 28 places
    assert cost.multiplications(convolutional) == 784 * by_place + 14 * 14 * 4 * 8 + 8 * 10


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 20},
        {"hidden": (1024, 1024)},
        {"batch_size": 8},
        {"validation_share": 0.0},
        {"filters": (16, 32)},
        {"rotation": 10.0, "elastic": 1.0},
        {"loss": "categorical_crossentropy", "non_digits": 0.5},
    ],
)
def test_more_work_is_said_to_take_more_time(changes: dict[str, object]) -> None:
    more = cost.estimate(BASE.with_changes(**changes), "mnist")
    assert more.seconds > cost.estimate(BASE, "mnist").seconds > 0


def test_a_teacher_that_reads_every_picture_takes_time() -> None:
    taught = BASE.with_changes(loss="categorical_crossentropy", teacher="cnn", hidden=(4,), batch_size=2048)
    alone = cost.estimate(taught, "mnist").seconds
    assert cost.estimate(taught, "mnist", ModelRecipe(filters=(64, 128, 256), hidden=(64,))).seconds > 2 * alone


def test_epochs_that_come_again_are_drawn_once_and_kept() -> None:
    taught = BASE.with_changes(
        loss="categorical_crossentropy", teacher="cnn", hidden=(4,), batch_size=2048, epochs=100, rotation=10.0
    )
    teacher = ModelRecipe(filters=(64, 128, 256), hidden=(64,))
    new, again = (
        cost.estimate(taught.with_changes(distinct_epochs=distinct), "mnist", teacher) for distinct in (0, 20)
    )
    assert new.seconds / 5 < again.seconds < new.seconds / 2
    assert again.megabytes - new.megabytes == pytest.approx(20 * 57_000 * 335 / 2**20)
    gently = taught.with_changes(distinct_epochs=20, gentle_end=0.5)
    assert cost.estimate(gently, "mnist", teacher).seconds > 1.5 * again.seconds, "at the gentle end 20 more are drawn"
    assert cost.estimate(gently, "mnist", teacher).megabytes == pytest.approx(again.megabytes)


def test_memory_counts_the_weights_once_for_each_number_that_is_kept_of_them() -> None:
    wide = BASE.with_changes(hidden=(1024, 1024), optimizer="sgd")
    adam = wide.with_changes(optimizer="adam")
    more = cost.estimate(adam, "mnist").megabytes - cost.estimate(wide, "mnist").megabytes
    assert more == pytest.approx(4 * wide.model.parameters / 2**20), "Adam keeps two numbers a weight, SGD one"


def test_products_of_a_convolutional_network_count_every_place() -> None:
    model = ModelRecipe(filters=(8, 16), hidden=(20,))
    assert cost._products(model) == [
        (28 * 28, 9, 8), (28 * 28, 72, 8), (14 * 14, 72, 16), (14 * 14, 144, 16), (1, 7 * 7 * 16, 20), (1, 20, 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "under a second"), (4.4, "4 s"), (89, "89 s"), (200, "3 min"), (5399, "90 min"), (9000, "2.5 h")],
)
def test_times_are_written_for_people(seconds: float, words: str) -> None:
    assert cost.in_time(seconds) == words
    assert cost.about(seconds) == (words if words.startswith("under") else f"about {words}")

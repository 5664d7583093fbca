"""Warnings before a training: those that apply, and none for a sound recipe."""

import pytest

from mnist_core.advice import warnings
from mnist_core.recipes import PRESETS, ModelRecipe, Recipe, TrainRecipe

SOUND = Recipe(ModelRecipe(hidden=(50, 50)), TrainRecipe())


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_are_sound(name: str) -> None:
    assert warnings(PRESETS[name].recipe, 57_000) == ()


@pytest.mark.parametrize(
    ("changes", "digits", "words"),
    [
        ({"output": "sigmoid", "learning_rate": 0.05}, 57_000, "Sigmoid outputs get stuck"),
        ({"learning_rate": 0.02}, 57_000, "high for this optimiser"),
        ({"learning_rate": 0.5, "optimizer": "sgd"}, 57_000, "even for SGD"),
        ({"learning_rate": 1e-5}, 57_000, "learn for ages"),
        ({"learning_rate": 1e-4, "optimizer": "sgd"}, 57_000, "learn for ages"),
        ({"hidden": ()}, 57_000, "Without a hidden layer"),
        (
            {"hidden": (50,) * 3, "activation": "sigmoid", "optimizer": "sgd", "learning_rate": 0.01},
            57_000,
            "vanishing",
        ),
        ({"hidden": (50,) * 5, "activation": "sigmoid"}, 57_000, "vanishing"),
        ({"hidden": (50, 4)}, 57_000, "bottleneck"),
        ({"batch_norm": True, "batch_size": 2}, 57_000, "little to measure"),
        ({"dropout": 0.8}, 57_000, "So much dropout"),
        ({"batch_size": 2048, "epochs": 1}, 57_000, "less than 100 times"),
        ({"examples": 500}, 500, "by heart"),
        ({"validation_share": 0.0}, 60_000, "Nothing is held back"),
    ],
)
def test_a_choice_that_goes_wrong_is_warned_of_by_itself(changes: dict[str, object], digits: int, words: str) -> None:
    found = warnings(SOUND.with_changes(**changes), digits)
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("changes", "digits"),
    [
        ({"learning_rate": 0.01}, 57_000),
        ({"learning_rate": 0.05, "optimizer": "sgd"}, 57_000),
        ({"hidden": (), "filters": (8,)}, 57_000),
        ({"hidden": (50,) * 5, "activation": "sigmoid", "batch_norm": True}, 57_000),
        ({"examples": 500, "rotation": 10.0}, 500),
    ],
)
def test_what_works_is_not_warned_of(changes: dict[str, object], digits: int) -> None:
    assert warnings(SOUND.with_changes(**changes), digits) == ()

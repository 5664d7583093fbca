"""Warnings before a training: those that apply, and none for a sound recipe."""

import pytest

from mnist_core.advice import over_limits, warnings
from mnist_core.cost import PROCESS_MEGABYTES, Cost
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


@pytest.mark.parametrize(
    ("seconds", "megabytes", "words"),
    [
        (3599, 2700, ()),
        (7200, 2700, ("This takes about 2.0 h, and a training is stopped here after 60 min",)),
        (60, 2900, ("This takes about 4.1 GB of memory, and a training that takes more than 4 GB is ended",)),
        (7200, 2900, ("This takes about 2.0 h", "This takes about 4.1 GB")),
    ],
)
def test_what_a_server_would_stop_is_said_before(seconds: float, megabytes: float, words: tuple[str, ...]) -> None:
    found = over_limits(Cost(57_000, 3_000_000, megabytes, seconds), 3600, 4 * 2**30)
    assert len(found) == len(words)
    assert all(one.startswith(said) for one, said in zip(found, words, strict=True)), found


def test_a_limit_that_is_not_known_is_not_warned_of() -> None:
    assert over_limits(Cost(57_000, 3_000_000, 1e6, 1.0), 3600, None) == ()


def test_the_process_itself_takes_memory_as_well() -> None:
    assert over_limits(Cost(57_000, 3_000_000, 0.0, 1.0), 3600, int(PROCESS_MEGABYTES * 2**20) - 1)

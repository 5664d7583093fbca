"""Choices in a recipe that are known to go wrong, each with the reason and a way out.

The limits were tried out on MNIST with two layers of 50 units, two epochs; each note says what came of it.
"""

from collections.abc import Callable
from typing import NamedTuple

from mnist_core.cost import PROCESS_MEGABYTES, Cost, about, in_time
from mnist_core.recipes import Recipe

_ADAPTIVE = ("adam", "adamw", "rmsprop")


class _Rule(NamedTuple):
    applies: Callable[[Recipe, int], bool]
    words: str


def warnings(recipe: Recipe, digits: int) -> tuple[str, ...]:
    """Return what is likely to go wrong, a sentence or two each; empty for a sound recipe.

    Parameters
    ----------
    recipe
        What would be trained.
    digits
        How many training digits there are, as `mnist_core.cost.training_digits` tells.
    """
    return tuple(rule.words for rule in _RULES if rule.applies(recipe, digits))


def over_limits(expected: Cost, seconds: float, memory: int | None) -> tuple[str, ...]:
    """Return which limits of a server a training will probably meet, a sentence or two each.

    Parameters
    ----------
    expected
        What the training takes.
    seconds, memory
        What a training may take, memory in bytes; None where that is not known.
    """
    found = []
    if expected.seconds > seconds:
        found.append(
            f"This takes {about(expected.seconds)}, and a training is stopped here after {in_time(seconds)}, with what "
            "it has learned by then. Take fewer epochs, or train in a terminal (**As code**)."
        )
    gigabytes = (expected.megabytes + PROCESS_MEGABYTES) / 1024
    if memory is not None and gigabytes > memory / 2**30:
        found.append(
            f"This takes about {gigabytes:.1f} GB of memory, and a training that takes more than {memory / 2**30:.3g} "
            "GB is ended here. Lower **Epochs before they repeat**, or train in a terminal (**As code**)."
        )
    return tuple(found)


def _steps(recipe: Recipe, digits: int) -> int:
    how = recipe.training
    return how.epochs * -(-digits // how.batch_size)


_RULES = (
    _Rule(
        lambda recipe, _: (
            recipe.model.output == "sigmoid"
            and recipe.training.optimizer in _ADAPTIVE
            and recipe.training.learning_rate >= 0.02
        ),
        "Sigmoid outputs get stuck at a high learning rate: at 0.05 such a network read 63 % right, at 0.1 it only "
        "guessed, at 0.001 it read 96 %. Try 0.001.",
    ),
    _Rule(
        lambda recipe, _: (
            recipe.model.output == "softmax"
            and recipe.training.optimizer in _ADAPTIVE
            and recipe.training.learning_rate >= 0.02
        ),
        "The learning rate is high for this optimiser: at 0.05 a network read 84 % right, at 0.1 only 21 %, at 0.001 "
        "96 %. Try 0.001.",
    ),
    _Rule(
        lambda recipe, _: recipe.training.optimizer == "sgd" and recipe.training.learning_rate >= 0.2,
        "The learning rate is high, even for SGD: at 0.5 a network only guessed, at 0.05 it read 96 % right. Try 0.05.",
    ),
    _Rule(
        lambda recipe, _: recipe.training.learning_rate <= (1e-4 if recipe.training.optimizer == "sgd" else 1e-5),
        "The learning rate is so low that it will learn for ages. Try ten times as much.",
    ),
    _Rule(
        lambda recipe, _: not recipe.model.hidden and not recipe.model.filters,
        "Without a hidden layer it can only weigh pixels one by one: more than about 92.5 % on MNIST is not in it.",
    ),
    _Rule(
        lambda recipe, _: (
            recipe.model.activation == "sigmoid"
            and not recipe.model.batch_norm
            and len(recipe.model.hidden) >= (3 if recipe.training.optimizer == "sgd" else 5)
        ),
        "Many layers of sigmoid pass hardly anything back to the first ones, so these do not learn (vanishing "
        "gradients). Try ReLU, fewer layers, or batch normalisation.",
    ),
    _Rule(
        lambda recipe, _: recipe.model.hidden != () and min(recipe.model.hidden) < 8,
        "A layer with fewer units than there are digits is a bottleneck: with 4 units a network read 93 % right "
        "instead "
        "of 96 %.",
    ),
    _Rule(
        lambda recipe, _: recipe.model.batch_norm and recipe.training.batch_size <= 4,
        "Batch normalisation has little to measure in so small a batch: with 1 digit a network learned nothing, with 2 "
        "it read 65 % right. Try 32.",
    ),
    _Rule(
        lambda recipe, _: recipe.model.dropout >= 0.7,
        "So much dropout leaves too little to learn with: at 0.8 a network read 84 % right instead of 96 %.",
    ),
    _Rule(
        lambda recipe, digits: _steps(recipe, digits) < 100,
        "The weights will move less than 100 times in all. More epochs, or a smaller batch, make it learn more.",
    ),
    _Rule(
        lambda recipe, digits: digits <= 1000 and not recipe.training.distortion.active,
        "With so few digits it will know them by heart and do worse on new ones (overfitting): 1,000 gave 100 % of "
        "them "
        "right, and 89 % of new ones. Watch the two curves part. Distortions help.",
    ),
    _Rule(
        lambda recipe, _: recipe.training.validation_share == 0,
        "Nothing is held back, so nobody can see whether it learns by heart, and its answers' certainty is not "
        "adjusted.",
    ),
)

"""Recipes as flat values and as short text for links, and what two recipes do differently.

The text names only what differs from `Recipe()`, with characters that need no escaping in an address:
``hidden-50-50~output-sigmoid~learning_rate-0.01``.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, get_type_hints

from mnist_core.errors import DigitLabError
from mnist_core.recipes import PRESETS, Distortion, ModelRecipe, Recipe, TrainRecipe

Value = bool | int | float | str | tuple[int, ...]

_PARTS = (ModelRecipe, TrainRecipe, Distortion)
KINDS: Mapping[str, Any] = {
    name: kind for part in _PARTS for name, kind in get_type_hints(part).items() if name != "distortion"
}
"""The type of each value of a recipe by field name."""
_MOST_CHARACTERS = 1000


def flat(recipe: Recipe) -> dict[str, Value]:
    """Return every field of a recipe by its name, those of the distortion among them."""
    values: dict[str, Value] = asdict(recipe.model) | asdict(recipe.training.distortion) | asdict(recipe.training)
    del values["distortion"]
    return values


def from_flat(values: Mapping[str, Any]) -> Recipe:
    """Make a recipe of what `flat` gave; fields that are missing get their default.

    Raises
    ------
    DigitLabError
        An unknown field, a wrong type, or a value out of bounds.
    """
    if unknown := sorted(values.keys() - KINDS.keys()):
        raise DigitLabError(f"A recipe has no field called {unknown[0][:40]!r}.")

    def part(kind: type) -> dict[str, Any]:
        return {item.name: values[item.name] for item in fields(kind) if item.name in values}

    return Recipe.from_dict(
        {"model": part(ModelRecipe), "training": part(TrainRecipe) | {"distortion": part(Distortion)}}
    )


def differences(recipe: Recipe, base: Recipe) -> dict[str, tuple[Value, Value]]:
    """Return what differs by field name: the value in `base`, then the one in `recipe`."""
    ours, theirs = flat(recipe), flat(base)
    return {name: (theirs[name], value) for name, value in ours.items() if value != theirs[name]}


def nearest_preset(recipe: Recipe) -> str:
    """Return the name of the preset from which the fewest fields have to be changed."""
    return min(PRESETS, key=lambda name: len(differences(recipe, PRESETS[name].recipe)))


def to_text(recipe: Recipe) -> str:
    """Write a recipe for a link; empty for `Recipe()`."""
    return "~".join(f"{name}-{_write(value)}" for name, (_, value) in differences(recipe, Recipe()).items())


def from_text(text: str) -> Recipe:
    """Read what `to_text` wrote.

    Raises
    ------
    DigitLabError
        It is no recipe, or one with a value that is out of bounds.
    """
    if len(text) > _MOST_CHARACTERS:
        raise DigitLabError("The recipe in this link is too long to be one.")
    values: dict[str, Any] = {}
    for item in filter(None, text.split("~")):
        name, _, value = item.partition("-")
        values[name] = _read(name, value)
    return from_flat(values)


def _write(value: Value) -> str:
    if isinstance(value, tuple):
        return "-".join(str(size) for size in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _read(name: str, text: str) -> Value:
    """Read one value as its field's kind; what cannot be read stays text, and the recipe refuses it."""
    kind = KINDS.get(name)
    try:
        if kind == tuple[int, ...]:
            return tuple(int(size) for size in text.split("-")) if text else ()
        if kind is bool:
            return {"yes": True, "no": False}[text]
        return kind(text) if kind in (int, float) else text
    except (ValueError, KeyError):
        return text

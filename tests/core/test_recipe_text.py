"""Recipes as text for links, and what differs between two."""

from dataclasses import replace

import pytest

from mnist_core.errors import DigitLabError
from mnist_core.recipe_text import differences, flat, from_flat, from_text, nearest_preset, to_text
from mnist_core.recipes import PRESETS, Distortion, ModelRecipe, Recipe, TrainRecipe

ODD = Recipe(
    ModelRecipe(filters=(8,), hidden=(), activation="tanh", batch_norm=True),
    TrainRecipe(learning_rate=1e-05, seed=2**31 - 1, distortion=Distortion(rotation=10.0, elastic=0.35)),
)
RECIPES = {name: preset.recipe for name, preset in PRESETS.items()} | {"odd": ODD, "default": Recipe()}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_comes_back_from_its_text(recipe: Recipe) -> None:
    assert from_text(to_text(recipe)) == recipe
    assert from_flat(flat(recipe)) == recipe


def test_the_text_names_what_is_not_the_default_and_needs_no_escaping() -> None:
    assert to_text(Recipe()) == ""
    recipe = Recipe(ModelRecipe(hidden=(50, 50), output="sigmoid"), TrainRecipe(learning_rate=0.01, seed=7))
    assert to_text(recipe) == "hidden-50-50~output-sigmoid~learning_rate-0.01~seed-7"
    assert to_text(ODD).startswith("filters-8~hidden-~activation-tanh~batch_norm-yes")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hidden-1000000000", "between 4 and 4096"),
        ("hidden-50-fifty", "up to 5 hidden layers"),
        ("hidden-8-8-8-8-8-8", "up to 5 hidden layers"),
        ("learning_rate-nan", "learning_rate must be a number"),
        ("learning_rate-inf", "learning_rate must be a number"),
        ("learning_rate--0.1", "learning_rate must lie between"),
        ("epochs-1e3", "epochs must be a whole number"),
        ("epochs-" + "9" * 900, "epochs must lie between"),
        ("batch_norm-perhaps", "true or false"),
        ("output-__class__", "output must be one of"),
        ("rotation-400", "rotation must lie between"),
        ("sauce-2", "no field called 'sauce'"),
        ("distortion-1", "no field called 'distortion'"),
        ("epochs-5~" * 200, "too long"),
    ],
)
def test_forged_text_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(DigitLabError, match=words):
        from_text(text)


def test_differences_are_named_by_field_with_both_values() -> None:
    base = PRESETS["classic-50-50"].recipe
    ours = base.with_changes(epochs=3, hidden=(64,), rotation=5.0)
    assert differences(ours, base) == {"hidden": ((50, 50), (64,)), "rotation": (0.0, 5.0), "epochs": (10, 3)}
    assert differences(base, base) == {}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_nearest_to_itself_and_to_what_hardly_differs(name: str) -> None:
    recipe = PRESETS[name].recipe
    assert nearest_preset(recipe) == name
    assert nearest_preset(replace(recipe, training=replace(recipe.training, seed=5))) == name

"""The drawing of a network follows its recipe."""

import re
from xml.etree import ElementTree

import pytest

from mnist_core.network_svg import HEIGHT, WIDTH, network_svg
from mnist_core.recipes import PRESETS, ModelRecipe

RECIPES = {name: preset.recipe.model for name, preset in PRESETS.items()} | {
    "linear": ModelRecipe(hidden=()),
    "convolutional": ModelRecipe(filters=(8, 16), hidden=(32,)),
    "largest": ModelRecipe(filters=(256, 256, 256), hidden=(1024, 1024, 512, 4, 4096), output="sigmoid"),
    "smallest": ModelRecipe(hidden=(4,) * 5),
}


def parsed(recipe: ModelRecipe) -> ElementTree.Element:
    return ElementTree.fromstring(network_svg(recipe))


def of_class(recipe: ModelRecipe, name: str) -> list[ElementTree.Element]:
    return [element for element in parsed(recipe).iter() if element.get("class") == name]


def circles(units: int) -> int:
    return len(of_class(ModelRecipe(hidden=(units,)), "dl-net-unit")) - 10


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_everything_lies_inside_the_drawing(recipe: ModelRecipe) -> None:
    drawn = parsed(recipe)
    numbers = [(float(e.get("cx", 0)), float(e.get("cy", 0)), float(e.get("r", 0))) for e in drawn.iter("circle")]
    assert all(r <= x <= WIDTH - r and r <= y <= HEIGHT - r for x, y, r in numbers)
    points = [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", network_svg(recipe))]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    boxes = [[float(e.get(name, 0)) for name in ("x", "y", "width", "height")] for e in drawn.iter("rect")]
    assert all(x >= 0 and y >= 0 and x + w <= WIDTH and y + h <= HEIGHT for x, y, w, h in boxes)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_layer_is_named_with_its_size_and_joined_to_the_next(recipe: ModelRecipe) -> None:
    sizes = [element.text for element in of_class(recipe, "dl-net-size")]
    expected = ["28 x 28", *(str(n) for n in recipe.filters), *(f"{n:,}" for n in recipe.hidden), "10"]
    assert sizes == expected
    assert len(of_class(recipe, "dl-net-lines")) == len(sizes) - 1
    assert all(element.get("d") for element in of_class(recipe, "dl-net-lines"))


def test_a_larger_layer_is_drawn_with_more_circles_and_a_small_one_with_all() -> None:
    assert circles(4) == 4
    assert circles(8) < circles(50) < circles(256) < circles(1024)


def test_it_says_in_words_what_it_shows() -> None:
    assert parsed(RECIPES["classic-50-50"]).get("aria-label") == "28 by 28 pixels, 50 relu, 50 relu, 10 sigmoid"


def test_it_is_one_line_and_brings_no_colour() -> None:
    drawn = network_svg(RECIPES["largest"])
    assert "\n" not in drawn
    assert not re.search(r"#[0-9a-f]{3,6}|rgb", drawn)

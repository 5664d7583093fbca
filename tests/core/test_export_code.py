"""What a recipe can be taken along as: a command that trains the same, and a script in plain Keras."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_core.__main__ import _parser, _recipe
from mnist_core.export_code import command_line, keras_code
from mnist_core.recipes import PRESETS, Distortion, ModelRecipe, Recipe, TrainRecipe

SMALL = Recipe(ModelRecipe(hidden=(12, 8), output="sigmoid"), TrainRecipe(epochs=1, batch_size=16))
EVERYTHING = Recipe(
    ModelRecipe(filters=(3, 4), hidden=(8,), activation="tanh", dropout=0.1, input_dropout=0.1, batch_norm=True),
    TrainRecipe(
        loss="categorical_crossentropy", label_smoothing=0.1, optimizer="adamw", weight_decay=0.01, schedule="cosine",
        learning_rate=0.002, epochs=1, batch_size=32, validation_share=0.1, examples=100, seed=4,
        distortion=Distortion(rotation=10, scaling=0.1, shear=0.1, shift=1, elastic=1, stroke=0.5, blur=0.5,
            contrast=0.1, gaps=0.1, cut=1, specks=2, clean_share=0.1),
        gentle_end=0.5, variants=0.2, non_digits=0.2, crossed_out=0.2,
    ),
)  # fmt: skip
STARTING = Recipe(
    ModelRecipe(hidden=(144, 36)), TrainRecipe(epochs=1, batch_size=32, examples=100, convolutional_start=0.5)
)
LINEAR = Recipe(ModelRecipe(hidden=()), TrainRecipe(epochs=1, optimizer="sgd", validation_share=0.0))
BRAIN = SMALL.with_changes(precision="bfloat16", batch_norm=True)
RECIPES = {"small": SMALL, "everything": EVERYTHING, "linear": LINEAR, "starting": STARTING, "bfloat16": BRAIN}

# Runs the script on digits that take no download, and tells the shapes of what it built.
RUN = """
import json, sys
import keras, numpy as np
rng = np.random.default_rng(0)
part = lambda n: (rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n) % 10)
keras.datasets.mnist.load_data = lambda: (part(200), part(50))
names = {}
exec(compile(sys.stdin.read(), "script", "exec"), names)
shapes = [[list(w.shape) for w in layer.weights if w.dtype == "float32"] for layer in names["model"].layers]
print(json.dumps([shape for layer in shapes for shape in layer]))
"""


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_keras_script_trains_a_network_with_the_same_weights(recipe: Recipe, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", RUN],
        input=keras_code(recipe),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert answer.returncode == 0, answer.stderr
    *_, said, shapes = answer.stdout.splitlines()
    assert said.startswith("test accuracy")
    assert json.loads(shapes) == [list(shape) for shape in recipe.model.weight_shapes.values()]


def test_the_script_says_what_it_leaves_out() -> None:
    assert "Not in this script" not in keras_code(SMALL)
    missing = [line for line in keras_code(EVERYTHING).splitlines() if line.startswith("# Not in this script")]
    assert len(missing) == 11
    assert keras_code(STARTING).count("# Not in this script: the recipe also begins as a convolutional network") == 1


@pytest.mark.parametrize(
    "recipe", [*RECIPES.values(), *(preset.recipe for preset in PRESETS.values())], ids=[*RECIPES, *PRESETS]
)
def test_the_command_gives_the_same_recipe(recipe: Recipe) -> None:
    words = shlex.split(command_line(recipe, "builtin"))
    assert words[:4] == ["python", "-m", "mnist_core", "train"]
    options = _parser().parse_args(words[3:])
    assert _recipe(options) == recipe
    assert options.data == "builtin"


def test_a_preset_is_a_short_command() -> None:
    assert command_line(PRESETS["ann"].recipe) == "python -m mnist_core train --preset ann"
    changed = PRESETS["classic-50-50"].recipe.with_changes(hidden=(), epochs=3)
    assert command_line(changed) == "python -m mnist_core train --preset classic-50-50 --hidden '' --epochs 3"

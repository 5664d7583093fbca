"""What speaks for a digit: integrated gradients against what they must be, and their picture and words."""

import re
from dataclasses import replace

import numpy as np
import pytest

from mnist_core import activity, evidence, runs
from mnist_core.evidence import Evidence
from mnist_core.recipes import ModelRecipe, Recipe, TrainRecipe
from mnist_core.recognizer import Recognizer
from mnist_core.training import train


def network(tmp_path, dataset, **model) -> Recognizer:
    recipe = Recipe(ModelRecipe(**model), TrainRecipe(epochs=1, validation_share=0.1))
    return Recognizer(runs.save_run("net", train(recipe, dataset), dataset, tmp_path / "runs"))


def digit(dataset, row: int = 5):
    return dataset.test_images[row].astype(np.float32) / 255


def test_of_a_linear_network_they_are_weights_times_pixels(tmp_path, few):
    recognizer = network(tmp_path, few, hidden=())
    kernel = runs.load_weights(recognizer.run)["logits/kernel"]
    picture = digit(few)
    found = evidence.weigh(recognizer, picture, 4, 9)
    np.testing.assert_allclose(found.values.ravel(), picture.ravel() * (kernel[:, 4] - kernel[:, 9]), atol=1e-5)
    assert found.values.sum() == pytest.approx(found.gain, abs=1e-3)


@pytest.mark.parametrize("name", ["ann", "classic-50-50"])
def test_they_sum_to_the_difference_of_scores(name, builtin):
    recognizer = Recognizer.load(name)
    for row in (0, 40, 200):
        picture = digit(builtin, row)
        found = evidence.weigh(recognizer, picture, 4, 9)
        scores = recognizer.logits(np.stack([picture, np.zeros_like(picture)]))
        assert found.gain == pytest.approx((scores[0, 4] - scores[0, 9]) - (scores[1, 4] - scores[1, 9]), abs=1e-4)
        assert found.values.sum() == pytest.approx(found.gain, abs=0.25), "what 256 steps leave"


def test_more_steps_come_nearer(builtin):
    recognizer, picture = Recognizer.load("classic-50-50"), digit(builtin)
    left = [
        abs(float((found := evidence.weigh(recognizer, picture, 4, 9, steps)).values.sum()) - found.gain)
        for steps in (2, 1024)
    ]
    assert left[1] < 0.05 < left[0]


def test_the_other_way_round_they_change_their_sign(tiny, builtin):
    recognizer, picture = Recognizer(tiny), digit(builtin)
    one, back = evidence.weigh(recognizer, picture, 4, 9), evidence.weigh(recognizer, picture, 9, 4)
    np.testing.assert_allclose(one.values, -back.values, atol=1e-5)


def test_paper_speaks_for_nothing(tiny, builtin):
    recognizer, picture = Recognizer(tiny), digit(builtin)
    found = evidence.weigh(recognizer, picture, 4, 9)
    assert found.values[picture > 0].any()
    assert not found.values[picture == 0].any()
    blank = evidence.weigh(recognizer, np.zeros_like(picture), 4, 9)
    assert blank.sentence == "There is no ink that could speak for a digit."
    assert "<rect" not in evidence.drawing(blank)


def made(values: dict[tuple[int, int], float]) -> Evidence:
    """A square of ink, 9 by 9, with this evidence in it."""
    ink = np.zeros((28, 28), np.float32)
    ink[10:19, 10:19] = 1
    weights = np.zeros_like(ink)
    for place, value in values.items():
        weights[place] = value
    return Evidence(ink, 4, 9, weights, float(weights.sum()))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({(10, 18): 2.0, (18, 10): -1.0}, "at the top, on the right; most of what speaks for the 9 is at the bottom"),
        ({(14, 14): 1.0}, "Most of what speaks for the 4 is in the middle."),
        ({(14, 10): -1.0}, "Most of what speaks for the 9 is on the left."),
        ({(18, 14): 1.0, (17, 14): -0.5}, "4 is at the bottom; most of what speaks for the 9 is at the bottom."),
    ],
    ids=["two corners", "middle", "only against", "both at one place"],
)
def test_where_it_is_in_words(values, sentence):
    assert sentence in made(values).sentence


def test_the_picture_has_a_square_for_what_counts():
    drawn = evidence.drawing(made({(10, 18): 2.0, (18, 10): -1.0, (12, 12): 0.001}))
    kinds = re.findall(r'class="(dl-[a-z]+)" x="(\d+)" y="(\d+)"', drawn)
    assert [one for one in kinds if one[0] == "dl-for"] == [("dl-for", "18", "10")]
    assert [one for one in kinds if one[0] == "dl-against"] == [("dl-against", "10", "18")]
    assert sum(kind == "dl-ink" for kind, _, _ in kinds) == 81
    strongest = re.findall(r'class="dl-for"[^>]*fill-opacity="([\d.]+)"', drawn)
    assert strongest == ["1.00"]


def test_activations_are_the_layers_outputs(tiny, builtin):
    recognizer, picture = Recognizer(tiny), digit(builtin)
    (layer,) = activity.layers(recognizer, picture)
    np.testing.assert_allclose(layer.outputs, recognizer.features(picture[None])[0], atol=1e-5)
    working = int((layer.outputs >= 0.1 * layer.outputs.max()).sum())
    assert (layer.title, layer.sentence) == ("Layer 1", f"{working} of 24 units take part")
    assert layer.picture().shape == (4, 7)
    assert layer.picture().max() == 255


def test_of_a_convolution_the_strongest_maps_are_shown(tmp_path, few):
    recognizer = network(tmp_path, few, filters=(10,), hidden=(12,))
    found = activity.layers(recognizer, digit(few))
    assert [layer.title for layer in found] == ["Convolution 1a", "Convolution 1b", "Layer 1"]
    assert found[0].outputs.shape == (28, 28, 10)
    assert found[0].picture().shape == (2 * 29 - 1, 4 * 29 - 1)
    assert found[0].sentence.endswith("of 10 filters find something")


def test_without_hidden_layers_nothing_goes_on(tmp_path, few):
    assert activity.layers(network(tmp_path, few, hidden=()), digit(few)) == ()


def test_a_layer_that_is_silent_is_no_error():
    silent = activity.Layer("Layer 1", np.zeros(5, np.float32))
    assert silent.sentence == "0 of 5 units take part"
    assert not silent.picture().any()
    few_maps = replace(silent, outputs=np.ones((2, 2, 3), np.float32))
    assert few_maps.picture().shape == (5, 5)

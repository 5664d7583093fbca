import dataclasses
import json
import math
from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core import network
from mnist_core.errors import DigitLabError
from mnist_core.recipes import (
    BOUNDS,
    DISTORTIONS,
    MAX_PARAMETERS,
    PRESETS,
    Distortion,
    ModelRecipe,
    Recipe,
    TrainRecipe,
    convolutional_start_problem,
    preset,
)

KINDS = (ModelRecipe, TrainRecipe, Distortion)
WHOLE = ("epochs", "batch_size", "examples", "early_stopping", "distinct_epochs", "seed")
# What else has to be set so that the field may take the value at all.
COMPANIONS: dict[str, dict[str, Any]] = {
    "label_smoothing": {"loss": "categorical_crossentropy"},
    "weight_decay": {"optimizer": "adamw"},
    "non_digits": {"loss": "categorical_crossentropy"},
}


def kind_of(name: str) -> type:
    return next(kind for kind in KINDS if name in {item.name for item in dataclasses.fields(kind)})


def made(name: str, value: Any) -> Any:
    return kind_of(name)(**{name: value}, **COMPANIONS.get(name, {}))


# --- bounds


def test_the_bounds_are_those_of_every_number_in_a_recipe() -> None:
    numbers = {item.name for kind in KINDS for item in dataclasses.fields(kind) if item.type in (int, float)}
    assert set(BOUNDS) == numbers, "a slider needs the bounds of every number, and of nothing else"


@pytest.mark.parametrize("name", BOUNDS)
def test_both_ends_of_the_bounds_are_allowed(name: str) -> None:
    for end in BOUNDS[name]:
        assert getattr(made(name, end), name) == end, "bounds are inclusive"


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_just_beyond_the_bounds_is_refused(name: str) -> None:
    low, high = BOUNDS[name]
    below, above = (low - 1, high + 1) if name in WHOLE else (math.nextafter(low, -1), math.nextafter(high, math.inf))
    for value in (below, above):
        with pytest.raises(DigitLabError, match=f"{name} must lie between {low:.10g} and {high:.10g}"):
            made(name, value)


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None, True, [1], 1j], ids=repr)
def test_what_is_no_number_is_refused(name: str, value: Any) -> None:
    with pytest.raises(DigitLabError, match=f"{name} must be a (whole )?number"):
        made(name, value)


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", [10**9, -(10**9), 10**400], ids=["1e9", "-1e9", "1e400"])
def test_enormous_numbers_are_refused(name: str, value: int) -> None:
    with pytest.raises(DigitLabError, match=name) as caught:
        made(name, 4 * value)
    assert len(str(caught.value)) < 200, "the sentence does not repeat hundreds of digits"


@pytest.mark.parametrize("name", WHOLE)
def test_a_fraction_is_no_whole_number(name: str) -> None:
    with pytest.raises(DigitLabError, match=f"{name} must be a whole number, not 2.0"):
        made(name, 2.0)


@pytest.mark.parametrize(
    ("field", "value", "choices"),
    [
        ("activation", "swish", "relu, tanh, sigmoid, gelu, elu"),
        ("output", "relu", "softmax, sigmoid"),
        ("loss", "mse", "sparse_categorical_crossentropy, categorical_crossentropy"),
        ("optimizer", "lion", "adam, adamw, sgd, rmsprop"),
        ("schedule", None, "constant, cosine"),
        ("schedule", ["cosine"], "constant, cosine"),
        ("precision", "float16", "float32, bfloat16"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_the_choices(field: str, value: Any, choices: str) -> None:
    with pytest.raises(DigitLabError) as caught:
        made(field, value)
    assert str(caught.value) == f"{field} must be one of {choices}, not {value!r}."


@pytest.mark.parametrize("value", ["../../etc", "A", 5, None, "x" * 65])
def test_a_teacher_has_the_name_of_a_run(value: Any) -> None:
    with pytest.raises(DigitLabError, match="teacher must be the name of a run"):
        TrainRecipe(loss="categorical_crossentropy", teacher=value)


def test_a_teacher_stands_for_one_hot_labels() -> None:
    with pytest.raises(DigitLabError, match="one-hot labels"):
        TrainRecipe(teacher="cnn")
    with pytest.raises(DigitLabError, match="no labels that could be smoothed"):
        TrainRecipe(loss="categorical_crossentropy", teacher="cnn", label_smoothing=0.1)


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_a_switch_is_true_or_false(value: Any) -> None:
    with pytest.raises(DigitLabError, match="batch_norm must be true or false"):
        ModelRecipe(batch_norm=value)


@pytest.mark.parametrize("hidden", [(), (4,), (4096,), (64, 32), (8, 8, 8, 8, 8)])
def test_allowed_hidden_layers(hidden: tuple[int, ...]) -> None:
    assert ModelRecipe(hidden=hidden).hidden == hidden


@pytest.mark.parametrize("units", [3, 4097, 0, -5, 10**9, 10**400, 64.0, "64", None, True, math.nan], ids=repr)
def test_refused_units(units: Any) -> None:
    with pytest.raises(DigitLabError, match="A hidden layer has between 4 and 4096 units"):
        ModelRecipe(hidden=(32, units))


@pytest.mark.parametrize("hidden", [(8,) * 6, [8], 8, None, "88"], ids=repr)
def test_refused_lists_of_layers(hidden: Any) -> None:
    with pytest.raises(DigitLabError, match="There can be up to 5 hidden layers"):
        ModelRecipe(hidden=hidden)


@pytest.mark.parametrize("filters", [(), (2,), (256,), (8, 16, 32)])
def test_allowed_convolutional_blocks(filters: tuple[int, ...]) -> None:
    assert ModelRecipe(filters=filters).filters == filters


@pytest.mark.parametrize("filters", [1, 257, 0, -5, 10**9, 16.0, "16", None, True], ids=repr)
def test_refused_filters(filters: Any) -> None:
    with pytest.raises(DigitLabError, match="A convolutional block has between 2 and 256 filters"):
        ModelRecipe(filters=(8, filters))


@pytest.mark.parametrize("filters", [(8,) * 4, [8], 8, None], ids=repr)
def test_refused_lists_of_blocks(filters: Any) -> None:
    with pytest.raises(DigitLabError, match="There can be up to 3 convolutional blocks"):
        ModelRecipe(filters=filters)


def test_the_largest_network_that_is_allowed() -> None:
    widest = ModelRecipe(hidden=(4096, 3110))
    assert 15_980_000 < widest.parameters <= MAX_PARAMETERS
    with pytest.raises(DigitLabError, match=r"would have 20,037,642 weights; the limit is 16,000,000"):
        ModelRecipe(hidden=(4096, 4096))  # 785 * 4096 + 4097 * 4096 + 4097 * 10


@pytest.mark.parametrize("name", ["label_smoothing", "non_digits"])
def test_soft_targets_need_one_hot_labels(name: str) -> None:
    with pytest.raises(DigitLabError, match="one-hot labels"):
        TrainRecipe(**{name: 0.1})


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_weight_decay_needs_adamw(optimizer: Any) -> None:
    with pytest.raises(DigitLabError, match="Weight decay needs the optimiser adamw"):
        TrainRecipe(weight_decay=0.1, optimizer=optimizer)


# --- JSON


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    number = {
        name: st.integers(int(low), int(high)) if name in WHOLE else st.floats(low, high)
        for name, (low, high) in BOUNDS.items()
    }
    model = ModelRecipe(
        filters=tuple(draw(st.lists(st.integers(2, 16), max_size=3))),
        hidden=tuple(draw(st.lists(st.integers(4, 1000), max_size=5) | st.just([288, 36]))),
        activation=draw(st.sampled_from(["relu", "tanh", "sigmoid", "gelu", "elu"])),
        output=draw(st.sampled_from(["softmax", "sigmoid"])),
        dropout=draw(number["dropout"]),
        input_dropout=draw(number["input_dropout"]),
        batch_norm=draw(st.booleans()),
    )
    distortion = Distortion(**{item.name: draw(number[item.name]) for item in dataclasses.fields(Distortion)})
    chosen = {"loss", "optimizer", "schedule", "distortion", "weight_decay", "label_smoothing", "precision", "teacher"}
    chosen |= {"early_stopping", "validation_share"}
    share = draw(number["validation_share"])
    plain = [item.name for item in dataclasses.fields(TrainRecipe) if item.name not in chosen]
    how = TrainRecipe(
        loss="categorical_crossentropy",
        optimizer="adamw",
        weight_decay=draw(number["weight_decay"]),
        validation_share=share,
        early_stopping=draw(number["early_stopping"]) if share else 0,
        **draw(
            st.fixed_dictionaries({"label_smoothing": number["label_smoothing"]})
            | st.fixed_dictionaries({"teacher": st.sampled_from(["ann", "my-run.2"])})
        ),
        precision=draw(st.sampled_from(["float32", "bfloat16"])),
        distortion=distortion,
        **{name: draw(number[name]) for name in plain},
    )
    if convolutional_start_problem(model.filters, model.hidden):
        how = dataclasses.replace(how, convolutional_start=0.0)
    return Recipe(model, how)


@given(recipes())
def test_a_recipe_comes_back_from_json_as_it_was(recipe: Recipe) -> None:
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_comes_back_from_json_as_it_was(name: str) -> None:
    recipe = preset(name)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert hash(Recipe.from_dict(recipe.to_dict())) == hash(recipe), "recipes can be keys"


def test_what_is_missing_takes_its_default() -> None:
    assert Recipe.from_dict({}) == Recipe()
    assert Recipe.from_dict({"model": {"hidden": [], "filters": [4]}}).model == ModelRecipe(hidden=(), filters=(4,))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "A recipe's Recipe must be an object, not NoneType."),
        ([], "A recipe's Recipe must be an object, not list."),
        ({"model": 3}, "A recipe's ModelRecipe must be an object, not int."),
        ({"training": "x"}, "A recipe's TrainRecipe must be an object, not str."),
        ({"training": {"distortion": None}}, "A recipe's Distortion must be an object, not NoneType."),
        ({"modle": {}}, "A recipe has no field called 'modle'."),
        ({"model": {"layers": 3}}, "A recipe has no field called 'layers'."),
        ({"training": {"__class__": 3}}, "A recipe has no field called '__class__'."),
        ({"training": {"distortion": {"rotate": 3}}}, "A recipe has no field called 'rotate'."),
        ({"model": {3: 3}}, "A recipe has no field called '3'."),
        ({"model": {"hidden": "128"}}, "There can be up to 5 hidden layers."),
        ({"model": {"hidden": [10**9]}}, "A hidden layer has between 4 and 4096 units, not 1000000000."),
        ({"model": {"hidden": [[8]]}}, "A hidden layer has between 4 and 4096 units, not [8]."),
        ({"model": {"dropout": math.nan}}, "dropout must be a number, not nan."),
        ({"training": {"epochs": 0}}, "epochs must lie between 1 and 1000, not 0."),
        ({"training": {"distortion": {"rotation": 46}}}, "rotation must lie between 0 and 45, not 46."),
    ],
)
def test_a_foreign_recipe_is_refused_with_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(DigitLabError) as caught:
        Recipe.from_dict(data)
    assert str(caught.value) == sentence


def test_reading_a_recipe_leaves_what_was_given_alone() -> None:
    given_data = {"model": {"hidden": [8]}, "training": {"distortion": {"shift": 1.0}}}
    Recipe.from_dict(given_data)
    assert given_data == {"model": {"hidden": [8]}, "training": {"distortion": {"shift": 1.0}}}


def test_changes_go_to_the_part_that_has_the_field() -> None:
    changed = preset("classic-128").with_changes(hidden=(8, 8), epochs=2, output="sigmoid", seed=5)
    expected = Recipe(ModelRecipe(hidden=(8, 8), output="sigmoid"), TrainRecipe(epochs=2, seed=5))
    assert changed == expected
    assert preset("classic-128").model.hidden == (128,), "a preset itself never changes"
    with pytest.raises(DigitLabError, match="epochs"):
        preset("classic-128").with_changes(epochs=0)


# --- architecture


@pytest.mark.parametrize(
    ("recipe", "parameters"),
    [
        (ModelRecipe(hidden=()), 7_850),  # 784 * 10 + 10
        (ModelRecipe(hidden=(128,)), 101_770),  # as Keras' own first example prints it
        (ModelRecipe(hidden=(50, 50), output="sigmoid"), 42_310),  # 785 * 50 + 51 * 50 + 51 * 10
        (ModelRecipe(hidden=(512, 512), dropout=0.2), 669_706),
        (ModelRecipe(hidden=(32, 16), batch_norm=True), 25_866),  # 784*32 + 2*32 + 32*16 + 2*16 + 17*10
        (ModelRecipe(hidden=(16, 8), activation="gelu", input_dropout=0.1, dropout=0.5), 12_786),
        (ModelRecipe(filters=(4,), hidden=()), 8_038),  # 10*4 + 37*4 + 14*14*4*10 + 10
        (
            ModelRecipe(filters=(4, 8), hidden=(16,), batch_norm=True),
            7_566,
        ),  # 9*(4 + 16 + 32 + 64) + 392*16 + 170 + 2*(4 + 4 + 8 + 8 + 16)
    ],
)
def test_weights_are_counted_as_keras_counts_them(recipe: ModelRecipe, parameters: int) -> None:
    assert recipe.parameters == parameters, "worked out by hand"
    model = network.build(recipe)
    counted = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    assert recipe.parameters == counted, "Keras trains as many"
    assert {name: value.shape for name, value in network.get_weights(model).items()} == recipe.weight_shapes


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_as_many_weights_as_their_keras_networks(name: str) -> None:
    model: keras.Model = network.build(preset(name).model)
    moving = sum(variable.shape[0] for variable in model.variables if "moving" in variable.name)
    assert preset(name).model.parameters == model.count_params() - moving


def test_the_presets_are_the_published_recipes() -> None:
    assert list(PRESETS) == ["classic-50-50", "classic-128", "classic-onehot", "ann", "cnn"]
    small, first, onehot, ann, cnn = (preset(name) for name in PRESETS)
    assert (small.model.hidden, small.model.output) == ((50, 50), "sigmoid")
    assert (small.training.optimizer, small.training.loss) == ("adam", "sparse_categorical_crossentropy")
    assert small.training.epochs == 10
    assert first.model.parameters == 101_770
    assert (first.model.output, first.training.loss) == ("softmax", "sparse_categorical_crossentropy")
    assert (onehot.model.output, onehot.training.loss) == ("softmax", "categorical_crossentropy")
    assert onehot.model.activation == "relu"
    assert ann.training.distortion.active
    assert (ann.model.filters, ann.model.parameters <= 4_000_000) == ((), True), "dense layers only"
    assert cnn.model.filters
    assert cnn.training.distortion.active
    assert all(known.name == name and known.title and known.published for name, known in PRESETS.items())


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DigitLabError) as caught:
        preset("rnn")
    expected = "There is no preset called 'rnn'; there are classic-50-50, classic-128, classic-onehot, ann, cnn."
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", [item.name for item in dataclasses.fields(Distortion) if item.name != "clean_share"])
def test_the_named_strengths_set_every_distortion(name: str) -> None:
    strengths = [getattr(DISTORTIONS[strength], name) for strength in ("none", "light", "medium", "strong")]
    assert strengths[0] == 0
    assert strengths == sorted(set(strengths)), "each is stronger than the one before"


def test_a_gentle_distortion_is_half_as_strong_and_leaves_a_quarter_of_the_digits_alone() -> None:
    full = Distortion(
        rotation=12, scaling=0.2, shear=0.1, shift=3, elastic=1, stroke=0.5,
        blur=1, contrast=0.3, gaps=0.2, cut=2, specks=3, clean_share=0.05,
    )  # fmt: skip
    half = Distortion(
        rotation=6, scaling=0.1, shear=0.05, shift=1.5, elastic=0.5, stroke=0.25,
        blur=0.5, contrast=0.15, gaps=0.1, cut=1, specks=1.5, clean_share=0.25,
    )  # fmt: skip
    assert full.gentle == half
    assert Distortion(shift=2, clean_share=0.4).gentle == Distortion(shift=1, clean_share=0.4), "more than a quarter"


@pytest.mark.parametrize(
    ("epochs", "share", "gentle"),
    [(10, 0.3, [8, 9, 10]), (10, 0.0, []), (3, 1.0, [1, 2, 3]), (1, 0.3, []), (28, 0.3, [*range(21, 29)])],
)
def test_the_gentle_end_is_a_share_of_the_epochs(epochs: int, share: float, gentle: list[int]) -> None:
    how = TrainRecipe(epochs=epochs, gentle_end=share, distortion=DISTORTIONS["strong"])
    weak = [epoch for epoch in range(1, epochs + 1) if how.distortion_in(epoch) == DISTORTIONS["strong"].gentle]
    assert weak == gentle
    assert {how.distortion_in(epoch) for epoch in range(1, epochs + 1) if epoch not in gentle} <= {how.distortion}
    assert how.first_gentle == min(gentle, default=epochs + 1)


@pytest.mark.parametrize(
    ("epochs", "share", "free"), [(10, 0.3, 4), (10, 0.0, 1), (3, 1.0, 4), (1, 0.3, 1), (28, 0.5, 15)]
)
def test_the_convolutional_start_is_a_share_of_the_epochs(epochs: int, share: float, free: int) -> None:
    assert TrainRecipe(epochs=epochs, convolutional_start=share).first_free == free


def test_what_changes_while_it_learns_is_told() -> None:
    how = TrainRecipe(epochs=10, convolutional_start=0.3, gentle_end=0.2, distortion=Distortion(shift=1))
    assert how.turns == {3: "every weight free", 8: "distorted less"}
    assert dataclasses.replace(how, distortion=Distortion(), convolutional_start=0.0).turns == {}
    assert dataclasses.replace(how, convolutional_start=1.0, gentle_end=1.0).turns == {}, "it is so all the time"


def test_a_training_that_goes_on_has_no_start_of_its_own() -> None:
    recipe = Recipe(ModelRecipe(hidden=(144,)), TrainRecipe(convolutional_start=0.5, gentle_end=0.2))
    assert recipe.going_on == Recipe(recipe.model, TrainRecipe(gentle_end=0.2))


@pytest.mark.parametrize(
    ("filters", "hidden", "problem"),
    [
        ((), (144,), ""),
        ((), (288, 36, 9, 10), ""),
        ((), (), "without hidden layers"),
        ((4,), (144,), "blocks of filters"),
        ((), (145,), "first hidden layer needs a multiple of 144 .* not 145"),
        ((), (144, 24), "second hidden layer needs a multiple of 36 .* not 24"),
        ((), (144, 36, 10), "third hidden layer needs a multiple of 9 .* not 10"),
    ],
)
def test_only_layers_with_a_unit_for_each_place_can_start_as_convolutions(
    filters: tuple[int, ...], hidden: tuple[int, ...], problem: str
) -> None:
    model, how = ModelRecipe(filters=filters, hidden=hidden), TrainRecipe(convolutional_start=0.5)
    assert Recipe(model), "without such a start any layers will do"
    if problem:
        with pytest.raises(DigitLabError, match=problem):
            Recipe(model, how)
    else:
        assert Recipe(model, how).training.convolutional_start == 0.5


@pytest.mark.parametrize("name", [item.name for item in dataclasses.fields(Distortion) if item.name != "clean_share"])
def test_any_strength_makes_a_distortion_active(name: str) -> None:
    assert Distortion(**{name: BOUNDS[name].high}).active
    assert not Distortion(clean_share=0.5).active, "nothing is changed, whatever share is left alone"


def test_a_presets_teacher_is_a_preset_that_needs_none() -> None:
    taught = {name: known.recipe.training.teacher for name, known in PRESETS.items()}
    assert any(taught.values())
    assert all(not teacher or (teacher in taught and not taught[teacher]) for teacher in taught.values())

"""A recipe as something to take along: the command that trains it, and a script in plain Keras."""

import shlex
from textwrap import indent

from mnist_core.recipe_text import Value, differences, nearest_preset
from mnist_core.recipes import PRESETS, Recipe, TrainRecipe


def command_line(recipe: Recipe, data: str = "mnist") -> str:
    """Return the command that trains this recipe, starting from the preset that is nearest to it."""
    name = nearest_preset(recipe)
    words = ["python", "-m", "mnist_core", "train", "--preset", name]
    if data != "mnist":
        words += ["--data", data]
    for field, (_, value) in differences(recipe, PRESETS[name].recipe).items():
        words += _option(field, value)
    return shlex.join(words)


def _option(field: str, value: Value) -> list[str]:
    option = field.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    if isinstance(value, tuple):
        return [f"--{option}", ",".join(str(size) for size in value)]
    return [f"--{option}", str(value)]


def keras_code(recipe: Recipe) -> str:
    """Return a script that needs Keras and nothing of ours, and trains the same network on MNIST.

    The network, the loss, the optimiser and its schedule are the same. What plain Keras has no layer for (bent and
    thickened strokes, other ways of writing, drawings that are no digits) is left out, which the script says.
    """
    parts = (_setup(recipe), _prepare(recipe), _build(recipe), _train(recipe), _evaluate())
    return "\n\n".join(parts) + "\n"


def _setup(recipe: Recipe) -> str:
    how = recipe.training
    lines = ["import keras", "import numpy as np", "", f"keras.utils.set_random_seed({how.seed})"]
    if how.precision != "float32":
        lines.append(f'keras.config.set_dtype_policy("mixed_{how.precision}")')
    return "\n".join(lines)


def _prepare(recipe: Recipe) -> str:
    how = recipe.training
    lines = [
        "# Prepare: 28x28 pixels as 784 numbers from 0 to 1",
        "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()",
        'x_train = x_train.reshape(-1, 784).astype("float32") / 255',
        'x_test = x_test.reshape(-1, 784).astype("float32") / 255',
    ]
    if how.examples:
        kept = round(how.examples / (1 - how.validation_share))  # what is held back comes on top, as in our training
        lines.append(f"x_train, y_train = x_train[:{kept}], y_train[:{kept}]")
    if how.loss == "categorical_crossentropy":
        lines.append(
            "y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)"
        )
    return "\n".join(lines)


def _build(recipe: Recipe) -> str:
    model = recipe.model
    first = "he_uniform" if model.activation == "relu" else "glorot_uniform"
    plain = ", use_bias=False" if model.batch_norm else ""
    after = [f'layers.Activation("{model.activation}")']
    if model.batch_norm:
        after.insert(0, "layers.BatchNormalization()")
    lines = ["keras.Input((784,))", *_distorting(recipe)]
    if model.input_dropout:
        lines.append(f"layers.Dropout({model.input_dropout})")
    if model.filters:
        lines.append("layers.Reshape((28, 28, 1))")
        for filters in model.filters:
            one = f'layers.Conv2D({filters}, 3, padding="same", kernel_initializer="{first}"{plain})'
            lines += [one, *after, one, *after, "layers.MaxPooling2D(2)"]
        lines.append("layers.Flatten()")
    for units in model.hidden:
        lines += [f'layers.Dense({units}, kernel_initializer="{first}"{plain})', *after]
        if model.dropout:
            lines.append(f"layers.Dropout({model.dropout})")
    last = ', dtype="float32"' if recipe.training.precision != "float32" else ""
    lines.append(f"layers.Dense(10{last})")
    note = ""
    if model.output == "sigmoid":
        lines.append('layers.Activation("log_sigmoid")')
        note = "# Ten sigmoids: their logarithm, and the softmax inside the loss, divide them by their sum.\n"
    listed = indent(",\n".join(lines), " " * 8)
    return (
        f"# Build\nlayers = keras.layers\n{note}model = keras.Sequential(\n    [\n{listed},\n    ]\n)\nmodel.summary()"
    )


def _distorting(recipe: Recipe) -> list[str]:
    """Keras' own layers for the distortions that it has; they act while it trains only."""
    how = recipe.training.distortion
    made = []
    if how.rotation:
        made.append(f'layers.RandomRotation({how.rotation / 360:.4g}, fill_mode="constant")')
    if how.scaling:
        made.append(f'layers.RandomZoom({how.scaling}, {how.scaling}, fill_mode="constant")')
    if how.shift:
        made.append(f'layers.RandomTranslation({how.shift / 28:.4g}, {how.shift / 28:.4g}, fill_mode="constant")')
    if how.shear:
        made.append(f'layers.RandomShear({how.shear}, fill_mode="constant")')
    return ["layers.Reshape((28, 28, 1))", *made, "layers.Reshape((784,))"] if made else []


def _train(recipe: Recipe) -> str:
    how = recipe.training
    lines = ["# Train", *_missing(how)]
    rate = f"{how.learning_rate}"
    if how.schedule == "cosine":
        share = f" * {1 - how.validation_share:g}" if how.validation_share else ""
        lines.append(f"steps = int(np.ceil(len(x_train){share} / {how.batch_size})) * {how.epochs}")
        rate = f"keras.optimizers.schedules.CosineDecay({how.learning_rate}, steps)"
    smooth = f", label_smoothing={how.label_smoothing}" if how.label_smoothing else ""
    loss = "CategoricalCrossentropy" if how.loss == "categorical_crossentropy" else "SparseCategoricalCrossentropy"
    lines += [
        "model.compile(",
        f"    optimizer=keras.optimizers.{_optimizer(how, rate)},",
        f"    loss=keras.losses.{loss}(from_logits=True{smooth}),",
        '    metrics=["accuracy"],',
        ")",
    ]
    options = [f"batch_size={how.batch_size}", f"epochs={how.epochs}"]
    if how.validation_share:
        options.append(f"validation_split={how.validation_share}")
    if how.early_stopping:
        options.append(
            f"callbacks=[keras.callbacks.EarlyStopping(patience={how.early_stopping}, restore_best_weights=True)]"
        )
    lines.append("model.fit(x_train, y_train, " + ", ".join(options) + ")")
    return "\n".join(lines)


def _optimizer(how: TrainRecipe, rate: str) -> str:
    return {
        "adam": f"Adam({rate})",
        "adamw": f"AdamW({rate}, weight_decay={how.weight_decay})",
        "sgd": f"SGD({rate}, momentum=0.9, nesterov=True)",
        "rmsprop": f"RMSprop({rate})",
    }[how.optimizer]


def _missing(how: TrainRecipe) -> list[str]:
    """Comments on what the recipe does and this script does not."""
    missing = {
        "bends the digits (elastic)": how.distortion.elastic,
        "makes the pen thicker and thinner": how.distortion.stroke,
        "blurs the digits": how.distortion.blur,
        "makes the ink fainter": how.distortion.contrast,
        "leaves gaps in the ink": how.distortion.gaps,
        "cuts the digits off at one side": how.distortion.cut,
        "strews specks": how.distortion.specks,
        "shows some digits undistorted": how.distortion.active and how.distortion.clean_share,
        "distorts digits less in the last epochs": how.distortion.active and how.gentle_end,
        "begins as a convolutional network": how.convolutional_start,
        "writes 0, 1 and 7 as other people do": how.variants,
        "shows drawings that are no digits": how.non_digits,
        "learns from another network's answers": how.teacher,
    }
    return [f"# Not in this script: the recipe also {what}." for what, amount in missing.items() if amount]


def _evaluate() -> str:
    return (
        "# Evaluate\n"
        "loss, accuracy = model.evaluate(x_test, y_test, verbose=0)\n"
        'print(f"test accuracy {accuracy:.2%}, loss {loss:.4f}")'
    )

"""What decides a training: the recipe, its bounds, and the named presets.

A recipe is frozen, comparable and JSON. Two equal recipes trained on the same dataset give the same network (on the
same machine). The bounds live here and nowhere else: sliders use them, and every recipe that comes from outside is
checked against them again.
"""

import json
import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple, Self, get_args, get_type_hints

from mnist_core.errors import DigitLabError

Activation = Literal["relu", "tanh", "sigmoid", "gelu", "elu"]
Output = Literal["softmax", "sigmoid"]
Loss = Literal["sparse_categorical_crossentropy", "categorical_crossentropy"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "bfloat16"]


class Bounds(NamedTuple):
    """The smallest and the largest value that is allowed, both included."""

    low: float
    high: float


_TRAINED_BY_NORM = ("gamma", "beta")
_MEASURED_BY_NORM = ("moving_mean", "moving_variance")

RUN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What the name of a run looks like."""


class Convolution(NamedTuple):
    """A convolution as a hidden layer begins with: the side of what it sees, the border, and where it looks."""

    side: int
    padding: Literal["valid", "same"]
    places: int


CONVOLUTION_STRIDE = 2
CONVOLUTIONS = (Convolution(6, "valid", 12 * 12), Convolution(5, "same", 6 * 6), Convolution(5, "same", 3 * 3))
"""What the first hidden layers are with `TrainRecipe.convolutional_start`: each looks, in so many places, at what the
one before found. Sides and the stride are in pixels, or in places of the layer before."""

MAX_PARAMETERS = 16_000_000
MAX_HIDDEN_LAYERS = 5
MAX_BLOCKS = 3
FILTERS = Bounds(2, 256)
UNITS = Bounds(4, 4096)
BOUNDS: Mapping[str, Bounds] = {
    "dropout": Bounds(0.0, 0.9),
    "input_dropout": Bounds(0.0, 0.5),
    "epochs": Bounds(1, 1000),
    "batch_size": Bounds(1, 2048),
    "learning_rate": Bounds(1e-6, 10.0),
    "weight_decay": Bounds(0.0, 1.0),
    "label_smoothing": Bounds(0.0, 0.5),
    "validation_share": Bounds(0.0, 0.5),
    "examples": Bounds(0, 60_000),
    "early_stopping": Bounds(0, 100),
    "seed": Bounds(0, 2**31 - 1),
    "rotation": Bounds(0.0, 45.0),
    "scaling": Bounds(0.0, 0.5),
    "shear": Bounds(0.0, 1.0),
    "shift": Bounds(0.0, 8.0),
    "elastic": Bounds(0.0, 5.0),
    "stroke": Bounds(0.0, 1.0),
    "blur": Bounds(0.0, 2.0),
    "contrast": Bounds(0.0, 0.9),
    "gaps": Bounds(0.0, 0.5),
    "cut": Bounds(0.0, 8.0),
    "specks": Bounds(0.0, 20.0),
    "clean_share": Bounds(0.0, 1.0),
    "gentle_end": Bounds(0.0, 1.0),
    "convolutional_start": Bounds(0.0, 1.0),
    "variants": Bounds(0.0, 1.0),
    "non_digits": Bounds(0.0, 1.0),
    "crossed_out": Bounds(0.0, 0.5),
    "distinct_epochs": Bounds(0, 100),
}
"""Bounds of each number in a recipe, by field name."""

_SIZES = (
    4, 8, 10, 16, 20, 32, 36, 50, 64, 72, 100, 128, 144, 200, 256, 288, 300, 400, 512, 576, 768, 864, 1024, 1152,
)  # fmt: skip
STOPS: Mapping[str, tuple[float, ...]] = {
    "units": _SIZES,
    "filters": (4, 8, 16, 32, 64, 128),
    "epochs": (*range(1, 11), 12, 15, 20, 25, 30, 40, 50, 60, 80, 100),
    "learning_rate": (*(float(f"{digit}e{power}") for power in range(-5, 1) for digit in (1, 2, 5)), 10.0),
    "batch_size": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048),
    "examples": (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000, 0),
    "distinct_epochs": (0, 1, 2, 5, 10, 20, 50, 100),
    "weight_decay": (0.0, 0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
}
"""Where the steps of a slider are not even: what it offers, in order. Any value within the bounds is allowed."""


def _check(recipe: Any) -> None:
    """Raise `DigitLabError` unless every field has its declared type and lies within its bounds."""
    hints = get_type_hints(type(recipe))
    for item in fields(recipe):
        value, hint = getattr(recipe, item.name), hints[item.name]
        if (choices := get_args(hint)) and all(isinstance(choice, str) for choice in choices):
            if value not in choices:
                raise DigitLabError(f"{item.name} must be one of {', '.join(choices)}, not {_short(value)}.")
        elif hint in (int, float):
            _check_number(item.name, value, hint)
        elif hint is str and not (isinstance(value, str) and (value == "" or RUN_NAME.fullmatch(value))):
            raise DigitLabError(f"{item.name} must be the name of a run, not {_short(value)}.")
        elif hint is bool and not isinstance(value, bool):
            raise DigitLabError(f"{item.name} must be true or false, not {_short(value)}.")


def _check_sizes(sizes: Any, most: int, bounds: Bounds, layer: str, units: str) -> None:
    if not isinstance(sizes, tuple) or len(sizes) > most:
        raise DigitLabError(f"There can be up to {most} {layer}s.")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or not bounds.low <= size <= bounds.high:
            raise DigitLabError(
                f"A {layer} has between {bounds.low:g} and {bounds.high:g} {units}, not {_short(size)}."
            )


def _check_number(name: str, value: Any, kind: type) -> None:
    allowed = (int,) if kind is int else (int, float)
    # A whole number may be too large to be made a float, so only floats are asked whether they are finite.
    odd = isinstance(value, bool) or not isinstance(value, allowed)
    if odd or (isinstance(value, float) and not math.isfinite(value)):
        raise DigitLabError(f"{name} must be a {'whole number' if kind is int else 'number'}, not {_short(value)}.")
    low, high = BOUNDS[name]
    if not low <= value <= high:
        raise DigitLabError(f"{name} must lie between {low:.10g} and {high:.10g}, not {_short(value)}.")


_short = reprlib.repr  # what came from outside may be a megabyte long


@dataclass(frozen=True)
class ModelRecipe:
    """The architecture: 784 inputs, convolutional blocks if any, the hidden layers, ten outputs.

    Parameters
    ----------
    filters
        Filters of each convolutional block, at most three blocks: two 3x3 convolutions and a 2x2 max pooling. Empty: a
        dense network.
    hidden
        Units of each hidden layer, first to last; at most five layers. Empty: a linear classifier.
    activation
        Of every hidden layer and convolution.
    output
        ``"softmax"``, or ``"sigmoid"``: ten independent yes-or-no units, which are divided by their sum to give
        probabilities.
    dropout, input_dropout
        Share of hidden units (of pixels) switched off at each training step.
    batch_norm
        Batch normalisation between the sum of each hidden layer or convolution and its activation.
    """

    filters: tuple[int, ...] = ()
    hidden: tuple[int, ...] = (128,)
    activation: Activation = "relu"
    output: Output = "softmax"
    dropout: float = 0.0
    input_dropout: float = 0.0
    batch_norm: bool = False

    def __post_init__(self) -> None:
        _check_sizes(self.filters, MAX_BLOCKS, FILTERS, "convolutional block", "filters")
        _check_sizes(self.hidden, MAX_HIDDEN_LAYERS, UNITS, "hidden layer", "units")
        _check(self)
        if self.parameters > MAX_PARAMETERS:
            raise DigitLabError(
                f"This network would have {self.parameters:,} weights; the limit is {MAX_PARAMETERS:,}."
            )

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every stored array by name, such as ``{"hidden_1/kernel": (784, 128), ...}``."""
        shapes: dict[str, tuple[int, ...]] = {}

        def add(kind: str, number: object, kernel: tuple[int, ...]) -> None:
            shapes[f"{kind}_{number}/kernel"] = kernel
            if self.batch_norm:  # a normalised layer has an offset of its own, and no bias
                for array in (*_TRAINED_BY_NORM, *_MEASURED_BY_NORM):
                    shapes[f"norm_{number}/{array}"] = kernel[-1:]
            else:
                shapes[f"{kind}_{number}/bias"] = kernel[-1:]

        side, channels = 28, 1
        for number, filters in enumerate(self.filters, start=1):
            add("conv", f"{number}a", (3, 3, channels, filters))
            add("conv", f"{number}b", (3, 3, filters, filters))
            side, channels = side // 2, filters
        inputs = side * side * channels
        for number, units in enumerate(self.hidden, start=1):
            add("hidden", number, (inputs, units))
            inputs = units
        return shapes | {"logits/kernel": (inputs, 10), "logits/bias": (10,)}

    @property
    def summary(self) -> str:
        """The architecture in short, such as ``50, 50 relu, 10 sigmoid``."""
        blocks = "".join(f"2x conv {filters}, pool, " for filters in self.filters)
        hidden = f"{', '.join(map(str, self.hidden))} {self.activation}, " if self.hidden else ""
        return f"{blocks}{hidden}10 {self.output}"

    @property
    def parameters(self) -> int:
        """Number of trained weights: kernels, biases, and batch normalisation's scale and offset."""
        return sum(
            math.prod(shape)
            for name, shape in self.weight_shapes.items()
            if name.rpartition("/")[2] not in _MEASURED_BY_NORM
        )


@dataclass(frozen=True)
class Distortion:
    """Random changes to each training digit, drawn afresh every epoch. All zero: none.

    Parameters
    ----------
    rotation
        Largest angle, degrees.
    scaling
        Largest relative change of the size, across and down independently.
    shear
        Largest slant: pixels sideways per pixel down.
    shift
        Largest shift, pixels.
    elastic
        Standard deviation of the smooth random displacement, pixels (Simard, Steinkraus and Platt, 2003).
    stroke
        How far the pen may be thickened or thinned: 1 is a whole pixel on every side.
    blur
        Largest standard deviation of a blur, pixels; half of the digits stay sharp.
    contrast
        Largest share of its brightness that the ink may lose; half of the digits lose none.
    gaps
        Largest share of the ink that is missing, as from a pen that runs dry; half of the digits lack none.
    cut
        How much may be cut off at one side of the digit, pixels; half of the digits are whole.
    specks
        Largest number of specks that are strewn over the picture; half of the pictures have none.
    clean_share
        Share of the digits that are left as they are.
    """

    rotation: float = 0.0
    scaling: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    stroke: float = 0.0
    blur: float = 0.0
    contrast: float = 0.0
    gaps: float = 0.0
    cut: float = 0.0
    specks: float = 0.0
    clean_share: float = 0.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        return any(getattr(self, item.name) for item in fields(self) if item.name != "clean_share")

    @property
    def gentle(self) -> Self:
        """The same at half the strength, with a quarter of the digits or more left as they are."""
        return self.weaker(0.5, max(self.clean_share, _CLEAN_IF_GENTLE))

    def weaker(self, share: float, clean_share: float) -> Self:
        """Return the same at a share of the strength, with another share of the digits left as they are."""
        strengths = {item.name: share * getattr(self, item.name) for item in fields(self)}
        return type(self)(**strengths | {"clean_share": clean_share})


_CLEAN_IF_GENTLE = 0.25

DISTORTIONS: Mapping[str, Distortion] = {
    "none": Distortion(),
    "light": Distortion(
        rotation=6, scaling=0.08, shear=0.1, shift=1, elastic=0.5, stroke=0.2,
        blur=0.3, contrast=0.1, gaps=0.05, cut=0.5, specks=1,
    ),
    "medium": Distortion(
        rotation=12, scaling=0.14, shear=0.2, shift=1.5, elastic=1, stroke=0.5,
        blur=0.6, contrast=0.2, gaps=0.1, cut=1.5, specks=2,
    ),
    "strong": Distortion(
        rotation=20, scaling=0.25, shear=0.35, shift=2.5, elastic=1.5, stroke=0.8,
        blur=1, contrast=0.4, gaps=0.25, cut=3, specks=5,
    ),
}  # fmt: skip
"""All distortions together, from none to so much that a person begins to hesitate."""


@dataclass(frozen=True)
class TrainRecipe:
    """How the network is trained.

    Parameters
    ----------
    loss
        Cross-entropy, on integer labels (sparse) or on one-hot labels.
    label_smoothing
        Share of the target spread evenly over the ten classes; one-hot labels only.
    schedule
        ``"cosine"``: the rate falls from `learning_rate` to zero along half a cosine (Loshchilov and Hutter, 2017).
    weight_decay
        Decoupled weight decay, ``"adamw"`` only.
    validation_share
        Share of the training set that is held back, the same share of each digit.
    examples
        How many training digits are used, 0 for all.
    early_stopping
        End after so many epochs without a smaller validation loss, and keep the weights of the best epoch; 0: off.
    distortion
        Random changes to every digit.
    gentle_end
        Share of the epochs, at the end, in which the digits are only changed as `Distortion.gentle` says: networks that
        learn last from what is nearer to the digits they are made for read those better (He et al., "Data augmentation
        revisited", 2019).
    convolutional_start
        Share of the epochs, at the start, in which the first three hidden layers are held to be convolutions: a unit
        sees 6 by 6 pixels (5 by 5 places of the layer before), and those that look for the same in different places
        share their weights. Then every weight is free (d'Ascoli et al., "Finding the needle in the haystack with
        convolutions", 2019); batch normalisation keeps the means and variances that it has by then. It learns in far
        fewer epochs so. The first layer must have a multiple of 144 units, the second one of 36, the third one of 9:
        one for each place.
    variants
        Share of the digits 0, 1 and 7 that get a slash, a flag or a bar.
    non_digits
        How many drawings that are no digits come on top, as a share of the digits. The network is taught to find
        all ten digits equally likely for them.
    crossed_out
        Share of those drawings that are digits which somebody crossed out.
    distinct_epochs
        How many epochs of distorted digits are drawn before they come again in the same order; 0: each is drawn
        anew. They are kept in memory, 25 MB each.
    teacher
        Name of a run whose probabilities for each distorted digit are learned instead of its label (Hinton, Vinyals
        and Dean, 2015). About drawings that are no digits it is not asked. One-hot labels only; empty for none.
    precision
        Of the matrix products while it trains. The weights are float32 in any case, and so is all that a trained
        network computes. ``"bfloat16"`` is several times as fast for large networks on processors that multiply it
        in hardware (AMX), and slow on others (Micikevicius et al., 2018).
    seed
        Decides the first weights, the order, dropout and the distortions. The validation split has a seed of its own.
    """

    loss: Loss = "sparse_categorical_crossentropy"
    optimizer: Optimizer = "adam"
    learning_rate: float = 0.001
    schedule: Schedule = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    epochs: int = 10
    batch_size: int = 32
    validation_share: float = 0.05
    examples: int = 0
    early_stopping: int = 0
    distortion: Distortion = field(default_factory=Distortion)
    gentle_end: float = 0.0
    convolutional_start: float = 0.0
    variants: float = 0.0
    non_digits: float = 0.0
    crossed_out: float = 0.0
    distinct_epochs: int = 0
    teacher: str = ""
    precision: Precision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)
        if self.label_smoothing and self.loss != "categorical_crossentropy":
            raise DigitLabError("Label smoothing needs one-hot labels (categorical_crossentropy).")
        if self.weight_decay and self.optimizer != "adamw":
            raise DigitLabError("Weight decay needs the optimiser adamw.")
        if self.teacher and self.loss != "categorical_crossentropy":
            raise DigitLabError("A teacher's probabilities stand for one-hot labels (categorical_crossentropy).")
        if self.teacher and self.label_smoothing:
            raise DigitLabError("With a teacher there are no labels that could be smoothed.")
        if self.early_stopping and not self.validation_share:
            raise DigitLabError("Early stopping needs validation digits: set validation_share above 0.")
        if self.non_digits and self.loss != "categorical_crossentropy":
            raise DigitLabError("Drawings that are no digits have no label of their own: they need one-hot labels.")

    @property
    def first_gentle(self) -> int:
        """The epoch, counted from 1, from which on the distortions are gentle; beyond the last one if none is."""
        return self.epochs - round(self.gentle_end * self.epochs) + 1

    @property
    def first_free(self) -> int:
        """The epoch, counted from 1, from which on no layer is held to be a convolution."""
        return round(self.convolutional_start * self.epochs) + 1

    @property
    def turns(self) -> dict[int, str]:
        """What changes while it learns, by the epoch after which it does, in a few words."""
        found = {self.first_free - 1: "every weight free"} if self.convolutional_start else {}
        if self.distortion.active and self.gentle_end:
            found[self.first_gentle - 1] = "distorted less"
        return {epoch: words for epoch, words in found.items() if 0 < epoch < self.epochs}

    def distortion_in(self, epoch: int) -> Distortion:
        """Return how the digits are changed in an epoch, counted from 1."""
        return self.distortion.gentle if epoch >= self.first_gentle else self.distortion


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training: the architecture and how it is trained."""

    model: ModelRecipe = field(default_factory=ModelRecipe)
    training: TrainRecipe = field(default_factory=TrainRecipe)

    def __post_init__(self) -> None:
        problem = convolutional_start_problem(self.model.filters, self.model.hidden)
        if self.training.convolutional_start and problem:
            raise DigitLabError(problem)

    @property
    def going_on(self) -> Self:
        """The same for a training that goes on from given weights: they are free, whatever they began as."""
        return self.with_changes(convolutional_start=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, numbers and strings, ready for JSON."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what `to_dict` gave.

        Raises
        ------
        DigitLabError
            An unknown field, a wrong type, or a value out of bounds.
        """
        top = _known(data, cls)
        training = _known(top.get("training", {}), TrainRecipe)
        if "distortion" in training:
            training["distortion"] = Distortion(**_known(training["distortion"], Distortion))
        model = _known(top.get("model", {}), ModelRecipe)
        for name in ("filters", "hidden"):
            if isinstance(model.get(name), list):
                model[name] = tuple(model[name])
        return cls(ModelRecipe(**model), TrainRecipe(**training))

    def with_changes(self, **changes: Any) -> Self:
        """Return a copy with some fields of `ModelRecipe`, `TrainRecipe` or `Distortion` changed, by field name."""

        def of(kind: type) -> dict[str, Any]:
            names = {item.name for item in fields(kind)}
            return {key: changes.pop(key) for key in list(changes) if key in names}

        model, bent = of(ModelRecipe), of(Distortion)
        if bent:
            changes["distortion"] = replace(changes.get("distortion", self.training.distortion), **bent)
        return replace(self, model=replace(self.model, **model), training=replace(self.training, **changes))


def convolutional_start_problem(filters: Sequence[int], hidden: Sequence[int]) -> str:
    """Say why a network of these layers cannot start as a convolutional one; empty where it can."""
    if filters:
        return "A network with blocks of filters is a convolutional one all the time, not only at the start."
    if not hidden:
        return "A network without hidden layers cannot start as a convolutional one."
    for units, held, layer in zip(hidden, CONVOLUTIONS, ("first", "second", "third"), strict=False):
        if units % held.places:
            return (
                f"To start as a convolutional network, the {layer} hidden layer needs a multiple of {held.places} "
                f"units (one for each place where it looks), not {units}; a convolutional_start of 0 does without."
            )
    return ""


def _known(data: Any, kind: type) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise DigitLabError(f"A recipe's {kind.__name__} must be an object, not {type(data).__name__}.")
    allowed = {item.name for item in fields(kind)}
    if unknown := sorted(str(key) for key in data if key not in allowed):
        raise DigitLabError(f"A recipe has no field called {_short(unknown[0])}.")
    return dict(data)


class Preset(NamedTuple):
    """A named recipe with what it shows and what others published for it."""

    name: str
    title: str
    recipe: Recipe
    published: tuple[str, ...]


_AS_PEOPLE_WRITE = Distortion(
    rotation=12,
    scaling=0.14,
    shear=0.2,
    shift=1.2,
    elastic=1.05,
    stroke=0.6,
    blur=0.9,
    contrast=0.3,
    clean_share=0.05,
)
# Writing that is worn, cut off and dirty besides; `ann` was no better for having learned from it.
_AND_WORN = replace(_AS_PEOPLE_WRITE, gaps=0.25, cut=2.5, specks=3)
# How networks learn that are meant to read what people really write.
_FROM_DISTORTED = TrainRecipe(
    loss="categorical_crossentropy",
    label_smoothing=0.05,
    optimizer="adamw",
    learning_rate=0.002,
    schedule="cosine",
    weight_decay=0.02,
    distortion=_AS_PEOPLE_WRITE,
    variants=0.3,
    non_digits=0.25,
    precision="bfloat16",
)

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "classic-50-50",
            "Two small layers, as in many first tutorials",
            Recipe(ModelRecipe(hidden=(50, 50), output="sigmoid")),
            ("test 97.2 %", "test 97.01 % (train 98.99 %, train loss 0.0337)", "test 96.6 % (train 98.9 %)"),
        ),
        Preset(
            "classic-128",
            "One layer of 128, Keras' own first example",
            Recipe(ModelRecipe(hidden=(128,)), TrainRecipe(epochs=5)),
            ("“high accuracy”",),
        ),
        Preset(
            "classic-onehot",
            "Two wide layers with dropout, one-hot labels",
            Recipe(
                ModelRecipe(hidden=(512, 512), dropout=0.2),
                TrainRecipe(loss="categorical_crossentropy", epochs=20, batch_size=128),
            ),
            ("“strong accuracy”",),
        ),
        Preset(
            "ann",
            "Dense layers only, trained on distorted digits: the default",
            Recipe(
                ModelRecipe(hidden=(1280, 1024, 768), batch_norm=True, dropout=0.1),
                replace(
                    _FROM_DISTORTED,
                    label_smoothing=0.0,
                    teacher="cnn",
                    crossed_out=0.2,
                    epochs=300,
                    gentle_end=0.2,
                    distinct_epochs=100,
                    batch_size=256,
                ),
            ),
            ("test 99.65 %, the best published for a dense network (12 million weights)",),
        ),
        Preset(
            "cnn",
            "Convolutions, trained on distorted digits: the most accurate",
            # Without crossed-out digits: it misreads as many signs of pages with them.
            Recipe(
                ModelRecipe(filters=(16, 64, 128), hidden=(128,), batch_norm=True, dropout=0.2),
                replace(_FROM_DISTORTED, distortion=_AND_WORN, gentle_end=0.3, epochs=30, batch_size=128),
            ),
            ("test 99.7 %, the best of six public apps",),
        ),
    )
}
"""The presets by name, each also a bundled run."""


def preset(name: str) -> Recipe:
    """Return the recipe of a preset.

    Raises
    ------
    DigitLabError
        There is no preset of this name.
    """
    if name not in PRESETS:
        raise DigitLabError(f"There is no preset called {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name].recipe

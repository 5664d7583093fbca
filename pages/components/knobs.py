"""What can be turned in a recipe: the words for each field, what it does, and the widget that turns it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mnist_core.recipes import Activation, Loss, Optimizer, Output, Precision, Schedule

Kind = Literal["stops", "range", "choice", "switch", "number", "run"]


def _plain(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.10g}"


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


def _digits(value: int) -> str:
    return f"{value:,}" if value else "all"


def _off(value: int) -> str:
    return f"{value} epochs" if value else "off"


@dataclass(frozen=True)
class Knob:
    """One field of a recipe on a page.

    Attributes
    ----------
    field
        Its name in the recipe.
    label, help
        For people: what it is called and what it does.
    kind
        ``"stops"``: a slider over uneven values; ``"range"``: over even ones, `step` apart; ``"choice"``: of `words`.
    words
        Of each choice.
    shown
        Writes a value.
    """

    field: str
    label: str
    help: str
    kind: Kind
    step: float = 0.05
    words: Mapping[str, str] = field(default_factory=dict)
    shown: Callable[[Any], str] = _plain

    def write(self, value: Any) -> str:
        """Write a value as the widget shows it."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, tuple):
            return ", ".join(str(size) for size in value) or "none"
        if isinstance(value, str):
            return self.words.get(value, value or "none")
        return self.shown(value)


ACTIVATIONS: Mapping[Activation, str] = {
    "relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid", "gelu": "GELU", "elu": "ELU",
}  # fmt: skip
OUTPUTS: Mapping[Output, str] = {"softmax": "softmax", "sigmoid": "sigmoid"}
LOSSES: Mapping[Loss, str] = {
    "sparse_categorical_crossentropy": "Whole numbers (sparse)",
    "categorical_crossentropy": "One-hot",
}
OPTIMIZERS: Mapping[Optimizer, str] = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}
SCHEDULES: Mapping[Schedule, str] = {"constant": "constant", "cosine": "falls to zero"}
PRECISIONS: Mapping[Precision, str] = {"float32": "32 bits", "bfloat16": "16 bits"}

HIDDEN = Knob(
    "hidden",
    "Hidden layers",
    "Layers of units between the pixels and the ten answers. Each unit adds up everything in the layer before it, with "
    "weights of its own that it learns. More layers can learn more complicated shapes, and are harder to train.",
    "range",
)
FILTERS = Knob(
    "filters",
    "Blocks of filters",
    "A filter is a little 3 by 3 pattern that is looked for everywhere in the picture. Each block has two layers of "
    "them "
    "and then halves the picture. Such convolutional networks read digits best, and take longer to train.",
    "range",
)
EPOCHS = Knob("epochs", "Epochs", "How often the network goes through all training digits.", "stops")
LEARNING_RATE = Knob(
    "learning_rate",
    "Learning rate",
    "How far the weights move at each step. Too small: it learns for ages. Too large: it jumps past every good place.",
    "stops",
)
NETWORK = (
    Knob(
        "activation",
        "Activation",
        "What each hidden unit does with its sum before it passes it on. ReLU cuts off what is below zero; sigmoid and "
        "tanh squeeze it between two limits; GELU and ELU are smooth relatives of ReLU. Without one, many layers could "
        "do no more than a single one.",
        "choice",
        words=ACTIVATIONS,
    ),
    Knob(
        "output",
        "Output",
        "How the ten scores become answers. Softmax turns them into shares of 100 %. Sigmoid asks ten separate "
        "yes-or-no questions; divided by their sum, they are shares too.",
        "choice",
        words=OUTPUTS,
    ),
    Knob(
        "dropout",
        "Dropout",
        "The share of hidden units that are switched off at random at each step, so that none relies on another. It "
        "helps against learning by heart.",
        "range",
        shown=_percent,
    ),
    Knob(
        "input_dropout",
        "Dropout of pixels",
        "The share of pixels that are switched off at random at each step.",
        "range",
        shown=_percent,
    ),
    Knob(
        "batch_norm",
        "Batch normalisation",
        "Brings the sums of each layer to the same size within every batch. Deep networks then learn faster.",
        "switch",
    ),
)
LEARNING = (
    Knob(
        "batch_size",
        "Batch size",
        "How many digits the network looks at before it changes its weights once. That is one step.",
        "stops",
    ),
    Knob(
        "optimizer",
        "Optimiser",
        "The rule by which the weights move. SGD goes downhill with some momentum; Adam and RMSprop find a step size "
        "of "
        "their own for each weight; AdamW is Adam with weight decay.",
        "choice",
        words=OPTIMIZERS,
    ),
    Knob(
        "weight_decay",
        "Weight decay",
        "Pulls all weights a little towards zero at each step, against learning by heart. It needs the optimiser "
        "AdamW.",
        "stops",
    ),
    Knob(
        "schedule",
        "Learning rate over time",
        "Constant, or falling smoothly to zero (half a cosine): large steps first, small ones at the end.",
        "choice",
        words=SCHEDULES,
    ),
    Knob(
        "loss",
        "Labels",
        "The loss is always cross-entropy: how surprised the network is by the right answer. The right answer can be "
        "given as a number (7) or one-hot, as ten numbers of which one is 1. Both give the same; one-hot can be "
        "smoothed.",
        "choice",
        words=LOSSES,
    ),
    Knob(
        "label_smoothing",
        "Label smoothing",
        "Tells the network to be a little less than certain: this share goes to all ten digits alike. It needs one-hot "
        "labels.",
        "range",
        shown=_percent,
    ),
    Knob(
        "convolutional_start",
        "Convolutional at the start",
        "The share of the epochs, at the start, in which the first three hidden layers look for small patterns, the "
        "same in every place, as a convolutional network does. Then every weight goes its own way. The first layer "
        "needs 144 units for each pattern, the second one 36, the third one 9 (one for each place); for other numbers, "
        "this is off.",
        "range",
        shown=_percent,
    ),
    Knob(
        "early_stopping",
        "Early stopping",
        "Stops when the validation loss has not become better for so many epochs, and keeps the best epoch's weights.",
        "range",
        step=1,
        shown=_off,
    ),
    Knob(
        "teacher",
        "Teacher",
        "A network whose answers are learned instead of the labels: it tells not only that this is a 7 but also how "
        "much it looks like a 1. It needs one-hot labels.",
        "run",
    ),
    Knob(
        "precision",
        "Precision while training",
        "16 bits (bfloat16) is several times as fast for large networks on processors that are made for it, and slow "
        "on "
        "others.",
        "choice",
        words=PRECISIONS,
    ),
    Knob(
        "seed",
        "Seed",
        "Decides everything random: the first weights, the order of the digits, dropout, distortions. The same seed "
        "gives "
        "the same network again.",
        "number",
    ),
)
DIGITS = (
    Knob(
        "examples",
        "Training digits",
        "How many digits it learns from. With few it soon knows all of them by heart, and still fails on new ones: "
        "overfitting.",
        "stops",
        shown=_digits,
    ),
    Knob(
        "validation_share",
        "Held back for validation",
        "The share of the training digits that it is never shown. How it does on them tells whether it understood or "
        "learned by heart.",
        "range",
        shown=_percent,
    ),
)
DISTORTION = (
    Knob("rotation", "Turned by up to", "Degrees, to either side.", "range", step=1, shown=lambda v: f"{v:.3g}°"),
    Knob("scaling", "Stretched by up to", "Across and down, each by itself.", "range", step=0.02, shown=_percent),
    Knob("shear", "Slanted by up to", "Pixels sideways per pixel down.", "range", step=0.05),
    Knob("shift", "Moved by up to", "Pixels.", "range", step=0.5, shown=lambda v: f"{v:.3g} pixels"),
    Knob(
        "elastic",
        "Bent",
        "How far its lines are bent, in pixels.",
        "range",
        step=0.1,
        shown=lambda v: f"{v:.3g} pixels",
    ),
    Knob("stroke", "Pen thicker or thinner", "By up to so many pixels on each side.", "range", step=0.1),
    Knob(
        "blur", "Blurred by up to", "As by a camera out of focus, in pixels; for half of the digits.", "range", step=0.1
    ),
    Knob(
        "contrast",
        "Fainter by up to",
        "The share of its brightness that ink may lose; half loses none.",
        "range",
        shown=_percent,
    ),
    Knob(
        "gaps",
        "With gaps",
        "The share of the ink that may be missing, as from a pen that runs dry; half of the digits lack none.",
        "range",
        shown=_percent,
    ),
    Knob(
        "cut",
        "Cut off by up to",
        "At one side, as by the rim of a picture; half of the digits are whole.",
        "range",
        step=0.5,
        shown=lambda v: f"{v:.3g} pixels",
    ),
    Knob(
        "specks",
        "Specks",
        "Up to so many on a picture; half of the pictures have none.",
        "range",
        step=1,
        shown=lambda v: f"{v:.0f}",
    ),
    Knob("clean_share", "Left as they are", "The share of digits that are not distorted.", "range", shown=_percent),
    Knob(
        "gentle_end",
        "Gentler at the end",
        "The share of the epochs, at the end, in which distortions are half as strong and a quarter of the digits is "
        "left as it is: a network that sees last what is nearer to clean digits reads those better.",
        "range",
        shown=_percent,
    ),
    Knob(
        "variants",
        "Written otherwise",
        "The share of 0s, 1s and 7s that get a slash, a flag or a bar, as people in other countries write them.",
        "range",
        shown=_percent,
    ),
    Knob(
        "distinct_epochs",
        "Epochs before they repeat",
        "How many epochs of distorted digits are made before they come again: that saves time, and takes 25 MB of "
        "memory each. 0: every epoch is new.",
        "stops",
    ),
    Knob(
        "non_digits",
        "Drawings that are no digits",
        "Letters and scribbles on top, about which the network is taught to be undecided; as a share of the digits. "
        "They "
        "need one-hot labels.",
        "range",
        shown=_percent,
    ),
    Knob(
        "crossed_out",
        "Crossed-out digits",
        "How many of those drawings are crossed-out digits instead of letters and scribbles: a network that has seen "
        "some does not read what its writer took back.",
        "range",
        shown=_percent,
    ),
)
KNOBS: Mapping[str, Knob] = {
    knob.field: knob for knob in (HIDDEN, FILTERS, EPOCHS, LEARNING_RATE, *NETWORK, *LEARNING, *DIGITS, *DISTORTION)
}
"""Every field of a recipe."""

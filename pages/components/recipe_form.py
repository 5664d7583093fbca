"""Sliders for a recipe: filled by presets and by links, changes marked and set back one by one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from mnist_core import data
from mnist_core.errors import DigitLabError
from mnist_core.recipe_text import differences, flat, from_flat, from_text, nearest_preset, to_text
from mnist_core.recipes import (
    BOUNDS,
    DISTORTIONS,
    MAX_BLOCKS,
    MAX_HIDDEN_LAYERS,
    PRESETS,
    STOPS,
    Distortion,
    Recipe,
    convolutional_start_problem,
)
from pages.components import cached, evaluated
from pages.components.knobs import (
    DIGITS,
    DISTORTION,
    EPOCHS,
    FILTERS,
    HIDDEN,
    KNOBS,
    LEARNING,
    LEARNING_RATE,
    NETWORK,
    Knob,
)

FIRST = "classic-50-50"
DATASETS = {"mnist": "MNIST, 60,000", "builtin": "Built-in, 1,438"}
WHAT_DATA_IS = (
    "**MNIST**: 60,000 handwritten digits to learn from and 10,000 to test with, the best known in machine learning. "
    "**Built-in**: 1,438 and 359 real ones that come with scikit-learn, coarser; enough to see everything here at work."
)
WHAT_A_PRESET_IS = (
    "A recipe that others published, to begin with. All sliders take its values, and you change what you like."
)
DENSE, CONVOLUTIONAL = "Dense", "Convolutional"
WHAT_A_KIND_IS = (
    "**Dense**: each unit sees the whole picture at once. **Convolutional**: small filters first, that look for the "
    "same "
    "thing everywhere."
)
UNITS_HELP = "How many units this layer has."
_KEY = "recipe-form"
_RACE = 3.0  # seconds in which a browser may still send the address that was replaced


@dataclass
class Form:
    """What one person has set.

    Attributes
    ----------
    base
        The preset that changes are told from.
    values
        Of all widgets, also of those that are not on the page now.
    extra
        Values that presets and links brought: the sliders offer them beyond their own.
    written, replaced
        The recipe in the address, and when others were taken out of it.
    problem
        Why the recipe in the address was not taken.
    """

    base: str = FIRST
    values: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, set[Any]] = field(default_factory=dict)
    written: str = ""
    replaced: dict[str, float] = field(default_factory=dict)
    problem: str = ""


def begin(followed: tuple[Recipe, str] | None = None) -> None:
    """Take the recipe from the address, where there is a new one, before any widget is shown.

    `followed` is the recipe and the dataset of the training that the address names: they are taken first where it has
    no recipe of its own.
    """
    form: Form | None = st.session_state.get(_KEY)
    if form is None:
        form = st.session_state[_KEY] = Form()
        named = st.query_params.get("preset", "")
        form.base = named if named in PRESETS else FIRST
        put(PRESETS[form.base].recipe)
        given = st.query_params.get("data", followed[1] if followed else "")
        form.values["data"] = given if given in datasets() else datasets()[0]
        if followed and not {"recipe", "preset"} & set(st.query_params):
            form.base = nearest_preset(followed[0])
            put(followed[0])
        _read_address(form)
        return
    text = st.query_params.get("recipe", form.written)
    late = time.monotonic() - form.replaced.get(text, -_RACE) < _RACE
    if text != form.written and not late:  # the person went back to it
        _read_address(form)


def _read_address(form: Form) -> None:
    form.problem = ""
    if "recipe" not in st.query_params:
        return
    try:
        recipe = from_text(st.query_params["recipe"])
    except DigitLabError as error:
        form.problem = f"The recipe in this link cannot be used. {error}"
        return
    if st.query_params.get("preset") not in PRESETS:
        form.base = nearest_preset(recipe)
    put(recipe)


def write_address(recipe: Recipe) -> None:
    """Keep the recipe in the address, so that a link reproduces it."""
    form: Form = st.session_state[_KEY]
    text = to_text(recipe)
    if form.written and text != form.written:
        form.replaced[form.written] = time.monotonic()
    form.written = text
    wanted = {"preset": form.base, "recipe": text, "data": value("data")}
    for name, one in wanted.items():
        if st.query_params.get(name) != one:
            st.query_params[name] = one


def datasets() -> list[str]:
    """The names of the datasets that are here, the best first."""
    return ["mnist", "builtin"] if data.has_mnist() else ["builtin"]


def value(name: str) -> Any:
    """What a widget is set to, whether it is on the page or not."""
    form: Form = st.session_state[_KEY]
    return st.session_state.get(_id(name), form.values[name])


def current() -> Recipe:
    """The recipe that is set.

    Raises
    ------
    DigitLabError
        A value is out of bounds: no slider of ours sent it.
    """
    form: Form = st.session_state[_KEY]
    form.values = {name: value(name) for name in form.values}
    values = {name: form.values[name] for name in flat(Recipe()) if name in form.values}
    idle = {name: default for name, default in flat(Recipe()).items() if _is_idle(name)}
    return from_flat(values | _layers() | idle)


def _layers() -> dict[str, tuple[int, ...]]:
    """What is set for the layers: the filters of each block, and the units of each hidden layer."""
    blocks = _count("blocks", MAX_BLOCKS) if value("kind") == CONVOLUTIONAL else 0
    return {
        "filters": tuple(value(f"filters-{i}") for i in range(1, blocks + 1)),
        "hidden": tuple(value(f"units-{i}") for i in range(1, _count("layers", MAX_HIDDEN_LAYERS) + 1)),
    }


def _count(name: str, most: int) -> int:
    count = value(name)
    if not isinstance(count, int) or not 0 <= count <= most:
        raise DigitLabError(f"There can be up to {most} {name}.")
    return count


def put(recipe: Recipe) -> None:
    """Set all widgets to a recipe."""
    form: Form = st.session_state[_KEY]
    for name, one in _spread(recipe).items():
        form.values[name] = one
        st.session_state[_id(name)] = one
    for name, one in flat(recipe).items():
        stops = {"hidden": "units"}.get(name, name)
        form.extra.setdefault(stops, set()).update(one if isinstance(one, tuple) else (one,))


def _spread(recipe: Recipe) -> dict[str, Any]:
    """The widgets' values for a recipe."""
    values: dict[str, Any] = flat(recipe)
    hidden, filters = values.pop("hidden"), values.pop("filters")
    spare_units, spare_filters = (*hidden, *(hidden[-1:] or (50,)) * MAX_HIDDEN_LAYERS), (*filters, 16, 32, 64)
    return (
        {name: float(one) if _is_even(name) else one for name, one in values.items()}
        | {"layers": len(hidden), "kind": CONVOLUTIONAL if filters else DENSE, "blocks": len(filters) or 2}
        | {f"units-{i + 1}": spare_units[i] for i in range(MAX_HIDDEN_LAYERS)}
        | {f"filters-{i + 1}": spare_filters[i] for i in range(MAX_BLOCKS)}
    )


def _is_even(name: str) -> bool:
    return name in KNOBS and KNOBS[name].kind == "range" and name != "early_stopping"


def _id(name: str) -> str:
    return f"train-{name}"


# --- what changed


def changes() -> dict[str, tuple[Any, Any]]:
    """What differs from the preset by field: its value there, and the one that is set."""
    try:
        return differences(current(), PRESETS[st.session_state[_KEY].base].recipe)
    except DigitLabError:
        return {}


def _choose_preset() -> None:
    form: Form = st.session_state[_KEY]
    form.base = st.session_state[_id("preset")]
    put(PRESETS[form.base].recipe)


def _set_back(name: str) -> None:
    """Give one field the preset's value."""
    widgets = {"hidden": ("layers", "units-"), "filters": ("kind", "blocks", "filters-")}.get(name)
    for widget, one in _spread(PRESETS[st.session_state[_KEY].base].recipe).items():
        if widget.startswith(widgets) if widgets else widget == name:
            st.session_state[_KEY].values[widget] = st.session_state[_id(widget)] = one


def show_changes() -> None:
    """List what was changed, each to be set back."""
    form: Form = st.session_state[_KEY]
    if not (found := changes()):
        return
    st.caption(f"Changed from {form.base}. Press one to set it back.")
    with st.container(key="train-changes", horizontal=True, gap="xsmall"):
        for name, (was, now) in found.items():
            knob = KNOBS.get(name, Knob(name, name, "", "stops"))
            st.button(
                f"{knob.label}: {knob.write(now)}",
                key=f"train-back-{name}",
                icon=":material/undo:",
                help=f"Back to {knob.write(was)}",
                on_click=_set_back,
                args=(name,),
            )
        if len(found) > 1:
            st.button("Set all back", key="train-back", type="tertiary", on_click=_choose_preset)


# --- the widgets


def show_simple() -> None:
    """Preset, data, and what everybody wants to turn first."""
    form: Form = st.session_state[_KEY]
    if form.problem:
        st.error(form.problem, icon=":material/link_off:")
    st.session_state[_id("preset")] = form.base
    st.selectbox(
        "Begin with",
        list(PRESETS),
        key=_id("preset"),
        help=WHAT_A_PRESET_IS,
        filter_mode=None,
        on_change=_choose_preset,
    )
    st.caption(f"{PRESETS[form.base].title}.")
    show_changes()
    _choose_data()
    changed = changes()
    at = _keep("layers", range(MAX_HIDDEN_LAYERS + 1))
    layers = st.slider(_label(HIDDEN, changed), 0, MAX_HIDDEN_LAYERS, at, step=1, key=_id("layers"), help=HIDDEN.help)
    _sizes("units", layers, "Units in layer {}", UNITS_HELP)
    _turn(EPOCHS, changed)
    _turn(LEARNING_RATE, changed)


def _choose_data() -> None:
    here = datasets()
    if value("data") not in here:
        st.session_state[_id("data")] = here[0]
    st.segmented_control(
        "Digits to learn from",
        here,
        default=_keep("data", here),
        format_func=DATASETS.__getitem__,
        key=_id("data"),
        required=True,
        help=WHAT_DATA_IS,
        width="stretch",
    )
    if here == ["builtin"]:
        st.caption("MNIST, with its 60,000 digits to learn from, is not on this machine.")
        evaluated.get_mnist("train-get-mnist", "secondary")


def show_more() -> None:
    """Everything else."""
    changed = changes()
    with st.expander("More", icon=":material/tune:", key="train-more"):
        st.subheader("Network")
        kinds = [DENSE, CONVOLUTIONAL]
        at = _keep("kind", kinds)
        st.segmented_control(
            "Kind", kinds, default=at, key=_id("kind"), required=True, help=WHAT_A_KIND_IS, width="stretch"
        )
        if value("kind") == CONVOLUTIONAL:
            count = _keep("blocks", range(1, MAX_BLOCKS + 1))
            blocks = st.slider(
                _label(FILTERS, changed), 1, MAX_BLOCKS, count, step=1, key=_id("blocks"), help=FILTERS.help
            )
            _sizes("filters", blocks, "Filters in block {}", "How many filters each of its two layers has.")
        _turn_all(NETWORK, changed)
        st.subheader("Learning")
        _turn_all(LEARNING, changed)
        st.subheader("Digits")
        _turn_all(DIGITS, changed)
        st.subheader("Distortions")
        st.caption(
            "Each digit is changed at random, anew in every epoch, so that the network meets more than it was given."
        )
        _choose_distortion()
        _turn_all(DISTORTION, changed)


def _choose_distortion() -> None:
    set_now = {item: value(item) for item in Distortion.__dataclass_fields__}
    same = next((name for name, one in DISTORTIONS.items() if vars(one) == set_now), None)
    st.session_state[_id("strength")] = same
    st.segmented_control(
        "All of them",
        list(DISTORTIONS),
        format_func=str.capitalize,
        key=_id("strength"),
        on_change=_take_distortion,
        width="stretch",
        help="Sets the sliders below.",
    )


def _take_distortion() -> None:
    chosen = DISTORTIONS[st.session_state[_id("strength")] or "none"]
    form = st.session_state[_KEY]
    for name, one in vars(chosen).items():
        form.extra.setdefault(name, set()).add(float(one))  # a slider can stand between two of its steps
        form.values[name] = st.session_state[_id(name)] = float(one)


def _turn_all(knobs: tuple[Knob, ...], changed: dict[str, Any]) -> None:
    for knob in knobs:
        _turn(knob, changed)


def _turn(knob: Knob, changed: dict[str, Any]) -> None:
    """Show the widget of one field."""
    name = knob.field
    label, common = _label(knob, changed), {"key": _id(name), "help": knob.help, "disabled": _is_idle(name)}
    if knob.kind == "choice":
        words = list(knob.words)
        at = words.index(_keep(name, words))
        st.selectbox(label, words, at, format_func=knob.words.__getitem__, filter_mode=None, **common)
    elif knob.kind == "run":
        runs = list(dict.fromkeys(["", *cached.all_runs(), value(name)]))
        at = runs.index(_keep(name, runs))
        st.selectbox(label, runs, at, format_func=lambda run: run or "none", filter_mode=None, **common)
    elif knob.kind == "switch":
        st.toggle(label, _keep(name, [False, True]), **common)
    elif knob.kind == "number":
        low, high = (int(bound) for bound in BOUNDS[name])
        st.number_input(label, low, high, _keep(name, range(low, high + 1)), step=1, **common)
    else:
        stops = _stops(name) if knob.kind == "stops" else _even(knob)
        st.select_slider(label, stops, _keep(name, stops), format_func=knob.shown, **common)


def _is_idle(name: str) -> bool:
    """Whether a field does nothing because of what another one is set to."""
    sparse = bool(value("loss") != "categorical_crossentropy")
    match name:
        case "weight_decay":
            return bool(value("optimizer") != "adamw")
        case "early_stopping":
            return not value("validation_share")
        case "convolutional_start":
            return bool(convolutional_start_problem(**_layers()))
        case "label_smoothing":
            return sparse or bool(value("teacher"))
        case "non_digits" | "teacher":
            return sparse
        case "crossed_out":
            return sparse or not value("non_digits")
    return False


def _sizes(stops: str, count: int, label: str, words: str) -> None:
    for number in range(1, count + 1):
        name, offered = f"{stops}-{number}", _stops(stops)
        st.select_slider(label.format(number), offered, _keep(name, offered), key=_id(name), help=words)


def _stops(name: str) -> list[Any]:
    """What a slider over uneven values offers; 0 training digits are all of them, the most."""
    extra = st.session_state[_KEY].extra[name]
    return sorted({*STOPS[name], *extra}, key=lambda one: one or (float("inf") if name == "examples" else 0))


def _even(knob: Knob) -> list[Any]:
    """What a slider over even values offers."""
    low, high = BOUNDS[knob.field]
    kind = float if _is_even(knob.field) else int
    steps = round((high - low) / knob.step)
    values = {kind(round(low + number * knob.step, 6)) for number in range(steps + 1)}
    return sorted(values | {kind(one) for one in st.session_state[_KEY].extra[knob.field]})


def _keep(name: str, offered: Sequence[Any]) -> Any:
    """Give a widget that comes onto the page what it was set to before, and return that for its default.

    A browser that puts a widget up anew begins with its default, and sends it as if somebody had set it.
    """
    now = st.session_state.setdefault(_id(name), st.session_state[_KEY].values[name])
    return now if now in offered else offered[0]


def _label(knob: Knob, changed: dict[str, Any]) -> str:
    return f":primary[● {knob.label}]" if knob.field in changed else knob.label

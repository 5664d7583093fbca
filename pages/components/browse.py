"""Digits as cards: filtered, sorted, a page at a time; one of them is chosen."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.evaluation import in_percent
from mnist_core.mistakes import By, Range, Wanted, Which
from mnist_core.wording import a_digit
from pages.components import digits
from pages.components.evaluated import Evaluated
from pages.components.pictures import data_url

Rows = npt.NDArray[np.intp]
Float64 = npt.NDArray[np.float64]

PER_PAGE = 24
ANY = "any"
_DIGITS = [ANY, *map(str, range(10))]
_WHICH: dict[Which, str] = {"wrong": "Read wrong", "unsure": "Unsure", "right": "Right", "all": "All"}
_BY: dict[By, str] = {
    "loss": "worst first",
    "certainty": "least sure first",
    "margin": "closest call first",
    "stroke": "thinnest pen first",
    "slant": "leaning left first",
    "number": "as in the dataset",
}
_PICTURES_ONLY = ("stroke", "slant")
_CHOSEN = "digit"


def pair(true: int, predicted: int) -> str:
    """A kind of mistake as a word."""
    return f"{true}-{predicted}"


def take_kind() -> None:
    """Show the digits of the kind of mistake that was chosen, or all again."""
    kind = str(st.session_state.get("kind") or "")
    true, _, predicted = kind.partition("-")
    known = true in _DIGITS and predicted in _DIGITS
    st.session_state["true"], st.session_state["read"] = (true, predicted) if known else (ANY, ANY)
    st.session_state["which"] = "wrong"
    _first_page()


def filters(found: Evaluated) -> tuple[Wanted, By]:
    """Show the filters and the order, and return what they say."""
    predictions, traits = found.predictions[0], found.traits
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="filters"):
        which = st.segmented_control(
            "Show", list(_WHICH), default="wrong", format_func=_WHICH.__getitem__, key="which", required=True,
            bind="query-params", on_change=_first_page,
        )  # fmt: skip
        true = _menu("Written", "true")
        predicted = _menu("Read as", "read")
        orders = [by for by in _BY if traits is not None or by not in _PICTURES_ONLY]
        by = st.selectbox(
            "Order", orders, format_func=_BY.__getitem__, key="sort", bind="query-params", filter_mode=None, width=190,
            on_change=_first_page,
        )  # fmt: skip
        with st.popover("More filters", icon=":material/tune:"):
            ranges = {
                "certainty": _range("How sure it was", "certainty", np.array([0.0, 1.0]), 0.01, _percent),
                "margin": _range("Ahead of the second guess by", "margin", np.array([0.0, 1.0]), 0.01, _percent),
                "loss": _range("Loss", "loss", predictions.losses, 0.1),
            }
            if traits is not None:
                ranges["stroke"] = _range("Pen width, pixels", "stroke", traits.stroke, 0.1)
                ranges["slant"] = _range("Slant, degrees; right is positive", "slant", traits.slant, 1.0)
    return Wanted(which, true, predicted, **ranges), by  # type: ignore[arg-type] # the widgets give these words


def _menu(label: str, key: str) -> int | None:
    name = st.selectbox(
        label,
        _DIGITS,
        format_func=lambda name: "any digit" if name == ANY else name,
        key=key,
        bind="query-params",
        filter_mode=None,
        width=120,
        on_change=_first_page,
    )
    return None if name == ANY else int(name)


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _range(label: str, key: str, values: Float64, step: float, _: Callable[[float], str] | None = None) -> Range | None:
    """A slider with two ends over these values; None while it leaves nothing out."""
    low = float(np.floor(values.min() / step) * step)
    high = float(max(np.ceil(values.max() / step) * step, low + step))
    kind = "percent" if _ else "%.1f" if step < 1 else "%.0f"
    chosen = st.slider(label, low, high, (low, high), step, format=kind, key=f"range-{key}", on_change=_first_page)
    return None if chosen == (low, high) else (chosen[0] - step / 100, chosen[1] + step / 100)


def _first_page() -> None:
    st.session_state["page"] = 1


def page_of(found: Evaluated, rows: Rows) -> int | None:
    """Show a page of these digits, and return the chosen digit's row; the first one until another is."""
    st.html(f'<p class="dl-cell" role="status">{_many(len(rows), len(found.predictions[0]))}</p>')
    if not len(rows):
        st.session_state.pop(_CHOSEN, None)
        return None
    chosen = st.session_state.get(_CHOSEN)
    row = int(chosen) if chosen in rows else int(rows[0])
    if found.images is None:
        digits.page_of(found, rows, "browse")
        picked = st.selectbox("Look closer at number", [int(one) for one in rows[:1000]], key="number")
        return int(picked) if picked is not None else row
    pages = -(-len(rows) // PER_PAGE)
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = 1
    page = int(st.session_state.get("page", 1)) if pages > 1 else 1
    with st.grid(min_column_width=76, gap="small", key="cards"):
        for one in rows[(page - 1) * PER_PAGE : page * PER_PAGE]:
            _card(found, int(one), int(one) == row)
    if pages > 1:
        st.pagination(pages, key="page", max_visible_pages=7)
    return row


def _many(n: int, of: int) -> str:
    if not n:
        return "<b>No digit</b> is like that. Widen the filters."
    return f"<b>{n:,}</b> of {of:,} {'digit' if of == 1 else 'digits'}"


def _card(found: Evaluated, row: int, chosen: bool) -> None:
    assert found.images is not None
    first = found.predictions[0]
    true, predicted = int(first.labels[row]), int(first.predicted[row])
    kind = "dl-sample-digit dl-pixels dl-chosen" if chosen else "dl-sample-digit dl-pixels"
    with st.container(key=f"card-digit-{row}", gap=None):
        st.html(f'<img class="{kind}" src="{data_url(found.images[row], 28)}" alt="">')
        st.button(
            f"{true} \N{RIGHTWARDS ARROW} {predicted}",
            key=f"digit-{row}",
            type="tertiary",
            help=f"Number {row}: {a_digit(true)}, read as {predicted}, {in_percent(float(first.certainty[row]))} sure",
            on_click=_choose,
            args=(row,),
        )


def _choose(row: int) -> None:
    st.session_state[_CHOSEN] = row

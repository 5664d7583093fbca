"""The confusion matrix: click on a cell, or choose it from the menus, and see its digits."""

import streamlit as st

from mnist_core import confusion, figures_metrics
from pages.components import digits
from pages.components.evaluated import Evaluated

ANY = "any"
_DIGITS = [ANY, *map(str, range(10))]
_VIEWS = {
    "counts": ("How many", "How many digits of each row were read as the digit of each column."),
    "true": ("% of written", "Of all digits of the row, the percentage that was read as the column's. Recall."),
    "predicted": (
        "% of read",
        "Of all answers of the column, the percentage that was written as the row's. Precision.",
    ),
    "errors": ("Errors only", "Only what was read wrong, so that rare errors can be told from rarer ones."),
}
_DIFFERENCE = "difference"
_CHART = "confusion"
_INK = {"light": "#1e2432", "dark": "#e9eaee"}  # the themes' text colours: Streamlit's charts write in a faint grey


@st.fragment
def explore(found: Evaluated) -> None:
    """The matrix, and beside it the digits of the chosen cell."""
    st.header("What is mistaken for what", anchor="confusion")
    view = _choose_view(found)
    true, predicted = _cell()
    with st.container(key="matrix"):
        with st.container(key="matrix-chart", gap="xsmall"):
            st.plotly_chart(
                _figure(found, view, true, predicted),
                key=_CHART,
                on_select=_click,
                selection_mode="points",
                config=figures_metrics.config("confusion"),
                alt=f"Confusion matrix of {found.predictions[0].run}, {len(found.predictions[0]):,} digits",
            )
        with st.container(key="matrix-digits", gap="small"):
            _menus()
            _digits(found, true, predicted)


def _choose_view(found: Evaluated) -> str:
    views = {name: title for name, (title, _) in _VIEWS.items()}
    words = {name: sentence for name, (_, sentence) in _VIEWS.items()}
    if len(found.predictions) > 1:
        first, other = (one.run for one in found.predictions)
        views[_DIFFERENCE] = "Difference"
        words[_DIFFERENCE] = (
            f"How many more or fewer than {other}: where it is blue, {first} is better; where it is orange, worse."
        )
    view = st.segmented_control(
        "Shown", list(views), default="counts", format_func=views.__getitem__, key="view", required=True,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    st.caption(f"{words[str(view)]} **Click on a cell** to see its digits.")
    return str(view)


def _figure(found: Evaluated, view: str, true: int | None, predicted: int | None) -> object:
    counts, cell = confusion.matrix(found.predictions[0]), (true, predicted)
    ink = _INK.get(st.context.theme.type or "")
    if view == _DIFFERENCE:
        return figures_metrics.confusion_difference(counts, confusion.matrix(found.predictions[1]), cell, ink)
    shares = view in ("true", "predicted")
    return figures_metrics.confusion(confusion.seen(counts, view), counts, shares, cell, ink)


def _menus() -> None:
    with st.container(horizontal=True, gap="small"):
        for key, label in (("true", "Written"), ("read", "Read as")):
            st.selectbox(
                label,
                _DIGITS,
                format_func=lambda name: "any digit" if name == ANY else name,
                key=key,
                bind="query-params",
                filter_mode=None,
            )


def _digits(found: Evaluated, true: int | None, predicted: int | None) -> None:
    rows = confusion.rows_of(found.predictions[0], true, predicted)
    st.html(f'<p class="dl-cell" role="status"><b>{_words(true, predicted)}:</b> {_many(len(rows))}</p>')
    if len(rows):
        digits.page_of(found, rows, "cell")
        right = true is not None and true == predicted
        chosen = {"run": found.predictions[0].run, "data": found.title, "which": "Right" if right else "Read wrong"}
        cell = {key: str(digit) for key, digit in (("true", true), ("read", predicted)) if digit is not None}
        st.page_link(
            "pages/understand/mistakes.py",
            label="Look at them closer",
            icon=":material/zoom_in:",
            query_params=chosen | cell,
        )


def _words(true: int | None, predicted: int | None) -> str:
    if true is None and predicted is None:
        return "All mistakes"
    if true is None:
        return f"Read as {predicted}, but another digit"
    if predicted is None:
        return f"{true} read as another digit"
    return f"{true} read as {predicted}"


def _many(n: int) -> str:
    if n == 0:
        return "none"
    return f"{n:,}, worst first" if n > 1 else "1"


def _cell() -> tuple[int | None, int | None]:
    """The chosen cell, which the address or the menus name."""
    true, predicted = (st.session_state.get(key, st.query_params.get(key, ANY)) for key in ("true", "read"))
    return _digit(true), _digit(predicted)


def _digit(name: object) -> int | None:
    return int(str(name)) if name in _DIGITS and name != ANY else None


def _click() -> None:
    """Choose the cell that was clicked; one that is chosen already is let go."""
    for point in st.session_state[_CHART]["selection"]["points"][:1]:
        names = [str(value) for value in point.get("customdata") or ()]
        if len(names) != 2 or not set(names) <= set(_DIGITS[1:]):
            return
        if [st.session_state.get("true"), st.session_state.get("read")] == names:
            names = [ANY, ANY]
        st.session_state["true"], st.session_state["read"] = names

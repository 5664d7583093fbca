"""The table of all runs: filter, sort, and choose from it."""

import streamlit as st

from mnist_core import overview, runs
from mnist_core.overview import Row
from pages.components import cached, run_choice, run_exchange
from pages.components.run_choice import CHOSEN, MOST

_HELP = (
    "Accuracy, its 95 % interval and the loss are those on the test digits, which took no part in the training. "
    "The curve is the accuracy epoch by epoch. A published row is what others say they reached with the same recipe."
)


def choose() -> list[str]:
    """Show the table and return the names of the chosen runs, at most four."""
    found = cached.all_runs()
    table = overview.rows(found.values())
    with st.container():  # always there, so that what follows keeps its place when the last run of one's own goes
        if not any(row.kind == "yours" for row in table):
            _invitation()
    shown = _filtered(table)
    place = st.container(gap="xsmall")
    run_choice.forget_unknown(set(found))
    chosen = st.multiselect(
        "Look closer at one, or compare two to four",
        list(found),
        key=CHOSEN,
        max_selections=MOST,
        select_all=False,
        placeholder="Tick rows above, or choose names here",
        bind="query-params",
        on_change=run_choice.begin_anew,
    )
    with place:
        _table(shown, chosen)
        _left_alone()
    return chosen


def _invitation() -> None:
    """What to do where there is no run of one's own."""
    st.info(
        "Only the networks that came with Digit Lab are here yet. Those that you train are kept here as well, to be "
        "compared with them.",
        icon=":material/school:",
    )
    st.page_link("pages/train/train.py", label="Train one", icon=":material/model_training:")


def _filtered(table: list[Row]) -> list[Row]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs-filter"):
        words = st.text_input(
            "Filter",
            key="filter",
            type="search",
            icon=":material/search:",
            placeholder="Name, network or note",
            max_chars=100,
            live=True,
            width=280,
            bind="query-params",
        )
        kinds = st.pills(
            "Kind",
            overview.KINDS,
            selection_mode="multi",
            format_func=str.capitalize,
            key="kind",
            bind="query-params",
            help="None chosen: all are shown.",
        )
        run_exchange.bring_back()
    return overview.filtered(table, words or "", kinds)


def _table(shown: list[Row], chosen: list[str]) -> None:
    if not shown:
        st.info("No run fits the filter.", icon=":material/filter_alt_off:")
        return
    rows = [place for place, row in enumerate(shown) if row.kind != "published" and row.name in chosen]
    # A new key where the rows are others or the choice was made elsewhere, so that the right ones are ticked.
    key = f"runs-table-{run_choice.version()}-{hash(tuple((row.name, row.note) for row in shown))}"
    st.dataframe(
        [_cells(row) for row in shown],
        key=key,
        hide_index=True,
        column_config=_COLUMNS,
        height=min(38 + 35 * len(shown), 500),
        placeholder="",
        on_select=lambda: _take(key, shown),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": rows}},
        alt="All runs: name, accuracy, loss, weights, time and date",
    )
    st.caption("A click on a column's head sorts. Tick a row to look closer, two to four to compare.", help=_HELP)


def _cells(row: Row) -> dict[str, object]:
    interval = row.interval and f"{row.interval.low:.2%} to {row.interval.high:.2%}"
    return {
        "Name": row.name,
        "Kind": row.kind,
        "Accuracy": None if row.accuracy is None else 100 * row.accuracy,
        "95 % interval": interval or "",
        "Curve": list(row.curve) or None,
        "Loss": row.loss,
        "Network": row.network,
        "Weights": row.parameters,
        "Time": row.seconds,
        "Date": (row.created or "")[:10],
        "Note": overview.unspreadsheet(row.note),
    }


_COLUMNS = {
    "Name": st.column_config.TextColumn(pinned=True, width=130),
    "Kind": st.column_config.TextColumn(width=80),
    "Accuracy": st.column_config.NumberColumn(format="%.2f%%", width=80),
    "95 % interval": st.column_config.TextColumn(width=130),
    "Curve": st.column_config.LineChartColumn(width=90, help="Accuracy epoch by epoch, on digits held back."),
    "Loss": st.column_config.NumberColumn(format="%.4f", width=70),
    "Network": st.column_config.TextColumn(width=200),
    "Weights": st.column_config.NumberColumn(format="localized", width=80),
    "Time": st.column_config.NumberColumn(format="%.0f s", width=70),
    "Date": st.column_config.TextColumn(width=90),
    "Note": st.column_config.TextColumn(width=280),
}


def _take(key: str, shown: list[Row]) -> None:
    """Choose the rows that are ticked; a published one has nothing to look at closer."""
    ticked = [shown[place] for place in st.session_state[key]["selection"]["rows"] if place < len(shown)]
    names = list(dict.fromkeys(row.name for row in ticked if row.kind != "published"))
    hidden = {row.name for row in overview.rows(cached.all_runs().values())} - {row.name for row in shown}
    kept = [name for name in st.session_state.get(CHOSEN, []) if name in names or name in hidden]
    st.session_state[CHOSEN] = [*kept, *(name for name in names if name not in kept)][:MOST]


def _left_alone() -> None:
    broken = runs.list_broken()
    if broken:
        many = "1 folder is no run" if len(broken) == 1 else f"{len(broken)} folders are no runs"
        with st.expander(f"{many} and left alone", icon=":material/folder_off:"):
            for one in broken[:20]:
                st.text(f"{one.reason}\n{one.folder}")

"""Where a network goes wrong: its mistakes by kind, all digits to be filtered and sorted, and one of them large."""

import streamlit as st

from mnist_core import mistakes
from pages.components import browse, closer, evaluated, labels, sidebar
from pages.components.evaluated import Evaluated

MOST_KINDS = 8
DIGITS, LABELS = "digits", "labels"
VIEWS = {DIGITS: "Its mistakes", LABELS: "Is the label wrong?"}


def by_kind(found: Evaluated) -> None:
    """The most frequent kinds of mistake; a click shows the digits."""
    kinds = mistakes.kinds(found.predictions[0], found.traits)
    if not kinds:
        st.success("Every digit is read right. Choose **Right** below to see which were nearly missed.")
        return
    st.pills(
        "Most frequent mistakes",
        [browse.pair(kind.true, kind.predicted) for kind in kinds[:MOST_KINDS]],
        format_func={browse.pair(kind.true, kind.predicted): kind.sentence for kind in kinds}.__getitem__,
        key="kind",
        on_change=browse.take_kind,
    )


@st.fragment
def explore(found: Evaluated) -> None:
    """All that changes with a filter or a chosen digit."""
    by_kind(found)
    wanted, by = browse.filters(found)
    rows = mistakes.choose(found.predictions[0], found.traits, wanted, by)
    with st.container(key="browse"):
        with st.container(key="browse-digits", gap="small"):
            row = browse.page_of(found, rows)
        with st.container(key="browse-digit"):
            closer.look(found, row)


st.title("Where does it go wrong?")
view = st.segmented_control(
    "Look at",
    list(VIEWS),
    default=DIGITS,
    format_func=VIEWS.__getitem__,
    key="look",
    required=True,
    bind="query-params",
)
source = evaluated.choose()
if (runs := sidebar.chosen()) and (found := evaluated.evaluate(runs, source)):
    if view == DIGITS:
        explore(found)
    elif found.images is None:
        evaluated.no_pictures("labels-get")
    else:
        labels.explore(found)

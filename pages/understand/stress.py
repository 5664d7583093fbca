"""What a network can take: one digit disturbed by hand, and how many of many are still read right."""

import re
import secrets
from typing import Literal

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.data import Dataset
from mnist_core.runs import Run
from mnist_core.stress_work import MOST_RUNS
from mnist_core.wording import a_digit
from pages.components import cached, disturb, drawn, evaluated, flipping, owner, sidebar, stress_curve

USUAL = ("classic-50-50", "ann", "cnn")
TEST, DRAWING = "test", "drawing"
WHICH = {TEST: "One of these digits", DRAWING: "My drawing"}


def networks() -> list[Run]:
    """Let up to four networks be chosen, those of the sidebar among them at first."""
    runs = cached.all_runs()
    usual = [name for name in (*USUAL, *(run.name for run in sidebar.chosen())) if name in runs]
    names = st.multiselect(
        "Networks",
        list(runs),
        default=list(dict.fromkeys(usual))[:MOST_RUNS],
        key="networks",
        max_selections=MOST_RUNS,
        placeholder="Choose one to four",
        bind="query-params",
    )
    return [runs[name] for name in names if name in runs][:MOST_RUNS]


def choose(dataset: Dataset) -> tuple[npt.NDArray[np.float32], int | None, str] | None:
    """Let the digit be chosen: its picture, what it is, and its name; None while there is no drawing."""
    n = len(dataset.test_labels)
    if not 0 <= st.session_state.get("example", 0) < n:
        st.session_state["example"] = 0  # of a larger dataset
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="stress-digit"):
        which = st.segmented_control(
            "Digit", list(WHICH), default=TEST, format_func=WHICH.__getitem__, key="take", required=True,
            bind="query-params",
        )  # fmt: skip
        if which == TEST:
            number = st.number_input("Number", 0, n - 1, 0, key="example", bind=_bind(), width=140)
            st.button("Another one", key="stress-another", icon=":material/shuffle:", on_click=another, args=(n,))
    if which == TEST:
        label = int(dataset.test_labels[number])
        picture = np.divide(dataset.test_images[number], 255, dtype=np.float32)
        return picture, label, f"Number {number}, {a_digit(label)}"
    drawing = drawn.digit()
    if drawing is None:
        st.info("You have not drawn a digit yet. Draw one, and come back: it will be here.", icon=":material/draw:")
        st.page_link("pages/recognise/draw.py", label="Draw a digit", icon=":material/draw:")
        return None
    return drawing, None, "Your drawing"


def _bind() -> Literal["query-params"] | None:
    """Keep the number in the address, unless that came with something Streamlit fails on, such as 1e400."""
    plain = re.fullmatch("[0-9]{0,9}", st.query_params.get("example", ""))
    return "query-params" if st.session_state.setdefault("stress-plain", plain is not None) else None


def another(n: int) -> None:
    """Take a digit at random."""
    st.session_state["example"] = secrets.randbelow(n)


st.title("What can it take?")
st.markdown("Move, turn, blur or cover a digit, and see which network still reads it.")
owner.remember()
source = evaluated.choose(with_pictures=True)
runs = networks()
dataset = evaluated.pictures(source)
if not runs:
    st.info("Choose at least one network above.", icon=":material/hub:")
elif dataset is not None and (chosen := choose(dataset)):
    digit, label, whose = chosen
    disturb.explore(digit, label, whose, runs)
    stress_curve.explore(runs, dataset, digit)
    flipping.explore(digit, label, runs)

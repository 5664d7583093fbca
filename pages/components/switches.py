"""Switching preprocessing steps off, and what each of them is worth."""

import streamlit as st

from mnist_core.preprocess import Settings
from mnist_core.recognizer import Recognizer
from mnist_core.xray import SWITCHES
from pages.components import cached

HELP = "Each step can be left out, to see what it is good for: the pictures and the answer follow."


def settings(key: str) -> Settings:
    """The settings without the steps that were left out on this page."""
    return Settings(**dict.fromkeys(st.session_state.get(f"{key}-left-out") or (), False))


def choose(key: str) -> None:
    """Let steps be left out."""
    st.pills(
        "Leave steps out",
        list(SWITCHES),
        selection_mode="multi",
        format_func=lambda name: SWITCHES[name].capitalize(),
        key=f"{key}-left-out",
        help=HELP,
        persist_state="page",
    )


def worth(key: str, drawing: bytes, recognizer: Recognizer) -> None:
    """Say what difference each step makes to a drawing, worked out only when somebody asks."""
    box = st.expander("What is each step worth here?", icon=":material/balance:", key=f"{key}-worth", on_change="rerun")
    if box.open:
        with box:
            found = cached.without_each(drawing, settings(key), recognizer)
            for one in found:
                if one.changed:
                    st.markdown(one.sentence)
            same = [SWITCHES[one.setting] for one in found if not one.changed]
            if len(same) == len(found):
                st.markdown("Any one of them could be missing: the answer stays the same.")
            elif same:
                st.caption(f"Read the same without {', '.join(same[:-1])}{' or ' if same[:-1] else ''}{same[-1]}.")

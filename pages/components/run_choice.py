"""Which runs are chosen on the Runs page: by ticking rows, by name, by the address, or by what was just done."""

import streamlit as st

MOST = 4
CHOSEN = "runs"
NOTICE = "runs-notice"
_VERSION = "runs-table-version"


def choose_only(names: list[str]) -> None:
    """Choose these runs, in a callback."""
    st.session_state[CHOSEN] = names
    begin_anew()


def begin_anew() -> None:
    """Let the table tick what is chosen, which was done elsewhere; what came of the last action is past."""
    st.session_state.pop(NOTICE, None)
    st.session_state[_VERSION] = version() + 1


def version() -> int:
    """How often the table began anew."""
    return int(st.session_state.get(_VERSION, 0))


def forget_unknown(known: set[str]) -> None:
    """Let go of chosen runs that are no longer there: somebody else may have deleted them."""
    chosen = st.session_state.get(CHOSEN)
    if chosen and not set(chosen) <= known:
        st.session_state[CHOSEN] = [name for name in chosen if name in known]

"""Who sits at this browser: a random name that it keeps, so that its trainings and votes are found again."""

import re
import secrets

import streamlit as st

_COOKIE = "digit_lab_visitor"
_KEPT = 365 * 24 * 3600  # seconds; the votes of yesterday's lesson are still there
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")


def name() -> str:
    """The random name of this browser.

    Whoever has no cookie yet, or none that we made, gets a new name; `remember` puts it into the browser.
    """
    if "visitor" not in st.session_state:
        brought = st.context.cookies.get(_COOKIE, "")
        st.session_state.visitor = brought if _NAME.fullmatch(str(brought)) else secrets.token_urlsafe(16)
    return st.session_state.visitor


def remember() -> None:
    """Leave the name with the browser."""
    if st.context.cookies.get(_COOKIE) != name():
        cookie = f"{_COOKIE}={name()}; path=/; max-age={_KEPT}; SameSite=Strict"
        st.html(f'<script>document.cookie = "{cookie}";</script>', unsafe_allow_javascript=True)

"""Switching preprocessing steps off, moving their numbers, and what each of them is worth."""

from dataclasses import fields
from typing import Any

import streamlit as st

from mnist_core.preprocess import Settings
from mnist_core.recognizer import Recognizer
from mnist_core.xray import SWITCHES
from pages.components import cached

HELP = "Each step can be left out, to see what it is good for: the pictures and the answer follow."
_USUAL = Settings()
_ABOUT = {one.name: one.metadata for one in fields(Settings)}  # titles, help and bounds
_PENS = ("thinnest", "heaviest")  # on one slider, so that they cannot be the wrong way round
_NUMBERS = [name for name, about in _ABOUT.items() if "low" in about and name not in _PENS]
_CHOICES = [one.name for one in fields(Settings) if one.type is bool and one.name not in SWITCHES]
_INK = {"auto": "Found by looking", "dark": "Dark on light", "light": "Light on dark"}


def settings(key: str) -> Settings:
    """The settings that were chosen on this page.

    Raises
    ------
    DigitLabError
        A number is out of its bounds: the browser sent what the sliders do not give.
    """
    values: dict[str, Any] = dict.fromkeys(st.session_state.get(f"{key}-left-out") or (), False)
    for name in (*_NUMBERS, *_CHOICES, "polarity"):
        values[name] = st.session_state.get(_key(key, name), getattr(_USUAL, name))
    pens = st.session_state.get(_key(key, "pens"), _usual_pens())
    return Settings(**values, **dict(zip(_PENS, pens, strict=True)))


def choose(key: str) -> None:
    """Let steps be left out and, for those who open it, every number be moved."""
    st.pills(
        "Leave steps out",
        list(SWITCHES),
        selection_mode="multi",
        format_func=lambda name: SWITCHES[name].capitalize(),
        key=f"{key}-left-out",
        help=HELP,
        persist_state="session",
    )
    with st.expander("Change the steps' numbers", icon=":material/tune:", key=f"{key}-numbers"):
        with st.grid(min_column_width=220, gap="medium", key=f"{key}-sliders"):
            for name in _NUMBERS:
                _slider(key, name)
            _pens(key)
            st.selectbox(
                _ABOUT["polarity"]["title"],
                _ABOUT["polarity"]["choices"],
                format_func=lambda choice: _INK.get(choice, choice),
                key=_key(key, "polarity"),
                help=_ABOUT["polarity"]["help"],
                persist_state="session",
                filter_mode=None,
            )
        with st.container(horizontal=True, gap="small", key=f"{key}-choices"):
            for name in _CHOICES:
                about, usual = _ABOUT[name], getattr(_USUAL, name)
                st.toggle(about["title"], usual, key=_key(key, name), help=about["help"], persist_state="session")


def set_back(key: str) -> None:
    """Say how many settings differ from the usual ones, and offer these again."""
    changed = _changed(settings(key))
    if not changed:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}-changed"):
        st.markdown(f"{changed} {'setting is' if changed == 1 else 'settings are'} not as usual.", width="content")
        st.button("Set back", key=f"{key}-set-back", icon=":material/restart_alt:", on_click=_set_back, args=(key,))


def is_usual(settings: Settings) -> bool:
    """Whether nothing was changed."""
    return settings == _USUAL


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


def _slider(key: str, name: str) -> None:
    """One number, within the bounds that the settings check."""
    about, usual = _ABOUT[name], getattr(_USUAL, name)
    kind = type(usual)
    low, high = kind(about["low"]), kind(about["high"])
    step = 1 if kind is int else 0.01 if high - low <= 1 else 0.5
    st.slider(about["title"], low, high, usual, step, key=_key(key, name), help=about["help"], persist_state="session")


def _pens(key: str) -> None:
    about = _ABOUT[_PENS[0]]
    st.slider(
        "Pen's width",
        about["low"],
        about["high"],
        _usual_pens(),
        0.1,
        key=_key(key, "pens"),
        help="In pixels of the small picture: a thinner pen is thickened, a heavier one thinned.",
        persist_state="session",
    )


def _usual_pens() -> tuple[float, float]:
    return _USUAL.thinnest, _USUAL.heaviest


def _changed(settings: Settings) -> int:
    return sum(getattr(settings, one.name) != getattr(_USUAL, one.name) for one in fields(Settings))


def _set_back(key: str) -> None:
    st.session_state[f"{key}-left-out"] = []
    for name in (*_NUMBERS, *_CHOICES, "polarity"):
        st.session_state[_key(key, name)] = getattr(_USUAL, name)
    st.session_state[_key(key, "pens")] = _usual_pens()


def _key(key: str, name: str) -> str:
    return f"{key}-set-{name}"

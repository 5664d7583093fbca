"""The sample pictures, to be chosen by clicking or with the keyboard."""

import streamlit as st

from pages.components import cached
from pages.components.pictures import data_url
from pages.components.reading import Brought

_SIDE = 132  # pixels


def choose(alone: bool) -> list[Brought]:
    """Show the samples as cards and return the chosen ones; while nothing was brought (`alone`) all are in view."""
    chosen: list[str] = st.session_state.setdefault("chosen_samples", [])
    st.markdown("Or choose samples", help="Made for this page, each with something that makes reading hard.")
    with st.container(horizontal=True, wrap=alone and not chosen, gap="small", key="samples"):
        for sample in cached.sample_pictures():
            _card(sample, sample.file in chosen)
    return [
        Brought(sample.file, sample.digest, sample.data, sample.why)
        for sample in cached.sample_pictures()
        if sample.file in chosen
    ]


def _card(sample: cached.SamplePicture, chosen: bool) -> None:
    with st.container(key=f"sample-{sample.file}", gap="xsmall", width=_SIDE):
        picture = data_url(sample.thumbnail, 2 * _SIDE)
        kind = "dl-sample dl-chosen" if chosen else "dl-sample"
        st.html(f'<img class="{kind}" src="{picture}" alt="">')
        st.button(
            sample.title,
            key=f"choose-{sample.file}",
            type="tertiary",
            wrap=True,
            icon=":material/check_circle:" if chosen else None,
            on_click=_toggle,
            args=(sample.file,),
        )


def _toggle(file: str) -> None:
    chosen: list[str] = st.session_state.chosen_samples
    st.session_state.chosen_samples = [one for one in chosen if one != file] if file in chosen else [*chosen, file]

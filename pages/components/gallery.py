"""The sample pictures, to be chosen by clicking or with the keyboard."""

import streamlit as st

from pages.components import cached
from pages.components.pictures import data_url
from pages.components.reading import Brought, collection

_SIDE = 132  # pixels


def choose() -> None:
    """Show the samples as cards; while nothing was brought all are in view."""
    brought = collection()
    st.markdown("Or choose samples", help="Made for this page, each with something that makes reading hard.")
    with st.container(horizontal=True, wrap=not brought.pictures, gap="small", key="samples"):
        for sample in cached.sample_pictures():
            _card(sample, _key(sample) in brought)


def _key(sample: cached.SamplePicture) -> str:
    return f"chosen-{sample.file}"


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
            args=(sample,),
        )


def _toggle(sample: cached.SamplePicture) -> None:
    brought, key = collection(), _key(sample)
    if key in brought:
        brought.remove(key)
    else:
        brought.bring([Brought(key, sample.file, sample.data, sample.why)])

"""The smallest change that makes a network say something else about the chosen digit."""

from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.errors import DigitLabError
from mnist_core.figures_stress import difference_picture
from mnist_core.flip import Flip
from mnist_core.runs import Run
from pages.components import cached, evaluated
from pages.components.pictures import data_url

Float32 = npt.NDArray[np.float32]

HELP = (
    "The network's own slopes say which pixels to change. Nobody who writes would change them so, which is why it "
    "reads handwriting well and is still so easily led astray. It is small, not proven to be the smallest there is."
)


@st.fragment
def explore(digit: Float32, label: int | None, runs: list[Run]) -> None:
    """The button, and for the chosen digit and network what came of it."""
    st.header("The smallest change that turns the answer", anchor="flip")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="flip-choose"):
        names = [run.name for run in runs]
        name = st.selectbox(
            "Network", names, index=names.index("ann") if "ann" in names else 0, key="flip-run", filter_mode=None,
            width=220,
        )  # fmt: skip
        run = runs[names.index(name)]
        asked = (run.name, run.created, digit.tobytes())
        wanted = st.session_state.get("flip-wanted") == asked
        st.button(
            "Find the smallest change", key="flip-find", icon=":material/electric_bolt:", type="primary",
            disabled=wanted, on_click=_want, args=(asked,),
        )  # fmt: skip
    st.caption("Pixels changed on purpose, as little as it takes, until the network says another digit.", help=HELP)
    if wanted:
        _result(asked, run, label)


def _want(asked: tuple[str, str, bytes]) -> None:
    st.session_state["flip-wanted"] = asked


def _result(asked: tuple[str, str, bytes], run: Run, label: int | None) -> None:
    work = cached.flip_of(*asked)
    if not work.future.done():
        evaluated.wait([work], "steps taken")
        return
    try:
        found = work.future.result()
    except DigitLabError as error:
        cached.flip_of.clear(*asked)  # it may be mended before the next try
        st.error(str(error), icon=":material/heart_broken:")
        return
    _show(found, run, label)


def _show(found: Flip, run: Run, label: int | None) -> None:
    if not found.found:
        st.html(f'<p class="dl-sentence dl-flip" role="status">{escape(found.sentence)}</p>')
        return
    right = ", and so is right" if found.says == label else ""
    st.html(
        f'<div class="dl-flip" role="status"><p class="dl-sentence">{escape(run.name)} now says {found.says} '
        f"instead of {found.said}{right}.</p><p>{escape(found.sentence)}</p></div>"
        '<div class="dl-three">'
        + _picture(data_url(found.before, 28), f"Before: read as {found.said}", "dl-pixels")
        + _picture(
            data_url(difference_picture(found.difference), 28), "The change, made stronger", "dl-pixels dl-paper"
        )
        + _picture(data_url(found.after, 28), f"After: read as {found.says}", "dl-pixels")
        + "</div>"
    )
    most = float(np.abs(found.difference).max())
    st.caption(
        f"Blue: ink is added; orange: it is taken away. The strongest colour is a change by {most:.0%} of full ink. "
        f"Its length (L2) is {found.size:.2f}; where the answer turned first it was {found.first:.2f}."
    )


def _picture(source: str, words: str, kind: str) -> str:
    return (
        f'<figure><img class="{kind}" src="{source}" alt="{escape(words)}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )

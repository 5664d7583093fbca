"""The strip of steps: every picture on the way to 28x28 pixels, with what was done."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from mnist_core.evaluation import in_percent
from mnist_core.preprocess import Step
from mnist_core.xray import Stage
from pages.components.pictures import as_bytes, data_url

_CARD_SIDE = 160  # pixels
_PIXELS_SEEN = 64  # smaller images are shown with their pixels as squares


@st.fragment
def strip(steps: tuple[Step, ...], key: str, stages: Sequence[Stage] = ()) -> None:
    """Show the steps as cards, with the answer after each where there are stages; one of them can be opened."""
    opened = f"{key}-opened"
    answers = {stage.step.name: _answer(stage) for stage in stages}
    with st.grid(min_column_width=150, gap="small", key=f"{key}-strip"):
        for number, step in enumerate(steps, start=1):
            with st.container(key=f"{key}-step-{step.name}", gap="xsmall"):
                is_open = st.session_state.get(opened) == step.name
                st.html(_picture(step, _CARD_SIDE, "dl-chosen" if is_open else ""))
                st.button(
                    f"{number}. {step.title}",
                    key=f"{key}-open-{step.name}",
                    type="tertiary",
                    wrap=True,
                    help=_in_short(step),
                    on_click=_toggle,
                    args=(opened, step.name),
                )
                st.caption(step.sentence)
                if step.name in answers:
                    st.html(answers[step.name])
    for step in steps:
        if step.name == st.session_state.get(opened):
            _details(step, last=step is steps[-1])


def _answer(stage: Stage) -> str:
    """What the network would have said, had preprocessing ended here."""
    if stage.decisive:
        return f'<p class="dl-then dl-turn">From here on it is a <b>{stage.digit}</b></p>'
    return f'<p class="dl-then">If it ended here: <b>{stage.digit}</b>, {in_percent(stage.probability)}</p>'


def _toggle(opened: str, name: str) -> None:
    st.session_state[opened] = None if st.session_state.get(opened) == name else name


def _details(step: Step, last: bool) -> None:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _parameters(step))
    numbers = _numbers(step) if last and step.image.shape == (28, 28) else ""
    st.html(
        f'<section class="dl-details" aria-label="{escape(step.title)}">{_picture(step, 280, "dl-opened")}'
        f"<div><h4>{escape(step.title)}</h4><p>{escape(step.sentence)}</p><dl>{rows}</dl></div>{numbers}</section>"
    )


def _picture(step: Step, side: int, kind: str) -> str:
    """A square that the picture fills as far as its own shape lets it: what is beside it is the page, no picture."""
    height, width = step.image.shape[:2]
    shape = f"aspect-ratio: {width} / {height}; width: {100 * min(1, width / height):.3g}%"
    pixels = ' class="dl-pixels"' if max(step.image.shape) <= _PIXELS_SEEN else ""
    image = f'<img{pixels} style="{shape}" src="{data_url(step.image, side)}" alt="{escape(step.title)}">'
    return f'<div class="dl-step {kind}">{image}</div>'


def _in_short(step: Step) -> str:
    return ", ".join(f"{name.lower()} {value}" for name, value in _parameters(step)).capitalize()


def _parameters(step: Step) -> list[tuple[str, str]]:
    return [(name.replace("_", " ").capitalize(), _value(value)) for name, value in step.parameters.items()]


def _value(value: float | int | str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _numbers(step: Step) -> str:
    """The 784 numbers that the network gets, 0 to 255, each on its own grey."""
    cells = "".join(_cell(int(value)) for value in as_bytes(np.asarray(step.image)).ravel())
    return (
        '<div class="dl-numbers-frame" role="group" aria-label="The 784 numbers">'
        "<p>These 784 numbers are all that the network sees: 0 is black, 255 is white.</p>"
        f'<div class="dl-numbers">{cells}</div></div>'
    )


def _cell(value: int) -> str:
    if value == 0:
        return "<i>0</i>"
    return f'<i style="background:rgb({value},{value},{value});color:{"#000" if value > 128 else "#fff"}">{value}</i>'

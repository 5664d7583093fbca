"""The drawing as it grew: what the network said after each stroke."""

import json
from html import escape

import streamlit as st

from mnist_core.errors import DigitLabError
from mnist_core.evaluation import in_percent
from mnist_core.preprocess import Settings
from mnist_core.recognizer import Recognizer
from mnist_core.strokes import Moment
from pages.components import cached, canvas
from pages.components.pictures import data_url

_SIDE = 160  # pixels; of a picture


def show(key: str, settings: Settings, recognizer: Recognizer) -> None:
    """Offer the answers after each stroke of a drawing that has more than one."""
    drawn = canvas.strokes()
    if len(drawn) < 2:
        return
    part = st.expander(
        "Watch the answer change, stroke by stroke", icon=":material/animation:", key=f"{key}-replay", on_change="rerun"
    )
    if part.open:
        with part:
            _moments(drawn, settings, recognizer)


def _moments(drawn: canvas.Strokes, settings: Settings, recognizer: Recognizer) -> None:
    try:
        run = recognizer.run
        moments = cached.replayed(json.dumps(drawn), canvas.SIDE, settings, run.name, run.created, recognizer)
    except (DigitLabError, ValueError, TypeError) as error:
        st.error(str(error) if isinstance(error, DigitLabError) else canvas.FORGED, icon=":material/error:")
        return
    cards = "".join(_card(moment) for moment in moments)
    st.html(f'<ol class="dl-moments" aria-label="The answer after each stroke">{cards}</ol>')


def _card(moment: Moment) -> str:
    one = moment.recognition
    count = "1 stroke" if moment.strokes == 1 else f"{moment.strokes} strokes"
    digit = str(one.digit) if one.says_a_digit else "?"
    kind = "dl-unsure" if not one.accepted else "dl-turn" if moment.turned else ""
    sure = in_percent(one.probability)
    says = sure if one.accepted else f"{sure}, not accepted" if one.says_a_digit else "no digit"
    return (
        f'<li><img src="{data_url(moment.picture, _SIDE)}" alt="The drawing after {count}">'
        f'<p><b class="{kind}">{digit}</b> <span>{escape(says)}</span></p><small>After {count}</small></li>'
    )

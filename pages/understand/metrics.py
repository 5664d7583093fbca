"""How good a network is: its figures, its confusions, how far it can be believed, and all of it to take away."""

import json
from html import escape

import streamlit as st

from mnist_core.predictions import Predictions
from mnist_core.scores import as_csv, report
from mnist_core.summary import summary
from pages.components import certainty, evaluated, matrix, scorecards, sidebar


def take_away(predictions: Predictions, several: bool) -> None:
    """All that the page shows of one run, as files; each is written when it is asked for."""
    name = f"{predictions.run}-{predictions.dataset}"
    files = (
        ("Every digit, CSV", "csv", "text/csv", "A line for each digit.", lambda: as_csv(predictions)),
        ("Figures, JSON", "json", "application/json", "All figures of this page.", lambda: _as_json(predictions)),
        ("Report, text", "txt", "text/plain", "Laid out as scikit-learn does it.", lambda: report(predictions)),
    )
    if several:
        st.html(f'<p class="dl-whose">{escape(predictions.run)}</p>')
    with st.container(horizontal=True, gap="small", key=f"files-{predictions.run}"):
        for label, ending, kind, words, write in files:
            st.download_button(
                label,
                write,
                f"{name}.{ending}",
                kind,
                key=f"{name}-{ending}",
                icon=":material/download:",
                on_click="ignore",
                help=words,
            )


def _as_json(predictions: Predictions) -> str:
    return json.dumps(summary(predictions), indent=1)


st.title("How good is it?")
source = evaluated.choose()
if (runs := sidebar.chosen()) and (found := evaluated.evaluate(runs, source)):
    scorecards.cards(found)
    matrix.explore(found)
    scorecards.each_digit(found)
    certainty.explore(found)
    st.header("Take it away", anchor="files")
    st.caption("Each picture above has a camera at its upper right: that saves it as PNG.")
    for predictions in found.predictions:
        take_away(predictions, len(found.predictions) > 1)

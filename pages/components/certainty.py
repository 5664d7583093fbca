"""How far a network's certainty can be believed, and a threshold to try: refuse or answer."""

from html import escape

import streamlit as st

from mnist_core import calibration, figures_metrics
from mnist_core.predictions import Predictions
from pages.components.evaluated import Evaluated

_THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)


def explore(found: Evaluated) -> None:
    """Ask both questions of each network."""
    st.header("Does it know when it is wrong?", anchor="certainty")
    for predictions in found.predictions:
        if len(found.predictions) > 1:
            st.html(f'<p class="dl-whose">{escape(predictions.run)}</p>')
        with st.container(key=f"certainty-{predictions.run}"):
            with st.container(key=f"reliability-{predictions.run}", gap="xsmall"):
                reliability(predictions)
            with st.container(key=f"refusal-{predictions.run}", gap="xsmall"):
                refusal(predictions)


def reliability(predictions: Predictions) -> None:
    """Show whether it is right in 9 of 10 when it says 90 %."""
    found = calibration.certainty(predictions)
    st.subheader("When it is 90 % sure, is it right in 9 of 10?", anchor=False)
    st.plotly_chart(
        figures_metrics.reliability(found.before, found.after),
        key=f"reliability-chart-{predictions.run}",
        config=figures_metrics.config(f"reliability-{predictions.run}"),
        alt=f"Reliability diagram of {predictions.run}",
    )
    better = "closer to the truth" if found.error_after < found.error_before else "no closer to the truth here"
    st.markdown(
        f"What it claims and how often it is right are **{found.error_before:.2%}** apart on average, "
        f"and **{found.error_after:.2%}** after the temperature: {better}.",
        help="That distance is the **expected calibration error**, over ten bins of equal width. The **temperature** "
        f"({predictions.temperature:.2f} for this run) divides the network's scores before they become probabilities. "
        "It was fitted on digits held back from the training, not on these. Above 1 it makes the network less "
        "sure, below 1 surer; which digit is the answer never changes.",
    )


@st.fragment
def refusal(predictions: Predictions) -> None:
    """Let the smallest certainty that is enough be chosen, and show what it gains and costs."""
    own = predictions.least_probability
    st.subheader("What if it asks instead of guessing?", anchor=False)
    levels = sorted({*_THRESHOLDS, own})
    threshold = st.select_slider(
        "Answer only from this certainty on",
        levels,
        own,
        format_func=lambda level: _level(level, own),
        key=f"threshold-{predictions.run}",
        help="Below it the network refuses and a person is asked. Draw and Upload use this network's own threshold.",
    )
    chosen = calibration.refuse(predictions, float(threshold))
    st.html(f'<p class="dl-sentence" role="status">{escape(chosen.sentence())}</p>')
    st.plotly_chart(
        figures_metrics.coverage(calibration.coverage(predictions), chosen),
        key=f"coverage-chart-{predictions.run}",
        config=figures_metrics.config(f"coverage-{predictions.run}"),
        alt=f"Accuracy against coverage of {predictions.run}",
    )


def _level(level: float, own: float) -> str:
    if level == 0:
        return "always answer"
    shown = f"{100 * level:.4g} %"
    return f"{shown} (its own)" if level == own else shown

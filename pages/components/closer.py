"""One digit of a dataset, large: what it is, what each network says, and how it is written."""

from html import escape

import streamlit as st

from mnist_core import figures
from mnist_core.evaluation import in_percent
from mnist_core.predictions import Predictions
from mnist_core.traits import Traits
from mnist_core.wording import a_digit, share
from pages.components import cached, evaluated, why
from pages.components.evaluated import Evaluated
from pages.components.pictures import data_url

LOSS = (
    "The loss of a digit is the negative logarithm of the probability that the true digit was given here. The loss on "
    "Metrics and Train is of the probabilities as the network gives them, before they were calibrated."
)
_UPRIGHT = 5  # degrees: up to here nobody would say that a digit leans


def look(found: Evaluated, row: int | None) -> None:
    """Show one digit; nothing while there is none."""
    if row is None:
        return
    predictions = found.predictions[0]
    picture = ""
    if found.images is not None:
        alt = f"Number {row}, {a_digit(int(predictions.labels[row]))}"
        picture = f'<img class="dl-large dl-pixels" src="{data_url(found.images[row], 28)}" alt="{escape(alt)}">'
    st.html(
        f'<div class="dl-closer">{picture}<div role="status"><p class="dl-sentence">{_sentence(predictions, row)}</p>'
        f'<div class="dl-quiet">{_details(predictions, found.traits, row)}</div></div></div>'
    )
    st.caption("Probability of each digit", help=LOSS)
    st.plotly_chart(
        figures.probability_bars(
            predictions.probabilities[row].astype("float32"),
            bool(predictions.certainty[row] >= predictions.least_probability),
        ),
        key="closer-bars",
        config={"displayModeBar": False},
        alt=f"Probability of each digit for number {row}",
    )
    why.show(found, row)
    each_network(found, row)
    if found.images is not None and found.source != evaluated.OWN:
        st.page_link(
            "pages/understand/stress.py",
            label="Disturb this digit on Stress",
            icon=":material/fitness_center:",
            query_params={"data": found.title, "example": str(row)},
        )


def _sentence(predictions: Predictions, row: int) -> str:
    true, read = int(predictions.labels[row]), int(predictions.predicted[row])
    sure = in_percent(float(predictions.certainty[row]))
    how = "right" if true == read else f"as {read}"
    return f"{a_digit(true).capitalize()}, read {how}, {sure} sure."


def _details(predictions: Predictions, traits: Traits | None, row: int) -> str:
    true = int(predictions.labels[row])
    lines = [f"Number {row:,} of {len(predictions):,}. Loss {predictions.losses[row]:.2f}."]
    if predictions.wrong[row]:
        given = predictions.true_probability[row]
        lines.append(f"The {true} was given {share(float(given))}.")
    if predictions.certainty[row] < predictions.least_probability:
        lines.append("Draw and Upload would have refused to answer.")
    if traits is not None:
        loops = int(traits.loops[row])
        slant = traits.slant[row]
        leaning = (
            "upright"
            if abs(slant) < _UPRIGHT
            else f"leaning {abs(slant):.0f} degrees {'right' if slant > 0 else 'left'}"
        )
        closed = "no closed loop" if loops < 1 else "1 closed loop" if loops == 1 else f"{loops} closed loops"
        lines.append(f"Pen {traits.stroke[row]:.1f} pixels wide, {leaning}, {closed}.")
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def each_network(found: Evaluated, row: int) -> None:
    """Who gets it right? Worked out when somebody asks, as other networks may have to read the dataset first."""
    box = st.expander("What do the other networks say?", icon=":material/groups:", key="closer-runs", on_change="rerun")
    if not box.open:
        return
    with box:
        everyone = evaluated.evaluate_quietly(list(cached.all_runs().values()), found)
        if everyone is None:
            return
        rows = "".join(_line(one, row) for one in everyone)
        right = sum(not one.wrong[row] for one in everyone)
        st.html(
            f"<p>{_who(right, len(everyone))}</p>"
            '<table class="dl-table"><thead><tr><th scope="col">Network</th><th scope="col">Says</th>'
            f'<th scope="col">Sure</th></tr></thead><tbody>{rows}</tbody></table>'
        )


def _who(right: int, of: int) -> str:
    if right in (0, of):
        return "All of them read it right." if right else "None of them reads it right."
    return f"{right} of {of} read it right."


def _line(predictions: Predictions, row: int) -> str:
    read, sure = int(predictions.predicted[row]), in_percent(float(predictions.certainty[row]))
    kind, word = ("dl-wrong", "wrong") if predictions.wrong[row] else ("dl-right", "right")
    return (
        f'<tr><th scope="row">{escape(predictions.run)}</th><td class="{kind}"><b>{read}</b>, {word}</td>'
        f"<td>{escape(sure)}</td></tr>"
    )

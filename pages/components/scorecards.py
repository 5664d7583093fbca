"""Accuracy, errors, loss and top-2 as cards, and each digit's figures as a table and a picture."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from mnist_core import figures_metrics
from mnist_core.scores import GUESSING, DigitScore, Scores, digit_scores, scores
from pages.components.evaluated import Evaluated

WHAT_AN_INTERVAL_IS = (
    "These digits are a sample: with other people's digits of the same kind each figure would come out a little "
    "different. The **95 % interval** is where the true value lies, as far as this many digits can tell; intervals "
    "made this way hold it 95 times in 100."
)


def cards(found: Evaluated) -> None:
    """Four figures with their intervals and what they mean."""
    all_scores = [(one.run, scores(one)) for one in found.predictions]
    named = len(all_scores) > 1
    rows = {title: [(run, *make(one)) for run, one in all_scores] for title, make in _CARDS.items()}
    html = "".join(_card(title, figures, named) for title, figures in rows.items())
    st.html(f'<div class="dl-cards">{html}</div>')
    few = all_scores[0][1].n
    if few < 100:
        st.info(
            f"Only {few} {'digit' if few == 1 else 'digits'}: that says little about a network, as the wide intervals "
            "show.",
            icon=":material/info:",
        )
    st.caption("What is the range below each figure?", help=WHAT_AN_INTERVAL_IS)


def _card(title: str, figures: Sequence[tuple[str, str, str, str]], named: bool) -> str:
    rows = "".join(
        (f'<div><p class="dl-whose">{escape(run)}</p>' if named else "<div>")
        + f'<p class="dl-figure">{escape(value)}</p><p class="dl-interval">{escape(interval)}</p>'
        f'<p class="dl-meaning">{escape(meaning)}</p></div>'
        for run, value, interval, meaning in figures
    )
    return f'<section class="dl-card"><h3>{escape(title)}</h3><div class="dl-runs">{rows}</div></section>'


def _accuracy(one: Scores) -> tuple[str, str, str]:
    low, high = one.accuracy_interval.low, one.accuracy_interval.high
    meaning = "It reads every one of them right." if not one.errors else f"Of 1,000 digits it reads {_of(one)} right."
    return f"{one.accuracy:.2%}", f"{low:.2%} to {high:.2%}", meaning


def _of(one: Scores) -> str:
    return f"about {min(999, round(1000 * one.accuracy)):,}"


def _errors(one: Scores) -> tuple[str, str, str]:
    low, high = one.errors_interval
    interval = f"{low:,.0f} to {high:,.0f} of {one.n:,}"
    if not one.errors:
        return f"0 of {one.n:,}", interval, "No digit here is read wrong. More digits would show some."
    every = one.n / one.errors
    meaning = f"One digit in {every:,.0f} is read wrong." if every >= 1.5 else "Most digits are read wrong."
    return f"{one.errors:,} of {one.n:,}", interval, meaning


def _loss(one: Scores) -> tuple[str, str, str]:
    interval = one.loss_interval
    words = "too few digits for a range" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
    meaning = f"How surprised it is by the right answer: 0 if always sure and right, {GUESSING:.2f} if it only guessed."
    return f"{one.loss:.3f}", words, meaning


def _top_two(one: Scores) -> tuple[str, str, str]:
    low, high = one.top_two_interval.low, one.top_two_interval.high
    return f"{one.top_two:.2%}", f"{low:.2%} to {high:.2%}", "So often the right digit is among its two best guesses."


_CARDS = {"Accuracy": _accuracy, "Wrong": _errors, "Loss": _loss, "Right in two guesses": _top_two}


def each_digit(found: Evaluated) -> None:
    """Precision, recall, F1 and support of the first network's digits."""
    predictions = found.predictions[0]
    st.header("Which digits are hard", anchor="digits")
    digits = digit_scores(predictions)
    st.caption(
        f"{_hardest(digits)} **Recall**: of all that were written as this digit, the share that is read right. "
        "**Precision**: of all that are read as this digit, the share that is one. **F1** is their middle."
    )
    with st.container(key="each-digit"):
        st.html(_table(digits))
        st.plotly_chart(
            figures_metrics.digit_shares(digits),
            key="digit-shares",
            config=figures_metrics.config(f"digits-{predictions.run}"),
            alt=f"Recall and precision of each digit by {predictions.run}, with 95 % intervals",
        )


def _hardest(digits: Sequence[DigitScore]) -> str:
    known = [one for one in digits if one.recall is not None and one.recall < 1]
    if not known:
        return "Every digit is read right."
    worst = min(known, key=lambda one: one.recall or 0.0)
    return f"Hardest to read is the {worst.digit}: {worst.support - worst.right:,} of {worst.support:,} wrong."


def _table(digits: Sequence[DigitScore]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Digit", "Written", "Recall", "Precision", "F1"))
    rows = "".join(
        f'<tr><th scope="row">{one.digit}</th><td>{one.support:,}</td>'
        + "".join(f"<td>{_share(value)}</td>" for value in (one.recall, one.precision, one.f1))
        + "</tr>"
        for one in digits
    )
    return f'<table class="dl-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _share(value: float | None) -> str:
    return '<span title="There is none to measure">\N{EN DASH}</span>' if value is None else f"{value:.2%}"

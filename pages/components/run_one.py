"""One run looked at closely: its figures, curves and recipe, and its way through the epochs."""

from html import escape

import numpy as np
import streamlit as st

from mnist_core import figures, figures_runs, runs
from mnist_core.comparison import recipe_words
from mnist_core.errors import DigitLabError
from mnist_core.runs import Run
from pages.components import cached, run_exchange, switches
from pages.components.pictures import data_url

_NO_CHECKPOINTS = (
    "The way through the epochs needs the weights after each of them, and this run was kept without. Runs that you "
    "train are kept with them."
)
_CONFIG = {"displayModeBar": False}


def show(run: Run) -> None:
    """Everything about one run."""
    st.header(run.name, anchor="run")
    st.html(f'<p class="dl-quiet">{escape(run.note or run.title)}. {escape(run.recipe.model.summary)}.</p>')
    run_exchange.actions(run)
    st.html(f'<div class="dl-cards">{"".join(_cards(run))}</div>')
    curves([run])
    with st.expander("Its recipe", icon=":material/receipt_long:", key=f"recipe-{run.name}"):
        cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in recipe_words(run).items())
        st.html(f'<div class="dl-record dl-recipe"><dl>{cells}</dl></div>')
    st.header("Through its epochs", anchor="epochs")
    scrub(run)


def _cards(run: Run) -> list[str]:
    metrics, interval = run.metrics, run.metrics.test_interval
    took = f"{run.seconds:,.1f} s" if run.seconds < 120 else f"{run.seconds / 60:,.0f} min"
    digits = f"{metrics.test_errors:,} of {metrics.test_n:,} test digits wrong"
    return [
        _card("Accuracy", f"{metrics.test_accuracy:.2%}", f"{interval.low:.2%} to {interval.high:.2%}", digits),
        _card("Loss", f"{metrics.test_loss:.4f}", f"training {metrics.train_loss:.4f}", "the lower, the better"),
        _card("Weights", f"{run.parameters:,}", run.recipe.model.summary, "numbers that it learned"),
        _card("Time", took, f"{len(run.history)} epochs", f"trained on {run.created[:10]}"),
    ]


def _card(title: str, figure: str, beside: str, meaning: str) -> str:
    return (
        f'<div class="dl-card"><h3>{title}</h3><p class="dl-figure">{escape(figure)}</p>'
        f'<p class="dl-interval">{escape(beside)}</p><p class="dl-meaning">{escape(meaning)}</p></div>'
    )


def curves(chosen: list[Run]) -> None:
    """Loss and accuracy of some runs by epoch, over each other."""
    if not any(run.history for run in chosen):
        st.caption("There are no curves: no epoch was recorded.")
        return
    names = ", ".join(run.name for run in chosen)
    for column, measure in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        with column:
            key = f"curve-{measure}-{names}"
            st.plotly_chart(
                figures_runs.history(chosen, measure), key=key, config=_CONFIG, alt=f"{measure} by epoch of {names}"
            )


@st.fragment
def scrub(run: Run) -> None:
    """Move through the epochs at which weights were kept: what the network was like, and what it answered then."""
    epochs = runs.list_checkpoints(run)
    if not epochs:
        st.caption(_NO_CHECKPOINTS)
        return
    epoch = epochs[0]
    if len(epochs) > 1:
        epoch = st.select_slider(
            "Epoch", epochs, value=epochs[-1], key=f"epoch-{run.name}-{run.created}", help="Where weights were kept."
        )
    st.html(f'<p class="dl-quiet" role="status">{escape(_sentence(run, epoch))}</p>')
    digit, whose = _digit()
    try:
        answers = cached.checkpoint_answers(run.name, run.created, epochs, digit.tobytes(), run)
        weights = cached.checkpoint_pictures(run.name, run.created, epoch, run)
    except DigitLabError as error:
        st.error(str(error), icon=":material/heart_broken:")
        return
    with st.container(key="scrub"):
        with st.container(key="scrub-answer", gap="xsmall"):
            picture = data_url(digit, 28)
            st.html(f'<div class="dl-drawn"><img class="dl-pixels" src="{picture}" alt=""><p>{whose}</p></div>')
            st.plotly_chart(
                figures.probability_bars(answers[epochs.index(epoch)]),
                key=f"scrub-bars-{run.name}",
                config=_CONFIG,
                alt=f"Answer after epoch {epoch}: {int(answers[epochs.index(epoch)].argmax())}",
            )
            if len(epochs) > 1:
                chart = figures_runs.answer_by_epoch(epochs, answers, epoch)
                st.plotly_chart(chart, key=f"scrub-line-{run.name}", config=_CONFIG, alt="The answer epoch by epoch")
        with st.container(key="scrub-weights", gap="xsmall"):
            st.caption(
                f"What the first layer looks for after epoch {epoch}",
                help="One square for each of the first 64 units: where light, ink speaks for it, where dark, against.",
            )
            squares = "".join(f'<img class="dl-pixels" src="{data_url(one, 28)}" alt="">' for one in weights)
            st.html(f'<div class="dl-weights" role="img" aria-label="First-layer weights">{squares}</div>')


def _sentence(run: Run, epoch: int) -> str:
    figures = next((one for one in run.history if one.get("epoch") == epoch), {})
    parts = [
        f"{figures[key]:.2%} of the {digits} digits right"
        for key, digits in (("accuracy", "training"), ("validation_accuracy", "validation"))
        if figures.get(key) is not None
    ]
    return f"After epoch {epoch}: {', '.join(parts) or 'no figures were recorded'}."


def _digit() -> tuple[np.ndarray, str]:
    """The person's drawing as ``float32 (28, 28)``, or a built-in digit, and whose it is."""
    drawing = st.session_state.get("drawing")
    if drawing is not None and drawing.image:
        try:
            digit = cached.prepared_drawing(drawing.image, switches.settings("draw")).digit
        except DigitLabError:
            digit = None
        if digit is not None:
            return np.asarray(digit, np.float32), "Your drawing, answered by the network as it was then."
    builtin = cached.dataset("builtin")
    place = int(np.flatnonzero(builtin.test_labels == 7)[0])
    digit = np.divide(builtin.test_images[place], 255, dtype=np.float32)
    return digit, "A built-in 7, answered by the network as it was then. Draw a digit on Draw, and it stands here."

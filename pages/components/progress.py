"""A training while it goes on, and what came of it."""

from collections.abc import Callable
from html import escape
from math import ceil

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core import figures, figures_training
from mnist_core.cluster import Job, Snapshot
from mnist_core.cost import in_time
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import in_percent
from mnist_core.learning import curves, pace, weights_picture
from pages.components import cached, owner
from pages.components.pictures import data_url

_PROBLEM = "train-problem"
PLOT = {"displayModeBar": False}

CURVES_HELP = (
    "**Batches**: the digits it is learning from at the moment. **Training**: all of them, averaged over the epoch. "
    "**Validation**: digits that were held back and that it never learns from. While both curves get better, it "
    "understands; when only training does, it learns by heart. **Dotted lines**: from here on it learns otherwise, as "
    "the recipe says."
)
WEIGHTS_HELP = (
    "One picture for each unit of the first layer, up to 64: blue pixels speak for it, orange ones against it. They "
    "begin "
    "as noise, and strokes come out of it."
)
CONFUSION_HELP = "Each row is one true digit, each column what the network read. Right answers lie on the diagonal."


def show(job: Job, result: Callable[[], None]) -> None:
    """Show a training; while it is not finished, the page follows it. `result` shows what came of it."""
    with st.container(key="training"):
        _follow(_state, job, 0.4)
        if job.run is not None:
            result()
        _follow(_curves, job, 1.0)
        _follow(_insights, job, 2.0)


def _follow(part: Callable[[Job], None], drawn: Job, seconds: float) -> None:
    """Draw a part of the page from what the job is like now; the whole page where it does something else by now."""

    def draw() -> None:
        try:
            job = cached.training_jobs().get(drawn.id)
        except DigitLabError as error:
            st.error(str(error), icon=":material/error:")
            return
        if job.status != drawn.status:
            if job.ended:
                cached.all_runs.clear()
            st.rerun(scope="app")
        part(job)

    st.fragment(draw, run_every=None if drawn.ended else seconds, key=f"train{part.__name__}")()


# --- how far it is


def _state(job: Job) -> None:
    """What it does, how far it is, and what can be done about it."""
    st.html(f'<p class="dl-sentence">{escape(_sentence(job))}</p>{_remark(job)}{_bar(job)}')
    if job.status in ("running", "paused") and job.news:
        facts(_figures(job))
    if job.status == "failed":
        st.error(f"{job.message} Change the recipe below, then press Train again.", icon=":material/error:")
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(problem, icon=":material/error:")
    if not job.ended:
        _controls(job)


def _sentence(job: Job) -> str:
    if job.status == "queued":
        return "Next in the queue." if job.position <= 1 else f"Number {job.position} in the queue."
    if job.status == "starting" or (job.status == "running" and not job.news):
        return "It begins in a moment."
    epoch = f"epoch {job.news[-1].epoch} of {job.news[-1].epochs}" if job.news else "the first epoch"
    return {
        "running": f"Learning: {epoch}.",
        "paused": f"Paused in {epoch}.",
        "saving": "Measuring it on the test digits.",
        "done": "Trained.",
        "stopped": f"Stopped in {epoch}." if job.run else "Stopped before it began.",
        "failed": "This training failed.",
    }[job.status]


def _remark(job: Job) -> str:
    words = {
        "queued": f"{_who_has_the_turn(job)} Yours begins by itself; you can leave this page and come back.",
        "starting": "The worker loads TensorFlow. That takes a few seconds, once.",
    }.get(job.status, job.message if job.status == "stopped" else "")
    return f'<p class="dl-quiet">{escape(words)}</p>' if words else ""


def _who_has_the_turn(job: Job) -> str:
    if job.held_up is None:
        return "Somebody else's network is learning at the moment."
    minutes = max(1, ceil(job.held_up / 60))
    limit = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"Somebody has paused a training. Unless it goes on, it is stopped within {limit}."


def _bar(job: Job) -> str:
    if job.ended:
        return ""
    done = 0.0
    if job.news:
        last = job.news[-1]
        done = 100 * (last.epoch - 1 + last.step / last.steps) / last.epochs
    return (
        f'<div class="dl-bar" role="progressbar" aria-label="Training" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{done:.0f}"><i style="width:{done:.2f}%"></i></div>'
    )


def _figures(job: Job) -> dict[str, str]:
    last = job.news[-1]
    now = pace(job.news, job.recipe.training.batch_size)
    held = next((one.validation_accuracy for one in reversed(job.news) if one.validation_accuracy is not None), None)
    return {
        "Epoch": f"{last.epoch} of {last.epochs}",
        "Step": f"{last.step:,} of {last.steps:,}",
        "Digits a second": f"{now.images_per_second:,.0f}" if now else "-",
        "Time left": "paused" if job.status == "paused" else in_time(now.seconds_left) if now else "-",
        "Training": f"{last.accuracy:.1%}",
        "Validation": "-" if held is None else f"{held:.1%}",
    }


def facts(rows: dict[str, str]) -> None:
    """Show a few numbers with their names."""
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(one)}</dd></div>" for name, one in rows.items())
    st.html(f'<dl class="dl-facts">{cells}</dl>')


def _controls(job: Job) -> None:
    if job.owner != owner.name():
        st.caption("You are watching. Whoever started this training can pause and stop it.")
        return
    jobs = cached.training_jobs()
    paused, learning = job.status == "paused", job.status == "running"
    with st.container(key="train-controls", horizontal=True, gap="small"):
        if paused:
            _control("Resume", "play_arrow", jobs.resume, job)
        else:
            _control("Pause", "pause", jobs.pause, job, disabled=not learning)
        _control("Step", "skip_next", jobs.step, job, "One batch, then it waits again.", disabled=not paused)
        queued = job.status == "queued"
        _control(
            "Stop", "stop", jobs.stop, job, "Ends it now." if queued else "Ends it now, and keeps what it learned."
        )


def _control(
    label: str, icon: str, act: Callable[[str], None], job: Job, help: str | None = None, disabled: bool = False
) -> None:
    def press() -> None:
        try:
            act(job.id)
        except DigitLabError as error:
            st.session_state[_PROBLEM] = str(error)

    st.button(
        label, key=f"train-{label.lower()}", icon=f":material/{icon}:", help=help, disabled=disabled, on_click=press
    )


# --- what it has learned


def _curves(job: Job) -> None:
    if not job.news:
        return
    found, epochs = curves(job.news), job.news[-1].epochs
    left, right = st.columns(2)
    for column, what, title in ((left, "accuracy", "Accuracy: how many are right"), (right, "loss", "Loss: how wrong")):
        with column:
            st.markdown(f"**{title}**", help=CURVES_HELP if what == "accuracy" else None)
            st.plotly_chart(
                figures_training.learning_curve(found, epochs, what, job.recipe.training.turns),
                key=f"train-{what}-{job.id}",
                config=PLOT,
                alt=_in_words(what, job),
            )


def _in_words(what: str, job: Job) -> str:
    last = job.news[-1]
    return f"Curve of the {what}. In epoch {last.epoch}: training {getattr(last, what):.4f}."


def _insights(job: Job) -> None:
    if (snapshot := job.snapshot) is None:
        return
    with st.grid(min_column_width=250, gap="medium", key="train-insights"):
        with st.container(gap="xsmall"):
            st.markdown("**What the first layer looks for**", help=WEIGHTS_HELP)
            st.html(
                f'<img class="dl-weights dl-pixels" src="{data_url(weights_picture(snapshot.weights), 400)}" '
                f'alt="Weights of {len(snapshot.weights)} units after epoch {snapshot.epoch}">'
            )
        with st.container(gap="xsmall"):
            st.markdown("**What it takes for what**", help=CONFUSION_HELP)
            st.html(_confusion(snapshot.confusion))
        with st.container(gap="xsmall"):
            st.markdown("**What it says to your drawing**")
            _drawing(job, snapshot)


def _confusion(counts: npt.NDArray[np.int64]) -> str:
    heads = "".join(f"<b>{digit}</b>" for digit in range(10))
    rows = "".join(
        f"<b>{digit}</b>{''.join(_cell(row, digit, column) for column in range(10))}"
        for digit, row in enumerate(counts)
    )
    wrong = int(counts.sum() - counts.trace())
    words = f"{wrong:,} of {int(counts.sum()):,} held-back digits read wrong"
    return (
        f'<div class="dl-confusion" role="img" aria-label="{words}"><b></b>{heads}{rows}</div>'
        f'<p class="dl-quiet">{words}.</p>'
    )


def _cell(row: npt.NDArray[np.int64], digit: int, column: int) -> str:
    """One count: as strong as its share of the row, errors three times as strong."""
    count, share = int(row[column]), float(row[column] / max(1, row.sum()))
    kind, strength = ("dl-right", share) if digit == column else ("dl-wrong", min(1.0, 0.15 + 3 * share))
    style = f' style="--share:{100 * strength:.0f}%"' if count else ""
    return f'<i class="{kind}"{style}>{count or ""}</i>'


def _drawing(job: Job, snapshot: Snapshot) -> None:
    if snapshot.drawing is None:
        st.caption("Draw a digit first, and the next network you train answers it after every epoch.")
        st.page_link("pages/recognise/draw.py", label="Draw a digit", icon=":material/draw:")
        return
    best = int(snapshot.drawing.argmax())
    digit = st.session_state.get("train-drawings", {}).get(job.id)
    picture = "" if digit is None else f'<img class="dl-own dl-pixels" src="{data_url(digit, 28)}" alt="Your drawing">'
    st.html(
        f'<div class="dl-says">{picture}<p><span class="dl-sentence">{best}, '
        f"{in_percent(float(snapshot.drawing[best]))}</span><br>after epoch {snapshot.epoch}</p></div>"
    )
    st.plotly_chart(
        figures.probability_bars(snapshot.drawing.astype(np.float32)),
        key=f"train-says-{job.id}",
        config=PLOT,
        alt=f"Probability of each digit after epoch {snapshot.epoch}; the largest is that of {best}.",
    )

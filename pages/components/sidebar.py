"""Which network answers: chosen in the sidebar, the same on every page, kept in the address."""

from html import escape

import streamlit as st

from mnist_core.runs import Run
from pages.components import cached

NOBODY = "nobody"
WHAT_A_RUN_IS = (
    "A **run** is one network that was trained and kept. **Weights** are the numbers it learned, the more the larger. "
    "How good it is was measured on 10,000 handwritten digits that it never saw while learning (MNIST's test set)."
)


def choose_runs() -> None:
    """Show the two menus; `chosen` tells what was chosen."""
    runs = cached.all_runs()
    with st.sidebar:
        if not runs:
            st.error("No network is here. Put the folder assets/runs back, or install Digit Lab again.")
            return
        name = st.selectbox(
            "Network that answers",
            list(runs),
            key="run",
            help=WHAT_A_RUN_IS,
            bind="query-params",
            filter_mode=None,
        )
        st.caption(_in_words(runs[name]))
        _record(runs[name])
        others = [NOBODY, *(other for other in runs if other != name)]
        other = st.selectbox(
            "Compare it with",
            others,
            key="compare",
            help="A second network answers the same picture, side by side with the first.",
            bind="query-params",
            filter_mode=None,
        )
        if other != NOBODY:
            st.caption(_in_words(runs[other]))
            _record(runs[other])


def chosen() -> list[Run]:
    """The run that answers, then the one to compare it with, if any; none when no network is here."""
    runs = cached.all_runs()
    names = (st.session_state.get("run"), st.session_state.get("compare"))
    return [runs[name] for name in dict.fromkeys(names) if name in runs]


def _record(run: Run) -> None:
    """Show what its training gave, from the run's own record, and what others published for the same recipe."""
    metrics, interval = run.metrics, run.metrics.test_interval
    rows = {
        "Test digits": f"{metrics.test_accuracy:.2%}",
        "95 % interval": f"{interval.low:.2%} to {interval.high:.2%}",
        "Wrong": f"{metrics.test_errors:,} of {metrics.test_n:,}",
        "Loss": f"{metrics.test_loss:.4f}",
        "Training digits": f"{metrics.train_accuracy:.2%}",
        "Epochs": f"{len(run.history)}",
        "Time": _duration(run.seconds),
        "Weights": f"{run.parameters:,}",
    }
    with st.expander("Its record", icon=":material/monitoring:", key=f"record-{run.name}"):
        cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
        published = "".join(f"<li>{escape(result)}</li>" for result in run.published)
        others = f"<p>Others published for it:</p><ul>{published}</ul>" if published else ""
        st.html(f'<div class="dl-record"><dl>{cells}</dl>{others}</div>')


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def _in_words(run: Run) -> str:
    return (
        f"{run.title}.  \n**{run.metrics.test_accuracy:.2%}** of the test digits right, "
        f"**{_count(run.parameters)}** weights"
    )


def _count(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:,}"

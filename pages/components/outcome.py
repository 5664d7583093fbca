"""What came of a training: beside others, to be used, and to go on with."""

from collections.abc import Callable
from html import escape

import streamlit as st

from mnist_core.cluster import Job
from mnist_core.cost import in_time
from mnist_core.recipe_text import nearest_preset
from mnist_core.recipes import PRESETS, Recipe
from mnist_core.runs import Run
from pages.components import cached

Begin = Callable[[Recipe, str, str | None], None]
"""Starts a training: its recipe, the dataset, and perhaps the run with whose weights it begins."""

MORE_EPOCHS = 5
BESIDE = "classic-50-50"
"""The bundled run that a new one is compared with: the first recipe that one meets."""
BESIDE_HELP = (
    "The share of test digits that it reads right. The interval says how far chance alone can move such a figure: "
    "where "
    "two of them overlap widely, neither network is clearly better."
)


def show(job: Job, begin: Begin) -> None:
    """Show the finished run; `begin` starts another training, perhaps from a run's weights."""
    run = cached.all_runs().get(job.run or "")
    if run is None:
        return
    with st.container(key="outcome"):
        right = f"{run.metrics.test_accuracy:.2%} of {run.metrics.test_n:,} test digits right"
        st.html(f"<p>Kept as <b>{escape(run.name)}</b>: {right}.</p>")
        _actions(run, begin)
        _ways_to_runs(run)
        st.markdown("**Beside others**", help=BESIDE_HELP)
        st.html(_table(run))
        if run.dataset != "mnist":
            st.caption(
                "The others were tested on MNIST's 10,000 digits, this one on the built-in ones: not the same test."
            )


def _actions(run: Run, begin: Begin) -> None:
    used = st.session_state.get("run") == run.name
    training = run.recipe.training
    with st.container(horizontal=True, gap="small", key="outcome-actions"):
        st.button(
            "It answers on all pages now" if used else "Use this network now",
            key="outcome-use",
            type="primary",
            icon=":material/check:" if used else ":material/bolt:",
            disabled=used,
            help="Draw and Upload then ask this one.",
            on_click=_use,
            args=(run.name,),
        )
        st.button(
            f"Train {MORE_EPOCHS} more epochs",
            key="outcome-more",
            icon=":material/add:",
            help="Goes on with its weights, and keeps the result as a run of its own.",
            on_click=begin,
            args=(run.recipe.with_changes(epochs=MORE_EPOCHS), run.dataset, run.name),
        )
        st.button(
            "Again with another seed",
            key="outcome-seed",
            icon=":material/casino:",
            help="The same recipe with other first weights and another order: how much of the result was luck?",
            on_click=begin,
            args=(run.recipe.with_changes(seed=(training.seed + 1) % 2**31), run.dataset, None),
        )
        if used:
            st.page_link("pages/recognise/draw.py", label="Try it on Draw", icon=":material/draw:")


def _ways_to_runs(run: Run) -> None:
    """Where it can be looked at closer: by itself, and beside the first recipe."""
    ways = (
        ("Look at it on Runs", "manage_search", [run.name]),
        (f"Compare it with {BESIDE}", "compare_arrows", [run.name, BESIDE]),
    )
    with st.container(horizontal=True, gap="small", key="outcome-ways"):
        for label, icon, names in ways:
            chosen = [("runs", name) for name in names]
            st.page_link("pages/train/runs.py", label=label, icon=f":material/{icon}:", query_params=chosen)


def _use(name: str) -> None:
    st.session_state.run = name


def _table(run: Run) -> str:
    rows = [_row(run, "dl-this"), *(_row(one) for one in cached.all_runs().values() if one.origin == "bundled")]
    preset = PRESETS[nearest_preset(run.recipe)]
    rows += [
        f'<tr class="dl-published"><td>{escape(preset.name)}, published</td><td colspan="3">{escape(words)}</td></tr>'
        for words in preset.published
    ]
    heads = "".join(f"<th>{name}</th>" for name in ("Network", "Test digits right", "Weights", "Time"))
    return f'<div class="dl-beside"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _row(run: Run, kind: str = "") -> str:
    interval = run.metrics.test_interval
    cells = (
        escape(run.name),
        f"{run.metrics.test_accuracy:.2%} <span>({interval.low:.2%} to {interval.high:.2%})</span>",
        f"{run.parameters:,}",
        in_time(run.seconds),
    )
    return f'<tr class="{kind}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'

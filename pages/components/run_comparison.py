"""Two to four runs compared: what their recipes differ in, their curves, and the digits that only one of them read."""

from html import escape

import streamlit as st

from mnist_core import comparison, confusion, figures_metrics
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions
from mnist_core.runs import Run
from pages.components import cached, digits, run_one
from pages.components.evaluated import SOURCES, Evaluated

_INK = {"light": "#1e2432", "dark": "#e9eaee"}  # the themes' text colours


def show(runs: list[Run]) -> None:
    """Everything that two to four runs differ in."""
    st.header(" and ".join([", ".join(run.name for run in runs[:-1]), runs[-1].name]), anchor="compare")
    _table(runs)
    run_one.curves(runs)
    first, other = _pair(runs)
    st.header(f"{first.name} or {other.name}?", anchor="better")
    try:
        pair = comparison.same_digits([first, other])
    except DigitLabError as error:
        st.info(str(error), icon=":material/compare_arrows:")
        return
    _test(first, other, pair)
    _digits(first, other, pair)


def _table(runs: list[Run]) -> None:
    """Figures, and those settings of the recipes that differ."""
    figures = {
        "Accuracy": [f"<b>{run.metrics.test_accuracy:.2%}</b>" for run in runs],
        "95 % interval": [
            f"{run.metrics.test_interval.low:.2%} to {run.metrics.test_interval.high:.2%}" for run in runs
        ],
        "Loss": [f"{run.metrics.test_loss:.4f}" for run in runs],
        "Weights": [f"{run.parameters:,}" for run in runs],
        "Time": [f"{run.seconds:,.1f} s" for run in runs],
    }
    differences = {one.title: [escape(value) for value in one.values] for one in comparison.recipe_differences(runs)}
    heads = "".join(f'<th scope="col">{escape(run.name)}</th>' for run in runs)
    same = "" if differences else f'<tr><th colspan="{len(runs) + 1}">Their recipes are the same.</th></tr>'
    st.html(
        '<div class="dl-scroll"><table class="dl-table dl-compare">'
        f"<thead><tr><th></th>{heads}</tr></thead><tbody>{_lines(figures)}</tbody>"
        f'<tbody><tr><th class="dl-part" colspan="{len(runs) + 1}">What the recipes differ in</th></tr>'
        f"{_lines(differences)}{same}</tbody></table></div>"
    )


def _lines(rows: dict[str, list[str]]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(title)}</th>{"".join(f"<td>{value}</td>" for value in values)}</tr>'
        for title, values in rows.items()
    )


def _pair(runs: list[Run]) -> tuple[Run, Run]:
    """The two that are compared digit by digit: the first, and one of the others."""
    if len(runs) == 2:
        return runs[0], runs[1]
    names = [run.name for run in runs[1:]]
    name = st.segmented_control(
        f"Compare {runs[0].name} digit by digit with", names, default=names[0], required=True, key="runs-beside"
    )
    return runs[0], next(run for run in runs if run.name == name)


def _test(first: Run, other: Run, pair: list[Predictions]) -> None:
    """McNemar's test in words, and the difference of the confusion matrices."""
    test = comparison.mcnemar(pair[0].wrong, pair[1].wrong)
    with st.container(key="runs-test"):
        with st.container(key="runs-words"):
            st.markdown(
                test.sentence(f"**{first.name}**", f"**{other.name}**"),
                help=f"McNemar's exact test, p = {test.p_value:.3g}. Below {comparison.CHANCE:g} a difference is "
                "said to be hardly chance.",
            )
            st.html(
                '<table class="dl-table"><thead><tr><th>Test digits</th>'
                f"<th>{escape(other.name)} right</th><th>{escape(other.name)} wrong</th></tr></thead><tbody>"
                f"<tr><th>{escape(first.name)} right</th><td>{test.both_right:,}</td><td>{test.only_first:,}</td></tr>"
                f"<tr><th>{escape(first.name)} wrong</th><td>{test.only_second:,}</td><td>{test.both_wrong:,}</td></tr>"
                "</tbody></table>"
            )
        with st.container(key="runs-matrix", gap="xsmall"):
            st.caption(
                f"How many more or fewer digits {first.name} takes for another than {other.name}: written down the "
                "side, read along the top. Blue is better, orange is worse."
            )
            st.plotly_chart(
                figures_metrics.confusion_difference(
                    confusion.matrix(pair[0]),
                    confusion.matrix(pair[1]),
                    (None, None),
                    _INK.get(st.context.theme.type or ""),
                ),
                key=f"runs-difference-{first.name}-{other.name}",
                config=figures_metrics.config("difference"),
                alt=f"Difference of the confusion matrices of {first.name} and {other.name}",
            )


@st.fragment
def _digits(first: Run, other: Run, pair: list[Predictions]) -> None:
    """The test digits that one read and the other did not, with what the other took them for."""
    st.header("What only one of them reads", anchor="only-one")
    ways = {f"Only {first.name}": (0, 1), f"Only {other.name}": (1, 0)}
    chosen = st.segmented_control(
        "Read right by", list(ways), default=next(iter(ways)), required=True, key=f"only-{first.name}-{other.name}"
    )
    right, wrong = (pair[place] for place in ways[str(chosen)])
    rows = comparison.only_right(right, wrong)
    if not len(rows):
        st.caption(f"There is no test digit that {right.run} reads and {wrong.run} does not.")
        return
    st.caption(f"{len(rows):,} test digits, with what {wrong.run} took them for, its surest mistakes first.")
    source = SOURCES.get(first.dataset, first.dataset)
    found = Evaluated(first.dataset, source, (wrong,), cached.tested_on(first))
    digits.page_of(found, rows, f"only-{right.run}-{wrong.run}")

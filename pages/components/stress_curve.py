"""How many digits are still read right as a disturbance grows: measured in the background, drawn, said, taken away."""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core import figures_stress, stress_curves
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.figures_metrics import config
from mnist_core.runs import Run
from mnist_core.stress import DISTURBANCES, learned
from mnist_core.stress_curves import SIZES, USUAL_SIZE, Curve, Sample
from mnist_core.stress_work import Work
from pages.components import cached, owner
from pages.components.pictures import data_url

Float32 = npt.NDArray[np.float32]

_PROBLEM = "stress-problem"
_SHOWN = 9  # pictures below a curve
WAKING = "The networks are waking up. That takes a few seconds, once."


@st.fragment
def explore(runs: list[Run], dataset: Dataset, digit: Float32) -> None:
    """The curves of these runs over the disturbance that is chosen, and the digit at some of its strengths."""
    st.header("How much can they take?", anchor="curve")
    name, size = _choose(dataset)
    digits = cached.stress_sample(dataset.fingerprint, size, dataset)
    curves = [found for run in runs if (found := cached.stress_work().find(run, digits, name)) is not None]
    work = cached.stress_work().of(owner.name())
    if work is not None and not work.ended:
        _wait()
    elif len(curves) < len(runs):
        _offer(runs, digits, name, len(curves), work)
    if curves:
        _show(curves, runs, digit)


def _choose(dataset: Dataset) -> tuple[str, int]:
    n = len(dataset.test_labels)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="stress-choose"):
        name = st.selectbox(
            "What grows",
            list(DISTURBANCES),
            format_func=lambda one: DISTURBANCES[one].title,
            key="over",
            bind="query-params",
            filter_mode=None,
            width=220,
        )
        size = st.segmented_control(
            "Digits",
            [str(one) for one in SIZES],
            default=str(USUAL_SIZE),
            format_func=lambda one: f"{int(one):,}",
            key="digits",
            required=True,
            bind="query-params",
            help="How many are read at each strength, always the same ones. More take longer, and the curves are "
            "more exact." + (f" There are only {n:,} here." if n < USUAL_SIZE else ""),
        )
    st.caption(DISTURBANCES[str(name)].help)
    return str(name), int(str(size))


def _offer(runs: list[Run], digits: Sample, name: str, known: int, work: Work | None) -> None:
    """The button, and what came of it the last time."""
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(problem, icon=":material/error:")
    elif work is not None and work.state == "failed":
        st.error(work.message, icon=":material/error:")
    how, many = DISTURBANCES[name], len(digits)
    left = len(runs) - known
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stress-offer"):
        st.button(
            "Measure" if not known else "Measure the other" + ("s" if left > 1 else ""),
            key="stress-measure",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_begin,
            args=(runs, digits, name),
        )
        stopped = "Stopped. " if work is not None and work.state == "stopped" else ""
        st.markdown(
            f"{stopped}{left} {'network reads' if left == 1 else 'networks read'} {many:,} digits at "
            f"{len(how.strengths())} strengths, once; then it is kept.",
            width="content",
        )


def _begin(runs: list[Run], digits: Sample, name: str) -> None:
    asked = [(run, cached.recognizer(run.name, run.created)) for run in runs]
    try:
        cached.stress_work().start(owner.name(), asked, digits, name)
    except DigitLabError as error:
        st.session_state[_PROBLEM] = str(error)


@st.fragment(run_every=0.4)
def _wait() -> None:
    """Show how far it is, and run the page again when it ends."""
    work = cached.stress_work().of(owner.name())
    if work is None or work.ended:
        st.rerun(scope="app")
    how = DISTURBANCES[work.disturbance]
    words = f"{how.title}: {work.done:,} of {work.total:,} digits read" if work.done else WAKING
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stress-progress"):
        st.progress(min(1.0, work.done / max(1, work.total)), words)
        st.button("Cancel", key="stress-cancel", icon=":material/stop:", on_click=_cancel)


def _cancel() -> None:
    cached.stress_work().stop(owner.name())


def _show(curves: Sequence[Curve], runs: list[Run], digit: Float32) -> None:
    by_name = {run.name: run for run in runs}
    recipes = [by_name[one.run].recipe for one in curves]
    how = DISTURBANCES[curves[0].disturbance]
    seen = [learned(one.training.distortion, how.name) or 0.0 for one in recipes]
    st.plotly_chart(
        figures_stress.stress_curves(curves, max(seen)),
        key="stress-chart",
        config=config(f"stress-{how.name}"),
        alt=f"Share of digits read right over the strength: {how.title}",
    )
    st.html(_strip(digit, curves[0]))
    first, *others = stress_curves.sentences(curves, recipes)
    st.html(
        f'<div class="dl-shows" role="status"><p class="dl-sentence">{escape(first)}</p>'
        + "".join(f"<p>{escape(one)}</p>" for one in others)
        + "</div>"
    )
    shaded = " Shaded: how far digits went while the networks learned." if max(seen) else ""
    st.caption(
        f"Measured with {curves[0].n:,} digits. Point at the curves for numbers and their 95 % intervals.{shaded} The "
        "camera at the upper right saves the picture as PNG."
    )
    _take_away(curves)


def _strip(digit: Float32, curve: Curve) -> str:
    """The chosen digit at some of the strengths, from one end of the curve to the other."""
    how = DISTURBANCES[curve.disturbance]
    places = np.linspace(0, len(curve.strengths) - 1, _SHOWN).round().astype(int)
    pictures = "".join(
        f'<figure><img class="dl-pixels" src="{data_url(how.apply(digit[None], strength)[0], 28)}" alt="">'
        f"<figcaption>{escape(how.write(strength))}</figcaption></figure>"
        for strength in map(float, curve.strengths[places])
    )
    return f'<div class="dl-strip" role="img" aria-label="The digit at these strengths">{pictures}</div>'


def _take_away(curves: Sequence[Curve]) -> None:
    name = f"stress-{curves[0].disturbance}-{curves[0].dataset}"
    files = (
        ("Curves, CSV", "csv", "text/csv", lambda: stress_curves.as_csv(curves)),
        ("Curves, JSON", "json", "application/json", lambda: stress_curves.as_json(curves)),
    )
    with st.container(horizontal=True, gap="small", key="stress-files"):
        for label, ending, kind, write in files:
            st.download_button(
                label, write, f"{name}.{ending}", kind, key=f"stress-{ending}", icon=":material/download:",
                on_click="ignore",
            )  # fmt: skip

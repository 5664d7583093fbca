"""Sliders that disturb one digit, and what each network says to it, live."""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.evaluation import in_percent
from mnist_core.recognizer import Recognizer
from mnist_core.runs import Run
from mnist_core.stress import DISTURBANCES, MORE, SIMPLE, Disturbance, disturb
from mnist_core.wording import a_digit
from pages.components import answer
from pages.components.pictures import data_url

Float32 = npt.NDArray[np.float32]

_SIDE = 28


@st.fragment
def explore(digit: Float32, label: int | None, whose: str, runs: list[Run]) -> None:
    """All that changes with a slider.

    Parameters
    ----------
    digit
        ``float32 (28, 28)``.
    label
        What it is, if that is known.
    whose
        What it is called.
    runs
        Whose answers are shown.
    """
    with st.container(key="stress-board"):
        with st.container(key="stress-sliders", gap="xsmall"):
            _sliders()
        with st.container(key="stress-seen", gap="small"):
            changed = disturb(digit[None], strengths())[0]
            _pictures(digit, changed, whose)
            networks = answer.recognizers(runs)
            if networks is None:
                answer.wait(runs)
            else:
                _answers(networks, changed, label)


def strengths() -> dict[str, float]:
    """What the sliders say; the browser may have sent anything, so it is checked where it is used."""
    return {name: float(st.session_state.get(name, how.neutral)) for name, how in DISTURBANCES.items()}


def _changed() -> list[str]:
    return [name for name, strength in strengths().items() if strength != DISTURBANCES[name].neutral]


def _sliders() -> None:
    st.subheader("Disturb it", anchor=False)
    for how in SIMPLE:
        _slider(how)
    # Open if a link has set one of them.
    opened = st.session_state.setdefault("stress-more-open", any(one.name in st.query_params for one in MORE))
    with st.expander("More", expanded=opened, icon=":material/tune:", key="stress-more"):
        for how in MORE:
            _slider(how)
    st.button(
        "Set all back", key="stress-back", icon=":material/restart_alt:", disabled=not _changed(), on_click=_set_back,
        args=(list(DISTURBANCES),),
    )  # fmt: skip


def _slider(how: Disturbance) -> None:
    kind = float if how.step < 1 else int
    unit = {"°": "°", "%": " %%", "pixels": " px"}[how.unit]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key=f"stress-row-{how.name}"):
        st.slider(
            how.title, kind(how.low), kind(how.high), kind(how.neutral), kind(how.step), key=how.name, help=how.help,
            format=("%.2f" if kind is float else "%d") + unit, bind="query-params",
        )  # fmt: skip
        st.button(
            f"Set {how.title} back",
            key=f"back-{how.name}",
            icon=":material/restart_alt:",
            type="tertiary",
            disabled=how.name not in _changed(),
            on_click=_set_back,
            args=([how.name],),
        )


def _set_back(names: list[str]) -> None:
    for name in names:
        how = DISTURBANCES[name]
        st.session_state[name] = float(how.neutral) if how.step < 1 else int(how.neutral)


def _pictures(digit: Float32, changed: Float32, whose: str) -> None:
    how = [f"{DISTURBANCES[name].title.lower()} {DISTURBANCES[name].write(strengths()[name])}" for name in _changed()]
    words = ", ".join(how) or "as it is: move a slider"
    st.html(
        '<div class="dl-pair">'
        + _picture(digit, whose, "as it is")
        + _picture(changed, "Disturbed", words)
        + f'</div><p class="dl-quiet" role="status">{escape(words[0].upper() + words[1:])}.</p>'
    )


def _picture(image: Float32, title: str, words: str) -> str:
    alternative = escape(f"{title}, {words}")
    return (
        f'<figure><img class="dl-pixels" src="{data_url(image, _SIDE)}" alt="{alternative}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )


def _answers(networks: Sequence[Recognizer], changed: Float32, label: int | None) -> None:
    """Each network's answer with its ten probabilities, and how many of them are right."""
    answers = [(one.run, one.probabilities(changed[None])[0]) for one in networks]
    cards = "".join(_card(run, probabilities, label) for run, probabilities in answers)
    st.html(f'<p class="dl-sentence" role="status">{_count(answers, label)}</p><div class="dl-answers">{cards}</div>')


def _count(answers: Sequence[tuple[Run, Float32]], label: int | None) -> str:
    said = [int(one.argmax()) for _, one in answers]
    if label is not None:
        right = sum(one == label for one in said)
        return f"{right} of {len(said)} {'reads' if right == 1 else 'read'} it as {a_digit(label)}."
    if len(said) == 1:
        return f"Read as {a_digit(said[0])}."
    return f"All read {a_digit(said[0])}." if len(set(said)) == 1 else "They do not agree."


def _card(run: Run, probabilities: Float32, label: int | None) -> str:
    said, sure = int(probabilities.argmax()), float(probabilities.max())
    accepted = sure >= run.calibration.least_probability
    kind, mark = _mark(said, label, accepted)
    bars = "".join(
        f'<i class="{"dl-most" if digit == said else ""}" style="--share:{100 * float(share):.1f}%"><b>{digit}</b></i>'
        for digit, share in enumerate(probabilities)
    )
    shares = ", ".join(f"{digit}: {float(share):.1%}" for digit, share in enumerate(probabilities))
    return (
        f'<section class="dl-said"><h3>{escape(run.name)}</h3>'
        f'<p class="{kind}"><strong>{said}</strong><span>{mark}<br><small>{in_percent(sure)} sure</small></span></p>'
        f'<div class="dl-bars" role="img" aria-label="Probability of each digit. {shares}.">{bars}</div></section>'
    )


def _mark(said: int, label: int | None, accepted: bool) -> tuple[str, str]:
    """A class and a word: right, wrong, or only a guess."""
    guess = "" if accepted else ", a guess"
    if label is None:
        return ("dl-unmarked", "a guess" if guess else "its answer")
    if said == label:
        return "dl-right", f"\N{CHECK MARK} right{guess}"
    return "dl-wrong", f"\N{MULTIPLICATION X} wrong{guess}"

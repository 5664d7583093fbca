"""What a network says about one digit: large, in words, and as ten bars."""

import json
from concurrent import futures
from html import escape

import streamlit as st

from mnist_core import figures
from mnist_core.errors import DigitLabError
from mnist_core.images import encode_png
from mnist_core.preprocess import Prepared
from mnist_core.recognizer import Recognition, Recognizer
from mnist_core.runs import Run
from mnist_core.wording import share
from pages.components import cached
from pages.components.pictures import as_bytes

SOFTMAX = (
    "The ten numbers add up to 100 %. The network gives each digit a score, and **softmax** turns the scores into "
    "shares. A large share says that the others fit worse, not that the answer is right."
)


def recognizers(runs: list[Run]) -> list[Recognizer] | None:
    """The networks of these runs; None while one of them is still loading.

    Whoever gets None puts `wait` on the page, which runs it again when all are there.
    """
    loading = _futures(runs)
    if futures.wait(loading, timeout=_SOON).not_done:
        return None
    return [found for run, future in zip(runs, loading, strict=True) if (found := _result(run, future))]


_SOON = 0.5  # seconds, in which a dense network is there


@st.fragment(run_every=0.3)
def wait(runs: list[Run]) -> None:
    """Say that a network is loading, and run the page again when it has."""
    if all(future.done() for future in _futures(runs)):
        st.rerun(scope="app")
    st.html(
        '<p class="dl-waiting" role="status"><span class="dl-pulse"></span>'
        "The network is waking up. That takes a few seconds, once.</p>"
    )


def _futures(runs: list[Run]) -> "list[futures.Future[Recognizer]]":
    return [cached.recognizer(run.name, run.created) for run in runs]


def _result(run: Run, future: "futures.Future[Recognizer]") -> Recognizer | None:
    if future.exception() is not None:
        cached.recognizer.clear(run.name, run.created)  # it may be mended before the next try
    try:
        return future.result()
    except DigitLabError as error:
        st.error(str(error), icon=":material/heart_broken:")
        return None


def show(recognition: Recognition, key: str, name: str = "") -> None:
    """Show one answer; `name` tells whose it is where two stand side by side."""
    if not name:
        st.html(f'<div class="dl-answer" role="status">{_digit(recognition)}<div>{_words(recognition)}</div></div>')
        _bars(recognition, key)
        return
    # The bars before the words, which are of different length, so that those of two networks stay level.
    st.html(f'<p class="dl-whose">{escape(name)}</p>{_digit(recognition)}')
    _bars(recognition, key)
    st.html(f'<div role="status">{_words(recognition)}</div>')


def nothing(title: str, text: str) -> None:
    """Keep the answer's place while there is none."""
    st.html(
        f'<div class="dl-answer" role="status"><div class="dl-digit dl-none" aria-hidden="true">?</div>'
        f'<div><p class="dl-sentence">{escape(title)}</p><p class="dl-quiet">{escape(text)}</p></div></div>'
    )


def _digit(recognition: Recognition) -> str:
    digit = "?" if recognition.digit is None else str(recognition.digit)
    kind = "dl-none" if recognition.digit is None else "" if recognition.accepted else "dl-guess"
    return f'<div class="dl-digit {kind}" aria-hidden="true">{digit}</div>'


def _words(recognition: Recognition) -> str:
    remarks = [escape(_reason(recognition))]
    if recognition.runner_up is not None and recognition.says_a_digit:
        amount = share(float(recognition.probabilities[recognition.runner_up]))
        remarks.append(f"Runner-up: <b>{recognition.runner_up}</b>, {amount}")
    remarks += [escape(hint) for hint in recognition.prepared.hints]
    lines = "".join(f"<p>{remark}</p>" for remark in remarks)
    return f'<p class="dl-sentence">{escape(recognition.sentence)}</p><div class="dl-quiet">{lines}</div>'


def _reason(recognition: Recognition) -> str:
    """Why; without a digit the sentence above it says already that none was found."""
    if recognition.digit is not None:
        return recognition.reason
    why = recognition.reason.removeprefix("No digit found: ")
    return why[:1].upper() + why[1:]


def _bars(recognition: Recognition, key: str) -> None:
    if recognition.digit is None:
        return
    st.caption("Probability of each digit", help=SOFTMAX)
    st.plotly_chart(
        figures.probability_bars(recognition.probabilities, recognition.accepted),
        key=f"{key}-bars",
        config={"displayModeBar": False},
        alt=_alternative(recognition),
    )


def _alternative(recognition: Recognition) -> str:
    shares = ", ".join(f"{digit}: {share:.1%}" for digit, share in enumerate(recognition.probabilities))
    return f"Probability of each digit. {shares}."


def downloads(prepared: Prepared, recognitions: list[tuple[Run, Recognition]], key: str) -> None:
    """Offer the 28x28 digit and the answers to take away."""
    if prepared.digit is None:
        return
    with st.container(horizontal=True, gap="small", key=f"{key}-downloads"):
        st.download_button(
            "Digit, 28 by 28",
            encode_png(as_bytes(prepared.digit)),
            "digit.png",
            "image/png",
            key=f"{key}-png",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="The small picture that the network sees, as PNG.",
        )
        if recognitions:
            st.download_button(
                "Answer",
                json.dumps([as_json(run, recognition) for run, recognition in recognitions], indent=1),
                "answer.json",
                "application/json",
                key=f"{key}-json",
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
                help="Digit, probabilities and the reason, as JSON.",
            )


def as_json(run: Run, recognition: Recognition) -> dict[str, object]:
    """The answer as plain values, with the names that the command line gives them."""
    return {
        "run": run.name,
        "digit": recognition.digit,
        "probability": round(recognition.probability, 6),
        "probabilities": [round(float(value), 6) for value in recognition.probabilities],
        "accepted": recognition.accepted,
        "reason": recognition.reason,
    }

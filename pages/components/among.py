"""A drawing among the test digits: those most like it, its cell of the confusion matrix, and a map."""

import hashlib
from html import escape

import streamlit as st

from mnist_core import among, figures_among
from mnist_core.errors import DigitLabError
from mnist_core.explain import Neighbour
from mnist_core.predictions import Predictions
from mnist_core.recognizer import Recognition, Recognizer
from mnist_core.wording import a_digit
from pages.components import cached, evaluated, nearest
from pages.components.cached import TestDigits, Work
from pages.components.pictures import data_url

COUNT = 8
_PAPER = {"light": "#fdfcf9", "dark": "#14161b"}
WHAT_THE_MAP_IS = (
    "The outputs of the network's last hidden layer are hundreds of numbers for each digit. The map shows them along "
    "the two directions in which the test digits differ most (the first two principal components). Digits that the "
    "network finds alike lie close together; some groups that overlap here are apart in the directions that a flat "
    "map cannot show."
)


def show(recognition: Recognition, recognizer: Recognizer, key: str) -> None:
    """Offer the test digits that look like a drawing; all of it is worked out when it is opened."""
    if recognition.prepared.digit is None:
        return
    part = st.expander(
        "Others that look like yours, among the test digits",
        icon=":material/scatter_plot:",
        key=f"{key}-among",
        on_change="rerun",
    )
    if part.open:
        with part:
            _among(recognition, recognizer, key)


@st.fragment
def _among(recognition: Recognition, recognizer: Recognizer, key: str) -> None:
    dataset = nearest.dataset()
    try:
        answers = evaluated.ask(recognizer.run, dataset.name, dataset)
        if isinstance(answers, DigitLabError):
            raise answers
        work = cached.test_digits(recognizer, dataset)
        waiting = [one for one in (work, answers) if isinstance(one, Work) and not one.future.done()]
        if waiting:
            evaluated.wait(waiting, "test digits looked at", "The network looks at the test digits, once.")
            return
        digits = work.future.result()
        predictions = answers.future.result() if isinstance(answers, Work) else answers
    except DigitLabError as error:
        st.error(str(error), icon=":material/broken_image:")
        return
    features = recognizer.features(recognition.prepared.digit[None])[0]
    with st.container(key=f"{key}-among-board"):
        with st.container(key=f"{key}-among-words"):
            _likest(digits.gallery.nearest(features, COUNT), predictions)
            _cell(recognition, predictions, dataset.name, key)
        with st.container(key=f"{key}-among-map", gap="xsmall"):
            _map(digits, predictions, digits.landscape.place(features), key)


def _likest(neighbours: tuple[Neighbour, ...], predictions: Predictions) -> None:
    cards = "".join(_card(one, predictions) for one in neighbours)
    st.html(
        f'<p role="status">{escape(among.neighbours_in_words(neighbours, predictions))}</p>'
        f'<div class="dl-digits" role="list" aria-label="The test digits most like yours, nearest first">{cards}</div>'
    )
    whose = (
        "MNIST's test set, which no network here learned from."
        if predictions.dataset == "mnist"
        else "The built-in digits (UCI optdigits), because MNIST is not on this machine. They are coarser than yours."
    )
    st.caption(whose)


def _card(one: Neighbour, predictions: Predictions) -> str:
    read = int(predictions.predicted[one.row])
    kind, word = ("dl-right", "right") if read == one.label else ("dl-wrong", f"as {read}")
    what = a_digit(one.label).capitalize()
    title = f"{what}, test digit number {one.row:,}, read as {read}, at distance {one.distance:.1f}"
    return (
        f'<div role="listitem" title="{escape(title)}"><img class="dl-pixels" src="{data_url(one.image, 28)}" '
        f'alt="{escape(title)}"><span class="{kind}">{one.label}, <b>{word}</b></span></div>'
    )


def _cell(recognition: Recognition, predictions: Predictions, source: str, key: str) -> None:
    """Ask what the drawing was meant to be, and show the way to its cell of the matrix."""
    assert recognition.prepared.digit is not None
    read = int(recognition.digit or 0)
    drawing = hashlib.sha256(recognition.prepared.digit.tobytes()).hexdigest()[:12]
    meant = st.segmented_control(
        "Which digit did you mean?",
        list(range(10)),
        default=read if recognition.says_a_digit else None,
        key=f"{key}-meant-{drawing}-{read}",
        required=recognition.says_a_digit,
        width="stretch",
    )
    if meant is None:
        st.caption(f"The network takes it for none; {a_digit(read)} is its closest guess. Choose one to see its cell.")
        return
    true = int(meant)
    st.markdown(f"Yours belongs to the cell **{true} read as {read}**. {among.cell_in_words(predictions, true, read)}")
    run, data = predictions.run, evaluated.SOURCES[source]
    cell = {"run": run, "data": data, "true": str(true), "read": str(read)}
    which = "Right" if true == read else "Read wrong"
    with st.container(horizontal=True, gap="small"):
        st.page_link(
            "pages/understand/metrics.py", label="Its cell of the matrix", icon=":material/grid_on:", query_params=cell
        )
        st.page_link(
            "pages/understand/mistakes.py",
            label="The digits in it",
            icon=":material/zoom_in:",
            query_params=cell | {"which": which},
        )


def _map(digits: TestDigits, predictions: Predictions, yours: tuple[float, float], key: str) -> None:
    n = len(digits.landscape.rows)
    st.plotly_chart(
        figures_among.landscape(
            digits.landscape, predictions, yours, _PAPER.get(st.context.theme.type or "", _PAPER["light"])
        ),
        key=f"{key}-map",
        config={"displayModeBar": False},
        alt=f"A map of {n:,} test digits with your drawing among them",
    )
    st.caption(
        f"{n:,} test digits as {predictions.run} sees them: what it finds alike lies close together.",
        help=WHAT_THE_MAP_IS,
    )

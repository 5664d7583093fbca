"""The training digits that a network finds most like a digit."""

from html import escape

import streamlit as st

from mnist_core import data, explain
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.explain import Gallery, Neighbour
from mnist_core.recognizer import Recognition, Recognizer
from mnist_core.wording import a_digit
from pages.components import cached
from pages.components.cached import Work
from pages.components.pictures import data_url

COUNT = 8
HELP = (
    "The network turns every digit into a list of numbers, the outputs of its last hidden layer, before it decides. "
    "These are the digits to learn from whose numbers are nearest to those of the digit here."
)


def show(recognition: Recognition, recognizer: Recognizer, key: str) -> None:
    """Offer the training digits nearest to a digit; shown at once where it was refused.

    They are worked out when the part is opened, with a bar the first time.
    """
    if recognition.prepared.digit is None:
        return
    refused = not recognition.accepted
    part = st.expander(
        "Why not? The digits most like yours" if refused else "The digits most like yours",
        expanded=refused,
        icon=":material/image_search:",
        key=f"{key}-nearest-{'refused' if refused else 'accepted'}",
        on_change="rerun",
    )
    if part.open:
        with part:
            _nearest(recognition, recognizer)


def _nearest(recognition: Recognition, recognizer: Recognizer) -> None:
    try:
        work = cached.gathering(recognizer, dataset())
        if not work.future.done():
            wait(work)
            return
        gallery = work.future.result()
    except DigitLabError as error:
        st.error(str(error), icon=":material/broken_image:")
        return
    neighbours = gallery.nearest(recognizer.features(recognition.prepared.digit[None])[0], COUNT)
    reason = "" if recognition.accepted else f"{escape(recognition.reason)} "
    cards = "".join(card(one) for one in neighbours)
    st.html(
        f"<p>{reason}{escape(explain.in_words(neighbours))}</p>"
        f'<div class="dl-digits" role="list" aria-label="The digits most like yours, nearest first">{cards}</div>'
    )
    st.caption(whose(gallery), help=HELP)


def dataset() -> Dataset:
    """MNIST where it is on this machine, else the built-in digits."""
    if data.has_mnist():
        try:
            return cached.dataset("mnist")
        except DigitLabError:  # damaged: Metrics says so
            pass
    return cached.dataset("builtin")


def whose(gallery: Gallery) -> str:
    """Say whose digits they are."""
    n = len(gallery.rows)
    if gallery.dataset.name == "mnist":
        return f"The nearest of {n:,} digits of MNIST's training set."
    return (
        f"The nearest of {n:,} built-in digits (UCI optdigits), because MNIST is not on this machine. They are coarser "
        "than MNIST's, and the network may have learned from others."
    )


def card(one: Neighbour) -> str:
    """A training digit as a list item."""
    title = f"{a_digit(one.label).capitalize()}, training digit number {one.row:,}, at distance {one.distance:.1f}"
    return (
        f'<div role="listitem" title="{escape(title)}"><img class="dl-pixels" src="{data_url(one.image, 28)}" '
        f'alt="{escape(title)}"><b>{one.label}</b></div>'
    )


@st.fragment(run_every=0.5)
def wait(work: Work[Gallery]) -> None:
    """Show how far the network is with the training digits, and run the page again when it is done."""
    if work.future.done():
        st.rerun(scope="app")
    st.progress(
        min(1.0, work.done / work.total),
        f"The network looks at {work.total:,} training digits, once: {work.done:,} done.",
    )

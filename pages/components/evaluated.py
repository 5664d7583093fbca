"""Which digits a network is measured on, and its answers to all of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core import data
from mnist_core.data import MNIST_FINGERPRINT, Dataset
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions
from mnist_core.runs import Run
from pages.components import cached
from pages.components.cached import Evaluation

UInt8 = npt.NDArray[np.uint8]

MNIST, BUILTIN = "mnist", "builtin"
SOURCES = {MNIST: "MNIST's test set", BUILTIN: "Built-in digits"}
WHAT_THEY_ARE = {
    MNIST: "10,000 handwritten digits that no network here saw while it learned.",
    BUILTIN: (
        "359 real digits of 43 people, which come with this program (UCI optdigits, a fifth of them). They were "
        "stored as 8 by 8 cells and are enlarged, so they are coarser than MNIST's and harder for networks that "
        "learned from MNIST."
    ),
}


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the chosen networks say of every digit of a dataset.

    Attributes
    ----------
    source, title
        The dataset, for the program and for people.
    predictions
        One for each chosen run, in their order; all have the same labels.
    images
        ``uint8 (n, 28, 28)``; None where MNIST is not on this machine.
    """

    source: str
    title: str
    predictions: tuple[Predictions, ...]
    images: UInt8 | None


def choose() -> str:
    """Let the dataset be chosen."""
    source = st.segmented_control(
        "Measured on",
        list(SOURCES),
        default=MNIST,
        format_func=SOURCES.__getitem__,
        key="data",
        required=True,
        bind="query-params",
    )
    st.caption(WHAT_THEY_ARE[source])
    return str(source)


def evaluate(runs: list[Run], source: str) -> Evaluated | None:
    """What these runs say of the dataset's digits; None, and a word on the page, while or where there is nothing.

    The page runs again by itself when the answers are there.
    """
    dataset = _dataset(source)
    works = [_work(run, source, dataset) for run in runs]
    waiting = [work for work in works if isinstance(work, Evaluation)]
    if any(not work.future.done() for work in waiting):
        wait(waiting)
        return None
    found = [prediction for run, work in zip(runs, works, strict=True) if (prediction := _result(run, work, dataset))]
    if not found:
        return None
    return Evaluated(source, SOURCES[source], tuple(found), None if dataset is None else dataset.test_images)


def _dataset(source: str) -> Dataset | None:
    """The dataset; None where MNIST is not here, and a word on the page where it cannot be used."""
    if source == MNIST and not any(place.found for place in data.mnist_places()):
        return None
    try:
        return cached.dataset(source)
    except DigitLabError as error:
        st.warning(str(error), icon=":material/broken_image:")
        return None


def _work(run: Run, source: str, dataset: Dataset | None) -> "Predictions | Evaluation | DigitLabError":
    own = MNIST_FINGERPRINT if source == MNIST else dataset.fingerprint if dataset is not None else ""
    try:
        if run.fingerprint == own:
            return cached.stored_predictions(run.name, run.created, source, run)
        if dataset is None:
            return DigitLabError(f"{run.name} has never seen MNIST's test digits. Get MNIST to measure it on them.")
        return cached.evaluation(run.name, run.created, dataset.fingerprint, run, dataset)
    except DigitLabError as error:
        return error


def _result(run: Run, work: "Predictions | Evaluation | DigitLabError", dataset: Dataset | None) -> Predictions | None:
    try:
        if isinstance(work, DigitLabError):
            raise work
        return work.future.result() if isinstance(work, Evaluation) else work
    except DigitLabError as error:
        if dataset is not None:  # it may be mended before the next try
            cached.evaluation.clear(run.name, run.created, dataset.fingerprint)
            cached.recognizer.clear(run.name, run.created)
        st.error(str(error), icon=":material/heart_broken:")
        if dataset is None:
            get_mnist(f"get-{run.name}")
        return None


@st.fragment(run_every=0.3)
def wait(works: list[Evaluation]) -> None:
    """Show how far the networks are, and run the page again when they are done."""
    if all(work.future.done() for work in works):
        st.rerun(scope="app")
    done, total = sum(work.done for work in works), sum(work.total for work in works)
    words = (
        f"{done:,} of {total:,} digits read" if done else "The network is waking up. That takes a few seconds, once."
    )
    st.progress(min(1.0, done / total), words)


def get_mnist(key: str) -> None:
    """Offer to download MNIST, with a bar; the page runs again when it is there."""
    if not st.button("Get MNIST (11 MB)", key=key, icon=":material/download:", type="primary"):
        return
    bar = st.progress(0.0, "Asking for MNIST")
    try:
        data.download_mnist(
            lambda done, total: bar.progress(min(1.0, done / total), f"{done / 1e6:.1f} of {total / 1e6:.1f} MB")
        )
    except DigitLabError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    st.rerun(scope="app")

"""Which digits a network is measured on, and its answers to all of them."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core import data, labelled
from mnist_core.data import MNIST_FINGERPRINT, Dataset
from mnist_core.errors import DigitLabError
from mnist_core.predictions import Predictions
from mnist_core.runs import Run
from mnist_core.traits import Traits
from pages.components import cached, reading
from pages.components.cached import Work

UInt8 = npt.NDArray[np.uint8]

MNIST, BUILTIN, OWN = "mnist", "builtin", "own"
SOURCES = {MNIST: "MNIST's test set", BUILTIN: "Built-in digits", OWN: "Your own"}
WHAT_THEY_ARE = {
    MNIST: "10,000 handwritten digits that no network here saw while it learned.",
    BUILTIN: (
        "359 real digits of 43 people, which come with this program (UCI optdigits, a fifth of them). They were "
        "stored as 8 by 8 cells and are enlarged, so they are coarser than MNIST's and harder for networks that "
        "learned from MNIST."
    ),
    OWN: labelled.HOW,
}
WAKING = "The network is waking up. That takes a few seconds, once."


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the chosen networks say of every digit of a dataset.

    Attributes
    ----------
    source, title
        The dataset, for the program and for people.
    predictions
        One for each chosen run, in their order; all have the same labels.
    digits
        The dataset with its pictures; None where MNIST is not on this machine.
    """

    source: str
    title: str
    predictions: tuple[Predictions, ...]
    digits: Dataset | None

    @property
    def images(self) -> UInt8 | None:
        """``uint8 (n, 28, 28)``; None where there are none."""
        return None if self.digits is None else self.digits.test_images

    @property
    def traits(self) -> Traits | None:
        """How the digits are written; None where there are no pictures."""
        return None if self.digits is None else cached.traits_of(self.digits.fingerprint, self.digits)


def choose(with_pictures: bool = False) -> str:
    """Let the dataset be chosen; where only pictures will do, those that `pictures` gives are described."""
    source = st.segmented_control(
        "Measured on",
        list(SOURCES),
        default=MNIST,
        format_func=SOURCES.__getitem__,
        key="data",
        required=True,
        bind="query-params",
    )
    st.caption(WHAT_THEY_ARE[BUILTIN if with_pictures and source == MNIST and not data.has_mnist() else source])
    return str(source)


def evaluate(runs: list[Run], source: str) -> Evaluated | None:
    """What these runs say of the dataset's digits; None, and a word on the page, while or where there is nothing.

    The page runs again by itself when the answers are there.
    """
    dataset = _dataset(source)
    if dataset is None and source != MNIST:
        return None
    works = [ask(run, source, dataset) for run in runs]
    waiting = [work for work in works if isinstance(work, Work)]
    if any(not work.future.done() for work in waiting):
        wait(waiting)
        return None
    found = [prediction for run, work in zip(runs, works, strict=True) if (prediction := _result(run, work, dataset))]
    if not found:
        return None
    return Evaluated(source, SOURCES[source], tuple(found), dataset)


def evaluate_quietly(runs: list[Run], found: Evaluated) -> list[Predictions] | None:
    """What these runs say of the same digits, without those that cannot; None, and a bar, while they are asked."""
    works = [ask(run, found.source, found.digits) for run in runs]
    waiting = [work for work in works if isinstance(work, Work) and not work.future.done()]
    if waiting:
        wait(waiting)
        return None
    done = [work.future for work in works if isinstance(work, Work)]
    asked = [future.result() for future in done if future.exception() is None]
    return [work for work in works if isinstance(work, Predictions)] + asked


def _dataset(source: str) -> Dataset | None:
    """The dataset; None where MNIST is not here, and a word on the page where it cannot be used."""
    if source == MNIST and not data.has_mnist():
        return None
    try:
        return _own() if source == OWN else cached.dataset(source)
    except DigitLabError as error:
        st.warning(str(error), icon=":material/broken_image:")
        return None


def pictures(source: str) -> Dataset | None:
    """The dataset with its pictures; the built-in digits stand in for MNIST where that is not on this machine.

    None, and a word on the page, where a person has brought no pictures yet.
    """
    dataset = _dataset(source)
    if dataset is not None:
        return dataset
    if source != MNIST:
        st.info("Bring your pictures, or choose other digits above.", icon=":material/folder_zip:")
        return None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="no-mnist"):
        st.markdown("MNIST is not on this machine: these are the **built-in digits**.", width="content")
        get_mnist("get-pictures")
    return cached.dataset(BUILTIN)


def _own() -> Dataset | None:
    """The pictures that a person brings; None while there are none."""
    file = st.file_uploader("Your labelled pictures", type="zip", key="own")
    if file is None:
        return None
    brought = reading.Brought(file.file_id, file.name, file.getvalue())
    work = cached.own_digits(brought.digest, brought.name, brought.data)
    if not work.future.done():
        wait([work], "pictures prepared", "Opening the archive")
        return None
    found = work.future.result()
    if found.left_out:
        n = len(found.left_out)
        with st.expander(f"{n:,} {'file' if n == 1 else 'files'} could not be used", icon=":material/broken_image:"):
            st.text("\n".join(found.left_out[:100]))
    return found.dataset


Answers: TypeAlias = "Predictions | Work[Predictions] | DigitLabError"


def ask(run: Run, source: str, dataset: Dataset | None) -> Answers:
    """A run's answers to a dataset's test digits, or the work that finds them, or why there are none."""
    own = MNIST_FINGERPRINT if source == MNIST else dataset.fingerprint if dataset is not None else ""
    try:
        if run.fingerprint == own:
            return cached.stored_predictions(run.name, run.created, source, run)
        if dataset is None:
            return DigitLabError(f"{run.name} has never seen MNIST's test digits. Get MNIST to measure it on them.")
        return cached.evaluation(run.name, run.created, dataset.fingerprint, run, dataset)
    except DigitLabError as error:
        return error


def _result(
    run: Run, work: "Predictions | Work[Predictions] | DigitLabError", dataset: Dataset | None
) -> Predictions | None:
    try:
        if isinstance(work, DigitLabError):
            raise work
        return work.future.result() if isinstance(work, Work) else work
    except DigitLabError as error:
        if dataset is not None:  # it may be mended before the next try
            cached.evaluation.clear(run.name, run.created, dataset.fingerprint)
            cached.recognizer.clear(run.name, run.created)
        st.error(str(error), icon=":material/heart_broken:")
        if dataset is None:
            get_mnist(f"get-{run.name}")
        return None


@st.fragment(run_every=0.3)
def wait(works: list[Work[Any]], doing: str = "digits read", start: str = WAKING) -> None:
    """Show how far it is, and run the page again when it is done."""
    if all(work.future.done() for work in works):
        st.rerun(scope="app")
    done, total = sum(work.done for work in works), sum(work.total for work in works)
    st.progress(min(1.0, done / total), f"{done:,} of {total:,} {doing}" if done else start)


def no_pictures(key: str) -> None:
    """Say that this cannot go without pictures, and offer both ways to some."""
    st.info(
        "This needs pictures, and MNIST's are not on this machine. The built-in digits are.", icon=":material/image:"
    )
    with st.container(horizontal=True, gap="small", key=f"{key}-ways"):
        st.button("Take the built-in digits", key=f"{key}-builtin", icon=":material/grid_view:", on_click=_take_builtin)
        get_mnist(key)


def _take_builtin() -> None:
    st.session_state["data"] = BUILTIN


def get_mnist(key: str, kind: Literal["primary", "secondary"] = "primary") -> None:
    """Offer to download MNIST, with a bar; the page runs again when it is there."""
    if not st.button("Get MNIST (11 MB)", key=key, icon=":material/download:", type=kind):
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

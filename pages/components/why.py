"""Why a network says what it says of one digit of a dataset: what speaks for it, what is near it, what goes on inside.

Each part is worked out when it is opened, and stays open from digit to digit.
"""

from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core import activity, evidence
from mnist_core.errors import DigitLabError
from mnist_core.recognizer import Recognizer
from mnist_core.wording import a_digit
from pages.components import answer, cached, nearest
from pages.components.evaluated import Evaluated
from pages.components.pictures import data_url

Float32 = npt.NDArray[np.float32]

_NEAREST = 4
HOW = (
    "The picture fades in from black, and at every step one asks how much a little more of each pixel would change "
    "the two scores. All of that added up is what the pixel says (integrated gradients, 2017). Together the pixels "
    "make up the difference of the scores; paper without ink says nothing."
)
TAKE_PART = "Those that put out at least a tenth of what the strongest in their layer does. Brighter is stronger."


def show(found: Evaluated, row: int) -> None:
    """Offer three looks at why the first network says what it says; nothing where there is no picture."""
    if found.images is None:
        return
    parts = (
        ("What speaks for which digit?", ":material/balance:", "closer-evidence", _evidence),
        ("What is it like?", ":material/image_search:", "closer-nearest", _nearest),
        ("What goes on inside?", ":material/network_node:", "closer-inside", _inside),
    )
    for label, icon, key, draw in parts:
        part = st.expander(label, icon=icon, key=key, on_change="rerun")
        if part.open:
            with part:
                recognizer = _recognizer(found)
                if recognizer is not None:
                    draw(found, row, recognizer)


def _recognizer(found: Evaluated) -> Recognizer | None:
    """The first network; None, and a word on the page, while it is loading or where it cannot be."""
    run = cached.all_runs().get(found.predictions[0].run)
    if run is None:
        st.caption("This network is no longer here.")
        return None
    ready = answer.recognizers([run])
    if ready is None:
        answer.wait([run])
    return ready[0] if ready else None


def _digit(found: Evaluated, row: int) -> Float32:
    assert found.images is not None
    return np.divide(found.images[row], 255, dtype=np.float32)


def _answer_and_other(found: Evaluated, row: int) -> tuple[int, int]:
    """The network's answer, and what it is held against: the true digit, or where it was right the second guess."""
    first = found.predictions[0]
    second, best = (int(digit) for digit in np.argsort(first.probabilities[row], kind="stable")[-2:])
    true, read = int(first.labels[row]), int(first.predicted[row])
    return read, true if true != read else second if best == read else best


def _evidence(found: Evaluated, row: int, recognizer: Recognizer) -> None:
    read, other = _answer_and_other(found, row)
    whose = "what was written" if found.predictions[0].wrong[row] else "its second guess"
    weighed = cached.weighed(recognizer, _digit(found, row), read, other)
    st.markdown(evidence.drawing(weighed), unsafe_allow_html=True)  # st.html lets no SVG through
    st.html(
        '<div class="dl-why"><div class="dl-legend">'
        f'<span class="dl-key"><i class="dl-for"></i>ink that speaks for {read}, the answer</span>'
        f'<span class="dl-key"><i class="dl-against"></i>for {other}, {whose}</span></div>'
        f'<p role="status">The stronger the colour, the more it counts. {escape(weighed.sentence)}</p></div>'
    )
    st.caption("How is that found?", help=HOW)


def _nearest(found: Evaluated, row: int, recognizer: Recognizer) -> None:
    try:
        work = cached.gathering(recognizer, nearest.dataset())
        if not work.future.done():
            nearest.wait(work)
            return
        gallery = work.future.result()
    except DigitLabError as error:
        st.error(str(error), icon=":material/broken_image:")
        return
    features = recognizer.features(_digit(found, row)[None])[0]
    pair = _answer_and_other(found, row)
    closest = {digit: gallery.nearest(features, _NEAREST, digit) for digit in pair}
    rows = "".join(
        f'<p>The nearest <b>{digit}</b>s, {words}:</p><div class="dl-digits" role="list" '
        f'aria-label="Training digits that are {a_digit(digit)}, nearest first">'
        f"{''.join(map(nearest.card, neighbours))}</div>"
        for (digit, neighbours), words in zip(closest.items(), _whose(found, row), strict=True)
        if neighbours
    )
    distances = [(one[0].distance, digit) for digit, one in closest.items() if one]
    near = f"The nearest of all is {a_digit(min(distances)[1])}." if len(distances) == 2 else ""
    st.html(f'<div class="dl-why"><p role="status">{near}</p>{rows}</div>')
    st.caption(nearest.whose(gallery), help=nearest.HELP)


def _whose(found: Evaluated, row: int) -> tuple[str, str]:
    return "its answer", "what was written" if found.predictions[0].wrong[row] else "its second guess"


def _inside(found: Evaluated, row: int, recognizer: Recognizer) -> None:
    layers = activity.layers(recognizer, _digit(found, row))
    if not layers:
        st.caption("This network has no hidden layer: each pixel votes for the ten digits by itself.")
        return
    rows = "".join(
        f'<div class="dl-layer"><p><b>{escape(layer.title)}</b>: {escape(layer.sentence)}</p>'
        f'<img class="dl-pixels" src="{data_url(layer.picture(), 400)}" alt="{escape(layer.title)}: a square a unit">'
        "</div>"
        for layer in layers
    )
    st.html(f'<div class="dl-why">{rows}</div>')
    st.caption("From the first layer to the last before the answer.", help=TAKE_PART)

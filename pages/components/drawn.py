"""What a person drew on the Draw page, as other pages take it."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Settings
from pages.components import cached


def digit() -> npt.NDArray[np.float32] | None:
    """The digit image of what is on the canvas of the Draw page; None when it is blank."""
    image = getattr(st.session_state.get("drawing"), "image", b"")
    try:
        return cached.prepared_drawing(image, Settings()).digit if image else None
    except DigitLabError:
        return None

"""You against the network: a quiz over its mistakes and equally many digits that it finds easy."""

import streamlit as st

from pages.components import asking, evaluated, sidebar

st.title("You against the network")
source = evaluated.choose()
if (runs := sidebar.chosen()) and (found := evaluated.evaluate(runs, source)):
    if found.images is None:
        evaluated.no_pictures("quiz-get")
    else:
        asking.play(found)

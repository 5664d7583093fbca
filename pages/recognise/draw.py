"""Draw a digit and see what a network makes of it, with every stroke."""

import streamlit as st

from mnist_core import xray
from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Prepared, Settings
from mnist_core.recognizer import Recognizer
from pages.components import among, answer, cached, canvas, nearest, reading, replay, sidebar, steps, switches


@st.fragment
def board() -> None:
    """All that changes with a stroke."""
    image: bytes | None = None
    prepared: Prepared | None = None
    with st.container(key="board"):
        with st.container(key="board-canvas"):
            try:
                image = canvas.draw_here()
                prepared = cached.prepared_drawing(image, switches.settings("draw")) if image else None
            except DigitLabError as error:
                st.error(str(error), icon=":material/error:")
        with st.container(key="board-answer"):
            networks = answers(image, prepared)
        with st.container(key="board-tools"):
            canvas.tools()
    if prepared is not None and networks:
        replay.show("draw", switches.settings("draw"), networks[0])
        recognition = networks[0].answer(prepared)
        nearest.show(recognition, networks[0], "draw")
        among.show(recognition, networks[0], "draw")
    if image is not None and prepared is not None:
        st.header("How the network gets to see it")
        switches.choose("draw")
        compare_with_usual(image, prepared, networks)
        steps.strip(prepared.steps, "draw", xray.stages(prepared, networks[0]) if networks and prepared.box else ())
        if networks and prepared.box:
            switches.worth("draw", image, networks[0])


def compare_with_usual(image: bytes, prepared: Prepared, networks: list[Recognizer]) -> None:
    """Where settings were changed, say what the usual ones make of the drawing, and offer them again."""
    if switches.is_usual(switches.settings("draw")):
        return
    if networks:
        usual, now = networks[0].answer_many([cached.prepared_drawing(image, Settings()), prepared])
        same = usual.sentence == now.sentence
        st.markdown(f"With the usual settings: **{usual.sentence}**" + (" The same as now." if same else ""))
    switches.set_back("draw")


def answers(image: bytes | None, prepared: Prepared | None) -> list[Recognizer]:
    """Show what each chosen network says, side by side; returns those that are ready."""
    runs = sidebar.chosen()
    networks = answer.recognizers(runs)
    if networks is None:
        answer.nothing("One moment." if prepared else "Draw a digit.", "You can draw already; the answer follows.")
        answer.wait(runs)
        return []
    if prepared is None:
        answer.nothing("No digit yet.", "Draw one on the black square, or take a sample below it.")
        return networks
    if image is not None and networks and prepared.several:
        all_digits(image, networks[0])
    recognitions = [(network.run, network.answer(prepared)) for network in networks]
    for column, (run, recognition) in zip(st.columns(max(1, len(networks))), recognitions, strict=False):
        with column:
            answer.show(recognition, f"draw-{run.name}", run.name if len(networks) > 1 else "")
    answer.downloads(prepared, recognitions, "draw")
    return networks


def all_digits(drawing: bytes, network: Recognizer) -> None:
    """Where there is more than one digit, read them all, and offer to look closer at them."""
    text = cached.read_drawing(drawing, switches.settings("draw"), network).text
    if not text:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="draw-all"):
        st.html('<div class="dl-quiet">All together</div>', width="content")
        st.html(f'<pre class="dl-text" role="status">{text}</pre>', width="content")
        if st.button("Look closer at each", key="read-all", icon=":material/upload:"):
            reading.collection().bring([reading.drawn(drawing)])
            st.switch_page("pages/recognise/upload.py")


st.title("Draw a digit")
st.markdown("Use the mouse, a pen or a finger. The answer comes when you lift it.")
board()

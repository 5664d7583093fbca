"""The black square to draw on, with undo, redo, clear and samples."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core.errors import DigitLabError
from pages.components import cached

SIDE = 280  # pixels: ten for each of the 28 that the network sees
PEN = 18
FORGED = "The drawing that arrived is not one this page makes; clear it and draw again."
_KEY, _AMENDED = "canvas", "canvas-amended"
_amend = st.components.v2.component(
    "digit_lab.canvas", html="<i></i>", js=Path(__file__).with_suffix(".js").read_text(), isolate_styles=False
)
_MOST_STROKES = 500  # that a browser may send
_MOST_UNDOS = 40


Strokes = list[dict[str, Any]]
"""Objects as Fabric.js, the canvas's library, writes them."""


@dataclass
class Drawing:
    """What is on one person's canvas, and what was.

    Attributes
    ----------
    strokes
        What is on it.
    image
        PNG of the canvas as it was sent last, empty when it is blank.
    past, future
        What undo and redo bring back, the nearest last.
    start, loads
        What the canvas was told to show, and how often it was told: it starts anew when this changes.
    before
        What was on it at that moment, until it has answered with something else.
    """

    strokes: Strokes = field(default_factory=list)
    image: bytes = b""
    past: list[Strokes] = field(default_factory=list)
    future: list[Strokes] = field(default_factory=list)
    start: Strokes = field(default_factory=list)
    loads: int = 0
    before: Strokes | None = None

    @property
    def fresh(self) -> bool:
        """Whether nothing was ever on it, so that what the browser kept of its page's last time may come back."""
        return not (self.past or self.future or self.loads)

    def undo(self) -> None:
        """Go back by one stroke, or to before it was cleared."""
        if self.past:
            self.future.append(self.strokes)
            self._show(self.past.pop())

    def redo(self) -> None:
        """Take the last undo back."""
        if self.future:
            self.past.append(self.strokes)
            self._show(self.future.pop())

    def replace(self, strokes: Strokes) -> None:
        """Put these strokes on the canvas instead of what is there."""
        self._remember()
        self._show(strokes)

    def come_back(self, strokes: Strokes) -> None:
        """Put on a canvas that is fresh what was there before its page was loaded again."""
        if self.fresh:
            self._show(strokes)

    def restore(self) -> None:
        """Have a canvas that is new start with it.

        It takes what it finds when it comes up, so nothing is loaded: should the page run twice before it is up, it
        does not start anew under the person's hand.
        """
        self.start, self.before = self.strokes, None

    def receive(self, strokes: Strokes, image: bytes) -> None:
        """Take what the canvas sent, unless it sent that before it was told to show something else."""
        if strokes == self.before:
            return
        answered = self.before is not None and len(strokes) == len(self.start)
        if strokes != self.strokes and not answered:
            self._remember()
        self.before, self.strokes, self.image = None, strokes, image if strokes else b""

    def _remember(self) -> None:
        self.past = [*self.past, self.strokes][-_MOST_UNDOS:]
        self.future = []

    def _show(self, strokes: Strokes) -> None:
        self.before, self.start, self.strokes = self.strokes, strokes, strokes
        self.loads += 1
        if not strokes:
            self.image = b""


def draw_here() -> bytes:
    """Show the canvas with its buttons, and return the drawing as PNG, empty when it is blank."""
    drawing: Drawing = st.session_state.setdefault("drawing", Drawing())
    if _KEY not in st.session_state:  # back from another page: the canvas is new and blank
        drawing.restore()
    width = st.session_state.get("pen", PEN)
    frame = st.container(key="canvas-frame", width=SIDE, gap=None)
    with frame:
        result = st_canvas(
            stroke_width=width,
            stroke_color="#ffffff",
            background_color="#000000",
            width=SIDE,
            height=SIDE,
            initial_drawing={"objects": drawing.start, "load": drawing.loads},
            return_image_data=True,
            key=_KEY,
        )
    _receive(drawing, result)
    with frame:
        kept = {"strokes": drawing.strokes, "fresh": drawing.fresh}
        _amend(key=_AMENDED, data=kept, on_kept_change=_come_back)
    _buttons(drawing)
    return drawing.image


def strokes() -> Strokes:
    """What is on the canvas, as the browser sent it: nothing but their number was checked."""
    drawing: Drawing = st.session_state.setdefault("drawing", Drawing())
    return drawing.strokes


def tools() -> None:
    """Show the pen's width and the samples for people who cannot draw."""
    st.slider("Pen width", 4, 40, PEN, 2, key="pen", width=SIDE, persist_state="session")
    st.selectbox(
        "Or take a sample",
        list(cached.sample_strokes()),
        index=None,
        placeholder="Choose one",
        key="sample",
        width=SIDE,
        help="Somebody else's digit goes onto the canvas. The last ones are no digits: see what the network says.",
        on_change=_load_sample,
    )


def _come_back() -> None:
    """Take what the browser kept, which anyone may have forged: the canvas sends it once more, and it is checked."""
    kept = st.session_state[_AMENDED].get("kept")
    if isinstance(kept, list) and len(kept) <= _MOST_STROKES and all(isinstance(stroke, dict) for stroke in kept):
        st.session_state.drawing.come_back(kept)


def _receive(drawing: Drawing, result: Any) -> None:
    """Take over what came from the browser, which anyone may have forged."""
    try:
        image = result.image_bytes
        strokes = (result.json_data or {}).get("objects")
    except (ValueError, AttributeError, TypeError) as error:
        raise DigitLabError(FORGED) from error
    if image is None:  # nothing was sent since the canvas came up
        return
    if not isinstance(strokes, list) or len(strokes) > _MOST_STROKES:
        raise DigitLabError("There are too many strokes on the canvas; clear it and draw again.")
    drawing.receive(strokes, image)


def _buttons(drawing: Drawing) -> None:
    buttons = {
        "Undo": (":material/undo:", "Ctrl+Z", not drawing.past, drawing.undo),
        "Redo": (":material/redo:", "Ctrl+Y", not drawing.future, drawing.redo),
        "Clear": (":material/delete:", None, not drawing.strokes, lambda: drawing.replace([])),
    }
    with st.container(key="canvas-buttons", horizontal=True, gap="xsmall", width=SIDE):
        for label, (icon, shortcut, disabled, act) in buttons.items():
            st.button(
                label,
                key=label.lower(),
                icon=icon,
                width="stretch",
                shortcut=shortcut,
                disabled=disabled,
                on_click=act,
            )


def _load_sample() -> None:
    name = st.session_state.sample
    st.session_state.sample = None  # so that the same one can be chosen again
    if name is not None:
        st.session_state.drawing.replace(on_canvas(cached.sample_strokes()[name], st.session_state.pen))


def on_canvas(sample: cached.Sample, width: int) -> Strokes:
    """Make Fabric.js paths of a sample, in the middle of the canvas and about two thirds of its height."""
    points = [point for stroke in sample.strokes for point in stroke]
    lows = [min(point[axis] for point in points) for axis in (0, 1)]
    highs = [max(point[axis] for point in points) for axis in (0, 1)]
    size = 0.66 * SIDE / max(highs[0] - lows[0], highs[1] - lows[1])

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = (SIDE / 2 + size * (point[axis] - (lows[axis] + highs[axis]) / 2) for axis in (0, 1))
        return round(x, 1), round(y, 1)

    return [_path([place(point) for point in stroke], width) for stroke in sample.strokes]


def _path(points: list[tuple[float, float]], width: int) -> dict[str, Any]:
    commands = [["M", *points[0]], *(["L", *point] for point in points[1:])]
    return {
        "type": "Path",
        "path": commands,
        "stroke": "#ffffff",
        "strokeWidth": width,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
        "fill": None,
    }

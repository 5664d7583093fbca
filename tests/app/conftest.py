"""The app without a browser: Streamlit's own test driver, and a canvas that draws what a test says."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mnist_core.images import encode_png
from mnist_core.predictions import Predictions
from pages.components import cached

ROOT = Path(__file__).parents[2]
UPLOAD = "pages/recognise/upload.py"
PATIENCE = 60  # seconds for one run; two busy cores need a few

Point = tuple[int, int]
SEVEN: tuple[Point, ...] = ((80, 70), (200, 70), (185, 105), (150, 160), (125, 225))


@dataclass
class Hand:
    """What a person does on the canvas, which sends it as the real one does."""

    strokes: list[dict[str, Any]] = field(default_factory=list)
    sent: bool = False
    mounted: bool = False
    image: bytes = b""
    told: dict[str, Any] = field(default_factory=dict)

    def draw(self, *points: Point) -> None:
        path = [["M", *points[0]], *(["L", *p] for p in points[1:])]
        self.strokes = [*self.strokes, {"type": "Path", "path": path, "strokeWidth": 18}]
        self.send()

    def send(self) -> None:
        picture = np.zeros((280, 280), np.uint8)
        for stroke in self.strokes:
            points = np.array([command[1:] for command in stroke["path"]])
            cv2.polylines(picture, [points.round().astype(np.int32)], False, 255, 18, cv2.LINE_AA)
        self.image, self.sent = encode_png(picture), True

    def canvas(self, **options: Any) -> Any:
        """Stand in for `st_canvas`: shows what it is told, and sends it when that is new."""
        st.session_state[options["key"]] = "here"
        new, self.told = options["initial_drawing"] != self.told.get("initial_drawing"), options
        sent = self._result()  # an answer comes with the next run
        if new:
            self.strokes = options["initial_drawing"]["objects"]
            if self.mounted:
                self.send()
        self.mounted = True
        return sent

    def leave(self, app: AppTest) -> None:
        """Go with the page, as a component does."""
        del app.session_state["canvas"]
        self.sent = self.mounted = False
        self.told = {}

    def _result(self) -> Any:
        from streamlit_drawable_canvas import CanvasResult

        data = "data:image/png;base64," + base64.b64encode(self.image).decode() if self.sent else None
        return CanvasResult({"objects": self.strokes}, data, True)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Replace the canvas, which needs a browser."""
    # The component can only be imported while an app runs.
    AppTest.from_string("import pages.components.canvas", default_timeout=PATIENCE).run()
    from pages.components import canvas

    hand = Hand()
    monkeypatch.setattr(canvas, "st_canvas", hand.canvas)
    return hand


@pytest.fixture(scope="session")
def networks() -> None:
    """Load the networks that the tests ask, as the pages do."""
    for name in ("ann", "classic-50-50"):
        cached.recognizer(name, cached.all_runs()[name].created).result()


@pytest.fixture
def draw(networks: None, hand: Hand) -> AppTest:
    """The app, open at its first page."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()


@pytest.fixture
def upload(networks: None, hand: Hand) -> AppTest:
    """The app, open at Upload."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run().switch_page(UPLOAD).run()


@pytest.fixture
def sample() -> Callable[[str], tuple[str, bytes, str]]:
    """Sample pictures by name, as files to upload."""

    def file(name: str) -> tuple[str, bytes, str]:
        return name, (cached.SAMPLES / name).read_bytes(), "image/jpeg"

    return file


def run_without_a_mistake(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page on which the network reads all built-in digits right."""
    labels = cached.dataset("builtin").test_labels
    logs = np.full((len(labels), 10), -4.0, np.float32)
    logs[np.arange(len(labels)), labels] = -0.2
    monkeypatch.setattr(cached.predictions, "kept", lambda *_: Predictions("ann", "builtin", labels, logs))
    cached.evaluation.clear()
    app.run()
    cached.evaluation.clear()

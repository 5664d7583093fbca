"""Boxes on a picture: shown, picked, and put right by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from mnist_core.errors import DigitLabError
from mnist_core.preprocess import Box
from mnist_core.segment import MOST_BOXES, check_boxes
from pages.components.cached import SeenPicture
from pages.components.reading import KINDS, NO_DIGIT, Read

_HERE = Path(__file__).parent
_HTML = (
    '<div class="scroller"><div class="frame"><img alt="">'
    '<svg role="group" aria-label="Boxes" tabindex="-1"></svg></div></div>'
)
_picture = st.components.v2.component(
    "digit_lab.boxes", html=_HTML, css=(_HERE / "boxes.css").read_text(), js=(_HERE / "boxes.js").read_text()
)
_MOST_UNDOS = 40
_MOST_NEWS = 2**31  # that one browser sends
_ADDING = "Drag a box round a digit on the picture, or tap its middle."
_HOW = (
    "Click a digit to see how it is read. Drag a picked box to move it, or its corners to resize it. On the keyboard, "
    "arrow keys go from box to box and Enter picks one; then arrow keys move it and, with Shift, resize it; Delete "
    "takes it away, and Escape lets go of it. Ctrl+Z undoes the last change, and Ctrl+Y does it again."
)


@dataclass(frozen=True)
class Version:
    """What a person has changed: the boxes (None: as they were found), and what they say the digits are."""

    boxes: tuple[Box, ...] | None = None
    corrections: Mapping[Box, str] = field(default_factory=dict)


@dataclass
class Edits:
    """The state of one picture's boxes.

    Attributes
    ----------
    now
        What the person wants.
    past, future
        What undo and redo bring back, the nearest last.
    picked
        The box that is looked at.
    adding
        Whether the next drag on the picture makes a box.
    number
        Of the last news from the browser; the browser leaves older answers aside.
    changes
        How often the boxes were replaced, so that tables start anew.
    problem
        What was wrong with the last news, or empty.
    """

    now: Version = Version()
    past: list[Version] = field(default_factory=list)
    future: list[Version] = field(default_factory=list)
    picked: Box | None = None
    adding: bool = False
    number: int = 0
    changes: int = 0
    problem: str = ""

    def undo(self) -> None:
        """Go back by one change."""
        if self.past:
            self.future.append(self.now)
            self._show(self.past.pop())

    def redo(self) -> None:
        """Take the last undo back."""
        if self.future:
            self.past.append(self.now)
            self._show(self.future.pop())

    def restore(self) -> None:
        """Go back to the boxes that were found, which can be undone as well."""
        self._change(Version())

    def delete(self, shown: Sequence[Box]) -> None:
        """Take the picked box away."""
        self._replace([box for box in shown if box != self.picked], {})

    def toggle_adding(self) -> None:
        """Let the next drag make a box, or not."""
        self.adding = not self.adding

    def correct(self, box: Box, digit: str) -> None:
        """Take a person's word for a digit, `NO_DIGIT` or, if it is empty, the network's again."""
        others = {key: value for key, value in self.now.corrections.items() if key != box}
        if digit in (*"0123456789", NO_DIGIT):
            others[box] = digit
        if others != self.now.corrections:
            self._change(Version(self.now.boxes, others), same_boxes=True)

    def receive(self, news: object, shown: Sequence[Box], shape: tuple[int, int]) -> None:
        """Take over what came from the browser, which anyone may have forged.

        Parameters
        ----------
        news
            What it sent.
        shown
            The boxes that the page has sent to it last.
        shape
            Height and width of the picture.
        """
        self.problem = ""
        step = news.get("step") if isinstance(news, dict) else None
        if step not in ("undo", "redo"):
            self._take_over(news, shown, shape)
            return
        self.number = max(self.number, _number(news, self.number))
        if step == "undo":
            self.undo()
        else:
            self.redo()

    def _take_over(self, news: object, shown: Sequence[Box], shape: tuple[int, int]) -> None:
        try:
            number, boxes, picked = _checked(news, shape)
        except DigitLabError as error:
            self.problem = str(error)
            number, boxes, picked = _number(news, self.number), list(shown), None
        self.number, self.adding = max(self.number, number), False
        self.picked = None if picked is None else boxes[picked]
        if sorted(boxes) != sorted(shown):
            # Not the boxes shown: the page may not have come to show the last change yet.
            before = shown if self.now.boxes is None else self.now.boxes
            self._replace(boxes, _moved(before, boxes))

    def _replace(self, boxes: Sequence[Box], moved: Mapping[Box, Box]) -> None:
        unique = tuple(dict.fromkeys(boxes))
        places = {box: moved.get(box, box) for box in self.now.corrections}
        kept = {places[box]: digit for box, digit in self.now.corrections.items() if places[box] in unique}
        self._change(Version(unique, kept))

    def _change(self, version: Version, same_boxes: bool = False) -> None:
        self.past = [*self.past, self.now][-_MOST_UNDOS:]
        self.future = []
        self._show(version, same_boxes)

    def _show(self, version: Version, same_boxes: bool = False) -> None:
        self.now, self.changes, self.adding = version, self.changes + (not same_boxes), False


def edits(key: str) -> Edits:
    """What a person has changed in one picture."""
    found: Edits = st.session_state.setdefault(f"{key}-edits", Edits())
    return found


def _moved(before: Sequence[Box], after: Sequence[Box]) -> dict[Box, Box]:
    """Which box became which: the browser keeps their order, and new ones come last."""
    gone = [box for box in before if box not in after]
    come = [box for box in after if box not in before]
    return dict(zip(gone, come, strict=False)) if len(gone) <= len(come) else {}


def _checked(news: object, shape: tuple[int, int]) -> tuple[int, list[Box], int | None]:
    """The number, the boxes and which is picked, or a `DigitLabError`."""
    if not isinstance(news, dict) or not isinstance(news.get("boxes"), list):
        raise DigitLabError("What arrived are no boxes; load the page again.")
    if not all(isinstance(box, list) and all(type(side) in (int, float) for side in box) for box in news["boxes"]):
        raise DigitLabError("What arrived are no boxes; load the page again.")
    boxes = list(check_boxes(news["boxes"], shape))
    picked = news.get("picked")
    known = type(picked) is int and 0 <= picked < len(boxes)
    return _number(news, 0), boxes, picked if known else None


def _number(news: object, otherwise: int) -> int:
    number = news.get("number") if isinstance(news, dict) else None
    return number if type(number) is int and 0 <= number < _MOST_NEWS else otherwise


# --- on the page


def show(key: str, seen: SeenPicture, reads: Sequence[Read], alt: str) -> None:
    """Show a picture with boxes that can be picked and changed, and the buttons for that."""
    state, shown = edits(key), [read.box for read in reads]
    if state.picked not in shown:
        state.picked = None
    if state.problem:
        st.error(state.problem, icon=":material/error:")
    _mount(key, seen, reads, alt, state)
    _legend(reads)
    if state.adding:
        st.info(_ADDING, icon=":material/draw_abstract:")
    _tools(key, state, shown)


def show_one(key: str, seen: SeenPicture, reads: Sequence[Read], alt: str) -> None:
    """Show a picture with boxes that stay as they are."""
    _mount(key, seen, reads, alt, None)


def _mount(key: str, seen: SeenPicture, reads: Sequence[Read], alt: str, state: Edits | None) -> None:
    shown = [read.box for read in reads]
    height, width = seen.shape
    data = {
        "image": seen.shown,
        "alt": alt,
        "size": [width, height],
        "boxes": [_described(number, read) for number, read in enumerate(reads, start=1)],
        "picked": shown.index(state.picked) if state and state.picked else None,
        "adding": state is not None and state.adding,
        "number": state.number if state else 0,
        "fixed": state is None,
    }
    name = f"{key}-picture" if state else f"{key}-still"
    _picture(data=data, key=name, on_news_change=partial(_take, name, key, shown, seen.shape))


def _described(number: int, read: Read) -> dict[str, Any]:
    x, y, width, height = read.box
    name = f"Digit {number}: {read.sentence}"
    return {"x": x, "y": y, "width": width, "height": height, "kind": read.kind, "tag": read.tag, "name": name}


def _take(name: str, key: str, shown: Sequence[Box], shape: tuple[int, int]) -> None:
    news = st.session_state[name].get("news")
    if news is not None:
        edits(key).receive(news, shown, shape)


def _legend(reads: Sequence[Read]) -> None:
    """What the boxes' lines mean, of those that there are."""
    there = [kind for kind in KINDS if any(read.kind == kind for read in reads)]
    items = "".join(f'<span class="dl-key"><i class="dl-{kind}"></i>{KINDS[kind]}</span>' for kind in there)
    st.html(f'<p class="dl-legend">{items}</p>')


def _tools(key: str, state: Edits, shown: Sequence[Box]) -> None:
    full = len(shown) >= MOST_BOXES
    untouched = state.now == Version()
    buttons = {
        "add": ("Stop adding" if state.adding else "Add a box", "add_box", full, state.toggle_adding),
        "delete": ("Delete box", "delete", state.picked is None, partial(state.delete, tuple(shown))),
        "undo": ("Undo", "undo", not state.past, state.undo),
        "redo": ("Redo", "redo", not state.future, state.redo),
        "restore": ("As found", "restart_alt", untouched, state.restore),
    }
    with st.container(key=f"boxtools-{key}", horizontal=True, gap="xsmall"):
        for name, (label, icon, disabled, act) in buttons.items():
            st.button(
                label, key=f"{key}-{name}", icon=f":material/{icon}:", type="tertiary", disabled=disabled, on_click=act
            )
    st.caption("Is a box wrong? Pick it, then drag it.", help=_HOW)

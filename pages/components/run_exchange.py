"""What is done to runs: bring one in, take one away, rename, note, delete and undo; and what came of it, in words."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from mnist_core import exports, keeping
from mnist_core.errors import DigitLabError
from mnist_core.runs import DEFAULT_RUN, MAX_NOTE, Run
from pages.components import cached, run_choice

_UPLOADS = "runs-uploads"
_SHOWN_FOR = 20  # seconds
_MOST_DELETED = 8  # that are offered


@dataclass(frozen=True)
class Notice:
    """What came of the last action; with a token, it can be undone."""

    text: str
    token: str = ""
    good: bool = True
    since: float = field(default_factory=time.monotonic)


def notice() -> None:
    """Say what came of the last action: for a while, or, where it can be undone, until something else is done."""
    said: Notice | None = st.session_state.get(run_choice.NOTICE)
    # A while, not once: the browser asks for another run of the page when the table came up anew.
    if said is None or (not said.token and time.monotonic() - said.since > _SHOWN_FOR):
        return
    if not said.good:
        st.error(said.text, icon=":material/error:")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs-notice"):
        st.success(said.text, icon=":material/check_circle:", width="stretch")
        if said.token:
            st.button("Undo", key="undo-delete", icon=":material/undo:", on_click=_restore, args=(said.token,))


def bring_back() -> None:
    """Offer to bring in a file, and the runs that were deleted."""
    with st.popover("Bring in a run", icon=":material/upload:", key=f"runs-import-{st.session_state.get(_UPLOADS, 0)}"):
        key = f"runs-file-{st.session_state.get(_UPLOADS, 0)}"
        st.file_uploader(
            "A run that was taken away",
            ["zip", "safetensors"],
            key=key,
            help="The zip or the weights (.safetensors) that this page or the command line made of a run.",
            max_upload_size=exports.MAX_IMPORT_BYTES // 2**20,
            on_change=_import,
            args=(key,),
        )
        deleted = keeping.list_deleted()[:_MOST_DELETED]
        if deleted:
            st.markdown("**Deleted ones**", help=f"They are kept for {keeping.KEPT_DAYS} days.")
        for one in deleted:
            st.button(
                f"{one.name}, deleted {one.when:%d %B, %H:%M} UTC",
                key=f"restore-{one.token}",
                icon=":material/restore_from_trash:",
                type="tertiary",
                on_click=_restore,
                args=(one.token,),
            )


def actions(run: Run) -> None:
    """What can be done with one run."""
    if damage := cached.damage(run):
        st.error(f"{damage} It cannot answer, nor be taken away.", icon=":material/heart_broken:")
    with st.container(horizontal=True, gap="small", key="run-actions"):
        if not damage:
            _use_or_take(run)
        if run.origin != "bundled":
            with (
                st.popover("Rename or note", icon=":material/edit:", key=f"run-edit-{run.name}-{hash(run.note)}"),
                st.form("run-form", border=False),
            ):
                # Keys of their own: what is typed for one run is not shown for the next.
                keys = f"name-{run.name}", f"note-{run.name}"
                st.text_input("Name", run.name, max_chars=64, key=keys[0])
                st.text_input("Note", run.note, max_chars=MAX_NOTE, key=keys[1])
                st.form_submit_button("Save", icon=":material/save:", on_click=_edit, args=(run, *keys))
            st.button("Delete", key="run-delete", icon=":material/delete:", on_click=_delete, args=(run.name,))


def _use_or_take(run: Run) -> None:
    st.button(
        "Use it on all pages",
        key="run-use",
        icon=":material/check:",
        type="primary",
        disabled=st.session_state.get("run") == run.name,
        on_click=_use,
        args=(run.name,),
        help="This network answers on Draw, Upload and everywhere else.",
    )
    with st.popover("Take it away", icon=":material/download:", key="run-take"):
        _take_away(run)


def _take_away(run: Run) -> None:
    """A file of each kind, made when it is asked for."""
    st.markdown("**All of it**, to keep, to pass on, or to bring back here:")
    _download(
        run, "Zip", "zip", "application/zip", exports.export_zip, "Recipe, weights, history, figures, card, script."
    )
    st.markdown("**The network alone**, for other programs:")
    kinds: tuple[tuple[str, str, Callable[[Run], bytes], str], ...] = (
        ("Keras", "keras", cached.exported_keras, "Opens with keras.saving.load_model."),
        ("LiteRT", "tflite", cached.exported_litert, "For telephones and small computers (TensorFlow Lite)."),
        ("Weights", "safetensors", exports.export_weights, "The arrays by layer; can be brought back here too."),
        (
            "Script, NumPy alone",
            "py",
            _script,
            "Reads a digit without any of this; needs weights.safetensors beside it.",
        ),
    )
    for label, ending, make, about in kinds:
        _download(run, label, ending, "application/octet-stream", make, about)


def _download(run: Run, label: str, ending: str, mime: str, make: Callable[[Run], bytes], about: str) -> None:
    names = {"py": "predict.py", "safetensors": "weights.safetensors"}
    st.download_button(
        label,
        lambda: make(run),
        names.get(ending, f"{run.name}.{ending}"),
        mime,
        key=f"take-{ending}-{run.name}",
        icon=":material/download:",
        help=about,
        on_click="ignore",
        width="stretch",
    )


def _script(run: Run) -> bytes:
    return exports.export_script(run).encode()


# --- callbacks


def _done(act: Callable[[], Notice]) -> None:
    """Do it and say what came of it, be it a sentence on why it could not be done."""
    try:
        said = act()
    except DigitLabError as error:
        said = Notice(str(error), good=False)
    cached.all_runs.clear()
    st.session_state[run_choice.NOTICE] = said


def _use(name: str) -> None:
    st.session_state["run"] = name
    st.session_state[run_choice.NOTICE] = Notice(f"{name} answers on all pages now.")


def _edit(run: Run, name_key: str, note_key: str) -> None:
    def act() -> Notice:
        note = st.session_state[note_key] or ""
        if note != run.note:
            keeping.set_note(run.name, note)
        changed = keeping.rename_run(run.name, (st.session_state[name_key] or "").strip())
        if changed.name == run.name:
            return Notice(f"{run.name} is saved.")
        run_choice.choose_only([changed.name])
        if st.session_state.get("run") == run.name:
            st.session_state["run"] = changed.name
        return Notice(f"{run.name} is called {changed.name} now.")

    _done(act)


def _delete(name: str) -> None:
    def act() -> Notice:
        token = keeping.delete_run(name)
        run_choice.choose_only([])
        if st.session_state.get("run") == name:
            st.session_state["run"] = DEFAULT_RUN
        return Notice(f"{name} is deleted.", token)

    _done(act)


def _restore(token: str) -> None:
    def act() -> Notice:
        run = keeping.restore_run(token)
        run_choice.choose_only([run.name])
        return Notice(f"{run.name} is back.")

    _done(act)


def _import(key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return

    def act() -> Notice:
        run = exports.import_run(file.getvalue())
        run_choice.choose_only([run.name])
        return Notice(f"{run.name} is here now.")

    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1  # the file is done with
    _done(act)

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_core import keeping, runs
from mnist_core.errors import DigitLabError
from mnist_core.keeping import delete_run, list_deleted, rename_run, restore_run, set_note
from mnist_core.runs import MAX_NOTE, Run, list_broken, list_runs, load_run, load_weights, unused_name


def names() -> list[str]:
    return [run.name for run in list_runs() if run.origin == "trained"]


def test_a_run_gets_another_name_and_is_otherwise_the_same(tiny: Run) -> None:
    before = load_weights(tiny)
    run = rename_run("tiny", "small.one")
    assert (run.name, names()) == ("small.one", ["small.one"])
    assert (run.recipe, run.metrics, run.created) == (tiny.recipe, tiny.metrics, tiny.created)
    np.testing.assert_array_equal(load_weights(run)["logits/bias"], before["logits/bias"])
    assert rename_run("small.one", "small.one").name == "small.one", "its own name is not taken"


@pytest.mark.parametrize("new", ["", "../x", "A", "ann", "classic-128"])
def test_a_name_that_cannot_be_used_is_told(new: str, tiny: Run) -> None:
    with pytest.raises(DigitLabError, match="cannot be the name of a run"):
        rename_run("tiny", new)
    assert names() == ["tiny"]


def test_a_name_that_is_taken_is_told_even_by_a_foreign_folder(tiny: Run) -> None:
    (tiny.folder.parent / "foreign").mkdir()
    with pytest.raises(DigitLabError, match="There is a run called 'foreign' already"):
        rename_run("tiny", "foreign")
    assert [broken.folder.name for broken in list_broken()] == ["foreign"], "it is reported and left alone"


def test_a_note_is_kept_on_one_line_and_not_too_long(tiny: Run) -> None:
    record = json.loads((tiny.folder / "run.json").read_text())
    assert set_note("tiny", "  best\nof \t all\x00\x1b ").note == "best of all"
    assert load_run("tiny").note == "best of all"
    assert json.loads((tiny.folder / "run.json").read_text()) == record | {"note": "best of all"}
    assert len(set_note("tiny", "x" * 9999).note) == MAX_NOTE
    assert set_note("tiny", "").note == ""


def test_what_is_deleted_can_be_brought_back(tiny: Run) -> None:
    before = load_weights(tiny)
    token = delete_run("tiny")
    assert names() == []
    assert [(one.token, one.name) for one in list_deleted()] == [(token, "tiny")]
    run = restore_run(token)
    assert (run.name, names(), list_deleted()) == ("tiny", ["tiny"], [])
    np.testing.assert_array_equal(load_weights(run)["logits/bias"], before["logits/bias"])


def test_it_comes_back_under_a_free_name_where_its_own_is_taken(tiny: Run) -> None:
    shutil.copytree(tiny.folder, tiny.folder.parent / "copy")
    token = delete_run("tiny")
    rename_run("copy", "tiny")
    assert restore_run(token).name == "tiny-1"


def test_two_of_the_same_name_are_both_kept_the_last_one_first(tiny: Run) -> None:
    shutil.copytree(tiny.folder, tiny.folder.parent / "copy")
    tokens = [delete_run("tiny")]
    rename_run("copy", "tiny")
    tokens.append(delete_run("tiny"))
    os.utime(keeping._trash() / tokens[0], (1e9 + 9e8, list_deleted()[0].when.timestamp() - 60))
    assert [one.token for one in list_deleted()] == tokens[::-1]


def test_what_is_long_deleted_is_gone_with_the_next(tiny: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(tiny.folder, tiny.folder.parent / "copy")
    token = delete_run("tiny")
    old = keeping._trash() / token
    (keeping._trash() / "somebody else's").mkdir()
    for path in keeping._trash().iterdir():
        os.utime(path, (0, path.stat().st_mtime - 31 * 24 * 3600))
    assert list_deleted() == []
    delete_run("copy")
    assert not old.exists()
    assert (keeping._trash() / "somebody else's").exists(), "a foreign folder is left alone"


@pytest.mark.parametrize("token", ["", "tiny", "tiny~00000000", "../runs/tiny", "..~00000000", "tiny~0000000g", "/etc"])
def test_other_tokens_bring_nothing_back(token: str, tiny: Run) -> None:
    delete_run("tiny")
    with pytest.raises(DigitLabError, match="cannot be brought back"):
        restore_run(token)


ACTIONS: dict[str, Callable[[str], object]] = {
    "rename": lambda name: rename_run(name, "other"),
    "note": lambda name: set_note(name, "words"),
    "delete": delete_run,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_bundled_runs_stay_as_they_are(action: str) -> None:
    with pytest.raises(DigitLabError, match="'ann' came with Digit Lab and stays as it is"):
        ACTIONS[action]("ann")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", ["nobody", "../x"])
def test_runs_that_are_not_there_are_told(action: str, name: str) -> None:
    with pytest.raises(DigitLabError, match=r"There is no run called|is no name of a run"):
        ACTIONS[action](name)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("action", [*ACTIONS, "restore"])
def test_a_disk_that_refuses_is_told_and_all_stays(
    action: str, number: int, tiny: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    token = delete_run("tiny") if action == "restore" else ""
    before = names()
    with monkeypatch.context() as patched:
        for function in ("rename", "replace"):
            patched.setattr(keeping.os, function, refuse)
        with pytest.raises(DigitLabError, match=rf": {os.strerror(number)}\.$"):
            restore_run(token) if action == "restore" else ACTIONS[action]("tiny")
    assert names() == before
    assert not list(tiny.folder.parent.glob("**/.new-*")), "nothing half-written is left"
    if action == "restore":
        assert restore_run(token).name == "tiny", "and it can be tried again"


def test_unused_names(tiny: Run) -> None:
    assert [unused_name(name) for name in ("free", "tiny", "ann")] == ["free", "tiny-1", "ann-1"]
    shutil.copytree(tiny.folder, tiny.folder.parent / ("x" * 64))
    longest = unused_name("x" * 64)
    assert longest == "x" * 58 + "-1"
    assert runs.is_name(longest)


def test_a_damaged_run_can_still_be_told_from_none(tiny: Run) -> None:
    (tiny.folder / "run.json").write_text("{")
    with pytest.raises(DigitLabError, match="damaged"):
        delete_run("tiny")
    assert tiny.folder.exists(), "left alone"


def test_where_deleted_runs_lie(tiny: Run, digit_lab_home: Path) -> None:
    token = delete_run("tiny")
    assert (digit_lab_home / "deleted" / token / "run.json").exists()

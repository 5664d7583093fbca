"""The README is true: its commands, paths and pictures exist, and every dependency has its reason there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from mnist_core.__main__ import main
from tools import presets_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _commands() -> list[list[str]]:
    """Return the README's shell lines as words, without comments and leading assignments."""
    lines = [shlex.split(line, comments=True) for block in _BLOCKS for line in block.splitlines()]
    words = [[*line] for line in lines if line]
    for line in words:
        while "=" in line[0]:
            line.pop(0)
    return words


COMMANDS = _commands()
LIBRARY_COMMANDS = [line[3:] for line in COMMANDS if line[:3] == ["python", "-m", "mnist_core"]]


def _text(words: list[str]) -> str:
    return " ".join(words)


def test_there_are_commands_to_check() -> None:
    assert ["make", "run"] in COMMANDS
    assert ["make", "test"] in COMMANDS
    assert LIBRARY_COMMANDS


@pytest.mark.parametrize("words", [line for line in COMMANDS if line[0] == "make"], ids=_text)
def test_make_targets_exist(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {word for word in words[1:] if "=" not in word} <= targets


@pytest.mark.parametrize("words", LIBRARY_COMMANDS, ids=_text)
def test_library_commands_exist_with_their_options(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([words[0], "--help"])
    assert ended.value.code == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {word for word in words if word.startswith("--")} <= known


def _linked_paths() -> list[str]:
    links = re.findall(r"\]\(([^)#]+)\)|src(?:set)?=\"([^\"]+)\"", README)
    paths = {first or second for first, second in links}
    return sorted(path for path in paths if not path.startswith(("http:", "https:")))


@pytest.mark.parametrize("path", _linked_paths())
def test_links_and_pictures_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def _named_paths() -> list[str]:
    words = {word for line in COMMANDS for word in line}
    return sorted(word for word in words if re.fullmatch(r"\w[\w./-]*(/|\.(txt|py|png|jpg))", word))


@pytest.mark.parametrize("path", _named_paths())
def test_paths_in_commands_exist(path: str) -> None:
    assert (ROOT / path).exists()


def _reasons() -> dict[str, str]:
    """Return the README's table of dependencies: a row's names, each with its reason."""
    section = README.partition("## Dependencies")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", section, re.MULTILINE)
    return {name: reason.strip() for names, reason in rows for name in re.findall(r"`([^`]+)`", names)}


def _dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {re.split(r"[=;\[ ]", entry)[0] for entry in listed}


def test_every_dependency_has_its_reason() -> None:
    assert set(_reasons()) == _dependencies()
    assert all(len(reason.split()) >= 3 for reason in _reasons().values())


def test_the_presets_table_is_the_bundled_runs_own_record() -> None:
    assert presets_table.filled(README) == README, "python -m tools.presets_table writes it again"

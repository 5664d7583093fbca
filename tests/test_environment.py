"""The script behind `make run` and `make test`, with an installer that only notes what it was asked."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tools import environment

Calls = list[list[str]]
Fails = Callable[[Sequence[str]], bool]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("one==1\n")
    (tmp_path / "requirements-dev.txt").write_text("one==1\ntwo==2\n")
    return tmp_path


@pytest.fixture
def calls(root: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    return _fake_installer(root, monkeypatch, fails=lambda command: False)


def _fake_installer(root: Path, monkeypatch: pytest.MonkeyPatch, fails: Fails) -> Calls:
    made: Calls = []

    def run(command: Sequence[str], quiet: bool = False) -> bool:
        made.append(list(command))
        if fails(command):
            return False
        if "venv" in command:
            python = environment.interpreter(root)
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return True

    monkeypatch.setattr(environment, "_run", run)
    return made


def _installed(calls: Calls) -> list[str]:
    return [Path(call[-1]).name for call in calls if "-r" in call]


def test_first_run_makes_the_environment_and_the_second_does_nothing(root: Path, calls: Calls) -> None:
    environment.ensure("run", root)
    assert ["venv" in call for call in calls] == [True, False]
    assert _installed(calls) == ["requirements.txt"]
    calls.clear()
    environment.ensure("run", root)
    assert calls == []


def test_tests_are_added_to_what_runs_the_app(root: Path, calls: Calls) -> None:
    environment.ensure("run", root)
    calls.clear()
    environment.ensure("test", root)
    assert _installed(calls) == ["requirements-dev.txt"]
    assert not any("venv" in call for call in calls), "the environment is not built anew for the tests"


def test_the_tests_environment_runs_the_app_too(root: Path, calls: Calls) -> None:
    environment.ensure("test", root)
    calls.clear()
    environment.ensure("run", root)
    assert calls == []


@pytest.mark.parametrize(
    ("changed", "kind", "expected"),
    [
        ("requirements.txt", "run", ["venv", "requirements.txt"]),
        ("requirements.txt", "test", []),
        ("requirements-dev.txt", "test", ["requirements-dev.txt"]),
        ("requirements-dev.txt", "run", []),
    ],
)
def test_changed_pins_are_installed(root: Path, calls: Calls, changed: str, kind: str, expected: list[str]) -> None:
    environment.ensure("test", root)
    calls.clear()
    with (root / changed).open("a") as pins:
        pins.write("three==3\n")
    environment.ensure(kind, root)
    assert [("venv" if "venv" in call else Path(call[-1]).name) for call in calls] == expected


def test_a_failed_installation_is_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_installer(root, monkeypatch, fails=lambda command: "-r" in command)
    with pytest.raises(environment.SetupError, match="pip could not install"):
        environment.ensure("run", root)
    calls = _fake_installer(root, monkeypatch, fails=lambda command: False)
    environment.ensure("run", root)
    assert _installed(calls) == ["requirements.txt"]


def test_a_python_that_cannot_put_pip_in_is_helped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _fake_installer(
        root, monkeypatch, fails=lambda command: "venv" in command and "--without-pip" not in command
    )
    environment.ensure("run", root)
    assert any("--python" in call and call[-1] == "pip" for call in calls)
    assert _installed(calls) == ["requirements.txt"]


def test_without_venv_and_pip_a_sentence_says_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_installer(root, monkeypatch, fails=lambda command: True)
    with pytest.raises(environment.SetupError, match="apt-get install python3-venv"):
        environment.ensure("run", root)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"this": (3, 11)}, "this"),
        ({"this": (3, 10), "python3.12": (3, 12)}, "python3.12"),
        ({"this": (3, 14), "python3": (3, 14), "python3.13": (3, 13)}, "python3.13"),
    ],
)
def test_the_first_python_that_the_pins_exist_for_is_taken(
    versions: dict[str, tuple[int, int]], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_pythons(versions, monkeypatch)
    assert environment.suitable_python() == expected


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_a_python_too_old_or_too_new_is_named(version: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_pythons({"this": version}, monkeypatch)
    with pytest.raises(environment.SetupError, match=r"needs Python 3\.11 to 3\.13"):
        environment.suitable_python()


def _fake_pythons(versions: dict[str, tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.sys, "executable", "this")
    monkeypatch.setattr(environment.shutil, "which", lambda name: name if name in versions else None)
    monkeypatch.setattr(environment, "_version", lambda python: versions[python])


def test_main_answers_with_a_status(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.main(["elsewhere"]) == 2
    assert "usage" in capsys.readouterr().err

    def refuse(kind: str) -> None:
        raise environment.SetupError(f"no {kind} today")

    monkeypatch.setattr(environment, "ensure", refuse)
    assert environment.main(["run"]) == 1
    assert capsys.readouterr().err == "no run today\n"

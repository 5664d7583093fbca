"""Which Chromium the browser tests take, and what happens on a machine that has none."""

from pathlib import Path

import pytest

from tests.browser import chromium


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one folder, with no browser in it and none from Playwright either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "_playwright_chromium", lambda: tmp_path / "playwright" / "chrome")
    return tmp_path


def _program(path: Path, status: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", chromium.NAMES)
def test_a_browser_on_the_path_is_taken(path: Path, name: str) -> None:
    there = _program(path / name)
    assert chromium.executable() == there


def test_a_stub_that_does_not_start_is_passed_over(path: Path) -> None:
    _program(path / "chromium-browser", status=1)
    assert chromium.executable() is None
    real = _program(path / "google-chrome")
    assert chromium.executable() == real


def test_playwrights_own_is_the_last_choice(path: Path) -> None:
    bundled = _program(path / "playwright" / "chrome")
    assert chromium.executable() == bundled
    on_path = _program(path / "chromium")
    assert chromium.executable() == on_path


def test_a_missing_browser_is_installed_and_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_install_with_apt", lambda: _program(path / "chromium"))
    monkeypatch.setattr(chromium, "_install_with_playwright", lambda: pytest.fail("one is enough"))
    assert chromium.ensure() == path / "chromium"


def test_playwright_is_asked_when_the_system_has_no_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = path / "playwright" / "chrome"
    monkeypatch.setattr(chromium, "_install_with_apt", lambda: None)
    monkeypatch.setattr(chromium, "_install_with_playwright", lambda: _program(bundled))
    assert chromium.ensure() == bundled


def test_without_any_a_sentence_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_install_with_apt", lambda: None)
    monkeypatch.setattr(chromium, "_install_with_playwright", lambda: None)
    with pytest.raises(SystemExit, match="Install Chromium or Chrome"):
        chromium.ensure()

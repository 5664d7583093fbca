"""Find a Chromium for the browser tests, or install one; run it as a script to see which."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# --no-sandbox because CI runs as root, where Chromium refuses its sandbox; the others keep it from
# drawing with a GPU that is not there and from calling home in the middle of a test.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> Path | None:
    """Return the Chromium to use: one on PATH that starts, else Playwright's own, else None."""
    for name in NAMES:
        found = shutil.which(name)
        if found and _starts(found):
            return Path(found)
    bundled = _playwright_chromium()
    return bundled if bundled.is_file() else None


def ensure() -> Path:
    """Return a Chromium that starts, after installing one where there is none."""
    found = executable()
    for install in (_install_with_apt, _install_with_playwright):
        if found is None:
            install()
            found = executable()
    if found is not None:
        return found
    raise SystemExit(
        "The browser tests need Chromium, and none could be installed.\n"
        "Install Chromium or Chrome so that `chromium` or `google-chrome` is on the PATH, then try again."
    )


def _starts(path: str) -> bool:
    """Tell a real browser from a stub that only says where to get one (Ubuntu's package is such a stub)."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _playwright_chromium() -> Path:
    # In a process of its own: the tests' fixture runs Playwright too, and it cannot run twice in one.
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return Path(answer.stdout.strip())


def _install_with_apt() -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.name != "posix" or os.geteuid() != 0:
        return
    _say("No Chromium here: installing the system's package with apt-get.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run([apt, "update", "-qq"], env=environment, stdout=sys.stderr).returncode == 0:
        install = [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(install, env=environment, stdout=sys.stderr, stdin=subprocess.DEVNULL)


def _install_with_playwright() -> None:
    _say("No Chromium here: downloading Playwright's.")
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(ensure())

"""Make the project's own Python environment in .venv: `python3 tools/environment.py run` or `test`.

Does nothing when the environment is there with the present pins; builds it anew when they changed.
Standard library only, since it runs before anything is installed.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = {"run": "requirements.txt", "test": "requirements-dev.txt"}  # the second contains the first
OLDEST, NEWEST = (3, 11), (3, 13)  # TensorFlow 2.21 has packages for these
NAMES = ("python3", "python3.13", "python3.12", "python3.11", "python")


class SetupError(Exception):
    """Something a person has to mend, in a sentence."""


def ensure(kind: str, root: Path = ROOT) -> None:
    """Bring .venv to the pins of `kind` ("run" or "test"); at once if it is there already."""
    if _is_current(kind, root):
        return
    if not _is_current("run", root):
        _create(root)
    print(f"Installing {PINS[kind]} into .venv; this takes a few minutes once.", flush=True)
    _install(root, "-r", str(root / PINS[kind]))
    for installed in {"run", kind}:
        _stamp(installed, root).write_text(_fingerprint(installed, root))


def interpreter(root: Path) -> Path:
    """Return the path of the environment's Python, whether it is there or not."""
    windows = sys.platform == "win32"
    return root / ".venv" / ("Scripts/python.exe" if windows else "bin/python")


def suitable_python() -> str:
    """Return a Python that the pinned packages exist for: this one, else the first on PATH."""
    found = (shutil.which(name) for name in NAMES)
    for candidate in (sys.executable, *filter(None, found)):
        if OLDEST <= _version(candidate) <= NEWEST:
            return candidate
    wanted = f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    here = ".".join(map(str, _version(sys.executable)))
    raise SetupError(
        f"Digit Lab needs {wanted}; this is {here} and no other is on the PATH.\n"
        "Install one, or name it: make PYTHON=/path/to/python3.12 ..."
    )


def _create(root: Path) -> None:
    """Make an empty .venv with pip in it, over whatever was there."""
    python = suitable_python()
    venv = [python, "-m", "venv", "--clear", str(root / ".venv")]
    if _run(venv, quiet=True):
        return
    # Debian leaves out what venv needs to put pip in; the pip that is outside can do it.
    bare = [*venv[:-1], "--without-pip", venv[-1]]
    pip = [python, "-m", "pip", "--python", str(interpreter(root)), "install", "--quiet", "pip"]
    if not (_run(bare) and _run(pip)):
        raise SetupError(
            f"{python} can make no virtual environment with pip in it.\n"
            "On Debian and Ubuntu: apt-get install python3-venv python3-pip, then try again."
        )


def _install(root: Path, *arguments: str) -> None:
    pip = [str(interpreter(root)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not _run([*pip, *arguments]):
        raise SetupError("pip could not install the packages; its message above says why. Then try again.")


def _is_current(kind: str, root: Path) -> bool:
    stamp = _stamp(kind, root)
    return interpreter(root).exists() and stamp.is_file() and stamp.read_text() == _fingerprint(kind, root)


def _stamp(kind: str, root: Path) -> Path:
    return root / ".venv" / f"{kind}.stamp"


def _fingerprint(kind: str, root: Path) -> str:
    return hashlib.sha256((root / PINS[kind]).read_bytes()).hexdigest()


def _version(python: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30)
        major, minor = answer.stdout.split()
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return (0, 0)
    return (int(major), int(minor))


def _run(command: Sequence[str], quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=output, stderr=output).returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Run as a script; returns the exit status."""
    if len(arguments) != 1 or arguments[0] not in PINS:
        print(f"usage: environment.py {{{','.join(PINS)}}}", file=sys.stderr)
        return 2
    try:
        ensure(arguments[0])
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

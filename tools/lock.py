"""Write requirements.txt and requirements-dev.txt, all pins for all platforms, from pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["-m", "uv", "pip", "compile", "--quiet", "--universal", "--no-emit-index-url", "--no-annotate"]


def main() -> None:
    """Compile both files; what is in the first has the same version in the second."""
    _compile("requirements.txt")
    _compile("requirements-dev.txt", "--group", "dev", "--constraint", "requirements.txt")


def _compile(target: str, *options: str) -> None:
    command = [sys.executable, *COMPILE, "--custom-compile-command", "make lock", *options]
    subprocess.run([*command, "pyproject.toml", "--output-file", target], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()

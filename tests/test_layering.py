"""What may import what: the library knows no Streamlit, and nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = sorted((ROOT / "mnist_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
TENSORFLOW = {"tensorflow", "keras"}
MAY_USE_TENSORFLOW = {"_compiled", "_updates", "conversion", "network", "training"}
HEAVY = TENSORFLOW | {"cv2", "sklearn", "scipy", "numpy", "PIL", "plotly", "pandas", "streamlit"}


def _imported(path: Path) -> Iterator[str]:
    """Yield the top-level name of everything that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", LIBRARY, ids=_name)
def test_the_library_is_usable_without_streamlit(path: Path) -> None:
    assert {"streamlit", "streamlit_drawable_canvas", "pages"}.isdisjoint(_imported(path))


@pytest.mark.parametrize("path", [path for path in LIBRARY if path.stem not in MAY_USE_TENSORFLOW], ids=_name)
def test_tensorflow_stays_in_the_modules_that_need_it(path: Path) -> None:
    assert TENSORFLOW.isdisjoint(_imported(path))


@pytest.mark.parametrize("path", [*PAGES, ROOT / "app.py"], ids=_name)
def test_pages_use_networks_through_the_library_only(path: Path) -> None:
    assert TENSORFLOW.isdisjoint(_imported(path))


def test_app_only_routes() -> None:
    assert set(_imported(ROOT / "app.py")) <= {"streamlit", "pages"} | sys.stdlib_module_names
    assert "st.navigation(" in (ROOT / "app.py").read_text(encoding="utf-8")


def _loaded_by(*arguments: str) -> set[str]:
    """Return the top-level names of the modules that a fresh Python loads."""
    command = [sys.executable, "-X", "importtime", *arguments]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = (line for line in answer.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["train", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = _loaded_by("-m", "mnist_core", *arguments)
    assert "argparse" in loaded, "the list of loaded modules is real"
    assert HEAVY.isdisjoint(loaded)


def test_the_package_itself_loads_nothing() -> None:
    loaded = _loaded_by("-c", "import mnist_core")
    assert "mnist_core" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_preparing_pictures_and_listing_runs_do_without_tensorflow() -> None:
    loaded = _loaded_by("-c", "import mnist_core.runs, mnist_core.segment, mnist_core.images, mnist_core.data")
    assert "cv2" in loaded
    assert TENSORFLOW.isdisjoint(loaded)

"""What `make bench` measures: one module a question, each with one function `measure`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.report import Figure

MEASURES = (
    "drawing", "photo", "page", "folder", "growth", "metrics", "stress",
    "start", "strokes", "training", "jobs", "pictures",
)  # fmt: skip

# Measures whose module is called otherwise: `bench.pictures` makes the pictures.
_MODULES = {"pictures": "measure_pictures"}


def measure(name: str, run: str) -> "list[Figure]":
    """Measure one question, with one run answering. Imports what it needs here, so that a child process does."""
    module = _MODULES.get(name, name)
    figures: list[Figure] = import_module(f"bench.{module}").measure(run)
    return figures

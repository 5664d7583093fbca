"""What `make bench` measures: one module a question, each with one function `measure`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.report import Figure

MEASURES = ("drawing", "photo", "page", "folder", "growth", "start", "strokes", "training")


def measure(name: str, run: str) -> "list[Figure]":
    """Measure one question, with one run answering. Imports what it needs here, so that a child process does."""
    figures: list[Figure] = import_module(f"bench.{name}").measure(run)
    return figures

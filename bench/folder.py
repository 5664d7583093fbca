"""How many small pictures a second the command `predict` reads, its start included and apart."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import inputs
from bench.report import Figure

PICTURES = 10_000


def measure(run: str) -> list[Figure]:
    """Run the command on one picture and on a folder; the difference is the pictures' own time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs.write_folder(folder, PICTURES)
        alone = min(_seconds(run, folder / "00000.png", 1) for _ in range(2))
        whole = min(_seconds(run, folder, PICTURES) for _ in range(2))
    detail = f"{PICTURES:,} PNGs of 28x28 to 280x280, best of 2"
    return [
        Figure("predict on a folder, start included", PICTURES / whole, "pictures/s", detail=detail),
        Figure("predict on a folder, without the start", (PICTURES - 1) / (whole - alone), "pictures/s", detail=detail),
        Figure("predict on one picture, start included", alone, "s", detail="best of 2"),
    ]


def _seconds(run: str, path: Path, lines: int) -> float:
    command = [sys.executable, "-m", "mnist_core", "predict", str(path), "--run", run, "--json"]
    begin = time.perf_counter()
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    assert len(answer.stdout.splitlines()) == lines
    return seconds

"""Figures, the machine they were measured on, and both as a table and as JSON."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "opencv-python-headless", "pillow", "streamlit")


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes
    ----------
    name
        What was measured.
    value, unit
        The number; time and memory, so less is better, unless the unit is a rate or a share.
    baseline, against
        The same measured in the same run for what it is compared with, and what that is.
    detail
        How it was measured, in a few words.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""
    detail: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as much the baseline is; below 1 the baseline is less."""
        return self.baseline / self.value if self.baseline is not None and self.value else None


def medians(tasks: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 3) -> dict[str, float]:
    """Return the median seconds of each task; they take turns, so that a busy machine slows all alike."""
    for task in tasks.values():
        for _ in range(warm_up):
            task()
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            begin = time.perf_counter()
            task()
            taken[name].append(time.perf_counter() - begin)
    return {name: statistics.median(times) for name, times in taken.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile, 1 to 99, of at least two values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def resident_bytes(process: int | None = None) -> int:
    """Return the memory a process (this one: None) holds now. Linux only."""
    status = Path(f"/proc/{process or 'self'}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has taken, which others on the machine change little. Linux only."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, object]:
    """Describe this machine and what else it is doing."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out as Markdown."""
    head = ("what", "measured", "compared with", "ratio")
    rows = [
        (
            figure.name,
            _shown(figure.value, figure.unit),
            "" if figure.baseline is None else f"{_shown(figure.baseline, figure.unit)} {figure.against}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def save(figures: Sequence[Figure], about: Mapping[str, object]) -> Path:
    """Write the figures with the machine's description, and return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y-%m-%d-%H%M%S')}.json"
    record = {"machine": about, "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures]}
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path


def _shown(value: float, unit: str) -> str:
    return f"{value:,.{0 if abs(value) >= 100 else 4 if unit == 'accuracy' else 2}f} {unit}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

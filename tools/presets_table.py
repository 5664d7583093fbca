"""Write the presets' table into README.md from the bundled runs' own records: ``python -m tools.presets_table``."""

from pathlib import Path

from mnist_core.recipes import PRESETS
from mnist_core.runs import BUNDLED, Run, list_runs

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- presets -->", "<!-- /presets -->"


def table() -> str:
    """The presets as a Markdown table."""
    found = {run.name: run for run in list_runs() if run.folder.parent == BUNDLED}
    lines = [
        "| preset | network | weights | train | test (95 % interval) | loss | seconds | published |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(found[name]) for name in PRESETS),
    ]
    return "\n".join(lines)


def _row(run: Run) -> str:
    metrics, interval = run.metrics, run.metrics.test_interval
    cells = (
        f"`{run.name}`",
        run.recipe.model.summary,
        f"{run.parameters:,}",
        f"{metrics.train_accuracy:.2%}",
        f"{metrics.test_accuracy:.2%} ({interval.low:.2%} to {interval.high:.2%})",
        f"{metrics.test_loss:.3f}",
        f"{run.seconds:,.0f}",
        "; ".join(run.published),
    )
    return f"| {' | '.join(cells)} |"


def filled(readme: str) -> str:
    """The README with the table between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")

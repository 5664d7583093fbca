"""The table of all runs, with what others published for the same recipes as rows of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mnist_core.comparison import published_accuracy
from mnist_core.evaluation import Interval
from mnist_core.runs import Run

Kind = Literal["bundled", "yours", "published"]
KINDS: tuple[Kind, ...] = ("bundled", "yours", "published")


@dataclass(frozen=True, eq=False)
class Row:
    """One run, or one published result: what is not known of it is None.

    Attributes
    ----------
    name
        Of the run; of the recipe that a result was published for.
    kind
        Whether it came with the program, is a person's own, or was published by others.
    network
        The architecture in short.
    accuracy, interval, loss
        On the test digits.
    parameters, seconds, created
        Trained weights, time of the training, and its date (UTC, ISO 8601).
    curve
        Accuracy epoch by epoch, in [0, 1]: on validation digits where there are any, else on training digits.
    note
        A person's words, or those of a published result.
    """

    name: str
    kind: Kind
    network: str
    accuracy: float | None
    interval: Interval | None
    loss: float | None
    parameters: int | None
    seconds: float | None
    created: str | None
    curve: tuple[float, ...]
    note: str


def rows(runs: Iterable[Run]) -> list[Row]:
    """Return a row for each run, each bundled one followed by what was published for its recipe."""
    found = []
    for run in runs:
        found.append(_of_run(run))
        found += [_of_result(run.name, result) for result in run.published]
    return found


def _of_run(run: Run) -> Row:
    metrics = run.metrics
    return Row(
        run.name,
        "bundled" if run.origin == "bundled" else "yours",
        run.recipe.model.summary,
        metrics.test_accuracy,
        metrics.test_interval,
        metrics.test_loss,
        run.parameters,
        run.seconds,
        run.created,
        curve(run),
        run.note or (run.title if run.origin == "bundled" else ""),
    )


def _of_result(name: str, result: str) -> Row:
    # Neither network nor weights: a result may be published for a larger one than the preset.
    return Row(name, "published", "", published_accuracy(result), None, None, None, None, None, (), result)


def curve(run: Run) -> tuple[float, ...]:
    """Return the accuracy after each epoch, as `Row.curve` has it."""
    for key in ("validation_accuracy", "accuracy"):
        values = [value for epoch in run.history if (value := epoch.get(key)) is not None]
        if values:
            return tuple(values)
    return ()


def filtered(table: Sequence[Row], words: str = "", kinds: Sequence[str] = ()) -> list[Row]:
    """Return the rows in which all words occur, in capitals or not, and that are of one of the kinds, if any."""
    wanted = words.lower().split()
    return [
        row
        for row in table
        if (not kinds or row.kind in kinds)
        and all(word in f"{row.name} {row.kind} {row.network} {row.note}".lower() for word in wanted)
    ]


def unspreadsheet(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that begins like one is put behind an apostrophe."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text

"""What a run's export says about it: a card in Markdown, its history as CSV, and two figures as SVG."""

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mnist_core.comparison import recipe_words, settings_words
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import confusion_matrix
from mnist_core.recipes import Recipe
from mnist_core.runs import Run, load_predictions
from mnist_core.wording import as_written

DATA = {
    "mnist": "MNIST: 60,000 handwritten digits to learn from, 10,000 others to be tested on",
    "builtin": "1,797 real handwritten digits from scikit-learn (UCI optdigits), 8x8 enlarged; no MNIST",
}
_COLUMNS = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds")
_BLUE, _ORANGE = "#2f55d4", "#c2571a"


def card(run: Run) -> str:
    """Return a model card: what the network is, how good, on what it was measured, and how to use it."""
    metrics, interval = run.metrics, run.metrics.test_interval
    figures = {
        "Test digits read right": f"{metrics.test_accuracy:.2%}",
        "95 % interval of that": f"{interval.low:.2%} to {interval.high:.2%}",
        "Wrong": f"{metrics.test_errors:,} of {metrics.test_n:,}",
        "Test loss": f"{metrics.test_loss:.4f}",
        "Training digits read right": f"{metrics.train_accuracy:.2%}",
        "Training loss": f"{metrics.train_loss:.4f}",
        "Weights": f"{run.parameters:,}",
        "Epochs": f"{len(run.history)}",
        "Training took": f"{run.seconds:,.1f} s",
        "Trained": run.created,
    }
    return f"""# {run.name}

A neural network that reads one handwritten digit, trained and measured with Digit Lab.

{as_written(run.note)}

## Figures

{_table(("Figure", "Value"), figures)}

Measured on: {as_written(DATA.get(run.dataset, run.dataset))}. The digits it was tested on took no part in the training.

![Loss and accuracy by epoch](figures/history.svg)
![Which digits are taken for which](figures/confusion.svg)

## Recipe

{run.recipe.model.summary}. What differs from the usual settings is bold.

{_table(("Setting", "Value"), _settings(run))}

## How to use it

The network takes pictures of 28x28 pixels as numbers from 0 (black) to 1 (white), white ink on black: the digit in a
box of 20x20, its centre of mass in the middle. The answer is ten probabilities.

- `python predict.py digit.png` needs Python and NumPy, and `weights.safetensors` next to it.
- In Digit Lab: Runs, Bring in a run, and this whole zip; or `python -m mnist_core runs import FILE`.
- `weights.safetensors`: arrays by layer, such as `hidden_1/kernel`; `recipe.json` says how they are wired.

## Limits

It knows ten digits and nothing else. What is no digit gets an answer as well; below a probability of
{run.calibration.least_probability:.0%} it should not be relied on. It was not made to decide about people.
"""


def _settings(run: Run) -> Mapping[str, str]:
    usual = settings_words(Recipe())
    return {
        title: as_written(value) if value == usual.get(title, value) else f"**{as_written(value)}**"
        for title, value in recipe_words(run).items()
    }


def _table(heads: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [
        f"| {heads[0]} | {heads[1]} |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in rows.items()),
    ]
    return "\n".join(lines)


def history_csv(run: Run) -> str:
    """Return a line for each epoch."""
    file = io.StringIO()
    writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: epoch.get(key) for key in _COLUMNS} for epoch in run.history)
    return file.getvalue()


def figures(run: Run) -> dict[str, str]:
    """Return the figures of a run by file name, as SVG."""
    drawn = {"history.svg": _history(run)}
    try:
        labels, probabilities = load_predictions(run)
    except DigitLabError:
        return drawn  # no predictions were kept
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1))
    return drawn | {"confusion.svg": _confusion(matrix)}


def _history(run: Run) -> str:
    """Two small charts: loss and accuracy by epoch, on training and validation digits."""
    parts = []
    for place, name in enumerate(("loss", "accuracy")):
        curves = {
            colour: [epoch.get(f"{part}{name}") for epoch in run.history]
            for part, colour in (("", _BLUE), ("validation_", _ORANGE))
        }
        values = [value for curve in curves.values() for value in curve if value is not None] or [0.0]
        low, high = min(values), max(values)
        left = 30 + 330 * place
        parts.append(f'<text x="{left}" y="22">{name.capitalize()}: {low:.4f} to {high:.4f}</text>')
        parts.append(f'<path d="M{left} 40v160h290" fill="none" stroke="#8a8f9c"/>')
        for colour, curve in curves.items():
            points = _points(curve, left, low, (high - low) or 1.0)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts.append(
        f'<text x="30" y="225">{len(run.history)} epochs; <tspan fill="{_BLUE}">training</tspan>, '
        f'<tspan fill="{_ORANGE}">validation</tspan></text>'
    )
    return _svg(680, 240, parts)


def _points(curve: Sequence[float | None], left: float, low: float, height: float) -> str:
    step = 290 / max(1, len(curve) - 1)
    return " ".join(
        f"{left + step * place:.1f},{200 - 160 * (value - low) / height:.1f}"
        for place, value in enumerate(curve)
        if value is not None
    )


def _confusion(matrix: npt.NDArray[np.int64]) -> str:
    """Ten rows of true digits, ten columns of answers; the darker, the more often relative to the row."""
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    parts = ['<text x="60" y="18">Answer</text><text x="8" y="38">True</text>']
    for true in range(10):
        parts.append(f'<text x="24" y="{64 + 32 * true}">{true}</text>')
        parts.append(f'<text x="{66 + 40 * true}" y="38">{true}</text>')
        for answer in range(10):
            x, y, share = 52 + 40 * answer, 44 + 32 * true, float(shares[true, answer])
            strength = share**0.4  # so that a few mistakes among a thousand can be seen
            ink = "#fff" if strength > 0.6 else "#1e2432"
            parts.append(
                f'<rect x="{x}" y="{y}" width="38" height="30" fill="{_BLUE}" fill-opacity="{strength:.3f}"/>'
                f'<text x="{x + 19}" y="{y + 20}" text-anchor="middle" fill="{ink}">'
                f"{matrix[true, answer]}</text>"
            )
    return _svg(460, 372, parts)


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#1e2432"><rect width="100%" height="100%" fill="#fdfcf9"/>'
        f"{''.join(parts)}</svg>\n"
    )

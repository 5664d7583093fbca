"""How a training goes -> Plotly figures, without fonts and without colours of text or background."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from mnist_core.figures import ANSWER, GUESS
from mnist_core.learning import Curves, Float64

TRAINING, VALIDATION = ANSWER, "#e67e00"
_FAINT = "rgba(91, 120, 232, 0.38)"
_LINE = 14  # pixels
_MOST_BATCHES = 200  # points of the faint curve: more are not seen, and every one is sent again and again


def learning_curve(
    curves: Curves, epochs: int, what: Literal["accuracy", "loss"], turns: Mapping[int, str] | None = None
) -> go.Figure:
    """Draw one figure of a training against the epochs.

    Parameters
    ----------
    curves
        What is known so far.
    epochs
        How many there will be: the axis has its full length from the beginning.
    what
        Which figure.
    turns
        Marked where the training changes, by the epoch after which it does, in words: `TrainRecipe.turns`.

    Returns
    -------
    Figure
        Faint: the training batches. Strong, with a point an epoch: training and validation.
    """
    batches, train, held = {
        "accuracy": (curves.accuracy, curves.train_accuracy, curves.validation_accuracy),
        "loss": (curves.loss, curves.train_loss, curves.validation_loss),
    }[what]
    value = "%{y:.2%}" if what == "accuracy" else "%{y:.4f}"
    every = max(1, len(curves.at) // _MOST_BATCHES)
    mode = "lines+markers" if epochs <= 40 else "lines"
    figure = go.Figure(
        [
            _line(curves.at[::every], batches[::every], "Batches", _FAINT, "lines", value),
            _line(curves.epochs, train, "Training", TRAINING, mode, value),
            _line(curves.epochs, held, "Validation", VALIDATION, mode, value),
        ]
    )
    if not np.isfinite(held).any():
        figure.data[2].update(visible=len(held) == 0)  # nothing was held back: no empty name in the legend
    figure.update_layout(
        height=230,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        dragmode=False,
        hovermode="x unified",
        uirevision="steady",
    )
    figure.update_xaxes(range=[0, epochs * 1.01], fixedrange=True, title="Epoch", showgrid=False, rangemode="tozero")
    figure.update_yaxes(fixedrange=True, title=None, tickformat=".0%" if what == "accuracy" else None)
    # The words stand where no curve runs, below a rising one and above a falling one, each in a line of its own.
    y, edge, way = (0, "bottom", 1) if what == "accuracy" else (1, "top", -1)
    place = {"yref": "paper", "y": y, "yanchor": edge}
    for number, (epoch, words) in enumerate((turns or {}).items()):
        side = "right" if epoch > epochs / 2 else "left"
        figure.add_vline(
            epoch,
            line={"color": GUESS, "width": 1, "dash": "dot"},
            annotation=place
            | {"text": words, "font_size": 11, "showarrow": False, "xanchor": side, "yshift": _LINE * way * number},
        )
    if what == "accuracy":
        figure.update_yaxes(range=[_floor(batches), 1.005])
    else:
        figure.update_yaxes(rangemode="tozero")
    return figure


def _line(x: Float64, y: Float64, name: str, colour: str, mode: str, value: str) -> go.Scatter:
    width = 1.2 if colour == _FAINT else 2.2
    return go.Scatter(
        x=x.round(3).tolist(),
        y=[None if np.isnan(one) else float(f"{one:.5g}") for one in y],
        name=name,
        mode=mode,
        line={"color": colour, "width": width},
        marker={"size": 5},
        hovertemplate=value,
    )


def _floor(accuracies: Float64) -> float:
    """Where the axis of accuracy begins: at 0, or higher when even the beginning was good."""
    lowest = float(np.min(accuracies, initial=1.0))
    return next((floor for floor in (0.8, 0.5) if lowest > floor), 0.0)

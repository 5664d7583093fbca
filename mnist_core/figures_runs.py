"""Figures of runs: their curves over each other, and one digit's answer epoch by epoch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.figures import ANSWER, REST
from mnist_core.runs import Run

COLOURS = (ANSWER, "#e69f00", "#009e73", "#cc79a7")
"""Of up to four runs: told apart by everyone (Okabe and Ito)."""
_MEASURES = {"loss": "Loss", "accuracy": "Accuracy"}


def history(runs: Sequence[Run], measure: str) -> go.Figure:
    """Draw ``"loss"`` or ``"accuracy"`` by epoch: on validation digits as a line, on training digits dotted."""
    figure = go.Figure()
    for run, colour in zip(runs, COLOURS, strict=False):
        epochs = [epoch["epoch"] for epoch in run.history]
        for part, dash, digits in (("", "dot", "training"), ("validation_", "solid", "validation")):
            values = [epoch.get(f"{part}{measure}") for epoch in run.history]
            if any(value is not None for value in values):
                figure.add_scatter(
                    x=epochs,
                    y=values,
                    mode="lines" if len(epochs) > 1 else "markers",
                    line={"color": colour, "dash": dash, "width": 2},
                    name=f"{run.name}, {digits}" if len(runs) > 1 else digits.capitalize(),
                    hovertemplate=f"{run.name}, {digits}, epoch %{{x}}: "
                    + ("%{y:.2%}" if measure == "accuracy" else "%{y:.4f}")
                    + "<extra></extra>",
                )
    _layout(figure, _MEASURES[measure])
    figure.update_yaxes(tickformat=".1%" if measure == "accuracy" else None)
    if measure == "loss":
        figure.update_yaxes(rangemode="tozero")
    return figure


def answer_by_epoch(epochs: Sequence[int], probabilities: npt.NDArray[np.float32], chosen: int) -> go.Figure:
    """Draw how likely a network found the digits after each epoch, for one drawing.

    Parameters
    ----------
    epochs
        At which its weights were kept.
    probabilities
        ``float32 (len(epochs), 10)``.
    chosen
        The epoch that is looked at.
    """
    figure = go.Figure()
    likely = np.argsort(-probabilities.max(axis=0))[:3]  # the others would all lie on the floor
    for digit in range(10):
        place = int(np.flatnonzero(likely == digit)[0]) if digit in likely else None
        figure.add_scatter(
            x=list(epochs),
            y=[float(value) for value in probabilities[:, digit]],
            mode="lines+markers",
            line={"color": REST if place is None else COLOURS[place], "width": 1 if place is None else 2},
            marker={"size": 5},
            name=str(digit),
            showlegend=place is not None,
            hovertemplate=f"{digit} after epoch %{{x}}: %{{y:.1%}}<extra></extra>",
        )
    figure.add_vline(x=chosen, line={"color": REST, "dash": "dot"})
    _layout(figure, "Probability")
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%")
    return figure


def _layout(figure: go.Figure, title: str) -> None:
    figure.update_layout(
        height=300,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        title={"text": title, "font": {"size": 14}, "x": 0, "xanchor": "left", "y": 0.99, "yanchor": "top"},
        legend={"orientation": "h", "y": -0.28, "x": 0, "yanchor": "top"},
        hovermode="closest",
        dragmode=False,
    )
    figure.update_xaxes(
        title={"text": "Epoch", "standoff": 6}, fixedrange=True, showgrid=False, rangemode="tozero", tickformat="d"
    )
    figure.update_yaxes(fixedrange=True, title=None, automargin=True)

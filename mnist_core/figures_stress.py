"""Stress curves and small changes -> Plotly figures and pictures; see `mnist_core.figures` on their colours."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.figures_metrics import BLUE, QUIET, VERMILION
from mnist_core.stress import DISTURBANCES
from mnist_core.stress_curves import ENOUGH, Curve

GREEN, PURPLE = "0, 158, 115", "204, 121, 167"  # Okabe and Ito's
# Told apart by colour, by line and by sign.
_LOOKS = ((VERMILION, "dash", "diamond"), (BLUE, "solid", "circle"), (GREEN, "dot", "square"), (PURPLE, "dashdot", "x"))


def stress_curves(curves: Sequence[Curve], seen: float = 0.0) -> go.Figure:
    """Draw how many digits are read right over the strength of one disturbance.

    Parameters
    ----------
    curves
        One to four, of the same disturbance.
    seen
        How far from the neutral strength digits went while the runs learned; that part is shaded.
    """
    how = DISTURBANCES[curves[0].disturbance]
    figure = go.Figure()
    if seen:
        figure.add_vrect(
            max(how.low, how.neutral - seen), min(how.high, how.neutral + seen),
            fillcolor=f"rgba({BLUE}, 0.1)", line_width=0, layer="below",
        )  # fmt: skip
    figure.add_hline(ENOUGH, line={"color": QUIET, "dash": "dot", "width": 1.5})
    for one, (colour, dash, symbol) in zip(curves, _LOOKS, strict=False):
        figure.add_scatter(
            name=one.run,
            x=one.strengths.tolist(),
            y=one.accuracy.tolist(),
            customdata=[(at.low, at.high, how.write(x)) for at, x in zip(one.intervals, one.strengths, strict=True)],
            mode="lines+markers",
            line={"color": f"rgb({colour})", "dash": dash, "width": 2.5},
            marker={"symbol": symbol, "size": 7},
            hovertemplate=f"{one.run}, %{{customdata[2]}}: %{{y:.1%}} right<br>"
            "95 % interval %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
        )
    room = 0.02 * (how.high - how.low)
    unit = {"°": "degrees", "%": "%"}.get(how.unit, how.unit)
    figure.update_layout(
        height=380,
        margin={"l": 4, "r": 8, "t": 40, "b": 4},
        dragmode=False,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}},
    )
    figure.update_xaxes(
        fixedrange=True, zeroline=False, range=[how.low - room, how.high + room], title=f"{how.title.lower()}, {unit}"
    )
    figure.update_yaxes(fixedrange=True, zeroline=False, range=[-0.02, 1.04], tickformat=".0%", title="read right")
    return figure


def difference_picture(difference: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Draw a change to a digit image: added ink blue, ink taken away vermilion, on white, the largest at full strength.

    Parameters
    ----------
    difference
        ``float32 (h, w)``, of any scale.

    Returns
    -------
    ndarray
        ``uint8 (h, w, 3)``, RGB; all white where nothing is changed.
    """
    most = float(np.abs(difference).max())
    strength = np.abs(difference)[..., None] / most if most else np.zeros((*difference.shape, 1), np.float32)
    ink = np.where(difference[..., None] > 0, _rgb(BLUE), _rgb(VERMILION))
    return np.rint(255 + strength * (ink - 255.0)).astype(np.uint8)


def _rgb(colour: str) -> npt.NDArray[np.int64]:
    return np.array([int(part) for part in colour.split(",")])

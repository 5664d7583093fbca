"""Result objects -> Plotly figures.

The figures bring no fonts and no colours of text or background: these come from whoever shows them, so that they
fit a light page and a dark one. The colours they do bring can be told apart without seeing red or green.
"""

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.evaluation import in_percent

Float32 = npt.NDArray[np.float32]

ANSWER = "#5b78e8"
RUNNER_UP = "rgba(91, 120, 232, 0.45)"
GUESS = "#8a8f9c"
REST = "rgba(138, 143, 156, 0.45)"
_SMALLEST_NAMED = 0.01  # the numbers of the others would all say "0%"


def probability_bars(probabilities: Float32, accepted: bool = True) -> go.Figure:
    """Draw the ten probabilities of one answer as bars.

    Parameters
    ----------
    probabilities
        ``float32 (10,)``, each in [0, 1]; all zero where there is no digit.
    accepted
        Whether the answer is relied on; a mere guess is as grey as all the rest, only stronger.

    Returns
    -------
    Figure
        One bar a digit: the answer's and the runner-up's stand out, each with its percentage.
    """
    order = np.argsort(-probabilities)
    colours = [REST] * 10
    if probabilities.any():
        colours[int(order[1])] = RUNNER_UP if accepted else REST
        colours[int(order[0])] = ANSWER if accepted else GUESS
    figure = go.Figure(
        go.Bar(
            x=[str(digit) for digit in range(10)],
            y=[float(value) for value in probabilities],
            marker={"color": colours, "line": {"width": 0}, "cornerradius": 3},
            text=[_share(float(value)) for value in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        )
    )
    figure.update_layout(
        height=190,
        margin={"l": 0, "r": 0, "t": 20, "b": 24},
        bargap=0.3,
        showlegend=False,
        dragmode=False,
        uniformtext={"minsize": 9, "mode": "show"},
    )
    figure.update_xaxes(type="category", fixedrange=True, showgrid=False, ticks="", title=None)
    figure.update_yaxes(range=[0, 1], fixedrange=True, showgrid=False, showticklabels=False, zeroline=True, title=None)
    return figure


def _share(value: float) -> str:
    """A bar's number, where it is large enough for one."""
    return in_percent(value) if value >= _SMALLEST_NAMED else ""

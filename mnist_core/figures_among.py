"""A map of test digits with a drawing on it -> a Plotly figure; see `mnist_core.figures` on its colours."""

import plotly.graph_objects as go

from mnist_core.among import Landscape
from mnist_core.predictions import Predictions
from mnist_core.wording import a_digit

# Okabe and Ito's colours, and two more. The digits themselves say what they are; colour only groups them.
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8f8a1f", "#7a6fd0", "#8a8f9c", "#b5651d",
)  # fmt: skip
YOURS = "#d81b60"


def landscape(found: Landscape, predictions: Predictions, yours: tuple[float, float], paper: str) -> go.Figure:
    """Draw the digits of a map as small digits, and a drawing among them.

    Parameters
    ----------
    found
        The map, as `mnist_core.among.survey` lays it.
    predictions
        The run's answers to the same test digits: what comes up over a digit says how it was read.
    yours
        Where the drawing lies.
    paper
        Colour of the page, for the edge around the drawing's mark.

    Returns
    -------
    Figure
        Ten traces of digits, and one named ``"yours"`` with one point.
    """
    figure = go.Figure()
    for digit in range(10):
        here = found.labels == digit
        if not here.any():
            continue
        figure.add_scatter(
            name=str(digit),
            x=found.points[here, 0].tolist(),
            y=found.points[here, 1].tolist(),
            mode="text",
            text=[str(digit)] * int(here.sum()),
            textfont={"size": 10, "color": COLOURS[digit]},
            hovertext=[
                f"{a_digit(digit).capitalize()}, read as {predictions.predicted[row]}" for row in found.rows[here]
            ],
            hoverinfo="text",
        )
    figure.add_scatter(
        name="yours",
        x=[yours[0]],
        y=[yours[1]],
        mode="markers",
        marker={"symbol": "star", "size": 20, "color": YOURS, "line": {"color": paper, "width": 2}},
        hovertext=["Your drawing"],
        hoverinfo="text",
    )
    figure.add_annotation(
        x=yours[0],
        y=yours[1],
        yshift=22,
        text="<b>yours</b>",
        showarrow=False,
        font={"size": 14, "color": YOURS},
        bgcolor=paper,
        opacity=0.9,
    )
    figure.update_layout(
        height=430, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False, dragmode=False, hovermode="closest"
    )
    quiet = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**quiet)
    figure.update_yaxes(**quiet)
    return figure

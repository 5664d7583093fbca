"""Scores, confusion matrices and calibration -> Plotly figures; see `mnist_core.figures` on their colours."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.calibration import Bin, Coverage, Refusal
from mnist_core.scores import DigitScore
from mnist_core.wording import a_digit

Float64 = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Cell = tuple[int | None, int | None]

# Okabe and Ito's blue and vermilion. Never quite opaque, so that the page's own text colour can be read on them.
BLUE, VERMILION = "0, 114, 178", "213, 94, 0"
GOOD, BAD = f"rgb({BLUE})", f"rgb({VERMILION})"
QUIET = "rgba(138, 143, 156, 0.7)"
_STRONGEST = 0.75
_FAINTEST = 0.12  # of what is not nothing
_CELL = 34  # pixels: a square that covers one cell of the matrix
_DIGITS = [str(digit) for digit in range(10)]


def confusion(
    values: Float64, counts: Counts, shares: bool = False, chosen: Cell = (None, None), ink: str | None = None
) -> go.Figure:
    """Draw a confusion matrix whose cells can be clicked.

    Parameters
    ----------
    values
        ``float64 (10, 10)``, true digit down: as `mnist_core.confusion.seen` gives them.
    counts
        ``int64 (10, 10)``: the counts behind them, for the words that come up over a cell.
    shares
        The values are shares, written in percent.
    chosen
        True and predicted digit of the cell to be framed; with one of them None, its whole row or column.
    ink
        Colour of the numbers; by default that of the page's charts.

    Returns
    -------
    Figure
        What is read right is blue, errors are vermilion, each the stronger the more there are. A click selects a
        point whose ``customdata`` is ``[true, predicted]``.
    """
    right, wrong = np.where(np.eye(10, dtype=bool), values, np.nan), np.where(np.eye(10, dtype=bool), np.nan, values)
    write = _percent if shares else _whole
    text = [[write(value) for value in row] for row in values]
    words = [
        f"{a_digit(true).capitalize()} read as {predicted}: {counts[true, predicted]:,} of {counts[true].sum():,}"
        for true in range(10)
        for predicted in range(10)
    ]
    return _matrix([_shade(right, BLUE), _shade(wrong, VERMILION)], text, words, chosen, ink)


def confusion_difference(
    counts: Counts, other: Counts, chosen: Cell = (None, None), ink: str | None = None
) -> go.Figure:
    """Draw by how much one confusion matrix differs from another, in counts; the cells can be clicked as there.

    Parameters
    ----------
    counts, other
        ``int64 (10, 10)``, true digit down, of the same digits.
    chosen, ink
        As in `confusion`.

    Returns
    -------
    Figure
        Blue is better than the other, vermilion is worse, each the stronger the more.
    """
    more = (counts - other).astype(np.float64)
    gain = np.where(np.eye(10, dtype=bool), more, -more)
    better, worse = np.where(gain > 0, gain, np.nan), np.where(gain < 0, -gain, np.nan)
    text = [["" if value == 0 else f"{value:+.0f}".replace("-", "\N{MINUS SIGN}") for value in row] for row in more]
    words = [
        f"{a_digit(true).capitalize()} read as {predicted}: {counts[true, predicted]:,}, "
        f"and {other[true, predicted]:,} by the other"
        for true in range(10)
        for predicted in range(10)
    ]
    most = float(np.abs(more).max())
    return _matrix([_shade(better, BLUE, most), _shade(worse, VERMILION, most)], text, words, chosen, ink)


def _shade(values: Float64, colour: str, most: float | None = None) -> go.Heatmap:
    """Cells in one colour, the stronger the larger the value; nothing where it is 0 or undefined."""
    shown = np.where(values > 0, values, np.nan)
    largest = most or (float(np.nanmax(shown)) if np.isfinite(shown).any() else 1.0)
    return go.Heatmap(
        x=_DIGITS,
        y=_DIGITS,
        z=[[None if np.isnan(value) else float(value) for value in row] for row in shown],
        zmin=0,
        zmax=largest,
        colorscale=[[0, f"rgba({colour}, {_FAINTEST})"], [1, f"rgba({colour}, {_STRONGEST})"]],
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )


def _matrix(
    shades: list[go.Heatmap], text: list[list[str]], words: list[str], chosen: Cell, ink: str | None
) -> go.Figure:
    places = [(true, predicted) for true in range(10) for predicted in range(10)]
    # Plotly selects points and no cells of a heatmap, so each cell has a point: a square that nobody sees.
    points = go.Scatter(
        x=[_DIGITS[predicted] for _, predicted in places],
        y=[_DIGITS[true] for true, _ in places],
        mode="markers+text",
        text=[text[true][predicted] for true, predicted in places],
        textfont={"size": 12, "color": ink},
        customdata=places,
        hovertext=words,
        hoverinfo="text",
        marker={"symbol": "square", "size": _CELL, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )
    figure = go.Figure([*shades, points])
    figure.update_layout(
        height=470,
        margin={"l": 34, "r": 4, "t": 52, "b": 4},
        dragmode=False,
        clickmode="event+select",
        hoverlabel={"align": "left"},
        shapes=_frame(*chosen),
        uniformtext={"minsize": 9, "mode": "show"},
    )
    axis = {
        "type": "category",
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "showline": False,
    }
    figure.update_xaxes(**axis, range=[-0.5, 9.5], side="top", title={"text": "read as", "standoff": 4})
    figure.update_yaxes(**axis, range=[9.5, -0.5], title={"text": "written", "standoff": 4})
    return figure


def _frame(true: int | None, predicted: int | None) -> list[dict[str, object]]:
    """A frame round the chosen cell, row or column; none where everything is chosen."""
    if true is None and predicted is None:
        return []
    x0, x1 = (-0.5, 9.5) if predicted is None else (predicted - 0.5, predicted + 0.5)
    y0, y1 = (-0.5, 9.5) if true is None else (true - 0.5, true + 0.5)
    line = {"color": f"rgb({VERMILION})" if true != predicted else f"rgb({BLUE})", "width": 3}
    return [{"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line}]


def _whole(value: float) -> str:
    return "" if np.isnan(value) or value == 0 else f"{value:,.0f}"


def _percent(value: float) -> str:
    """A share in percent, with as many places as fit: never 0 or 100 by rounding alone."""
    if np.isnan(value) or value == 0:
        return ""
    if value == 1:
        return "100"
    if value < 0.0005:
        return "<.1"
    return f"{min(99.9, 100 * value):.1f}"


def digit_shares(digits: Sequence[DigitScore]) -> go.Figure:
    """Draw recall and precision of each digit with their 95 % intervals.

    Parameters
    ----------
    digits
        As `mnist_core.scores.digit_scores` gives them; a share that is undefined is left out.
    """
    figure = go.Figure()
    kinds = (
        ("Recall", "circle", GOOD, -0.13, [(one.digit, one.recall, one.recall_interval) for one in digits]),
        ("Precision", "diamond", BAD, 0.13, [(one.digit, one.precision, one.precision_interval) for one in digits]),
    )
    for name, symbol, colour, aside, rows in kinds:
        known = [(digit, share, interval) for digit, share, interval in rows if share is not None and interval]
        figure.add_scatter(
            name=name,
            x=[digit + aside for digit, _, _ in known],
            y=[share for _, share, _ in known],
            customdata=[(digit, interval.low, interval.high) for digit, _, interval in known],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [interval.high - share for _, share, interval in known],
                "arrayminus": [share - interval.low for _, share, interval in known],
                "thickness": 1.5,
                "width": 0,
            },
            mode="markers",
            marker={"symbol": symbol, "color": colour, "size": 9},
            hovertemplate=f"%{{customdata[0]}}: {name.lower()} %{{y:.2%}}<br>"
            "95 % interval %{customdata[1]:.2%} to %{customdata[2]:.2%}<extra></extra>",
        )
    _quiet_layout(figure, height=320)
    figure.update_xaxes(tickvals=list(range(10)), range=[-0.6, 9.6], showgrid=False, title="digit")
    figure.update_yaxes(tickformat=".1%", title=None)
    return figure


def reliability(before: Sequence[Bin], after: Sequence[Bin]) -> go.Figure:
    """Draw how often answers are right that claim a certainty, with 95 % intervals.

    Parameters
    ----------
    before, after
        Bins without the temperature and with it, as `mnist_core.calibration.certainty` gives them.
    """
    figure = go.Figure()
    figure.add_scatter(
        name="as sure as right",
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": QUIET, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
    )
    for name, symbol, colour, bins in (
        ("before", "circle-open", BAD, before),
        ("after", "circle", GOOD, after),
    ):
        figure.add_scatter(
            name=name,
            x=[one.certainty for one in bins],
            y=[one.accuracy for one in bins],
            customdata=[(one.n, one.right, one.low, one.high) for one in bins],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [one.interval.high - one.accuracy for one in bins],
                "arrayminus": [one.accuracy - one.interval.low for one in bins],
                "thickness": 1.5,
                "width": 0,
            },
            mode="lines+markers",
            line={"color": colour, "width": 1.5},
            marker={"symbol": symbol, "size": 8},
            hovertemplate="%{customdata[0]:,} answers, %{customdata[2]:.0%} to %{customdata[3]:.0%} sure:<br>"
            "on average %{x:.1%} sure, %{y:.1%} right<extra></extra>",
        )
    _quiet_layout(figure, height=340)
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%", dtick=0.2, title="how sure it is")
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", dtick=0.2, title="how often it is right")
    return figure


def coverage(curve: Coverage, chosen: Refusal) -> go.Figure:
    """Draw the accuracy of what is read against the share that is read, with the chosen threshold on it."""
    figure = go.Figure()
    figure.add_scatter(
        x=curve.coverage,
        y=curve.accuracy,
        customdata=curve.threshold,
        mode="lines",
        line={"color": GOOD, "width": 2.5, "shape": "hv"},
        hovertemplate="%{customdata:.2%} sure is enough:<br>reads %{x:.1%}, %{y:.2%} of that right<extra></extra>",
        showlegend=False,
    )
    if chosen.accuracy is not None:
        figure.add_scatter(
            x=[chosen.coverage],
            y=[chosen.accuracy],
            mode="markers",
            marker={"color": BAD, "size": 13, "symbol": "diamond"},
            hovertemplate="your threshold: reads %{x:.1%}, %{y:.2%} of that right<extra></extra>",
            showlegend=False,
        )
    _quiet_layout(figure, height=340)
    figure.update_layout(margin={"t": 40})  # it has no legend
    figure.update_xaxes(
        tickformat=".0%", range=_where_it_falls(curve, chosen), title="share of the digits that it reads"
    )
    lowest = float(curve.accuracy.min())
    room = max(0.08 * (1 - lowest), 0.0005)
    figure.update_yaxes(tickformat=".1%", range=[lowest - room, 1 + room], title="right among those")
    return figure


def _where_it_falls(curve: Coverage, chosen: Refusal) -> tuple[float, float]:
    """The part of the curve where something is wrong, with the chosen point and some room."""
    perfect = curve.coverage[curve.accuracy == 1]
    first = min(float(perfect.max(initial=0.0)), chosen.coverage)
    length = max(1.2 * (1 - first), 0.01)
    return max(0.0, 1 - length) - 0.03 * length, 1 + 0.03 * length


def _quiet_layout(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        height=height,
        # The camera is at the top right; under it, the legend is free of it however narrow the figure is.
        margin={"l": 4, "r": 8, "t": 64, "b": 4},
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}},
    )
    figure.update_xaxes(fixedrange=True, zeroline=False)
    figure.update_yaxes(fixedrange=True, zeroline=False)


def config(name: str) -> dict[str, object]:
    """Return Plotly's settings for a figure that can be taken away as PNG, made by the browser."""
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": f"digit-lab-{name}", "scale": 3},
    }

"""Digits of a dataset as small pictures, or as numbers where there is no picture."""

from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.evaluation import in_percent
from mnist_core.predictions import Predictions
from mnist_core.wording import a_digit
from pages.components import evaluated
from pages.components.evaluated import Evaluated
from pages.components.pictures import data_url

Rows = npt.NDArray[np.intp]

PER_PAGE = 24


def page_of(found: Evaluated, rows: Rows, key: str) -> None:
    """Show the digits of these rows in this order, a page at a time."""
    if found.images is None:
        _numbers(found.predictions[0], rows, key)
        return
    pages = -(-len(rows) // PER_PAGE)
    page = st.pagination(pages, key=f"{key}-page-{pages}-{rows[0]}", max_visible_pages=5) if pages > 1 else 1
    shown = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    cards = "".join(_card(found, int(row)) for row in shown)
    st.html(f'<div class="dl-digits" role="list" aria-label="Digits, worst first">{cards}</div>')


def _card(found: Evaluated, row: int) -> str:
    assert found.images is not None
    first = found.predictions[0]
    true, predicted = int(first.labels[row]), int(first.predicted[row])
    sure = in_percent(float(first.certainty[row]))
    kind = "dl-wrong" if true != predicted else "dl-right"
    title = f"Number {row}: {a_digit(true)}, read as {predicted}, {sure} sure"
    return (
        f'<div role="listitem" title="{escape(title)}"><img class="dl-pixels" src="{data_url(found.images[row], 28)}" '
        f'alt="{escape(title)}"><span class="{kind}">{true} \N{RIGHTWARDS ARROW} <b>{predicted}</b></span>'
        f"<small>{escape(sure)} sure</small></div>"
    )


def _numbers(predictions: Predictions, rows: Rows, key: str) -> None:
    """The same as a table, with the way to the pictures."""
    st.dataframe(
        {
            "Number": rows,
            "Written": predictions.labels[rows],
            "Read as": predictions.predicted[rows],
            "How sure": predictions.certainty[rows],
            "Loss": predictions.losses[rows],
        },
        hide_index=True,
        column_config={
            "How sure": st.column_config.NumberColumn(format="percent"),
            "Loss": st.column_config.NumberColumn(format="%.2f"),
        },
        height=min(36 + 35 * len(rows), 316),
        key=f"{key}-numbers",
    )
    st.caption("These are numbers only: MNIST's pictures are not on this machine.")
    evaluated.get_mnist(f"{key}-get")

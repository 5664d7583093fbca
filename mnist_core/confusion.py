"""Which digits are mistaken for which: the confusion matrix seen in several ways, and the digits behind a cell."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from mnist_core.evaluation import confusion_matrix
from mnist_core.predictions import Predictions

Float64 = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

View = Literal["counts", "true", "predicted", "errors"]


def matrix(predictions: Predictions) -> Counts:
    """Return counts ``int64 (10, 10)``: true digit down, predicted digit across."""
    return confusion_matrix(predictions.labels, predictions.predicted)


def seen(counts: Counts, view: View) -> Float64:
    """Return a confusion matrix as it is looked at.

    Parameters
    ----------
    counts
        ``int64 (10, 10)``, as `matrix` gives it.
    view
        ``"counts"`` as they are; ``"true"`` or ``"predicted"``: as shares, in [0, 1], of the true digit (each row sums
        to 1) or of the predicted digit (each column); ``"errors"``: counts without those read right.

    Returns
    -------
    ndarray
        ``float64 (10, 10)``; NaN for the share of a digit that does not occur, and for those left out.
    """
    values = counts.astype(np.float64)
    if view == "errors":
        np.fill_diagonal(values, np.nan)
    if view in ("true", "predicted"):
        whole = values.sum(axis=1 if view == "true" else 0, keepdims=True)
        values = np.divide(values, whole, out=np.full_like(values, np.nan), where=whole > 0)
    return values


def rows_of(predictions: Predictions, true: int | None = None, predicted: int | None = None) -> Rows:
    """Return the rows of the digits behind a cell, worst first.

    Parameters
    ----------
    predictions
        Of a run on a dataset.
    true, predicted
        The cell. None: any; where either is None, only digits that are read wrong count.

    Returns
    -------
    ndarray
        ``intp (k,)``: those whose true digit was thought least probable come first.
    """
    chosen = np.ones(len(predictions), bool)
    if true is None or predicted is None:
        chosen &= predictions.wrong
    if true is not None:
        chosen &= predictions.labels == true
    if predicted is not None:
        chosen &= predictions.predicted == predicted
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-predictions.losses[rows], kind="stable")]

"""Fit the weights of `mnist_core._context`: what tells a digit of a page from a letter, a doodle or a speck.

    python -m bench.fit_context --strokes strokes.json.gz

Pages of every kind are written and read; which signs are digits is known from what was written. The weights are fitted
to half of the pages and tried on the other half.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.pictures import PAGES, Digits, pages
from mnist_core._context import FEATURES, features
from mnist_core.recognizer import Reading, Recognizer, as_sign
from mnist_core.runs import DEFAULT_RUN

# A page of a hundred digits would outweigh all others.
_LEFT_OUT = ("page_of_hundred",)
# One sign in twenty of these pages is no digit. On people's own there may be more: each counts this many times.
_OTHERS = 3
# Readings of pages and what was written there.
Read = list[tuple[Reading, str]]


def which_are_digits(read: Sequence[str], written: str) -> list[bool]:
    """Which of the signs are digits of what was written, by the alignment with the fewest signs added, lost or misread.

    Parameters
    ----------
    read
        The digit that each sign looks like, in reading order.
    written
        All digits of the page.
    """
    steps = np.zeros((len(read) + 1, len(written) + 1))
    steps[:, 0], steps[0] = np.arange(len(read) + 1), np.arange(len(written) + 1)

    def misread(i: int, j: int) -> float:
        return float(steps[i - 1, j - 1]) + (0.0 if read[i - 1] == written[j - 1] else 0.9)

    for i in range(1, len(read) + 1):
        for j in range(1, len(written) + 1):
            steps[i, j] = min(steps[i - 1, j] + 1, steps[i, j - 1] + 1, misread(i, j))
    found, i, j = [False] * len(read), len(read), len(written)
    while i and j:
        if steps[i, j] == misread(i, j):
            found[i - 1], i, j = True, i - 1, j - 1
        elif steps[i, j] == steps[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return found


def _table(readings: Read) -> tuple[np.ndarray, np.ndarray]:
    rows, digits = [], []
    for reading, written in readings:
        lines = [[as_sign(one) for one in line] for line in reading.lines]
        rows.append(features(lines))
        digits += which_are_digits([str(one.digit) for one in reading.recognitions], written.replace("\n", ""))
    return np.concatenate(rows), np.array(digits)


def main() -> int:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=Path, help="file of recorded pen strokes")
    parser.add_argument("--runs", nargs="+", default=[DEFAULT_RUN], help=f"the runs that read (default: {DEFAULT_RUN})")
    parser.add_argument("--pages", type=int, default=48, help="pages of each kind and half, for each run")
    parser.add_argument("--seed", type=int, default=21)
    options = parser.parse_args()
    digits = Digits(options.strokes)
    halves: list[Read] = [[], []]
    for run in options.runs:
        recognizer = Recognizer.load(run)
        for number, half in enumerate(halves):
            for kind in (kind for kind in PAGES if kind not in _LEFT_OUT):
                written = pages(kind, digits, options.pages, options.seed + number)
                half += [(recognizer.read(one.image), one.text) for one in written]
    (x, y), (x_other, y_other) = map(_table, halves)
    model = LogisticRegression(max_iter=5000, class_weight={False: _OTHERS, True: 1}).fit(x, y)
    print(f"{len(y):,} signs, {np.mean(y):.1%} digits; right on the other half: {model.score(x_other, y_other):.2%}")
    for name, weight in zip((*FEATURES, "constant"), (*model.coef_[0], model.intercept_[0]), strict=True):
        print(f"{name:12} {weight:6.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

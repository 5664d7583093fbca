"""Which kind of picture loses which digits.

    python -m bench.measure_pictures --strokes strokes.json.gz --run ann

The same digits are put into every kind of picture, so that a digit which is misread on a clean drawing already counts
against the handwriting and not against the picture: "lost" are those that were right there.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.pictures import PAGES, SINGLES, Digits, Sample, blanks, pages, singles
from mnist_core.preprocess import Prepared, prepare
from mnist_core.segment import prepare_page

Float32 = npt.NDArray[np.float32]
# Digit images (n, 28, 28) -> probabilities (n, 10).
Predict = Callable[[Float32], Float32]


@dataclass(frozen=True)
class Row:
    """What was read of one kind of picture."""

    kind: str
    pictures: int
    right: int
    none: int
    milliseconds: float
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of the pictures read right."""
        return self.right / max(self.pictures, 1)


def answers(prepared: Sequence[Prepared], predict: Predict) -> list[str]:
    """The digit read from each, empty where none was found."""
    found = [p.digit for p in prepared if p.digit is not None]
    read = iter(predict(np.stack(found)).argmax(1) if found else ())
    return [str(int(next(read))) if p.digit is not None else "" for p in prepared]


def measure_singles(
    kind: str, samples: Sequence[Sample], clean: Sequence[str], predict: Predict
) -> tuple[Row, list[str]]:
    """Read one kind of picture; `clean` is what was read from the same digits on clean drawings."""
    start = time.perf_counter()
    prepared = [prepare(sample.image) for sample in samples]
    seconds = time.perf_counter() - start
    read = answers(prepared, predict)
    right = sum(r == s.text for r, s in zip(read, samples, strict=True))
    lost = Counter(s.text for r, c, s in zip(read, clean, samples, strict=True) if c == s.text != r)
    none = sum(r == "" for r in read)
    return Row(kind, len(samples), right, none, 1000 * seconds / len(samples), dict(sorted(lost.items()))), read


def measure_pages(kind: str, samples: Sequence[Sample], predict: Predict) -> tuple[Row, list[str]]:
    """Read pages; right are those of which everything is."""
    start = time.perf_counter()
    prepared = [prepare_page(sample.image, judge=lambda digits: predict(digits).max(1)) for sample in samples]
    seconds = time.perf_counter() - start
    read = ["\n".join("".join(answers(line, predict)) for line in page.lines) for page in prepared]
    right = sum(r == s.text for r, s in zip(read, samples, strict=True))
    layout = [
        [len(x) for x in r.split("\n")] != [len(x) for x in s.text.split("\n")]
        for r, s in zip(read, samples, strict=True)
    ]
    return Row(kind, len(samples), right, sum(layout), 1000 * seconds / len(samples)), read


def measure(predict: Predict, strokes: Path | None, count: int, page_count: int, seed: int = 0) -> list[Row]:
    """Read pictures of every kind."""
    digits = Digits(strokes)
    chosen = digits.draw(count, np.random.default_rng([seed, 1]))
    reference, clean = measure_singles("clean", singles("clean", chosen, seed), [""] * count, predict)
    rows = [reference]
    for kind in SINGLES:
        if kind != "clean":
            rows.append(measure_singles(kind, singles(kind, chosen, seed), clean, predict)[0])
    rows.append(measure_singles("blank", blanks(count, seed), [""] * count, predict)[0])
    return rows + [measure_pages(kind, pages(kind, digits, page_count, seed), predict)[0] for kind in PAGES]


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    lines = [f"{'kind':20} {'read':>7} {'right':>7} {'none':>5} {'ms':>7}  lost, though right on a clean drawing"]
    for row in rows:
        lost = ", ".join(f"{n} x {digit}" for digit, n in row.lost.items())
        lines.append(
            f"{row.kind:20} {row.right:3}/{row.pictures:3} {row.share:7.3f} {row.none:5} {row.milliseconds:7.1f}  "
            + lost
        )
    return "\n".join(lines)


def main() -> int:
    """Measure and print; `--json` writes the figures too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=Path, help="file of recorded pen strokes")
    parser.add_argument("--run", default="ann", help="the run that reads (default: ann)")
    parser.add_argument("--count", type=int, default=100, help="digits in each kind of picture")
    parser.add_argument("--pages", type=int, default=20, help="pages of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    options = parser.parse_args()
    from mnist_core.recognizer import Recognizer

    recognizer = Recognizer.load(options.run)
    rows = measure(recognizer.probabilities, options.strokes, options.count, options.pages, options.seed)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

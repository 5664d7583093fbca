"""Which kind of picture loses which digits.

    python -m bench.measure_pictures --strokes strokes.json.gz --run ann
    python -m bench.measure_pictures --kinds page_touching --pages 200
    python -m bench --only pictures        fewer of them; DIGIT_LAB_STROKES may name the file of strokes

The same digits are put into every kind of picture, so that a digit which is misread on a clean drawing already counts
against the handwriting and not against the picture: "lost" are those that were right there.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.baselines import rough_largest
from bench.draft import Digit
from bench.pictures import BLANK, PAGES, SINGLES, Digits, Sample, blanks, pages, singles
from bench.report import Figure
from mnist_core.preprocess import Prepared, prepare
from mnist_core.recognizer import Reading, Recognizer

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
ALL_KINDS = (*SINGLES, BLANK, *PAGES)
# Digit images (n, 28, 28) -> probabilities (n, 10).
Predict = Callable[[Float32], Float32]


@dataclass(frozen=True)
class Row:
    """What was read of one kind of picture.

    `none` counts pictures without a digit, or pages with signs too many or too few in a line. Of pages, `right` counts
    those whose text is exact, `digits_right` what an edit distance leaves of their `digits`, and `clear` how many are
    exact of as many others whose digits are all read right on clean drawings. `rough` is how many pictures are right
    after the rough normalisation.
    """

    kind: str
    pictures: int
    right: int
    none: int
    milliseconds: float
    lost: dict[str, int] = field(default_factory=dict)
    digits: int = 0
    digits_right: int = 0
    rough: int | None = None
    clear: int | None = None

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
    per_picture = 1000 * seconds / len(samples)
    rough = None if kind == BLANK else _roughly_right(samples, predict)
    return Row(kind, len(samples), right, none, per_picture, dict(sorted(lost.items())), rough=rough), read


def _roughly_right(samples: Sequence[Sample], predict: Predict) -> int:
    """How many pictures are read right after the rough normalisation."""
    digits = [rough_largest(sample.image) for sample in samples]
    read = predict(np.stack([d if d is not None else np.zeros((28, 28), np.float32) for d in digits])).argmax(1)
    return sum(d is not None and str(r) == s.text for d, r, s in zip(digits, read, samples, strict=True))


def measure_pages(kind: str, samples: Sequence[Sample], read: Callable[[UInt8], Reading]) -> tuple[Row, list[str]]:
    """Read pages; right are those of which everything is, and nothing else is read."""
    start = time.perf_counter()
    readings = [read(sample.image) for sample in samples]
    seconds = time.perf_counter() - start
    texts, wanted = [r.text for r in readings], [s.text for s in samples]
    right = sum(t == w for t, w in zip(texts, wanted, strict=True))
    layout = sum(_lengths(t) != _lengths(w) for t, w in zip(texts, wanted, strict=True))
    digits = sum(len(w.replace("\n", "")) for w in wanted)
    wrong = sum(min(edits(t, w), len(w)) for t, w in zip(texts, wanted, strict=True))
    per_page = 1000 * seconds / len(samples)
    return Row(kind, len(samples), right, layout, per_page, digits=digits, digits_right=digits - wrong), texts


def _lengths(text: str) -> list[int]:
    return [len(line) for line in text.split("\n")]


def edits(one: str, other: str) -> int:
    """Fewest insertions, deletions and changes of one character that make one text the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def measure_all(
    recognizer: Recognizer,
    strokes: Path | None,
    count: int,
    page_count: int,
    seed: int = 0,
    with_clear: bool = False,
    kinds: Sequence[str] = ALL_KINDS,
) -> list[Row]:
    """Read pictures of some kinds; `with_clear` also pages of digits that are read right on clean drawings."""
    digits, predict = Digits(strokes), recognizer.probabilities
    chosen = digits.draw(count, np.random.default_rng([seed, 1]))
    reference, clean = measure_singles("clean", singles("clean", chosen, seed), [""] * count, predict)
    rows = [reference]
    for kind in SINGLES:
        if kind != "clean" and kind in kinds:
            rows.append(measure_singles(kind, singles(kind, chosen, seed), clean, predict)[0])
    if BLANK in kinds:
        rows.append(measure_singles(BLANK, blanks(count, seed), [""] * count, predict)[0])
    asked = [kind for kind in PAGES if kind in kinds]
    paged = [measure_pages(kind, pages(kind, digits, page_count, seed), recognizer.read)[0] for kind in asked]
    if with_clear:
        digits.keep(lambda some: _clear(some, predict, seed))
        clear = [measure_pages(kind, pages(kind, digits, page_count, seed), recognizer.read)[0] for kind in asked]
        paged = [replace(row, clear=other.right) for row, other in zip(paged, clear, strict=True)]
    return rows + paged


def _clear(digits: Sequence[Digit], predict: Predict, seed: int) -> list[bool]:
    """Whether each digit is read right on a clean drawing."""
    found = []
    for start in range(0, len(digits), 256):
        samples = singles("clean", digits[start : start + 256], seed)
        read = answers([prepare(sample.image) for sample in samples], predict)
        found += [r == s.text for r, s in zip(read, samples, strict=True)]
    return found


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    head = f"{'kind':20} {'right':>9} {'share':>7} {'rough':>7} {'digits':>7} {'clear':>7} {'none':>5} {'ms':>7}  lost"
    lines = [head + ", though right on a clean drawing"]
    for row in rows:
        lost = ", ".join(f"{n} x {digit}" for digit, n in row.lost.items())
        rough = "" if row.rough is None else f"{row.rough / row.pictures:.3f}"
        digits = f"{row.digits_right / row.digits:.3f}" if row.digits else ""
        clear = "" if row.clear is None else f"{row.clear / row.pictures:.3f}"
        lines.append(
            f"{row.kind:20} {row.right:4}/{row.pictures:4} {row.share:7.3f} {rough:>7} {digits:>7} {clear:>7} "
            f"{row.none:5} {row.milliseconds:7.1f}  {lost}"
        )
    return "\n".join(lines)


def markdown(rows: Sequence[Row], run: str, command: str) -> str:
    """The rows as a page of documentation."""
    written = [row for row in rows if row.kind in SINGLES]
    right, rough = sum(row.right for row in written), sum(row.rough or 0 for row in written)
    of = sum(row.pictures for row in written)
    paged = [row for row in rows if row.kind in PAGES]
    exact, clear = sum(row.right for row in paged), sum(row.clear or 0 for row in paged)
    sheets = sum(row.pictures for row in paged)
    lines = [
        "# What is read of which pictures",
        "",
        f"The same {written[0].pictures} digits, none of which a network has learned from, in {len(written)} kinds of "
        f"pictures: `{run}` reads {right / of:.1%} of them, and after a rough normalisation {rough / of:.1%}. Of "
        f"{sheets} pages {exact / sheets:.1%} are read without a single mistake. What is misread on a clean drawing "
        f"already is counted as well: of as many pages whose digits are all read right on clean drawings, "
        f"{clear / sheets:.1%} are read without a mistake. Written by `{command}`.",
        "",
        "| one digit | read right | after a rough normalisation |",
        "| --- | --- | --- |",
        *(f"| {_about(SINGLES[r.kind])} | {r.share:.0%} | {(r.rough or 0) / r.pictures:.0%} |" for r in written),
        "",
        "| a page | read exactly | digits right | read exactly where all digits are clear |",
        "| --- | --- | --- | --- |",
        *(
            f"| {_about(PAGES[r.kind])} | {r.share:.0%} | {r.digits_right / r.digits:.1%} "
            f"| {(r.clear or 0) / r.pictures:.0%} |"
            for r in paged
        ),
    ]
    return "\n".join(lines) + "\n"


def _about(kind: Callable[..., object]) -> str:
    return (kind.__doc__ or "").strip().removesuffix(".")


# What `make bench` measures: enough to see a kind of picture break, not enough to rank programs.
BENCH_SINGLES, BENCH_PAGES = 10, 3


def measure(run: str) -> list[Figure]:
    """Read some pictures of every kind and print the table; the figures are the same, kind by kind."""
    strokes = os.environ.get("DIGIT_LAB_STROKES")
    recognizer = Recognizer.load(run)
    rows = measure_all(recognizer, Path(strokes) if strokes else None, BENCH_SINGLES, BENCH_PAGES)
    print(table(rows), file=sys.stderr)
    return [_figure(row) for row in rows]


def _figure(row: Row) -> Figure:
    """A row as a figure: the share read right, beside that after the rough normalisation."""
    rough = None if row.rough is None else 100 * row.rough / row.pictures
    against = "" if rough is None else "rough normalisation"
    if not row.digits:
        return Figure(f"read right: {row.kind}", 100 * row.share, "%", rough, against, f"{row.pictures} pictures")
    detail = f"{row.pictures} pages, {row.digits_right / row.digits:.1%} of {row.digits} digits right"
    return Figure(f"read exactly: {row.kind}", 100 * row.share, "%", None, "", detail)


def main() -> int:
    """Measure and print; `--json` writes the figures too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=Path, help="file of recorded pen strokes")
    parser.add_argument("--run", default="ann", help="the run that reads (default: ann)")
    parser.add_argument("--count", type=int, default=100, help="digits in each kind of picture")
    parser.add_argument("--pages", type=int, default=20, help="pages of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--kinds", nargs="+", choices=ALL_KINDS, default=ALL_KINDS, metavar="KIND", help="only these (default: all)"
    )
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--markdown", type=Path, help="write them as a page of documentation into this file")
    options = parser.parse_args()
    if options.markdown and set(options.kinds) != set(ALL_KINDS):
        parser.error("the page of documentation is about all kinds")
    recognizer = Recognizer.load(options.run)
    rows = measure_all(
        recognizer, options.strokes, options.count, options.pages, options.seed, with_clear=True, kinds=options.kinds
    )
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    if options.markdown:
        how = f"--strokes FILE --count {options.count} --pages {options.pages} --markdown docs/pictures.md"
        command = f"python -m bench.measure_pictures {how}"
        options.markdown.write_text(markdown(rows, options.run, command))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`, or `python -m bench --only drawing`: measure, print a table, write JSON."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench import MEASURES, measure
from bench.report import Figure, machine, save, table


def main() -> int:
    """Measure each question in a process of its own, so that none finds another's memory or caches."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, action="append", help="measure this alone (repeatable)")
    parser.add_argument("--run", default="ann", metavar="NAME", help="the run that answers (default: ann)")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    about = machine()
    figures: list[Figure] = []
    for name in options.only or MEASURES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            figures += apart.submit(measure, name, options.run).result()
    print(f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GB\n")
    print(table(figures))
    print("\nratio: what it is compared with, divided by what was measured")
    print(f"All of it in {save(figures, about)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

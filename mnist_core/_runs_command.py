"""The command ``runs`` and what can be done with a run: compare, rename, note, delete, restore, export, import."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_core._folders import write_file
from mnist_core._quiet import import_tensorflow
from mnist_core.errors import DigitLabError

FORMATS = ".zip (all of it), .safetensors (weights), .keras, .tflite (LiteRT), .py (NumPy alone)"


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add what can be done with a run to the parser of ``runs``."""
    actions = parser.add_subparsers(metavar="ACTION", title="with one run")

    def add(name: str, action: Callable[[argparse.Namespace], int], about: str, *words: str) -> None:
        sub = actions.add_parser(name, help=about, description=about)
        sub.set_defaults(command=action)
        for word in words:
            kind = Path if word == "FILE" else str
            sub.add_argument(word.lower(), metavar=word, type=kind)
        # Left out here, it keeps what was said before the action.
        sub.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout, nothing else"
        )

    add("compare", _compare, "What two runs differ in, and whether one reads better.", "NAME", "OTHER")
    add("rename", _rename, "Give a run of your own another name.", "NAME", "NEW")
    add("note", _note, "Write a note to a run of your own.", "NAME", "TEXT")
    add("delete", _delete, "Delete a run of your own; it can be brought back for 30 days.", "NAME")
    add("restore", _restore, "Bring a deleted run back, by the token that delete gave, or its name.", "TOKEN")
    add("export", _export, f"Write a run to a file, by its ending: {FORMATS}.", "NAME", "FILE")
    add("import", _import, "Keep a run from a .zip or .safetensors file that export made.", "FILE")


def list_all(options: argparse.Namespace) -> int:
    """List the bundled runs and one's own."""
    from mnist_core import runs

    for run in runs.list_runs():
        record = {
            "run": run.name,
            "origin": run.origin,
            "title": run.title,
            "parameters": run.parameters,
            "dataset": run.dataset,
            "epochs": len(run.history),
            "seconds": run.seconds,
            "train_accuracy": run.metrics.train_accuracy,
            "train_loss": run.metrics.train_loss,
            "test_accuracy": run.metrics.test_accuracy,
            "test_interval": [run.metrics.test_interval.low, run.metrics.test_interval.high],
            "test_loss": run.metrics.test_loss,
            "published": list(run.published),
            "created": run.created,
            "note": run.note,
        }
        interval = f"{run.metrics.test_interval.low:.2%} to {run.metrics.test_interval.high:.2%}"
        words = (
            f"{run.name:20} {run.origin:8} {run.dataset:8} {run.metrics.test_accuracy:7.2%} ({interval}) "
            f"{run.parameters:>10,} weights {run.seconds:8.1f} s{f'  {run.note}' if run.note else ''}"
        )
        _say(options, record, words)
    for broken in runs.list_broken():
        print(f"left alone: {broken.reason}", file=sys.stderr)
    return 0


def _say(options: argparse.Namespace, record: dict[str, Any], words: str) -> int:
    print(json.dumps(record) if options.json else words, flush=True)
    return 0


def _compare(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from mnist_core import comparison, runs

    pair = [runs.load_run(name) for name in (options.name, options.other)]
    differences = comparison.recipe_differences(pair)
    first, second = comparison.same_digits(pair)
    test = comparison.mcnemar(first.wrong, second.wrong)
    sentence = test.sentence(*(run.name for run in pair))
    record = {
        "runs": [run.name for run in pair],
        "differences": {one.title: list(one.values) for one in differences},
        **asdict(test),
        "sentence": sentence,
    }
    lines = [f"{one.title}: {one.values[0]} | {one.values[1]}" for one in differences] or ["The recipes are the same."]
    return _say(options, record, "\n".join([*lines, sentence]))


def _rename(options: argparse.Namespace) -> int:
    from mnist_core import keeping

    run = keeping.rename_run(options.name, options.new)
    return _say(options, {"run": run.name}, f"{options.name} is called {run.name} now")


def _note(options: argparse.Namespace) -> int:
    from mnist_core import keeping

    run = keeping.set_note(options.name, options.text)
    return _say(options, {"run": run.name, "note": run.note}, f"{run.name}: {run.note or 'no note'}")


def _delete(options: argparse.Namespace) -> int:
    from mnist_core import keeping

    token = keeping.delete_run(options.name)
    record = {"run": options.name, "token": token}
    return _say(options, record, f"{options.name} is deleted; bring it back with: runs restore {token}")


def _restore(options: argparse.Namespace) -> int:
    from mnist_core import keeping

    named = (one.token for one in keeping.list_deleted() if one.name == options.token)
    run = keeping.restore_run(next(named, options.token))
    return _say(options, {"run": run.name}, f"{run.name} is back")


def _export(options: argparse.Namespace) -> int:
    from mnist_core import exports, runs

    run = runs.load_run(options.name)
    path: Path = options.file
    makers: dict[str, Callable[[], bytes]] = {
        ".zip": lambda: exports.export_zip(run),
        ".safetensors": lambda: exports.export_weights(run),
        ".py": lambda: exports.export_script(run).encode(),
        ".keras": lambda: _converted("export_keras", run),
        ".tflite": lambda: _converted("export_litert", run),
    }
    if path.suffix not in makers:
        raise DigitLabError(f"{path} has no ending that says what to make of it: {FORMATS}.")
    content = makers[path.suffix]()
    try:
        write_file(path, content)
    except OSError as error:
        raise DigitLabError(f"{path} could not be written: {error.strerror or error}.") from error
    hint = "; it needs weights.safetensors next to it (export that too)" if path.suffix == ".py" else ""
    record = {"run": run.name, "file": str(path), "bytes": len(content)}
    return _say(options, record, f"{run.name} is in {path}, {len(content):,} bytes{hint}")


def _converted(maker: str, run: Any) -> bytes:
    import_tensorflow()
    from mnist_core import conversion

    content: bytes = getattr(conversion, maker)(run)
    return content


def _import(options: argparse.Namespace) -> int:
    from mnist_core import exports

    path: Path = options.file
    try:
        with path.open("rb") as file:
            content = file.read(exports.MAX_IMPORT_BYTES + 1)
    except OSError as error:
        raise DigitLabError(f"{path} could not be read: {error.strerror or error}.") from error
    run = exports.import_run(content)
    return _say(options, {"run": run.name, "test_accuracy": run.metrics.test_accuracy}, f"{run.name} is here now")

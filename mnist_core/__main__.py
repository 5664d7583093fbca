"""The command line: ``python -m mnist_core``. Thin over the library; nothing heavy is imported before it is needed."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mnist_core import _runs_command
from mnist_core._quiet import import_tensorflow
from mnist_core.errors import DigitLabError
from mnist_core.recipe_text import KINDS
from mnist_core.recipes import BOUNDS

if TYPE_CHECKING:
    from mnist_core.images import Picture
    from mnist_core.preprocess import Box
    from mnist_core.recipes import Recipe
    from mnist_core.recognizer import Recognition, Recognizer
    from mnist_core.runs import Run

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_BATCH = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1 where something could not be used, 2 for wrong words."""
    options = _parser().parse_args(arguments)
    # TensorFlow tells of its processor and of having no GPU on every start; its real errors still come through.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except DigitLabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mnist_core", description="Recognise handwritten digits.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(command=command)
        sub.add_argument("--json", action="store_true", help="one JSON object a line on stdout, nothing else")
        return sub

    for name, command, about in (
        ("predict", _predict, "Recognise one digit a picture."),
        ("read", _read, "Recognise all digits in a picture, in reading order."),
    ):
        sub = add(name, command, about)
        sub.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a picture, or a folder of pictures")
        _add_run(sub)
    _add_train(add("train", _train, "Train a recipe and keep it as a run."))
    sub = add("evaluate", _evaluate, "Measure a run on a test set.")
    _add_run(sub)
    sub.add_argument(
        "--data",
        default="mnist",
        metavar="mnist|builtin|DIR",
        help="DIR: MNIST's files, or pictures with a labels.csv of file,label (default: mnist)",
    )
    _runs_command.add_actions(add("runs", _runs_command.list_all, "List bundled and trained runs, or do one thing."))
    sub = add("data", _data, "Say which datasets are here, and get MNIST.")
    sub.add_argument("--download", action="store_true", help="get MNIST now (11 MB)")
    return parser


def _add_run(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--run", "--model", default="ann", metavar="NAME", help="the run that answers (default: ann)")


def _add_train(sub: argparse.ArgumentParser) -> None:
    base = sub.add_mutually_exclusive_group()
    base.add_argument("--preset", default="classic-128", metavar="P", help="start from this recipe (classic-128)")
    base.add_argument(
        "--recipe", type=Path, metavar="FILE", help="start from the recipe in this JSON file, or run.json"
    )
    sub.add_argument("--data", default="mnist", choices=("mnist", "builtin"))
    sub.add_argument("--out", metavar="NAME", help="name of the run (default: the preset's, with a number)")
    sub.add_argument("--continue-from", metavar="RUN", help="begin with the weights of this run")
    sub.add_argument("--bundle", action="store_true", help="replace the bundled run of this preset")
    changes = sub.add_argument_group("changes to the recipe")
    for name, kind in KINDS.items():
        _add_field(changes, name, kind)


def _add_field(changes: argparse._ArgumentGroup, name: str, kind: Any) -> None:
    """Add the option for one field of a recipe; that its value is allowed is checked by the recipe."""
    option = f"--{name.replace('_', '-')}"
    if kind is bool:
        changes.add_argument(option, action=argparse.BooleanOptionalAction)
    elif name in BOUNDS:
        low, high = BOUNDS[name]
        changes.add_argument(option, type=kind, metavar="N" if kind is int else "X", help=f"{low:.10g} to {high:.10g}")
    elif kind == tuple[int, ...]:
        changes.add_argument(option, type=_sizes, metavar="128,64", help="sizes, first to last")
    else:
        changes.add_argument(option, metavar="NAME", help=", ".join(get_args(kind)) or None)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.split(",") if size.strip())


def _write(record: dict[str, Any], as_json: bool, words: str) -> None:
    # A file's name may hold bytes that are no text; they are shown as question marks.
    print(json.dumps(record) if as_json else words.encode(errors="replace").decode(), flush=True)


class _Ticker:
    """Progress on stderr: one line that is overwritten, on a terminal only."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def say(self, text: str) -> None:
        if self._shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> "_Ticker":
        return self

    def __exit__(self, *_: object) -> None:
        self.say("")


# --- predict and read


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        pictures = sorted(p for p in path.iterdir() if _is_picture(p)) if path.is_dir() else []
        yield from pictures or [path]  # a folder without pictures is told of like any file that cannot be used


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _PICTURES and path.is_file()


def _load(path: Path) -> "Picture | DigitLabError":
    from mnist_core import images

    try:
        return images.load(path)
    except DigitLabError as error:
        return error


def _predict(options: argparse.Namespace) -> int:
    from mnist_core._batches import PreparedFiles
    from mnist_core.runs import load_run

    run = load_run(options.run)
    files = list(_files(options.paths))
    failed = seen = 0
    with PreparedFiles(files) as prepared, _Ticker() as ticker:
        recognizer = _recognizer(run)  # the pictures are being prepared already
        done = zip(files, prepared, strict=True)
        while batch := list(islice(done, _BATCH)):
            answers = iter(recognizer.answer_many([one for _, one in batch if not isinstance(one, DigitLabError)]))
            for path, one in batch:
                if isinstance(one, DigitLabError):
                    failed += _fail(path, one, options.json)
                else:
                    answer = next(answers)
                    how_sure = "" if answer.digit is None else f" ({answer.probability:.1%})"
                    words = f"{path}: {answer.sentence}{how_sure}"
                    _write({"file": str(path)} | _answer(answer) | {"reason": answer.reason}, options.json, words)
            seen += len(batch)
            ticker.say(f"{seen} of {len(files)} pictures")
    return 1 if failed else 0


def _answer(answer: "Recognition") -> dict[str, Any]:
    return {
        "digit": answer.digit,
        "probability": round(answer.probability, 6),
        "probabilities": [round(float(p), 6) for p in answer.probabilities],
        "accepted": answer.accepted,
    }


def _recognizer(run: "Run") -> "Recognizer":
    from mnist_core.recognizer import Recognizer

    if run.recipe.model.filters:
        import_tensorflow()  # before the recogniser does it, which is not so quiet
    return Recognizer(run)


def _read(options: argparse.Namespace) -> int:
    from mnist_core.runs import load_run

    recognizer = _recognizer(load_run(options.run))
    failed = 0
    for path in _files(options.paths):
        picture = _load(path)
        if isinstance(picture, DigitLabError):
            failed += _fail(path, picture, options.json)
            continue
        reading = recognizer.read(picture.grey)
        digits = [
            {
                "digit": one.digit,
                "probability": round(one.probability, 6),
                "accepted": one.accepted,
                "box": _original(one.prepared.box, picture.scale),
            }
            for one in reading.recognitions
        ]
        record = {"file": str(path), "text": reading.text, "accepted": reading.accepted, "digits": digits}
        words = reading.text.replace("\n", " / ") or "no digit found"
        _write(record, options.json, f"{path}: {words}")
    return 1 if failed else 0


def _original(box: "Box | None", scale: float) -> list[int] | None:
    """A box in the pixels of the picture as it was given."""
    return None if box is None else [round(value / scale) for value in box]


def _fail(path: Path, error: DigitLabError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"file": str(path), "error": str(error)}), flush=True)
    else:
        print(f"{path}: {error}", file=sys.stderr)
    return 1


# --- train and evaluate


def _recipe(options: argparse.Namespace) -> "Recipe":
    """The preset, or the recipe in a file, with the changes that were asked for."""
    from mnist_core.recipes import preset

    base = preset(options.preset) if options.recipe is None else _read_recipe(options.recipe)
    changes = {name: value for name in KINDS if (value := getattr(options, name)) is not None}
    return base.with_changes(**changes)


def _read_recipe(path: Path) -> "Recipe":
    from mnist_core.recipes import Recipe

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DigitLabError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise DigitLabError(f"{path} is no JSON: {error}.") from error
    return Recipe.from_dict(found.get("recipe", found) if isinstance(found, dict) else found)


def _train(options: argparse.Namespace) -> int:
    from dataclasses import asdict, replace

    from mnist_core import data, runs

    recipe = _recipe(options)
    if options.out is not None:
        runs.check_name(options.out)  # now, not after an hour of training
    start = None if options.continue_from is None else runs.load_start(options.continue_from, recipe)
    dataset = data.load(options.data)

    import_tensorflow()
    from mnist_core.training import Progress, train

    with _Ticker() as ticker:

        def tell(news: Progress) -> None:
            held = "" if news.validation_accuracy is None else f", validation {news.validation_accuracy:.2%}"
            ticker.say(
                f"epoch {news.epoch}/{news.epochs}, step {news.step}/{news.steps}: "
                f"loss {news.loss:.4f}, accuracy {news.accuracy:.2%}{held}, {news.seconds:.0f} s"
            )

        trained = replace(train(recipe, dataset, tell, start=start), continued_from=options.continue_from)
    if options.bundle:
        run = runs.save_run(options.preset, replace(trained, checkpoints={}), dataset, runs.BUNDLED)
    else:
        stem = options.preset if options.recipe is None else runs.stem(recipe)
        run = runs.save_run(options.out or runs.free_name(stem), trained, dataset)
    record = {
        "run": run.name,
        "recipe": recipe.to_dict(),
        "parameters": run.parameters,
        "epochs": len(run.history),
        "seconds": run.seconds,
        **{
            key: value
            for key, value in asdict(run.metrics).items()
            if key in ("train_accuracy", "train_loss", "test_accuracy", "test_loss")
        },
    }
    words = f"{run.name}: test accuracy {run.metrics.test_accuracy:.2%}, {run.seconds:.1f} s, in {run.folder}"
    _write(record, options.json, words)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    import numpy as np

    from mnist_core import data
    from mnist_core.evaluation import score
    from mnist_core.runs import load_run

    run = load_run(options.run)
    dataset = data.load(options.data)

    logits = _recognizer(run).logits(np.divide(dataset.test_images, 255, dtype=np.float32))
    accuracy, loss = score(logits, dataset.test_labels)
    n = len(dataset.test_labels)
    errors = int((logits.argmax(axis=1) != dataset.test_labels).sum())
    record = {
        "run": run.name,
        "data": dataset.name,
        "n": n,
        "errors": errors,
        "accuracy": accuracy,
        "loss": loss,
    }
    words = f"{run.name} on {dataset.title}: {accuracy:.2%} of {n} right, {errors} wrong, loss {loss:.4f}"
    _write(record, options.json, words)
    return 0


# --- what is here


def _data(options: argparse.Namespace) -> int:
    from mnist_core import data

    if options.download:
        with _Ticker() as ticker:
            data.download_mnist(lambda done, total: ticker.say(f"MNIST: {done / 1e6:.1f} of {total / 1e6:.1f} MB"))
    places = data.mnist_places()
    found = next((place for place in places if place.found), None)
    mnist = {"data": "mnist", "found": found is not None, "path": str(found.path) if found else None}
    how = f"found in {found.path}" if found else "not here; get it (11 MB) with: python -m mnist_core data --download"
    _write(mnist, options.json, f"mnist    {how}")
    for place in places:
        if not options.json:
            print(f"         looked in {place.title}: {place.path}")
    builtin = {"data": "builtin", "found": True, "path": None}
    _write(builtin, options.json, f"builtin  {data.BUILTIN_TITLE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

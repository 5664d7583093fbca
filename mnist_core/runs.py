"""Runs on disk: recipes that were trained, with their weights, figures and test-set predictions.

A run is a folder: ``run.json``, ``weights.safetensors``, ``predictions.npz``, and ``checkpoints`` with the weights
after some of its epochs. The bundled runs lie in ``assets/runs``, a person's own in ``DIGIT_LAB_HOME``. A network is
always rebuilt from its recipe and filled with weights whose names, shapes, types and values were checked; nothing is
unpickled and no Keras file is loaded.
"""

import json
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from mnist_core import evaluation
from mnist_core._folders import write_whole
from mnist_core._npz import read_npz
from mnist_core.errors import DigitLabError
from mnist_core.home import home
from mnist_core.recipes import PRESETS, RUN_NAME, Bounds, Recipe

if TYPE_CHECKING:
    from mnist_core.data import Dataset
    from mnist_core.trained import Source, TrainedNetwork

Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

DEFAULT_RUN = "ann"
BUNDLED = Path(__file__).parent.parent / "assets" / "runs"
MAX_NOTE = 500
"""Letters of a note."""

MAX_RECORD_BYTES = 1_000_000
"""Of run.json."""
MAX_PREDICTIONS_BYTES = 64 * 2**20
"""Of predictions.npz, unpacked."""

_FORMAT = 1
_LONGEST_STEM = 58  # letters of a name that a number is put to
_CHECKPOINTS = "checkpoints"
_CHECKPOINT_NAME = re.compile(r"([0-9]{4})\.safetensors")


@dataclass(frozen=True)
class Metrics:
    """Figures of a trained network; accuracies in [0, 1], losses in nats.

    Measured after the training, on undistorted digits, without dropout; `test_n` digits were in the test set and
    `test_errors` of them were read wrong.
    """

    train_accuracy: float
    train_loss: float
    test_accuracy: float
    test_loss: float
    test_errors: int
    test_n: int
    validation_accuracy: float | None = None
    validation_loss: float | None = None

    @property
    def test_interval(self) -> evaluation.Interval:
        """The 95 % interval of the test accuracy."""
        return evaluation.wilson_interval(self.test_n - self.test_errors, self.test_n)


@dataclass(frozen=True)
class Calibration:
    """What was fitted on validation data so that the answers are honest.

    Attributes
    ----------
    temperature
        Divides the class scores before the softmax.
    least_probability
        The smallest probability of the most probable digit with which an answer is accepted. A network that was
        taught to be undecided about what is no digit stays far below it there.
    """

    temperature: float = 1.0
    least_probability: float = 0.5


@dataclass(frozen=True, eq=False)
class Run:
    """One trained recipe.

    Attributes
    ----------
    name
        Also the folder's name.
    recipe, metrics, calibration
        What was trained, and what came out.
    parameters
        Number of trained weights.
    seconds
        The training took.
    created
        UTC, ISO 8601.
    dataset, fingerprint
        Name and SHA-256 of the data.
    history
        One mapping an epoch: epoch, loss, accuracy, validation_loss, validation_accuracy, seconds.
    versions
        Of Python and the libraries, and the processor count, at the time.
    note
        What a person wrote about it.
    continued_from
        The run whose weights this one began with, if it did not begin with fresh ones.
    folder, origin
        Where it lies, and whether it came with the program.
    """

    name: str
    recipe: Recipe
    metrics: Metrics
    calibration: Calibration
    parameters: int
    seconds: float
    created: str
    dataset: str
    fingerprint: str
    history: tuple[Mapping[str, float | None], ...]
    versions: Mapping[str, str]
    note: str = ""
    continued_from: str | None = None
    folder: Path = field(default_factory=Path)
    origin: Literal["bundled", "trained"] = "trained"

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        known = PRESETS.get(self.name)
        return known.title if known and self.origin == "bundled" else self.name

    @property
    def published(self) -> tuple[str, ...]:
        """Results others published for the same recipe; empty for a run of one's own."""
        known = PRESETS.get(self.name)
        return known.published if known and self.origin == "bundled" else ()


@dataclass(frozen=True)
class Broken:
    """A folder among the runs that is none."""

    folder: Path
    reason: str


def list_runs() -> list[Run]:
    """Return all runs that can be used, bundled ones first, then by date. Never raises."""
    return _scan()[0]


def list_broken() -> list[Broken]:
    """Return the folders among the runs that cannot be used, each with the reason."""
    return _scan()[1]


def load_run(name: str) -> Run:
    """Load one run's record.

    Raises
    ------
    DigitLabError
        There is no run of this name, or it is damaged.
    """
    if not RUN_NAME.fullmatch(name):
        raise DigitLabError(f"{name!r} is no name of a run.")
    for folder in (BUNDLED / name, home() / "runs" / name):
        if folder.is_dir():
            return read_run(folder)
    names = ", ".join(run.name for run in list_runs()) or "none"
    raise DigitLabError(f"There is no run called {name!r}; there are: {names}.")


def load_weights(run: Run) -> dict[str, Float32]:
    """Load a run's weights, checked against its recipe before any memory is taken.

    Raises
    ------
    DigitLabError
        The file is missing or damaged; a weight is missing, unknown, of a wrong shape or type, or not finite.
    """
    return _load_weights(run, run.folder / "weights.safetensors")


def load_start(name: str, recipe: Recipe) -> dict[str, Float32]:
    """Load the weights of a run for a training that goes on from there.

    Raises
    ------
    DigitLabError
        There is no such run, it is damaged, or the recipe has other layers.
    """
    run = load_run(name)
    if run.recipe.model.weight_shapes != recipe.model.weight_shapes:
        raise DigitLabError(f"The recipe has other layers than {name!r}, so it cannot go on from there.")
    return load_weights(run)


def list_checkpoints(run: Run) -> tuple[int, ...]:
    """Return the epochs of a run after which its weights were kept, in order; none for the bundled runs."""
    try:
        names = [path.name for path in (run.folder / _CHECKPOINTS).iterdir()]
    except OSError:
        return ()
    return tuple(sorted(int(found[1]) for name in names if (found := _CHECKPOINT_NAME.fullmatch(name))))


def load_checkpoint(run: Run, epoch: int) -> dict[str, Float32]:
    """Load the weights that a run had after an epoch, checked as `load_weights` does.

    Raises
    ------
    DigitLabError
        They were not kept, or are damaged.
    """
    if epoch not in list_checkpoints(run):
        raise DigitLabError(f"The weights of {run.name!r} after epoch {epoch} were not kept.")
    return _load_weights(run, run.folder / _checkpoint_name(epoch))


def _checkpoint_name(epoch: int) -> str:
    return f"{_CHECKPOINTS}/{epoch:04}.safetensors"


def _load_weights(run: Run, path: Path) -> dict[str, Float32]:
    shapes = run.recipe.model.weight_shapes
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            if set(file.keys()) != set(shapes):
                odd = sorted(set(file.keys()) ^ set(shapes))[0]
                raise DigitLabError(f"The weights of {run.name!r} do not fit its recipe: {odd!r}.")
            for name, shape in shapes.items():
                part = file.get_slice(name)
                if part.get_dtype() != "F32" or tuple(part.get_shape()) != shape:
                    raise DigitLabError(f"The weights of {run.name!r} do not fit its recipe: {name!r}.")
            weights = {name: np.asarray(file.get_tensor(name)) for name in shapes}
    except (OSError, safetensors.SafetensorError) as error:
        raise DigitLabError(f"The weights of {run.name!r} cannot be read: {error}") from error
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise DigitLabError(f"The weights of {run.name!r} hold values that are no numbers: {name!r}.")
    return weights


def load_predictions(run: Run) -> tuple[Labels, Float32]:
    """Load the true digits ``int64 (n,)`` and the probabilities ``float32 (n, 10)`` on the test set.

    Raises
    ------
    DigitLabError
        The file is missing or damaged.
    """
    try:
        names = "labels", "probabilities"
        labels, probabilities = read_npz(run.folder / "predictions.npz", names, MAX_PREDICTIONS_BYTES)
    except ValueError as error:
        raise DigitLabError(f"The predictions of {run.name!r} cannot be read: {error}") from error
    n = run.metrics.test_n
    as_recorded = labels.shape == (n,) and probabilities.shape == (n, 10)
    if not as_recorded or labels.dtype != np.uint8 or probabilities.dtype != np.float32:
        raise DigitLabError(f"The predictions of {run.name!r} do not fit its record.")
    if labels.max() > 9 or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DigitLabError(f"The predictions of {run.name!r} hold values that are no digits or no probabilities.")
    return labels.astype(np.int64), probabilities


def save_run(name: str, trained: "TrainedNetwork", dataset: "Dataset | Source", parent: Path | None = None) -> Run:
    """Write a training to disk, whole or not at all, and return the run.

    Parameters
    ----------
    name
        Small letters, digits, ``.``, ``_``, ``-``; at most 64.
    trained, dataset
        As `mnist_core.training.train` gave and got them; of the dataset only the name and the fingerprint are used.
    parent
        Folder of the new folder; the person's own runs by default. A run of this name there is replaced.

    Raises
    ------
    DigitLabError
        The name cannot be used, or the folder cannot be written.
    """
    if parent is None:
        check_name(name)
    parent = parent or home() / "runs"
    record = {"format": _FORMAT, "name": name} | _record(trained, dataset)
    labels = trained.test_labels.astype(np.uint8)
    probabilities = evaluation.softmax(trained.test_scores)
    writers: dict[str, Callable[[Path], object]] = {
        "run.json": lambda path: path.write_text(json.dumps(record, indent=1) + "\n"),
        "weights.safetensors": lambda path: safetensors.numpy.save_file(trained.weights, path),
        "predictions.npz": lambda path: np.savez_compressed(path, labels=labels, probabilities=probabilities),
    }
    writers |= {
        _checkpoint_name(epoch): partial(safetensors.numpy.save_file, weights)
        for epoch, weights in trained.checkpoints.items()
    }
    try:
        parent.mkdir(parents=True, exist_ok=True)
        write_whole(parent / name, writers)
    except OSError as error:
        raise DigitLabError(f"The run could not be saved in {parent}: {error.strerror or error}.") from error
    return read_run(parent / name)


def is_name(name: str) -> bool:
    """Whether a run can have this name, be it the program's or one's own."""
    return RUN_NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise `DigitLabError` unless a run of one's own can have this name."""
    if not RUN_NAME.fullmatch(name):
        raise DigitLabError(f"{name!r} cannot be the name of a run: small letters, digits, '.', '-' and '_' can.")
    if name in PRESETS:
        raise DigitLabError(f"{name!r} cannot be the name of a run of your own: it is a bundled one's.")


def one_line(note: Any) -> str:
    """Return a note as it is kept: printable, on one line, not too long."""
    words = " ".join(str(note)[: 4 * MAX_NOTE].split())
    return "".join(letter for letter in words if letter.isprintable())[:MAX_NOTE]


def unused_name(name: str) -> str:
    """Return this name, or one with a number where the program's or a person's run has it."""
    taken = name in PRESETS or (home() / "runs" / name).exists()
    return free_name(name) if taken else name


def stem(recipe: Recipe) -> str:
    """Return a name for runs of a recipe, such as ``dense-128-64``."""
    kind = "conv" if recipe.model.filters else "dense" if recipe.model.hidden else "linear"
    return "-".join(str(part) for part in (kind, *recipe.model.filters, *recipe.model.hidden))


def free_name(stem: str, parent: Path | None = None) -> str:
    """Return ``stem-1``, ``stem-2`` and so on: the first that none of the person's runs (of those in a folder) has."""
    stem, number = stem[:_LONGEST_STEM], 1
    while ((parent or home() / "runs") / f"{stem}-{number}").exists():
        number += 1
    return f"{stem}-{number}"


def _record(trained: "TrainedNetwork", dataset: "Dataset | Source") -> dict[str, Any]:
    """What run.json says of a training, besides its name."""
    train = evaluation.score(trained.train_scores, trained.train_labels)
    test = evaluation.score(trained.test_scores, trained.test_labels)
    errors = int((trained.test_scores.argmax(axis=1) != trained.test_labels).sum())
    validation: tuple[float, float] | tuple[None, None] = (None, None)
    calibration = Calibration()
    if len(trained.validation_labels):
        validation = evaluation.score(trained.validation_scores, trained.validation_labels)
        calibration = calibrate(trained.validation_scores, trained.validation_labels)
    metrics = Metrics(*train, *test, errors, len(trained.test_labels), *validation)
    libraries = {name: version(name) for name in ("keras", "numpy")}
    return {
        "recipe": trained.recipe.to_dict(),
        "metrics": asdict(metrics),
        "calibration": asdict(calibration) if len(trained.validation_labels) else None,
        "parameters": trained.recipe.model.parameters,
        "seconds": round(trained.seconds, 2),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "history": [
            {
                "epoch": news.epoch,
                "loss": news.loss,
                "accuracy": news.accuracy,
                "validation_loss": news.validation_loss,
                "validation_accuracy": news.validation_accuracy,
                "seconds": round(news.seconds, 3),
            }
            for news in trained.history
        ],
        "versions": {"python": platform.python_version(), "processors": str(os.cpu_count())} | libraries,
        "continued_from": trained.continued_from,
    }


# Of the validation digits, this share is refused. Real drawings lie further out than MNIST's own: about twice as many
# of them are refused, and most of what is no digit.
_REFUSED_SHARE = 0.0075


def calibrate(class_scores: Float32, labels: Labels) -> Calibration:
    """Fit the temperature and the refusal threshold on validation scores ``(n, 10)``."""
    temperature = evaluation.fit_temperature(class_scores, labels)
    highest = evaluation.softmax(class_scores, temperature).max(axis=1)
    least = max(float(np.quantile(highest, _REFUSED_SHARE)), Calibration.least_probability)
    return Calibration(temperature, least)


def _scan() -> tuple[list[Run], list[Broken]]:
    good: list[Run] = []
    broken: list[Broken] = []
    for parent in (BUNDLED, home() / "runs"):
        found: list[Run] = []
        try:
            folders = sorted(path for path in parent.iterdir() if not path.name.startswith("."))
        except OSError:
            continue  # no runs of one's own yet
        for folder in folders:
            try:
                found.append(read_run(folder))
            except DigitLabError as error:
                broken.append(Broken(folder, str(error)))
        order = list(PRESETS)
        found.sort(key=lambda run: (order.index(run.name) if run.name in order else len(order), run.created))
        good += found
    return good, broken


def read_run(folder: Path) -> Run:
    """Read the record of the run in a folder; every field is checked, none is trusted.

    Raises
    ------
    DigitLabError
        It is no run, or it is damaged.
    """
    if not RUN_NAME.fullmatch(folder.name):
        raise DigitLabError(f"{folder.name!r} cannot be the name of a run.")
    try:
        path = folder / "run.json"
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise DigitLabError(f"The record of {folder.name!r} is too large to be one.")
        data = json.loads(path.read_text(encoding="utf-8"))
        return _parse(data, folder)
    except OSError as error:
        raise DigitLabError(f"{folder.name!r} is no run: it has no readable run.json.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DigitLabError(f"The record of {folder.name!r} is damaged: {error}") from error


_FIELDS = {
    "format", "name", "recipe", "metrics", "calibration", "parameters", "seconds", "created", "dataset", "fingerprint",
    "history", "versions", "note", "continued_from",
}  # fmt: skip
_EPOCH_FIELDS = {"epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds"}


def _parse(data: Any, folder: Path) -> Run:
    if data["format"] != _FORMAT:
        raise DigitLabError(f"{folder.name!r} was written by another version of Digit Lab.")
    if data.keys() - _FIELDS:
        raise ValueError(f"unknown field {min(data.keys() - _FIELDS)!r}")
    recipe = Recipe.from_dict(data["recipe"])
    metrics = Metrics(**_numbers(data["metrics"], Metrics))
    if metrics.test_errors > metrics.test_n:
        raise ValueError("more errors than digits")
    calibration = Calibration(**_numbers(data["calibration"] or {}, Calibration))
    history = tuple(_epoch(epoch) for epoch in data["history"])
    return Run(
        name=folder.name,
        recipe=recipe,
        metrics=metrics,
        calibration=calibration,
        parameters=recipe.model.parameters,
        seconds=_number("seconds", data["seconds"]),
        created=str(datetime.fromisoformat(data["created"]).isoformat()),
        dataset=str(data["dataset"])[:64],
        fingerprint=str(data["fingerprint"])[:64],
        history=history,
        versions={str(key): str(value)[:64] for key, value in data["versions"].items()},
        note=one_line(data.get("note", "")),
        continued_from=_name_or_none(data.get("continued_from")),
        folder=folder,
        origin="bundled" if folder.parent == BUNDLED else "trained",
    )


def _name_or_none(name: Any) -> str | None:
    if name is not None and not RUN_NAME.fullmatch(name):
        raise ValueError("it continues what is no run")
    return str(name) if name else None


_MOST_DIGITS = 10_000_000
_LIMITS: Mapping[str, Bounds] = {
    "test_n": Bounds(1, _MOST_DIGITS),
    "test_errors": Bounds(0, _MOST_DIGITS),
    "temperature": Bounds(0.01, 100.0),
    "least_probability": Bounds(0.0, 1.0),
    **{f"{part}_accuracy": Bounds(0.0, 1.0) for part in ("train", "validation", "test")},
}
_COUNTS = ("test_n", "test_errors")
_LARGEST = 1e12  # of any other number in a record, either side of zero


def _numbers(data: Any, kind: type) -> dict[str, Any]:
    """Return the fields of a record of numbers, each known and within its limits, or None where it may be missing."""
    optional = {item.name: item.default is None for item in fields(kind)}
    for key, value in data.items():
        if key not in optional:
            raise ValueError(f"unknown field {key!r}")
        if value is not None or not optional[key]:
            _number(key, value)
    return dict(data)


def _epoch(data: Any) -> dict[str, float | None]:
    """Return the figures of one epoch."""
    if data.keys() - _EPOCH_FIELDS:
        raise ValueError(f"unknown field {min(data.keys() - _EPOCH_FIELDS)!r}")
    return {key: None if value is None else _number(key, value) for key, value in data.items()}


def _number(key: str, value: Any) -> float:
    """Return a number that lies within the limits of this field."""
    low, high = _LIMITS.get(key, Bounds(-_LARGEST, _LARGEST))
    kinds = int if key in _COUNTS else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise ValueError(f"{key} is not a number that it can be")
    return float(value)

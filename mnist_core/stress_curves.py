"""How many digits a network still reads right as a disturbance grows: measured, kept, said in words, written down."""

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mnist_core._kept import keep_file, network_digest
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import Interval, in_percent, wilson_interval
from mnist_core.home import home
from mnist_core.recipes import Recipe
from mnist_core.runs import Run
from mnist_core.stress import DISTURBANCES, Disturbance, disturbance, learned

if TYPE_CHECKING:
    from mnist_core.recognizer import Recognizer

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int64]

SIZES = (250, 1000, 4000)
"""How many digits a curve can be measured with."""
USUAL_SIZE = 1000
ENOUGH = 0.9
"""The accuracy below which a curve is said to have fallen."""

_VERSION = 1  # of what the disturbances do: a new number forgets the curves that were kept
_SAMPLE_SEED = 1000
_CHUNK = 256  # digits between two looks whether to go on: the recogniser's largest batch
_MOST_KEPT = 512  # files of about 0.5 KB
_MOST_BYTES = 100_000
_TOO_LITTLE, _LESS = 0.5, 0.1  # undisturbed, below which a curve says little; the fall where 90 % is never reached
_GUESSING = 0.15  # below this, ten answers are hardly better than guessed


class Stopped(Exception):
    """Somebody wanted it no longer."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some test digits of a dataset.

    Attributes
    ----------
    dataset, title
        Its name, and what people call it.
    images
        ``float32 (n, 28, 28)`` in [0, 1].
    labels
        ``int64 (n,)``.
    """

    dataset: str
    title: str
    images: Float32
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of pixels and labels, in hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, np.uint8).data)
        return digest.hexdigest()


def sample(dataset: Dataset, n: int = USUAL_SIZE) -> Sample:
    """Return n of a dataset's test digits, or all if there are fewer; always the same ones.

    Raises
    ------
    DigitLabError
        There is no test digit, or n is not one of `SIZES`.
    """
    if n not in SIZES:
        raise DigitLabError(f"A curve is measured with {', '.join(f'{size:,}' for size in SIZES)} digits.")
    if not len(dataset.test_labels):
        raise DigitLabError("There is no digit in it to measure a network with.")
    rows = np.sort(np.random.default_rng(_SAMPLE_SEED).permutation(len(dataset.test_labels))[:n])
    images = np.divide(dataset.test_images[rows], 255, dtype=np.float32)
    return Sample(dataset.name, dataset.title, images, dataset.test_labels[rows])


@dataclass(frozen=True, eq=False)
class Curve:
    """How many digits a run reads right at each strength of a disturbance.

    Attributes
    ----------
    run, dataset, disturbance
        Their names.
    n
        Digits at each strength.
    strengths
        ``float64 (k,)``, rising; the neutral one is among them.
    right
        ``int64 (k,)``.
    """

    run: str
    dataset: str
    disturbance: str
    n: int
    strengths: Float64
    right: Counts

    @property
    def accuracy(self) -> Float64:
        """``float64 (k,)`` in [0, 1]."""
        return self.right / self.n

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """A 95 % interval of each accuracy."""
        return tuple(wilson_interval(int(right), self.n) for right in self.right)

    def at(self, strength: float) -> float:
        """Accuracy at a strength, straight between those that were measured."""
        return float(np.interp(strength, self.strengths, self.accuracy))

    @property
    def _start(self) -> int:
        return int(np.argmin(np.abs(self.strengths - DISTURBANCES[self.disturbance].neutral)))

    @property
    def undisturbed(self) -> float:
        """Accuracy at the neutral strength."""
        return float(self.accuracy[self._start])

    def holds(self, least: float = ENOUGH) -> tuple[float | None, float | None]:
        """Where, going from the neutral strength downwards and upwards, the accuracy falls below a level.

        Returns
        -------
        tuple of float or None
            Two strengths, straight between those that were measured; None where it does not fall. The neutral
            strength for both if it is below the level undisturbed.
        """
        start = self._start
        if self.accuracy[start] < least:
            return float(self.strengths[start]), float(self.strengths[start])
        return self._fall(range(start, -1, -1), least), self._fall(range(start, len(self.strengths)), least)

    def _fall(self, way: range, least: float) -> float | None:
        for before, after in itertools.pairwise(way):
            a, b = float(self.accuracy[before]), float(self.accuracy[after])
            if b < least:
                share = (a - least) / (a - b)
                return float(self.strengths[before] + share * (self.strengths[after] - self.strengths[before]))
        return None


def measure(
    recognizer: "Recognizer",
    digits: Sample,
    name: str,
    on_progress: Callable[[int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Curve:
    """Let a run answer digits at every strength of a disturbance.

    Parameters
    ----------
    recognizer
        The run.
    digits
        With at least one digit.
    name
        Of the disturbance.
    on_progress
        Called with how many digits have been read since it was called last.
    stopped
        Asked before every few digits whether the curve is no longer wanted.

    Raises
    ------
    DigitLabError
        There is no such disturbance.
    Stopped
        It is no longer wanted.
    """
    how = disturbance(name)
    strengths = how.strengths()
    right = np.zeros(len(strengths), np.int64)
    for place, strength in enumerate(strengths):
        changed = how.apply(digits.images, float(strength))
        for start in range(0, len(digits), _CHUNK):
            if stopped():
                raise Stopped
            part = slice(start, start + _CHUNK)
            answers = recognizer.logits(changed[part]).argmax(axis=1)
            right[place] += int((answers == digits.labels[part]).sum())
            if on_progress is not None:
                on_progress(len(answers))
    return Curve(recognizer.run.name, digits.dataset, name, len(digits), strengths, right)


def kept(run: Run, digits: Sample, name: str) -> Curve | None:
    """Return the curve that `keep` wrote for this network, these digits and this disturbance; None if there is none."""
    strengths = disturbance(name).strengths()
    try:
        path = _path(run, digits, name)
        if path.stat().st_size > _MOST_BYTES:
            return None
        right = _read(json.loads(path.read_bytes()), len(strengths), len(digits))
    except (OSError, ValueError, RecursionError, DigitLabError):
        return None
    return Curve(run.name, digits.dataset, name, len(digits), strengths, right)


def _read(stored: Any, k: int, n: int) -> Counts:
    right = stored.get("right") if isinstance(stored, dict) else None
    if not isinstance(right, list) or len(right) != k or not all(type(one) is int and 0 <= one <= n for one in right):
        raise ValueError("not a curve of ours")
    return np.array(right, np.int64)


def keep(curve: Curve, run: Run, digits: Sample) -> None:
    """Write a curve into Digit Lab's folder, under the hash of network, digits and disturbance; the oldest ones go.

    A folder that cannot be written is no error: the curve is measured again the next time.
    """
    try:
        path = _path(run, digits, curve.disturbance)
    except DigitLabError:
        return
    keep_file(path, json.dumps({"right": curve.right.tolist()}).encode(), _MOST_KEPT)


def _path(run: Run, digits: Sample, name: str) -> Path:
    digest = network_digest(run)
    digest.update(digits.digest.encode())
    digest.update(f"{name} {_VERSION} {disturbance(name).strengths().tolist()}".encode())
    return home() / "stress" / f"{digest.hexdigest()}.json"


def sentences(curves: Sequence[Curve], recipes: Sequence[Recipe] = ()) -> tuple[str, ...]:
    """Say what curves of one disturbance show: where each falls, what stands out, and why, as far as it is known.

    Parameters
    ----------
    curves
        At least one.
    recipes
        Of the same runs, in the same order: what they saw while they learned. None: nothing is said of it.
    """
    how = DISTURBANCES[curves[0].disturbance]
    said = _apart(curves, how) if len(curves) > 1 else []
    said += [_where(one, how) for one in curves]
    if how.name == "shuffled":
        said.append(_about_shuffling(curves, recipes))
    elif recipes:
        said += _about_training(curves, recipes, how)
    return tuple(said)


def _where(curve: Curve, how: Disturbance) -> str:
    start = curve.undisturbed
    if start < _TOO_LITTLE:
        return f"{curve.run} reads only {in_percent(start)} of these digits even undisturbed."
    least = ENOUGH if start >= ENOUGH else start - _LESS
    found = curve.holds(least)
    level = f"{ENOUGH:.0%}" if start >= ENOUGH else f"{least:.0%} ({start:.0%} undisturbed)"
    falls = [_fall_in_words(how, at, toward) for at, toward in zip(found, how.toward, strict=True) if at is not None]
    if not falls:
        return f"{curve.run} stays at {level} or above all the way."
    return f"{curve.run} falls below {level} from {' and from '.join(falls)} on."


def _fall_in_words(how: Disturbance, at: float, toward: str) -> str:
    if how.neutral:
        return how.write(round(at, 1))
    return how.write(round(abs(at), 1)) + (f" {toward}" if toward else "")


def _apart(curves: Sequence[Curve], how: Disturbance) -> list[str]:
    """Where the best and the worst of them are furthest apart."""
    all_of_them = np.stack([one.accuracy for one in curves])
    gaps = all_of_them.max(axis=0) - all_of_them.min(axis=0)
    place = int(gaps.argmax())
    if gaps[place] < 0.02:
        return ["They are nowhere more than two digits in a hundred apart."]
    ranked = sorted(curves, key=lambda one: -one.right[place])
    shares = [f"{one.run} reads {in_percent(float(one.accuracy[place]))}" for one in ranked]
    strength = float(curves[0].strengths[place])
    side = how.toward[int(strength > how.neutral)]
    shown = how.write(strength) if how.neutral or not side else f"{how.write(abs(strength))} {side}"
    where = "undisturbed" if strength == how.neutral else f"at {shown}"
    said = [f"They are furthest apart {where}: {', '.join(shares[:-1])} and {shares[-1]}."]
    best = max(curves, key=lambda one: one.undisturbed)
    if best.right[place] < ranked[0].right[place] and best.undisturbed > ranked[0].undisturbed:
        said.append(f"Undisturbed {best.run} is the best of them; here {ranked[0].run} is.")
    return said


def _about_shuffling(curves: Sequence[Curve], recipes: Sequence[Recipe]) -> str:
    held = [one.run for one, how in zip(curves, recipes, strict=False) if how.training.convolutional_start]
    ends = [float(one.accuracy[-1]) for one in curves]
    now = (
        "these learned from whole pictures, so with all pixels shuffled they can only guess"
        if max(ends) < _GUESSING
        else "these learned from whole pictures"
    )
    return (
        "Nothing is lost: every pixel is still there. A dense network is not told which pixels are neighbours, so one "
        f"that learned from pixels shuffled like this would read as well as before; {now}. A convolutional network "
        f"looks for strokes among neighbours, {f'and so did {_listed(held)} at first, ' if held else ''}so it could "
        "not learn it as well."
    )


def _about_training(curves: Sequence[Curve], recipes: Sequence[Recipe], how: Disturbance) -> list[str]:
    seen = [learned(one.training.distortion, how.name) for one in recipes]
    if None in seen:
        return [_WHY[how.name]]
    groups: dict[float, list[str]] = {}
    for curve, limit in zip(curves, seen, strict=True):
        groups.setdefault(round(limit or 0.0, 6), []).append(curve.run)
    parts = [
        f"{_listed(names)} saw {'this up to ' + how.write(limit) if limit else 'none of it'}"
        for limit, names in sorted(groups.items(), reverse=True)
    ]
    return [f"While learning, {', and '.join(parts)}. {_WHY[how.name]}"]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_PLACES = (
    "A dense network learns for every single pixel what it speaks for, so a digit elsewhere is new to it, unless it "
    "learned from digits in many places. A convolutional network looks for the same strokes everywhere."
)
_NEVER = "Nothing like it was in what any of them learned from."
_WHY = {
    "shift": _PLACES,
    "drop": _PLACES,
    "rotation": "Upside down a 6 is a 9, and nobody can know: 100 % is not to be had there.",
    "size": "Draw and Upload bring every digit to one size first, for this reason.",
    "shear": "Handwriting leans more or less anyway, so even digits left as they are teach some of it.",
    "stroke": "Very thick pens close loops: then a digit is hard for people, too.",
    "noise": _NEVER,
    "blur": _NEVER,
    "occlusion": f"{_NEVER} What is hidden cannot be known: at some width people have to guess, too.",
    "ink": f"{_NEVER} Draw and Upload find out which is the ink first, for this reason.",
    "contrast": f"{_NEVER} Draw and Upload make paper black first, for this reason.",
}


def as_csv(curves: Sequence[Curve]) -> str:
    """Write one line for each run and strength."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["run", "data", "disturbance", "unit", "strength", "digits", "right", "accuracy", "low", "high"])
    for one in curves:
        unit = DISTURBANCES[one.disturbance].unit
        for strength, right, share, interval in zip(
            one.strengths.tolist(), one.right.tolist(), one.accuracy.tolist(), one.intervals, strict=True
        ):
            shares = (round(value, 6) for value in (share, interval.low, interval.high))
            writer.writerow([one.run, one.dataset, one.disturbance, unit, strength, one.n, right, *shares])
    return out.getvalue()


def as_json(curves: Sequence[Curve]) -> str:
    """Write all curves as JSON."""
    return json.dumps([_plain(one) for one in curves], indent=1)


def _plain(curve: Curve) -> dict[str, object]:
    return {
        "run": curve.run,
        "data": curve.dataset,
        "disturbance": curve.disturbance,
        "unit": DISTURBANCES[curve.disturbance].unit,
        "digits": curve.n,
        "strengths": curve.strengths.tolist(),
        "right": curve.right.tolist(),
        "accuracy": curve.accuracy.round(6).tolist(),
    }

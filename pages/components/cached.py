"""Everything the pages keep between reruns: the only place with `st.cache_resource`.

All caches are shared by everyone on the server, so all are bounded, and what lies in them is never changed.
"""

import atexit
import gc
import hashlib
import json
import math
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.runtime.scriptrunner import script_runner

from mnist_core import (
    among,
    data,
    evidence,
    explain,
    flip,
    images,
    labelled,
    predictions,
    runs,
    snapshots,
    standalone,
    stress_curves,
    traits,
    xray,
)
from mnist_core.among import Landscape
from mnist_core.cluster import Jobs
from mnist_core.data import Dataset
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import softmax
from mnist_core.evidence import Evidence
from mnist_core.explain import Gallery
from mnist_core.flip import Flip
from mnist_core.home import home
from mnist_core.labelled import Labelled
from mnist_core.predictions import Predictions
from mnist_core.preprocess import Box, Prepared, Settings, Step, prepare
from mnist_core.recognizer import Reading, Recognizer
from mnist_core.segment import Page, prepare_boxes, prepare_page
from mnist_core.stress_work import StressWork
from mnist_core.strokes import Moment, parse, replay
from mnist_core.traits import Traits
from mnist_core.xray import Without

SAMPLES = Path(__file__).parents[2] / "assets" / "samples"
SHOWN_SIDE = 800  # pixels; of a picture on a page, if it is no strip
_LONGEST_STRIP = 10_000  # pixels; more than that a browser may not show
STEP_SIDE = 280  # pixels; of a step on a page

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


class _Listed(dict[str, runs.Run]):
    """Runs by name, and when they were listed: seconds of the monotonic clock."""

    def __init__(self, found: Iterable[runs.Run]) -> None:
        super().__init__((run.name, run) for run in found)
        self.at = monotonic()


# Streamlit's own `ttl` raises a KeyError where the time is up between its look whether there is something and its look
# at what there is.
@st.cache_resource(validate=lambda listed: monotonic() - listed.at < _LISTED_SECONDS, show_spinner=False)
def all_runs() -> dict[str, runs.Run]:
    """Every usable run by name, the default one first; what others add or delete shows after a few seconds."""
    return _Listed(sorted(runs.list_runs(), key=lambda run: run.name != runs.DEFAULT_RUN))


_LISTED_SECONDS = 5


def damage(run: runs.Run) -> str:
    """Why a run's weights cannot be used, in a sentence; empty where they can."""
    try:
        changed = (run.folder / "weights.safetensors").stat().st_mtime_ns
    except OSError:
        changed = 0
    return _damage(run.name, run.created, changed, run)


@st.cache_resource(max_entries=256, show_spinner=False)
def _damage(name: str, created: str, changed: int, _run: runs.Run) -> str:
    try:
        runs.load_weights(_run)
    except DigitLabError as error:
        return str(error)
    return ""


@st.cache_resource(max_entries=8, show_spinner=False)
def recognizer(name: str, created: str) -> "Future[Recognizer]":
    """Start to load a run in the background; the first convolutional one takes TensorFlow's import with it.

    When it was created tells a run from a newer one of the same name.
    """
    return _loader().submit(_load, name)


def _load(name: str) -> Recognizer:
    loaded = Recognizer.load(name)
    if loaded.run.recipe.model.filters:
        # TensorFlow's million objects are here to stay. Python would look through them all again and again, 0.2 s each
        # time, while every other thread stands still.
        gc.collect()
        gc.freeze()
    return loaded


@st.cache_resource(show_spinner=False)
def _loader() -> ThreadPoolExecutor:
    # Streamlit calls keras.backend.clear_session() after every run of a page. That acts on the whole process: on the
    # networks that answer others, and on one that this thread is just building.
    script_runner._clean_problem_modules = lambda: None
    return ThreadPoolExecutor(1, "load-run")


@st.cache_resource(max_entries=2, show_spinner=False)  # MNIST takes 55 MB
def dataset(name: str) -> Dataset:
    """MNIST or the built-in digits; raises `DigitLabError` where it is not there, and looks again the next time."""
    return data.load(name)


@st.cache_resource(max_entries=8, show_spinner="Measuring the pen, slant and loops of every digit ...")
def traits_of(fingerprint: str, _dataset: Dataset) -> Traits:
    """How each test digit of a dataset is written."""
    return traits.measure(_dataset.test_images)


_Found = TypeVar("_Found")


@dataclass(eq=False)
class Work(Generic[_Found]):
    """Something that is being worked out in the background, and how far it is."""

    total: int
    done: int = 0
    future: "Future[_Found]" = field(default_factory=Future)

    def tell(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.done, self.total = done, total


@st.cache_resource(max_entries=32, show_spinner=False)
def stored_predictions(name: str, created: str, dataset: str, _run: runs.Run) -> Predictions:
    """A run's answers on its own test set, as they were stored with it."""
    return predictions.stored(_run, dataset)


@st.cache_resource(max_entries=32, show_spinner=False)
def evaluation(name: str, created: str, fingerprint: str, _run: runs.Run, _dataset: Dataset) -> Work[Predictions]:
    """Find a run's answers on a dataset in Digit Lab's folder, or start to work them out."""
    work: Work[Predictions] = Work(len(_dataset.test_labels))
    found = predictions.kept(_run, _dataset)
    if found is not None:
        work.future.set_result(found)
    else:
        work.future = _background().submit(_evaluate, recognizer(name, created), _dataset, work)
    return work


def _evaluate(network: "Future[Recognizer]", dataset: Dataset, work: Work[Predictions]) -> Predictions:
    found = predictions.evaluate(network.result(), dataset, work.tell)
    predictions.keep(found, network.result().run, dataset)
    return found


@st.cache_resource(max_entries=8, show_spinner=False)  # 12 MB each at most
def stress_sample(fingerprint: str, n: int, _dataset: Dataset) -> stress_curves.Sample:
    """The digits of a dataset that stress curves are measured with."""
    return stress_curves.sample(_dataset, n)


@st.cache_resource(show_spinner=False)
def stress_work() -> StressWork:
    """The stress curves of this server: those that were measured, and those that are being measured."""
    work = StressWork()
    atexit.register(work.close)
    return work


@st.cache_resource(max_entries=128, show_spinner=False)
def flip_of(name: str, created: str, digit: bytes) -> Work[Flip]:
    """Start to look for the smallest change that turns a run's answer to a digit image, ``float32 (28, 28)``."""
    work: Work[Flip] = Work(flip.STEPS)
    pixels = np.frombuffer(digit, np.float32).reshape(28, 28)
    work.future = _background().submit(_flip, recognizer(name, created), pixels, work)
    return work


def _flip(network: "Future[Recognizer]", digit: Float32, work: Work[Flip]) -> Flip:
    return flip.smallest_change(network.result(), digit, work.tell)


@st.cache_resource(max_entries=8, show_spinner=False)  # up to 0.8 MB each
def own_digits(digest: str, name: str, _data: bytes) -> Work[Labelled]:
    """Start to read the labelled pictures of an archive; the SHA-256 of its bytes identifies it."""
    work: Work[Labelled] = Work(labelled.MOST_PICTURES)
    work.future = _background().submit(labelled.read_zip, _data, name, work.tell)
    return work


@st.cache_resource(show_spinner=False)
def _background() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "background")


@st.cache_resource(show_spinner=False)
def training_jobs() -> Jobs:
    """The training jobs of this server; the first call starts their worker process in the background."""
    jobs = Jobs(home())
    atexit.register(jobs.close)
    jobs.warm()
    return jobs


def tested_on(run: runs.Run) -> data.Dataset | None:
    """The digits that a run was tested on; None where they are not on this machine."""
    places = run.dataset == "builtin" or (run.dataset == "mnist" and data.has_mnist())
    try:
        found = dataset(run.dataset) if places else None
    except DigitLabError:
        return None
    return found if found is not None and found.fingerprint == run.fingerprint else None


@st.cache_resource(max_entries=64, show_spinner=False)
def checkpoint_answers(name: str, created: str, epochs: tuple[int, ...], digit: bytes, _run: runs.Run) -> Float32:
    """What a run answered to a digit image, ``float32 (28, 28)`` as bytes, after these epochs: ``(n, 10)``."""
    pixels = np.frombuffer(digit, np.float32).reshape(1, 28, 28)
    model, calibration = _run.recipe.to_dict()["model"], _run.calibration
    scores = [standalone.class_scores(model, runs.load_checkpoint(_run, epoch), pixels)[0] for epoch in epochs]
    return softmax(np.stack(scores), calibration.temperature)


@st.cache_resource(max_entries=128, show_spinner=False)
def checkpoint_pictures(name: str, created: str, epoch: int, _run: runs.Run) -> UInt8:
    """The weights of a run's first layer at one of its checkpoints, as pictures."""
    return snapshots.first_layer(_in_order(_run, runs.load_checkpoint(_run, epoch)))


def _in_order(run: runs.Run, weights: dict[str, Float32]) -> dict[str, Float32]:
    return {name: weights[name] for name in run.recipe.model.weight_shapes}


def exported_keras(run: runs.Run) -> bytes:
    """A run as a Keras file, made where networks are loaded, after TensorFlow was."""
    return _loader().submit(_converted, "export_keras", run).result()


def exported_litert(run: runs.Run) -> bytes:
    """A run as a LiteRT file, likewise."""
    return _loader().submit(_converted, "export_litert", run).result()


def _converted(maker: str, run: runs.Run) -> bytes:
    from mnist_core import conversion  # here, not above: it loads TensorFlow

    return getattr(conversion, maker)(run)


def gathering(recognizer: Recognizer, dataset: Dataset) -> Work[Gallery]:
    """Find a network's view of a dataset's training digits in Digit Lab's folder, or start to work it out."""
    return _gathering(recognizer.run.name, recognizer.run.created, dataset.name, recognizer, dataset)


@st.cache_resource(max_entries=2, show_spinner=False)  # 64 MB each at most
def _gathering(name: str, created: str, dataset: str, _recognizer: Recognizer, _dataset: Dataset) -> Work[Gallery]:
    work: Work[Gallery] = Work(len(_dataset.train_labels))
    work.future = _background().submit(explain.gather, _recognizer, _dataset, work.tell)
    return work


@dataclass(frozen=True, eq=False)
class TestDigits:
    """A dataset's test digits as a network sees them, and a map of them."""

    gallery: Gallery
    landscape: Landscape


def test_digits(recognizer: Recognizer, dataset: Dataset) -> Work[TestDigits]:
    """Find a network's view of a dataset's test digits in Digit Lab's folder, or start to work it out."""
    return _test_digits(recognizer.run.name, recognizer.run.created, dataset.name, recognizer, dataset)


@st.cache_resource(max_entries=4, show_spinner=False)  # 20 MB each for 10,000 digits and 1,024 features
def _test_digits(name: str, created: str, dataset: str, _recognizer: Recognizer, _dataset: Dataset) -> Work[TestDigits]:
    work: Work[TestDigits] = Work(len(_dataset.test_labels))
    work.future = _background().submit(_survey, _recognizer, _dataset, work)
    return work


def _survey(recognizer: Recognizer, dataset: Dataset, work: Work[TestDigits]) -> TestDigits:
    gallery = explain.gather(recognizer, dataset, work.tell, "test")
    return TestDigits(gallery, among.survey(gallery))


def weighed(recognizer: Recognizer, digit: Float32, wanted: int, other: int) -> Evidence:
    """What in a digit image speaks for one digit against another."""
    return _weighed(recognizer.run.name, recognizer.run.created, digit.tobytes(), wanted, other, recognizer)


@st.cache_resource(max_entries=256, show_spinner="The network takes the digit apart")
def _weighed(name: str, created: str, digit: bytes, wanted: int, other: int, _recognizer: Recognizer) -> Evidence:
    return evidence.weigh(_recognizer, np.frombuffer(digit, np.float32).reshape(28, 28), wanted, other)


@st.cache_resource(max_entries=64, show_spinner=False)
def replayed(
    strokes: str, side: int, settings: Settings, name: str, created: str, _recognizer: Recognizer
) -> tuple[Moment, ...]:
    """Answer a drawing after each of its strokes, which are the canvas's objects as JSON."""
    return replay(parse(json.loads(strokes), side), side, _recognizer, settings)


@st.cache_resource(max_entries=64, show_spinner=False)
def prepared_drawing(data: bytes, settings: Settings) -> Prepared:
    """Prepare the PNG that the canvas sent."""
    return prepare(images.decode_canvas(data).grey, settings)


def read_drawing(data: bytes, settings: Settings, recognizer: Recognizer) -> Reading:
    """Read all digits of the PNG that the canvas sent."""
    return recognizer.read(images.decode_canvas(data).grey, settings)


def without_each(data: bytes, settings: Settings, recognizer: Recognizer) -> tuple[Without, ...]:
    """Answer the PNG that the canvas sent without each of the steps."""
    return _without_each(data, settings, recognizer.run.name, recognizer.run.created, recognizer)


@st.cache_resource(max_entries=64, show_spinner=False)
def _without_each(
    data: bytes, settings: Settings, name: str, created: str, _recognizer: Recognizer
) -> tuple[Without, ...]:
    return xray.without_each(images.decode_canvas(data).grey, _recognizer, settings)


@dataclass(frozen=True, eq=False)
class SeenPicture:
    """A picture that was taken apart, in sizes that can be kept for many people.

    Attributes
    ----------
    name, size, notes
        As `mnist_core.images.Picture` has them.
    shape
        Height and width of the picture that the boxes are in.
    shown
        An address that holds the picture as JPEG, as small as `shown_side` says.
    page
        Its digits; the steps' images are at most `STEP_SIDE` pixels a side.
    single
        The same picture taken as one digit.
    """

    name: str
    size: tuple[int, int]
    notes: tuple[str, ...]
    shape: tuple[int, int]
    shown: str
    page: Page
    single: Prepared


@st.cache_resource(max_entries=128, show_spinner=False)  # about 2 MB each
def seen_picture(
    digest: str, name: str, judge: tuple[str, str], settings: Settings, _data: bytes, _judge: Recognizer
) -> SeenPicture:
    """Decode a picture file and find its digits.

    Its name and the SHA-256 of its bytes identify it, and the name and date of the network that says what is rather one
    digit than two.
    """
    picture = images.decode(_data, name)
    page, single = prepare_page(picture.grey, settings, _judge.certainty), prepare(picture.grey, settings)
    done: dict[int, Step] = {}
    return SeenPicture(
        picture.name,
        picture.size,
        picture.notes,
        picture.grey.shape,
        _as_jpeg(reduced(picture.colour, shown_side(picture.size))),
        _reduced_page(page, done),
        replace(single, steps=_reduced_steps(single.steps, done)),
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def boxed_picture(
    digest: str,
    name: str,
    judge: tuple[str, str],
    settings: Settings,
    boxes: tuple[Box, ...],
    _data: bytes,
    _judge: Recognizer,
) -> Page:
    """Read a picture that `seen_picture` has seen in the boxes that a person wants."""
    seen = seen_picture(digest, name, judge, settings, _data, _judge)
    known = [one for line in seen.page.lines for one in line]
    page = prepare_boxes(_grey(digest, _data), boxes, settings, _judge.certainty, known)
    return _reduced_page(page, {})


@st.cache_resource(max_entries=8, show_spinner=False)  # at most 4 MB each
def _grey(digest: str, _data: bytes) -> UInt8:
    """Keep the pictures that somebody is busy with."""
    return images.decode(_data).grey


def _as_jpeg(colour: UInt8) -> str:
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(colour, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + b64encode(encoded).decode()


def shown_side(size: tuple[int, int]) -> int:
    """How long the longer side of a picture on a page may be, pixels.

    A strip is shown as high as there is need to read it, and scrolled: it may be longer, while it has no more pixels
    than a photo of 4:3.
    """
    short, long = sorted(size)
    return min(_LONGEST_STRIP, max(SHOWN_SIDE, round(SHOWN_SIDE * math.sqrt(0.75 * long / short))))


def reduced(image: npt.NDArray[np.generic], side: int) -> npt.NDArray[np.generic]:
    """Make an image small enough that neither side is longer than `side`."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _reduced_page(page: Page, done: dict[int, Step]) -> Page:
    lines = tuple(tuple(replace(one, steps=_reduced_steps(one.steps, done)) for one in line) for line in page.lines)
    return replace(page, steps=_reduced_steps(page.steps, done), lines=lines)


def _reduced_steps(steps: tuple[Step, ...], done: dict[int, Step]) -> tuple[Step, ...]:
    """Make the steps' images small; those that all digits of a page share stay shared."""
    return tuple(done.setdefault(id(step), replace(step, image=reduced(step.image, STEP_SIDE))) for step in steps)


@dataclass(frozen=True)
class Sample:
    """A sample digit, or something that is none, as pen strokes with coordinates from 0 to 1."""

    name: str
    strokes: tuple[tuple[tuple[float, float], ...], ...]


@st.cache_resource(show_spinner=False)
def sample_strokes() -> dict[str, Sample]:
    """The samples for the canvas by name."""
    stored = json.loads((SAMPLES / "strokes.json").read_text())
    return {
        item["name"]: Sample(item["name"], tuple(tuple((x, y) for x, y in stroke) for stroke in item["strokes"]))
        for item in (*stored["digits"], *stored["others"])
    }


@dataclass(frozen=True, eq=False)
class SamplePicture:
    """A picture made for this project, with the reason why it is a hard one."""

    file: str
    title: str
    why: str
    data: bytes
    digest: str
    thumbnail: UInt8


@st.cache_resource(show_spinner=False)
def sample_pictures() -> list[SamplePicture]:
    """The sample pictures that lie in assets/samples."""
    return [
        _sample_picture(item["file"], item["title"], item["why"])
        for item in json.loads((SAMPLES / "samples.json").read_text())
    ]


def _sample_picture(file: str, title: str, why: str) -> SamplePicture:
    data = (SAMPLES / file).read_bytes()
    thumbnail = reduced(images.decode(data, file).colour, STEP_SIDE)
    return SamplePicture(file, title, why, data, hashlib.sha256(data).hexdigest(), thumbnail)

"""How long it takes to measure a run on 10,000 digits, to show the page, and to get from a cell to its digits."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page

from bench.browser import PATIENCE, chromium, temporary_folder
from bench.report import Figure, medians, percentile, processor_seconds
from mnist_core import (
    among,
    calibration,
    confusion,
    data,
    evidence,
    explain,
    mistakes,
    predictions,
    runs,
    traits,
)
from mnist_core.data import Dataset
from mnist_core.recognizer import Recognizer
from mnist_core.scores import scores
from mnist_core.wording import a_digit
from tests.browser.server import serve

N = 10_000
CLICKS = 20
NEW = "never-measured"
_CELL = ".dl-cell"
_PLACE = """([true_digit, predicted]) => {
  const graph = document.querySelector('.st-key-confusion .js-plotly-plot');
  const {left, top} = graph.getBoundingClientRect();
  const {xaxis, yaxis} = graph._fullLayout;
  return [left + xaxis._offset + xaxis.d2p(predicted), top + yaxis._offset + yaxis.d2p(true_digit)];
}"""


def measure(run: str) -> list[Figure]:
    """Time the library on 10,000 digits, then the pages in Chromium, on MNIST's where they are."""
    return _library(run) + _pages(run)


def _library(run: str) -> list[Figure]:
    recognizer, digits = Recognizer.load(run), many()
    given = predictions.evaluate(recognizer, digits)
    pixels = np.divide(digits.test_images, 255, dtype=np.float32).reshape(-1, 784)
    import keras

    from mnist_core import network

    keras_model = network.build(recognizer.run.recipe.model)
    network.set_weights(keras_model, runs.load_weights(recognizer.run))
    gallery = _seen(recognizer, digits)
    digit = np.divide(digits.test_images[0], 255, dtype=np.float32)
    seconds = medians(
        {
            "ours": lambda: predictions.evaluate(recognizer, digits),
            "keras": lambda: keras.Model.predict(keras_model, pixels, batch_size=256, verbose=0),
            "figures": lambda: _figures(predictions.Predictions("", "", given.labels, given.log_probabilities)),
            "traits": lambda: traits.measure(digits.test_images),
            "evidence": lambda: evidence.weigh(recognizer, digit, 4, 9),
            "among": lambda: gallery.nearest(recognizer.features(digit[None])[0]),
            "survey": lambda: among.survey(gallery),
        },
        rounds=5,
        warm_up=1,
    )
    detail = f"{N:,} digits, median of 5"
    return [
        Figure(f"{run} on 10,000 digits", seconds["ours"], "s", seconds["keras"], "keras.Model.predict", detail),
        Figure("all figures of 10,000 answers", 1000 * seconds["figures"], "ms", detail=detail),
        Figure("pen width, slant and loops of 10,000 digits", seconds["traits"], "s", detail=detail),
        Figure("what speaks for one digit and against it", 1000 * seconds["evidence"], "ms", detail="median of 5"),
        Figure("a drawing's nearest of 10,000 test digits", 1000 * seconds["among"], "ms", detail="median of 5"),
        Figure("a map of 2,000 of them, once", 1000 * seconds["survey"], "ms", detail="median of 5"),
    ]


def _seen(recognizer: Recognizer, digits: Dataset) -> explain.Gallery:
    """The digits as a network sees them; nothing is kept."""
    features = recognizer.features(np.divide(digits.test_images, 255, dtype=np.float32)).astype(np.float16)
    return explain.Gallery(digits, np.arange(N), features, "test")


def many() -> Dataset:
    """The built-in digits over and over, up to as many as MNIST's test set has."""
    small = data.load("builtin")
    images = np.concatenate([small.train_images, small.test_images])
    labels = np.concatenate([small.train_labels, small.test_labels])
    places: npt.NDArray[np.intp] = np.arange(N) % len(labels)
    none = small.train_images[:0]
    return Dataset("many", "10,000 digits", none, small.train_labels[:0], images[places], labels[places])


def _figures(given: predictions.Predictions) -> None:
    scores(given)
    calibration.certainty(given)
    calibration.coverage(given)
    confusion.rows_of(given)
    mistakes.kinds(given, None)


def _pages(run: str) -> list[Figure]:
    with chromium() as browser, temporary_folder() as folder:
        source, words = _provide(folder, run)
        with serve(folder) as server:
            page = browser.new_page(viewport={"width": 1280, "height": 1500})
            page.set_default_timeout(PATIENCE)
            read = _read_anew(page, server.url)
            address = f"{server.url}/metrics?run={run}{source}"
            _open(page, address)  # where there is no MNIST, the network reads the digits once
            opened = [_open(page, address) for _ in range(3)]
            shown = [_show(page, f"{server.url}/mistakes?run={run}&which=Right{source}") for _ in range(3)]
            page.goto(address)
            _drawn(page)
            before = processor_seconds(server.process.pid)
            clicks = [_click(page, number) for number in range(CLICKS)]
            a_click = (processor_seconds(server.process.pid) - before) / CLICKS
            page.goto(f"{server.url}/mistakes?run={run}{source}&which=All")
            page.get_by_role("button", name="Page 2").wait_for()
            before = processor_seconds(server.process.pid)
            turned = [_turn(page, number) for number in range(CLICKS)]
            a_turn = (processor_seconds(server.process.pid) - before) / CLICKS
    detail = f"{words}, {CLICKS} times"
    return [
        Figure("a new network's answers and its Metrics, to the matrix on screen", read, "s", detail=f"{words}, once"),
        Figure("Metrics opened in a new tab, to the matrix", float(np.median(opened)), "s", detail="median of 3"),
        Figure("Metrics opened from another page, likewise", float(np.median(shown)), "s", detail="median of 3"),
        *(Figure(f"click on a cell to its digits, p{p}", 1000 * percentile(clicks, p), "ms", detail=detail)
          for p in (50, 95)),
        *(Figure(f"a page of the gallery turned, p{p}", 1000 * percentile(turned, p), "ms", detail=detail)
          for p in (50, 95)),
        Figure("the server's processor time for a click on a cell", 1000 * a_click, "ms", detail=detail),
        Figure("the server's processor time for a page of the gallery", 1000 * a_turn, "ms", detail=detail),
    ]  # fmt: skip


def _provide(folder: Path, run: str) -> tuple[str, str]:
    """Give the server MNIST if it is on this machine, and a copy of the run that has never been measured.

    Returns what the address says of the dataset, and the dataset in words.
    """
    copy = folder / "digit-lab-home" / "runs" / NEW
    shutil.copytree(runs.load_run(run).folder, copy)
    record = json.loads((copy / "run.json").read_text())
    record["name"] = NEW
    record["fingerprint"] = "0" * 64  # so that its stored answers are of other digits
    (copy / "run.json").write_text(json.dumps(record))
    found = next((place.path for place in data.mnist_places() if place.found), None)
    if found is None:
        return "&data=Built-in+digits", "the 359 built-in digits"
    (folder / "keras-home").mkdir()
    os.symlink(found.resolve(), folder / "keras-home" / "datasets")
    return "", "MNIST's 10,000 test digits"


def _read_anew(page: Page, url: str) -> float:
    """From the menu to the matrix of a network that is awake and has never read these digits."""
    page.goto(f"{url}/draw?run={NEW}")
    page.get_by_text("No digit yet.").wait_for()
    page.wait_for_timeout(2000)  # the page warms up in the background
    begin = time.perf_counter()
    page.get_by_role("link", name="Metrics").click()
    _drawn(page)
    return time.perf_counter() - begin


def _show(page: Page, address: str) -> float:
    """From the menu of another page to the matrix: without the time that a browser takes to load Streamlit."""
    page.goto(address)
    page.locator("[class*=st-key-card-digit-]").first.wait_for()
    page.wait_for_timeout(500)
    begin = time.perf_counter()
    page.get_by_role("link", name="Metrics").click()
    _drawn(page)
    return time.perf_counter() - begin


def _open(page: Page, address: str) -> float:
    begin = time.perf_counter()
    page.goto(address)
    _drawn(page)
    return time.perf_counter() - begin


def _drawn(page: Page) -> None:
    page.locator(_CELL).wait_for()
    page.locator(".st-key-confusion .textpoint").last.wait_for(state="attached")


def _click(page: Page, number: int) -> float:
    digit = str(number % 10)
    x, y = page.evaluate(_PLACE, [digit, digit])
    page.mouse.move(x, y)
    begin = time.perf_counter()
    page.mouse.click(x, y)
    page.locator(_CELL, has_text=f"{digit} read as {digit}").wait_for()
    page.locator(f".dl-digits [title*='{a_digit(number % 10)}, read as {digit},'] img").first.wait_for()
    taken = time.perf_counter() - begin
    page.wait_for_timeout(500)  # the matrix is drawn again, with its frame
    return taken


def _turn(page: Page, number: int) -> float:
    before = page.locator("[class*=st-key-card-digit-]").first.get_attribute("class")
    begin = time.perf_counter()
    page.get_by_role("button", name=f"Page {2 + number % 2}").click()
    page.wait_for_function(
        "before => document.querySelector('[class*=st-key-card-digit-]')?.className !== before", arg=before
    )
    return time.perf_counter() - begin

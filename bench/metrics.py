"""How long it takes to measure a run on 10,000 digits, to show the page, and to get from a cell to its digits."""

import time

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page

from bench.browser import PATIENCE, chromium, temporary_folder
from bench.report import Figure, medians, percentile
from mnist_core import calibration, confusion, data, mistakes, predictions, runs, traits
from mnist_core.data import Dataset
from mnist_core.recognizer import Recognizer
from mnist_core.scores import scores
from tests.browser.server import serve

N = 10_000
CLICKS = 20
_CELL = ".dl-cell"
_PLACE = """([true_digit, predicted]) => {
  const graph = document.querySelector('.st-key-confusion .js-plotly-plot');
  const {left, top} = graph.getBoundingClientRect();
  const {xaxis, yaxis} = graph._fullLayout;
  return [left + xaxis._offset + xaxis.d2p(predicted), top + yaxis._offset + yaxis.d2p(true_digit)];
}"""


def measure(run: str) -> list[Figure]:
    """Time the library on 10,000 digits, then the pages on the built-in digits in Chromium."""
    return _library(run) + _pages(run)


def _library(run: str) -> list[Figure]:
    recognizer, digits = Recognizer.load(run), many()
    given = predictions.evaluate(recognizer, digits)
    pixels = np.divide(digits.test_images, 255, dtype=np.float32).reshape(-1, 784)
    import keras

    from mnist_core import network

    keras_model = network.build(recognizer.run.recipe.model)
    network.set_weights(keras_model, runs.load_weights(recognizer.run))
    seconds = medians(
        {
            "ours": lambda: predictions.evaluate(recognizer, digits),
            "keras": lambda: keras.Model.predict(keras_model, pixels, batch_size=256, verbose=0),
            "figures": lambda: _figures(predictions.Predictions("", "", given.labels, given.log_probabilities)),
            "traits": lambda: traits.measure(digits.test_images),
        },
        rounds=5,
        warm_up=1,
    )
    detail = f"{N:,} digits, median of 5"
    return [
        Figure(f"{run} on 10,000 digits", seconds["ours"], "s", seconds["keras"], "keras.Model.predict", detail),
        Figure("all figures of 10,000 answers", 1000 * seconds["figures"], "ms", detail=detail),
        Figure("pen width, slant and loops of 10,000 digits", seconds["traits"], "s", detail=detail),
    ]


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
    with chromium() as browser, temporary_folder() as folder, serve(folder) as server:
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.set_default_timeout(PATIENCE)
        address = f"{server.url}/metrics?run={run}&data=Built-in+digits"
        _open(page, address)  # the network wakes up and reads the digits once
        opened = [_open(page, address) for _ in range(5)]
        clicks = [_click(page, number) for number in range(CLICKS)]
        page.goto(f"{server.url}/mistakes?run={run}&data=Built-in+digits&which=All")
        page.get_by_role("button", name="Page 2").wait_for()
        turned = [_turn(page, number) for number in range(CLICKS)]
    detail = f"built-in digits, {CLICKS} times"
    return [
        Figure("Metrics opened, to the matrix on screen", float(np.median(opened)), "s", detail="median of 5"),
        *(Figure(f"click on a cell to its digits, p{p}", 1000 * percentile(clicks, p), "ms", detail=detail)
          for p in (50, 95)),
        *(Figure(f"a page of the gallery turned, p{p}", 1000 * percentile(turned, p), "ms", detail=detail)
          for p in (50, 95)),
    ]  # fmt: skip


def _open(page: Page, address: str) -> float:
    begin = time.perf_counter()
    page.goto(address)
    page.locator(_CELL).wait_for()
    page.locator(".st-key-confusion .textpoint").last.wait_for(state="attached")
    return time.perf_counter() - begin


def _click(page: Page, number: int) -> float:
    digit = str(number % 10)
    x, y = page.evaluate(_PLACE, [digit, digit])
    page.mouse.move(x, y)
    begin = time.perf_counter()
    page.mouse.click(x, y)
    page.locator(_CELL, has_text=f"{digit} read as {digit}").wait_for()
    page.locator(".dl-digits img").first.wait_for()
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

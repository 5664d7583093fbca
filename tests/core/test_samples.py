import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from PIL import Image

from mnist_core.images import Picture, load
from mnist_core.recognizer import Recognizer

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SAMPLES = json.loads((ASSETS / "samples" / "samples.json").read_text())
STROKES = json.loads((ASSETS / "samples" / "strokes.json").read_text())
FILES = [sample["file"] for sample in SAMPLES]


def picture(file: str) -> Picture:
    return load(ASSETS / "samples" / file)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_samples", ASSETS / "make_samples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_is_listed_once_and_all_are_small() -> None:
    pictures = [path for path in (ASSETS / "samples").iterdir() if path.suffix != ".json"]
    assert sorted(FILES) == sorted(path.name for path in pictures)
    assert len(FILES) >= 10
    assert sum(path.stat().st_size for path in pictures) < 2_000_000


@pytest.mark.parametrize("sample", SAMPLES, ids=FILES)
def test_each_entry_says_what_the_picture_shows(sample: dict[str, str]) -> None:
    assert list(sample) == ["file", "title", "text", "kind", "why"]
    digits = sample["text"].replace("\n", "")
    assert digits == "" or digits.isdecimal()
    assert sample["kind"] == {0: "none", 1: "single"}.get(len(digits), "page")
    assert sample["why"].endswith(".") and not sample["title"].endswith(".")


def test_all_ten_digits_are_among_them() -> None:
    assert set("".join(sample["text"] for sample in SAMPLES)) >= set("0123456789")


@pytest.mark.parametrize("file", FILES)
def test_each_is_a_picture_with_something_on_it(file: str) -> None:
    grey = picture(file).grey.astype(np.float32)
    around = cv2.blur(grey, (101, 101))
    assert np.percentile(np.abs(grey - around), 99.5) > 10


def test_the_ones_that_are_listed_for_a_property_have_it() -> None:
    assert "EXIF 6" in " ".join(picture("phone.jpg").notes)
    assert picture("phone.jpg").size == (900, 1200)
    assert picture("huge.jpg").size == (4000, 3000)
    assert "blue part" in " ".join(picture("yellow-pen.jpg").notes)
    assert np.median(picture("chalkboard.jpg").grey) < 80
    rows = np.flatnonzero((picture("tiny.png").grey < 150).any(1))
    assert 10 <= np.ptp(rows) + 1 <= 13


@pytest.mark.parametrize("sample", [one for one in SAMPLES if one["kind"] == "single"], ids=lambda one: one["file"])
def test_each_digit_is_read_and_believed(sample: dict[str, str]) -> None:
    answer = Recognizer.load().recognize(picture(sample["file"]).grey)
    assert (str(answer.digit), answer.accepted) == (sample["text"], True), answer.reason


@pytest.mark.parametrize("entry", STROKES["digits"], ids=lambda entry: entry["name"])
def test_strokes_fill_a_box_of_side_one(entry: dict[str, object]) -> None:
    points = np.concatenate(entry["strokes"])
    assert entry["name"].startswith(str(entry["digit"]))
    assert points.min(0).tolist() == [0, 0]
    assert points.max() == 1
    for stroke in entry["strokes"]:
        steps = [np.hypot(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(stroke)]
        assert len(stroke) >= 3 and max(steps) < 0.1  # close enough to be drawn with straight lines


def test_strokes_are_there_for_every_digit_under_names_of_their_own() -> None:
    assert {entry["digit"] for entry in STROKES["digits"]} == set(range(10))
    names = [entry["name"] for kind in ("digits", "others") for entry in STROKES[kind]]
    assert len(names) == len(set(names))


def test_the_generator_makes_what_is_listed(generator: ModuleType) -> None:
    keys = ("file", "title", "text", "kind", "why")
    assert [{key: getattr(sample, key) for key in keys} for sample in generator.CATALOGUE] == SAMPLES
    tiny = next(sample for sample in generator.CATALOGUE if sample.file == "tiny.png")
    again = cv2.imdecode(np.frombuffer(generator.draw(tiny), np.uint8), cv2.IMREAD_COLOR_RGB)
    with Image.open(ASSETS / "samples" / "tiny.png") as committed:
        np.testing.assert_allclose(again, np.asarray(committed), atol=2)

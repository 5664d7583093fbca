"""Archives of labelled pictures: every way to say the digit, and what cannot be used."""

import io
import zipfile

import cv2
import numpy as np
import pytest

from mnist_core import labelled
from mnist_core.errors import DigitLabError
from mnist_core.images import encode_png
from mnist_core.labelled import read_zip


def seven(side: int = 80) -> bytes:
    picture = np.full((side, side), 240, np.uint8)
    points = (np.array([[25, 20], [55, 20], [36, 62]]) * side / 80).astype(np.int32)
    cv2.polylines(picture, [points], False, 20, 5, cv2.LINE_AA)
    return encode_png(picture)


def archive(files: dict[str, bytes | str], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("files", "labels"),
    [
        ({"7/anna.png": seven(), "1/ben.PNG": seven()}, [7, 1]),
        ({"digits/7/3.png": seven()}, [7]),
        ({"7.png": seven(), "1-ben.png": seven(), "2 (1).jpeg": seven(), "3_x.png": seven()}, [7, 1, 2, 3]),
        ({"a.png": seven(), "b.png": seven(), "labels.csv": "file,label\na.png,7\nb.png, 1 \n"}, [7, 1]),
        ({"x/a.png": seven(), "x/labels.csv": "\ufefffile,label\na.png,7\n"}, [7]),
        ({"7/a.png": seven(), "__MACOSX/7/._a.png": b"?", "7/.DS_Store": b"?", "notes.txt": "hello"}, [7]),
    ],
    ids=["folders", "the innermost folder", "names", "a list", "a list in a folder", "what systems add"],
)
def test_the_digit_is_known_from(files: dict[str, bytes | str], labels: list[int]) -> None:
    found = read_zip(archive(files), "mine.zip")
    assert found.dataset.test_labels.tolist() == labels
    assert found.left_out == ()
    assert found.dataset.test_images.shape == (len(labels), 28, 28)
    assert found.dataset.test_images.dtype == np.uint8
    assert found.dataset.test_images.max(axis=(1, 2)).min() > 200, "the ink is white on black"
    assert (found.dataset.name, found.dataset.title, len(found.dataset.train_labels)) == ("own", "mine.zip", 0)


def test_a_bad_picture_is_named_and_the_others_are_read() -> None:
    files = {"7/a.png": seven(), "1/notes.png": b"hello", "who.png": seven(), "12.png": seven()}
    found = read_zip(archive(files), "mine.zip")
    assert found.dataset.test_labels.tolist() == [7]
    assert [sentence.partition(" ")[0].rstrip(":") for sentence in found.left_out] == [
        "1/notes.png", "who.png", "12.png",
    ]  # fmt: skip


def test_a_label_of_the_list_that_is_no_digit_leaves_its_picture_out() -> None:
    files = {"a.png": seven(), "b.png": seven(), "labels.csv": "file,label\na.png,seven\nb.png,7\n"}
    found = read_zip(archive(files), "mine.zip")
    assert found.dataset.test_labels.tolist() == [7]
    assert len(found.left_out) == 1


def test_a_blank_picture_stays_as_an_empty_digit() -> None:
    blank = encode_png(np.full((80, 80), 255, np.uint8))
    found = read_zip(archive({"7/a.png": blank}), "mine.zip")
    assert found.dataset.test_images.max() == 0
    assert found.dataset.test_labels.tolist() == [7]


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    read_zip(archive({"7/a.png": seven(), "7/b.png": b"?"}), "mine.zip", lambda done, all_: told.append((done, all_)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot be read"),
        (b"PK\3\4 not really", "cannot be read"),
        (archive({"7/a.png": seven()})[:200], "cannot be read"),
        (archive({}), "no picture whose digit is known"),
        (archive({"a.png": seven()}), "nothing says which digit"),
        (archive({"7/a.png": b"hello"}), "no picture whose digit is known"),
        (archive({"7/a.png": seven(), "labels.csv": "name,digit\na,7\n"}), "no list with the columns"),
        (archive({"7/a.png": seven(), "labels.csv": b"\xff\xfe\x00file"}), "no list with the columns"),
        (archive({"7/a.png": seven(), "labels.csv": b"0" * 1_000_001}), "too large"),
    ],
)
def test_what_cannot_be_used_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(DigitLabError, match=reason):
        read_zip(data, "mine.zip")


def test_too_many_pictures_are_refused_before_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "MOST_PICTURES", 3)
    monkeypatch.setattr(labelled, "_MOST_ENTRIES", 6)
    monkeypatch.setattr(labelled, "decode", lambda *_: pytest.fail("no picture is decoded"))
    with pytest.raises(DigitLabError, match="has 4 pictures"):
        read_zip(archive({f"7/{n}.png": b"" for n in range(4)}), "mine.zip")
    with pytest.raises(DigitLabError, match="has 7 files"):
        read_zip(archive({f"{n}.txt": b"" for n in range(7)}), "mine.zip")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = archive({"7/a.png": b"\0" * (11 * 2**20), "7/b.png": seven()})
    assert len(bomb) < 100_000
    found = read_zip(bomb, "mine.zip")
    assert found.dataset.test_labels.tolist() == [7]
    assert "larger than 10 MB" in found.left_out[0]

import csv
import errno
import gzip
import hashlib
import os
import pickle
import socket
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_digits

from mnist_core import data
from mnist_core.data import Dataset, stratified_split
from mnist_core.errors import DigitLabError

IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
NPZ_NAMES = ("x_train", "y_train", "x_test", "y_test")
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def some_arrays(seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (7, 28, 28), np.uint8)
    labels = rng.integers(0, 10, 7).astype(np.uint8)
    return images[:5], labels[:5], images[5:], labels[5:]


def fingerprint(arrays: Arrays) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """Let seven noisy pictures pass for MNIST."""
    arrays = some_arrays()
    monkeypatch.setattr(data, "MNIST_FINGERPRINT", fingerprint(arrays))
    return arrays


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, arrays: Arrays) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(IDX_NAMES, arrays, strict=True):
        (folder / name).write_bytes(gzip.compress(idx(array)))
    return folder


def write_npz(folder: Path, arrays: Arrays) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "mnist.npz", **dict(zip(NPZ_NAMES, arrays, strict=True)))
    return folder


def assert_holds(dataset: Dataset, arrays: Arrays) -> None:
    x_train, y_train, x_test, y_test = arrays
    np.testing.assert_array_equal(dataset.train_images, x_train, strict=True)
    np.testing.assert_array_equal(dataset.train_labels, y_train.astype(np.int64), strict=True)
    np.testing.assert_array_equal(dataset.test_images, x_test, strict=True)
    np.testing.assert_array_equal(dataset.test_labels, y_test.astype(np.int64), strict=True)


# --- where MNIST is found


@pytest.mark.parametrize("write", [write_idx, write_npz])
def test_mnist_is_read_from_either_kind_of_file(write: Callable[..., Path], small: Arrays, tmp_path: Path) -> None:
    dataset = data.read_mnist(write(tmp_path / "mnist", small))
    assert_holds(dataset, small)
    assert (dataset.name, dataset.title) == ("mnist", "MNIST")
    assert dataset.fingerprint == fingerprint(small), "the same for both kinds of file"


def places(tmp_path: Path, home: Path) -> dict[str, Path]:
    return {
        "MNIST_DATA_DIR": tmp_path / "named",
        "Digit Lab's own folder": home / "mnist",
        "Keras' folder": tmp_path / "keras-home" / "datasets",
    }


def test_the_first_place_that_has_mnist_is_taken(
    tmp_path: Path, digit_lab_home: Path, small: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = places(tmp_path, digit_lab_home)
    monkeypatch.setenv("MNIST_DATA_DIR", str(folders["MNIST_DATA_DIR"]))
    assert {place.title: place.path for place in data.mnist_places()} == folders
    found: list[str] = []
    for title, folder in reversed(folders.items()):
        write_npz(folder, small)
        found.insert(0, title)
        assert [place.title for place in data.mnist_places() if place.found] == found
        for other in list(folders.values())[list(folders).index(title) + 1 :]:
            (other / "mnist.npz").write_bytes(b"damaged")
        assert_holds(data.load("mnist"), small)


def test_a_named_folder_without_mnist_is_passed_over(
    tmp_path: Path, digit_lab_home: Path, small: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_idx(tmp_path / "named", small)
    (folder / IDX_NAMES[3]).unlink()
    monkeypatch.setenv("MNIST_DATA_DIR", str(folder))
    write_npz(digit_lab_home / "mnist", small)
    assert [place.found for place in data.mnist_places()] == [False, True, False], "three of four files are no MNIST"
    assert_holds(data.load_mnist(), small)


@pytest.mark.parametrize("variable", ["", None])
def test_without_the_variable_there_are_two_places(variable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if variable is not None:
        monkeypatch.setenv("MNIST_DATA_DIR", variable)
    assert [place.title for place in data.mnist_places()] == ["Digit Lab's own folder", "Keras' folder"]


def test_keras_folder_is_in_the_persons_home_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.mnist_places()[-1].path == tmp_path / ".keras" / "datasets"


def test_without_mnist_a_sentence_says_how_to_get_it() -> None:
    with pytest.raises(DigitLabError) as caught:
        data.load("mnist")
    assert str(caught.value) == (
        "MNIST is not on this machine. Get it with `python -m mnist_core data --download` (11 MB), or set "
        "MNIST_DATA_DIR to a folder with its four idx .gz files or mnist.npz."
    )


def test_a_folder_with_mnists_files_can_be_named(tmp_path: Path, small: Arrays) -> None:
    assert_holds(data.load(str(write_idx(tmp_path / "here", small))), small)


# --- damaged files


class Evil:
    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, ("pickled-code-was-run",)


def pickled_npz(arrays: Arrays) -> bytes:
    file = BytesIO()
    np.savez(file, x_train=np.array([Evil()], object), **dict(zip(NPZ_NAMES[1:], arrays[1:], strict=True)))
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def named(arrays: Arrays) -> dict[str, np.ndarray]:
    return dict(zip(NPZ_NAMES, arrays, strict=True))


NOT_MNIST = "are not MNIST as it was published"
UNREADABLE = "cannot be read"
DAMAGED_NPZ: dict[str, tuple[Callable[[Arrays], bytes], str]] = {
    "empty": (lambda _: b"", UNREADABLE),
    "text": (lambda _: b"<html>Not found</html>", UNREADABLE),
    "truncated": (lambda arrays: npz(**named(arrays))[:-200], UNREADABLE),
    "a bit flipped": (lambda arrays: npz(**named(arrays)).replace(arrays[0].tobytes()[:9], b"123456789"), UNREADABLE),
    "one array, no archive": (lambda _: b"\x93NUMPY\x01\x00" + b"\x00" * 120, UNREADABLE),
    "pickled": (pickled_npz, "does not hold numbers"),
    "a bare pickle": (lambda _: pickle.dumps(Evil()), UNREADABLE),
    "an array missing": (lambda arrays: npz(x_train=arrays[0]), "y_train"),
    "other digits": (lambda _: npz(**named(some_arrays(1))), NOT_MNIST),
    "flat pictures": (lambda arrays: npz(**named(arrays) | {"x_train": arrays[0].reshape(5, 784)}), NOT_MNIST),
    "as fractions": (lambda arrays: npz(**named(arrays) | {"x_test": arrays[2].astype(float)}), NOT_MNIST),
}


@pytest.mark.parametrize("case", DAMAGED_NPZ)
def test_a_damaged_npz_is_refused_with_a_sentence(
    case: str, small: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, sentence = DAMAGED_NPZ[case]
    (tmp_path / "mnist.npz").write_bytes(make(small))
    with pytest.raises(DigitLabError, match=sentence) as caught:
        data.read_mnist(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert not (tmp_path / "pickled-code-was-run").exists()


def test_an_npz_that_claims_terabytes_is_refused_before_any_memory_is_taken(tmp_path: Path) -> None:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"shape": (5 * 10**9, 28, 28), "fortran_order": False, "descr": "|u1"})
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w") as archive:
        archive.writestr("x_train.npy", header.getvalue() + b"\x00" * 784)
    with pytest.raises(DigitLabError, match=r"x_train\.npy is too large"):
        data.read_mnist(tmp_path)


GZ = gzip.compress
DAMAGED_IDX: dict[str, tuple[Callable[[Arrays], bytes], str]] = {
    "empty": (lambda _: b"", UNREADABLE),
    "no gzip": (lambda arrays: idx(arrays[0]), UNREADABLE),
    "gzip of nothing": (lambda _: GZ(b""), "no idx file of bytes"),
    "gzip of text": (lambda _: GZ(b"hello, world"), "no idx file of bytes"),
    "gzip cut off": (lambda arrays: GZ(idx(arrays[0]))[:-300], UNREADABLE),
    "gzip damaged": (lambda arrays: GZ(idx(arrays[0]))[:40] + b"\xff" * 60, UNREADABLE),
    "header cut off": (lambda _: GZ(b"\x00\x00\x08"), "no idx file of bytes"),
    "shape cut off": (lambda _: GZ(b"\x00\x00\x08\x03\x00\x00"), UNREADABLE),
    "floats": (lambda arrays: GZ(b"\x00\x00\x0d\x03" + idx(arrays[0])[4:]), "no idx file of bytes"),
    "pixels missing": (lambda arrays: GZ(idx(arrays[0])[:-1]), UNREADABLE),
    "a picture too many": (lambda arrays: GZ(idx(arrays[0]) + b"\x00" * 784), UNREADABLE),
    "a shape of terabytes": (lambda arrays: GZ(b"\x00\x00\x08\x03" + b"\xff" * 12 + arrays[0].tobytes()), UNREADABLE),
    "other digits": (lambda _: GZ(idx(some_arrays(1)[0])), NOT_MNIST),
    "labels in place of pictures": (lambda arrays: GZ(idx(arrays[1])), NOT_MNIST),
}


@pytest.mark.parametrize("case", DAMAGED_IDX)
def test_damaged_idx_files_are_refused_with_a_sentence(case: str, small: Arrays, tmp_path: Path) -> None:
    make, sentence = DAMAGED_IDX[case]
    write_idx(tmp_path, small)
    (tmp_path / IDX_NAMES[0]).write_bytes(make(small))
    with pytest.raises(DigitLabError, match=sentence) as caught:
        data.read_mnist(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_gzip_bomb_takes_no_more_memory_than_mnist_would(
    small: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "_MOST_BYTES", 10_000)
    write_idx(tmp_path, small)
    (tmp_path / IDX_NAMES[0]).write_bytes(GZ(b"\x00\x00\x08\x01" + b"\x00\x01\x00\x00" + b"\x00" * 65_536))
    with pytest.raises(DigitLabError, match="cannot be read: cannot reshape array of size 9992"):
        data.read_mnist(tmp_path)


# --- download


class Server:
    """A web server on this machine whose one answer is decided by the test."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/mnist.npz"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Start servers, by their answer; give their address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers: list[Server] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        servers.append(Server(answer))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


def send(body: bytes, length: int | str | None = -1) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if length is not None:
            request.send_header("Content-Length", str(len(body) if length == -1 else length))
        request.end_headers()
        request.wfile.write(body)

    return answer


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def assert_nothing_left(home: Path) -> None:
    assert [path.name for path in home.rglob("*") if path.is_file()] == [], "nothing half-done stays"


def test_a_download_is_whole_verified_and_told_of(
    serve: Callable[..., str], small: Arrays, digit_lab_home: Path
) -> None:
    body = npz(**named(small))
    told: list[tuple[int, int]] = []
    folder = data.download_mnist(lambda *news: told.append(news), serve(send(body)), sha256(body))
    assert folder == digit_lab_home / "mnist"
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]
    assert (folder / "mnist.npz").read_bytes() == body
    assert told[-1] == (len(body), len(body))
    assert told == sorted(told)
    assert_holds(data.load("mnist"), small)


@pytest.mark.parametrize("length", [None, "many"])
def test_a_server_that_does_not_say_how_long_it_is_is_fine(serve: Callable[..., str], length: str | None) -> None:
    told: list[tuple[int, int]] = []
    data.download_mnist(lambda *news: told.append(news), serve(send(b"abc", length)), sha256(b"abc"))
    assert told[-1] == (3, data.MNIST_BYTES), "the size of the real file stands in"


def test_a_download_replaces_a_damaged_file(serve: Callable[..., str], digit_lab_home: Path) -> None:
    (digit_lab_home / "mnist").mkdir(parents=True)
    (digit_lab_home / "mnist" / "mnist.npz").write_bytes(b"damaged")
    data.download_mnist(None, serve(send(b"whole")), sha256(b"whole"))
    assert (digit_lab_home / "mnist" / "mnist.npz").read_bytes() == b"whole"


def not_found(request: BaseHTTPRequestHandler) -> None:
    request.send_error(404)


def reset(request: BaseHTTPRequestHandler) -> None:
    """Begin, then break the connection off in a way that the other side notices."""
    send(b"begin", 1000)(request)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def gibberish(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"220 mail.example.org ready\r\n")


FAILURES: dict[str, tuple[Callable[[BaseHTTPRequestHandler], None], str]] = {
    "another file": (send(b"a captive portal's page"), r"damaged \(its checksum is wrong\)\. Try again\.$"),
    "an empty file": (send(b""), "its checksum is wrong"),
    "cut off": (send(b"whole"[:3], 5), "checksum is wrong|could not be downloaded"),
    "not there": (not_found, r"could not be downloaded \(Not Found\)\. Is there a network\?"),
    "broken off": (reset, r"could not be downloaded|checksum is wrong"),
    "no web server": (gibberish, "could not be downloaded"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failed_download_says_so_and_leaves_nothing_behind(
    case: str, serve: Callable[..., str], digit_lab_home: Path
) -> None:
    answer, sentence = FAILURES[case]
    with pytest.raises(DigitLabError, match=sentence):
        data.download_mnist(None, serve(answer), sha256(b"whole"))
    assert_nothing_left(digit_lab_home)


def test_without_a_network_the_built_in_digits_are_pointed_to(digit_lab_home: Path) -> None:
    closed = Server(not_found)
    closed.close()
    with pytest.raises(DigitLabError) as caught:
        data.download_mnist(None, closed.url)
    assert str(caught.value).startswith("MNIST could not be downloaded (")
    assert str(caught.value).endswith("Is there a network? Everything also works with the built-in digits.")
    assert_nothing_left(digit_lab_home)


def test_a_trickle_does_not_outlast_the_time_limit(serve: Callable[..., str], digit_lab_home: Path) -> None:
    over = threading.Event()

    def trickle(request: BaseHTTPRequestHandler) -> None:
        send(b"a", 1000)(request)
        request.wfile.flush()
        over.wait(60)

    try:
        with pytest.raises(DigitLabError, match="it took too long"):
            data.download_mnist(None, serve(trickle), seconds=0.0)
        assert not over.is_set(), "it was not waited for"
    finally:
        over.set()
    assert_nothing_left(digit_lab_home)


def test_a_file_without_end_is_not_kept(
    serve: Callable[..., str], digit_lab_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MNIST_BYTES", 1000)
    with pytest.raises(DigitLabError, match="far too large"):
        data.download_mnist(None, serve(send(b"a" * 300_000)), sha256(b"a" * 300_000))
    assert_nothing_left(digit_lab_home)


def test_a_listener_that_gives_up_leaves_nothing_behind(serve: Callable[..., str], digit_lab_home: Path) -> None:
    def give_up(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.download_mnist(give_up, serve(send(b"whole")), sha256(b"whole"))
    assert_nothing_left(digit_lab_home)


def test_a_home_that_cannot_be_made_is_told(digit_lab_home: Path) -> None:
    digit_lab_home.write_text("a file in the way")
    with pytest.raises(DigitLabError, match=r"MNIST could not be saved in .*digit-lab-home.*: Not a directory"):
        data.download_mnist()


def test_a_read_only_home_is_told(digit_lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(data.tempfile, "NamedTemporaryFile", read_only)
    with pytest.raises(DigitLabError, match=r"MNIST could not be saved in .*: Read-only file system"):
        data.download_mnist()


# --- the built-in digits


def test_the_built_in_digits_are_all_there_and_say_what_they_are(builtin: Dataset) -> None:
    labels = np.concatenate([builtin.train_labels, builtin.test_labels])
    assert builtin.name == "builtin"
    assert "1,797" in builtin.title
    assert "UCI optdigits" in builtin.title, "they never pass for MNIST"
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(load_digits().target))
    assert len(builtin.test_labels) == pytest.approx(1797 / 5, abs=5)
    for images, count in ((builtin.train_images, builtin.train_labels), (builtin.test_images, builtin.test_labels)):
        assert (images.shape, images.dtype, count.dtype) == (
            (len(count), 28, 28),
            np.dtype(np.uint8),
            np.dtype("int64"),
        )


def test_the_built_in_digits_are_normalised_as_mnists_are(builtin: Dataset) -> None:
    images = builtin.train_images.astype(float)
    ink = images.sum(axis=(1, 2))
    places = np.arange(28)
    down = (images.sum(axis=2) @ places) / ink
    across = (images.sum(axis=1) @ places) / ink
    for centre in (down, across):
        assert np.abs(centre - 14).max() < 1.2, "the centre of mass is in the middle, to the nearest pixel or so"
        assert abs(centre.mean() - 14) < 0.3
    for image in builtin.train_images[:300]:
        _, _, width, height = cv2.boundingRect(image)
        assert 19 <= max(width, height) <= 20, "the digit fills a box of 20 pixels"
    assert images.max(axis=(1, 2)).min() > 150, "full ink is white"
    assert (images == 0).mean() > 0.6, "on black"


def test_the_built_in_digits_are_the_same_every_time(builtin: Dataset) -> None:
    again = data.load("builtin")
    assert again.fingerprint == builtin.fingerprint
    np.testing.assert_array_equal(again.train_labels, builtin.train_labels)


def test_an_enlarged_digit_is_the_one_it_was(builtin: Dataset) -> None:
    """Reduced to 8x8 again, nearly every one is nearest to scikit-learn's own digit of the same kind."""
    small = load_digits()
    means = np.stack([small.data[small.target == digit].mean(axis=0) for digit in range(10)])
    reduced = np.stack(
        [cv2.resize(image[4:24, 4:24], (8, 8), interpolation=cv2.INTER_AREA) for image in builtin.test_images]
    )
    flat = reduced.reshape(len(reduced), 64) * (16 / 255)
    nearest = ((flat[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == builtin.test_labels).mean() > 0.7


# --- the fingerprint


def test_the_fingerprint_is_of_all_pixels_and_labels() -> None:
    arrays = some_arrays()
    dataset = Dataset("x", "X", arrays[0], arrays[1].astype(np.int64), arrays[2], arrays[3].astype(np.int64))
    assert dataset.fingerprint == fingerprint(arrays)
    for number in range(4):
        changed = [array.copy() for array in arrays]
        changed[number].flat[-1] ^= 1
        assert Dataset("x", "X", *changed).fingerprint != dataset.fingerprint


# --- the split


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.2, 0.5, 1.0])
def test_a_split_takes_the_same_share_of_each_digit(share: float) -> None:
    labels = np.random.default_rng(0).choice(10, 1000, p=np.arange(1, 11) / 55)
    kept, held = stratified_split(labels, share)
    counts = np.bincount(labels, minlength=10)
    np.testing.assert_array_equal(np.bincount(labels[held], minlength=10), [round(n * share) for n in counts])
    assert sorted([*kept, *held]) == list(range(1000)), "every example is in one part, and in one only"


def test_a_split_is_decided_by_its_seed() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 500)
    first, again, other = (stratified_split(labels, 0.2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert set(first[1]) != set(other[1])


def test_a_split_has_one_seed_unless_another_is_named() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 500)
    np.testing.assert_array_equal(stratified_split(labels, 0.2)[1], stratified_split(labels, 0.2)[1])


def test_what_is_kept_comes_in_random_order() -> None:
    labels = np.repeat(np.arange(10), 50)
    kept, _ = stratified_split(labels, 0.1)
    first = np.bincount(labels[kept[:100]], minlength=10)
    assert first.min() > 0, "the first hundred hold every digit: a limit on examples keeps all of them"


def test_a_split_of_nothing_is_nothing() -> None:
    kept, held = stratified_split(np.zeros(0, np.int64), 0.5)
    assert (len(kept), len(held)) == (0, 0)


# --- folders with labels


def picture(bar: int = 30) -> np.ndarray:
    grey = np.full((100, 80), 240, np.uint8)
    grey[20:80, bar : bar + 10] = 20
    return grey


def labelled(folder: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = ("file", "label")) -> Path:
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "one.png"), picture())
    cv2.imwrite(str(folder / "blank.png"), np.full((60, 60), 200, np.uint8))
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return folder


def test_a_labelled_folder_is_a_test_set(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "mine", [("one.png", "1"), ("blank.png", "4"), ("one.png", "7")])
    dataset = data.load(str(folder))
    assert (dataset.name, dataset.title) == ("mine", str(folder))
    assert dataset.train_images.shape == (0, 28, 28)
    assert dataset.train_labels.shape == (0,)
    assert (dataset.test_images.shape, dataset.test_images.dtype) == ((3, 28, 28), np.dtype(np.uint8))
    np.testing.assert_array_equal(dataset.test_labels, [1, 4, 7])
    _, _, width, height = cv2.boundingRect(dataset.test_images[0])
    assert (height, width < 8) == (20, True), "a bar, in MNIST's box"
    assert dataset.test_images[1].max() == 0, "a blank picture counts as an empty digit, and so as an error"
    np.testing.assert_array_equal(dataset.test_images[0], dataset.test_images[2])


def test_a_spreadsheets_list_is_read(tmp_path: Path) -> None:
    folder = labelled(tmp_path, [])
    (folder / "labels.csv").write_text("\ufefflabel,file,note\r\n1,one.png,with a byte order mark\r\n", "utf-8")
    np.testing.assert_array_equal(data.load(str(folder)).test_labels, [1])


@pytest.mark.parametrize(
    ("rows", "header", "sentence"),
    [
        ([], ("file", "label"), "names no picture"),
        (
            [("one.png", "1")],
            ("name", "digit"),
            r"is no dataset: it needs MNIST's files, or pictures and a labels\.csv",
        ),
        ([("one.png", "x")], ("file", "label"), "The label of one.png in .* is 'x', which is no digit"),
        ([("one.png", "10")], ("file", "label"), "'10', which is no digit"),
        ([("one.png", "")], ("file", "label"), "'', which is no digit"),
        ([("one.png",)], ("file", "label"), "None, which is no digit"),
        ([("1",)], ("label", "file"), "is no digit"),
        ([("gone.png", "1")], ("file", "label"), "gone.png is not there"),
        ([("labels.csv", "1")], ("file", "label"), "labels.csv"),
    ],
)
def test_a_bad_list_is_refused_with_a_sentence(
    rows: list[tuple[str, ...]], header: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(DigitLabError, match=sentence):
        data.load(str(labelled(tmp_path, rows, header)))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00file", b'file,label\n"' + b"x" * 200_000])
def test_a_list_that_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DigitLabError, match="is no dataset"):
        data.load(str(tmp_path))


def test_a_folder_that_is_not_there_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DigitLabError, match="is no dataset"):
        data.load(str(tmp_path / "gone"))


# --- the real one


def test_the_real_mnist_loads(mnist: Dataset, mnist_dir: Path) -> None:
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.test_images.shape == (10_000, 28, 28)
    np.testing.assert_array_equal(np.bincount(mnist.train_labels)[:3], [5923, 6742, 5958])
    np.testing.assert_array_equal(np.bincount(mnist.test_labels)[:3], [980, 1135, 1032])
    assert mnist.fingerprint == data.MNIST_FINGERPRINT
    # The mean and deviation of the training pixels that everybody quotes.
    counts, values = np.bincount(mnist.train_images.ravel(), minlength=256), np.arange(256) / 255
    mean = np.average(values, weights=counts)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=counts))
    assert (round(mean, 4), round(deviation, 4)) == (0.1307, 0.3081)
    assert data.mnist_places()[0].path == mnist_dir

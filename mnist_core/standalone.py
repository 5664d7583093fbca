"""Recognise a handwritten digit with NumPy alone: ``python predict.py digit.png``.

A picture is 28x28 pixels, white ink on black, the digit centred, as Digit Lab's Draw page hands it out: a grey 8-bit
PNG, or an array in a ``.npy`` file. The weights lie in ``weights.safetensors`` next to this file. Python 3.11 and
NumPy are all it needs.
"""

import json
import math
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

# The network: filters of each convolutional block, units of each hidden layer, and how they are wired.
MODEL: dict[str, Any] = {}
# Divides the class scores before the softmax, so that the probabilities are honest.
TEMPERATURE = 1.0

_NORM_EPSILON = 0.001  # Keras' own
_ERF = np.vectorize(math.erf, otypes=[np.float32])

ACTIVATIONS: dict[str, Callable[[Float32], Float32]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: np.float32(0.5) * (np.tanh(x / 2) + 1),
    "gelu": lambda x: x * (1 + _ERF(x / math.sqrt(2))) / 2,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def load_weights(path: Path) -> dict[str, Float32]:
    """Read a safetensors file: eight bytes of length, a header in JSON, then the numbers."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def class_scores(model: Mapping[str, Any], weights: Mapping[str, Float32], digits: Float32) -> Float32:
    """Return class scores ``(n, 10)`` for digit images ``(n, 28, 28)`` in [0, 1]: the network, layer by layer."""

    def activated(x: Float32, number: object) -> Float32:
        if model["batch_norm"]:
            norm = {part: weights[f"norm_{number}/{part}"] for part in ("gamma", "beta", "moving_mean")}
            scale = norm["gamma"] / np.sqrt(weights[f"norm_{number}/moving_variance"] + np.float32(_NORM_EPSILON))
            x = (x - norm["moving_mean"]) * scale + norm["beta"]
        return ACTIVATIONS[model["activation"]](x)

    def bias(layer: str) -> Float32:
        return weights.get(f"{layer}/bias", np.zeros(1, np.float32))

    x: Float32 = np.asarray(digits, np.float32).reshape(-1, 28, 28, 1)
    for block in range(1, len(model["filters"]) + 1):
        for part in (f"{block}a", f"{block}b"):
            x = activated(_convolved(x, weights[f"conv_{part}/kernel"]) + bias(f"conv_{part}"), part)
        x = _pooled(x)
    x = x.reshape(len(x), -1)
    for number in range(1, len(model["hidden"]) + 1):
        x = activated(x @ weights[f"hidden_{number}/kernel"] + bias(f"hidden_{number}"), number)
    scores = x @ weights["logits/kernel"] + bias("logits")
    # Ten sigmoid units: the logarithms of their values, which the softmax below divides by their sum.
    return np.asarray(-np.logaddexp(np.float32(0), -scores) if model["output"] == "sigmoid" else scores)


def _convolved(x: Float32, kernel: Float32) -> Float32:
    """Slide a 3x3 kernel over pictures ``(n, h, w, channels)`` that are framed with zeros."""
    _, height, width, _ = x.shape
    framed = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    summed: Float32 = framed[:, :height, :width] @ kernel[0, 0]
    for i, j in list(np.ndindex(3, 3))[1:]:
        summed += framed[:, i : i + height, j : j + width] @ kernel[i, j]
    return summed


def _pooled(x: Float32) -> Float32:
    """Keep the largest of each 2x2; an odd last row or column is left out."""
    n, height, width, channels = x.shape
    even = x[:, : height // 2 * 2, : width // 2 * 2]
    return np.asarray(even.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4)))


def softmax(scores: Float32, temperature: float = 1.0) -> Float32:
    """Turn class scores into shares that add up to 1."""
    exponentials = np.exp((scores - scores.max(axis=-1, keepdims=True)) / np.float32(temperature))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def read_picture(path: Path) -> Float32:
    """Read a picture as ``(28, 28)`` in [0, 1]."""
    data = path.read_bytes()
    pixels = np.load(path, allow_pickle=False) if data[:6] == b"\x93NUMPY" else _read_png(data)
    if pixels.shape != (28, 28):
        raise ValueError(f"{path} is no picture of 28 by 28 grey pixels")
    return np.asarray(pixels, np.float32) / np.float32(255 if pixels.dtype == np.uint8 else 1)


def _read_png(data: bytes) -> npt.NDArray[np.uint8]:
    """Read a grey 8-bit PNG: chunks of length, kind, data and checksum; rows that are told from their neighbours."""
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        chunks[kind] = chunks.get(kind, b"") + data[place + 8 : place + 8 + length]
        place += length + 12
    if data[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">IIBBBBB", chunks[b"IHDR"]) != (28, 28, 8, 0, 0, 0, 0):
        raise ValueError("this is no grey 8-bit PNG of 28 by 28 pixels")
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(28, 29)
    rows = np.zeros((29, 29), np.int64)  # a row above and a column to the left that are zero
    for y, line in enumerate(lines.tolist(), start=1):
        for x in range(1, 29):
            left, above, corner = (int(v) for v in (rows[y, x - 1], rows[y - 1, x], rows[y - 1, x - 1]))
            guesses = (0, left, above, (left + above) // 2, _nearest(left, above, corner))
            rows[y, x] = (line[x] + guesses[line[0]]) % 256
    return rows[1:, 1:].astype(np.uint8)


def _nearest(left: int, above: int, corner: int) -> int:
    """Of three neighbours, the one that is nearest to left + above - corner (Paeth)."""
    return min((left, above, corner), key=lambda value: abs(left + above - corner - value))


def main(paths: list[str]) -> int:
    """Recognise the pictures of these names."""
    if not paths or not MODEL:
        print("usage: python predict.py PICTURE... (28 by 28 pixels, white ink on black; .png or .npy)")
        return 2
    weights = load_weights(Path(__file__).with_name("weights.safetensors"))
    digits = np.stack([read_picture(Path(path)) for path in paths])
    for path, shares in zip(paths, softmax(class_scores(MODEL, weights, digits), TEMPERATURE), strict=True):
        print(f"{path}: {shares.argmax()}, probabilities {' '.join(f'{share:.6f}' for share in shares)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Arrays out of ``.npz`` files that may be damaged or forged."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz(path: Path, names: Sequence[str], most_bytes: int) -> list[npt.NDArray[Any]]:
    """Read named arrays; an array's size is known from its header before any memory is taken for it.

    Parameters
    ----------
    path
        The file.
    names
        Of the arrays.
    most_bytes
        The largest array that is accepted, unpacked.

    Raises
    ------
    ValueError
        The file cannot be read, is no such archive, lacks an array, or holds one that is too large or not of numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read(archive, f"{name}.npy", most_bytes) for name in names]
    except OSError as error:
        raise ValueError(f"{path.name}: {error.strerror or error}") from error
    except Exception as error:  # a forged archive makes zipfile, its decompressors and NumPy raise nearly anything
        raise ValueError(f"{path.name} is damaged: {error}") from error


def _read(archive: zipfile.ZipFile, name: str, most_bytes: int) -> npt.NDArray[Any]:
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"{name} is of an unknown version")
        shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > most_bytes:
        raise ValueError(f"{name} is too large, or does not hold numbers")
    with archive.open(name) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))

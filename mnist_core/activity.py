"""What goes on inside a network while it looks at one digit, layer by layer, in short."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mnist_core.recognizer import Recognizer

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

MOST_MAPS = 8
_STRONG = 0.1  # of the layer's strongest output: from here on a unit takes part


@dataclass(frozen=True, eq=False)
class Layer:
    """The outputs of one hidden layer for one digit.

    Attributes
    ----------
    title
        Such as ``"Layer 1"`` or ``"Convolution 2b"``.
    outputs
        ``float32 (units,)``, or ``float32 (height, width, filters)`` of a convolution.
    """

    title: str
    outputs: Float32

    @property
    def units(self) -> int:
        """How many units, or filters, it has."""
        return int(self.outputs.shape[-1])

    @property
    def strengths(self) -> Float32:
        """The largest absolute output of each unit, or of each filter anywhere in the picture, ``float32 (units,)``."""
        return np.asarray(np.abs(self.outputs).reshape(-1, self.units).max(axis=0))

    @property
    def taking_part(self) -> int:
        """How many put out at least a tenth of what the strongest does."""
        strengths = self.strengths
        return int((strengths >= _STRONG * strengths.max()).sum()) if strengths.any() else 0

    @property
    def sentence(self) -> str:
        """It in words."""
        kind = "filters find something" if self.outputs.ndim == 3 else "units take part"
        return f"{self.taking_part:,} of {self.units:,} {kind}"

    def picture(self) -> UInt8:
        """Show the outputs, brighter where stronger: ``uint8``, a square a unit, or the strongest filters' maps.

        Units stand in rows, in their order; what is left over in the last row is black.
        """
        values = np.abs(self.outputs)
        bright = np.asarray(values / (float(values.max()) or 1.0), np.float32)
        tiled = _maps(bright, self.strengths) if bright.ndim == 3 else _grid(bright)
        return np.rint(255 * tiled).astype(np.uint8)


def layers(recognizer: "Recognizer", digit: Float32) -> tuple[Layer, ...]:
    """Look at a digit image ``float32 (28, 28)`` and return what each hidden layer puts out, the first one first."""
    return tuple(Layer(_title(name), outputs) for name, outputs in recognizer.activations(digit).items())


def _title(name: str) -> str:
    return f"Layer {name}" if name.isdigit() else f"Convolution {name}"


def _grid(values: Float32) -> Float32:
    """Units in rows, about twice as wide as high."""
    width = max(1, int(np.ceil(np.sqrt(2 * len(values)))))
    height = -(-len(values) // width)
    filled = np.zeros(height * width, np.float32)
    filled[: len(values)] = values
    return filled.reshape(height, width)


def _maps(values: Float32, strengths: Float32) -> Float32:
    """The strongest filters' maps in two rows, a dark line between them."""
    chosen = np.sort(np.argsort(-strengths, kind="stable")[:MOST_MAPS])
    maps = [np.pad(values[:, :, i], ((0, 1), (0, 1))) for i in chosen]
    maps += [np.zeros_like(maps[0])] * (-len(maps) % 2)
    half = len(maps) // 2
    return np.vstack([np.hstack(maps[:half]), np.hstack(maps[half:])])[:-1, :-1]

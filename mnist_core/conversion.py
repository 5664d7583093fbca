"""A run as other programs' files: Keras' own format, and LiteRT for telephones. Importing this module loads TensorFlow.

Both take ``float32 (n, 784)`` in [0, 1] and give probabilities ``(n, 10)``, those that `Recognizer` gives. They are
made to be taken away; nothing here ever reads one.
"""

import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from mnist_core import network, runs
from mnist_core.errors import DigitLabError
from mnist_core.runs import Run


def export_keras(run: Run) -> bytes:
    """Return a run as a ``.keras`` file.

    Raises
    ------
    DigitLabError
        The run is damaged, or the disk refuses to hold the file for a moment.
    """
    model = _with_probabilities(run)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.keras"
            model.save(path)
            return path.read_bytes()
    except OSError as error:
        raise DigitLabError(f"The file could not be made: {error.strerror or error}.") from error


def export_litert(run: Run) -> bytes:
    """Return a run as a LiteRT (TensorFlow Lite) file.

    Raises
    ------
    DigitLabError
        The run is damaged, or TensorFlow cannot convert it.
    """
    model = _with_probabilities(run)
    try:
        with tempfile.TemporaryDirectory() as folder:
            model.export(folder, verbose=False)
            content: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    except (tf.errors.OpError, RuntimeError, ValueError, OSError) as error:
        raise DigitLabError(f"TensorFlow cannot make a LiteRT file of {run.name!r}: {error}") from error
    return content


def _with_probabilities(run: Run) -> keras.Model:
    weights = runs.load_weights(run)
    model = network.build(run.recipe.model)
    network.set_weights(model, weights)
    # Only layers of Keras' own, so that the file opens without our code.
    honest = keras.layers.Rescaling(1 / run.calibration.temperature, name="temperature")(model.output)
    return keras.Model(model.input, keras.layers.Softmax(name="probabilities")(honest), name="digits")

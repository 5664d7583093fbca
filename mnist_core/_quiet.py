"""TensorFlow, imported without what it says of the machine on every start."""

import os
import tempfile


def import_tensorflow() -> None:
    """Import TensorFlow without the four lines on its processor that it writes before it reads any setting.

    Where the import fails, what it wrote comes out after all.
    """
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            import mnist_core.network  # noqa: F401 (imported for its noise)
        except BaseException:
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)

"""Where a person's own things are kept."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the folder for datasets and trained runs: ``DIGIT_LAB_HOME``, else the user's data folder.

    The folder need not exist yet.
    """
    chosen = os.environ.get("DIGIT_LAB_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("digit-lab", appauthor=False))

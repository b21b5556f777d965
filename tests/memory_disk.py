"""Temporary folders of the tests in memory, where the machine has enough of it.

Neo4j waits for the disk at every commit, and a load is some hundred of them. Whatever is killed
in a test is a process: what it wrote stands as well in memory as on a disk.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

NAME = "PYTEST_DEBUG_TEMPROOT"  # where pytest makes its folders
FOLDER = Path("/dev/shm")
# The stores of two workers and what failed tests leave, beside servers and browsers.
NEEDED_BYTES = 12 << 30


def has_room(folder: Path) -> bool:
    """Whether a folder in memory may take the tests' files."""
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return False
    free = min(shutil.disk_usage(folder).free, psutil.virtual_memory().available)
    return free >= NEEDED_BYTES


if NAME not in os.environ and has_room(FOLDER):
    os.environ[NAME] = str(FOLDER)

"""The pairs of people that wait for a steward's decision, as a file of the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from graph.atomic import write_file_atomically

QUEUE_FILE_NAME: Final = "review-pairs.parquet"


def write_review_queue(home: Path, waiting: pl.DataFrame) -> None:
    """Puts the pairs that wait into the data folder: ids, levels and weights alone."""
    path = home / QUEUE_FILE_NAME
    with write_file_atomically(path) as making:
        making.touch(mode=0o600)
        waiting.write_parquet(making)

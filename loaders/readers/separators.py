"""By which sign the columns of a text are parted: decided on its rows, not on its header alone.

A list as an office sends it has title rows and notes around its table, so the sign is taken that
splits most rows into one and the same number of cells.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# The nearer to the front, the likelier where two signs split the rows equally well.
SEPARATORS: Final = (",", "\t", ";", "|", "，", "；", "^", "\x01", "\x1f", "→")
# A sign that also stands between the words of one cell parts columns only if it does so in every
# row.
_WORD_SEPARATORS: Final = ("、",)
# An edge list as network tools write it: `1 2`, `A1 A7 2019-05-01`.
_MAX_BLANK_CELLS: Final = 4
_NUMBER_PATTERN: Final = re.compile(r"[\w.:@#-]*\d[\w.:@#-]*", re.ASCII)
SEPARATOR_SAMPLE_LINES: Final = 500


@dataclass(frozen=True)
class Separation:
    """The sign between columns, and into how many cells it splits most rows."""

    sign: str
    columns: int


def detect_separator(lines: Sequence[str]) -> Separation:
    """The separator of the first lines of a text; a comma and one column where there is none."""
    best, best_rank = Separation(",", 1), (0.0, 0)
    for sign in (*SEPARATORS, *_WORD_SEPARATORS):
        counts = Counter(_count_cells(lines, sign))
        rows = counts.total()
        split = {cells: times for cells, times in counts.items() if cells > 1}
        if not split or (sign in _WORD_SEPARATORS and counts.get(1)):
            continue
        cells, times = max(split.items(), key=lambda entry: (entry[1], entry[0]))
        # Steps of a tenth: some notes around the table do not decide between two signs.
        rank = (round(10 * times / rows) / 10, cells)
        if rank > best_rank:
            best, best_rank = Separation(sign, cells), rank
    if best.columns == 1 and (cells := _count_number_cells(lines)):
        return Separation(" ", cells)
    return best


def _count_number_cells(lines: Sequence[str]) -> int:
    """The cells of each line where all are numbers parted by one blank; 0 where some line differs.

    A blank also stands inside names, so it parts nothing else.
    """
    rows = [line.rstrip("\r\n").split(" ") for line in lines if line.strip()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or not 2 <= min(widths) <= _MAX_BLANK_CELLS:
        return 0
    is_number = all(_NUMBER_PATTERN.fullmatch(cell) for row in rows for cell in row)
    return widths.pop() if is_number else 0


def _count_cells(lines: Sequence[str], sign: str) -> Iterable[int]:
    """The number of cells of each record that is not blank."""
    with_sign = [line for line in lines if line.strip()]
    reader = csv.reader(with_sign, delimiter=sign)
    while True:
        try:
            record = next(reader, None)
        except csv.Error:
            continue
        if record is None:
            return
        if any(cell.strip() for cell in record):
            yield len(record)

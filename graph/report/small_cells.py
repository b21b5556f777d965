"""Which numbers a report hides, so that nobody can infer a group of one or two people.

Primary suppression hides those groups as `SMALL_CELL_TEXT`. Complementary suppression hides more,
as a dash, where the shown total less the shown parts would give them: see
`protect_small_cells`. Source: Willenborg and de Waal, Elements of Statistical Disclosure Control
(2001), chapter 4.

What is hidden in one place is hidden wherever the same number stands: in the chart of a table, in
a share of it, in another table of the same people. Rows with a hidden figure are not sorted by it,
for the order would reveal it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from graph.report.wording import (
    DASH,
    HIDDEN_TEXTS,
    SMALL_CELL_PERSONS,
    SMALL_CELL_TEXT,
    format_number,
)


def is_small_group(number: float) -> bool:
    """Whether so many people are too few to be shown; 0 may be shown.

    >>> [is_small_group(n) for n in (0, 1, 2.5, 3)]
    [False, True, True, False]
    """
    return 0 < number < SMALL_CELL_PERSONS


def format_group_size(number: int) -> str:
    """The number of people in a group of which no parts are shown.

    >>> format_group_size(2), format_group_size(1200)
    ('<3', '1,200')
    """
    return SMALL_CELL_TEXT if is_small_group(number) else format_number(number)


def protect_small_cells(numbers: Sequence[int]) -> tuple[str, ...] | None:
    """The numbers of groups of people whose total is shown, the small ones hidden.

    Further ones, the smallest first, are dashes, until what is shown leaves open whether each small
    one is one or two. Known are the total, and that a dash is 3 or more and no more than the
    numbers shown. 0 stays. None where not even all dashes would do.

    >>> protect_small_cells([2, 40, 7, 0])
    ('<3', '40', '—', '0')
    >>> protect_small_cells([1, 2, 9])
    ('<3', '<3', '9')
    >>> protect_small_cells([1, 3, 5, 30])
    ('<3', '—', '—', '30')
    >>> protect_small_cells([1, 1]) is None
    True
    """
    small = [place for place, number in enumerate(numbers) if is_small_group(number)]
    texts = [SMALL_CELL_TEXT if is_small_group(n) else format_number(n) for n in numbers]
    others = sorted((n, place) for place, n in enumerate(numbers) if n >= SMALL_CELL_PERSONS)
    cells = [numbers[place] for place in small]
    for dashes in range(len(others) + 1):
        bound = others[dashes][0] if dashes < len(others) else None
        if not small or _is_ambiguous(cells, [n for n, _ in others[:dashes]], bound):
            for _, place in others[:dashes]:
                texts[place] = DASH
            return tuple(texts)
    return None


def _is_ambiguous(small: Sequence[int], dashes: Sequence[int], bound: int | None) -> bool:
    """Whether each small cell may be 1 and may be 2: `bound` is the most that a dash may be."""
    total, n = sum(small) + sum(dashes), len(small)
    least = SMALL_CELL_PERSONS * len(dashes)
    most = 0 if not dashes else total if bound is None else bound * len(dashes)
    sums = [s for s in range(n, 2 * n + 1) if least <= total - s <= most]
    return any(n < s < 2 * n for s in sums) or {n, 2 * n} <= {*sums}


def protect_column(
    table: pl.DataFrame, column: str, keys: Iterable[str]
) -> dict[tuple[Any, ...], str] | None:
    """Key of a row -> the text shown for its number; see `protect_small_cells`.

    The order of the rows decides nothing, so that two tables of the same numbers hide the same.
    """
    ordered = table.sort(*keys, nulls_last=True)
    texts = protect_small_cells(ordered[column].to_list())
    return None if texts is None else dict(zip(ordered.select(*keys).rows(), texts, strict=True))


def draw_shown_values(numbers: Iterable[int], texts: Iterable[str]) -> tuple[float | None, ...]:
    """The numbers for a chart, None for those that are hidden."""
    return tuple(
        None if cell in HIDDEN_TEXTS else float(number)
        for number, cell in zip(numbers, texts, strict=True)
    )

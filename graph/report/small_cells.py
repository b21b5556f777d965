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

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from scipy.optimize import LinearConstraint, milp

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


def protect_bounded_columns(
    columns: Mapping[str, Sequence[int]], at_most: Sequence[tuple[str, str]]
) -> dict[str, tuple[str, ...]] | None:
    """The texts shown for columns of equal length, each with its total shown, where in every row
    the first column of each pair of `at_most` is no more than the second.

    Each column is protected by itself (`protect_small_cells`). Then further numbers are dashes, the
    smallest first, until each small cell may have another value by totals and pairs together: of
    5, 3 and 12 person-times the 3 says that no more than 3 persons stand beside it. A column that
    cannot be protected by itself is dashes alone, 0 too. None where nothing helps.

    >>> protect_bounded_columns({"n": [2, 3, 10], "m": [5, 3, 12]}, [("n", "m")])
    {'n': ('<3', '—', '10'), 'm': ('—', '—', '12')}
    """
    names = [*columns]
    numbers = np.array([columns[name] for name in names], dtype=np.int64)
    pairs = [(names.index(less), names.index(more)) for less, more in at_most]
    alone = [protect_small_cells(columns[name]) for name in names]
    dash = (DASH,) * numbers.shape[1]
    texts = np.array([dash if one is None else one for one in alone], dtype=object)
    blank = np.array([[one is None] * numbers.shape[1] for one in alone], dtype=bool)
    exposed = _find_exposed_cells(numbers, texts, blank, pairs)
    while exposed.any():
        place = _choose_next_dash(numbers, texts, exposed, pairs)
        if place is None:
            return None
        texts[place] = DASH
        exposed = _find_exposed_cells(numbers, texts, blank, pairs, exposed)
    return {name: tuple(texts[at]) for at, name in enumerate(names)}


def _choose_next_dash(
    numbers: npt.NDArray[np.int64],
    texts: npt.NDArray[np.object_],
    exposed: npt.NDArray[np.bool_],
    pairs: Sequence[tuple[int, int]],
) -> tuple[int, int] | None:
    """Column and row of the smallest number shown that bounds a hidden one, or stands in the column
    of an exposed cell; None where there is none.
    """
    hidden = np.isin(texts, HIDDEN_TEXTS)
    open_cells = ~hidden & (numbers >= SMALL_CELL_PERSONS)
    near = np.zeros(numbers.shape, dtype=bool)
    near[exposed.any(axis=1)] = True
    for less, more in pairs:
        near[more] |= hidden[less]
        near[less] |= hidden[more]
    places = np.argwhere(open_cells & near)
    if not len(places):
        places = np.argwhere(open_cells)
    _, *place = min(((int(numbers[at, row]), at, row) for at, row in places), default=(None,))
    return (int(place[0]), int(place[1])) if place else None


def _find_exposed_cells(
    numbers: npt.NDArray[np.int64],
    texts: npt.NDArray[np.object_],
    blank: npt.NDArray[np.bool_],
    pairs: Sequence[tuple[int, int]],
    among: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which hidden cells of one or two have one value alone (`among`: of these).

    Known are the totals of the columns, the pairs, and that a dash is 3 or more, or 0 or more where
    all cells are `blank`. Each solution that differs from the numbers clears all cells it moves.
    """
    hidden = np.isin(texts, HIDDEN_TEXTS)
    left = hidden & (numbers > 0) & (numbers < SMALL_CELL_PERSONS)
    left = left if among is None else left & among
    if not left.any():
        return left
    small = texts == SMALL_CELL_TEXT
    dash_low = np.where(blank, 0, SMALL_CELL_PERSONS)
    low = np.where(small, 1, np.where(hidden, dash_low, numbers))
    dash_high = np.repeat(numbers.sum(axis=1)[:, None], numbers.shape[1], axis=1)
    high = np.where(small, SMALL_CELL_PERSONS - 1, np.where(hidden, dash_high, numbers))
    known = _build_constraints(numbers, pairs)
    # Up from 1, down from 2: most cells move at once. Then those that are left, one by one.
    ways = np.where(numbers == 1, -1.0, 1.0)

    def move(aim: npt.NDArray[np.float64]) -> bool:
        solved = milp(
            aim.ravel(),
            constraints=known,
            integrality=np.ones(numbers.size),
            bounds=(low.ravel(), high.ravel()),
        )
        found = np.round(solved.x).astype(np.int64).reshape(numbers.shape)
        moved = left & (found != numbers)
        left[moved] = False
        return bool(moved.any())

    while left.any() and move(np.where(left, ways, 0.0)):
        pass
    for place in np.argwhere(left):
        aim = np.zeros(numbers.shape)
        for way in (1.0, -1.0):
            aim[tuple(place)] = way
            if left[tuple(place)]:
                move(aim)
    return left


def _build_constraints(
    numbers: npt.NDArray[np.int64], pairs: Sequence[tuple[int, int]]
) -> list[LinearConstraint]:
    """The totals of the columns, and in each row the pairs."""
    wide, rows = numbers.shape
    totals = numbers.sum(axis=1)
    sums = sparse.kron(sparse.eye_array(wide), np.ones((1, rows)), format="csr")
    known = [LinearConstraint(sums, totals, totals)]
    if pairs:
        orders = np.zeros((len(pairs), wide))
        for at, (less, more) in enumerate(pairs):
            orders[at, [less, more]] = 1, -1
        each = sparse.kron(orders, sparse.eye_array(rows), format="csr")
        known.append(LinearConstraint(each, -np.inf, 0))
    return known


def draw_shown_values(numbers: Iterable[int], texts: Iterable[str]) -> tuple[float | None, ...]:
    """The numbers for a chart, None for those that are hidden."""
    return tuple(
        None if cell in HIDDEN_TEXTS else float(number)
        for number, cell in zip(numbers, texts, strict=True)
    )

"""The overview of a visitor who must not learn of everybody: the nation's figures, no small ones.

Rows of fewer than `MIN_CELL` people stand together in one row, with as many of the next smallest
as make that row no small one either: what the total leaves over is then none. A manager of an area
knows its people, and can subtract them: a row that leaves fewer than `MIN_CELL` outside the area is
a small one too. Only cuts that add up to the nation are offered, and none is crossed with another.
"""

from __future__ import annotations

from html import escape
from typing import Final

import polars as pl

from graph.programme.overview import Overview
from ui.reading import drill_down
from ui.shell import address, frame
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor
from ui.words.i18n import current_language, t
from ui.words.numbers import format_count

MIN_CELL: Final = 5
NATIONAL_CUTS: Final = ("quarter", "province", "industry", "occupation_code", "ownership")
_LEDGERS: Final = ("persons", "person_times")
_OUTSIDE: Final = ("outside_persons", "outside_person_times")


def merge_small_cells(
    rows: pl.DataFrame, own: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that may be shown, and those that may be shown as one sum alone.

    A row is small when persons or person-times are more than none and fewer than `MIN_CELL`; so
    must not be the sum of those that are merged, nor one row alone. `own` is what the visitor
    knows of the values: the same holds of what the rows leave when it is subtracted.

    >>> rows = pl.DataFrame({"value": ["a", "b", "c"], "persons": [1, 9, 7]})
    >>> shown, merged = merge_small_cells(rows.with_columns(person_times="persons"))
    >>> shown["value"].to_list(), merged["value"].to_list()
    (['b'], ['a', 'c'])
    """
    cells = [pl.col(name).is_between(1, MIN_CELL - 1) for name in (*_LEDGERS, *_OUTSIDE)]
    ordered = (
        _subtract_own(rows, own)
        .with_columns(small=pl.any_horizontal(cells))
        .sort("small", "person_times", "value", descending=True)
    )
    shown, merged = ordered.filter(~pl.col("small")), ordered.filter("small")
    while shown.height and merged.height and (merged.height < 2 or _is_small_sum(merged)):
        shown, merged = shown.head(-1), pl.concat([merged, shown.tail(1)])
    if merged.height and _is_small_sum(merged):
        shown, merged = merged.clear(), merged.clear()
    return shown.drop("small", *_OUTSIDE), merged.drop("small", *_OUTSIDE)


def _subtract_own(rows: pl.DataFrame, own: pl.DataFrame | None) -> pl.DataFrame:
    """The rows with `_OUTSIDE`: how many of each are left without the visitor's own."""
    rows = rows.with_columns(pl.col("value").cast(pl.String))
    known = rows.clear() if own is None else own
    known = known.select("value", *(pl.col(name).alias(f"own_{name}") for name in _LEDGERS))
    joined = rows.join(known, on="value", how="left", nulls_equal=True)
    left = {
        outside: pl.col(name).cast(pl.Int64) - pl.col(f"own_{name}").fill_null(0)
        for name, outside in zip(_LEDGERS, _OUTSIDE, strict=True)
    }
    return joined.with_columns(**left).drop(f"own_{name}" for name in _LEDGERS)


def _is_small_sum(rows: pl.DataFrame) -> bool:
    return any(0 < int(rows[name].sum()) < MIN_CELL for name in (*_LEDGERS, *_OUTSIDE))


def draw_national_breakdown(figures: Overview) -> None:
    """The headline by one of its cuts, small rows as one; no row leads to people."""
    titles = drill_down.list_cut_titles()
    offered = {name: titles[name] for name in NATIONAL_CUTS if name in figures.cuts}
    frame.draw_heading(t("Broken down"), t("persons and person-times"))
    if not offered:
        frame.draw_muted(t("Nobody is driven yet, so there is nothing to break down."))
        return
    cut = address.draw_required_choice(
        "overview", "by", t("By"), offered, next(iter(offered)), untitled=True
    )
    scope, policy = identify_visitor().people_scope, current_policy()
    own = None if scope.nobody else drill_down.fetch_scope_counts(policy, cut, scope)
    shown, merged = merge_small_cells(figures.cuts[cut], own)
    lines = [
        (drill_down.format_cut_value(cut, value, current_language()), persons, times)
        for value, persons, times in shown.select("value", *_LEDGERS).iter_rows()
    ]
    if merged.height:
        persons, times = (int(merged[name].sum()) for name in _LEDGERS)
        lines.append((t("the other {n}", n=merged.height), persons, times))
    frame.draw_figure_table(
        titles[cut],
        (t("Persons"), t("Person-times")),
        [
            f'<tr><td>{escape(name)}</td><td class="n">{format_count(persons)}</td>'
            f'<td class="n">{format_count(times)}</td></tr>'
            for name, persons, times in lines
        ],
    )
    if own is None:
        note = t("Rows of fewer than {n} people stand together in the last one.", n=MIN_CELL)
    else:
        note = t(
            "Rows of fewer than {n} people, and rows that leave fewer outside your area, stand "
            "together in the last one.",
            n=MIN_CELL,
        )
    frame.draw_muted(note)

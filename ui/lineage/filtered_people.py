"""The people that pass the years and filters of a lineage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from graph.people.descent import list_wanted_people, tabulate_driven_by_year
from ui.lineage.state import DisplayState

if TYPE_CHECKING:
    from ui.lineage.view import Lineage


LARGE_LINEAGE_PEOPLE = 300  # people of a lineage that begins as groups


def list_reached_people(lineage: Lineage, shown: DisplayState) -> pl.DataFrame:
    """Everyone who passes the years and filters of a view, as `group_people` takes them.

    Someone below a person filtered out hangs on the nearest person above who is not.
    """
    people = lineage.everyone.reached(shown.years, shown.filters.channels)
    return list_wanted_people(lineage.everyone, people, _match_filters(people, shown))


def _match_filters(people: pl.DataFrame, shown: DisplayState) -> list[bool]:
    if not shown.filters:
        return [True] * people.height
    rows = people.select("level", "province", "occupation_code").iter_rows(named=True)
    return [n == 0 or shown.filters.person(row) for n, row in enumerate(rows)]


def count_shown_driven(lineage: Lineage, shown: DisplayState) -> Mapping[int, int]:
    """Persons driven by generation, of those who pass the years and filters."""
    if shown.years is None and not shown.filters:
        return Counter(lineage.reach.generation.values())
    people = lineage.reached(shown)
    return Counter(people.filter(pl.col("state") == "driven")["generation"].to_list())


def count_driven_by_last_year(
    lineage: Lineage, shown: DisplayState
) -> tuple[tuple[int, int, int], ...]:
    """(generation, last year, persons driven) for ties begun from the first year shown.

    The persons driven by ties begun from it to a year are the rows up to that year.
    """
    first = max(shown.years[0] if shown.years else 0, 1)
    everyone = lineage.everyone
    wanted = _match_filters(everyone.people, shown) if shown.filters else None
    return tabulate_driven_by_year(everyone, first, shown.filters.channels, wanted)

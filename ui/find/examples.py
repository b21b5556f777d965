"""What the page that finds offers before anything is typed: the largest of each kind, and how one
of the names can be typed.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from graph.model.kinds import NODE_KINDS
from graph.people.search import SEARCH_KIND_DTYPE, SEARCH_KIND_FRAMES, spell_names
from graph.policy import Policy
from ui.reading import talent_figures
from ui.shell import graph_state
from ui.shell.people_scope import filter_visible_rows
from ui.shell.visitor import identify_visitor

MAX_EXAMPLES_PER_KIND = 3
# The kinds that are offered; each has a page of its own to lead to.
EXAMPLE_KINDS = ("Person", "Studio", "Enterprise", "School", "Occupation", "Project")

ExamplesByKind = Mapping[str, list[tuple[str, str]]]  # kind -> (key, name), the largest first


@graph_state.cache_by_graph_state(max_entries=2)
def count_searchable_nodes() -> dict[str, int]:
    """Kind -> how many there are."""
    frames = graph_state.fetch_snapshot().frames
    rows = pl.collect_all(
        [frames[SEARCH_KIND_FRAMES[kind]].select(pl.len()) for kind in EXAMPLE_KINDS]
    )
    return {kind: int(one.item()) for kind, one in zip(EXAMPLE_KINDS, rows, strict=True)}


def list_largest_examples(policy: Policy) -> dict[str, list[tuple[str, str]]]:
    """Of each kind a few: the talents who drive most, studios and schools with most people trained,
    enterprises with most people employed, occupations with most leading talents, projects with most
    people on them.
    """
    first = (
        filter_visible_rows(talent_figures.fetch_talent_rows(policy), "talent_id")
        .sort(["driven", "talent_id"], descending=[True, False])
        .head(MAX_EXAMPLES_PER_KIND)
    )
    named = [(id, name or id) for id, name in first.select("talent_id", "name").rows()]
    if identify_visitor().is_limited:  # a place may be named after a person
        return {"Person": named}
    return {"Person": named, **_list_example_places()}


@graph_state.cache_by_graph_state(max_entries=2, resource=True)
def _list_example_places() -> ExamplesByKind:
    frames = graph_state.fetch_snapshot().frames
    trained, people = frames["trainings"], frames["people"]
    of_kind = {
        "Studio": trained.filter(pl.col("place_kind") == "Studio").select(key="place_id"),
        "Enterprise": people.select(key="enterprise_id"),
        "School": trained.filter(pl.col("place_kind") == "School").select(key="place_id"),
        "Occupation": people.filter("leading").select(key="occupation_code"),
        "Project": frames["participations"].select("person", key="project_id").unique(),
    }
    return {
        kind: _rank_by_row_count(frames[SEARCH_KIND_FRAMES[kind]], kind, rows)
        for kind, rows in of_kind.items()
    }


def _rank_by_row_count(named: pl.LazyFrame, kind: str, rows: pl.LazyFrame) -> list[tuple[str, str]]:
    """The keys that stand in most of the rows, with their names; those without one are left out."""
    names = named.select("name", key=NODE_KINDS[kind].key).drop_nulls()
    found = (
        rows.drop_nulls()
        .group_by("key")
        .len()
        .join(names, on="key")
        .sort("len", "key", descending=[True, False])
        .head(MAX_EXAMPLES_PER_KIND)
        .select("key", "name")
        .collect()
    )
    return [(str(key), str(name)) for key, name in found.rows()]


def list_typing_examples(name: str) -> tuple[str, str, str]:
    """A part of a name, how it sounds in letters, and its initials.

    >>> list_typing_examples("杨勇军")
    ('勇军', 'yangyongjun', 'yyj')
    """
    row = pl.DataFrame({"number": [0], "kind": ["Person"], "name": [name]})
    found = spell_names(row.with_columns(pl.col("kind").cast(SEARCH_KIND_DTYPE))).row(0, named=True)
    words = name.split()
    part = words[-1] if len(words) > 1 else name[1:] if len(name) > 2 else name[:1]
    return part, found["spelled"].replace(" ", ""), found["initials"]

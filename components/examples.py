"""What the page that finds offers before anything is typed: the largest of each kind, and how one
of the names can be typed.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import streamlit as st

from components import store
from graph.model import NODE_KINDS
from graph.names import KIND, KINDS, spelled
from graph.policy import Policy

MOST = 3
# The kinds that are offered; each has a page of its own to lead to.
OFFERED = ("Person", "Studio", "Enterprise", "School", "Occupation")

Examples = Mapping[str, list[tuple[str, str]]]  # kind -> (key, name), the largest first


@st.cache_data(max_entries=2, show_spinner=False)
def numbers(state: str) -> dict[str, int]:
    """Kind -> how many there are."""
    frames = store.snapshot().frames
    rows = pl.collect_all([frames[KINDS[kind]].select(pl.len()) for kind in OFFERED])
    return {kind: int(one.item()) for kind, one in zip(OFFERED, rows, strict=True)}


def largest(policy: Policy) -> dict[str, list[tuple[str, str]]]:
    """Of each kind a few: the talents who drive most, studios and schools with most people trained,
    enterprises with most people employed, occupations with most leading talents.
    """
    first = store.talents(policy).sort(["driven", "talent_id"], descending=[True, False]).head(MOST)
    named = [(id, name or id) for id, name in first.select("talent_id", "name").rows()]
    return {"Person": named, **_places(store.state())}


@st.cache_resource(max_entries=2, show_spinner=False)
def _places(state: str) -> Examples:
    frames = store.snapshot().frames
    trained, people = frames["trainings"], frames["people"]
    of_kind = {
        "Studio": trained.filter(pl.col("place_kind") == "Studio").select(key="place_id"),
        "Enterprise": people.select(key="enterprise_id"),
        "School": trained.filter(pl.col("place_kind") == "School").select(key="place_id"),
        "Occupation": people.filter("leading").select(key="occupation_code"),
    }
    return {kind: _most(frames[KINDS[kind]], kind, rows) for kind, rows in of_kind.items()}


def _most(named: pl.LazyFrame, kind: str, rows: pl.LazyFrame) -> list[tuple[str, str]]:
    """The keys that stand in most of the rows, with their names; those without one are left out."""
    names = named.select("name", key=NODE_KINDS[kind].key).drop_nulls()
    found = (
        rows.drop_nulls().group_by("key").len().join(names, on="key")
        .sort("len", "key", descending=[True, False]).head(MOST).select("key", "name").collect()
    )  # fmt: skip
    return [(str(key), str(name)) for key, name in found.rows()]


def ways_to_type(name: str) -> tuple[str, str, str]:
    """A part of a name, how it sounds in letters, and its initials.

    >>> ways_to_type("杨勇军")
    ('勇军', 'yangyongjun', 'yyj')
    """
    row = pl.DataFrame({"number": [0], "kind": ["Person"], "name": [name]})
    found = spelled(row.with_columns(pl.col("kind").cast(KIND))).row(0, named=True)
    words = name.split()
    part = words[-1] if len(words) > 1 else name[1:] if len(name) > 2 else name[:1]
    return part, found["spelled"].replace(" ", ""), found["initials"]

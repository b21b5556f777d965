"""Who meets the criteria of each next honour, kept a state, a policy and an honour."""

from __future__ import annotations

import polars as pl
import streamlit as st

from components import store
from graph import honours
from graph.honours import HONOURS
from graph.policy import Policy
from graph.snapshot import Snapshot

# So many of those who meet all, and of those who miss one, are looked through.
MOST = 10_000


@st.cache_resource(max_entries=4, show_spinner=False)
def _standing(state: str, policy: Policy, _snapshot: Snapshot) -> pl.DataFrame:
    found = honours.facts(_snapshot, policy)
    parts = []
    for honour in HONOURS.values():
        near = honours.nominees(found, honour).group_by("missed").agg(n=pl.len()).collect()
        held = pl.any_horizontal([pl.col(name) > 0 for name in honour.held_by])
        holders = found.select(held.sum()).collect().item()
        parts.append(near.with_columns(honour=pl.lit(honour.code), holders=pl.lit(holders)))
    return pl.concat(parts)


def standing(policy: Policy) -> pl.DataFrame:
    """honour, missed (null = nothing), n: how many; holders among those at level 5 or above."""
    return _standing(store.state(), policy, store.snapshot())


@st.cache_resource(max_entries=16, show_spinner=False)
def _nominees(state: str, policy: Policy, code: str, _snapshot: Snapshot) -> pl.DataFrame:
    found = honours.nominees(honours.facts(_snapshot, policy), HONOURS[code]).collect()
    kept = pl.concat([found.filter(pl.col("missing") == n).head(MOST) for n in (0, 1)])
    names = _snapshot.frames["occupations"].select(occupation_code="code", occupation="name")
    return kept.join(names.collect(), on="occupation_code", how="left", maintain_order="left")


def nominees(policy: Policy, code: str) -> pl.DataFrame:
    """`graph.honours.nominees` of one honour with the occupations' names, the first `MOST`."""
    return _nominees(store.state(), policy, code, store.snapshot())

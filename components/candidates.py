"""The training targets' list under a rule, kept a state, a policy and a rule."""

from __future__ import annotations

import polars as pl
import streamlit as st

from components import store
from graph import candidates
from graph.candidates import Rule
from graph.policy import Policy
from graph.snapshot import Snapshot

# So many of those who meet a rule are looked through; the page says when there are more.
MOST = 20_000


@st.cache_resource(max_entries=6, show_spinner=False)
def _scored(
    state: str, policy: Policy, rule: Rule, _snapshot: Snapshot
) -> tuple[pl.DataFrame, int]:
    rows = candidates.scored(candidates.facts(_snapshot, policy), rule)
    met = rows.filter("met")
    names = _snapshot.frames["occupations"].select(occupation_code="code", occupation="name")
    kept = pl.concat([met.head(MOST), rows.filter(~pl.col("met")).head(MOST)])
    return kept.join(names.collect(), on="occupation_code", how="left"), met.height


def scored(policy: Policy, rule: Rule) -> tuple[pl.DataFrame, int]:
    """`graph.candidates.scored` with each one's occupation, and how many meet the rule in all."""
    return _scored(store.state(), policy, rule, store.snapshot())

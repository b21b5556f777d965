"""The training targets' list under a rule, cached by state, policy and rule."""

from __future__ import annotations

import polars as pl

from graph.policy import Policy
from graph.programme import training_targets
from graph.programme.training_targets import Rule
from ui.shell import graph_state

# So many of those who meet a rule are looked through; the page says when there are more.
MAX_LISTED_CANDIDATES = 20_000


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def fetch_scored_candidates(policy: Policy, rule: Rule) -> tuple[pl.DataFrame, int]:
    """`graph.programme.training_targets.score_candidates` with each one's occupation, and how many
    meet the rule in all.
    """
    snapshot = graph_state.fetch_snapshot()
    rows = training_targets.score_candidates(
        training_targets.load_candidate_facts(snapshot, policy), rule
    )
    met = rows.filter("met")
    names = snapshot.frames["occupations"].select(occupation_code="code", occupation="name")
    listed = pl.concat(
        [met.head(MAX_LISTED_CANDIDATES), rows.filter(~pl.col("met")).head(MAX_LISTED_CANDIDATES)]
    )
    return listed.join(names.collect(), on="occupation_code", how="left"), met.height

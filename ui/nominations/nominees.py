"""Who meets the criteria of each next honour, cached by state, policy and honour."""

from __future__ import annotations

import polars as pl

from graph.policy import Policy
from graph.programme import nominations
from graph.programme.nominations import HONOURS
from ui.shell import graph_state

# So many of those who meet all, and of those who miss one, are looked through.
MAX_LISTED_NOMINEES = 10_000


@graph_state.cache_by_graph_state(max_entries=4, resource=True)
def fetch_nominee_counts(policy: Policy) -> pl.DataFrame:
    """honour, missed (null = nothing), n: how many; holders among those at level 5 or above."""
    return nominations.count_nominees(
        nominations.load_nomination_facts(graph_state.fetch_snapshot(), policy)
    )


@graph_state.cache_by_graph_state(max_entries=16, resource=True)
def fetch_listed_nominees(policy: Policy, code: str) -> pl.DataFrame:
    """`graph.programme.nominations.find_nominees` of one honour with the occupations' names, the
    first `MAX_LISTED_NOMINEES`.
    """
    snapshot = graph_state.fetch_snapshot()
    found = nominations.find_nominees(
        nominations.load_nomination_facts(snapshot, policy), HONOURS[code]
    ).collect()
    listed = pl.concat(
        [found.filter(pl.col("missing") == n).head(MAX_LISTED_NOMINEES) for n in (0, 1)]
    )
    names = snapshot.frames["occupations"].select(occupation_code="code", occupation="name")
    return listed.join(names.collect(), on="occupation_code", how="left", maintain_order="left")

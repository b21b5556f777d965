"""A person's lineage, cached by graph state and policy."""

from __future__ import annotations

from functools import partial

from graph.people import network
from graph.people.descent import Descent, build_descent
from graph.policy import Policy
from ui.lineage.view import SHOWN_MENTOR_GENERATIONS, Lineage
from ui.reading.talent_figures import fetch_explanation, fetch_person_states
from ui.shell.graph_state import cache_by_graph_state, fetch_snapshot

# The most people and generations a lineage is read for; the page says what it leaves out.
MAX_LINEAGE_PEOPLE = 20_000
MAX_LINEAGE_GENERATIONS = 6


@cache_by_graph_state(max_entries=32, resource=True)
def fetch_lineage(person_id: str, policy: Policy) -> Lineage:
    """The people around one person, and those he or she drives under a policy."""
    reach = fetch_person_states(person_id, policy)
    down = policy.generations or MAX_LINEAGE_GENERATIONS
    graph = network.build_lineage_graph(
        fetch_snapshot(),
        person_id,
        up=SHOWN_MENTOR_GENERATIONS + 1,
        down=min(down, MAX_LINEAGE_GENERATIONS),
        limit=MAX_LINEAGE_PEOPLE,
    )
    return Lineage(
        graph,
        reach,
        policy,
        person_id,
        partial(fetch_explanation, policy, person_id),
        partial(_compute_person_descent, person_id, policy),
    )


@cache_by_graph_state(max_entries=32, resource=True)
def _compute_person_descent(person_id: str, policy: Policy) -> Descent:
    reach = fetch_person_states(person_id, policy)
    return build_descent(
        fetch_snapshot(),
        person_id,
        generations=policy.generations,
        counted=reach.generation,
        pending=reach.pending,
    )

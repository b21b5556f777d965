"""A person's lineage, cached by graph state and policy, and by scope where it is narrowed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

import networkx as nx

from graph.accounts.scope import Scope
from graph.errors import UsageError
from graph.evidence.reasons import Explanation, Hop
from graph.people import network
from graph.people.covered_people import find_covered_ids
from graph.people.descent import Descent, build_descent
from graph.policy import Policy
from ui.lineage.view import SHOWN_MENTOR_GENERATIONS, Lineage
from ui.reading.talent_figures import fetch_explanation, fetch_person_states
from ui.shell.graph_state import cache_by_graph_state, fetch_snapshot
from ui.shell.people_scope import fetch_covered_people
from ui.shell.visitor import identify_visitor

# The most people and generations a lineage is read for; the page says what it leaves out.
MAX_LINEAGE_PEOPLE = 20_000
MAX_LINEAGE_GENERATIONS = 6


def fetch_lineage(person_id: str, policy: Policy) -> Lineage:
    """The people around one person, and those he or she drives under a policy, as far as people
    whom this visitor may see lead to each other.
    """
    scope = identify_visitor().people_scope
    if scope.everybody:
        return _read_lineage(person_id, policy)
    return _narrow_lineage(person_id, policy, scope)


@cache_by_graph_state(max_entries=32, resource=True)
def _narrow_lineage(person_id: str, policy: Policy, scope: Scope) -> Lineage:
    """The lineage as if there were the people of the scope alone, and how many others it has."""
    read = _read_lineage(person_id, policy)
    covered = find_covered_ids(fetch_snapshot(), scope, [person_id, *read.graph.nodes])
    if person_id not in covered:
        raise UsageError("There is no person of that id in the graph; look the name up under Find.")
    seen = read.graph.subgraph(covered)
    around = nx.node_connected_component(seen.to_undirected(as_view=True), person_id)
    graph = seen.subgraph(around).copy()
    graph.graph.pop("left_out", None)
    reach = replace(
        read.reach,
        generation={id: n for id, n in read.reach.generation.items() if id in around},
        skilled_on={id: day for id, day in read.reach.skilled_on.items() if id in around},
        pending=read.reach.pending & around,
    )
    return Lineage(
        graph,
        reach,
        policy,
        person_id,
        partial(_explain_within, policy, person_id, scope),
        partial(_narrow_descent, person_id, policy, scope),
        unseen=read.people - graph.number_of_nodes(),
    )


def _explain_within(policy: Policy, talent_id: str, scope: Scope, worker_id: str) -> Explanation:
    """Why a worker counts or does not, by the chains that have people of the scope alone."""
    answer = fetch_explanation(policy, talent_id, worker_id)
    covered = find_covered_ids(fetch_snapshot(), scope, answer.list_people())
    chains = tuple(chain for chain in answer.chains if _is_chain_within(chain, covered))
    if answer.failing and not _is_chain_within(answer.failing, covered):
        return replace(answer, chains=chains, failing=(), reason=None)
    return replace(answer, chains=chains)


def _is_chain_within(chain: Sequence[Hop], covered: Collection[str]) -> bool:
    return all(hop.mentor in covered and hop.apprentice in covered for hop in chain)


@cache_by_graph_state(max_entries=16, resource=True)
def _narrow_descent(person_id: str, policy: Policy, scope: Scope) -> Descent:
    everyone = _compute_person_descent(person_id, policy)
    return everyone.restrict(fetch_covered_people(scope)[everyone.people["person"].to_numpy()])


@cache_by_graph_state(max_entries=32, resource=True)
def _read_lineage(person_id: str, policy: Policy) -> Lineage:
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

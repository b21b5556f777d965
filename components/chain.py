"""Why a worker counts for a talent, or does not: the chain with the fewest links that counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

    from graph.policy import Policy

ALWAYS = date.min


@dataclass(frozen=True)
class Hop:
    """One link of a chain: who taught whom, since when (None = not known), by which channel."""

    mentor: str
    apprentice: str
    start: date | None
    channel: str


def counting_chain(
    graph: nx.MultiDiGraph, talent: str, person: str, by: date, policy: Policy
) -> tuple[Hop, ...]:
    """The chain of fewest links from `talent` that has reached `person` by the day `by`.

    Links as the policy takes them: starts that never go back, none after `by`. Of equally short
    chains the one that arrives first. Empty when no chain counts.
    """
    if talent == person or talent not in graph or person not in graph:
        return ()
    arrived: dict[str, date] = {talent: ALWAYS}
    rounds: list[dict[str, tuple[date, Hop]]] = []
    best: dict[str, date] = {talent: ALWAYS}
    while arrived and (policy.generations is None or len(rounds) < policy.generations):
        found = _next_round(graph, arrived, talent, policy)
        rounds.append(found)
        if person in found and (not policy.ordered or found[person][0] <= by):
            return _walked_back(rounds, person)
        arrived = {
            who: start for who, (start, _) in found.items() if who not in best or start < best[who]
        }
        best |= arrived
    return ()


def _next_round(
    graph: nx.MultiDiGraph, arrived: dict[str, date], talent: str, policy: Policy
) -> dict[str, tuple[date, Hop]]:
    """Whom one more link reaches, each at the earliest, with that link."""
    found: dict[str, tuple[date, Hop]] = {}
    for mentor, since in arrived.items():
        for _, apprentice, link in graph.out_edges(mentor, data=True):
            start, channel = link.get("start"), link["channel"]
            if apprentice == talent or channel not in policy.channels:
                continue
            if start is None and policy.undated == "exclude":
                continue
            begins = (start or ALWAYS) if policy.ordered else ALWAYS
            if begins < since:
                continue
            if apprentice not in found or begins < found[apprentice][0]:
                found[apprentice] = begins, Hop(mentor, apprentice, start, channel)
    return found


def _walked_back(rounds: list[dict[str, tuple[date, Hop]]], person: str) -> tuple[Hop, ...]:
    hops = []
    for found in reversed(rounds):
        hop = found[person][1]
        hops.append(hop)
        person = hop.mentor
    return tuple(reversed(hops))

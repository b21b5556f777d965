"""What a shell completes: names of queries and metrics, their parameters, values of the policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from graph.policy import CHANNELS, UNDATED_CHOICES, YEAR_ALONE

CompletionItems = list[tuple[str, str]]
Named = TypeVar("Named")


def build_choice_completer(*values: str) -> Callable[[str], list[str]]:
    """Completes to these values."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def complete_query_names(incomplete: str) -> CompletionItems:
    """Names of the named queries, with their titles."""
    from graph.cypher.named_queries import load_queries

    return [(q.name, q.title_en) for q in load_queries().values() if q.name.startswith(incomplete)]


def complete_metric_names(incomplete: str) -> CompletionItems:
    """Names of the metrics, with what they are."""
    from graph.metrics.registry import METRICS

    return [(m.name, m.en) for m in METRICS.values() if m.name.startswith(incomplete)]


def complete_query_parameters(incomplete: str) -> list[str]:
    """`name=` of the chosen query's parameters, then its values where they are listed."""
    from graph.cypher.named_queries import load_queries

    query = _find_typed_item(load_queries())
    known = {p.name: list(p.choices) for p in query.parameters} if query else {}
    return list(_complete_parameters(known.items(), incomplete))


def complete_metric_parameters(incomplete: str) -> list[str]:
    """`name=` of the chosen metric's parameters."""
    from graph.metrics.registry import METRICS

    metric = _find_typed_item(METRICS)
    known: dict[str, list[str]] = {name: [] for name in metric.parameters} if metric else {}
    return list(_complete_parameters(known.items(), incomplete))


def _find_typed_item(known: Mapping[str, Named]) -> Named | None:
    """What the command line that is being completed names; the shell passes it on."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return next((known[word] for word in line.split() if word in known), None)


def _complete_parameters(
    known: Iterable[tuple[str, Iterable[str]]], incomplete: str
) -> Iterator[str]:
    for name, values in known:
        if "=" not in incomplete:
            if name.startswith(incomplete):
                yield f"{name}="
        else:
            every = (f"{name}={value}" for value in values)
            yield from (text for text in every if text.startswith(incomplete))


complete_generations = build_choice_completer("1", "2", "3", "4", "5", "all")
complete_undated = build_choice_completer(*UNDATED_CHOICES)
complete_year_alone = build_choice_completer(*YEAR_ALONE)
complete_channels = build_choice_completer(*CHANNELS, ",".join(CHANNELS))
complete_levels = build_choice_completer(*"12345678")

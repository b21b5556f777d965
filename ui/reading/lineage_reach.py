"""The people driven by the person in focus, and those pending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from graph.people.descent import Descent

BoxState = Literal["talent", "driven", "pending", "none"]


@dataclass(frozen=True)
class LineageReach:
    """The people driven by the person in focus, and those pending; empty if no talent."""

    generation: Mapping[str, int]
    skilled_on: Mapping[str, date]
    pending: frozenset[str]
    leading: bool

    def state(self, person: str) -> BoxState:
        """Driven, pending, or neither."""
        if person in self.generation:
            return "driven"
        return "pending" if person in self.pending else "none"


def raise_no_descent() -> Descent:
    """Stands in for the descent where a lineage is only a part; always raises `LookupError`."""
    raise LookupError("a part of a lineage has no figures of its own")

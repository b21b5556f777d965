"""A ledger of the programme: one target and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True)
class Ledger:
    """One target and the way to it.

    `quarters` has a row a quarter: `day` (its last day, or the last day with data),
    `persons`, `person_times`, both cumulative from the window's start. `target` is
    None when none is set.
    """

    quarters: pl.DataFrame
    target: int | None
    start: date
    end: date

    def path(self, day: date) -> float | None:
        """Where the straight path to the target stands on `day`."""
        if self.target is None:
            return None
        total_days = (self.end - self.start).days + 1
        gone = min(max((day - self.start).days + 1, 0), total_days)
        return self.target * gone / total_days

    @property
    def persons(self) -> int:
        """Persons from the window's start to the last day with data."""
        return int(self.quarters["persons"][-1])

    @property
    def person_times(self) -> int:
        """Person-times from the window's start to the last day with data."""
        return int(self.quarters["person_times"][-1])

    @property
    def due(self) -> float | None:
        """Where the straight path stands on the last day with data, in person-times."""
        return self.path(self.quarters["day"][-1])

    @property
    def gap(self) -> int | None:
        """Person-times ahead of the straight path on the last day with data (negative: short of
        it): person_times - round(due). None when there is no target.
        """
        due = self.due
        return None if due is None else self.person_times - round(due)

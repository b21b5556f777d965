"""What a report is of: the month, the policy, the province; and where its figures come from."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from graph.errors import UsageError
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

_MONTH_PATTERN = re.compile(r"(\d{4})-(\d{1,2})")


@dataclass(frozen=True)
class ReportMonth:
    """A month by its first and its last day.

    >>> ReportMonth.of(date(2026, 11, 23)), str(ReportMonth.parse("2026-1").previous)
    (ReportMonth(first=datetime.date(2026, 11, 1), last=datetime.date(2026, 11, 30)), '2025-12')
    """

    first: date
    last: date

    @classmethod
    def of(cls, day: date) -> ReportMonth:
        """The month of a day."""
        last = monthrange(day.year, day.month)[1]
        return cls(day.replace(day=1), day.replace(day=last))

    @classmethod
    def parse(cls, text: str) -> ReportMonth:
        """The month written `2026-11`; raises `UsageError` for others."""
        found = _MONTH_PATTERN.fullmatch(text.strip())
        try:
            if found is None:
                raise ValueError
            return cls.of(date(int(found[1]), int(found[2]), 1))
        except ValueError:
            raise UsageError("--month has {text!r}; write a month as 2026-11", text=text) from None

    @property
    def previous(self) -> ReportMonth:
        """The month before."""
        return ReportMonth.of(self.first - timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class ReportRequest:
    """Which month a report is of, under which policy, of the nation or of one province (code)."""

    month: ReportMonth
    policy: Policy
    province: str | None = None

    @classmethod
    def of(cls, month: ReportMonth, policy: Policy, province: str | None = None) -> ReportRequest:
        """The request with the policy as of the month's last day.

        Raises `UsageError` where the month lies outside the window.
        """
        if month.last < policy.window_start or month.first > policy.window_end:
            raise UsageError(
                "{month} lies outside the window, {start} to {end}; choose a month in it, or "
                "another window with --window",
                month=month,
                start=policy.window_start,
                end=policy.window_end,
            )
        return cls(month, replace(policy, as_of=month.last), province)

    @property
    def until(self) -> date:
        """The last day that counts: the month's, or the window's where that ends before."""
        return min(self.month.last, self.policy.window_end)


@dataclass(frozen=True)
class ReportSources:
    """Where the figures come from: the tables of the revision; those of the revision with which
    the last month is compared, with the day on which they were made (None: no other is stored); the
    loads of the graph (rows of `graph.store.standing.list_loads`).
    """

    snapshot: Snapshot
    loads: Sequence[Mapping[str, Any]]
    earlier: Snapshot | None = None
    earlier_made: str = ""

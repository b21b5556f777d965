"""What changed since last month's report, and why.

Last month's figure, as the revision of that time gives it, and this month's differ by two parts
that add up exactly: what happened in the month (promotions that fall into it), and what became of
the months before (records that a later load added, took back or dated anew). The second part is
the restatement of the window up to last month's end (`graph.evidence.restatement`), each change
with its one cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from graph.driven.figures import Driven
from graph.driven.results import load_driven
from graph.errors import UsageError
from graph.evidence.restatement import Restatement, load_restatement
from graph.policy import Policy
from graph.report.request import ReportMonth, ReportRequest, ReportSources
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import CachedSnapshot

CHANGE_LEDGERS: Final = ("driven_persons", "driven_person_times")


@dataclass(frozen=True)
class MonthChange:
    """The way from last month's figures to this month's.

    - before, after: the revisions; made: the day on which the tables of the earlier one were made;
      as_reported: whether last month's report was written from it, which is so if it was made in
      the month after
    - last_month: the month before
    - reported, restated, added, now: by ledger (`CHANGE_LEDGERS`): last month's figure at the
      earlier revision, what later records changed of it, what the month added, this month's
    - moved: of what is restated, what people add or take away whose province changed
    - causes: kind, change, records, driven_persons, driven_person_times
    """

    before: int
    after: int
    made: str
    as_reported: bool
    last_month: ReportMonth
    reported: dict[str, int]
    restated: dict[str, int]
    added: dict[str, int]
    now: dict[str, int]
    moved: dict[str, int]
    causes: pl.DataFrame


def choose_earlier_revision(
    snapshots: Sequence[CachedSnapshot], revision: int, month: ReportMonth, asked: int | None = None
) -> CachedSnapshot | None:
    """The revision with which the last month is compared.

    `asked` names it. Else it is the first stored one that was made after the last month's end: last
    month's report was written from it, for those before hold a part of that month alone. Where none
    was made between then and `revision`, it is the newest before. None where no other is stored;
    raises `UsageError` where `asked` is not stored.
    """
    earlier = [one for one in snapshots if one.revision < revision]
    if asked is not None:
        for one in earlier:
            if one.revision == asked:
                return one
        raise UsageError(
            "--compare-with has {asked}; kept before revision {revision} are: {kept}. Raise "
            "SHICHENG_KEEP_REVISIONS to keep more from now on.",
            asked=asked,
            revision=revision,
            kept=[one.revision for one in earlier] or "-",
        )
    closed = [one for one in earlier if one.made_at[:10] >= month.first.isoformat()]
    if closed:
        return min(closed, key=lambda one: one.revision)
    return max(earlier, key=lambda one: one.revision, default=None)


def compare_with_last_month(
    sources: ReportSources, request: ReportRequest, driven: Driven
) -> MonthChange:
    """The change since last month's report.

    Raises `UsageError` where there is no month before in the window, or no other revision is
    stored.
    """
    last_month = request.month.previous
    if last_month.last < request.policy.window_start:
        raise UsageError(
            "{month} is the first month of the window: there is no month before to compare with.",
            month=request.month,
        )
    if sources.earlier is None:
        raise UsageError(
            "No earlier revision of the data is kept, so that nothing can be compared with last "
            "month. SHICHENG_KEEP_REVISIONS says how many are kept from now on."
        )
    rules = replace(
        request.policy,
        window_end=min(request.policy.window_end, last_month.last),
        as_of=last_month.last,
    )
    return _build_change(sources, sources.earlier, request, rules, driven)


def _build_change(
    sources: ReportSources,
    earlier: Snapshot,
    request: ReportRequest,
    rules: Policy,
    driven: Driven,
) -> MonthChange:
    found = load_restatement(earlier, sources.snapshot, rules)
    reported = count_area_ledgers(earlier, load_driven(earlier, rules), request.province)
    restated = count_area_ledgers(
        sources.snapshot, load_driven(sources.snapshot, rules), request.province
    )
    counting = replace(driven, tables=_cut_promotions(driven, request))
    now = count_area_ledgers(sources.snapshot, counting, request.province)
    causes = _summarize_causes(found, sources.snapshot, earlier, request.province)
    explained = {name: int(causes[name].sum()) for name in CHANGE_LEDGERS}
    difference = {name: restated[name] - reported[name] for name in CHANGE_LEDGERS}
    made = sources.earlier_made[:10]
    return MonthChange(
        earlier.revision,
        sources.snapshot.revision,
        made,
        request.month.first.isoformat() <= made <= request.month.last.isoformat(),
        request.month.previous,
        reported,
        difference,
        {name: now[name] - restated[name] for name in CHANGE_LEDGERS},
        now,
        {name: difference[name] - explained[name] for name in CHANGE_LEDGERS},
        causes,
    )


def _cut_promotions(driven: Driven, request: ReportRequest) -> dict[str, pl.LazyFrame]:
    """The tables with the promotions up to the month's end alone."""
    cut = driven.tables["promotions"].filter(pl.col("day") <= request.until)
    return {**driven.tables, "promotions": cut}


def count_area_ledgers(snapshot: Snapshot, driven: Driven, province: str | None) -> dict[str, int]:
    """Driven persons and person-times by name (`CHANGE_LEDGERS`), of the nation or a province."""
    promotions = driven.promotions
    if province is not None:
        here = snapshot.frames["people"].filter(pl.col("province") == province)
        promotions = promotions.join(here.select("person"), on="person", how="semi")
    first = (pl.col("ledger").cast(pl.String) == "first_promotions").sum().cast(pl.Int64)
    persons, times = promotions.select(first, pl.len()).collect().row(0)
    return dict(zip(CHANGE_LEDGERS, (int(persons), int(times)), strict=True))


def _summarize_causes(
    found: Restatement, after: Snapshot, before: Snapshot, province: str | None
) -> pl.DataFrame:
    """The nation's changes, or those of the province's people, by kind of cause."""
    changes = found.changes.filter(pl.col("ledger").is_in(CHANGE_LEDGERS))
    if province is not None:
        changes = changes.join(_list_residents(after, before, province), on="person_id", how="semi")
    return (
        changes.join(found.causes.select("cause", "kind", cause_change="change"), on="cause")
        .group_by("kind", change="cause_change")
        .agg(
            pl.col("cause").n_unique().cast(pl.Int64).alias("records"),
            *(
                pl.col("change")
                .filter(pl.col("ledger") == ledger)
                .sum()
                .cast(pl.Int64)
                .alias(ledger)
                for ledger in CHANGE_LEDGERS
            ),
        )
        .sort("kind", "change")
    )


def _list_residents(after: Snapshot, before: Snapshot, province: str) -> pl.DataFrame:
    """person_id of the province's people: as they are now; of those who went, as they were."""
    now, was = (
        one.frames["people"].select("person_id", "province").collect() for one in (after, before)
    )
    gone = was.join(now, on="person_id", how="anti")
    return pl.concat([now, gone]).filter(pl.col("province") == province).select("person_id")

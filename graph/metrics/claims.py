"""Findings that move the headline: what an auditor would ask about first, and what hangs on it.

A finding is not an error: it is a set of mentorships, or a recognition, that a rule of plausibility
doubts. Beside it stands what both ledgers would lose, or gain, if that were left out, so that a
doubt of no consequence is not argued about and one of great consequence is not overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import networkx as nx
import polars as pl

from graph.dates import PRECISION, least_known
from graph.driven.arrivals import LastHops, compute_last_hops, compute_ledgers
from graph.labels import MetricColumnLabels
from graph.metrics.effects import (
    EFFECT_COLUMNS,
    compute_events_without,
    compute_ledger_changes,
    measure_without_links,
    measure_without_recognitions,
)
from graph.policy import Policy
from graph.snapshot.frames import Snapshot, scan_statements
from graph.snapshot.reader import SOURCE_SEPARATOR, STATED_COLUMN

# Kinds of findings, in English and Chinese.
CLAIM_KINDS: Final[MetricColumnLabels] = {
    "cycle": ("people who mentor each other in a circle", "师徒关系成环"),
    "junior_mentor": ("mentor at a lower level than the apprentice", "师傅等级低于徒弟"),
    "over_capacity": ("more apprentices at once than the capacity", "同时带徒人数超限"),
    "bulk_links": ("many mentorships begun on one day", "同日批量结对"),
    "many_mentors": ("a worker claimed by many mentors", "多名师傅认领同一徒弟"),
    "recognised_before": ("high-skilled before the mentorship began", "结对前已是高技能人才"),
    "too_close": ("two promotions too close together", "两次晋升间隔过短"),
    "sources_differ": ("sources state another start or end", "各来源所报起止日期不一致"),
    "all": ("all of these together", "以上合计"),
}
COLUMNS: Final[MetricColumnLabels] = {
    "kind": ("kind of finding", "疑点类型"),
    "person_id": ("person", "人员编号"),
    "other_id": ("apprentice", "徒弟编号"),
    "day": ("day", "日期"),
    "day_precision": ("what is known of the day", "日期精度"),
    "observed": ("observed", "实际值"),
    "limit": ("limit", "界限"),
    "people": ("people concerned", "涉及人数"),
    "rows": ("rows in the sources", "来源记录数"),
    "findings": ("findings", "疑点数"),
    "persons_change": ("change of driven persons without it", "剔除后带动人数变化"),
    "person_times_change": ("change of person-times without it", "剔除后带动人次变化"),
    "sum_change": ("change of the sum over talents without it", "剔除后各人才合计变化"),
}
# A statement with a start or an end of its own, as `graph.store.statements` writes it.
PERIOD_DIFFERS_PATTERN: Final = r'"(start|end)": "'
OPEN_END_DATE: Final = date(9999, 1, 1)
ONE_DAY: Final = timedelta(days=1)
CLAIM_LINK_COLUMNS: Final = ["mentor", "apprentice", "stated"]


@dataclass(frozen=True)
class Claims:
    """What `find_claims` found.

    - findings: one row a finding, of all kinds; see `find_claims`
    - kinds: one row a kind of finding, and "all": kind, findings, rows and the changes
      if all of its findings were left out at once. Kinds overlap, so they do not add up to "all"

    The kinds (parameters are those of `find_claims`):

    - cycle: people of whom each is above each other in the lineage (a strongly connected component
      of all mentorships), or one who is his own mentor; person_id is the first of them
    - junior_mentor: a mentorship at whose start the mentor's best recognised level (observed) was
      below the apprentice's (limit). One with no recognition by then is not judged
    - over_capacity: a mentor with more than `capacity` apprentices at once; observed is the most,
      on day. People are counted, not rows: statements of the same two people whose times overlap
      are one mentorship. Doubted are the mentorships that start on days which leave the mentor
      above it, with all their rows. A mentorship lasts from its start to its end; one without an
      end lasts on, unless its status says it has ended: then its first day alone is sure
    - bulk_links: a mentor with more than `bulk` apprentices who start on one day
    - many_mentors: a worker with more than `mentors` mentors on record
    - recognised_before: a mentorship that starts after the apprentice was already high-skilled,
      on day; observed is how many days after
    - too_close: a promotion fewer than `days` after the person's last one, unless the recognition
      is marked exceptional; doubted are the recognitions of the later day
    - sources_differ: a mentorship that several sources state with another start or end. It is one
      tie and counts once, with the period of the source that is believed (docs/metrics.md);
      observed is how many sources state it, rows their rows
    """

    findings: pl.DataFrame
    kinds: pl.DataFrame

    def table(self) -> pl.DataFrame:
        """The findings."""
        return self.findings


@dataclass(frozen=True)
class KindFindings:
    """The findings of one kind.

    - findings: world (its number among them), person, other, day, observed, limit, people, rows
    - doubted: world and the mentorships doubted (`CLAIM_LINK_COLUMNS`); or, of `too_close`, person
    and day of
      the recognitions doubted
    """

    findings: pl.DataFrame
    doubted: pl.DataFrame


def find_claims(
    snapshot: Snapshot,
    policy: Policy,
    *,
    capacity: int = 20,
    bulk: int = 10,
    mentors: int = 3,
    days: int = 365,
) -> Claims:
    """The findings, and the change of both ledgers if what each doubts were left out.

    A row a finding: kind (see `Claims`), person_id, other_id, day (and what is known of it),
    observed, limit, people, rows, and the changes.

    The changes are of driven persons, person-times and the sum over talents under the policy, if
    that finding alone were left out: each exact, or null where it was not measured. Measured are
    all recognitions, all sets of links to people who pass nothing on, and of the rest those of the
    most far-reaching first (`effects.MAX_WALKED_ROWS`). Those of a whole kind are always exact.

    `capacity` 20 is far above what local rules set (Tianjin: 8 a mentor), so that what it finds is
    not a matter of taste; `days` is one year, the least that national standards ask.

    Ana taught Bo, who became senior; Bo "taught" Ana too, and Cy when Cy was senior already:

    >>> from graph.metrics.examples import build_example_snapshot
    >>> snapshot = build_example_snapshot(
    ...     talents=[{"person": "Ana"}],
    ...     mentorships=[
    ...         {"mentor": "Ana", "apprentice": "Bo", "start": "2024-01-01"},
    ...         {"mentor": "Bo", "apprentice": "Ana", "start": "2024-06-01"},
    ...         {"mentor": "Bo", "apprentice": "Cy", "start": "2025-01-01"},
    ...     ],
    ...     recognitions=[
    ...         {"person": "Bo", "level": 4, "date": "2025-05-01"},
    ...         {"person": "Cy", "level": 4, "date": "2024-05-01"},
    ...     ],
    ... )
    >>> found = find_claims(snapshot, Policy())
    >>> found.table().select("kind", "person_id", "other_id", "rows", "persons_change").rows()
    [('cycle', 'Ana', None, 2, -1), ('recognised_before', 'Bo', 'Cy', 1, 0)]
    """
    snapshot = snapshot.under(policy)
    hops = compute_last_hops(snapshot, policy)
    taught = _collect_mentorships(snapshot)
    promotions = snapshot.frames["promotions"].collect()
    recognitions = snapshot.frames["recognitions"]
    found = {
        "cycle": _find_cycles(taught),
        "junior_mentor": _find_junior_mentors(taught, promotions),
        "over_capacity": _find_over_capacity(taught, capacity),
        "bulk_links": _find_bulk_links(taught, bulk),
        "many_mentors": _find_many_mentors(taught, mentors),
        "recognised_before": _find_recognised_before(taught, promotions, policy),
        "too_close": _find_close_promotions(promotions, recognitions, days),
        "sources_differ": _find_differing_sources(snapshot),
    }
    people = snapshot.frames["people"].select("person", "person_id")
    kinds = _measure_kinds(found, hops, recognitions)
    each = _add_finding_precision(_measure_each_finding(found, hops, recognitions), snapshot)
    return Claims(_add_finding_ids(each, people), kinds)


def _add_finding_precision(findings: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """The findings with what is known of their days, of mentorships and promotions."""
    taught, name = snapshot.frames["mentorships"], "start" + PRECISION
    known = [snapshot.frames["promotions"].select("person", "day", "day_precision")]
    if name in taught.collect_schema():
        known += [
            taught.select(person=end, day="start", day_precision=name)
            for end in ("mentor", "apprentice")
        ]
    dated_days = pl.concat(known).join(findings.lazy(), on=["person", "day"], how="semi")
    one = dated_days.group_by("person", "day").agg(least_known("day_precision"))
    return findings.join(one.collect(), on=["person", "day"], how="left", maintain_order="left")


def summarize_claims_by_kind(
    snapshot: Snapshot,
    policy: Policy,
    *,
    capacity: int = 20,
    bulk: int = 10,
    mentors: int = 3,
    days: int = 365,
) -> pl.DataFrame:
    """A row a kind of finding, and "all": how many, and what changes if all are left out at once.

    The parameters are those of `find_claims`; see there.
    """
    found = find_claims(snapshot, policy, capacity=capacity, bulk=bulk, mentors=mentors, days=days)
    return found.kinds


# --- what is found ----------------------------------------------------------------------------


def _collect_mentorships(snapshot: Snapshot) -> pl.DataFrame:
    """All mentorships: mentor, apprentice, stated (the start), end, status."""
    taught = snapshot.frames["mentorships"]
    return taught.select("mentor", "apprentice", "end", "status", stated="start").collect()


def _build_findings(findings: pl.DataFrame, doubted: pl.DataFrame, key: list[str]) -> KindFindings:
    """Numbers the findings; `key` are the columns by which the doubted rows belong to one."""
    numbered = findings.sort(key, nulls_last=True).with_row_index("world")
    keyed = doubted.join(numbered.select("world", *key), on=key, nulls_equal=True)
    columns = {
        "person": pl.Int32,
        "other": pl.Int32,
        "day": pl.Date,
        "observed": pl.Int64,
        "limit": pl.Int64,
        "people": pl.Int64,
        "rows": pl.Int64,
    }
    named = [
        (pl.col(name) if name in numbered.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    ]
    return KindFindings(numbered.select("world", *named), keyed)


def _find_cycles(taught: pl.DataFrame) -> KindFindings:
    pairs = taught.select("mentor", "apprentice").unique()
    core = _prune_to_cycle_core(pairs.filter(pl.col("mentor") != pl.col("apprentice")))
    graph = nx.DiGraph(core.rows())
    circles = [sorted(people) for people in nx.strongly_connected_components(graph)]
    alone = pairs.filter(pl.col("mentor") == pl.col("apprentice"))["mentor"].to_list()
    circles = [people for people in circles if len(people) > 1]
    inside = {person for people in circles for person in people}
    circles += [[person] for person in alone if person not in inside]
    rows = [(people[0], person) for people in circles for person in people]
    schema = {"first": pl.Int32, "member": pl.Int32}
    members = pl.DataFrame(rows, schema=schema, orient="row")
    doubted = (
        taught.join(members.rename({"member": "mentor"}), on="mentor")
        .join(members.rename({"member": "apprentice"}), on=["apprentice", "first"])
        .rename({"first": "person"})
    )
    size = members.group_by(person="first").agg(people=pl.len())
    findings = (
        doubted.group_by("person")
        .agg(rows=pl.len(), day=pl.col("stated").min())
        .join(size, on="person")
        .with_columns(observed="people", limit=pl.lit(0))
    )
    return _build_findings(
        findings, doubted.select("person", *CLAIM_LINK_COLUMNS).unique(), ["person"]
    )


def _prune_to_cycle_core(pairs: pl.DataFrame) -> pl.DataFrame:
    """What is left when those without a mentor or without an apprentice go, again and again."""
    while True:
        remaining = pairs.join(
            pairs.select(mentor="apprentice").unique(), on="mentor", how="semi"
        ).join(pairs.select(apprentice="mentor").unique(), on="apprentice", how="semi")
        if remaining.height == pairs.height:
            return remaining
        pairs = remaining


def _find_junior_mentors(taught: pl.DataFrame, promotions: pl.DataFrame) -> KindFindings:
    dated = taught.filter(pl.col("stated").is_not_null())
    levels = dated.select(
        *CLAIM_LINK_COLUMNS,
        observed=_lookup_levels(promotions, dated["mentor"], dated["stated"]),
        limit=_lookup_levels(promotions, dated["apprentice"], dated["stated"]),
    )
    junior = levels.filter(pl.col("observed") > 0, pl.col("observed") < pl.col("limit"))
    return _build_mentorship_findings(junior.with_columns(day="stated"))


def _lookup_levels(promotions: pl.DataFrame, person: pl.Series, day: pl.Series) -> pl.Series:
    """The best level of each person by each day; 0 where there is none by then."""
    if promotions.is_empty():
        return pl.repeat(0, person.len(), dtype=pl.Int64, eager=True)
    ordered = promotions.sort("person", "day")
    asked = _encode_person_day(person, day)
    place = _encode_person_day(ordered["person"], ordered["day"]).search_sorted(asked, side="right")
    before = (place.cast(pl.Int64) - 1).clip(0)
    same = (place > 0) & (ordered["person"].gather(before) == person)
    level = ordered["level"].gather(before).cast(pl.Int64)
    return pl.select(pl.when(same).then(level).otherwise(0)).to_series()


def _encode_person_day(person: pl.Series, day: pl.Series) -> pl.Series:
    """A number that orders by person, then day: days since 1970 lie within 2^23 of 0."""
    shifted = day.to_physical().cast(pl.Int64) + 2**23
    return person.cast(pl.Int64) * 2**24 + shifted


def _build_mentorship_findings(doubted: pl.DataFrame) -> KindFindings:
    """A finding for each mentorship (`CLAIM_LINK_COLUMNS`): of the mentor, with the apprentice as
    the other.
    """
    findings = doubted.group_by(CLAIM_LINK_COLUMNS).agg(
        pl.col("day", "observed", "limit").first(), people=pl.lit(2), rows=pl.len()
    )
    named = findings.with_columns(person="mentor", other="apprentice")
    return _build_findings(named, findings.select(CLAIM_LINK_COLUMNS), CLAIM_LINK_COLUMNS)


def _find_over_capacity(taught: pl.DataFrame, capacity: int) -> KindFindings:
    dated = taught.filter(pl.col("stated").is_not_null())
    dated = dated.filter(pl.col("apprentice").n_unique().over("mentor") > capacity)
    periods = _merge_periods(dated)
    one = periods.group_by("mentor", "apprentice", "since").agg(last=pl.col("last").max())
    begun = one.select("mentor", day="since", more=pl.lit(1))
    ended = one.select("mentor", day=pl.col("last") + ONE_DAY, more=pl.lit(-1))
    # All who begin also end, so that the running sum starts each mentor at 0.
    at_once = (
        pl.concat([begun, ended])
        .group_by("mentor", "day")
        .agg(pl.col("more").sum())
        .sort("mentor", "day")
        .with_columns(observed=pl.col("more").cum_sum())
        .filter(pl.col("observed") > capacity)
    )
    doubted = periods.join(at_once, left_on=["mentor", "since"], right_on=["mentor", "day"])
    counts = doubted.group_by("mentor").agg(
        people=pl.col("apprentice").n_unique() + 1,
        rows=pl.len(),
        day=pl.col("since").sort_by("observed", "since", descending=[True, False]).first(),
        observed=pl.col("observed").max(),
    )
    findings = counts.with_columns(person="mentor", limit=pl.lit(capacity))
    return _build_findings(findings, doubted.select(CLAIM_LINK_COLUMNS).unique(), ["mentor"])


def _merge_periods(dated: pl.DataFrame) -> pl.DataFrame:
    """Dated statements with the period of the one apprenticeship that they are of.

    Statements of the same two people whose times overlap are one apprenticeship, whoever states
    them: `since` is its first day; `last` the statement's own last day.
    """
    closed = pl.col("end").is_not_null() | pl.col("status").is_in(["completed", "ended"])
    last = pl.when(closed).then(pl.max_horizontal("stated", "end")).otherwise(pl.lit(OPEN_END_DATE))
    pair = ["mentor", "apprentice"]
    ordered = dated.with_columns(last=last).sort(*pair, "stated", "last")
    earlier = pl.col("last").cum_max().shift(1).over(pair)
    fresh = (pl.col("stated") > earlier).fill_null(True)
    return ordered.with_columns(
        since=pl.when(fresh).then("stated").forward_fill().over(pair, order_by="stated")
    )


def _find_bulk_links(taught: pl.DataFrame, bulk: int) -> KindFindings:
    dated = taught.filter(pl.col("stated").is_not_null())
    counts = dated.group_by("mentor", "stated").agg(
        observed=pl.col("apprentice").n_unique(), rows=pl.len()
    )
    findings = counts.filter(pl.col("observed") > bulk).with_columns(
        person="mentor", day="stated", limit=pl.lit(bulk), people=pl.col("observed") + 1
    )
    key = ["mentor", "stated"]
    return _build_findings(
        findings, dated.join(findings, on=key, how="semi").select(CLAIM_LINK_COLUMNS).unique(), key
    )


def _find_many_mentors(taught: pl.DataFrame, mentors: int) -> KindFindings:
    claimed = taught.filter(pl.col("mentor") != pl.col("apprentice"))
    counts = claimed.group_by("apprentice").agg(
        observed=pl.col("mentor").n_unique(), rows=pl.len(), day=pl.col("stated").min()
    )
    findings = counts.filter(pl.col("observed") > mentors).with_columns(
        person="apprentice", limit=pl.lit(mentors), people=pl.col("observed") + 1
    )
    doubted = (
        claimed.join(findings, on="apprentice", how="semi").select(CLAIM_LINK_COLUMNS).unique()
    )
    return _build_findings(findings, doubted, ["apprentice"])


def _find_recognised_before(
    taught: pl.DataFrame, promotions: pl.DataFrame, policy: Policy
) -> KindFindings:
    level = policy.high_skilled_level
    high = promotions.filter(pl.col("level") >= level, pl.col("before") < level)
    high = high.select(apprentice="person", day="day")
    late = taught.join(high, on="apprentice").filter(pl.col("day") < pl.col("stated"))
    apart = (pl.col("stated") - pl.col("day")).dt.total_days()
    return _build_mentorship_findings(late.with_columns(observed=apart, limit=pl.lit(0)))


def _find_differing_sources(snapshot: Snapshot) -> KindFindings:
    """Mentorships of which `stated` holds a start or an end that does not stand."""
    statements = (
        scan_statements(snapshot, "mentorships")
        .filter(pl.col(STATED_COLUMN).is_not_null())
        .select(
            "mentor",
            "apprentice",
            pl.col(STATED_COLUMN).str.split(SOURCE_SEPARATOR).alias("told"),
            stated="start",
        )
    )
    differs = pl.col("told").list.eval(pl.element().str.contains(PERIOD_DIFFERS_PATTERN)).list.any()
    each = statements.filter(differs).with_columns(
        day="stated", observed=pl.col("told").list.len().cast(pl.Int64), limit=pl.lit(1)
    )
    return _build_mentorship_findings(each.explode("told").collect())


def _find_close_promotions(
    promotions: pl.DataFrame, recognitions: pl.LazyFrame, days: int
) -> KindFindings:
    ordered = promotions.sort("person", "day")
    same = pl.col("person") == pl.col("person").shift(1)
    apart = (pl.col("day") - pl.col("day").shift(1)).dt.total_days()
    close = ordered.with_columns(observed=apart).filter(same & (apart < days))
    exceptional = recognitions.filter(pl.col("mode") == "exceptional")
    allowed = exceptional.select("person", "level", day="date").unique().collect()
    close = close.join(allowed, on=["person", "level", "day"], how="anti")
    rows = (
        recognitions.select("person", day="date")
        .join(close.lazy().select("person", "day"), on=["person", "day"])
        .group_by("person", "day")
        .agg(rows=pl.len())
        .collect()
    )
    findings = close.join(rows, on=["person", "day"]).with_columns(
        people=pl.lit(1), limit=pl.lit(days)
    )
    key = ["person", "day"]
    return _build_findings(findings, findings.select(key), key)


# --- what hangs on it -------------------------------------------------------------------------


def _find_doubted_links(found: KindFindings, hops: LastHops) -> pl.DataFrame:
    """The doubted mentorships among the links of the policy: world, link."""
    links = hops.links.filter(pl.col("channel").cast(pl.String) == "mentorship")
    joined = found.doubted.join(
        links.select("link", *CLAIM_LINK_COLUMNS), on=CLAIM_LINK_COLUMNS, nulls_equal=True
    )
    return joined.select("world", "link")


def _measure_each_finding(
    found: dict[str, KindFindings], hops: LastHops, recognitions: pl.LazyFrame
) -> pl.DataFrame:
    """All findings with their changes, each left out alone; null where it was not measured."""
    kinds = pl.Enum([kind for kind in CLAIM_KINDS if kind != "all"])
    parts, links, first = [], [], 0
    for kind, its in found.items():
        shift = pl.col("world").cast(pl.Int64) + first
        named = its.findings.with_columns(shift.alias("world"), kind=pl.lit(kind, kinds))
        parts.append(named)
        if kind != "too_close":
            links.append(_find_doubted_links(its, hops).with_columns(shift.alias("world")))
        else:
            days = its.doubted.with_columns(shift.alias("world"))
        first += its.findings.height
    findings, left_out = pl.concat(parts), pl.concat(links)
    theirs = recognitions.join(days.lazy().select("person").unique(), on="person", how="semi")
    changes = pl.concat(
        [
            measure_without_links(hops, left_out).select("world", *EFFECT_COLUMNS),
            measure_without_recognitions(
                hops, theirs.select("person", "level", "date").collect(), days
            ).select("world", *EFFECT_COLUMNS),
        ]
    )
    # A finding none of whose mentorships the policy lets chains take has nothing to change.
    doubted = pl.concat([left_out.select("world"), days.select("world")])
    idle = findings.select("world").join(doubted, on="world", how="anti")
    without_effect = idle.select(
        "world", *(pl.lit(0, pl.Int64).alias(change) for change in EFFECT_COLUMNS)
    )
    return findings.join(pl.concat([changes, without_effect]), on="world", how="left")


def _measure_kinds(
    found: dict[str, KindFindings], hops: LastHops, recognitions: pl.LazyFrame
) -> pl.DataFrame:
    before = compute_ledgers(hops.events)
    links = {
        kind: _find_doubted_links(its, hops).select("link")
        for kind, its in found.items()
        if kind != "too_close"
    }
    days = found["too_close"].doubted.lazy().select("person", date="day")
    remaining = recognitions.select("person", "level", "date")
    remaining = remaining.join(days, on=["person", "date"], how="anti")
    rows = []
    for kind in CLAIM_KINDS:
        left_out = (
            pl.concat(links.values()).unique()
            if kind == "all"
            else links.get(kind, hops.links.select("link").clear())
        )
        without = remaining if kind in ("too_close", "all") else None
        after = compute_ledgers(compute_events_without(hops, left_out.unique(), without))
        its = list(found.values()) if kind == "all" else [found[kind]]
        rows.append(
            {
                "kind": kind,
                "findings": sum(one.findings.height for one in its),
                "rows": sum(int(one.findings["rows"].sum()) for one in its),
                **compute_ledger_changes(before, after),
            }
        )
    return pl.DataFrame(rows).with_columns(pl.col("kind").cast(pl.Enum(list(CLAIM_KINDS))))


def _add_finding_ids(findings: pl.DataFrame, people: pl.LazyFrame) -> pl.DataFrame:
    """The findings with the people's ids: by kind, the largest change first."""
    other = people.rename({"person": "other", "person_id": "other_id"})
    named = (
        findings.lazy().join(people, on="person", how="left").join(other, on="other", how="left")
    )
    columns = [name for name in COLUMNS if name != "findings"]
    order = ["kind", *EFFECT_COLUMNS[:2], "person_id", "day", "other_id"]
    return named.select(columns).sort(order, nulls_last=True).collect()

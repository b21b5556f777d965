"""Named queries that look at every record of a kind, computed from the snapshot's tables.

Neo4j's Community Edition walks millions of relations on one core; the columns of the same records
take a tenth of the time. Each function gives the rows of the query of its name, in its order, and
`tests/live/test_queries.py` holds each to its Cypher, which stays what the query means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from graph.dates import PRECISION, take_last_day
from graph.people.longest_chains import find_longest_chains
from graph.people.retirement import (
    add_retirement_months,
    find_postponements,
    find_working_people,
    judge_retirement_by,
    list_retirements,
)
from graph.snapshot.frames import Snapshot, scan_statements
from graph.snapshot.reader import SOURCE_SEPARATOR, STATED_COLUMN, STATED_ROW

QueryValues = Mapping[str, Any]
TableQuery = Callable[[Snapshot, QueryValues], pl.DataFrame]
MENTORSHIP_PAIR_COLUMNS: Final = ["mentor", "apprentice"]


def _scan_people_columns(snapshot: Snapshot, *columns: str) -> pl.LazyFrame:
    return snapshot.frames["people"].select("person", "person_id", *columns)


def _rename_for_role(people: pl.LazyFrame, role: str) -> pl.LazyFrame:
    """Number, id and name of people, under the names of a role: mentor, mentor_id, mentor_name."""
    return people.select(
        pl.col("person").alias(role),
        pl.col("person_id").alias(f"{role}_id"),
        pl.col("name").alias(f"{role}_name"),
    )


def _filter_province(people: pl.LazyFrame, values: QueryValues) -> pl.LazyFrame:
    return people if values["province"] is None else people.filter(province=values["province"])


def _compute_retirement_day(values: QueryValues) -> dt.date:
    """The day by which retirements are judged: to the year, unless a data steward asks."""
    today: dt.date = values["today"]
    if values["steward"]:
        return today
    now = dt.date.today()
    return now if today.year == now.year else dt.date(today.year, 12, 31)


def _filter_ongoing(mentorships: pl.LazyFrame, today: dt.date) -> pl.LazyFrame:
    open_ended = pl.col("end").is_null() | (pl.col("end") >= today)
    return mentorships.filter(open_ended, pl.col("status").fill_null("ongoing") == "ongoing")


def _count_apprentices(mentorships: pl.LazyFrame) -> pl.LazyFrame:
    """person, apprentices: how many different people each has or had."""
    return (
        mentorships.select(MENTORSHIP_PAIR_COLUMNS)
        .unique()
        .group_by(person="mentor")
        .agg(apprentices=pl.len())
    )


def mentors_about_to_retire(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """person_id, name, retires_on, retires_in, known_by, apprentices, province, occupation_code.

    The rule is that of the departures. A woman who may be a worker or a cadre has a
    row for each of her months.
    """
    today, steward = values["today"], values["steward"]
    until = pl.select(pl.lit(today).dt.offset_by(f"{values['months']}mo")).item()
    since = today
    if not steward:
        since, until = dt.date(today.year, 1, 1), dt.date(until.year, 12, 31)
    ongoing = _count_apprentices(_filter_ongoing(snapshot.frames["mentorships"], today))
    retired_by = judge_retirement_by(today, steward=steward)
    working = find_working_people(snapshot, today, retired_by=retired_by)
    mentors = add_retirement_months(working.join(ongoing, on="person"))
    retiring = list_retirements(mentors, find_postponements(snapshot, today, since))
    undecided = pl.col("other_day").is_not_null()
    as_worker = pl.when(undecided).then(pl.lit("age_worker")).otherwise("known_by")
    as_cadre = retiring.filter(undecided).with_columns(
        day="other_day", known_by=pl.lit("age_cadre")
    )
    days = pl.concat([retiring.with_columns(known_by=as_worker), as_cadre])
    days = days.filter(take_last_day(days, "day") >= since, pl.col("day") <= until)
    retires = pl.col("day").alias("retires_on")
    order = [retires if steward else retires.dt.year(), pl.col("person_id"), pl.col("known_by")]
    return (
        days.join(mentors.drop("gap"), on="person")
        .sort(order)
        .select(
            "person_id",
            "name",
            retires,
            pl.col("day_precision").alias("retires_on_precision"),
            retires.dt.year().alias("retires_in"),
            "known_by",
            "apprentices",
            "province",
            "occupation_code",
        )
        .collect()
    )


def retired_mentors_with_apprentices(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """person_id, name, retired_on, retired_in, since_retirement (days), apprentices."""
    today, retired = values["today"], pl.col("retired_on")
    people = _scan_people_columns(snapshot, "name", "retired_on", "retired_on_precision")
    last = take_last_day(people, "retired_on")
    people = people.filter(last <= _compute_retirement_day(values))
    ongoing = _count_apprentices(_filter_ongoing(snapshot.frames["mentorships"], today))
    return (
        people.join(ongoing, on="person")
        .sort(retired if values["steward"] else retired.dt.year(), "person_id")
        .select(
            "person_id",
            "name",
            "retired_on",
            "retired_on_precision",
            retired.dt.year().alias("retired_in"),
            (pl.lit(today) - retired).dt.total_days().alias("since_retirement"),
            "apprentices",
        )
        .collect()
    )


def mentors_by_apprentices(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """person_id, name, leading_talent, province, apprentices, at_once."""
    today = values["today"]
    people = _filter_province(_scan_people_columns(snapshot, "name", "leading", "province"), values)
    taught = snapshot.frames["mentorships"]
    begun = taught.filter(
        pl.col("start") <= today, pl.col("end").is_null() | (pl.col("end") >= today)
    )
    now = _count_apprentices(begun).rename({"apprentices": "at_once"})
    first = people.join(_count_apprentices(taught), on="person")
    first = first.sort(pl.col("apprentices"), "person_id", descending=[True, False])
    return (
        first.head(values["rows"])
        .join(now, on="person", how="left", maintain_order="left")
        .select(
            "person_id",
            "name",
            pl.col("leading").alias("leading_talent"),
            "province",
            "apprentices",
            pl.col("at_once").fill_null(0),
        )
        .collect()
    )


def undated_mentorships(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """mentor_id, mentor, apprentice_id, apprentice, end, sources, row."""
    people = _scan_people_columns(snapshot, "name")
    return (
        snapshot.frames["mentorships"]
        .filter(pl.col("start").is_null())
        .join(_rename_for_role(people, "mentor"), on="mentor")
        .join(_rename_for_role(people, "apprentice"), on="apprentice")
        .sort("mentor_id", "apprentice_id")
        .head(values["rows"])
        .select(
            "mentor_id",
            pl.col("mentor_name").alias("mentor"),
            "apprentice_id",
            pl.col("apprentice_name").alias("apprentice"),
            "end",
            "end_precision",
            "sources",
            "row",
        )
        .collect()
    )


def occupations_short_of_mentors(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """occupation_code, occupation, positions, mentors, positions_a_mentor."""
    demand = _filter_province(snapshot.frames["demand"].filter(year=values["year"]), values)
    positions = demand.group_by("occupation_code").agg(pl.col("positions").sum())
    teaching = snapshot.frames["mentorships"].select(person="mentor").unique()
    people = _filter_province(
        _scan_people_columns(snapshot, "province", "retired_on", "occupation_code"), values
    )
    retired = (pl.col("retired_on") <= _compute_retirement_day(values)).fill_null(False)
    people = people.filter(~retired).join(teaching, on="person", how="semi")
    own = people.select("person", "occupation_code").drop_nulls()
    rows = snapshot.frames["practices"].select("person", "occupation_code")
    practised = pl.concat([own, rows.join(people, on="person", how="semi")]).unique()
    mentors = practised.group_by("occupation_code").agg(mentors=pl.len().cast(pl.Int64))
    names = snapshot.frames["occupations"].select(occupation_code="code", occupation="name")
    # Rounded half up to one decimal, in integers: a quotient of floats may miss a half.
    tenths = (20 * pl.col("positions") + pl.col("mentors")) // (2 * pl.col("mentors"))
    order = [pl.col("mentors") > 0, "positions_a_mentor", "positions", "occupation_code"]
    return (
        positions.join(mentors, on="occupation_code", how="left")
        .join(names, on="occupation_code", how="left")
        .with_columns(pl.col("mentors").fill_null(0))
        .with_columns(positions_a_mentor=pl.when(pl.col("mentors") > 0).then(tenths / 10))
        .sort(order, descending=[False, True, True, False])
        .head(values["rows"])
        .select("occupation_code", "occupation", "positions", "mentors", "positions_a_mentor")
        .collect()
    )


def kept_on_after_retirement(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """person_id, name, retired_on, retired_in, enterprise_id, enterprise, start, end,
    apprentices."""
    people = _filter_province(
        _scan_people_columns(snapshot, "name", "retired_on", "retired_on_precision", "province"),
        values,
    )
    again = snapshot.frames["employments"].filter("reemployed").join(people, on="person")
    enterprises = snapshot.frames["enterprises"].select("enterprise_id", enterprise="name")
    taught = snapshot.frames["mentorships"].join(
        again.select(mentor="person").unique(), on="mentor", how="semi"
    )
    return (
        again.join(enterprises, on="enterprise_id")
        .join(_count_apprentices(taught), on="person", how="left")
        .sort("person_id", "start", nulls_last=True)
        .select(
            "person_id",
            "name",
            "retired_on",
            "retired_on_precision",
            pl.col("retired_on").dt.year().alias("retired_in"),
            "enterprise_id",
            "enterprise",
            "start",
            "start_precision",
            "end",
            "end_precision",
            pl.col("apprentices").fill_null(0),
        )
        .collect()
    )


def service_periods_ending(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """service_until, person_id, name, leading_talent, enterprise_id, enterprise."""
    today = values["today"]
    until = pl.select(pl.lit(today).dt.offset_by(f"{values['months']}mo")).item()
    employments = snapshot.frames["employments"]
    last = take_last_day(employments, "service_until")
    ending = employments.filter(last >= today, pl.col("service_until") <= until)
    mentors = snapshot.frames["mentorships"].select(person="mentor").unique()
    people = _scan_people_columns(snapshot, "name", "leading").join(
        mentors.with_columns(teaches=True), on="person", how="left"
    )
    enterprises = snapshot.frames["enterprises"].select("enterprise_id", enterprise="name")
    return (
        ending.join(people.filter(pl.col("leading") | pl.col("teaches")), on="person")
        .join(enterprises, on="enterprise_id")
        .sort("service_until", "person_id")
        .select(
            "service_until",
            "service_until_precision",
            "person_id",
            "name",
            pl.col("leading").alias("leading_talent"),
            "enterprise_id",
            "enterprise",
        )
        .collect()
    )


def mentorships_by_source(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """source, records, undated, dated_share."""
    records, undated = pl.col("records"), pl.col("undated")
    return (
        snapshot.frames["mentorships"]
        .group_by("sources")
        .agg(records=pl.len(), undated=pl.col("start").is_null().sum())
        .explode("sources")
        .group_by(source="sources")
        .agg(records.sum(), undated.sum())
        .with_columns(dated_share=((records - undated) / records).round(3))
        .sort("records", "source", descending=[True, False])
        .collect()
    )


def stated_by_several(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """kind, record, sources, row."""
    several = pl.col(STATED_COLUMN).str.contains(SOURCE_SEPARATOR, literal=True)
    source = pl.element().str.json_path_match("$.source")
    people = (
        scan_statements(snapshot, "people")
        .filter(several)
        .select("person_id", STATED_COLUMN, STATED_ROW)
        .sort("person_id")
        .head(values["rows"])
        .select(
            pl.lit("person").alias("kind"),
            pl.col("person_id").alias("record"),
            pl.col(STATED_COLUMN).str.split(SOURCE_SEPARATOR).list.eval(source).alias("sources"),
            pl.col(STATED_ROW).alias("row"),
        )
        .collect()
    )
    # People come first, in the order of the kinds.
    room = values["rows"] - people.height
    if room <= 0:
        return people
    ties = scan_statements(snapshot, "mentorships").filter(several)
    named = _scan_people_columns(snapshot)
    # Of mentors beyond the last one shown no text is made.
    mentors = (
        ties.group_by("mentor")
        .agg(ties=pl.len())
        .join(named.rename({"person": "mentor", "person_id": "mentor_id"}), on="mentor")
        .sort(pl.col("mentor_id") + " > ")
        .filter(pl.col("ties").cum_sum() - pl.col("ties") < room)
        .collect()
    )
    shown = ties.join(mentors.lazy(), on="mentor").select(
        "mentor_id", "apprentice", "sources", "row"
    )
    mentorships = (
        shown.join(
            named.rename({"person": "apprentice", "person_id": "apprentice_id"}), on="apprentice"
        )
        .select(
            pl.lit("mentorship").alias("kind"),
            pl.format("{} > {}", "mentor_id", "apprentice_id").alias("record"),
            "sources",
            "row",
        )
        .sort("record", "row")
        .head(room)
        .collect()
    )
    return pl.concat([people, mentorships])


def apprentices_who_mentor(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """person_id, name, mentored_from, mentoring_from, years_between, apprentices."""
    taught = snapshot.frames["mentorships"].select(
        *MENTORSHIP_PAIR_COLUMNS, "start", "start_precision"
    )
    as_mentor = taught.group_by(person="mentor").agg(
        apprentices=pl.col("apprentice").n_unique(), **_select_earliest_start("mentoring_from")
    )
    people = _filter_province(_scan_people_columns(snapshot, "name", "province"), values)
    both = taught.select(person="apprentice").unique()
    first = (
        people.join(both, on="person", how="semi")
        .join(as_mentor, on="person")
        .sort("apprentices", "person_id", descending=[True, False])
        .head(values["rows"])
    )
    as_apprentice = (
        taught.join(first.select(apprentice="person"), on="apprentice", how="semi")
        .group_by(person="apprentice")
        .agg(**_select_earliest_start("mentored_from"))
    )
    return (
        first.join(as_apprentice, on="person", how="left", maintain_order="left")
        .select(
            "person_id",
            "name",
            "mentored_from",
            "mentored_from_precision",
            "mentoring_from",
            "mentoring_from_precision",
            _build_years_between("mentored_from", "mentoring_from").alias("years_between"),
            "apprentices",
        )
        .collect()
    )


def _select_earliest_start(name: str) -> dict[str, pl.Expr]:
    """The first start, and what is known of it: the day, where one that begins then states it."""
    start, known = pl.col("start"), pl.col("start_precision")
    of_first = known.filter(start == start.min())
    precision = pl.when(of_first.null_count() == 0).then(of_first.max())
    return {name: start.min(), name + PRECISION: precision}


def _build_years_between(first: str, last: str) -> pl.Expr:
    """Full years between two days, towards 0, as `duration.between(...).years` counts."""
    a, b = pl.col(first), pl.col(last)
    months = (b.dt.year() - a.dt.year()) * 12 + b.dt.month().cast(int) - a.dt.month().cast(int)
    ahead = (months > 0) & (b.dt.day() < a.dt.day())
    incomplete = (months < 0) & (b.dt.day() > a.dt.day())
    full_months = months - ahead.cast(int) + incomplete.cast(int)
    return (full_months.abs() // 12) * full_months.sign()


def co_mentored(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """person_id, name, mentors, mentor_names."""
    pairs = snapshot.frames["mentorships"].select(MENTORSHIP_PAIR_COLUMNS).unique()
    people = _scan_people_columns(snapshot, "name")
    counts = pairs.group_by(person="apprentice").agg(mentors=pl.len())
    first = (
        counts.filter(pl.col("mentors") >= values["mentors"])
        .join(people, on="person")
        .sort("mentors", "person_id", descending=[True, False])
        .head(values["rows"])
    )
    names = (
        pairs.join(first.select(apprentice="person"), on="apprentice", how="semi")
        .join(_rename_for_role(people, "mentor"), on="mentor")
        .sort("mentor_name", "mentor_id")
        .group_by(person="apprentice", maintain_order=True)
        .agg(mentor_names=pl.col("mentor_name"))
    )
    return (
        first.join(names, on="person", how="left", maintain_order="left")
        .select("person_id", "name", "mentors", "mentor_names")
        .collect()
    )


def recognitions_by_level_and_year(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """year, level, recognitions, people."""
    given = snapshot.frames["recognitions"].select("person", "level", year=pl.col("date").dt.year())
    given = given.filter(pl.col("year").is_between(values["from_year"], values["to_year"]))
    if values["province"] is not None:
        given = given.join(
            _filter_province(_scan_people_columns(snapshot, "province"), values),
            on="person",
            how="semi",
        )
    return (
        given.group_by("year", "level")
        .agg(recognitions=pl.len(), people=pl.col("person").n_unique())
        .sort("year", "level")
        .collect()
    )


def skilled_before_mentored(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """mentor_id, mentor, person_id, name, high_skilled_on, start, days."""
    level = values["high_skilled_level"]
    high = snapshot.frames["promotions"].filter(pl.col("level") >= level, pl.col("before") < level)
    people = _scan_people_columns(snapshot, "name")
    high = high.select(
        apprentice="person", high_skilled_on="day", high_skilled_on_precision="day_precision"
    )
    late = (
        snapshot.frames["mentorships"]
        .select(*MENTORSHIP_PAIR_COLUMNS, "start", "start_precision")
        .join(high, on="apprentice")
        .filter(pl.col("start") > pl.col("high_skilled_on"))
        .with_columns(days=(pl.col("start") - pl.col("high_skilled_on")).dt.total_days())
    )
    # Those that tie with the last one wanted come along, for their ids decide.
    some = late.collect()
    least = some["days"].top_k(values["rows"]).min()
    return (
        some.lazy()
        .filter(pl.col("days") >= (0 if least is None else least))
        .join(_rename_for_role(people, "mentor"), on="mentor")
        .join(_rename_for_role(people, "apprentice"), on="apprentice")
        .sort("days", "mentor_id", "apprentice_id", descending=[True, False, False])
        .head(values["rows"])
        .select(
            "mentor_id",
            pl.col("mentor_name").alias("mentor"),
            pl.col("apprentice_id").alias("person_id"),
            pl.col("apprentice_name").alias("name"),
            "high_skilled_on",
            "high_skilled_on_precision",
            "start",
            "start_precision",
            "days",
        )
        .collect()
    )


def studios_by_output(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """studio_id, studio, kind, grade, province, leaders, trained, new_high_skilled."""
    level = values["high_skilled_level"]
    studios = _filter_province(snapshot.frames["studios"], values).select(
        "studio_id", "name", "kind", "grade", "province"
    )
    high = (
        snapshot.frames["promotions"]
        .filter(
            pl.col("level") >= level,
            pl.col("before") < level,
            pl.col("day").is_between(values["window_start"], values["window_end"]),
        )
        .select("person", "day")
    )
    trained = (
        snapshot.frames["trainings"]
        .filter(place_kind="Studio")
        .group_by("person", studio_id="place_id")
        .agg(since=pl.col("start").min())
        .join(high, on="person", how="left")
        .group_by("studio_id")
        .agg(
            trained=pl.len(),
            new_high_skilled=(pl.col("since") <= pl.col("day")).fill_null(False).sum(),
        )
    )
    leaders = (
        snapshot.frames["leads"]
        .select("person", "studio_id")
        .unique()
        .join(_scan_people_columns(snapshot, "name"), on="person")
        .sort("name", "person_id")
        .group_by("studio_id", maintain_order=True)
        .agg(leaders=pl.col("name"))
    )
    return (
        studios.join(trained, on="studio_id", how="left")
        .join(leaders, on="studio_id", how="left")
        .with_columns(
            pl.col("trained", "new_high_skilled").fill_null(0), pl.col("leaders").fill_null([])
        )
        .sort("new_high_skilled", "trained", "studio_id", descending=[True, True, False])
        .select(
            "studio_id",
            pl.col("name").alias("studio"),
            "kind",
            "grade",
            "province",
            "leaders",
            "trained",
            "new_high_skilled",
        )
        .collect()
    )


def _join_schooled_and_employed(snapshot: Snapshot) -> pl.LazyFrame:
    """person, school_id, begun, enterprise_id, since: each training with each employment.

    The enterprise of a person's own row is an employment where none there is on record.
    """
    schooled = (
        snapshot.frames["trainings"]
        .filter(place_kind="School")
        .select("person", school_id="place_id", begun="start")
    )
    theirs = schooled.select("person").unique()
    stated = snapshot.frames["employments"].select("person", "enterprise_id", since="start")
    stated = stated.join(theirs, on="person", how="semi")
    own = (
        snapshot.frames["people"]
        .select("person", "enterprise_id", since=pl.lit(None, pl.Date))
        .drop_nulls("enterprise_id")
        .join(theirs, on="person", how="semi")
        .join(stated, on=["person", "enterprise_id"], how="anti")
        .join(snapshot.frames["enterprises"], on="enterprise_id", how="semi")
    )
    return schooled.join(pl.concat([stated, own]), on="person")


def schools_feeding_enterprises(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """school_id, school, enterprise_id, enterprise, people, partners."""
    schools = _filter_province(snapshot.frames["schools"], values).select(
        "school_id", school="name"
    )
    enterprises = snapshot.frames["enterprises"].select("enterprise_id", enterprise="name")
    partners = snapshot.frames["partnerships"].select("school_id", "enterprise_id").unique()
    pair = ["school_id", "enterprise_id"]
    in_order = (
        pl.col("since").is_null() | pl.col("begun").is_null() | (pl.col("since") >= pl.col("begun"))
    )
    return (
        _join_schooled_and_employed(snapshot)
        .filter(in_order)
        .group_by(pair)
        .agg(people=pl.col("person").n_unique())
        .filter(pl.col("people") >= values["people"])
        .join(schools, on="school_id")
        .join(enterprises, on="enterprise_id")
        .join(partners.with_columns(partners=True), on=pair, how="left")
        .sort("people", *pair, descending=[True, False, False])
        .select(
            "school_id",
            "school",
            "enterprise_id",
            "enterprise",
            "people",
            pl.col("partners").fill_null(False),
        )
        .collect()
    )


def idle_partnerships(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """enterprise_id, enterprise, school_id, school, kind, start."""
    today = values["today"]
    begun = pl.col("start").is_null() | (pl.col("start") <= today)
    lasting = pl.col("end").is_null() | (pl.col("end") >= today)
    pair = ["school_id", "enterprise_id"]
    busy = _join_schooled_and_employed(snapshot).select(pair).unique()
    return (
        snapshot.frames["partnerships"]
        .filter(begun, lasting)
        .join(busy, on=pair, how="anti")
        .join(
            snapshot.frames["enterprises"].select("enterprise_id", enterprise="name"),
            on="enterprise_id",
        )
        .join(snapshot.frames["schools"].select("school_id", school="name"), on="school_id")
        .sort("enterprise_id", "school_id", "start", nulls_last=True)
        .select(
            "enterprise_id", "enterprise", "school_id", "school", "kind", "start", "start_precision"
        )
        .collect()
    )


def longest_chains(snapshot: Snapshot, values: QueryValues) -> pl.DataFrame:
    """hops, people, first_id, first, last_id, last, chain, path."""
    people = _scan_people_columns(snapshot, "name")
    ties = snapshot.frames["mentorships"].select(MENTORSHIP_PAIR_COLUMNS).collect()
    ids = people.select("person", "person_id").collect()
    found = find_longest_chains(ties, ids, values["chains"]).with_row_index("number")
    named = (
        found.select("number", person="path")
        .explode("person")
        .lazy()
        .join(people, on="person", how="left", maintain_order="left")
        .group_by("number", maintain_order=True)
        .agg(chain=pl.col("name"), path=pl.col("person_id"))
        .collect()
    )
    return named.join(found.select("number", "hops"), on="number", maintain_order="left").select(
        "hops",
        pl.col("path").list.len().cast(pl.Int64).alias("people"),
        pl.col("path").list.first().alias("first_id"),
        pl.col("chain").list.first().alias("first"),
        pl.col("path").list.last().alias("last_id"),
        pl.col("chain").list.last().alias("last"),
        "chain",
        "path",
    )


TABLE_QUERIES: Final[Mapping[str, TableQuery]] = {
    query.__name__: query
    for query in (
        mentors_about_to_retire,
        retired_mentors_with_apprentices,
        mentors_by_apprentices,
        undated_mentorships,
        occupations_short_of_mentors,
        kept_on_after_retirement,
        service_periods_ending,
        mentorships_by_source,
        stated_by_several,
        apprentices_who_mentor,
        co_mentored,
        recognitions_by_level_and_year,
        skilled_before_mentored,
        studios_by_output,
        schools_feeding_enterprises,
        idle_partnerships,
        longest_chains,
    )
}


def bind_snapshot(
    snapshot: Callable[[], Snapshot],
) -> dict[str, Callable[[Mapping[str, Any]], pl.DataFrame]]:
    """Query name -> its answer from the snapshot, which is taken when the first is asked."""

    def answer(query: TableQuery) -> Callable[[Mapping[str, Any]], pl.DataFrame]:
        return lambda values: query(snapshot(), values)

    return {name: answer(query) for name, query in TABLE_QUERIES.items()}

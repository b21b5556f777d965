"""What studios, enterprises and schools bring about, and what it costs.

A place's figures stand on the last hops of the chains that count: who was taught there, not who
was taught by someone who was once there. A worker may be counted at several places, so places do
not add up to the nation. A figure that cannot be shown to be true is null, never 0: a cost
where the funding is not stated or nobody was driven, a share where a fund is not stated or the
part is larger than the total.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from graph.driven.arrivals import LastHops, compute_last_hops, filter_counting_promotions
from graph.labels import MetricColumnLabels
from graph.policy import Policy
from graph.snapshot.edges import build_studio_ties, filter_studio_trainings
from graph.snapshot.frames import Snapshot

# Of the staff education fund, at least so much is for front-line workers: the State Council's
# opinions on the skilled workforce (2022), after the rules on staff education funds.
MIN_FRONTLINE_SHARE: Final = 0.6
DAYS_PER_YEAR: Final = 365.25

COLUMNS: Final[MetricColumnLabels] = {
    "studio_id": ("studio", "工作室编号"),
    "enterprise_id": ("enterprise", "企业编号"),
    "school_id": ("school", "院校编号"),
    "name": ("name", "名称"),
    "kind": ("kind", "类型"),
    "grade": ("grade", "级别"),
    "province": ("province", "省份"),
    "industry": ("industry", "行业"),
    "ownership": ("ownership", "所有制"),
    "leads": ("people who lead it", "领办人数"),
    "trained": ("people trained there", "培训人数"),
    "driven_persons": ("driven workers taught there", "带动人数"),
    "driven_person_times": ("person-times of them", "带动人次"),
    "driven_ever": ("driven workers taught there, all years", "历年带动人数"),
    "funding": ("public funding, yuan", "资助经费（元）"),
    "cost": ("yuan for each driven worker, same years", "每带动一人成本（元，同期）"),
    "trainee_cost": ("yuan for each trainee, same years", "每培训一人成本（元，同期）"),
    "employed_persons": ("driven workers employed there", "在岗带动人数"),
    "employed_person_times": ("person-times of those employed", "在岗带动人次"),
    "education_fund": ("staff education fund, yuan a year", "职工教育经费（元/年）"),
    "frontline_share": ("share for front-line workers", "一线职工占比"),
    "meets_frontline": ("at least 60 % for front-line workers", "一线占比达到 60%"),
    "teachers": ("teachers", "任教人数"),
    "leading_teachers": ("leading talents who teach", "任教领军人才"),
    "partners": ("partner enterprises", "合作企业数"),
    "high_skilled": ("trained, then newly high-skilled", "培训后新晋高技能人数"),
    "high_skilled_driven": ("of them driven by a talent", "其中被带动人数"),
    "into_enterprises": ("trained, then employed", "培训后就业人数"),
    "into_partners": ("of them at a partner enterprise", "其中进入合作企业人数"),
    "enterprises_reached": ("enterprises they went to", "去向企业数"),
}


DESCRIBED_STUDIO_COLUMNS = ("studio_id", "name", "kind", "grade", "province", "industry")


def compute_studio_output(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """A row a studio, sorted by studio_id: who was driven there and what each cost.

    - leads, trained: distinct people who lead it, who trained there, at any time
    - driven_persons: distinct driven workers for whom a chain that counts ends with a hop at this
      studio, from one who led it to the worker who trained there at the time, begun by the day of
      the promotion. driven_person_times: their, and others', promotions that count so
    - driven_ever: as driven_persons, with promotions of any year up to the window's end or the
      policy's as-of day, whichever is later: what the funding is held against
    - cost = funding / driven_ever, trainee_cost = funding / trained: public funding (yuan) is
      stated in full, of all years, and so are the people it is divided by

    Ada, a talent, leads a studio where Bo and Cy trained; Bo became senior:

    >>> from graph.metrics.examples import build_example_snapshot
    >>> snapshot = build_example_snapshot(
    ...     talents=[{"person": "Ada"}],
    ...     studios=[{"studio_id": "S1", "funding": 50000.0}, {"studio_id": "S2"}],
    ...     leads=[{"person": "Ada", "studio_id": "S1", "start": "2020-01-01"}],
    ...     trainings=[
    ...         {"person": p, "place_id": "S1", "place_kind": "Studio", "start": "2024-02-01"}
    ...         for p in ("Bo", "Cy")
    ...     ],
    ...     recognitions=[{"person": "Bo", "level": 4, "date": "2025-02-01"}],
    ... )
    >>> found = compute_studio_output(snapshot, Policy())
    >>> found.select("studio_id", "trained", "driven_persons", "cost", "trainee_cost").rows()
    [('S1', 2, 1, 50000.0, 25000.0), ('S2', 0, 0, None, None)]
    """
    snapshot = snapshot.under(policy)
    hops, key = compute_last_hops(snapshot, policy), "studio_id"
    links = collect_studio_links(snapshot)
    output = count_output(compute_events_at(hops, links, key), key)
    ever = count_output(
        compute_events_at(_extend_to_all_years(hops, snapshot), links, key), key, "ever"
    )
    ever = ever.select(key, driven_ever="ever_persons")
    leads = _count_people(snapshot.frames["leads"], key, "leads")
    trained = _count_people(filter_studio_trainings(snapshot.frames["trainings"]), key, "trained")
    studios = snapshot.frames["studios"].select(*DESCRIBED_STUDIO_COLUMNS, "funding")
    return (
        _join_counts(studios, key, leads, trained, output, ever)
        .select(
            *DESCRIBED_STUDIO_COLUMNS,
            "leads",
            "trained",
            "driven_persons",
            "driven_person_times",
            "driven_ever",
            "funding",
            cost=_build_cost(pl.col("funding"), "driven_ever"),
            trainee_cost=_build_cost(pl.col("funding"), "trained"),
        )
        .collect()
    )


def _extend_to_all_years(hops: LastHops, snapshot: Snapshot) -> LastHops:
    """The same chains with the promotions of all years up to now."""
    end = max(hops.policy.window_end, hops.policy.as_of)
    policy = replace(hops.policy, window_start=date.min, window_end=end)
    counting = filter_counting_promotions(snapshot.frames["promotions"], policy)
    return replace(hops, policy=policy, counting=counting)


def compute_window_years(policy: Policy) -> float:
    """How many years of the window have passed by the policy's as-of day; 0 before it begins."""
    last = min(policy.window_end, policy.as_of)
    return max((last - policy.window_start).days + 1, 0) / DAYS_PER_YEAR


def compute_enterprise_output(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """A row an enterprise, sorted by enterprise_id: who was driven there, and its education fund.

    - driven_persons, driven_person_times: as of studios, with the last hop a mentorship whose row
      names this enterprise as the place where it happens
    - employed_persons, employed_person_times: driven persons, and counting promotions, of those
      employed there on the day of the promotion (an unknown start or end is open)
    - trained: distinct people with a training at the enterprise
    - frontline_share = frontline_education_fund / education_fund; meets_frontline: whether it is
      at least 60 %. Null when either is not stated, the fund is 0, or the part is larger
    - cost = education_fund x years / employed_persons: the fund (yuan a year) of the years of the
      window that have passed by the policy's as-of day, for each driven worker; a size of effort,
      not a price, for the fund pays for all staff
    """
    snapshot = snapshot.under(policy)
    hops = compute_last_hops(snapshot, policy)
    taught = compute_events_at(hops, collect_enterprise_links(snapshot), "enterprise_id")
    employed = compute_employed_events(snapshot, hops)
    at = pl.col("place_kind") == "Enterprise"
    places = snapshot.frames["trainings"].filter(at).rename({"place_id": "enterprise_id"})
    described = ["name", "province", "industry", "ownership"]
    funds = ["education_fund", "frontline_education_fund"]
    key = "enterprise_id"
    rows = _join_counts(
        snapshot.frames["enterprises"].select(key, *described, *funds),
        key,
        _count_people(places, key, "trained"),
        count_output(taught, key),
        count_output(employed, key, "employed"),
    )
    share = build_frontline_share()
    return rows.select(
        key,
        *described,
        "trained",
        "driven_persons",
        "driven_person_times",
        "employed_persons",
        "employed_person_times",
        "education_fund",
        frontline_share=share,
        meets_frontline=share >= MIN_FRONTLINE_SHARE,
        cost=_build_cost(
            pl.col("education_fund") * compute_window_years(policy), "employed_persons"
        ),
    ).collect()


def compute_school_output(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """A row a school, sorted by school_id: its teachers, partners, and where those it trained went.

    - teachers, leading_teachers: distinct people who teach there on the policy's as-of day, and the
      leading talents among them (an unknown start or end is open)
    - partners: distinct enterprises that partner with it on that day
    - trained: distinct people with a training at the school
    - high_skilled: those of them who became high-skilled inside the window, on or after the day on
      which their training there began; high_skilled_driven: those of these that any talent drives
    - into_enterprises: those trained whom an enterprise employs from a day on or after the
      training's first; into_partners: those who went so to an enterprise that ever partnered with
      the school; enterprises_reached: the distinct enterprises
    Undated trainings and employments count for none of the last five.
    """
    snapshot = snapshot.under(policy)
    hops = compute_last_hops(snapshot, policy)
    at = pl.col("place_kind") == "School"
    trainings = snapshot.frames["trainings"].filter(at).rename({"place_id": "school_id"})
    teaching = snapshot.frames["teaching"].filter(_build_as_of_filter(policy))
    leading = teaching.join(snapshot.frames["talents"], on="person", how="semi")
    partnerships = snapshot.frames["partnerships"]
    partners = (
        partnerships.filter(_build_as_of_filter(policy))
        .group_by("school_id")
        .agg(partners=pl.col("enterprise_id").n_unique())
    )
    described = ["name", "kind", "province"]
    rows = _join_counts(
        snapshot.frames["schools"].select("school_id", *described),
        "school_id",
        _count_people(teaching, "school_id", "teachers"),
        _count_people(leading, "school_id", "leading_teachers"),
        partners,
        _count_people(trainings, "school_id", "trained"),
        _count_newly_high_skilled(
            _find_newly_high_skilled(_find_first_trainings(snapshot), snapshot, hops)
        ),
        _count_employed_after_training(_find_first_trainings(snapshot), snapshot),
    )
    counts = [
        "teachers",
        "leading_teachers",
        "partners",
        "trained",
        "high_skilled",
        "high_skilled_driven",
        "into_enterprises",
        "into_partners",
        "enterprises_reached",
    ]
    return rows.select("school_id", *described, *counts).collect()


# --- who was driven where ---------------------------------------------------------------------


def find_reached_people(snapshot: Snapshot, policy: Policy, *, of: str) -> pl.DataFrame:
    """The people each place counts: place_id and person (the row number in `people`), sorted.

    `of` studio: the driven_persons of `compute_studio_output`; enterprise: the employed_persons of
    `compute_enterprise_output`; school: the high_skilled of `compute_school_output`.
    With these rows, people whom several places reach can be counted once.

    >>> from graph.metrics.examples import build_example_snapshot
    >>> snapshot = build_example_snapshot(
    ...     talents=[{"person": "Ada"}],
    ...     studios=[{"studio_id": "S1"}],
    ...     leads=[{"person": "Ada", "studio_id": "S1", "start": "2020-01-01"}],
    ...     trainings=[
    ...         {"person": "Bo", "place_id": "S1", "place_kind": "Studio", "start": "2024-02-01"}
    ...     ],
    ...     recognitions=[{"person": "Bo", "level": 4, "date": "2025-02-01"}],
    ... )
    >>> find_reached_people(snapshot, Policy(), of="studio")["place_id"].to_list()
    ['S1']
    """
    snapshot = snapshot.under(policy)
    hops = compute_last_hops(snapshot, policy)
    if of == "studio":
        found = (
            compute_events_at(hops, collect_studio_links(snapshot), "studio_id")
            .lazy()
            .filter("first")
        )
    elif of == "enterprise":
        found = compute_employed_events(snapshot, hops).lazy().filter("first")
    else:
        found = _find_newly_high_skilled(_find_first_trainings(snapshot), snapshot, hops)
    key = f"{of}_id"
    return found.select("person", place_id=key).unique().sort("place_id", "person").collect()


def collect_studio_links(snapshot: Snapshot) -> pl.LazyFrame:
    """At which studio each studio link is: mentor, apprentice, stated (its start), studio_id."""
    trainings = filter_studio_trainings(snapshot.frames["trainings"])
    ties = build_studio_ties(snapshot.frames["leads"], trainings)
    return ties.select(
        "mentor", "apprentice", "studio_id", stated="start", by=pl.lit("studio")
    ).unique()


def collect_enterprise_links(snapshot: Snapshot) -> pl.LazyFrame:
    """At which enterprise each mentorship is: mentor, apprentice, stated, enterprise_id."""
    taught = snapshot.frames["mentorships"].filter(pl.col("enterprise_id").is_not_null())
    return taught.select(
        "mentor", "apprentice", "enterprise_id", stated="start", by=pl.lit("mentorship")
    ).unique()


def compute_events_at(hops: LastHops, placed: pl.LazyFrame, place: str) -> pl.DataFrame:
    """The promotions that count by a last hop at each place: the place, mentor, person, day, first.

    Takes `collect_studio_links` or `collect_enterprise_links`.
    """
    links = hops.links.lazy().with_columns(by=pl.col("channel").cast(pl.String))
    at = links.join(placed, on=["mentor", "apprentice", "stated", "by"], nulls_equal=True).select(
        "link", "mentor", place
    )
    arrived = hops.hops.lazy().select("person", "link", "arrival").unique()
    return (
        arrived.join(at, on="link")
        .join(hops.counting.lazy(), on="person")
        .filter(pl.col("arrival") <= pl.col("day"))
        .select(place, "mentor", "person", "day", "first")
        .unique()
        .collect()
    )


def compute_employed_events(snapshot: Snapshot, hops: LastHops) -> pl.DataFrame:
    """The promotions that count, at whoever employed the worker on the day."""
    events = hops.events.lazy().select("person", "day", "first").unique()
    day = pl.col("day")
    lasted = pl.col("start").fill_null(day) <= day, pl.col("end").fill_null(day) >= day
    employed = snapshot.frames["employments"].select("person", "enterprise_id", "start", "end")
    at = events.join(employed, on="person").filter(*lasted)
    return at.select("enterprise_id", "person", "day", "first").unique().collect()


def count_output(events: pl.DataFrame, place: str, prefix: str = "driven") -> pl.LazyFrame:
    """Both ledgers of each place from its events."""
    once = events.lazy().select(place, "person", "day", "first").unique()
    return once.group_by(place).agg(
        pl.col("person").filter(pl.col("first")).n_unique().alias(f"{prefix}_persons"),
        pl.len().alias(f"{prefix}_person_times"),
    )


def build_frontline_share() -> pl.Expr:
    """The share of the education fund for front-line workers; null where it can't be shown."""
    fund, part = pl.col("education_fund"), pl.col("frontline_education_fund")
    return pl.when(fund > 0, part >= 0, part <= fund).then(part / fund)


def _build_cost(money: pl.Expr, persons: str) -> pl.Expr:
    """Null where the money is not stated or is negative, or there is nobody."""
    return pl.when(money >= 0, pl.col(persons) > 0).then(money / pl.col(persons))


def _count_people(rows: pl.LazyFrame, place: str, name: str) -> pl.LazyFrame:
    return rows.group_by(place).agg(pl.col("person").n_unique().alias(name))


def _join_counts(places: pl.LazyFrame, key: str, *counts: pl.LazyFrame) -> pl.LazyFrame:
    """The places with these counts beside them, 0 where there are none; sorted by key."""
    for count in counts:
        names = [name for name in count.collect_schema().names() if name != key]
        places = places.join(count, on=key, how="left").with_columns(
            pl.col(names).fill_null(0).cast(pl.Int64)
        )
    return places.sort(key)


def _build_as_of_filter(policy: Policy) -> pl.Expr:
    day = pl.lit(policy.as_of)
    return (pl.col("start").fill_null(day) <= day) & (pl.col("end").fill_null(day) >= day)


def _find_first_trainings(snapshot: Snapshot) -> pl.LazyFrame:
    """Since when each was trained at a school: school_id, person, start."""
    trainings = snapshot.frames["trainings"].filter(pl.col("place_kind") == "School")
    first = trainings.group_by("place_id", "person").agg(pl.col("start").min()).drop_nulls()
    return first.rename({"place_id": "school_id"})


def _find_newly_high_skilled(
    begun: pl.LazyFrame, snapshot: Snapshot, hops: LastHops
) -> pl.LazyFrame:
    """Of each school's trained people, who then became high-skilled; driven is true or null."""
    counting = filter_counting_promotions(snapshot.frames["promotions"], hops.policy)
    driven = hops.events.lazy().filter("first").select("person", driven=pl.lit(True)).unique()
    risen = begun.join(counting.lazy().filter("first"), on="person")
    return risen.filter(pl.col("start") <= pl.col("day")).join(driven, on="person", how="left")


def _count_newly_high_skilled(risen: pl.LazyFrame) -> pl.LazyFrame:
    return risen.group_by("school_id").agg(
        high_skilled=pl.len(), high_skilled_driven=pl.col("driven").fill_null(False).sum()
    )


def _count_employed_after_training(begun: pl.LazyFrame, snapshot: Snapshot) -> pl.LazyFrame:
    """Of each school's trained people, who was then employed, and where."""
    employed = snapshot.frames["employments"].select("person", "enterprise_id", since="start")
    partners = snapshot.frames["partnerships"].select("school_id", "enterprise_id").unique()
    after = begun.join(employed, on="person").filter(pl.col("since") >= pl.col("start"))
    after = after.join(
        partners.with_columns(partner=pl.lit(True)), on=["school_id", "enterprise_id"], how="left"
    )
    person = pl.col("person")
    return after.group_by("school_id").agg(
        into_enterprises=person.n_unique(),
        into_partners=person.filter(pl.col("partner").fill_null(False)).n_unique(),
        enterprises_reached=pl.col("enterprise_id").n_unique(),
    )

"""What studios, enterprises and schools bring about, and what it costs.

A place's figures stand on the last hops of the chains that count: who was taught there, not who
was taught by someone who was once there. A worker may be counted at several places, so places do
not add up to the nation. A figure that cannot be shown to be true is null, never nought: a cost
where the funding is not stated or nobody was driven, a share where a fund is not stated or the
part is larger than the whole.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from graph.metrics import Labels
from graph.metrics.arrivals import Hops, counting_promotions, last_hops
from graph.policy import Policy
from graph.snapshot import Snapshot, studio_ties, studio_trainings

# Of the staff education fund, at least so much is for front-line workers: the State Council's
# opinions on the skilled workforce (2022), after the rules on staff education funds.
FRONTLINE_SHARE: Final = 0.6

COLUMNS: Final[Labels] = {
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
    "funding": ("public funding, yuan", "资助经费（元）"),
    "cost": ("yuan for each driven worker", "每带动一人成本（元）"),
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


def studios(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """A row a studio, sorted by studio_id: who was driven there and what each cost.

    - leads, trained: distinct people who lead it, who trained there, at any time
    - driven_persons: distinct driven workers for whom a chain that counts ends with a hop at this
      studio, from one who led it to the worker who trained there at the time, begun by the day of
      the promotion. driven_person_times: their, and others', promotions that count so
    - cost = funding / driven_persons: public funding (yuan) as stated, in full, whatever its years

    Ada, a talent, leads a studio where Bo and Cy trained; Bo became senior:

    >>> from graph.metrics.examples import snapshot_of
    >>> snapshot = snapshot_of(
    ...     talents=[{"person": "Ada"}],
    ...     studios=[{"studio_id": "S1", "funding": 50000.0}, {"studio_id": "S2"}],
    ...     leads=[{"person": "Ada", "studio_id": "S1", "start": "2020-01-01"}],
    ...     trainings=[
    ...         {"person": p, "place_id": "S1", "place_kind": "Studio", "start": "2024-02-01"}
    ...         for p in ("Bo", "Cy")
    ...     ],
    ...     recognitions=[{"person": "Bo", "level": 4, "date": "2025-02-01"}],
    ... )
    >>> studios(snapshot, Policy()).select("studio_id", "trained", "driven_persons", "cost").rows()
    [('S1', 2, 1, 50000.0), ('S2', 0, 0, None)]
    """
    hops = last_hops(snapshot, policy)
    output = output_of(events_at(hops, studio_links(snapshot), "studio_id"), "studio_id")
    leads = _people(snapshot.frames["leads"], "studio_id", "leads")
    trained = _people(studio_trainings(snapshot.frames["trainings"]), "studio_id", "trained")
    described = ["name", "kind", "grade", "province", "industry"]
    rows = _beside(snapshot.frames["studios"].select("studio_id", *described, "funding"),
                   "studio_id", leads, trained, output)  # fmt: skip
    return rows.select(
        "studio_id", *described, "leads", "trained", "driven_persons", "driven_person_times",
        "funding", cost=_cost("funding", "driven_persons"),
    ).collect()  # fmt: skip


def enterprises(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """A row an enterprise, sorted by enterprise_id: who was driven there, and its education fund.

    - driven_persons, driven_person_times: as of studios, with the last hop a mentorship whose row
      names this enterprise as the place where it happens
    - employed_persons, employed_person_times: driven persons, and counting promotions, of those
      employed there on the day of the promotion (an unknown start or end is open)
    - trained: distinct people with a training at the enterprise
    - frontline_share = frontline_education_fund / education_fund; meets_frontline: whether it is
      at least 60 %. Null when either is not stated, the fund is nought, or the part is larger
    - cost = education_fund / employed_persons: yuan of one year's fund for each driven worker; a
      size of effort, not a price, for the fund pays for all staff
    """
    hops = last_hops(snapshot, policy)
    taught = events_at(hops, enterprise_links(snapshot), "enterprise_id")
    employed = employed_events(snapshot, hops)
    at = pl.col("place_kind") == "Enterprise"
    places = snapshot.frames["trainings"].filter(at).rename({"place_id": "enterprise_id"})
    described = ["name", "province", "industry", "ownership"]
    funds = ["education_fund", "frontline_education_fund"]
    key = "enterprise_id"
    rows = _beside(
        snapshot.frames["enterprises"].select(key, *described, *funds), key,
        _people(places, key, "trained"), output_of(taught, key),
        output_of(employed, key, "employed"),
    )  # fmt: skip
    share = frontline_share()
    return rows.select(
        key, *described, "trained", "driven_persons", "driven_person_times",
        "employed_persons", "employed_person_times", "education_fund",
        frontline_share=share, meets_frontline=share >= FRONTLINE_SHARE,
        cost=_cost("education_fund", "employed_persons"),
    ).collect()  # fmt: skip


def schools(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
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
    Trainings and employments of unknown start count for none of the last five.
    """
    hops = last_hops(snapshot, policy)
    at = pl.col("place_kind") == "School"
    trainings = snapshot.frames["trainings"].filter(at).rename({"place_id": "school_id"})
    teaching = snapshot.frames["teaching"].filter(_on(policy))
    leading = teaching.join(snapshot.frames["talents"], on="person", how="semi")
    partnerships = snapshot.frames["partnerships"]
    partners = partnerships.filter(_on(policy)).group_by("school_id").agg(
        partners=pl.col("enterprise_id").n_unique()
    )  # fmt: skip
    described = ["name", "kind", "province"]
    rows = _beside(
        snapshot.frames["schools"].select("school_id", *described), "school_id",
        _people(teaching, "school_id", "teachers"),
        _people(leading, "school_id", "leading_teachers"),
        partners, _people(trainings, "school_id", "trained"),
        _numbers_risen(_risen(_begun(snapshot), snapshot, hops)),
        _employed_after(_begun(snapshot), snapshot),
    )  # fmt: skip
    counts = ["teachers", "leading_teachers", "partners", "trained", "high_skilled",
              "high_skilled_driven", "into_enterprises", "into_partners",
              "enterprises_reached"]  # fmt: skip
    return rows.select("school_id", *described, *counts).collect()


# --- who was driven where ---------------------------------------------------------------------


def reached(snapshot: Snapshot, policy: Policy, *, of: str) -> pl.DataFrame:
    """Whom each place counts, once: place_id and person (the row number in `people`), sorted.

    `of` studio: the driven_persons of `studios`; enterprise: the employed_persons of `enterprises`;
    school: the high_skilled of `schools`. So that what several places reach together can be told.

    >>> from graph.metrics.examples import snapshot_of
    >>> snapshot = snapshot_of(
    ...     talents=[{"person": "Ada"}],
    ...     studios=[{"studio_id": "S1"}],
    ...     leads=[{"person": "Ada", "studio_id": "S1", "start": "2020-01-01"}],
    ...     trainings=[
    ...         {"person": "Bo", "place_id": "S1", "place_kind": "Studio", "start": "2024-02-01"}
    ...     ],
    ...     recognitions=[{"person": "Bo", "level": 4, "date": "2025-02-01"}],
    ... )
    >>> reached(snapshot, Policy(), of="studio")["place_id"].to_list()
    ['S1']
    """
    hops = last_hops(snapshot, policy)
    if of == "studio":
        found = events_at(hops, studio_links(snapshot), "studio_id").lazy().filter("first")
    elif of == "enterprise":
        found = employed_events(snapshot, hops).lazy().filter("first")
    else:
        found = _risen(_begun(snapshot), snapshot, hops)
    key = f"{of}_id"
    return found.select("person", place_id=key).unique().sort("place_id", "person").collect()


def studio_links(snapshot: Snapshot) -> pl.LazyFrame:
    """At which studio each studio link is: mentor, apprentice, stated (its start), studio_id."""
    trainings = studio_trainings(snapshot.frames["trainings"])
    ties = studio_ties(snapshot.frames["leads"], trainings)
    return ties.select(
        "mentor", "apprentice", "studio_id", stated="start", by=pl.lit("studio")
    ).unique()


def enterprise_links(snapshot: Snapshot) -> pl.LazyFrame:
    """At which enterprise each mentorship is: mentor, apprentice, stated, enterprise_id."""
    taught = snapshot.frames["mentorships"].filter(pl.col("enterprise_id").is_not_null())
    return taught.select(
        "mentor", "apprentice", "enterprise_id", stated="start", by=pl.lit("mentorship")
    ).unique()


def events_at(hops: Hops, placed: pl.LazyFrame, place: str) -> pl.DataFrame:
    """The promotions that count by a last hop at each place: the place, mentor, person, day, first.

    Takes `studio_links` or `enterprise_links`.
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


def employed_events(snapshot: Snapshot, hops: Hops) -> pl.DataFrame:
    """The promotions that count, at whoever employed the worker on the day."""
    events = hops.events.lazy().select("person", "day", "first").unique()
    day = pl.col("day")
    lasted = pl.col("start").fill_null(day) <= day, pl.col("end").fill_null(day) >= day
    employed = snapshot.frames["employments"].select("person", "enterprise_id", "start", "end")
    at = events.join(employed, on="person").filter(*lasted)
    return at.select("enterprise_id", "person", "day", "first").unique().collect()


def output_of(events: pl.DataFrame, place: str, prefix: str = "driven") -> pl.LazyFrame:
    """Both ledgers of each place from its events."""
    once = events.lazy().select(place, "person", "day", "first").unique()
    return once.group_by(place).agg(
        pl.col("person").filter(pl.col("first")).n_unique().alias(f"{prefix}_persons"),
        pl.len().alias(f"{prefix}_person_times"),
    )


def frontline_share() -> pl.Expr:
    """The share of the education fund for front-line workers; null where it can't be shown."""
    fund, part = pl.col("education_fund"), pl.col("frontline_education_fund")
    return pl.when(fund > 0, part >= 0, part <= fund).then(part / fund)


def _cost(money: str, persons: str) -> pl.Expr:
    """Null where the money is not stated or is below nought, or nobody was driven."""
    return pl.when(pl.col(money) >= 0, pl.col(persons) > 0).then(pl.col(money) / pl.col(persons))


def _people(rows: pl.LazyFrame, place: str, name: str) -> pl.LazyFrame:
    return rows.group_by(place).agg(pl.col("person").n_unique().alias(name))


def _beside(places: pl.LazyFrame, key: str, *counts: pl.LazyFrame) -> pl.LazyFrame:
    """The places with these counts beside them, nought where there are none; sorted by key."""
    for count in counts:
        names = [name for name in count.collect_schema().names() if name != key]
        places = places.join(count, on=key, how="left").with_columns(
            pl.col(names).fill_null(0).cast(pl.Int64)
        )
    return places.sort(key)


def _on(policy: Policy) -> pl.Expr:
    day = pl.lit(policy.as_of)
    return (pl.col("start").fill_null(day) <= day) & (pl.col("end").fill_null(day) >= day)


def _begun(snapshot: Snapshot) -> pl.LazyFrame:
    """Since when each was trained at a school: school_id, person, start."""
    trainings = snapshot.frames["trainings"].filter(pl.col("place_kind") == "School")
    first = trainings.group_by("place_id", "person").agg(pl.col("start").min()).drop_nulls()
    return first.rename({"place_id": "school_id"})


def _risen(begun: pl.LazyFrame, snapshot: Snapshot, hops: Hops) -> pl.LazyFrame:
    """Of each school's trained people, who then became high-skilled; driven is true or null."""
    counting = counting_promotions(snapshot.frames["promotions"], hops.policy)
    driven = hops.events.lazy().filter("first").select("person", driven=pl.lit(True)).unique()
    risen = begun.join(counting.lazy().filter("first"), on="person")
    return risen.filter(pl.col("start") <= pl.col("day")).join(driven, on="person", how="left")


def _numbers_risen(risen: pl.LazyFrame) -> pl.LazyFrame:
    return risen.group_by("school_id").agg(
        high_skilled=pl.len(), high_skilled_driven=pl.col("driven").fill_null(False).sum()
    )


def _employed_after(begun: pl.LazyFrame, snapshot: Snapshot) -> pl.LazyFrame:
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

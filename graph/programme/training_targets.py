"""Who might become a training target, by one stated rule; docs/metrics.md has the formula.

What the rule looks at is the same whatever its weights are, so it is read out of the snapshot once
an as-of day (`load_candidate_facts`, cached beside it) and weighed in a moment
(`score_candidates`). Three parts, each from 0 to 1, with a weight each:

- rise: how fast one rose, as the share of people of the same occupation who were slower (half of
  those equally fast). Of those who reached high skill from below: the years from the first
  recognition to it. Of those not there yet with at least two promotions: levels gained a year since
  the first recognition, against others not there yet. Occupations with fewer than `LEAST_PEERS`
  people to compare with give none.
- competition: the best placing, the worth of its grade times the worth of its rank.
- mentor: 1 for a dated mentorship of a leading talent, 0.6 for training at a studio one leads, when
  the person became high-skilled inside the window after it began (driven, generation 1) or is not
  high-skilled yet (pending).

score = 100 x (sum of weight x part) / (sum of weights). A rise below the share `fast` counts 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, scan_cached_table
from graph.dates import PRECISION
from graph.errors import UsageError
from graph.evidence.answer import find_start_precisions
from graph.policy import Policy
from graph.snapshot.edges import CHANNEL_DTYPE
from graph.snapshot.frames import Snapshot

CANDIDATE_FACTS_VERSION: Final = 2
LEAST_PEERS: Final = 20
# Older people are no candidates under any rule; the rule's own age is at most this.
MAX_CANDIDATE_AGE: Final = 45
# A rise below this share is left out, and no rule counts it.
LEAST_RISE: Final = 0.8
GRADE_WORTH: Final = {
    "national": 1.0,
    "ministerial": 0.8,
    "provincial": 0.6,
    "municipal": 0.4,
    "enterprise": 0.2,
}
# Up to this rank, so much; beyond the last, nothing.
RANK_WORTH: Final = ((1, 1.0), (3, 0.8), (8, 0.5), (20, 0.25))
MENTOR_WORTH: Final = {"mentorship": 1.0, "studio": 0.6}
SCORE_COMPONENTS: Final = ("rise", "competition", "mentor")
AGE_BANDS: Final = ((25, "25-"), (30, "26-30"), (35, "31-35"), (40, "36-40"), (999, "41+"))
CAREER_YEAR_DAYS: Final = 365.25
# Sums and shares that should be equal to a limit may miss it by their last digits.
SCORE_TOLERANCE: Final = 1e-9


@dataclass(frozen=True)
class Rule:
    """The weights (0 to 100), the share from which a rise is fast (percent), the most years of age
    and the least score. Raises `UsageError` when a field is out of range.
    """

    rise: int = 40
    competition: int = 35
    mentor: int = 25
    fast: int = 90
    age: int = 35
    least: int = 50

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 100:
                raise UsageError("{name} is {value}; give 0 to 100.", name=name, value=value)
        if not 16 <= self.age <= MAX_CANDIDATE_AGE:
            raise UsageError(
                "age is {age}; give 16 to {oldest}.", age=self.age, oldest=MAX_CANDIDATE_AGE
            )
        if self.fast < 100 * LEAST_RISE:
            raise UsageError("fast is {fast}; give 80 to 100.", fast=self.fast)
        if self.rise + self.competition + self.mentor == 0:
            raise UsageError("Every weight is 0; give at least one part a weight.")

    @classmethod
    def parsed(cls, text: str) -> Rule:
        """The rule of `40-35-25-90-35-50`: rise, competition, mentor, fast, age, least."""
        try:
            rise, competition, mentor, fast, age, least = (int(p) for p in text.split("-"))
        except ValueError:
            raise UsageError(
                "The rule has {text!r}; write six numbers, as {code}.", text=text, code=cls().code
            ) from None
        return cls(rise, competition, mentor, fast, age, least)

    @property
    def code(self) -> str:
        """As `parsed` takes it."""
        return "-".join(str(value) for value in asdict(self).values())

    def as_dict(self) -> dict[str, int]:
        """Every field by name."""
        return asdict(self)


def load_candidate_facts(snapshot: Snapshot, policy: Policy) -> pl.LazyFrame:
    """What any rule weighs, a row a person up to `MAX_CANDIDATE_AGE` for whom a part counts, or on
    the list.

    person_id, name, province, occupation_code, enterprise_id, level, age, age_band, target; rise
    (share) with first_day, first_level, high_day (null: not high-skilled yet), years; competition
    with competition_id, rank, grade, placed_on; mentor with mentor_id, mentor_name, channel, since,
    state (driven, pending). A part that does not count is 0. Cached beside the snapshot.
    """
    return scan_cached_table(
        _build_candidate_facts_path(snapshot, policy),
        partial(compute_candidate_facts, snapshot, policy),
    )


def has_candidate_facts(snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the facts are there, so that asking for them costs next to nothing."""
    return has_cached_table(_build_candidate_facts_path(snapshot, policy))


def _build_candidate_facts_path(snapshot: Snapshot, policy: Policy) -> Path | None:
    window = policy.window_start, policy.window_end
    key = (
        policy.as_of,
        policy.high_skilled_level,
        *window,
        policy.year_alone,
        CANDIDATE_FACTS_VERSION,
    )
    return build_table_path(snapshot, "candidates", *key)


def compute_candidate_facts(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """What the rule scores: a row for each person it may propose or who is a training target."""
    frames = snapshot.under(policy).frames
    careers = _summarize_careers(frames["promotions"], policy)
    peers = frames["people"].select("person", "occupation_code")
    rises = _compute_rises(careers.join(peers.collect(), on="person"), policy)
    placings = _find_best_placings(frames["placings"], frames["competitions"], policy)
    mentors = _find_best_mentors(frames["edges"], frames["talents"], careers, policy)
    mentors = _add_link_precision(mentors, snapshot.under(policy))
    named = frames["people"].select("person", mentor_id="person_id", mentor_name="name")
    mentors = (
        mentors.lazy()
        .join(named.rename({"person": "mentor_person"}), on="mentor_person", how="left")
        .drop("mentor_person")
        .collect()
    )
    born = pl.col("birth_date")
    as_of = pl.lit(policy.as_of)
    had_birthday = (as_of.dt.month() * 100 + as_of.dt.day()) >= (
        born.dt.month().cast(pl.Int32) * 100 + born.dt.day()
    )
    age = as_of.dt.year() - born.dt.year() - (~had_birthday).cast(pl.Int32)
    retired = (pl.col("retired_on") <= policy.as_of).fill_null(False)
    counted = pl.col("rise") + pl.col("competition") + pl.col("mentor") > 0
    people = (
        frames["people"]
        .select(
            "person",
            "person_id",
            "name",
            "province",
            "occupation_code",
            "enterprise_id",
            "level",
            "target",
            age=age,
            leading="leading",
            retired=retired,
        )
        .filter(
            (pl.col("age") <= MAX_CANDIDATE_AGE) & ~pl.col("leading") & ~pl.col("retired")
            | pl.col("target")
        )
    )
    joined = people
    for part in (rises, placings, mentors):
        joined = joined.join(part.lazy(), on="person", how="left")
    return (
        joined.with_columns(pl.col(SCORE_COMPONENTS).fill_null(0.0), age_band=build_age_band())
        .filter(counted | pl.col("target"))
        .sort("person_id")
        .drop("person")
        .collect()
    )


def build_age_band() -> pl.Expr:
    """The age as a band; unknown stays unknown."""
    bands = pl.lit(None, pl.String)
    for most, name in reversed(AGE_BANDS):
        bands = pl.when(pl.col("age") <= most).then(pl.lit(name)).otherwise(bands)
    return bands


def _summarize_careers(promotions: pl.LazyFrame, policy: Policy) -> pl.DataFrame:
    """person, first_day, first_level, best, high_day, steps, as of the policy's day."""
    high = pl.col("level") >= policy.high_skilled_level
    day, known = pl.col("day"), pl.col("day_precision")
    # Levels of a person's promotions rise with their days.
    return (
        promotions.filter(pl.col("day") <= policy.as_of)
        .group_by("person")
        .agg(
            first_day=day.min(),
            first_day_precision=known.sort_by(day).first(),
            first_level=pl.col("level").min(),
            best=pl.col("level").max(),
            high_day=day.filter(high).min(),
            high_day_precision=known.filter(high).sort_by(day.filter(high)).first(),
            steps=pl.len(),
        )
        .collect()
    )


def _add_link_precision(mentors: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """The links with what is known of the day on which each began."""
    hops = mentors.select(
        mentor="mentor_person",
        apprentice="person",
        start="since",
        channel=pl.col("channel").cast(CHANNEL_DTYPE),
    )
    known = pl.Series("since" + PRECISION, find_start_precisions(snapshot, hops), pl.String)
    return mentors.with_columns(known)


def _compute_rises(careers: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """person, rise and its basis: first_day, first_level, high_day, years."""
    from_below = pl.col("first_level") < policy.high_skilled_level
    to_high = (pl.col("high_day") - pl.col("first_day")).dt.total_days() / CAREER_YEAR_DAYS
    elapsed_years = (pl.lit(policy.as_of) - pl.col("first_day")).dt.total_days() / CAREER_YEAR_DAYS
    gained = pl.col("best") - pl.col("first_level")
    arrived = from_below & pl.col("high_day").is_not_null()
    waiting = pl.col("high_day").is_null() & (pl.col("steps") >= 2) & (elapsed_years >= 1)
    measured = (
        careers.lazy()
        .filter(arrived | waiting)
        .with_columns(
            arrived=arrived,
            years=pl.when(arrived).then(to_high).otherwise(elapsed_years),
            # The larger, the faster, within each of the two groups.
            speed=pl.when(arrived).then(-to_high).otherwise(gained / elapsed_years),
        )
    )
    group = ["occupation_code", "arrived"]
    slower = (pl.col("speed").rank("average") - 0.5) / pl.len()
    enough = (pl.len().over(group) >= LEAST_PEERS) & pl.col("occupation_code").is_not_null()
    return (
        measured.with_columns(rise=pl.when(enough).then(slower.over(group)))
        .filter(pl.col("rise") >= LEAST_RISE - SCORE_TOLERANCE)
        .select(
            "person",
            "rise",
            "first_day",
            "first_day_precision",
            "first_level",
            "high_day",
            "high_day_precision",
            "years",
            reached="best",
        )
        .collect()
    )


def _find_best_placings(
    placings: pl.LazyFrame, competitions: pl.LazyFrame, policy: Policy
) -> pl.DataFrame:
    """The best placing of each person, the latest of equals."""
    worth = pl.lit(0.0)
    for most, value in reversed(RANK_WORTH):
        worth = pl.when(pl.col("rank") <= most).then(value).otherwise(worth)
    grade = pl.col("grade").replace_strict(GRADE_WORTH, default=0.0, return_dtype=pl.Float64)
    held = competitions.select(
        "competition_id",
        "grade",
        placed_on="date",
        placed_on_precision="date_precision",
        contest="name",
    )
    return (
        placings.select("person", "competition_id", "rank")
        .join(held, on="competition_id")
        .filter(pl.col("placed_on") <= policy.as_of, pl.col("rank") >= 1)
        .with_columns(competition=grade * worth)
        .filter(pl.col("competition") > 0)
        .sort("competition", "placed_on", "competition_id", descending=[True, True, False])
        .unique("person", keep="first", maintain_order=True)
        .collect()
    )


def _find_best_mentors(
    edges: pl.LazyFrame, talents: pl.LazyFrame, careers: pl.DataFrame, policy: Policy
) -> pl.DataFrame:
    """The link to a leading talent that counts most, the earliest of equals."""
    leading = talents.select(mentor="person").unique()
    day = pl.col("high_day")
    driven = day.is_between(policy.window_start, policy.window_end) & (pl.col("since") <= day)
    state = pl.when(driven).then(pl.lit("driven")).when(day.is_null()).then(pl.lit("pending"))
    worth = pl.col("channel").replace_strict(MENTOR_WORTH, return_dtype=pl.Float64)
    return (
        edges.filter(pl.col("start") <= policy.as_of)
        .join(leading, on="mentor", how="semi")
        .select(
            person="apprentice",
            mentor_person="mentor",
            since="start",
            channel=pl.col("channel").cast(pl.String),
        )
        .join(careers.lazy().select("person", "high_day"), on="person", how="left")
        .with_columns(state=state, mentor=worth)
        .filter(pl.col("state").is_not_null())
        .sort("mentor", "since", "mentor_person", descending=[True, False, False])
        .unique("person", keep="first", maintain_order=True)
        .drop("high_day")
        .collect()
    )


def score_candidates(found: pl.LazyFrame, rule: Rule) -> pl.DataFrame:
    """The facts weighed by the rule: those who meet it, and those on the list; best first.

    Besides the facts: rise_points, competition_points, mentor_points (they add up to score), score
    (0 to 100), met, standing (new: met, not on the list; listed: met and on it; unmet: on it, but
    the rule no longer holds).
    """
    weights = rule.as_dict()
    total_weight = sum(weights[part] for part in SCORE_COMPONENTS)
    rise = (
        pl.when(pl.col("rise") >= rule.fast / 100 - SCORE_TOLERANCE)
        .then(pl.col("rise"))
        .otherwise(0.0)
    )
    value = {"rise": rise, "competition": pl.col("competition"), "mentor": pl.col("mentor")}
    points = {
        f"{part}_points": 100 * weights[part] * value[part] / total_weight
        for part in SCORE_COMPONENTS
    }
    score = pl.sum_horizontal(points.values())
    allowed = (pl.col("age") <= rule.age).fill_null(False) & ~pl.col("leading") & ~pl.col("retired")
    # A score of nothing meets no rule.
    met = allowed & (score >= rule.least - SCORE_TOLERANCE) & (score > 0)
    listed = pl.col("target")
    standing = (
        pl.when("met")
        .then(pl.when(listed).then(pl.lit("listed")).otherwise(pl.lit("new")))
        .otherwise(pl.lit("unmet"))
    )
    # Those left out are left out as the table is read: of millions some thousands stay.
    return (
        found.filter(met | listed)
        .with_columns(**points, score=score, met=met)
        .with_columns(standing=standing)
        .sort("score", "person_id", descending=[True, False])
        .collect()
    )

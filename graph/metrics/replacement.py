"""Does the craft live on: the later mentors that each mentor raises, by occupation and province.

An apprentice becomes a mentor on the day the first mentorship of their own starts. Who has not yet
may still: such an apprentice is censored on the as-of day, never counted as a no. The share that
has become one within so many years of the first apprenticeship is 1 - S, with S the estimate of
Kaplan and Meier:

    S(t) = product over days u <= t of (1 - became(u) / at risk(u))

    R = apprentices a mentor (an apprentice of k mentors counts 1/k to each) * (1 - S(years))

The interval is 95 %: Greenwood's variance of S on the scale log(-log S).

Source: Kaplan, Meier 1958, Nonparametric estimation from incomplete observations, Journal of the
American Statistical Association 53:457; Greenwood 1926; Kalbfleisch, Prentice 1980 (the scale).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from graph.labels import MetricColumnLabels
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

DAYS_A_YEAR: Final = 365.25
NORMAL_975: Final = 1.959964
# The parts that figures are given for: of both, of each alone, and of the nation.
GROUPINGS: Final = (("occupation_code", "province"), ("occupation_code",), ("province",), ())
GROUP_KEYS: Final = GROUPINGS[0]

COLUMNS: Final[MetricColumnLabels] = {
    "occupation_code": ("occupation", "职业编码"),
    "province": ("province", "省份"),
    "mentors": ("mentors", "师傅人数"),
    "apprentices": ("apprentices", "徒弟人数"),
    "became_mentors": ("apprentices who became mentors", "已带徒的徒弟人数"),
    "apprentices_per_mentor": ("apprentices a mentor", "人均带徒数"),
    "years": ("within years", "年限"),
    "share": ("share who become mentors", "成为师傅的比例"),
    "replacement": ("later mentors raised a mentor", "师傅更替率"),
    "low": ("95 % from", "95%区间下限"),
    "high": ("95 % to", "95%区间上限"),
}


def compute_replacement(
    snapshot: Snapshot, policy: Policy, *, years: int = 10, apprentices: int = 20
) -> pl.DataFrame:
    """A row an occupation and province, an occupation, a province and the nation (null = all).

    mentors, apprentices, became_mentors (persons); apprentices_per_mentor; share (1 - S), read
    after `years`, or as many as the longest followed apprentice of the row has had, if fewer
    (column years); replacement, low and high (later mentors a mentor). Rows of fewer than
    `apprentices` apprentices are left out: they tell nothing. Where nobody has become a mentor yet
    there is no interval. Of the policy the as-of day alone
    bears on it. Only dated mentorships count; who mentored before their own apprenticeship began is
    left out. An apprentice belongs to their own occupation and province, a mentor likewise.
    """
    links = _list_links(snapshot, policy)
    people = snapshot.frames["people"]
    stated = people.collect_schema().names()
    placed = people.select(
        "person",
        *(
            pl.col(key).cast(pl.String) if key in stated else pl.lit(None, pl.String).alias(key)
            for key in GROUP_KEYS
        ),
    ).collect()
    followed = follow_apprentices(links, policy).join(placed, on="person", how="left")
    mentors = _count_shares(links).join(placed, on="person", how="left")
    parts = [
        _estimate_part(followed, mentors, list(keys), years).filter(
            pl.col("apprentices") >= apprentices
        )
        for keys in GROUPINGS
    ]
    return pl.concat(parts, how="diagonal_relaxed").select(*COLUMNS).sort(*GROUP_KEYS)


def _list_links(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """mentor, apprentice, start: the first dated mentorship of each pair, by the as-of day."""
    start = pl.col("start")
    return (
        snapshot.frames["edges"]
        .filter(pl.col("channel").cast(pl.String) == "mentorship")
        .filter(start <= policy.as_of, pl.col("mentor") != pl.col("apprentice"))
        .group_by("mentor", "apprentice")
        .agg(start.min())
        .collect()
    )


def follow_apprentices(links: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """person, days (followed), became (a mentor at their end)."""
    entered = links.group_by(person="apprentice").agg(entered=pl.col("start").min())
    began = links.group_by(person="mentor").agg(began=pl.col("start").min())
    ended = pl.coalesce("began", pl.lit(policy.as_of))
    return (
        entered.join(began, on="person", how="left")
        .filter(pl.col("began").is_null() | (pl.col("began") >= pl.col("entered")))
        .select(
            "person",
            days=(ended - pl.col("entered")).dt.total_days(),
            became=pl.col("began").is_not_null(),
        )
    )


def _count_shares(links: pl.DataFrame) -> pl.DataFrame:
    """person (a mentor), taught: apprentices, each shared by its mentors."""
    shared = links.with_columns(share=1.0 / pl.len().over("apprentice"))
    return shared.group_by(person="mentor").agg(taught=pl.col("share").sum())


def _estimate_part(
    followed: pl.DataFrame, mentors: pl.DataFrame, keys: list[str], years: int
) -> pl.DataFrame:
    everyone = [] if keys else [pl.lit(0).alias("all")]
    by = keys or ["all"]
    apprentices = followed.with_columns(*everyone).drop_nulls(keys)
    teaching = mentors.with_columns(*everyone).drop_nulls(keys)
    counted = apprentices.group_by(by).agg(
        apprentices=pl.len(),
        became_mentors=pl.col("became").sum(),
        years=pl.min_horizontal(pl.col("days").max() / DAYS_A_YEAR, pl.lit(float(years))),
    )
    taught = teaching.group_by(by).agg(
        mentors=pl.len(), apprentices_per_mentor=pl.col("taught").sum() / pl.len()
    )
    found = (
        counted.join(estimate_survival(apprentices, by, years), on=by, how="left")
        .join(taught, on=by, how="inner")
        .with_columns(pl.col("survival").fill_null(1.0), pl.col("greenwood").fill_null(0.0))
    )
    rate = pl.col("apprentices_per_mentor")
    known = pl.col("became_mentors") > 0
    low, high = (pl.when(known).then(bound) for bound in _build_interval())
    return found.with_columns(
        share=1 - pl.col("survival"),
        replacement=rate * (1 - pl.col("survival")),
        low=rate * (1 - high),
        high=rate * (1 - low),
    )


def estimate_survival(rows: pl.DataFrame, by: list[str], years: int) -> pl.DataFrame:
    """Kaplan and Meier's S at so many years, by group, and Greenwood's sum d / (n (n - d)).

    `rows`: days, became and the `by` columns. A group in which nobody became one has no row.
    """
    at_risk = pl.col("n").cum_sum(reverse=True).over(by)
    d, n = pl.col("d"), pl.col("at_risk")
    return (
        rows.group_by(*by, "days")
        .agg(n=pl.len(), d=pl.col("became").sum())
        .sort(*by, "days")
        .with_columns(at_risk=at_risk)
        .filter(d > 0, pl.col("days") <= years * DAYS_A_YEAR)
        .with_columns(left=1 - d / n, spread=d / (n * (n - d)))
        .group_by(by)
        .agg(survival=pl.col("left").product(), greenwood=pl.col("spread").sum())
    )


def _build_interval() -> tuple[pl.Expr, pl.Expr]:
    """The 95 % interval of S: S^exp(+-z se / log S); S itself where it is 0 or 1."""
    survival = pl.col("survival")
    inside = (survival > 0) & (survival < 1)
    error = NORMAL_975 * pl.col("greenwood").sqrt() / survival.log().abs()
    bounds = (survival ** error.exp(), survival ** (-error).exp())
    low, high = (pl.when(inside).then(bound).otherwise(survival) for bound in bounds)
    return low, high

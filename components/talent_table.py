"""The table of talents as data: its columns, filters, ranks, groups and what several are together.

Drawing is pages/talents.py's. Costly metrics stand beside when they are there (components/kept.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from components import kept, store
from components.columns import Column
from components.i18n import Language, label, labels, t
from components.numbers import interval
from components.reach import Joint, Reach, gini, joint, top_share
from graph.model import BASES, LEVELS, PERSON_TYPES, PROVINCES
from graph.policy import Policy

# How a rank is found: over the four ways to credit, or by one of them.
RULES = ("band", "full", "equal", "nearest", "decay")
WAYS = {"full": "driven", "equal": "equal", "nearest": "nearest", "decay": "decay"}
DEFAULT = (
    "rank", "name", "level", "occupation", "driven", "person_times", "generations", "own",
    "pending", "irreplaceable",
)  # fmt: skip
GROUPS = (
    "province",
    "industry",
    "occupation_code",
    "basis",
    "type",
    "year",
    "level",
    "enterprise_id",
)
FILTERS = (
    "province", "industry", "level", "basis", "occupation", "type", "year", "enterprise", "studio",
)  # fmt: skip
# filter: the column that must be equal
EQUAL = {
    "province": "province", "industry": "industry", "occupation": "occupation_code", "type": "type",
    "enterprise": "enterprise_id",
}  # fmt: skip
# Metrics whose columns are joined by the talent's id: column of the table -> column of the metric.
OF_METRICS: Mapping[str, Mapping[str, str]] = {
    "rank_band": {"band_best": "rank_best", "band_worst": "rank_worst",
                  "driven_least": "driven_least", "driven_most": "driven_most"},
    "mpact": {"mpact_a": "A", "mpact_t": "T", "mpact_td": "TD", "mpact_g": "G", "mpact_w": "W",
              "mpact_ta": "TA", "mpact_ft": "FT"},
    "genealogical_index": {"genealogical_index": "genealogical_index", "fertility": "fertility",
                           "cousins": "cousins"},
    "centrality": {"pagerank": "pagerank", "harmonic": "harmonic", "betweenness": "betweenness"},
    "irreplaceable": {"irreplaceable": "irreplaceable",
                      "irreplaceable_times": "irreplaceable_person_times"},
}  # fmt: skip


def columns() -> dict[str, Column]:
    """Every column the table can have, in the order of the picker."""
    return {
        "rank": Column(
            t("Rank"), t("Place among all leading talents. As a band: the best and the worst of "
            "the four ways to credit; sorted by its middle"), "text", 72,
        ),
        "name": Column(t("Name"), t("A click opens the talent"), "text", 70),
        "level": Column(t("Level"), t("Best level so far, 1 to 8"), "level", 42),
        "occupation": Column(t("Occupation"), t("Occupation on record"), "text", 94),
        "province": Column(t("Province"), t("Province on record"), "text", 84),
        "industry": Column(t("Industry"), t("Industry of the naming"), "text", 110),
        "bases": Column(t("Basis"), t("Honours on which the talent was named"), "text", 150),
        "type": Column(t("Type"), t("Type of talent on record"), "text", 100),
        "year": Column(t("Named in"), t("Year of the first naming as a talent"), "text", 76),
        "enterprise": Column(t("Enterprise"), t("Enterprise on record"), "text", 200),
        "studio": Column(t("Studio"), t("Studios the talent leads or led"), "text", 200),
        "driven": Column(
            t("Driven (persons)"),
            t("New high-skilled persons whom a chain from this talent reaches in time"),
            "bar", 106,
        ),
        "person_times": Column(
            t("Person-times"),
            t("Every promotion to a high-skilled level in the window, of those reached"),
            width=62,
        ),
        "generations": Column(
            t("Generations (persons)"),
            t("Driven persons by the fewest links of a chain that counts"), "bars", 86,
        ),
        "own": Column(
            t("Own (persons)"),
            t("Driven persons for whom a mentorship of the talent's own counts"), width=78,
        ),
        "g1": Column(t("Gen 1 (persons)"), t("Driven persons one link away"), width=104),
        "g2": Column(t("Gen 2 (persons)"), t("Driven persons two links away"), width=104),
        "g3": Column(t("Gen 3 (persons)"), t("Driven persons three links away"), width=104),
        "mentorship_only": Column(
            t("By mentorship (persons)"), t("Driven by chains of mentorships alone"), width=120
        ),
        "studio_only": Column(
            t("By studios (persons)"), t("Driven by chains of studios alone"), width=120
        ),
        "both": Column(
            t("By both (persons)"), t("Driven by a chain of either kind alone"), width=120
        ),
        "mixed": Column(
            t("Mixed only (persons)"), t("Driven only by chains that mix the two"), width=120
        ),
        "pending": Column(
            t("Pending (persons)"), t("Reached by a chain, not high-skilled on the as-of day"),
            width=90,
        ),
        "equal": Column(
            t("Shared (persons)"),
            t("Each worker shared equally among the talents who drive them; adds up"),
            "decimal", 104,
        ),
        "nearest": Column(
            t("Nearest (persons)"),
            t("Each worker shared among the talents of the fewest links; adds up"), "decimal", 104,
        ),
        "decay": Column(
            t("Decaying (persons)"),
            t("Each worker shared in proportion to one half a generation; adds up"),
            "decimal", 104,
        ),
        "irreplaceable": Column(
            t("Irreplaceable (persons)"),
            t("Driven persons who would lose every chain to every talent if this one left"),
            width=102, metric="irreplaceable",
        ),
        "irreplaceable_times": Column(
            t("Irreplaceable (person-times)"),
            t("Person-times that would lose every chain if this talent left"),
            width=120, metric="irreplaceable",
        ),
        "rank_all": Column(
            t("Rank under every rule"),
            t("Best and worst place over generations, channels, undated links and ways to credit"),
            "text", 120, metric="rank_band",
        ),
        "driven_least": Column(
            t("Fewest under any rule (persons)"), t("Fewest driven under any rule of the band"),
            width=120, metric="rank_band",
        ),
        "driven_most": Column(
            t("Most under any rule (persons)"), t("Most driven under any rule of the band"),
            width=120, metric="rank_band",
        ),
        "mpact_a": Column("MPACT A", t("Direct apprentices on record, at any time"),
                          width=84, metric="mpact"),
        "mpact_t": Column("MPACT T", t("All descendants by mentorship"), width=84, metric="mpact"),
        "mpact_td": Column("MPACT TD", t("Descendants, halved each generation"),
                           "decimal", 90, metric="mpact"),
        "mpact_g": Column("MPACT G", t("Generations below"), width=84, metric="mpact"),
        "mpact_w": Column("MPACT W", t("People in the largest generation"), width=84,
                          metric="mpact"),
        "mpact_ta": Column("MPACT TA", t("Descendants who became mentors"), width=84,
                           metric="mpact"),
        "mpact_ft": Column("MPACT FT", t("Descendants, credit shared by co-mentors"),
                           "decimal", 90, metric="mpact"),
        "genealogical_index": Column(
            t("Genealogical index"),
            t("The largest g such that g apprentices have at least g apprentices of their own"),
            width=100, metric="genealogical_index",
        ),
        "fertility": Column(
            t("Apprentices who teach (persons)"), t("Apprentices who became mentors themselves"),
            width=110, metric="genealogical_index",
        ),
        "cousins": Column(
            t("Cousins (persons)"), t("People of the same grand-mentor but another mentor"),
            width=100, metric="genealogical_index",
        ),
        "pagerank": Column(
            t("PageRank (average = 1)"), t("Weight that apprentices pass on to their mentors"),
            "decimal", 110, metric="centrality",
        ),
        "harmonic": Column(
            t("Harmonic centrality"), t("Sum over descendants of one by the fewest links"),
            "decimal", 110, metric="centrality",
        ),
        "betweenness": Column(
            t("Betweenness"), t("How many shortest lineages between others pass through"),
            "decimal", 110, metric="centrality",
        ),
    }  # fmt: skip


def rows(policy: Policy, shown: Sequence[str]) -> pl.DataFrame:
    """Every talent with the columns of `store.talents`, ranks, and the metrics that are there.

    `shown` are the columns asked for; those of a metric that is not there are null.
    """
    known = columns()
    asked = sorted({m for name in shown if (m := known[name].metric)})
    there = tuple(name for name in asked if kept.ready(policy, name))
    found = _rows(store.state(), policy, there)
    lacking = [
        pl.lit(None, pl.Int64).alias(column)
        for metric in asked if metric not in there for column in OF_METRICS[metric]
    ]  # fmt: skip
    found = found.with_columns(lacking)
    if "band_best" in found.columns:
        found = found.with_columns(rank_all=_interval("band_best", "band_worst"))
    return found


@st.cache_resource(max_entries=12, show_spinner=False)
def _rows(state: str, policy: Policy, metrics: tuple[str, ...]) -> pl.DataFrame:
    found = store.talents(policy)
    generations = sorted((c for c in found.columns if c[0] == "g" and c[1:].isdigit()),
                         key=lambda c: int(c[1:]))  # fmt: skip
    found = with_ranks(found).with_columns(generations=pl.concat_list(generations))
    for name in metrics:
        table = kept.table(policy, name)
        if "kind" in table.columns:
            table = table.filter(pl.col("kind") == "person")
        key = next(k for k in ("talent_id", "person_id", "id") if k in table.columns)
        part = table.select(
            pl.col(key).alias("talent_id"),
            **{ours: pl.col(theirs) for ours, theirs in OF_METRICS[name].items()},
        )
        found = found.join(part, on="talent_id", how="left")
    if "irreplaceable" in metrics:
        found = found.with_columns(
            pl.col("irreplaceable", "irreplaceable_times").cast(pl.Int64).fill_null(0)
        )
    return found


def with_ranks(found: pl.DataFrame) -> pl.DataFrame:
    """With rank_WAY for each way to credit, and rank_best and rank_worst over the four."""
    ways = {way: pl.col(column).round(9) for way, column in WAYS.items()}
    ranked = found.with_columns(
        value.rank("min", descending=True).cast(pl.Int64).alias(f"rank_{way}")
        for way, value in ways.items()
    )
    names = [f"rank_{way}" for way in WAYS]
    return ranked.with_columns(
        rank_best=pl.min_horizontal(names), rank_worst=pl.max_horizontal(names)
    )


def _interval(low: str, high: str) -> pl.Expr:
    return pl.struct(low, high).map_elements(
        lambda r: interval(r[low], r[high]) if r[low] is not None else "—", return_dtype=pl.String
    )


def filtered(found: pl.DataFrame, chosen: Mapping[str, Any]) -> pl.DataFrame:
    """The talents that meet all the filters: codes, a level or "6-8", and a text."""
    for name, column in EQUAL.items():
        if chosen.get(name):
            found = found.filter(pl.col(column) == chosen[name])
    if year := chosen.get("year"):
        found = found.filter(pl.col("year").cast(pl.String) == year)
    if levels := chosen.get("level"):
        low, _, high = str(levels).partition("-")
        if low.isdigit() and (high or low).isdigit():
            found = found.filter(pl.col("level").is_between(int(low), int(high or low)))
        else:
            found = found.clear()
    if chosen.get("basis"):
        found = found.filter(pl.col("bases").list.contains(chosen["basis"]))
    if chosen.get("studio"):
        found = found.filter(pl.col("studio_ids").list.contains(chosen["studio"]))
    if text := (chosen.get("text") or "").strip().lower():
        within = pl.concat_str(pl.col("name", "enterprise", "studio").fill_null(""), separator="\n")
        found = found.filter(within.str.to_lowercase().str.contains(text, literal=True))
    return found


def ordered(found: pl.DataFrame, rule: str, by: str, descending: bool) -> pl.DataFrame:
    """Sorted by a column; ranks by the band's middle, then its better end, then the id."""
    best, worst = ("rank_best", "rank_worst") if rule == "band" else (f"rank_{rule}",) * 2
    if by == "rank":
        keys: list[pl.Expr] = [pl.col(best) + pl.col(worst), pl.col(best)]
    elif by == "rank_all":
        keys = [pl.col("band_best") + pl.col("band_worst"), pl.col("band_best")]
    elif by == "bases":
        keys = [pl.col("bases").list.join(" ")]
    elif by == "generations":
        keys = [pl.col("driven")]
    else:
        keys = [pl.col(by)]
    return found.sort(
        [*keys, pl.col(best) + pl.col(worst), pl.col("talent_id")],
        descending=[descending] * len(keys) + [False, False],
        nulls_last=True,
    )


def worded(found: pl.DataFrame, rule: str, language: Language) -> pl.DataFrame:
    """The rows with codes as words and ranks as text, as they are shown and taken away."""
    best, worst = ("rank_best", "rank_worst") if rule == "band" else (f"rank_{rule}",) * 2
    return found.with_columns(
        rank=_interval(best, worst),
        province=coded("province", language),
        type=coded("type", language),
        bases=pl.col("bases").list.eval(
            pl.element().replace(labels(BASES, language))
        ).list.join("、" if language == "zh" else ", "),
        year=pl.col("year").cast(pl.String).fill_null("—"),
        studio=pl.col("studio").str.replace_all("\n", "、" if language == "zh" else ", "),
        **{c: pl.col(c).fill_null("—") for c in ("occupation", "industry", "enterprise")},
    ).with_columns(pl.col("studio", "bases").fill_null("—"))  # fmt: skip


def coded(column: str, language: Language) -> pl.Expr:
    """A column of codes as words; what is not stated as a dash."""
    words = {"province": PROVINCES, "type": PERSON_TYPES}[column]
    return pl.col(column).replace(labels(words, language)).fill_null("—")


def options(found: pl.DataFrame, language: Language) -> dict[str, dict[str, str]]:
    """What each filter offers: code -> word."""

    def codes(column: str) -> list[Any]:
        return found[column].drop_nulls().unique().sort().to_list()

    trades = found.select("occupation_code", "occupation").unique().drop_nulls("occupation_code")
    levels = {"6-8": t("levels 6-8"), "4-5": t("levels 4-5"), "1-3": t("levels 1-3")}
    levels |= {str(n): f"{n} {label(LEVELS[n], language)}" for n in sorted(LEVELS, reverse=True)}
    return {
        "province": labels(PROVINCES, language, codes("province")),
        "industry": {c: c for c in codes("industry")},
        "level": levels,
        "basis": labels(BASES, language),
        "occupation": {c: n or c for c, n in trades.sort("occupation_code").rows()},
        "type": labels(PERSON_TYPES, language),
        "year": {str(c): str(c) for c in codes("year")},
    }


def grouped(found: pl.DataFrame, by: str, reach: Reach) -> pl.DataFrame:
    """A row a group, most driven first: group, talents, driven (sum), together (union), ...

    person_times and pending are sums over the group's talents; median, q1, q3 and top (the part
    that the first tenth drives) tell how it is spread, bins how many talents drive how many. A
    talent with several bases stands in the group of each.
    """
    column = "bases" if by == "basis" else by
    split = found.explode("bases") if by == "basis" else found
    most = max(1, int(found["driven"].max() or 0))  # type: ignore[arg-type]
    rows = []
    for (group,), part in split.group_by(column):
        driven = part["driven"]
        share = (driven * 10 / (most + 1)).floor().cast(pl.Int64)
        rows.append({
            "group": None if group is None else str(group),
            "name": part["enterprise"][0] if by == "enterprise_id" else
            part["occupation"][0] if by == "occupation_code" else None,
            "talents": part.height,
            "driven": int(driven.sum()),
            "together": reach.union(part["talent_id"]),
            "person_times": int(part["person_times"].sum()),
            "pending": int(part["pending"].sum()),
            "q1": driven.quantile(0.25), "median": driven.median(), "q3": driven.quantile(0.75),
            "top": top_share(driven.to_list(), 0.1),
            "gini": gini(driven.to_list()),
            "bins": [int((share == n).sum()) for n in range(10)],
        })  # fmt: skip
    schema = {
        "group": pl.String, "name": pl.String, "talents": pl.Int64, "driven": pl.Int64,
        "together": pl.Int64, "person_times": pl.Int64, "pending": pl.Int64, "q1": pl.Float64,
        "median": pl.Float64, "q3": pl.Float64, "top": pl.Float64, "gini": pl.Float64,
        "bins": pl.List(pl.Int64),
    }  # fmt: skip
    made = pl.DataFrame(rows, schema=schema, orient="row")
    return made.sort(["driven", "group"], descending=[True, False], nulls_last=True)


def group_words(by: str, language: Language) -> dict[str, str]:
    """Code -> word of the groups; what has no entry stands for itself."""
    if by == "province":
        return labels(PROVINCES, language)
    if by == "basis":
        return labels(BASES, language)
    if by == "type":
        return labels(PERSON_TYPES, language)
    if by == "level":
        return {str(n): f"{n} {label(pair, language)}" for n, pair in LEVELS.items()}
    return {}


def together(reach: Reach, talent_ids: Sequence[str]) -> Joint:
    """What these talents drive together."""
    return joint([reach.of_key(id) for id in talent_ids])


@st.cache_data(max_entries=200, show_spinner=False)
def _between(state: str, policy: Policy, talent_ids: tuple[str, ...]) -> tuple[int, list[Any]]:
    driven = store.driven(policy)
    own = driven.talents.filter(pl.col("talent_id").is_in(talent_ids)).select("talent_id", "person")
    numbers = own["person"].implode()
    times = (
        driven.tables["events"].filter(pl.col("talent").is_in(numbers))
        .select("person", "day").unique().select(pl.len()).collect().item()
    )  # fmt: skip
    taught = (
        store.snapshot().frames["edges"]
        .filter(pl.col("channel") == "mentorship", pl.col("mentor").is_in(numbers),
                pl.col("apprentice").is_in(numbers))
        .select("mentor", "apprentice").unique().collect()
    )  # fmt: skip
    named = dict(own.select("person", "talent_id").rows())
    return int(times), [(named[a], named[b]) for a, b in taught.rows()]


def between(policy: Policy, talent_ids: Sequence[str]) -> tuple[int, list[tuple[str, str]]]:
    """Person-times these talents reach together, and who taught whom (mentor, apprentice)."""
    return _between(store.state(), policy, tuple(talent_ids))

"""The table of talents as data: its columns, filters, ranks, groups and what several are together.

Drawing is ui/talents/page.py's. Costly metrics stand beside when they are there
(ui/reading/cached_metrics.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from graph.driven.reach_sets import Joint, ReachSets, compute_joint
from graph.driven.shares import count_joint_person_times, list_mentorships_among
from graph.messages import Language
from graph.model.vocabularies import BASES, LEVELS, PERSON_TYPES, PROVINCES
from graph.policy import Policy
from ui.controls.table_columns import ColumnSpec, TableColumn, translate_columns
from ui.reading import cached_metrics, talent_figures
from ui.shell import graph_state
from ui.shell.visitor import identify_visitor
from ui.words.i18n import t, translate_label, translate_labels
from ui.words.numbers import format_interval
from ui.words.terms import list_term_translations, translate_term

DEFAULT_COLUMNS = (
    "rank",
    "name",
    "level",
    "occupation",
    "driven",
    "person_times",
    "generations",
    "own",
    "pending",
    "irreplaceable",
)
TALENT_FILTERS = (
    "province",
    "industry",
    "level",
    "basis",
    "occupation",
    "type",
    "year",
    "enterprise",
    "studio",
)
# filter: the column that must be equal
EQUAL_FILTER_COLUMNS = {
    "province": "province",
    "industry": "industry",
    "occupation": "occupation_code",
    "type": "type",
    "enterprise": "enterprise_id",
}
# Metrics whose columns are joined by the talent's id: column of the table -> column of the metric.
METRIC_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "rank_band": {
        "band_best": "rank_best",
        "band_worst": "rank_worst",
        "driven_least": "driven_least",
        "driven_most": "driven_most",
    },
    "mpact": {
        "mpact_a": "A",
        "mpact_t": "T",
        "mpact_td": "TD",
        "mpact_g": "G",
        "mpact_w": "W",
        "mpact_ta": "TA",
        "mpact_ft": "FT",
    },
    "genealogical_index": {
        "genealogical_index": "genealogical_index",
        "fertility": "fertility",
        "cousins": "cousins",
    },
    "centrality": {"pagerank": "pagerank", "harmonic": "harmonic", "betweenness": "betweenness"},
    "irreplaceable": {
        "irreplaceable": "irreplaceable",
        "irreplaceable_times": "irreplaceable_person_times",
    },
}

# Every column the table can have, in the order of the picker.
TALENT_COLUMNS = (
    ColumnSpec(
        "rank",
        "Rank",
        "Place among all leading talents. As a band: the best and the worst of the four ways to "
        "credit; sorted by its middle",
        "text",
        72,
    ),
    ColumnSpec("name", "Name", "A click opens the talent", "text", 70, width_en=140),
    ColumnSpec("level", "Level", "Best level so far, 1 to 8", "level", 42),
    ColumnSpec("occupation", "Occupation", "Occupation on record", "text", 94),
    ColumnSpec("province", "Province", "Province on record", "text", 84),
    ColumnSpec("industry", "Industry", "Industry of the naming", "text", 110),
    ColumnSpec("bases", "Basis", "Honours on which the talent was named", "text", 150),
    ColumnSpec("type", "Type", "Type of talent on record", "text", 100),
    ColumnSpec("year", "Named in", "Year of the first naming as a talent", "text", 76),
    ColumnSpec("enterprise", "Enterprise", "Enterprise on record", "text", 200),
    ColumnSpec("studio", "Studio", "Studios the talent leads or led", "text", 200),
    ColumnSpec(
        "driven",
        "Driven (persons)",
        "New high-skilled persons whom a chain from this talent reaches in time",
        "bar",
        106,
    ),
    ColumnSpec(
        "person_times",
        "Person-times",
        "Every promotion to a high-skilled level in the window, of those reached",
        width=62,
    ),
    ColumnSpec(
        "generations",
        "Generations (persons)",
        "Driven persons by the fewest links of a chain that counts",
        "bars",
        86,
    ),
    ColumnSpec(
        "own",
        "Own (persons)",
        "Driven persons for whom a mentorship of the talent's own counts",
        width=78,
    ),
    ColumnSpec("g1", "Gen 1 (persons)", "Driven persons one link away", width=104),
    ColumnSpec("g2", "Gen 2 (persons)", "Driven persons two links away", width=104),
    ColumnSpec("g3", "Gen 3 (persons)", "Driven persons three links away", width=104),
    ColumnSpec(
        "mentorship_only",
        "By mentorship (persons)",
        "Driven by chains of mentorships alone",
        width=120,
    ),
    ColumnSpec(
        "studio_only", "By studios (persons)", "Driven by chains of studios alone", width=120
    ),
    ColumnSpec("both", "By both (persons)", "Driven by a chain of either kind alone", width=120),
    ColumnSpec(
        "mixed", "Mixed only (persons)", "Driven only by chains that mix the two", width=120
    ),
    ColumnSpec(
        "pending",
        "Pending (persons)",
        "Reached by a chain, not high-skilled on the as-of day",
        width=90,
    ),
    ColumnSpec(
        "equal",
        "Shared (persons)",
        "Each worker shared equally among the talents who drive them; adds up",
        "decimal",
        104,
    ),
    ColumnSpec(
        "nearest",
        "Nearest (persons)",
        "Each worker shared among the talents of the fewest links; adds up",
        "decimal",
        104,
    ),
    ColumnSpec(
        "decay",
        "Decaying (persons)",
        "Each worker shared in proportion to one half a generation; adds up",
        "decimal",
        104,
    ),
    ColumnSpec(
        "irreplaceable",
        "Irreplaceable (persons)",
        "Driven persons who would lose every chain to every talent if this one left",
        width=102,
        metric="irreplaceable",
    ),
    ColumnSpec(
        "irreplaceable_times",
        "Irreplaceable (person-times)",
        "Person-times that would lose every chain if this talent left",
        width=120,
        metric="irreplaceable",
    ),
    ColumnSpec(
        "rank_all",
        "Rank under every rule",
        "Best and worst place over generations, channels, undated links and ways to credit",
        "text",
        120,
        metric="rank_band",
    ),
    ColumnSpec(
        "driven_least",
        "Fewest under any rule (persons)",
        "Fewest driven under any rule of the band",
        width=120,
        metric="rank_band",
    ),
    ColumnSpec(
        "driven_most",
        "Most under any rule (persons)",
        "Most driven under any rule of the band",
        width=120,
        metric="rank_band",
    ),
    ColumnSpec(
        "mpact_a",
        "",
        "Direct apprentices on record, at any time",
        width=84,
        metric="mpact",
        code="MPACT A",
    ),
    ColumnSpec(
        "mpact_t", "", "All descendants by mentorship", width=84, metric="mpact", code="MPACT T"
    ),
    ColumnSpec(
        "mpact_td",
        "",
        "Descendants, halved each generation",
        "decimal",
        90,
        metric="mpact",
        code="MPACT TD",
    ),
    ColumnSpec("mpact_g", "", "Generations below", width=84, metric="mpact", code="MPACT G"),
    ColumnSpec(
        "mpact_w", "", "People in the largest generation", width=84, metric="mpact", code="MPACT W"
    ),
    ColumnSpec(
        "mpact_ta", "", "Descendants who became mentors", width=84, metric="mpact", code="MPACT TA"
    ),
    ColumnSpec(
        "mpact_ft",
        "",
        "Descendants, credit shared by co-mentors",
        "decimal",
        90,
        metric="mpact",
        code="MPACT FT",
    ),
    ColumnSpec(
        "genealogical_index",
        "Genealogical index",
        "The largest g such that g apprentices have at least g apprentices of their own",
        width=100,
        metric="genealogical_index",
    ),
    ColumnSpec(
        "fertility",
        "Apprentices who teach (persons)",
        "Apprentices who became mentors themselves",
        width=110,
        metric="genealogical_index",
    ),
    ColumnSpec(
        "cousins",
        "Cousins (persons)",
        "People of the same grand-mentor but another mentor",
        width=100,
        metric="genealogical_index",
    ),
    ColumnSpec(
        "pagerank",
        "PageRank (average = 1)",
        "Weight that apprentices pass on to their mentors",
        "decimal",
        110,
        metric="centrality",
    ),
    ColumnSpec(
        "harmonic",
        "Harmonic centrality",
        "Sum over descendants of one by the fewest links",
        "decimal",
        110,
        metric="centrality",
    ),
    ColumnSpec(
        "betweenness",
        "Betweenness",
        "How many shortest lineages between others pass through",
        "decimal",
        110,
        metric="centrality",
    ),
)
# The columns of a row a group.
TALENT_GROUP_COLUMNS = (
    ColumnSpec(
        "name", "Group", "Talents with several bases stand in the group of each", "text", 180
    ),
    ColumnSpec("talents", "Talents (persons)", "Leading talents of the group", width=96),
    ColumnSpec(
        "together",
        "Driven together (persons)",
        "Persons the group's talents drive, each once",
        "bar",
        170,
    ),
    ColumnSpec(
        "driven",
        "Sum over talents (persons)",
        "Each person counted once for each talent",
        width=130,
    ),
    ColumnSpec("person_times", "Person-times, sum", "Sum over the talents", width=110),
    ColumnSpec("pending", "Pending, sum (persons)", "Sum over the talents", width=120),
    ColumnSpec("q1", "25 %", "A quarter of the talents drive no more", "decimal", 70),
    ColumnSpec("median", "Median", "Half of the talents drive no more", "decimal", 76),
    ColumnSpec("q3", "75 %", "Three quarters of the talents drive no more", "decimal", 70),
    ColumnSpec(
        "bins",
        "Spread (talents)",
        "How many talents drive how many, in ten equal steps to the most",
        "bars",
        120,
    ),
    ColumnSpec(
        "top",
        "First tenth's share",
        "What part of the sum the tenth that drives most drives",
        "share",
        110,
    ),
)


def build_talent_columns() -> dict[str, TableColumn]:
    """The columns of the table in the language of this visit, in the order of the picker."""
    return translate_columns(TALENT_COLUMNS)


def fetch_talent_table(policy: Policy, shown: Sequence[str]) -> pl.DataFrame:
    """Every talent with the columns of `fetch_talent_rows`, ranks, and the metrics that are there.

    `shown` are the columns asked for; those of a metric that is not there are null.
    """
    known = build_talent_columns()
    asked = sorted({m for name in shown if (m := known[name].metric)})
    there = tuple(name for name in asked if cached_metrics.is_metric_ready(policy, name))
    found = _compute_talent_table(policy, there)
    lacking = [
        pl.lit(None, pl.Int64).alias(column)
        for metric in asked
        if metric not in there
        for column in METRIC_COLUMNS[metric]
    ]
    found = found.with_columns(lacking)
    if "band_best" in found.columns:
        found = found.with_columns(rank_all=_build_interval_expr("band_best", "band_worst"))
    return found


@graph_state.cache_by_graph_state(max_entries=12, resource=True)
def _compute_talent_table(policy: Policy, metrics: tuple[str, ...]) -> pl.DataFrame:
    found = talent_figures.fetch_talent_rows(policy)
    generations = sorted(
        (c for c in found.columns if c[0] == "g" and c[1:].isdigit()), key=lambda c: int(c[1:])
    )
    found = found.with_columns(generations=pl.concat_list(generations))
    for name in metrics:
        table = cached_metrics.fetch_cached_metric(policy, name)
        if "kind" in table.columns:
            table = table.filter(pl.col("kind") == "person")
        key = next(k for k in ("talent_id", "person_id", "id") if k in table.columns)
        part = table.select(
            pl.col(key).alias("talent_id"),
            **{ours: pl.col(theirs) for ours, theirs in METRIC_COLUMNS[name].items()},
        )
        found = found.join(part, on="talent_id", how="left")
    if "irreplaceable" in metrics:
        found = found.with_columns(
            pl.col("irreplaceable", "irreplaceable_times").cast(pl.Int64).fill_null(0)
        )
    return found


def _build_interval_expr(low: str, high: str) -> pl.Expr:
    return pl.struct(low, high).map_elements(
        lambda r: format_interval(r[low], r[high]) if r[low] is not None else "—",
        return_dtype=pl.String,
    )


def mask_studio_column(found: pl.DataFrame) -> pl.DataFrame:
    """The talents with the names of their studios as this visitor may see them."""
    if not identify_visitor().is_limited:
        return found
    ids = found["studio_ids"].explode().drop_nulls().unique()
    names = talent_figures.fetch_studio_labels(ids)
    named = pl.col("studio_ids").list.eval(pl.element().replace(names)).list.join("\n")
    return found.with_columns(studio=named)


def filter_talents(found: pl.DataFrame, chosen: Mapping[str, Any]) -> pl.DataFrame:
    """The talents that meet all the filters: codes, a level or "6-8", and a text."""
    for name, column in EQUAL_FILTER_COLUMNS.items():
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


def sort_talents(found: pl.DataFrame, rule: str, by: str, descending: bool) -> pl.DataFrame:
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


def translate_talent_codes(found: pl.DataFrame, rule: str, language: Language) -> pl.DataFrame:
    """The rows with codes as words and ranks as text, as they are shown and taken away."""
    best, worst = ("rank_best", "rank_worst") if rule == "band" else (f"rank_{rule}",) * 2
    return found.with_columns(
        rank=_build_interval_expr(best, worst),
        province=translate_code_column("province", language),
        type=translate_code_column("type", language),
        bases=pl.col("bases")
        .list.eval(pl.element().replace(translate_labels(BASES, language)))
        .list.join("、" if language == "zh" else ", "),
        year=pl.col("year").cast(pl.String).fill_null("—"),
        studio=pl.col("studio").str.replace_all("\n", "、" if language == "zh" else ", "),
        enterprise=pl.col("enterprise").fill_null("—"),
    ).with_columns(
        pl.col("occupation", "industry").replace(list_term_translations(language)).fill_null("—"),
        pl.col("studio", "bases").fill_null("—"),
    )


def translate_code_column(column: str, language: Language) -> pl.Expr:
    """A column of codes as words; what is not stated as a dash."""
    words = {"province": PROVINCES, "type": PERSON_TYPES}[column]
    return pl.col(column).replace(translate_labels(words, language)).fill_null("—")


def list_talent_options(found: pl.DataFrame, language: Language) -> dict[str, dict[str, str]]:
    """What each filter offers: code -> word."""

    def codes(column: str) -> list[Any]:
        return found[column].drop_nulls().unique().sort().to_list()

    trades = found.select("occupation_code", "occupation").unique().drop_nulls("occupation_code")
    levels = {"6-8": t("levels 6-8"), "4-5": t("levels 4-5"), "1-3": t("levels 1-3")}
    levels |= {
        str(n): f"{n} {translate_label(LEVELS[n], language)}" for n in sorted(LEVELS, reverse=True)
    }
    return {
        "province": translate_labels(PROVINCES, language, codes("province")),
        "industry": {c: translate_term(c, language) for c in codes("industry")},
        "level": levels,
        "basis": translate_labels(BASES, language),
        "occupation": {
            c: translate_term(n or c, language) for c, n in trades.sort("occupation_code").rows()
        },
        "type": translate_labels(PERSON_TYPES, language),
        "year": {str(c): str(c) for c in codes("year")},
    }


def list_group_words(by: str, language: Language) -> dict[str, str]:
    """Code -> word of the groups; what has no entry stands for itself."""
    if by == "province":
        return translate_labels(PROVINCES, language)
    if by == "basis":
        return translate_labels(BASES, language)
    if by == "type":
        return translate_labels(PERSON_TYPES, language)
    if by == "level":
        return {str(n): f"{n} {translate_label(pair, language)}" for n, pair in LEVELS.items()}
    if by == "occupation_code":
        return talent_figures.fetch_occupation_names()
    return list_term_translations(language) if by == "industry" else {}


def compute_joint_talents(reach: ReachSets, talent_ids: Sequence[str]) -> Joint:
    """What these talents drive together."""
    return compute_joint([reach.of_key(id) for id in talent_ids])


@graph_state.cache_by_graph_state(max_entries=200)
def fetch_joint_figures(
    policy: Policy, talent_ids: Sequence[str]
) -> tuple[int, list[tuple[str, str]]]:
    """Person-times these talents reach together, and who taught whom (mentor, apprentice)."""
    driven = talent_figures.fetch_driven_figures(policy)
    times = count_joint_person_times(driven, talent_ids)
    return times, list_mentorships_among(graph_state.fetch_snapshot(), driven, talent_ids)

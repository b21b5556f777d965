"""Studios, enterprises and schools as tables: their columns, filters, groups, and their people.

Drawing is ui/places/page.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Literal

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.driven.reach_sets import ReachSets, count_row_numbers
from graph.messages import Language
from graph.metrics.cached_tables import has_cached_metric_table, load_metric_table
from graph.metrics.places import MIN_FRONTLINE_SHARE, find_reached_people
from graph.model.vocabularies import GRADES, PROVINCES, SCHOOL_KINDS, STUDIO_KINDS
from graph.people.organisation_aliases import resolve_organisation_id
from graph.policy import Policy
from graph.programme.groups import add_enterprise_standing, add_partner_share
from graph.snapshot.frames import Snapshot
from ui.controls.table_columns import ColumnSpec, TableColumn, translate_columns
from ui.person.person import PaidSubsidy
from ui.reading import cached_metrics, talent_figures
from ui.shell import graph_state
from ui.words.i18n import t, translate_labels
from ui.words.numbers import format_interval
from ui.words.terms import list_term_translations

PlaceKind = Literal["studio", "enterprise", "school"]
PLACE_KINDS: Final[tuple[PlaceKind, ...]] = ("studio", "enterprise", "school")
METRIC_BY_PLACE_KIND: Final = {
    "studio": "studios",
    "enterprise": "enterprises",
    "school": "schools",
}
# What each kind is filtered and grouped by, beside the text.
PLACE_FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "studio": ("province", "industry", "kind", "grade"),
    "enterprise": ("province", "industry", "ownership", "frontline"),
    "school": ("province", "kind"),
}
# The column that says how much a place brings about, and the people a reach of it counts.
OUTPUT_COLUMN_BY_KIND: Final = {
    "studio": "driven_persons",
    "enterprise": "employed_persons",
    "school": "high_skilled",
}
# Of each column that is a cost, the money and the people it is divided by: the lowest is the best.
COST_COLUMNS_BY_KIND: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "studio": {"cost": ("funding", "driven_ever"), "trainee_cost": ("funding", "trained")},
    "enterprise": {"cost": ("education_fund", "employed_persons")},
    "school": {},
}
PLACE_CODE_WORDS: Final = {"grade": GRADES, "province": PROVINCES}


# Columns that several kinds of place have.
PLACE_COLUMN = ColumnSpec("name", "Place", "A click shows what is known of it", "text", 220)
PROVINCE_COLUMN = ColumnSpec("province", "Province", "Province on record", "text", 84)
INDUSTRY_COLUMN = ColumnSpec("industry", "Industry", "Industry on record", "text", 100)
TRAINED_COLUMN = ColumnSpec(
    "trained", "Trained (persons)", "People with a training there, at any time", width=84
)
PERSON_TIMES_COLUMN = ColumnSpec(
    "driven_person_times", "Person-times", "Promotions that count so, of theirs", width=62
)
KEY_PEOPLE_COLUMN = ColumnSpec(
    "bus",
    "Key people (persons)",
    "The fewest people whose leaving halves the number of workers taught there",
    "text",
    100,
)
# The columns of each kind of place, in order.
PLACE_COLUMNS: Final[Mapping[str, tuple[ColumnSpec, ...]]] = {
    "studio": (
        PLACE_COLUMN,
        ColumnSpec(
            "driven_persons",
            "Driven there (persons)",
            "Driven workers whose chain ends with a training at this studio",
            "bar",
            122,
        ),
        PERSON_TIMES_COLUMN,
        TRAINED_COLUMN,
        ColumnSpec("leads", "Leaders (persons)", "People who lead or led it", width=82),
        ColumnSpec("funding", "Funding (yuan)", "Public funding received, as stated", width=104),
        ColumnSpec(
            "driven_ever",
            "Driven, all years (persons)",
            "As driven there, of all years: the funding is of all years too",
            width=112,
        ),
        ColumnSpec(
            "cost",
            "Cost (yuan a worker)",
            "Funding of all years by the workers driven in all years; empty where either is not "
            "known or nobody was driven",
            width=112,
        ),
        ColumnSpec(
            "trainee_cost",
            "Cost (yuan a trainee)",
            "Funding of all years by everyone trained there; empty where either is not known",
            width=112,
        ),
        KEY_PEOPLE_COLUMN,
        ColumnSpec("kind", "Kind", "Kind of studio", "text", 150),
        ColumnSpec("grade", "Grade", "Grade on record", "text", 74),
        PROVINCE_COLUMN,
        INDUSTRY_COLUMN,
    ),
    "enterprise": (
        PLACE_COLUMN,
        ColumnSpec(
            "employed_persons",
            "Driven, employed (persons)",
            "Driven workers employed there on the day they became high-skilled",
            "bar",
            122,
        ),
        ColumnSpec(
            "frontline_share",
            "Front-line share",
            "Share of the staff education fund for front-line workers; at least 60 % is due",
            "share",
            84,
        ),
        ColumnSpec("frontline", "Against 60 %", "Whether the share is at least 60 %", "text", 84),
        ColumnSpec(
            "education_fund",
            "Education fund (yuan a year)",
            "Staff education fund, as stated",
            width=130,
        ),
        ColumnSpec(
            "cost",
            "Cost (yuan a worker)",
            "The fund of the window's years so far by driven workers employed: a size of effort, "
            "not a price",
            width=112,
        ),
        ColumnSpec(
            "driven_persons",
            "Taught there (persons)",
            "Driven workers whose chain ends with a mentorship there",
            width=110,
        ),
        PERSON_TIMES_COLUMN,
        TRAINED_COLUMN,
        KEY_PEOPLE_COLUMN,
        ColumnSpec(
            "talents", "Talents (persons)", "Leading talents who work there on record", width=110
        ),
        PROVINCE_COLUMN,
        INDUSTRY_COLUMN,
        ColumnSpec("ownership", "Ownership", "Ownership on record", "text", 90),
    ),
    "school": (
        PLACE_COLUMN,
        ColumnSpec(
            "high_skilled",
            "Then high-skilled (persons)",
            "Trained there, and newly high-skilled in the window afterwards",
            "bar",
            122,
        ),
        ColumnSpec(
            "high_skilled_driven",
            "Of them driven (persons)",
            "Of them driven by any talent",
            width=110,
        ),
        TRAINED_COLUMN,
        ColumnSpec(
            "teachers", "Teachers (persons)", "People who teach there on the as-of day", width=96
        ),
        ColumnSpec(
            "leading_teachers",
            "Talents teaching (persons)",
            "Leading talents among the teachers",
            width=110,
        ),
        ColumnSpec(
            "partners",
            "Partner enterprises",
            "Enterprises that partner with it on the as-of day",
            width=104,
        ),
        ColumnSpec(
            "into_enterprises",
            "Then employed (persons)",
            "Trained there, and employed by an enterprise from then or later",
            width=110,
        ),
        ColumnSpec(
            "into_partners",
            "By partners (persons)",
            "Of them by an enterprise that ever partnered",
            width=104,
        ),
        ColumnSpec(
            "partner_share",
            "Partners' share",
            "By partners, of all who were then employed",
            "share",
            84,
        ),
        ColumnSpec(
            "enterprises_reached", "Enterprises reached", "Enterprises that employ them", width=104
        ),
        ColumnSpec("kind", "Kind", "Kind of school", "text", 100),
        PROVINCE_COLUMN,
    ),
}


def build_place_columns(kind: str) -> dict[str, TableColumn]:
    """The columns of a kind of place in the language of this visit, in order."""
    return translate_columns(PLACE_COLUMNS[kind])


# --- the figures ------------------------------------------------------------------------------


def _build_reach_path(snapshot: Snapshot, policy: Policy, kind: str) -> Any:
    return build_table_path(snapshot, f"reach-{kind}", policy.id)


def _materialize_place_table(snapshot: Snapshot, policy: Policy, kind: str) -> None:
    """Works out, and keeps, all that the table of this kind stands on."""
    load_metric_table(snapshot, policy, METRIC_BY_PLACE_KIND[kind])
    if kind != "school":
        load_metric_table(snapshot, policy, "bus_factor", of=kind)
    load_cached_table(
        _build_reach_path(snapshot, policy, kind),
        partial(find_reached_people, snapshot, policy, of=kind),
    )


def ensure_place_table(policy: Policy, kind: str) -> bool:
    """Whether the figures are there; if not, they are being computed, and the page says so."""
    snapshot = graph_state.fetch_snapshot()
    cached = has_cached_metric_table(
        snapshot, policy, METRIC_BY_PLACE_KIND[kind]
    ) and has_cached_table(_build_reach_path(snapshot, policy, kind))
    if kind != "school":
        cached = cached and has_cached_metric_table(snapshot, policy, "bus_factor", of=kind)
    key = (graph_state.fetch_graph_state(), policy, "places", kind)
    words = {
        "studio": t("Studios"),
        "enterprise": t("Enterprises"),
        "school": t("Schools"),
    }
    work = partial(_materialize_place_table, snapshot, policy, kind)
    return cached_metrics.ensure_background_job(
        key, cached or cached_metrics.is_network_small(), work, words[kind]
    )


@graph_state.cache_by_graph_state(max_entries=12, resource=True)
def fetch_place_rows(policy: Policy, kind: str) -> pl.DataFrame:
    """A row a place: id, name and the columns of the kind, codes as codes."""
    key = f"{kind}_id"
    found = cached_metrics.fetch_cached_metric(policy, METRIC_BY_PLACE_KIND[kind]).rename(
        {key: "id"}
    )
    if kind == "school":
        return add_partner_share(found)
    bus = cached_metrics.fetch_cached_metric(policy, "bus_factor", of=kind).select(
        "bus_factor", "at_least", id="place_id"
    )
    found = found.join(bus, on="id", how="left").with_columns(
        bus=pl.struct("at_least", "bus_factor").map_elements(
            lambda r: (
                "—" if r["bus_factor"] is None else format_interval(r["at_least"], r["bus_factor"])
            ),
            return_dtype=pl.String,
            skip_nulls=False,
        )
    )
    if kind == "enterprise":
        found = add_enterprise_standing(found, talent_figures.fetch_talent_rows(policy))
        return found.with_columns(pl.col("education_fund", "cost").round(0).cast(pl.Int64))
    money = pl.col("funding", "cost", "trainee_cost")
    return found.with_columns(money.round(0).cast(pl.Int64))


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def fetch_place_reach(policy: Policy, kind: str) -> ReachSets:
    """The people of each place's output (see `OUTPUT_COLUMN_BY_KIND`), by its id."""
    snapshot = graph_state.fetch_snapshot()
    file = _build_reach_path(snapshot, policy, kind)
    pairs = load_cached_table(file, partial(find_reached_people, snapshot, policy, of=kind))
    return ReachSets.of(pairs, "place_id", count_row_numbers(snapshot.frames["people"]))


def filter_places(found: pl.DataFrame, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """The places that meet all the filters."""
    for name, value in chosen.items():
        if value and name != "text":
            found = found.filter(pl.col(name) == value)
    if text := (chosen.get("text") or "").strip().lower():
        by_name = pl.col("name").fill_null("").str.to_lowercase().str.contains(text, literal=True)
        found = found.filter(by_name | (pl.col("id") == text.upper()))
    return found


def sort_places(found: pl.DataFrame, by: str, *, kind: str, descending: bool) -> pl.DataFrame:
    """Sorted by a column, then by id; what is not known comes last either way.

    Where money was spent and there is nobody to divide it by, the cost is beyond every other.
    """
    key = pl.col({"bus": "bus_factor"}.get(by, by))
    if by == "grade":
        places = {grade: place for place, grade in enumerate(GRADES)}
        key = key.replace_strict(places, default=None, return_dtype=pl.Int64)
    if by in COST_COLUMNS_BY_KIND[kind]:
        money, people = (pl.col(name) for name in COST_COLUMNS_BY_KIND[kind][by])
        key = pl.when((money > 0) & (people == 0)).then(math.inf).otherwise(key.cast(pl.Float64))
    return found.sort([key, pl.col("id")], descending=[descending, False], nulls_last=True)


def list_frontline_words() -> dict[str, str]:
    """How an enterprise stands to the share it owes its front-line workers."""
    part = f"{MIN_FRONTLINE_SHARE:.0%}"
    return {
        "met": t("{share} or more", share=part),
        "below": t("below {share}", share=part),
        "unknown": t("not stated"),
    }


def list_place_words(name: str, kind: str, language: Language) -> dict[str, str]:
    """Code -> word of a column of codes; what has none stands for itself."""
    if name == "frontline":
        return list_frontline_words()
    if name == "industry":
        return list_term_translations(language)
    choices: Mapping[str, tuple[str, str]] = PLACE_CODE_WORDS.get(name, {})
    if name == "kind":
        choices = STUDIO_KINDS if kind == "studio" else SCHOOL_KINDS
    return translate_labels(choices, language)


def list_place_options(
    found: pl.DataFrame, kind: str, language: Language
) -> dict[str, dict[str, str]]:
    """What each filter of the kind offers: code -> word."""
    offered = {}
    for name in PLACE_FILTERS[kind]:
        known = list_place_words(name, kind, language)
        codes = found[name].drop_nulls().unique().sort().to_list()
        offered[name] = {code: known.get(code, code) for code in codes}
    return offered


def translate_place_codes(found: pl.DataFrame, kind: str, language: Language) -> pl.DataFrame:
    """The rows with codes as words, as they are shown and taken away."""
    return found.with_columns(
        pl.col(name).replace(list_place_words(name, kind, language)).fill_null("—")
        for name in PLACE_FILTERS[kind]
    )


def find_place_kind(id: str) -> str | None:
    """Which kind of place has the id."""
    frames = graph_state.fetch_snapshot().frames
    for kind in PLACE_KINDS:
        found = frames[f"{kind}s"].filter(pl.col(f"{kind}_id") == id)
        if found.select(pl.len()).collect().item():
            return kind
    return None


def resolve_place_id(id: str | None) -> str | None:
    """The id that stands for this one: another one's where it is a further id of a place."""
    return resolve_organisation_id(graph_state.fetch_snapshot(), id) if id else id


# --- one place --------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlaceTie:
    """Someone or another place that a place is tied to; `kind` is that of a studio's host."""

    id: str
    name: str
    start: date | None = None
    end: date | None = None
    kind: str = ""


@dataclass(frozen=True)
class PlaceDetails:
    """What the graph says of one place, twenty of each list at most; what its kind has not is
    empty. `talents` and `part_time` count leading talents: employed there, and teaching part-time.
    """

    name: str
    leaders: tuple[PlaceTie, ...] = ()
    hosts: tuple[PlaceTie, ...] = ()
    partners: tuple[PlaceTie, ...] = ()
    studios: tuple[PlaceTie, ...] = ()
    teachers: tuple[PlaceTie, ...] = ()
    projects: tuple[PlaceTie, ...] = ()
    subsidies: tuple[PaidSubsidy, ...] = ()
    talents: int = 0
    part_time: int = 0


PLACE_LISTS = ("leaders", "hosts", "partners", "studios", "teachers", "projects")


def fetch_place(kind: str, id: str) -> PlaceDetails | None:
    """What the graph says of one place: its people and partners."""
    found = graph_state.read_live_rows(f"{kind}_record", id=id)
    return _build_place_details(found[0]) if found else None


def _build_place_details(row: Mapping[str, Any]) -> PlaceDetails:
    lists = {name: tuple(map(_build_place_tie, row.get(name, ()))) for name in PLACE_LISTS}
    return PlaceDetails(
        row["name"],
        **lists,
        subsidies=tuple(PaidSubsidy(**paid) for paid in row["subsidies"]),
        talents=row.get("talents", 0),
        part_time=row.get("part_time", 0),
    )


def _build_place_tie(row: Mapping[str, Any]) -> PlaceTie:
    return PlaceTie(row["id"], row["name"], row.get("start"), row.get("end"), row.get("kind", ""))

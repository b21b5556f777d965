"""Studios, enterprises and schools as tables: their columns, filters, groups, and their people.

Drawing is pages/places.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

import polars as pl
import streamlit as st

from components import kept, store
from components.columns import Column
from components.i18n import Language, labels, t
from components.numbers import interval
from components.reach import Reach
from graph.kept_tables import is_kept, is_there, kept_table, metric_table, table_place
from graph.metrics.places import FRONTLINE_SHARE, reached
from graph.model import GRADES, PROVINCES, SCHOOL_KINDS, STUDIO_KINDS
from graph.policy import Policy
from graph.snapshot import Snapshot

Kind = Literal["studio", "enterprise", "school"]
KINDS: Final[tuple[Kind, ...]] = ("studio", "enterprise", "school")
METRICS_OF: Final = {"studio": "studios", "enterprise": "enterprises", "school": "schools"}
# What each kind is filtered and grouped by, beside the text.
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "studio": ("province", "industry", "kind", "grade"),
    "enterprise": ("province", "industry", "ownership", "frontline"),
    "school": ("province", "kind"),
}
# The column that says how much a place brings about, and the people a reach of it counts.
OUTPUT: Final = {
    "studio": "driven_persons", "enterprise": "employed_persons", "school": "high_skilled",
}  # fmt: skip
WORDS: Final = {"grade": GRADES, "province": PROVINCES}


def columns(kind: str) -> dict[str, Column]:
    """The columns of a kind of place, in order."""
    name = Column(t("Place"), t("A click shows what is known of it"), "text", 220)
    province = Column(t("Province"), t("Province on record"), "text", 84)
    industry = Column(t("Industry"), t("Industry on record"), "text", 100)
    trained = Column(
        t("Trained (persons)"), t("People with a training there, at any time"), width=84
    )
    times = Column(t("Person-times"), t("Promotions that count so, of theirs"), width=62)
    bus = Column(
        t("Key people (persons)"),
        t("The fewest people whose leaving halves the number of workers taught there"),
        "text", 100,
    )  # fmt: skip
    if kind == "studio":
        return {
            "name": name,
            "driven_persons": Column(
                t("Driven there (persons)"),
                t("Driven workers whose chain ends with a training at this studio"), "bar", 122,
            ),
            "driven_person_times": times,
            "trained": trained,
            "leads": Column(t("Leaders (persons)"), t("People who lead or led it"), width=82),
            "funding": Column(
                t("Funding (yuan)"), t("Public funding received, as stated"), width=104
            ),
            "cost": Column(
                t("Cost (yuan a person)"),
                t("Funding by driven workers; empty where either is not known"), width=112,
            ),
            "bus": bus,
            "kind": Column(t("Kind"), t("Kind of studio"), "text", 150),
            "grade": Column(t("Grade"), t("Grade on record"), "text", 74),
            "province": province,
            "industry": industry,
        }  # fmt: skip
    if kind == "enterprise":
        return {
            "name": name,
            "employed_persons": Column(
                t("Driven, employed (persons)"),
                t("Driven workers employed there on the day they became high-skilled"), "bar", 122,
            ),
            "frontline_share": Column(
                t("Front-line share"),
                t("Share of the staff education fund for front-line workers; at least 60 % is due"),
                "share", 84,
            ),
            "frontline": Column(
                t("Against 60 %"), t("Whether the share is at least 60 %"), "text", 84
            ),
            "education_fund": Column(
                t("Education fund (yuan a year)"), t("Staff education fund, as stated"), width=130
            ),
            "cost": Column(
                t("Cost (yuan a person)"),
                t("One year's fund by driven workers employed: a size of effort, not a price"),
                width=112,
            ),
            "driven_persons": Column(
                t("Taught there (persons)"),
                t("Driven workers whose chain ends with a mentorship there"), width=110,
            ),
            "driven_person_times": times,
            "trained": trained,
            "bus": bus,
            "talents": Column(
                t("Talents (persons)"), t("Leading talents who work there on record"), width=110
            ),
            "province": province,
            "industry": industry,
            "ownership": Column(t("Ownership"), t("Ownership on record"), "text", 90),
        }  # fmt: skip
    return {
        "name": name,
        "high_skilled": Column(
            t("Then high-skilled (persons)"),
            t("Trained there, and newly high-skilled in the window afterwards"), "bar", 122,
        ),
        "high_skilled_driven": Column(
            t("Of them driven (persons)"), t("Of them driven by any talent"), width=110
        ),
        "trained": trained,
        "teachers": Column(
            t("Teachers (persons)"), t("People who teach there on the as-of day"), width=96
        ),
        "leading_teachers": Column(
            t("Talents teaching (persons)"), t("Leading talents among the teachers"), width=110
        ),
        "partners": Column(
            t("Partner enterprises"), t("Enterprises that partner with it on the as-of day"),
            width=104,
        ),
        "into_enterprises": Column(
            t("Then employed (persons)"),
            t("Trained there, and employed by an enterprise from then or later"), width=110,
        ),
        "into_partners": Column(
            t("By partners (persons)"), t("Of them by an enterprise that ever partnered"), width=104
        ),
        "partner_share": Column(
            t("Partners' share"), t("By partners, of all who were then employed"), "share", 84
        ),
        "enterprises_reached": Column(
            t("Enterprises reached"), t("Enterprises that employ them"), width=104
        ),
        "kind": Column(t("Kind"), t("Kind of school"), "text", 100),
        "province": province,
    }  # fmt: skip


# --- the figures ------------------------------------------------------------------------------


def _reach_file(snapshot: Snapshot, policy: Policy, kind: str) -> Any:
    return table_place(snapshot, f"reach-{kind}", policy.id)


def _work(snapshot: Snapshot, policy: Policy, kind: str) -> None:
    """Works out, and keeps, all that the table of this kind stands on."""
    metric_table(snapshot, policy, METRICS_OF[kind])
    if kind != "school":
        metric_table(snapshot, policy, "bus_factor", of=kind)
    kept_table(_reach_file(snapshot, policy, kind), partial(reached, snapshot, policy, of=kind))


def there(policy: Policy, kind: str) -> bool:
    """Whether the figures are there; if not, they are being worked out, and the page says so."""
    snapshot = store.snapshot()
    whole = is_kept(snapshot, policy, METRICS_OF[kind]) and is_there(
        _reach_file(snapshot, policy, kind)
    )
    if kind != "school":
        whole = whole and is_kept(snapshot, policy, "bus_factor", of=kind)
    key = (store.state(), policy, "places", kind)
    words = {
        "studio": t("Studios"), "enterprise": t("Enterprises"), "school": t("Schools"),
    }  # fmt: skip
    work = partial(_work, snapshot, policy, kind)
    return kept.awaited(key, whole or kept.small(), work, words[kind])


@st.cache_resource(max_entries=12, show_spinner=False)
def _rows(state: str, policy: Policy, kind: str) -> pl.DataFrame:
    key = f"{kind}_id"
    found = kept.table(policy, METRICS_OF[kind]).rename({key: "id"})
    if kind == "school":
        employed = pl.col("into_enterprises")
        return found.with_columns(
            partner_share=pl.when(employed > 0).then(pl.col("into_partners") / employed)
        )
    bus = kept.table(policy, "bus_factor", of=kind).select("bus_factor", "at_least", id="place_id")
    found = found.join(bus, on="id", how="left").with_columns(
        bus=pl.struct("at_least", "bus_factor").map_elements(
            lambda r: "—" if r["bus_factor"] is None else interval(r["at_least"], r["bus_factor"]),
            return_dtype=pl.String, skip_nulls=False,
        )
    )  # fmt: skip
    if kind == "enterprise":
        leading = store.talents(policy).group_by(id="enterprise_id").agg(
            talents=pl.len().cast(pl.Int64)
        )  # fmt: skip
        found = found.join(leading, on="id", how="left").with_columns(
            pl.col("talents").fill_null(0),
            pl.col("education_fund").round(0).cast(pl.Int64),
            pl.col("cost").round(0).cast(pl.Int64),
        )
        meets = pl.col("meets_frontline")
        return found.with_columns(
            frontline=pl.when(meets).then(pl.lit("met"))
            .when(~meets).then(pl.lit("below")).otherwise(pl.lit("unknown"))
        )  # fmt: skip
    return found.with_columns(pl.col("funding", "cost").round(0).cast(pl.Int64))


def rows(policy: Policy, kind: str) -> pl.DataFrame:
    """A row a place: id, name and the columns of the kind, codes as codes."""
    return _rows(store.state(), policy, kind)


@st.cache_resource(max_entries=6, show_spinner=False)
def _reach(state: str, policy: Policy, kind: str) -> Reach:
    snapshot = store.snapshot()
    file = _reach_file(snapshot, policy, kind)
    pairs = kept_table(file, partial(reached, snapshot, policy, of=kind))
    people = int(snapshot.frames["people"].select(pl.col("person").max()).collect().item() or 0)
    return Reach.of(pairs, "place_id", people + 1)


def reach(policy: Policy, kind: str) -> Reach:
    """The people of each place's output (see `OUTPUT`), by its id."""
    return _reach(store.state(), policy, kind)


def filtered(found: pl.DataFrame, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """The places that meet all the filters."""
    for name, value in chosen.items():
        if value and name != "text":
            found = found.filter(pl.col(name) == value)
    if text := (chosen.get("text") or "").strip().lower():
        name = pl.col("name").fill_null("").str.to_lowercase()
        found = found.filter(name.str.contains(text, literal=True) | (pl.col("id") == text.upper()))
    return found


def frontline_words() -> dict[str, str]:
    """How an enterprise stands to the share it owes its front-line workers."""
    part = f"{FRONTLINE_SHARE:.0%}"
    return {
        "met": t("{share} or more", share=part), "below": t("below {share}", share=part),
        "unknown": t("not stated"),
    }  # fmt: skip


def words(name: str, kind: str, language: Language) -> dict[str, str]:
    """Code -> word of a column of codes; what has none stands for itself."""
    if name == "frontline":
        return frontline_words()
    choices: Mapping[str, tuple[str, str]] = WORDS.get(name, {})
    if name == "kind":
        choices = STUDIO_KINDS if kind == "studio" else SCHOOL_KINDS
    return labels(choices, language)


def options(found: pl.DataFrame, kind: str, language: Language) -> dict[str, dict[str, str]]:
    """What each filter of the kind offers: code -> word."""
    offered = {}
    for name in FILTERS[kind]:
        known = words(name, kind, language)
        codes = found[name].drop_nulls().unique().sort().to_list()
        offered[name] = {code: known.get(code, code) for code in codes}
    return offered


def worded(found: pl.DataFrame, kind: str, language: Language) -> pl.DataFrame:
    """The rows with codes as words, as they are shown and taken away."""
    return found.with_columns(
        pl.col(name).replace(words(name, kind, language)).fill_null("—") for name in FILTERS[kind]
    )


def grouped(found: pl.DataFrame, by: str, kind: str, reach: Reach) -> pl.DataFrame:
    """A row a group, most output first: group, places, together (union), sum, q1, median, q3."""
    output = OUTPUT[kind]
    rows = []
    for (group,), part in found.group_by(by):
        values = part[output]
        below = part.filter(pl.col("frontline") == "below").height if kind == "enterprise" else None
        spread = values.quantile(0.25), values.median(), values.quantile(0.75)
        together = reach.union(part["id"])
        rows.append((group, part.height, together, int(values.sum()), *spread, below))
    schema = {
        "group": pl.String, "places": pl.Int64, "together": pl.Int64, "sum": pl.Int64,
        "q1": pl.Float64, "median": pl.Float64, "q3": pl.Float64, "below": pl.Int64,
    }  # fmt: skip
    made = pl.DataFrame(rows, schema=schema, orient="row")
    return made.sort(["together", "group"], descending=[True, False], nulls_last=True)


def kind_of(id: str) -> str | None:
    """Which kind of place has the id."""
    frames = store.snapshot().frames
    for kind in KINDS:
        found = frames[f"{kind}s"].filter(pl.col(f"{kind}_id") == id)
        if found.select(pl.len()).collect().item():
            return kind
    return None


# --- one place --------------------------------------------------------------------------------

STUDIO = """
MATCH (s:Studio {studio_id: $id})
RETURN s.name AS name, s.founded AS founded,
  COLLECT { MATCH (s)-[:HOSTED_BY]->(h) RETURN {id: coalesce(h.enterprise_id, h.school_id),
            name: h.name, kind: CASE WHEN h:School THEN 'school' ELSE 'enterprise' END} } AS hosts,
  COLLECT { MATCH (p:Person)-[l:LEADS]->(s)
            RETURN {id: p.person_id, name: p.name, start: l.start, end: l.end}
            ORDER BY l.start LIMIT 20 } AS leaders
"""
ENTERPRISE = """
MATCH (e:Enterprise {enterprise_id: $id})
RETURN e.name AS name,
  COUNT { MATCH (:LeadingTalent {enterprise_id: $id}) } AS talents,
  COLLECT { MATCH (e)-[l:PARTNERS_WITH]->(s:School)
            RETURN {id: s.school_id, name: s.name, start: l.start, end: l.end}
            ORDER BY l.start LIMIT 20 } AS partners,
  COLLECT { MATCH (s:Studio)-[:HOSTED_BY]->(e)
            RETURN {id: s.studio_id, name: s.name} ORDER BY s.name LIMIT 20 } AS studios
"""
SCHOOL = """
MATCH (s:School {school_id: $id})
RETURN s.name AS name,
  COLLECT { MATCH (p:Person)-[l:TEACHES_AT]->(s)
            RETURN {id: p.person_id, name: p.name, leading: p:LeadingTalent,
                    part_time: l.part_time, start: l.start, end: l.end}
            ORDER BY NOT p:LeadingTalent, l.start LIMIT 20 } AS teachers,
  COUNT { MATCH (p:Person)-[l:TEACHES_AT]->(s) WHERE p:LeadingTalent AND l.part_time } AS part_time,
  COLLECT { MATCH (e:Enterprise)-[l:PARTNERS_WITH]->(s)
            RETURN {id: e.enterprise_id, name: e.name, start: l.start, end: l.end}
            ORDER BY l.start LIMIT 20 } AS partners
"""


def about(kind: str, id: str) -> dict[str, Any] | None:
    """What the graph says of one place: its people and partners, twenty of each at most."""
    cypher = {"studio": STUDIO, "enterprise": ENTERPRISE, "school": SCHOOL}[kind]
    found: Sequence[dict[str, Any]] = store.read(cypher, id=id)
    return found[0] if found else None

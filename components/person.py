"""What the graph says of one person. Birth dates leave it as years, ID numbers not at all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import polars as pl

from components import store
from graph import rows

PERSON = """
MATCH (p:Person {person_id: $id})
RETURN p.person_id AS id, p.name AS name, p.sex AS sex, p.birth_date.year AS born,
  p.province AS province, p.retired_on AS retired_on, p.type AS type,
  p:LeadingTalent AS leading, p:TrainingTarget AS target, p.listed_on AS listed_on,
  COLLECT { MATCH (p)-[:PRACTISES]->(o:Occupation) RETURN o.name }[0] AS occupation,
  COLLECT { MATCH (e:Enterprise {enterprise_id: p.enterprise_id}) RETURN e.name }[0] AS enterprise,
  COLLECT { MATCH (p)-[r:RECOGNISED]->(o:Occupation)
            RETURN {level: r.level, day: r.date, mode: r.mode, certificate: r.certificate_no,
                    occupation: o.name, row: r.row} ORDER BY r.date, r.level } AS recognitions,
  COLLECT { MATCH (p)-[n:NAMED]->(h:Honour)
            RETURN {honour: h.honour, day: n.recognised_on, industry: n.industry, grade: n.grade,
                    row: n.row}
            ORDER BY n.recognised_on } AS named,
  COLLECT { MATCH (p)-[n:HONOURED]->(h:Honour)
            RETURN {honour: h.honour, day: n.date, grade: n.grade, row: n.row}
            ORDER BY n.date } AS honours,
  COLLECT { MATCH (p)-[l:LEADS]->(s:Studio)
            RETURN {id: s.studio_id, name: s.name, kind: s.kind, grade: s.grade, start: l.start,
                    end: l.end, row: l.row} ORDER BY l.start } AS studios,
  COLLECT { MATCH (p)-[l:TRAINED_AT]->(s)
            RETURN {name: s.name, start: l.start, end: l.end, row: l.row}
            ORDER BY l.start } AS trainings,
  COLLECT { MATCH (p)-[l:EMPLOYED_BY]->(e:Enterprise) WHERE l.start IS NOT NULL
            RETURN {name: e.name, start: l.start, end: l.end, position: l.position,
                    service_until: l.service_until, reemployed: l.reemployed, row: l.row}
            ORDER BY l.start } AS employments,
  COLLECT { MATCH (p)<-[l:MENTORS]-(m:Person)
            RETURN {id: m.person_id, name: m.name, start: l.start, end: l.end, row: l.row}
            ORDER BY l.start } AS mentors,
  COUNT { MATCH (p)-[:MENTORS]->(a:Person) RETURN DISTINCT a } AS apprentices,
  COLLECT { MATCH (p)-[l:PLACED_IN]->(c:Competition)
            RETURN {name: c.name, rank: l.rank, day: c.date, row: l.row}
            ORDER BY c.date } AS placings,
  COLLECT { MATCH (p)-[l:TEACHES_AT]->(s:School)
            RETURN {name: s.name, start: l.start, end: l.end, row: l.row}
            ORDER BY l.start } AS teaching
"""
# Enough of each person to draw a box; the first day on which he or she was high-skilled.
BOXES = """
UNWIND $ids AS id
MATCH (p:Person {person_id: id})
RETURN id, p.name AS name, p:LeadingTalent AS leading,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.date ORDER BY r.date LIMIT 1 }[0] AS skilled_on,
  COLLECT { MATCH (p)-[:NAMED|HONOURED]->(h:Honour) RETURN DISTINCT h.honour } AS honours
"""
STUDIO_NAMES = """
UNWIND $ids AS id
MATCH (s:Studio {studio_id: id})
WHERE s.name IS NOT NULL
RETURN id, s.name AS name
"""
APPRENTICES = """
MATCH (:Person {person_id: $id})-[l:MENTORS]->(p:Person)
WITH p, min(l.start) AS start
RETURN p.person_id AS id, p.name AS name, start, p:LeadingTalent AS leading,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.date ORDER BY r.date LIMIT 1 }[0] AS skilled_on
ORDER BY start IS NULL, start DESC, name
"""
# People whose boxes are looked up one by one.
LOOKED_UP = 100


def person(id: str) -> dict[str, Any] | None:
    """Everything the pages show of one person; None when there is none of this id."""
    rows = store.read(PERSON, id=id)
    if not rows:
        return None
    found = rows[0]
    levels = [row["level"] for row in found["recognitions"]]
    return found | {"level": max(levels, default=None)}


def boxes(ids: list[str], high_skilled_level: int) -> dict[str, dict[str, Any]]:
    """Person id -> name, leading, level, skilled_on (first day at that level), honours."""
    if len(ids) <= LOOKED_UP:
        return {row["id"]: row for row in store.read(BOXES, ids=ids, level=high_skilled_level)}
    return _boxes(store.state(), tuple(ids), high_skilled_level)


@lru_cache(maxsize=32)
def _boxes(state: str, ids: tuple[str, ...], level: int) -> dict[str, dict[str, Any]]:
    """As `boxes`, out of the snapshot's tables: of thousands, that is the quicker way."""
    snapshot = store.snapshot()
    frames, numbers = snapshot.frames, rows.numbers_of(snapshot, ids).values()
    people = rows.people_at(snapshot, numbers).select(
        "person", "name", "leading", "level", id="person_id"
    )
    among = pl.col("person").is_in(people["person"].implode())
    rises = rows.first_days(snapshot, numbers, level).lazy()
    honours = pl.concat(
        [frames["honours"].select("person", "honour"),
         frames["talents"].select("person", honour="basis")]
    ).filter(among).group_by("person").agg(honours=pl.col("honour").unique())  # fmt: skip
    whole = (
        people.lazy()
        .join(rises.select("person", skilled_on="day"), on="person", how="left")
        .join(honours, on="person", how="left")
        .with_columns(
            pl.col("honours").fill_null([]),
            level=pl.when(pl.col("level") > 0).then(pl.col("level")),
        )
        .drop("person")
        .collect()
    )
    return {row["id"]: row for row in whole.iter_rows(named=True)}


def studio_names(ids: list[str]) -> dict[str, str]:
    """Studio id -> its name; those without one are left out."""
    rows = store.read(STUDIO_NAMES, ids=ids) if ids else []
    return {row["id"]: row["name"] for row in rows}


def apprentices(id: str, high_skilled_level: int) -> list[dict[str, Any]]:
    """Direct apprentices, latest first: id, name, start, leading, level, skilled_on."""
    return store.read(APPRENTICES, id=id, level=high_skilled_level)

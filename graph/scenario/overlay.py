"""The records that a scenario changes, as they would be, read from a snapshot's own frames.

Applied to the frames of one revision in this order, so that the order of the changes is none:

1. what begins: studios, leads, trainings, mentorships
2. who hands a studio over leads it until the day before
3. a studio that closes: leads and trainings there end on the day, later ones are not there
4. who leaves: links (as mentor, apprentice, leader, trainee, teacher, employee, member of a
   project) end on the day; links, recognitions and namings of later days are not there; the day is
   that of the retirement, where none is earlier

A start of which the year alone is known is later than a day when the last day of that year is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.dates import PRECISION, take_last_day
from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.model.schema_types import NodeKind, Relation
from graph.scenario.changes import Change, find_last_days
from graph.snapshot.frames import NODE_FRAMES, RELATION_FRAMES, Manifest, scan_stored_frame
from graph.snapshot.reader import PERSON_COLUMNS, build_node_columns

# What stands in the place of a file and of a source in records that a scenario makes.
SCENARIO_SOURCE: Final = "scenario"
# The frames in which who leaves has links or days, and the column of the day they begin with.
_PERSONAL_FRAMES: Final = {
    "mentorships": "start",
    "leads": "start",
    "trainings": "start",
    "teaching": "start",
    "employments": "start",
    "participations": "start",
    "recognitions": "date",
    "talents": "recognised_on",
}
_STUDIO_COLUMNS: Final = {"leads": "studio_id", "trainings": "place_id"}
_FRAME_BY_TYPE: Final = {type: name for name, type in RELATION_FRAMES.items()}
_NUMBER_TYPE: Final = pl.Int32


@dataclass(frozen=True)
class ScenarioRecords:
    """The records of the snapshot in `base` under the changes: a `RecordSource`.

    The changes name people by the ids that stand (`resolve_changes`).
    """

    base: Path
    changes: tuple[Change, ...]

    @cached_property
    def _layered(self) -> Sequence[str]:
        return Manifest.of(self.base).layered

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Row numbers of the people the changes name."""
        ids = {id for c in self.changes for id in (c.person_id, c.other_id) if id}
        wanted = pl.Series(sorted(ids), dtype=pl.String)
        people = self._scan("people").filter(pl.col("person_id").is_in(wanted.implode()))
        return dict(people.select("person_id", "person").collect().rows())

    def _scan(self, name: str) -> pl.LazyFrame:
        return scan_stored_frame(self.base, name, self._layered)

    def _of_kind(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    # --- what ends ---------------------------------------------------------------------------

    @cached_property
    def _last_days(self) -> pl.DataFrame:
        """person, last_day: of those who leave."""
        days = find_last_days(self.changes)
        numbers = [self._numbers[id] for id in days]
        return pl.DataFrame(
            {"person": numbers, "last_day": list(days.values())},
            schema={"person": _NUMBER_TYPE, "last_day": pl.Date},
        )

    @cached_property
    def _closings(self) -> pl.DataFrame:
        """studio_id, closed_on: the earliest day of each."""
        rows = [(change.studio_id, change.on) for change in self._of_kind("close_studio")]
        schema = {"studio_id": pl.String, "closed_on": pl.Date}
        closings = pl.DataFrame(rows, schema=schema, orient="row")
        return closings.group_by("studio_id").agg(pl.col("closed_on").min())

    @cached_property
    def _handovers(self) -> pl.DataFrame:
        """studio_id, giver (a row number, null = whoever leads), handed_on."""
        rows = [
            (change.studio_id, self._numbers.get(change.other_id), change.on)
            for change in self._of_kind("change_leader")
        ]
        schema = {"studio_id": pl.String, "giver": _NUMBER_TYPE, "handed_on": pl.Date}
        return pl.DataFrame(rows, schema=schema, orient="row")

    # --- what begins -------------------------------------------------------------------------

    def _list_new_rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a frame that the changes begin, by its own columns."""
        if name == "mentorships":
            return [
                {
                    "mentor": self._numbers[c.person_id],
                    "apprentice": self._numbers[c.other_id],
                    "start": c.on,
                    "status": "ongoing",
                }
                for c in self._of_kind("begin_mentorship")
            ]
        if name == "leads":
            return [
                {"person": self._numbers[c.person_id], "studio_id": c.studio_id, "start": c.on}
                for c in self._of_kind("open_studio") + self._of_kind("change_leader")
            ]
        if name == "trainings":
            return [
                {
                    "person": self._numbers[c.person_id],
                    "place_id": c.studio_id,
                    "place_kind": "Studio",
                    "start": c.on,
                }
                for c in self._of_kind("begin_training")
            ]
        return []

    def _build_new_rows(self, name: str) -> pl.DataFrame:
        """The rows of `_list_new_rows`, each once."""
        stated = {"row_file": SCENARIO_SOURCE, "stated_by": SCENARIO_SOURCE}
        rows = [row | stated for row in self._list_new_rows(name)]
        schema = self._scan(name).collect_schema()
        return pl.DataFrame(
            {column: [row.get(column) for row in rows] for column in schema},
            schema=schema,
        ).unique(maintain_order=True)

    # --- which records are touched -----------------------------------------------------------

    def find_touched_keys(self) -> dict[str, list[str]]:
        """By relation the ids of start nodes, by label the keys of nodes, that the changes touch.

        See `graph.snapshot.incremental.write_changed_frames`.
        """
        numbers = {name: self._find_touched_starts(name) for name in _PERSONAL_FRAMES}
        ids = self._lookup_ids(pl.concat([*numbers.values()]).unique())
        found = {
            RELATION_FRAMES[name]: ids.filter(pl.col("person").is_in(starts.implode()))[
                "person_id"
            ].to_list()
            for name, starts in numbers.items()
        }
        found["Person"] = [*find_last_days(self.changes)]
        found["Studio"] = [change.studio_id for change in self._of_kind("open_studio")]
        return {frame: keys for frame, keys in found.items() if keys}

    def _find_touched_starts(self, name: str) -> pl.Series:
        """The row numbers of the people at the start of a frame's changed rows."""
        start = self._start_column(name)
        leavers = self._last_days["person"]
        changed = [pl.col(end).is_in(leavers.implode()) for end in self._person_columns(name)]
        if name in _STUDIO_COLUMNS:
            studios = self._closings["studio_id"]
            if name == "leads":
                studios = pl.concat([studios, self._handovers["studio_id"]])
            changed.append(pl.col(_STUDIO_COLUMNS[name]).is_in(studios.implode()))
        touched = self._scan(name).filter(pl.any_horizontal(changed)).select(start).collect()
        begun = pl.Series([row[start] for row in self._list_new_rows(name)], dtype=_NUMBER_TYPE)
        return pl.concat([touched[start].rename(""), begun.rename("")]).unique()

    def _start_column(self, name: str) -> str:
        return PERSON_COLUMNS[RELATION_KINDS[RELATION_FRAMES[name]].start.column]

    def _key_columns(self, name: str) -> list[str]:
        """The columns that identify a row of a frame, where changes add rows to it."""
        keys = {
            "mentorships": ["mentor", "apprentice", "start", "kind"],
            "leads": ["person", "studio_id", "start"],
            "trainings": ["person", "place_id", "start", "kind"],
        }
        return keys.get(name, [])

    def _person_columns(self, name: str) -> list[str]:
        return ["mentor", "apprentice"] if name == "mentorships" else ["person"]

    def _lookup_ids(self, numbers: pl.Series) -> pl.DataFrame:
        """person, person_id of these row numbers."""
        people = self._scan("people").filter(pl.col("person").is_in(numbers.implode()))
        return people.select("person", "person_id").collect()

    # --- a source of records -----------------------------------------------------------------

    def read_nodes(self, kind: NodeKind, keys: Sequence[str]) -> pl.DataFrame:
        """People as they would be: see `RecordSource`."""
        assert kind.label == "Person"
        wanted = pl.Series(keys, dtype=pl.String)
        people = self._scan("people").filter(pl.col("person_id").is_in(wanted.implode())).collect()
        named = self._change_rows("talents", people["person"])["person"]
        people = people.join(self._last_days, on="person", how="left", maintain_order="left")
        left = pl.col("last_day")
        still = take_last_day(people.lazy(), "retired_on") <= left
        ends = left.is_not_null() & ~still.fill_null(False)
        precision = f"retired_on{PRECISION}"
        changed = people.with_columns(
            pl.when(ends).then(left).otherwise("retired_on").alias("retired_on"),
            pl.when(ends).then(None).otherwise(precision).alias(precision),
            leading=pl.col("leading") & pl.col("person").is_in(named.implode()),
        )
        return changed.select(column.name for column in build_node_columns(kind))

    def read_all_nodes(self, kind: NodeKind) -> pl.DataFrame:
        """Studios, those that open among them: see `RecordSource`."""
        name = next(name for name, label in NODE_FRAMES.items() if label == kind.label)
        known = self._scan(name).collect()
        opened = {change.studio_id: change for change in self._of_kind("open_studio")}
        rows = [
            {
                "studio_id": change.studio_id,
                "name": change.name or change.studio_id,
                "kind": "skill_master",
                "province": change.province or None,
                "founded": change.on,
            }
            for change in opened.values()
        ]
        new = pl.DataFrame(
            {column: [row.get(column) for row in rows] for column in known.columns},
            schema=known.schema,
        )
        return pl.concat([known, new]).sort(NODE_KINDS[kind.label].key)

    def read_relations(self, relation: Relation, keys: Sequence[str]) -> pl.DataFrame:
        """See `RecordSource`."""
        name = _FRAME_BY_TYPE[relation.type]
        wanted = pl.Series(keys, dtype=pl.String)
        people = self._scan("people").filter(pl.col("person_id").is_in(wanted.implode()))
        starts = people.select("person").collect()["person"]
        rows = self._change_rows(name, starts)
        ids = {c: number for c, number in PERSON_COLUMNS.items() if number in rows.columns}
        named = self._lookup_ids(pl.concat([rows[n].rename("") for n in ids.values()]).unique())
        for column, number in ids.items():
            numbered = named.rename({"person": number, "person_id": column})
            rows = rows.join(numbered, on=number, how="left", maintain_order="left").drop(number)
        return rows

    def _change_rows(self, name: str, starts: pl.Series) -> pl.DataFrame:
        """The rows of a frame that start at these people, as they would be."""
        start = self._start_column(name)
        of_them = pl.col(start).is_in(starts.implode())
        known = self._scan(name).filter(of_them).collect()
        key = self._key_columns(name)
        new = self._build_new_rows(name).filter(of_them)
        new = new.join(known, on=key, how="anti", nulls_equal=True) if key else new
        changed = pl.concat([known, new])
        if name == "leads":
            changed = self._end_handed_over(changed)
        if name in _STUDIO_COLUMNS:
            changed = self._end_closed(changed, _STUDIO_COLUMNS[name])
        for column in self._person_columns(name):
            changed = self._end_left(changed, name, column)
        return changed.select(known.columns)

    def _end_handed_over(self, leads: pl.DataFrame) -> pl.DataFrame:
        """Leads that began before a handover end the day before it."""
        if self._handovers.is_empty():
            return leads
        numbered = leads.with_row_index("_row")
        given = (
            numbered.select("_row", "person", "studio_id", "start")
            .join(self._handovers, on="studio_id")
            .filter(
                (pl.col("giver").is_null() | (pl.col("giver") == pl.col("person"))),
                pl.col("start").is_null() | (pl.col("start") < pl.col("handed_on")),
            )
            .group_by("_row")
            .agg(_ends=pl.col("handed_on").min() - timedelta(days=1))
        )
        joined = numbered.join(given, on="_row", how="left", maintain_order="left")
        return _end_rows(joined.drop("_row"))

    def _end_closed(self, rows: pl.DataFrame, studio: str) -> pl.DataFrame:
        closings = self._closings.rename({"studio_id": studio, "closed_on": "_ends"})
        joined = rows.join(closings, on=studio, how="left", maintain_order="left")
        return _end_rows(_drop_later(joined, "start"))

    def _end_left(self, rows: pl.DataFrame, name: str, column: str) -> pl.DataFrame:
        days = self._last_days.rename({"person": column, "last_day": "_ends"})
        joined = rows.join(days, on=column, how="left", maintain_order="left")
        within = _drop_later(joined, _PERSONAL_FRAMES[name])
        return _end_rows(within) if "end" in rows.columns else within.drop("_ends")


def _drop_later(rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """Without the rows that begin after `_ends`."""
    return rows.filter(~(pl.col(day) > pl.col("_ends")).fill_null(False))


def _end_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, ended on `_ends` where that is a day and they go on beyond it."""
    ends = pl.col("_ends")
    last = take_last_day(rows.lazy(), "end")
    cut = ends.is_not_null() & (pl.col("end").is_null() | (last > ends))
    return rows.with_columns(
        pl.when(cut).then(ends).otherwise("end").alias("end"),
        pl.when(cut).then(None).otherwise(f"end{PRECISION}").alias(f"end{PRECISION}"),
    ).drop("_ends")


def find_last_change_day(changes: Sequence[Change]) -> date | None:
    """The latest day that a change names."""
    return max((change.on for change in changes if change.on is not None), default=None)

"""What one source says of one thing in several files, or under two ids: no order decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from graph.model.schema_types import NodeKind, Relation
from loaders.findings import REMARK, build_empty_findings
from loaders.readers.delimited import add_row_numbers
from loaders.records import RecordWriter, write_staged_tables
from loaders.second_statements import remark_second_statements
from loaders.staging import StagedTable, stage_checked_table
from loaders.tables import RawTable, check_table

TODAY = dt.date(2026, 1, 1)
SOURCE = "某局/人员"
JANUARY, FEBRUARY = "1月.csv", "2月.csv"
Files = Mapping[str, Sequence[Mapping[str, str | None]]]


class Stated:
    """Takes the calls of a writer: what the graph would have, the last statement of a key."""

    def __init__(self) -> None:
        self.records: dict[tuple[Any, ...], dict[str, Any]] = {}

    def nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        for row in rows.to_dicts():
            self.records[kind.label, row[kind.key], row["_source"]] = row

    def relations(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        for row in rows.to_dicts():
            self.records[relation.type, row["_from"], row["_to"], row["key"]] = row

    def facet(self, *given: Any) -> None: ...

    reference_nodes = links = unlink = facet


def stage(folder: Path, table: str, files: Files) -> list[StagedTable]:
    staged = []
    for file, rows in files.items():
        frame = add_row_numbers(pl.DataFrame(list(rows)))
        checked = check_table(RawTable(table, file, SOURCE, frame), str, TODAY)
        assert not checked.refused
        staged.append(stage_checked_table(checked, folder / f"{len(staged)}.parquet", SOURCE))
    return staged


def write(staged: Sequence[StagedTable]) -> dict[tuple[Any, ...], dict[str, Any]]:
    stated = Stated()
    write_staged_tables(cast("RecordWriter", stated), staged)
    return stated.records


def list_remarks(staged: Sequence[StagedTable]) -> list[tuple[str, int, str, str, str]]:
    for table in staged:
        table.findings = build_empty_findings()
    remark_second_statements(staged)
    found = pl.concat([table.findings for table in staged])
    assert set(found["kind"]) <= {REMARK}
    return sorted(found.select("file", "row", "column", "value", "reason").rows())


def person(id: str = "P", **values: str | None) -> dict[str, str | None]:
    none = dict.fromkeys(("province", "birth_date", "updated_on"))
    return {"person_id": id, "name": "甲"} | none | values


@pytest.mark.parametrize("order", list(permutations((JANUARY, FEBRUARY))))
def test_an_empty_cell_of_one_file_says_nothing_beside_a_value_of_another(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    files = {JANUARY: [person(province="江苏", birth_date="1980-01-01")], FEBRUARY: [person()]}
    staged = stage(tmp_path, "people", {file: files[file] for file in order})
    (found,) = write(staged).values()
    assert (found["province"], found["birth_date"]) == ("32", dt.date(1980, 1, 1))
    assert found["_origin"] == f"{JANUARY}:2;{FEBRUARY}:2"
    assert list_remarks(staged) == []


@pytest.mark.parametrize("order", list(permutations((JANUARY, FEBRUARY))))
@pytest.mark.parametrize(
    ("updated_on", "standing", "heard", "file", "other"),
    [(None, "32", JANUARY, FEBRUARY, "44"), ("2025-01-01", "44", FEBRUARY, JANUARY, "32")],
)
def test_another_value_of_another_file_is_remarked(
    tmp_path: Path,
    order: tuple[str, ...],
    updated_on: str | None,
    standing: str,
    heard: str,
    file: str,
    other: str,
) -> None:
    files = {
        JANUARY: [person(province="江苏", birth_date="1980-01-01")],
        FEBRUARY: [person(province="广东", birth_date="1981-01-01", updated_on=updated_on)],
    }
    staged = stage(tmp_path, "people", {file: files[file] for file in order})
    (found,) = write(staged).values()
    assert found["province"] == standing
    reason = f"row 2 of {heard} states the same person_id with another value, which stands"
    assert list_remarks(staged) == [
        (file, 2, "birth_date", "***", reason),
        (file, 2, "province", other, reason),
    ]


@pytest.mark.parametrize("order", list(permutations((JANUARY, FEBRUARY))))
def test_two_trainings_of_two_files_are_two(tmp_path: Path, order: tuple[str, ...]) -> None:
    row = {"person_id": "P", "place_id": "S1", "start": "2024-01-01"}
    files = {JANUARY: [row | {"end": "2024-02-01"}], FEBRUARY: [row | {"end": "2024-12-31"}]}
    staged = stage(tmp_path, "trainings", {file: files[file] for file in order})
    found = {key[-1]: (one["end"], one["_origin"]) for key, one in write(staged).items()}
    assert [*found.values()] == [
        (dt.date(2024, 2, 1), f"{JANUARY}:2"),
        (dt.date(2024, 12, 31), f"{FEBRUARY}:2"),
    ]
    assert len(found) == 2


@pytest.mark.parametrize("order", list(permutations(("P1", "P2", "P3"))))
def test_of_two_ids_of_one_person_the_one_that_stands_is_heard_first(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    rows = {
        "P1": person("P1", province="江苏"),
        "P2": person("P2", name="乙", birth_date="1980"),
        "P3": person("P3", province="广东", birth_date="1980-06-01"),
    }
    staged = stage(tmp_path, "people", {JANUARY: [rows[id] for id in order]})
    staged[0].renamed["Person"] = pl.DataFrame(
        {"id": ["P2", "P3"], "standing_id": "P1", "basis": "id_number", "probability": 1.0}
    )
    found = write(staged)["Person", "P1", SOURCE]
    assert (found["name"], found["province"]) == ("甲", "32")
    # The precision is that of the row whose date stands.
    assert (found["birth_date"], found["birth_date_precision"]) == (dt.date(1980, 1, 1), "year")
    place = {id: at for at, id in enumerate(order, 2)}
    assert [(row, column) for _, row, column, _, _ in list_remarks(staged)] == sorted(
        [(place["P2"], "name"), (place["P3"], "province"), (place["P3"], "birth_date")]
    )

"""Several ids in one cell: each row's parts are counted, and each is judged alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import polars as pl

from graph.store.identity_merge import PEOPLE
from loaders.load_identities import LoadIdentities, _rename_tables
from loaders.several_people import split_several_people
from loaders.staging import StagedTable, stage_checked_table
from loaders.tables import RawTable, check_table

NOBODY = cast(Any, None)  # the store is empty, so nobody asks it


def stage(folder: Path, table: str, rows: dict[str, list[str]]) -> StagedTable:
    height = len(next(iter(rows.values())))
    numbered = pl.DataFrame({**rows, "_row": range(2, height + 2)})
    raw = RawTable(table, f"{table}.csv", "某局", numbered)
    checked = check_table(raw, str, dt.date(2026, 6, 1))
    return stage_checked_table(checked, folder / f"{table}.parquet", "某局")


def part(folder: Path, mentor: str, apprentice: str) -> StagedTable:
    people = stage(folder, "people", {"person_id": ["M1", "M2", "A"], "name": ["甲", "乙", "丙"]})
    pairs = {"mentor_id": [mentor], "apprentice_id": [apprentice], "start": ["2024-01-01"]}
    mentorships = stage(folder, "mentorships", pairs)
    split_several_people(NOBODY, [people, mentorships], empty_store=True)
    return mentorships


def list_pairs(table: StagedTable) -> list[tuple[str, str]]:
    return cast(list[tuple[str, str]], table.columns(["mentor_id", "apprentice_id"]).rows())


def rename(table: StagedTable, **standing: str) -> None:
    renamed = pl.DataFrame(
        {"id": list(standing), "standing_id": list(standing.values())},
        schema={"id": pl.String, "standing_id": pl.String},
    )
    identities = LoadIdentities(renamed=renamed)
    _rename_tables([table], PEOPLE, identities)


def test_two_masters_in_a_cell_are_two_pairs(tmp_path: Path) -> None:
    table = part(tmp_path, "M1、M2", "A")
    rename(table)
    assert list_pairs(table) == [("M1", "A"), ("M2", "A")]
    assert (table.read, table.accepted) == (2, 2)


def test_one_of_two_masters_who_is_the_apprentice_takes_no_other_away(tmp_path: Path) -> None:
    table = part(tmp_path, "M1、M2", "A")
    rename(table, M2="A")
    assert list_pairs(table) == [("M1", "A")]
    assert (table.read, table.accepted) == (2, 1)


def test_nobody_is_an_own_master_by_a_cell_of_several(tmp_path: Path) -> None:
    table = part(tmp_path, "M1、A", "A")
    rename(table)
    assert list_pairs(table) == [("M1", "A")]
    assert (table.read, table.accepted) == (2, 1)


def test_a_refused_number_takes_all_its_parts(tmp_path: Path) -> None:
    table = part(tmp_path, "M1、M2", "A")
    table.refuse_numbers(pl.Series("_row", [2]))
    assert list_pairs(table) == []
    assert (table.read, table.accepted) == (2, 0)

"""Small files with the faults that users of other tools have reported, and the right figures.

Each folder of `public_cases` says in its README what it is; the people are invented.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from loaders.department_files import (
    DepartmentFiles,
    count_sheet_rows,
    iterate_raw_tables,
    read_department_files,
)
from loaders.tables import CheckedTable, UnreadFile, check_table
from tests.unit.test_department_lists import DEPARTMENT, TODAY

CASES = Path(__file__).with_name("public_cases")
SHARED = Path(__file__).parents[3] / "shared" / "cases" / "public"
# Case -> tables with accepted/refused rows, before the references are checked.
RIGHT = {
    "01_separator/fullwidth_comma": "mentorships 1/0, people 2/0",
    "01_separator/ideographic_sep": "mentorships 1/0, people 2/0",
    "01_separator/semicolon": "mentorships 1/0, people 2/0",
    "01_separator/tab": "mentorships 1/0, people 2/0",
    "02_encoding/excel_question_marks": "people 3/0",
    "02_encoding/gb18030_rare": "mentorships 2/0, people 4/0",
    "02_encoding/utf16_nobom": "people 1/0",
    "03_excel_numbers": "enterprises 1/0, mentorships 2/0, people 2/2",
    "03b_two_masters_one_id": "mentorships 0/2, people 2/2, recognitions 2/0, talents 0/1",
    "04_names/headers": "mentorships 1/0, people 2/0",
    "04_names/zh_files": "people 1/0",
    "05_lineends/cr_only": "people 2/0",
    "05_lineends/quoted_newline_and_ragged": "people 2/1",
    "05_lineends/u2028_and_ragged": "people 4/1",
    "05_lineends/u2028_clean": "people 4/0",
    "05c_vt_and_trailing_columns": "people 2/0",
    "06_shape/merged_cells": "mentorships 1/1, people 3/0",
    "06_shape/title_row": "people 1/0",
    "06_shape/total_row": "people 1/2",
    "06_shape/trailing": "people 2/0",
    "08_cycles": "mentorships 8/1, people 7/0, recognitions 7/0, talents 2/0",
    "09_same_pair_twice": "mentorships 6/0, people 3/0, recognitions 3/0, talents 4/0",
    "14_several_in_a_cell": "mentorships 4/0, people 3/0",
    "15_words": "people 16/0, recognitions 16/7, talents 8/4",
    "16_graphml_two_links": "mentorships 2/0, people 3/0",
    "17_formula_in_rejects": "people 1/0, talents 0/1",
    "19_pandas_parquet": "enterprises 1/0, mentorships 2/0, people 3/0, recognitions 2/0",
}
UNREAD = {
    "02_encoding/big5": "GB18030 or in Big5",
    "02_encoding/latin1": "row 2: the text there is not UTF-8",
    "02_encoding/mixed": "row 3: this is the first of 1 rows that are not UTF-8",
}


def read(folder: Path, home: Path) -> tuple[DepartmentFiles, list[CheckedTable], list[str]]:
    """The files, their checked tables, and why others are not read; READMEs are none of them."""
    files = read_department_files([folder], home, DEPARTMENT)
    assert files.open == []
    tables, unread = [], []
    for raw in iterate_raw_tables(files, lambda text: text):
        if isinstance(raw, UnreadFile):
            unread += [str(raw.reason)] if "README" not in str(raw.reason) else []
        else:
            tables.append(check_table(raw, lambda text: text, TODAY))
    return files, tables, unread


def describe(tables: list[CheckedTable]) -> str:
    return ", ".join(f"{one.table} {one.accepted}/{one.refused}" for one in tables)


@pytest.mark.parametrize("case", RIGHT)
def test_the_rows_of_each_case(case: str, tmp_path: Path) -> None:
    files, tables, unread = read(CASES / case, tmp_path)
    assert (describe(tables), unread) == (RIGHT[case], [])
    findings = pl.concat([one.findings for one in tables])
    for summary in files.summaries:
        counted = count_sheet_rows(summary, findings)
        assert int(counted["accepted"]) + int(counted["refused"]) == counted["data"]


@pytest.mark.parametrize("case", UNREAD)
def test_what_can_be_read_in_two_ways_is_not_read(case: str, tmp_path: Path) -> None:
    _, tables, (reason,) = read(CASES / case, tmp_path)
    assert tables == [] and UNREAD[case] in reason


def test_files_of_other_names_are_taken_by_their_headers(tmp_path: Path) -> None:
    _, tables, unread = read(CASES / "04_names/files", tmp_path)
    assert unread == [] and {one.table for one in tables} == {"people", "mentorships"}
    assert all(one.refused == 0 for one in tables)


def test_rare_characters_stay(tmp_path: Path) -> None:
    _, tables, _ = read(CASES / "02_encoding/gb18030_rare", tmp_path)
    names = tables[1].rows["name"].to_list()
    assert len(set(names)) == 4 and not any("?" in name or "\ufffd" in name for name in names)


def test_question_marks_in_names_are_remarked(tmp_path: Path) -> None:
    _, tables, _ = read(CASES / "02_encoding/excel_question_marks", tmp_path)
    assert set(tables[0].findings.filter(kind="remark")["row"]) == {2, 3, 4}


def test_row_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    _, tables, _ = read(CASES / "05_lineends/quoted_newline_and_ragged", tmp_path)
    assert tables[0].findings.filter(kind="refused")["row"].to_list() == [3]


def test_dates_of_all_kinds(tmp_path: Path) -> None:
    """A birth date that cannot be read leaves the cell empty; nobody is refused for it."""
    _, tables, _ = read(CASES / "07_dates", tmp_path)
    assert describe(tables) == "employments 5/0, enterprises 1/0, people 42/0"


def test_hard_ids_and_names(tmp_path: Path) -> None:
    """Ids with commas and slashes are one id each: somebody has the whole of them."""
    _, tables, _ = read(CASES / "12_names_ids", tmp_path)
    assert describe(tables) == (
        "mentorships 21/0, people 22/0, recognitions 21/0, studio_leads 1/0, studios 1/0, "
        "talents 22/0"
    )


def test_one_person_of_two_departments(tmp_path: Path) -> None:
    _, tables, _ = read(CASES / "13_same_person_two_ids", tmp_path)
    numbers = pl.concat([one.rows["id_number"] for one in tables if one.table == "people"])
    assert (numbers.len(), numbers.n_unique()) == (6, 3)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
@pytest.mark.parametrize(
    ("case", "summary"),
    [
        ("10_hub", "mentorships 3000/0, people 3001/0, recognitions 1500/0, talents 1/0"),
        (
            "11_many_leaders",
            "people 450/0, recognitions 50/0, studio_leads 400/0, studios 1/0, talents 400/0, "
            "trainings 50/0",
        ),
    ],
)
def test_large_cases(case: str, summary: str, tmp_path: Path) -> None:
    assert describe(read(SHARED / case, tmp_path)[1]) == summary

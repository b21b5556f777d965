"""Files as departments send them: every row is taken or refused with its place and reason."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import polars as pl
import pytest

from graph.errors import UsageError
from loaders import folder
from loaders.tables import REFUSED, REMARK, Checked, check_table

TODAY = dt.date(2026, 11, 23)


def check(path: Path, table: str, content: str | bytes) -> Checked:
    data = content.encode() if isinstance(content, str) else content
    (path / f"{table}.csv").write_bytes(data)
    (raw,) = (raw for raw in folder.get([path]) if raw.table == table)
    return check_table(raw, lambda number: "digest", TODAY)


def refusals(checked: Checked) -> list[tuple[int, str, str]]:
    found = checked.findings.filter(pl.col("kind") == REFUSED).sort("row", "column")
    return found.select("row", "column", "value").rows()


def test_chinese_headers_in_gb18030(tmp_path: Path) -> None:
    text = "人员编号,姓名,所在省份,出生日期\np1,王小明,江苏省,1990年2月3日\n"
    checked = check(tmp_path, "people", text.encode("gb18030"))
    row = checked.rows.row(0, named=True)
    assert (row["person_id"], row["name"], row["province"]) == ("p1", "王小明", "32")
    assert row["birth_date"] == dt.date(1990, 2, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    checked = check(tmp_path, "people", "person_id,name\np1,王小明\n".encode(encoding))
    assert checked.rows["name"].to_list() == ["王小明"]


def test_neither_utf8_nor_gb18030(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"people\.csv, row 2: .*UTF-8"):
        check(tmp_path, "people", b"person_id,name\np1,\xff\xff\n")


def test_compressed_and_parquet(tmp_path: Path) -> None:
    (tmp_path / "people.csv.gz").write_bytes(gzip.compress(b"person_id,name\np1,A\n"))
    frame = pl.DataFrame({"person_id": ["p1"], "level": [4], "date": [dt.date(2024, 5, 1)]})
    frame.write_parquet(tmp_path / "recognitions.parquet")
    tables = [check_table(raw, str, TODAY) for raw in folder.get([tmp_path])]
    assert [(t.table, t.accepted) for t in tables] == [("people", 1), ("recognitions", 1)]


def test_rows_are_refused_with_their_place(tmp_path: Path) -> None:
    text = "person_id,level,date\np1,4,2024-05-01\n\np2,9,2023-02-30\n,4,2024-05-01\n"
    checked = check(tmp_path, "recognitions", text)
    assert (checked.read, checked.accepted, checked.refused) == (3, 1, 2)
    assert refusals(checked) == [
        (4, "date", "2023-02-30"), (4, "level", "9"), (5, "person_id", "")
    ]  # fmt: skip


def test_personal_values_are_not_repeated(tmp_path: Path) -> None:
    text = "person_id,name,birth_date,id_number\np1,王小明,soon,110105194912310021\n"
    checked = check(tmp_path, "people", text)
    assert refusals(checked) == [(2, "birth_date", "***"), (2, "id_number", "***")]
    assert "王小明" not in str(checked.findings.rows())


def test_rows_that_do_not_split_cost_only_themselves(tmp_path: Path) -> None:
    text = (
        "mentor_id,apprentice_id,start\np1,p2,2024-01-01\np1,p3,2024-01-01,x,y\n"
        'p1,"p4"x,2024-01-01\np1,p5\n"open,p6\np1,p7,2024-01-02\n'
    )
    checked = check(tmp_path, "mentorships", text)
    assert checked.read == 6
    assert checked.rows["apprentice_id"].to_list() == ["p2", "p5", "p7"]
    assert [row for row, _, _ in refusals(checked)] == [3, 4, 6]


def test_quoted_line_breaks_keep_the_row_numbers(tmp_path: Path) -> None:
    text = 'person_id,name\np1,"two\nlines"\np2,\n'
    assert refusals(check(tmp_path, "people", text)) == [(3, "name", "")]


def test_missing_column_refuses_the_table_and_counts_its_rows(tmp_path: Path) -> None:
    checked = check(tmp_path, "people", "person_id\np1\np2\n")
    assert (checked.read, checked.accepted, checked.refused) == (2, 0, 2)
    assert "name or 姓名" in checked.findings["reason"][0]


def test_unknown_and_repeated_columns_are_named(tmp_path: Path) -> None:
    checked = check(tmp_path, "people", "person_id,name,mood,name\np1,A,good,B\n")
    assert checked.rows["name"].to_list() == ["A"]
    assert sorted(checked.findings["column"]) == ["mood", "name"]
    assert set(checked.findings["kind"]) == {REMARK}


def test_second_statement_of_a_key(tmp_path: Path) -> None:
    text = "person_id,name,province\np1,A,\np1,A,\np1,B,\n"
    checked = check(tmp_path, "people", text)
    assert (checked.accepted, refusals(checked)) == (2, [(4, "person_id", "p1")])
    assert "row 2 states the same" in checked.findings["reason"][0]


def test_nobody_mentors_himself(tmp_path: Path) -> None:
    checked = check(tmp_path, "mentorships", "mentor_id,apprentice_id\np1,p1\np1,p2\n")
    assert refusals(checked) == [(2, "apprentice_id", "p1")]


def test_remarks_do_not_refuse(tmp_path: Path) -> None:
    text = "mentor_id,apprentice_id,start,end\np1,p2,2024-05,2024-01-01\n"
    checked = check(tmp_path, "mentorships", text)
    assert checked.accepted == 1
    assert sorted(checked.findings["column"]) == ["end", "start"]


def test_a_recognition_to_come_is_a_remark(tmp_path: Path) -> None:
    checked = check(tmp_path, "recognitions", "person_id,level,date\np1,4,2030-01-01\n")
    assert (checked.accepted, checked.findings["kind"].to_list()) == (1, [REMARK])


@pytest.mark.parametrize("content", ["", "person_id,name\n"])
def test_nothing_in_it(tmp_path: Path, content: str) -> None:
    assert check(tmp_path, "people", content).accepted == 0


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        list(folder.get([tmp_path / "absent"]))
    with pytest.raises(UsageError, match="no table"):
        list(folder.get([tmp_path]))
    (tmp_path / "people.xls").touch()
    with pytest.raises(UsageError, match=r"save it as people\.csv"):
        list(folder.get([tmp_path]))


def test_one_table_twice(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,name\n")
    (tmp_path / "people.parquet").touch()
    with pytest.raises(UsageError, match="keep one"):
        list(folder.get([tmp_path]))


def test_damaged_files(tmp_path: Path) -> None:
    (tmp_path / "people.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(UsageError, match="damaged"):
        list(folder.get([tmp_path]))


def test_several_folders_name_their_files_apart(tmp_path: Path) -> None:
    for name in ("ministry", "union"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "people.csv").write_text("person_id,name\np1,A\n")
    raw = list(folder.get([tmp_path / "ministry", tmp_path / "union"]))
    assert [(r.file, r.source) for r in raw] == [
        ("ministry/people.csv", "ministry"), ("union/people.csv", "union")
    ]  # fmt: skip

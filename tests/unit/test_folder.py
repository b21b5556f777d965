"""Files as departments send them: every row is taken or refused with its place and reason."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from graph.errors import UsageError
from loaders import folder
from loaders.findings import REFUSED, REMARK
from loaders.tables import CheckedTable, RawTable, UnreadFile, check_table

TODAY = dt.date(2026, 11, 23)


def check(path: Path, table: str, content: str | bytes) -> CheckedTable:
    data = content.encode() if isinstance(content, str) else content
    (path / f"{table}.csv").write_bytes(data)
    (raw,) = (raw for raw in folder.get([path]) if raw.table == table)
    return check_table(raw, lambda number: "digest", TODAY)


def refusals(checked: CheckedTable) -> list[tuple[int, str, str]]:
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
    assert refusals(checked) == [(4, "date", "2023-02-30"), (4, "level", "9"), (5, "person_id", "")]


def test_personal_values_are_not_repeated(tmp_path: Path) -> None:
    text = "person_id,name,birth_date,id_number\np1,王小明,soon,110105194912310021\n"
    checked = check(tmp_path, "people", text)
    found = checked.findings.sort("column").select("row", "column", "value").rows()
    assert found == [(2, "birth_date", "***"), (2, "id_number", "***")]
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
    with pytest.raises(UsageError, match="is not there"):
        list(folder.get([tmp_path / "absent"]))
    with pytest.raises(UsageError, match="no table"):
        list(folder.get([tmp_path]))
    (tmp_path / "people.xls").touch()
    with pytest.raises(UsageError, match=r"people\.xls is empty"):
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
        ("ministry/people.csv", "ministry"),
        ("union/people.csv", "union"),
    ]


def test_a_file_named_twice_is_read_once_and_said(tmp_path: Path) -> None:
    """By itself, by another way to it, by its folder: a second reading would be counted twice."""
    people = tmp_path / "people.csv"
    people.write_text("person_id,name\np1,A\n", "utf-8")
    (tmp_path / "link").symlink_to(tmp_path)
    roundabout = tmp_path / ".." / tmp_path.name / "people.csv"
    for other in (people, roundabout, tmp_path, tmp_path / "link" / "people.csv"):
        got = list(folder.get([people, other]))
        assert [raw.table for raw in got if isinstance(raw, RawTable)] == ["people"]
        said = [str(one.reason) for one in got if isinstance(one, UnreadFile)]
        assert f"people.csv is named twice in the command; it is read once, as {people}" in said[-1]


def test_one_table_twice_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,name\np1,A\n", "utf-8")
    pl.DataFrame({"person_id": ["p1"]}).write_parquet(tmp_path / "people.parquet")
    for paths in ([tmp_path], [tmp_path / "people.csv", tmp_path / "people.parquet"]):
        with pytest.raises(UsageError, match="keep one of the two"):
            folder.get(paths)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("people.parquet", b"PK\x03\x04 and so on", "damaged or cut short"),
        ("people.csv.gz", b"<html><table>", "is a web page without a table"),
        ("people.csv.gz", b"PAR1 and so on", "damaged or cut short"),
        ("people.parquet", b"", "is empty"),
        ("people.parquet", b"PAR1 cut", "damaged or cut short"),
        (
            "people.csv.gz",
            gzip.compress(b"person_id,name\np1,A\n", mtime=0)[:-9],
            "damaged or cut short",
        ),
        ("people.parquet", b"\x00\x01\x02", "damaged or cut short"),
    ],
)
def test_only_what_is_damaged_is_called_so(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"{name} .*{said}") as error:
        list(folder.get([tmp_path]))
    assert ("damaged" in str(error.value)) == ("damaged" in said)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.parquet", b"person_id,name\np1,A\n"),
        ("people.csv.gz", "人员编号,姓名\np1,A\n".encode("gb18030")),
        ("people.csv", gzip.compress(b"person_id\tname\np1\tA\n", mtime=0)),
        ("people.csv", b"<html><table><tr><td>person_id<td>name<tr><td>p1<td>A</table>"),
        ("people.csv", b'[{"person_id": "p1", "name": "A"}]'),
        ("people.xls", "person_id\tname\r\np1\tA\r\n".encode("utf-16")),
    ],
)
def test_a_file_is_what_its_content_is_not_what_its_ending_says(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    (raw,) = folder.get([tmp_path])
    assert isinstance(raw, RawTable)
    checked = check_table(raw, str, TODAY)
    assert (raw.table, raw.file, checked.rows["person_id"].to_list()) == ("people", name, ["p1"])


def test_a_file_whose_headers_do_not_fit_does_not_hide_the_others(tmp_path: Path) -> None:
    for name in ("people.csv", "recognitions.txt", "Mentorships.csv", "师徒.csv"):
        (tmp_path / name).write_text("person_id,name\np1,A\n", "utf-8")
    with pytest.raises(UsageError, match=r"Mentorships\.csv and 师徒\.csv: keep one"):
        list(folder.get([tmp_path]))
    (tmp_path / "师徒.csv").unlink()
    checked = [check_table(raw, str, TODAY) for raw in folder.get([tmp_path])]
    assert [(c.table, c.file, c.accepted, c.refused) for c in checked] == [
        ("people", "people.csv", 1, 0),
        ("recognitions", "recognitions.txt", 0, 1),
        ("mentorships", "Mentorships.csv", 0, 1),
    ]


def make_workbook(path: Path, sheets: dict[str, list[list[object]]]) -> None:
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)


def check_folder(path: Path) -> list[tuple[str, str, int, int]]:
    """Table, file, rows taken and refused."""
    checked = [
        check_table(raw, lambda number: "digest", TODAY)
        for raw in folder.get([path])
        if isinstance(raw, RawTable)
    ]
    return [(c.table, c.file, c.accepted, c.refused) for c in checked]


def test_one_workbook_with_a_sheet_a_table(tmp_path: Path) -> None:
    make_workbook(
        tmp_path / "2024年数据.xlsx",
        {
            "people": [
                ["人员编号", "姓名"],
                ["p1", "甲"],
                ["p2", None],
                [320102199001010011, "乙"],
            ],
            "师徒": [["某市报送"], [], ["mentor_id", "apprentice_id"], ["p1", "p2"]],
            "等级认定": [["person_id", "level", "date", "证书编号"], ["p1", 4, 45413, "x"]],
            "说明": [["联系人", "电话"], ["丙", "1"]],
        },
    )
    assert check_folder(tmp_path) == [
        ("people", "2024年数据.xlsx/people", 1, 2),
        ("mentorships", "2024年数据.xlsx/师徒", 1, 0),
        ("recognitions", "2024年数据.xlsx/等级认定", 1, 0),
    ]
    (unread,) = [one for one in folder.get([tmp_path]) if isinstance(one, UnreadFile)]
    assert "the sheet 说明 of 2024年数据.xlsx is not read" in str(unread.reason)
    people, mentorships, _ = (r for r in folder.get([tmp_path]) if isinstance(r, RawTable))
    assert people.refused is not None and people.refused["column"].to_list() == ["人员编号"]
    assert mentorships.refused is not None
    assert "the header of mentorships stands in row 3" in mentorships.refused["reason"][0]
    assert mentorships.rows["_row"].to_list() == [4]


def test_tables_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "数据.zip", "w") as archive:
        archive.writestr("2024/people.csv", "人员编号;姓名\np1;甲\n".encode("gb18030"))
        archive.writestr("2024/mentorships.tsv", "mentor_id\tapprentice_id\np1\tp2\nx\n")
        archive.writestr("2024/说明.txt", "以上为全部数据")
    assert check_folder(tmp_path) == [
        ("people", "数据.zip/2024/people.csv", 1, 0),
        ("mentorships", "数据.zip/2024/mentorships.tsv", 1, 1),
    ]


def test_two_sheets_that_are_one_table_are_refused(tmp_path: Path) -> None:
    rows: list[list[object]] = [["person_id", "name"], ["p1", "甲"]]
    make_workbook(tmp_path / "a.xlsx", {"一": rows, "二": rows})
    with pytest.raises(UsageError, match=r"a\.xlsx/一 and .*二: keep one of the two"):
        list(folder.get([tmp_path]))


def test_a_workbook_that_cannot_be_read_does_not_stop_the_tables(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,name\np1,A\n", "utf-8")
    (tmp_path / "备份.xlsx").write_bytes(b"PK\x03\x04")
    assert check_folder(tmp_path) == [("people", "people.csv", 1, 0)]
    (unread,) = [one for one in folder.get([tmp_path]) if isinstance(one, UnreadFile)]
    assert "damaged or cut short" in str(unread.reason)
    (tmp_path / "people.csv").unlink()
    with pytest.raises(UsageError, match=r"holds no table.*damaged or cut short"):
        list(folder.get([tmp_path]))


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_title_rows_above_the_header_are_left_out(tmp_path: Path, sign: str) -> None:
    text = "人员名单\n填报单位：某市\n人员编号,姓名\np1,甲\np2,乙,丙\n人员编号,姓名\n合计,2\n"
    (tmp_path / "people.csv").write_text(text.replace(",", sign), "utf-8")
    (raw,) = folder.get([tmp_path])
    assert isinstance(raw, RawTable)
    checked = check_table(raw, str, TODAY)
    assert (checked.read, checked.rows["_row"].to_list()) == (4, [4])
    assert [row for row, _, _ in refusals(checked)] == [5, 6, 7]

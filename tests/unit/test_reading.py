"""Text as departments and accidents leave it: nothing is lost, changed or made up in silence."""

from __future__ import annotations

import datetime as dt
import gzip
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.identity import CHECK_CHARACTERS, CHECK_WEIGHTS, has_id_number, mask_id_numbers
from graph.messages import Message
from loaders import folder
from loaders.findings import REFUSED, REMARK
from loaders.readers import delimited
from loaders.readers.delimited import read_delimited_rows
from loaders.readers.encodings import detect_encoding
from loaders.tables import CheckedTable, RawTable, UnreadFile, check_table
from tests.examples import limit_examples

TODAY = dt.date(2026, 11, 23)
# An impossible region: nobody's number.
ID = "99999919491231002"
ID += CHECK_CHARACTERS[sum(w * int(d) for w, d in zip(CHECK_WEIGHTS, ID, strict=True)) % 11]


def load(path: Path, encoding: str | None = None) -> dict[str, CheckedTable]:
    raw = [one for one in folder.get([path], None, encoding) if isinstance(one, RawTable)]
    return {one.table: check_table(one, lambda number: "digest", TODAY) for one in raw}


def check(path: Path, content: str | bytes, table: str = "people") -> CheckedTable:
    data = content.encode() if isinstance(content, str) else content
    (path / f"{table}.csv").write_bytes(data)
    return load(path)[table]


def rows(checked: CheckedTable, *columns: str) -> list[tuple[object, ...]]:
    return checked.rows.select(*columns, "_row").rows()


def found(checked: CheckedTable, kind: str) -> list[tuple[int, str]]:
    return sorted(checked.findings.filter(pl.col("kind") == kind).select("row", "column").rows())


# Rows


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1c", "\x1e"])
@pytest.mark.parametrize("ragged", ["", "p9,b,x,y\n"])
def test_a_sign_in_a_cell_ends_no_row(tmp_path: Path, sign: str, ragged: str) -> None:
    checked = check(tmp_path, f"person_id,name\np1,王{sign}小明\n{ragged}p2,李雷\n")
    last = 3 + bool(ragged)
    assert rows(checked, "person_id", "name") == [("p1", "王 小明", 2), ("p2", "李雷", last)]
    assert (2, "name") in found(checked, REMARK)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path: Path, end: str, last: bool) -> None:
    text = end.join(("person_id,name", "p1,甲", "", "p2,乙")) + (end if last else "")
    assert rows(check(tmp_path, text), "person_id") == [("p1", 2), ("p2", 4)]


def test_line_ends_of_all_kinds_in_one_file(tmp_path: Path) -> None:
    checked = check(tmp_path, "person_id,name\rp1,甲\np2,乙\r\np3,丙")
    assert rows(checked, "person_id") == [("p1", 2), ("p2", 3), ("p3", 4)]


def test_two_stray_quotes_far_apart_swallow_nothing(tmp_path: Path) -> None:
    lines = ["person_id,name", *(f"p{n},n{n}" for n in range(2, 1002))]
    lines[2], lines[900] = 'p3,"12 inch', 'p901,12"'
    checked = check(tmp_path, "\n".join(lines))
    assert (checked.read, checked.accepted) == (1000, 999)
    assert found(checked, REFUSED) == [(3, "")]
    assert "898 lines below" in checked.findings["reason"][0]
    assert rows(checked, "person_id")[-1] == ("p1001", 1001)


def test_quotes_that_never_close_or_are_broken_cost_only_their_rows(tmp_path: Path) -> None:
    text = 'person_id,name\np1,"甲\np2,乙\np3,"丙"x\np4,a"b\np5,"戊, ""己"""\n'
    checked = check(tmp_path, text)
    assert found(checked, REFUSED) == [(2, ""), (4, "")]
    assert rows(checked, "name") == [("乙", 3), ('a"b', 5), ('戊, "己"', 6)]


def test_cells_with_line_breaks_count_as_one_row(tmp_path: Path) -> None:
    text = 'person_id,name,type\np1,"王\r\n小明",\np2,李雷,nonsense\n'
    checked = check(tmp_path, text)
    assert rows(checked, "name") == [("王 小明", 2), ("李雷", 3)]
    assert found(checked, REMARK) == [(2, "name"), (3, "type")]


def test_an_id_with_a_line_break_is_refused(tmp_path: Path) -> None:
    checked = check(tmp_path, 'person_id,name\n"p\n1",甲\np2,乙\n')
    assert found(checked, REFUSED) == [(2, "person_id")]


def test_the_header_again_is_no_person(tmp_path: Path) -> None:
    checked = check(tmp_path, "person_id,name\np1,甲\n\ufeffperson_id,name\np2,乙\n")
    assert rows(checked, "person_id") == [("p1", 2), ("p2", 4)]
    assert found(checked, REFUSED) == [(3, "")]


def test_blank_lines_before_the_header_keep_the_numbers(tmp_path: Path) -> None:
    assert rows(check(tmp_path, "\n,\nperson_id,name\np1,甲\n"), "person_id") == [("p1", 4)]


def test_columns_without_a_header_are_named_only_when_something_stands_in_them(
    tmp_path: Path,
) -> None:
    assert not check(tmp_path, "person_id,name,,\np1,甲,,\n").findings.height
    assert found(check(tmp_path, "person_id,name,\np1,甲,x\n"), REMARK) == [(1, "")]


def test_columns_with_the_programs_own_names(tmp_path: Path) -> None:
    checked = check(tmp_path, "_row,person_id,name,_source,_file\n7,p1,甲,x,y\n")
    assert rows(checked, "person_id", "_source") == [("p1", tmp_path.name, 2)]


CELL = st.text(st.sampled_from('ab, "甲\x0b\x85\u2028'), max_size=4)


@settings(max_examples=limit_examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=5), st.sampled_from("\n\r"))
def test_both_ways_of_reading_are_one(table: list[list[str]], end: str) -> None:
    lines = ["h1,h2,h3", *(",".join(row) for row in table)]
    text = end.join(lines).encode()
    slow = delimited._drop_repeated_headers(
        delimited._read_with_csv_module(text, "utf-8", "f", None), "f"
    )
    fast = read_delimited_rows(text, "utf-8", "f")
    blank = pl.lit("")
    assert fast.frame.fill_null(blank).rows() == slow.frame.fill_null(blank).rows()


# Encodings


CHINESE = "人员编号,姓名\np1,王小明\np2,欧阳国庆\n"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_the_encoding_is_found_and_stated(tmp_path: Path, encoding: str, named: str) -> None:
    (tmp_path / "people.csv").write_bytes(CHINESE.encode(encoding))
    (raw,) = folder.get([tmp_path])
    assert isinstance(raw, RawTable)
    assert (raw.encoding, raw.rows["姓名"].to_list()) == (named, ["王小明", "欧阳国庆"])


def test_big5() -> None:
    text = "person_id,name\np1,陳國榮\np2,李偉豪\np3,張家輝\n"
    assert detect_encoding(text.encode("big5"), "f") == "big5"


def test_what_may_be_either_is_asked_for(tmp_path: Path) -> None:
    data = "person_id,name\nb5,陳國榮\nb6,黃麗華\n".encode("big5")
    (tmp_path / "people.csv").write_bytes(data)
    with pytest.raises(UsageError, match=r"GB18030 or in Big5.*--encoding"):
        load(tmp_path)
    assert load(tmp_path, "big5")["people"].rows["name"].to_list() == ["陳國榮", "黃麗華"]


@pytest.mark.parametrize("usual", ["utf-8", "gb18030"])
def test_a_mixture_is_refused_with_its_first_row(tmp_path: Path, usual: str) -> None:
    other = "gb18030" if usual == "utf-8" else "utf-8"
    lines = [f"p{n},王小明和李雷".encode(usual) for n in range(2, 1002)]
    lines[498] = "p500,王小明和李雷".encode(other)
    with pytest.raises(
        UsageError,
        match=rf"people\.csv, row 500: .* first of 1 rows.*{usual}".replace(usual, usual.upper()),
    ):
        check(tmp_path, b"person_id,name\n" + b"\n".join(lines))


def test_one_short_name_in_utf8_among_many_in_gbk_is_a_mixture(tmp_path: Path) -> None:
    lines = [f"p{n},张三丰李四光王五".encode("gb18030") for n in range(2, 3002)]
    with pytest.raises(UsageError, match=r"people\.csv, row 3002: .*GB18030"):
        check(tmp_path, b"\n".join([b"person_id,name", *lines, "g1,赵六".encode()]))


@pytest.mark.parametrize("name", ["濮红波", "联通", "瑜伽"])
def test_names_in_gbk_that_happen_to_be_utf8_are_no_mixture(tmp_path: Path, name: str) -> None:
    lines = [f"p{n},张三丰李四光王五".encode("gb18030") for n in range(2, 3002)]
    checked = check(tmp_path, b"\n".join([b"person_id,name", *lines, b"g1," + name.encode("gbk")]))
    assert checked.rows["name"].to_list()[-1] == name


def test_a_damaged_byte_is_named_with_its_row(tmp_path: Path) -> None:
    data = 'person_id,name\np1,"甲\n乙"\np2,王小明\n'.encode("gb18030")
    with pytest.raises(UsageError, match=r"people\.csv, row 4: .*GB18030"):
        check(tmp_path, data + b"p3,\xff\xff\n")


def test_an_encoding_that_is_given_must_hold(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("person_id,name\np1,José\n".encode("latin-1"))
    assert load(tmp_path, "latin-1")["people"].rows["name"][0] == "José"
    for wrong in ("utf-8", "ascii"):
        with pytest.raises(UsageError, match="row 2"):
            load(tmp_path, wrong)
    for name in ("klingon", "rot13", "hex", "base64", "zlib", ""):
        with pytest.raises(UsageError, match=f"no encoding {name}"):
            folder.get([tmp_path], None, name)


def test_rows_of_totals_are_refused(tmp_path: Path) -> None:
    text = "person_id,name\np1,甲\n合计,1人\n合  计,1\n9,小计：\nTotal,1\n总计,\np2,计合\n"
    checked = check(tmp_path, text)
    assert checked.rows["person_id"].to_list() == ["p1", "p2"]
    assert {row for row, _ in found(checked, REFUSED)} == {3, 4, 5, 6, 7}
    assert sum("totals" in reason for reason in checked.findings["reason"]) == 5


@pytest.mark.parametrize("header", ["Person-ID", "person id", " PERSON  ID ", "person_id"])
def test_headers_are_known_however_their_words_are_parted(tmp_path: Path, header: str) -> None:
    assert check(tmp_path, f"{header},name\np1,甲\n").accepted == 1


@pytest.mark.parametrize("sign", [";", "\t", "，", "、", "|", "^"])
def test_columns_may_be_parted_by_another_sign(tmp_path: Path, sign: str) -> None:
    text = f"person_id{sign}name\np1{sign}甲\np2{sign}乙{sign}丙\n"
    checked = check(tmp_path, text)
    assert (checked.read, checked.accepted) == (2, 1)
    assert found(checked, REFUSED) == [(3, "")]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook: the file is damaged"),
        (b"\x1f\x8b\x08", "damaged"),
        (b"%PDF-1.4", "PDF"),
        (b"<html><table>", "web page"),
        (b"PAR1", "parquet: the file is damaged"),
    ],
)
def test_other_kinds_of_file_are_told(tmp_path: Path, start: bytes, kind: str) -> None:
    with pytest.raises(UsageError, match=kind):
        check(tmp_path, start + b"\x00\x01")


def test_lone_surrogates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="row 2"):
        check(tmp_path, b"person_id,name\np1,\xed\xa0\x80\n")
    with pytest.raises(UsageError, match="row"):
        check(tmp_path, "person_id,name\np1,".encode("utf-16") + b"\x00\xd8,\x00")


def test_lost_characters_are_remarked(tmp_path: Path) -> None:
    text = "person_id,name\np1,王\ufffd明\np2,???\np3,何?\np4,?买买提\np5,Who? Me\np6,何？\n"
    checked = check(tmp_path, text)
    remarked = [(row, "name") for row in (2, 3, 4, 5)]
    assert (checked.accepted, found(checked, REMARK)) == (6, remarked)


# Files


def unread(*paths: Path) -> dict[str, str | None]:
    return {one.file: one.nearest for one in folder.get(paths) if isinstance(one, UnreadFile)}


def test_what_is_not_read_is_named_with_the_nearest_table(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,name\np1,甲\n")
    nearly = {
        "people(1).csv": "people",
        "PEOPLE.CSV": "people",
        "people.csv.bak": "people",
        "people_2024.csv": "people",
        "人员.xlsx": "people",
        "recogniton.csv": "recognitions",
        "notes.txt": None,
    }
    for name in nearly:
        (tmp_path / name).write_text("number,remark\n")
    (tmp_path / "工会").mkdir()
    (tmp_path / "工会" / "honours.csv").touch()
    (tmp_path / "empty").mkdir()
    assert unread(tmp_path) == {**nearly, "工会": "honours", "empty": None}


@pytest.mark.parametrize(
    "name",
    [
        "Mentorships.csv",
        "mentorship.csv",
        "mentorships (1).csv",
        "师徒.csv",
        "师徒关系.csv",
        "mentorships.CSV",
        "mentorships_2024.txt",
        "mentorships.csv.bak",
        "表三.csv",
    ],
)
def test_a_table_is_known_by_its_headers_under_other_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "people.csv").write_text("person_id,name\np1,甲\np2,乙\n")
    (tmp_path / name).write_text("师傅编号,徒弟编号\np1,p2\n")
    raw = [one for one in folder.get([tmp_path]) if isinstance(one, RawTable)]
    assert [(one.table, one.file) for one in raw] == [
        ("people", "people.csv"),
        ("mentorships", name),
    ]


def test_each_unread_file_is_said_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "people.csv").touch()
    (tmp_path / "师徒关系.csv").write_text("甲,乙\n1,2\n")
    (one,) = [one for one in folder.get([tmp_path]) if isinstance(one, UnreadFile)]
    assert "if it is the table mentorships" in str(one.reason)
    assert "如果它是“师徒”表" in one.reason.said("zh")


def test_one_file_is_loaded_as_its_folders(tmp_path: Path) -> None:
    for name in ("people.csv", "talents.csv"):
        (tmp_path / name).write_text("person_id,name\np1,甲\n")
    (raw,) = folder.get([tmp_path / "people.csv"])
    assert isinstance(raw, RawTable)
    assert (raw.table, raw.file, raw.source) == ("people", "people.csv", tmp_path.name)


@pytest.mark.parametrize("name", ["people.csv.zip", "people.et", "人员.xlsx"])
def test_nothing_but_an_empty_file_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(UsageError, match=f"{name}.* is empty"):
            list(folder.get([path]))


def test_folders_in_place_of_files(tmp_path: Path) -> None:
    (tmp_path / "people.csv").mkdir()
    with pytest.raises(UsageError, match="no table"):
        list(folder.get([tmp_path]))


# Cells


def test_an_unreadable_optional_cell_costs_only_itself(tmp_path: Path) -> None:
    text = (
        "person_id,name,sex,birth_date,id_number,province,type,retired_on\n"
        "p1,甲,雄,someday,12345,火星,weird,2024-02-30\n"
    )
    checked = check(tmp_path, text)
    assert checked.accepted == 1
    assert [column for _, column in found(checked, REMARK)] == [
        "birth_date",
        "id_number",
        "province",
        "retired_on",
        "sex",
        "type",
    ]
    row = checked.rows.row(0, named=True)
    assert [row[c] for c in ("sex", "birth_date", "id_number", "province")] == [None] * 4
    assert all("left empty" in reason for reason in checked.findings["reason"])
    assert all("留空" in reason for reason in checked.findings["reason_zh"])


def test_what_decides_on_the_number_still_refuses(tmp_path: Path) -> None:
    mentorships = check(
        tmp_path,
        "mentor_id,apprentice_id,start,end,kind\np1,p2,soon,,\np1,p3,,later,odd\n",
        "mentorships",
    )
    assert found(mentorships, REFUSED) == [(2, "start")]
    assert found(mentorships, REMARK) == [(3, "end"), (3, "kind")]
    trainings = check(tmp_path, "person_id,place_id,start,end\np1,s,,later\n", "trainings")
    assert found(trainings, REFUSED) == [(2, "end")]
    text = "person_id,level,date\np1,12,2024-01-01\np1,4,soon\n"
    recognitions = check(tmp_path, text, "recognitions")
    assert found(recognitions, REFUSED) == [(2, "level"), (3, "date")]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_over_long_cells(tmp_path: Path, kind: str) -> None:
    long = "王" * 2_700
    frame = pl.DataFrame(
        {
            "enterprise_id": [long, "e2", "e3", "e4"],
            "name": ["a", long, "c", "王" * 2_600],
            "industry": ["x", "y", long, "z"],
        }
    )
    if kind == "csv":
        frame.write_csv(tmp_path / "enterprises.csv")
    else:
        frame.write_parquet(tmp_path / "enterprises.parquet")
    checked = load(tmp_path)["enterprises"]
    assert found(checked, REFUSED) == [(2, "enterprise_id"), (3, "name")]
    assert found(checked, REMARK) == [(4, "industry")]
    assert rows(checked, "enterprise_id", "industry") == [("e3", None, 4), ("e4", "z", 5)]
    assert max(len(value) for value in checked.findings["value"]) <= 60


def test_numbers_that_a_spreadsheet_rounded_are_no_ids(tmp_path: Path) -> None:
    checked = check(tmp_path, "person_id,name\n3.20102E+17,甲\n3.2E+17,乙\n")
    assert found(checked, REFUSED) == [(2, "person_id"), (3, "person_id")]


def test_nested_columns_of_parquet_are_left_out(tmp_path: Path) -> None:
    frame = pl.DataFrame({"person_id": [1, 2], "name": ["a", "b"], "sex": [["x"], ["y"]]})
    frame.write_parquet(tmp_path / "people.parquet")
    checked = load(tmp_path)["people"]
    assert rows(checked, "person_id") == [("1", 2), ("2", 3)]
    assert found(checked, REMARK) == [(1, "sex")]


def test_typed_parquet_is_taken_and_refused_as_the_same_text(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "person_id": [1, 2, 3, 4, 5],
            "level": [4, 0, 9, -1, 5],
            "date": [dt.date(2024, 5, 1)] * 4 + [dt.date(1, 1, 1)],
        }
    )
    text, typed = tmp_path / "text", tmp_path / "typed"
    text.mkdir()
    typed.mkdir()
    frame.write_csv(text / "recognitions.csv")
    frame.write_parquet(typed / "recognitions.parquet")
    one, other = load(text)["recognitions"], load(typed)["recognitions"]
    assert one.accepted == other.accepted == 1
    assert found(one, REFUSED) == found(other, REFUSED)


# ID numbers

FORMS = [
    ID,
    ID.lower(),
    f" {ID} ",
    f"身份证{ID}号",
    f"{ID[:6]} {ID[6:14]} {ID[14:]}",
    f"'{ID}",
    " ".join(ID),
    ID.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")),
    f"{ID[:6]}-{ID[6:14]}-{ID[14:]}",
    f"{ID[:9]}\u200b{ID[9:]}",
    f"1 {ID}",
    f"S{ID}",
]


def bare(text: str) -> str:
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c in "0123456789X")


@pytest.mark.parametrize("form", FORMS)
def test_an_id_number_in_any_form_is_known_and_masked(form: str) -> None:
    assert has_id_number(form)
    assert ID not in bare(mask_id_numbers(form))


@pytest.mark.parametrize(
    "text",
    [
        "S000032001001241000001",
        "2" + ID,
        "999999194912310021",
        "2024-05-01 2024-06-01",
        "王小明",
        "913201007453714821",
        "p1",
        "11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37",
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37",
    ],
)
def test_what_is_no_id_number(text: str) -> None:
    assert not has_id_number(text)
    assert mask_id_numbers(text) == text


@pytest.mark.parametrize("form", FORMS)
def test_an_id_number_is_never_stored_nor_shown(tmp_path: Path, form: str) -> None:
    cell = f'"{form}"'
    texts = {
        "people": f"person_id,name,province,retired_on,type,{form.strip()}\n"
        f"{cell},甲,,,,\np2,{cell},,,,\np3,丙,{cell},{cell},{cell},\n",
        "mentorships": f"mentor_id,apprentice_id,start,status\n{cell},p2,,\np3,p4,{cell},\n"
        f"p3,p5,,{cell}\n",
        "honours": f"person_id,honour,grade,date\np3,{cell},national,2024-01-01\n",
        "employments": f"person_id,enterprise_id,position\np3,e1,{cell}\np3,{cell},\n",
        "placings": f"person_id,competition_id,rank\np3,c1,{cell}\n",
        "enterprises": f"enterprise_id,name,education_fund\ne1,甲厂,{cell}\n",
    }
    for table, text in texts.items():
        (tmp_path / f"{table}.csv").write_text(text)
    for checked in load(tmp_path).values():
        for frame in (checked.rows, checked.findings):
            for value in frame.iter_rows():
                assert ID not in bare(" ".join(map(str, value))), value
    assert load(tmp_path)["people"].accepted == 1
    assert load(tmp_path)["employments"].rows["position"].to_list() == [None]


@pytest.mark.parametrize("form", FORMS[:3])
def test_an_id_number_in_its_own_column_is_kept_as_a_digest(tmp_path: Path, form: str) -> None:
    checked = check(tmp_path, f"person_id,name,id_number\np1,甲,{form}\n")
    assert rows(checked, "id_number") == [("digest", 2)]


def test_typed_id_numbers_are_not_stored_either(tmp_path: Path) -> None:
    number = int(ID) if ID.isdigit() else 999999194912310010
    assert has_id_number(str(number)) or number == 999999194912310010
    frame = pl.DataFrame({"person_id": [number, 2], "competition_id": ["c", "c"], "rank": [1, 2]})
    frame.write_parquet(tmp_path / "placings.parquet")
    assert load(tmp_path)["placings"].accepted == (1 if has_id_number(str(number)) else 2)


def test_no_message_says_an_id_number() -> None:
    assert ID not in str(UsageError("no person {person}", person=ID))
    assert ID not in Message("{what}", what=f"x {ID}").said("zh")


# Sizes

LIMITS = """
import sys, time
from pathlib import Path
from graph.errors import UsageError
from loaders import folder
from loaders.tables import check_table
import datetime as dt
began = time.monotonic()
try:
    for raw in folder.get([Path(sys.argv[1])]):
        checked = check_table(raw, str, dt.date(2026, 1, 1))
        print(checked.read, checked.accepted)
except UsageError as error:
    print(error)
# Not ru_maxrss: after a fork it counts what the parent held.
peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(time.monotonic() - began, int(peak) // 1024)
"""
MOST_MB = 700


def measured(path: Path, most_seconds: float) -> str:
    """What a process of its own says of the folder; fails beyond the limits."""
    run = subprocess.run(
        [sys.executable, "-c", LIMITS, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    *said, figures = run.stdout.strip().splitlines()
    seconds, megabytes = map(float, figures.split())
    assert megabytes < MOST_MB, figures
    assert seconds < most_seconds, figures
    return " ".join(said)


@pytest.mark.parametrize("columns", [pytest.param(5_000, marks=pytest.mark.soak), 16_384])
@pytest.mark.parametrize("quoted", [False, True])
def test_as_many_columns_as_a_spreadsheet_has(tmp_path: Path, columns: int, quoted: bool) -> None:
    names = ["person_id", "name", *(f"column {n}" for n in range(columns - 2))]
    cells = ['"p1"' if quoted else "p1", *["x"] * (columns - 1)]
    (tmp_path / "people.csv").write_text(f"{','.join(names)}\n{','.join(cells)}\n")
    assert measured(tmp_path, 20) == "1 1"


def test_more_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(",".join(f"c{n}" for n in range(300_000)) + "\n")
    assert "300,000 columns" in measured(tmp_path, 10)


def test_a_small_gzip_of_three_gigabytes(tmp_path: Path) -> None:
    part = gzip.compress(b"x" * (1 << 26))
    with (tmp_path / "people.csv.gz").open("wb") as file:
        file.write(gzip.compress(b"person_id,name\np1,"))
        for _ in range(48):
            file.write(part)
    assert "50 times its size" in measured(tmp_path, 20)


# A cell that no quote opens is read by the same lines of code from a gzip: once is enough.
@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ('p2,"', "csv"),
        ("p2,", "csv"),
        ('p2,"', "csv.gz"),
        pytest.param("p2,", "csv.gz", marks=pytest.mark.soak),
    ],
)
def test_a_cell_of_200_megabytes_costs_its_row(tmp_path: Path, start: str, kind: str) -> None:
    end = '"\n' if start.endswith('"') else "\n"
    pack: Callable[[bytes], bytes] = gzip.compress if kind == "csv.gz" else bytes
    noise = pack(random.Random(1).randbytes(1 << 20).hex().encode())
    with (tmp_path / f"people.{kind}").open("wb") as file:
        file.write(pack(f"person_id,name\np1,甲\n{start}".encode()))
        for _ in range(100):
            file.write(noise)
        file.write(pack(f"{end}p3,丙\n".encode()))
    assert measured(tmp_path, 60) == "3 2"


def test_20_000_broken_quotes_are_read_in_a_moment(tmp_path: Path) -> None:
    lines = [f'p{n},"{n}"x' if n % 2 else f'p{n},"{n}' for n in range(20_000)]
    (tmp_path / "people.csv").write_text("person_id,name\n" + "\n".join(lines))
    began = time.monotonic()
    checked = load(tmp_path)["people"]
    assert checked.read == 20_000
    assert time.monotonic() - began < 20


def test_a_parquet_of_too_many_rows_for_its_size(tmp_path: Path) -> None:
    rows = pl.select(person_id=pl.repeat("p", 3_000_000), name=pl.lit("x"))
    rows.write_parquet(tmp_path / "people.parquet")
    with pytest.raises(UsageError, match="no table of records"):
        load(tmp_path)

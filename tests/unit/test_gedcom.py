"""GEDCOM files: the people, their masters, and every broken line with its number."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from loaders.department_files import count_sheet_rows
from loaders.readers.gedcom import MAX_BROKEN_LINES, format_gedcom_date
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets
from tests.examples import limit_examples
from tests.unit.test_public_forms import DEPARTMENT, load, pairs, propose_all, write

QUICK = settings(
    deadline=None,
    max_examples=limit_examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
HEAD = "0 HEAD\n1 GEDC\n2 VERS 5.5.1\n1 CHAR UTF-8\n"
PEOPLE = "0 @I1@ INDI\n1 NAME 三 /张/\n0 @I2@ INDI\n1 NAME Carl /Gauß/\n1 SEX F\n"
END = "0 TRLR\n"
MASTER = HEAD + PEOPLE + "1 ASSO @I1@\n2 RELA 师傅\n" + END


def read(tmp_path: Path, content: str | bytes) -> dict[str, Sheet]:
    found = list(read_sheets(write(tmp_path, content, "a.ged")))
    assert all(isinstance(one, Sheet) for one in found)
    return {one.name: one for one in found if isinstance(one, Sheet)}


def reasons(sheet: Sheet) -> list[tuple[int, str, str]]:
    return [(row, str(reason), kind) for _, row, _, _, reason, kind in sheet.remarks]


def test_people_and_their_master(tmp_path: Path) -> None:
    tables, summary = load(tmp_path, MASTER, "a.ged")
    assert pairs(tables) == [("张三", "Carl Gauß")]
    assert [one.file for one in summary.summaries] == ["a.ged [INDI]", "a.ged [ASSO]"]
    assert propose_all(tmp_path / "in" / "a.ged") == []


def test_two_files_of_one_source_never_mix_their_people(tmp_path: Path) -> None:
    """Every program begins with @I1@: it is another person in each file."""
    both = MASTER, MASTER.replace("三 /张/", "四 /李/").replace("Carl /Gauß/", "Emmy /Noether/")
    ids: dict[str, str] = {}
    for name, text in zip(("张氏 1.ged", "李氏.ged"), both, strict=True):
        tables, _ = load(tmp_path / name, text, name)
        ids |= dict(tables["people"].rows.select("person_id", "name").iter_rows())
    assert ids == {
        f"{DEPARTMENT}:张氏%201#I1": "张三",
        f"{DEPARTMENT}:张氏%201#I2": "Carl Gauß",
        f"{DEPARTMENT}:李氏#I1": "李四",
        f"{DEPARTMENT}:李氏#I2": "Emmy Noether",
    }


@pytest.mark.parametrize(
    "word", ["师傅", "師傅", "导师", "Master", "teacher", "Doctoral Advisor", "mentor"]
)
@pytest.mark.parametrize(
    "form", ["2 RELA {}", "2 ROLE {}", "2 ROLE OTHER\n3 PHRASE {}", "2 ROLE _{}"]
)
def test_how_a_master_is_stated(tmp_path: Path, word: str, form: str) -> None:
    text = HEAD + PEOPLE + f"1 ASSO @I1@\n{form.format(word)}\n" + END
    assert pairs(load(tmp_path, text, "a.ged")[0]) == [("张三", "Carl Gauß")]


@pytest.mark.parametrize(
    "lines", ["1 ASSO @I1@\n2 RELA 徒弟", "1 ASSO @I1@\n2 ROLE OTHER\n3 PHRASE student"]
)
def test_an_apprentice_is_the_other_way_round(tmp_path: Path, lines: str) -> None:
    tables, _ = load(tmp_path, HEAD + PEOPLE + lines + "\n" + END, "a.ged")
    assert pairs(tables) == [("Carl Gauß", "张三")]


def test_an_event_dates_its_association(tmp_path: Path) -> None:
    event = "1 EVEN\n2 TYPE x\n2 DATE FROM MAR 1990 TO 1995\n2 ASSO @I1@\n3 RELA master\n"
    tables, _ = load(tmp_path, HEAD + PEOPLE + event + "1 _MASTER @I1@\n" + END, "a.ged")
    rows = tables["mentorships"].rows
    assert rows["start"].dt.year().to_list() == [1990, None]
    assert rows["end"].dt.year().to_list() == [1995, None]


def test_parents_are_no_masters_unless_somebody_says_so(tmp_path: Path) -> None:
    text = HEAD + PEOPLE + "0 @F1@ FAM\n1 HUSB @I1@\n1 CHIL @I2@\n" + END
    path = write(tmp_path / "in", text, "a.ged")
    assert propose_all(path) == ["parents"]
    tables, _ = load(tmp_path / "no", text, "a.ged", parents="no")
    assert "mentorships" not in tables and tables["people"].accepted == 2
    tables, _ = load(tmp_path / "yes", text, "a.ged", parents="yes")
    assert pairs(tables) == [("张三", "Carl Gauß")]


def test_other_associations_are_counted(tmp_path: Path) -> None:
    text = HEAD + PEOPLE + "1 ASSO @I1@\n2 RELA Godfather\n1 ASSO @VOID@\n2 RELA master\n" + END
    sheets = read(tmp_path, text)
    assert set(sheets) == {"INDI"}
    assert [row for row, reason, _ in reasons(sheets["INDI"]) if "1 associations" in reason] == [10]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    text = MASTER.replace("ß", "ss").replace("\n", end)
    assert pairs(load(tmp_path, text.encode(encoding), "名.txt")[0]) == [("张三", "Carl Gauss")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_ansel_is_refused_with_a_sentence(tmp_path: Path, encoding: str) -> None:
    text = MASTER.replace("UTF-8", "ANSEL").replace("ß", "s").replace("\n", "\r\n")
    with pytest.raises(UsageError, match=r"ANSEL.*UTF-8"):
        read(tmp_path, text.encode(encoding))


BROKEN = [
    ("1 SEX F\n", "3 SEX F\n", (7, "line 9 has level 3 below level 1: a line is missing")),
    ("1 SEX F\n", "text goes on\n", (7, "line 9 is no line of GEDCOM (level, tag, value)")),
    ("1 SEX F\n", f"1 NOTE {'x' * 200_000}\n", (7, "line 9 has more than 100,000 characters")),
    ("0 @I2@ INDI", "0 INDI", (7, "this person has no id (0 @I1@ INDI)")),
]


@pytest.mark.parametrize(("old", "new", "refusal"), BROKEN)
def test_a_broken_line_refuses_its_person(
    tmp_path: Path, old: str, new: str, refusal: tuple[int, str]
) -> None:
    tables, found = load(tmp_path, MASTER.replace(old, new), "a.ged")
    findings = pl.concat([one.findings for one in tables.values()]).filter(kind="refused")
    assert findings.select("row", "reason").rows()[0] == refusal
    counted = count_sheet_rows(found.summaries[0], findings)
    assert (counted["data"], counted["accepted"], counted["refused"]) == (2, 1, 1)


def test_an_id_of_two_people_is_nobodys(tmp_path: Path) -> None:
    sheets = read(tmp_path, HEAD + PEOPLE + "0 @I1@ INDI\n1 NAME X Y\n" + END)
    refused = [(row, reason) for row, reason, kind in reasons(sheets["INDI"]) if kind == "refused"]
    assert refused == [
        (5, "the person in line 10 has the same id"),
        (10, "the person in line 5 has the same id"),
    ]


def test_nobody_is_his_own_ancestor(tmp_path: Path) -> None:
    families = "0 @F1@ FAM\n1 HUSB @I1@\n1 CHIL @I2@\n0 @F2@ FAM\n1 HUSB @I2@\n1 CHIL @I1@\n"
    sheets = read(tmp_path, HEAD + PEOPLE + families + END)
    assert [row for row, reason, _ in reasons(sheets["INDI"]) if "own ancestors" in reason] == [
        5,
        7,
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD + PEOPLE, "line 9 without its last line"),
        (MASTER + MASTER, "line 13: something stands here below"),
        (HEAD + "0 INDI\n" + END, "none of its 1 people can be read; the first stands in line 5"),
        (HEAD + "0 @N@ NOTE\n" + "x\n" * (MAX_BROKEN_LINES + 1) + END, "line 6: this is the first"),
    ],
)
def test_a_file_that_is_refused_as_a_whole(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "line",
    [
        "1 ASSO @I1@\n2 RELA friend\n",
        "2 ASSO @I1@\n3 RELA friend\n",
        "1 NOTE " + "x" * 30 + "\n",
    ],
)
def test_a_record_of_many_lines_takes_no_long(tmp_path: Path, line: str) -> None:
    start = time.monotonic()
    read(tmp_path, HEAD + PEOPLE + "1 EVEN\n" + line * 20_000 + END)
    assert time.monotonic() - start < 10


def test_dates() -> None:
    texts = ["5 MAR 1960", "@#DGREGORIAN@ MAR 1960", "GREGORIAN 1960", "BET 1 JAN 1960 AND 1961",
             "JULIAN 1 JAN 1700", "@#DFRENCH R@ 1 VEND 3", "12 XYZ 1960", "(?)", ""]  # fmt: skip
    assert [format_gedcom_date(text) for text in texts] == [
        "1960-03-05", "1960-03", "1960", "", "", "", "", "", ""
    ]  # fmt: skip


LINES = st.one_of(
    st.sampled_from(
        [*PEOPLE.splitlines(), "1 ASSO @I1@", "2 RELA master", "1 ASSO @I9@", "2 ASSO @I2@",
         "0 @F1@ FAM", "1 CHIL @I1@", "1 HUSB @I2@", "1 BIRT", "2 DATE 5 MAR 1960", "2 DATE x",
         "1 _MASTER @I2@", "99 X", "0", "-1 X", "1  NAME", "0 @I1@ INDI", "0 @I3@ INDI", ""]
    ),
    st.text(max_size=12),
)  # fmt: skip


@QUICK
@given(st.lists(LINES, max_size=25))
def test_accepted_and_refused_are_the_people(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    tmp_path = tmp_path_factory.mktemp("gedcom")
    text = HEAD + PEOPLE + "\n".join(lines) + "\n0 TRLR\n"
    try:
        tables, found = load(tmp_path, text, "a.ged", parents="yes", by_name="yes")
    except UsageError as error:
        assert error.said("zh") != str(error)
        return
    findings = pl.concat([one.findings for one in tables.values()])
    people = found.summaries[0]
    counted = count_sheet_rows(people, findings)
    assert int(counted["accepted"]) + int(counted["refused"]) == counted["data"]
    stated = sum(" INDI" in f" {line}" and line.strip().startswith("0") for line in lines) + 2
    assert people.data <= stated

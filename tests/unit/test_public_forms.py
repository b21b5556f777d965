"""Lists as they are published: pairs of master and apprentice, masters by name, genealogies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from loaders.department_files import DepartmentFiles, count_sheet_rows, read_department_files
from loaders.mapping.header_rows import find_layout
from loaders.mapping.mapping import save_mapping
from loaders.mapping.name_lists import is_unclear_name_list, split_names
from loaders.mapping.proposal import Proposal, propose_mapping
from loaders.readers.sheets import read_sheets
from loaders.tables import CheckedTable, UnreadFile
from tests.examples import limit_examples
from tests.unit.test_department_lists import DEPARTMENT, check, confirm, propose

SHARED = Path(__file__).parents[3] / "shared"
QUICK = settings(
    deadline=None,
    max_examples=limit_examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def write(folder: Path, content: str | bytes, name: str = "list.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return folder / name


def load(
    tmp_path: Path, content: str | bytes, name: str = "list.csv", **answers: str
) -> tuple[dict[str, CheckedTable], DepartmentFiles]:
    """The checked tables by name, and the files as they were read."""
    folder = write(tmp_path / "in", content, name).parent
    for sheet in read_sheets(folder / name):
        proposal = (
            None if isinstance(sheet, UnreadFile) else propose_mapping(sheet, DEPARTMENT, answers)
        )
        if proposal is not None:
            assert proposal.questions == ()
            save_mapping(tmp_path, proposal.mapping)
    read = confirm(tmp_path, folder, answers)
    return {table: one for (table, _), one in check(tmp_path, read).items()}, read


def pairs(tables: Mapping[str, CheckedTable]) -> list[tuple[str, str]]:
    """Names of master and apprentice of each mentorship."""
    people = tables["people"].rows
    names = dict(zip(people["person_id"], people["name"], strict=True))
    rows = tables["mentorships"].rows.select("mentor_id", "apprentice_id").rows()
    return [(names[mentor], names[apprentice]) for mentor, apprentice in rows]


def questions(path: Path, answers: Mapping[str, str] = {}) -> list[str]:
    return [question.key for question in propose(path, answers).questions]


def propose_all(path: Path) -> list[str]:
    """The keys of what is asked of all sheets of a file."""
    sheets = [one for one in read_sheets(path) if not isinstance(one, UnreadFile)]
    proposals = [propose_mapping(sheet, DEPARTMENT) for sheet in sheets]
    return [question.key for one in proposals if one for question in one.questions]


THREE = [("张三", "李四"), ("张三", "王五"), ("李四", "赵六")]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|", "，", "；", "^", "→"])
@pytest.mark.parametrize("header", ["师傅{0}徒弟", "Advisor{0}Student", "mentor{0}mentee"])
def test_an_edge_list_of_any_separator(tmp_path: Path, sign: str, header: str) -> None:
    text = "\n".join([header.format(sign), *(sign.join(pair) for pair in THREE)])
    path = write(tmp_path / "in", text)
    assert questions(path) == ["by_name"]
    tables, read = load(tmp_path, text, by_name="yes")
    assert pairs(tables) == THREE
    assert tables["people"].accepted == 4
    (summary,) = read.summaries
    assert (summary.rows, summary.data) == (4, 3)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("张三,李四\n张三,王五\n李四,赵六\n", "1"),
        ("李四,张三\n王五,张三\n赵六,李四\n", "2"),
        ("source,target\n张三,李四\n张三,王五\n李四,赵六\n", "source"),
        ("target,source\n李四,张三\n王五,张三\n赵六,李四\n", "source"),
        ("姓名,姓名\n张三,李四\n张三,王五\n李四,赵六\n", "姓名（1）"),
        ("姓名1,姓名2\n李四,张三\n王五,张三\n赵六,李四\n", "2"),
        ("name_a;name_b\n张三;李四\n张三;王五\n李四;赵六\n", "name_a"),
    ],
)
def test_which_column_is_the_master_is_the_one_question(
    tmp_path: Path, text: str, answer: str
) -> None:
    path = write(tmp_path / "in", text)
    (question,) = propose(path).questions
    assert question.key == "mentor" and len(question.choices) == 2
    assert "different entries" in str(question.hint)
    tables, _ = load(tmp_path, text, mentor=answer)
    assert pairs(tables) == THREE
    assert read_department_files([path], tmp_path, DEPARTMENT).open == []


def test_an_answer_that_is_no_column(tmp_path: Path) -> None:
    path = write(tmp_path, "张三,李四\n张三,王五\n")
    with pytest.raises(UsageError, match="第1列"):
        propose(path, {"mentor": "王五"})


@pytest.mark.parametrize(
    "text",
    [
        "A1 A2 2020-03-01\nA1 A3 2021-03-01\nA3 A4 2022-03-01\n",
        "from,to,date\nA1,A2,2020-03-01\nA1,A3,2021-03-01\nA3,A4,2022-03-01\n",
        "boss,worker,since\nA1,A2,2020-03-01\nA1,A3,2021-03-01\nA3,A4,2022-03-01\n",
    ],
)
def test_numbers_with_a_date(tmp_path: Path, text: str) -> None:
    """People known by a number alone are called by it, with a remark on each."""
    tables, _ = load(tmp_path, text, mentor="1")
    assert pairs(tables) == [("A1", "A2"), ("A1", "A3"), ("A3", "A4")]
    assert tables["mentorships"].rows["start"].dt.year().to_list() == [2020, 2021, 2022]
    said = tables["people"].findings.filter(pl.col("reason").str.contains("number stands"))
    assert said.height == 4


def test_a_last_day_and_a_period(tmp_path: Path) -> None:
    tables, _ = load(tmp_path, "张三,李四,2020-01-01,2022\n李四,王五,2021.5,至今\n", mentor="1")
    rows = tables["mentorships"].rows
    assert rows["start"].dt.year().to_list() == [2020, 2021]
    assert rows["end"].dt.year().to_list() == [2022, None]
    other, _ = load(tmp_path / "b", "张三,李四,2020.1-2022.3\n李四,王五,2021.5-2023\n", mentor="1")
    assert other["mentorships"].rows["end"].dt.year().to_list() == [2022, 2023]


def test_people_of_numbers_alone_are_asked_about(tmp_path: Path) -> None:
    text = "mentor_qid,apprentice_qid\nQ1,Q2\nQ2,Q3\n"
    path = write(tmp_path / "in", text)
    assert questions(path) == ["by_number"]
    tables, _ = load(tmp_path, text, by_number="yes")
    assert pairs(tables) == [("Q1", "Q2"), ("Q2", "Q3")]
    refused, _ = load(tmp_path / "no", text, by_number="no")
    assert "people" not in refused


def test_names_of_another_list_stand_before_numbers(tmp_path: Path) -> None:
    write(tmp_path / "in", "工号,姓名,性别\nQ1,张三,男\nQ2,李四,女\n", "people.csv")
    folder = write(tmp_path / "in", "advisor_id,student_id\nQ1,Q2\nQ2,Q3\n").parent
    tables = check(tmp_path, confirm(tmp_path, folder, {"by_number": "yes"}))
    assert tables["mentorships", "list.csv"].accepted == 2
    assert tables["people", "people.csv"].rows["name"].to_list() == ["张三", "李四"]
    assert tables["people", "list.csv"].rows["name"].to_list() == ["Q3"]


@pytest.mark.parametrize("text", ["1,10\n2,20\n3,30\n", "人才,名单\n", "焊工,3.5\n电工,4.5\n"])
def test_what_is_no_list_of_pairs_stays_unread(tmp_path: Path, text: str) -> None:
    """Row numbers, one row, numbers of another kind."""
    (sheet,) = read_sheets(write(tmp_path, text))
    assert not isinstance(sheet, UnreadFile) and find_layout(sheet).header_rows == ()


def test_a_row_that_names_one_of_the_two_is_refused(tmp_path: Path) -> None:
    tables, read = load(tmp_path, "师傅,徒弟\n张三,李四\n张三,\n,王五\n,\n", by_name="yes")
    findings = pl.concat([one.findings for one in tables.values()])
    (summary,) = read.summaries
    counted = count_sheet_rows(summary, findings)
    assert (counted["data"], counted["accepted"], counted["refused"]) == (3, 1, 2)


@pytest.mark.parametrize(
    "cell", ["李四、王五", "李四;王五", "李四,王五", "李四/王五", "李四／王五", "李四；王五"]
)
@pytest.mark.parametrize("header", ["师傅", "导师", "導師", "Advisor", "指导师傅"])
def test_masters_by_name_beside_each_person(tmp_path: Path, cell: str, header: str) -> None:
    text = f'姓名,{header},单位\n张三,"{cell}",甲厂\n李四,王五,甲厂\n王五,,甲厂\n'
    tables, _ = load(tmp_path, text, by_name="yes")
    assert sorted(pairs(tables)) == [("李四", "张三"), ("王五", "张三"), ("王五", "李四")]
    assert tables["people"].accepted == 3


def test_a_master_is_the_person_of_his_own_row(tmp_path: Path) -> None:
    """Whatever birth his row has: one person, not one for each mention."""
    text = (
        "姓名,出生年月,单位,师傅\n张三,1960-01,甲厂,\n李四,1980-01,甲厂,张三\n王五,1990,甲厂,李四\n"
    )
    tables, _ = load(tmp_path, text, by_name="yes")
    assert tables["people"].accepted == 3
    assert pairs(tables) == [("张三", "李四"), ("李四", "王五")]


def test_two_rows_of_a_person_with_two_masters(tmp_path: Path) -> None:
    tables, _ = load(tmp_path, "姓名,师傅\n张三,李四\n张三,王五\n", by_name="yes")
    assert pairs(tables) == [("李四", "张三"), ("王五", "张三")]
    assert tables["people"].accepted == 3
    again, _ = load(tmp_path / "b", "姓名,师傅\n张三,李四\n张三,李四\n", by_name="yes")
    findings = pl.concat([one.findings for one in again.values()])
    assert set(findings.filter(kind="refused")["row"]) == {2, 3}


def test_two_people_of_one_name_in_one_firm_stay_two(tmp_path: Path) -> None:
    text = (
        "姓名,出生年月,单位,师傅\n张三,1960-01,甲厂,\n张三,1980-01,甲厂,\n李四,1990-01,甲厂,张三\n"
    )
    tables, _ = load(tmp_path, text, by_name="yes")
    assert tables["people"].accepted == 3
    assert tables["mentorships"].accepted == 0  # which of the two is not said


GENEALOGY = """student,advisor,year,school
Carl Friedrich Gauß,Johann Friedrich Pfaff,1799,Universität Helmstedt
Lejeune Dirichlet,"Siméon Poisson; Joseph Fourier",1827,Universität Bonn
"""


def test_a_genealogy_of_advisers(tmp_path: Path) -> None:
    tables, _ = load(tmp_path, GENEALOGY, by_name="yes")
    assert pairs(tables) == [
        ("Johann Friedrich Pfaff", "Carl Friedrich Gauß"),
        ("Siméon Poisson", "Lejeune Dirichlet"),
        ("Joseph Fourier", "Lejeune Dirichlet"),
    ]
    rows = tables["mentorships"].rows
    assert rows["end"].dt.year().to_list() == [1799, 1827, 1827]
    assert rows["start"].null_count() == 3
    assert tables["trainings"].rows["place_id"].to_list() == [
        "UniversitätHelmstedt",
        "UniversitätBonn",
    ]


def test_a_genealogy_with_ids(tmp_path: Path) -> None:
    people = "1,Carl Gauß,2,Helmstedt,1799\n2,Johann Pfaff,3;4,Göttingen,1786\n3,A K,,,\n4,J B,,,\n"
    text = f"id,name,advisors,school,year\n{people}"
    path = write(tmp_path / "in", text)
    assert questions(path) == []
    tables, _ = load(tmp_path, text)
    assert pairs(tables) == [
        ("Johann Pfaff", "Carl Gauß"),
        ("A K", "Johann Pfaff"),
        ("J B", "Johann Pfaff"),
    ]


def test_a_genealogy_as_json(tmp_path: Path) -> None:
    """Advisers and students of one record: the year is that of the record's own degree."""
    nodes = {
        "18231": {"id": 18231, "name": "Carl Gauß", "year": 1799, "institution": "Helmstedt",
                  "advisors": [18230], "descendants": [29642]},
        "18230": {"id": 18230, "name": "Johann Pfaff", "year": 1786, "institution": "Göttingen",
                  "advisors": [], "descendants": [18231]},
        "29642": {"id": 29642, "name": "Ernst Kummer", "year": 1831, "institution": "Halle",
                  "advisors": [18231], "descendants": []},
    }  # fmt: skip
    tables, _ = load(tmp_path, json.dumps({"start_nodes": [18231], "nodes": nodes}), "tree.json")
    assert sorted(pairs(tables)) == [("Carl Gauß", "Ernst Kummer"), ("Johann Pfaff", "Carl Gauß")]
    assert sorted(tables["mentorships"].rows["end"].dt.year()) == [1799, 1831]


def test_names_in_letters() -> None:
    assert split_names("Gauss, Carl; Pfaff, Johann") == ["Gauss, Carl", "Pfaff, Johann"]
    assert split_names("Jane Roe, K. Lee and Zoë Müller") == ["Jane Roe", "K. Lee", "Zoë Müller"]
    assert split_names("José;Zoë") == ["José", "Zoë"]
    assert [
        is_unclear_name_list(text) for text in ("Gauss, Carl", "Plato, Socrates", "A B, C D")
    ] == [
        True,
        True,
        False,
    ]


def test_a_comma_in_a_name_is_not_guessed_at(tmp_path: Path) -> None:
    tables, _ = load(tmp_path, 'advisor,student\n"Gauss, Carl",Ernst Kummer\n', by_name="yes")
    (reason,) = tables["mentorships"].findings["reason"]
    assert "one name or several" in reason and tables["mentorships"].accepted == 0


TRADITIONAL = """填報單位：某縣總工會,,,,
姓名,證書編號,技能等級,發證日期,師傅
張三,S000032001012243000013,高級工（三級）,2024年5月,李四
合計,1人,,,
"""


def test_headers_in_traditional_characters(tmp_path: Path) -> None:
    tables, read = load(tmp_path, TRADITIONAL, by_name="yes")
    assert tables["recognitions"].rows["level"].to_list() == [4]
    assert pairs(tables) == [("李四", "張三")]
    (summary,) = read.summaries
    assert (summary.data, summary.other) == (1, 3)
    folder = write(tmp_path / "ex", "人員編號,姓名,性別\np1,張三,男\n", "people.csv").parent
    exchange = check(tmp_path, read_department_files([folder], tmp_path))
    assert exchange["people", "people.csv"].accepted == 1


NAMES = st.lists(
    st.sampled_from(["张三", "李四", "王五", "Carl Gauß", "Gauss, Carl", "", " ", "3人", "A1"]),
    max_size=2,
)
CELLS = st.tuples(NAMES, st.sampled_from(["、", ";", "/", " "])).map(
    lambda one: one[1].join(one[0])
)
DATES = st.sampled_from(["", "2020", "2020-13", "至今", "x", "2019.5-2020"])


@QUICK
@given(
    st.sampled_from(
        ["师傅,徒弟,日期", "姓名,师傅,拜师时间", "advisor,student,year", "source,target,date"]
    ),
    st.lists(st.tuples(CELLS, CELLS, DATES), min_size=1, max_size=8),
)
@example("advisor,student,year", [("", "张三", "")])
def test_accepted_and_refused_are_the_rows(
    tmp_path_factory: pytest.TempPathFactory, header: str, rows: list[tuple[str, str, str]]
) -> None:
    tmp_path = tmp_path_factory.mktemp("rows")
    text = "\n".join([header, *(",".join(f'"{cell}"' for cell in row) for row in rows)]) + "\n"
    path = write(tmp_path / "in", text)
    if not any(any(cell.strip() for cell in row) for row in rows):
        return
    answers = {"by_name": "yes", "mentor": "1", "by_number": "yes"}
    proposal: Proposal = propose(path, answers)
    tables, read = load(tmp_path, text, **answers)
    findings = pl.concat([one.findings for one in tables.values()])
    (summary,) = read.summaries
    counted = count_sheet_rows(summary, findings)
    filled = sum(any(cell.strip() for cell in row) for row in rows)
    assert counted["data"] == filled == proposal.layout.count("data")
    assert int(counted["accepted"]) + int(counted["refused"]) == filled


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_real_mentors_of_wikidata(tmp_path: Path) -> None:
    """712 statements are 623 pairs of 880 people."""
    text = (SHARED / "data" / "wikidata_mentors" / "mentor_edges.csv").read_bytes()
    tables, read = load(tmp_path, text, by_number="yes")
    assert tables["people"].accepted == 880
    rows = tables["mentorships"].rows
    assert (rows.height, rows.select("mentor_id", "apprentice_id").n_unique()) == (712, 623)
    assert read.summaries[0].data == 712


@pytest.mark.parametrize(
    "text",
    [
        "人员编号,培?地?编号,开始日期\nR13,T1,2022-05-01\nR14,T1,2022-05-01\n",
        "工号,车间代号\nA1,B1\nA2,B1\n",
    ],
)
def test_a_header_that_means_something_is_no_open_pair(tmp_path: Path, text: str) -> None:
    (sheet,) = read_sheets(write(tmp_path, text))
    assert not isinstance(sheet, UnreadFile) and find_layout(sheet).pair is None


def test_staff_numbers_are_those_of_a_list(tmp_path: Path) -> None:
    path = write(tmp_path, "师傅工号,徒弟工号,开始日期\nK1,K2,2022-03-01\n")
    assert questions(path) == [] and not propose(path).mapping.by_number

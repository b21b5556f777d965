"""Forms of lists that offices make, from the text to checked rows: read whole, or refused clearly.

Each list is invented; what must come of it was written down before it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from graph.server.identity_key import build_id_digester
from loaders.department_files import (
    DepartmentFiles,
    count_sheet_rows,
    iterate_raw_tables,
    read_department_files,
)
from loaders.mapping.aliases import match_header
from loaders.mapping.exchange_rows import is_leader_role, split_honour_year
from loaders.mapping.identifiers import extend_old_id_number
from loaders.mapping.mapping import save_mapping
from loaders.mapping.name_lists import names_several_people, strip_name_note
from loaders.mapping.periods import split_period
from loaders.mapping.proposal import propose_mapping
from loaders.mapping.titles import read_titles
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets
from loaders.sheet_inspection import SheetChoices, inspect_sheet
from loaders.tables import CheckedTable, RawTable, check_table
from tests.unit.test_department_lists import TODAY

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def make_id_number(birth: str, serial: int) -> str:
    body = f"329999{birth}{serial:03}"
    total = sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


A, B, C, D = (
    make_id_number(birth, serial)
    for birth, serial in (
        ("19700101", 101),
        ("19850502", 112),
        ("19900303", 123),
        ("19950404", 134),
    )
)


def write(folder: Path, text: str, name: str = "list.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def confirm(
    home: Path, folder: Path, answers: Mapping[str, str] = {}, source: str | None = "某局"
) -> DepartmentFiles:
    for one in read_department_files([folder], home, source).open:
        asked = [question.key for question in one.questions]
        assert len(asked) < 2, asked
        for sheet in read_sheets(one.path):
            if not isinstance(sheet, Sheet):
                continue
            proposal = propose_mapping(sheet, source, answers)
            assert proposal is not None and proposal.questions == ()
            save_mapping(home, proposal.mapping)
    read = read_department_files([folder], home, source)
    assert read.open == []
    return read


def load(home: Path, text: str, **answers: str) -> dict[str, CheckedTable]:
    folder = write(home / "in", text)
    return check(home, confirm(home, folder, answers))


def check(home: Path, read: DepartmentFiles) -> dict[str, CheckedTable]:
    digest = build_id_digester(home)
    found = {}
    for raw in iterate_raw_tables(read, digest):
        assert isinstance(raw, RawTable)
        found[raw.table] = check_table(raw, digest, TODAY)
    said = pl.concat([one.findings for one in found.values()])
    for summary in read.summaries:
        counted = count_sheet_rows(summary, said)
        parts = [counted[kind] for kind in ("data", "other", "blank")]
        assert sum(map(int, parts)) == counted["rows"]
    return found


def list_reasons(tables: Mapping[str, CheckedTable]) -> list[str]:
    return [str(reason) for one in tables.values() for reason in one.findings["reason"]]


def list_refused_rows(tables: Mapping[str, CheckedTable]) -> set[int]:
    said = pl.concat([one.findings for one in tables.values()])
    return set(said.filter(pl.col("kind") == "refused")["row"])


HEADS = "序号,姓名,身份证号,技能等级,发证日期\n"


def test_a_heading_among_the_rows_is_the_employer(tmp_path: Path) -> None:
    text = (
        f"台账,,,,\n{HEADS}一、江苏远航船舶重工有限公司（2人）,,,,\n1,赵建国,{A},高级工,2024-05-01\n"
        f"2,钱志远,{B},技师,2024-05-02\n苏州精测机电有限公司,,,,\n1,孙晓燕,{C},高级工,2024-05-01\n"
    )
    tables = load(tmp_path, text)
    where = tables["people"].rows["enterprise_id"].to_list()
    assert where == ["江苏远航船舶重工有限公司"] * 2 + ["苏州精测机电有限公司"]
    assert sum("the employer of the people below" in one for one in list_reasons(tables)) == 2
    assert tables["recognitions"].accepted == 3 and list_refused_rows(tables) == set()


def test_feet_of_pages_and_signatures_are_no_rows(tmp_path: Path) -> None:
    text = (
        f"2024年名单,,,,\n{HEADS}1,赵建国,{A},高级工,2024-05-01\n第1页,,,,\n2024年名单（续）,,,,\n"
        f"{HEADS}2,钱志远,{B},技师,2024-05-01\n（共2人）,,,,\n以上共计2人,,,,\n注：1.一式两份。,,,,\n"
        "  2.请于月底前报送至我局。,,,,\n制表人：王某,,审核人：李某,,2024年12月1日\n"
        '单位负责人（签字）：,,,填表人：,联系电话：025-88888888\n（此表可续）,,,,\n"第2页，共2页",,,,\n'
    )
    tables = load(tmp_path, text)
    assert tables["recognitions"].accepted == 2 and list_refused_rows(tables) == set()


SIDE_BY_SIDE = f"姓名,身份证号,技能等级,姓名,身份证号,技能等级\n赵,{A},高级工,钱,{B},技师\n"
FORM = f"登记表,,,\n姓名,赵建国,性别,男\n身份证号,{A},出生年月,1970.01\n工作单位,甲,技能等级,技师\n"
TURNED = f"姓名,赵建国,钱志远\n性别,男,男\n身份证号,{A},{B}\n技能等级,高级工,技师\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [(SIDE_BY_SIDE, "side by side"), (FORM, "a form"), (TURNED, "down the side")],
)
def test_a_table_that_would_be_read_in_part_is_refused_whole(
    text: str, reason: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", text)
    read = read_department_files([folder], tmp_path, "某局")
    (unread,) = read.unread
    assert reason in str(unread.reason) and read.open == read.found == []
    (sheet,) = read_sheets(folder / "list.csv")
    assert isinstance(sheet, Sheet)
    digest = build_id_digester(tmp_path)
    seen = inspect_sheet(sheet, folder / "list.csv", tmp_path, SheetChoices("某局"), digest)
    assert seen.kind == "unknown" and reason in str(seen.change)


def test_members_of_a_studio_are_no_leaders_of_it(tmp_path: Path) -> None:
    heads = "工作室名称,姓名,身份证号,{role}所在单位\n"
    rows = [
        f"赵建国劳模创新工作室,赵建国,{A},{{0}}远航重工",
        f"赵建国劳模创新工作室,钱志远,{B},{{1}}远航重工",
    ]
    for at, (role, first, second) in enumerate((("工作室职务,", "领衔人,", "成员,"), ("", "", ""))):
        text = heads.format(role=role) + "\n".join(rows).format(first, second) + "\n"
        tables = load(tmp_path / str(at), text)
        assert tables["studio_leads"].accepted == 1
        assert tables["people"].accepted == 2
        assert sum("leads the studio" in one for one in list_reasons(tables)) == 1
    assert not is_leader_role("副主任") and is_leader_role("领办人")


def test_one_cell_of_two_people_gives_nobody_the_row(tmp_path: Path) -> None:
    heads = "姓名,身份证号,技能等级,发证日期\n"
    rows = f'张三、李四,{A},技师,2024-05-01\n"王五\n赵六",{B},技师,2024-05-01\n'
    rows += f"孙七,{C},技师,2024-05-01\n"
    tables = load(tmp_path, heads + rows)
    assert tables["people"].rows["name"].to_list() == ["孙七"]
    assert (tables["recognitions"].accepted, list_refused_rows(tables)) == (1, {2, 3})


def test_a_number_of_two_names_refuses_the_whole_second_row(tmp_path: Path) -> None:
    heads = "姓名,身份证号,技能等级,发证日期\n"
    rows = f"赵建国,{A},高级工,2024-05-01\n钱志远,{A},技师,2024-06-01\n趙建國,{A},技师,2025-06-01\n"
    tables = load(tmp_path, heads + rows)
    assert tables["people"].rows["name"].to_list() == ["赵建国"]
    assert tables["recognitions"].rows["_row"].to_list() == [2, 4]
    assert list_refused_rows(tables) == {3}


def test_what_a_title_states_is_read_from_each_title(tmp_path: Path) -> None:
    heads = "序号,姓名,身份证号,工作单位\n"
    first = write(
        tmp_path / "1", f"第十六届全国技术能手名单（2023年）,,,\n{heads}1,赵建国,{A},远航\n"
    )
    (honour,) = check(tmp_path, confirm(tmp_path, first))["honours"].rows.to_dicts()
    assert (honour["honour"], honour["grade"], honour["date"].year) == (
        "national_technical_expert",
        "national",
        2023,
    )
    # Other years and honours by the same mapping; a title that says nothing states nothing.
    second = write(tmp_path / "2", f"2024年江苏省劳动模范名单,,,\n{heads}1,钱志远,{B},远航\n")
    (honour,) = check(tmp_path, confirm(tmp_path, second))["honours"].rows.to_dicts()
    assert (honour["honour"], honour["date"].year) == ("江苏省劳动模范", 2024)
    third = write(tmp_path / "3", f"职工花名册,,,\n{heads}1,钱志远,{B},远航\n")
    (asked,) = read_department_files([third], tmp_path, "某局").open
    assert [question.key for question in asked.questions] == ["date"]


def test_a_year_agreed_to_is_that_of_each_title(tmp_path: Path) -> None:
    """The mapping of 2024 read the list of 2025 as one of 2024, and said nothing."""
    heads = "姓名,身份证号,技能等级\n"
    for year, number in ((2024, A), (2025, B)):
        folder = write(tmp_path / str(year), f"{year}年度高级工名单,,\n{heads}赵,{number},高级工\n")
        rows = check(tmp_path, confirm(tmp_path, folder, {"date": "2024"}))["recognitions"].rows
        assert rows["date"].dt.year().to_list() == [year]
    folder = write(tmp_path / "none", f"高级工名单,,\n{heads}赵,{C},高级工\n")
    (asked,) = read_department_files([folder], tmp_path, "某局").open
    assert [question.key for question in asked.questions] == ["date"]


def test_a_title_with_new_facts_is_confirmed_anew(tmp_path: Path) -> None:
    heads = "姓名,身份证号,工作单位\n"
    confirm(tmp_path, write(tmp_path / "1", f"花名册,,\n{heads}赵建国,{A},远航\n"))
    folder = write(tmp_path / "2", f"2023年全国技术能手名单,,\n{heads}赵建国,{A},远航\n")
    (asked,) = read_department_files([folder], tmp_path, "某局").open
    assert [question.key for question in asked.questions] == ["title"]


def test_another_department_s_title_is_never_read_by_a_mapping_of_one(tmp_path: Path) -> None:
    """Their own numbers would have met: 001 of one is not 001 of the other."""
    text = "填报单位：{office},,\n姓名,工号,出生日期\n{name},001,1980-01-01\n"
    first = write(tmp_path / "1", text.format(office="甲市总工会", name="赵建国"))
    confirm(tmp_path, first, source=None)
    second = write(tmp_path / "2", text.format(office="乙市总工会", name="钱志远"))
    (asked,) = read_department_files([second], tmp_path, None).open
    assert [question.key for question in asked.questions] == ["department"]
    read = confirm(tmp_path, second, source="乙市总工会")
    assert [one.source for one in read.found] == ["乙市总工会"]


def test_competitions_schools_and_terms_of_the_retired(tmp_path: Path) -> None:
    text = "2024年全省焊工职业技能大赛获奖名单,,,\n名次,选手姓名,身份证号,单位\n"
    places = load(tmp_path / "a", f"{text}第一名,赵建国,{A},远航\n第二名,钱志远,{B},精测\n")
    assert places["competitions"].rows["name"].to_list() == ["2024年全省焊工职业技能大赛"]
    assert places["placings"].rows["rank"].to_list() == [1, 2]
    text = "姓名,身份证号,工作单位,聘任学校,聘任起止时间\n"
    (taught,) = load(tmp_path / "b", f"{text}赵建国,{A},远航,某技师学院,2023.9-2025.7\n")[
        "teaching"
    ].rows.to_dicts()
    assert (taught["school_id"], taught["end"].isoformat()) == ("某技师学院", "2025-07-01")
    text = "姓名,身份证号,退休日期,返聘单位,返聘岗位,返聘起止时间\n"
    (term,) = load(tmp_path / "c", f"{text}赵建国,{A},2023-05-01,远航,顾问,2023.6.1—2025.5.31\n")[
        "employments"
    ].rows.to_dicts()
    assert (term["reemployed"], term["end"].isoformat()) == (True, "2025-05-31")


def test_the_level_that_an_apprentice_has_reached(tmp_path: Path) -> None:
    text = "师傅姓名,师傅身份证号,徒弟姓名,徒弟身份证号,徒弟现等级,晋级时间,结对时间\n"
    tables = load(tmp_path, f"{text}赵建国,{A},钱志远,{B},高级工,2024-05-01,2022-03-01\n")
    (reached,) = tables["recognitions"].rows.to_dicts()
    (pair,) = tables["mentorships"].rows.to_dicts()
    assert (reached["person_id"], reached["level"]) == (pair["apprentice_id"], 4)
    text = "师傅姓名,师傅身份证号,徒弟姓名,徒弟身份证号,技能等级\n"
    tables = load(tmp_path / "b", f"{text}赵建国,{A},钱志远,{B},高级工\n")
    assert "not understood" in str(list_reasons(tables))  # nobody says whose level it is


def test_no_column_is_lost_in_silence(tmp_path: Path) -> None:
    text = "姓名,身份证号,,认定日期,发证日期,技能等级,培训起止时间\n"
    tables = load(tmp_path, f"{text}赵,{A},特殊,2024-04-01,2024-05-01,高级工,2024.1-2024.3\n")
    said = str(list_reasons(tables))
    assert all(one in said for one in ("no header", "means the same", "no column for this one"))


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("发证年月", "recognition.date"),
        ("取证年月日", "recognition.date"),
        ("出生年月", "person.birth_date"),
        ("年月", None),
    ],
)
def test_headers_that_say_how_a_day_is_written(header: str, field: str | None) -> None:
    assert match_header(header, ("recognition",)) == field


def test_errors_of_formulas_are_no_values(tmp_path: Path) -> None:
    text = "姓名,身份证号,工作单位,技能等级,发证日期\n"
    rows = f"赵建国,{A},#N/A,高级工,2024-05-01\n#REF!,{B},远航,高级工,2024-05-01\n"
    tables = load(tmp_path, text + rows)
    assert tables["people"].rows["enterprise_id"].to_list() == [None]
    assert list_refused_rows(tables) == {3} and "enterprises" not in tables


def test_rounded_numbers_join_nobody(tmp_path: Path) -> None:
    head = "姓名,工号,身份证号,技能等级,证书编号,发证日期\n"
    rows = f"张三,,{A},高级工,1.50001E+15,2024-05-01\n张三,,{B},技师,1.50001E+15,2024-06-01\n"
    rows += "李四,2.02401E+11,,高级工,,2024-05-01\n"
    tables = load(tmp_path, head + rows, by_name="no")
    assert tables["people"].rows["person_id"].n_unique() == 2
    assert tables["recognitions"].rows["certificate_no"].null_count() == 2
    said = [reason for reason in list_reasons(tables) if reason.startswith("a rounded number")]
    assert len(said) == 3
    assert list_refused_rows(tables) == {4}  # nothing but a name is left


def test_invisible_signs_and_notes_hide_nobody(tmp_path: Path) -> None:
    text = "\u200b姓名\u00a0,\ufeff身份证号,技能等级,发证日期\n赵建国（已退休）\u200b,"
    tables = load(tmp_path, f"{text}\u202d{A}\u202c,高级工\u2060,2024-05-01\n")
    assert tables["people"].rows["name"].to_list() == ["赵建国"]
    assert tables["people"].rows["id_number"].null_count() == 0
    assert "what stands after the name" in str(list_reasons(tables))


def test_numbers_of_other_documents_and_of_15_digits(tmp_path: Path) -> None:
    text = "姓名,证件号码,性别,技能等级,发证日期\n"
    rows = (
        "甲甲,329999550101123,男,高级工,2024-05-01\n乙乙,E12345678,,高级工,2024-05-01\n"
        f"丙丙,{A[:-1]}{'0' if A[-1] != '0' else '1'},,高级工,2024-05-01\n"
        f"丁丁,{A},女,技师,2024-05-01\n"
    )
    tables = load(tmp_path, text + rows)
    assert tables["people"].rows["name"].to_list() == ["甲甲", "乙乙", "丁丁"]
    assert list_refused_rows(tables) == {4}
    said = str(list_reasons(tables))
    assert "this ID number can't be right" in said and "the sex is another one" in said
    assert extend_old_id_number("329999620101101") == make_id_number("19620101", 101)


def test_honours_in_numbered_columns_and_with_years(tmp_path: Path) -> None:
    text = "姓名,身份证号,荣誉1,获得时间1,荣誉2,获得时间2\n"
    tables = load(tmp_path, f"{text}赵,{A},全国技术能手,2020.5,全国五一劳动奖章,2022.5\n")
    assert tables["honours"].rows["date"].dt.year().to_list() == [2020, 2022]
    assert split_honour_year("2020年获全国技术能手") == ("全国技术能手", "2020")
    assert split_honour_year("全国技术能手（2020年）") == ("全国技术能手", "2020")
    assert split_honour_year("全国技术能手") == ("全国技术能手", None)


def test_group_heads_of_masters_and_apprentices(tmp_path: Path) -> None:
    rows = [
        ["师傅信息", "", "", "徒弟基本情况", "", "", "拜师时间"],
        ["姓名", "身份证号", "等级", "姓名", "身份证号", "等级", ""],
        ["赵建国", A, "高级技师", "钱志远", B, "中级工", "2022.3"],
    ]
    (tmp_path / "in").mkdir()
    with xlsxwriter.Workbook(tmp_path / "in" / "list.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        sheet.merge_range("A1:C1", "师傅信息")
        sheet.merge_range("D1:F1", "徒弟基本情况")
        sheet.merge_range("G1:G2", "拜师时间")
    tables = check(tmp_path, confirm(tmp_path, tmp_path / "in"))
    assert (tables["people"].accepted, tables["mentorships"].accepted) == (2, 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("自2022年1月1日起至2023年12月31日止", ("2022年1月1日", "2023年12月31日")),
        ("2021.3起至今", ("2021.3", "至今")),
        ("2024.3-2026.3 共2年", ("2024.3", "2026.3")),
        ("2024.3—2026.3（两年）", ("2024.3", "2026.3")),
    ],
)
def test_periods_as_contracts_write_them(text: str, parts: tuple[str, str]) -> None:
    assert split_period(text) == parts


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("姓名 Name", "person.name"),
        ("身份证号\nID No.", "person.id_number"),
        ("Name/姓名", "person.name"),
        ("证书编号A", None),
        ("GPS编号", None),
        ("授予时间2", "honour2.date"),
    ],
)
def test_headers_in_two_languages(header: str, field: str | None) -> None:
    assert match_header(header, ()) == field


@pytest.mark.parametrize(
    ("title", "fact"),
    [
        ("2024年特级技师评聘人员名单", ("特级技师", "", "")),
        ("某技师学院高技能人才名单", ("", "", "")),
        ("技师、高级技师认定人员名单", ("", "", "")),
        ("拟认定高级技师人员名单", ("", "", "")),
        ("首席技师工作室名单", ("", "", "")),
        ("2024年江苏省五一劳动奖章获奖人员名单", ("", "江苏省五一劳动奖章", "")),
        ("中华技能大奖和全国技术能手名单", ("", "", "")),
        ("二〇二四年全省职业技能大赛获奖名单", ("", "", "2024年全省职业技能大赛")),
    ],
)
def test_what_a_title_says_its_list_is_of(title: str, fact: tuple[str, str, str]) -> None:
    facts = read_titles([title])
    assert (facts.level, facts.honour, facts.competition) == fact


def test_notes_that_tell_people_apart_stay_with_a_name_alone() -> None:
    assert strip_name_note("张伟(女)", is_known=False) == "张伟(女)"
    assert strip_name_note("张伟(女)", is_known=True) == "张伟"
    assert strip_name_note("张伟(已退休)", is_known=False) == "张伟"
    assert names_several_people("张三、李四") and not names_several_people("张 三")


def test_the_cell_above_and_certificates_that_ended(tmp_path: Path) -> None:
    text = "姓名,身份证号,工作单位,职业代码,技能等级,发证日期,证书状态\n"
    rows = (
        f"赵,{A},远航,6-18-02-04,高级工,2024-05-01,有效\n钱,{B},同上,2006/4/8,〃,2024-05-02,有效\n"
        f"孙,{C},精测,,技师,2024-05-03,已注销\n"
    )
    tables = load(tmp_path, text + rows)
    assert tables["people"].rows["enterprise_id"].to_list() == ["远航", "远航", "精测"]
    assert tables["recognitions"].rows["level"].to_list() == [4, 4]
    assert list_refused_rows(tables) == {4} and "no code of an occupation" in str(
        list_reasons(tables)
    )


def test_employers_of_masters_and_several_bases(tmp_path: Path) -> None:
    text = "师傅姓名,师傅工作单位,师傅身份证号,徒弟姓名,徒弟工作单位,徒弟身份证号,带徒时间\n"
    tables = load(tmp_path / "a", f"{text}赵,远航,{A},钱,精测,{B},2022.3-2025.3\n")
    assert tables["people"].rows["enterprise_id"].to_list() == ["远航", "精测"]
    assert tables["enterprises"].accepted == 2
    assert tables["mentorships"].rows["end"].null_count() == 0
    text = "姓名,身份证号,认定依据,认定时间\n"
    tables = load(tmp_path / "b", f"{text}赵,{A},全国技术能手、全国五一劳动奖章,2023-05-01\n")
    assert tables["talents"].accepted == 2

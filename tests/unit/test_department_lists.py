"""Lists as departments send them, from the file to checked rows: accepted, refused, and why.

The files are small and invented. Where a case states a true figure it stands here; elsewhere the
counts were computed by hand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from graph.server.identity_key import build_id_digester
from loaders.department_files import (
    DepartmentFiles,
    build_rosters,
    count_sheet_rows,
    explain_open_sheets,
    iterate_raw_tables,
    read_department_files,
)
from loaders.mapping.identifiers import build_certificate_id, is_certificate_id
from loaders.mapping.mapping import save_mapping
from loaders.mapping.proposal import Proposal, propose_mapping
from loaders.readers.sheets import read_sheets
from loaders.tables import CheckedTable, RawTable, UnreadFile, check_table

LISTS = Path(__file__).with_name("department_lists")
TODAY = dt.date(2026, 6, 1)
DEPARTMENT = "某市总工会"
ID_NUMBER = "329999196201011015"


def propose(path: Path, answers: Mapping[str, str] = {}) -> Proposal:
    (sheet,) = [one for one in read_sheets(path) if not isinstance(one, UnreadFile)]
    proposal = propose_mapping(sheet, DEPARTMENT, answers)
    assert proposal is not None
    return proposal


def confirm(home: Path, folder: Path, answers: Mapping[str, str]) -> DepartmentFiles:
    """Every list of the folder confirmed with the answers; what is then ready to load."""
    for one in read_department_files([folder], home, DEPARTMENT, answers).open:
        proposal = propose(one.path, answers)
        assert proposal.questions == ()
        save_mapping(home, proposal.mapping)
    read = read_department_files([folder], home, DEPARTMENT, answers)
    assert read.open == []
    return read


def check(home: Path, read: DepartmentFiles) -> dict[tuple[str, str], CheckedTable]:
    """Each table by its name and file."""
    digest = build_id_digester(home)
    found = {}
    for raw in iterate_raw_tables(read, digest):
        assert isinstance(raw, RawTable)
        found[raw.table, raw.file] = check_table(raw, digest, TODAY)
    return found


def load(home: Path, case: str, **answers: str) -> dict[str, CheckedTable]:
    """The tables of a case by name; those of one name are of one file in the cases asked for."""
    checked = check(home, confirm(home, LISTS / case, answers))
    return {table: one for (table, _), one in checked.items()}


def count(tables: Mapping[str, CheckedTable]) -> dict[str, tuple[int, int]]:
    return {name: (one.accepted, one.refused) for name, one in tables.items()}


LIST_OF_24 = {
    "occupations": (4, 0),
    "enterprises": (4, 0),
    "people": (24, 0),
    "recognitions": (24, 0),
}


@pytest.mark.parametrize("case", ["r01", "r03", "r05"])
def test_a_list_as_received_loads_whole(case: str, tmp_path: Path) -> None:
    tables = load(tmp_path, case)
    assert count(tables) == LIST_OF_24
    levels = tables["recognitions"].rows["level"].value_counts().sort("level").rows()
    assert levels == [(3, 6), (4, 6), (5, 6), (6, 6)]
    people = tables["people"].rows
    assert people["id_number"].null_count() == 0
    assert people["enterprise_id"].n_unique() == 4


def test_every_row_of_a_sheet_is_of_one_kind(tmp_path: Path) -> None:
    read = confirm(tmp_path, LISTS / "r03", {})
    checked = check(tmp_path, read)
    findings = pl.concat([one.findings for one in checked.values()])
    (summary,) = read.summaries
    assert count_sheet_rows(summary, findings) == {
        "file": "people.csv",
        "rows": 30,
        "data": 24,
        "accepted": 24,
        "refused": 0,
        "other": 6,
        "blank": 0,
    }


def test_the_same_person_has_one_id_in_two_lists(tmp_path: Path) -> None:
    ids = [
        set(load(tmp_path / case, case)["people"].rows["name"]) for case in ("r01", "r03", "r05")
    ]
    assert ids[0] == ids[1] == ids[2]
    (tmp_path / "one").mkdir()
    first = load(tmp_path / "one", "r01")["people"].rows["person_id"].to_list()
    second = load(tmp_path / "one", "r03")["people"].rows["person_id"].to_list()
    assert first == second


def test_no_id_number_is_shown_stored_or_put_into_an_id(tmp_path: Path) -> None:
    proposal = propose(LISTS / "r03" / "people.csv")
    tables = load(tmp_path, "r03")
    said = [str(proposal), *(str(one.findings.rows()) for one in tables.values())]
    said += [str(one.rows.rows()) for one in tables.values()]
    said += [path.read_text("utf-8") for path in (tmp_path / "mappings").iterdir()]
    assert not any(ID_NUMBER in text for text in said)
    assert not any("赵建国" in text for text in (said[0], said[-1]))


def test_id_numbers_in_the_column_of_numbers_make_ids(tmp_path: Path) -> None:
    """The clerk, told that person_id is missing, has called the ID number 人员编号."""
    tables = load(tmp_path, "r07", date="none")
    assert count(tables) == {"people": (24, 0), "recognitions": (25, 1)}
    assert tables["people"].rows["id_number"].null_count() == 0
    of_people = set(tables["people"].rows["person_id"])
    # A number with a wrong last character is nobody of the list: its certificate alone is left.
    (stranger,) = set(tables["recognitions"].rows["person_id"]) - of_people
    assert is_certificate_id(stranger)


def test_masked_id_numbers_are_absent_and_remarked(tmp_path: Path) -> None:
    checked = check(tmp_path, confirm(tmp_path, LISTS / "r06", {}))
    people = checked["people", "recognitions.csv"]
    assert (people.accepted, people.refused) == (24, 0)
    assert people.rows["id_number"].null_count() == 24
    hidden = people.findings.filter(column="person.id_number")
    assert hidden["row"].n_unique() == hidden.height == 24
    assert checked["recognitions", "recognitions.csv"].accepted == 24


def test_hidden_digits_are_remarked_in_an_exchange_table_too(tmp_path: Path) -> None:
    people = load(tmp_path, "r29")["people"]
    assert people.accepted == 10
    said = people.findings.filter(pl.col("reason").str.contains("hidden"))
    assert said["row"].to_list() == [2, 3]
    assert set(said["value"]) == {"***"}


def test_a_masked_number_finds_the_person_of_another_list(tmp_path: Path) -> None:
    """First six and last four signs, with the name, are a key beside a list with full numbers."""
    folder = tmp_path / "both"
    folder.mkdir()
    for name, case in (("list.csv", "r03/people.csv"), ("public.csv", "r06/recognitions.csv")):
        (folder / name).write_bytes((LISTS / case).read_bytes())
    checked = check(tmp_path, confirm(tmp_path, folder, {}))
    first = checked["people", "list.csv"].rows["person_id"].to_list()
    second = checked["people", "public.csv"].rows["person_id"].to_list()
    assert first == second


def test_studios_by_name_with_their_leads_among_the_people(tmp_path: Path) -> None:
    checked = check(tmp_path, confirm(tmp_path, LISTS / "r08", {"by_name": "no"}))
    studios = checked["studios", "studios.csv"].rows
    assert studios["kind"].to_list() == ["skill_master"] * 5
    assert studios["funding"].to_list() == [100_000.0] * 5
    leads = checked["studio_leads", "studios.csv"].rows["person_id"].to_list()
    assert leads == ["R0001", "R0002", "R0003", "R0004", "R0005"]


def test_mentorships_by_names_find_the_people_of_the_department(tmp_path: Path) -> None:
    checked = check(tmp_path, confirm(tmp_path, LISTS / "r10", {"by_name": "no"}))
    rows = checked["mentorships", "mentorships.csv"].rows
    pairs = list(zip(rows["mentor_id"], rows["apprentice_id"], strict=True))
    assert pairs == [(f"R{at:04}", f"R{at + 12:04}") for at in range(1, 7)]
    assert rows["start"].to_list() == [dt.date(2024, 3, 1)] * 6
    assert rows["end"].to_list() == [dt.date(2026, 3, 1)] * 6
    assert rows["start_precision"].to_list() == ["month"] * 6


def test_a_name_that_nobody_has_is_refused_unless_names_are_agreed_to(tmp_path: Path) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    (folder / "m.csv").write_bytes((LISTS / "r10" / "mentorships.csv").read_bytes())
    alone = check(tmp_path / "no", confirm(tmp_path / "no", folder, {"by_name": "no"}))
    assert alone["mentorships", "m.csv"].accepted == 0
    assert alone["mentorships", "m.csv"].refused == 6
    agreed = check(tmp_path / "yes", confirm(tmp_path / "yes", folder, {"by_name": "yes"}))
    assert agreed["mentorships", "m.csv"].accepted == 6
    assert agreed["people", "m.csv"].accepted == 12


@pytest.mark.parametrize("case", ["j1", "r23", "r23b"])
def test_bare_digits_are_asked_about_and_never_guessed(case: str, tmp_path: Path) -> None:
    read = read_department_files([LISTS / case], tmp_path, DEPARTMENT)
    (question,) = [one for open_sheet in read.open for one in open_sheet.questions]
    assert question.key == "ladder"
    assert "ladder" in str(explain_open_sheets(read.open))
    if case == "j1":
        assert str(question.hint) == "of 4 certificate numbers 4 agree with old, 0 with new"


def test_union_digits_are_of_the_old_ladder(tmp_path: Path) -> None:
    """Truth: of 初级工 5, 5, 中级工 4, 高级工 3 one is high-skilled."""
    levels = load(tmp_path, "j1", ladder="old")["recognitions"].rows["level"].to_list()
    assert levels == [2, 2, 3, 4]


def test_the_wrong_ladder_is_caught_by_the_certificate_numbers(tmp_path: Path) -> None:
    wrong = load(tmp_path, "j1", ladder="new")["recognitions"]
    assert (wrong.accepted, wrong.refused) == (0, 4)
    assert "its certificate number" in wrong.findings["reason"][0]


def test_a_level_by_name_is_not_in_doubt(tmp_path: Path) -> None:
    text = (LISTS / "r03" / "people.csv").read_text("utf-8-sig")
    path = tmp_path / "list" / "list.csv"
    path.parent.mkdir()
    path.write_text(text.replace("S000032001000241000001", "S000032001000243000001"), "utf-8")
    rows = check(tmp_path, confirm(tmp_path, path.parent, {}))["recognitions", "list.csv"]
    assert (rows.accepted, rows.rows["level"][0]) == (24, 6)
    assert rows.findings.filter(pl.col("column") == "level")["kind"].to_list() == ["remark"]


@pytest.mark.parametrize(
    ("case", "accepted"), [("r23", [6] * 6 + [5] * 6 + [4] * 6 + [3] * 6), ("r23b", None)]
)
def test_an_export_of_union_codes(case: str, accepted: list[int] | None, tmp_path: Path) -> None:
    tables = load(tmp_path, case, ladder="old")
    levels = tables["recognitions"].rows["level"].to_list()
    assert levels == [6] * 6 + [5] * 6 + [4] * 6 + [3] * 6
    if accepted is not None:
        assert tables["people"].rows["sex"].null_count() == 0


def test_a_ladder_once_said_is_remembered(tmp_path: Path) -> None:
    from loaders.mapping.exchange_levels import build_ladder_mapping, find_exchange_sheet

    path = LISTS / "r23" / "recognitions.csv"
    (sheet,) = read_sheets(path)
    assert not isinstance(sheet, UnreadFile)
    exchange = find_exchange_sheet(sheet, path.name, path.name, DEPARTMENT)
    assert exchange is not None
    save_mapping(tmp_path, build_ladder_mapping(exchange, DEPARTMENT, "old"))
    read = read_department_files([LISTS / "r23"], tmp_path, DEPARTMENT)
    assert read.open == []


def test_a_mapping_holds_until_the_headers_change(tmp_path: Path) -> None:
    confirm(tmp_path, LISTS / "r03", {})
    text = (LISTS / "r03" / "people.csv").read_text("utf-8-sig")
    same, other = tmp_path / "same.csv", tmp_path / "other.csv"
    same.write_text(text.replace("第一批", "第二批"), "utf-8")
    other.write_text(text.replace("发证日期", "发证时间"), "utf-8")
    assert read_department_files([same], tmp_path, None).open == []
    (changed,) = read_department_files([other], tmp_path, None).open
    assert "new: 发证时间; gone: 发证日期" in str(explain_open_sheets([changed]))


def test_words_of_sex_and_grades_and_states(tmp_path: Path) -> None:
    sexes = load(tmp_path / "27", "r27")["people"].rows["sex"].to_list()
    assert sexes[:11] == ["male", "female"] * 5 + ["male"]
    assert sexes[11:] == [None, None, None]
    kinds = load(tmp_path / "11", "r11")["mentorships"].rows["status"].to_list()
    assert kinds == ["ongoing", "ongoing", "ongoing", "completed", None, "ongoing"]
    honours = load(tmp_path / "36", "r36")["honours"]
    # 省部级, 市厅级, 县级, 区级, 行业级 and 1 are no single grade of ours.
    assert (honours.accepted, honours.refused) == (9, 6)


def test_places_in_words_are_numbers_and_prizes_are_none(tmp_path: Path) -> None:
    """1, 第一名, 3, 金牌 are places; several may have 一等奖 and 二等奖."""
    tables = load(tmp_path, "r13b")
    assert tables["placings"].rows["rank"].to_list() == [1, 1, 3, 1]
    assert tables["placings"].refused == 2
    assert tables["competitions"].rows["grade"].to_list() == ["provincial", "national"]


def test_headers_as_people_type_them(tmp_path: Path) -> None:
    tables = load(tmp_path / "a", "r31")
    assert count(tables) == {"people": (2, 0)} or count(tables)["people"] == (2, 0)
    people = tables["people"].rows
    assert people["person_id"].to_list() == [f"{DEPARTMENT}:1", f"{DEPARTMENT}:2"]
    assert people["province"].to_list() == ["32", "32"]
    assert people["birth_date_precision"].to_list() == ["month", "month"]
    other = load(tmp_path / "b", "r31b")["people"]
    assert other.accepted == 1


def test_spellings_of_dates(tmp_path: Path) -> None:
    rows = load(tmp_path, "r25")["recognitions"]
    may = rows.rows.filter(pl.col("date").is_between(dt.date(2024, 5, 1), dt.date(2024, 5, 1)))
    read = {int(person[1:]) for person in may["person_id"]}
    # 24.5.1, 24-5-1, 5/1/2024 and 1/5/2024 can be read in two ways, 2024-02-30 is no day.
    assert {*range(24), *range(28, 38)} - read == {16, 17}
    assert not {24, 25, 26, 27, 38} & {int(p[1:]) for p in rows.rows["person_id"]}


def test_names_find_people_that_only_the_store_has(tmp_path: Path) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    (folder / "m.csv").write_bytes((LISTS / "r10" / "mentorships.csv").read_bytes())
    read = confirm(tmp_path, folder, {"by_name": "no"})
    asked: list[str] = []

    def find(department: str, names: Sequence[str]) -> list[tuple[str, str, str]]:
        asked.extend(names)
        assert department == DEPARTMENT
        # 赵建国 of another employer is somebody else; of 钱志远 there are two.
        twice = [("Q1", "钱志远", ""), ("Q2", "钱志远", "")]
        others = [(f"S-{name}", name, "") for name in names if name not in ("赵建国", "钱志远")]
        return [("X", "赵建国", "别的公司"), *twice, *others]

    digest = build_id_digester(tmp_path)
    (raw,) = [
        one
        for one in iterate_raw_tables(read, digest, find)
        if isinstance(one, RawTable) and one.table == "mentorships"
    ]
    assert len(set(asked)) == len(asked) == 12
    checked = check_table(raw, digest, TODAY)
    assert checked.rows["mentor_id"].to_list() == ["S-孙晓燕", "S-李立新", "S-周海涛", "S-吴玉梅"]
    assert checked.findings.filter(pl.col("kind") == "refused")["row"].to_list() == [2, 3]


WITH_ID = f"姓名,身份证号,证书编号,职业技能等级,发证日期\n赵建国,{ID_NUMBER},C1,高级工,2024-06-01\n"
BY_CERTIFICATE = (
    "姓名,证书编号,职业技能等级,发证日期\n赵建国, c1,高级工,2024-06-01\n钱,C2,高级工,2024-06-01\n"
)


@pytest.mark.parametrize("texts", [(WITH_ID, BY_CERTIFICATE), (BY_CERTIFICATE, WITH_ID)])
def test_a_name_leads_to_who_holds_the_certificate_whichever_list_comes_first(
    tmp_path: Path, texts: tuple[str, str]
) -> None:
    """The ids of the certificate's list stay: the load joins them with whoever holds the number."""
    (tmp_path / "in").mkdir()
    for name, text in zip(("a.csv", "b.csv"), texts, strict=True):
        (tmp_path / "in" / name).write_text(text, "utf-8")
    digest = build_id_digester(tmp_path)
    read = confirm(tmp_path, tmp_path / "in", {})
    (roster,) = build_rosters(read, digest).values()
    (holder,) = roster.by_name["赵建国"]
    assert holder.startswith("id-")
    tables = [raw for raw in iterate_raw_tables(read, digest) if isinstance(raw, RawTable)]
    people = (check_table(raw, digest, TODAY).rows for raw in tables if raw.table == "people")
    named = {id for rows in people for id in rows["person_id"]}
    assert named == {holder, *(build_certificate_id(text, digest) for text in ("C1", "C2"))}


def test_projects_achievements_subsidies_and_terms_of_employment(tmp_path: Path) -> None:
    folder = tmp_path / "terms"
    folder.mkdir()
    heads = (
        "姓名,工号,退休类别,工作单位,服务期截止日期,竞业限制截止日期,薪酬形式,项目名称,项目类型,"
        "项目角色,成果名称,成果类型,专利授权日期,补贴类型,补贴金额（万元）,补贴年度,同意公开技能故事"
    )
    rows = (
        "张三,A1,工人岗位,第一机床厂,2027-06-30,2027-12-31,年薪制,重型攻关,技术攻关,负责人,夹具,"
        "专利,2024-05-01,人才津贴,2.5,2024年,是",
        "李四,A2,,第二机床厂,,,,重型攻关,技术攻关,参与人,,,,,,,",
    )
    (folder / "terms.csv").write_text("\n".join((heads, *rows)) + "\n", "utf-8")
    tables = {
        name: one.rows for (name, _), one in check(tmp_path, confirm(tmp_path, folder, {})).items()
    }
    people = tables["people"]
    assert people["retirement_category"].to_list() == ["worker", None]
    assert people["story_consent"].to_list() == [True, None]
    (terms,) = tables["employments"].to_dicts()
    assert (terms["service_until"], terms["pay_form"]) == (dt.date(2027, 6, 30), "annual")
    assert terms["non_compete_until"] == dt.date(2027, 12, 31)
    (project,) = tables["projects"].to_dicts()
    assert (project["name"], project["kind"]) == ("重型攻关", "technical_problem")
    assert project["enterprise_id"] is None  # the participants are of two employers
    worked = tables["participations"]
    assert worked["role"].to_list() == ["负责人", "参与人"]
    assert worked["project_id"].unique().to_list() == [project["project_id"]]
    (made,) = tables["achievements"].to_dicts()
    assert (made["title"], made["kind"], made["date"]) == ("夹具", "patent", dt.date(2024, 5, 1))
    (paid,) = tables["subsidies"].to_dicts()
    assert (paid["kind"], paid["amount"], paid["year"]) == ("talent_allowance", 25_000.0, 2024)
    assert paid["recipient_id"] == made["person_id"] == people["person_id"][0]

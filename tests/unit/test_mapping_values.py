"""Levels, certificate numbers, periods, names, amounts, ids and headers of departments' lists."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.identity import CHECK_CHARACTERS, CHECK_WEIGHTS, has_id_number
from graph.model.vocabularies import LEVELS, PROVINCES
from loaders.mapping.aliases import find_subjects, load_aliases, match_header, normalize_list_header
from loaders.mapping.amounts import find_money_unit, parse_amount
from loaders.mapping.certificate_numbers import parse_certificate_number
from loaders.mapping.field_values import find_grade, split_unit_and_position
from loaders.mapping.identifiers import (
    PeopleRoster,
    PersonMention,
    build_digest_id,
    build_enterprise_id,
    build_own_id,
    build_weak_key,
    identify_person,
    is_credit_code,
    is_masked_id_number,
    load_occupations,
    normalize_certificate,
    normalize_occupation,
    normalize_occupation_code,
    normalize_organisation,
)
from loaders.mapping.level_words import LADDERS, OLD_DEGREE_LEVELS, parse_bare_digit, parse_level
from loaders.mapping.name_lists import normalize_name, split_items, split_names
from loaders.mapping.periods import split_period
from loaders.mapping.titles import read_titles
from loaders.value_words import find_province, parse_rank

TEXT = st.text(max_size=40)
NAMES = {2: "初级", 3: "中级", 4: "高级"}
DEGREES = "一二三四五"


def digest(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    day = (
        f"{draw(st.integers(1940, 2009))}{draw(st.integers(1, 12)):02}{draw(st.integers(1, 28)):02}"
    )
    body = f"329999{day}{draw(st.integers(0, 999)):03}"
    total = sum(weight * int(sign) for weight, sign in zip(CHECK_WEIGHTS, body, strict=True))
    return body + CHECK_CHARACTERS[total % 11]


# Levels


def spellings(level: int) -> list[str]:
    """Every written form of docs/design's table for a level of the old ladder."""
    name, degree = LEVELS[level][1], DEGREES[7 - level - 1]
    short = NAMES.get(level, name)
    skill = f"{short}技能" if level in NAMES else name
    return [
        name,
        f"{degree}级/{name}",
        f"{degree}级 / {name}",
        f"{name}/{degree}级",
        f"{name}（{degree}级）",
        f"{name}({degree}级)",
        f"{short}（{degree}级）",
        f"国家职业资格{degree}级",
        f"职业资格{degree}级（{short}）",
        f"职业资格{degree}级（{skill}）",
        f"{short}(国家职业资格{degree}级)",
        f"{degree}级{name}",
        f"{degree}级、{name}",
        f"{degree}级-{name}",
        f" {7 - level}级/{name} ",
        "　".join(name),
    ]


@pytest.mark.parametrize("ladder", LADDERS)
@pytest.mark.parametrize("level", OLD_DEGREE_LEVELS.values())
def test_every_spelling_of_a_level_is_it_on_any_ladder(level: int, ladder: str) -> None:
    read = {text: parse_level(text, ladder) for text in spellings(level)}  # type: ignore[arg-type]
    assert read == dict.fromkeys(read, level)


@pytest.mark.parametrize("degree", range(1, 6))
def test_a_bare_digit_is_read_by_its_ladder_alone(degree: int) -> None:
    for text in (f"{degree}", f"{degree}.0", f"0{degree}", f" {degree} ", chr(0xFF10 + degree)):
        assert parse_bare_digit(text) == degree
        assert parse_level(text, "") is None
        assert parse_level(text, "old") == 7 - degree
        assert parse_level(text, "new") == degree


@pytest.mark.parametrize("degree", range(1, 6))
def test_a_bare_degree_is_of_the_old_ladder(degree: int) -> None:
    for text in (f"{degree}级", f"{DEGREES[degree - 1]}级"):
        assert parse_level(text, "") == parse_level(text, "old") == 7 - degree
        assert parse_level(text, "new") is None


@pytest.mark.parametrize(
    "text",
    ["高级工程师", "高级工（二级）", "技师、高级技师", "9", "0", "10级", "特级", "", "高技", "Ⅵ级"],
)
def test_no_level(text: str) -> None:
    assert [parse_level(text, ladder) for ladder in LADDERS] == [None] * 3


def test_the_top_of_the_new_ladder() -> None:
    assert parse_level("首席技师（八级）", "") == 8
    assert parse_level("特级技师", "old") == 7
    assert parse_level("7", "old") is None


@given(TEXT)
def test_any_text_is_a_level_or_none(text: str) -> None:
    for ladder in LADDERS:
        assert parse_level(text, ladder) in (None, *LEVELS)


# Certificate numbers


@given(
    st.sampled_from(sorted(PROVINCES)),
    st.integers(0, 69),
    st.integers(1, 5),
    st.integers(0, 999_999),
)
def test_a_certificate_number_says_level_and_year(
    province: str, year: int, degree: int, serial: int
) -> None:
    number = f"S0000{province}001051{year:02}{degree}{serial:06}"
    said = parse_certificate_number(number.lower())
    assert said is not None
    assert (said.year, said.level, said.province) == (2000 + year, 7 - degree, province)


def test_other_certificate_numbers() -> None:
    top = parse_certificate_number("ST" + "0000" + "32" + "001051" + "24" + "000362")
    assert top is not None and (top.year, top.level) == (2024, None)
    old = parse_certificate_number("1832011234567890")
    assert old is not None and (old.year, old.province, old.level) == (2018, "32", None)
    assert parse_certificate_number("1.5E+15") is None
    assert parse_certificate_number("S0000990010512430003620") is None


# Periods, names, amounts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2024.3—2026.3", ("2024.3", "2026.3")),
        ("2013.09-2018.07", ("2013.09", "2018.07")),
        ("2024-03-01至2026-03-01", ("2024-03-01", "2026-03-01")),
        ("2024年3月至今", ("2024年3月", "至今")),
        ("2024.3-", ("2024.3", "")),
        ("2024-05", ("2024-05", "")),
        ("2024年3月1日起", ("2024年3月1日", "")),
        ("20240301-20260301", ("20240301", "20260301")),
        ("三年", None),
        ("2024.3—2026.3—2027", None),
    ],
)
def test_a_period_in_one_cell(text: str, parts: tuple[str, str] | None) -> None:
    assert split_period(text) == parts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("张三、李四", ["张三", "李四"]),
        ("张三，李四；王五", ["张三", "李四", "王五"]),
        ("张三 李四", ["张三", "李四"]),
        ("贺 彪", ["贺彪"]),
        ("欧阳 娜娜", ["欧阳娜娜"]),
        ("张三（组长）、李四", ["张三", "李四"]),
        ("阿不都•热合曼", ["阿不都·热合曼"]),
        ("John Smith", ["John Smith"]),
        ("3人", ["3人"]),
    ],
)
def test_names_in_a_cell(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@given(
    st.lists(
        st.text("赵钱孙李周吴郑王建国志远晓燕", min_size=2, max_size=3), min_size=1, unique=True
    )
)
def test_no_name_of_a_list_is_lost(names: list[str]) -> None:
    assert split_names("、".join(names)) == names
    assert split_items("、".join(names)) == names


@pytest.mark.parametrize(
    "normalize",
    [normalize_name, normalize_organisation, normalize_certificate],
)
@given(TEXT)
@example(
    "A\N{ACUTE ACCENT}\N{IDEOGRAPHIC TELEGRAPH SYMBOL FOR DAY ONE}"
)  # a blank and an accent, in one sign
def test_what_is_normalized_stays_as_it_is(normalize: Callable[[str], str], text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@pytest.mark.parametrize(
    ("header", "unit"),
    [("资助经费（万元）", 10_000), ("经费(千元)", 1_000), ("金额：元", 1), ("资助经费", None)],
)
def test_the_unit_of_a_header(header: str, unit: int | None) -> None:
    assert find_money_unit(header) == unit


def test_amounts() -> None:
    assert parse_amount("8万元", 1) == "80000"
    assert parse_amount("1,234.5", 10_000) == "12345000"
    assert parse_amount("8", None) is None
    assert parse_amount("若干", 1) is None


@given(st.decimals(0, 10**9, allow_nan=False, places=2), st.sampled_from([1, 1_000, 10_000]))
def test_an_amount_in_any_unit(amount: object, unit: int) -> None:
    read = parse_amount(str(amount), unit)
    assert read is not None
    assert abs(float(read) - float(str(amount)) * unit) < 0.01 * unit


# Ids


@given(id_numbers())
def test_an_id_gives_nothing_of_the_id_number_away(number: str) -> None:
    made = build_digest_id("id", number, digest)
    assert not has_id_number(made) and number not in made
    assert not set(made.removeprefix("id-")) - set(string.ascii_lowercase)
    person = PersonMention(name="张三", id_number=f" {number[:6]} {number[6:]}".lower())
    assert identify_person(person, "人社局", digest, PeopleRoster()).person_id == made
    assert identify_person(person, "总工会", digest, PeopleRoster()).person_id == made


@given(id_numbers())
def test_a_masked_number_is_no_number_but_a_weak_key(number: str) -> None:
    masked = f"{number[:6]}********{number[-4:]}"
    assert is_masked_id_number(masked) and not is_masked_id_number(number)
    assert build_weak_key(masked) == build_weak_key(number) == (number[:6], number[-4:])
    said = PersonMention(name="张三", id_number=masked)
    roster = PeopleRoster()
    roster.add("P1", PersonMention(name="张三", id_number=number))
    assert identify_person(said, "人社局", digest, roster).person_id == "P1"
    roster.add("P2", PersonMention(name="张三", id_number=number))
    assert identify_person(said, "人社局", digest, roster).person_id not in ("P1", "P2")


def test_own_numbers_of_two_departments_never_meet() -> None:
    assert build_own_id("人社局", "1") != build_own_id("总工会", "1")


def test_one_name_of_several_people_is_nobody() -> None:
    roster = PeopleRoster()
    roster.add("P1", PersonMention(name="王伟", employer="甲厂"))
    roster.add("P2", PersonMention(name="王 伟", employer="乙厂"))
    found = identify_person(PersonMention(name="王伟"), "人社局", digest, roster)
    assert (found.person_id, found.several) == (None, 2)
    there = PersonMention(name="王伟", employer="乙 厂")
    assert identify_person(there, "人社局", digest, roster).person_id == "P2"


def test_a_row_of_its_own_is_no_other_person_of_the_name() -> None:
    """A name that stands by itself in a person's own row must not become somebody with a number."""
    roster = PeopleRoster()
    roster.add("P1", PersonMention(name="王伟"))
    said = PersonMention(name="王伟")
    for by_name in (False, True):
        found = identify_person(said, "局", digest, roster, by_name=by_name, is_reference=False)
        assert found.person_id != "P1"


def test_enterprises_by_code_else_by_name() -> None:
    assert is_credit_code("91350100M000100Y43")
    assert build_enterprise_id("某 公司（武汉）", "91350100M000100Y43") == "91350100M000100Y43"
    assert build_enterprise_id("某 公司（武汉）", "91350100M000100Y44") == "某公司(武汉)"


def test_occupations() -> None:
    assert normalize_occupation_code("4—08–05-02") == "4-08-05-02"
    assert normalize_occupation_code("焊工") is None
    assert normalize_occupation("汽车维修工(智能网联新能源汽车方向)") == "汽车维修工"
    names, codes = load_occupations()
    assert codes["汽车维修工"] == "4-12-01-01" and names["6-18-02-04"] == "焊工"
    assert "甘油制造工" not in codes  # the list has two of this name
    assert all(normalize_occupation_code(code) == code for code in names)


# Headers, titles, words


@pytest.mark.parametrize(
    ("header", "subjects", "field"),
    [
        ("姓 名", (), "person.name"),
        ("身份证\n号码*", (), "person.id_number"),
        ("职业（工种）", (), "occupation.name"),
        ("级别", (), "recognition.level"),
        ("级别", ("studio",), "studio.grade"),
        ("级别", ("honour",), "honour.grade"),
        ("师傅姓名", (), "mentor.name"),
        ("校内导师姓名", (), "mentor2.name"),
        ("学员1工号", (), "apprentice1.own_number"),
        ("学员二姓名", (), "apprentice2.name"),
        ("领办人", (), "lead.name"),
        ("ＡＡＣ００２", (), "person.id_number"),
        ("证书类型(0-干部培训,1-其他)", (), None),
        ("随便什么", (), None),
    ],
)
def test_headers(header: str, subjects: tuple[str, ...], field: str | None) -> None:
    assert match_header(header, subjects) == field


def test_the_headers_that_were_seen_are_known() -> None:
    """Each header of the collected lists that stands for something in the format."""
    headers = [
        "持证人",
        "证书持有人姓名",
        "公民身份证号码",
        "有效证件号码",
        "个人编号",
        "工会会员号",
        "学号",
        "档案出生日期",
        "离退休日期",
        "单位名称",
        "签订主体",
        "依托单位",
        "所属单位",
        "统一社会信用代码",
        "组织机构代码",
        "地区",
        "市州",
        "鉴定职业",
        "申报职业",
        "从事职业",
        "鉴定级别",
        "培训等级",
        "技术等级",
        "核发日期",
        "证书获得时间",
        "证书号码",
        "企业导师姓名",
        "指导师傅",
        "拜师时间",
        "确定时间",
        "协议起止时间",
        "师徒状态",
        "工作室名称",
        "领衔人",
        "荣誉种类",
        "授予称号",
        "授予日期",
        "竞赛名称",
        "竞赛类别",
        "参赛队员",
        "奖项名称",
        "职工教育经费",
        "备注",
        "AAC001",
        "AAC003",
        "AAC004",
        "AAC006",
        "AAB001",
        "AAB004",
        "ACA111",
        "ACA112",
        "AIC162",
    ]
    assert [header for header in headers if match_header(header, ()) is None] == []


@given(TEXT)
def test_any_header_is_read(header: str) -> None:
    plain = normalize_list_header(header)
    assert normalize_list_header(plain) == plain
    match_header(header, ("studio", "honour"))
    find_subjects([header])


def test_every_alias_stands_once() -> None:
    assert load_aliases()["级别"].keys() >= {"", "studio", "honour"}


def test_titles() -> None:
    facts = read_titles(
        [
            "附件1",
            "2024年度全省高技能人才名单（第一批）",
            "填报单位（盖章）：某市人力资源和社会保障局",
        ]
    )
    assert (facts.year, facts.batch, facts.grade) == (2024, "一", "provincial")
    assert facts.department == "某市人力资源和社会保障局"


def test_ranks_posts_grades_and_places() -> None:
    assert [parse_rank(t) for t in ("1", "第一名", "冠军", "铜牌", "一等奖", "第十二名")] == [
        "1",
        "1",
        "1",
        "3",
        None,
        "12",
    ]
    assert split_unit_and_position("南华大学附属第一医院重症医学科医生") == (
        "南华大学附属第一医院",
        "重症医学科医生",
    )
    assert find_grade("全国五一劳动奖章") == "national"
    assert find_grade("省部级技术能手") is None
    places = [
        "江苏省南京市",
        "320100",
        "苏",
        "江\u3000苏",
        "Jiangsu",
        "南京",
        "苏州市",
        "99",
        "火星",
        "中央",
    ]
    assert [find_province(p) for p in places] == ["32"] * 7 + [None] * 3


@given(TEXT)
def test_any_place_is_a_province_or_none(text: str) -> None:
    assert find_province(text) in (None, *PROVINCES)

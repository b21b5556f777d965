"""What a header means: its text to a field, after everything that people add to a header is gone.

A field is `role.attribute`: what the column states (`attribute`) and about which person or thing
(`role`). The roles `mentor`, `apprentice`, `lead` are people beside the `person` of a row; a number
after the role tells several of one row apart (`apprentice2.name`). Which header means what stands
in aliases.csv; a header that means something else in lists of studios, honours, competitions ...
has a further line with that subject.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from loaders.traditional_forms import simplify_characters

ALIASES_FILE: Final = Path(__file__).with_name("aliases.csv")
# What a list may be about, beside people.
SUBJECT_WORDS: Final = {
    "genealogy": "学术师承",
    "mentorship": "师徒",
    "studio": "工作室",
    "honour": "荣誉",
    "talent": "领军人才",
    "competition": "竞赛",
    "training": "培训",
    "teaching": "任教",
    "reemployment": "返聘",
}
PEOPLE_WORD: Final = "人员"
# Words that begin the header of a further person of the row.
_ROLE_WORDS: Final = {
    "企业导师": ("mentor", ""),
    "校内导师": ("mentor", "2"),
    "学校导师": ("mentor", "2"),
    "指导师傅": ("mentor", ""),
    "带教师傅": ("mentor", ""),
    "师傅": ("mentor", ""),
    "师父": ("mentor", ""),
    "导师": ("mentor", ""),
    "老师": ("mentor", ""),
    "业师": ("mentor", ""),
    "恩师": ("mentor", ""),
    "师": ("mentor", ""),
    **dict.fromkeys(
        (
            "master",
            "masters",
            "mentor",
            "mentors",
            "teacher",
            "teachers",
            "tutor",
            "instructor",
            "advisor",
            "advisors",
            "adviser",
            "advisers",
            "supervisor",
            "supervisors",
            "doctoraladvisor",
            "phdadvisor",
            "thesisadvisor",
            "doctoral_advisor",
            "phd_advisor",
            "thesis_advisor",
        ),
        ("mentor", ""),
    ),
    "徒弟": ("apprentice", ""),
    "学徒": ("apprentice", ""),
    "学员": ("apprentice", ""),
    "徒工": ("apprentice", ""),
    "弟子": ("apprentice", ""),
    "门生": ("apprentice", ""),
    "学生": ("apprentice", ""),
    "徒": ("apprentice", ""),
    **dict.fromkeys(
        (
            "apprentice",
            "apprentices",
            "student",
            "students",
            "mentee",
            "mentees",
            "pupil",
            "pupils",
            "trainee",
            "trainees",
            "disciple",
            "disciples",
            "advisee",
            "advisees",
            "descendants",
        ),
        ("apprentice", ""),
    ),
    "领办人": ("lead", ""),
    "领衔人": ("lead", ""),
    "带头人": ("lead", ""),
    "负责人": ("lead", ""),
    "拟引进的技能大师": ("lead", ""),
}
_ROLE_PATTERN: Final = re.compile(
    rf"({'|'.join(sorted(_ROLE_WORDS, key=len, reverse=True))})_?的?"
    r"([0-9一二三四五六七八九]?)_?(.*)"
)
# What a group head adds to the word for the people below it: 师傅基本信息.
_GROUP_WORDS_PATTERN: Final = re.compile(r"(?:个人|基本)?(?:信息|情况|资料)$|(?<=[傅弟师员徒])方$")
_NUMBER_WORDS: Final = ("编号", "xref", "id", "ids", "no", "number", "code", "qid", "号", "代码")
# Headers that make a list of masters and apprentices a genealogy: a year in it is of a degree.
_GENEALOGY_PATTERN: Final = re.compile(
    r"(?:doctoral|phd|thesis)?_?advis[eo]rs?(?:_?(?:name|id))?s?\d?|advisees?|thesis|dissertation"
    r"|degree|school|university|institution|学位|毕业院校|毕业学校|授予学位单位"
)
_NUMERALS: Final = {sign: str(at) for at, sign in enumerate("一二三四五六七八九", 1)}
# What a further person's column may state, by the field that the rest of its header means.
_ROLE_ATTRIBUTES: Final = {
    "person.name": "name",
    "person.id_number": "id_number",
    "person.own_number": "own_number",
    "person.sex": "sex",
    "person.birth_date": "birth_date",
    "employer.name": "employer",
    "occupation.name": "occupation",
    "occupation.trade": "occupation",
    "recognition.level": "level",
    "recognition.certificate_no": "certificate_no",
    "ignore.phone": "phone",
}
_HAN_PATTERN: Final = re.compile(r"[\u3400-\u9fff]")
# Latin words after a Chinese header, or before it with a stroke between: 证书编号a and gps编号
# are other columns.
_TRANSLATION_PATTERN: Final = re.compile(r"[/|\\-]*[a-z][a-z.,/'’_-]+$|^[a-z][a-z.,'’_-]+[/|\\]+")
_BRACKET_PATTERN: Final = re.compile(r"[(\[【〔][^()\[\]【】〔〕]*[)\]】〕]?")


def normalize_list_header(text: str) -> str:
    """NFKC, lower case, without blanks, line breaks, asterisks, colons and quotation marks."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    bare = re.sub(r"[\s*:'\"“”‘’\u200b\ufeff]+", "", plain)
    return unicodedata.normalize("NFKC", bare)


def simplify_list_header(text: str) -> str:
    """A normalized header in simplified characters: 證書編號 means what 证书编号 does.

    A mapping is found again by its headers as they are written, so this is for their meaning.
    """
    return simplify_characters(normalize_list_header(text))


def strip_group_words(header: str) -> str:
    """A group head without 信息, 基本情况: 师傅信息 over 姓名 is 师傅姓名."""
    return _GROUP_WORDS_PATTERN.sub("", header) or header


def strip_brackets(header: str) -> str:
    """A normalized header without what stands in brackets; itself where nothing is left."""
    return _BRACKET_PATTERN.sub("", header) or header


@cache
def load_aliases() -> dict[str, dict[str, str]]:
    """Normalized header -> subject ("" for any) -> field."""
    found: dict[str, dict[str, str]] = {}
    with ALIASES_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            header = strip_brackets(normalize_list_header(row["header"]))
            found.setdefault(header, {}).setdefault(row["subject"], row["field"])
    return found


@cache
def list_known_fields() -> frozenset[str]:
    """Every field that a column of a mapping may be, beside those of further people."""
    roles = {
        f"{role}.{attribute}"
        for role in ("mentor", "apprentice", "lead")
        for attribute in _ROLE_ATTRIBUTES.values()
    }
    return frozenset(f for by in load_aliases().values() for f in by.values()) | roles


def is_known_field(field: str) -> bool:
    """Whether the text names a field; the number after a role (`apprentice2`) may be any."""
    return re.sub(r"^([a-z]+)\d\.", r"\1.", field) in list_known_fields()


def find_subjects(headers: Iterable[str], title: str = "") -> tuple[str, ...]:
    """What the list is about, by its headers that have one meaning, then by its title."""
    headers = list(headers)
    fields = [match_header(header, ()) for header in headers]
    roles = {re.sub(r"\d$", "", field.partition(".")[0]) for field in fields if field}
    found = [s for s in SUBJECT_WORDS if s in roles]
    if {"mentor", "apprentice"} & roles:
        found += [] if "mentorship" in found else ["mentorship"]
        if any(_GENEALOGY_PATTERN.fullmatch(simplify_list_header(header)) for header in headers):
            found.insert(0, "genealogy")
    if "工作室" in title and "studio" not in found and "lead" in roles:
        found.append("studio")
    if any("返聘" in simplify_characters(text) for text in (title, *headers)):
        found.append("reemployment")
    return tuple(found)


def match_header(text: str, subjects: Iterable[str]) -> str | None:
    """The field that a header means in a list about `subjects`; None where it is not known."""
    header = simplify_list_header(text)
    subjects = tuple(subjects)
    forms = (header, strip_brackets(header), _drop_translation(header), *_spell_dates(header))
    for form in dict.fromkeys(form for form in forms if form):
        field = _lookup_header(form, subjects)
        if field is not None:
            return field
    return None


def _spell_dates(header: str) -> list[str]:
    """发证日期 and 发证时间 for 发证年月: how a day is written is no other column."""
    dated = re.fullmatch("(.+?)年月日?", strip_brackets(header))
    return [f"{dated[1]}日期", f"{dated[1]}时间"] if dated else []


def _drop_translation(header: str) -> str:
    """The Chinese words of a header in two languages: 姓名 of `姓名/name`."""
    han = _TRANSLATION_PATTERN.sub("", strip_brackets(header))
    return han if _HAN_PATTERN.search(han) else ""


def _lookup_header(header: str, subjects: Iterable[str]) -> str | None:
    by_subject = load_aliases().get(header)
    if by_subject is not None:
        named = (by_subject[s] for s in subjects if s in by_subject)
        return next(named, by_subject.get("") or None)
    return _match_role_header(header) or _match_numbered_honour(header)


def _match_numbered_honour(header: str) -> str | None:
    """`honour2.date` for 授予时间2: a list has a group of columns for each honour of a person."""
    matched = re.fullmatch(r"(.+?)([1-9一二三四五六七八九])", header)
    meant = load_aliases().get(matched[1], {}) if matched else {}
    field = meant.get("") or meant.get("honour") or ""
    if matched is None or not field.startswith("honour."):
        return None
    number = _NUMERALS.get(matched[2], matched[2])
    return field if number == "1" else field.replace("honour.", f"honour{number}.")


def _match_role_header(header: str) -> str | None:
    """`mentor.name` for 师傅姓名, `apprentice2.own_number` for 学员2工号."""
    matched = _ROLE_PATTERN.fullmatch(header)
    if matched is None:
        return None
    role, number = _ROLE_WORDS[matched[1]]
    number = _NUMERALS.get(matched[2], matched[2]) or number
    if matched[3] in ("", "名单"):
        return f"{role}{number}.name"
    if matched[3] in _NUMBER_WORDS:
        return f"{role}{number}.own_number"
    meant = load_aliases().get(matched[3], {}).get("")
    attribute = _ROLE_ATTRIBUTES.get(meant or "")
    return None if attribute is None else f"{role}{number}.{attribute}"

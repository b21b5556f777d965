"""The grammar of the query files, and the values of parameters."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from graph.errors import ShichengError, UsageError
from graph.guard import tokens
from graph.queries import TYPES, Query, load_queries

HEAD = """\
// name: apprentices_of
// title.en: Apprentices
// title.zh: 徒弟
// help.en: One row
// help.en: an apprentice.
// help.zh: 每个徒弟
// help.zh: 一行。
"""
BODY = "MATCH (:Person {person_id: $person_id})-[:MENTORS]->(p) RETURN p.person_id AS person_id\n"
PERSON = "// param person_id: person | en: Mentor | zh: 师傅\n"


def loaded(folder: Path, *texts: str) -> dict[str, Query]:
    """The queries of a folder with these files, a.cypher and so on."""
    for name, text in zip("abc", texts, strict=False):
        (folder / f"{name}.cypher").write_text(text, "utf-8")
    return dict(load_queries(folder))


def test_a_block(tmp_path: Path) -> None:
    text = (
        "// What these are about.\n// column people | en: People | zh: 人数\n\n"
        + HEAD + PERSON + "// This stays in the statement: $not_a_parameter.\n" + BODY
    )  # fmt: skip
    (query,) = loaded(tmp_path, text).values()
    assert (query.title(), query.title("zh")) == ("Apprentices", "徒弟")
    assert (query.help(), query.help("zh")) == ("One row an apprentice.", "每个徒弟一行。")
    assert (query.file, query.line) == ("a.cypher", 4)
    assert query.text.startswith("// This stays") and query.text.endswith("AS person_id")
    (parameter,) = query.parameters
    assert parameter.type == "person"
    assert (parameter.label(), parameter.label("zh")) == ("Mentor", "师傅")
    assert parameter.required and parameter.takes == "the id of a person"
    assert query.column_label("people", "zh") == "人数"
    assert query.column_label("education_fund") == "staff education fund"
    assert query.column_label("other") == "other"


def test_the_projects_own_queries() -> None:
    queries = load_queries()
    assert len(queries) >= 18
    for query in queries.values():
        assert not query.text.endswith(";")
        assert "elementId" not in query.text
        assert query.title_zh != query.title_en


PARAMETERS = [
    ("n: integer = 3 (1..6)", "", 3),
    ("n: integer = 3 (1..6)", " 5 ", 5),
    ("n: integer = 3 (1..6)", 6, 6),
    ("n: integer?", None, None),
    ("n: float = 0.6 (0..1)", "0.25", 0.25),
    ("n: date = 2024-01-31", None, dt.date(2024, 1, 31)),
    ("n: date = today", None, dt.date.today()),
    ("n: date", dt.datetime(2024, 1, 31, 9), dt.date(2024, 1, 31)),
    ("n: boolean = false", "Yes", True),
    ("n: boolean = true", False, False),
    ('n: string = "a b"', None, "a b"),
    ("n: string", " 王 ", "王"),
    ("n: choice = both (both, studio)", "工作室", "studio"),
    ("n: choice? (school, peer)", "院校培养", "school"),
    ("n: province?", "江苏", "32"),
    ("n: province?", "32", "32"),
    ("n: level = 4", "Technician", 5),
    ("n: level = 4", None, 4),
    ("n: basis?", "national_model_worker", "national_model_worker"),
    ("n: grade?", "省级", "provincial"),
    ("n: enterprise", "E1", "E1"),
]


@pytest.mark.parametrize(("declared", "given", "value"), PARAMETERS)
def test_values(tmp_path: Path, declared: str, given: object, value: object) -> None:
    text = HEAD + f"// param {declared} | en: A | zh: 甲\n" + "RETURN $n AS n\n"
    (query,) = loaded(tmp_path, text).values()
    assert query.parse({"n": given}) == {"n": value}


NO_VALUES = [
    ("n: integer = 3 (1..6)", "7", "n has '7', but takes a whole number from 1 to 6"),
    ("n: integer", "three", "n has 'three', but takes a whole number"),
    ("n: integer", 2.5, "n has '2.5', but takes a whole number"),
    ("n: integer", True, "n has 'True', but takes a whole number"),
    ("n: float", "nan", "n has 'nan', but takes a number"),
    ("n: date", "2024-13-01", "n has '2024-13-01', but takes a day as 2024-05-01, or today"),
    ("n: boolean", "perhaps", "n has 'perhaps', but takes true or false"),
    ("n: choice (a, b)", "c", "n has 'c', but takes one of a, b"),
    ("n: province", "99", "n has '99', but takes one of 11, 12"),
    ("n: person", " ", r"n is missing: give the id of a person \(-p n=...\)"),
    ("n: enterprise", None, "n is missing: give the id of an enterprise"),
    ("n: integer", "x" * 500, "n has '" + "x" * 40 + "...', but"),
]


@pytest.mark.parametrize(("declared", "given", "said"), NO_VALUES)
def test_values_that_are_not_taken(tmp_path: Path, declared: str, given: object, said: str) -> None:
    text = HEAD + f"// param {declared} | en: A | zh: 甲\n" + "RETURN $n AS n\n"
    (query,) = loaded(tmp_path, text).values()
    with pytest.raises(UsageError, match="^" + said):
        query.parse({"n": given})


def test_an_unknown_value(tmp_path: Path) -> None:
    (query,) = loaded(tmp_path, HEAD + PERSON + BODY).values()
    with pytest.raises(UsageError, match="apprentices_of has no parameter id; it takes: person_id"):
        query.parse({"id": "p1"})


WRONG = [
    (HEAD + BODY, "a.cypher:1: apprentices_of uses $person_id, which no"),
    (HEAD + PERSON + "RETURN 1 AS a", "a.cypher:8: apprentices_of declares person_id, but its"),
    (HEAD + PERSON + "RETURN '$person_id' AS a", "a.cypher:8: apprentices_of declares person_id"),
    (HEAD + PERSON + PERSON + BODY, "a.cypher:9: apprentices_of declares person_id twice"),
    (HEAD.replace("// title.zh: 徒弟\n", "") + PERSON + BODY,
     "a.cypher:1: apprentices_of has no `// title.zh:` line"),
    (HEAD.replace("// help.en: One row\n// help.en: an apprentice.\n", "") + PERSON + BODY,
     "a.cypher:1: apprentices_of has no `// help.en:` line"),
    (HEAD + "// title.en: Again\n" + PERSON + BODY, "a.cypher:8: apprentices_of has two lines"),
    (HEAD + PERSON, "a.cypher:1: apprentices_of has no statement"),
    (HEAD + PERSON + BODY + "\n" + HEAD + PERSON + BODY,
     "a.cypher:11: the name apprentices_of stands already at a.cypher:1"),
    (HEAD.replace("apprentices_of", "Apprentices of"), "a.cypher:1: the name 'Apprentices of'"),
    ("MATCH (n) RETURN n\n" + HEAD, "a.cypher:1: a statement before the first `// name:` line"),
    (HEAD + "// param n: integer | en: A\nRETURN $n", "a.cypher:8: labels are missing"),
    (HEAD + "// param n integer | en: A | zh: 甲\nRETURN $n", "a.cypher:8: 'n integer' is no"),
    (HEAD + "// param n: number | en: A | zh: 甲\nRETURN $n", "a.cypher:8: n is of type number"),
    (HEAD + "// param n: integer = 9 (1..6) | en: A | zh: 甲\nRETURN $n",
     "a.cypher:8: the default of n has '9', but takes a whole number from 1 to 6"),
    (HEAD + "// param n: integer (6..1) | en: A | zh: 甲\nRETURN $n", "a.cypher:8: (6..1) is no r"),
    (HEAD + "// param n: string (1..6) | en: A | zh: 甲\nRETURN $n", "a.cypher:8: (1..6) is no"),
    (HEAD + "// param n: choice = a | en: A | zh: 甲\nRETURN $n", "a.cypher:8: a choice has"),
    ("// column a | en: A | zh: 甲\n" * 2 + HEAD + PERSON + BODY,
     "a.cypher:2: the column a is declared already at a.cypher:1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ShichengError) as error:
        loaded(tmp_path, text)
    assert str(error.value).startswith(said)


def test_a_name_in_two_files(tmp_path: Path) -> None:
    with pytest.raises(ShichengError, match=r"^b.cypher:1: .* stands already at a.cypher:1"):
        loaded(tmp_path, HEAD + PERSON + BODY, HEAD + PERSON + BODY)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ShichengError, match="holds no query"):
        load_queries(tmp_path)


def test_types_are_all_used_or_named() -> None:
    assert len(set(TYPES)) == len(TYPES)


def test_tokens_leave_out_comments_and_keep_strings_whole() -> None:
    text = "RETURN 'a // b\\' $c', `x``y` /* $d\n */ , $e // $f\n+ \"g\""
    kinds = [(token.kind, token.text, token.line) for token in tokens(text)]
    assert kinds == [
        ("name", "RETURN", 1),
        ("string", "'a // b\\' $c'", 1),
        ("sign", ",", 1),
        ("name", "`x``y`", 1),
        ("sign", ",", 2),
        ("parameter", "$e", 2),
        ("sign", "+", 3),
        ("string", '"g"', 3),
    ]

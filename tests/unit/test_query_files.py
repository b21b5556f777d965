"""The grammar of the query files, and the values of parameters."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from graph.cypher.guard import tokenize_cypher
from graph.cypher.internal_queries import (
    InternalQuery,
    load_internal_queries,
    read_internal_query,
)
from graph.cypher.named_queries import (
    PARAMETER_TYPES,
    Query,
    format_coded_value,
    load_queries,
    parse_typed_values,
)
from graph.errors import ShichengError, UsageError

if TYPE_CHECKING:
    from graph.server.database import Database

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

# The day a test runs on: the tests may have been collected the day before.
TODAY = object()


def loaded(folder: Path, *texts: str) -> dict[str, Query]:
    """The queries of a folder with these files, a.cypher and so on."""
    for name, text in zip("abc", texts, strict=False):
        (folder / f"{name}.cypher").write_text(text, "utf-8")
    return dict(load_queries(folder))


def test_a_block(tmp_path: Path) -> None:
    text = (
        "// What these are about.\n// column people | en: People | zh: 人数\n\n"
        + HEAD
        + PERSON
        + "// This stays in the statement: $not_a_parameter.\n"
        + BODY
    )
    (query,) = loaded(tmp_path, text).values()
    assert (query.title(), query.title("zh")) == ("Apprentices", "徒弟")
    assert (query.help(), query.help("zh")) == ("One row an apprentice.", "每个徒弟一行。")
    assert (query.file, query.line) == ("a.cypher", 4)
    assert query.text.startswith("// This stays") and query.text.endswith("AS person_id")
    (parameter,) = query.parameters
    assert parameter.type == "person"
    assert (parameter.label(), parameter.label("zh")) == ("Mentor", "师傅")
    assert parameter.required and str(parameter.takes) == "the id of a person"
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


def test_a_mentorship_whose_status_is_over_does_not_go_on() -> None:
    """One without an end may be over all the same: its status says so."""
    asked = 0
    for query in load_queries().values():
        for name in set(re.findall(r"\[(\w+):MENTORS\]", query.text)):
            if f"{name}.end IS NULL OR {name}.end >=" in query.text:
                asked += 1
                assert f"coalesce({name}.status, 'ongoing') = 'ongoing'" in query.text, query.name
    assert asked >= 4


PARAMETERS = [
    ("n: integer = 3 (1..6)", "", 3),
    ("n: integer = 3 (1..6)", " 5 ", 5),
    ("n: integer = 3 (1..6)", 6, 6),
    ("n: integer?", None, None),
    ("n: float = 0.6 (0..1)", "0.25", 0.25),
    ("n: date = 2024-01-31", None, dt.date(2024, 1, 31)),
    ("n: date = today", None, TODAY),
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
    assert query.parse({"n": given}) == {"n": dt.date.today() if value is TODAY else value}


NO_VALUES = [
    ("n: integer = 3 (1..6)", "7", "A has '7', but takes a whole number from 1 to 6"),
    ("n: integer", "three", "A has 'three', but takes a whole number"),
    ("n: integer", 2.5, "A has '2.5', but takes a whole number"),
    ("n: integer", True, "A has 'True', but takes a whole number"),
    ("n: float", "nan", "A has 'nan', but takes a number"),
    ("n: date", "2024-13-01", "A has '2024-13-01', but takes a day as 2024-05-01, or today"),
    ("n: boolean", "perhaps", "A has 'perhaps', but takes true or false"),
    ("n: choice (a, b)", "c", "A has 'c', but takes one of a, b"),
    ("n: province", "99", "A has '99', but takes one of 11, 12"),
    ("n: person", " ", r"A is missing: give the id of a person \(parameter n\)"),
    ("n: enterprise", None, "A is missing: give the id of an enterprise"),
    ("n: integer", "x" * 500, "A has '" + "x" * 40 + "...', but"),
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
    (
        HEAD.replace("// title.zh: 徒弟\n", "") + PERSON + BODY,
        "a.cypher:1: apprentices_of has no `// title.zh:` line",
    ),
    (
        HEAD.replace("// help.en: One row\n// help.en: an apprentice.\n", "") + PERSON + BODY,
        "a.cypher:1: apprentices_of has no `// help.en:` line",
    ),
    (HEAD + "// title.en: Again\n" + PERSON + BODY, "a.cypher:8: apprentices_of has two lines"),
    (HEAD + PERSON, "a.cypher:1: apprentices_of has no statement"),
    (
        HEAD + PERSON + BODY + "\n" + HEAD + PERSON + BODY,
        "a.cypher:11: the name apprentices_of stands already at a.cypher:1",
    ),
    (HEAD.replace("apprentices_of", "Apprentices of"), "a.cypher:1: the name 'Apprentices of'"),
    ("MATCH (n) RETURN n\n" + HEAD, "a.cypher:1: a statement before the first `// name:` line"),
    (HEAD + "// param n: integer | en: A\nRETURN $n", "a.cypher:8: labels are missing"),
    (HEAD + "// param n integer | en: A | zh: 甲\nRETURN $n", "a.cypher:8: 'n integer' is no"),
    (HEAD + "// param n: number | en: A | zh: 甲\nRETURN $n", "a.cypher:8: n is of type number"),
    (
        HEAD + "// param n: integer = 9 (1..6) | en: A | zh: 甲\nRETURN $n",
        "a.cypher:8: the default of A has '9', but takes a whole number from 1 to 6",
    ),
    (HEAD + "// param n: integer (6..1) | en: A | zh: 甲\nRETURN $n", "a.cypher:8: (6..1) is no r"),
    (HEAD + "// param n: string (1..6) | en: A | zh: 甲\nRETURN $n", "a.cypher:8: (1..6) is no"),
    (HEAD + "// param n: choice = a | en: A | zh: 甲\nRETURN $n", "a.cypher:8: a choice has"),
    (
        "// column a | en: A | zh: 甲\n" * 2 + HEAD + PERSON + BODY,
        "a.cypher:2: the column a is declared already at a.cypher:1",
    ),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ShichengError) as error:
        loaded(tmp_path, text)
    assert str(error.value).startswith(said)


def test_a_name_in_two_files(tmp_path: Path) -> None:
    with pytest.raises(ShichengError, match=r"^b.cypher:1: .* stands already at a.cypher:1"):
        loaded(tmp_path, HEAD + PERSON + BODY, HEAD + PERSON + BODY)


INTERNAL = "// name: people_listed\n// internal: Everyone who is asked for.\n"
ASKED = "UNWIND $ids AS id\nMATCH (p:Person {person_id: id}) WHERE $on RETURN p.name AS name;"


def test_an_internal_query_is_offered_to_nobody(tmp_path: Path) -> None:
    assert list(loaded(tmp_path, HEAD + PERSON + BODY + "\n" + INTERNAL + ASKED)) == [
        "apprentices_of"
    ]
    (query,) = load_internal_queries(tmp_path).values()
    assert query == InternalQuery(
        "people_listed", "Everyone who is asked for.", ASKED[:-1], frozenset({"ids", "on"})
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("// name: a\n// internal:\n" + ASKED, "a.cypher:1: a is internal; say after that"),
        (INTERNAL, "a.cypher:1: people_listed has no statement"),
        (INTERNAL + "// title.en: A\n" + ASKED, "a.cypher:1: people_listed is internal; leave"),
        (
            INTERNAL + "// param ids: string | en: A | zh: 甲\n" + ASKED,
            "a.cypher:1: people_listed is internal; leave",
        ),
        (INTERNAL + ASKED + "\n" + INTERNAL + ASKED, "a.cypher:5: the name people_listed stands"),
    ],
)
def test_what_is_wrong_with_an_internal_query(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.cypher").write_text(text, "utf-8")
    with pytest.raises(ShichengError) as error:
        load_internal_queries(tmp_path)
    assert str(error.value).startswith(said)


def test_an_internal_query_is_given_all_its_parameters() -> None:
    database = cast("Database", None)
    with pytest.raises(KeyError):
        read_internal_query(database, "no_such_query")
    with pytest.raises(TypeError, match="studio_names takes \\['ids'\\], not \\['id'\\]"):
        read_internal_query(database, "studio_names", id="s1")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ShichengError, match="holds no query"):
        load_queries(tmp_path)


def test_types_are_all_used_or_named() -> None:
    assert len(set(PARAMETER_TYPES)) == len(PARAMETER_TYPES)


def test_tokens_leave_out_comments_and_keep_strings_whole() -> None:
    text = "RETURN 'a // b\\' $c', `x``y` /* $d\n */ , $e // $f\n+ \"g\""
    kinds = [(token.kind, token.text, token.line) for token in tokenize_cypher(text)]
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


TYPED = [
    ("RETURN $x", "4", 4),
    ("RETURN $x", "4.5", 4.5),
    ("RETURN $x", '"4"', "4"),
    ("RETURN $x", "true", True),
    ("RETURN $x", "null", None),
    ("RETURN $x", "[1, 2]", [1, 2]),
    ("RETURN $x", '{"a": 1}', {"a": 1}),
    ("RETURN $x", "王一", "王一"),
    ("RETURN $x", "2024-05-01", dt.date(2024, 5, 1)),
    ("RETURN $x", "2024-02-31", "2024-02-31"),
    ("RETURN $x", "2023-02-29", "2023-02-29"),
    ("RETURN $x", "2024-05-31", dt.date(2024, 5, 31)),
    ("RETURN $x", "2024-05-30", dt.date(2024, 5, 30)),
    ("RETURN $x", "9223372036854775807", 2**63 - 1),
    ("MATCH ()-[m:MENTORS]->() WHERE m.start IS NULL OR $x IS NULL RETURN m", "null", None),
    ("RETURN $x", '"2024-05-01"', "2024-05-01"),
    ("MATCH ()-[r:RECOGNISED]->() WHERE r.level >= $x RETURN r", "4", 4),
    ("MATCH ()-[r:RECOGNISED {level: $x}]->() RETURN r", "4", 4),
    ("MATCH (p:Person {person_id: $x}) RETURN p", "1001", "1001"),
    ("MATCH (p:Person {`person_id`: $`x`}) RETURN p", "1001", "1001"),
    ("MATCH (p:Person) WHERE p.person_id = $x RETURN p", "007", "007"),
    ("MATCH (p:Person) WHERE $x = p.person_id RETURN p", "1001", "1001"),
    ("MATCH (p:Person) WHERE p.person_id STARTS WITH $x RETURN p", "10", "10"),
    ("MATCH (p:Person) WHERE p.person_id IN $x RETURN p", '["1", "2"]', ["1", "2"]),
    ("MATCH (p:Person) WHERE p.province = $x RETURN p", "32", "32"),
    ("MATCH (p:Person) WHERE p.name = $x RETURN p", '"王一"', "王一"),
    ("MATCH ()-[m:MENTORS]->() WHERE m.start >= $x RETURN m", "2024-05-01", dt.date(2024, 5, 1)),
    ("MATCH ()-[m:MENTORS]->() WHERE $x <= m.start RETURN m", "today", TODAY),
    ("MATCH (c:Enterprise) WHERE c.education_fund > $x RETURN c", "1e6", 1e6),
]


@pytest.mark.parametrize(("statement", "given", "value"), TYPED)
def test_values_of_a_users_own_statement(statement: str, given: str, value: object) -> None:
    found = parse_typed_values(statement, {"x": given})["x"]
    value = dt.date.today() if value is TODAY else value
    assert (found, type(found)) == (value, type(value))


UNUSABLE = [
    ("RETURN $x", "9223372036854775808", "holds a value"),
    ("RETURN $x", '{"a": [-99999999999999999999]}', "holds a value"),
    ("RETURN $x", r'"\ud800"', "holds a value"),
    ("RETURN $x", r'{"\udfff": 1}', "holds a value"),
    ("MATCH ()-[m:MENTORS]->() WHERE m.start >= $x RETURN m", "2023-02-29", "a date"),
    ("MATCH ()-[m:MENTORS]->() WHERE m.start >= $x RETURN m", "may", "a date"),
    ("MATCH ()-[r:RECOGNISED]->() WHERE r.level >= $x RETURN r", "four", "a whole number"),
    ("MATCH ()-[r:RECOGNISED]->() WHERE r.level >= $x RETURN r", '"4"', "a whole number"),
]


@pytest.mark.parametrize(("statement", "given", "said"), UNUSABLE)
def test_values_that_never_compare_are_refused(statement: str, given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        parse_typed_values(statement, {"x": given})
    assert raised.value.said("zh") != str(raised.value)


def test_codes_of_a_result_are_said_in_words_and_names_are_left_alone() -> None:
    assert format_coded_value("event", "mentored", "zh") == "拜师"
    assert format_coded_value("state", "unfinished", "zh") == "未完成"
    assert (
        format_coded_value("basis", "national_technical_expert", "en")
        == "National Technical Expert"
    )
    assert (
        format_coded_value("name", "named", "zh") == "named"
        and format_coded_value("event", 3, "zh") == 3
    )

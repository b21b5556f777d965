"""Errors, refusals and remarks: each has both languages, with the same fields."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from babel.messages.pofile import read_po

from graph import errors
from graph.errors import NoPathError, UsageError
from graph.messages import LOCALE_FOLDER, AnyOf, Message, Words, detect_terminal_language

ROOT = Path(__file__).parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
# Calls whose first argument is a message.
MAKERS = {name for name in vars(errors) if name.endswith("Error")} | {"Message"}


def sources() -> Iterator[Path]:
    yield ROOT / "app.py"
    for folder in ("graph", "loaders", "ui", "cli"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def made() -> dict[str, str]:
    """Id of every message that the program makes -> where it stands."""
    found = {}
    for file in sources():
        where = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in MAKERS or not node.args:
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant):
                found[str(first.value)] = f"{where}:{node.lineno}"
            else:  # a message that was made elsewhere is handed on; text put together is none
                assert isinstance(first, ast.Name | ast.Attribute | ast.Call | ast.IfExp), (
                    f"{where}:{node.lineno}: a message must be a literal with {{fields}}"
                )
    return found


def test_every_error_has_the_values_of_its_fields() -> None:
    """What is raised is said as it is, so a forgotten value would fail where it is shown."""
    wrong = []
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in MAKERS - {"Message"} or not node.args:
                continue
            given = {keyword.arg for keyword in node.keywords} - {"cut"}
            if isinstance(node.args[0], ast.Constant) and None not in given:
                named = fields(str(node.args[0].value)) if given else set()
                if named != given:
                    wrong.append(f"{file.name}:{node.lineno}: {sorted(named ^ given)}")
    assert not wrong


def chinese() -> dict[str, str]:
    """Id -> Chinese; each message stands in one part only."""
    found: dict[str, str] = {}
    for part in sorted((LOCALE_FOLDER / "zh_CN").glob("*.po")):
        with part.open("rb") as file:
            for message in read_po(file, locale="zh_CN"):
                if message.id:
                    assert message.id not in found, f"{message.id} stands twice, in {part.name} too"
                    found[str(message.id)] = str(message.string)
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_no_message_is_without_both_languages_and_none_is_unused() -> None:
    used, known = made(), chinese()
    assert not {id: where for id, where in used.items() if id not in known}
    assert not known.keys() - used.keys()


def test_both_languages_have_the_same_fields() -> None:
    for id, text in chinese().items():
        assert text, f"{id} has no Chinese"
        assert fields(text) == fields(id), id
        assert HAN.search(text), f"{id} is not in Chinese: {text}"
        assert not re.search("[!！]", re.sub(r"![rs]", "", text))


def test_a_message_is_said_in_either_language_with_the_values_of_that_language() -> None:
    person = Words("person", "人员")
    message = Message(
        "no {what} with this id is known; add its row and load again",
        what=AnyOf((person, Words("studio", "工作室"))),
    )
    assert str(message) == "no person or studio with this id is known; add its row and load again"
    assert message.said("zh") == "没有此编号的人员或工作室；请补上其所在行后重新载入"
    assert pickle.loads(pickle.dumps(message)) == message


def test_an_error_says_the_same_after_it_was_sent_to_another_process() -> None:
    error = UsageError("{column} must not be empty", column="name")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.said("zh")) == (str(error), "name 不能为空，请补填")
    assert pickle.loads(pickle.dumps(NoPathError("none", cut=True))).cut


def test_a_message_without_values_may_hold_braces() -> None:
    assert str(UsageError("RETURN {a: 1}")) == "RETURN {a: 1}"


def test_rows_of_a_frame_are_said_each_with_its_own_values() -> None:
    message = Message("row {row} states the same {key} with other values", key="id {}")
    frame = pl.DataFrame({"first": [2, 7]})
    said = [
        frame.select(message.said_of_rows(language, row=pl.col("first"))).to_series().to_list()
        for language in ("en", "zh")
    ]
    assert said[0][1] == "row 7 states the same id {} with other values"
    assert said[1][0].startswith("第 2 行已有相同的 id {}")


def test_the_terminal_speaks_the_language_that_is_set() -> None:
    assert detect_terminal_language({}) == "en"
    assert detect_terminal_language({"LANG": "zh_CN.UTF-8"}) == "zh"
    assert detect_terminal_language({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}) == "en"
    assert detect_terminal_language({"SHICHENG_LANG": "zh", "LANG": "en_GB.UTF-8"}) == "zh"


def test_the_progress_of_a_load_is_said_in_the_terminals_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cli.terminal import progress_caption

    steps = (
        "check people.csv",
        "check the references of people.csv",
        "write",
        "import",
        "write the import files",
        "make the indexes",
        "edges",
    )
    monkeypatch.setenv("SHICHENG_LANG", "zh")
    assert all(HAN.search(progress_caption(step)) for step in steps)
    assert "people.csv" in progress_caption(steps[0])
    monkeypatch.setenv("SHICHENG_LANG", "en")
    assert progress_caption(steps[1]) == "checking the references of people.csv"
    assert progress_caption("edges") == "reading edges"

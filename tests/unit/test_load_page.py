"""The Load page up to the check, without a database: what a clerk sees of the files."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from graph.server.locks import LOAD_LOCK_NAME
from loaders.mapping.mapping import list_mappings
from loaders.upload_folders import UPLOADS_FOLDER
from ui.load import page

LISTS = Path(__file__).with_name("department_lists")
SCRIPT = "from ui.load.page import page\npage()"
UNION = "序号,姓名,身份证号码,技能等级,发证日期\n1,赵建国,329999196201011015,3,2024.5\n"
Open = Callable[..., AppTest]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("SHICHENG_HOME", str(tmp_path))

    def start(role: str = "steward", lang: str = "zh") -> AppTest:
        monkeypatch.setenv("SHICHENG_ROLE", role)
        test = AppTest.from_string(SCRIPT, default_timeout=30)
        test.query_params["lang"] = lang
        return test.run()

    return start


def bring(test: AppTest, *files: tuple[str, bytes]) -> AppTest:
    test.file_uploader[0].set_value([(name, content, "") for name, content in files])
    return test.run()


def said(test: AppTest) -> str:
    assert not test.exception
    return re.sub("<[^>]+>", " ", "\n".join(one.proto.body for one in test.get("html")))


def test_a_click_after_the_role_was_taken_begins_nothing(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A callback runs before the page asks who visits."""
    opened()
    calls: list[str] = []
    monkeypatch.setattr("ui.load.page.confirm_sheet", lambda *given: calls.append("confirmed"))
    monkeypatch.setattr("ui.load.page._build_job", lambda *given, **more: calls.append("begun"))
    draft: Any = SimpleNamespace(inspect_sheets=lambda home: [], notes=[])
    monkeypatch.setenv("SHICHENG_ROLE", "manager")
    page._begin_check(draft, [])
    page._begin_load(draft)
    assert calls == []


def test_a_manager_sees_a_sentence_and_no_place_for_files(opened: Open) -> None:
    test = opened("manager")
    assert "数据管理员" in said(test)
    assert not test.file_uploader and not test.button


def test_a_list_is_taken_for_what_it_is_and_its_files_are_private(
    opened: Open, tmp_path: Path
) -> None:
    content = (LISTS / "r03" / "people.csv").read_bytes()
    test = bring(opened(), ("../../名单.csv", content))
    text = said(test)
    assert "名单.csv" in text and "某市人力资源和社会保障局" in text
    assert "数据 24" in text and "合计和表尾 2" in text
    assert "人员、" in text or "人员" in text
    (folder,) = (tmp_path / UPLOADS_FOLDER).iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "名单.csv").stat().st_mode & 0o777 == 0o600
    shown = test.dataframe[0].value
    assert list(shown.columns)[:3] == ["姓名", "性别", "身份证号"]
    assert set(shown["身份证号"]) == {"***"} and shown["技能等级"][0] == "高级技师"
    assert "3299991962" not in f"{text}{shown.to_csv()}"
    assert not test.radio and not test.button(key="load_check").disabled
    test.button(key=next(b.key for b in test.button if b.key.startswith("load_drop"))).click().run()
    assert list(folder.glob("*.csv")) == []


def test_bare_digits_are_one_question_with_its_answer(opened: Open) -> None:
    test = bring(opened(), ("a.csv", UNION.encode()))
    assert test.button(key="load_check").disabled
    test.text_input(key=department_key(test)).set_value("某市总工会").run()
    (question,) = test.radio
    assert question.options == ["老五级：1 级最高，3 为高级工", "新八级：8 级最高，3 为中级工"]
    assert test.dataframe[0].value["技能等级"][0] == "3?"
    question.set_value("old").run()
    assert test.dataframe[0].value["技能等级"][0] == "高级工"
    assert not test.button(key="load_check").disabled
    test.radio[0].set_value("new").run()
    assert test.dataframe[0].value["技能等级"][0] == "中级工"


def department_key(test: AppTest) -> str:
    return next(one.key for one in test.text_input if one.key.startswith("load_department"))


def test_a_column_may_mean_something_else(opened: Open) -> None:
    content = "姓名,身份证号码,师从何人\n甲,329999196201011015,乙\n".encode()
    test = bring(opened(lang="en"), ("a.csv", content))
    box = next(one for one in test.selectbox if one.label == "What 师从何人 means")
    assert box.value == "" and box.options[0] == "not understood, left out"
    box.set_value("mentor.name").run()
    assert "mentor: name" in test.dataframe[0].value.columns


def test_what_is_no_list_is_said_and_left(opened: Open) -> None:
    test = bring(opened(lang="en"), ("a.csv", b"x,y\n1,2\n"), ("b.doc", b"\xd0\xcf\x11\xe0" * 200))
    text = said(test)
    assert "not understood: no row of it is a row of headers" in text
    assert "Not read" in text and "b.doc" in text
    assert test.button(key="load_check").disabled


def test_the_lists_of_a_zip_are_read(opened: Open) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("甲.csv", (LISTS / "r03" / "people.csv").read_bytes())
        file.writestr("sub/乙.csv", UNION)
    text = said(bring(opened(), ("lists.zip", packed.getvalue())))
    assert "lists.zip/甲.csv" in text and "lists.zip/sub/乙.csv" in text


def test_names_of_files_and_headers_are_shown_as_they_are(opened: Open) -> None:
    name, header = "![x](y) <i>名单.csv", "**师从** <img src=x>"
    content = f"姓名,身份证号码,{header}\n甲,329999196201011015,乙\n".encode()
    test = bring(opened(lang="en"), (name, content))
    raw = "\n".join(one.proto.body for one in test.get("html"))
    assert "<i>" not in raw and "&lt;i&gt;名单" in raw and "<img" not in raw
    (box,) = [one for one in test.selectbox if "师从" in one.label]
    assert box.label.startswith("What \\*\\*师从")


def test_nothing_is_saved_before_it_is_confirmed(opened: Open, tmp_path: Path) -> None:
    bring(opened(), ("名单.csv", (LISTS / "r03" / "people.csv").read_bytes()))
    assert list(list_mappings(tmp_path)) == []


def test_an_answer_that_cannot_be_is_said_and_taken_back(opened: Open) -> None:
    content = "2024年荣誉名单,,\n姓名,身份证号码,荣誉名称\n甲,329999196201011015,全国技术能手\n"
    test = bring(opened(lang="en"), ("a.csv", content.encode()))
    test.text_input(key=department_key(test)).set_value("甲局").run()
    (question,) = test.radio
    assert question.options == ["2024", "no date: leave out what needs one", "another date"]
    assert "The list says: the title says 2024." in said(test)
    question.set_value("other").run()
    box = next(one for one in test.text_input if one.label == "Year, month or day")
    box.set_value("soon").run()
    assert "soon is no date" in said(test) and test.button(key="load_check").disabled
    test.radio[0].set_value("2024").run()
    assert "no date" not in said(test) and not test.button(key="load_check").disabled


def test_a_title_names_its_department_before_what_is_typed_for_all(opened: Open) -> None:
    named = (LISTS / "r03" / "people.csv").read_bytes()
    test = bring(opened(), ("a.csv", named), ("b.csv", UNION.encode()))
    test.text_input(key=department_key(test)).set_value("某市总工会").run()
    text = said(test)
    assert "某市总工会" in text and "某市人力资源和社会保障局" in text
    box = next(b for b in test.text_input if b.value == "某市人力资源和社会保障局")
    box.set_value("省人社厅").run()
    assert "省人社厅" in said(test) and "某市人力资源和社会保障局" not in said(test)


def test_a_load_that_runs_is_said(opened: Open, tmp_path: Path) -> None:
    test = opened(lang="en")
    assert "Another load is running" not in said(test)
    with FileLock(tmp_path / LOAD_LOCK_NAME):
        assert "Another load is running" in said(test.run())


def test_a_list_can_be_left_out(opened: Open) -> None:
    test = bring(opened(), ("a.csv", UNION.encode()))
    assert test.radio
    test.checkbox[0].check().run()
    assert not test.radio and "不载入" in said(test)
    assert test.button(key="load_check").disabled


def test_the_master_of_a_list_of_pairs_is_asked(opened: Open) -> None:
    test = bring(opened(lang="en"), ("pairs.csv", "张三,李四\n张三,王五\n".encode()))
    (asked,) = [one for one in test.radio if "master" in one.label]
    assert asked.options == ["第1列（姓名）", "第2列（姓名）"]
    assert "different entries" in said(test)

"""The Load page on a live store: confirmed, checked, loaded, reported, sent back."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from graph.server.database import Database
from graph.server.locks import LOAD_LOCK_NAME
from graph.settings import Settings
from tests.live.shell import run_here
from tests.live.test_loads import one
from tests.live.visiting import go, lead, text

LISTS = Path(__file__).parents[1] / "unit" / "department_lists"
WAIT = 120.0
Open = Callable[..., AppTest]


@pytest.fixture
def clerk(
    settings: Settings, empty_database: Database, app: Open, monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    for name in ("mappings", "uploads"):
        shutil.rmtree(settings.home / name, ignore_errors=True)
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    return app("load", lang="en")


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    """A list of 24 people, of which one has a date that is none."""
    stated = (LISTS / "r03" / "people.csv").read_text("utf-8-sig")
    path = tmp_path / "名单.csv"
    path.write_text(stated.replace("000002,2024年5月", "000002,2024年13月"), "utf-8")
    return path


def bring(test: AppTest, *paths: Path) -> None:
    given = [(path.name, path.read_bytes(), "") for path in paths]
    test.file_uploader[0].set_value(given)
    test.run()


def press(test: AppTest, key: str) -> None:
    test.button(key=key).click().run()


def run_until(test: AppTest, done: Callable[[], bool]) -> None:
    """Runs the page as a browser does, until it says what it shall."""
    ends = time.monotonic() + WAIT
    while not done():
        assert not test.exception
        assert time.monotonic() < ends, text(test)
        time.sleep(0.1)
        test.run()


def check(test: AppTest, path: Path) -> None:
    """Brings a list in and has it checked, up to the button that loads it."""
    bring(test, path)
    press(test, "load_check")
    run_until(test, lambda: has_button(test, "load_begin"))


def has_button(test: AppTest, key: str) -> bool:
    return any(button.key == key for button in test.button)


def test_a_list_is_checked_loaded_and_reported(
    clerk: AppTest, dirty: Path, settings: Settings, empty_database: Database
) -> None:
    test = clerk
    assert lead(test) == "Bring in the lists as the departments send them."
    links = [one.proto.label for one in go(test, "overview", lang="en").get("page_link")]
    assert "Or bring departments' lists in here" in links
    go(test, "load", lang="en")
    check(test, dirty)
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 0
    checked = text(test)
    assert lead(test) == "Checked: 23 rows can be loaded, 1 refused."
    assert "发证日期 must be a date" in checked or "发证日期" in checked
    refused = next(t.value for t in test.dataframe if "The row as it stood" in t.value.columns)
    assert refused["Row"].to_list() == [6]
    assert "***" in refused["The row as it stood"][0]
    assert "329999196302021028" not in checked + refused.to_csv()

    # The same arithmetic as the command line.
    home = {"SHICHENG_HOME": str(settings.home)}
    said = json.loads(run_here(["load", dirty, "--dry-run", "--json"], home).stdout)
    (sheet,) = said["sheets"]
    counts = next(t.value for t in test.dataframe if "Titles and footers" in t.value.columns)
    assert counts.iloc[0].to_list() == [
        sheet[name] for name in ("file", "refused", "accepted", "data", "other", "blank", "rows")
    ]
    assert test.button(key="load_begin").label == f"Load {sheet['accepted']} rows"
    promised = next(t.value for t in test.dataframe if "Difference" in t.value.columns)
    after = [said["headline"]["after"][f"driven_{name}"] for name in ("persons", "person_times")]
    assert promised["After"].to_list() == [str(n) for n in after] == ["0", "0"]
    assert said["headline"]["before"] is None

    press(test, "load_begin")
    run_until(test, lambda: has_button(test, "load_again"))
    assert re.match(r"Loaded as revision 1: 23 rows taken, 1 refused\.", lead(test))
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 24
    assert one(empty_database, "MATCH (:Person)-[r:RECOGNISED]->() RETURN count(r)") == 23
    figures = next(t.value for t in test.dataframe if "Difference" in t.value.columns)
    assert figures["After"].to_list() == ["0", "0"] and figures["Before"].to_list() == ["—", "—"]
    assert [p for p in (settings.home / "uploads").rglob("*") if p.is_file()] == []
    assert [one.label for one in test.get("download_button")] == ["名单\\-退回\\.xlsx"]

    # A second time nothing is asked, and the page says so.
    press(test, "load_again")
    bring(test, dirty)
    assert "read as confirmed before (revision 1)" in text(test)


def test_a_load_waits_for_another_one_and_can_be_called_off(
    clerk: AppTest, dirty: Path, settings: Settings, empty_database: Database
) -> None:
    test = clerk
    check(test, dirty)
    with FileLock(settings.home / LOAD_LOCK_NAME):
        press(test, "load_begin")
        run_until(test, lambda: has_button(test, "load_cancel"))
        assert "waits for its turn" in "".join(one.label for one in test.get("status"))
        press(test, "load_cancel")
        run_until(test, lambda: has_button(test, "load_again"))
    assert "Nothing was written. The files have been removed." in text(test)
    assert one(empty_database, "MATCH (n) RETURN count(n)") == 0
    assert [p for p in (settings.home / "uploads").rglob("*") if p.is_file()] == []


def test_whoever_loads_the_page_anew_finds_the_load_that_runs(
    clerk: AppTest, dirty: Path, settings: Settings, empty_database: Database, app: Open
) -> None:
    test = clerk
    check(test, dirty)
    with FileLock(settings.home / LOAD_LOCK_NAME):
        press(test, "load_begin")
        run_until(test, lambda: has_button(test, "load_cancel"))
        again = app("load", lang="en")
        assert "Another load is running" in text(again)
        press(again, "load_attach")
        assert "waits for its turn" in "".join(one.label for one in again.get("status"))
    run_until(again, lambda: has_button(again, "load_again"))
    assert lead(again) == "Loaded as revision 1: 23 rows taken, 1 refused."
    assert [one.label for one in again.get("download_button")] == ["名单\\-退回\\.xlsx"]
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 24
    assert not has_button(app("load", lang="en"), "load_attach")


def test_a_changed_answer_needs_another_check(clerk: AppTest, dirty: Path) -> None:
    test = clerk
    check(test, dirty)
    press(test, "load_edit")
    box = next(one for one in test.selectbox if one.label == "What 备注 means")
    box.set_value("").run()
    assert has_button(test, "load_check") and not has_button(test, "load_begin")


def test_nothing_is_loaded_of_a_list_of_which_no_row_can_be_taken(
    clerk: AppTest, tmp_path: Path, empty_database: Database
) -> None:
    test = clerk
    path = tmp_path / "a.csv"
    path.write_text("姓名,身份证号码,技能等级,发证日期\n甲,1,高级工,2024-13-01\n", "utf-8")
    bring(test, path)
    next(b for b in test.text_input if b.label == "Department").set_value("甲局").run()
    press(test, "load_check")
    run_until(
        test, lambda: "It cannot be loaded so" in text(test) or has_button(test, "load_begin")
    )
    assert one(empty_database, "MATCH (n) RETURN count(n)") == 0


def test_exchange_tables_load_with_their_department_and_ladder(clerk: AppTest) -> None:
    """Of four apprentices, 5, 5, 4 and 3 on the old ladder, one is high-skilled: truth 1."""
    test = clerk
    bring(test, *sorted((LISTS / "j1").glob("*.csv")))
    assert test.button(key="load_check").disabled
    next(b for b in test.text_input if b.label == "Department").set_value("某市总工会").run()
    (question,) = test.radio
    question.set_value("old").run()
    press(test, "load_check")
    run_until(test, lambda: has_button(test, "load_begin"))
    press(test, "load_begin")
    run_until(test, lambda: has_button(test, "load_again"))
    figures = next(t.value for t in test.dataframe if "Difference" in t.value.columns)
    assert figures["After"].to_list() == ["1", "1"]


def test_a_table_of_which_nothing_is_stated_any_more_is_withdrawn_by_name(
    clerk: AppTest, tmp_path: Path, empty_database: Database
) -> None:
    test = clerk
    lists = {
        "people.csv": "人员编号,姓名\nK1,师傅\nK2,徒\n",
        "mentorships.csv": "师傅编号,徒弟编号,开始日期\nK1,K2,2022-03-01\n",
    }
    for name, content in lists.items():
        (tmp_path / name).write_text(content, "utf-8")
    for names in (list(lists), ["people.csv"]):
        bring(test, *(tmp_path / name for name in names))
        next(b for b in test.text_input if b.label == "Department").set_value("某局").run()
        if len(names) == 1:
            next(b for b in test.checkbox if b.label.startswith("Take back")).check().run()
        press(test, "load_check")
        run_until(test, lambda: any(b.key == "load_edit" for b in test.button) and not_busy(test))
        if len(names) == 1:
            assert not has_button(test, "load_begin")
            taken = next(t.value for t in test.dataframe if "No longer stated" in t.value.columns)
            assert taken["No longer stated"].to_list() == [1]
            test.checkbox(key="load_withdraw_mentorships").check().run()
            run_until(test, lambda: has_button(test, "load_begin"))
        press(test, "load_begin")
        run_until(test, lambda: has_button(test, "load_again"))
        ties = one(empty_database, "MATCH ()-[m:MENTORS]->() RETURN count(m)")
        assert ties == len(names) - 1
        press(test, "load_again")


def test_a_complete_load_shows_what_it_takes_back_before_it_does(
    clerk: AppTest, tmp_path: Path, empty_database: Database
) -> None:
    test = clerk
    text_of_all = (LISTS / "r03" / "people.csv").read_text("utf-8-sig")
    path = tmp_path / "名单.csv"
    for lines in (None, 12):
        path.write_text("".join(text_of_all.splitlines(keepends=True)[:lines]), "utf-8")
        bring(test, path)
        if lines:
            next(b for b in test.checkbox if b.label.startswith("Take back")).check().run()
        press(test, "load_check")
        run_until(test, lambda: any(b.key == "load_edit" for b in test.button) and not_busy(test))
        if lines:
            assert not has_button(test, "load_begin")
            taken = next(t.value for t in test.dataframe if "No longer stated" in t.value.columns)
            assert taken.set_index("Table").loc["Person", "No longer stated"] == 16
            test.checkbox(key="load_agree").check().run()
            run_until(test, lambda: has_button(test, "load_begin"))
        press(test, "load_begin")
        run_until(test, lambda: has_button(test, "load_again"))
        assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == (8 if lines else 24)
        figures = next(t.value for t in test.dataframe if "Difference" in t.value.columns)
        assert figures["Before"].to_list() == (["0", "0"] if lines else ["—", "—"])
        press(test, "load_again")


def not_busy(test: AppTest) -> bool:
    return not test.get("status")

"""Two names of one enterprise in two departments' files: asked, merged, parted, in every figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.driven.results import load_driven
from graph.errors import UsageError
from graph.policy import DEFAULT_POLICY
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.identity_merge import ENTERPRISES
from loaders.mapping.identifiers import is_credit_code
from loaders.matching.enterprise_matching import load_enterprise_queue, match_enterprises
from loaders.matching.judgements import list_judgements
from loaders.matching.pair_decisions import decide_pair
from loaders.undoing import undo_finished_load
from tests.emptying import emptied
from tests.live.shell import run_here
from tests.live.test_bulk import write
from tests.live.test_dry_runs import load, promise_and_load
from tests.live.test_person_identity import lines_of
from tests.live.visiting import lead, text

pytestmark = pytest.mark.lts
FULL, SHORT = "苏州远航重工集团有限公司", "远航重工"
PAGE = Path(__file__).parents[2] / "docs" / "identity.md"
TIES = "师傅编号,徒弟编号,开始日期\n"
RENSHE = {
    "enterprises": f"企业编号,企业名称,省份,行业\n{FULL},{FULL},江苏,制造业\n",
    "people": f"人员编号,姓名,企业编号\nK1,师傅,{FULL}\nK2,徒甲,{FULL}\n",
    "talents": "人员编号,认定依据,认定日期\nK1,全国技术能手,2023-01-01\n",
    "mentorships": TIES + "K1,K2,2022-03-01\n",
    "recognitions": "人员编号,技能等级,发证日期\nK2,高级工,2024-06-01\n",
}
GONGHUI = {
    "enterprises": f"企业编号,企业名称,省份,所有制性质\n{SHORT},{SHORT},,国有\n",
    "people": f"人员编号,姓名,企业编号\nK1,师傅,\nG1,徒乙,{SHORT}\n",
    "mentorships": TIES + "K1,G1,2022-03-01\n",
    "recognitions": "人员编号,技能等级,发证日期\nG1,高级工,2024-06-01\n",
    "employments": f"人员编号,单位编号,开始日期\nG1,{SHORT},2020-01-01\n",
    "studios": f"工作室编号,工作室名称,工作室类型,依托单位编号\nW1,焊接,技能大师工作室,{SHORT}\n",
    "subsidies": f"补贴对象编号,补贴类型,补贴金额,年度\n{SHORT},本地补贴,5000,2025\n",
}


@pytest.fixture
def paths(tmp_path: Path, settings: Settings) -> Any:
    yield write(tmp_path / "renshe", RENSHE), write(tmp_path / "gonghui", GONGHUI)
    for name in ("notebook.sqlite", "review-enterprises.parquet"):
        (settings.home / name).unlink(missing_ok=True)


def build_code(digits: str) -> str:
    """A credit code with its check character."""
    return next(
        digits + sign for sign in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_credit_code(digits + sign)
    )


def list_waiting(database: Database) -> list[tuple[str, str, str]]:
    home = database.settings.home
    snapshot = take_snapshot(database, database.settings)
    queue = load_enterprise_queue(snapshot, home, list_judgements(home, ENTERPRISES))
    return list(queue.select("enterprise_a", "enterprise_b", "ground").iter_rows())


def decide(database: Database, verdict: Any) -> str:
    said = decide_pair(database, FULL, SHORT, verdict, "li", ENTERPRISES)
    return str(said)


def put_off_on_the_page(app: Callable[..., AppTest]) -> None:
    """A steward looks at the pair in the browser, and puts it off."""
    st.cache_data.clear()
    st.cache_resource.clear()
    test = app("review", lang="en", whose="Enterprise")
    shown = text(test)
    assert lead(test) == "1 pair of records may be one enterprise each."
    assert FULL in shown and SHORT in shown and "the same but for the place" in shown
    assert "the pair comes at the end" in text(test.button(key="review_later").click().run())


def count_by_enterprise(database: Database) -> dict[str, int]:
    """Who works where, in the tables of the revision and in the store alike."""
    snapshot = take_snapshot(database, database.settings)
    counts = snapshot.frames["people"].group_by("enterprise_id").len().drop_nulls().collect()
    found = dict(counts.iter_rows())
    rows = database.read(
        "MATCH (p:Person)-[:EMPLOYED_BY {key: 'current'}]->(e:Enterprise) "
        "RETURN e.enterprise_id AS id, count(p) AS people"
    )
    assert {row["id"]: row["people"] for row in rows} == found
    # Whom the short name employed counts where the full name says: in manufacturing.
    by_industry = load_driven(snapshot, DEFAULT_POLICY).by("industry")
    driven = dict(by_industry.select("industry", "driven_persons").iter_rows())
    assert driven == ({"制造业": 2} if len(found) == 1 else {"制造业": 1, None: 1})
    return found


def test_two_names_are_asked_merged_and_kept_so_by_every_load(
    empty_database: Database,
    settings: Settings,
    paths: tuple[Path, Path],
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    database = empty_database
    for path in paths:
        load(database, settings, path)
    apart = lines_of(database)
    report = match_enterprises(database)
    assert (report.enterprises, report.waiting, report.revision) == (2, 1, None)
    assert list_waiting(database) == [(FULL, SHORT, "same_core")]
    put_off_on_the_page(app)
    assert len(list_waiting(database)) == 1
    assert "one enterprise" in decide(database, "same")
    assert list_waiting(database) == []
    assert match_enterprises(database).decided == 1
    merged = lines_of(database)
    assert count_by_enterprise(database) == {FULL: 3}
    (node,) = database.read(
        "MATCH (a:EnterpriseAlias)-[:DENOTES]->(e:Enterprise) RETURN a.alias_id AS alias, "
        "e.enterprise_id AS id, e.ownership AS ownership, e.sources AS sources, "
        "COUNT { (:Studio)-[:HOSTED_BY]->(e) } AS studios, "
        "COUNT { (:Subsidy)-[:PAID_TO]->(e) } AS paid"
    )
    assert node["sources"] == ["gonghui", "renshe"] and node["ownership"]
    assert (node["alias"], node["id"], node["studios"], node["paid"]) == (SHORT, FULL, 1, 1)

    # Loaded again, in either order and into an empty store, it stays one.
    for path in reversed(paths):
        load(database, settings, path)
    assert lines_of(database) == merged
    emptied(database)
    promise_and_load(database, settings, paths[1])
    promise_and_load(database, settings, paths[0])
    assert lines_of(database) == merged
    emptied(database)
    load(database, settings, *paths)
    assert lines_of(database) == merged

    commands = re.findall(r"^\$ (shicheng enterprises .*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 4  # the last one takes the decision back

    # Taken back, they part again; judged different, they are never asked again.
    said = [run_here(one.split()[1:], {"SHICHENG_HOME": str(settings.home)}) for one in commands]
    assert [done.returncode for done in said] == [0] * 4 and "parted again" in said[3].stdout
    assert lines_of(database) == apart
    assert count_by_enterprise(database) == {FULL: 2, SHORT: 1}
    decide(database, "different")
    assert match_enterprises(database).waiting == 0


def test_a_merge_is_undone_exactly_and_credit_codes_are_never_merged(
    empty_database: Database, settings: Settings, paths: tuple[Path, Path], tmp_path: Path
) -> None:
    database = empty_database
    for path in paths:
        load(database, settings, path)
    before = lines_of(database)
    decide(database, "same")
    assert match_enterprises(database).decided == 1
    undo_finished_load(database, "3", "li")
    assert lines_of(database) == before
    assert count_by_enterprise(database) == {FULL: 2, SHORT: 1}
    codes = ("913205007000000009", build_code("91320500711111111"))
    rows = "".join(f"{code},{FULL},江苏\n" for code in codes)
    table = "企业编号,企业名称,省份\n" + rows
    load(database, settings, write(tmp_path / "shui", {"enterprises": table}))
    with pytest.raises(UsageError, match="two different credit codes"):
        decide_pair(database, *codes, "same", "li", ENTERPRISES)
    # Each may be the name's; both never: the second judgement joins nothing.
    for code in codes:
        decide_pair(database, code, FULL, "same", "li", ENTERPRISES)
    match_enterprises(database)
    assert database.read("MATCH (e:Enterprise) RETURN count(e) AS n") == [{"n": 2}]

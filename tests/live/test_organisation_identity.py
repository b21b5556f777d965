"""Names of one organisation in two departments' files: asked, merged, parted, in every figure."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.driven.results import load_driven
from graph.errors import UsageError
from graph.evidence.merged_ids import compare_merged_ids
from graph.evidence.restatement import load_restatement
from graph.people.organisation_aliases import count_organisation_aliases
from graph.policy import DEFAULT_POLICY
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import load_snapshot_of_revision, take_snapshot
from graph.store.identity_merge import ENTERPRISES, ORGANISATIONS, SCHOOLS, STUDIOS, IdentityKind
from loaders.mapping.identifiers import is_credit_code
from loaders.matching.judgements import list_judgements, save_judgement
from loaders.matching.organisation_matching import (
    build_queue_file_name,
    load_organisation_queue,
    match_organisations,
)
from loaders.matching.pair_decisions import decide_pair
from loaders.undoing import undo_finished_load
from tests.emptying import emptied
from tests.live.shell import run_here
from tests.live.test_bulk import write
from tests.live.test_dry_runs import load, promise_and_load
from tests.live.test_person_identity import lines_of
from tests.live.visiting import lead, text
from ui.reading.search import search_by_text

pytestmark = pytest.mark.lts
FULL, SHORT = "苏州远航重工集团有限公司", "远航重工"
PAGE = Path(__file__).parents[2] / "docs" / "identity.md"
TIES = "师傅编号,徒弟编号,开始日期,企业编号\n"
RENSHE = {
    "enterprises": f"企业编号,企业名称,省份,行业\n{FULL},{FULL},江苏,制造业\n",
    "people": f"人员编号,姓名,企业编号\nK1,师傅,{FULL}\nK2,徒甲,{FULL}\n",
    "talents": "人员编号,认定依据,认定日期\nK1,全国技术能手,2023-01-01\n",
    "mentorships": TIES + f"K1,K2,2022-03-01,{FULL}\n",
    "recognitions": "人员编号,技能等级,发证日期\nK2,高级工,2024-06-01\n",
}
GONGHUI = {
    "enterprises": f"企业编号,企业名称,省份,所有制性质\n{SHORT},{SHORT},,国有\n",
    "people": f"人员编号,姓名,企业编号\nK1,师傅,\nG1,徒乙,{SHORT}\n",
    "mentorships": TIES + f"K1,G1,2022-03-01,{SHORT}\n",
    "recognitions": "人员编号,技能等级,发证日期\nG1,高级工,2024-06-01\n",
    "employments": f"人员编号,单位编号,开始日期\nG1,{SHORT},2020-01-01\n",
    "studios": f"工作室编号,工作室名称,工作室类型,依托单位编号\nW1,焊接,技能大师工作室,{SHORT}\n",
    "subsidies": f"补贴对象编号,补贴类型,补贴金额,年度\n{SHORT},本地补贴,5000,2025\n",
}


@pytest.fixture
def paths(tmp_path: Path, settings: Settings) -> Any:
    yield write(tmp_path / "renshe", RENSHE), write(tmp_path / "gonghui", GONGHUI)
    for name in ("notebook.sqlite", *(build_queue_file_name(one) for one in ORGANISATIONS)):
        (settings.home / name).unlink(missing_ok=True)


def build_code(digits: str) -> str:
    """A credit code with its check character."""
    return next(
        digits + sign
        for sign in string.digits + string.ascii_uppercase
        if is_credit_code(digits + sign)
    )


def list_waiting(
    database: Database, identity: IdentityKind = ENTERPRISES
) -> list[tuple[str, str, str]]:
    home = database.settings.home
    snapshot = take_snapshot(database, database.settings)
    queue = load_organisation_queue(snapshot, home, list_judgements(home, identity), identity)
    return list(queue.select("id_a", "id_b", "ground").iter_rows())


def decide(database: Database, verdict: Any) -> str:
    said = decide_pair(database, FULL, SHORT, verdict, "li", ENTERPRISES)
    return str(said)


def put_off_on_the_page(app: Callable[..., AppTest]) -> None:
    """A steward looks at the pair in the browser, and puts it off."""
    st.cache_data.clear()
    st.cache_resource.clear()
    test = app("review", lang="en", whose="Enterprise")
    shown = text(test)
    assert lead(test) == "1 pair of records may be one organisation each."
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
    ties = database.read("MATCH ()-[x:MENTORS]->() RETURN DISTINCT x.enterprise_id AS id")
    assert {row["id"] for row in ties} == set(found)
    return found


def check_where_a_merge_shows(database: Database, home: Path, app: Callable[..., AppTest]) -> None:
    """In the evidence, the profile, the overview, what changed, Find and a link to the place."""
    st.cache_data.clear()
    st.cache_resource.clear()
    environment = {"SHICHENG_HOME": str(home)}
    line = f"{SHORT} (decided by a steward; gonghui)"
    why = run_here(["why", "K1", "G1"], environment).stdout
    assert f"{FULL} is also known as {SHORT}: decided by a steward" in why
    assert line in text(app("talent", lang="en", id="K1"))
    assert line in text(app("places", lang="en", kind="enterprise", id=SHORT))
    assert "1 of enterprises, 0 of schools, 0 of studios" in text(app("overview", lang="en"))
    assert FULL in str(search_by_text(SHORT)["Enterprise"].rows)
    snapshots = [load_snapshot_of_revision(database, database.settings, n) for n in (2, 3)]
    (row,) = compare_merged_ids(*snapshots).iter_rows(named=True)
    assert (row["id"], row["alias_id"], row["change"], row["basis"]) == (
        FULL,
        SHORT,
        "merged",
        "decided",
    )
    (row,) = compare_merged_ids(*reversed(snapshots)).iter_rows(named=True)
    assert row["change"] == "parted"
    restated = load_restatement(*snapshots, DEFAULT_POLICY)
    assert restated.merges["alias_id"].to_list() == [SHORT]
    page = app("data", lang="en", view="restated", before="2", after="3")
    assert "Ids joined or parted" in text(page), [button.label for button in page.button]


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
    report = match_organisations(database)
    assert (report.compared, report.waiting, report.revision) == (2, 1, None)
    assert list_waiting(database) == [(FULL, SHORT, "same_core")]
    put_off_on_the_page(app)
    assert len(list_waiting(database)) == 1
    assert "one: merged" in decide(database, "same")
    assert list_waiting(database) == []
    assert match_organisations(database).decided == 1
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
    check_where_a_merge_shows(database, settings.home, app)

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

    commands = re.findall(
        r"^\$ (shicheng organisations .*)$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len(commands) == 4  # the last one takes the decision back

    # Taken back, they part again; judged different, they are never asked again.
    said = [run_here(one.split()[1:], {"SHICHENG_HOME": str(settings.home)}) for one in commands]
    assert [done.returncode for done in said] == [0] * 4 and "parted again" in said[3].stdout
    assert lines_of(database) == apart
    assert count_by_enterprise(database) == {FULL: 2, SHORT: 1}
    decide(database, "different")
    assert match_organisations(database).waiting == 0


def test_a_merge_is_undone_exactly_and_credit_codes_are_never_merged(
    empty_database: Database, settings: Settings, paths: tuple[Path, Path], tmp_path: Path
) -> None:
    database = empty_database
    for path in paths:
        load(database, settings, path)
    before = lines_of(database)
    decide(database, "same")
    assert match_organisations(database).decided == 1
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
    match_organisations(database)
    assert database.read("MATCH (e:Enterprise) RETURN count(e) AS n") == [{"n": 2}]


SCHOOL, BRIEF = "江苏省苏州技师学院", "苏州技师学院"
HOST = "苏州远航重工集团有限公司"
PLACES = {
    "renshe": {
        "enterprises": f"企业编号,企业名称,省份\nE1,{HOST},江苏\n",
        "schools": f"院校编号,院校名称,省份\nX1,{SCHOOL},江苏\n",
        "studios": "工作室编号,工作室名称,工作室类型,依托单位编号\n"
        "S1,张建国国家级技能大师工作室,技能大师工作室,E1\nS2,焊接创新工作室,劳模工作室,X1\n",
        "people": "人员编号,姓名\nK1,师傅\nK2,徒甲\n",
        "teaching": "人员编号,院校编号\nK1,X1\n",
        "studio_leads": "工作室编号,人员编号,开始日期\nS1,K1,2020-01-01\n",
    },
    "gonghui": {
        "enterprises": f"企业编号,企业名称,省份\nG1,{HOST},江苏\n",
        "schools": f"院校编号,院校名称,省份\nY1,{BRIEF},江苏\n",
        "studios": "工作室编号,工作室名称,工作室类型,依托单位编号\n"
        "T1,张建国工作室,技能大师工作室,G1\nT2,焊接创新工作室,劳模工作室,Y1\n",
        "people": "人员编号,姓名\nW1,徒乙\n",
        "trainings": "人员编号,培训地点编号,开始日期\nW1,T1,2022-03-01\nW1,Y1,2022-03-01\n",
        "subsidies": "补贴对象编号,补贴类型,补贴金额,年度\nT1,本地补贴,5000,2025\n",
    },
}


def test_two_credit_codes_stay_two_however_often_a_third_name_is_matched(
    empty_database: Database, settings: Settings, tmp_path: Path, paths: tuple[Path, Path]
) -> None:
    """The name sorts before the code and stands for it; the code, now an alias, still counts."""
    name = "3号仪表厂"
    codes = [build_code(digits) for digits in ("91320500711111111", "91320500722222222")]
    for number, id in enumerate((name, *codes)):
        rows = {"enterprises": f"企业编号,企业名称,省份\n{id},{name},江苏\n"}
        load(empty_database, settings, write(tmp_path / f"office{number}", rows))
    for _ in range(3):
        match_organisations(empty_database)
    home = settings.home
    for code in codes:
        save_judgement(home, name, code, "same", "li", ENTERPRISES)
        match_organisations(empty_database)
    again = {"enterprises": f"企业编号,企业名称,省份\n{codes[1]},{name},江苏\n"}
    load(empty_database, settings, write(tmp_path / "office2", again))
    (left,) = empty_database.read(
        "MATCH (e:Enterprise) OPTIONAL MATCH (a:EnterpriseAlias)-[:DENOTES]->(e) "
        "WITH e.enterprise_id AS id, collect(a.alias_id) AS aliases ORDER BY id "
        "RETURN collect([id, aliases]) AS found"
    )
    assert len(left["found"]) == 2
    assert all(len({id, *aliases} & set(codes)) == 1 for id, aliases in left["found"])


def test_schools_and_studios_are_merged_with_all_that_names_them_and_parted_exactly(
    empty_database: Database,
    settings: Settings,
    paths: tuple[Path, Path],
    tmp_path: Path,
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    database = empty_database
    folders = [write(tmp_path / "places" / name, tables) for name, tables in PLACES.items()]
    for folder in folders:
        load(database, settings, folder)

    # The same full name with the place in it is one enterprise; the school is asked.
    named = match_organisations(database)
    assert (named.named, named.decided, named.waiting) == (1, 0, 0)
    apart = lines_of(database)
    assert match_organisations(database, SCHOOLS).waiting == 1
    st.cache_data.clear()
    st.cache_resource.clear()
    assert BRIEF in text(app("review", lang="en", whose="School"))
    decide_pair(database, "X1", "Y1", "same", "li", SCHOOLS)
    assert match_organisations(database, SCHOOLS).decided == 1
    schooled = lines_of(database)
    # By now both studios of welding have one host.
    merged = match_organisations(database, STUDIOS)
    assert (merged.named, merged.waiting) == (1, 1)
    assert list_waiting(database, STUDIOS) == [("S1", "T1", "same_subject")]
    st.cache_data.clear()
    st.cache_resource.clear()
    assert "same but for grade and kind" in text(app("review", lang="en", whose="Studio"))
    decide_pair(database, "S1", "T1", "same", "li", STUDIOS)
    assert match_organisations(database, STUDIOS).decided == 1
    (found,) = database.read(
        "MATCH (s:Studio {studio_id: 'S1'})-[:HOSTED_BY]->(e) RETURN e.enterprise_id AS host, "
        "COUNT { (:Person)-[:TRAINED_AT]->(s) } AS trained, "
        "COUNT { (:Person)-[:LEADS]->(s) } AS leads, COUNT { (:Subsidy)-[:PAID_TO]->(s) } AS paid, "
        "COUNT { (:Person)-[:TRAINED_AT]->(:School {school_id: 'X1'}) } AS schooled"
    )
    assert found == {"host": "E1", "trained": 1, "leads": 1, "paid": 1, "schooled": 1}
    snapshot = take_snapshot(database, settings)
    assert count_organisation_aliases(snapshot) == {"Enterprise": 1, "School": 1, "Studio": 2}
    edges = snapshot.frames["edges"].filter(channel="studio").collect()
    assert edges.height == 1  # whom the studio's leader so reaches

    # What is loaded again goes to the ones that stand; undone one by one, all is as before.
    before = lines_of(database)
    load(database, settings, folders[1])
    assert lines_of(database) == before
    for revision in (7, 6, 5):
        undo_finished_load(database, str(revision), "li")
    assert lines_of(database) == schooled
    assert "stands for itself" in str(decide_pair(database, "X1", "Y1", "open", "li", SCHOOLS))
    assert lines_of(database) == apart

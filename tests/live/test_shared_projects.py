"""Projects tie people and places; they never count as driven. Older stores and snapshots stay."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.programme.place_ties import compute_ties
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import READABLE_VERSIONS, Manifest, Snapshot, open_snapshot
from graph.snapshot.take import list_cached_snapshots, take_snapshot
from loaders import folder
from loaders.sync import load_records
from tests.live.test_bulk import write

CASE = Path(__file__).parents[1] / "conformance" / "case1"
NEW_FRAMES = ("projects", "participations", "achievements", "subsidies")
NEW_COLUMNS = ("retirement_category", "non_compete_until", "retirement_postponed_until", "pay_form")


def measure(snapshot: Snapshot) -> object:
    driven = measure_driven(snapshot, Policy())
    return driven.national, driven.table().drop("person", strict=False).to_dicts()


def make_older(made: Path) -> None:
    """Turns a snapshot's folder into what the version before projects left."""
    manifest = Manifest.of(made)
    for name in NEW_FRAMES:
        (made / f"{name}.parquet").unlink()
        del manifest.rows[name]
    for name in ("people", "employments"):
        frame = pl.read_parquet(made / f"{name}.parquet")
        old_columns = [c for c in frame.columns if not c.startswith(NEW_COLUMNS)]
        frame.select(old_columns).write_parquet(made / f"{name}.parquet")
    manifest.format = READABLE_VERSIONS[-1]
    manifest.write(made)


def test_projects_are_ties_and_never_driven(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home_path": tmp_path})
    home = settings.home
    load_records(empty_database, "folder", folder.get([CASE]), home=home)
    without = take_snapshot(empty_database, own)
    expected = measure(without)
    assert compute_ties(without, "project").is_empty()
    people = without.frames["people"].select("person_id", "name").collect()
    ids = people["person_id"].to_list()
    employed = "\n".join(f"{id},{name},e1" for id, name in people.head(5).rows())
    on_project = "\n".join(f"{id},j1,参与人,2020-01-01," for id in ids)
    given = write(
        tmp_path / "projects",
        {
            "enterprises": "enterprise_id,name\ne1,一厂\n",
            "people": f"person_id,name,enterprise_id\n{employed}\n",
            "projects": "project_id,name,kind\nj1,攻关,technical_problem\n",
            "participations": f"person_id,project_id,role,start,end\n{on_project}\n",
            "achievements": f"person_id,title,kind\n{ids[0]},夹具,patent\n",
            "subsidies": f"recipient_id,kind,amount,year\n{ids[0]},人才津贴,20000,2024\n",
        },
    )
    load_records(empty_database, "folder", folder.get([given]), home=home)
    snapshot = take_snapshot(empty_database, own)
    assert measure(snapshot) == expected
    tied = compute_ties(snapshot, "project")
    assert tied.height == 5
    assert set(tied["b"]) == {"j1"} and set(tied["year"]) == {2020}
    paid = snapshot.frames["subsidies"].select("kind", "recipient_kind", "recipient_id", "amount")
    assert paid.collect().rows() == [("talent_allowance", "Person", None, 20_000.0)]
    assert without.folder is not None
    make_older(without.folder)
    older = open_snapshot(without.folder)
    assert measure(older) == expected
    assert {*older.frames} >= {*snapshot.frames}
    for name in (*NEW_FRAMES, "people", "employments"):
        held, now = (s.frames[name].collect_schema() for s in (older, snapshot))
        assert dict(held) == dict(now), name
    assert [one.revision for one in list_cached_snapshots(empty_database, own)] == [2, 1]

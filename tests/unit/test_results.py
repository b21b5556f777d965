"""Results cached beside a snapshot: the same as computed, shared, swept, and recounted exactly.

`SHICHENG_EXAMPLES` sets how many random deltas are tried (default 40; 200 were tried by hand).
"""

from __future__ import annotations

import json
import os
import random
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.driven import results
from graph.driven.figures import Driven, measure_driven
from graph.driven.results import load_driven, load_driven_from_location
from graph.driven.terms import RESULT_TABLES
from graph.errors import UsageError
from graph.policy import Policy
from graph.snapshot.frames import Snapshot, open_snapshot
from tests.conformance.brute_force import World
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import PEOPLE, it_adds_up, policies, random_world

EXAMPLES = int(os.environ.get("SHICHENG_EXAMPLES", "40"))
POLICY = Policy(as_of=date(2026, 1, 1))
CHANGED = ("edges", "edges_first", "promotions", "talents")


def cached_in(folder: Path, world: World, previous: Path | None = None) -> Snapshot:
    """The world's snapshot in a folder, with what differs from the previous one beside it."""
    folder.mkdir(parents=True)
    frames = snapshot_of(world).frames
    for name, frame in frames.items():
        frame.collect().write_parquet(folder / f"{name}.parquet")
    for name in CHANGED if previous else ():
        changed_between(previous, folder, name).write_parquet(folder / f"changed-{name}.parquet")
    rows = dict.fromkeys(frames, 0)
    manifest = {"revision": 1, "rows": rows, "previous": previous.name if previous else None}
    (folder / "snapshot.json").write_text(json.dumps(manifest))
    return Snapshot(1, folder, {n: pl.scan_parquet(folder / f"{n}.parquet") for n in frames})


def changed_between(before: Path, after: Path, name: str) -> pl.DataFrame:
    """The rows that came and those that went."""
    old, new = (pl.read_parquet(folder / f"{name}.parquet") for folder in (before, after))
    here = dict(on=old.columns, how="anti", nulls_equal=True)
    gone, come = old.join(new, **here), new.join(old, **here)  # type: ignore[arg-type]
    return pl.concat([gone.with_columns(gone=True), come.with_columns(gone=False)])


def same(found: Driven, expected: Driven) -> None:
    """Every table and figure, whatever the order of rows."""
    assert found.national == expected.national and found.lines == expected.lines
    assert rounded(found.talents) == rounded(expected.talents)
    for name in RESULT_TABLES:
        assert rounded(found.tables[name].collect()) == rounded(expected.tables[name].collect())


def rounded(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    floats = pl.col(pl.Float64).round(9)
    plain = rows.with_columns(floats).select(sorted(rows.columns))
    return sorted(plain.rows(), key=repr)


def altered(world: World, seed: int) -> World:
    """The world after a small delta: rows gone, come and redated, talents named and no longer."""
    draw, after = random.Random(seed), {name: list(rows) for name, rows in world.items()}
    other = random_world(seed)
    for name in ("mentorships", "trainings", "studio_leads", "recognitions", "talents"):
        for _ in range(draw.choice([0, 0, 1, 2])):
            if after[name] and draw.random() < 0.5:
                after[name].pop(draw.randrange(len(after[name])))
            elif other[name]:
                after[name].append(draw.choice(other[name]))
    return after


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(seed=st.integers(0, 2**32), policy=policies)
def test_after_a_delta_the_recount_equals_a_full_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, policy: Policy
) -> None:
    home = tmp_path_factory.mktemp("recount")
    world = random_world(seed)
    before = cached_in(home / "before", world)
    load_driven(before, policy)
    after = cached_in(home / "after", altered(world, seed + 1), before.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "MAX_INCREMENTAL_SHARE", 1.0)
        found = load_driven(after, policy)
    assert after.folder is not None
    (manifest,) = after.folder.glob("results/driven-*/result.json")
    assert "touched" in json.loads(manifest.read_text())
    it_adds_up(found)
    same(found, measure_driven(after, policy))


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_cached_results_are_what_was_computed(tmp_path: Path, engine: str) -> None:
    snapshot = cached_in(tmp_path / "s", random_world(7))
    expected = measure_driven(snapshot, POLICY)
    same(load_driven(snapshot, POLICY, engine=engine), expected)
    same(load_driven(snapshot, POLICY), expected)
    same(load_driven_from_location(str(tmp_path / "s"), POLICY), expected)
    assert not list((tmp_path / "s" / "results").glob(".*"))


def test_policies_of_the_same_chains_share_a_reach(tmp_path: Path) -> None:
    snapshot = cached_in(tmp_path / "s", random_world(7))
    policies = [POLICY, Policy(as_of=date(2025, 1, 1)), Policy(date(2025, 1, 1))]
    for policy in policies:
        same(load_driven(snapshot, policy), measure_driven(snapshot, policy))
    (reached,) = (tmp_path / "s" / "results").glob("reach-*")
    assert "arrival" in pl.scan_parquet(reached / "reach.parquet").collect_schema()


def test_the_results_last_asked_for_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_CACHED_POLICIES", 2)
    monkeypatch.setattr(results, "MAX_CACHED_REACHES", 1)
    snapshot = cached_in(tmp_path / "s", random_world(7))
    for generations in (1, 2, 3):
        found = load_driven(snapshot, Policy(generations=generations))
        it_adds_up(found)
    names = [path.name.split("-")[0] for path in (tmp_path / "s" / "results").iterdir()]
    assert sorted(names) == ["driven", "driven", "reach"]


def test_an_interrupted_result_is_never_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = cached_in(tmp_path / "s", random_world(7))
    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load_driven(snapshot, POLICY)
    assert not list((tmp_path / "s" / "results").iterdir())
    same(load_driven(snapshot, POLICY), measure_driven(snapshot, POLICY))


def test_the_lists_and_unions_of_cached_results(tmp_path: Path) -> None:
    snapshot = cached_in(tmp_path / "s", random_world(11))
    found = load_driven(snapshot, POLICY)
    for row in found.talents.iter_rows(named=True):
        assert found.workers_of(row["talent_id"]).height == row["driven"]
    assert found.union(PEOPLE) == found.national["driven_persons"]


@pytest.mark.parametrize(
    ("place", "engine", "words"),
    [
        ("nowhere", "polars", "holds no snapshot"),
        ("s3a://bucket/snapshot", "duckdb", "only --engine spark reads"),
    ],
)
def test_where_there_is_no_snapshot(place: str, engine: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_driven_from_location(place, POLICY, engine=engine)


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    snapshot = cached_in(tmp_path / "s", random_world(7))
    with pytest.raises(UsageError, match="no engine 'pandas'"):
        load_driven(snapshot, POLICY, engine="pandas")
    with pytest.raises(UsageError, match="--master is for --engine spark"):
        load_driven(snapshot, POLICY, master="local[2]")
    assert open_snapshot(tmp_path / "s").revision == 1


@pytest.mark.parametrize("engine", ["nosuch", "spark"])
def test_a_cached_result_hides_no_wrong_engine(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = cached_in(tmp_path / "s", random_world(7))
    load_driven(snapshot, POLICY)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("graph.driven.engines.importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"no engine|not installed"):
        load_driven(snapshot, POLICY, engine=engine)
    with pytest.raises(UsageError, match=r"no engine|not installed"):
        load_driven_from_location(str(snapshot.folder), POLICY, engine=engine)
    assert sorted(tmp_path.rglob("*")) == before

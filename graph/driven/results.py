"""Results of the number, cached beside their snapshot: one folder per policy.

The reach of the talents' chains is cached apart from what it counts for, since policies that differ
in the window, the level or the as-of day alone share it. A result is written in a folder of its
own and then renamed, so that an interrupted one is never seen; it goes with its snapshot.

After a delta only what it touches is computed again: see `Touched`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl

from graph.atomic import write_folder_atomically
from graph.driven.engines import IN_MEMORY, Engine, Frame, check_engine, open_engine
from graph.driven.figures import (
    Driven,
    compute_figures,
    compute_figures_and_tables,
    measure_driven,
    open_frames,
)
from graph.driven.promotions import (
    compute_credits,
    compute_events,
    compute_national_promotions,
    find_pending_pairs,
)
from graph.driven.rounds import compute_reach, filter_usable_edges
from graph.driven.terms import INPUT_TABLES, RESULT_TABLES
from graph.errors import UsageError
from graph.people.lookup import lookup_person_ids_by_number
from graph.policy import Policy
from graph.snapshot.frames import EDGES, Snapshot, open_snapshot

# Raised when the cached tables change, so that older files are not read as these.
RESULT_VERSION: Final = 5
# Of each snapshot the results of the policies last asked for stay, and the reaches they stand on.
MAX_CACHED_POLICIES: Final = 12
MAX_CACHED_REACHES: Final = 4
RESULT_MANIFEST_NAME: Final = "result.json"
# Tables that pages read a talent's rows of: sorted by talent, so that the rest is passed over.
TALENT_SORTED_TABLES: Final = ("pairs", "waiting")
# Beyond this share of the people touched, counting everything again is the quicker way.
MAX_INCREMENTAL_SHARE: Final = 0.2


def load_driven(
    snapshot: Snapshot, policy: Policy, *, engine: str = "polars", master: str | None = None
) -> Driven:
    """Every figure of the number under the policy: cached, or computed and cached now.

    `engine` is one of `graph.driven.engines.ENGINES`; all give the same. Raises `UsageError` for
    another or one that is not installed, and when the policy asks for more than fits.
    """
    check_engine(engine, master)
    if snapshot.folder is None:
        with open_engine(engine, master=master) as chosen:
            return measure_driven(snapshot, policy, chosen)
    if not has_cached_driven(snapshot, policy):
        with open_engine(engine, folder=snapshot.folder / "results", master=master) as chosen:
            _compute_result(snapshot, policy, chosen)
    _sweep_results(snapshot.folder)
    return load_cached_driven(snapshot, policy)


def load_driven_from_location(
    place: str, policy: Policy, *, engine: str = "polars", master: str | None = None
) -> Driven:
    """As `load_driven`, of the snapshot in a folder, or at an address that Spark reads.

    At an address (`file:///...`, or what Spark's own connectors read) nothing is cached:
    figures and breakdowns come back, the lists of workers do not. Raises `UsageError` when nothing
    is there.
    """
    if "://" not in place:
        if not (Path(place) / "snapshot.json").exists():
            raise UsageError(
                "{place} holds no snapshot; name a folder that has a snapshot.json.", place=place
            )
        return load_driven(open_snapshot(Path(place)), policy, engine=engine, master=master)
    if engine != "spark":
        raise UsageError("{place} is an address that only --engine spark reads.", place=place)
    with open_engine(engine, master=master) as chosen:
        edges = EDGES[policy.year_alone]
        names = {name: pl.LazyFrame() for name in (edges, *INPUT_TABLES[1:])}
        frames = chosen.open(names, place.rstrip("/"))
        frames["edges"] = frames[edges]
        reached = compute_reach(frames["edges"], frames["talents"], policy, chosen)
        figures, _ = compute_figures_and_tables(frames, reached, policy, chosen)
    small = (figures.talents, figures.national, figures.lines)
    return Driven(policy, 0, *small, {"breakdowns": figures.breakdowns.lazy()}, pl.LazyFrame())


def load_reach(snapshot: Snapshot, policy: Policy) -> pl.LazyFrame:
    """Everyone the policy's chains arrive at, as `graph.driven.rounds.compute_reach` has them: the
    cached table, or one computed now and cached.
    """
    snapshot = snapshot.under(policy)
    frames = open_frames(snapshot, IN_MEMORY)
    if snapshot.folder is None:
        reached = compute_reach(frames["edges"], frames["talents"], policy)
    else:
        reached = _load_or_compute_reach(snapshot, policy, IN_MEMORY, frames)
    found: pl.LazyFrame = reached.to_native()
    return found


def has_cached_driven(snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the figures under the policy are cached, so that reading them costs little."""
    return (
        snapshot.folder is not None
        and (_build_result_path(snapshot.folder, policy) / RESULT_MANIFEST_NAME).exists()
    )


def load_cached_driven(snapshot: Snapshot, policy: Policy) -> Driven:
    """The cached result of the policy, opened; its large tables are read as they are asked for."""
    assert snapshot.folder is not None
    place = _build_result_path(snapshot.folder, policy)
    manifest = json.loads((place / RESULT_MANIFEST_NAME).read_text())
    os.utime(place / RESULT_MANIFEST_NAME)
    return Driven(
        policy,
        snapshot.revision,
        pl.read_parquet(place / "talents.parquet"),
        manifest["national"],
        manifest["lines"],
        {name: _scan_result_table(place / f"{name}.parquet") for name in RESULT_TABLES},
        snapshot.frames["people"],
        partial(lookup_person_ids_by_number, snapshot),
    )


def list_cached_policies(snapshot: Snapshot) -> list[Policy]:
    """The policies whose results are cached beside the snapshot, the last asked for first."""
    if snapshot.folder is None:
        return []
    files = (snapshot.folder / "results").glob(f"driven-{RESULT_VERSION}-*/{RESULT_MANIFEST_NAME}")
    made = sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)
    return [Policy.of(json.loads(file.read_text())["policy"]) for file in made]


def _build_result_path(folder: Path, policy: Policy) -> Path:
    return folder / "results" / f"driven-{RESULT_VERSION}-{policy.id}"


def _build_cached_reach_path(folder: Path, policy: Policy) -> Path:
    return folder / "results" / f"reach-{RESULT_VERSION}-{policy.chains_id}"


def _scan_result_table(path: Path) -> pl.LazyFrame:
    """One file, or the folder of files that Spark writes."""
    return pl.scan_parquet(path / "*.parquet" if path.is_dir() else path)


def _compute_result(snapshot: Snapshot, policy: Policy, engine: Engine) -> None:
    snapshot = snapshot.under(policy)
    assert snapshot.folder is not None
    touched = find_touched_people(snapshot, policy)
    if touched is not None:
        _recompute_touched(snapshot, policy, touched)
        return
    frames = open_frames(snapshot, engine)
    reached = _load_or_compute_reach(snapshot, policy, engine, frames)
    figures, tables = compute_figures_and_tables(frames, reached, policy, engine)

    def write(making: Path) -> dict[str, Any]:
        for name, table in tables.items():
            ordered = table.sort("talent") if name in TALENT_SORTED_TABLES else table
            engine.save(ordered, making / f"{name}.parquet")
        figures.breakdowns.write_parquet(making / "breakdowns.parquet")
        figures.talents.write_parquet(making / "talents.parquet")
        return {"national": figures.national, "lines": figures.lines, "engine": engine.name}

    _write_result_folder(_build_result_path(snapshot.folder, policy), policy, write)


def _load_or_compute_reach(
    snapshot: Snapshot, policy: Policy, engine: Engine, frames: Mapping[str, Frame]
) -> Frame:
    """The reach of the policy's chains, from the cache or computed and cached now."""
    assert snapshot.folder is not None
    place = _build_cached_reach_path(snapshot.folder, policy)
    if not (place / RESULT_MANIFEST_NAME).exists():
        reached = compute_reach(frames["edges"], frames["talents"], policy, engine)

        def write(making: Path) -> dict[str, Any]:
            engine.save(reached, making / "reach.parquet")
            return {"engine": engine.name}

        _write_result_folder(place, policy, write)
        return reached
    os.utime(place / RESULT_MANIFEST_NAME)
    return engine.open({"reach": _scan_result_table(place / "reach.parquet")}, str(place))["reach"]


def _write_result_folder(
    place: Path, policy: Policy, write: Callable[[Path], dict[str, Any]]
) -> None:
    with write_folder_atomically(place) as making:
        manifest = write(making) | {"policy": policy.as_dict()}
        (making / RESULT_MANIFEST_NAME).write_text(json.dumps(manifest, indent=1))


def _sweep_results(folder: Path) -> None:
    """Keep what was asked for last."""
    for kind, most in (("driven", MAX_CACHED_POLICIES), ("reach", MAX_CACHED_REACHES)):
        made = sorted(
            (folder / "results").glob(f"{kind}-*/{RESULT_MANIFEST_NAME}"),
            key=lambda file: file.stat().st_mtime,
            reverse=True,
        )
        for file in made[most:]:
            shutil.rmtree(file.parent, ignore_errors=True)


# --- after a delta ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Touched:
    """What a delta may have changed, and the cached results from before it.

    - arrivals: people at whom a talent's chains may arrive otherwise than before
    - persons: those, and people whose promotions changed
    - before: the results of the snapshot this one was made from
    """

    arrivals: pl.Series
    persons: pl.Series
    before: Path


def find_touched_people(snapshot: Snapshot, policy: Policy) -> Touched | None:
    """What has changed since the cached results of the snapshot this one was made from.

    None when there is no such snapshot, when it has no results under the policy, or when so much
    has changed that counting everything again is the quicker way.
    """
    snapshot = snapshot.under(policy)
    assert snapshot.folder is not None
    changes = _read_snapshot_changes(snapshot.folder, EDGES[policy.year_alone])
    if changes is None:
        return None
    needed = (
        _build_result_path(changes.before, policy),
        _build_cached_reach_path(changes.before, policy),
    )
    if not all((place / RESULT_MANIFEST_NAME).exists() for place in needed):
        return None
    arrivals = _find_touched_arrivals(snapshot, changes.frames, policy)
    promoted = changes.frames["promotions"]["person"]
    persons = pl.concat([arrivals, promoted]).unique()
    people = snapshot.frames["people"].select(pl.len()).collect().item()
    if persons.len() > MAX_INCREMENTAL_SHARE * people:
        return None
    return Touched(arrivals, persons, changes.before)


@dataclass(frozen=True)
class SnapshotChanges:
    """How a snapshot differs from the one it was made from, whose folder is `before`.

    `frames`: edges, promotions and talents, the rows that came and those that went.
    """

    before: Path
    frames: Mapping[str, pl.DataFrame]


def _read_snapshot_changes(folder: Path, edges: str) -> SnapshotChanges | None:
    """What the snapshot says of its difference; None for a full snapshot.

    `edges` is the table of the edges that count.
    """
    previous = json.loads((folder / "snapshot.json").read_text()).get("previous")
    if previous is None:
        return None
    tables = {"edges": edges, "promotions": "promotions", "talents": "talents"}
    frames = {
        name: pl.read_parquet(folder / f"changed-{table}.parquet") for name, table in tables.items()
    }
    return SnapshotChanges(folder.parent / previous, frames)


def _find_touched_arrivals(
    snapshot: Snapshot, changed: Mapping[str, pl.DataFrame], policy: Policy
) -> pl.Series:
    """Everyone at the end of a changed edge, or of a talent's first hop, and all beyond them."""
    now = filter_usable_edges(nw.from_native(snapshot.frames["edges"]), policy).to_native()
    gone = filter_usable_edges(nw.from_native(changed["edges"].lazy()), policy).to_native()
    links = pl.concat([now, gone]).select("mentor", "apprentice")
    renamed = changed["talents"]["person"].unique()
    first = links.filter(pl.col("mentor").is_in(renamed.implode())).select("apprentice").collect()
    ends = gone.select("apprentice").collect()
    return _expand_closure(
        links, pl.concat([first, ends])["apprentice"], "mentor", "apprentice", policy
    )


def _expand_closure(
    links: pl.LazyFrame, seeds: pl.Series, here: str, there: str, policy: Policy
) -> pl.Series:
    """The seeds and everyone `there` of them within the hops that a chain has left."""
    found = new = seeds.unique()
    hops = None if policy.generations is None else policy.generations - 1
    while new.len() and hops != 0:
        following = links.filter(pl.col(here).is_in(new.implode())).select(there).collect()[there]
        new = following.unique()
        new = new.filter(~new.is_in(found.implode()))
        found = pl.concat([found, new])
        hops = None if hops is None else hops - 1
    return found


def _recompute_touched(snapshot: Snapshot, policy: Policy, touched: Touched) -> None:
    """The cached results with what was touched computed again, as those of this snapshot."""
    assert snapshot.folder is not None
    frames = open_frames(snapshot, IN_MEMORY)
    again = _recompute_reach(frames, policy, touched.arrivals)
    before = _build_cached_reach_path(touched.before, policy) / "reach.parquet"
    reached = pl.concat(
        [_exclude_persons(_scan_result_table(before), touched.arrivals), again.lazy()]
    ).collect()

    def write_reach(making: Path) -> dict[str, Any]:
        reached.write_parquet(making / "reach.parquet")
        return {"engine": IN_MEMORY.name, "touched": touched.arrivals.len()}

    _write_result_folder(_build_cached_reach_path(snapshot.folder, policy), policy, write_reach)
    tables = _recompute_tables(frames, reached, policy, touched)
    figures = compute_figures(
        frames, {n: nw.from_native(t.lazy()) for n, t in tables.items()}, policy, IN_MEMORY
    )

    def write(making: Path) -> dict[str, Any]:
        for name, table in tables.items():
            ordered = table.sort("talent") if name in TALENT_SORTED_TABLES else table
            ordered.write_parquet(making / f"{name}.parquet")
        figures.breakdowns.write_parquet(making / "breakdowns.parquet")
        figures.talents.write_parquet(making / "talents.parquet")
        small = {"national": figures.national, "lines": figures.lines}
        return small | {"engine": IN_MEMORY.name, "touched": touched.persons.len()}

    _write_result_folder(_build_result_path(snapshot.folder, policy), policy, write)


def _exclude_persons(frame: pl.LazyFrame, persons: pl.Series) -> pl.LazyFrame:
    return frame.filter(~pl.col("person").is_in(persons.implode()))


def _recompute_reach(
    frames: Mapping[str, Frame], policy: Policy, arrivals: pl.Series
) -> pl.DataFrame:
    """The reach as far as it arrives at these people: the rounds on the edges that lead there."""
    edges: pl.LazyFrame = frames["edges"].to_native()
    usable = filter_usable_edges(frames["edges"], policy).to_native().select("mentor", "apprentice")
    leading_there = _expand_closure(usable, arrivals, "apprentice", "mentor", policy)
    into = edges.filter(pl.col("apprentice").is_in(leading_there.implode()))
    found = compute_reach(nw.from_native(into), frames["talents"], policy).to_native()
    here: pl.LazyFrame = found.filter(pl.col("person").is_in(arrivals.implode()))
    return here.collect()


def _recompute_tables(
    frames: Mapping[str, Frame], reached: pl.DataFrame, policy: Policy, touched: Touched
) -> dict[str, pl.DataFrame]:
    place = _build_result_path(touched.before, policy)
    promotions = frames["promotions"]
    there = reached.lazy().filter(pl.col("person").is_in(touched.persons.implode()))
    counting = compute_events(nw.from_native(there), promotions, policy).collect().lazy()
    fresh = {
        "events": counting,
        "pairs": compute_credits(counting),
        "promotions": compute_national_promotions(counting, promotions, policy),
        "waiting": find_pending_pairs(nw.from_native(there), promotions, policy),
    }
    return {
        name: pl.concat(
            [
                _exclude_persons(_scan_result_table(place / f"{name}.parquet"), touched.persons),
                frame.to_native(),
            ],
            how="vertical_relaxed",
        ).collect()
        for name, frame in fresh.items()
    }

"""What the metrics find, kept beside the snapshot it was found in: a folder a policy.

The reach of the talents' chains is kept apart from what it counts for, since policies that differ
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

from graph.engines import IN_MEMORY, Engine, Frame, engine_named
from graph.errors import UsageError
from graph.metrics.driven import (
    NEEDED,
    TABLES,
    Driven,
    counted,
    credited,
    events,
    figures_of,
    measure,
    national_promotions,
    opened,
    pending,
    reach,
    usable_edges,
)
from graph.policy import Policy
from graph.rows import ids_of
from graph.snapshot import Snapshot, open_snapshot
from graph.whole import whole_folder

# Raised when the kept tables change, so that those of an older form are not read as these.
FORMAT: Final = 3
# Of each snapshot the results of the policies last asked for stay, and the reaches they stand on.
KEPT_POLICIES: Final = 12
KEPT_REACHES: Final = 4
MANIFEST: Final = "result.json"
# Tables that pages read a talent's rows of: kept by talent, so that the rest is passed over.
BY_TALENT: Final = ("pairs", "waiting")
# Beyond this share of the people touched, counting everything again is the quicker way.
SMALL_SHARE: Final = 0.2


def measured(
    snapshot: Snapshot, policy: Policy, *, engine: str = "polars", master: str | None = None
) -> Driven:
    """Every figure of the number under the policy: the kept result, or one computed now and kept.

    `engine` is one of `graph.engines.ENGINES`; all give the same. Raises `UsageError` when the
    policy asks for more than fits.
    """
    if snapshot.folder is None:
        with engine_named(engine, master=master) as chosen:
            return measure(snapshot, policy, chosen)
    if not is_measured(snapshot, policy):
        with engine_named(engine, folder=snapshot.folder / "results", master=master) as chosen:
            _compute(snapshot, policy, chosen)
    _sweep(snapshot.folder)
    return kept(snapshot, policy)


def measured_at(
    place: str, policy: Policy, *, engine: str = "polars", master: str | None = None
) -> Driven:
    """As `measured`, of the snapshot in a folder, or at an address that Spark reads.

    At an address (`file:///...`, or what Spark's own connectors read) nothing is kept: figures and
    breakdowns come back, the lists of workers do not. Raises `UsageError` when nothing is there.
    """
    if "://" not in place:
        if not (Path(place) / "snapshot.json").exists():
            raise UsageError(f"{place} holds no snapshot; name a folder that has a snapshot.json.")
        return measured(open_snapshot(Path(place)), policy, engine=engine, master=master)
    if engine != "spark":
        raise UsageError(f"{place} is an address that only --engine spark reads.")
    with engine_named(engine, master=master) as chosen:
        names = {name: pl.LazyFrame() for name in NEEDED}
        frames = chosen.open(names, place.rstrip("/"))
        reached = reach(frames["edges"], frames["talents"], policy, chosen)
        figures, _ = counted(frames, reached, policy, chosen)
    small = (figures.talents, figures.national, figures.lines)
    return Driven(policy, 0, *small, {"breakdowns": figures.breakdowns.lazy()}, pl.LazyFrame())


def is_measured(snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the figures under the policy are kept, so that asking for them costs little."""
    return snapshot.folder is not None and (_place(snapshot.folder, policy) / MANIFEST).exists()


def kept(snapshot: Snapshot, policy: Policy) -> Driven:
    """The result kept for the policy, opened; its large tables are read as they are asked for."""
    assert snapshot.folder is not None
    place = _place(snapshot.folder, policy)
    manifest = json.loads((place / MANIFEST).read_text())
    os.utime(place / MANIFEST)
    return Driven(
        policy,
        snapshot.revision,
        pl.read_parquet(place / "talents.parquet"),
        manifest["national"],
        manifest["lines"],
        {name: _scan(place / f"{name}.parquet") for name in TABLES},
        snapshot.frames["people"],
        partial(ids_of, snapshot),
    )


def kept_reach(snapshot: Snapshot, policy: Policy) -> pl.LazyFrame | None:
    """The kept reach of the policy's chains (see `graph.metrics.driven.reach`), if there is one."""
    place = None if snapshot.folder is None else _reach_place(snapshot.folder, policy)
    if place is None or not (place / MANIFEST).exists():
        return None
    os.utime(place / MANIFEST)
    return _scan(place / "reach.parquet")


def kept_policies(snapshot: Snapshot) -> list[Policy]:
    """The policies whose results are kept beside the snapshot, the last asked for first."""
    if snapshot.folder is None:
        return []
    files = (snapshot.folder / "results").glob(f"driven-{FORMAT}-*/{MANIFEST}")
    made = sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)
    return [Policy.of(json.loads(file.read_text())["policy"]) for file in made]


def _place(folder: Path, policy: Policy) -> Path:
    return folder / "results" / f"driven-{FORMAT}-{policy.id}"


def _reach_place(folder: Path, policy: Policy) -> Path:
    return folder / "results" / f"reach-{FORMAT}-{policy.chains_id}"


def _scan(path: Path) -> pl.LazyFrame:
    """One file, or the folder of files that Spark writes."""
    return pl.scan_parquet(path / "*.parquet" if path.is_dir() else path)


def _compute(snapshot: Snapshot, policy: Policy, engine: Engine) -> None:
    assert snapshot.folder is not None
    touched = touched_since(snapshot, policy)
    if touched is not None:
        _recount(snapshot, policy, touched)
        return
    frames = opened(snapshot, engine)
    reached = _reached(snapshot, policy, engine, frames)
    figures, tables = counted(frames, reached, policy, engine)

    def write(making: Path) -> dict[str, Any]:
        for name, table in tables.items():
            ordered = table.sort("talent") if name in BY_TALENT else table
            engine.save(ordered, making / f"{name}.parquet")
        figures.breakdowns.write_parquet(making / "breakdowns.parquet")
        figures.talents.write_parquet(making / "talents.parquet")
        return {"national": figures.national, "lines": figures.lines, "engine": engine.name}

    _put(_place(snapshot.folder, policy), policy, write)


def _reached(
    snapshot: Snapshot, policy: Policy, engine: Engine, frames: Mapping[str, Frame]
) -> Frame:
    """The reach of the policy's chains, kept from before or from now on."""
    assert snapshot.folder is not None
    place = _reach_place(snapshot.folder, policy)
    if not (place / MANIFEST).exists():
        reached = reach(frames["edges"], frames["talents"], policy, engine)

        def write(making: Path) -> dict[str, Any]:
            engine.save(reached, making / "reach.parquet")
            return {"engine": engine.name}

        _put(place, policy, write)
        return reached
    os.utime(place / MANIFEST)
    return engine.open({"reach": _scan(place / "reach.parquet")}, str(place))["reach"]


def _put(place: Path, policy: Policy, write: Callable[[Path], dict[str, Any]]) -> None:
    with whole_folder(place) as making:
        manifest = write(making) | {"policy": policy.as_dict()}
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1))


def _sweep(folder: Path) -> None:
    """Keep what was asked for last."""
    for kind, most in (("driven", KEPT_POLICIES), ("reach", KEPT_REACHES)):
        made = sorted(
            (folder / "results").glob(f"{kind}-*/{MANIFEST}"),
            key=lambda file: file.stat().st_mtime,
            reverse=True,
        )
        for file in made[most:]:
            shutil.rmtree(file.parent, ignore_errors=True)


# --- after a delta ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Touched:
    """What a delta may have changed, and the kept results from before it.

    - arrivals: people at whom a talent's chains may arrive otherwise than before
    - persons: those, and people whose promotions changed
    - before: the results of the snapshot this one was made from
    """

    arrivals: pl.Series
    persons: pl.Series
    before: Path


def touched_since(snapshot: Snapshot, policy: Policy) -> Touched | None:
    """What has changed since the results kept for the snapshot this one was made from.

    None when there is no such snapshot, when it has no results under the policy, or when so much
    has changed that counting everything again is the quicker way.
    """
    assert snapshot.folder is not None
    changes = _changes(snapshot.folder)
    if changes is None:
        return None
    needed = (_place(changes.before, policy), _reach_place(changes.before, policy))
    if not all((place / MANIFEST).exists() for place in needed):
        return None
    arrivals = _arrivals_touched(snapshot, changes.frames, policy)
    promoted = changes.frames["promotions"]["person"]
    persons = pl.concat([arrivals, promoted]).unique()
    people = snapshot.frames["people"].select(pl.len()).collect().item()
    if persons.len() > SMALL_SHARE * people:
        return None
    return Touched(arrivals, persons, changes.before)


@dataclass(frozen=True)
class Changes:
    """How a snapshot differs from the one it was made from, whose folder is `before`.

    `frames`: edges, promotions and talents, the rows that came and those that went.
    """

    before: Path
    frames: Mapping[str, pl.DataFrame]


def _changes(folder: Path) -> Changes | None:
    """What the snapshot says of its difference; None for one that was read out whole."""
    previous = json.loads((folder / "snapshot.json").read_text()).get("previous")
    if previous is None:
        return None
    frames = {
        name: pl.read_parquet(folder / f"changed-{name}.parquet")
        for name in ("edges", "promotions", "talents")
    }
    return Changes(folder.parent / previous, frames)


def _arrivals_touched(
    snapshot: Snapshot, changed: Mapping[str, pl.DataFrame], policy: Policy
) -> pl.Series:
    """Everyone at the end of a changed edge, or of a talent's first hop, and all beyond them."""
    now = usable_edges(nw.from_native(snapshot.frames["edges"]), policy).to_native()
    gone = usable_edges(nw.from_native(changed["edges"].lazy()), policy).to_native()
    links = pl.concat([now, gone]).select("mentor", "apprentice")
    renamed = changed["talents"]["person"].unique()
    first = links.filter(pl.col("mentor").is_in(renamed.implode())).select("apprentice").collect()
    ends = gone.select("apprentice").collect()
    return _closure(links, pl.concat([first, ends])["apprentice"], "mentor", "apprentice", policy)


def _closure(
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


def _recount(snapshot: Snapshot, policy: Policy, touched: Touched) -> None:
    """The kept results with what was touched computed again, as those of this snapshot."""
    assert snapshot.folder is not None
    frames = opened(snapshot, IN_MEMORY)
    again = _reach_again(frames, policy, touched.arrivals)
    before = _reach_place(touched.before, policy) / "reach.parquet"
    reached = pl.concat([_without(_scan(before), touched.arrivals), again.lazy()]).collect()

    def write_reach(making: Path) -> dict[str, Any]:
        reached.write_parquet(making / "reach.parquet")
        return {"engine": IN_MEMORY.name, "touched": touched.arrivals.len()}

    _put(_reach_place(snapshot.folder, policy), policy, write_reach)
    tables = _tables_again(frames, reached, policy, touched)
    figures = figures_of(
        frames, {n: nw.from_native(t.lazy()) for n, t in tables.items()}, policy, IN_MEMORY
    )

    def write(making: Path) -> dict[str, Any]:
        for name, table in tables.items():
            ordered = table.sort("talent") if name in BY_TALENT else table
            ordered.write_parquet(making / f"{name}.parquet")
        figures.breakdowns.write_parquet(making / "breakdowns.parquet")
        figures.talents.write_parquet(making / "talents.parquet")
        small = {"national": figures.national, "lines": figures.lines}
        return small | {"engine": IN_MEMORY.name, "touched": touched.persons.len()}

    _put(_place(snapshot.folder, policy), policy, write)


def _without(frame: pl.LazyFrame, persons: pl.Series) -> pl.LazyFrame:
    return frame.filter(~pl.col("person").is_in(persons.implode()))


def _reach_again(frames: Mapping[str, Frame], policy: Policy, arrivals: pl.Series) -> pl.DataFrame:
    """The reach as far as it arrives at these people: the rounds on the edges that lead there."""
    edges: pl.LazyFrame = frames["edges"].to_native()
    usable = usable_edges(frames["edges"], policy).to_native().select("mentor", "apprentice")
    leading_there = _closure(usable, arrivals, "apprentice", "mentor", policy)
    into = edges.filter(pl.col("apprentice").is_in(leading_there.implode()))
    found = reach(nw.from_native(into), frames["talents"], policy).to_native()
    here: pl.LazyFrame = found.filter(pl.col("person").is_in(arrivals.implode()))
    return here.collect()


def _tables_again(
    frames: Mapping[str, Frame], reached: pl.DataFrame, policy: Policy, touched: Touched
) -> dict[str, pl.DataFrame]:
    place = _place(touched.before, policy)
    promotions = frames["promotions"]
    there = reached.lazy().filter(pl.col("person").is_in(touched.persons.implode()))
    counting = events(nw.from_native(there), promotions, policy).collect().lazy()
    fresh = {
        "events": counting,
        "pairs": credited(counting),
        "promotions": national_promotions(counting, promotions, policy),
        "waiting": pending(nw.from_native(there), promotions, policy),
    }
    return {
        name: pl.concat(
            [_without(_scan(place / f"{name}.parquet"), touched.persons), frame.to_native()],
            how="vertical_relaxed",
        ).collect()
        for name, frame in fresh.items()
    }

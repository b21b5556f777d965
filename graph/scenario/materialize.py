"""The snapshot of a scenario: made from that of its revision, as one after a small load is.

It is stored with the results of its base, is deleted with them, and shares the files that did not
change. Nothing is written into Neo4j.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from filelock import FileLock

from graph.atomic import write_folder_atomically
from graph.driven.figures import Driven
from graph.driven.results import load_driven
from graph.errors import UsageError
from graph.policy import Policy
from graph.scenario.changes import Change, Scenario, resolve_changes
from graph.scenario.overlay import ScenarioRecords
from graph.snapshot.frames import SNAPSHOT_MANIFEST_NAME, Snapshot, open_snapshot
from graph.snapshot.incremental import write_changed_frames

# Raised when what a change means changes, so that older ones are made anew.
SCENARIO_VERSION: Final = 1
# So many scenarios of a revision stay materialized, those asked for last.
MAX_CACHED_SCENARIOS: Final = 6
# Tables are read after the scenario is opened, so one asked for within this time is left.
SCENARIO_REST_SECONDS: Final = 15 * 60
SCENARIO_LOCK_NAME: Final = ".scenarios.lock"


def materialize_scenario(snapshot: Snapshot, scenario: Scenario) -> Snapshot:
    """The snapshot as it would be under the scenario's changes.

    The snapshot itself where no record changes. Raises `UsageError` as `resolve_changes`.
    """
    resolved = replace(scenario, changes=resolve_changes(snapshot, scenario.changes))
    changes = resolved.record_changes
    if not changes:
        return snapshot
    if snapshot.folder is None:
        raise UsageError("A scenario needs a stored revision; these tables stand in memory alone.")
    folder = _build_scenario_path(snapshot.folder, changes)
    folder.parent.mkdir(exist_ok=True)
    # Nobody sweeps a scenario between being found and being opened.
    with FileLock(folder.parent / SCENARIO_LOCK_NAME):
        if not (folder / SNAPSHOT_MANIFEST_NAME).exists():
            _write_scenario(snapshot.folder, changes, folder)
        os.utime(folder / SNAPSHOT_MANIFEST_NAME)
        _sweep_scenarios(folder.parent)
        return replace(open_snapshot(folder), standing=snapshot.standing)


def load_scenario_driven(
    snapshot: Snapshot, policy: Policy, scenario: Scenario
) -> tuple[Snapshot, Driven]:
    """The scenario's snapshot and figures, counted from what the changes touch alone."""
    load_driven(snapshot, policy)  # what the changes do not touch is taken from there
    changed = materialize_scenario(snapshot, scenario)
    return changed, load_driven(changed, policy)


def _build_scenario_path(base: Path, changes: tuple[Change, ...]) -> Path:
    stated = sorted(json.dumps(change.as_dict(), sort_keys=True) for change in changes)
    digest = hashlib.sha256(json.dumps([SCENARIO_VERSION, stated]).encode()).hexdigest()[:12]
    return base / "results" / f"scenario-{digest}"


def _write_scenario(base: Path, changes: tuple[Change, ...], folder: Path) -> None:
    records = ScenarioRecords(base, changes)
    with write_folder_atomically(folder) as making:
        made = write_changed_frames(records, base, records.find_touched_keys(), making)
        assert made is not None, "no person goes, and every end is one of the base"
        replace(made, previous=os.path.relpath(base, folder.parent)).write(making)


def _sweep_scenarios(results: Path) -> None:
    """Takes away the scenarios beyond `MAX_CACHED_SCENARIOS`, but none that may be read now."""
    used = {
        file.parent: file.stat().st_mtime
        for file in results.glob(f"scenario-*/{SNAPSHOT_MANIFEST_NAME}")
    }
    rested = time.time() - SCENARIO_REST_SECONDS
    for folder in sorted(used, key=lambda one: used[one], reverse=True)[MAX_CACHED_SCENARIOS:]:
        if used[folder] < rested:
            shutil.rmtree(folder, ignore_errors=True)

"""Backups of a data folder under load, each restored elsewhere: one moment, and the same graph.

    python -m benchmarks.backups [--times 20] [--workers 2000] [--seed 1] [--folder DIR]

One thread loads changed files over and over, and computes the digest of each revision; one writes
decisions into the notebook; two ask for the figures as pages do. Meanwhile backups are made. Each
is verified and restored into another folder. The restored graph must have the digest of the
revision that the backup states, and as many decisions as its audit log has lines of them (or one
line more: it comes first). Ends with 1 if any backup differs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from benchmarks.engines import print_row
from benchmarks.load_kills import ID_KEY, build_settings
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.backup.creation import MadeBackup, create_backup
from graph.backup.restoring import restore_backup
from graph.driven.results import load_driven
from graph.errors import DatabaseError
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.server.database import connect
from graph.server.embedded import stop_server
from graph.server.locks import is_store_offline
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import compute_store_digest
from graph.store.standing import read_newest_revision
from loaders import folder as exchange_folder
from loaders.sync import load_records
from loaders.synthetic.network import write_synthetic_folder

T = TypeVar("T")
KEY = bytes(range(32))
READERS = 2
FILE_SETS = 3


@dataclass
class BackupLoad:
    """What goes on while backups are made; `digests` is that of each revision."""

    settings: Settings
    files: list[Path]
    random: Random
    ended: threading.Event = field(default_factory=threading.Event)
    digests: dict[int, str] = field(default_factory=dict)
    answers: list[tuple[float, bool]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def insist(self, work: Callable[[], T]) -> T | None:
        """What `work` returns; it is tried again while a backup has the store. None at the end."""
        while not self.ended.is_set():
            try:
                return work()
            except DatabaseError:
                time.sleep(0.1)
        return None

    def load_files(self) -> None:
        """Loads one set of files after the other; the digest of what each led to."""
        with connect(self.settings) as database:
            turn = 0
            while not self.ended.is_set():
                tables = exchange_folder.get([self.files[turn % FILE_SETS]])

                def load(tables: object = tables) -> None:
                    load_records(database, "folder", tables, home=self.settings.home)  # type: ignore[arg-type]

                def note_digest() -> None:
                    revision = read_newest_revision(database)
                    self.digests[revision] = compute_store_digest(database)

                self.insist(load)
                self.insist(note_digest)
                turn += 1
                self.ended.wait(self.random.uniform(0.5, 4))

    def write_decisions(self) -> None:
        """Decides on one person after the other."""
        notebook, number = Notebook(self.settings.home), 0
        while not self.ended.wait(0.05):
            number += 1
            notebook.add("decision", "me", f"target:P{number:07}", {"verdict": "accepted"})

    def read_figures(self) -> None:
        """Asks for the figures as pages do; how long each answer took."""
        with connect(self.settings) as database:
            while not self.ended.wait(0.1):
                began, offline = time.perf_counter(), is_store_offline(self.settings.home)
                load_driven(take_snapshot(database, self.settings), Policy())
                self.answers.append((time.perf_counter() - began, offline))

    def run_guarded(self, work: Callable[[], None]) -> None:
        """Runs a thread's work; what it raises counts as a failure."""
        try:
            work()
        except Exception as error:
            self.errors.append(f"{work.__name__}: {type(error).__name__}: {error}")


def make_backup(load: BackupLoad, folder: Path) -> tuple[MadeBackup, float]:
    """A backup, as soon as no load runs; the seconds that it took."""
    while True:
        began = time.perf_counter()
        try:
            made = create_backup(load.settings, folder / f"{time.time_ns()}.backup", key=KEY)
        except DatabaseError:
            time.sleep(0.1)
            continue
        return made, time.perf_counter() - began


def restore_elsewhere(load: BackupLoad, made: MadeBackup, home: Path) -> tuple[list[str], float]:
    """What differs in the restored folder, and the seconds that restoring took."""
    settings = build_settings(home)
    began = time.perf_counter()
    restore_backup(settings, made.file, key=KEY)
    seconds = time.perf_counter() - began
    wrong = []
    with connect(settings) as database:
        if compute_store_digest(database) != load.digests.get(made.facts["revision"]):
            wrong.append("digest")
    stop_server(settings)
    notes = len(Notebook(home).entries("decision", most=1_000_000))
    lines = sum(1 for _ in iterate_audit_entries(home, AuditFilter("decision")))
    if lines - notes not in (0, 1):
        wrong.append(f"{notes} decisions, {lines} lines")
    shutil.rmtree(home)
    return wrong, seconds


def wait_for_digest(load: BackupLoad, revision: int) -> None:
    """Until the digest of a revision is known: a backup may come before it was computed."""
    while revision not in load.digests and not load.errors:
        time.sleep(0.1)


def try_backups(load: BackupLoad, folder: Path, times: int) -> int:
    """Makes and restores backups, a line each; how many differ."""
    found, making, restoring = 0, [], []
    print_row("backup", "revision", "MB", "made s", "restored s", "differs")
    print_row(*["---"] * 6)
    for number in range(times):
        made, seconds = make_backup(load, folder)
        wait_for_digest(load, made.facts["revision"])
        wrong, took = restore_elsewhere(load, made, folder / "restored")
        found += bool(wrong)
        making.append(seconds)
        restoring.append(took)
        size, revision = f"{made.size / 1e6:.1f}", made.facts["revision"]
        verdict = ", ".join(wrong) or "nothing"
        print_row(number + 1, revision, size, f"{seconds:.1f}", f"{took:.1f}", verdict)
        sys.stdout.flush()
        made.file.unlink()
    medians = [f"{statistics.median(many):.1f}" for many in (making, restoring)]
    print_row("all", "", "", *medians, f"{found} of {times}")
    return found


def main() -> int:
    """Prints a line a backup; 1 when any differs, or anything that went on failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    os.environ["SHICHENG_ID_KEY"] = ID_KEY
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        folder = Path(temporary)
        files = [folder / f"files{number}" for number in range(FILE_SETS)]
        for seed, path in enumerate(files, given.seed):
            write_synthetic_folder(
                path, talents=given.workers // 100, workers=given.workers, seed=seed
            )
        load = BackupLoad(build_settings(folder / "home"), files, Random(given.seed))
        with connect(load.settings) as database:
            load_records(
                database, "folder", exchange_folder.get(files[:1]), home=load.settings.home
            )
            load.digests[read_newest_revision(database)] = compute_store_digest(database)
        works = [load.load_files, load.write_decisions, *[load.read_figures] * READERS]
        threads = [threading.Thread(target=load.run_guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        try:
            found = try_backups(load, folder, given.times)
        finally:
            load.ended.set()
            for thread in threads:
                thread.join()
            stop_server(load.settings)
    offline = sorted(seconds for seconds, is_offline in load.answers if is_offline)
    every = sorted(seconds for seconds, _ in load.answers)
    print(f"\nanswers: {len(every):,}, median {statistics.median(every):.2f} s, ", end="")
    print(f"longest {every[-1]:.2f} s; with Neo4j down {len(offline):,}, ", end="")
    print(f"longest {offline[-1] if offline else 0:.2f} s; revisions: {len(load.digests)}")
    print(*load.errors, sep="\n")
    return 1 if found or load.errors else 0


if __name__ == "__main__":
    sys.exit(main())

"""Loads killed with SIGKILL at random moments: what was acknowledged stands, nothing is torn.

    python -m benchmarks.load_kills [--times 100] [--first 1] [--workers 20000] [--seed 1]
                                    [--folder DIR]

Each trial starts `shicheng load folder` on a copy of a data folder and kills the loader, Neo4j
(neo4j-admin while that makes the store), or both. The moment is a random share of the processor
time of an undisturbed load, so that a busy machine does not move it. A load that was acknowledged
counts, one that was broken off does not: the national figures are asked for after the kill, and in
every second round of victims all the time. Then it loads again, and compares the digest of the
store with that of a load that nobody disturbed. Half of the trials kill a first load, half a load
on top of one; both have more than 100,000 rows at the default size.

DIR keeps the files and the undisturbed loads, so that `--first 41` goes on after trial 40. Ends
with 1 if any trial differs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Final

import psutil

from benchmarks.engines import print_row
from graph.driven.results import load_driven
from graph.errors import NothingLoadedYetError, OfflineError, ShichengError
from graph.policy import Policy
from graph.server.database import Database, connect
from graph.server.location import find_running_server
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import compute_store_digest
from loaders.synthetic.network import write_synthetic_folder

VICTIMS: Final = ("loader", "Neo4j", "both")
# The same key in every data folder, so that digests of ID numbers are the same.
ID_KEY: Final = "0123456789abcdef" * 4
HEAP_MB: Final = 1024
# A server that lives for a minute: its second compiler would only cost.
JAVA_OPTIONS: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
COMMAND: Final = (sys.executable, "-c", "from cli.main import main; main()")
STAGES_FILE: Final = "stages.json"
POLL_SECONDS: Final = 0.2
ASK_SECONDS: Final = 2.0

Figures = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """A load to kill. `base`: a data folder as it is before ("": an empty one), beside `files`.

    `before` are its national figures, `after` those of the undisturbed load, with its `digest` and
    the `seconds` of the processor that it took.
    """

    name: str
    files: str
    base: str
    before: Figures | None
    after: Figures
    digest: str
    seconds: float


@dataclass
class ServedFigures:
    """The national figures that a visitor was given, one answer after another."""

    database: Database
    answers: list[Figures | None] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Asks once."""
        try:
            snapshot = take_snapshot(self.database, self.database.settings)
            self.answers.append(json.loads(json.dumps(load_driven(snapshot, Policy()).national)))
        except (NothingLoadedYetError, OfflineError):
            self.answers.append(None)
        except ShichengError as error:
            self.faults.append(str(error))

    def ask_until(self, ended: Event) -> None:
        """Asks again and again."""
        while not ended.wait(ASK_SECONDS):
            self.ask()

    def differ(self, stage: Stage) -> list[str]:
        """What was none of the two revisions, an older one after the newer, or no answer."""
        wrong = [f"not answered: {fault}" for fault in sorted(set(self.faults))]
        known = [stage.before, stage.after]
        if any(answer not in known for answer in self.answers):
            return [*wrong, "figures of no revision"]
        order = [known.index(answer) for answer in self.answers]
        return wrong if order == sorted(order) else [*wrong, "figures went back"]


def build_settings(home: Path) -> Settings:
    """Settings of a data folder of the benchmark's own."""
    return Settings().model_copy(update={"home_path": home, "heap_mb": HEAP_MB})


def start_load(home: Path, files: Path) -> subprocess.Popen[str]:
    """The command that loads, in a process of its own."""
    given = {**os.environ, "SHICHENG_HOME": str(home), "SHICHENG_HEAP_MB": str(HEAP_MB)}
    return subprocess.Popen(
        [*COMMAND, "load", "folder", str(files)],
        env={**given, "SHICHENG_ID_KEY": ID_KEY, "SHICHENG_LANG": "en"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def list_processes(command: subprocess.Popen[str], home: Path) -> list[psutil.Process]:
    """The loader, what it started, and the server of the data folder, whoever started that."""
    found: dict[int, psutil.Process] = {}
    server = find_running_server(build_settings(home))
    for pid in (command.pid, *([server.pid] if server else [])):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return list(found.values())


def run_for(command: subprocess.Popen[str], home: Path, seconds: float) -> float:
    """Waits until a load and its server took so much processor time, or it ended; the time."""
    taken: dict[int, float] = {}
    while sum(taken.values()) < seconds:
        for process in list_processes(command, home):
            with suppress(psutil.Error):
                taken[process.pid] = sum(process.cpu_times()[:2])
        try:
            command.wait(POLL_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue
    return sum(taken.values())


def run_load(home: Path, files: Path) -> tuple[float, str]:
    """Loads undisturbed: its processor time, and what it said."""
    command = start_load(home, files)
    seconds = run_for(command, home, float("inf"))
    _, said = command.communicate()
    if command.returncode:
        raise SystemExit(f"the load failed: {said[-2000:]}")
    return seconds, said


def kill_server(home: Path) -> None:
    """Ends the server of a data folder that is not used again."""
    server = find_running_server(build_settings(home))
    if server is not None:
        os.kill(server.pid, signal.SIGKILL)
        server.ends_within(60)


def build_stages(folder: Path, workers: int) -> list[Stage]:
    """The first load and a load on top of it, each once undisturbed; those of the folder if any."""
    file = folder / STAGES_FILE
    if file.exists():
        return [Stage(**stage) for stage in json.loads(file.read_text("utf-8"))]
    stages: list[Stage] = []
    home, base, before = folder / "clean", "", None
    for seed, name in enumerate(("first load", "load on top"), 1):
        files = f"files{seed}"
        write_synthetic_folder(folder / files, talents=workers // 100, workers=workers, seed=seed)
        seconds, _ = run_load(home, folder / files)
        with connect(build_settings(home)) as database:
            visitor = ServedFigures(database)
            visitor.ask()
            after, digest = visitor.answers[0], compute_store_digest(database)
        assert after is not None
        stages.append(Stage(name, files, base, before, after, digest, seconds))
        kill_server(home)
        base, before = f"after{seed}", after
        shutil.copytree(home, folder / base)
    file.write_text(json.dumps([vars(stage) for stage in stages]), "utf-8")
    return stages


def kill_load(home: Path, command: subprocess.Popen[str], victim: str) -> None:
    """Kills the loader, Neo4j (whatever of it runs), or both."""
    for process in list_processes(command, home):
        is_loader = process.pid == command.pid
        if victim == "both" or is_loader == (victim == "loader"):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@contextmanager
def serve_figures(database: Database, throughout: bool) -> Iterator[ServedFigures]:
    """A visitor; `throughout`: one who asks all the time."""
    visitor, ended = ServedFigures(database), Event()
    asking = Thread(target=visitor.ask_until, args=[ended])
    if throughout:
        asking.start()
    try:
        yield visitor
    finally:
        ended.set()
        if throughout:
            asking.join()


def describe_resumption(said: str) -> str:
    """How the second load went about it."""
    if found := re.search(r"goes on at row ([\d,]+) of", said):
        return f"goes on at {found[1]}"
    return "undone, anew" if "has been undone" in said else "anew"


def try_kill(home: Path, stage: Stage, seconds: float, victim: str, asked: bool) -> tuple[str, str]:
    """How the load that was killed ended, and what differs; "nothing" when all holds."""
    folder = home.parent
    if stage.base:
        shutil.copytree(folder / stage.base, home)
    command = start_load(home, folder / stage.files)
    run_for(command, home, 0.1)
    database = Database(build_settings(home))
    with serve_figures(database, asked) as visitor:
        run_for(command, home, seconds)
        kill_load(home, command, victim)
        _, said = command.communicate()
        acknowledged = command.returncode == 0
        visitor.ask()
        wrong = [] if not acknowledged or visitor.answers[-1] == stage.after else ["lost rows"]
        if not acknowledged:
            _, said = run_load(home, folder / stage.files)
        visitor.ask()
    wrong += end_trial(visitor, stage)
    ending = "acknowledged" if acknowledged else describe_resumption(said)
    return ending, ", ".join(wrong) or "nothing"


def end_trial(visitor: ServedFigures, stage: Stage) -> list[str]:
    """What differs once the load was done again; its server is killed."""
    database, wrong = visitor.database, visitor.differ(stage)
    if visitor.answers[-1:] != [stage.after]:
        wrong.append("figures after loading again")
    if compute_store_digest(database) != stage.digest:
        wrong.append("digest")
    database.close()
    kill_server(database.settings.home)
    return wrong


def parse_trial_options(description: str | None, times: int) -> argparse.Namespace:
    """How many trials, from which on, and with what; sets what all their processes need."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--times", type=int, default=times)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    os.environ["SHICHENG_ID_KEY"] = ID_KEY
    os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_OPTIONS)
    return parser.parse_args()


def main() -> int:
    """Prints a line a trial; 1 when any of them differs."""
    given = parse_trial_options(__doc__, 100)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        stages, differing = build_stages(folder, given.workers), 0
        print_row("trial", "load", "killed", "asked", "after CPU s", "ended", "differs", "s")
        print_row(*["---"] * 8)
        for trial in range(given.first, given.first + given.times):
            stage, victim = stages[trial % 2], VICTIMS[trial // 2 % 3]
            asked = trial // 6 % 2 == 0
            seconds = Random(f"{given.seed} {trial}").uniform(0.5, stage.seconds)
            home, began = folder / f"trial{trial}", time.monotonic()
            ended, wrong = try_kill(home, stage, seconds, victim, asked)
            if wrong == "nothing":
                shutil.rmtree(home)
            differing += wrong != "nothing"
            moment = f"{seconds:.1f} of {stage.seconds:.1f}"
            asks = "always" if asked else "after"
            took = f"{time.monotonic() - began:.0f}"
            print_row(trial, stage.name, victim, asks, moment, ended, wrong, took)
            sys.stdout.flush()
    print_row("all", "", "", "", "", "", f"{differing} of {given.times}", "")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())

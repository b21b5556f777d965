"""Loads killed with SIGKILL at random moments: what was acknowledged stands, nothing is torn.

    python -m benchmarks.load_kills [--times 100] [--workers 20000] [--seed 1] [--folder DIR]

Each trial starts `shicheng load folder` on a copy of a data folder and kills the loader, Neo4j, or
both after a random time. It asks for the national figures: a load that was acknowledged counts, one
that was broken off does not. Then it loads again, and compares the digest of the store with that of
a load that nobody disturbed. Half of the trials kill a first load, half a load on top of one; both
have more than 100,000 rows at the default size. Ends with 1 if any trial differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.engines import print_row
from graph.server.database import connect
from graph.server.embedded import stop_server
from graph.server.location import find_running_server
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from loaders.synthetic.network import write_synthetic_folder

VICTIMS: Final = ("loader", "Neo4j", "both")
# The same key in every data folder, so that digests of ID numbers are the same.
ID_KEY: Final = "0123456789abcdef" * 4
HEAP_MB: Final = 1024
COMMAND: Final = (sys.executable, "-c", "from cli.main import main; main()")


@dataclass(frozen=True)
class Stage:
    """A load to kill. `base` is a data folder as it is before (None: an empty one).

    `before` are its national figures, `after` those of the undisturbed load, with its `digest` and
    its `seconds`.
    """

    name: str
    files: Path
    base: Path | None
    before: dict[str, Any] | None
    after: dict[str, Any]
    digest: str
    seconds: float


def build_settings(home: Path) -> Settings:
    """Settings of a data folder of the benchmark's own."""
    return Settings().model_copy(update={"home_path": home, "heap_mb": HEAP_MB})


def start_command(home: Path, *words: str | Path) -> subprocess.Popen[str]:
    """A `shicheng` command on a data folder, in a process of its own."""
    given = {**os.environ, "SHICHENG_HOME": str(home), "SHICHENG_HEAP_MB": str(HEAP_MB)}
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        env={**given, "SHICHENG_ID_KEY": ID_KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_load(home: Path, files: Path) -> float:
    """Loads undisturbed; the seconds."""
    began = time.perf_counter()
    command = start_command(home, "load", "folder", files)
    _, errors = command.communicate()
    if command.returncode:
        raise SystemExit(f"the load failed: {errors[-2000:]}")
    return time.perf_counter() - began


def fetch_national(home: Path) -> dict[str, Any] | None:
    """The national figures as the command gives them; None while nothing is loaded."""
    command = start_command(home, "national", "--json")
    printed, errors = command.communicate()
    if command.returncode == 5:
        return None
    if command.returncode:
        raise SystemExit(f"no figures: {errors[-2000:]}")
    answer = json.loads(printed)
    figures: dict[str, Any] = answer.get("rows", answer)
    return figures


def fetch_digest(home: Path) -> str:
    """The digest of the store's records."""
    with connect(build_settings(home)) as database:
        return compute_store_digest(database)


def build_stages(folder: Path, workers: int) -> list[Stage]:
    """The first load and a load on top of it, each once undisturbed."""
    files = [folder / "files1", folder / "files2"]
    for seed, path in enumerate(files, 1):
        write_synthetic_folder(path, talents=workers // 100, workers=workers, seed=seed)
    stages: list[Stage] = []
    home, base, before = folder / "clean", None, None
    for name, path in zip(("first load", "load on top"), files, strict=True):
        seconds = run_load(home, path)
        after = fetch_national(home)
        assert after is not None
        stages.append(Stage(name, path, base, before, after, fetch_digest(home), seconds))
        stop_server(build_settings(home))
        base, before = folder / f"after {name}", after
        shutil.copytree(home, base)
    return stages


def kill_load(home: Path, stage: Stage, seconds: float, victim: str) -> bool:
    """Starts the load and kills after so many seconds; whether it had been acknowledged by then."""
    command = start_command(home, "load", "folder", stage.files)
    try:
        command.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        server = find_running_server(build_settings(home))
        if victim in ("Neo4j", "both") and server is not None:
            os.kill(server.pid, signal.SIGKILL)
        if victim in ("loader", "both"):
            command.kill()
        command.communicate()
    return command.returncode == 0


def try_kill(home: Path, stage: Stage, seconds: float, victim: str) -> list[str]:
    """What differs after a kill and after loading again; nothing when all holds."""
    if stage.base is not None:
        shutil.copytree(stage.base, home)
    acknowledged = kill_load(home, stage, seconds, victim)
    wrong = []
    served = fetch_national(home)
    if served not in ((stage.after,) if acknowledged else (stage.before, stage.after)):
        wrong.append("figures after the kill")
    if acknowledged and fetch_digest(home) != stage.digest:
        wrong.append("acknowledged rows")
    run_load(home, stage.files)
    if fetch_national(home) != stage.after:
        wrong.append("figures after loading again")
    if fetch_digest(home) != stage.digest:
        wrong.append("digest after loading again")
    stop_server(build_settings(home))
    return wrong


def main() -> int:
    """Prints a line a stage and victim; 1 when any trial differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    os.environ["SHICHENG_ID_KEY"] = ID_KEY
    chance, found = Random(given.seed), 0
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        folder = Path(temporary)
        stages = build_stages(folder, given.workers)
        print_row("trial", "load", "killed", "after s", "of s", "differs")
        print_row(*["---"] * 6)
        for trial in range(given.times):
            stage, victim = stages[trial % 2], VICTIMS[trial // 2 % 3]
            seconds = chance.uniform(0.5, stage.seconds)
            home = folder / "tried"
            wrong = try_kill(home, stage, seconds, victim)
            shutil.rmtree(home)
            found += bool(wrong)
            verdict = ", ".join(wrong) or "nothing"
            print_row(
                trial + 1, stage.name, victim, f"{seconds:.1f}", f"{stage.seconds:.1f}", verdict
            )
            sys.stdout.flush()
    print_row("all", "", "", "", "", f"{found} of {given.times}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

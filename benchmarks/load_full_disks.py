"""A disk that gets full at random moments of loads: a clear error, nothing torn, then a clean load.

    python -m benchmarks.load_full_disks [--times 20] [--first 1] [--workers 20000] [--seed 1]
                                         [--folder DIR]

Each trial loads onto a copy of a data folder on a small disk in memory (a tmpfs: as root, or begun
with `unshare -rm`), and fills that disk at a random share of the processor time of an undisturbed
load; every byte that becomes free is taken again, until the load has ended. It must end well, or
with a sentence about the disk. Then there is room again: the figures must be those of the last
complete revision, and the load done again must leave the digest of one that nobody disturbed.
DIR is that of `benchmarks.load_kills`. Ends with 1 if any trial differs.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.engines import print_row
from benchmarks.load_kills import (
    ServedFigures,
    Stage,
    build_settings,
    build_stages,
    describe_resumption,
    end_trial,
    parse_trial_options,
    run_for,
    run_load,
    start_load,
)
from graph.server.database import Database

DISK_MB: Final = 1500
FILLING_BYTES: Final = 1 << 20
# What says that the disk is full, whoever of the two noticed it first.
WORDS: Final = ("disk", "No space left")


@contextmanager
def mount_disk(place: Path) -> Iterator[Path]:
    """A small disk in memory."""
    place.mkdir(exist_ok=True)
    size = f"size={DISK_MB}m"
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", size, "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["/bin/umount", "-l", place], check=True)


def fill_disk(file: Path) -> None:
    """Takes what is free on the disk of a file, to the last byte."""
    with file.open("ab", buffering=0) as filling:
        for size in (FILLING_BYTES, 4096, 1):
            try:
                while filling.write(bytes(size)) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def load_until_full(home: Path, stage: Stage, files: Path, seconds: float) -> tuple[int, str]:
    """Exit code of the load whose disk gets full, and its last words."""
    filling = home.parent / "filling"
    command = start_load(home, files)
    run_for(command, home, seconds)
    while command.poll() is None:
        fill_disk(filling)
        time.sleep(0.2)
    _, said = command.communicate()
    filling.unlink(missing_ok=True)
    lines = [line for line in said.splitlines() if line.strip()]
    return command.returncode, lines[-1] if lines else ""


def try_full_disk(disk: Path, folder: Path, stage: Stage, seconds: float) -> tuple[str, str, str]:
    """What the load said, how the next one went about it, and what differs."""
    home, files = disk / "home", folder / stage.files
    if stage.base:
        shutil.copytree(folder / stage.base, home)
    code, said = load_until_full(home, stage, files, seconds)
    wrong = []
    if code and (code not in (1, 3) or not any(word in said for word in WORDS)):
        wrong.append(f"exit code {code}")
    database = Database(build_settings(home))
    visitor = ServedFigures(database)
    visitor.ask()
    if code == 0 and visitor.answers[-1:] != [stage.after]:
        wrong.append("lost rows")
    _, again = run_load(home, files)
    visitor.ask()
    wrong += end_trial(visitor, stage)
    return (said if code else "ended well"), describe_resumption(again), ", ".join(wrong)


def main() -> int:
    """Prints a line a trial; 1 when any of them differs."""
    given = parse_trial_options(__doc__, 20)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        stages, differing = build_stages(folder, given.workers), 0
        print_row("trial", "load", "full after CPU s", "it said", "ended", "differs")
        print_row(*["---"] * 6)
        for trial in range(given.first, given.first + given.times):
            stage = stages[trial % 2]
            seconds = Random(f"{given.seed} {trial}").uniform(0.5, stage.seconds)
            with mount_disk(Path(temporary) / "disk") as disk:
                said, ended, wrong = try_full_disk(disk, folder, stage, seconds)
            differing += bool(wrong)
            moment = f"{seconds:.1f} of {stage.seconds:.1f}"
            print_row(trial, stage.name, moment, said, ended, wrong or "nothing")
            sys.stdout.flush()
    print_row("all", "", "", "", "", f"{differing} of {given.times}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())

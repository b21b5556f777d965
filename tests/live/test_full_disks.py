"""A device that takes nothing more: said in a sentence, with the exit code of what failed."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.audit.log import AUDIT_FOLDER
from graph.server.database import Database
from graph.settings import Settings
from tests.filling import filled

SHICHENG = str(Path(sys.executable).with_name("shicheng"))
FULL = Path("/dev/full")
ANSWERS = (
    ["driven"],
    ["driven", "-o", "-", "--format", "xlsx"],
    ["national"],
    ["query", "--list"],
    ["query", "loads", "--format", "csv"],
    ["cypher", "RETURN 1"],
    ["metric", "--list"],
    ["db", "status"],
    ["db", "info", "--json"],
    ["--version"],
    ["--help"],
    ["export", "network", "--format", "json", "-o", "-"],
)


@pytest.fixture(scope="module")
def shell(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a shell on a small network that figures were asked of already."""
    made = tmp_path_factory.mktemp("disks") / "made"
    filled(database, settings, made, talents=3, workers=60, seed=4)
    given = {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768", "SHICHENG_LANG": "en"}
    shell = {**os.environ, **given}
    subprocess.run([SHICHENG, "driven"], env=shell, stdout=subprocess.DEVNULL, check=True)
    return shell


def said(arguments: list[str | Path], shell: dict[str, str], **more: object) -> tuple[int, str]:
    """Exit code and stderr of a command."""
    command = [SHICHENG, *map(str, arguments)]
    done = subprocess.run(
        command, env=shell, stderr=subprocess.PIPE, text=True, check=False, **more
    )  # type: ignore[call-overload]
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_a_full_stdout_is_said(shell: dict[str, str], arguments: list[str | Path]) -> None:
    with FULL.open("wb") as full:
        code, stderr = said(arguments, shell, stdout=full)
    assert (code, stderr) == (1, "shicheng: stdout cannot be written: No space left on device\n")


def test_a_closed_stdout_takes_nothing_away_from_a_file(
    shell: dict[str, str], tmp_path: Path
) -> None:
    command = f'"{SHICHENG}" driven -o "{tmp_path}/driven.csv" >&-'
    done = subprocess.run(["bash", "-c", command], env=shell, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "driven.csv").stat().st_size > 0


def small_files() -> None:
    """For a child: no file may grow beyond 1 kB, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, 1_024))


def rather_small_files() -> None:
    """For a child: no file may grow beyond 16 kB; a few lines of the audit log still fit."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))


@pytest.fixture
def short_log(settings: Settings) -> Iterator[None]:
    """An audit log that begins here, so that a line of it still fits."""
    log, away = settings.home / AUDIT_FOLDER, settings.home / "audit-away"
    if log.exists():
        log.rename(away)
    yield
    shutil.rmtree(log, ignore_errors=True)
    if away.exists():
        away.rename(log)


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "xlsx"])
def test_a_full_disk_leaves_no_half_of_an_output(
    shell: dict[str, str], short_log: None, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"model.{ending}"
    text = "UNWIND range(1, 9000) AS n RETURN n, toString(n * n * n * 7919) AS t"
    code, stderr = said(["cypher", text, "-o", out], shell, preexec_fn=rather_small_files)
    assert (code, stderr) == (1, f"shicheng: {out} cannot be written: File too large\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["generate", "{there}/made", "--talents", "3", "--workers", "300"], "the disk takes"),
        (
            ["generate", "{there}/made", "--talents", "3", "--workers", "300", "--parquet"],
            "the disk takes",
        ),
        (["driven", "--generations", "7"], "the disk takes"),
        (["load", "folder", "{there}/refused", "--dry-run", "--rejects", "{there}/r.csv"], ""),
    ],
    ids=["generate", "generate parquet", "figures", "rejects"],
)
def test_a_full_disk_is_no_defect_of_the_program(
    shell: dict[str, str], tmp_path: Path, arguments: list[str], where: str
) -> None:
    (tmp_path / "refused").mkdir()
    rows = "".join(f"p{n},A\n,B\n" for n in range(200))
    (tmp_path / "refused" / "people.csv").write_text(f"person_id,name\n{rows}", "utf-8")
    given: list[str | Path] = [text.format(there=tmp_path) for text in arguments]
    code, stderr = said(given, shell, preexec_fn=small_files, stdout=subprocess.DEVNULL)
    assert code == 1
    last = stderr.splitlines()[-1]
    assert where in last and "File too large" in last and "defect" not in stderr


def test_a_device_gets_no_file_beside_it(shell: dict[str, str]) -> None:
    assert said(["driven", "-o", "/dev/null"], shell) == (0, "")
    assert not Path("/dev/null.about.json").exists()

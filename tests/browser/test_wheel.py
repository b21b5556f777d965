"""The wheel works outside the checkout, on every Python here: a command, a query and a page."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from graph.server.database import Database
from graph.settings import Settings
from tests.browser.seeing import WAIT
from tests.serving import find_own_port, wait_until_healthy

ROOT = Path(__file__).parents[2]
READ_SUFFIXES = frozenset(
    (".js", ".css", ".po", ".csv", ".cypher", ".lock", ".json", ".py", ".typed")
)
SUPPORTED_VERSIONS = ("3.11", "3.12", "3.13")
# After so long the packages of another lock are removed.
UNUSED_SECONDS = 30 * 86_400
OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def find_pythons() -> list[tuple[str, str]]:
    """Version and program of every Python that runs here and that the project supports."""
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {OWN_VERSION: sys.executable}
    for version in SUPPORTED_VERSIONS:
        named = shutil.which(f"python{version}")
        for program in (named, *sorted(managed.glob(f"{version}.*/bin/python"))):
            if program and is_python(str(program)):
                found.setdefault(version, str(program))
    return sorted(found.items())


def is_python(program: str) -> bool:
    """Whether it runs; where several are managed, a name on the path may stand for none."""
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what git lists, so that nothing else can get into it."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "benchmarks/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", built, source], check=True, cwd=built)
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture(scope="module", params=find_pythons(), ids=lambda found: found[0])
def python(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Python of an environment that has the wheel and what it depends on, by the lock."""
    version, program = request.param
    python = make_environment(program, tmp_path_factory.mktemp(f"fresh-{version}"))
    # A line of a .pth file adds a folder, not what its own .pth files add (the checkout).
    depends = find_packages(python) / "depends.pth"
    depends.write_text(str(find_dependencies(version, program)))
    install(python, "--no-deps", wheel)
    return python


def make_environment(program: str, folder: Path) -> Path:
    """An environment with nothing in it: its Python."""
    subprocess.run([program, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def find_packages(python: Path) -> Path:
    """Where the packages of an environment are."""
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    return packages


def find_dependencies(version: str, program: str) -> Path:
    """A folder with what the lock names: the checkout's own, or the user's for this very lock.

    To install 100 packages takes half a minute of the processor. So they stand in the user's
    cache, and a lock that has changed is installed by the next run.
    """
    if version == OWN_VERSION:
        import streamlit

        return Path(streamlit.__file__).parents[1]
    lock = ROOT / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    cache = Settings().cache / "tests"
    found = cache / f"python-{version}-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.iterdir():
        if old != found and time.time() - old.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    with FileLock(f"{found}.lock"):
        if not found.exists():
            made = Path(tempfile.mkdtemp(dir=cache))
            install(make_environment(program, made), "--require-hashes", "-r", lock)
            made.rename(found)  # one whose installation was broken off is never used
    os.utime(found)
    return find_packages(found / "bin" / "python")


def install(python: Path, *what: str | Path) -> None:
    """Install into an environment by this one's pip: a pip of its own takes some seconds.

    Python compiles what is imported then, a small part of all packages.
    """
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    command = [*pip, "install", "-q", "--no-compile", *what]
    subprocess.run(command, check=True, env=without_path())


def without_path() -> dict[str, str]:
    """The environment, without a path to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(python: Path, home: Path, *arguments: str) -> str:
    """What a command of the installed wheel prints, in a folder that is not the checkout."""
    done = subprocess.run(
        [python, "-m", "cli.main", "--home", home, *arguments],
        capture_output=True,
        text=True,
        cwd=python.parent,
        env=without_path(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_every_file_that_the_program_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    read = [
        path
        for layer in ("graph", "loaders", "ui", "cli", "shicheng", "queries")
        for path in (ROOT / layer).rglob("*")
        if path.suffix in READ_SUFFIXES
    ]
    missing = {str(path.relative_to(ROOT)) for path in read} - names
    assert missing == set()
    assert ".streamlit/config.toml" in names and "app.py" in names


def test_a_command_and_a_query(python: Path, network: Database, settings: Settings) -> None:
    where = subprocess.run(
        [python, "-c", "import cli.main; print(cli.main.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=python.parent,
    ).stdout
    assert not where.startswith(str(ROOT))
    assert "longest_chains" in run(python, settings.home, "query", "--list")
    rows = run(python, settings.home, "query", "longest_chains", "--format", "csv")
    assert len(rows.splitlines()) > 1


def test_a_page(
    python: Path,
    network: Database,
    settings: Settings,
    open_page: Callable[..., Any],
    tmp_path: Path,
) -> None:
    port, log = find_own_port(), tmp_path / "log.txt"
    url = f"http://127.0.0.1:{port}"
    command = [python, "-m", "cli.main", "--home", settings.home, "app", "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=python.parent,
            env=without_path(),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            wait_until_healthy(server, url, log)
            page = open_page(f"{url}/talents?lang=en", locale="en-GB")
            page.get_by_role("heading", name="Leading talents").first.wait_for(timeout=WAIT)
            sheets = page.evaluate("getComputedStyle(document.body).fontFamily")
            assert "Noto Sans SC" in sheets  # the settings beside app.py are read
        finally:
            server.terminate()

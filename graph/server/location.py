"""The running embedded server of a data folder: its port, process and address."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.messages import Message
from graph.server.damage import (
    PASSWORD_PATTERN,
    note_damage,
    read_small_text,
    set_aside,
)

if TYPE_CHECKING:
    from graph.settings import Settings


USER = "neo4j"
DATABASE = "neo4j"


@dataclass(frozen=True)
class Server:
    """A running embedded server; `began` is its process's start time (seconds since 1970)."""

    port: int
    pid: int
    began: float
    version: str

    @property
    def uri(self) -> str:
        """Its Bolt address, on loopback."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether this very process runs still (a new one with its number does not count)."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < 1.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def ends_within(self, seconds: float) -> bool:
        """Whether it ends in time; a process that nobody has reaped yet has ended."""
        until = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def locate_runtime_file(home: Path) -> Path:
    """Where the running server of a data folder is written down."""
    return home / "neo4j.json"


def locate_store(home: Path) -> Path:
    """Neo4j's own home: its store and configuration."""
    return home / "neo4j"


def locate_log_file(home: Path) -> Path:
    """What the server printed."""
    return home / "logs" / "server.log"


def find_running_server(settings: Settings) -> Server | None:
    """The running server of `settings.home`, or None."""
    return read_running_server(settings.home)


def read_running_server(home: Path) -> Server | None:
    """The running server of a data folder, or None."""
    try:
        server = Server(**json.loads(locate_runtime_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return server if server.alive else None


def build_connection_info(settings: Settings) -> dict[str, Any]:
    """All that another program needs to connect to the running server; the password by its file."""
    server = find_running_server(settings)
    return {
        "running": server is not None,
        **({"uri": server.uri, **asdict(server)} if server else {}),
        "username": USER,
        "database": DATABASE,
        "password_file": str(settings.home / "neo4j.password"),
    }


def load_server_password(settings: Settings) -> str:
    """The embedded server's password, made when there is none yet, readable by its owner only.

    A damaged one is made anew: the server takes it over at its next start.
    """
    file = settings.home / "neo4j.password"
    if not file.exists():
        return _create_server_password(file)
    secret = read_small_text(file).strip()
    if not PASSWORD_PATTERN.fullmatch(secret):
        with suppress(OSError):
            set_aside(file).unlink()
        note_damage(Message("{file} was damaged and is made anew.", file=file))
        return _create_server_password(file)
    with suppress(OSError):
        file.chmod(0o600)
    return secret


def _create_server_password(file: Path) -> str:
    made = secrets.token_urlsafe(24)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was quicker
        return read_small_text(file).strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(made)
    return made

"""The configuration of the embedded server: memory, ports, what Neo4j may do."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graph.errors import DatabaseError
from graph.server.damage import (
    VERSION_PATTERN,
    read_small_text,
)

if TYPE_CHECKING:
    from graph.settings import Settings

from graph.server.location import load_server_password, locate_log_file, locate_store

LOG_BYTES = 5_000_000
# With less free disk Neo4j hangs at its start rather than saying so: for a new store, for an old.
NEW_BYTES, OLD_BYTES = 200_000_000, 50_000_000


@dataclass(frozen=True)
class Memory:
    """How much the server may take, in MB."""

    heap: int
    page_cache: int

    @property
    def transaction(self) -> int:
        """What one query may take of the heap before it is refused."""
        return max(self.heap // 2, 64)


def read_store_version(home: Path) -> str | None:
    """The version of Neo4j that last wrote the store, or None when there is no store."""
    wrote = read_small_text(home / "neo4j.version").strip()
    return wrote if VERSION_PATTERN.fullmatch(wrote) else None


def compute_memory_limits(settings: Settings) -> Memory:
    """The heap asked for, else a quarter of the machine's memory, within 512 MB and 4 GB."""
    total = _read_available_memory() >> 20
    heap = settings.heap_mb or min(max(total // 4, 512), 4096)
    return Memory(heap, min(max(total // 8, 128), 2048))


def _read_available_memory() -> int:
    """Bytes of memory this process may use: the machine's, or its container's."""
    import psutil

    total = int(psutil.virtual_memory().total)
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def read_preferred_port(home: Path) -> int:
    """The last server's port, so that a bookmark or a notebook stays right; else any."""
    try:
        return int((home / "neo4j.port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def find_free_port(preferred: int) -> int:
    """The preferred port if it is free on 127.0.0.1, else any that is; or `DatabaseError`."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DatabaseError("No port is free on 127.0.0.1: close some programs and try again.")


def build_neo4j_configuration(settings: Settings, port: int) -> str:
    """Neo4j's configuration: loopback only, nothing read from files or the network by queries."""
    home, limits = settings.home, compute_memory_limits(settings)
    values = {
        "server.directories.logs": str(home / "logs"),
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.enabled": "true",
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.bolt.advertised_address": f"127.0.0.1:{port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "dbms.security.auth_enabled": "true",
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        "db.logs.query.enabled": "OFF",
        "db.logs.query.parameter_logging_enabled": "false",
        "server.memory.pagecache.size": f"{limits.page_cache}m",
        "db.memory.transaction.max": f"{limits.transaction}m",
        "dbms.memory.transaction.total.max": f"{limits.heap * 7 // 10}m",
        # Its 5 s are waited twice at each stop, after the stores are closed.
        "internal.server.bolt.thread_pool_shutdown_wait_time": "0s",
        # Room for the log is taken beforehand (two times 64 MB, not 256): when the disk gets
        # full, a log that has its room stays complete, and the store opens again after.
        "db.tx_log.preallocate": "true",
        "db.tx_log.rotation.size": "64m",
        "db.tx_log.rotation.retention_policy": "100M size",
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def write_server_files(settings: Settings, port: int) -> None:
    """Write what the child reads before it starts: the configuration and the password."""
    home = settings.home
    conf = locate_store(home) / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    needed = OLD_BYTES if read_store_version(home) else NEW_BYTES
    if shutil.disk_usage(home).free < needed:
        raise build_full_disk_error(home)
    (conf / "neo4j.conf").write_text(build_neo4j_configuration(settings, port), encoding="utf-8")
    load_server_password(settings)
    log = locate_log_file(home)
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def build_java_options(settings: Settings) -> list[str]:
    """The JVM's options, for the server and for neo4j-admin."""
    opened = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    return [
        f"-Xmx{compute_memory_limits(settings).heap}m",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened),
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Dfile.encoding=UTF-8",
        "-Djava.awt.headless=true",
        # A statement too deep for a thread's stack breaks classes for as long as the process
        # lives; 1 MB is full at 300 brackets. Only what is used of it takes memory.
        "-Xss16m",
        "-XX:-OmitStackTraceInFastThrow",
        # Neo4j's classes take 100 MB: growing to that from 21 collects the full heap four times.
        "-XX:MetaspaceSize=192m",
    ]


def build_full_disk_error(home: Path) -> DatabaseError:
    """The error of a start that a full disk prevents."""
    return DatabaseError(
        "The disk under {home} is full, so Neo4j cannot start: free some space there, or "
        "name another data folder with --home. What was stored stays as it is.",
        home=home,
    )

"""Starting an app for a test or a benchmark, and waiting for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

STARTUP = 240  # seconds; the machine may be busy
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def _list_ports() -> Iterator[int]:
    """Ports below those that Linux gives to whoever connects, each worker's own."""
    first = 12_000 + 1_000 * (WORKER % 16)
    while True:
        for number in range(1_000):
            yield first + (os.getpid() + number) % 1_000


_PORTS = _list_ports()


def find_own_port() -> int:
    """A port for a server that listens some seconds later: until then nobody else gets it."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as tried, suppress(OSError):
        tried.bind(("127.0.0.1", port))
        return True
    return False


def build_app_command(script: Path | str, port: int, *options: str) -> list[str]:
    """How the tests and benchmarks start a Streamlit script on this machine."""
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        f"--server.port={port}",
        "--server.address=127.0.0.1",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
        *options,
    ]


def wait_until_healthy(server: subprocess.Popen[bytes], url: str, log: Path | None = None) -> None:
    """Waits until the app at this address answers; RuntimeError with the end of its log."""
    ends = time.monotonic() + STARTUP
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    written = "" if log is None else log.read_text("utf-8")[-2000:]
    raise RuntimeError(f"the app did not start:\n{written}")

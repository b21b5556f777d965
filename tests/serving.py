"""Waiting for an app that a test started."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

STARTUP = 90  # seconds


def wait_until_healthy(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Waits until the app at this address answers; fails with the end of its log."""
    ends = time.monotonic() + STARTUP
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not start:\n{log.read_text('utf-8')[-2000:]}")

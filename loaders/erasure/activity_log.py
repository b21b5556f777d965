"""What was erased, allowed again or removed by rule: an append-only log without personal data.

`erasures.log` in the data folder has a line of JSON an act: when, what, by whom, and counts.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any, Final, Literal

ACTIVITY_LOG_NAME: Final = "erasures.log"
Activity = Literal["erase", "allow", "retention"]


def log_activity(home: Path, activity: Activity, **facts: Any) -> None:
    """Adds a line; `facts` are digests, counts, revisions and days, never ids or names."""
    now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    line = json.dumps({"at": now, "what": activity, **facts}, ensure_ascii=False) + "\n"
    descriptor = os.open(home / ACTIVITY_LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())

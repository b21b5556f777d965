"""What was erased, allowed again or removed by rule: an append-only log without personal data.

`erasures.log` in the data folder has a line of JSON an act: when, what, by whom, and counts.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, Final, Literal

from graph.atomic import append_synced

ACTIVITY_LOG_NAME: Final = "erasures.log"
Activity = Literal["erase", "allow", "retention"]


def log_activity(home: Path, activity: Activity, **facts: Any) -> None:
    """Adds a line; `facts` are digests, counts, revisions and days, never ids or names."""
    now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    line = json.dumps({"at": now, "what": activity, **facts}, ensure_ascii=False) + "\n"
    append_synced(home / ACTIVITY_LOG_NAME, line.encode())

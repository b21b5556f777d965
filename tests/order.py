"""In which order the files of tests are taken by workers that take one after another.

What takes longest comes first and the short unit tests last, so that no worker is left alone with
a long file at the end. Files that read the same network stand together: each worker loads it once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parent
# Over a minute each, the longest first.
LONG = (
    "browser/test_every_page.py",
    "live/test_bulk.py",
    "live/test_person_erasure.py",
    "browser/test_wheel.py",
    "browser/test_address.py",
    "live/test_runaways.py",
    "browser/test_lineage.py",
    "live/test_load_undoing.py",
    "live/test_spark.py",
    "browser/test_lineage_tools.py",
    "browser/test_payloads.py",
    "live/test_embedded.py",
)
KINDS = ("browser", "live", "conformance", "unit")


def sort_tests(items: list[pytest.Item]) -> None:
    """Sort in place; the tests of a file stay together, and in their order."""
    readers = {item.path for item in items if "network" in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> tuple[int, int, bool]:
        name = item.path.relative_to(ROOT).as_posix()
        rank = LONG.index(name) if name in LONG else len(LONG)
        return rank, KINDS.index(name.split("/")[0]), item.path in readers

    items.sort(key=place)

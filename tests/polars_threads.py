"""One thread of polars in each worker of the tests: imported before anything that imports polars.

With a worker on each core more threads only wait for each other; a small table costs a quarter
less. The programs that tests start are not limited.
"""

from __future__ import annotations

import os

NAME = "POLARS_MAX_THREADS"  # read once, when polars is imported

if "PYTEST_XDIST_WORKER" in os.environ and NAME not in os.environ:
    os.environ[NAME] = "1"
    import polars  # noqa: F401

    del os.environ[NAME]

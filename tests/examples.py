"""With how many random cases a property is tried."""

from __future__ import annotations

import os
from typing import Any

import pytest

EVERYDAY_SEEDS = 5


def limit_examples(most: int) -> int:
    """So many, unless `SHICHENG_EXAMPLES` sets fewer: `make test` does, `make soak` does not."""
    return min(most, int(os.environ.get("SHICHENG_EXAMPLES", most)))


def list_seeds(most: int) -> list[Any]:
    """Seeds as parameters of a test: the first few every day, the others in `make soak` alone."""
    more = range(EVERYDAY_SEEDS, most)
    return [*range(EVERYDAY_SEEDS), *(pytest.param(seed, marks=pytest.mark.soak) for seed in more)]

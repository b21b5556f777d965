"""With how many random cases a property is tried."""

from __future__ import annotations

import os


def limit_examples(most: int) -> int:
    """So many, unless `SHICHENG_EXAMPLES` sets fewer: `make test` does, `make soak` does not."""
    return min(most, int(os.environ.get("SHICHENG_EXAMPLES", most)))

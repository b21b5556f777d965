"""The places of talents among each other, by each way to credit a driven worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

# Way to credit a worker -> the column of `Driven.talents` that holds the sum.
CREDIT_COLUMN_BY_WAY: Final[Mapping[str, str]] = {
    "full": "driven",
    "equal": "equal",
    "nearest": "nearest",
    "decay": "decay",
}
# Sums of shares that differ by less are equal: they differ by the order of adding alone.
RANKED_DECIMALS: Final = 9


def add_talent_ranks(talents: pl.DataFrame) -> pl.DataFrame:
    """The talents with rank_WAY for each way to credit, and rank_best and rank_worst over all.

    A place is 1 plus the number of talents who have more; equals share the best place.
    """
    ranked = talents.with_columns(
        pl.col(column)
        .round(RANKED_DECIMALS)
        .rank("min", descending=True)
        .cast(pl.Int64)
        .alias(f"rank_{way}")
        for way, column in CREDIT_COLUMN_BY_WAY.items()
    )
    names = [f"rank_{way}" for way in CREDIT_COLUMN_BY_WAY]
    return ranked.with_columns(
        rank_best=pl.min_horizontal(names), rank_worst=pl.max_horizontal(names)
    )

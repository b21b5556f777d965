"""Citizen ID numbers in entire columns of text: found quickly, by `graph.identity`'s one rule."""

from __future__ import annotations

import polars as pl

from graph.identity import ID_NUMBER_SHAPE, has_id_number

# Fewer bytes can't be 18 signs.
_MIN_ID_NUMBER_BYTES = 18


def flag_id_number_cells(text: pl.Series) -> pl.Series:
    """Which cells hold an ID number, in any written form."""
    suspect = flag_id_number_suspects(text)
    if not suspect.any():
        return suspect
    cells = text.filter(suspect)
    held = pl.Series([has_id_number(cell) for cell in cells], dtype=pl.Boolean)
    return suspect.scatter(suspect.arg_true(), held)


def flag_id_number_suspects(text: pl.Series) -> pl.Series:
    """Which cells have the shape of one somewhere; few others do."""
    frame = text.alias("text").to_frame()
    long = pl.col("text").str.len_bytes() >= _MIN_ID_NUMBER_BYTES
    if not frame.select(long.any()).item():
        return pl.Series([False]).new_from_index(0, text.len())
    plain = pl.col("text").str.normalize("NFKC")
    shaped = frame.select(
        pl.when(long)
        .then(
            pl.when(pl.col("text").str.contains(r"[^\x00-\x7F]"))
            .then(plain)
            .otherwise(pl.col("text"))
            .str.contains(ID_NUMBER_SHAPE)
        )
        .otherwise(False)
    )
    return shaped.to_series().fill_null(False)

"""Pairs of records that may be one person, each with its weight: splink on DuckDB."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import psutil
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from loaders.matching.match_model import (
    ASK_WEIGHT_BITS,
    FIELD_LEVELS,
    build_match_settings,
)

# Of the memory now free DuckDB takes this share before it writes to the folder.
MEMORY_SHARE: Final = 0.6
# Bits that are one level's, for they went through a decimal.
MAX_BITS_ERROR: Final = 1e-6
_RECORDS_TABLE: Final = "match_records"
_WEIGHT: Final = "round(match_weight, 6)"


def score_pairs(
    records: pl.DataFrame, folder: Path, *, at_least: float = ASK_WEIGHT_BITS
) -> pl.DataFrame:
    """Each pair that a blocking rule brings together and that weighs at least so many bits.

    `records` as `RECORD_SCHEMA`. Columns: record_l, record_r (the one with the lesser id first),
    weight (bits), and for each field of `FIELD_LEVELS` its level by name (null: not stated) and
    its bits, as name and name_bits. Two different ID digests are never a pair. What does not fit
    into memory goes to `folder`.
    """
    if records.height < 2:
        return _build_empty_pairs()
    free = psutil.virtual_memory().available * MEMORY_SHARE
    settings: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder),
        "memory_limit": f"{int(free / 2**20)}MiB",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET enable_progress_bar = false")
        numbered = records.sort("person_id").with_row_index("place")
        _put_records(connection, numbered)
        found = _predict(connection, records, at_least)
    ids = numbered.select("record", "place")
    both = found.join(ids, left_on="record_l", right_on="record").join(
        ids, left_on="record_r", right_on="record", suffix="_r"
    )
    turned = pl.col("place") > pl.col("place_r")
    first = pl.when(turned).then("record_r").otherwise("record_l")
    second = pl.when(turned).then("record_l").otherwise("record_r")
    ordered = both.with_columns(record_l=first, record_r=second)
    return ordered.sort("place", "place_r").select(found.columns)


def _put_records(connection: duckdb.DuckDBPyConnection, records: pl.DataFrame) -> None:
    """The records as a table; a short number stands for each digest."""
    columns = records.drop("place", "person_id").with_columns(
        pl.col("digest").rank("dense").cast(pl.Int32)
    )
    connection.register("given", columns.to_arrow())
    # The table's name is a constant.
    connection.execute(f"CREATE TABLE {_RECORDS_TABLE} AS SELECT * FROM given")  # noqa: S608
    connection.unregister("given")


def _predict(
    connection: duckdb.DuckDBPyConnection, records: pl.DataFrame, at_least: float
) -> pl.DataFrame:
    settings = build_match_settings(records.height, _compute_equal_share(records["birth"]))
    if records["certificates"].null_count() < records.height:
        settings = _add_certificate_rule(settings)
    linker = Linker(
        DuckDBAPI(connection).register(connection.table(_RECORDS_TABLE)), settings, log_level=40
    )
    predicted = linker.inference.predict(threshold_match_weight=at_least)
    levels = ", ".join(f"mw_{name}" for name in FIELD_LEVELS)
    described = connection.execute(f"DESCRIBE {predicted.physical_name}").fetchall()
    weighed = {row[0] for row in described}
    bits = ", ".join(
        " + ".join(c for c in (f"mw_{name}", f"mw_tf_adj_{name}") if c in weighed)
        + f" AS {name}_bits"
        for name in FIELD_LEVELS
    )
    found = connection.sql(
        # Names of columns and tables: the model's, splink's own and constants.
        f"SELECT DISTINCT record_l, record_r, {_WEIGHT} AS weight, {levels}, {bits} "  # noqa: S608
        f"FROM {predicted.physical_name} JOIN (SELECT record AS record_l, digest AS digest_l "
        f"FROM {_RECORDS_TABLE}) USING (record_l) JOIN (SELECT record AS record_r, "
        f"digest AS digest_r FROM {_RECORDS_TABLE}) USING (record_r) "
        "WHERE coalesce(digest_l = digest_r, true)"
    ).to_arrow_table()
    return _say_levels(pl.DataFrame(pl.from_arrow(found)), settings)


def _add_certificate_rule(settings: SettingsCreator) -> SettingsCreator:
    rules = settings.blocking_rules_to_generate_predictions
    rules.append(block_on("certificates", arrays_to_explode=["certificates"]))
    return settings


def _say_levels(pairs: pl.DataFrame, settings: SettingsCreator) -> pl.DataFrame:
    """The levels by name; splink leaves only their bits, which no two of a field share."""
    said = []
    for comparison in settings.create_settings_dict("duckdb")["comparisons"]:
        name = comparison["output_column_name"]
        stated = [one for one in comparison["comparison_levels"] if not one.get("is_null_level")]
        bits = [math.log2(one["m_probability"] / one["u_probability"]) for one in stated]
        level = pl.lit(None, pl.String)
        for word, value in zip(FIELD_LEVELS[name], bits, strict=True):
            near = (pl.col(f"mw_{name}") - value).abs() < MAX_BITS_ERROR
            level = pl.when(near).then(pl.lit(word)).otherwise(level)
        said.append(level.alias(name))
    weights = [pl.col(f"{name}_bits").cast(pl.Float32) for name in FIELD_LEVELS]
    return pairs.select("record_l", "record_r", "weight", *said, *weights)


def _compute_equal_share(values: pl.Series) -> float:
    """The chance that two records that state a value state the same; at least one in a million."""
    counts = values.drop_nulls().value_counts()["count"].to_numpy().astype(float)
    total = float(counts.sum())
    return max(float((counts * counts).sum()) / (total * total), 1e-6) if total else 1e-4


def _build_empty_pairs() -> pl.DataFrame:
    schema = {"record_l": pl.Int64, "record_r": pl.Int64, "weight": pl.Float64}
    return pl.DataFrame(
        schema={
            **schema,
            **dict.fromkeys(FIELD_LEVELS, pl.String),
            **{f"{name}_bits": pl.Float32 for name in FIELD_LEVELS},
        }
    )

"""Two departments' lists of the same people, matched: precision, recall, seconds, memory.

    python -m benchmarks.identity [--people 100000] [--overlap 1.0] [--seed 1]

The people are those of a synthetic network; the second list has the faults of
`loaders.synthetic.two_departments`. Ids with one ID number are one person before, as in a load.
Precision: of the ids merged, the share that is right. Recall: of the people in both lists,
the share that is one person afterwards. The seconds are those of names into one form, splink on
DuckDB, and the choice of the merges; nothing of Neo4j is in them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.loads import watch_peak_memory
from loaders.matching.match_model import MERGE_WEIGHT_BITS
from loaders.matching.match_pairs import score_pairs
from loaders.matching.match_records import complete_records, normalize_employer_names
from loaders.matching.merge_choice import choose_merges
from loaders.synthetic.network import write_synthetic_folder
from loaders.synthetic.two_departments import build_two_views


def make_views(folder: Path, people: int, seed: int, overlap: float) -> pl.DataFrame:
    """The rows of both departments, with the truth."""
    talents = max(people // 100, 5)
    made = folder / "network"
    write_synthetic_folder(made, talents=talents, workers=people - talents, seed=seed, parquet=True)
    companies = pl.read_parquet(made / "enterprises.parquet", columns=["enterprise_id", "name"])
    employers = companies.select(
        "enterprise_id", employer=normalize_employer_names(companies["name"])
    )
    known = pl.read_parquet(made / "people.parquet").join(employers, on="enterprise_id", how="left")
    known = known.with_row_index("truth").with_columns(
        pl.col("birth_date").cast(pl.Date), pl.col("truth").cast(pl.Int64)
    )
    return build_two_views(known, seed, overlap)


def merge_by_number(views: pl.DataFrame) -> pl.DataFrame:
    """As a load does: rows with one ID number become the first one's."""
    keyed = pl.coalesce("digest", "person_id")
    merged = views.group_by(keyed.alias("_key"), maintain_order=True).agg(
        pl.exclude("sources", "employers").first(),
        pl.col("sources").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
        pl.col("employers")
        .list.explode(keep_nulls=False, empty_as_null=False)
        .drop_nulls()
        .unique()
        .sort(),
    )
    return merged.drop("_key")


def measure_identity(people: int, seed: int, overlap: float, merge_bits: float) -> dict[str, Any]:
    """The figures of one size."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        views = make_views(folder, people, seed, overlap)
        rows = merge_by_number(views)
        with watch_peak_memory(folder) as most:
            began = time.monotonic()
            records = complete_records(rows)
            read = time.monotonic()
            pairs = score_pairs(records, folder)
            scored = time.monotonic()
            chosen = records.select("record", "person_id", "digest", "departments")
            choice = choose_merges(chosen, pairs, merge_bits=merge_bits)
            done = time.monotonic()
    truth = views.select("person_id", "truth")
    merges = choice.merges.join(truth.rename({"person_id": "id", "truth": "one"}), on="id").join(
        truth.rename({"truth": "other"}), on="person_id"
    )
    right = merges.filter(pl.col("one") == pl.col("other")).height
    by_number = views.height - rows.height
    both = views.height - views["truth"].n_unique()
    return {
        "people": views["sources"].list.first().value_counts().sort("count")["count"].to_list(),
        "in_both": both,
        "by_number": by_number,
        "merged": merges.height,
        "wrong": merges.height - right,
        "precision": round(right / max(merges.height, 1), 6),
        "recall": round((right + by_number) / max(both, 1), 5),
        "asked": choice.asked.height,
        "seconds": round(done - began, 1),
        "of_them": {
            "names": round(read - began, 1),
            "pairs": round(scored - read, 1),
            "choice": round(done - scored, 1),
        },
        "peak_gb": round(most[0], 2),
        "seed": seed,
    }


def main() -> None:
    """Measures and prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--overlap", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--merge-bits", type=float, default=MERGE_WEIGHT_BITS)
    given = parser.parse_args()
    print(json.dumps(measure_identity(given.people, given.seed, given.overlap, given.merge_bits)))


if __name__ == "__main__":
    main()

"""The pairs that wait for a steward's decision, as files of the data folder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from graph.atomic import write_file_atomically
from loaders.matching.judgements import IdPair, Judgement, order_pair

QUEUE_FILE_NAME: Final = "review-pairs.parquet"


def write_review_queue(home: Path, waiting: pl.DataFrame, name: str = QUEUE_FILE_NAME) -> None:
    """Puts the pairs that wait into the data folder: ids, levels and weights alone."""
    path = home / name
    with write_file_atomically(path) as making:
        making.touch(mode=0o600)
        waiting.write_parquet(making)


def replace_pair_ids(pairs: Iterable[IdPair], standing: Mapping[str, str]) -> list[IdPair]:
    """The pairs by the ids that stand for theirs; those that are one by now are left out."""
    found = ((standing.get(a, a), standing.get(b, b)) for a, b in pairs)
    return [(a, b) for a, b in found if a != b]


def follow_merges(
    waiting: pl.DataFrame, merges: pl.DataFrame, columns: tuple[str, str]
) -> pl.DataFrame:
    """The waiting pairs by the ids that stand now; several between the same two become the best."""
    old, new = merges["id"], merges["person_id"]
    moved = waiting.with_columns(pl.col(columns).replace(old, new))
    a, b = (pl.col(column) for column in columns)
    moved = moved.with_columns(
        pl.min_horizontal(a, b).alias(columns[0]), pl.max_horizontal(a, b).alias(columns[1])
    )
    return moved.filter(a != b).unique(columns, keep="first", maintain_order=True)


def select_waiting_pairs(
    queue: pl.DataFrame,
    columns: tuple[str, str],
    judgements: Iterable[Judgement],
    standing: Mapping[str, str],
    present: Collection[str],
) -> pl.DataFrame:
    """The pairs that are neither judged nor merged, with `put_off`: those put off come last.

    `standing`: further ids and what stands for them; `present`: the ids that are there.
    """
    verdicts = {
        order_pair(a, b): one.verdict
        # What puts a pair off says less than a decision on it, by whichever of its ids.
        for one in sorted(judgements, key=lambda one: one.verdict != "later")
        if (a := standing.get(one.id_a, one.id_a)) != (b := standing.get(one.id_b, one.id_b))
    }
    found = [verdicts.get(pair) for pair in queue.select(columns).iter_rows()]
    put_off = pl.Series("put_off", [verdict == "later" for verdict in found], dtype=pl.Boolean)
    undecided = pl.Series([one in (None, "later") for one in found], dtype=pl.Boolean)
    here = pl.all_horizontal(pl.col(columns).is_in(list(present)))
    return queue.with_columns(put_off).filter(undecided & here).sort("put_off", maintain_order=True)

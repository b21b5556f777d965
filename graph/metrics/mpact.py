"""MPACT: how far a mentor's teaching has gone on, over entire lineages.

The measures are those of the MPACT project's glossary (ibiblio.org/mpact): A, T, TD, G, W and TA;
see also A. Semenov et al., "Network-based indices of individual and collective advising impacts in
mathematics", Computational Social Networks 7 (2020), doi 10.1186/s40649-019-0075-0. They know no
dates, no levels and no window: they count lineages, and are not the programme's driven number.

The lineage is that of all mentorships on record, dated or not; studios are not in it. Records may
hold cycles, which no true lineage does. So each descendant stands once, in the generation of the
fewest hops, and nobody is a descendant of himself; on a lineage with no cycle that is MPACT's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

# Steps of one round that are joined at once; a round with more is walked in halves.
MAX_JOINED_STEPS: Final = 8_000_000
# From so many pairs of mentor and descendant on, the walk would take many minutes.
MAX_DESCENDANT_PAIRS: Final = 400_000_000
MPACT_SCOPES: Final = ("mentors", "talents")

COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "leading": ("leading talent", "领军人才"),
    "A": ("apprentices", "直接徒弟"),
    "T": ("all descendants", "全部传人"),
    "TD": ("descendants, halved each generation", "传人（逐代减半）"),
    "G": ("generations below", "代数"),
    "W": ("people in the largest generation", "最大一代人数"),
    "TA": ("descendants who became mentors", "已带徒的传人"),
    "FA": ("apprentices, credit shared", "直接徒弟（师傅分摊）"),
    "FT": ("descendants, credit shared", "全部传人（师傅分摊）"),
    "FTD": ("descendants halved, credit shared", "传人逐代减半（师傅分摊）"),
    "FW": ("largest generation, credit shared", "最大一代（师傅分摊）"),
    "FTA": ("descendants who became mentors, credit shared", "已带徒的传人（师傅分摊）"),
}


def compute_mpact(snapshot: Snapshot, policy: Policy, *, of: str = "mentors") -> pl.DataFrame:
    """A row a mentor: person_id, name, leading and MPACT's measures, sorted by person_id.

    With n(g) the descendants whose fewest hops from the mentor are g:

    - A = n(1); T = sum of n(g); TD = sum of n(g) / 2^(g-1); G = the largest g; W = the largest n(g)
    - TA = those of T who are mentors themselves
    - FA, FT, FTD, FW, FTA: the same with each descendant at a share: the sum, over the chains of
      fewest hops from the mentor to him, of the product over the hops of 1 / (mentors the hop's
      apprentice has). So the FA of all mentors add up to the number of apprentices. G has no share.

    `of="talents"` gives the leading talents alone. The policy bears on none of it.
    Raises `UsageError` when `of` is neither, or when the lineages are too entangled to be walked.

    Ada taught Bo and Cy, who both taught Di, who taught Ed:

    >>> from graph.metrics.examples import build_example_lineages
    >>> from graph.policy import Policy
    >>> snapshot = build_example_lineages("Ada Bo", "Ada Cy", "Bo Di", "Cy Di", "Di Ed")
    >>> found = compute_mpact(snapshot, Policy())
    >>> found.select("person_id", "A", "T", "TD", "G", "W", "TA", "FT").rows()
    [('Ada', 2, 4, 2.75, 3, 2, 3, 4.0), ('Bo', 1, 2, 1.5, 2, 1, 1, 1.0), \
('Cy', 1, 2, 1.5, 2, 1, 1, 1.0), ('Di', 1, 1, 1.0, 1, 1, 0, 1.0)]
    """
    if of not in MPACT_SCOPES:
        raise UsageError("of is {of!r}; give mentors or talents.", of=of)
    people = snapshot.frames["people"].select("person", "person_id", "name", "leading")
    pairs = collect_mentorship_pairs(snapshot)
    roots = pairs.select(root="mentor").unique()
    if of == "talents":
        talents = snapshot.frames["talents"].select(root="person").unique().collect()
        roots = roots.join(talents, on="root", how="semi")
    rows = compute_mpact_measures(compute_generations(pairs, roots))
    named = rows.lazy().join(people, left_on="root", right_on="person", how="left")
    return named.select(list(COLUMNS)).sort("person_id").collect()


def collect_mentorship_pairs(snapshot: Snapshot) -> pl.DataFrame:
    """Who taught whom, once each and nobody himself: mentor, apprentice."""
    pairs = snapshot.frames["mentorships"].select("mentor", "apprentice")
    return pairs.filter(pl.col("mentor") != pl.col("apprentice")).unique().collect()


def compute_mpact_measures(sizes: pl.DataFrame) -> pl.DataFrame:
    """MPACT's measures from `compute_generations`: a row a root."""
    number, share, halved = pl.col("people"), pl.col("share"), 0.5 ** (pl.col("generation") - 1)
    first = pl.col("generation") == 1
    return sizes.group_by("root").agg(
        A=number.filter(first).sum(),
        T=number.sum(),
        TD=(number * halved).sum(),
        G=pl.col("generation").max(),
        W=number.max(),
        TA=pl.col("mentors").sum(),
        FA=share.filter(first).sum(),
        FT=share.sum(),
        FTD=(share * halved).sum(),
        FW=share.max(),
        FTA=pl.col("mentors_share").sum(),
    )


def compute_generations(pairs: pl.DataFrame, roots: pl.DataFrame) -> pl.DataFrame:
    """How many stand in each generation below each root.

    Takes `collect_mentorship_pairs` and the roots (root); a row a (root, generation): people and
    share (their shared credit), mentors and mentors_share (of those who are mentors themselves).
    """
    counted = pl.DataFrame(
        schema={
            "root": roots.schema["root"],
            "generation": pl.Int64,
            "people": pl.Int64,
            "share": pl.Float64,
            "mentors": pl.Int64,
            "mentors_share": pl.Float64,
        }
    )
    found, total = [counted], 0
    for frontier, generation in _walk_generations(_build_hop_shares(pairs), roots):
        total += frontier.height
        if total > MAX_DESCENDANT_PAIRS:
            raise UsageError(
                "The lineages have more than {most:,} pairs of mentor and descendant, too "
                "many to walk; ask for the leading talents alone by of=talents, or look for "
                "cycles by the metric claims.",
                most=MAX_DESCENDANT_PAIRS,
            )
        found.append(_count_generation(frontier, generation))
    return pl.concat(found)


def _build_hop_shares(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs, each with the hop's share and whether the apprentice is a mentor too."""
    return pairs.select(
        "mentor",
        "apprentice",
        hop=1 / pl.len().over("apprentice"),
        teaches=pl.col("apprentice").is_in(pairs["mentor"].unique().implode()),
    )


def _walk_generations(
    hops: pl.DataFrame, roots: pl.DataFrame
) -> Iterator[tuple[pl.DataFrame, int]]:
    """Each generation of each root: root, person, share, teaches; roots come a batch at a time.

    Whoever has no apprentice leads nowhere, so only mentors are walked on from.
    """
    start = roots.select("root", person="root", share=pl.lit(1.0))
    ways = hops.group_by("mentor").len("ways")
    batches = [(start, start.select("root", "person"), 1)]
    while batches:
        frontier, seen, generation = batches.pop()
        steps = frontier.join(ways, left_on="person", right_on="mentor")["ways"].sum()
        if steps > MAX_JOINED_STEPS and (halves := _split_frontier(frontier, seen)):
            batches += [(*half, generation) for half in halves]
            continue
        new = _advance_generation(frontier, hops).join(seen, on=["root", "person"], how="anti")
        if new.is_empty():
            continue
        yield new, generation
        on = new.filter("teaches").drop("teaches")
        if not on.is_empty():
            reached = pl.concat([seen, new.select("root", "person")])
            still = reached.join(on.select("root").unique(), on="root", how="semi")
            batches.append((on, still, generation + 1))


def _advance_generation(frontier: pl.DataFrame, hops: pl.DataFrame) -> pl.DataFrame:
    return (
        frontier.lazy()
        .join(hops.lazy(), left_on="person", right_on="mentor")
        .group_by("root", person="apprentice")
        .agg((pl.col("share") * pl.col("hop")).sum(), pl.col("teaches").first())
        .collect()
    )


def _split_frontier(
    frontier: pl.DataFrame, seen: pl.DataFrame
) -> list[tuple[pl.DataFrame, pl.DataFrame]] | None:
    """The walk of half the roots and of the other half; None when there is but one root."""
    middle = frontier["root"].unique().sort()
    if middle.len() < 2:
        return None
    lower = pl.col("root") < middle[middle.len() // 2]
    return [(frontier.filter(half), seen.filter(half)) for half in (lower, ~lower)]


def _count_generation(frontier: pl.DataFrame, generation: int) -> pl.DataFrame:
    return frontier.group_by("root").agg(
        pl.lit(generation, pl.Int64).alias("generation"),
        pl.len().cast(pl.Int64).alias("people"),
        pl.col("share").sum(),
        pl.col("teaches").sum().cast(pl.Int64).alias("mentors"),
        pl.col("share").filter(pl.col("teaches")).sum().alias("mentors_share"),
    )

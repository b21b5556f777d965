"""The genealogical index and the topological measures of a lineage.

L. Rossi, I. L. Freire, J. P. Mena-Chalco, "Genealogical index: a metric to analyze
advisor-advisee relationships", Journal of Informetrics 11 (2017) 564-582, for the index; L. Rossi,
R. J. P. Damaceno, I. L. Freire, E. J. H. Bechara, J. P. Mena-Chalco, "Topological metrics in
academic genealogy graphs", Journal of Informetrics 12 (2018) 1042-1058, for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from graph.labels import MetricColumnLabels
from graph.metrics.mpact import collect_mentorship_pairs, compute_generations
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

# Pairs of houses that are compared at once.
COMPARED_PAIRS_PER_CHUNK: Final = 8_000_000

COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "leading": ("leading talent", "领军人才"),
    "genealogical_index": ("genealogical index", "师承谱系指数"),
    "fecundity": ("apprentices", "直接徒弟"),
    "fertility": ("apprentices who became mentors", "已带徒的徒弟"),
    "descendants": ("all descendants", "全部传人"),
    "cousins": ("people of the same grand-mentor but another mentor", "同师祖不同师者"),
}


def compute_genealogical_index(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """A row a mentor: person_id, name, leading and the measures, sorted by person_id.

    - genealogical_index: the largest g such that g of the mentor's apprentices have at least g
      apprentices of their own (an h-index, with apprentices in place of citations)
    - fecundity: apprentices; fertility: those of them who are mentors themselves
    - descendants: everyone below, once each (`mpact`'s T)
    - cousins: people who share a mentor's mentor with the person, but no mentor

    The lineage is that of all mentorships on record, dated or not, once each and nobody his own
    mentor; it may hold cycles. The policy bears on none of it.

    Ada taught Bo and Cy; Bo taught Di and Eve, Cy taught Flo and Gil, and Di taught Han:

    >>> from graph.metrics.examples import build_example_lineages
    >>> from graph.policy import Policy
    >>> pairs = ("Ada Bo", "Ada Cy", "Bo Di", "Bo Eve", "Cy Flo", "Cy Gil", "Di Han")
    >>> snapshot = build_example_lineages(*pairs)
    >>> for row in compute_genealogical_index(snapshot, Policy()).drop("name", "leading").rows():
    ...     print(*row)
    Ada 2 2 2 7 0
    Bo 1 2 1 3 0
    Cy 0 2 0 2 0
    Di 0 1 0 1 2
    """
    pairs = collect_mentorship_pairs(snapshot)
    roots = pairs.select(root="mentor").unique()
    below = (
        compute_generations(pairs, roots).group_by("root").agg(descendants=pl.col("people").sum())
    )
    people = snapshot.frames["people"].select("person", "person_id", "name", "leading")
    rows = (
        _compute_apprentice_measures(pairs)
        .join(below, on="root", how="left")
        .join(count_cousins(pairs, roots), on="root", how="left")
        .with_columns(pl.col("cousins").fill_null(0))
    )
    named = rows.lazy().join(people, left_on="root", right_on="person", how="left")
    return named.select(list(COLUMNS)).sort("person_id").collect()


def _compute_apprentice_measures(pairs: pl.DataFrame) -> pl.DataFrame:
    """The measures that look one and two hops down: root and three of the columns."""
    own = pairs.group_by("mentor").agg(own=pl.len().cast(pl.Int64))
    taught_by = pairs.join(own, left_on="apprentice", right_on="mentor", how="left")
    # From the most taught on down: the rank is within reach of the index while own >= rank.
    ordered = taught_by.with_columns(pl.col("own").fill_null(0)).sort("own", descending=True)
    ranked = ordered.with_columns(rank=pl.int_range(1, pl.len() + 1).over("mentor"))
    return ranked.group_by(root="mentor").agg(
        genealogical_index=(pl.col("own") >= pl.col("rank")).sum().cast(pl.Int64),
        fecundity=pl.len().cast(pl.Int64),
        fertility=(pl.col("own") > 0).sum().cast(pl.Int64),
    )


def count_cousins(pairs: pl.DataFrame, roots: pl.DataFrame) -> pl.DataFrame:
    """How many cousins each root has: root, cousins; a root that has no mentor is not there.

    People of the very same mentors have the same cousins, so they are counted together, as a
    house: two houses are cousins when they share a mentor's mentor and no mentor.
    """
    people, members = _group_into_houses(pairs)
    size = people.group_by("house").agg(size=pl.len().cast(pl.Int64))
    grand = members.join(pairs, left_on="mentor", right_on="apprentice")
    grand = grand.select("house", grand="mentor_right").unique()
    asked = people.join(roots, left_on="apprentice", right_on="root", how="semi")
    counts = [
        _find_cousin_houses(chunk, grand, members)
        .join(size, left_on="other", right_on="house")
        .group_by("house")
        .agg(cousins=pl.col("size").sum())
        for chunk in _split_house_chunks(grand.join(asked, on="house", how="semi"), grand)
    ]
    none = pl.DataFrame(schema={"house": size.schema["house"], "cousins": pl.Int64})
    of_house = pl.concat([none, *counts])
    found = asked.join(of_house, on="house", how="left").select(
        "cousins", root="apprentice"
    )  # no cousin house: none
    return found.select("root", pl.col("cousins").fill_null(0))


def _group_into_houses(pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Whose house is which (apprentice, house), and its mentors (house, mentor)."""
    sets = pairs.sort("mentor").group_by("apprentice", maintain_order=True).agg("mentor")
    keyed = sets.with_columns(key=pl.col("mentor").cast(pl.List(pl.String)).list.join(","))
    numbered = keyed.with_columns(house=pl.col("key").rank("dense").cast(pl.Int32))
    members = numbered.unique("house").select("house", "mentor").explode("mentor")
    return numbered.select("apprentice", "house"), members


def _split_house_chunks(asked: pl.DataFrame, grand: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The asked (house, grand) in parts that meet at most `COMPARED_PAIRS_PER_CHUNK` other houses
    each.
    """
    meets = grand.group_by("grand").len("meets")
    steps = asked.join(meets, on="grand").sort("house")
    steps = steps.with_columns(done=pl.col("meets").cast(pl.Int64).sum().over("house"))
    first = steps.unique("house", maintain_order=True, keep="first")
    part = first.select("house", part=pl.col("done").cum_sum() // COMPARED_PAIRS_PER_CHUNK)
    for _, chunk in steps.join(part, on="house").group_by("part"):
        yield chunk.select("house", "grand")


def _find_cousin_houses(
    asked: pl.DataFrame, grand: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """The cousin houses of each: house, other."""
    mentors = members.join(asked, on="house", how="semi")
    same_mentor = mentors.join(members, on="mentor").select("house", other="house_right")
    met = asked.join(grand, on="grand").select("house", other="house_right").unique()
    return met.join(same_mentor, on=["house", "other"], how="anti")

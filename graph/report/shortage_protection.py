"""Supply and demand without groups of one or two people, for roles that do not count by Cypher.

1. Of occupations in the nation: stock and mentors of one or two are empty, and so many more that
   none can be worked out from the nation's total (`protect_small_cells`).
2. Of an occupation by province: the same, from the occupation's total. Who retires and who rises
   are empty together where either is so few, for the gap gives their difference.
3. Groups of occupations add up what is told, and so do retiring and rising of the nation: a sum of
   what is told gives nothing away. Where nothing is told the sum is empty. `supply` is empty where
   a part of the stock is hidden, for it would mix the stock that is told with everybody's changes.
4. Expected values are whole numbers. What the records lack and what mentors raised is empty.
5. The people of a figure are listed as far as the figure of their occupation and province is told
   (`list_told_people`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from graph.forecast.history import OCCUPATION_GROUP_CHARACTERS
from graph.forecast.shortages import ShortagePart, match_province
from graph.report.small_cells import is_small_group, protect_small_cells
from graph.report.wording import HIDDEN_TEXTS

ROW_KEYS: Final = ("year", "code", "province")
# Figures of people: each is told or hidden by itself, and the two changes together.
COUNTED: Final = ("stock", "mentors")
CHANGED: Final = ("retiring", "rising")
WITH_STOCK: Final = ("moving_out", "moving_in")
NOT_TOLD: Final = ("unknown_retirement", "without_demand", "raised", "observed_mentor_years")
# Which figure says how many people a part of a row has.
FIGURE_OF_PART: Final[Mapping[ShortagePart, str]] = {
    "leaving": "retiring",
    "rising": "rising",
    "mentors": "mentors",
}
ROUNDED: Final = (*CHANGED, *WITH_STOCK, "gap", "gap_low", "gap_high", "mentor_years")


def protect_shortages(rows: pl.DataFrame) -> pl.DataFrame:
    """`graph.forecast.shortages.Shortages.rows` with small groups, and what would give them,
    empty. Retiring and rising are hidden in the same rows.
    """
    gained = pl.col("rising") + pl.col("moving_in") - pl.col("retiring") - pl.col("moving_out")
    rows = rows.with_columns(
        gained.alias("gained"),
        *(pl.col(name).round() for name in ROUNDED),
        *(pl.lit(None, rows.schema[name]).alias(name) for name in NOT_TOLD),
    )
    nation = _hide_counts(rows.filter(kind="occupation", area="nation"), ["year"])
    leaf = rows.filter(kind="occupation", area="province")
    for name in COUNTED:
        total = nation.select("year", "code", pl.col(name).is_null().alias(f"{name}_unknown"))
        leaf = leaf.join(
            total, on=["year", "code"], how="left", nulls_equal=True, maintain_order="left"
        )
    leaf = _hide_changes(_hide_counts(leaf, ["year", "code"]))
    of_group = pl.col("code").str.slice(0, OCCUPATION_GROUP_CHARACTERS)
    parts = [
        part.with_columns(part_hidden=pl.col("stock").is_null())
        for part in (leaf, _add_up(nation, leaf, CHANGED, pl.col("code"), nation=True))
    ]
    for area, below in (("province", leaf), ("nation", nation)):
        group = rows.filter(kind="occupation_group", area=area)
        group = _add_up(group, below, COUNTED, of_group, nation=area == "nation")
        group = _mark_hidden_parts(group, below, of_group, nation=area == "nation")
        parts.append(_add_up(group, leaf, CHANGED, of_group, nation=area == "nation"))
    protected = pl.concat(part.select(*rows.columns, "part_hidden") for part in parts)
    known = pl.col("stock").is_not_null()
    order = rows.select("kind", "area", *ROW_KEYS)
    return order.join(
        protected.with_columns(
            pl.when(~pl.col("part_hidden"))
            .then((pl.col("stock") + pl.col("gained")).round())
            .alias("supply"),
            *(pl.when(known).then(pl.col(name)).alias(name) for name in WITH_STOCK),
        ),
        on=["kind", "area", *ROW_KEYS],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    ).select(name for name in rows.columns if name != "gained")


def _hide_counts(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The rows with `COUNTED` empty where it is not told; the rows of each `by` have a total that
    is told, unless NAME_unknown says that it is not.
    """
    for name in COUNTED:
        hidden = list(_list_hidden(rows, name, by))
        at = pl.Series("hidden", hidden, dtype=pl.UInt32)
        rows = _empty_at(rows, at, [name]).drop(f"{name}_unknown", strict=False)
    return rows


def _hide_changes(leaf: pl.DataFrame) -> pl.DataFrame:
    hidden = {at for name in CHANGED for at in _list_hidden(leaf, name, ["year", "code"])}
    return _empty_at(leaf, pl.Series("hidden", sorted(hidden), dtype=pl.UInt32), CHANGED)


def _empty_at(rows: pl.DataFrame, at: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """The rows with these columns empty in the rows of these numbers."""
    hidden = pl.int_range(pl.len()).is_in(at.implode())
    return rows.with_columns(
        pl.when(hidden).then(None).otherwise(pl.col(name)).alias(name) for name in names
    )


def _list_hidden(rows: pl.DataFrame, name: str, by: Sequence[str]) -> Iterator[int]:
    """The numbers of the rows in which the column is not told."""
    numbered = rows.with_row_index("at").sort("code", "province", nulls_last=True)
    unknown = f"{name}_unknown"
    total = pl.col(unknown).first() if unknown in rows.columns else pl.lit(False)
    rounded = pl.col(name).fill_null(0).round().cast(pl.Int64)
    for part in (
        numbered.group_by(by, maintain_order=True)
        .agg("at", rounded, total.alias("no"))
        .rows(named=True)
    ):
        numbers = part[name]
        if not part["no"] and not any(map(is_small_group, numbers)):
            continue
        texts = None if part["no"] else protect_small_cells(numbers)
        hides = [True] * len(numbers) if texts is None else [text in HIDDEN_TEXTS for text in texts]
        yield from (at for at, hide in zip(part["at"], hides, strict=True) if hide)


def _add_up(
    rows: pl.DataFrame, below: pl.DataFrame, names: Sequence[str], code: pl.Expr, *, nation: bool
) -> pl.DataFrame:
    """The rows with these columns as the sums of what is told in the rows below; empty where
    nothing is: a sum of nothing is 0, which would be a figure.
    """
    sums = (
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
        for name in names
    )
    return _join_from_below(rows.drop(names), below, sums, code, nation=nation)


def _mark_hidden_parts(
    rows: pl.DataFrame, below: pl.DataFrame, code: pl.Expr, *, nation: bool
) -> pl.DataFrame:
    """The rows with part_hidden: whether the stock of a row below is not told."""
    hidden = pl.col("stock").is_null().any().alias("part_hidden")
    return _join_from_below(rows, below, [hidden], code, nation=nation)


def _join_from_below(
    rows: pl.DataFrame,
    below: pl.DataFrame,
    figures: Iterable[pl.Expr],
    code: pl.Expr,
    *,
    nation: bool,
) -> pl.DataFrame:
    """The rows with figures of the rows below, which `code` assigns to them."""
    place = pl.lit(None, pl.String) if nation else pl.col("province")
    found = below.with_columns(code=code, province=place).group_by(*ROW_KEYS).agg(figures)
    return rows.join(found, on=list(ROW_KEYS), how="left", nulls_equal=True, maintain_order="left")


def list_told_people(
    people: pl.DataFrame,
    protected: pl.DataFrame,
    part: ShortagePart,
    year: int,
    *,
    code: str,
    province: str | None = None,
) -> tuple[pl.DataFrame, bool]:
    """`people` (`graph.forecast.shortages.list_shortage_people`, by the same arguments) whose
    occupation and province have the figure told, and whether one of the cells asked for is hidden.

    A row of the nation or of a group lists no one of a hidden cell either: the list states
    occupation and province.
    """
    leaf = protected.filter(kind="occupation", area="province", year=year)
    cells = leaf.filter(match_province(province)).select(
        pl.col("code").fill_null("").alias("occupation_code"),
        pl.col("province").fill_null(""),
        pl.col(FIGURE_OF_PART[part]).is_null().alias("is_hidden"),
    )
    asked = cells.filter(pl.col("occupation_code").str.starts_with(code))
    keys = ["occupation_code", "province"]
    own = (pl.col(name).cast(pl.String).fill_null("").alias(f"{name}_of_cell") for name in keys)
    listed = people.with_columns(own).join(
        asked.filter(~pl.col("is_hidden")),
        left_on=[f"{name}_of_cell" for name in keys],
        right_on=keys,
        how="semi",
        maintain_order="left",
    )
    return listed.select(people.columns), bool(asked["is_hidden"].any())

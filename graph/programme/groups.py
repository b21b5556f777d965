"""Talents and places by what they have in common: sums, unions and how unevenly it is spread."""

from __future__ import annotations

import polars as pl

from graph.driven.reach_sets import ReachSets, compute_gini, compute_top_share


def group_talents(found: pl.DataFrame, by: str, reach: ReachSets) -> pl.DataFrame:
    """A row a group of talents, most driven first; null is the group of those not stated.

    `by` is a column of `talents`, or "basis": a talent with several bases stands in the group of
    each. `reach` holds the people each talent drives.

    - group, name (of an enterprise or an occupation), talents: how many
    - driven, person_times, pending: sums over the group's talents; together: the persons they
      drive, each once
    - q1, median, q3: quartiles of driven; top: the part of driven that the first tenth of the
      talents hold; gini: the Gini coefficient of driven (`graph.driven.reach_sets.compute_gini`)
    - bins: how many talents drive how many, in ten equal bins from 0 to the most of all talents
    """
    column = "bases" if by == "basis" else by
    split = found.explode("bases") if by == "basis" else found
    most = max(1, found.select(pl.col("driven").max()).item() or 0)
    rows = []
    for (group,), part in split.group_by(column):
        driven = part["driven"]
        share = (driven * 10 / (most + 1)).floor().cast(pl.Int64)
        rows.append(
            {
                "group": None if group is None else str(group),
                "name": part["enterprise"][0]
                if by == "enterprise_id"
                else part["occupation"][0]
                if by == "occupation_code"
                else None,
                "talents": part.height,
                "driven": int(driven.sum()),
                "together": reach.union(part["talent_id"]),
                "person_times": int(part["person_times"].sum()),
                "pending": int(part["pending"].sum()),
                "q1": driven.quantile(0.25),
                "median": driven.median(),
                "q3": driven.quantile(0.75),
                "top": compute_top_share(driven.to_list(), 0.1),
                "gini": compute_gini(driven.to_list()),
                "bins": [int((share == n).sum()) for n in range(10)],
            }
        )
    schema = pl.Schema(
        {
            "group": pl.String(),
            "name": pl.String(),
            "talents": pl.Int64(),
            "driven": pl.Int64(),
            "together": pl.Int64(),
            "person_times": pl.Int64(),
            "pending": pl.Int64(),
            "q1": pl.Float64(),
            "median": pl.Float64(),
            "q3": pl.Float64(),
            "top": pl.Float64(),
            "gini": pl.Float64(),
            "bins": pl.List(pl.Int64()),
        }
    )
    made = pl.DataFrame(rows, schema=schema, orient="row")
    return made.sort(["driven", "group"], descending=[True, False], nulls_last=True)


def group_places(found: pl.DataFrame, by: str, output: str, reach: ReachSets) -> pl.DataFrame:
    """A row a group of places, most output first; null is the group of those not stated.

    `by` and `output` are columns of `found`, whose places stand under `id`; `reach` holds the
    people of each place's output.

    - group, places: how many; sum: of the output; together: its people, each once
    - q1, median, q3: quartiles of the output
    - below: enterprises under the share due to front-line workers; null where there is none to be
      met (no column `frontline`)
    """
    rows = []
    for (group,), part in found.group_by(by):
        values = part[output]
        below = part.filter(pl.col("frontline") == "below").height if "frontline" in part else None
        spread = values.quantile(0.25), values.median(), values.quantile(0.75)
        together = reach.union(part["id"])
        rows.append((group, part.height, together, int(values.sum()), *spread, below))
    schema = pl.Schema(
        {
            "group": pl.String,
            "places": pl.Int64,
            "together": pl.Int64,
            "sum": pl.Int64,
            "q1": pl.Float64,
            "median": pl.Float64,
            "q3": pl.Float64,
            "below": pl.Int64,
        }
    )
    made = pl.DataFrame(rows, schema=schema, orient="row")
    return made.sort(["together", "group"], descending=[True, False], nulls_last=True)


def add_partner_share(schools: pl.DataFrame) -> pl.DataFrame:
    """Schools with partner_share: into_partners / into_enterprises (0 to 1), of those trained there
    and then employed by an enterprise; null where none was.
    """
    employed = pl.col("into_enterprises")
    share = pl.when(employed > 0).then(pl.col("into_partners") / employed)
    return schools.with_columns(partner_share=share)


def add_enterprise_standing(enterprises: pl.DataFrame, talents: pl.DataFrame) -> pl.DataFrame:
    """Enterprises (by id) with talents, the leading talents who work there on record (persons), and
    frontline: "met", "below" or "unknown", how meets_frontline (True, False, null) stands.

    `talents` has a row a leading talent, with enterprise_id.
    """
    leading = talents.group_by(id="enterprise_id").agg(talents=pl.len().cast(pl.Int64))
    meets = pl.col("meets_frontline")
    frontline = (
        pl.when(meets)
        .then(pl.lit("met"))
        .when(~meets)
        .then(pl.lit("below"))
        .otherwise(pl.lit("unknown"))
    )
    return enterprises.join(leading, on="id", how="left").with_columns(
        pl.col("talents").fill_null(0), frontline=frontline
    )

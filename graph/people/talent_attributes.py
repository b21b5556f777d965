"""Who the leading talents are."""

from __future__ import annotations

import polars as pl

from graph.snapshot.frames import Snapshot


def list_talent_attributes(snapshot: Snapshot) -> pl.DataFrame:
    """A row a leading talent: talent_id, level (1 to 8, null where none is recorded), province,
    occupation_code, occupation, industry (of the last naming that states one), bases (of all
    namings), year (of the first naming), type, enterprise_id, enterprise, studio_ids and studio
    (the studios the talent leads or led: a list, and their names one a line).
    """
    frames = snapshot.frames
    talents = frames["talents"].select("person").unique()
    leading = frames["people"].join(talents, on="person", how="semi")
    named = (
        frames["talents"]
        .sort("recognised_on")
        .group_by("person")
        .agg(
            bases=pl.col("basis").unique().sort(),
            industry=pl.col("industry").drop_nulls().last(),
            year=pl.col("recognised_on").min().dt.year(),
        )
    )
    names = frames["studios"].select("studio_id", studio="name")
    led = frames["leads"].select("person", "studio_id").unique().join(names, on="studio_id")
    led = (
        led.sort("studio_id")
        .group_by("person")
        .agg(studio_ids="studio_id", studio=pl.col("studio").str.join("\n"))
    )
    of_enterprise = frames["enterprises"].select("enterprise_id", enterprise="name")
    trades = frames["occupations"].select(occupation_code="code", occupation="name")
    return (
        leading.join(named, on="person", how="left")
        .join(led, on="person", how="left")
        .join(of_enterprise, on="enterprise_id", how="left")
        .join(trades, on="occupation_code", how="left")
        .select(
            "province",
            "occupation_code",
            "occupation",
            "industry",
            "bases",
            "enterprise_id",
            "enterprise",
            "studio",
            "studio_ids",
            "type",
            "year",
            pl.col("level").cast(pl.Int64).replace(0, None),
            talent_id="person_id",
        )
        .collect()
    )

"""The heat map of shortages: provinces across, occupation groups down, shaded by the gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from ui.controls.charts import (
    PROVINCE_TILES,
    TILE_FILL_RAMP,
    apply_chart_config,
)
from ui.shell.theme import TOKENS_BY_MODE, ColourMode
from ui.words.i18n import translate
from ui.words.numbers import NO_VALUE_DASH, format_count

HEAT_ROW_PX: Final = 19
# The shares of the cells with a gap below which each shade but the last one ends.
HEAT_SHARES: Final = (0.5, 0.75, 0.9, 0.97)


def build_heat_map(
    rows: pl.DataFrame, names: Mapping[str, str], mode: ColourMode, language: Language
) -> Any:
    """An Altair chart; a click selects `code` and `province`.

    `rows`: those of `graph.forecast.shortages.select_shortages`; `names`: code -> its words.
    """
    theme = TOKENS_BY_MODE[mode]
    table = _build_heat_rows(rows, names, mode, language)
    cell = alt.selection_point(name="cell", fields=["code", "province"], empty=False)
    domain = table["short"].unique(maintain_order=True).to_list()
    chart = (
        alt.Chart(table)
        .mark_rect(stroke=theme.paper, strokeWidth=1, cursor="pointer")
        .encode(
            x=alt.X(
                "short:N",
                sort=domain,
                axis=alt.Axis(labelAngle=-90, orient="top", domain=False, ticks=False),
            ),
            y=alt.Y("code:N", axis=alt.Axis(domain=False, ticks=False)),
            color=alt.Color("fill:N", scale=None),
            tooltip=[
                alt.Tooltip(f"{field}:N", title=title)
                for field, title in _list_heat_titles(language).items()
            ],
        )
        .add_params(cell)
    )
    height = HEAT_ROW_PX * max(table["code"].n_unique(), 1)
    return apply_chart_config(chart.properties(width="container", height=height), theme)


def compute_heat_limits(rows: pl.DataFrame) -> list[int]:
    """The people missing from which each shade but the first one begins, rising."""
    missing = rows.filter(pl.col("gap") > 0)["gap"]
    limits = [missing.quantile(share) for share in HEAT_SHARES]
    return sorted({max(1, round(limit)) for limit in limits if limit is not None})


def render_heat_legend(rows: pl.DataFrame, mode: ColourMode) -> str:
    """The shades as HTML."""
    limits = [format_count(limit) for limit in compute_heat_limits(rows)]
    words = [f"\N{GREATER-THAN OR EQUAL TO}{limit}" for limit in limits]
    words.insert(0, f"&lt;{limits[0]}" if limits else format_count(0))
    parts = [
        f'<span><i style="background:{fill}"></i>{word}</span>'
        for fill, word in zip(TILE_FILL_RAMP[mode], words, strict=False)
    ]
    return f'<div class="sc-ramp">{"".join(parts)}</div>'


def _list_heat_titles(language: Language) -> dict[str, str]:
    return {
        "read_province": translate(language, "Province"),
        "read_code": translate(language, "Occupation group"),
        "read_gap": translate(language, "Missing (persons)"),
        "read_stock": translate(language, "High-skilled in work"),
        "read_positions": translate(language, "Positions open"),
    }


def _build_heat_rows(
    rows: pl.DataFrame, names: Mapping[str, str], mode: ColourMode, language: Language
) -> pl.DataFrame:
    known = rows.filter(
        pl.col("gap").is_not_null(), pl.col("code").is_not_null(), pl.col("province").is_not_null()
    )
    found, limits = [], compute_heat_limits(known)
    for row in known.sort("province", "code").iter_rows(named=True):
        english, chinese = PROVINCES.get(row["province"], (row["province"],) * 2)
        letters = PROVINCE_TILES.get(row["province"], (0, 0, row["province"]))[2]
        step = sum(round(row["gap"]) >= limit for limit in limits)
        found.append(
            {
                "code": row["code"],
                "province": row["province"],
                "short": chinese if language == "zh" else letters,
                "fill": TILE_FILL_RAMP[mode][step],
                "read_province": chinese if language == "zh" else english,
                "read_code": names.get(row["code"], row["code"]),
                "read_gap": format_count(round(row["gap"])),
                "read_stock": format_count(row["stock"]),
                "read_positions": format_count(row["positions"]) or NO_VALUE_DASH,
            }
        )
    kinds = ("code", "province", "short", "fill", *_list_heat_titles(language))
    return pl.DataFrame(found, schema=dict.fromkeys(kinds, pl.String))

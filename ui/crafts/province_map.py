"""Provinces as tiles, shaded by a number; a click chooses one."""

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
    TILE_GAP_PX,
    TILE_HEIGHT_PX,
    TILE_MAP_SIZE_PX,
    TILE_TEXT_RAMP,
    TILE_WIDTH_PX,
    apply_chart_config,
)
from ui.shell.theme import TOKENS_BY_MODE, ColourMode
from ui.words.i18n import translate
from ui.words.numbers import format_count

# Crafts at risk, as shares of the most of any province, from which the shades begin.
CRAFT_SHADES: Final = (0.01, 0.25, 0.5, 0.75)


def build_craft_map(counts: Mapping[str, int], mode: ColourMode, language: Language) -> Any:
    """An Altair chart of `counts` by province code; a click selects `province`."""
    theme = TOKENS_BY_MODE[mode]
    most = max([*counts.values(), 1])
    rows = [
        _place_craft_tile(code, counts.get(code, 0), most, mode, language)
        for code in PROVINCE_TILES
    ]
    base = alt.Chart(pl.DataFrame(rows))
    x = alt.X("x0:Q", scale=alt.Scale(domain=[0, TILE_MAP_SIZE_PX["x"]], nice=False), axis=None)
    y = alt.Y("y0:Q", scale=alt.Scale(domain=[TILE_MAP_SIZE_PX["y"], 0], nice=False), axis=None)
    box = {"x": x, "x2": alt.X2("x1:Q"), "y": y, "y2": alt.Y2("y1:Q")}
    titles = {
        "read_name": translate(language, "Province"),
        "value": translate(language, "Crafts at risk by 2035"),
    }
    tiles = (
        base.mark_rect(cornerRadius=2, cursor="pointer")
        .encode(
            **box,
            color=alt.Color("fill:N", scale=None),
            tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()],
        )
        .add_params(alt.selection_point(name="province", fields=["province"], empty=False))
    )
    texts = [
        base.mark_text(fontSize=13, cursor="pointer").encode(
            x=alt.X("xm:Q", scale=x["scale"], axis=None),
            y=alt.Y(f"{at}:Q", scale=y["scale"], axis=None),
            text=alt.Text(f"{field}:N"),
            color=alt.Color("text_colour:N", scale=None),
        )
        for field, at in (("name", "yn"), ("value", "yv"))
    ]
    chart = alt.layer(tiles, *texts).properties(width="container", height=TILE_MAP_SIZE_PX["y"])
    return apply_chart_config(chart, theme)


def _place_craft_tile(
    code: str, count: int, most: int, mode: ColourMode, language: Language
) -> dict[str, Any]:
    column, line, letters = PROVINCE_TILES[code]
    english, chinese = PROVINCES[code]
    step = sum(count / most >= limit for limit in CRAFT_SHADES)
    left, top = column * (TILE_WIDTH_PX + TILE_GAP_PX), line * (TILE_HEIGHT_PX + TILE_GAP_PX)
    return {
        "province": code,
        "name": chinese if language == "zh" else letters,
        "read_name": chinese if language == "zh" else english,
        "value": format_count(count),
        "fill": TILE_FILL_RAMP[mode][step],
        "text_colour": TILE_TEXT_RAMP[mode][step],
        "x0": left,
        "x1": left + TILE_WIDTH_PX,
        "xm": left + TILE_WIDTH_PX / 2,
        "y0": top,
        "y1": top + TILE_HEIGHT_PX,
        "yn": top + 15,
        "yv": top + 31,
    }

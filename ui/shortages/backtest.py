"""What past forecasts of leavers and risers were worth, on the page Supply and demand."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from graph.forecast.supply_backtest import SUPPLY_AREAS, SupplyBacktest
from graph.policy import Policy
from ui.controls import downloads
from ui.reading import talent_figures
from ui.shell import frame
from ui.shell.visitor import identify_visitor
from ui.words.i18n import join_sentences, t
from ui.words.numbers import NO_VALUE_DASH, format_count, format_day


def draw_supply_backtest(found: SupplyBacktest, policy: Policy) -> None:
    """Coverage, errors and losses by area, of the loss that gaps are made of and of its parts."""
    frame.draw_heading(t("What past forecasts were worth"), t("back-test by year"))
    if found.outcomes.is_empty():
        frame.draw_muted(
            t(
                "No past year-end has a year of the window before it and a complete year after it, "
                "so nothing can be tested yet: take the gaps as not tested."
            )
        )
        return
    heads = (t("Inside 80 %"), t("Error"), t("Loss ratio"))
    titles = _list_figure_titles()
    for column, (figure, title) in zip(
        st.columns(len(titles), gap="large"), titles.items(), strict=True
    ):
        rows = found.scores.filter(figure=figure)
        with column:
            frame.draw_figure_table(title, heads, [_render_score(row) for row in rows.to_dicts()])
    caption = join_sentences(_describe_origins(found), _describe_judgement(found))
    with frame.draw_exhibit_foot("shortages_backtest", caption):
        # Outcomes by group and province are groups of one or two people.
        told = found.outcomes if identify_visitor().may("cypher") else found.scores
        downloads.draw_download_buttons(
            told, talent_figures.build_page_about(policy), "shortages_backtest"
        )


def _list_figure_titles() -> dict[str, str]:
    return {
        "leaving": t("Leaving work"),
        "rising": t("Becoming high-skilled"),
        "loss": t("Both together, with moves"),
    }


def _list_area_titles() -> dict[str, str]:
    titles = (t("Nation"), t("Province"), t("Occupation group"), t("Group in a province"))
    return dict(zip(SUPPLY_AREAS, titles, strict=True))


def _render_score(row: dict[str, Any]) -> str:
    cells = (
        _format_share(row["coverage_80"]),
        _format_share(row["error"]),
        NO_VALUE_DASH if row["ratio"] is None else f"{row['ratio']:.2f}",
    )
    name = escape(_list_area_titles()[row["attribute"]])
    tests = f'<span class="sc-muted">{format_count(row["outcomes"])}</span>'
    return (
        f"<tr><td>{name} {tests}</td>"
        + "".join(f'<td class="n">{one}</td>' for one in cells)
        + "</tr>"
    )


def _format_share(share: float | None) -> str:
    return NO_VALUE_DASH if share is None else f"{100 * share:.0f}%"


def _describe_origins(found: SupplyBacktest) -> str:
    origins = found.outcomes["origin"].unique().sort()
    return t(
        "From {days} everything later is hidden, forecast, and held against what came; beside each "
        "name, how many figures. Error: of the median, in all that came. Loss ratio: quantile loss "
        "against the better of the year before and the mean of three years; below 1 is better.",
        days=t(", ").join(format_day(day) for day in origins),
    )


def _describe_judgement(found: SupplyBacktest) -> str:
    if found.defends_gaps() is False:
        return t("The loss is no better than the baseline's: no gap is shown.")
    times = found.measure_widening("province")
    return t("Intervals by province are {times} times as wide as forecast.", times=f"{times:.1f}")

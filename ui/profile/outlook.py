"""A talent's own list at the window's end: whom it is expected to have driven by then, and who is
pending on it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from graph.errors import UsageError
from graph.forecast import talent
from graph.forecast.landing import DEFAULT_SEED
from graph.forecast.talent import TalentForecast, compute_talent_forecast
from graph.policy import Policy
from ui.controls import downloads
from ui.reading import cached_metrics, talent_figures
from ui.shell import frame, graph_state
from ui.shell.people_scope import filter_visible_rows
from ui.words.i18n import current_language, t, translate_label
from ui.words.numbers import (
    NO_VALUE_DASH,
    format_count,
    format_day,
    format_persons,
    render_bold,
)
from ui.words.terms import format_person_name

MAX_OUTLOOK_ROWS: Final = 8


def draw_talent_outlook(talent_id: str, policy: Policy) -> None:
    """The section; where a large network's is not worked out yet, the way to it."""
    frame.draw_heading(t("By the window's end"), t("forecast of this talent's own list"))
    try:
        found = _find_outlook(talent_id, policy)
    except UsageError as error:
        frame.draw_muted(error.said(current_language()))
        return
    if found is not None:
        _draw_outlook(found, policy)


def _find_outlook(talent_id: str, policy: Policy) -> TalentForecast | None:
    if cached_metrics.is_network_small():
        return _fetch_outlook(policy, talent_id)
    found: TalentForecast | None = cached_metrics.draw_background_result(
        ("outlook", graph_state.fetch_graph_state(), policy, talent_id),
        t("the forecast of this list"),
        partial(compute_talent_forecast, graph_state.fetch_snapshot(), policy, talent_id),
    )
    return found


@graph_state.cache_by_graph_state(max_entries=40, resource=True)
def _fetch_outlook(policy: Policy, talent_id: str) -> TalentForecast:
    return compute_talent_forecast(graph_state.fetch_snapshot(), policy, talent_id)


def _draw_outlook(found: TalentForecast, policy: Policy) -> None:
    language, figures = current_language(), found.figures
    sentence = t(
        "{persons} by {day}; with 80 % probability {low} to {high}. {counted} are counted already, "
        "{pending} of those pending and {arrivals} who are still to come are expected besides.",
        persons=render_bold(
            format_persons(figures["median"], language), format_count(figures["median"])
        ),
        day=format_day(policy.window_end),
        low=format_count(figures["low_80"]),
        high=format_count(figures["high_80"]),
        counted=format_count(found.counted),
        pending=format_count(round(found.expected_pending)),
        arrivals=format_count(round(found.expected_arrivals)),
    )
    frame.draw_html(f"<p>{sentence}</p>")
    frame.draw_muted(
        t(
            "From data up to {day}; seed {seed}. Who is pending follows the hazards of the nation; "
            "who is still to come arrives as in the quarters before.",
            day=format_day(found.data_date),
            seed=DEFAULT_SEED,
        )
    )
    if found.pending.is_empty():
        frame.draw_muted(t("Nobody is pending on this list."))
        return
    _draw_outlook_pending(filter_visible_rows(found.pending, "person_id"), policy)


def _draw_outlook_pending(pending: pl.DataFrame, policy: Policy) -> None:
    few = pending.head(MAX_OUTLOOK_ROWS)
    body = (
        "<tr><td>"
        + frame.render_page_anchor(
            "talent", format_person_name(row["name"] or row["person_id"]), id=row["person_id"]
        )
        + f'</td><td class="n">{row["level"] or NO_VALUE_DASH}</td>'
        f'<td class="n">{format_count(row["months"])}</td>'
        f'<td class="n"><b>{100 * row["chance"]:.0f}%</b></td></tr>'
        for row in few.iter_rows(named=True)
    )
    heads = (t("Level"), t("Months waited"), t("Chance"))
    frame.draw_figure_table(t("Pending, the likeliest first"), heads, body)
    caption = t("{n} of {all}", n=format_count(few.height), all=format_count(pending.height))
    labels = {
        name: translate_label(words, current_language()) for name, words in talent.COLUMNS.items()
    }
    about = talent_figures.build_page_about(policy, {"seed": str(DEFAULT_SEED)})
    with frame.draw_exhibit_foot("talent_outlook", caption):
        downloads.draw_download_buttons(pending.rename(labels), about, "talent_pending")

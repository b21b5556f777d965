"""Forecast: both ledgers at the window's end, and what past forecasts were worth."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.errors import UsageError
from graph.forecast.backtest import Backtest
from graph.forecast.landing import LandingForecast
from graph.forecast.simulation import DRAWS, NATION, PARTS
from graph.messages import Language
from graph.model.vocabularies import LEVELS
from graph.policy import Policy
from graph.tabular import About
from ui.controls import charts, downloads
from ui.controls.fan_chart import build_fan_chart
from ui.forecast import pending_list
from ui.reading import drill_down, forecasts, talent_figures
from ui.shell import address, frame
from ui.shell.policy_form import current_policy
from ui.words.i18n import current_language, t, translate_label
from ui.words.numbers import (
    format_count,
    format_day,
    format_large,
    format_person_times,
    format_persons,
    render_bold,
)

FORECAST_PAGE: Final = "forecast"
MAX_LISTED_VALUES: Final = 40
MAX_PENDING_ROWS: Final = 12


@frame.page
def page() -> None:
    """The page: of the nation, or of the value that stands in the address."""
    policy, language = current_policy(), current_language()
    head = st.container()
    try:
        with st.spinner(t("Working out the forecast")):
            ready = forecasts.ensure_landing_forecast(policy)
            forecast = forecasts.fetch_landing_forecast(policy) if ready else None
    except UsageError as error:
        with head:
            frame.draw_lead(t("No forecast can be given."))
            frame.draw_under_lead(escape(error.said(language)))
        return
    if forecast is None:
        with head:
            frame.draw_lead(t("The forecast is being worked out."))
        return
    attribute, value, ledger = _draw_forecast_controls(forecast, language)
    rows = forecast.figures.filter(
        pl.col("attribute") == attribute, pl.col("value").eq_missing(pl.lit(value, pl.String))
    )
    with head:
        frame.draw_lead(_render_forecast_answer(rows, ledger, attribute, value, language))
        frame.draw_under_lead(escape(_describe_forecast(forecast)))
    left, right = st.columns([690, 394], gap="large")
    with left:
        _draw_fan(forecast, rows, attribute, value, ledger, language)
        frame.draw_rule()
        _draw_values(forecast, attribute, ledger, policy, language)
    with right:
        _draw_parts(forecast, rows, attribute, value, policy, language)
        frame.draw_rule()
        _draw_backtest(policy)
    frame.draw_rule()
    asked = st.query_params.get("people")
    if asked is not None and asked != "pending":
        address.record_address_fault("people", asked)
    if asked == "pending":
        named = _format_forecast_value(attribute, value, language)
        pending_list.draw_pending_list(forecast, attribute, value, named, policy, language)
        frame.draw_rule()
    _draw_assumptions(forecast, policy, language)


# --- controls and the answer ------------------------------------------------------------------


def _list_attribute_titles() -> dict[str, str]:
    return {
        NATION: t("Nation"),
        "province": t("Province"),
        "industry": t("Industry"),
        "occupation_group": t("Occupation group"),
    }


def _list_offered_attributes(forecast: LandingForecast) -> dict[str, str]:
    """The nation, and the attributes of which the data state a value."""
    stated = forecast.figures.filter(pl.col("value").is_not_null())["attribute"].unique()
    return {
        name: title
        for name, title in _list_attribute_titles().items()
        if name == NATION or name in stated
    }


def _list_breakdown_titles() -> dict[str, str]:
    return {
        "province": t("By province"),
        "industry": t("By industry"),
        "occupation_group": t("By occupation group"),
    }


def _list_ledger_titles() -> dict[str, str]:
    return {"person_times": t("Person-times"), "persons": t("Persons")}


def _format_forecast_value(attribute: str, value: str | None, language: Language) -> str:
    """A value in words; an occupation group is its code."""
    if attribute == NATION:
        return t("The nation")
    if value is None:
        return t("not stated")
    if attribute == "occupation_group":
        return value
    return drill_down.format_cut_value(attribute, value, language)


def _draw_forecast_controls(
    forecast: LandingForecast, language: Language
) -> tuple[str, str | None, str]:
    """Attribute, value and ledger, as the address has them."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="forecast_filters"):
        attribute = address.draw_required_choice(
            FORECAST_PAGE,
            "by",
            t("Forecast of"),
            _list_offered_attributes(forecast),
            NATION,
            leaves=("value",),
        )
        value: str | None = None
        if attribute != NATION:
            listed = _list_landing(forecast, attribute, "person_times")
            named = {
                code: _format_forecast_value(attribute, code, language)
                for code in listed["value"].to_list()
                if code is not None
            }
            with st.container(width=280):
                value = address.draw_required_choice(
                    FORECAST_PAGE,
                    "value",
                    _list_attribute_titles()[attribute],
                    named,
                    next(iter(named)),
                    folded=True,
                )
        ledger = address.draw_required_choice(
            FORECAST_PAGE, "count", t("Count"), _list_ledger_titles(), "person_times"
        )
    return attribute, value, ledger


def _list_landing(forecast: LandingForecast, attribute: str, ledger: str) -> pl.DataFrame:
    """The window's end of each value, the largest first."""
    found = forecast.select_landing(attribute).filter(pl.col("ledger") == ledger)
    return found.sort("median", "value", descending=[True, False])


def _render_forecast_answer(
    rows: pl.DataFrame, ledger: str, attribute: str, value: str | None, language: Language
) -> str:
    """The page's sentence (HTML)."""
    last = rows.filter(pl.col("ledger") == ledger).sort("day").row(-1, named=True)
    unit = format_person_times if ledger == "person_times" else format_persons
    sentence = t(
        "{area}: by {day}, {figure} are expected; with 80 % probability {low} to {high}.",
        area=render_bold(_format_forecast_value(attribute, value, language)),
        day=format_day(last["day"]),
        figure=render_bold(unit(last["median"], language), format_count(last["median"])),
        low=format_large(last["low_80"], language),
        high=format_large(last["high_80"], language),
    )
    if last["target"] is None:
        return sentence
    if last["counted"] >= last["target"]:
        target = format_large(last["target"], language)
        return f"{sentence}<br>{t('The target of {target} is reached already.', target=target)}"
    addition = t(
        "The target of {target} is reached with a probability of {chance}.",
        target=format_large(last["target"], language),
        chance=render_bold(_format_probability(last["probability"])),
    )
    return f"{sentence}<br>{addition}"


def _format_probability(chance: float | None) -> str:
    """As an integer percentage; never 0 or 100, which no simulation can promise."""
    if chance is None:
        return "\N{EM DASH}"
    if chance < 0.01:
        return "<1%"
    return ">99%" if chance > 0.99 else f"{100 * chance:.0f}%"


def _format_landing_chance(row: Mapping[str, Any]) -> str:
    if row["target"] is not None and row["counted"] >= row["target"]:
        return escape(t("reached"))
    return _format_probability(row["probability"])


def _describe_forecast(forecast: LandingForecast) -> str:
    return t(
        "From data up to {day}: {draws} simulated futures, seed {seed}. Only what was known on "
        "that day counts; targets are person-times.",
        day=format_day(forecast.data_date),
        draws=format_count(DRAWS),
        seed=forecast.seed,
    )


# --- exhibits ---------------------------------------------------------------------------------


def _draw_fan(
    forecast: LandingForecast,
    rows: pl.DataFrame,
    attribute: str,
    value: str | None,
    ledger: str,
    language: Language,
) -> None:
    frame.draw_heading(t("The way to the window's end"), _list_ledger_titles()[ledger])
    past = forecast.past.filter(
        pl.col("attribute") == attribute,
        pl.col("value").eq_missing(pl.lit(value, pl.String)),
        pl.col("ledger") == ledger,
    )
    chosen = rows.filter(pl.col("ledger") == ledger)
    chart = build_fan_chart(
        past, chosen, forecast.policy.window_start, frame.detect_colour_mode(), language
    )
    st.vega_lite_chart(
        charts.build_chart_spec(chart),
        width="stretch",
        theme=None,
        key="chart_forecast",
        alt=t("{n} expected at the window's end", n=format_count(chosen["median"][-1])),
    )
    frame.draw_muted(
        t(
            "Solid: known by then. Dashed: the median. Dark band: 80 % of the simulated futures; "
            "light band: 95 %."
        )
    )


def _list_part_words() -> dict[str, tuple[str, str]]:
    """Part -> its title, and what it rests on."""
    return {
        "pending": (
            t("Pending, who will rise"),
            t("Reached and not high-skilled on the data date; each follows the hazards below."),
        ),
        "taken_on": (
            t("People who will still be taken on"),
            t("Arrivals of the next quarters by new mentorships and trainings, as below."),
        ),
        "new_talents": (
            t("New leading talents"),
            t("Whom the naming of new leading talents adds, as in the quarters below."),
        ),
        "further": (
            t("Further promotions"),
            t("Of people who are high-skilled already; person-times alone."),
        ),
    }


def _draw_parts(
    forecast: LandingForecast,
    rows: pl.DataFrame,
    attribute: str,
    value: str | None,
    policy: Policy,
    language: Language,
) -> None:
    frame.draw_heading(t("What it is made of"), t("person-times"))
    last = rows.filter(pl.col("ledger") == "person_times").sort("day").row(-1, named=True)
    parts = forecast.parts.filter(
        pl.col("attribute") == attribute, pl.col("value").eq_missing(pl.lit(value, pl.String))
    )
    by_part = {row["part"]: row for row in parts.iter_rows(named=True)}
    counted = format_count(last["counted"])
    if attribute in (NATION, "province", "industry"):
        here = {} if value is None else {attribute: value}
        counted = frame.render_page_anchor("people", counted, count="person_times", **here)
    body = [_render_part_row(t("Already counted"), "", counted, "")]
    for part in PARTS:
        title, rests_on = _list_part_words()[part]
        row = by_part[part]
        between = f"{format_count(row['low_80'])} \N{EN DASH} {format_count(row['high_80'])}"
        number = format_count(row["median"])
        if part == "pending":
            number = _render_pending_link(number, attribute, value)
        body.append(_render_part_row(title, rests_on, number, between))
    total = f"<b>{format_count(last['median'])}</b>"
    between = f"{format_count(last['low_80'])} \N{EN DASH} {format_count(last['high_80'])}"
    body.append(_render_part_row(t("At the window's end"), "", total, between))
    frame.draw_figure_table("", (t("Median, 80 % interval"),), body)
    frame.draw_muted(t("Medians of parts do not add up to the median of the sum."))


def _render_pending_link(number: str, attribute: str, value: str | None) -> str:
    """The number as a link to the list of who is pending, on this page."""
    here = {} if value is None else {"by": attribute, "value": value}
    return frame.render_page_anchor(FORECAST_PAGE, number, people="pending", **here)


def _render_part_row(title: str, rests_on: str, number: str, between: str) -> str:
    note = f'<br><span class="sc-muted">{escape(rests_on)}</span>' if rests_on else ""
    spread = f'<br><span class="sc-muted">{between}</span>' if between else ""
    return f'<tr><td>{escape(title)}{note}</td><td class="n">{number}{spread}</td></tr>'


def _draw_values(
    forecast: LandingForecast, attribute: str, ledger: str, policy: Policy, language: Language
) -> None:
    """Every value of the attribute (of the provinces, when the nation is shown)."""
    shown = "province" if attribute == NATION else attribute
    with_figures = (pl.col("median") > 0) | pl.col("target").is_not_null()
    rows = _list_landing(forecast, shown, ledger).filter(with_figures)
    frame.draw_heading(
        _list_breakdown_titles()[shown],
        _list_ledger_titles()[ledger],
    )
    heads = (
        t("Already counted"),
        t("Median"),
        t("80 % interval"),
        t("Target"),
        t("Probability"),
    )
    body = (
        f"<tr><td>{_render_value_link(shown, row['value'], ledger, language)}</td>"
        f'<td class="n">{format_count(row["counted"])}</td>'
        f'<td class="n"><b>{format_count(row["median"])}</b></td>'
        f'<td class="n sc-muted">{format_count(row["low_80"])} \N{EN DASH} '
        f"{format_count(row['high_80'])}</td>"
        f'<td class="n">{format_count(row["target"])}</td>'
        f'<td class="n">{_format_landing_chance(row)}</td></tr>'
        for row in rows.head(MAX_LISTED_VALUES).iter_rows(named=True)
    )
    frame.draw_figure_table("", heads, body)
    caption = t(
        "{n} of {all}",
        n=format_count(min(MAX_LISTED_VALUES, rows.height)),
        all=format_count(rows.height),
    )
    with frame.draw_exhibit_foot("forecast_values", caption):
        downloads.draw_download_buttons(
            forecast.table(), _build_forecast_about(policy, forecast), "forecast"
        )


def _render_value_link(attribute: str, value: str | None, ledger: str, language: Language) -> str:
    name = _format_forecast_value(attribute, value, language)
    if value is None:
        return escape(name)
    count = {} if ledger == "person_times" else {"count": ledger}
    return frame.render_page_anchor(FORECAST_PAGE, name, by=attribute, value=value, **count)


def _build_forecast_about(policy: Policy, forecast: LandingForecast) -> About:
    return talent_figures.build_page_about(
        policy, {"data_date": forecast.data_date.isoformat(), "seed": str(forecast.seed)}
    )


# --- what past forecasts were worth -----------------------------------------------------------


def _draw_backtest(policy: Policy) -> None:
    frame.draw_heading(t("What past forecasts were worth"), t("back-test"))
    found = forecasts.fetch_stored_backtest(policy)
    if found is None:
        frame.draw_muted(
            t(
                "From each past quarter-end everything later is hidden, forecast, and held "
                "against what came."
            )
        )
        return
    if found.outcomes.is_empty():
        frame.draw_muted(
            t(
                "No past quarter-end has four quarters of the window before it, so no forecast can "
                "be tested yet."
            )
        )
        return
    _draw_scores(found, policy)


def _draw_scores(found: Backtest, policy: Policy) -> None:
    titles = _list_attribute_titles()
    scores = found.scores.filter(pl.col("ledger") == "person_times")
    heads = (t("Tests"), t("Inside 80 %"), t("Error"), t("Loss ratio"))
    body = (
        f"<tr><td>{escape(titles[row['attribute']])}</td>"
        f'<td class="n">{format_count(row["outcomes"])}</td>'
        f'<td class="n">{_format_percent(row["coverage_80"])}</td>'
        f'<td class="n">{_format_percent(row["error"])}</td>'
        f'<td class="n">{_format_ratio(row["ratio"])}</td></tr>'
        for row in scores.iter_rows(named=True)
    )
    frame.draw_figure_table("", heads, body)
    caption = t(
        "Inside: the share of outcomes in the interval. Error: of the median, in all outcomes "
        "together. Loss ratio: quantile loss against the better of a straight line and the run "
        "rate of four quarters; below 1 is better."
    )
    with frame.draw_exhibit_foot("forecast_backtest", caption):
        downloads.draw_download_buttons(
            found.outcomes, talent_figures.build_page_about(policy), "forecast_backtest"
        )


def _format_percent(share: float | None) -> str:
    return "\N{EM DASH}" if share is None else f"{100 * share:.0f}%"


def _format_ratio(ratio: float | None) -> str:
    return "\N{EM DASH}" if ratio is None else f"{ratio:.2f}"


# --- assumptions ------------------------------------------------------------------------------


def _draw_assumptions(forecast: LandingForecast, policy: Policy, language: Language) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _draw_pending(forecast, policy, language)
    with right:
        _draw_arrivals(forecast)


def _draw_pending(forecast: LandingForecast, policy: Policy, language: Language) -> None:
    """Who is pending in the nation, by level and months waited."""
    frame.draw_heading(t("Who is pending"), t("persons, the nation"))
    rising = (pl.col("persons") * pl.col("chance")).sum()
    rows = (
        forecast.pending.group_by("level", "months")
        .agg(pl.col("persons").sum(), expected=rising)
        .sort("expected", descending=True)
    )
    heads = (t("Months waited"), t("Persons"), t("Chance"), t("Expected"))
    body = (
        f"<tr><td>{escape(_format_level(row['level'], language))}</td>"
        f'<td class="n">{row["months"]}+</td><td class="n">{format_count(row["persons"])}</td>'
        f'<td class="n">{_format_probability(row["expected"] / row["persons"])}</td>'
        f'<td class="n"><b>{format_count(round(row["expected"]))}</b></td></tr>'
        for row in rows.head(MAX_PENDING_ROWS).iter_rows(named=True)
    )
    frame.draw_figure_table(t("Level"), heads, body)
    caption = t(
        "Months since the last promotion, or since the chain arrived where that is later. The file "
        "has the occupation groups."
    )
    with frame.draw_exhibit_foot("forecast_pending", caption):
        downloads.draw_download_buttons(
            forecast.pending, _build_forecast_about(policy, forecast), "forecast_pending"
        )


def _format_level(level: int, language: Language) -> str:
    return translate_label(LEVELS[level], language) if level in LEVELS else t("none on record")


def _list_stream_titles() -> dict[str, str]:
    return {
        "low_by_link": t("Taken on, not high-skilled yet"),
        "low_by_naming": t("Added by a new talent, not high-skilled yet"),
        "high": t("Reached, high-skilled already"),
        "retroactive_first": t("Became high-skilled before the talent was named"),
        "retroactive_further": t("Further promotions before the talent was named"),
    }


def _draw_arrivals(forecast: LandingForecast) -> None:
    """What came in by quarter: what the projections follow."""
    frame.draw_heading(t("What came in by quarter"), t("persons, the nation"))
    days = forecast.arrivals["day"].unique().sort().to_list()[-4:]
    body = []
    for stream, title in _list_stream_titles().items():
        counts = dict(
            forecast.arrivals.filter(pl.col("stream") == stream).select("day", "count").rows()
        )
        cells = "".join(f'<td class="n">{format_count(counts.get(day, 0))}</td>' for day in days)
        body.append(f"<tr><td>{escape(title)}</td>{cells}</tr>")
    frame.draw_figure_table(t("Three months to"), [format_day(day) for day in days], body)

"""The people behind "pending, who will rise": the likeliest first, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import polars as pl

from graph.forecast.landing import LandingForecast
from graph.forecast.pending_people import PENDING_COLUMNS, name_pending, select_pending
from graph.messages import Language
from graph.model.vocabularies import LEVELS, PROVINCES
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads, selectable_table
from ui.reading import talent_figures
from ui.shell import address, frame, graph_state
from ui.words import terms
from ui.words.i18n import t, translate_label, translate_labels
from ui.words.numbers import NO_VALUE_DASH, format_count

PENDING_LIST: Final = "forecast_people"
PENDING_ROW_PX: Final = 34
PENDING_PAGE_ROWS: Final = 100


def draw_pending_list(
    forecast: LandingForecast,
    attribute: str,
    value: str | None,
    named: str,
    policy: Policy,
    language: Language,
) -> None:
    """The list of the nation, or of the value; `named` is what it is called."""
    rows = select_pending(forecast.waiting, attribute, value)
    n, expected = rows.select(pl.len(), pl.col("chance").sum()).collect().row(0)
    frame.draw_heading(t("Who is pending, by name"), named)
    if not n:
        frame.draw_muted(t("Nobody is pending here."))
        return
    pages = -(-n // PENDING_PAGE_ROWS)
    number = address.read_address_number("page", pages)
    first = (number - 1) * PENDING_PAGE_ROWS
    snapshot = graph_state.fetch_snapshot()
    people = name_pending(snapshot, rows.slice(first, PENDING_PAGE_ROWS).collect())
    frame.draw_muted(
        t(
            "{n} persons, of whom {expected} are expected to rise by the window's end; the "
            "likeliest first. A click on a line opens the person.",
            n=format_count(n),
            expected=format_count(round(expected)),
        )
    )
    titles = _list_pending_titles()
    shown = _translate_pending(people, language).select(list(titles)).rename(titles)
    cell = draw_sortable_list(
        terms.with_pinyin(shown, titles["name"]),
        key=PENDING_LIST,
        row_height=PENDING_ROW_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=min(PENDING_ROW_PX * (people.height + 1) + 2, 430),
    )
    if frame.is_newly_chosen(PENDING_LIST, cell) and cell is not None:
        frame.switch_to_page("talent", id=people["person_id"][cell[0]])
    caption = t(
        "{first} to {last} of {n}",
        first=format_count(first + 1),
        last=format_count(first + people.height),
        n=format_count(n),
    )
    cuts = {} if value is None else {attribute: value}
    about = talent_figures.build_page_about(
        policy,
        {"data_date": forecast.data_date.isoformat(), "seed": str(forecast.seed), **cuts},
    )
    labels = {name: translate_label(words, language) for name, words in PENDING_COLUMNS.items()}
    with frame.draw_exhibit_foot(PENDING_LIST, caption):
        selectable_table.draw_page_buttons(PENDING_LIST, number, pages)
        make = partial(_build_pending_export, snapshot, rows, labels)
        downloads.draw_lazy_download_buttons(n, make, about, "forecast_people")


def _build_pending_export(
    snapshot: Snapshot, rows: pl.LazyFrame, labels: Mapping[str, str]
) -> pl.DataFrame:
    return name_pending(snapshot, rows.collect()).rename(dict(labels))


def _list_pending_titles() -> dict[str, str]:
    return {
        "name": t("Name"),
        "level": t("Level"),
        "months": t("Months waited"),
        "chance": t("Chance"),
        "occupation": t("Occupation"),
        "province": t("Province"),
    }


def _translate_pending(people: pl.DataFrame, language: Language) -> pl.DataFrame:
    levels = {level: translate_label(words, language) for level, words in LEVELS.items()}
    return people.with_columns(
        pl.col("level").replace_strict(levels, default=t("none on record"), return_dtype=pl.String),
        chance=pl.format("{}%", (100 * pl.col("chance")).round().cast(pl.Int64)),
        occupation=pl.col("occupation_code").replace(talent_figures.fetch_occupation_names()),
        province=pl.col("province").replace(translate_labels(PROVINCES, language)),
    )

"""Tables to take away: exactly the rows shown, named after the revision, policy and filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import sha256
from typing import Literal

import polars as pl

from graph import tabular
from graph.audit.actor import Actor
from graph.audit.log import record_event
from graph.errors import RefusedError
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.settings import Settings
from graph.store.standing import UnfinishedLoad, build_load_message
from graph.tabular import MAX_SHEET_ROWS, About, render_xlsx
from ui.shell.visitor import bind_visitor_check, identify_actor
from ui.words.i18n import (
    current_language,
    override_language,
    t,
    tn,
    translate_label,
    translate_marked,
)
from ui.words.numbers import format_count

XLSX_MIME_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_FILE_NAME_CHARS = 180  # bytes of a file's name, which some systems cut at 255
LONGEST_VALUE = 40  # signs of a value in it; a statement or a rule in words stands in the workbook


def encode_table_csv(table: pl.DataFrame, about: About) -> bytes:
    """The table as CSV that Excel reads in any language; `format_table_file_name` says what it
    depends on.
    """
    return tabular.render_csv(table)


def format_table_file_name(name: str, about: About, ending: str) -> str:
    """A name that tells a file from others of its kind: the data (revision, the day it was loaded,
    whether a load is under way), the policy in words and by its id, what was asked.

    >>> about = About(3, filters={"province": "11"}, loaded_on="2026-11-29")
    >>> format_table_file_name("talents", about, "csv")
    'talents_r3-of-2026-11-29_province=11.csv'
    """
    parts = [name, f"r{about.revision}" + (f"-of-{about.loaded_on}" if about.loaded_on else "")]
    if about.data is not None:
        parts.append("during-a-load")
    if about.policy is not None:
        parts += [about.policy.chip("en").replace(" · ", "-"), about.policy.id]
    asked = {**about.filters, **about.parameters}
    short = {key: value for key, value in asked.items() if len(str(value)) <= LONGEST_VALUE}
    parts += [f"{key}={value}" for key, value in short.items()]
    file_name = re.sub(r"[^\w=.,+-]+", "-", "_".join(parts))
    full_name = "_".join([name, *(f"{key}={value}" for key, value in about.as_dict().items())])
    if len(file_name.encode()) > MAX_FILE_NAME_CHARS or len(short) < len(asked):
        file_name = file_name.encode()[:MAX_FILE_NAME_CHARS].decode(errors="ignore")
        file_name = f"{file_name}_{sha256(full_name.encode()).hexdigest()[:8]}"
    return f"{file_name}.{ending}"


def draw_download_button(
    label: str,
    make: Callable[[], bytes | str],
    file_name: str,
    mime: str,
    *,
    key: str,
    people: Sequence[str] = (),
    type: Literal["primary", "secondary"] = "secondary",
    icon: str | None = None,
) -> None:
    """The one button that gives a file away: `make` is called after the audit log has a line of
    it, and not at all where it cannot have one. `people`: whose file it is, if it is of few.
    """
    import streamlit as st

    st.download_button(
        label,
        partial(
            _make_logged_file,
            make,
            bind_visitor_check(),
            identify_actor(),
            key,
            file_name,
            tuple(people),
        ),
        file_name,
        mime,
        key=key,
        on_click="ignore",
        type=type,
        icon=icon,
    )


def _make_logged_file(
    make: Callable[[], bytes | str],
    is_still_allowed: Callable[[], bool],
    actor: Actor,
    key: str,
    file_name: str,
    people: Sequence[str],
) -> bytes | str:
    """Outside the page's run, so that who asks is handed in.

    Raises `RefusedError` where the visitor's session has ended, or the rights are others by now.
    """
    format = file_name.rpartition(".")[2]
    home = Settings().home
    if not is_still_allowed():
        record_event(home, "refusal", actor=actor, what=key)
        raise RefusedError("The session has ended; sign in again.")
    record_event(home, "export", actor=actor, people=people, what=key, format=format)
    return make()


def draw_download_buttons(
    table: pl.DataFrame, about: About, name: str, *, main: bool = False
) -> None:
    """Two buttons in a row that take away exactly these rows, as CSV and as a workbook.

    `name` is the file's and the buttons' key; `main` makes the workbook the page's red button.
    """
    draw_lazy_download_buttons(table.height, lambda: table, about, name, main=main)


def draw_lazy_download_buttons(
    rows: int, make: Callable[[], pl.DataFrame], about: About, name: str, *, main: bool = False
) -> None:
    """As `draw_download_buttons`, of a table too large to be made before somebody asks for it.

    A workbook holds no more than `MAX_SHEET_ROWS`; beyond, CSV alone is offered.
    """
    import streamlit as st

    book = partial(
        render_xlsx,
        sheets=(t("The list"), t("About")),
        words=about_words(),
        said=partial(in_words, about, current_language()),
    )
    formats = (("CSV", encode_table_csv, "text/csv"), ("XLSX", book, XLSX_MIME_TYPE))
    with st.container(horizontal=True, width="content", key=f"offer_{name}"):
        for format, write, mime in formats[: 1 if rows > MAX_SHEET_ROWS else 2]:
            draw_download_button(
                _format_download_label(rows, format),
                partial(_write_download, write, make, about),
                format_table_file_name(name, about, format.lower()),
                mime,
                key=f"{name}_{format}",
                type="primary" if main and format == "XLSX" else "secondary",
            )


@dataclass(frozen=True)
class AboutLine:
    """A line of the sheet `about`: its name in the file, and the message id of its title."""

    name: str
    title: str


# What a workbook calls the lines of what its figures depend on.
ABOUT_LINES = (
    AboutLine("filter_by", "By"),
    AboutLine("filter_of", "Kind of place"),
    AboutLine("filter_group_by", "Group by"),
    AboutLine("filter_talents", "Leading talents"),
    AboutLine("filter_places", "Places"),
    AboutLine("filter_industry", "Industry"),
    AboutLine("filter_level", "Level"),
    AboutLine("filter_basis", "Basis"),
    AboutLine("filter_type", "Type of talent"),
    AboutLine("filter_year", "Year named"),
    AboutLine("filter_enterprise", "Enterprise"),
    AboutLine("filter_studio", "Studio"),
    AboutLine("filter_kind", "Kind"),
    AboutLine("filter_grade", "Grade"),
    AboutLine("filter_ownership", "Ownership"),
    AboutLine("filter_frontline", "Against 60 %"),
    AboutLine("filter_count", "Count"),
    AboutLine("filter_quarter", "Quarter"),
    AboutLine("filter_generation", "Generation"),
    AboutLine("filter_channel", "Channel"),
    AboutLine("filter_from", "From"),
    AboutLine("filter_to", "To"),
    AboutLine("filter_place", "Place"),
    AboutLine("filter_between", "Between"),
    AboutLine("filter_view", "View"),
    AboutLine("filter_rows", "Rows"),
    AboutLine("filter_sorted_by", "Sorted by"),
    AboutLine("filter_tie", "Behind this tie"),
    AboutLine("filter_load", "Load"),
    AboutLine("filter_file", "File"),
    AboutLine("filter_before", "Before"),
    AboutLine("filter_after", "After"),
    AboutLine("filter_mentor", "Mentors"),
    AboutLine("filter_focus", "Lineage"),
    AboutLine("filter_group", "Group"),
    AboutLine("revision", "Revision"),
    AboutLine("data_as_of", "Data as of"),
    AboutLine("load_under_way", "Load under way"),
    AboutLine("content", "Query"),
    AboutLine("capped_at", "Rows at most"),
    AboutLine("window", "Window"),
    AboutLine("generations", "Generations"),
    AboutLine("high_skilled_level", "High-skilled from level"),
    AboutLine("channels", "Channels"),
    AboutLine("ordered", "Dates of a chain must not go back"),
    AboutLine("undated", "Undated links"),
    AboutLine("year_alone", "A link known by its year alone counts"),
    AboutLine("as_of", "Pending as of"),
    AboutLine("policy_id", "Policy"),
    AboutLine("filter_rule", "Rule"),
    AboutLine("filter_honour", "Honour"),
    AboutLine("filter_criteria", "Criteria that the data decide"),
    AboutLine("filter_province", "Province"),
    AboutLine("filter_occupation", "Occupation"),
    AboutLine("filter_decision", "Decision"),
    AboutLine("filter_show", "Show"),
    AboutLine("filter_band", "Age"),
    AboutLine("filter_reason", "Reason"),
    AboutLine("filter_standing", "Note"),
    AboutLine("filter_missed", "Misses"),
)


def about_words() -> dict[str, str]:
    """What a workbook calls the lines of what its figures depend on, in the visit's language."""
    return {line.name: translate_marked(line.title) for line in ABOUT_LINES}


def in_words(about: About, language: Language, name: str, value: object) -> str | None:
    """What a line of `about` says, in words; None where it says it itself."""
    if name == "load_under_way" and about.data is not None:
        return build_load_message(UnfinishedLoad(**about.data["load"])).said(language)
    if name == "filter_province" and value in PROVINCES:
        return translate_label(PROVINCES[str(value)], language)
    with override_language(language):
        return _words_of(name).get(_format_about_value(value))


def _format_about_value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _words_of(name: str) -> dict[str, str]:
    """The words for the values of a line."""
    found = {
        "ordered": {"True": t("yes"), "False": t("no")},
        "undated": {"include": t("counted"), "exclude": t("not counted")},
        "generations": {"all": t("no limit")},
        "channels": {
            "mentorship": t("mentorship"),
            "studio": t("studio"),
            "mentorship,studio": t(", ").join((t("mentorship"), t("studio"))),
        },
        "filter_decision": {
            "accepted": t("accepted"),
            "rejected": t("rejected"),
            "undecided": t("undecided"),
        },
        "filter_show": {
            "all": t("meet all"),
            "near": t("miss one"),
            "new": t("meets the rule, new"),
            "listed": t("meets the rule, listed"),
            "unmet": t("listed, rule not met"),
        },
    }
    return found.get(name, {})


def _format_download_label(rows: int, format: str) -> str:
    return tn(
        "Download {n} row, {format}",
        "Download {n} rows, {format}",
        rows,
        n=format_count(rows),
        format=format,
    )


def _write_download(
    write: Callable[[pl.DataFrame, About], bytes], make: Callable[[], pl.DataFrame], about: About
) -> bytes:
    return write(make(), about)


def format_person_file_name(name: str, what: str, day: date | None = None) -> str:
    """The name of a file, without its suffix: the person, what it is, the day (today).

    >>> format_person_file_name("../杨 勇军", "师承谱系", date(2026, 9, 30))
    '杨-勇军-师承谱系-2026-09-30'
    """
    file_name = re.sub(r"[^\w-]+", "-", f"{name} {what}").strip("-")
    return f"{file_name[:MAX_FILE_NAME_CHARS]}-{day or date.today()}"

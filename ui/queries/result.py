"""What a query returned: its rows page by page, and the files that take all of them away."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.cypher.named_queries import Query, Table, format_coded_value
from graph.cypher.spooled_answers import SpooledAnswer
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.table_streams import TableStream
from graph.tabular import MAX_SHEET_ROWS, About, Format, build_frame_from_rows
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads
from ui.queries.result_views import (
    MAX_CHART_ROWS,
    MAX_NETWORK_ROWS,
    draw_result_chart,
    draw_result_json,
    draw_result_network,
)
from ui.reading import talent_figures
from ui.shell import address, frame
from ui.shell.result_files import ResultFile, TicketHolder, identify_browser
from ui.shell.visitor import Visitor, bind_visitor_check, identify_actor, identify_visitor
from ui.words.i18n import (
    current_language,
    join_sentences,
    t,
    tn,
    translate_labels,
    translate_message,
)
from ui.words.numbers import format_count, render_bold
from ui.words.terms import with_pinyin

MAX_SHOWN_QUERY_ROWS = 1_000
# How often the page looks how many rows have come, while they come.
FOLLOW_SECONDS: Final = 1.0
RESULT_FORMATS: Final[tuple[Format, ...]] = ("csv", "xlsx", "json", "parquet")


@dataclass
class QueryResult:
    """What was run last in this visit: the answer, how long it took, what was asked.

    `of` is the choice on the page that it belongs to: under another one it is not shown. Nor is it
    shown to anybody but the `visitor` whom it was read for.
    """

    of: str
    title: str
    answer: SpooledAnswer
    asked: dict[str, str]
    query: Query | None
    note: str = ""
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    tickets: dict[Language, TicketHolder] = field(default_factory=dict)
    visitor: Visitor = field(default_factory=identify_visitor)

    def end_visit(self) -> None:
        """Ends the reading and removes the rows."""
        self.answer.close()


def render_result_answer(result: QueryResult | None) -> str:
    """The answer of the page in a sentence, HTML."""
    if result is None:
        return escape(t("Ask the graph itself."))
    rows = result.answer.rows
    if not result.answer.ended or result.answer.stopped is not None:
        number = render_bold(t("more than {n} rows", n=format_count(rows)))
    else:
        number = render_bold(tn("{n} row", "{n} rows", rows, n=format_count(rows)))
    return t(
        "{title}: {rows} in {seconds} s.",
        title=escape(result.title),
        rows=number,
        seconds=f"{result.seconds:.2f}",
    )


def draw_query_result(result: QueryResult) -> None:
    """The rows and what is said of them."""
    answer = result.answer
    for notice in answer.notices:
        frame.draw_note(t("Neo4j remarks"), translate_message(notice))
    if result.note:
        frame.draw_muted(result.note)
    if not answer.ended:
        _follow_answer(answer)
    elif answer.stopped is not None:
        frame.draw_note(t("Not all rows"), translate_message(answer.stopped))
    if answer.ended and not answer.rows:
        frame.draw_empty_state(
            t("No row"), t("Nothing in the graph fits; widen what was asked for.")
        )
        return
    view = address.draw_required_choice(
        "queries",
        "view",
        t("View"),
        {"table": t("Table"), "chart": t("Chart"), "network": t("Graph"), "json": t("JSON")},
        "table",
        untitled=True,
    )
    draw = {"table": _draw_result_page, "chart": _draw_chart, "network": _draw_network}
    draw.get(view, _draw_json)(result)


def _draw_chart(result: QueryResult) -> None:
    language, answer = current_language(), result.answer
    table = answer.read_page(0, MAX_CHART_ROWS)
    titles = build_column_titles(table.columns, result.query, language)
    draw_result_chart(build_query_frame(table, language), titles, answer.rows)


def _draw_network(result: QueryResult) -> None:
    draw_result_network(result.answer.read_page(0, MAX_NETWORK_ROWS), result.answer.rows)


def _draw_json(result: QueryResult) -> None:
    draw_result_json(result.answer.read_page(0, MAX_SHOWN_QUERY_ROWS), result.answer.rows)


@frame.fragment(run_every=FOLLOW_SECONDS)
def _follow_answer(answer: SpooledAnswer) -> None:
    """Says how many rows have come; draws the page anew when they are all there."""
    if answer.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="queries_follow"):
        frame.draw_muted(t("{n} rows so far, and more come.", n=format_count(answer.rows)))
        st.button(t("Cancel"), key="queries_cancel_rows", on_click=answer.cancel)


def _draw_result_page(result: QueryResult) -> None:
    language, answer = current_language(), result.answer
    titles = build_column_titles(answer.columns, result.query, language)
    page = _read_page_number(answer)
    table = answer.read_page((page - 1) * MAX_SHOWN_QUERY_ROWS, MAX_SHOWN_QUERY_ROWS)
    shown = build_query_frame(
        Table(table.columns, [[join_list_cell(cell) for cell in row] for row in table.rows]),
        language,
    )
    if {"person_id", "name"} <= set(table.columns):
        shown = with_pinyin(shown, "name")
    cell = draw_sortable_list(
        shown,
        key=f"queries_table_{page}",
        placeholder="—",
        height="auto",
        row_height=34,
        config=titles,
    )
    _open_row_person(cell, table)
    pages = _count_pages(answer)
    if pages > 1:
        st.pagination(pages, key="queries_page")
    caption = _format_shown_rows(answer, page)
    if "person_id" in table.columns:
        caption = join_sentences(caption, t("Click a line to open the person."))
    with frame.draw_exhibit_foot("queries", caption):
        if answer.ended:
            _draw_result_files(result, language)


def _count_pages(answer: SpooledAnswer) -> int:
    return max(1, -(-answer.rows // MAX_SHOWN_QUERY_ROWS))


def _read_page_number(answer: SpooledAnswer) -> int:
    """The page that was chosen below the rows; the first where it is not there."""
    chosen = st.session_state.get("queries_page") or 1
    return int(chosen) if 1 <= chosen <= _count_pages(answer) else 1


def join_list_cell(cell: Any) -> Any:
    """A list of texts as the page's language sets one; all else as it is."""
    if isinstance(cell, list) and cell and all(isinstance(one, str) for one in cell):
        return ("、" if current_language() == "zh" else ", ").join(cell)
    return cell


def build_column_titles(
    columns: tuple[str, ...], query: Query | None, language: Language
) -> dict[str, str]:
    """What each column is called: of a named query in words, else by its own name."""
    if query is None:
        return {column: column for column in columns}
    labels = {column: query.column_label(column, language) for column in columns}
    return {column: label[:1].upper() + label[1:] for column, label in labels.items()}


def _open_row_person(cell: tuple[int, str] | None, table: Table) -> None:
    """A click on a line that names a person opens the person."""
    if not frame.is_newly_chosen("queries", cell) or cell is None:
        return
    if "person_id" not in table.columns:
        return
    row = table.rows[cell[0]]
    id = row[table.columns.index("person_id")]
    if id:
        frame.switch_to_page("talent", id=str(id))


def _format_shown_rows(answer: SpooledAnswer, page: int) -> str:
    """Which of the rows are shown, and that the files have all, in one sentence."""
    if answer.rows <= MAX_SHOWN_QUERY_ROWS:
        return tn("{n} row.", "All {n} rows.", answer.rows, n=format_count(answer.rows))
    first = (page - 1) * MAX_SHOWN_QUERY_ROWS
    return t(
        "Rows {first} to {last} of {all}; the files have them all.",
        first=format_count(first + 1),
        last=format_count(min(first + MAX_SHOWN_QUERY_ROWS, answer.rows)),
        all=format_count(answer.rows),
    )


# Files


def _draw_result_files(result: QueryResult, language: Language) -> None:
    """A link a format; the file is written when it is asked for."""
    holder = result.tickets.get(language)
    if holder is None:
        holder = result.tickets[language] = TicketHolder(_build_result_file(result, language))
    formats = [f for f in RESULT_FORMATS if f != "xlsx" or result.answer.rows <= MAX_SHEET_ROWS]
    links = "".join(
        f'<a class="sc-button sc-file" href="{holder.address(one)}" download>{one.upper()}</a>'
        for one in formats
    )
    label = tn(
        "Download {n} row",
        "Download {n} rows",
        result.answer.rows,
        n=format_count(result.answer.rows),
    )
    with st.container(key="queries_files", width="content"):
        frame.draw_html(f'<div class="sc-files"><span>{escape(label)}</span>{links}</div>')


def _build_result_file(result: QueryResult, language: Language) -> ResultFile:
    answer = result.answer
    about = talent_figures.build_page_about(
        parameters=result.asked,
        content=result.of,
        capped=answer.rows if answer.stopped is not None else None,
    )
    titles = build_distinct_titles(build_column_titles(answer.columns, result.query, language))
    return ResultFile(
        _build_table_stream(answer, titles, about, language),
        downloads.format_table_file_name("query", about, "x").removesuffix(".x"),
        "query",
        answer.folder.path,
        identify_actor(),
        language,
        identify_browser(st.context.cookies),
        bind_visitor_check(),
        # A statement is logged as its digest, beside the line of its run.
        {"name": result.of} if result.query else {"text": result.asked.get("cypher", "")},
    )


def _build_table_stream(
    answer: SpooledAnswer, titles: Mapping[str, str], about: About, language: Language
) -> TableStream:
    return TableStream(
        list(titles.values()),
        list(answer.list_dtypes().values()),
        answer.rows,
        lambda: _iterate_worded_parts(answer, titles, language),
        about,
        sheets=(t("The list"), t("About")),
        words=downloads.about_words(),
        said=partial(downloads.in_words, about, language),
    )


def _iterate_worded_parts(
    answer: SpooledAnswer, titles: Mapping[str, str], language: Language
) -> Iterator[pl.DataFrame]:
    for table in answer.iterate_tables():
        yield build_query_frame(table, language).rename(dict(titles))


def build_distinct_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """Titles, but where two columns have the same one both keep their own names."""
    seen = list(titles.values())
    return {c: title if seen.count(title) == 1 else c for c, title in titles.items()}


def build_query_frame(table: Table, language: Language) -> pl.DataFrame:
    """The rows as a dataframe: one type a column; codes in words; nested values as JSON."""
    names = translate_labels(PROVINCES, language)

    def worded(column: str, value: Any) -> Any:
        if column == "province" and isinstance(value, str):
            return names.get(value, value)
        return format_coded_value(column, value, language)

    rows = [[worded(c, v) for c, v in zip(table.columns, row, strict=True)] for row in table.rows]
    return build_frame_from_rows(table.columns, rows)

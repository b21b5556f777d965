"""One list: what it was taken for, what must be answered, its columns, its first rows."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from graph.model.vocabularies import GRADES, LEVELS, STUDIO_KINDS
from loaders.mapping.field_names import list_named_fields, name_field
from loaders.mapping.proposal import (
    BY_NAME,
    BY_NUMBER,
    DATE,
    DEPARTMENT,
    GRADE,
    KIND,
    LADDER,
    PARENTS,
    ProposedColumn,
    Question,
)
from loaders.sheet_inspection import InspectedSheet
from ui.load.draft import DraftSheet, LoadDraft
from ui.shell import frame
from ui.words.i18n import (
    current_language,
    t,
    tn,
    translate_label,
    translate_labels,
    translate_message,
)
from ui.words.numbers import NO_VALUE_DASH, format_count

_NO_DATE: Final = "none"
_OTHER_DATE: Final = "other"


def draw_sheet_panel(draft: LoadDraft, sheet: DraftSheet, seen: InspectedSheet, key: str) -> None:
    """The list in a frame of its own; what is chosen in it goes into `sheet.choices`."""
    with st.container(border=True, key=f"load_sheet_{key}"):
        _draw_sheet_facts(seen, is_left_out=sheet.choices.is_left_out)
        if sheet.fault is not None:
            frame.draw_note(t("This cannot be"), translate_message(sheet.fault))
        if seen.kind not in ("table", "list"):
            return
        if not sheet.choices.is_left_out:
            _draw_sheet_questions(draft, sheet, seen, key)
            _draw_columns(draft, sheet, seen, key)
            _draw_preview(seen, key)
        out = f"load_out_{key}"
        st.checkbox(
            t("Leave this list out"),
            value=sheet.choices.is_left_out,
            key=out,
            on_change=_choose_left_out,
            args=(draft, sheet, out),
        )


def draw_settled_sheet(sheet: DraftSheet, seen: InspectedSheet) -> None:
    """The list in a few lines, once it is checked."""
    with st.container(border=True):
        _draw_sheet_facts(seen, is_left_out=sheet.choices.is_left_out)


# Each takes what a control holds, by its key, into the choices for the sheet. Streamlit reports a
# control that has just left the page as changed, with the value that it had all along: what is in
# force already changes nothing, and above all ends no check.


def _choose_left_out(draft: LoadDraft, sheet: DraftSheet, key: str) -> None:
    draft.choose(sheet, replace(sheet.choices, is_left_out=st.session_state[key]))


def _choose_sheet_department(draft: LoadDraft, sheet: DraftSheet, shown: str, key: str) -> None:
    """`shown`: the department that the control stood at, be it chosen or found in the title."""
    department = (st.session_state[key] or "").strip()
    if department != shown:
        draft.choose(sheet, replace(sheet.choices, department=department))


def _choose_answer(draft: LoadDraft, sheet: DraftSheet, name: str, key: str) -> None:
    answer = (st.session_state[key] or "").strip()
    others = {k: said for k, said in sheet.choices.answers.items() if k != name}
    answers = others if answer in ("", _OTHER_DATE) else others | {name: answer}
    draft.choose(sheet, replace(sheet.choices, answers=answers))


def _choose_field(draft: LoadDraft, sheet: DraftSheet, column: ProposedColumn, key: str) -> None:
    field = st.session_state[key]
    if field != column.field:
        fields = {**sheet.choices.fields, column.header: field}
        draft.choose(sheet, replace(sheet.choices, fields=fields))


# --- what it was taken for --------------------------------------------------------------------


def _draw_sheet_facts(seen: InspectedSheet, *, is_left_out: bool) -> None:
    state = _name_sheet_state(seen, is_left_out=is_left_out)
    frame.draw_html(
        f'<div class="sc-h"><h3 class="sc-h2">{escape(seen.label)}</h3>'
        f"<span>{escape(state)}</span></div>"
    )
    language = current_language()
    shown = seen.remembered or seen.mapping
    tables = t(", ").join(
        translate_label((EXCHANGE_TABLES[name].en, EXCHANGE_TABLES[name].zh), language)
        for name in seen.tables
    )
    frame.draw_html(
        frame.render_facts(
            (
                (t("Department"), seen.department or NO_VALUE_DASH),
                (t("List"), shown.list_name if shown is not None and seen.kind == "list" else ""),
                (t("Rows"), _format_row_kinds(seen)),
                (t("Goes to"), tables),
            )
        )
    )
    if seen.change is not None:
        frame.draw_muted(translate_message(seen.change))


def _name_sheet_state(seen: InspectedSheet, *, is_left_out: bool) -> str:
    if is_left_out:
        return t("left out")
    if seen.kind == "unknown" and seen.change is not None:
        return t("not read")
    if seen.kind == "unknown":
        return t("not understood: no row of it is a row of headers that are known")
    if seen.kind == "empty":
        return t("it has headers, but no rows below them")
    if seen.questions:
        return tn(
            "{n} question to answer",
            "{n} questions to answer",
            len(seen.questions),
            n=len(seen.questions),
        )
    if seen.remembered is not None:
        return t("read as confirmed before (revision {n})", n=seen.remembered.revision)
    if seen.kind == "table":
        return t("a table of the exchange format")
    return t("to be confirmed")


def _format_row_kinds(seen: InspectedSheet) -> str:
    rows = seen.rows
    named = (
        (rows.get("data", 0), t("data")),
        (rows.get("title", 0), t("titles")),
        (rows.get("header", 0), t("headers")),
        (rows.get("total", 0) + rows.get("footer", 0), t("totals and footers")),
        (rows.get("blank", 0), t("blank")),
    )
    return t(", ").join(f"{name} {format_count(n)}" for n, name in named if n)


# --- questions --------------------------------------------------------------------------------


def _draw_sheet_questions(
    draft: LoadDraft, sheet: DraftSheet, seen: InspectedSheet, key: str
) -> None:
    """The open questions, and those that were answered here, so that an answer can be changed."""
    open_keys = {question.key for question in seen.questions}
    for name, question in sheet.asked.items():
        is_department = name == DEPARTMENT
        said = sheet.choices.department if is_department else sheet.choices.answers.get(name, "")
        if not said and name not in open_keys:
            continue  # the department of all lists, or a column, has settled it
        place = f"load_answer_{name}_{key}"
        if question.key == DATE:
            _draw_date_question(draft, sheet, question, said, place)
        else:
            _draw_question(draft, sheet, question, said, place)
        if question.hint is not None:
            frame.draw_muted(_describe_hint(question, question.hint))


def _describe_question(question: Question) -> str:
    """The question in the page's words, as Markdown; the command line's names its codes."""
    if question.key == LADDER:
        return t("Levels are digits alone: which ladder are they of?")
    if question.key == DEPARTMENT:
        return t("Which department states this list? Typed above, it holds for every list.")
    return frame.escape_markdown(translate_message(question.text))


def _describe_hint(question: Question, hint: Message) -> str:
    """What the list itself says of it."""
    if question.key == LADDER:
        return t(
            "Of {n} certificate numbers, {old} agree with the old ladder and {new} with the new.",
            **{name: format_count(int(str(n))) for name, n in hint.values.items()},
        )
    return t("The list says: {hint}.", hint=translate_message(hint))


def _draw_question(
    draft: LoadDraft, sheet: DraftSheet, question: Question, said: str, key: str
) -> None:
    """The question with its choices, or a box to type into."""
    label, words = _describe_question(question), name_answers(question)
    if question.choices:
        key = f"{key}_{current_language()}"
    given: dict[str, Any] = {
        "key": key,
        "on_change": _choose_answer,
        "args": (draft, sheet, question.key, key),
    }
    if question.key == DEPARTMENT:
        given |= {"on_change": _choose_sheet_department, "args": (draft, sheet, said, key)}
    if not question.choices:
        st.text_input(label, value=said, max_chars=80, **given)
        return
    st.radio(
        label,
        list(question.choices),
        index=question.choices.index(said) if said in question.choices else None,
        format_func=lambda code: words.get(code, frame.escape_markdown(code)),
        horizontal=True,
        **given,
    )


def _draw_date_question(
    draft: LoadDraft, sheet: DraftSheet, question: Question, said: str, key: str
) -> None:
    """The title's year, no date, or one that is typed."""
    year = "" if question.hint is None else str(question.hint.values.get("year", ""))
    words = {year: year} if year else {}
    words |= {_NO_DATE: t("no date: leave out what needs one"), _OTHER_DATE: t("another date")}
    standing = said if said in words else (_OTHER_DATE if said else None)
    choice, typed = f"{key}_{current_language()}", f"{key}_typed"
    chosen = st.radio(
        _describe_question(question),
        list(words),
        index=None if standing is None else list(words).index(standing),
        format_func=lambda code: words[code],
        horizontal=True,
        key=choice,
        on_change=_choose_answer,
        args=(draft, sheet, DATE, choice),
    )
    if chosen == _OTHER_DATE:
        st.text_input(
            t("Year, month or day"),
            value="" if said in words else said,
            placeholder="2024-05-01",
            key=typed,
            max_chars=10,
            on_change=_choose_answer,
            args=(draft, sheet, DATE, typed),
        )


def name_answers(question: Question) -> dict[str, str]:
    """Code of an answer -> what it is called; those without words of their own are left out."""
    language = current_language()
    return {
        LADDER: {
            "old": t("old: 1 to 5, 1 is the highest; 3 is a senior worker"),
            "new": t("new: 1 to 8, 8 is the highest; 3 is an intermediate worker"),
        },
        **{key: {"yes": t("yes"), "no": t("no")} for key in (BY_NAME, BY_NUMBER, PARENTS)},
        GRADE: translate_labels(GRADES, language),
        KIND: translate_labels(STUDIO_KINDS, language),
    }.get(question.key, {})


# --- columns ----------------------------------------------------------------------------------


def _draw_columns(draft: LoadDraft, sheet: DraftSheet, seen: InspectedSheet, key: str) -> None:
    """Each header with the field that it means, to confirm or to change."""
    if not seen.columns:
        return
    unknown = len(seen.unknown)
    title = tn(
        "{n} column, {m} not understood",
        "{n} columns, {m} not understood",
        len(seen.columns),
        n=len(seen.columns),
        m=unknown,
    )
    with st.expander(title, expanded=bool(unknown) and seen.remembered is None):
        _draw_department_box(draft, sheet, seen, key)
        language = current_language()
        known = list_named_fields()
        for at, column in enumerate(seen.columns):
            options = ["", *known]
            if column.field not in options:
                options.append(column.field)
            left, middle, right = st.columns([3, 4, 4], vertical_alignment="center")
            with left:
                frame.draw_html(f"<div>{escape(' '.join(column.header.split()))}</div>")
            with middle:
                box = f"load_field_{key}_{at}_{language}"
                st.selectbox(
                    frame.escape_markdown(t("What {header} means", header=column.header)),
                    options,
                    index=options.index(column.field),
                    format_func=lambda field: name_field(field).said(language),
                    label_visibility="collapsed",
                    key=box,
                    on_change=_choose_field,
                    args=(draft, sheet, column, box),
                )
            with right:
                frame.draw_muted(_describe_column_cells(column))


def _draw_department_box(
    draft: LoadDraft, sheet: DraftSheet, seen: InspectedSheet, key: str
) -> None:
    """Who states this list, where that is not what its title says."""
    if not seen.department:
        return  # asked above
    # Another department, another box: it shows what holds now.
    box = f"load_stated_by_{key}_{seen.department}"
    st.text_input(
        t("Department"),
        value=seen.department,
        key=box,
        max_chars=80,
        on_change=_choose_sheet_department,
        args=(draft, sheet, seen.department, box),
    )


def _describe_column_cells(column: ProposedColumn) -> str:
    """How many cells are filled, the share that fits, masked examples."""
    parts = [t("{n} filled", n=format_count(column.filled))]
    if column.fits is not None:
        parts.append(t("{share} fit", share=f"{column.fits:.0%}"))
    if column.field and not column.is_stored:
        parts.append(t("not loaded"))
    if column.examples:
        parts.append(t("such as {examples}", examples="  ".join(column.examples)))
    return " · ".join(parts)


# --- preview ----------------------------------------------------------------------------------


def _draw_preview(seen: InspectedSheet, key: str) -> None:
    if seen.preview.is_empty():
        return
    language = current_language()
    levels = {str(level): translate_label(pair, language) for level, pair in LEVELS.items()}
    levels |= {pair[1]: translate_label(pair, language) for pair in LEVELS.values()}
    shown = seen.preview
    if "recognition.level" in shown.columns:
        shown = shown.with_columns(pl.col("recognition.level").replace(levels))
    heads: dict[str, str] = {}
    for column in shown.columns:
        name = name_field(column).said(language) if seen.kind == "list" else column
        heads[column] = name if name not in heads.values() else f"{name} ({column})"
    frame.draw_muted(t("The first rows as they are understood; ID numbers are hidden."))
    st.dataframe(
        shown.rename(heads),
        hide_index=True,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        key=f"load_preview_{key}",
    )

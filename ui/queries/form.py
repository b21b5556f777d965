"""What a query is asked with: a control a parameter, filled from the address and written to it.

A form's controls change nothing until it is sent, so the address is written when a query runs; a
link, a reload and the browser's way back fill the form again. People go there by their ids, and a
statement that names a person, or holds an ID number, does not go there at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from graph.cypher.masking import has_personal_identifier
from graph.cypher.named_queries import Parameter, Query
from graph.errors import UsageError
from graph.messages import Language
from ui.controls import people_picker
from ui.shell import address
from ui.words.i18n import current_language, t, translate_label

# Before the name of a parameter in the address; policies have names of their own there.
PARAMETER_PREFIX: Final = "q_"
STATEMENT_PARAMETER: Final = "cypher"
# Signs of an address that browsers and what stands between take.
MAX_ADDRESS_CHARS = 6_000


def draw_people_parameters(query: Query) -> dict[str, str | None]:
    """The pickers of the people that a query asks for, by the parameter; ids, None where nobody is.

    They stand outside of the form, for they look names up while one types.
    """
    asked = [p for p in query.parameters if p.type == "person"]
    if asked and "queries_person" not in st.session_state:
        st.session_state["queries_person"] = True
        if PARAMETER_PREFIX + asked[0].name not in st.query_params:
            address.write_parameter(
                PARAMETER_PREFIX + asked[0].name, st.session_state.get("talent_id")
            )
    language = current_language()
    return {
        p.name: people_picker.draw_person_picker(
            PARAMETER_PREFIX + p.name, p.label(language), key=f"parameter_{p.name}"
        )
        for p in asked
    }


def draw_parameter_controls(query: Query) -> dict[str, Any]:
    """The controls of the other parameters, four in a line; their values by name."""
    _sync_query_controls(query)
    values: dict[str, Any] = {}
    columns: Sequence[Any] = ()
    for number, parameter in enumerate(p for p in query.parameters if p.type != "person"):
        if number % 4 == 0:
            columns = st.columns(4)
        with columns[number % 4]:
            values[parameter.name] = _draw_parameter_control(
                query.name, parameter, current_language()
            )
    return values


def write_query_values(query: Query, values: Mapping[str, Any]) -> None:
    """Puts the values a query is run with into the address; defaults stand by being left out."""
    for parameter in query.parameters:
        value, default = values.get(parameter.name), parameter.parse_default()
        text = "" if value in (None, "") else str(value)
        address.write_parameter(
            PARAMETER_PREFIX + parameter.name, text, "" if default is None else str(default)
        )
    for name in list(st.query_params):
        if name.startswith(PARAMETER_PREFIX) and name.removeprefix(PARAMETER_PREFIX) not in values:
            address.write_parameter(name, None)
    st.session_state["queries_told"] = _list_query_items(query)


def _sync_query_controls(query: Query) -> None:
    """Fills the controls from the address, where it is not the one they were left with."""
    items = _list_query_items(query)
    if st.session_state.get("queries_told") == items:
        return
    st.session_state["queries_told"] = items
    for parameter in query.parameters:
        given = st.query_params.get(PARAMETER_PREFIX + parameter.name)
        try:
            value = parameter.parse(given) if given else parameter.parse_default()
        except UsageError:
            value = parameter.parse_default()
        if parameter.choices and value is not None:
            value = str(value)
        st.session_state[_format_parameter_key(query.name, parameter)] = (
            _pick_empty_value(parameter) if value is None else value
        )


def _list_query_items(query: Query) -> tuple[str, tuple[tuple[str, str], ...]]:
    others = {PARAMETER_PREFIX + p.name for p in query.parameters if p.type != "person"}
    return query.name, tuple((n, v) for n, v in st.query_params.items() if n in others)


def _format_parameter_key(query: str, parameter: Parameter) -> str:
    return f"parameter_{query}_{parameter.name}"


def _pick_empty_value(parameter: Parameter) -> Any:
    """What a control shows that has no value."""
    if parameter.type == "boolean":
        return False
    typed = parameter.choices or parameter.type in ("date", "integer", "float")
    return None if typed else ""


def _draw_parameter_control(query: str, parameter: Parameter, language: Language) -> Any:
    name, key = parameter.label(language), _format_parameter_key(query, parameter)
    if parameter.choices:
        return st.selectbox(
            name,
            list(parameter.choices),
            index=None,
            key=key,
            placeholder=t("any"),
            format_func=lambda code: translate_label(parameter.choices[code], language),
        )
    if parameter.type == "boolean":
        return st.checkbox(name, key=key)
    if parameter.type == "date":
        return st.date_input(
            name,
            None,
            key=key,
            format="YYYY-MM-DD",
            min_value=date(1949, 10, 1),
            max_value=date(2099, 12, 31),
        )
    if parameter.type in ("integer", "float"):
        kind = int if parameter.type == "integer" else float
        low, high = (None if v is None else kind(v) for v in (parameter.low, parameter.high))
        step = 1 if kind is int else 0.05
        return st.number_input(name, low, high, None, step=step, key=key)
    return st.text_input(name, key=key, help=parameter.takes.said(language))


# The analyst's own statement


def fill_statement(example: str) -> None:
    """Fills the box for a statement from the address, else with what was left, or an example."""
    given = st.query_params.get(STATEMENT_PARAMETER)
    if STATEMENT_PARAMETER not in st.session_state:
        st.session_state[STATEMENT_PARAMETER] = (
            given or st.session_state.get("cypher_left") or example
        )
    elif given is not None and given != st.session_state.get("cypher_told"):
        st.session_state[STATEMENT_PARAMETER] = given
    st.session_state["cypher_told"] = given


def draw_statement_box() -> str:
    """The box for a statement; what it holds."""
    text: str = st.text_area(
        t("Cypher that only reads (Ctrl+Enter runs it)"),
        height=180,
        key=STATEMENT_PARAMETER,
        max_chars=20_000,
    )
    st.session_state["cypher_left"] = text
    return text


def write_statement_address(text: str) -> bool:
    """Puts a statement into the address, where it may stand there; whether it does."""
    stands = not has_personal_identifier(text) and len(quote(text)) <= MAX_ADDRESS_CHARS
    address.write_parameter(STATEMENT_PARAMETER, text if stands else None)
    st.session_state["cypher_told"] = st.query_params.get(STATEMENT_PARAMETER)
    return stands

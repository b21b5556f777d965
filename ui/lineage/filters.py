"""The filters of a lineage: occupation, province, level, channel, in one box above the widget."""

from __future__ import annotations

from collections import Counter
from typing import Any

import streamlit as st

from graph.model.vocabularies import LEVELS, PROVINCES
from ui.lineage.state import TIE_CHANNELS, LineageState
from ui.lineage.view import Lineage
from ui.lineage.widget import save_lineage_state
from ui.reading.talent_figures import fetch_stored_occupation_names
from ui.words.i18n import current_language, t, translate_labels
from ui.words.numbers import format_count
from ui.words.terms import translate_term

MIN_FILTER_LEVEL, MAX_FILTER_LEVEL = min(LEVELS), max(LEVELS)


def draw_filter_box(seen: Lineage, state: LineageState, key: str) -> None:
    """The box; its label says how many filters are set. A change is a step of undo."""
    filters = state.shown.filters
    number = sum(
        map(bool, (filters.channels, filters.levels, filters.provinces, filters.occupations))
    )
    title = t("Filter ({n})", n=number) if number else t("Filter")
    with st.popover(title, key=f"{key}_filter"):
        _draw_code_filter(seen, state, key, "occupation_code", "occupations", t("Occupation"))
        _draw_code_filter(seen, state, key, "province", "provinces", t("Province"))
        _draw_level_filter(state, key)
        _draw_channel_filter(state, key)
        if number:
            st.button(
                t("Clear filters"),
                key=f"{key}_unfiltered",
                on_click=_clear_filters,
                args=(key, state),
            )


def _clear_filters(key: str, state: LineageState) -> None:
    save_lineage_state(key, state.unfiltered())


def _draw_code_filter(
    seen: Lineage, state: LineageState, key: str, attribute: str, name: str, title: str
) -> None:
    """Some of the codes that people of this lineage have, most frequent first."""
    chosen: frozenset[str] = getattr(state.shown.filters, name)
    people = Counter(code for _, code in seen.graph.nodes(data=attribute) if code)
    codes = [*(code for code, _ in people.most_common()), *sorted(chosen - people.keys())]
    names = fetch_stored_occupation_names() if name == "occupations" else _list_filter_provinces()
    widget = f"{key}_{name}"
    st.session_state[widget] = [code for code in codes if code in chosen]

    def keep() -> None:
        wanted: dict[str, Any] = {name: st.session_state[widget]}
        save_lineage_state(key, state.filter(**wanted))

    st.multiselect(
        title,
        codes,
        key=widget,
        on_change=keep,
        placeholder=t("any"),
        format_func=lambda code: (
            f"{translate_term(names.get(code) or code)} · {format_count(people[code])}"
        ),
    )


def _list_filter_provinces() -> dict[str, str]:
    return translate_labels(PROVINCES, current_language())


def _draw_level_filter(state: LineageState, key: str) -> None:
    """From which level to which; the full range lets everyone through, without a level too."""
    widget = f"{key}_levels"
    st.session_state[widget] = state.shown.filters.levels or (MIN_FILTER_LEVEL, MAX_FILTER_LEVEL)

    def keep() -> None:
        low, high = st.session_state[widget]
        everyone = (low, high) == (MIN_FILTER_LEVEL, MAX_FILTER_LEVEL)
        save_lineage_state(key, state.filter(levels="all" if everyone else (low, high)))

    st.slider(t("Level"), MIN_FILTER_LEVEL, MAX_FILTER_LEVEL, key=widget, on_change=keep)


def _draw_channel_filter(state: LineageState, key: str) -> None:
    words = {"mentorship": t("mentorship"), "studio": t("studio")}
    widget = f"{key}_channels"
    chosen = [channel for channel in TIE_CHANNELS if channel in state.shown.filters.channels]
    st.session_state[widget] = chosen

    def keep() -> None:
        wanted = st.session_state[widget]
        save_lineage_state(key, state.filter(channels=() if len(wanted) == len(words) else wanted))

    st.pills(
        t("Channel"),
        list(words),
        key=widget,
        selection_mode="multi",
        on_change=keep,
        format_func=lambda channel: words[channel],
    )

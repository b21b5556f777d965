"""The filters of a lineage: occupation, province, level, channel, in one box above the widget."""

from __future__ import annotations

from collections import Counter
from typing import Any

import streamlit as st

from components import store
from components.i18n import current_language, labels, t
from components.lineage import keep_state
from components.lineage_state import CHANNELS, LineageState
from components.lineage_view import Lineage
from components.numbers import count
from graph.model import LEVELS, PROVINCES

LOWEST, HIGHEST = min(LEVELS), max(LEVELS)


def box(seen: Lineage, state: LineageState, key: str) -> None:
    """The box; its label says how many filters are set. A change is a step of undo."""
    filters = state.shown.filters
    number = sum(map(bool, (filters.channels, filters.levels, filters.provinces,
                            filters.occupations)))  # fmt: skip
    title = t("Filter ({n})", n=number) if number else t("Filter")
    with st.popover(title, key=f"{key}_filter"):
        _several(seen, state, key, "occupation_code", "occupations", t("Occupation"))
        _several(seen, state, key, "province", "provinces", t("Province"))
        _levels(state, key)
        _channels(state, key)
        if number:
            st.button(
                t("Clear filters"), key=f"{key}_unfiltered",
                on_click=keep_state, args=(key, state.unfiltered()),
            )  # fmt: skip


def _several(
    seen: Lineage, state: LineageState, key: str, attribute: str, name: str, title: str
) -> None:
    """Some of the codes that people of this lineage have, most frequent first."""
    chosen: frozenset[str] = getattr(state.shown.filters, name)
    people = Counter(code for _, code in seen.graph.nodes(data=attribute) if code)
    codes = [*(code for code, _ in people.most_common()), *sorted(chosen - people.keys())]
    names = _occupations(store.state()) if name == "occupations" else _provinces()
    widget = f"{key}_{name}"
    st.session_state[widget] = [code for code in codes if code in chosen]

    def keep() -> None:
        wanted: dict[str, Any] = {name: st.session_state[widget]}
        keep_state(key, state.filter(**wanted))

    st.multiselect(
        title, codes, key=widget, on_change=keep, placeholder=t("any"),
        format_func=lambda code: f"{names.get(code, code)} · {count(people[code])}",
    )  # fmt: skip


@st.cache_data(max_entries=4, show_spinner=False)
def _occupations(state: str) -> dict[str, str]:
    frame = store.snapshot().frames["occupations"]
    codes = frame.select("code", "name").collect()
    return {code: name or code for code, name in codes.iter_rows()}


def _provinces() -> dict[str, str]:
    return labels(PROVINCES, current_language())


def _levels(state: LineageState, key: str) -> None:
    """From which level to which; the whole ladder lets everyone through, without a level too."""
    widget = f"{key}_levels"
    st.session_state[widget] = state.shown.filters.levels or (LOWEST, HIGHEST)

    def keep() -> None:
        low, high = st.session_state[widget]
        whole = (low, high) == (LOWEST, HIGHEST)
        keep_state(key, state.filter(levels="all" if whole else (low, high)))

    st.slider(t("Level"), LOWEST, HIGHEST, key=widget, on_change=keep)


def _channels(state: LineageState, key: str) -> None:
    words = {"mentorship": t("mentorship"), "studio": t("studio")}
    widget = f"{key}_channels"
    chosen = [channel for channel in CHANNELS if channel in state.shown.filters.channels]
    st.session_state[widget] = chosen

    def keep() -> None:
        wanted = st.session_state[widget]
        keep_state(key, state.filter(channels=() if len(wanted) == len(words) else wanted))

    st.pills(
        t("Channel"), list(words), key=widget, selection_mode="multi", on_change=keep,
        format_func=lambda channel: words[channel],
    )  # fmt: skip

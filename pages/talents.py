"""Leading talents: the table of what each drives, to filter, open and download."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import downloads, frame, store
from components.i18n import Language, current_language, label, t
from components.numbers import bold, count, persons, share
from components.policy_form import current_policy
from components.theme import MODES
from graph.model import BASES, PROVINCES
from graph.policy import Policy

ROW_HEIGHT = 38
FILTERS = ("province", "occupation", "industry", "basis", "enterprise")


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        rows = store.talents(policy)
    head = st.container()
    chosen = _filters(rows)
    shown = filtered(rows, chosen)
    with head:
        frame.lead(_answer(shown, rows, policy))
        frame.under_lead(
            t("Persons, each counted once for each talent who drives them; units in the headers.")
        )
    if shown.is_empty():
        frame.empty(t("No talent meets these filters"), t("Take one of them away."))
        return
    _table(shown, policy)
    _foot(shown, rows, policy, chosen)


def _answer(shown: pl.DataFrame, rows: pl.DataFrame, policy: Policy) -> str:
    language = current_language()
    everyone = shown.height == rows.height
    who = (
        t("{n} leading talents", n=bold(count(shown.height)))
        if everyone
        else t("{n} of {all} leading talents", n=bold(count(shown.height)), all=count(rows.height))
    )
    together = store.union(policy, shown["talent_id"].to_list())
    return t(
        "{who} together drive {persons}; {n} of the talents drive nobody yet.",
        who=who, persons=bold(persons(together, language), count(together)),
        n=bold(count(shown.filter(pl.col("driven") == 0).height)),
    )  # fmt: skip


def _filters(rows: pl.DataFrame) -> dict[str, Any]:
    """One line of filters, also set by the page's address (codes only, never names)."""
    language = current_language()
    columns = st.columns([220, 130, 170, 170, 190, 110], vertical_alignment="bottom")
    chosen: dict[str, Any] = {}
    with columns[0]:
        chosen["text"] = st.text_input(
            t("Name, enterprise or studio"), key="talents_text", placeholder=t("a few characters"),
            live=True, max_chars=60,
        )  # fmt: skip
    options: dict[str, list[tuple[str, str]]] = {
        "province": _pairs(rows, "province", "province", language),
        "occupation": _pairs(rows, "occupation_code", "occupation", language),
        "industry": _pairs(rows, "industry", "industry", language),
        "basis": [(code, label(BASES[code], language)) for code in BASES],
    }
    names = {
        "province": t("Province"), "occupation": t("Occupation"), "industry": t("Industry"),
        "basis": t("Basis"),
    }  # fmt: skip
    for column, (name, pairs) in zip(columns[1:5], options.items(), strict=True):
        with column:
            chosen[name] = _select(name, names[name], dict(pairs))
    enterprise = st.query_params.get("enterprise")
    if enterprise is not None:
        chosen["enterprise"] = enterprise
    with columns[5]:
        st.button(t("Clear filters"), on_click=_clear, disabled=not any(chosen.values()))
    return chosen


def _pairs(rows: pl.DataFrame, code: str, name: str, language: Language) -> list[tuple[str, str]]:
    found = rows.select(code=code, name=name).unique("code").drop_nulls("code").sort("code")
    if code == "province":
        return [(c, label(PROVINCES[c], language)) for c in found["code"] if c in PROVINCES]
    return [(c, n or c) for c, n in found.rows()]


def _select(name: str, title: str, options: dict[str, str]) -> str | None:
    key = f"talents_{name}"
    asked = st.query_params.get(name)
    if asked and asked not in options:
        # Nobody has it, and the page says so; the filter must not be dropped in silence.
        names = PROVINCES.get(asked) if name == "province" else None
        options[asked] = label(names, current_language()) if names else asked
    if asked in options and key not in st.session_state:
        st.session_state[key] = asked
    chosen: str | None = st.selectbox(
        title, list(options), index=None, key=key, placeholder=t("any"),
        format_func=lambda code: options.get(code, code),
    )  # fmt: skip
    if chosen:
        st.query_params[name] = chosen
    elif name in st.query_params:
        del st.query_params[name]
    return chosen


def _clear() -> None:
    for name in FILTERS:
        st.session_state.pop(f"talents_{name}", None)
        if name in st.query_params:
            del st.query_params[name]
    st.session_state["talents_text"] = ""


def filtered(rows: pl.DataFrame, chosen: dict[str, Any]) -> pl.DataFrame:
    """The rows that meet all the filters, most driven first."""
    columns = {
        "province": "province", "occupation": "occupation_code", "industry": "industry",
        "enterprise": "enterprise_id",
    }  # fmt: skip
    for name, column in columns.items():
        if chosen.get(name):
            rows = rows.filter(pl.col(column) == chosen[name])
    if chosen.get("basis"):
        rows = rows.filter(pl.col("bases").list.contains(chosen["basis"]))
    if text := (chosen.get("text") or "").strip().lower():
        within = pl.concat_str(pl.col("name", "enterprise", "studio").fill_null(""), separator="\n")
        rows = rows.filter(within.str.to_lowercase().str.contains(text, literal=True))
    return rows.sort("driven", "person_times", "talent_id", descending=[True, True, False])


def generation_columns(rows: pl.DataFrame) -> list[str]:
    """g1, g2, ... as the metric gave them."""
    return sorted((c for c in rows.columns if c[0] == "g" and c[1:].isdigit()),
                  key=lambda c: int(c[1:]))  # fmt: skip


def _table(shown: pl.DataFrame, policy: Policy) -> None:
    language = current_language()
    tokens = MODES[frame.mode()]
    generations = generation_columns(shown)
    cells_shown = shown.select(
        "name", "level",
        pl.col("occupation").fill_null("—"),
        pl.col("province").replace_strict(
            {c: label(n, language) for c, n in PROVINCES.items()}, default="—"
        ),
        "driven", "person_times",
        pl.concat_list(generations).alias("generations"),
        "g1", "pending", "equal",
        pl.col("enterprise").fill_null("—"),
    )  # fmt: skip
    config = st.column_config
    most = max(1, int(shown["driven"].max() or 0))  # type: ignore[arg-type]
    tallest = max(1, *(int(shown[g].max() or 0) for g in generations))  # type: ignore[arg-type]
    event = st.dataframe(
        cells_shown,
        key="talents_table",
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (shown.height + 1) + 2, 640),
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "name": config.TextColumn(t("Name"), pinned=True, width=90),
            "level": config.NumberColumn(t("Level"), help=t("Best level so far, 1 to 8"), width=54),
            "occupation": config.TextColumn(t("Occupation"), width=130),
            "province": config.TextColumn(t("Province"), width=94),
            "driven": config.ProgressColumn(
                t("Driven (persons)"), format="localized", min_value=0, max_value=most,
                color=tokens.slate, width=150,
                help=t("New high-skilled persons whom a chain from this talent reaches in time"),
            ),
            "person_times": config.NumberColumn(
                t("Person-times"), format="localized", width=90,
                help=t("Every promotion to a high-skilled level in the window, of those reached"),
            ),
            "generations": config.BarChartColumn(
                t("Generations (persons)"), y_min=0, y_max=tallest, color=tokens.slate,
                width=142,
                help=t("Driven persons by the fewest links of a chain that counts"),
            ),
            "g1": config.NumberColumn(
                t("Gen 1 (persons)"), format="localized", width=114,
                help=t("Driven persons one link away"),
            ),
            "pending": config.NumberColumn(
                t("Pending (persons)"), format="localized", width=122,
                help=t("Reached by a chain, not high-skilled on the as-of day"),
            ),
            "equal": config.NumberColumn(
                t("Shared (persons)"), format="%.1f", width=114,
                help=t("Each worker shared equally among the talents who drive them; adds up"),
            ),
            "enterprise": config.TextColumn(t("Enterprise"), width=220),
        },
    )  # fmt: skip
    cells = event.selection.cells
    if cells and cells[0] != st.session_state.get("talents_opened"):
        st.session_state["talents_opened"] = cells[0]
        frame.go("talent", id=shown["talent_id"][cells[0][0]])
    if not cells:
        st.session_state.pop("talents_opened", None)


def _foot(shown: pl.DataFrame, rows: pl.DataFrame, policy: Policy, chosen: dict[str, Any]) -> None:
    """What is shown, and the downloads of exactly these rows."""
    about = downloads.About(
        policy=policy, revision=store.revision(),
        filters={name: str(value) for name, value in chosen.items() if value},
    )  # fmt: skip
    table = downloads.talents_table(shown, current_language())
    with st.container(horizontal=True, vertical_alignment="center", key="talents_foot"):
        frame.html(f'<span class="sc-muted">{escape(_shown(shown, rows))}</span>')
        st.space("stretch")
        downloads.offer(table, about, "talents", main=True)


def _shown(shown: pl.DataFrame, rows: pl.DataFrame) -> str:
    return t(
        "{n} of {all} talents ({share}); click a line to open the talent.",
        n=count(shown.height), all=count(rows.height), share=share(shown.height, rows.height),
    )  # fmt: skip


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

"""The people of a group of a lineage, as a table below the widget and as a file."""

from __future__ import annotations

import polars as pl
import streamlit as st

from graph.model.vocabularies import LEVELS, PROVINCES
from graph.people.lineage_groups import GroupKey
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads
from ui.lineage import group_columns
from ui.lineage.group_columns import Grouped
from ui.lineage.view import Lineage
from ui.reading import talent_figures
from ui.shell import frame
from ui.words.i18n import current_language, t, translate_labels
from ui.words.numbers import format_count, format_persons
from ui.words.terms import with_pinyin

LIST_ROW_HEIGHT_PX = 34
MAX_LIST_ROWS = 2_000  # of a table on the page; the download has all


def build_group_namer(seen: Lineage) -> group_columns.GroupNamer:
    """What the people of a group have in common, in words: `names("occupation", "6-18")`."""
    occupations = talent_figures.fetch_occupation_names()
    levels = translate_labels(LEVELS, current_language())
    who = dict(seen.everyone.people.select("person_id", "name").iter_rows())

    def name(key: GroupKey, value: str) -> str:
        if key == "branch":
            return t("by way of {name}", name=who.get(value, value))
        if key == "level":
            return f"{value} {levels[int(value)]}" if int(value) else t("no level recorded")
        if key == "occupation":
            return occupations.get(value, value) or t("no occupation recorded")
        return talent_figures.fetch_studio_labels([value])[value] if value else t("outside studios")

    return name


def draw_group_list(seen: Lineage, found: Grouped, group: str, name: str) -> str | None:
    """The table of a group's people; returns the person a click on a line chose."""
    if found.members(group).is_empty():
        return None
    with st.container(key="lineage_list"):
        return _draw_group_members(seen, found, group, name)


def _draw_group_members(seen: Lineage, found: Grouped, group: str, name: str) -> str | None:
    people = found.members(group)
    language = current_language()
    title = _format_group_title(found, group, build_group_namer(seen))
    driven, pending = ((people["state"] == s).sum() for s in ("driven", "pending"))
    figures = t(
        "{all}: {driven} driven, {pending} pending",
        all=format_persons(people.height, language),
        driven=format_count(int(driven)),
        pending=format_count(int(pending)),
    )
    frame.draw_heading(title, figures)
    table = _build_members_table(people, build_group_namer(seen))
    frame.draw_muted(t("Click a line to see why the person counts, or why not."))
    cell = draw_sortable_list(
        with_pinyin(table.head(MAX_LIST_ROWS), t("Name")),
        key=f"lineage_table_{group}",
        row_height=LIST_ROW_HEIGHT_PX,
        width="stretch",
        height=min(LIST_ROW_HEIGHT_PX * (min(people.height, MAX_LIST_ROWS) + 1) + 2, 480),
    )
    about = talent_figures.build_page_about(seen.policy, {"focus": seen.focus, "group": title})
    with st.container(horizontal=True, vertical_alignment="center", key="lineage_list_foot"):
        if people.height > MAX_LIST_ROWS:
            frame.draw_muted(
                t("The first {n} are shown; the download has all.", n=f"{MAX_LIST_ROWS:,}")
            )
        st.button(t("Close the list"), key="lineage_list_close", on_click=_close_group_list)
        st.space("stretch")
        downloads.draw_download_buttons(
            table, about, downloads.format_person_file_name(name, title), main=False
        )
    if cell is None or not frame.is_newly_chosen("lineage_list", (group, cell[0])):
        return None
    return str(people["person_id"][cell[0]])


def _close_group_list() -> None:
    st.query_params.pop("list", None)


def _format_group_title(found: Grouped, group: str, names: group_columns.GroupNamer) -> str:
    box = next((box for box in found.groups.boxes if box.id == group), None)
    if box is None:
        return t("Gen {n}", n=group.partition("\n")[0])
    said = group_columns.format_group_name(box, names, current_language())
    return t("{group}, generation {n}", group=said, n=box.generation)


def _build_members_table(people: pl.DataFrame, names: group_columns.GroupNamer) -> pl.DataFrame:
    states = {"driven": t("driven"), "pending": t("pending"), "none": t("not counted")}
    provinces = translate_labels(PROVINCES, current_language())
    rows = people.to_dicts()
    return pl.DataFrame(
        {
            t("Number"): [row["person_id"] for row in rows],
            t("Name"): [row["name"] for row in rows],
            t("Level"): [int(row["level"]) or None for row in rows],
            t("State"): [states[row["state"]] for row in rows],
            t("Generation"): [row["generation"] for row in rows],
            t("Occupation"): [names("occupation", row["occupation"]) for row in rows],
            t("Province"): [provinces.get(row["province"] or "", "") for row in rows],
            t("Branch"): [names("branch", row["branch"]) for row in rows],
        }
    )

"""Studios, enterprises and schools: what each brings about, at what cost, on how few people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.driven.reach_sets import Joint, compute_gini, compute_joint, compute_top_share
from graph.policy import Policy
from graph.programme.groups import group_places
from graph.tabular import About
from ui.controls import distribution, downloads, joint_panel, selectable_table
from ui.controls import table_columns as tables
from ui.controls.table_columns import TableColumn
from ui.person.person import PaidSubsidy
from ui.person.person_summary import format_subsidy
from ui.places import table
from ui.places.table import OUTPUT_COLUMN_BY_KIND, PLACE_FILTERS, PLACE_KINDS
from ui.reading import merged_ids, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.theme import TOKENS_BY_MODE
from ui.words.i18n import current_language, join_sentences, t
from ui.words.numbers import format_count, format_day, format_persons, format_share, render_bold
from ui.words.terms import format_person_name

PLACES_PAGE = "places"
SELECTION_LETTERS = "ABCDE"
# Of each kind of place the ties that are shown first.
TIES = {
    "studio": "studio_enterprise",
    "enterprise": "studio_enterprise",
    "school": "school_enterprise",
}
MAX_PANEL_LINES = 12  # lines of a list in the panel


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    head = st.container()
    ways = st.container(horizontal=True, vertical_alignment="bottom", key="places_ways")
    with ways:
        kind = _draw_place_kind_control()
    if not table.ensure_place_table(policy, kind):
        with head:
            frame.draw_lead(t("The figures are being worked out."))
            frame.draw_under_lead()
        return
    everything = table.fetch_place_rows(policy, kind)
    chosen = _draw_place_filters(everything, kind)
    with ways:
        view, sorting, by = _draw_place_view_controls(kind)
    shown = table.filter_places(everything, chosen)
    shown = table.sort_places(shown, sorting.by, kind=kind, descending=sorting.descending)
    selected = selectable_table.list_ticked_ids(everything["id"])
    with head:
        frame.draw_lead(_render_places_answer(shown, policy, kind, selected))
        frame.draw_under_lead(_render_places_under_lead(shown, everything, kind))
    if shown.is_empty():
        frame.draw_empty_state(t("Nothing meets these filters"), t("Take one of them away."))
    elif view == "distribution":
        _draw_place_distribution(shown, kind)
    elif view == "groups":
        _draw_place_groups(shown, by, kind, policy, chosen)
    else:
        _draw_place_table(shown, policy, kind, chosen, selected, sorting)


def _draw_place_kind_control() -> str:
    """Which of the three; an id in the address tells it when nothing else does."""
    asked = table.resolve_place_id(st.query_params.get("id"))
    if asked and "kind_of_place" not in st.query_params:
        address.write_parameter("kind_of_place", table.find_place_kind(asked), PLACE_KINDS[0])
    names = {"studio": t("Studios"), "enterprise": t("Enterprises"), "school": t("Schools")}
    return address.draw_required_choice(
        PLACES_PAGE,
        "kind_of_place",
        t("Kind of place"),
        names,
        PLACE_KINDS[0],
        leaves=(
            "sel",
            "id",
            "page",
            "sort",
            "order",
            "by",
            "kind",
            "grade",
            "ownership",
            "frontline",
            "typed",
        ),
    )


# --- the answer -------------------------------------------------------------------------------


def _render_places_answer(
    shown: pl.DataFrame, policy: Policy, kind: str, selected: list[str]
) -> str:
    language = current_language()
    reach = table.fetch_place_reach(policy, kind)
    if len(selected) >= 2:
        found = compute_joint([reach.of_key(id) for id in selected])
        return t(
            "The {n} selected count {persons} together, {twice} of them more than once.",
            n=len(selected),
            persons=render_bold(format_persons(found.union, language), format_count(found.union)),
            twice=render_bold(format_count(sum(o.persons for o in found.overlaps if o.shared))),
        )
    together = reach.union(shown["id"])
    n, reached = (
        render_bold(format_count(shown.height)),
        render_bold(format_persons(together, language), format_count(together)),
    )
    if kind == "studio":
        return t(
            "{persons} were driven at {n} studios; half of those with known funding spent {cost} "
            "yuan a person or less.",
            n=n,
            persons=reached,
            cost=render_bold(_format_median(shown["cost"])),
        )
    if kind == "enterprise":
        below = shown.filter(pl.col("frontline") == "below").height
        stated = shown.filter(pl.col("frontline") != "unknown").height
        return t(
            "{persons} were driven while employed by {n} enterprises; {below} of {stated} that "
            "state it give front-line workers less than 60 % of the education fund.",
            n=n,
            persons=reached,
            below=render_bold(format_count(below)),
            stated=format_count(stated),
        )
    into, by = int(shown["into_enterprises"].sum()), int(shown["into_partners"].sum())
    return t(
        "{persons} became high-skilled after a training at {n} schools; {share} of those then "
        "employed went to partner enterprises.",
        n=n,
        persons=reached,
        share=render_bold(format_share(by, into)),
    )


def _format_median(values: pl.Series) -> str:
    middle = values.to_frame().select(pl.all().median()).item()
    return format_count(None if middle is None else round(middle))


def _render_places_under_lead(shown: pl.DataFrame, everything: pl.DataFrame, kind: str) -> str:
    note = t("A worker may count at several places, so places do not add up to the nation.")
    if shown.height == everything.height:
        return escape(note)
    part = t(
        "{n} of {all} are shown.", n=format_count(shown.height), all=format_count(everything.height)
    )
    return escape(join_sentences(part, note))


# --- filters ----------------------------------------------------------------------------------


def _list_place_filter_titles() -> dict[str, str]:
    return {
        "province": t("Province"),
        "industry": t("Industry"),
        "kind": t("Kind"),
        "grade": t("Grade"),
        "ownership": t("Ownership"),
        "frontline": t("Against 60 %"),
    }


def _draw_place_filters(everything: pl.DataFrame, kind: str) -> dict[str, str | None]:
    offered, titles = (
        table.list_place_options(everything, kind, current_language()),
        _list_place_filter_titles(),
    )
    chosen: dict[str, str | None] = {}
    with st.container(key="places_filters"):
        named = PLACE_FILTERS[kind]
        rest = 110 + 150 * (4 - len(named))
        columns = st.columns([200, *[150] * len(named), 110, rest], vertical_alignment="bottom")
        with columns[0]:
            chosen["text"] = address.draw_text_box(
                f"places_{kind}",
                "typed",
                t("Name or id"),
                live=True,
                max_chars=60,
                placeholder=t("a few characters"),
                help=t("Not kept in the link."),
            )
        for place, name in enumerate(named, 1):
            with columns[place]:
                chosen[name] = address.draw_optional_select(
                    f"places_{kind}", name, titles[name], offered[name]
                )
        with columns[len(named) + 1]:
            st.button(
                t("Clear filters"),
                on_click=_clear_place_filters,
                args=(kind,),
                key="places_clear",
                disabled=not any(chosen.values()),
            )
    return chosen


def _clear_place_filters(kind: str) -> None:
    address.clear_parameters(*PLACE_FILTERS[kind])
    address.fill_text_box(f"places_{kind}", "typed", "")


def _draw_place_view_controls(kind: str) -> tuple[str, selectable_table.Sorting, str]:
    views = {"table": t("Table"), "distribution": t("Distribution"), "groups": t("Groups")}
    titles = {n: c.title for n, c in table.build_place_columns(kind).items()}
    page = f"places_{kind}"
    view = address.draw_required_choice(page, "view", t("View"), views, "table")
    first = {
        name: "asc"
        for name, column in table.build_place_columns(kind).items()
        if column.kind == "text" or name in table.COST_COLUMNS_BY_KIND[kind]
    }
    default = OUTPUT_COLUMN_BY_KIND[kind]
    sorting, by = selectable_table.Sorting(default, "desc", default, first), "province"
    if view == "table":
        sorting = selectable_table.draw_sort_controls(page, titles, default, first)
    elif view == "groups":
        groups = {name: _list_place_filter_titles()[name] for name in PLACE_FILTERS[kind]}
        with st.container(width=230):
            by = address.draw_required_choice(
                page, "by", t("Group by"), groups, "province", folded=True
            )
    return view, sorting, by


# --- the table --------------------------------------------------------------------------------


def _draw_place_table(
    shown: pl.DataFrame,
    policy: Policy,
    kind: str,
    chosen: dict[str, str | None],
    selected: list[str],
    sorting: selectable_table.Sorting,
) -> None:
    columns = table.build_place_columns(kind)
    rows = table.translate_place_codes(shown, kind, current_language())
    left, right = st.columns([852, 276], gap="small")
    with left:
        part, number, pages = selectable_table.slice_table_page(rows)
        opened = partial(address.write_parameter, "id")
        selectable_table.draw_selectable_table(
            PLACES_PAGE, part, rows, columns, selected, id="id", opened=opened, sorting=sorting
        )
        first = (number - 1) * selectable_table.TABLE_PAGE_ROWS + 1
        caption = t(
            "{first} to {last} of {n}; a click on a name shows it, on a header sorts.",
            first=format_count(first),
            last=format_count(first + part.height - 1),
            n=format_count(rows.height),
        )
        with frame.draw_exhibit_foot(PLACES_PAGE, caption):
            selectable_table.draw_page_buttons(PLACES_PAGE, number, pages)
            downloads.draw_download_buttons(
                tables.select_export_columns(rows, columns, {"id": t("Id")}),
                _build_places_about(policy, kind, chosen),
                table.METRIC_BY_PLACE_KIND[kind],
                main=True,
            )
    with right, st.container(key="panel_places"):
        _draw_places_panel(rows, policy, kind, selected)


def _build_places_about(policy: Policy, kind: str, chosen: dict[str, str | None]) -> About:
    filters = {name: str(value) for name, value in chosen.items() if value} | {"of": kind}
    return talent_figures.build_page_about(policy, filters)


def _draw_places_panel(rows: pl.DataFrame, policy: Policy, kind: str, selected: list[str]) -> None:
    if len(selected) >= 2:
        _draw_joint_places(policy, kind, selected)
        return
    id = selected[0] if selected else table.resolve_place_id(st.query_params.get("id"))
    about = table.fetch_place(kind, id) if id else None
    if id and not about:
        address.record_address_fault("id", id)
    if id and about:
        _draw_place_details(id, about, policy, kind)
    else:
        frame.draw_heading(t("One, or several together"))
        hint = t(
            "Click a name to see who leads and teaches there; select 2 to {n} with the boxes "
            "to see what they reach together.",
            n=selectable_table.MAX_TICKED_ROWS,
        )
        frame.draw_muted(hint)


def _draw_joint_places(policy: Policy, kind: str, selected: list[str]) -> None:
    reach = table.fetch_place_reach(policy, kind)
    found: Joint = compute_joint([reach.of_key(id) for id in selected])
    names = dict(table.fetch_place_rows(policy, kind).select("id", "name").rows())
    selectable_table.draw_selection_heading(PLACES_PAGE, len(selected))
    named = [(letter, names[id]) for letter, id in zip(SELECTION_LETTERS, selected, strict=False)]
    frame.draw_html(frame.render_facts(named, "sc-letters"))
    frame.draw_html(joint_panel.render_joint_sums(found, t("persons")))
    frame.draw_rule()
    frame.draw_heading(t("Where they overlap"))
    frame.draw_html(
        joint_panel.render_overlap_table(
            found, list(SELECTION_LETTERS[: len(selected)]), t("persons")
        )
    )
    _draw_joint_people_download(reach, selected, found.union, policy)


def _draw_joint_people_download(
    reach: Any, selected: list[str], union: int, policy: Policy
) -> None:
    about = talent_figures.build_page_about(policy, {"places": ",".join(selected)})
    people = graph_state.fetch_snapshot().frames["people"].select("person", "person_id")
    titles = [t("Person number"), t("Places")]

    def made() -> bytes:
        parts = [
            pl.DataFrame({"person": reach.of_key(id)}).with_columns(place=pl.lit(id))
            for id in selected
        ]
        rows = (
            pl.concat(parts)
            .lazy()
            .join(people, on="person")
            .group_by("person_id")
            .agg(pl.col("place").sort().str.join(" "))
            .sort("person_id")
            .collect()
        )
        return downloads.encode_table_csv(
            rows.rename(dict(zip(rows.columns, titles, strict=True))), about
        )

    downloads.draw_download_button(
        t("Export the list ({n})", n=format_count(union)),
        made,
        downloads.format_table_file_name("people", about, "csv"),
        "text/csv",
        key="places_people",
    )


def _draw_place_details(id: str, about: table.PlaceDetails, policy: Policy, kind: str) -> None:
    frame.draw_heading(about.name)
    row = table.fetch_place_rows(policy, kind).filter(pl.col("id") == id).row(0, named=True)
    facts = [
        (column.title, format_count(row[name]))
        for name, column in table.build_place_columns(kind).items()
        if column.kind in ("count", "bar")
    ]
    further = merged_ids.list_further_organisation_lines({kind.capitalize(): [id]})
    facts += [(t("Also known as"), line) for _, line in further]
    frame.draw_html(frame.render_facts(facts, "sc-wide"))
    st.button(
        t("Close"),
        type="tertiary",
        key="places_close",
        on_click=selectable_table.clear_selection,
        args=(PLACES_PAGE,),
    )
    frame.draw_rule()
    if kind == "studio":
        frame.draw_page_link("talents", t("Talents who lead it"), studio=id)
        _draw_link_list(t("Led by"), about.leaders, "talent")
        for host in about.hosts:
            _draw_link_list(t("Host"), [host], "places", host.kind)
    elif kind == "enterprise":
        talents = t("Its {n} leading talents", n=format_count(about.talents))
        frame.draw_page_link("talents", talents, enterprise=id)
        _draw_link_list(t("Partner schools"), about.partners, "places", "school")
        _draw_link_list(t("Studios"), about.studios, "places", "studio")
        _draw_link_list(t("Projects"), about.projects, "ties", "project")
    else:
        part_time = format_count(about.part_time)
        frame.draw_muted(t("{n} leading talents teach part-time, at any time.", n=part_time))
        _draw_link_list(t("Teachers"), about.teachers, "talent")
        _draw_link_list(t("Partner enterprises"), about.partners, "places", "enterprise")
    _draw_subsidies(about.subsidies)
    frame.draw_page_link("ties", t("Its ties"), kind=TIES[kind], place=f"{kind}:{id}")


def _draw_subsidies(paid: Sequence[PaidSubsidy]) -> None:
    if paid:
        frame.draw_heading(t("Subsidies"))
        for one in paid[:MAX_PANEL_LINES]:
            frame.draw_muted(format_subsidy(one))


def _draw_link_list(title: str, items: Sequence[table.PlaceTie], to: str, kind: str = "") -> None:
    """People or places by name, each a link; `kind` is that of the places."""
    if not items:
        return
    frame.draw_heading(title, format_count(len(items)) if len(items) < 20 else t("the first 20"))
    with st.container(gap=None):
        for item in items[:MAX_PANEL_LINES]:
            end = format_day(item.end) if item.end else ""
            period = f"{format_day(item.start)}\N{EN DASH}{end}" if item.start else ""
            query = {"id": item.id}
            if to == "places":
                query["kind_of_place"] = kind
            elif to == "ties":
                query = {"kind": kind, "place": f"{kind}:{item.id}"}
            name = format_person_name(item.name) if to == "talent" else item.name
            frame.draw_page_link(to, f"{name}  {period}", **query)


# --- the other views --------------------------------------------------------------------------


def _draw_place_distribution(shown: pl.DataFrame, kind: str) -> None:
    column = table.build_place_columns(kind)[OUTPUT_COLUMN_BY_KIND[kind]]
    values = shown[OUTPUT_COLUMN_BY_KIND[kind]].to_list()
    second = {"studio": "cost", "enterprise": "frontline_share", "school": "into_enterprises"}[kind]
    other = table.build_place_columns(kind)[second]
    left, right = st.columns(2, gap="large")
    with left:
        frame.draw_heading(column.title, t("the line: the median"))
        st.altair_chart(
            distribution.build_histogram(
                values, (column.title, t("Places")), frame.detect_colour_mode()
            ),
            width="stretch",
            theme=None,
            key="places_output",
            alt=column.title,
        )
    with right:
        stated = shown[second].drop_nulls()
        frame.draw_heading(
            other.title,
            t("{n} of {all} known", n=format_count(stated.len()), all=format_count(shown.height)),
        )
        scaled = (stated * 100 if second == "frontline_share" else stated).to_list()
        title = f"{other.title} %" if second == "frontline_share" else other.title
        st.altair_chart(
            distribution.build_histogram(scaled, (title, t("Places")), frame.detect_colour_mode()),
            width="stretch",
            theme=None,
            key="places_second",
            alt=other.title,
        )
    uneven = compute_gini(values)
    figures = [
        (t("Median"), _format_median(shown[OUTPUT_COLUMN_BY_KIND[kind]])),
        (t("Most"), format_count(max(values))),
        (t("The first tenth has"), format_share(compute_top_share(values, 0.1), 1)),
        (t("Gini"), "—" if uneven is None else f"{uneven:.2f}"),
    ]
    frame.draw_figures(figures)


def _draw_place_groups(
    shown: pl.DataFrame, by: str, kind: str, policy: Policy, chosen: dict[str, str | None]
) -> None:
    names = table.list_place_words(by, kind, current_language())
    rows = group_places(
        shown, by, OUTPUT_COLUMN_BY_KIND[kind], table.fetch_place_reach(policy, kind)
    ).with_columns(name=pl.col("group").replace(names).fill_null(t("not stated")))
    columns = {
        "name": TableColumn(
            _list_place_filter_titles()[by], t("A click on a group shows its places"), "text", 200
        ),
        "places": TableColumn(t("Places"), t("Places of the group"), width=90),
        "together": TableColumn(
            t("Together (persons)"), t("People they count, each once"), "bar", 180
        ),
        "sum": TableColumn(t("Sum (persons)"), t("Each person once for each place"), width=110),
        "q1": TableColumn(t("25 %"), t("A quarter of the places count no more"), "decimal", 80),
        "median": TableColumn(t("Median"), t("Half of the places count no more"), "decimal", 80),
        "q3": TableColumn(
            t("75 %"), t("Three quarters of the places count no more"), "decimal", 80
        ),
    }
    if kind == "enterprise":
        columns["below"] = TableColumn(
            t("Below 60 %"), t("Enterprises that give front-line workers less"), width=100
        )
    picked = tables.draw_table(
        rows,
        columns,
        TOKENS_BY_MODE[frame.detect_colour_mode()],
        key=f"places_groups_{kind}_{by}_{rows.height}",
        selected=[],
        most={"together": float(rows.select(pl.col("together").max()).item() or 1)},
        choose=False,
        height=selectable_table.compute_table_height(rows),
    )
    if picked.cells and (code := rows["group"][picked.cells[0][0]]):
        address.write_parameters({by: code, "view": None})
        st.rerun()
    with frame.draw_exhibit_foot("places_groups"):
        downloads.draw_download_buttons(
            tables.select_export_columns(rows, columns, {"group": t("Code")}),
            _build_places_about(policy, kind, chosen | {"group_by": by}),
            "place_groups",
            main=True,
        )

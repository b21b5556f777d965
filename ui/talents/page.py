"""Leading talents: every figure of each as a table, and what several drive together."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.driven.reach_sets import compute_gini, compute_top_share
from graph.policy import Policy
from graph.programme.groups import group_talents
from graph.tabular import About
from ui.browser.header_sort import read_header_sort
from ui.controls import distribution, downloads, joint_panel, selectable_table
from ui.controls import table_columns as tables
from ui.reading import cached_metrics, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.people_scope import filter_visible_rows
from ui.shell.policy_form import current_policy
from ui.shell.theme import TOKENS_BY_MODE
from ui.shell.visitor import identify_visitor
from ui.talents import table
from ui.talents.table import TALENT_FILTERS
from ui.words.i18n import current_language, t, tn
from ui.words.numbers import (
    format_count,
    format_person_times,
    format_persons,
    format_share,
    render_bold,
)
from ui.words.terms import format_person_name, with_pinyin

TALENTS_PAGE = "talents"
MAX_LISTED_GROUPS = 500
SMALL_LOSS_SHARE = 0.1  # of the union: who adds less adds little


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    with st.spinner(t("Measuring the chains")):
        everyone = filter_visible_rows(talent_figures.fetch_talent_rows(policy), "talent_id")
    head = st.container()
    chosen, rule = _draw_talent_filters(everyone)
    view, names, by, sorting = _draw_talent_view_controls()
    rows = table.fetch_talent_table(policy, [*names, sorting.by])
    found = table.mask_studio_column(filter_visible_rows(rows, "talent_id"))
    shown = table.filter_talents(found, chosen)
    selected = selectable_table.list_ticked_ids(found["talent_id"])
    with head:
        frame.draw_lead(_render_talents_answer(shown, everyone, policy, selected))
        frame.draw_under_lead(escape(_format_talents_under_lead(shown, everyone)))
    if shown.is_empty():
        frame.draw_empty_state(t("No talent meets these filters"), t("Take one of them away."))
        return
    if view == "distribution":
        _draw_talent_distribution(shown)
    elif view == "smalls":
        _draw_small_multiples(shown, by)
    elif view == "groups":
        _draw_talent_groups(shown, by, policy, chosen)
    else:
        _draw_talent_table(shown, policy, chosen, rule, names, sorting, selected)
    cached_metrics.draw_missing_metrics(
        policy, sorted({m for n in names if (m := table.build_talent_columns()[n].metric)})
    )


# --- the answer -------------------------------------------------------------------------------


def _render_talents_answer(
    shown: pl.DataFrame, everyone: pl.DataFrame, policy: Policy, selected: list[str]
) -> str:
    language = current_language()
    reach = talent_figures.fetch_talent_reach(policy)
    if len(selected) >= 2:
        found = table.compute_joint_talents(reach, selected)
        least = found.least()
        name = everyone.row(by_predicate=pl.col("talent_id") == selected[least], named=True)["name"]
        less = render_bold(format_persons(found.alone(least), language))
        part = format_share(found.alone(least), found.union)
        if found.alone(least) < SMALL_LOSS_SHARE * found.union:
            loss = t(
                "without {name} only {less} fewer ({share})",
                name=escape(name),
                less=less,
                share=part,
            )
        else:
            loss = t(
                "without {name} {less} fewer ({share})", name=escape(name), less=less, share=part
            )
        return t(
            "The {n} selected drive {persons} together; {loss}.",
            n=len(selected),
            persons=render_bold(format_persons(found.union, language), format_count(found.union)),
            loss=loss,
        )
    together = reach.union(shown["talent_id"])
    everybody = shown.height == everyone.height
    who = (
        tn(
            "{n} leading talent",
            "{n} leading talents",
            shown.height,
            n=render_bold(format_count(shown.height)),
        )
        if everybody
        else t(
            "{n} of {all} leading talents",
            n=render_bold(format_count(shown.height)),
            all=format_count(everyone.height),
        )
    )
    said = render_bold(format_persons(together, language), format_count(together))
    idle = shown.filter(pl.col("driven") == 0).height
    if not idle:
        return t("{who} together drive {persons}.", who=who, persons=said)
    return t(
        "{who} together drive {persons}; {n} of the talents drive nobody yet.",
        who=who,
        persons=said,
        n=render_bold(format_count(idle)),
    )


def _format_talents_under_lead(shown: pl.DataFrame, everyone: pl.DataFrame) -> str:
    if shown.height == everyone.height:
        return t(
            "Persons, each counted once for each talent who drives them; units in the headers."
        )
    return t(
        "{n} of {all} leading talents are shown, {share}.",
        n=format_count(shown.height),
        all=format_count(everyone.height),
        share=format_share(shown.height, everyone.height),
    )


# --- filters and ways to look -----------------------------------------------------------------


def _draw_talent_filters(everyone: pl.DataFrame) -> tuple[dict[str, Any], str]:
    """One line of filters, also set by the page's address (codes only, never names)."""
    offered = table.list_talent_options(everyone, current_language())
    titles = {
        "province": t("Province"),
        "industry": t("Industry"),
        "level": t("Level"),
        "basis": t("Basis"),
        "occupation": t("Occupation"),
        "type": t("Type"),
        "year": t("Named in"),
    }
    chosen: dict[str, Any] = {}
    with st.container(key="talents_filters"):
        # The control of the rules is as wide as its words.
        widths = (
            (148, 94, 98, 84, 98, 352)
            if current_language() == "en"
            else (160, 104, 108, 88, 104, 310)
        )
        columns = st.columns([*widths, 128, 116], vertical_alignment="bottom")
        with columns[0]:
            chosen["text"] = address.draw_text_box(
                TALENTS_PAGE,
                "typed",
                t("Name, enterprise or studio"),
                live=True,
                max_chars=60,
                placeholder=t("a few characters"),
                help=t("Not kept in the link: a link never holds a name."),
            )
        for place, name in enumerate(("province", "industry", "level", "basis"), 1):
            with columns[place]:
                chosen[name] = address.draw_optional_select(
                    TALENTS_PAGE, name, titles[name], offered[name]
                )
        with columns[5]:
            rule = _draw_credit_rule()
        with columns[6], st.popover(t("More filters"), key="talents_more"):
            for name in ("occupation", "type", "year"):
                chosen[name] = address.draw_optional_select(
                    TALENTS_PAGE, name, titles[name], offered[name]
                )
        for name in ("enterprise", "studio"):
            chosen[name] = st.query_params.get(name)
        with columns[7]:
            st.button(
                t("Clear filters"),
                on_click=_clear_talent_filters,
                key="talents_clear",
                disabled=not any(chosen.values()),
            )
    _draw_address_filters(everyone, chosen)
    return chosen, rule


def _draw_credit_rule() -> str:
    """How ranks are found: over all ways to credit, or by one of them."""
    return address.draw_required_choice(
        TALENTS_PAGE,
        "credit",
        t("Credit rule"),
        {
            "band": t("Rank band"),
            "full": t("full"),
            "equal": t("equal"),
            "nearest": t("nearest"),
            "decay": t("decaying"),
        },
        "band",
        help=t("How a worker whom several drive is shared; the rank goes by it"),
    )


def _draw_address_filters(everyone: pl.DataFrame, chosen: dict[str, Any]) -> None:
    """The enterprise and the studio that the address names, each to be taken away."""
    names = {}
    if id := chosen.get("enterprise"):
        own = everyone.filter(pl.col("enterprise_id") == id)["enterprise"]
        if own.is_empty():
            address.record_address_fault("enterprise", id, "unknown")
        names["enterprise"] = t("Enterprise: {name}", name=own[0] if own.len() else id)
    if id := chosen.get("studio"):
        if not everyone["studio_ids"].list.contains(id).any():
            address.record_address_fault("studio", id, "unknown")
        names["studio"] = t("Studio: {name}", name=id)
    if names:
        with st.container(horizontal=True):
            for name, words in names.items():
                st.button(
                    f"{frame.escape_markdown(words)} ×",
                    key=f"talents_without_{name}",
                    on_click=address.clear_parameters,
                    args=(name,),
                )


def _clear_talent_filters() -> None:
    address.clear_parameters(*TALENT_FILTERS)
    address.fill_text_box(TALENTS_PAGE, "typed", "")


def _draw_talent_view_controls() -> tuple[str, list[str], str, selectable_table.Sorting]:
    """Which view, which columns, grouped by what, and how it is sorted."""
    known = table.build_talent_columns()
    titles = {name: column.title for name, column in known.items()}
    groups = {
        "province": t("Province"),
        "industry": t("Industry"),
        "occupation_code": t("Occupation"),
        "basis": t("Basis"),
        "type": t("Type"),
        "year": t("Named in"),
        "level": t("Level"),
        "enterprise_id": t("Enterprise"),
    }
    views = {
        "table": t("Table"),
        "distribution": t("Distribution"),
        "smalls": t("Small multiples"),
        "groups": t("Groups"),
    }
    with st.container(horizontal=True, vertical_alignment="bottom", key="talents_ways"):
        view = address.draw_required_choice(TALENTS_PAGE, "view", t("View"), views, "table")
        by = "province"
        sorting = selectable_table.Sorting(
            "rank", "asc", "rank", {"rank": "asc", "rank_all": "asc"}
        )
        with st.popover(t("Columns"), key="talents_columns", disabled=view != "table"):
            names = address.draw_multi_select(
                TALENTS_PAGE, "cols", t("Columns"), titles, table.DEFAULT_COLUMNS
            )
        if view == "table":
            sorting = selectable_table.draw_sort_controls(
                TALENTS_PAGE, titles, "rank", sorting.first
            )
        elif view != "distribution":
            with st.container(width=170):
                by = address.draw_required_choice(
                    TALENTS_PAGE, "by", t("Group by"), groups, "province", folded=True
                )
    return view, names, by, sorting


# --- the table --------------------------------------------------------------------------------


def _draw_talent_table(
    shown: pl.DataFrame,
    policy: Policy,
    chosen: dict[str, Any],
    rule: str,
    names: list[str],
    sorting: selectable_table.Sorting,
    selected: list[str],
) -> None:
    known = table.build_talent_columns()
    columns = {name: known[name] for name in names}
    rows = table.translate_talent_codes(
        table.sort_talents(shown, rule, sorting.by, sorting.descending), rule, current_language()
    )
    left, right = st.columns([852, 276], gap="small")
    with left:
        part, number, pages = selectable_table.slice_table_page(rows)
        part = with_pinyin(part, "name")
        selectable_table.draw_selectable_table(
            TALENTS_PAGE,
            part,
            rows,
            columns,
            selected,
            id="talent_id",
            opened=_open_talent,
            sorting=sorting,
        )
        first = (number - 1) * selectable_table.TABLE_PAGE_ROWS + 1
        caption = t(
            "Talents {first} to {last} of {n}. Ranks are among all talents; a click on a name "
            "opens the talent, on a header sorts.",
            first=format_count(first),
            last=format_count(first + part.height - 1),
            n=format_count(rows.height),
        )
        with frame.draw_exhibit_foot(TALENTS_PAGE, caption):
            selectable_table.draw_page_buttons(TALENTS_PAGE, number, pages)
            downloads.draw_download_buttons(
                tables.select_export_columns(rows, columns, {"talent_id": t("Person number")}),
                _build_talents_about(policy, chosen),
                TALENTS_PAGE,
                main=len(selected) < 2,
            )
    with right, st.container(key="panel_talents"):
        _draw_talents_panel(shown, policy, selected)


def _open_talent(id: str) -> None:
    frame.switch_to_page("talent", id=id)


def _build_talents_about(policy: Policy, chosen: dict[str, Any]) -> About:
    filters = {name: str(value) for name, value in chosen.items() if value}
    return talent_figures.build_page_about(policy, filters)


def _draw_talents_panel(shown: pl.DataFrame, policy: Policy, selected: list[str]) -> None:
    everyone = filter_visible_rows(talent_figures.fetch_talent_rows(policy), "talent_id")
    chosen = everyone.filter(pl.col("talent_id").is_in(selected))
    by_id = {row["talent_id"]: row for row in chosen.iter_rows(named=True)}
    picked = [by_id[id] for id in selected]
    if len(picked) < 2:
        _draw_single_talent_panel(shown, picked)
        return
    selectable_table.draw_selection_heading(TALENTS_PAGE, len(picked))
    found = table.compute_joint_talents(talent_figures.fetch_talent_reach(policy), selected)
    times, taught = table.fetch_joint_figures(policy, selected)
    names = [row["name"] for row in picked]
    unit = t("persons")
    frame.draw_html(joint_panel.render_joint_sums(found, unit, times))
    frame.draw_rule()
    frame.draw_heading(t("Where they overlap"))
    frame.draw_html(joint_panel.render_overlap_table(found, names, unit))
    frame.draw_html(f"<div>{escape(_explain_smallest_gain(found, names, selected, taught))}</div>")
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_workers_download(policy, selected, found.union)
        for row in picked[:1]:
            frame.draw_page_link("lineage", t("See in the lineage"), id=row["talent_id"])
    with st.container(horizontal=True, gap="small"):
        for row in picked:
            frame.draw_page_link("talent", format_person_name(row["name"]), id=row["talent_id"])


def _draw_single_talent_panel(shown: pl.DataFrame, picked: list[dict[str, Any]]) -> None:
    if picked:
        row = picked[0]
        times = format_person_times(row["person_times"], current_language(), exact=True)
        frame.draw_heading(format_person_name(row["name"]))
        facts = [
            (t("Driven"), f"{format_count(row['driven'])} {t('persons')}"),
            (t("Person-times"), times),
            (t("Enterprise"), row["enterprise"] or "—"),
        ]
        frame.draw_html(frame.render_facts(facts))
        with st.container(horizontal=True):
            frame.draw_page_link("talent", t("Talent profile"), id=row["talent_id"])
            frame.draw_page_link("lineage", t("Lineage"), id=row["talent_id"])
        selectable_table.draw_clear_selection_button(TALENTS_PAGE)
        frame.draw_rule()
    frame.draw_heading(t("Several together"))
    todo = t(
        "Select 2 to {n} talents with the boxes at the left to see how many persons they drive "
        "together, and where they overlap.",
        n=selectable_table.MAX_TICKED_ROWS,
    )
    frame.draw_muted(todo)
    frame.draw_rule()
    frame.draw_heading(t("The talents shown"))
    driven = shown["driven"].to_list()
    middle = shown.select(pl.col("driven").median()).item()
    tenth = compute_top_share(driven, 0.1)
    facts = [
        (t("Median"), f"{middle:,.0f} {t('persons')}"),
        (t("Most"), f"{format_count(max(driven))} {t('persons')}"),
        (t("The first tenth"), t("{share} of the sum", share=format_share(tenth, 1))),
    ]
    frame.draw_html(frame.render_facts(facts))


def _explain_smallest_gain(
    found: Any, names: list[str], ids: list[str], taught: list[tuple[str, str]]
) -> str:
    """Why one adds little: his or her mentors, and how far the others reach the same people."""
    least = found.least()
    if not found.sizes[least]:
        return t("{name} drives nobody yet.", name=names[least])
    others = [i for i in range(len(names)) if i != least]
    near = max(others, key=lambda i: found.common(least, i))
    common = format_share(found.common(least, near), found.sizes[least])
    place = {id: i for i, id in enumerate(ids)}
    pairs = {(place[a], place[b]) for a, b in taught}
    if (near, least) in pairs:
        first = t(
            "{name} is an apprentice of {other}; {share} of those {name} drives count for {other} "
            "too.",
            name=names[least],
            other=names[near],
            share=common,
        )
    else:
        first = t(
            "{share} of those {name} drives count for {other} too.",
            name=names[least],
            other=names[near],
            share=common,
        )
    return first + t(
        " Without {name} the others drive {share} of all.",
        name=names[least],
        share=format_share(found.without(least), found.union),
    )


def _draw_workers_download(policy: Policy, selected: list[str], union: int) -> None:
    """The people the selected drive, each once, for download."""
    about = talent_figures.build_page_about(policy, {"talents": ",".join(selected)})
    driven = talent_figures.fetch_driven_figures(policy)
    # Here, for the file is made where nobody knows who visits.
    seen = (
        filter_visible_rows(driven.workers_of(*selected), "person_id")
        if identify_visitor().is_limited
        else None
    )
    titles = [t("Person number"), t("Talents"), t("Fewest links"), t("High-skilled since")]

    def made() -> bytes:
        rows = (
            (driven.workers_of(*selected) if seen is None else seen)
            .group_by("person_id")
            .agg(
                pl.col("talent_id").sort().str.join(" "),
                pl.col("generation").min(),
                pl.col("day").min(),
            )
            .sort("person_id")
        )
        return downloads.encode_table_csv(
            rows.rename(dict(zip(rows.columns, titles, strict=True))), about
        )

    downloads.draw_download_button(
        t("Export the list ({n})", n=format_count(union)),
        made,
        downloads.format_table_file_name("driven", about, "csv"),
        "text/csv",
        key="talents_workers",
        type="primary",
    )


# --- the other views --------------------------------------------------------------------------


def _draw_talent_distribution(shown: pl.DataFrame) -> None:
    driven = shown["driven"].to_list()
    titles = t("Driven by a talent (persons)"), t("Talents")
    left, right = st.columns(2, gap="large")
    with left:
        frame.draw_heading(t("How many drive how many"), t("the line: the median"))
        st.altair_chart(
            distribution.build_histogram(driven, titles, frame.detect_colour_mode()),
            width="stretch",
            theme=None,
            key="talents_histogram",
            alt=t("How many drive how many"),
        )
    with right:
        frame.draw_heading(t("How much the first few drive"), t("thin: all the same"))
        st.altair_chart(
            distribution.build_share_curve(
                driven,
                (t("Talents, most driven first"), t("of the sum")),
                frame.detect_colour_mode(),
            ),
            width="stretch",
            theme=None,
            key="talents_lorenz",
            alt=t("How much the first few drive"),
        )
    cuts = [shown["driven"].quantile(q) or 0 for q in (0.1, 0.25, 0.5, 0.75, 0.9)]
    figures = [
        (n, f"{cut:,.0f}")
        for n, cut in zip(
            (t("10 %"), t("25 %"), t("Median"), t("75 %"), t("90 %")), cuts, strict=True
        )
    ]
    uneven = compute_gini(driven)
    figures += [
        (t("The first tenth drives"), format_share(compute_top_share(driven, 0.1), 1)),
        (t("Gini"), "—" if uneven is None else f"{uneven:.2f}"),
    ]
    frame.draw_figures(figures)
    note = t(
        "Quantiles are persons a talent drives, full credit. Gini: 0 when all drive the same, near "
        "1 when one drives all."
    )
    frame.draw_muted(note)


def _draw_small_multiples(shown: pl.DataFrame, by: str) -> None:
    words = table.list_group_words(by, current_language())
    column = "bases" if by == "basis" else by
    split = (shown.explode("bases") if by == "basis" else shown).drop_nulls(column)
    named = {"enterprise_id": "enterprise", "occupation_code": "occupation"}.get(by, column)
    groups = (
        split.group_by(column)
        .agg(pl.len(), pl.col("driven"), name=pl.col(named).first().cast(pl.String))
        .sort("len", column, descending=[True, False])
    )
    first = groups.head(distribution.MAX_SMALL_MULTIPLES)
    parts = {
        f"{words.get(str(row[column]), row['name'])} ({format_count(row['len'])})": row["driven"]
        for row in first.iter_rows(named=True)
    }
    frame.draw_heading(
        t("Persons driven by a talent, group by group"), t("share of the group's talents")
    )
    st.altair_chart(
        distribution.build_small_multiples(
            parts,
            (t("Group"), t("Driven by a talent (persons)"), t("Talents")),
            frame.detect_colour_mode(),
        ),
        width="content",
        theme=None,
        key="talents_smalls",
        alt=t("Persons driven by a talent, group by group"),
    )
    if groups.height > first.height:
        note = t(
            "The {n} largest of {all} groups; {left} talents are in the others.",
            n=first.height,
            all=groups.height,
            left=format_count(groups.slice(first.height).select(pl.col("len").sum()).item()),
        )
        frame.draw_muted(note)


@graph_state.cache_by_graph_state(max_entries=24)
def _compute_talent_groups(
    policy: Policy, by: str, ids: tuple[str, ...], _shown: pl.DataFrame
) -> pl.DataFrame:
    return group_talents(_shown, by, talent_figures.fetch_talent_reach(policy))


def _draw_talent_groups(
    shown: pl.DataFrame, by: str, policy: Policy, chosen: dict[str, Any]
) -> None:
    words = table.list_group_words(by, current_language())
    rows = _compute_talent_groups(policy, by, tuple(shown["talent_id"]), shown).with_columns(
        pl.col("name").fill_null(pl.col("group").replace(words)).fill_null(t("not stated"))
    )
    columns = tables.translate_columns(table.TALENT_GROUP_COLUMNS)
    part = rows.head(MAX_LISTED_GROUPS)
    sort = read_header_sort(f"talents_groups_{by}_{rows.height}")
    if sort.by in columns:
        columns[sort.by] = replace(columns[sort.by], title=sort.titled(columns[sort.by].title))
    part = part[sort.places(part)]
    most = {
        "together": float(rows.select(pl.col("together").max()).item() or 1),
        "bins": float(rows.select(pl.col("bins").list.max().max()).item() or 1),
    }
    picked = tables.draw_table(
        part,
        columns,
        TOKENS_BY_MODE[frame.detect_colour_mode()],
        key=sort.key,
        selected=[],
        most=most,
        height=selectable_table.compute_table_height(part),
        choose=False,
    )
    sort.click(picked.columns)
    names = {"occupation_code": "occupation", "enterprise_id": "enterprise"}
    if picked.cells and (code := part["group"][picked.cells[0][0]]):
        address.write_parameters({names.get(by, by): code, "view": None})
        st.rerun()
    caption = t(
        "{n} of {all} groups, most driven first; a click on a group shows its talents.",
        n=format_count(part.height),
        all=format_count(rows.height),
    )
    with frame.draw_exhibit_foot("talents_groups", caption):
        downloads.draw_download_buttons(
            tables.select_export_columns(rows, columns, {"group": t("Code")}),
            _build_talents_about(policy, chosen | {"group_by": by}),
            "talent_groups",
            main=True,
        )

"""Leading talents: every figure of each as a table, and what several drive together."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import (
    address,
    downloads,
    frame,
    joint_view,
    kept,
    selecting,
    spread,
    store,
    talent_table,
)
from components import columns as tables
from components.columns import Column
from components.i18n import current_language, t, tn
from components.numbers import bold, count, person_times, persons, share
from components.policy_form import current_policy
from components.reach import gini, top_share
from components.talent_table import FILTERS
from components.theme import MODES
from graph.policy import Policy

PAGE = "talents"
MOST_GROUPS = 500
LITTLE = 0.1  # of the union: who adds less adds little


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        everyone = store.talents(policy)
    head = st.container()
    chosen, rule = _filters(everyone)
    view, names, by, sort, descending = _ways()
    found = talent_table.rows(policy, [*names, sort])
    shown = talent_table.filtered(found, chosen)
    selected = selecting.selected(found["talent_id"])
    with head:
        frame.lead(_answer(shown, everyone, policy, selected))
        frame.under_lead(escape(_under(shown, everyone)))
    if shown.is_empty():
        frame.empty(t("No talent meets these filters"), t("Take one of them away."))
        return
    if view == "distribution":
        _distribution(shown)
    elif view == "smalls":
        _smalls(shown, by)
    elif view == "groups":
        _groups(shown, by, policy, chosen)
    else:
        _table(shown, policy, chosen, rule, names, sort, descending, selected)
    kept.missing(policy, sorted({m for n in names if (m := talent_table.columns()[n].metric)}))


# --- the answer -------------------------------------------------------------------------------


def _answer(
    shown: pl.DataFrame, everyone: pl.DataFrame, policy: Policy, selected: list[str]
) -> str:
    language = current_language()
    reach = store.reach(policy)
    if len(selected) >= 2:
        found = talent_table.together(reach, selected)
        least = found.least()
        name = everyone.row(by_predicate=pl.col("talent_id") == selected[least], named=True)["name"]
        less = bold(persons(found.alone(least), language))
        part = share(found.alone(least), found.union)
        if found.alone(least) < LITTLE * found.union:
            loss = t("without {name} only {less} fewer ({share})", name=escape(name), less=less,
                     share=part)  # fmt: skip
        else:
            loss = t("without {name} {less} fewer ({share})", name=escape(name), less=less,
                     share=part)  # fmt: skip
        return t(
            "The {n} selected drive {persons} together; {loss}.",
            n=len(selected), persons=bold(persons(found.union, language), count(found.union)),
            loss=loss,
        )  # fmt: skip
    together = reach.union(shown["talent_id"])
    everybody = shown.height == everyone.height
    who = (
        tn("{n} leading talent", "{n} leading talents", shown.height,
           n=bold(count(shown.height)))
        if everybody
        else t("{n} of {all} leading talents", n=bold(count(shown.height)),
               all=count(everyone.height))
    )  # fmt: skip
    return t(
        "{who} together drive {persons}; {n} of the talents drive nobody yet.",
        who=who, persons=bold(persons(together, language), count(together)),
        n=bold(count(shown.filter(pl.col("driven") == 0).height)),
    )  # fmt: skip


def _under(shown: pl.DataFrame, everyone: pl.DataFrame) -> str:
    if shown.height == everyone.height:
        return t(
            "Persons, each counted once for each talent who drives them; units in the headers."
        )
    return t(
        "{n} of {all} leading talents are shown, {share}.",
        n=count(shown.height), all=count(everyone.height),
        share=share(shown.height, everyone.height),
    )  # fmt: skip


# --- filters and ways to look -----------------------------------------------------------------


def _filters(everyone: pl.DataFrame) -> tuple[dict[str, Any], str]:
    """One line of filters, also set by the page's address (codes only, never names)."""
    offered = talent_table.options(everyone, current_language())
    titles = {
        "province": t("Province"), "industry": t("Industry"), "level": t("Level"),
        "basis": t("Basis"), "occupation": t("Occupation"), "type": t("Type"),
        "year": t("Named in"),
    }  # fmt: skip
    chosen: dict[str, Any] = {}
    with st.container(key="talents_filters"):
        # The control of the rules is as wide as its words.
        widths = (148, 94, 98, 84, 98, 352) if current_language() == "en" else (
            172, 108, 112, 88, 112, 282)  # fmt: skip
        columns = st.columns([*widths, 128, 116], vertical_alignment="bottom")
        with columns[0]:
            chosen["text"] = st.text_input(
                t("Name, enterprise or studio"), key="talents_text", live=True, max_chars=60,
                placeholder=t("a few characters"),
                help=t("Not kept in the link: a link never holds a name."),
            )  # fmt: skip
        for place, name in enumerate(("province", "industry", "level", "basis"), 1):
            with columns[place]:
                chosen[name] = address.choice(PAGE, name, titles[name], offered[name])
        with columns[5]:
            rule = address.one_of(
                PAGE, "credit", t("Credit rule"),
                {"band": t("Rank band"), "full": t("full"), "equal": t("equal"),
                 "nearest": t("nearest"), "decay": t("decaying")}, "band",
                help=t("How a worker whom several drive is shared; the rank goes by it"),
            )  # fmt: skip
        with columns[6], st.popover(t("More filters"), key="talents_more"):
            for name in ("occupation", "type", "year"):
                chosen[name] = address.choice(PAGE, name, titles[name], offered[name])
        for name in ("enterprise", "studio"):
            chosen[name] = st.query_params.get(name)
        with columns[7]:
            st.button(t("Clear filters"), on_click=_clear, key="talents_clear",
                      disabled=not any(chosen.values()))  # fmt: skip
    _placed(everyone, chosen)
    return chosen, rule


def _placed(everyone: pl.DataFrame, chosen: dict[str, Any]) -> None:
    """The enterprise and the studio that the address names, each to be taken away."""
    names = {}
    if id := chosen.get("enterprise"):
        own = everyone.filter(pl.col("enterprise_id") == id)["enterprise"]
        names["enterprise"] = t("Enterprise: {name}", name=own[0] if own.len() else id)
    if id := chosen.get("studio"):
        names["studio"] = t("Studio: {name}", name=id)
    if names:
        with st.container(horizontal=True):
            for name, words in names.items():
                st.button(f"{frame.plain(words)} ×", key=f"talents_without_{name}",
                          on_click=address.clear, args=(name,))  # fmt: skip


def _clear() -> None:
    address.clear(*FILTERS)
    st.session_state["talents_text"] = ""


def _ways() -> tuple[str, list[str], str, str, bool]:
    """Which view, which columns, grouped by what, sorted by what, and whether downwards."""
    known = talent_table.columns()
    titles = {name: column.title for name, column in known.items()}
    groups = {
        "province": t("Province"), "industry": t("Industry"), "occupation_code": t("Occupation"),
        "basis": t("Basis"), "type": t("Type"), "year": t("Named in"), "level": t("Level"),
        "enterprise_id": t("Enterprise"),
    }  # fmt: skip
    views = {
        "table": t("Table"), "distribution": t("Distribution"),
        "smalls": t("Small multiples"), "groups": t("Groups"),
    }  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", key="talents_ways"):
        view = address.one_of(PAGE, "view", t("View"), views, "table")
        by, sort, descending = "province", "rank", False
        with st.popover(t("Columns"), key="talents_columns", disabled=view != "table"):
            names = address.several(PAGE, "cols", t("Columns"), titles, talent_table.DEFAULT)
        if view == "table":
            with st.container(width=170):
                sort = address.one_of(PAGE, "sort", t("Sort by"), titles, "rank", folded=True)
            order = address.one_of(
                PAGE, "order", t("Order"), {"asc": t("ascending"), "desc": t("descending")},
                "asc" if sort in ("rank", "rank_all") else "desc", folded=False,
            ) if sort != "rank" else "asc"  # fmt: skip
            descending = order == "desc"
        elif view != "distribution":
            with st.container(width=170):
                by = address.one_of(PAGE, "by", t("Group by"), groups, "province", folded=True)
    return view, names, by, sort, descending


# --- the table --------------------------------------------------------------------------------


def _table(
    shown: pl.DataFrame, policy: Policy, chosen: dict[str, Any], rule: str, names: list[str],
    sort: str, descending: bool, selected: list[str],
) -> None:  # fmt: skip
    known = talent_table.columns()
    columns = {name: known[name] for name in names}
    rows = talent_table.worded(
        talent_table.ordered(shown, rule, sort, descending), rule, current_language()
    )
    left, right = st.columns([852, 276], gap="small")
    with left:
        part, number, pages = selecting.page_of(rows)
        selecting.table(PAGE, part, rows, columns, selected, id="talent_id", opened=_open)
        first = (number - 1) * selecting.ROWS + 1
        told = t(
            "Talents {first} to {last} of {n}. Ranks are among all talents; a click on a name "
            "opens the talent, on a header sorts this page.",
            first=count(first), last=count(first + part.height - 1), n=count(rows.height),
        )  # fmt: skip
        with frame.foot(PAGE, told):
            selecting.steps(PAGE, number, pages)
            downloads.offer(
                tables.exported(rows, columns, {"talent_id": t("Person")}),
                _about(policy, chosen), PAGE, main=len(selected) < 2,
            )  # fmt: skip
    with right, st.container(key="panel_talents"):
        _panel(shown, policy, selected)


def _open(id: str) -> None:
    frame.go("talent", id=id)


def _about(policy: Policy, chosen: dict[str, Any]) -> downloads.About:
    filters = {name: str(value) for name, value in chosen.items() if value}
    return downloads.About(policy=policy, revision=store.revision(), filters=filters)


def _panel(shown: pl.DataFrame, policy: Policy, selected: list[str]) -> None:
    everyone = store.talents(policy)
    chosen = everyone.filter(pl.col("talent_id").is_in(selected))
    by_id = {row["talent_id"]: row for row in chosen.iter_rows(named=True)}
    picked = [by_id[id] for id in selected]
    if len(picked) < 2:
        _panel_of_few(shown, picked)
        return
    selecting.together(PAGE, len(picked))
    found = talent_table.together(store.reach(policy), selected)
    times, taught = talent_table.between(policy, selected)
    names = [row["name"] for row in picked]
    unit = t("persons")
    frame.html(joint_view.sums(found, unit, times))
    frame.rule()
    frame.heading(t("Where they overlap"))
    frame.html(joint_view.overlaps(found, names, unit))
    frame.html(f"<div>{escape(_explained(found, names, selected, taught))}</div>")
    with st.container(horizontal=True, vertical_alignment="center"):
        _workers(policy, selected, found.union)
        for row in picked[:1]:
            frame.link("lineage", t("See in the lineage"), id=row["talent_id"])
    with st.container(horizontal=True, gap="small"):
        for row in picked:
            frame.link("talent", row["name"], id=row["talent_id"])


def _panel_of_few(shown: pl.DataFrame, picked: list[dict[str, Any]]) -> None:
    if picked:
        row = picked[0]
        times = person_times(row["person_times"], current_language(), whole=True)
        frame.heading(row["name"])
        told = [
            (t("Driven"), f"{count(row['driven'])} {t('persons')}"),
            (t("Person-times"), times),
            (t("Enterprise"), row["enterprise"] or "—"),
        ]
        frame.html(frame.facts(told))
        with st.container(horizontal=True):
            frame.link("talent", t("Talent profile"), id=row["talent_id"])
            frame.link("lineage", t("Lineage"), id=row["talent_id"])
        selecting.take_away(PAGE)
        frame.rule()
    frame.heading(t("Several together"))
    todo = t(
        "Select 2 to {n} talents with the boxes at the left to see how many persons they drive "
        "together, and where they overlap.",
        n=selecting.MOST,
    )
    frame.muted(todo)
    frame.rule()
    frame.heading(t("The talents shown"))
    driven = shown["driven"].to_list()
    middle = shown["driven"].median()
    tenth = top_share(driven, 0.1)
    told = [
        (t("Median"), f"{middle:,.0f} {t('persons')}"),
        (t("Most"), f"{count(max(driven))} {t('persons')}"),
        (t("The first tenth"), t("{share} of the sum", share=share(tenth, 1))),
    ]
    frame.html(frame.facts(told))


def _explained(found: Any, names: list[str], ids: list[str], taught: list[tuple[str, str]]) -> str:
    """Why one adds little: whom he or she learnt from, and how far the others reach the same."""
    least = found.least()
    if not found.sizes[least]:
        return t("{name} drives nobody yet.", name=names[least])
    others = [i for i in range(len(names)) if i != least]
    near = max(others, key=lambda i: found.common(least, i))
    common = share(found.common(least, near), found.sizes[least])
    place = {id: i for i, id in enumerate(ids)}
    pairs = {(place[a], place[b]) for a, b in taught}
    if (near, least) in pairs:
        first = t(
            "{name} is an apprentice of {other}; {share} of those {name} drives count for {other} "
            "too.", name=names[least], other=names[near], share=common,
        )  # fmt: skip
    else:
        first = t(
            "{share} of those {name} drives count for {other} too.",
            name=names[least], other=names[near], share=common,
        )  # fmt: skip
    return first + t(
        " Without {name} the others drive {share} of all.",
        name=names[least], share=share(found.without(least), found.union),
    )  # fmt: skip


def _workers(policy: Policy, selected: list[str], union: int) -> None:
    """The people whom the selected drive, each once, to take away."""
    about = downloads.About(
        policy=policy, revision=store.revision(), filters={"talents": ",".join(selected)}
    )
    driven = store.driven(policy)
    titles = [t("Person"), t("Talents"), t("Fewest links"), t("High-skilled since")]

    def made() -> bytes:
        rows = driven.workers_of(*selected).group_by("person_id").agg(
            pl.col("talent_id").sort().str.join(" "), pl.col("generation").min(),
            pl.col("day").min(),
        ).sort("person_id")  # fmt: skip
        return downloads.csv(rows.rename(dict(zip(rows.columns, titles, strict=True))), about)

    st.download_button(
        t("Export the list ({n})", n=count(union)), made, "driven.csv", "text/csv",
        key="talents_workers", type="primary", on_click="ignore",
    )  # fmt: skip


# --- the other views --------------------------------------------------------------------------


def _distribution(shown: pl.DataFrame) -> None:
    driven = shown["driven"].to_list()
    titles = t("Driven by a talent (persons)"), t("Talents")
    left, right = st.columns(2, gap="large")
    with left:
        frame.heading(t("How many drive how many"), t("the line: the median"))
        st.altair_chart(
            spread.histogram(driven, titles, frame.mode()), width="stretch", theme=None,
            key="talents_histogram", alt=t("How many drive how many"),
        )  # fmt: skip
    with right:
        frame.heading(t("How much the first few drive"), t("thin: all the same"))
        st.altair_chart(
            spread.share_curve(driven, (t("Talents, most driven first"), t("of the sum")),
                               frame.mode()),
            width="stretch", theme=None, key="talents_lorenz",
            alt=t("How much the first few drive"),
        )  # fmt: skip
    cuts = [shown["driven"].quantile(q) or 0 for q in (0.1, 0.25, 0.5, 0.75, 0.9)]
    figures = [(n, f"{cut:,.0f}") for n, cut in zip(
        (t("10 %"), t("25 %"), t("Median"), t("75 %"), t("90 %")), cuts, strict=True)]  # fmt: skip
    uneven = gini(driven)
    figures += [
        (t("The first tenth drives"), share(top_share(driven, 0.1), 1)),
        (t("Gini"), "—" if uneven is None else f"{uneven:.2f}"),
    ]
    frame.figures(figures)
    told = t(
        "Quantiles are persons a talent drives, full credit. Gini: 0 when all drive the same, near "
        "1 when one drives all."
    )
    frame.muted(told)


def _smalls(shown: pl.DataFrame, by: str) -> None:
    words = talent_table.group_words(by, current_language())
    column = "bases" if by == "basis" else by
    split = (shown.explode("bases") if by == "basis" else shown).drop_nulls(column)
    named = {"enterprise_id": "enterprise", "occupation_code": "occupation"}.get(by, column)
    groups = split.group_by(column).agg(
        pl.len(), pl.col("driven"), name=pl.col(named).first().cast(pl.String)
    ).sort("len", column, descending=[True, False])  # fmt: skip
    first = groups.head(spread.SMALLS)
    parts = {
        f"{words.get(str(row[column]), row['name'])} ({count(row['len'])})": row["driven"]
        for row in first.iter_rows(named=True)
    }
    frame.heading(
        t("Persons driven by a talent, group by group"), t("share of the group's talents")
    )
    st.altair_chart(
        spread.small_multiples(parts, t("Group"), frame.mode()), width="content", theme=None,
        key="talents_smalls", alt=t("Persons driven by a talent, group by group"),
    )  # fmt: skip
    if groups.height > first.height:
        told = t("The {n} largest of {all} groups; {left} talents are in the others.",
                 n=first.height, all=groups.height,
                 left=count(int(groups["len"].sum() - first["len"].sum())))  # fmt: skip
        frame.muted(told)


@st.cache_data(max_entries=24, show_spinner=False)
def _grouped(
    state: str, policy: Policy, by: str, ids: tuple[str, ...], _shown: pl.DataFrame
) -> pl.DataFrame:
    return talent_table.grouped(_shown, by, store.reach(policy))


def _groups(shown: pl.DataFrame, by: str, policy: Policy, chosen: dict[str, Any]) -> None:
    words = talent_table.group_words(by, current_language())
    rows = _grouped(store.state(), policy, by, tuple(shown["talent_id"]), shown).with_columns(
        pl.col("name").fill_null(pl.col("group").replace(words)).fill_null(t("not stated"))
    )
    columns = {
        "name": Column(t("Group"), t("Talents with several bases stand in the group of each"),
                       "text", 180),
        "talents": Column(t("Talents (persons)"), t("Leading talents of the group"), width=96),
        "together": Column(t("Driven together (persons)"),
                           t("Persons the group's talents drive, each once"), "bar", 170),
        "driven": Column(t("Sum over talents (persons)"),
                         t("Each person counted once for each talent"), width=130),
        "person_times": Column(t("Person-times, sum"), t("Sum over the talents"), width=110),
        "pending": Column(t("Pending, sum (persons)"), t("Sum over the talents"), width=120),
        "q1": Column(t("25 %"), t("A quarter of the talents drive no more"), "decimal", 70),
        "median": Column(t("Median"), t("Half of the talents drive no more"), "decimal", 76),
        "q3": Column(t("75 %"), t("Three quarters of the talents drive no more"), "decimal", 70),
        "bins": Column(t("Spread (talents)"),
                       t("How many talents drive how many, in ten equal steps to the most"),
                       "bars", 120),
        "top": Column(t("First tenth's share"),
                      t("What part of the sum the tenth that drives most drives"), "share", 110),
    }  # fmt: skip
    part = rows.head(MOST_GROUPS)
    most = {"together": float(rows["together"].max() or 1),  # type: ignore[arg-type]
            "bins": float(rows["bins"].list.max().max() or 1)}  # fmt: skip
    picked = tables.table(
        part, columns, MODES[frame.mode()], key=f"talents_groups_{by}_{rows.height}", selected=[],
        most=most, height=selecting.height(part), choose=False,
    )  # fmt: skip
    names = {"occupation_code": "occupation", "enterprise_id": "enterprise"}
    if picked.cells and (code := rows["group"][picked.cells[0][0]]):
        address.write(names.get(by, by), code)
        address.write("view", None)
        st.rerun()
    told = t("{n} of {all} groups, most driven first; a click on a group shows its talents.",
             n=count(part.height), all=count(rows.height))  # fmt: skip
    with frame.foot("talents_groups", told):
        downloads.offer(
            tables.exported(rows, columns, {"group": t("Code")}),
            _about(policy, chosen | {"group_by": by}), "talent_groups", main=True,
        )  # fmt: skip


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

"""Studios, enterprises and schools: what each brings about, at what cost, on how few people."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import address, downloads, frame, joint_view, place_table, selecting, spread, store
from components import columns as tables
from components.columns import Column
from components.i18n import current_language, joined, t
from components.numbers import bold, count, day, persons, share
from components.place_table import FILTERS, KINDS, OUTPUT
from components.policy_form import current_policy
from components.reach import Joint, gini, joint, top_share
from components.theme import MODES
from graph.policy import Policy

PAGE = "places"
LETTERS = "ABCDE"
SHOWN = 12  # lines of a list in the panel


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    head = st.container()
    ways = st.container(horizontal=True, vertical_alignment="bottom", key="places_ways")
    with ways:
        kind = _kind()
    if not place_table.there(policy, kind):
        with head:
            frame.lead(t("The figures are being worked out."))
            frame.under_lead()
        return
    everything = place_table.rows(policy, kind)
    chosen = _filters(everything, kind)
    with ways:
        view, sort, by = _ways(kind)
    shown = place_table.filtered(everything, chosen)
    shown = shown.sort([sort, "id"], descending=[sort != "name", False], nulls_last=True)
    selected = selecting.selected(everything["id"])
    with head:
        frame.lead(_answer(shown, policy, kind, selected))
        frame.under_lead(_under(shown, everything, kind))
    if shown.is_empty():
        frame.empty(t("Nothing meets these filters"), t("Take one of them away."))
    elif view == "distribution":
        _distribution(shown, kind)
    elif view == "groups":
        _groups(shown, by, kind, policy, chosen)
    else:
        _table(shown, policy, kind, chosen, selected)


def _kind() -> str:
    """Which of the three; an id in the address tells it when nothing else does."""
    asked = st.query_params.get("id")
    if asked and "kind_of_place" not in st.query_params:
        address.write("kind_of_place", place_table.kind_of(asked), KINDS[0])
    names = {"studio": t("Studios"), "enterprise": t("Enterprises"), "school": t("Schools")}
    return address.one_of(
        PAGE, "kind_of_place", t("What"), names, KINDS[0],
        leaves=("sel", "id", "page", "sort", "by", "kind", "grade", "ownership", "frontline"),
    )  # fmt: skip


# --- the answer -------------------------------------------------------------------------------


def _answer(shown: pl.DataFrame, policy: Policy, kind: str, selected: list[str]) -> str:
    language = current_language()
    reach = place_table.reach(policy, kind)
    if len(selected) >= 2:
        found = joint([reach.of_key(id) for id in selected])
        return t(
            "The {n} selected count {persons} together, {twice} of them more than once.",
            n=len(selected), persons=bold(persons(found.union, language), count(found.union)),
            twice=bold(count(sum(o.persons for o in found.overlaps if o.shared))),
        )  # fmt: skip
    together = reach.union(shown["id"])
    n, reached = bold(count(shown.height)), bold(persons(together, language), count(together))
    if kind == "studio":
        return t(
            "{persons} were driven at {n} studios; half of those with known funding spent {cost} "
            "yuan a person or less.",
            n=n, persons=reached, cost=bold(_middle(shown["cost"])),
        )  # fmt: skip
    if kind == "enterprise":
        below = shown.filter(pl.col("frontline") == "below").height
        stated = shown.filter(pl.col("frontline") != "unknown").height
        return t(
            "{persons} were driven while employed by {n} enterprises; {below} of {stated} that "
            "state it give front-line workers less than 60 % of the education fund.",
            n=n, persons=reached, below=bold(count(below)), stated=count(stated),
        )  # fmt: skip
    into, by = int(shown["into_enterprises"].sum()), int(shown["into_partners"].sum())
    return t(
        "{persons} became high-skilled after a training at {n} schools; {share} of those then "
        "employed went to partner enterprises.",
        n=n, persons=reached, share=bold(share(by, into)),
    )  # fmt: skip


def _middle(values: pl.Series) -> str:
    middle = values.median()
    return count(None if middle is None else round(float(middle)))  # type: ignore[arg-type]


def _under(shown: pl.DataFrame, everything: pl.DataFrame, kind: str) -> str:
    told = t("A worker may count at several places, so places do not add up to the nation.")
    if shown.height == everything.height:
        return escape(told)
    part = t("{n} of {all} are shown.", n=count(shown.height), all=count(everything.height))
    return escape(joined(part, told))


# --- filters ----------------------------------------------------------------------------------


def _titles() -> dict[str, str]:
    return {
        "province": t("Province"), "industry": t("Industry"), "kind": t("Kind"),
        "grade": t("Grade"), "ownership": t("Ownership"), "frontline": t("Against 60 %"),
    }  # fmt: skip


def _filters(everything: pl.DataFrame, kind: str) -> dict[str, str | None]:
    offered, titles = place_table.options(everything, kind, current_language()), _titles()
    chosen: dict[str, str | None] = {}
    with st.container(key="places_filters"):
        named = FILTERS[kind]
        rest = 110 + 150 * (4 - len(named))
        columns = st.columns([200, *[150] * len(named), 110, rest], vertical_alignment="bottom")
        with columns[0]:
            chosen["text"] = st.text_input(
                t("Name or id"), key=f"places_{kind}_text", live=True, max_chars=60,
                placeholder=t("a few characters"), help=t("Not kept in the link."),
            )  # fmt: skip
        for place, name in enumerate(named, 1):
            with columns[place]:
                chosen[name] = address.choice(f"places_{kind}", name, titles[name], offered[name])
        with columns[len(named) + 1]:
            st.button(t("Clear filters"), on_click=_clear, args=(kind,), key="places_clear",
                      disabled=not any(chosen.values()))  # fmt: skip
    return chosen


def _clear(kind: str) -> None:
    address.clear(*FILTERS[kind])
    st.session_state[f"places_{kind}_text"] = ""


def _ways(kind: str) -> tuple[str, str, str]:
    views = {"table": t("Table"), "distribution": t("Distribution"), "groups": t("Groups")}
    titles = {n: c.title for n, c in place_table.columns(kind).items()}
    page = f"places_{kind}"
    view = address.one_of(page, "view", t("View"), views, "table")
    sort, by = OUTPUT[kind], "province"
    with st.container(width=230):
        if view == "table":
            sort = address.one_of(page, "sort", t("Sort by"), titles, OUTPUT[kind], folded=True)
        elif view == "groups":
            groups = {name: _titles()[name] for name in FILTERS[kind]}
            by = address.one_of(page, "by", t("Group by"), groups, "province", folded=True)
    return view, "bus_factor" if sort == "bus" else sort, by


# --- the table --------------------------------------------------------------------------------


def _table(
    shown: pl.DataFrame, policy: Policy, kind: str, chosen: dict[str, str | None],
    selected: list[str],
) -> None:  # fmt: skip
    columns = place_table.columns(kind)
    rows = place_table.worded(shown, kind, current_language())
    left, right = st.columns([852, 276], gap="small")
    with left:
        part, number, pages = selecting.page_of(rows)
        opened = partial(address.write, "id")
        selecting.table(PAGE, part, rows, columns, selected, id="id", opened=opened)
        first = (number - 1) * selecting.ROWS + 1
        told = t("{first} to {last} of {n}; a click on a name shows it, on a header sorts this "
                 "page.", first=count(first), last=count(first + part.height - 1),
                 n=count(rows.height))  # fmt: skip
        with frame.foot(PAGE, told):
            selecting.steps(PAGE, number, pages)
            downloads.offer(
                tables.exported(rows, columns, {"id": t("Id")}), _about(policy, kind, chosen),
                place_table.METRICS_OF[kind], main=True,
            )  # fmt: skip
    with right, st.container(key="panel_places"):
        _panel(rows, policy, kind, selected)


def _about(policy: Policy, kind: str, chosen: dict[str, str | None]) -> downloads.About:
    filters = {name: str(value) for name, value in chosen.items() if value} | {"of": kind}
    return downloads.About(policy=policy, revision=store.revision(), filters=filters)


def _panel(rows: pl.DataFrame, policy: Policy, kind: str, selected: list[str]) -> None:
    if len(selected) >= 2:
        _together(policy, kind, selected)
        return
    id = selected[0] if selected else st.query_params.get("id")
    about = place_table.about(kind, id) if id else None
    if id and about:
        _place(id, about, policy, kind)
    else:
        frame.heading(t("One, or several together"))
        told = t("Click a name to see who leads and teaches there; select 2 to {n} with the boxes "
                 "to see what they reach together.", n=selecting.MOST)  # fmt: skip
        frame.muted(told)


def _together(policy: Policy, kind: str, selected: list[str]) -> None:
    reach = place_table.reach(policy, kind)
    found: Joint = joint([reach.of_key(id) for id in selected])
    names = dict(place_table.rows(policy, kind).select("id", "name").rows())
    selecting.together(PAGE, len(selected))
    named = [(letter, names[id]) for letter, id in zip(LETTERS, selected, strict=False)]
    frame.html(frame.facts(named, "sc-letters"))
    frame.html(joint_view.sums(found, t("persons")))
    frame.rule()
    frame.heading(t("Where they overlap"))
    frame.html(joint_view.overlaps(found, list(LETTERS[: len(selected)]), t("persons")))
    _people(reach, selected, found.union, policy)


def _people(reach: Any, selected: list[str], union: int, policy: Policy) -> None:
    about = downloads.About(
        policy=policy, revision=store.revision(), filters={"places": ",".join(selected)}
    )
    people = store.snapshot().frames["people"].select("person", "person_id")
    titles = [t("Person"), t("Places")]

    def made() -> bytes:
        parts = [
            pl.DataFrame({"person": reach.of_key(id)}).with_columns(place=pl.lit(id))
            for id in selected
        ]
        rows = pl.concat(parts).lazy().join(people, on="person").group_by("person_id").agg(
            pl.col("place").sort().str.join(" ")
        ).sort("person_id").collect()  # fmt: skip
        return downloads.csv(rows.rename(dict(zip(rows.columns, titles, strict=True))), about)

    st.download_button(t("Export the list ({n})", n=count(union)), made, "people.csv", "text/csv",
                       key="places_people", on_click="ignore")  # fmt: skip


def _place(id: str, about: dict[str, Any], policy: Policy, kind: str) -> None:
    frame.heading(about["name"])
    row = place_table.rows(policy, kind).filter(pl.col("id") == id).row(0, named=True)
    told = [(column.title, count(row[name])) for name, column in place_table.columns(kind).items()
            if column.kind in ("count", "bar")]  # fmt: skip
    frame.html(frame.facts(told, "sc-wide"))
    st.button(t("Close"), type="tertiary", key="places_close",
              on_click=selecting.nobody, args=(PAGE,))  # fmt: skip
    frame.rule()
    if kind == "studio":
        frame.link("talents", t("Talents who lead it"), studio=id)
        _list(t("Led by"), about["leaders"], "talent")
        for host in about["hosts"]:
            _list(t("Host"), [host], "places")
    elif kind == "enterprise":
        talents = t("Its {n} leading talents", n=count(about["talents"]))
        frame.link("talents", talents, enterprise=id)
        _list(t("Partner schools"), about["partners"], "places")
        _list(t("Studios"), about["studios"], "places")
    else:
        told = t("{n} leading talents teach part-time, at any time.", n=count(about["part_time"]))
        frame.muted(told)
        _list(t("Teachers"), about["teachers"], "talent")
        _list(t("Partner enterprises"), about["partners"], "places")
    frame.link("ties", t("Its ties"), place=id)


def _list(title: str, items: list[dict[str, Any]], to: str) -> None:
    if not items:
        return
    frame.heading(title, count(len(items)) if len(items) < 20 else t("the first 20"))
    with st.container(gap=None):
        for item in items[:SHOWN]:
            end = day(item["end"]) if item.get("end") else ""
            period = f"{day(item['start'])}\N{EN DASH}{end}" if item.get("start") else ""
            query = {"id": item["id"]}
            if to == "places":
                query["kind_of_place"] = place_table.kind_of(item["id"]) or KINDS[0]
            frame.link(to, f"{item['name']}  {period}", **query)


# --- the other views --------------------------------------------------------------------------


def _distribution(shown: pl.DataFrame, kind: str) -> None:
    column = place_table.columns(kind)[OUTPUT[kind]]
    values = shown[OUTPUT[kind]].to_list()
    second = {"studio": "cost", "enterprise": "frontline_share", "school": "into_enterprises"}[kind]
    other = place_table.columns(kind)[second]
    left, right = st.columns(2, gap="large")
    with left:
        frame.heading(column.title, t("the line: the median"))
        st.altair_chart(
            spread.histogram(values, (column.title, t("Places")), frame.mode()),
            width="stretch",
            theme=None,
            key="places_output",
            alt=column.title,
        )
    with right:
        stated = shown[second].drop_nulls()
        frame.heading(other.title, t("{n} of {all} known", n=count(stated.len()),
                                     all=count(shown.height)))  # fmt: skip
        scaled = (stated * 100 if second == "frontline_share" else stated).to_list()
        title = f"{other.title} %" if second == "frontline_share" else other.title
        st.altair_chart(
            spread.histogram(scaled, (title, t("Places")), frame.mode()),
            width="stretch",
            theme=None,
            key="places_second",
            alt=other.title,
        )
    uneven = gini(values)
    figures = [
        (t("Median"), _middle(shown[OUTPUT[kind]])),
        (t("Most"), count(max(values))),
        (t("The first tenth has"), share(top_share(values, 0.1), 1)),
        (t("Gini"), "—" if uneven is None else f"{uneven:.2f}"),
    ]
    frame.figures(figures)


def _groups(
    shown: pl.DataFrame, by: str, kind: str, policy: Policy, chosen: dict[str, str | None]
) -> None:
    names = place_table.words(by, kind, current_language())
    rows = place_table.grouped(shown, by, kind, place_table.reach(policy, kind)).with_columns(
        name=pl.col("group").replace(names).fill_null(t("not stated"))
    )
    columns = {
        "name": Column(_titles()[by], t("A click on a group shows its places"), "text", 200),
        "places": Column(t("Places"), t("Places of the group"), width=90),
        "together": Column(t("Together (persons)"), t("People they count, each once"), "bar", 180),
        "sum": Column(t("Sum (persons)"), t("Each person once for each place"), width=110),
        "q1": Column(t("25 %"), t("A quarter of the places count no more"), "decimal", 80),
        "median": Column(t("Median"), t("Half of the places count no more"), "decimal", 80),
        "q3": Column(t("75 %"), t("Three quarters of the places count no more"), "decimal", 80),
    }
    if kind == "enterprise":
        columns["below"] = Column(
            t("Below 60 %"), t("Enterprises that give front-line workers less"), width=100
        )
    picked = tables.table(
        rows, columns, MODES[frame.mode()], key=f"places_groups_{kind}_{by}_{rows.height}",
        selected=[], most={"together": float(rows["together"].max() or 1)}, choose=False,
        height=selecting.height(rows),
    )  # fmt: skip
    if picked.cells and (code := rows["group"][picked.cells[0][0]]):
        address.write(by, code)
        address.write("view", None)
        st.rerun()
    with frame.foot("places_groups"):
        downloads.offer(
            tables.exported(rows, columns, {"group": t("Code")}),
            _about(policy, kind, chosen | {"group_by": by}),
            "place_groups",
            main=True,
        )


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

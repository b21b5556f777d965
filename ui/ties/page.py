"""Ties among studios, enterprises and schools, as a matrix and as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.model.vocabularies import PROVINCES
from graph.programme import place_ties
from graph.programme.place_ties import TIE_ENDS, ShownTies
from graph.tabular import About
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads
from ui.reading import talent_figures
from ui.shell import address, frame
from ui.shell.graph_state import cache_by_graph_state
from ui.ties import charts, counts
from ui.ties.counts import MATRIX_SIZES
from ui.words.i18n import current_language, t, translate_labels
from ui.words.numbers import format_count, format_share, render_bold
from ui.words.terms import format_person_name, translate_term, with_pinyin

TIES_PAGE = "ties"
TIES_FILTERS = ("province", "industry", "from", "to", "place")
MAX_LISTED_TIE_ROWS = 500
KINDS = ("studio", "enterprise", "school", "project")
YearRange = tuple[int, int] | None


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="ties_ways"):
        kind = address.draw_required_choice(
            TIES_PAGE, "kind", t("Kind of tie"), counts.list_tie_kind_words(), "studio_enterprise"
        )
        view, onto = _draw_tie_view_controls(kind)
    if not counts.ensure_ties(kind, counts.list_tie_kind_words()[kind]):
        with head:
            frame.draw_lead(t("The ties are being counted."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="ties_filters"):
        size, order = _draw_matrix_controls(view)
        chosen, period = _draw_tie_filters(kind)
    pairs = counts.fetch_tie_edges(
        kind, period, chosen["province"], chosen["industry"], chosen["place"]
    )
    drawn = pairs if onto == "pairs" else place_ties.project_ties(pairs, onto, 300)
    with head:
        frame.draw_lead(_render_ties_answer(kind, pairs))
        frame.draw_under_lead(_render_ties_under_lead(kind, pairs), policy=False)
    if drawn.is_empty():
        frame.draw_empty_state(t("No tie meets these filters"), t("Take one of them away."))
        return
    shown = _select_shown_ties(drawn, view, onto, size, order)
    names = counts.fetch_place_names([*shown.first["id"], *shown.second["id"]])
    tie = _read_selected_tie(kind, onto)
    left, right = st.columns([820, 308], gap="medium")
    with left:
        if view == "graph":
            _draw_tie_graph(shown, names, kind, onto)
        else:
            _draw_tie_matrix(shown, names, kind, onto, tie)
        _draw_ties_foot(shown, names, kind, chosen, view, onto, size, order)
    with right, st.container(key="panel_ties"):
        _draw_tie_panel(kind, onto, pairs, tie, period, chosen)


# --- the answer -------------------------------------------------------------------------------


def _render_ties_answer(kind: str, pairs: pl.DataFrame) -> str:
    n = render_bold(format_count(int(pairs["n"].sum())))
    a, b = (render_bold(format_count(pairs[end].n_unique())) for end in ("a", "b"))
    sentence = {
        "studio_enterprise": t(
            "{n} ties of people lead from {a} studios to {b} enterprises", n=n, a=a, b=b
        ),
        "school_enterprise": t(
            "{n} ties of people lead from {a} schools to {b} enterprises", n=n, a=a, b=b
        ),
        "teaching": t("{n} ties of people lead from {a} enterprises to {b} schools", n=n, a=a, b=b),
        "partnership": t("{n} partnerships tie {a} enterprises to {b} schools", n=n, a=a, b=b),
        "project": t("{n} ties of people lead from {a} enterprises to {b} projects", n=n, a=a, b=b),
    }[kind]
    return sentence + t(".")


def _render_ties_under_lead(kind: str, pairs: pl.DataFrame) -> str:
    """What a tie counts, and which is the strongest."""
    sentence = counts.list_tie_meanings()[kind] + t(".")
    if not pairs.is_empty():
        top = pairs.row(0, named=True)
        names = counts.fetch_place_names([top["a"], top["b"]])
        sentence += t(
            " The strongest: {a} to {b}, {n}.",
            a=names[top["a"]],
            b=names[top["b"]],
            n=format_count(top["n"]),
        )
    return escape(sentence)


def _format_tie_unit(kind: str, onto: str) -> str:
    if onto != "pairs":
        return t("shared")
    return t("partnerships") if kind == "partnership" else t("persons")


# --- filters ----------------------------------------------------------------------------------


def _draw_tie_filters(kind: str) -> tuple[dict[str, str | None], YearRange]:
    places = counts.fetch_tie_places().filter(pl.col("kind").is_in(TIE_ENDS[kind]))
    language = current_language()
    codes = places["province"].drop_nulls().unique().sort()
    provinces = translate_labels(PROVINCES, language, codes)
    industries = {i: translate_term(i) for i in places["industry"].drop_nulls().unique().sort()}
    span = counts.fetch_tie_years(kind)
    years = {} if span is None else {str(y): str(y) for y in range(span[0], span[1] + 1)}
    chosen: dict[str, str | None] = {}
    titles = {
        "province": t("Province"),
        "industry": t("Industry"),
        "from": t("From year"),
        "to": t("To year"),
    }
    offered = {"province": provinces, "industry": industries, "from": years, "to": years}
    for name in titles:
        with st.container(width=118):
            chosen[name] = address.draw_optional_select(
                TIES_PAGE, name, titles[name], offered[name]
            )
    if place := st.query_params.get("place"):
        place = _resolve_place_key(place, TIE_ENDS[kind])
        name = counts.fetch_place_names([place]).get(place, place_ties.id_of(place))
        if places.filter(pl.col("key") == place).is_empty():
            address.record_address_fault("place", place, "unknown")
        st.button(
            f"{frame.escape_markdown(name)} ×",
            key="ties_without_place",
            on_click=address.clear_parameters,
            args=("place",),
            help=t("Only ties of this place are shown"),
        )
    chosen["place"] = place
    st.button(
        t("Clear filters"),
        key="ties_clear",
        on_click=address.clear_parameters,
        args=TIES_FILTERS,
        disabled=not any(chosen.values()),
    )
    period: YearRange = None
    if span is not None and (chosen["from"] or chosen["to"]):
        period = (_parse_year(chosen["from"], span[0]), _parse_year(chosen["to"], span[1]))
    return chosen, period


def _resolve_place_key(place: str, ends: Sequence[str]) -> str:
    """A place of the address by its key; an id alone is that of the first end that has it."""
    if place.partition(":")[0] in KINDS:
        return place
    keys = [place_ties.key_of(end, place) for end in ends]
    known = counts.fetch_place_names(keys)
    return next((key for key in keys if key in known), keys[0])


def _parse_year(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def _draw_tie_view_controls(kind: str) -> tuple[str, str]:
    words = {
        "studio": t("Studios"),
        "enterprise": t("Enterprises"),
        "school": t("Schools"),
        "project": t("Projects"),
    }
    one, other = (words[end] for end in TIE_ENDS[kind])
    view = address.draw_required_choice(
        TIES_PAGE, "view", t("View"), {"matrix": t("Matrix"), "graph": t("Graph")}, "matrix"
    )
    onto = address.draw_required_choice(
        TIES_PAGE,
        "onto",
        t("Between"),
        {"pairs": f"{one} – {other}", "first": one, "second": other},
        "pairs",
        help=t("Two of one kind are tied by how many of the other kind they share"),
    )
    return view, onto


def _draw_matrix_controls(view: str) -> tuple[int, str]:
    """How many lines the matrix has, and how they are sorted."""
    if view != "matrix":
        return int(MATRIX_SIZES[0]), "total"
    size = address.draw_required_choice(
        TIES_PAGE, "size", t("Lines"), {n: n for n in MATRIX_SIZES}, MATRIX_SIZES[0]
    )
    order = address.draw_required_choice(
        TIES_PAGE,
        "order",
        t("Sorted by"),
        {"total": t("Total"), "community": t("Community")},
        "total",
        help=t("Communities: circles with more ties within than by chance (Leiden)"),
    )
    return int(size), order


@cache_by_graph_state(max_entries=32)
def _compute_tie_layout(edges: bytes, _shown: ShownTies) -> dict[str, tuple[float, float]]:
    return counts.compute_place_positions(_shown)


def _select_shown_ties(
    drawn: pl.DataFrame, view: str, onto: str, size: int, order: str
) -> ShownTies:
    if view == "graph":
        return place_ties.build_tie_network(drawn)
    return (
        place_ties.build_tie_matrix(drawn, size, order)
        if onto == "pairs"
        else place_ties.build_projection_matrix(drawn, size, order)
    )


def _read_selected_tie(kind: str, onto: str) -> tuple[str, str] | None:
    """The tie that the address names: the keys of a and b."""
    named = address.list_address_ids("tie")
    if named and len(named) != 2:
        address.record_address_fault("tie", ",".join(named))
    if len(named) != 2:
        return None
    first, second = TIE_ENDS[kind]
    one, other = {"first": (first, first), "second": (second, second)}.get(onto, (first, second))
    return _resolve_place_key(named[0], [one]), _resolve_place_key(named[1], [other])


# --- the exhibits -----------------------------------------------------------------------------


def _draw_tie_matrix(
    shown: ShownTies, names: dict[str, str], kind: str, onto: str, tie: tuple[str, str] | None
) -> None:
    event = st.altair_chart(
        charts.build_tie_heat_map(
            shown, names, _format_tie_unit(kind, onto), frame.detect_colour_mode(), tie
        ),
        width="content",
        theme=None,
        key="ties_matrix",
        on_select="rerun",
        selection_mode="cell",
        alt=t("Ties as a matrix: rows begin them, columns end them"),
    )
    _apply_tie_click(event)


def _draw_tie_graph(shown: ShownTies, names: dict[str, str], kind: str, onto: str) -> None:
    kinds = {key: key.partition(":")[0] for key in names}
    places = _compute_tie_layout(shown.edges.hash_rows().to_numpy().tobytes(), shown)
    marks = {
        "studio": t("◆ studio"),
        "enterprise": t("■ enterprise"),
        "school": t("● school"),
        "project": t("▲ project"),
    }
    legend = " ".join(f"<span>{escape(marks[k])}</span>" for k in marks if k in kinds.values())
    note = t("Thicker: more; larger: more in all. A click on a place shows its ties alone.")
    frame.draw_html(f'<div class="sc-legend">{legend}<span>{escape(note)}</span></div>')
    event = st.altair_chart(
        charts.build_tie_graph_chart(
            shown, places, names, kinds, _format_tie_unit(kind, onto), frame.detect_colour_mode()
        ),
        width="stretch",
        theme=None,
        key="ties_graph",
        on_select="rerun",
        selection_mode=["cell", "node"],
        alt=t("Ties as a graph"),
    )
    _apply_tie_click(event)


def _apply_tie_click(event: Any) -> None:
    """A tie or a place that has just been clicked goes into the address."""
    selection = getattr(event, "selection", {}) or {}
    cell = next(iter(selection.get("cell") or []), None)
    node = next(iter(selection.get("node") or []), None)
    now = (cell or {}).get("a"), (cell or {}).get("b"), (node or {}).get("id")
    if not frame.is_newly_chosen("ties", now if any(now) else None):
        return
    if now[0] and now[1]:
        address.write_parameter("tie", f"{now[0]},{now[1]}")
        st.rerun()
    elif now[2]:
        address.write_parameter("place", now[2])
        st.rerun()


def _draw_ties_foot(
    shown: ShownTies,
    names: dict[str, str],
    kind: str,
    chosen: dict[str, str | None],
    view: str,
    onto: str,
    size: int,
    order: str,
) -> None:
    rows, all_rows = shown.first.height, shown.places[0]
    columns, all_columns = shown.second.height, shown.places[1]
    caption = t(
        "{rows} of {all_rows} lines and {columns} of {all_columns} columns are shown; they hold "
        "{part} of {total} ({share}).",
        rows=format_count(rows),
        all_rows=format_count(all_rows),
        columns=format_count(columns),
        all_columns=format_count(all_columns),
        part=format_count(shown.part),
        total=format_count(shown.total),
        share=format_share(shown.part, shown.total),
    )
    if view == "graph":
        caption = t(
            "{places} places and {ties} ties are shown, the strongest; they hold {part} of {total} "
            "({share}).",
            places=format_count(len(names)),
            ties=format_count(shown.edges.height),
            part=format_count(shown.part),
            total=format_count(shown.total),
            share=format_share(shown.part, shown.total),
        )
    groups = pl.concat([shown.first, shown.second])["community"].n_unique()
    caption += t(" {n} communities among them.", n=format_count(groups))
    way = {"kind": kind, "between": onto, "view": view}
    if view == "matrix":
        way |= {"rows": str(size), "sorted_by": order}
    about = talent_figures.build_page_about(filters={n: v for n, v in chosen.items() if v} | way)
    table = shown.edges.select(
        pl.col("a").str.replace("^[a-z]+:", "").alias(t("From id")),
        pl.col("a").replace(names).alias(t("From")),
        pl.col("b").str.replace("^[a-z]+:", "").alias(t("To id")),
        pl.col("b").replace(names).alias(t("To")),
        pl.col("n").alias(_format_tie_unit(kind, onto)),
    )
    with frame.draw_exhibit_foot(TIES_PAGE, caption):
        downloads.draw_download_buttons(table, about, TIES_PAGE, main=True)
        downloads.draw_download_button(
            "GraphML",
            partial(encode_ties_graphml, shown, names, about),
            downloads.format_table_file_name(TIES_PAGE, about, "graphml"),
            "application/graphml+xml",
            key="ties_graphml",
        )


def encode_ties_graphml(shown: ShownTies, names: dict[str, str], about: About) -> bytes:
    """The ties shown as GraphML, each place with its name and community."""
    import networkx as nx

    from ui.export.network_files import encode_network

    graph: Any = nx.DiGraph(**{k: str(v) for k, v in about.as_dict().items()})
    for id, total, community in pl.concat([shown.first, shown.second]).unique("id").rows():
        graph.add_node(
            id, name=names.get(id, id), kind=id.partition(":")[0], total=total, community=community
        )
    graph.add_weighted_edges_from(shown.edges.rows())
    return encode_network(graph, "graphml")


# --- the people of a tie ----------------------------------------------------------------------


def _list_tie_rows(
    kind: str, onto: str, pairs: pl.DataFrame, tie: tuple[str, str], period: YearRange
) -> tuple[pl.DataFrame, pl.DataFrame, str]:
    """What makes a tie: the rows, the rows in words, and how many they are (HTML)."""
    if onto != "pairs":
        rows = place_ties.list_shared_places(pairs, onto, *tie)
        known = counts.fetch_place_names(rows["id"].to_list())
        table = rows.select(
            pl.col("id").str.replace("^[a-z]+:", "").alias(t("Id")),
            pl.col("id").replace(known).alias(t("Shared")),
            pl.col("n_one").alias(t("With the first")),
            pl.col("n_other").alias(t("With the second")),
        )
        return rows, table, t("{n} are shared.", n=render_bold(format_count(rows.height)))
    if kind == "partnership":
        rows = counts.list_partnerships(*tie, period)
        table = rows.select(
            pl.col("kind").fill_null("—").alias(t("Kind")),
            pl.col("start").alias(t("From")),
            pl.col("end").alias(t("To")),
        )
        return rows, table, t("{n} partnerships.", n=render_bold(format_count(rows.height)))
    rows = counts.list_tie_people(kind, *tie, period)
    table = rows.select(
        pl.col("person_id").alias(t("Number")),
        pl.col("name").alias(t("Name")),
        pl.col("level").cast(pl.Int64).alias(t("Level")),
        pl.col("year").alias(t("Year")),
    )
    return rows, table, t("{n} people.", n=render_bold(format_count(rows.height)))


def _draw_tie_panel(
    kind: str,
    onto: str,
    pairs: pl.DataFrame,
    tie: tuple[str, str] | None,
    period: YearRange,
    chosen: dict[str, str | None],
) -> None:
    if tie is None:
        frame.draw_heading(t("Who is behind a tie"))
        note = t("Click a cell or a line to see the people behind it.")
        frame.draw_muted(note)
        _draw_strongest_ties(pairs)
        return
    names = counts.fetch_place_names(tie)
    frame.draw_heading(t("Behind this tie"))
    heads = (t("From"), t("To")) if onto == "pairs" else (t("First"), t("Second"))
    ends = [
        (head, names.get(key, place_ties.id_of(key))) for head, key in zip(heads, tie, strict=True)
    ]
    frame.draw_html(frame.render_facts(ends))
    st.button(
        t("Take away the selection"), type="tertiary", key="ties_unselect", on_click=_unselect_tie
    )
    about = talent_figures.build_page_about(
        filters={n: v for n, v in chosen.items() if v}
        | {"kind": kind, "between": onto, "tie": ",".join(tie)}
    )
    rows, table, note = _list_tie_rows(kind, onto, pairs, tie, period)
    frame.draw_html(f'<div class="sc-behind">{note}</div>')
    cell = draw_sortable_list(
        _add_name_pinyin(table).head(MAX_LISTED_TIE_ROWS),
        height=min(36 * (min(table.height, 12) + 1) + 2, 470),
        placeholder="—",
        key=f"ties_people_{kind}_{onto}_{'_'.join(tie)}",
        row_height=36,
    )
    if table.height > MAX_LISTED_TIE_ROWS:
        note = t(
            "The first {n} are shown; the download has all.", n=format_count(MAX_LISTED_TIE_ROWS)
        )
        frame.draw_muted(note)
    if cell and "person_id" in rows.columns:
        frame.draw_page_link(
            "talent", format_person_name(rows["name"][cell[0]]), id=rows["person_id"][cell[0]]
        )
    downloads.draw_download_buttons(table, about, "tie_people")


def _add_name_pinyin(table: pl.DataFrame) -> pl.DataFrame:
    """The rows with people's names as the page says them."""
    return with_pinyin(table, t("Name")) if t("Name") in table.columns else table


def _draw_strongest_ties(pairs: pl.DataFrame) -> None:
    """The strongest ties as a list, each to be opened by the keyboard too."""
    first = pairs.head(8)
    names = counts.fetch_place_names([*first["a"], *first["b"]])
    frame.draw_rule()
    frame.draw_heading(t("The strongest ties"))
    with st.container(gap=None, key="ties_strongest"):
        for a, b, n in first.rows():
            words = (
                f"{charts.shorten_name(names[a], 9)} → {charts.shorten_name(names[b], 9)}  "
                f"{format_count(n)}"
            )
            st.button(
                frame.escape_markdown(words),
                type="tertiary",
                key=f"ties_open_{a}_{b}",
                on_click=_open_tie,
                args=(a, b),
                help=f"{names[a]} → {names[b]}",
            )


def _open_tie(a: str, b: str) -> None:
    address.write_parameters({"onto": None, "tie": f"{a},{b}"})


def _unselect_tie() -> None:
    address.write_parameter("tie", None)

"""Ties: who feeds whom among studios, enterprises and schools, as a matrix and as a graph."""

from __future__ import annotations

from functools import partial
from html import escape
from io import BytesIO
from typing import Any

import polars as pl
import streamlit as st

from components import address, downloads, frame, store, tie_charts, ties
from components.i18n import current_language, labels, t
from components.numbers import bold, count, share
from components.ties import ENDS, SIZES, Shown
from graph.model import PROVINCES

PAGE = "ties"
FILTERS = ("province", "industry", "from", "to", "place")
LISTED = 500
Period = tuple[int, int] | None


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="ties_ways"):
        kind = address.one_of(PAGE, "kind", t("Kind of tie"), ties.kinds(), "studio_enterprise")
        view, onto = _ways(kind)
    if not ties.there(kind, ties.kinds()[kind]):
        with head:
            frame.lead(t("The ties are being counted."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="ties_filters"):
        size, order = _lines(view)
        chosen, period = _filters(kind)
    pairs = ties.edges(kind, period, chosen["province"], chosen["industry"], chosen["place"])
    drawn = pairs if onto == "pairs" else ties.projected(pairs, onto, 300)
    with head:
        frame.lead(_answer(kind, pairs))
        frame.under_lead(_under(kind, pairs), policy=False)
    if drawn.is_empty():
        frame.empty(t("No tie meets these filters"), t("Take one of them away."))
        return
    shown = _shown(drawn, view, onto, size, order)
    names = ties.words_of([*shown.first["id"], *shown.second["id"]])
    tie = _tie()
    left, right = st.columns([820, 308], gap="medium")
    with left:
        if view == "graph":
            _graph(shown, names, kind, onto)
        else:
            _matrix(shown, names, kind, onto, tie)
        _foot(shown, names, kind, chosen, period, view, onto)
    with right, st.container(key="panel_ties"):
        _panel(kind, onto, pairs, tie, period, chosen)


# --- the answer -------------------------------------------------------------------------------


def _answer(kind: str, pairs: pl.DataFrame) -> str:
    n = bold(count(int(pairs["n"].sum())))
    a, b = (bold(count(pairs[end].n_unique())) for end in ("a", "b"))
    sentence = {
        "studio_enterprise": t(
            "{n} ties of people lead from {a} studios to {b} enterprises",
            n=n, a=a, b=b),
        "school_enterprise": t(
            "{n} ties of people lead from {a} schools to {b} enterprises",
            n=n, a=a, b=b),
        "teaching": t(
            "{n} ties of people lead from {a} enterprises to {b} schools", n=n, a=a, b=b),
        "partnership": t("{n} partnerships tie {a} enterprises to {b} schools", n=n, a=a, b=b),
    }[kind]  # fmt: skip
    return sentence + t(".")


def _under(kind: str, pairs: pl.DataFrame) -> str:
    """What a tie counts, and which is the strongest."""
    told = ties.meanings()[kind] + t(".")
    if not pairs.is_empty():
        top = pairs.row(0, named=True)
        names = ties.words_of([top["a"], top["b"]])
        told += t(" The strongest: {a} to {b}, {n}.", a=names[top["a"]], b=names[top["b"]],
                  n=count(top["n"]))  # fmt: skip
    return escape(told)


def _unit(kind: str, onto: str) -> str:
    if onto != "pairs":
        return t("shared")
    return t("partnerships") if kind == "partnership" else t("persons")


# --- filters ----------------------------------------------------------------------------------


def _filters(kind: str) -> tuple[dict[str, str | None], Period]:
    places = ties.places().filter(pl.col("kind").is_in(ENDS[kind]))
    language = current_language()
    codes = places["province"].drop_nulls().unique().sort()
    provinces = labels(PROVINCES, language, codes)
    industries = {i: i for i in places["industry"].drop_nulls().unique().sort()}
    span = ties.years(kind)
    years = {} if span is None else {str(y): str(y) for y in range(span[0], span[1] + 1)}
    chosen: dict[str, str | None] = {}
    titles = {"province": t("Province"), "industry": t("Industry"), "from": t("From year"),
              "to": t("To year")}  # fmt: skip
    offered = {"province": provinces, "industry": industries, "from": years, "to": years}
    for name in titles:
        with st.container(width=118):
            chosen[name] = address.choice(PAGE, name, titles[name], offered[name])
    if place := st.query_params.get("place"):
        name = ties.words_of([place]).get(place, place)
        st.button(f"{frame.plain(name)} ×", key="ties_without_place", on_click=address.clear,
                  args=("place",), help=t("Only ties of this place are shown"))  # fmt: skip
    chosen["place"] = place
    st.button(t("Clear filters"), key="ties_clear", on_click=address.clear, args=FILTERS,
              disabled=not any(chosen.values()))  # fmt: skip
    period: Period = None
    if span is not None and (chosen["from"] or chosen["to"]):
        period = (_year(chosen["from"], span[0]), _year(chosen["to"], span[1]))
    return chosen, period


def _year(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def _ways(kind: str) -> tuple[str, str]:
    words = {"studio": t("Studios"), "enterprise": t("Enterprises"), "school": t("Schools")}
    one, other = (words[end] for end in ENDS[kind])
    view = address.one_of(
        PAGE, "view", t("View"), {"matrix": t("Matrix"), "graph": t("Graph")}, "matrix"
    )
    onto = address.one_of(
        PAGE, "onto", t("Between"),
        {"pairs": f"{one} – {other}", "first": one, "second": other}, "pairs",
        help=t("Two of one kind are tied by how many of the other kind they share"),
    )  # fmt: skip
    return view, onto


def _lines(view: str) -> tuple[int, str]:
    """How many lines the matrix has, and how they are sorted."""
    if view != "matrix":
        return int(SIZES[0]), "total"
    size = address.one_of(PAGE, "size", t("Lines"), {n: n for n in SIZES}, SIZES[0])
    order = address.one_of(
        PAGE, "order", t("Sorted by"), {"total": t("Total"), "community": t("Community")}, "total",
        help=t("Communities: circles with more ties within than by chance (Leiden)"),
    )  # fmt: skip
    return int(size), order


@st.cache_data(max_entries=32, show_spinner=False)
def _placed(edges: bytes, _shown: Shown) -> dict[str, tuple[float, float]]:
    return ties.positions(_shown)


def _shown(drawn: pl.DataFrame, view: str, onto: str, size: int, order: str) -> Shown:
    if view == "graph":
        return ties.network(drawn)
    return ties.matrix(drawn, size, order) if onto == "pairs" else ties.square(drawn, size, order)


def _tie() -> tuple[str, str] | None:
    """The tie that the address names: a and b."""
    named = address.ids("tie")
    return (named[0], named[1]) if len(named) == 2 else None


# --- the exhibits -----------------------------------------------------------------------------


def _matrix(
    shown: Shown, names: dict[str, str], kind: str, onto: str, tie: tuple[str, str] | None
) -> None:
    event = st.altair_chart(
        tie_charts.heat_map(shown, names, _unit(kind, onto), frame.mode(), tie),
        width="content", theme=None, key="ties_matrix", on_select="rerun", selection_mode="cell",
        alt=t("Ties as a matrix: rows begin them, columns end them"),
    )  # fmt: skip
    _clicked(event)


def _graph(shown: Shown, names: dict[str, str], kind: str, onto: str) -> None:
    found = ties.places().filter(pl.col("id").is_in(pl.Series(list(names)).implode()))
    kinds = dict(found.select("id", "kind").rows())
    places = _placed(shown.edges.hash_rows().to_numpy().tobytes(), shown)
    marks = {"studio": t("◆ studio"), "enterprise": t("■ enterprise"), "school": t("● school")}
    legend = " ".join(f"<span>{escape(marks[k])}</span>" for k in marks if k in kinds.values())
    told = t("Thicker: more; larger: more in all. A click on a place shows its ties alone.")
    frame.html(f'<div class="sc-legend">{legend}<span>{escape(told)}</span></div>')
    event = st.altair_chart(
        tie_charts.graph(shown, places, names, kinds, _unit(kind, onto), frame.mode()),
        width="stretch", theme=None, key="ties_graph", on_select="rerun",
        selection_mode=["cell", "node"], alt=t("Ties as a graph"),
    )  # fmt: skip
    _clicked(event)


def _clicked(event: Any) -> None:
    """A tie or a place that has just been clicked goes into the address."""
    selection = getattr(event, "selection", {}) or {}
    cell = next(iter(selection.get("cell") or []), None)
    node = next(iter(selection.get("node") or []), None)
    now = (cell or {}).get("a"), (cell or {}).get("b"), (node or {}).get("id")
    if not frame.just_chosen("ties", now if any(now) else None):
        return
    if now[0] and now[1]:
        address.write("tie", f"{now[0]},{now[1]}")
        st.rerun()
    elif now[2]:
        address.write("place", now[2])
        st.rerun()


def _foot(
    shown: Shown, names: dict[str, str], kind: str, chosen: dict[str, str | None], period: Period,
    view: str, onto: str,
) -> None:  # fmt: skip
    rows, all_rows = shown.first.height, shown.places[0]
    columns, all_columns = shown.second.height, shown.places[1]
    told = t(
        "{rows} of {all_rows} lines and {columns} of {all_columns} columns are shown; they hold "
        "{part} of {total} ({share}).",
        rows=count(rows), all_rows=count(all_rows), columns=count(columns),
        all_columns=count(all_columns), part=count(shown.part), total=count(shown.total),
        share=share(shown.part, shown.total),
    )  # fmt: skip
    if view == "graph":
        told = t(
            "{places} places and {ties} ties are shown, the strongest; they hold {part} of {total} "
            "({share}).",
            places=count(len(names)), ties=count(shown.edges.height), part=count(shown.part),
            total=count(shown.total), share=share(shown.part, shown.total),
        )  # fmt: skip
    groups = pl.concat([shown.first, shown.second])["community"].n_unique()
    told += t(" {n} communities among them.", n=count(groups))
    about = downloads.About(
        revision=store.revision(),
        filters={n: v for n, v in chosen.items() if v} | {"kind": kind, "between": onto},
    )
    table = shown.edges.select(
        pl.col("a").alias(t("From id")), pl.col("a").replace(names).alias(t("From")),
        pl.col("b").alias(t("To id")), pl.col("b").replace(names).alias(t("To")),
        pl.col("n").alias(_unit(kind, onto)),
    )  # fmt: skip
    with frame.foot(PAGE, told):
        downloads.offer(table, about, PAGE, main=True)
        st.download_button(
            "GraphML", partial(graphml, shown, names, about), "ties.graphml",
            "application/graphml+xml", key="ties_graphml", on_click="ignore",
        )  # fmt: skip


def graphml(shown: Shown, names: dict[str, str], about: downloads.About) -> bytes:
    """The ties shown as GraphML, each place with its name and community."""
    import networkx as nx

    graph: Any = nx.DiGraph(**{k: str(v) for k, v in about.as_dict().items()})
    for id, total, community in pl.concat([shown.first, shown.second]).unique("id").rows():
        graph.add_node(id, name=names.get(id, id), total=total, community=community)
    graph.add_weighted_edges_from(shown.edges.rows())
    file = BytesIO()
    nx.write_graphml(graph, file, infer_numeric_types=True)
    return file.getvalue()


# --- the people behind a tie ------------------------------------------------------------------


def _panel(
    kind: str, onto: str, pairs: pl.DataFrame, tie: tuple[str, str] | None, period: Period,
    chosen: dict[str, str | None],
) -> None:  # fmt: skip
    if tie is None:
        frame.heading(t("Who is behind a tie"))
        told = t("Click a cell or a line to see the people behind it.")
        frame.muted(told)
        _strongest(pairs)
        return
    names = ties.words_of(tie)
    frame.heading(t("Behind this tie"))
    ends = [(mark, names.get(id, id)) for mark, id in zip("→⇥", tie, strict=True)]
    frame.html(frame.facts(ends))
    st.button(t("Take away the selection"), type="tertiary", key="ties_unselect",
              on_click=_unselect)  # fmt: skip
    about = downloads.About(
        revision=store.revision(),
        filters={n: v for n, v in chosen.items() if v} | {"kind": kind, "tie": ",".join(tie)},
    )
    if onto != "pairs":
        rows = ties.shared(pairs, onto, *tie)
        known = ties.words_of(rows["id"].to_list())
        table = rows.select(pl.col("id").alias(t("Id")),
                            pl.col("id").replace(known).alias(t("Shared")),
                            pl.col("n_one").alias(t("With the first")),
                            pl.col("n_other").alias(t("With the second")))  # fmt: skip
        told = t("{n} are shared.", n=bold(count(rows.height)))
    elif kind == "partnership":
        rows = ties.agreements(*tie, period)
        table = rows.select(
            pl.col("kind").fill_null("—").alias(t("Kind")),
            pl.col("start").alias(t("From")),
            pl.col("end").alias(t("To")),
        )
        told = t("{n} partnerships.", n=bold(count(rows.height)))
    else:
        rows = ties.people(kind, *tie, period)
        table = rows.select(pl.col("person_id").alias(t("Person")), pl.col("name").alias(t("Name")),
                            pl.col("level").cast(pl.Int64).alias(t("Level")),
                            pl.col("year").alias(t("Year")))  # fmt: skip
        told = t("{n} people.", n=bold(count(rows.height)))
    frame.html(f'<div class="sc-behind">{told}</div>')
    picked = st.dataframe(
        table.head(LISTED), hide_index=True, height=min(36 * (min(table.height, 12) + 1) + 2, 470),
        key=f"ties_people_{kind}_{onto}_{'_'.join(tie)}", on_select="rerun",
        selection_mode="single-cell", row_height=36,
    )  # fmt: skip
    if table.height > LISTED:
        told = t("The first {n} are shown; the download has all.", n=count(LISTED))
        frame.muted(told)
    cells = picked.selection.cells
    if cells and "person_id" in rows.columns:
        frame.link("talent", rows["name"][cells[0][0]], id=rows["person_id"][cells[0][0]])
    downloads.offer(table, about, "tie_people")


def _strongest(pairs: pl.DataFrame) -> None:
    """The strongest ties as a list, each to be opened by the keyboard too."""
    first = pairs.head(8)
    names = ties.words_of([*first["a"], *first["b"]])
    frame.rule()
    frame.heading(t("The strongest ties"))
    with st.container(gap=None, key="ties_strongest"):
        for a, b, n in first.rows():
            words = f"{tie_charts.short(names[a], 9)} → {tie_charts.short(names[b], 9)}  {count(n)}"
            st.button(frame.plain(words), type="tertiary", key=f"ties_open_{a}_{b}",
                      on_click=_open, args=(a, b), help=f"{names[a]} → {names[b]}")  # fmt: skip


def _open(a: str, b: str) -> None:
    address.write("onto", None)
    address.write("tie", f"{a},{b}")


def _unselect() -> None:
    address.write("tie", None)


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

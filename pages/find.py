"""Find: one box for people, studios, enterprises, schools and occupations."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from components import frame, search
from components.i18n import current_language, label, t
from components.numbers import bold, count
from graph.model import BASES, LEVELS, NODE_KINDS, PROVINCES, SCHOOL_KINDS, STUDIO_KINDS

Row = dict[str, Any]


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    text = st.text_input(
        t("Part of a name"), type="search", key="find_text", live=True, max_chars=60,
        placeholder=t("Chinese or English: a person, studio, enterprise, school, occupation"),
        width=520,
    )  # fmt: skip
    found = search.find(text or "")
    with head:
        frame.lead(_answer(text or "", found))
    if not (text or "").strip():
        frame.empty(
            t("What is found stands here, by kind"),
            t("Two characters of a name are enough. A person opens with the whole lineage."),
        )
    for kind, (number, rows) in found.items():
        _kind(kind, number, rows)


def _answer(text: str, found: dict[str, tuple[int, list[Row]]]) -> str:
    if not text.strip():
        return escape(t("Find anyone, and see who taught whom."))
    total = sum(number for number, _ in found.values())
    if not total:
        return t("Nothing has “{text}” in its name.", text=escape(text.strip()))
    return t(
        "{n} have “{text}” in their name.",
        n=bold(_at_least(total)), text=escape(text.strip()),
    )  # fmt: skip


def _at_least(number: int) -> str:
    return f"{count(number)}+" if number >= search.MOST_READ else count(number)


def _kind(kind: str, number: int, rows: list[Row]) -> None:
    names = NODE_KINDS[kind].en, NODE_KINDS[kind].zh
    shown = t("the first {n} of {all}", n=len(rows), all=_at_least(number))
    frame.heading(label(names, current_language()), shown if number > len(rows) else count(number))
    lines = {"Person": _person, "Studio": _studio}.get(kind, _other)
    with st.container(key=f"results_{kind}"):
        frame.rows([lines(row) for row in rows], key=kind)


def _person(row: Row) -> frame.Row:
    language = current_language()
    level = label(LEVELS[row["level"]], language) if row["level"] else t("no level recorded")
    named = escape(t("leading talent")) if row["leading"] else ""
    marks = f'<span class="sc-talent">{named}</span>' if named else ""
    honours = [label(BASES[b], language) if b in BASES else b for b in row["bases"]]
    cells = (
        f"{frame.level_badge(row['level'])} {escape(level)}",
        escape(row["occupation"] or "—"),
        escape(_province(row["province"])),
        escape(row["enterprise"] or "—"),
        " ".join(part for part in (marks, escape("、".join(honours[:2]))) if part),
    )
    return frame.Row(row["name"], cells, "talent", {"id": row["id"]})


def _studio(row: Row) -> frame.Row:
    leader = row["leader"]
    kind = STUDIO_KINDS.get(row["kind"])
    cells = (
        escape(label(kind, current_language()) if kind else "—"),
        escape(_province(row["province"])),
        t("led by {name}", name=escape(leader["name"])) if leader else "—",
        escape(t("{n} trained", n=count(row["trained"]))),
    )
    return frame.Row(
        row["name"], cells, "talent" if leader else None, {"id": leader["id"]} if leader else {}
    )


def _other(row: Row) -> frame.Row:
    kind = SCHOOL_KINDS.get(row.get("kind", ""))
    facts = [
        label(kind, current_language()) if kind else None,
        _province(row["province"]) if row.get("province") else None,
        row.get("industry"),
        row["date"].isoformat() if row.get("date") else None,
    ]
    cells = tuple(escape(fact) for fact in facts if fact)
    if "enterprise_id" in row:
        return frame.Row(row["name"], cells, "talents", {"enterprise": row["enterprise_id"]})
    if set(row) >= {"code"} and row["code"] in PROVINCES:
        return frame.Row(row["name"], cells, "talents", {"province": row["code"]})
    if "code" in row:
        return frame.Row(row["name"], cells, "talents", {"occupation": row["code"]})
    return frame.Row(row["name"], cells, None, {})


def _province(code: str | None) -> str:
    return label(PROVINCES[code], current_language()) if code in PROVINCES else "—"


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

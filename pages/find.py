"""Find: one box for people, studios, enterprises, schools and occupations."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from components import frame, search
from components.i18n import current_language, label, t
from components.numbers import bold, count, persons
from components.search import Results
from components.search_keys import search_keys
from components.visitor import born, visitor
from graph.model import BASES, LEVELS, NODE_KINDS, PROVINCES, SCHOOL_KINDS, STUDIO_KINDS

Row = dict[str, Any]

BOX = "find_text"
# How many are shown of each kind: side by side with the others, or alone.
SHOWN_OF_OTHERS = 6
SHOWN_ALONE = 60


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    text, kind = _box()
    with st.spinner(t("Reading the names"), show_time=True):
        found = _found(text, kind)
    with head:
        frame.lead(_answer(text, found))
        frame.under_lead(
            escape(t("Press / for the box, the arrows to choose, Enter to open.")), policy=False
        )
    if not text.strip():
        _searches()
    elif not found:
        frame.empty(
            t("Nothing is called so, sounds so or is one letter off"),
            t("Try fewer characters, or the person's number."),
        )
    else:
        _keep_recent(text)
    with st.container(key="find_results"):
        for one, results in found.items():
            _kind(one, results, alone=kind is not None)
    search_keys()


def _box() -> tuple[str, str | None]:
    """What is typed, and the kind that is asked for (in the address; what is typed never is)."""
    left, middle, right = st.columns([430, 150, 540], vertical_alignment="bottom")
    with left:
        text = st.text_input(
            t("Name, pinyin, initials or number"), type="search", key=BOX, live=True, max_chars=60,
            placeholder=t("a person, studio, enterprise, school or occupation"),
        )  # fmt: skip
    with middle:
        st.button(
            t("Save the search"), on_click=_save, disabled=not (text or "").strip(),
            key="find_save",
        )  # fmt: skip
    options = ["Person", "Studio", "Enterprise", "School", "Occupation", "Competition"]
    asked = st.query_params.get("kind")
    if "find_kind" not in st.session_state and asked in options:
        st.session_state["find_kind"] = asked
    with right:
        kind: str | None = st.segmented_control(
            t("Only"), options, key="find_kind",
            format_func=lambda one: label((NODE_KINDS[one].en, NODE_KINDS[one].zh),
                                          current_language()),
        )  # fmt: skip
    if kind:
        st.query_params["kind"] = kind
    elif "kind" in st.query_params:
        del st.query_params["kind"]
    return text or "", kind


def _found(text: str, kind: str | None) -> dict[str, Results]:
    if not text.strip():
        return {}
    if kind:
        return search.find(text, (kind,), SHOWN_ALONE)
    return search.find(text)


def _answer(text: str, found: dict[str, Results]) -> str:
    language = current_language()
    if not text.strip():
        return escape(t("Find anyone, and see who taught whom."))
    typed = escape(text.strip())
    if not found:
        return t("Nothing is found of “{text}”.", text=typed)
    parts = []
    for kind, results in found.items():
        if kind == "Person":
            parts.append(bold(persons(results.total, language), count(results.total)))
        else:
            name = label((NODE_KINDS[kind].en.lower(), NODE_KINDS[kind].zh), language)
            parts.append(f"{escape(name)} {bold(count(results.total))}")
    listed = t(", ").join(parts)
    if all(results.alike == results.total for results in found.values()):
        return t("Nothing is called “{text}”; alike are {found}.", text=typed, found=listed)
    return t("“{text}”: {found}.", text=typed, found=listed)


def _kind(kind: str, results: Results, *, alone: bool) -> None:
    names = NODE_KINDS[kind].en, NODE_KINDS[kind].zh
    rows = results.rows
    if kind != "Person" and not alone:
        rows = rows[:SHOWN_OF_OTHERS]
    aside = count(results.total)
    if results.total > len(rows):
        aside = t("the first {n} of {all}", n=len(rows), all=count(results.total))
        if alone:
            aside += " · " + t("type more to narrow it down")
    frame.heading(label(names, current_language()), aside)
    lines = {"Person": _person, "Studio": _studio}.get(kind, _other)
    with st.container(key=f"results_{kind}"):
        frame.rows([lines(row) for row in rows], key=kind)


def _alike(row: Row) -> str:
    """What says that a name is not just what was typed (HTML)."""
    words = {"sound": t("sounds so"), "mistake": t("nearly so")}
    word = words.get(row["match"])
    return f'<span class="sc-muted">{escape(word)}</span>' if word else ""


def _person(row: Row) -> frame.Row:
    language = current_language()
    level = label(LEVELS[row["level"]], language) if row["level"] else t("no level recorded")
    named = escape(t("leading talent")) if row["leading"] else ""
    marks = f'<span class="sc-talent">{named}</span>' if named else ""
    honours = [label(BASES[b], language) if b in BASES else b for b in row["bases"]]
    about = " ".join(part for part in (marks, escape("、".join(honours[:2]))) if part)
    cells = (
        f"{frame.level_badge(row['level'])} {escape(level)}",
        escape(row["occupation"] or "—"),
        escape(_province(row["province"])),
        escape(row["enterprise"] or "—"),
        escape(t("born {year}", year=born(row["born"], visitor()))) if row["born"] else "",
        f'<span class="sc-muted">{escape(row["id"])}</span>',
        " ".join(part for part in (_alike(row), about) if part),
    )
    return frame.Row(row["name"] or row["id"], cells, "talent", {"id": row["id"]})


def _studio(row: Row) -> frame.Row:
    leader = row["leader"]
    kind = STUDIO_KINDS.get(row["kind"])
    cells = (
        escape(label(kind, current_language()) if kind else "—"),
        escape(_province(row["province"])),
        t("led by {name}", name=escape(leader["name"])) if leader else "—",
        escape(t("{n} trained", n=count(row["trained"]))),
        _alike(row),
    )
    return frame.Row(row["name"], cells, "places", _place("studio", row["id"]))


def _other(row: Row) -> frame.Row:
    kind = SCHOOL_KINDS.get(row.get("kind", ""))
    facts = [
        label(kind, current_language()) if kind else None,
        _province(row["province"]) if row.get("province") else None,
        row.get("industry"),
        row["date"].isoformat() if row.get("date") else None,
        row["id"],
    ]
    cells = (*(escape(fact) for fact in facts if fact), _alike(row))
    for kind in ("enterprise", "school"):
        if f"{kind}_id" in row:
            return frame.Row(row["name"], cells, "places", _place(kind, row["id"]))
    if "code" in row:
        filtered = "province" if row["code"] in PROVINCES else "occupation"
        return frame.Row(row["name"], cells, "talents", {filtered: row["code"]})
    return frame.Row(row["name"], cells, None, {})


def _place(kind: str, id: str) -> dict[str, str]:
    """The address of one studio, enterprise or school among its like."""
    return {"kind_of_place": kind, "id": id}


def _province(code: str | None) -> str:
    return label(PROVINCES[code], current_language()) if code in PROVINCES else "—"


# --- recent and saved -------------------------------------------------------------------------


def _searches() -> None:
    """The visitor's own searches, to run again or take away; nothing typed yet."""
    owner = visitor().id
    saved, recent = search.searches("saved", owner), search.searches("recent", owner)
    if not saved and not recent:
        frame.empty(
            t("What is found stands here, by kind"),
            t("Any part of a Chinese name, its pinyin or its initials; a mistake does no harm."),
        )
        return
    for title, entries in ((t("Saved searches"), saved), (t("Recent searches"), recent)):
        if not entries:
            continue
        frame.heading(title, t("only you see them"))
        with st.container(key=f"searches_{entries[0].subject}", gap=None):
            for entry in entries:
                with st.container(horizontal=True, vertical_alignment="center"):
                    text = str(entry.body["text"])
                    st.button(
                        frame.plain(text), key=f"search_{entry.id}", type="tertiary",
                        on_click=_again, args=(text,),
                    )  # fmt: skip
                    st.button(
                        t("remove"), key=f"forget_{entry.id}", type="tertiary",
                        on_click=search.forget_search, args=(entry.id, owner),
                    )  # fmt: skip


def _again(text: str) -> None:
    st.session_state[BOX] = text
    st.session_state.pop("find_draft", None)


def _save() -> None:
    text = st.session_state.get(BOX) or ""
    if search.keep_search("saved", visitor().id, text) is not None:
        st.toast(t("Saved; it stands under the empty box."))


def _keep_recent(text: str) -> None:
    """Keeps what is typed, in place of what stood in the box on the way to it."""
    text = text.strip()
    number, before = st.session_state.get("find_draft", (None, ""))
    if text == before:
        return
    on_the_way = bool(before) and (text.startswith(before) or before.startswith(text))
    if on_the_way and len(text) < len(before):
        return
    kept = search.keep_search("recent", visitor().id, text, number if on_the_way else None)
    st.session_state["find_draft"] = (kept, text)


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

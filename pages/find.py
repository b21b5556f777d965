"""Find: one box for people, studios, enterprises, schools and occupations."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from components import examples, frame, search, store
from components.i18n import current_language, label, t, tn
from components.numbers import bold, count, persons
from components.policy_form import current_policy
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
        _beginning()
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
            parts.append(_numbered(kind, results.total))
    listed = t(", ").join(parts)
    if all(results.alike == results.total for results in found.values()):
        return t("Nothing is called “{text}”; alike are {found}.", text=typed, found=listed)
    return t("“{text}”: {found}.", text=typed, found=listed)


def _numbered(kind: str, number: int) -> str:
    """So many of a kind (HTML)."""
    n = bold(count(number))
    words = {
        "Studio": tn("{n} studio", "{n} studios", number, n=n),
        "Enterprise": tn("{n} enterprise", "{n} enterprises", number, n=n),
        "School": tn("{n} school", "{n} schools", number, n=n),
        "Occupation": tn("{n} occupation", "{n} occupations", number, n=n),
        "Competition": tn("{n} competition", "{n} competitions", number, n=n),
        "Province": tn("{n} province", "{n} provinces", number, n=n),
    }  # fmt: skip
    return words[kind]


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
        frame.rows([lines(row) for row in rows], key=kind, names=110 if kind == "Person" else 220)


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


# --- before anything is typed -----------------------------------------------------------------


def _beginning() -> None:
    """What there is to find, with a few of each; the visitor's own searches; ways to type."""
    with st.spinner(t("Measuring the chains"), show_time=True):
        largest = examples.largest(current_policy())
    left, right = st.columns([700, 380], gap="large")
    with left:
        _what_there_is(largest)
    with right:
        _searches()
        if largest["Person"]:
            _ways_to_type(*largest["Person"][0])


def _what_there_is(largest: examples.Examples) -> None:
    """A line a kind: how many there are, and the largest by name; each leads to its page."""
    by = {
        "Person": t("drive most"), "Studio": t("trained most people"),
        "Enterprise": t("employ most people"), "School": t("trained most people"),
        "Occupation": t("have most leading talents"),
    }  # fmt: skip
    frame.heading(t("What there is to find"))
    body = ""
    for kind, number in examples.numbers(store.state()).items():
        names = label((NODE_KINDS[kind].en, NODE_KINDS[kind].zh), current_language())
        links = "".join(f"<li>{_example(kind, *one)}</li>" for one in largest[kind])
        body += (
            f'<tr><td>{escape(names)}</td><td class="n">{count(number)}</td>'
            f'<td><ul class="sc-some">{links}</ul></td>'
            f'<td class="sc-muted sc-by">{escape(by[kind])}</td></tr>'
        )
    head = (
        f'<th></th><th class="n">{escape(t("How many"))}</th><th>{escape(t("For example"))}</th>'
        f'<th class="sc-by">{escape(t("because they"))}</th>'
    )
    frame.html(
        f'<table class="sc-table sc-kinds"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _example(kind: str, key: str, name: str) -> str:
    """HTML: a name that leads to its page."""
    if kind == "Person":
        return frame.anchor("talent", name, id=key)
    if kind == "Occupation":
        return frame.anchor("talents", name, occupation=key)
    return frame.anchor("places", name, **_place(kind.lower(), key))


def _ways_to_type(id: str, name: str) -> None:
    """One name typed in each way; a click puts it into the box."""
    part, sound, initials = examples.ways_to_type(name)
    ways = {
        t("part of a name"): part, t("pinyin"): sound, t("initials"): initials, t("number"): id,
    }  # fmt: skip
    frame.heading(t("Ways to type"), t("click to try"))
    with st.container(key="find_ways", gap=None):
        for number, (way, text) in enumerate(ways.items()):
            if not text:
                continue
            with st.container(horizontal=True, vertical_alignment="center"):
                frame.muted(way)
                st.button(
                    frame.plain(text), key=f"find_way_{number}", type="tertiary",
                    on_click=_again, args=(text,),
                )  # fmt: skip
    told = t("A mistake of one letter or sign does no harm.")
    frame.muted(told)


def _searches() -> None:
    """The visitor's own searches, to run again or take away."""
    owner = visitor().id
    saved, recent = search.searches("saved", owner), search.searches("recent", owner)
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

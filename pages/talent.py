"""Talent: who one person is, whom he or she drives, and the lineage above and below."""

from __future__ import annotations

from datetime import date
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from components import downloads, evidence, frame, lineage_view, person, store
from components.export import SUFFIXES
from components.i18n import current_language, label, t, tn
from components.ladder import Ladder, ladder
from components.lineage import LineageState, lineage, lineage_state
from components.lineage_view import Lineage
from components.numbers import bold, count, day, interval, month, person_times, persons
from components.policy_form import current_policy
from graph.model import BASES, GRADES, LEVELS, PERSON_TYPES, PROVINCES, SEXES, STUDIO_KINDS

KEY = "lineage"
MOST_APPRENTICES = 12
Person = dict[str, Any]


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    id = st.query_params.get("id") or st.session_state.get("talent_id")
    about = person.person(id) if id else None
    if id is None or about is None:
        _nobody(id)
        return
    st.session_state["talent_id"] = id
    if st.query_params.get("id") != id:
        st.query_params["id"] = id
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.figures_of(id, policy) if about["leading"] else None
        seen = store.lineage_of(id, policy)
    frame.lead(answer(about, figures))
    _instrument(about, figures, seen)
    frame.rule()
    _profile(about, figures)


def _nobody(id: str | None) -> None:
    """Nobody chosen yet, or nobody of this id: the talents who drive most, to begin with."""
    if id is None:
        frame.lead(escape(t("Choose someone, and see who taught whom.")))
    else:
        frame.lead(escape(t("There is nobody with this number.")))
        frame.note(
            t("The address names a person who is not in the graph"),
            t("The number may be mistyped, or a later load has taken the person back."),
        )
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        rows = store.talents(policy).sort("driven", descending=True).head(10)
    frame.heading(t("The talents who drive most"), t("persons"))
    frame.rows(
        [
            frame.Row(
                row["name"],
                (
                    frame.level_badge(row["level"]), escape(row["occupation"] or "—"),
                    escape(row["enterprise"] or "—"), f"<b>{count(row['driven'])}</b>",
                ),
                "talent", {"id": row["talent_id"]},
            )
            for row in rows.iter_rows(named=True)
        ],
        key="most",
        head=(t("Name"), t("Level"), t("Occupation"), t("Enterprise"), t("Driven (persons)")),
    )  # fmt: skip
    frame.link("find", t("Find someone else"))


def answer(about: Person, figures: dict[str, Any] | None) -> str:
    """The page's sentence (HTML)."""
    language = current_language()
    name = escape(about["name"])
    if figures is None:
        return t(
            "{name} has {apprentices} and learned from {mentors}.",
            name=f"<b>{name}</b>",
            apprentices=bold(tn("{n} apprentice", "{n} apprentices", about["apprentices"],
                                n=count(about["apprentices"]))),
            mentors=bold(tn("{n} mentor", "{n} mentors", len(_distinct(about["mentors"])),
                            n=count(len(_distinct(about["mentors"]))))),
        )  # fmt: skip
    return t(
        "{name} drives {persons} new to high skill, {own} own apprentices; rank {rank} of {all}.",
        name=name, persons=bold(persons(figures["driven"], language), count(figures["driven"])),
        own=bold(persons(figures["own"], language)), rank=bold(interval(*figures["ranks"])),
        all=count(figures["talents"]),
    )  # fmt: skip


def _distinct(rows: list[Person]) -> list[Person]:
    """Each person once, the first row of each."""
    return list({row["id"]: row for row in reversed(rows)}.values())[::-1]


@st.fragment
def _instrument(about: Person, figures: dict[str, Any] | None, seen: Lineage) -> None:
    """The lineage and, right of it, whom it is about; a click reruns this alone."""
    with frame.notes():
        language = current_language()
        start = LineageState.from_query(
            {**st.query_params.to_dict(), "person": about["id"]}
        ) or LineageState(about["id"])
        state = lineage_state(KEY, start)
        _address(state)
        shown, hops = seen.shown(state)
        boxes = person.boxes(list(shown.generations), seen.policy.high_skilled_level)
        view = lineage_view.view(seen, state, shown, hops, boxes, language)
        frame.under_lead(_under(figures, seen, shown))
        left, right = st.columns([848, 280], gap="medium")
        with left:
            event = lineage(view, key=KEY)
        with right, st.container(key="panel_person"):
            _panel(about, figures, seen, state.selected)
        if event.action == "export":
            _export(view, seen, about["name"])
        if event.action == "search":
            st.session_state["find_text"] = event.text
            frame.go("find")


def _address(state: LineageState) -> None:
    """Writes the view into the address: ids, what is open, the years; never a name."""
    wanted = state.to_query()
    wanted.pop("person")
    for name in ("selected", "view"):
        if name in wanted:
            if st.query_params.get(name) != wanted[name]:
                st.query_params[name] = wanted[name]
        elif name in st.query_params:
            del st.query_params[name]


def _under(figures: dict[str, Any] | None, seen: Lineage, shown: Any) -> str:
    language = current_language()
    parts = []
    if figures is not None:
        parts = [
            f"<b>{escape(persons(figures['driven'], language))}</b>",
            f"<b>{escape(person_times(figures['person_times'], language))}</b>",
            escape(t("{persons} pending", persons=persons(figures["pending"], language))),
        ]
    return " · ".join([*parts, escape(lineage_view.told(seen, shown, language))])


def _panel(
    about: Person,
    figures: dict[str, Any] | None,
    seen: Lineage,
    selected: str | None,
) -> None:
    """The person in focus with the figures; below, whoever is selected and why."""
    _who(about)
    if figures is not None:
        frame.rule()
        _by_generation(figures)
    if selected and selected != about["id"]:
        frame.rule()
        _selected(selected, seen)
    else:
        told = escape(t("Click a person to see why he or she counts."))
        frame.html(f'<div class="sc-muted">{told}</div>')


def _who(about: Person) -> None:
    language = current_language()
    level = about["level"]
    badge = frame.level_badge(level)
    title = label(LEVELS[level], language) if level else t("no level recorded")
    marks = "".join(
        f'<span class="sc-honour" title="{escape(name)}">{mark}</span> '
        for mark, name in _marks(about)
    )
    named = about["named"]
    look = "sc-talent" if about["leading"] else ""
    since = t("leading talent since {month}", month=month(named[0]["day"])) if named else ""
    frame.html(
        f'<div class="sc-h"><h2 class="{look}">{escape(about["name"])}</h2>'
        f"<span>{badge} {escape(title)} {marks}</span></div>"
        f'<div class="sc-muted">{escape(since)}</div>{facts(_facts(about))}'
    )


def _marks(about: Person) -> list[tuple[str, str]]:
    """The honours' marks with their names, highest first."""
    language = current_language()
    held = {row["honour"] for row in (*about["named"], *about["honours"])}
    return [
        (mark[language == "zh"], label(BASES[code], language))
        for code, mark in person.MARKS.items()
        if code in held
    ]


def facts(rows: list[tuple[str, str]]) -> str:
    """A list of facts (HTML); those without a value are left out."""
    cells = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value
    )
    return f'<dl class="sc-dl">{cells}</dl>'


def _facts(about: Person) -> list[tuple[str, str]]:
    language = current_language()
    comma = t(", ")
    studios = [_studio(studio) for studio in about["studios"]]
    mentors = [m["name"] for m in _distinct(about["mentors"])]
    province = PROVINCES.get(about["province"] or "")
    place = [about["enterprise"] or "", label(province, language) if province else ""]
    return [
        (t("Occupation"), about["occupation"] or ""),
        (t("Works at"), comma.join(part for part in place if part)),
        (t("Learned from"), comma.join(mentors[:4])),
        (t("Studio"), comma.join(studios[:2])),
        (t("Apprentices"), persons(about["apprentices"], language)),
    ]


def _studio(studio: dict[str, Any]) -> str:
    """Its name and grade."""
    grade = label(GRADES[studio["grade"]], current_language()) if studio["grade"] else ""
    return t(", ").join(part for part in (studio["name"], grade) if part)


def _by_generation(figures: dict[str, Any]) -> None:
    """Bars in full credit, the mark when each worker is shared equally."""
    most = max([1, *figures["generations"]])
    rows = "".join(
        f"<tr><td>{escape(t('Gen {n}', n=n))}</td>"
        f'<td class="sc-track"><div class="sc-soft" style="width:{100 * number / most:.1f}%">'
        f'<i style="left:{100 * equal / most:.1f}%"></i></div></td>'
        f'<td class="n"><b>{count(number)}</b></td></tr>'
        for n, (number, equal) in enumerate(
            zip(figures["generations"], figures["shared"], strict=True), 1
        )
    )
    low, high = sorted((min(figures["credits"]), max(figures["credits"])))
    lines = "".join(
        f'<tr><td colspan="2" class="sc-muted">{escape(name)}</td><td class="n">{value}</td></tr>'
        for name, value in (
            (t("by mentorship alone"), count(figures["mentorship_only"])),
            (t("by studios alone"), count(figures["studio_only"])),
            (t("by each of the two alone"), count(figures["both"])),
            (t("by mixed chains alone"), count(figures["mixed"])),
        )
    )
    total = count(figures["driven"])
    band = escape(t("shared {low}–{high}", low=f"{low:,.0f}", high=f"{high:,.0f}"))
    frame.heading(t("Driven persons, by generation"), "")
    told = escape(t("bar: full · mark: shared"))
    frame.html(
        f'<table class="sc-table plain sc-generations">{rows}'
        f"<tr class='total'><td>{escape(t('Total'))}</td><td class='sc-muted'>{band}</td>"
        f"<td class='n'><b>{total}</b></td></tr>{lines}</table>"
        f'<div class="sc-muted">{told}</div>'
    )


def _selected(id: str, seen: Lineage) -> None:
    """Why the selected person counts for the talent: the chain with its rows, or why not."""
    other = person.person(id)
    if other is None:
        return
    language = current_language()
    titles = {
        "driven": t("Why {name} counts", name=other["name"]),
        "pending": t("{name} is pending", name=other["name"]),
    }
    none = t("Why {name} does not count", name=other["name"])
    title = titles.get(seen.reach.state(id), none) if seen.reach.leading else other["name"]
    frame.heading(title, "")
    if seen.reach.leading:
        evidence.panel(seen.why(id))
    badge = frame.level_badge(other["level"])
    title = label(LEVELS[other["level"]], language) if other["level"] else t("no level recorded")
    frame.html(f"<div>{badge} {escape(title)}</div>{facts(_facts(other))}")
    frame.link("talent", t("Open {name}", name=other["name"]), id=id)


def _export(view: Any, seen: Lineage, name: str) -> None:
    """Offers the view to take away, exactly as it stands."""

    @st.dialog(t("Take this view away"))
    def offer() -> None:
        shown = t("{n} people and {m} links, as shown, with the policy.",
                  n=count(len(view.nodes)), m=count(len(view.edges)))  # fmt: skip
        frame.html(f"<div>{escape(shown)}</div>")
        about = downloads.About(store.revision(), seen.policy)
        with st.container(horizontal=True, key="lineage_exports"):
            for text, format, mime in downloads.VIEWS:
                st.download_button(
                    text,
                    partial(downloads.view_file, view, format, about, name, frame.mode()),
                    f"lineage{SUFFIXES[format]}",
                    mime,
                    key=f"lineage_{text}",
                    on_click="ignore",
                )
        told = t("The address of this page reopens the view: share it as it is.")
        frame.html(f'<div class="sc-muted">{escape(told)}</div>')

    offer()


def _profile(about: Person, figures: dict[str, Any] | None) -> None:
    """The ladder over the years, then facts, honours and direct apprentices."""
    policy = current_policy()
    if about["recognitions"]:
        frame.heading(t("Ladder and honours"), t("above the line: high-skilled"))
        st.altair_chart(
            ladder(_ladder(about), policy, frame.mode(), current_language()),
            width="stretch", theme=None, key="ladder", alt=t("Ladder and honours"),
        )  # fmt: skip
    left, right = st.columns([400, 700], gap="large")
    with left:
        frame.heading(t("Profile"), "")
        frame.html(facts(_profile_facts(about)))
    with right:
        _apprentices(about, figures)


def _ladder(about: Person) -> Ladder:
    language = current_language()
    honours = [
        (row["day"], label(BASES[row["honour"]], language) if row["honour"] in BASES
         else row["honour"])
        for row in about["honours"]
        if row["day"]
    ]  # fmt: skip
    return Ladder(
        recognitions=[(r["day"], r["level"], _recognition(r)) for r in about["recognitions"]],
        honours=honours,
        named=[row["day"] for row in about["named"]],
        mentors=[(m["name"], m["start"], m["end"]) for m in about["mentors"] if m["start"]],
        studios=[(_studio(s), s["start"], s["end"]) for s in about["studios"] if s["start"]],
        until=store.standing().data_until or date.today(),
    )  # fmt: skip


def _recognition(row: dict[str, Any]) -> str:
    from graph.model import MODES as RECOGNITION_MODES

    language = current_language()
    parts = [label(LEVELS[row["level"]], language), row["occupation"] or ""]
    if row["mode"]:
        parts.append(label(RECOGNITION_MODES[row["mode"]], language))
    if row["certificate"]:
        parts.append(row["certificate"])
    return " · ".join(part for part in parts if part)


def _profile_facts(about: Person) -> list[tuple[str, str]]:
    language = current_language()
    comma = t(", ")
    job = about["employments"][-1] if about["employments"] else None
    rows = [
        (t("Number"), about["id"]),
        (t("Sex"), label(SEXES[about["sex"]], language) if about["sex"] else ""),
        (t("Born"), str(about["born"]) if about["born"] else ""),
        (t("Type"), label(PERSON_TYPES[about["type"]], language) if about["type"] else ""),
        (t("Position"), (job["position"] or "") if job else ""),
        (t("Serves until"), day(job["service_until"]) if job and job["service_until"] else ""),
        (t("Retired on"), day(about["retired_on"]) if about["retired_on"] else ""),
    ]
    rows += [(t("Basis"), _named(row)) for row in about["named"]]
    rows += [(t("Honour"), _honour(row)) for row in about["honours"]]
    rows += [
        (t("Leads"), comma.join([s["name"], label(STUDIO_KINDS[s["kind"]], language)]))
        for s in about["studios"]
    ]
    rows += [(t("Trained at"), _period(row)) for row in about["trainings"][:4]]
    rows += [(t("Teaches at"), _period(row)) for row in about["teaching"]]
    rows += [
        (t("Competition"), t("{name}, place {rank}", name=row["name"], rank=row["rank"]))
        for row in about["placings"]
    ]
    if about["target"]:
        rows.append((t("Key training target"), day(about["listed_on"])))
    return rows  # fmt: skip


def _named(row: dict[str, Any]) -> str:
    basis = BASES.get(row["honour"])
    name = label(basis, current_language()) if basis else row["honour"]
    return t(", ").join(part for part in (name, row["industry"] or "", month(row["day"])) if part)


def _honour(row: dict[str, Any]) -> str:
    language = current_language()
    basis = BASES.get(row["honour"])
    name = label(basis, language) if basis else row["honour"]
    grade = label(GRADES[row["grade"]], language) if row["grade"] else ""
    return t(", ").join(part for part in (name, grade, month(row["day"])) if part)


def _period(row: dict[str, Any]) -> str:
    if row["start"] is None and row["end"] is None:
        return str(row["name"])
    end = month(row["end"]) if row["end"] else ""
    return f"{row['name']} {month(row['start'])}\N{EN DASH}{end}"


def _apprentices(about: Person, figures: dict[str, Any] | None) -> None:
    """Direct apprentices with whether each counts."""
    policy = current_policy()
    rows = person.apprentices(about["id"], policy.high_skilled_level)
    if not rows:
        frame.heading(t("Apprentices"), "")
        frame.empty(t("No apprentice is recorded"), t("A mentorship in a later load adds one."))
        return
    frame.heading(
        t("Apprentices"),
        t("{n} of {all}", n=count(min(len(rows), MOST_APPRENTICES)), all=count(len(rows))),
    )
    reach = store.lineage_of(about["id"], policy).reach
    words = {
        "driven": f'<span class="sc-driven">{escape(t("driven"))}</span>',
        "pending": f'<span class="sc-pending">{escape(t("pending"))}</span>',
    }
    lines = []
    for row in rows[:MOST_APPRENTICES]:
        before = row["skilled_on"] is not None and row["skilled_on"] < policy.window_start
        other = escape(t("high-skilled before")) if before else escape(t("does not count"))
        plain = f'<span class="sc-muted">{other}</span>' if reach.leading else ""
        lines.append(
            frame.Row(
                row["name"],
                (
                    frame.level_badge(row["level"]), month(row["start"]),
                    month(row["skilled_on"]), words.get(reach.state(row["id"]), plain),
                ),
                "talent", {"id": row["id"]},
            )
        )  # fmt: skip
    frame.rows(
        lines, key="apprentices",
        head=(t("Name"), t("Level"), t("Taken on"), t("First high-skilled"), t("Counts?")),
    )  # fmt: skip


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

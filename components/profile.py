"""What a talent's profile says beside the sentence: the facts, six figures, who counts by what."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any
from urllib.parse import quote

import polars as pl
import streamlit as st

from components import frame, kept, store
from components.i18n import current_language, label, t
from components.numbers import bold, count, interval, month, person_times, persons
from components.portrait import Person
from components.story import Event
from components.visitor import Visitor, born
from graph.kept_tables import metric_table
from graph.model import LEVELS, PROVINCES
from graph.policy import Policy

WAITS = 3  # seconds between looks at whether the figure is there
CREDITS = ("full", "equal", "nearest", "decay")


def facts_line(about: Person, visitor: Visitor) -> str:
    """Level, year of birth (masked by role), place, employer; named since, in red (HTML)."""
    language = current_language()
    level, province = about["level"], PROVINCES.get(about["province"] or "")
    known = born(about["born"], visitor)
    parts = [
        t("born {year}", year=known) if known else "",
        label(province, language) if province else "",
        about["enterprise"] or "",
    ]
    title = label(LEVELS[level], language) if level else t("no level recorded")
    said = t(", ").join(part for part in parts if part)
    named = about["named"]
    red = t("leading talent since {month}", month=month(named[0]["day"])) if named else ""
    return (
        f'<span class="sc-who">{frame.level_badge(level)} <span>{escape(title)}</span>'
        f'<span>{escape(said)}</span><span class="sc-talent">{escape(red)}</span></span>'
    )


def strip(id: str, figures: dict[str, Any], lost: int | None, policy: Policy) -> None:
    """The six figures; looks again until the last of them, `lost_without`, is computed."""
    if lost is not None:
        frame.html(six_figures(figures, lost))
        return

    def draw() -> None:
        with frame.notes():
            if lost_without(id, policy) is not None:
                st.rerun()
            frame.html(six_figures(figures, None))

    st.fragment(draw, run_every=WAITS)()


def lost_without(id: str, policy: Policy) -> int | None:
    """Driven workers who would lose every chain without this person; None while it is computed.

    Raises `UsageError` when the policy asks for more than fits.
    """
    name = "irreplaceable"
    if not kept.ready(policy, name):
        work = partial(metric_table, store.snapshot(), policy, name, driven=store.driven(policy))
        job = kept.begin((store.state(), policy, name), work)
        if not job.done():
            return None
        job.result()
    nodes = kept.table(policy, name)
    mine = nodes.filter((pl.col("kind") == "person") & (pl.col("id") == id))
    return int(mine[name].sum())


def six_figures(figures: dict[str, Any], lost: int | None) -> str:
    """Six figures with a line of help on each (HTML); `lost` is None while it is computed."""
    language = current_language()
    rank = f"{interval(*figures['ranks'])} / {count(figures['talents'])}"
    cells = [
        (t("Own apprentices driven"), persons(figures["own"], language),
         t("Direct apprentices who are new to high skill under this policy.")),
        (t("Driven in all generations"), persons(figures["driven"], language),
         t("Distinct people new to high skill at the end of a chain that counts.")),
        (t("Person-times"), person_times(figures["person_times"], language),
         t("Every promotion to high skill or further in the window that a chain counts for.")),
        (t("National rank"), rank,
         t("The best and the worst place among all talents over the four ways to credit.")),
        (t("Pending"), persons(figures["pending"], language),
         t("On a chain, not high-skilled by the as-of day.")),
        (t("Lost if this person left"),
         t("being computed") if lost is None else persons(lost, language),
         t("Driven workers who would lose every chain to every talent without this person.")),
    ]  # fmt: skip
    return '<div class="sc-figures">' + "".join(
        f'<div title="{escape(told)}"><span>{escape(name)}</span>{bold(value)}</div>'
        for name, value, told in cells
    ) + "</div>"  # fmt: skip


def reach_table(figures: dict[str, Any]) -> str:
    """Driven persons by generation and by channel under each way to credit (HTML)."""
    parts = figures["parts"]
    generations = sorted({row["generation"] for row in parts})
    channels = {
        "mentorship_only": t("By mentorship alone"), "studio_only": t("By studio alone"),
        "both": t("By either alone"), "mixed": t("Only by mixed chains"),
    }  # fmt: skip
    lines = [
        (t("Generation {n}", n=n), "generation", n, "") for n in generations
    ] + [
        (name, "channel", code, "total" if code == "mentorship_only" else "")
        for code, name in channels.items()
    ]  # fmt: skip
    body = "".join(
        _line(name, [sum(p[c] for p in parts if p[of] == key) for c in CREDITS], look)
        for name, of, key, look in lines
    )
    whole = _line(t("All"), [sum(p[c] for p in parts) for c in CREDITS], "total")
    heads = (t("Full"), t("Equal"), t("Nearest"), t("Decay"))
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in heads)
    return (
        f'<table class="sc-table sc-credits"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}{whole}</tbody></table>"
    )


def _line(name: str, values: list[float], look: str) -> str:
    full, *shared = values
    cells = [count(int(full)), *(f"{value:,.1f}" for value in shared)]
    return f'<tr class="{look}"><td>{escape(name)}</td>' + "".join(
        f'<td class="n">{cell}</td>' for cell in cells
    ) + "</tr>"  # fmt: skip


def apprentices(rows: Sequence[Person]) -> str:
    """A row an apprentice (HTML): name, level, taken on, first high-skilled, how it stands.

    `state` of each is (state, words).
    """
    looks = {"driven": "sc-driven", "pending": "sc-pending", "none": "sc-muted"}
    heads = (t("Name"), t("Level"), t("Taken on"), t("First high-skilled"), t("Counts?"))
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f'<tr><td><a class="sc-link" target="_self" href="talent?id={quote(row["id"])}">'
        f"{escape(row['name'])}</a></td><td>{frame.level_badge(row['level'])}</td>"
        f"<td>{month(row['start'])}</td><td>{month(row['skilled_on'])}</td>"
        f'<td><span class="{looks.get(row["state"][0], "")}">{escape(row["state"][1])}</span></td>'
        "</tr>"
        for row in rows
    )
    return f'<table class="sc-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def growth(events: Sequence[Event]) -> str:
    """The dated sentences as a list (HTML); the row each stands in on hover."""
    lines = "".join(
        f'<li title="{escape(event.row)}"><time>{month(event.day)}</time>'
        f"<span>{escape(event.text)}</span></li>"
        for event in events
    )
    return f'<ol class="sc-story">{lines}</ol>'


def side_by_side(one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]) -> str:
    """The figures of two talents in two columns (HTML)."""
    language = current_language()
    rows = (
        (t("Own apprentices driven"), lambda f: persons(f["own"], language)),
        (t("Driven in all generations"), lambda f: persons(f["driven"], language)),
        (t("Person-times"), lambda f: person_times(f["person_times"], language)),
        (t("National rank"), lambda f: interval(*f["ranks"])),
        (t("Pending"), lambda f: persons(f["pending"], language)),
        (t("Equal"), lambda f: f"{f['equal']:,.1f}"),
        (t("Nearest"), lambda f: f"{f['nearest']:,.1f}"),
        (t("Decay"), lambda f: f"{f['decay']:,.1f}"),
    )
    head = "".join(f'<th class="n">{escape(name)}</th>' for name, _ in (one, other))
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f'<td class="n">{escape(figure(f))}</td>' for _, f in (one, other))
        + "</tr>"
        for name, figure in rows
    )
    return (
        f'<table class="sc-table sc-credits"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )

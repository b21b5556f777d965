"""What a talent's profile says beside the sentence: the facts, six figures, who counts by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from urllib.parse import quote

import polars as pl
import streamlit as st

from graph.metrics.cached_tables import load_metric_table
from graph.model.vocabularies import LEVELS, PROVINCES
from graph.policy import Policy
from ui.person.growth_story import GrowthEvent
from ui.person.person import Apprentice, Person
from ui.reading import cached_metrics, talent_figures
from ui.reading.talent_figures import CreditPart, TalentFigures
from ui.shell import frame, graph_state
from ui.shell.visitor import Visitor, mask_birth_year
from ui.words.i18n import current_language, t, translate_label
from ui.words.numbers import (
    format_count,
    format_interval,
    format_month,
    format_person_times,
    format_persons,
    render_bold,
)
from ui.words.terms import format_person_name

FIGURE_POLL_SECONDS = 3  # seconds between looks at whether the figure is there


def render_facts_line(about: Person, visitor: Visitor) -> str:
    """Level, year of birth (masked by role), place, employer; named since, in red (HTML)."""
    language = current_language()
    level, province = about.level, PROVINCES.get(about.province or "")
    known = mask_birth_year(about.born, visitor)
    parts = [
        t("born {year}", year=known) if known else "",
        translate_label(province, language) if province else "",
        about.enterprise or "",
    ]
    title = translate_label(LEVELS[level], language) if level else t("no level recorded")
    said = t(", ").join(part for part in parts if part)
    named = about.named
    red = t("leading talent since {month}", month=format_month(named[0].day)) if named else ""
    return (
        f'<span class="sc-who">{frame.render_level_badge(level)} <span>{escape(title)}</span>'
        f'<span>{escape(said)}</span><span class="sc-talent">{escape(red)}</span></span>'
    )


def draw_figure_strip(id: str, figures: TalentFigures, lost: int | None, policy: Policy) -> None:
    """The six figures; looks again until the last of them, `fetch_irreplaceable_count`, is
    computed.
    """
    if lost is not None:
        frame.draw_html(render_six_figures(figures, lost))
        return

    def draw() -> None:
        with frame.show_errors_as_notes():
            if fetch_irreplaceable_count(id, policy) is not None:
                st.rerun()
            frame.draw_html(render_six_figures(figures, None))

    frame.fragment(run_every=FIGURE_POLL_SECONDS)(draw)()


def fetch_irreplaceable_count(id: str, policy: Policy) -> int | None:
    """Driven workers who would lose every chain without this person; None while it is computed.

    Raises `UsageError` when the policy asks for more than fits.
    """
    name = "irreplaceable"
    if not cached_metrics.is_metric_ready(policy, name):
        work = partial(
            load_metric_table,
            graph_state.fetch_snapshot(),
            policy,
            name,
            driven=talent_figures.fetch_driven_figures(policy),
        )
        job = cached_metrics.start_background_job(
            (graph_state.fetch_graph_state(), policy, name), work
        )
        if not job.done():
            return None
        job.result()
    nodes = cached_metrics.fetch_cached_metric(policy, name)
    mine = nodes.filter((pl.col("kind") == "person") & (pl.col("id") == id))
    return int(mine[name].sum())


def render_six_figures(figures: TalentFigures, lost: int | None) -> str:
    """Six figures with a line of help on each (HTML); `lost` is None while it is computed."""
    language = current_language()
    rank = f"{format_interval(*figures.ranks)} / {format_count(figures.talents)}"
    cells = [
        (
            t("Own apprentices driven"),
            format_persons(figures.own, language),
            t("Direct apprentices who are new to high skill under this policy."),
        ),
        (
            t("Driven in all generations"),
            format_persons(figures.driven, language),
            t("Distinct people new to high skill at the end of a chain that counts."),
        ),
        (
            t("Person-times"),
            format_person_times(figures.person_times, language),
            t("Every promotion to high skill or further in the window that a chain counts for."),
        ),
        (
            t("National rank"),
            rank,
            t("The best and the worst place among all talents over the four ways to credit."),
        ),
        (
            t("Pending"),
            format_persons(figures.pending, language),
            t("On a chain, not high-skilled by the as-of day."),
        ),
        (
            t("Lost if this person left"),
            t("being computed") if lost is None else format_persons(lost, language),
            t("Driven workers who would lose every chain to every talent without this person."),
        ),
    ]
    return (
        '<div class="sc-figures">'
        + "".join(
            f'<div title="{escape(tooltip)}"><span>{escape(name)}</span>{render_bold(value)}</div>'
            for name, value, tooltip in cells
        )
        + "</div>"
    )


def render_reach_table(figures: TalentFigures) -> str:
    """Driven persons by generation and by channel under each way to credit (HTML)."""
    parts = figures.parts
    generations = sorted({part.generation for part in parts})
    channels = {
        "mentorship_only": t("By mentorship alone"),
        "studio_only": t("By studio alone"),
        "both": t("By either alone"),
        "mixed": t("Only by mixed chains"),
    }
    lines = [
        (t("Generation {n}", n=n), [part for part in parts if part.generation == n], "")
        for n in generations
    ] + [
        (
            name,
            [part for part in parts if part.channel == code],
            "total" if code == "mentorship_only" else "",
        )
        for code, name in channels.items()
    ]
    body = "".join(_render_credit_row(name, some, look) for name, some, look in lines)
    total = _render_credit_row(t("Total"), parts, "total")
    heads = (t("Full"), t("Equal"), t("Nearest"), t("Decay"))
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in heads)
    return (
        f'<table class="sc-table sc-credits"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}{total}</tbody></table>"
    )


def _render_credit_row(name: str, parts: Sequence[CreditPart], look: str) -> str:
    shared = (
        sum(part.equal for part in parts),
        sum(part.nearest for part in parts),
        sum(part.decay for part in parts),
    )
    cells = [
        format_count(sum(part.full for part in parts)),
        *(f"{value:,.1f}" for value in shared),
    ]
    return (
        f'<tr class="{look}"><td>{escape(name)}</td>'
        + "".join(f'<td class="n">{cell}</td>' for cell in cells)
        + "</tr>"
    )


def render_apprentice_table(
    rows: Sequence[Apprentice], standing: Mapping[str, tuple[str, str]]
) -> str:
    """A row an apprentice (HTML): name, level, taken on, first high-skilled, how it stands.

    `standing` is (state, words) by id.
    """
    looks = {"driven": "sc-driven", "pending": "sc-pending", "none": "sc-muted"}
    heads = (t("Name"), t("Level"), t("Taken on"), t("First high-skilled"), t("Counts?"))
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f'<tr><td><a class="sc-link" target="_self" href="talent?id={quote(row.id)}">'
        f"{escape(format_person_name(row.name))}</a></td>"
        f"<td>{frame.render_level_badge(row.level)}</td>"
        f"<td>{format_month(row.start)}</td><td>{format_month(row.skilled_on)}</td>"
        f'<td><span class="{looks.get(state, "")}">{escape(words)}</span></td></tr>'
        for row, (state, words) in ((row, standing[row.id]) for row in rows)
    )
    return f'<table class="sc-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def render_growth_story(events: Sequence[GrowthEvent]) -> str:
    """The dated sentences as a list (HTML); the row each stands in on hover."""
    lines = "".join(
        f'<li title="{escape(event.row)}"><time>{format_month(event.day)}</time>'
        f"<span>{escape(event.text)}</span></li>"
        for event in events
    )
    return f'<ol class="sc-story">{lines}</ol>'


def render_talent_comparison(
    one: tuple[str, TalentFigures], other: tuple[str, TalentFigures]
) -> str:
    """The figures of two talents in two columns (HTML)."""
    language = current_language()
    rows: tuple[tuple[str, Callable[[TalentFigures], str]], ...] = (
        (t("Own apprentices driven"), lambda f: format_persons(f.own, language)),
        (t("Driven in all generations"), lambda f: format_persons(f.driven, language)),
        (t("Person-times"), lambda f: format_person_times(f.person_times, language)),
        (t("National rank"), lambda f: format_interval(*f.ranks)),
        (t("Pending"), lambda f: format_persons(f.pending, language)),
        (t("Equal"), lambda f: f"{f.equal:,.1f}"),
        (t("Nearest"), lambda f: f"{f.nearest:,.1f}"),
        (t("Decay"), lambda f: f"{f.decay:,.1f}"),
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

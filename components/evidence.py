"""Why the selected person counts for the talent, or does not: the chain step by step, its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from components import frame, person
from components.i18n import current_language, label, t, tn
from components.numbers import count, day
from graph.evidence import Event, Hop, Stated, Why
from graph.model import LEVELS

Boxes = Mapping[str, Mapping[str, Any]]


def panel(answer: Why) -> None:
    """The best chain with its dates and rows, and the others folded; or the reason."""
    chains = [*answer.chains, *([answer.failing] if answer.failing else [])]
    ends = {end for chain in chains for hop in chain for end in (hop.mentor, hop.apprentice)}
    boxes = person.boxes(
        sorted({*ends, answer.talent_id, answer.worker_id}), answer.policy.high_skilled_level
    )
    if answer.reason is not None:
        _reason(answer, boxes)
    if answer.chains:
        first, *others = answer.chains
        told = _verdict(answer, len(first))
        frame.html(
            f'<div class="sc-steps">{steps(first, boxes)}{_end(_event(answer))}</div>'
            f'<div class="sc-muted">{escape(told)}</div>'
        )
        _others(others, answer.more, boxes)


def _event(answer: Why) -> Event | None:
    return next((event for event in answer.events if event.counts), None)


def _verdict(answer: Why, hops: int) -> str:
    if answer.counts:
        told = t("Each date follows the one before; recognised inside the window.")
    elif answer.pending:
        told = t("The chain has arrived; not high-skilled on {day}.", day=day(answer.policy.as_of))
    else:
        told = t("Counts as a person-time alone.")
    return f"{told} {t('Generation {n}.', n=hops)}"


def _reason(answer: Why, boxes: Boxes) -> None:
    """The first reason, what would have to be otherwise, and the chain that falls short."""
    names = {id: str(box["name"]) for id, box in boxes.items()}
    sentence = answer.sentence(current_language(), names)
    frame.html(f'<div data-reason="{answer.reason}">{escape(sentence)}</div>')
    if answer.failing:
        recognised = next(iter(answer.events), None)
        frame.html(f'<div class="sc-steps">{steps(answer.failing, boxes)}{_end(recognised)}</div>')


def _others(others: Sequence[Sequence[Hop]], more: bool, boxes: Boxes) -> None:
    if not others:
        return
    number = count(len(others)) + ("+" if more else "")
    title = tn("{n} other chain counts", "{n} other chains count", len(others), n=number)
    with st.expander(title):
        for chain in others:
            frame.html(f'<div class="sc-steps">{steps(chain, boxes)}</div>')


def steps(chain: Sequence[Hop], boxes: Boxes) -> str:
    """The chain as steps from the talent down, each with its days and the rows behind (HTML)."""
    lines = [_who(chain[0].mentor, boxes, "sc-talent")]
    for hop in chain:
        lines.append(
            f'<span class="sc-step {hop.channel}"></span>'
            f'<span class="sc-muted">{escape(_told(hop))}{_rows(hop.rows)}</span>'
        )
        lines.append(_who(hop.apprentice, boxes))
    return "".join(lines)


def _who(id: str, boxes: Boxes, look: str = "") -> str:
    box = boxes.get(id, {})
    return (
        f"<span>{frame.level_badge(box.get('level'))}</span>"
        f'<b class="{look}">{escape(str(box.get("name", id)))}</b>'
    )


def _told(hop: Hop) -> str:
    words = {"mentorship": t("taken on as apprentice"), "studio": t("joined the studio")}
    start = day(hop.start) if hop.start else t("no date")
    period = f"{start}\N{EN DASH}{day(hop.end)}" if hop.end else start
    return f"{period}\N{EM SPACE}{words[hop.channel]}"


def _end(event: Event | None) -> str:
    """The recognition the chain leads to."""
    if event is None:
        return ""
    title = escape(label(LEVELS[event.level], current_language()))
    return (
        '<span class="sc-step end"></span>'
        f"<span>{day(event.day)}\N{EM SPACE}<b>{title}</b>{_rows(event.rows)}</span>"
    )


def _rows(rows: Sequence[Stated]) -> str:
    """File, line and source of each row, a line each."""
    return "".join(
        f'<br><span class="sc-rows">{escape(_place(row))}</span>' for row in rows
    )  # fmt: skip


def _place(row: Stated) -> str:
    line = t("{file}, row {row}", file=row.file, row=row.row) if row.row else row.file
    return " · ".join([line, *row.sources])

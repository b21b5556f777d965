"""Why the selected person counts for the talent, or does not: the chain step by step, its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from components import frame, person, steps, store
from components.i18n import current_language, joined, label, t, tn
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
        steps.show(chain_steps(first, boxes) + _end(_event(answer)), key="evidence")
        frame.html(f"<div>{escape(_verdict(answer, len(first)))}</div>")
        _others(others, answer.more, boxes)
    if answer.counts:
        frame.muted(_shared(answer))


def _shared(answer: Why) -> str:
    """How many talents drive the worker, and what each way to credit gives this one."""
    found = store.shares_of(answer.worker_id, answer.policy)
    mine = found.get(answer.talent_id)
    if mine is None:
        return ""
    if len(found) == 1:
        return t("No other talent drives this worker: credit 1 by every rule.")
    return t(
        "{n} talents drive this worker; this one's credit is {equal} shared equally, {nearest} to "
        "the nearest, {decay} by generation.",
        n=count(len(found)), equal=f"1/{len(found)}", nearest=f"{mine['nearest']:.2f}",
        decay=f"{mine['decay']:.2f}",
    )  # fmt: skip


def _event(answer: Why) -> Event | None:
    return next((event for event in answer.events if event.counts), None)


def _verdict(answer: Why, hops: int) -> str:
    if answer.counts:
        told = t("Each date follows the one before; recognised inside the window.")
    elif answer.pending:
        told = t("The chain has arrived; not high-skilled on {day}.", day=day(answer.policy.as_of))
    else:
        told = t("Counts as a person-time alone.")
    return joined(told, t("Generation {n}.", n=hops))


def _reason(answer: Why, boxes: Boxes) -> None:
    """The first reason, what would have to be otherwise, and the chain that falls short."""
    names = {id: str(box["name"]) for id, box in boxes.items()}
    sentence = answer.sentence(current_language(), names)
    frame.html(f'<div data-reason="{answer.reason}">{escape(sentence)}</div>')
    if answer.failing:
        recognised = next(iter(answer.events), None)
        steps.show(chain_steps(answer.failing, boxes) + _end(recognised), key="evidence_failing")


def _others(others: Sequence[Sequence[Hop]], more: bool, boxes: Boxes) -> None:
    if not others:
        return
    number = count(len(others)) + ("+" if more else "")
    by = [boxes.get(chain[0].apprentice, {}).get("name", "") for chain in others]
    through = t(", ").join(dict.fromkeys(str(name) for name in by[:3] if name))
    title = tn("{n} other chain, by way of {names}", "{n} other chains, by way of {names}",
               len(others), n=number, names=through)  # fmt: skip
    with st.expander(frame.plain(title)):
        for place, chain in enumerate(others):
            steps.show(chain_steps(chain, boxes), key=f"evidence_{place}")


def chain_steps(chain: Sequence[Hop], boxes: Boxes) -> str:
    """The chain as steps from the talent down, each with its days and the rows behind (HTML)."""
    lines = [steps.person_step(chain[0].mentor, boxes, "sc-talent")]
    for hop in chain:
        lines.append(steps.link_step(hop.channel, _told(hop), [_place(row) for row in hop.rows]))
        lines.append(steps.person_step(hop.apprentice, boxes))
    return "".join(lines)


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

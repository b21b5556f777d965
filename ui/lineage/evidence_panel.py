"""Why the selected person counts for the talent, or does not: the chain step by step, its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from graph.evidence.reasons import Explanation, Hop, PromotionEvent, SourceRow
from graph.model.vocabularies import LEVELS
from ui.controls import chain_steps as steps
from ui.person import record
from ui.person.person import PersonBox
from ui.person.person_summary import render_person_step
from ui.reading import merged_ids, talent_figures
from ui.shell import frame
from ui.words.i18n import current_language, join_sentences, t, tn, translate_label
from ui.words.numbers import format_count, format_day


def draw_evidence_panel(answer: Explanation) -> None:
    """The best chain with its dates and rows, and the others folded; or the reason."""
    chains = [*answer.chains, *([answer.failing] if answer.failing else [])]
    ends = {end for chain in chains for hop in chain for end in (hop.mentor, hop.apprentice)}
    boxes = record.fetch_person_boxes(
        sorted({*ends, answer.talent_id, answer.worker_id}), answer.policy.high_skilled_level
    )
    verdict = escape(answer.verdict(current_language()))
    frame.draw_html(
        f'<div data-ledger="{answer.ledger}"><b>{verdict[:1].upper()}{verdict[1:]}</b></div>'
    )
    if answer.reason is not None:
        _draw_failure_reason(answer, boxes)
    if answer.chains:
        first, *others = answer.chains
        steps.draw_chain_steps(
            render_chain_steps(first, boxes)
            + _render_recognition_step(_find_counted_event(answer)),
            key="evidence",
        )
        frame.draw_html(f"<div>{escape(_format_verdict_note(answer, len(first)))}</div>")
        _draw_other_chains(others, answer.more, boxes)
    if answer.counts:
        frame.draw_muted(_format_credit_shares(answer))
    for person, line in merged_ids.list_further_id_lines(answer.list_people()):
        name = boxes[person].name if person in boxes else person
        frame.draw_muted(t("{name} is also known as {line}", name=name, line=line))
    for id, line in merged_ids.list_resting_organisation_lines(
        answer.list_people(), answer.list_studios()
    ):
        frame.draw_muted(t("{name} is also known as {line}", name=id, line=line))


def _format_credit_shares(answer: Explanation) -> str:
    """How many talents drive the worker, and what each way to credit gives this one."""
    found = talent_figures.fetch_worker_shares(answer.worker_id, answer.policy)
    mine = found.get(answer.talent_id)
    if mine is None:
        return ""
    if len(found) == 1:
        return t("No other talent drives this worker: credit 1 by every rule.")
    return t(
        "{n} talents drive this worker; this one's credit is {equal} shared equally, {nearest} to "
        "the nearest, {decay} by generation.",
        n=format_count(len(found)),
        equal=f"1/{len(found)}",
        nearest=f"{mine.nearest:.2f}",
        decay=f"{mine.decay:.2f}",
    )


def _find_counted_event(answer: Explanation) -> PromotionEvent | None:
    return next((event for event in answer.events if event.counts), None)


def _format_verdict_note(answer: Explanation, hops: int) -> str:
    if answer.counts:
        note = t("Each date follows the one before; recognised inside the window.")
    elif answer.pending:
        note = t(
            "The chain has arrived; not high-skilled on {day}.", day=format_day(answer.policy.as_of)
        )
    else:
        note = ""  # the ledger stands above
    return join_sentences(note, t("Generation {n}.", n=hops))


def _draw_failure_reason(answer: Explanation, boxes: Mapping[str, PersonBox]) -> None:
    """The first reason, what would have to be otherwise, and the chain that falls short."""
    names = {id: box.name for id, box in boxes.items()}
    sentence = answer.sentence(current_language(), names)
    frame.draw_html(f'<div data-reason="{answer.reason}">{escape(sentence)}</div>')
    if answer.failing:
        recognised = next(iter(answer.events), None)
        steps.draw_chain_steps(
            render_chain_steps(answer.failing, boxes) + _render_recognition_step(recognised),
            key="evidence_failing",
        )


def _draw_other_chains(
    others: Sequence[Sequence[Hop]], more: bool, boxes: Mapping[str, PersonBox]
) -> None:
    if not others:
        return
    number = format_count(len(others)) + ("+" if more else "")
    by = [boxes[chain[0].apprentice].name for chain in others]
    through = t(", ").join(dict.fromkeys(by[:3]))
    title = tn(
        "{n} other chain, by way of {names}",
        "{n} other chains, by way of {names}",
        len(others),
        n=number,
        names=through,
    )
    with st.expander(frame.escape_markdown(title)):
        for place, chain in enumerate(others):
            steps.draw_chain_steps(render_chain_steps(chain, boxes), key=f"evidence_{place}")


def render_chain_steps(chain: Sequence[Hop], boxes: Mapping[str, PersonBox]) -> str:
    """The chain as steps from the talent down, each with its days and source rows (HTML)."""
    lines = [render_person_step(boxes[chain[0].mentor], "sc-talent")]
    for hop in chain:
        lines.append(
            steps.render_link_step(
                hop.channel, _format_hop(hop), [_format_source_row(row) for row in hop.rows]
            )
        )
        lines.append(render_person_step(boxes[hop.apprentice]))
    return "".join(lines)


def _format_hop(hop: Hop) -> str:
    words = {"mentorship": t("taken on as apprentice"), "studio": t("joined the studio")}
    start = format_day(hop.start) if hop.start else t("undated")
    period = f"{start}\N{EN DASH}{format_day(hop.end)}" if hop.end else start
    return f"{period}\N{EM SPACE}{words[hop.channel]}"


def _render_recognition_step(event: PromotionEvent | None) -> str:
    """The recognition the chain leads to."""
    if event is None:
        return ""
    title = escape(translate_label(LEVELS[event.level], current_language()))
    rows = _render_source_rows(event.rows)
    return (
        '<span class="sc-step end"></span>'
        f"<span>{format_day(event.day)}\N{EM SPACE}<b>{title}</b>{rows}</span>"
    )


def _render_source_rows(rows: Sequence[SourceRow]) -> str:
    """File, line and source of each row, a line each."""
    return "".join(
        f'<br><span class="sc-rows">{escape(_format_source_row(row))}</span>' for row in rows
    )


def _format_source_row(row: SourceRow) -> str:
    line = t("{file}, row {row}", file=row.file, row=row.row) if row.row else row.file
    return " · ".join([line, *row.sources])

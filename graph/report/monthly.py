"""The monthly report in a language, from the figures of a month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from graph.messages import Language, Message, Words
from graph.policy import Policy
from graph.report.document import MonthlyReport
from graph.report.figures import ReportFigures
from graph.report.ledger_sections import (
    write_changes,
    write_headline,
    write_ledgers,
    write_places,
)
from graph.report.outlook_sections import (
    write_definitions,
    write_forecast,
    write_quality,
    write_retention,
)
from graph.report.shortage_section import write_shortages
from graph.report.wording import ReportWords


def build_monthly_report(
    figures: ReportFigures, language: Language, translate_term: Callable[[str], str] = str
) -> MonthlyReport:
    """The report; `translate_term` says names that the data hold in Chinese in the language."""
    words = ReportWords(language, translate_term)
    area = words.area(figures.request.province)
    sections = (
        write_headline(figures, words),
        write_ledgers(figures, words),
        write_places(figures, words),
        write_changes(figures, words),
        write_forecast(figures, words),
        write_retention(figures, words),
        write_shortages(figures, words),
        write_quality(figures, words),
        write_definitions(figures, words),
    )
    numbered = tuple(
        replace(section, title=f"{number}  {section.title}")
        for number, section in enumerate(sections, 1)
    )
    return MonthlyReport(
        language=language,
        title=words.label(("Monthly report of the programme", "领军人才培育计划月度报告")),
        subtitle=f"{area} {figures.request.month}",
        month_end=figures.request.month.last.isoformat(),
        facts=_list_cover_facts(figures, words),
        basis=_describe_basis(figures, words),
        contents=words.label(("Contents", "目录")),
        sections=numbered,
    )


def format_policy_in_short(policy: Policy) -> Words:
    """The policy's chip with its as-of day, whatever day it is today."""
    bare = replace(policy, as_of=date.today())
    en, zh = (bare.chip(language) for language in ("en", "zh"))
    return Words(f"{en} · as of {policy.as_of}", f"{zh} · 截至 {policy.as_of}")


def _list_cover_facts(figures: ReportFigures, words: ReportWords) -> tuple[tuple[str, str], ...]:
    state = figures.state
    loaded = state.finished_at[:10] if state is not None else ""
    revision = f"{figures.revision} ({loaded})" if loaded else str(figures.revision)
    facts = [
        (words.label(("Month", "月份")), str(figures.request.month)),
        (words.label(("Area", "范围")), words.area(figures.request.province)),
        (words.label(("Policy", "统计口径")), _format_policy(figures, words)),
        (words.label(("Revision of the data", "数据版本")), revision),
        (words.label(("Data up to", "数据截至")), str(figures.data_until)),
    ]
    if state is not None and (note := state.said()) is not None:
        facts.append((words.label(("Note", "说明")), words.say(note)))
    return tuple(facts)


def _format_policy(figures: ReportFigures, words: ReportWords) -> str:
    policy = figures.request.policy
    return f"{format_policy_in_short(policy).said(words.language)} ({policy.id})"


def _describe_basis(figures: ReportFigures, words: ReportWords) -> str:
    return words.say(
        Message(
            "Policy {policy}; revision {revision}; data up to {day}",
            policy=_format_policy(figures, words),
            revision=figures.revision,
            day=figures.data_until,
        )
    )

"""The monthly report, as the page shows it and as it leaves."""

from __future__ import annotations

from functools import partial

from graph.messages import Language
from graph.policy import Policy
from graph.report.document import MonthlyReport
from graph.report.month_change import choose_earlier_revision
from graph.report.request import ReportMonth, ReportRequest, ReportSources
from graph.report.stored_report import has_monthly_report, load_monthly_report
from graph.snapshot.frames import open_snapshot
from graph.snapshot.take import list_cached_snapshots
from graph.store.standing import list_loads
from ui.reading import cached_metrics
from ui.shell import graph_state
from ui.words.i18n import current_language, t
from ui.words.terms import translate_term


def ensure_monthly_report(policy: Policy, month: str, province: str | None) -> bool:
    """Whether the report is there; if not, it is being worked out, and the page says so.

    Raises what `collect_report_figures` raises.
    """
    # The state and the language are read here: the job runs outside the page's run.
    sources, language = _fetch_report_sources(month), current_language()
    request = _build_request(policy, month, province)
    write = partial(
        load_monthly_report, sources, request, language, partial(translate_term, language=language)
    )
    return cached_metrics.ensure_background_job(
        ("report", graph_state.fetch_graph_state(), policy, month, province, language),
        cached_metrics.is_network_small() or has_monthly_report(sources, request, language),
        write,
        t("the report"),
    )


def fetch_monthly_report(policy: Policy, month: str, province: str | None) -> MonthlyReport:
    """The report in the visit's language. It names nobody, so that all see the same."""
    return _fetch_report(policy, month, province, current_language())


@graph_state.cache_by_graph_state(max_entries=12, resource=True)
def _fetch_report(
    policy: Policy, month: str, province: str | None, language: Language
) -> MonthlyReport:
    return load_monthly_report(
        _fetch_report_sources(month),
        _build_request(policy, month, province),
        language,
        partial(translate_term, language=language),
    )


def _build_request(policy: Policy, month: str, province: str | None) -> ReportRequest:
    return ReportRequest.of(ReportMonth.parse(month), policy, province)


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def _fetch_report_sources(month: str) -> ReportSources:
    database = graph_state.open_shared_database()
    snapshot, loads = graph_state.fetch_snapshot(), list_loads(database)
    snapshots = list_cached_snapshots(database, database.settings)
    chosen = choose_earlier_revision(snapshots, snapshot.revision, ReportMonth.parse(month))
    if chosen is None:
        return ReportSources(snapshot, loads)
    return ReportSources(snapshot, loads, open_snapshot(chosen.folder), chosen.made_at)

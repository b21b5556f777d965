"""The monthly report, as the page shows it and as it leaves."""

from __future__ import annotations

from functools import partial

from graph.policy import Policy
from graph.report.document import MonthlyReport
from graph.report.figures import ReportFigures, collect_report_figures
from graph.report.month_change import choose_earlier_revision
from graph.report.monthly import build_monthly_report
from graph.report.request import ReportMonth, ReportRequest, ReportSources
from graph.snapshot.frames import open_snapshot
from graph.snapshot.take import list_cached_snapshots
from graph.store.standing import list_loads
from ui.reading import cached_metrics
from ui.shell import graph_state
from ui.words.i18n import current_language, t
from ui.words.terms import translate_term


def ensure_report_figures(policy: Policy, month: str, province: str | None) -> bool:
    """Whether the figures are there; if not, they are being computed, and the page says so.

    Raises what `collect_report_figures` raises.
    """
    # The state is read here: the job runs outside the page's run.
    sources = _fetch_report_sources(month)
    request = _build_request(policy, month, province)
    return cached_metrics.ensure_background_job(
        ("report", graph_state.fetch_graph_state(), policy, month, province),
        cached_metrics.is_network_small(),
        partial(collect_report_figures, sources, request),
        t("the report"),
    )


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def _fetch_report_figures(policy: Policy, month: str, province: str | None) -> ReportFigures:
    return collect_report_figures(
        _fetch_report_sources(month), _build_request(policy, month, province)
    )


def fetch_monthly_report(policy: Policy, month: str, province: str | None) -> MonthlyReport:
    """The report in the visit's language. It names nobody, so that all see the same."""
    language = current_language()
    figures = _fetch_report_figures(policy, month, province)
    return build_monthly_report(figures, language, partial(translate_term, language=language))


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

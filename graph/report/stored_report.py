"""The monthly report as a page opens it: worked out once, stored beside the snapshot.

What it is made from is in the key: the tables' revision (the snapshot's folder), the month with its
policy, the province, the language, the revision compared with, and the loads listed. It names
nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import TypeAdapter

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.messages import Language
from graph.report.document import MonthlyReport
from graph.report.figures import collect_report_figures
from graph.report.monthly import build_monthly_report
from graph.report.request import ReportRequest, ReportSources

# Raised when a section changes, so that reports of an older form are not read as these.
REPORT_VERSION: Final = 2
_DOCUMENTS: Final = TypeAdapter(MonthlyReport)


def load_monthly_report(
    sources: ReportSources,
    request: ReportRequest,
    language: Language,
    translate_term: Callable[[str], str] = str,
) -> MonthlyReport:
    """The report of the month; `translate_term` as `build_monthly_report` takes it.

    Raises as `collect_report_figures`.
    """

    def write() -> pl.DataFrame:
        figures = collect_report_figures(sources, request)
        report = build_monthly_report(figures, language, translate_term)
        return pl.DataFrame({"document": [_DOCUMENTS.dump_json(report).decode()]})

    stored = load_cached_table(_build_report_path(sources, request, language), write)
    return _DOCUMENTS.validate_json(stored["document"][0])


def has_monthly_report(sources: ReportSources, request: ReportRequest, language: Language) -> bool:
    """Whether the report is stored, so that asking for it costs next to nothing."""
    return has_cached_table(_build_report_path(sources, request, language))


def _build_report_path(
    sources: ReportSources, request: ReportRequest, language: Language
) -> Path | None:
    snapshot, earlier = sources.snapshot, sources.earlier
    standing = snapshot.standing.said() if snapshot.standing is not None else None
    others = {
        "earlier": str(earlier.folder) if earlier is not None else None,
        "made": sources.earlier_made,
        "loads": [dict(load) for load in sources.loads],
        "standing": None if standing is None else str(standing),
        "finished": None if snapshot.standing is None else snapshot.standing.finished_at,
    }
    digest = hashlib.sha256(json.dumps(others, default=str, sort_keys=True).encode()).hexdigest()
    return build_table_path(
        snapshot,
        "report",
        REPORT_VERSION,
        str(request.month),
        request.policy.id,
        request.province or "",
        language,
        digest,
    )

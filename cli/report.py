"""`shicheng report`: the report of a month, as a Word file or an HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ForceOption, add_policy_options, parse_province
from cli.output import check_paths_writable, detect_output_format, write_output_file
from cli.root import cli
from cli.session import open_cli_database, take_cli_snapshot
from cli.state import CommandState
from cli.terminal import print_notice, print_policy, print_remark
from graph.errors import UsageError
from graph.messages import Language, Message, detect_terminal_language
from graph.policy import Policy

if TYPE_CHECKING:
    from graph.report.request import ReportRequest, ReportSources

REPORT_FORMATS = {"docx": "docx", "html": "html"}


@cli.command("report")
@add_policy_options
def report_command(
    policy: Policy,
    month: Annotated[
        str | None, typer.Option("--month", help="The month of the report, 2026-11.")
    ] = None,
    province: Annotated[
        str | None, typer.Option("--province", help="Name or code of a province.")
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option("--language", help="Of the report. [default: the terminal's]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--out", "--output", help="The file: report.docx or report.html."),
    ] = None,
    compare_with: Annotated[
        int | None,
        typer.Option(
            "--compare-with",
            help="The revision of last month's report. [default: the first stored since the month "
            "began, or the newest before]",
        ),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(
            "--templates",
            help="A folder with report.docx and report.css of your own. [default: templates in the "
            "data folder]",
        ),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write the report of a month: both ledgers, what changed and why, forecast, data quality.

    Everything is of the month's last day; the same revision and month give the same file. It names
    nobody, and its tables tell groups of one or two people as <3.

    Example: shicheng report --month 2026-11 --province 江苏 --language zh -o report.docx
    """
    if month is None or output is None:
        raise UsageError("name the month and the file: --month 2026-11 -o report.docx")
    format = detect_output_format(output, REPORT_FORMATS)
    check_paths_writable([output], force=force)
    if templates is not None and not templates.is_dir():
        raise UsageError("--templates has {path}, which is no folder", path=templates)
    from graph.report.request import ReportMonth, ReportRequest

    request = ReportRequest.of(ReportMonth.parse(month), policy, parse_province(province))
    print_policy(request.policy)
    content = _build_report(request, format, language, compare_with, templates)
    write_output_file(output, content)
    print_remark(Message("{month} -> {output}", month=request.month, output=output))


@cli.command("report-templates")
def report_templates_command(
    folder: Annotated[Path, typer.Argument(help="The folder to write them into.")],
    force: ForceOption = False,
) -> None:
    """Write the report's built-in templates into a folder: report.docx and report.css, to restyle.

    Example: shicheng report-templates templates
    """
    from graph.report.templates import build_report_templates

    folder.mkdir(parents=True, exist_ok=True)
    built = build_report_templates()
    check_paths_writable([folder / name for name in built], force=force)
    for name, content in built.items():
        write_output_file(folder / name, content)
    print_notice(
        Message(
            "{names} -> {folder}; restyle them, and name the folder with --templates",
            names=list(built),
            folder=folder,
        )
    )


def _build_report(
    request: ReportRequest,
    format: str | None,
    language: Language | None,
    compare_with: int | None,
    templates: Path | None,
) -> bytes:
    from functools import partial

    from graph.report.stored_report import load_monthly_report
    from graph.report.templates import locate_report_templates
    from graph.report.web import render_html_report
    from graph.report.word import render_word_report
    from ui.words.terms import translate_term

    said = language or detect_terminal_language()
    sources = _open_report_sources(request, compare_with)
    report = load_monthly_report(sources, request, said, partial(translate_term, language=said))
    render = render_word_report if format == "docx" else render_html_report
    return render(report, templates or locate_report_templates(CommandState.settings))


def _open_report_sources(request: ReportRequest, compare_with: int | None) -> ReportSources:
    from graph.report.month_change import choose_earlier_revision
    from graph.report.request import ReportSources
    from graph.snapshot.frames import open_snapshot
    from graph.snapshot.take import list_cached_snapshots
    from graph.store.standing import list_loads

    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
        snapshots = list_cached_snapshots(opened, CommandState.settings)
        loads = list_loads(opened)
    chosen = choose_earlier_revision(snapshots, snapshot.revision, request.month, compare_with)
    if chosen is None:
        return ReportSources(snapshot, loads)
    return ReportSources(snapshot, loads, open_snapshot(chosen.folder), chosen.made_at)

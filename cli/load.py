"""`shicheng load` and `shicheng generate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import completion
from cli.output import (
    check_paths_writable,
    print_json,
    print_table,
    record_cli_export,
)
from graph.errors import ShichengError, UsageError
from graph.messages import AnyOf, Message, detect_terminal_language
from graph.system_errors import not_written
from loaders import LOADER_MODULES

if TYPE_CHECKING:
    from graph.server.database import Database
    from loaders.department_files import DepartmentFiles
    from loaders.reports import LoadReport
    from loaders.tables import RawTable, UnreadFile

from cli.options import DEMO_NETWORK, MOST_MADE, ForceOption, JsonOption, parse_option_pairs
from cli.root import cli
from cli.session import open_cli_database
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar

# So many values that do not stand are listed after a load.
MAX_LISTED_CONFLICTS = 20


# load, generate


LoaderArgument = Annotated[
    str,
    typer.Argument(
        metavar="LOADER|FILE",
        help="Where the records come from: folder, wikidata; or a department's file, as it is.",
        autocompletion=completion.build_choice_completer(*LOADER_MODULES),
    ),
]
PathsArgument = Annotated[list[Path] | None, typer.Argument(help="Folders (or files) of one load.")]
AnswerOption = Annotated[
    list[str] | None,
    typer.Option("--answer", help="The answer to a question of a list, such as ladder=old."),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Check everything and count what the load does to the headline; write nothing.",
    ),
]
RejectsOption = Annotated[
    Path | None,
    typer.Option("--rejects", help="Where the refused rows are listed, as CSV."),
]
ReturnOption = Annotated[
    Path | None,
    typer.Option(
        "--return-to",
        help="A folder for workbooks to send back: each list with its refused or remarked cells "
        "marked, and why.",
    ),
]
CompleteOption = Annotated[
    bool,
    typer.Option(
        "--complete",
        help="These files are all that their sources state: take back what they no longer do.",
    ),
]
YesOption = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="With --complete: agree to more removals than SHICHENG_REMOVAL_SHARE of a table.",
    ),
]
WithdrawOption = Annotated[
    list[str] | None,
    typer.Option(
        "--withdraw",
        help="With --complete: a table of which the sources really state nothing any more.",
    ),
]
NoWaitOption = Annotated[
    bool,
    typer.Option(
        "--no-wait", help="While another load runs, end at once instead of waiting for its turn."
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source", help="Who states the rows. [default: as its mapping says, or the folder's name]"
    ),
]
FileEncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        help="How every CSV is encoded, such as utf-8, gb18030, big5. "
        "[default: found for each file]",
    ),
]


@cli.command()
def load(
    loader: LoaderArgument,
    paths: PathsArgument = None,
    dry_run: DryRunOption = False,
    rejects: RejectsOption = None,
    force: ForceOption = False,
    complete: CompleteOption = False,
    yes: YesOption = False,
    withdraw: WithdrawOption = None,
    source: SourceOption = None,
    encoding: FileEncodingOption = None,
    answer: AnswerOption = None,
    return_to: ReturnOption = None,
    no_wait: NoWaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Load records into the graph: exchange folders, or departments' files as they are.

    A file whose headers are those of an exchange table needs nothing more, whatever its name. Any
    other list needs a mapping that was confirmed with `shicheng inspect FILE --save`; without one
    nothing is loaded, and the open questions are said: exit code 2.

    A load of which no row can be taken is none: exit code 6. One that says it is complete, though
    a table of its sources is missing, empty or refused, is refused: exit code 4.

    Examples: shicheng load folder ./ministry ./unions --rejects refused.csv

    shicheng load 名单.xlsx --return-to ./back
    """
    from graph.errors import NothingLoadedError, RefusedLoadError
    from loaders.sync import load_records

    if rejects is not None:
        check_paths_writable([rejects], force=force)
    loader, tables, read = _read_given_tables(
        loader, paths or [], source, encoding, parse_option_pairs(answer, "--answer")
    )
    if return_to is not None and read is None:
        raise UsageError("--return-to goes with departments' files: shicheng load FILE")
    if (yes or withdraw) and not complete:
        raise UsageError("--yes and --withdraw go with --complete: only then is anything removed")
    with open_cli_database() as opened, show_progress_bar() as bar:
        try:
            report = load_records(
                opened,
                loader,
                tables(opened),
                home=CommandState.settings.home,
                complete=complete,
                agreed=yes,
                withdrawn=withdraw or (),
                dry_run=dry_run,
                queue=not no_wait,
                progress=bar,
                say=print_remark,
            )
        except (NothingLoadedError, RefusedLoadError) as refused:
            report = refused.report
    _report_load_outcome(report, rejects, read, return_to, as_json=as_json)


def _read_given_tables(
    loader: str,
    paths: list[Path],
    source: str | None,
    encoding: str | None,
    answers: dict[str, str],
) -> tuple[str, Callable[[Database], Iterable[RawTable | UnreadFile]], DepartmentFiles | None]:
    """The loader's name, and its tables once the store is open; departments' files as read."""
    if loader in LOADER_MODULES:
        tables = _read_loader_tables(loader, paths, source, encoding, answers)
        return loader, lambda opened: tables, None
    if not Path(loader).exists() and not Path(loader).suffix:
        raise UsageError(
            "there is no loader {loader}; take one of: {known}",
            loader=loader,
            known=AnyOf(LOADER_MODULES),
        )
    from graph.server.identity_key import build_id_digester
    from loaders.department_files import (
        explain_open_sheets,
        fetch_stored_people,
        iterate_raw_tables,
        read_department_files,
    )
    from loaders.tables import RereadTables

    home = CommandState.settings.home
    given = [Path(loader), *paths]
    _check_paths_exist(given)
    read = read_department_files(given, home, source, answers, encoding)
    if read.open:
        raise explain_open_sheets(read.open)

    def iterate_tables(opened: Database) -> Iterable[RawTable | UnreadFile]:
        digest = build_id_digester(home)
        find_stored = partial(fetch_stored_people, opened)
        return RereadTables(partial(iterate_raw_tables, read, digest, find_stored))

    return "files", iterate_tables, read


def _read_loader_tables(
    loader: str,
    paths: list[Path],
    source: str | None,
    encoding: str | None,
    answers: dict[str, str],
) -> Iterable[RawTable | UnreadFile]:
    """The tables that a loader gives of the files; what was asked wrongly is said before."""
    if not paths:
        raise UsageError("name the folders or files that {loader} shall load", loader=loader)
    _check_paths_exist(paths)
    given = {} if encoding is None else {"encoding": encoding}
    if given and loader != "folder":
        raise UsageError("--encoding is for CSV files: take it away, or load a folder")
    get = partial(import_module(LOADER_MODULES[loader]).get, paths, source, **given)
    tables: Iterable[RawTable | UnreadFile] = get()
    if loader != "folder":
        return tables
    from loaders.department_files import settle_folder_ladders
    from loaders.tables import RereadTables

    # What was asked wrongly has been said; the files are read when the tables are gone through.
    home = CommandState.settings.home
    return RereadTables(lambda: settle_folder_ladders(get(), home, answers))


def _report_load_outcome(
    report: LoadReport,
    rejects: Path | None,
    read: DepartmentFiles | None,
    return_to: Path | None,
    *,
    as_json: bool,
) -> None:
    """Writes the findings, prints the report, then raises what the load ended with."""
    from loaders.department_files import count_sheet_rows
    from loaders.return_workbooks import write_return_workbooks

    listed: Path | None = None
    returned: list[Path] = []
    failed: ShichengError | None = report.refusal
    try:
        listed = _write_load_findings(report, rejects)
        if return_to is not None and read is not None:
            record_cli_export("xlsx")
            returned = write_return_workbooks(read, report.findings, return_to)
    except OSError as error:  # what the load came to is said all the same
        place = rejects if listed is None else return_to
        failed = failed or not_written(place or CommandState.settings.home, error)
    summaries = [] if read is None else read.summaries
    counts = [count_sheet_rows(one, report.findings) for one in summaries]
    if as_json:
        sheets = {"sheets": counts, "returned": [str(path) for path in returned]}
        rejected = {"rejects": str(listed) if listed else None}
        print_json(report.as_dict() | (sheets if summaries else {}) | rejected)
    else:
        _print_load_report(report, listed)
        _print_sheet_counts(counts)
        for path in returned:
            print_notice(Message("to send back: {file}", file=path))
    if failed is not None:
        raise failed


def _check_paths_exist(paths: Sequence[Path]) -> None:
    """Raises `UsageError` for a path that is not there: before Neo4j is started for it."""
    for path in paths:
        if not path.exists():
            raise UsageError("{path} is not there; name a folder or a file of it", path=path)


def _write_load_findings(report: LoadReport, rejects: Path | None) -> Path | None:
    """Writes the findings, 0600; without a name of the user's own, into the data folder."""
    from loaders.reports import write_findings

    if report.findings.is_empty() and rejects is None:
        return None
    if rejects is not None:
        record_cli_export("csv")
    path = rejects or CommandState.settings.home / "rejects" / f"{report.load_id}.csv"
    write_findings(report.findings, path)
    return path


def _print_load_report(report: LoadReport, listed: Path | None) -> None:
    print_table(
        ("table", "file", "encoding", "read", "accepted", "refused", "remarks"),
        [
            (t.table, t.file, t.encoding, t.read, t.accepted, t.refused, t.remarks)
            for t in report.tables
        ],
    )
    _print_load_removals(report)
    _print_headline_change(report)
    for one in report.unread:
        print(one.reason.said(detect_terminal_language()), file=sys.stderr)
    _print_load_conflicts(report)
    if report.merged_ids:
        print_notice(
            Message(
                "{n:,} ids of people are further ids of persons known by another id: by the "
                "citizen ID number, the certificate number or a decision; the remarks name each.",
                n=report.merged_ids,
            )
        )
    if report.erased:
        print_notice(
            Message(
                "{n:,} of the refused rows state a person who was erased at request, or refer to "
                "one: they are listed, and nothing of them is stored.",
                n=report.erased,
            )
        )
    print_answer(
        Message(
            "{read:,} rows read = {accepted:,} accepted + {refused:,} refused; {what} in "
            "{seconds:.1f} s",
            read=report.read,
            accepted=report.accepted,
            refused=report.refused,
            what=_describe_load_outcome(report),
            seconds=report.seconds,
        )
    )
    if listed:
        print_notice(Message("refusals and remarks: {file}", file=listed))


def _print_sheet_counts(counts: Sequence[Mapping[str, int | str]]) -> None:
    if not counts:
        return
    rows = [tuple(count.values()) for count in counts]
    heads = ("sheet", "rows", "data", "accepted", "refused", "titles and footers", "blank")
    print_table(heads, rows)


def _describe_load_outcome(report: LoadReport) -> Message:
    if report.refusal is not None:
        return Message("nothing written")
    if report.dry_run:
        return Message("checked")
    return Message("loaded as revision {revision}", revision=report.revision)


def _print_load_removals(report: LoadReport) -> None:
    """What a complete load takes back, and what of the store went with it."""
    if report.taken_back:
        print_table(
            [head.said(detect_terminal_language()) for head in REMOVAL_COLUMN_TITLES],
            [
                (r.table, r.stated, r.taken_back, f"{r.share:.1%}", r.removed)
                for r in report.taken_back
            ],
        )
    if report.revision is not None and report.removed:
        heads = [head.said(detect_terminal_language()) for head in REMOVED_RECORD_TITLES]
        print_table(heads, list(report.removed.items()))


# Heads of what a complete load takes back, and of what of the store went with it.
REMOVAL_COLUMN_TITLES = (
    Message("taken back"),
    Message("stated so far"),
    Message("no longer stated"),
    Message("share"),
    Message("records that go"),
)
REMOVED_RECORD_TITLES = Message("removed from the store"), Message("records")
# Heads and rows of what a dry run does to the headline.
HEADLINE_COLUMN_TITLES = (
    Message("headline"),
    Message("before"),
    Message("after"),
    Message("difference"),
)
HEADLINE_FIGURES = {
    "driven_persons": Message("driven persons"),
    "driven_person_times": Message("driven person-times"),
}


def _print_headline_change(report: LoadReport) -> None:
    """What a load that was tried out would do to the national figures, or why that is not known."""
    headline = report.headline
    if headline is None:
        return
    if headline.unknown is not None:
        print_notice(headline.unknown)
    if headline.after is None:
        return
    language = detect_terminal_language()
    rows = []
    for figure, title in HEADLINE_FIGURES.items():
        now, was = headline.after[figure], (headline.before or {}).get(figure)
        rows.append((title.said(language), was, now, None if was is None else f"{now - was:+,}"))
    print_table([head.said(language) for head in HEADLINE_COLUMN_TITLES], rows)


def _print_load_conflicts(report: LoadReport) -> None:
    """Values that do not stand, since another source is believed; the first of them."""
    found = report.as_dict()["conflicts"]
    if not found:
        return
    columns = ("record", "property", "standing", "standing_source", "value", "source", "row")
    rows = [tuple(one[column] for column in columns) for one in found[:MAX_LISTED_CONFLICTS]]
    print_table(columns, rows, "Sources differ")
    if len(found) > len(rows):
        print_notice(
            Message(
                "{n:,} more values do not stand; the Data page lists them all.",
                n=len(found) - len(rows),
            )
        )


@cli.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="The exchange folder to write.")],
    talents: Annotated[
        int, typer.Option("--talents", max=MOST_MADE, help="Leading talents.")
    ] = DEMO_NETWORK["talents"],
    workers: Annotated[
        int, typer.Option("--workers", max=MOST_MADE, help="People beside them.")
    ] = DEMO_NETWORK["workers"],
    seed: Annotated[
        int, typer.Option("--seed", max=2**63 - 1, help="Same seed, same files.")
    ] = DEMO_NETWORK["seed"],
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet, not CSV.")] = False,
    dirt: Annotated[
        float, typer.Option("--dirt", help="Share of rows with the faults of real files.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Write a synthetic exchange folder: invented people, realistic shapes.

    Example: shicheng generate ./demo --talents 150 --workers 40000 --seed 2026
    """
    from loaders.synthetic.network import write_synthetic_folder as write

    with show_progress_bar() as bar:
        made = write(
            folder,
            talents=talents,
            workers=workers,
            seed=seed,
            parquet=parquet,
            dirt=dirt,
            progress=lambda done, total: bar("write", done, total),
        )
    total = sum(made.rows.values())
    if as_json:
        print_json({"folder": str(folder), "rows": made.rows, "seconds": round(made.seconds, 2)})
    else:
        print_table(("table", "rows"), list(made.rows.items()))
        message = Message(
            "{rows:,} rows in {seconds:.1f} s -> {folder}",
            rows=total,
            seconds=made.seconds,
            folder=folder,
        )
        print_answer(message)

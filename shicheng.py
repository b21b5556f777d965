"""The command line: each command a thin call into loaders/, graph/ and components/."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

import typer

from graph.errors import ShichengError, UsageError
from graph.policy import Policy
from graph.settings import Settings
from loaders import SOURCES

if TYPE_CHECKING:
    import polars as pl

    from graph.database import Database
    from graph.evidence import Event, Stated, Why
    from graph.metrics.driven import Driven
    from graph.queries import Table
    from graph.snapshot import Snapshot
    from loaders.sync import LoadReport

cli = typer.Typer(
    name="shicheng",
    help="Mentorship lineage, and how many high-skilled workers each leading talent drives.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
db = typer.Typer(
    help="The embedded Neo4j: start, stop, look at, dump, restore, check.", no_args_is_help=True
)
export_cli = typer.Typer(help="The network in other tools' formats.", no_args_is_help=True)
cli.add_typer(db, name="db")
cli.add_typer(export_cli, name="export")

DEMO = {"talents": 150, "workers": 40_000, "seed": 2026}

Format = Literal["csv", "json", "parquet"]
RowsFormat = Literal["csv", "json", "parquet", "xlsx"]
QueryFormat = Literal["table", "csv", "json", "parquet"]

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable JSON on stdout.")]
OutOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="Write to this file, not to stdout.")
]
# The options of every command under a policy, by their names in `Policy.parsed`.
POLICY_OPTIONS: dict[str, Any] = {
    "window": Annotated[
        str | None, typer.Option("--window", help="First and last day, 2024-01-01:2026-12-31.")
    ],
    "generations": Annotated[
        str | None, typer.Option("--generations", help="Most hops of a chain, or all (default: 3).")
    ],
    "unordered": Annotated[
        bool, typer.Option("--unordered", help="Ignore the dates of chains and events.")
    ],
    "undated": Annotated[
        str | None,
        typer.Option("--undated", help="Links of unknown start: include or exclude (default)."),
    ],
    "channels": Annotated[
        str | None, typer.Option("--channels", help="mentorship, studio, or both with a comma.")
    ],
    "as_of": Annotated[
        str | None, typer.Option("--as-of", help="The day as of which people are pending.")
    ],
    "high_skilled_level": Annotated[
        int | None, typer.Option("--high-skilled-level", help="Lowest level that counts, 1-8.")
    ],
}


def under_policy(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of the policy, which it is given as one: `policy`."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "policy"]
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=kind,
            default=False if name == "unordered" else None,
        )
        for name, kind in POLICY_OPTIONS.items()
    ]  # fmt: skip
    arguments = [p for p in own if p.default is inspect.Parameter.empty]
    rest = [p for p in own if p not in arguments]
    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in arguments + options + rest]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        rules = {name: given.pop(name) for name in POLICY_OPTIONS}
        rules["ordered"] = not rules.pop("unordered")
        command(policy=Policy.parsed(**rules), **given)

    run.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in every}
    return run


class State:
    """What holds for the whole command: the settings with `--home` taken in."""

    settings = Settings()


@cli.callback()
def _main(
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Data folder. [env: SHICHENG_HOME]", show_default=False),
    ] = None,
) -> None:
    State.settings = Settings().at(home)


# What goes to the terminal


def say(line: str) -> None:
    """A remark to the person at the terminal: on stderr, and not when it is piped."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total or None
        )


def print_json(value: object) -> None:
    """`value` on stdout, as JSON with Chinese as it is."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table for people on a terminal; tab-separated lines when piped."""
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join("" if cell is None else str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title or None)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    Console().print(table)


@contextmanager
def database() -> Iterator[Database]:
    """The Neo4j of the settings."""
    from graph.database import connect

    with connect(State.settings, say=say) as opened:
        yield opened


# load, generate


@cli.command()
def load(
    loader: Annotated[str, typer.Argument(help="Where the records come from: folder, wikidata.")],
    paths: Annotated[list[Path], typer.Argument(help="Folders (or files) of one load.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, write nothing.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", help="Where the refused rows are listed, as CSV."),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="These files are all that their sources state: take back what they no longer do.",
        ),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--source", help="Who states the rows. [default: the folder's name]"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Load records into the graph.

    Example: shicheng load folder ./ministry ./unions --rejects refused.csv
    """
    from importlib import import_module

    from loaders.sync import sync

    if loader not in SOURCES:
        raise UsageError(f"there is no loader {loader}; take one of: {', '.join(SOURCES)}")
    tables = import_module(SOURCES[loader]).get(paths, source)
    settings = State.settings
    with database() as opened, progress() as bar:
        report = sync(
            opened,
            loader,
            tables,
            home=settings.home,
            complete=complete,
            dry_run=dry_run,
            progress=bar,
            say=say,
        )
    listed = _list_findings(report, rejects)
    if as_json:
        print_json(report.as_dict() | {"rejects": str(listed) if listed else None})
    else:
        _print_report(report, listed)


def _list_findings(report: LoadReport, rejects: Path | None) -> Path | None:
    """Writes the findings, 0600; without a name of the user's own, into the data folder."""
    from loaders.sync import write_findings

    if report.findings.is_empty() and rejects is None:
        return None
    path = rejects or State.settings.home / "rejects" / f"{report.load_id}.csv"
    write_findings(report.findings, path)
    return path


def _print_report(report: LoadReport, listed: Path | None) -> None:
    print_table(
        ("table", "file", "read", "accepted", "refused", "remarks"),
        [(t.table, t.file, t.read, t.accepted, t.refused, t.remarks) for t in report.tables],
    )
    what = "checked" if report.dry_run else f"loaded as revision {report.revision}"
    print(
        f"{report.read:,} rows read = {report.accepted:,} accepted + {report.refused:,} refused; "
        f"{what} in {report.seconds:.1f} s"
    )
    if listed:
        print(f"refusals and remarks: {listed}", file=sys.stderr)


@cli.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="The exchange folder to write.")],
    talents: Annotated[int, typer.Option("--talents", help="Leading talents.")] = DEMO["talents"],
    workers: Annotated[int, typer.Option("--workers", help="People beside them.")] = DEMO[
        "workers"
    ],
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same files.")] = DEMO["seed"],
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet, not CSV.")] = False,
    dirt: Annotated[
        float, typer.Option("--dirt", help="Share of rows with the faults of real files.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Write a synthetic exchange folder: invented people, realistic shapes.

    Example: shicheng generate ./demo --talents 150 --workers 40000 --seed 2026
    """
    from loaders.synthetic import generate as write

    with progress() as bar:
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
        print(f"{total:,} rows in {made.seconds:.1f} s -> {folder}")


# The number


EngineOption = Annotated[
    str, typer.Option("--engine", help="polars, duckdb (spills to disk) or spark (a cluster).")
]
MasterOption = Annotated[
    str | None, typer.Option("--master", help="Spark's: local[2], spark://host:7077 ...")
]
SnapshotOption = Annotated[
    str | None,
    typer.Option("--snapshot", help="A snapshot's folder, or its address in Spark's storage."),
]


def _measure(
    policy: Policy, engine: str = "polars", master: str | None = None, place: str | None = None
) -> Driven:
    from graph.results import measured_at
    from graph.snapshot import take_snapshot

    if place is not None:
        return measured_at(place, policy, engine=engine, master=master)
    with database() as opened:
        snapshot = take_snapshot(opened, State.settings)
    return _measured(snapshot, policy, engine, master)


def _measured(
    snapshot: Snapshot, policy: Policy, engine: str = "polars", master: str | None = None
) -> Driven:
    from graph.results import measured

    return measured(snapshot, policy, engine=engine, master=master)


@cli.command()
@under_policy
def driven(
    policy: Policy,
    format: Annotated[Format, typer.Option("--format", help="Of the output.")] = "csv",
    as_json: JsonOption = False,
    output: OutOption = None,
    engine: EngineOption = "polars",
    master: MasterOption = None,
    snapshot: SnapshotOption = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Write the figures on the talents in Neo4j too.")
    ] = False,
) -> None:
    """How many new high-skilled workers each leading talent drives, a row a talent.

    With --publish they also become properties of the talents, for use in Cypher (see model.md).

    Example: shicheng driven --window 2024-01-01:2026-12-31 --generations 3 -o driven.csv
    """
    say(f"policy: {policy.chip()}")
    result = _measure(policy, engine, master, snapshot)
    if publish:
        _publish(result)
    _write_rows(result.table(), "json" if as_json else format, output, policy.as_dict())


def _publish(driven: Driven) -> None:
    from graph.publish import publish

    with database() as opened:
        talents = publish(opened, driven)
    say(f"published on {talents:,} leading talents, at revision {driven.revision}")


@cli.command()
@under_policy
def national(
    policy: Policy,
    as_json: JsonOption = True,
    engine: EngineOption = "polars",
    master: MasterOption = None,
    snapshot: SnapshotOption = None,
) -> None:
    """The national figures under a policy, as JSON.

    Example: shicheng national --generations all
    """
    found = _measure(policy, engine, master, snapshot)
    print_json(found.national | {"policy": policy.as_dict()})


# The evidence


@cli.command("why")
@under_policy
def why_command(
    policy: Policy,
    talent: Annotated[str, typer.Argument(help="The leading talent's person_id.")],
    worker: Annotated[str, typer.Argument(help="The worker's person_id.")],
    chains: Annotated[int, typer.Option("--chains", min=1, help="Most chains shown.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Why a worker counts for a leading talent, hop by hop with the rows, or why not.

    Example: shicheng why P0000001 P0000123 --generations 3
    """
    from graph.evidence import why
    from graph.snapshot import take_snapshot

    with database() as opened:
        answer = why(take_snapshot(opened, State.settings), policy, talent, worker, chains=chains)
    if as_json:
        print_json(answer.as_dict())
    else:
        _print_why(answer)


def _print_why(answer: Why) -> None:
    pair = f"{answer.worker_id} for {answer.talent_id}, {answer.policy.chip()}"
    if answer.counts:
        print(f"counts: {pair}: generation {answer.generation}, {answer.channel}")
    else:
        print(f"does not count: {pair}")
        print(f"{answer.reason}: {answer.sentence()}")
    if answer.events:
        print_table(
            ("recognised", "level", "counts", "generation", "channel", "rows"),
            [
                (e.day, e.level, _what(e), e.generation, e.channel, _places(e.rows))
                for e in answer.events
            ],
        )
    shown = [(str(number), chain) for number, chain in enumerate(answer.chains, 1)]
    shown += [("falls short", answer.failing)] if answer.failing else []
    if shown:
        columns = ("chain", "hop", "mentor", "apprentice", "channel", "start", "end", "studio")
        print_table(
            (*columns, "rows", "sources"),
            [
                (
                    name, hop, link.mentor, link.apprentice, link.channel, link.start, link.end,
                    link.studio, _places(link.rows),
                    "; ".join(sorted({source for row in link.rows for source in row.sources})),
                )
                for name, chain in shown
                for hop, link in enumerate(chain, 1)
            ],
        )  # fmt: skip
    if answer.more:
        print("more chains count; see them with --chains", file=sys.stderr)


def _what(event: Event) -> str:
    """In which ledgers a promotion counts."""
    if not event.counts:
        return "no"
    return "person and person-time" if event.first else "person-time"


def _places(rows: Sequence[Stated]) -> str:
    return " + ".join(f"{row.file}:{row.row}" for row in rows)


@cli.command("rows")
@under_policy
def rows_command(
    policy: Policy,
    talent: Annotated[str, typer.Argument(help="The leading talent's person_id.")],
    format: Annotated[RowsFormat, typer.Option("--format", help="Of the output.")] = "csv",
    as_json: JsonOption = False,
    output: OutOption = None,
) -> None:
    """Everything behind a leading talent's number: a row a person-time, with chains and rows.

    Example: shicheng rows P0000001 --format xlsx -o behind.xlsx
    """
    from graph.evidence import rows
    from graph.snapshot import take_snapshot

    say(f"policy: {policy.chip()}")
    with database() as opened:
        snapshot = take_snapshot(opened, State.settings)
        found = rows(snapshot, _measured(snapshot, policy), talent)
    _deliver(found, "json" if as_json else format, output, snapshot.revision, policy)


def _deliver(
    found: pl.DataFrame, format: RowsFormat, output: Path | None, revision: int, policy: Policy
) -> None:
    """A table under a policy to a file or stdout, in any format: see `_write_rows`."""
    if format != "xlsx":
        return _write_rows(found, format, output, policy.as_dict())
    from components.downloads import About, xlsx

    if output is None:
        raise UsageError("xlsx is not for a terminal; name a file with -o")
    output.write_bytes(xlsx(found, About(revision, policy)))
    say(f"{found.height:,} rows -> {output}")


# The other metrics


@cli.command("metric")
@under_policy
def metric_command(
    policy: Policy,
    name: Annotated[str | None, typer.Argument(help="The metric's name.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="key=value, as often as needed.")
    ] = None,
    format: Annotated[
        RowsFormat | None,
        typer.Option("--format", help="Of the output. [default: as the file is called, or csv]"),
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the metrics.")] = False,
    as_json: JsonOption = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--out", "--output", help="Write to this file, not to stdout."),
    ] = None,
) -> None:
    """Compute a metric of people, studios, enterprises, schools or the records; docs/metrics.md.

    Example: shicheng metric claims -p capacity=8 --out claims.xlsx
    """
    from graph.metrics import METRICS
    from graph.snapshot import take_snapshot

    if list_all or name is None:
        return _list_metrics(as_json)
    if name not in METRICS:
        raise UsageError(f"there is no metric {name}; `shicheng metric --list` names them all")
    metric = METRICS[name]
    parameters = metric.parsed(dict(_pair(text) for text in parameter or ()))
    say(f"policy: {policy.chip()}")
    with database() as opened:
        snapshot = take_snapshot(opened, State.settings)
    found = metric.table(snapshot, policy, **parameters)
    chosen: RowsFormat = "json" if as_json else format or _format_of(output)
    _deliver(found, chosen, output, snapshot.revision, policy)


def _format_of(output: Path | None) -> RowsFormat:
    """The format that the file's name asks for; csv where it asks for none."""
    ending = output.suffix[1:].lower() if output else ""
    return cast(RowsFormat, ending) if ending in get_args(RowsFormat) else "csv"


def _list_metrics(as_json: bool) -> None:
    from graph.metrics import METRICS

    listed = [
        (m.name, m.row, ", ".join(f"{k}={v}" for k, v in m.parameters.items()), m.en, m.zh)
        for m in METRICS.values()
    ]
    columns = ("name", "a row is a", "parameters", "title", "title_zh")
    if as_json:
        labels = {m.name: {c: list(words) for c, words in m.columns.items()}
                  for m in METRICS.values()}  # fmt: skip
        keys = ("name", "row", "parameters", "title", "title_zh")
        print_json([dict(zip(keys, r, strict=True)) | {"columns": labels[r[0]]} for r in listed])
    else:
        print_table(columns, listed)


@cli.command("diff")
@under_policy
def diff_command(
    policy: Policy,
    before: Annotated[int, typer.Argument(help="The earlier revision.")],
    after: Annotated[int, typer.Argument(help="The later revision.")],
    as_json: JsonOption = False,
    output: OutOption = None,
) -> None:
    """What changed between two revisions: figures, and the rows that changed them.

    With -o, every single change goes to that CSV, each with its cause. Revisions that are still
    kept can be compared; `shicheng db info` lists the loads.

    Example: shicheng diff 3 4 -o changes.csv
    """
    from graph.restatement import diff
    from graph.snapshot import snapshot_of, take_snapshot

    with database() as opened:
        take_snapshot(opened, State.settings)  # so that the newest revision is among the kept
        both = [snapshot_of(opened, State.settings, revision) for revision in (before, after)]
        old, new = ((snapshot, _measured(snapshot, policy)) for snapshot in both)
        found = diff(old, new)
    if output is not None:
        _write_rows(found.changes, "csv", output, policy.as_dict())
    if as_json:
        tables = {name: getattr(found, name).to_dicts() for name in RESTATED}
        print_json({"before": before, "after": after, "policy": policy.as_dict()} | tables)
    else:
        for name in RESTATED:
            table = getattr(found, name)
            print_table(table.columns, table.rows(), name)


# Tables of a restatement in the order they are shown.
RESTATED = ("national", "talents", "causes")


def _write_rows(
    rows: pl.DataFrame, format: Format, output: Path | None, policy: Mapping[str, Any] | None
) -> None:
    """Rows to a file or stdout. The policy goes along: in JSON, in Parquet's metadata, or, as CSV
    has no place for it, in `FILE.policy.json` beside it."""
    if format == "parquet":
        if output is None:
            raise UsageError("parquet is not for a terminal; name a file with -o")
        metadata = {"shicheng.policy": json.dumps(policy)} if policy else None
        rows.write_parquet(output, metadata=metadata)
    elif format == "json":
        value = {"policy": policy, "rows": rows.to_dicts()} if policy else rows.to_dicts()
        text = json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
        _write_text(text, output)
    else:
        _write_text(rows.write_csv(float_precision=6), output)
        if output is not None and policy is not None:
            beside = output.with_name(output.name + ".policy.json")
            beside.write_text(json.dumps(policy, indent=1) + "\n", "utf-8")
    if output is not None:
        say(f"{rows.height:,} rows -> {output}")


def _write_text(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, "utf-8")


# Queries


@cli.command()
def query(
    name: Annotated[str | None, typer.Argument(help="The query's name.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="key=value, as often as needed.")
    ] = None,
    format: Annotated[QueryFormat, typer.Option("--format", help="Of the output.")] = "table",
    list_all: Annotated[bool, typer.Option("--list", help="List the queries.")] = False,
    as_json: JsonOption = False,
    output: OutOption = None,
) -> None:
    """Run a named query.

    Example: shicheng query chain_down -p person_id=P0000001 --format csv
    """
    from graph.queries import load_queries, run

    queries = load_queries()
    if list_all or name is None:
        return _list_queries(as_json)
    if name not in queries:
        raise UsageError(f"there is no query {name}; `shicheng query --list` names them all")
    values = dict(_pair(text) for text in parameter or ())
    with database() as opened:
        _print_answer(run(opened, queries[name], values), "json" if as_json else format, output)


def _list_queries(as_json: bool) -> None:
    from graph.queries import load_queries

    listed = [
        (q.name, ", ".join(p.name for p in q.parameters), q.title_en, q.title_zh)
        for q in load_queries().values()
    ]
    columns = ("name", "parameters", "title", "title_zh")
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in listed])
    else:
        print_table(columns, listed)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"-p takes key=value, but got {text!r}")
    return key, value


@cli.command()
def cypher(
    statement: Annotated[str, typer.Argument(help="A Cypher statement that only reads.")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="key=value, as often as needed.")
    ] = None,
    format: Annotated[QueryFormat, typer.Option("--format", help="Of the output.")] = "table",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most rows.")] = 10_000,
    as_json: JsonOption = False,
    output: OutOption = None,
) -> None:
    """Run a Cypher statement, read only.

    Example: shicheng cypher "MATCH (s:Studio) RETURN s.kind, count(*)"
    """
    from graph.queries import run_cypher

    values = dict(_pair(text) for text in parameter or ())
    with database() as opened:
        answer = run_cypher(opened, statement, values, limit=limit)
    _print_answer(answer, "json" if as_json else format, output)


def _print_answer(answer: Table, format: QueryFormat, output: Path | None) -> None:
    if answer.truncated:
        print(f"only the first {len(answer.rows):,} rows; ask for more by --limit", file=sys.stderr)
    if format == "table" and output is None:
        print_table(answer.columns, answer.rows)
    elif format == "json":
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        _write_text(json.dumps(rows, ensure_ascii=False, indent=1, default=str) + "\n", output)
    else:
        import polars as pl

        flat = [[_flat(cell) for cell in row] for row in answer.rows]
        frame = pl.DataFrame(
            flat, schema=list(answer.columns), orient="row", infer_schema_length=None
        )
        _write_rows(frame, "parquet" if format == "parquet" else "csv", output, None)


def _flat(cell: object) -> object:
    """Lists and maps as JSON text, for formats that hold plain cells."""
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return cell


# Export


@export_cli.command("network")
def export_network(
    format: Annotated[
        Literal["graphml", "gexf", "json", "csv"], typer.Option("--format", help="Of the file.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    ego: Annotated[
        str | None, typer.Option("--ego", help="Only those within --radius links of this person.")
    ] = None,
    lineage: Annotated[
        str | None, typer.Option("--lineage", help="Only this person's mentors and descendants.")
    ] = None,
    path: Annotated[
        tuple[str, str] | None,
        typer.Option("--path", help="Only the shortest chains from one person to another."),
    ] = None,
    studio: Annotated[
        str | None, typer.Option("--studio", help="Only this studio and its people.")
    ] = None,
    radius: Annotated[int, typer.Option("--radius", min=1, help="Links, with --ego.")] = 1,
    up: Annotated[int, typer.Option("--up", min=0, help="Generations above: --lineage.")] = 2,
    down: Annotated[int, typer.Option("--down", min=0, help="Generations below: --lineage.")] = 3,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most people of a part.")] = 10_000,
) -> None:
    """Write the network for other tools: whole, or one bounded part of it.

    Example: shicheng export network --lineage P0000001 --format graphml -o lineage.graphml
    """
    from components.export import write_network
    from graph import network as part
    from graph.snapshot import take_snapshot

    if sum(chosen is not None for chosen in (ego, lineage, path, studio)) > 1:
        raise UsageError("one of --ego, --lineage, --path and --studio at a time")
    with database() as opened:
        snapshot = take_snapshot(opened, State.settings)
    if ego is not None:
        found = part.ego(snapshot, ego, radius=radius, limit=limit)
    elif lineage is not None:
        found = part.lineage(snapshot, lineage, up=up, down=down, limit=limit)
    elif path is not None:
        found = part.path(snapshot, *path, limit=limit)
    elif studio is not None:
        found = part.studio(snapshot, studio, limit=limit)
    else:
        found = part.whole(snapshot)
    write_network(found, format, output)
    if found.graph.get("left_out"):
        say(f"{found.graph['left_out']:,} more people were left out; raise --limit")
    say(f"{found.number_of_nodes():,} nodes, {found.number_of_edges():,} relations -> {output}")


# The app


@cli.command("app")
def run_app(
    port: Annotated[int, typer.Option("--port", help="On 127.0.0.1.")] = 8501,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo network when the store is empty.")
    ] = False,
) -> None:
    """Start the app in the browser's reach, at 127.0.0.1.

    Example: shicheng app --port 8501
    """
    settings = State.settings
    with database() as opened:
        if demo and opened.read("MATCH (n) RETURN count(n) AS n")[0]["n"] == 0:
            _load_demo(opened)
    script = Path(__file__).with_name("app.py")
    given = {**os.environ, "SHICHENG_HOME": str(settings.home)}
    print(f"Shicheng is at http://127.0.0.1:{port}  (Ctrl+C stops it)", flush=True)
    arguments = ["run", str(script), "--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", *arguments, "--server.headless", "true"]
    try:
        code = subprocess.call(command, cwd=script.parent, env=given)
    except KeyboardInterrupt:
        code = 0
    raise typer.Exit(code)


def _load_demo(opened: Database) -> None:
    """Writes the demo network's exchange folder and loads it as any other."""
    from loaders import folder
    from loaders.sync import sync
    from loaders.synthetic import generate as write

    say("the store is empty: loading the demo network (invented people)")
    with tempfile.TemporaryDirectory() as parent, progress() as bar:
        demo = Path(parent) / "demo"
        write(demo, **DEMO)
        tables = folder.get([demo])
        sync(opened, "folder", tables, home=State.settings.home, progress=bar)


# The database


@db.command()
def start() -> None:
    """Start the embedded Neo4j.

    Example: shicheng db start
    """
    from graph import embedded

    server = embedded.start(State.settings, say=say)
    print(f"Neo4j {server.version} runs at {server.uri} (process {server.pid})")


@db.command()
def stop() -> None:
    """Stop the embedded Neo4j.

    Example: shicheng db stop
    """
    from graph import embedded

    stopped = embedded.stop(State.settings)
    print("Neo4j has stopped" if stopped else "Neo4j was not running")


@db.command()
def status(as_json: JsonOption = False) -> None:
    """Whether the embedded Neo4j runs, and where.

    Example: shicheng db status --json
    """
    from dataclasses import asdict

    from graph import embedded

    server = embedded.status(State.settings)
    if as_json:
        print_json({"running": server is not None} | (asdict(server) if server else {}))
    else:
        print(f"runs at {server.uri} (process {server.pid})" if server else "does not run")


@db.command()
def info(as_json: JsonOption = False) -> None:
    """What the store holds: nodes and relations by kind, loads, size.

    Example: shicheng db info
    """
    from dataclasses import asdict

    from graph.admin import db_info

    with database() as opened:
        found = asdict(db_info(opened))
    if as_json:
        print_json(found)
    else:
        print_table(("what", "value"), _lines(found))


def _lines(value: Mapping[str, Any], before: str = "") -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = []
    for key, entry in value.items():
        if isinstance(entry, dict):
            lines += _lines(entry, f"{before}{key} ")
        else:
            lines.append((before + key, entry))
    return lines


@db.command()
def dump(
    file: Annotated[Path, typer.Argument(help="The dump to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite it.")] = False,
) -> None:
    """Write the whole store to a file (the server stops and starts again).

    Example: shicheng db dump backup.dump
    """
    from graph import admin

    admin.dump(State.settings, file, force=force, say=tell)


@db.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A dump made by `db dump`.")],
) -> None:
    """Replace the whole store by a dump (the server stops and starts again).

    Example: shicheng db restore backup.dump
    """
    from graph import admin

    admin.restore(State.settings, file, say=tell)


@db.command()
def check() -> None:
    """Check the store's consistency (the server stops and starts again).

    Example: shicheng db check
    """
    from graph import admin

    result = admin.check(State.settings, say=tell)
    print("the store is consistent" if result.consistent else "\n".join(result.report))
    raise typer.Exit(0 if result.consistent else 1)


def tell(line: str) -> None:
    """What a person must know even when piped: on stderr."""
    print(line, file=sys.stderr)


# doctor


@cli.command()
def doctor(as_json: JsonOption = False) -> None:
    """Look at everything the program needs, and say what to do about what is wrong.

    Example: shicheng doctor
    """
    from graph.doctor import examine

    findings = examine(State.settings)
    if as_json:
        print_json([{"what": f.what, "ok": f.ok, "found": f.found} for f in findings])
    else:
        print_table(
            ("", "what", "found"), [("ok" if f.ok else "!!", f.what, f.found) for f in findings]
        )
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)


def main() -> None:
    """Exit codes: 0 done, 1 failed, 2 wrong use, 3 database, 4 refused, 5 incomplete."""
    try:
        cli()
    except ShichengError as error:
        print(f"shicheng: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # a defect: kept in a log, without values, and said in one line
        print(f"shicheng: {_note_defect(error)}", file=sys.stderr)
        sys.exit(1)


def _note_defect(error: Exception) -> str:
    """Writes where it happened (no values: they may be personal) and says where that stands."""
    if os.environ.get("SHICHENG_DEBUG"):
        traceback.print_exception(error)
    log = State.settings.home / "logs" / "defects.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    frames = "".join(traceback.format_tb(error.__traceback__))
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{dt.datetime.now(dt.UTC):%FT%TZ} {type(error).__name__}\n{frames}\n")
    return f"a defect of the program ({type(error).__name__}); where it happened is in {log}"


if __name__ == "__main__":
    main()

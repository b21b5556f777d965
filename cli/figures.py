"""`shicheng driven`, `national`, `metric` and `diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import completion
from cli.output import (
    TERMINAL_FORMAT,
    Output,
    print_json,
    print_table,
)
from graph.errors import UsageError
from graph.messages import Message
from graph.policy import Policy

if TYPE_CHECKING:
    from graph.driven.figures import Driven
    from graph.snapshot.frames import Snapshot
    from loaders.erasure.restatements import ErasureRestatement

from cli.options import (
    EngineOption,
    JsonOption,
    MasterOption,
    SnapshotOption,
    add_output_options,
    add_policy_options,
    parse_option_pairs,
)
from cli.root import cli
from cli.session import (
    build_cli_about,
    build_data_status,
    open_cli_database,
    print_undoings,
    take_cli_snapshot,
)
from cli.state import CommandState
from cli.terminal import print_policy, print_remark, write_table_output


def _measure_figures(
    policy: Policy, engine: str = "polars", master: str | None = None, place: str | None = None
) -> Driven:
    from graph.driven.results import load_driven_from_location

    if place is not None:
        return load_driven_from_location(place, policy, engine=engine, master=master)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    return measure_snapshot_figures(snapshot, policy, engine, master)


def measure_snapshot_figures(
    snapshot: Snapshot, policy: Policy, engine: str = "polars", master: str | None = None
) -> Driven:
    """The figures of a snapshot under a policy; stored beside it, and read from there again."""

    from graph.driven.results import load_driven

    return load_driven(snapshot, policy, engine=engine, master=master)


@cli.command()
@add_policy_options
@add_output_options()
def driven(
    policy: Policy,
    output: Output,
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
    if publish and snapshot and "://" in snapshot:
        raise UsageError("--publish takes the figures of a data folder, not of an address")
    from graph.driven.engines import check_engine
    from graph.driven.terms import COLUMNS

    check_engine(engine, master)
    print_policy(policy)
    result = _measure_figures(policy, engine, master, snapshot)
    if publish:
        _publish_talent_figures(result, snapshot)
    about = build_cli_about(result.revision, policy, content="driven")
    write_table_output(result.table(), output, about, COLUMNS)


def _publish_talent_figures(driven: Driven, place: str | None) -> None:
    from graph.driven.publish import publish_figures
    from graph.metrics.cached_tables import load_metric_table
    from graph.snapshot.frames import open_snapshot

    with open_cli_database() as opened:
        local = open_snapshot(Path(place)) if place else take_cli_snapshot(opened)
        ranks = load_metric_table(local, driven.policy, "rank_band", driven=driven)
        talents = publish_figures(opened, driven, ranks)
    print_remark(
        Message(
            "published on {talents:,} leading talents, at revision {revision}",
            talents=talents,
            revision=driven.revision,
        )
    )


@cli.command()
@add_policy_options
@add_output_options("json")
def national(
    policy: Policy,
    output: Output,
    engine: EngineOption = "polars",
    master: MasterOption = None,
    snapshot: SnapshotOption = None,
) -> None:
    """The national figures under a policy, as JSON or as a table of figure and value.

    Example: shicheng national --generations all
    """
    import polars as pl

    from graph.driven.engines import check_engine

    check_engine(engine, master)
    found = _measure_figures(policy, engine, master, snapshot)
    about = build_cli_about(found.revision, policy, content="national")
    if output.format == "json":
        output.write_json(found.national | about.as_json())
        return
    figures = {"figure": list(found.national), "value": list(found.national.values())}
    write_table_output(pl.DataFrame(figures), output, about)


# The other metrics


@cli.command("metric")
@add_policy_options
@add_output_options()
def metric_command(
    policy: Policy,
    output: Output,
    name: Annotated[
        str | None,
        typer.Argument(help="The metric's name.", autocompletion=completion.complete_metric_names),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            help="key=value, as often as needed.",
            autocompletion=completion.complete_metric_parameters,
        ),
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the metrics.")] = False,
) -> None:
    """Compute a metric of people, studios, enterprises, schools or the records; docs/metrics.md.

    Example: shicheng metric claims -p capacity=8 -o claims.xlsx
    """
    from graph.metrics.registry import METRICS

    if list_all or name is None:
        return _print_metric_list(output.format == "json")
    if name not in METRICS:
        raise UsageError(
            "there is no metric {name}; `shicheng metric --list` names them all", name=name
        )
    metric = METRICS[name]
    parameters = metric.parsed(parse_option_pairs(parameter))
    print_policy(policy)
    with open_cli_database() as opened:
        snapshot = take_cli_snapshot(opened)
    found = metric.table(snapshot, policy, **parameters)
    all_parameters = metric.parameters | parameters
    about = build_cli_about(
        snapshot.revision, policy, parameters=all_parameters, content=f"metric {name}"
    )
    write_table_output(found, output, about, metric.columns)


def _print_metric_list(as_json: bool) -> None:
    from graph.metrics.registry import METRICS

    listed = [
        (m.name, m.row, ", ".join(f"{k}={v}" for k, v in m.parameters.items()), m.en, m.zh)
        for m in METRICS.values()
    ]
    columns = ("name", "a row is a", "parameters", "title", "title_zh")
    if as_json:
        labels = {
            m.name: {c: list(words) for c, words in m.columns.items()} for m in METRICS.values()
        }
        keys = ("name", "row", "parameters", "title", "title_zh")
        print_json([dict(zip(keys, r, strict=True)) | {"columns": labels[r[0]]} for r in listed])
    else:
        print_table(columns, listed)


@cli.command("diff")
@add_policy_options
@add_output_options(TERMINAL_FORMAT, as_json=None)
def diff_command(
    policy: Policy,
    output: Output,
    before: Annotated[int, typer.Argument(help="The earlier revision.")],
    after: Annotated[int, typer.Argument(help="The later revision.")],
    as_json: JsonOption = False,
) -> None:
    """What changed between two revisions: figures, and the rows that changed them.

    With -o or --format, every single change is written, each with its cause. Revisions that are
    still stored can be compared; `shicheng loads` lists the loads.

    Example: shicheng diff 3 4 -o changes.csv
    """
    from graph.dates import format_date_columns
    from graph.evidence.restatement import compare_measurements
    from graph.snapshot.take import load_snapshot_of_revision
    from graph.store.standing import read_newest_revision
    from loaders.erasure.restatements import find_erasure_restatement

    with open_cli_database() as opened:
        erased = find_erasure_restatement(opened, before, after)
        if erased is not None:
            _print_erasure(erased, policy, output, as_json=as_json)
            return
        take_cli_snapshot(opened)  # so that the newest revision is among those stored
        both = [
            load_snapshot_of_revision(opened, CommandState.settings, revision)
            for revision in (before, after)
        ]
        old, new = ((snapshot, measure_snapshot_figures(snapshot, policy)) for snapshot in both)
        found = compare_measurements(old, new)
        first, last = sorted((before, after))
        print_undoings(opened, first, min(last, read_newest_revision(opened) - 1))
    revisions = {"before": before, "after": after}
    if output.format != TERMINAL_FORMAT:
        about = build_cli_about(after, policy, parameters=revisions, content="diff")
        write_table_output(found.changes, output, about)
        if output.path is None:
            return
    shown = (*RESTATEMENT_TABLES, "merges")
    tables = {name: format_date_columns(getattr(found, name)) for name in shown}
    if as_json:
        rows = {name: table.to_dicts() for name, table in tables.items()}
        print_json(build_data_status() | revisions | {"policy": policy.as_dict()} | rows)
        return
    for name, table in tables.items():
        print_table(table.columns, table.rows(), name)


def _print_erasure(
    erased: ErasureRestatement, policy: Policy, output: Output, *, as_json: bool
) -> None:
    """The difference recorded at an erasure: the revision before is not stored."""
    erased.check_policy(policy)
    revisions = {"before": erased.before, "after": erased.after}
    if output.format != TERMINAL_FORMAT:
        about = build_cli_about(erased.after, erased.policy, parameters=revisions, content="diff")
        write_table_output(erased.talents, output, about)
        if output.path is None:
            return
    if as_json:
        tables = {name: getattr(erased, name).to_dicts() for name in RESTATEMENT_TABLES}
        print_json(revisions | {"policy": erased.policy.as_dict()} | tables)
        return
    for name in RESTATEMENT_TABLES:
        table = getattr(erased, name)
        print_table(table.columns, table.rows(), name)


# Tables of a restatement in the order they are shown.
RESTATEMENT_TABLES = ("national", "talents", "causes")

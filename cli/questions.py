"""`shicheng query` and `shicheng cypher`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli import completion
from cli.output import (
    TERMINAL_FORMAT,
    ColumnLabels,
    Output,
    print_json,
    print_table,
)
from graph.errors import UsageError
from graph.messages import Message, detect_terminal_language

if TYPE_CHECKING:
    from graph.cypher.named_queries import Table
    from graph.tabular import About

from cli.options import QUERY_FORMAT, add_output_options, parse_option_pairs
from cli.root import cli
from cli.session import (
    build_cli_about,
    open_cli_database,
    print_load_notice,
    take_cli_snapshot,
)
from cli.state import CommandState
from cli.terminal import print_notice, print_written

# Queries


@cli.command()
@add_output_options(TERMINAL_FORMAT, format=QUERY_FORMAT)
def query(
    output: Output,
    name: Annotated[
        str | None,
        typer.Argument(help="The query's name.", autocompletion=completion.complete_query_names),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            help="key=value, as often as needed.",
            autocompletion=completion.complete_query_parameters,
        ),
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the queries.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most rows.")] = 100_000,
) -> None:
    """Run a named query.

    Example: shicheng query chain_down -p person_id=P0000001 --format csv
    """
    from graph.cypher.named_queries import load_queries, run_query
    from graph.people.table_queries import bind_snapshot
    from graph.store.standing import read_newest_revision

    queries = load_queries()
    if list_all or name is None:
        return _print_query_list(output.format == "json")
    if name not in queries:
        raise UsageError(
            "there is no query {name}; `shicheng query --list` names them all", name=name
        )
    chosen = queries[name]
    values = parse_option_pairs(parameter)
    chosen.parse(values)  # what is wrong with them is said before Neo4j is started
    with open_cli_database() as opened:
        answer = run_query(
            opened,
            chosen,
            values,
            role=CommandState.settings.role,
            limit=limit,
            tables=bind_snapshot(lambda: take_cli_snapshot(opened)),
        )
        revision = read_newest_revision(opened)
        if CommandState.standing is None:
            print_load_notice(opened)
    parameters = {key: value for key, value in chosen.parse(values).items() if value is not None}
    about = build_cli_about(revision, parameters=parameters, content=f"query {name}")
    write_query_output(answer, output, about, chosen.columns)


def _print_query_list(as_json: bool) -> None:
    from graph.cypher.named_queries import load_queries

    listed = [
        (q.name, ", ".join(p.name for p in q.parameters), q.title_en, q.title_zh)
        for q in load_queries().values()
    ]
    columns = ("name", "parameters", "title", "title_zh")
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in listed])
    else:
        print_table(columns, listed)


@cli.command()
@add_output_options(TERMINAL_FORMAT, format=QUERY_FORMAT)
def cypher(
    statement: Annotated[str, typer.Argument(help="A Cypher statement that only reads.")],
    output: Output,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="key=value, as often as needed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most rows.")] = 10_000,
) -> None:
    """Run a Cypher statement, read only.

    A value has the type of the property it is compared with, else it is read as JSON: 4 is a
    number, "4" a text, 2024-05-01 a day.

    Example: shicheng cypher "MATCH (s:Studio) RETURN s.kind, count(*)"
    """
    from graph.cypher.named_queries import load_queries, parse_typed_values, run_cypher
    from graph.store.standing import read_newest_revision

    values = parse_typed_values(statement, parse_option_pairs(parameter))
    with open_cli_database() as opened:
        answer = run_cypher(opened, statement, values, role=CommandState.settings.role, limit=limit)
        revision = read_newest_revision(opened)
        print_load_notice(opened)
    about = build_cli_about(
        revision, parameters={"statement": statement} | values, content="cypher"
    )
    for notice in answer.notices:
        print(notice.said(detect_terminal_language()), file=sys.stderr)
    write_query_output(answer, output, about, next(iter(load_queries().values())).columns)


def write_query_output(
    answer: Table, output: Output, about: About, words: ColumnLabels | None = None
) -> None:
    """A query's rows to where they are to go; what was cut is said once, with how to get more."""
    if answer.truncated:
        about = replace(about, capped=len(answer.rows))
        most = len(answer.rows)
        how = "SHICHENG_RESULT_MB" if answer.too_large else "--limit"
        print_notice(
            Message("these are the first {most:,} rows; more by {how}", most=most, how=how)
        )
    output.write_answer(answer, about, words)
    print_written(len(answer.rows), output)

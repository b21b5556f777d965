"""`shicheng loads`."""

from __future__ import annotations

from cli.options import QUERY_FORMAT, add_output_options
from cli.output import TERMINAL_FORMAT, Output
from cli.questions import write_query_output
from cli.root import CommandState, cli
from cli.session import build_cli_about, open_cli_database


@cli.command("loads")
@add_output_options(TERMINAL_FORMAT, format=QUERY_FORMAT)
def loads_command(output: Output) -> None:
    """List the loads, the newest first: revision, sources, files, rows, people merged.

    Example: shicheng loads -o loads.xlsx --labels zh
    """
    from graph.cypher.named_queries import load_queries, run_query
    from graph.store.standing import read_newest_revision

    query = load_queries()["loads"]
    with open_cli_database() as opened:
        answer = run_query(opened, query, role=CommandState.settings.role)
        revision = read_newest_revision(opened)
    write_query_output(answer, output, build_cli_about(revision, content="loads"), query.columns)

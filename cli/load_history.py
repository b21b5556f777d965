"""`shicheng loads` and `shicheng undo`."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from cli.options import QUERY_FORMAT, JsonOption, add_output_options
from cli.output import TERMINAL_FORMAT, Output, print_json
from cli.questions import write_query_output
from cli.root import cli
from cli.session import build_cli_about, open_cli_database
from cli.state import CommandState
from cli.terminal import print_answer, print_remark, show_progress_bar


@cli.command("loads")
@add_output_options(TERMINAL_FORMAT, format=QUERY_FORMAT)
def loads_command(output: Output) -> None:
    """List the loads, the newest first: revision, sources, files, rows, people merged.

    A load that is "undoable" can be undone once the newer ones are; one that "undoes" another is
    its undoing.

    Example: shicheng loads -o loads.xlsx --labels zh
    """
    from graph.cypher.named_queries import load_queries, run_query
    from graph.store.standing import read_newest_revision

    query = load_queries()["loads"]
    with open_cli_database() as opened:
        answer = run_query(opened, query, role=CommandState.settings.role)
        revision = read_newest_revision(opened)
    write_query_output(answer, output, build_cli_about(revision, content="loads"), query.columns)


@cli.command("undo")
def undo_command(
    load: Annotated[str, typer.Argument(help="The load's id or revision: the newest.")],
    as_json: JsonOption = False,
) -> None:
    """Undo the newest load exactly, then, called again, the one before it.

    The graph is then as it was before the load, as a new revision; `shicheng loads` shows who
    undid it and when. The previous state is stored for the newest loads (SHICHENG_UNDO_LOADS). A
    load that cannot be undone is refused: exit code 4.

    Example: shicheng undo 4
    """
    from loaders.undoing import describe_undoing, undo_finished_load

    with open_cli_database() as opened, show_progress_bar() as bar:
        undone = undo_finished_load(opened, load, getpass.getuser(), progress=bar, say=print_remark)
    if as_json:
        print_json(undone.__dict__)
    else:
        print_answer(describe_undoing(undone))

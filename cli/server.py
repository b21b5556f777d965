"""`shicheng app`, `doctor` and `db`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    print_json,
    print_table,
)
from graph.messages import Message

if TYPE_CHECKING:
    from graph.server.database import Database

from cli.options import DEMO_NETWORK, JsonOption
from cli.root import cli, db
from cli.session import open_cli_database
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar

# The app


@cli.command("app")
def run_app(
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="On 127.0.0.1.")] = 8501,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo network when the store is empty.")
    ] = False,
) -> None:
    """Start the app in the browser's reach, at 127.0.0.1.

    Example: shicheng app --port 8501
    """
    from graph.store.standing import is_store_empty

    settings = CommandState.settings
    with open_cli_database() as opened:
        if demo and is_store_empty(opened):
            _load_demo_network(opened)
    script = Path(__file__).parents[1] / "app.py"
    given = {**os.environ, "SHICHENG_HOME": str(settings.home)}
    print_answer(Message("Shicheng is at http://127.0.0.1:{port}  (Ctrl+C stops it)", port=port))
    arguments = ["run", str(script), "--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", *arguments, "--server.headless", "true"]
    # The server takes this process's place, so that a signal to `shicheng app` reaches it.
    os.chdir(script.parent)
    # This very Python, with the program's own words.
    os.execve(command[0], command, given)  # noqa: S606


def _load_demo_network(opened: Database) -> None:
    """Writes the demo network's exchange folder and loads it as any other."""
    from loaders import folder
    from loaders.sync import load_records
    from loaders.synthetic.network import write_synthetic_folder as write

    print_remark(Message("the store is empty: loading the demo network (invented people)"))
    with tempfile.TemporaryDirectory() as parent, show_progress_bar() as bar:
        demo = Path(parent) / "demo"
        write(demo, **DEMO_NETWORK)
        tables = folder.get([demo])
        load_records(opened, "folder", tables, home=CommandState.settings.home, progress=bar)


# The database


@db.command()
def start() -> None:
    """Start the embedded Neo4j.

    Example: shicheng db start
    """
    from graph.server import embedded

    server = embedded.start_server(CommandState.settings, say=print_remark)
    print_answer(
        Message(
            "Neo4j {version} runs at {uri} (process {pid})",
            version=server.version,
            uri=server.uri,
            pid=server.pid,
        )
    )


@db.command()
def stop() -> None:
    """Stop the embedded Neo4j.

    Example: shicheng db stop
    """
    from graph.server import embedded

    stopped = embedded.stop_server(CommandState.settings)
    print_answer(Message("Neo4j has stopped") if stopped else Message("Neo4j was not running"))


@db.command()
def status(as_json: JsonOption = False) -> None:
    """Whether the embedded Neo4j runs, and where other programs find it.

    Example: shicheng db status --json
    """
    from graph.server import location

    found = location.build_connection_info(CommandState.settings)
    if as_json:
        print_json(found)
    elif found["running"]:
        print_answer(
            Message(
                "runs at {uri} (process {pid}); user {username}, database {database}, password "
                "in {password_file}",
                **found,
            )
        )
    else:
        print_answer(Message("does not run"))


@db.command()
def info(as_json: JsonOption = False) -> None:
    """What the store holds: nodes and relations by kind, loads, size.

    Example: shicheng db info
    """
    from dataclasses import asdict

    from graph.server.admin import read_database_info

    with open_cli_database() as opened:
        found = asdict(read_database_info(opened))
    if as_json:
        print_json(found)
    else:
        print_table(("what", "value"), _flatten_info(found))


def _flatten_info(value: Mapping[str, Any], before: str = "") -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = []
    for key, entry in value.items():
        if isinstance(entry, dict):
            lines += _flatten_info(entry, f"{before}{key} ")
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
    from graph.server import admin

    admin.dump_store(CommandState.settings, file, force=force, say=print_notice)


@db.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A dump made by `db dump`.")],
) -> None:
    """Replace the whole store by a dump (the server stops and starts again).

    Example: shicheng db restore backup.dump
    """
    from graph.server import admin
    from loaders.erasure.erased_people import list_erased_people

    admin.restore_store(CommandState.settings, file, say=print_notice)
    if list_erased_people(CommandState.settings.home):
        print_notice(
            Message(
                "People were erased from this data folder, and a dump of before holds them: erase "
                "them again with `shicheng forget --again --yes`."
            )
        )


@db.command()
def check() -> None:
    """Check the store's consistency (the server stops and starts again).

    Example: shicheng db check
    """
    from graph.server import admin

    result = admin.check_store(CommandState.settings, say=print_notice)
    if result.consistent:
        print_answer(Message("the store is consistent"))
    else:
        print("\n".join(result.report))
    raise typer.Exit(0 if result.consistent else 1)


# doctor


@cli.command()
def doctor(as_json: JsonOption = False) -> None:
    """Look at everything the program needs, and say what to do about what is wrong.

    Example: shicheng doctor
    """
    from graph.server.doctor import run_doctor_checks

    findings = run_doctor_checks(CommandState.settings)
    if as_json:
        print_json([{"what": f.what, "ok": f.ok, "found": f.found} for f in findings])
    else:
        print_table(
            ("", "what", "found"), [("ok" if f.ok else "!!", f.what, f.found) for f in findings]
        )
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)

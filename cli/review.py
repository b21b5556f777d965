"""What `shicheng people review` and `shicheng organisations review` share: the decisions."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import check_paths_writable, print_json, print_table
from cli.session import open_cli_database
from cli.state import CommandState
from cli.terminal import print_answer
from graph.errors import UsageError
from graph.messages import Message

if TYPE_CHECKING:
    from graph.store.identity_merge import IdentityKind
    from loaders.matching.judgements import Verdict

LaterOption = Annotated[
    tuple[str, str] | None,
    typer.Option("--later", metavar="ID ID", help="Put the pair at the end of the list."),
]
UndoOption = Annotated[
    tuple[str, str] | None,
    typer.Option("--undo", metavar="ID ID", help="Take the decision on the pair back."),
]
DecisionsOption = Annotated[
    bool, typer.Option("--decisions", help="List the decisions that stand.")
]
ExportOption = Annotated[
    Path | None, typer.Option("--export", help="Write the decisions that stand as CSV.")
]
ImportOption = Annotated[
    Path | None, typer.Option("--import", help="Take in decisions written by --export.")
]
PairLimitOption = Annotated[int, typer.Option("--limit", min=1, help="Most pairs listed.")]


def decide_asked_pair(
    identity: IdentityKind, asked: Mapping[Verdict, tuple[str, str] | None]
) -> bool:
    """Decides on the pair that the options name; whether they named one."""
    from loaders.matching.pair_decisions import decide_pair

    given = [(verdict, pair) for verdict, pair in asked.items() if pair is not None]
    if len(given) > 1:
        raise UsageError("one decision at a time: --same, --different, --later or --undo")
    for verdict, pair in given:
        with open_cli_database() as opened:
            outcome = decide_pair(opened, *pair, verdict, getpass.getuser(), identity)
        print_answer(outcome)
    return bool(given)


def move_decisions(
    identity: IdentityKind,
    export_to: Path | None,
    import_from: Path | None,
    *,
    listed: bool,
    force: bool,
    as_json: bool,
) -> bool:
    """Takes decisions in, writes them or lists them, as the options say; whether they did."""
    if import_from is not None:
        _import_decisions(identity, import_from)
    elif export_to is not None:
        _export_decisions(identity, export_to, force=force)
    elif listed:
        _list_decisions(identity, as_json=as_json)
    return listed or export_to is not None or import_from is not None


def _import_decisions(identity: IdentityKind, path: Path) -> None:
    from loaders.matching.judgements import import_judgements

    if not path.exists():
        raise UsageError("{path} is not there; name a folder or a file of it", path=path)
    taken = import_judgements(CommandState.settings.home, path, getpass.getuser(), identity)
    print_answer(Message("{n:,} decisions taken in", n=taken))


def _export_decisions(identity: IdentityKind, path: Path, *, force: bool) -> None:
    from loaders.matching.judgements import export_judgements

    check_paths_writable([path], force=force)
    written = export_judgements(CommandState.settings.home, path, identity)
    print_answer(Message("{n:,} decisions -> {file}", n=written, file=path))


def _list_decisions(identity: IdentityKind, *, as_json: bool) -> None:
    from loaders.matching.judgements import list_judgement_columns, list_judgements

    columns = list_judgement_columns(identity)
    rows = [astuple(one) for one in list_judgements(CommandState.settings.home, identity)]
    if as_json:
        print_json({"decisions": [dict(zip(columns, row, strict=True)) for row in rows]})
        return
    print_table(columns, rows)

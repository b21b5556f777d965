"""`shicheng token`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table
from cli.root import token_cli
from cli.state import CommandState
from cli.terminal import print_answer, print_notice
from graph.messages import Message, detect_terminal_language
from graph.roles import Role

_LIST_HEADS = (
    Message("token"),
    Message("name"),
    Message("role"),
    Message("created on"),
    Message("expires on"),
)


@token_cli.command("create")
def create_token_command(
    name: Annotated[str, typer.Argument(help="Who uses it, and for what.")],
    role: Annotated[Role, typer.Option("--role", help="What its answers hold.")] = "manager",
    days: Annotated[int, typer.Option("--days", help="How long it holds, 1 to 366.")] = 90,
) -> None:
    """Make a token for a script and print it, once: only its hash is stored.

    Example: shicheng token create "monthly figures" --days 30
    """
    from graph.analysis.api_tokens import create_token

    made, text = create_token(CommandState.settings, name, role, days)
    print(text)
    print_notice(
        Message(
            "token {id} ({role}) holds until {day}; it is not shown again",
            id=made.id,
            role=made.role,
            day=made.expires_on,
        )
    )


@token_cli.command("list")
def list_tokens_command(as_json: JsonOption = False) -> None:
    """List the tokens: id, name, role, days; never the tokens themselves.

    Example: shicheng token list
    """
    from graph.analysis.api_tokens import list_tokens

    rows = [
        (one.id, one.name, one.role, one.created_on, one.expires_on)
        for one in list_tokens(CommandState.settings.home)
    ]
    if as_json:
        keys = ("id", "name", "role", "created_on", "expires_on")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    language = detect_terminal_language()
    print_table([head.said(language) for head in _LIST_HEADS], rows)


@token_cli.command("revoke")
def revoke_token_command(
    id: Annotated[str, typer.Argument(help="Its id, as `shicheng token list` has it.")],
) -> None:
    """Take a token away: its next request is refused.

    Example: shicheng token revoke 0f1e2d3c
    """
    from graph.analysis.api_tokens import revoke_token

    gone = revoke_token(CommandState.settings.home, id)
    print_answer(Message("token {id} ({name}) is revoked", id=gone.id, name=gone.name))

"""Makes the pages that come from the code: docs/model.md and docs/commands.md."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from cli.main import cli
from graph.model.docs_page import page

DOCS = Path(__file__).parent


def commands() -> str:
    """docs/commands.md: every command with its options, as the command line declares them."""
    command = get_command(cli)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="shicheng")
    return f"{text.strip()}\n"


def pages() -> dict[str, str]:
    """Each made page by its file name."""
    return {"model.md": page(), "commands.md": commands()}


def main() -> None:
    """Writes them."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()

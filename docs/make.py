"""Makes the pages that come from the code: docs/model.md and docs/commands.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from graph.model_page import page

DOCS = Path(__file__).parent


def commands() -> str:
    """docs/commands.md: every command with its options, as the command line declares them."""
    command = [sys.executable, "-m", "typer", "shicheng.py", "utils", "docs", "--name", "shicheng"]
    return subprocess.run(
        command, cwd=DOCS.parent, check=True, capture_output=True, text=True
    ).stdout


def pages() -> dict[str, str]:
    """Each made page by its file name."""
    return {"model.md": page(), "commands.md": commands()}


def main() -> None:
    """Writes them."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()

"""The command line: each command a thin call into loaders/, graph/ and ui/."""

from __future__ import annotations

import datetime as dt
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path

from cli.output import check_utf8, leave_stdout, watch_stdout
from cli.root import cli
from cli.state import CommandState
from graph.errors import ShichengError
from graph.messages import Message, detect_terminal_language
from graph.system_errors import full_disk

# The modules of the commands, in the order of the help: each registers its own when imported.
_MODULES = (
    "load load_history erasure inspection mappings people organisations figures forecast shortages "
    "pairing departures scenario evidence questions mcp server backup account export report story "
    "audit tokens"
)
for _module in _MODULES.split():
    import_module(f"cli.{_module}")

# `cli` with every command in it: docs/make.py describes it.
__all__ = ["cli", "main"]


def main() -> None:
    """Exit codes: 0 done, 1 failed, 2 wrong use, 3 database, 4 refused, 5 incomplete, 6 nothing
    could be loaded."""
    try:
        watch_stdout()
        check_utf8(sys.argv[1:])
        try:
            cli()
        finally:
            sys.stdout.flush()
    except ShichengError as error:
        print(f"shicheng: {error.said(detect_terminal_language())}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except (SystemExit, GeneratorExit):
        raise
    except BrokenPipeError:
        leave_stdout()
    except BaseException as error:  # a full disk; or a defect, a library's panic too
        print(
            f"shicheng: {_describe_failure(error).said(detect_terminal_language())}",
            file=sys.stderr,
        )
        sys.exit(1)


def _describe_failure(error: BaseException) -> Message:
    """What to say of an error that no sentence was written for."""
    if os.environ.get("SHICHENG_DEBUG"):
        traceback.print_exception(error)
    if why := full_disk(error):
        return Message(
            "the disk takes nothing more ({why}): free some space on it, then run this again",
            why=why,
        )
    kind = type(error).__name__
    try:
        log = _log_defect(error)
    except OSError:
        return Message("a defect of the program ({kind})", kind=kind)
    return Message(
        "a defect of the program ({kind}); where it happened is in {log}", kind=kind, log=log
    )


def _log_defect(error: BaseException) -> Path:
    """Writes where it happened; no values, for they may be personal."""
    log = CommandState.settings.home / "logs" / "defects.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    frames = "".join(traceback.format_tb(error.__traceback__))
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{dt.datetime.now(dt.UTC):%FT%TZ} {type(error).__name__}\n{frames}\n")
    return log


if __name__ == "__main__":
    main()

"""`shicheng audit`."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ForceOption, JsonOption
from cli.output import check_paths_writable, print_json, print_table, write_output_file
from cli.root import audit_cli
from cli.state import CommandState
from cli.terminal import print_answer
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.audit.log import AuditEvent, record_event
from graph.audit.verification import verify_audit_log
from graph.errors import RefusedError, UsageError
from graph.messages import Message, detect_terminal_language
from graph.roles import has_permission

EventOption = Annotated[AuditEvent | None, typer.Option("--event", help="Only acts of this kind.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Only acts of this user.")]
PersonOption = Annotated[
    str | None, typer.Option("--person", help="Only acts on the person with this id.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="DAY", help="From this day (UTC): 2026-11-01.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="To this day (UTC), with it.")
]
EntryLimitOption = Annotated[int, typer.Option("--limit", min=1, help="Most lines, the newest.")]


@audit_cli.command("verify")
def verify_audit(
    expected: Annotated[
        str | None,
        typer.Option("--head", help="A SHA-256 that an earlier verify printed: still there?"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no line of the audit log was changed, removed, put elsewhere or cut off.

    Note the SHA-256 that it prints on another machine; `--head` finds a log that was written anew.
    Exit code 1 when something is wrong.

    Example: shicheng audit verify
    """
    check = verify_audit_log(CommandState.settings.home, expected)
    language = detect_terminal_language()
    if as_json:
        faults = [one.said(language) for one in check.faults]
        print_json({"lines": check.lines, "sha256": check.sha256, "faults": faults})
    elif not check.faults:
        print_answer(
            Message(
                "{lines:,} lines, all as they were written; the last: {hash}",
                lines=check.lines,
                hash=check.sha256 or "-",
            )
        )
    else:
        for one in check.faults:
            print_answer(one)
    raise typer.Exit(1 if check.faults else 0)


@audit_cli.command("search")
def search_audit(
    event: EventOption = None,
    by: ByOption = None,
    person: PersonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: EntryLimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """List lines of the audit log, the newest first; for data stewards.

    Example: shicheng audit search --person P0000001 --since 2026-11-01
    """
    wanted = _build_filter("audit_search", event, by, person, since, until)
    found = list(islice(iterate_audit_entries(CommandState.settings.home, wanted), limit))
    if as_json:
        columns = ("seq", "at", "by", "role", "via", "event", "facts")
        print_json([{name: getattr(one, name) for name in columns} for one in found])
        return
    print_table(
        ("seq", "at", "by", "role", "via", "event", "facts"),
        [(o.seq, o.at[:19], o.by, o.role, o.via, o.event, o.facts_text) for o in found],
    )


@audit_cli.command("export")
def export_audit(
    output: Annotated[Path, typer.Option("-o", "--out", "--output", help="The file: audit.jsonl")],
    event: EventOption = None,
    by: ByOption = None,
    person: PersonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    force: ForceOption = False,
) -> None:
    """Write lines of the audit log into a file, as they stand, the oldest first; for data stewards.

    Example: shicheng audit export --since 2026-01-01 -o audit.jsonl
    """
    check_paths_writable([output], force=force)
    wanted = _build_filter("audit_export", event, by, person, since, until)
    found = [one.raw for one in iterate_audit_entries(CommandState.settings.home, wanted)]
    write_output_file(output, "".join(f"{line}\n" for line in reversed(found)).encode())
    print_answer(Message("{lines:,} lines are in {file}", lines=len(found), file=output))


def _build_filter(
    what: str,
    event: AuditEvent | None,
    by: str | None,
    person: str | None,
    since: str | None,
    until: str | None,
) -> AuditFilter:
    """What is asked for. Raises `RefusedError` for who is no data steward."""
    settings = CommandState.settings
    if not has_permission(settings.role, "audit"):
        record_event(settings.home, "refusal", what=what)
        raise RefusedError(
            "Data stewards alone read the audit log: set SHICHENG_ROLE=steward if you are one."
        )
    for day in (since, until):
        try:
            if day is not None:
                dt.date.fromisoformat(day)
        except ValueError:
            raise UsageError("{day} is no day; write it as 2026-11-01", day=day) from None
    return AuditFilter(event, by, person, since, until)

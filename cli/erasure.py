"""`shicheng forget` and `shicheng retention`."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table
from cli.root import cli
from cli.session import open_cli_database
from cli.state import CommandState
from cli.terminal import print_answer, print_notice, print_remark, show_progress_bar
from graph.errors import RefusedLoadError, UsageError
from graph.messages import Message

if TYPE_CHECKING:
    from loaders.erasure.completion import ErasureOutcome

ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", help="Why, without personal data. [default: erased at request]"),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="List what would go, change nothing.")
]


@cli.command("forget")
def forget_command(
    person: Annotated[str | None, typer.Argument(help="The person's id, or a further one.")] = None,
    reason: ReasonOption = None,
    dry_run: DryRunOption = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Erase: nothing brings the person back.")
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="List who is barred: digests and days alone.")
    ] = False,
    allow: Annotated[
        str | None,
        typer.Option(
            "--allow", metavar="DIGEST|PERSON", help="Take a bar back: files may state the person."
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Erase who was erased before and came back by a restore."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Complete an erasure that was broken off.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a person with all relations from the graph, its history and the data folder.

    The figures fall for it, as a revision of its own; `shicheng diff` shows by how much. Later
    loads refuse rows that state the person or refer to one; loads before it can't be undone any
    more. Backups are listed: they still hold the person. Without --yes nothing is erased: exit
    code 4.

    Example: shicheng forget p0034 --dry-run
    """
    asked = [bool(person), listed, allow is not None, again, resume]
    if sum(asked) != 1:
        raise UsageError("name one person, or one of --list, --allow, --again and --resume")
    if listed:
        _list_barred(as_json=as_json)
    elif allow is not None:
        _allow_person(allow)
    elif resume:
        _resume_erasure()
    elif dry_run:
        _show_plan([person] if person else None, as_json=as_json)
    else:
        _erase_people([person] if person else None, reason, yes=yes, as_json=as_json)


def _list_barred(*, as_json: bool) -> None:
    from loaders.erasure.erased_people import list_erased_people

    found = list_erased_people(CommandState.settings.home)
    if as_json:
        print_json({"erased": [{"digest": one.digest, "day": one.day} for one in found]})
    else:
        print_table(("digest", "day"), [(one.digest, one.day) for one in found])


def _allow_person(named: str) -> None:
    from loaders.erasure.activity_log import log_activity
    from loaders.erasure.erased_people import allow_erased_person

    home = CommandState.settings.home
    allowed = allow_erased_person(home, named)
    log_activity(home, "allow", by=getpass.getuser(), digests=[allowed.digest])
    print_answer(
        Message(
            "The bar {digest} of {day} is taken back: load the files again to have the person.",
            digest=allowed.digest,
            day=allowed.day,
        )
    )


def _resume_erasure() -> None:
    from loaders.erasure.person_erasure import complete_broken_erasure

    with open_cli_database() as opened, show_progress_bar() as bar:
        complete_broken_erasure(opened, progress=bar, say=print_notice)
    print_answer(Message("No erasure is broken off."))


def _show_plan(named: list[str] | None, *, as_json: bool) -> None:
    from loaders.erasure.backups import describe_backup
    from loaders.erasure.person_erasure import find_returned_people, plan_erasure

    with open_cli_database() as opened:
        plan = plan_erasure(opened, find_returned_people(opened) if named is None else named)
    if as_json:
        print_json(plan.as_dict())
        return
    rows = [("people", plan.people), ("ids", plan.ids), *plan.relations.items()]
    print_table(("what", "goes"), [*rows, *plan.files.__dict__.items()])
    if plan.shared_names:
        print_notice(
            Message(
                "{n} of the names are others' too, or part of theirs: in notes and files such a "
                "name alone stays.",
                n=plan.shared_names,
            )
        )
    for kind, key in plan.places:
        print_notice(
            Message(
                "The name of {kind} {key} has the person's in it, and stays.", kind=kind, key=key
            )
        )
    for backup in plan.backups:
        print_notice(describe_backup(backup))
    print_answer(Message("Nothing was written."))


def _erase_people(named: list[str] | None, reason: str | None, *, yes: bool, as_json: bool) -> None:
    from loaders.erasure.person_erasure import REQUEST_REASON, erase_people, find_returned_people

    if not yes:
        raise RefusedLoadError(
            "An erasure can't be undone: look with --dry-run, then say --yes. Nothing was written."
        )
    with open_cli_database() as opened, show_progress_bar() as bar:
        people = find_returned_people(opened) if named is None else named
        if not people:
            print_answer(Message("Nobody of the graph was erased before."))
            return
        outcome = erase_people(
            opened,
            people,
            by=getpass.getuser(),
            reason=reason or REQUEST_REASON,
            progress=bar,
            say=print_remark,
        )
    _print_outcome(outcome, as_json=as_json)


def _print_outcome(outcome: ErasureOutcome, *, as_json: bool) -> None:
    from loaders.erasure.backups import describe_backup
    from loaders.erasure.person_erasure import describe_erasure

    if as_json:
        print_json(outcome.as_dict())
        return
    for message in describe_erasure(outcome):
        print_answer(message)
    for backup in outcome.backups:
        print_notice(describe_backup(backup))
    for path in outcome.traces:
        print_notice(
            Message(
                "{path} still has an id, a name or a certificate number of the person in it: look "
                "at it, and delete it or take that out.",
                path=path,
            )
        )
    for path in outcome.unreadable:
        print_notice(
            Message(
                "{path} could not be read, so nobody was taken out of it: look at it, and delete "
                "it where it names the person.",
                path=path,
            )
        )


@cli.command("retention")
def retention_command(
    dry_run: DryRunOption = False,
    apply: Annotated[bool, typer.Option("--apply", help="Remove what the rules take.")] = False,
    init: Annotated[
        bool, typer.Option("--init", help="Write a policy to start from: retention.yaml.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove by rule what need not stay: retention.yaml in the data folder says what, and when.

    What each run removed stands in erasures.log, without personal data.

    Example: shicheng retention --dry-run
    """
    from loaders.erasure.retention import apply_retention, plan_retention
    from loaders.erasure.retention_policy import write_example_policy

    if sum((dry_run, apply, init)) != 1:
        raise UsageError("say --dry-run to look, --apply to remove, or --init to begin")
    if init:
        print_answer(
            Message("written: {path}", path=write_example_policy(CommandState.settings.home))
        )
        return
    with open_cli_database() as opened, show_progress_bar() as bar:
        if dry_run:
            found = plan_retention(opened)
        else:
            by = getpass.getuser()
            found = apply_retention(opened, by=by, progress=bar, say=print_remark)
    if as_json:
        print_json({"applied": apply, "rules": [one.as_dict() for one in found]})
        return
    for one in found:
        print_answer(one.said())
    if not found:
        print_notice(
            Message("retention.yaml has no rule; `shicheng retention --init` writes some.")
        )
    elif dry_run:
        print_notice(Message("Nothing was removed."))

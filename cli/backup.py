"""`shicheng backup` and `shicheng restore`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ForceOption, JsonOption
from cli.output import print_json, print_table
from cli.root import backup_cli, cli
from cli.state import CommandState
from cli.terminal import print_answer, print_notice
from graph.errors import RefusedError, UsageError
from graph.messages import Message

if TYPE_CHECKING:
    from graph.archive.register import RegisteredBackup
    from graph.backup.restoring import RestoredBackup, VerifiedBackup

KeepOption = Annotated[
    int | None, typer.Option("--keep", min=1, help="The newest so many backups stay.")
]
DaysOption = Annotated[
    int | None, typer.Option("--days", min=1, help="Backups of the last so many days stay.")
]
UnencryptedFileOption = Annotated[
    bool,
    typer.Option(
        "--unencrypted",
        help="Although a key is set, take a backup that was made without one.",
    ),
]
BackupArgument = Annotated[Path, typer.Argument(help="A file that `backup create` wrote.")]


@backup_cli.command("create")
def create_home_backup(
    target: Annotated[
        Path, typer.Argument(help="A folder, where the backup gets a name, or a file.")
    ],
    keep: KeepOption = None,
    days: DaysOption = None,
    unencrypted: Annotated[
        bool, typer.Option("--unencrypted", help="Without a key: who has the file reads it all.")
    ] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the data folder into one encrypted file; Neo4j stops meanwhile, pages answer.

    It holds graph, notebook, mappings, accounts, tokens, audit log and keys as they are at one
    moment. The key comes from SHICHENG_BACKUP_KEY, SHICHENG_BACKUP_KEY_FILE or
    SHICHENG_BACKUP_KEY_COMMAND. With --keep or --days, older backups are then removed.

    Example: shicheng backup create /srv/backups --keep 14
    """
    from graph.archive.key import load_backup_key
    from graph.backup.creation import create_backup

    key = load_backup_key()
    _check_key_choice(key, unencrypted=unencrypted)
    made = create_backup(
        CommandState.settings, target, key=key, days=days, force=force, say=print_notice
    )
    removed = _remove_expired(keep, days)
    if as_json:
        facts = {"file": str(made.file), "size": made.size, "encrypted": made.encrypted}
        print_json(facts | dict(made.facts) | {"removed": removed})
        return
    print_answer(
        Message(
            "{file}: {size:,.1f} MB, revision {revision}",
            file=made.file,
            size=made.size / 1e6,
            revision=made.facts["revision"] or "-",
        )
    )
    _say_removed(removed)


def _check_key_choice(key: bytes | None, *, unencrypted: bool) -> None:
    if key is None and not unencrypted:
        raise RefusedError(
            "A backup is encrypted, and no key is set: set SHICHENG_BACKUP_KEY, "
            "SHICHENG_BACKUP_KEY_FILE or SHICHENG_BACKUP_KEY_COMMAND (`openssl rand -hex 32` "
            "makes a key), or say --unencrypted."
        )
    if key is not None and unencrypted:
        raise UsageError(
            "A key is set, and --unencrypted asks for a backup without one: leave one of them out."
        )


@backup_cli.command("verify")
def verify_backup_file(
    file: BackupArgument,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Also restore it into a folder beside the data folder, and compare."
        ),
    ] = False,
    unencrypted: UnencryptedFileOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read a backup to its end: every byte is as it was written, or exit code 1.

    Example: shicheng backup verify /srv/backups/shicheng-20261201T020000Z.backup
    """
    from graph.archive.key import load_backup_key
    from graph.backup.restoring import verify_backup, verify_backup_deeply

    key, settings = load_backup_key(), CommandState.settings
    file = file.expanduser().absolute()
    found = (
        verify_backup_deeply(settings, file, key, allow_unencrypted=unencrypted, say=print_notice)
        if deep
        else verify_backup(file, key, allow_unencrypted=unencrypted)
    )
    if as_json:
        print_json(_describe_verified(found) | {"restored": deep})
        return
    print_answer(
        Message(
            "{file}: of {day}, revision {revision}, {parts:,} parts, every byte as it was written",
            file=file,
            day=found.facts["made_at"],
            revision=found.facts["revision"] or "-",
            parts=len(found.sizes),
        )
    )
    if deep:
        print_answer(Message("restored into a temporary folder, its graph is the same"))


def _describe_verified(found: VerifiedBackup) -> dict[str, Any]:
    facts = {"file": str(found.file), "encrypted": found.encrypted, "parts": len(found.sizes)}
    return facts | dict(found.facts)


@backup_cli.command("list")
def list_home_backups(as_json: JsonOption = False) -> None:
    """List the backups of the data folder, the newest first, and until when they stay.

    `erased` counts the people who were erased since: the backup may still hold them. `overdue`: it
    is older than `backups_days` of retention.yaml allows.

    Example: shicheng backup list
    """
    from graph.archive.register import list_registered_backups

    home = CommandState.settings.home
    rows = [_describe_registered(home, one) for one in reversed(list_registered_backups(home))]
    if as_json:
        print_json(rows)
        return
    heads = ("file", "made_at", "size", "revision", "encrypted", "until", "erased", "overdue")
    print_table(heads, [tuple(row[name] for name in heads) for row in rows])


def _describe_registered(home: Path, one: RegisteredBackup) -> dict[str, Any]:
    from dataclasses import asdict

    from loaders.erasure.erased_people import list_erased_people
    from loaders.erasure.retention_policy import read_retention_policy

    days = read_retention_policy(home).backups_days
    made = dt.date.fromisoformat(one.made_at[:10])
    now = dt.datetime.now(dt.UTC).date()
    erased = sum(person.day >= one.made_at[:10] for person in list_erased_people(home))
    overdue = days is not None and made + dt.timedelta(days=days) < now
    return asdict(one) | {"erased": erased, "overdue": overdue}


@backup_cli.command("prune")
def prune_backups(keep: KeepOption = None, days: DaysOption = None) -> None:
    """Remove old backups of the data folder: those that neither rule keeps. The newest stays.

    Example: shicheng backup prune --keep 14
    """
    if keep is None and days is None:
        raise UsageError("Say which backups stay: --keep N, --days N, or both.")
    _say_removed(_remove_expired(keep, days), always=True)


def _remove_expired(keep: int | None, days: int | None) -> list[str]:
    from graph.archive.register import (
        list_registered_backups,
        remove_backups,
        select_expired_backups,
    )

    home = CommandState.settings.home
    there = list_registered_backups(home)
    going: Sequence[RegisteredBackup] = select_expired_backups(
        there, keep, days, dt.datetime.now(dt.UTC)
    )
    remove_backups(home, going)
    return [one.file for one in going]


def _say_removed(files: Iterable[str], *, always: bool = False) -> None:
    removed = list(files)
    if removed or always:
        print_answer(Message("{count:,} older backups removed", count=len(removed)))


@cli.command("restore")
def restore_home(
    file: BackupArgument,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Set a data folder that is there aside, and put it back if anything fails.",
        ),
    ] = False,
    unencrypted: UnencryptedFileOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the data folder (--home) out of a backup, verified before anything is touched.

    Example: shicheng --home /srv/shicheng restore shicheng-20261201T020000Z.backup
    """
    from graph.archive.key import load_backup_key
    from graph.backup.restoring import restore_backup

    settings = CommandState.settings
    done = restore_backup(
        settings,
        file,
        key=load_backup_key(),
        replace=replace,
        allow_unencrypted=unencrypted,
        say=print_notice,
    )
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        print_json(_describe_verified(done.verified) | {"home": str(settings.home), "aside": aside})
    else:
        print_answer(
            Message(
                "{home} is as it was at {day}, revision {revision}",
                home=settings.home,
                day=done.verified.facts["made_at"],
                revision=done.verified.facts["revision"] or "-",
            )
        )
    _say_what_to_do(done)


def _say_what_to_do(done: RestoredBackup) -> None:
    """What a restore leaves to the operator."""
    if done.aside is not None:
        print_notice(
            Message(
                "The data folder that stood there is {aside}: delete it when you need it no more.",
                aside=done.aside,
            )
        )
    if not done.verified.facts["graph"]:
        print_notice(
            Message(
                "This backup holds no graph: restore that of NEO4J_URI with its server's "
                "`neo4j-admin`."
            )
        )
    if done.erased:
        print_notice(
            Message(
                "People were erased from this data folder, and a dump of before holds them: erase "
                "them again with `shicheng forget --again --yes`."
            )
        )

"""The root command and its options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.output import (
    leave_stdout,
)
from cli.state import CommandState
from graph.audit.actor import Actor, acting_as, read_user_name
from graph.errors import RefusedError
from graph.purposes import StatedPurpose
from graph.roles import has_permission
from graph.settings import Settings

# The commands of a role that sees nobody; the others give people, or are about them.
VIEWER_COMMANDS: Final = frozenset({"account", "app", "doctor"})


class PipeSafeGroup(typer.core.TyperGroup):
    """The commands; a reader that has had enough, as `| head`, ends one without an error."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command and sees to it that what it wrote has left."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            leave_stdout()
            ctx.exit(0)
        return result


cli = typer.Typer(
    name="shicheng",
    cls=PipeSafeGroup,
    help="Mentorship lineage, and how many high-skilled workers each leading talent drives.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
db = typer.Typer(
    help="The embedded Neo4j: start, stop, look at, dump, restore, check.", no_args_is_help=True
)
export_cli = typer.Typer(help="The network in other tools' formats.", no_args_is_help=True)
people_cli = typer.Typer(
    help="Which ids are one person: by probability, and by decision.", no_args_is_help=True
)
organisations_cli = typer.Typer(
    help="Which ids are one enterprise, school or studio: by name, and by decision.",
    no_args_is_help=True,
)
mappings_cli = typer.Typer(
    help="The remembered mappings of departments' lists: list, show, export, import, delete.",
    no_args_is_help=True,
)
scenario_cli = typer.Typer(
    help="What if: people leave, studios open or close, mentorships begin; nothing is written.",
    no_args_is_help=True,
)
audit_cli = typer.Typer(
    help="Who did what when: verify, search and export the audit log.", no_args_is_help=True
)
token_cli = typer.Typer(
    help="Tokens by which scripts ask the app for named queries.", no_args_is_help=True
)
cli.add_typer(token_cli, name="token")
cli.add_typer(audit_cli, name="audit")
account_cli = typer.Typer(
    help="Who signs in to the app, and with which role: add, list, role, password, unlock, remove.",
    no_args_is_help=True,
)
cli.add_typer(account_cli, name="account")
backup_cli = typer.Typer(
    help="Backups of the whole data folder: create, verify, list, prune.", no_args_is_help=True
)
cli.add_typer(backup_cli, name="backup")
cli.add_typer(mappings_cli, name="mappings")
cli.add_typer(scenario_cli, name="scenario")
cli.add_typer(db, name="db")
cli.add_typer(people_cli, name="people")
cli.add_typer(organisations_cli, name="organisations")
cli.add_typer(export_cli, name="export")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"shicheng {version('shicheng')} (Neo4j {Settings().neo4j_version})")
        raise typer.Exit


@cli.callback()
def _apply_global_options(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Data folder. [env: SHICHENG_HOME]", show_default=False),
    ] = None,
    purpose: Annotated[
        StatedPurpose | None,
        typer.Option(
            "--purpose",
            help="What a data steward reads personal data for. [env: SHICHENG_PURPOSE]",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    settings = Settings().at(home)
    if purpose is not None:
        settings = settings.model_copy(update={"purpose": purpose})
    CommandState.settings = settings
    CommandState.command = context.invoked_subcommand or ""
    role = settings.role
    context.with_resource(acting_as(Actor(read_user_name(), role, "cli", settings.purpose)))
    if not has_permission(role, "people") and CommandState.command not in VIEWER_COMMANDS:
        raise RefusedError(
            "The role {role} sees national figures alone, in the app; SHICHENG_ROLE gives another "
            "role.",
            role=role,
        )

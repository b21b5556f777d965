"""`shicheng account`: who signs in to the app with a password of its own, and with which role."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table
from cli.root import account_cli
from cli.state import CommandState
from cli.terminal import print_answer, print_notice
from graph.errors import UsageError
from graph.messages import Message, detect_terminal_language
from graph.roles import ROLE_LABELS, Role

if TYPE_CHECKING:
    from graph.accounts.registry import Account

_LIST_HEADS = (
    Message("account"),
    Message("role"),
    Message("signs in"),
    Message("state"),
    Message("provinces, industries"),
)
NameArgument = Annotated[str, typer.Argument(help="The account's name, or an address.")]
PasswordOption = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Read the password from the first line of stdin. [default: a random one is made]",
    ),
]


ProvinceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--province",
        help="Only people of this province: code or name. Give it again for more. Managers alone.",
    ),
]
IndustryOption = Annotated[
    list[str] | None,
    typer.Option(
        "--industry",
        help="Only people in enterprises of this industry, as they state it. Give it again for "
        "more. Managers alone.",
    ),
]


@account_cli.command("add")
def add_account_command(
    name: NameArgument,
    role: Annotated[Role, typer.Option("--role", help="What the account may do.")] = "manager",
    password_stdin: PasswordOption = False,
    no_password: Annotated[
        bool,
        typer.Option(
            "--no-password", help="A role alone, for an address that signs in at a provider."
        ),
    ] = False,
    province: ProvinceOption = None,
    industry: IndustryOption = None,
) -> None:
    """Add an account; the app asks for a sign-in as soon as one has a password.

    The first with a password must be an admin's. A random password is printed once, and the
    account chooses its own when it first signs in. A manager may be given some provinces or
    industries, whose people alone the account then sees.

    Example: shicheng account add li --role admin
    """
    from graph.accounts.registry import add_account, make_password
    from graph.accounts.scope import parse_scope

    if no_password and password_stdin:
        raise UsageError("Give --no-password or --password-stdin, not both.")
    given = _read_password() if password_stdin else None
    password = None if no_password else given or make_password()
    account = add_account(
        CommandState.settings.home,
        name,
        role,
        password,
        must_change=bool(password and not given),
        scope=parse_scope(province or (), industry or ()),
    )
    if password is not None and given is None:
        _print_password(password)
    print_answer(Message("the account {name} is there", name=account.name))


@account_cli.command("list")
def list_accounts_command(as_json: JsonOption = False) -> None:
    """List the accounts: name, role, how they sign in, whether they are locked.

    Example: shicheng account list
    """
    from graph.accounts.registry import list_accounts

    now, language = datetime.now(UTC), detect_terminal_language()
    found = list_accounts(CommandState.settings.home)
    if as_json:
        print_json({"accounts": [_describe_account(one, now) for one in found]})
        return
    with_password, elsewhere = Message("with a password"), Message("at a provider")
    rows = [
        (
            one.name,
            ROLE_LABELS[one.role][language == "zh"],
            (with_password if one.password else elsewhere).said(language),
            Message("locked until {until}", until=one.locked_until).said(language)
            if one.is_locked(now)
            else "",
            ", ".join((*one.provinces, *one.industries)),
        )
        for one in found
    ]
    print_table([head.said(language) for head in _LIST_HEADS], rows)


def _describe_account(account: Account, now: datetime) -> dict[str, object]:
    return {
        "account": account.name,
        "role": account.role,
        "provinces": list(account.provinces),
        "industries": list(account.industries),
        "has_password": bool(account.password),
        "must_change_password": account.must_change,
        "locked_until": account.locked_until if account.is_locked(now) else None,
    }


@account_cli.command("role")
def set_role_command(
    name: NameArgument, role: Annotated[Role, typer.Argument(help="The new role.")]
) -> None:
    """Give an account another role; it has to sign in again.

    Example: shicheng account role li steward
    """
    from graph.accounts.registry import set_account_role

    account = set_account_role(CommandState.settings.home, name, role)
    label = Message("{name} has the role {role}", name=account.name, role=account.role)
    print_answer(label)


@account_cli.command("scope")
def set_scope_command(
    name: NameArgument, province: ProvinceOption = None, industry: IndustryOption = None
) -> None:
    """Limit a manager to the people of provinces and industries; with none given, lift the limit.

    Several provinces widen it, and so do several industries; a person must fit both. The account
    has to sign in again.

    Example: shicheng account scope li --province 32
    """
    from graph.accounts.registry import set_account_scope
    from graph.accounts.scope import parse_scope

    scope = parse_scope(province or (), industry or ())
    account = set_account_scope(CommandState.settings.home, name, scope)
    if scope.everybody:
        print_answer(Message("{name} sees everybody", name=account.name))
        return
    area = ", ".join((*scope.provinces, *scope.industries))
    print_answer(Message("{name} sees the people of {area} alone", name=account.name, area=area))


@account_cli.command("password")
def set_password_command(name: NameArgument, password_stdin: PasswordOption = False) -> None:
    """Give an account a new password and unlock it; it has to sign in again.

    Example: shicheng account password li
    """
    from graph.accounts.registry import make_password, set_account_password

    given = _read_password() if password_stdin else None
    password = given or make_password()
    home = CommandState.settings.home
    account = set_account_password(home, name, password, must_change=given is None)
    if given is None:
        _print_password(password)
    print_answer(Message("{name} has a new password", name=account.name))


@account_cli.command("unlock")
def unlock_command(name: NameArgument) -> None:
    """Unlock an account that was locked after wrong passwords.

    Example: shicheng account unlock li
    """
    from graph.accounts.registry import unlock_account

    account = unlock_account(CommandState.settings.home, name)
    print_answer(Message("{name} is unlocked", name=account.name))


@account_cli.command("remove")
def remove_account_command(name: NameArgument) -> None:
    """Remove an account; its open sessions end.

    Example: shicheng account remove li
    """
    from graph.accounts.registry import remove_account

    remove_account(CommandState.settings.home, name)
    print_answer(Message("the account {name} is gone", name=name))


def _read_password() -> str:
    """The first line of stdin without its end; never an argument, which others could list."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise UsageError("There is no password on stdin.")
    return password


def _print_password(password: str) -> None:
    """On stdout alone, so that it can be handed on; the notice says what it is."""
    print_notice(Message("The password, shown this once; it must be changed at the first sign-in:"))
    print(password)

"""The accounts of a data folder: `accounts/accounts.json`, readable by its owner only.

A password is stored as its Argon2id hash. An account without one is a role for somebody who
signs in elsewhere (OpenID Connect), by address. Every change is a line of the audit log.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock

from graph.accounts.scope import EVERYBODY, Scope, parse_scope
from graph.atomic import write_private_file
from graph.audit.actor import UNKNOWN_USER, Actor
from graph.audit.log import record_event
from graph.errors import UsageError
from graph.roles import ROLES, Role, has_permission

ACCOUNTS_FOLDER: Final = "accounts"
ACCOUNTS_FILE_NAME: Final = "accounts.json"
MIN_PASSWORD_LENGTH: Final = 10
MAX_PASSWORD_LENGTH: Final = 200
# Wrong passwords in a row before an account is locked, and for how long.
MAX_FAILED_SIGN_INS: Final = 5
LOCK_OUT: Final = timedelta(minutes=15)
_LOCK_SECONDS: Final = 30.0
_NAME_PATTERN: Final = re.compile(r"[\w.@+-]{1,100}")

SignInOutcome = Literal["ok", "refused", "locked"]


@dataclass(frozen=True)
class Account:
    """One who may sign in. `password` is a hash, "" for none; `locked_until` an ISO time or ""."""

    name: str
    role: Role
    password: str = ""
    must_change: bool = False
    failed: int = 0
    locked_until: str = ""
    # Whom a manager may see (`graph.accounts.scope`): nothing here is everybody.
    provinces: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    # Rises whenever open sessions must end: with a new password or role.
    generation: int = 0

    @property
    def scope(self) -> Scope:
        """Whom the account may see, where its role sees people."""
        return Scope(self.provinces, self.industries)

    def is_locked(self, now: datetime) -> bool:
        """Whether nobody signs in by this name now, whatever the password."""
        return bool(self.locked_until) and now < datetime.fromisoformat(self.locked_until)


def normalize_account_name(text: str) -> str:
    """The name an account goes by: NFKC, lower case, no spaces around it."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def list_accounts(home: Path) -> list[Account]:
    """All accounts by name. Raises UsageError where the file is none of ours."""
    path = home / ACCOUNTS_FOLDER / ACCOUNTS_FILE_NAME
    try:
        state = path.stat()
        return list(_parse_accounts(path, state.st_mtime_ns, state.st_size, state.st_ino))
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            "The file of accounts {file} is damaged, so nobody can sign in. Bring it back from a "
            "backup, or delete it and add the accounts again: `shicheng account add`.",
            file=path,
        ) from error


@lru_cache(maxsize=4)
def _parse_accounts(path: Path, *state: int) -> tuple[Account, ...]:
    """The accounts of a file in one state of it: every run of a page asks."""
    stated = json.loads(path.read_text("utf-8"))
    found = [_parse_account(one) for one in stated["accounts"]]
    if any(one.role not in ROLES for one in found):
        raise ValueError(ACCOUNTS_FILE_NAME)
    return tuple(sorted(found, key=lambda one: one.name))


def _parse_account(stated: dict[str, Any]) -> Account:
    """An account of the file. Raises ValueError for a scope that is none: it limits somebody."""
    asked = {name: stated.get(name, []) for name in ("provinces", "industries")}
    if any(not isinstance(one, list) for one in asked.values()):
        raise ValueError(ACCOUNTS_FILE_NAME)
    try:
        scope = parse_scope(**asked)
    except (UsageError, AttributeError) as error:
        raise ValueError(ACCOUNTS_FILE_NAME) from error
    return Account(**{**stated, "provinces": scope.provinces, "industries": scope.industries})


def find_account(home: Path, name: str) -> Account | None:
    """The account of a name, in any spelling of it."""
    wanted = normalize_account_name(name)
    return next((one for one in list_accounts(home) if one.name == wanted), None)


def has_local_accounts(home: Path) -> bool:
    """Whether somebody can sign in with a password here, so that the app asks for it.

    A damaged file counts as one: it must not open the app to everybody.
    """
    try:
        return any(one.password for one in list_accounts(home))
    except UsageError:
        return True


def add_account(
    home: Path,
    name: str,
    role: Role,
    password: str | None,
    *,
    must_change: bool = False,
    scope: Scope = EVERYBODY,
) -> Account:
    """A new account; without a password a role for an address that signs in elsewhere.

    Raises UsageError for a name that is taken or no name, a short password, a scope of a role
    that takes none, and for a first account with a password that is no admin's.
    """
    _require_scoped_role(role, scope)
    wanted = normalize_account_name(name)
    if not _NAME_PATTERN.fullmatch(wanted):
        raise UsageError(
            "{name!r} is no name of an account: use letters, digits and . _ @ + -, at most 100.",
            name=name[:100],
        )
    hashed = "" if password is None else hash_password(password)
    # An account of this name may have been removed while a session of it was open.
    made = Account(
        wanted,
        role,
        hashed,
        must_change,
        provinces=scope.provinces,
        industries=scope.industries,
        generation=secrets.randbits(48),
    )
    with _change_accounts(home) as accounts:
        if wanted in accounts:
            raise UsageError("There is an account {name} already.", name=wanted)
        _require_first_admin(accounts | {wanted: made})
        _record_change(home, "add", made)
        accounts[wanted] = made
    return made


def set_account_role(home: Path, name: str, role: Role) -> Account:
    """Another role; open sessions of the account end. Raises UsageError for the last admin."""
    with _change_accounts(home) as accounts:
        changed = replace(_require(accounts, name), role=role)
        _require_scoped_role(role, changed.scope)
        changed = replace(changed, generation=changed.generation + 1)
        _require_admin_remains(accounts, changed.name, changed)
        _record_change(home, "role", changed)
        accounts[changed.name] = changed
    return changed


def set_account_scope(home: Path, name: str, scope: Scope) -> Account:
    """Other people to see; open sessions of the account end. Raises UsageError for a role that
    takes no scope.
    """
    with _change_accounts(home) as accounts:
        old = _require(accounts, name)
        _require_scoped_role(old.role, scope)
        changed = replace(
            old,
            provinces=scope.provinces,
            industries=scope.industries,
            generation=old.generation + 1,
        )
        _record_change(home, "scope", changed)
        accounts[changed.name] = changed
    return changed


def has_limited_accounts(home: Path) -> bool:
    """Whether some account does not see everybody, so that an unknown visitor must not either."""
    return any(
        not (one.scope.everybody and has_permission(one.role, "people"))
        for one in list_accounts(home)
    )


def set_account_password(
    home: Path, name: str, password: str, *, must_change: bool = False
) -> Account:
    """A new password; the account is unlocked, and its open sessions end."""
    hashed = hash_password(password)
    with _change_accounts(home) as accounts:
        old = _require(accounts, name)
        changed = replace(
            old,
            password=hashed,
            must_change=must_change,
            failed=0,
            locked_until="",
            generation=old.generation + 1,
        )
        _require_first_admin(accounts | {changed.name: changed})
        _record_change(home, "password", changed)
        accounts[changed.name] = changed
    return changed


def unlock_account(home: Path, name: str) -> Account:
    """Wrong passwords are forgotten; whoever has the right one signs in at once."""
    with _change_accounts(home) as accounts:
        changed = replace(_require(accounts, name), failed=0, locked_until="")
        _record_change(home, "unlock", changed)
        accounts[changed.name] = changed
    return changed


def remove_account(home: Path, name: str) -> None:
    """The account goes; its open sessions end. Raises UsageError for the last admin of others."""
    with _change_accounts(home) as accounts:
        old = _require(accounts, name)
        _require_admin_remains(accounts, old.name, None)
        _record_change(home, "remove", old)
        del accounts[old.name]


def verify_sign_in(
    home: Path, name: str, password: str, now: datetime | None = None
) -> tuple[SignInOutcome, Account | None]:
    """Whether the password is the account's; `MAX_FAILED_SIGN_INS` wrong ones lock it.

    A name that nobody has takes as long as a wrong password, and is answered alike.
    """
    now = now or datetime.now(UTC)
    known = find_account(home, name)
    right = _is_password_right(known.password if known else "", password[:MAX_PASSWORD_LENGTH])
    with _change_accounts(home) as accounts:
        account = accounts.get(normalize_account_name(name))
        if account is None or not account.password:
            _record_sign_in(home, UNKNOWN_USER, "", "refused")
            return "refused", None
        if account.is_locked(now):
            _record_sign_in(home, account.name, account.role, "locked")
            return "locked", None
        # The password may have been changed meanwhile.
        right = right and known is not None and known.password == account.password
        changed = _count_sign_in(account, right, now)
        _record_sign_in(home, account.name, account.role, "ok" if right else "refused")
        accounts[account.name] = changed
    return ("ok", changed) if right else ("refused", None)


def hash_password(password: str) -> str:
    """The Argon2id hash. Raises UsageError for a password that is too short or too long."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise UsageError(
            "A password has {least} to {most} characters.",
            least=MIN_PASSWORD_LENGTH,
            most=MAX_PASSWORD_LENGTH,
        )
    return _hasher().hash(password)


def make_password() -> str:
    """A random password of 20 characters, 119 bits, for an admin to hand over."""
    return secrets.token_urlsafe(15)


def _count_sign_in(account: Account, right: bool, now: datetime) -> Account:
    if right:
        return replace(account, failed=0, locked_until="")
    failed = account.failed + 1
    if failed < MAX_FAILED_SIGN_INS:
        return replace(account, failed=failed)
    return replace(account, failed=0, locked_until=(now + LOCK_OUT).isoformat())


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # the second profile of RFC 9106: 64 MiB, three rounds


@cache
def _unknown_hash() -> str:
    """A hash that no password fits, for names that nobody has."""
    return _hasher().hash(secrets.token_hex())


def _is_password_right(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed or _unknown_hash(), password) and bool(hashed)
    except (VerificationError, InvalidHashError):
        return False


def _require(accounts: dict[str, Account], name: str) -> Account:
    found = accounts.get(normalize_account_name(name))
    if found is None:
        raise UsageError(
            "There is no account {name}. `shicheng account list` names them.", name=name[:100]
        )
    return found


def _require_scoped_role(role: Role, scope: Scope) -> None:
    """A scope goes with the role that it is held for; the others see all, or nobody."""
    if not scope.everybody and role != "manager":
        raise UsageError(
            "A scope of provinces or industries goes with the role manager, not with {role}. Give "
            "the role manager, or take the scope away: `shicheng account scope NAME`.",
            role=role,
        )


def _lacks_admin(accounts: Mapping[str, Account]) -> bool:
    """Whether some sign in with a password, and no admin does."""
    signing_in = [one.role for one in accounts.values() if one.password]
    return bool(signing_in) and "admin" not in signing_in


def _require_first_admin(accounts: Mapping[str, Account]) -> None:
    if _lacks_admin(accounts):
        raise UsageError(
            "The first account with a password must be an admin's: add it with --role admin."
        )


def _require_admin_remains(
    accounts: Mapping[str, Account], name: str, changed: Account | None
) -> None:
    left = {key: one for key, one in accounts.items() if key != name}
    if changed:
        left[name] = changed
    if _lacks_admin(left):
        raise UsageError(
            "{name} is the last admin; make somebody else an admin first: `shicheng account role "
            "NAME admin`.",
            name=name,
        )


@contextmanager
def _change_accounts(home: Path) -> Iterator[dict[str, Account]]:
    """All accounts by name; what is in the dictionary at the end is written, if it differs."""
    folder = home / ACCOUNTS_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(folder / "accounts.lock", timeout=_LOCK_SECONDS, mode=0o600):
        accounts = {one.name: one for one in list_accounts(home)}
        before = dict(accounts)
        yield accounts
        if accounts != before:
            _write_accounts(folder / ACCOUNTS_FILE_NAME, accounts)


def _write_accounts(file: Path, accounts: dict[str, Account]) -> None:
    stated: dict[str, Any] = {"accounts": [asdict(accounts[name]) for name in sorted(accounts)]}
    write_private_file(file, json.dumps(stated, ensure_ascii=False, indent=1).encode())


def _record_change(home: Path, change: str, account: Account) -> None:
    scope = account.scope
    record_event(
        home,
        "account",
        change=change,
        account=account.name,
        role=account.role,
        provinces=",".join(scope.provinces),
        industries=",".join(scope.industries),
    )


def _record_sign_in(home: Path, name: str, role: str, outcome: SignInOutcome) -> None:
    record_event(home, "sign_in", actor=Actor(name, role, "app"), outcome=outcome)

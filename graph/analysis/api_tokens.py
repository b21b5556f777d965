"""Tokens by which a script asks the app's server: `tokens.json` in the data folder, mode 0600.

The file holds no token, only the SHA-256 of each: a token is 256 random bits, so that nothing
finds it by trying. Each has a role and an end; a revoked one is gone from the file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock

from graph.atomic import write_private_file
from graph.audit.log import record_event
from graph.errors import RefusedError, ShichengError, UsageError
from graph.purposes import PURPOSES, Purpose
from graph.roles import ROLES, Role, has_permission
from graph.settings import Settings

TOKENS_FILE_NAME: Final = "tokens.json"
PRINTED_PREFIX: Final = "shc_"
MAX_TOKEN_DAYS: Final = 366
MAX_TOKEN_NAME_CHARACTERS: Final = 60


@dataclass(frozen=True)
class ApiToken:
    """A token as the file knows it: `id` names it, `digest` is its SHA-256; days are ISO 8601."""

    id: str
    name: str
    role: Role
    created_on: str
    expires_on: str
    digest: str
    # What a steward's token reads personal data for; without it everything is masked.
    purpose: Purpose = ""

    @property
    def expired(self) -> bool:
        """Whether its last day is over (UTC)."""
        return dt.datetime.now(dt.UTC).date().isoformat() > self.expires_on


def create_token(settings: Settings, name: str, role: Role, days: int) -> tuple[ApiToken, str]:
    """A new token, and its text, which is shown only once.

    Raises `UsageError` for a name or a number of days that is out of range, `RefusedError` where
    one who is no data steward asks for a steward's.
    """
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise UsageError(
            "A token holds 1 to {most} days, not {days}.", most=MAX_TOKEN_DAYS, days=days
        )
    if not name.strip() or len(name) > MAX_TOKEN_NAME_CHARACTERS or not name.isprintable():
        raise UsageError(
            "A token needs a name of 1 to {most} characters, which says who uses it.",
            most=MAX_TOKEN_NAME_CHARACTERS,
        )
    if has_permission(role, "personal_data") and not has_permission(settings.role, "personal_data"):
        raise RefusedError(
            "Only a data steward makes a steward's token: take --role manager, or set "
            "SHICHENG_ROLE."
        )
    if has_permission(role, "personal_data") and not settings.purpose:
        raise UsageError(
            "A steward's token says what it reads personal data for: give --purpose, one of "
            "{purposes}.",
            purposes=list(PURPOSES),
        )
    if not has_permission(role, "people"):
        raise UsageError("The role {role} runs no queries, so it needs no token.", role=role)
    text = PRINTED_PREFIX + secrets.token_urlsafe(32)
    today = dt.datetime.now(dt.UTC).date()
    made = ApiToken(
        secrets.token_hex(4),
        name.strip(),
        role,
        today.isoformat(),
        (today + dt.timedelta(days=days)).isoformat(),
        _hash_token(text),
        settings.purpose if has_permission(role, "personal_data") else "",
    )
    with _lock_tokens(settings.home):
        record_event(settings.home, "decision", what="token", verdict="create", token=made.id)
        _write_tokens(settings.home, [*list_tokens(settings.home), made])
    return made, text


def list_tokens(home: Path) -> list[ApiToken]:
    """The tokens that were not revoked, the oldest first; expired ones too."""
    try:
        stated = json.loads((home / TOKENS_FILE_NAME).read_text("utf-8"))
        found = [ApiToken(**one) for one in stated]
        if any(one.role not in ROLES for one in found):
            raise ValueError(TOKENS_FILE_NAME)
        return found
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        raise ShichengError(
            "{file} is damaged, so no token is taken: remove it and create the tokens anew.",
            file=home / TOKENS_FILE_NAME,
        ) from None


def revoke_token(home: Path, id: str) -> ApiToken:
    """Takes a token away for good. Raises `UsageError` when there is none with this id."""
    with _lock_tokens(home):
        known = list_tokens(home)
        found = next((one for one in known if one.id == id), None)
        if found is None:
            raise UsageError("There is no token {id}; `shicheng token list` names them.", id=id)
        record_event(home, "decision", what="token", verdict="revoke", token=id)
        _write_tokens(home, [one for one in known if one is not found])
    return found


def find_token(home: Path, text: str) -> ApiToken | None:
    """The token with this text; None for an unknown, a revoked and an expired one alike."""
    digest = _hash_token(text)
    found = [one for one in list_tokens(home) if secrets.compare_digest(one.digest, digest)]
    return found[0] if found and not found[0].expired else None


def _hash_token(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _lock_tokens(home: Path) -> Iterator[None]:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(home / f"{TOKENS_FILE_NAME}.lock", timeout=30, mode=0o600):
        yield


def _write_tokens(home: Path, tokens: list[ApiToken]) -> None:
    stated = json.dumps([asdict(one) for one in tokens], ensure_ascii=False, indent=1)
    write_private_file(home / TOKENS_FILE_NAME, stated.encode())

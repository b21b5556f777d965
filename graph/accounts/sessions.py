"""Who is signed in: sessions in the memory of the app's process, by a random token.

The token alone is in the browser (a cookie); here is its SHA-256. A session ends after
`IDLE_LIMIT` without a visit, after `SESSION_LIMIT` in all, with a new password, another role or
the removal of the account, with the process, and by signing out.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from graph.accounts.registry import Account, find_account
from graph.errors import UsageError

IDLE_LIMIT: Final = timedelta(minutes=30)
SESSION_LIMIT: Final = timedelta(hours=12)


@dataclass
class Session:
    """One who is signed in, since when, and when last seen."""

    name: str
    generation: int
    began: datetime
    seen: datetime


_sessions: dict[str, Session] = {}
_lock = threading.Lock()


def open_session(account: Account, now: datetime | None = None) -> str:
    """A new session's token, to be known by the browser alone."""
    now = now or datetime.now(UTC)
    token = secrets.token_urlsafe(32)
    with _lock:
        for digest in [key for key, one in _sessions.items() if _is_over(one, now)]:
            del _sessions[digest]
        _sessions[_digest(token)] = Session(account.name, account.generation, now, now)
    return token


def find_session_account(home: Path, token: str, now: datetime | None = None) -> Account | None:
    """The account that the token is signed in as; None when the session is over or none."""
    now = now or datetime.now(UTC)
    with _lock:
        session = _sessions.get(_digest(token))
        if session is None:
            return None
        if _is_over(session, now):
            del _sessions[_digest(token)]
            return None
    try:
        account = find_account(home, session.name)
    except UsageError:  # a damaged file lets nobody in
        return None
    if account is None or account.generation != session.generation:
        close_session(token)
        return None
    session.seen = now
    return account


def close_session(token: str) -> None:
    """Signs out; a token that is none is none still."""
    with _lock:
        _sessions.pop(_digest(token), None)


def _is_over(session: Session, now: datetime) -> bool:
    return now - session.seen > IDLE_LIMIT or now - session.began > SESSION_LIMIT


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()

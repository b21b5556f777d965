"""Who visits, and what of people's data a visitor sees.

Without sign-in (an app on one's own machine) everyone is `local` with the role of the settings.
With local accounts (`shicheng account add`) a visitor is the account whose session the browser's
cookie names. With OpenID Connect (`[auth]` in Streamlit's secrets) a visitor is the mail address
that the provider vouches for, with the role of the account of that name, a data steward when the
settings name it; whoever has none, or one that is not confirmed, is a manager under the provider's
own number, or a viewer as soon as some account does not see everybody. `graph.roles` says what a
role may, `graph.accounts.scope` whom a manager sees; whoever may not see personal data sees names
and careers, with certificate numbers and years of birth masked. ID numbers never leave the graph.
A data steward is asked once a visit what for, and until then sees what an analyst sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from graph.accounts.registry import (
    Account,
    find_account,
    has_limited_accounts,
    has_local_accounts,
)
from graph.accounts.scope import EVERYBODY, NOBODY, Scope, parse_scope
from graph.accounts.sessions import find_session_account
from graph.audit.actor import Actor, add_actor_finder
from graph.audit.log import Fact, record_event
from graph.errors import UsageError
from graph.purposes import StatedPurpose, opens_personal_data
from graph.roles import Permission, Role, has_permission
from graph.settings import Settings
from ui.shell.account_pages import SESSION_COOKIE_NAME
from ui.words.numbers import format_day

LOCAL_VISITOR_ID = "local"
_SIGNED_IN_KEY: Final = "audit_signed_in"
_READ_KEY: Final = "audit_read"
_PURPOSE_KEY: Final = "audit_purpose"
_REFUSED_KEY: Final = "audit_refused"


@dataclass(frozen=True)
class Visitor:
    """Who visits: `id` owns what is saved; `role` decides what is masked, `scope` who is seen.

    `purpose` is what a data steward stated in this visit: whoever visits is the same with another.
    """

    id: str
    role: Role
    scope: Scope = EVERYBODY
    purpose: str = field(default="", compare=False)

    @property
    def people_scope(self) -> Scope:
        """Whom the visitor sees: nobody where the role sees figures alone."""
        return self.scope if has_permission(self.role, "people") else NOBODY

    @property
    def is_limited(self) -> bool:
        """Whether there are people whom the visitor must not learn of."""
        return not self.people_scope.everybody

    @property
    def sees_personal_data(self) -> bool:
        """Whether years of birth and certificate numbers are shown in full."""
        return self.may("personal_data") and opens_personal_data(self.role, self.purpose)

    def may(self, permission: Permission) -> bool:
        """Whether the visitor's role has the permission; a limited visitor has no other than to
        see people.
        """
        if self.is_limited and permission != "people":
            return False
        return has_permission(self.role, permission)

    @property
    def actor(self) -> Actor:
        """Who acts, as the audit log names the visitor."""
        return Actor(self.id, self.role, "app", self.purpose)


ANONYMOUS_VISITOR: Final = Visitor("", "viewer")


def is_provider_sign_in_on() -> bool:
    """Whether visitors sign in at a provider (OpenID Connect)."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def is_account_sign_in_on() -> bool:
    """Whether visitors sign in with a password of this app's own."""
    return has_local_accounts(Settings().home)


def is_sign_in_on() -> bool:
    """Whether the app asks who one is."""
    return is_provider_sign_in_on() or is_account_sign_in_on()


@dataclass(frozen=True)
class _Credentials:
    """What a browser shows of its visitor: a session's token, and what the provider states."""

    token: str
    claims: Mapping[str, Any] | None


def _read_credentials() -> _Credentials:
    known = is_provider_sign_in_on() and st.user.is_logged_in
    token = st.context.cookies.get(SESSION_COOKIE_NAME, "") if is_account_sign_in_on() else ""
    return _Credentials(token, st.user.to_dict() if known else None)


def identify_visitor() -> Visitor:
    """The visitor of this run; before signing in, a viewer without a name."""
    visitor = _identify(_read_credentials())
    return replace(visitor, purpose=_read_purpose()) if visitor.may("personal_data") else visitor


def _read_purpose() -> str:
    """What was stated in this visit; where nobody signs in, what the settings say."""
    stated = ""
    if get_script_run_ctx(suppress_warning=True) is not None:
        stated = str(st.session_state.get(_PURPOSE_KEY, ""))
    return stated or ("" if is_sign_in_on() else Settings().purpose)


def state_purpose(purpose: StatedPurpose) -> None:
    """Opens personal data to a data steward for the rest of the visit, and for this alone."""
    if identify_visitor().may("personal_data") and is_page_of_visitor():
        st.session_state[_PURPOSE_KEY] = purpose


def bind_visitor_check() -> Callable[[], bool]:
    """Tells, outside of a run too, whether this visitor is still signed in, with the same rights.

    For what is made later: a file that a page offered before the session ended.
    """
    credentials, visitor = _read_credentials(), identify_visitor()
    return lambda: visitor != ANONYMOUS_VISITOR and _identify(credentials) == visitor


def is_page_of_visitor() -> bool:
    """Whether the page that stands in the browser was drawn for who visits now.

    A part that runs by itself has to ask: the session may have ended, or the rights changed.
    """
    drawn_for, now = st.session_state.get(_SIGNED_IN_KEY), identify_visitor()
    return drawn_for is None or bool(drawn_for == now)


def _identify(credentials: _Credentials) -> Visitor:
    settings = Settings()
    if not is_sign_in_on():
        return Visitor(LOCAL_VISITOR_ID, settings.role)
    account = _find_signed_in_account(settings.home, credentials.token)
    if account is not None:
        return Visitor(account.name, account.role, account.scope)
    if not is_provider_sign_in_on() or credentials.claims is None:
        return ANONYMOUS_VISITOR
    claimed = parse_visitor_claims(credentials.claims, settings.stewards)
    if claimed.role == "manager":
        claimed = replace(claimed, scope=parse_scope_claims(credentials.claims, settings))
    return _apply_account_role(claimed, settings.home)


def _find_signed_in_account(home: Path, token: str) -> Account | None:
    """The account of the browser's session; none until a password of one's own is chosen."""
    account = find_session_account(home, token) if token else None
    return None if account is None or account.must_change else account


def _apply_account_role(claimed: Visitor, home: Path) -> Visitor:
    """An address that the provider vouches for has the role of the account of its name.

    Where some account does not see everybody, an address without one sees nobody: whoever removes
    a limited account must not give it the whole country.
    """
    try:
        account = find_account(home, claimed.id) if _is_address(claimed.id) else None
        limited = has_limited_accounts(home)
    except UsageError:  # the file is damaged: it may have limited this one
        return Visitor(claimed.id, "viewer")
    if account is not None and account.name == claimed.id:  # no other spelling of it
        return Visitor(claimed.id, account.role, account.scope)
    if limited and claimed.role == "manager" and claimed.scope.everybody:
        return Visitor(claimed.id, "viewer")
    return claimed


def _is_address(id: str) -> bool:
    """Whether it is an address that the provider confirmed, and no number of its own."""
    return "@" in id and " " not in id


def identify_actor() -> Actor:
    """The visitor of this run, as the audit log names who acts."""
    return identify_visitor().actor


def _find_visiting_actor() -> Actor | None:
    """The visitor where a run of a page, a callback or a fragment asks; else None."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    return identify_actor()


add_actor_finder(_find_visiting_actor)


@runtime_checkable
class VisitValue(Protocol):
    """What a visit stores that has files or a server's transaction of its own."""

    def end_visit(self) -> None:
        """Gives them up."""


def record_sign_in() -> None:
    """Adds a line to the audit log at the first run of a visit, and when its visitor changes.

    One browser's session may pass from one visitor to the next, or a visitor's rights change: what
    was stored for the one before is given up first, so that nothing of it is drawn.
    """
    visitor, before = identify_visitor(), st.session_state.get(_SIGNED_IN_KEY)
    if before == visitor:
        return
    if before is not None:
        _clear_visit()
    record_event(
        Settings().home, "sign_in", actor=visitor.actor, by_provider=is_provider_sign_in_on()
    )
    st.session_state[_SIGNED_IN_KEY] = visitor


def _clear_visit() -> None:
    for value in list(st.session_state.values()):
        if isinstance(value, VisitValue):
            value.end_visit()
    st.session_state.clear()


def record_personal_read(what: str, people: Iterable[str] = (), **facts: Fact) -> None:
    """Adds a line to the audit log where a data steward may see years of birth, days or numbers.

    To be called before they are drawn. The same is logged once a visit and purpose; without one
    they are masked, but for what stewards alone work with: files that are loaded, pairs.
    """
    visitor = identify_visitor()
    if not visitor.may("personal_data"):
        return
    named = tuple(people)
    seen: set[tuple[Any, ...]] = st.session_state.setdefault(_READ_KEY, set())
    read = (what, visitor.purpose, hash(named), *sorted(facts.items()))
    if read not in seen:
        record_event(Settings().home, "read", actor=visitor.actor, people=named, what=what, **facts)
        seen.add(read)


def record_role_refusal(what: str) -> None:
    """Adds a line to the audit log: this visitor came for what the role does not allow."""
    seen: set[str] = st.session_state.setdefault(_REFUSED_KEY, set())
    if what not in seen:
        record_event(Settings().home, "refusal", actor=identify_actor(), what=what)
        seen.add(what)


def check_permission(permission: Permission) -> bool:
    """Whether this visitor may now: a callback runs before the page asks who visits.

    The session may have ended, or the role changed, since the page was drawn; what is refused is
    logged. Whoever comes next does nothing with what the page holds of the visitor before.
    """
    if identify_visitor().may(permission):
        return is_page_of_visitor()
    record_role_refusal(permission)
    return False


def parse_visitor_claims(claims: Mapping[str, Any], stewards: str) -> Visitor:
    """The visitor with the provider's `claims`; `stewards` are addresses, by commas."""
    address = str(claims.get("email") or "").strip().lower()
    # Many providers say nothing of it and confirm each address; "false" may come as a string.
    if not address or str(claims.get("email_verified", True)).lower() == "false":
        return Visitor(f"{claims.get('iss', '')} {claims.get('sub', '')}", "manager")
    named = {name.strip().lower() for name in stewards.split(",") if name.strip()}
    return Visitor(address, "steward" if address in named else "manager")


def parse_scope_claims(claims: Mapping[str, Any], settings: Settings) -> Scope:
    """Whom a manager of the provider's sees, by the claims that the settings name: a list, or a
    text with commas. Nobody where they are named and none states an area, or one that is none.
    """
    if not (settings.province_claim or settings.industry_claim):
        return EVERYBODY
    stated = [
        _split_claim(claims.get(name) if name else None)
        for name in (settings.province_claim, settings.industry_claim)
    ]
    try:
        scope = parse_scope(*stated)
    except UsageError:
        return NOBODY
    return NOBODY if scope.everybody else scope


def _split_claim(stated: Any) -> list[str]:
    parts = stated.split(",") if isinstance(stated, str) else stated
    return [str(part) for part in parts] if isinstance(parts, list | tuple) else []


def is_sign_in_required() -> bool:
    """Whether this visitor has still to sign in."""
    return is_sign_in_on() and identify_visitor() == ANONYMOUS_VISITOR


def mask_certificate_number(number: str | None, visitor: Visitor) -> str:
    """A certificate number as the visitor may see it: its last four characters, or all."""
    if not number or visitor.sees_personal_data:
        return number or ""
    return "····" + number[-4:] if len(number) > 6 else "····"


def mask_retirement_day(on: date | None, visitor: Visitor) -> str:
    """The day of retirement as the visitor may see it: its year alone, for it tells the birthday
    of whoever retires at a fixed age, or in full."""
    if on is None:
        return ""
    return format_day(on) if visitor.sees_personal_data else str(on.year)


def mask_birth_year(year: int | None, visitor: Visitor) -> str:
    """A year of birth as the visitor may see it: the decade ("197·"), or in full."""
    if year is None:
        return ""
    return str(year) if visitor.sees_personal_data else f"{year // 10}·"

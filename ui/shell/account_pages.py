"""Signing in with a local account: the plain pages at `/account`, before Streamlit.

A form posts name and password; the answer sets a cookie that scripts cannot read, and leads back
to the address that was asked for. `SecurityMiddleware` has refused posts of other sites before.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from graph.accounts.registry import (
    MAX_PASSWORD_LENGTH,
    Account,
    set_account_password,
    verify_sign_in,
)
from graph.accounts.sessions import SESSION_LIMIT, close_session, find_session_account, open_session
from graph.errors import ShichengError, UsageError
from graph.messages import Language, parse_language
from graph.roles import ROLE_LABELS
from graph.settings import Settings
from ui.shell.theme import DARK_TOKENS, LIGHT_TOKENS, render_css_variables
from ui.words.i18n import (
    LOCALE_BY_LANGUAGE,
    current_language,
    override_language,
    t,
    translate_label,
    translate_message,
)

Endpoint = Callable[[Request], Awaitable[Response]]

ACCOUNT_PATH: Final = "/account"
SESSION_COOKIE_NAME: Final = "shicheng_session"
STYLE_SHEET: Final = Path(__file__).with_name("account_pages.css")
REFERRER_HEADER: Final = "Referrer-Policy"
# From a page without referrers a browser posts a form with the origin "null", as another site's.
FORM_REFERRER: Final = "same-origin"
MAX_FORM_BYTES: Final = 10_000
# An address of the app itself: a path, and no host that a browser would read out of it.
_OWN_ADDRESS_PATTERN: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")
# A password costs 64 MiB while it is verified: one after the other.
_verifying = CapacityLimiter(1)
MAX_WAITING_SIGN_INS: Final = 20


def _in_language_of_browser(endpoint: Endpoint) -> Endpoint:
    """An endpoint within which `t` is in the language that the address or the browser asks for."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        with override_language(_detect_language(request)):
            return await endpoint(request)

    return answer


def build_account_routes() -> list[Route]:
    """The routes that stand beside Streamlit's own."""
    return [
        Route(ACCOUNT_PATH, show_account, methods=["GET"]),
        Route(f"{ACCOUNT_PATH}/sign-in", sign_in, methods=["POST"]),
        Route(f"{ACCOUNT_PATH}/sign-out", sign_out, methods=["POST"]),
        Route(f"{ACCOUNT_PATH}/password", change_password, methods=["POST"]),
    ]


def build_sign_in_address(next_address: str) -> str:
    """Where one signs in, and comes back to an address of the app."""
    return f"{ACCOUNT_PATH}?{urlencode({'next': clean_next_address(next_address)})}"


def clean_next_address(text: str) -> str:
    """An address of this app, as it is; for anything else the first page."""
    return text if _OWN_ADDRESS_PATTERN.fullmatch(text) else "/"


@_in_language_of_browser
async def show_account(request: Request) -> Response:
    """The form to sign in, or the account of who is signed in."""
    account = await _find_account(request)
    next_address = clean_next_address(request.query_params.get("next", "/"))
    if account is None:
        return _answer(_render_sign_in(next_address))
    return _answer(_render_account(account))


@_in_language_of_browser
async def sign_in(request: Request) -> Response:
    """A name and a password; leads to the address asked for, or says that they do not fit."""
    form = await _read_form(request)
    home = Settings().home
    next_address = clean_next_address(form.get("next", "/"))
    try:
        account = await _verify_one(home, form)
    except ShichengError as error:
        return _answer(_render_sign_in(next_address, translate_message(error)), status=503)
    if account is None:
        # One sentence for both: a lock would tell that there is such an account.
        fault = t("Name and password do not fit, or the account is locked for 15 minutes.")
        return _answer(_render_sign_in(next_address, fault), status=403)
    leads_to = ACCOUNT_PATH if account.must_change else next_address
    answer = RedirectResponse(leads_to, 303)
    answer.set_cookie(
        SESSION_COOKIE_NAME,
        open_session(account),
        max_age=int(SESSION_LIMIT.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_encrypted(request),
    )
    return answer


@_in_language_of_browser
async def sign_out(request: Request) -> Response:
    """Ends the session, and leads to the first page."""
    close_session(request.cookies.get(SESSION_COOKIE_NAME, ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(SESSION_COOKIE_NAME, httponly=True, samesite="strict")
    return answer


@_in_language_of_browser
async def change_password(request: Request) -> Response:
    """Another password for who is signed in and knows the present one; all sessions end."""
    form = await _read_form(request)
    account = await _find_account(request)
    if account is None:
        return RedirectResponse(ACCOUNT_PATH, 303)
    home = Settings().home
    try:
        given = {"name": account.name, "password": form.get("password", "")}
        known = await _verify_one(home, given)
        if known is None:
            fault = t("The present password is not right.")
            return _answer(_render_account(account, fault), status=403)
        if form.get("new", "") != form.get("again", ""):
            fault = t("The new password was typed in two ways.")
            return _answer(_render_account(account, fault), status=400)
        if form.get("new", "") == form.get("password", ""):
            fault = t("The new password is the present one. Choose another.")
            return _answer(_render_account(account, fault), status=400)
        await run_in_threadpool(set_account_password, home, account.name, form.get("new", ""))
    except ShichengError as error:
        fault = translate_message(error)
        return _answer(_render_account(account, fault), status=400)
    close_session(request.cookies.get(SESSION_COOKIE_NAME, ""))
    return RedirectResponse(ACCOUNT_PATH, 303)


async def _verify_one(home: Path, form: dict[str, str]) -> Account | None:
    """The account, if the password is right. Raises `UsageError` where too many wait already."""
    if _verifying.statistics().tasks_waiting >= MAX_WAITING_SIGN_INS:
        raise UsageError("Too many sign in at once; try again in a minute.")
    # A limiter of its own: who waits here holds none of the threads that all others need.
    name, password = form.get("name", ""), form.get("password", "")
    _, account = await to_thread.run_sync(verify_sign_in, home, name, password, limiter=_verifying)
    return account


async def _find_account(request: Request) -> Account | None:
    token = request.cookies.get(SESSION_COOKIE_NAME, "")
    return await run_in_threadpool(find_session_account, Settings().home, token)


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form of ours; nothing of a body that is larger than one can be."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        return {}


def _is_encrypted(request: Request) -> bool:
    """Whether the browser came by https, here or at the proxy before the app."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return request.url.scheme == "https" or forwarded == "https"


def _detect_language(request: Request) -> Language:
    asked = request.query_params.get("lang", "")
    if asked in LOCALE_BY_LANGUAGE:
        return "zh" if asked == "zh" else "en"
    return parse_language(request.headers.get("accept-language", "").split(",")[0])


def _answer(main: str, *, status: int = 200) -> HTMLResponse:
    language = current_language()
    style = STYLE_SHEET.read_text("utf-8")
    light, dark = render_css_variables(LIGHT_TOKENS), render_css_variables(DARK_TOKENS)
    title = escape(t("Shicheng"))
    page = (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>:root {{ {light} }}"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{style}</style></head>"
        f"<body><main><h1>{title}</h1>{main}</main></body></html>"
    )
    return HTMLResponse(
        page, status, headers={"Cache-Control": "no-store", REFERRER_HEADER: FORM_REFERRER}
    )


def _render_sign_in(next_address: str, fault: str = "") -> str:
    fields = (
        _render_field(t("Account"), "name", "username", "text")
        + _render_field(t("Password"), "password", "current-password")
        + f'<input type="hidden" name="next" value="{escape(next_address)}">'
    )
    return _render_form(f"sign-in?lang={current_language()}", t("Sign in"), fields, fault)


def _render_account(account: Account, fault: str = "") -> str:
    role = translate_label(ROLE_LABELS[account.role], current_language())
    signed_in = escape(t("Signed in as {name} ({role}).", name=account.name, role=role))
    must = escape(t("Choose a password of your own first.")) if account.must_change else ""
    back = "" if account.must_change else f'<p><a href="/">{escape(t("To the app"))}</a></p>'
    fields = (
        _render_field(t("Present password"), "password", "current-password")
        + _render_field(t("New password"), "new", "new-password")
        + _render_field(t("New password once more"), "again", "new-password")
    )
    change = _render_form(
        f"password?lang={current_language()}", t("Change password"), fields, fault
    )
    out = _render_form(f"sign-out?lang={current_language()}", t("Sign out"), "", "")
    return f"<p>{signed_in} {must}</p>{back}{change}{out}"


def _render_form(action: str, press: str, fields: str, fault: str) -> str:
    note = f'<p class="told" role="alert">{escape(fault)}</p>' if fault else ""
    return (
        f'<form method="post" action="{ACCOUNT_PATH}/{action}">{note}{fields}'
        f"<button>{escape(press)}</button></form>"
    )


def _render_field(label: str, name: str, autocomplete: str, kind: str = "password") -> str:
    return (
        f'<label>{escape(label)}<input name="{name}" type="{kind}" required '
        f'autocomplete="{autocomplete}" maxlength="{MAX_PASSWORD_LENGTH}"></label>'
    )

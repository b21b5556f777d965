"""What stands in front of Streamlit at every request: who may ask, and what a browser may do.

- A request whose `Host` is not in `server.allowedHosts`, or whose `Origin` is another site, is
  refused here. Streamlit would compare a foreign origin with the server's public address, which
  it asks a host on the internet for; `disable_address_lookup` makes sure that it never does.
- An app at which nobody signs in answers on its own machine only, by a name of it.
- A file is taken only from a visit that may bring files in (`allow_uploads`): Streamlit itself
  takes one from every visit, whether or not a page asks for it.
- `/health`, `/ready` and `/metrics` are answered here, to this machine alone (`monitoring.py`).
- Every answer forbids the browser to load anything from another host (Content-Security-Policy),
  to show the app in another site's frame, to guess types and to send addresses on.

`app.py` puts it before the app, so that `streamlit run app.py` and `shicheng app` have it alike.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import streamlit
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, net_util

from graph.cypher.spool import remove_abandoned_spools
from graph.settings import Settings
from loaders.upload_folders import remove_abandoned_uploads
from ui.shell.account_pages import FORM_REFERRER, REFERRER_HEADER, build_account_routes
from ui.shell.monitoring import (
    RequestMeter,
    build_monitoring_response,
    is_monitoring_request,
    is_proxied,
)
from ui.shell.query_links import build_query_routes, close_query_links
from ui.shell.result_files import build_result_routes
from ui.shell.visitor import is_sign_in_on

HOST_REFUSED_TEXT: Final = (
    "403: this address is not one that the app answers at. Whoever runs it names its addresses in "
    "server.allowedHosts.\n"
    "本应用不通过该地址提供服务，请由管理人员在 server.allowedHosts 中登记。\n"
)
ORIGIN_REFUSED_TEXT: Final = (
    "403: another site may not ask this app. Whoever runs it behind a proxy names the proxy's "
    "address in server.corsAllowedOrigins.\n"
    "不接受其他网站发起的请求；如经由代理访问，请由管理人员在 server.corsAllowedOrigins "
    "中登记代理地址。\n"
)
SIGN_IN_MISSING_TEXT: Final = (
    "403: nobody has to sign in here, so the app answers on its own machine only. Add an account "
    "(shicheng account add NAME --role admin), or set up OpenID Connect.\n"
    "尚未启用登录，本应用仅在本机提供服务。请先添加账户（shicheng account add 名称 --role admin），"
    "或配置 OpenID Connect。\n"
)
UPLOAD_REFUSED_TEXT: Final = (
    "403: this visit may not bring files in; open the page Load data as a data steward.\n"
    "本次访问无权上传文件；请以数据管理员身份打开“数据导入”页面。\n"
)
# A file on its way in: the session and the file's number are the last two parts.
UPLOAD_PATH_PATTERN: Final = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")
SERVER_ERROR_TEXT: Final = "500: the app failed; try again.\n应用出错，请重试。\n"

# blob: holds the widgets' own scripts, which Streamlit hands over as text; its style sheets are
# written by script, so inline styles are allowed. Scripts from text (eval) are not.
_CONTENT_SECURITY_POLICY: Final[Mapping[str, str]] = {
    "default-src": "'self'",
    "script-src": "'self' blob: {scripts}",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


# The sessions that may bring files in. A session's id is random, and goes with its visit.
_upload_sessions: set[str] = set()


def allow_uploads(session_id: str) -> None:
    """Lets this visit bring files in, until `forbid_uploads` or the process ends."""
    _upload_sessions.add(session_id)


def forbid_uploads(session_id: str) -> None:
    """Takes no more files from this visit."""
    _upload_sessions.discard(session_id)


def is_upload_allowed(method: str, path: str) -> bool:
    """Whether the request is no upload, or one of a visit that may bring files in."""
    matched = UPLOAD_PATH_PATTERN.search(path)
    return method != "PUT" or matched is None or matched[1] in _upload_sessions


@cache
def build_security_headers() -> dict[str, str]:
    """The headers of every answer, by name."""
    scripts = " ".join(_hash_inline_scripts())
    policy = "; ".join(f"{name} {value}" for name, value in _CONTENT_SECURITY_POLICY.items())
    return {
        "Content-Security-Policy": policy.replace("{scripts}", scripts),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        REFERRER_HEADER: "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _hash_inline_scripts() -> list[str]:
    """The hashes of the scripts that stand in Streamlit's own page, as a policy names them."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text("utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def disable_address_lookup() -> None:
    """Keeps Streamlit from asking for this machine's addresses: loopback is taken for both."""
    net_util._external_ip = net_util._internal_ip = "127.0.0.1"


def is_host_allowed(host: str | None) -> bool:
    """Whether the app answers at this `Host`: `server.allowedHosts` names it, or is empty."""
    allowed = [name.strip().lower() for name in config.get_option("server.allowedHosts")]
    if not allowed or "*" in allowed:
        return True
    name = _parse_hostname(f"//{host or ''}")
    return any(
        name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
        for pattern in allowed
        if name
    )


def is_origin_allowed(origin: str | None, host: str | None) -> bool:
    """Whether a page of this `Origin` may ask: none, the app's own, or one that is named."""
    if origin is None or (host and _parse_netloc(origin) == host.lower()):
        return True
    if not config.get_option("server.enableCORS"):
        return True
    return origin in {named.strip() for named in config.get_option("server.corsAllowedOrigins")}


def _parse_hostname(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _parse_netloc(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


class SecurityMiddleware:
    """ASGI middleware: refuses what may not ask, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one websocket, or the server's start and end."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        meter = RequestMeter(scope["type"])
        try:
            await self._answer(scope, receive, _count_answer(send, meter))
        finally:
            meter.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = _find_refusal_text(Headers(scope=scope), scope.get("client"))
        if refused is None and is_monitoring_request(scope):
            answer = await run_in_threadpool(build_monitoring_response, scope["path"], Settings())
            await answer(scope, receive, _add_security_headers(send))
            return
        if refused is None and not is_upload_allowed(scope.get("method", ""), scope["path"]):
            refused = UPLOAD_REFUSED_TEXT
        if refused is None:
            await self._app(scope, receive, _add_security_headers(send))
        elif scope["type"] == "http":
            await PlainTextResponse(refused, 403)(scope, receive, _add_security_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})


def _find_refusal_text(headers: Headers, client: Sequence[Any] | None) -> str | None:
    """Why the request is not taken; None when it is. `client` is None for a socket of this machine
    that has no address.
    """
    host = headers.get("host")
    if not is_host_allowed(host):
        return HOST_REFUSED_TEXT
    if not is_origin_allowed(headers.get("origin"), host):
        return ORIGIN_REFUSED_TEXT
    # A proxy on this machine may ask as localhost for whoever is elsewhere, and anybody may write
    # localhost.
    own = _is_loopback(host) and not is_proxied(headers) and _is_own_client(client)
    return None if own or is_sign_in_on() else SIGN_IN_MISSING_TEXT


def _is_loopback(host: str | None) -> bool:
    """Whether the app is asked as one of this machine."""
    name = _parse_hostname(f"//{host or ''}")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_own_client(client: Sequence[Any] | None) -> bool:
    """Whether a request comes from this machine, or from where the settings say so
    (`SHICHENG_OPEN_CLIENTS`: a container's own network).
    """
    if client is None:
        return True
    try:
        address = ipaddress.ip_address(str(client[0]))
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or any(
        address in network for network in _list_open_networks(Settings().open_clients)
    )


@cache
def _list_open_networks(stated: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The networks of the setting. Raises `ValueError` for what is none: nothing is open then."""
    given = (part.strip() for part in stated.split(","))
    return tuple(ipaddress.ip_network(part) for part in given if part)


def _count_answer(send: Send, meter: RequestMeter) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            meter.answer(message["status"])
        await send(message)

    return sending


def _add_security_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            referrer = headers.get(REFERRER_HEADER)
            headers.update(build_security_headers())
            if referrer == FORM_REFERRER:
                headers[REFERRER_HEADER] = referrer
        await send(message)

    return sending


def build_failure_response(request: Any, error: Exception) -> PlainTextResponse:
    """The answer to a request at which the server itself failed; it names nothing."""
    return PlainTextResponse(SERVER_ERROR_TEXT, 500, headers=build_security_headers())


@asynccontextmanager
async def remove_uploads_at_start(app: Any) -> AsyncIterator[None]:
    """Removes, before the first visit, what visitors of a killed process brought in."""
    remove_abandoned_uploads(Settings().home)
    remove_abandoned_spools(Settings().home)
    try:
        yield
    finally:
        close_query_links()


def build_app_options() -> dict[str, Any]:
    """What `streamlit.App` is given so that all this stands before it."""
    disable_address_lookup()
    return {
        "lifespan": remove_uploads_at_start,
        "routes": [*build_query_routes(), *build_result_routes(), *build_account_routes()],
        "middleware": [Middleware(SecurityMiddleware)],
        "exception_handlers": {500: build_failure_response},
    }

"""What watches the app may ask: whether it lives, whether it is ready, and how much it does.

`/health`, `/ready` and `/metrics` (Prometheus' text format) answer to this machine alone: behind a
proxy they are not there. They hold counts, seconds and bytes; no address, name, query or person.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Scope

from graph.server.locks import is_load_running, is_store_offline
from graph.settings import Settings

MONITORING_PATHS: Final = ("/health", "/ready", "/metrics")
_LOOPBACK_HOSTS: Final = ("127.0.0.1", "::1")
# What a proxy adds: its own address is this machine's, that of who asks is not.
_PROXY_HEADERS: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_BOLT_PORT: Final = 7687
_CONNECT_SECONDS: Final = 2.0
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class RequestCounts:
    """How many requests were answered, by status, in how many seconds; how many visits are open."""

    answered: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    open_websockets: int = 0


request_counts = RequestCounts()


def is_monitoring_request(scope: Scope) -> bool:
    """Whether this machine itself asks for one of `MONITORING_PATHS`."""
    if scope["type"] != "http" or scope["path"] not in MONITORING_PATHS:
        return False
    headers, client = Headers(scope=scope), scope.get("client")
    return client is not None and client[0] in _LOOPBACK_HOSTS and not is_proxied(headers)


def is_proxied(headers: Headers) -> bool:
    """Whether a proxy says that it asks for somebody else."""
    return any(name in headers for name in _PROXY_HEADERS)


def build_monitoring_response(path: str, settings: Settings) -> Response:
    """The answer to one of `MONITORING_PATHS`; `/ready` is 503 where it is not."""
    if path == "/health":
        return PlainTextResponse("ok\n")
    if path == "/ready":
        checks = run_readiness_checks(settings)
        return JSONResponse(checks, 200 if all(checks.values()) else 503)
    return PlainTextResponse(render_metrics(settings), media_type=_METRICS_TYPE)


def run_readiness_checks(settings: Settings) -> dict[str, bool]:
    """Whether the data folder can be written and the database be used.

    An embedded Neo4j that is idle is not woken: it starts with the next question.
    """
    home = settings.home
    return {
        "data_folder": home.is_dir() and os.access(home, os.W_OK | os.X_OK),
        "database": (
            not is_store_offline(home)
            if settings.neo4j_uri is None
            else _is_server_reachable(settings.neo4j_uri)
        ),
    }


def _is_server_reachable(uri: str) -> bool:
    try:
        address = urlsplit(uri)
        place = address.hostname or "", address.port or _BOLT_PORT
        with socket.create_connection(place, timeout=_CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def render_metrics(settings: Settings) -> str:
    """The figures in Prometheus' text format."""
    process = psutil.Process()
    ready = all(run_readiness_checks(settings).values())
    answered = [
        (f'{{status="{status}"}}', float(n))
        for status, n in sorted(request_counts.answered.items())
    ]
    figures: tuple[tuple[str, str, str, list[tuple[str, float]]], ...] = (
        ("shicheng_http_requests_total", "counter", "Requests answered, by status.", answered),
        (
            "shicheng_http_request_seconds_total",
            "counter",
            "Seconds spent on them.",
            [("", request_counts.seconds)],
        ),
        (
            "shicheng_websockets_open",
            "gauge",
            "Visits that are open.",
            [("", float(request_counts.open_websockets))],
        ),
        ("shicheng_ready", "gauge", "1 where /ready answers 200.", [("", float(ready))]),
        (
            "shicheng_load_running",
            "gauge",
            "1 while a load runs.",
            [("", float(is_load_running(settings.home)))],
        ),
        (
            "process_resident_memory_bytes",
            "gauge",
            "Memory of the app's process.",
            [("", float(process.memory_info().rss))],
        ),
        (
            "process_cpu_seconds_total",
            "counter",
            "Processor seconds of the app's process.",
            [("", sum(process.cpu_times()[:2]))],
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "When the process began, in Unix time.",
            [("", process.create_time())],
        ),
    )
    lines = []
    for name, kind, help_text, values in figures:
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{labels} {value!r}" for labels, value in values]
    return "\n".join(lines) + "\n"


class RequestMeter:
    """One request or visit, counted: `answer` at its status, `close` at its end."""

    def __init__(self, kind: str) -> None:
        self._began = time.monotonic()
        self._is_visit = kind == "websocket"
        request_counts.open_websockets += self._is_visit

    def answer(self, status: int) -> None:
        """Counts the status that was sent."""
        request_counts.answered[status] += 1

    def close(self) -> None:
        """Counts the seconds of a request; a visit's end."""
        if self._is_visit:
            request_counts.open_websockets -= 1
        else:
            request_counts.seconds += time.monotonic() - self._began

"""The key with which citizen ID numbers are digested."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def build_id_digester(home: Path) -> Callable[[str], str]:
    """A function from an ID number to its digest, 64 hexadecimal digits, keyed for `home`."""
    key = _load_identity_key(home)
    return lambda number: hmac.digest(key, number.encode(), "sha256").hex()


def _load_identity_key(home: Path) -> bytes:
    given = os.environ.get("SHICHENG_ID_KEY")
    if given:
        return given.encode()
    path = home / "identity.key"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Here, since messages mask ID numbers by this module.
        from graph.errors import ShichengError
        from graph.server.damage import build_damaged_key_message, is_identity_key_intact

        if not is_identity_key_intact(path):
            raise ShichengError(build_damaged_key_message(path)) from None
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    return path.read_bytes()

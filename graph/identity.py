"""Citizen ID numbers: checked, then kept only as a keyed digest.

The digest (HMAC-SHA-256) lets two departments' rows of one person be matched without the number
being stored. Its key is made once, kept in the data folder with mode 0600, or given as
SHICHENG_ID_KEY when several machines must give the same digests.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

ID_NUMBER = re.compile(r"\d{17}[\dX]")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"


def id_number_is_valid(number: str) -> bool:
    """Whether `number` has 18 characters and its last one is the check of the others.

    GB 11643-1999, check character by ISO 7064 MOD 11-2. Region and birth date are not judged.
    """
    if not ID_NUMBER.fullmatch(number):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number, strict=False))
    return CHECK[total % 11] == number[17]


def digester(home: Path) -> Callable[[str], str]:
    """A function from an ID number to its digest, 64 hexadecimal digits, keyed for `home`."""
    key = _key(home)
    return lambda number: hmac.digest(key, number.encode(), "sha256").hex()


def _key(home: Path) -> bytes:
    given = os.environ.get("SHICHENG_ID_KEY")
    if given:
        return given.encode()
    path = home / "identity.key"
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    return path.read_bytes()

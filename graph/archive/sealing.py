"""A stream of bytes in sealed chunks, in which any damaged byte is found.

A file begins with three lines: the format's name, the head (JSON), and the SHA-256 of both. The
head is readable without the key and names nobody. Chunks follow, each with its length in four
bytes before it. A chunk is sealed with its number, whether it is the last one, and the head:
AES-256-GCM where there is a key, else a SHA-256. So a chunk that was changed, left out, repeated or
put elsewhere, a file that was cut off and one that was added to are all refused. The key of a file
is derived from the operator's by HKDF with a random salt, so that no nonce is used twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, Final

from graph.errors import ArchiveError

FORMAT_LINE: Final = b"SHICHENG BACKUP\n"
FORMAT_VERSION: Final = 1
CHUNK_BYTES: Final = 1 << 20
MAX_HEAD_BYTES: Final = 1 << 16
_ENCRYPTED: Final = "AES-256-GCM"
_HASHED: Final = "none"
# The tag of AES-GCM, or a SHA-256.
_MAX_SEAL_BYTES: Final = 32
_LENGTH_BYTES: Final = 4
_SALT_PATTERN: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ArchiveHead:
    """What a file says of itself without the key: how it is sealed, and `facts`."""

    sealing: str
    salt: str
    key_check: str
    facts: Mapping[str, Any]
    raw: bytes

    @property
    def encrypted(self) -> bool:
        """Whether a key is needed to read the rest."""
        return self.sealing == _ENCRYPTED


@dataclass(frozen=True)
class _ChunkSealer:
    """Seals and opens chunks; `key` is None where they are hashed alone."""

    key: bytes | None
    head: bytes

    @cached_property
    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        assert self.key is not None
        return AESGCM(self.key)

    def seal(self, number: int, is_last: bool, data: bytes) -> bytes:
        """The chunk as it stands in the file."""
        place = _encode_place(number, is_last)
        if self.key is None:
            return hashlib.sha256(self.head + place + data).digest() + data
        sealed: bytes = self._cipher.encrypt(place, data, self.head)
        return sealed

    def open(self, number: int, is_last: bool, sealed: bytes) -> bytes | None:
        """What was sealed; None for a chunk that is not as it was written in this place."""
        place = _encode_place(number, is_last)
        if self.key is None:
            stated, data = sealed[:_MAX_SEAL_BYTES], sealed[_MAX_SEAL_BYTES:]
            found = hashlib.sha256(self.head + place + data).digest()
            return data if hmac.compare_digest(stated, found) else None
        from cryptography.exceptions import InvalidTag

        try:
            opened: bytes = self._cipher.decrypt(place, sealed, self.head)
        except (InvalidTag, ValueError):
            return None
        return opened


def _encode_place(number: int, is_last: bool) -> bytes:
    """Twelve bytes: the nonce of a chunk."""
    return number.to_bytes(11, "big") + bytes([is_last])


def _derive_key(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt, b"shicheng backup " + purpose).derive(key)


class SealedWriter:
    """Writes a file from its head on; `finish` seals the last chunk."""

    def __init__(self, out: BinaryIO, facts: Mapping[str, Any], key: bytes | None) -> None:
        salt = secrets.token_bytes(32)
        stated = {
            "format": FORMAT_VERSION,
            "sealing": _HASHED if key is None else _ENCRYPTED,
            "salt": salt.hex(),
            "key_check": "" if key is None else _derive_key(key, salt, b"check").hex()[:16],
            "facts": dict(facts),
        }
        line = json.dumps(stated, ensure_ascii=True, sort_keys=True).encode() + b"\n"
        head = FORMAT_LINE + line
        self._out = out
        self._sealer = _ChunkSealer(key and _derive_key(key, salt, b"data"), _hash_head(head))
        self._number = 0
        self._held = bytearray()
        out.write(head + _hash_head(head).hex().encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Adds bytes."""
        self._held += data
        while len(self._held) > CHUNK_BYTES:
            self._write_chunk(bytes(self._held[:CHUNK_BYTES]), is_last=False)
            del self._held[:CHUNK_BYTES]

    def finish(self) -> None:
        """Ends the stream; without it the file counts as cut off."""
        self._write_chunk(bytes(self._held), is_last=True)

    def _write_chunk(self, data: bytes, *, is_last: bool) -> None:
        sealed = self._sealer.seal(self._number, is_last, data)
        self._out.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        self._number += 1


class SealedReader:
    """Reads a file that a `SealedWriter` wrote; every byte that it gives was verified.

    `name` is the file in errors. With a key a file that is not encrypted is refused, unless
    `allow_unencrypted`: anybody may have put it in the place of the one that the key is of.
    Raises ArchiveError, which says what is wrong with the file.
    """

    def __init__(
        self,
        source: BinaryIO,
        name: os.PathLike[str],
        key: bytes | None,
        *,
        allow_unencrypted: bool = False,
    ) -> None:
        self.head = read_archive_head(source, name)
        if key is not None and not self.head.encrypted and not allow_unencrypted:
            raise ArchiveError(
                "{file} is not encrypted, and a key is set: anybody may have made it. If you made "
                "it without a key yourself, say --unencrypted.",
                file=name,
            )
        self._source, self._name = source, name
        self._number, self._ended, self._held = 0, False, bytearray()
        self._sealer = _ChunkSealer(self._derive_file_key(key), _hash_head(self.head.raw))

    def _derive_file_key(self, key: bytes | None) -> bytes | None:
        if not self.head.encrypted:
            return None
        if key is None:
            raise ArchiveError(
                "{file} is encrypted, and no key is set: give that of the backup by "
                "SHICHENG_BACKUP_KEY, SHICHENG_BACKUP_KEY_FILE or SHICHENG_BACKUP_KEY_COMMAND.",
                file=self._name,
            )
        salt = bytes.fromhex(self.head.salt)
        if _derive_key(key, salt, b"check").hex()[:16] != self.head.key_check:
            raise ArchiveError(
                "{file} was encrypted with another key than the one that is set: give the key "
                "with which it was made.",
                file=self._name,
            )
        return _derive_key(key, salt, b"data")

    def read(self, size: int) -> bytes:
        """So many bytes. Raises ArchiveError where the stream has fewer."""
        while len(self._held) < size and not self._ended:
            self._held += self._read_chunk()
        if len(self._held) < size:
            raise _build_damage_error(self._name, self._number)
        data = bytes(self._held[:size])
        del self._held[:size]
        return data

    def expect_end(self) -> None:
        """Sees to it that nothing follows. Raises ArchiveError where something does."""
        while not self._held and not self._ended:
            self._held += self._read_chunk()
        if self._held:
            raise _build_damage_error(self._name, self._number)

    def _read_chunk(self) -> bytes:
        length = int.from_bytes(_read_fully(self._source, _LENGTH_BYTES), "big")
        # The length alone is not sealed: a damaged one must not make us read the file whole.
        if length > CHUNK_BYTES + _MAX_SEAL_BYTES:
            raise _build_damage_error(self._name, self._number)
        sealed = _read_fully(self._source, length)
        if len(sealed) < length or not length:
            raise ArchiveError(
                "{file} is cut off: it has no end. Take another copy of it.", file=self._name
            )
        for is_last in (False, True):
            data = self._sealer.open(self._number, is_last, sealed)
            if data is not None:
                break
        else:
            raise _build_damage_error(self._name, self._number)
        if is_last and self._source.read(1):
            raise ArchiveError(
                "{file} goes on after its end: something was added to it. Take another copy of it.",
                file=self._name,
            )
        self._ended = is_last
        self._number += 1
        return data


def read_archive_head(source: BinaryIO, name: os.PathLike[str]) -> ArchiveHead:
    """The head of a file, for which no key is needed. Raises ArchiveError."""
    first = source.read(len(FORMAT_LINE))
    if first != FORMAT_LINE:
        raise ArchiveError("{file} is no backup by `shicheng backup create`.", file=name)
    line = source.readline(MAX_HEAD_BYTES)
    seal = source.readline(_MAX_SEAL_BYTES * 2 + 1)
    raw = first + line
    if seal != _hash_head(raw).hex().encode() + b"\n":
        raise ArchiveError(
            "The head of {file} is damaged or cut off: take another copy of it.", file=name
        )
    stated = _parse_head(line, name)
    if stated["format"] != FORMAT_VERSION:
        raise ArchiveError(
            "{file} has format {format}, and this version of the program reads {known}: use the "
            "version that made it.",
            file=name,
            format=stated["format"],
            known=FORMAT_VERSION,
        )
    salt, key_check, facts = stated.get("salt"), stated.get("key_check"), stated.get("facts")
    if not (isinstance(salt, str) and isinstance(key_check, str) and isinstance(facts, dict)):
        raise _build_foreign_head_error(name)
    if not _SALT_PATTERN.fullmatch(salt):
        raise _build_foreign_head_error(name)
    if stated.get("sealing") not in (_ENCRYPTED, _HASHED):
        raise ArchiveError(
            "{file} is sealed in a way that this version of the program does not know: use the "
            "version that made it.",
            file=name,
        )
    return ArchiveHead(stated["sealing"], salt, key_check, facts, raw)


def _parse_head(line: bytes, name: os.PathLike[str]) -> dict[str, Any]:
    try:
        stated = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _build_foreign_head_error(name) from error
    if not isinstance(stated, dict) or not isinstance(stated.get("format"), int):
        raise _build_foreign_head_error(name)
    return stated


def _build_foreign_head_error(name: os.PathLike[str]) -> ArchiveError:
    """Its SHA-256 is right, so it is no damage."""
    return ArchiveError(
        "The head of {file} lacks what a backup states: it was not made by this program.", file=name
    )


def _hash_head(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _read_fully(source: BinaryIO, size: int) -> bytes:
    """As many bytes as there are, up to `size`; a file that is not buffered may give fewer."""
    found = bytearray()
    while len(found) < size and (more := source.read(size - len(found))):
        found += more
    return bytes(found)


def _build_damage_error(name: os.PathLike[str], number: int) -> ArchiveError:
    return ArchiveError(
        "{file} is damaged: chunk {number} is not as it was written in this place. Take another "
        "copy of it.",
        file=name,
        number=number + 1,
    )

"""The file of a backup: what was written comes back, and any damage to it is found."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.archive import parts, sealing
from graph.archive.key import KEY_VARIABLES, load_backup_key
from graph.archive.parts import PartWriter, iterate_parts
from graph.archive.sealing import FORMAT_LINE, SealedReader, SealedWriter
from graph.errors import ArchiveError, UsageError

KEY = bytes(range(32))
NAME = Path("a.backup")
CONTENT = {"notebook.sqlite": b"x" * 300, "mappings/工会.yaml": b"a: 1\n", "empty": b""}


def build_backup(content: dict[str, bytes], key: bytes | None) -> bytes:
    """The bytes of a backup file."""
    out = io.BytesIO()
    writer = PartWriter(SealedWriter(out, {"revision": 3}, key))
    for path, data in content.items():
        writer.add_part(path, "file", [data])
    writer.finish_parts()
    return out.getvalue()


def read_backup(data: bytes, key: bytes | None) -> dict[str, bytes]:
    """The files of a backup."""
    stream = SealedReader(io.BytesIO(data), NAME, key)
    return {path: b"".join(blocks) for path, _, blocks in iterate_parts(stream, NAME)}


def split_chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    """What stands before the chunks, and the chunks with their lengths."""
    source = io.BytesIO(data)
    for _ in range(3):
        source.readline()
    at, chunks = source.tell(), []
    while length := source.read(4):
        chunks.append(length + source.read(int.from_bytes(length, "big")))
    return data[:at], chunks


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 64 bytes, so that a small file has several."""
    monkeypatch.setattr(sealing, "CHUNK_BYTES", 64)
    monkeypatch.setattr(parts, "CHUNK_BYTES", 64)


@given(
    st.dictionaries(st.text(st.characters(categories=["L"]), min_size=1), st.binary()),
    st.sampled_from([None, KEY]),
)
def test_what_was_written_comes_back(content: dict[str, bytes], key: bytes | None) -> None:
    assert read_backup(build_backup(content, key), key) == content


@pytest.mark.parametrize("key", [None, KEY], ids=["hashed", "encrypted"])
@pytest.mark.usefixtures("small_chunks")
def test_any_damaged_byte_is_found(key: bytes | None) -> None:
    data = build_backup(CONTENT, key)
    assert len(split_chunks(data)[1]) > 5
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(ArchiveError):
            read_backup(bytes(damaged), key)


BACKUPS = {key: build_backup(CONTENT, key) for key in (None, KEY)}


@given(st.data(), st.sampled_from([None, KEY]))
def test_any_bytes_in_place_of_others_are_found(data: st.DataObject, key: bytes | None) -> None:
    backup = BACKUPS[key]
    at = data.draw(st.integers(0, len(backup) - 1))
    length = data.draw(st.integers(0, 40))
    damaged = backup[:at] + data.draw(st.binary(max_size=40)) + backup[at + length :]
    if damaged != backup:
        with pytest.raises(ArchiveError):
            read_backup(damaged, key)


@pytest.mark.parametrize("key", [None, KEY], ids=["hashed", "encrypted"])
@pytest.mark.usefixtures("small_chunks")
def test_a_file_that_was_cut_off_anywhere_is_refused(key: bytes | None) -> None:
    data = build_backup(CONTENT, key)
    for length in range(len(data)):
        with pytest.raises(ArchiveError):
            read_backup(data[:length], key)
    with pytest.raises(ArchiveError, match="goes on after its end"):
        read_backup(data + b"\0", key)


SHUFFLES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "two swapped": lambda c: [c[0], c[2], c[1], *c[3:]],
    "one left out": lambda c: [*c[:2], *c[3:]],
    "one twice": lambda c: [*c[:2], c[1], *c[2:]],
    "the last left out": lambda c: c[:-1],
    "the last twice": lambda c: [*c, c[-1]],
}


@pytest.mark.parametrize("key", [None, KEY], ids=["hashed", "encrypted"])
@pytest.mark.parametrize("shuffle", SHUFFLES)
@pytest.mark.usefixtures("small_chunks")
def test_chunks_in_another_order_are_refused(shuffle: str, key: bytes | None) -> None:
    head, chunks = split_chunks(build_backup(CONTENT, key))
    with pytest.raises(ArchiveError, match=r"chunk \d+ is not|cut off|goes on"):
        read_backup(head + b"".join(SHUFFLES[shuffle](chunks)), key)


@pytest.mark.usefixtures("small_chunks")
def test_a_chunk_of_another_backup_of_the_same_key_is_refused() -> None:
    head, chunks = split_chunks(build_backup(CONTENT, KEY))
    _, others = split_chunks(build_backup(CONTENT, KEY))
    with pytest.raises(ArchiveError, match="chunk 2 is not"):
        read_backup(head + chunks[0] + others[1] + b"".join(chunks[2:]), KEY)


def test_keys_and_foreign_files_are_named() -> None:
    data = build_backup(CONTENT, KEY)
    with pytest.raises(ArchiveError, match="another key"):
        read_backup(data, bytes(32))
    with pytest.raises(ArchiveError, match="no key is set"):
        read_backup(data, None)
    with pytest.raises(ArchiveError, match="is no backup"):
        read_backup(b"PK\3\4" + data, KEY)
    with pytest.raises(ArchiveError, match="is no backup"):
        read_backup(b"", KEY)
    assert b"notebook" not in data and KEY not in data


def test_a_backup_without_a_key_is_no_answer_to_a_key() -> None:
    data = build_backup(CONTENT, None)
    with pytest.raises(ArchiveError, match="is not encrypted, and a key is set"):
        read_backup(data, KEY)
    stream = SealedReader(io.BytesIO(data), NAME, KEY, allow_unencrypted=True)
    assert {path for path, _, _ in iterate_parts(stream, NAME)} == CONTENT.keys()
    encrypted = io.BytesIO(build_backup(CONTENT, KEY))
    assert SealedReader(encrypted, NAME, KEY, allow_unencrypted=True).head.encrypted


def build_head(line: bytes) -> bytes:
    """A head with this line, whose SHA-256 is right."""
    return FORMAT_LINE + line + hashlib.sha256(FORMAT_LINE + line).hexdigest().encode() + b"\n"


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(ArchiveError, match="has format 2, and this version of the program reads 1"):
        read_backup(build_head(b'{"format": 2}\n'), None)


HEAD = {"format": 1, "sealing": "AES-256-GCM", "salt": "0" * 64, "key_check": "", "facts": {}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *[({name: None}, "lacks what a backup states") for name in HEAD if name != "sealing"],
        ({"salt": "x" * 64}, "lacks what a backup states"),
        ({"salt": "00"}, "lacks what a backup states"),
        ({"facts": []}, "lacks what a backup states"),
        ({"sealing": None}, "sealed in a way"),
        ({"sealing": "aes-256-gcm"}, "sealed in a way"),
    ],
)
def test_a_head_that_states_too_little_is_refused(change: dict[str, Any], said: str) -> None:
    stated = {name: value for name, value in {**HEAD, **change}.items() if value is not None}
    for key in (None, KEY):
        with pytest.raises(ArchiveError, match=said):
            read_backup(build_head(json.dumps(stated).encode() + b"\n"), key)


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"1\n", b"{\n", b"\xff\n", b"[" * 60_000 + b"\n"])
def test_a_head_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(ArchiveError, match="lacks what a backup states"):
        read_backup(build_head(line), None)


@pytest.mark.parametrize(
    "name", [b"{}", b"[]", b"x", b'{"path": 1, "kind": "file"}', b'{"path": "a"}']
)
def test_a_part_without_a_name_is_refused(name: bytes) -> None:
    out = io.BytesIO()
    writer = SealedWriter(out, {}, None)
    writer.write(len(name).to_bytes(4, "big") + name)
    writer.finish()
    with pytest.raises(ArchiveError, match="does not hold what its list"):
        read_backup(out.getvalue(), None)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "", ".", "a\0b"])
def test_a_part_outside_the_folder_is_refused(path: str) -> None:
    with pytest.raises(ArchiveError, match="outside the data folder"):
        read_backup(build_backup({path: b""}, None), None)


def test_a_large_part_takes_no_memory(tmp_path: Path) -> None:
    file, block = tmp_path / "a.backup", bytes(1 << 20)
    tracemalloc.start()
    with file.open("wb") as out:
        writer = PartWriter(SealedWriter(out, {}, KEY))
        writer.add_part("graph.dump", "graph", (block for _ in range(64)))
        writer.finish_parts()
    with file.open("rb") as source:
        stream = SealedReader(source, file, KEY)
        size = sum(len(b) for _, _, blocks in iterate_parts(stream, file) for b in blocks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 64 << 20 and peak < 12 << 20


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No key is set."""
    for name in KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_key_comes_from_one_of_three_places(no_key: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_backup_key() is None
    file = tmp_path / "key"
    file.write_text(f"{KEY.hex()}\n")
    file.chmod(0o600)
    for name, value in zip(KEY_VARIABLES, (KEY.hex(), str(file), f"cat {file}"), strict=True):
        no_key.setenv(name, value)
        assert load_backup_key() == KEY
        no_key.delenv(name)


def test_a_key_that_systemd_hands_over_is_read(no_key: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "credentials" / "backup.key"
    file.parent.mkdir()
    file.write_text(KEY.hex())
    no_key.setenv("SHICHENG_BACKUP_KEY_FILE", str(file))
    file.chmod(0o440)  # as its access list shows it
    with pytest.raises(UsageError, match="chmod 600"):
        load_backup_key()
    no_key.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    assert load_backup_key() == KEY
    for mode in (0o444, 0o460):
        file.chmod(mode)
        with pytest.raises(UsageError, match="chmod 600"):
            load_backup_key()
    file.chmod(0o440)
    no_key.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "other"))
    with pytest.raises(UsageError, match="chmod 600"):
        load_backup_key()


def test_a_key_that_is_none_is_said_without_it(no_key: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret word")
    variable, from_file, from_command = KEY_VARIABLES
    for name, value, said in (
        (variable, "secret word", "64 hexadecimal digits"),
        (from_file, str(file), "chmod 600"),
        (from_file, str(tmp_path / "absent"), "cannot be read"),
        (from_command, "false", r"failed \(CalledProcessError\)"),
        (from_command, "/absent/command", "failed"),
        (from_command, "echo 'secret word'", "64 hexadecimal digits"),
    ):
        no_key.setenv(name, value)
        with pytest.raises(UsageError, match=said) as caught:
            load_backup_key()
        assert "secret word" not in str(caught.value)
        no_key.delenv(name)
    no_key.setenv(variable, KEY.hex())
    no_key.setenv(from_file, str(file))
    with pytest.raises(UsageError, match="both set"):
        load_backup_key()

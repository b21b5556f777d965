"""The audit log: what it holds, and that no damage to its lines is missed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.audit import log
from graph.audit.actor import Actor, acting_as
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.audit.log import record_event
from graph.audit.verification import verify_audit_log
from graph.errors import AuditError
from tests.examples import limit_examples

PERSON = "p0034"
CERTIFICATE = "Z2023110105001234"
STEWARD = Actor("li@example.org", "steward", "app")


def write_months(home: Path, monkeypatch: Any, months: dict[int, int]) -> None:
    """So many lines a month; the clock is put back once, which reopens no month."""

    class Clock(log.dt.datetime):
        month_now = 1

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2026, cls.month_now, 3, 4, 5, 6, tzinfo=tz)

    monkeypatch.setattr(log.dt, "datetime", Clock)
    for month, lines in months.items():
        Clock.month_now = month
        for n in range(lines):
            record_event(home, "query", actor=STEWARD, people=[PERSON], rows=n)
    monkeypatch.undo()


@pytest.fixture(scope="module")
def written() -> Any:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        write_months(Path(folder), patch, {9: 4, 10: 3, 8: 2, 11: 4})
        yield Path(folder)


def list_lines(home: Path) -> list[str]:
    return [line for path in log.list_month_files(home) for line in path.read_text().splitlines()]


def test_lines_hold_each_other_across_months(written: Path) -> None:
    files = [path.name for path in log.list_month_files(written)]
    assert files == ["2026-09.jsonl", "2026-10.jsonl", "2026-11.jsonl"]
    stated = [json.loads(line) for line in list_lines(written)]
    assert [one["seq"] for one in stated] == list(range(1, 14))
    check = verify_audit_log(written)
    assert (check.lines, check.faults) == (13, ())
    assert not verify_audit_log(written, expected=check.sha256).faults
    assert verify_audit_log(written, expected="0" * 64).faults


def change_byte(draw: Any, folder: Path) -> None:
    path = draw(st.sampled_from(sorted(folder.glob("*.jsonl"))))
    content = bytearray(path.read_bytes())
    at = draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << draw(st.integers(0, 7))
    path.write_bytes(content)


def edit_lines(draw: Any, folder: Path) -> None:
    """Removes, doubles, swaps or moves a line, also into another month."""
    paths = sorted(folder.glob("*.jsonl"))
    lines = [path.read_bytes().splitlines(keepends=True) for path in paths]
    here = draw(st.sampled_from(range(len(paths))))
    there = draw(st.sampled_from(range(len(paths))))
    before = [list(one) for one in lines]
    line = lines[here].pop(draw(st.integers(0, len(lines[here]) - 1)))
    for _ in range(draw(st.integers(0, 2))):
        lines[there].insert(draw(st.integers(0, len(lines[there]))), line)
    if lines == before:
        lines[here].pop()
    for path, content in zip(paths, lines, strict=True):
        path.write_bytes(b"".join(content))


def truncate_file(draw: Any, folder: Path) -> None:
    path = draw(st.sampled_from(sorted(folder.glob("*.jsonl"))))
    content = path.read_bytes()
    path.write_bytes(content[: draw(st.integers(0, len(content) - 1))])


def remove_file(draw: Any, folder: Path) -> None:
    draw(st.sampled_from([*sorted(folder.glob("*.jsonl")), folder / "head.json"])).unlink()


def add_bytes(draw: Any, folder: Path) -> None:
    path = draw(st.sampled_from(sorted(folder.glob("*.jsonl"))))
    content = path.read_bytes()
    at = draw(st.integers(0, len(content)))
    added = draw(st.one_of(st.binary(min_size=1, max_size=9), st.just(b"\n")))
    path.write_bytes(content[:at] + added + content[at:])


DAMAGES: tuple[Callable[[Any, Path], None], ...] = (
    change_byte,
    edit_lines,
    truncate_file,
    remove_file,
    add_bytes,
)


@settings(deadline=None, max_examples=limit_examples(80))
@given(st.data())
def test_any_damage_is_found_and_no_later_line_hides_it(written: Path, data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(written / "audit", home / "audit")
        data.draw(st.sampled_from(DAMAGES))(data.draw, home / "audit")
        assert verify_audit_log(home).faults
        has_head = (home / "audit" / "head.json").exists()
        record_event(home, "query", actor=STEWARD)
        # A tail of which the head has every byte is put back as it was.
        *earlier, last = read_files(home).values()
        undamaged = list(read_files(written).values())
        last_line = last[last[:-1].rfind(b"\n") + 1 :]
        found = [one for one in (*earlier, last[: -len(last_line)]) if one]
        is_mended = has_head and found == undamaged
        assert bool(verify_audit_log(home).faults) != is_mended


def read_files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in log.list_month_files(home)}


@pytest.mark.parametrize("left", [0, 1, 40])
def test_a_line_that_a_kill_broke_off_is_completed(tmp_path: Path, left: int) -> None:
    for _ in range(3):
        record_event(tmp_path, "export", actor=STEWARD)
    [path] = log.list_month_files(tmp_path)
    complete = path.read_bytes()
    start = complete[:-1].rindex(b"\n") + 1
    path.write_bytes(complete[: start + left])
    assert verify_audit_log(tmp_path).faults
    record_event(tmp_path, "export", actor=STEWARD)
    assert path.read_bytes().startswith(complete)
    assert not verify_audit_log(tmp_path).faults


def test_a_line_holds_nobody(tmp_path: Path) -> None:
    record_event(
        tmp_path,
        "read",
        actor=STEWARD,
        people=[PERSON, PERSON],
        what="profile",
        name="杨勇军",
        number=CERTIFICATE,
        file="profile 110101199003071234.html",
    )
    [line] = list_lines(tmp_path)
    for secret in (PERSON, "杨勇军", CERTIFICATE, "110101199003071234"):
        assert secret not in line
    facts = json.loads(line)["facts"]
    assert facts["what"] == "profile" and facts["people_count"] == 1
    found = list(iterate_audit_entries(tmp_path, AuditFilter(person=PERSON)))
    assert [one.seq for one in found] == [1]
    assert not list(iterate_audit_entries(tmp_path, AuditFilter(person="p0035")))
    modes = {oct(p.stat().st_mode & 0o777) for p in (tmp_path / "audit").iterdir()}
    assert modes == {"0o600"} and (tmp_path / "audit").stat().st_mode & 0o777 == 0o700


def test_the_search_is_by_day_event_and_person(written: Path) -> None:
    def seqs(**asked: Any) -> list[int]:
        return [one.seq for one in iterate_audit_entries(written, AuditFilter(**asked))]

    assert seqs(since="2026-11-01") == [13, 12, 11, 10]
    # August's lines stand in October's file: the clock was put back.
    assert seqs(until="2026-08-31") == [9, 8]
    assert seqs(event="export") == [] and len(seqs(by=STEWARD.id)) == 13


def test_many_at_once_make_one_chain(tmp_path: Path) -> None:
    def write() -> None:
        with acting_as(STEWARD):
            for _ in range(10):
                record_event(tmp_path, "query")

    threads = [Thread(target=write) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    check = verify_audit_log(tmp_path)
    assert (check.lines, check.faults) == (40, ())


def test_what_cannot_be_logged_is_said(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("no folder")
    with pytest.raises(AuditError, match="nothing was done"):
        record_event(tmp_path, "export", actor=STEWARD)


@pytest.mark.parametrize(
    ("fact", "plain"),
    [
        ("110101199001011234", False),
        ("110101 19900101 1234", False),
        ("110101-1990-01-01-1234", False),
        ("1990-01-01 110101 123", False),
        ("2026-11-01..2027-01-01", True),
        ("query leading_talents", True),
        ("32,44,11,12,13", True),
    ],
)
def test_a_number_written_in_groups_is_no_plain_fact(
    tmp_path: Path, fact: str, *, plain: bool
) -> None:
    record_event(tmp_path, "query", actor=STEWARD, fact=fact)
    (line,) = list_lines(tmp_path)
    assert (fact in line) == plain

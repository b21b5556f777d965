"""A load on a thread of its own: its turn, its end, and until when it can be called off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from graph.errors import DatabaseError, NothingLoadedError
from graph.messages import Message
from graph.server.locks import LOAD_LOCK_NAME
from loaders import load_jobs
from loaders.department_files import DepartmentFiles
from loaders.load_jobs import LoadJob, LoadTask
from loaders.sync import WRITING_STEP

WAIT = 20.0
Load = Callable[..., Any]


def build_job(home: Path, **task: Any) -> LoadJob:
    database: Any = object()
    return LoadJob(LoadTask(DepartmentFiles, home, **task), lambda: database)


def wait_for(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[Load], None]:
    def use(replaced: Load) -> None:
        monkeypatch.setattr(load_jobs, "load_records", replaced)

    return use


def test_a_job_ends_with_its_report_and_figures(tmp_path: Path, load: Any) -> None:
    load(lambda *given, **named: ("report", named["dry_run"]))
    ended: list[int] = []
    figures = iter([{"driven_persons": 1}, {"driven_persons": 3}])
    job = build_job(
        tmp_path, dry_run=False, measure=lambda: next(figures), finish=lambda: ended.append(1)
    )
    job.run()
    assert (job.state, job.report) == ("done", ("report", False))
    assert (job.before, job.after) == ({"driven_persons": 1}, {"driven_persons": 3})
    assert ended == [1]


def test_a_job_shows_what_the_load_says_on_the_way(tmp_path: Path, load: Any) -> None:
    def says(*given: Any, **named: Any) -> str:
        for text in ("counted", "done"):
            named["say"](Message(text))
        return "report"

    load(says)
    job = build_job(tmp_path, dry_run=False)
    job.run()
    assert [str(message) for message in job.said] == ["counted", "done"]


def test_a_dry_run_measures_nothing(tmp_path: Path, load: Any) -> None:
    load(lambda *given, **named: "report")
    job = build_job(tmp_path, measure=lambda: pytest.fail("measured"))
    job.run()
    assert (job.state, job.before, job.after) == ("done", None, None)


def test_a_job_can_be_called_off_while_it_checks_and_not_while_it_writes(
    tmp_path: Path, load: Any
) -> None:
    going, steps = threading.Event(), []

    def checking(*given: Any, progress: Any, **named: Any) -> str:
        progress("check a.csv", 0, 0)
        going.wait(WAIT)
        progress(WRITING_STEP, 0, 3)
        steps.append("written")
        return "report"

    load(checking)
    job = build_job(tmp_path, dry_run=False).start()
    wait_for(lambda: job.state == "checking" and bool(job.step))
    assert job.cancel()
    going.set()
    wait_for(lambda: job.is_over)
    assert (job.state, steps) == ("cancelled", [])

    going.clear()
    written = threading.Event()

    def writing(*given: Any, progress: Any, **named: Any) -> str:
        progress(WRITING_STEP, 0, 3)
        written.set()
        going.wait(WAIT)
        progress("write", 3, 3)
        return "report"

    load(writing)
    job = build_job(tmp_path, dry_run=False).start()
    assert written.wait(WAIT)
    assert not job.cancel() and job.state == "writing"
    going.set()
    wait_for(lambda: job.is_over)
    assert (job.state, job.report) == ("done", "report")


def test_jobs_wait_for_each_other_and_for_other_processes(tmp_path: Path, load: Any) -> None:
    order: list[str] = []
    going = threading.Event()

    def slow(*given: Any, **named: Any) -> str:
        order.append("begun")
        going.wait(WAIT)
        order.append("ended")
        return "report"

    load(slow)
    first = build_job(tmp_path).start()
    wait_for(lambda: order == ["begun"])
    second = build_job(tmp_path).start()
    third = build_job(tmp_path).start()
    time.sleep(0.5)
    assert second.state == "waiting" and order == ["begun"]
    assert third.cancel()
    wait_for(lambda: third.state == "cancelled")
    going.set()
    wait_for(lambda: first.is_over and second.is_over)
    assert order == ["begun", "ended", "begun", "ended"]

    with FileLock(tmp_path / LOAD_LOCK_NAME):
        job = build_job(tmp_path).start()
        time.sleep(0.5)
        assert job.state == "waiting"
    wait_for(lambda: job.state == "done")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DatabaseError("the server is away"), "the server is away"),
        (NothingLoadedError("None of the rows"), "None of the rows"),
        (ValueError("赵建国 329999196201011015"), "was not foreseen"),
    ],
)
def test_what_goes_wrong_is_said_without_personal_data(
    error: Exception, text: str, tmp_path: Path, load: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*given: Any, **named: Any) -> None:
        raise error

    load(fail)
    ended: list[int] = []
    job = build_job(tmp_path, finish=lambda: ended.append(1))
    job.run()
    assert job.state == "failed" and text in str(job.error) and ended == [1]
    assert "赵建国" not in f"{job.error}{caplog.text}"

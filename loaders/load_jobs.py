"""A load, or its dry run, on a thread of its own, so that a page can follow it and call it off.

Jobs of one process wait for each other, and for a load that another process runs. A job can be
called off until the store is written: `cancel` says whether it still was in time.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal

from graph.audit.actor import Actor, acting_as, find_current_actor
from graph.errors import DatabaseError, NothingLoadedError, RefusedLoadError, ShichengError
from graph.messages import Message
from graph.policy import Policy
from graph.server.database import Database
from graph.server.identity_key import build_id_digester
from graph.server.locks import is_load_running
from loaders.department_files import (
    DepartmentFiles,
    explain_open_sheets,
    fetch_stored_people,
    iterate_raw_tables,
)
from loaders.reports import LoadReport
from loaders.sync import WRITING_STEP, load_records
from loaders.tables import RereadTables

JobState = Literal["waiting", "checking", "writing", "measuring", "done", "failed", "cancelled"]
_OVER: Final = ("done", "failed", "cancelled")
# How often a waiting job looks whether it is its turn.
_TURN_SECONDS: Final = 0.2
_FAILED: Final = Message(
    "The load failed for a reason that was not foreseen, and nothing of it counts; report the "
    "number {number}."
)
# One load of this process at a time; those of other processes hold the lock of the data folder.
_turn = threading.Lock()
# The jobs of this process that have not ended.
_running_jobs: list[LoadJob] = []
job_logger = logging.getLogger("shicheng.loads")

# National figures (driven persons ...) as the graph stands; None while nothing is loaded.
MeasureFigures = Callable[[], Mapping[str, int] | None]


class CancelledLoadError(Exception):
    """Whoever began the load has called it off before anything was written."""


@dataclass(frozen=True)
class LoadTask:
    """What a job does. `read` reads the files; `measure` gives the figures before and after a load,
    `policy` those of a dry run.

    `touch` says, while the job waits, that its files are in use; `finish` that they no longer are.
    """

    read: Callable[[], DepartmentFiles]
    home: Path
    dry_run: bool = True
    complete: bool = False
    agreed: bool = False
    withdrawn: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    measure: MeasureFigures = lambda: None
    finish: Callable[[], None] = lambda: None
    touch: Callable[[], None] = lambda: None


@dataclass(eq=False)
class LoadJob:
    """One load under way. `report`, `read`, `before` and `after` are there as far as it came.

    `said`: how it goes about its work, and what a first load has counted before it ends.
    """

    task: LoadTask
    open_database: Callable[[], Database]
    state: JobState = "waiting"
    step: str = ""
    rows_done: int = 0
    rows_total: int = 0
    report: LoadReport | None = None
    read: DepartmentFiles | None = None
    before: Mapping[str, int] | None = None
    after: Mapping[str, int] | None = None
    error: Message | None = None
    said: tuple[Message, ...] = ()
    actor: Actor | None = None
    _is_cancelled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, however."""
        return self.state in _OVER

    def start(self) -> LoadJob:
        """Begins, on a thread of its own."""
        _running_jobs.append(self)
        self.actor = find_current_actor()
        threading.Thread(target=self.run, name="load", daemon=True).start()
        return self

    def cancel(self) -> bool:
        """Calls the job off, if nothing is written yet; whether that was so."""
        with self._lock:
            if self.state in ("waiting", "checking"):
                self._is_cancelled = True
            return self._is_cancelled

    def run(self) -> None:
        """All of it, on this thread. Raises nothing: what went wrong is in `error`."""
        try:
            with acting_as(self.actor or find_current_actor()):
                self._wait_for_turn()
            self._enter("done")
        except CancelledLoadError:
            self._enter("cancelled")
        except (NothingLoadedError, RefusedLoadError) as error:
            self.report, self.error = error.report or self.report, error.message
            self._enter("failed")
        except ShichengError as error:
            self.error = error.message
            self._enter("failed")
        except Exception as error:
            # The type alone: the text of an unknown error may hold personal data.
            number = secrets.token_hex(3)
            job_logger.error("load error %s: %s", number, type(error).__name__)
            self.error = _FAILED.with_values(number=number)
            self._enter("failed")
        finally:
            self.task.finish()
            if self in _running_jobs:
                _running_jobs.remove(self)

    def _enter(self, state: JobState) -> None:
        with self._lock:
            self.state = state

    def _wait_for_turn(self) -> None:
        while True:
            self._raise_if_cancelled()
            self.task.touch()
            if _turn.acquire(timeout=_TURN_SECONDS):
                try:
                    if self._try_load():
                        return
                finally:
                    _turn.release()
            time.sleep(_TURN_SECONDS)

    def _try_load(self) -> bool:
        """Loads; False where another process has begun a load meanwhile."""
        if is_load_running(self.task.home):
            return False
        database = self.open_database()
        self._enter("checking")
        if not self.task.dry_run:
            self.before = self._measure()
        self.read = self.task.read()
        if self.read.open:
            raise explain_open_sheets(self.read.open)
        try:
            self.report = self._load(database, self.read)
        except DatabaseError:
            if self.state == "checking" and is_load_running(self.task.home):
                self._enter("waiting")
                return False
            raise
        if self.task.dry_run:
            self._raise_if_cancelled()
        else:
            self._enter("measuring")
            self.after = self._measure()
        return True

    def _load(self, database: Database, read: DepartmentFiles) -> LoadReport:
        digest = build_id_digester(self.task.home)
        find_stored = partial(fetch_stored_people, database)
        return load_records(
            database,
            "files",
            RereadTables(partial(iterate_raw_tables, read, digest, find_stored)),
            home=self.task.home,
            complete=self.task.complete,
            agreed=self.task.agreed,
            withdrawn=self.task.withdrawn,
            dry_run=self.task.dry_run,
            policy=self.task.policy,
            progress=self._note_progress,
            say=self._note_said,
        )

    def _measure(self) -> Mapping[str, int] | None:
        """The figures; None where they can't be had, which fails no load."""
        try:
            return self.task.measure()
        except Exception as error:
            job_logger.info("no figures beside a load: %s", type(error).__name__)
            return None

    def _note_said(self, message: Message) -> None:
        self.said = (*self.said, message)

    def _note_progress(self, step: str, done: int, total: int) -> None:
        with self._lock:
            if self.state == "checking":
                if self._is_cancelled:
                    raise CancelledLoadError
                if step == WRITING_STEP:
                    self.state = "writing"
        self.step, self.rows_done, self.rows_total = step, done, total

    def _raise_if_cancelled(self) -> None:
        if self._is_cancelled:
            raise CancelledLoadError


def find_running_load(home: Path) -> LoadJob | None:
    """The load of this process that writes, or waits to write, into the data folder now.

    Checks are left out: they belong to the visit that began them.
    """
    for job in list(_running_jobs):
        if job.task.home == home and not job.task.dry_run:
            return job
    return None

"""get -> transform -> load -> cleanup: what every loader goes through, once.

A loader gives raw tables (`loaders.LOADER_MODULES`); here they are checked, written and cleaned up,
and the load itself is recorded, so that an interrupted one is seen and never counted.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from graph.audit.log import record_event
from graph.driven.results import load_driven
from graph.errors import (
    NothingLoadedError,
    RefusedLoadError,
    ShichengError,
    UsageError,
)
from graph.messages import Message, Say
from graph.model.kinds import EXCHANGE_TABLES, LOAD
from graph.policy import Policy
from graph.progress import Progress
from graph.server.admin import swap_store, take_store_offline
from graph.server.database import Database
from graph.snapshot.frames import Manifest, open_snapshot
from graph.snapshot.initial import InitialRecords
from graph.snapshot.take import (
    publish_initial_snapshot,
    write_snapshot_frames,
)
from graph.store.bulk_import import BulkImport
from graph.store.identity_merge import PEOPLE, IdentityKind, IdentityMerge, merge_identities
from graph.store.identity_split import split_identity
from graph.store.merge import (
    Writer,
)
from graph.store.schema import apply_schema
from graph.store.standing import delete_last_known_state
from graph.store.statements import parse_source_rank
from graph.store.undo import delete_old_undo_images, undo_load
from loaders.completeness import (
    TableState,
    count_removals,
    count_stated_records,
    explain_incomplete_load,
    explain_needed_agreement,
)
from loaders.findings import REFUSED, REMARK, build_empty_findings, build_findings
from loaders.tables import (
    ROW_SOURCE_COLUMN,
    RawTable,
    UnreadFile,
)

if TYPE_CHECKING:
    pass

from loaders.broken_loads import undo_broken_loads
from loaders.checking import IMPORT_ROWS_PER_SECOND, check_load_tables
from loaders.load_nodes import (
    build_load_id,
    build_load_properties,
    cache_last_revision,
    create_load_node,
    finish_imported_load,
    finish_load,
    open_load_folder,
)
from loaders.records import (
    IdentityMerges,
    build_row_counter,
    write_load_records,
    write_staged_tables,
)
from loaders.rehearsal import RehearsedLoad, measure_headline_change
from loaders.reports import LoadReport, TableCount, write_load_report
from loaders.resumption import ResumableLoad, compute_staged_digest, find_resumable_load
from loaders.staging import StagedTable

# Fewer rows are in sooner by batches than by stopping Neo4j and making its store.
MIN_BULK_ROWS = 100_000
# The step that `progress` receives before the first thing is written.
WRITING_STEP = "begin to write"
# What a load that only merges nodes of the graph, or parts two, names as its loader.
MATCH_LOADER = "match"
SPLIT_LOADER = "part"
# In the load's folder: the records for the first snapshot, and its frames while they are made.
INITIAL_RECORDS_FOLDER = "records"
INITIAL_SNAPSHOT_FOLDER = "snapshot"
_FIRST_FIGURES = ("leading_talents", "driven_persons", "driven_person_times")


def load_records(
    database: Database,
    loader: str,
    tables: Iterable[RawTable | UnreadFile],
    *,
    home: Path,
    complete: bool = False,
    agreed: bool = False,
    withdrawn: Collection[str] = (),
    dry_run: bool = False,
    policy: Policy | None = None,
    queue: bool = False,
    today: dt.date | None = None,
    bulk_rows: int = MIN_BULK_ROWS,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> LoadReport:
    """Checks `tables`, writes what can be taken, cleans up, and reports.

    `complete` says that the tables are all that their sources have to state: what these sources
    stated before and do not now is taken back, beyond `settings.removal_share` of a table only
    when that is `agreed`, and all of a table only when it is among `withdrawn`. `dry_run` only
    checks; its report says in `refusal` why a load would write nothing, else in `headline` what it
    would do to the national figures under `policy` (today's default). `queue` waits for its turn
    while another load runs, instead of raising DatabaseError. `bulk_rows`: the rows from which the
    first load of an empty embedded store is made beside it by neo4j-admin and put in its place.
    `say` receives in words how the load goes about it. Raises UsageError when there is nothing to
    load, NothingLoadedError when no row could be taken, RefusedLoadError when a complete load would
    take back what it must not, DatabaseError when Neo4j can't be used. The first two have the
    report in `report`.
    """
    _validate_table_names(withdrawn)
    began = time.monotonic()
    load_id, day = build_load_id(), today or dt.date.today()
    with open_load_folder(home, load_id, database, queue=queue, say=say) as folder:

        def check() -> _CheckedLoad:
            checked = _check_load(database, loader, tables, folder, day, load_id, dry_run, progress)
            if complete:
                checked.add_removals(database, withdrawn, agreed)
            checked.refuse_nothing()
            return checked

        broken = None if dry_run else _find_broken_load(database, tables, say)
        checked = check()
        if broken is not None and not checked.goes_on(broken):
            undo_broken_loads(database, say)
            broken, checked = None, check()
        report = checked.report
        if not dry_run and report.refusal is None:
            # Whoever follows may still stop the load here; from now on the store is written.
            progress(WRITING_STEP, 0, report.accepted)
            _record_load(home, report, complete)
            report = _write_load(database, checked, folder, bulk_rows, broken, progress, say)
        elif report.refusal is None:
            report = _rehearse_load(database, checked, folder, policy or Policy(), progress)
    return _conclude_report(home, replace(report, seconds=time.monotonic() - began))


def _record_load(home: Path, report: LoadReport, complete: bool) -> None:
    record_event(
        home,
        "load",
        load_id=report.load_id,
        loader=report.loader,
        rows=report.accepted,
        complete=complete,
        sources=len(report.sources),
    )


def _conclude_report(home: Path, report: LoadReport) -> LoadReport:
    """Keeps the report of a load, and raises what refused it; a dry run only has one."""
    if not report.dry_run:
        write_load_report(home, report)
        if report.refusal is not None:
            report.refusal.report = report
            raise report.refusal
    return report


@dataclass
class _CheckedLoad:
    """What is to be written, and the report so far. `merges`: nodes of the graph to be merged."""

    report: LoadReport
    tables: Sequence[StagedTable]
    merges: IdentityMerges
    source_rank: str
    complete: bool = False

    def add_removals(self, database: Database, withdrawn: Collection[str], agreed: bool) -> None:
        """It says that it is complete: what it takes back, or why it must not."""
        self.complete = True
        self.report = _add_removals(database, self.report, self.tables, withdrawn, agreed)

    def refuse_nothing(self) -> None:
        """Refuses a load of no row."""
        if not self.report.accepted:
            self.report = replace(self.report, refusal=_build_nothing_loaded_error(self.report))

    def compute_staged(self) -> str | None:
        """Tells what it writes; None where that depends on what stands in the graph already."""
        if self.merges:
            return None
        decisive = {
            "loader": self.report.loader,
            "sources": self.report.sources,
            "complete": self.complete,
            "source_rank": self.source_rank,
        }
        return compute_staged_digest(self.tables, decisive)

    def goes_on(self, broken: ResumableLoad) -> bool:
        """Whether it writes what the load was to write that broke off."""
        return self.report.refusal is None and self.compute_staged() == broken.staged


def _check_load(
    database: Database,
    loader: str,
    tables: Iterable[RawTable | UnreadFile],
    folder: Path,
    day: dt.date,
    load_id: str,
    dry_run: bool,
    progress: Progress,
) -> _CheckedLoad:
    unread: list[UnreadFile] = []
    read = _iterate_raw_tables(tables, unread)
    home = folder.parent.parent
    staged, identities = check_load_tables(database, read, folder, home, day, progress)
    report = _start_load_report(load_id, loader, staged, unread, dry_run)
    report = replace(report, merged_ids=identities[PEOPLE.node.label].moved.height)
    merges = {label: found.list_merges() for label, found in identities.items()}
    merges = {label: of_kind for label, of_kind in merges.items() if of_kind}
    return _CheckedLoad(report, staged, merges, database.settings.source_rank)


def _find_broken_load(
    database: Database, tables: Iterable[RawTable | UnreadFile], say: Say
) -> ResumableLoad | None:
    """The load that broke off and that this one may go on with; any other is undone.

    Tables that can be read only once cannot be checked again after an undoing: it comes first.
    """
    broken = None if isinstance(tables, Iterator) else find_resumable_load(database)
    if broken is None:
        undo_broken_loads(database, say)
    return broken


def _start_load_report(
    load_id: str,
    loader: str,
    checked: Sequence[StagedTable],
    unread: Sequence[UnreadFile],
    dry_run: bool,
) -> LoadReport:
    """The report of what was read and checked, before anything is written."""
    findings = [build_empty_findings(), *(table.findings for table in checked)]
    return LoadReport(
        load_id=load_id,
        loader=loader,
        sources=tuple(sorted({source for table in checked for source in table.sources})),
        dry_run=dry_run,
        tables=tuple(_count_table(table) for table in checked),
        findings=pl.concat([*findings, _list_unread_findings(unread)]),
        unread=tuple(unread),
    )


def _validate_table_names(named: Collection[str]) -> None:
    for table in named:
        if table not in EXCHANGE_TABLES:
            raise UsageError(
                "there is no table {table}; take one of: {tables}",
                table=table,
                tables=[*EXCHANGE_TABLES],
            )


def _build_nothing_loaded_error(report: LoadReport) -> NothingLoadedError:
    if not report.read:
        return NothingLoadedError(
            "The files hold no rows, so nothing was loaded: check that they are the right ones."
        )
    return NothingLoadedError(
        "None of the {read:,} rows could be taken, so nothing was loaded: mend what the list of "
        "refusals names, then load again.",
        read=report.read,
    )


def _add_removals(
    database: Database,
    report: LoadReport,
    staged: Sequence[StagedTable],
    withdrawn: Collection[str],
    agreed: bool,
) -> LoadReport:
    """The report of a load that says it is complete, with what it would take back."""
    tables = [_build_table_state(table) for table in staged]
    silent = {t.source for t in tables if not t.by_source}
    sources = sorted({*report.sources, *silent})
    stated = count_stated_records(database, sources)
    refusal = explain_incomplete_load(tables, stated, withdrawn)
    found = count_removals(
        database, sources, stated, lambda census: write_staged_tables(census, staged)
    )
    if refusal is None and not agreed:
        share = database.settings.removal_share
        refusal = explain_needed_agreement(found, share, withdrawn)
    refused = None if refusal is None else RefusedLoadError(refusal)
    removed = {r.table: r.removed for r in found if r.removed}
    return replace(report, taken_back=tuple(found), removed=removed, refusal=refused)


def _build_table_state(table: StagedTable) -> TableState:
    by_source = {rows[ROW_SOURCE_COLUMN][0]: rows.height for rows in table.rows()}
    return TableState(table.table, table.file, table.source, table.read, table.accepted, by_source)


def _iterate_raw_tables(
    tables: Iterable[RawTable | UnreadFile], unread: list[UnreadFile]
) -> Iterator[RawTable]:
    """The tables; what is not read goes to `unread`."""
    for raw in tables:
        if isinstance(raw, UnreadFile):
            unread.append(raw)
        else:
            yield raw


def _list_unread_findings(unread: Sequence[UnreadFile]) -> pl.DataFrame:
    return build_findings([(one.file, 0, "", "", one.reason, REMARK) for one in unread])


def _count_table(table: StagedTable) -> TableCount:
    remarks = table.findings.filter(pl.col("kind") != REFUSED).height
    refused = table.read - table.accepted
    return TableCount(
        table.table, table.file, table.read, table.accepted, refused, remarks, table.encoding
    )


# load


def _rehearse_load(
    database: Database, checked: _CheckedLoad, folder: Path, policy: Policy, progress: Progress
) -> LoadReport:
    """The report of a dry run with what the load would do to the headline."""
    report = checked.report
    replaced = report.sources if checked.complete else ()
    rehearsed = RehearsedLoad(report, checked.tables, checked.merges, replaced)
    headline = measure_headline_change(database, rehearsed, folder, policy, progress)
    return replace(report, headline=headline)


def _write_load(
    database: Database,
    checked: _CheckedLoad,
    folder: Path,
    bulk_rows: int,
    broken: ResumableLoad | None,
    progress: Progress,
    say: Say,
) -> LoadReport:
    """Writes what was taken under a Load node that says when it began and when it ended."""
    if broken is not None:
        checked.report = replace(checked.report, load_id=broken.load_id)
        return _write_undoable_load(database, checked, broken.first, broken, progress, say)
    report = checked.report
    _is_first_load(database)
    if database.embedded and report.accepted >= bulk_rows and _is_store_clean(database, report):
        return _import_new_store(database, report, checked.tables, folder, progress, say)
    finish_imported_load(database)
    first = _is_first_load(database)
    if first and not database.embedded:
        say(
            Message(
                "The records go in batches: the store of the server at NEO4J_URI is not ours "
                "to make."
            )
        )
    apply_schema(database, searched=not first)
    if not first:
        cache_last_revision(database, progress)
    create_load_node(database, report, {"staged": checked.compute_staged()})
    return _write_undoable_load(database, checked, first, None, progress, say)


def _write_undoable_load(
    database: Database,
    checked: _CheckedLoad,
    first: bool,
    broken: ResumableLoad | None,
    progress: Progress,
    say: Say,
) -> LoadReport:
    """Writes it in batches, and undoes it where it fails; where it is killed, it can go on."""
    report = checked.report
    count = build_row_counter(progress, "write", report.accepted)
    writer = Writer(
        database,
        report.load_id,
        report.sources if checked.complete else (),
        first=first,
        progress=count,
        acknowledged=frozenset() if broken is None else broken.acknowledged,
        resumed=partial(_say_where_it_goes_on, say, report.accepted),
    )
    try:
        report = _write_load_in_batches(database, checked, writer, progress)
    except BaseException:
        _undo_failed_load(database, report.load_id, say)
        raise
    delete_old_undo_images(database, database.settings.undo_loads)
    return report


def _say_where_it_goes_on(say: Say, rows: int, written: int) -> None:
    say(
        Message(
            "The load that broke off goes on at row {row:,} of {rows:,}.",
            row=min(written + 1, rows),
            rows=rows,
        )
    )


def _write_load_in_batches(
    database: Database, checked: _CheckedLoad, writer: Writer, progress: Progress
) -> LoadReport:
    removed = write_load_records(writer, checked.merges, checked.tables)
    if writer.first:
        progress("make the indexes", 0, 0)
        apply_schema(database)
    revision = finish_load(database, writer.load_id)
    return replace(
        checked.report,
        written=writer.written,
        removed=removed,
        revision=revision,
        conflicts=tuple(writer.conflicts),
    )


def write_identity_merges(
    database: Database,
    load_id: str,
    identity: IdentityKind,
    merges: Mapping[str, IdentityMerge],
    *,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> LoadReport:
    """Merges nodes of the graph in a load of its own, undone if it fails; its report.

    To be called inside `open_load_folder`, so that nothing else is written meanwhile.
    """
    began = time.monotonic()
    merged_ids = len(merges) if identity is PEOPLE else 0
    report = LoadReport(
        load_id, MATCH_LOADER, (), False, (), build_empty_findings(), merged_ids=merged_ids
    )
    count = build_row_counter(progress, "write", len(merges))

    def write() -> None:
        merge_identities(Writer(database, load_id, progress=count), identity, merges)

    revision = _write_own_load(database, report, write, progress, say)
    report = replace(report, revision=revision, seconds=time.monotonic() - began)
    write_load_report(database.settings.home, report)
    return report


def write_identity_split(
    database: Database,
    load_id: str,
    identity: IdentityKind,
    alias_id: str,
    standing_id: str,
    *,
    say: Say = lambda line: None,
) -> int:
    """Parts a further id from what stands for it in a load of its own; the revision after it.

    Raises UsageError where the two can no longer be distinguished; then nothing has changed.
    """
    report = LoadReport(load_id, SPLIT_LOADER, (), False, (), build_empty_findings())

    def write() -> None:
        split_identity(Writer(database, load_id), identity, alias_id, standing_id)

    revision = _write_own_load(database, report, write, lambda what, done, total: None, say)
    write_load_report(database.settings.home, replace(report, revision=revision))
    return revision


def _write_own_load(
    database: Database,
    report: LoadReport,
    write: Callable[[], None],
    progress: Progress,
    say: Say,
) -> int:
    """A load that reads no file, from its node to its end; undone where it fails."""
    apply_schema(database)
    cache_last_revision(database, progress)
    create_load_node(database, report)
    try:
        write()
        revision = finish_load(database, report.load_id)
    except BaseException:
        _undo_failed_load(database, report.load_id, say)
        raise
    delete_old_undo_images(database, database.settings.undo_loads)
    return revision


def _undo_failed_load(database: Database, load_id: str, say: Say) -> None:
    """Undoes the load that fails now; where even that fails, the next load does."""
    with suppress(ShichengError):
        undo_load(database, load_id)
        say(Message("The load has been undone: the graph is as it was before."))


def _import_new_store(
    database: Database,
    report: LoadReport,
    staged: Sequence[StagedTable],
    folder: Path,
    progress: Progress,
    say: Say,
) -> LoadReport:
    """The first load: a store made by neo4j-admin beside the empty one, then put in its place."""
    say(
        Message(
            "A first load of {rows:,} rows: Neo4j stops while its store is made as a whole, "
            "{estimate}.",
            rows=report.accepted,
            estimate=_estimate_import_time(report.accepted),
        )
    )
    count = build_row_counter(progress, "write the import files", report.accepted)
    made = folder / INITIAL_SNAPSHOT_FOLDER
    made.mkdir()
    with ThreadPoolExecutor(1) as beside:  # the figures need no store: they do not wait for it
        with take_store_offline(database.settings):
            delete_last_known_state(database.settings)
            ranks = parse_source_rank(database.settings.source_rank)
            records = InitialRecords(folder / INITIAL_RECORDS_FOLDER)
            bulk = BulkImport(folder, report.load_id, count, ranks=ranks, observer=records)
            write_staged_tables(bulk, staged)
            properties = build_load_properties(report) | {"imported": True}
            files = bulk.write_files(properties)
            rows = beside.submit(_count_first_figures, records, made, report.load_id, say)
            bulk.make_store(database.settings, files, partial(progress, "import"))
            swap_store(database.settings, bulk.home)
        progress("make the indexes", 0, 0)
        apply_schema(database)
        revision = finish_load(database, report.load_id)
        # Without it the first snapshot is read out of Neo4j when somebody asks for figures.
        with suppress(OSError, pl.exceptions.PolarsError):
            publish_initial_snapshot(database, database.settings, made, rows.result())
    conflicts = tuple(bulk.conflicts)
    return replace(report, written=bulk.written, revision=revision, conflicts=conflicts)


def _count_first_figures(
    records: InitialRecords, made: Path, load_id: str, say: Say
) -> dict[str, int]:
    """Writes the frames of the first load and today's default figures into `made`; rows by frame.

    `say` receives the figures. They go with the snapshot, which is published when the load ends.
    """
    rows = write_snapshot_frames(records, made)
    Manifest(1, (load_id,), rows).write(made)
    # What keeps them from being counted now is said when somebody asks for them.
    with suppress(ShichengError, OSError, pl.exceptions.PolarsError):
        counted = load_driven(open_snapshot(made), Policy()).national
        say(
            Message(
                "Counted from the files: {leading_talents:,} leading talents, "
                "{driven_persons:,} new high-skilled workers driven, {driven_person_times:,} "
                "person-times. The figures hold once the load has ended.",
                **{name: counted[name] for name in _FIRST_FIGURES},
            )
        )
    return rows


def _estimate_import_time(rows: int) -> Message:
    """How long a store of so many checked rows takes to be made, in words."""
    minutes = -(-rows // (60 * IMPORT_ROWS_PER_SECOND))
    if minutes > 1:
        return Message("in about {minutes} minutes", minutes=minutes)
    return Message("in a minute or less")


def _is_first_load(database: Database) -> bool:
    """Whether nothing was loaded yet. Raises UsageError for a server that holds others' data."""
    loads = database.read(f"MATCH (l:{LOAD.label}) RETURN count(l) AS n")[0]["n"]
    people = database.read("MATCH (p:Person) RETURN count(p) AS n")[0]["n"]
    if people and not loads and not database.embedded:
        raise UsageError(
            "the server at NEO4J_URI holds {people:,} Person nodes that no load of this "
            "program wrote, and the first load would mix with them; name an empty database "
            "with NEO4J_DATABASE, or unset NEO4J_URI to use the embedded one",
            people=people,
        )
    return bool(loads == 0)


def _is_store_clean(database: Database, report: LoadReport) -> bool:
    """Whether the store holds nothing, or only what killed first loads of these sources left."""
    if database.read("MATCH (n) RETURN count(n) AS n")[0]["n"] == 0:
        return True
    (loads,) = database.read(
        "MATCH (l:Load) RETURN count(l) AS n, count(l.finished_at) AS finished, "
        "all(l IN collect(l) WHERE all(s IN l.sources WHERE s IN $sources)) AS ours",
        {"sources": list(report.sources)},
    )
    if not loads["n"] or loads["finished"] or not loads["ours"]:
        return False
    others = "MATCH (n:!Load&!Change) WHERE n.load IS NULL RETURN count(n) AS n"
    return bool(database.read(others, seconds=600)[0]["n"] == 0)

"""The graph as an object to ask, for notebooks, scripts and the MCP server.

`open_graph()` connects to the Neo4j of the settings and takes the tables of the last complete
revision; every figure is of that revision until `refresh`. Tables are polars data frames, networks
networkx graphs. Who is no data steward (`SHICHENG_ROLE`) is answered as a manager: rows of queries
and statements, and the tables of people, come without what `graph.cypher.masking` names.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, overload

import polars as pl

from graph.analysis.pyvis_network import build_pyvis_network
from graph.audit.actor import acting_as, find_current_actor
from graph.audit.log import record_event
from graph.cypher.masking import MASKED_PROPERTIES
from graph.cypher.named_queries import (
    MAX_QUERY_ROWS,
    MAX_USER_QUERY_ROWS,
    Query,
    Table,
    load_queries,
    run_cypher,
    run_query,
)
from graph.dates import format_date_columns
from graph.driven.figures import Driven
from graph.driven.results import load_driven
from graph.errors import RefusedError, UsageError
from graph.evidence.answer import explain_pair
from graph.evidence.reasons import DEFAULT_CHAIN_COUNT, Explanation
from graph.messages import Message, detect_terminal_language
from graph.metrics.registry import METRICS
from graph.people.aliases import resolve_person_id
from graph.people.lookup import lookup_person_numbers
from graph.people.network import (
    Graph,
    build_ego_graph,
    build_full_network,
    build_lineage_graph,
    build_path_graph,
)
from graph.people.search import SEARCH_KIND_FRAMES, NameIndex, load_name_index
from graph.people.table_queries import bind_snapshot
from graph.policy import Policy
from graph.roles import Role, has_permission
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.tabular import build_frame_from_rows

if TYPE_CHECKING:
    from types import TracebackType

    from pyvis.network import Network

    from graph.snapshot.frames import Snapshot

# The number of talents for which `why` explains a worker, unless more are asked for.
DEFAULT_WHY_TALENTS: Final = 20
# What `search` gives of each kind.
DEFAULT_SEARCH_HITS: Final = 20


def open_graph(home: Path | str | None = None, *, settings: Settings | None = None) -> OpenGraph:
    """The graph of the settings, to be used with `with` or closed by `close`.

    `home` is the data folder (default: `SHICHENG_HOME`), `settings` all of them in place of the
    environment. A server that does not run yet is started, which takes some ten seconds.
    Raises `DatabaseError` when Neo4j cannot be started or reached, `IncompleteError` when nothing
    has been loaded yet, `RefusedError` for a role that sees nobody.
    """
    chosen = (settings or Settings()).at(None if home is None else Path(home))
    if not has_permission(chosen.role, "people"):
        record_event(chosen.home, "refusal", what="graph")
        raise RefusedError(
            "The role {role} sees national figures alone, in the app; it opens no graph.",
            role=chosen.role,
        )
    database = connect(chosen)
    try:
        return OpenGraph(database)
    except BaseException:
        database.close()
        raise


class OpenGraph:
    """A database and the tables of one revision; see the methods. Safe to share between threads.

    `database` is the connection, closed with this.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._snapshot: Snapshot = take_snapshot(database, database.settings)
        self._names: NameIndex | None = None

    # --- revision and role ----------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The number of the last complete load that the figures are of."""
        return self._snapshot.revision

    @property
    def role(self) -> Role:
        """`manager` (people's data masked) or `steward`, as the settings say."""
        return self.database.settings.role

    @property
    def opens_personal_data(self) -> bool:
        """Whether nothing is masked: to a steward whose settings state a purpose."""
        return self.database.settings.opens_personal_data

    def refresh(self) -> int:
        """Takes the tables of the last complete revision; its number.

        Raises `IncompleteError` when a load begun elsewhere is under way and no tables are stored.
        """
        fresh = take_snapshot(self.database, self.database.settings)
        if fresh.folder != self._snapshot.folder:
            self._snapshot, self._names = fresh, None
        return self.revision

    def close(self) -> None:
        """Closes the connections; the embedded server goes on until it is idle."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- figures --------------------------------------------------------------------------

    def measure(self, policy: Policy | None = None) -> Driven:
        """Every figure of the number under a policy (default: `Policy()`); stored, and read again.

        `Driven.workers_of(talent_id)`, `.by("province")`, `.by_quarter()` and the rest are tables.
        """
        return load_driven(self._snapshot, policy or Policy())

    def driven(self, policy: Policy | None = None) -> pl.DataFrame:
        """How many new high-skilled workers each leading talent drives.

        A row a leading talent, by talent_id: talent_id, name, driven (persons), person_times
        (promotions), g1, g2, g3, ... (persons by generation), pending (persons), and shares of the
        persons: equal, nearest, decay.
        """
        return self.measure(policy).table()

    def national(self, policy: Policy | None = None) -> dict[str, int]:
        """leading_talents, driven_persons, driven_person_times, sum_over_talents."""
        return dict(self.measure(policy).national)

    def metrics(self) -> pl.DataFrame:
        """The other metrics, a row each: name, row (what a row of it is), parameters, en, zh."""
        listed = [
            (m.name, m.row, ", ".join(f"{k}={v}" for k, v in m.parameters.items()), m.en, m.zh)
            for m in METRICS.values()
        ]
        return pl.DataFrame(listed, ["name", "row", "parameters", "en", "zh"], orient="row")

    def metric(self, name: str, policy: Policy | None = None, /, **parameters: Any) -> pl.DataFrame:
        """The table of a metric; docs/metrics.md has rows, columns and units of each.

        Raises `UsageError` when there is no such metric or parameter, or a value is out of range.
        """
        if name not in METRICS:
            raise UsageError(
                "there is no metric {name}; `shicheng metric --list` names them all", name=name
            )
        return METRICS[name].table(self._snapshot, policy or Policy(), **parameters)

    # --- evidence -------------------------------------------------------------------------

    @overload
    def why(
        self, worker_id: str, talent_id: str, *, policy: Policy | None = ..., chains: int = ...
    ) -> Explanation: ...

    @overload
    def why(
        self,
        worker_id: str,
        talent_id: None = None,
        *,
        policy: Policy | None = ...,
        chains: int = ...,
        talents: int = ...,
    ) -> list[Explanation]: ...

    def why(
        self,
        worker_id: str,
        talent_id: str | None = None,
        *,
        policy: Policy | None = None,
        chains: int = DEFAULT_CHAIN_COUNT,
        talents: int = DEFAULT_WHY_TALENTS,
    ) -> Explanation | list[Explanation]:
        """Why a worker counts: for one talent, or for each talent who drives this person.

        With `talent_id` the answer is one `Explanation`, with the reason where the worker does not
        count. Without, a list of those that count, the nearest talents first, at most `talents`;
        empty for somebody nobody drives. `.table()` has the chains, a row a hop, down to
        file and row; `.sentence("zh")` says it. At most `chains` chains each.
        Raises `UsageError` when `worker_id` alone is given and nobody has it.
        """
        rules = policy or Policy()
        worker_id = resolve_person_id(self._snapshot, worker_id)
        if talent_id is not None:
            talent_id = resolve_person_id(self._snapshot, talent_id)
            return explain_pair(self._snapshot, rules, talent_id, worker_id, chains=chains)
        return [
            explain_pair(self._snapshot, rules, talent, worker_id, chains=chains)
            for talent in self._list_drivers(worker_id, rules, talents)
        ]

    def _list_drivers(self, worker_id: str, policy: Policy, most: int) -> list[str]:
        """The talents who drive a worker, the nearest first."""
        number = lookup_person_numbers(self._snapshot, [worker_id]).get(worker_id)
        if number is None:
            raise UsageError(
                "There is no person of that id in the graph; look the name up under Find."
            )
        driven = self.measure(policy)
        pairs = driven.pairs.filter(pl.col("person") == number).select("talent", "generation")
        talents = driven.talents.lazy().select("talent_id", talent="person")
        named = pairs.join(talents, on="talent").sort("generation", "talent_id").head(most)
        return named.collect()["talent_id"].to_list()

    # --- people and networks --------------------------------------------------------------

    def search(
        self,
        text: str,
        *,
        kinds: Collection[str] = tuple(SEARCH_KIND_FRAMES),
        most: int = DEFAULT_SEARCH_HITS,
    ) -> pl.DataFrame:
        """What a name, a part of it, pinyin, initials or an id finds.

        A row a hit, the best first: kind (Person, Studio, Enterprise, School, Occupation, ...),
        key (its id),
        name, match (exact, beginning, part, sound, mistake). At most `most` of each kind.
        """
        if unknown := [kind for kind in kinds if kind not in SEARCH_KIND_FRAMES]:
            raise UsageError(
                "there is no kind {kind} to search; take some of: {known}",
                kind=unknown[0],
                known=tuple(SEARCH_KIND_FRAMES),
            )
        names = self._names
        if names is None:
            names = self._names = load_name_index(self._snapshot)
        hits = [
            (hit.kind, hit.key, hit.name, hit.match)
            for found in names.find(text, kinds, most).values()
            for hit in found.hits
        ]
        schema = dict.fromkeys(("kind", "key", "name", "match"), pl.String)
        return pl.DataFrame(hits, schema, orient="row")

    def people(self) -> pl.DataFrame:
        """Everyone, a row a person: person_id, name, level (0 = none, to 8), leading, target, and
        the properties of docs/model.md; a day of which the year alone is known is text, as 1998.

        A manager gets retired_in (the year) in place of the day, and nothing that is masked.
        """
        return self._mask_frame(self._snapshot.frames["people"])

    def links(self) -> pl.DataFrame:
        """Every link by which skill passes on: mentor_id, apprentice_id, start (null = not known),
        channel (mentorship or studio). A link known by its year starts on its last day."""
        people = self._snapshot.frames["people"]
        found = self._snapshot.frames["edges"]
        for end in ("mentor", "apprentice"):
            named = people.select("person", pl.col("person_id").alias(f"{end}_id"))
            found = found.join(named, left_on=end, right_on="person")
        columns = ("mentor_id", "apprentice_id", "start", "channel")
        return found.select(columns).sort(columns).collect()

    def lineage(self, person_id: str, *, up: int = 2, down: int = 3, limit: int = 300) -> Graph:
        """Mentors above a person and those taught below, as a networkx `MultiDiGraph`.

        `up` and `down` are generations; at most `limit` people, the nearest first. Nodes have
        name, level, leading, generation (negative above), ...; edges channel, start, end.
        Raises `UsageError` when there is no such person.
        """
        person_id = resolve_person_id(self._snapshot, person_id)
        return build_lineage_graph(self._snapshot, person_id, up=up, down=down, limit=limit)

    def ego(self, person_id: str, *, radius: int = 1, limit: int = 300) -> Graph:
        """The people within `radius` links of a person, either way, as `lineage` has them."""
        person_id = resolve_person_id(self._snapshot, person_id)
        return build_ego_graph(self._snapshot, person_id, radius=radius, limit=limit)

    def paths(self, start_id: str, end_id: str, *, limit: int = 300) -> Graph:
        """Everyone on a shortest chain of links from one person down to another.

        Raises `NoPathError` when none leads there, `UsageError` when one of them is not known.
        """
        start_id, end_id = (resolve_person_id(self._snapshot, id) for id in (start_id, end_id))
        return build_path_graph(self._snapshot, start_id, end_id, limit=limit)

    def network(self) -> Graph:
        """All people, studios, enterprises and schools with what ties them, as networkx.

        Raises `UsageError` beyond 3 million people and relations: use `people` and `links`.
        """
        return build_full_network(self._snapshot)

    @staticmethod
    def to_pyvis(graph: Graph, *, height: str = "640px", notebook: bool = True) -> Network:
        """A graph as a PyVis network: `.show("lineage.html")` in a notebook.

        The page asks no other host. `height` is CSS; `notebook=False` outside of one.
        """
        return build_pyvis_network(graph, height=height, notebook=notebook)

    def _mask_frame(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """The frame with dates as precise as they are known, without what the role may not see."""
        found = frame.drop("person", strict=False)
        if not self.opens_personal_data:
            names = found.collect_schema().names()
            if "retired_on" in names:
                found = found.with_columns(retired_in=pl.col("retired_on").dt.year())
            found = found.drop([name for name in names if name in MASKED_PROPERTIES])
        return format_date_columns(found.collect())

    # --- questions to Neo4j ---------------------------------------------------------------

    def queries(self) -> pl.DataFrame:
        """The named queries, a row each: name, parameters, en, zh (titles)."""
        listed = [
            (q.name, ", ".join(p.name for p in q.parameters), q.title_en, q.title_zh)
            for q in load_queries().values()
        ]
        return pl.DataFrame(listed, ["name", "parameters", "en", "zh"], orient="row")

    def query(self, name: str, /, **values: Any) -> pl.DataFrame:
        """The rows of a named query; `values` are those of its parameters.

        At most 100,000 rows; a `UserWarning` says when there are more.
        Raises `UsageError` for an unknown query, parameter or value.
        """
        return _build_frame(self.run_named_query(name, values))

    def cypher(
        self, text: str, /, *, limit: int = MAX_USER_QUERY_ROWS, **parameters: Any
    ) -> pl.DataFrame:
        """The rows of a Cypher statement that only reads; a column of several types is text.

        At most `limit` rows; a `UserWarning` says when there are more, and what Neo4j remarks.
        Raises `RefusedError` for a statement that would write, read files, call out, or that
        names what only a data steward may read; `UsageError` with line and column for what is no
        Cypher; `DatabaseError` for one that does not end in `SHICHENG_READ_SECONDS`.
        """
        return _build_frame(self.run_statement(text, parameters, limit=limit))

    def run_named_query(
        self, name: str, values: Mapping[str, Any], *, limit: int = MAX_QUERY_ROWS
    ) -> Table:
        """As `query`, in plain Python values, with whether there are more rows."""
        with self._acting():
            return run_query(
                self.database,
                find_query(name),
                values,
                role=self.role,
                limit=limit,
                tables=bind_snapshot(lambda: self._snapshot),
            )

    def run_statement(
        self, text: str, parameters: Mapping[str, Any], *, limit: int = MAX_USER_QUERY_ROWS
    ) -> Table:
        """As `cypher`, in plain Python values, with whether there are more rows."""
        with self._acting():
            return run_cypher(self.database, text, parameters, role=self.role, limit=limit)

    def _acting(self) -> AbstractContextManager[None]:
        """Who acts, for the purpose that the settings of this graph state."""
        return acting_as(replace(find_current_actor(), purpose=self.database.settings.purpose))


def find_query(name: str) -> Query:
    """The named query. Raises `UsageError` when there is none of that name."""
    queries = load_queries()
    if name not in queries:
        raise UsageError(
            "there is no query {name}; `shicheng query --list` names them all", name=name
        )
    return queries[name]


def _build_frame(table: Table) -> pl.DataFrame:
    """The rows as a data frame; what is to be known of them is a warning."""
    language = detect_terminal_language()
    for notice in table.notices:
        warnings.warn(notice.said(language), stacklevel=3)
    if table.truncated:
        how = "SHICHENG_RESULT_MB" if table.too_large else "limit="
        cut = Message(
            "these are the first {most:,} rows; more by {how}", most=len(table.rows), how=how
        )
        warnings.warn(cut.said(language), stacklevel=3)
    return build_frame_from_rows(table.columns, table.rows)

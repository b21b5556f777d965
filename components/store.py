"""What the pages read, kept between runs: one database a process, a snapshot a revision, a
measurement a revision and policy.

The kept values are shared by all visitors: their keys hold a revision and a policy, never
personal data, and no value depends on who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from components import figures
from components.lineage_view import MENTORS_ABOVE, Lineage
from components.lineage_view import Reach as LineageReach
from components.reach import Reach
from graph import network, rows
from graph.database import Database, connect
from graph.errors import IncompleteError
from graph.evidence import Why, why
from graph.kept_tables import kept_table, table_place
from graph.metrics.driven import CREDITS, Driven
from graph.model import NODE_KINDS, RELATION_KINDS
from graph.names import NameIndex, name_index
from graph.notebook import Notebook
from graph.paths import ties_of
from graph.policy import Policy
from graph.results import measured
from graph.settings import Settings
from graph.snapshot import Snapshot, kept_now, take_snapshot

# The most people and generations a lineage is read for; the page says what it leaves out.
MOST_PEOPLE = 20_000
MOST_GENERATIONS = 6
# Chains of one pair a page looks through and lists.
CHAINS_SHOWN = 12

STANDING = """
OPTIONAL MATCH (l:Load)
RETURN max(l.revision) AS revision, max(toString(l.finished_at)) AS finished_at,
       max(l.load_id) AS load_id,
       [load IN collect(l) WHERE load.finished_at IS NULL | load.load_id] AS unfinished
"""
# The last day of anything that has happened; service agreements and the like lie ahead.
DATA_UNTIL = """
OPTIONAL MATCH ()-[r:RECOGNISED]->()
WHERE r.date <= $today
RETURN max(r.date) AS day
"""


@dataclass(frozen=True)
class Standing:
    """Which graph the pages show. `revision` is None when nothing was ever loaded.

    `unfinished` are loads that are under way or were cut off: until they end, no figure is true.
    """

    revision: int | None
    loaded_at: datetime | None
    data_until: date | None
    unfinished: tuple[str, ...] = ()
    load_id: str = ""

    @property
    def state(self) -> str:
        """What tells this graph from every other: kept values are kept under it."""
        return f"{self.revision} {self.load_id} {self.loaded_at}"


@st.cache_resource(show_spinner=False)
def database() -> Database:
    """The database of this process: the one server all visitors share."""
    return connect(Settings())


@st.cache_resource(show_spinner=False)
def notebook() -> Notebook:
    """What people add in the app: notes, saved views, searches, decisions."""
    return Notebook(database().settings.home)


_looked: ContextVar[list[Standing] | None] = ContextVar("looked", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Within it the graph is asked once where it stands, so that one run shows one state of it."""
    if _looked.get() is not None:
        yield
        return
    token = _looked.set([])
    try:
        yield
    finally:
        _looked.reset(token)


def standing() -> Standing:
    """The graph's revision now (see `one_look`) and how far its data go."""
    looked = _looked.get()
    if looked is None:
        return _standing()
    if not looked:
        looked.append(_standing())
    return looked[0]


def _standing() -> Standing:
    row = database().read(STANDING)[0]
    unfinished, load_id = tuple(row["unfinished"]), row["load_id"] or ""
    now = Standing(row["revision"], _moment(row["finished_at"]), None, unfinished, load_id)
    if now.revision is None:
        return now
    return replace(now, data_until=data_until(now.state))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text[:19])
    except ValueError:
        return None


def _state() -> str:
    """The state of the graph now (`Standing.state`).

    Raises `IncompleteError` while a load has not finished: figures would count part of it.
    """
    now = standing()
    if now.unfinished:
        raise IncompleteError(
            f"Load {now.unfinished[0]} has not finished; wait until it ends, or load it again "
            "if it was cut off."
        )
    return now.state


def revision() -> int:
    """The graph's revision now; 0 when nothing was ever loaded."""
    return standing().revision or 0


@st.cache_data(max_entries=4, show_spinner=False)
def data_until(state: str) -> date | None:
    """The last day on which anyone was recognised, in a state; never in the future."""
    today = date.today()
    kept = kept_now(database(), database().settings)
    day: date | None
    if kept is None:
        day = database().read(DATA_UNTIL, {"today": today})[0]["day"]
    else:
        past = kept.frames["recognitions"].filter(pl.col("date") <= today)
        day = past.select(pl.col("date").max()).collect().item()
    return day


@st.cache_resource(max_entries=2, show_spinner=False)
def _snapshot(state: str) -> Snapshot:
    snapshot = take_snapshot(database(), database().settings)
    # Made once a revision, now rather than at somebody's click.
    ties_of(snapshot)
    rows.prepare(snapshot)
    return snapshot


@st.cache_resource(max_entries=8, show_spinner=False)
def _driven(state: str, policy: Policy) -> Driven:
    return measured(_snapshot(state), policy)


def driven(policy: Policy) -> Driven:
    """Every figure of the number under a policy, at the revision now."""
    return _driven(_state(), policy)


@st.cache_resource(max_entries=8, show_spinner=False)
def _overview(state: str, policy: Policy) -> figures.Overview:
    frames = _snapshot(state).frames
    named = frames["talents"].select("person", day="recognised_on").collect()
    until = data_until(state) or date.today()
    goals = frames["goals"].collect().to_dicts()
    return figures.overview(_driven(state, policy), named, goals, until)


@st.cache_resource(max_entries=2, show_spinner=False)
def _occupations(state: str) -> dict[str, str]:
    named = _snapshot(state).frames["occupations"].select("code", "name").collect()
    return {code: name or code for code, name in named.rows()}


def occupations() -> dict[str, str]:
    """The names of the occupations by code."""
    return _occupations(_state())


def overview(policy: Policy) -> figures.Overview:
    """The overview's figures under a policy, at the revision now."""
    return _overview(_state(), policy)


def read(cypher: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of a query that only reads."""
    return database().read(cypher, parameters)


@st.cache_resource(max_entries=2, show_spinner=False)
def _attributes(state: str) -> pl.DataFrame:
    """Who each talent is: a row a talent, by talent_id."""
    frames = _snapshot(state).frames
    talents = frames["talents"].select("person").unique()
    leading = frames["people"].join(talents, on="person", how="semi")
    named = frames["talents"].sort("recognised_on").group_by("person").agg(
        bases=pl.col("basis").unique().sort(),
        industry=pl.col("industry").drop_nulls().last(),
        year=pl.col("recognised_on").min().dt.year(),
    )  # fmt: skip
    names = frames["studios"].select("studio_id", studio="name")
    led = frames["leads"].select("person", "studio_id").unique().join(names, on="studio_id")
    led = led.sort("studio_id").group_by("person").agg(
        studio_ids="studio_id", studio=pl.col("studio").str.join("\n")
    )  # fmt: skip
    of_enterprise = frames["enterprises"].select("enterprise_id", enterprise="name")
    trades = frames["occupations"].select(occupation_code="code", occupation="name")
    return (
        leading.join(named, on="person", how="left")
        .join(led, on="person", how="left")
        .join(of_enterprise, on="enterprise_id", how="left")
        .join(trades, on="occupation_code", how="left")
        .select(
            "province", "occupation_code", "occupation", "industry", "bases", "enterprise_id",
            "enterprise", "studio", "studio_ids", "type", "year",
            pl.col("level").cast(pl.Int64).replace(0, None), talent_id="person_id",
        )
        .collect()
    )  # fmt: skip


@st.cache_resource(max_entries=8, show_spinner=False)
def _talents(state: str, policy: Policy) -> pl.DataFrame:
    figures_of = _driven(state, policy).talents
    own = _own_apprentices(state, policy)
    return (
        figures_of.join(_attributes(state), on="talent_id", how="left")
        .join(own, on="person", how="left")
        .with_columns(pl.col("own").fill_null(0))
    )


def talents(policy: Policy) -> pl.DataFrame:
    """The figures of every leading talent (`Driven.talents`) with who they are.

    Besides: level, province, occupation_code, occupation, industry, bases (list), type, year (of
    the first naming), enterprise_id, enterprise, studio (names, one a line), studio_ids (list), and
    own: driven workers who are direct apprentices.
    """
    return _talents(_state(), policy)


@st.cache_resource(max_entries=4, show_spinner=False)
def _reach(state: str, policy: Policy) -> Reach:
    frames = _snapshot(state).frames
    people = int(frames["people"].select(pl.col("person").max()).collect().item() or 0) + 1
    found = _driven(state, policy)
    ids = found.talents.lazy().select("talent_id", talent="person")
    pairs = found.pairs.select("talent", "person").collect()
    reach = Reach.of(pairs, "talent", people)
    names = dict(ids.select("talent", "talent_id").collect().rows())
    return replace(reach, places={names[talent]: at for talent, at in reach.places.items()})


def reach(policy: Policy) -> Reach:
    """Whom each talent drives, by talent id."""
    return _reach(_state(), policy)


def union(policy: Policy, talent_ids: list[str]) -> int:
    """How many persons these talents drive together, each counted once."""
    return reach(policy).union(talent_ids)


def people_named(persons: list[int]) -> pl.DataFrame:
    """The people of these row numbers, sorted by id: person, person_id, name, leading, ..."""
    wanted = pl.Series(persons, dtype=pl.Int32)
    frame = _snapshot(_state()).frames["people"]
    return (
        frame.filter(pl.col("person").is_in(wanted.implode()))
        .select("person", "person_id", "name", "level", "province", "enterprise_id", "leading")
        .sort("person_id")
        .collect()
    )


@st.cache_resource(max_entries=256, show_spinner=False)
def _driven_by(state: str, person_id: str, policy: Policy) -> pl.DataFrame:
    people = _snapshot(state).frames["people"].select("person", "person_id")
    number = people.filter(pl.col("person_id") == person_id).collect()["person"]
    found = _driven(state, policy)
    if number.is_empty():
        return found.talents.head(0).select("talent_id", "name", generation=pl.lit(0))
    own = found.pairs.filter(pl.col("person") == number[0]).select("talent", "generation")
    named = found.talents.select("talent_id", "name", talent=pl.col("person"))
    return (
        own.collect().join(named, on="talent").select("talent_id", "name", "generation")
        .sort("generation", "talent_id")
    )  # fmt: skip


def driven_by(person_id: str, policy: Policy) -> pl.DataFrame:
    """The leading talents for whom this person counts: talent_id, name, generation."""
    return _driven_by(_state(), person_id, policy)


def snapshot() -> Snapshot:
    """The tables of the graph's state now."""
    return _snapshot(_state())


def state() -> str:
    """What tells the graph of now from every other: see `Standing.state`."""
    return _state()


@st.cache_resource(max_entries=32, show_spinner=False)
def _workers_of(state: str, talent_id: str, policy: Policy) -> pl.DataFrame:
    return _driven(state, policy).workers_of(talent_id)


@st.cache_resource(max_entries=8, show_spinner=False)
def _places(state: str, policy: Policy) -> pl.DataFrame:
    """Of each talent_id: own apprentices driven, highest and lowest place of the ways to credit."""
    ways = ("driven", *CREDITS)
    places = [pl.col(way).rank("min", descending=True) for way in ways]
    return (
        _driven(state, policy).talents
        .with_columns(highest=pl.min_horizontal(places), lowest=pl.max_horizontal(places))
        .join(_own_apprentices(state, policy), on="person", how="left")
        .select("talent_id", "highest", "lowest", pl.col("own").fill_null(0))
    )  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures_of(state: str, talent_id: str, policy: Policy) -> dict[str, Any]:
    found = _driven(state, policy)
    row = found.talents.row(by_predicate=pl.col("talent_id") == talent_id, named=True)
    place = _places(state, policy).row(by_predicate=pl.col("talent_id") == talent_id, named=True)
    workers = _workers_of(state, talent_id, policy)
    shared = dict(workers.group_by("generation").agg(pl.col("equal").sum()).rows())
    generations = [c for c in found.talents.columns if c[0] == "g" and c[1:].isdigit()]
    return row | {
        "own": place["own"],
        "ranks": (place["highest"], place["lowest"]),
        "talents": found.talents.height,
        "generations": [row[column] for column in generations],
        "shared": [shared.get(n, 0.0) for n in range(1, len(generations) + 1)],
        "credits": [row[credit] for credit in CREDITS],
        "parts": workers.group_by("generation", "channel")
        .agg(pl.len().alias("full"), pl.col(CREDITS).sum())
        .sort("generation", "channel")
        .to_dicts(),
    }


@st.cache_resource(max_entries=256, show_spinner=False)
def _shares_of(state: str, worker_id: str, policy: Policy) -> dict[str, dict[str, Any]]:
    found = _driven(state, policy)
    people = _snapshot(state).frames["people"]
    number = people.filter(pl.col("person_id") == worker_id).select("person").collect()
    rows = found.tables["pairs"].filter(pl.col("person").is_in(number["person"].implode()))
    pairs = rows.select("talent", "generation", *CREDITS).collect()
    ids = found.talents.select("talent_id", talent="person")
    named = pairs.join(ids, on="talent")
    return {row.pop("talent_id"): row for row in named.iter_rows(named=True)}


def shares_of(worker_id: str, policy: Policy) -> dict[str, dict[str, Any]]:
    """Talent id -> generation and the shares (equal, nearest, decay) of one driven worker."""
    return _shares_of(state(), worker_id, policy)


@st.cache_resource(max_entries=8, show_spinner=False)
def _own_apprentices(state: str, policy: Policy) -> pl.DataFrame:
    """Of each talent (person) how many driven workers a mentorship of his or her own counts for."""
    place = table_place(_snapshot(state), "own", policy.id)
    return kept_table(place, partial(_own, _snapshot(state), _driven(state, policy)))


def _own(snapshot: Snapshot, found: Driven) -> pl.DataFrame:
    policy = found.policy
    if "mentorship" not in policy.channels:
        return pl.DataFrame(schema={"person": pl.Int32, "own": pl.Int64})
    leading = found.talents["person"]
    taught = snapshot.frames["edges"].filter(
        pl.col("channel") == "mentorship", pl.col("mentor").is_in(leading.implode())
    )  # fmt: skip
    if policy.undated == "exclude":
        taught = taught.filter(pl.col("start").is_not_null())
    first = taught.group_by("mentor", "apprentice").agg(
        undated=pl.col("start").is_null().any(), start=pl.col("start").min()
    )
    own = first.join(
        found.pairs.select("talent", "person", "day"),
        left_on=["mentor", "apprentice"], right_on=["talent", "person"],
    )  # fmt: skip
    if policy.ordered:
        own = own.filter(pl.col("undated") | (pl.col("start") <= pl.col("day")))
    return own.group_by(person="mentor").agg(own=pl.len().cast(pl.Int64)).collect()


def figures_of(talent_id: str, policy: Policy) -> dict[str, Any]:
    """One talent's row of `Driven.talents`, and what the page of the talent says besides.

    - own: driven workers who are direct apprentices
    - ranks: (highest, lowest) place among all `talents`, over the four ways to credit
    - generations, shared: driven persons by generation, in full and shared equally
    - credits: equal, nearest, decay in all
    - parts: full, equal, nearest, decay by generation and channel; each adds up to the whole
    """
    return _figures_of(_state(), talent_id, policy)


@st.cache_resource(max_entries=64, show_spinner=False)
def _states_of(state: str, person_id: str, policy: Policy) -> LineageReach:
    found = _driven(state, policy)
    workers = _workers_of(state, person_id, policy)
    return LineageReach(
        generation=dict(workers.select("person_id", "generation").rows()),
        skilled_on=dict(workers.select("person_id", "day").rows()),
        pending=frozenset(found.waiting_of(person_id)["person_id"]),
        leading=bool(found.talents["talent_id"].eq(person_id).any()),
    )


def states_of(person_id: str, policy: Policy) -> LineageReach:
    """Whom one person drives and who is pending, by person_id; empty for one who is no talent."""
    return _states_of(_state(), person_id, policy)


@st.cache_resource(max_entries=32, show_spinner=False)
def _lineage_of(state: str, person_id: str, policy: Policy) -> Lineage:
    reach = _states_of(state, person_id, policy)
    down = policy.generations or MOST_GENERATIONS
    graph = network.lineage(
        _snapshot(state), person_id, up=MENTORS_ABOVE + 1, down=min(down, MOST_GENERATIONS),
        limit=MOST_PEOPLE,
    )  # fmt: skip
    return Lineage(graph, reach, policy, person_id, partial(_why, state, policy, person_id))


@st.cache_resource(max_entries=256, show_spinner=False)
def _why(state: str, policy: Policy, talent_id: str, worker_id: str) -> Why:
    return why(_snapshot(state), policy, talent_id, worker_id, chains=CHAINS_SHOWN)


def lineage_of(person_id: str, policy: Policy) -> Lineage:
    """The people around one person, and whom he or she drives under a policy."""
    return _lineage_of(_state(), person_id, policy)


@st.cache_data(max_entries=4, show_spinner=False)
def _counts(state: str) -> tuple[dict[str, int], dict[str, int]]:
    kept = kept_now(database(), database().settings)
    place = None if kept is None else table_place(kept, "counts")
    found = kept_table(place, _counted)
    nodes, relations = (found.filter(pl.col("node") == node) for node in (True, False))
    return tuple(dict(rows.select("kind", "number").rows()) for rows in (nodes, relations))  # type: ignore[return-value]


def _counted() -> pl.DataFrame:
    """One short statement a kind: the store answers each from what it counts anyway."""
    asked = [(True, kind, f"MATCH (n:{kind}) RETURN count(n) AS n") for kind in NODE_KINDS]
    asked += [
        (False, kind, f"MATCH ()-[r:{kind}]->() RETURN count(r) AS n") for kind in RELATION_KINDS
    ]
    rows = [(node, kind, database().read(text)[0]["n"]) for node, kind, text in asked]
    return pl.DataFrame(rows, schema=["node", "kind", "number"], orient="row")


def counts() -> tuple[dict[str, int], dict[str, int]]:
    """How many nodes of each kind and relations of each type the graph holds."""
    return _counts(standing().state)


@st.cache_resource(max_entries=2, show_spinner=False)
def _names(state: str) -> NameIndex:
    return name_index(_snapshot(state))


def names() -> NameIndex:
    """The names of everyone and everything, to find by."""
    return _names(_state())

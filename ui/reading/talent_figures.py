"""What the pages read of the number: a measurement a revision and policy, shared by all visitors
(`ui.shell.graph_state.cache_by_graph_state`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from graph.accounts.scope import Scope
from graph.cache.tables import build_table_path, load_cached_table
from graph.driven.figures import Driven
from graph.driven.own_apprentices import load_own_apprentices
from graph.driven.ranks import add_talent_ranks
from graph.driven.reach_sets import ReachSets, build_talent_reach
from graph.driven.results import load_driven
from graph.driven.shares import list_worker_shares, sum_worker_credits
from graph.driven.terms import CHAIN_KINDS, CREDIT_COLUMNS
from graph.evidence.answer import explain_pair
from graph.evidence.reasons import Explanation
from graph.people.search import NameIndex, load_name_index
from graph.people.talent_attributes import list_talent_attributes
from graph.policy import Policy
from graph.programme import overview as figures
from graph.snapshot.take import find_cached_snapshot
from graph.store.standing import count_records
from graph.tabular import About
from ui.reading.lineage_reach import LineageReach
from ui.shell.graph_state import (
    cache_by_graph_state,
    fetch_graph_revision,
    fetch_snapshot,
    mark_live_read,
    open_shared_database,
)
from ui.shell.people_scope import fetch_covered_people, mask_studio_names
from ui.shell.visitor import identify_visitor
from ui.words.terms import translate_term

RecordCounts = tuple[dict[str, int], dict[str, int]]  # of nodes by kind, relations by type
# Chains of one pair a page looks through and lists.
MAX_EVIDENCE_CHAINS = 12


def build_page_about(
    policy: Policy | None = None, filters: Mapping[str, str] | None = None, **more: Any
) -> About:
    """What a file of a page depends on: revision and its day, the load under way if there is one,
    policy, filters, and `more` of `About`.
    """
    now = fetch_graph_revision()
    day = None if now.loaded_at is None else now.loaded_at.date().isoformat()
    data = None
    if now.unfinished is not None:
        finished = None if now.loaded_at is None else now.loaded_at.isoformat()
        data = {"revision": now.revision, "finished_at": finished, "load": now.unfinished.as_dict()}
    return About(now.revision or 0, policy, dict(filters or {}), data=data, loaded_on=day, **more)


@cache_by_graph_state(max_entries=8, resource=True)
def fetch_driven_figures(policy: Policy) -> Driven:
    """Every figure of the number under a policy, at the revision now."""
    return load_driven(fetch_snapshot(), policy)


@cache_by_graph_state(max_entries=8, resource=True)
def fetch_overview(policy: Policy) -> figures.Overview:
    """The overview's figures under a policy, at the revision now."""
    frames = fetch_snapshot().frames
    named = frames["talents"].select("person", day="recognised_on").collect()
    until = fetch_graph_revision().data_until or date.today()
    goals = frames["goals"].collect().to_dicts()
    return figures.build_overview(fetch_driven_figures(policy), named, goals, until)


@cache_by_graph_state(max_entries=2, resource=True)
def fetch_stored_occupation_names() -> dict[str, str]:
    """The names of the occupations by code, as the data state them; the code where none is."""
    named = fetch_snapshot().frames["occupations"].select("code", "name").collect()
    return {code: name or code for code, name in named.rows()}


def fetch_occupation_names() -> dict[str, str]:
    """The names of the occupations by code, in the visit's language."""
    return {code: translate_term(name) for code, name in fetch_stored_occupation_names().items()}


@cache_by_graph_state(max_entries=2, resource=True)
def _list_studio_names() -> dict[str, str]:
    frame = fetch_snapshot().frames["studios"]
    return dict(frame.select("studio_id", "name").collect().iter_rows())


def fetch_studio_labels(ids: Iterable[str]) -> dict[str, str]:
    """Studio id -> its name as this visitor may see it; its id where it has none."""
    names = _list_studio_names()
    return mask_studio_names({id: names.get(id) or id for id in ids})


@cache_by_graph_state(max_entries=2, resource=True)
def _read_talent_attributes() -> pl.DataFrame:
    return list_talent_attributes(fetch_snapshot())


@cache_by_graph_state(max_entries=8, resource=True)
def fetch_talent_rows(policy: Policy) -> pl.DataFrame:
    """The figures of every leading talent (`Driven.talents`) with who they are.

    Besides: level, province, occupation_code, occupation, industry, bases (list), type, year (of
    the first naming), enterprise_id, enterprise, studio (names, one a line), studio_ids (list), and
    own: driven workers who are direct apprentices; and the ranks of `graph.driven.ranks`.
    """
    return _rank_talents(policy).join(_read_talent_attributes(), on="talent_id", how="left")


@cache_by_graph_state(max_entries=8, resource=True)
def _rank_talents(policy: Policy) -> pl.DataFrame:
    """`Driven.talents` with own and the ranks."""
    driven = fetch_driven_figures(policy)
    own = load_own_apprentices(fetch_snapshot(), driven)
    return add_talent_ranks(
        driven.talents.join(own, on="person", how="left").with_columns(pl.col("own").fill_null(0))
    )


@cache_by_graph_state(max_entries=4, resource=True)
def fetch_talent_reach(policy: Policy) -> ReachSets:
    """The people each talent drives, by talent id."""
    return build_talent_reach(fetch_driven_figures(policy))


def fetch_people_by_number(persons: list[int]) -> pl.DataFrame:
    """The people of these row numbers, sorted by id: person, person_id, name, leading, ..."""
    wanted = pl.Series(persons, dtype=pl.Int32)
    frame = fetch_snapshot().frames["people"]
    return (
        frame.filter(pl.col("person").is_in(wanted.implode()))
        .select("person", "person_id", "name", "level", "province", "enterprise_id", "leading")
        .sort("person_id")
        .collect()
    )


@cache_by_graph_state(max_entries=256, resource=True)
def fetch_talents_of_worker(person_id: str, policy: Policy) -> pl.DataFrame:
    """The leading talents this person counts for: talent_id, name, generation."""
    shares = list_worker_shares(fetch_snapshot(), fetch_driven_figures(policy), person_id)
    return shares.select("talent_id", "name", "generation")


@cache_by_graph_state(max_entries=32, resource=True)
def _list_workers_of_talent(talent_id: str, policy: Policy) -> pl.DataFrame:
    return fetch_driven_figures(policy).workers_of(talent_id)


@dataclass(frozen=True)
class WorkerShare:
    """What part of a worker (0 to 1) one talent is given by each way to credit, and the generation
    that the worker is of to this talent.
    """

    generation: int
    equal: float
    nearest: float
    decay: float


@dataclass(frozen=True)
class CreditPart:
    """Driven persons of one generation and channel, in full and by each way to credit."""

    generation: int
    channel: str
    full: int
    equal: float
    nearest: float
    decay: float


@dataclass(frozen=True)
class TalentFigures:
    """What the pages say of one talent: the row of `Driven.talents`, and what goes with it.

    - own: driven workers who are direct apprentices
    - ranks: (highest, lowest) place among all `fetch_talent_rows`, over the four ways to credit
    - talents: how many talents there are
    - generations, shared: driven persons by generation, in full and shared equally
    - parts: by generation and channel; each way to credit adds up to the total
    """

    driven: int
    person_times: int
    pending: int
    equal: float
    nearest: float
    decay: float
    mentorship_only: int
    studio_only: int
    both: int
    mixed: int
    own: int
    ranks: tuple[int, int]
    talents: int
    generations: tuple[int, ...]
    shared: tuple[float, ...]
    parts: tuple[CreditPart, ...]


# What of it is a column of `Driven.talents`.
TALENT_ROW_COLUMNS = ("driven", "person_times", "pending", *CREDIT_COLUMNS, *CHAIN_KINDS)


@cache_by_graph_state(max_entries=64, resource=True)
def fetch_talent_figures(talent_id: str, policy: Policy) -> TalentFigures:
    """One talent's figures. Raises `polars.exceptions.NoRowsReturnedError` for anyone else."""
    talents = fetch_driven_figures(policy).talents
    chosen = pl.col("talent_id") == talent_id
    row = talents.row(by_predicate=chosen, named=True)
    ranked = _rank_talents(policy).row(by_predicate=chosen, named=True)
    workers = _list_workers_of_talent(talent_id, policy)
    shared = dict(workers.group_by("generation").agg(pl.col("equal").sum()).rows())
    generations = [c for c in talents.columns if c[0] == "g" and c[1:].isdigit()]
    return TalentFigures(
        **{name: row[name] for name in TALENT_ROW_COLUMNS},
        own=ranked["own"],
        ranks=(ranked["rank_best"], ranked["rank_worst"]),
        talents=talents.height,
        generations=tuple(row[column] for column in generations),
        shared=tuple(shared.get(n, 0.0) for n in range(1, len(generations) + 1)),
        parts=tuple(CreditPart(**p) for p in sum_worker_credits(workers).iter_rows(named=True)),
    )


@cache_by_graph_state(max_entries=256, resource=True)
def fetch_worker_shares(worker_id: str, policy: Policy) -> dict[str, WorkerShare]:
    """Talent id -> what of one driven worker is the talent's."""
    shares = list_worker_shares(fetch_snapshot(), fetch_driven_figures(policy), worker_id)
    rows = shares.select("talent_id", "generation", *CREDIT_COLUMNS).iter_rows()
    return {talent: WorkerShare(*share) for talent, *share in rows}


@cache_by_graph_state(max_entries=64, resource=True)
def fetch_person_states(person_id: str, policy: Policy) -> LineageReach:
    """The people one person drives, and those pending, by person_id; empty if no talent."""
    found = fetch_driven_figures(policy)
    workers = _list_workers_of_talent(person_id, policy)
    return LineageReach(
        generation=dict(workers.select("person_id", "generation").rows()),
        skilled_on=dict(workers.select("person_id", "day").rows()),
        pending=frozenset(found.waiting_of(person_id)["person_id"]),
        leading=bool(found.talents["talent_id"].eq(person_id).any()),
    )


@cache_by_graph_state(max_entries=256, resource=True)
def fetch_explanation(policy: Policy, talent_id: str, worker_id: str) -> Explanation:
    """Why a worker counts for a talent under a policy, or why not: `MAX_EVIDENCE_CHAINS` chains."""
    return explain_pair(fetch_snapshot(), policy, talent_id, worker_id, chains=MAX_EVIDENCE_CHAINS)


@cache_by_graph_state(max_entries=4)
def _read_kind_counts() -> RecordCounts:
    snapshot = find_cached_snapshot(open_shared_database(), open_shared_database().settings)
    place = None if snapshot is None else build_table_path(snapshot, "counts")
    found = load_cached_table(place, _tabulate_kind_counts)
    nodes, relations = (
        dict(found.filter(pl.col("node") == node).select("kind", "number").rows())
        for node in (True, False)
    )
    return nodes, relations


def _tabulate_kind_counts() -> pl.DataFrame:
    nodes, relations = count_records(open_shared_database())
    rows = [(True, *row) for row in nodes.items()] + [(False, *row) for row in relations.items()]
    return pl.DataFrame(rows, schema=["node", "kind", "number"], orient="row")


def fetch_kind_counts() -> RecordCounts:
    """How many nodes of each kind and relations of each type the graph holds now."""
    if fetch_graph_revision().unfinished is not None:
        mark_live_read()
        return count_records(open_shared_database())
    return _read_kind_counts()


@cache_by_graph_state(max_entries=2, resource=True)
def _read_name_index() -> NameIndex:
    return load_name_index(fetch_snapshot())


@cache_by_graph_state(max_entries=4, resource=True)
def _restrict_name_index(scope: Scope) -> NameIndex:
    """The names of the people of a scope and of occupations; places may be named after people."""
    names = _read_name_index()
    keep = np.zeros(len(names.keys), dtype=bool)
    people = names.spans["Person"]
    numbers = fetch_snapshot().frames["people"].select("person_id", "person")
    listed = names.keys[people].alias("person_id").to_frame().lazy()
    found = listed.join(numbers, on="person_id", how="left", maintain_order="left").collect()
    keep[people] = fetch_covered_people(scope)[found["person"].to_numpy()]
    keep[names.spans["Occupation"]] = True
    return names.restrict(keep)


def fetch_name_index() -> NameIndex:
    """The names of everyone and everything whom this visitor may see, to find by."""
    scope = identify_visitor().people_scope
    return _read_name_index() if scope.everybody else _restrict_name_index(scope)

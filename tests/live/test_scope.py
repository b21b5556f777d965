"""Nobody outside a visitor's scope is in any byte that the app sends: pages, files, the API."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from graph.accounts.scope import Scope
from graph.analysis.api_tokens import create_token
from graph.analysis.open_graph import open_graph
from graph.cypher.named_queries import load_queries, run_query
from graph.errors import RefusedError, UsageError
from graph.people.covered_people import compute_covered_people, find_covered_studios
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here
from tests.live.visiting import go, lead, text
from ui.pages import FIGURE_PAGES, PAGES, SCOPED_PAGES
from ui.shell import visitor as visiting
from ui.shell.visitor import Visitor

NOBODY_ID = "Znobody0"
VIEWER = Visitor("viewer", "viewer")


@dataclass
class Wire:
    """What was sent since it was last looked at: messages to the browser, and files on offer."""

    messages: list[bytes] = field(default_factory=list)
    files: list[Callable[[], bytes | str]] = field(default_factory=list)

    def take(self) -> bytes:
        made = [make() for make in self.files]
        held = [one.encode() if isinstance(one, str) else one for one in made]
        sent = b"\0".join([*self.messages, *held])
        self.messages.clear()
        self.files.clear()
        return sent


@dataclass(frozen=True)
class World:
    """A scope of the network, whom it covers, and whom nobody in it may learn of.

    `trainees` are people inside who trained at a studio that has no name in the scope.
    """

    manager: Visitor
    inside: pl.DataFrame
    outside: pl.DataFrame
    secret_names: tuple[str, ...]
    trainees: tuple[str, ...]

    @property
    def canary(self) -> dict[str, Any]:
        """A leading talent outside whose name nobody inside has."""
        leading = self.outside.filter(pl.col("leading") & pl.col("name").is_in(self.secret_names))
        return leading.row(0, named=True)


@pytest.fixture
def world(network: Database, settings: Settings) -> World:
    snapshot = take_snapshot(network, settings)
    people = snapshot.frames["people"].sort("person").collect()
    province = people.filter("leading")["province"].drop_nulls().mode().sort()[0]
    scope = Scope((province,))
    covered = pl.Series(compute_covered_people(snapshot, scope))
    inside, outside = people.filter(covered), people.filter(~covered)
    # A work may be named after a person: those names stand on the records of others.
    frames = ("enterprises", "schools", "projects", "competitions")
    named = " ".join(
        name for one in frames for name in snapshot.frames[one].collect()["name"] if name
    )
    taken = " ".join(inside["name"].drop_nulls()) + named
    secret = {name for name in outside["name"].drop_nulls() if len(name) > 2 and name not in taken}
    assert inside.height > 20 and len(secret) > 20
    named_inside = list(find_covered_studios(snapshot, scope))
    nameless = snapshot.frames["trainings"].filter(
        pl.col("place_kind") == "Studio", ~pl.col("place_id").is_in(named_inside)
    )
    trainees = inside.join(nameless.collect(), on="person", how="semi")["person_id"].sort()
    manager = Visitor("li", "manager", scope)
    return World(manager, inside, outside, tuple(sorted(secret)), tuple(trainees))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    sent = Wire()
    enqueue = ScriptRunContext.enqueue

    def record(self: ScriptRunContext, msg: Any) -> None:
        sent.messages.append(msg.SerializeToString())
        enqueue(self, msg)

    def offer(label: str, data: Any, *args: Any, **options: Any) -> None:
        sent.files.append(data)

    monkeypatch.setattr(ScriptRunContext, "enqueue", record)
    monkeypatch.setattr(st, "download_button", offer)
    return sent


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Visitor], None]]:
    """Makes everyone this visitor."""

    def become(visitor: Visitor) -> None:
        monkeypatch.setattr(visiting, "_identify", lambda _: visitor)

    yield become


def find_leaks(sent: bytes, world: World, visitor: Visitor, typed: str = "") -> list[str]:
    """The ids and names in these bytes of people whom the visitor may not see."""
    hidden = list(world.outside["person_id"])
    names = list(world.secret_names)
    if visitor.people_scope.nobody:
        hidden += list(world.inside["person_id"])
    return [one for one in (*hidden, *names) if one not in typed and one.encode() in sent]


def test_no_page_tells_of_anybody_outside(
    world: World, wire: Wire, visit: Callable[[Visitor], None], app: Callable[..., AppTest]
) -> None:
    canary, someone = world.canary["person_id"], world.inside.filter("leading")["person_id"][0]
    for visitor, open_pages in ((world.manager, SCOPED_PAGES), (VIEWER, FIGURE_PAGES)):
        visit(visitor)
        test = app("overview", lang="en")
        for page in PAGES:
            go(test, page, lang="en", id=someone)
            assert not test.exception
            refused = "This page is not open to you" in text(test)
            assert refused == (page not in open_pages), page
            assert not find_leaks(wire.take(), world, visitor, someone), page
            if refused:
                continue
            go(test, page, lang="en", id=canary, typed=canary, selected=canary)
            assert not find_leaks(wire.take(), world, visitor, canary), page


def test_somebody_outside_is_as_nobody(
    world: World, wire: Wire, visit: Callable[[Visitor], None], app: Callable[..., AppTest]
) -> None:
    canary, someone = world.canary, world.inside.filter("leading")["person_id"][0]
    visit(world.manager)

    def ask(page: str, hidden: str, absent: str, **query: str) -> None:
        answers = []
        for asked in (hidden, absent):
            test = app(page, lang="en", **{name: v.format(asked) for name, v in query.items()})
            assert not test.exception
            said = [text(test), *(one.label for one in test.button)]
            answers.append("\n".join(said).replace(asked, "X"))
        assert answers[0] == answers[1], (page, query)
        assert not find_leaks(wire.take(), world, world.manager, hidden)

    for page in ("talent", "lineage"):
        ask(page, canary["person_id"], NOBODY_ID, id="{}")
    ask("lineage", canary["person_id"], NOBODY_ID, id=someone, selected="{}")
    ask("talent", canary["person_id"], NOBODY_ID, id=someone, **{"with": "{}"})
    ask("find", canary["person_id"], NOBODY_ID, typed="{}")
    # A name that nobody has, and of which no letter is anybody's.
    ask("find", canary["name"], "龘" * len(canary["name"]), typed="{}")


def test_a_studio_of_somebody_outside_has_no_name(
    world: World, wire: Wire, visit: Callable[[Visitor], None], app: Callable[..., AppTest]
) -> None:
    visit(world.manager)
    trainee = world.trainees[0]
    test = app("talent", lang="en", id=trainee)
    assert not test.exception and "a studio outside your area" in text(test)
    assert not find_leaks(wire.take(), world, world.manager)
    go(test, "lineage", lang="en", id=trainee)
    assert not test.exception and not find_leaks(wire.take(), world, world.manager)


def test_no_cut_of_a_list_tells_of_the_talents_outside(
    world: World, visit: Callable[[Visitor], None], app: Callable[..., AppTest]
) -> None:
    visit(world.manager)
    answers = set()
    asked: list[dict[str, str]] = [{}, {"year": "1900"}, {"year": "2024"}, {"basis": "x"}]
    for query in asked:
        test = app("people", lang="en", **query)
        assert not test.exception
        answers.add(lead(test))
        assert all(f"{name} = " in text(test) for name in query)
    assert len(answers) == 1


def test_a_scoped_manager_works_with_the_people_of_the_area(
    world: World, wire: Wire, visit: Callable[[Visitor], None], app: Callable[..., AppTest]
) -> None:
    visit(world.manager)
    talent = world.inside.filter("leading").row(0, named=True)
    for page in ("talent", "lineage"):
        test = app(page, lang="zh", id=talent["person_id"])
        assert talent["name"] in text(test) and not test.exception
    wire.messages.clear()
    wire.files.clear()
    test = app("find", lang="zh", typed=talent["name"])
    assert talent["person_id"] in text(test)


def test_queries_tokens_and_commands_are_closed_to_a_viewer(
    network: Database, settings: Settings
) -> None:
    with pytest.raises(RefusedError, match="national figures alone"):
        run_query(network, load_queries()["leading_talents"], {}, role="viewer")
    viewing = settings.model_copy(update={"role": "viewer"})
    with pytest.raises(RefusedError, match="national figures alone"):
        open_graph(settings=viewing)
    with pytest.raises(UsageError, match="needs no token"):
        create_token(settings, "x", "viewer", 1)
    shell = {"SHICHENG_HOME": str(settings.home), "SHICHENG_ROLE": "viewer"}
    for command in (["query", "leading_talents"], ["driven"], ["mcp"], ["export", "network"]):
        assert run_here(command, shell).returncode == 4, command


def walk(random: random.Random, world: World) -> tuple[str, dict[str, str]]:
    """A page and an address somebody could open: of people inside, outside, and of nobody."""
    someone = random.choice([world.inside, world.outside, world.inside.filter("leading")])
    row = someone.row(random.randrange(someone.height), named=True)
    other = world.outside.row(random.randrange(world.outside.height), named=True)
    page = random.choice([*SCOPED_PAGES, "find", "lineage", random.choice(list(PAGES))])
    query = {"lang": random.choice(["zh", "en"]), "id": row["person_id"]}
    if page == "find":
        name = row["name"] or "x"
        query["typed"] = random.choice([row["person_id"], name, name[:1], name[:2], ""])
        query["kind"] = random.choice(["all", "Person", "Studio", "Competition"])
        if random.random() < 0.3:
            query |= {"province": random.choice(["11", "32", "44"]), "level": "5"}
    if page == "lineage":
        query |= {"selected": other["person_id"]} if random.random() < 0.5 else {}
        query |= {"list": "1"} if random.random() < 0.3 else {}
        query |= {"tool": random.choice(["path", "common", "branches", "lineage"])}
        query |= {"with": other["person_id"]} if random.random() < 0.3 else {}
    if page == "overview":
        query["by"] = random.choice(["quarter", "province", "basis", "type"])
    return page, query


@pytest.mark.parametrize("actions", [15, pytest.param(800, marks=pytest.mark.soak)])
def test_random_walks_find_nobody_outside(
    actions: int,
    world: World,
    wire: Wire,
    visit: Callable[[Visitor], None],
    app: Callable[..., AppTest],
) -> None:
    choices = random.Random(14)
    visitor = world.manager
    visit(visitor)
    test = app("overview", lang="en")
    for number in range(actions):
        if number % 10 == 9:
            visitor = choices.choice([world.manager, world.manager, VIEWER])
            visit(visitor)
        page, query = walk(choices, world)
        go(test, page, **query)
        assert not test.exception, (page, query)
        typed = " ".join(query.values())
        assert not find_leaks(wire.take(), world, visitor, typed), (page, query)

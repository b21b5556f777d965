"""Scopes: what they cover, who may have one, and that nothing widens one in silence."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from graph.accounts.registry import (
    ACCOUNTS_FILE_NAME,
    ACCOUNTS_FOLDER,
    add_account,
    find_account,
    list_accounts,
    set_account_password,
    set_account_role,
    set_account_scope,
    unlock_account,
    verify_sign_in,
)
from graph.accounts.scope import EVERYBODY, NOBODY, Scope, parse_scope
from graph.errors import RefusedError, UsageError
from graph.people.covered_people import (
    compute_covered_people,
    find_covered_ids,
    find_covered_studios,
)
from graph.policy import Policy
from graph.roles import ROLES, has_permission
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from ui.overview.national_figures import MIN_CELL, merge_small_cells
from ui.pages import FIGURE_PAGES, PAGES, SCOPED_PAGES
from ui.reading.drill_down import list_scope_cuts
from ui.shell import people_scope, policy_form
from ui.shell import visitor as visiting
from ui.shell.visitor import ANONYMOUS_VISITOR, Visitor

JIANGSU = parse_scope(["江苏"])
PASSWORD = "correct horse 电池"  # pragma: allowlist secret


def build_small_snapshot() -> Snapshot:
    people = pl.LazyFrame(
        {
            "person": [0, 1, 2, 3],
            "person_id": ["a", "b", "c", "d"],
            "name": ["A", "B", "C", "D"],
            "level": [4, 4, 4, 4],
            "leading": [False] * 4,
            "target": [False] * 4,
            "province": ["32", "11", None, "32"],
            "occupation_code": [None] * 4,
            "enterprise_id": ["e1", "e1", "e1", "e2"],
            "retired_on": [None] * 4,
            "type": [None] * 4,
        },
        schema_overrides={"person": pl.Int32},
    )
    enterprises = pl.LazyFrame({"enterprise_id": ["e1", "e2"], "industry": ["装备制造", None]})
    return Snapshot(0, None, {"people": people, "enterprises": enterprises})


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (EVERYBODY, "abcd"),
        (NOBODY, ""),
        (JIANGSU, "ad"),
        (parse_scope(["32", "110000"]), "abd"),
        (parse_scope([], ["装备制造"]), "abc"),
        (parse_scope(["Jiangsu"], ["装备制造"]), "a"),
        (parse_scope([], ["电力"]), ""),
    ],
)
def test_a_scope_covers_whom_province_and_industry_fit(scope: Scope, covered: str) -> None:
    snapshot = build_small_snapshot()
    mask = compute_covered_people(snapshot, scope)
    assert "".join(id for id, fits in zip("abcd", mask, strict=True) if fits) == covered
    asked = ["a", "b", "c", "d", "nobody", "a"]
    assert find_covered_ids(snapshot, scope, asked) == frozenset(covered)


def test_a_studio_called_after_somebody_outside_has_no_name_in_a_scope() -> None:
    studios = {
        "s1": "A的工作室",
        "s2": "B的工作室",
        "s3": "B的工作室",
        "s4": "梅花工作室",
        "s5": None,
    }
    led = [(0, "s1"), (1, "s2"), (0, "s3"), (1, "s3"), (3, "s4"), (2, "s4"), (0, "s5")]
    frames = build_small_snapshot().frames | {
        "studios": pl.LazyFrame({"studio_id": [*studios, "s6"], "name": [*studios.values(), "C"]}),
        "leads": pl.LazyFrame(
            led, schema={"person": pl.Int32, "studio_id": pl.String}, orient="row"
        ),
    }
    snapshot = Snapshot(0, None, frames)
    assert find_covered_studios(snapshot, JIANGSU) == {"s1", "s4", "s5"}
    assert find_covered_studios(snapshot, NOBODY) == set()


def test_a_list_of_studios_asks_once_who_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    visits = []

    def identify() -> Visitor:
        visits.append(1)
        return replace(ANONYMOUS_VISITOR, role="manager", scope=JIANGSU)

    monkeypatch.setattr(people_scope, "identify_visitor", identify)
    monkeypatch.setattr(people_scope, "_fetch_covered_studios", lambda scope: frozenset({"s1"}))
    names = people_scope.mask_studio_names({f"s{n}": f"S{n}" for n in range(1_000)})
    assert len(visits) == 1 and names["s1"] == "S1"
    assert {name for id, name in names.items() if id != "s1"} == {"a studio outside your area"}


@pytest.mark.parametrize(
    ("policy", "is_open"),
    [
        (Policy(), True),
        (Policy(generations=1, channels=("studio",)), True),
        (Policy.parsed(window="2024-02-01:2024-02-29", as_of="2025-06-30"), True),
        (Policy.parsed(window="2024-02-01:2024-03-01"), False),
        (Policy.parsed(window="2024-02-02:2024-02-29"), False),
        (Policy.parsed(as_of="2025-06-29"), False),
    ],
)
def test_a_limited_visitor_counts_in_months(
    policy: Policy, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_form, "identify_visitor", lambda: Visitor("li", "manager"))
    assert policy_form.check_policy_open(policy) is policy
    given = policy_form.format_policy_parameters(policy)
    assert policy_form.parse_open_parameters(given) == (policy, {})
    for limited in (Visitor("li", "manager", JIANGSU), Visitor("li", "viewer")):
        monkeypatch.setattr(policy_form, "identify_visitor", lambda limited=limited: limited)
        found, wrong = policy_form.parse_open_parameters(given)
        assert (found == policy, wrong == given) == (is_open, not is_open or not given)
        if not is_open:
            with pytest.raises(UsageError, match="whole months"):
                policy_form.check_policy_open(policy)


@pytest.mark.parametrize("text", ["", "99", "320100", "3", "Ruritania", "32\n"])
def test_what_is_no_province_is_refused(text: str) -> None:
    if text.strip() == "32":
        assert parse_scope([text]) == JIANGSU
        return
    with pytest.raises(UsageError, match="no province"):
        parse_scope([text])


def test_no_change_of_an_account_widens_its_scope(tmp_path: Path) -> None:
    add_account(tmp_path, "root", "admin", PASSWORD)
    add_account(tmp_path, "li", "manager", PASSWORD, scope=JIANGSU)
    set_account_password(tmp_path, "li", PASSWORD + "2")
    verify_sign_in(tmp_path, "li", "wrong")
    unlock_account(tmp_path, "li")
    for role in ROLES:
        if role != "manager":
            with pytest.raises(UsageError, match="goes with the role manager"):
                set_account_role(tmp_path, "li", role)
            with pytest.raises(UsageError, match="goes with the role manager"):
                add_account(tmp_path, f"new-{role}", role, PASSWORD, scope=JIANGSU)
    found = find_account(tmp_path, "li")
    assert found and found.scope == JIANGSU and found.password
    changed = set_account_scope(tmp_path, "li", parse_scope(["11"], ["电力"]))
    assert changed.generation > found.generation  # open sessions end
    assert find_account(tmp_path, "li") == changed


@pytest.mark.parametrize("stated", ["32", ["99"], [1], {"32": 1}, None])
def test_a_damaged_scope_lets_nobody_in(tmp_path: Path, stated: object) -> None:
    add_account(tmp_path, "li", "manager", None, scope=JIANGSU)
    file = tmp_path / ACCOUNTS_FOLDER / ACCOUNTS_FILE_NAME
    held = json.loads(file.read_text())
    held["accounts"][0]["provinces"] = stated
    file.write_text(json.dumps(held))
    with pytest.raises(UsageError, match="damaged"):
        list_accounts(tmp_path)


def test_a_limited_visitor_may_nothing_but_see_people_of_the_scope() -> None:
    for role in ROLES:
        scoped = Visitor("x", role, JIANGSU)
        assert scoped.is_limited and not scoped.sees_personal_data
        assert not any(scoped.may(p) for p in ("audit", "cypher", "load", "personal_data"))
        assert Visitor("x", role).is_limited == (role == "viewer") != has_permission(role, "people")
    assert Visitor("x", "viewer", JIANGSU).people_scope == NOBODY
    assert ANONYMOUS_VISITOR.people_scope == NOBODY


def test_a_provider_address_without_an_account_sees_nobody_once_scopes_are_used(
    tmp_path: Path,
) -> None:
    def apply(id: str) -> Visitor:
        return visiting._apply_account_role(Visitor(id, "manager"), tmp_path)

    assert apply("li@example.cn") == Visitor("li@example.cn", "manager")
    add_account(tmp_path, "li@example.cn", "manager", None, scope=JIANGSU)
    assert apply("li@example.cn") == Visitor("li@example.cn", "manager", JIANGSU)
    assert apply("wang@example.cn").people_scope == NOBODY
    assert apply("https://p 7").people_scope == NOBODY
    (tmp_path / ACCOUNTS_FOLDER / ACCOUNTS_FILE_NAME).write_text("{}")
    assert apply("li@example.cn").people_scope == NOBODY


@pytest.mark.parametrize(
    ("claims", "scope"),
    [
        ({"areas": "32, 11"}, parse_scope(["11", "32"])),
        ({"areas": ["320000"], "trades": ["电力"]}, parse_scope(["32"], ["电力"])),
        ({"trades": "电力"}, parse_scope([], ["电力"])),
        ({"areas": "Ruritania"}, NOBODY),
        ({"areas": {"32": 1}}, NOBODY),
        ({"areas": []}, NOBODY),
        ({}, NOBODY),
    ],
)
def test_a_claim_that_states_no_area_covers_nobody(claims: dict[str, object], scope: Scope) -> None:
    named = {"province_claim": "areas", "industry_claim": "trades"}
    assert visiting.parse_scope_claims(claims, Settings().model_copy(update=named)) == scope
    assert visiting.parse_scope_claims(claims, Settings()) == EVERYBODY


def test_pages_for_limited_visitors_are_pages() -> None:
    assert FIGURE_PAGES <= SCOPED_PAGES < set(PAGES)


@pytest.mark.parametrize("counts", [[1], [1, 1], [4, 9], [0, 2, 30, 5], [5, 6, 7], [], [3, 4, 50]])
def test_no_small_cell_is_told_or_left_over(counts: list[int]) -> None:
    rows = pl.DataFrame(
        {"value": [str(n) for n in range(len(counts))], "persons": counts},
        schema={"value": pl.String, "persons": pl.Int64},
    ).with_columns(person_times="persons")
    shown, merged = merge_small_cells(rows)
    assert all(n == 0 or n >= MIN_CELL for n in shown["persons"])
    assert merged.height != 1 and not 0 < sum(merged["persons"]) < MIN_CELL
    left_over = sum(counts) - sum([*shown["persons"], *merged["persons"]])
    assert left_over == 0 or shown.is_empty()


@pytest.mark.parametrize("seed", range(40))
def test_whoever_subtracts_the_own_area_finds_no_small_cell(seed: int) -> None:
    chosen = random.Random(seed)
    nation = [chosen.choice([0, 3, 5, 6, 8, 12, 40, 300]) for _ in range(chosen.randrange(1, 9))]
    known = [chosen.choice([0, n, n // 2, max(0, n - 1), max(0, n - 4)]) for n in nation]
    rows, own = (
        pl.DataFrame(
            {"value": [None, *map(str, range(1, len(counts)))], "persons": counts},
            schema={"value": pl.String, "persons": pl.Int64},
        ).with_columns(person_times=pl.col("persons") * 2)
        for counts in (nation, known)
    )
    left = dict(
        zip(rows["value"], (n - k for n, k in zip(nation, known, strict=True)), strict=True)
    )
    shown, merged = merge_small_cells(rows, own.filter(pl.col("persons") > 0))
    assert shown.columns == merged.columns == rows.columns
    outside = [left[value] for value in shown["value"]]
    outside.append(sum(left[value] for value in merged["value"]))
    assert all(n == 0 or n >= MIN_CELL for n in outside), outside
    assert shown.is_empty() or {*shown["value"], *merged["value"]} == {*rows["value"]}


def test_a_list_in_a_scope_has_no_cut_by_the_talents_who_may_be_outside() -> None:
    assert {"basis", "year"} < {*list_scope_cuts(EVERYBODY)}
    cuts = {*list_scope_cuts(EVERYBODY)} - {"basis", "year"}
    assert {*list_scope_cuts(JIANGSU)} == {*list_scope_cuts(NOBODY)} == cuts


def test_a_file_is_not_made_for_whoever_may_no_longer_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.controls.downloads import _make_logged_file

    monkeypatch.setenv("SHICHENG_HOME", str(tmp_path))
    actor = Visitor("li", "manager").actor

    def make(still: bool) -> bytes | str:
        return _make_logged_file(lambda: b"x", lambda: still, actor, "k", "f.csv", ())

    assert make(True) == b"x"
    with pytest.raises(RefusedError, match="session has ended"):
        make(False)


def test_a_ticket_of_a_result_ends_with_the_session(tmp_path: Path) -> None:
    from ui.shell.result_files import (
        ResultFile,
        TicketHolder,
        build_result_routes,
        identify_browser,
    )

    table: Any = None  # what is refused is not written
    actor, asked = Visitor("li", "analyst").actor, identify_browser({})
    file = ResultFile(table, "query", "query", tmp_path, actor, "en", asked, lambda: False)
    holder = TicketHolder(file)
    client = TestClient(Starlette(routes=build_result_routes()))
    answer = client.get("/" + holder.address("csv"))
    assert answer.status_code == 404 and "not there any more" in answer.text
    assert answer.text == client.get("/results/none.csv").text

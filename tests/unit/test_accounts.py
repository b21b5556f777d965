"""Local accounts: passwords, lock-out, sessions, roles, and the pages that sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from graph.accounts import registry, sessions
from graph.accounts.registry import (
    LOCK_OUT,
    MAX_FAILED_SIGN_INS,
    add_account,
    find_account,
    has_local_accounts,
    list_accounts,
    remove_account,
    set_account_password,
    set_account_role,
    unlock_account,
    verify_sign_in,
)
from graph.accounts.sessions import (
    IDLE_LIMIT,
    SESSION_LIMIT,
    close_session,
    find_session_account,
    open_session,
)
from graph.audit.log import list_month_files
from graph.errors import UsageError
from graph.roles import ROLE_LABELS, ROLE_PERMISSIONS, ROLES, has_permission
from ui.shell.account_pages import (
    SESSION_COOKIE_NAME,
    build_account_routes,
    build_sign_in_address,
    clean_next_address,
)

ADMIN, PASSWORD, NEW_PASSWORD = "张敏", "correct horse 电池", "another long one"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2id at its lowest cost: what is tested is not how long it takes."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(registry, "_hasher", lambda: cheap)
    registry._unknown_hash.cache_clear()
    yield
    registry._unknown_hash.cache_clear()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    add_account(tmp_path, ADMIN, "admin", PASSWORD)
    return tmp_path


def read_audit_events(home: Path) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for file in list_month_files(home) for line in file.open()]
    facts = [line["facts"] for line in lines]
    return [
        (line["event"], line["by"], fact.get("outcome") or fact.get("change"))
        for line, fact in zip(lines, facts, strict=True)
    ]


def test_the_right_password_signs_in_and_every_try_is_logged(home: Path) -> None:
    assert verify_sign_in(home, f" {ADMIN.upper()} ", PASSWORD)[0] == "ok"
    assert verify_sign_in(home, ADMIN, PASSWORD + "x") == ("refused", None)
    assert verify_sign_in(home, "nobody", PASSWORD) == ("refused", None)
    assert [event[0::2] for event in read_audit_events(home)] == [
        ("account", "add"),
        ("sign_in", "ok"),
        ("sign_in", "refused"),
        ("sign_in", "refused"),
    ]
    # a name nobody has may be a password typed into the wrong field
    assert read_audit_events(home)[-1][1] == "unknown"


def test_wrong_passwords_lock_for_a_while_and_the_right_one_then_too(home: Path) -> None:
    for _ in range(MAX_FAILED_SIGN_INS):
        assert verify_sign_in(home, ADMIN, "wrong", NOW)[0] == "refused"
    assert verify_sign_in(home, ADMIN, PASSWORD, NOW) == ("locked", None)
    later = NOW + LOCK_OUT
    assert verify_sign_in(home, ADMIN, PASSWORD, later)[0] == "ok"
    for _ in range(MAX_FAILED_SIGN_INS):
        verify_sign_in(home, ADMIN, "wrong", later)
    unlock_account(home, ADMIN)
    assert verify_sign_in(home, ADMIN, PASSWORD, later)[0] == "ok"


def test_a_right_password_between_forgets_the_wrong_ones(home: Path) -> None:
    for _ in range(3 * MAX_FAILED_SIGN_INS):
        verify_sign_in(home, ADMIN, "wrong", NOW)
        assert verify_sign_in(home, ADMIN, PASSWORD, NOW)[0] == "ok"


def test_the_password_is_in_no_file(home: Path) -> None:
    verify_sign_in(home, ADMIN, PASSWORD)
    for file in home.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes()
            assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_short_or_endless_password_is_refused(home: Path, password: str) -> None:
    with pytest.raises(UsageError, match="10 to 200"):
        set_account_password(home, ADMIN, password)


def test_an_admin_is_first_and_never_the_last_to_go(tmp_path: Path) -> None:
    add_account(tmp_path, "li@example.cn", "analyst", None)
    assert not has_local_accounts(tmp_path)
    with pytest.raises(UsageError, match="--role admin"):
        add_account(tmp_path, "wang", "steward", PASSWORD)
    with pytest.raises(UsageError, match="--role admin"):
        set_account_password(tmp_path, "li@example.cn", PASSWORD)
    add_account(tmp_path, "wang", "admin", PASSWORD)
    add_account(tmp_path, "zhao", "clerk", PASSWORD)
    for change in (
        lambda: remove_account(tmp_path, "wang"),
        lambda: set_account_role(tmp_path, "wang", "clerk"),
    ):
        with pytest.raises(UsageError, match="last admin"):
            change()
    set_account_role(tmp_path, "zhao", "admin")
    remove_account(tmp_path, "WANG")
    assert [one.name for one in list_accounts(tmp_path)] == ["li@example.cn", "zhao"]


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 101, "<b>", "a/b"])
def test_a_name_that_is_none_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name of an account"):
        add_account(home, name, "clerk", PASSWORD)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"accounts": [{"name": "a", "role": "god"}]}'])
def test_a_damaged_file_lets_nobody_in_and_opens_the_app_to_nobody(home: Path, text: str) -> None:
    token = open_session(find_account(home, ADMIN) or pytest.fail())
    (home / "accounts" / "accounts.json").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="damaged"):
        verify_sign_in(home, ADMIN, PASSWORD)
    assert has_local_accounts(home) and find_session_account(home, token) is None


def test_a_session_ends_by_time_by_sign_out_and_with_the_account(home: Path) -> None:
    admin = find_account(home, ADMIN)
    assert admin
    token = open_session(admin, NOW)
    late = NOW
    while late < NOW + SESSION_LIMIT - IDLE_LIMIT:
        late += IDLE_LIMIT
        assert find_session_account(home, token, late) == admin
    assert find_session_account(home, token, NOW + SESSION_LIMIT + timedelta(seconds=1)) is None
    token = open_session(admin, NOW)
    idle = NOW + IDLE_LIMIT + timedelta(seconds=1)
    assert find_session_account(home, token, idle) is None
    token = open_session(admin)
    close_session(token)
    assert find_session_account(home, token) is None
    add_account(home, "zhao", "clerk", PASSWORD)
    for change in (
        lambda: set_account_role(home, "zhao", "steward"),
        lambda: set_account_password(home, "zhao", NEW_PASSWORD),
        lambda: remove_account(home, "zhao"),
    ):
        token = open_session(find_account(home, "zhao") or pytest.fail())
        assert find_session_account(home, token)
        change()
        assert find_session_account(home, token) is None


def test_a_session_of_an_account_that_was_removed_is_none_of_the_next_ones(home: Path) -> None:
    token = open_session(add_account(home, "zhao", "manager", PASSWORD))
    remove_account(home, "zhao")
    add_account(home, "zhao", "steward", NEW_PASSWORD)
    assert find_session_account(home, token) is None


def test_the_token_itself_is_stored_nowhere(home: Path) -> None:
    token = open_session(find_account(home, ADMIN) or pytest.fail())
    assert token not in sessions._sessions and find_session_account(home, token + "x") is None


def test_every_role_has_a_label_and_its_permissions() -> None:
    assert set(ROLES) == set(ROLE_LABELS) == set(ROLE_PERMISSIONS)
    assert [role for role in ROLES if has_permission(role, "personal_data")] == ["steward"]
    assert [role for role in ROLES if has_permission(role, "load")] == ["clerk", "steward"]
    assert [role for role in ROLES if has_permission(role, "cypher")] == ["analyst", "steward"]


@given(st.text(max_size=40) | st.from_regex(r"[/\\:.@]{1,4}\w*"))
def test_the_way_back_never_leads_to_another_host(text: str) -> None:
    found = clean_next_address(text)
    assert found.startswith("/") and found[1:2] not in ("/", "\\")
    assert not any(sign <= " " or sign == "\\" for sign in found)


@pytest.fixture
def client(home: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("SHICHENG_HOME", str(home))
    app = Starlette(routes=build_account_routes())
    return TestClient(
        app, base_url="http://127.0.0.1", follow_redirects=False, client=("127.0.0.1", 50)
    )


def sign_in(client: TestClient, password: str = PASSWORD, next: str = "/talents?lang=en"):  # type: ignore[no-untyped-def]
    form = {"name": ADMIN, "password": password, "next": next}
    return client.post("/account/sign-in?lang=en", data=form)


def test_signing_in_leads_back_with_a_cookie_no_script_reads(
    client: TestClient, home: Path
) -> None:
    assert 'name="next" value="/talents"' in client.get(build_sign_in_address("/talents")).text
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/talents?lang=en")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "secure" not in cookie
    assert find_session_account(home, client.cookies[SESSION_COOKIE_NAME])
    assert ADMIN in client.get("/account?lang=en").text
    out = client.post("/account/sign-out")
    assert out.status_code == 303 and SESSION_COOKIE_NAME not in client.cookies
    headers = {"x-forwarded-proto": "https"}
    form = {"name": ADMIN, "password": PASSWORD}
    sent = client.post("/account/sign-in", data=form, headers=headers).headers["set-cookie"]
    assert "secure" in sent.lower()


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example", "/\\evil", "x"])
def test_signing_in_leads_to_no_other_host(client: TestClient, next: str) -> None:
    assert sign_in(client, next=next).headers["location"] == "/"


def test_a_wrong_password_is_answered_in_the_language_of_the_browser(client: TestClient) -> None:
    answer = sign_in(client, "wrong")
    assert answer.status_code == 403 and "do not fit" in answer.text
    assert "wrong" not in answer.text.replace("do not fit", "")
    form = {"name": "nobody", "password": "x"}
    chinese = client.post("/account/sign-in", data=form, headers={"accept-language": "zh-CN"})
    assert "账户名与密码不符" in chinese.text and "set-cookie" not in chinese.headers
    # A lock is answered as a wrong password is, and as a name that nobody has.
    for _ in range(MAX_FAILED_SIGN_INS + 1):
        answer = sign_in(client, "wrong")
    unknown = client.post("/account/sign-in?lang=en", data={"name": "nobody", "password": "x"})
    own_way_back = 'value="/talents?lang=en"'
    assert answer.text.replace(own_way_back, 'value="/"') == unknown.text
    large = client.post("/account/sign-in", content=b"name=" + b"a" * 20_000)
    assert large.status_code == 403


def test_a_password_that_was_handed_over_is_changed_first(client: TestClient, home: Path) -> None:
    set_account_password(home, ADMIN, PASSWORD, must_change=True)
    assert sign_in(client).headers["location"] == "/account"
    assert "password of your own" in client.get("/account?lang=en").text

    def change(**form: str):  # type: ignore[no-untyped-def]
        return client.post("/account/password?lang=en", data=form)

    wrong = change(password=NEW_PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
    assert wrong.status_code == 403
    assert change(password=PASSWORD, new=NEW_PASSWORD, again="else").status_code == 400
    assert "10 to 200" in change(password=PASSWORD, new="short", again="short").text
    assert change(password=PASSWORD, new=PASSWORD, again=PASSWORD).status_code == 400
    assert change(password=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD).status_code == 303
    account = find_account(home, ADMIN)
    assert account and not account.must_change
    assert sign_in(client, NEW_PASSWORD).headers["location"] == "/talents?lang=en"

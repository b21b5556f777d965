"""Signing in by OpenID Connect, at a provider that runs beside the app."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from graph.accounts.registry import ACCOUNTS_FOLDER, add_account
from graph.server.database import Database
from graph.settings import Settings
from tests.browser.conftest import ROOT
from tests.browser.seeing import WAIT, at_rest, most_driven
from tests.serving import find_own_port

STEWARD = "steward@example.cn"
PASSWORD = "a password of the test"  # pragma: allowlist secret
USERS = {
    "steward": {"email": STEWARD.title()},
    "manager": {"email": "manager@example.cn"},
    "pretender": {"email": STEWARD, "email_verified": False},
}


# The provider's own, of the library it is written with.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of the provider, with `USERS`."""
    from oidc_provider_mock import User, app

    provider = app(user_claims=[User(sub=name, claims=claims) for name, claims in USERS.items()])

    @provider.after_request
    def undressed(answer: Any) -> Any:
        """Its page without the style sheet, which is on another host."""
        if answer.mimetype == "text/html":
            answer.set_data(re.sub("<link[^>]*>", "", answer.get_data(as_text=True)))
        return answer

    server = make_server("127.0.0.1", 0, provider, threaded=True)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()


@pytest.fixture
def guarded(
    provider: str,
    network: Database,
    settings: Settings,
    serve: Callable[..., str],
    tmp_path: Path,
) -> str:
    """The app with sign-in: its URL."""
    port = find_own_port()
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret of the test's own, long enough"
client_id = "shicheng"
client_secret = "a secret"  # pragma: allowlist secret
server_metadata_url = "{provider}/.well-known/openid-configuration"
""",
        "utf-8",
    )
    return serve(
        ROOT / "app.py",
        env={"SHICHENG_HOME": str(settings.home), "SHICHENG_STEWARDS": STEWARD},
        options=(f"--secrets.files={secrets}",),
        port=port,
    )


@pytest.fixture
def accounts(settings: Settings) -> Iterator[None]:
    """Local accounts in the data folder, for one test alone."""
    add_account(settings.home, "admin", "admin", PASSWORD)
    add_account(settings.home, "steward", "steward", PASSWORD)
    yield
    shutil.rmtree(settings.home / ACCOUNTS_FOLDER)


def state_purpose(page: Any) -> None:
    """Until then a steward sees what everybody sees."""
    masked = at_rest(page).locator("[data-testid=stMain]").inner_text()
    assert re.search(r"born \d{3}·", masked)
    purposes = page.get_by_label("Purpose of reading personal data")
    purposes.scroll_into_view_if_needed()  # a list closes when what it stands in is scrolled
    purposes.click()
    page.get_by_role("option", name="an inspection").click()
    page.get_by_text(re.compile(r"born \d{4}")).first.wait_for(timeout=WAIT)


def test_a_local_account_signs_in_sees_the_address_asked_for_and_signs_out(
    accounts: None,
    network: Database,
    settings: Settings,
    serve: Callable[..., str],
    open_page: Callable[..., Any],
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    server = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    for user, seen in (("steward", r"born \d{4}"), ("admin", r"born \d{3}·")):
        page = open_page(f"{server}/talent?lang=en&id={talent}", locale="en-GB")
        page.get_by_role("link", name="Sign in with an account").click(timeout=WAIT)
        for password in ("wrong password", PASSWORD):
            page.get_by_label("Account").fill(user)
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Sign in").click()
            if password != PASSWORD:
                page.get_by_text("do not fit").wait_for(timeout=WAIT)
        page.locator(".sc-figures").wait_for(timeout=WAIT)
        assert f"id={talent}" in page.url
        if user == "steward":
            state_purpose(page)
        assert re.search(seen, at_rest(page).locator("[data-testid=stMain]").inner_text()), user
        page.get_by_role("link", name="Account").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in with an account").wait_for(timeout=WAIT)


def test_who_signs_in_sees_the_address_asked_for_masked_by_role(
    guarded: str,
    open_page: Callable[..., Any],
    network: Database,
    settings: Settings,
) -> None:
    talent = most_driven(network, settings)["talent_id"]
    year = network.read(
        "MATCH (p:Person {person_id: $id}) RETURN p.birth_date.year AS year", {"id": talent}
    )[0]["year"]
    decade = f"{year // 10}·"
    for user, shown in (("steward", str(year)), ("manager", decade), ("pretender", decade)):
        page = open_page(f"{guarded}/talent?lang=en&id={talent}", locale="en-GB")
        page.get_by_role("button", name="Sign in").wait_for(timeout=WAIT)
        at_rest(page)
        assert page.locator(".sc-figures, .sc-brand").count() == 0  # nothing before that
        page.get_by_role("button", name="Sign in").click()
        page.locator("input[name=sub]").first.fill(user)
        page.locator("[type=submit]").first.click()
        page.locator(".sc-figures").wait_for(timeout=WAIT)
        assert f"id={talent}" in page.url
        if user == "steward":
            state_purpose(page)
        main = at_rest(page).locator("[data-testid=stMain]").inner_text()
        assert re.findall(r"born (\d{3}[\d·])", main)[0] == shown, user

"""Who visits, and what of people's data a visitor sees.

Without sign-in (an app on one's own machine) everyone is `local` with the role of the settings.
With sign-in (`[auth]` in Streamlit's secrets: OpenID Connect) a visitor is the address that the
provider confirmed, and a data steward when the settings name it. A manager sees people's names and
careers; certificate numbers and years of birth are masked. ID numbers never leave the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from graph.settings import Role, Settings

LOCAL = "local"


@dataclass(frozen=True)
class Visitor:
    """Who visits: `id` owns what is saved; `role` decides what is masked."""

    id: str
    role: Role

    @property
    def sees_personal_data(self) -> bool:
        """Whether years of birth and certificate numbers are shown whole."""
        return self.role == "steward"


def sign_in_is_on() -> bool:
    """Whether the app asks who one is."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def visitor() -> Visitor:
    """The visitor of this run; before signing in, a manager without a name."""
    settings = Settings()
    if not sign_in_is_on():
        return Visitor(LOCAL, settings.role)
    address = str(st.user.get("email") or "").strip().lower() if st.user.is_logged_in else ""
    stewards = {name.strip().lower() for name in settings.stewards.split(",") if name.strip()}
    return Visitor(address, "steward" if address in stewards else "manager")


def must_sign_in() -> bool:
    """Whether this visitor has still to sign in."""
    return sign_in_is_on() and not st.user.is_logged_in


def certificate(number: str | None, visitor: Visitor) -> str:
    """A certificate number as the visitor may see it: its last four signs, or whole."""
    if not number or visitor.sees_personal_data:
        return number or ""
    return "····" + number[-4:] if len(number) > 6 else "····"


def born(year: int | None, visitor: Visitor) -> str:
    """A year of birth as the visitor may see it: the decade ("197·"), or whole."""
    if year is None:
        return ""
    return str(year) if visitor.sees_personal_data else f"{year // 10}·"

from __future__ import annotations

from typing import Any

import pytest

from components.visitor import born, certificate, signed_in

STEWARDS = " Steward@Example.cn , other@example.cn,"


@pytest.mark.parametrize(
    ("claims", "id", "role"),
    [
        ({"email": "steward@example.cn"}, "steward@example.cn", "steward"),
        ({"email": "STEWARD@example.cn ", "email_verified": True}, "steward@example.cn", "steward"),
        ({"email": "m@example.cn"}, "m@example.cn", "manager"),
        ({"email": "steward@example.cn", "email_verified": False}, "https://p 7", "manager"),
        ({"email": "steward@example.cn", "email_verified": "false"}, "https://p 7", "manager"),
        ({"email": ""}, "https://p 7", "manager"),
        ({}, "https://p 7", "manager"),
    ],
)
def test_a_visitor_is_the_address_the_provider_vouches_for(
    claims: dict[str, Any], id: str, role: str
) -> None:
    found = signed_in({"iss": "https://p", "sub": "7", **claims}, STEWARDS)
    assert (found.id, found.role) == (id, role)


def test_a_manager_sees_personal_data_masked() -> None:
    manager = signed_in({"sub": "7"}, STEWARDS)
    steward = signed_in({"email": "other@example.cn"}, STEWARDS)
    assert (born(1964, manager), born(1964, steward)) == ("196·", "1964")
    assert certificate("S0000012345", manager) == "····2345"
    assert certificate("S0000012345", steward) == "S0000012345"

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ui.shell.visitor import (
    mask_birth_year,
    mask_certificate_number,
    mask_retirement_day,
    parse_visitor_claims,
)

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
    found = parse_visitor_claims({"iss": "https://p", "sub": "7", **claims}, STEWARDS)
    assert (found.id, found.role) == (id, role)


def test_a_manager_sees_personal_data_masked() -> None:
    manager = parse_visitor_claims({"sub": "7"}, STEWARDS)
    steward = parse_visitor_claims({"email": "other@example.cn"}, STEWARDS)
    assert (mask_birth_year(1964, manager), mask_birth_year(1964, steward)) == ("196·", "1964")
    assert mask_certificate_number("S0000012345", manager) == "····2345"
    assert mask_retirement_day(date(2021, 2, 3), manager) == "2021"
    assert mask_retirement_day(date(2021, 2, 3), steward) == "2021-02-03"
    assert mask_retirement_day(None, manager) == ""
    assert mask_certificate_number("S0000012345", steward) == "S0000012345"

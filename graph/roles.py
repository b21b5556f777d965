"""Who may do what: the roles, and what each of them may.

A role is given to an account (`graph.accounts`), to an address that signs in elsewhere, or, for an
app without sign-in on one's own machine, by `SHICHENG_ROLE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

Role = Literal["viewer", "manager", "clerk", "analyst", "steward", "admin"]
Permission = Literal["audit", "cypher", "load", "people", "personal_data", "review"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
ROLE_LABELS: Final[Mapping[Role, tuple[str, str]]] = {
    "viewer": ("viewer", "查看人员"),
    "manager": ("programme manager", "项目管理人员"),
    "clerk": ("data clerk", "数据录入人员"),
    "analyst": ("analyst", "分析人员"),
    "steward": ("data steward", "数据管理员"),
    "admin": ("administrator", "系统管理员"),
}
# National figures are open to every role. What is more:
# audit: the audit log; cypher: statements of one's own; load: bringing files in;
# people: who somebody is, and named queries; whom, an account's scope says
# (`graph.accounts.scope`);
# personal_data: years of birth and whole certificate numbers; review: which records are one.
ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    "viewer": frozenset(),
    "manager": frozenset({"people"}),
    "clerk": frozenset({"load", "people"}),
    "analyst": frozenset({"cypher", "people"}),
    "steward": frozenset({"audit", "cypher", "load", "people", "personal_data", "review"}),
    "admin": frozenset({"audit", "people"}),
}


def has_permission(role: Role, permission: Permission) -> bool:
    """Whether the role may."""
    return permission in ROLE_PERMISSIONS[role]

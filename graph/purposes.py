"""For what a data steward reads personal data: stated before it opens, logged with each opening.

The list is fixed, so that a line of the audit log holds a code and nobody's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from graph.roles import Role, has_permission

StatedPurpose = Literal["check", "identity", "correction", "retirement", "request", "inspection"]
Purpose = StatedPurpose | Literal[""]
PURPOSES: Final[tuple[StatedPurpose, ...]] = get_args(StatedPurpose)
PURPOSE_LABELS: Final[Mapping[StatedPurpose, tuple[str, str]]] = {
    "check": ("checking a record or a certificate", "核对记录或证书"),
    "identity": ("telling whether records are one person", "判定是否同一人"),
    "correction": ("correcting what is loaded", "更正已导入的数据"),
    "retirement": ("planning for retirements", "退休与接续安排"),
    "request": ("a request of the person concerned", "本人提出的请求"),
    "inspection": ("an inspection", "监督检查"),
}


def opens_personal_data(role: Role, purpose: str) -> bool:
    """Whether years of birth, days and whole numbers open: to a steward who said what for."""
    return has_permission(role, "personal_data") and purpose in PURPOSES

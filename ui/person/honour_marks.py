"""The marks of honours: one letter in English, one sign in Chinese."""

from __future__ import annotations

from collections.abc import Collection

# The mark of the highest honour a box shows: Chinese, English letter.
HONOUR_MARKS: dict[str, tuple[str, str]] = {
    "china_skills_award": ("G", "奖"),
    "national_model_worker": ("M", "劳"),
    "national_may_day_medal": ("L", "章"),
    "national_technical_expert": ("T", "能"),
    "government_allowance": ("A", "贴"),
    "provincial_commendation": ("P", "省"),
    "provincial_shortage_recognition": ("P", "省"),
}


def find_highest_honour_mark(honours: Collection[str]) -> tuple[str, str] | None:
    """The (English, Chinese) mark of the highest of these honours."""
    return next((mark for code, mark in HONOUR_MARKS.items() if code in honours), None)

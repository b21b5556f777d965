"""Which people an account may see: everybody, those of some provinces and industries, or nobody.

A person belongs to the province that the person's own record states, and to the industry of the
enterprise that it names. Nothing stated belongs to no scope. Several provinces widen a scope, and
so do several industries; provinces and industries together narrow it: both must fit.
`graph.people.covered_people` says who is in a scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from graph.errors import UsageError
from graph.model.vocabularies import PROVINCES

MAX_INDUSTRY_CHARACTERS: Final = 60


@dataclass(frozen=True)
class Scope:
    """Codes of provinces and names of industries, none for no limit; `nobody` covers no one."""

    provinces: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    nobody: bool = False

    @property
    def everybody(self) -> bool:
        """Whether it limits nothing."""
        return not (self.nobody or self.provinces or self.industries)


EVERYBODY: Final = Scope()
NOBODY: Final = Scope(nobody=True)


def parse_scope(provinces: Iterable[str] = (), industries: Iterable[str] = ()) -> Scope:
    """The scope of these provinces and industries, each once and in order.

    Raises `UsageError` for what is no province, and for an industry without a name.

    >>> parse_scope(["320000", "北京", "32"])
    Scope(provinces=('11', '32'), industries=(), nobody=False)
    """
    codes = {_parse_province(text) for text in provinces}
    names = {text.strip() for text in industries}
    if any(not 0 < len(name) <= MAX_INDUSTRY_CHARACTERS for name in names):
        raise UsageError(
            "An industry of a scope has 1 to {most} characters; write it as the enterprises state "
            "it.",
            most=MAX_INDUSTRY_CHARACTERS,
        )
    return Scope(tuple(sorted(codes)), tuple(sorted(names)))


def _parse_province(text: str) -> str:
    """The code of two digits: of itself, of the six digits of a province, or of its name."""
    given = text.strip()
    code = given[:2] if len(given) == 6 and given.endswith("0000") else given
    if code in PROVINCES:
        return code
    for known, names in PROVINCES.items():
        if given.casefold() in map(str.casefold, names):
            return known
    raise UsageError(
        "{text!r} is no province: give its code, as 32 or 320000, or its name.", text=given[:40]
    )

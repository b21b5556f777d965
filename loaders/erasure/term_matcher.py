"""Finds what names people in text: ids, certificate numbers and names."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Final

from graph.store.erasure import ERASED_MASK
from loaders.erasure.erasure_order import PersonTerms

# Shorter ids of digits alone are counts and row numbers as well: only a full value is one then.
_MIN_LOOSE_ID_CHARACTERS: Final = 5


class TermMatcher:
    """Finds and masks what names people in text."""

    def __init__(self, terms: PersonTerms) -> None:
        self.terms = terms

    @cached_property
    def loose(self) -> tuple[str, ...]:
        """What is looked for in the middle of a text, the longest first."""
        ids = (one for one in (*self.terms.ids, *self.terms.certificates) if is_loose_id(one))
        return tuple(sorted({*ids, *self.terms.names}, key=len, reverse=True))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Ids and certificates with no letter or digit beside them, and names."""
        # Chinese stands beside an id without a blank: only ASCII goes on with one.
        apart = r"(?<![A-Za-z0-9_-]){}(?![A-Za-z0-9_-])"
        names = set(self.terms.names)
        every = (
            re.escape(one) if one in names else apart.format(re.escape(one)) for one in self.loose
        )
        return re.compile("|".join(every))

    def mask(self, text: str) -> str:
        """The text with `***` in place of what names the people."""
        if text in self.terms.ids:
            return ERASED_MASK
        # Few texts hold one, and a search for each term is quicker than the pattern of all.
        if not any(one in text for one in self.loose):
            return text
        return self._pattern.sub(ERASED_MASK, text)

    def is_in(self, text: str) -> bool:
        """Whether the text names them."""
        return self.mask(text) != text

    def mask_values(self, value: Any) -> Any:
        """A JSON value with all of its texts masked."""
        match value:
            case str():
                return self.mask(value)
            case list():
                return [self.mask_values(one) for one in value]
            case dict():
                return {name: self.mask_values(one) for name, one in value.items()}
            case _:
                return value


def is_loose_id(id: str) -> bool:
    """Whether an id in the middle of a text is surely one, and no count or row number."""
    return len(id) >= _MIN_LOOSE_ID_CHARACTERS or not id.isdigit()

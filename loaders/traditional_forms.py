"""Traditional Chinese characters as simplified ones: for headers and the words around a table.

What people and organisations are called is never changed here.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC


@lru_cache(maxsize=16_384)
def simplify_characters(text: str) -> str:
    """The text in simplified characters: 證書編號 is 证书编号; other text as it is.

    >>> simplify_characters("師傅姓名"), simplify_characters("mentor")
    ('师傅姓名', 'mentor')
    """
    return text if text.isascii() else _load_converter().convert(text)


@cache
def _load_converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")

"""Width of text in pixels."""

from __future__ import annotations

import unicodedata


def estimate_text_width(text: str, size: float = 13.0) -> float:
    """About how wide a text is, px: full-width characters one em, the others 0.58."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return size * (wide + 0.58 * (len(text) - wide))

"""The style sheet of every page: `style.css`, with the colours of the visit's mode."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from components.theme import MODES, Mode, css_variables

STYLE = Path(__file__).with_name("style.css")


@lru_cache(maxsize=len(MODES))
def style_sheet(mode: Mode) -> str:
    """One `<style>` element."""
    return (
        f"<style>:root {{ {css_variables(MODES[mode])} color-scheme: {mode}; }}\n"
        f"{STYLE.read_text(encoding='utf-8')}\n{_level_classes(mode)}</style>"
    )


def _level_classes(mode: Mode) -> str:
    """`.lv4 { background: ...; color: ... }`; levels 7 and 8 get a light outline on dark."""
    tokens = MODES[mode]
    rules = [
        f".lv{n} {{ background: {tokens.level(n)}; color: {tokens.on_level(n)}; }}"
        for n in range(1, 9)
    ]
    if tokens.ladder_outline:
        rules.append(f".lv7, .lv8 {{ box-shadow: 0 0 0 1px {tokens.ladder_outline}; }}")
    return "\n".join(rules)

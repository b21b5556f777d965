"""The style sheet of every page: `style.css`, with the colours of the visit's mode."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ui.shell.measures import render_dash_variables
from ui.shell.theme import TOKENS_BY_MODE, ColourMode, render_css_variables

STYLE_SHEET_PATH = Path(__file__).with_name("style.css")


@lru_cache(maxsize=len(TOKENS_BY_MODE))
def render_style_sheet(mode: ColourMode) -> str:
    """One `<style>` element."""
    return (
        f"<style>:root {{ {render_css_variables(TOKENS_BY_MODE[mode])} {render_dash_variables()} "
        f"color-scheme: {mode}; }}\n"
        f"{STYLE_SHEET_PATH.read_text(encoding='utf-8')}\n{_render_level_classes(mode)}</style>"
    )


def _render_level_classes(mode: ColourMode) -> str:
    """`.lv4 { background: ...; color: ... }`; levels 7 and 8 get a light outline on dark."""
    tokens = TOKENS_BY_MODE[mode]
    rules = [
        f".lv{n} {{ background: {tokens.level(n)}; color: {tokens.on_level(n)}; }}"
        for n in range(1, 9)
    ]
    if tokens.ladder_outline:
        rules.append(f".lv7, .lv8 {{ box-shadow: 0 0 0 1px {tokens.ladder_outline}; }}")
    return "\n".join(rules)

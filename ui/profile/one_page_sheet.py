"""A profile as one HTML file: no script, nothing from outside, one A4 sheet across when printed.

It says what the page says to this visitor (masked as the page is), under which policy, at which
revision of the graph, and on which day it was written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from html import escape

from graph.messages import Language
from graph.store.standing import UnfinishedLoad, build_load_message
from graph.tabular import About
from ui.shell.style import render_style_sheet
from ui.shell.theme import TEXT_FONT
from ui.words.i18n import translate

SHEET_CSS = """
body { margin: 0 auto; padding: 24px; max-width: 1144px; background: #FFFFFF; color: var(--ink);
  font: 13px/1.6 FONT; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: 360px 1fr 320px; gap: 24px; margin-top: 12px; }
.columns > * { min-width: 0; } a { color: inherit; text-decoration: none; }
footer { color: var(--muted); margin-top: 16px; font-size: 12px; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 8px 0 4px; }
@media print { body { padding: 0; zoom: 0.58; } }
"""


def render_profile_sheet(
    title: str,
    about: About,
    language: Language,
    head: Sequence[str],
    columns: Sequence[Sequence[tuple[str, str]]],
) -> bytes:
    """The file. `head` is HTML from the top; `columns` hold (plain title, HTML) from left to right.

    `title` is plain text.
    """
    body = "".join(
        "<div>" + "".join(f"<h2>{escape(name)}</h2>{text}" for name, text in column) + "</div>"
        for column in columns
    )
    rules = json.dumps(about.as_dict(), ensure_ascii=False)
    foot = translate(
        language,
        "Written on {day} from revision {n}, under this policy: {rules}",
        day=date.today(),
        n=about.revision,
        rules=rules,
    )
    if about.data is not None:
        foot += " " + build_load_message(UnfinishedLoad(**about.data["load"])).said(language)
    lang = "zh-CN" if language == "zh" else "en"
    page = (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>{render_style_sheet('light')}"
        f"<style>{SHEET_CSS.replace('FONT', TEXT_FONT)}</style></head><body>{''.join(head)}"
        f'<div class="columns">{body}</div><footer>{escape(foot)}</footer></body></html>'
    )
    return page.encode("utf-8")

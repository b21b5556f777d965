"""A lineage view as a page of its own: the drawing, to move and enlarge, and no request.

The page holds the SVG of `ui.lineage.drawing`: heads, "+N", levels, honours and groups as on the
screen. It opens from a disk; a policy in it keeps the browser from asking anybody for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ui.browser.bundle import bundle_script
from ui.export.network_files import NO_REQUESTS_POLICY_TAG
from ui.lineage.drawing import render_view_svg
from ui.shell import theme
from ui.words.lineage import LINEAGE_WORDS

if TYPE_CHECKING:
    from ui.lineage.widget import LineageView

PAGE_SCRIPT_PATH = Path(__file__).with_name("js") / "page.js"
PAGE_STYLE_PATH = PAGE_SCRIPT_PATH.with_suffix(".css")


def render_view_page(
    view: LineageView,
    *,
    title: str,
    notes: Sequence[str] = (),
    about: Mapping[str, object] | None = None,
    mode: theme.ColourMode = "light",
) -> str:
    """The page as HTML; `title` in words, `notes` under it, `about` in the drawing's metadata."""
    words = LINEAGE_WORDS[view.language]
    lang = "zh-CN" if view.language == "zh" else "en"
    drawing = render_view_svg(view, title=title, notes=notes, about=about, mode=mode, headed=False)
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    buttons = "".join(
        f'<button type="button" data-act="{act}" aria-label="{escape(word)}">'
        f"{escape(sign)}</button>"
        for act, word, sign in (
            ("out", words["zoom_out"], "\N{MINUS SIGN}"),
            ("fit", words["fit"], words["fit"]),
            ("in", words["zoom_in"], "+"),
        )
    )
    style = theme.render_css_variables(theme.TOKENS_BY_MODE[mode])
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">{NO_REQUESTS_POLICY_TAG}'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>:root {{ {style} "
        f"}}\n{PAGE_STYLE_PATH.read_text('utf-8')}</style>"
        f"</head><body><header><h1>{escape(title)}</h1>{said}</header>"
        f'<main tabindex="0" aria-label="{escape(title)}">{drawing}</main>'
        f'<nav>{buttons}</nav><script type="module">{bundle_script(PAGE_SCRIPT_PATH)}</script>'
        "</body></html>\n"
    )

"""The template folder: the Word file and the style sheet that a department can restyle."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from graph.report.web import BUILT_IN_STYLE_PATH, STYLE_NAME
from graph.report.word_template import WORD_TEMPLATE_NAME, render_word_template
from graph.settings import Settings

TEMPLATE_FOLDER_NAME: Final = "templates"


def locate_report_templates(settings: Settings) -> Path:
    """The folder in the data folder whose templates are used where no other is named."""
    return settings.home / TEMPLATE_FOLDER_NAME


def build_report_templates() -> dict[str, bytes]:
    """The built-in templates by file name."""
    style = BUILT_IN_STYLE_PATH.read_bytes()
    return {WORD_TEMPLATE_NAME: render_word_template(), STYLE_NAME: style}

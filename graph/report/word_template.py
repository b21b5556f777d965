"""The Word template of a report: page, styles and fonts, which a department can change.

`report.docx` in a template folder takes the place of the built-in one. It may hold anything in its
styles and its page set-up; the report fills in the text. `STYLE_NAMES` must be there.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Final

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from graph.errors import UsageError

WORD_TEMPLATE_NAME: Final = "report.docx"
SONG, HEI, FANG_SONG = "宋体", "黑体", "仿宋"
LATIN_TEXT, LATIN_HEAD = "Times New Roman", "Arial"
INK: Final = RGBColor(0x1B, 0x25, 0x30)
# Style -> Chinese font, Latin font, size in points, bold, space before and after in points.
TEXT_STYLES: Final[dict[str, tuple[str, str, float, bool, float, float]]] = {
    "Normal": (SONG, LATIN_TEXT, 11, False, 0, 6),
    "Title": (HEI, LATIN_HEAD, 28, True, 160, 12),
    "Subtitle": (HEI, LATIN_HEAD, 18, False, 0, 60),
    "Heading 1": (HEI, LATIN_HEAD, 16, True, 0, 10),
    "Heading 2": (HEI, LATIN_HEAD, 12, True, 12, 4),
    "Report Contents": (HEI, LATIN_HEAD, 16, True, 0, 12),
    "TOC 1": (SONG, LATIN_TEXT, 12, False, 0, 6),
    "Report Lead": (HEI, LATIN_TEXT, 12, False, 0, 8),
    "Report Note": (FANG_SONG, LATIN_TEXT, 9, False, 2, 8),
    "Report Unit": (FANG_SONG, LATIN_TEXT, 9, False, 0, 2),
    "Report Cell": (SONG, LATIN_TEXT, 9, False, 1, 1),
    "Report Head": (HEI, LATIN_HEAD, 9, True, 2, 2),
    "Header": (FANG_SONG, LATIN_TEXT, 8, False, 0, 0),
    "Footer": (FANG_SONG, LATIN_TEXT, 8, False, 0, 0),
}
TABLE_STYLE: Final = "Table Grid"
STYLE_NAMES: Final = (*TEXT_STYLES, TABLE_STYLE)
A4_WIDTH, A4_HEIGHT = Mm(210), Mm(297)
SIDE_MARGIN, TOP_MARGIN = Mm(25), Mm(28)


def build_word_template() -> Any:
    """The built-in template, empty: A4, Chinese fonts by name, all styles."""
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = A4_WIDTH, A4_HEIGHT
    page.left_margin = page.right_margin = SIDE_MARGIN
    page.top_margin = page.bottom_margin = TOP_MARGIN
    for name, (chinese, latin, size, bold, before, after) in TEXT_STYLES.items():
        style = _find_or_add_style(document, name)
        _set_fonts(style, chinese, latin)
        style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
        style.font.color.rgb = INK
        style.paragraph_format.space_before = Pt(before)
        style.paragraph_format.space_after = Pt(after)
    for name in ("Title", "Subtitle"):
        document.styles[name].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _remove_title_line(document)
    document.styles["Heading 1"].paragraph_format.page_break_before = True
    document.styles["Heading 2"].paragraph_format.keep_with_next = True
    document.styles["Report Unit"].paragraph_format.keep_with_next = True
    return document


def _find_or_add_style(document: Any, name: str) -> Any:
    if name in document.styles:
        return document.styles[name]
    style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    return style


def _set_fonts(style: Any, chinese: str, latin: str) -> None:
    """The fonts by name, in place of those of the theme."""
    style.font.name = latin
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), chinese)


def _remove_title_line(document: Any) -> None:
    properties = document.styles["Title"].element.get_or_add_pPr()
    for line in properties.findall(qn("w:pBdr")):
        properties.remove(line)


def render_word_template() -> bytes:
    """The built-in template as a file."""
    made = BytesIO()
    build_word_template().save(made)
    return made.getvalue()


def open_word_template(folder: Path | None) -> Any:
    """The template of the folder, or the built-in one where there is none.

    Raises `UsageError` where it is no Word file, or has not the styles.
    """
    file = None if folder is None else folder / WORD_TEMPLATE_NAME
    if file is None or not file.exists():
        return build_word_template()
    try:
        document = Document(str(file))
    except (PackageNotFoundError, ValueError, KeyError, OSError):
        raise UsageError(
            "{file} is no Word file (.docx); write the built-in one anew with `shicheng "
            "report-templates`, and change that",
            file=file,
        ) from None
    missing = [name for name in STYLE_NAMES if name not in document.styles]
    if missing:
        raise UsageError(
            "{file} lacks the styles {missing}; add them in Word, or start from `shicheng "
            "report-templates`",
            file=file,
            missing=missing,
        )
    return document

"""A report as a Word file (.docx): A4, cover, contents, styles, native charts.

The contents field holds its entries already, as links to the numbered sections, so that the file
opens right without updating fields. They have no page numbers: these are known only to who lays
out the pages. The file is the same, byte for byte, whenever it is made of the same report and
template.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Emu, Mm

from graph.report.document import (
    MonthlyReport,
    ReportBlock,
    ReportChart,
    ReportParagraph,
    ReportSection,
    ReportTable,
)
from graph.report.word_charts import build_word_chart
from graph.report.word_template import TABLE_STYLE, open_word_template

PARAGRAPH_STYLES: Final = {"lead": "Report Lead", "body": "Normal", "note": "Report Note"}
HEAD_FILL: Final = "ECEAE2"
CHART_WIDTH, CHART_HEIGHT = Mm(158), Mm(78)
COLUMN_MARGIN_LETTERS, MAX_COLUMN_LETTERS = 4, 44
# \n: entries without page numbers, which only a layout could tell.
CONTENTS_CODE: Final = r'TOC \o "1-1" \n \h \z \u'
# The day of every part of the zip file: the least that zip can say.
ZIP_DAY: Final = (1980, 1, 1, 0, 0, 0)
DRAWING_XML: Final = (
    "<w:drawing {namespaces}><wp:inline distT='0' distB='0' distL='0' distR='0'>"
    "<wp:extent cx='{width}' cy='{height}'/><wp:docPr id='{id}' name='chart {id}'/>"
    "<wp:cNvGraphicFramePr/><a:graphic><a:graphicData "
    "uri='http://schemas.openxmlformats.org/drawingml/2006/chart'>"
    "<c:chart xmlns:c='http://schemas.openxmlformats.org/drawingml/2006/chart' r:id='{relation}'/>"
    "</a:graphicData></a:graphic></wp:inline></w:drawing>"
)


def render_word_report(report: MonthlyReport, templates: Path | None = None) -> bytes:
    """The file. `templates`: a folder that may hold a template of the department's own.

    Raises `UsageError` for a template that cannot be used.
    """
    document = open_word_template(templates)
    _set_properties(document, report)
    _write_cover(document, report)
    _write_contents(document, report)
    charts = 0
    for number, section in enumerate(report.sections, 1):
        charts = _write_section(document, section, number, charts)
    _write_page_heads(document, report)
    made = BytesIO()
    document.save(made)
    return _fix_zip_days(made.getvalue())


def _set_properties(document: Any, report: MonthlyReport) -> None:
    day = datetime.fromisoformat(report.month_end)
    properties = document.core_properties
    properties.title = f"{report.title} {report.subtitle}"
    properties.subject, properties.comments = report.basis, ""
    properties.author = properties.last_modified_by = "Shicheng"
    properties.language = "zh-CN" if report.language == "zh" else "en-GB"
    properties.created = properties.modified = day
    properties.revision = 1


def _fix_zip_days(content: bytes) -> bytes:
    """The same file with one day for all its parts."""
    made = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(made, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = ZipInfo(name, ZIP_DAY)
            entry.compress_type = ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return made.getvalue()


# --- cover, contents, heads and feet ----------------------------------------------------------


def _write_cover(document: Any, report: MonthlyReport) -> None:
    document.add_paragraph(report.title, "Title")
    document.add_paragraph(report.subtitle, "Subtitle")
    table = document.add_table(0, 2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for name, value in report.facts:
        cells = table.add_row().cells
        for cell, text, style in zip(cells, (name, value), ("Report Head", "Normal"), strict=True):
            cell.paragraphs[0].text = text
            cell.paragraphs[0].style = document.styles[style]
    _set_widths(table, (Mm(45), Mm(100)))


def _write_contents(document: Any, report: MonthlyReport) -> None:
    head = document.add_paragraph(report.contents, "Report Contents")
    head.paragraph_format.page_break_before = True
    for number, section in enumerate(report.sections, 1):
        line = document.add_paragraph(style="TOC 1")
        if number == 1:
            _add_field_start(line, CONTENTS_CODE)
        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), _format_bookmark(number))
        link.set(qn("w:history"), "1")
        line._p.append(link)
        link.append(line.add_run(section.title)._r)
        if number == len(report.sections):
            _add_field_end(line)


def _format_bookmark(number: int) -> str:
    return f"_Toc{number:08d}"


def _write_page_heads(document: Any, report: MonthlyReport) -> None:
    """Title and basis above, page numbers below; nothing on the cover."""
    for page in document.sections:
        page.different_first_page_header_footer = True
        head, basis = _take_line(page.header), _take_line(page.footer)
        head.text, head.style = f"{report.title}  {report.subtitle}", document.styles["Header"]
        basis.text, basis.style = report.basis, document.styles["Footer"]
        line = page.footer.add_paragraph(style=document.styles["Footer"])
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _add_field(line, "PAGE", "1")
        line.add_run(" / ")
        _add_field(line, "NUMPAGES", "1")


def _take_line(part: Any) -> Any:
    """An empty line of a head or foot: what a template has there, as a letterhead, stays."""
    last = part.paragraphs[-1] if part.paragraphs else None
    empty = last is not None and not last.runs and not last.text
    return last if empty else part.add_paragraph()


def _add_field(line: Any, code: str, shown: str) -> None:
    """A field that shows `shown` until Word computes it."""
    _add_field_start(line, code)
    line.add_run(shown)
    _add_field_end(line)


def _add_field_start(line: Any, code: str) -> None:
    start, instruction, middle = (line.add_run() for _ in range(3))
    start._r.append(_build_field_mark("begin"))
    text = OxmlElement("w:instrText")
    text.set(qn("xml:space"), "preserve")
    text.text = f" {code} "
    instruction._r.append(text)
    middle._r.append(_build_field_mark("separate"))


def _add_field_end(line: Any) -> None:
    line.add_run()._r.append(_build_field_mark("end"))


def _build_field_mark(kind: str) -> Any:
    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    return mark


# --- sections ---------------------------------------------------------------------------------


def _write_section(document: Any, section: ReportSection, number: int, charts: int) -> int:
    """Writes a section; how many charts there are by then."""
    head = document.add_paragraph(style="Heading 1")
    for kind in ("bookmarkStart", "bookmarkEnd"):
        mark = OxmlElement(f"w:{kind}")
        mark.set(qn("w:id"), str(number))
        if kind == "bookmarkStart":
            mark.set(qn("w:name"), _format_bookmark(number))
        head._p.append(mark)
        if kind == "bookmarkStart":
            head.add_run(section.title)
    for block in section.blocks:
        charts += isinstance(block, ReportChart)
        _write_block(document, block, charts)
    return charts


def _write_block(document: Any, block: ReportBlock, charts: int) -> None:
    if isinstance(block, ReportParagraph):
        document.add_paragraph(block.text, PARAGRAPH_STYLES[block.style])
        return
    document.add_paragraph(block.title, "Heading 2")
    if block.unit:
        unit = document.add_paragraph(block.unit, "Report Unit")
        unit.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if isinstance(block, ReportTable):
        _write_table(document, block)
    else:
        _write_chart(document, block, charts)
    if block.note:
        document.add_paragraph(block.note, "Report Note")


def _write_table(document: Any, block: ReportTable) -> None:
    table = document.add_table(1, len(block.heads), TABLE_STYLE)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    page = document.sections[0]
    width = page.page_width - page.left_margin - page.right_margin
    head, body = (document.styles[name].style_id for name in ("Report Head", "Report Cell"))
    _fill_row(table.rows[0], block.heads, head, block.names)
    _mark_row(table.rows[0], "w:tblHeader")
    for cell in table.rows[0].cells:
        fill = f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{HEAD_FILL}"/>'
        cell._tc.get_or_add_tcPr().append(parse_xml(fill))
    for cells in block.rows:
        row = table.add_row()
        _fill_row(row, cells, body, block.names)
        _mark_row(row, "w:cantSplit")
    for cell in table.rows[-1].cells:  # the note stands on the page of the last row
        cell.paragraphs[0].paragraph_format.keep_with_next = True
    weights = _weigh_columns(block)
    _set_widths(table, tuple(Emu(int(width * weight / sum(weights))) for weight in weights))


def _weigh_columns(block: ReportTable) -> list[int]:
    """How wide each column's longest text is, in letters; a Chinese one is as wide as two."""
    return [
        min(
            max(sum(2 if "\u2e80" <= one <= "\uffef" else 1 for one in text) for text in column)
            + COLUMN_MARGIN_LETTERS,
            MAX_COLUMN_LETTERS,
        )
        for column in zip(block.heads, *block.rows, strict=True)
    ]


def _fill_row(row: Any, texts: tuple[str, ...], style_id: str, names: int) -> None:
    for place, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
        paragraph = cell.paragraphs[0]
        paragraph.text = text
        paragraph._p.style = style_id  # `paragraph.style` looks through all styles, for each cell
        if place >= names:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _mark_row(row: Any, name: str) -> None:
    """A row that stands again on the next page (tblHeader), or that no page breaks (cantSplit)."""
    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _set_widths(table: Any, widths: tuple[Any, ...]) -> None:
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    # Not `column.cells`: it reads the entire table for each cell.
    for row in table._tbl.tr_lst:
        for cell, width in zip(row.tc_lst, widths, strict=True):
            cell.width = width


# --- charts -----------------------------------------------------------------------------------


def _write_chart(document: Any, chart: ReportChart, number: int) -> None:
    xml, workbook = build_word_chart(chart)
    package = document.part.package
    book = Part(
        PackURI(f"/word/embeddings/chart{number}.xlsx"), CONTENT_TYPE.SML_SHEET, workbook, package
    )
    part = Part(PackURI(f"/word/charts/chart{number}.xml"), CONTENT_TYPE.DML_CHART, b"", package)
    relation = part.relate_to(book, RELATIONSHIP_TYPE.PACKAGE)
    part._blob = _link_workbook(xml, relation)
    drawing = DRAWING_XML.format(
        namespaces=nsdecls("w", "wp", "a", "r"),
        width=CHART_WIDTH,
        height=CHART_HEIGHT,
        id=number,
        relation=document.part.relate_to(part, RELATIONSHIP_TYPE.CHART),
    )
    line = document.add_paragraph()
    frame = parse_xml(drawing)
    frame.find(f".//{qn('wp:docPr')}").set("descr", f"{chart.title} ({chart.unit})")
    line.add_run()._r.append(frame)
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _link_workbook(xml: bytes, relation: str) -> bytes:
    """The chart's XML with its workbook, which stands before the set-up for printing."""
    link = f'<c:externalData r:id="{relation}"><c:autoUpdate val="0"/></c:externalData>'
    text = xml.decode("utf-8")
    # Without it LibreOffice draws what has no value as 0.
    if "<c:dispBlanksAs" not in text:
        visible = '<c:plotVisOnly val="1"/>'
        text = text.replace(visible, f'{visible}<c:dispBlanksAs val="gap"/>')
    place = text.find("<c:printSettings")
    place = text.find("</c:chartSpace>") if place < 0 else place
    return (text[:place] + link + text[place:]).encode("utf-8")

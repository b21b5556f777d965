"""The monthly report: its figures add up, and both writers set what the structure says."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import docx
import polars as pl
import pytest
from docx.oxml.ns import qn
from docx.shared import Pt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.driven.figures import measure_driven
from graph.errors import UsageError
from graph.messages import Message
from graph.policy import Policy
from graph.report import stored_report
from graph.report.document import (
    ChartBand,
    ChartSeries,
    MonthlyReport,
    ReportChart,
    ReportParagraph,
    ReportSection,
    ReportTable,
)
from graph.report.figures import accumulate_months
from graph.report.ledger_sections import write_changes, write_headline
from graph.report.month_change import (
    CHANGE_LEDGERS,
    choose_earlier_revision,
    compare_with_last_month,
    count_area_ledgers,
)
from graph.report.monthly import format_policy_in_short
from graph.report.request import ReportMonth, ReportRequest, ReportSources
from graph.report.svg_charts import render_svg_chart
from graph.report.templates import build_report_templates
from graph.report.web import render_html_report
from graph.report.word import render_word_report
from graph.report.word_template import WORD_TEMPLATE_NAME
from graph.report.wording import ReportWords
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import CachedSnapshot
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import EXAMPLES, random_world
from tests.unit.test_restatement import changed
from tests.unit.test_small_cells import make_figures

HOSTILE = '<script src="https://x/y.js">&'
FAN = ReportChart(
    "走势",
    "人次",
    "lines",
    ("2026-08", "2026-11", "2026-12"),
    (
        ChartSeries("已知", (3.0, 5.0, None)),
        ChartSeries("中位数", (None, 5.0, 7.0), "dashed"),
        ChartSeries("目标", (9.0, 9.0, 9.0), "target"),
    ),
    (
        ChartBand("95%区间", (3.0, 5.0, 5.5), (3.0, 5.0, 8.5)),
        ChartBand("80%区间", (3.0, 5.0, 6.0), (3.0, 5.0, 8.0)),
    ),
)
BARS = ReportChart("分省", "人次", "bars", ("江苏", "广东"), (ChartSeries("人次", (41.0, None)),))
TABLE = ReportTable(
    "分省情况", "人", ("省份", "人数"), (("江苏", "1,234"), (HOSTILE, "<3")), "说明"
)
REPORT = MonthlyReport(
    language="zh",
    title="月度报告",
    subtitle="全国 2026-11",
    month_end="2026-11-30",
    facts=(("月份", "2026-11"), ("口径", "3 代")),
    basis="统计口径 3 代；数据版本 2",
    contents="目录",
    sections=(
        ReportSection("1  概要", (ReportParagraph("带动 12 人", "lead"), TABLE, FAN)),
        ReportSection("2  说明", (BARS, ReportParagraph("注", "note"))),
    ),
)


def parts_of(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


# --- Word -------------------------------------------------------------------------------------


def test_the_word_file_has_cover_contents_headings_tables_and_heads_that_repeat() -> None:
    document = docx.Document(BytesIO(render_word_report(REPORT)))
    texts = {p.style.name: [] for p in document.paragraphs}
    for paragraph in document.paragraphs:
        texts[paragraph.style.name].append(paragraph.text)
    assert texts["Title"] == ["月度报告"] and texts["Subtitle"] == ["全国 2026-11"]
    assert texts["Heading 1"] == ["1  概要", "2  说明"]
    assert texts["TOC 1"] == ["1  概要", "2  说明"]  # filled in, without updating the field
    page = document.sections[0]
    assert [round(length.mm) for length in (page.page_width, page.page_height)] == [210, 297]
    assert "TOC" in document.element.xml and 'w:fldCharType="separate"' in document.element.xml
    table = document.tables[1]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["省份", "人数"],
        ["江苏", "1,234"],
        [HOSTILE, "<3"],
    ]
    repeated = [row._tr.find(f".//{qn('w:tblHeader')}") is not None for row in table.rows]
    assert repeated == [True, False, False]
    foot = "".join(p.text + p._p.xml for p in page.footer.paragraphs)
    assert "PAGE" in foot and "NUMPAGES" in foot and REPORT.basis in foot
    assert page.different_first_page_header_footer


def test_no_empty_paragraph_begins_a_page_of_its_own() -> None:
    """A chart without a note ends its section: an empty line after it would fill a page."""
    document = docx.Document(BytesIO(render_word_report(REPORT)))
    notes = [p.text for p in document.paragraphs if p.style and p.style.name == "Report Note"]
    assert notes == ["说明", "注"]


def test_the_contents_lead_to_the_headings() -> None:
    xml = parts_of(render_word_report(REPORT))["word/document.xml"].decode()
    anchors = re.findall(r'w:anchor="(\w+)"', xml)
    assert anchors == re.findall(r'<w:bookmarkStart w:id="\d+" w:name="(\w+)"', xml)
    assert len(anchors) == len(REPORT.sections)


def test_styles_name_chinese_fonts() -> None:
    styles = docx.Document(BytesIO(render_word_report(REPORT))).styles
    fonts = {
        name: styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))
        for name in ("Normal", "Heading 1", "Report Note", "Report Head")
    }
    assert fonts == {
        "Normal": "宋体",
        "Heading 1": "黑体",
        "Report Note": "仿宋",
        "Report Head": "黑体",
    }


def test_charts_are_native_with_their_figures_and_workbooks() -> None:
    parts = parts_of(render_word_report(REPORT))
    for content in (c for name, c in parts.items() if name.endswith((".xml", ".rels"))):
        ElementTree.fromstring(content)
    fan = parts["word/charts/chart1.xml"].decode()
    assert 'dispBlanksAs val="gap"' in fan and "externalData" in fan
    assert all(one.name in fan for one in (*FAN.series, *FAN.bands))
    bars = parts["word/charts/chart2.xml"].decode()
    assert "江苏" in bars and "<c:v>41</c:v>" in bars
    assert "word/embeddings/chart2.xlsx" in parts and "chart2.xlsx" in str(
        parts["word/charts/_rels/chart2.xml.rels"]
    )
    types = parts["[Content_Types].xml"].decode()
    assert "/word/charts/chart1.xml" in types and "drawingml.chart+xml" in types


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_word_report(REPORT) == render_word_report(REPORT)
    assert render_html_report(REPORT) == render_html_report(REPORT)


def test_a_department_restyles_both_files(tmp_path: Path) -> None:
    for name, content in build_report_templates().items():
        (tmp_path / name).write_bytes(content)
    own = docx.Document(str(tmp_path / WORD_TEMPLATE_NAME))
    own.styles["Heading 1"].font.size = Pt(30)
    own.sections[0].header.paragraphs[0].text = "某省人社厅"
    own.save(str(tmp_path / WORD_TEMPLATE_NAME))
    (tmp_path / "report.css").write_text(".monthly-report { color: teal }</style>")
    made = docx.Document(BytesIO(render_word_report(REPORT, tmp_path)))
    assert made.styles["Heading 1"].font.size == Pt(30)
    head = [p.text for p in made.sections[0].header.paragraphs]
    assert head == ["某省人社厅", "月度报告  全国 2026-11"]
    page = render_html_report(REPORT, tmp_path).decode()
    assert "color: teal" in page and page.count("</style>") == 1
    bare = docx.Document()
    bare.save(str(tmp_path / WORD_TEMPLATE_NAME))
    with pytest.raises(UsageError, match=r"lacks the styles.*Report Contents"):
        render_word_report(REPORT, tmp_path)
    (tmp_path / WORD_TEMPLATE_NAME).write_text("no Word file")
    with pytest.raises(UsageError, match="no Word file"):
        render_word_report(REPORT, tmp_path)


# --- HTML -------------------------------------------------------------------------------------


def test_the_html_page_asks_nobody_and_runs_nothing() -> None:
    page = render_html_report(REPORT).decode()
    assert "default-src 'none'" in page and "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("https://x/y.js", "")
    assert "&lt;script src=" in page and "@page" in page
    assert page.index("目录") < page.index('href="#section2"') < page.index('id="section2"')


@pytest.mark.parametrize("chart", [FAN, BARS])
def test_a_chart_in_html_is_text_and_shapes(chart: ReportChart) -> None:
    drawn = ElementTree.fromstring(render_svg_chart(chart))
    words = [node.text for node in drawn.iter("text")]
    assert set(chart.labels) <= set(words)
    assert drawn.get("aria-label") == f"{chart.title} ({chart.unit})"
    shapes = {"lines": "polygon", "bars": "rect"}
    assert len(list(drawn.iter(shapes[chart.kind]))) == (2 if chart.bands else 1)


# --- figures ----------------------------------------------------------------------------------


def test_months_add_up() -> None:
    rows = pl.DataFrame(
        {
            "day": [date(2026, 1, 31), date(2026, 3, 1), date(2026, 3, 2)],
            "first": [True, False, True],
        }
    )
    found = accumulate_months(rows, date(2026, 1, 1), date(2026, 3, 15))
    assert found.rows() == [
        (date(2026, 1, 31), 1, 1),
        (date(2026, 2, 28), 1, 1),
        (date(2026, 3, 15), 2, 3),
    ]


POLICY = Policy(date(2022, 9, 1), date(2023, 5, 31), as_of=date(2023, 5, 31))


@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_last_month_restated_and_the_month_add_up_to_this_month(first: int, second: int) -> None:
    """And what is counted up to a day is what the engine gives for a window that ends there."""
    world = random_world(first)
    before, after = snapshot_of(world), snapshot_of(changed(world, second))
    request = ReportRequest.of(ReportMonth.parse("2023-1"), POLICY)
    driven = measure_driven(after, request.policy)
    change = compare_with_last_month(
        ReportSources(after, (), before, "2023-01-02"), request, driven
    )
    cut = Policy(POLICY.window_start, date(2023, 1, 31), as_of=date(2023, 1, 31))
    now = measure_driven(after, cut).national
    assert change.now == {name: now[name] for name in CHANGE_LEDGERS}
    last = Policy(POLICY.window_start, date(2022, 12, 31), as_of=date(2022, 12, 31))
    assert change.reported == count_area_ledgers(before, measure_driven(before, last), None)
    for name in CHANGE_LEDGERS:
        parts = (change.reported[name], change.restated[name], change.added[name])
        assert sum(parts) == change.now[name]
        assert change.moved[name] == 0 and change.causes[name].sum() == change.restated[name]


def test_the_earlier_revision_is_the_first_after_last_month_closed() -> None:
    """October's report is written from what November's first load gave, not from October's."""
    days = {6: "12-05", 5: "11-20", 4: "11-05", 3: "10-05", 2: "08-05"}
    snapshots = [
        CachedSnapshot(n, f"2026-{day}T00:00:00+00:00", Path(str(n))) for n, day in days.items()
    ]
    month = ReportMonth.parse("2026-11")

    def chosen(*given: Any) -> int | None:
        found = choose_earlier_revision(*given)
        return None if found is None else found.revision

    assert chosen(snapshots, 6, month) == 4
    assert chosen(snapshots, 5, month) == 4
    assert chosen(snapshots, 4, month) == 3  # none since the month began: the newest before
    assert chosen(snapshots, 6, ReportMonth.parse("2026-12")) == 5
    assert chosen(snapshots[:2], 6, month) == 5
    assert chosen(snapshots[:1], 6, month) is None
    assert chosen(snapshots, 6, month, 2) == 2
    with pytest.raises(UsageError, match="kept before revision 6 are: 5"):
        choose_earlier_revision(snapshots[:2], 6, month, 9)


@pytest.mark.parametrize(
    ("made", "reported"),
    [("2022-12-31", False), ("2023-01-01", True), ("2023-01-31", True), ("2023-02-01", False)],
)
def test_only_a_revision_of_the_month_after_is_said_to_be_reported(
    made: str, reported: bool
) -> None:
    """Before, the month was not closed; a month later, its report had been written."""
    snapshot = snapshot_of(random_world(1))
    request = ReportRequest.of(ReportMonth.parse("2023-1"), POLICY)
    driven = measure_driven(snapshot, request.policy)
    sources = ReportSources(snapshot, (), snapshot, f"{made}T08:00:00+00:00")
    change = compare_with_last_month(sources, request, driven)
    figures = replace(make_figures(random.Random(1), same_day=True), change=change)
    for write in (write_headline, write_changes):
        text = str(write(figures, ReportWords("en")))
        assert ("as reported" in text) == reported


def test_a_month_is_read_and_must_lie_in_the_window() -> None:
    assert ReportMonth.parse("2024-2").last == date(2024, 2, 29)
    for wrong in ("2026-13", "November", "0000-1", "2026"):
        with pytest.raises(UsageError, match="--month has"):
            ReportMonth.parse(wrong)
    with pytest.raises(UsageError, match="outside the window"):
        ReportRequest.of(ReportMonth.parse("2027-01"), Policy())
    request = ReportRequest.of(ReportMonth.parse("2026-11"), Policy())
    assert request.policy.as_of == request.until == date(2026, 11, 30)


def test_the_first_month_has_no_month_before() -> None:
    world = random_world(1)
    request = ReportRequest.of(ReportMonth.parse("2022-9"), POLICY)
    snapshot = snapshot_of(world)
    with pytest.raises(UsageError, match="first month"):
        compare_with_last_month(
            ReportSources(snapshot, (), snapshot), request, measure_driven(snapshot, POLICY)
        )


def test_the_policy_is_told_alike_on_every_day() -> None:
    today, other = (Policy(as_of=day) for day in (date.today(), date(2020, 1, 1)))
    assert format_policy_in_short(today).en.endswith(f"as of {date.today()}")
    assert format_policy_in_short(other).en.count("as of") == 1
    assert isinstance(Message("No load ended in the month.").said("zh"), str)


def test_a_stored_report_is_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked out once for a revision, month, province, language and list of loads."""
    made: list[str] = []

    def build(figures: object, language: str, translate: object) -> MonthlyReport:
        made.append(language)
        return replace(REPORT, language=language)  # type: ignore[arg-type]

    monkeypatch.setattr(stored_report, "collect_report_figures", lambda *_: None)
    monkeypatch.setattr(stored_report, "build_monthly_report", build)
    sources = ReportSources(Snapshot(1, tmp_path, {}), [])
    request = ReportRequest.of(ReportMonth.parse("2026-11"), Policy())
    loaded = replace(sources, loads=[{"load_id": "b", "revision": 2}])
    for _ in range(2):
        assert stored_report.load_monthly_report(sources, request, "zh") == REPORT
    others = (
        (sources, request, "en"),
        (sources, replace(request, province="32"), "zh"),
        (loaded, request, "zh"),
    )
    for one in others:
        assert not stored_report.has_monthly_report(*one)  # type: ignore[arg-type]
        stored_report.load_monthly_report(*one)  # type: ignore[arg-type]
        assert stored_report.has_monthly_report(*one)  # type: ignore[arg-type]
    assert made == ["zh", "en", "zh", "zh"]

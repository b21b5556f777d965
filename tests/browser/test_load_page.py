"""A clerk, in Chinese: three departments' workbooks, to a chain and a refused row's reason."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from graph.server.database import Database
from graph.settings import Settings
from tests.browser.seeing import ROOT, WAIT, at_rest, lineage_ready, people, picture

MAX_CLICKS = 12
PHONE = {"width": 390, "height": 844}
TEACHER, WORKER, LOST = "329999196201011015", "329999199805050073", "329999199706060053"


def check_digit(number: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(d) for w, d in zip(weights, number, strict=False))
    return number[:17] + "10X98765432"[total % 11]


def workbook(path: Path, title: str, department: str, rows: list[list[str]]) -> Path:
    """A list as an office makes one: title, who reports it, headers, rows, a footer."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("名单")
        sheet.merge_range(0, 0, 0, len(rows[0]) - 1, title)
        sheet.write_string(1, 0, f"填报单位（盖章）：{department}")
        for at, row in enumerate([*rows, ["填表人：某某"]], 2):
            for place, text in enumerate(row):
                sheet.write_string(at, place, text)
    return path


@pytest.fixture
def books(tmp_path: Path) -> list[Path]:
    teacher, worker, lost = map(check_digit, (TEACHER, WORKER, LOST))
    return [
        workbook(
            tmp_path / "领军人才名单.xlsx",
            "2023年领军人才名单",
            "某省国资委",
            [
                ["序号", "姓名", "身份证号码", "认定依据", "认定日期"],
                ["1", "赵建国", teacher, "全国技术能手", "2023-01-01"],
            ],
        ),
        workbook(
            tmp_path / "师徒名单.xlsx",
            "师带徒名单",
            "某省总工会",
            [
                ["序号", "师傅姓名", "师傅身份证号", "徒弟姓名", "徒弟身份证号", "拜师时间"],
                ["1", "赵建国", teacher, "蒋长河", worker, "2022-03-01"],
                ["2", "赵建国", teacher, "沈思源", lost, "2022年13月"],
            ],
        ),
        workbook(
            tmp_path / "技能等级名单.xlsx",
            "2024年度高技能人才名单",
            "某市人社局",
            [
                ["序号", "姓名", "身份证号码", "职业（工种）", "技能等级", "证书编号", "发证日期"],
                ["1", "蒋长河", worker, "焊工", "3", "S000032001000243000001", "2024-06-01"],
            ],
        ),
    ]


class Clicks:
    """Counts what a clerk clicks; typing is none."""

    def __init__(self, page: Any) -> None:
        self.page, self.count = page, 0

    def __call__(self, place: Any) -> None:
        self.count += 1
        place.first.wait_for(timeout=WAIT)
        place.first.click()


@pytest.fixture
def clerk(
    empty_database: Database,
    settings: Settings,
    serve: Callable[..., str],
    open_page: Callable[..., Any],
) -> Any:
    shutil.rmtree(settings.home / "mappings", ignore_errors=True)
    url = serve(
        ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home), "SHICHENG_ROLE": "steward"}
    )
    page = open_page(url, locale="zh-CN", color_scheme="light")
    page.locator(".sc-lead").first.wait_for(timeout=WAIT)
    return at_rest(page)


def test_from_three_workbooks_to_a_chain_and_a_reason(
    clerk: Any, books: list[Path], settings: Settings, pictures: Path | None
) -> None:
    page, click = clerk, Clicks(clerk)
    click(page.get_by_role("link", name="数据导入"))
    at_rest(page)
    with page.expect_file_chooser(timeout=WAIT) as chooser:
        click(page.locator("[data-testid=stFileUploaderDropzone] button"))
    chooser.value.set_files([str(path) for path in books])
    page.get_by_text("技能等级名单.xlsx [名单]").first.wait_for(timeout=WAIT)
    at_rest(page)
    main = page.locator("[data-testid=stMain]")
    assert main.locator("[role=radiogroup]").count() == 1  # one question in three lists
    assert "1 个证书编号中，1 个与老五级一致，0 个与新八级一致" in main.inner_text()
    click(main.get_by_text("老五级：1 级最高，3 为高级工"))
    at_rest(page)
    picture(page, pictures, "load-sheets")
    click(page.get_by_role("button", name="确认并检查"))
    page.get_by_role("button", name=re.compile("^载入 .* 行")).wait_for(timeout=WAIT)
    at_rest(page)
    reason = main.locator(".sc-table", has_text="拜师时间")
    assert "应为" in reason.inner_text()  # the refused row's reason, before anything is loaded
    picture(page, pictures, "load-checked")
    click(page.get_by_role("button", name=re.compile("^载入 .* 行")))
    page.locator(".sc-lead", has_text="已载入").wait_for(timeout=2 * WAIT)
    at_rest(page)
    assert "拜师时间" in main.locator(".sc-table").first.inner_text()
    picture(page, pictures, "load-done")
    left = {path.name for path in (settings.home / "uploads").rglob("*")}
    assert not left & {path.name for path in books}
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("button", name="师徒名单-退回.xlsx").click()
    assert download.value.path().read_bytes().startswith(b"PK")

    click(page.get_by_role("link", name="查找名单中的人"))
    page.locator("body[data-search-keys]").wait_for(state="attached", timeout=WAIT)
    page.keyboard.press("/")
    page.keyboard.type("蒋长河")
    page.locator(".sc-lead", has_text="蒋长河").wait_for(timeout=WAIT)
    at_rest(page)
    click(page.locator(".st-key-find_results a[href]"))
    page.wait_for_url(re.compile("/talent[?]"), timeout=WAIT)
    at_rest(page)
    click(page.get_by_role("link", name="查看谱系"))
    lineage_ready(page)
    assert len(people(page)) == 2  # the mentor, and the apprentice whom two departments state
    picture(page, pictures, "load-chain")
    assert click.count <= MAX_CLICKS, click.count


def test_the_page_stands_in_the_dark_and_on_a_phone(
    clerk: Any, books: list[Path], pictures: Path | None
) -> None:
    page = clerk
    page.get_by_role("link", name="数据导入").click()
    at_rest(page)
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(
        [str(path) for path in books]
    )
    page.get_by_text("技能等级名单.xlsx [名单]").first.wait_for(timeout=WAIT)
    page.emulate_media(color_scheme="dark")
    at_rest(page)
    picture(page, pictures, "load-dark")
    page.set_viewport_size(PHONE)
    at_rest(page)
    picture(page, pictures, "load-phone")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


def test_a_visit_that_may_not_bring_files_in_cannot_send_one(
    empty_database: Database,
    settings: Settings,
    serve: Callable[..., str],
    open_page: Callable[..., Any],
) -> None:
    url = serve(ROOT / "app.py", env={"SHICHENG_HOME": str(settings.home)})
    page = open_page(f"{url}/load", locale="zh-CN")
    page.locator(".sc-lead", has_text="数据管理员").wait_for(timeout=WAIT)
    at_rest(page)
    assert page.locator("[data-testid=stFileUploader]").count() == 0
    status = page.evaluate(
        """async () => (await fetch('/_stcore/upload_file/some-session/some-file',
            {method: 'PUT', body: new FormData()})).status"""
    )
    assert status == 403

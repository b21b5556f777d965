"""No row of a sheet is lost in silence, and no cell makes the reading of a list fail."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.findings import REFUSED
from loaders.mapping.aliases import load_aliases
from loaders.mapping.application import apply_mapping
from loaders.mapping.header_rows import BLANK, DATA, FOOTER, HEADER, TITLE, TOTAL, find_layout
from loaders.mapping.mapping import Mapping, read_mapping, render_mapping
from loaders.mapping.proposal import ANSWER_KEYS, propose_mapping
from loaders.readers.sheet import MergedRange, Sheet
from loaders.tables import ROW_NUMBER_COLUMN
from tests.examples import limit_examples

ANSWERS = {"ladder": "old", "unit": "万元", "date": "2024", "grade": "provincial"}
ANSWERS |= {"kind": "skill_master", "by_name": "yes"}
ANSWERS |= {"mentor": "1", "by_number": "yes", "parents": "no"}
HEADERS = [
    *sorted(load_aliases()),
    *["师傅姓名", "徒弟姓名", "学员1姓名", "学员2工号", "随便", "联系人"],
]
CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "张三",
            "张三、李四",
            "3",
            "三级/高级工",
            "2024.5",
            "2024.3—2026.3",
            "329999196201011015",
            "329999********1015",
            "S000032001012243000013",
            "合计",
            "填表人：王某",
            "备注",
            "某某有限公司",
            "10",
            "无",
        ]
    ),
)


def build_sheet(rows: list[list[str | None]], merged: tuple[MergedRange, ...] = ()) -> Sheet:
    columns = {
        f"c{at}": pl.Series([row[at] for row in rows], dtype=pl.String)
        for at in range(len(rows[0]))
    }
    numbers = pl.Series(range(1, len(rows) + 1), dtype=pl.Int64)
    return Sheet("list.csv", "", pl.DataFrame({**columns, ROW_NUMBER_COLUMN: numbers}), merged)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    headers = draw(st.lists(st.sampled_from(HEADERS), min_size=2, max_size=8))
    wide = len(headers)
    row = st.lists(CELLS, min_size=wide, max_size=wide)
    titles = draw(st.lists(row, max_size=2))
    return build_sheet([*titles, list(headers), *draw(st.lists(row, max_size=8))])


@settings(deadline=None, max_examples=limit_examples(150))
@given(sheets())
def test_each_row_is_in_a_table_or_refused(sheet: Sheet) -> None:
    layout = find_layout(sheet)
    assert layout.kinds.height == sheet.cells.height
    kinds = {TITLE, HEADER, DATA, FOOTER, TOTAL, BLANK}
    assert set(layout.kinds["kind"]) <= kinds
    proposal = propose_mapping(sheet, "某局", ANSWERS)
    if proposal is None:
        return
    assert proposal.questions == ()
    applied = apply_mapping(sheet, proposal.mapping, digest)
    named = set(applied.stated_rows)
    for raw in applied.tables:
        if raw.refused is not None:
            named |= set(raw.refused.filter(pl.col("kind") == REFUSED)["row"])
            assert "329999196201011015" not in str(raw.refused.rows())
    data = set(layout.kinds.filter(pl.col("kind") == DATA)[ROW_NUMBER_COLUMN])
    assert data - named == set()


@settings(deadline=None, max_examples=limit_examples(60))
@given(sheets())
def test_a_mapping_is_the_same_after_it_was_written(sheet: Sheet) -> None:
    import tempfile
    from pathlib import Path

    proposal = propose_mapping(sheet, "某局", ANSWERS)
    if proposal is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.yaml"
        path.write_text(render_mapping(proposal.mapping), "utf-8")
        assert read_mapping(path) == proposal.mapping
        assert "329999196201011015" not in path.read_text("utf-8")


def test_two_header_rows_merged_cells_and_footers() -> None:
    sheet = build_sheet(
        [
            ["某集团名师带徒一览表", None, None, None, None],
            ["单位", "师傅", None, "徒弟", "确定时间"],
            [None, "姓名", "工号", "姓名", None],
            ["甲厂", "赵建国", "A1", "张三", "2024.3"],
            [None, "钱志远", "A2", "李四", "2024.4"],
            ["小计", "2人", None, None, None],
            [None, None, None, None, None],
            ["注：以上为2024年数据", None, None, None, None],
        ],
        ((1, 1, 1, 5), (2, 1, 3, 1), (2, 2, 2, 3), (2, 5, 3, 5), (4, 1, 5, 1)),
    )
    layout = find_layout(sheet)
    assert layout.headers == ("单位", "师傅姓名", "师傅工号", "徒弟姓名", "确定时间")
    kinds = layout.kinds["kind"].to_list()
    assert kinds == [TITLE, HEADER, HEADER, DATA, DATA, TOTAL, BLANK, FOOTER]
    proposal = propose_mapping(sheet, "某集团", ANSWERS)
    assert proposal is not None and proposal.unknown == ()
    tables = {raw.table: raw.rows for raw in apply_mapping(sheet, proposal.mapping, digest).tables}
    assert tables["mentorships"]["enterprise_id"].to_list() == ["甲厂", "甲厂"]
    assert tables["mentorships"].height == 2


def test_several_apprentices_of_one_row() -> None:
    sheet = build_sheet(
        [
            ["姓名", "工号", "学员1工号", "学员1姓名", "学员2工号", "学员2姓名", "建立关系日期"],
            ["赵建国", "A1", "B1", "张三", "B2", "李四", "2024-03-01"],
            ["钱志远", "A2", "B3", "王五", None, None, "2024-03-02"],
        ]
    )
    proposal = propose_mapping(sheet, "某集团", ANSWERS)
    assert proposal is not None
    tables = {raw.table: raw.rows for raw in apply_mapping(sheet, proposal.mapping, digest).tables}
    pairs = tables["mentorships"].select("mentor_id", "apprentice_id").rows()
    assert sorted(pairs) == [
        ("某集团:A1", "某集团:B1"),
        ("某集团:A1", "某集团:B2"),
        ("某集团:A2", "某集团:B3"),
    ]


def test_honours_of_one_cell_posts_and_a_name_that_two_rows_have() -> None:
    sheet = build_sheet(
        [
            ["2023年度劳动模范名单", None, None],
            ["姓名", "工作单位及职务", "所获荣誉"],
            ["赵建国", "某某有限公司 班组长", "全国技术能手、省劳动模范"],
            ["王伟", "甲厂", "全国五一劳动奖章"],
            ["王伟", "甲厂", "全国技术能手"],
        ]
    )
    proposal = propose_mapping(sheet, "总工会", ANSWERS)
    assert proposal is not None
    tables = {raw.table: raw for raw in apply_mapping(sheet, proposal.mapping, digest).tables}
    said = tables["honours"].rows.select("honour", "grade", "date").rows()
    assert said == [("全国技术能手", "national", "2024"), ("省劳动模范", "provincial", "2024")]
    refused = tables["honours"].refused
    assert refused is not None
    assert refused.filter(pl.col("kind") == REFUSED)["row"].to_list() == [4, 5]
    assert tables["employments"].rows["position"].to_list() == ["班组长"]


@pytest.mark.parametrize("key", sorted(set(ANSWER_KEYS) - {"department"}))
def test_a_wrong_answer_is_no_answer(key: str) -> None:
    from graph.errors import UsageError

    sheet = build_sheet(
        [
            ["姓名", "等级", "竞赛名称", "工作室", "资助经费", "领办人"],
            ["赵建国", "3", "大赛", "某室", "8", "钱"],
        ]
    )
    sheets_of = {
        "ladder": build_sheet([["姓名", "技能等级"], ["赵建国", "3"]]),
        "date": build_sheet([["姓名", "技能等级"], ["赵建国", "高级工"]]),
        "mentor": build_sheet([["source", "target"], ["赵建国", "钱志远"]]),
        "by_number": build_sheet([["advisor_id", "student_id"], ["1", "2"]]),
        "parents": build_sheet([["姓名", "父母编号"], ["赵建国", "I1"]]),
    }
    with pytest.raises(UsageError):
        propose_mapping(sheets_of.get(key, sheet), "某局", {key: "随便"})


def test_a_mapping_holds_no_id_number() -> None:
    with pytest.raises(ValueError, match="citizen ID number"):
        Mapping.model_validate({"department": "329999196201011015", "columns": []})

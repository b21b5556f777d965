"""A small page with invented people: the lineage widget, and what Python received.

Query parameters: `language` zh or en, `payloads` to give everyone a name that would run a script
if it were taken for markup, `people` for a larger invented lineage, `groups` to draw it as groups,
`visit` a number: the widget of another one begins anew, in the same session.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date

import networkx as nx
import polars as pl
import streamlit as st

from graph.people.lineage_groups import Box, group_people
from ui.lineage.state import LineageState
from ui.lineage.unfold import find_lineage_paths, list_path_people, unfold_lineage
from ui.lineage.widget import (
    LineageColumn,
    LineageEdge,
    LineageFlow,
    LineageGroup,
    LineageNode,
    LineageStudio,
    LineageView,
    draw_lineage,
    read_lineage_state,
    save_lineage_state,
)

FOCUS = "杨勇军"
# name, level, state, honour, leading, English name
PEOPLE = """
陆德昌 6 none - - Lu Dechang
秦守义 7 none 能 - Qin Shouyi
罗明山 6 none - - Luo Mingshan
杨勇军 8 talent 奖 leading Yang Yongjun
何志远 7 none 能 leading He Zhiyuan
谭浩然 3 pending - - Tan Haoran
邓丽萍 6 none - - Deng Liping
蒋文斌 5 driven - - Jiang Wenbin
龙小燕 4 driven - - Long Xiaoyan
阳建波 4 driven - - Yang Jianbo
彭立新 6 none 能 - Peng Lixin
刘可欣 3 pending - - Liu Kexin
覃思源 4 driven - - Qin Siyuan
申国强 5 driven - - Shen Guoqiang
向宏 6 none - - Xiang Hong
田雨桐 4 driven - - Tian Yutong
钟启明 3 pending - - Zhong Qiming
欧阳静 5 driven - - Ouyang Jing
肖子轩 4 driven - - Xiao Zixuan
樊嘉豪 3 pending - - Fan Jiahao
文佳怡 2 pending - - Wen Jiayi
苏明辉 6 none - - Su Minghui
袁婷 4 driven - - Yuan Ting
龚一鸣 3 pending - - Gong Yiming
夏晨 3 pending - - Xia Chen
莫晓东 4 none - - Mo Xiaodong
贺俊杰 4 driven - - He Junjie
廖海涛 4 driven - - Liao Haitao
柳依依 4 driven - - Liu Yiyi
邹凯 3 pending - - Zou Kai
易安琪 4 driven - - Yi Anqi
朱振宇 3 pending - - Zhu Zhenyu
唐晓雯 4 driven - - Tang Xiaowen
熊志鹏 4 driven - - Xiong Zhipeng
黎欣 3 pending - - Li Xin
宋博 1 pending - - Song Bo
"""
# mentor, the taught; a leading ~ is a studio
TIES = """
陆德昌 秦守义
秦守义 杨勇军
罗明山 杨勇军
杨勇军 何志远 谭浩然 邓丽萍 蒋文斌 龙小燕 阳建波 ~彭立新 ~刘可欣 ~覃思源 ~申国强
何志远 向宏 田雨桐 钟启明
邓丽萍 欧阳静 肖子轩
蒋文斌 肖子轩
龙小燕 樊嘉豪
阳建波 文佳怡
彭立新 苏明辉 袁婷 龚一鸣
覃思源 夏晨
申国强 莫晓东 贺俊杰
向宏 廖海涛 柳依依 邹凯
欧阳静 易安琪
肖子轩 朱振宇
苏明辉 ~唐晓雯 ~熊志鹏 ~黎欣
贺俊杰 宋博
"""
HIDDEN = {
    "何志远": 41,
    "杨勇军": 46,
    "~杨勇军": 258,
    "彭立新": 29,
    "向宏": 18,
    "~苏明辉": 33,
    "廖海涛": 6,
    "易安琪": 4,
    "唐晓雯": 2,
}
HEADS = {
    "zh": [
        (-2, "师祖", ""),
        (-1, "师父", ""),
        (0, "领军人才", ""),
        (1, "第一代", "带动 223 人"),
        (2, "第二代", "1,246 人"),
        (3, "第三代", "2,657 人"),
    ],
    "en": [
        (-2, "Their mentors", ""),
        (-1, "Mentors", ""),
        (0, "Talent", ""),
        (1, "Gen 1", "223 driven"),
        (2, "Gen 2", "1,246 driven"),
        (3, "Gen 3", "2,657 driven"),
    ],
}
REASON = {
    "zh": ("不计入：日期倒退", ("2019-02 随申国强学艺，", "早于申国强 2021-03 入室")),
    "en": ("Not counted: dates go back", ("Joined 2019-02, before", "Shen did (2021-03)")),
}
BEFORE = {"zh": "不计入：统计期前已是高技能人才", "en": "Not counted: high-skilled before"}
PAYLOADS = (
    "<script>window.ran = 1</script>",
    '<img src=x onerror="window.ran = 1">',
    "<svg onload=window.ran=1>",
    '"><script>window.ran=1</script>',
    "';window.ran=1;//",
    "${window.ran=1}",
    "{{window.ran=1}}",
    '<a href="javascript:window.ran=1">href</a>',
    "</script><script>window.ran=1</script>",
    "<iframe srcdoc='<script>parent.ran=1</script>'>",
)
# Each payload as it is, and as if it stood within something: fifty names that would run.
AROUND = ("{}", "</style>{}", "-->{}<!--", "]]>{}", "`{}`")


def named() -> tuple[nx.MultiDiGraph, dict[str, LineageNode]]:
    """The people of the mock-ups, and those its pills stand for."""
    people: dict[str, LineageNode] = {}
    for line in PEOPLE.strip().splitlines():
        name, level, state, honour, leading, english = line.split(" ", 5)
        shown = english if LANGUAGE == "en" else name
        mark = {"能": "T", "奖": "G"}.get(honour, "") if LANGUAGE == "en" else honour.strip("-")
        people[name] = LineageNode(
            name,
            shown,
            level=int(level),
            state=state,
            honour=mark,
            leading=leading != "-",
            reason=BEFORE[LANGUAGE] if state == "none" else "",
        )
    heading, lines = REASON[LANGUAGE]
    codes = ("32", "33", "44")
    people["莫晓东"] = replace(people["莫晓东"], reason=heading, lines=lines)
    graph = nx.MultiDiGraph()
    chance = random.Random(7)
    came = {"陆德昌": 1980, "秦守义": 1996, "罗明山": 1996, FOCUS: 2001}
    for line in TIES.strip().splitlines():
        mentor, *taught = line.split()
        for other in taught:
            person = other.strip("~")
            year = came.setdefault(person, min(2026, came[mentor] + chance.randint(3, 12)))
            channel = "studio" if other[0] == "~" else "mentorship"
            graph.add_edge(
                mentor,
                person,
                channel=channel,
                start=date(year, 3, 1),
                studio_id=f"S-{mentor}" if channel == "studio" else None,
            )
    for mark, count in HIDDEN.items():
        for number in range(count):
            other = f"{mark}{number}"
            channel = "studio" if mark[0] == "~" else "mentorship"
            graph.add_edge(
                mark.strip("~"),
                other,
                channel=channel,
                start=date(2022, 3, 1),
                studio_id=f"S-{mark[1:]}" if channel == "studio" else None,
            )
            state = ("driven", "pending")[number % 2]
            level = 4 if state == "driven" else 3
            people[other] = LineageNode(other, other, level=level, state=state)
    for number, (person, node) in enumerate(people.items()):
        graph.add_node(person, level=node.level, province=codes[number % 3], occupation_code="6-18")
    return graph, people


@st.cache_resource
def invented(count: int) -> tuple[nx.MultiDiGraph, dict[str, LineageNode]]:
    """A larger lineage by chance, some people with two mentors."""
    chance = random.Random(count)
    graph = nx.MultiDiGraph()
    generation = {FOCUS: 0}
    for number in range(1, count):
        mentor = chance.choice(list(generation)[-200:] if number > 200 else list(generation))
        while generation[mentor] > 2:
            mentor = chance.choice(list(generation))
        person = f"人{number}"
        generation[person] = generation[mentor] + 1
        graph.add_edge(mentor, person, channel="mentorship", start=date(2000 + number % 27, 1, 1))
    people = {
        p: LineageNode(p, p, level=1 + n % 8, state=("driven", "pending", "none")[n % 3])
        for n, p in enumerate(graph)
    }
    people[FOCUS] = replace(people[FOCUS], state="talent", level=8)
    return graph, people


@st.cache_resource
def as_people(count: int) -> pl.DataFrame:
    """The larger lineage as a table, each by way of the one who taught him or her."""
    graph, people = invented(count)
    place = {person: n for n, person in enumerate(graph)}
    generation = nx.single_source_shortest_path_length(graph, FOCUS)
    mentor = {b: a for a, b in graph.edges()}
    branch: dict[str, str] = {}
    for person in sorted(graph, key=generation.__getitem__):
        above = mentor.get(person, FOCUS)
        branch[person] = person if above == FOCUS else branch[above]
    rows = [
        (
            place[p],
            generation[p],
            "none" if p == FOCUS else people[p].state,
            place[mentor.get(p, FOCUS)],
            branch[p],
            f"6-{n % 40}",
            str(people[p].level),
            "",
        )
        for n, p in enumerate(graph)
    ]
    names = ["place", "generation", "state", "mentor", "branch", "occupation", "level", "studio"]
    return pl.DataFrame(rows, schema=names, orient="row")


def grouped_view_of(state: LineageState) -> LineageView:
    """The larger lineage as groups."""
    people, named_ = as_people(COUNT), list(invented(COUNT)[1].values())
    found = group_people(people, "branch", dict(state.shown.inside))

    def id(box: Box) -> str:
        return box.id if box.person is None else named_[box.person].id

    nodes = [named_[0]]
    for box in found.boxes:
        group = (
            None
            if box.person is not None
            else LineageGroup(box.persons, box.driven, box.pending, box.target, box.open)
        )
        name = named_[box.person].name if box.person is not None else box.value or "其余"
        nodes.append(LineageNode(id(box), name, box.generation, group=group, indent=box.depth))
    ids = {box.id: id(box) for box in found.boxes} | {"": FOCUS}
    return LineageView(
        tuple(nodes),
        (),
        FOCUS,
        selected=state.selected,
        columns_hold="branch",
        grouping=True,
        flows=tuple(LineageFlow(ids[f.source], ids[f.target], f.persons) for f in found.flows),
        columns=tuple(LineageColumn(*head) for head in HEADS[LANGUAGE]),
        language=LANGUAGE,
        can_undo=bool(state.past),
        can_redo=bool(state.future),
        more=COUNT,
    )


def path_to(graph: nx.MultiDiGraph, person: str | None) -> tuple[str, ...]:
    """From the talent to the person, or the other way for a mentor."""
    if person and person in graph and nx.has_path(graph, FOCUS, person):
        return tuple(nx.shortest_path(graph, FOCUS, person))
    if person and person in graph and nx.has_path(graph, person, FOCUS):
        return tuple(nx.shortest_path(graph, person, FOCUS))
    return ()


def view_of(state: LineageState) -> LineageView:
    """What the state shows of the invented people."""
    graph, people = invented(COUNT) if COUNT else named()
    path = path_to(graph, state.selected)
    order = {person: number for number, person in enumerate(people)}
    known = {p for p in people if not p[-1].isdigit()}

    def breadth(person: str, channel: str) -> int:
        tied = graph.adj[person].items() if person in graph else ()
        return sum(
            other in known and any(tie["channel"] == channel for tie in ties.values())
            for other, ties in tied
        )

    shown = unfold_lineage(
        graph,
        state,
        breadth=10_000 if COUNT else breadth,
        limit=5_000,
        rank=order.__getitem__,
        keep=frozenset(path),
        unhide=list_path_people(
            p for t in state.shown.traced for p in find_lineage_paths(graph, FOCUS, t)
        ),
    )
    nodes = []
    for person in sorted(shown.generations, key=order.__getitem__):
        node = replace(
            people[person],
            generation=shown.generations[person],
            more_up=shown.more_up.get(person, 0),
            more_down=shown.more_down.get(person, 0),
            more_by=shown.more_by.get(person, ()),
            pinned=person in state.shown.pinned,
            link=person in shown.links,
        )
        if PAYLOAD:
            number = order[person]
            around = AROUND[number // len(PAYLOADS) % len(AROUND)]
            text = around.format(PAYLOADS[number % len(PAYLOADS)])
            node = replace(node, name=text, reason=text, lines=(text,), honour=text[:1])
        nodes.append(node)
    edges = tuple(
        LineageEdge(
            a,
            b,
            data["channel"],
            data["start"],
            date(data["start"].year + 3, 3, 1) if data["start"].year < 2020 else None,
            studio if (studio := data.get("studio_id") or "") in shown.groups else "",
        )
        for a, b, data in graph.edges(data=True)
        if a in shown.generations and b in shown.generations
    )
    ties = tuple((year, int(3 * 1.17 ** (year - 1996))) for year in range(1996, 2027))
    word = {"zh": ("分享此视图", "导出"), "en": ("Share view", "Export")}[LANGUAGE]
    return LineageView(
        tuple(nodes),
        edges,
        FOCUS,
        paths=(path, *(p for t in state.shown.traced for p in find_lineage_paths(graph, FOCUS, t))),
        selected=state.selected,
        also=state.also,
        traced=state.shown.traced,
        studios=tuple(
            LineageStudio(
                id,
                f"{id[2:]}技能大师工作室",
                shown.generations[group.leaders[0]],
                group.trainees,
                id in state.shown.closed,
            )
            for id, group in shown.groups.items()
        ),
        grouped=state.shown.grouped,
        dates=state.shown.dates,
        filtering=bool(state.shown.filters),
        filtered_out=shown.filtered_out,
        columns=tuple(LineageColumn(*head) for head in HEADS[LANGUAGE]),
        window=(date(2024, 1, 1), date(2026, 12, 31)),
        years=state.shown.years,
        ties=ties,
        axis=state.shown.axis,
        can_undo=bool(state.past),
        can_redo=bool(state.future),
        buttons=(("share", word[0]), ("export", word[1])),
        language=LANGUAGE,
    )


st.set_page_config(layout="wide")
st.html(
    "<style>.block-container {padding: 24px !important; max-width: 1192px; margin: 0} "
    "header {display: none}</style>"
)
LANGUAGE = "en" if st.query_params.get("language") == "en" else "zh"
COUNT = int(st.query_params.get("people", "0"))
GROUPS = "groups" in st.query_params
PAYLOAD = "payloads" in st.query_params
KEY = f"lineage{st.query_params.get('visit', '')}"


@st.fragment
def draw() -> None:
    """The widget and, beside it, what Python has."""
    start = LineageState(FOCUS, selected=None if COUNT or PAYLOAD else "唐晓雯")
    start = start.settled("branch") if GROUPS else start
    state = read_lineage_state(KEY, start)
    left, right = st.columns([848, 280], gap="medium")
    with left:
        event = draw_lineage(grouped_view_of(state) if GROUPS else view_of(state), key=KEY)
    with right:
        if st.button("select 苏明辉"):
            save_lineage_state(KEY, state.select("苏明辉"))
            st.rerun(scope="fragment")
        if st.button("only level 4"):
            save_lineage_state(KEY, state.filter(levels=(4, 4)))
            st.rerun(scope="fragment")
        said = {"event": event.action, "person": event.person, "text": event.text}
        st.code(json.dumps({**said, "now": state.to_query()}))


draw()

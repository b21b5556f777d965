"""What the lineage widget says, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "lineage": "师承谱系", "find": "查找图中的人", "nobody": "图中没有此人",
        "everyone": "在全部人员中查找“{text}”",
        "undo": "撤销", "redo": "重做", "expand": "展开", "fold": "收起", "path": "路径",
        "hide": "隐藏", "pin": "固定", "unpin": "取消固定", "generation": "按代", "year": "按年",
        "fit": "适应窗口", "zoom_in": "放大", "zoom_out": "缩小",
        "time": "关系起于", "from": "起始年", "to": "截止年", "play": "逐年看", "stop": "停止",
        "undated": "无日期", "high_skilled": "4 级起为高技能",
        "mentorship": "师徒", "studio": "工作室", "teaching": "授课",
        "driven": "带动", "pending": "待认定", "none": "无框：不计入", "talent": "领军人才",
        "honour": "荣誉", "level": "{level} 级", "selected": "已选择",
        "state_talent": "领军人才", "state_driven": "带动", "state_pending": "待认定",
        "state_none": "不计入", "more": "另有 {count} 人，点击展开", "people": "图中人员",
        "focus": "以此人为中心",
        "dates_word": "日期", "studios_word": "工作室",
        "dates": "在线上标日期", "studios": "工作室成组",
        "options": "显示方式", "help": "键盘操作", "list": "以列表读出图中人员",
        "group": "{count} 人", "open_studio": "点击展开", "close_studio": "点击收起",
        "link": "筛选外，仅为连接", "filtered": "筛选后不显示 {count} 人", "clear": "清除筛选",
        "keys": "← →=师父、第一名徒弟|↑ ↓=同列上一人、下一人|Enter=选择此人|Shift+Enter=一并选择|"
        "空格=展开或收起|+ −=展开、收起|T=显示全部路径|F=以此人为中心|H P=隐藏、固定|"
        "D G=日期、工作室成组|"
        "/=查找|0 < >=适应窗口、缩小、放大|Ctrl+Z=撤销|Ctrl+Shift+Z=重做|Esc=退出",
    },
    "en": {
        "lineage": "Lineage", "find": "Find a person", "nobody": "nobody in this view",
        "everyone": "Search everyone for “{text}”",
        "undo": "Undo", "redo": "Redo", "expand": "Expand", "fold": "Fold", "path": "Path",
        "hide": "Hide", "pin": "Pin", "unpin": "Unpin", "generation": "Gen", "year": "Year",
        "fit": "Fit", "zoom_in": "Zoom in", "zoom_out": "Zoom out",
        "time": "Ties begun", "from": "first year", "to": "last year", "play": "Play",
        "stop": "Stop", "undated": "undated", "high_skilled": "high-skilled",
        "mentorship": "mentor", "studio": "studio", "teaching": "teaching",
        "driven": "driven", "pending": "pending", "none": "no box: not counted",
        "talent": "leading talent", "honour": "", "level": "level {level}",
        "selected": "selected", "state_talent": "leading talent",
        "state_driven": "driven", "state_pending": "pending", "state_none": "not counted",
        "more": "{count} more, click to show", "people": "People in this view",
        "focus": "Focus on this person", "dates_word": "Dates",
        "studios_word": "Studios", "dates": "Dates on the ties",
        "studios": "Studios as groups", "options": "What is drawn", "help": "Keys",
        "list": "Read the people of this view as a list",
        "group": "{count}", "open_studio": "click to open", "close_studio": "click to fold",
        "link": "filtered out, links others", "filtered": "{count} filtered out",
        "clear": "Clear filters",
        "keys": "← →=mentor, first apprentice|↑ ↓=up and down the column|Enter=select|"
        "Shift+Enter=select as well|Space=expand or fold|+ −=expand, fold|T=show every path|"
        "F=focus on this person|H P=hide, pin|D G=dates, studios as groups|/=find|"
        "0 < >=fit, smaller, larger|Ctrl+Z=undo|Ctrl+Shift+Z=redo|Esc=leave",
    },
}  # fmt: skip

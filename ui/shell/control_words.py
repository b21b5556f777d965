"""The words of Streamlit's own controls in Chinese: it has them in English alone.

A list's "Select all", a table's menu, what a box says when nothing fits: they are drawn by the
browser, so they are replaced there, as they appear, wherever a text is exactly one of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ui.browser.component import declare_component
from ui.words.i18n import current_language

CHINESE_CONTROL_WORDS: Final[dict[str, str]] = {
    "Add": "添加",
    "Add files": "继续添加文件",
    "Add row": "添加一行",
    "Ascending": "升序",
    "Autosize": "自动列宽",
    "Choose a file": "选择文件",
    "Choose an option": "请选择",
    "Choose date": "选择日期",
    "Choose date range": "选择日期范围",
    "Choose options": "请选择",
    "Clear all": "全部清除",
    "Clear date": "清除日期",
    "Clear dates": "清除日期",
    "Clear selection": "清除所选",
    "Clear value": "清除",
    "Close": "关闭",
    "Close Search": "关闭查找",
    "Close fullscreen": "退出全屏",
    "Copied": "已复制",
    "Copy": "复制",
    "Copy column name": "复制列名",
    "Copy to clipboard": "复制",
    "Delete row(s)": "删除行",
    "Descending": "降序",
    "Download as CSV": "下载 CSV",
    "Exit fullscreen": "退出全屏",
    "Format": "格式",
    "Drag and drop a file here": "把文件拖到这里",
    "Drag and drop directories here": "把文件夹拖到这里",
    "Drag and drop files here": "把文件拖到这里",
    "Fullscreen": "全屏",
    "Hide column": "隐藏列",
    "Loading...": "正在载入……",
    "No data": "没有数据",
    "No options": "没有选项",
    "No options to select": "没有选项",
    "No options to select.": "没有选项",
    "No results": "没有结果",
    "Open": "打开",
    "Pin column": "固定列",
    "Press Enter to apply": "按回车应用",
    "Press Enter to submit form": "按回车提交",
    "Press Ctrl+Enter to apply": "按 Ctrl+Enter 应用",
    "Press Ctrl+Enter to submit form": "按 Ctrl+Enter 提交",
    "Press ⌘+Enter to apply": "按 ⌘+Enter 应用",
    "Press ⌘+Enter to submit form": "按 ⌘+Enter 提交",
    "Running...": "正在运行……",
    "Search": "查找",
    "Select all": "全选",
    "Selected values": "已选值",
    "Show/hide columns": "显示或隐藏列",
    "Sort ascending": "升序",
    "Sort descending": "降序",
    "Statistics": "统计",
    "Stop": "停止",
    "Unpin column": "取消固定",
    "Upload": "选择文件",
    "Upload directories": "选择文件夹",
    "View fullscreen": "全屏",
    "View less": "收起",
    "View more": "展开",
}
CONTROL_WORDS_SCRIPT_PATH = Path(__file__).with_name("control_words.js")


def translate_controls() -> None:
    """Says the controls in the language of this visit; draws nothing."""
    if current_language() == "zh":
        declare_component(CONTROL_WORDS_SCRIPT_PATH)(
            key="control_words", data={"words": CHINESE_CONTROL_WORDS}
        )

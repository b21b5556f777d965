"""The JavaScript of the pages: in files of its own, joined by Python, with every measure once."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import networkx as nx
import pytest

from ui.browser.bundle import BundleError, bundle_script, list_modules
from ui.export.network_files import render_network_html
from ui.lineage.drawing import render_view_svg
from ui.lineage.html_page import PAGE_SCRIPT_PATH, render_view_page
from ui.lineage.widget import (
    WIDGET_SCRIPTS_DIR,
    LineageEdge,
    LineageNode,
    LineageView,
    build_library_script,
)
from ui.shell.measures import MEASURES, MEASURES_PATH, read_measures
from ui.words.lineage import WidgetLanguage
from ui.words.text_width import estimate_text_width

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "ui").rglob("*.js"))
PYTHON = [
    ROOT / "app.py",
    *(
        path
        for folder in ("ui", "graph", "cli", "loaders")
        for path in (ROOT / folder).rglob("*.py")
    ),
]
JAVASCRIPT = re.compile(
    r"""\b(?:const|let|var)\s+[\w$\[{]+.*=[^=]      # a declaration
    | =>\s*[({\w]                                  # an arrow function
    | \bfunction\b\s*\w*\s*\([^)]*\)\s*\{
    | \bexport\s+default\b
    | \b(?:document|window|history|location|sessionStorage)\.[a-z]\w+\s*[(.=;\[]
    | \b(?:addEventListener|querySelector|setTimeout)\b
    | \bjavascript:
    | <[^>]+\son[a-z]+\s*=""",
    re.VERBOSE,
)


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a Python file with their lines, without its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.lineno, node.value


def test_no_string_of_python_is_javascript() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]}"
        for path in PYTHON
        for line, text in strings(path)
        if (match := JAVASCRIPT.search(text))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "export default function ({ data }) { button.textContent = data; }",
        "const dark = matchMedia('(prefers-color-scheme: dark)');",
        "(node) => { walk(node); }",
        "window.print()",
        '<button onclick="print()">',
    ],
)
def test_javascript_is_known_when_seen(text: str) -> None:
    assert JAVASCRIPT.search(text)


def test_every_script_is_joined_into_one_that_asks_for_nothing() -> None:
    modules = {module for path in SCRIPTS for module in list_modules(path)[:-1]}
    entries = [path for path in SCRIPTS if path not in modules]
    assert WIDGET_SCRIPTS_DIR / "library.js" in entries and PAGE_SCRIPT_PATH in entries
    named = "".join(path.read_text("utf-8") for path in PYTHON)
    for path in entries:
        joined = bundle_script(path)
        assert not re.search(r"^\s*import\b|^export (?!default)|\bimport\(|\bfetch\(", joined, re.M)
        assert joined.count("export default") <= 1
        assert path.name in named or f'{path.stem}.py")' in named or ".with_suffix" in named


def test_a_module_comes_after_what_it_imports_and_once(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n'
    )
    (tmp_path / "b.js").write_text(
        'import { c } from "./c.js";\nexport function b(x) { return c + x; }\n'
    )
    (tmp_path / "c.js").write_text(
        'import SIZES from "./sizes.json" with { type: "json" };\nexport const c = SIZES.one;\n'
    )
    (tmp_path / "sizes.json").write_text('{"one": 1}')
    assert bundle_script(tmp_path / "a.js", {"TOLD": [1]}) == (
        'const TOLD = [1];\nconst SIZES = {"one": 1};\nconst c = SIZES.one;\n'
        "function b(x) { return c + x; }\nb(c);\n"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('import { a } from "./a.js";\n', "imports itself"),
        ('import { x as y } from "./x.js";\n', "cannot be joined"),
        ('import "./x.js";\n', "cannot be joined"),
        ("export { x };\n", "cannot be joined"),
        ('import { x } from "./x.js";\nconst x = 1;\n', "x stands in"),
        ('import OTHER from "./sizes.json" with { type: "json" };\n', "as SIZES"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.js").write_text(text)
    (tmp_path / "x.js").write_text("export const x = 2;\n")
    (tmp_path / "sizes.json").write_text("{}")
    with pytest.raises(BundleError, match=why):
        bundle_script(tmp_path / "a.js")


def view() -> LineageView:
    """A talent, a driven person on the path, and ties of every channel."""
    return LineageView(
        nodes=(
            LineageNode("t", "杨勇军", level=8, state="talent", honour="能"),
            LineageNode("a", "何志远", 1, 7, state="driven", leading=True),
            LineageNode("b", "谭浩然", 1, 3, state="pending"),
            LineageNode("c", "苏明辉", 1, 4, state="driven", link=True),
        ),
        edges=(
            LineageEdge("t", "a", start=date(2019, 3, 12)),
            LineageEdge("t", "b", "studio", start=date(2023, 1, 1)),
            LineageEdge("t", "c", "teaching"),
        ),
        focus="t",
        paths=(("t", "a"),),
    )


def test_screen_svg_and_html_dash_a_channel_alike() -> None:
    expected = {" ".join(map(str, dashes)) for dashes in MEASURES.dashes.values() if dashes}
    for drawn in (render_view_svg(view(), title="谱系"), render_view_page(view(), title="谱系")):
        assert set(re.findall(r'stroke-dasharray="([^"]*)"', drawn)) == expected
    graph = nx.DiGraph()
    for channel in MEASURES.dashes:
        graph.add_edge(f"{channel} a", f"{channel} b", channel=channel)
    page = render_network_html(graph, title="谱系")
    dashes = re.findall(r'"dashes": (\[[^\]]*\]|false)', page)
    assert [json.loads(d) or [] for d in dashes] == list(MEASURES.dashes.values())
    assert set(re.findall(r'stroke-dasharray="([^"]*)"', page)) == expected
    sent = re.search(r"^const MEASURES = (.*);$", build_library_script(), re.M)
    assert sent and json.loads(sent[1]) == asdict(MEASURES)


def test_the_path_in_focus_stands_out_and_the_rest_is_quiet() -> None:
    drawn = render_view_svg(view(), title="谱系")
    ties = dict(
        re.findall(r'class="tie" data-from="t" data-to="(\w)"[^>]*? fill="none" (.*?)>', drawn)
    )
    assert f'stroke-width="{MEASURES.line.path_width}"' in ties["a"]
    assert "stroke-opacity" not in ties["a"]
    for other in "bc":
        assert f'stroke-opacity="{MEASURES.line.quiet_opacity}"' in ties[other]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_legend_ends_within_the_drawing(language: WidgetLanguage) -> None:
    drawn = render_view_svg(replace(view(), language=language), title="谱系")
    left, _, width, _ = map(float, re.search(r'viewBox="([^"]*)"', drawn)[1].split())  # type: ignore[index]
    ends = [
        float(x) + estimate_text_width(text)
        for x, text in re.findall(r'<text x="([\d.-]+)"[^>]*>([^<]*)</text>', drawn)
    ]
    assert max(ends) < left + width


# Where a lineage is drawn: a number of measures.json that stands here as well is a second copy.
DRAWING = [
    path
    for folder in ("ui/lineage", "ui/export", "ui/profile")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".js", ".css"}
]
COPIES = re.compile(
    r"""dasharray[=:"'\s]+[\d.]              # a dash written out, as an attribute
    | (?:setLineDash\(|strokeDash=|dashes["']?\s*[:=])\s*\[\s*[\d.]
    | \b(?:BOX|BADGE|PAD|GROUP|PARTY|STUDIO|NAME|INDENT|FLOW|DASH|ROW|GAP|PITCH)(?:_[A-Z]+)*
      \s*(?::\s*[\w\[\], ]+)?=\s*[\d.]
    """,
    re.VERBOSE,
)
OWN_SIZES = ('"scaleFactor": 0.35',)  # of an arrow's head, which a page of pyvis alone has


def test_no_second_copy_of_a_measure_stands() -> None:
    sizes = [s for s in asdict(MEASURES).values() if isinstance(s, dict) and s != MEASURES.dashes]
    values = {value for group in sizes for value in group.values()}
    telling = {v for v in values if v > 100 or v % 1}  # other integers mean many things
    pattern = "|".join(re.escape(f"{v:g}") for v in telling)
    number = re.compile(rf"(?<![\w.#-])(?:{pattern})(?:px)?(?![\w.])")
    found = []
    for path in DRAWING:
        for line, text in enumerate(path.read_text("utf-8").split("\n"), 1):
            match = COPIES.search(text) or number.search(text)
            if match and not any(own in text for own in OWN_SIZES):
                found.append(f"{path.relative_to(ROOT)}:{line}: {text.strip()}")
    assert found == []


def test_no_line_is_dashed_by_the_browser() -> None:
    """Whose dashes are its own: `border-style: dashed` would be another look of a studio's line."""
    others = (".sc-empty", ".swatch.link", ":root a.sc-link")  # frames and links, no ties
    found = [
        text.strip()
        for path in (ROOT / "ui").rglob("*.css")
        for text in path.read_text("utf-8").split("\n")
        if re.search(r"border[\w-]*:[^;]*\b(?:dashed|dotted)\b", text)
        and not text.startswith(others)
    ]
    assert found == []


def test_every_measure_is_used() -> None:
    text = "".join(path.read_text("utf-8") for path in [*SCRIPTS, *DRAWING])
    unused = [
        f"{group}.{name}"
        for group, sizes in asdict(MEASURES).items()
        if isinstance(sizes, dict) and group != "dashes"
        for name in sizes
        if not re.search(rf"\b{name}\b", text)
    ]
    assert unused == []


def test_a_measure_too_many_or_too_few_is_refused(tmp_path: Path) -> None:
    measures = json.loads(MEASURES_PATH.read_text("utf-8"))
    (tmp_path / "more.json").write_text(json.dumps({**measures, "other": 1}))
    (tmp_path / "less.json").write_text(json.dumps({**measures, "pill": {}}))
    for name in ("more.json", "less.json"):
        with pytest.raises(TypeError):
            read_measures(tmp_path / name)

"""The order of imports, what things are called, and whether the docs say what the code does."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import defaultdict
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from docs.make import pages
from ui.pages import PAGES

ROOT = Path(__file__).parents[2]
OURS = ("graph", "loaders", "ui", "cli", "shicheng", "app")
HOUSE = (*OURS, "benchmarks", "docs")
# The floors of the house, the highest first. A module imports from its own floor and from lower
# ones, also inside functions and for types. The pages of ui/ share a floor, but not their modules.
PAGE_FLOOR = "a page"
FLOORS = (
    "app",
    "cli",
    "shicheng",
    "ui",
    PAGE_FLOOR,
    "ui.person",
    "ui.controls",
    "ui.export",
    "ui.reading",
    "ui.shell",
    "ui.browser",
    "ui.words",
    "loaders",
    "graph.analysis",
    "graph.report",
    "graph.scenario",
    "graph.forecast",
    "graph.programme",
    "graph.evidence",
    "graph.metrics",
    "graph.driven",
    "graph.people",
    "graph.cache",
    "graph.backup",
    "graph.snapshot",
    "graph.store",
    "graph.cypher",
    "graph.server",
    "graph.archive",
    "graph.accounts",
    "graph.audit",
    "graph.model",
    "graph",
)
PAGE_FOLDERS = frozenset(module.split(".")[1] for module in PAGES.values())


def modules() -> dict[str, Path]:
    """Dotted name of every module of ours -> its file."""
    found = {"app": ROOT / "app.py"}
    for layer in OURS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


@cache
def parse(module: str) -> ast.Module:
    """The module's syntax tree; read when a test asks, for every worker collects this file."""
    return ast.parse(MODULES[module].read_text("utf-8"))


def parse_all() -> dict[str, ast.Module]:
    """Dotted name of every module -> its syntax tree."""
    return {module: parse(module) for module in MODULES}


@cache
def imports(module: str, *, types: bool = True) -> set[str]:
    """The modules of ours that a module imports, inside functions too; or not for types alone."""
    skipped = set() if types else set(map(id, types_only(parse(module))))
    found = set()
    for node in ast.walk(parse(module)):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
    return (found & set(MODULES)) - {module}


def types_only(tree: ast.Module) -> list[ast.AST]:
    """What stands under `if TYPE_CHECKING`."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    return [node for block in blocks for node in ast.walk(block)]


def floor(module: str) -> tuple[int, str]:
    """The floor of a module by number (0 is the highest), and the page it belongs to ("": none)."""
    first, _, rest = module.partition(".")
    folder = rest.partition(".")[0]
    if first == "ui" and folder in PAGE_FOLDERS:
        return FLOORS.index(PAGE_FLOOR), folder
    two = f"{first}.{folder}"
    return FLOORS.index(two if two in FLOORS else first), ""


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    here, page = floor(module)
    upward = []
    for other in imports(module):
        there, other_page = floor(other)
        if there < here or (here == there and page != other_page):
            upward.append(other)
    assert upward == []


def test_there_is_no_circle() -> None:
    left = {module: imports(module, types=False) for module in MODULES}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert left == {}


def definitions() -> dict[str, list[str]]:
    """Name of every function and class that stands in a module -> the modules."""
    found = defaultdict(list)
    for module, tree in parse_all().items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in ONE_A_MODULE:
                found[node.name].append(module)
    return found


# Entry points, which have one name by convention: of a page, of a program, of a loader.
ONE_A_MODULE = ("main", "page", "get")


def test_no_name_stands_in_two_modules() -> None:
    assert {name: where for name, where in definitions().items() if len(where) > 1} == {}


def test_names_are_of_more_than_one_word() -> None:
    names = definitions()
    short = [name for name in names if re.fullmatch("_?[a-z]+", name)]
    assert len(short) <= 0.1 * len(names), short


def private_uses(tree: ast.Module) -> list[str]:
    """The private names that a file takes from modules of ours."""
    ours, found = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if f"{node.module}.{alias.name}" in MODULES:
                    ours.add(alias.asname or alias.name)
                elif re.match("_[^_]", alias.name) and node.module.split(".")[0] in HOUSE:
                    found.append(alias.name)
    return found + [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and re.match("_[^_]", node.attr)
        and isinstance(node.value, ast.Name)
        and node.value.id in ours
    ]


def test_no_module_takes_private_names_of_another() -> None:
    files = [path for folder in ("benchmarks", "docs") for path in (ROOT / folder).rglob("*.py")]
    trees = parse_all() | {str(path): ast.parse(path.read_text("utf-8")) for path in files}
    found = {name: private_uses(tree) for name, tree in trees.items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_no_function_is_over_sixty_lines() -> None:
    long = {
        f"{module}.{node.name}": lines
        for module, tree in parse_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > 60
    }
    assert long == {}


def test_one_module_opens_drivers_and_sessions() -> None:
    opening = ("GraphDatabase", "AsyncGraphDatabase")
    users = [
        name
        for name, path in MODULES.items()
        if any(word in path.read_text("utf-8") for word in opening)
    ]
    assert users == ["graph.server.database"]


def test_the_screen_holds_no_cypher() -> None:
    """Statements stand in queries/, or in graph/ under a function; help may show an example."""
    found = {
        f"{name}:{node.lineno}"
        for name, tree in parse_all().items()
        if name.partition(".")[0] in ("ui", "cli", "app")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(r"\b(MATCH|MERGE|UNWIND)\b", node.value) and node not in docstrings(tree)
    }
    assert found == set()


def docstrings(tree: ast.Module) -> list[ast.AST]:
    """The docstrings in a module."""
    return [
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
        if isinstance(node.body[0], ast.Expr)
    ]


def test_one_module_declares_components() -> None:
    users = [
        name
        for name, tree in parse_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "component"
        if ast.unparse(node).endswith("components.v2.component")
    ]
    assert users == ["ui.browser.component"]


# Streamlit's caches outside `cache_by_graph_state`: what does not depend on the graph's state.
OTHER_CACHES = {
    "ui.reading.cached_metrics",  # the one pool of background jobs
    "ui.reading.restatement",  # snapshots of earlier revisions, by folder
}


def test_every_download_is_logged() -> None:
    """Files leave the app by one function, which writes a line of the audit log first."""
    users = [n for n, path in MODULES.items() if "st.download_button" in path.read_text("utf-8")]
    assert users == ["ui.controls.downloads"]


def test_what_is_read_of_the_graph_is_cached_by_one_decorator() -> None:
    users = {
        name
        for name, tree in parse_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("cache_data", "cache_resource")
    }
    assert users == OTHER_CACHES | {"ui.shell.graph_state"}


def test_one_module_locks_files_without_filelock() -> None:
    users = [
        name
        for name, tree in parse_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and "'fcntl'" in ast.dump(node)
    ]
    assert users == ["graph.server.locks"]


def test_a_choice_of_the_same_codes_is_declared_once() -> None:
    """`Literal["a", "b"]` equals `Literal["b", "a"]`, and Python shows the one it met first: help
    and docs/commands.md would change with the order of imports.
    """
    declared = defaultdict(set)
    for tree in parse_all().values():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)):
                continue
            if node.value.id == "Literal":
                text = ast.unparse(node.slice).strip("()")
                declared[tuple(sorted(text.split(", ")))].add(text)
    assert {codes for codes, written in declared.items() if len(written) > 1} == set()


@pytest.mark.parametrize("name", ["model.md", "commands.md"])
def test_made_pages_are_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == pages()[name], "run `make docs`"


def test_every_page_of_the_app_is_documented() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for module in PAGES.values():
        assert f"{module.replace('.', '/')}.py" in readme


def test_every_target_of_make_is_documented() -> None:
    lines = (ROOT / "Makefile").read_text("utf-8").splitlines()
    targets = [line.split(":")[0] for line in lines if ": " in line and "## " in line]
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [t for t in targets if f"make {t}" not in contributing] == []


def test_no_other_distribution_owns_our_import_names() -> None:
    owners = metadata.packages_distributions()
    for name in OURS:
        assert set(owners.get(name, ["shicheng"])) == {"shicheng"}


def test_the_formatter_decides() -> None:
    mark = "# fmt: " + "skip"
    marks = sum(path.read_text("utf-8").count(mark) for path in ROOT.glob("[!.]*/**/*.py"))
    assert marks < 20


def test_types_are_seldom_ignored() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]
    checked = {name.removesuffix(".py") for name in settings["files"]}
    assert checked == {*OURS, "benchmarks", "docs", "setup"} and settings["strict"]
    mark = "# type: " + "ignore"
    files = [f for name in settings["files"] for f in (*(ROOT / name).rglob("*.py"), ROOT / name)]
    assert sum(f.read_text("utf-8").count(mark) for f in files if f.is_file()) < 10


def test_no_registry_address_in_the_project() -> None:
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "repo1" + ".maven",
        "maven.apache" + ".org",
        "registry.npmjs" + ".org",
    )
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "ignore")
            assert [host for host in hosts if host in text] == [], path

"""Who imports whom, and whether the docs say what the code does."""

from __future__ import annotations

import ast
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from docs.make import pages

ROOT = Path(__file__).parents[2]
OURS = ("graph", "loaders", "components", "pages", "app", "shicheng")
# Imports go one way: each may import itself and what stands to its right.
LAYERS = {
    "graph": {"graph"},
    "loaders": {"loaders", "graph"},
    "components": {"components", "loaders", "graph"},
    # A page that is opened by its address before app.py has run starts the app.
    "pages": {"pages", "components", "loaders", "graph", "app"},
}
MODULES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The top-level names of ours that a module imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found & set(OURS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    assert imported(path) <= LAYERS[layer]


def test_one_module_opens_drivers_and_sessions() -> None:
    opening = ("GraphDatabase", "AsyncGraphDatabase")
    users = [
        path.name
        for path in [*MODULES, ROOT / "app.py", ROOT / "shicheng.py"]
        if any(word in path.read_text("utf-8") for word in opening)
    ]
    assert users == ["database.py"]


@pytest.mark.parametrize("name", ["model.md", "commands.md"])
def test_made_pages_are_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == pages()[name], "run `make docs`"


def test_every_page_of_the_app_is_documented() -> None:
    readme = (ROOT / "docs" / "README.md").read_text("utf-8")
    for page in (ROOT / "pages").glob("*.py"):
        if page.stem != "__init__":
            assert f"pages/{page.name}" in readme


def test_every_target_of_make_is_documented() -> None:
    lines = (ROOT / "Makefile").read_text("utf-8").splitlines()
    targets = [line.split(":")[0] for line in lines if ": " in line and "## " in line]
    readme = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert [t for t in targets if f"make {t}" not in readme] == []


def test_no_other_distribution_owns_our_import_names() -> None:
    owners = metadata.packages_distributions()
    for name in OURS:
        assert set(owners.get(name, ["shicheng"])) == {"shicheng"}


def test_no_registry_address_in_the_project() -> None:
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "repo1" + ".maven", "maven.apache" + ".org",
             "registry.npmjs" + ".org")  # fmt: skip
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "ignore")
            assert [host for host in hosts if host in text] == [], path

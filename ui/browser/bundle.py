"""The scripts of `ui/` as one text each: a script, and before it every module it imports.

The files are ES modules, so that a linter and a type checker read them as they stand. Streamlit
and a page on a disk take one text that fetches nothing, so Python joins them: each module once,
after those it imports. That needs no other tool, because the modules use a part of the language
only, each on lines of its own and nothing renamed: `import { a, b } from "./x.js";`,
`import MEASURES from "./measures.json" with { type: "json" };`, `export` before a declaration.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

IMPORT_PATTERN = re.compile(
    r"^import (?:\{\s*\w+(?:,\s*\w+)*,?\s*\}|(?P<name>\w+)) from \"(?P<path>\.{1,2}/[^\"]+)\""
    r"(?: with \{ type: \"(?P<type>json|text)\" \})?;\n",
    re.MULTILINE,
)
EXPORT_PATTERN = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)
DECLARATION_PATTERN = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE
)
UNKNOWN_PATTERN = re.compile(r"^(?:import\b|export (?!default\b)).*", re.MULTILINE)


class BundleError(Exception):
    """A module says something that `bundle_script` cannot join."""


def bundle_script(path: Path, constants: Mapping[str, object] | None = None) -> str:
    """The ES module at `path` with all it imports, as one module that imports nothing.

    `constants` come first, as JSON: what only Python knows. A circle, an import of another form,
    and a name that two modules declare raise `BundleError`.
    """
    parts = [f"const {name} = {json.dumps(value)};\n" for name, value in (constants or {}).items()]
    declared = dict.fromkeys(constants or {}, path)
    for module in list_modules(path):
        for name in _list_declared_names(module):
            if name in declared:
                raise BundleError(f"{name} stands in {declared[name]} and in {module}.")
            declared[name] = module
        parts.append(_inline_module(module, keep_exports=module == path.resolve()))
    return "".join(parts)


def list_modules(path: Path) -> list[Path]:
    """The files that a script is joined from, each after those it imports, the script last."""
    found: list[Path] = []
    _visit_module(path.resolve(), found, [])
    return found


def _visit_module(path: Path, found: list[Path], above: list[Path]) -> None:
    if path in above:
        raise BundleError(f"{path} imports itself by way of {above[-1]}.")
    if path in found:
        return
    if path.suffix == ".js":
        for match in IMPORT_PATTERN.finditer(_read_source(path)):
            _visit_module((path.parent / match["path"]).resolve(), found, [*above, path])
    found.append(path)


def _list_declared_names(path: Path) -> list[str]:
    if path.suffix == ".js":
        return DECLARATION_PATTERN.findall(_read_source(path))
    return [_name_asset(path)]


def _name_asset(path: Path) -> str:
    """The one name under which modules import what is no script: MEASURES, LINEAGE_CSS."""
    name = path.stem if path.suffix == ".json" else path.name
    return re.sub(r"\W", "_", name).upper()


def _inline_module(path: Path, *, keep_exports: bool) -> str:
    text = _read_source(path)
    if path.suffix != ".js":
        value = json.dumps(json.loads(text) if path.suffix == ".json" else text)
        return f"const {_name_asset(path)} = {value};\n"
    for match in IMPORT_PATTERN.finditer(text):
        target = path.parent / match["path"]
        if match["name"] and match["name"] != _name_asset(target):
            raise BundleError(f"{path} must import {target.name} as {_name_asset(target)}.")
    text = IMPORT_PATTERN.sub("", text)
    text = EXPORT_PATTERN.sub("", text)
    odd = UNKNOWN_PATTERN.search(text)
    if odd or (not keep_exports and re.search(r"^export\b", text, re.MULTILINE)):
        raise BundleError(
            f"{path} cannot be joined: {odd[0] if odd else 'a default that is imported'}"
        )
    return text


@cache
def _read_source(path: Path) -> str:
    return path.read_text("utf-8")

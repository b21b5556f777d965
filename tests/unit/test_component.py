"""Scripts of the pages are declared once a process, under their own names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from ui.browser.component import declare_component


def test_a_script_is_declared_once_with_what_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared: list[tuple[str, dict[str, Any]]] = []

    def component(name: str, **given: Any) -> object:
        declared.append((name, given))
        return object()

    monkeypatch.setattr(st.components.v2, "component", component)
    (tmp_path / "helper.js").write_text("export const ONE = 1;\n", "utf-8")
    script = tmp_path / "blink.js"
    script.write_text(
        'import { ONE } from "./helper.js";\nexport default function () { return ONE; }\n', "utf-8"
    )
    assert declare_component(script) is declare_component(script)
    declare_component(script, isolate_styles=False)
    text = "const ONE = 1;\nexport default function () { return ONE; }\n"
    assert declared == [
        ("shicheng_blink", {"js": text, "isolate_styles": True}),
        ("shicheng_blink", {"js": text, "isolate_styles": False}),
    ]

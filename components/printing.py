"""A button that opens the browser's own printing."""

from __future__ import annotations

from functools import cache
from typing import Any

SCRIPT = """
export default function ({ data, parentElement }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sc-button";
  button.textContent = data;
  button.onclick = () => window.print();
  parentElement.replaceChildren(button);
}
"""


def print_button(label: str) -> None:
    """The button; what stands on paper is the page's print style."""
    _component()(key="print", data=label, width="content", height="content")


@cache
def _component() -> Any:
    import streamlit as st

    return st.components.v2.component("shicheng_print", js=SCRIPT, isolate_styles=False)

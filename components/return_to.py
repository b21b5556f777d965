"""Brings a visitor who had to sign in back to the address that was asked for.

The provider sends everyone to the app's first page, so the address waits in the browser's tab
meanwhile. It holds ids and settings, never a name (as every address of the app).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

SCRIPT: Final = """
const KEY = "shicheng.asked";
export default function ({ data }) {
  if (data === "keep") {
    sessionStorage.setItem(KEY, location.pathname + location.search);
    return;
  }
  const asked = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (asked && asked !== location.pathname + location.search) location.replace(asked);
}
"""


@cache
def _component() -> Any:
    import streamlit as st

    return st.components.v2.component("shicheng_return", js=SCRIPT)


def keep_address() -> None:
    """Keeps the address while the visitor signs in; draws nothing."""
    _component()(key="return_to", data="keep")


def return_to_address() -> None:
    """Goes to the address kept before signing in, once; draws nothing."""
    _component()(key="return_to", data="go")

"""Brings a visitor who had to sign in back to the address that was asked for.

The provider sends everyone to the app's first page, so the address waits in the browser's tab
meanwhile. It holds ids and settings, never a name (as every address of the app).
"""

from __future__ import annotations

from pathlib import Path

from ui.browser.component import declare_component

RETURN_TO_SCRIPT_PATH = Path(__file__).with_name("return_to.js")


def save_address() -> None:
    """Keeps the address while the visitor signs in; draws nothing."""
    declare_component(RETURN_TO_SCRIPT_PATH)(key="return_to", data="keep")


def restore_address() -> None:
    """Goes to the address stored before signing in, once; draws nothing."""
    declare_component(RETURN_TO_SCRIPT_PATH)(key="return_to", data="go")

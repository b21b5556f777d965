"""Controls whose choice stands in the page's address, so that the link reopens what is seen.

What the address says is what a control shows: a change is written there first, then the page is
drawn from it. Only codes and ids go there. A value that nobody has any more is shown as it is, not
dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

import streamlit as st

from components.i18n import current_language, t

# Of several none, told from those that are there when nothing was asked for.
NONE: Final = "none"
# Seconds within which a browser may not have been told the address of a choice.
LATE = 1.0


def write(name: str, value: str | None, default: str | None = None) -> None:
    """Puts a value into the address; the default, and nothing, stand by being left out."""
    st.session_state.pop(_before(name), None)
    _put(name, value, default)


def _put(name: str, value: str | None, default: str | None = None) -> None:
    if value and value != default:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def tell() -> None:
    """Tells the browser the address: a link to the page one is on does not change what it shows."""
    st.query_params.from_dict({name: st.query_params.get_all(name) for name in st.query_params})


def choice(
    page: str, name: str, title: str, options: Mapping[str, str], *, help: str | None = None
) -> str | None:
    """A list to choose one from, or none of; the chosen code."""
    key, named = _of_list(page, name), dict(options)
    asked = st.query_params.get(name) or None
    if asked:
        named.setdefault(asked, asked)
    _follow(key, name, asked)
    chosen: str | None = st.selectbox(
        title, list(named), index=None, key=key, placeholder=t("any"), help=help,
        format_func=lambda code: named.get(code, code),
        on_change=_chosen, args=(key, name),
    )  # fmt: skip
    _put(name, chosen)
    return chosen


def one_of(
    page: str, name: str, title: str, options: Mapping[str, str], default: str, *,
    help: str | None = None, folded: bool = False, untitled: bool = False, width: int | None = None,
    leaves: Sequence[str] = (),
) -> str:  # fmt: skip
    """One of few, always one: a segmented control, or a list when `folded`.

    `untitled`: the title is for those who hear the page. Another choice takes the parameters
    `leaves` out of the address, what the choice before was looked at with.
    """
    key = _of_list(page, name) if folded else f"{page}_{name}"
    asked = st.query_params.get(name)
    _follow(key, name, asked if asked in options else default)
    given: dict[str, Any] = {
        "key": key, "format_func": lambda code: options[code], "help": help,
        "label_visibility": "collapsed" if untitled else "visible",
        "on_change": _chosen, "args": (key, name, default, leaves),
    } | ({"width": width} if width else {})  # fmt: skip
    if folded:
        chosen: str = st.selectbox(title, list(options), **given)
    else:
        chosen = st.segmented_control(title, list(options), required=True, **given)
    _put(name, chosen, default)
    return chosen


def several(
    page: str, name: str, title: str, options: Mapping[str, str], default: Sequence[str]
) -> list[str]:
    """Some of many, in the order chosen; the default as long as none is."""
    key, asked = _of_list(page, name), st.query_params.get(name)
    known = [code for code in (asked or "").split(",") if code in options]
    _follow(key, name, known if known or asked == NONE else list(default))
    chosen = st.multiselect(
        title, list(options), key=key, format_func=lambda code: options[code],
        on_change=_chosen, args=(key, name, ",".join(default)),
    )  # fmt: skip
    _put(name, ",".join(chosen) or NONE, ",".join(default))
    return chosen or list(default)


def _of_list(page: str, name: str) -> str:
    """The key of a list: one a language, for a list goes on showing the word it was chosen by."""
    return f"{page}_{name}_{current_language()}"


def _follow(key: str, name: str, value: Any) -> None:
    """Gives a control what the address says, unless it has it.

    It has not when it is drawn anew (Streamlit forgets a control while another page is shown), and
    when a link, or the browser's way back, led to another address of the page it stands on.
    """
    if key not in st.session_state or (st.session_state[key] != value and not _late(name)):
        st.session_state[key] = value


def _late(name: str) -> bool:
    """Whether the address is the one before the last choice: a next one came before it was told."""
    before, at = st.session_state.get(_before(name), (None, -LATE))
    return st.query_params.get(name) == before and monotonic() - at < LATE


def _before(name: str) -> str:
    return f"address_before_{name}"


def _chosen(key: str, name: str, default: str | None = None, leaves: Sequence[str] = ()) -> None:
    """Writes what a visitor has just chosen, before the page is drawn with it."""
    before, chosen = st.query_params.get(name), st.session_state[key]
    write(name, chosen if isinstance(chosen, str | None) else ",".join(chosen) or NONE, default)
    st.session_state[_before(name)] = before, monotonic()
    for other in leaves:
        write(other, None)


def ids(name: str) -> list[str]:
    """The ids that the address names, each once."""
    return list(dict.fromkeys(i for i in st.query_params.get(name, "").split(",") if i))


def clear(*names: str) -> None:
    """Takes these choices away, for a button."""
    for name in names:
        write(name, None)

"""Controls whose choice stands in the page's address, so that the link reopens what is seen.

Only codes and ids go there. A value that nobody has any more is shown as it is, not dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from components.i18n import t


def write(name: str, value: str | None, default: str | None = None) -> None:
    """Puts a value into the address; the default, and nothing, stand by being left out."""
    if value and value != default:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def choice(
    page: str, name: str, title: str, options: Mapping[str, str], *, help: str | None = None
) -> str | None:
    """A list to choose one from, or none of; the chosen code."""
    key, named = f"{page}_{name}", dict(options)
    asked = st.query_params.get(name)
    if asked and asked not in named:
        named[asked] = asked
    if asked and key not in st.session_state:
        st.session_state[key] = asked
    chosen: str | None = st.selectbox(
        title, list(named), index=None, key=key, placeholder=t("any"), help=help,
        format_func=lambda code: named.get(code, code),
    )  # fmt: skip
    write(name, chosen)
    return chosen


def one_of(
    page: str, name: str, title: str, options: Mapping[str, str], default: str, *,
    help: str | None = None, folded: bool = False,
) -> str:  # fmt: skip
    """One of few, always one: a segmented control, or a list when `folded`."""
    key = f"{page}_{name}"
    if key not in st.session_state or st.session_state[key] not in options:
        asked = st.query_params.get(name)
        st.session_state[key] = asked if asked in options else default
    if folded:
        chosen = st.selectbox(
            title, list(options), key=key, format_func=lambda code: options[code], help=help
        )
    else:
        chosen = st.segmented_control(
            title, list(options), key=key, format_func=lambda code: options[code], help=help,
            required=True,
        )  # fmt: skip
    chosen = chosen if chosen in options else default
    write(name, chosen, default)
    return chosen


def several(
    page: str, name: str, title: str, options: Mapping[str, str], default: Sequence[str]
) -> list[str]:
    """Some of many, in the order chosen."""
    key = f"{page}_{name}"
    if key not in st.session_state:
        asked = [code for code in st.query_params.get(name, "").split(",") if code in options]
        st.session_state[key] = asked or list(default)
    chosen = st.multiselect(title, list(options), key=key, format_func=lambda code: options[code])
    write(name, ",".join(chosen) or None, ",".join(default))
    return chosen or list(default)


def ids(name: str) -> list[str]:
    """The ids that the address names, each once."""
    return list(dict.fromkeys(i for i in st.query_params.get(name, "").split(",") if i))


def clear(page: str, names: Sequence[str]) -> None:
    """Takes these choices away, for a button."""
    for name in names:
        st.session_state.pop(f"{page}_{name}", None)
        write(name, None)

"""The policy of the visit: kept in the session and in the page's address, changed in one form."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from components.address import tell, write
from components.i18n import current_language, label, t
from graph.errors import UsageError
from graph.model import LEVELS
from graph.policy import CHANNELS, Policy

# The names in the page's address; only what is not the default stands there.
PARAMETERS = (
    "window", "generations", "high_skilled_level", "ordered", "channels", "undated", "as_of",
)  # fmt: skip
MOST_GENERATIONS = 6


def current_policy() -> Policy:
    """The policy of this visit: the address's where it names one, else the session's."""
    given = {name: st.query_params[name] for name in PARAMETERS if name in st.query_params}
    if given:
        try:
            st.session_state["policy"] = policy_of(given)
        except (UsageError, ValueError):
            _write_address(st.session_state.get("policy", Policy()))
    policy: Policy | None = st.session_state.get("policy")
    if policy is None:
        return Policy()
    return policy


def policy_of(given: dict[str, str]) -> Policy:
    """The policy an address names. Raises `UsageError` or `ValueError` when it names none."""
    options: dict[str, Any] = dict(given)
    options["ordered"] = given.get("ordered", "true") != "false"
    if "high_skilled_level" in given:
        options["high_skilled_level"] = int(given["high_skilled_level"])
    return Policy.parsed(**options)


def parameters_of(policy: Policy) -> dict[str, str]:
    """What the address says of a policy: each field that is not the default."""
    default = Policy().as_dict()
    texts: dict[str, str] = {}
    for name, value in policy.as_dict().items():
        if value == default[name]:
            continue
        if isinstance(value, list):
            value = ",".join(value)
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def keep_policy(policy: Policy) -> None:
    """Makes `policy` that of the visit."""
    st.session_state["policy"] = policy
    _write_address(policy)


def address() -> None:
    """Writes language and policy into the page's address, so that it reopens what is seen."""
    _write_address(current_policy())
    if "language" in st.session_state:
        st.query_params["lang"] = st.session_state["language"]
    tell()


def _write_address(policy: Policy) -> None:
    wanted = parameters_of(policy)
    for name in PARAMETERS:
        write(name, wanted.get(name))


def policy_form(key: str) -> None:
    """What the rules mean, and every one of them to set."""
    policy = current_policy()
    st.markdown(definition(policy))
    with st.form(f"policy_{key}", border=False):
        given = _fields(policy, key)
        with st.container(horizontal=True):
            apply = st.form_submit_button(t("Apply"), key=f"{key}_apply", type="primary")
            reset = st.form_submit_button(t("Back to the default"), key=f"{key}_reset")
    if reset:
        keep_policy(Policy())
        _forget(key)
        st.rerun()
    if apply:
        try:
            keep_policy(Policy(**given))
        except UsageError as error:
            st.markdown(str(error))
            return
        st.rerun()


def _forget(key: str) -> None:
    for name in [n for n in st.session_state if str(n).startswith(f"{key}_field_")]:
        del st.session_state[name]


def _fields(policy: Policy, key: str) -> dict[str, Any]:
    language = current_language()
    start, end = st.columns(2)
    given: dict[str, Any] = {
        "window_start": _day(start, t("Window from"), policy.window_start, f"{key}_field_start"),
        "window_end": _day(end, t("to"), policy.window_end, f"{key}_field_end"),
    }
    left, right = st.columns(2)
    choices: list[int | None] = [*range(1, MOST_GENERATIONS + 1), None]
    if policy.generations not in choices:
        choices.insert(-1, policy.generations)
    given["generations"] = left.selectbox(
        t("Generations"), choices, index=choices.index(policy.generations),
        format_func=lambda n: t("no limit") if n is None else str(n),
        key=f"{key}_field_generations",
    )  # fmt: skip
    given["high_skilled_level"] = right.selectbox(
        t("High-skilled from level"), list(LEVELS), index=policy.high_skilled_level - 1,
        format_func=lambda n: f"{n} {label(LEVELS[n], language)}", key=f"{key}_field_level",
    )  # fmt: skip
    names = {"mentorship": t("mentorship"), "studio": t("studio")}
    given["channels"] = tuple(
        st.multiselect(
            t("Channels"), CHANNELS, default=list(policy.channels),
            format_func=lambda c: names[c], key=f"{key}_field_channels",
        )
    )  # fmt: skip
    given["ordered"] = st.checkbox(
        t("Dates of a chain must not go back"), policy.ordered, key=f"{key}_field_ordered"
    )
    undated = st.checkbox(
        t("Include links without a date"), policy.undated == "include", key=f"{key}_field_undated"
    )
    given["undated"] = "include" if undated else "exclude"
    given["as_of"] = _day(st, t("Pending as of"), policy.as_of, f"{key}_field_as_of")
    return given


def _day(where: Any, name: str, value: date, key: str) -> date:
    chosen = where.date_input(
        name, value, min_value=date(1949, 10, 1), max_value=date(2099, 12, 31),
        format="YYYY-MM-DD", key=key,
    )  # fmt: skip
    return chosen if isinstance(chosen, date) else value


def definition(policy: Policy) -> str:
    """The policy as sentences (Markdown)."""
    level = label(LEVELS[policy.high_skilled_level], current_language())
    lines = [
        t(
            "A new high-skilled person first reaches level {n} ({level}) or above between {start} "
            "and {end}. A person-time is each promotion to such a level in that window.",
            n=policy.high_skilled_level, level=level,
            start=policy.window_start, end=policy.window_end,
        )
    ]  # fmt: skip
    if policy.generations is None:
        lines.append(t("Chains of any length from a leading talent count."))
    else:
        lines.append(t("Chains of at most {n} links count.", n=policy.generations))
    if policy.ordered:
        lines.append(t("Each link starts no earlier than the one before, and before the day."))
    else:
        lines.append(t("The dates of the links are ignored."))
    if policy.undated == "exclude":
        lines.append(t("Links without a date do not count."))
    else:
        lines.append(t("Links without a date count as always having been there."))
    return "\n".join(f"- {line}" for line in lines)

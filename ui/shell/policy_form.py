"""The policy of the visit: stored in the session and in the page's address, changed in one form."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

import streamlit as st

from graph.errors import UsageError
from graph.model.vocabularies import LEVELS
from graph.policy import CHANNELS, YEAR_ALONE, Policy
from ui.shell.address import (
    record_address_fault,
    send_address_to_browser,
    write_parameter,
    write_parameters,
)
from ui.shell.visitor import identify_visitor
from ui.words.i18n import LANGUAGE_NAMES, current_language, t, translate_label, translate_message

# The names in the page's address; only what is not the default stands there.
POLICY_PARAMETERS = (
    "window",
    "generations",
    "high_skilled_level",
    "ordered",
    "channels",
    "undated",
    "as_of",
    "year_alone",
)
MAX_FORM_GENERATIONS = 6


def current_policy() -> Policy:
    """The policy of this visit: the address's where it names one, else the session's."""
    given = {name: st.query_params[name] for name in POLICY_PARAMETERS if name in st.query_params}
    if not _is_policy_open(st.session_state.get("policy", Policy())):
        st.session_state.pop("policy", None)  # of whoever visited before
    if given:
        found, wrong = parse_open_parameters(given)
        for name, value in wrong.items():
            record_address_fault(name, value)
        if len(wrong) < len(given):
            st.session_state["policy"] = found
        if wrong:
            _write_policy_address(st.session_state.get("policy", Policy()))
    policy: Policy | None = st.session_state.get("policy")
    if policy is None:
        return Policy()
    return policy


def _is_policy_open(policy: Policy) -> bool:
    """Whether this visitor may count by the policy.

    Whoever must not learn of everybody counts in months: of two windows of which one is a day
    longer, the difference tells that somebody rose on that day.
    """
    return _counts_in_months(policy) or not identify_visitor().is_limited


def _counts_in_months(policy: Policy) -> bool:
    as_of_open = policy.as_of == Policy().as_of or _ends_month(policy.as_of)
    return policy.window_start.day == 1 and _ends_month(policy.window_end) and as_of_open


def _ends_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def check_policy_open(policy: Policy) -> Policy:
    """The policy. Raises `UsageError` where this visitor may not count by it."""
    if not _is_policy_open(policy):
        raise UsageError(
            "Your account counts in whole months: begin the window on the first day of a month, "
            "end it on the last, and take the last day of a month, or today, for what is pending."
        )
    return policy


def parse_open_parameters(given: dict[str, str]) -> tuple[Policy, dict[str, str]]:
    """The policy of what can be understood and is open to this visitor, and what is not: each by
    itself, then together.
    """
    good: dict[str, str] = {}
    policy, wrong = Policy(), dict[str, str]()
    for name, value in given.items():
        try:
            policy = check_policy_open(parse_policy_parameters(good | {name: value}))
            good[name] = value
        except (UsageError, ValueError):
            wrong[name] = value
    return policy, wrong


def parse_policy_parameters(given: dict[str, str]) -> Policy:
    """The policy an address names. Raises `UsageError` or `ValueError` when it names none."""
    options: dict[str, Any] = dict(given)
    if given.get("ordered", "true") not in ("true", "false"):
        raise UsageError("ordered is true or false, not {ordered!r}.", ordered=given["ordered"])
    options["ordered"] = given.get("ordered", "true") != "false"
    if "high_skilled_level" in given:
        options["high_skilled_level"] = int(given["high_skilled_level"])
    return Policy.parsed(**options)


def format_policy_parameters(policy: Policy) -> dict[str, str]:
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


def save_policy(policy: Policy) -> None:
    """Makes `policy` that of the visit."""
    st.session_state["policy"] = policy
    _write_policy_address(policy)


def write_visit_address() -> None:
    """Writes language and policy into the page's address, so that it reopens what is seen."""
    _write_policy_address(current_policy())
    if (lang := st.query_params.get("lang")) is not None and lang not in LANGUAGE_NAMES:
        record_address_fault("lang", lang)
        write_parameter("lang", None)
    if "language" in st.session_state:
        st.query_params["lang"] = st.session_state["language"]
    send_address_to_browser()


def _write_policy_address(policy: Policy) -> None:
    wanted = format_policy_parameters(policy)
    write_parameters({name: wanted.get(name) for name in POLICY_PARAMETERS})


def draw_policy_form(key: str) -> None:
    """What the rules mean, and every one of them to set."""
    policy = current_policy()
    st.markdown(describe_policy(policy))
    with st.form(f"policy_{key}", border=False):
        given = _draw_policy_fields(policy, key)
        with st.container(horizontal=True):
            apply = st.form_submit_button(t("Apply"), key=f"{key}_apply", type="primary")
            reset = st.form_submit_button(t("Back to the default"), key=f"{key}_reset")
    if reset:
        save_policy(Policy())
        _clear_policy_fields(key)
        st.rerun()
    if apply:
        try:
            save_policy(check_policy_open(Policy(**given)))
        except UsageError as error:
            st.markdown(translate_message(error))
            return
        st.rerun()


def _clear_policy_fields(key: str) -> None:
    for name in [n for n in st.session_state if str(n).startswith(f"{key}_field_")]:
        del st.session_state[name]


def _draw_policy_fields(policy: Policy, key: str) -> dict[str, Any]:
    language = current_language()
    start, end = st.columns(2)
    given: dict[str, Any] = {
        "window_start": _draw_day_field(
            start, t("Window from"), policy.window_start, f"{key}_field_start"
        ),
        "window_end": _draw_day_field(end, t("to"), policy.window_end, f"{key}_field_end"),
    }
    left, right = st.columns(2)
    choices: list[int | None] = [*range(1, MAX_FORM_GENERATIONS + 1), None]
    if policy.generations not in choices:
        choices.insert(-1, policy.generations)
    given["generations"] = left.selectbox(
        t("Generations"),
        choices,
        index=choices.index(policy.generations),
        format_func=lambda n: t("no limit") if n is None else str(n),
        key=f"{key}_field_generations",
    )
    given["high_skilled_level"] = right.selectbox(
        t("High-skilled from level"),
        list(LEVELS),
        index=policy.high_skilled_level - 1,
        format_func=lambda n: f"{n} {translate_label(LEVELS[n], language)}",
        key=f"{key}_field_level",
    )
    names = {"mentorship": t("mentorship"), "studio": t("studio")}
    given["channels"] = tuple(
        st.multiselect(
            t("Channels"),
            CHANNELS,
            default=list(policy.channels),
            format_func=lambda c: names[c],
            key=f"{key}_field_channels",
        )
    )
    given["ordered"] = st.checkbox(
        t("Dates of a chain must not go back"), policy.ordered, key=f"{key}_field_ordered"
    )
    undated = st.checkbox(
        t("Include undated links"), policy.undated == "include", key=f"{key}_field_undated"
    )
    given["undated"] = "include" if undated else "exclude"
    words = {"last": t("from its last day"), "first": t("from its first day")}
    given["year_alone"] = st.selectbox(
        t("A link known by its year alone counts"),
        YEAR_ALONE,
        index=YEAR_ALONE.index(policy.year_alone),
        format_func=lambda choice: words[choice],
        help=t("An end counts to the last day of its year, and a recognition from the first day."),
        key=f"{key}_field_year_alone",
    )
    given["as_of"] = _draw_day_field(st, t("Pending as of"), policy.as_of, f"{key}_field_as_of")
    return given


def _draw_day_field(where: Any, name: str, value: date, key: str) -> date:
    chosen = where.date_input(
        name,
        value,
        min_value=date(1949, 10, 1),
        max_value=date(2099, 12, 31),
        format="YYYY-MM-DD",
        key=key,
    )
    return chosen if isinstance(chosen, date) else value


def describe_policy(policy: Policy) -> str:
    """The policy as sentences (Markdown)."""
    level = translate_label(LEVELS[policy.high_skilled_level], current_language())
    lines = [
        t(
            "A new high-skilled person first reaches level {n} ({level}) or above between {start} "
            "and {end}. A person-time is each promotion to such a level in that window.",
            n=policy.high_skilled_level,
            level=level,
            start=policy.window_start,
            end=policy.window_end,
        )
    ]
    if policy.generations is None:
        lines.append(t("Chains of any length from a leading talent count."))
    else:
        lines.append(t("Chains of at most {n} links count.", n=policy.generations))
    if policy.ordered:
        lines.append(t("Each link starts no earlier than the one before, and before the day."))
    else:
        lines.append(t("The dates of the links are ignored."))
    if policy.undated == "exclude":
        lines.append(t("Undated links do not count."))
    else:
        lines.append(t("Undated links count as always having been there."))
    if policy.year_alone == "last":
        lines.append(t("A link known by its year alone counts from the last day of that year."))
    else:
        lines.append(t("A link known by its year alone counts from the first day of that year."))
    return "\n".join(f"- {line}" for line in lines)

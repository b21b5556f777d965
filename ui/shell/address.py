"""Controls whose choice stands in the page's address, so that the link reopens what is seen.

What the address says is what a control shows: a change is written there first, then the page is
drawn from it. Only codes and ids go there: what is typed into a text box stands there as a number,
under which the session has the text. A value that nobody has any more is shown as it is, not
dropped; what cannot be used is left out, and the page says so (`record_address_fault`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import polars as pl
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.words.i18n import current_language, t

# Of several none, unlike the default when nothing was asked for.
NO_CHOICE_CODE: Final = "none"
# The number of characters shown of a value that is not used.
MAX_FAULT_VALUE_CHARS: Final = 40
ADDRESS_ID_PATTERN: Final = re.compile(r"\d{14,}[0-9Xx]")
# A code that a control chooses by: any text, or a `Literal`.
ChoiceCode = TypeVar("ChoiceCode", bound=str)
AddressFault = Literal["ignored", "unknown"]


@dataclass
class UnseenChoice:
    """A choice whose address no run of the browser has come with yet.

    `before` is what the address named before it; `is_new` until the run that it caused has ended.
    """

    before: str | None
    is_new: bool = True


def write_parameter(name: str, value: str | None, default: str | None = None) -> None:
    """Puts a value into the address; the default, and nothing, stand by being left out."""
    write_parameters({name: None if value == default else value})


def write_parameters(values: Mapping[str, str | None]) -> None:
    """Puts values into the address; nothing stands by being left out.

    In one address: each that the browser is sent is a step of its history, and of several the way
    back would lead to one between.
    """
    for name in values:
        _get_unseen_choices().pop(name, None)
    _set_or_drop_parameters(values)


def _set_or_drop_parameters(values: Mapping[str, str | None]) -> None:
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    address = dict(before)
    for name, value in values.items():
        if value:
            address[name] = [value]
        else:
            address.pop(name, None)
    if address != before:
        st.query_params.from_dict(address)


def _set_or_drop_parameter(name: str, value: str | None, default: str | None = None) -> None:
    _set_or_drop_parameters({name: None if value == default else value})


def send_address_to_browser() -> None:
    """Tells the browser the address: a link to the page one is on does not change what it shows."""
    st.query_params.from_dict({name: st.query_params.get_all(name) for name in st.query_params})


# --- what of an address is not used -----------------------------------------------------------


def begin_address_run(page: str) -> None:
    """Begins a run: notes on another address or page no longer hold."""
    noted = st.session_state.get("address_faults")
    _forget_seen_choices(moved=noted is None or noted.get("page") != page or is_history_run())
    if noted is None or noted["at"] != (page, _list_address_items()):
        noted = st.session_state["address_faults"] = {"faults": {}}
    noted["page"] = page
    noted["at"] = None


def end_address_run(*, complete: bool) -> None:
    """Ends a run: what it has said stands until the address changes.

    One that is not `complete` begins anew, before the browser is asked.
    """
    noted = st.session_state.get("address_faults")
    if noted is not None:
        noted["at"] = (noted.get("page"), _list_address_items())
    if complete:
        for choice in _get_unseen_choices().values():
            choice.is_new = False


def _list_address_items() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((n, tuple(st.query_params.get_all(n))) for n in st.query_params))


def record_address_fault(name: str, value: str, fault: AddressFault = "ignored") -> None:
    """Notes that the address's value is left out, or that nothing here has it; the page says so."""
    noted = st.session_state.setdefault("address_faults", {"faults": {}, "at": None})
    shown = ADDRESS_ID_PATTERN.sub("\N{HORIZONTAL ELLIPSIS}", value)
    short = (
        shown
        if len(shown) <= MAX_FAULT_VALUE_CHARS
        else shown[:MAX_FAULT_VALUE_CHARS] + "\N{HORIZONTAL ELLIPSIS}"
    )
    noted["faults"][name] = (fault, short)


def list_address_faults() -> dict[str, tuple[AddressFault, str]]:
    """Name of a parameter -> what is wrong with it, and its value as it may be shown."""
    noted = st.session_state.get("address_faults")
    return dict(noted["faults"]) if noted else {}


# --- controls ---------------------------------------------------------------------------------


def draw_optional_select(
    page: str, name: str, title: str, options: Mapping[str, str], *, help: str | None = None
) -> str | None:
    """A list to choose one from, or none of; the chosen code."""
    key, named = _format_list_key(page, name), dict(options)
    asked = st.query_params.get(name) or None
    if asked and asked not in named:
        named[asked] = asked
        record_address_fault(name, asked, "unknown")
    _sync_control_value(key, name, asked)
    chosen: str | None = st.selectbox(
        title,
        list(named),
        index=None,
        key=key,
        placeholder=t("any"),
        help=help,
        format_func=lambda code: named.get(code, code),
        on_change=_record_choice,
        args=(key, name),
    )
    _set_or_drop_parameter(name, chosen)
    return chosen


def draw_required_choice(
    page: str,
    name: str,
    title: str,
    options: Mapping[ChoiceCode, str],
    default: ChoiceCode,
    *,
    help: str | None = None,
    folded: bool = False,
    untitled: bool = False,
    width: int | None = None,
    leaves: Sequence[str] = (),
) -> ChoiceCode:
    """One of few, always one: a segmented control, or a list when `folded`.

    `untitled`: the title is for those who hear the page. Another choice takes the parameters
    `leaves` out of the address, what the choice before was looked at with.
    """
    key = _format_list_key(page, name) if folded else f"{page}_{name}"
    asked = st.query_params.get(name)
    if asked is not None and asked not in options:
        record_address_fault(name, asked)
    _sync_control_value(key, name, asked if asked in options else default)
    given: dict[str, Any] = {
        "key": key,
        "format_func": lambda code: options[code],
        "help": help,
        "label_visibility": "collapsed" if untitled else "visible",
        "on_change": _record_choice,
        "args": (key, name, default, leaves),
    } | ({"width": width} if width else {})
    if folded:
        chosen: ChoiceCode = st.selectbox(title, list(options), **given)
    else:
        chosen = st.segmented_control(title, list(options), required=True, **given)
    _set_or_drop_parameter(name, chosen, default)
    return chosen


def draw_multi_select(
    page: str, name: str, title: str, options: Mapping[str, str], default: Sequence[str]
) -> list[str]:
    """Some of many, in the order chosen; the default as long as none is."""
    key, asked = _format_list_key(page, name), st.query_params.get(name)
    given = [code for code in (asked or "").split(",") if code and code != NO_CHOICE_CODE]
    known = [code for code in given if code in options]
    if unknown := [code for code in given if code not in options]:
        record_address_fault(name, ",".join(unknown))
    _sync_control_value(key, name, known if known or asked == NO_CHOICE_CODE else list(default))
    chosen = st.multiselect(
        title,
        list(options),
        key=key,
        format_func=lambda code: options[code],
        on_change=_record_choice,
        args=(key, name, ",".join(default)),
    )
    _set_or_drop_parameter(name, ",".join(chosen) or NO_CHOICE_CODE, ",".join(default))
    return chosen or list(default)


def draw_text_box(page: str, name: str, title: str, **given: Any) -> str:
    """A box to type into; what is typed, stored in the session under a number in the address.

    So a link says nothing of it, and the way back brings it again. Typing on is no further step.
    """
    key, typed = format_text_box_key(page, name), st.session_state.setdefault("address_typed", {})
    number = st.query_params.get(name)
    if number is not None and number not in typed:
        record_address_fault(name, number)
        _set_or_drop_parameter(name, None)
        number = None
    _sync_control_value(key, name, typed.get(number, ""))
    found = st.text_input(title, key=key, on_change=_record_typed_text, args=(key, name), **given)
    return (found or "").strip()


def format_text_box_key(page: str, name: str) -> str:
    """The key of a box to type into."""
    return f"{page}_{name}_text"


def _record_typed_text(key: str, name: str) -> None:
    """Keeps what has just been typed: under the number that stands, when it is typed on."""
    typed, now = st.session_state["address_typed"], st.session_state[key] or ""
    number = st.query_params.get(name)
    # A browser that types fast does not know the number yet.
    last, address = st.session_state.get(f"{key}_last", (None, None))
    number = last if number == address else number
    before = typed.get(number, "")
    on = bool(before) and bool(now) and (now.startswith(before) or before.startswith(now))
    if on and number:
        typed[number] = now
    elif now:
        number = store_typed_text(now)
    before_it = st.query_params.get(name)
    _record_unseen_choice(name, before_it)
    st.session_state[f"{key}_last"] = (number if now else None), before_it
    _set_or_drop_parameter(name, number if now else None)


def store_typed_text(value: str) -> str:
    """The number under which a text stands from now on, for a way to the page with its box."""
    typed = st.session_state.setdefault("address_typed", {})
    number = str(len(typed) + 1)
    typed[number] = value
    return number


def fill_text_box(page: str, name: str, value: str) -> None:
    """Puts a text into the box, for a button; nothing empties it."""
    key = format_text_box_key(page, name)
    st.session_state.setdefault("address_typed", {})
    st.session_state[key] = value
    _record_typed_text(key, name)


def _format_list_key(page: str, name: str) -> str:
    """The key of a list: one a language, for a list goes on showing the word it was chosen by."""
    return f"{page}_{name}_{current_language()}"


def _sync_control_value(key: str, name: str, value: Any) -> None:
    """Gives a control what the address says, unless it has it.

    It has not when it is drawn anew (Streamlit forgets a control while another page is shown), and
    when a link, or the browser's way back, led to another address of the page it stands on.
    """
    if key not in st.session_state or (
        st.session_state[key] != value and not _is_address_late(name)
    ):
        st.session_state[key] = value


def _is_address_late(name: str) -> bool:
    """Whether the address is the one before the last choice.

    Whoever chooses again before the browser has the new address sends the old one along. The way
    back and links may lead to the old one too: Streamlit tells those runs from the others.
    """
    choice = _get_unseen_choices().get(name)
    late = choice is not None and st.query_params.get(name) == choice.before
    return late and not is_history_run()


def is_history_run() -> bool:
    """Whether this run opens an entry of the browser's history: the way back, or an opened link."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _get_unseen_choices() -> dict[str, UnseenChoice]:
    """Parameter of the address -> its last choice, until the browser has its address."""
    choices: dict[str, UnseenChoice] = st.session_state.setdefault("address_unseen", {})
    return choices


def _record_unseen_choice(name: str, before: str | None) -> None:
    _get_unseen_choices()[name] = UnseenChoice(before)


def _forget_seen_choices(*, moved: bool) -> None:
    """Forgets the choices that the run's address has, and all when the visitor has `moved`."""
    choices = _get_unseen_choices()
    for name, choice in list(choices.items()):
        seen = not choice.is_new and st.query_params.get(name) != choice.before
        if moved or seen:
            del choices[name]


def _record_choice(
    key: str, name: str, default: str | None = None, leaves: Sequence[str] = ()
) -> None:
    """Writes what a visitor has just chosen, before the page is drawn with it."""
    before, chosen = st.query_params.get(name), st.session_state[key]
    value = chosen if isinstance(chosen, str | None) else ",".join(chosen) or NO_CHOICE_CODE
    write_parameters({name: None if value == default else value} | dict.fromkeys(leaves))
    _record_unseen_choice(name, before)


def list_address_ids(name: str) -> list[str]:
    """The ids that the address names, each once."""
    return list(dict.fromkeys(i for i in st.query_params.get(name, "").split(",") if i))


def filter_known_ids(name: str, known: pl.Series) -> list[str]:
    """The known ones of the ids in the address; a note names the others."""
    asked = list_address_ids(name)
    there = set(known.filter(known.is_in(asked))) if asked else set()
    if unknown := [one for one in asked if one not in there]:
        record_address_fault(name, ",".join(unknown))
    return [one for one in asked if one in there]


def read_address_number(name: str, most: int) -> int:
    """The number that the address names, from 1 to `most`; 1 when it names none."""
    asked = st.query_params.get(name)
    if asked is None:
        return 1
    if asked.isdecimal() and len(asked) < 10 and 1 <= int(asked) <= most:
        return int(asked)
    record_address_fault(name, asked)
    _set_or_drop_parameter(name, None)
    return 1


def clear_parameters(*names: str) -> None:
    """Takes these choices away, for a button."""
    for name in names:
        write_parameter(name, None)

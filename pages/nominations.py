"""Nominations: who meets the bases of which next honour, and who misses one of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import address, decisions, downloads, frame, nominees, store
from components.i18n import current_language, joined, label, labels, t
from components.numbers import NONE, bold, count, persons
from components.policy_form import current_policy
from graph.honours import HONOURS, Honour, are_kept
from graph.model import LEVELS, PROVINCES
from graph.policy import Policy

PAGE = "nominations"
FIRST = "national_technical_expert"  # whose list stands there when none is asked for
ALL, NEAR = "all", "near"


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    first = not are_kept(store.snapshot(), policy)
    said = t("Looking at everyone's records; kept for this day") if first else t("Looking")
    with st.spinner(said, show_time=True):
        standing = nominees.standing(policy)
    head, table = st.container(), st.container()
    places = st.columns([280, 190, 150, 200, 300], vertical_alignment="bottom")
    honour, show = _honour(places[:2])
    rows = nominees.nominees(policy, honour.code)
    shown, chosen = _filtered(rows, honour, show, places[2:])
    with head:
        frame.lead(_answer(standing, honour))
        frame.under_lead(escape(t("Meets the data's criteria, not a decision.")))
    with table:
        _honours(standing, honour)
    left, right = st.columns([810, 310], gap="medium")
    with left:
        _table(shown, honour, show)
        _export(shown, policy, honour, show, chosen)
    with right, st.container(key="panel_nominations"):
        _panel(rows, honour, policy)


def _name(honour: Honour) -> str:
    return label((honour.en, honour.zh), current_language())


def _numbers(standing: pl.DataFrame, honour: Honour) -> tuple[int, int]:
    """How many meet all of an honour's criteria, and how many miss one."""
    of_honour = standing.filter(pl.col("honour") == honour.code)
    missed = pl.col("missed").is_null()
    return int(of_honour.filter(missed)["n"].sum()), int(of_honour.filter(~missed)["n"].sum())


def _answer(standing: pl.DataFrame, honour: Honour) -> str:
    language = current_language()
    met, near = _numbers(standing, honour)
    return t(
        "{met} meet every criterion of {honour} that the data decide and do not hold it; "
        "{near} miss one.",
        met=bold(persons(met, language), count(met)), honour=escape(_name(honour)),
        near=bold(persons(near, language), count(near)),
    )  # fmt: skip


def _honours(standing: pl.DataFrame, chosen: Honour) -> None:
    """The honours in order, with their criteria and how many meet them."""
    language = current_language()
    body = []
    for honour in HONOURS.values():
        met, near = _numbers(standing, honour)
        criteria = t("; ").join(label((c.en, c.zh), language) for c in honour.criteria)
        name = escape(_name(honour))
        body.append(
            f"<tr><td>{f'<b>{name}</b>' if honour is chosen else name}</td>"
            f"<td>{escape(criteria)}</td><td class='n'>{count(met)}</td>"
            f"<td class='n'>{count(near)}</td></tr>"
        )
    head = "".join(
        f"<th{' class=n' if at > 1 else ''}>{escape(title)}</th>"
        for at, title in enumerate(
            (t("Honour"), t("Criteria that the data decide"), t("Meet all (persons)"),
             t("Miss one (persons)"))
        )
    )  # fmt: skip
    frame.html(
        f'<table class="sc-table sc-honours"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table>"
    )
    undecided = label(chosen.undecided, language)
    told = t("{honour}: the data cannot decide {undecided}.", honour=_name(chosen),
             undecided=undecided)  # fmt: skip
    frame.muted(told)


def _honour(places: Sequence[Any]) -> tuple[Honour, str]:
    """The honour and the list that the address asks for, in the first two places."""
    with places[0]:
        names = {code: _name(honour) for code, honour in HONOURS.items()}
        code = address.one_of(
            PAGE, "honour", t("Honour"), names, FIRST, folded=True, leaves=("missed",)
        )
    with places[1]:
        ways = {ALL: t("meet all"), NEAR: t("miss one")}
        show = address.one_of(PAGE, "show", t("Show"), ways, ALL)
    return HONOURS[code], show


def _filtered(
    rows: pl.DataFrame, honour: Honour, show: str, places: Sequence[Any]
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows of the list that the filters leave, and what was chosen."""
    language = current_language()
    rows = rows.filter(pl.col("missing") == (0 if show == ALL else 1))
    occupations = rows.select("occupation_code", "occupation").drop_nulls().unique()
    options = {
        "province": labels(PROVINCES, language, sorted(rows["province"].drop_nulls().unique())),
        "occupation": dict(occupations.sort("occupation_code").rows()),
        "missed": {c.code: label((c.en, c.zh), language) for c in honour.criteria}
        if show == NEAR else {},
    }  # fmt: skip
    titles = {"province": t("Province"), "occupation": t("Occupation"), "missed": t("Misses")}
    columns = {"province": "province", "occupation": "occupation_code", "missed": "missed"}
    chosen: dict[str, str] = {}
    for place, name in zip(places, options, strict=True):
        if not options[name]:
            address.write(name, None)
            continue
        with place:
            value = address.choice(f"{PAGE}_{honour.code}", name, titles[name], options[name])
        if value:
            chosen[name] = value
            rows = rows.filter(pl.col(columns[name]) == value)
    return rows, chosen


def _missed(honour: Honour, code: str | None) -> str:
    found = [c for c in honour.criteria if c.code == code]
    return label((found[0].en, found[0].zh), current_language()) if found else NONE


def _table(shown: pl.DataFrame, honour: Honour, show: str) -> None:
    language = current_language()
    if shown.is_empty():
        frame.empty(t("Nobody is here under these filters"), t("Take one of them away."))
        return
    few = decisions.with_decisions(shown.head(decisions.SHOWN), _scope(honour))
    provinces = labels(PROVINCES, language)
    missed = {c.code: label((c.en, c.zh), language) for c in honour.criteria}
    verdicts = {v: decisions.verdict_name(v) for v in decisions.VERDICTS}
    table = few.select(
        "name", "level", pl.col("years_at_5").round(1), "apprentices",
        leads=pl.col("leads") > 0, occupation=pl.col("occupation").fill_null(NONE),
        province=pl.col("province").replace_strict(provinces, default=NONE),
        missed=pl.col("missed").replace_strict(missed, default=NONE, return_dtype=pl.String),
        decision=pl.col("decision").replace_strict(
            verdicts, default=NONE, return_dtype=pl.String
        ),
    )  # fmt: skip
    config = st.column_config
    decisions.listed(
        table, few["person_id"], key=f"nominations_table_{honour.code}", most=400,
        columns={
            "years_at_5": config.NumberColumn(
                t("Years at 5+"), format="%.1f", width=118,
                help=t("Years since the first day at level 5 or above"),
            ),
            "apprentices": config.NumberColumn(
                t("Own (persons)"), width=110,
                help=t("Own apprentices who became high-skilled after the mentorship began"),
            ),
            "leads": config.CheckboxColumn(t("Leads a studio"), width=112),
            "missed": None if show == ALL else config.TextColumn(t("Misses"), width=200),
        },
    )  # fmt: skip
    told = t("{n} of {all} shown; choose a line to decide.", n=count(table.height),
             all=count(shown.height))  # fmt: skip
    if shown.height >= nominees.MOST:
        told = joined(told, t("Only the first {n} are looked through.", n=count(nominees.MOST)))
    frame.muted(told)


def _scope(honour: Honour) -> str:
    return f"honour.{honour.code}"


def _panel(rows: pl.DataFrame, honour: Honour, policy: Policy) -> None:
    """The chosen one: each criterion, whether it is met and by what, and the decision."""
    found = decisions.chosen(rows)
    if found is None:
        return
    language = current_language()
    row: dict[str, Any] = found.row(0, named=True)
    level = label(LEVELS[row["level"]], language)
    facts = t("{level}, {years} years at level 5 or above, {n} own apprentices high-skilled",
              level=level, years=f"{row['years_at_5']:.1f}", n=row["apprentices"])  # fmt: skip
    lines = []
    for criterion in honour.criteria:
        met = bool(found.select(criterion.met).item())
        words = escape(label((criterion.en, criterion.zh), language))
        mark = escape(t("met")) if met else f"<b>{escape(t('not met'))}</b>"
        lines.append(f"<tr><td>{words}</td><td class='n'>{mark}</td></tr>")
    frame.html(f'<div>{escape(facts)}</div><table class="sc-table">{"".join(lines)}</table>')
    under = {"honour": honour.code, "policy": policy.id, "revision": str(store.revision())}
    decisions.panel(_scope(honour), row["person_id"], under)


def _export(
    shown: pl.DataFrame, policy: Policy, honour: Honour, show: str, chosen: dict[str, str]
) -> None:
    """The list as shown, with decisions; the honour and its criteria in the file."""
    few = decisions.with_decisions(shown.head(decisions.SHOWN), _scope(honour))
    table = few.select(
        "person_id", "name", "province", "occupation_code", "occupation", "level",
        pl.col("years_at_5").round(2), pl.col("years_at_6").round(2), "apprentices", "leads",
        "missed", "decision", "note", "decided_by", "decided_at",
    )  # fmt: skip
    language = current_language()
    criteria = "; ".join(label((c.en, c.zh), language) for c in honour.criteria)
    told = {"honour": honour.code, "show": show, "criteria": criteria,
            "standing": t("Meets the data's criteria, not a decision."), **chosen}  # fmt: skip
    about = downloads.About(store.revision(), policy, told)
    downloads.offer(table, about, f"nominations-{honour.code}")


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

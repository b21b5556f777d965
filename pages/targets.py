"""Training targets: who meets one stated rule, with the reasons, against the present list."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import address, candidates, decisions, downloads, frame, store
from components.i18n import Language, current_language, joined, label, labels, spoken, t
from components.numbers import NONE, bold, count, persons, share
from components.policy_form import current_policy
from components.theme import MODES
from graph.candidates import PARTS, Rule, are_kept
from graph.errors import UsageError
from graph.model import GRADES, LEVELS, PROVINCES
from graph.policy import Policy

PAGE = "targets"
SCOPE = "target"
FILTERS = ("province", "occupation", "band", "reason")


@frame.page
def page() -> None:
    """The page."""
    policy, rule = current_policy(), _rule()
    first = not are_kept(store.snapshot(), policy)
    said = t("Comparing everyone's rise; kept for this day") if first else t("Weighing")
    with st.spinner(said, show_time=True):
        rows, met = candidates.scored(policy, rule)
    head = st.container()
    shown, chosen = _filtered(rows)
    with head:
        frame.lead(_answer(rows, met, rule))
        frame.under_lead(escape(t("By the data and this rule; a decision is yours.")))
    _rule_form(rule)
    left, right = st.columns([810, 310], gap="medium")
    with left:
        _table(shown, rows, met, rule, policy)
        _export(shown, policy, rule, chosen)
    with right, st.container(key="panel_targets"):
        _panel(rows, rule, policy)


def _rule() -> Rule:
    """The rule of the address, else the default one."""
    try:
        return Rule.parsed(st.query_params["rule"]) if "rule" in st.query_params else Rule()
    except UsageError:
        del st.query_params["rule"]
        return Rule()


def _answer(rows: pl.DataFrame, met: int, rule: Rule) -> str:
    language = current_language()
    listed = rows.filter(pl.col("standing") == "listed").height
    unmet = rows.filter(pl.col("standing") == "unmet").height
    return t(
        "{met} meet the rule, aged {age} or less with {least} points or more; {listed} of them are "
        "on the list, and {unmet} on the list do not meet it.",
        met=bold(persons(met, language), count(met)), age=rule.age, least=rule.least,
        listed=bold(count(listed)), unmet=bold(count(unmet)),
    )  # fmt: skip


def _part_names() -> dict[str, str]:
    return {
        "rise": t("Fast rise"),
        "competition": t("Competition"),
        "mentor": t("Apprentice of a leading talent"),
    }


def _standing_names() -> dict[str, str]:
    return {
        "new": t("meets the rule, new"),
        "listed": t("meets the rule, listed"),
        "unmet": t("listed, rule not met"),
    }


def _rule_form(rule: Rule) -> None:
    """The rule, whole, and every number of it to set."""
    names = _part_names()
    parts = " + ".join(f"{names[p]} {rule.as_dict()[p]}" for p in PARTS)
    with st.popover(t("The rule: {parts}", parts=parts), key="targets_rule"):
        st.markdown(
            "\n".join(
                f"- {line}"
                for line in (
                    t("Score = 100 × the sum of weight × part, over the sum of weights."),
                    t("Fast rise: the share of people of the same occupation who took longer from "
                      "the first recognition to high skill; for those not there yet, who gained "
                      "fewer levels a year. Below the share set here it counts nothing."),
                    t("Competition: the best placing. Grade (national 1, ministerial 0.8, "
                      "provincial 0.6, municipal 0.4, enterprise 0.2) × rank (1st 1, to 3rd 0.8, "
                      "to 8th 0.5, to 20th 0.25)."),
                    t("Apprentice of a leading talent: 1 by mentorship, 0.6 at a studio, dated; "
                      "driven in the window, or not high-skilled yet."),
                )
            )
        )  # fmt: skip
        with st.form("targets_rule_form", border=False):
            fields = st.columns(3)
            given: dict[str, int] = {}
            labels = names | {
                "fast": t("Rise is fast from, %"), "age": t("Age at most"),
                "least": t("Points at least"),
            }  # fmt: skip
            limits = {"fast": (80, 100), "age": (16, 45)}
            for at, (name, value) in enumerate(rule.as_dict().items()):
                low, high = limits.get(name, (0, 100))
                with fields[at % 3]:
                    given[name] = int(st.number_input(
                        labels[name], low, high, value, key=f"targets_rule_{name}_{value}",
                    ))  # fmt: skip
            if st.form_submit_button(t("Apply the rule"), key="targets_apply"):
                try:
                    st.query_params["rule"] = Rule(**given).code
                    st.rerun()
                except UsageError as error:
                    st.markdown(frame.plain(str(error)))


def _filtered(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows that meet the filters of the page, which stand in its address."""
    language = current_language()
    occupations = rows.select("occupation_code", "occupation").drop_nulls().unique()
    options = {
        "province": labels(PROVINCES, language, sorted(rows["province"].drop_nulls().unique())),
        "occupation": dict(occupations.sort("occupation_code").rows()),
        "band": {b: _band(b) for b in sorted(rows["age_band"].drop_nulls().unique())},
        "reason": _part_names(),
    }  # fmt: skip
    titles = {
        "province": t("Province"), "occupation": t("Occupation"), "band": t("Age"),
        "reason": t("Reason"),
    }  # fmt: skip
    chosen: dict[str, str] = {}
    with st.container(key="targets_filters"):
        columns = st.columns([300, 130, 180, 110, 200, 200], vertical_alignment="bottom")
    with columns[0]:
        picked = address.choice(PAGE, "show", t("Against the list"), _standing_names())
    if picked:
        chosen["show"] = picked
        rows = rows.filter(pl.col("standing") == picked)
    for column, name in zip(columns[1:], FILTERS, strict=False):
        with column:
            value = address.choice(PAGE, name, titles[name], options[name])
        if value:
            chosen[name] = value
            rows = rows.filter(_holds(name, value))
    return rows, chosen


def _holds(name: str, value: str) -> pl.Expr:
    if name == "reason":
        return pl.col(f"{value}_points") > 0 if value in PARTS else pl.lit(False)
    column = {"province": "province", "occupation": "occupation_code", "band": "age_band"}[name]
    return pl.col(column) == value


def _band(band: str | None) -> str:
    if band is None:
        return NONE
    if band.endswith("-"):
        return t("to {n}", n=band[:-1])
    return t("{n} and more", n=band[:-1]) if band.endswith("+") else band.replace("-", "–")


def reasons(row: dict[str, Any]) -> list[str]:
    """Why one is a candidate, as short dated facts; nothing for a part that gives no points."""
    language = current_language()
    told = []
    if row["rise_points"] > 0:
        began = row["first_day"].isoformat(), label(LEVELS[row["first_level"]], language)
        faster = share(row["rise"], 1)
        if row["high_day"] is not None:
            told.append(t(
                "{level} on {day}, high-skilled on {high}: {years} years, faster than {share} of "
                "the occupation", level=began[1], day=began[0], high=row["high_day"].isoformat(),
                years=f"{row['years']:.1f}", share=faster,
            ))  # fmt: skip
        else:
            told.append(t(
                "{level} on {day}, {now} now: faster than {share} of the occupation",
                level=began[1], day=began[0], share=faster,
                now=label(LEVELS[row["reached"]], language),
            ))  # fmt: skip
    if row["competition_points"] > 0:
        grade = label(GRADES[row["grade"]], language)
        told.append(t("{day}: rank {rank}, {grade} competition", day=row["placed_on"].isoformat(),
                      rank=row["rank"], grade=grade))  # fmt: skip
    if row["mentor_points"] > 0:
        state = t("driven") if row["state"] == "driven" else t("pending")
        day, name = row["since"].isoformat(), row["mentor_name"] or ""
        if row["channel"] == "mentorship":
            told.append(t("{day}: apprentice of {name}, {state}", day=day, name=name, state=state))
        else:
            told.append(t("{day}: at the studio of {name}, {state}", day=day, name=name,
                          state=state))  # fmt: skip
    return told


@st.cache_resource(max_entries=8, show_spinner=False)
def _told(state: str, policy: Policy, rule: Rule, language: Language) -> dict[str, str]:
    """Person's number -> the reasons as they stand in the list, of those who have been listed."""
    return {}


def _in_words(row: dict[str, Any], told: dict[str, str]) -> str:
    """The reasons of a row: those in `told`, or said now and kept there."""
    words = told.get(row["person_id"])
    if words is None:
        words = told[row["person_id"]] = t("; ").join(reasons(row)) or NONE
    return words


def _table(shown: pl.DataFrame, rows: pl.DataFrame, met: int, rule: Rule, policy: Policy) -> None:
    language = current_language()
    if shown.is_empty():
        frame.empty(t("Nobody is here under this rule and these filters"),
                    t("Take a filter away, or ask for fewer points."))  # fmt: skip
        return
    few = decisions.with_decisions(shown.head(decisions.SHOWN), SCOPE)
    names = _standing_names()
    told = _told(store.state(), policy, rule, language)
    table = pl.DataFrame(
        [
            {
                "name": row["name"], "score": row["score"], "level": row["level"],
                "age": _band(row["age_band"]), "occupation": row["occupation"] or NONE,
                "reasons": _in_words(row, told),
                "standing": names[row["standing"]],
                "decision": decisions.verdict_name(row["decision"]) if row["decision"] else NONE,
                "province": label(PROVINCES[row["province"]], language)
                if row["province"] in PROVINCES else NONE,
            }
            for row in few.iter_rows(named=True)
        ]
    )  # fmt: skip
    config = st.column_config
    decisions.listed(
        table, few["person_id"], key="targets_table", most=560,
        columns={
            "score": config.ProgressColumn(
                t("Score (points)"), format="%.1f", min_value=0, max_value=100, width=120,
                color=MODES[frame.mode()].slate,
                help=t("0 to 100 by the rule above: the sum of what its parts give"),
            ),
            "age": config.TextColumn(t("Age"), width=88, help=t("Years, as a band")),
            "reasons": config.TextColumn(t("Reasons"), width=360),
            "standing": config.TextColumn(t("Against the list"), width=150),
        },
    )  # fmt: skip
    parts = [t("{n} of {all} shown; choose a line to decide.", n=count(table.height),
               all=count(shown.height))]  # fmt: skip
    looked = rows.filter("met").height
    if met > looked:
        parts.append(t("Of the {all} who meet the rule the best {n} are looked through.",
                       all=count(met), n=count(looked)))  # fmt: skip
    frame.muted(joined(*parts))


def _panel(rows: pl.DataFrame, rule: Rule, policy: Policy) -> None:
    """The chosen one: what the rule gives, why, and the decision."""
    found = decisions.chosen(rows)
    if found is None:
        return
    row = found.row(0, named=True)
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td class='n'>{row[f'{part}_points']:.1f}</td></tr>"
        for part, name in _part_names().items()
    )
    frame.html(
        f'<table class="sc-table">{lines}<tr class="total"><td>{escape(t("Score (points)"))}</td>'
        f'<td class="n"><b>{row["score"]:.1f}</b></td></tr></table>'
    )
    told = "".join(f"<li>{escape(reason)}</li>" for reason in _all_told(row, rule))
    frame.html(f"<ul>{told}</ul>")
    decisions.panel(SCOPE, row["person_id"], _under(rule, policy))


def _all_told(row: dict[str, Any], rule: Rule) -> list[str]:
    """The reasons, and of one on the list who does not meet the rule, why not."""
    told = reasons(row)
    if row["standing"] == "unmet":
        if row["leading"]:
            told.append(t("not met: is a leading talent already"))
        if row["retired"]:
            told.append(t("not met: has retired"))
        if row["age"] is None:
            told.append(t("not met: the date of birth is not known"))
        elif row["age"] > rule.age:
            told.append(t("not met: older than {age}", age=rule.age))
        if row["score"] < rule.least:
            told.append(t("not met: {score} of {least} points", score=f"{row['score']:.1f}",
                          least=rule.least))  # fmt: skip
    return told


def _under(rule: Rule, policy: Policy) -> dict[str, str]:
    return {"rule": rule.code, "policy": policy.id, "revision": str(store.revision())}


def _export(shown: pl.DataFrame, policy: Policy, rule: Rule, chosen: dict[str, str]) -> None:
    """The filtered list with reasons and decisions; the rule and the policy in the file."""
    few = decisions.with_decisions(shown.head(decisions.SHOWN), SCOPE)
    about = downloads.About(store.revision(), policy, {"rule": rule.code, **chosen})
    make = partial(_exported, few, rule, current_language())
    downloads.offer_later(few.height, make, about, "training-targets")


def _exported(few: pl.DataFrame, rule: Rule, language: Language) -> pl.DataFrame:
    with spoken(language):
        told = [" | ".join(_all_told(row, rule)) for row in few.iter_rows(named=True)]
    return few.select(
        "person_id", "name", "province", "occupation_code", "occupation", "level", "age_band",
        pl.col("score").round(2), *(pl.col(f"{part}_points").round(2) for part in PARTS),
        "standing", pl.Series("reasons", told, pl.String), "decision", "note", "decided_by",
        "decided_at",
    )  # fmt: skip


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

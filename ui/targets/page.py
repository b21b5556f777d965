"""Training targets: who meets one stated rule, with the reasons, against the present list."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.dates import restore_date_precision
from graph.errors import UsageError
from graph.messages import Language
from graph.model.vocabularies import GRADES, LEVELS, PROVINCES
from graph.policy import Policy
from graph.programme.training_targets import SCORE_COMPONENTS, Rule, has_candidate_facts
from ui.controls import decisions
from ui.reading import talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.theme import TOKENS_BY_MODE
from ui.targets import candidates
from ui.words.i18n import (
    current_language,
    join_sentences,
    override_language,
    t,
    translate_label,
    translate_labels,
    translate_message,
)
from ui.words.numbers import (
    NO_VALUE_DASH,
    format_count,
    format_day,
    format_persons,
    format_share,
    render_bold,
)
from ui.words.terms import format_person_name, format_province, translate_term

TARGETS_PAGE = "targets"
TARGET_DECISION_SCOPE = "target"
TARGETS_TABLE_KEY = "targets_table"
TARGET_FILTERS = ("province", "occupation", "band", "reason")


@frame.page
def page() -> None:
    """The page."""
    policy, rule = current_policy(), _read_rule()
    first = not has_candidate_facts(graph_state.fetch_snapshot(), policy)
    said = t("Comparing everyone's rise; kept for this day") if first else t("Weighing")
    with st.spinner(said):
        rows, met = candidates.fetch_scored_candidates(policy, rule)
    rows = decisions.join_decisions(rows, TARGET_DECISION_SCOPE)
    head = st.container()
    undecided, shown, chosen = _filter_candidates(rows)
    with head:
        frame.draw_lead(_render_targets_answer(rows, met, rule))
        frame.draw_under_lead(escape(t("By the data and this rule; a decision is yours.")))
    _draw_rule_form(rule)
    left, right = st.columns([810, 310], gap="medium")
    with left:
        decisions.draw_decision_tally(undecided)
        ticked = _draw_candidate_table(shown, rows, met, rule, policy)
        _draw_target_downloads(shown, policy, rule, chosen)
    with right, st.container(key="panel_targets"):
        if len(ticked) > 1:
            decisions.draw_bulk_decision(
                TARGET_DECISION_SCOPE,
                ticked,
                _build_rule_context(rule, policy),
                key=TARGETS_TABLE_KEY,
            )
        else:
            _draw_candidate_panel(rows, rule, policy)


def _read_rule() -> Rule:
    """The rule of the address, else the default one."""
    try:
        return Rule.parsed(st.query_params["rule"]) if "rule" in st.query_params else Rule()
    except UsageError:
        address.record_address_fault("rule", st.query_params["rule"])
        del st.query_params["rule"]
        return Rule()


def _render_targets_answer(rows: pl.DataFrame, met: int, rule: Rule) -> str:
    language = current_language()
    listed = rows.filter(pl.col("standing") == "listed").height
    unmet = rows.filter(pl.col("standing") == "unmet").height
    return t(
        "{met} meet the rule, aged {age} or less with {least} points or more; {listed} of them are "
        "on the list, and {unmet} on the list do not meet it.",
        met=render_bold(format_persons(met, language), format_count(met)),
        age=rule.age,
        least=rule.least,
        listed=render_bold(format_count(listed)),
        unmet=render_bold(format_count(unmet)),
    )


def _list_rule_term_names() -> dict[str, str]:
    return {
        "rise": t("Fast rise"),
        "competition": t("Competition"),
        "mentor": t("Apprentice of a leading talent"),
    }


def _list_standing_names() -> dict[str, str]:
    return {
        "new": t("meets the rule, new"),
        "listed": t("meets the rule, listed"),
        "unmet": t("listed, rule not met"),
    }


def _draw_rule_form(rule: Rule) -> None:
    """The full rule, and every number of it to set."""
    names = _list_rule_term_names()
    parts = " + ".join(f"{names[p]} {rule.as_dict()[p]}" for p in SCORE_COMPONENTS)
    with st.popover(t("The rule: {parts}", parts=parts), key="targets_rule"):
        st.markdown(
            "\n".join(
                f"- {line}"
                for line in (
                    t("Score = 100 × the sum of weight × part, over the sum of weights."),
                    t(
                        "Fast rise: the share of people of the same occupation who took longer "
                        "from "
                        "the first recognition to high skill; for those not there yet, who gained "
                        "fewer levels a year. Below the share set here it counts nothing."
                    ),
                    t(
                        "Competition: the best placing. Grade (national 1, ministerial 0.8, "
                        "provincial 0.6, municipal 0.4, enterprise 0.2) × rank (1st 1, to 3rd 0.8, "
                        "to 8th 0.5, to 20th 0.25)."
                    ),
                    t(
                        "Apprentice of a leading talent: 1 by mentorship, 0.6 at a studio, dated; "
                        "driven in the window, or not high-skilled yet."
                    ),
                )
            )
        )
        with st.form("targets_rule_form", border=False):
            fields = st.columns(3)
            given: dict[str, int] = {}
            labels = names | {
                "fast": t("Rise is fast from, %"),
                "age": t("Age at most"),
                "least": t("Points at least"),
            }
            limits = {"fast": (80, 100), "age": (16, 45)}
            for at, (name, value) in enumerate(rule.as_dict().items()):
                low, high = limits.get(name, (0, 100))
                with fields[at % 3]:
                    given[name] = int(
                        st.number_input(
                            labels[name],
                            low,
                            high,
                            value,
                            key=f"targets_rule_{name}_{value}",
                        )
                    )
            if st.form_submit_button(t("Apply the rule"), key="targets_apply"):
                try:
                    st.query_params["rule"] = Rule(**given).code
                    st.rerun()
                except UsageError as error:
                    st.markdown(frame.escape_markdown(translate_message(error)))


def _filter_candidates(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """The rows that meet the filters of the page, which stand in its address: before the one by
    decision, and after it.
    """
    language = current_language()
    occupations = rows.select("occupation_code", "occupation").drop_nulls().unique()
    options = {
        "province": translate_labels(
            PROVINCES, language, sorted(rows["province"].drop_nulls().unique())
        ),
        "occupation": {
            code: translate_term(name) for code, name in occupations.sort("occupation_code").rows()
        },
        "band": {b: _format_age_band(b) for b in sorted(rows["age_band"].drop_nulls().unique())},
        "reason": _list_rule_term_names(),
    }
    titles = {
        "province": t("Province"),
        "occupation": t("Occupation"),
        "band": t("Age"),
        "reason": t("Reason"),
    }
    chosen: dict[str, str] = {}
    with st.container(key="targets_filters"):
        columns = st.columns([250, 130, 180, 110, 200, 150], vertical_alignment="bottom")
    with columns[0]:
        picked = address.draw_optional_select(
            TARGETS_PAGE, "show", t("Against the list"), _list_standing_names()
        )
    if picked:
        chosen["show"] = picked
        rows = rows.filter(pl.col("standing") == picked)
    for column, name in zip(columns[1:], TARGET_FILTERS, strict=False):
        with column:
            value = address.draw_optional_select(TARGETS_PAGE, name, titles[name], options[name])
        if value:
            chosen[name] = value
            rows = rows.filter(_build_candidate_filter(name, value))
    with columns[-1]:
        shown, decision = decisions.filter_by_decision(rows, TARGETS_PAGE)
    if decision:
        chosen["decision"] = decision
    return rows, shown, chosen


def _build_candidate_filter(name: str, value: str) -> pl.Expr:
    if name == "reason":
        return pl.col(f"{value}_points") > 0 if value in SCORE_COMPONENTS else pl.lit(False)
    column = {"province": "province", "occupation": "occupation_code", "band": "age_band"}[name]
    return pl.col(column) == value


def _format_age_band(band: str | None) -> str:
    if band is None:
        return NO_VALUE_DASH
    if band.endswith("-"):
        return t("to {n}", n=band[:-1])
    return t("{n} and more", n=band[:-1]) if band.endswith("+") else band.replace("-", "–")


def list_candidate_reasons(row: dict[str, Any]) -> list[str]:
    """Why one is a candidate, as short dated facts; nothing for a part that gives no points."""
    language = current_language()
    row, reasons = restore_date_precision(row), []
    if row["rise_points"] > 0:
        began = format_day(row["first_day"]), translate_label(LEVELS[row["first_level"]], language)
        faster = format_share(row["rise"], 1)
        if row["high_day"] is not None:
            reasons.append(
                t(
                    "{level} on {day}, high-skilled on {high}: {years} years, faster than "
                    "{share} of "
                    "the occupation",
                    level=began[1],
                    day=began[0],
                    high=format_day(row["high_day"]),
                    years=f"{row['years']:.1f}",
                    share=faster,
                )
            )
        else:
            reasons.append(
                t(
                    "{level} on {day}, {now} now: faster than {share} of the occupation",
                    level=began[1],
                    day=began[0],
                    share=faster,
                    now=translate_label(LEVELS[row["reached"]], language),
                )
            )
    if row["competition_points"] > 0:
        grade = translate_label(GRADES[row["grade"]], language)
        reasons.append(
            t(
                "{day}: rank {rank}, {grade} competition",
                day=format_day(row["placed_on"]),
                rank=row["rank"],
                grade=grade,
            )
        )
    if row["mentor_points"] > 0:
        state = t("driven") if row["state"] == "driven" else t("pending")
        begun, name = format_day(row["since"]), format_person_name(row["mentor_name"] or "")
        if row["channel"] == "mentorship":
            reasons.append(
                t("{day}: apprentice of {name}, {state}", day=begun, name=name, state=state)
            )
        else:
            reasons.append(
                t("{day}: at the studio of {name}, {state}", day=begun, name=name, state=state)
            )
    return reasons


@graph_state.cache_by_graph_state(max_entries=8, resource=True)
def _open_reason_cache(policy: Policy, rule: Rule, language: Language) -> dict[str, str]:
    """Person's number -> the reasons as they stand in the list, of those who have been listed."""
    return {}


def _format_candidate_reasons(row: dict[str, Any], cache: dict[str, str]) -> str:
    """The reasons of a row: from `cache`, or made and stored there now."""
    words = cache.get(row["person_id"])
    if words is None:
        words = cache[row["person_id"]] = t("; ").join(list_candidate_reasons(row)) or NO_VALUE_DASH
    return words


def _translate_candidates(
    few: pl.DataFrame, rule: Rule, policy: Policy, language: Language
) -> pl.DataFrame:
    """The rows with codes as words and the reasons of each, as the list shows them."""
    names = _list_standing_names()
    reason_cache = _open_reason_cache(policy, rule, language)
    return pl.DataFrame(
        [
            {
                "name": row["name"],
                "score": row["score"],
                "level": row["level"],
                "age": _format_age_band(row["age_band"]),
                "occupation": translate_term(row["occupation"] or NO_VALUE_DASH),
                "reasons": _format_candidate_reasons(row, reason_cache),
                "standing": names[row["standing"]],
                "decision": decisions.format_decision(row["decision"]),
                "province": format_province(row["province"], language),
            }
            for row in few.iter_rows(named=True)
        ]
    )


def _draw_candidate_table(
    shown: pl.DataFrame, rows: pl.DataFrame, met: int, rule: Rule, policy: Policy
) -> list[str]:
    """The list; who is ticked."""
    language = current_language()
    if shown.is_empty():
        frame.draw_empty_state(
            t("Nobody is here under this rule and these filters"),
            t("Take a filter away, or ask for fewer points."),
        )
        return []
    few = shown.head(decisions.MAX_LISTED_DECISIONS)
    table = _translate_candidates(few, rule, policy, language)
    config = st.column_config
    ticked = decisions.draw_decision_list(
        table,
        few["person_id"],
        key=TARGETS_TABLE_KEY,
        most=560,
        columns={
            "score": config.ProgressColumn(
                t("Score (points)"),
                format="%.1f",
                min_value=0,
                max_value=100,
                width=120,
                color=TOKENS_BY_MODE[frame.detect_colour_mode()].slate,
                help=t("0 to 100 by the rule above: the sum of what its parts give"),
            ),
            "age": config.TextColumn(t("Age"), width=88, help=t("Years, as a band")),
            "reasons": config.TextColumn(t("Reasons"), width=360),
            "standing": config.TextColumn(t("Against the list"), width=150),
        },
    )
    parts = [
        t(
            "{n} of {all} shown; tick lines to decide.",
            n=format_count(table.height),
            all=format_count(shown.height),
        )
    ]
    looked = rows.filter("met").height
    if met > looked:
        parts.append(
            t(
                "Of the {all} who meet the rule the best {n} are looked through.",
                all=format_count(met),
                n=format_count(looked),
            )
        )
    frame.draw_muted(join_sentences(*parts))
    return ticked


def _draw_candidate_panel(rows: pl.DataFrame, rule: Rule, policy: Policy) -> None:
    """The chosen one: what the rule gives, why, and the decision."""
    found = decisions.draw_chosen_person(rows)
    if found is None:
        return
    row = found.row(0, named=True)
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td class='n'>{row[f'{part}_points']:.1f}</td></tr>"
        for part, name in _list_rule_term_names().items()
    )
    frame.draw_html(
        f'<table class="sc-table">{lines}<tr class="total"><td>{escape(t("Score (points)"))}</td>'
        f'<td class="n"><b>{row["score"]:.1f}</b></td></tr></table>'
    )
    items = "".join(f"<li>{escape(reason)}</li>" for reason in _list_all_reasons(row, rule))
    frame.draw_html(f"<ul>{items}</ul>")
    decisions.draw_decision_panel(
        TARGET_DECISION_SCOPE, row["person_id"], _build_rule_context(rule, policy)
    )


def _list_all_reasons(row: dict[str, Any], rule: Rule) -> list[str]:
    """The reasons, and of one on the list who does not meet the rule, why not."""
    reasons = list_candidate_reasons(row)
    if row["standing"] == "unmet":
        if row["leading"]:
            reasons.append(t("not met: is a leading talent already"))
        if row["retired"]:
            reasons.append(t("not met: has retired"))
        if row["age"] is None:
            reasons.append(t("not met: the date of birth is not known"))
        elif row["age"] > rule.age:
            reasons.append(t("not met: older than {age}", age=rule.age))
        if row["score"] < rule.least:
            reasons.append(
                t(
                    "not met: {score} of {least} points",
                    score=f"{row['score']:.1f}",
                    least=rule.least,
                )
            )
    return reasons


def _build_rule_context(rule: Rule, policy: Policy) -> dict[str, str]:
    return {
        "rule": rule.code,
        "policy": policy.id,
        "revision": str(graph_state.fetch_revision_number()),
    }


def _draw_target_downloads(
    shown: pl.DataFrame, policy: Policy, rule: Rule, chosen: dict[str, str]
) -> None:
    """The filtered list with reasons and decisions; the rule and the policy in the file."""
    about = talent_figures.build_page_about(policy, {"rule": rule.code, **chosen})
    make = partial(_build_target_export, rule=rule, language=current_language())
    decisions.draw_decision_downloads(shown, make, about, "training-targets")


def _build_target_export(few: pl.DataFrame, *, rule: Rule, language: Language) -> pl.DataFrame:
    """The rows as they are written: heads and words in the language, the numbers as they are."""
    with override_language(language):
        reasons = [" | ".join(_list_all_reasons(row, rule)) for row in few.iter_rows(named=True)]
        points = {
            f"{part}_points": t("{part} (points)", part=name)
            for part, name in _list_rule_term_names().items()
        }
        bands = {band: _format_age_band(band) for band in few["age_band"].drop_nulls().unique()}
        return few.select(
            *decisions.build_person_export_columns(),
            pl.col("age_band").replace(bands).alias(t("Age")),
            pl.col("score").round(2).alias(t("Score (points)")),
            *(pl.col(name).round(2).alias(title) for name, title in points.items()),
            pl.col("standing").replace(_list_standing_names()).alias(t("Against the list")),
            pl.Series(t("Reasons"), reasons, pl.String),
            *decisions.build_decision_export_columns(),
        )

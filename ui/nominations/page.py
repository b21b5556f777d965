"""Nominations: who meets the bases of which next honour, and who misses one of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.messages import Language
from graph.model.vocabularies import LEVELS, PROVINCES
from graph.policy import Policy
from graph.programme.nominations import HONOURS, Honour, has_nomination_facts
from ui.controls import decisions
from ui.nominations import nominees
from ui.reading import talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.words.i18n import (
    current_language,
    join_sentences,
    override_language,
    t,
    translate_label,
    translate_labels,
)
from ui.words.numbers import NO_VALUE_DASH, format_count, format_persons, render_bold
from ui.words.terms import list_term_translations, translate_term

NOMINATIONS_PAGE = "nominations"
DEFAULT_HONOUR_CODE = "national_technical_expert"  # whose list stands there when none is asked for
SHOW_ALL_MET, SHOW_ONE_MISSED = "all", "near"


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    first = not has_nomination_facts(graph_state.fetch_snapshot(), policy)
    said = t("Looking at everyone's records; kept for this day") if first else t("Looking")
    with st.spinner(said):
        standing = nominees.fetch_nominee_counts(policy)
    head, table = st.container(), st.container()
    places = st.columns([250, 180, 140, 190, 210, 150], vertical_alignment="bottom")
    honour, show = _draw_honour_controls(places[:2])
    rows = decisions.join_decisions(
        nominees.fetch_listed_nominees(policy, honour.code), _format_decision_scope(honour)
    )
    undecided, shown, chosen = _filter_nominees(rows, honour, show, places[2:])
    with head:
        frame.draw_lead(_render_nominations_answer(standing, honour))
        frame.draw_under_lead(escape(t("Meets the data's criteria, not a decision.")))
    with table:
        _draw_honour_criteria(standing, honour)
    left, right = st.columns([810, 310], gap="medium")
    with left:
        decisions.draw_decision_tally(undecided)
        ticked = _draw_nominee_table(shown, honour, show)
        _draw_nomination_downloads(shown, policy, honour, show, chosen)
    with right, st.container(key="panel_nominations"):
        if len(ticked) > 1:
            decisions.draw_bulk_decision(
                _format_decision_scope(honour),
                ticked,
                _build_nomination_context(honour, policy),
                key=_format_honour_table_key(honour),
            )
        else:
            _draw_nominee_panel(rows, honour, policy)


def _format_honour_title(honour: Honour) -> str:
    return translate_label((honour.en, honour.zh), current_language())


def _count_nominees(standing: pl.DataFrame, honour: Honour) -> tuple[int, int]:
    """How many meet all of an honour's criteria, and how many miss one."""
    of_honour = standing.filter(pl.col("honour") == honour.code)
    missed = pl.col("missed").is_null()
    return int(of_honour.filter(missed)["n"].sum()), int(of_honour.filter(~missed)["n"].sum())


def _render_nominations_answer(standing: pl.DataFrame, honour: Honour) -> str:
    language = current_language()
    met, near = _count_nominees(standing, honour)
    return t(
        "{met} meet every criterion of {honour} that the data decide and do not hold it; "
        "{near} miss one.",
        met=render_bold(format_persons(met, language), format_count(met)),
        honour=escape(_format_honour_title(honour)),
        near=render_bold(format_persons(near, language), format_count(near)),
    )


def _draw_honour_criteria(standing: pl.DataFrame, chosen: Honour) -> None:
    """The honours in order, with their criteria and how many meet them."""
    language = current_language()
    body = []
    for honour in HONOURS.values():
        met, near = _count_nominees(standing, honour)
        criteria = t("; ").join(translate_label((c.en, c.zh), language) for c in honour.criteria)
        name = escape(_format_honour_title(honour))
        body.append(
            f"<tr><td>{f'<b>{name}</b>' if honour is chosen else name}</td>"
            f"<td>{escape(criteria)}</td><td class='n'>{format_count(met)}</td>"
            f"<td class='n'>{format_count(near)}</td></tr>"
        )
    head = "".join(
        f"<th{' class=n' if at > 1 else ''}>{escape(title)}</th>"
        for at, title in enumerate(
            (
                t("Honour"),
                t("Criteria that the data decide"),
                t("Meet all (persons)"),
                t("Miss one (persons)"),
            )
        )
    )
    frame.draw_html(
        f'<table class="sc-table sc-honours"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table>"
    )
    undecided = translate_label(chosen.undecided, language)
    note = t(
        "{honour}: the data cannot decide {undecided}.",
        honour=_format_honour_title(chosen),
        undecided=undecided,
    )
    frame.draw_muted(note)


def _draw_honour_controls(places: Sequence[Any]) -> tuple[Honour, str]:
    """The honour and the list that the address asks for, in the first two places."""
    with places[0]:
        names = {code: _format_honour_title(honour) for code, honour in HONOURS.items()}
        code = address.draw_required_choice(
            NOMINATIONS_PAGE,
            "honour",
            t("Honour"),
            names,
            DEFAULT_HONOUR_CODE,
            folded=True,
            leaves=("missed",),
        )
    with places[1]:
        ways = {SHOW_ALL_MET: t("meet all"), SHOW_ONE_MISSED: t("miss one")}
        show = address.draw_required_choice(NOMINATIONS_PAGE, "show", t("Show"), ways, SHOW_ALL_MET)
    return HONOURS[code], show


def _filter_nominees(
    rows: pl.DataFrame, honour: Honour, show: str, places: Sequence[Any]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """The rows that the filters leave, before the one by decision and after; what was chosen."""
    language = current_language()
    rows = rows.filter(pl.col("missing") == (0 if show == SHOW_ALL_MET else 1))
    occupations = rows.select("occupation_code", "occupation").drop_nulls().unique()
    options = {
        "province": translate_labels(
            PROVINCES, language, sorted(rows["province"].drop_nulls().unique())
        ),
        "occupation": {
            code: translate_term(name) for code, name in occupations.sort("occupation_code").rows()
        },
        "missed": {c.code: translate_label((c.en, c.zh), language) for c in honour.criteria}
        if show == SHOW_ONE_MISSED
        else {},
    }
    titles = {"province": t("Province"), "occupation": t("Occupation"), "missed": t("Misses")}
    columns = {"province": "province", "occupation": "occupation_code", "missed": "missed"}
    chosen: dict[str, str] = {}
    for place, name in zip(places, options, strict=False):
        if not options[name]:
            address.write_parameter(name, None)
            continue
        with place:
            value = address.draw_optional_select(
                f"{NOMINATIONS_PAGE}_{honour.code}", name, titles[name], options[name]
            )
        if value:
            chosen[name] = value
            rows = rows.filter(pl.col(columns[name]) == value)
    with places[-1]:
        filtered, decision = decisions.filter_by_decision(rows, f"{NOMINATIONS_PAGE}_{honour.code}")
    if decision:
        chosen["decision"] = decision
    return rows, filtered, chosen


def _format_honour_table_key(honour: Honour) -> str:
    return f"nominations_table_{honour.code}"


def _translate_nominees(few: pl.DataFrame, honour: Honour, language: Language) -> pl.DataFrame:
    """The rows with codes as words, as the list shows them."""
    provinces = translate_labels(PROVINCES, language)
    missed = {c.code: translate_label((c.en, c.zh), language) for c in honour.criteria}
    return few.select(
        "name",
        "level",
        pl.col("years_at_5").round(1),
        "apprentices",
        leads=pl.col("leads") > 0,
        occupation=pl.col("occupation")
        .replace(list_term_translations(language))
        .fill_null(NO_VALUE_DASH),
        province=pl.col("province").replace_strict(provinces, default=NO_VALUE_DASH),
        missed=pl.col("missed").replace_strict(
            missed, default=NO_VALUE_DASH, return_dtype=pl.String
        ),
        decision=pl.col("decision").replace_strict(
            decisions.list_marked_decisions(), default=NO_VALUE_DASH, return_dtype=pl.String
        ),
    )


def _draw_nominee_table(shown: pl.DataFrame, honour: Honour, show: str) -> list[str]:
    """The list; who is ticked."""
    language = current_language()
    if shown.is_empty():
        frame.draw_empty_state(t("Nobody is here under these filters"), t("Take one of them away."))
        return []
    few = shown.head(decisions.MAX_LISTED_DECISIONS)
    table = _translate_nominees(few, honour, language)
    config = st.column_config
    ticked = decisions.draw_decision_list(
        table,
        few["person_id"],
        key=_format_honour_table_key(honour),
        most=400,
        columns={
            "years_at_5": config.NumberColumn(
                t("Years at 5+"),
                format="%.1f",
                width=118,
                help=t("Years since the first day at level 5 or above"),
            ),
            "apprentices": config.NumberColumn(
                t("Own (persons)"),
                width=110,
                help=t("Own apprentices who became high-skilled after the mentorship began"),
            ),
            "leads": config.CheckboxColumn(t("Leads a studio"), width=112),
            "missed": None if show == SHOW_ALL_MET else config.TextColumn(t("Misses"), width=200),
        },
    )
    note = t(
        "{n} of {all} shown; tick lines to decide.",
        n=format_count(table.height),
        all=format_count(shown.height),
    )
    if shown.height >= nominees.MAX_LISTED_NOMINEES:
        note = join_sentences(
            note,
            t(
                "Only the first {n} are looked through.",
                n=format_count(nominees.MAX_LISTED_NOMINEES),
            ),
        )
    frame.draw_muted(note)
    return ticked


def _format_decision_scope(honour: Honour) -> str:
    return f"honour.{honour.code}"


def _draw_nominee_panel(rows: pl.DataFrame, honour: Honour, policy: Policy) -> None:
    """The chosen one: each criterion, whether it is met and by what, and the decision."""
    found = decisions.draw_chosen_person(rows)
    if found is None:
        return
    language = current_language()
    row: dict[str, Any] = found.row(0, named=True)
    level = translate_label(LEVELS[row["level"]], language)
    facts = t(
        "{level}, {years} years at level 5 or above, {n} own apprentices high-skilled",
        level=level,
        years=f"{row['years_at_5']:.1f}",
        n=row["apprentices"],
    )
    lines = []
    for criterion in honour.criteria:
        met = bool(found.select(criterion.met).item())
        words = escape(translate_label((criterion.en, criterion.zh), language))
        mark = escape(t("met")) if met else f"<b>{escape(t('not met'))}</b>"
        lines.append(f"<tr><td>{words}</td><td class='n'>{mark}</td></tr>")
    frame.draw_html(f'<div>{escape(facts)}</div><table class="sc-table">{"".join(lines)}</table>')
    decisions.draw_decision_panel(
        _format_decision_scope(honour), row["person_id"], _build_nomination_context(honour, policy)
    )


def _build_nomination_context(honour: Honour, policy: Policy) -> dict[str, str]:
    return {
        "honour": honour.code,
        "policy": policy.id,
        "revision": str(graph_state.fetch_revision_number()),
    }


def _draw_nomination_downloads(
    shown: pl.DataFrame, policy: Policy, honour: Honour, show: str, chosen: dict[str, str]
) -> None:
    """The list as shown, with decisions; the honour and its criteria in the file."""
    language = current_language()
    criteria = t("; ").join(translate_label((c.en, c.zh), language) for c in honour.criteria)
    filters = {
        "honour": honour.code,
        "show": show,
        "criteria": criteria,
        "standing": t("Meets the data's criteria, not a decision."),
        **chosen,
    }
    about = talent_figures.build_page_about(policy, filters)
    make = partial(_build_nomination_export, honour=honour, language=language)
    decisions.draw_decision_downloads(shown, make, about, f"nominations-{honour.code}")


def _build_nomination_export(
    few: pl.DataFrame, *, honour: Honour, language: Language
) -> pl.DataFrame:
    """The rows as they are written: heads and words in the language, the numbers as they are."""
    with override_language(language):
        missed = {c.code: translate_label((c.en, c.zh), language) for c in honour.criteria}
        yes = pl.when(pl.col("leads") > 0).then(pl.lit(t("yes"))).otherwise(pl.lit(t("no")))
        return few.select(
            *decisions.build_person_export_columns(),
            pl.col("years_at_5").round(2).alias(t("Years at 5+")),
            pl.col("years_at_6").round(2).alias(t("Years at 6+")),
            pl.col("apprentices").alias(t("Own (persons)")),
            yes.alias(t("Leads a studio")),
            pl.col("missed").replace(missed).alias(t("Misses")),
            *decisions.build_decision_export_columns(),
        )

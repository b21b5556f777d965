"""Data: what is loaded, from where and how fresh, what was refused, what to check, what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, Literal

import polars as pl
import streamlit as st

from graph.dates import format_date_columns
from graph.driven.results import has_cached_driven, load_driven
from graph.evidence.restatement import Restatement
from graph.messages import Language
from graph.metrics.claims import CLAIM_KINDS, COLUMNS
from graph.model.kinds import EXCHANGE_TABLES, NODE_KINDS
from graph.model.vocabularies import PROVINCES
from graph.people.aliases import describe_merge
from graph.policy import Policy
from graph.settings import Settings
from graph.snapshot.take import list_cached_snapshots
from graph.tabular import About
from ui.controls import downloads
from ui.data import load_reports
from ui.data.load_reports import LoadRecord
from ui.reading import cached_metrics, restatement, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor, record_personal_read
from ui.words.i18n import current_language, join_sentences, t, tn, translate_label, translate_labels
from ui.words.numbers import NO_VALUE_DASH, format_count, format_day, format_share, render_bold

MAX_DATA_ROWS = 1_000
MAX_LISTED_MOVERS = 20


@frame.page
def page() -> None:
    """The page."""
    found = load_reports.fetch_loads()
    frame.draw_lead(_render_data_answer(found))
    frame.draw_under_lead(
        t(
            "Revision {n}. Every figure of the app is counted from these loads and no others.",
            n=graph_state.fetch_revision_number(),
        )
    )
    if identify_visitor().may("review"):
        frame.draw_page_link("review", t("Review of records"))
    if identify_visitor().may("audit"):
        frame.draw_page_link("audit", t("Audit log"))
    views = {
        "loads": t("Loads"),
        "refused": t("Refused"),
        "coverage": t("Coverage"),
        "claims": t("To check"),
        "conflicts": t("Sources differ"),
        "restated": t("Restated"),
    }
    view = address.draw_required_choice("data", "view", t("What to look at"), views, "loads")
    drawn: Mapping[str, Callable[[], None]] = {
        "loads": partial(_draw_loads, found),
        "refused": partial(_draw_refused_rows, found),
        "coverage": _draw_coverage,
        "claims": _draw_claims,
        "conflicts": _draw_source_conflicts,
        "restated": _draw_restatement,
    }
    drawn[view]()


def _render_data_answer(found: list[LoadRecord]) -> str:
    """The page's sentence (HTML)."""
    done = [load for load in found if load.counts]
    read = sum(load.rows_read or 0 for load in done)
    refused = sum(load.rows_rejected or 0 for load in done)
    sources = {source for load in done for source in load.sources}
    until = graph_state.fetch_graph_revision().data_until
    sentence = t(
        "Loaded so far: {loads}, from {sources} sources, {rows} rows; {refused} rows were refused.",
        loads=render_bold(format_count(len(done))),
        sources=render_bold(format_count(len(sources))),
        rows=render_bold(format_count(read)),
        refused=render_bold(format_count(refused)),
    )
    if until is None:
        return sentence
    return join_sentences(
        sentence, t("The newest recognition is of {day}.", day=render_bold(format_day(until)))
    )


# --- loads ------------------------------------------------------------------------------------


def _draw_loads(found: list[LoadRecord]) -> None:
    frame.draw_heading(t("Loads, the newest first"), t("rows"))
    table = _build_loads_table(found)
    _draw_number_table(table, "data_loads", width="stretch")
    downloads.draw_download_buttons(table, _build_data_about(), "loads")
    frame.draw_rule()
    frame.draw_heading(t("How fresh each table is"), t("records in the graph"))
    language = current_language()
    fresh = pl.DataFrame(
        [
            {
                t("Table"): translate_label(
                    (EXCHANGE_TABLES[row["table"]].en, EXCHANGE_TABLES[row["table"]].zh), language
                ),
                t("Records"): row["rows"],
                t("Newest day stated"): str(row["newest"] or "—"),
            }
            for row in load_reports.fetch_freshness()
        ]
    )
    _draw_number_table(fresh, "data_fresh", width="content", first=250)
    frame.draw_html(
        f'<div class="sc-muted">{escape(t("To bring newer data in: run"))} '
        "<code>shicheng load folder FOLDER</code></div>"
    )
    if identify_visitor().may("load"):
        frame.draw_page_link("load", t("Or bring departments' lists in here"))


def _build_loads_table(found: list[LoadRecord]) -> pl.DataFrame:
    comma = t(", ")
    revisions = {load.load_id: load.revision for load in found}
    return pl.DataFrame(
        [
            {
                t("Revision"): load.revision,
                t("Finished"): (load.finished_at or "—")[:16].replace("T", " "),
                t("Sources"): comma.join(load.sources),
                t("Rows read"): load.rows_read,
                t("Accepted"): load.rows_accepted,
                t("Refused"): load.rows_rejected,
                t("Files"): comma.join(load.files),
                t("Undone"): _describe_undoing(load, revisions),
            }
            for load in found
        ]
    )


def _describe_undoing(load: LoadRecord, revisions: Mapping[str, int | None]) -> str:
    """Whether the load was undone, which one it undoes, or how many people it erased."""
    if load.erased is not None:
        return t("erases {n} people: {why}", n=load.erased, why=load.erasure_reason or "—")
    if load.undoes is not None:
        return t("undoes revision {n}", n=revisions.get(load.undoes) or "—")
    if load.undone_at is None:
        return "—"
    return t("on {day} by {who}", day=load.undone_at[:10], who=load.undone_by or "—")


def _draw_number_table(
    table: pl.DataFrame, key: str, *, width: Literal["stretch", "content"], first: int | None = None
) -> None:
    """The rows as they are, thousands apart; `first` is the first column's px, else its words'."""
    columns = _build_number_columns(table)
    if first is not None:
        columns[table.columns[0]] = st.column_config.TextColumn(width=first)
    st.dataframe(
        table,
        hide_index=True,
        placeholder=NO_VALUE_DASH,
        width=width,
        key=key,
        column_config=columns,
    )


def _build_number_columns(table: pl.DataFrame) -> dict[str, Any]:
    of_numbers = (name for name, dtype in table.schema.items() if dtype.is_integer())
    return {name: st.column_config.NumberColumn(format="localized") for name in of_numbers}


def _build_data_about(policy: Policy | None = None, **filters: str) -> About:
    return talent_figures.build_page_about(policy, filters)


# --- refused ----------------------------------------------------------------------------------


def _draw_refused_rows(found: list[LoadRecord]) -> None:
    home = Settings().home
    named = {
        load.load_id: t(
            "Revision {n}, {day}", n=load.revision or "—", day=(load.started_at or "")[:10]
        )
        for load in found
    }
    columns = st.columns([220, 220, 500], vertical_alignment="bottom")
    with columns[0]:
        chosen = address.draw_required_choice(
            "data", "load", t("Load"), named, next(iter(named)), folded=True, leaves=("file",)
        )
    record_personal_read("refused_rows", load_id=chosen)
    rows = load_reports.fetch_findings(home, chosen, identify_visitor())
    if rows.is_empty():
        if load_reports.fetch_load_report(home, chosen) is None:
            frame.draw_empty_state(
                t("The report of this load is not on this machine"),
                t("It is kept in the data folder of the machine that loaded."),
            )
        else:
            frame.draw_empty_state(t("Nothing was refused"), t("Every row of this load was taken."))
        return
    with columns[1]:
        file = address.draw_optional_select(
            "data", "file", t("File"), {f: f for f in sorted(set(rows["file"]))}
        )
    if file:
        rows = rows.filter(pl.col("file") == file)
    refused = rows.filter(pl.col("kind") == "refused").height
    frame.draw_heading(
        t("Refused rows and remarks"),
        t(
            "{n} refused, {m} taken with a remark",
            n=format_count(refused),
            m=format_count(rows.height - refused),
        ),
    )
    _draw_refusal_reasons(rows)
    words = {"refused": t("refused"), "remark": t("remark")}
    table = rows.select(
        pl.col("file").alias(t("File")),
        pl.col("row").alias(t("Row")),
        pl.col("column").alias(t("Column")),
        pl.col("value").alias(t("Value")),
        pl.col("reason").alias(t("Why, and what to do")),
        pl.col("kind").cast(pl.String).replace(words).alias(t("Outcome")),
    )
    _draw_number_table(table.head(MAX_DATA_ROWS), "data_refused", width="stretch")
    note = _format_row_limit(table.height)
    if not identify_visitor().sees_personal_data:
        note = join_sentences(note, t("People's own cells are hidden; a data steward sees them."))
    frame.draw_muted(note)
    asked = {"load": chosen} | ({"file": file} if file else {})
    about = talent_figures.build_page_about(None, asked)
    downloads.draw_download_buttons(table, about, "refused", main=True)


def _draw_refusal_reasons(rows: pl.DataFrame) -> None:
    """What went wrong how often, so that one looks for the cause and not at a thousand rows."""
    reasons = (
        rows.group_by("file", "column", "kind", pl.col("reason").str.extract("^[^;；]*", 0))
        .agg(pl.len().alias("n"))
        .sort("n", "file", descending=[True, False])
        .head(8)
    )
    body = "".join(
        f"<tr><td>{escape(row['file'])}</td><td>{escape(row['column'] or '—')}</td>"
        f'<td>{escape(row["reason"])}</td><td class="n">{format_count(row["n"])}</td></tr>'
        for row in reasons.iter_rows(named=True)
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in (t("File"), t("Column"), t("Reason")))
    frame.draw_html(
        f'<table class="sc-table"><thead><tr>{head}<th class="n">{escape(t("Rows"))}</th></tr>'
        f"</thead><tbody>{body}</tbody></table>"
    )


def _format_row_limit(rows: int) -> str:
    if rows <= MAX_DATA_ROWS:
        return tn("{n} row.", "All {n} rows.", rows, n=format_count(rows))
    return t(
        "The first {n} of {all} rows; the download has them all.",
        n=format_count(MAX_DATA_ROWS),
        all=format_count(rows),
    )


# --- coverage ---------------------------------------------------------------------------------


def _draw_coverage() -> None:
    words = {
        "mentorships_dated": t("mentorships with a start"),
        "leads_dated": t("studio leaders with a start"),
        "trainings_dated": t("trainings with a start"),
        "people_levelled": t("people with a level"),
        "people_in_province": t("people with a province"),
        "people_in_occupation": t("people with an occupation"),
        "people_employed": t("people with an employer"),
        "talents_dated": t("namings of leading talents with a day"),
    }
    found = load_reports.fetch_coverage()
    frame.draw_heading(t("How much of the data can be counted with"), t("records"))
    table = pl.DataFrame(
        {
            t("What"): [words[row.what] for row in found],
            t("Known"): [row.known for row in found],
            t("In all"): [row.whole for row in found],
            t("Share"): [format_share(row.known, row.whole) if row.whole else "—" for row in found],
        }
    )
    _draw_number_table(table, "data_coverage", width="content", first=250)
    downloads.draw_download_buttons(table, _build_data_about(), "coverage")
    frame.draw_rule()
    _draw_undated_effect()


def _draw_undated_effect() -> None:
    """What the headline would be if undated links counted."""
    policy = current_policy()
    frame.draw_heading(t("What undated links would change"), t("persons"))
    snapshot = graph_state.fetch_snapshot()
    rules = {undated: replace(policy, undated=undated) for undated in ("exclude", "include")}
    lacking = [rule for rule in rules.values() if not has_cached_driven(snapshot, rule)]
    if (
        lacking
        and cached_metrics.draw_background_result(
            ("undated", graph_state.fetch_graph_state(), policy),
            t("both ways of counting"),
            partial(_measure_policies, snapshot, lacking),
        )
        is None
    ):
        return
    without, with_all = (
        talent_figures.fetch_driven_figures(rules[u]).national for u in ("exclude", "include")
    )
    frame.draw_html(
        '<div class="sc-reconcile">'
        + "".join(
            f'<span class="sc-muted">{escape(name)}</span><span>{format_count(without[figure])} → '
            f"{format_count(with_all[figure])} "
            f"({_format_signed(with_all[figure] - without[figure])})</span>"
            for name, figure in (
                (t("Driven persons"), "driven_persons"),
                (t("Driven person-times"), "driven_person_times"),
            )
        )
        + "</div>"
    )
    note = t("Left: undated links do not count. Right: they count as always there.")
    frame.draw_muted(note)


def _measure_policies(snapshot: Any, rules: list[Policy]) -> bool:
    for rule in rules:
        load_driven(snapshot, rule)
    return True


def _format_signed(number: int) -> str:
    return f"{number:+,}".replace("-", "\N{MINUS SIGN}")


# --- to check ---------------------------------------------------------------------------------


def _draw_claims() -> None:
    """Findings that move the headline, by kind; a kind opens to its findings."""
    policy, language = current_policy(), current_language()
    frame.draw_heading(t("Findings that move the headline"), t("what both ledgers would change by"))
    cached_metrics.draw_missing_metrics(policy, ["claims_by_kind"])
    if not cached_metrics.is_metric_ready(policy, "claims_by_kind"):
        frame.draw_empty_state(
            t("Mentorships and recognitions that an auditor would ask about"),
            t("Circles, mentors junior to their apprentices, bulk links: each with its effect."),
        )
        return
    kinds = cached_metrics.fetch_cached_metric(policy, "claims_by_kind")
    words = translate_labels(CLAIM_KINDS, language)
    names = translate_labels(COLUMNS, language)
    shown = kinds.with_columns(pl.col("kind").cast(pl.String).replace(words))
    shown = shown.rename({c: names[c] for c in shown.columns if c in names})
    _draw_number_table(shown, "data_kinds", width="stretch")
    note = t("Kinds overlap, so they do not add up to all together.")
    frame.draw_muted(note)
    downloads.draw_download_buttons(shown, _build_data_about(policy), "claims_by_kind")
    frame.draw_rule()
    present = [k for k, n in kinds.select("kind", "findings").rows() if n and k != "all"]
    if not present:
        frame.draw_empty_state(
            t("Nothing to check"), t("No finding of any kind under this policy.")
        )
        return
    with st.container(width=320):
        kind = address.draw_optional_select(
            "data", "kind", t("Open a kind"), {k: words[k] for k in present}
        )
    if kind is None:
        return
    cached_metrics.draw_missing_metrics(policy, ["claims"])
    if cached_metrics.is_metric_ready(policy, "claims"):
        _draw_claim_findings(policy, kind, names)


def _draw_claim_findings(policy: Policy, kind: str, names: dict[str, str]) -> None:
    rows = (
        cached_metrics.fetch_cached_metric(policy, "claims")
        .filter(pl.col("kind") == kind)
        .sort(pl.col("persons_change").abs(), descending=True, nulls_last=True)
        .drop("kind")
        .pipe(format_date_columns)
    )
    table = rows.rename({c: names[c] for c in rows.columns if c in names})
    picked = st.dataframe(
        table.head(MAX_DATA_ROWS),
        hide_index=True,
        width="stretch",
        key=f"data_findings_{kind}",
        placeholder=NO_VALUE_DASH,
        on_select="rerun",
        selection_mode="single-row",
        column_config=_build_number_columns(table),
    )
    chosen = picked.selection.rows
    with st.container(horizontal=True, vertical_alignment="center"):
        frame.draw_muted(_format_row_limit(table.height))
        if chosen:
            row = rows.row(chosen[0], named=True)
            frame.draw_page_link(
                "lineage", t("Open the lineage of {id}", id=row["person_id"]), id=row["person_id"]
            )
        st.space("stretch")
        downloads.draw_download_buttons(
            table, _build_data_about(policy, kind=kind), "claims", main=True
        )


# --- where sources differ ----------------------------------------------------------------------


def _draw_source_conflicts() -> None:
    """Values that do not count because another source is believed, each beside what counts."""
    record_personal_read("conflicts")
    found = load_reports.fetch_shown_conflicts(identify_visitor())
    frame.draw_heading(
        t("Where sources contradict each other"),
        tn(
            "{n} value does not count",
            "{n} values do not count",
            found.height,
            n=format_count(found.height),
        ),
    )
    frame.draw_muted(
        t(
            "The source of the higher rank counts, then the newer statement. To change what "
            "counts, "
            "have the source correct its file, or ask the administrator to change the order of the "
            "sources."
        )
    )
    if found.is_empty():
        frame.draw_empty_state(t("No two sources differ"), t("What several sources state agrees."))
        return
    language = current_language()
    tables = {
        name: translate_label((kind.en, kind.zh), language)
        for name, kind in EXCHANGE_TABLES.items()
    }
    words = {
        p.stored: translate_label((p.en, p.zh), language)
        for kind in EXCHANGE_TABLES.values()
        for p in kind.columns
    }
    table = found.select(
        pl.col("table").replace(tables).alias(t("Table")),
        pl.col("record").alias(t("Record")),
        pl.col("other").replace({"unstated": t("not stated")}).alias(t("Other end")),
        pl.col("property").replace(words).alias(t("What")),
        _build_choice_words_expr("standing").alias(t("Counts")),
        pl.col("standing_source").alias(t("Stated by")),
        _build_choice_words_expr("value").alias(t("Does not count")),
        pl.col("source").alias(t("Its source")),
        pl.col("row").alias(t("File and row")),
    )
    _draw_number_table(table.head(MAX_DATA_ROWS), "data_conflicts", width="stretch", first=150)
    note = _format_row_limit(table.height)
    if not identify_visitor().sees_personal_data:
        note = join_sentences(note, t("People's own cells are hidden; a data steward sees them."))
    frame.draw_muted(note)
    downloads.draw_download_buttons(table, _build_data_about(), "conflicts", main=True)


def _build_choice_words_expr(column: str) -> pl.Expr:
    """Values of several properties, codes of choices in the page's words."""
    provinces = translate_labels(PROVINCES, current_language())
    said = (
        pl.when(pl.col("property") == "province")
        .then(pl.col(column).replace(provinces))
        .otherwise(pl.col(column))
    )
    for name, kind in EXCHANGE_TABLES.items():
        for declared in kind.columns:
            if declared.choices:
                words = translate_labels(declared.choices, current_language())
                of_it = (pl.col("table") == name) & (pl.col("property") == declared.stored)
                said = pl.when(of_it).then(pl.col(column).replace(words)).otherwise(said)
    return said


# --- restated ---------------------------------------------------------------------------------


def _draw_restatement() -> None:
    """What changed between two stored revisions, and the causes, adding up to the difference."""
    policy = current_policy()
    frame.draw_heading(
        t("What changed between two revisions"), t("the causes add up to the difference")
    )
    known = list_cached_snapshots(
        graph_state.open_shared_database(), graph_state.open_shared_database().settings
    )
    if len(known) < 2:
        frame.draw_empty_state(
            t("One revision is kept, so nothing can be held against it"),
            t("After the next load, its difference to this one stands here."),
        )
        return
    named = {
        str(k.revision): t("Revision {n}, {day}", n=k.revision, day=k.made_at[:10]) for k in known
    }
    left, right, _ = st.columns([220, 220, 500])
    with left:
        before = address.draw_required_choice(
            "data", "before", t("From"), named, str(known[1].revision), folded=True
        )
    with right:
        after = address.draw_required_choice(
            "data", "after", t("To"), named, str(known[0].revision), folded=True
        )
    if before == after:
        frame.draw_empty_state(t("These are the same revision"), t("Choose two different ones."))
        return
    folder = {str(k.revision): k.folder for k in known}
    asked = folder[before], folder[after], policy
    found: Restatement | None = restatement.fetch_cached_restatement(
        *asked
    ) or cached_metrics.draw_background_result(
        restatement.format_restatement_key(*asked),
        t("what changed"),
        partial(restatement.materialize_restatement, *asked),
    )
    if found is not None:
        _draw_revision_difference(found)


def _draw_revision_difference(found: Restatement) -> None:
    words = {
        "leading_talents": t("Leading talents"),
        "driven_persons": t("Driven persons"),
        "driven_person_times": t("Driven person-times"),
        "sum_over_talents": t("Sum over the talents"),
    }
    national = found.national.with_columns(pl.col("figure").cast(pl.String).replace(words)).rename(
        {
            "figure": t("Figure"),
            "before": t("Before"),
            "after": t("After"),
            "difference": t("Difference"),
        }
    )
    _draw_number_table(national, "data_national", width="content")
    _draw_merged_ids(found.merges)
    if found.causes.is_empty():
        frame.draw_empty_state(t("Nothing changed"), t("Both revisions give the same figures."))
        return
    about = _build_data_about(found.policy, before=str(found.before), after=str(found.after))
    frame.draw_heading(
        t("Why: each change has one cause"),
        tn("{n} cause", "{n} causes", found.causes.height, n=format_count(found.causes.height)),
    )
    causes = _flatten_nested_columns(format_date_columns(found.causes))
    _draw_number_table(causes.head(MAX_DATA_ROWS), "data_causes", width="stretch")
    downloads.draw_download_buttons(causes, about, "causes", main=True)
    frame.draw_heading(t("Talents whose figures moved most"), t("persons"))
    movers = found.talents.sort(pl.col("driven_difference").abs(), descending=True)
    lines = [
        frame.ListRow(
            row["talent_id"],
            (
                f"{format_count(row['driven_before'])} → {format_count(row['driven_after'])}",
                f"<b>{_format_signed(row['driven_difference'])}</b>",
            ),
            "talent",
            {"id": row["talent_id"]},
        )
        for row in movers.head(MAX_LISTED_MOVERS).iter_rows(named=True)
    ]
    frame.draw_row_list(
        lines, key="movers", head=(t("Talent's number"), t("Driven (persons)"), t("Difference"))
    )
    downloads.draw_download_buttons(
        _flatten_nested_columns(found.talents), about, "restated_talents"
    )


def _name_kind(label: str, language: Language) -> str:
    kind = NODE_KINDS[label]
    return translate_label((kind.en, kind.zh), language)


def _draw_merged_ids(merges: pl.DataFrame) -> None:
    """The ids that were joined or parted between the two revisions."""
    if merges.is_empty():
        return
    language = current_language()
    frame.draw_heading(
        t("Ids joined or parted"),
        tn("{n} id", "{n} ids", merges.height, n=format_count(merges.height)),
    )
    words = {"merged": t("joined"), "parted": t("parted")}
    rows = [
        {
            t("Kind"): _name_kind(row["label"], language),
            t("Id"): row["alias_id"],
            t("Stands for it"): row["id"],
            t("Change"): words[row["change"]],
            t("Why"): describe_merge(row["basis"], row["probability"]).said(language),
            t("Rows"): f"{row['row']} ({', '.join(row['sources'] or ())})",
        }
        for row in merges.head(MAX_DATA_ROWS).iter_rows(named=True)
    ]
    _draw_number_table(pl.DataFrame(rows), "data_merges", width="stretch")


def _flatten_nested_columns(table: pl.DataFrame) -> pl.DataFrame:
    """Lists and structures as text, so that they stand in a cell."""
    nested = [name for name, dtype in table.schema.items() if dtype.is_nested()]
    return table.with_columns(
        pl.col(name).map_elements(lambda value: str(list(value)), return_dtype=pl.String)
        for name in nested
    )

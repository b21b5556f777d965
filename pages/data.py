"""Data: what is loaded, from where and how fresh, what was refused, what to check, what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import address, downloads, frame, kept, loads, since, store
from components.i18n import current_language, joined, label, labels, t, tn
from components.numbers import bold, count, day, share
from components.policy_form import current_policy
from components.visitor import visitor
from graph.metrics.claims import COLUMNS, KINDS
from graph.model import TABLES
from graph.policy import Policy
from graph.restatement import Restatement
from graph.results import is_measured, measured
from graph.settings import Settings
from graph.snapshot import kept_snapshots

MOST_SHOWN = 1_000
MOST_MOVERS = 20
FIGURES = ("leading_talents", "driven_persons", "driven_person_times", "sum_over_talents")


@frame.page
def page() -> None:
    """The page."""
    found = loads.loads()
    frame.lead(_answer(found))
    frame.under_lead(
        t("Revision {n}. Every figure of the app is counted from these loads and no others.",
          n=store.revision())
    )  # fmt: skip
    views = {
        "loads": t("Loads"), "refused": t("Refused"), "coverage": t("Coverage"),
        "claims": t("To check"), "restated": t("Restated"),
    }  # fmt: skip
    view = address.one_of("data", "view", t("What to look at"), views, "loads")
    drawn: Mapping[str, Callable[[], None]] = {
        "loads": partial(_loads, found), "refused": partial(_refused, found),
        "coverage": _coverage, "claims": _claims, "restated": _restated,
    }  # fmt: skip
    drawn[view]()


def _answer(found: list[dict[str, Any]]) -> str:
    """The page's sentence (HTML)."""
    done = [load for load in found if load["finished_at"]]
    read = sum(load["rows_read"] or 0 for load in done)
    refused = sum(load["rows_rejected"] or 0 for load in done)
    sources = {source for load in done for source in load["sources"] or ()}
    until = store.standing().data_until
    sentence = t(
        "Loaded so far: {loads}, from {sources} sources, {rows} rows; {refused} rows were refused.",
        loads=bold(count(len(done))), sources=bold(count(len(sources))), rows=bold(count(read)),
        refused=bold(count(refused)),
    )  # fmt: skip
    if until is None:
        return sentence
    return joined(sentence, t("The newest recognition is of {day}.", day=bold(day(until))))


# --- loads ------------------------------------------------------------------------------------


def _loads(found: list[dict[str, Any]]) -> None:
    frame.heading(t("Loads, the newest first"), t("rows"))
    table = _loads_table(found)
    _table(table, "data_loads", width="stretch")
    downloads.offer(table, _about(), "loads")
    frame.rule()
    frame.heading(t("How fresh each table is"), t("records in the graph"))
    language = current_language()
    fresh = pl.DataFrame(
        [
            {
                t("Table"): label((TABLES[row["table"]].en, TABLES[row["table"]].zh), language),
                t("Records"): row["rows"],
                t("Newest day stated"): str(row["newest"] or "—"),
            }
            for row in loads.freshness()
        ]
    )
    _table(fresh, "data_fresh", width="content", first=250)
    frame.html(
        f'<div class="sc-muted">{escape(t("To bring newer data in: run"))} '
        "<code>shicheng load folder FOLDER</code></div>"
    )


def _loads_table(found: list[dict[str, Any]]) -> pl.DataFrame:
    comma = t(", ")
    return pl.DataFrame(
        [
            {
                t("Revision"): load["revision"],
                t("Finished"): (load["finished_at"] or "—")[:16].replace("T", " "),
                t("Sources"): comma.join(load["sources"] or ()),
                t("Rows read"): load["rows_read"],
                t("Accepted"): load["rows_accepted"],
                t("Refused"): load["rows_rejected"],
                t("Files"): comma.join(load["files"] or ()),
            }
            for load in found
        ]
    )


def _table(table: pl.DataFrame, key: str, *, width: str, first: int | None = None) -> None:
    """The rows as they are, thousands apart; `first` is the first column's px, else its words'."""
    columns = _numbers(table)
    if first is not None:
        columns[table.columns[0]] = st.column_config.TextColumn(width=first)
    st.dataframe(table, hide_index=True, width=width, key=key, column_config=columns)


def _numbers(table: pl.DataFrame) -> dict[str, Any]:
    of_numbers = (name for name, dtype in table.schema.items() if dtype.is_integer())
    return {name: st.column_config.NumberColumn(format="localized") for name in of_numbers}


def _about(policy: Policy | None = None, **filters: str) -> downloads.About:
    return downloads.About(store.revision(), policy, filters)


# --- refused ----------------------------------------------------------------------------------


def _refused(found: list[dict[str, Any]]) -> None:
    home = Settings().home
    named = {
        load["load_id"]: t("Revision {n}, {day}", n=load["revision"] or "—",
                           day=(load["started_at"] or "")[:10])
        for load in found
    }  # fmt: skip
    columns = st.columns([220, 220, 500], vertical_alignment="bottom")
    with columns[0]:
        chosen = address.one_of("data", "load", t("Load"), named, next(iter(named)), folded=True,
                                leaves=("file",))  # fmt: skip
    rows = loads.findings(home, chosen, visitor())
    if rows.is_empty():
        if loads.report(home, chosen) is None:
            frame.empty(
                t("The report of this load is not on this machine"),
                t("It is kept in the data folder of the machine that loaded."),
            )
        else:
            frame.empty(t("Nothing was refused"), t("Every row of this load was taken."))
        return
    with columns[1]:
        file = address.choice("data", "file", t("File"), {f: f for f in sorted(set(rows["file"]))})
    if file:
        rows = rows.filter(pl.col("file") == file)
    refused = rows.filter(pl.col("kind") == "refused").height
    frame.heading(t("Refused rows and remarks"), t("{n} refused, {m} taken with a remark",
                  n=count(refused), m=count(rows.height - refused)))  # fmt: skip
    _by_reason(rows)
    words = {"refused": t("refused"), "remark": t("remark")}
    table = rows.select(
        pl.col("file").alias(t("File")), pl.col("row").alias(t("Row")),
        pl.col("column").alias(t("Column")), pl.col("value").alias(t("Value")),
        pl.col("reason").alias(t("Why, and what to do")),
        pl.col("kind").cast(pl.String).replace(words).alias(t("Outcome")),
    )  # fmt: skip
    _table(table.head(MOST_SHOWN), "data_refused", width="stretch")
    told = _left_out(table.height)
    if not visitor().sees_personal_data:
        told = joined(told, t("People's own cells are hidden; a data steward sees them."))
    frame.muted(told)
    about = _about(load=chosen, **({"file": file} if file else {}))
    downloads.offer(table, about, "refused", main=True)


def _by_reason(rows: pl.DataFrame) -> None:
    """What went wrong how often, so that one looks for the cause and not at a thousand rows."""
    reasons = (
        rows.group_by("file", "column", "kind", pl.col("reason").str.split(";").list.first())
        .agg(pl.len().alias("n"))
        .sort("n", "file", descending=[True, False])
        .head(8)
    )
    body = "".join(
        f"<tr><td>{escape(row['file'])}</td><td>{escape(row['column'] or '—')}</td>"
        f'<td>{escape(row["reason"])}</td><td class="n">{count(row["n"])}</td></tr>'
        for row in reasons.iter_rows(named=True)
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in (t("File"), t("Column"), t("Reason")))
    frame.html(
        f'<table class="sc-table"><thead><tr>{head}<th class="n">{escape(t("Rows"))}</th></tr>'
        f"</thead><tbody>{body}</tbody></table>"
    )


def _left_out(rows: int) -> str:
    if rows <= MOST_SHOWN:
        return tn("{n} row", "{n} rows", rows, n=count(rows))
    return t("The first {n} of {all} rows; the download has them all.",
             n=count(MOST_SHOWN), all=count(rows))  # fmt: skip


# --- coverage ---------------------------------------------------------------------------------


def _coverage() -> None:
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
    found = loads.coverage()
    frame.heading(t("How much of the data can be counted with"), t("records"))
    table = pl.DataFrame(
        {
            t("What"): [words[row.what] for row in found],
            t("Known"): [row.known for row in found],
            t("In all"): [row.whole for row in found],
            t("Share"): [share(row.known, row.whole) if row.whole else "—" for row in found],
        }
    )
    _table(table, "data_coverage", width="content", first=250)
    downloads.offer(table, _about(), "coverage")
    frame.rule()
    _undated()


def _undated() -> None:
    """What the headline would be if links without a date counted."""
    policy = current_policy()
    frame.heading(t("What links without a date would change"), t("persons"))
    snapshot = store.snapshot()
    rules = {undated: replace(policy, undated=undated) for undated in ("exclude", "include")}
    lacking = [rule for rule in rules.values() if not is_measured(snapshot, rule)]
    if lacking and kept.worked_out(
        ("undated", store.state(), policy), t("both ways of counting"),
        partial(_measure_all, snapshot, lacking),
    ) is None:  # fmt: skip
        return
    without, with_all = (store.driven(rules[u]).national for u in ("exclude", "include"))
    frame.html(
        '<div class="sc-reconcile">'
        + "".join(
            f'<span class="sc-muted">{escape(name)}</span><span>{count(without[figure])} → '
            f"{count(with_all[figure])} ({_signed(with_all[figure] - without[figure])})</span>"
            for name, figure in (
                (t("Driven persons"), "driven_persons"),
                (t("Driven person-times"), "driven_person_times"),
            )
        )
        + "</div>"
    )
    told = t("Left: links without a date do not count. Right: they count as always there.")
    frame.muted(told)


def _measure_all(snapshot: Any, rules: list[Policy]) -> bool:
    for rule in rules:
        measured(snapshot, rule)
    return True


def _signed(number: int) -> str:
    return f"{number:+,}".replace("-", "\N{MINUS SIGN}")


# --- to check ---------------------------------------------------------------------------------


def _claims() -> None:
    """Findings that move the headline, by kind; a kind opens to its findings."""
    policy, language = current_policy(), current_language()
    frame.heading(t("Findings that move the headline"), t("what both ledgers would change by"))
    kept.missing(policy, ["claims_by_kind"])
    if not kept.ready(policy, "claims_by_kind"):
        frame.empty(
            t("Mentorships and recognitions that an auditor would ask about"),
            t("Circles, mentors junior to their apprentices, bulk links: each with its effect."),
        )  # fmt: skip
        return
    kinds = kept.table(policy, "claims_by_kind")
    words = labels(KINDS, language)
    names = labels(COLUMNS, language)
    shown = kinds.with_columns(pl.col("kind").cast(pl.String).replace(words))
    shown = shown.rename({c: names[c] for c in shown.columns if c in names})
    _table(shown, "data_kinds", width="stretch")
    told = t("Kinds overlap, so they do not add up to all together.")
    frame.muted(told)
    downloads.offer(shown, _about(policy), "claims_by_kind")
    frame.rule()
    present = [k for k, n in kinds.select("kind", "findings").rows() if n and k != "all"]
    if not present:
        frame.empty(t("Nothing to check"), t("No finding of any kind under this policy."))
        return
    with st.container(width=320):
        kind = address.choice("data", "kind", t("Open a kind"), {k: words[k] for k in present})
    if kind is None:
        return
    kept.missing(policy, ["claims"])
    if kept.ready(policy, "claims"):
        _findings(policy, kind, names)


def _findings(policy: Policy, kind: str, names: dict[str, str]) -> None:
    rows = (
        kept.table(policy, "claims")
        .filter(pl.col("kind") == kind)
        .sort(pl.col("persons_change").abs(), descending=True, nulls_last=True)
        .drop("kind")
    )
    table = rows.rename({c: names[c] for c in rows.columns if c in names})
    picked = st.dataframe(
        table.head(MOST_SHOWN), hide_index=True, width="stretch", key=f"data_findings_{kind}",
        on_select="rerun", selection_mode="single-row", column_config=_numbers(table),
    )  # fmt: skip
    chosen = picked.selection.rows
    with st.container(horizontal=True, vertical_alignment="center"):
        frame.muted(_left_out(table.height))
        if chosen:
            row = rows.row(chosen[0], named=True)
            frame.link("lineage", t("Open the lineage of {id}", id=row["person_id"]),
                       id=row["person_id"])  # fmt: skip
        st.space("stretch")
        downloads.offer(table, _about(policy, kind=kind), "claims", main=True)


# --- restated ---------------------------------------------------------------------------------


def _restated() -> None:
    """What changed between two kept revisions, and the causes, adding up to the difference."""
    policy = current_policy()
    frame.heading(t("What changed between two revisions"), t("the causes add up to the difference"))
    known = kept_snapshots(store.database(), store.database().settings)
    if len(known) < 2:
        frame.empty(
            t("One revision is kept, so nothing can be held against it"),
            t("After the next load, its difference to this one stands here."),
        )
        return
    named = {str(k.revision): t("Revision {n}, {day}", n=k.revision, day=k.made_at[:10])
             for k in known}  # fmt: skip
    left, right, _ = st.columns([220, 220, 500])
    with left:
        before = address.one_of(
            "data", "before", t("From"), named, str(known[1].revision), folded=True
        )
    with right:
        after = address.one_of("data", "after", t("To"), named, str(known[0].revision), folded=True)
    if before == after:
        frame.empty(t("These are the same revision"), t("Choose two different ones."))
        return
    folder = {str(k.revision): k.folder for k in known}
    asked = folder[before], folder[after], policy
    found: Restatement | None = since.kept_between(*asked) or kept.worked_out(
        since.job_of(*asked), t("what changed"), partial(since.between, *asked)
    )
    if found is not None:
        _difference(found)


def _difference(found: Restatement) -> None:
    words = {
        "leading_talents": t("Leading talents"), "driven_persons": t("Driven persons"),
        "driven_person_times": t("Driven person-times"),
        "sum_over_talents": t("Sum over the talents"),
    }  # fmt: skip
    national = found.national.with_columns(pl.col("figure").cast(pl.String).replace(words)).rename(
        {"figure": t("Figure"), "before": t("Before"), "after": t("After"),
         "difference": t("Difference")}
    )  # fmt: skip
    _table(national, "data_national", width="content")
    if found.causes.is_empty():
        frame.empty(t("Nothing changed"), t("Both revisions give the same figures."))
        return
    about = _about(found.policy, before=str(found.before), after=str(found.after))
    frame.heading(
        t("Why: each change has one cause"),
        tn("{n} cause", "{n} causes", found.causes.height, n=count(found.causes.height)),
    )
    causes = _flat(found.causes)
    _table(causes.head(MOST_SHOWN), "data_causes", width="stretch")
    downloads.offer(causes, about, "causes", main=True)
    frame.heading(t("Talents whose figures moved most"), t("persons"))
    movers = found.talents.sort(pl.col("driven_difference").abs(), descending=True)
    lines = [
        frame.Row(
            row["talent_id"],
            (f'{count(row["driven_before"])} → {count(row["driven_after"])}',
             f'<b>{_signed(row["driven_difference"])}</b>'),
            "talent", {"id": row["talent_id"]},
        )
        for row in movers.head(MOST_MOVERS).iter_rows(named=True)
    ]  # fmt: skip
    frame.rows(lines, key="movers", head=(t("Talent"), t("Driven (persons)"), t("Difference")))
    downloads.offer(_flat(found.talents), about, "restated_talents")


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Lists and structures as text, so that they stand in a cell."""
    nested = [name for name, dtype in table.schema.items() if dtype.is_nested()]
    return table.with_columns(
        pl.col(name).map_elements(lambda value: str(list(value)), return_dtype=pl.String)
        for name in nested
    )


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()

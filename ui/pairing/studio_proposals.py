"""The new studios of the page Pairing: their list, the one that is chosen, and the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from graph.forecast.new_studios import MEMBER_COLUMNS, STUDIO_COLUMNS
from graph.forecast.pairing import Pairing
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.programme.pair_decisions import (
    STUDIO_SCOPE,
    StudioToOpen,
    count_accepted_members,
    find_other_members,
    list_accepted_studios,
    put_accepted_members,
)
from graph.tabular import About
from ui.controls import decisions, downloads
from ui.shell import frame, graph_state
from ui.words.i18n import (
    override_language,
    t,
    tn,
    translate_label,
    translate_labels,
)
from ui.words.numbers import NO_VALUE_DASH, format_count, format_day
from ui.words.terms import format_person_name, list_term_translations, name_width, translate_term


def identify_studios(studios: pl.DataFrame) -> pl.DataFrame:
    """The studios with `person_id`, their leader as decisions name it, and the occupation."""
    names = graph_state.fetch_snapshot().frames["occupations"]
    named = names.select(occupation_code="code", occupation="name").unique("occupation_code")
    return studios.with_columns(person_id="leader_id").join(
        named.collect(), on="occupation_code", how="left", maintain_order="left"
    )


def find_changed_studios(found: Pairing) -> dict[str, StudioToOpen]:
    """Leader -> the studio as it was accepted, where the members proposed now are others."""
    standing = graph_state.open_notebook().standing("decision")
    return find_other_members(found.members, list_accepted_studios(standing))


def build_studio_context(
    found: Pairing, context: Mapping[str, str], leader_id: str
) -> dict[str, Any]:
    """What is kept with the decision on a leader's studio: its members and its province besides."""
    studio = found.studios.filter(pl.col("leader_id") == leader_id)
    members = found.members.filter(pl.col("leader_id") == leader_id)
    province = studio["province"][0] if studio.height else None
    # The province asked for is not the studio's.
    return {**context, "province": province or "", "members": members["person_id"].to_list()}


def draw_studio_list(
    shown: pl.DataFrame, others: Mapping[str, StudioToOpen], language: Language
) -> list[str]:
    """The list; whose studios are ticked. `others`: see `find_changed_studios`."""
    if shown.is_empty():
        frame.draw_empty_state(
            t("No studio is here"),
            t(
                "Take a filter away, ask for more studios, or count chains by studios: a leading "
                "talent without a studio must have a place free."
            ),
        )
        return []
    config = st.column_config
    ticked = decisions.draw_decision_list(
        _translate_studios(shown, language),
        shown["person_id"],
        key="studios_table",
        most=520,
        columns={
            "name": config.TextColumn(t("Leader"), width=name_width()),
            "gain": config.NumberColumn(
                t("Adds (persons)"),
                format="%.1f",
                width=96,
                help=t("Expected new driven workers among its members by the window's end"),
            ),
            "members": config.NumberColumn(t("Members"), width=76),
            "host": config.TextColumn(t("Opens at"), width=190),
        },
    )
    frame.draw_muted(
        tn(
            "{n} studio; tick lines to decide.",
            "{n} studios; tick lines to decide.",
            shown.height,
            n=format_count(shown.height),
        )
    )
    if changed := shown["leader_id"].is_in([*others]).sum():
        frame.draw_muted(
            tn(
                "{n} was accepted with other members than those proposed here; the files have "
                "the accepted ones.",
                "{n} were accepted with other members than those proposed here; the files have "
                "the accepted ones.",
                int(changed),
                n=format_count(int(changed)),
            )
        )
    return ticked


def _translate_studios(rows: pl.DataFrame, language: Language) -> pl.DataFrame:
    return rows.select(
        pl.col("leader").alias("name"),
        gain=pl.col("gain"),
        members="members",
        host=pl.coalesce("host", "host_id"),
        level="level",
        occupation=pl.col("occupation").replace(list_term_translations(language)),
        province=pl.col("province").replace(translate_labels(PROVINCES, language)),
        decision=pl.col("decision").replace_strict(
            decisions.list_marked_decisions(), default=NO_VALUE_DASH, return_dtype=pl.String
        ),
    )


def draw_studio_panel(
    rows: pl.DataFrame,
    members: pl.DataFrame,
    others: Mapping[str, StudioToOpen],
    under: Callable[[str], Mapping[str, Any]],
) -> None:
    """The studio whose leader the address names: its host, its members, and the decision."""
    asked = st.query_params.get("person")
    found = rows.filter(pl.col("person_id") == asked) if asked else rows.clear()
    if found.is_empty():
        frame.draw_heading(t("Which studio is chosen"))
        hint = t("Tick a line to see why, and decide; tick several to decide on them together.")
        frame.draw_muted(hint)
        return
    row: dict[str, Any] = found.row(0, named=True)
    frame.draw_heading(t("Leader"))
    name = format_person_name(row["leader"] or row["leader_id"])
    frame.draw_page_link("talent", name, id=row["leader_id"])
    facts = [
        (t("Opens at"), translate_term(row["host"]) if row["host"] else row["host_id"]),
        (t("Adds (persons)"), f"{row['gain']:.1f}"),
        (t("Leader's record"), f"{row['record']:.2f}"),
        (t("The leader's apprentices now"), format_count(row["training"])),
        (t("Opens on"), format_day(row["start"])),
    ]
    frame.draw_html(frame.render_facts(facts, "sc-wide"))
    _draw_members(members.filter(pl.col("leader_id") == row["leader_id"]))
    changed = others.get(row["leader_id"])
    if changed is not None:
        _draw_accepted_members(changed)
    decisions.draw_decision_panel(
        STUDIO_SCOPE,
        row["person_id"],
        under(row["person_id"]),
        is_changed=changed is not None,
    )


def _draw_accepted_members(studio: StudioToOpen) -> None:
    """That the studio was accepted with other members, and with whom."""
    names = dict(_describe_people(studio.member_ids).select("person_id", "person").rows())
    listed = [format_person_name(names.get(id) or id) for id in studio.member_ids]
    frame.draw_muted(
        t(
            "Accepted with other members ({n} persons): {names}. Accept takes those listed above "
            "instead.",
            n=format_count(len(listed)),
            names=t(", ").join(listed),
        )
    )


def _describe_people(ids: Sequence[str]) -> pl.DataFrame:
    """Of these people what a file says of a member."""
    people = graph_state.fetch_snapshot().frames["people"]
    return (
        people.filter(pl.col("person_id").is_in([*ids]))
        .select(
            "person_id",
            pl.col("name").alias("person"),
            "level",
            "occupation_code",
            "province",
            "enterprise_id",
        )
        .collect()
    )


def _draw_members(members: pl.DataFrame) -> None:
    frame.draw_heading(t("Members"), t("{n} persons", n=format_count(members.height)))
    body = (
        "<tr><td>"
        + frame.render_page_anchor(
            "talent", format_person_name(row["person"] or row["person_id"]), id=row["person_id"]
        )
        + f'</td><td class="n">{row["level"] or NO_VALUE_DASH}</td>'
        f'<td class="n">{100 * row["gain"]:.0f}</td></tr>'
        for row in members.iter_rows(named=True)
    )
    frame.draw_figure_table(t("Name"), (t("Level"), t("Adds (%)")), body)


def draw_studio_downloads(
    shown: pl.DataFrame,
    members: pl.DataFrame,
    others: Mapping[str, StudioToOpen],
    about: About,
    language: Language,
) -> None:
    """The studios with their decisions, and their members, as files.

    An accepted one has the members that were accepted: as the changes that a scenario takes.
    """
    if others:
        shown = count_accepted_members(shown, others)
        ids = [id for studio in others.values() for id in studio.member_ids]
        members = put_accepted_members(members, others, _describe_people(ids))
    make = partial(_build_studio_export, language=language)
    decisions.draw_decision_downloads(shown, make, about, "new_studios")
    listed = members.join(shown.select("leader_id"), on="leader_id", how="semi")
    labels = {name: translate_label(words, language) for name, words in MEMBER_COLUMNS.items()}
    with frame.draw_exhibit_foot("studio_members", t("Their members:")):
        downloads.draw_download_buttons(listed.rename(labels), about, "new_studio_members")


def _build_studio_export(few: pl.DataFrame, *, language: Language) -> pl.DataFrame:
    with override_language(language):
        labels = {name: translate_label(words, language) for name, words in STUDIO_COLUMNS.items()}
        return few.select(
            *(pl.col(name).alias(label) for name, label in labels.items()),
            *decisions.build_decision_export_columns(),
        )

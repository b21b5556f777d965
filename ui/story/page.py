"""Skill story: how one person rose and what he or she passed on, in dated facts with their rows."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from graph.policy import DEFAULT_POLICY
from ui.controls import downloads
from ui.person import person_summary, record
from ui.person.skill_story import SkillStory, build_skill_story
from ui.person.story_file import (
    STORY_STYLE,
    describe_consent,
    render_story_events,
    render_story_file,
)
from ui.shell import frame, graph_state
from ui.words.i18n import current_language, t

STORY_PAGE = "story"


@frame.page
def page() -> None:
    """The page: of the person whose id stands in the address."""
    about = person_summary.find_chosen_person(STORY_PAGE)
    if about is None:
        return
    taken = record.fetch_apprentices(about.id, DEFAULT_POLICY.high_skilled_level)
    story = build_skill_story(about, taken, current_language())
    frame.draw_lead(escape(story.title))
    frame.draw_under_lead(escape(story.facts), policy=False)
    frame.draw_muted(describe_consent(story))
    _draw_story_actions(story, about.id)
    if story.events:
        frame.draw_html(f"<style>{STORY_STYLE}</style>{render_story_events(story)}")
    else:
        frame.draw_empty_state(t("Nothing with a day is on record"), t("A later load may add it."))


def _draw_story_actions(story: SkillStory, id: str) -> None:
    with st.container(horizontal=True, key="story_ways", vertical_alignment="center"):
        frame.draw_page_link("talent", t("Talent profile"), id=id)
        st.space("stretch")
        downloads.draw_download_button(
            t("Save the story"),
            partial(render_story_file, story, graph_state.fetch_revision_number()),
            f"{story.file_name}.html",
            "text/html",
            key="story_file",
            people=[id],
            type="primary",
        )

"""A skill story as HTML: on its page, and as one file that asks nobody for anything."""

from __future__ import annotations

from html import escape
from typing import Final

from ui.export.network_files import NO_REQUESTS_POLICY_TAG
from ui.person.skill_story import SkillStory
from ui.shell.theme import LIGHT_TOKENS, TEXT_FONT, render_css_variables
from ui.words.i18n import translate

STORY_STYLE: Final = """
.sc-skill-story { list-style: none; margin: 12px 0; padding: 0 0 0 14px; max-width: 760px;
  border-left: 2px solid var(--slate); }
.sc-skill-story li { position: relative; margin: 0 0 14px; padding-left: 10px; }
.sc-skill-story li::before { content: ""; position: absolute; left: -20px; top: 7px; width: 10px;
  height: 10px; border-radius: 50%; background: var(--talent); }
.sc-skill-story time { color: var(--muted); font-variant-numeric: tabular-nums;
  margin-right: 10px; }
.sc-skill-story span { display: block; color: var(--muted); font-size: 12px;
  overflow-wrap: anywhere; }
"""
STORY_PAGE_STYLE: Final = """
body { margin: 0 auto; padding: 32px 24px; max-width: 800px; color: var(--ink); background: #FFFFFF;
  font: 15px/1.7 FONT; }
h1 { font-size: 26px; margin: 0 0 4px; }
p { color: var(--muted); margin: 0 0 16px; }
footer { color: var(--muted); font-size: 12px; margin-top: 32px; }
@page { size: A4; margin: 25mm; }
@media print { body { padding: 0; } .sc-skill-story li { break-inside: avoid; } }
"""


def render_story_events(story: SkillStory) -> str:
    """HTML: the events, one below the other, each with the rows that state it."""
    lines = "".join(
        f"<li><time>{escape(event.when)}</time>{escape(event.text)}"
        f"<span>{escape(event.rows)}</span></li>"
        for event in story.events
    )
    return f'<ol class="sc-skill-story">{lines}</ol>'


def describe_consent(story: SkillStory) -> str:
    """Why the story is masked or open."""
    if story.is_open:
        return translate(
            story.language, "Told with the person's consent; mentors without one are not named."
        )
    return translate(
        story.language,
        "No consent to a story is on record: no name, no place, no occupation, and years alone.",
    )


def render_story_file(story: SkillStory, revision: int) -> bytes:
    """The file: no script, no request, prints on A4."""
    lang = "zh-CN" if story.language == "zh" else "en"
    foot = translate(
        story.language,
        "Dated facts of revision {n}, each with the row that states it.",
        n=revision,
    )
    page = (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        f'{NO_REQUESTS_POLICY_TAG}<meta name="viewport" content="width=device-width">'
        f"<title>{escape(story.title)}</title>"
        f"<style>:root {{ {render_css_variables(LIGHT_TOKENS)} }}"
        f"{STORY_STYLE}{STORY_PAGE_STYLE.replace('FONT', TEXT_FONT)}</style></head>"
        f"<body><h1>{escape(story.title)}</h1><p>{escape(story.facts)}</p>"
        f"{render_story_events(story)}"
        f"<footer>{escape(foot)} {escape(describe_consent(story))}</footer></body></html>\n"
    )
    return page.encode("utf-8")

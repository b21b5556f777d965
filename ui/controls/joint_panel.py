"""What several talents or places are together, as a panel: sum, union, and where they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from graph.driven.reach_sets import Joint, Overlap
from ui.words.i18n import current_language, t
from ui.words.numbers import format_count, format_person_times


def render_joint_sums(joint: Joint, unit: str, times: int | None = None) -> str:
    """HTML: the sum, what was counted again, the union, and person-times where they are known."""
    lines = [
        (t("Sum of each"), f"{format_count(joint.total)} {unit}", ""),
        (t("Counted again"), f"{format_count(-joint.twice)} {unit}", ""),
        (t("Each once"), f"<b>{format_count(joint.union)} {unit}</b>", "total sc-union"),
    ]
    if times is not None:
        said = format_person_times(times, current_language(), exact=True)
        lines.append((t("Person-times"), said, ""))
    body = "".join(
        f'<tr class="{look}"><td>{escape(name)}</td><td class="n">{figure}</td></tr>'
        for name, figure, look in lines
    )
    return f'<table class="sc-table plain sc-sums"><tbody>{body}</tbody></table>'


def render_overlap_table(joint: Joint, names: Sequence[str], unit: str) -> str:
    """HTML: a row each combination, the largest first; dots tell which sets, a bar how many."""
    most = max((o.persons for o in joint.overlaps), default=1)
    head = "".join(f'<th class="sc-set" title="{escape(n)}">{escape(n)}</th>' for n in names)
    body = "".join(_render_overlap_row(overlap, names, most) for overlap in joint.overlaps)
    span = len(names) + 1
    return (
        f'<table class="sc-table sc-upset"><thead><tr>{head}<th></th><th class="n">{escape(unit)}'
        f'</th></tr></thead><tbody>{body}<tr class="total"><td colspan="{span}">'
        f'{escape(t("Each once"))}</td><td class="n"><b>{format_count(joint.union)}</b></td></tr>'
        "</tbody></table>"
    )


def _render_overlap_row(overlap: Overlap, names: Sequence[str], most: int) -> str:
    inside = [place for place, member in enumerate(overlap.members) if member]
    cells = ""
    for place, member in enumerate(overlap.members):
        joined = overlap.shared and inside[0] <= place <= inside[-1]
        sides = ("l" if joined and place > inside[0] else "") + (
            "r" if joined and place < inside[-1] else ""
        )
        cells += (
            f'<td class="sc-set {" ".join(sides)}"><i class="{"on" if member else ""}"></i></td>'
        )
    who = escape(" + ".join(names[place] for place in inside))
    look = "sc-slate-dark" if overlap.shared else ""
    width = 100 * overlap.persons / most
    return (
        f'<tr title="{who}" aria-label="{who}">{cells}<td class="sc-upbar">'
        f'<div class="sc-bar {look}" style="width:{width:.1f}%"></div></td>'
        f'<td class="n">{format_count(overlap.persons)}</td></tr>'
    )

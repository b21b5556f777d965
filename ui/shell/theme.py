"""The colours and the type of every page, once: CSS, the lineage canvas and Altair read them here.

Colour has meaning only: the ladder's break between grey (levels 1-3) and teal (4-8) is the
high-skilled line, red marks leading talents and the one main action of a page, teal marks links,
focus and selection. The steps are checked for contrast and for the three kinds of colour
blindness; change none alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

ColourMode = Literal["light", "dark"]

TEXT_FONT = (
    '"Noto Sans SC", "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", "Segoe UI", sans-serif'
)
MONOSPACE_FONT = '"Noto Sans Mono CJK SC", "Cascadia Mono", Menlo, Consolas, monospace'
FONT_SIZES_PX = (13, 16, 24)  # px: text, section titles and key figures, the sentence
LADDER_LEVELS = range(1, 9)
HIGH_SKILLED_FROM_LEVEL = 4  # the level at which the ladder turns from grey to teal


@dataclass(frozen=True)
class Tokens:
    """The colours of one mode, as #RRGGBB."""

    paper: str
    sidebar: str
    ink: str
    muted: str
    talent: str
    on_talent: str
    link: str
    warning: str
    slate: str
    slate_dark: str
    soft: str
    hairline: str
    ring: str
    pressed: str
    bar: str
    ladder: tuple[str, ...] = (
        "#E4E2DC",
        "#CFCDC6",
        "#B4B3AD",
        "#A8D5CF",
        "#6FB7B7",
        "#4A9BAE",
        "#22658A",
        "#173F6B",
    )
    on_ladder: tuple[str, ...] = ("#1B2530",) * 6 + ("#FFFFFF",) * 2
    ladder_outline: str = ""  # drawn around levels 7 and 8 where the paper is dark

    def level(self, level: int) -> str:
        """The fill of a level of the ladder, 1 to 8."""
        return self.ladder[level - 1]

    def on_level(self, level: int) -> str:
        """The text colour that stands on a level's fill."""
        return self.on_ladder[level - 1]


LIGHT_TOKENS = Tokens(
    paper="#FBFAF6",
    sidebar="#F3F1EA",
    ink="#1B2530",
    muted="#5B6672",
    talent="#B23A2E",
    on_talent="#FFFFFF",
    link="#1F6F78",
    warning="#8A5A00",
    slate="#8E99A4",
    slate_dark="#4A5967",
    soft="#E7E3D8",
    hairline="#DCDAD2",
    ring="#858D96",
    pressed="#ECEAE2",
    bar="#5B6672",
)
DARK_TOKENS = Tokens(
    paper="#12181F",
    sidebar="#0D1218",
    ink="#E8EAED",
    muted="#9AA5B1",
    talent="#F07A68",
    on_talent="#12181F",
    link="#6CC3C4",
    warning="#E0B04A",
    slate="#697581",
    slate_dark="#A9B4BF",
    soft="#2E3B47",
    hairline="#323D48",
    ring="#65717D",
    pressed="#26313B",
    bar="#9AA5B1",
    ladder_outline="#8FA3B5",
)
TOKENS_BY_MODE: dict[ColourMode, Tokens] = {"light": LIGHT_TOKENS, "dark": DARK_TOKENS}


def render_css_variables(tokens: Tokens) -> str:
    """The tokens as CSS declarations: `--paper: #FBFAF6; ... --level-4: #A8D5CF; ...`."""
    plain = {k: v for k, v in asdict(tokens).items() if isinstance(v, str) and v}
    lines = [f"--{name.replace('_', '-')}: {value};" for name, value in plain.items()]
    lines += [f"--level-{n}: {fill};" for n, fill in enumerate(tokens.ladder, 1)]
    lines += [f"--on-level-{n}: {text};" for n, text in enumerate(tokens.on_ladder, 1)]
    return " ".join([*lines, f"--font: {TEXT_FONT};", f"--monospace: {MONOSPACE_FONT};"])

"""What is shown says the words of docs/glossary.md, and not the others that it once had."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Where words stand that people read: catalogues, queries, words in both languages of graph/, docs.
SHOWN = (
    "graph/locale/**/*.po",
    "ui/words/locale/**/*.po",
    "queries/*.cypher",
    "graph/**/*.py",
    "docs/guide/*.md",
    "docs/m*.md",
    "docs/commands.md",
    "README.md",
)
# A variant -> the word of the glossary.
FORBIDDEN = {
    "版次": "版本",
    "修订号": "版本号",
    "修订版": "版本",
    "途径": "渠道",
    "通道": "渠道",
    "起始日期不明": "无日期",
    "未注日期": "无日期",
    "without a date": "undated",
    "of unknown start": "undated",
}


@pytest.mark.parametrize("variant", FORBIDDEN)
def test_one_thing_has_the_word_of_the_glossary(variant: str) -> None:
    texts = {path: path.read_text("utf-8") for part in SHOWN for path in ROOT.glob(part)}
    assert len(texts) > 50
    found = [str(path.relative_to(ROOT)) for path, text in texts.items() if variant in text.lower()]
    assert found == [], f"say {FORBIDDEN[variant]}"


def test_the_glossary_has_these_words() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert [word for word in FORBIDDEN.values() if word.removesuffix("号") not in glossary] == []

"""Decisions: a tally, a filter, many at once; files in the language of the visit."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from graph.policy import Policy
from graph.programme.nominations import HONOURS
from graph.programme.training_targets import Rule
from graph.tabular import About, render_xlsx
from tests.live.visiting import lead, text
from ui.controls import decisions
from ui.nominations import nominees, page
from ui.shell import graph_state
from ui.targets import candidates
from ui.targets import page as targets
from ui.words.i18n import override_language

App = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("network")
HAN = re.compile("[\u4e00-\u9fff]")


def shown(test: AppTest) -> str:
    """The tally of a page."""
    lead(test)
    found = re.search(r'<div class="sc-tally">(.*?)</div>', text(test))
    return re.sub("<[^>]+>", "", found[1]) if found else ""


def test_a_decision_is_counted_shown_in_its_row_and_filtered(app: App) -> None:
    everyone = app("targets", lang="en")
    rows, _ = candidates.fetch_scored_candidates(Policy(), Rule())
    people = rows["person_id"].head(3).to_list()
    assert "accepted 0" in shown(everyone)
    decisions._save_bulk_decision(
        targets.TARGET_DECISION_SCOPE, people, "accepted", "all of one class", {}
    )
    test = app("targets", lang="en")
    assert "accepted 3" in shown(test) and f"undecided {rows.height - 3}" in shown(test)
    listed = test.dataframe[0].value
    assert list(listed["decision"].head(3)) == ["\N{CHECK MARK} accepted"] * 3
    # It stands where it is seen, beside the name.
    assert list(listed.columns)[:2] == ["name", "decision"]
    assert len(app("targets", lang="en", decision="accepted").dataframe[0].value) == 3
    assert len(app("targets", lang="en", decision="undecided").dataframe[0].value) == min(
        rows.height - 3, decisions.MAX_LISTED_DECISIONS
    )
    decisions._save_bulk_decision(
        targets.TARGET_DECISION_SCOPE, [*people, "nobody"], "open", "", {}
    )
    assert "accepted 0" in shown(app("targets", lang="en"))
    assert (
        graph_state.open_notebook().entries(
            "decision", subject=f"{targets.TARGET_DECISION_SCOPE}:nobody"
        )
        == []
    )


def sheets(book: bytes) -> list[str]:
    """The names of a workbook's sheets."""
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        return re.findall(r'<sheet name="([^"]+)"', opened.read("xl/workbook.xml").decode())


def test_chinese_files_have_chinese_heads_and_words(app: App) -> None:
    app("targets", lang="zh")
    rows, _ = candidates.fetch_scored_candidates(Policy(), Rule())
    rows = decisions.join_decisions(rows, targets.TARGET_DECISION_SCOPE)
    made = [targets._build_target_export(rows, rule=Rule(), language="zh")]
    honour = HONOURS[page.DEFAULT_HONOUR_CODE]
    found = nominees.fetch_listed_nominees(Policy(), honour.code)
    found = decisions.join_decisions(found, page._format_decision_scope(honour))
    made.append(page._build_nomination_export(found, honour=honour, language="zh"))
    for table in made:
        assert all(HAN.search(name) for name in table.columns), table.columns
        provinces = table["\u7701\u4efd"].drop_nulls()
        assert all(HAN.search(word) for word in provinces)
    standing = made[0].columns.index(
        next(c for c in made[0].columns if "\u540d\u5355" in c or "\u76ee\u5f55" in c)
    )
    assert all(HAN.search(word) for word in made[0].to_series(standing).drop_nulls())
    with override_language("zh"):
        from ui.controls import downloads

        write = partial(
            render_xlsx, sheets=("\u540d\u5355", "\u8bf4\u660e"), words=downloads.about_words()
        )
    book = write(made[0], About(1, Policy(), {"rule": Rule().code}))
    assert sheets(book) == ["\u540d\u5355", "\u8bf4\u660e"]

"""Tables as files: what a spreadsheet would run, what it would lose, and what goes along."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cli import completion
from cli.output import Output, check_utf8, write_output_file
from graph.errors import ShichengError, UsageError
from graph.policy import Policy
from graph.tabular import (
    FORMULA_PREFIXES,
    MAX_SHEET_ROWS,
    About,
    build_frame_from_rows,
    render_csv,
    render_csv_lines,
    render_json,
    render_parquet,
    render_tab_line,
    render_xlsx,
)

RISKY = [sign + "cmd|x" for sign in FORMULA_PREFIXES]
ABOUT = About(7, Policy(), {"province": "11"}, {"capacity": 8}, "metric claims", 10)


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_no_text_of_csv_is_run_and_every_number_stays_one() -> None:
    table = pl.DataFrame(
        {
            "text": RISKY,
            "number": [-1.5] * len(RISKY),
            "whole": [-3] * len(RISKY),
            "day": [date(2024, 1, 2)] * len(RISKY),
            "code": pl.Series([RISKY[0]] * len(RISKY), dtype=pl.Enum([RISKY[0]])),
        }
    )
    data = render_csv(table)
    assert data.startswith(b"\xef\xbb\xbf")
    for row, text in zip(read(data), RISKY, strict=True):
        assert row["text"] == f"'{text}" and row["code"] == f"'{RISKY[0]}"
        assert (row["number"], row["whole"], row["day"]) == ("-1.5", "-3", "2024-01-02")
    assert render_csv(pl.DataFrame({"=1": [1]}), "utf-8") == b"'=1\n1\n"


def test_rows_of_python_values_follow_the_same_rule() -> None:
    rows = [[text, -1, None, [1, "二"]] for text in RISKY]
    found = read("".join(render_csv_lines(["=a", "b", "c", "d"], rows)).encode())
    assert [row["'=a"] for row in found] == [f"'{text}" for text in RISKY]
    assert {(row["b"], row["c"], row["d"]) for row in found} == {("-1", "", '[1, "二"]')}
    assert render_tab_line(["=1", -1, "a\tb\nc", None]) == "'=1\t-1\ta b c\t"


def test_refusals_are_written_by_the_same_writer(tmp_path: Path) -> None:
    from loaders.reports import write_findings

    findings = pl.DataFrame({"row": [2], "value": ['=HYPERLINK("http://127.0.0.1/")']})
    write_findings(findings, tmp_path / "refused.csv")
    assert read((tmp_path / "refused.csv").read_bytes())[0]["value"].startswith("'=")


def test_a_column_of_several_types_becomes_text_and_nothing_is_lost() -> None:
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    table = build_frame_from_rows(
        ["mixed", "numbers", "days", "lists", "huge", "none"],
        [
            ["x", 1, date(2024, 1, 2), [date(2020, 1, 1)], 2**200, None],
            [1, 2.5, None, {"a": float("nan")}, 1, None],
            [moment, None, None, None, 2, None],
        ],
    )
    assert table["mixed"].to_list() == ["x", "1", "2024-01-02T00:00:00+00:00"]
    assert table["numbers"].to_list() == [1.0, 2.5, None]
    assert table["days"].dtype == pl.Date
    assert table["lists"].to_list() == ['["2020-01-01"]', '{"a": null}', None]
    assert table["huge"][0] == str(2**200)
    for written in (
        render_csv(table),
        render_json(table, ABOUT),
        render_parquet(table, ABOUT),
        render_xlsx(table, ABOUT),
    ):
        assert written


def test_every_format_says_what_it_depends_on_once() -> None:
    table = pl.DataFrame({"n": [1, 2], "bad": [float("nan"), float("inf")]})
    assert b"window" not in render_csv(table)
    document = json.loads(render_json(table, ABOUT))
    assert document["rows"][0] == {"n": 1, "bad": None}
    metadata = pl.read_parquet_metadata(io.BytesIO(render_parquet(table, ABOUT)))["shicheng"]
    for about in (document, json.loads(metadata)):
        assert about["revision"] == 7 and about["parameters"] == {"capacity": 8}
        assert about["policy"]["generations"] == 3 and about["policy_id"] == ABOUT.policy.id
        assert about["filters"] == {"province": "11"} and about["capped_at"] == 10
    with zipfile.ZipFile(io.BytesIO(render_xlsx(table, ABOUT))) as book:
        assert b'name="about"' in book.read("xl/workbook.xml")
        words = book.read("xl/sharedStrings.xml").decode()
    for word in ("metric claims", "window", "parameter_capacity", "filter_province"):
        assert word in words


def test_a_workbook_that_would_lose_something_is_refused() -> None:
    rows = MAX_SHEET_ROWS + 1
    with pytest.raises(UsageError, match="take csv or parquet"):
        render_xlsx(pl.DataFrame({"n": pl.int_range(rows, eager=True)}), ABOUT)
    with pytest.raises(UsageError, match="text of 32,768 signs"):
        render_xlsx(pl.DataFrame({"n": ["长" * 32_768]}), ABOUT)


def test_the_ending_says_the_format(tmp_path: Path) -> None:
    for ending in ("csv", "JSON", "parquet", "xlsx"):
        assert Output.chosen("csv", output=tmp_path / f"x.{ending}").format == ending.lower()
    assert Output.chosen("table", output=tmp_path / "x", format="parquet").format == "parquet"
    assert Output.chosen("csv", output=Path("-")).path is None
    for name in ("x", "x.doc", "x.csv.gz"):
        with pytest.raises(UsageError, match="does not say its format"):
            Output.chosen("csv", output=tmp_path / name)
    with pytest.raises(UsageError, match="--encoding is for csv"):
        Output.chosen("csv", output=tmp_path / "x.json", encoding="utf-8")


def test_no_file_is_overwritten_unasked_and_none_is_half_written(tmp_path: Path) -> None:
    file, table = tmp_path / "x.csv", pl.DataFrame({"姓名": ["甲"]})
    Output.chosen("csv", output=file).write(table, ABOUT, {"姓名": ("name", "姓名")})
    assert file.read_bytes() == "\ufeff姓名\n甲\n".encode()
    assert json.loads((tmp_path / "x.csv.about.json").read_text("utf-8"))["revision"] == 7
    with pytest.raises(UsageError, match="is there already"):
        Output.chosen("csv", output=file)
    Output.chosen("csv", output=file, force=True, labels="en", encoding="gb18030").write(
        table, ABOUT, {"姓名": ("name", "姓名")}
    )
    assert file.read_bytes() == "name\n甲\n".encode("gb18030")

    def broken(making: Path) -> None:
        making.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ShichengError, match="No space left"):
        write_output_file(file, broken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.csv.about.json"]
    assert file.read_bytes() == "name\n甲\n".encode("gb18030")


def test_an_argument_that_is_no_utf8_is_refused() -> None:
    check_utf8(["query", "甲\n", "=1"])
    with pytest.raises(UsageError, match="argument 2 is not valid UTF-8"):
        check_utf8(["query", "a\udcff"])


def test_shells_complete_names_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "chain_down" in dict(completion.complete_query_names("chain"))
    assert "communities" in dict(completion.complete_metric_names("comm"))
    assert completion.complete_undated("e") == ["exclude"]
    assert completion.complete_generations("a") == ["all"]
    monkeypatch.setenv("COMP_WORDS", "shicheng metric communities -p res")
    assert completion.complete_metric_parameters("res") == ["resolution="]
    monkeypatch.setenv("COMP_WORDS", "shicheng query chain_down -p ")
    assert "person_id=" in completion.complete_query_parameters("")

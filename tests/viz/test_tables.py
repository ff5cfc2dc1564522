import csv
import io

import pytest

from mfa.errors import InputError
from viz.tables import EMPTY, Cell, Table


@pytest.fixture
def table():
    return Table(
        ("method", "mAP"),
        (
            (Cell("A & B_1"), Cell.number(70.04, "published")),
            (Cell("C"), Cell.number(60.0, "unverified")),
            (Cell("D"), Cell.number(50.0, "computed")),
            (Cell("ours"), Cell.number(1234.56, "measured")),
            (Cell("E"), EMPTY),
        ),
        "What it shows.",
        breaks=(3,),
        sources=("book", "memory", "book", "run x", "nobody"),
        best={"mAP": "max"},
    )


def test_markdown_tells_the_origins_apart(table):
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.to_markdown().splitlines()
    ]
    assert lines[0] == ["method", "mAP", "source"]
    assert lines[1][1].endswith("-:")
    assert lines[2:7] == [
        ["A & B_1", "<u>*70.0*</u>", "[1]"],
        ["C", "(60.0?)", "[2]"],
        ["D", "~50.0", "[1]"],
        ["ours", "**1,234.6**", "[3]"],
        ["E", "", "[4]"],
    ]
    assert "[1] book; [2] memory; [3] run x; [4] nobody" in table.words


def test_the_legend_explains_the_signs_used_and_no_others(table):
    assert "upright: measured here" in table.legend
    assert "bold: best" in table.legend
    plain = Table(("a",), ((Cell.number(1, "published"),),), "Words.")
    assert plain.legend == "italic: published, read at the source named"


def test_bold_is_the_best_of_a_column_whoever_measured_it():
    cells = [("published", 95.0), ("measured", 39.0), ("unverified", 99.0), ("computed", 95.0)]
    rows = tuple((Cell.number(value, origin),) * 2 for origin, value in cells)
    table = Table(("Rank-1", "errors"), rows, "", best={"Rank-1": "max", "errors": "min"})
    assert list(table.emphasis()["Rank-1"]) == ["best", "second", "", "best"]
    assert list(table.emphasis()["errors"]) == ["second", "best", "", "second"]
    with pytest.raises(InputError, match="no column"):
        Table(("a",), (), "", best={"b": "max"})


def test_a_mean_with_its_spread_is_compared_by_the_mean():
    rows = tuple((Cell(text, "measured"),) for text in ("9.6 ± 0.3", "10.1 ± 2.0", "1,000.0"))
    table = Table(("a",), rows, "", best={"a": "max"})
    assert list(table.emphasis()["a"]) == ["", "second", "best"]


def test_a_table_shows_itself_in_a_notebook(table):
    page = table._repr_html_()
    assert "A &amp; B_1" in page
    assert "font-weight: bold" in page


def test_latex_is_booktabs_with_escapes_and_lines(table):
    text = table.to_latex("tab:x")
    for part in (r"\toprule", r"\bottomrule", r"\begin{tabular}{lrl}", r"\label{tab:x}"):
        assert part in text
    assert r"A \& B\_1 & \textit{\underline{70.0}} & [1] \\" in text
    assert r"ours & \textbf{1,234.6} & [3] \\" in text
    body = text.split(r"\midrule")
    assert len(body) == 3  # under the heading and before row 3
    assert body[2].lstrip().startswith("ours")


def test_csv_holds_plain_numbers_each_with_its_origin(table):
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [row["mAP"] for row in rows] == ["70.0", "60.0", "50.0", "1234.6", ""]
    assert [row["mAP origin"] for row in rows] == [
        "published", "unverified", "computed", "measured", "missing",
    ]  # fmt: skip
    assert rows[3]["source"] == "run x"


def test_files_have_the_same_bytes_each_time(table, tmp_path):
    first = [path.read_bytes() for path in table.save(tmp_path / "a" / "t")]
    second = [path.read_bytes() for path in table.save(tmp_path / "b" / "t")]
    assert first == second
    assert len(first) == 3


def test_crooked_tables_are_refused(table):
    with pytest.raises(InputError, match="row 0 of the table has 1 cells for 2 columns"):
        Table(("a", "b"), ((Cell("x"),),), "")
    with pytest.raises(InputError, match="2 sources for 1 rows"):
        Table(("a",), ((Cell("x"),),), "", sources=("one", "two"))


def test_nan_is_an_empty_cell():
    assert Cell.number(float("nan"), "measured") == EMPTY


def test_latex_writes_once_the_headings_that_columns_share():
    row = (Cell("a"), *(Cell.number(value, "measured") for value in (1, 2, 3, 4)), Cell("b"))
    columns = ("method", "Set one mAP", "Set one R1", "Set two mAP", "Set two R1", "note")
    table = Table(columns, (row,), "What.", groups=(("", 1), ("Set one", 2), ("Set two", 2)))
    lines = table.to_latex().splitlines()
    above = lines.index(r"\toprule") + 1
    assert lines[above : above + 2] == [
        r" & \multicolumn{2}{c}{Set one} & \multicolumn{2}{c}{Set two} &  \\",
        r"method & mAP & R1 & mAP & R1 & note \\",
    ]
    assert "Set one mAP" in table.to_markdown().splitlines()[0]


def test_wide_latex_tables_take_both_columns_and_none_is_wider_than_its_line(table):
    assert r"\begin{table}" in table.to_latex()
    wide = Table(tuple("abcdef"), (tuple(map(Cell, "abcdef")),), "What.")
    text = wide.to_latex()
    assert text.startswith(r"\begin{table*}")
    assert text.endswith("\\end{table*}\n")
    assert r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%" in text
    caption, below = table.to_latex().split(r"\begin{tabular}")
    assert "What it shows." in caption
    assert "[1] book" in below  # the sources stand below the table, not in its caption
    assert "[1] book" not in caption

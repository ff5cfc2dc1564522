"""An author's tables: rows, columns, names, citations; and LaTeX takes them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import viz
from mfa.errors import InputError
from viz.paper.arrangement import Arrangement, arranged
from viz.tables import EMPTY, Cell, Table

TABLE = Table(
    columns=("method", "Market mAP", "Market R1", "Duke mAP"),
    rows=(
        (Cell("PCB"), Cell("77.4", "published"), Cell("92.3", "published"), EMPTY),
        (Cell("HOReID"), EMPTY, EMPTY, EMPTY),
        (Cell("anchored"), Cell("80.0", "measured", "*"), EMPTY, Cell("70.0", "measured")),
    ),
    caption="A table.",
    breaks=(2,),
    groups=(("", 1), ("Market", 2), ("Duke", 1)),
    best={"Market mAP": "max"},
)


def test_nothing_asked_for_changes_nothing() -> None:
    assert arranged(TABLE, Arrangement()) == TABLE


def test_rows_and_columns_come_in_the_order_asked_for() -> None:
    asked = Arrangement(rows=("anchored", "PCB"), columns=("Duke mAP", "Market mAP"))
    table = arranged(TABLE, asked)
    assert table.columns == ("method", "Duke mAP", "Market mAP")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["anchored", "70.0", "80.0"],
        ["PCB", "", "77.4"],
    ]
    assert table.best == {"Market mAP": "max"}


def test_names_and_citations_are_the_authors() -> None:
    asked = Arrangement(
        names={"anchored": "MFA (ours)", "Market": "Market-1501"}, cite={"PCB": "sun2018"}
    )
    table = arranged(TABLE, asked)
    assert table.columns == ("method", "Market-1501 mAP", "Market-1501 R1", "Duke mAP")
    assert table.rows[2][0].text == "MFA (ours)"
    assert r"\cite{sun2018}" in table.to_latex()
    assert "sun2018" not in table.to_csv()


def test_rows_without_a_number_go_on_request() -> None:
    table = arranged(TABLE, Arrangement(filled=True))
    assert [row[0].text for row in table.rows] == ["PCB", "anchored"]
    assert table.breaks == (1,)
    with pytest.raises(InputError, match="no row of the table has a number"):
        arranged(TABLE, Arrangement(rows=("HOReID",), filled=True))


def test_a_name_that_no_table_has_is_found() -> None:
    asked = Arrangement(rows=("PCB", "PBC"), columns=("source",), cite={"XYZ": "key"})
    assert asked.unknown_to([TABLE]) == ["PBC", "XYZ"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
@pytest.mark.parametrize("columns", ["onecolumn", "twocolumn"])
def test_latex_takes_the_table_and_a_chart(columns: str, tmp_path: Path) -> None:
    table = arranged(TABLE, Arrangement(names={"anchored": "50 % & more_$x$"}))
    rows = pd.DataFrame({"method": ["A", "B"], "seed": 0, "mAP": [50.0, 60.0]})
    viz.save(viz.plot_ablation(rows).figure, tmp_path / "chart", formats=("pdf",))
    (tmp_path / "paper.tex").write_text(
        rf"\documentclass[{columns}]{{article}}\usepackage{{booktabs,graphicx}}"
        rf"\begin{{document}}{table.to_latex('tab:one')}\includegraphics{{chart.pdf}}"
        r"\end{document}",
        encoding="utf-8",
    )
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert b"/Type3" not in (tmp_path / "chart.pdf").read_bytes()

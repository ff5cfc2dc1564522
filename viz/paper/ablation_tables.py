"""Counterparts of the paper's Tables 2 and 3, as tables and as bars."""

from __future__ import annotations

import pandas as pd

from mfa import presets
from mfa.ablation.plans import PLANS
from mfa.errors import InputError
from viz import theme
from viz.charts.ablation import plot_ablation
from viz.paper.inputs import CaptionedFigure, PaperInputs
from viz.paper.published import (
    ABLATION_NAMES,
    Rows,
    ablation_rows,
    cell,
    facts,
    groups,
    headings,
    published,
    spread,
    title,
)
from viz.tables import EMPTY, Cell, Table

WHAT = {
    "table2": "Position of the CPAA modules, on the baseline.",
    "table3": "Combinations of CPAA, local branches and GLA.",
    "variants": "The variants of the network at equal budget.",
}

RULE = "Single query; pictures of the query's person by the query's camera are left out."

STARS = {0.001: "***", 0.01: "**", 0.05: "*"}
"""Marks of p-values below these bounds."""


def table2(inputs: PaperInputs) -> Table:
    """Where CPAA goes."""
    return _table(inputs, "table2")


def table3(inputs: PaperInputs) -> Table:
    """Which modules help."""
    return _table(inputs, "table3")


def bars2(inputs: PaperInputs) -> CaptionedFigure:
    """Table 2 as bars."""
    return _bars(inputs, "table2")


def bars3(inputs: PaperInputs) -> CaptionedFigure:
    """Table 3 as bars."""
    return _bars(inputs, "table3")


def bars_variants(inputs: PaperInputs) -> CaptionedFigure:
    """The variants of the network, which the paper does not have, as bars."""
    return _bars(inputs, "variants")


def _bars(inputs: PaperInputs, plan: str) -> CaptionedFigure:
    """Measured mAP of the plan's rows on the dataset most rows were measured on."""
    ours = ablation_rows(plan, inputs.results)
    if ours.empty:
        raise InputError(
            f"no row of {plan} was measured; run mfa ablate {plan} --seeds 3 "
            f"--rows {inputs.results.name}/{plan}-DATA.csv"
        )
    dataset = ours["dataset"].value_counts(sort=True).index[0]
    shown = ours[ours["dataset"] == dataset]
    theirs = _published_ablation()
    p_values, test = _p_values(shown), _test_words(shown)
    ax = plot_ablation(
        shown.rename(columns={"row": "method"}),
        theirs[theirs["dataset"] == dataset],
        metric="mAP",
        p_values=p_values,
        reference=str(shown["row"].iloc[0]),
        test=test,
    )
    words = f"p: {_against(shown)}. " if p_values else ""
    return CaptionedFigure(
        theme.figure_of(ax),
        f"{WHAT[plan]} mAP on {title(dataset)} in per cent: bars are means over seeds, whiskers "
        f"their standard deviation, dots single seeds. {words}{RULE}",
        _details(shown),
    )


def _table(inputs: PaperInputs, plan: str) -> Table:
    names = [row.name for row in PLANS[plan](presets.demo())]
    ours = ablation_rows(plan, inputs.results)
    theirs = _published_ablation()
    datasets = list(dict.fromkeys(["market1501", "dukemtmc", *ours["dataset"]]))
    rows = Rows()
    for name in names:
        own = theirs[(theirs["method"] == name) & theirs["dataset"].isin(datasets)]
        first = {row["dataset"]: row for _, row in own[::-1].iterrows()}
        cells = [
            cell(first[dataset], figure) if dataset in first else EMPTY
            for dataset in datasets
            for figure in ("mAP", "rank1")
        ]
        sources = "; ".join(own["source"].unique())
        rows.add(sources or "the paper's figure did not survive", Cell(name), *cells)
    rows.line()
    stars = inputs.significance and bool(_p_values(ours))
    for name in names if len(ours) else ():
        mine = ours[ours["row"] == name]
        cells = []
        for dataset in datasets:
            part = mine[mine["dataset"] == dataset]
            mark = _stars(_p_values(part).get(name)) if stars else ""
            cells += [spread(part["mAP"], mark=mark), spread(part["rank1"])]
        rows.add(f"measured here, {mine['seed'].nunique()} seeds", Cell(name), *cells)
    columns = headings(datasets)
    bounds = ", ".join(f"{mark} below {bound}" for bound, mark in reversed(STARS.items()))
    words = f"Stars of the mAP: p {bounds}, {_against(ours)}. " if stars else ""
    return rows.table(
        ("method", *columns),
        f"{WHAT[plan]} mAP and Rank-1 in per cent; measured: mean ± standard deviation over seeds. "
        f"{words}{RULE if len(ours) else 'None was measured yet: mfa ablate writes the rows.'}",
        groups=groups(datasets, before=1),
        best=dict.fromkeys(columns, "max"),
        details=_details(ours),
    )


def _p_values(rows: pd.DataFrame) -> dict[str, float]:
    """Those ``mfa ablate`` wrote beside the rows, by row."""
    column = "p_value_over_seeds" if "p_value_over_seeds" in rows else "p_value"
    if column not in rows:
        return {}
    tested = rows.dropna(subset=[column]).groupby("row", sort=False)[column].first()
    return {str(row): float(value) for row, value in tested.items()}


def _test_words(rows: pd.DataFrame) -> str:
    """Which test the p-values of ``_p_values`` are of."""
    if "p_value_over_seeds" in rows:
        return "paired t-test over seeds"
    units = rows["resampled"].iloc[0] if "resampled" in rows else "queries"
    return f"paired sign-flip test over {units}"


def _against(rows: pd.DataFrame) -> str:
    """The test and what the rows are compared with."""
    return f"{_test_words(rows)} against {rows['row'].iloc[0]}, not corrected for several rows"


def _stars(p_value: float | None) -> str:
    if p_value is None:
        return ""
    return next((mark for bound, mark in STARS.items() if p_value < bound), "")


def _details(ours: pd.DataFrame) -> str:
    """What the measured rows say of themselves."""
    words = facts(ours, ("fingerprint", "epochs", "queries", "versions", "commit"))
    return f"Measured rows: {words}." if words else ""


def _published_ablation() -> pd.DataFrame:
    listed = published()
    return listed[listed["kind"] == "ablation"].replace({"method": ABLATION_NAMES})

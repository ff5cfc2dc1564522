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
    ablation_rows,
    cell,
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
    theirs = theirs[theirs["dataset"] == dataset]
    tested = _p_values(shown)
    first, test = str(shown["row"].iloc[0]), _test_words(shown)
    ax = plot_ablation(
        shown.rename(columns={"row": "method"}),
        theirs,
        metric="mAP",
        p_values=tested,
        reference=first,
        test=test,
    )
    words = f"p: {test} against {first}, not corrected for the number of rows. " if tested else ""
    return CaptionedFigure(
        theme.figure_of(ax),
        f"{WHAT[plan]} mAP on {title(dataset)} in per cent: bars are means over seeds, whiskers "
        f"their standard deviation, dots single seeds. {words}{_protocol(shown)}",
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


def _table(inputs: PaperInputs, plan: str) -> Table:
    names = [row.name for row in PLANS[plan](presets.demo())]
    ours = ablation_rows(plan, inputs.results)
    theirs = _published_ablation()
    datasets = list(dict.fromkeys(["market1501", "dukemtmc", *ours["dataset"]]))
    rows: list[tuple[Cell, ...]] = []
    sources: list[str] = []
    for name in names:
        cells, found = [Cell(name)], []
        for dataset in datasets:
            match = theirs[(theirs["method"] == name) & (theirs["dataset"] == dataset)]
            cells += _pair(match)
            found += list(match["source"])
        rows.append(tuple(cells))
        sources.append("; ".join(dict.fromkeys(found)) or "the paper's figure did not survive")
    published_rows = len(rows)
    if len(ours):
        for name in names:
            mine = ours[ours["row"] == name]
            cells = [Cell(name)]
            for dataset in datasets:
                part = mine[mine["dataset"] == dataset]
                cells += [spread(part["mAP"]), spread(part["rank1"])]
            rows.append(tuple(cells))
            sources.append(f"measured here, {mine['seed'].nunique()} seeds")
    return Table(
        ("method", *headings(datasets, ("mAP", "R1"))),
        tuple(rows),
        f"{WHAT[plan]} mAP and Rank-1 in per cent; measured: mean ± standard deviation over seeds. "
        f"{_protocol(ours)}",
        (published_rows,) if len(ours) else (),
        tuple(sources),
        groups(datasets, ("mAP", "R1"), before=1),
        dict.fromkeys(headings(datasets, ("mAP", "R1")), "max"),
    )


def _protocol(ours: pd.DataFrame) -> str:
    if ours.empty:
        return "None was measured yet: mfa ablate writes the rows."
    parts = []
    for column in ("fingerprint", "epochs", "queries", "versions", "commit"):
        if column in ours:
            values = ", ".join(str(value) for value in ours[column].unique())
            parts.append(f"{column} {values}")
    return f"Single query, same person by the same camera left out; {'; '.join(parts)}."


def _published_ablation() -> pd.DataFrame:
    listed = published()
    return listed[listed["kind"] == "ablation"].replace({"method": ABLATION_NAMES})


def _pair(match: pd.DataFrame) -> list[Cell]:
    if match.empty:
        return [EMPTY, EMPTY]
    return [cell(match.iloc[0], column) for column in ("mAP", "rank1")]

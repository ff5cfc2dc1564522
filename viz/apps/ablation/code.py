"""The state of ``Ablation`` as a script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from viz.apps.ablation.state import AblationState
from viz.paper.published import ABLATION_NAMES


def plan_of(path: Path | str) -> str:
    """The plan a file of rows is of, by its name ``PLAN-DATASET.csv``."""
    return Path(path).stem.rsplit("-", 1)[0]


def quoted(rows: pd.DataFrame, dataset: str, metric: str, table: pd.DataFrame) -> pd.DataFrame:
    """Published figures of measured rows, one each, under the rows' own names.

    Args:
        rows: with ``row``.
        dataset: its name.
        metric: the figure; sources that do not give it are passed over.
        table: of published figures, see ``viz.paper.published``.
    """
    if metric not in table:
        return table.iloc[:0].assign(**{metric: []})
    ours = {str(name).casefold(): name for name in rows["row"]}
    theirs = table[(table["dataset"] == dataset) & table[metric].notna()]
    theirs = theirs.replace({"method": ABLATION_NAMES})
    names = theirs["method"].str.casefold().map(ours)
    return theirs.assign(method=names).dropna(subset=["method"]).drop_duplicates("method")


def code_of(
    state: AblationState, rows: pd.DataFrame, files: Sequence[str], folders: Sequence[Path]
) -> str:
    """Code that draws the chart: bars, published figures and tests.

    Args:
        state: of the app.
        rows: all measured rows of its plan.
        files: rows were read from, if from any.
        folders: where saved results lie.
    """
    plan, first = str(rows["plan"].iloc[0]), str(rows["row"].iloc[0])
    names = [file for file in files if plan_of(file) == plan]
    read = f"pd.concat([pd.read_csv(path) for path in {names!r}])"
    chosen = f"rows[rows['row'].isin({list(state.methods)!r})]" if state.methods else "rows"
    theirs = "theirs = None\n"
    if state.published:
        theirs = f"theirs = quoted(ours, {state.dataset!r}, {state.metric!r}, published())\n"
    given = f"pd.DataFrame({rows.to_dict('list')!r})"
    return (
        "from pathlib import Path\n\nimport pandas as pd\n\nimport viz\n"
        "from viz.apps.ablation.code import quoted\n"
        "from viz.apps.ablation.paired_tests import held_against, saved\n"
        "from viz.paper.published import published\n\n"
        f"rows = {read if names else given}\n"
        f"rows = rows[rows['dataset'] == {state.dataset!r}]\n"
        f"ours = {chosen}\n{theirs}"
        f"results = saved([Path(folder) for folder in {[str(each) for each in folders]!r}])\n"
        f"held = held_against(rows, {state.reference or first!r}, results, {state.metric!r})\n"
        "axes = viz.plot_ablation(\n"
        f"    ours.rename(columns={{'row': 'method'}}), theirs, metric={state.metric!r},\n"
        "    p_values={name: one.p_value for name, one in held.items()},\n"
        f"    reference={state.reference or first!r},\n"
        "    test=', '.join(dict.fromkeys(one.test for one in held.values())),\n)\n"
        "figure = axes.get_figure()\n"
    )

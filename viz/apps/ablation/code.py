"""The state of ``Ablation`` as a script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from viz.apps.ablation.state import AblationState


def plan_of(path: Path | str) -> str:
    """The plan a file of rows is of, by its name ``PLAN-DATASET.csv``."""
    return Path(path).stem.rsplit("-", 1)[0]


def code_of(
    state: AblationState, rows: pd.DataFrame, files: Sequence[str], folders: Sequence[Path]
) -> str:
    """Code that draws the chart: bars, published figures and tests."""
    plan, first = str(rows["plan"].iloc[0]), str(rows["row"].iloc[0])
    names = [file for file in files if plan_of(file) == plan]
    read = f"pd.concat([pd.read_csv(path) for path in {names!r}])"
    given = f"pd.DataFrame({rows.to_dict('list')!r})"
    chosen = f'rows[rows["row"].isin({list(state.methods)!r})]' if state.methods else "rows"
    reference, metric = state.reference or first, state.metric
    theirs = f'viz.paper.published_of(ours, "{state.dataset}", "{metric}")'
    return (
        "import pandas as pd\n\nimport mfa\nimport viz\n\n"
        f"rows = {read if names else given}\n"
        f'rows = rows[rows["dataset"] == "{state.dataset}"]\n'
        f"ours = {chosen}\n"
        f"published = {theirs if state.published else None}\n"
        f"results = mfa.saved_results({[str(each) for each in folders]!r})\n"
        f"tests = mfa.compare_rows(rows, {reference!r}, results, {metric!r})\n"
        "viz.plot_ablation(\n"
        f'    ours.rename(columns={{"row": "method"}}), published, metric="{metric}",\n'
        "    p_values={name: one.p_value for name, one in tests.items()},\n"
        f"    reference={reference!r},\n"
        '    test=", ".join(dict.fromkeys(one.test for one in tests.values())),\n)\n'
    )

"""Is a row better than the first one?

Two tests answer two questions. Between two trainings of one seed, people are drawn: would other
people tell these two networks apart the same way? Over several seeds, trainings are compared: would
other trainings differ the same way on these people? Neither answers the other's question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mfa.ablation.runner import RESULT_FILE, Outcome
from mfa.retrieval.results import RetrievalResult, as_percent
from mfa.retrieval.statistics import holm, paired_test, seeds_test


def with_tests(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """The tidy rows, each compared with the first row of the plan of the same seed.

    Adds, empty for the first row and where the first row failed:

    - ``mAP_gain``: this row less the first one with the same seed, in percent, over the queries
      that both counted; ``mAP_gain_low`` and ``mAP_gain_high``, its 95 % interval over identities;
      ``p_value`` of the paired test, flipped by identity. They hold no variance between trainings.
    - Where there are several seeds, ``p_value_over_seeds``: the paired t-test of the rows' mAP over
      their seeds. It holds no variance between people.
    - ``p_holm``: ``p_value_over_seeds``, or ``p_value`` where there is one seed, corrected for the
      number of rows by the method of Holm.
    """
    done = [outcome for outcome in outcomes if outcome.figures]
    first = {o.seed: o for o in reversed(done) if o.row == outcomes[0].row}
    table = pd.DataFrame([outcome.figures | _against(outcome, first) for outcome in done])
    if "p_value" not in table:
        return table
    tests = table.groupby("row", sort=False)["p_value"].first().dropna()
    if len(first) > 1:
        tests = _over_seeds(done, first)
        table["p_value_over_seeds"] = table["row"].map(tests)
    corrected = pd.Series(holm(tests.tolist()), index=tests.index)
    table["p_holm"] = table["row"].map(corrected).round(5)
    return table


def _over_seeds(done: Sequence[Outcome], first: dict[int, Outcome]) -> pd.Series:
    """p-values by row, over the seeds with which both it and the first row came to a result."""
    tests = {}
    for row in dict.fromkeys(outcome.row for outcome in done):
        pairs = [(first[o.seed], o) for o in done if o.row == row and o.seed in first]
        if pairs and pairs[0][0].row != row:
            before, after = ([o.figures["mAP"] for o in side] for side in zip(*pairs, strict=True))
            tests[row] = round(seeds_test(before, after), 5)
    return pd.Series(tests, dtype=float)


def mean_over_seeds(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """The table per query of some runs on the same queries, their AP averaged.

    A paired test of two such tables compares these trainings as a group, and no others.
    """
    tables = [RetrievalResult.load(o.folder / RESULT_FILE).per_query for o in outcomes]
    return tables[0].assign(AP=np.mean([table["AP"].to_numpy(float) for table in tables], axis=0))


def _against(outcome: Outcome, first: dict[int, Outcome]) -> dict[str, float]:
    base = first.get(outcome.seed)
    if base is None or base is outcome:
        return {}
    before, after = (RetrievalResult.load(o.folder / RESULT_FILE) for o in (base, outcome))
    test = paired_test(before.per_query, after.per_query)
    low, high = test.interval
    return {
        "mAP_gain": as_percent(test.difference),
        "mAP_gain_low": as_percent(low),
        "mAP_gain_high": as_percent(high),
        "p_value": round(test.p_value, 5),
    }

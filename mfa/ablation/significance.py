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
    return over_rows(table, outcomes[0].row) if "p_value" in table else table


def over_rows(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """The rows with what is tested over all of them: ``p_value_over_seeds`` and ``p_holm``.

    Args:
        table: one row per row and seed, with ``row``, ``seed``, ``mAP`` and ``p_value``.
        reference: the row that the others are tested against.
    """
    tests = table.groupby("row", sort=False)["p_value"].first().dropna()
    by_seed = table[table["row"] == reference].set_index("seed")["mAP"]
    if len(by_seed) > 1:
        tests = pd.Series(dtype=float)
        for row, own in table[table["row"] != reference].groupby("row", sort=False):
            both = own[own["seed"].isin(by_seed.index)]
            if len(both):
                p_value = seeds_test(by_seed[both["seed"]].tolist(), both["mAP"].tolist())
                tests[str(row)] = round(p_value, 5)
        table["p_value_over_seeds"] = table["row"].map(tests)
    corrected = pd.Series(holm(tests.tolist()), index=tests.index)
    table["p_holm"] = table["row"].map(corrected).round(5)
    return table


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

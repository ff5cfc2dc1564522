"""Is a row better than the first one, query by query?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mfa.ablation.runner import RESULT_FILE, Outcome
from mfa.retrieval.results import RetrievalResult, as_percent
from mfa.retrieval.statistics import paired_test


def with_tests(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """The tidy rows, each held against the first row of the plan with the same seed.

    Adds ``mAP_gain`` (percent; this row less the first, over the queries both counted),
    ``mAP_gain_low``, ``mAP_gain_high`` (95 % interval over queries) and ``p_value`` (two-sided,
    paired over queries); empty for the first row and where the first row failed. Where seeds were
    repeated ``p_value_over_seeds`` is that of the same test on each query's AP averaged over the
    seeds: of the configurations, not of one training.
    """
    done = [outcome for outcome in outcomes if outcome.figures]
    first = {o.seed: o for o in reversed(done) if o.row == outcomes[0].row}
    table = pd.DataFrame([outcome.figures | _against(outcome, first) for outcome in done])
    if len(first) > 1:
        table["p_value_over_seeds"] = table["row"].map(_over_seeds(done, first))
    return table


def _over_seeds(done: Sequence[Outcome], first: dict[int, Outcome]) -> dict[str, float]:
    """By row, over the seeds that both it and the first row came to a result with."""
    tests = {}
    for row in {outcome.row for outcome in done}:
        mine = {o.seed: o for o in done if o.row == row and o.seed in first}
        if mine and first[next(iter(mine))].row != row:
            base = mean_over_seeds([first[seed] for seed in mine])
            p_value = paired_test(base, mean_over_seeds(list(mine.values()))).p_value
            tests[row] = round(p_value, 5)
    return tests


def mean_over_seeds(outcomes: Sequence[Outcome]) -> RetrievalResult:
    """The per-query results of some runs on the same queries, their AP averaged."""
    results = [RetrievalResult.load(outcome.folder / RESULT_FILE) for outcome in outcomes]
    mean = np.mean([result.per_query["AP"].to_numpy(float) for result in results], axis=0)
    return replace(results[0], per_query=results[0].per_query.assign(AP=mean))


def _against(outcome: Outcome, first: dict[int, Outcome]) -> dict[str, float]:
    base = first.get(outcome.seed)
    if base is None or base is outcome:
        return {}
    before, after = (RetrievalResult.load(o.folder / RESULT_FILE) for o in (base, outcome))
    test = paired_test(before, after)
    low, high = test.interval
    return {
        "mAP_gain": as_percent(test.difference),
        "mAP_gain_low": as_percent(low),
        "mAP_gain_high": as_percent(high),
        "p_value": round(test.p_value, 5),
    }

"""How likely is "the same person" at a distance? Fitted on half of the identities, checked on half.

Isotonic regression of "same" on the distance (Zadrozny and Elkan 2002): the best curve that falls
with the distance, without a formula for its shape. A probability needs a prior: how often a pair
shows one person before anybody looks. The order of pairs does not depend on it, so another prior
moves the probabilities and leaves the curve's steps where they are (Brümmer and du Preez 2013,
arXiv 1304.2331).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from mfa.comparison.verification import Verification, verify
from mfa.errors import InputError
from mfa.records import DISTRACTOR, Features, FeatureSet

GROUPS = 10
"""Groups of equal width that predicted probabilities are compared in."""


@dataclass(frozen=True)
class Calibration:
    """Probabilities of "the same person" by distance.

    Attributes:
        prior: share of pairs that show one person before the distance is known.
        curve: ``distance`` and ``probability``, which falls; straight lines between the rows. A
            probability of 0 or 1 says that no pair of the other kind was seen there.
        reliability: on the other half of the identities, one row per group of predictions:
            ``predicted`` and ``observed`` (means over the group's pairs), ``pairs``.
        error: mean distance between predicted and observed over all pairs (expected calibration
            error).
    """

    prior: float
    curve: pd.DataFrame
    reliability: pd.DataFrame
    error: float

    def probability(self, distance: float | np.ndarray) -> np.ndarray:
        """Of "the same person" at a distance, or at each of several."""
        return np.interp(distance, self.curve["distance"], self.curve["probability"])


def verify_halves(
    features: Features, *, camera_filter: bool = True, seed: int = 0
) -> tuple[Verification, Verification]:
    """``verify`` on two random halves of the identities; no pair joins the halves.

    Distractors, who are nobody in particular, are dealt out one by one.

    Raises:
        InputError: a half without pairs of both kinds.
    """
    rng = np.random.default_rng(seed)
    pids = rng.permutation(np.unique([*features.query.pids, *features.gallery.pids]))
    first = pids[: len(pids) // 2]

    def half(side: FeatureSet, own: bool) -> FeatureSet:
        inside = np.isin(side.pids, first)
        nobody = np.flatnonzero(side.pids == DISTRACTOR)
        inside[nobody] = np.arange(len(nobody)) % 2 == 0
        return side.take(np.flatnonzero(inside == own))

    halves = [
        replace(features, query=half(features.query, own), gallery=half(features.gallery, own))
        for own in (True, False)
    ]
    fitted, checked = (verify(each, camera_filter=camera_filter) for each in halves)
    return fitted, checked


def calibrate(
    fitted: Verification, checked: Verification, *, prior: float | None = None
) -> Calibration:
    """Probabilities from the pairs of one half of the identities, checked on the other's.

    Args:
        fitted: the first of ``verify_halves``.
        checked: the second.
        prior: share of pairs that show one person; by default as among the pairs of ``fitted``.

    Raises:
        InputError: a prior that is not between 0 and 1.
    """
    if prior is None:
        prior = fitted.same / (fitted.same + fitted.other)
    if not 0 < prior < 1:
        raise InputError(f"a prior is a share between 0 and 1, got {prior}")
    distance, same, other = _weights(fitted, prior)
    answers = np.repeat([1.0, 0.0], len(distance))
    model = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
    model.fit(np.tile(distance, 2), answers, sample_weight=np.concatenate([same, other]))
    curve = pd.DataFrame({"distance": model.X_thresholds_, "probability": model.y_thresholds_})
    distance, same, other = _weights(checked, prior)
    table = pd.DataFrame({"predicted": model.predict(distance), "observed": same / (same + other)})
    used = (checked.histogram["same"] + checked.histogram["other"]).to_numpy()
    table["pairs"], table["weight"] = used[used > 0], same + other
    group = np.minimum((table["predicted"] * GROUPS).astype(int), GROUPS - 1)
    for column in ("predicted", "observed"):
        table[column] *= table["weight"]
    sums = table.groupby(group).sum().reset_index(drop=True)
    error = float((sums["predicted"] - sums["observed"]).abs().sum())
    means = sums[["predicted", "observed"]].div(sums["weight"], axis=0)
    return Calibration(prior, curve, means.assign(pairs=sums["pairs"]), error)


def _weights(found: Verification, prior: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle of each bin that holds a pair, and the weight of its pairs of each kind; sum 1."""
    bins = found.histogram[(found.histogram["same"] > 0) | (found.histogram["other"] > 0)]
    middle = (bins["low"] + bins["high"]).to_numpy() / 2
    same = prior * bins["same"].to_numpy() / found.same
    return middle, same, (1 - prior) * bins["other"].to_numpy() / found.other

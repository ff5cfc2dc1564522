"""Same person or not, at a threshold: every counted pair of a query and a gallery picture.

The pairs are those that retrieval counts: junk is left out, and with the camera filter so are
pictures of one person by one camera. Millions of distances are kept as counts in fine bins, so
that memory does not grow with them; every row of the table is exact for its threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.distances import Distances, FeatureDistances, Metric, blocks
from mfa.retrieval.gallery import GroupedGallery
from mfa.retrieval.metrics import arranged, refuse_if_nothing_counts


@dataclass(frozen=True)
class Verification:
    """Decisions "the same person if the distance is at most t" over all counted pairs.

    Attributes:
        table: one row per threshold, rising: ``threshold``; ``tpr`` (share of same-person pairs
            accepted), ``fpr`` (share of other pairs accepted), ``fnr`` (1 - tpr).
        histogram: one row per bin: ``low``, ``high``, and how many ``same`` and ``other`` pairs
            have a distance in (low, high]; the first bin holds its lower end too.
        same: number of same-person pairs.
        other: number of other pairs.
    """

    table: pd.DataFrame
    histogram: pd.DataFrame
    same: int
    other: int

    @property
    def auc(self) -> float:
        """Area under the ROC curve: chance that a same-person pair is nearer than another.

        Pairs in one bin count half.
        """
        tpr, fpr = (np.concatenate([[0], self.table[name]]) for name in ("tpr", "fpr"))
        return float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))

    @property
    def eer(self) -> float:
        """Equal error rate: where as large a share is wrongly accepted as wrongly refused.

        Between two thresholds, on the straight line between their rates.
        """
        gap = (self.table["fpr"] - self.table["fnr"]).to_numpy()
        after = int(np.argmax(gap >= 0))
        rates = self.table["fpr"].to_numpy()
        if after == 0:
            return float(rates[0])
        part = -gap[after - 1] / (gap[after] - gap[after - 1])
        return float(rates[after - 1] + part * (rates[after] - rates[after - 1]))

    def at_fpr(self, fpr: float) -> dict[str, float]:
        """The largest tabled threshold that accepts at most this share of other pairs.

        Returns:
            ``threshold``, ``tpr``, ``fpr``, ``fnr``; the threshold is NaN and nothing is accepted
            where the smallest one accepts too many.
        """
        if not 0 <= fpr <= 1:
            raise InputError(f"a false positive rate is a share, 0 to 1, got {fpr}")
        if 0 < fpr < 1 / self.other:
            raise InputError(
                f"{self.other} pairs of different people cannot show a false positive rate of "
                f"{fpr:g}; the smallest is {1 / self.other:.2g}"
            )
        row = int(np.searchsorted(self.table["fpr"].to_numpy(), fpr, side="right")) - 1
        if row < 0:
            return {"threshold": float("nan"), "tpr": 0.0, "fpr": 0.0, "fnr": 1.0}
        return self._row(row)

    def thresholds(self, accepted: Sequence[float] = (0.1, 0.01, 0.001, 0.0001)) -> pd.DataFrame:
        """One row per share of wrongly accepted pairs: ``accepted``, and what ``at_fpr`` finds.

        Shares too fine for the number of pairs are left out.
        """
        shares = [share for share in accepted if share >= 1 / self.other]
        return pd.DataFrame([{"accepted": share, **self.at_fpr(share)} for share in shares])

    def at_threshold(self, threshold: float) -> dict[str, float]:
        """Rates at the tabled threshold next at or below this one; keys as ``at_fpr``."""
        row = int(np.searchsorted(self.table["threshold"], threshold, side="right")) - 1
        if row < 0:
            raise InputError(f"distances start at 0, got a threshold of {threshold}")
        return self._row(row)

    def _row(self, row: int) -> dict[str, float]:
        return {str(name): float(value) for name, value in self.table.iloc[row].items()}


def verify(
    features: Features,
    *,
    camera_filter: bool = True,
    distance: Metric | Distances = "cosine",
    bins: int = 4000,
) -> Verification:
    """Count the pairs by distance.

    Args:
        features: both sides.
        camera_filter: leave out pairs of one person by one camera.
        distance: as for ``mfa.retrieval.metrics.score``.
        bins: how many thresholds, even from 0 to the largest distance (2 for cosine).

    Raises:
        InputError: no pair of one kind, or fewer than 2 bins.
    """
    if bins < 2:
        raise InputError(f"bins must be 2 or more, got {bins}")
    distances, grouped = arranged(features, camera_filter, distance)
    refuse_if_nothing_counts(features, grouped, grouped.positives())
    top = _largest(distances)
    counts = _count(distances, grouped, bins, top)
    same, other = counts.sum(axis=1).tolist()
    if not other:
        raise InputError("every counted pair shows one person; add pictures of other people")
    edges = np.arange(bins + 1) * (top / bins)
    tpr, fpr = np.cumsum(counts, axis=1) / [[same], [other]]
    counts[:, 1] += counts[:, 0]  # the first bin of the histogram holds distance 0 too
    own, others = counts[:, 1:]
    return Verification(
        pd.DataFrame({"threshold": edges, "tpr": tpr, "fpr": fpr, "fnr": 1 - tpr}),
        pd.DataFrame({"low": edges[:-1], "high": edges[1:], "same": own, "other": others}),
        same,
        other,
    )


def _count(distances: Distances, grouped: GroupedGallery, bins: int, top: float) -> np.ndarray:
    """(2, bins + 1) same and other pairs with a distance in (edge[k - 1], edge[k]]."""
    counts = np.zeros((2, bins + 1), dtype=np.int64)
    scale = bins / top
    for start, keys in blocks(distances):
        for query, row in enumerate(keys, start=start):
            values = distances.values(row[grouped.junk :], query)
            values *= scale
            # Rounding may leave a distance a hair outside; it belongs to the end bin.
            place = np.clip(np.ceil(values), 0, bins).astype(np.int32)
            begin, end = grouped.start[query] - grouped.junk, grouped.stop[query] - grouped.junk
            own = place[begin:end]
            counts[0] += np.bincount(own[grouped.counts(query)], minlength=bins + 1)
            counts[1] += np.bincount(place, minlength=bins + 1)
            counts[1] -= np.bincount(own, minlength=bins + 1)
    return counts


def _largest(distances: Distances) -> float:
    """Largest finite distance, 2 at least so that cosine tables share their thresholds."""
    largest = 2.0
    if isinstance(distances, FeatureDistances) and distances.metric == "cosine":
        return largest
    for start, keys in blocks(distances):
        tops = np.where(np.isfinite(keys), keys, -np.inf).max(axis=1)
        for query, key in enumerate(tops, start=start):
            largest = max(largest, float(distances.values(np.array([key]), query)[0]))
    return largest

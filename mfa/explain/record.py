"""Branch maps of some pictures, with all that is needed to draw and to judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FUSED = "fused"
"""Key of the map of the whole descriptor."""


@dataclass(frozen=True, eq=False)
class BranchMaps(Mapping[str, np.ndarray]):
    """A mapping from branch name, and ``fused``, to signed maps (B, H, W) at picture size.

    Values are parts of the score at that place: positive argues for the target, negative against.
    All maps of one record share that scale, so they may be compared and drawn on one.

    Attributes:
        full: what the mapping serves, float32 (B, H, W), bilinear from ``raw``.
        raw: the maps as computed, float32 (B, h, w). With ``HiResCAM`` their sum plus the bias of
            BNNeck is the score; with ``GradCAM`` that holds for average pooling only.
        scores: what was explained, (B,) a branch and for ``fused``.
        empty: (B,) true where a map holds nothing positive: drawn rectified it would be blank.
        stripes: (top, bottom) of each branch's stripe in shares of the height; a branch fed by its
            stripe alone has no gradient outside it, trained or not.
        target: what a positive value argues for.
        method: pytorch-grad-cam's name of the weighting.
        layer: the map that was explained.
        fusing: ``sum`` of the signed maps, or ``mean`` of the normalised ones (the paper's).
        centred: the mean map of reference pictures was taken off.
        weights: tells networks apart: equal for maps of one network with one set of weights.
    """

    full: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    empty: dict[str, np.ndarray]
    stripes: dict[str, tuple[float, float]]
    target: str
    method: str
    layer: str
    fusing: str
    centred: bool = False
    weights: str = ""

    def __getitem__(self, name: str) -> np.ndarray:
        return self.full[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.full)

    def __len__(self) -> int:
        return len(self.full)

    @property
    def branches(self) -> tuple[str, ...]:
        """Branch names in descriptor order, without ``fused``."""
        return tuple(name for name in self.full if name != FUSED)

    @property
    def pictures(self) -> int:
        """How many pictures were explained."""
        return len(self.full[FUSED])

    @property
    def limit(self) -> float:
        """End of a shared colour scale: a magnitude that 99.5 % of all map values stay under.

        One pixel far above all others would make everything else look empty. The mean of
        normalised maps has another unit and is left out.
        """
        names = self.branches if self.fusing == "mean" else tuple(self)
        return shared_limit([self.full[name] for name in names])

    @property
    def caption(self) -> str:
        """Target, method and layer in one line."""
        against = ", against the mean picture" if self.centred else ""
        return f"{self.target} · {self.method} on the {self.layer} map{against}"


def shared_limit(maps: Sequence[np.ndarray]) -> float:
    """The magnitude that 99.5 % of the values of all maps stay under; 1 where all are zero."""
    limit = float(np.quantile(np.abs(np.concatenate([heat.ravel() for heat in maps])), 0.995))
    return limit or max(float(np.abs(heat).max()) for heat in maps) or 1.0


def is_empty(maps: np.ndarray) -> np.ndarray:
    """(B,) true where the positive part of a map (B, h, w) is nothing but rounding."""
    positive = np.maximum(maps, 0).sum(axis=(1, 2))
    empty: np.ndarray = positive <= 1e-6 * np.abs(maps).sum(axis=(1, 2))
    return empty

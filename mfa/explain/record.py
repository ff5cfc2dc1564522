"""Branch maps of some pictures, with all that is needed to draw and to judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mfa.explain.geometry import MapGrid
from mfa.explain.tables import FUSED
from mfa.explain.weightings import SIGNS, Sign


@dataclass(frozen=True, eq=False)
class BranchMaps(Mapping[str, np.ndarray]):
    """A mapping from branch name, and ``fused``, to signed maps (B, H, W) at picture size.

    All maps of one record share one unit, so they may be compared and drawn on one scale. What a
    value and its sign mean depends on the method: see ``sign``, ``additive`` and ``reading``.

    Attributes:
        full: what the mapping serves, float32 (B, H, W), bilinear from ``raw`` at the true centres.
        raw: the maps as computed, float32 (B, h, w).
        scores: what was explained, (B,) for each branch and for ``fused``.
        empty: (B,) true where a map holds nothing positive: drawn rectified it would be blank.
        grids: where the pixels of ``raw`` lie in the picture, by name.
        stripes: (top, bottom) of each branch's stripe in shares of the picture's height.
        target: what a positive value argues for.
        method: pytorch-grad-cam's name of the weighting.
        layer: the map that was explained.
        fusing: ``sum`` of the signed maps, or ``mean`` of the normalised ones (the paper's).
        additive: whether the values of a branch's map are parts of the score: their sum and a
            bias, which no pixel brings, are the branch's score.
        centred: the mean map of reference pictures was subtracted.
        weights: tells networks apart: equal for maps of one network with one set of weights.
    """

    full: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    empty: dict[str, np.ndarray]
    grids: dict[str, MapGrid]
    stripes: dict[str, tuple[float, float]]
    target: str
    method: str
    layer: str
    fusing: str
    additive: bool
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

        The mean of normalised maps has another unit and is left out.
        """
        names = self.branches if self.fusing == "mean" else tuple(self)
        return shared_limit([self.full[name] for name in names])

    @property
    def sums(self) -> dict[str, np.ndarray]:
        """Sum over each map's pixels, (B,) by name; where ``additive``, a part of the score."""
        return {name: values.sum(axis=(1, 2)) for name, values in self.raw.items()}

    @property
    def sign(self) -> Sign:
        """What the sign of the values says, see ``mfa.explain.weightings.SIGNS``."""
        return SIGNS[self.method]

    @property
    def reading(self) -> str:
        """How the colours are to be read, as a sentence that is true of this method."""
        if self.sign == "none":
            return f"The sign of {self.method} has no meaning: compare strengths alone"
        if self.sign == "strength" and self.centred:
            return "Red: weighed higher than in the reference pictures; blue: weighed lower"
        if self.sign == "strength":
            return f"Red: weighed high by {self.method}, which does not show what argues against"
        words = "Red argues for the target, blue against it"
        if self.additive and self.fusing == "sum":
            return f"{words}; under a map its sum, a part of the score"
        return f"{words}; values are not parts of the score"

    @property
    def caption(self) -> str:
        """Target, method and layer in one line."""
        against = ", less the reference" if self.centred else ""
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

"""Do the branches look at different places, in order, and do they follow their stripes?

The energy of a branch map at a pixel is the sum over channels of the squared activation. It is
never negative, so that it has a vertical centre, and it is independent of the classes.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from mfa.records import Output


def energy(feature_map: Tensor) -> Tensor:
    """Sum over channels of the squared activation: (B, C, h, w) to (B, h, w), float32 or better."""
    dtype = torch.promote_types(feature_map.dtype, torch.float32)
    norm: Tensor = torch.linalg.vector_norm(feature_map, dim=1, dtype=dtype)
    return norm.square()


def centroid(energies: Tensor) -> Tensor:
    """Vertical centre of energy of each picture: (B, h, w) to (B,) in float64.

    0 is the upper edge and 1 the lower; row i of h stands at (i + 0.5) / h, so an even map has
    0.5. NaN for a map without energy.
    """
    rows = energies.sum(dim=2).double()
    height = rows.shape[1]
    position = (torch.arange(height, dtype=rows.dtype, device=rows.device) + 0.5) / height
    centre: Tensor = rows @ position / rows.sum(dim=1)
    return centre


def map_cosine(first: Tensor, second: Tensor) -> Tensor:
    """Cosine between two energy maps of the same size, picture by picture: (B,) in float64.

    The spatial mean is not removed: two even maps have 1, maps without common pixels 0, and
    nothing is below 0. NaN where a map has no energy.
    """
    a, b = first.flatten(1).double(), second.flatten(1).double()
    lengths: Tensor = torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=1)
    return (a * b).sum(dim=1) / lengths


class SeparationMeter:
    """Adds up batches; keeps sums in float64 on the network's device, never the maps.

    Cheap enough for every training step. Fed during an epoch, the figures are those of a network
    that moves meanwhile. With several processes each measures its own share of the pictures.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}
        self._guides: dict[str, tuple[Tensor, ...]] = {}

    @torch.no_grad()
    def update(self, output: Output) -> None:
        """Count one batch, in train or eval mode."""
        energies = {name: energy(branch.map) for name, branch in output.branches.items()}
        centroids = {name: centroid(value) for name, value in energies.items()}
        for name, branch in output.branches.items():
            norms = torch.linalg.vector_norm(branch.pooled.double(), dim=1)
            self._add("feature_norm", norms, torch.ones_like(norms, dtype=torch.bool))
            self._add(f"centroid/{name}", centroids[name], ~centroids[name].isnan())
            if branch.guide is not None:
                sums = _guide_sums(branch.pooled.double(), branch.guide.double())
                if name in self._guides:
                    pairs = zip(self._guides[name], sums, strict=True)
                    sums = tuple(before + new for before, new in pairs)
                self._guides[name] = sums
        for first, second in combinations(energies.values(), 2):
            if first.shape == second.shape:
                cosines = map_cosine(first, second)
                self._add("map_cosine", cosines, ~cosines.isnan())
        if len(centroids) > 1:
            # NaN compares false: a picture with an empty map is not in order.
            rises = (torch.stack(list(centroids.values())).diff(dim=0) > 0).all(dim=0)
            self._add("in_order", rises.double(), torch.ones_like(rises))

    def result(self) -> dict[str, float]:
        """The figures over all pictures seen.

        Returns:
            ``feature_norm``: mean L2 norm of the pooled vectors over branches and pictures.
            ``centroid/branchN``: mean vertical centre of energy, 0 top to 1 bottom.
            ``map_cosine``: mean over pictures and pairs of branches whose maps have one size.
            ``in_order``: share of pictures whose centres strictly increase with the branch number.
            ``r2/branchN``: 1 - sum |g - l|^2 / sum |l - mean l|^2, the share of the variance of the
            stripe vector l that the pooled vector g explains; 0 is no better than the mean stripe
            vector, and it can be negative.
            A figure that is not defined is left out: of one branch alone, of a branch without
            guide or with equal guides, of maps without energy. A norm that is not finite stays in.
        """
        figures = {
            name: self._sums[name].item() / int(count)
            for name, count in self._counts.items()
            if count
        }
        for name, (count, residual, square, total) in self._guides.items():
            variance = (square - total.square().sum() / count).item()
            if variance > 1e-12 * square.item():  # the guides vary beyond rounding
                figures[f"r2/{name}"] = 1 - residual.item() / variance
        return figures

    def _add(self, name: str, values: Tensor, defined: Tensor) -> None:
        """Add one figure of each picture, passing over the pictures where it is not defined."""
        # Masked, not indexed: indexing by a mask would make a GPU wait for the CPU.
        total = torch.where(defined, values, 0.0).sum()
        self._sums[name] = self._sums.get(name, 0) + total
        self._counts[name] = self._counts.get(name, 0) + defined.sum()


def separation(output: Output) -> dict[str, float]:
    """The figures of one batch; see ``SeparationMeter.result``."""
    meter = SeparationMeter()
    meter.update(output)
    return meter.result()


def _guide_sums(pooled: Tensor, guide: Tensor) -> tuple[Tensor, ...]:
    """What R^2 of pooled vectors g and guides l needs: their number, and three sums."""
    number = torch.tensor(float(len(guide)), dtype=torch.float64, device=guide.device)
    return number, (pooled - guide).square().sum(), guide.square().sum(), guide.sum(dim=0)

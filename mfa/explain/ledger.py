"""The score ledger: cosine = branches = pixels + bias, exactly.

The cosine of two descriptors is a sum over columns, hence over branches. BNNeck in eval mode is
affine, e = A v + b, and average and generalised-mean pooling are homogeneous of degree 1, so by
Euler's theorem a pooled value is the sum over pixels of x * dv/dx. For GeM a pixel's part of v is
v * x^p / sum(x^p), for the mean x / (h w). What no pixel brings is the neck's offset b: the bias.
(Ours; after Zhu et al. 2019, arXiv 1909.12977, who treat average pooling without a neck.)

Pooled features are positive and BNNeck subtracts their mean, so in a trained network pixels and
bias are large and of opposite sign: most of both is what every picture has in common. With
``reference`` pictures the mean part of those pictures at the same place is subtracted from each
pixel's part, and the bias is what that mean would bring. The sum stays exact, and the map shows
what is particular to this pair (ours).

From the branch maps on all is computed in float64. In a badly trained network the float32 heads
lose digits of the score; ``rounding`` says how far the network's own score is off.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.errors import InputError
from mfa.explain.capture import exact_heads, network_input, undisturbed
from mfa.explain.geometry import MapGrid, map_grids
from mfa.explain.inputs import ImagesWithCameras, as_images_with_cameras, input_size, network_of
from mfa.explain.origins import Origins
from mfa.explain.tables import FUSED
from mfa.models import ReidNetwork
from mfa.models.pooling import GAP, GeM

Side = Literal["query", "gallery"]

TOLERANCE = 1e-6
"""Residual above which a ledger is refused; float64 rounding leaves less than 1e-9."""


@dataclass(frozen=True, eq=False)
class BranchShare:
    """One branch's part of a cosine, split twice: over the query's pixels and over the gallery's.

    Attributes:
        share: the branch's part of the cosine.
        query_map, gallery_map: (h, w) signed parts of a picture's pixels; with the side's bias
            they sum to ``share``.
        query_bias, gallery_bias: what is there whatever that picture shows: the neck's offset, or
            what the mean of the reference pictures would bring in its place.
        average: part of both biases: what is there whatever both pictures show.
        query_grid, gallery_grid: where the pixels of the map lie in the picture.
    """

    share: float
    query_map: np.ndarray
    gallery_map: np.ndarray
    query_bias: float
    gallery_bias: float
    average: float
    query_grid: MapGrid
    gallery_grid: MapGrid


@dataclass(frozen=True, eq=False)
class PairLedger:
    """A cosine and everything it consists of.

    Attributes:
        score: cosine of the two descriptors.
        branches: each branch's share, in descriptor order.
        stripes: (top, bottom) of each branch's stripe in shares of the picture's height.
        centred: the mean part of reference pictures is subtracted.
        rounding: distance of ``score`` from the cosine that the network computes in float32; about
            1e-7 in a healthy network.
    """

    score: float
    branches: dict[str, BranchShare]
    stripes: dict[str, tuple[float, float]]
    centred: bool = False
    rounding: float = 0.0

    @property
    def residual(self) -> float:
        """Largest distance between the score and what the parts come to, on either side."""
        parts = self.branches.values()
        query = sum(part.query_map.sum() + part.query_bias for part in parts)
        gallery = sum(part.gallery_map.sum() + part.gallery_bias for part in parts)
        return max(abs(self.score - float(side)) for side in (query, gallery))

    def maps(self, side: Side) -> dict[str, np.ndarray]:
        """Each branch's map (h, w) over one side's pixels, and their sum as ``fused``."""
        maps = {
            name: part.query_map if side == "query" else part.gallery_map
            for name, part in self.branches.items()
        }
        return maps if len(maps) == 1 else {**maps, FUSED: np.sum(list(maps.values()), axis=0)}

    def grids(self, side: Side) -> dict[str, MapGrid]:
        """Where the pixels of ``maps(side)`` lie."""
        grids = {
            name: part.query_grid if side == "query" else part.gallery_grid
            for name, part in self.branches.items()
        }
        return grids if len(grids) == 1 else {**grids, FUSED: MapGrid.mean(list(grids.values()))}

    @property
    def bias(self) -> float:
        """Part of the score that the query's pixels do not bring."""
        return sum(part.query_bias for part in self.branches.values())

    @property
    def origins(self) -> Origins:
        """The score by what it is about: these two, or the average picture (or else the bias)."""
        parts = self.branches.values()
        average = sum(part.average for part in parts)
        biases = sum(part.query_bias + part.gallery_bias for part in parts)
        return Origins(average, biases - 2 * average, self.score - biases + average)

    def table(self) -> pd.DataFrame:
        """One row per branch: ``branch``, ``share``, and pixels and bias of both sides."""
        return pd.DataFrame(
            {
                "branch": name,
                "share": part.share,
                "query_pixels": float(part.query_map.sum()),
                "query_bias": part.query_bias,
                "gallery_pixels": float(part.gallery_map.sum()),
                "gallery_bias": part.gallery_bias,
            }
            for name, part in self.branches.items()
        )


def pair_ledger(
    model: Any, query_image: Any, gallery_image: Any, *, reference: Any = None
) -> PairLedger:
    """The ledger of one pair; see ``pair_ledgers``."""
    return pair_ledgers(model, query_image, gallery_image, reference=reference)[0]


def pair_ledgers(
    model: Any, query_image: Any, gallery_images: Any, *, reference: Any = None
) -> list[PairLedger]:
    """One query against several gallery pictures, each network pass made once.

    Args:
        model: a run or a network whose branches pool by GeM or GAP and whose neck is affine.
        query_image: one picture, in any form ``branch_maps`` takes.
        gallery_images: one or several.
        reference: pictures whose mean part is subtracted, some dozens of the gallery.

    Raises:
        InputError: a pooling or neck that has no exact ledger, or more than one query.
    """
    network, size = network_of(model), input_size(model)
    query = as_images_with_cameras(query_image, size)
    if len(query) != 1:
        raise InputError(f"a ledger has one query, got {len(query)} pictures; call it for each")
    gallery = as_images_with_cameras(gallery_images, size)
    mean = None
    if reference is not None:
        mean = means(network, as_images_with_cameras(reference, size))[1]
    return list(ledgers_between(decompose(network, query), decompose(network, gallery), mean))


@dataclass(frozen=True, eq=False)
class Decomposed:
    """What a batch of pictures puts into a ledger, by branch, in float64.

    Attributes:
        descriptor: (B, D) as the network computes it in float32.
        maps: the map (B, C, h, w) that each branch pools, in float32.
        parts: (B, C, h, w) whose sum over pixels is the pooled vector.
        units: the branch's embedding (B, C) divided by the length of the whole.
        lengths: of the whole embedding, (B,).
        necks: each branch's neck.
        grids: where the pixels of a map lie.
        stripes: (top, bottom) of each branch's stripe in shares of the picture's height.
    """

    descriptor: Tensor
    maps: dict[str, Tensor]
    parts: dict[str, Tensor]
    units: dict[str, Tensor]
    lengths: Tensor
    necks: dict[str, nn.Module]
    grids: dict[str, MapGrid]
    stripes: dict[str, tuple[float, float]]


def has_ledger(network: ReidNetwork) -> bool:
    """Whether the network's score is a sum over pixels: every branch pools by GeM or GAP."""
    return all(isinstance(head.pool, GeM | GAP) for _, head in network.named_heads())


def decompose(network: ReidNetwork, images: Tensor | ImagesWithCameras) -> Decomposed:
    """Split every branch's pooled vector over the pixels of its map.

    Raises:
        InputError: a branch pools by something else than GeM or GAP, or features are not finite.
    """
    with undisturbed(network):
        given = network_input(network, images)
        trunk = network.trunk_map(given.images, given.cameras).float()
        heads = exact_heads(network)
        branches = {name: head(trunk) for name, head in heads.items()}
        descriptor = F.normalize(torch.cat([b.embedding for b in branches.values()], dim=1), dim=1)
        maps = {name: branch.map for name, branch in branches.items()}
        parts = {name: pixel_parts(heads[name].pool, maps[name].double()) for name in heads}
        necks = {name: copy.deepcopy(head.neck).double() for name, head in heads.items()}
        whole = {name: necks[name](part.sum(dim=(2, 3))) for name, part in parts.items()}
        lengths = torch.cat(list(whole.values()), dim=1).norm(dim=1)
        if not bool(lengths.isfinite().all()):
            raise InputError(
                "the network's features are not finite, so there is no score to explain; its "
                "training diverged, or its weights are damaged"
            )
        grids = map_grids(network, tuple(given.images.shape[2:]))
        return Decomposed(
            descriptor=descriptor.double(),
            maps=maps,
            parts=parts,
            units={name: value / lengths[:, None] for name, value in whole.items()},
            lengths=lengths,
            necks=necks,
            grids=grids,
            stripes={name: grids[name].box(box) for name, box in network.stripes.items()},
        )


def means(
    network: ReidNetwork, images: Tensor | ImagesWithCameras
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """For each branch the mean map and the mean part, both (C, h, w), batch by batch."""
    totals: tuple[dict[str, Tensor], dict[str, Tensor]] = ({}, {})
    for batch in network_input(network, images).split(32):
        found = decompose(network, batch)
        for total, each in zip(totals, (found.maps, found.parts), strict=True):
            for name, values in each.items():
                total[name] = total.get(name, 0) + values.sum(dim=0)
    maps, parts = ({name: v / len(images) for name, v in total.items()} for total in totals)
    return maps, parts


def pixel_parts(pool: nn.Module, x: Tensor) -> Tensor:
    """(B, C, h, w) whose sum over pixels is the pooled vector of the map ``x``, exactly.

    Raises:
        InputError: the pooling is neither GeM nor GAP.
    """
    if isinstance(pool, GAP):
        return x / (x.shape[2] * x.shape[3])
    if not isinstance(pool, GeM):
        raise InputError(
            f"pooling by {type(pool).__name__} has no exact ledger; GeM and GAP have one"
        )
    p = pool.p.detach().to(x)
    powers = x.clamp(min=pool.eps).pow(p)
    pooled = powers.mean(dim=(2, 3), keepdim=True).pow(1 / p)
    return pooled * powers / powers.sum(dim=(2, 3), keepdim=True)


def pull_back(neck: nn.Module, directions: Tensor, origin: Tensor) -> tuple[Tensor, Tensor]:
    """A^T u (K, C) and (A o + b) . u (K,) of an affine neck A v + b, directions u, an origin o."""
    with torch.inference_mode(False), torch.enable_grad():
        origin = origin.detach().repeat(len(directions), 1).requires_grad_()
        offset = (neck(origin) * directions).sum(dim=1)
        (slope,) = torch.autograd.grad(offset.sum(), origin)
    return slope, offset.detach()


def ledgers_between(
    query: Decomposed, gallery: Decomposed, means: dict[str, Tensor] | None = None
) -> Iterator[PairLedger]:
    """The ledger of the first picture of ``query`` with each of ``gallery``.

    Both are decomposed by the same network; ``means`` are the mean parts that are subtracted.

    Raises:
        InputError: the parts miss the score.
    """
    network_scores = gallery.descriptor @ query.descriptor[0]
    rows: list[dict[str, BranchShare]] = [{} for _ in network_scores]
    for name, neck in query.necks.items():
        q, g = query.units[name][:1].expand_as(gallery.units[name]), gallery.units[name]
        mean = torch.zeros_like(query.parts[name][0]) if means is None else means[name]
        origin = mean.sum(dim=(1, 2))
        slope, query_bias = pull_back(neck, g / query.lengths[:1], origin)
        query_maps = torch.einsum("kc,chw->khw", slope, query.parts[name][0] - mean)
        slope, gallery_bias = pull_back(neck, q / gallery.lengths[:, None], origin)
        gallery_maps = torch.einsum("kc,kchw->khw", slope, gallery.parts[name] - mean)
        with torch.no_grad():
            squared = neck(origin[None]).square().sum()
        averages = squared / (query.lengths[0] * gallery.lengths)
        for k, row in enumerate(rows):
            row[name] = BranchShare(
                share=float(q[k] @ g[k]),
                query_map=query_maps[k].cpu().numpy(),
                gallery_map=gallery_maps[k].cpu().numpy(),
                query_bias=float(query_bias[k]),
                gallery_bias=float(gallery_bias[k]),
                average=float(averages[k]),
                query_grid=query.grids[name],
                gallery_grid=gallery.grids[name],
            )
    for network_score, row in zip(network_scores.tolist(), rows, strict=True):
        score = sum(part.share for part in row.values())
        off = abs(score - network_score)
        ledger = PairLedger(score, row, gallery.stripes, means is not None, off)
        if ledger.residual > TOLERANCE:
            raise InputError(
                f"the parts miss the score by {ledger.residual:.2g}: a neck is not affine, so "
                "this network has no exact ledger"
            )
        yield ledger

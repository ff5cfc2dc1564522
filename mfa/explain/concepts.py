"""Common parts: what a query and its gallery pictures have in common, as a few concepts.

The feature vectors of all pixels of all pictures are factorised together into a few non-negative
concepts (Collins et al. 2018, deep feature factorisation; jointly over the pictures, so that a
concept is the same one in every picture). No classifier is needed: the score ledger gives each
concept's part of the cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.explain.capture import BRANCH, TRUNK, exact_heads, mean_maps, network_input, undisturbed
from mfa.explain.geometry import MapGrid, map_grids
from mfa.explain.inputs import ImagesWithCameras, as_images_with_cameras, input_size, network_of
from mfa.explain.ledger import pair_ledgers

ROUNDS = 200
"""Updates of the factorisation; beyond, the pictures do not change to the eye."""


@dataclass(frozen=True, eq=False)
class CommonParts:
    """Concepts shared by some pictures, the first of which is the query.

    Attributes:
        weights: (N, K, h, w) how much of each concept a pixel holds, from 0.
        concepts: (K, C) non-negative directions of length 1.
        explained: share of the (rectified) maps' energy the concepts reproduce.
        shares: (N - 1, K) what the pixels of each concept bring to the cosine of the query and
            each other picture; with ``bias`` they sum to ``scores``.
        bias: (N - 1,) the rest of the cosine: what no pixel brings, or a pixel without a concept.
        scores: (N - 1,) the cosines.
        grid: where the pixels of ``weights`` lie in the pictures.
    """

    weights: np.ndarray
    concepts: np.ndarray
    explained: float
    shares: np.ndarray
    bias: np.ndarray
    scores: np.ndarray
    grid: MapGrid

    @property
    def strongest(self) -> np.ndarray:
        """(N, h, w) the concept each pixel holds most of."""
        found: np.ndarray = self.weights.argmax(axis=1)
        return found


def common_parts(
    model: Any,
    images: Any,
    *,
    concepts: int = 4,
    layer: str = "trunk",
    reference: Any = None,
    seed: int = 0,
) -> CommonParts:
    """Factorise the maps of a query (the first picture) and others jointly.

    Args:
        model: a run or a network.
        images: two or more pictures; see ``branch_maps`` for the forms.
        concepts: how many parts to look for.
        layer: ``trunk``, or a branch's name for the map it pools.
        reference: pictures whose mean the ledger is told against, see ``viz.pair_ledgers``; then
            only what exceeds their mean map is factorised, since else the concepts are what all
            pictures have at a place, such as their borders (ours).
        seed: of the factorisation's start.

    Raises:
        InputError: fewer than two pictures, no such layer, or more concepts than pixels.
    """
    network = network_of(model)
    batch = as_images_with_cameras(images, input_size(model))
    if len(batch) < 2:
        raise InputError("common parts need a query and at least one more picture")
    with undisturbed(network):
        given = network_input(network, batch)
        trunk = network.trunk_map(given.images, given.cameras).float()
        heads = exact_heads(network)
        if layer not in ("trunk", *heads):
            raise InputError(f"no layer {layer!r}; there are trunk, {', '.join(heads)}")
        found = trunk if layer == "trunk" else heads[layer].refine(trunk)
    place, name = (TRUNK, TRUNK) if layer == TRUNK else (BRANCH, layer)
    if reference is not None:
        others = as_images_with_cameras(reference, input_size(model))
        found = found - mean_maps(network, others, layer=place, names=[name])[name]
    count, channels, height, width = found.shape
    if not 1 <= concepts <= count * height * width:
        raise InputError(f"{concepts} concepts cannot be found in {count * height * width} pixels")
    rows = found.permute(0, 2, 3, 1).reshape(-1, channels).clamp(min=0).double().cpu()
    held, kinds = factorise(rows, concepts, seed=seed)
    weights = held.view(count, height, width, concepts).permute(0, 3, 1, 2)
    explained = 1 - float((rows - held @ kinds).square().sum() / rows.square().sum())
    shares, bias, scores = _ledger_shares(model, batch, weights.numpy(), reference)
    grids = map_grids(network, (given.images.shape[2], given.images.shape[3]), place)
    return CommonParts(
        weights.numpy(),
        kinds.numpy(),
        explained,
        shares,
        bias,
        scores,
        grids.get(layer) or next(iter(grids.values())),
    )


def factorise(
    rows: Tensor, concepts: int, *, seed: int = 0, rounds: int = ROUNDS
) -> tuple[Tensor, Tensor]:
    """Non-negative W (P, K) and H (K, C) with W H near ``rows`` (P, C) in least squares.

    Multiplicative updates (Lee and Seung 2001), which never increase the error; rows of H are
    scaled to length 1 at the end, and concepts ordered by how much of the data they carry.
    """
    generator = torch.Generator().manual_seed(seed)
    scale = (rows.mean() / concepts).sqrt()
    held = scale * torch.rand(len(rows), concepts, generator=generator, dtype=rows.dtype)
    kinds = scale * torch.rand(concepts, rows.shape[1], generator=generator, dtype=rows.dtype)
    tiny = torch.finfo(rows.dtype).tiny
    for _ in range(rounds):
        held = held * (rows @ kinds.T) / (held @ (kinds @ kinds.T) + tiny)
        kinds = kinds * (held.T @ rows) / ((held.T @ held) @ kinds + tiny)
    lengths = kinds.norm(dim=1).clamp(min=tiny)
    order = (held.sum(dim=0) * lengths).argsort(descending=True)
    return (held * lengths)[:, order], (kinds / lengths[:, None])[order]


def _ledger_shares(
    model: Any, batch: ImagesWithCameras, weights: np.ndarray, reference: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each gallery picture's pixel parts of the cosine, dealt out to concepts by their weights."""
    ledgers = pair_ledgers(model, batch[:1], batch[1:], reference=reference)
    dealt = weights[1:] / np.maximum(weights[1:].sum(axis=1, keepdims=True), 1e-12)
    pixels = np.stack(
        [sum(part.gallery_map for part in ledger.branches.values()) for ledger in ledgers]
    )
    shares: np.ndarray = (dealt * pixels[:, None]).sum(axis=(2, 3))
    scores = np.array([ledger.score for ledger in ledgers])
    return shares, scores - shares.sum(axis=1), scores

"""Common parts: what a query and its gallery pictures have in common, as a few concepts.

The feature vectors of all pixels of all pictures are factorised together into a few non-negative
concepts (Collins et al. 2018, deep feature factorisation). The score ledger gives each concept's
part of the cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.explain.capture import (
    BRANCH,
    TRUNK,
    exact_heads,
    layer_maps,
    mean_maps,
    network_input,
    undisturbed,
)  # fmt: skip
from mfa.explain.geometry import MapGrid, map_grids
from mfa.explain.inputs import as_images_with_cameras, input_size, network_of
from mfa.explain.ledger import PairLedger, pair_ledgers

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
        reference: pictures whose mean map and parts are subtracted, see ``mfa.pair_ledgers``;
            without them the concepts are what all pictures have at a place (ours).
        seed: of the factorisation's start.

    Raises:
        InputError: fewer than two pictures, no such layer, or more concepts than pixels.
    """
    network = network_of(model)
    batch = as_images_with_cameras(images, input_size(model))
    if len(batch) < 2:
        raise InputError("common parts need a query and at least one more picture")
    if layer not in (TRUNK, *network.heads):
        raise InputError(f"no layer {layer!r}; there are trunk, {', '.join(network.heads)}")
    place, name = (TRUNK, next(iter(network.heads))) if layer == TRUNK else (BRANCH, layer)
    with undisturbed(network):
        given = network_input(network, batch)
        found = layer_maps(network, given, exact_heads(network), place)[name].float()
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
    ledgers = pair_ledgers(model, batch[:1], batch[1:], reference=reference)
    scores = np.array([ledger.score for ledger in ledgers])
    shares = _shares(weights[1:].numpy(), ledgers)
    return CommonParts(
        weights=weights.numpy(),
        concepts=kinds.numpy(),
        explained=explained,
        shares=shares,
        bias=scores - shares.sum(axis=1),
        scores=scores,
        grid=map_grids(network, (given.images.shape[2], given.images.shape[3]), place)[name],
    )


def factorise(
    rows: Tensor, concepts: int, *, seed: int = 0, rounds: int = ROUNDS
) -> tuple[Tensor, Tensor]:
    """Non-negative W (P, K) and H (K, C) with W H near ``rows`` (P, C) in least squares.

    Multiplicative updates (Lee and Seung 2001). At the end rows of H are scaled to length 1, and
    concepts ordered by how much of the data they carry.
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


def _shares(weights: np.ndarray, ledgers: list[PairLedger]) -> np.ndarray:
    """Each gallery picture's pixel parts of the cosine, dealt out to concepts by their weights."""
    dealt = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    pixels = [sum(part.gallery_map for part in ledger.branches.values()) for ledger in ledgers]
    shares: np.ndarray = (dealt * np.stack(pixels)[:, None]).sum(axis=(2, 3))
    return shares

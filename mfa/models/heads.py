"""A branch: refine the trunk map, pool it, normalise it, classify it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.pooling import GAP, GeM, make_pooling
from mfa.records import Branch


class Head(nn.Module):
    """Base of every branch: what happens from the branch map on, and an identity before it.

    Used as it is for the baseline's one global branch. ``refine`` and ``guide_source`` are what a
    kind of branch overrides.
    """

    def __init__(self, channels: int, pool: GeM | GAP, identities: int) -> None:
        super().__init__()
        self.pool = pool
        self.neck = nn.BatchNorm1d(channels)
        self.classifier = nn.Linear(channels, identities, bias=False) if identities else None
        if self.classifier is not None:
            nn.init.normal_(self.classifier.weight, std=0.001)

    @property
    def width(self) -> int:
        """Length of the pooled vector and the embedding."""
        return self.neck.num_features

    def forward(self, trunk: Tensor, guide: Tensor | None = None) -> Branch:
        """Trunk map (B, C, h, w) to the branch's record."""
        return self.read(self.refine(trunk), guide)

    def refine(self, trunk: Tensor) -> Tensor:
        """The branch map from the trunk map."""
        return trunk

    def guide_source(self, trunk: Tensor) -> Tensor:
        """The map whose stripe is pooled into this branch's guide, as wide as the branch map."""
        return trunk

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """Pool, BNNeck, classifier: everything from the branch map on."""
        pooled = self.pool(branch_map)
        embedding = self.neck(pooled)
        logits = None if self.classifier is None else self.classifier(embedding)
        return Branch(branch_map, pooled, embedding, logits, guide)


class LocalBranch(Head):
    """ReLU(F + bottleneck(F)), times a gate where there is one [reconstructed; gate: ours].

    The last BN's scale starts at 0, so that each branch starts as the trunk map.
    """

    def __init__(self, channels: int, config: ModelConfig, identities: int, number: int) -> None:
        super().__init__(channels, make_pooling(config.pooling), identities)
        self.bottleneck = _bottleneck(channels)
        self.gate = make_gate(config, channels, number)

    def refine(self, trunk: Tensor) -> Tensor:
        """The whole trunk map, refined and gated."""
        return self.gate(trunk, torch.relu(trunk + self.bottleneck(trunk)))


class ReducedBranch(Head):
    """1x1 convolution to fewer channels, a switch of the ablation (ours, after PCB and MGN)."""

    def __init__(self, channels: int, config: ModelConfig, identities: int, number: int) -> None:
        super().__init__(config.reduced_dim, make_pooling(config.pooling), identities)
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, config.reduced_dim, 1, bias=False),
            nn.BatchNorm2d(config.reduced_dim),
            nn.ReLU(),
        )
        self.gate = make_gate(config, channels, number)

    def refine(self, trunk: Tensor) -> Tensor:
        """The whole trunk map, reduced and gated."""
        return self.gate(trunk, self.reduce(trunk))

    def guide_source(self, trunk: Tensor) -> Tensor:
        """The reduced map before the gate, so that branch and guide have the same channels."""
        return self.reduce(trunk)


class NoGate(nn.Module):
    """Leaves the map as it is."""

    def forward(self, trunk: Tensor, branch_map: Tensor) -> Tensor:
        """``branch_map``."""
        return branch_map


class Gate(nn.Module):
    """Multiply a map by 2 * sigmoid(1x1 conv of [F, y, x]) (ours).

    y and x run from -1 to 1 over the map, so the gate can know where it is, but no position is
    built in: the convolution starts at 0 and the gate at 1 everywhere.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.logit = nn.Conv2d(channels + 2, 1, 1)
        for parameter in self.logit.parameters():
            nn.init.zeros_(parameter)

    def forward(self, trunk: Tensor, branch_map: Tensor) -> Tensor:
        """``branch_map`` (B, C', h, w) times the gate seen in ``trunk`` (B, C, h, w)."""
        return branch_map * 2 * torch.sigmoid(self.logits(trunk))

    def logits(self, trunk: Tensor) -> Tensor:
        """(B, 1, h, w)."""
        return self.logit(torch.cat([trunk, coordinates(trunk)], dim=1))


class AnchoredGate(Gate):
    """A gate whose logit starts with a bump over its stripe (ours).

    k * 2 * (exp(-(y - c)^2 / (2 * 0.15^2)) - 0.4), y and the stripe's centre c in shares of the
    height, k learned and starting at 2. Position is built in: its separation says nothing of GLA.
    """

    SIGMA = 0.15

    def __init__(self, channels: int, center: float) -> None:
        super().__init__(channels)
        self.center = center
        self.k = nn.Parameter(torch.tensor(2.0))

    def logits(self, trunk: Tensor) -> Tensor:
        """The learned logit plus the bump."""
        y = (coordinates(trunk)[:, :1] + 1) / 2
        bump = torch.exp(-((y - self.center) ** 2) / (2 * self.SIGMA**2)) - 0.4
        return super().logits(trunk) + self.k * 2 * bump


def coordinates(x: Tensor) -> Tensor:
    """For each pixel of a map its y and x in [-1, 1], (B, 2, h, w)."""
    batch, _, height, width = x.shape
    y = torch.linspace(-1, 1, height, device=x.device, dtype=x.dtype).view(1, 1, height, 1)
    x_ = torch.linspace(-1, 1, width, device=x.device, dtype=x.dtype).view(1, 1, 1, width)
    return torch.cat([y.expand(batch, 1, height, width), x_.expand(batch, 1, height, width)], dim=1)


def make_gate(config: ModelConfig, channels: int, number: int) -> NoGate | Gate:
    """The gate of branch ``number`` (from 0)."""
    if config.gate == "guided":
        return Gate(channels)
    if config.gate == "anchored":
        return AnchoredGate(channels, center=(number + 0.5) / config.branches)
    return NoGate()


def stripe_rows(height: int, stripes: int, number: int) -> slice:
    """Rows of stripe ``number`` (from 0) of a map; neighbours share a row that falls between."""
    return slice(math.floor(number * height / stripes), math.ceil((number + 1) * height / stripes))


def _bottleneck(channels: int) -> nn.Sequential:
    """1x1 to C/16, 3x3, 1x1 back, each with BN, no ReLU at the end [reconstructed]."""
    inner = max(channels // 16, 1)
    body = nn.Sequential(
        nn.Conv2d(channels, inner, 1, bias=False),
        nn.BatchNorm2d(inner),
        nn.ReLU(inplace=True),
        nn.Conv2d(inner, inner, 3, padding=1, bias=False),
        nn.BatchNorm2d(inner),
        nn.ReLU(inplace=True),
        nn.Conv2d(inner, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    )
    for module in body:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(body[-1].weight)  # type: ignore[arg-type]
    return body

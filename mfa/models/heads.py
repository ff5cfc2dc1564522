"""Heads: from the trunk map to a branch's record. MFA's branches and their gates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.models.pooling import GAP, make_pooling, stripe_rows
from mfa.records import Branch


class Head(nn.Module):
    """One branch: refine the trunk map, pool it, normalise the vector, classify it.

    Used as it is for a branch that reads the trunk map unchanged. A kind of branch overrides
    ``refine`` or ``cut``.

    ``stem`` is a part of the network between the trunk map and the branch map. Several heads may
    share one: it belongs to the network, not to the head, so that its weights are saved once.
    """

    def __init__(
        self,
        width: int,
        pool: nn.Module,
        identities: int,
        *,
        neck: nn.Module | None = None,
        bias: bool = False,
        stem: nn.Module | None = None,
    ) -> None:
        """Make a head.

        Args:
            width: length of the pooled vector and of the embedding.
            pool: (B, C, h, w) to (B, width).
            identities: classes of the classifier; 0 for none.
            neck: from the pooled vector to the embedding; by default BNNeck.
            bias: whether the classifier has one.
            stem: from the trunk map to the map this head reads; by default the trunk map itself.
        """
        super().__init__()
        self.width = width
        self.pool = pool
        self.neck = nn.BatchNorm1d(width) if neck is None else neck
        self.classifier: nn.Module | None = None
        self._stem = (stem,)  # in a tuple, so that it is not registered twice
        if identities:
            self.classifier = nn.Linear(width, identities, bias=False)
            nn.init.normal_(self.classifier.weight, std=0.001)
            if bias:
                self.classifier.bias = nn.Parameter(torch.zeros(identities))

    @property
    def stem(self) -> nn.Module | None:
        """What lies between the trunk map and the map this head reads."""
        return self._stem[0]

    def forward(self, trunk: Tensor) -> Branch:
        """Trunk map (B, C, h, w) to the branch's record."""
        return self.read(self.refine(trunk))

    def refine(self, trunk: Tensor) -> Tensor:
        """The branch map from the trunk map."""
        return self.cut(trunk if self.stem is None else self.stem(trunk))

    def cut(self, x: Tensor) -> Tensor:
        """The branch map from the stem's map; all of it, unless a kind of head takes a part."""
        return x

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """Pool, BNNeck, classifier: everything from the branch map on."""
        pooled = self.pool(branch_map)
        embedding = self.neck(pooled)
        logits = None if self.classifier is None else self.classifier(embedding)
        return Branch(branch_map, pooled, embedding, logits, guide)


class LocalBranch(Head, ABC):
    """A branch of MFA: it sees the whole trunk map and is guided by one stripe of it [paper]."""

    gate: NoGate | Gate

    def __init__(self, width: int, config: ModelConfig, identities: int, number: int) -> None:
        super().__init__(width, make_pooling(config.pooling), identities)
        self.number = number
        self.stripes = config.branches
        self.guide_pooling = config.guide_pooling

    def forward(self, trunk: Tensor) -> Branch:
        """The branch's record, with the pooled vector of its stripe as guide."""
        body = self.body(trunk)
        source = self.guide_source(trunk, body)
        stripe = source[:, :, stripe_rows(source.shape[2], self.stripes, self.number)]
        guide = GAP()(stripe) if self.guide_pooling == "gap" else self.pool(stripe)
        return self.read(self.gate(trunk, body), guide)

    def refine(self, trunk: Tensor) -> Tensor:
        """The whole trunk map, refined and gated."""
        return self.gate(trunk, self.body(trunk))

    @abstractmethod
    def body(self, trunk: Tensor) -> Tensor:
        """The branch map before the gate."""

    @abstractmethod
    def guide_source(self, trunk: Tensor, body: Tensor) -> Tensor:
        """The map whose stripe is pooled into the guide, as wide as the branch map."""


class BottleneckBranch(LocalBranch):
    """ReLU(F + bottleneck(F)), times a gate where there is one [reconstructed; gate: ours].

    The last BN's scale starts at 0, so that each branch starts as the trunk map.
    """

    def __init__(self, channels: int, config: ModelConfig, identities: int, number: int) -> None:
        super().__init__(channels, config, identities, number)
        self.bottleneck = _bottleneck(channels)
        self.gate = make_gate(config, channels, number)

    def body(self, trunk: Tensor) -> Tensor:
        """The refined trunk map."""
        return torch.relu_(trunk + self.bottleneck(trunk))

    def guide_source(self, trunk: Tensor, body: Tensor) -> Tensor:
        """The trunk map."""
        return trunk


class ReducedBranch(LocalBranch):
    """1x1 convolution to fewer channels, a switch of the ablation (ours, after PCB and MGN)."""

    def __init__(self, channels: int, config: ModelConfig, identities: int, number: int) -> None:
        super().__init__(config.reduced_dim, config, identities, number)
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, config.reduced_dim, 1, bias=False),
            nn.BatchNorm2d(config.reduced_dim),
            nn.ReLU(),
        )
        self.gate = make_gate(config, channels, number)

    def body(self, trunk: Tensor) -> Tensor:
        """The reduced trunk map."""
        return self.reduce(trunk)

    def guide_source(self, trunk: Tensor, body: Tensor) -> Tensor:
        """The reduced map before the gate, so that branch and guide have the same channels."""
        return body


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
        return self.logit(self.seen(trunk))

    def seen(self, trunk: Tensor) -> Tensor:
        """What the convolution reads, (B, C + 2, h, w): the trunk map, y and x."""
        return torch.cat([trunk, coordinates(trunk)], dim=1)


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
        return super().logits(trunk) + self.bump(coordinates(trunk)[:, :1])

    def bump(self, y: Tensor) -> Tensor:
        """The bump at heights ``y`` in [-1, 1], of the same shape."""
        distance = (y + 1) / 2 - self.center
        return self.k * 2 * (torch.exp(-(distance**2) / (2 * self.SIGMA**2)) - 0.4)


class CompetingGate(AnchoredGate):
    """A gate that shares each pixel out between the branches (ours).

    n / 2 times the softmax, over the n branches, of the logits of ``AnchoredGate``: what one branch
    takes, the others lose, so that not only the activations but also the scores of the branches
    part. The gates of one pixel add up to n / 2. The learned part of a logit sees the content of
    the pixel, normalised over its channels so that it weighs as much as the position whatever the
    length of the features, and a branch can move where its stripe shows nobody. k is 1 and stays 1.
    Position is built in.
    """

    def __init__(self, channels: int, center: float) -> None:
        super().__init__(channels, center)
        # Learned, it shrank to 0.77 within an epoch of mfa-tiny's training, and half of the
        # pictures had their branches out of order: place was traded for a slightly better score.
        self.k = nn.Parameter(torch.tensor(1.0), requires_grad=False)
        self._rivals: tuple[CompetingGate, ...] = (self,)

    def compete_with(self, rivals: Sequence[CompetingGate]) -> None:
        """Share every pixel with ``rivals``, which include this gate."""
        self._rivals = tuple(rivals)  # in a tuple, so that they are not registered twice

    def forward(self, trunk: Tensor, branch_map: Tensor) -> Tensor:
        """``branch_map`` (B, C', h, w) times the gate seen in ``trunk`` (B, C, h, w)."""
        number = next(i for i, gate in enumerate(self._rivals) if gate is self)
        share = self.shares(trunk)[:, number : number + 1]
        return branch_map * (len(self._rivals) / 2 * share).to(branch_map.dtype)

    def shares(self, trunk: Tensor) -> Tensor:
        """Each rival's share of each pixel, (B, n, h, w) in float32; they add up to 1."""
        weight = torch.cat([gate.logit.weight for gate in self._rivals])
        bias = torch.cat([cast(Tensor, gate.logit.bias) for gate in self._rivals])
        seen = self.seen(trunk)
        learned = F.conv2d(seen, weight, bias)
        bumps = torch.cat([gate.bump(seen[:, -2:-1]) for gate in self._rivals], dim=1)
        return (learned + bumps).float().softmax(dim=1)

    def seen(self, trunk: Tensor) -> Tensor:
        """The trunk map, normalised over the channels of each pixel, y and x; in float32."""
        content = F.layer_norm(trunk.float().permute(0, 2, 3, 1), trunk.shape[1:2])
        return torch.cat([content.permute(0, 3, 1, 2), coordinates(trunk).float()], dim=1)


def compete(heads: Iterable[nn.Module]) -> None:
    """Let the competing gates among ``heads`` share each pixel; other gates stay as they are."""
    gates = [
        gate for head in heads if isinstance(gate := getattr(head, "gate", None), CompetingGate)
    ]
    for gate in gates:
        gate.compete_with(gates)


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
    if config.gate == "competing":
        return CompetingGate(channels, center=(number + 0.5) / config.branches)
    return NoGate()


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

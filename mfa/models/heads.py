"""Heads: from the trunk map to a branch's record. MFA's branches and their gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import Conv2dNormActivation

from mfa.config import ModelConfig
from mfa.models.pooling import GAP, Stripe, make_pooling
from mfa.models.trunk import initialise
from mfa.records import Branch


class Head(nn.Module):
    """One branch: refine the trunk map, pool it, normalise the vector, classify it.

    A branch that reads neither the whole map nor a stripe of it overrides ``cut``. Several heads
    may share a stem; it belongs to the network, not to the head, so that it is saved once.
    """

    def __init__(
        self,
        width: int,
        pool: nn.Module,
        identities: int,
        *,
        neck: nn.Module | None = None,
        projected: int = 0,
        bias: bool = False,
        stem: nn.Module | None = None,
        stripe: Stripe | None = None,
    ) -> None:
        """Make a head.

        Args:
            width: length of the pooled vector, and of the embedding unless it is projected.
            pool: (B, C, h, w) to (B, width).
            identities: classes of the classifier; 0 for none.
            neck: from the pooled vector to the embedding; by default BNNeck.
            projected: length of the embedding where a linear map follows BNNeck; 0 for no map.
            bias: whether the classifier has one.
            stem: from the trunk map to the map this head reads; by default the trunk map itself.
            stripe: what ``cut`` leaves of that map; by default all of it.
        """
        super().__init__()
        self.pooled_width = width
        self.width = projected or width
        self.stripe = stripe
        self.pool = pool
        self.neck = neck or _make_neck(width, projected)
        self.classifier: nn.Module | None = None
        self._stem = (stem,)  # in a tuple, so that it is not registered twice
        if identities:
            self.classifier = nn.Linear(self.width, identities, bias=False)
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
        """The branch map from the stem's map."""
        return x if self.stripe is None else self.stripe.only(x)

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """Pool, BNNeck, classifier: everything from the branch map on."""
        pooled = self.pool(branch_map)
        embedding = self.neck(pooled)
        logits = None if self.classifier is None else self.classifier(embedding)
        return Branch(branch_map, pooled, embedding, logits, guide)


class LocalBranch(Head):
    """A branch of MFA: it sees the whole trunk map F and is guided by one stripe of it [paper].

    Its map is ReLU(F + bottleneck(F)) [reconstructed]. The last BN's scale starts at 0, so that
    each branch starts as the trunk map. A switch of the ablation puts a 1x1 convolution to fewer
    channels in its place (ours, after PCB and MGN). Either is multiplied by a gate where there is
    one (ours).
    """

    stripe: Stripe
    bottleneck: nn.Sequential
    reduce: nn.Sequential

    def __init__(self, channels: int, config: ModelConfig, identities: int, number: int) -> None:
        reduced = config.branch == "reduce"
        width = config.reduced_dim if reduced else channels
        stripe = Stripe(config.branches, number)
        pool, projected = make_pooling(config.pooling), config.projected_dim
        super().__init__(width, pool, identities, projected=projected, stripe=stripe)
        self.reduced = reduced
        self.guide_pooling = config.guide_pooling
        if self.reduced:
            self.reduce = Conv2dNormActivation(channels, width, 1)
        else:
            self.bottleneck = _bottleneck(channels)
        self.gate = make_gate(config, channels, number)

    def forward(self, trunk: Tensor) -> Branch:
        """The branch's record, with the pooled vector of its stripe as guide."""
        body = self.body(trunk)
        source = body if self.reduced else trunk  # the guide has the channels of the branch map
        stripe = source[:, :, self.stripe.rows(source.shape[2])]
        guide = GAP()(stripe) if self.guide_pooling == "gap" else self.pool(stripe)
        return self.read(self._gated(trunk, body), guide)

    def refine(self, trunk: Tensor) -> Tensor:
        """The whole trunk map, refined and gated."""
        return self._gated(trunk, self.body(trunk))

    def body(self, trunk: Tensor) -> Tensor:
        """The branch map before the gate."""
        return self.reduce(trunk) if self.reduced else torch.relu_(trunk + self.bottleneck(trunk))

    def _gated(self, trunk: Tensor, body: Tensor) -> Tensor:
        return body if self.gate is None else self.gate(trunk, body)


class ProjectedNeck(nn.BatchNorm1d):
    """BNNeck, then a linear map to fewer numbers (ours); see ``mfa.training.projection``.

    A kind of BNNeck, so that its weights keep their names whether or not a map follows.
    """

    def __init__(self, width: int, projected: int) -> None:
        super().__init__(width)
        self.projection = nn.Linear(width, projected)

    def forward(self, input: Tensor) -> Tensor:
        """(B, width) to (B, projected)."""
        return cast(Tensor, self.projection(super().forward(input)))


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
        number = self._rivals.index(self)
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
    gates = [head.gate for head in heads if isinstance(head, LocalBranch)]
    competing = [gate for gate in gates if isinstance(gate, CompetingGate)]
    for gate in competing:
        gate.compete_with(competing)


def coordinates(x: Tensor) -> Tensor:
    """For each pixel of a map its y and x in [-1, 1], (B, 2, h, w)."""
    batch, _, height, width = x.shape
    y = torch.linspace(-1, 1, height, device=x.device, dtype=x.dtype).view(1, 1, height, 1)
    x_ = torch.linspace(-1, 1, width, device=x.device, dtype=x.dtype).view(1, 1, 1, width)
    return torch.cat([y.expand(batch, 1, height, width), x_.expand(batch, 1, height, width)], dim=1)


def make_gate(config: ModelConfig, channels: int, number: int) -> Gate | None:
    """The gate of branch ``number`` (from 0)."""
    if config.gate == "none":
        return None
    if config.gate == "guided":
        return Gate(channels)
    kind = AnchoredGate if config.gate == "anchored" else CompetingGate
    return kind(channels, center=(number + 0.5) / config.branches)


def _make_neck(width: int, projected: int) -> nn.BatchNorm1d:
    return ProjectedNeck(width, projected) if projected else nn.BatchNorm1d(width)


def _bottleneck(channels: int) -> nn.Sequential:
    """1x1 to C/16, 3x3, 1x1 back, each with BN, no ReLU at the end [reconstructed]."""
    inner = channels // 16
    body = nn.Sequential(
        *Conv2dNormActivation(channels, inner, 1),
        *Conv2dNormActivation(inner, inner, 3),
        *Conv2dNormActivation(inner, channels, 1, activation_layer=None),
    )
    initialise(body)
    nn.init.zeros_(body[-1].weight)  # type: ignore[arg-type]
    return body

"""What a compared method is here: a network with named heads, its recipe, its published size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.backbones import LAYERS, Trunk
from mfa.models.heads import Head
from mfa.models.network import ReidNetwork
from mfa.models.pooling import GAP
from mfa.models.weights import load_trunk_weights
from mfa.records import Branch, Output


class Build(Protocol):
    """How a method's network is made."""

    def __call__(self, config: ModelConfig, identities: int, *, pretrained: bool) -> PeerNetwork:
        """The network, with ``config.weights`` loaded where ``pretrained``."""


@dataclass(frozen=True)
class Peer:
    """A compared method.

    Attributes:
        make: builds its network.
        paper: where it was published.
        recipe: fields of ``Config`` by dotted name that its paper sets otherwise than BagTricks,
            whatever the budget (losses, pooling); what cannot be set is told in its file.
        full: further fields at the size of its paper (input, trunk).
        parameters_m: published parameters in millions, where a source states them.
        source: of that figure.
        counted: what the figure counts that ours does not, or the reverse; one sentence.
    """

    make: Build
    paper: str
    recipe: Mapping[str, object] = field(default_factory=dict)
    full: Mapping[str, object] = field(default_factory=dict)
    parameters_m: float | None = None
    source: str = ""
    counted: str = ""


class PeerHead(Head):
    """A head whose pooling, neck and classifier are the method's own.

    ``stem`` is a part of the network between the trunk map and the branch map; several heads may
    share one. It belongs to the network, not to the head, so that its weights are saved once.
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
        """A head.

        Args:
            width: length of the pooled vector and of the embedding.
            pool: (B, C, h, w) to (B, width).
            identities: classes; 0 for none.
            neck: between pooled vector and embedding; by default BNNeck.
            bias: of the classifier.
            stem: trunk map to the map this head reads; by default the trunk map itself.
        """
        super().__init__(width, cast(GAP, pool), identities)
        self._width = width
        self._stem = (stem,)  # in a tuple, so that it is not registered twice
        if neck is not None:
            self.neck = cast(nn.BatchNorm1d, neck)
        if bias and self.classifier is not None:
            self.classifier.bias = nn.Parameter(torch.zeros(identities))

    @property
    def width(self) -> int:
        """Length of the pooled vector and the embedding."""
        return self._width

    @property
    def stem(self) -> nn.Module | None:
        """What lies between the trunk map and the map this head reads."""
        return self._stem[0]

    def refine(self, trunk: Tensor) -> Tensor:
        """The branch map from the trunk map."""
        return self.cut(trunk if self.stem is None else self.stem(trunk))

    def cut(self, x: Tensor) -> Tensor:
        """The branch map from the stem's map; all of it, unless a kind of head takes a part."""
        return x


class PeerNetwork(ReidNetwork):
    """A trunk and named heads, as MFA has them, without guides.

    A method with losses of its own overrides ``extra_losses`` and sets ``own_losses``; training
    such a network without asking for them is refused, since it would be another method.
    """

    own_losses = False

    def __init__(
        self,
        trunk: nn.Module,
        heads: Mapping[str, Head],
        *,
        layers: tuple[str, ...] = LAYERS,
        stripes: Mapping[str, tuple[float, float]] | None = None,
        stems: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """A network.

        Args:
            trunk: images to the trunk map; with ``up_to`` and ``after`` for ``layers``.
            heads: by name, in descriptor order.
            layers: names of the trunk's maps that can be explained.
            stripes: (top, bottom) in shares of the height of the heads that see a stripe.
            stems: what lies between trunk and heads, by name.
        """
        super().__init__(cast(Trunk, trunk), heads, guide_pooling="gap")
        self.layers = layers
        self.stripes = dict(stripes or {})
        self.stems = nn.ModuleDict(stems or {})
        self._unasked = 0

    def forward(self, images: Tensor, cameras: Tensor | None = None) -> Output:
        """As ``ReidNetwork.forward``.

        Raises:
            InputError: a training goes on that leaves this method's own losses out.
        """
        if self.own_losses and self.training and torch.is_grad_enabled():
            self._unasked += 1
            if self._unasked > 2:
                raise InputError(
                    f"{type(self).__name__} has losses of its own and this training does not add "
                    "them: after each forward pass add the terms of network.extra_losses(output, "
                    "labels) to the loss"
                )
        return super().forward(images, cameras)

    def read_trunk(self, trunk: Tensor) -> Output:
        """Everything from the trunk map on; a stem that heads share is run once."""
        maps: dict[int, Tensor] = {}
        branches: dict[str, Branch] = {}
        for name, head in self.named_heads():
            if not isinstance(head, PeerHead) or head.stem is None:
                branches[name] = head(trunk)
                continue
            key = id(head.stem)
            if key not in maps:
                maps[key] = head.stem(trunk)
            branches[name] = head.read(head.cut(maps[key]))
        whole = torch.cat([branch.embedding for branch in branches.values()], dim=1)
        return Output(trunk, branches, F.normalize(whole, dim=1))

    def extra_losses(self, output: Output, labels: Tensor) -> dict[str, Tensor]:
        """Terms of the method beside identity, pairs and centers, weighted, by name.

        Args:
            output: of this network in train mode.
            labels: (B,) positions of the identities.
        """
        self._unasked = 0
        return {}


def resnet(config: ModelConfig, *, pretrained: bool) -> Trunk:
    """The ResNet of ``config`` without CPAA, with its weights where ``pretrained``.

    Raises:
        InputError: the weights cannot be had or do not fit.
    """
    plain = replace(config, cpaa=())
    trunk = Trunk(plain)
    if pretrained:
        load_trunk_weights(trunk, plain)
    return trunk


def refuse_weights(config: ModelConfig, *, pretrained: bool) -> None:
    """For a method whose trunk no weights are known for.

    Raises:
        InputError: the configuration names some.
    """
    if pretrained and config.weights != "none":
        raise InputError(
            f"{config.network} has a trunk of its own that {config.weights!r} does not fit; set "
            "model.weights to none, and use `mfa import-weights` for its published weights"
        )

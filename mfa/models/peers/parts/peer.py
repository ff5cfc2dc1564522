"""What a compared method is here: a network with named heads, its recipe, its published size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.backbones import RESNETS, STRIDES, ResNet
from mfa.models.heads import Head
from mfa.models.network import ReidNetwork
from mfa.models.pooling import Projected, Stripe, make_pooling
from mfa.models.trunk import LAYERS, Trunk
from mfa.models.weights import load_trunk_weights
from mfa.records import Output

RESNET = frozenset({"width", "weights", "ibn"})
"""Fields of ``ModelConfig`` that a ResNet trunk reads beside its name and ``stride``."""


@dataclass(frozen=True)
class Peer:
    """A compared method.

    Attributes:
        make: builds its network of a configuration and a number of identities, with
            ``config.weights`` in its trunk.
        paper: where it was published.
        recipe: fields of ``Config``, by dotted name, that its paper sets differently from
            BagTricks whatever the budget (losses, pooling).
        full: further fields at the size of its paper (input size, trunk).
        reads: fields of ``ModelConfig`` that it reads, see ``mfa.models.settings``.
        trunks, strides: what ``model.trunk`` and ``model.stride`` may be.
        in_place_of: the trunk that stands in for a preset's trunk, where it has none of those.
        unlike: for a method that lacks a part of its paper, one sentence why. Its name ends in
            ``_like``, and tables that compare methods leave it out unless it is asked for.
        parameters_m: published parameters in millions, where a source states them.
        source: source of that figure.
        counted: one sentence: what the figure counts that ours does not, or the reverse.
    """

    make: Callable[[ModelConfig, int], PeerNetwork]
    paper: str
    recipe: Mapping[str, object] = field(default_factory=dict)
    full: Mapping[str, object] = field(default_factory=dict)
    reads: frozenset[str] = RESNET
    trunks: tuple[str, ...] = RESNETS
    strides: tuple[int, ...] = tuple(STRIDES)
    in_place_of: Mapping[str, str] = field(default_factory=dict)
    unlike: str = ""
    parameters_m: float | None = None
    source: str = ""
    counted: str = ""

    def trunk(self, name: str) -> str:
        """The trunk of this method at the budget of a preset whose trunk is ``name``."""
        return name if name in self.trunks else self.in_place_of.get(name, self.trunks[0])


class PeerNetwork(ReidNetwork):
    """A compared method: its trunk, its heads, and what lies between them.

    A method with losses of its own overrides ``own_terms``. Training such a network without them
    is refused, since the result would be another method.
    """

    def __init__(
        self,
        trunk: Trunk,
        heads: Mapping[str, Head],
        *,
        layers: tuple[str, ...] = LAYERS,
        stems: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """As ``ReidNetwork``; ``stems`` are what lies between trunk and heads, by name."""
        super().__init__(trunk, heads, layers=layers)
        self.stems = nn.ModuleDict(stems or {})
        self._unasked = 0

    def forward(self, images: Tensor, cameras: Tensor | None = None) -> Output:
        """As ``ReidNetwork.forward``."""
        if self.has_own_terms and self.training and torch.is_grad_enabled():
            self._unasked += 1
            if self._unasked > 2:
                raise InputError(
                    f"{type(self).__name__} has losses of its own and this training does not add "
                    "them",
                    "after each forward pass add the terms of network.extra_losses(output, labels) "
                    "to the loss",
                )
        return super().forward(images, cameras)

    @property
    def has_own_terms(self) -> bool:
        """Whether the method has losses of its own."""
        return type(self).own_terms is not PeerNetwork.own_terms

    def extra_losses(self, output: Output, labels: Tensor) -> dict[str, Tensor]:
        """As ``ReidNetwork.extra_losses``; in float32 under autocast too."""
        self._unasked = 0
        with torch.autocast(output.trunk.device.type, enabled=False):
            return self.own_terms(output, output.trunk.float(), labels)

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """As ``extra_losses``, with the trunk map in float32."""
        return {}


def resnet(config: ModelConfig) -> ResNet:
    """The ResNet of ``config`` with its weights."""
    trunk = ResNet(config)
    load_trunk_weights(trunk, config)
    return trunk


def global_head(trunk: Trunk, config: ModelConfig, identities: int) -> dict[str, Head]:
    """The one head of a method like BagTricks, with the pooling of ``config``."""
    return {"global": Head(trunk.channels, make_pooling(config.pooling), identities)}


def projected_head(
    pool: nn.Module,
    layers: nn.Sequential,
    identities: int,
    *,
    stem: nn.Module | None = None,
    stripe: Stripe | None = None,
) -> Head:
    """A head whose descriptor is what ``reduction`` makes of the pooled vector, without BNNeck."""
    linear, neck = layers[0], nn.Identity()
    assert isinstance(linear, nn.Linear)
    width, pool = linear.out_features, Projected(pool, layers)
    return Head(width, pool, identities, neck=neck, bias=True, stem=stem, stripe=stripe)

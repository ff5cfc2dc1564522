"""What a compared method is here: a network with named heads, its recipe, its published size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.backbones import LAYERS, RESNETS, ResNet
from mfa.models.heads import Head
from mfa.models.network import ReidNetwork
from mfa.models.trunk import Trunk
from mfa.models.weights import load_trunk_weights
from mfa.records import Output

RESNET = frozenset({"stride", "weights", "ibn"})
"""Fields of ``ModelConfig`` that a ResNet trunk reads beside the common ones."""


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
        recipe: fields of ``Config``, by dotted name, that its paper sets differently from
            BagTricks whatever the budget (losses, pooling).
        full: further fields at the size of its paper (input size, trunk).
        reads: fields of ``ModelConfig`` that it reads beside the common ones; any other is refused
            unless it stands at its silent value, see ``mfa.models.settings``.
        trunks: what ``model.trunk`` may be.
        in_place_of: the trunk that stands in for a preset's trunk, where it has none of those.
        unlike: for a method that lacks a part of its paper, one sentence why. Its name ends in
            ``_like``, and tables that compare methods leave it out unless it is asked for.
        parameters_m: published parameters in millions, where a source states them.
        source: source of that figure.
        counted: one sentence: what the figure counts that ours does not, or the reverse.
    """

    make: Build
    paper: str
    recipe: Mapping[str, object] = field(default_factory=dict)
    full: Mapping[str, object] = field(default_factory=dict)
    reads: frozenset[str] = RESNET
    trunks: tuple[str, ...] = RESNETS
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
        stripes: Mapping[str, tuple[float, float]] | None = None,
        stems: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """Make a network.

        Args:
            trunk: images to the trunk map.
            heads: branches by name, in descriptor order.
            layers: names of the trunk's maps that can be explained.
            stripes: (top, bottom) in shares of the height of the heads that see a stripe.
            stems: what lies between trunk and heads, by name.
        """
        super().__init__(trunk, heads, layers=layers, stripes=stripes)
        self.stems = nn.ModuleDict(stems or {})
        self._unasked = 0

    def forward(self, images: Tensor, cameras: Tensor | None = None) -> Output:
        """As ``ReidNetwork.forward``.

        Raises:
            InputError: a training goes on that leaves this method's own losses out.
        """
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
        """The method's own loss terms, weighted, by name.

        Args:
            output: of this network in train mode.
            trunk: its trunk map in float32.
            labels: (B,) int64, positions of the identities.
        """
        return {}


def resnet(config: ModelConfig, *, pretrained: bool) -> ResNet:
    """The ResNet of ``config`` without CPAA, with its weights where ``pretrained``.

    Raises:
        InputError: the weights cannot be had or do not fit.
    """
    plain = replace(config, cpaa=())
    trunk = ResNet(plain)
    if pretrained:
        load_trunk_weights(trunk, plain)
    return trunk

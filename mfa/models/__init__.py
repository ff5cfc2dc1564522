"""The networks: ``build_model`` makes one from its configuration."""

from __future__ import annotations

from collections.abc import Sequence

from mfa.config import ModelConfig
from mfa.models.backbones import Trunk
from mfa.models.heads import Head, LocalBranch, ReducedBranch
from mfa.models.network import ReidNetwork
from mfa.models.peers import find
from mfa.models.pooling import make_pooling
from mfa.models.weights import load_trunk_weights

__all__ = ["ReidNetwork", "build_model"]


def build_model(
    config: ModelConfig,
    identities: int = 0,
    *,
    cameras: Sequence[int] = (),
    pretrained: bool = True,
) -> ReidNetwork:
    """The network of ``config``.

    Args:
        config: trunk, CPAA, branches; or a compared method by its name.
        identities: classes of each branch's classifier; 0 builds none.
        cameras: sorted numbers of the training cameras, for ``config.sie``; none builds none.
        pretrained: load ``config.weights`` into the trunk; ``False`` where a checkpoint follows.

    Raises:
        InputError: no such network, it cannot be told of cameras, or the weights cannot be had or
            do not fit.
    """
    network = _network(config, identities, pretrained)
    if config.sie and cameras:
        network.learn_cameras(cameras)
    return network


def _network(config: ModelConfig, identities: int, pretrained: bool) -> ReidNetwork:
    if config.network != "mfa":
        return find(config.network).make(config, identities, pretrained=pretrained)
    trunk = Trunk(config)
    kind = LocalBranch if config.branch == "bottleneck" else ReducedBranch
    heads: dict[str, Head] = {
        f"branch{i + 1}": kind(trunk.channels, config, identities, i)
        for i in range(config.branches)
    } or {"global": Head(trunk.channels, make_pooling(config.pooling), identities)}
    if pretrained:
        load_trunk_weights(trunk, config)
    return ReidNetwork(trunk, heads, guide_pooling=config.guide_pooling)

"""MFA, its baseline and its ablations."""

from __future__ import annotations

from mfa.config import ModelConfig
from mfa.models.heads import BottleneckBranch, Head, ReducedBranch, compete
from mfa.models.network import ReidNetwork
from mfa.models.pooling import make_pooling
from mfa.models.trunks import make_trunk
from mfa.models.weights import load_trunk_weights


class MFA(ReidNetwork):
    """A trunk with CPAA and local branches [paper]; one global branch where there are none."""

    def __init__(self, config: ModelConfig, identities: int) -> None:
        trunk = make_trunk(config)
        kind = BottleneckBranch if config.branch == "bottleneck" else ReducedBranch
        count = config.branches
        heads: dict[str, Head] = {
            f"branch{i + 1}": kind(trunk.channels, config, identities, i) for i in range(count)
        }
        compete(heads.values())
        stripes = {name: (i / count, (i + 1) / count) for i, name in enumerate(heads)}
        if not heads:
            heads = {"global": Head(trunk.channels, make_pooling(config.pooling), identities)}
        super().__init__(trunk, heads, stripes=stripes)


def make(config: ModelConfig, identities: int, *, pretrained: bool) -> MFA:
    """The network, with ``config.weights`` in its trunk where ``pretrained``."""
    network = MFA(config, identities)
    if pretrained:
        load_trunk_weights(network.trunk, config)
    return network


def reads(config: ModelConfig) -> frozenset[str]:
    """The fields of ``config`` that the network reads; some of them only because of others."""
    fields = {"stride", "weights", "ibn", "cpaa", "branches", "pooling"}
    if config.cpaa:
        fields.add("cpaa_affinity")
    if config.branches:
        fields |= {"branch", "gate", "guide_pooling"}
        if config.branch == "reduce":
            fields.add("reduced_dim")
    return frozenset(fields)

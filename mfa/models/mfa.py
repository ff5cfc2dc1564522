"""MFA, its baseline and its ablations."""

from __future__ import annotations

from mfa.config import ModelConfig
from mfa.models.backbones import RESNETS
from mfa.models.heads import Head, LocalBranch, compete
from mfa.models.network import ReidNetwork
from mfa.models.pooling import make_pooling
from mfa.models.trunks import TRUNKS
from mfa.models.weights import load_trunk_weights


class MFA(ReidNetwork):
    """A trunk with CPAA and local branches [paper]; one global branch where there are none."""

    def __init__(self, config: ModelConfig, identities: int) -> None:
        trunk = TRUNKS[config.trunk](config)
        heads: dict[str, Head] = {
            f"branch{i + 1}": LocalBranch(trunk.channels, config, identities, i)
            for i in range(config.branches)
        }
        compete(heads.values())
        if not heads:
            heads = {"global": Head(trunk.channels, make_pooling(config.pooling), identities)}
        super().__init__(trunk, heads)
        load_trunk_weights(trunk, config)


def reads(config: ModelConfig) -> frozenset[str]:
    """The fields of ``config`` that the network reads; some of them only because of others."""
    fields = {"weights", "cpaa", "branches", "pooling"}
    if config.trunk in RESNETS:
        fields |= {"width", "ibn"}
    if config.cpaa:
        fields.add("cpaa_affinity")
    if config.branches:
        fields |= {"branch", "gate", "guide_pooling", "projected_dim"}
        if config.branch == "reduce":
            fields.add("reduced_dim")
    return frozenset(fields)

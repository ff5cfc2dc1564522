"""Every trunk of MFA by its name in ``ModelConfig.trunk``."""

from __future__ import annotations

from mfa.config import ModelConfig
from mfa.models.backbones import RESNETS, ResNet
from mfa.models.mobile import EfficientNetTrunk, MobileNetTrunk
from mfa.models.omni_scale import OmniScaleTrunk
from mfa.models.trunk import Trunk

TRUNKS = (*RESNETS, "osnet_lct", "efficientnet_lite0", "mobilenet_v2")
"""Names of MFA's trunks, as ``ModelConfig.trunk`` takes them."""


def make_trunk(config: ModelConfig) -> Trunk:
    """Build the trunk of ``config`` with random weights.

    Raises:
        InputError: a setting does not suit the trunk, or a package that defines it is missing.
    """
    if config.trunk == "osnet_lct":
        return OmniScaleTrunk(config)
    if config.trunk == "efficientnet_lite0":
        return EfficientNetTrunk(config)
    if config.trunk == "mobilenet_v2":
        return MobileNetTrunk(config)
    return ResNet(config)

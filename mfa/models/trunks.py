"""Every trunk of MFA by its name in ``ModelConfig.trunk``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mfa.config import ModelConfig
from mfa.models.backbones import RESNETS, ResNet
from mfa.models.mobile import efficientnet, mobilenet
from mfa.models.omni_scale import OmniScaleTrunk
from mfa.models.trunk import Trunk

TRUNKS: Mapping[str, Callable[[ModelConfig], Trunk]] = {
    **dict.fromkeys(RESNETS, ResNet),
    "osnet_lct": OmniScaleTrunk,
    "efficientnet_lite0": efficientnet,
    "mobilenet_v2": mobilenet,
}
"""What builds each of MFA's trunks, with random weights."""

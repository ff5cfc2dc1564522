"""The networks: ``build_model`` makes one from its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mfa.config import Config, ModelConfig
from mfa.errors import InputError
from mfa.models import mfa as own
from mfa.models.backbones import RESNETS
from mfa.models.network import ReidNetwork
from mfa.models.peers import find
from mfa.models.settings import refuse_unread
from mfa.models.trunks import TRUNKS

__all__ = ["ReidNetwork", "build_model", "check_settings"]


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
        InputError: no such network, a setting that it does not read, or weights that cannot be had
            or do not fit.
    """
    _check_model(config)
    make = own.MFA if config.network == "mfa" else find(config.network).make
    network = make(config if pretrained else replace(config, weights="none"), identities)
    if config.sie and cameras:
        network.learn_cameras(cameras)
    return network


def check_settings(config: Config) -> None:
    """Refuse a configuration with settings that its network would ignore."""
    _check_model(config.model)
    network, gla = config.model.network, config.loss.gla
    if gla != "off" and (network != "mfa" or config.model.branches == 0):
        raise InputError(
            f"loss.gla is {gla!r}, but {network} as configured has no local branches to guide",
            "set loss.gla to off, or model.branches to 1 or more where the network is mfa",
        )


def _check_model(config: ModelConfig) -> None:
    if config.network == "mfa":
        strides = (8, 16, 32) if config.trunk in RESNETS else (8, 16)
        refuse_unread(config, own.reads(config), tuple(TRUNKS), strides)
    else:
        peer = find(config.network)
        refuse_unread(config, peer.reads, peer.trunks, peer.strides)

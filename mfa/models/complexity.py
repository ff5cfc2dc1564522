"""How big a network is and how much work one picture takes, counted rather than timed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mfa.config import Config
from mfa.errors import InputError
from mfa.models import build_model

MARKET_IDENTITIES = 751
"""Identities in Market-1501's training list, the usual size of a published classifier."""


@dataclass(frozen=True)
class Complexity:
    """Size and work of a network.

    Attributes:
        parameters: without classifiers, which retrieval does not use. Centers are buffers of the
            loss and count nowhere.
        parameters_train: with the classifiers of all branches.
        macs: multiply-adds of convolutions and matrix products from one picture to its
            descriptor, without classifiers; normalisation, activations and pooling do not count.
        descriptor_dim: length of the descriptor.
    """

    parameters: int
    parameters_train: int
    macs: int
    descriptor_dim: int


def complexity(config: Config, identities: int = MARKET_IDENTITIES) -> Complexity:
    """Count the network of ``config`` at its own input size.

    No weights are read or drawn: the network is built on torch's ``meta`` device, and one empty
    picture goes through it.

    Args:
        config: the run; its ``data.height`` x ``data.width`` is the input.
        identities: classes of each branch's classifier.

    Raises:
        InputError: ``identities`` is below 1.
    """
    if identities < 1:
        raise InputError(f"identities must be 1 or more, got {identities}")
    with torch.device("meta"):
        network = build_model(config.model, pretrained=False).eval()
        training = build_model(config.model, identities, pretrained=False)
    # The pass itself runs on the CPU: autocast, which the network uses, refuses ``meta``.
    network.to_empty(device="cpu")
    picture = torch.zeros(1, 3, config.data.height, config.data.width)
    return Complexity(
        parameters=count_parameters(network),
        parameters_train=count_parameters(training),
        macs=count_macs(network, picture),
        descriptor_dim=sum(network.widths.values()),
    )


def count_parameters(module: nn.Module) -> int:
    """Numbers in all parameters; a shared one counts once, buffers do not count."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def count_macs(module: nn.Module, batch: torch.Tensor) -> int:
    """Multiply-adds of ``module(batch)``; torch counts two operations for each."""
    with FlopCounterMode(display=False) as counter:
        module(batch)
    return int(counter.get_total_flops()) // 2

"""How big a network is and how much work one picture takes, counted rather than timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

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
    """Count the network of ``config`` at its input size, with classifiers of ``identities``.

    No weights are read or drawn: the network is built on torch's ``meta`` device, and one empty
    picture goes through it.

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
    """Multiply-adds of ``module(batch)``."""
    with counted_products() as macs:
        module(batch)
    return macs.total()


@contextmanager
def counted_products() -> Iterator[Counter[torch.dtype]]:
    """Count convolutions and matrix products instead of computing them: their results are 0.

    Fused attention counts as its two plain products; versions of PyTorch differ in what they count
    of it. Yields the multiply-adds by number format, which grow as the block computes.
    """
    with _PlainAttention(), _Products() as products:
        yield products.macs


class _PlainAttention(TorchFunctionMode):
    """Attention by its two products, without the softmax, whose values no count depends on."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = args
        return query @ key.transpose(-2, -1) @ value


class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Gives zeros of the right shape in the place of a product."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs: Counter[torch.dtype] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        operations = flop_registry.get(func.overloadpacket)
        if operations is None:
            return func(*args, **kwargs)
        shapes = [arg.to("meta") if isinstance(arg, torch.Tensor) else arg for arg in args]
        made = func(*shapes, **kwargs)
        self.macs[args[0].dtype] += operations(*args, **kwargs, out_val=made) // 2
        return torch.zeros_like(made, device=args[0].device)

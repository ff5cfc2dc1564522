"""How long a training would take on a GPU that nobody has at hand: operations over peak rates."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mfa.config import Config
from mfa.models import build_model
from mfa.models.complexity import MARKET_IDENTITIES, counted_products

MARKET_PICTURES = 12_936
"""Pictures in Market-1501's training list; an epoch sees each about once."""

PASSES = 3
"""A step's operations in forward passes: the backward pass takes two products for each of the
forward pass, one for the gradient of each factor."""


@dataclass(frozen=True)
class Gpu:
    """The maker's peak rates of a card, in operations per second.

    Attributes:
        name: as the maker calls it.
        half: products of dense 16-bit matrices, summed in float32.
        single: float32 without TF32, PyTorch's default for matrix products.
        source: where the maker states them.
    """

    name: str
    half: float
    single: float
    source: str


GPUS = {
    "t4": Gpu("NVIDIA T4", 65e12, 8.1e12, "NVIDIA T4 Tensor Core GPU datasheet"),
    "v100": Gpu("NVIDIA V100 SXM2", 125e12, 15.7e12, "NVIDIA Tesla V100 datasheet"),
    "a100": Gpu("NVIDIA A100", 312e12, 19.5e12, "NVIDIA A100 Tensor Core GPU datasheet"),
    "l4": Gpu("NVIDIA L4", 121e12, 30.3e12, "NVIDIA L4 datasheet, without its sparsity factor 2"),
    "h100": Gpu(
        "NVIDIA H100 SXM", 989.5e12, 67e12, "NVIDIA H100 datasheet, without its sparsity factor 2"
    ),
    "rtx4090": Gpu("GeForce RTX 4090", 165.2e12, 82.6e12, "NVIDIA Ada GPU architecture whitepaper"),
}
"""Cards by the name to ask for."""


@dataclass(frozen=True)
class TrainingTime:
    """What a training costs a GPU.

    Attributes:
        gpu: the card, as its maker calls it.
        source: where its peak rates stand.
        operations_half: of 16-bit products for one picture; a multiply-add is two operations.
        operations_single: of float32 products for one picture: those of CPAA whose sums 16 bits
            do not hold.
        pictures: seen in the whole training.
        hours_at_peak: all products at the peak rates. No training is as fast.
    """

    gpu: str
    source: str
    operations_half: int
    operations_single: int
    pictures: int
    hours_at_peak: float


def training_time(
    config: Config,
    gpu: Gpu,
    *,
    identities: int = MARKET_IDENTITIES,
    pictures: int = MARKET_PICTURES,
) -> TrainingTime:
    """Count a training in mixed precision; convolutions and matrix products alone count.

    No weights are read or drawn, and no product is computed; see ``counted_products``.
    """
    with torch.device("meta"):
        network = build_model(config.model, identities, pretrained=False)
    network.to_empty(device="cpu").train()
    batch = torch.zeros(2, 3, config.data.height, config.data.width)  # train mode takes two
    with torch.autocast("cpu", torch.bfloat16), counted_products() as macs:
        network(batch)
    half, single = (
        2 * PASSES * macs[kind] // len(batch) for kind in (torch.bfloat16, torch.float32)
    )
    seen = pictures * config.optim.epochs
    seconds = seen * (half / gpu.half + single / gpu.single)
    return TrainingTime(gpu.name, gpu.source, half, single, seen, seconds / 3600)

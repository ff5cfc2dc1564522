"""Optimiser and learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from mfa.config import OptimConfig
from mfa.errors import InputError

WARMUP_START = 0.01
"""Share of the peak rate where warm-up begins [reconstructed: BagTricks]."""


def make_optimizer(
    model: nn.Module, config: OptimConfig, trunk: str = "trunk.", *, fused: bool = False
) -> Optimizer:
    """Adam or AdamW; scalars, biases and normalisation are not decayed.

    Decay pulls towards 0, which is where an attention scalar starts and where a GeM exponent or a
    BN scale must not go. Parameters whose names begin with ``trunk``, but for those of CPAA, learn
    at ``config.trunk_rate`` times the rate. Frozen parameters are in no group. ``fused`` updates
    all of a group in one operation, which spares a GPU hundreds of small ones.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            slow = name.startswith(trunk) and ".cpaa." not in name and config.trunk_rate != 1
            groups.setdefault((slow, parameter.ndim <= 1), []).append(parameter)
    settings = [
        {
            "params": groups[slow, scalar],
            "weight_decay": 0.0 if scalar else config.weight_decay,
            "factor": config.trunk_rate if slow else 1.0,
        }
        for slow, scalar in sorted(groups)
    ]
    kind = Adam if config.optimizer == "adam" else AdamW
    return kind(settings, lr=config.lr, fused=fused or None)  # None is PyTorch's own choice


def freeze(model: nn.Module, beginnings: tuple[str, ...]) -> None:
    """Stop the parameters of ``model`` from learning whose names begin so."""
    for beginning in beginnings:
        parts = [p for name, p in model.named_parameters() if name.startswith(beginning)]
        if not parts:
            raise InputError(f"optim.frozen: no parameter of the network begins with {beginning!r}")
        for parameter in parts:
            parameter.requires_grad_(False)


def learning_rate(config: OptimConfig, epoch: float) -> float:
    """The rate after ``epoch`` epochs, a fraction within an epoch.

    Linear warm-up, then either x0.1 after each milestone or a cosine to 0 at the last epoch.
    """
    if epoch < config.warmup_epochs:
        share = epoch / config.warmup_epochs
        return config.lr * (WARMUP_START + (1 - WARMUP_START) * share)
    if config.schedule == "step":
        return config.lr * 0.1 ** sum(epoch >= m for m in config.milestones)
    span = max(config.epochs - config.warmup_epochs, 1e-9)
    share = min((epoch - config.warmup_epochs) / span, 1.0)
    return config.lr * 0.5 * (1 + math.cos(math.pi * share))


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give every parameter group the rate, times the group's own factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def half_precision(config: OptimConfig, device: torch.device) -> torch.dtype | None:
    """The 16-bit type a step computes in, or none; float16 is for GPUs alone."""
    if device.type == "cuda":
        half = torch.bfloat16 if config.gpu_bfloat16 else torch.float16
        return half if config.amp else None
    return torch.bfloat16 if config.cpu_bfloat16 else None

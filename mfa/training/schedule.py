"""Optimiser and learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim import Adam, AdamW, Optimizer

from mfa.config import OptimConfig

WARMUP_START = 0.01
"""Share of the peak rate where warm-up begins [reconstructed: BagTricks]."""


def make_optimizer(model: nn.Module, config: OptimConfig) -> Optimizer:
    """Adam or AdamW; scalars, biases and normalisation are not decayed.

    Decay pulls towards 0, which is where an attention scalar starts and where a GeM exponent or a
    BN scale must not go.
    """
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    kind = Adam if config.optimizer == "adam" else AdamW
    return kind(groups, lr=config.lr)


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
    """Give every parameter group the same rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def half_precision(config: OptimConfig, device: torch.device) -> torch.dtype | None:
    """The half-precision type a step computes in: float16 on GPUs, bfloat16 on CPUs, or none."""
    if device.type == "cuda":
        return torch.float16 if config.amp else None
    return torch.bfloat16 if config.cpu_bfloat16 else None


def make_scaler(*, enabled: bool) -> torch.amp.GradScaler:
    """Loss scaling for float16; does nothing when not enabled."""
    return torch.amp.GradScaler("cuda", enabled=enabled)

"""Inference of MFA, its variants and the compared methods, on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
from torch import nn
from torchvision.models import resnet50

from benchmarks.compared import chosen, compared, memory_bytes
from benchmarks.timing import finish, ratio, seconds_each
from mfa import presets
from mfa.models import build_model
from mfa.runs.device import choose_device

TARGETS = {"mfa_relative_rate": (">=", 0.55), "mfa_memory_gib_64": ("<=", 1.2)}


def run(
    repeats: int = 5,
    batch: int = 8,
    height: int = 256,
    width: int = 128,
    large: int = 64,
    networks: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Time forward passes in eval mode, random weights, float32, channels last.

    The plain network is torchvision's own, total stride 32, without its classifier. MFA's last
    stride is 1, and it needs 2.4 times the operations.

    Args:
        repeats: timed turns.
        batch: pictures.
        height: of a picture.
        width: of a picture.
        large: pictures in the large batch of ``models``.
        networks: rows of ``models``, see ``benchmarks.compared.chosen``; by default all.

    Returns:
        ``models``: a row for every network, see ``benchmarks.compared``;
        ``relative_rate``: images a second over the plain network's, by variant;
        ``mfa_relative_rate``: of the variant ``paper``; ``mfa_memory_gib_64``: its weights and the
        most that tensors hold at once for the large batch; ``images_per_second`` by network.

    Raises:
        InputError: no such network.
    """
    rows = chosen(networks)
    device = choose_device()
    plain = resnet50(weights=None)
    plain.fc = nn.Identity()
    timed: dict[str, nn.Module] = {"resnet50": plain} | {
        name: build_model(presets.variant(presets.paper(), name).model, pretrained=False)
        for name in presets.VARIANTS
    }
    for network in timed.values():
        network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(0))
    images = images.to(device).contiguous(memory_format=torch.channels_last)

    def way(network: nn.Module) -> Any:
        @torch.inference_mode()
        def forward() -> None:
            network(images)
            finish(device)

        return forward

    seconds = seconds_each({name: way(network) for name, network in timed.items()}, repeats)
    relative = {
        name: ratio(seconds["resnet50"], seconds[name]) for name in timed if name != "resnet50"
    }
    return {
        "models": compared(repeats, height, width, large=large, networks=rows),
        "relative_rate": relative,
        "mfa_relative_rate": relative["paper"],
        "mfa_memory_gib_64": memory_bytes(timed["paper"], images[:1], large) / 2**30,
        "images_per_second": {name: batch / median(values) for name, values in seconds.items()},
        "input": f"{batch} x {height}x{width}",
        "device": str(device),
        "threads": torch.get_num_threads(),
        "repeats": repeats,
    }

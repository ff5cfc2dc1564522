"""Ways to run MFA's forward pass, against a plain ResNet-50 and against each other."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import resnet50

from benchmarks.compared import memory_bytes
from benchmarks.timing import fair_clock, finish, ratio, seconds_each, seconds_of
from mfa import presets
from mfa.models import build_model
from mfa.models.cpaa import CPAA
from mfa.runs.device import choose_device, compiled

TARGETS = {
    "compiled_relative_rate": (">=", 0.55),
    "largest_difference": ("<=", 1e-4),
    "memory_gib_64": ("<=", 1.2),
}


def run(repeats: int = 5, batch: int = 8, height: int = 256, width: int = 128) -> dict[str, Any]:
    """Time embeddings in eval mode, random weights, CPAA at work, float32, channels last.

    On one thread of a CPU, the processor's time is taken: other programs disturb it less.

    Args:
        repeats: timed turns.
        batch: pictures.
        height: of a picture.
        width: of a picture.

    Returns:
        ``relative_rate``: images per second over those of the plain ResNet-50, by way, and of the
        same ResNet-50 compiled; ``compiled_relative_rate`` is one of them;
        ``largest_difference``: of any way's descriptors from those of the network as it is;
        ``compile_seconds``; ``memory_gib_64``: weights, and what tensors hold at once for a batch
        of 64, as it is; ``images_per_second`` by way.
    """
    device = choose_device()
    plain = resnet50(weights=None)
    plain.fc = nn.Identity()
    network = build_model(presets.paper().model, pretrained=False)
    for module in network.modules():
        if isinstance(module, CPAA):  # random weights start with both at 0
            nn.init.constant_(module.alpha, 0.3)
            nn.init.constant_(module.beta, 0.3)
    for each in (plain, network):
        each.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, 3, height, width, generator=generator).to(device)
    images = images.contiguous(memory_format=torch.channels_last)
    mfa: dict[str, Callable[[Tensor], Any]] = {
        "as_it_is": network,
        "folded": folded(network),
        "compiled": compiled(network, freeze=True),
    }
    with torch.inference_mode():
        compile_seconds = seconds_of(lambda: mfa["compiled"](images))
        reference = network(images).descriptor
        difference = max((way(images).descriptor - reference).abs().max() for way in mfa.values())

    def timed(way: Callable[[Tensor], Any]) -> Callable[[], None]:
        @torch.inference_mode()
        def forward() -> None:
            way(images)
            finish(device)

        return forward

    ways = {"resnet50": plain, "plain_compiled": compiled(plain, freeze=True), **mfa}
    clock = fair_clock(device)
    seconds = seconds_each({name: timed(way) for name, way in ways.items()}, repeats, clock)
    rates = {name: ratio(seconds["resnet50"], values) for name, values in seconds.items()}
    return {
        "relative_rate": rates,
        "compiled_relative_rate": rates["compiled"],
        "largest_difference": difference.item(),
        "compile_seconds": compile_seconds,
        "memory_gib_64": memory_bytes(network, images[:1], 64) / 2**30,
        "images_per_second": {name: batch / median(values) for name, values in seconds.items()},
        "input": f"{batch} x {height}x{width}",
        "device": str(device),
        "threads": torch.get_num_threads(),
        "clock": clock.__name__,
        "repeats": repeats,
    }


def folded(network: nn.Module) -> nn.Module:
    """A copy in which each batch normalisation is part of the convolution before it."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for (first, convolution), (second, norm) in itertools.pairwise(module.named_children()):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, first, fuse_conv_bn_eval(convolution, norm))
                setattr(module, second, nn.Identity())
    return network

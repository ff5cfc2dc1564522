"""Where a network computes, and in what precision."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import nn

from mfa.errors import InputError, reason
from mfa.processes import local_rank

Precision = Literal["float32", "bfloat16", "float16"]
"""Number formats of a forward pass; the 16-bit ones run under ``torch.autocast``."""


def choose_device(device: torch.device | str | None = None) -> torch.device:
    """The device asked for; by default the process's GPU where there is one, else the CPU.

    Apple's GPU is never the default: the training record sums in float64, which it lacks.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` ...; ``None`` for the default. Under
            ``torchrun`` a bare ``"cuda"`` is the GPU of the process's number on its machine.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
    except RuntimeError as error:
        what = f"there is no device {device!r}"
        raise InputError(what, "name cpu, cuda or cuda:NUMBER") from error
    if place.type != "cuda":
        return place
    place = torch.device("cuda", local_rank()) if place.index is None else place
    if (place.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"this machine has no {place}: PyTorch sees {torch.cuda.device_count()} CUDA devices",
            "use --device cpu (device='cpu'), or install PyTorch for CUDA with its driver",
        )
    return place


def check_precision(precision: str | None) -> Precision:
    """The precision asked for; ``None`` means float32."""
    known: tuple[Precision, ...] = get_args(Precision)
    for name in known:
        if name == (precision or "float32"):
            return name
    raise InputError(f"there is no precision {precision!r}", f"use {', '.join(known)}")


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context to call a network in; without effect for float32."""
    half = None if precision == "float32" else getattr(torch, precision)
    return torch.autocast(device.type, dtype=half, enabled=half is not None)


def compiled(network: nn.Module, *, freeze: bool = False) -> Callable[..., Any]:
    """``network`` translated by ``torch.compile``, which happens at its first call.

    Args:
        network: what to translate; it stays as it is.
        freeze: take the weights for constants, which folds batch normalisation into convolutions.
            For calls in eval mode and without gradients.

    Raises:
        InputError: at the first call, if the translation fails.
    """
    fast = torch.compile(network, options={"freezing": True} if freeze else None)

    def call(*inputs: Any) -> Any:
        from torch._dynamo.exc import TorchDynamoException  # it has no public name

        try:
            return fast(*inputs)
        except TorchDynamoException as error:
            raise InputError(
                f"torch.compile cannot translate the network here ({reason(error)})",
                "install a C++ compiler, on a GPU Triton as well, or leave out --compile "
                "(compile=True)",
            ) from error

    return call


def clock(device: torch.device) -> float:
    """Seconds of a clock, read when everything asked of ``device`` is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()

"""How batches reach the device: a GPU gets the next one while it computes a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

Loaded = TypeVar("Loaded")
Prepared = TypeVar("Prepared")


def send(values: Tensor, device: torch.device) -> Tensor:
    """``values`` on ``device``; a GPU fetches them from pinned memory, and nobody waits for it."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def one_ahead(
    loaded: Iterable[Loaded], prepare: Callable[[Loaded], Prepared], device: torch.device
) -> Iterator[Prepared]:
    """``prepare`` of each of ``loaded``, in order; on a GPU each is begun one step early.

    There a stream of its own copies and augments the next batch while the caller's stream computes
    a step. Elsewhere nothing runs beside a step, and this is ``map``.

    Args:
        loaded: what the batches are made of, in the memory of the CPU.
        prepare: makes a batch on ``device``, an object whose attributes hold its tensors.
        device: where steps compute.
    """
    if device.type != "cuda":
        yield from map(prepare, loaded)
        return
    side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def begun() -> Iterator[Prepared]:
        for item in loaded:
            with torch.cuda.stream(side):
                made = prepare(item)
            yield made

    coming = begun()
    batch = next(coming, None)
    while batch is not None:
        ready = batch
        # The step waits for this batch, not for the next one, which is not yet in the stream.
        main = torch.cuda.current_stream(device)
        main.wait_stream(side)
        for value in vars(ready).values():
            if isinstance(value, Tensor):
                value.record_stream(main)  # else its memory is given away while the step reads it
        batch = next(coming, None)
        yield ready

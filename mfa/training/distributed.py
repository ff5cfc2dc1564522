"""Several processes under ``torchrun``: each takes whole identities of a larger batch."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class ProcessGroup:
    """This process among all: ``rank`` of ``world``; rank 0 writes."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def writes(self) -> bool:
        """Whether this process prints and saves."""
        return self.rank == 0


def join() -> ProcessGroup:
    """Join the processes ``torchrun`` started; alone without it."""
    if "WORLD_SIZE" not in os.environ:
        return ProcessGroup()
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return ProcessGroup(
        distributed.get_rank(), distributed.get_world_size(), int(os.environ.get("LOCAL_RANK", 0))
    )


def wrap(model: nn.Module, ranks: ProcessGroup) -> nn.Module:
    """Average gradients over the processes; the model itself when alone.

    Triplets are mined within each process's own P x K batch.
    """
    if ranks.world == 1:
        return model
    return DistributedDataParallel(model)


def default_device(ranks: ProcessGroup) -> torch.device:
    """The process's GPU, or the CPU.

    Never Apple's GPU: the training record sums in float64, which it does not have.
    """
    return torch.device("cuda", ranks.local) if torch.cuda.is_available() else torch.device("cpu")

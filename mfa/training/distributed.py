"""Several processes under ``torchrun``: each takes whole identities of a larger batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mfa.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class ProcessGroup:
    """This process among all: ``rank`` of ``world``; rank 0 writes."""

    rank: int = 0
    world: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process prints and saves."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """Average gradients over the processes; the model itself when alone.

        Triplets are mined within each process's own P x K batch.
        """
        return model if self.world == 1 else DistributedDataParallel(model)

    def from_first(self, work: Callable[[], T]) -> T:
        """Do ``work`` in rank 0 alone; all ranks return its result or raise its ``InputError``."""
        if self.world == 1:
            return work()
        box: list[Any] = [None, None]
        if self.writes:
            try:
                box[0] = work()
            except InputError as error:
                box[1] = error
        distributed.broadcast_object_list(box)
        if box[1] is not None:
            raise box[1]
        result: T = box[0]
        return result

    def anywhere(self, flag: Tensor) -> Tensor:
        """Whether ``flag`` is true in any process, as a tensor."""
        if self.world > 1:
            flag = flag.float()
            distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return flag.bool()


@contextmanager
def joined(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that ``torchrun`` started, for the length of the block.

    Without ``torchrun`` the process is alone. The backend follows from the device: NCCL for GPUs,
    Gloo for CPUs. A group that was joined before is used and not left.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield ProcessGroup()
        return
    mine = not distributed.is_initialized()
    if mine:
        if device.type == "cuda":
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(distributed.get_rank(), distributed.get_world_size())
    finally:
        if mine:
            distributed.destroy_process_group()


def local_rank() -> int:
    """Number of this process on its machine, which is the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", 0))


def speaks() -> bool:
    """Whether this process prints for all, known before the processes are joined."""
    return int(os.environ.get("RANK", 0)) == 0

"""Several processes under ``torchrun``: what each takes of the work, and how they exchange.

PyTorch is imported where processes are joined; alone, nothing here needs it.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mfa.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

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

    def mine(self, work: Sequence[T]) -> Sequence[T]:
        """The share of ``work`` that this process does: every ``world``-th piece."""
        return work[self.rank :: self.world]

    def wrap(self, model: nn.Module) -> nn.Module:
        """Average gradients over the processes; the model itself when alone."""
        from torch.nn.parallel import DistributedDataParallel

        return model if self.world == 1 else DistributedDataParallel(model)

    def from_first(self, work: Callable[[], T]) -> T:
        """Do ``work`` in rank 0 alone; all ranks return its result or raise its ``InputError``."""
        if self.world == 1:
            return work()
        from torch import distributed

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

    def from_all(self, value: T) -> list[T]:
        """The values of all processes, by rank; returns when every process has come here."""
        if self.world == 1:
            return [value]
        from torch import distributed

        values: list[Any] = [None] * self.world
        distributed.all_gather_object(values, value)
        return values

    def rows(self, own: Tensor) -> Tensor:
        """The rows of all processes, by rank, as many from each; gradients reach this one's own."""
        if self.world == 1:
            return own
        import torch
        from torch import distributed

        sent = own.detach().contiguous()
        parts = [torch.empty_like(sent) for _ in range(self.world)]
        distributed.all_gather(parts, sent)
        parts[self.rank] = own
        return torch.cat(parts)

    def anywhere(self, flag: Tensor) -> Tensor:
        """Whether ``flag`` is true in any process, as a tensor."""
        if self.world > 1:
            from torch import distributed

            flag = flag.float()
            distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return flag.bool()


ALONE = ProcessGroup()
"""The group of a process that was not started by ``torchrun``."""


class _ToldToEnd(BaseException):
    """SIGTERM, which ``torchrun`` sends to the others when one process ends."""


@contextmanager
def joined(device: torch.device | str) -> Iterator[ProcessGroup]:
    """The processes that ``torchrun`` started, for the length of the block.

    Without ``torchrun`` the process is alone. Tensors travel by NCCL between GPUs and by Gloo
    between CPUs. A process joins once and leaves at its end. One that left and joined again would
    meet the others' old messages. One that left before its ``DistributedDataParallel`` was put away
    could hang: that joins the group's threads under Python's lock, which they may be waiting for.

    Raises:
        InputError: another process of the job has ended, or the job was told to end.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield ALONE
        return
    import torch
    from torch import distributed

    if not distributed.is_initialized():
        device = torch.device(device)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(distributed.destroy_process_group)
    group = ProcessGroup(distributed.get_rank(), distributed.get_world_size())
    with _ends_in_words(group):
        yield group


@contextmanager
def _ends_in_words(group: ProcessGroup) -> Iterator[None]:
    """Turn the end of another process into a sentence."""

    def end(number: int, frame: object) -> None:
        raise _ToldToEnd

    heard = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, end) if heard else None
    try:
        yield
    except (_ToldToEnd, RuntimeError) as error:
        from torch.distributed import DistError

        of_exchange = isinstance(error, _ToldToEnd | DistError) or "gloo" in str(error)
        if not of_exchange:
            raise
        raise InputError(
            f"process {group.rank} of {group.world} stopped, because another process of this job "
            "ended or the job was told to end",
            "see its own words, then start the same command again (a training with --resume): what "
            "was finished is kept",
        ) from error
    finally:
        if heard:
            signal.signal(signal.SIGTERM, before)


def local_rank() -> int:
    """Number of this process on its machine, which is the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", 0))


def speaks() -> bool:
    """Whether this process prints for all, known before the processes are joined."""
    return int(os.environ.get("RANK", 0)) == 0

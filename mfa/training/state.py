"""Everything that a training changes, and that a resumed one needs back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mfa.config import Config
from mfa.errors import InputError, reason
from mfa.losses import Criterion
from mfa.losses.distillation import Distillation
from mfa.models import build_model
from mfa.training import schedule
from mfa.training.batches import TrainingBatches
from mfa.training.collapse import CollapseWatch


class TrainingState:
    """The parts of a training with one ``state_dict``.

    Attributes:
        model: the network.
        criterion: its losses, with the centers.
        distillation: the terms of the teacher's features; ``None`` without a teacher.
        optimizer: of the parameters of ``model`` and ``distillation``.
        scaler: of the loss, in float16.
        half: the 16-bit type that a step computes in; ``None`` for float32.
        watch: notices collapsing features.
        epoch: epochs finished.
    """

    def __init__(
        self, config: Config, batches: TrainingBatches, device: torch.device, *, pretrained: bool
    ) -> None:
        """Build everything, seeded by ``config.seed``; ``pretrained`` loads ``model.weights``."""
        with _seeded(config.seed):
            self.model = build_model(
                config.model, batches.identities, cameras=batches.cameras, pretrained=pretrained
            )
        # Channels-last convolutions are a fifth to a half faster on CPUs, and on GPUs with AMP.
        self.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        pooled = self.model.pooled_widths
        self.criterion = Criterion(config.loss, batches.identities, pooled).to(device)
        self.distillation: Distillation | None = None
        if batches.targets is not None:
            with _seeded(config.seed):
                made = Distillation(config.distill, self.model.widths, batches.targets.shape[1])
            self.distillation = made.to(device)
        learned = [part for part in (self.model, self.distillation) if part is not None]
        schedule.freeze(self.model, config.optim.frozen)
        self.optimizer = schedule.make_optimizer(
            nn.ModuleList(learned), config.optim, trunk="0.trunk.", fused=device.type == "cuda"
        )
        self.half = schedule.half_precision(config.optim, device)
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.half is torch.float16)
        self.watch = CollapseWatch()
        self.epoch = 0

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """The state by part; tensors for modules and optimiser, plain values for the rest."""
        return {
            **{name: module.state_dict() for name, module in self._modules().items()},
            "optimizer": optimizer_tensors(self.optimizer),
            "scaler": self.scaler.state_dict(),
            "watch": self.watch.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Put back what ``state_dict`` gave."""
        try:
            for name, module in self._modules().items():
                module.load_state_dict(state[name])
            restore_optimizer(self.optimizer, state["optimizer"])
            self.scaler.load_state_dict(dict(state["scaler"]))
            self.watch.load_state_dict(state["watch"])
        except (RuntimeError, LookupError, ValueError, TypeError) as error:
            raise InputError(
                f"the state of the training does not fit its configuration ({reason(error)})",
                "take a copy of the checkpoint that is whole, or train again",
            ) from error

    def _modules(self) -> dict[str, nn.Module]:
        modules: dict[str, nn.Module] = {"model": self.model, "criterion": self.criterion}
        if self.distillation is not None:
            modules["distillation"] = self.distillation
        return modules


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors, ``INDEX.KEY``."""
    return {
        f"{index}.{key}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for key, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` gave.

    Raises:
        ValueError: it belongs to other parameters.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        if key != "step" and value.shape != parameters[int(index)].shape:
            raise ValueError(f"the optimiser's {name} has another shape than its parameter")
        state.setdefault(int(index), {})[key] = value
    if any(sorted(values) != ["exp_avg", "exp_avg_sq", "step"] for values in state.values()):
        raise ValueError("the optimiser's tensors are not those of Adam")
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global random state for the block, and put it back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield

"""A training step with everything around it, against the bare step of the same network."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.made import write_market
from benchmarks.timing import finish, ratio, seconds_each
from mfa import presets
from mfa.config import Config
from mfa.datasets import load_dataset
from mfa.runs.device import choose_device
from mfa.training.trainer import Trainer

TARGETS = {"ratio_to_bare_step": ("<=", 1.1)}


def run(repeats: int = 5, config: Config | None = None) -> dict[str, Any]:
    """Time epochs of four steps, on pictures of Market-1501's size drawn at random.

    Bare is forward, total loss, backward and optimiser step on one batch that lies ready; around
    it are reading, augmentation, schedule, centers and the training record. Pictures come from
    the cache, as in every epoch but the first.

    Args:
        repeats: timed turns, each an epoch of both.
        config: by default the preset ``cpu``.

    Returns:
        ``ratio_to_bare_step``; both in seconds a step, as medians; ``images_per_second``.
    """
    config = config or presets.cpu()
    config = replace(config, data=replace(config.data, cache=True))
    batch, steps = config.data.pids * config.data.images, 4
    device = choose_device()
    with tempfile.TemporaryDirectory() as folder:
        root = write_market(Path(folder), pids=steps * config.data.pids, images=config.data.images)
        trainer = Trainer(config, load_dataset("synthetic", root), device)
        state, batch_of = trainer.state, trainer.batches.first()

        def bare() -> None:
            for _ in range(steps):
                with torch.autocast(device.type, state.half, enabled=state.half is not None):
                    output = state.model(batch_of.images)
                loss, _ = state.criterion(output, batch_of.labels, 0.5)
                state.optimizer.zero_grad(set_to_none=True)
                state.scaler.scale(loss).backward()
                state.scaler.step(state.optimizer)
                state.scaler.update()
            finish(device)

        def whole() -> None:
            trainer.run_epoch(1)
            finish(device)

        seconds = seconds_each({"bare": bare, "step": whole}, repeats)
    return {
        "ratio_to_bare_step": ratio(seconds["step"], seconds["bare"]),
        **{f"{name}_seconds": median(values) / steps for name, values in seconds.items()},
        "images_per_second": batch * steps / median(seconds["step"]),
        "config": config.name,
        "batch": batch,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "repeats": repeats,
    }

"""Getting a training batch ready, against the training step on it, of the same run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks.made import write_market
from benchmarks.timing import finish, ratio, seconds_each
from mfa import presets
from mfa.config import Config
from mfa.datasets import load_dataset
from mfa.datasets.loading.augment import augment, to_unit
from mfa.datasets.loading.images import load_images
from mfa.runs.device import choose_device
from mfa.training.batches import Batch
from mfa.training.trainer import Trainer

TARGETS = {"loading_share": ("<=", 0.1), "uncached_share": ("<=", 0.5)}


def run(repeats: int = 5, config: Config | None = None) -> dict[str, Any]:
    """Time three batches of pictures of Market-1501's size, read, augmented and learned from.

    Args:
        repeats: timed turns, each of all the batches.
        config: by default the preset ``cpu``.

    Returns:
        ``loading_share``: seconds of reading from the cache and augmenting, over those of the
        step (forward, losses, backward, update, centers); ``uncached_share``: the same with every
        file decoded, as in an epoch without the cache; the parts in seconds per batch, as medians.
    """
    config = config or presets.cpu()
    config = replace(config, data=replace(config.data, cache=True, workers=0))
    count, device = 3, choose_device()
    with tempfile.TemporaryDirectory() as folder:
        root = write_market(Path(folder), pids=count * config.data.pids, images=config.data.images)
        trainer = Trainer(config, load_dataset("synthetic", root), device)
        height, width = config.data.height, config.data.width
        files = load_images(trainer.batches.images.samples, height=height, width=width, cache=None)
        lists = list(trainer.batches.sampler)[:count]
        pixels = [trainer.batches.images.batch(indices) for indices in lists]
        generator = torch.Generator().manual_seed(0)

        def augmented(batch: Tensor) -> Tensor:
            images = augment(to_unit(batch.to(device)), config.data, generator)
            return images.contiguous(memory_format=torch.channels_last)

        ready = [
            Batch(i, augmented(p), trainer.batches.labels[i].to(device))
            for p, i in zip(pixels, lists, strict=True)
        ]
        trainer.state.model.train()

        def read() -> None:
            for indices in lists:
                trainer.batches.images.batch(indices)

        def decode() -> None:
            for indices in lists:
                files.batch(indices)

        def augment_all() -> None:
            for batch in pixels:
                augmented(batch)
            finish(device)

        def step() -> None:
            for batch in ready:
                trainer.step(batch, 0.5)
            finish(device)

        ways: dict[str, Callable[[], object]] = {
            "reading": read,
            "decoding": decode,
            "augmentation": augment_all,
            "step": step,
        }
        seconds = seconds_each(ways, repeats)
    cached, uncached = (
        [a + b for a, b in zip(seconds[way], seconds["augmentation"], strict=True)]
        for way in ("reading", "decoding")
    )
    return {
        "loading_share": ratio(cached, seconds["step"]),
        "uncached_share": ratio(uncached, seconds["step"]),
        **{f"{name}_seconds": median(values) / len(lists) for name, values in seconds.items()},
        "config": config.name,
        "batch": config.data.pids * config.data.images,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "repeats": repeats,
    }

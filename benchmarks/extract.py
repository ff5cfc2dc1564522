"""Descriptors from files on the disk, against the network's forward pass alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.made import write_market
from benchmarks.timing import fair_clock, ratio, seconds_each
from mfa import presets
from mfa.config import Config
from mfa.datasets import load_dataset
from mfa.datasets.loading.augment import to_unit
from mfa.datasets.loading.images import LoadedImages, load_images
from mfa.runs.run import BATCH, untrained

TARGETS = {"ratio_to_bare_forward": (">=", 0.95)}


def run(
    repeats: int = 5, config: Config | None = None, pictures: int = 4 * BATCH
) -> dict[str, Any]:
    """Time a gallery of JPEG files of Market-1501's size.

    Bare is the network in eval mode on batches that lie ready. On one thread of a CPU the
    processor's time is taken, decoding threads included: other programs disturb it less.

    Args:
        repeats: timed turns.
        config: by default the preset ``cpu``.
        pictures: files of the gallery.

    Returns:
        ``ratio_to_bare_forward``: images a second with every file decoded, over the bare rate;
        ``cached_ratio``: the same from the picture cache, as for every network but the first on
        a dataset; the rates as medians.
    """
    config = config or presets.cpu()
    network = untrained(config)
    model, device = network.model, network.device
    with tempfile.TemporaryDirectory() as folder:
        root = write_market(Path(folder), gallery=pictures)
        data = load_dataset("synthetic", root)

        def load(cache: str) -> LoadedImages:
            size = config.data
            return load_images(
                data.gallery, height=size.height, width=size.width, cache=root / cache
            )

        cached = load("cache")
        ready = [
            to_unit(cached.batch(range(start, min(start + BATCH, pictures))).to(device)).contiguous(
                memory_format=torch.channels_last
            )
            for start in range(0, pictures, BATCH)
        ]
        turn = count()

        @torch.inference_mode()
        def bare() -> None:
            for images in ready:
                model(images).descriptor.cpu()

        def from_files() -> None:
            network.embed(load(f"cache{next(turn)}"), data)

        ways: dict[str, Callable[[], object]] = {
            "bare": bare,
            "files": from_files,
            "cached": lambda: network.embed(cached, data),
        }
        clock = fair_clock(device)
        seconds = seconds_each(ways, repeats, clock)
    return {
        "ratio_to_bare_forward": ratio(seconds["bare"], seconds["files"]),
        "cached_ratio": ratio(seconds["bare"], seconds["cached"]),
        **{f"{name}_images_per_second": pictures / median(s) for name, s in seconds.items()},
        "config": config.name,
        "pictures": pictures,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "clock": clock.__name__,
        "repeats": repeats,
    }

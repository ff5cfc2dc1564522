"""Which pictures of a dataset an explanation starts from, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from mfa.datasets import read_image
from mfa.datasets.loading.augment import to_unit
from mfa.errors import InputError
from mfa.explain.attention_metrics import conditions
from mfa.explain.inputs import ImagesWithCameras, as_batch
from mfa.explain.part_masks import part_masks
from mfa.inference.evaluate import resolve, test_pictures
from mfa.records import ListPosition, ReidDataset, Sample
from mfa.runs.run import Run

REFERENCE = 64
"""Gallery pictures whose mean map is subtracted, so that what every picture has at a place does not
hide what this one has."""

DRAWN_REFERENCE = 32
"""The same for what is drawn: enough to see, and an app's first picture waits for them."""


def situations(data: ReidDataset, count: int = 4) -> dict[int, str]:
    """Query positions that show one situation each of ``attention_metrics.CONDITIONS``.

    As in Fig. 4 of the paper: whole, occluded, cut above, cut below. A situation that no mask
    shows is replaced by any other query (``as it comes``).

    Raises:
        InputError: the dataset has no part masks.
    """
    known = part_masks(data, [ListPosition(i) for i in range(len(data.query))], 64, 32)
    groups = {name: of & known.trusted for name, of in conditions(known.parts).items()}
    everyone = groups.pop("all")
    found: dict[int, str] = {}
    for name, group in {**groups, "as it comes": everyone}.items():
        free = [int(place) for place in np.flatnonzero(group) if int(place) not in found]
        if free and len(found) < count:
            found[free[len(free) // 2]] = name
    return found


def reference_pictures(
    run: Run,
    data: ReidDataset | str | None = None,
    count: int = DRAWN_REFERENCE,
    *,
    data_root: Path | None = None,
    seed: int = 0,
) -> Tensor | ImagesWithCameras | None:
    """Gallery pictures (count, 3, H, W) for ``reference=`` of maps and ledgers; ``None`` for 0.

    With their cameras where the run's network is told them (SIE).
    """
    if count == 0:
        return None
    data = resolve(run, data, data_root)
    found = test_pictures(run, data, data.gallery)
    chosen = sample_positions(len(found), count, seed)
    samples = [found.samples[place] for place in chosen]
    return seen_by_cameras(run, to_unit(found.batch(chosen.tolist())), samples, data)


def seen_by_cameras(run: Run, images: Any, samples: Sequence[Sample], data: ReidDataset) -> Any:
    """Pictures of ``samples``, with their cameras where the run's network is told them (SIE)."""
    cameras = run.cameras_of(samples, data)
    return images if cameras is None else ImagesWithCameras(images, cameras)


def sample_positions(count: int, wanted: int | None, seed: int) -> np.ndarray:
    """Positions of ``wanted`` of ``count`` things in rising order; all of them for ``None``."""
    if wanted is None or wanted >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, wanted, replace=False))


def read_picture(
    given: Any, samples: Sequence[Sample], side: str, size: tuple[int, int] | None = None
) -> np.ndarray:
    """A picture as an array (H, W, 3), from a position in ``samples``, a path or a picture.

    ``side`` names the list in messages; files are resized to ``size``.

    Raises:
        InputError: there is no such position, or the file cannot be read.
    """
    if isinstance(given, int | np.integer):
        if not 0 <= given < len(samples):
            raise InputError(f"no {side} {given}: the list has 0 to {len(samples) - 1}")
        given = samples[int(given)].path
    if isinstance(given, str | os.PathLike):
        image = read_image(given)
        if size is not None:
            image = image.resize((size[1], size[0]), resample=2)  # 2: bilinear
        return np.asarray(image)
    array: np.ndarray = as_batch(given)[0].permute(1, 2, 0).cpu().numpy()
    return array

"""From pictures to descriptors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from mfa.datasets.loading.augment import to_unit
from mfa.datasets.loading.images import LoadedImages
from mfa.models import ReidNetwork
from mfa.progress import Progress, silent
from mfa.records import FeatureSet, Output

BATCH = 64


def image_batches(
    model: ReidNetwork,
    pictures: LoadedImages,
    cameras: Tensor | None = None,
    *,
    batch: int = BATCH,
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """All pictures as batches in [0, 1] where the model is, while it stands in eval mode.

    With each its part of ``cameras``, what the model is told beside the pictures (see
    ``mfa.runs.side_information``), or ``None``. The model's mode is put back at the end, also after an exception.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        for start in range(0, len(pictures), batch):
            pixels = pictures.batch(range(start, min(start + batch, len(pictures))))
            images = to_unit(pixels.to(device))
            seen_by = None if cameras is None else cameras[start : start + batch].to(device)
            yield images.contiguous(memory_format=torch.channels_last), seen_by
    finally:
        model.train(was_training)


def embed(
    model: ReidNetwork,
    pictures: LoadedImages,
    cameras: Tensor | None = None,
    *,
    flip: bool = False,
    batch: int = BATCH,
    progress: Progress = silent,
) -> np.ndarray:
    """The branches' embeddings after BNNeck, concatenated, (N, D) float32, not normalised.

    Cosine distance normalises the whole, which gives the descriptor; unnormalised, each branch can
    still be weighted. With ``flip`` the mean with the embeddings of the mirrored picture. ``progress``
    is called with the share done, before each batch; what it raises ends the work. ``cameras`` (N,)
    of the pictures count for a network with SIE, see ``mfa.runs.side_information``.
    """
    rows = [np.empty((0, sum(model.widths.values())), np.float32)]
    batches = image_batches(model, pictures, cameras, batch=batch)
    for number, (images, seen_by) in enumerate(batches):
        progress(number * batch / len(pictures))
        with torch.inference_mode():
            features = concatenate(model(images, seen_by))
            if flip:
                features = (features + concatenate(model(images.flip(3), seen_by))) / 2
        rows.append(features.float().cpu().numpy())
    return np.concatenate(rows)


def concatenate(output: Output) -> Tensor:
    """All branches' embeddings side by side, (B, D): the descriptor before its norm."""
    return torch.cat([branch.embedding for branch in output.branches.values()], dim=1)


def feature_set(features: np.ndarray, pictures: LoadedImages) -> FeatureSet:
    """Descriptors with the labels, names and list positions of their pictures."""
    samples = pictures.samples
    return FeatureSet(
        features=features,
        pids=np.array([sample.pid for sample in samples], dtype=np.int64),
        camids=np.array([sample.camid for sample in samples], dtype=np.int64),
        names=np.array([sample.path.name for sample in samples]),
        positions=pictures.positions,
    )

"""One picture through a run, whether or not it stands in a list of a dataset."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mfa.datasets.loading.decode import read_image
from mfa.errors import InputError
from mfa.runs.run import Run


def embed_picture(
    run: Run, picture: Any, *, flip: bool = False, cameras: Tensor | None = None
) -> np.ndarray:
    """The embeddings of all branches after BNNeck, concatenated, (D,) float32, not normalised.

    Args:
        run: whose network embeds it.
        picture: see ``input_pixels``.
        flip: take the mean with the embeddings of the mirrored picture.
        cameras: (1,) its camera as the network reads it, see ``Run.cameras_of``.

    Raises:
        InputError: the file cannot be read, or the pixels have another shape.
    """
    batch = torch.from_numpy(input_pixels(run, picture)).permute(2, 0, 1)[None]
    images = batch.to(run.device).float() / 255
    both = torch.cat([images, images.flip(3)]) if flip else images
    seen_by = None if cameras is None else cameras.to(run.device).expand(len(both))
    with torch.inference_mode(), run.autocast():
        rows = run.model(both, seen_by).embedding
    return np.asarray(rows.float().mean(dim=0).cpu().numpy())


def branch_shares(
    run: Run, one: Any, other: Any, *, cameras: tuple[Tensor | None, Tensor | None] = (None, None)
) -> dict[str, float]:
    """What each branch adds to the cosine of two pictures (their sum), whatever the network.

    Pictures and cameras as in ``embed_picture``.
    """
    first, second = (
        embed_picture(run, side, cameras=camera).astype(float)
        for side, camera in zip((one, other), cameras, strict=True)
    )
    parts = first * second / (np.linalg.norm(first) * np.linalg.norm(second))
    widths = run.model.widths
    blocks = np.split(parts, np.cumsum(list(widths.values()))[:-1])
    return {name: float(block.sum()) for name, block in zip(widths, blocks, strict=True)}


def input_pixels(run: Run, picture: Any) -> np.ndarray:
    """A picture (path or RGB pixels) at the input size of the run, (H, W, 3) uint8.

    Raises:
        InputError: the file cannot be read, or the pixels have another shape.
    """
    height, width = run.config.data.height, run.config.data.width
    if isinstance(picture, str | os.PathLike):
        return np.array(read_image(picture).resize((width, height), resample=2))  # 2: bilinear
    pixels = np.asarray(picture)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise InputError(f"pixels are (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    if pixels.shape[:2] == (height, width):
        return np.array(pixels)
    return np.array(Image.fromarray(pixels).resize((width, height), resample=2))

"""What may be handed to the engine: a run or a network, and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.errors import InputError
from mfa.models import ReidNetwork


@dataclass(frozen=True, eq=False)
class ImagesWithCameras:
    """Pictures with the cameras that took them, for a network that reads them (TransReID's SIE).

    Goes wherever pictures go; without it such a network takes the mean of its cameras. Other
    networks look at the pictures alone.

    Attributes:
        images: pictures in any form ``branch_maps`` takes.
        cameras: (B,) as the training set numbers them, see ``mfa.runs.run.Run.cameras_of``.
    """

    images: Any
    cameras: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice) -> ImagesWithCameras:
        return ImagesWithCameras(
            self.images[part], None if self.cameras is None else self.cameras[part]
        )

    def split(self, size: int) -> Iterator[ImagesWithCameras]:
        """So many pictures at a time."""
        return (self[i : i + size] for i in range(0, len(self), size))


def network_of(model: Any) -> ReidNetwork:
    """The network of a run, or the network itself.

    Raises:
        InputError: something without named heads.
    """
    network = getattr(model, "model", model)
    missing = [name for name in ("trunk_map", "heads") if not hasattr(network, name)]
    if missing:
        raise InputError(
            f"branch maps need a network with named heads (mfa.build_model or mfa.open_run); "
            f"{type(network).__name__} has no {' and no '.join(missing)}"
        )
    found: ReidNetwork = network
    return found


def input_size(model: Any) -> tuple[int, int] | None:
    """(height, width) a run was trained at; ``None`` for a bare network, which takes any."""
    config = getattr(model, "config", None)
    return None if config is None else (config.data.height, config.data.width)


def as_batch(images: Any) -> Tensor:
    """Pictures as a float32 tensor (B, 3, H, W) in [0, 1]; the caller's are never written to.

    ``images`` is a tensor (B, 3, H, W) or an array (B, H, W, 3), floats in [0, 1] or uint8; one
    picture without the first axis; or a sequence of equally large pictures. Cameras are left out.

    Raises:
        InputError: paths, another shape, pictures of several sizes, values outside [0, 1], or NaN.
    """
    if isinstance(images, ImagesWithCameras):
        return as_batch(images.images)
    for one in images if isinstance(images, list | tuple) else (images,):
        if isinstance(one, str | os.PathLike):
            raise InputError(
                f"{one} is a path and no picture", "give np.asarray(mfa.read_image(path))"
            )
    if isinstance(images, Sequence):
        if not images:
            raise InputError("no pictures were given; give at least one")
        sizes = {tuple(image.shape) for image in images}
        if len(sizes) > 1:
            raise InputError(
                f"pictures of several sizes ({', '.join(map(str, sorted(sizes)))}) do not make "
                "a batch; load them at one height and width (mfa.datasets.load_images)"
            )
        images = torch.stack([_tensor(image) for image in images])
    batch = _channels_first(_tensor(images))
    if batch.dtype == torch.uint8:
        return batch.float() / 255
    if not bool(((batch >= 0) & (batch <= 1)).all()):
        raise InputError(
            f"pictures must lie in [0, 1] (these: {batch.min().item():.3g} to "
            f"{batch.max().item():.3g}); the network subtracts mean and deviation itself"
        )
    return batch.float()


def as_images_with_cameras(images: Any, size: tuple[int, int] | None = None) -> ImagesWithCameras:
    """Pictures as a batch of ``as_batch``, resized to ``size``, with their cameras where given.

    Raises:
        InputError: see ``as_batch``, or another number of cameras than of pictures.
    """
    batch = as_batch(images)
    if size is not None and tuple(batch.shape[2:]) != size:
        batch = F.interpolate(batch, size=size, mode="bilinear", antialias=True).clamp(0, 1)
    cameras = images.cameras if isinstance(images, ImagesWithCameras) else None
    if cameras is not None and len(cameras) != len(batch):
        raise InputError(f"{len(batch)} pictures but {len(cameras)} cameras; give one for each")
    return ImagesWithCameras(batch, cameras)


def _tensor(images: Any) -> Tensor:
    """A tensor of anything; PyTorch warns of arrays that may not be written to, so copy those."""
    if isinstance(images, np.ndarray):
        images = np.require(images, requirements="W")
    return torch.as_tensor(images)


def _channels_first(batch: Tensor) -> Tensor:
    if batch.ndim == 3:
        batch = batch[None]
    if batch.ndim == 4 and len(batch):
        if batch.shape[1] == 3:
            return batch
        if batch.shape[3] == 3:
            return batch.permute(0, 3, 1, 2)
    raise InputError(
        f"pictures are a tensor (B, 3, H, W) or an array (B, H, W, 3), got {tuple(batch.shape)}"
    )

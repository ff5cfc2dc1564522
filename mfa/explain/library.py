"""pytorch-grad-cam end to end on one branch at a time.

For the rules that run the network again for every channel, and as the yardstick of the engine in
tests and in ``python -m benchmarks cam``. The library changes what it is given (mode, gradients,
hooks), so it only ever sees a copy.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from mfa.explain import weightings
from mfa.explain.capture import BRANCH, TRUNK, directions, network_input
from mfa.explain.inputs import ImagesWithCameras
from mfa.explain.targets import Target
from mfa.models import ReidNetwork
from mfa.progress import Progress, part_of, silent


class OneBranch(nn.Module):
    """Images to the embedding of one branch, with the explained map passing through ``tap``.

    ``camera`` (1,) is that of all the images, where the network is told.
    """

    def __init__(
        self, network: ReidNetwork, name: str, layer: str, camera: Tensor | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.head = dict(network.named_heads())[name]
        self.layer = layer
        self.camera = camera
        self.tap = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, C)."""
        camera = None if self.camera is None else self.camera.expand(len(images))
        if self.layer == BRANCH:
            branch_map = self.head.refine(self.network.trunk_map(images, camera))
            return self.head.read(self.tap(branch_map)).embedding
        if self.layer == TRUNK:
            trunk = self.tap(self.network.trunk_map(images, camera))
        else:
            below = self.tap(self.network.map_at(self.layer, images, camera))
            trunk = self.network.forward_from(self.layer, below)
        found: Tensor = self.head(trunk).embedding
        return found


def end_to_end(
    network: ReidNetwork,
    images: Tensor,
    toward: Tensor,
    *,
    name: str,
    method: str = "GradCAM",
    layer: str = BRANCH,
) -> np.ndarray:
    """The library's own result for the branch ``name``: (B, H, W), rectified, scaled by picture.

    ``toward`` (B, C) is the target's direction in the branch's embedding. The network is left in
    eval mode with gradients: give a copy.
    """
    wrapper = OneBranch(network, name, layer)
    with weightings.library_class(method)(wrapper, [wrapper.tap]) as cam:
        found: np.ndarray = cam(images, targets=[row.dot for row in toward])
    return found


def forward_maps(
    network: ReidNetwork,
    images: Tensor | ImagesWithCameras,
    target: Target,
    method: str,
    layer: str,
    names: Sequence[str],
    progress: Progress = silent,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Maps of a rule that runs the network again: raw (B, h, w) and scores (B,) by branch.

    A target that is not linear in the embeddings is explained by its linear part.
    """
    toward, scores = directions(network, images, target, names)
    with torch.inference_mode(False), torch.enable_grad():
        replica = copy.deepcopy(network).float()
        given = network_input(replica, images)
        # The library hands the network a picture many times over: where cameras differ, one each.
        parts = [given] if given.cameras is None else list(given.split(1))
        directed = {name: torch.split(toward[name], len(parts[0])) for name in names}
        found: dict[str, list[np.ndarray]] = {name: [] for name in names}
        jobs = list(itertools.product(names, enumerate(parts)))
        for number, (name, (place, part)) in enumerate(jobs):
            wrapper = OneBranch(replica, name, layer, part.cameras)
            within = part_of(progress, number / len(jobs), (number + 1) / len(jobs))
            found[name].append(_raw(wrapper, part.images, directed[name][place], method, within))
        raw = {name: np.concatenate(maps) for name, maps in found.items()}
    return raw, {name: value.float().cpu().numpy() for name, value in scores.items()}


def _raw(
    wrapper: OneBranch, images: Tensor, toward: Tensor, method: str, progress: Progress
) -> np.ndarray:
    cam = weightings.library_class(method)(wrapper, [wrapper.tap])
    asked = itertools.count()
    try:
        cam.activations_and_grads(images)
        activations = cam.activations_and_grads.activations[0].numpy()
        cam.activations_and_grads.release()  # further passes need not be recorded
        total = activations.shape[0] * activations.shape[1]  # asked once per picture and channel

        def along(direction: Tensor, embedding: Tensor) -> Tensor:
            progress(min(next(asked) / total, 1.0))
            return embedding @ direction

        targets = [partial(along, row) for row in toward]
        image = cam.get_cam_image(images, wrapper.tap, targets, activations, None, False)
    finally:
        cam.activations_and_grads.release()
    return np.asarray(image, dtype=np.float32)

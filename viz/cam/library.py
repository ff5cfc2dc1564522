"""pytorch-grad-cam end to end on one branch at a time.

For the rules that run the network again for every channel, and as the yardstick of the engine in
tests and in ``mfa-viz bench cam``. The library changes what it is given (mode, gradients, hooks),
so it only ever sees a copy.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mfa.models import ReidNetwork
from viz.cam import weightings
from viz.cam.capture import BRANCH, TRUNK, directions, network_input
from viz.cam.targets import Target


class OneBranch(nn.Module):
    """Images to the embedding of one branch, with the explained map passing through ``tap``."""

    def __init__(self, network: ReidNetwork, name: str, layer: str) -> None:
        super().__init__()
        self.network = network
        self.head = dict(network.named_heads())[name]
        self.layer = layer
        self.tap = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, C)."""
        if self.layer == BRANCH:
            branch_map = self.head.refine(self.network.trunk_map(images))
            return self.head.read(self.tap(branch_map)).embedding
        if self.layer == TRUNK:
            trunk = self.tap(self.network.trunk_map(images))
        else:
            below = self.tap(self.network.map_at(self.layer, images))
            trunk = self.network.forward_from(self.layer, below)
        found: Tensor = self.head(trunk).embedding
        return found


class Along:
    """Target in the library's sense: how far one picture's embedding goes along a direction."""

    def __init__(self, direction: Tensor) -> None:
        self.direction = direction

    def __call__(self, embedding: Tensor) -> Tensor:
        """Embedding (C,) to a scalar."""
        return embedding @ self.direction


def end_to_end(
    network: ReidNetwork,
    images: Tensor,
    toward: Tensor,
    *,
    name: str,
    method: str = "GradCAM",
    layer: str = BRANCH,
) -> np.ndarray:
    """The library's own result for one branch: (B, H, W), rectified and scaled by picture.

    Args:
        network: a copy one can do without: it is left in eval mode with gradients.
        images: (B, 3, H, W) in [0, 1].
        toward: the target's direction in the branch's embedding, (B, C).
        name: of the branch.
        method: of the library.
        layer: as in ``branch_maps``.
    """
    wrapper = OneBranch(network, name, layer)
    with weightings.library_class(method)(wrapper, [wrapper.tap]) as cam:
        found: np.ndarray = cam(images, targets=[Along(row) for row in toward])
    return found


def forward_maps(
    network: ReidNetwork,
    images: Tensor,
    target: Target,
    method: str,
    layer: str,
    names: Sequence[str],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Maps of a rule that runs the network again: raw (B, h, w) and scores (B,) by branch.

    A target that is not linear in the embeddings is explained by its linear part.
    """
    toward, scores = directions(network, images, target, names)
    with torch.inference_mode(False), torch.enable_grad():
        replica = copy.deepcopy(network).float()
        given = network_input(replica, images)
        raw = {
            name: _raw(OneBranch(replica, name, layer), given, toward, name, method)
            for name in names
        }
    return raw, {name: value.float().cpu().numpy() for name, value in scores.items()}


def _raw(
    wrapper: OneBranch, images: Tensor, toward: Mapping[str, Tensor], name: str, method: str
) -> np.ndarray:
    cam = weightings.library_class(method)(wrapper, [wrapper.tap])
    try:
        cam.activations_and_grads(images)
        activations = cam.activations_and_grads.activations[0].numpy()
        cam.activations_and_grads.release()  # further passes need not be recorded
        image = cam.get_cam_image(
            images, wrapper.tap, [Along(row) for row in toward[name]], activations, None, False
        )
    finally:
        cam.activations_and_grads.release()
    return np.asarray(image, dtype=np.float32)

"""Branch maps: any target, any weighting, every branch and picture in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.explain import library, weightings
from mfa.explain.capture import BRANCH, capture, check_place, embed, mean_maps
from mfa.explain.inputs import (
    ImagesWithCameras,
    as_batch,
    as_images_with_cameras,
    enlarge,
    input_size,
    network_of,
)
from mfa.explain.record import FUSED, BranchMaps, is_empty
from mfa.explain.targets import Contrast, Identity, Similarity, Target
from mfa.models import ReidNetwork
from mfa.progress import Progress, silent

Fusing = Literal["sum", "mean"]


def branch_maps(
    model: Any,
    images: Any,
    *,
    target: str | Target = "similarity",
    reference: Any = None,
    method: str = "HiResCAM",
    layer: str = BRANCH,
    branches: Sequence[str] | None = None,
    fused: Fusing = "sum",
    baseline: Any = None,
    progress: Progress = silent,
) -> BranchMaps:
    """What each branch of ``model`` looks at in ``images``, for a chosen score.

    One forward for all pictures and branches; the network's mode, gradients, buffers and
    parameters stay as they were, also when this fails. Maps are float32 and signed.

    Args:
        model: a run (``mfa.open_run``) or a network; pictures are resized to a run's input size
            and the maps come back at the size given.
        images: (B, 3, H, W) or (B, H, W, 3), floats in [0, 1] or uint8; one picture or many. Here,
            as reference and as baseline, ``ImagesWithCameras`` tells a network with SIE their cameras.
        target: ``similarity`` to the reference; ``identity`` (classifier); ``contrast``
            (similarity to the first reference minus similarity to the second); or a ``Target``.
        reference: for similarity, pictures or descriptors (1 or B of them; ``None``: each picture
            itself, by the dot product with its own descriptor held fixed); for contrast two of
            those; for identity the class labels (``None``: the predicted ones).
        method: a weighting of pytorch-grad-cam by name. Grad-CAM averages the gradient over the
            map; under GeM only ``HiResCAM`` (gradient times activation) adds up to the score.
        layer: ``branch``, ``trunk``, or a layer of the network (one backward a branch).
        branches: those wanted; ``fused`` is then of those alone.
        fused: ``sum`` of the signed maps, the whole score; or ``mean`` of the normalised maps, the
            paper's picture.
        baseline: pictures (some dozens) whose mean map is taken off before the weighting, so that
            what every picture has at a place does not hide what this one has (ours); ``None`` is
            the library's own way. Or those mean maps (C, h, w) by branch, see ``mean_maps``.
        progress: called with the share done by rules that run the network again for every channel;
            what it raises ends the work.

    Returns:
        name to maps (B, H, W), branches first, then ``fused``.

    Raises:
        InputError: anything above that does not fit; the message says what.
    """
    method = weightings.method_name(method)
    if fused not in ("sum", "mean"):
        raise InputError(f"fused is sum or mean, got {fused!r}")
    network = network_of(model)
    batch = as_batch(images)
    fitted = as_images_with_cameras(images, input_size(model))
    names = tuple(network.heads) if branches is None else tuple(branches)
    check_place(network, layer, names)
    chosen = make_target(network, target, reference, size=input_size(model))
    mean = baseline
    if baseline is not None and not isinstance(baseline, Mapping):
        mean = as_images_with_cameras(baseline, input_size(model))
    raw, scores = _raw_maps(network, fitted, chosen, method, layer, names, mean, progress)
    scores[FUSED] = np.sum(list(scores.values()), axis=0)
    raw[FUSED] = _fuse(raw, fused)
    size = (batch.shape[2], batch.shape[3])
    return BranchMaps(
        full={name: enlarge(value, size) for name, value in raw.items()},
        raw=raw,
        scores=scores,
        empty={name: is_empty(value) for name, value in raw.items()},
        stripes={name: box for name, box in network.stripes.items() if name in names},
        target=chosen.description,
        method=method,
        layer=layer,
        fusing=fused,
        centred=baseline is not None,
    )


def make_target(
    network: ReidNetwork,
    target: str | Target,
    reference: Any = None,
    *,
    size: tuple[int, int] | None = None,
) -> Target:
    """The target of a name; pictures given as reference are embedded.

    Raises:
        InputError: no such name, or a reference that does not fit it.
    """
    if not isinstance(target, str):
        if reference is not None:
            raise InputError("a target object carries its own reference; leave reference out")
        return target
    if target == "identity":
        return Identity(reference)
    if target == "similarity":
        return Similarity(None if reference is None else descriptors(network, reference, size))
    if target == "contrast":
        if not isinstance(reference, tuple | list) or len(reference) != 2:
            raise InputError(
                "contrast needs reference=(toward, away): pictures or descriptors of two persons"
            )
        toward, away = (descriptors(network, side, size) for side in reference)
        return Contrast(toward, away)
    raise InputError(f"no target {target!r}; there are similarity, identity, contrast")


def descriptors(
    network: ReidNetwork, reference: Any, size: tuple[int, int] | None = None
) -> Tensor:
    """Descriptors (R, D) of references: embedded pictures, or the vectors that were given."""
    if not isinstance(reference, Sequence | ImagesWithCameras):
        vectors = torch.as_tensor(reference)
        one_picture = vectors.ndim == 3 and 3 in (vectors.shape[0], vectors.shape[2])
        if vectors.ndim != 4 and not one_picture:
            return vectors
    return embed(network, as_images_with_cameras(reference, size))


def _raw_maps(
    network: ReidNetwork,
    images: ImagesWithCameras,
    target: Target,
    method: str,
    layer: str,
    names: tuple[str, ...],
    baseline: ImagesWithCameras | Mapping[str, Tensor] | None,
    progress: Progress,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    if method in weightings.FORWARD_METHODS:
        if baseline is not None:
            raise InputError(f"{method} masks pictures, so it takes no baseline")
        return library.forward_maps(network, images, target, method, layer, names, progress)
    captured = capture(
        network,
        images,
        target,
        layer=layer,
        names=names,
        second_order=method == weightings.SECOND_ORDER,
    )
    means: Mapping[str, Tensor] = {}
    if isinstance(baseline, Mapping):
        means = baseline
    elif baseline is not None:
        means = mean_maps(network, baseline, layer=layer, names=names)
    raw = {
        name: weightings.weigh(
            method, captured.activations[name], captured.gradients[name], means.get(name)
        )
        for name in names
    }
    return raw, {name: value.float().cpu().numpy() for name, value in captured.scores.items()}


def _fuse(raw: dict[str, np.ndarray], fused: Fusing) -> np.ndarray:
    stacked = np.stack(list(raw.values()))
    if fused == "mean":
        stacked = np.stack([weightings.normalised(maps) for maps in stacked]) / len(stacked)
    total: np.ndarray = stacked.sum(axis=0)
    return total

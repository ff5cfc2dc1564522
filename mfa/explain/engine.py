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
from mfa.explain.geometry import MapGrid, map_grids
from mfa.explain.inputs import (
    ImagesWithCameras,
    as_batch,
    as_images_with_cameras,
    input_size,
    network_of,
)
from mfa.explain.record import BranchMaps, is_empty
from mfa.explain.tables import FUSED
from mfa.explain.targets import Contrast, Identity, Similarity, Target
from mfa.models import ReidNetwork
from mfa.models.pooling import GAP, GeM
from mfa.progress import Progress, silent

Fusing = Literal["sum", "mean"]


def branch_maps(
    model: Any,
    images: Any,
    *,
    target: str | Target = "similarity",
    toward: Any = None,
    method: str = "HiResCAM",
    layer: str = BRANCH,
    branches: Sequence[str] | None = None,
    fused: Fusing = "sum",
    reference: Any = None,
    progress: Progress = silent,
) -> BranchMaps:
    """What each branch of ``model`` looks at in ``images``, for a chosen score.

    One forward pass serves all pictures and branches. The network stays as it was, also when this
    fails. Maps are float32 and signed.

    Args:
        model: a run (``mfa.open_run``) or a network. Pictures are resized to a run's input size,
            and the maps come back at the size given.
        images: (B, 3, H, W) or (B, H, W, 3), floats in [0, 1] or uint8; one picture or many. Here,
            in ``toward`` and in ``reference``, ``ImagesWithCameras`` tells a network with SIE the
            cameras.
        target: the score that is explained: ``similarity`` to ``toward``; ``contrast``, the
            similarity to the first of ``toward`` minus that to the second; ``identity``, a
            classifier output; or a ``Target``.
        toward: what a positive value argues for. For similarity pictures or descriptors, one for
            all or one per picture (``None``: each picture itself, by the dot product with its own
            descriptor held fixed). For contrast two of those. For identity the class labels
            (``None``: the predicted ones).
        method: a weighting of pytorch-grad-cam by name. Grad-CAM averages the gradient over the
            map; under GeM only ``HiResCAM`` (gradient times activation) adds up to the score.
        layer: ``branch``, ``trunk``, or a layer of the network (one backward pass per branch).
        branches: those wanted; ``fused`` is then of those alone.
        fused: ``sum`` of the signed maps, the whole score; or ``mean`` of the normalised maps, the
            paper's picture.
        reference: pictures (some dozens) whose mean map is subtracted before the weighting, so
            that what every picture has at a place does not hide what this one has (ours); or those
            mean maps (C, h, w) by branch, see ``mean_maps``. ``None`` is the library's own way.
        progress: called with the completed fraction by rules that run the network again for every
            channel; an exception ends the work.

    Returns:
        Maps (B, H, W) by name, branches first, then ``fused``.

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
    chosen = _target(network, target, toward, input_size(model))
    if method in weightings.FORWARD_METHODS:
        if reference is not None:
            raise InputError(f"{method} masks pictures, so it takes no reference pictures")
        raw, scores = library.forward_maps(network, fitted, chosen, method, layer, names, progress)
    else:
        mean = reference
        if reference is not None and not isinstance(reference, Mapping):
            mean = reference_maps(model, reference, layer=layer, branches=names)
        found, scores = _array_maps(network, fitted, chosen, [method], layer, names, mean or {})
        raw = found[method]
    scores[FUSED] = np.sum(list(scores.values()), axis=0)
    raw[FUSED] = _fuse(list(raw.values()), fused)
    known = map_grids(network, tuple(fitted.images.shape[2:]), layer)
    grids = {name: known[name] for name in names}
    stripes = {n: grids[n].box(network.stripes[n]) for n in names if n in network.stripes}
    grids[FUSED] = MapGrid.mean(list(grids.values()))
    size = (batch.shape[2], batch.shape[3])
    return BranchMaps(
        full={name: grids[name].enlarge(value, size) for name, value in raw.items()},
        raw=raw,
        scores=scores,
        empty={name: is_empty(value) for name, value in raw.items()},
        grids=grids,
        stripes=stripes,
        target=chosen.description,
        method=method,
        layer=layer,
        fusing=fused,
        additive=_adds_up(network, names, method, layer),
        centred=reference is not None,
        weights=fingerprint(network),
    )


def reference_maps(
    model: Any, pictures: Any, *, layer: str = BRANCH, branches: Sequence[str] | None = None
) -> dict[str, Tensor]:
    """Mean map (C, h, w) of pictures by branch, for ``reference=`` of many calls."""
    network = network_of(model)
    fitted = as_images_with_cameras(pictures, input_size(model))
    return mean_maps(network, fitted, layer=layer, names=branches or list(network.heads))


def fingerprint(network: ReidNetwork) -> str:
    """A number of all weights, equal for networks that hold the same."""
    return f"{sum(float(p.detach().double().sum()) for p in network.parameters()):.15g}"


def _target(
    network: ReidNetwork, target: str | Target, toward: Any, size: tuple[int, int] | None
) -> Target:
    """The target of a name; pictures given in ``toward`` are embedded."""
    if not isinstance(target, str):
        if toward is not None:
            raise InputError("a target object says itself what it argues for; leave toward out")
        return target
    if target == "identity":
        return Identity(toward)
    if target == "similarity":
        return Similarity(None if toward is None else descriptors(network, toward, size))
    if target == "contrast":
        if not isinstance(toward, tuple | list) or len(toward) != 2:
            raise InputError(
                "contrast needs toward=(one, other): pictures or descriptors of two identities"
            )
        return Contrast(*(descriptors(network, side, size) for side in toward))
    raise InputError(f"no target {target!r}; there are similarity, identity, contrast")


def descriptors(network: ReidNetwork, toward: Any, size: tuple[int, int] | None = None) -> Tensor:
    """Descriptors (R, D): embedded pictures, or the vectors that were given."""
    if not isinstance(toward, Sequence | ImagesWithCameras):
        vectors = torch.as_tensor(toward)
        one_picture = vectors.ndim == 3 and 3 in (vectors.shape[0], vectors.shape[2])
        if vectors.ndim != 4 and not one_picture:
            return vectors
    return embed(network, as_images_with_cameras(toward, size))


def _array_maps(
    network: ReidNetwork,
    images: ImagesWithCameras,
    target: Target,
    methods: Sequence[str],
    layer: str,
    names: Sequence[str],
    means: Mapping[str, Tensor],
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Maps by rule and branch from one forward pass, and the scores."""
    second = weightings.SECOND_ORDER in methods
    found = capture(network, images, target, layer=layer, names=names, second_order=second)
    raw = {
        method: {
            n: weightings.weigh(method, found.activations[n], found.gradients[n], means.get(n))
            for n in names
        }
        for method in methods
    }
    return raw, {name: value.float().cpu().numpy() for name, value in found.scores.items()}


def rule_maps(
    model: Any,
    images: Any,
    methods: Sequence[str],
    *,
    layer: str = BRANCH,
    reference: Mapping[str, Tensor] | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Raw maps (B, h, w) by rule, then branch and ``fused``, of the similarity to itself.

    One forward pass serves all rules that need no other. Arguments as in ``branch_maps``.
    """
    network = network_of(model)
    fitted = as_images_with_cameras(images, input_size(model))
    arrays = [method for method in methods if method in weightings.ARRAY_METHODS]
    names, means = list(network.heads), reference or {}
    check_place(network, layer, names)
    found, _ = _array_maps(network, fitted, Similarity(None), arrays, layer, names, means)
    for method in methods:
        if method in found:
            found[method][FUSED] = _fuse(list(found[method].values()), "sum")
        else:
            found[method] = branch_maps(
                model, images, method=method, layer=layer, reference=reference
            ).raw
    return found


def _adds_up(network: ReidNetwork, names: Sequence[str], method: str, layer: str) -> bool:
    """Whether a rule's values are parts of the score: gradient times activation of what is pooled.

    Under average pooling the gradient is the same everywhere, so that Grad-CAM's mean is exact.
    """
    pools = [head.pool for name, head in network.named_heads() if name in names]
    kinds = {"HiResCAM": GeM | GAP, "GradCAM": GAP}.get(method)
    return layer == BRANCH and kinds is not None and all(isinstance(p, kinds) for p in pools)


def _fuse(maps: list[np.ndarray], fused: Fusing) -> np.ndarray:
    if fused == "mean":
        maps = [weightings.normalised(each) / len(maps) for each in maps]
    total: np.ndarray = np.stack(maps).sum(axis=0)
    return total

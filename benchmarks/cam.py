"""``python -m benchmarks cam``: branch maps against a forward pass and the library.

ResNet-50, 256x128, batch 8, as in the paper's preset; random weights, since time does not depend
on them. The library is called once per branch on the same targets.
"""

from __future__ import annotations

import copy
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.timing import ratio, seconds_each
from mfa import presets
from mfa.explain import library
from mfa.explain.capture import directions
from mfa.explain.engine import branch_maps
from mfa.explain.geometry import MapGrid
from mfa.explain.targets import Similarity
from mfa.explain.weightings import normalised
from mfa.models import ReidNetwork, build_model

TARGETS = {
    "ratio_to_forward": ("<=", 1.3),
    "speedup_over_library": (">=", 10),
    "correlation": (">=", 0.999999),
}

METHOD = "GradCAM"
"""The library's plainest rule, so that the comparison is of the machinery."""


def run(repeats: int = 5, *, batch: int = 8, config: Any = None) -> dict[str, float]:
    """Medians over ``repeats``, each of which times all three one after the other.

    Args:
        repeats: at least five for a figure to quote.
        batch: pictures.
        config: model configuration, by default the preset ``paper``.

    Returns:
        ``ratio_to_forward`` (maps over a plain forward), ``speedup_over_library``,
        ``correlation`` (lowest over branches, with the library's own maps), and the seconds.
    """
    network = build_model(config or presets.paper().model, pretrained=False).eval()
    images = torch.rand(batch, 3, 256, 128, generator=torch.Generator().manual_seed(0))
    toward, _ = directions(network, images, Similarity(), list(network.heads))
    correlation = _correlation(network, images, toward)
    spare = copy.deepcopy(network)

    def forward() -> None:
        with torch.no_grad():
            network(images)

    def theirs() -> None:
        for name in spare.heads:
            library.end_to_end(spare, images, toward[name], name=name, method=METHOD)

    def ours() -> None:
        branch_maps(network, images, method=METHOD)

    seconds = seconds_each({"forward": forward, "maps": ours, "library": theirs}, repeats)
    return {
        "ratio_to_forward": ratio(seconds["maps"], seconds["forward"]),
        "speedup_over_library": ratio(seconds["library"], seconds["maps"]),
        "correlation": correlation,
        **{f"{name}_s": median(values) for name, values in seconds.items()},
    }


def _correlation(
    network: ReidNetwork, images: torch.Tensor, toward: dict[str, torch.Tensor]
) -> float:
    maps = branch_maps(network, images, method=METHOD)
    spare, size = copy.deepcopy(network), (images.shape[2], images.shape[3])
    found = []
    for name in maps.branches:
        theirs = library.end_to_end(spare, images, toward[name], name=name, method=METHOD)
        even = MapGrid.even(*maps.raw[name].shape[1:])  # as the library enlarges
        own = even.enlarge(normalised(maps.raw[name]), size)
        found.append(float(np.corrcoef(own.ravel(), theirs.ravel())[0, 1]))
    return min(found)
